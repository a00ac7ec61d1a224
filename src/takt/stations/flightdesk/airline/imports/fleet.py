"""Aircraft, and which of them flies what: as rotations.csv says, or first in, first out by type."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes
from takt.stations.flightdesk.airline.imports.operations import Operation
from takt.stations.flightdesk.airline.imports.problems import Broken, Problems
from takt.stations.flightdesk.airline.imports.schedule import Outside, Schedule
from takt.stations.flightdesk.airline.imports.ssim import Leg, columns
from takt.stations.flightdesk.airline.imports.tables import Row, each
from takt.stations.flightdesk.airline.instance import DAY

AIRCRAFT = ("aircraft", "type")
AIRCRAFT_TOO = (
    *("model", "family", "first", "business", "economy", "range", "hour_cost", "turn", "transit", "airport"),
    *("maintenance_airport", "maintenance_start", "maintenance_end", "maintenance_minutes"),
)
ROTATIONS, ROTATIONS_TOO = ("flight", "date", "aircraft"), ("origin",)
SURFACE = (-1, -1, -1)
_COMPARTMENT = re.compile(r"([A-Z])(\d{1,4})")


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
    """Seats by cabin of an aircraft configuration; None if it says no numbers. What follows VV is crew rest."""
    seats = [0, 0, 0]
    for letter, count in _COMPARTMENT.findall(configuration.partition("VV")[0]):
        cabin = defaults.cabin(letter)
        if cabin is not None:
            seats[cabin] += int(count)
    return (seats[0], seats[1], seats[2]) if sum(seats) else None


def tails_of(
    rows: Sequence[Row],
    file: str,
    seats: Mapping[str, tuple[int, int, int]],
    epoch: date,
    defaults: Defaults,
    notes: Notes,
    problems: Problems,
) -> list[Tail]:
    """The aircraft of aircraft.csv; `seats` are the schedule's, by type."""
    names: set[str] = set()

    def take(row: Row) -> Tail:
        tail = _tail(row, seats, epoch, defaults, notes)
        if tail.name in names:
            raise row.wrong("aircraft", f"{tail.name} is there twice")
        names.add(tail.name)
        return tail

    return list(each(rows, file, problems, take))


def _tail(row: Row, seats: Mapping[str, tuple[int, int, int]], epoch: date, defaults: Defaults, notes: Notes) -> Tail:
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
        service=_service(row, epoch),
        line=row.line,
    )


def _seats(
    row: Row, kind: str, seats: Mapping[str, tuple[int, int, int]], known: Mapping[str, Any], notes: Notes
) -> tuple[int, int, int]:
    given = [name for name in ("first", "business", "economy") if row.get(name)]
    if given:
        counts = [row.whole(name) if row.get(name) else 0 for name in ("first", "business", "economy")]
        return counts[0], counts[1], counts[2]
    if kind in seats:
        notes.take("aircraft without seats, the schedule's configuration taken")
        return seats[kind]
    if "seats" in known:
        notes.take("aircraft without seats, their type's taken")
        return tuple(known["seats"])
    raise row.wrong(
        "economy", f"no seats here, in the schedule, or in [types] for {kind}; give first, business, economy"
    )


def _service(row: Row, epoch: date) -> Service | None:
    if not row.get("maintenance_airport"):
        return None
    start, end = minutes(row.moment("maintenance_start"), epoch), minutes(row.moment("maintenance_end"), epoch)
    if end <= start:
        raise row.wrong("maintenance_end", "is not after the start")
    flown = row.whole("maintenance_minutes") if row.get("maintenance_minutes") else 100_000
    return Service(row.code("maintenance_airport"), start, end, flown)


# --- who flies what ---------------------------------------------------------------------------------------------------


