"""The search's moves, on small airlines that have all the rules are about, by the second, slow checker."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import by_hand
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_checker import slow_check, slow_cost
from small_airline import write_airline

from takt.stations.flightdesk import Rule, check, cost, greedy_delay, read_instance, write_solution
from takt.stations.flightdesk.airline.instance import frozen_flights
from takt.stations.flightdesk.airline.recovery import compiled
from takt.stations.flightdesk.airline.recovery.crew import Round, Searcher, _readable
from takt.stations.flightdesk.airline.recovery.problem import plan_of, problem_of, solution_of
from takt.stations.flightdesk.airline.recovery.unavoidable import unavoidable

MOVES = 40


@pytest.fixture(autouse=True, scope="module")
def uncompiled() -> Iterator[Any]:
    """The same code as plain Python: small airlines need no faster one.

    The loops are imported anew: another test of this process may have imported some of them compiled, and plain Python
    that calls a compiled inner loop crashes. Afterwards they are what they were.
    """
    room = compiled.__name__.rpartition(".")[0]
    loops = [f"{room}.{name}" for name in ("prices", "passengers", "rotations", "search", "cheapest", "seating")]
    before = {name: sys.modules.pop(name) for name in loops if name in sys.modules}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "_interpreted", True)
        yield
    for name in loops:
        sys.modules.pop(name, None)
    sys.modules.update(before)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_search_breaks_no_rule_that_was_not_broken_and_knows_its_plans_cost(seed: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_airline(random.Random(seed), folder / "instance")
        instance = read_instance(folder / "instance")
        first = greedy_delay(instance)
        searcher = Searcher(instance, first)
        report = searcher.round(Round(seed % 1000, MOVES, 2000.0, 10.0, None, reseat=bool(seed % 2)))
        plan = solution_of(instance, searcher.problem, searcher.best)
        write_solution(instance, first, folder / "first")
        write_solution(instance, plan, folder / "plan")
        before, after = (slow_check(folder / "instance", folder / which) for which in ("first", "plan"))
        assert after.total() <= before.total() and not _ours(after - before)
        assert cost(instance, plan).total == pytest.approx(report.total, abs=0.01)
        parts = slow_cost(folder / "instance", folder / "plan")
        assert cost(instance, plan).parts() == pytest.approx(parts, abs=0.0051)


def _ours(broken: Counter[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """What no plan breaks by choice: a rule that one had to break may be another one then, but of aircraft."""
    elsewhere = {"START", "CONTINUITY", "TURN", "LEGS_APART", "SERVICE_AIRPORT", "SERVICE_MINUTES"}
    return [(rule, where) for rule, where in broken if rule not in elsewhere]


@pytest.mark.parametrize(("lands", "mended"), [("21:00", True), ("21:01", False)])
def test_the_search_mends_what_the_baselines_cannot(tmp_path: Path, lands: str, mended: bool) -> None:
    """J1 must leave BBB at 21:20, 20 min after it has landed; only J2's flight 3 is there in time.

    Flight 2, which lands at 20:59, is a coach's, and a new flight would take 200 min.
    """
    jet = "Jet 0/0/10 400 1000.0 20 20 AAA NULL"
    files = {
        "config": by_hand.FILES["config"].replace("08:00", "18:50", 1),
        "airports": "AAA 3 3 00:00 00:00\nBBB 3 3 00:00 00:00",
        "dist": "AAA BBB 200 D\nBBB AAA 60 D",
        "aircraft": f"J1 M {jet}\nJ2 M {jet}\nC1 C Coach -1/-1/-1 400 0.0 10 10 AAA NULL",
        "flights": f"2 AAA BBB 19:59 20:59 0\n3 AAA BBB 20:00 {lands} 0\n12 BBB AAA 21:10 22:10 0",
        "rotations": "2 01/01/08 C1\n3 01/01/08 J2\n12 01/01/08 J1",
        "itineraries": "1 A 100.0 5 3 01/01/08 E",
        "position": "",
        "alt_flights": "12 01/01/08 10",
    }
    instance = read_instance(by_hand.write(tmp_path, **files))
    first = greedy_delay(instance)
    broken = check(instance, first)
    assert [v.rule for v in broken] == [Rule.START]
    assert unavoidable(instance, broken) == ([] if mended else broken)
    searcher = Searcher(instance, first)
    report = searcher.round(Round(0, 100, 1000.0, 10.0, None))
    assert report.broken == (0 if mended else 1)
    solution = solution_of(instance, searcher.problem, searcher.best)
    assert len(check(instance, solution)) == report.broken
    assert cost(instance, solution).total == pytest.approx(report.total, abs=0.01)


def test_an_aircrafts_own_flights_share_an_airports_hour_with_each_other(tmp_path: Path) -> None:
    """One aircraft leaves AAA at 17:00 and would again at 17:20 and 17:40; the hour has one slot."""
    jet = "Jet 0/0/10 400 1000.0 5 5 AAA NULL"
    hops = [(3, "AAA BBB", 0), (4, "BBB AAA", 10), (5, "AAA BBB", 20), (6, "BBB AAA", 30), (7, "AAA BBB", 40)]
    files = {
        "config": by_hand.FILES["config"].replace("08:00", "16:00", 1),
        "airports": "AAA 9 9 00:00 00:00\nBBB 9 9 00:00 00:00",
        "dist": "AAA BBB 60 D\nBBB AAA 60 D",
        "aircraft": f"J1 M {jet}",
        "flights": "\n".join(f"{n} {route} 17:{t:02d} 17:{t + 5:02d} 0" for n, route, t in hops),
        "rotations": "\n".join(f"{n} 01/01/08 J1" for n, *_ in hops),
        "itineraries": "\n".join(f"{n} A 900.0 9 {n} 01/01/08 E" for n, *_ in hops),
        "position": "",
        "alt_airports": "AAA 01/01/08 17:00 01/01/08 18:00 1 9",
    }
    instance = read_instance(by_hand.write(tmp_path, **files))
    searcher = Searcher(instance, greedy_delay(instance))
    for seed in range(3):
        searcher.round(Round(seed, 60, 2000.0, 10.0, None))
        assert not check(instance, solution_of(instance, searcher.problem, searcher.best))


SHORT_OF_SEATS = {
    "config": by_hand.FILES["config"],
    "airports": "AAA 3 3 00:00 00:00\nBBB 3 3 00:00 00:00",
    "dist": "AAA BBB 60 D",
    "aircraft": "J1#1 J1 Jet 0/0/10 400 1000.0 30 20 AAA NULL\nJ1#2 J1 Jet 0/0/10 400 1000.0 30 20 AAA NULL",
    "flights": "1 AAA BBB 12:00 13:00 0\n2 AAA BBB 13:00 14:00 0",
    "rotations": "1 01/01/08 J1#1\n2 01/01/08 J1#2",
    "position": "",
    "itineraries": "1 A 100.0 8 1 01/01/08 E\n2 A 900.0 3 1 01/01/08 E\n3 A 100.0 2 2 01/01/08 E",
    "alt_flights": "1 01/01/08 -1",
}


def test_seats_that_are_too_few_go_to_those_who_would_lose_the_most(tmp_path: Path) -> None:
    """Eleven of a cancelled flight, eight seats on the next: the three dear tickets fly, and five of the others."""
    from takt.stations.flightdesk.airline.recovery.prices import price
    from takt.stations.flightdesk.airline.recovery.seating import reseat

    instance = read_instance(by_hand.write(tmp_path, **SHORT_OF_SEATS))
    problem = problem_of(instance)
    plan = _readable(plan_of(instance, problem, greedy_delay(instance)))
    problem = _readable(problem)
    price(problem, plan)
    assert plan.stays.tolist() == [8, 3, 0]
    assert reseat(problem, plan) and plan.stays.tolist() == [3, 0, 0]
    solution = solution_of(instance, problem, plan)
    assert not check(instance, solution)
    assert cost(instance, solution).total == pytest.approx(float(plan.totals.sum()) + problem.settled, abs=0.01)
    assert not reseat(problem, plan)  # which is as cheap as it gets


def test_the_small_airlines_have_what_the_rules_are_about(tmp_path: Path) -> None:
    """Of 60, at least 10 each, or the test above would be empty. Seeds 0-59, chosen before a look."""
    seen = dict.fromkeys(("surface", "over the start", "grounded over midnight", "maintenance under way"), 0)
    for seed in range(60):
        write_airline(random.Random(seed), tmp_path / str(seed))
        instance = read_instance(tmp_path / str(seed))
        flights, aircraft, start = instance.flights, instance.aircraft, instance.start
        given_ = flights.departure + flights.delay
        frozen = frozen_flights(instance) & (given_ >= start) & (given_ < instance.end)
        seen["surface"] += bool((frozen & aircraft.surface[flights.aircraft]).any())
        seen["over the start"] += bool((frozen & (flights.departure < start)).any())
        groundings = instance.groundings
        seen["grounded over midnight"] += bool((groundings.start // 1440 < groundings.end // 1440).any())
        under_way = (aircraft.service_airport >= 0) & (aircraft.service_start < start) & (aircraft.service_end > start)
        seen["maintenance under way"] += bool(under_way.any())
    assert min(seen.values()) >= 10, seen
