"""An instance and a plan as arrays of records, which is what compiled code (`prices.py` and on) reads and writes.

`Problem` never changes; `Plan` is what the search works on. A record's fields are named below; few arrays of many
fields compile several times faster than many arrays. Flights beyond the planned ones are spare entries: a created
flight is a spare entry that somebody flies. Where a group has begun its trip, only what is left of it is here.

Costs are weighted EUR, as in the objective. Times are minutes as in `Instance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from takt.stations.flightdesk.airline.cost import MEAL, NIGHT, NIGHT_AFTER, flight_hours, tariff
from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
    DAY,
    Flags,
    Floats,
    Instance,
    Ints,
    capacities,
    distance_tables,
    fixed_flights,
    frozen_flights,
    given_departures,
    journeys,
    seats_text,
)
from takt.stations.flightdesk.airline.rules import LATEST, dates_of
from takt.stations.flightdesk.airline.solution import Created, Line, Solution, operations_of, trips_of

SPARE = 160  # created flights at most
MANY = 30_000  # seats of what takes any number of passengers
NEVER = 10**6
BROKEN = 1e9  # EUR for a broken rule: nothing else is worth one


def _record(whole: str, real: str = "", flags: str = "") -> np.dtype[np.void]:
    kinds = ((whole, np.int64), (real, np.float64), (flags, np.bool_))
    return np.dtype([(name, kind) for names, kind in kinds for name in names.split()], align=True)


FLIGHT = _record("given day previous own family", "usual", "free")
AIRCRAFT = _record("family range turn transit at tail_at tail_time service due service_minutes kind", "hour", "surface")
BOOKING = _record("people origin goal ready arrival latest cabin meal_after first last", "minute cancel")
LEG = _record("flight cabin")
FLOWN = _record("departure aircraft origin destination takes")
LINE = np.dtype([(name, np.int32) for name in ("booking", "people", "legs")] + [("cost", np.float64)], align=True)

Records = NDArray[np.void]


class Problem(NamedTuple):
    """What does not change. `n`: how many flights are planned; `settled`: EUR for who has arrived, or is about to.

    flight     given: when it leaves if nothing is done. day: of its row. previous: the flight of which it is the next
               leg. own, family: of the aircraft planned. usual: EUR to fly it as planned. free: ours to decide.
    aircraft   family, range, turn, transit, surface as in `Aircraft`; hour: EUR. at: where it starts. kind: model and
               seats. tail_*: where and when its first flight after the recovery period leaves, -1 if there is none.
               service, due, service_minutes: its maintenance; -1 if there is none, or none to care about.
    booking    its people can board at `ready` at `origin`, and have to be at `goal` by `latest`. arrival: as booked.
               cabin: the reference cabin. cancel: EUR per person if it does not travel; minute: per minute late.
               Its legs that are left are `first:last` of `leg`.
    seats      (aircraft, cabin).
    away       (aircraft, i, start and end and first and last day): when it cannot fly; flights of those days, the last
               excluded, not even after the end.
    slots      (airport, hour, departures and arrivals).
    distance   (origin, destination, minutes and reach).
    want       (airport, kind): aircraft wanted at the end; `kinds`: model and family by kind.
    downgrade  (from, to, reach). penalties: family, model, configuration.
    """

    n: int
    start: int
    end: int
    alpha: float
    settled: float
    flight: Records
    aircraft: Records
    booking: Records
    leg: Records
    seats: Ints
    away: Ints
    slots: Ints
    distance: Ints
    want: Ints
    kinds: Ints
    downgrade: Floats
    penalties: Floats


class Plan(NamedTuple):
    """A plan under search. A line is part of a booking's group on one path.

    memory      all the other arrays are views into it, so it is all there is to copy, or to send.
    flight      departure, aircraft (-1: not flown), origin, destination, takes.
    seats       (flight, cabin): what is left.
    slots       (airport, hour, departures and arrivals): what is used.
    stays       by booking: people who do not travel.
    order       flights by departure.
    totals      EUR: passengers, flying, position, and BROKEN for each rule that aircraft break.
    lines       how many there are, the first of `line`; `fixed` is the memory before `line`.
    line        booking, people, legs, cost; its path is in `line_leg` (-1 behind its end) and `line_cabin` (line, leg).
    """

    memory: NDArray[np.uint8]
    fixed: NDArray[np.uint8]
    flight: Records
    seats: Ints
    slots: Ints
    stays: Ints
    order: Ints
    totals: Floats
    lines: Ints
    line: Records
    line_leg: NDArray[np.int32]
    line_cabin: NDArray[np.int8]


def records(fields: np.dtype[np.void], /, **columns: NDArray[Any]) -> Records:
    """An array of records from its columns."""
    table = np.zeros(len(next(iter(columns.values()))), dtype=fields)
    for name, column in columns.items():
        table[name] = column
    return table


def problem_of(instance: Instance) -> Problem:
    flights, aircraft, bookings, booked = instance.flights, instance.aircraft, instance.bookings, journeys(instance)
    prices, rates = instance.prices, tariff(instance)
    alpha, beta, gamma = prices.weights
    given, fixed, takes = given_departures(flights), fixed_flights(instance), flights.arrival - flights.departure
    families = {name: i for i, name in enumerate(sorted(set(aircraft.family)))}
    family = np.array([families[name] for name in aircraft.family], dtype=np.int64)
    kind, want, kinds = _kinds(instance, families)
    planned = records(
        FLIGHT,
        given=given,
        day=flights.day,
        previous=flights.previous,
        own=flights.aircraft,
        family=family[flights.aircraft],
        usual=flight_hours(takes) * aircraft.hour_cost[flights.aircraft],
        free=~frozen_flights(instance) & ~flights.cancelled,
    )
    spare = np.zeros(SPARE, dtype=FLIGHT)
    for name in ("given", "day", "previous", "own", "family"):
        spare[name] = -1
    spare["free"] = True

    tail_at, tail_time = _tails(instance, given, fixed)
    service = np.where(aircraft.service_start >= instance.start, aircraft.service_airport, -1)
    first, leg = _left(instance, booked.begun)
    begun = booked.begun > 0
    flown_last = bookings.leg_flight[bookings.first[:-1] + np.maximum(booked.begun - 1, 0)]
    landed = given[flown_last] + takes[flown_last]
    done = booked.begun == np.diff(bookings.first)
    late = np.maximum(landed - booked.arrival, 0)
    meals = MEAL * (late > rates.meal_after) + NIGHT * (late > NIGHT_AFTER)
    settled = float((bookings.passengers * (late * beta * rates.minute + alpha * meals))[done].sum())
    hours = int(max((given + takes).max(), instance.end) + 2 * DAY) // 60
    return Problem(
        n=len(flights.number),
        start=instance.start,
        end=instance.end,
        alpha=alpha,
        settled=settled,
        flight=np.concatenate([planned, spare]),
        aircraft=records(
            AIRCRAFT,
            family=family,
            range=aircraft.range,
            turn=aircraft.turn,
            transit=aircraft.transit,
            at=aircraft.airport,
            surface=aircraft.surface,
            hour=aircraft.hour_cost,
            tail_at=tail_at,
            tail_time=tail_time,
            service=service,
            due=aircraft.service_start,
            service_minutes=aircraft.service_minutes,
            kind=kind,
        ),
        booking=records(
            BOOKING,
            people=np.where(done, 0, bookings.passengers),
            origin=np.where(begun, flights.destination[flown_last], booked.origin),
            goal=booked.destination,
            ready=np.maximum(np.where(begun, landed + CONNECTION, booked.departure), instance.start),
            arrival=booked.arrival,
            latest=np.where(bookings.inbound, NEVER, booked.arrival + np.array(LATEST)[booked.reach]),
            cabin=booked.cabin,
            meal_after=rates.meal_after,
            minute=beta * rates.minute,
            cancel=alpha * rates.refund + beta * np.where(bookings.inbound | begun, rates.inbound, rates.outbound),
            first=first[:-1],
            last=first[1:],
        ),
        leg=leg,
        seats=np.where(aircraft.surface[:, None], MANY, aircraft.seats),
        away=_away(instance),
        slots=np.stack(capacities(instance, hours), axis=2),
        distance=np.maximum(np.stack(distance_tables(instance), axis=2), (-1, 0)),
        want=want,
        kinds=kinds,
        downgrade=beta * prices.downgrade,
        penalties=gamma * np.array([prices.family, prices.model, prices.configuration]),
    )


def _left(instance: Instance, begun: Ints) -> tuple[Ints, Records]:
    """The bookings' legs without those that have been flown: `first`, and the legs."""
    first = instance.bookings.first
    owner = np.repeat(np.arange(len(begun)), np.diff(first))
    left = np.arange(first[-1]) - first[owner] >= begun[owner]
    counts = np.bincount(owner[left], minlength=len(begun))
    leg = records(LEG, flight=instance.bookings.leg_flight[left], cabin=instance.bookings.leg_cabin[left])
    return np.concatenate([[0], np.cumsum(counts)]), leg


