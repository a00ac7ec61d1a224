"""Flights that an aircraft must fly, and what stands in their way: what can be mended is, and what cannot is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import by_hand
import numpy as np
import pytest
from slow_checker import slow_check

from takt.cli import main
from takt.stations.flightdesk import (
    Instance,
    Rule,
    Solution,
    Violation,
    check,
    do_nothing,
    greedy_delay,
    read_instance,
    write_solution,
)
from takt.stations.flightdesk.airline.imports.making import _has_a_plan
from takt.stations.flightdesk.airline.imports.problems import BrokenFiles
from takt.stations.flightdesk.airline.recovery import session
from takt.stations.flightdesk.airline.recovery.unavoidable import unavoidable

Row = tuple[Any, ...]
Plan = Callable[[Instance], Solution]
BASELINES = pytest.mark.parametrize("plan", [greedy_delay, do_nothing])
DAY = "01/01/08"
ONE_SLOT = f"AAA {DAY} 10:00 {DAY} 19:00 0 9\nAAA {DAY} 19:00 {DAY} 20:00 1 9\nAAA {DAY} 20:00 {DAY} 21:00 0 9"


def airline(folder: Path, flights: list[Row], legs: Any = None, **files: str) -> Instance:
    """Two aircraft at AAA, J1 and J2. `flights`: (number, route, times, aircraft[, minutes of delay]); a seat each.

    `legs`: flight -> the one of which it is the next leg.
    """
    jet = "Jet 0/0/10 400 1000.0 30 20 AAA"
    given = {
        "config": by_hand.FILES["config"].replace("08:00", "16:00", 1),
        "airports": "AAA 9 9 00:00 00:00\nBBB 9 9 00:00 00:00\nCCC 9 9 00:00 00:00",
        "dist": "\n".join(f"{a} {b} 60 D" for a in ("AAA", "BBB", "CCC") for b in ("AAA", "BBB", "CCC") if a != b),
        "aircraft": f"J1 M {jet} NULL\nJ2 M {jet} NULL",
        "flights": "\n".join(f"{n} {route} {times} {(legs or {}).get(n, 0)}" for n, route, times, *_ in flights),
        "rotations": "\n".join(f"{n} {DAY} {tail}" for n, _, _, tail, *_ in flights),
        "itineraries": "\n".join(f"{n} A 100.0 1 {n} {DAY} E" for n, *_ in flights),
        "position": "",
        "alt_flights": "\n".join(f"{n} {DAY} {rest[0]}" for n, _, _, _, *rest in flights if rest),
    }
    return read_instance(by_hand.write(folder, **{**given, **files}))


def flown(instance: Instance, solution: Solution) -> set[int]:
    o = solution.operations
    return {int(instance.flights.number[p]) for p in o.planned[(o.aircraft >= 0) & (o.planned >= 0)]}


def broken(instance: Instance, solution: Solution, folder: Path) -> list[Violation]:
    """The rules that a plan breaks; the slow checker finds as many."""
    found = check(instance, solution)
    write_solution(instance, solution, folder / "plan")
    assert len(found) == slow_check(folder, folder / "plan").total()
    return found


OUT_AND_BACK: list[Row] = [
    (3, "AAA BBB", "19:00 20:00", "J1"),
    (4, "BBB AAA", "21:00 22:00", "J1"),
    (11, "AAA BBB", "19:10 20:10", "J2"),
    (12, "BBB AAA", "21:10 22:10", "J2", 5),
]


@BASELINES
def test_the_only_slot_goes_to_whoever_must_fly_on_from_there(tmp_path: Path, plan: Plan) -> None:
    """J1 comes first in the file; J2 has flight 12 to fly, which is delayed, and needs 11 for it."""
    instance = airline(tmp_path, OUT_AND_BACK, alt_airports=ONE_SLOT)
    solution = plan(instance)
    assert not broken(instance, solution, tmp_path)
    assert flown(instance, solution) == ({11, 12} if plan is do_nothing else {3, 4, 11, 12})


@BASELINES
def test_where_both_must_fly_on_and_one_can_go_otherwise_both_do(tmp_path: Path, plan: Plan) -> None:
    """J1 could go to BBB empty at 16 h; J2 comes to AAA only at 18:30, and 19 h is its only slot."""
    flights: list[Row] = [
        (2, "BBB AAA", "17:25 18:25", "J2", 5),
        (3, "AAA BBB", "19:00 20:00", "J1"),
        (4, "BBB AAA", "21:00 22:00", "J1", 5),
        (11, "AAA BBB", "19:10 20:10", "J2"),
        (12, "BBB AAA", "21:10 22:10", "J2", 5),
    ]
    jet = "M Jet 0/0/10 400 1000.0 30 20"
    slots = f"AAA {DAY} 17:00 {DAY} 18:00 1 9\nAAA {DAY} 18:00 {DAY} 19:00 0 9\n" + ONE_SLOT.partition("\n")[2]
    instance = airline(tmp_path, flights, alt_airports=slots, aircraft=f"J1 {jet} AAA NULL\nJ2 {jet} BBB NULL")
    solution = plan(instance)
    assert not broken(instance, solution, tmp_path)
    assert flown(instance, solution) == {2, 4, 11, 12}


@BASELINES
def test_an_aircrafts_own_flights_share_an_airports_hour_with_each_other(tmp_path: Path, plan: Plan) -> None:
    """It leaves AAA at 17:00 and would again at 17:30, and the hour has one slot: at 18:00, or not at all."""
    flights: list[Row] = [
        (3, "AAA BBB", "17:00 17:10", "J1"),
        (4, "BBB AAA", "17:15 17:25", "J1"),
        (5, "AAA BBB", "17:30 17:40", "J1"),
    ]
    jet = "M Jet 0/0/10 400 1000.0 5 5 AAA NULL"
    one = f"AAA {DAY} 17:00 {DAY} 18:00 1 9"
    instance = airline(tmp_path, flights, aircraft=f"J1 {jet}\nJ2 {jet}", alt_airports=one)
    solution = plan(instance)
    assert not broken(instance, solution, tmp_path)
    assert flown(instance, solution) == ({3} if plan is do_nothing else {3, 4, 5})


@BASELINES
def test_a_conflict_that_nobody_can_change_costs_no_other_flight(tmp_path: Path, plan: Plan) -> None:
    """Flight 2 leaves 21 min after 1 has landed, both delayed; 3 and 5 are ours, and 4 needs 3."""
    flights: list[Row] = [
        (1, "AAA BBB", "15:00 16:00", "J1", 80),
        (2, "BBB AAA", "17:00 18:00", "J1", 41),
        (3, "AAA BBB", "19:20 20:20", "J1"),
        (4, "BBB AAA", "21:00 22:00", "J1", 5),
        (5, "AAA BBB", "22:40 23:40", "J1"),
    ]
    instance = airline(tmp_path, flights)
    solution = plan(instance)
    found = broken(instance, solution, tmp_path)
    assert [v.rule for v in found] == [Rule.TURN] and unavoidable(instance, found) == found
    assert flown(instance, solution) == {1, 2, 3, 4, 5}


@BASELINES
def test_a_maintenance_that_cannot_be_reached_costs_no_other_flight(tmp_path: Path, plan: Plan) -> None:
    """It is at CCC at 18 h; flight 1 lands at BBB at 17:50. 2 leaves when the maintenance is over, 11 is J2's."""
    flights: list[Row] = [
        (1, "AAA BBB", "15:50 16:50", "J1", 60),
        (2, "BBB AAA", "20:00 21:00", "J1"),
        (11, "AAA BBB", "19:10 20:10", "J2"),
    ]
    jet = "M Jet 0/0/10 400 1000.0 30 20 AAA"
    aircraft = f"J1 {jet} CCC-{DAY}-18:00-{DAY}-19:00-900\nJ2 {jet} NULL"
    instance = airline(tmp_path, flights, aircraft=aircraft)
    solution = plan(instance)
    found = broken(instance, solution, tmp_path)
    assert [v.rule for v in found] == [Rule.SERVICE_AIRPORT] and unavoidable(instance, found) == found
    assert flown(instance, solution) == {1, 2, 11}


