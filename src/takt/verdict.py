"""Verdict: a shift's events -> accept, reject or undecided, valid however often you look. docs/verdict.md explains it.

The unit's outcome is a coin with an unknown chance p of "good"; the job asks p >= p0. After S good and F bad units,

    M(m) = mean over t of  q^S (1-q)^F / (m^S (1-m)^F),  where q has the odds  q/(1-q) = t m/(1-m)  and  1/t ~ U(0, 1)

is what a gambler owns who started with 1 and bet, against odds that are fair if p = m, that p is above m, his stake
spread over all the higher q. Against a true p <= m the bet cannot gain: M is a nonnegative supermartingale, so
P(M ever reaches 1/alpha) <= alpha (Ville 1939). The set of m not yet refuted is therefore a confidence sequence: a
betting one (Waudby-Smith & Ramdas, JRSSB 2024) whose bets are mixed as Robbins (1970) did, here in closed form by the
incomplete beta function. The upper bound is the same game played on "bad".

What is promised, if a unit's chance of being good does not depend on the units before it:

    P(ever accept) <= alpha   at a worker that falls short of the good rate or of the cycle time asked for;
    P(ever reject) <= alpha   at a worker that meets both.

Units of one shift may depend on each other. The counts are then divided by a widening >= 1 (see `widenings`), which can
only move the bounds apart: the promise above is kept, and under dependence it is nearly kept (benchmarks/verdict.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincc, betaln, gammaln, xlog1py, xlogy

from takt.events import SHIFT_STARTED, UNIT_BAD, UNIT_GOOD, Event

BELIEF = 0.1  # correlation of successive units that is assumed, at the weight of one bad unit, before any is seen
MOST_CORRELATION = 0.95
HALVINGS = 50  # of the interval that holds a bound: to 1e-15
UNDERFLOW = 1e-290

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bound:
    """A rate is at least `lower` and at most `upper`, at every moment of the shift at once."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Cycles:
    """The second thing that the job asks: `quantile` of the cycle times within `limit_s`.

    finished, within   units that have a cycle time, and how many of those are within the limit.
    lower, upper       bound of their share.
    """

    limit_s: float
    quantile: float
    finished: int
    within: int
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Dependence:
    """Whether a unit is likelier to be bad right after a bad one, in this shift so far.

    correlation   P(bad | the one before bad) - P(bad | the one before good): the lag-1 correlation of a Markov chain.
                  None until there was both a good and a bad unit to follow.
    bad_runs      how many unbroken runs of bad units there were.
    p             chance of that few runs or fewer if the same units came in random order (see `runs_p`); None before
                  the first bad unit. It is for one look, at the end; the widening does not wait for it.
    widening      what the counts of good and bad units were divided by.
    """

    correlation: float | None
    bad_runs: int
    p: float | None
    widening: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict after the units that have ended so far.

    decision       "accept", "reject" or "undecided".
    why            the same in one sentence.
    required       the good rate that the job asks.
    good_rate      good / units; None before the first unit.
    lower, upper   bound of the good rate: each wrong with a chance of at most alpha, whenever one looks (`upper` of
                   alpha / 2 if there is a cycle limit too).
    cycles         None if the job has no limit.
    """

    decision: str
    why: str
    required: float
    good_rate: float | None
    lower: float
    upper: float
    units: int
    good: int
    alpha: float
    cycles: Cycles | None
    dependence: Dependence


def verdict(events: Iterable[Event], *, alpha: float = 0.05, widen: bool = True) -> Verdict:
    """The verdict on the shift whose ledger `events` is, finished or still running.

    The job is in `shift_started`; without it, all units must be good, as `takt.station.Acceptance` has it by default.
    `widen=False` takes the units' independence for granted.
    """
    job = _Job.of(events, alpha)
    lower, upper = _bounds(job.good, *job.alphas, widen, last=True)
    units, good, limit = len(job.good), int(job.good.sum()), job.limit_s
    cycles = None
    if limit is not None:
        share = _bounds(job.within, *job.alphas, widen, last=True)
        within = int(job.within.sum())
        cycles = Cycles(limit, job.quantile, len(job.within), within, float(share[0][-1]), float(share[1][-1]))
    found = Verdict(
        decision="undecided",
        why="",
        required=job.required,
        good_rate=good / units if units else None,
        lower=float(lower[-1]),
        upper=float(upper[-1]),
        units=units,
        good=good,
        alpha=alpha,
        cycles=cycles,
        dependence=dependence(job.good, widen),
    )
    return _decided(found)


def bounds_over_time(events: Iterable[Event], *, alpha: float = 0.05, widen: bool = True) -> list[Bound]:
    """The bound of the good rate after each unit: what `verdict` said, or would have said, then."""
    job = _Job.of(events, alpha)
    if not len(job.good):
        return []
    lower, upper = _bounds(job.good, *job.alphas, widen)
    return [Bound(low, high) for low, high in zip(lower.tolist(), upper.tolist(), strict=True)]


def dependence(good: Bools, widen: bool = True) -> Dependence:
    """Do bad units come in clusters?"""
    bad = ~good
    after_bad, after_good = good[1:][bad[:-1]], good[1:][good[:-1]]
    both = len(after_bad) and len(after_good)
    runs = int(bad[:1].sum() + (bad[1:] & good[:-1]).sum())
    return Dependence(
        correlation=float(after_good.mean() - after_bad.mean()) if both else None,
        bad_runs=runs,
        p=runs_p(int(good.sum()), int(bad.sum()), runs) if runs else None,
        widening=float(widenings(good)[-1]) if widen and len(good) else 1.0,
    )


# --- The statistics ---------------------------------------------------------------------------------------------------


def log_wealth(good: ArrayLike, bad: ArrayLike, rate: ArrayLike) -> Floats:
    """log M(m) after so many good and bad units, which need not be whole numbers. Arrays are taken element by element.

    M(m) = B(F+1, S-1) I(F+1, S-1; 1-m) / (m^(S-1) (1-m)^(F+1)), with B the beta function and I the regularised
    incomplete one (DLMF 8.17). Where I underflows (m far above S/(S+F)) it is 2F1(S+F, 1; F+2; 1-m) / (F+1) (DLMF
    8.17.8), whose terms are positive and shrink at once. One good unit or less is taken to have won nothing (M = 0,
    which is on the safe side): B is not defined there.
    """
    s, f, m = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (good, bad, rate)))
    known = s > 1
    rest = np.where(known, s - 1, 1.0)
    tail = betaincc(rest, f + 1, m)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_m = np.asarray(betaln(f + 1, rest) + np.log(tail) - xlog1py(f + 1, -m) - xlogy(rest, m))
    tiny = known & (tail < UNDERFLOW)
    if tiny.any():
        s, f, m = s[tiny], f[tiny], m[tiny]
        term, total, k = np.ones_like(m), np.ones_like(m), 0
        while (term > 1e-17 * total).any():
            term = term * (1 - m) * (s + f + k) / (f + 2 + k)
            total = total + term
            k += 1
        log_m[tiny] = np.log(total / (f + 1))
    return np.where(known, log_m, -np.inf)


def lower_bound(good: ArrayLike, bad: ArrayLike, alpha: float) -> Floats:
    """The highest rate that is refuted: the m at which M(m) = 1/alpha, or 0 if there is none.

    M falls as m rises, from infinity to 1/(F+1), and is at most 1 where m is S/(S+F) (docs/verdict.md). So there is
    one such m, below S/(S+F), and halving finds it; what is returned is the refuted end of the last interval.
    """
    s, f = np.broadcast_arrays(np.asarray(good, dtype=float), np.asarray(bad, dtype=float))
    low, high = np.zeros(s.shape), s / np.maximum(s + f, np.finfo(float).tiny)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        refuted = log_wealth(s, f, middle) >= -np.log(alpha)
        low, high = np.where(refuted, middle, low), np.where(refuted, high, middle)
    return low


def widenings(good: Bools) -> Floats:
    """What to divide the counts by after each unit (last axis) because units depend on each other: at least 1.

    Successive outcomes of correlation r, as a two-state Markov chain has them, make the variance of a rate larger by
    the design effect (1+r)/(1-r) (Kish 1965; for chains Geyer 1992), as if there were that many fewer units. r is
    estimated from the shift itself, P(bad | bad before) - P(bad | good before), and drawn towards BELIEF by the weight
    of one bad unit: a run without failures cannot show whether failures would come in clusters. Below 0 it counts as 0.
    """
    bad = ~good
    before, after = bad[..., :-1], bad[..., 1:]
    n_bad, n_good = before.cumsum(-1), (~before).cumsum(-1)
    bad_bad, good_bad = (before & after).cumsum(-1), (~before & after).cumsum(-1)
    weight = np.minimum(n_bad, n_good)  # of the rarer outcome
    correlation = np.where(weight > 0, bad_bad / np.maximum(n_bad, 1) - good_bad / np.maximum(n_good, 1), 0.0)
    drawn = np.full(good.shape, BELIEF)
    drawn[..., 1:] = (weight * correlation + BELIEF) / (weight + 1)
    r = drawn.clip(0.0, MOST_CORRELATION)
    return np.asarray((1 + r) / (1 - r))


def runs_p(good: int, bad: int, runs: int) -> float:
    """P(at most so many runs of bad units), if all orders of the units are equally likely: the exact runs test.

    The number of runs is hypergeometric (Stevens 1939; Mood 1940): C(F-1, r-1) C(S+1, r) / C(S+F, F). A small p says
    that bad units cluster. It is exact with few failures: two in a row of 142 units have p = 141 / C(142, 2) = 0.014.
    """
    r = np.arange(1, runs + 1)
    logs = _log_choose(bad - 1, r - 1) + _log_choose(good + 1, r) - _log_choose(good + bad, np.asarray(bad))
    return min(1.0, float(np.exp(logs).sum()))


def _log_choose(n: int, k: NDArray[np.int_]) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _bounds(
    good: Bools, accept_alpha: float, reject_alpha: float, widen: bool, last: bool = False
) -> tuple[Floats, Floats]:
    """Lower and upper bound after each unit, or only after the last. Before the first: 0 and 1."""
    if not len(good):
        return np.zeros(1), np.ones(1)
    s = good.cumsum().astype(float)
    f = np.arange(1, len(good) + 1) - s
    if widen:
        d = widenings(good)
        s, f = s / d, f / d
    if last:
        s, f = s[-1:], f[-1:]
    return lower_bound(s, f, accept_alpha), 1.0 - lower_bound(f, s, reject_alpha)


# --- From events, to words --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """What was asked and what came out. `alphas` are for each bound that can accept, and for each that can reject."""

    required: float
    limit_s: float | None
    quantile: float
    good: Bools  # of each unit that has ended
    within: Bools  # of each unit that has a cycle time
    alphas: tuple[float, float]

    @classmethod
    def of(cls, events: Iterable[Event], alpha: float) -> _Job:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is a chance of error between 0 and 1, not {alpha:g}")
        asked: Mapping[str, Any] = {}
        good, within = [], []
        limit_s: float | None = None
        for event in events:
            if event.kind == UNIT_GOOD or event.kind == UNIT_BAD:
                good.append(event.kind == UNIT_GOOD)
                if limit_s is not None:
                    cycle_s = event.data.get("cycle_s")
                    if cycle_s is not None or good[-1]:
                        within.append(cycle_s is not None and cycle_s <= limit_s)
            elif event.kind == SHIFT_STARTED:
                asked = event.data.get("acceptance") or {}
                limit_s = asked.get("cycle_s")
        return cls(
            required=float(asked.get("good_rate", 1.0)),
            limit_s=limit_s,
            quantile=float(asked.get("quantile", 0.95)),
            good=np.array(good, dtype=bool),
            within=np.array(within, dtype=bool),
            alphas=(alpha, alpha if limit_s is None else alpha / 2),
        )


def _decided(v: Verdict) -> Verdict:
    """The decision, and the sentence for it."""
    c = v.cycles
    if not v.units:
        return replace(v, why="no unit has ended yet")
    rate = f"{v.good} of {v.units} good"
    times = f"{c.within} of {c.finished} cycle times within {c.limit_s:g} s" if c else ""
    asked = f"required {100 * v.required:.4g} %"
    asked_times = f"required {100 * c.quantile:.4g} %" if c else ""
    clusters = v.dependence.p is not None and v.dependence.p < 0.05 and v.dependence.widening > 1
    note = f"; bad units come in clusters, so every {v.dependence.widening:.1f} units count as one" if clusters else ""
    if v.good < v.units and v.required >= 1.0:
        return replace(v, decision="reject", why=f"{rate}; every unit must be")
    if v.upper < v.required:
        why = f"{rate}; the rate is at most {_percent(v.upper)}, {asked}"
        return replace(v, decision="reject", why=why + note)
    if c and c.upper < c.quantile:
        return replace(v, decision="reject", why=f"{times}; their share is at most {_percent(c.upper)}, {asked_times}")
    if v.lower < v.required:
        why = f"{rate}; the bound {100 * v.lower:.1f} to {_percent(v.upper)} contains {100 * v.required:.4g} %"
        return replace(v, why=why + note)
    why = f"{rate}; the rate is at least {_percent(v.lower)}, {asked}"
    if c and c.lower < c.quantile:
        why += f"; but {times}: the bound {100 * c.lower:.1f} to {_percent(c.upper)} contains {100 * c.quantile:.4g} %"
        return replace(v, why=why)
    if c:
        why += f"; {times}, at least {_percent(c.lower)}, {asked_times}"
    return replace(v, decision="accept", why=why)


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
