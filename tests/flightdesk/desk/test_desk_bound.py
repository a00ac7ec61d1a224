"""The bound in hindsight is one: no desk without authority serves the same groups for less, whatever it books."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from takt.contract.events import SHIFT_ENDED, UNIT_DUE, Event
from takt.stations.flightdesk.desk import FlightDesk
from takt.stations.flightdesk.desk.account import hindsight, parties_of, tally, unit_costs
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.world import World

SMALL: dict[str, Any] = {"scenario": "two-hubs", "flights": 200, "aircraft": 30, "bookings": 2500, "takt_s": 60.0}
ENDED = Event(1e6, SHIFT_ENDED, None, {"reason": "time"})


@pytest.fixture(scope="module")
def day() -> World:
    desk = FlightDesk(**SMALL, home_within_h=0.1)
    desk.reset(seed=0)
    world: World = desk.office.world
    return world


@dataclass(frozen=True)
class Leg:
    """A flight as it is laid: from place to place (0 is where the group is, -1 where it wants to be), as scheduled in
    minutes after the group comes, so many minutes late in the end or cancelled, and when that is known."""

    origin: int
    destination: int
    leaves: int
    lands: int
    late: int = 0
    gone: bool = False
    known: float = NEVER
    bought: bool = False  # of another carrier, at the hour at which that leaves


def laid(day: World, legs: list[Leg], within_min: int) -> tuple[World, float, list[int]]:
    """The day with one group, of several people, and these flights only; the minute at which it comes; the flights. It
    can leave at once, and is due an hour later."""
    unit = next(unit for unit in day.units if day.instance.bookings.passengers[unit[1]] > 1)
    t_s, b = unit
    groups = day.groups
    start, goal = int(groups.at[b]), int(groups.goal[b])
    others = [at for at in range(len(day.instance.airports.code)) if at not in (start, goal)]
    comes = day.instance.start + int(np.ceil(t_s / 60))
    column = {name: getattr(day, name).copy() for name in ("origin", "destination", "scheduled", "lands", "leaves")}
    column |= {name: getattr(day, name).copy() for name in ("arrives", "gone", "known")}
    seats = np.zeros_like(day.seats)
    flights: list[int] = []
    bookable = (day.market.departure > comes + 60) & (day.market.seats > 30)
    market = iter((day.own + np.flatnonzero(bookable)).tolist())
    for place, leg in enumerate(legs):
        f = next(market) if leg.bought else place
        flights.append(f)
        leaves = int(day.scheduled[f]) if leg.bought else comes + leg.leaves
        row: dict[str, Any] = {"scheduled": leaves, "lands": leaves + leg.lands - leg.leaves, "gone": leg.gone}
        row |= {"leaves": leaves + leg.late, "arrives": leaves + leg.lands - leg.leaves + leg.late}
        row["known"] = leg.known if leg.known == NEVER else comes + leg.known
        row |= {"origin": [start, *others, goal][leg.origin], "destination": [start, *others, goal][leg.destination]}
        for name, value in row.items():
            column[name][f] = value
        seats[f] = 99
    ready, latest, due = groups.ready.copy(), groups.latest.copy(), groups.due.copy()
    ready[b], due[b] = comes, comes + 60
    latest[b] = due[b] + within_min
    groups = replace(groups, ready=ready, latest=latest, due=due)
    shut = np.full(len(day.name), float(NEVER))
    one: dict[str, Any] = {
        "units": (unit,),
        "released": (),
        "news": (),
        "groups": groups,
        "seats": seats,
        "shut_known": shut,
    }
    return replace(day, **column, **one), float(comes), flights


def opened(world: World, comes: float, **options: Any) -> tuple[Office, str]:
    """The office when the group has come, and the group's name."""
    office = Office(world, 1800.0, False, **options)
    at(office, comes)
    return office, office.queue[0]


def at(office: Office, minute: float) -> None:
    office.advance(60.0 * (minute - office.world.instance.start))


def book(office: Office, name: str, flights: list[int]) -> None:
    cabin = int(office.world.groups.cabin[office.parties[name].booking])
    own = office.world.own
    office.book(office.parties[name], [[f, 2 if f >= own else cabin] for f in flights])


def test_who_comes_home_later_than_promised_is_charged_the_minutes_and_the_bound_is(day: World) -> None:
    world, comes, flights = laid(day, [Leg(0, -1, 10, 120)], within_min=6)
    office, name = opened(world, comes)
    book(office, name, flights)
    sums, bound = tally(office.events), hindsight(world, office.events)
    assert sums.home and sums.parts["delay"] > 0, "an hour late, six minutes were promised: bad, and home"
    assert bound.bound == pytest.approx(sums.cost, abs=0.05)


@pytest.mark.parametrize("rules", [6, 7])
@pytest.mark.parametrize("known", [False, True])
def test_a_delay_that_nobody_knows_of_yet_is_charged_to_desk_and_bound_or_by_older_rules_to_neither(
    day: World, known: bool, rules: int
) -> None:
    """Due after an hour, there five minutes before as scheduled, and 85 after in the end."""
    world, comes, flights = laid(day, [Leg(0, -1, 40, 55, late=90, known=30.0)], within_min=600)
    if known:
        world.known[flights] = world.instance.start
    office, name = opened(world, comes, rules=rules)
    if known:
        office.flights.now_known(flights[0])
    party = office.parties[name]
    legs = [[flights[0], int(world.groups.cabin[party.booking])]]
    assert office.book(party, legs).late == (85 if known else 0), "what the worker is told"
    sums, bound = tally(office.events), hindsight(world, office.events, rules)
    assert sums.home and sums.late_min == (85 if known or rules > 6 else 0)
    assert bound.bound == pytest.approx(sums.cost, abs=0.05)


