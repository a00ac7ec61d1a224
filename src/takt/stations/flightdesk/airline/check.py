"""Is a plan valid? Every rule of the ROADEF 2009 validity checker (specification of 11/06/2008), one after the other.

`check` returns a list of `Violation`, empty if the plan is valid. The challenge's checker has habits that its
specification does not, and they are followed: a flight that the disruption delayed flies, at exactly that time and with
its own aircraft; surface transport goes as planned; a grounding also goes by the date of a flight's row; nothing lands
after the recovery period; a maintenance under way blocks; and what was planned before the period is not forgiven.

Where the rules leave room, the stricter reading is taken: passengers on two legs of one flight need their 30 minutes
too; legs of one flight that are both flown are flown by one aircraft.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    CABINS,
    CONNECTION,
    DAY,
    Flags,
    Instance,
    Ints,
    capacity_at,
    distance_tables,
    fixed_flights,
    given_departures,
    journeys,
)
from takt.stations.flightdesk.airline.solution import Operations, Solution, Trips

LATEST = (18 * 60, 18 * 60, 36 * 60)  # minutes that an outbound group may be late, by reach of its trip


class Rule(StrEnum):
    """What a plan can do wrong."""

    MISSING_FLIGHT = "a planned flight is not in the plan"
    FLOWN_TWICE = "a flight is in the plan twice"
    ROUTE = "a flight keeps its origin and destination"
    DURATION = "a flight keeps its duration"
    LINK = "a flight keeps the flight of which it is the next leg"
    EARLY = "a flight never leaves before schedule"
    FIXED = "a flight outside the recovery period stays as it is"
    GIVEN_DELAY = "a flight that the disruption delayed flies, as late as given and with its own aircraft"
    SURFACE = "surface transport goes as planned"
    REVIVED = "a flight that the disruption cancelled stays cancelled"
    FAMILY = "a flight may only change to an aircraft of the same family"
    OVERTIME = "no flight lands after the recovery period"
    CREATED_CANCELLED = "a created flight is not cancelled"
    CREATED_NUMBER = "a created flight has a number of its own"
    CREATED_LINK = "a created flight is not linked to another"
    CREATED_DURATION = "a created flight takes the time that dist.csv gives"
    CREATED_PAST = "a created flight leaves within the recovery period"
    START = "an aircraft starts where it is"
    CONTINUITY = "an aircraft leaves from where it landed"
    TURN = "an aircraft has its turn-round or transit time"
    LEGS_APART = "two legs of one flight are flown by one aircraft, one after the other"
    RANGE = "an aircraft flies no longer than its range"
    GROUNDED = "an aircraft does not fly while it is unavailable, nor later on the date on which that begins"
    SERVICE_AIRPORT = "an aircraft is at the airport of its maintenance"
    SERVICE_TIME = "an aircraft does not fly during its maintenance"
    SERVICE_MINUTES = "an aircraft flies no more than its minutes before maintenance"
    DEPARTURES = "an airport takes so many departures an hour"
    ARRIVALS = "an airport takes so many arrivals an hour"
    HEADCOUNT = "a booking keeps its number of people"
    BOOKING = "a booking keeps its direction and price"
    ORIGIN = "a group starts where it booked"
    DESTINATION = "a group goes where it booked"
    NO_SUCH_FLIGHT = "a group flies on flights that there are"
    ON_CANCELLED = "a group flies on no cancelled flight"
    JOIN = "a group's next leg leaves from where it landed"
    CONNECTION = "a group has 30 minutes between two flights"
    TOO_EARLY = "a group leaves no earlier than booked"
    TOO_LATE = "an outbound group arrives at most 18 h late, 36 h if intercontinental"
    PART_CANCELLED = "a group that has flown nothing before the recovery period is cancelled as a whole"
    BEGUN = "what a group has flown before the recovery period stays"
    GONE = "a group boards no flight that had left before the recovery period"
    CABIN = "no more people than seats"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken once. `text` says it in a line; the other fields say where, and are empty if they do not apply.

    flight    "4344 of 07/01".
    booking   its number.
    minute    of the instance's clock.
    """

    rule: Rule
    text: str
    flight: str = ""
    aircraft: str = ""
    airport: str = ""
    booking: int | None = None
    minute: int | None = None


