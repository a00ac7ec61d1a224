"""Where ledgers lie: a path is a SQLite file. Other stores, by addresses, come in here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from takt.errors import TaktError
from takt.ledger.base import Rows
from takt.ledger.sqlite import SqliteRows
from takt.writing import Numbered

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # of two letters and more: C:/ is a drive
Place = Path


def place_of(text: str | os.PathLike[str]) -> Place:
    """Where a ledger is, from a path or an address. TaktError for an address of a kind that keeps no ledgers."""
    words = os.fspath(text)
    found = _SCHEME.match(words)
    if isinstance(text, Path) or found is None:
        return Path(words)
    if found[1].lower() != "file":
        raise TaktError(f"{found[1]}: keeps no ledgers; give a path")
    there = urlsplit(words)
    if there.netloc not in ("", "localhost"):
        raise TaktError(f"{words} is a file of another machine; give a path")
    return Path(unquote(there.path))


def created(place: str | os.PathLike[str] | None, meta: Iterable[tuple[str, str]]) -> Rows:
    """A new ledger with this meta. TaktError if something is there."""
    return SqliteRows.create(place if place is None or isinstance(place, Numbered) else place_of(place), meta)


def opened(place: str | os.PathLike[str]) -> Rows:
    """A ledger to read."""
    return SqliteRows.open(place_of(place))


def resumed(place: str | os.PathLike[str]) -> Rows:
    """A ledger to append to, which no other process does meanwhile."""
    return SqliteRows.resume(place_of(place))
