"""Two plans to beat, both valid and both made in a second.

`do_nothing` keeps every flight that can still leave at its time, cancels the others and whatever depends on them.
`greedy_delay` lets a flight leave later if its aircraft, a slot or a maintenance needs it to. Neither swaps aircraft or
rebooks anybody: a group that cannot travel as it booked does not travel. Only an aircraft that would miss its
maintenance, or a flight that it must fly, flies there empty.

Frozen flights (delayed by the disruption, surface transport) have their slots before all others. Aircraft are planned
one after the other, those with a maintenance first, each at its least cost with what the ones before it have left of
the airports' slots: a shortest path over the aircraft's own flights in their order, through every frozen one, whose
labels are (cost so far, time of departure). What a flight costs to cancel or to delay is estimated from its passengers.

Where an aircraft is left no way through its frozen flights and to its maintenance, all is planned again: those who must
be somewhere first, and before them whoever had no way though it would have one if it came first. An aircraft that has
none even then breaks as few rules as it can, each at a frozen flight or at its maintenance, and keeps the flights that
break nothing.
"""

from __future__ import annotations

import numpy as np

from takt.stations.flightdesk.airline.cost import tariff
from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
    DAY,
    Flags,
    Floats,
    Instance,
    Ints,
    fixed_flights,
    frozen_flights,
    given_departures,
    journeys,
)
from takt.stations.flightdesk.airline.recovery.one_aircraft import FERRY, START, Label, Paths, Slots
from takt.stations.flightdesk.airline.rules import LATEST
from takt.stations.flightdesk.airline.solution import Created, Operations, Solution, Trips, operations_of, trips_of

ORDERS = 6  # in which aircraft are planned, at most
FLIGHT = 1000.0  # EUR on top for a flight cancelled: these planners do not cancel to save money


def do_nothing(instance: Instance) -> Solution:
    """Cancel what cannot fly at its time, and the passengers who needed it."""
    return _solution(instance, most_delay=0)


def greedy_delay(instance: Instance) -> Solution:
    """Delay what can fly later, cancel what cannot, and the passengers who needed it."""
    return _solution(instance, most_delay=DAY)


def delayed(instance: Instance, most_delay: int = DAY) -> Operations:
    """The flights of `greedy_delay`, without what becomes of passengers."""
    departure, flown, ferries = rotations(instance, most_delay)
    return operations_of(instance, departure, np.where(flown, instance.flights.aircraft, -1), ferries)


def _solution(instance: Instance, most_delay: int) -> Solution:
    operations = delayed(instance, most_delay)
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
    works &= ~_without_seats(instance, operations, works)
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


def _without_seats(instance: Instance, operations: Operations, works: Flags) -> Flags:
    """Which of the groups that could travel find a cabin full: those who lose least by it, one whole group at a time.

    Legs flown before the recovery period are nobody's to give up.
    """
    bookings, aircraft, begun = instance.bookings, instance.aircraft, journeys(instance).begun
    leg, cabin, first = bookings.leg_flight, bookings.leg_cabin, bookings.first
    owner = np.repeat(np.arange(len(works)), np.diff(first))
    left = aircraft.seats[operations.aircraft].copy()
    left[aircraft.surface[operations.aircraft]] = np.iinfo(np.int64).max // 2
    flown = np.arange(len(leg)) - first[owner] < begun[owner]
    on = flown | works[owner]
    np.subtract.at(left, (leg[on], cabin[on]), bookings.passengers[owner[on]])
    without = np.zeros(len(works), dtype=np.bool_)
    if left[operations.aircraft >= 0].min(initial=0) >= 0:
        return without
    rates = tariff(instance)
    each = np.where(bookings.inbound, rates.inbound, rates.outbound) + rates.refund
    for b in np.argsort(each * bookings.passengers, kind="stable").tolist():
        ahead = slice(int(first[b] + begun[b]), int(first[b + 1]))
        seats = leg[ahead], cabin[ahead]
        if works[b] and len(seats[0]) and left[seats].min() < 0:
            without[b] = True
            np.add.at(left, seats, bookings.passengers[b])
    return without


# --- aircraft ---------------------------------------------------------------------------------------------------------


def rotations(instance: Instance, most_delay: int) -> tuple[Ints, Flags, list[Created]]:
    """When each flight leaves, whether it is flown, and the ferry flights. `most_delay`: minutes later by choice."""
    planning = _Planning(instance, most_delay)
    front: list[int] = []
    best, broken = planning.rotations(planning.order(front))
    fewest = sum(broken.values())
    for _ in range(1, ORDERS):
        stuck = [a for a, rules in broken.items() if rules > planning.alone(a)]
        if not stuck:
            break
        front = stuck + [a for a in front if a not in stuck]
        found, broken = planning.rotations(planning.order(front))
        if sum(broken.values()) < fewest:
            best, fewest = found, sum(broken.values())
    return best


