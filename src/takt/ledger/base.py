"""What a ledger is made of, wherever it lies: the protocol that a store keeps, and what is read from one.

`Ledger` (book.py) is the shift's ledger as everybody sees it; it believes nothing that a store says before it has
looked at it. `Rows` is one shift in some store: a SQLite file (sqlite.py) or a database of PostgreSQL (postgres.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from takt.contract.events import Event

Row = tuple[Any, ...]


class Snapshot(NamedTuple):
    """The state at the end of `unit` (-1: at the start of the shift), when the ledger held `seq` events."""

    unit: int
    seq: int
    state: bytes


class Cursor(NamedTuple):
    """How far a viewer has seen: the first `seen` events, of which `final` will never change. Its text is an id of a
    server-sent event, and `Cursor.of` reads it.

    attempt   how often the shift had been begun or gone on with. After a crash the unit that was under way is worked
              again; by this number a viewer learns that what it saw of it is void.
    """

    attempt: int = 0
    final: int = 0
    seen: int = 0

    def __str__(self) -> str:
        return f"{self.attempt}.{self.final}.{self.seen}"

    @classmethod
    def of(cls, text: str) -> Cursor:
        """The cursor with this text; the beginning for any other text, so that a viewer reads all again."""
        parts = text.split(".")
        if len(text) > 60 or len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
            return cls()
        attempt, final, seen = (int(part) for part in parts)
        return cls(attempt, final, seen) if final <= seen else cls()


class News(NamedTuple):
    """What is new since a cursor: `events`, the first of which has the number `first`. What a viewer has of that number
    and later is void (only ever of the unit under way). `cursor` is where it goes on; the last
    `cursor.seen - cursor.final` of the events are of the unit under way."""

    first: int
    events: list[Event]
    cursor: Cursor


class Running(NamedTuple):
    """The unit under way, as its shift last showed it; the shift may be dead since.

    events   those since the last commit; no part of the digest, and worked again if the shift is killed.
    now_s    station time when it was shown; None if this process has shown nothing yet.
    at_utc   when that was, by the clock of the machine that works (a file) or of the server (PostgreSQL); ISO 8601.
    """

    attempt: int
    events: list[Event]
    now_s: float | None
    at_utc: str | None


class Blob(NamedTuple):
    """A state in the store, addressed by its content (blobs.py): of `size` bytes, packed against the state `base`."""

    name: bytes
    base: bytes | None
    size: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction appends, spelt out.

    seq        the number of the first event: how many there must be before.
    events     t_s, kind, unit, data (canonical JSON).
    notes      of the meta: key, JSON.
    snapshot   unit, t_s, state as it is stored; or None.
    blob       that the snapshot refers to and that is not there yet; or None.
    """

    seq: int
    events: Sequence[tuple[float, str, int | None, str]]
    notes: Sequence[tuple[str, str]] = ()
    snapshot: tuple[int, float, bytes] | None = None
    blob: Blob | None = None


class Seen(NamedTuple):
    """What a store has after some number of events, of one instant."""

    attempt: int
    committed: int
    events: list[Row]
    running: list[Row]
    now_s: Any
    at_utc: Any


class Rows(Protocol):
    """One shift's rows in a store, as they lie there. Everything read may be a stranger's: `Ledger` looks at it first.

    Raises TaktError (`Unwritable`, `Busy`, or that it is damaged) with one line that names the place; never a password.
    A writer appends under a lock or lease that no other process has at the same time, or not at all.
    """

    @property
    def place(self) -> Any:
        """Where it is: a Path, an `Address`, or None for one in memory. Its text is for messages."""

    def meta(self) -> list[Row]:
        """key, JSON; in the order in which they were written."""

    def events(self, after: int) -> list[Row]:
        """seq, t_s, kind, unit, data of the finished units, without the first `after`."""

    def end(self) -> tuple[int, Any]:
        """How many events there are, and the kind of the last one (None)."""

    def seen(self, after: int) -> Seen:
        """The events after so many, and those of the unit under way, read in one transaction."""

    def due_s(self, unit: int) -> Any:
        """When the unit fell due, or None."""

    def snapshots(self) -> list[Row]:
        """seq, unit, t_s; in order."""

    def state(self, seq: int) -> Any:
        """What is stored as the state of the snapshot with this seq."""

    def blob(self, name: bytes) -> Row | None:
        """base, size, data."""

    def journal(self) -> list[Row]:
        """number, record (JSON): what the worker keeps until the next commit."""

    def recall(self, number: int) -> Any:
        """The record (JSON) that the journal has under this number, or None."""

    def faults(self) -> list[str]:
        """What is wrong with the store's own structure; [] if nothing is."""

    def append(self, batch: Batch) -> bool:
        """All of it or nothing; the unit under way and the journal are empty afterwards. Whether the blob is new."""

    def note(self, number: int, record: str) -> None:
        """Keep a record in the journal at once."""

    def show(self, seq: int, events: Sequence[tuple[float, str, int | None, str]], now_s: float) -> None:
        """Add events to the unit under way, the first of them with the number `seq`. No promise to outlive anything."""

    def close(self) -> None:
        """Let go of it."""


Meta = Mapping[str, Any]
