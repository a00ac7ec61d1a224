"""A desk with authority keeps the rules that `check` knows: each on both sides of where it begins."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import by_hand
import numpy as np
import pytest

from takt.stations.flightdesk import Rule, check
from takt.stations.flightdesk.airline.recovery.baseline import as_booked
from takt.stations.flightdesk.airline.solution import Created, Solution, operations_of
from takt.stations.flightdesk.desk import FlightDesk

FREE = by_hand.FILES["aircraft"].replace("CCC-01/01/08-20:00-02/01/08-02:00-400", "NULL")  # nobody has a maintenance
CONFIG, FLIGHTS = by_hand.FILES["config"], by_hand.FILES["flights"]


def ends(moment: str) -> dict[str, str]:
    return {"config": CONFIG.replace("02/01/08 04:00", moment)}


def opened(folder: Path, rules: int | None = None, **files: str) -> Any:
    """A desk of the airline by hand, at 1 January 2008, 08:00."""
    desk = FlightDesk(instance=str(by_hand.write(folder, **files)), authority=True)
    desk.reset(seed=0, options={} if rules is None else {"rules": rules})
    return desk


def ask(desk: Any, name: str, **arguments: Any) -> Any:
    dated: dict[str, Any] = {
        key: f"{value}/2008-01-01" for key, value in arguments.items() if key in ("flight", "other")
    }
    if "flights" in arguments:
        dated["flights"] = [f"{value}/2008-01-01" for value in arguments["flights"]]
    return desk.step(json.dumps({"name": name, "arguments": arguments | dated}))[0]["result"]


def flown(desk: Any) -> list[Any]:
    """What `check` says of the plan in force, people and all."""
    office, world = desk.office, desk.office.world
    instance, own, plan = world.instance, world.own, world.plan
    empty = [
        Created(*(int(of[i]) for of in (plan.origin, plan.destination, plan.departure, plan.arrival, plan.aircraft)))
        for i in range(own, len(plan.number))
    ]
    by = np.where(office.flights.gone[:own], -1, office.flights.aircraft)
    operations = operations_of(instance, office.flights.leaves[:own], by, empty)
    return check(instance, Solution(operations, as_booked(instance, operations)))


CASES: dict[Rule, Any] = {
    Rule.SURFACE: ({}, ("delay", {"flight": 9, "minutes": 1}), ("delay", {"flight": 8, "minutes": 1})),
    Rule.GIVEN_DELAY: (
        {"alt_flights": "8 01/01/08 15"},
        ("delay", {"flight": 8, "minutes": 16}),  # from 22:30, as far as is known
        ("delay", {"flight": 8, "minutes": 15}),
    ),
    Rule.FIXED: (
        ends("01/01/08 22:30"),  # 8 leaves then, and lands after it whatever is done
        ("delay", {"flight": 8, "minutes": 1}),
        ("delay", {"flight": 7, "minutes": 1}),
    ),
    Rule.OVERTIME: (
        ends("01/01/08 23:35"),
        ("delay", {"flight": 8, "minutes": 5}),
        ("delay", {"flight": 8, "minutes": 4}),
    ),
    Rule.SERVICE_TIME: (
        {},
        ("delay", {"flight": 3, "minutes": 331}),  # a maintenance at 20:00
        ("delay", {"flight": 3, "minutes": 330}),
    ),
    Rule.SERVICE_AIRPORT: ({}, ("cancel", {"flights": [2, 3]}), ("cancel", {"flights": [6, 7]})),
    Rule.GROUNDED: (
        {"alt_aircraft": "J1#2 01/01/08 21:30 02/01/08 01:00"},
        ("delay", {"flight": 5, "minutes": 31}),
        ("delay", {"flight": 5, "minutes": 30}),
    ),
    Rule.TURN: (
        {"alt_flights": "3 01/01/08 -1"},  # so J1#1 flies to its maintenance empty, 30 minutes after 2 has landed
        ("delay", {"flight": 2, "minutes": 1}),
        ("delay", {"flight": 7, "minutes": 1}),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_what_breaks_a_rule_is_refused_in_a_line_that_names_it_and_what_just_does_not_is_done(
    rule: Rule, tmp_path: Path
) -> None:
    files, (name, wrong), (other, right) = CASES[rule]
    desk = opened(tmp_path, **files)
    before, saved = flown(desk), desk.office.state()
    error = ask(desk, name, **wrong)["error"]
    assert error["code"] == "breaks_rule" and f"({rule})" in error["message"] and "\n" not in error["message"]
    assert flown(desk) == before and desk.office.state()["changed"] == saved["changed"] == []
    assert "error" not in ask(desk, other, **right)
    assert flown(desk) == before and desk.office.flights.changed


@pytest.mark.parametrize(
    ("files", "flight"),
    [({}, 9), ({"alt_flights": "8 01/01/08 15"}, 8), (ends("01/01/08 22:30"), 8)],
)
def test_what_must_fly_is_not_cancelled(files: Any, flight: int, tmp_path: Path) -> None:
    desk = opened(tmp_path, **files)
    assert ask(desk, "cancel", flights=[flight])["error"]["code"] == "breaks_rule"
    assert not desk.office.flights.gone_now[flight - 1]


def test_what_need_not_fly_may_be_cancelled(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    assert "error" not in ask(desk, "cancel", flights=[8])


@pytest.mark.parametrize(("since", "refused"), [("20:59", True), ("21:00", False)])
def test_no_flight_is_given_to_an_aircraft_that_is_grounded_then(since: str, refused: bool, tmp_path: Path) -> None:
    """J1#1 would take 4 and 5, which lands at 21:00; 2 and 3, legs of one flight, go to J1#2."""
    desk = opened(tmp_path, aircraft=FREE, alt_aircraft=f"J1#1 01/01/08 {since} 02/01/08 03:00")
    result = ask(desk, "swap", flight=2, other=4)
    assert ("error" in result) is refused
    assert not refused or f"({Rule.GROUNDED})" in result["error"]["message"]
    assert flown(desk) == []


