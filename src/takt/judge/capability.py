"""Capability: what cycle time a worker holds, at which share of units. The figure that a line is planned with.

A unit's time is Y = its cycle time if it is good, else infinite. "Holds X at level p" says that at least p of units are
good within X seconds. With b_n the most bad units among n that a verdict accepts at a required rate of p (`bets`),
X(n) is the (n - b_n)-th smallest Y: if it ever falls below the true p-quantile, then the bet on "Y below that quantile"
was won against a chance of at most p, which happens with a chance of at most alpha, at any look (Howard & Ramdas,
Bernoulli 28, 2022, for a fixed quantile). No correction is needed over X; over levels alpha is shared (Bonferroni).

Worked at one takt, it is the capability at that takt: at a faster beat the same worker may do otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from takt.judge.outcomes import Unit

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a capability curve; seconds, None for "not within any time".

    level     share of units.
    seen_s    so many were good within this, in these units.
    holds_s   so many are: wrong for any of the levels, at any look, with a chance of at most alpha.
    alone_s   the same for this level alone, picked before anything was seen.
    """

    level: float
    seen_s: float | None
    holds_s: float | None
    alone_s: float | None


def times_of(units: Sequence[Unit]) -> list[float]:
    """Y of each unit: infinite if it is not good, or good at nobody knows what time."""
    return [unit.cycle_s if unit.good and unit.cycle_s is not None else math.inf for unit in units]


def capability(times_s: Sequence[float], alpha: float = 0.05) -> list[Level]:
    """The curve of units that took so long (infinite: not good). [] without units."""
    y = np.sort(np.asarray(times_s, dtype=float))
    if not len(y):
        return []
    found = []
    for level in LEVELS:
        all_levels, alone = (most_bad(len(y), level, a) for a in (alpha / len(LEVELS), alpha))
        found.append(Level(level, quantile_s(y, level), _at(y, all_levels), _at(y, alone)))
    return found


def quantile_s(times_s: Sequence[float] | np.ndarray, level: float) -> float | None:
    """The smallest of these times within which at least a share of `level` of them lies; None if that is infinite."""
    y = np.sort(np.asarray(times_s, dtype=float))
    if not len(y):
        return None
    return _finite(y[max(0, math.ceil(level * len(y) - 1e-9) - 1)])


def most_bad(units: int, level: float, alpha: float) -> int:
    """b_n: the most bad of so many units with which a rate of `level` is proven; -1 if not even with none."""
    from takt.judge.bets import accepts  # here, for a process that works shifts needs times alone, and scipy is slow

    low, high = -1, units + 1
    while high - low > 1:
        middle = (low + high) // 2
        ok = bool(accepts(units - middle, middle, level, alpha))
        low, high = (middle, high) if ok else (low, middle)
    return low


def _at(y: np.ndarray, bad: int) -> float | None:
    return None if bad < 0 or bad >= len(y) else _finite(y[len(y) - bad - 1])


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
