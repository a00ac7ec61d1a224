"""Airline recovery with less asked of a plan: what the lower bound of `bound.py` is a bound of.

    flights      a flight that is ours to decide is a list of *options*, each a window of departure. Any number of
                 aircraft of its family may fly it, wherever they are. New flights: by route and clock hour.
    aircraft     alike in seats, cost and range, they are a class: together they fly no more minutes than they have.
    airports     no more departures and arrivals in an hour than it takes, of those whose window says which hour it is.
    passengers   each group boards an option at whichever minute of its window suits it best.

Left out: where aircraft are, maintenance, linked legs, and where aircraft are wanted at the end. Each can only make
plans dearer. EUR are weighted as in the objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from takt.stations.flightdesk.airline.cost import care, flight_hours, tariff
from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
    DAY,
    Flags,
    Floats,
    Instance,
    Ints,
    capacities,
    frozen_flights,
    given_departures,
    journeys,
)
from takt.stations.flightdesk.airline.recovery.cheapest import Network
from takt.stations.flightdesk.airline.recovery.problem import Problem, Records, problem_of

WAITS = (0, 15, 45, 105, 225)  # minutes after schedule at which the windows of a flight begin
TIGHT_HOURS = 6  # clock hours by which the windows are cut as well where an airport's capacity was cut


@dataclass(frozen=True, slots=True)
class Classes:
    """Aircraft that are alike; surface transport is in none.

    of      class by aircraft, -1 if it is in none.
    seats   (class, cabin). count: how many there are. turn: the least minutes on the ground, `transit` if that is less.
    """

    of: Ints
    family: Ints
    seats: Ints
    hour: Floats
    range: Ints
    turn: Ints
    transit: Ints
    count: Ints


@dataclass(frozen=True, slots=True)
class Options:
    """Flights, each with a window in which it leaves: `lo` to `hi`, both included.

    aircraft   who flies it in any case, or -1: it is ours to decide.
    slot       (option, departure or arrival, first and last): the slots of which it takes one, at one airport in the
               hours in which it may leave or land; indices into that row of `Relaxation.slots`.
    """

    flight: Ints
    lo: Ints
    hi: Ints
    takes: Ints
    origin: Ints
    to: Ints
    aircraft: Ints
    slot: Ints


@dataclass(frozen=True, slots=True)
class Flown:
    """Each way to fly an option: by which class, for how many EUR, minutes of an aircraft, and seats in all."""

    option: Ints
    by: Ints
    cost: Floats
    busy: Floats
    seats: Floats


@dataclass(frozen=True, slots=True)
class NewFlights:
    """Flights that may be created, one way for each route and clock hour.

    can    (from, to, hour): whether one may leave then. lands: the two hours in which it may land.
    cost   (class, from, to): EUR, infinite if none of the class may. busy: minutes of an aircraft.
    """

    can: Flags
    lands: tuple[Ints, Ints]
    cost: Floats
    busy: Floats


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What there is to bound.

    constant   EUR that each plan has: what all flights that are ours, or were cancelled, would have cost is saved, and
               who has arrived, or is about to, is as late as they are.
    groups     bookings that still travel; people: how many of them; stay: EUR per person who does not travel.
    booking    as in `Problem`. leg_first, leg_flight: flights that it had booked. flights: how many are planned.
    flown      how options may be flown, sorted by option.
    seats      (option, cabin): of those who fly it in any case. room: whether anybody who may fly it has seats there.
    slots      (departure or arrival, airport x slot_hours + hour): how many an airport takes in an hour, without those
               flights that go in any case.
    cut        airports whose capacity was cut at some time.
    minutes    by class: what it can be in the air or on the ground between flights.
    boarding   options that passengers may take, in the order of `network`.
    """

    constant: float
    classes: Classes
    options: Options
    flown: Flown
    new: NewFlights
    groups: Ints
    people: Floats
    stay: Floats
    booking: Records
    leg_first: Ints
    leg_flight: Ints
    flights: int
    seats: Ints
    room: Flags
    slots: Floats
    slot_hours: int
    cut: Flags
    minutes: Floats
    network: Network
    boarding: Ints
    hours: int


