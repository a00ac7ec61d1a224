from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import by_hand
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_checker import slow_check
from small_airline import read_plan, wild, write_airline, write_plan

from takt.contract.station import TaktError
from takt.stations.flightdesk import (
    Instance,
    Rule,
    Violation,
    check,
    cost,
    do_nothing,
    greedy_delay,
    read_instance,
    read_solution,
    write_solution,
)

DATA = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"


def checked(tmp_path: Path, *edits: tuple[str, str], **files: str) -> list[Violation]:
    instance = read_instance(by_hand.write(tmp_path / "instance", **files))
    return check(instance, read_solution(instance, by_hand.write_plan(tmp_path / "plan", *edits)))


def test_the_plan_by_hand_is_valid(tmp_path: Path) -> None:
    assert checked(tmp_path) == []


ROW = {line.split()[0]: line for line in by_hand.ROTATIONS.splitlines()}
LINE = {line.split()[0]: line for line in by_hand.ITINERARIES.splitlines()}
OFF6 = ("14:00 0 01/01/08 J2#3", "14:00 0 01/01/08 cancelled"), ("16:00 0 01/01/08 J2#3", "16:00 0 01/01/08 cancelled")
OFF34 = ("6 6 01/01/08 E", "6 cancelled"), ("2 7 01/01/08 E", "2 cancelled")  # the passengers of flights 6 and 7


def replaced(number: int, *words: tuple[str, str]) -> tuple[str, str]:
    row = ROW[str(number)]
    for old, new in words:
        assert old in row
        row = row.replace(old, new, 1)
    return ROW[str(number)], row


