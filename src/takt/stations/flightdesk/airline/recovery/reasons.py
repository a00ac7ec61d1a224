"""Why a plan decides what it decides, read off the day: what stood in the way of the plan as it was.

A reason is what a controller can check: the aircraft is grounded, in maintenance or late; the flight is too long for
it, or would land after the recovery period; an airport takes no more in that hour; people connect. What groundings and
maintenances rule out is asked of the functions that `check` asks. Where nothing stands in the way it says so: the
search found it cheaper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
    DAY,
    Closures,
    Instance,
    Ints,
    capacity_at,
    given_departures,
)
from takt.stations.flightdesk.airline.recovery.decisions import Decision, Kind
from takt.stations.flightdesk.airline.rules import during_service, while_grounded
from takt.stations.flightdesk.airline.solution import Solution

MOST = 2  # reasons of one decision
NAMED = 4  # flights


class Reasons:
    """Why, for the decisions of one plan: `of(decision)` is a few plain phrases, the most binding first."""

    def __init__(self, instance: Instance, solution: Solution) -> None:
        self.instance, self.o = instance, solution.operations
        o, flights, a = self.o, instance.flights, instance.aircraft
        self.given = given_departures(flights)
        self.lasts = flights.arrival - flights.departure
        self.planned_before = _before(flights.aircraft, flights.departure, np.ones(len(flights.number), dtype=np.bool_))
        self.flown_before = _before(o.aircraft, o.departure, o.aircraft >= 0)
        self.flying: dict[int, list[int]] = defaultdict(list)
        for row in np.argsort(o.departure, kind="stable").tolist():
            if o.aircraft[row] >= 0:
                self.flying[int(o.aircraft[row])].append(row)
        self.used: dict[tuple[int, int, int], int] = defaultdict(int)  # (departures or arrivals, airport, hour) -> now
        counted = (o.aircraft >= 0) & ~np.where(o.aircraft >= 0, a.surface[o.aircraft], False)
        for side, at, when in ((0, o.origin, o.departure), (1, o.destination, o.arrival)):
            for airport, hour in zip(at[counted].tolist(), (when[counted] // 60).tolist(), strict=True):
                self.used[side, airport, hour] += 1
        self.aboard, self.onward = _people(solution)

    def of(self, decision: Decision) -> str:
        by_kind = {Kind.CANCEL: self._cancel, Kind.DELAY: self._delay, Kind.SWAP: self._swap, Kind.CREATE: self._create}
        found = list(dict.fromkeys(by_kind[decision.kind](decision)))
        return "; ".join(found[:MOST])

    # --- by kind ------------------------------------------------------------------------------------------------------

    def _cancel(self, decision: Decision) -> list[str]:
        run = [int(self.o.planned[row]) for row in decision.rows]
        found = [what for f in run for what in self._in_the_way(f, decision.aircraft, run)]
        free = self._instead(run, decision.aircraft)
        if not found:
            cheap = "moving its people costs less than flying it" if decision.charge.total < 0 else ""
            freed = f"it frees its aircraft for {free}" if free else ""
            found.append(
                "nothing forces it: " + (" and ".join(filter(None, (cheap, freed))) or "the search found no better")
            )
        return found

    def _delay(self, decision: Decision) -> list[str]:
        row, o = decision.rows[0], self.o
        f = int(o.planned[row])
        given = int(self.given[f])
        lands = given + int(self.lasts[f])
        found = []
        before = self.flown_before[row]
        turn = self._turn(decision.aircraft, f, int(o.planned[before]) if before >= 0 else -1)
        if before >= 0 and o.arrival[before] + turn > given:
            lands_at = self._clock(o.arrival[before])
            found.append(f"its aircraft lands as {self._row(before)} at {lands_at}, and turns in {turn} min")
        found += [
            f"its aircraft is {what} until {self._clock(end)}"
            for _, end, what in self._ruled_out(f, decision.aircraft)
            if given < end <= o.departure[row]
        ]
        waiting = [(r, people) for r, people in self.onward[row] if o.arrival[r] + CONNECTION > given]
        if waiting:
            people = sum(people for _, people in waiting)
            whom = f"{people} people who connect" if people > 1 else "one who connects"
            found.append(f"waits for {whom} from {self._row(max(waiting, key=lambda w: w[1])[0])}")
        found += self._full(0, int(o.origin[row]), given, int(o.departure[row]))
        found += self._full(1, int(o.destination[row]), lands, int(o.arrival[row]))
        return found or ["nothing forces it in this plan: the search found no better time"]

    def _swap(self, decision: Decision) -> list[str]:
        row = decision.rows[0]
        f = int(self.o.planned[row])
        tail, name, seats = decision.aircraft, self.instance.aircraft.name, self.instance.aircraft.seats
        run = [int(self.o.planned[r]) for r in decision.rows]
        found = []
        for planned in dict.fromkeys(self.instance.flights.aircraft[run].tolist()):
            mine = [g for g in run if self.instance.flights.aircraft[g] == planned]
            ways = [what for g in mine for what in self._in_the_way(g, planned, run, slots=False)]
            found += [what.replace("its aircraft", name[planned], 1) for what in ways]
            if not ways and (other := self._instead([g for g in mine], planned)):
                found.append(f"{name[planned]} flies {other} instead")
        more = int(seats[decision.other].clip(0).sum() - seats[tail].clip(0).sum())
        aboard = self.aboard[row]
        if more > 0 and aboard > seats[tail].clip(0).sum():
            found.append(f"{aboard} people aboard {self._flight(f)}, {more} more seats")
        saved = self.instance.aircraft.hour_cost[tail] - self.instance.aircraft.hour_cost[decision.other]
        if not found and saved > 0:
            found.append(f"{name[decision.other]} flies for {saved:,.0f} EUR an hour less")
        return found or [f"nothing forces it: it frees {name[tail]} for other flights"]

    def _create(self, decision: Decision) -> list[str]:
        o, code = self.o, self.instance.airports.code
        aboard = sum(self.aboard[row] for row in decision.rows)
        if aboard:
            return [f"carries {aboard} rebooked people"]
        after = [r for r in self.flying[decision.aircraft] if o.departure[r] > o.departure[decision.rows[-1]]]
        at = int(o.destination[decision.rows[-1]])
        a = self.instance.aircraft
        if a.service_airport[decision.aircraft] == at and (
            not after or o.departure[after[0]] >= a.service_start[decision.aircraft]
        ):
            return [f"flies empty to its maintenance at {code[at]}"]
        if after:
            return [f"flies empty to {code[at]}, where it is needed for {self._row(after[0])}"]
        return [f"flies empty to {code[at]}, where such an aircraft is wanted at the end"]

    # --- what stands in the way of a flight as it was given ---------------------------------------------------------

    def _in_the_way(self, f: int, tail: int, run: Sequence[int], slots: bool = True) -> list[str]:
        """What keeps the planned aircraft from flying the flight when it was to; not what the `run` itself decides."""
        flights = self.instance.flights
        leaves = int(self.given[f])
        lands = leaves + int(self.lasts[f])
        found = []
        for block in self._ruled_out(f, tail):
            start, end, what = block
            said = f"its aircraft is {what} from {self._clock(start)} to {self._clock(end)}"
            if any(self.given[g] >= end and block in self._ruled_out(g, tail) for g in run):
                said += f", and may fly nothing more that is dated {self.instance.day(start // DAY)[:5]}"
            found.append(said)
        reach = int(self.instance.aircraft.range[tail])
        if self.lasts[f] > reach:
            found.append(f"it takes {self.lasts[f]} min, beyond its aircraft's range of {reach}")
        if lands > self.instance.end:
            found.append(f"it would land at {self._clock(lands)}, after the recovery period")
        before = self.planned_before[f]
        if before >= 0 and before not in run:
            lands_at = int(flights.arrival[before] + flights.delay[before])
            late = lands_at + self._turn(tail, f, before) - leaves
            if flights.cancelled[before]:
                found.append(f"{self._flight(before)} before it was cancelled by the disruption")
            elif late > 0 and flights.delay[before] > 0:
                found.append(f"its aircraft comes {late} min too late, from {self._flight(before)}")
        if slots:
            found += self._full(0, int(flights.origin[f]), leaves)
            found += self._full(1, int(flights.destination[f]), lands)
        return found

    def _turn(self, tail: int, f: int, before: int) -> int:
        """Minutes on the ground between two planned flights; `before`: -1 if it was not planned."""
        aircraft, previous = self.instance.aircraft, int(self.instance.flights.previous[f])
        return int((aircraft.transit if previous >= 0 and previous == before else aircraft.turn)[tail])

    def _ruled_out(self, f: int, tail: int) -> list[tuple[int, int, str]]:
        """When and why an aircraft may not fly a flight that leaves when it was to: from, until, what."""
        a, g, code = self.instance.aircraft, self.instance.groundings, self.instance.airports.code
        day, leaves, lands = self.instance.flights.day[f], self.given[f], self.given[f] + self.lasts[f]
        found = [
            (int(g.start[i]), int(g.end[i]), "grounded")
            for i in np.flatnonzero(g.aircraft == tail).tolist()
            if while_grounded(g.start[i], g.end[i], day, leaves, lands)
        ]
        start, end = a.service_start[tail], a.service_end[tail]
        if a.service_airport[tail] >= 0 and during_service(start, end, leaves, lands):
            found.append((int(start), int(end), f"in maintenance at {code[a.service_airport[tail]]}"))
        return found

    def _instead(self, run: Sequence[int], tail: int) -> str:
        """What an aircraft flies in the time in which it was to fly these flights: "4601, 4596"; "" if nothing."""
        first, last = int(self.given[run].min()), int((self.given + self.lasts)[run].max())
        o = self.o
        rows = [
            r for r in self.flying[tail] if o.departure[r] < last and first < o.arrival[r] and o.planned[r] not in run
        ]
        return ", ".join(self._row(row) for row in rows[:NAMED]) + f" and {len(rows) - NAMED} more" * (
            len(rows) > NAMED
        )

    def _full(self, side: int, airport: int, minute: int, now: int = -1) -> list[str]:
        """Whether an airport takes no more departures (side 0) or arrivals (1) in this hour, in this plan.

        now   when the flight in question itself leaves or lands there in this plan; -1: it does not.
        """
        hour, what = minute // 60, ("departures", "arrivals")[side]
        takes = int(capacity_at(self.instance, np.array([airport]), np.array([hour]))[side][0])
        others = self.used[side, airport, hour] - (now // 60 == hour)
        if others < takes:
            return []
        usual = replace(self.instance, closures=_none(self.instance.closures))
        most = int(capacity_at(usual, np.array([airport]), np.array([hour]))[side][0])
        said = f"{self.instance.airports.code[airport]} takes {takes} {what if takes != 1 else what[:-1]}"
        said += f" in the hour from {self._clock(60 * hour)}" + f" instead of {most}" * (most != takes)
        return [said + ", all taken" * (takes > 0)]

    def _clock(self, minute: int | np.integer) -> str:
        return self.instance.clock(minute)

    def _flight(self, f: int) -> str:
        return str(self.instance.flights.number[f])

    def _row(self, row: int) -> str:
        return str(self.o.number[row])


def _none(closures: Closures) -> Closures:
    """No closures."""
    none = np.zeros(0, dtype=np.int64)
    return replace(closures, **dict.fromkeys(("airport", "start", "end", "departures", "arrivals"), none))


def _before(aircraft: Ints, departure: Ints, flown: np.ndarray) -> list[int]:
    """The flight that the same aircraft flies before each, or -1."""
    before = np.full(len(aircraft), -1, dtype=np.int64)
    order = np.lexsort((departure, aircraft))
    order = order[flown[order]]
    same = aircraft[order][1:] == aircraft[order][:-1]
    before[order[1:][same]] = order[:-1][same]
    return before.tolist()


def _people(solution: Solution) -> tuple[list[int], dict[int, list[tuple[int, int]]]]:
    """By row: people aboard; and the rows that people come from who board it, with how many."""
    t = solution.trips
    aboard = [0] * len(solution.operations.number)
    onward: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    first, rows, people = t.first.tolist(), t.leg_row.tolist(), t.passengers.tolist()
    for i in range(len(people)):
        for j in range(first[i], first[i + 1]):
            aboard[rows[j]] += people[i]
            if j > first[i]:
                onward[rows[j]][rows[j - 1]] += people[i]
    return aboard, defaultdict(list, {row: list(from_.items()) for row, from_ in onward.items()})