def check(instance: Instance, solution: Solution) -> list[Violation]:
    """All violations, in the order of the rules: flights, aircraft, airports, passengers."""
    return [
        *_flights(instance, solution.operations),
        *_created(instance, solution.operations),
        *_rotations(instance, solution.operations),
        *_unavailable(instance, solution.operations),
        *_slots(instance, solution.operations),
        *_groups(instance, solution.operations, solution.trips),
        *_legs(instance, solution.operations, solution.trips),
        *_cabins(instance, solution.operations, solution.trips),
    ]


# --- flights ----------------------------------------------------------------------------------------------------------


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
        yield Violation(Rule.FLOWN_TWICE, f"flight {_name(instance, o, r)} is in the plan twice", _name(instance, o, r))

    departure, leaves, fixed = o.departure[rows], given_departures(flights)[p], fixed_flights(instance)[p]
    flown, by, planned_by = o.aircraft[rows] >= 0, o.aircraft[rows], flights.aircraft[p]
    family = np.unique(aircraft.family, return_inverse=True)[1]
    timetable = dict(zip(instance.timetable.number.tolist(), instance.timetable.previous.tolist(), strict=True))
    previous = np.array([timetable[number] for number in o.number[rows].tolist()], dtype=np.int64)
    surface, delayed = aircraft.surface, flights.delay[p] > 0

    def each(rule: Rule, broken: Flags, text: str) -> Iterator[Violation]:
        for i in np.flatnonzero(broken):
            name = _name(instance, o, rows[i])
            values = {
                "flight": name,
                "origin": instance.airports.code[o.origin[rows[i]]],
                "destination": instance.airports.code[o.destination[rows[i]]],
                "route": _route(instance, flights.origin[p[i]], flights.destination[p[i]]),
                "minutes": o.arrival[rows[i]] - departure[i],
                "planned": flights.arrival[p[i]] - flights.departure[p[i]],
                "at": clock(departure[i]),
                "scheduled": clock(flights.departure[p[i]]),
                "given": clock(leaves[i]),
                "lands": clock(o.arrival[rows[i]]),
                "aircraft": "cancelled" if by[i] < 0 else aircraft.name[by[i]],
                "own": aircraft.name[planned_by[i]],
                "previous": o.previous[rows[i]],
                "linked": previous[i],
            }
            tail = aircraft.name[by[i]] if by[i] >= 0 else ""
            yield Violation(rule, text.format(**values), name, tail, values["origin"], None, int(departure[i]))

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
    )
    disrupted = ~fixed & changed & ~flights.cancelled[p] & ~early
    yield from each(
        Rule.GIVEN_DELAY,
        disrupted & delayed & flown,
        "flight {flight} was delayed to {given} by the disruption and flies then by {own}, not at {at} by {aircraft}",
    )
    yield from each(
        Rule.GIVEN_DELAY,
        disrupted & delayed & ~flown,
        "flight {flight} was delayed to {given} by the disruption and flies then by {own}: it cannot be cancelled",
    )
    yield from each(
        Rule.SURFACE,
        disrupted & ~delayed & surface[planned_by],
        "flight {flight} is surface transport: it leaves at {given} with {own}, not at {at} with {aircraft}",
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
        name, origin, destination = _name(instance, o, r), o.origin[r], o.destination[r]
        where = {"flight": name, "airport": instance.airports.code[origin], "minute": int(o.departure[r])}
        takes, listed = o.arrival[r] - o.departure[r], minutes[origin, destination]
        if o.aircraft[r] < 0:
            yield Violation(Rule.CREATED_CANCELLED, f"flight {name} is no planned flight, and cancelled", **where)
            continue
        if int(o.number[r]) in numbers:
            yield Violation(Rule.CREATED_NUMBER, f"flight {name} is created under the number of another", **where)
        if instance.aircraft.surface[o.aircraft[r]]:
            tail = instance.aircraft.name[o.aircraft[r]]
            text = f"created flight {name} is flown by {tail}, which is surface transport and goes as planned"
            yield Violation(Rule.SURFACE, text, **where)
        if o.previous[r]:
            yield Violation(Rule.CREATED_LINK, f"created flight {name} is linked to flight {o.previous[r]}", **where)
        if takes != listed:
            right = f"instead of {listed}" if listed >= 0 else "on a route that dist.csv does not have"
            route = _route(instance, origin, destination)
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


# --- aircraft ---------------------------------------------------------------------------------------------------------


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
        name, at = _name(instance, o, rows[i]), clock(o.departure[rows[i]])
        text = f"{aircraft.name[by[i]]} is at {is_at}, and flight {name} leaves {leaves} at {at}"
        yield Violation(rule, text, name, aircraft.name[by[i]], leaves, None, int(o.departure[rows[i]]))

    linked_to = np.where(p >= 0, flights.previous[p], -1)
    before = np.where(opens, -1, np.roll(p, 1))
    next_leg = (linked_to >= 0) & (before == linked_to)
    need = np.where(next_leg, aircraft.transit[by], aircraft.turn[by])
    ground = o.departure[rows] - np.roll(o.arrival[rows], 1)
    for i in np.flatnonzero(~opens & (ground < need)):
        name, tail, at = _name(instance, o, rows[i]), aircraft.name[by[i]], code[o.origin[rows[i]]]
        text = f"{tail} has {ground[i]} min at {at} before flight {name}, and needs {need[i]}"
        yield Violation(Rule.TURN, text, name, tail, at, None, int(o.departure[rows[i]]))

    flown_by = np.full(len(flights.number), -1, dtype=np.int64)
    flown_by[p[p >= 0]] = by[p >= 0]
    still = np.where(p >= 0, fixed_flights(instance)[p], False)
    apart = (linked_to >= 0) & (flown_by[linked_to] >= 0) & ~next_leg & ~still
    for i in np.flatnonzero(apart):
        name, tail = _name(instance, o, rows[i]), aircraft.name[by[i]]
        text = (
            f"flight {name} is the next leg of {instance.flight(linked_to[i])}, but {tail} does not fly it right after"
        )
        yield Violation(Rule.LEGS_APART, text, name, tail, code[o.origin[rows[i]]], None, int(o.departure[rows[i]]))

    takes = (o.arrival - o.departure)[rows]
    for i in np.flatnonzero(takes > aircraft.range[by]):
        name, tail = _name(instance, o, rows[i]), aircraft.name[by[i]]
        text = f"flight {name} takes {takes[i]} min, and {tail} has a range of {aircraft.range[by[i]]}"
        yield Violation(Rule.RANGE, text, name, tail, code[o.origin[rows[i]]], None, int(o.departure[rows[i]]))


def _unavailable(instance: Instance, o: Operations) -> Iterator[Violation]:
    aircraft, code, clock = instance.aircraft, instance.airports.code, instance.clock
    rotation = rotation_order(o)
    by = o.aircraft[rotation]
    grounded = instance.groundings
    for a, start, end in zip(grounded.aircraft, grounded.start, grounded.end, strict=True):
        rows = rotation[by == a]
        ends = o.departure[rows] >= end
        dated = o.day[rows] == start // DAY
        for r in rows[(~ends | dated) & (o.arrival[rows] > start)]:
            name, tail = _name(instance, o, r), aircraft.name[a]
            text = f"{tail} cannot fly from {clock(start)} to {clock(end)}, and flies {name} at {clock(o.departure[r])}"
            if o.departure[r] >= end:
                text += ", dated on the day on which that begins"
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
        for r in rows[(o.departure[rows] < end) & (o.arrival[rows] > start)]:
            name = _name(instance, o, r)
            flying = f"lands at {clock(o.arrival[r])}" if r in ahead else f"leaves at {clock(o.departure[r])}"
            text = f"{tail} is due for maintenance from {clock(start)} to {clock(end)}, and flight {name} {flying}"
            yield Violation(Rule.SERVICE_TIME, text, name, tail, where, None, int(o.departure[r]))
        minutes = int((o.arrival - o.departure)[ahead].sum())
        if minutes > aircraft.service_minutes[a]:
            text = f"{tail} flies {minutes} min before its maintenance, and may fly {aircraft.service_minutes[a]}"
            yield Violation(Rule.SERVICE_MINUTES, text, "", tail, where, None, int(start))


# --- airports ---------------------------------------------------------------------------------------------------------


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


# --- passengers -------------------------------------------------------------------------------------------------------


def _groups(instance: Instance, o: Operations, t: Trips) -> Iterator[Violation]:
    bookings, booked, code, clock = instance.bookings, journeys(instance), instance.airports.code, instance.clock
    numbers = bookings.number.tolist()
    people = np.bincount(t.booking, weights=t.passengers, minlength=len(numbers)).astype(np.int64)
    for b in np.flatnonzero(people != bookings.passengers):
        text = f"booking {numbers[b]} is for {bookings.passengers[b]} people, and {people[b]} are in the plan"
        yield Violation(Rule.HEADCOUNT, text, booking=numbers[b])
    changed = (t.inbound != bookings.inbound[t.booking]) | (t.price != bookings.price[t.booking])
    for i in np.flatnonzero(changed):
        text = f"booking {numbers[t.booking[i]]} has another direction or price in the plan"
        yield Violation(Rule.BOOKING, text, booking=numbers[t.booking[i]])

    has_legs = t.first[1:] > t.first[:-1]
    head, last = np.full(len(t.booking), -1), np.full(len(t.booking), -1)
    head[has_legs], last[has_legs] = t.leg_row[t.first[:-1][has_legs]], t.leg_row[t.first[1:][has_legs] - 1]
    starts, ends = booked.origin[t.booking], booked.destination[t.booking]
    for i in np.flatnonzero((head >= 0) & (o.origin[head] != starts)):
        text = f"booking {numbers[t.booking[i]]} starts at {code[o.origin[head[i]]]} instead of {code[starts[i]]}"
        yield Violation(Rule.ORIGIN, text, airport=code[starts[i]], booking=numbers[t.booking[i]])
    travels = ~t.cancelled & (last >= 0)
    for i in np.flatnonzero(travels & (o.destination[last] != ends)):
        text = f"booking {numbers[t.booking[i]]} ends at {code[o.destination[last[i]]]} instead of {code[ends[i]]}"
        yield Violation(Rule.DESTINATION, text, airport=code[ends[i]], booking=numbers[t.booking[i]])
    for i in np.flatnonzero((head >= 0) & (o.departure[head] < booked.departure[t.booking])):
        name, at, was = _name(instance, o, head[i]), clock(o.departure[head[i]]), clock(booked.departure[t.booking[i]])
        text = f"booking {numbers[t.booking[i]]} leaves with flight {name} at {at}, and had booked {was}"
        yield Violation(Rule.TOO_EARLY, text, name, booking=numbers[t.booking[i]], minute=int(o.departure[head[i]]))
    late = o.arrival[last] - booked.arrival[t.booking]
    most = np.array(LATEST)[booked.reach[t.booking]]
    for i in np.flatnonzero(travels & ~bookings.inbound[t.booking] & (late > most)):
        name = _name(instance, o, last[i])
        text = f"booking {numbers[t.booking[i]]} arrives {late[i]} min late with flight {name}; {most[i]} are allowed"
        yield Violation(Rule.TOO_LATE, text, name, booking=numbers[t.booking[i]], minute=int(o.arrival[last[i]]))


def _legs(instance: Instance, o: Operations, t: Trips) -> Iterator[Violation]:
    code, numbers = instance.airports.code, instance.bookings.number.tolist()
    line = np.repeat(np.arange(len(t.booking)), np.diff(t.first))
    row, there = t.leg_row, t.leg_row >= 0
    for j in np.flatnonzero(~there):
        name = f"{t.leg_number[j]} of {instance.day(t.leg_day[j])[:5]}"
        number = numbers[t.booking[line[j]]]
        text = f"booking {number} is on flight {name}, which is not in the plan"
        yield Violation(Rule.NO_SUCH_FLIGHT, text, name, booking=number)
    for j in np.flatnonzero(there & (o.aircraft[row] < 0)):
        name, number = _name(instance, o, row[j]), numbers[t.booking[line[j]]]
        yield Violation(
            Rule.ON_CANCELLED, f"booking {number} is on flight {name}, which is cancelled", name, booking=number
        )
    follows = np.flatnonzero((line[1:] == line[:-1]) & there[1:] & there[:-1]) + 1
    for j in follows[o.origin[row[follows]] != o.destination[row[follows - 1]]]:
        name, number = _name(instance, o, row[j]), numbers[t.booking[line[j]]]
        lands, leaves = code[o.destination[row[j - 1]]], code[o.origin[row[j]]]
        text = f"booking {number} lands at {lands}, and its next flight {name} leaves {leaves}"
        yield Violation(Rule.JOIN, text, name, "", leaves, number)
    between = o.departure[row[follows]] - o.arrival[row[follows - 1]]
    for j, minutes in zip(follows[between < CONNECTION], between[between < CONNECTION], strict=True):
        name, number, at = _name(instance, o, row[j]), numbers[t.booking[line[j]]], code[o.origin[row[j]]]
        text = f"booking {number} has {minutes} min at {at} before flight {name}, and needs {CONNECTION}"
        yield Violation(Rule.CONNECTION, text, name, "", at, number, int(o.departure[row[j]]))
    yield from _begun(instance, o, t, line)


def _begun(instance: Instance, o: Operations, t: Trips, line: Ints) -> Iterator[Violation]:
    """Legs flown before recovery starts open every line of the booking; no other leg can have left before it."""
    bookings, flights, numbers = instance.bookings, instance.flights, instance.bookings.number.tolist()
    begun = journeys(instance).begun[t.booking]
    place = np.arange(len(line)) - t.first[line]
    flown = place < begun[line]
    booked = bookings.first[t.booking[line]] + np.minimum(place, np.maximum(begun[line] - 1, 0))
    leg = bookings.leg_flight[booked]
    differs = (t.leg_number != flights.number[leg]) | (t.leg_day != flights.day[leg])
    differs |= t.leg_cabin != bookings.leg_cabin[booked]
    for i in np.flatnonzero(t.cancelled & (begun == 0) & (np.diff(t.first) > 0)):
        number = numbers[t.booking[i]]
        text = f"booking {number} has flown nothing before the recovery period, and is cancelled after some flights"
        yield Violation(Rule.PART_CANCELLED, text, booking=number)
    broken = np.diff(t.first) < begun
    broken[line[flown & differs]] = True
    for i in np.flatnonzero(broken):
        number = numbers[t.booking[i]]
        last = bookings.leg_flight[bookings.first[t.booking[i]] + begun[i] - 1]
        name = instance.flight(last)
        text = f"booking {number} had flown with flight {name} before the recovery period, and does not in the plan"
        yield Violation(Rule.BEGUN, text, name, booking=number, minute=int(flights.departure[last]))
    left = (t.leg_row >= 0) & (o.departure[t.leg_row] < instance.start)
    for j in np.flatnonzero(left & ~flown):
        name, number = _name(instance, o, t.leg_row[j]), numbers[t.booking[line[j]]]
        at = instance.clock(o.departure[t.leg_row[j]])
        text = f"booking {number} is on flight {name}, which left at {at} without them"
        yield Violation(Rule.GONE, text, name, booking=number, minute=int(o.departure[t.leg_row[j]]))


def _cabins(instance: Instance, o: Operations, t: Trips) -> Iterator[Violation]:
    aircraft = instance.aircraft
    line = np.repeat(np.arange(len(t.booking)), np.diff(t.first))
    on = t.leg_row >= 0
    people = np.zeros((len(o.number), len(CABINS)), dtype=np.int64)
    np.add.at(people, (t.leg_row[on], t.leg_cabin[on]), t.passengers[line[on]])
    seats = aircraft.seats[o.aircraft]
    over = (people > seats) & (seats >= 0) & (o.aircraft >= 0)[:, None]
    for r, cabin in np.argwhere(over):
        name, tail = _name(instance, o, r), aircraft.name[o.aircraft[r]]
        text = f"flight {name} has {people[r, cabin]} people in {CABINS[cabin]}, and {tail} has {seats[r, cabin]} seats"
        at = instance.airports.code[o.origin[r]]
        yield Violation(Rule.CABIN, text, name, tail, at, None, int(o.departure[r]))


# --- names ------------------------------------------------------------------------------------------------------------


def rotation_order(o: Operations) -> Ints:
    """The rows that are flown, by aircraft and then by time."""
    order = np.lexsort((o.arrival, o.departure, o.aircraft))
    return order[o.aircraft[order] >= 0]


def _name(instance: Instance, o: Operations, row: int | np.integer) -> str:
    return f"{o.number[row]} of {instance.day(o.day[row])[:5]}"


def _route(instance: Instance, origin: int, destination: int) -> str:
    return f"{instance.airports.code[origin]}-{instance.airports.code[destination]}"
