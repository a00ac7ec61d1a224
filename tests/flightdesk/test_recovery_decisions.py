"""What decisions cost and why they were taken: accounts add up to the cent, and a reason is what stood in the way."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import by_hand
import numpy as np
import pytest

from takt.stations.flightdesk import check, cost, do_nothing, greedy_delay, read_instance, read_solution
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.recipes import gulf_2026, two_hubs
from takt.stations.flightdesk.airline.recovery.decisions import Kind, accounts
from takt.stations.flightdesk.airline.recovery.displaced import Emptied, displaced
from takt.stations.flightdesk.airline.recovery.gantt import gantt
from takt.stations.flightdesk.airline.recovery.network import Pair, pairs
from takt.stations.flightdesk.airline.recovery.reasons import Reasons
from takt.stations.flightdesk.airline.recovery.recover import recover
from takt.stations.flightdesk.airline.recovery.summary import changes
from takt.stations.flightdesk.airline.rules import Rule

SHARED = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"
CANCEL_6 = (
    ("6 AAA BBB 13:00 14:00 0 01/01/08 J2#3", "6 AAA BBB 13:00 14:00 0 01/01/08 cancelled"),
    ("7 BBB AAA 15:00 16:00 0 01/01/08 J2#3", "7 BBB AAA 15:00 16:00 0 01/01/08 cancelled"),
    ("3 A 80.0 6 6 01/01/08 E", "3 A 80.0 6 cancelled"),
    ("4 A 80.0 2 7 01/01/08 E", "4 A 80.0 2 cancelled"),
)
DELAY_5 = (("5 CCC BBB 16:00 21:00", "5 CCC BBB 17:00 22:00"),)


def of(tmp_path: Path, *edits: Any, **files: Any) -> Any:
    """An instance, a valid plan for it."""
    instance = read_instance(by_hand.write(tmp_path / "day", **files))
    solution = read_solution(instance, by_hand.write_plan(tmp_path / "plan", *edits))
    return instance, solution


def decided(instance: Any, solution: Any) -> list[Any]:
    """(kind, flights, aircraft, why) of all decisions."""
    reasons, o, name = Reasons(instance, solution), solution.operations, instance.aircraft.name
    return [
        (str(d.kind), [int(o.number[row]) for row in d.rows], name[d.aircraft], reasons.of(d))
        for d in accounts(instance, solution).decisions
    ]


def test_flights_of_one_aircraft_in_a_row_are_one_decision_and_bear_their_people(tmp_path: Path) -> None:
    instance, solution = of(tmp_path, *CANCEL_6)
    found = accounts(instance, solution)
    (decision,) = found.decisions
    assert decision.kind is Kind.CANCEL and len(decision.rows) == 2 and decision.charge.left == 8
    # an hour each of 1,500 EUR; ticket and 250 EUR each (under 2 h); 100 EUR each for an outbound domestic trip
    assert decision.charge.eur == {
        "not_flown": -3000.0,
        "cancellation_compensation": 8 * 330.0,
        "outbound_cancelled": 8 * 100.0,
    }
    assert found.position.total == pytest.approx(found.total - decision.charge.total)
    assert found.by_row[list(decision.rows)].sum() == pytest.approx(decision.charge.total)


def test_a_plan_that_changes_nothing_decides_nothing(tmp_path: Path) -> None:
    instance, solution = of(tmp_path)
    found = accounts(instance, solution)
    assert not found.decisions and found.total == cost(instance, solution).total


def test_what_the_disruption_does_is_charged_to_it(tmp_path: Path) -> None:
    edits = (*CANCEL_6[:1], CANCEL_6[2], ("7 BBB AAA 15:00 16:00", "7 BBB AAA 15:30 16:30"))
    instance, solution = of(tmp_path, *edits, alt_flights="6 01/01/08 -1\n7 01/01/08 30")
    found = accounts(instance, solution)
    assert not found.decisions and found.disruption.left == 6 and found.disruption.late == 2
    assert set(found.disruption.eur) == {"not_flown", "cancellation_compensation", "outbound_cancelled", "delay"}


@pytest.mark.parametrize("plan", [do_nothing, greedy_delay, "search"])
@pytest.mark.parametrize("name", ["two-hubs", "gulf", "A05", "B03"])
def test_accounts_add_up_to_the_cost_to_the_cent(name: Any, plan: Any) -> None:
    if name in ("A05", "B03") and not SHARED.exists():
        pytest.skip("the challenge's instances are not here")
    made = {
        "two-hubs": two_hubs(flights=300, aircraft=42, bookings=600),
        "gulf": gulf_2026(flights=300, aircraft=40, bookings=600, days=3),
    }
    instance = generate(made[name], 3) if name in made else read_instance(SHARED / name)
    weights = (1.0, 0.5, 2.0)
    instance = replace(instance, prices=replace(instance.prices, weights=weights))
    if plan == "search":
        *_, last = recover(instance, iterations=200, seed=1, searchers=1)
        solution = last.solution
    else:
        solution = plan(instance)
    found, priced, counted = accounts(instance, solution), cost(instance, solution), changes(instance, solution)
    assert found.total == pytest.approx(priced.total, abs=0.011)
    sides = [found.disruption, found.moved, *(decision.charge for decision in found.decisions)]
    assert sum(side.left for side in sides) == counted.passengers_cancelled
    assert sum(side.moved for side in sides) == counted.passengers_rebooked
    rows = [row for decision in found.decisions for row in decision.rows]
    flights = counted.flights_cancelled + counted.flights_delayed + counted.flights_swapped + counted.flights_created
    assert len(rows) == flights
    for part, sign in (("not_flown", -1), ("delay", 1), ("added", 1)):
        weight = weights[0 if part != "delay" else 1]
        charged = sum(side.eur.get(part, 0.0) for side in sides)
        assert charged == pytest.approx(sign * weight * getattr(priced, part), abs=0.011)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (
            {"alt_aircraft": "J2#3 01/01/08 12:00 01/01/08 15:00"},
            "its aircraft is grounded from 01/01 12:00 to 01/01 15:00, and may fly nothing more that is dated 01/01",
        ),
        (
            {"alt_airports": "AAA 01/01/08 13:00 01/01/08 14:00 0 3"},
            "AAA takes 0 departures in the hour from 01/01 13:00 instead of 3",
        ),
        (
            {"aircraft": by_hand.FILES["aircraft"].replace("0/0/12 200 1500.0 40 20 AAA NULL",
             "0/0/12 200 1500.0 40 20 AAA AAA-01/01/08-12:30-01/01/08-20:00-400")},
            "its aircraft is in maintenance at AAA from 01/01 12:30 to 01/01 20:00",
        ),
        (  # over before, but these flights are dated on the day on which it began
            {"alt_aircraft": "J2#3 01/01/08 10:00 01/01/08 12:00"},
            "its aircraft is grounded from 01/01 10:00 to 01/01 12:00, and may fly nothing more that is dated 01/01",
        ),
        (  # dated later, they may leave when it is over
            {"alt_aircraft": "J2#3 31/12/07 10:00 01/01/08 13:00"},
            "nothing forces it: the search found no better",
        ),
        (  # under way when the recovery period starts
            {"aircraft": by_hand.FILES["aircraft"].replace("0/0/12 200 1500.0 40 20 AAA NULL",
             "0/0/12 200 1500.0 40 20 AAA AAA-01/01/08-06:00-01/01/08-16:00-400")},
            "its aircraft is in maintenance at AAA from 01/01 06:00 to 01/01 16:00",
        ),
        (
            {"aircraft": by_hand.FILES["aircraft"].replace("0/0/12 200", "0/0/12 59")},
            "it takes 60 min, beyond its aircraft's range of 59",
        ),
        (
            {"config": by_hand.FILES["config"].replace("02/01/08 04:00", "01/01/08 15:30")},
            "it would land at 01/01 16:00, after the recovery period",
        ),
        ({}, "nothing forces it: the search found no better"),
    ],
)  # fmt: skip
def test_why_flights_are_cancelled(tmp_path: Path, files: Any, why: Any) -> None:
    instance, solution = of(tmp_path, *CANCEL_6, **files)
    ((kind, numbers, aircraft, said),) = decided(instance, solution)
    assert (kind, numbers, aircraft) == ("cancel", [6, 7], "J2#3") and said == why
    # It says that something stands in the way if, and only if, the plan without the decision is refused for it.
    kept = check(instance, read_solution(instance, by_hand.write_plan(tmp_path / "kept")))
    mine = [v for v in kept if v.flight in ("6 of 01/01", "7 of 01/01") or v.rule is Rule.DEPARTURES]
    assert bool(mine) == (not why.startswith("nothing"))


@pytest.mark.parametrize(
    ("edits", "files", "why"),
    [
        (DELAY_5, {}, "nothing forces it in this plan: the search found no better time"),
        (
            (*DELAY_5, ("4 BBB CCC 10:00 15:00", "4 BBB CCC 11:30 16:30")),
            {"alt_flights": "4 01/01/08 90"},
            "its aircraft lands as 4 at 01/01 16:30, and turns in 30 min",
        ),
        (
            (*DELAY_5, ("5 R 500.0 2 5 01/01/08 F", "5 R 500.0 2 3 01/01/08 F 5 01/01/08 F"),
             ("3 AAA CCC 12:00 14:30", "3 AAA CCC 14:00 16:30")),
            {},
            "waits for 2 people who connect from 3",
        ),
    ],
)  # fmt: skip
def test_why_a_flight_leaves_later(tmp_path: Path, edits: Any, files: Any, why: Any) -> None:
    found = decided(*of(tmp_path, *edits, **files))
    assert ("delay", [5], "J1#2", why) in found


LATER = {  # flights 2 and 6 leave later in the same hour, land later in the same hour, or an hour later
    "2": ("2 BBB AAA 09:00 10:00", "2 BBB AAA 09:10 10:10"),
    "6 by 30": ("6 AAA BBB 13:00 14:00", "6 AAA BBB 13:30 14:30"),
    "6 by 60": ("6 AAA BBB 13:00 14:00", "6 AAA BBB 14:00 15:00"),
}
OTHERS = "10 AAA BBB 13:15 14:16 0 01/01/08 P#4\n11 BBB AAA 15:00 16:01 0 01/01/08 P#4\n1 AAA BBB 07:00"


@pytest.mark.parametrize(
    ("later", "others", "files", "why"),
    [
        ("6 by 30", False, {"alt_aircraft": "J2#3 31/12/07 20:00 01/01/08 13:30"},
         "its aircraft is grounded until 01/01 13:30"),
        ("2", False, {}, "nothing forces it in this plan: the search found no better time"),
        ("6 by 30", False,
         {"alt_airports": "AAA 01/01/08 13:00 01/01/08 14:00 1 3\nBBB 01/01/08 14:00 01/01/08 15:00 3 1"},
         "nothing forces it in this plan: the search found no better time"),
        ("6 by 60", True, {"alt_airports": "BBB 01/01/08 14:00 01/01/08 15:00 3 1"},
         "BBB takes 1 arrival in the hour from 01/01 14:00 instead of 2, all taken"),
        ("6 by 60", True, {"alt_airports": "AAA 01/01/08 13:00 01/01/08 14:00 1 3"},
         "AAA takes 1 departure in the hour from 01/01 13:00 instead of 3, all taken"),
    ],
)  # fmt: skip
def test_a_flight_that_leaves_later_takes_no_slot_from_itself(
    tmp_path: Path, later: Any, others: Any, files: Any, why: Any
) -> None:
    edits = [LATER[later], ("7 BBB AAA 15:00 16:00", "7 BBB AAA 15:45 16:45")]
    edits += [("1 AAA BBB 07:00", OTHERS)] if others else []
    instance, solution = of(tmp_path, *edits, **files)
    assert not check(instance, solution)
    found = decided(instance, solution)
    assert [said for kind, numbers, _, said in found if kind == "delay" and numbers[0] == int(later[0])] == [why]


def test_a_leg_before_that_is_late_stands_in_the_way_by_the_transit_time(tmp_path: Path) -> None:
    """J1#1 needs 20 minutes between two legs of a flight and 30 between two flights; 3 is the next leg of 2."""
    late = by_hand.FILES["flights"].replace("12:00 14:30", "10:25 12:55")
    edits = (
        ("2 BBB AAA 09:00 10:00", "2 BBB AAA 09:05 10:05"),
        ("3 AAA CCC 12:00 14:30 2 01/01/08 J1#1", "3 AAA CCC 10:25 12:55 2 01/01/08 cancelled"),
    )
    instance, solution = of(tmp_path, *edits, flights=late, alt_flights="2 01/01/08 5")
    (why,) = [said for kind, numbers, _, said in decided(instance, solution) if kind == "cancel" and numbers == [3]]
    assert "too late" not in why


