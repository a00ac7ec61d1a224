"""Compare: the events of two or more workers' shifts -> which is better, whenever you look. docs/compare.md has more.

Workers are compared on the same units: randomness is keyed by (seed, unit, stream), so unit k of a seed is the same
work for all of them (common random numbers). Two workers are judged by their difference at each unit, -1, 0 or +1. Two
sequences bound the mean of these:

    by unit    every unit is one observation, as in `takt.verdict`: about these units, under any dependence;
    by shift   every whole shift is one observation, its mean taken to be about normal: units of a shift share wear and
               backlog as much as they like;
    free       the same whatever the distribution of shifts: it takes some 30 of them.

The verdict is by unit if there is one shift. If there are several it takes the wider of the first two at each end,
because each is right where the other may not be: shifts few and alike by luck, units clustered. docs/compare.md says
what is promised of which.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from takt.contract.costs import currency_of, range_of
from takt.contract.events import Event
from takt.contract.figure import counted
from takt.contract.station import TaktError
from takt.judge.capability import capability
from takt.judge.compared_shifts import (
    WHOLE,
    ComparedShift,
    Costs,
    check_comparable,
    cut_off,
    differences,
    listed,
    of_seeds,
    too_short,
    with_lost,
)
from takt.judge.comparison import (
    ALIKE,
    BETTER,
    UNDECIDED,
    WORSE,
    Comparison,
    Cost,
    Pair,
    Standing,
    Unpaired,
    ends,
    points,
)
from takt.judge.sequences import (
    TELLING,
    bounds_of_means,
    bounds_of_shifts,
    bounds_of_signs,
    closed,
    log_wealth,
    sure_signs,
    telling,
)
from takt.judge.verdict import Bound

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def compare(
    shifts: Mapping[str, Sequence[Iterable[Event]]],
    *,
    alpha: float = 0.05,
    margin: float | None = None,
    by: str = "auto",
    several: bool | None = None,
    may_differ: Collection[str] = (),
    costs: Costs | None = None,
) -> Comparison:
    """Compare workers: `shifts` has the events of the shifts of each, by its name, finished or still running.

    margin      say "alike" once the difference is surely no larger.
    by          "auto" is by shift if there are several seeds (or are to be: `several`), else by unit.
                "free" is by shift whatever the distribution of shifts.
    may_differ  options of the station that need not be the same.
    costs       how the station says what each unit cost, if it does: `Costing.unit_costs`.

    Raises TaktError if they are not comparable. Seeds that not all of them have worked are left out, and named.
    """
    shifts = {name: [list(events) for events in of] for name, of in shifts.items()}
    check_comparable(shifts, alpha, margin, by)
    worked = {name: of_seeds(name, [ComparedShift.of(events, costs) for events in of]) for name, of in shifts.items()}
    seeds = [seed for seed in next(iter(worked.values())) if all(seed in mine for mine in worked.values())]
    if not seeds:
        told = "; ".join(f"{name} has {listed(mine)}" for name, mine in worked.items())
        raise TaktError(f"the workers cannot be compared, for they have no seed in common: {told}")
    rounds = [{name: mine[seed] for name, mine in worked.items()} for seed in seeds]
    notes = differences(rounds, may_differ)
    for name, mine in worked.items():
        missing = [seed for seed in mine if seed not in seeds]
        notes += [f"left out: seed {listed(missing)}, which not all have worked"] if missing else []
        notes += [f"{name} has not ended seed {seed}" for seed in seeds if not mine[seed].ended]
        notes += [
            f"{name} ended seed {seed} by {mine[seed].ended!r}, so that is no whole shift"
            for seed in seeds
            if mine[seed].ended not in (*WHOLE, "", "broken_plan")
        ]
        notes += cut_off(name, [mine[seed] for seed in seeds])
    notes += too_short(worked, seeds)
    rounds = [with_lost(shifts_of_seed) for shifts_of_seed in rounds]
    if by == "auto":
        by = "shift" if (len(seeds) > 1 if several is None else several) else "unit"
    named = list(combinations(shifts, 2))
    each = alpha / len(named)
    pairs = [_judged(a, b, [(r[a], r[b]) for r in rounds], each, margin, by) for a, b in named]
    if by == "unit" and margin is None:
        pairs = _closed(pairs, alpha)
    notes += [
        f"{pair.a} or {pair.b} did other work than the other at {counted(pair.unpaired.other_work)} of the same number"
        for pair in pairs
        if pair.unpaired.other_work
    ]
    return Comparison(
        station=str(rounds[0][named[0][0]].started["station"]),
        seeds=seeds,
        standings=_standings(rounds),
        pairs=pairs,
        alpha=alpha,
        each_alpha=each,
        margin=margin,
        notes=list(dict.fromkeys(notes)),
    )


def curve(
    shifts: Mapping[str, Sequence[Iterable[Event]]], a: str, b: str, alpha: float
) -> tuple[list[float], list[float], list[float]]:
    """Difference, lower and upper bound by unit after each pair of units: what `compare` said, or would have, then."""
    worked = {name: of_seeds(name, [ComparedShift.of(events) for events in of]) for name, of in shifts.items()}
    seeds = [seed for seed in worked[a] if all(seed in mine for mine in worked.values())]
    rounds = [with_lost({name: mine[seed] for name, mine in worked.items()}) for seed in seeds]
    signs = _Signs.of([(r[a], r[b]) for r in rounds])
    lower, upper = bounds_of_signs(signs.sign, alpha)
    return (signs.sign.cumsum() / np.arange(1, len(signs.sign) + 1)).tolist(), lower.tolist(), upper.tolist()


@dataclass(frozen=True, slots=True)
class _Signs:
    """The pairs of units of two workers, shift by shift, in the order of their numbers; each array is (n,).

    sign       good of a minus good of b.
    shift      which shift, counted from 0; `whole`: of those, which can stand as one figure.
    a, b_cost  NaN where it is not said.
    """

    sign: Floats
    a_good: Bools
    shift: NDArray[np.int_]
    whole: Bools
    a_cost: Floats
    b_cost: Floats
    unpaired: Unpaired

    @classmethod
    def of(cls, shifts: Sequence[tuple[ComparedShift, ComparedShift]]) -> _Signs:
        rows: list[tuple[int, bool, bool, float, float]] = []
        left = [0, 0, 0, 0, 0]
        for number, (a, b) in enumerate(shifts):
            for unit in sorted(set(a.good) & set(b.good)):
                if a.work.get(unit) != b.work.get(unit):
                    left[4] += 1
                    continue
                costs = a.costs.get(unit, math.nan), b.costs.get(unit, math.nan)
                rows.append((number, a.good[unit], b.good[unit], *costs))
            only_b, only_a = set(b.good) - set(a.good), set(a.good) - set(b.good)
            for i, count in enumerate((len(only_b), len(only_a), a.caused, b.caused)):
                left[i] += count
        table = np.array(rows, dtype=float).reshape(-1, 5)
        sign, shift = table[:, 1] - table[:, 2], table[:, 0].astype(int)
        return cls(
            sign=sign,
            a_good=table[:, 1] > 0,
            shift=shift,
            whole=np.array([all(w.ended in (*WHOLE, "broken_plan") for w in pair) for pair in shifts]),
            a_cost=table[:, 3],
            b_cost=table[:, 4],
            unpaired=Unpaired(*left),
        )

    def by_shift(self, x: Floats) -> Floats:
        """The mean of x (n,) in each whole shift that has any."""
        there = [x[self.shift == number] for number in np.flatnonzero(self.whole)]
        return np.array([mine.mean() for mine in there if len(mine)])


def _judged(
    a: str, b: str, shifts: Sequence[tuple[ComparedShift, ComparedShift]], alpha: float, margin: float | None, by: str
) -> Pair:
    signs = _Signs.of(shifts)
    n = len(signs.sign)
    plus, minus, both = (int(x.sum()) for x in (signs.sign > 0, signs.sign < 0, (signs.sign == 0) & signs.a_good))
    unit = Bound(-1.0, 1.0)
    if n:
        unit = Bound(*(float(end[-1]) for end in bounds_of_signs(signs.sign, alpha, last=True)))
    means = signs.by_shift(signs.sign)
    shift = Bound(*(min(1.0, max(-1.0, end)) for end in bounds_of_shifts(means, alpha)))
    known = shift if shift != Bound(-1.0, 1.0) else None
    free = Bound(*bounds_of_means(means, -1.0, 1.0, alpha)) if len(means) > 1 else None
    wider = Bound(min(unit.lower, shift.lower), max(unit.upper, shift.upper))
    taken = {"unit": unit, "shift": wider, "free": free or Bound(-1.0, 1.0)}[by]
    sure = np.flatnonzero(sure_signs(signs.sign, alpha))
    pair = Pair(
        a=a,
        b=b,
        decision=UNDECIDED,
        why="",
        units=n,
        both=both,
        only_a=plus,
        only_b=minus,
        neither=n - plus - minus - both,
        difference=(plus - minus) / n if n else None,
        lower=taken.lower,
        upper=taken.upper,
        by=by,
        by_unit=unit,
        by_shift=known,
        by_shift_free=free,
        shifts=len(means),
        sure_after=int(sure[0]) + 1 if len(sure) else None,
        unpaired=signs.unpaired,
        lost_a=sum(one.lost for one, _ in shifts),
        lost_b=sum(other.lost for _, other in shifts),
        cost=_cost(signs, alpha, by, shifts[0][0].started),
    )
    return _decided(pair, margin)


def _closed(pairs: Sequence[Pair], alpha: float) -> list[Pair]:
    """The pairs, decided by closed testing of all directions: no pair is lost that its own bound decides, and some are
    won once others are sure. Bounds stay at alpha / pairs each."""
    ties = [pair.units - pair.only_a - pair.only_b for pair in pairs]
    owned = [
        log_wealth([pair.only_a, pair.only_b], [tie, tie], [pair.only_b, pair.only_a], 0.0)
        for pair, tie in zip(pairs, ties, strict=True)
    ]
    sure = closed(np.concatenate(owned), alpha).reshape(-1, 2)
    found = []
    for pair, (a_better, b_better) in zip(pairs, sure.tolist(), strict=True):
        if pair.decision == UNDECIDED and a_better != b_better:
            name = pair.a if a_better else pair.b
            counts = f"only {pair.a} good in {pair.only_a} of {counted(pair.units)}, only {pair.b} in {pair.only_b}"
            why = f"{counts}; {name} is better, all pairs taken together; the pair's own bound, "
            why += f"{ends(pair.by_unit)} points, contains 0"
            pair = replace(pair, decision=BETTER if a_better else WORSE, why=why)
        found.append(pair)
    return found


def _cost(signs: _Signs, alpha: float, by: str, started: Mapping[str, Any]) -> Cost | None:
    """Of the difference in cost; `started` says in which currency, and between what ends a unit's cost lies."""
    ends, currency = range_of(started), currency_of(started)
    every = signs.a_cost - signs.b_cost
    told = ~np.isnan(every)
    if not told.any():
        return None
    x = every[told]
    found: list[tuple[float, float]] = []
    if telling(x) >= TELLING:
        if ends is not None and by in ("unit", "shift"):
            most = float(ends[1]) - float(ends[0])
            if np.abs(x).max() <= most:  # else the station does not keep to what it declares
                found.append(bounds_of_means(x, -most, most, alpha))
        if by in ("shift", "free"):
            means = signs.by_shift(every)
            found.append(bounds_of_shifts(means[~np.isnan(means)], alpha))
    lower, upper = (min(low for low, _ in found), max(high for _, high in found)) if found else (-math.inf, math.inf)
    a_mean, b_mean, mean = float(signs.a_cost[told].mean()), float(signs.b_cost[told].mean()), float(x.mean())
    if math.isinf(lower) or math.isinf(upper):
        return Cost(len(x), a_mean, b_mean, mean, None, None, "", currency)
    return Cost(len(x), a_mean, b_mean, mean, lower, upper, "unit" if by == "unit" else "shift", currency)


