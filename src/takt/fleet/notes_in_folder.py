"""What is known of a fleet beside its ledgers, in its folder: an index of its shifts, faults, and the driver.

`index.db` is lost, or a ledger is brought from elsewhere: it is read from the ledgers again. Of all the rest nothing is
needed to go on.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from takt.errors import Busy, Unwritable
from takt.fleet.crew import MachineFault
from takt.fleet.record import Record
from takt.plainly import plainly

INDEX, FAULTS, DRIVER, STOP, NOTE = "index.db", "faults.jsonl", "driver.json", "stop", "fleet.toml"
MADE = "made.json"
LOCK, SEEN = "driver.lock", "driving.lock"  # the second is what others look at, so that none who looks has the first
SEEN_S = 5.0  # that a driver waits for the second one, and then goes on unseen
VERSION = 2


class FolderNotes:
    """`takt.fleet.notes.Notes` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index: sqlite3.Connection | None = None
        self._locks: list[int] = []

    # --- records ---

    def records(self) -> dict[str, Record]:
        found = {}
        for one, text in self._read("SELECT id, record FROM shifts"):
            with suppress(TypeError, ValueError):
                found[one] = Record.read(json.loads(text))
        return found

    def stamps(self) -> dict[str, int]:
        return dict(self._read("SELECT id, size FROM shifts"))

    def put(self, records: Iterable[tuple[str, Record]], stamps: Mapping[str, int]) -> None:
        rows = [(record.id, arm, json.dumps(record.told()), stamps.get(record.id, 0)) for arm, record in records]
        with self._writing(), self._database as database:
            database.executemany("INSERT OR REPLACE INTO shifts VALUES (?, ?, ?, ?)", rows)

    def drop(self, ids: Iterable[str]) -> None:
        with self._writing(), self._database as database:
            database.executemany("DELETE FROM shifts WHERE id = ?", [(one,) for one in ids])

    def _read(self, query: str) -> list[Any]:
        """Rows of the index; none where it is not there, or of no use. Nothing is written."""
        where = f"{(self.folder / INDEX).resolve().as_uri()}?mode=ro"
        with suppress(sqlite3.Error), closing(sqlite3.connect(where, uri=True, timeout=30)) as database:
            if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                return database.execute(query).fetchall()
        return []

    @property
    def _database(self) -> sqlite3.Connection:
        """To write to. The folder is there, or nothing is made."""
        if self._index is None:
            with self._writing():
                self._index = self._opened()
        return self._index

    def _opened(self, again: bool = True) -> sqlite3.Connection:
        """The index. One of another version, or damaged, is made anew, once; on a disk that is full none is made."""
        path = self.folder / INDEX
        database = sqlite3.connect(path, timeout=30)
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] in (0, VERSION):
                database.execute("PRAGMA synchronous = OFF")  # it can be made again
                database.execute(
                    "CREATE TABLE IF NOT EXISTS shifts "
                    "(id TEXT PRIMARY KEY, arm TEXT, record TEXT NOT NULL, size INTEGER NOT NULL)"
                )
                database.execute(f"PRAGMA user_version = {VERSION}")
                return database
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or not again:
                database.close()
                raise
        database.close()
        path.unlink()
        return self._opened(again=False)

    # --- faults of machines ---

    def add_fault(self, fault: MachineFault) -> None:
        """A line, in one write."""
        with self._writing(), (self.folder / FAULTS).open("ab") as file:
            file.write(json.dumps(asdict(fault)).encode() + b"\n")

    def faults(self) -> Sequence[MachineFault]:
        """A line that was cut short by a fault of the machine itself is left out."""
        found = []
        with suppress(FileNotFoundError):
            for line in (self.folder / FAULTS).read_bytes().splitlines():
                with suppress(ValueError, TypeError):
                    found.append(MachineFault.read(json.loads(line)))
        return found

    # --- the driver ---

    def drive(self, text: str, made: str = "") -> None:
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock()
            (self.folder / STOP).unlink(missing_ok=True)
            if text:
                (self.folder / NOTE).write_text(text, encoding="utf-8")
                (self.folder / MADE).write_text(made, encoding="utf-8")

    def plan_text(self) -> str:
        return self._text(NOTE)

    def made(self) -> str:
        return self._text(MADE)

    def _text(self, name: str) -> str:
        with suppress(OSError, ValueError):
            return (self.folder / name).read_text(encoding="utf-8")
        return ""

    def say(self, told: Mapping[str, Any]) -> None:
        new = self.folder / f".{DRIVER}-{os.getpid()}"
        with self._writing():
            new.write_text(json.dumps(told), encoding="utf-8")
            new.replace(self.folder / DRIVER)

    def said(self) -> Mapping[str, Any]:
        try:
            told = json.loads((self.folder / DRIVER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def driven(self) -> bool:
        """On this machine: the lock is none for others."""
        try:
            import fcntl
        except ImportError:  # not on Windows
            return False
        try:
            seen = os.open(self.folder / SEEN, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(seen, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(seen)
        return False

    def ask_to_stop(self) -> None:
        (self.folder / STOP).touch()

    def asked_to_stop(self) -> bool:
        return (self.folder / STOP).exists()

    def close(self) -> None:
        if self._index is not None:
            self._index.close()
        for lock in self._locks:
            os.close(lock)
        self._index, self._locks = None, []

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise Unwritable(f"cannot write into the fleet's folder {self.folder}: {plainly(error)}") from error

    def _lock(self) -> None:
        """Both locks last as long as this process. Raises Busy."""
        try:
            import fcntl
        except ImportError:  # not on Windows
            return
        self._locks = [os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o666) for name in (LOCK, SEEN)]
        try:
            fcntl.flock(self._locks[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise Busy(
                f"another driver works on the fleet in {self.folder}; look at it with "
                f"`takt fleet status {self.folder}`, or end it with `takt fleet stop {self.folder}`"
            ) from error
        until = time.monotonic() + SEEN_S
        while time.monotonic() < until:
            with suppress(OSError):  # who looks has it for a moment
                return fcntl.flock(self._locks[1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(0.001)