@BASELINES
@pytest.mark.parametrize(("most", "kept"), [(180, {1, 2, 3}), (179, {1})])
def test_minutes_before_a_maintenance_are_kept_by_giving_flights_up(
    tmp_path: Path, plan: Plan, most: int, kept: set[int]
) -> None:
    """Three flights of an hour before it, of which none must fly: there and back is given up, and it is at BBB."""
    flights: list[Row] = [(1, "AAA BBB", "16:10 17:10", "J1"), (2, "BBB AAA", "18:00 19:00", "J1")]
    flights += [(3, "AAA BBB", "20:00 21:00", "J1")]
    aircraft = f"J1 M Jet 0/0/10 400 1000.0 30 20 AAA BBB-{DAY}-22:00-{DAY}-23:00-{most}"
    instance = airline(tmp_path, flights, aircraft=aircraft)
    solution = plan(instance)
    assert not broken(instance, solution, tmp_path)
    assert len(flown(instance, solution)) == len(kept)


@BASELINES
@pytest.mark.parametrize(("range_", "kept"), [(60, {1, 2}), (59, set())])
def test_a_planned_flight_that_is_too_long_for_its_aircraft_is_given_up(
    tmp_path: Path, plan: Plan, range_: int, kept: set[int]
) -> None:
    flights: list[Row] = [(1, "AAA BBB", "16:10 17:10", "J1"), (2, "BBB AAA", "18:00 19:00", "J1")]
    instance = airline(tmp_path, flights, aircraft=f"J1 M Jet 0/0/10 {range_} 1000.0 30 20 AAA NULL")
    solution = plan(instance)
    assert not broken(instance, solution, tmp_path) and flown(instance, solution) == kept


