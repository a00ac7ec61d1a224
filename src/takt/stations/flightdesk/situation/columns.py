"""Which column of a file is for what: by the names that it is known by, or as `--columns` says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from takt.contract.station import TaktError

Names = Mapping[str, tuple[str, ...]]  # what a column is for: the names that it is known by
SHARED = frozenset({"date", "seen"})  # a moment that is given for something else may be where the day is read, too


def parse_columns(text: str, names: Names) -> dict[str, str]:
    """`date=FL_DATE,dest=TO` as a mapping; the keys are those of `names`."""
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not name or key not in names:
            raise TaktError(f"--columns {part.strip()!r} is not KEY=NAME; the keys are: {', '.join(names)}")
        if key in found:
            raise TaktError(f"--columns gives {key} twice, {found[key]!r} and {name!r}; give it once")
        found[key] = name
    return found


def columns(
    path: Path, header: Sequence[str], names: Names, given: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The columns of a file by what they are for, and what must be said about the choice.

    A column that is `given` to one use is taken for no other. A name as it stands goes before one that differs in case
    or in what is between its words. Raises TaktError where two columns could be meant by the same name.
    """
    found = {key: _named(path, header, name, key) for key, name in given.items()}
    for key, name in found.items():
        other = next((k for k, n in found.items() if k != key and n == name), None)
        if other and not {key, other} & SHARED:
            raise TaktError(f"--columns gives the column {name} to {key} and to {other}; it can be for one of them")
    notes = []
    for key, usual in names.items():
        if key in found:
            continue
        free = [name for name in header if name not in found.values()]
        known = [there for one in usual if (there := _match(path, free, one, key))]
        if known:
            found[key] = known[0]
            others = [name for name in dict.fromkeys(known) if name != known[0]]
            if others:
                rest = " or ".join(others)
                notes.append(f"column {known[0]} is taken for {key}, not {rest}; --columns {key}=NAME says otherwise")
    return found, notes


def no_column(path: Path, header: Sequence[str], what: str, key: str) -> TaktError:
    """That a file has no column for something, and what to do."""
    return TaktError(f"{path}, line 1: no column for {what}; there are: {', '.join(header)}; say --columns {key}=NAME")


def _named(path: Path, header: Sequence[str], name: str, key: str) -> str:
    found = _match(path, header, name, key)
    if found is None:
        raise no_column(path, header, f"{key}, given as {name!r}", key)
    return found


def _match(path: Path, header: Sequence[str], name: str, key: str) -> str | None:
    if name in header:
        return name
    alike = [there for there in header if _plain(there) == _plain(name) and _plain(name)]
    if len(alike) > 1:
        raise TaktError(f"{path}, line 1: {' and '.join(alike)} could both be {key}; say --columns {key}=NAME")
    return alike[0] if alike else None


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")
