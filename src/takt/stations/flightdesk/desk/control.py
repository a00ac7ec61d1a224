"""What a desk with authority may do to the airline's own flights: delay, cancel, swap aircraft.

The rules are the recovery's. What is asked most is refused with an advice: an aircraft leaves from where it landed,
after its turn-round, within its range, with a slot; only an aircraft of the same family takes over a flight, and one
with a maintenance ahead stays where it is planned. The last word has `check` itself, of all that the airline flies, its
empty flights too: a change that breaks a rule of flights, aircraft or airports which was not broken is refused, and the
rule named. What a change breaks of passengers' trips comes to the desk.

A change is judged by what is known by then, and only that is in an answer. What is in store for a flight comes all the
same: one that will turn out to be cancelled, or to leave later still, may be delayed until that is known, and then is.
A change that would break a rule only for what nobody knows yet is refused too, by operations control, which does not
say why: that something is in the way is told by this, and what it is is not.

Shifts by rules before `versions.CHECKED` go without the last word of `check`, and those before `versions.AS_KNOWN` are
judged by what will be, as they were worked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TypeVar

import numpy as np

from takt.contract.tools import Refused
from takt.stations.flightdesk.airline.check import check
from takt.stations.flightdesk.airline.instance import (
    DAY,
    Closures,
    Flags,
    Groundings,
    Instance,
    Ints,
    capacity_at,
)
from takt.stations.flightdesk.airline.rules import Violation
from takt.stations.flightdesk.airline.solution import Operations, Solution, trips_of
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.versions import CHECKED
from takt.stations.flightdesk.desk.world import World

MOST_DELAY = DAY  # minutes

Plan = tuple[Ints, Flags, Ints]  # of the airline's own flights: when each leaves, whether it is cancelled, who flies it
Rows = TypeVar("Rows", Operations, Groundings, Closures)


def delay(office: Office, f: int, minutes: int) -> list[int]:
    """Let a flight leave so many minutes later than now planned, and those after it that its aircraft is late for."""
    _own(office, f)
    if not 1 <= minutes <= MOST_DELAY:
        raise Refused("bad_number", f"a flight is delayed by 1 to {MOST_DELAY} minutes, not {minutes}")
    turn = int(office.world.instance.aircraft.turn[office.flights.aircraft[f]])
    before, lands, _ = _flown(office)
    moves: list[tuple[int, int]] = []
    leaves = max(int(before[f]), int(office.flights.leaves_now[f]) + minutes)
    for g in [f, *_after(office, f)]:
        if g != f and before[g] >= leaves:
            break
        moves.append((g, leaves))
        leaves += int(lands[g] - before[g]) + turn
    _check_slots(office, dict(moves))
    _check_rules(office, {g: (at, False, int(office.flights.aircraft[g])) for g, at in moves})
    for g, at in moves:
        text = f"{office.world.name[g]} leaves at {office.world.clock(at)}: delayed by the desk"
        office.change_flight(g, at, False, "delayed", text)
    return [g for g, _ in moves]


def cancel(office: Office, flights: Sequence[int]) -> None:
    """Do not fly these; what is left of each aircraft's day must still leave from where the aircraft is."""
    for f in flights:
        _own(office, f)
    chosen = set(flights)
    for aircraft in {int(office.flights.aircraft[f]) for f in flights}:
        day = _rotation(office, aircraft)
        rest = [f for f in day if f not in chosen]
        gap = _gap(office, aircraft, rest)
        if gap is not None and _gap(office, aircraft, day) != gap:
            here = office.world.instance.airports.code[office.world.origin[gap]]
            raise Refused(
                "aircraft_not_there",
                f"the aircraft of {office.world.name[gap]} would not be at {here}; cancel the flights between as well",
            )
    leaves = {f: int(_flown(office)[0][f]) for f in sorted(chosen)}
    _check_rules(office, {f: (at, True, int(office.flights.aircraft[f])) for f, at in leaves.items()})
    for f, at in leaves.items():
        text = f"{office.world.name[f]} is cancelled by the desk"
        office.change_flight(f, at, True, "cancelled", text)


