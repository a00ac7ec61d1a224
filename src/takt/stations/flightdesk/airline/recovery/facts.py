"""What a plan does to flights and passengers, as lists that a page can show and a test can check.

As in `summary.Changes`, what the disruption did is not counted as done by the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from takt.stations.flightdesk.airline.instance import Flags, Instance, Ints, fixed_flights, given_departures, journeys
from takt.stations.flightdesk.airline.recovery.summary import Changed, Ends, changed, ends_of
from takt.stations.flightdesk.airline.solution import Operations, Solution

LATE = (0, 15, 30, 60, 120, 180, 240, 300, 600)  # minutes late; a band goes from after one to the next, included

Via = tuple[str, ...]  # the airports between origin and destination


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight that the plan changes or creates. Times in minutes, as in `Instance`.

    given      when it would leave if nothing was done; `leaves` is when it leaves, if it does.
    planned    the aircraft that was to fly it, "" if created; `aircraft` flies it, "" if nobody does.
    people     on board; of a cancelled flight, who had booked it.
    row        its row of the plan's operations.
    """

    name: str
    origin: str
    destination: str
    given: int
    leaves: int
    planned: str
    aircraft: str
    people: int
    row: int

    @property
    def minutes(self) -> int:
        """How much later it leaves."""
        return self.leaves - self.given


@dataclass(frozen=True, slots=True)
class Hour:
    """Flights that leave in a clock hour (counted from the epoch), or were to leave, of those that one can change.

    on_time     fly as scheduled.
    disrupted   late or cancelled by the disruption, and left so.
    delayed, cancelled, created   by the plan.
    """

    hour: int
    on_time: int
    disrupted: int
    delayed: int
    cancelled: int
    created: int


@dataclass(frozen=True, slots=True)
class Fates:
    """How many people go how. Everybody is in one of them.

    on_time        as booked.
    late           as booked, but later.
    other          on other flights, or in a better cabin.
    downgraded     in a lower cabin than booked (on a flight not booked: than their best), whatever the flights.
    cancelled      do not get to where they booked.
    """

    on_time: int
    late: int
    other: int
    downgraded: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Late:
    """How many people arrive more than `over` minutes late, up to `most` (None: however late)."""

    over: int
    most: int | None
    people: int


