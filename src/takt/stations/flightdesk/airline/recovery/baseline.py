"""Two plans to beat, both valid and both made in a second.

`do_nothing` keeps every flight that can still leave at its time, cancels the others and whatever depends on them.
`greedy_delay` lets a flight leave later if its aircraft, a slot or a maintenance needs it to. Neither swaps aircraft or
rebooks anybody: a group that cannot travel as it booked does not travel. Only an aircraft that would miss its
maintenance, or a flight that it must fly, flies there empty.

Frozen flights (delayed by the disruption, surface transport) have their slots before all others. Aircraft are planned
one after the other, those with a maintenance first, each at its least cost with what the ones before it have left of
the airports' slots: a shortest path over the aircraft's own flights in their order, through every frozen one, whose
labels are (cost so far, time of departure). What a flight costs to cancel or to delay is estimated from its passengers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from takt.stations.flightdesk.airline.cost import flight_hours, tariff
from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
    DAY,
    Flags,
    Floats,
    Instance,
    Ints,
    capacities,
    distance_tables,
    frozen_flights,
    given_departures,
    journeys,
)
from takt.stations.flightdesk.airline.rules import LATEST
from takt.stations.flightdesk.airline.solution import Created, Operations, Solution, Trips, operations_of, trips_of

LABELS = 8  # kept per flight: no rotation needs more than a few
FLIGHT = 1000.0  # EUR on top for a flight cancelled: these planners do not cancel to save money
START, FERRY = -1, -2
ANY_DAY = -1


def do_nothing(instance: Instance) -> Solution:
    """Cancel what cannot fly at its time, and the passengers who needed it."""
    return _solution(instance, most_delay=0)


def greedy_delay(instance: Instance) -> Solution:
    """Delay what can fly later, cancel what cannot, and the passengers who needed it."""
    return _solution(instance, most_delay=DAY)


def _solution(instance: Instance, most_delay: int) -> Solution:
    departure, flown, ferries = rotations(instance, most_delay)
    operations = operations_of(instance, departure, np.where(flown, instance.flights.aircraft, -1), ferries)
    return Solution(operations, as_booked(instance, operations))


# --- passengers -------------------------------------------------------------------------------------------------------


def as_booked(instance: Instance, operations: Operations) -> Trips:
    """Every group on its own flights or, if it cannot be, cancelled after what it has flown already.

    Groups who are cancelled on their way come last in the file: the cost checker makes cancelled lines behind them pay
    the inbound tariff.
    """
    bookings, booked = instance.bookings, journeys(instance)
    leg, begins, ends = bookings.leg_flight, bookings.first[:-1], bookings.first[1:]
    gone = operations.aircraft[leg] < 0
    missed = np.zeros(len(leg), dtype=np.bool_)
    missed[1:] = operations.departure[leg[1:]] < operations.arrival[leg[:-1]] + CONNECTION
    missed[begins] = False
    works = ~np.logical_or.reduceat(gone | missed, begins)
    late = operations.arrival[leg[ends - 1]] - booked.arrival
    works &= bookings.inbound | (late <= np.array(LATEST)[booked.reach])
    works |= booked.begun == ends - begins
    legs = list(zip(leg.tolist(), bookings.leg_cabin.tolist(), strict=True))
    lines, stranded = [], []
    for b, (first, last, works_b) in enumerate(zip(begins.tolist(), ends.tolist(), works.tolist(), strict=True)):
        people = int(bookings.passengers[b])
        if works_b:
            lines.append((b, people, legs[first:last], False))
        elif not booked.begun[b]:
            lines.append((b, people, [], True))
        else:
            stranded.append((b, people, legs[first : first + int(booked.begun[b])], True))
    return trips_of(instance, operations, lines + stranded)


# --- aircraft ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Label:
    """A rotation up to and with one flight: what it has cost, where and when it lands, and the label before.

    flight   index into `Flights`, START before the first, or FERRY.
    minutes  flown in all.
    """

    cost: float
    flight: int
    departure: int
    arrival: int
    airport: int
    minutes: int
    before: _Label | None


def rotations(instance: Instance, most_delay: int) -> tuple[Ints, Flags, list[Created]]:
    """When each flight leaves, whether it is flown, and the ferry flights. `most_delay`: minutes later by choice."""
    flights, aircraft = instance.flights, instance.aircraft
    departure, frozen = given_departures(flights), frozen_flights(instance)
    flown = frozen & ~flights.cancelled
    ferries: list[Created] = []
    slots = _Slots(instance, flown)
    lost, late = _stakes(instance)
    for a in sorted(range(len(aircraft.name)), key=lambda a: (aircraft.service_airport[a] < 0, a)):
        own = np.flatnonzero(flights.aircraft == a)
        own = own[np.lexsort((flights.arrival[own], departure[own]))]
        home = int(flights.destination[own[-1]]) if len(own) else int(aircraft.airport[a])
        start = _Label(0.0, START, -DAY, -DAY, int(aircraft.airport[a]), 0, None)
        for i in own[flown[own] & (departure[own] < instance.start)].tolist():
            takes = int(flights.arrival[i] - flights.departure[i])
            leaves, to = int(departure[i]), int(flights.destination[i])
            start = _Label(0.0, i, leaves, leaves + takes, to, start.minutes + takes, None)
        ahead = own[~flights.cancelled[own] & (departure[own] >= instance.start)].tolist()
        search = _Search(instance, a, slots, lost, late, most_delay, frozen)
        for label in search.best(start, ahead, home, False) or search.best(start, ahead, home, True):
            if label.flight != FERRY and frozen[label.flight]:
                continue
            came_from = label.before.airport if label.before else label.airport
            slots.take(came_from, label.airport, label.departure, label.arrival, a)
            if label.flight == FERRY:
                ferries.append(Created(came_from, label.airport, label.departure, label.arrival, a))
            else:
                departure[label.flight], flown[label.flight] = label.departure, True
    return departure, flown, ferries


class _Search:
    """The shortest path for one aircraft: which of its flights to fly and when."""

    def __init__(
        self, instance: Instance, a: int, slots: _Slots, lost: Floats, late: Floats, most_delay: int, frozen: Flags
    ) -> None:
        aircraft, grounded = instance.aircraft, instance.groundings
        self.frozen = frozen
        self.instance, self.a, self.slots, self.lost, self.late = instance, a, slots, lost, late
        self.most_delay = most_delay
        self.minutes, _ = distance_tables(instance)
        self.service = int(aircraft.service_airport[a])
        self.due, self.back = int(aircraft.service_start[a]), int(aircraft.service_end[a])
        mine = grounded.aircraft == a
        self.away = [
            (since, until, since // DAY)
            for since, until in zip(grounded.start[mine].tolist(), grounded.end[mine].tolist(), strict=True)
        ]
        if self.service >= 0:
            self.away.append((self.due, self.back, ANY_DAY))

    def best(self, start: _Label, ahead: list[int], home: int, ferry: bool) -> list[_Label]:
        """What to fly of `ahead`, in order, after `start`. [] if nothing, or if what must be cannot be."""
        skipped = np.concatenate([[0.0], np.cumsum(self.lost[ahead])]).tolist()
        must = [i for i in ahead if self.frozen[i]]
        reached = [(0, [start, *self._ferries([start], must[:1], ferry)])]  # (how many of `ahead` are behind, labels)
        for n, i in enumerate(ahead):
            labels = [
                new
                for k, earlier in reached
                for label in earlier
                if (new := self._extended(label, i, skipped[n] - skipped[k])) is not None
            ]
            if self.frozen[i]:
                reached, must = [], must[1:]
            if labels:
                kept = _undominated(labels)
                reached.append((n + 1, kept + self._ferries(kept, must[:1], ferry)))
        family = self.instance.prices.family
        ends = [
            (label.cost + skipped[-1] - skipped[k] + family * (label.airport != home), k, label)
            for k, labels in reached
            for label in labels
            if self._serviced(label)
        ]
        path: list[_Label] = []
        at = min(ends, key=lambda end: end[:2])[2] if ends else None
        while at is not None and at.before is not None:
            path.append(at)
            at = at.before
        return path[::-1]

    def _serviced(self, label: _Label) -> bool:
        """Whether its maintenance is behind it, or is where it stands."""
        return self._passed(label) or label.airport == self.service

    def _passed(self, label: _Label) -> bool:
        return self.service < 0 or label.departure >= self.due or self.due < self.instance.start

    def _extended(self, label: _Label, i: int, skipped: float) -> _Label | None:
        """The label with flight i after it, at the first time that is possible, or None."""
        flights, aircraft = self.instance.flights, self.instance.aircraft
        linked = int(flights.previous[i])
        if label.airport != flights.origin[i]:
            return None
        if linked >= 0 and label.flight != linked and linked in _flown(label):
            return None  # two legs of one flight, and another flight between them
        turn = int((aircraft.transit if linked >= 0 and label.flight == linked else aircraft.turn)[self.a])
        given, scheduled = int(flights.departure[i] + flights.delay[i]), int(flights.departure[i])
        takes = int(flights.arrival[i]) - scheduled
        to, ready = int(flights.destination[i]), max(given, label.arrival + turn)
        t: int | None
        if self.frozen[i]:
            t = given if ready == given else None
        else:
            t = self._leaves(label.airport, to, takes, ready, given + self.most_delay, int(flights.day[i]))
        if t is None or (t >= self.due and not self._serviced(label)):
            return None
        cost = label.cost + skipped + float(self.late[i]) * (t - scheduled)
        return _Label(cost, i, t, t + takes, to, label.minutes + takes, label)

    def _leaves(self, origin: int, to: int, takes: int, t: int, latest: int, day: int) -> int | None:
        """The first minute from t to `latest` at which a flight can leave. `day`: of its row; ANY_DAY: when it leaves.

        On the day on which a grounding begins nothing flies after that beginning, by the row's date.
        """
        latest = min(latest, self.instance.end - takes)
        while t <= latest:
            later = t
            for start, end, begins in self.away:
                dated = (t // DAY if day == ANY_DAY else day) == begins
                if t + takes > start and (t < end or dated):
                    if dated and day != ANY_DAY:
                        return None
                    later = max(later, end, (begins + 1) * DAY if dated else end)
            later = max(later, self.slots.next(origin, to, t, takes, self.a))
            if later == t:
                return t
            t = later
        return None

    def _ferries(self, labels: list[_Label], must: list[int], ferry: bool) -> list[_Label]:
        """The labels with an empty flight after them, or with two if one is too far.

        They go to the maintenance, and to where the next flight leaves that must be flown, `must`.
        """
        if not ferry:
            return []
        flights, turn, ferries = self.instance.flights, int(self.instance.aircraft.turn[self.a]), []
        for label in labels:
            goals = [(int(flights.origin[i]), int(flights.departure[i] + flights.delay[i]) - turn) for i in must]
            if not self._serviced(label):
                goals.append((self.service, self.due))
            for goal, due in goals:
                if label.airport == goal:
                    continue
                onward = self.minutes[:, goal]
                by_detour = np.argsort(self.minutes[label.airport] + onward, kind="stable").tolist()
                stops = [stop for stop in by_detour if self.minutes[label.airport, stop] > 0 and onward[stop] > 0]
                ways = ([goal], *([stop, goal] for stop in stops))
                ferries += next((path for way in ways if (path := self._along(label, way, due))), [])[-1:]
        return ferries

    def _along(self, label: _Label, way: list[int], due: int) -> list[_Label]:
        """The label with an empty flight to each airport of `way` after it; [] if it is not there by `due`."""
        aircraft, a = self.instance.aircraft, self.a
        if aircraft.surface[a]:
            return []
        path: list[_Label] = []
        for to in way:
            takes = int(self.minutes[label.airport, to])
            minutes = label.minutes + takes
            if not 0 < takes <= aircraft.range[a]:
                return []
            if not self._passed(label) and minutes > aircraft.service_minutes[a]:
                return []
            ready = max(self.instance.start, label.arrival + int(aircraft.turn[a]))
            t = self._leaves(label.airport, to, takes, ready, due - takes, ANY_DAY)
            if t is None:
                return []
            cost = label.cost + float(flight_hours(np.array(takes)) * aircraft.hour_cost[a])
            label = _Label(cost, FERRY, t, t + takes, to, minutes, label)
            path.append(label)
        return path


def _flown(label: _Label | None) -> Iterator[int]:
    while label is not None:
        yield label.flight
        label = label.before


def _undominated(labels: list[_Label]) -> list[_Label]:
    kept: list[_Label] = []
    for label in sorted(labels, key=lambda label: (label.cost, label.departure)):
        if not kept or label.departure < kept[-1].departure:
            kept.append(label)
    return kept[:LABELS]


def _stakes(instance: Instance) -> tuple[Floats, Floats]:
    """Of each flight: EUR lost if it is cancelled, and per minute that it is late."""
    bookings, rates, count = instance.bookings, tariff(instance), len(instance.flights.number)
    alpha, beta, _ = instance.prices.weights
    owner = np.repeat(np.arange(len(bookings.number)), np.diff(bookings.first))
    each = np.where(bookings.inbound, rates.inbound, rates.outbound) * beta + rates.refund * alpha
    lost = np.bincount(bookings.leg_flight, weights=(each * bookings.passengers)[owner], minlength=count)
    late = np.bincount(bookings.leg_flight, weights=(rates.minute * bookings.passengers)[owner], minlength=count)
    return np.asarray(lost + FLIGHT), np.asarray(beta * late + 1e-3)  # of two equal plans, the more punctual


class _Slots:
    """What is left of the airports' hours."""

    def __init__(self, instance: Instance, flown: Flags) -> None:
        flights, self.surface = instance.flights, instance.aircraft.surface.tolist()
        given, takes = given_departures(flights), flights.arrival - flights.departure
        latest = max(int((given + takes).max()), instance.end) + DAY
        self.departures, self.arrivals = capacities(instance, latest // 60 + 1)
        for i in np.flatnonzero(flown):
            ends = int(flights.origin[i]), int(flights.destination[i])
            self.take(*ends, int(given[i]), int(given[i] + takes[i]), int(flights.aircraft[i]))

    def take(self, origin: int, destination: int, departure: int, arrival: int, aircraft: int) -> None:
        if not self.surface[aircraft]:
            self.departures[origin, departure // 60] -= 1
            self.arrivals[destination, arrival // 60] -= 1

    def next(self, origin: int, destination: int, t: int, takes: int, aircraft: int) -> int:
        """The first minute at or after t worth trying: t itself if both of its hours have room."""
        if self.surface[aircraft]:
            return t
        if self.departures[origin, t // 60] <= 0:
            return (t // 60 + 1) * 60
        if self.arrivals[destination, (t + takes) // 60] <= 0:
            return ((t + takes) // 60 + 1) * 60 - takes
        return t
