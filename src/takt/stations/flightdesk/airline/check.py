"""Is a plan valid? Every rule of the ROADEF 2009 validity checker (specification of 11/06/2008), one after the other.

`check` returns a list of `Violation`, empty if the plan is valid. The challenge's checker has habits that its
specification does not, and they are followed: a flight that the disruption delayed flies, at exactly that time and with
its own aircraft; surface transport goes as planned; a grounding also goes by the date of a flight's row; nothing lands
after the recovery period; a maintenance under way blocks; and what was planned before the period is not forgiven.

Where the rules leave room, the stricter reading is taken: passengers on two legs of one flight need their 30 minutes
too, unless both had been flown before the period; legs of one flight that are both flown are flown by one aircraft; a
grounding over more than two dates goes by the date of a flight's row on each of them but the last; and an hour in two
parts of an airport's day takes the fewer flights.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from takt.stations.flightdesk.airline.check_groups import check_cabins, check_groups, check_legs
from takt.stations.flightdesk.airline.instance import (
    Flags,
    Instance,
    Ints,
    capacity_at,
    distance_tables,
    fixed_flights,
    given_departures,
)
from takt.stations.flightdesk.airline.rules import Rule, Violation, during_service, name_of, route_of, while_grounded
from takt.stations.flightdesk.airline.solution import Operations, Solution


def check(instance: Instance, solution: Solution) -> list[Violation]:
    """All violations, in the order of the rules: flights, aircraft, airports, passengers."""
    return [
        *_flights(instance, solution.operations),
        *_created(instance, solution.operations),
        *_rotations(instance, solution.operations),
        *_unavailable(instance, solution.operations),
        *_slots(instance, solution.operations),
        *check_groups(instance, solution.operations, solution.trips),
        *check_legs(instance, solution.operations, solution.trips),
        *check_cabins(instance, solution.operations, solution.trips),
    ]


def _flights(instance: Instance, o: Operations) -> Iterator[Violation]:
    flights, aircraft, clock = instance.flights, instance.aircraft, instance.clock
    seen = np.bincount(o.planned[o.planned >= 0], minlength=len(flights.number))
    for i in np.flatnonzero(seen == 0):
        yield Violation(Rule.MISSING_FLIGHT, f"flight {instance.flight(i)} is not in the plan", instance.flight(i))
    rows = np.flatnonzero(o.planned >= 0)
    p = o.planned[rows]
    keys = o.day * (int(o.number.max(initial=0)) + 1) + o.number
    _, first = np.unique(keys, return_index=True)
    for r in np.setdiff1d(np.arange(len(keys)), first):
        yield Violation(
            Rule.FLOWN_TWICE, f"flight {name_of(instance, o, r)} is in the plan twice", name_of(instance, o, r)
        )

    departure, leaves, fixed = o.departure[rows], given_departures(flights)[p], fixed_flights(instance)[p]
    flown, by, planned_by = o.aircraft[rows] >= 0, o.aircraft[rows], flights.aircraft[p]
    family = np.unique(aircraft.family, return_inverse=True)[1]
    timetable = dict(zip(instance.timetable.number.tolist(), instance.timetable.previous.tolist(), strict=True))
    previous = np.array([timetable[number] for number in o.number[rows].tolist()], dtype=np.int64)
    surface, delayed = aircraft.surface, flights.delay[p] > 0

    def each(rule: Rule, broken: Flags, text: str, of_cancelled: str = "") -> Iterator[Violation]:
        for i in np.flatnonzero(broken):
            name = name_of(instance, o, rows[i])
            values = {
                "flight": name,
                "origin": instance.airports.code[o.origin[rows[i]]],
                "destination": instance.airports.code[o.destination[rows[i]]],
                "route": route_of(instance, flights.origin[p[i]], flights.destination[p[i]]),
                "minutes": o.arrival[rows[i]] - departure[i],
                "planned": flights.arrival[p[i]] - flights.departure[p[i]],
                "at": clock(departure[i]),
                "scheduled": clock(flights.departure[p[i]]),
                "given": clock(leaves[i]),
                "lands": clock(o.arrival[rows[i]]),
                "aircraft": aircraft.name[by[i]],
                "own": aircraft.name[planned_by[i]],
                "previous": o.previous[rows[i]],
                "linked": previous[i],
            }
            tail = aircraft.name[by[i]] if by[i] >= 0 else ""
            said = text if flown[i] else of_cancelled
            yield Violation(rule, said.format(**values), name, tail, values["origin"], None, int(departure[i]))

    rerouted = (o.origin[rows] != flights.origin[p]) | (o.destination[rows] != flights.destination[p])
    longer = (o.arrival - o.departure)[rows] != (flights.arrival - flights.departure)[p]
    changed = ~flown | (departure != leaves) | (by != planned_by)
    revived = flown & flights.cancelled[p]
    yield from each(Rule.ROUTE, flown & rerouted, "flight {flight} goes {origin}-{destination} instead of {route}")
    yield from each(Rule.DURATION, flown & longer, "flight {flight} takes {minutes} min instead of {planned}")
    yield from each(
        Rule.LINK, flown & (o.previous[rows] != previous), "flight {flight} is linked to {previous}, not {linked}"
    )
    yield from each(Rule.REVIVED, revived, "flight {flight} was cancelled by the disruption and is flown by {aircraft}")
    early = flown & ~revived & (departure < flights.departure[p])
    yield from each(Rule.EARLY, early, "flight {flight} leaves {origin} at {at}, before its schedule of {scheduled}")
    yield from each(
        Rule.FIXED,
        fixed & changed & ~flights.cancelled[p] & ~early,
        "flight {flight} is outside the recovery period: it leaves at {given} with {own}, not at {at} with {aircraft}",
        "flight {flight} is outside the recovery period: it leaves at {given} with {own} and cannot be cancelled",
    )
    disrupted = ~fixed & changed & ~flights.cancelled[p] & ~early
    yield from each(
        Rule.GIVEN_DELAY,
        disrupted & delayed,
        "flight {flight} was delayed to {given} by the disruption and flies then by {own}, not at {at} by {aircraft}",
        "flight {flight} was delayed to {given} by the disruption and flies then by {own}: it cannot be cancelled",
    )
    yield from each(
        Rule.SURFACE,
        disrupted & ~delayed & surface[planned_by],
        "flight {flight} is surface transport: it leaves at {given} with {own}, not at {at} with {aircraft}",
        "flight {flight} is surface transport: it leaves at {given} with {own} and cannot be cancelled",
    )
    yield from each(
        Rule.SURFACE,
        flown & (by != planned_by) & surface[by],
        "flight {flight} is flown by {aircraft}, which is surface transport and goes as planned",
    )
    yield from each(
        Rule.FAMILY,
        flown & ~fixed & (family[by] != family[planned_by]),
        "flight {flight} changes from {own} to {aircraft}, which is of another family",
    )
    yield from each(
        Rule.OVERTIME,
        flown & (o.arrival[rows] > instance.end),
        "flight {flight} lands at {destination} at {lands}, after the recovery period",
    )


def _created(instance: Instance, o: Operations) -> Iterator[Violation]:
    minutes, _ = distance_tables(instance)
    numbers = set(instance.timetable.number.tolist())
    for r in np.flatnonzero(o.planned < 0):
        name, origin, destination = name_of(instance, o, r), o.origin[r], o.destination[r]
        tail = instance.aircraft.name[o.aircraft[r]] if o.aircraft[r] >= 0 else ""
        at = instance.airports.code[origin]
        where = {"flight": name, "aircraft": tail, "airport": at, "minute": int(o.departure[r])}
        takes, listed = o.arrival[r] - o.departure[r], minutes[origin, destination]
        if o.aircraft[r] < 0:
            yield Violation(Rule.CREATED_CANCELLED, f"flight {name} is no planned flight, and cancelled", **where)
            continue
        if int(o.number[r]) in numbers:
            yield Violation(Rule.CREATED_NUMBER, f"flight {name} is created under the number of another", **where)
        if instance.aircraft.surface[o.aircraft[r]]:
            text = f"created flight {name} is flown by {tail}, which is surface transport and goes as planned"
            yield Violation(Rule.SURFACE, text, **where)
        if o.previous[r]:
            yield Violation(Rule.CREATED_LINK, f"created flight {name} is linked to flight {o.previous[r]}", **where)
        if takes != listed:
            right = f"instead of {listed}" if listed >= 0 else "on a route that dist.csv does not have"
            route = route_of(instance, origin, destination)
            yield Violation(Rule.CREATED_DURATION, f"created flight {name} {route} takes {takes} min {right}", **where)
        if not instance.start <= o.departure[r] < instance.end:
            at = instance.clock(o.departure[r])
            yield Violation(
                Rule.CREATED_PAST, f"created flight {name} leaves at {at}, outside the recovery period", **where
            )
        if o.arrival[r] > instance.end:
            lands = instance.clock(o.arrival[r])
            yield Violation(
                Rule.OVERTIME, f"created flight {name} lands at {lands}, after the recovery period", **where
            )


def _rotations(instance: Instance, o: Operations) -> Iterator[Violation]:
    aircraft, flights, code, clock = instance.aircraft, instance.flights, instance.airports.code, instance.clock
    rows = rotation_order(o)
    if not len(rows):
        return
    by, p = o.aircraft[rows], o.planned[rows]
    opens = np.concatenate([[True], by[1:] != by[:-1]])
    came_from = np.where(opens, aircraft.airport[by], np.roll(o.destination[rows], 1))
    for i in np.flatnonzero(came_from != o.origin[rows]):
        rule = Rule.START if opens[i] else Rule.CONTINUITY
        is_at, leaves = code[came_from[i]], code[o.origin[rows[i]]]
        name, at = name_of(instance, o, rows[i]), clock(o.departure[rows[i]])
        text = f"{aircraft.name[by[i]]} is at {is_at}, and flight {name} leaves {leaves} at {at}"
        yield Violation(rule, text, name, aircraft.name[by[i]], leaves, None, int(o.departure[rows[i]]))

    linked_to = np.where(p >= 0, flights.previous[p], -1)
    before = np.where(opens, -1, np.roll(p, 1))
    next_leg = (linked_to >= 0) & (before == linked_to)
    need = np.where(next_leg, aircraft.transit[by], aircraft.turn[by])
    ground = o.departure[rows] - np.roll(o.arrival[rows], 1)
    for i in np.flatnonzero(~opens & (ground < need)):
        name, tail, at = name_of(instance, o, rows[i]), aircraft.name[by[i]], code[o.origin[rows[i]]]
        text = f"{tail} has {ground[i]} min at {at} before flight {name}, and needs {need[i]}"
        yield Violation(Rule.TURN, text, name, tail, at, None, int(o.departure[rows[i]]))

    flown_by = np.full(len(flights.number), -1, dtype=np.int64)
    flown_by[p[p >= 0]] = by[p >= 0]
    still = np.where(p >= 0, fixed_flights(instance)[p], False)
    apart = (linked_to >= 0) & (flown_by[linked_to] >= 0) & ~next_leg & ~still
    for i in np.flatnonzero(apart):
        name, tail = name_of(instance, o, rows[i]), aircraft.name[by[i]]
        text = (
            f"flight {name} is the next leg of {instance.flight(linked_to[i])}, but {tail} does not fly it right after"
        )
        yield Violation(Rule.LEGS_APART, text, name, tail, code[o.origin[rows[i]]], None, int(o.departure[rows[i]]))

    takes = (o.arrival - o.departure)[rows]
    for i in np.flatnonzero(takes > aircraft.range[by]):
        name, tail = name_of(instance, o, rows[i]), aircraft.name[by[i]]
        text = f"flight {name} takes {takes[i]} min, and {tail} has a range of {aircraft.range[by[i]]}"
        yield Violation(Rule.RANGE, text, name, tail, code[o.origin[rows[i]]], None, int(o.departure[rows[i]]))


def _unavailable(instance: Instance, o: Operations) -> Iterator[Violation]:
    aircraft, code, clock = instance.aircraft, instance.airports.code, instance.clock
    rotation = rotation_order(o)
    by = o.aircraft[rotation]
    grounded = instance.groundings
    for a, start, end in zip(grounded.aircraft, grounded.start, grounded.end, strict=True):
        rows = rotation[by == a]
        for r in rows[while_grounded(start, end, o.day[rows], o.departure[rows], o.arrival[rows])]:
            name, tail = name_of(instance, o, r), aircraft.name[a]
            text = f"{tail} cannot fly from {clock(start)} to {clock(end)}, and flies {name} at {clock(o.departure[r])}"
            if o.departure[r] >= end:
                text += ", dated on a day of it"
            yield Violation(Rule.GROUNDED, text, name, tail, code[o.origin[r]], None, int(o.departure[r]))
    for a in np.flatnonzero(aircraft.service_airport >= 0):
        start, end, tail = aircraft.service_start[a], aircraft.service_end[a], aircraft.name[a]
        where = code[aircraft.service_airport[a]]
        rows = rotation[by == a]
        ahead = rows[o.departure[rows] < start]
        is_at = o.destination[ahead[-1]] if len(ahead) else aircraft.airport[a]
        if is_at != aircraft.service_airport[a]:
            text = f"{tail} is at {code[is_at]} and not at {where} for its maintenance at {clock(start)}"
            yield Violation(Rule.SERVICE_AIRPORT, text, "", tail, where, None, int(start))
        for r in rows[during_service(start, end, o.departure[rows], o.arrival[rows])]:
            name = name_of(instance, o, r)
            flying = f"lands at {clock(o.arrival[r])}" if r in ahead else f"leaves at {clock(o.departure[r])}"
            text = f"{tail} is due for maintenance from {clock(start)} to {clock(end)}, and flight {name} {flying}"
            yield Violation(Rule.SERVICE_TIME, text, name, tail, where, None, int(o.departure[r]))
        minutes = int((o.arrival - o.departure)[ahead].sum())
        if minutes > aircraft.service_minutes[a]:
            text = f"{tail} flies {minutes} min before its maintenance, and may fly {aircraft.service_minutes[a]}"
            yield Violation(Rule.SERVICE_MINUTES, text, "", tail, where, None, int(start))


def _slots(instance: Instance, o: Operations) -> Iterator[Violation]:
    flown = o.aircraft >= 0
    rows = np.flatnonzero(flown & ~instance.aircraft.surface[o.aircraft])
    if not len(rows):
        return
    sides = (
        (Rule.DEPARTURES, o.origin[rows], o.departure[rows], "departures"),
        (Rule.ARRIVALS, o.destination[rows], o.arrival[rows], "arrivals"),
    )
    for side, (rule, airport, time, what) in enumerate(sides):
        (at, hour), which = np.unique(np.stack([airport, time // 60]), axis=1, return_inverse=True)
        which = which.ravel()  # NumPy 2.0 gives it another shape than 2.1
        count, limit = np.bincount(which), capacity_at(instance, at, hour)[side]
        for i in np.flatnonzero(count > limit):
            code, since = instance.airports.code[at[i]], instance.clock(hour[i] * 60)
            text = f"{code} has {count[i]} {what} in the hour from {since}, and takes {limit[i]}"
            yield Violation(rule, text, "", "", code, None, int(hour[i] * 60))


def rotation_order(o: Operations) -> Ints:
    """The rows that are flown, by aircraft and then by time."""
    order = np.lexsort((o.arrival, o.departure, o.aircraft))
    return order[o.aircraft[order] >= 0]
