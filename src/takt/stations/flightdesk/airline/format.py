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
    Layout,
    Prices,
    Timetable,
    Wanted,
    clock,
    seats_text,
)
from takt.writing import CHALLENGE, whole_file

FILES = (
    "config",
    "airports",
    "dist",
    "aircraft",
    "flights",
    "rotations",
    "itineraries",
    "position",
    "alt_flights",
    "alt_aircraft",
    "alt_airports",
)

# --- reading ----------------------------------------------------------------------------------------------------------


class Row:
    """One row of a file: its fields, asked for by place and name, and where it is if one of them is wrong."""

    __slots__ = ("fields", "file", "line")

    def __init__(self, file: str, line: int, fields: list[str]) -> None:
        self.file, self.line, self.fields = file, line, fields

    def wrong(self, name: str, problem: str) -> TaktError:
        return TaktError(f"{self.file}.csv, line {self.line}, {name}: {problem}")

    def text(self, at: int, name: str) -> str:
        if at >= len(self.fields):
            raise self.wrong(name, f"is missing; the line has {len(self.fields)} fields")
        return self.fields[at]

    def whole(self, at: int, name: str, least: int = 0) -> int:
        text = self.text(at, name)
        try:
            value = int(text)
        except ValueError:
            raise self.wrong(name, f"{text!r} is not a whole number") from None
        if not least <= value < 2**31:
            raise self.wrong(name, f"cannot be {text}; give {least} or more")
        return value

    def amount(self, at: int, name: str) -> float:
        text = self.text(at, name)
        try:
            value = float(text)
        except ValueError:
            raise self.wrong(name, f"{text!r} is not a number") from None
        if not 0 <= value < 1e12:
            raise self.wrong(name, f"cannot be {text}; give 0 or more")
        return value

    def one_of(self, at: int, name: str, known: Mapping[str, int]) -> int:
        text = self.text(at, name)
        if text not in known:
            raise self.wrong(name, f"{text!r} is unknown")
        return known[text]

    def date(self, at: int, name: str) -> int:
        """Days since year 1 (`date.toordinal`)."""
        text = self.text(at, name)
        day = _DATES.get(text)
        if day is None:
            try:
                d, m, y = _digits(text.split("/"))
                day = date(2000 + y, m, d).toordinal()
            except (ValueError, OverflowError):
                raise self.wrong(name, f"{text!r} is not a date; write it as 07/01/06") from None
            _DATES[text] = day
        return day

    def time(self, at: int, name: str) -> int:
        """Minutes of the day; 24 h and more with a `+1`."""
        text = self.text(at, name)
        minute = _TIMES.get(text)
        if minute is None:
            hours, _, days = text.partition("+")
            try:
                h, m = _digits(hours.split(":"))
                (over,) = _digits([days]) if days else (0,)
            except ValueError:
                h = -1
            if not (0 <= h <= 24 and m < 60):
                raise self.wrong(name, f"{text!r} is not a time; write it as 09:05 or 00:10+1")
            minute = _TIMES[text] = over * DAY + h * 60 + m
        return minute


def _digits(parts: list[str]) -> list[int]:
    """The parts as numbers of at most two digits. Raises ValueError."""
    if not all(part.isdigit() and len(part) <= 2 for part in parts):
        raise ValueError
    return [int(part) for part in parts]


_DATES: dict[str, int] = {}  # a file has tens of thousands of dates and times, and few different ones
_TIMES: dict[str, int] = {}
_CABIN = {name: i for i, name in enumerate(CABINS)}
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
    first = min([start_day, *(row.date(1, "date") for row in rows["rotations"])])
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
        name=folder.name,
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


