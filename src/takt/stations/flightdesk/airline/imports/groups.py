"""Bookings: rows of one booking become a group on dated flights, in the cabins it booked; out and back, two groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes
from takt.stations.flightdesk.airline.imports.operations import Operation
from takt.stations.flightdesk.airline.imports.problems import Broken, Problems
from takt.stations.flightdesk.airline.imports.schedule import Found, Outside, Schedule
from takt.stations.flightdesk.airline.imports.tables import Row

BOOKINGS = ("booking", "passengers", "flight", "date", "cabin")
BOOKINGS_TOO = ("origin", "destination", "price", "direction")
WORDS = {"first": 0, "business": 1, "premium economy": 2, "economy": 2}
DIRECTIONS = {"outbound": False, "inbound": True, "a": False, "r": True}


@dataclass(frozen=True, slots=True)
class Group:
    """People who travel together. `legs` are (place among the schedule's flights, cabin)."""

    name: str
    passengers: int
    price: float
    inbound: bool
    legs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A row of bookings.csv: `found` are the legs that it books."""

    row: Row
    found: Sequence[Found]
    cabin: int
    passengers: int
    price: float | None
    inbound: bool | None


def groups_of(
    rows: Sequence[Row], file: str, schedule: Schedule, defaults: Defaults, notes: Notes, problems: Problems
) -> list[Group]:
    """The groups, in the order of the file. Legs outside the days of the import are cut off, and said."""
    parts: dict[str, list[_Part]] = {}

    def take(row: Row) -> None:
        part = _part(row, schedule, defaults)
        mine = parts.setdefault(row.text("booking"), [])
        if mine and mine[0].passengers != part.passengers:
            raise row.wrong("passengers", f"is {part.passengers}, and {mine[0].passengers} in line {mine[0].row.line}")
        legs = {leg for leg in part.found if not isinstance(leg, Outside)}
        for other in mine:
            if legs & {leg for leg in other.found if not isinstance(leg, Outside)}:
                raise row.wrong("flight", f"the booking has {row.text('flight')} already, in line {other.row.line}")
        mine.append(part)

    for row in rows:
        try:
            take(row)
        except Broken as error:
            problems.add(file, row.line, error)
    found: list[Group] = []
    for name, mine in parts.items():
        try:
            found += _groups(name, mine, schedule, defaults, notes)
        except _Contradiction as error:
            problems.add(file, error.line, error)
    return found


def _part(row: Row, schedule: Schedule, defaults: Defaults) -> _Part:
    word = row.text("cabin")
    cabin = WORDS.get(word.lower(), defaults.cabin(word.upper()) if len(word) == 1 else None)
    if cabin is None:
        raise row.wrong("cabin", f"{word!r} is no cabin; write first, business, economy, or a letter as in [cabins]")
    direction = row.get("direction").lower()
    if direction and direction not in DIRECTIONS:
        raise row.wrong("direction", f"{direction!r} is no direction; write outbound or inbound")
    return _Part(
        row,
        schedule.segment(row),
        cabin,
        row.whole("passengers", 1),
        row.amount("price") if row.get("price") else None,
        DIRECTIONS[direction] if direction else None,
    )


class _Contradiction(Broken):
    """A row that does not go with another of its booking."""

    def __init__(self, row: Row, column: str, problem: str) -> None:
        super().__init__(row.column(column), problem)
        self.line = row.line


_Leg = tuple[int, _Part]  # a place among the schedule's flights, and the row that books it


def _groups(name: str, parts: Sequence[_Part], schedule: Schedule, defaults: Defaults, notes: Notes) -> Iterator[Group]:
    """The groups of a booking, a trip each, in order of time; "K7 (2)" is the second of K7."""
    flights = schedule.flights
    inside = [(leg, part) for part in parts for leg in part.found if not isinstance(leg, Outside)]
    outside = [leg for part in parts for leg in part.found if isinstance(leg, Outside)]
    shared = any(leg.shared for leg in outside)
    if not inside:
        notes.take(f"bookings left out, they fly {'with other airlines' if shared else 'on other days'}")
        return
    if outside:
        where = "of this airline (code share)" if shared else "on these days"
        notes.take(f"bookings cut to their legs {where}")
    inside.sort(key=lambda leg: flights[leg[0]].departure)
    for (a, _), (b, part) in pairwise(inside):
        if flights[b].departure < flights[a].arrival:
            said = f"{flights[b].name} leaves before {flights[a].name} has landed"
            raise _Contradiction(part.row, "flight", said)
    trips = list(_trips(inside, flights, shared))
    notes.take("bookings of several trips, a group made of each", len(trips) > 1)
    for i, (legs, inbound) in enumerate(trips):
        yield Group(
            name=f"{name} ({i + 1})" if i else name,
            passengers=parts[0].passengers,
            price=_price(legs, flights, defaults, notes),
            inbound=_inbound(inbound, defaults, notes),
            legs=tuple((leg, part.cabin) for leg, part in legs),
        )


def _trips(
    legs: Sequence[_Leg], flights: Sequence[Operation], shared: bool
) -> Iterator[tuple[Sequence[_Leg], bool | None]]:
    """A booking's legs trip by trip, each with its direction if there is one.

    A trip ends where the direction changes, which it does once, and where another airline's flight was cut out
    (`shared`). One whose direction nobody said, and that comes back to where it began, turns at its longest stay.
    """
    said = [part.inbound for _, part in legs]
    way = next((inbound for inbound in said if inbound is not None), None)
    directions = [way := way if inbound is None else inbound for inbound in said]
    begins = [0]
    for i in range(1, len(legs)):
        (a, _), (b, part) = legs[i - 1], legs[i]
        if directions[i] != directions[i - 1]:
            if directions[i - 1] or flights[a].flight == flights[b].flight:
                was, is_ = ("inbound", "outbound") if directions[i - 1] else ("outbound", "inbound")
                text = f"is {is_}, and {flights[a].name} before it is {was}"
                raise _Contradiction(part.row, "direction", text)
            begins.append(i)
        elif flights[a].destination != flights[b].origin:
            if not shared:
                text = f"{flights[b].name} leaves from {flights[b].origin}, and {flights[a].name} lands at"
                raise _Contradiction(part.row, "flight", f"{text} {flights[a].destination}")
            begins.append(i)
    for first, last in pairwise([*begins, len(legs)]):
        trip = legs[first:last]
        if directions[first] is not None:
            yield trip, directions[first]
        else:
            yield from _turned(trip, flights)


def _turned(legs: Sequence[_Leg], flights: Sequence[Operation]) -> Iterator[tuple[Sequence[_Leg], bool | None]]:
    """A trip of no direction: where it comes back to its origin, the way there, and back from its longest stay."""
    origin = flights[legs[0][0]].origin
    back = next((i for i, (leg, _) in enumerate(legs) if flights[leg].destination == origin), None)
    if not back:
        yield legs, None
        return
    stay = [flights[legs[i + 1][0]].departure - flights[legs[i][0]].arrival for i in range(back)]
    turn = stay.index(max(stay)) + 1
    yield legs[:turn], False
    yield legs[turn : back + 1], True
    if legs[back + 1 :]:
        yield from _turned(legs[back + 1 :], flights)


def _price(legs: Sequence[_Leg], flights: Sequence[Operation], defaults: Defaults, notes: Notes) -> float:
    """Of one person's trip: the one that its rows say, or a fare by flying time."""
    priced = [part for _, part in legs if part.price is not None]
    for part in priced:
        if part.price != priced[0].price:
            said = f"is {part.price:g}, and {priced[0].price:g} in line {priced[0].row.line}, of the same trip"
            raise _Contradiction(part.row, "price", said)
    if priced:
        return round(float(priced[0].price or 0.0), 2)
    notes.take("bookings without price, a fare by flying time taken")
    b = defaults.values["bookings"]
    flying = sum(flights[leg].arrival - flights[leg].departure for leg, _ in legs)
    factor = b["factors"][min(part.cabin for _, part in legs)]
    return round(float((b["fare"] + b["per_minute"] * flying) * factor), 2)


def _inbound(said: bool | None, defaults: Defaults, notes: Notes) -> bool:
    if said is not None:
        return said
    general = defaults.values["bookings"]["direction"]
    notes.take(f"bookings without direction, {general} taken")
    return DIRECTIONS[general]


def seated(groups: Sequence[Group], seats: Sequence[tuple[int, int, int]], notes: Notes) -> list[Group]:
    """Those for whom there are seats, in order; `seats` of each flight by cabin, below 0 for any number."""
    left = [list(cabins) for cabins in seats]
    found = []
    for group in groups:
        if all(left[leg][cabin] >= group.passengers or seats[leg][cabin] < 0 for leg, cabin in group.legs):
            for leg, cabin in group.legs:
                left[leg][cabin] -= group.passengers
            found.append(group)
        else:
            notes.take("bookings left out, their cabin is full (overbooked)")
            notes.take("people of those bookings", group.passengers)
    return found
