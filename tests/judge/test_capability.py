"""What cycle time a worker holds: by hand, and the error at any look by simulation against an exact chance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takt.judge.bets import accepts
from takt.judge.capability import LEVELS, capability, most_bad, quantile_s
from takt.judge.power import boundary, decided_by


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_the_slowest_that_may_be_left_out_are_the_bad_ones_that_a_verdict_accepts(level: Any) -> None:
    edge = boundary(level, 0.05, 200)
    for units in (1, 10, 59, 60, 61, 150, 200):
        assert most_bad(units, level, 0.05) == edge[units]


def test_the_curve_by_hand() -> None:
    """A hundred units of 1, 2, ..., 100 s. At level 90 % and alpha 5 % a verdict accepts 100 units with at most so many
    bad ones; at 99.5 % not even none: no time is held."""
    found = {level.level: level for level in capability(range(1, 101))}
    bad = most_bad(100, 0.9, 0.05)
    assert accepts(100 - bad, bad, 0.9, 0.05) and not accepts(99 - bad, bad + 1, 0.9, 0.05)
    assert found[0.9].alone_s == 100 - bad and found[0.9].seen_s == 90
    assert found[0.5].seen_s == 50 < found[0.5].alone_s < found[0.5].holds_s
    assert found[0.995].seen_s == 100 and found[0.995].alone_s is None and found[0.995].holds_s is None
    assert capability([]) == []


def test_units_that_were_not_good_are_never_done() -> None:
    found = {level.level: level for level in capability([5.0] * 90 + [math.inf] * 10)}
    assert found[0.5].holds_s == 5.0 and found[0.9].seen_s == 5.0 and found[0.95].seen_s is None
    assert found[0.95].alone_s is None and quantile_s([math.inf], 0.5) is None


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=60))
def test_a_curve_rises(times: Any) -> None:
    curve = [level.holds_s if level.holds_s is not None else math.inf for level in capability(times)]
    assert curve == sorted(curve) and [level.level for level in capability(times)] == list(LEVELS)
    for level in capability(times):
        if level.alone_s is not None:
            assert level.seen_s <= level.alone_s


def test_coverage_at_every_look_is_what_the_dynamic_programme_says() -> None:
    """Exponential cycle times, level 90 %, looked at after each of 300 units: the bound is ever below the true quantile
    exactly when a verdict at 90 % is ever wrong, which the dynamic programme knows; 2,000 shifts, seed 3, within 4
    standard errors (one seed in 16,000 fails)."""
    level, units, paths = 0.9, 300, 2000
    exact = decided_by(level, level, 0.05, units)[-1]
    y = np.random.default_rng(3).exponential(10.0, (paths, units))
    true_s = -10.0 * math.log(1 - level)
    edge = boundary(level, 0.05, units)
    within = (y < true_s).cumsum(1)  # the (n - b)-th smallest is below the quantile iff n - b of them are
    n = np.arange(1, units + 1)
    wrong = ((edge[1:] >= 0) & (within >= n - edge[1:])).any(1).mean()
    assert wrong <= 0.05 and abs(wrong - exact) < 4 * math.sqrt(exact * (1 - exact) / paths)