def as_given(
    rows: Sequence[Row], file: str, schedule: Schedule, tails: Sequence[Tail], problems: Problems
) -> list[int]:
    """The aircraft of each flight by rotations.csv, -1 where it says none. It must be there, and of the family."""
    at = {tail.name: i for i, tail in enumerate(tails)}
    aircraft, line = [-1] * len(schedule.flights), [0] * len(schedule.flights)

    def take(row: Row) -> None:
        tail = row.one_of("aircraft", at)
        for leg in schedule.legs(row):
            if isinstance(leg, Outside):
                continue
            if aircraft[leg] >= 0:
                raise row.wrong("flight", f"{row.get('flight')} has an aircraft already, in line {line[leg]}")
            aircraft[leg], line[leg] = tail, row.line

    for _ in each(rows, file, problems, take):
        pass
    if problems.found:
        return aircraft
    last: dict[int, int] = {}
    for i, flight in enumerate(schedule.flights):
        tail = aircraft[i]
        if tail < 0:
            continue
        before, last[tail] = last.get(tail, -1), i
        where = schedule.flights[before].destination if before >= 0 else tails[tail].airport
        said = ""
        if where and where != flight.origin:
            said = f"{tails[tail].name} is at {where} then, and {flight.name} leaves from {flight.origin}"
        elif before >= 0 and schedule.flights[before].arrival > flight.departure:
            said = f"{tails[tail].name} is still flying {schedule.flights[before].name} then"
        if said:
            problems.add(file, line[i], Broken("aircraft", said))
    return aircraft


def built(
    schedule: Schedule,
    tails: Sequence[Tail],
    aircraft: Sequence[int],
    seats: Sequence[tuple[int, int, int] | None],
    file: str,
    notes: Notes,
    problems: Problems,
) -> list[int]:
    """Aircraft for the flights that have none, first in, first out.

    In order of time, a flight takes an aircraft of its type that stands at its airport and has turned round: the one
    that the schedule's onward flight names, else one with the seats that the schedule says (`seats`, by flight), else
    one that must go where it flies for its maintenance, else the one that has stood there longest, and last of all one
    that nobody has placed. If none of the type is there, one of the type's family. A
    further leg stays with its aircraft. An aircraft with a maintenance ahead flies nothing from which it could not come
    back in time; if the fleet does not suffice so, nothing during its maintenance; if not so either, anything.
    """
    for rule in (_keeps, _misses, _anything):
        queue = _Queue(schedule, tails, aircraft, seats, rule)
        if not queue.without:
            break
    notes.take("flights given to another type of the family, none of theirs was there", queue.other_types)
    for i in queue.without:
        flight = schedule.flights[i]
        said = f"no {flight.aircraft} is free at {flight.origin} for {flight.name} of {flight.local}"
        problems.add(file, flight.line, Broken(columns(Leg, "aircraft"), said))
    return queue.result


Rule = Callable[[Tail, Operation, int], bool]  # whether an aircraft that has flown so many minutes may fly this


class _Queue:
    """First in, first out: `result` by flight, those `without` an aircraft."""

    def __init__(
        self,
        schedule: Schedule,
        tails: Sequence[Tail],
        aircraft: Sequence[int],
        seats: Sequence[tuple[int, int, int] | None],
        rule: Rule,
    ) -> None:
        self.tails, self.rule, self.result = tails, rule, list(aircraft)
        self.at = [tail.airport for tail in tails]
        self.ready, self.flown = [-(10**9)] * len(tails), [0] * len(tails)
        self.onward = [""] * len(tails)
        self.family = {tail.type: tail.family for tail in tails}
        self.without: list[int] = []
        self.other_types = 0
        later: dict[int, list[Operation]] = defaultdict(list)  # given flights of each aircraft, the last first
        for i in reversed(range(len(aircraft))):
            if aircraft[i] >= 0:
                later[aircraft[i]].append(schedule.flights[i])
        for i, flight in enumerate(schedule.flights):
            tail, before = aircraft[i], schedule.before(i)
            if tail >= 0:
                later[tail].pop()
            elif before >= 0 and (stays := self.result[before]) >= 0 and self.at[stays] == flight.origin:
                tail = stays
            else:
                tail = self._first(flight, later, seats[i])
            self.result[i] = tail
            if tail < 0:
                self.without.append(i)
                continue
            self.at[tail], self.onward[tail] = flight.destination, flight.onward
            self.ready[tail] = flight.arrival + tails[tail].turn
            self.flown[tail] += flight.arrival - flight.departure

    def _first(
        self, flight: Operation, later: Mapping[int, Sequence[Operation]], seats: tuple[int, int, int] | None
    ) -> int:
        """Who flies it, or -1."""
        there = [
            t
            for t, tail in enumerate(self.tails)
            if self.at[t] in (flight.origin, "")
            and self.ready[t] <= flight.departure
            and self.rule(tail, flight, self.flown[t])
            and (not later.get(t) or _in_time(later[t][-1], flight, tail))
        ]
        same = [t for t in there if self.tails[t].type == flight.aircraft]
        alike = [t for t in there if self.tails[t].family == self.family.get(flight.aircraft, "")]
        self.other_types += bool(alike and not same)
        return min(same or alike, key=lambda t: self._order(t, flight, seats), default=-1)

    def _order(
        self, t: int, flight: Operation, seats: tuple[int, int, int] | None
    ) -> tuple[bool, bool, bool, bool, int, str]:
        """What comes first."""
        others = seats is not None and self.tails[t].seats != seats
        service = self.tails[t].service
        home = service is not None and service.airport == flight.destination and flight.arrival <= service.start
        return self.onward[t] != flight.name, self.at[t] == "", others, not home, self.ready[t], self.tails[t].name


