"""Who flies what: as rotations.csv says, or first in, first out by type."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes
from takt.stations.flightdesk.airline.imports.operations import Operation
from takt.stations.flightdesk.airline.imports.problems import Broken, Problems
from takt.stations.flightdesk.airline.imports.schedule import Outside, Schedule
from takt.stations.flightdesk.airline.imports.ssim import Leg, columns
from takt.stations.flightdesk.airline.imports.tables import Row, each
from takt.stations.flightdesk.airline.imports.tails import Tail

ROTATIONS, ROTATIONS_TOO = ("flight", "date", "aircraft"), ("origin", "destination")
NEVER_FLOWN = -(10**9)


Families = Mapping[str, set[str]]


def families(schedule: Schedule, tails: Sequence[Tail], defaults: Defaults) -> Families:
    """By type of the schedule: the families whose aircraft may fly it; none if nobody knows the type.

    That is its own family, as aircraft.csv says it; of a type that the fleet has not, that of types which by the
    defaults are of the same.
    """

    def of(kind: str) -> set[str]:
        own = {tail.family for tail in tails if tail.type == kind}
        family = defaults.type(kind).get("family")
        if own or family is None:
            return own
        return {tail.family for tail in tails if defaults.type(tail.type).get("family") == family} | {family}

    return {kind: of(kind) for kind in {flight.aircraft for flight in schedule.flights}}


def as_given(
    rows: Sequence[Row], file: str, schedule: Schedule, known: Mapping[str, int], problems: Problems
) -> tuple[list[int], list[int]]:
    """The aircraft of each flight by rotations.csv, -1 where it says none, and the line that says so.

    `known` are the aircraft by name, -1 for one whose own line is broken.
    """
    aircraft, line = [-1] * len(schedule.flights), [0] * len(schedule.flights)

    def take(row: Row) -> None:
        tail = row.one_of("aircraft", known)
        for leg in schedule.legs(row):
            if isinstance(leg, Outside):
                continue
            if aircraft[leg] >= 0:
                raise row.wrong("flight", f"{row.get('flight')} has an aircraft already, in line {line[leg]}")
            aircraft[leg], line[leg] = tail, row.line

    for _ in each(rows, file, problems, take):
        pass
    return aircraft, line


def followed(
    aircraft: Sequence[int],
    line: Sequence[int],
    file: str,
    schedule: Schedule,
    tails: Sequence[Tail],
    alike: Families,
    defaults: Defaults,
    problems: Problems,
) -> None:
    """Whether the aircraft that were given are of the flights' families, and are where they leave."""
    last: dict[int, int] = {}
    for i, flight in enumerate(schedule.flights):
        if aircraft[i] < 0:
            continue
        tail = tails[aircraft[i]]
        before = last.get(aircraft[i], -1)
        last[aircraft[i]] = i
        where = schedule.flights[before].destination if before >= 0 else tail.airport
        known = alike[flight.aircraft]
        there = where in (flight.origin, "") or (before < 0 and _lands_there(schedule, flight, where))
        said = ""
        if tail.type != flight.aircraft and tail.family not in known:
            # Of a type that nobody knows, rotations are believed, but that a coach does not fly.
            if known or defaults.surface(tail.type) != defaults.surface(flight.aircraft):
                said = f"{tail.name} is of type {tail.type}, and {flight.name} is planned for a {flight.aircraft}"
        elif not there:
            said = f"{tail.name} is at {where} then, and {flight.name} leaves from {flight.origin}"
        elif before >= 0 and schedule.flights[before].arrival > flight.departure:
            said = f"{tail.name} is still flying {schedule.flights[before].name} then"
        if said:
            problems.add(file, line[i], Broken("aircraft", said))


def _lands_there(schedule: Schedule, flight: Operation, airport: str) -> bool:
    """Whether a flight in the air as the first day begins lands at the airport, which may be said to be its aircraft's:
    whoever writes down where aircraft are at midnight may mean that.
    """
    return flight.departure < schedule.begins and flight.destination == airport


def built(
    schedule: Schedule,
    tails: Sequence[Tail],
    aircraft: Sequence[int],
    seats: Sequence[tuple[int, int, int] | None],
    alike: Families,
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
        queue = _Queue(schedule, tails, aircraft, seats, alike, rule)
        if not queue.without:
            break
    notes.take("flights given to another type of the family, none of theirs was there", queue.other_types)
    missing: Counter[tuple[str, str]] = Counter()  # where an aircraft would be by now that was not there before
    for i in queue.without:
        flight = schedule.flights[i]
        follows = missing[flight.aircraft, flight.origin] > 0
        missing[flight.aircraft, flight.origin] -= follows
        missing[flight.aircraft, flight.destination] += 1
        if follows:
            continue
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
        alike: Families,
        rule: Rule,
    ) -> None:
        self.schedule, self.tails, self.alike, self.rule, self.result = schedule, tails, alike, rule, list(aircraft)
        self.at = [tail.airport for tail in tails]
        self.ready, self.flown = [NEVER_FLOWN] * len(tails), [0] * len(tails)
        self.onward = [""] * len(tails)
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
            if self._there(t, flight)
            and self.ready[t] <= flight.departure
            and self.rule(tail, flight, self.flown[t])
            and (not later.get(t) or _in_time(later[t][-1], flight, tail))
        ]
        same = [t for t in there if self.tails[t].type == flight.aircraft]
        alike = [t for t in there if self.tails[t].family in self.alike[flight.aircraft]]
        self.other_types += bool(alike and not same)
        return min(same or alike, key=lambda t: self._order(t, flight, seats), default=-1)

    def _there(self, t: int, flight: Operation) -> bool:
        fresh = self.ready[t] == NEVER_FLOWN
        return self.at[t] in (flight.origin, "") or (fresh and _lands_there(self.schedule, flight, self.at[t]))

    def _order(
        self, t: int, flight: Operation, seats: tuple[int, int, int] | None
    ) -> tuple[bool, bool, bool, bool, bool, int, str]:
        """What comes first."""
        others = seats is not None and self.tails[t].seats != seats
        service = self.tails[t].service
        home = service is not None and service.airport == flight.destination and flight.arrival <= service.start
        elsewhere = self.at[t] not in (flight.origin, "")
        nowhere = self.at[t] == ""
        ready, name = self.ready[t], self.tails[t].name
        return self.onward[t] != flight.name, elsewhere, nowhere, others, not home, ready, name


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
        if before < 0 and tail.airport != flight.origin:
            where = "said to be where they land" if tail.airport else "without airport"
            notes.take(f"aircraft {where}, that of their first flight taken")
            tail = replace(tail, airport=flight.origin)
        elif before >= 0:
            ground = flight.departure - schedule.flights[before].arrival
            if schedule.tied(i) == before:
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
