"""A desk with authority keeps the rules that `check` knows: each on both sides of where it begins."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import by_hand
import numpy as np
import pytest

from takt.stations.flightdesk import Rule, check
from takt.stations.flightdesk.airline.recovery.baseline import as_booked
from takt.stations.flightdesk.airline.solution import Created, Solution, operations_of
from takt.stations.flightdesk.desk import FlightDesk
from takt.stations.flightdesk.desk.closures import NEVER

FREE = by_hand.FILES["aircraft"].replace("CCC-01/01/08-20:00-02/01/08-02:00-400", "NULL")  # nobody has a maintenance
CONFIG, FLIGHTS = by_hand.FILES["config"], by_hand.FILES["flights"]


def ends(moment: str) -> dict[str, str]:
    return {"config": CONFIG.replace("02/01/08 04:00", moment)}


def opened(folder: Path, rules: int | None = None, seed: int = 0, **files: str) -> Any:
    """A desk of the airline by hand, at 1 January 2008, 08:00; a call takes a minute."""
    desk = FlightDesk(instance=str(by_hand.write(folder, **files)), authority=True, control_s=60.0)
    desk.reset(seed=seed, options={} if rules is None else {"rules": rules})
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
        ("delay", {"flight": 8, "minutes": 16}),  # from 22:30, as far as is known at 08:00
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

UNSAID = {Rule.GIVEN_DELAY, Rule.GROUNDED}  # by what nobody knows yet


@pytest.mark.parametrize("rule", CASES)
def test_what_breaks_a_rule_is_refused_in_a_line_that_names_it_if_it_may_and_what_just_does_not_is_done(
    rule: Rule, tmp_path: Path
) -> None:
    files, (name, wrong), (other, right) = CASES[rule]
    desk = opened(tmp_path, **files)
    before, saved = flown(desk), desk.office.state()
    error = ask(desk, name, **wrong)["error"]
    assert error["code"] == "breaks_rule" and "\n" not in error["message"]
    assert (f"({rule})" in error["message"]) is (rule not in UNSAID)
    assert rule not in UNSAID or not any(character.isdigit() for character in error["message"])
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
    assert not refused or result["error"]["code"] == "breaks_rule"
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
    desk = opened(tmp_path / "six", rules=6, alt_flights="8 01/01/08 15")
    assert f"({Rule.GIVEN_DELAY})" in ask(desk, "delay", flight=8, minutes=16)["error"]["message"]


def until_known(desk: Any, f: int) -> Any:
    """The observation when what was in store for a flight is known."""
    observation = None
    while desk.office.minute < desk.office.world.known[f]:
        observation = desk.step(desk.hold)[0]
    return observation


@pytest.mark.parametrize(("rules", "named"), [(None, False), (6, True)])
def test_nothing_tells_that_a_flight_will_be_cancelled_and_then_it_is(
    rules: int | None, named: bool, tmp_path: Path
) -> None:
    """8 is to leave at 22:30; that it is cancelled becomes known 6 to 24 hours before, with this seed at 13:39."""
    desk = opened(tmp_path, rules, seed=4, alt_flights="8 01/01/08 -1")
    office, f = desk.office, 7
    assert office.world.gone[f] and office.minute < office.world.known[f] < NEVER
    result = ask(desk, "delay", flight=8, minutes=1)
    assert ("cancelled by the disruption" in json.dumps(result)) is named
    if named:
        return
    assert result["flights"][0]["departs"] == "2008-01-01T22:31Z" and flown(desk) == []
    saved = desk.save()
    seen = until_known(desk, f)
    assert ask(desk, "flight", flight=8)["status"] == "cancelled"
    assert any("cancelled" in message["text"] and message["flight"] == "8/2008-01-01" for message in seen["messages"])
    again = FlightDesk(**desk.spec.options)
    again.reset(seed=4)
    again.load(saved)
    assert again.save() == saved and ask(again, "flight", flight=8)["departs"] == "2008-01-01T22:31Z"
    until_known(again, f)
    assert ask(again, "flight", flight=8)["status"] == "cancelled"


def test_a_later_departure_in_store_for_a_flight_comes_after_a_shorter_delay_by_the_desk(tmp_path: Path) -> None:
    desk = opened(tmp_path, alt_flights="8 01/01/08 15")
    assert ask(desk, "delay", flight=8, minutes=5)["flights"][0]["departs"] == "2008-01-01T22:35Z"
    assert ask(desk, "delay", flight=8, minutes=5)["flights"][0]["departs"] == "2008-01-01T22:40Z"
    until_known(desk, 7)
    row = ask(desk, "flight", flight=8)
    assert (row["status"], row["departs"]) == ("delayed", "2008-01-01T22:45Z") and flown(desk) == []


def test_the_message_of_what_the_desk_has_changed_does_not_come(tmp_path: Path) -> None:
    """Operations control would let 7 leave 20 minutes late, for 6 is; the desk has it wait for longer before that."""
    desk = opened(tmp_path, alt_flights="6 01/01/08 50")
    office, f = desk.office, 6
    late = int(office.world.leaves[f] - office.world.scheduled[f])
    assert late > 0 and office.minute < office.world.known[f]
    assert "error" not in ask(desk, "delay", flight=7, minutes=late + 30)
    seen = until_known(desk, f)
    assert [m["text"] for m in seen["messages"] if m.get("flight") == "7/2008-01-01"] == [
        f"7/2008-01-01 leaves at {office.world.clock(office.world.scheduled[f] + late + 30)}: delayed by the desk"
    ]


@pytest.mark.parametrize(("rules", "refused"), [(None, False), (6, True)])
def test_what_breaks_a_rule_already_may_break_it_less(rules: int | None, refused: bool, tmp_path: Path) -> None:
    """J1#1 flies 570 minutes before its maintenance, of which 300 are the way there and back of 10 and 11."""
    flights = f"{FLIGHTS}\n10 CCC AAA 15:00 17:30 0\n11 AAA CCC 18:00 20:30 0"
    rotations = f"{by_hand.FILES['rotations']}\n10 01/01/08 J1#1\n11 01/01/08 J1#1"
    aircraft = by_hand.FILES["aircraft"].replace("20:00-02/01/08-02:00-400", "22:00-02/01/08-02:00-900")
    desk = opened(tmp_path, rules, flights=flights, rotations=rotations, aircraft=aircraft)
    office, world = desk.office, desk.office.world
    most = np.where(np.arange(5) == 0, 100, world.instance.aircraft.service_minutes)
    fleet = replace(world.instance.aircraft, service_minutes=most)
    office.world = replace(world, instance=replace(world.instance, aircraft=fleet))
    assert [v.rule for v in flown(desk)] == [Rule.SERVICE_MINUTES]
    result = ask(desk, "cancel", flights=[10, 11])
    assert ("error" in result) is refused and [v.rule for v in flown(desk)] == [Rule.SERVICE_MINUTES]
    assert not refused or f"({Rule.SERVICE_MINUTES})" in result["error"]["message"]


def test_an_airport_that_has_not_said_that_it_shuts_is_not_told_of_by_a_refusal(tmp_path: Path) -> None:
    """AAA takes nothing from 23:00 on, which is said at 17:00, when it says until when: 8 would leave into it."""
    desk = opened(tmp_path, alt_airports="AAA 01/01/08 23:00 02/01/08 02:00 0 0")
    error = ask(desk, "delay", flight=8, minutes=40)["error"]
    assert error["code"] == "breaks_rule" and "AAA" not in error["message"] and "slot" not in error["message"]
    while desk.office.minute < desk.office.world.instance.start + 9 * 60 + 1:
        desk.step(desk.hold)
    assert ask(desk, "delay", flight=8, minutes=40)["error"]["code"] == "no_slot"
    assert "error" not in ask(desk, "delay", flight=8, minutes=20)


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