def test_why_aircraft_change_places_and_flights_are_created(tmp_path: Path) -> None:
    swap = (
        ("4 BBB CCC 10:00 15:00 0 01/01/08 J1#2", "4 BBB CCC 10:00 15:00 0 01/01/08 J1#1"),
        ("2 BBB AAA 09:00 10:00 0 01/01/08 J1#1", "2 BBB AAA 09:00 10:00 0 01/01/08 J1#2"),
        ("3 AAA CCC 12:00 14:30 2 01/01/08 J1#1", "3 AAA CCC 12:00 14:30 2 01/01/08 J1#2"),
    )
    found = decided(*of(tmp_path, *swap, alt_aircraft="J1#2 01/01/08 12:00 01/01/08 13:00"))
    (one,) = [decision for decision in found if decision[0] == "swap"]
    assert one[1] == [2, 4, 3] and "J1#2 is grounded from 01/01 12:00 to 01/01 13:00" in one[3]

    there_and_back = "100 AAA BBB 12:00 13:01 0 01/01/08 P#4\n101 BBB AAA 14:00 15:01 0 01/01/08 P#4"
    created = ("1 AAA BBB 07:00", f"{there_and_back}\n1 AAA BBB 07:00")
    moved = ("3 A 80.0 6 6 01/01/08 E", "3 A 80.0 2 100 01/01/08 E\n3 A 80.0 4 6 01/01/08 E")
    found = decided(*of(tmp_path, created, moved))
    assert ("create", [100, 101], "P#4", "carries 2 rebooked people") in found
    found = decided(*of(tmp_path, created))
    assert ("create", [100, 101], "P#4", "flies empty to AAA, where it is needed for 8") in found