def relaxation_of(instance: Instance) -> Relaxation:
    p = problem_of(instance)
    flights, aircraft, alpha = instance.flights, instance.aircraft, instance.prices.weights[0]
    classes = _classes(instance, p)
    slot_hours = int(instance.end) // 60 + 2
    options = _options(instance, slot_hours)
    flown = _flown(instance, p, classes, options)
    free = options.aircraft < 0
    ours = ~frozen_flights(instance) | flights.cancelled
    base = flight_hours(flights.arrival - flights.departure) * aircraft.hour_cost[flights.aircraft]
    groups, stay, settled = _groups(instance)

    surely = np.where(free, -1, classes.of[options.aircraft])  # the class of those that fly in any case
    limit = np.stack(capacities(instance, slot_hours)).reshape(2, -1).astype(np.float64)
    for side in (0, 1):
        limit[side] -= np.bincount(options.slot[surely >= 0, side, 0], minlength=limit.shape[1])
    span = np.minimum(options.lo + options.takes, instance.end) - np.maximum(options.lo, instance.start)
    span = np.where(surely >= 0, np.maximum(span, 0), 0).astype(np.float64)
    minutes = classes.count * (instance.end - instance.start + classes.turn).astype(np.float64)
    minutes -= np.bincount(surely[surely >= 0], weights=span[surely >= 0], minlength=len(minutes))

    seats = np.where(free[:, None], 0, p.seats[options.aircraft])
    most = seats.copy()
    np.maximum.at(most, flown.option, classes.seats[flown.by])
    boarding = np.flatnonzero(options.lo >= instance.start)
    boarding = boarding[np.lexsort((options.lo[boarding], options.origin[boarding]))]
    slots, hours = np.maximum(limit, 0.0), int(instance.end - 1) // 60 + 1
    return Relaxation(
        constant=settled - alpha * float(base[ours].sum()),
        classes=classes,
        options=options,
        flown=flown,
        new=_new_flights(instance, p, classes, slots.reshape(2, -1, slot_hours), hours),
        groups=groups,
        people=instance.bookings.passengers[groups].astype(np.float64),
        stay=stay,
        booking=p.booking,
        leg_first=instance.bookings.first,
        leg_flight=instance.bookings.leg_flight,
        flights=len(flights.number),
        seats=seats,
        room=most > 0,
        slots=slots,
        slot_hours=slot_hours,
        cut=np.isin(np.arange(len(instance.airports.code)), instance.closures.airport),
        minutes=np.maximum(minutes, 0.0),
        network=_network(instance, p, options, boarding, classes),
        boarding=boarding,
        hours=hours,
    )


def _classes(instance: Instance, p: Problem) -> Classes:
    aircraft, grounded = instance.aircraft, set(instance.groundings.aircraft.tolist())
    keys: dict[tuple[object, ...], int] = {}
    of = np.full(len(aircraft.name), -1, dtype=np.int64)
    for a in np.flatnonzero(~aircraft.surface).tolist():
        alike = (int(p.aircraft["family"][a]), *aircraft.seats[a].tolist(), aircraft.hour_cost[a], aircraft.range[a])
        of[a] = keys.setdefault((*alike, a if a in grounded else -1), len(keys))
    flying = np.flatnonzero(of >= 0)
    member, turn, transit = (np.full(len(keys), most) for most in (0, 10**6, 10**6))
    member[of[flying]] = flying
    np.minimum.at(turn, of[flying], aircraft.turn[flying])
    np.minimum.at(transit, of[flying], np.minimum(aircraft.turn, aircraft.transit)[flying])
    return Classes(
        of=of,
        family=p.aircraft["family"][member],
        seats=aircraft.seats[member],
        hour=aircraft.hour_cost[member],
        range=aircraft.range[member],
        turn=turn,
        transit=transit,
        count=np.bincount(of[flying], minlength=len(keys)),
    )


def _options(instance: Instance, slot_hours: int) -> Options:
    flights, closures = instance.flights, instance.closures
    given, takes, frozen = given_departures(flights), flights.arrival - flights.departure, frozen_flights(instance)
    cut_until = np.full(len(instance.airports.code), -1)
    np.maximum.at(cut_until, closures.airport, closures.end)
    rows: list[tuple[int, int, int]] = []
    for f in np.flatnonzero(~flights.cancelled).tolist():
        soonest, last = int(given[f]), int(instance.end - takes[f])
        if frozen[f]:
            rows.append((f, soonest, soonest))
            continue
        starts = {soonest + wait for wait in WAITS}
        for at, wait in ((flights.origin[f], 0), (flights.destination[f], int(takes[f]))):
            first = (soonest + wait) // 60 + 1
            if soonest + wait < cut_until[at] + 60 * TIGHT_HOURS:
                starts |= {60 * h - wait for h in range(first, first + TIGHT_HOURS)}
        edges = [*sorted(t for t in starts if t <= last), last + 1]
        rows += [(f, lo, hi - 1) for lo, hi in pairwise(edges)]
    flight, lo, hi = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    airport = np.stack([flights.origin[flight], flights.destination[flight]], axis=1)
    later = np.stack([0 * flight, takes[flight]], axis=1)
    hour = (np.stack([lo, hi], axis=1)[:, None, :] + later[:, :, None]) // 60
    slot = airport[:, :, None] * slot_hours + np.minimum(hour, slot_hours - 1)
    return Options(
        flight=flight,
        lo=lo,
        hi=hi,
        takes=takes[flight],
        origin=flights.origin[flight],
        to=flights.destination[flight],
        aircraft=np.where(frozen[flight], flights.aircraft[flight], -1),
        slot=slot,
    )


