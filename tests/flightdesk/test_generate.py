from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt.cli import main
from takt.contract.station import TaktError
from takt.stations.flightdesk import check, cost, do_nothing, greedy_delay, read_instance, write_instance
from takt.stations.flightdesk.airline.generate import drawn, generate
from takt.stations.flightdesk.airline.instance import FlightChanges, Instance, capacities, journeys
from takt.stations.flightdesk.airline.recipes import RECIPES, gulf_2026, two_hubs
from takt.stations.flightdesk.airline.rows import FILES


def undisturbed(instance: Instance) -> Instance:
    nothing, flights = np.zeros(0, dtype=np.int64), instance.flights
    calm = replace(flights, delay=np.zeros_like(flights.delay), cancelled=np.zeros_like(flights.cancelled))
    groundings = replace(instance.groundings, aircraft=nothing, start=nothing, end=nothing)
    closures = replace(
        instance.closures, airport=nothing, start=nothing, end=nothing, departures=nothing, arrivals=nothing
    )
    return replace(
        instance,
        start=0,
        flights=calm,
        changes=FlightChanges(nothing, nothing),
        groundings=groundings,
        closures=closures,
    )


@pytest.mark.parametrize("recipe", [two_hubs(300, 42, 900), two_hubs(1200, 85, 3000, 2), gulf_2026(600, 60, 2000, 5)])
@pytest.mark.parametrize("seed", [0, 7])
def test_the_airline_would_fly_if_nothing_had_happened(recipe: Any, seed: Any) -> None:
    instance = undisturbed(generate(recipe, seed))
    plan = do_nothing(instance)
    assert check(instance, plan) == [] and not (plan.operations.aircraft < 0).any()
    assert cost(instance, plan).total == 0.0


@pytest.mark.parametrize("preset", RECIPES)
def test_the_same_seed_makes_the_same_files_and_a_valid_plan_is_possible(preset: Any, tmp_path: Path) -> None:
    recipe = RECIPES[preset](flights=400, aircraft=50, bookings=1200)
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_instance(generate(recipe, seed), tmp_path / name)
    files = {name: [(tmp_path / name / f"{file}.csv").read_bytes() for file in FILES] for name in "abc"}
    assert files["a"] == files["b"] != files["c"]
    instance = read_instance(tmp_path / "a")
    assert check(instance, greedy_delay(instance)) == []


@pytest.mark.parametrize(
    ("sizes", "seed", "lost"),
    [
        ((60, 10, 120), 0, []),
        ((60, 10, 120), 1, []),
        ((60, 10, 120), 13, ["A319#2"]),  # late at LGW, whose next slot is after the maintenance begins
        ((60, 10, 120), 29, ["A318#2"]),
        ((60, 10, 120), 62, ["CRJ700#8"]),  # reached if it could leave after its transit time, which is for next legs
        ((120, 20, 300), 40, ["A319#5"]),
    ],
)
def test_no_maintenance_is_out_of_reach_and_nothing_else_of_a_seed_is_changed_by_that(
    sizes: Any, seed: int, lost: list[str], tmp_path: Path
) -> None:
    was, instance = drawn(two_hubs(*sizes), seed), generate(two_hubs(*sizes), seed)
    assert check(instance, greedy_delay(instance)) == []
    assert {v.aircraft for v in check(was, greedy_delay(was))} == set(lost)
    for name, made in (("was", was), ("now", instance)):
        write_instance(made, tmp_path / name)
    rows = [
        {file: (tmp_path / name / f"{file}.csv").read_text().splitlines() for file in FILES} for name in ("was", "now")
    ]
    changed = {
        (file, old.split()[0], new.split()[-1])
        for file in FILES
        for old, new in zip(rows[0][file], rows[1][file], strict=True)
        if old != new
    }
    assert changed == {("aircraft", name, "NULL") for name in lost}


