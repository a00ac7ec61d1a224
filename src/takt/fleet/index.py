"""What is known of a fleet's shifts, kept beside their ledgers: records, machine faults, and where the driver is.

All of it is derived. `index.db` is lost, or a ledger is brought from elsewhere: it is read from the ledgers again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from takt.errors import Busy, TaktError
from takt.fleet.crew import MachineFault
from takt.fleet.record import Record

INDEX, FAULTS, DRIVER, LOCK, STOP, NOTE = "index.db", "faults.jsonl", "driver.json", "driver.lock", "stop", "fleet.toml"
VERSION = 1


class Index:
    """The records of a fleet's shifts, by id. One process writes; any may read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / INDEX
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = self._opened()
        except (OSError, sqlite3.Error) as error:
            raise TaktError(f"cannot write into the fleet's folder {folder}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        with suppress(sqlite3.DatabaseError):
            database = sqlite3.connect(self.path, timeout=30)
            if database.execute("PRAGMA user_version").fetchone()[0] in (0, VERSION):
                database.execute("PRAGMA synchronous = OFF")  # it can be made again
                database.execute(
                    "CREATE TABLE IF NOT EXISTS shifts (id TEXT PRIMARY KEY, arm TEXT, record TEXT NOT NULL)"
                )
                database.execute(f"PRAGMA user_version = {VERSION}")
                return database
            database.close()
        self.path.unlink(missing_ok=True)  # another version's, or damaged
        return self._opened()

    def put(self, records: Iterable[tuple[str, Record]]) -> None:
        """Keep records, each with the name of its arm."""
        rows = [(record.id, arm, json.dumps(record.told())) for arm, record in records]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO shifts VALUES (?, ?, ?)", rows)

    def drop(self, ids: Iterable[str]) -> None:
        with self._database:
            self._database.executemany("DELETE FROM shifts WHERE id = ?", [(one,) for one in ids])

    def records(self) -> dict[str, Record]:
        found = {}
        for one, text in self._database.execute("SELECT id, record FROM shifts"):
            with suppress(TypeError, ValueError):
                found[one] = Record.read(json.loads(text))
        return found

    def close(self) -> None:
        self._database.close()


def add_fault(folder: Path, fault: MachineFault) -> None:
    """Append one machine fault: a line, in one write."""
    with (folder / FAULTS).open("ab") as file:
        file.write(json.dumps(asdict(fault)).encode() + b"\n")


def machine_faults(folder: Path) -> list[MachineFault]:
    """All machine faults of a fleet, in order. A line that was cut short by one is left out."""
    found = []
    with suppress(FileNotFoundError):
        for line in (folder / FAULTS).read_bytes().splitlines():
            with suppress(ValueError, TypeError):
                found.append(MachineFault(**json.loads(line)))
    return found


def said_by_driver(folder: Path) -> Mapping[str, Any]:
    """What the driver said last of itself and of what runs; {} if there was none."""
    try:
        told = json.loads((folder / DRIVER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def say_as_driver(folder: Path, told: Mapping[str, Any]) -> None:
    new = folder / f".{DRIVER}-{os.getpid()}"
    new.write_text(json.dumps(told), encoding="utf-8")
    new.replace(folder / DRIVER)


def driving(folder: Path) -> bool:
    """Whether a driver works on this fleet, on this machine."""
    try:
        os.close(lock_driver(folder))
    except Busy:
        return True
    except OSError:
        return False
    return False


def lock_driver(folder: Path) -> int:
    """A fleet has one driver at a time. The lock lasts as long as its process. Raises Busy."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        import fcntl
    except ImportError:  # not on Windows
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise Busy(
            f"another driver works on the fleet in {folder}; look at it with `takt fleet status {folder}`, "
            f"or end it with `takt fleet stop {folder}`"
        ) from error
    return lock