@BASELINES
@pytest.mark.parametrize(("seats", "stay"), [(5, []), (4, [1]), (2, [1, 2]), (1, [1, 2, 3])])
def test_of_those_sold_too_many_seats_who_loses_least_stays(
    tmp_path: Path, plan: Plan, seats: int, stay: list[int]
) -> None:
    people = f"1 A 100.0 1 1 {DAY} E\n2 A 100.0 2 1 {DAY} E\n3 A 900.0 2 1 {DAY} E"
    aircraft = f"J1 M Jet 0/0/{seats} 400 1000.0 30 20 AAA NULL"
    flights: list[Row] = [(1, "AAA BBB", "16:10 17:10", "J1")]
    instance = airline(tmp_path, flights, aircraft=aircraft, itineraries=people)
    solution = plan(instance)
    assert not broken(instance, solution, tmp_path)
    trips = solution.trips
    assert sorted(instance.bookings.number[trips.booking[np.flatnonzero(trips.cancelled)]]) == stay


@pytest.mark.parametrize(
    ("legs", "takes", "until", "shown"),
    [
        (False, 120, 0, False),
        (False, 121, 0, True),
        (False, 50, 20, False),
        (False, 51, 20, True),
        (True, 130, 0, False),
        (True, 131, 0, True),
    ],
)
def test_a_violation_is_unavoidable_only_if_there_is_no_way_with_every_slot(
    tmp_path: Path, legs: bool, takes: int, until: int, shown: bool
) -> None:
    """J1 is at AAA from 18:50, and must leave BBB at 21:20, after 30 min on the ground; 20 where flights have legs."""
    flights: list[Row] = [(12, "BBB AAA", "21:10 22:10", "J1", 10)]
    closed = f"AAA {DAY} 10:00 {DAY} {until}:00 0 9" if until else ""
    dist = f"AAA BBB {takes} D\nBBB AAA 60 D"
    config = by_hand.FILES["config"].replace("08:00", "18:50", 1)
    flights += [(21, "AAA BBB", "22:00 23:00", "J2"), (22, "BBB AAA", "23:30 00:30+1", "J2")] if legs else []
    instance = airline(tmp_path, flights, {22: 21}, alt_airports=closed, dist=dist, config=config)
    solution = do_nothing(instance)
    solution.operations.aircraft[solution.operations.planned < 0] = -1  # without its empty flight, if it has one
    found = [v for v in check(instance, solution) if v.rule is Rule.START]
    assert len(found) == 1 and bool(unavoidable(instance, found)) is shown