@pytest.mark.parametrize(
    ("rule", "edits", "text"),
    [
        (Rule.MISSING_FLIGHT, [(ROW["8"] + "\n", "")], "flight 8 of 01/01 is not in the plan"),
        (
            Rule.FLOWN_TWICE,
            [(ROW["8"], ROW["8"] + "\n" + ROW["8"].replace("P#4", "cancelled"))],
            "8 of 01/01 is in the plan",
        ),
        (Rule.ROUTE, [replaced(8, ("BBB", "CCC"))], "flight 8 of 01/01 goes AAA-CCC instead of AAA-BBB"),
        (Rule.DURATION, [replaced(8, ("23:31", "23:32"))], "takes 62 min instead of 61"),
        (Rule.LINK, [replaced(3, ("14:30 2", "14:30 0"))], "flight 3 of 01/01 is linked to 0, not 2"),
        (Rule.EARLY, [replaced(8, ("22:30", "22:29"), ("23:31", "23:30"))], "before its schedule of 01/01 22:30"),
        (Rule.FIXED, [replaced(1, ("07:00", "07:01"), ("08:00", "08:01"))], "flight 1 of 01/01 is outside"),
        (Rule.FIXED, [replaced(1, ("J1#1", "cancelled"))], "at 01/01 07:00 with J1#1 and cannot be cancelled"),
        (Rule.SURFACE, [replaced(9, ("Bus#5", "cancelled"))], "at 01/01 08:30 with Bus#5 and cannot be cancelled"),
        (Rule.FAMILY, [replaced(6, ("J2#3", "P#4"))], "changes from J2#3 to P#4"),
        (Rule.OVERTIME, [replaced(8, ("22:30", "03:00+1"), ("23:31", "04:01+1"))], "lands at BBB at 02/01 04:01"),
        (Rule.START, [replaced(8, ("AAA BBB", "BBB AAA"))], "P#4 is at AAA, and flight 8 of 01/01 leaves BBB"),
        (Rule.CONTINUITY, [replaced(2, ("J1#1", "cancelled"))], "J1#1 is at BBB, and flight 3"),
        (Rule.TURN, [replaced(6, ("13:00", "13:21"), ("14:00", "14:21"))], "J2#3 has 39 min at BBB before flight 7"),
        (Rule.RANGE, [replaced(5, ("J1#2", "J2#3"))], "takes 300 min, and J2#3 has a range of 200"),
        (Rule.HEADCOUNT, [("3 A 80.0 6", "3 A 80.0 5")], "booking 3 is for 6 people, and 5 are in the plan"),
        (Rule.BOOKING, [("3 A 80.0 6", "3 R 80.0 6")], "booking 3 has another direction or price"),
        (Rule.BOOKING, [("3 A 80.0 6", "3 A 80.5 6")], "booking 3 has another direction or price"),
        (Rule.ORIGIN, [("2 7 01/01/08 E", "2 8 01/01/08 E")], "booking 4 starts at AAA instead of BBB"),
        (Rule.DESTINATION, [("2 7 01/01/08 E", "2 7 01/01/08 E 8 01/01/08 E")], "booking 4 ends at BBB instead of AAA"),
        (Rule.NO_SUCH_FLIGHT, [("2 7 01/01/08 E", "2 77 01/01/08 E")], "is on flight 77 of 01/01, which is not in"),
        (Rule.ON_CANCELLED, [*OFF6, OFF34[0]], "booking 4 is on flight 7 of 01/01, which is cancelled"),
        (Rule.JOIN, [("1 01/01/08 E 4 01/01/08 E", "1 01/01/08 E 3 01/01/08 E")], "booking 1 lands at BBB"),
        (
            Rule.CONNECTION,
            [replaced(4, ("10:00", "10:29")), ("2 7 01/01/08 E", "2 7 01/01/08 E 6 01/01/08 E")],
            "AAA before",
        ),
        (
            Rule.TOO_EARLY,
            [("6 6 01/01/08 E", "6 9 01/01/08 E")],
            "booking 3 leaves with flight 9 of 01/01 at 01/01 08:30",
        ),
        (Rule.BEGUN, [("4 1 01/01/08 E 4 01/01/08 E", "4 cancelled")], "booking 1 had flown with flight 1 of 01/01"),
        (Rule.BEGUN, [("4 1 01/01/08 E 4", "4 1 01/01/08 B 4")], "booking 1 had flown with flight 1 of 01/01"),
        (Rule.GONE, [("6 6 01/01/08 E", "6 1 01/01/08 E")], "booking 3 is on flight 1 of 01/01, which left"),
        (
            Rule.CABIN,
            [("6 6 01/01/08 E", "6 6 01/01/08 B")],
            "flight 6 of 01/01 has 6 people in B, and J2#3 has 0 seats",
        ),
        (
            Rule.SERVICE_AIRPORT,
            [replaced(3, ("J1#1", "cancelled")), ("3 2 01/01/08 B 3 01/01/08 E", "3 cancelled")],
            "not at CCC",
        ),
        (
            Rule.SERVICE_TIME,
            [replaced(3, ("12:00", "18:00"), ("14:30", "20:30"))],
            "J1#1 is due for maintenance from 01/01 20:00 to 02/01 02:00, and flight 3 of 01/01 lands at 01/01 20:30",
        ),
        (Rule.LEGS_APART, [replaced(2, ("J1#1", "J1#2"))], "flight 3 of 01/01 is the next leg of 2 of 01/01"),
    ],
)
def test_every_rule_is_named(tmp_path: Path, rule: Any, edits: Any, text: Any) -> None:
    found = [v for v in checked(tmp_path, *edits) if v.rule is rule]
    assert found and text in found[0].text and "\n" not in found[0].text


def test_a_violation_names_the_aircraft_of_a_created_flight(tmp_path: Path) -> None:
    late = "90 BBB AAA 18:00 19:02 0 01/01/08 P#4"
    found = checked(tmp_path, (ROW["9"], f"{ROW['9']}\n{late}"))
    assert {v.aircraft for v in found if v.rule is Rule.CREATED_DURATION} == {"P#4"}


NEW = "90 BBB AAA 18:00 19:01 0 01/01/08 P#4\n"


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        (Rule.CREATED_CANCELLED, NEW.replace("P#4", "cancelled")),
        (Rule.CREATED_NUMBER, NEW.replace("90", "4").replace("01/01/08", "02/01/08")),
        (Rule.CREATED_LINK, NEW.replace(" 0 ", " 7 ")),
        (Rule.CREATED_DURATION, NEW.replace("19:01", "19:00")),
        (Rule.CREATED_PAST, NEW.replace("18:00 19:01", "07:00 08:01")),
        (Rule.OVERTIME, NEW.replace("18:00 19:01", "03:00+1 04:01+1")),
    ],
)
def test_created_flights_have_rules_of_their_own(tmp_path: Path, rule: Any, row: Any) -> None:
    assert rule in {v.rule for v in checked(tmp_path, (ROW["9"], ROW["9"] + "\n" + row.rstrip()))}


