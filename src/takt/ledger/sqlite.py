"""A ledger as one SQLite file, which holds one shift: it is handed over, archived and deleted as one thing.

SQLite writes ahead (WAL) while a shift runs: readers and the shift never wait for each other, and a commit costs no
fsync. After a power cut the last few units may be missing, never half there, and `resume` works them again. Closing
folds everything into the one file, so a closed ledger is copied, mailed and archived as one file.

Format 2 (November 2026) added the tables `running`, `shown` and `blobs`. A file of format 1 is read as it is, and
becomes one of format 2 when a unit is appended to it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from takt.contract.events import UNIT_DUE
from takt.errors import Busy, TaktError, Unwritable
from takt.ledger.base import Batch, Row, Seen
from takt.ledger.intact import (
    FORMAT,
    IS_TAKT,
    LATER,
    TABLES,
    UNREADABLE,
    Bound,
    check_file,
    connect,
    unreadable,
)
from takt.plainly import plainly
from takt.writing import Numbered, place_new, what_is

_NEW = f"""
PRAGMA application_id = {IS_TAKT};
PRAGMA user_version = {FORMAT};
{";".join(TABLES.values())};
INSERT INTO shown VALUES (1, 0, NULL, NULL);
"""


class SqliteRows:
    """One shift's rows in a SQLite file (or in memory)."""

    def __init__(self, database: sqlite3.Connection, path: Path | None, lock: int | None, writable: bool) -> None:
        self._database = database
        self._bound = Bound(database)
        self._lock = lock
        self._writable = writable
        self._tables = {
            str(name) for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        self.place = path

    @classmethod
    def create(cls, path: Path | Numbered | None, meta: Iterable[tuple[str, str]]) -> SqliteRows:
        """A new ledger in a place where nothing is; `None` for one in memory only."""
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.executescript(_NEW)
        database.executemany("INSERT INTO meta VALUES (?, ?)", meta)
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
                return cls.resume(Path(path))
            except TaktError:
                Path(path).unlink(missing_ok=True)  # it was made just now, and there is nothing in it
                raise

    @classmethod
    def open(cls, path: Path) -> SqliteRows:
        return cls(connect(path, "ro"), path, None, False)

    @classmethod
    def resume(cls, path: Path) -> SqliteRows:
        lock = _locked(check_file(path, writing=True), path)
        try:
            rows = cls(connect(path, "rw"), path, lock, True)
        except TaktError:
            _unlock(lock)
            raise
        try:
            rows._database.execute("PRAGMA journal_mode = WAL")
            rows._database.execute("PRAGMA synchronous = NORMAL")
            if "running" in rows._tables:
                rows._begin_again()
        except UNREADABLE as error:  # the disk is full
            rows.close()
            raise Unwritable(f"cannot write the ledger {path}: {plainly(error)}") from error
        return rows

    def close(self) -> None:
        """Fold the ledger into its one file, and let go of it."""
        try:
            if self._writable and self.place is not None:
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._database.execute("PRAGMA busy_timeout = 0")
                self._database.execute("PRAGMA journal_mode = DELETE")
        except UNREADABLE:
            pass  # somebody has it open to read: the file is complete all the same, an empty -wal stays beside it
        finally:
            self._database.close()
            _unlock(self._lock)  # after SQLite: closing any handle of a file drops this process's POSIX locks on it
            self._lock = None

    # --- reading ------------------------------------------------------------------------------------------------------

    def meta(self) -> list[Row]:
        return self._rows("SELECT key, value FROM meta ORDER BY rowid")

    def events(self, after: int) -> list[Row]:
        return self._rows("SELECT seq, t_s, kind, unit, data FROM events WHERE seq >= ? ORDER BY seq", after)

    def end(self) -> tuple[int, Any]:
        rows = self._rows("SELECT seq, kind FROM events ORDER BY seq DESC LIMIT 1")
        if not rows:
            return 0, None
        return (rows[0][0] if isinstance(rows[0][0], int) else 0) + 1, rows[0][1]

    def seen(self, after: int) -> Seen:
        if "running" not in self._tables and not self._look_again():
            events = self.events(after)
            return Seen(0, self.end()[0], events, [], None, None)
        begun = not self._database.in_transaction
        if begun:
            self._rows("BEGIN")
        try:
            shown = self._rows("SELECT attempt, now_s, at_utc FROM shown ORDER BY one LIMIT 1")
            running = self._rows("SELECT seq, t_s, kind, unit, data FROM running ORDER BY seq")
            attempt, now_s, at_utc = shown[0] if shown else (0, None, None)
            return Seen(attempt, self.end()[0], self.events(after), running, now_s, at_utc)
        finally:
            if begun:
                self._rows("COMMIT")

    def due_s(self, unit: int) -> Any:
        return self._rows("SELECT min(t_s) FROM events WHERE kind = ? AND unit = ?", UNIT_DUE, unit)[0][0]

    def snapshots(self) -> list[Row]:
        return self._rows("SELECT seq, unit, t_s FROM snapshots ORDER BY seq")

    def state(self, seq: int) -> Any:
        rows = self._rows("SELECT state FROM snapshots WHERE seq = ?", seq)
        return rows[0][0] if rows else None

    def blob(self, name: bytes) -> Row | None:
        if "blobs" not in self._tables and not self._look_again():
            return None
        rows = self._rows("SELECT base, size, data FROM blobs WHERE name = ?", name)
        row: Row | None = rows[0] if rows else None
        return row

    def journal(self) -> list[Row]:
        return self._rows("SELECT number, record FROM journal ORDER BY number") if "journal" in self._tables else []

    def recall(self, number: int) -> Any:
        if "journal" not in self._tables:
            return None
        rows = self._rows("SELECT record FROM journal WHERE number = ?", number)
        return rows[0][0] if rows else None

    def faults(self) -> list[str]:
        return [str(text) for (text,) in self._rows("PRAGMA integrity_check(3)") if text != "ok"]

    # --- writing ------------------------------------------------------------------------------------------------------

    def append(self, batch: Batch) -> bool:
        new = False
        rows = [(batch.seq + i, *event) for i, event in enumerate(batch.events)]
        try:
            if batch.snapshot is not None:
                self._grow()
            self._bound.begin_writing()
            with _Transaction(self._database):
                self._database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
                self._database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", batch.notes)
                if batch.blob is not None:
                    put = self._database.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, ?)", batch.blob)
                    new = put.rowcount == 1
                if batch.snapshot is not None:
                    row = (batch.seq + len(rows), *batch.snapshot)
                    self._database.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?)", row)
                for table in ("journal", "running"):  # what was in them is in the events now
                    if table in self._tables:
                        self._database.execute(f"DELETE FROM {table}")
        except UNREADABLE as error:
            raise self._unwritable(error) from error
        return new

    def note(self, number: int, record: str) -> None:
        try:
            self._grow()
            self._bound.begin_writing()
            self._database.execute("INSERT OR REPLACE INTO journal VALUES (?, ?)", (number, record))
        except UNREADABLE as error:
            raise self._unwritable(error) from error

    def show(self, seq: int, events: Sequence[tuple[float, str, int | None, str]], now_s: float) -> None:
        rows = [(seq + i, *event) for i, event in enumerate(events)]
        try:
            self._grow()
            self._bound.begin_writing()
            with _Transaction(self._database):
                self._database.executemany("INSERT INTO running VALUES (?, ?, ?, ?, ?)", rows)
                self._database.execute("UPDATE shown SET now_s = ?, at_utc = ?", (now_s, _now()))
        except UNREADABLE as error:
            raise self._unwritable(error) from error

    def _begin_again(self) -> None:
        """Nobody else is at work: what the last process had under way is void, and viewers are to know that."""
        with _Transaction(self._database):
            self._database.execute("DELETE FROM running")
            self._database.execute("UPDATE shown SET attempt = attempt + 1, now_s = NULL, at_utc = NULL")

    def _grow(self) -> None:
        """Make the tables that a file of an older Takt has not."""
        if len(self._tables) == len(TABLES):
            return
        with _Transaction(self._database):
            for name in LATER:
                self._database.execute(TABLES[name].replace("TABLE", "TABLE IF NOT EXISTS", 1))
            self._database.execute("INSERT OR IGNORE INTO shown VALUES (1, 1, NULL, NULL)")
            self._database.execute(f"PRAGMA user_version = {FORMAT}")
        self._tables = set(TABLES)

    def _look_again(self) -> bool:
        """Whether the file has by now become one of this format, under a reader's eyes."""
        self._tables = {str(name) for (name,) in self._rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return "running" in self._tables

    def _rows(self, query: str, *values: Any) -> list[Any]:
        rows: list[Any] = []
        try:
            left = self._bound.begin()
            for row in self._database.execute(query, values):
                left -= sum(len(value) for value in row if isinstance(value, (str, bytes)))
                if left < 0:
                    raise TaktError(f"{self.place or 'the ledger'} is damaged: it says more than it can hold")
                rows.append(row)
        except UNREADABLE as error:
            raise TaktError(f"{self.place or 'the ledger'} is damaged: {unreadable(error)}") from error
        return rows

    def _unwritable(self, error: Exception) -> Unwritable:
        return Unwritable(f"cannot write the ledger {self.place}: {plainly(error)}")


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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


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