def _decided(pair: Pair, margin: float | None) -> Pair:
    """The decision, and the sentence for it."""
    if not pair.units:
        return replace(pair, why="no unit counts for both, so nothing can be said of them")
    counts = f"only {pair.a} good in {pair.only_a} of {counted(pair.units)}, only {pair.b} in {pair.only_b}"
    over = "" if pair.by == "unit" else f" over {pair.shifts} whole shifts"
    bound = f"{points(pair.lower)} to {points(pair.upper)} points"
    if pair.lower > 0:
        why = f"{counts}; {pair.a} is better by at least {points(pair.lower)} points{over}"
        return replace(pair, decision=BETTER, why=why)
    if pair.upper < 0:
        why = f"{counts}; {pair.b} is better by at least {points(-pair.upper)} points{over}"
        return replace(pair, decision=WORSE, why=why)
    if margin is not None and -margin <= pair.lower and pair.upper <= margin:
        why = f"{counts}; no difference larger than {100 * margin:g} points: the bound{over} is {bound}"
        return replace(pair, decision=ALIKE, why=why)
    if pair.by == "shift" and pair.by_shift is None:
        shifts = f"{pair.shifts} whole shift{'' if pair.shifts == 1 else 's'}"
        return replace(pair, why=f"{counts}; {shifts} cannot show how much shifts differ")
    return replace(pair, why=f"{counts}; the bound{over}, {bound}, contains 0")


def _standings(rounds: Sequence[Mapping[str, ComparedShift]]) -> list[Standing]:
    found = []
    common = [set.intersection(*(set(shift.good) for shift in shifts.values())) for shifts in rounds]
    units, currency = sum(map(len, common)), currency_of(next(iter(rounds[0].values())).started)
    for name in rounds[0]:
        mine = [(shifts[name], here) for shifts, here in zip(rounds, common, strict=True)]
        good = sum(shift.good[unit] for shift, here in mine for unit in here)
        costs = [shift.costs[unit] for shift, here in mine for unit in here if unit in shift.costs]
        cost = sum(costs) / len(costs) if costs and len(costs) == units else None
        levels = capability([shift.times_s.get(unit, math.inf) for shift, here in mine for unit in here])
        found.append(Standing(name, units, good, good / units if units else None, cost, currency, levels))
    return sorted(found, key=lambda standing: -(standing.good_rate or 0.0))
