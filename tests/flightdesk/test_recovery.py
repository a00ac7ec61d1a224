"""The anytime solver: always valid and exactly priced, better than the baselines, repeatable, whole if stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import by_hand
import pytest

from takt.cli import main
from takt.stations.flightdesk import check, cost, do_nothing, greedy_delay, read_instance, read_solution, write_instance
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.recipes import gulf_2026, two_hubs
from takt.stations.flightdesk.airline.recovery.recover import recover, round_size
from takt.stations.flightdesk.airline.recovery.summary import changes

SHARED = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"
SMALL = {"flights": 300, "aircraft": 42, "bookings": 600}


@pytest.fixture(scope="module")
def airline() -> Any:
    return generate(two_hubs(**SMALL), 3)


def baseline(instance: Any) -> Any:
    return min(cost(instance, plan(instance)).total for plan in (do_nothing, greedy_delay))


def test_every_plan_is_valid_and_exactly_priced_and_they_get_better(airline: Any) -> None:
    totals = []
    for found in recover(airline, iterations=800, searchers=1, exact=True):
        if found.better:
            assert not check(airline, found.solution)
            assert cost(airline, found.solution).total == found.cost.total
            totals.append(found.cost.total)
    assert totals[0] == baseline(airline) and totals == sorted(totals, reverse=True)
    assert totals[-1] < 0.8 * totals[0]


@pytest.mark.parametrize("seed", range(3))
def test_other_airlines_too(seed: Any) -> None:
    recipe = gulf_2026(flights=150, aircraft=40, bookings=300, days=3) if seed == 2 else two_hubs(**SMALL)
    instance = generate(recipe, seed)
    *_, last = recover(instance, iterations=300, searchers=1, exact=True)
    assert not check(instance, last.solution) and last.cost.total < baseline(instance)


@pytest.mark.skipif(not SHARED.exists(), reason="the challenge's instances are not here")
@pytest.mark.parametrize("name", ["A01", "A03"])
def test_a_real_airline(name: Any) -> None:
    instance = read_instance(SHARED / name)
    *_, last = recover(instance, iterations=600, searchers=1, exact=True)
    assert not check(instance, last.solution) and last.cost.total < 0.5 * baseline(instance)


def test_a_seed_and_a_number_of_iterations_give_the_same_plan(
    airline: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_instance(airline, tmp_path / "day")
    plans = []
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        out = tmp_path / name
        arguments = ["--out", str(out), "--iterations", "150", "--seed", str(seed), "--searchers", "2"]
        arguments += ["--bound", "3", "--json"] if name == "one" else ["--bound", "0", "--json"]
        assert main(["flightdesk", "recover", str(tmp_path / "day"), *arguments]) == 0
        told = json.loads(capsys.readouterr().out)
        plans.append((out / "sol_rotations.csv").read_bytes() + (out / "sol_itineraries.csv").read_bytes())
        instance = read_instance(tmp_path / "day")
        plan = read_solution(instance, out)
        assert not check(instance, plan) and cost(instance, plan).total == told["cost"]["total"]
        assert changes(instance, plan).counts() == told["changes"]
        if name == "one":
            assert told["bound"] <= told["cost"]["total"] and 0 <= told["gap"] < 1
            assert told == json.loads((out / "recovery.json").read_text())
        assert sorted(path.name for path in out.iterdir()) == [
            "recovery.json",
            "report.html",
            "sol_itineraries.csv",
            "sol_rotations.csv",
        ]
    assert plans[0] == plans[1] != plans[2]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_bound_that_is_stopped_ends_in_order(airline: Any, tmp_path: Path, signum: Any) -> None:
    write_instance(airline, tmp_path / "day")
    command = [sys.executable, "-c", "import sys; from takt.cli import main; sys.exit(main())"]
    process = subprocess.Popen(
        [*command, "flightdesk", "bound", str(tmp_path / "day"), "--seconds", "60"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not children.read_text():
        time.sleep(0.05)
    time.sleep(1.0)  # compiled code is at work, as a rule
    process.send_signal(signum)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 130 and complained == "takt: interrupted\n"


def test_a_small_airlines_plans_are_told_often(tmp_path: Path) -> None:
    small, large = read_instance(by_hand.write(tmp_path)), generate(two_hubs(**{**SMALL, "bookings": 4000}), 3)
    assert round_size(small) == 2000 and 500 < round_size(large) < 1000


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("group", [False, True])  # as `timeout`, a terminal and systemd tell all of its processes
def test_stopped_it_leaves_the_best_plan_whole(airline: Any, tmp_path: Path, signum: Any, group: bool) -> None:
    write_instance(airline, tmp_path / "day")
    out = tmp_path / "out"
    command = [sys.executable, "-c", "import sys; from takt.cli import main; sys.exit(main())"]
    process = subprocess.Popen(
        [*command, "flightdesk", "recover", str(tmp_path / "day"), "--out", str(out), "--searchers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in a shell's background
    )
    while not (out / "sol_itineraries.csv").exists() and process.poll() is None:
        time.sleep(0.05)
    if group:
        time.sleep(1.0)  # the searchers begin
        os.killpg(process.pid, signum)
    else:
        process.send_signal(signum)
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 130, complained
    assert "best plan" in said and complained.splitlines()[-1].startswith("takt: interrupted; the best plan")
    plan = read_solution(airline, out)
    assert not check(airline, plan) and not (out / "report.html").exists()
    assert json.loads((out / "recovery.json").read_text())["cost"]["total"] == cost(airline, plan).total


def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, value in (("--iterations", "0"), ("--searchers", "0"), ("--seconds", "-1"), ("--seed", "-1")):
        assert main(["flightdesk", "recover", str(tmp_path), "--out", str(tmp_path / "out"), option, value]) == 2
        assert capsys.readouterr().err.startswith(f"takt: {option} must be ")
    assert not (tmp_path / "out").exists()
