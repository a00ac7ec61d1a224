"""Ledgers in a database of PostgreSQL (15 or newer), all shifts of many machines: postgresql://HOST/DATABASE#SHIFT.

A worker holds a lease on its shift in place of a file's lock: a number that only grows, and a time, by the server's
clock, that a heartbeat moves on. Who takes a lease that ran out gets the next number; whoever has an older one cannot
write any more (`postgres_schema`), and stops. Commits are not waited for until they are on disk, as with a file: if
the server itself is killed, what it lost is appended once more, as long as the worker lives; else the next one works
it again. The end of a shift is waited for, with all before it: whoever was told of it never looks again. So is a
signature, and, if the server lives, all that was written when a ledger is closed (a copy, a shift that was left).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from takt.contract.events import SHIFT_ENDED, UNIT_DUE
from takt.errors import Busy, TaktError, Unwritable
from takt.ledger.address import Address
from takt.ledger.base import Batch, Row, Seen
from takt.ledger.postgres_connection import (
    PATIENCE_S,
    at,
    check_named,
    closed_if_fails,
    connected,
    holder,
    is_gone,
    lease_s,
    shift_of,
    taken_over,
)
from takt.ledger.postgres_schema import BEHIND, LOST, migrate

KEPT = 64 * 2**20  # bytes of units that the server may not have on its disk yet, to be appended once more
T = TypeVar("T")


class PostgresRows:
    """One shift's rows in a database."""

    def __init__(self, place: Address, connection: Any, shift: int, token: int | None) -> None:
        self.place = place
        self._connection = connection
        self._shift = shift
        self._token = token
        self._lease_s = lease_s()
        self._one = threading.RLock()  # the heartbeat uses the same connection
        self._over = threading.Event()
        self._not_on_disk: deque[tuple[Batch, int | None]] = deque()  # and where in the server's log it ends at most
        if token is not None:
            threading.Thread(target=self._beat, name="takt-lease", daemon=True).start()

    @classmethod
    def create(cls, place: Address, meta: Iterable[tuple[str, str]]) -> PostgresRows:
        check_named(place)
        with at(place, Unwritable):
            connection = connected(place)
            with closed_if_fails(connection):
                migrate(connection, place)
                with connection.transaction():
                    connection.execute("SET LOCAL synchronous_commit = on")
                    found = connection.execute(
                        "INSERT INTO takt.shifts (name, token, attempt, holder, until) VALUES (%s, 1, 1, %s, "
                        "clock_timestamp() + make_interval(secs => %s)) ON CONFLICT DO NOTHING RETURNING id",
                        (place.name, holder(), lease_s()),
                    ).fetchone()
                    if found is None:
                        raise TaktError(
                            f"{place} exists already; resume it with `takt resume '{place}'` or choose another name"
                        )
                    keys, values = zip(*meta, strict=True)
                    connection.execute(
                        "INSERT INTO takt.meta (shift, key, value) SELECT %s, * FROM unnest(%s::text[], %s::text[])",
                        (found[0], list(keys), list(values)),
                    )
        return cls(place, connection, found[0], 1)

    @classmethod
    def open(cls, place: Address) -> PostgresRows:
        check_named(place)
        with at(place, TaktError):
            connection = connected(place)
            with closed_if_fails(connection):
                return cls(place, connection, shift_of(connection, place), None)

    @classmethod
    def resume(cls, place: Address) -> PostgresRows:
        check_named(place)
        with at(place, Unwritable):
            connection = connected(place)
            with closed_if_fails(connection):
                shift = shift_of(connection, place)
                with connection.transaction():
                    # On disk before it is believed: a number must never be given twice, whatever the server forgets.
                    connection.execute("SET LOCAL synchronous_commit = on")
                    found = connection.execute(
                        "UPDATE takt.shifts SET token = token + 1, attempt = attempt + 1, holder = %s, now_s = NULL, "
                        "at = NULL, until = clock_timestamp() + make_interval(secs => %s) "
                        "WHERE id = %s AND (until IS NULL OR until < clock_timestamp()) RETURNING token",
                        (holder(), lease_s(), shift),
                    ).fetchone()
                    if found is None:
                        who, left = connection.execute(
                            "SELECT holder, extract(epoch FROM until - clock_timestamp())::float8 "
                            "FROM takt.shifts WHERE id = %s",
                            (shift,),
                        ).fetchone()
                        raise Busy(
                            f"another process is working on {place} ({who}); wait for it or end it "
                            f"(if it is dead, its lease ends in {max(0.0, left):.0f} s)"
                        )
                    connection.execute("DELETE FROM takt.running WHERE shift = %s", (shift,))
        return cls(place, connection, shift, found[0])

    def close(self) -> None:
        """Give the lease back, and let go of the connection."""
        self._over.set()
        with self._one:
            if self._token is not None:
                with suppress(Exception):  # who cannot say that he is done is heard of no more, which is as good
                    self._connection.execute("SET synchronous_commit = on")
                    self._connection.execute(
                        "UPDATE takt.shifts SET until = NULL, holder = NULL WHERE id = %s AND token = %s",
                        (self._shift, self._token),
                    )
            with suppress(Exception):
                self._connection.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def meta(self) -> list[Row]:
        return self._rows("SELECT key, value FROM takt.meta WHERE shift = %s ORDER BY pos")

    def events(self, after: int) -> list[Row]:
        return self._rows(
            "SELECT seq, t_s, kind, unit, data FROM takt.events WHERE shift = %s AND seq >= %s ORDER BY seq", after
        )

    def end(self) -> tuple[int, Any]:
        ((events, ended),) = self._rows("SELECT events, ended FROM takt.shifts WHERE id = %s")
        return events, SHIFT_ENDED if ended else None

    def seen(self, after: int) -> Seen:
        rows = self._rows(  # one statement sees one instant
            "SELECT s.attempt, s.events, s.now_s, "
            "to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS+00:00'), e.* "
            "FROM takt.shifts s LEFT JOIN LATERAL ("
            "SELECT false, seq, t_s, kind, unit, data FROM takt.events WHERE shift = s.id AND seq >= %s UNION ALL "
            "SELECT true, seq, t_s, kind, unit, data FROM takt.running WHERE shift = s.id"
            ") e ON true WHERE s.id = %s ORDER BY seq",
            after,
            last=True,
        )
        attempt, events, now_s, at_utc = rows[0][:4]
        of = {under_way: [row[5:] for row in rows if row[4] is under_way] for under_way in (False, True)}
        return Seen(attempt, events, of[False], of[True], now_s, at_utc)

    def due_s(self, unit: int) -> Any:
        query = "SELECT min(t_s) FROM takt.events WHERE shift = %s AND kind = %s AND unit = %s"
        return self._rows(query, UNIT_DUE, unit)[0][0]

    def snapshots(self) -> list[Row]:
        return self._rows("SELECT seq, unit, t_s FROM takt.snapshots WHERE shift = %s ORDER BY seq")

    def state(self, seq: int) -> Any:
        rows = self._rows("SELECT state FROM takt.snapshots WHERE shift = %s AND seq = %s", seq)
        return rows[0][0] if rows else None

    def blob(self, name: bytes) -> Row | None:
        rows = self._rows("SELECT base, size, data FROM takt.blobs WHERE shift = %s AND name = %s", name)
        return rows[0] if rows else None

    def journal(self) -> list[Row]:
        return self._rows("SELECT number, record FROM takt.journal WHERE shift = %s ORDER BY number")

    def recall(self, number: int) -> Any:
        rows = self._rows("SELECT record FROM takt.journal WHERE shift = %s AND number = %s", number)
        return rows[0][0] if rows else None

    def faults(self) -> list[str]:
        ((many, last),) = self._rows("SELECT count(*), max(seq) FROM takt.events WHERE shift = %s")
        events, _ = self.end()
        return [] if many == events and last == (events - 1 if events else None) else ["its events are not all there"]

    # --- writing ------------------------------------------------------------------------------------------------------

    def append(self, batch: Batch) -> bool:
        if self._token is None:
            raise Unwritable(f"cannot write the ledger {self.place}: it may not be written")
        new, written, flushed = self._patiently(lambda: self._append(batch), lambda: self._there(batch))
        for number, (one, ends) in enumerate(self._not_on_disk):
            if ends is None:  # it had ended when this one began
                self._not_on_disk[number] = one, written
        self._not_on_disk.append((batch, None))
        size = sum(len(one.blob.data) if one.blob else 0 for one, _ in self._not_on_disk)
        while self._not_on_disk:
            one, ends = self._not_on_disk[0]
            if (ends is None or ends > flushed) and size <= KEPT:
                break
            self._not_on_disk.popleft()
            size -= len(one.blob.data) if one.blob else 0
        return bool(new)

    def note(self, number: int, record: str) -> None:
        def put() -> None:
            with self._connection.transaction():
                self._connection.execute("SELECT takt.hold(%s, %s, %s)", self._mine)
                self._connection.execute(
                    "INSERT INTO takt.journal VALUES (%s, %s, %s) "
                    "ON CONFLICT (shift, number) DO UPDATE SET record = excluded.record",
                    (self._shift, number, record),
                )

        self._patiently(put)

    def show(self, seq: int, events: Sequence[tuple[float, str, int | None, str]], now_s: float) -> None:
        columns = list(zip(*events, strict=True)) or [()] * 4
        with self._one, at(self.place, Unwritable):
            self._connection.execute(
                "SELECT takt.show(%s, %s, %s, %s, %s::float8[], %s::text[], %s::bigint[], %s::text[], %s)",
                (*self._mine, seq, *(list(column) for column in columns), now_s),
            )

    @property
    def _mine(self) -> tuple[int, int | None, float]:
        return self._shift, self._token, self._lease_s

    def _append(self, batch: Batch) -> Any:
        if batch.snapshot is not None:  # else it is an end, or a signature: nothing comes after it
            return self._appended(batch)
        with self._connection.transaction():
            self._connection.execute("SET LOCAL synchronous_commit = on")
            return self._appended(batch)

    def _appended(self, batch: Batch) -> Any:
        columns = list(zip(*batch.events, strict=True)) or [()] * 4
        keys, values = list(zip(*batch.notes, strict=True)) or [(), ()]
        return self._connection.execute(
            "SELECT * FROM takt.append(%s, %s, %s, %s, %s::float8[], %s::text[], %s::bigint[], %s::text[], %s::text[], "
            "%s::text[], %s, %s, %s, %s, %s, %s, %s)",
            (
                *self._mine,
                batch.seq,
                *(list(column) for column in columns),
                list(keys),
                list(values),
                *(batch.snapshot or (None, None, None)),
                *(batch.blob or (None, None, None, None)),
            ),
            binary=True,
        ).fetchone()

    def _there(self, batch: Batch) -> Any:
        """After the connection broke: what `_append` would have said if the batch is there; None if it is to be done.

        Whether it was done before the break is seen by the number of events. Were units lost with the server, they are
        appended once more first.
        """
        found = self._connection.execute(
            "SELECT events, exists(SELECT FROM takt.snapshots WHERE shift = id AND seq = %s) FROM takt.shifts "
            "WHERE id = %s AND token = %s",
            (batch.seq + len(batch.events), self._shift, self._token),
        ).fetchone()
        if found is None:
            raise taken_over(self.place)
        events, snapshot = found
        if events == batch.seq + len(batch.events) and (bool(batch.events) or snapshot):
            return False, 0, 0
        if events < batch.seq:
            again = [one for one, _ in self._not_on_disk if one.seq >= events]
            if not again or again[0].seq != events:
                raise Unwritable(
                    f"the server of {self.place} has lost units; `takt resume '{self.place}'` works them again"
                )
            for one in again:
                self._append(one)
        return None

    def _patiently(self, do: Callable[[], T], done: Callable[[], T | None] | None = None) -> T:
        """Do it; if the server is gone, wait for it to come back, and see first whether it was `done`."""
        until = time.monotonic() + PATIENCE_S
        wait_s, broken = 0.1, False
        while True:
            try:
                with self._one, at(self.place, Unwritable):
                    if broken or self._connection.closed:
                        with suppress(Exception):
                            self._connection.close()
                        self._connection = connected(self.place)
                        found = done() if done is not None else None
                        if found is not None:
                            return found
                    return do()
            except Unwritable as error:
                gone = is_gone(error)
                behind = getattr(error.__cause__, "sqlstate", None) == BEHIND
                if not (gone or (behind and not broken)) or time.monotonic() > until:
                    raise
                broken = True
                time.sleep(wait_s)
                wait_s = min(2 * wait_s, 2.0)

    def _beat(self) -> None:
        """Move the lease on, while the worker may think for long; and connect again if the server was gone."""
        while not self._over.wait(self._lease_s / 3):
            with self._one:
                if self._over.is_set():
                    return
                try:
                    if self._connection.closed or self._connection.broken:
                        self._connection = connected(self.place)
                    self._connection.execute("SELECT takt.hold(%s, %s, %s)", self._mine)
                except Exception as error:
                    if getattr(error, "sqlstate", None) == LOST:
                        return  # the worker is told when it next writes

    def _rows(self, query: str, *values: Any, last: bool = False) -> list[Any]:
        with self._one, at(self.place, TaktError):
            parameters = (*values, self._shift) if last else (self._shift, *values)
            return list(self._connection.execute(query, parameters, binary=True).fetchall())