def _flown(instance: Instance, p: Problem, c: Classes, o: Options) -> Flown:
    flights = instance.flights
    may = (o.aircraft < 0)[:, None] & (p.flight["family"][o.flight][:, None] == c.family)
    may &= o.takes[:, None] <= c.range
    g = instance.groundings
    for a, start, end in zip(g.aircraft.tolist(), g.start.tolist(), g.end.tolist(), strict=True):
        if c.of[a] >= 0:  # a class of its own
            dated = flights.day[o.flight] == start // DAY
            may[:, c.of[a]] &= ~((o.lo + o.takes > start) & ((o.hi < end) | dated))
    option, by = np.nonzero(may)
    return Flown(
        option=option,
        by=by,
        cost=instance.prices.weights[0] * flight_hours(o.takes[option]) * c.hour[by],
        busy=(o.takes[option] + c.transit[by]).astype(np.float64),
        seats=c.seats.sum(axis=1)[by].astype(np.float64),
    )


def _new_flights(instance: Instance, p: Problem, c: Classes, slots: Floats, hours: int) -> NewFlights:
    takes, hour = p.distance[:, :, 0], np.arange(hours)
    leaves = np.maximum(60 * hour, instance.start)
    lands = leaves + takes[:, :, None]
    can = (hour >= instance.start // 60) & (takes[:, :, None] >= 0) & (lands <= instance.end)
    can &= (slots[0, :, :hours] > 0)[:, None, :]
    to = np.arange(len(takes))[None, :, None]
    first, last = (np.clip(t // 60, 0, slots.shape[2] - 1) for t in (lands, 60 * hour + 59 + takes[:, :, None]))
    can &= (slots[1, to, first] > 0) | (slots[1, to, last] > 0)
    in_range = (takes >= 0) & (takes <= c.range[:, None, None])
    cost = instance.prices.weights[0] * flight_hours(np.maximum(takes, 0)) * c.hour[:, None, None]
    busy = np.maximum(takes, 0) + c.turn[:, None, None]
    return NewFlights(can=can, lands=(first, last), cost=np.where(in_range, cost, np.inf), busy=busy.astype(np.float64))


def _groups(instance: Instance) -> tuple[Ints, Floats, float]:
    """Bookings that still travel, EUR per person of them who does not, and EUR for those who do not travel any more."""
    flights, bookings = instance.flights, instance.bookings
    rates, booked = tariff(instance), journeys(instance)
    alpha, beta, _ = instance.prices.weights
    begun = booked.begun > 0
    # Outbound lines that follow a line cancelled on its way pay the inbound tariff: whichever is less, then.
    least = np.where(bookings.inbound | begun, rates.inbound, np.minimum(rates.inbound, rates.outbound))
    stay = alpha * rates.refund + beta * least
    last = bookings.leg_flight[bookings.first[:-1] + np.maximum(booked.begun - 1, 0)]
    landed = (given_departures(flights) + flights.arrival - flights.departure)[last]
    late = np.maximum(landed - booked.arrival, 0)
    arrived = late * beta * rates.minute + alpha * care(late, rates.meal_after)
    there = begun & (flights.destination[last] == booked.destination)
    stay = np.where(there, np.minimum(stay, arrived), stay)
    done = booked.begun == np.diff(bookings.first)
    groups = np.flatnonzero(~done & (bookings.passengers > 0))
    return groups, stay[groups], float((bookings.passengers * stay)[done].sum())


def _network(instance: Instance, p: Problem, o: Options, boarding: Ints, c: Classes) -> Network:
    minutes, reach = p.distance[:, :, 0], p.distance[:, :, 1]
    minutes = np.where(minutes <= c.range.max(initial=-1), minutes, -1)
    b = boarding
    quickest = np.where(minutes >= 0, minutes, 10**6).astype(np.int64)
    np.minimum.at(quickest, (o.origin[b], o.to[b]), o.takes[b])
    quickest += CONNECTION
    for via in range(len(minutes)):
        quickest = np.minimum(quickest, quickest[:, via][:, None] + quickest[via])
    fields = [o.lo, o.hi, o.takes, o.to, reach[o.origin, o.to], o.flight]
    return Network(
        first=np.searchsorted(o.origin[b], np.arange(len(minutes) + 1)),
        option=np.stack(fields, axis=1)[b],
        distance=minutes,
        quickest=quickest,
        start=int(instance.start),
        end=int(instance.end),
        downgrade=p.downgrade,
        alpha=instance.prices.weights[0],
    )