def swap(office: Office, f: int, other: int) -> list[int]:
    """The aircraft of two flights that leave from one airport change places, for these flights and all after them."""
    world, aircraft = office.world, office.world.instance.aircraft
    leaves, lands, gone = _flown(office)
    for g in (f, other):
        _own(office, g)
    if f == other or office.flights.aircraft[f] == office.flights.aircraft[other]:
        raise Refused("same_aircraft", f"{world.name[f]} and {world.name[other]} have the same aircraft")
    if world.origin[f] != world.origin[other]:
        raise Refused("aircraft_not_there", f"{world.name[f]} and {world.name[other]} leave from different airports")
    pair = int(office.flights.aircraft[f]), int(office.flights.aircraft[other])
    if aircraft.family[pair[0]] != aircraft.family[pair[1]]:
        both = " and ".join(aircraft.name[tail] for tail in pair)
        raise Refused("other_family", f"{both} are of different families")
    moved: list[tuple[int, int]] = []
    for own, tail, theirs in ((f, pair[0], other), (other, pair[1], f)):
        if aircraft.service_airport[tail] >= 0 and aircraft.service_end[tail] > office.minute:
            raise Refused("maintenance", f"{aircraft.name[tail]} has a maintenance to go to")
        before = [g for g in _rotation(office, tail) if leaves[g] < leaves[own]]
        ready = int(lands[before[-1]] + aircraft.turn[tail]) if before else 0
        if ready > leaves[theirs]:
            raise Refused("aircraft_not_ready", f"{aircraft.name[tail]} is not ready before {world.clock(ready)}")
        for g in [theirs, *_after(office, theirs)]:
            seats = office.stock.free[g] + aircraft.seats[tail] - aircraft.seats[office.flights.aircraft[g]]
            if lands[g] - leaves[g] > aircraft.range[tail]:
                raise Refused("range", f"{aircraft.name[tail]} cannot fly {world.name[g]}: too far")
            if (seats < 0).any():
                raise Refused(
                    "no_seats", f"{aircraft.name[tail]} has too few seats for who is booked on {world.name[g]}"
                )
            moved.append((g, tail))
    _check_rules(office, {g: (int(leaves[g]), bool(gone[g]), tail) for g, tail in moved})
    for g, tail in moved:
        office.swap_aircraft(g, tail)
    return [g for g, _ in moved]


def _own(office: Office, f: int) -> None:
    """Raises Refused unless the desk may still change this flight."""
    name = office.world.name[f]
    if not office.authority:
        raise Refused("no_authority", "this desk may not change flights; book, refund or call a human")
    if f >= office.world.own:
        raise Refused("not_ours", f"{name} is another carrier's flight")
    if office.flights.gone_now[f]:
        raise Refused("flight_cancelled", f"{name} is cancelled already")
    if min(office.flights.leaves_now[f], office.flights.leaves[f]) <= office.minute:
        raise Refused("flight_departed", f"{name} has left")


def _flown(office: Office) -> tuple[Ints, Ints, Flags]:
    """When the airline's own flights leave and land, and which are cancelled: as far as is known, or, by older rules,
    as it will be."""
    flights, own = office.flights, office.world.own
    if flights.as_known:
        return flights.leaves_now[:own], flights.lands_now[:own], flights.gone_now[:own]
    return flights.leaves[:own], flights.arrives[:own], flights.gone[:own]


def _rotation(office: Office, aircraft: int) -> list[int]:
    """What an aircraft flies, in order."""
    leaves, _, gone = _flown(office)
    own = np.flatnonzero((office.flights.aircraft == aircraft) & ~gone)
    return own[np.argsort(leaves[own], kind="stable")].tolist()


def _after(office: Office, f: int) -> list[int]:
    leaves = _flown(office)[0]
    return [g for g in _rotation(office, int(office.flights.aircraft[f])) if leaves[g] > leaves[f]]


def _gap(office: Office, aircraft: int, rotation: Sequence[int]) -> int | None:
    """The first flight of a rotation that does not leave from where its aircraft is."""
    at = int(office.world.instance.aircraft.airport[aircraft])
    for f in rotation:
        if office.world.origin[f] != at:
            return f
        at = int(office.world.destination[f])
    return None


