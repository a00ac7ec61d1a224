from __future__ import annotations

import random
import tempfile
from itertools import takewhile
from pathlib import Path
from typing import Any

import by_hand
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_checker import Airline, slow_cost, slow_total
from small_airline import read_plan, wild, write_airline, write_plan

from takt.stations.flightdesk import Cost, cost, do_nothing, greedy_delay, read_instance, read_solution, write_solution

DATA = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"
ROW = {line.split()[0]: line for line in by_hand.ROTATIONS.splitlines()}
LINE = {line.split()[0]: line for line in by_hand.ITINERARIES.splitlines()}


def priced(tmp_path: Path, *edits: tuple[str, str], **files: str) -> Cost:
    instance = read_instance(by_hand.write(tmp_path / "instance", **files))
    return cost(instance, read_solution(instance, by_hand.write_plan(tmp_path / "plan", *edits)))


def parts(tmp_path: Path, *edits: tuple[str, str], **files: str) -> dict[str, float]:
    """Those that are not zero."""
    return {name: value for name, value in priced(tmp_path, *edits, **files).parts().items() if value}


def at(number: int, departure: str, arrival: str) -> tuple[str, str]:
    words = ROW[str(number)].split()
    return ROW[str(number)], " ".join([*words[:3], departure, arrival, *words[5:]])


def by(number: int, tail: str) -> tuple[str, str]:
    return ROW[str(number)], " ".join([*ROW[str(number)].split()[:-1], tail])


def test_a_plan_that_changes_nothing_costs_nothing(tmp_path: Path) -> None:
    assert parts(tmp_path) == {} and priced(tmp_path).total == 0.0


def test_delay_is_paid_by_the_minute_and_a_meal_after_two_hours(tmp_path: Path) -> None:
    # Booking 3: 6 people, 130 min late at 0.10 EUR and a meal. Booking 4: 2 people, exactly 120 min late, no meal.
    late = at(6, "15:10", "16:10"), at(7, "17:00", "18:00")
    assert parts(tmp_path, *late) == {"delay": 6 * 130 * 0.1 + 2 * 120 * 0.1, "delay_compensation": 6 * 15.0}
    assert priced(tmp_path, *late).total == 192.0


@pytest.mark.parametrize(
    ("arrival", "late_min", "each"), [("19:00", 240, 0), ("19:01", 241, 15), ("20:00", 300, 15), ("20:01", 301, 75)]
)
def test_a_long_trip_has_its_meal_after_four_hours_and_a_night_after_five(
    tmp_path: Path, arrival: Any, late_min: Any, each: Any
) -> None:
    # Booking 1: 4 people, 360 minutes in the air, farthest leg intercontinental, Economy.
    found = priced(tmp_path, at(4, "15:00", arrival))
    assert found.delay == pytest.approx(4 * late_min * 0.3) and found.delay_compensation == 4 * each


def test_a_cancelled_trip_is_refunded_and_compensated_by_its_flying_time(tmp_path: Path) -> None:
    # Booking 2: inbound, 3 people at 250.50, 210 min in the air (the hours at AAA do not count), continental, Business.
    gone = (LINE["2"], "2 R 250.5 3 cancelled")
    assert parts(tmp_path, gone) == {"cancellation_compensation": 3 * (250.5 + 400), "inbound_cancelled": 3 * 881.0}
    # Booking 3: outbound, 6 people at 80, 60 min in the air, domestic, Economy.
    gone = (LINE["3"], "3 A 80.0 6 cancelled")
    assert parts(tmp_path, gone) == {"cancellation_compensation": 6 * (80.0 + 250), "outbound_cancelled": 6 * 100.0}