@dataclass(frozen=True, slots=True)
class Route:
    """An origin and a destination that people booked, and where those went who do not go as booked.

    people   all who booked it; `rebooked` and `cancelled` of them do not go as booked, or not at all.
    before   by which airports these had booked to go, and how many; the most first.
    now      by which airports those who are rebooked go.
    """

    origin: str
    destination: str
    people: int
    rebooked: int
    cancelled: int
    before: tuple[tuple[Via, int], ...]
    now: tuple[tuple[Via, int], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it; lists have what matters most first. `swapped` ones may be in `delayed` too."""

    hours: tuple[Hour, ...]
    cancelled: tuple[Flight, ...]
    delayed: tuple[Flight, ...]
    swapped: tuple[Flight, ...]
    created: tuple[Flight, ...]
    people: int
    fates: Fates
    late: tuple[Late, ...]
    routes: tuple[Route, ...]


def facts(instance: Instance, solution: Solution) -> Facts:
    """What a valid plan does."""
    rows, ends = changed(instance, solution.operations), ends_of(instance, solution)
    flights = _flights(instance, solution)

    def listed(which: Ints, weight: Callable[[Flight], int]) -> tuple[Flight, ...]:
        return tuple(sorted(map(flights, which.tolist()), key=lambda flight: (-weight(flight), flight.given)))

    return Facts(
        hours=_hours(instance, solution.operations, rows),
        cancelled=listed(rows.cancelled, lambda flight: flight.people),
        delayed=listed(rows.delayed, lambda flight: flight.people * flight.minutes),
        swapped=listed(rows.swapped, lambda flight: flight.people),
        created=listed(rows.created, lambda flight: flight.people),
        people=int(instance.bookings.passengers.sum()),
        fates=_fates(instance, solution, ends),
        late=_late(solution.trips.passengers, ends.late),
        routes=_routes(instance, solution, ends),
    )


def _flights(instance: Instance, solution: Solution) -> Callable[[int], Flight]:
    """A row of the plan's operations as a `Flight`."""
    flights, bookings, o, t = instance.flights, instance.bookings, solution.operations, solution.trips
    code, tail = instance.airports.code, (*instance.aircraft.name, "")  # -1 is the last of them
    given = given_departures(flights)
    aboard = _sums(t.leg_row, np.repeat(t.passengers, np.diff(t.first)), len(o.number))
    had = _sums(bookings.leg_flight, np.repeat(bookings.passengers, np.diff(bookings.first)), len(flights.number))

    def flight(row: int) -> Flight:
        planned, flown = int(o.planned[row]), bool(o.aircraft[row] >= 0)
        return Flight(
            name=f"{o.number[row]} of {instance.day(o.day[row])[:5]}",
            origin=code[o.origin[row]],
            destination=code[o.destination[row]],
            given=int(given[planned] if planned >= 0 else o.departure[row]),
            leaves=int(o.departure[row]),
            planned=tail[flights.aircraft[planned]] if planned >= 0 else "",
            aircraft=tail[o.aircraft[row]],
            people=int(aboard[row] if flown else had[planned]),
            row=row,
        )

    return flight


def _sums(index: Ints, people: Ints, length: int) -> Ints:
    return np.bincount(index, weights=people, minlength=length).astype(np.int64)


def _hours(instance: Instance, o: Operations, rows: Changed) -> tuple[Hour, ...]:
    flights, planned = instance.flights, o.planned >= 0
    free = planned & ~fixed_flights(instance)[o.planned]
    when = np.where(planned & (o.aircraft < 0), given_departures(flights)[o.planned], o.departure) // 60
    by_plan = np.zeros(len(o.number), dtype=np.bool_)
    by_plan[np.concatenate([rows.delayed, rows.cancelled, rows.created])] = True
    disrupted = free & ~by_plan & (flights.cancelled | (flights.delay > 0))[o.planned]
    hours = range(instance.start // 60, -(-instance.end // 60))

    def counted(which: Ints) -> list[int]:
        return [int((when[which] == hour).sum()) for hour in hours]

    left = (np.flatnonzero(free & ~by_plan & ~disrupted), np.flatnonzero(disrupted))
    kinds = (*left, rows.delayed, rows.cancelled, rows.created)
    return tuple(Hour(*row) for row in zip(hours, *map(counted, kinds), strict=True))


def _fates(instance: Instance, solution: Solution, ends: Ends) -> Fates:
    people, lower = solution.trips.passengers, _downgraded(instance, solution, ends)
    other = ends.travels & ~ends.as_booked
    kinds = (
        ends.as_booked & (ends.late == 0),
        ends.as_booked & (ends.late > 0),
        other & ~lower,
        other & lower,
        ~ends.travels,
    )
    return Fates(*(int(people[kind].sum()) for kind in kinds))


def _downgraded(instance: Instance, solution: Solution, ends: Ends) -> Flags:
    """Which lines of the plan's trips have somebody in a lower cabin than booked."""
    bookings, o, t = instance.bookings, solution.operations, solution.trips
    best = journeys(instance).cabin
    lower = np.zeros(len(t.booking), dtype=np.bool_)
    for i in np.flatnonzero(ends.travels & ~ends.as_booked).tolist():
        booking, legs = t.booking[i], slice(t.first[i], t.first[i + 1])
        was = slice(bookings.first[booking], bookings.first[booking + 1])
        had = dict(zip(bookings.leg_flight[was].tolist(), bookings.leg_cabin[was].tolist(), strict=True))
        now = zip(o.planned[t.leg_row[legs]].tolist(), t.leg_cabin[legs].tolist(), strict=True)
        lower[i] = any(cabin > had.get(flight, best[booking]) for flight, cabin in now)
    return lower


def _late(people: Ints, minutes: Ints) -> tuple[Late, ...]:
    bands = [*pairwise(LATE), (LATE[-1], None)]
    return tuple(
        Late(over, most, int(people[(minutes > over) & (minutes <= (np.inf if most is None else most))].sum()))
        for over, most in bands
    )


def _routes(instance: Instance, solution: Solution, ends: Ends) -> tuple[Route, ...]:
    """The routes where somebody does not go as booked, those with the most such people first."""
    flights, bookings, o, t = instance.flights, instance.bookings, solution.operations, solution.trips
    code, booked = instance.airports.code, journeys(instance)
    booked_on = list(zip(booked.origin.tolist(), booked.destination.tolist(), strict=True))
    everybody: Counter[tuple[int, int]] = Counter()
    for route, people in zip(booked_on, bookings.passengers.tolist(), strict=True):
        everybody[route] += people
    before: dict[tuple[int, int], Counter[Via]] = {}
    now: dict[tuple[int, int], Counter[Via]] = {}
    stay: Counter[tuple[int, int]] = Counter()
    for i in np.flatnonzero(~ends.as_booked).tolist():
        booking, people = int(t.booking[i]), int(t.passengers[i])
        route = booked_on[booking]
        had = bookings.leg_flight[bookings.first[booking] : bookings.first[booking + 1] - 1]
        before.setdefault(route, Counter())[tuple(code[at] for at in flights.destination[had])] += people
        if ends.travels[i]:
            legs = t.leg_row[t.first[i] : t.first[i + 1] - 1]
            now.setdefault(route, Counter())[tuple(code[at] for at in o.destination[legs])] += people
        else:
            stay[route] += people
    routes = [
        Route(
            code[route[0]],
            code[route[1]],
            everybody[route],
            now.get(route, Counter()).total(),
            stay[route],
            tuple(via.most_common()),
            tuple(now.get(route, Counter()).most_common()),
        )
        for route, via in before.items()
    ]
    return tuple(sorted(routes, key=lambda r: (-r.rebooked - r.cancelled, r.origin, r.destination)))
