"""The search's moves, on small airlines that have all the rules are about, by the second, slow checker."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_checker import slow_check, slow_cost
from small_airline import write_airline

from takt.stations.flightdesk import cost, greedy_delay, read_instance, write_solution
from takt.stations.flightdesk.instance import frozen_flights
from takt.stations.flightdesk.recovery import compiled
from takt.stations.flightdesk.recovery.crew import Round, Searcher
from takt.stations.flightdesk.recovery.problem import solution_of

MOVES = 40


@pytest.fixture(autouse=True)
def uncompiled():
    """The same code as plain Python: small airlines need no faster one."""
    compiled.interpret()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_search_breaks_no_rule_that_was_not_broken_and_knows_its_plans_cost(seed):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_airline(random.Random(seed), folder / "instance")
        instance = read_instance(folder / "instance")
        first = greedy_delay(instance)
        searcher = Searcher(instance, first)
        report = searcher.round(Round(seed % 1000, MOVES, 2000.0, 10.0, None))
        plan = solution_of(instance, searcher.problem, searcher.best)
        write_solution(instance, first, folder / "first")
        write_solution(instance, plan, folder / "plan")
        before, after = (slow_check(folder / "instance", folder / which) for which in ("first", "plan"))
        assert not after - before
        assert cost(instance, plan).total == pytest.approx(report.total, abs=0.01)
        parts = slow_cost(folder / "instance", folder / "plan")
        assert cost(instance, plan).parts() == pytest.approx(parts, abs=0.0051)


def test_the_small_airlines_have_what_the_rules_are_about(tmp_path):
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
