"""Does the verdict keep its word, what does it save, and what does widening for dependence do? By simulation.

    python benchmarks/verdict.py             all tables (a minute and a half on one core)
    python benchmarks/verdict.py --paths 400   quicker, coarser

A path is a shift of simulated outcomes, looked at after every unit. Errors are shares of paths in which the verdict was
wrong at *any* look; the worst worker for that is one that is exactly as good as required, so that is the one simulated.
± is the standard error of the simulation. The seed is fixed: the same tables come out every time.

The job simulated asks a good rate and no cycle time. Where it asks 95 % of cycle times too, accept takes at least 89
units (109 widened).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.special import xlogy
from scipy.stats import binom

from takt.verdict import log_wealth, widenings

REQUIRED, ALPHA, POWER = 0.902, 0.05, 0.9
SHIFT = 142  # units in the nut cell's 3 hours
CELLS = 2_000_000  # outcomes simulated at a time, for memory
BLOCK = 50  # units looked at in one go

Bools = NDArray[np.bool_]
Ints = NDArray[np.int_]


# --- paths and what becomes of them -----------------------------------------------------------------------------------


def shifts(paths: int, units: int, p: float, r: float, seed: int) -> Iterator[Bools]:
    """Outcomes, (paths, units) in pieces: a stationary Markov chain, good with chance p, of lag-1 correlation r."""
    rng = np.random.default_rng([seed, units, round(1000 * p), round(1000 * r)])
    most = max(1, CELLS // units)
    for begun in range(0, paths, most):
        drawn = rng.random((min(most, paths - begun), units))
        good = drawn < p
        for i in range(1, units if r else 0):
            good[:, i] = drawn[:, i] < np.where(good[:, i - 1], p + r * (1 - p), p * (1 - r))
        yield good


def decided_at(good: Bools, required: float, widen: bool) -> tuple[Ints, Ints]:
    """For each path the unit after which the verdict is accept for the first time, and reject; units + 1 if never."""
    s = good.cumsum(-1).astype(float)
    f = np.arange(1, good.shape[1] + 1) - s
    d = widenings(good) if widen else np.ones_like(s)
    return first_crossing(s / d, f / d, required), first_crossing(f / d, s / d, 1 - required)


def first_crossing(s: NDArray[np.float64], f: NDArray[np.float64], m: float) -> Ints:
    paths, units = s.shape
    at = np.full(paths, units + 1)
    for begun in range(0, units, BLOCK):
        left = np.flatnonzero(at > units)
        here = np.s_[left, begun : begun + BLOCK]
        won, lost = s[here], f[here]
        q = won / (won + lost)
        best = xlogy(won, q / m) + xlogy(lost, (1 - q) / (1 - m))  # what the luckiest single bet has won; M is less
        crossed = (q > m) & (best >= -math.log(ALPHA))
        crossed[crossed] = log_wealth(won[crossed], lost[crossed], m) >= -math.log(ALPHA)
        found = crossed.any(-1)
        at[left[found]] = begun + 1 + crossed[found].argmax(-1)
    return at


def peeking(good: Bools, required: float) -> tuple[Ints, Ints]:
    """The same by the usual interval, Clopper & Pearson's (1934) one-sided bounds, looked at after every unit."""
    s, n = good.cumsum(-1), np.arange(1, good.shape[1] + 1)
    accept = s > binom.isf(ALPHA, n, required)
    reject = s < binom.ppf(ALPHA, n, required)
    never = good.shape[1] + 1
    return tuple(np.where(x.any(-1), x.argmax(-1) + 1, never) for x in (accept, reject))  # type: ignore[return-value]


def fixed_size(p: float) -> int:
    """Units of the smallest exact binomial test of size ALPHA that tells p from REQUIRED with POWER."""
    for n in range(1, 100_000):
        if p > REQUIRED:
            power = binom.sf(binom.isf(ALPHA, n, REQUIRED), n, p)
        else:
            power = binom.cdf(binom.ppf(ALPHA, n, REQUIRED) - 1, n, p)
        if power >= POWER:
            return n
    raise ValueError(p)


# --- the tables -------------------------------------------------------------------------------------------------------