class _Planning:
    """Aircraft one after the other, in some order."""

    def __init__(self, instance: Instance, most_delay: int) -> None:
        self.instance, self.most_delay = instance, most_delay
        self.frozen = frozen_flights(instance)
        self.lost, self.late = _stakes(instance)
        self.parted = _parted(instance, self.frozen)
        self.least: dict[int, int] = {}

    def order(self, front: list[int]) -> list[int]:
        """All aircraft. `front` goes first, then who has frozen flights ahead, if there is a front."""
        service = self.instance.aircraft.service_airport
        flights = self.instance.flights
        ahead = self.frozen & ~flights.cancelled & (given_departures(flights) >= self.instance.start)
        bound = np.bincount(flights.aircraft[ahead], minlength=len(service)) > 0
        place = {a: i for i, a in enumerate(front)}
        return sorted(
            range(len(service)),
            key=lambda a: (place.get(a, len(place)), bool(front) and not bound[a], service[a] < 0, a),
        )

    def alone(self, a: int) -> int:
        """How many rules an aircraft breaks that is planned before all others."""
        if a not in self.least:
            _, broken = self.rotations([a])
            self.least[a] = broken.get(a, 0)
        return self.least[a]

    def rotations(self, order: list[int]) -> tuple[tuple[Ints, Flags, list[Created]], dict[int, int]]:
        """What is flown if aircraft are planned in this order, and how many rules each breaks, if any."""
        flights, aircraft, instance = self.instance.flights, self.instance.aircraft, self.instance
        departure, frozen = given_departures(flights), self.frozen
        flown = frozen & ~flights.cancelled
        ferries: list[Created] = []
        broken: dict[int, int] = {}
        slots = Slots(instance, flown)
        for a in order:
            own = np.flatnonzero(flights.aircraft == a)
            own = own[np.lexsort((flights.arrival[own], departure[own]))]
            home = int(flights.destination[own[-1]]) if len(own) else int(aircraft.airport[a])
            start = Label(0.0, START, -DAY, -DAY, int(aircraft.airport[a]), 0, None)
            for i in own[flown[own] & (departure[own] < instance.start)].tolist():
                takes = int(flights.arrival[i] - flights.departure[i])
                leaves, to = int(departure[i]), int(flights.destination[i])
                start = Label(0.0, i, leaves, leaves + takes, to, start.minutes + takes, None)
            ahead = own[~flights.cancelled[own] & ~self.parted[own] & (departure[own] >= instance.start)].tolist()
            search = Paths(instance, a, slots, self.lost, self.late, self.most_delay, frozen)
            path, rules = search.whole(start, ahead, home)
            if rules:
                broken[a] = rules
            for label in path:
                if label.flight != FERRY and frozen[label.flight]:
                    continue
                came_from = label.before.airport if label.before else label.airport
                slots.take(came_from, label.airport, label.departure, label.arrival, a)
                if label.flight == FERRY:
                    ferries.append(Created(came_from, label.airport, label.departure, label.arrival, a))
                else:
                    departure[label.flight], flown[label.flight] = label.departure, True
        return (departure, flown, ferries), broken


def _parted(instance: Instance, frozen: Flags) -> Flags:
    """Flights that stay on the ground since one aircraft cannot fly both legs of a flight, one right after the other:
    the second, or the first if the second is frozen. Neither baseline gives a flight to another aircraft."""
    flights, leaves = instance.flights, given_departures(instance.flights)
    last = np.full(len(instance.aircraft.name), -1)  # what each aircraft flies last before the period
    flown = np.flatnonzero(~flights.cancelled & (leaves < instance.start))
    flown = flown[np.lexsort((flights.arrival[flown], leaves[flown]))]
    last[flights.aircraft[flown]] = flown
    parted = np.zeros(len(leaves), dtype=np.bool_)
    for second in np.flatnonzero((flights.previous >= 0) & ~flights.cancelled & ~fixed_flights(instance)).tolist():
        first = int(flights.previous[second])
        alone = leaves[first] < instance.start and last[flights.aircraft[first]] != first
        if not flights.cancelled[first] and (flights.aircraft[first] != flights.aircraft[second] or alone):
            if not frozen[second]:
                parted[second] = True
            elif not frozen[first]:
                parted[first] = True
    return parted


def _stakes(instance: Instance) -> tuple[Floats, Floats]:
    """Of each flight: EUR lost if it is cancelled, and per minute that it is late."""
    bookings, rates, count = instance.bookings, tariff(instance), len(instance.flights.number)
    alpha, beta, _ = instance.prices.weights
    owner = np.repeat(np.arange(len(bookings.number)), np.diff(bookings.first))
    each = np.where(bookings.inbound, rates.inbound, rates.outbound) * beta + rates.refund * alpha
    lost = np.bincount(bookings.leg_flight, weights=(each * bookings.passengers)[owner], minlength=count)
    late = np.bincount(bookings.leg_flight, weights=(rates.minute * bookings.passengers)[owner], minlength=count)
    return np.asarray(lost + FLIGHT), np.asarray(beta * late + 1e-3)  # of two equal plans, the more punctual