def read_rows(path: Path) -> tuple[list[Row], Layout]:
    """The rows of a file up to the line that begins with `#`, and how they end."""
    try:
        text = path.read_bytes().decode("ascii")
    except FileNotFoundError:
        raise TaktError(f"{path} is missing") from None
    except OSError as error:
        raise TaktError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise TaktError(f"{path.name}, byte {error.start}: not plain text") from None
    rows: list[Row] = []
    ends: list[str] = []
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            break
        body = line.rstrip(" #\r\t")
        if body:
            rows.append(Row(path.stem, number, body.split()))
            ends.append(line[len(body) :])
        at += len(line) + 1
    else:
        raise TaktError(f"{path.name} ends at line {number} without a line `#`: it is cut off")
    same = len(set(ends)) <= 1
    return rows, Layout((ends[0] if ends else " ") if same else tuple(ends), text[at:])


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
    return Distances(
        *_columns(
            [
                (
                    row.one_of(0, "origin", at),
                    row.one_of(1, "destination", at),
                    row.whole(2, "minutes", 1),
                    row.one_of(3, "type", _REACH),
                )
                for row in rows
            ],
            4,
        )
    )


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
        seats = [int(part) for part in text.split("/")]
    except ValueError:
        seats = []
    if len(seats) != 3:
        raise row.wrong("seats", f"{text!r} is not First/Business/Economy; write it as 0/28/51")
    if min(seats) < 0 and seats != [-1, -1, -1]:
        raise row.wrong("seats", f"cannot be {text}; give 0 or more each, or -1/-1/-1 for surface transport")
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
    for row in rows:
        number, previous = row.whole(0, "flight", 1), row.whole(5, "previous flight")
        departure, arrival = row.time(3, "departure"), row.time(4, "arrival")
        if arrival <= departure:
            raise row.wrong("arrival", f"{row.fields[4]} is not after the departure at {row.fields[3]}")
        if previous and (previous not in numbers or previous == number):
            raise row.wrong("previous flight", f"{previous} is unknown")
        lines.append(
            (number, row.one_of(1, "origin", at), row.one_of(2, "destination", at), departure, arrival, previous)
        )
    if len(numbers) < len(rows):
        seen: set[int] = set()
        for row, (number, *_) in zip(rows, lines, strict=True):
            if number in seen:
                raise row.wrong("flight", f"{number} is listed twice")
            seen.add(number)
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
    previous = [
        index.get((int(number), int(day) + first), -1) if number else -1
        for number, day in zip(timetable.previous[at], days, strict=True)
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
    changes: list[tuple[int, int]] = []
    for row in rows:
        flight = row.whole(0, "flight", 1), row.date(1, "date")
        if flight not in index:
            raise row.wrong("flight", f"{flight[0]} does not fly on {row.fields[1]}")
        changes.append((index[flight], row.whole(2, "delay", -1)))
    return FlightChanges(*_columns(changes, 2))


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


# --- writing ----------------------------------------------------------------------------------------------------------


def write_instance(instance: Instance, folder: str | PathLike[str]) -> None:
    """Write the eleven files of an instance into a folder, which is made if it is not there."""
    folder = Path(folder)
    files = {
        "config": _config_rows(instance),
        "airports": _airport_rows(instance),
        "dist": _distance_rows(instance),
        "aircraft": _aircraft_rows(instance),
        "flights": _timetable_rows(instance),
        "rotations": _rotation_rows(instance),
        "itineraries": _booking_rows(instance),
        "position": _wanted_rows(instance),
        "alt_flights": _change_rows(instance),
        "alt_aircraft": _grounding_rows(instance),
        "alt_airports": _closure_rows(instance),
    }
    for name, rows in files.items():
        layout = instance.layout.get(name, Layout())
        write_rows(folder / f"{name}.csv", rows, layout)


def write_rows(path: Path, rows: Sequence[str], layout: Layout) -> None:
    ends = [layout.ends] * len(rows) if isinstance(layout.ends, str) else list(layout.ends)
    if len(ends) != len(rows):  # position.csv may have an airport twice; it is written once
        ends = [" "] * len(rows)
    text = "".join(f"{row}{end}\n" for row, end in zip(rows, ends, strict=True)) + layout.tail
    with whole_file(path, CHALLENGE) as new:
        new.write_bytes(text.encode())


def _config_rows(instance: Instance) -> list[str]:
    prices, start, end = instance.prices, instance.start, instance.end
    tables = [
        " ".join(f"{CABINS[c]} {REACHES[r]} {float(table[c, r])!r}" for c in range(3) for r in range(3))
        for table in (prices.delay, prices.outbound, prices.inbound)
    ]
    downgrade = " ".join(
        f"{CABINS[booked]} {CABINS[flown]} {REACHES[r]} {float(prices.downgrade[booked, flown, r])!r}"
        for booked, flown in ((0, 1), (0, 2), (1, 2))
        for r in range(3)
    )
    return [
        f"{_moment(instance, start)} {_moment(instance, end)}",
        *tables,
        downgrade,
        f"{prices.family!r} {prices.model!r} {prices.configuration!r}",
        " ".join(repr(weight) for weight in prices.weights),
    ]


def _moment(instance: Instance, minute: int, between: str = " ") -> str:
    day = int(minute) // DAY
    return f"{instance.day(day)}{between}{clock(minute, day)}"


def _airport_rows(instance: Instance) -> list[str]:
    airports = instance.airports
    rows = [[code] for code in airports.code]
    for i, at in enumerate(airports.at):
        numbers = f"{airports.departures[i]} {airports.arrivals[i]}"
        rows[at].append(f"{numbers} {clock(airports.since[i])} {clock(airports.until[i] % DAY)}")
    return [" ".join(row) for row in rows]


def _distance_rows(instance: Instance) -> list[str]:
    code, d = instance.airports.code, instance.distances
    return [
        f"{code[d.origin[i]]} {code[d.destination[i]]} {d.minutes[i]} {REACHES[d.reach[i]]}"
        for i in range(len(d.origin))
    ]


def _aircraft_rows(instance: Instance) -> list[str]:
    code, a = instance.airports.code, instance.aircraft
    rows = []
    for i, name in enumerate(a.name):
        service = "NULL"
        if a.service_airport[i] >= 0:
            period = f"{_moment(instance, a.service_start[i], '-')}-{_moment(instance, a.service_end[i], '-')}"
            service = f"{code[a.service_airport[i]]}-{period}-{a.service_minutes[i]}"
        rows.append(
            f"{name} {a.model[i]} {a.family[i]} {seats_text(a.seats[i])} {a.range[i]} {float(a.hour_cost[i])!r} "
            f"{a.turn[i]} {a.transit[i]} {code[a.airport[i]]} {service}"
        )
    return rows


def _timetable_rows(instance: Instance) -> list[str]:
    code, t = instance.airports.code, instance.timetable
    return [
        f"{t.number[i]} {code[t.origin[i]]} {code[t.destination[i]]} "
        f"{clock(t.departure[i])} {clock(t.arrival[i])} {t.previous[i]}"
        for i in range(len(t.number))
    ]


def _rotation_rows(instance: Instance) -> list[str]:
    f, name = instance.flights, instance.aircraft.name
    days = {day: instance.day(day) for day in np.unique(f.day)}
    return [f"{f.number[i]} {days[f.day[i]]} {name[f.aircraft[i]]}" for i in range(len(f.number))]


def _booking_rows(instance: Instance) -> list[str]:
    b, f = instance.bookings, instance.flights
    days = {day: instance.day(day) for day in np.unique(f.day)}
    flown = [f"{number} {days[day]}" for number, day in zip(f.number, f.day, strict=True)]
    legs = [f"{flown[flight]} {CABINS[cabin]}" for flight, cabin in zip(b.leg_flight, b.leg_cabin, strict=True)]
    return [
        f"{b.number[i]} {'AR'[int(b.inbound[i])]} {float(b.price[i])!r} {b.passengers[i]} "
        + " ".join(legs[b.first[i] : b.first[i + 1]])
        for i in range(len(b.number))
    ]


def _wanted_rows(instance: Instance) -> list[str]:
    w = instance.wanted
    rows: dict[int, list[str]] = {}
    for i, at in enumerate(w.airport.tolist()):
        rows.setdefault(at, [instance.airports.code[at]]).append(f"{w.model[i]} {w.configuration[i]} {w.count[i]}")
    return [" ".join(row) for row in rows.values()]


def _change_rows(instance: Instance) -> list[str]:
    f, c = instance.flights, instance.changes
    return [f"{f.number[i]} {instance.day(f.day[i])} {delay}" for i, delay in zip(c.flight, c.delay, strict=True)]


def _grounding_rows(instance: Instance) -> list[str]:
    g = instance.groundings
    return [
        f"{instance.aircraft.name[g.aircraft[i]]} {_moment(instance, g.start[i])} {_moment(instance, g.end[i])}"
        for i in range(len(g.aircraft))
    ]


def _closure_rows(instance: Instance) -> list[str]:
    c = instance.closures
    return [
        f"{instance.airports.code[c.airport[i]]} {_moment(instance, c.start[i])} {_moment(instance, c.end[i])} "
        f"{c.departures[i]} {c.arrivals[i]}"
        for i in range(len(c.airport))
    ]
