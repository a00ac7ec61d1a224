"""Few-shot examples: good units of another shift, shown to the model before its own work. -w examples=FILE."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from takt.errors import TaktError

MOST_ROWS = 10_000  # that are looked at


def examples_of(path: str, shots: int, view: str) -> list[dict[str, Any]]:
    """The conversations to show, of a shift's ledger or of a file of `takt export --format trl`: good ones, one of each
    kind before a second of any, the shortest of each. Raises TaktError if there are none."""
    try:
        rows = list(_rows(path, view))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TaktError(f"examples: {path} is neither a shift nor a file of `takt export --format trl`") from error
    good = [row for row in rows[:MOST_ROWS] if row.get("reward") == 1.0]
    if not good:
        raise TaktError(f"examples: no unit in {path} is good; give another shift's")
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(good, key=lambda row: len(json.dumps(row["messages"]))):
        kinds.setdefault(_kind(row), []).append(row)
    turns = max(map(len, kinds.values()))
    return [rows[turn] for turn in range(turns) for rows in kinds.values() if turn < len(rows)][:shots]


def _rows(path: str, view: str) -> Iterable[dict[str, Any]]:
    if Path(path).suffix == ".takt":
        from takt.export.trl import conversations

        return conversations(path, view)
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def _kind(row: Mapping[str, Any]) -> str:
    calls = (call for message in row["messages"] for call in message.get("tool_calls", ()))
    return " ".join(call["function"]["name"] for call in calls)