@pytest.mark.parametrize(("link", "refused"), [("2", True), ("0", False)])
def test_legs_of_one_flight_stay_with_one_aircraft(link: str, refused: bool, tmp_path: Path) -> None:
    flights = FLIGHTS.replace("3 AAA CCC 12:00 14:30 2", f"3 AAA CCC 12:00 14:30 {link}")
    desk = opened(tmp_path, aircraft=FREE, flights=flights)
    result = ask(desk, "swap", flight=3, other=6)
    assert ("error" in result) is refused
    assert not refused or f"({Rule.LEGS_APART})" in result["error"]["message"]
    assert flown(desk) == []


@pytest.mark.parametrize(("slots", "refused"), [(1, True), (2, False)])
def test_coaches_take_no_slot(slots: int, refused: bool, tmp_path: Path) -> None:
    """6 leaves AAA between 13 and 14 h, and 3 would too; so does the bus."""
    flights = FLIGHTS.replace("9 AAA BBB 08:30 08:50", "9 AAA BBB 13:30 13:50")
    desk = opened(tmp_path, flights=flights, alt_airports=f"AAA 01/01/08 13:00 01/01/08 14:00 {slots} 3")
    result = ask(desk, "delay", flight=3, minutes=60)
    assert ("error" in result) is refused and (not refused or result["error"]["code"] == "no_slot")
    assert flown(desk) == []


def test_a_coach_is_swapped_with_none(tmp_path: Path) -> None:
    coach = "\nBus#6 Bus Bus -1/-1/-1 90 0.0 10 10 AAA NULL"
    desk = opened(
        tmp_path,
        aircraft=FREE + coach,
        flights=f"{FLIGHTS}\n10 AAA BBB 09:30 09:50 0",
        rotations=f"{by_hand.FILES['rotations']}\n10 01/01/08 Bus#6",
    )
    assert f"({Rule.SURFACE})" in ask(desk, "swap", flight=9, other=10)["error"]["message"]


def test_a_shift_by_older_rules_is_worked_as_it_was(tmp_path: Path) -> None:
    desk = opened(tmp_path, rules=5)
    assert "error" not in ask(desk, "delay", flight=9, minutes=1)
    assert "error" not in ask(desk, "delay", flight=3, minutes=331)
    assert {v.rule for v in flown(desk)} >= {Rule.SURFACE, Rule.SERVICE_TIME}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_desk_does_no_rule_is_broken_in_the_end(seed: int) -> None:
    desk = FlightDesk(scenario="two-hubs", flights=120, aircraft=16, bookings=600, authority=True)
    desk.reset(seed=seed)
    office, world, rng = desk.office, desk.office.world, random.Random(seed)
    assert flown(desk) == []
    done = 0
    for _ in range(150):
        names = rng.sample(world.name[: world.own], 2)
        name, arguments = rng.choice(
            [
                ("delay", {"flight": names[0], "minutes": rng.choice([5, 20, 60, 240])}),
                ("cancel", {"flights": names[: rng.randint(1, 2)]}),
                ("swap", {"flight": names[0], "other": names[1]}),
            ]
        )
        result = desk.step(json.dumps({"name": name, "arguments": arguments}))[0]["result"]
        done += "error" not in result
    assert flown(desk) == [] and done and office.flights.changed
