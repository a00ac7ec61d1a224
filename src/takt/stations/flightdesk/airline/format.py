"""The ROADEF 2009 format: an instance is a folder of eleven files of space-separated rows, each ended by a `#`.

Whatever is wrong with a file is a `TaktError` of one line: file, line, field, and what is wrong there. An instance that
was read is written back byte for byte; that the originals differ in how they end a line is kept in `Layout`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from os import PathLike
from pathlib import Path

import numpy as np

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.instance import (
    CABINS,
    DAY,
    REACHES,
    Aircraft,
    Airports,
    Bookings,
    Closures,
    Distances,
    FlightChanges,
    Flights,
    Floats,
    Groundings,
    Instance,
    Ints,
    Prices,
    Timetable,
    Wanted,
)
from takt.stations.flightdesk.airline.rows import FAR, FILES, Row, read_rows, whole_number

LATEST = 31 * DAY  # minutes: how late a disruption can make a flight; tables by the hour reach so far
_CABIN = {name: i for i, name in enumerate(CABINS)}
MOST_SEATS = 9999
_REACH = {name: i for i, name in enumerate(REACHES)}
_DIRECTION = {"A": 0, "R": 1}


def read_instance(folder: str | PathLike[str]) -> Instance:
    """Read the eleven files of an instance. Raises TaktError with one line if one of them is wrong."""
    folder = Path(folder)
    if not folder.is_dir():
        raise TaktError(
            f"no instance at {folder}: it is a folder of {len(FILES)} files, config.csv to alt_airports.csv"
        )
    files = {name: read_rows(folder / f"{name}.csv") for name in FILES}
    rows = {name: rows for name, (rows, _) in files.items()}
    layout = {name: layout for name, (_, layout) in files.items()}

    start_day, end_day, prices = _prices(rows["config"])
    if end_day - start_day > FAR:
        raise rows["config"][0].wrong("end", f"the recovery period has {end_day - start_day} days; give {FAR} at most")
    first = min([start_day, *(row.near(1, "date", start_day, end_day) for row in rows["rotations"])])
    start = (start_day - first) * DAY + rows["config"][0].time(1, "start")
    end = (end_day - first) * DAY + rows["config"][0].time(3, "end")
    if end <= start:
        raise rows["config"][0].wrong("end", "the recovery period ends before it starts")

    airports = _airports(rows["airports"])
    at = {code: i for i, code in enumerate(airports.code)}
    distances = _distances(rows["dist"], at)
    aircraft = _aircraft(rows["aircraft"], at, first)
    tail = {name: i for i, name in enumerate(aircraft.name)}
    timetable = _timetable(rows["flights"], at)
    pairs = zip(distances.origin.tolist(), distances.destination.tolist(), strict=True)
    reach = dict(zip(pairs, distances.reach.tolist(), strict=True))
    flights, index = _flights(rows["rotations"], timetable, reach, airports.code, tail, first)
    changes = _changes(rows["alt_flights"], index, first)
    flights.delay[changes.flight] = np.maximum(changes.delay, 0)
    flights.cancelled[changes.flight] = changes.delay < 0
    return Instance(
        name=folder.resolve().name if folder.name in ("", "..") else folder.name,
        epoch=date.fromordinal(first),
        start=start,
        end=end,
        prices=prices,
        airports=airports,
        distances=distances,
        aircraft=aircraft,
        timetable=timetable,
        flights=flights,
        bookings=_bookings(rows["itineraries"], index, first),
        wanted=_wanted(rows["position"], at, aircraft),
        changes=changes,
        groundings=_groundings(rows["alt_aircraft"], tail, first),
        closures=_closures(rows["alt_airports"], at, first),
        layout=layout,
    )


def _prices(rows: list[Row]) -> tuple[int, int, Prices]:
    if len(rows) != 7:
        raise TaktError(f"config.csv has {len(rows)} lines instead of 7 before its `#`")
    delay = _price_table(rows[1], "delay cost")
    outbound = _price_table(rows[2], "outbound cancellation cost")
    inbound = _price_table(rows[3], "inbound cancellation cost")
    row = rows[4]
    downgrade = np.zeros((3, 3, 3))
    for at in range(0, len(row.fields), 4):
        booked, flown = row.one_of(at, "downgrading, cabin", _CABIN), row.one_of(at + 1, "downgrading, cabin", _CABIN)
        if booked >= flown:
            raise row.wrong("downgrading, cabin", f"{CABINS[booked]} to {CABINS[flown]} is not a downgrade")
        downgrade[booked, flown, row.one_of(at + 2, "downgrading, leg type", _REACH)] = row.amount(
            at + 3, "downgrading"
        )
    family, model, configuration = (rows[5].amount(i, "location penalty") for i in range(3))
    alpha, beta, gamma = (rows[6].amount(i, "weight") for i in range(3))
    prices = Prices(delay, outbound, inbound, downgrade, family, model, configuration, (alpha, beta, gamma))
    return rows[0].date(0, "start"), rows[0].date(2, "end"), prices


def _price_table(row: Row, name: str) -> Floats:
    table = np.full((3, 3), np.nan)
    for at in range(0, len(row.fields), 3):
        cabin, reach = row.one_of(at, f"{name}, cabin", _CABIN), row.one_of(at + 1, f"{name}, trip type", _REACH)
        table[cabin, reach] = row.amount(at + 2, name)
    if np.isnan(table).any():
        raise row.wrong(name, "not all nine of cabin and trip type are there")
    return table


def _airports(rows: list[Row]) -> Airports:
    codes: dict[str, int] = {}
    parts: list[tuple[int, ...]] = []
    for row in rows:
        code = row.text(0, "airport")
        if code in codes:
            raise row.wrong("airport", f"{code} is listed twice")
        codes[code] = len(codes)
        for at in range(1, len(row.fields), 4):
            departures, arrivals = row.whole(at, "departures per hour"), row.whole(at + 1, "arrivals per hour")
            since, until = row.time(at + 2, "from"), row.time(at + 3, "to") or DAY
            if not since < until <= DAY:
                raise row.wrong("to", f"{row.text(at + 3, 'to')} is not after {row.text(at + 2, 'from')}")
            parts.append((codes[code], departures, arrivals, since, until))
    return Airports(tuple(codes), *_columns(parts, 5))


def _distances(rows: list[Row], at: Mapping[str, int]) -> Distances:
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for row in rows:
        pair = row.one_of(0, "origin", at), row.one_of(1, "destination", at)
        said = row.whole(2, "minutes", 1), row.one_of(3, "type", _REACH)
        if found.setdefault(pair, said) != said:
            raise row.wrong("destination", f"{row.fields[0]} {row.fields[1]} is there twice, and differs")
    return Distances(*_columns([(*pair, *said) for pair, said in found.items()], 4))


def _aircraft(rows: list[Row], at: Mapping[str, int], first: int) -> Aircraft:
    if not rows:
        raise TaktError("aircraft.csv has no aircraft")
    names: dict[str, str] = {}  # -> family
    model: list[str] = []
    seats: list[list[int]] = []
    cost: list[float] = []
    numbers: list[tuple[int, ...]] = []
    for row in rows:
        name = row.text(0, "aircraft")
        if name in names:
            raise row.wrong("aircraft", f"{name} is listed twice")
        names[name] = row.text(2, "family")
        model.append(row.text(1, "model"))
        seats.append(_seats(row))
        cost.append(row.amount(5, "cost per flight hour"))
        numbers.append(
            (
                row.whole(4, "range"),
                row.whole(6, "turn-round time"),
                row.whole(7, "transit time"),
                row.one_of(8, "airport", at),
                *_service(row, at, first),
            )
        )
    reach, turn, transit, airport, *service = _columns(numbers, 8)
    families = tuple(names.values())
    return Aircraft(
        tuple(names), tuple(model), families, np.array(seats), reach, np.array(cost), turn, transit, airport, *service
    )


def _seats(row: Row) -> list[int]:
    text = row.text(3, "seats")
    try:
        seats = [whole_number(part) for part in text.split("/")]
    except ValueError:
        seats = []
    if len(seats) != 3:
        raise row.wrong("seats", f"{text!r} is not First/Business/Economy; write it as 0/28/51")
    if max(seats) > MOST_SEATS or (min(seats) < 0 and seats != [-1, -1, -1]):
        raise row.wrong("seats", f"cannot be {text}; give 0 to {MOST_SEATS} each, or -1/-1/-1 for surface transport")
    return seats


def _service(row: Row, at: Mapping[str, int], first: int) -> tuple[int, int, int, int]:
    """The maintenance field: ORY-01/03/08-22:00-02/03/08-05:00-783 or NULL."""
    text = row.text(9, "maintenance")
    if text == "NULL":
        return -1, 0, 0, 0
    part = Row(row.file, row.line, text.split("-"))
    airport = part.one_of(0, "maintenance airport", at)
    start = (part.date(1, "maintenance start") - first) * DAY + part.time(2, "maintenance start")
    end = (part.date(3, "maintenance end") - first) * DAY + part.time(4, "maintenance end")
    if end <= start:
        raise row.wrong("maintenance", f"{text} ends before it starts")
    return airport, start, end, part.whole(5, "minutes before maintenance")


def _timetable(rows: list[Row], at: Mapping[str, int]) -> Timetable:
    numbers = {row.whole(0, "flight", 1) for row in rows}
    lines: list[tuple[int, ...]] = []
    link: dict[int, int] = {}
    route: dict[int, tuple[int, int]] = {}
    for row in rows:
        number, previous = row.whole(0, "flight", 1), row.whole(5, "previous flight")
        departure, arrival = row.time(3, "departure"), row.time(4, "arrival")
        if arrival <= departure:
            raise row.wrong("arrival", f"{row.fields[4]} is not after the departure at {row.fields[3]}")
        if previous and (previous not in numbers or previous == number):
            raise row.wrong("previous flight", f"{previous} is unknown")
        if number in link:
            raise row.wrong("flight", f"{number} is listed twice")
        link[number], route[number] = previous, (row.one_of(1, "origin", at), row.one_of(2, "destination", at))
        lines.append((number, *route[number], departure, arrival, previous))
    sound = {0}  # flights whose flights before do not come back to them
    for row, (number, *_, previous) in zip(rows, lines, strict=True):
        if previous and route[previous][1] != route[number][0]:
            raise row.wrong("previous flight", f"{previous} does not land where {number} leaves")
        chain: set[int] = set()
        while number not in sound:
            if number in chain:
                raise row.wrong("previous flight", f"{number} comes before itself")
            chain.add(number)
            number = link[number]
        sound |= chain
    return Timetable(*_columns(lines, 6))


def _flights(
    rows: list[Row],
    timetable: Timetable,
    reach: Mapping[tuple[int, int], int],
    codes: Sequence[str],
    tail: Mapping[str, int],
    first: int,
) -> tuple[Flights, dict[tuple[int, int], int]]:
    """The flights of every date, and where each (number, days since year 1) is among them."""
    if not rows:
        raise TaktError("rotations.csv has no flights")
    line = {number: i for i, number in enumerate(timetable.number.tolist())}
    index: dict[tuple[int, int], int] = {}
    lines: list[int] = []
    aircraft: list[int] = []
    for row in rows:
        number, day = row.whole(0, "flight", 1), row.date(1, "date")
        if number not in line:
            raise row.wrong("flight", f"{number} is not in flights.csv")
        if (number, day) in index:
            raise row.wrong("flight", f"{number} flies twice on {row.fields[1]}")
        index[number, day] = len(index)
        lines.append(line[number])
        aircraft.append(row.one_of(2, "aircraft", tail))
    at = np.array(lines, dtype=np.int64)
    days = np.array([day - first for _, day in index], dtype=np.int64)
    origin, destination = timetable.origin[at], timetable.destination[at]
    leg_reach = [reach.get(pair, -1) for pair in zip(origin.tolist(), destination.tolist(), strict=True)]
    if -1 in leg_reach:
        i = leg_reach.index(-1)
        pair = f"{codes[origin[i]]} {codes[destination[i]]}"
        raise rows[i].wrong("flight", f"dist.csv has no line {pair} for flight {timetable.number[at[i]]}")
    # The leg before is of the same date, unless it lands too late for that: then of the last date on which it does not.
    before = [line[number] if number else -1 for number in timetable.previous.tolist()]
    earlier = np.maximum(-((timetable.departure - timetable.arrival[before]) // DAY), 0)
    previous = [
        index.get((number, day + first - over), -1) if number else -1
        for number, day, over in zip(timetable.previous[at].tolist(), days.tolist(), earlier[at].tolist(), strict=True)
    ]
    flights = Flights(
        number=timetable.number[at],
        day=days,
        origin=origin,
        destination=destination,
        departure=timetable.departure[at] + days * DAY,
        arrival=timetable.arrival[at] + days * DAY,
        previous=np.array(previous, dtype=np.int64),
        aircraft=np.array(aircraft, dtype=np.int64),
        delay=np.zeros(len(at), dtype=np.int64),
        cancelled=np.zeros(len(at), dtype=np.bool_),
        reach=np.array(leg_reach, dtype=np.int64),
    )
    return flights, index


def _bookings(rows: list[Row], index: Mapping[tuple[int, int], int], first: int) -> Bookings:
    if not rows:
        raise TaktError("itineraries.csv has no bookings")
    seen: set[int] = set()
    inbound: list[int] = []
    price: list[float] = []
    passengers: list[int] = []
    number: list[int] = []
    begins = [0]
    flight: list[int] = []
    cabin: list[int] = []
    for row in rows:
        number.append(row.whole(0, "booking"))
        if number[-1] in seen:
            raise row.wrong("booking", f"{number[-1]} is listed twice")
        seen.add(number[-1])
        inbound.append(row.one_of(1, "direction", _DIRECTION))
        price.append(row.amount(2, "price"))
        passengers.append(row.whole(3, "passengers", 1))
        if len(row.fields) < 5:
            raise row.wrong("legs", "there are none")
        for at in range(4, len(row.fields), 3):
            leg = row.whole(at, "leg, flight", 1), row.date(at + 1, "leg, date")
            if leg not in index:
                raise row.wrong("leg, flight", f"{leg[0]} does not fly on {row.fields[at + 1]}")
            flight.append(index[leg])
            cabin.append(row.one_of(at + 2, "leg, cabin", _CABIN))
        begins.append(len(flight))
    return Bookings(
        np.array(number, dtype=np.int64),
        np.array(inbound, dtype=np.bool_),
        np.array(price, dtype=np.float64),
        np.array(passengers, dtype=np.int64),
        np.array(begins, dtype=np.int64),
        np.array(flight, dtype=np.int64),
        np.array(cabin, dtype=np.int64),
    )


def _wanted(rows: list[Row], at: Mapping[str, int], aircraft: Aircraft) -> Wanted:
    kinds = {model: 0 for model in aircraft.model}
    airport: list[int] = []
    model: list[str] = []
    configuration: list[str] = []
    count: list[int] = []
    for row in rows:
        here = row.one_of(0, "airport", at)
        for i in range(1, len(row.fields), 3):
            row.one_of(i, "model", kinds)
            airport.append(here)
            model.append(row.fields[i])
            configuration.append(row.text(i + 1, "configuration"))
            count.append(row.whole(i + 2, "count"))
    return Wanted(
        np.array(airport, dtype=np.int64), tuple(model), tuple(configuration), np.array(count, dtype=np.int64)
    )


def _changes(rows: list[Row], index: Mapping[tuple[int, int], int], first: int) -> FlightChanges:
    changes: dict[int, int] = {}
    for row in rows:
        flight = row.whole(0, "flight", 1), row.date(1, "date")
        if flight not in index:
            raise row.wrong("flight", f"{flight[0]} does not fly on {row.fields[1]}")
        delay = row.whole(2, "delay", -1, LATEST)
        if changes.setdefault(index[flight], delay) != delay:
            raise row.wrong("delay", f"{flight[0]} of {row.fields[1]} is there twice, and differs")
    return FlightChanges(*_columns(list(changes.items()), 2))


def _groundings(rows: list[Row], tail: Mapping[str, int], first: int) -> Groundings:
    return Groundings(*_columns([(row.one_of(0, "aircraft", tail), *_period(row, 1, first)) for row in rows], 3))


def _closures(rows: list[Row], at: Mapping[str, int], first: int) -> Closures:
    return Closures(
        *_columns(
            [
                (
                    row.one_of(0, "airport", at),
                    *_period(row, 1, first),
                    row.whole(5, "departures per hour"),
                    row.whole(6, "arrivals per hour"),
                )
                for row in rows
            ],
            5,
        )
    )


def _period(row: Row, at: int, first: int) -> tuple[int, int]:
    start = (row.date(at, "start") - first) * DAY + row.time(at + 1, "start")
    end = (row.date(at + 2, "end") - first) * DAY + row.time(at + 3, "end")
    if end <= start:
        raise row.wrong("end", "is not after the start")
    return start, end


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> Iterator[Ints]:
    return iter(np.array(rows, dtype=np.int64).reshape(len(rows), count).T.copy())
