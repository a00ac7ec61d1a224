"""A desk with authority: flights delayed, cancelled and swapped, and what that does to people."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from takt.contract.events import UNIT_DUE
from takt.stations.flightdesk.airline.instance import CONNECTION
from takt.stations.flightdesk.desk import FlightDesk
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.trips import booked_legs, works

SMALL: dict[str, Any] = {"scenario": "two-hubs", "flights": 200, "aircraft": 30, "bookings": 2500, "authority": True}


@pytest.fixture
def desk() -> Any:
    station = FlightDesk(**SMALL, home_within_h=18.0, takt_s=300.0)
    station.reset(seed=0)
    for _ in range(60):
        station.step(station.hold)
    return station


def ask(desk: Any, name: Any, **arguments: Any) -> Any:
    return desk.step(json.dumps({"name": name, "arguments": arguments}))[0]["result"]


def rotations(desk: Any) -> dict[str, Any]:
    """aircraft -> its flights that are still to leave, in order."""
    office, world = desk.office, desk.office.world
    found = {}
    for aircraft in np.unique(office.flights.aircraft).tolist():
        own = np.flatnonzero((office.flights.aircraft == aircraft) & ~office.flights.gone[: world.own])
        own = own[np.argsort(office.flights.leaves[own])]
        found[aircraft] = [f for f in own.tolist() if office.flights.leaves_now[f] > office.minute + 120]
    return {aircraft: flights for aircraft, flights in found.items() if flights}


def first_that_works(desk: Any, name: Any, tries: Any) -> Any:
    for arguments in tries:
        result = ask(desk, name, **arguments)
        if "error" not in result:
            return arguments, result
    raise AssertionError("none of them could be done")


def test_a_delay_makes_the_aircrafts_next_flights_late_and_is_told(desk: Any) -> None:
    office, world = desk.office, desk.office.world
    flights = [days[0] for days in rotations(desk).values() if len(days) > 2]
    before = office.flights.leaves.copy()
    given, result = first_that_works(
        desk,
        "delay",
        [
            {"flight": world.name[f], "minutes": m}
            for f in flights
            for m in (95, 45, 20)
            if office.flights.known[f] > 1e9
        ],
    )
    f = world.index[given["flight"]]
    assert (
        office.flights.leaves[f] == before[f] + given["minutes"] and result["flights"][0]["flight"] == given["flight"]
    )
    tail = int(office.flights.aircraft[f])
    turn = world.instance.aircraft.turn[tail]
    day = rotations(desk)[tail]  # type: ignore[index]
    for g, h in pairwise(day):
        assert office.flights.leaves[h] >= office.flights.arrives[g] + turn
    told = ask(desk, "messages", after=0, limit=500)["messages"]
    assert told[-1]["flight"] == result["flights"][-1]["flight"] and "by the desk" in told[-1]["text"]


def test_who_loses_a_flight_to_the_desk_comes_to_the_desk(desk: Any) -> None:
    office, world = desk.office, desk.office.world
    bookings = world.instance.bookings
    pairs = [{"flights": [world.name[f] for f in day[-2:]]} for day in rotations(desk).values() if len(day) > 1]
    given, _ = first_that_works(desk, "cancel", pairs)
    gone = {world.index[name] for name in given["flights"]}
    assert all(office.flights.gone_now[f] for f in gone)
    lost = {
        str(bookings.number[b])
        for b in range(len(bookings.number))
        if gone & set(bookings.leg_flight[bookings.first[b] : bookings.first[b + 1]].tolist())
        and world.groups.breaks[b] > 1e9
    }
    assert lost
    came = set()
    for _ in range(400):
        came |= {e.data["group"] for e in desk.step(desk.hold)[4]["events"] if e.kind == UNIT_DUE}
    assert lost <= came
    assert ask(desk, "cancel", flights=[given["flights"][0]])["error"]["code"] == "flight_cancelled"


def test_an_aircraft_must_be_where_its_next_flight_leaves(desk: Any) -> None:
    world = desk.office.world
    day = next(
        day for day in rotations(desk).values() if len(day) > 2 and world.origin[day[0]] != world.destination[day[0]]
    )
    result = ask(desk, "cancel", flights=[world.name[day[0]]])
    assert result["error"]["code"] == "aircraft_not_there" and not desk.office.flights.gone_now[day[0]]


def test_swapped_aircraft_fly_each_others_flights_with_their_own_seats(desk: Any) -> None:
    office, world = desk.office, desk.office.world
    fleet = world.instance.aircraft
    days = rotations(desk)
    pairs = [
        {"flight": world.name[f], "other": world.name[g]}
        for a, first in days.items()
        for b, second in days.items()
        if a < b and fleet.family[a] == fleet.family[b]
        for f in first
        for g in second
        if world.origin[f] == world.origin[g]
    ]
    free, flown = office.stock.free.copy(), office.flights.aircraft.copy()
    given, result = first_that_works(desk, "swap", pairs[:400])
    f, g = world.index[given["flight"]], world.index[given["other"]]
    assert (office.flights.aircraft[f], office.flights.aircraft[g]) == (flown[g], flown[f])
    for leg in result["flights"]:
        h = world.index[leg["flight"]]
        assert np.array_equal(
            office.stock.free[h] - free[h], fleet.seats[office.flights.aircraft[h]] - fleet.seats[flown[h]]
        )
    assert (office.stock.free[: world.own] >= 0).all()
    saved = desk.save()
    other = FlightDesk(**{k: v for k, v in desk.spec.options.items() if k != "control_s"})
    other.reset(seed=0)
    other.load(saved)
    assert other.save() == saved and np.array_equal(other.office.flights.aircraft, office.flights.aircraft)


def test_what_is_not_the_desks_to_change_is_refused(desk: Any) -> None:
    world, office = desk.office.world, desk.office
    left = world.name[int(np.flatnonzero(office.flights.leaves[: world.own] < office.minute)[0])]
    assert ask(desk, "delay", flight=left, minutes=30)["error"]["code"] in ("flight_departed", "flight_cancelled")
    partner = world.name[world.own]
    assert ask(desk, "cancel", flights=[partner])["error"]["code"] == "not_ours"
    day = next(iter(rotations(desk).values()))
    assert ask(desk, "delay", flight=world.name[day[0]], minutes=100_000)["error"]["code"] == "bad_number"
    same = ask(desk, "swap", flight=world.name[day[0]], other=world.name[day[0]])
    assert same["error"]["code"] == "same_aircraft"


@pytest.mark.parametrize(("rules", "all_work"), [(7, True), (6, False)])
def test_who_changes_planes_keeps_a_trip_that_still_connects(rules: int, all_work: bool) -> None:
    desk = FlightDesk(**SMALL)
    desk.reset(seed=0, options={"rules": rules})
    office, world = desk.office, desk.office.world
    whole = np.flatnonzero(world.groups.breaks >= NEVER).tolist()
    legs = {b: booked_legs(office.flights, b) for b in whole}
    change = [b for b in whole if len(legs[b]) > 1]
    assert change and all(works(office.flights, b) for b in change) is all_work
    firsts = sorted({legs[b][0] for b in change if world.scheduled[legs[b][0]] > office.minute + 60})
    first_that_works(desk, "delay", [{"flight": world.name[f], "minutes": 1} for f in firsts])
    leaves, arrives = office.flights.leaves, office.flights.arrives
    broken = {
        b
        for b in whole
        if any(leaves[g] < arrives[f] + CONNECTION for f, g in pairwise(legs[b]))
        or arrives[legs[b][-1]] > world.groups.latest[b]
    }
    caused = {b for _, b in office.caused}
    assert caused >= broken and (caused == broken) is all_work


@pytest.mark.parametrize(("rules", "hears"), [(7, True), (6, False)])
def test_a_swapped_flight_hears_its_news_and_a_desk_that_is_loaded_knows_the_same(rules: int, hears: bool) -> None:
    desk, other = (FlightDesk(**SMALL, control_s=60.0) for _ in range(2))
    for one in (desk, other):
        one.reset(seed=0, options={"rules": rules})
    office, flights = desk.office, desk.office.flights
    f = next(f for f in range(office.world.own) if office.minute < flights.known[f] < NEVER)
    office.flights.fly_with(f, int(flights.aircraft[f]))
    while office.minute <= flights.known[f]:
        desk.step(desk.hold)
    row = ask(desk, "flight", flight=office.world.name[f])
    assert (row["status"] in ("cancelled", "delayed")) is hears
    if hears:
        other.load(desk.save())
        again = ask(other, "flight", flight=office.world.name[f])
        assert (again["status"], again["departs"]) == (row["status"], row["departs"])
