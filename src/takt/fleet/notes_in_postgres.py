"""What is known of a fleet beside its ledgers, in the database where they lie (`takt.fleets`, `records`, `faults`).

The driver has a lease on its fleet, as a worker has one on its shift (takt.ledger.postgres): a number that only grows,
looked at in every statement that writes, and a time by the server's clock, which every word of the driver's moves on.
A driver that was paused and wakes when another one drives writes nothing, and ends. A server that is gone is waited
for, as workers wait for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from takt.errors import Busy, Lost, TaktError, Unwritable
from takt.fleet.crew import MachineFault
from takt.fleet.record import Record
from takt.ledger.address import Address
from takt.ledger.postgres_connection import PATIENCE_S, at, connected, holder, is_gone, lease_s
from takt.ledger.postgres_schema import migrate, version_of

SINCE, SINCE_MADE = 2, 3  # the versions of the schema that have fleets, and what their plans came to
MINE = (
    "WITH mine AS (UPDATE takt.fleets SET until = clock_timestamp() + make_interval(secs => %s) "
    "WHERE id = %s AND token = %s RETURNING id) "
)


class PostgresNotes:
    """`takt.fleet.notes.Notes` of the fleet whose shifts' names begin with this address's."""

    def __init__(self, place: Address) -> None:
        self.place = place
        self._connection: Any = None
        self._fleet: int | None = None
        self._token: int | None = None
        self._stop = False
        self._lease_s = lease_s()

    # --- records ---

    def records(self) -> dict[str, Record]:
        found = {}
        for one, text in self._rows("SELECT id, record FROM takt.records WHERE fleet = %s"):
            with suppress(TypeError, ValueError):
                found[one] = Record.read(json.loads(text))
        return found

    def stamps(self) -> dict[str, int]:
        """0 of each: a ledger in a database is there whole, or not."""
        return {one: 0 for (one,) in self._rows("SELECT id FROM takt.records WHERE fleet = %s")}

    def put(self, records: Iterable[tuple[str, Record]], stamps: Mapping[str, int]) -> None:
        rows = [(record.id, arm, json.dumps(record.told())) for arm, record in records]
        kept = "SELECT {}, r.* FROM {} unnest(%s::text[], %s::text[], %s::text[]) AS r"
        more = "ON CONFLICT (fleet, id) DO UPDATE SET arm = excluded.arm, record = excluded.record"
        columns = [list(column) for column in zip(*rows, strict=True)]
        if not rows:
            return
        if self._token is not None:
            self._write(f"INSERT INTO takt.records {kept.format('mine.id', 'mine,')} {more} RETURNING 1", *columns)
            return
        with suppress(TaktError):  # who only looks may not be allowed to write; what he found is derived
            self._rows(f"INSERT INTO takt.records {kept.format('%s', '')} {more} RETURNING 1", *columns)

    def drop(self, ids: Iterable[str]) -> None:
        with suppress(TaktError):
            self._rows("DELETE FROM takt.records WHERE fleet = %s AND id = ANY(%s) RETURNING 1", list(ids))

    # --- faults of machines ---

    def add_fault(self, fault: MachineFault) -> None:
        self._write(
            "INSERT INTO takt.faults (fleet, token, shift, attempt, fault) SELECT mine.id, %s, %s, %s, %s FROM mine "
            "ON CONFLICT (fleet, token, shift, attempt) DO UPDATE SET fault = excluded.fault RETURNING 1",
            self._token,
            fault.id,
            fault.attempt,
            json.dumps(asdict(fault)),
        )

    def faults(self) -> Sequence[MachineFault]:
        found = []
        for (text,) in self._rows("SELECT fault FROM takt.faults WHERE fleet = %s ORDER BY number"):
            with suppress(TypeError, ValueError):
                found.append(MachineFault.read(json.loads(text)))
        return found

    # --- the driver ---

    def drive(self, text: str, made: str = "") -> None:
        with at(self.place, Unwritable, "fleet"):
            connection = self._open()
            migrate(connection, self.place)
            with connection.transaction():
                # On disk before it is believed: a number must never be given twice, whatever the server forgets.
                connection.execute("SET LOCAL synchronous_commit = on")
                connection.execute(
                    "INSERT INTO takt.fleets (name) VALUES (%s) ON CONFLICT DO NOTHING", (self.place.name,)
                )
                found = connection.execute(
                    "UPDATE takt.fleets SET token = token + 1, holder = %s, stop = false, said = '{}', "
                    "plan = CASE WHEN %s = '' THEN plan ELSE %s END, made = CASE WHEN %s = '' THEN made ELSE %s END, "
                    "until = clock_timestamp() + make_interval(secs => %s) "
                    "WHERE name = %s AND (until IS NULL OR until < clock_timestamp()) RETURNING id, token",
                    (holder(), text, text, text, made, self._lease_s, self.place.name),
                ).fetchone()
                if found is None:
                    who, left = connection.execute(
                        "SELECT holder, extract(epoch FROM until - clock_timestamp())::float8 FROM takt.fleets "
                        "WHERE name = %s",
                        (self.place.name,),
                    ).fetchone()
                    raise Busy(
                        f"another driver ({who}) works on the fleet {self.place}; look at it with `takt fleet status`, "
                        f"or end it with `takt fleet stop` (if it is dead, its lease ends in {max(0.0, left):.0f} s)"
                    )
        (self._fleet, self._token), self._stop = found, False

    def say(self, told: Mapping[str, Any]) -> None:
        rows = self._rows(
            "UPDATE takt.fleets SET until = clock_timestamp() + make_interval(secs => %s), said = %s "
            "WHERE id = %s AND token = %s RETURNING stop",
            *(self._lease_s, json.dumps(told), self._fleet, self._token),
            of_fleet=False,
        )
        if not rows:
            raise self._lost()
        self._stop = bool(rows[0][0])

    def said(self) -> Mapping[str, Any]:
        for (text,) in self._rows("SELECT said FROM takt.fleets WHERE id = %s"):
            with suppress(ValueError):
                told = json.loads(text)
                return told if isinstance(told, dict) else {}
        return {}

    def driven(self) -> bool:
        return bool(self._rows("SELECT 1 FROM takt.fleets WHERE id = %s AND until > clock_timestamp()"))

    def ask_to_stop(self) -> None:
        self._rows("UPDATE takt.fleets SET stop = true WHERE id = %s RETURNING 1")

    def asked_to_stop(self) -> bool:
        """As of the driver's last word, about a second ago."""
        return self._stop

    def plan_text(self) -> str:
        """The text of the plan by which it was worked last; "" if there is no such fleet."""
        rows = self._rows("SELECT plan FROM takt.fleets WHERE id = %s")
        return str(rows[0][0]) if rows else ""

    def made(self) -> str:
        with at(self.place, TaktError, "fleet"):
            if version_of(self._open()) < SINCE_MADE:
                return ""
        rows = self._rows("SELECT made FROM takt.fleets WHERE id = %s")
        return str(rows[0][0]) if rows else ""

    def close(self) -> None:
        """Give the lease back, and let go of the connection."""
        with suppress(Exception):  # who cannot say that he is done is heard of no more, which is as good
            if self._token is not None and self._connection is not None:
                self._connection.execute(
                    "UPDATE takt.fleets SET until = NULL, holder = NULL WHERE id = %s AND token = %s",
                    (self._fleet, self._token),
                )
        self._drop_connection()
        self._token = None

    # --- the way there ---

    def _write(self, query: str, *values: Any) -> None:
        """As the driver, or not at all."""
        if not self._rows(MINE + query, self._lease_s, self._fleet, self._token, *values, of_fleet=False):
            raise self._lost()

    def _lost(self) -> Lost:
        return Lost(f"another driver works on the fleet {self.place} by now; this one has stopped, and wrote nothing")

    def _rows(self, query: str, *values: Any, of_fleet: bool = True) -> list[Any]:
        """What a query returns; [] where there is no such fleet. A driver waits for a server that is gone."""
        until = time.monotonic() + (PATIENCE_S if self._token is not None else 0.0)
        wait_s = 0.1
        while True:
            try:
                with at(self.place, TaktError if query.startswith("SELECT") else Unwritable, "fleet"):
                    connection = self._open()
                    if self._fleet is None and not self._found(connection):
                        return []
                    given = (self._fleet, *values) if of_fleet else values
                    return list(connection.execute(query, given).fetchall())
            except TaktError as error:
                if not is_gone(error) or time.monotonic() > until:
                    raise
                self._drop_connection()
                time.sleep(wait_s)
                wait_s = min(2 * wait_s, 2.0)

    def _found(self, connection: Any) -> bool:
        if version_of(connection) < SINCE:
            return False
        row = connection.execute("SELECT id FROM takt.fleets WHERE name = %s", (self.place.name,)).fetchone()
        self._fleet = None if row is None else int(row[0])
        return row is not None

    def _open(self) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = connected(self.place)
        return self._connection

    def _drop_connection(self) -> None:
        with suppress(Exception):
            if self._connection is not None:
                self._connection.close()
        self._connection = None


def fleets_in(store: Address) -> list[str]:
    """The names of the fleets in a store, in order."""
    with at(store, TaktError):
        connection = connected(store)
        with connection:
            if version_of(connection) < SINCE:
                return []
            return [name for (name,) in connection.execute('SELECT name FROM takt.fleets ORDER BY name COLLATE "C"')]