def error_table(paths: int) -> Table:
    table = Table(title=f"Wrong at any look, independent units, {paths} paths (promised: at most {ALPHA:.0%} each)")
    for name in ("good rate = required", "units", "verdict: accept", "reject", "not widened: accept", "reject"):
        table.add_column(name, justify="right")
    table.add_column("Clopper-Pearson: accept", justify="right")
    table.add_column("reject", justify="right")
    for p, units in ((REQUIRED, SHIFT), (REQUIRED, 1000), (REQUIRED, 5000), (0.5, 1000), (0.97, 1000), (0.995, 1000)):
        found = [np.zeros(2), np.zeros(2), np.zeros(2)]
        for good in shifts(paths, units, p, 0.0, seed=1):
            for row, ats in zip(
                found, (decided_at(good, p, True), decided_at(good, p, False), peeking(good, p)), strict=True
            ):
                row += [(at <= units).sum() for at in ats]
        table.add_row(f"{p:.1%}", str(units), *(share(count, paths) for row in found for count in row))
    return table


def dependence_table(paths: int) -> Table:
    table = Table(
        title=f"The same under dependence: a Markov chain of correlation r, good rate = required, {paths} paths"
    )
    for name in ("r", "units", "widened: accept", "reject", "not widened: accept", "reject", "mean widening"):
        table.add_column(name, justify="right")
    for units in (SHIFT, 1000):
        for r in (0.0, 0.1, 0.2, 0.3, 0.5):
            found, widening = [np.zeros(2), np.zeros(2)], 0.0
            for good in shifts(paths, units, REQUIRED, r, seed=2):
                widening += widenings(good)[:, -1].sum() / paths
                for row, widen in zip(found, (True, False), strict=True):
                    row += [(at <= units).sum() for at in decided_at(good, REQUIRED, widen)]
            counts = (share(count, paths) for row in found for count in row)
            table.add_row(f"{r:.1f}", str(units), *counts, f"{widening:.2f} (true {(1 + r) / (1 - r):.2f})")
        table.add_section()
    return table


def saving_table(paths: int, units: int = 3000) -> Table:
    planned = fixed_size(0.97)
    table = Table(
        title=f"Units to the verdict, independent units, {paths} paths. An exact binomial test of fixed size"
        f"\n({ALPHA:.0%}) that tells {REQUIRED:.1%} from 97 % with power {POWER:.0%} takes {planned}"
    )
    for name in ("good rate", "widened", "mean", "10 %", "median", "90 %", f"right by {planned}", f"right by {SHIFT}"):
        table.add_column(name, justify="right")
    for name in (
        "ever wrong",
        f"mean, given up at power {POWER:.0%}",
        f"saved of {planned}",
        "saved of its own fixed size",
    ):
        table.add_column(name, justify="right")
    table.add_column("no test below", justify="right")
    for p in (0.995, 0.99, 0.98, 0.97, 0.95, 0.85, 0.80, 0.70):
        for widen in (True, False):
            ats = [decided_at(good, REQUIRED, widen) for good in shifts(paths, units, p, 0.0, seed=3)]
            accept, reject = (np.concatenate(x) for x in zip(*ats, strict=True))
            right, wrong = (accept, reject) if p >= REQUIRED else (reject, accept)
            at = np.minimum(accept, reject)
            q10, q50, q90 = np.quantile(at, (0.1, 0.5, POWER))
            given_up = np.minimum(at, q90).mean()  # as often right as the test of fixed size, no more
            own, kl = fixed_size(p), p * math.log(p / REQUIRED) + (1 - p) * math.log((1 - p) / (1 - REQUIRED))
            table.add_row(
                f"{p:.1%}" if widen else "",
                "yes" if widen else "no",
                f"{at.mean():.0f} ± {at.std() / math.sqrt(paths):.0f}",
                *(f"{q:.0f}" for q in (q10, q50, q90)),
                *(f"{((right <= most) & (right < wrong)).mean():.1%}" for most in (planned, SHIFT)),
                f"{(wrong < right).mean():.1%}",
                f"{given_up:.0f}",
                f"{1 - given_up / planned:.0%}" if p >= 0.97 else "",
                f"{1 - given_up / own:.0%} of {own}",
                f"{-math.log(ALPHA) / kl:.0f}" if widen else "",
            )
        table.add_section()
    table.caption = (
        "given up: stopped undecided as soon as the verdict has been right as often as the fixed test is.\n"
        "its own fixed size: of the test planned for exactly that rate.\n"
        "no test below: mean of any test that never gives up, even one told the rate: log(1/alpha) / KL (Wald 1945)."
    )
    return table


def share(count: float, paths: int) -> str:
    p = count / paths
    return f"{p:.1%} ± {math.sqrt(p * (1 - p) / paths):.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=8000)
    paths = parser.parse_args().paths
    console = Console(width=150)
    began = time.perf_counter()
    for table in (error_table, dependence_table, saving_table):
        console.print(table(paths))
        console.print(f"[dim]{time.perf_counter() - began:.0f} s so far[/dim]\n")


if __name__ == "__main__":
    main()