def _tails(instance: Instance, given: Ints, fixed: Flags) -> tuple[Ints, Ints]:
    at, time = np.full(len(instance.aircraft.name), -1), np.full(len(instance.aircraft.name), -1)
    later = np.flatnonzero(fixed & ~instance.flights.cancelled & (given >= instance.end))
    for i in later[np.argsort(-given[later], kind="stable")]:
        at[instance.flights.aircraft[i]], time[instance.flights.aircraft[i]] = instance.flights.origin[i], given[i]
    return at, time


def _away(instance: Instance) -> Ints:
    aircraft, g = instance.aircraft, instance.groundings
    times: list[list[tuple[int, int, int, int]]] = [[] for _ in aircraft.name]
    for a, start, end in zip(g.aircraft.tolist(), g.start.tolist(), g.end.tolist(), strict=True):
        times[a].append((start, end, *dates_of(start, end)))
    for a in np.flatnonzero(aircraft.service_airport >= 0).tolist():
        times[a].append((int(aircraft.service_start[a]), int(aircraft.service_end[a]), -NEVER, -NEVER))
    away = np.full((len(times), max(1, *map(len, times)), 4), -NEVER, dtype=np.int64)
    for a, spans in enumerate(times):
        away[a, : len(spans)] = np.array(spans, dtype=np.int64).reshape(-1, 4)
    return away


