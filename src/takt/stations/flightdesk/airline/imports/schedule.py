"""The flights of an import by name and date, as bookings, rotations and disruptions speak of them.

A flight is named by its designator (AF1234, also written AF 1234 or AF01234) and the local date on which it leaves,
and, where it has several legs, by the airport where it leaves, and where it leaves there twice by where it goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from takt.stations.flightdesk.airline.imports.operations import FlightKey, Operation
from takt.stations.flightdesk.airline.imports.tables import Row
from takt.stations.flightdesk.airline.instance import DAY

_DESIGNATOR = re.compile(r"([A-Z0-9]{2}[A-Z]?) ?0*(\d{1,4})([A-Z]?)")


@dataclass(frozen=True, slots=True)
class Outside:
    """A leg that is not of the import: on other days, or `shared`: sold by this airline and flown by another."""

    day: date
    shared: bool = False

    def why(self, row: Row) -> str:
        if self.shared:
            return f"{row.get('flight')} is flown by another airline"
        return f"{self.day} is not among the days of this import"


Found = int | Outside  # a place among `Schedule.flights`, or a leg that is not among them
Entry = tuple[Operation | None, Found]


@dataclass(slots=True)
class Schedule:
    """`flights` in order of time; `around` are those of the days before and after, `shared` those that others fly:
    both known and not imported.

    begins   the midnight that begins the first day, minutes after the epoch; flights before it were in the air then.
    sound    whether the schedule's file is; if not, a flight that is not found may yet be there.
    """

    flights: Sequence[Operation]
    around: Sequence[Operation]
    shared: Sequence[Operation]
    first: date
    last: date
    begins: int = 0
    sound: bool = True
    _leg: dict[tuple[str, date, str], list[Entry]] = field(init=False)
    _flight: dict[FlightKey, list[tuple[Operation, Found]]] = field(init=False)
    _first: dict[tuple[str, date], FlightKey] = field(init=False)
    _at: dict[tuple[FlightKey, int], int] = field(init=False)

    def __post_init__(self) -> None:
        self._leg, self._flight, self._first = {}, {}, {}
        self._at = {(o.flight, o.sequence): i for i, o in enumerate(self.flights)}
        legs: list[tuple[Operation, Found]] = [(o, i) for i, o in enumerate(self.flights)]
        legs += [(o, Outside(o.local)) for o in self.around]
        legs += [(o, Outside(o.local, shared=True)) for o in self.shared]
        for o, found in sorted(legs, key=lambda pair: pair[0].sequence):
            self._leg.setdefault((o.name, o.local, o.origin), []).append((o, found))
            if o.flight not in self._flight:
                self._first[o.name, o.local] = o.flight
            self._flight.setdefault(o.flight, []).append((o, found))

    def name(self, row: Row, column: str = "flight") -> str:
        """A designator as the schedule writes it."""
        text = row.text(column).upper()
        found = _DESIGNATOR.fullmatch(text)
        if found is None:
            raise row.wrong(column, f"{text!r} is not a flight; write it as AF1234")
        return f"{found[1]}{found[2]}{found[3]}"

    def leg(self, row: Row) -> Found:
        """The leg that a row's flight, date, origin and destination name. A flight of one leg needs no origin."""
        return self._one(row)[1]

    def legs(self, row: Row) -> list[Found]:
        """All legs of the flight that leaves first on that date; or those from the row's origin, to its destination."""
        return [found for _, found in self._named(row)]

    def _one(self, row: Row) -> Entry:
        legs = self._named(row)
        if len(legs) > 1 and not row.get("origin"):
            raise row.wrong("origin", f"{row.get('flight')} has {len(legs)} legs that day; say from where")
        if len(legs) > 1 and not row.get("destination"):
            said = f"{row.get('flight')} leaves {row.get('origin')} {len(legs)} times that day; say where to"
            raise row.wrong("destination", said)
        return legs[0]

    def _named(self, row: Row) -> Sequence[Entry]:
        name, day = self.name(row), row.day("date")
        if row.get("origin"):
            found = self._leg.get((name, day, row.code("origin")), [])
            straight = [(o, at) for o, at in found if o is not None and o.destination == row.get("destination").upper()]
            if found:
                return straight or found
        elif (name, day) in self._first:
            return self._flight[self._first[name, day]]
        if not self.sound or not self.first - timedelta(days=1) <= day <= self.last + timedelta(days=1):
            return [(None, Outside(day))]
        origin = row.get("origin")
        raise row.wrong("flight", f"{row.get('flight')} does not leave {origin + ' ' * bool(origin)}on {day}")

    def segment(self, row: Row) -> list[Found]:
        """The legs from the row's origin to its destination, one if it says no destination."""
        first, found = self._one(row)
        if first is None or not row.get("destination"):
            return [found]
        to, taken = row.code("destination"), []
        for o, found in self._flight[first.flight]:
            if o.sequence >= first.sequence:
                taken.append(found)
                if o.destination == to:
                    return taken
        if not self.sound:
            return taken
        said = f"{row.get('flight')} does not go from {first.origin} to {to} on {row.get('date')}"
        raise row.wrong("destination", said)

    def before(self, i: int) -> int:
        """The leg before this one of the same flight and date, or -1."""
        o = self.flights[i]
        return self._at.get((o.flight, o.sequence - 1), -1)

    def tied(self, i: int) -> int:
        """The same if it leaves on the same day (UTC): then the instance has the two as legs of one flight. Else -1."""
        before = self.before(i)
        same = before >= 0 and self.flights[before].departure // DAY == self.flights[i].departure // DAY
        return before if same else -1