def test_a_created_flight_may_bring_an_aircraft_back(tmp_path: Path) -> None:
    created = "90 BBB AAA 23:56 00:57+1 0 01/01/08 P#4"
    assert checked(tmp_path, (ROW["9"], f"{ROW['9']}\n{created}")) == []
    later = created.replace("23:56 00:57+1", "23:55 00:56+1")  # 24 minutes on the ground, and P#4 needs 25
    assert [v.rule for v in checked(tmp_path, (ROW["9"], f"{ROW['9']}\n{later}"))] == [Rule.TURN]


def test_what_is_exactly_at_the_limit_is_allowed(tmp_path: Path) -> None:
    at_limit = [
        replaced(6, ("13:00", "13:20"), ("14:00", "14:20")),  # 40 minutes to turn J2#3 round
        replaced(3, ("12:00", "17:30"), ("14:30", "20:00")),  # lands as its maintenance starts
        replaced(8, ("22:30", "02:59+1"), ("23:31", "04:00+1")),  # the last minute of the recovery period
    ]
    assert checked(tmp_path, *at_limit) == []


def test_an_airport_has_so_many_slots_an_hour(tmp_path: Path) -> None:
    two = "BBB 0 2 00:00 12:00 2 2 12:00 00:00"
    found = checked(tmp_path, airports=by_hand.FILES["airports"].replace("BBB 1 2 00:00 12:00 2 2 12:00 00:00", two))
    assert [(v.rule, v.airport, v.minute) for v in found] == [
        (Rule.DEPARTURES, "BBB", 540),
        (Rule.DEPARTURES, "BBB", 600),
    ]
    assert found[0].text == "BBB has 1 departures in the hour from 01/01 09:00, and takes 0"
    found = checked(tmp_path, alt_airports="CCC 01/01/08 14:00 01/01/08 15:00 2 0")
    assert [(v.rule, v.airport, v.minute) for v in found] == [(Rule.ARRIVALS, "CCC", 14 * 60)]
    found = checked(tmp_path, alt_airports="AAA 01/01/08 07:00 01/01/08 09:00 0 0")
    assert [(v.rule, v.minute) for v in found] == [(Rule.DEPARTURES, 7 * 60)], "flight 1 has left, and is not forgiven"
    found = checked(tmp_path, alt_airports="AAA 01/01/08 08:00 01/01/08 09:00 0 0")
    assert found == [], "the bus needs no slot"


def test_given_delays_and_cancellations_stay(tmp_path: Path) -> None:
    changes = "8 01/01/08 15\n6 01/01/08 -1\n7 01/01/08 -1\n1 01/01/08 30"
    first = replaced(1, ("07:00", "07:30"), ("08:00", "08:30"))
    last = replaced(8, ("22:30", "22:45"), ("23:31", "23:46"))
    assert checked(tmp_path, first, last, *OFF6, *OFF34, alt_flights=changes) == []
    later = replaced(8, ("22:30", "22:50"), ("23:31", "23:51"))
    assert [v.rule for v in checked(tmp_path, first, later, *OFF6, *OFF34, alt_flights=changes)] == [Rule.GIVEN_DELAY]
    off = replaced(8, ("P#4", "cancelled"))
    found = checked(tmp_path, first, off, *OFF6, *OFF34, alt_flights=changes)
    assert [v.rule for v in found] == [Rule.GIVEN_DELAY] and found[0].text.endswith("it cannot be cancelled")
    assert {v.rule for v in checked(tmp_path, first, last, alt_flights=changes)} == {Rule.REVIVED}
    assert [v.rule for v in checked(tmp_path, last, *OFF6, *OFF34, alt_flights=changes)] == [Rule.FIXED]


