"""Rules of passengers: who travels, on what, in which cabin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    CABINS,
    CONNECTION,
    Instance,
    Ints,
    journeys,
)
from takt.stations.flightdesk.airline.rules import LATEST, Rule, Violation, name_of
from takt.stations.flightdesk.airline.solution import Operations, Trips


def check_groups(instance: Instance, o: Operations, t: Trips) -> Iterator[Violation]:
    """Whole groups, at the right ends, not too early and not too late."""
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
        name, at, was = (
            name_of(instance, o, head[i]),
            clock(o.departure[head[i]]),
            clock(booked.departure[t.booking[i]]),
        )
        text = f"booking {numbers[t.booking[i]]} leaves with flight {name} at {at}, and had booked {was}"
        yield Violation(Rule.TOO_EARLY, text, name, booking=numbers[t.booking[i]], minute=int(o.departure[head[i]]))
    late = o.arrival[last] - booked.arrival[t.booking]
    most = np.array(LATEST)[booked.reach[t.booking]]
    for i in np.flatnonzero(travels & ~bookings.inbound[t.booking] & (late > most)):
        name = name_of(instance, o, last[i])
        text = f"booking {numbers[t.booking[i]]} arrives {late[i]} min late with flight {name}; {most[i]} are allowed"
        yield Violation(Rule.TOO_LATE, text, name, booking=numbers[t.booking[i]], minute=int(o.arrival[last[i]]))


def check_legs(instance: Instance, o: Operations, t: Trips) -> Iterator[Violation]:
    """Legs that join, with time to change, on flights that are flown."""
    code, numbers = instance.airports.code, instance.bookings.number.tolist()
    line = np.repeat(np.arange(len(t.booking)), np.diff(t.first))
    row, there = t.leg_row, t.leg_row >= 0
    for j in np.flatnonzero(~there):
        name = f"{t.leg_number[j]} of {instance.day(t.leg_day[j])[:5]}"
        number = numbers[t.booking[line[j]]]
        text = f"booking {number} is on flight {name}, which is not in the plan"
        yield Violation(Rule.NO_SUCH_FLIGHT, text, name, booking=number)
    for j in np.flatnonzero(there & (o.aircraft[row] < 0)):
        name, number = name_of(instance, o, row[j]), numbers[t.booking[line[j]]]
        yield Violation(
            Rule.ON_CANCELLED, f"booking {number} is on flight {name}, which is cancelled", name, booking=number
        )
    follows = np.flatnonzero((line[1:] == line[:-1]) & there[1:] & there[:-1]) + 1
    for j in follows[o.origin[row[follows]] != o.destination[row[follows - 1]]]:
        name, number = name_of(instance, o, row[j]), numbers[t.booking[line[j]]]
        lands, leaves = code[o.destination[row[j - 1]]], code[o.origin[row[j]]]
        text = f"booking {number} lands at {lands}, and its next flight {name} leaves {leaves}"
        yield Violation(Rule.JOIN, text, name, "", leaves, number)
    begun = journeys(instance).begun[t.booking]
    flown = np.arange(len(line)) - t.first[line] < begun[line]
    follows = follows[~flown[follows]]
    between = o.departure[row[follows]] - o.arrival[row[follows - 1]]
    for j, minutes in zip(follows[between < CONNECTION], between[between < CONNECTION], strict=True):
        name, number, at = name_of(instance, o, row[j]), numbers[t.booking[line[j]]], code[o.origin[row[j]]]
        text = f"booking {number} has {minutes} min at {at} before flight {name}, and needs {CONNECTION}"
        yield Violation(Rule.CONNECTION, text, name, "", at, number, int(o.departure[row[j]]))
    yield from _begun(instance, o, t, line, begun)


def _begun(instance: Instance, o: Operations, t: Trips, line: Ints, begun: Ints) -> Iterator[Violation]:
    """Legs flown before recovery starts open every line of the booking; no other leg can have left before it."""
    bookings, flights, numbers = instance.bookings, instance.flights, instance.bookings.number.tolist()
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
        name, number = name_of(instance, o, t.leg_row[j]), numbers[t.booking[line[j]]]
        at = instance.clock(o.departure[t.leg_row[j]])
        text = f"booking {number} is on flight {name}, which left at {at} without them"
        yield Violation(Rule.GONE, text, name, booking=number, minute=int(o.departure[t.leg_row[j]]))


def check_cabins(instance: Instance, o: Operations, t: Trips) -> Iterator[Violation]:
    """Seats: a cabin takes no more people than it has."""
    aircraft = instance.aircraft
    line = np.repeat(np.arange(len(t.booking)), np.diff(t.first))
    on = t.leg_row >= 0
    people = np.zeros((len(o.number), len(CABINS)), dtype=np.int64)
    np.add.at(people, (t.leg_row[on], t.leg_cabin[on]), t.passengers[line[on]])
    seats = aircraft.seats[o.aircraft]
    over = (people > seats) & (seats >= 0) & (o.aircraft >= 0)[:, None]
    for r, cabin in np.argwhere(over):
        name, tail = name_of(instance, o, r), aircraft.name[o.aircraft[r]]
        text = f"flight {name} has {people[r, cabin]} people in {CABINS[cabin]}, and {tail} has {seats[r, cabin]} seats"
        at = instance.airports.code[o.origin[r]]
        yield Violation(Rule.CABIN, text, name, tail, at, None, int(o.departure[r]))
