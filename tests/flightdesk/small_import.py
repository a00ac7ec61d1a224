"""A planner's files of a few flights, written a line each, and the import of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from takt.stations.flightdesk.airline.imports.airline import Files, import_airline
from takt.stations.flightdesk.airline.imports.ssim import (
    Carrier,
    DataSet,
    Flown,
    Header,
    Leg,
    Section,
    Segment,
    Trailer,
    text_of,
)
from takt.stations.flightdesk.airline.imports.ssim_fields import UTC
from takt.stations.flightdesk.airline.imports.tables import moment

DAY = date(2026, 1, 7)
PERIOD = ("2026-01-07T12:00Z", "2026-01-08T12:00Z")


def leg(text: str, **more: Any) -> Flown:
    """AF1 CDG-NTE 06:00-07:10 AT7: a flight of 7 January, UTC; AF1/2 is its second leg, 07:10+1 the day after,
    06:00-1 of the day before.
    """
    name, route, times, kind = text.split()
    number, _, sequence = name[2:].partition("/")
    begins, lands = times.replace("-1-", "~-").split("-")
    day = DAY - timedelta(days="~" in begins)
    (leaves, _), (at, over) = _minute(begins.replace("~", "")), _minute(lands)
    segments = tuple(
        Segment("", "AF", int(number), 1, int(sequence or 1), "J", "", "A", "B", dei, route[:3], route[4:], data)
        for dei, data in more.pop("data", ())
    )
    fields: dict[str, Any] = {
        **{"suffix": "", "airline": name[:2], "number": int(number), "variation": 1, "sequence": int(sequence or 1)},
        **{"service": "J", "since": day, "until": day, "days": 127, "every": "", "aircraft": kind},
        **{"origin": route[:3], "passenger_departure": leaves, "departure": leaves, "origin_variation": 0},
        **{"destination": route[4:], "arrival": at, "passenger_arrival": at, "destination_variation": 0},
        **{"origin_terminal": "", "destination_terminal": "", "off": (0, over)},
    }
    return Flown(Leg(**{**fields, **more}), segments)


def _minute(text: str) -> tuple[int, int]:
    clock, _, over = text.partition("+")
    return int(clock[:2]) * 60 + int(clock[3:]), int(over or 0)


def schedule(*legs: str | Flown, **carrier: Any) -> str:
    flown = tuple(leg(each) if isinstance(each, str) else each for each in legs)
    valid = {"since": DAY - timedelta(days=7), "until": DAY + timedelta(days=7), **carrier}
    return text_of(DataSet(Header(), (Section(Carrier(UTC, "AF", **valid), flown, Trailer("AF")),)))


def files(folder: Path, ssim: str, aircraft: str, bookings: str = "", **others: str) -> Files:
    """The files; a table's first line names its columns. Without bookings: one on the first flight."""
    if not bookings:
        first = next(line for line in ssim.splitlines() if line.startswith("3"))
        day = "2026-01-" + first[14:16]
        bookings = f"booking,passengers,flight,date,origin,cabin\n1,1,AF{first[5:9].strip()},{day},{first[36:39]},Y"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"schedule": ssim, "aircraft": aircraft, "bookings": bookings, **others}
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / {"schedule": "schedule.ssim", "defaults": "own.toml"}.get(name, f"{name}.csv")
        paths[name].write_text(text + "\n" * (name != "schedule"), encoding="utf-8", newline="")
    return Files(**paths)


def imported(folder: Path, ssim: str, aircraft: str, bookings: str = "", period: Any = PERIOD, **others: str) -> Any:
    return import_airline("day", files(folder, ssim, aircraft, bookings, **others), *map(moment, period))


def flown(instance: Any) -> list[Any]:
    """Each flight: route, scheduled departure (minutes of the instance), delay, aircraft."""
    f, code, tail = instance.flights, instance.airports.code, instance.aircraft.name
    routes = [f"{code[a]}-{code[b]}" for a, b in zip(f.origin, f.destination, strict=True)]
    by = [tail[a] for a in f.aircraft]
    return sorted(zip(routes, f.departure.tolist(), f.delay.tolist(), by, strict=True))