def test_a_grounded_aircraft_does_not_fly(tmp_path: Path) -> None:
    found = checked(tmp_path, alt_aircraft="J2#3 01/01/08 13:59 01/01/08 15:00")
    assert [(v.rule, v.flight, v.aircraft) for v in found] == [
        (Rule.GROUNDED, "6 of 01/01", "J2#3"),
        (Rule.GROUNDED, "7 of 01/01", "J2#3"),
    ], "7 leaves as the grounding ends, but is dated on the day on which it began"
    assert checked(tmp_path, *OFF7, alt_aircraft="J2#3 01/01/08 14:00 01/01/08 15:00") == []


OFF7 = ("16:00 0 01/01/08 J2#3", "16:00 0 01/01/08 cancelled"), ("2 7 01/01/08 E", "2 cancelled")


def test_a_grounding_over_midnight_goes_by_the_date_of_the_row(tmp_path: Path) -> None:
    """The grounding ends at 02/01 01:00; 8 is P#4's."""
    over = {"alt_aircraft": "P#4 01/01/08 20:00 02/01/08 01:00"}
    for leaves, lands in (("00:59+1", "02:00+1"), ("01:00+1", "02:01+1"), ("02:00+1", "03:01+1")):
        found = checked(tmp_path, replaced(8, ("22:30", leaves), ("23:31", lands)), **over)
        assert [v.rule for v in found] == [Rule.GROUNDED], leaves
    off = replaced(8, ("P#4", "cancelled"))
    new = "90 AAA BBB 01:00 02:01 0 02/01/08 P#4"  # dated on the day after, it may leave exactly at the end
    assert checked(tmp_path, off, (ROW["9"], f"{ROW['9']}\n{new}"), **over) == []
    early = new.replace("01:00 02:01", "00:59 02:00")
    assert [v.rule for v in checked(tmp_path, off, (ROW["9"], f"{ROW['9']}\n{early}"), **over)] == [Rule.GROUNDED]
    lands_before = {"alt_aircraft": "P#4 01/01/08 23:31 02/01/08 03:00"}
    assert checked(tmp_path, **lands_before) == []


def test_a_grounding_over_three_dates_goes_by_the_date_of_the_row_on_the_second_too(tmp_path: Path) -> None:
    over = {"alt_aircraft": "P#4 31/12/07 20:00 02/01/08 01:00"}
    for leaves, lands in (("22:30", "23:31"), ("01:00+1", "02:01+1")):
        found = checked(tmp_path, replaced(8, ("22:30", leaves), ("23:31", lands)), **over)
        assert [v.rule for v in found] == [Rule.GROUNDED], leaves
    new = "90 AAA BBB 01:00 02:01 0 02/01/08 P#4"
    off = replaced(8, ("P#4", "cancelled"))
    assert checked(tmp_path, off, (ROW["9"], f"{ROW['9']}\n{new}"), **over) == []
    for plan in (do_nothing, greedy_delay):
        instance = read_instance(by_hand.write(tmp_path / "instance", **over))
        assert not check(instance, plan(instance)), "a baseline does not try that"


def test_what_lands_two_days_after_its_date_is_in_no_plan_of_ours(tmp_path: Path) -> None:
    """8 is to leave at 23:30, and AAA is shut until 22:00 of the day after, or 23:00: it would land at 00:01+2."""
    config = by_hand.FILES["config"].replace("02/01/08 04:00", "03/01/08 04:00")
    flights = by_hand.FILES["flights"].replace("22:30 23:31", "23:30 00:31+1")
    for until, flies in (("22:00", True), ("23:00", False)):
        shut = f"AAA 01/01/08 22:00 02/01/08 {until} 0 3"
        instance = read_instance(by_hand.write(tmp_path / until[:2], config=config, flights=flights, alt_airports=shut))
        plan = greedy_delay(instance)
        o = plan.operations
        assert not check(instance, plan)
        assert bool(o.aircraft[o.number == 8][0] >= 0) == flies


@pytest.mark.parametrize("parts", ["0 2 12:00 15:30 2 2 15:30 00:00", "2 2 12:00 15:30 0 2 15:30 00:00"])
def test_an_hour_in_two_parts_of_the_day_takes_the_fewer_flights(tmp_path: Path, parts: str) -> None:
    """7 leaves BBB at 15:00."""
    airports = by_hand.FILES["airports"].replace("2 2 12:00 00:00", parts)
    assert [(v.rule, v.airport) for v in checked(tmp_path, airports=airports)] == [(Rule.DEPARTURES, "BBB")]