def test_where_the_people_of_cancelled_flights_go(tmp_path: Path) -> None:
    created = ("1 AAA BBB 07:00", "100 AAA BBB 13:30 14:31 0 01/01/08 J2#3\n1 AAA BBB 07:00")
    moved = ("3 A 80.0 6 6 01/01/08 E", "3 A 80.0 2 100 01/01/08 E\n3 A 80.0 4 cancelled")
    late = ("7 BBB AAA 15:00 16:00", "7 BBB AAA 15:30 16:30")
    instance, solution = of(tmp_path, created, CANCEL_6[0], moved, late, alt_flights="7 01/01/08 30")
    assert not check(instance, solution)
    found = displaced(instance, solution)
    assert found.people == 6 and found.left == 4
    assert [(way.same, way.people, way.late) for way in found.ways] == [
        (True, 2, (0, 2, 0, 0, 0)),
        (False, 0, (0, 0, 0, 0, 0)),
    ]
    assert found.flights == (Emptied("6 of 01/01", "AAA", "BBB", 780, True, 6, 4, 0, (("100 (new)", 2),), 0),)
    assert pairs(instance, solution.operations) == [Pair(("AAA", "BBB"), 1, 1)]


def test_everybody_of_cancelled_flights_is_counted_once() -> None:
    instance = generate(two_hubs(flights=300, aircraft=42, bookings=600), 3)
    solution = greedy_delay(instance)
    found = displaced(instance, solution)
    assert found.people == found.left + sum(way.people for way in found.ways) > 0
    for flight in found.flights:
        assert flight.people == flight.left + flight.more + sum(count for _, count in flight.onto)


