"""What is kept of a mining that has not come to its end: each commit that was looked at, a line. The same command goes
on from there; who has changed it is told so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from takt.errors import TaktError

SUFFIX = ".mining"  # behind the name of the folder that is made


class Kept:
    """The file, and what it had. `asked`: what must be the same for it to be gone on with. No file: nothing is kept."""

    def __init__(self, path: Path | None, asked: Mapping[str, Any], names: Sequence[str]) -> None:
        self.path, self.asked, self.rows = path, json.loads(json.dumps(asked)), dict[str, dict[str, Any]]()
        if path is None or not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # a line that was cut off when it was written
            path.write_text(whole, encoding="utf-8")
        try:
            lines = [dict(json.loads(line)) for line in whole.splitlines()]
        except (ValueError, TypeError):
            raise TaktError(f"{path} is not what takt mine keeps; remove it, or name another --out") from None
        before = lines[0].get("asked", {}) if lines else self.asked
        other = [name for name, value in self.asked.items() if before.get(name) != value]
        rows = lines[1:]
        if other or [row.get("commit") for row in rows] != list(names[: len(rows)]):
            what = ", ".join(f"{name}={before.get(name)!r}" for name in other) or "another history"
            raise TaktError(
                f"{path} keeps what was mined before, with {what}: give the same command again to go on, "
                "name another --out, or remove that file"
            )
        self.rows = {row["commit"]: row for row in rows}

    def add(self, row: Mapping[str, Any]) -> None:
        """One more commit."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if not file.tell():
                file.write(json.dumps({"asked": self.asked}) + "\n")
            file.write(json.dumps(row) + "\n")