def _kinds(instance: Instance, families: dict[str, int]) -> tuple[Ints, Ints, Ints]:
    """Kind by aircraft; wanted (airport, kind); model and family by kind."""
    aircraft, wanted = instance.aircraft, instance.wanted
    own = list(zip(aircraft.model, map(seats_text, aircraft.seats), strict=True))
    asked = list(zip(wanted.model, wanted.configuration, strict=True))
    index = {kind: i for i, kind in enumerate(sorted({*own, *asked}))}
    models = {model: i for i, model in enumerate(sorted({model for model, _ in index}))}
    family = {model: families[name] for model, name in zip(aircraft.model, aircraft.family, strict=True)}
    want = np.zeros((len(instance.airports.code), len(index)), dtype=np.int64)
    for at, kind, number in zip(wanted.airport.tolist(), asked, wanted.count.tolist(), strict=True):
        want[at, index[kind]] += number
    kinds = np.array([[models[model] for model, _ in index], [family.get(model, -1) for model, _ in index]])
    return np.array([index[kind] for kind in own], dtype=np.int64), want, kinds


# --- from a solution to a plan, and back ------------------------------------------------------------------------------


def plan_of(instance: Instance, p: Problem, solution: Solution) -> Plan:
    """A valid solution as a plan, to be priced yet."""
    o, t, flights, n = solution.operations, solution.trips, instance.flights, p.n
    index = o.planned.copy()
    created = np.flatnonzero(index < 0)[:SPARE]
    index[created] = n + np.arange(len(created))
    flight = np.zeros(n + SPARE, dtype=FLOWN)
    flight["departure"][:n], flight["takes"][:n] = p.flight["given"][:n], flights.arrival - flights.departure
    flight["origin"][:n], flight["destination"][:n] = flights.origin, flights.destination
    flight["aircraft"] = -1
    flown = np.flatnonzero((o.aircraft >= 0) & (index >= 0))
    now = records(
        FLOWN,
        departure=o.departure,
        aircraft=o.aircraft,
        origin=o.origin,
        destination=o.destination,
        takes=o.arrival - o.departure,
    )
    flight[index[flown]] = now[flown]
    aircraft = flight["aircraft"]
    seats = np.where(aircraft[:, None] >= 0, p.seats[aircraft], 0)
    slots = np.zeros_like(p.slots)
    taken = flight[(aircraft >= 0) & ~p.aircraft["surface"][aircraft]]
    np.add.at(slots, (taken["origin"], taken["departure"] // 60, 0), 1)
    np.add.at(slots, (taken["destination"], (taken["departure"] + taken["takes"]) // 60, 1), 1)

    bookings = len(p.booking)
    room = 4 * bookings + 2000  # where seats are few, groups are split into two on average
    legs = max(3, int(np.diff(instance.bookings.first).max()), int(np.diff(t.first).max(initial=0)))
    line = np.zeros(room, dtype=LINE)
    line_leg, line_cabin = np.full((room, legs), -1, dtype=np.int32), np.zeros((room, legs), dtype=np.int8)
    stays, begun, used = np.zeros(bookings, dtype=np.int64), journeys(instance).begun, 0
    for i, b in enumerate(t.booking.tolist()):
        span = slice(int(t.first[i] + begun[b]), int(t.first[i + 1]))
        path, cabins, people = index[t.leg_row[span]], t.leg_cabin[span], int(t.passengers[i])
        if not p.booking["people"][b]:
            continue
        if t.cancelled[i] or used == room:
            stays[b] += people
            continue
        line[used] = b, people, len(path), 0.0
        line_leg[used, : len(path)], line_cabin[used, : len(path)] = path, cabins
        np.subtract.at(seats, (path, cabins), people)
        used += 1
    order = np.argsort(flight["departure"], kind="stable")
    lines = np.array([used], dtype=np.int64)
    return _in_one(flight, seats, slots, stays, order, np.zeros(4), lines, line, line_leg, line_cabin)


def _in_one(*arrays: NDArray[Any]) -> Plan:
    """A plan of copies of these arrays, in one piece of memory."""
    memory = np.zeros(sum(map(_taken, arrays)), dtype=np.uint8)
    views = _views(memory, arrays)
    for view, array in zip(views, arrays, strict=True):
        view[...] = array
    return _plan(memory, views)


def _taken(array: NDArray[Any]) -> int:
    """Bytes that an array takes in a plan's memory: the next one begins at a whole word."""
    return -(-array.nbytes // 8) * 8


def _plan(memory: NDArray[np.uint8], views: Sequence[NDArray[Any]]) -> Plan:
    lines = sum(map(_taken, views[-3:]))
    return Plan(memory, memory[: len(memory) - lines], *views)


def _views(memory: NDArray[np.uint8], like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    views, start = [], 0
    for array in like:
        views.append(memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape))
        start += _taken(array)
    return views


def plan_in(shape: Plan, memory: bytes) -> Plan:
    """The plan, shaped like another, that is in these bytes. Read-only."""
    whole = np.frombuffer(memory, dtype=np.uint8)
    return _plan(whole, _views(whole, shape[2:]))


def copied(plan: Plan) -> Plan:
    return _in_one(*plan[2:])


def solution_of(instance: Instance, p: Problem, plan: Plan) -> Solution:
    """A plan as a solution: what was flown before the recovery period is put in front again."""
    n = p.n
    row = {n + int(f): n + i for i, f in enumerate(np.flatnonzero(plan.flight["aircraft"][n:] >= 0))}
    new = [
        Created(origin, destination, departure, departure + takes, aircraft)
        for departure, aircraft, origin, destination, takes in plan.flight[list(row)].tolist()
    ]
    operations = operations_of(instance, plan.flight["departure"][:n], plan.flight["aircraft"][:n], new)
    bookings, begun = instance.bookings, journeys(instance).begun
    legs = list(zip(bookings.leg_flight.tolist(), bookings.leg_cabin.tolist(), strict=True))
    first = bookings.first.tolist()
    flown = [legs[first[b] : first[b] + int(begun[b])] for b in range(len(begun))]
    people: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
    for i in range(int(plan.lines[0])):
        b, passengers, count, _ = plan.line[i].tolist()
        rows = [row.get(f, f) for f in plan.line_leg[i, :count].tolist()]
        key = (b, tuple(zip(rows, plan.line_cabin[i, :count].tolist(), strict=True)))
        people[key] = people.get(key, 0) + passengers
    lines: list[Line] = [(b, number, flown[b] + list(path), False) for (b, path), number in people.items()]
    lines += [
        (b, int(bookings.passengers[b]), flown[b], False) for b in np.flatnonzero(p.booking["people"] == 0).tolist()
    ]
    lines += [(b, int(plan.stays[b]), flown[b], True) for b in np.flatnonzero(plan.stays).tolist()]
    lines.sort(key=lambda line: line[3] and bool(line[2]))  # they make cancelled lines behind them pay more
    return Solution(operations, trips_of(instance, operations, lines))