def test_the_rotations_show_every_flight_and_what_stands_in_its_way(tmp_path: Path) -> None:
    instance, solution = of(
        tmp_path,
        *CANCEL_6[:1],
        CANCEL_6[2],
        *DELAY_5,
        alt_aircraft="J2#3 01/01/08 12:00 01/01/08 15:00",
        alt_airports="AAA 01/01/08 14:00 01/01/08 19:00 1 2",
    )
    drawn = gantt(instance, solution.operations, [2])
    jets = next(fleet for fleet in drawn.fleets if fleet.name == "Jet")
    assert (jets.aircraft, jets.touched) == (3, 2)
    for said in (
        'class="cut"',
        "6 AAA–BBB 01/01 13:00 to 01/01 14:00, planned, cancelled by the plan",
        "5 CCC–BBB 01/01 17:00 to 01/01 22:00, 60 min late",
        'class="grounded"',
        "Tue 1 Jan",
    ):
        assert said in jets.chart.lanes, said
    assert "at AAA, which takes 1 departure and 2 arrivals an hour" in jets.chart.lanes
    assert 'class="service"' in jets.others.lanes  # the untouched aircraft's maintenance
    assert ">J2#3<" in drawn.decided.names and ">J1#1<" not in drawn.decided.names
    assert ">AAA<" in drawn.shut.names and drawn.shut_more is None
    flown = int((solution.operations.aircraft >= 0).sum())
    lanes = "".join(chart.lanes for fleet in drawn.fleets for chart in (fleet.chart, fleet.others) if chart)
    assert len(re.findall(r'class="(fine|held|late|new)', lanes)) == flown


def test_a_recovery_period_long_before_the_first_flight_is_drawn(tmp_path: Path) -> None:
    config = by_hand.FILES["config"].replace("01/01/08 08:00 02/01/08 04:00", "01/12/07 08:00 02/12/07 04:00")
    instance = read_instance(by_hand.write(tmp_path, config=config))
    drawn = gantt(instance, do_nothing(instance).operations, [])
    charts = [chart for fleet in drawn.fleets for chart in (fleet.chart, fleet.others) if chart]
    assert len(charts) == len(drawn.fleets) == 3 and all("<svg" in chart.lanes for chart in charts)


def test_a_chart_keeps_within_its_frame_whatever_the_times() -> None:
    instance = generate(gulf_2026(flights=300, aircraft=40, bookings=600, days=3), 3)
    drawn = gantt(instance, do_nothing(instance).operations, [])
    assert drawn.decided is None
    for fleet in drawn.fleets:
        for chart in filter(None, (fleet.chart, fleet.others)):
            width = float(re.search(r'width="(\d+)"', chart.lanes)[1])
            boxes = np.array(re.findall(r'x="([\d.]+)" y="\d+" width="([\d.]+)"', chart.lanes), dtype=float)
            assert (boxes[:, 0] >= 0).all() and (boxes.sum(axis=1) <= width + 2).all()
