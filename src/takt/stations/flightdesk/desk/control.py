"""What a desk with authority may do to the airline's own flights: delay, cancel, swap aircraft.

The rules are the recovery's. What is asked most is refused with an advice: an aircraft leaves from where it landed,
after its turn-round, within its range, with a slot; only an aircraft of the same family takes over a flight, and one
with a maintenance ahead stays where it is planned. The last word has `check` itself, of all that the airline flies, its
empty flights too: a change that breaks a rule of flights, aircraft or airports which was not broken is refused, and the
rule named. What a change breaks of passengers' trips comes to the desk.

Shifts by rules before `tools.CHECKED` go without that last word, as they were worked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from takt.contract.tools import Refused
from takt.stations.flightdesk.airline.check import check
from takt.stations.flightdesk.airline.instance import DAY, Flags, Ints, capacity_at
from takt.stations.flightdesk.airline.rules import Violation
from takt.stations.flightdesk.airline.solution import Solution, trips_of
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.world import World

MOST_DELAY = DAY  # minutes


def delay(office: Office, f: int, minutes: int) -> list[int]:
    """Let a flight leave so many minutes later than now planned, and those after it that its aircraft is late for."""
    _own(office, f)
    if not 1 <= minutes <= MOST_DELAY:
        raise Refused("bad_number", f"a flight is delayed by 1 to {MOST_DELAY} minutes, not {minutes}")
    turn = int(office.world.instance.aircraft.turn[office.flights.aircraft[f]])
    moves: list[tuple[int, int]] = []
    leaves = max(int(office.flights.leaves[f]), int(office.flights.leaves_now[f]) + minutes)
    for g in [f, *_after(office, f)]:
        if g != f and office.flights.leaves[g] >= leaves:
            break
        moves.append((g, leaves))
        leaves += int(office.flights.arrives[g] - office.flights.leaves[g]) + turn
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
    _check_rules(office, {f: (int(office.flights.leaves[f]), True, int(office.flights.aircraft[f])) for f in chosen})
    for f in sorted(chosen):
        text = f"{office.world.name[f]} is cancelled by the desk"
        office.change_flight(f, int(office.flights.leaves[f]), True, "cancelled", text)


def swap(office: Office, f: int, other: int) -> list[int]:
    """The aircraft of two flights that leave from one airport change places, for these flights and all after them."""
    world, aircraft = office.world, office.world.instance.aircraft
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
        before = [g for g in _rotation(office, tail) if office.flights.leaves[g] < office.flights.leaves[own]]
        ready = int(office.flights.arrives[before[-1]] + aircraft.turn[tail]) if before else 0
        if ready > office.flights.leaves[theirs]:
            raise Refused("aircraft_not_ready", f"{aircraft.name[tail]} is not ready before {world.clock(ready)}")
        for g in [theirs, *_after(office, theirs)]:
            seats = office.stock.free[g] + aircraft.seats[tail] - aircraft.seats[office.flights.aircraft[g]]
            if office.flights.arrives[g] - office.flights.leaves[g] > aircraft.range[tail]:
                raise Refused("range", f"{aircraft.name[tail]} cannot fly {world.name[g]}: too far")
            if (seats < 0).any():
                raise Refused(
                    "no_seats", f"{aircraft.name[tail]} has too few seats for who is booked on {world.name[g]}"
                )
            moved.append((g, tail))
    _check_rules(office, {g: (int(office.flights.leaves[g]), bool(office.flights.gone[g]), tail) for g, tail in moved})
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


def _rotation(office: Office, aircraft: int) -> list[int]:
    """What an aircraft flies, in order."""
    own = np.flatnonzero((office.flights.aircraft == aircraft) & ~office.flights.gone[: office.world.own])
    return own[np.argsort(office.flights.leaves[own], kind="stable")].tolist()


def _after(office: Office, f: int) -> list[int]:
    leaves = office.flights.leaves
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
    leaves, arrives = office.flights.leaves[:own].copy(), office.flights.arrives[:own].copy()
    for f, minute in moves.items():
        leaves[f], arrives[f] = minute, minute + arrives[f] - leaves[f]
    flown = ~office.flights.gone[:own]
    if office.checked:
        flown &= ~world.instance.aircraft.surface[office.flights.aircraft]  # coaches need no slot
    for f in moves:
        for side, airports, times in ((0, world.origin, leaves), (1, world.destination, arrives)):
            at, hour = int(airports[f]), int(times[f]) // 60
            used = int((flown & (airports[:own] == at) & (times // 60 == hour)).sum())
            moved = office.flights.leaves[f] // 60 != hour if side == 0 else office.flights.arrives[f] // 60 != hour
            if moved and used > int(capacity_at(world.instance, np.array([at]), np.array([hour]))[side][0]):
                code = world.instance.airports.code[at]
                raise Refused("no_slot", f"{code} has no slot left in the hour of {world.clock(60 * hour)}")


def _check_rules(office: Office, changes: Mapping[int, tuple[int, bool, int]]) -> None:
    """Raises Refused if what is flown would break a rule that it does not break as it is.

    changes    flight -> when it leaves, whether it is cancelled, and with which aircraft.
    """
    if not office.checked:
        return
    flights, own = office.flights, office.world.own
    now = flights.leaves[:own], flights.gone[:own], flights.aircraft
    leaves, gone, aircraft = now[0].copy(), now[1].copy(), now[2].copy()
    for f, change in changes.items():
        leaves[f], gone[f], aircraft[f] = change
    if broken := _broken(office.world, leaves, gone, aircraft):
        before = set(_broken(office.world, *now))
        for found in broken:
            if found not in before:
                raise Refused("breaks_rule", f"that would break a rule ({found.rule}): {found.text}")


def _broken(world: World, leaves: Ints, gone: Flags, aircraft: Ints) -> list[Violation]:
    """The rules that the airline's flights so flown break, and its empty ones; nothing is asked of passengers."""
    plan, own, bookings = world.plan, world.own, world.instance.bookings
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
