"""Does the verdict keep its promises, and what does it cost? Every table of the audit of November 2026, as it is now.

    python benchmarks/verdict.py               all tables (three to five minutes on one core)
    python benchmarks/verdict.py --paths 500   quicker, coarser
    python benchmarks/verdict.py --only late,shifts

Exact figures come from a dynamic programme over the verdict's boundary (`takt.judge.power`); the others are shares of
simulated shifts, looked at after every unit, +- the standard error of the simulation. The worst worker for an error is
one exactly as good as required, so that is the one simulated. Seeds are fixed: the same tables come out every time.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.special import xlogy
from scipy.stats import binom, chi2

from takt.judge.bets import Wealth, log_wealth, log_wealth_high
from takt.judge.formulas import mtbf_lower_s
from takt.judge.power import boundary, decided_by, good_units_to_accept, units_needed
from takt.judge.sequences import bounds_of_shifts, chance_of, log_wealth_of_alike, log_wealth_of_means, usual_spread
from takt.judge.stickiness import Steps, accept_evidence, reject_evidence

REQUIRED, ALPHA = 0.902, 0.05
LEVEL = -math.log(ALPHA)
SHIFT = 142  # units in the nut cell's 3 hours
CELLS = 2_000_000  # outcomes simulated at a time, for memory

Bools = NDArray[np.bool_]
Ints = NDArray[np.int_]
Floats = NDArray[np.float64]


# --- simulated shifts ------------------------------------------------------------------------------------------------


def pieces(paths: int, units: int, seed: list[int]) -> Iterator[tuple[np.random.Generator, int]]:
    rng, most = np.random.default_rng(seed), max(1, CELLS // units)
    for begun in range(0, paths, most):
        yield rng, min(most, paths - begun)


def chain(rng: np.random.Generator, paths: int, units: int, p: float, r: float) -> Bools:
    """A stationary Markov chain: good with chance p, of lag-1 correlation r."""
    drawn = rng.random((paths, units))
    good = drawn < p
    for i in range(1, units if r else 0):
        good[:, i] = drawn[:, i] < np.where(good[:, i - 1], p + r * (1 - p), p * (1 - r))
    return good


def chances_of_chain(good: Bools, p: float, r: float) -> Floats:
    """The chance of each unit given those before it."""
    found = np.full(good.shape, p)
    found[:, 1:] = np.where(good[:, :-1], p + r * (1 - p), p * (1 - r))
    return found


def ever(good: Bools, required: float = REQUIRED) -> tuple[Bools, Bools]:
    """(paths, units): whether the verdict accepts after each unit, and whether it rejects; by its boundary."""
    units = good.shape[1]
    bad = (~good).cumsum(1)
    accept, reject = (boundary(required, ALPHA, units, kind)[1:] for kind in (True, False))
    return bad <= accept, bad >= reject


def crossings(steps: Steps, required: float, rho: float, accept: bool) -> Bools:
    """Where E(rho) reaches 1/alpha, for arrays of steps; only computed where the plain counts could."""
    gg, gb, bg, bb = (np.asarray(x) for x in (steps.gg, steps.gb, steps.bg, steps.bb))
    n, good = gg + gb + bg + bb, gg + bg
    rate = good / np.maximum(n, 1)
    far = rate > required if accept else rate < required
    luckiest = xlogy(good, rate / required) + xlogy(n - good, (1 - rate) / (1 - required))
    found = np.zeros(n.shape, dtype=bool)
    at = far & (luckiest >= 0.5 * LEVEL)
    evidence = accept_evidence if accept else reject_evidence
    flat = np.flatnonzero(at)
    for begun in range(0, len(flat), 20_000):
        mine = flat[begun : begun + 20_000]
        some = Steps(*(x.reshape(-1)[mine] for x in (gg, gb, bg, bb)))
        found.reshape(-1)[mine] = evidence(some, required, rho) >= LEVEL
    return found


def steps_at(good: Bools, looks: NDArray[np.int_]) -> Steps:
    """Counts of what followed what, after each of the looks (units, from 2)."""
    before, after = good[:, :-1], good[:, 1:]
    return Steps(*((b & a).cumsum(1)[:, looks - 2] for b in (before, ~before) for a in (after, ~after)))


def share(count: float, paths: int) -> str:
    p = count / paths
    return f"{p:.1%} ± {math.sqrt(max(p * (1 - p), 1 / paths) / paths):.1%}"


# --- the tables ------------------------------------------------------------------------------------------------------


def exact_table(paths: int) -> Table:
    table = Table(title=f"Error at any of so many looks, independent units, exact; promised {ALPHA:.0%} each")
    for name in ("good rate = required", "units", "accept", "reject", "older bet: accept", "Clopper-Pearson: accept"):
        table.add_column(name, justify="right")
    for p, units in ((REQUIRED, SHIFT), (REQUIRED, 1000), (REQUIRED, 5000), (0.5, 1000), (0.97, 1000), (0.995, 1000)):
        n = np.arange(units + 1)
        peeks = n - binom.isf(ALPHA, n, p).astype(int) - 1
        older = older_boundary(p, units)
        row = decided_by(p, p, ALPHA, units)[-1], decided_by(p, p, ALPHA, units, False)[-1]
        table.add_row(
            f"{p:.1%}", str(units), *(f"{x:.2%}" for x in (*row, walked(older, p), walked(np.maximum(peeks, -1), p)))
        )
    return table


def older_boundary(required: float, units: int, wealth: Wealth = log_wealth) -> Ints:
    """The most bad units with which the bet before November 2026 accepted, plain."""
    found, bad = np.full(units + 1, -1), 0
    for n in range(1, units + 1):
        while bad <= n and float(wealth(n - bad, bad, required)) >= LEVEL:
            found[n] = bad
            bad += 1
        found[n] = (
            max(found[n], found[n - 1])
            if float(wealth(n - max(found[n - 1], 0), max(found[n - 1], 0), required)) >= LEVEL
            else found[n]
        )
        bad = max(0, found[n])
    return found


def walked(edge: Ints, p: float, true: float | None = None) -> float:
    """The chance that a walk with a good rate of `true` is ever at or below the edge."""
    chance = float(walk(edge, p if true is None else true)[-1])
    return chance


def walk(edge: Ints, true: float) -> Floats:
    units, lost = len(edge) - 1, 1 - true
    alive, done = np.zeros(units + 2), np.zeros(units + 1)
    alive[0] = 1.0
    for n in range(1, units + 1):
        alive[1 : n + 1], alive[0] = alive[1 : n + 1] * true + alive[:n] * lost, alive[0] * true
        gone = slice(0, max(0, edge[n] + 1))
        done[n] = done[n - 1] + alive[gone].sum()
        alive[gone] = 0.0
    return done


def mean_units(done: Floats) -> float:
    return float((1 - done[:-1]).sum())


def power_table(paths: int, units: int = 6000) -> Table:
    table = Table(title=f"Units to accept, {REQUIRED:.1%} required, independent units, exact")
    for name in ("true rate", "as it is, mean", "50 % / 80 % / 90 %", "older bet, plain: mean", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("widened until November 2026: mean", justify="right")
    table.add_column("told the rate (oracle)", justify="right")
    widened = {0.95: 239, 0.97: 111, 0.98: 84, 0.99: 66, 0.995: 59}  # benchmarks/verdict.py of then, 8,000 paths
    new, old = boundary(REQUIRED, ALPHA, units), older_boundary(REQUIRED, units)
    for p in (0.95, 0.97, 0.98, 0.99, 0.995):
        ours, before = walk(new, p), walk(old, p)
        mean, was = mean_units(ours), mean_units(before)
        by = " / ".join(str(int(np.argmax(ours >= q))) for q in (0.5, 0.8, 0.9))
        oracle = LEVEL / (p * math.log(p / REQUIRED) + (1 - p) * math.log((1 - p) / (1 - REQUIRED)))
        table.add_row(
            f"{p:.1%}", f"{mean:.0f}", by, f"{was:.0f}", f"{mean / was:.2f}", str(widened[p]), f"{oracle:.0f}"
        )
    table.add_section()
    for p in (0.85, 0.80, 0.70):
        done = decided_by(REQUIRED, p, ALPHA, units, accept=False)
        by = " / ".join(str(int(np.argmax(done >= q))) for q in (0.5, 0.8, 0.9))
        was = {0.85: 312, 0.80: 91, 0.70: 29}[p]
        oracle = LEVEL / (p * math.log(p / REQUIRED) + (1 - p) * math.log((1 - p) / (1 - REQUIRED)))
        table.add_row(f"{p:.1%}, reject", f"{mean_units(done):.0f}", by, "the same", "1.00", str(was), f"{oracle:.0f}")
    table.caption = "units with 0 / 1 / 2 bad: " + "; ".join(
        f"{rate:.1%}: " + " / ".join(str(b + (good_units_to_accept(0, b, rate) or 0)) for b in range(3))
        for rate in (0.902, 0.95, 0.995)
    )
    return table


def dependence_table(paths: int) -> Table:
    """Of a Markov chain at exactly the required rate. The plain promise is about the units' own chances."""
    table = Table(title=f"Sticky units, P(good) = {REQUIRED:.1%} in the long run, {paths} paths; wrong at any look")
    for name in ("stickiness r", "units", "promise 1: accept", "reject", "plain, of the long run: accept", "reject"):
        table.add_column(name, justify="right")
    table.add_column("stands up to r: accept", justify="right")
    table.add_column("reject", justify="right")
    for units in (SHIFT, 1000):
        looks = np.unique(np.concatenate([np.arange(10, min(units, 200) + 1), np.arange(200, units + 1, 5)]))
        looks = looks[looks <= units]
        for r in (0.0, 0.1, 0.2, 0.3, 0.5):
            found = np.zeros(6)
            for rng, n in pieces(paths, units, [2, units, round(100 * r)]):
                good = chain(rng, n, units, REQUIRED, r)
                accept, reject = ever(good)
                mean = chances_of_chain(good, REQUIRED, r).cumsum(1) / np.arange(1, units + 1)
                wrong = (accept & (mean <= REQUIRED + 1e-12), reject & (mean >= REQUIRED - 1e-12), accept, reject)
                found[:4] += [x.any(1).sum() for x in wrong]
                steps = steps_at(good, looks)
                found[4:] += [crossings(steps, REQUIRED, r, kind).any(1).sum() for kind in (True, False)]
            table.add_row(f"{r:.1f}", str(units), *(share(count, paths) for count in found))
        table.add_section()
    table.caption = (
        "promise 1: decided while the mean, so far, of the units' chances is on the other side of what is asked"
    )
    return table