def _check_slots(office: Office, moves: dict[int, int]) -> None:
    """Raises Refused if an airport has no slot for one of these flights at its new time of departure."""
    world, own = office.world, office.world.own
    before = _flown(office)
    leaves, arrives, flown = before[0].copy(), before[1].copy(), ~before[2]
    instance = _known_instance(office) if office.flights.as_known else world.instance
    for f, minute in moves.items():
        leaves[f], arrives[f] = minute, minute + arrives[f] - leaves[f]
    if office.rules >= CHECKED:
        flown &= ~world.instance.aircraft.surface[office.flights.aircraft]  # coaches need no slot
    for f in moves:
        for side, airports, times in ((0, world.origin, leaves), (1, world.destination, arrives)):
            at, hour = int(airports[f]), int(times[f]) // 60
            used = int((flown & (airports[:own] == at) & (times // 60 == hour)).sum())
            moved = before[side][f] // 60 != hour
            if moved and used > int(capacity_at(instance, np.array([at]), np.array([hour]))[side][0]):
                code = world.instance.airports.code[at]
                raise Refused("no_slot", f"{code} has no slot left in the hour of {world.clock(60 * hour)}")


def _check_rules(office: Office, changes: Mapping[int, tuple[int, bool, int]]) -> None:
    """Raises Refused if what is flown would break a rule that it does not break as it is.

    changes    flight -> when it leaves, whether it is cancelled, and with which aircraft.
    """
    if office.rules < CHECKED:
        return
    flights, own = office.flights, office.world.own
    true = flights.leaves[:own], flights.gone[:own], flights.aircraft
    if not flights.as_known:
        before, broken = _broken(office.world, true), _broken(office.world, _with(true, changes))
        found = next((one for one in broken if one not in before), None)
    else:
        seen, world = (flights.leaves_now[:own], flights.gone_now[:own], flights.aircraft), _known_world(office)
        found = _first_new(world, seen, _with(seen, changes))
        comes = {f: (*flights.outcome(f, at, gone)[:2], aircraft) for f, (at, gone, aircraft) in changes.items()}
        if found is None and _first_new(office.world, true, _with(true, comes)) is not None:
            raise Refused("breaks_rule", "operations control cannot do that, and does not say why")
    if found is not None:
        raise Refused("breaks_rule", f"that would break a rule ({found.rule}): {found.text}")


def _with(plan: Plan, changes: Mapping[int, tuple[int, bool, int]]) -> Plan:
    leaves, gone, aircraft = plan[0].copy(), plan[1].copy(), plan[2].copy()
    for f, change in changes.items():
        leaves[f], gone[f], aircraft[f] = change
    return leaves, gone, aircraft


def _first_new(world: World, before: Plan, after: Plan) -> Violation | None:
    """A rule that is broken where, or more often than, it was not. What is broken already may be broken less."""
    broken = _broken(world, after)
    had = Counter(map(_place, _broken(world, before))) if broken else Counter()
    for found in broken:
        had[_place(found)] -= 1
        if had[_place(found)] < 0:
            return found
    return None


def _place(found: Violation) -> tuple[object, ...]:
    """Where which rule is broken: not by how much, which its text has."""
    return found.rule, found.flight, found.aircraft, found.airport, found.minute


def _known_world(office: Office) -> World:
    """The world without what nobody knows yet (`_known_instance`), and without the empty flights that come of it: those
    of aircraft for which something is still in store."""
    world, plan = office.world, office.world.plan
    waits = world.instance.flights.aircraft[_in_store(office)]
    told = np.concatenate([np.ones(world.own, dtype=np.bool_), ~np.isin(plan.aircraft[world.own :], waits)])
    return replace(world, instance=_known_instance(office), plan=_rows(plan, told))


def _known_instance(office: Office) -> Instance:
    """The instance as far as is known: without delays and cancellations that are still in store for flights, groundings
    that have not begun, and what airports take less for longer than they have said."""
    world, instance, waits = office.world, office.world.instance, _in_store(office)
    flights, grounded, shut = instance.flights, instance.groundings, instance.closures
    said = dict.fromkeys(instance.airports.code, 0.0)  # until when what an airport takes is known
    for news in (world.news[item] for item in office.flights.log if item >= 0):
        if news.place in said:
            said[news.place] = max(said[news.place], news.until or float(NEVER))
    until = np.array([said[code] for code in instance.airports.code])[shut.airport]
    return replace(
        instance,
        flights=replace(flights, delay=np.where(waits, 0, flights.delay), cancelled=flights.cancelled & ~waits),
        groundings=_rows(grounded, grounded.start <= office.minute),
        closures=_rows(replace(shut, end=np.minimum(shut.end, until).astype(np.int64)), shut.start < until),
    )


def _rows(table: Rows, which: Flags) -> Rows:
    return replace(table, **{f.name: getattr(table, f.name)[which] for f in fields(table)})


def _in_store(office: Office) -> Flags:
    """Which of the airline's own flights will change without anybody's knowing it yet."""
    known = office.flights.known[: office.world.own]
    return (known > office.minute) & (known < NEVER)


def _broken(world: World, flown_as: Plan) -> list[Violation]:
    """The rules that the airline's flights so flown break, and its empty ones; nothing is asked of passengers."""
    plan, own, bookings = world.plan, world.own, world.instance.bookings
    leaves, gone, aircraft = flown_as
    departure = np.concatenate([leaves, plan.departure[own:]])
    flown = replace(
        plan,
        departure=departure,
        arrival=departure + plan.arrival - plan.departure,
        aircraft=np.concatenate([np.where(gone, -1, aircraft), plan.aircraft[own:]]),
    )
    nobody = replace(
        bookings,
        **{f.name: getattr(bookings, f.name)[:0] for f in fields(bookings)} | {"first": bookings.first[:1]},
    )
    instance = replace(world.instance, bookings=nobody)
    return check(instance, Solution(flown, trips_of(instance, flown, [])))