@pytest.mark.parametrize("first", [True, False])
def test_an_hour_in_two_closures_takes_the_fewer_flights(tmp_path: Path, first: bool) -> None:
    two = ["BBB 01/01/08 14:00 01/01/08 15:30 0 2", "BBB 01/01/08 15:30 01/01/08 18:00 2 2"][:: 1 if first else -1]
    assert [(v.rule, v.airport) for v in checked(tmp_path, alt_airports="\n".join(two))] == [(Rule.DEPARTURES, "BBB")]


@pytest.mark.parametrize("start", ["10:20", "10:21"])
def test_who_stays_aboard_between_two_legs_flown_before_the_period_has_flown_them(tmp_path: Path, start: str) -> None:
    """3 is the next leg of 2, and leaves 20 minutes after it has landed, which is enough for the aircraft."""
    files = {
        "config": by_hand.FILES["config"].replace("08:00", start, 1),
        "flights": by_hand.FILES["flights"].replace("12:00 14:30 2", "10:20 12:50 2"),
    }
    instance = read_instance(by_hand.write(tmp_path / "instance", **files))
    earlier = replaced(3, ("12:00", "10:20"), ("14:30", "12:50"))
    plan = read_solution(instance, by_hand.write_plan(tmp_path / "plan", earlier))
    assert [v.rule for v in check(instance, plan)] == ([] if start == "10:21" else [Rule.CONNECTION])
    off = read_solution(
        instance, by_hand.write_plan(tmp_path / "off", earlier, (LINE["2"], "2 R 250.5 3 2 01/01/08 B cancelled"))
    )
    assert [v.rule for v in check(instance, off)] == ([Rule.BEGUN] if start == "10:21" else [])
    for better in (do_nothing, greedy_delay):
        assert not check(instance, better(instance))


def test_the_next_leg_may_leave_after_midnight(tmp_path: Path) -> None:
    """10 is the next leg of 8 of the date before, 29 minutes after it: enough between legs, not between flights."""
    files = {
        "aircraft": by_hand.FILES["aircraft"].replace("300.0 25 15", "300.0 40 15"),
        "flights": by_hand.FILES["flights"] + "\n10 BBB AAA 00:00 01:01 8",
        "rotations": by_hand.FILES["rotations"] + "\n10 02/01/08 P#4\n10 01/01/08 J1#2",
    }
    instance = read_instance(by_hand.write(tmp_path / "instance", **files))
    assert instance.flights.previous.tolist()[-2:] == [7, -1], "8 of 01/01 lands after 10 of that date has left"
    found = check(instance, do_nothing(instance))
    assert {v.flight for v in found if v.flight.startswith("10 of 02")} == set()
    write_solution(instance, do_nothing(instance), tmp_path / "plan")
    assert sum(slow_check(tmp_path / "instance", tmp_path / "plan").values()) == len(found)


def test_a_flight_delayed_over_the_start_of_the_recovery_period_flies_as_given(tmp_path: Path) -> None:
    """1 was to leave at 07:00, an hour before the period."""
    two = by_hand.FILES["airports"].replace("BBB 1 2 00:00", "BBB 2 2 00:00")
    changes = {"alt_flights": "1 01/01/08 90", "airports": two}
    given_, off2 = (
        replaced(1, ("07:00", "08:30"), ("08:00", "09:30")),
        replaced(2, ("10:00", "11:00"), ("09:00", "10:00")),
    )
    missed = ("4 1 01/01/08 E 4 01/01/08 E", "4 cancelled")
    assert checked(tmp_path, given_, off2, missed, **changes) == []
    swapped = replaced(1, ("07:00", "08:30"), ("08:00", "09:30"), ("J1#1", "J2#3"))
    for wrong in (replaced(1, ("J1#1", "cancelled")), replaced(1, ("07:00", "08:31"), ("08:00", "09:31")), swapped):
        assert Rule.GIVEN_DELAY in {v.rule for v in checked(tmp_path, wrong, off2, missed, **changes)}