def drift_table(paths: int, units: int = 1000) -> Table:
    table = Table(title=f"Drift and memory, {units} units, {paths} paths: decided against the mean chance so far")
    for name in ("what happens", "accept", "reject"):
        table.add_column(name)
    half = np.arange(units) / units

    def drawn(kind: str, rng: np.random.Generator, n: int) -> tuple[Bools, Floats]:
        u = rng.random((n, units))
        if kind in fixed:
            p = np.broadcast_to(fixed[kind], u.shape)
            return u < p, p
        good, p = np.zeros(u.shape, dtype=bool), np.full(u.shape, REQUIRED)
        for i in range(units):
            if i:
                rate = good[:, :i].mean(1) if kind.startswith("spite") else good[:, max(0, i - 5) : i].mean(1)
                p[:, i] = np.where(rate < REQUIRED, 0.97, 0.84) if kind.startswith("spite") else 0.80 + 0.11 * rate
            good[:, i] = u[:, i] < p[:, i]
        return good, p

    fixed = {
        "tires: 94 % to 86.4 %": 0.94 - 0.076 * half,
        "learns: 86.4 % to 94 %": 0.864 + 0.076 * half,
        "95 % for 300 units, then 70 %": np.where(half < 0.3, 0.95, 0.70),
    }
    kinds = [*fixed, "spite: 97 % when behind, 84 % when ahead", "moods: 80 % + 11 points of the last five"]
    for number, kind in enumerate(kinds):
        found = np.zeros(2)
        for rng, n in pieces(paths, units, [3, number]):
            good, p = drawn(kind, rng, n)
            accept, reject = ever(good)
            mean = p.cumsum(1) / np.arange(1, units + 1)
            found += [(accept & (mean <= REQUIRED)).any(1).sum(), (reject & (mean >= REQUIRED)).any(1).sum()]
        table.add_row(kind, *(share(count, paths) for count in found))
    return table