def test_whoever_is_stranded_pays_the_inbound_tariff_and_the_cancelled_lines_after_do_too(tmp_path: Path) -> None:
    stranded = (LINE["1"], "1 A 100.0 4 1 01/01/08 E cancelled")
    third = (LINE["3"], "3 A 80.0 6 cancelled")
    fourth = (LINE["4"], "4 A 80.0 2 cancelled")
    found = priced(tmp_path, stranded, third)
    assert (found.inbound_cancelled, found.outbound_cancelled) == (4 * 112.0, 6 * 100.0), "line 2 is not cancelled"
    second = (LINE["2"], "2 R 250.5 3 cancelled")
    found = priced(tmp_path, stranded, second, third, fourth)
    assert (found.inbound_cancelled, found.outbound_cancelled) == (4 * 112.0 + 3 * 881.0 + 6 * 110.0 + 2 * 110.0, 0.0)
    assert found.cancellation_compensation == 4 * 700.0 + 3 * 650.5 + 6 * 330.0 + 2 * 330.0


def test_an_inbound_group_that_does_not_get_there_counts_as_cancelled(tmp_path: Path) -> None:
    short = (LINE["2"], "2 R 250.5 3 2 01/01/08 B")  # as far as AAA
    assert parts(tmp_path, short) == {"cancellation_compensation": 3 * 650.5, "inbound_cancelled": 3 * 881.0}


def test_downgrading_counts_on_flights_that_were_not_booked(tmp_path: Path) -> None:
    created = (ROW["9"], ROW["9"] + "\n91 CCC BBB 16:30 21:30 0 01/01/08 J1#1")
    economy = (LINE["5"], LINE["5"].replace("2 5 01/01/08 F", "2 91 01/01/08 E"))
    assert parts(tmp_path, created, economy) == {
        "added": 5 * 1000.0,
        "delay": 2 * 30 * 5.0,
        "downgrading": 2 * 60.0,
        "position": 20000.0 * 1,  # J1#1 is at BBB and not at CCC
    }
    same_flight = (LINE["5"], LINE["5"].replace("01/01/08 F", "01/01/08 E"))
    assert parts(tmp_path, same_flight) == {}, "the flight had been booked"
    # Booking 2 is Business by its first leg, so Economy on another flight is a downgrade, on its own second leg not.
    other = (LINE["2"], "2 R 250.5 3 7 01/01/08 E 3 01/01/08 E")
    assert parts(tmp_path, other) == {"downgrading": 3 * 70.0}


def test_flight_hours_are_rounded_up(tmp_path: Path) -> None:
    assert parts(tmp_path, by(8, "cancelled")) == {"not_flown": 2 * 300.0, "position": 20000.0}  # 61 minutes
    assert parts(tmp_path, by(6, "J1#2"), by(7, "J1#2")) == {"swapped": 2 * (1000.0 - 1500.0)}


def test_flights_that_the_disruption_cancelled_are_saved_too(tmp_path: Path) -> None:
    found = priced(tmp_path, by(4, "cancelled"), alt_flights="4 01/01/08 -1")
    assert found.not_flown == 5 * 1000.0


@pytest.mark.parametrize(
    ("wanted", "penalty"),
    [
        ("AAA J2 0/0/12 1", 0.0),
        ("AAA J2 0/0/99 1", 1000.0),
        ("AAA J1 2/4/10 1", 5000.0),
        ("AAA P 0/0/6 1", 20000.0),
        ("AAA J2 0/0/12 2", 20000.0),
        ("AAA J1 2/4/10 1 J2 0/0/12 1", 20000.0),  # its own place comes first
        ("BBB J2 0/0/12 1 J1 0/0/99 1", 21000.0),  # J1#2 is there, and takes the place of its model
        ("BBB P 0/0/6 1 J1 2/4/10 1", 0.0),
    ],
)
def test_an_aircraft_that_is_missing_at_the_end_costs_by_how_well_another_replaces_it(
    tmp_path: Path, wanted: Any, penalty: Any
) -> None:
    assert priced(tmp_path, position=wanted).position == penalty


