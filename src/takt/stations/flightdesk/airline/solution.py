"""A plan as the challenge hands it in: `sol_rotations.csv` and `sol_itineraries.csv`, read and written.

    sol_rotations     flight origin destination departure arrival previous date aircraft|cancelled
    sol_itineraries   booking A|R price passengers [flight date cabin]... [cancelled]

Every flight of the plan is there with the times it now has (`00:10+1`: the day after its date), also the cancelled, and
flights created under new numbers. A booking's group may be split over several lines; `cancelled` after some legs means
that the group got that far, and no further.

The order of the itinerary lines matters to the cost, by a habit of the challenge's cost checker (see `cost.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.instance import CABINS, DAY, Flags, Floats, Instance, Ints, Layout, clock
from takt.stations.flightdesk.airline.rows import Row, read_rows, write_rows
from takt.writing import CHALLENGE, whole_files

CANCELLED = "cancelled"
SOLUTION = ("sol_rotations.csv", "sol_itineraries.csv")

Line = tuple[int, int, list[tuple[int, int]], bool]  # booking, passengers, [(row of operations, cabin)], cancelled


@dataclass(frozen=True, slots=True)
class Operations:
    """`sol_rotations.csv`, row by row.

    planned    the flight it is, as an index into `Instance.flights`; -1 for a created flight.
    previous   a flight number, 0 for none.
    aircraft   who flies it, or -1: cancelled.
    """

    number: Ints
    origin: Ints
    destination: Ints
    departure: Ints
    arrival: Ints
    previous: Ints
    day: Ints
    aircraft: Ints
    planned: Ints


@dataclass(frozen=True, slots=True)
class Trips:
    """`sol_itineraries.csv`, line by line.

    booking      index into `Instance.bookings`.
    cancelled    whether the line says so.
    first        legs of line i are `first[i]:first[i + 1]` of the `leg_*` arrays.
    leg_row      row of `Operations` that the leg flies on, -1 if it has no such flight (`leg_number`, `leg_day`).
    """

    booking: Ints
    inbound: Flags
    price: Floats
    passengers: Ints
    cancelled: Flags
    first: Ints
    leg_number: Ints
    leg_day: Ints
    leg_row: Ints
    leg_cabin: Ints


@dataclass(frozen=True, slots=True)
class Solution:
    operations: Operations
    trips: Trips


def read_solution(instance: Instance, folder: str | PathLike[str]) -> Solution:
    """Read a solution's two files. Raises TaktError with one line if one of them is wrong, or names what is unknown."""
    folder = Path(folder)
    if not folder.is_dir():
        raise TaktError(f"no solution at {folder}: it is a folder with sol_rotations.csv and sol_itineraries.csv")
    rotations, itineraries = (read_rows(folder / name)[0] for name in SOLUTION)
    operations = _read_operations(rotations, instance)
    return Solution(operations, _read_trips(itineraries, instance, operations))


def write_solution(instance: Instance, solution: Solution, folder: str | PathLike[str]) -> None:
    """Write a solution's two files into a folder, which is made if it is not there: both of them, or none."""
    layout, (rotations, itineraries) = Layout("", "#\n"), SOLUTION
    with whole_files(Path(folder), CHALLENGE) as new:
        write_rows(new / rotations, _operation_rows(instance, solution.operations), layout)
        write_rows(new / itineraries, _trip_rows(instance, solution.trips), layout)


def planned_index(instance: Instance) -> dict[tuple[int, int], int]:
    """Where a flight is among `Instance.flights`, by (number, day)."""
    flights = instance.flights
    return {key: i for i, key in enumerate(zip(flights.number.tolist(), flights.day.tolist(), strict=True))}


def _read_operations(rows: list[Row], instance: Instance) -> Operations:
    at = {code: i for i, code in enumerate(instance.airports.code)}
    tail = {name: i for i, name in enumerate(instance.aircraft.name)} | {CANCELLED: -1}
    if not rows:
        raise TaktError("sol_rotations.csv has no flights")
    planned, first = planned_index(instance), instance.epoch.toordinal()
    table: list[tuple[int, ...]] = []
    for row in rows:
        if len(row.fields) > 8:
            raise row.wrong("aircraft", f"the line has {len(row.fields)} fields, and ends with the aircraft, the 8th")
        number, day = row.whole(0, "flight", 1), row.date(6, "date") - first
        table.append(
            (
                number,
                row.one_of(1, "origin", at),
                row.one_of(2, "destination", at),
                row.time(3, "departure") + day * DAY,
                row.time(4, "arrival") + day * DAY,
                row.whole(5, "previous flight"),
                day,
                row.one_of(7, "aircraft", tail),
                planned.get((number, day), -1),
            )
        )
    return Operations(*np.array(table, dtype=np.int64).reshape(len(table), 9).T.copy())


