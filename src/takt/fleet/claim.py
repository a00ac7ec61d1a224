"""One shift is worked by one process, whatever plan it is of and whatever its arm is called there.

Plans may share a store and call the same shift by other names. In a folder, whoever works a shift locks its id, and
reads and writes under that lock under which name it was begun. (A fleet in a database has one driver.)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from takt.errors import Busy, Unwritable
from takt.fleet.plan import ID_DIGITS
from takt.ledger.store import place_of
from takt.plainly import plainly

BEGUN = ".begun"  # in the folder: under which name which shift was begun


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
            yield str(place if place.exists() else _known(place, identity))
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _is(lock: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _known(place: Path, identity: str) -> Path:
    try:
        return _begun(place.parent, identity, place.name)
    except OSError as error:
        raise Unwritable(f"cannot write into {place.parent}: {plainly(error)}") from error


def _begun(folder: Path, identity: str, name: str) -> Path:
    """The ledger of this shift there, whatever it is called; `name`, from now on, if none is noted. (What was there
    before notes were taken is known to whoever begins a fleet: `store.Ledgers`.)

    A line for each shift, of which only what is new is read: in a folder of ten thousand ledgers, to look for one among
    the names takes 5 ms."""
    import fcntl

    with (folder / BEGUN).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        status = os.fstat(file.fileno())
        seen = _seen.get(folder)
        if seen is None or seen.file != status.st_ino or seen.upto > status.st_size:
            seen = _seen[folder] = _Seen(status.st_ino)
        file.seek(seen.upto)
        new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        for line in whole.splitlines():
            one, _, called = line.decode(errors="replace").partition(" ")
            seen.names[one] = called
        seen.upto += len(whole)
        called = seen.names.get(identity[:ID_DIGITS], "")
        if called and (folder / called).exists():
            return folder / called
        cut = b"\n" if len(new) > len(whole) else b""  # by whoever died in the middle of it
        file.write(cut + f"{identity[:ID_DIGITS]} {name}\n".encode())
        return folder / name


@dataclass(slots=True)
class _Seen:
    """What this process has read of a folder's BEGUN (of this inode), up to so many bytes: names of ledgers by ids."""

    file: int
    upto: int = 0
    names: dict[str, str] = field(default_factory=dict)


_seen: dict[Path, _Seen] = {}
