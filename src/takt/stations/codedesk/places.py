"""Lines of files of tests as a ticket has them, in what is told of a run in which canaries stand among their tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from takt.stations.codedesk.bubblewrap import WORK

Shift = tuple[int, int]  # before which line of the file something is put, and how many lines of it
BEFORE = r"[\"'`]?(?:, (?:at )?line |:| (?:at |on )?line )"  # what stands between a file's name and a line


def line_of(line: int, shifts: Sequence[Shift]) -> int:
    """The line of a file as it was; of a line that was put there, the one below it."""
    before = 0
    for at, many in sorted(shifts):
        if line < at + before:
            break
        if line < at + before + many:
            return at
        before += many
    return line - before


def as_written(text: str, shifts: Mapping[str, Sequence[Shift]], laid: Collection[str]) -> str:
    """A message with the lines of these files as they were before something was put there, wherever a line is named
    behind its file (`tests/test_a.py:12`, `File "/work/tests/test_a.py", line 12`). `laid`: paths of all that is laid,
    for of two that are called alike one may be meant."""
    if not any(shifts.values()) or not text:
        return text
    whole = "|".join(re.escape(path) for path in shifts)
    last = "|".join({re.escape(path.rpartition("/")[2]) for path in shifts})
    file = rf"(?<![\w./-])((?:{WORK}/)?(?:{whole})|[^\s\"'`(),:]*?(?<![\w.-])(?:{last}))"

    def placed(found: re.Match[str]) -> str:
        named, between, line = found.groups()
        path = _meant(named, laid)
        return f"{named}{between}{line_of(int(line), shifts.get(path, ()))}"

    return re.sub(rf"{file}({BEFORE})(\d+)", placed, text)


def _meant(named: str, laid: Collection[str]) -> str:
    """Which file of the tree: named from its root, or from the folder that a test is in. "" if none, or several."""
    path = named.removeprefix(f"{WORK}/")
    if path.startswith("../"):
        path = re.sub(r"^(\.\./)+", "", path).removeprefix(f"{WORK.strip('/')}/")
    path = path.removeprefix("./")
    if path in laid:
        return path
    alike = [one for one in laid if one.endswith(f"/{path}")]
    return alike[0] if len(alike) == 1 and not path.startswith("/") else ""
