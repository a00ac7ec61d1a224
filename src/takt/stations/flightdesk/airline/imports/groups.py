"""Bookings: rows of one booking become a group on dated flights, in the cabins it booked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes
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
        mine.append(part)

    for row in rows:
        try:
            take(row)
        except Broken as error:
            problems.add(file, row.line, error)
    found = []
    for name, mine in parts.items():
        try:
            group = _group(name, mine, schedule, defaults, notes)
        except Broken as error:
            problems.add(file, mine[-1].row.line, error)
            continue
        if group is not None:
            found.append(group)
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


def _group(name: str, parts: Sequence[_Part], schedule: Schedule, defaults: Defaults, notes: Notes) -> Group | None:
    flights = schedule.flights
    inside = [(leg, part.cabin, part) for part in parts for leg in part.found if not isinstance(leg, Outside)]
    if len(inside) < sum(len(part.found) for part in parts):
        if not inside:
            notes.take("bookings left out, they fly on other days")
            return None
        notes.take("bookings cut to their legs on these days")
    inside.sort(key=lambda leg: flights[leg[0]].departure)
    for (a, _, _), (b, _, part) in pairwise(inside):
        if flights[a].destination != flights[b].origin:
            said = f"{flights[b].name} leaves from {flights[b].origin}, and {flights[a].name} lands at"
            raise part.row.wrong("flight", f"{said} {flights[a].destination}")
        if flights[b].departure < flights[a].arrival:
            raise part.row.wrong("flight", f"{flights[b].name} leaves before {flights[a].name} has landed")
    b = defaults.values["bookings"]
    prices = [part.price for part in parts if part.price is not None]
    best = min(cabin for _, cabin, _ in inside)
    if not prices:
        notes.take("bookings without price, a fare by flying time taken")
        flying = sum(flights[leg].arrival - flights[leg].departure for leg, _, _ in inside)
        prices = [(b["fare"] + b["per_minute"] * flying) * b["factors"][best]]
    directions = [part.inbound for part in parts if part.inbound is not None]
    if not directions:
        notes.take(f"bookings without direction, {b['direction']} taken")
        directions = [DIRECTIONS.get(b["direction"], False)]
    legs = tuple((leg, cabin) for leg, cabin, _ in inside)
    return Group(name, parts[0].passengers, round(float(prices[0]), 2), directions[0], legs)


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
