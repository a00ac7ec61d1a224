"""The aircraft of aircraft.csv."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes
from takt.stations.flightdesk.airline.imports.operations import Operation
from takt.stations.flightdesk.airline.imports.problems import Problems
from takt.stations.flightdesk.airline.imports.tables import Row, each
from takt.stations.flightdesk.airline.instance import DAY
from takt.stations.flightdesk.airline.solution import CANCELLED

AIRCRAFT = ("aircraft", "type")
AIRCRAFT_TOO = (
    *("model", "family", "first", "business", "economy", "range", "hour_cost", "turn", "transit", "airport"),
    *("maintenance_airport", "maintenance_start", "maintenance_end", "maintenance_minutes"),
)
CABIN_SEATS = ("first", "business", "economy")
SURFACE = (-1, -1, -1)
_COMPARTMENT = re.compile(r"([A-Z]+)(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Service:
    """A maintenance; times in minutes after the epoch, `minutes` that may be flown before."""

    airport: str
    start: int
    end: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Tail:
    """An aircraft. `airport` is "" as long as nobody says where it is; `line` is of aircraft.csv."""

    name: str
    type: str
    model: str
    family: str
    seats: tuple[int, int, int]
    range: int
    hour_cost: float
    turn: int
    transit: int
    airport: str
    service: Service | None
    line: int


def minutes(when: datetime, epoch: date) -> int:
    """Minutes after the midnight, UTC, that begins the epoch."""
    return DAY * (when.date().toordinal() - epoch.toordinal()) + 60 * when.hour + when.minute


def configurations(flights: Sequence[Operation], defaults: Defaults) -> dict[str, tuple[int, int, int]]:
    """Seats by aircraft type, where the schedule's configurations agree on them: F008C042Y260 -> 8, 42, 260."""
    found: dict[str, set[tuple[int, int, int]]] = defaultdict(set)
    for flight in flights:
        seats = seats_in(flight.configuration, defaults)
        if seats is not None:
            found[flight.aircraft].add(seats)
    return {kind: next(iter(seats)) for kind, seats in found.items() if len(seats) == 1}


def seats_in(configuration: str, defaults: Defaults) -> tuple[int, int, int] | None:
    """Seats by cabin of an aircraft configuration; None if it says no numbers.

    Two letters are none: BB, LL and PP are bulk, containers and pallets, and what follows VV is crew rest.
    """
    seats = [0, 0, 0]
    for letter, count in _COMPARTMENT.findall(configuration.partition("VV")[0]):
        cabin = defaults.cabin(letter) if len(letter) == 1 else None
        if cabin is not None:
            seats[cabin] += int(count)
    return (seats[0], seats[1], seats[2]) if sum(seats) else None


def tails_of(
    rows: Sequence[Row],
    file: str,
    seats: Mapping[str, tuple[int, int, int]] | None,
    epoch: date,
    defaults: Defaults,
    notes: Notes,
    problems: Problems,
) -> list[Tail]:
    """The aircraft of aircraft.csv; `seats` are the schedule's, by type, None if it is broken."""
    names: set[str] = set()

    def take(row: Row) -> Tail:
        tail = _tail(row, seats, epoch, defaults, notes)
        if tail.name in names:
            raise row.wrong("aircraft", f"{tail.name} is there twice")
        if tail.name == CANCELLED:
            raise row.wrong(
                "aircraft", f"{tail.name} is what a plan says of a flight that is not flown; name it otherwise"
            )
        names.add(tail.name)
        return tail

    return list(each(rows, file, problems, take))


def _tail(
    row: Row, seats: Mapping[str, tuple[int, int, int]] | None, epoch: date, defaults: Defaults, notes: Notes
) -> Tail:
    kind = row.word("type").upper()
    known, surface = defaults.type(kind), defaults.surface(kind)

    def taken(name: str, read: Any, general: Any) -> Any:
        if row.get(name):
            return read(row, name)
        if name in known:
            notes.take(f"aircraft without {name.replace('_', ' ')}, their type's taken")
            return known[name]
        notes.take(f"aircraft without {name.replace('_', ' ')}, {general:g} taken")
        return general

    times, general = defaults.values["times"], defaults.values["aircraft"]
    family = row.word("family") if row.get("family") else known.get("family", kind)
    if not row.get("family"):
        notes.take(
            f"aircraft without family, {'that of their type' if 'family' in known else 'their type itself'} taken"
        )
    if not row.get("model"):
        notes.take("aircraft without model, their type itself taken")
    if surface and any(row.get(name) for name in CABIN_SEATS):
        notes.take("surface transport with seats, which it is not asked for: any number of people taken")
    return Tail(
        name=row.word("aircraft"),
        type=kind,
        model=row.word("model") if row.get("model") else kind,
        family=family,
        seats=SURFACE if surface else _seats(row, kind, seats, known, notes),
        range=taken("range", lambda r, n: r.whole(n, 1), int(general["range"])),
        hour_cost=taken("hour_cost", lambda r, n: r.amount(n), 0.0 if surface else float(general["hour_cost"])),
        turn=taken("turn", lambda r, n: r.whole(n), int(times["turn"])),
        transit=taken("transit", lambda r, n: r.whole(n), int(times["transit"])),
        airport=row.code("airport") if row.get("airport") else "",
        service=_service(row, epoch, int(general["maintenance_minutes"]), notes),
        line=row.line,
    )


def _seats(
    row: Row, kind: str, seats: Mapping[str, tuple[int, int, int]] | None, known: Mapping[str, Any], notes: Notes
) -> tuple[int, int, int]:
    given = [name for name in CABIN_SEATS if row.get(name)]
    if given:
        for name in CABIN_SEATS:
            if name not in given:
                notes.take(f"aircraft without {name} seats though they have others, 0 taken")
        counts = [row.whole(name) if row.get(name) else 0 for name in CABIN_SEATS]
        return counts[0], counts[1], counts[2]
    if seats is None:
        return 0, 0, 0
    if kind in seats:
        notes.take("aircraft without seats, the schedule's configuration taken")
        return seats[kind]
    if "seats" in known:
        notes.take("aircraft without seats, their type's taken")
        return tuple(known["seats"])
    raise row.wrong(
        "economy", f"no seats here, in the schedule, or in [types] for {kind}; give first, business, economy"
    )


def _service(row: Row, epoch: date, general: int, notes: Notes) -> Service | None:
    if not row.get("maintenance_airport"):
        return None
    start, end = minutes(row.moment("maintenance_start"), epoch), minutes(row.moment("maintenance_end"), epoch)
    if end <= start:
        raise row.wrong("maintenance_end", "is not after the start")
    if not row.get("maintenance_minutes"):
        notes.take(f"maintenances without minutes that may be flown before, {general:,} taken")
        return Service(row.code("maintenance_airport"), start, end, general)
    return Service(row.code("maintenance_airport"), start, end, row.whole("maintenance_minutes"))