@pytest.mark.parametrize(
    ("lands", "said"),
    [
        ("21:00", "no valid plan was found for these files: rules broken by the best: 1"),
        ("21:01", "these files leave no valid plan: rules broken whatever is done: 1"),
    ],
)
def test_import_says_that_no_plan_is_valid_only_if_that_is_shown(tmp_path: Path, lands: str, said: str) -> None:
    """J1 must leave BBB at 21:20; no baseline gives it J2's flight 3, and a new flight takes 200 min."""
    flights: list[Row] = [(3, "AAA BBB", f"18:30 {lands}", "J2"), (12, "BBB AAA", "21:10 22:10", "J1", 10)]
    jet = "M Jet 0/0/10 400 1000.0 20 20 AAA NULL"
    files = {"dist": "AAA BBB 200 D\nBBB AAA 60 D", "aircraft": f"J1 {jet}\nJ2 {jet}"}
    config = by_hand.FILES["config"].replace("08:00", "18:20", 1)
    with pytest.raises(BrokenFiles) as error:
        _has_a_plan(airline(tmp_path, flights, config=config, **files))
    assert error.value.summary == said


LEGS: list[tuple[list[Row], dict[str, str], set[int]]] = [
    (  # the second leg was to be another aircraft's
        [(3, "AAA BBB", "17:00 18:00", "J1"), (4, "BBB AAA", "19:00 20:00", "J2")],
        {"aircraft": "J1 M Jet 0/0/10 400 1000.0 30 20 AAA NULL\nJ2 M Jet 0/0/10 400 1000.0 30 20 BBB NULL"},
        {3},
    ),
    (  # the same, and it is late already: the first is given up
        [(3, "AAA BBB", "17:00 18:00", "J1"), (4, "BBB AAA", "19:00 20:00", "J2", 5)],
        {"aircraft": "J1 M Jet 0/0/10 400 1000.0 30 20 AAA NULL\nJ2 M Jet 0/0/10 400 1000.0 30 20 BBB NULL"},
        {4},
    ),
    (  # the first leg was flown before the period, and two others after it
        [
            (3, "AAA BBB", "10:00 11:00", "J1"),
            (8, "BBB AAA", "12:00 13:00", "J1"),
            (9, "AAA BBB", "14:00 15:00", "J1"),
            (4, "BBB AAA", "19:00 20:00", "J1"),
        ],
        {},
        {3, 8, 9},
    ),
]


@BASELINES
@pytest.mark.parametrize(("flights", "files", "flies"), LEGS)
def test_two_legs_that_one_aircraft_cannot_fly_right_after_each_other_are_not_both_flown(
    tmp_path: Path, plan: Plan, flights: list[Row], files: dict[str, str], flies: set[int]
) -> None:
    instance = airline(tmp_path, flights, legs={4: 3}, **files)
    solution = plan(instance)
    assert not broken(instance, solution, tmp_path)
    assert flown(instance, solution) == flies


@pytest.mark.parametrize(("late", "code"), [(41, 1), (50, 0)])
def test_recover_exits_with_1_if_its_plan_is_not_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, late: int, code: int
) -> None:
    """Flight 1 lands at 17:20, and 30 min later is 17:50."""
    flights: list[Row] = [(1, "AAA BBB", "15:00 16:00", "J1", 80), (2, "BBB AAA", "17:00 18:00", "J1", late)]
    airline(tmp_path / "day", flights)
    asked: list[Any] = []  # a bound says nothing where no plan is valid
    monkeypatch.setattr(session, "proven", lambda *given: asked.append(given))
    arguments = ["--seconds", "0", "--bound", "5", "--json", "--out", str(tmp_path / "out")]
    assert main(["flightdesk", "recover", str(tmp_path / "day"), *arguments]) == code
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert bool(asked) is not bool(code)
    assert len(told["broken"]) == code and told["unavoidable"] == told["broken"]
    assert ("takt: no valid plan: 1 rule broken in every plan: J1 has 21 min at BBB" in said.err) is bool(code)
