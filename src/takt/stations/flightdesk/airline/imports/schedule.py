"""The flights of an import by name and date, as bookings, rotations and disruptions speak of them.

A flight is named by its designator (AF1234, also written AF 1234 or AF01234) and the local date on which it leaves,
and, where it has several legs, by the airport where it leaves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from takt.stations.flightdesk.airline.imports.operations import Operation
from takt.stations.flightdesk.airline.imports.tables import Row

_DESIGNATOR = re.compile(r"([A-Z0-9]{2}[A-Z]?) ?0*(\d{1,4})([A-Z]?)")


@dataclass(frozen=True, slots=True)
class Outside:
    """A leg that lies outside the days of the import."""

    day: date


Found = int | Outside  # a place among `Schedule.flights`, or a leg that is not among them


@dataclass(slots=True)
class Schedule:
    """`flights` in order of time; `around` are those of the days before and after, known but not imported."""

    flights: Sequence[Operation]
    around: Sequence[Operation]
    first: date
    last: date
    _leg: dict[tuple[str, date, str], Found] = field(init=False)
    _first: dict[tuple[str, date], list[Found]] = field(init=False)
    _flight: dict[tuple[str, date], list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._leg, self._first, self._flight = {}, {}, {}
        legs = [(o, i) for i, o in enumerate(self.flights)]
        both: list[tuple[Operation, Found]] = [*legs, *((o, Outside(o.local)) for o in self.around)]
        for o, found in sorted(both, key=lambda pair: pair[0].sequence):
            self._leg[o.name, o.local, o.origin] = found
        of_flight: dict[tuple[str, date], list[tuple[Operation, Found]]] = {}
        for o, found in sorted(both, key=lambda pair: pair[0].sequence):
            of_flight.setdefault(o.flight, []).append((o, found))
        for flight in of_flight.values():
            self._first[flight[0][0].name, flight[0][0].local] = [found for _, found in flight]
        for o, i in sorted(legs, key=lambda pair: pair[0].sequence):
            self._flight.setdefault(o.flight, []).append(i)

    def name(self, row: Row, column: str = "flight") -> str:
        """A designator as the schedule writes it."""
        text = row.text(column).upper()
        found = _DESIGNATOR.fullmatch(text)
        if found is None:
            raise row.wrong(column, f"{text!r} is not a flight; write it as AF1234")
        return f"{found[1]}{found[2]}{found[3]}"

    def leg(self, row: Row) -> Found:
        """The leg that a row's flight, date and origin name. A flight of one leg needs no origin."""
        legs = self.legs(row)
        if len(legs) > 1:
            raise row.wrong("origin", f"{row.get('flight')} has {len(legs)} legs that day; say from where")
        return legs[0]

    def legs(self, row: Row) -> list[Found]:
        """All legs of the flight that leaves first on that date; or the one from the row's origin."""
        name, day = self.name(row), row.day("date")
        if row.get("origin"):
            origin = row.code("origin")
            found = self._leg.get((name, day, origin))
            if found is not None:
                return [found]
        elif (name, day) in self._first:
            return self._first[name, day]
        if not self.first - timedelta(days=1) <= day <= self.last + timedelta(days=1):
            return [Outside(day)]
        origin = row.get("origin")
        raise row.wrong("flight", f"{row.get('flight')} does not leave {origin + ' ' * bool(origin)}on {day}")

    def segment(self, row: Row) -> list[Found]:
        """The legs from the row's origin to its destination, one if it says no destination."""
        first = self.leg(row)
        if isinstance(first, Outside) or not row.get("destination"):
            return [first]
        to, legs = row.code("destination"), self._flight[self.flights[first].flight]
        taken: list[Found] = []
        for i in legs[legs.index(first) :]:
            taken.append(i)
            if self.flights[i].destination == to:
                return taken
        origin = self.flights[first].origin
        raise row.wrong("destination", f"{row.get('flight')} does not go from {origin} to {to} on {row.get('date')}")

    def before(self, i: int) -> int:
        """The leg before this one of the same flight and date, or -1."""
        legs = self._flight[self.flights[i].flight]
        at = legs.index(i)
        return legs[at - 1] if at and self.flights[legs[at - 1]].sequence == self.flights[i].sequence - 1 else -1