def _anything(_tail: Tail, _flight: Operation, _flown: int) -> bool:
    return True


def _misses(tail: Tail, flight: Operation, _flown: int) -> bool:
    """Whether the aircraft is not in maintenance meanwhile."""
    return not _meets(tail, flight)


def _meets(tail: Tail, flight: Operation) -> bool:
    """Whether the aircraft is in maintenance meanwhile."""
    service = tail.service
    return service is not None and service.start < flight.arrival and flight.departure < service.end


def _keeps(tail: Tail, flight: Operation, flown: int) -> bool:
    """Whether the aircraft can fly this, and still be in time for its maintenance, within the minutes it may fly."""
    service = tail.service
    if service is None or flight.departure >= service.end:
        return True
    takes = flight.arrival - flight.departure
    if flight.destination == service.airport:
        return flight.arrival <= service.start and flown + takes <= service.minutes
    return flight.arrival + tail.turn + takes <= service.start and flown + 2 * takes <= service.minutes


def _in_time(next_: Operation, flight: Operation, tail: Tail) -> bool:
    """Whether the aircraft can fly this one before a flight that it was given."""
    return flight.destination == next_.origin and flight.arrival + tail.turn <= next_.departure


def placed(
    schedule: Schedule, tails: Sequence[Tail], aircraft: Sequence[int], notes: Notes
) -> tuple[list[Tail], list[int]]:
    """The aircraft with an airport each, and with times and range that let them fly what is planned; who had none.

    What is planned is a fact, so a turn-round that the schedule undercuts is lowered to it.
    """
    result, last = list(tails), [-1] * len(tails)
    for i, flight in enumerate(schedule.flights):
        t = aircraft[i]
        if t < 0:
            continue
        tail, before = result[t], last[t]
        last[t] = i
        if before < 0 and not tail.airport:
            notes.take("aircraft without airport, that of their first flight taken")
            tail = replace(tail, airport=flight.origin)
        elif before >= 0:
            ground = flight.departure - schedule.flights[before].arrival
            if schedule.before(i) == before:
                if ground < tail.transit:
                    notes.take("transit times lowered to what is planned")
                    tail = replace(tail, transit=ground)
            elif ground < tail.turn:
                notes.take("turn-round times lowered to what is planned")
                tail = replace(tail, turn=ground)
        if flight.arrival - flight.departure > tail.range:
            notes.take("ranges raised to what is planned")
            tail = replace(tail, range=flight.arrival - flight.departure)
        result[t] = tail
    idle = [t for t, tail in enumerate(result) if not tail.airport]
    return result, idle


def kept_services(
    schedule: Schedule, tails: Sequence[Tail], aircraft: Sequence[int], given: Sequence[int], start: int, notes: Notes
) -> list[Tail]:
    """The aircraft, without maintenances that began before the recovery period and that no rotation was given for, if
    first in, first out missed them: nobody can mend the past, and nobody said it was so.
    """
    result = list(tails)
    for t, tail in enumerate(tails):
        service = tail.service
        mine = [i for i in range(len(aircraft)) if aircraft[i] == t]
        if service is None or service.start >= start or all(given[i] >= 0 for i in mine):
            continue
        before = [schedule.flights[i] for i in mine if schedule.flights[i].departure < service.start]
        at = before[-1].destination if before else tail.airport
        flown = sum(flight.arrival - flight.departure for flight in before)
        flies = any(_meets(tail, schedule.flights[i]) for i in mine)
        if at != service.airport or flown > service.minutes or flies:
            notes.take("maintenances before the recovery period left out, first in, first out missed them")
            result[t] = replace(tail, service=None)
    return result
