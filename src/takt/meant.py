"""What was meant by a name that there is not: an option, a value, a station, a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

MOST_FILES = 10_000  # of a folder that are looked at


def meant(name: object, known: Iterable[str]) -> str:
    """What was meant by a name that there is not, to follow it: ", did you mean 'nutcell'?"; or ""."""
    near = _nearest(str(name), known, 0.6)
    return f", did you mean {near!r}?" if near else ""


def near_file(path: str | os.PathLike[str]) -> str:
    """The same, of a file or folder that is not there, by what lies where it would."""
    place = Path(path)
    try:
        with os.scandir(place.parent) as entries:
            names = [entry.name for entry in islice(entries, MOST_FILES)]
    except (OSError, ValueError):
        return ""
    near = _nearest(place.name, names, 0.8)
    return f", did you mean {place.parent / near}?" if near and near != place.name else ""


def _nearest(name: str, known: Iterable[str], cutoff: float) -> str:
    from difflib import get_close_matches

    plain = {one.lower(): one for one in known}
    near = get_close_matches(name[:200].lower(), plain, n=1, cutoff=cutoff)
    return plain[near[0]] if near else ""