def test_the_weights_are_alpha_beta_gamma(tmp_path: Path) -> None:
    config = by_hand.FILES["config"].replace("1.0 1.0 1.0", "0.5 2.0 0.1")
    late = at(6, "15:10", "16:10"), at(7, "17:00", "18:00"), by(8, "cancelled")
    assert priced(tmp_path, *late, config=config).total == 0.5 * (90 - 600) + 2.0 * (78 + 24) + 0.1 * 20000


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), baseline=st.sampled_from([do_nothing, greedy_delay]))
def test_the_slow_cost_is_the_same(seed: Any, baseline: Any) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_airline(rng, folder / "instance")
        instance = read_instance(folder / "instance")
        write_solution(instance, baseline(instance), folder / "plan")
        rows, lines = wild(rng, *read_plan(folder / "plan"), list(instance.aircraft.name))
        write_plan(rows, lines, folder / "wild")
        found = cost(instance, read_solution(instance, folder / "wild"))
        slow = slow_cost(folder / "instance", folder / "wild")
        assert found.parts() == pytest.approx(slow, abs=0.0051)
        assert found.total == pytest.approx(slow_total(Airline(folder / "instance"), slow), abs=0.0051)


@pytest.mark.skipif(not DATA.is_dir(), reason="the challenge's instances are not here")
@pytest.mark.parametrize("name", ["A03", "A05", "B02"])
def test_the_slow_cost_agrees_on_real_airlines(name: Any, tmp_path: Path) -> None:
    instance, rng = read_instance(DATA / name), random.Random(name)
    rows, lines = [], []
    for plan in (do_nothing, greedy_delay):
        write_solution(instance, plan(instance), tmp_path / "plan")
        assert cost(instance, plan(instance)).parts() == pytest.approx(
            slow_cost(DATA / name, tmp_path / "plan"), abs=0.0051
        )
        rows, lines = read_plan(tmp_path / "plan")
    for _ in range(30):
        rows, lines = wild(rng, rows, lines, list(instance.aircraft.name))
    write_plan(rows, lines, tmp_path / "wild")
    found = cost(instance, read_solution(instance, tmp_path / "wild"))
    assert found.parts() == pytest.approx(slow_cost(DATA / name, tmp_path / "wild"), abs=0.0051)


@pytest.mark.skipif(not DATA.exists(), reason="the challenge's instances are not here")
def test_the_challenges_own_checker_said_the_same(tmp_path: Path) -> None:
    # A03 with these flights cancelled, three of them by the plan, and whoever needed them cancelled from there on: four
    # lines of the challenge's cost checker for such a plan, as published in github's franciscolemos/csp at 6803759. The
    # others hang on delays that are not known here.
    gone = {"2983", "2988", "3077", "4272", "4274", "4275", "4279"}
    instance = read_instance(DATA / "A03")
    scheduled = {words[0]: words for words in map(str.split, (DATA / "A03" / "flights.csv").open()) if len(words) > 5}
    rows = [words for words in map(str.split, (DATA / "A03" / "rotations.csv").open()) if len(words) > 2]
    with (tmp_path / "sol_rotations.csv").open("w") as file:
        for flight, date, aircraft in rows:
            now = "cancelled" if flight in gone else aircraft
            print(*scheduled[flight], date, now, file=file)
        file.write("#")
    with (tmp_path / "sol_itineraries.csv").open("w") as file:
        for words in map(str.split, (DATA / "A03" / "itineraries.csv").open()):
            legs = [words[i : i + 3] for i in range(4, len(words), 3)]
            flown = list(takewhile(lambda leg: leg[0] not in gone, legs))
            if len(words) > 4:
                line = [*words[:4], *(word for leg in flown for word in leg)]
                print(*line, *(["cancelled "] if len(flown) < len(legs) else []), file=file)
        file.write("#")
    found = cost(instance, read_solution(instance, tmp_path))
    assert found.outbound_cancelled == 140_750.0 and found.inbound_cancelled == 246_750.0
    assert found.cancellation_compensation == 447_512.5 and found.not_flown == 29_600.0
