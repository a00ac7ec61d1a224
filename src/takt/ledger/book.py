"""The ledger: a shift's events in order, in some store. Every figure of a shift is derived from it.

A shift is appended unit by unit: one transaction holds the events of the unit and the snapshot taken at its end, so
the ledger is always at a unit's boundary, whatever killed the program. The unit under way can be seen meanwhile
(`follow`, `running`), and is no part of the shift until then.

What is read is a stranger's until it was looked at (intact.py, wellformed.py); that is done here, for every store.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from takt.contract.events import SHIFT_ENDED, Event
from takt.errors import TaktError
from takt.ledger.base import Batch, Cursor, News, Row, Rows, Running, Snapshot
from takt.ledger.blobs import Folding, Unfolding
from takt.ledger.canonical import DEFINITION, canonical, digest_of, written
from takt.ledger.wellformed import read_event, read_meta, read_record

START = Cursor()


class Ledger:
    """One shift's ledger. Open it with `create`, `open` or `resume`, and close it.

    Where it is, is a path (a SQLite file, sqlite.py) or an address such as postgresql://HOST/DATABASE#SHIFT
    (postgres.py). `path` is what it was opened by: a Path, an `Address`, or None for one in memory.
    """

    def __init__(self, rows: Rows) -> None:
        self._store = rows
        self._folding = Folding()
        self._count: int | None = None  # events that are committed, once something was written here
        self._shown = 0  # events of the unit under way that were shown
        self.path = rows.place

    @classmethod
    def create(cls, place: str | os.PathLike[str] | None, meta: Mapping[str, Any]) -> Ledger:
        """A new ledger for the shift that `meta` (JSON values) defines. `None` for a ledger in memory only."""
        from takt.ledger.store import created

        return cls(created(place, [(key, canonical(meta[key])) for key in meta]))

    @classmethod
    def open(cls, place: str | os.PathLike[str]) -> Ledger:
        """A ledger to read, also while its shift runs. Reading changes nothing. TaktError if it is not a ledger;
        Unfinished if it was left in the middle of a write, which reading does not mend."""
        from takt.ledger.store import opened

        return cls(opened(place))

    @classmethod
    def resume(cls, place: str | os.PathLike[str]) -> Ledger:
        """A ledger to append to. TaktError if it is not a ledger; Busy if another process is appending to it."""
        from takt.ledger.store import resumed

        return cls(resumed(place))

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it. A file is folded into one. What was shown of the unit under way is seen until the shift is gone
        on with, as if it had been killed."""
        self._store.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def meta(self) -> dict[str, Any]:
        """What defines the shift (`DEFINITION`), and where and when it was worked."""
        rows = self._store.meta()
        try:
            return read_meta([(key, value) for key, value in rows], self.path)
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def events(self, after: int = 0) -> list[Event]:
        """The events in order, without the first `after`; of finished units alone (`follow` has the others too)."""
        return self._read(self._store.events(after))

    def follow(self, cursor: Cursor = START) -> News:
        """What has happened since a viewer last asked, the unit under way included; it asks again with the cursor that
        it got. Costs what is new, however long the shift is. While a shift runs it is half a second behind, or less."""
        final = cursor.final
        seen = self._store.seen(final)
        attempt, committed = self._whole(seen.attempt), seen.committed
        if committed < final:  # another ledger, or one that was put back from a copy
            return self.follow()
        running = [row for row in seen.running if isinstance(row[0], int) and row[0] >= committed]
        events = self._read([*seen.events, *running])
        now = Cursor(attempt, committed, final + len(events))
        known = cursor.seen if cursor.attempt == attempt and cursor.seen <= now.seen else final
        return News(known, events[known - final :], now)

    def running(self) -> Running:
        """The unit under way, as the shift last showed it. No events if it is between two units, or has ended."""
        count, _ = self._store.end()
        seen = self._store.seen(count)
        events = self._read([row for row in seen.running if isinstance(row[0], int) and row[0] >= seen.committed])
        if seen.now_s is None:
            return Running(self._whole(seen.attempt), events, None, None)
        if not isinstance(seen.now_s, float) or not 0 <= seen.now_s < 1e10 or not isinstance(seen.at_utc, str):
            raise self._damaged("the unit under way is of no time")
        return Running(self._whole(seen.attempt), events, seen.now_s, seen.at_utc[:40])

    @property
    def finished(self) -> bool:
        """Whether the shift has ended. If not, it runs, or it was killed and can be resumed."""
        return bool(self._store.end()[1] == SHIFT_ENDED)

    def snapshot(self, before_unit: int) -> Snapshot | None:
        """The last snapshot taken when `before_unit` was not yet begun."""
        due_s = self._store.due_s(before_unit)
        if isinstance(due_s, float):
            return self._snapshot([row for row in self._snapshots() if row[2] <= due_s])
        return self._snapshot([row for row in self._snapshots() if row[1] < before_unit])

    def snapshot_after(self, unit: int) -> Snapshot | None:
        """The snapshot taken when `unit` ended; -1 for the one at the start."""
        return self._snapshot([row for row in self._snapshots() if row[1] == unit])

    def last_snapshot(self) -> Snapshot | None:
        """The last snapshot. None if the shift was killed before it began."""
        return self._snapshot(self._snapshots())

    def digest(self) -> str:
        """SHA-256 over the shift: what defines it, and every event. The same on every run, wherever it was killed."""
        return digest_of(self.meta, self.events())

    def seal(self) -> str:
        """SHA-256 over everything in the ledger but its signatures: meta, events, snapshots, as they are stored. Of a
        large state that is its name, the SHA-256 of its bytes (blobs.py), in whatever store it lies."""
        seal = hashlib.sha256(b"takt ledger, format 1")
        meta = sorted((row for row in self._store.meta() if row[0] != "signatures"), key=lambda row: str(row[0]))
        snapshots = ((*row, self._store.state(row[0])) for row in self._store.snapshots())
        for number, rows in enumerate((meta, self._store.events(0), snapshots)):
            for row in rows:
                plain = [hashlib.sha256(v).hexdigest() if isinstance(v, bytes) else v for v in row]
                seal.update(b"\n" + canonical([number, *plain]).encode())
        return seal.hexdigest()

    def faults(self) -> list[str]:
        """What is wrong with the store's structure, and with its snapshots; [] if nothing is."""
        found = self._store.faults()
        events, _ = self._store.end()
        unfolding = Unfolding(self._store.blob)
        for seq, *_rest in self._store.snapshots():
            try:
                unfolding.unfold(self._store.state(seq))
            except ValueError as error:
                return [*found, str(error)]
            if not isinstance(seq, int) or not 0 <= seq <= events:
                return [*found, "a snapshot is from after the end"]
        return found

    def recall(self, number: int) -> dict[str, Any] | None:
        """What the worker wrote into its journal under this number since the last commit."""
        record = self._store.recall(number)
        try:
            return None if record is None else read_record(record, self.path)
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def journal(self) -> list[tuple[int, dict[str, Any]]]:
        """What the worker wrote into its journal since the last commit, with its numbers, in order."""
        try:
            return [
                (number, read_record(record, self.path))
                for number, record in self._store.journal()
                if isinstance(number, int) and number >= 0  # those below are the station's
            ]
        except ValueError as error:
            raise self._damaged(str(error)) from error

    # --- writing ------------------------------------------------------------------------------------------------------

    def commit(self, events: Sequence[Event], snapshot: bytes | None, unit: int | None, **notes: Any) -> None:
        """Append events, and the snapshot of the state right after them, at the end of `unit`: all or nothing.

        `unit` is None for the snapshot at the start of the shift. `notes` (`wall_s`) are written into the meta: what
        is no part of the shift and does not enter the digest.
        """
        assert not set(notes) & set(DEFINITION)
        seq = self._written()
        rows = [_row(event) for event in events]
        noted = [(key, canonical(value)) for key, value in notes.items()]
        state, blob = (None, None) if snapshot is None else self._folding.fold(snapshot)
        kept = None if state is None else (-1 if unit is None else unit, rows[-1][0] if rows else 0.0, state)
        new = False
        try:
            new = self._store.append(Batch(seq, rows, noted, kept, blob))
        finally:
            if blob is not None and not new:  # not written, or there already, and of what depth is not known
                self._folding.forget()
        self._count, self._shown = seq + len(rows), 0

    def show(self, events: Sequence[Event], now_s: float) -> None:
        """Let viewers see the events since the last commit (all of them are given), at station time `now_s`."""
        if self.path is None:
            return
        shown = self._written() + self._shown
        self._store.show(shown, [_row(event) for event in events[self._shown :]], float(now_s))
        self._shown = len(events)

    def note(self, number: int, record: Mapping[str, Any]) -> None:
        """Keep a record of the worker's at once, until the commit that has it among its events."""
        self._store.note(number, canonical(record))

    def signed(self, signature: str) -> None:
        """Add a signature to a finished ledger (`takt.ledger.signature`)."""
        if not self.finished:
            raise TaktError(f"{self.path} has not ended; end it with `takt resume {self.path}`, then sign it")
        self.commit([], None, None, signatures=[*self.meta.get("signatures", ()), signature])

    def _written(self) -> int:
        """How many events are committed. This process alone appends, so it need ask only once."""
        if self._count is None:
            self._count, _ = self._store.end()
        return self._count

    def _read(self, rows: Sequence[Row]) -> list[Event]:
        try:
            if any(not after[0] > before[0] for before, after in pairwise(rows)):  # one page, reached twice
                raise ValueError("its events are out of order")
            return [read_event(t_s, kind, unit, data, self.path) for _, t_s, kind, unit, data in rows]
        except (ValueError, TypeError) as error:
            raise self._damaged(str(error)) from error

    def _snapshots(self) -> list[Row]:
        rows = self._store.snapshots()
        for seq, unit, t_s in rows:
            if not isinstance(seq, int) or not isinstance(unit, int) or not isinstance(t_s, float):
                raise self._damaged("a snapshot is of no unit")
        return rows

    def _snapshot(self, rows: Sequence[Row]) -> Snapshot | None:
        if not rows:
            return None
        seq, unit, _ = rows[-1]
        stored = self._store.state(seq)
        try:
            state, depth = Unfolding(self._store.blob).unfold(stored)
        except ValueError as error:
            raise self._damaged(str(error)) from error
        self._folding.begin(stored, state, depth)
        return Snapshot(unit, seq, state)

    def _whole(self, number: Any) -> int:
        if not isinstance(number, int) or not 0 <= number < 2**31:
            raise self._damaged("the unit under way is of no attempt")
        return number

    def _damaged(self, why: str) -> TaktError:
        return TaktError(f"{self.path or 'the ledger'} is damaged: {why}")


def _row(event: Event) -> tuple[float, str, int | None, str]:
    return float(event.t_s), event.kind, event.unit, written(event)
