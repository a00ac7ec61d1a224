"""How many units a verdict takes: the dynamic programme against brute force and against the audit's figures."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from takt.judge.bets import accepts, log_wealth, rejects
from takt.judge.power import boundary, decided_by, good_units_to_accept, least_units, units_needed


@pytest.mark.parametrize("required", [0.3, 0.6, 0.902, 0.98])
@pytest.mark.parametrize("accept", [True, False])
def test_the_boundary_is_what_the_verdict_does_at_every_count(required: Any, accept: Any) -> None:
    found = boundary(required, 0.05, 300, accept)
    for n in range(1, 301):
        bad = np.arange(n + 1)
        decided = (accepts if accept else rejects)(n - bad, bad, required, 0.05)
        if accept:
            assert found[n] == (bad[decided].max() if decided.any() else -1)
        else:
            assert found[n] == (bad[decided].min() if decided.any() else n + 1)


@pytest.mark.parametrize("accept", [True, False])
def test_the_chance_of_a_verdict_by_brute_force(accept: Any) -> None:
    """All 2^11 shifts of 11 units, 60 % required at alpha 0.2, true rates of 0.85 and 0.3."""
    units, required, alpha, true = 11, 0.6, 0.2, 0.85 if accept else 0.3
    shifts = np.array(list(product([True, False], repeat=units)))
    chance = np.where(shifts, true, 1 - true).prod(1)
    good = shifts.cumsum(1)
    decided = (accepts if accept else rejects)(good, np.arange(1, units + 1) - good, required, alpha)
    ever = np.logical_or.accumulate(decided, axis=1)
    assert decided_by(required, true, alpha, units, accept)[1:] == pytest.approx(chance @ ever)


@pytest.mark.parametrize("rate", [0.5, 0.902, 0.97, 0.995])
def test_the_error_at_any_of_a_thousand_looks_is_kept_exactly(rate: Any) -> None:
    """A worker exactly as good as required: ever accepted, ever rejected, by the dynamic programme; not by chance."""
    for accept in (True, False):
        wrong = decided_by(rate, rate, 0.05, 1000, accept)[-1]
        assert 0.005 < wrong <= 0.05, (rate, accept, wrong)


def test_units_for_a_chance_of_a_verdict() -> None:
    """The figures that an audit found for the older bet were 88, 140, 187 (90.2 % against 97 %) and 45, 68, 88."""
    found = [units_needed(0.902, 0.97, power).units for power in (0.5, 0.8, 0.9)]
    assert found == [87, 143, 192]
    assert [units_needed(0.902, 0.99, power).units for power in (0.5, 0.8, 0.9)] == [37, 66, 87]
    poor = units_needed(0.902, 0.7, 0.9)
    assert poor.decision == "reject" and poor.units == 53
    assert units_needed(0.902, 0.9021, 0.9, most=500) is None


def test_good_units_that_would_decide_it() -> None:
    for good, bad in ((0, 0), (20, 0), (128, 14), (3, 40)):
        more = good_units_to_accept(good, bad, 0.902)
        assert accepts(good + more, bad, 0.902, 0.05) and not accepts(good + more - 1, bad, 0.902, 0.05)
    assert good_units_to_accept(37, 0, 0.902) == 0 and least_units(0.902) == 37
    assert good_units_to_accept(5, 0, 1.0) is None
    assert log_wealth(45, 0, 0.902) > np.log(20) > log_wealth(44, 0, 0.902), "the older bet took 45"
