"""Does `takt compare` keep its word, and how many units does it take? By simulation.

    python benchmarks/compare.py               all tables (two minutes on one core)
    python benchmarks/compare.py --paths 500   quicker, coarser

A path is a comparison of two simulated workers, looked at after every pair of units (or every shift). Errors are shares
of paths in which, without any difference, one was called better at *any* look, with the 95 % interval of Clopper &
Pearson. "Promise 1" counts what `takt compare` promises by unit under any dependence: called better while the mean, so
far, of the differences' expectations, each given all before, is 0 or on the other side. The test of fixed size next to
it is McNemar's exact one (binomial, two-sided), planned for the true rates at the power named, and looked at once; for
shifts, the t-test of the shifts' means. The seed is fixed.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import beta, binom, nct, t

from takt.judge.sequences import bounds_of_means, bounds_of_shifts, closed, log_wealth, log_wealth_of_means, sure_signs

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
    one, other = (chain_of(rng, paths, units, rate, r) for rate in (p, q))
    return one.astype(float) - other


def chain_of(rng: np.random.Generator, paths: int, units: int, rate: float, r: float) -> NDArray[np.bool_]:
    drawn = rng.random((paths, units))
    good = drawn < rate
    for i in range(1, units):
        good[:, i] = drawn[:, i] < np.where(good[:, i - 1], rate + r * (1 - rate), rate * (1 - r))
    return good


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


def sure(signs: Floats, alpha: float = ALPHA) -> NDArray[np.bool_]:
    """(paths, units): whether the bound by unit excludes 0."""
    return np.array([sure_signs(row, alpha) for row in signs])


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
    return excluded & sure(signs)[:, shift - 1 :: shift]


def sure_free(means: Floats) -> NDArray[np.bool_]:
    """(paths, shifts): whether the bound by shift that asks nothing of their distribution excludes 0."""
    excluded = np.zeros(means.shape, dtype=bool)
    for path, row in enumerate((means + 1) / 2):
        for n in range(2, len(row) + 1):
            most = max(float(log_wealth_of_means(x, 0.5)) for x in (row[:n], 1 - row[:n]))
            excluded[path, n - 1] = most >= math.log(2 / ALPHA)
    return excluded


def against_the_promise(signs: Floats, expected: Floats) -> NDArray[np.bool_]:
    """Whether a path was ever called better while the mean of what its pairs were expected to be was not so."""
    so_far = expected.cumsum(1) / np.arange(1, signs.shape[1] + 1)
    way = np.sign(signs.cumsum(1))
    return (sure(signs) & (so_far * way <= 1e-12)).any(1)


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
        "as it is",
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
        cells = [clopper_pearson(sure(signs).any(1))]
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
    for name in (
        "by unit, 1 shift: promise 1",
        "of the long run",
        f"by shift, {shifts} shifts",
        f"free, {shifts} shifts",
    ):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(2)

    def sticky(n: int, r: float) -> tuple[Floats, Floats]:
        outcomes, expected = [], []
        for _ in range(2):
            good = chain_of(rng, n, SHIFT, 0.85, r)
            p = np.full(good.shape, 0.85)
            p[:, 1:] = np.where(good[:, :-1], 0.85 + 0.15 * r, 0.85 * (1 - r))
            outcomes.append(good.astype(float))
            expected.append(p)
        return outcomes[0] - outcomes[1], expected[0] - expected[1]

    def spells(n: int, length: float) -> tuple[Floats, Floats]:
        """Given the spells the units are independent, so their chances in the spell are at least as much as anybody
        could know of them beforehand: the promise must hold against these as well."""
        outcomes, expected = [], []
        for _ in range(2):
            bad = rng.random((n, SHIFT)) < 0.2
            changes = rng.random((n, SHIFT)) < 1 / length
            for i in range(1, SHIFT):
                bad[:, i] = np.where(changes[:, i], bad[:, i], bad[:, i - 1])
            p = 0.94 - 0.45 * bad
            outcomes.append((rng.random((n, SHIFT)) < p).astype(float))
            expected.append(p)
        return outcomes[0] - outcomes[1], expected[0] - expected[1]

    kinds: list[tuple[str, Callable[[int], tuple[Floats, Floats]]]] = [
        ("none", lambda n: sticky(n, 0.0)),
        ("sticky failures, r = 0.2", lambda n: sticky(n, 0.2)),
        ("sticky failures, r = 0.5", lambda n: sticky(n, 0.5)),
        ("spells of 10 units", lambda n: spells(n, 10)),
        ("spells of 50 units", lambda n: spells(n, 50)),
    ]
    for name, draw in kinds:
        signs, expected = (x.reshape(paths, shifts * SHIFT) for x in draw(paths * shifts))
        means = signs.reshape(paths, shifts, SHIFT).mean(2)
        found = (
            against_the_promise(signs[:, :SHIFT], expected[:, :SHIFT]),
            sure(signs[:, :SHIFT]).any(1),
            sure_by_shift(signs, SHIFT).any(1),
            sure_free(means).any(1),
        )
        table.add_row(name, *(clopper_pearson(wrong) for wrong in found))
    table.caption = "of the long run: one shift is no proof of it where units depend on each other; several are"
    return table


def skew_table(paths: int, shifts: int = 40) -> Table:
    table = Table(
        title=f"Shifts that differ, {shifts} shifts of {SHIFT}, no difference in the mean of shifts, {paths} paths"
    )
    table.add_column("good rate of a's shifts, less b's")
    for name in ("by unit, 1 shift", "by shift (about normal)", "free"):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(6)

    def normal(n: int) -> Floats:
        return np.asarray(rng.normal(0, 0.04, (n, shifts)))

    def skewed(n: int) -> Floats:
        return np.where(rng.random((n, shifts)) < 0.9, 0.048, -0.432)

    for name, draw in (("normally distributed, sd 4 points", normal), ("+4.8 in 9 of 10, -43.2 in 1", skewed)):
        effect = draw(paths)
        b = np.full(effect.shape, 0.9)
        a = np.clip(b + effect, 0, 1)
        good = [rng.random((paths, shifts, SHIFT)) < p[..., None] for p in (a, b)]
        signs = (good[0].astype(float) - good[1]).reshape(paths, shifts * SHIFT)
        found = sure(signs[:, :SHIFT]).any(1), sure_by_shift(signs, SHIFT).any(1)
        free = sure_free(signs.reshape(paths, shifts, SHIFT).mean(2)).any(1)
        table.add_row(name, *(clopper_pearson(wrong) for wrong in (*found, free)))
    table.caption = "by unit, 1 shift: about that shift's units it is right; about the workers it is not"
    return table


def cost_table(paths: int, units: int = 400) -> Table:
    table = Table(
        title=f"Bounds of a mean cost difference, wrong at any of the looks up to {units} units, {paths} paths"
    )
    table.add_column("differences (mean 0)")
    for name in ("as it is: declared range, else none", "asymptotic (until November 2026)"):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(7)
    looks = [30, 40, 50, 70, 100, 150, 200, 300, units]

    def rare(n: int) -> tuple[Floats, float]:
        return np.where(rng.random((n, units)) < 0.01, 100.0, 0.0) - 1.0, 100.0

    def lognormal(n: int) -> tuple[Floats, float]:
        x = np.minimum(rng.lognormal(0, 1.5, (n, units)), 200.0)
        return x - np.minimum(np.random.default_rng(0).lognormal(0, 1.5, 4_000_000), 200.0).mean(), 200.0

    def plain(n: int) -> tuple[Floats, float]:
        return rng.uniform(-50, 50, (n, units)), 50.0

    for name, draw in (
        ("1 % of units cost 100", rare),
        ("lognormal, sigma 1.5, at most 200", lognormal),
        ("uniform", plain),
    ):
        x, most = draw(paths)
        wrong = np.zeros(2)
        for row in x:
            ours = [bounds_of_means(row[:n], -most, most, ALPHA) for n in looks if distinct(row[:n]) >= 20]
            wrong += [any(low > 0 or high < 0 for low, high in ours), any(asymptotic(row[:n]) for n in looks)]
        table.add_row(name, *(f"{w / paths:.1%}" for w in wrong))
    return table


def distinct(x: Floats) -> int:
    return len(x) - int(np.unique(x, return_counts=True)[1].max())


def asymptotic(x: Floats) -> bool:
    """Whether the sequence used before excludes 0 (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2021/2024)."""
    n, variance = len(x), float(x.var())
    r2 = (-2 * math.log(ALPHA) + math.log(1 - 2 * math.log(ALPHA))) / 200
    half = math.sqrt(variance * 2 * (n * r2 + 1) / (n * n * r2) * math.log(math.sqrt(n * r2 + 1) / ALPHA))
    return abs(float(x.mean())) > half


def several_table(paths: int, units: int = 3000) -> Table:
    """Three workers: three pairs at alpha / 3 each, or closed testing; of directions it is what `takt compare` does."""
    table = Table(title=f"Three workers, units until all three pairs are decided, {paths} paths, looks every 10")
    for name in ("good rates", "Bonferroni: mean", "closed, two-sided: mean", "closed, direction proven: mean"):
        table.add_column(name, justify="right")
    rng = np.random.default_rng(8)
    wrong = np.zeros(3)
    for rates in ((0.95, 0.85, 0.75), (0.95, 0.90, 0.80), (0.9, 0.9, 0.9)):
        at = np.full((3, paths), units + 1)
        for path in range(paths):
            good = rng.random((units, 3)) < np.array(rates)
            e = []
            for i, j in ((0, 1), (0, 2), (1, 2)):
                d = good[:, i].astype(int) - good[:, j]
                plus, minus, ties = ((d == s).cumsum()[9::10] for s in (1, -1, 0))
                e.append((log_wealth(plus, ties, minus, 0.0), log_wealth(minus, ties, plus, 0.0)))
            logs = np.array(e)  # (pair, side, look)
            for rule, done in enumerate((bonferroni(logs), closed_two_sided(logs), closed_one_sided(logs))):
                decided = done.any(0) if len(set(rates)) == 1 else done.all(0)
                if decided.any():
                    at[rule, path] = 10 * (int(decided.argmax()) + 1)
        if len(set(rates)) == 1:
            wrong = (at <= units).mean(1)
        else:
            table.add_row(", ".join(f"{p:.0%}" for p in rates), *(f"{row.mean():.0f}" for row in at))
    table.add_section()
    table.add_row("90 %, 90 %, 90 %: any called better", *(f"{w:.1%}" for w in wrong))
    table.caption = (
        "closed: a hypothesis is rejected when the mean of the e-processes of every set with it in is 20 or more\n"
        "(Vovk & Wang, Ann. Stat. 2021); two-sided says that two workers differ, and not which is better."
    )
    return table


def bonferroni(logs: Floats) -> NDArray[np.bool_]:
    return np.asarray(logs.max(1) >= math.log(2 * len(logs) / ALPHA))


def closed_two_sided(logs: Floats) -> NDArray[np.bool_]:
    return closed(np.logaddexp(logs[:, 0], logs[:, 1]) - math.log(2), ALPHA)


def closed_one_sided(logs: Floats) -> NDArray[np.bool_]:
    pairs, sides, looks = logs.shape
    return closed(logs.reshape(pairs * sides, looks), ALPHA).reshape(pairs, sides, looks).any(1)


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
            at = decided_at(sure(independent(rng, paths, 4 * sizes[0.9], only_a, only_b)))
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
        at = decided_at(sure(signs))
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


TABLES = {
    "error": (error_table, 1),
    "dependence": (dependence_table, 8),
    "skew": (skew_table, 20),
    "cost": (cost_table, 8),
    "several": (several_table, 20),
    "saving": (saving_table, 4),
    "planned": (planned_table, 2),
    "shift": (shift_table, 16),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=4000)
    parser.add_argument("--only", default=",".join(TABLES), help=f"of {', '.join(TABLES)}")
    given = parser.parse_args()
    console = Console(width=150)
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    console.print(
        f"{now}, {platform.machine()}, {os.cpu_count()} cores, load {load}, Python {platform.python_version()}"
    )
    began = time.perf_counter()
    for name in given.only.split(","):
        table, share = TABLES[name]
        console.print(table(max(20, given.paths // share)))
        console.print(f"[dim]{time.perf_counter() - began:.0f} s so far[/dim]\n")


if __name__ == "__main__":
    main()
