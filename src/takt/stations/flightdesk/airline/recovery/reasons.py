"""Why a plan decides what it decides, read off the day: what stood in the way of the plan as it was.

A reason is what a controller can check: the aircraft is grounded, in maintenance or late; an airport takes no more in
that hour; people connect. Where nothing stands in the way it says so: the search found it cheaper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
    Closures,
    Instance,
    Ints,
    capacity_at,
    given_departures,
)
from takt.stations.flightdesk.airline.recovery.decisions import Decision, Kind
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
        self.blocks: dict[int, list[tuple[int, int, str]]] = defaultdict(list)  # aircraft -> from, until, what
        g = instance.groundings
        for i, tail in enumerate(g.aircraft.tolist()):
            self.blocks[tail].append((int(g.start[i]), int(g.end[i]), "grounded"))
        for tail in np.flatnonzero(a.service_airport >= 0).tolist():
            where = instance.airports.code[a.service_airport[tail]]
            self.blocks[tail].append(
                (int(a.service_start[tail]), int(a.service_end[tail]), f"in maintenance at {where}")
            )
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
        row, o, instance = decision.rows[0], self.o, self.instance
        f = int(o.planned[row])
        given = int(self.given[f])
        lands = given + int(self.lasts[f])
        found = []
        before = self.flown_before[row]
        turn = int(instance.aircraft.turn[decision.aircraft])
        if before >= 0 and o.arrival[before] + turn > given:
            lands_at = self._clock(o.arrival[before])
            found.append(f"its aircraft lands as {self._row(before)} at {lands_at}, and turns in {turn} min")
        for start, end, what in self.blocks[decision.aircraft]:
            if start < lands and given < end <= o.departure[row]:
                found.append(f"its aircraft is {what} until {self._clock(end)}")
        waiting = [(r, people) for r, people in self.onward[row] if o.arrival[r] + CONNECTION > given]
        if waiting:
            people = sum(people for _, people in waiting)
            found.append(f"waits for {people} people who connect from {self._row(max(waiting, key=lambda w: w[1])[0])}")
        found += self._full(int(o.origin[row]), given, 0, "departures") + self._full(
            int(o.destination[row]), lands, 1, "arrivals"
        )
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
        for start, end, what in self.blocks[tail]:
            if start < lands and leaves < end:
                found.append(f"its aircraft is {what} from {self._clock(start)} to {self._clock(end)}")
        before = self.planned_before[f]
        if before >= 0 and before not in run:
            turn = int(self.instance.aircraft.turn[tail])
            late = int(flights.arrival[before] + flights.delay[before]) + turn - leaves
            if flights.cancelled[before]:
                found.append(f"{self._flight(before)} before it was cancelled by the disruption")
            elif late > 0 and flights.delay[before] > 0:
                found.append(f"its aircraft comes {late} min too late, from {self._flight(before)}")
        if slots:
            found += self._full(int(flights.origin[f]), leaves, 0, "departures")
            found += self._full(int(flights.destination[f]), lands, 1, "arrivals")
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

    def _full(self, airport: int, minute: int, side: int, what: str) -> list[str]:
        """Whether an airport takes no more flights in this hour, in this plan."""
        hour = minute // 60
        takes = int(capacity_at(self.instance, np.array([airport]), np.array([hour]))[side][0])
        if self.used[side, airport, hour] < takes:
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
