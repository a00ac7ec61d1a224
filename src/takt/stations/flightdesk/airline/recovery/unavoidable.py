"""Which broken rules are broken in every plan: shown, not taken from a search that found nothing better.

Frozen flights fly as given whatever is done. So their own faults are broken in every plan (range, grounding, landing
after the end, flying during a maintenance, minutes before it, slots that they alone exceed), and what is too far apart
between two of them that follow each other: an aircraft that could not be there in time even if it had every slot that
the frozen flights leave, every planned flight of its family and every created one. The same holds for the way to a
maintenance. Before the recovery period nothing can be changed, so seats that were sold twice there stay sold.

A rule that is not among those may be broken for want of a better plan.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    Instance,
    Ints,
    capacities,
    distance_tables,
    fixed_flights,
    frozen_flights,
    given_departures,
    journeys,
)
from takt.stations.flightdesk.airline.rules import Rule, Violation

NEVER = 10**9
ITSELF = {Rule.RANGE, Rule.GROUNDED, Rule.OVERTIME, Rule.SERVICE_TIME}
FOLLOWING = {Rule.START, Rule.CONTINUITY, Rule.TURN}


def unavoidable(instance: Instance, broken: Iterable[Violation]) -> list[Violation]:
    """Those of a plan's broken rules for which it is shown that no plan is without a broken rule there."""
    shown = _Shown(instance)
    return [violation for violation in broken if shown.holds(violation)]


