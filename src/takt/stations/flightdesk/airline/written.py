"""An instance as the challenge's files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    CABINS,
    DAY,
    REACHES,
    Instance,
    Layout,
    clock,
    seats_text,
)
from takt.stations.flightdesk.airline.rows import write_rows
from takt.writing import CHALLENGE, whole_files


def write_instance(instance: Instance, folder: str | PathLike[str]) -> None:
    """Write the eleven files of an instance into a folder, which is made if it is not there: all or none."""
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
    with whole_files(Path(folder), CHALLENGE) as new:
        for name, rows in files.items():
            write_rows(new / f"{name}.csv", rows, instance.layout.get(name, Layout()))


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