def _read_trips(rows: list[Row], instance: Instance, operations: Operations) -> Trips:
    bookings = {number: i for i, number in enumerate(instance.bookings.number.tolist())}
    flown = rows_of(operations)
    first_day = instance.epoch.toordinal()
    lines: list[tuple[int, int, int, int]] = []  # booking, inbound, passengers, cancelled
    price: list[float] = []
    begins = [0]
    legs: list[tuple[int, int, int, int]] = []
    for row in rows:
        number = row.whole(0, "booking")
        if number not in bookings:
            raise row.wrong("booking", f"{number} is unknown")
        price.append(row.amount(2, "price"))
        cancelled = row.fields[-1] == CANCELLED
        last = len(row.fields) - cancelled
        lines.append(
            (bookings[number], row.one_of(1, "direction", _DIRECTION), row.whole(3, "passengers", 1), cancelled)
        )
        if last <= 4 and not cancelled:
            raise row.wrong("legs", f"there are none; a group that does not travel is `{CANCELLED}`")
        for i in range(4, last, 3):
            leg, day = row.whole(i, "leg, flight", 1), row.date(i + 1, "leg, date") - first_day
            legs.append((leg, day, flown.get((leg, day), -1), row.one_of(i + 2, "leg, cabin", _CABIN)))
        begins.append(len(legs))
    booking, inbound, passengers, cancelled_ = np.array(lines, dtype=np.int64).reshape(len(lines), 4).T.copy()
    leg_number, leg_day, leg_row, leg_cabin = np.array(legs, dtype=np.int64).reshape(len(legs), 4).T.copy()
    return Trips(
        booking,
        inbound.astype(np.bool_),
        np.array(price, dtype=np.float64),
        passengers,
        cancelled_.astype(np.bool_),
        np.array(begins, dtype=np.int64),
        leg_number,
        leg_day,
        leg_row,
        leg_cabin,
    )


_DIRECTION: Mapping[str, int] = {"A": 0, "R": 1}
_CABIN: Mapping[str, int] = {name: i for i, name in enumerate(CABINS)}


def rows_of(operations: Operations) -> dict[tuple[int, int], int]:
    """Where a flight is among the rows, by (number, day); the first row, if it is there twice."""
    keys = list(zip(operations.number.tolist(), operations.day.tolist(), strict=True))
    return {key: i for i, key in reversed(list(enumerate(keys)))}


def _operation_rows(instance: Instance, o: Operations) -> list[str]:
    code, tail = instance.airports.code, (*instance.aircraft.name, CANCELLED)  # -1 is the last of them
    days = {day: instance.day(day) for day in np.unique(o.day)}
    return [
        f"{o.number[i]} {code[o.origin[i]]} {code[o.destination[i]]} {clock(o.departure[i], o.day[i])} "
        f"{clock(o.arrival[i], o.day[i])} {o.previous[i]} {days[o.day[i]]} {tail[o.aircraft[i]]}"
        for i in range(len(o.number))
    ]


def _trip_rows(instance: Instance, t: Trips) -> list[str]:
    days = {day: instance.day(day) for day in np.unique(t.leg_day)}
    numbers = instance.bookings.number
    rows = []
    for i in range(len(t.booking)):
        parts = [f"{numbers[t.booking[i]]} {'AR'[int(t.inbound[i])]} {float(t.price[i])!r} {t.passengers[i]}"]
        for j in range(t.first[i], t.first[i + 1]):
            parts.append(f"{t.leg_number[j]} {days[t.leg_day[j]]} {CABINS[t.leg_cabin[j]]}")
        if t.cancelled[i]:
            parts.append(CANCELLED)
        rows.append(" ".join(parts))
    return rows


@dataclass(frozen=True, slots=True)
class Created:
    """A flight that was not planned."""

    origin: int
    destination: int
    departure: int
    arrival: int
    aircraft: int


def operations_of(instance: Instance, departure: Ints, aircraft: Ints, created: Sequence[Created] = ()) -> Operations:
    """The planned flights at these times with these aircraft (-1: cancelled), row i being flight i; then `created`."""
    flights, timetable, flown = instance.flights, instance.timetable, aircraft >= 0
    link = dict(zip(timetable.number.tolist(), timetable.previous.tolist(), strict=True))
    new = np.array([(c.origin, c.destination, c.departure, c.arrival, c.aircraft) for c in created], dtype=np.int64)
    new = new.reshape(len(created), 5)
    none = np.zeros(len(created), dtype=np.int64)
    first = int(timetable.number.max()) + 1
    arrival = np.where(flown, departure, flights.departure) + flights.arrival - flights.departure
    return Operations(
        number=np.concatenate([flights.number, first + np.arange(len(created))]),
        origin=np.concatenate([flights.origin, new[:, 0]]),
        destination=np.concatenate([flights.destination, new[:, 1]]),
        departure=np.concatenate([np.where(flown, departure, flights.departure), new[:, 2]]),
        arrival=np.concatenate([arrival, new[:, 3]]),
        previous=np.concatenate([np.array([link[n] for n in flights.number.tolist()], dtype=np.int64), none]),
        day=np.concatenate([flights.day, new[:, 2] // DAY]),
        aircraft=np.concatenate([aircraft, new[:, 4]]),
        planned=np.concatenate([np.arange(len(flights.number)), none - 1]),
    )


def trips_of(
    instance: Instance, operations: Operations, lines: list[tuple[int, int, list[tuple[int, int]], bool]]
) -> Trips:
    """The trips that these lines are."""
    bookings = instance.bookings
    booking = np.array([line[0] for line in lines], dtype=np.int64)
    rows = np.array([row for line in lines for row, _ in line[2]], dtype=np.int64)
    return Trips(
        booking=booking,
        inbound=bookings.inbound[booking],
        price=bookings.price[booking],
        passengers=np.array([line[1] for line in lines], dtype=np.int64),
        cancelled=np.array([line[3] for line in lines], dtype=np.bool_),
        first=np.cumsum([0, *(len(line[2]) for line in lines)], dtype=np.int64),
        leg_number=operations.number[rows],
        leg_day=operations.day[rows],
        leg_row=rows,
        leg_cabin=np.array([cabin for line in lines for _, cabin in line[2]], dtype=np.int64),
    )