class _Shown:
    def __init__(self, instance: Instance) -> None:
        flights = instance.flights
        self.instance = instance
        self.given, self.takes = given_departures(flights), flights.arrival - flights.departure
        self.stays = frozen_flights(instance) & ~flights.cancelled
        self.fixed = fixed_flights(instance)
        self.index = {instance.flight(i): i for i in range(len(flights.number))}
        self.tail = {name: a for a, name in enumerate(instance.aircraft.name)}

    def holds(self, violation: Violation) -> bool:
        rule, minute = violation.rule, violation.minute
        i = self.index.get(violation.flight, -1)
        frozen = i >= 0 and bool(self.stays[i])
        if rule in ITSELF:
            return frozen
        if rule in FOLLOWING:
            return frozen and self._cannot_follow(i)
        if rule in (Rule.SERVICE_AIRPORT, Rule.SERVICE_MINUTES):
            a = self.tail[violation.aircraft]
            return self._cannot_be_serviced(a) if rule is Rule.SERVICE_AIRPORT else self._flies_too_long(a)
        if rule in (Rule.DEPARTURES, Rule.ARRIVALS) and minute is not None:
            return self._too_many(violation.airport, minute // 60, 0 if rule is Rule.DEPARTURES else 1)
        if rule is Rule.CABIN:
            return frozen and self.given[i] < self.instance.start and self._sold_twice(i)
        return False

    def _before(self, a: int, minute: int) -> tuple[int, int, int]:
        """The last frozen flight of an aircraft that leaves before then: itself, where it lands, when. -1: none."""
        flights = self.instance.flights
        own = np.flatnonzero(self.stays & (flights.aircraft == a) & (self.given < minute))
        if not len(own):
            return -1, int(self.instance.aircraft.airport[a]), -NEVER
        last = int(own[np.lexsort((self.given[own] + self.takes[own], self.given[own]))[-1]])
        return last, int(flights.destination[last]), int(self.given[last] + self.takes[last])

    def _ground(self, a: int) -> int:
        """Minutes on the ground between two flights, at least: the transit time is only before a flight's next leg."""
        turn, transit = int(self.instance.aircraft.turn[a]), int(self.instance.aircraft.transit[a])
        return min(turn, transit) if (self.instance.flights.previous >= 0).any() else turn

    def _cannot_follow(self, i: int) -> bool:
        """Whether flight i cannot be flown after the frozen flight before it, whatever is flown between them."""
        instance, flights, aircraft = self.instance, self.instance.flights, self.instance.aircraft
        a, due = int(flights.aircraft[i]), int(self.given[i])
        last, at, landed = self._before(a, due)
        least = self._ground(a)
        direct = int(aircraft.transit[a] if last >= 0 and flights.previous[i] == last else aircraft.turn[a])
        if at == flights.origin[i]:
            # With flights between them there are two turn-round times, and the second may be a leg's shorter one.
            return landed + min(direct, 2 * least) > due
        if due < instance.start:
            return True
        return self._there(a, at, landed)[flights.origin[i]] + least > due

    def _cannot_be_serviced(self, a: int) -> bool:
        aircraft = self.instance.aircraft
        due = int(aircraft.service_start[a])
        _, at, landed = self._before(a, due)
        service = int(aircraft.service_airport[a])
        return at != service and (due < self.instance.start or self._there(a, at, landed)[service] > due)

    def _flies_too_long(self, a: int) -> bool:
        aircraft = self.instance.aircraft
        own = self.stays & (self.instance.flights.aircraft == a) & (self.given < aircraft.service_start[a])
        return bool(self.takes[own].sum() > aircraft.service_minutes[a])

    def _too_many(self, code: str, hour: int, side: int) -> bool:
        instance, flights = self.instance, self.instance.flights
        at = instance.airports.code.index(code)
        where, when = (flights.origin, self.given) if side == 0 else (flights.destination, self.given + self.takes)
        frozen = self.stays & ~instance.aircraft.surface[flights.aircraft]
        there = np.count_nonzero(frozen & (where == at) & (when // 60 == hour))
        return bool(there > capacities(instance, hour + 1)[side][at, hour])

    def _sold_twice(self, i: int) -> bool:
        bookings, flights = self.instance.bookings, self.instance.flights
        owner = np.repeat(np.arange(len(bookings.number)), np.diff(bookings.first))
        flown = np.arange(len(owner)) - bookings.first[owner] < journeys(self.instance).begun[owner]
        on = flown & (bookings.leg_flight == i)
        people = np.bincount(bookings.leg_cabin[on], weights=bookings.passengers[owner[on]], minlength=3)
        return bool((people > self.instance.aircraft.seats[flights.aircraft[i]]).any())

    def _there(self, a: int, at: int, landed: int) -> Ints:
        """When an aircraft that lands at an airport can have landed at each, at the earliest.

        By flights that it could have: created ones (but surface transport), planned ones of its family that are not
        frozen. No two aircraft are in each other's way, and no flight but a frozen one takes a slot.
        """
        instance, flights, aircraft = self.instance, self.instance.flights, self.instance.aircraft
        count = len(instance.airports.code)
        earliest = np.full(count, NEVER, dtype=np.int64)
        earliest[at] = landed
        if aircraft.surface[a]:
            return earliest
        minutes, _ = distance_tables(instance)
        minutes = np.where((minutes > 0) & (minutes <= aircraft.range[a]), minutes, NEVER)
        family = np.array([name == aircraft.family[a] for name in aircraft.family], dtype=np.bool_)
        mine = ~self.stays & ~flights.cancelled & family[flights.aircraft] & (self.takes <= aircraft.range[a])
        planned = np.flatnonzero(mine & ~aircraft.surface[flights.aircraft])
        turn = self._ground(a)
        room = self._room()
        done = np.zeros(count, dtype=np.bool_)
        while True:
            here = int(np.where(done, NEVER, earliest).argmin())
            if done[here] or earliest[here] >= NEVER:
                return earliest
            done[here] = True
            ready = max(int(earliest[here]) + turn, instance.start)
            ways = [(to, int(minutes[here, to]), ready) for to in np.flatnonzero(minutes[here] < NEVER).tolist()]
            ways += [
                (int(flights.destination[f]), int(self.takes[f]), max(ready, int(self.given[f])))
                for f in planned[flights.origin[planned] == here].tolist()
            ]
            for to, takes, t in ways:
                if not done[to] and (lands := self._lands(a, here, to, takes, t, room)) < earliest[to]:
                    earliest[to] = lands

    def _room(self) -> tuple[Ints, Ints]:
        """What the frozen flights leave of each airport's hours: departures, arrivals (airport, hour)."""
        instance, flights = self.instance, self.instance.flights
        last = max(instance.end, int((self.given + self.takes).max(initial=0)))
        departures, arrivals = capacities(instance, last // 60 + 2)
        frozen = self.stays & ~instance.aircraft.surface[flights.aircraft]
        np.subtract.at(departures, (flights.origin[frozen], self.given[frozen] // 60), 1)
        np.subtract.at(arrivals, (flights.destination[frozen], (self.given + self.takes)[frozen] // 60), 1)
        return departures, arrivals

    def _lands(self, a: int, origin: int, to: int, takes: int, t: int, room: tuple[Ints, Ints]) -> int:
        """When a flight that leaves at t or later lands; NEVER if not within the recovery period."""
        aircraft, grounded = self.instance.aircraft, self.instance.groundings
        away = [
            (int(since), int(until))
            for since, until in zip(
                grounded.start[grounded.aircraft == a], grounded.end[grounded.aircraft == a], strict=True
            )
        ]
        if aircraft.service_airport[a] >= 0:
            away.append((int(aircraft.service_start[a]), int(aircraft.service_end[a])))
        while t + takes <= self.instance.end:
            later = max([t, *(until for since, until in away if t < until and t + takes > since)])
            if room[0][origin, t // 60] <= 0:
                later = max(later, (t // 60 + 1) * 60)
            if room[1][to, (t + takes) // 60] <= 0:
                later = max(later, ((t + takes) // 60 + 1) * 60 - takes)
            if later == t:
                return t + takes
            t = later
        return NEVER
