"""The ledger: a shift's events in order, on disk. One SQLite file per shift; every figure is derived from it.

A shift is appended unit by unit: one transaction holds the events of the unit and the snapshot taken at its end, so
the file is always at a unit's boundary, whatever killed the program.

SQLite writes ahead (WAL) while a shift runs: readers and the shift never wait for each other, and a commit costs no
fsync. After a power cut the last few units may be missing, never half there, and `resume` works them again. Closing
folds everything into the one file, so a closed ledger is copied, mailed and archived as one file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from takt.contract.events import SHIFT_ENDED, UNIT_DUE, Event
from takt.errors import Busy, TaktError, Unwritable
from takt.ledger.intact import FORMAT, IS_TAKT, TABLES, UNREADABLE, Bound, check_file, connect, unreadable, unzipped
from takt.ledger.wellformed import read_event, read_meta, read_record
from takt.plainly import plainly
from takt.writing import Numbered, place_new, what_is

_NEW = f"""
PRAGMA application_id = {IS_TAKT};
PRAGMA user_version = {FORMAT};
{";".join(TABLES.values())};
"""
# What defines a shift. Version, machine and wall time are in the meta too, but not in the digest.
DEFINITION = ("station", "options", "worker", "worker_options", "seed", "clock", "faults", "hours", "units")


class Snapshot(NamedTuple):
    """The state at the end of `unit` (-1: at the start of the shift), when the ledger held `seq` events."""

    unit: int
    seq: int
    state: bytes


class Ledger:
    """One shift on disk (or in memory). Open it with `create`, `open` or `resume`, and close it."""

    def __init__(self, database: sqlite3.Connection, path: Path | None, lock: int | None, writable: bool) -> None:
        self._database = database
        self._bound = Bound(database)
        self._lock = lock
        self._writable = writable
        self.path = path

    @classmethod
    def create(cls, path: str | os.PathLike[str] | None, meta: Mapping[str, Any]) -> Ledger:
        """A new ledger for the shift that `meta` (JSON values) defines. `None` for a ledger in memory only."""
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.executescript(_NEW)
        database.executemany("INSERT INTO meta VALUES (?, ?)", [(key, canonical(meta[key])) for key in meta])
        if path is None:
            return cls(database, None, None, True)
        while True:
            try:
                place_new(Path(path), database.serialize())
            except FileExistsError:
                if isinstance(path, Numbered):
                    path.next()
                    continue
                raise _taken(Path(path)) from None
            except OSError as error:
                raise Unwritable(f"cannot write the ledger {path}: {error.strerror or error}") from error
            if isinstance(path, Numbered):
                path.made = True
            try:
                return cls.resume(path)
            except TaktError:
                Path(path).unlink(missing_ok=True)  # it was made just now, and there is nothing in it
                raise

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Ledger:
        """A ledger to read, also while its shift runs. Reading changes nothing. TaktError if it is not a ledger;
        Unfinished if it was left in the middle of a write, which reading does not mend."""
        path = Path(path)
        return cls(connect(path, "ro"), path, None, False)

    @classmethod
    def resume(cls, path: str | os.PathLike[str]) -> Ledger:
        """A ledger to append to. TaktError if it is not a ledger, or if another process is appending to it."""
        path = Path(path)
        lock = _locked(check_file(path, writing=True), path)
        try:
            ledger = cls(connect(path, "rw"), path, lock, True)
        except TaktError:
            _unlock(lock)
            raise
        try:
            ledger._write_ahead()
            ledger._database.execute(TABLES["journal"].replace("TABLE", "TABLE IF NOT EXISTS", 1))
        except UNREADABLE as error:  # the disk is full
            ledger.close()
            raise Unwritable(f"cannot write the ledger {path}: {plainly(error)}") from error
        return ledger

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Fold the ledger into its one file, and let go of it."""
        try:
            if self._writable and self.path is not None:
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._database.execute("PRAGMA busy_timeout = 0")
                self._database.execute("PRAGMA journal_mode = DELETE")
        except UNREADABLE:
            pass  # somebody has it open to read: the file is complete all the same, an empty -wal stays beside it
        finally:
            self._database.close()
            _unlock(self._lock)  # after SQLite: closing any handle of a file drops this process's POSIX locks on it
            self._lock = None

    @property
    def meta(self) -> dict[str, Any]:
        """What defines the shift (`DEFINITION`), and where and when it was worked."""
        rows = self._rows("SELECT key, value FROM meta ORDER BY rowid")
        try:
            return read_meta(rows, self.path)
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def events(self, since: int = 0) -> list[Event]:
        """The events in order, without the first `since`: a viewer asks again with the number it has seen."""
        rows = self._rows("SELECT seq, t_s, kind, unit, data FROM events WHERE seq >= ? ORDER BY seq", since)
        try:
            if any(after[0] <= before[0] for before, after in pairwise(rows)):  # one page, reached twice
                raise ValueError("its events are out of order")
            return [read_event(t_s, kind, unit, data, self.path) for _, t_s, kind, unit, data in rows]
        except ValueError as error:
            raise self._damaged(str(error)) from error

    @property
    def finished(self) -> bool:
        """Whether the shift has ended. If not, it runs, or it was killed and can be resumed."""
        return self._rows("SELECT kind FROM events ORDER BY seq DESC LIMIT 1") == [(SHIFT_ENDED,)]

    def commit(self, events: Sequence[Event], snapshot: bytes | None, unit: int | None, **notes: Any) -> None:
        """Append events, and the snapshot of the state right after them, at the end of `unit`: all or nothing.

        `unit` is None for the snapshot at the start of the shift. `notes` (`wall_s`) are written into the meta: what
        is no part of the shift and does not enter the digest.
        """
        assert not set(notes) & set(DEFINITION)
        (seq,) = self._rows("SELECT coalesce(max(seq) + 1, 0) FROM events")[0]
        rows = [(seq + i, float(e.t_s), e.kind, e.unit, _written(e)) for i, e in enumerate(events)]
        try:
            with _Transaction(self._database):
                self._database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
                noted = [(key, canonical(value)) for key, value in notes.items()]
                self._database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", noted)
                if snapshot is not None:
                    state = zlib.compress(snapshot, 1)
                    row = (seq + len(rows), -1 if unit is None else unit, rows[-1][1] if rows else 0.0, state)
                    self._database.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?)", row)
                self._database.execute("DELETE FROM journal")  # its records are in the events now
        except UNREADABLE as error:
            raise Unwritable(f"cannot write the ledger {self.path}: {plainly(error)}") from error

    def recall(self, number: int) -> dict[str, Any] | None:
        """What the worker wrote into its journal under this number since the last commit."""
        rows = self._rows("SELECT record FROM journal WHERE number = ?", number)
        try:
            return read_record(rows[0][0], self.path) if rows else None
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def note(self, number: int, record: Mapping[str, Any]) -> None:
        """Keep a record of the worker's at once, until the commit that has it among its events."""
        try:
            self._bound.begin()
            self._database.execute("INSERT OR REPLACE INTO journal VALUES (?, ?)", (number, canonical(record)))
        except UNREADABLE as error:
            raise Unwritable(f"cannot write the ledger {self.path}: {plainly(error)}") from error

    def snapshot(self, before_unit: int) -> Snapshot | None:
        """The last snapshot taken when `before_unit` was not yet begun."""
        due = self._rows("SELECT min(t_s) FROM events WHERE kind = ? AND unit = ?", UNIT_DUE, before_unit)[0][0]
        if due is not None:
            return self._snapshot("WHERE t_s <= ?", due)
        return self._snapshot("WHERE unit < ?", before_unit)

    def snapshot_after(self, unit: int) -> Snapshot | None:
        """The snapshot taken when `unit` ended; -1 for the one at the start."""
        return self._snapshot("WHERE unit = ?", unit)

    def last_snapshot(self) -> Snapshot | None:
        """The last snapshot. None if the shift was killed before it began."""
        return self._snapshot("")

    def digest(self) -> str:
        """SHA-256 over the shift: what defines it, and every event. The same on every run, wherever it was killed."""
        meta = self.meta
        digest = hashlib.sha256()
        digest.update(canonical({key: meta.get(key) for key in DEFINITION}).encode())
        for event in self.events():
            digest.update(b"\n" + spelled(event).encode())
        return digest.hexdigest()

    def seal(self) -> str:
        """SHA-256 over everything in the ledger but its signatures: meta, events, snapshots, as they are stored."""
        seal = hashlib.sha256(b"takt ledger, format 1")
        queries = (
            "SELECT key, value FROM meta WHERE key <> 'signatures' ORDER BY key",
            "SELECT seq, t_s, kind, unit, data FROM events ORDER BY seq",
            "SELECT seq, unit, t_s, state FROM snapshots ORDER BY seq",
        )
        for number, query in enumerate(queries):
            for row in self._rows(query):
                plain = [hashlib.sha256(v).hexdigest() if isinstance(v, bytes) else v for v in row]
                seal.update(b"\n" + canonical([number, *plain]).encode())
        return seal.hexdigest()

    def faults(self) -> list[str]:
        """What is wrong with the file as a database, and with its snapshots; [] if nothing is."""
        found = [str(text) for (text,) in self._rows("PRAGMA integrity_check(3)") if text != "ok"]
        (events,) = self._rows("SELECT count(*) FROM events")[0]
        for seq, state in self._rows("SELECT seq, state FROM snapshots ORDER BY seq"):
            try:
                unzipped(state)
            except ValueError as error:
                return [*found, str(error)]
            if not 0 <= seq <= events:
                return [*found, "a snapshot is from after the end"]
        return found

    def signed(self, signature: str) -> None:
        """Add a signature to a finished ledger (`takt.ledger.signature`)."""
        if not self.finished:
            raise TaktError(f"{self.path} has not ended; end it with `takt resume {self.path}`, then sign it")
        self.commit([], None, None, signatures=[*self.meta.get("signatures", ()), signature])

    def _snapshot(self, where: str, *values: Any) -> Snapshot | None:
        rows = self._rows(f"SELECT unit, seq, state FROM snapshots {where} ORDER BY seq DESC LIMIT 1", *values)
        if not rows:
            return None
        unit, seq, state = rows[0]
        if not all(isinstance(number, int) for number in (unit, seq)):
            raise self._damaged("a snapshot is of no unit")
        try:
            return Snapshot(unit, seq, unzipped(state))
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def _rows(self, query: str, *values: Any) -> list[Any]:
        rows: list[Any] = []
        try:
            left = self._bound.begin()
            for row in self._database.execute(query, values):
                left -= sum(len(value) for value in row if isinstance(value, (str, bytes)))
                if left < 0:
                    raise self._damaged("it says more than it can hold")
                rows.append(row)
        except UNREADABLE as error:
            raise self._damaged(unreadable(error)) from error
        return rows

    def _damaged(self, why: str) -> TaktError:
        return TaktError(f"{self.path or 'the ledger'} is damaged: {why}")

    def _write_ahead(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")


def spelled(event: Event) -> str:
    """An event as the digest takes it: without tracebacks, which name files of the machine it was worked on."""
    data = {key: value for key, value in event.data.items() if key != "traceback"}
    return canonical([float(event.t_s), event.kind, event.unit, data])


def canonical(value: Any) -> str:
    """JSON with one spelling for one value: sorted keys, no spaces. ValueError for NaN and infinity: JSON has none."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _written(event: Event) -> str:
    try:
        return canonical(event.data)
    except (TypeError, ValueError) as error:
        raise TaktError(f"an event {event.kind!r} has what cannot be written down: {plainly(error)}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not a JSON value")


class _Transaction:
    """All or nothing, also if the program is interrupted in the middle (sqlite3's own needs its implicit BEGIN)."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._database.execute("COMMIT")
        elif self._database.in_transaction:  # SQLite has rolled back by itself if the disk is full
            self._database.execute("ROLLBACK")


def _taken(path: Path) -> TaktError:
    """Why no ledger can be made here: something is there."""
    try:
        check_file(path, writing=False)
    except TaktError:
        return TaktError(f"cannot write the ledger {path}: {what_is(path)} is there already; choose another name")
    return TaktError(f"{path} exists already; resume it with `takt resume {path}` or choose another name")


def _locked(path: Path, name: Path) -> int | None:
    """A lock on the file that lasts as long as this process at most, so that a shift is never worked twice at once."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return None
    lock = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise Busy(f"another process is working on {name}; wait for it or end it") from error
    return lock


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