def interval_table(paths: int, units: int = 1000) -> Table:
    """The drawn interval, read as a sequence of intervals for the running mean of the chances: not proven."""
    paths = max(100, paths // 4)
    table = Table(title=f"A bound ever on the wrong side of the mean chance so far, {units} units, {paths} paths")
    for name in ("what happens", "lower", "upper"):
        table.add_column(name)
    at = np.arange(units) / units

    def chance(kind: str, i: int, good: Bools, p: Floats) -> Floats | float:
        if kind == "sticky: 95 % after a good one, 60 % after a bad":
            return np.where(good[:, i - 1], 0.95, 0.6) if i else 0.9
        if kind == "spite: 97 % when behind, 84 % when ahead":
            return np.where(good[:, :i].mean(1) < p[:, :i].mean(1), 0.97, 0.84) if i else 0.9
        return {
            "always 90.2 %": REQUIRED,
            "tires: 99 % to 69 %": 0.99 - 0.3 * at[i],
            "learns: 60 % to 99 %": 0.6 + 0.39 * at[i],
            "98 % and 70 %, fifty units each": 0.98 if i // 50 % 2 == 0 else 0.70,
        }[kind]

    kinds = ["always 90.2 %", "tires: 99 % to 69 %", "learns: 60 % to 99 %", "98 % and 70 %, fifty units each"]
    kinds += ["spite: 97 % when behind, 84 % when ahead", "sticky: 95 % after a good one, 60 % after a bad"]
    n = np.arange(1, units + 1)
    for number, kind in enumerate(kinds):
        u = np.random.default_rng([11, number]).random((paths, units))
        good, p = np.zeros(u.shape, dtype=bool), np.zeros(u.shape)
        for i in range(units):
            p[:, i] = chance(kind, i, good, p)
            good[:, i] = u[:, i] < p[:, i]
        won, mean = good.cumsum(1), p.cumsum(1) / n
        low = (won / n > mean) & (log_wealth_high(won, n - won, mean) >= LEVEL)
        high = (won / n < mean) & (log_wealth(n - won, won, 1 - mean) >= LEVEL)
        table.add_row(kind, share(low.any(1).sum(), paths), share(high.any(1).sum(), paths))
    return table


def sticky_power_table(paths: int, units: int = 3000, rho: float = 0.3) -> Table:
    paths = max(100, paths // 4)
    table = Table(title=f"Units to an accept that stands up to {rho}, independent units, {paths} paths, looks every 3")
    for name in ("true rate", "mean", "median", "90 %", "plain: mean"):
        table.add_column(name, justify="right")
    looks = np.arange(30, units + 1, 3)
    plain = boundary(REQUIRED, ALPHA, units)
    for p in (0.95, 0.97, 0.99):
        at = []
        for rng, n in pieces(paths, units, [4, round(1000 * p)]):
            good = chain(rng, n, units, p, 0.0)
            first = np.full(n, units)
            for begun in range(0, len(looks), 20):  # a path that has crossed needs no more looks
                left, here = np.flatnonzero(first == units), looks[begun : begun + 20]
                crossed = crossings(steps_at(good[left, : here[-1]], here), REQUIRED, rho, True)
                first[left[crossed.any(1)]] = here[crossed[crossed.any(1)].argmax(1)]
            at.append(first)
        x = np.concatenate(at)
        spread = f"{x.mean():.0f}", f"{np.median(x):.0f}", f"{np.quantile(x, 0.9):.0f}"
        table.add_row(f"{p:.0%}", *spread, f"{mean_units(walk(plain, p)):.0f}")
    least = {}
    for required in (REQUIRED, 0.995):
        n = np.arange(5, 3000)
        none = np.zeros(len(n))
        least[required] = [
            int(n[accept_evidence(Steps(n - 1 - 2 * b, none + b, none + b, none), required, rho) >= LEVEL][0])
            for b in (0, 1, 2)
        ]
    table.caption = "units with 0 / 1 / 2 bad, apart: " + "; ".join(
        f"{required:.1%}: {' / '.join(map(str, found))}" for required, found in least.items()
    )
    return table


def late_table(paths: int, units: int = 600) -> Table:
    paths = max(200, paths // 4)
    table = Table(
        title=f"Bad units known late: accepted at any look at exactly {REQUIRED:.1%}, {units} units, {paths} paths"
    )
    for name in (
        "bad is known after",
        "in due order (as it is)",
        "in ending order",
        "good rate after 1 h: due",
        "ended",
    ):
        table.add_column(name, justify="right")
    for late_s in (120.0, 900.0, 1800.0, 3600.0):
        rng = np.random.default_rng([5, int(late_s)])
        found, rates = np.zeros(2), np.zeros((2, 2))
        due_edge = boundary(REQUIRED, ALPHA, units)
        for _ in range(paths):
            good = rng.random(units) < REQUIRED
            due_s = rng.exponential(60.0, units).cumsum()
            ends_s = due_s + np.where(good, rng.uniform(60.0, 180.0, units), late_s)
            order = np.argsort(ends_s)
            won = good[order].cumsum()
            upto = np.maximum.accumulate(order) + 1
            n = np.arange(1, units + 1)
            found += [((upto - won) <= due_edge[upto]).any(), ((n - won) <= due_edge[n]).any()]
            judged, ended = due_s <= 7200.0 - late_s, ends_s <= 3600.0
            rates += [[good[judged].sum(), judged.sum()], [good[ended].sum(), ended.sum()]]
        told = rates[:, 0] / rates[:, 1]
        table.add_row(f"{late_s:g} s", *(share(count, paths) for count in found), f"{told[0]:.1%}", f"{told[1]:.1%}")
    table.caption = "due: of a two-hour shift, what fell due by its end less the longest life; ended: in the first hour"
    return table


def shifts_table(paths: int) -> Table:
    paths = max(200, paths // 8)
    table = Table(title=f"Several shifts of {SHIFT} units, mean of shifts = required, {paths} paths, 2 to 40 shifts")
    for name in ("shifts differ", "one shift's accept, of the worker", "of this shift", "shift", "free"):
        table.add_column(name)

    def normal(rng: np.random.Generator, n: int) -> Floats:
        return np.clip(rng.normal(REQUIRED, 0.04, (n, 40)), 0, 1)

    def skewed(rng: np.random.Generator, n: int) -> Floats:
        return np.where(rng.random((n, 40)) < 0.9, 0.95, 0.47)

    kinds: list[tuple[str, Callable[[np.random.Generator, int], Floats]]] = [
        ("not at all", lambda rng, n: np.full((n, 40), REQUIRED)),
        ("normally, sd 4 points", normal),
        ("skewed: 95 % in 9 of 10, 47 % in 1", skewed),
    ]
    for number, (name, draw) in enumerate(kinds):
        rng = np.random.default_rng([6, number])
        p = draw(rng, paths)
        y = rng.binomial(SHIFT, p) / SHIFT
        good = rng.random((paths, SHIFT)) < p[:, :1]
        accept = ever(good)[0].any(1)
        counts = np.cumsum(np.round(y * SHIFT).astype(int), 1)
        t_wrong = free = 0
        for row, won in zip(y, counts, strict=True):
            looks = range(3, 41)
            low = np.array([bounds_of_shifts(row[:n], ALPHA)[0] for n in looks])
            chance = chance_of(1 / SHIFT, 0.0, (SHIFT * (1 - row)).cumsum())  # none sticks
            alike = log_wealth_of_alike(row, REQUIRED, usual_spread(REQUIRED), chance)[2:] >= LEVEL
            n_units = np.arange(3, 41) * SHIFT
            unit_ok = log_wealth_high(won[2:], n_units - won[2:], REQUIRED) >= LEVEL
            t_wrong += bool(((low >= REQUIRED) & unit_ok & alike).any())
            free += any(float(log_wealth_of_means(row[:n], REQUIRED)) >= LEVEL for n in range(2, 41))
        table.add_row(
            name,
            share(accept.sum(), paths),
            share((accept & (p[:, 0] <= REQUIRED)).sum(), paths),
            share(t_wrong, paths),
            share(free, paths),
        )
    rng = np.random.default_rng(7)
    needed = []
    for rate in (0.97, 0.99, 1.0):
        y = rng.binomial(SHIFT, rate, 200) / SHIFT
        needed.append(next((n for n in range(2, 200) if float(log_wealth_of_means(y[:n], REQUIRED)) >= LEVEL), 200))
    table.caption = (
        "one shift's accept: promise 1 is about this shift; of the worker it is wrong as often as shifts differ.\n"
        f"shifts that `free` takes at 97, 99, 100 %: {', '.join(map(str, needed))}"
    )
    return table


def mtbf_table(paths: int) -> Table:
    table = Table(title=f"MTBF's lower bound, constant failure rate, looked at continuously, {paths} paths")
    for name in ("up to so many failures", "as it is", "chi-square (SEMI E10)"):
        table.add_column(name, justify="right")
    ends = np.random.default_rng(8).exponential(1.0, (paths, 200)).cumsum(1)
    ours = np.array([mtbf_lower_s(1.0, r) for r in range(200)], dtype=float)
    usual = 2 / chi2.ppf(0.95, 2 * np.arange(200) + 2)
    for most in (3, 10, 50, 200):
        wrong = [(ends[:, :most] * bound[:most] > 1).any(1).sum() for bound in (ours, usual)]
        table.add_row(str(most), *(share(count, paths) for count in wrong))
    ratios = ", ".join(f"{1 / x:.2f}" for x in ours[:3])
    table.caption = f"productive time / bound after 0, 1, 2 failures: {ratios}"
    return table


def planning_table(paths: int) -> Table:
    table = Table(title="`takt plan`: units by which a verdict has come in 50 / 80 / 90 % of shifts, exact")
    for name in ("required", "true", "as it is", "the audit's (older bet)"):
        table.add_column(name, justify="right")
    audit = {(0.902, 0.95): "187 / 344 / 451", (0.902, 0.97): "88 / 140 / 187", (0.902, 0.99): "45 / 68 / 88"}
    audit |= {(0.95, 0.99): "135 / 211 / 245", (0.99, 0.999): "450 / 683 / 882"}
    for (required, true), was in audit.items():
        found = [units_needed(required, true, chance) for chance in (0.5, 0.8, 0.9)]
        table.add_row(f"{required:.1%}", f"{true:.1%}", " / ".join(str(n.units) for n in found if n), was)
    return table


def horizon_table(paths: int) -> Table:
    """F7's horizon: alpha' such that the chance of an accept by unit N is alpha. Not taken; see the caption."""
    table = Table(title=f"If the shift's length N = {SHIFT} were known and used (not built), exact")
    for name in ("true rate", "as it is: mean of at most N", "accepted by N", "with a horizon: mean", "accepted by N"):
        table.add_column(name, justify="right")
    low, high = ALPHA, 0.5
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if decided_by(REQUIRED, REQUIRED, middle, SHIFT)[-1] <= ALPHA else (low, middle)
    now, then = (boundary(REQUIRED, a, SHIFT) for a in (ALPHA, low))
    for p in (0.95, 0.97, 0.99):
        cells = [x for edge in (now, then) for x in (f"{mean_units(walk(edge, p)):.0f}", f"{walk(edge, p)[-1]:.1%}")]
        table.add_row(f"{p:.0%}", *cells)
    table.caption = (
        f"alpha' = {low:.4f}. It is proven for independent units only, and void when a shift is gone on with: not the "
        "promise that the verdict makes.\nSo the shorter shift that it buys is not offered."
    )
    return table


TABLES = {
    "exact": exact_table,
    "power": power_table,
    "late": late_table,
    "dependence": dependence_table,
    "drift": drift_table,
    "interval": interval_table,
    "sticky": sticky_power_table,
    "shifts": shifts_table,
    "mtbf": mtbf_table,
    "plan": planning_table,
    "horizon": horizon_table,
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
        console.print(TABLES[name](given.paths))
        console.print(f"[dim]{time.perf_counter() - began:.0f} s so far[/dim]\n")


if __name__ == "__main__":
    main()