def test_surface_transport_goes_as_planned(tmp_path: Path) -> None:
    """9 is the bus, at 08:30."""
    for wrong in (
        replaced(9, ("Bus#5", "cancelled")),
        replaced(9, ("08:30", "08:31"), ("08:50", "08:51")),
        replaced(9, ("Bus#5", "P#4")),
        replaced(8, ("P#4", "Bus#5")),
    ):
        assert Rule.SURFACE in {v.rule for v in checked(tmp_path, wrong)}, wrong
    new = "90 BBB AAA 18:00 19:01 0 01/01/08 Bus#5"
    assert Rule.SURFACE in {v.rule for v in checked(tmp_path, (ROW["9"], f"{ROW['9']}\n{new}"))}
    gone = {"alt_flights": "9 01/01/08 -1"}
    assert checked(tmp_path, replaced(9, ("Bus#5", "cancelled")), **gone) == []
    assert {v.rule for v in checked(tmp_path, **gone)} == {Rule.REVIVED}


def test_surface_transport_that_the_disruption_delayed_leaves_then(tmp_path: Path) -> None:
    """9 is the bus, at 08:30."""
    late = {"alt_flights": "9 01/01/08 20"}
    assert checked(tmp_path, replaced(9, ("08:50", "09:10"), ("08:30", "08:50")), **late) == []
    for wrong in (
        replaced(9, ("08:30", "08:30")),
        replaced(9, ("08:50", "09:09"), ("08:30", "08:49")),
        replaced(9, ("08:50", "09:11"), ("08:30", "08:51")),
        replaced(9, ("Bus#5", "cancelled")),
    ):
        assert [v.rule for v in checked(tmp_path, wrong, **late)] == [Rule.GIVEN_DELAY], wrong


def test_a_maintenance_under_way_blocks(tmp_path: Path) -> None:
    aircraft = by_hand.FILES["aircraft"]

    def in_work(since: str, until: str) -> dict[str, str]:
        return {"aircraft": aircraft.replace("25 15 AAA NULL", f"25 15 AAA AAA-{since}-{until}-400")}

    assert checked(tmp_path, **in_work("01/01/08-07:00", "01/01/08-22:30")) == []
    found = checked(tmp_path, **in_work("01/01/08-07:00", "01/01/08-22:31"))
    assert [(v.rule, v.aircraft) for v in found] == [(Rule.SERVICE_TIME, "P#4")]


def test_what_was_planned_before_the_period_is_not_forgiven(tmp_path: Path) -> None:
    """1 leaves before the period, with J1#1."""
    aircraft = by_hand.FILES["aircraft"]
    for rule, old, new in (
        (Rule.START, "30 20 AAA CCC", "30 20 BBB CCC"),
        (Rule.RANGE, "J1#1 J1 Jet 2/4/10 400", "J1#1 J1 Jet 2/4/10 59"),
        (Rule.SERVICE_TIME, "CCC-01/01/08-20:00", "AAA-01/01/08-07:00"),
    ):
        assert rule in {v.rule for v in checked(tmp_path, aircraft=aircraft.replace(old, new))}, rule
    assert Rule.GROUNDED in {v.rule for v in checked(tmp_path, alt_aircraft="J1#1 01/01/08 07:30 01/01/08 07:40")}


def test_turn_round_and_minutes_before_a_maintenance_are_those_of_before_the_period_too(tmp_path: Path) -> None:
    """From 10:00 on: J1#1 has flown 1 and 2, 60 minutes each, with 60 minutes between them."""
    since = {"config": by_hand.FILES["config"].replace("01/01/08 08:00", "01/01/08 10:00")}
    aircraft = by_hand.FILES["aircraft"]
    for turn, rules in ((60, []), (61, [Rule.TURN])):
        rows = aircraft.replace("400 1000.0 30 20 AAA", f"400 1000.0 {turn} 20 AAA")
        assert [v.rule for v in checked(tmp_path, aircraft=rows, **since)] == rules, turn
    for minutes, rules in ((120, []), (119, [Rule.SERVICE_MINUTES])):
        due = f"AAA-01/01/08-10:00-01/01/08-12:00-{minutes}"
        rows = aircraft.replace("CCC-01/01/08-20:00-02/01/08-02:00-400", due)
        assert [v.rule for v in checked(tmp_path, aircraft=rows, **since)] == rules, minutes


