"""Where ledgers lie: a path is a SQLite file, an address such as postgresql://HOST/DATABASE#SHIFT a row of a database.

Everything that takes a ledger's path takes an address. `place_of` makes either of a text, once, where it comes in; from
then on both are asked the same few things (a name, the text for messages, what lies beside it).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from takt.errors import TaktError
from takt.ledger.address import Address
from takt.ledger.base import Rows
from takt.secret import masked

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # of two letters and more: C:/ is a drive
_CONNINFO = re.compile(r"\s*(host|hostaddr|port|dbname|user|password|service)\s*=.*\s\w+\s*=", re.S)  # libpq's way
Place = Path | Address


def place_of(text: str | os.PathLike[str]) -> Place:
    """A path or an address. TaktError for an address of a kind that keeps no ledgers."""
    if isinstance(text, (Path, Address)):
        return text
    words = os.fspath(text)
    found = _SCHEME.match(words)
    if found is None:
        if _CONNINFO.match(words):
            raise TaktError(f"{masked(words)} is no folder; a database is written postgresql://USER@HOST/DATABASE")
        return Path(words)
    if found[1].lower() == "file":
        from urllib.parse import unquote, urlsplit

        there = urlsplit(words)
        if there.netloc not in ("", "localhost"):
            raise TaktError(f"{masked(words)} is a file of another machine; give a path")
        return Path(unquote(there.path))
    return Address.of(words)


def created(place: str | os.PathLike[str] | None, meta: Iterable[tuple[str, str]]) -> Rows:
    """A new ledger with this meta. TaktError if something is there."""
    from takt.ledger.sqlite import SqliteRows
    from takt.writing import Numbered

    if place is None or isinstance(place, Numbered):
        return SqliteRows.create(place, meta)
    where = place_of(place)
    if isinstance(where, Path):
        return SqliteRows.create(where, meta)
    from takt.ledger.postgres import PostgresRows

    return PostgresRows.create(where, meta)


def opened(place: str | os.PathLike[str]) -> Rows:
    """A ledger to read."""
    where = place_of(place)
    if isinstance(where, Path):
        from takt.ledger.sqlite import SqliteRows

        return SqliteRows.open(where)
    from takt.ledger.postgres import PostgresRows

    return PostgresRows.open(where)


def resumed(place: str | os.PathLike[str]) -> Rows:
    """A ledger to append to, which no other process does meanwhile."""
    where = place_of(place)
    if isinstance(where, Path):
        from takt.ledger.sqlite import SqliteRows

        return SqliteRows.resume(where)
    from takt.ledger.postgres import PostgresRows

    return PostgresRows.resume(where)


def shifts_in(store: str | os.PathLike[str]) -> list[Place]:
    """The ledgers of a store, by name: the `.takt` files of a folder, or what a database has under an address."""
    where = place_of(store)
    if isinstance(where, Path):
        if not where.is_dir():
            raise TaktError(f"there is no folder {where}")
        return sorted(where.glob("*.takt"))
    from takt.ledger.postgres_store import names

    return [where.named(name) for name in names(where)]


def removed(place: Place) -> None:
    """Take a ledger away, with what SQLite lays beside it."""
    if isinstance(place, Path):
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(f"{place}{suffix}").unlink(missing_ok=True)
        return
    from takt.ledger.postgres_store import removed as removed_there

    removed_there(place)