def came_back(day: World, **options: Any) -> tuple[Office, str]:
    """A group that bought a flight on which it got half way, and came back because the second was cancelled then. There
    is another of the airline's own."""
    bought = Leg(0, 1, 0, 60, bought=True)
    _, comes, (first,) = laid(day, [bought], within_min=60_000)
    leaves = int(day.scheduled[first] - comes)
    cancelled = Leg(1, -1, leaves + 600, leaves + 660, gone=True, known=leaves + 10.0)
    legs = [bought, cancelled, Leg(1, -1, leaves + 700, leaves + 760)]
    world, comes, flights = laid(day, legs, within_min=60_000)
    office, name = opened(world, comes, **options)
    book(office, name, flights[:2])
    assert not office.queue
    at(office, comes + leaves + 10)
    assert office.queue == [name] and office.parties[name].at == world.destination[flights[0]]
    return office, name


def test_a_fare_stays_paid_that_a_group_has_flown_for_before_it_came_back(day: World) -> None:
    office, name = came_back(day)
    fare = sum(e.data.get("fare", 0.0) for e in office.events if e.kind == UNIT_DUE)
    assert fare > 0
    book(office, name, [2])
    sums, bound = tally(office.events), hindsight(office.world, office.events)
    assert sums.parts["fare"] == pytest.approx(fare) and sums.home == sums.people
    assert 0 < bound.bound <= sums.cost + 0.05
    assert unit_costs([*office.events, ENDED]) == {0: pytest.approx(sums.cost)}


def test_parts_of_a_group_that_came_back_share_what_it_paid(day: World) -> None:
    office, name = came_back(day)
    paid = parties_of(office.events)[name].paid["fare"]
    people = office.parties[name].people
    rest = office.split(office.parties[name], 1)
    parties = parties_of(office.events)
    assert parties[rest.name].paid["fare"] == pytest.approx(paid / people)
    assert parties[name].paid["fare"] + parties[rest.name].paid["fare"] == pytest.approx(paid)
    office.refund(rest)
    assert parties_of(office.events)[rest.name].cost["fare"] == pytest.approx(paid / people), "home or not"


def test_shifts_by_older_rules_say_nothing_of_it_and_are_told_as_they_were(day: World) -> None:
    office, name = came_back(day, rules=6)
    assert not any("fare" in e.data for e in office.events if e.kind == UNIT_DUE)
    book(office, name, [2])
    assert tally(office.events).parts["fare"] == 0


def test_a_way_home_of_seven_legs_in_two_pieces_is_within_the_bound(day: World) -> None:
    hops = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, -1)]
    legs = [Leg(a, b, 10 + 100 * i, 60 + 100 * i) for i, (a, b) in enumerate(hops)]
    legs.append(Leg(3, -1, 330, 400, gone=True, known=215.0))  # known once the third leg has left
    world, comes, flights = laid(day, legs, within_min=60_000)
    office, name = opened(world, comes)
    book(office, name, [*flights[:3], flights[7]])
    at(office, comes + 215)
    assert office.queue == [name] and office.parties[name].at == world.destination[flights[2]]
    book(office, name, flights[3:7])
    sums, bound = tally(office.events), hindsight(world, office.events)
    assert sums.home == sums.people and bound.bound == pytest.approx(sums.cost, abs=0.05)
    assert len(bound.shares[0][0].legs) == 7


def test_who_is_at_home_already_costs_nothing_in_hindsight(day: World) -> None:
    b = day.units[0][1]
    goal = day.groups.goal.copy()
    goal[b] = day.groups.at[b]
    world = replace(day, groups=replace(day.groups, goal=goal))
    assert hindsight(world, [Event(day.units[0][0], UNIT_DUE, 0, {})]).bound == 0


@pytest.mark.parametrize("rules", [6, 7])
@pytest.mark.parametrize("within_h", [0.1, 18.0])
@pytest.mark.parametrize("seed", range(2))
def test_whatever_a_desk_books_it_costs_no_less(within_h: float, seed: int, rules: int) -> None:
    """It books the earliest way on the airline's own flights, or one by chance, however late; and gives no hotels."""
    desk = FlightDesk(**SMALL, home_within_h=within_h, control_s=20.0)
    observation, info = desk.reset(seed=seed, options={"rules": rules})
    events, rng = list(info["events"]), random.Random(seed)

    def ask(name: str, **arguments: Any) -> Any:
        nonlocal observation
        observation, _, _, _, told = desk.step(json.dumps({"name": name, "arguments": arguments}))
        events.extend(told["events"])
        return observation["result"]

    for _ in range(900):
        if not observation["queue"]:
            ask("wait")
            continue
        group = observation["queue"][0]
        if group["people"] > 1 and rng.random() < 0.2:
            ask("split", group=group["group"], people=1)
            continue
        whole = {"origin": group["from"], "destination": group["to"], "people": group["people"], "limit": 20}
        ways = ask("connections", **whole).get("connections", [])
        ways = [way for way in ways if not way["fare"]] or ways
        if not ways:
            ask("refund", group=group["group"])
            continue
        way = ways[0] if rng.random() < 0.7 else rng.choice(ways)
        legs = [{"flight": leg["flight"], "cabin": leg["cabin"]} for leg in way["legs"]]
        if "error" in ask("book", group=group["group"], legs=legs):
            ask("refund", group=group["group"])
    assert sum(e.kind == "booked" for e in events) > 50
    bound = hindsight(desk.office.world, events, rules)
    assert 0 < bound.bound <= tally(events).cost + 0.05 * len(parties_of(events))