def test_nothing_lands_after_the_recovery_period_touched_or_not(tmp_path: Path) -> None:
    config = by_hand.FILES["config"]
    assert checked(tmp_path, config=config.replace("02/01/08 04:00", "01/01/08 23:31")) == []
    found = checked(tmp_path, config=config.replace("02/01/08 04:00", "01/01/08 23:30"))
    assert [(v.rule, v.flight) for v in found] == [(Rule.OVERTIME, "8 of 01/01")]


def test_a_group_that_has_flown_nothing_is_cancelled_as_a_whole(tmp_path: Path) -> None:
    begun = ("4 1 01/01/08 E 4 01/01/08 E", "4 1 01/01/08 E cancelled")  # 1 left before the period
    assert checked(tmp_path, begun) == []
    not_begun = ("3 2 01/01/08 B 3 01/01/08 E", "3 2 01/01/08 B cancelled")
    found = checked(tmp_path, not_begun)
    assert [(v.rule, v.booking) for v in found] == [(Rule.PART_CANCELLED, 2)]
    assert checked(tmp_path, ("3 2 01/01/08 B 3 01/01/08 E", "3 cancelled")) == []


def test_an_aircraft_has_so_many_minutes_before_its_maintenance(tmp_path: Path) -> None:
    aircraft = by_hand.FILES["aircraft"]
    assert checked(tmp_path, aircraft=aircraft.replace("02:00-400", "02:00-270")) == []
    found = checked(tmp_path, aircraft=aircraft.replace("02:00-400", "02:00-269"))
    assert [v.text for v in found] == ["J1#1 flies 270 min before its maintenance, and may fly 269"]


def test_an_outbound_group_is_not_brought_home_too_late(tmp_path: Path) -> None:
    flights = by_hand.FILES["flights"].replace("8 AAA BBB 22:30 23:31 0", "8 AAA BBB 07:59+1 09:00+1 0")
    config = by_hand.FILES["config"].replace("02/01/08 04:00", "02/01/08 12:00")
    late = replaced(8, ("22:30", "07:59+1"), ("23:31", "09:00+1"))
    ride = ("6 6 01/01/08 E", "6 8 01/01/08 E")  # 19 h late
    found = checked(tmp_path, late, ride, flights=flights, config=config)
    assert [(v.rule, v.booking) for v in found] == [(Rule.TOO_LATE, 3)]
    inbound = ("3 A 80.0", "3 R 80.0")
    itineraries = by_hand.FILES["itineraries"].replace(*inbound)
    assert checked(tmp_path, late, ride, inbound, flights=flights, config=config, itineraries=itineraries) == []


@pytest.mark.parametrize(
    ("edits", "row", "clocks", "most"),
    [
        (OFF7, 6, ("13:00", "14:00"), 18),  # booking 3, domestic
        ([], 3, ("12:00", "14:30"), 18),  # booking 2, one leg of it continental
        (  # booking 1, one leg of it intercontinental
            [("16:00 21:00 0 01/01/08 J1#2", "16:00 21:00 0 01/01/08 cancelled"), ("2 5 01/01/08 F", "2 cancelled")],
            4,
            ("10:00", "15:00"),
            36,
        ),
    ],
)
def test_an_outbound_group_is_so_many_hours_late_at_most_by_the_farthest_of_its_legs(
    edits: Any, row: int, clocks: tuple[str, str], most: int, tmp_path: Path
) -> None:
    outbound = ("2 R 250.5", "2 A 250.5")
    files = {
        "config": by_hand.FILES["config"].replace("02/01/08 04:00", "03/01/08 12:00"),
        "aircraft": by_hand.FILES["aircraft"].replace("CCC-01/01/08-20:00-02/01/08-02:00-400", "NULL"),
        "itineraries": by_hand.FILES["itineraries"].replace(*outbound),
    }

    def later(clock: str, minutes: int) -> str:
        day, minute = divmod(int(clock[:2]) * 60 + int(clock[3:]) + minutes, 1440)
        return f"{minute // 60:02d}:{minute % 60:02d}" + (f"+{day}" if day else "")

    for minutes, rules in ((60 * most, []), (60 * most + 1, [Rule.TOO_LATE])):
        late = replaced(row, *((clock, later(clock, minutes)) for clock in clocks))
        assert [v.rule for v in checked(tmp_path, late, outbound, *edits, **files)] == rules, minutes


