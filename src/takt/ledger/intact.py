"""A ledger's file, looked at before it is believed: it may be a stranger's, made to hang, to flood or to delete.

SQLite runs what a schema says (views, triggers, generated columns), opens the files beside a database by their names,
and undoes what a `-journal` tells it to, other files' journals included. So only our own tables are accepted, word for
word, the files beside must be plain ones, and every query has an end. SECURITY.md says what that is worth.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import struct
import sys
import zlib
from pathlib import Path

from takt.errors import TaktError
from takt.meant import near_file
from takt.plainly import plainly

IS_TAKT = 0x54414B54  # "TAKT", SQLite's application_id: `file shift.takt` knows it, and other databases are refused
FORMAT = 2
READ = (1, FORMAT)
TABLES = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "events": "CREATE TABLE events "
    "(seq INTEGER PRIMARY KEY, t_s REAL NOT NULL, kind TEXT NOT NULL, unit INTEGER, data TEXT NOT NULL)",
    "snapshots": "CREATE TABLE snapshots "
    "(seq INTEGER PRIMARY KEY, unit INTEGER NOT NULL, t_s REAL NOT NULL, state BLOB NOT NULL)",
    # What the worker has paid for since the last commit. Younger than format 1, and of no use to those who read.
    "journal": "CREATE TABLE journal (number INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    # Since format 2: the events of the unit under way, when they were shown, and large states by their content.
    "running": "CREATE TABLE running "
    "(seq INTEGER PRIMARY KEY, t_s REAL NOT NULL, kind TEXT NOT NULL, unit INTEGER, data TEXT NOT NULL)",
    "shown": "CREATE TABLE shown (one INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, now_s REAL, at_utc TEXT)",
    "blobs": "CREATE TABLE blobs (name BLOB PRIMARY KEY, base BLOB, size INTEGER NOT NULL, data BLOB NOT NULL)",
}
LATER = ("journal", "running", "shown", "blobs")  # a file of format 1 need not have them
# What SQLite's reading raises; its own texts quote the file, which may not be UTF-8.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
LONGEST_VALUE = 32 * 2**20  # bytes of one value in the file
LONGEST_STATE = 64 * 2**20  # bytes of a snapshot, unpacked; one of a long desk shift has 40,000
STEPS_A_BYTE = 4  # steps of SQLite's machine that a query may take for each byte there is, and
LEAST_STEPS = 5_000_000  # so many in any case
BETWEEN = 100_000  # steps from one look at them to the next

BESIDE = ("-journal", "-wal", "-shm")
_JOURNAL_ENDS = bytes.fromhex("d9d505f920a163d7")  # SQLite's file format, section 3, "The Rollback Journal"


class Unfinished(TaktError):
    """A file was left in the middle of a write. To read it, SQLite would have to write: that is for `takt resume`."""


def check_file(path: Path, *, writing: bool) -> Path:
    """The file behind `path`, if it is a ledger's, as far as can be seen without SQLite. Raises TaktError.

    writing   whether SQLite is to be let write: it may then follow the journal beside the file.
    """
    if not path.is_file():
        raise TaktError(f"there is no ledger {path}{near_file(path)}")
    try:
        real = path.resolve(strict=True)
        with real.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise TaktError(f"cannot read the ledger {path}: {error.strerror or error}") from error
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise TaktError(f"{path} is not a ledger: it is no SQLite database")
    version, is_takt = struct.unpack(">I4xI", head[60:72])
    if is_takt != IS_TAKT:
        raise TaktError(f"{path} is not a ledger of Takt")
    if version not in READ:
        raise TaktError(
            f"{path} has ledger format {version}, this Takt reads {READ[0]} to {FORMAT}; install the Takt that wrote it"
        )
    for suffix in BESIDE:
        _check_beside(Path(f"{real}{suffix}"))
    if writing:
        _check_journal(Path(f"{real}-journal"))
    return real


def _check_beside(beside: Path) -> None:
    """SQLite reads and writes these by name: a link would lead it elsewhere, a pipe would hold it for ever."""
    try:
        found = os.lstat(beside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise TaktError(f"cannot read {beside}: {error.strerror or error}") from error
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        raise TaktError(f"{beside} is no plain file of its own; a ledger is not opened with that beside it: remove it")


def _check_journal(journal: Path) -> None:
    """Refuse one that names a super-journal: undoing it, SQLite deletes whatever file that is (`pager_delsuper`)."""
    try:
        with journal.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - len(_JOURNAL_ENDS)))
            ends = file.read()
    except FileNotFoundError:
        return
    except OSError as error:
        raise TaktError(f"cannot read {journal}: {error.strerror or error}") from error
    if ends == _JOURNAL_ENDS:
        raise TaktError(f"{journal} names another file to be deleted, which no journal of Takt does; remove it")


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to a ledger's file, "ro" or "rw", that does as little as can be. Raises TaktError."""
    real = check_file(path, writing=mode == "rw")
    database = None
    try:
        database = sqlite3.connect(f"{real.as_uri()}?mode={mode}", uri=True, isolation_level=None)
        _confine(database)
        Bound(database).begin()
        _check_schema(path, database)
    except UNREADABLE as error:
        if database is not None:
            database.close()
        if mode == "ro" and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_ROLLBACK:
            _check_journal(Path(f"{real}-journal"))  # of which resume would make nothing either
            raise Unfinished(
                f"{path} was left in the middle of a write, which only a writer can undo; `takt resume {path}` does"
            ) from error
        raise TaktError(f"{path} is not a ledger: {unreadable(error)}") from error
    except TaktError:
        if database is not None:
            database.close()
        raise
    return database


