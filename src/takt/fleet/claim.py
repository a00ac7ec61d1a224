"""One shift is worked by one process, whatever plan it is of and whatever its arm is called there.

Plans may share a store and call the same shift by other names. In a folder, whoever works a shift locks its id, and
looks under that lock whether somebody has begun it under another name. (A fleet in a database has one driver.)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from takt.errors import Busy, Unwritable
from takt.fleet.plan import ID_DIGITS, id_end
from takt.ledger.store import place_of
from takt.plainly import plainly


@contextmanager
def claimed(identity: str, ledger: str) -> Iterator[str]:
    """While this is entered, no other process works the shift with this id in the folder of `ledger`: where its ledger
    is, which is another one than `ledger` if it was begun under another name. Raises Busy if another one has it."""
    place = place_of(ledger)
    if not identity or not isinstance(place, Path):
        yield ledger
        return
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield ledger
        return
    path = place.parent / f".{identity[:ID_DIGITS]}.lock"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise Unwritable(f"cannot write into {place.parent}: {plainly(error)}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"another process works on the shift {identity[:ID_DIGITS]} in {place.parent}") from error
        if not _is(lock, path):  # whoever had it removed it a moment ago, and the next one has a new one
            raise Busy(f"another process has just worked on the shift {identity[:ID_DIGITS]} in {place.parent}")
        try:
            yield str(place if place.exists() else _begun(place.parent, identity) or place)
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _is(lock: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _begun(folder: Path, identity: str) -> Path | None:
    """The ledger of this shift there, whatever it is called."""
    end = id_end(identity)
    names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(end))
    return folder / names[0] if names else None