@settings(max_examples=150, deadline=None)
@given(
    file=st.sampled_from(["sol_rotations", "sol_itineraries"]),
    at=st.floats(0, 1),
    cut=st.integers(0, 40),
    junk=st.sampled_from(
        ["", " ", "-", "#", "\n", "0", "99999999999", "x", "/", ":", "é", "+9", "31/12/99", " cancelled"]
    ),
)
def test_whatever_happens_to_a_plan_it_is_checked_and_priced_or_refused_in_one_line(
    file: Any, at: Any, cut: Any, junk: Any
) -> None:
    with tempfile.TemporaryDirectory() as name:
        instance = read_instance(by_hand.write(Path(name) / "instance"))
        path = by_hand.write_plan(Path(name) / "plan") / f"{file}.csv"
        text = path.read_text()
        i = round(at * len(text))
        path.write_text(text[:i] + junk + text[i + cut :], encoding="utf-8")
        try:
            plan = read_solution(instance, path.parent)
        except TaktError as error:
            assert "\n" not in str(error) and str(error)
        else:
            assert all("\n" not in violation.text for violation in check(instance, plan))
            assert np.isfinite(cost(instance, plan).total)


def about(instance: Instance, violation: Violation) -> tuple:
    rule = violation.rule.name
    if rule in ("DEPARTURES", "ARRIVALS"):
        return rule, (violation.airport, instance.epoch.toordinal() * 1440 + (violation.minute or 0))
    if violation.booking is not None:
        return rule, str(violation.booking)
    if not violation.flight:
        return rule, violation.aircraft
    number, day = violation.flight.split(" of ")
    return rule, (number, day + ("/07" if day.endswith("12") else "/08"))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), baseline=st.sampled_from([do_nothing, greedy_delay]))
def test_the_slow_checker_finds_the_same(seed: Any, baseline: Any) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_airline(rng, folder / "instance")
        instance = read_instance(folder / "instance")
        plan = baseline(instance)
        write_solution(instance, plan, folder / "plan")
        assert check(instance, read_solution(instance, folder / "plan")) == check(instance, plan)
        rows, lines = wild(rng, *read_plan(folder / "plan"), list(instance.aircraft.name))
        write_plan(rows, lines, folder / "wild")
        found = check(instance, read_solution(instance, folder / "wild"))
        assert Counter(about(instance, v) for v in found) == slow_check(folder / "instance", folder / "wild")


@pytest.mark.skipif(not DATA.is_dir(), reason="the challenge's instances are not here")
@pytest.mark.parametrize("name", [f"{letter}{n:02d}" for letter in "AB" for n in range(1, 11)])
def test_the_baselines_are_valid_on_every_instance(name: Any) -> None:
    instance = read_instance(DATA / name)
    assert check(instance, do_nothing(instance)) == []
    assert check(instance, greedy_delay(instance)) == []


@pytest.mark.skipif(not DATA.is_dir(), reason="the challenge's instances are not here")
@pytest.mark.parametrize("name", ["A03", "B02"])
def test_the_slow_checker_agrees_on_real_airlines(name: Any, tmp_path: Path) -> None:
    instance, rng = read_instance(DATA / name), random.Random(name)
    write_solution(instance, greedy_delay(instance), tmp_path / "plan")
    assert not slow_check(DATA / name, tmp_path / "plan")
    rows, lines = read_plan(tmp_path / "plan")
    for _ in range(20):
        rows, lines = wild(rng, rows, lines, list(instance.aircraft.name))
    write_plan(rows, lines, tmp_path / "wild")
    found = check(instance, read_solution(instance, tmp_path / "wild"))
    year = instance.day(0)[5:]
    names = Counter((v.rule.name, v.flight + year) if v.flight else (v.rule.name, v.booking) for v in found)
    slow = slow_check(DATA / name, tmp_path / "wild")
    assert sum(names.values()) == sum(slow.values())
    assert Counter(rule for rule, _ in names.elements()) == Counter(rule for rule, _ in slow.elements())