def unreadable(error: Exception) -> str:
    """Why a file could not be read: what UNREADABLE is, in our words."""
    return "what it says is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else plainly(error)


def _confine(database: sqlite3.Connection) -> None:
    limits = {
        sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
        sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
        sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
        sqlite3.SQLITE_LIMIT_COLUMN: 100,
        sqlite3.SQLITE_LIMIT_ATTACHED: 0,
        sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
        sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    }
    for limit, value in limits.items():
        database.setlimit(limit, value)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        database.execute(f"PRAGMA {pragma}")
    if sys.version_info >= (3, 12):
        for name in ("ENABLE_TRIGGER", "ENABLE_VIEW"):
            database.setconfig(getattr(sqlite3, f"SQLITE_DBCONFIG_{name}"), False)
        database.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


class Bound:
    """An end for every query of a connection, by the size of the file: a tree of pages that leads back into itself has
    no other, and what is read of one page many times may be more than there is."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._most, self._steps = LEAST_STEPS, 0
        database.set_progress_handler(self._passed, BETWEEN)

    def begin(self) -> int:
        """To be called before each query. Returns how many characters and bytes it may bring at most."""
        self._most, self._steps = LEAST_STEPS, 0
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        (size,) = self._database.execute("PRAGMA page_size").fetchone()
        self._most = LEAST_STEPS + STEPS_A_BYTE * pages * size
        return 2 * int(pages) * int(size)

    def begin_writing(self) -> None:
        """To be called before each commit, which takes few steps: a writer's days of them are not one query."""
        self._steps = 0

    def _passed(self) -> int:
        self._steps += BETWEEN
        return int(self._steps > self._most)


def _check_schema(path: Path, database: sqlite3.Connection) -> None:
    """Only our tables, as we write them: no view, trigger or index, no generated column, nothing virtual."""
    found = set()
    for kind, name, table, text in database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"):
        if (kind, name, text) == ("index", f"sqlite_autoindex_{table}_1", None) and table in ("meta", "blobs"):
            continue
        if kind != "table" or table != name or name not in TABLES or text != TABLES[name]:
            shown = str(name)[:40]
            raise TaktError(f"{path} is not a ledger of Takt: it has a {str(kind)[:20]} {shown!r} that is none of ours")
        found.add(name)
    missing = [name for name in TABLES if name not in found and name not in LATER]
    if missing:
        raise TaktError(f"{path} is damaged: it has no table {missing[0]!r}")


def unzipped(state: bytes) -> bytes:
    """A snapshot's bytes. ValueError if they are none, or more than any station has (a bomb)."""
    zipped = zlib.decompressobj()
    try:
        plain = zipped.decompress(state, LONGEST_STATE)
    except (zlib.error, TypeError) as error:
        raise ValueError("a snapshot that cannot be unpacked") from error
    if zipped.unconsumed_tail or not zipped.eof:
        raise ValueError(f"a snapshot that is cut off, or larger than {LONGEST_STATE // 2**20} MiB")
    return plain