def test_two_hubs_have_what_the_rules_are_about() -> None:
    """Surface transport, flights that leave after the start because they are late, a maintenance under way at it."""
    instance = generate(two_hubs(800, 90, 2000))
    flights, aircraft, start = instance.flights, instance.aircraft, instance.start
    assert aircraft.surface.sum() == 4 and aircraft.surface[flights.aircraft].sum() >= 20
    assert ((flights.departure < start) & (flights.departure + flights.delay >= start) & ~flights.cancelled).any()
    under_way = (aircraft.service_airport >= 0) & (aircraft.service_start < start) & (aircraft.service_end > start)
    assert under_way.any() and not (aircraft.surface & (aircraft.service_airport >= 0)).any()


def test_what_was_in_the_air_when_a_hub_shut_has_turned_back() -> None:
    instance = generate(gulf_2026(800, 80, 3000))
    flights, hubs = instance.flights, [instance.airports.code.index(code) for code in ("DXB", "DOH", "AUH")]
    aloft = (flights.departure < instance.start) & (flights.arrival >= instance.start)
    there = aloft & np.isin(flights.destination, hubs)
    assert there.any() and flights.cancelled[there].all() and not flights.cancelled[aloft & ~there].any()


def test_it_is_as_large_as_asked(tmp_path: Path) -> None:
    instance = generate(two_hubs(2200, 618, 5000, 1))
    assert abs(int((~instance.aircraft.surface[instance.flights.aircraft]).sum()) - 2200) < 60
    assert (int((~instance.aircraft.surface).sum()), len(instance.bookings.number)) == (618, 5000)


def test_the_gulf_is_shut_from_28_february_2026_and_opens_in_steps() -> None:
    instance = generate(gulf_2026(bookings=3000))
    assert instance.clock(instance.start) == "28/02 09:00" and instance.epoch.year == 2026
    departures, arrivals = capacities(instance, 24 * 7)
    for code in ("DXB", "DOH", "AUH"):
        at = instance.airports.code.index(code)
        assert not departures[at, 9:57].any() and not arrivals[at, 9:57].any()
        steps = [
            departures[at, since : since + 24].sum() + arrivals[at, since : since + 24].sum() for since in (57, 81, 105)
        ]
        usual = departures[at, :9].sum() + arrivals[at, :9].sum()
        assert steps == sorted(steps) and steps[-1] > 0 and usual > 0
    assert departures[instance.airports.code.index("IST")].sum() > 0
    flights, code = instance.flights, instance.airports.code  # type: ignore[assignment]
    assert {"LHR", "FRA", "HKG", "SIN", "DXB"} <= {code[i] for i in flights.destination}
    booked = journeys(instance)
    assert (booked.reach == 2).mean() > 0.5 and (np.diff(instance.bookings.first) == 2).mean() > 0.25


def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for change in (
        {"aircraft": 0},
        {"flights": -4},
        {"days": 0},
        {"bookings": 0},
        {"flights": 9000},
        {"bookings": 10**6},
    ):
        with pytest.raises(TaktError) as error:
            generate(two_hubs(**{"flights": 300, "aircraft": 42, **change}))
        assert "\n" not in str(error.value)
    with pytest.raises(TaktError, match="give 4 flights"):
        generate(two_hubs(flights=5, aircraft=42))
    assert len(generate(two_hubs(flights=4, aircraft=42, bookings=4)).flights.number) >= 4
    with pytest.raises(TaktError, match="give more aircraft or days, or fewer flights"):
        generate(two_hubs(flights=9000, aircraft=42))
    with pytest.raises(TaktError, match="seed"):
        generate(two_hubs(), -1)
    assert main(["flightdesk", "generate", str(tmp_path), "--scenario", "mars"]) == 2
    assert capsys.readouterr().err == "takt: no scenario named 'mars'; there are: two-hubs, gulf-2026\n"
    sizes = ["--flights", "300", "--aircraft", "42", "--bookings", "500", "--seed", "2"]
    assert main(["flightdesk", "generate", str(tmp_path / "made"), *sizes]) == 0
    assert "42 aircraft, 4 of surface transport, 500 bookings" in capsys.readouterr().out
    assert len(read_instance(tmp_path / "made").bookings.number) == 500
