"""Does `takt compare` keep its word, and how many units does it take? By simulation.

    python benchmarks/compare.py               all tables (two minutes on one core)
    python benchmarks/compare.py --paths 500   quicker, coarser

A path is a comparison of two simulated workers, looked at after every pair of units (or every shift). Errors are shares
of paths in which, without any difference, one was called better at *any* look, with the 95 % interval of Clopper &
Pearson. The test of fixed size next to it is McNemar's exact one (binomial, two-sided), planned for the true rates at
the power named, and looked at once; for shifts, the t-test of the shifts' means. The seed is fixed.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import beta, binom, nct, t

from takt.sequences import bounds_of_shifts, sure_signs, widenings

ALPHA = 0.05
SHIFT = 142  # units in the nut cell's 3 hours
MOST_SHIFTS = 40

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]


# --- simulated workers ------------------------------------------------------------------------------------------------


def discordance(p: float, q: float, correlation: float) -> tuple[float, float]:
    """P(only a good), P(only b good) of two workers of good rates p and q whose outcomes are so correlated (phi)."""
    both = p * q + correlation * math.sqrt(p * (1 - p) * q * (1 - q))
    if not max(0.0, p + q - 1) <= both <= min(p, q):
        raise ValueError(f"rates of {p} and {q} cannot have a correlation of {correlation}")
    return p - both, q - both


def independent(rng: np.random.Generator, paths: int, units: int, only_a: float, only_b: float) -> Floats:
    """(paths, units) of -1, 0, +1."""
    drawn = rng.random((paths, units))
    return np.where(drawn < only_a, 1.0, np.where(drawn > 1 - only_b, -1.0, 0.0))


def chains(rng: np.random.Generator, paths: int, units: int, p: float, q: float, r: float) -> Floats:
    """Each worker a two-state Markov chain of lag-1 correlation r: its failures are sticky. (paths, units)"""
    outcomes = []
    for rate in (p, q):
        drawn = rng.random((paths, units))
        good = drawn < rate
        for i in range(1, units):
            good[:, i] = drawn[:, i] < np.where(good[:, i - 1], rate + r * (1 - rate), rate * (1 - r))
        outcomes.append(good)
    return outcomes[0].astype(float) - outcomes[1]


def moods(rng: np.random.Generator, paths: int, units: int, p: float, q: float, length: float) -> Floats:
    """Each worker has spells of mean `length` units in which 45 points fewer are good, a fifth of the time: backlog."""
    outcomes = []
    for rate in (p, q):
        bad = rng.random((paths, units)) < 0.2
        changes = rng.random((paths, units)) < 1 / length
        for i in range(1, units):
            bad[:, i] = np.where(changes[:, i], bad[:, i], bad[:, i - 1])
        outcomes.append(rng.random((paths, units)) < rate + 0.09 - 0.45 * bad)
    return outcomes[0].astype(float) - outcomes[1]


# --- what becomes of them ---------------------------------------------------------------------------------------------


def sure(signs: Floats, widen: bool, shift: int | None = None) -> NDArray[np.bool_]:
    """(paths, units): whether the bound by unit excludes 0. `shift`: units in each."""
    found = np.empty(signs.shape, dtype=bool)
    begins = np.arange(signs.shape[1]) % (shift or signs.shape[1]) == 0
    for path, row in enumerate(signs):
        counts = np.stack([(row == sign).cumsum() for sign in (-1, 0, 1)])
        widening = widenings(row, begins, counts.sum(0) - counts.max(0)) if widen else np.ones(len(row))
        found[path] = sure_signs(row, widening, ALPHA)
    return found


def decided_at(certain: NDArray[np.bool_]) -> Ints:
    """The look at which a path is decided, from 1; one more than there are if never."""
    return np.where(certain.any(1), certain.argmax(1) + 1, certain.shape[1] + 1)


def sure_by_shift(signs: Floats, shift: int) -> NDArray[np.bool_]:
    """(paths, shifts): whether the bounds by shift and by unit (widened) both exclude 0, on the same side."""
    means = signs.reshape(len(signs), -1, shift).mean(2)
    excluded = np.zeros(means.shape, dtype=bool)
    for path, row in enumerate(means):
        for n in range(2, len(row) + 1):
            low, high = bounds_of_shifts(row[:n], ALPHA)
            excluded[path, n - 1] = low > 0 or high < 0
    return excluded & sure(signs, True, shift)[:, shift - 1 :: shift]


def mcnemar(only_a: float, only_b: float, power: float) -> int:
    """Units of the smallest exact McNemar test that has this power: reject if the larger discordant count is so large
    that, of as many fair coins, so many have a chance of at most ALPHA / 2."""

    def has(n: int) -> float:
        discordant = np.arange(n + 1)
        won = binom.sf(binom.isf(ALPHA / 2, discordant, 0.5), discordant, only_a / (only_a + only_b))
        return float(binom.pmf(discordant, n, only_a + only_b) @ won)

    low, high = 1, 2
    while has(high) < power:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if has(middle) >= power else (middle, high)
    return high


def t_test(effect: float, power: float) -> int:
    """Shifts of the smallest two-sided t-test with this power, for a difference of `effect` standard deviations."""
    n = 2
    while nct.sf(t.isf(ALPHA / 2, n - 1), n - 1, effect * math.sqrt(n)) < power:
        n += 1
    return n


# --- the tables -------------------------------------------------------------------------------------------------------


def error_table(paths: int) -> Table:
    table = Table(
        title=f"Called better at any look though there is no difference, by unit, {paths} paths (at most 5 %)"
    )
    for name in (
        "good rate",
        "correlation",
        "discordant",
        "units",
        "as it is (widened)",
        "not widened",
        "McNemar peeking",
    ):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(1)
    for p, correlation, units in (
        (0.9, 0.0, 1000),
        (0.9, 0.5, 1000),
        (0.6, 0.0, 1000),
        (0.6, 0.5, 142),
        (0.98, 0.0, 1000),
    ):
        only = discordance(p, p, correlation)[0]
        signs = independent(rng, paths, units, only, only)
        cells = [clopper_pearson(sure(signs, widen).any(1)) for widen in (True, False)]
        plus, discordant = (signs > 0).cumsum(1), (signs != 0).cumsum(1)
        peeks = np.maximum(plus, discordant - plus) > binom.isf(ALPHA / 2, discordant, 0.5)
        rates = f"{p:.0%}", f"{correlation:.1f}", f"{2 * only:.1%}", str(units)
        table.add_row(*rates, *cells, clopper_pearson((peeks & (discordant > 0)).any(1)))
    return table


def dependence_table(paths: int) -> Table:
    shifts = 10
    table = Table(
        title=f"The same under dependence within shifts, good rate 85 %, {shifts} shifts of {SHIFT}, {paths} paths"
    )
    table.add_column("dependence")
    for name in ("not widened, 1 shift", "by unit, 1 shift", f"by unit, {shifts} shifts", f"by shift, {shifts} shifts"):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(2)
    kinds: list[tuple[str, Callable[[int], Floats]]] = [
        ("none", lambda n: chains(rng, n, SHIFT, 0.85, 0.85, 0.0)),
        ("sticky failures, r = 0.2", lambda n: chains(rng, n, SHIFT, 0.85, 0.85, 0.2)),
        ("sticky failures, r = 0.5", lambda n: chains(rng, n, SHIFT, 0.85, 0.85, 0.5)),
        ("spells of 10 units", lambda n: moods(rng, n, SHIFT, 0.85, 0.85, 10)),
        ("spells of 50 units", lambda n: moods(rng, n, SHIFT, 0.85, 0.85, 50)),
    ]
    for name, draw in kinds:
        signs = draw(paths * shifts).reshape(paths, shifts * SHIFT)
        first = signs[:, :SHIFT]
        found = sure(first, False), sure(first, True), sure(signs, True, SHIFT), sure_by_shift(signs, SHIFT)
        table.add_row(name, *(clopper_pearson(certain.any(1)) for certain in found))
    return table


def saving_table(paths: int) -> Table:
    table = Table(title=f"Units until it is certain which is better, by unit, independent units, {paths} paths")
    for name in ("good rates", "correlation", "discordant"):
        table.add_column(name, justify="right")
    for name in (
        "mean",
        "median",
        "90 %",
        "McNemar 80 %",
        "ours, 80 %",
        "saved",
        "McNemar 90 %",
        "ours, 90 %",
        "saved",
    ):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(3)
    for p, q in ((0.95, 0.85), (0.95, 0.90), (0.90, 0.80), (0.70, 0.60), (0.51, 0.40), (0.90, 0.60)):
        for correlation in (0.0, 0.3, 0.5) if (p, q) != (0.90, 0.60) else (0.0, 0.3):  # 0.5 is not possible there
            only_a, only_b = discordance(p, q, correlation)
            sizes = {power: mcnemar(only_a, only_b, power) for power in (0.8, 0.9)}
            at = decided_at(sure(independent(rng, paths, 4 * sizes[0.9], only_a, only_b), True))
            cells = []
            for power, size in sizes.items():
                ours = np.minimum(at, np.quantile(at, power)).mean()
                cells += [str(size), f"{ours:.0f}", f"{1 - ours / size:.0%}"]
            middle = f"{at.mean():.0f}", f"{np.median(at):.0f}", f"{np.quantile(at, 0.9):.0f}"
            table.add_row(f"{p:.0%}, {q:.0%}", f"{correlation:.1f}", f"{only_a + only_b:.1%}", *middle, *cells)
        table.add_section()
    table.caption = (
        "ours, 80 % and 90 %: mean units if given up, undecided, as soon as it has been certain as often as "
        "McNemar's test of that power is.\nmean, median: never given up."
    )
    return table


def planned_table(paths: int) -> Table:
    only_a, only_b = discordance(0.95, 0.90, 0.3)
    planned = mcnemar(only_a, only_b, 0.9)
    table = Table(
        title=f"If the test is planned for 95 % against 90 % (correlation 0.3, power 90 %: {planned} units) and "
        f"the truth is another, {paths} paths"
    )
    for name in ("good rates", "mean units", "median", "90 %", f"saved of {planned}", f"certain by {planned}"):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(4)
    for q in (0.93, 0.90, 0.88, 0.85, 0.80, 0.70):
        signs = independent(rng, paths, planned, *discordance(0.95, q, 0.3))
        at = decided_at(sure(signs, True))
        used = np.minimum(at, planned)
        spread = f"{used.mean():.0f}", f"{np.median(used):.0f}", f"{np.quantile(used, 0.9):.0f}"
        table.add_row(f"95 %, {q:.0%}", *spread, f"{1 - used.mean() / planned:.0%}", f"{(at <= planned).mean():.1%}")
    table.caption = f"given up, undecided, after {planned} units."
    return table


def shift_table(paths: int) -> Table:
    table = Table(title=f"Shifts of {SHIFT} units until it is certain, by shift, {paths} paths")
    table.add_column("workers")
    for name in ("effect", "mean", "median", "90 %", "t-test 80 %", "t-test 90 %", "certain in 10 shifts"):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(5)
    kinds: list[tuple[str, Callable[[int], Floats]]] = [
        ("95 %, 85 %, independent", lambda n: chains(rng, n, SHIFT, 0.95, 0.85, 0.0)),
        ("90 %, 80 %, r = 0.5", lambda n: chains(rng, n, SHIFT, 0.90, 0.80, 0.5)),
        ("85 %, 65 %, spells of 10", lambda n: moods(rng, n, SHIFT, 0.85, 0.65, 10)),
        ("85 %, 75 %, spells of 50", lambda n: moods(rng, n, SHIFT, 0.85, 0.75, 50)),
    ]
    for name, draw in kinds:
        signs = draw(paths * MOST_SHIFTS).reshape(paths, MOST_SHIFTS * SHIFT)
        means = signs.reshape(-1, SHIFT).mean(1)
        effect = float(means.mean() / means.std())
        at = decided_at(sure_by_shift(signs, SHIFT))
        spread = f"{at.mean():.1f}", f"{np.median(at):.0f}", f"{np.quantile(at, 0.9):.0f}"
        sizes = (str(t_test(effect, power)) for power in (0.8, 0.9))
        table.add_row(name, f"{effect:.1f}", *spread, *sizes, f"{(at <= 10).mean():.1%}")
    table.caption = "effect: difference by the standard deviation between shifts."
    return table


def clopper_pearson(wrong: NDArray[np.bool_]) -> str:
    n, k = len(wrong), int(wrong.sum())
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return f"{k / n:.1%} ({low:.1%} to {high:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=4000)
    paths = parser.parse_args().paths
    console = Console(width=150)
    began = time.perf_counter()
    for table, share in (
        (error_table, 1),
        (dependence_table, 8),
        (saving_table, 4),
        (planned_table, 2),
        (shift_table, 16),
    ):
        console.print(table(max(20, paths // share)))
        console.print(f"[dim]{time.perf_counter() - began:.0f} s so far[/dim]\n")


if __name__ == "__main__":
    main()
