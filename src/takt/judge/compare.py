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

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from takt.contract.events import UNIT_DUE, Event
from takt.contract.station import TaktError
from takt.judge.capability import Level, capability, times_of
from takt.judge.outcomes import Outcomes
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
from takt.judge.verdict import RULES, Bound
from takt.ledger import canonical

BETTER, WORSE, ALIKE, UNDECIDED = "a_better", "b_better", "alike", "undecided"
BY = ("auto", "unit", "shift", "free")
WHOLE = ("time", "units")  # why a shift ends that is a figure of its own
SAME = ("station", "options", "seed", "clock", "faults")

Costs = Callable[[Sequence[Event]], Mapping[int, float]]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cost:
    """The difference in EUR per unit of the pairs whose station says what both units cost, a minus b.

    lower, upper   its bound, None if there is none: by unit only where the station declares between what ends a unit's
                   cost lies, by shift only if shifts' means are about normal; and not before some 20 differences tell.
    by             "unit", "shift" (the wider of both, or the only one there is); "" if there is no bound.
    """

    units: int
    a_eur: float
    b_eur: float
    difference_eur: float
    lower_eur: float | None
    upper_eur: float | None
    by: str


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Units that were left out.

    open_a, open_b       counted for the other, not (or not yet) for this one.
    caused_a, caused_b   caused by the worker itself: numbered behind the station's own.
    other_work           ended by both, but not the same work.
    """

    open_a: int
    open_b: int
    caused_a: int
    caused_b: int
    other_work: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers, `a` the one that was named first.

    decision       "a_better", "b_better", "alike" (no difference larger than the margin) or "undecided". By unit and
                   without a margin, directions of all pairs are tested together (`sequences.closed`).
    units          how many were compared: both good, only one of them, neither.
    difference     good rate of a minus that of b; None before the first unit.
    lower, upper   its bound, by what `by` says: "unit", "shift" (the wider of both) or "free".
    by_unit        the bound by unit; `by_shift`: by shift, if shifts' means are about normal, None while there are too
                   few whole `shifts`; `by_shift_free`: by shift, whatever their distribution.
    sure_after     units after which the bound by unit excluded 0 for the first time; None if it never did.
    lost_a, lost_b units counted as bad because the worker broke its contract before them.
    """

    a: str
    b: str
    decision: str
    why: str
    units: int
    both: int
    only_a: int
    only_b: int
    neither: int
    difference: float | None
    lower: float
    upper: float
    by: str
    by_unit: Bound
    by_shift: Bound | None
    by_shift_free: Bound | None
    shifts: int
    sure_after: int | None
    unpaired: Unpaired
    lost_a: int
    lost_b: int
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One worker, on the units that all of them ended. `capability` is what cycle time it holds there."""

    worker: str
    units: int
    good: int
    good_rate: float | None
    cost_eur: float | None
    capability: list[Level]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be said of these workers so far. `asdict` of it is valid JSON.

    standings   best good rate first; only what `pairs` says is proven.
    alpha       chance of an error anywhere; `each_alpha` = alpha / pairs (Bonferroni) is that of one pair.
    margin      the difference that does not matter, or None.
    notes       what a reader must know: options that differ, shifts that have not ended, a word each.
    """

    station: str
    seeds: list[int]
    standings: list[Standing]
    pairs: list[Pair]
    alpha: float
    each_alpha: float
    margin: float | None
    notes: list[str]

    @property
    def decided(self) -> bool:
        return all(pair.decision != UNDECIDED for pair in self.pairs)


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
    _check(shifts, alpha, margin, by)
    worked = {name: _by_seed(name, [_Shift.of(events, costs) for events in of]) for name, of in shifts.items()}
    seeds = [seed for seed in next(iter(worked.values())) if all(seed in mine for mine in worked.values())]
    if not seeds:
        told = "; ".join(f"{name} has {_listed(mine)}" for name, mine in worked.items())
        raise TaktError(f"the workers cannot be compared, for they have no seed in common: {told}")
    rounds = [{name: mine[seed] for name, mine in worked.items()} for seed in seeds]
    notes = _differences(rounds, may_differ)
    for name, mine in worked.items():
        missing = [seed for seed in mine if seed not in seeds]
        notes += [f"left out: seed {_listed(missing)}, which not all have worked"] if missing else []
        notes += [f"{name} has not ended seed {seed}" for seed in seeds if not mine[seed].ended]
        notes += [
            f"{name} ended seed {seed} by {mine[seed].ended!r}, so that is no whole shift"
            for seed in seeds
            if mine[seed].ended not in (*WHOLE, "", "broken_plan")
        ]
    notes += _too_short(worked, seeds)
    rounds = [_with_lost(shifts_of_seed) for shifts_of_seed in rounds]
    if by == "auto":
        by = "shift" if (len(seeds) > 1 if several is None else several) else "unit"
    named = list(combinations(shifts, 2))
    each = alpha / len(named)
    pairs = [_judged(a, b, [(r[a], r[b]) for r in rounds], each, margin, by) for a, b in named]
    if by == "unit" and margin is None:
        pairs = _closed(pairs, alpha)
    notes += [
        f"{pair.a} or {pair.b} did other work than the other at {pair.unpaired.other_work} units of the same number"
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


def _too_short(worked: Mapping[str, Mapping[int, _Shift]], seeds: Sequence[int]) -> list[str]:
    """Shifts that time ended before any of their units had all its time, in one sentence."""
    every = [(name, seed, mine[seed]) for name, mine in worked.items() for seed in seeds]
    short = [(name, seed, one) for name, seed, one in every if one.ended == "time" and not one.good and one.life_s]
    if not short:
        return []
    whose = {name: _listed(seed for other, seed, _ in short if other == name) for name, _, _ in short}
    told = "; ".join(f"{name}'s shift of seed {listed}" for name, listed in whose.items())
    told = "every shift" if len(short) == len(every) else told
    life_s = max(one.life_s or 0.0 for _, _, one in short)
    return [
        f"{told} is shorter than the {life_s:,.0f} s that a unit may take here, so no unit of it had all its time and "
        f"none counts; work shifts well above {life_s / 3600:.2g} h"
    ]


def by_worker(shifts: Sequence[tuple[str, Sequence[Event]]]) -> dict[str, list[Sequence[Event]]]:
    """Shifts with the names of their files, grouped by worker: by the name it has at the station.

    Workers of the same name are told apart by those of their options that differ, and, if there is one seed only, those
    that are the same worker by their files.
    """
    read = [(file, _Shift.of(events).started, events) for file, events in shifts]
    told = [(str(started["worker"]), started.get("worker_options") or {}) for _, started, _ in read]
    who = [(worker, canonical(options)) for worker, options in told]
    one_seed = len({started["seed"] for _, started, _ in read}) == 1
    grouped: dict[str, list[Sequence[Event]]] = {}
    for (file, _, events), (worker, options), same in zip(read, told, who, strict=True):
        others = [other for name, other in told if name == worker]
        differ = [key for key in options if len({canonical(other.get(key)) for other in others}) > 1]
        name = " ".join([worker, *(f"{key}={_value(options[key])}" for key in differ)])
        grouped.setdefault(f"{name} ({file})" if one_seed and who.count(same) > 1 else name, []).append(events)
    return grouped


def _value(value: Any) -> str:
    """An option's value as it is given on the command line: a text bare, unless it would be read as something else."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return canonical(value)


def curve(
    shifts: Mapping[str, Sequence[Iterable[Event]]], a: str, b: str, alpha: float
) -> tuple[list[float], list[float], list[float]]:
    """Difference, lower and upper bound by unit after each pair of units: what `compare` said, or would have, then."""
    worked = {name: _by_seed(name, [_Shift.of(events) for events in of]) for name, of in shifts.items()}
    seeds = [seed for seed in worked[a] if all(seed in mine for mine in worked.values())]
    rounds = [_with_lost({name: mine[seed] for name, mine in worked.items()}) for seed in seeds]
    signs = _Signs.of([(r[a], r[b]) for r in rounds])
    lower, upper = bounds_of_signs(signs.sign, alpha)
    return (signs.sign.cumsum() / np.arange(1, len(signs.sign) + 1)).tolist(), lower.tolist(), upper.tolist()


def times(shifts: Mapping[str, Sequence[Iterable[Event]]]) -> dict[str, list[float]]:
    """Cycle times of each worker's units that all of them ended (infinite: not good): what a capability is of."""
    worked = {name: _by_seed(name, [_Shift.of(events) for events in of]) for name, of in shifts.items()}
    seeds = [seed for seed in next(iter(worked.values())) if all(seed in mine for mine in worked.values())]
    rounds = [_with_lost({name: mine[seed] for name, mine in worked.items()}) for seed in seeds]
    common = [set.intersection(*(set(shift.good) for shift in round_.values())) for round_ in rounds]
    return {
        name: [
            round_[name].times_s.get(unit, math.inf)
            for round_, here in zip(rounds, common, strict=True)
            for unit in sorted(here)
        ]
        for name in shifts
    }


# --- From events to pairs of units ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shift:
    """A shift as far as it matters here.

    started   the data of `shift_started`.
    ended     why it ended, "" if it has not.
    until_s   the time of its last event.
    work      unit -> the data it fell due with.
    good      unit -> whether it was good, of those that count: the station's own; in a shift that goes on, up to the
              first that is open, or units would be missing for being slow; if time ended it, those that fell due so
              early that their outcome is known whatever it is (`Outcomes.judged`).
    cost_eur  unit -> what it cost, where the station says so.
    times_s   unit -> its cycle time if it was good, else infinite.
    caused    units that ended and are not the station's own.
    life_s    the longest that a unit is open, or None.
    lost      units that were counted as bad since the worker broke its contract before them.
    """

    started: Mapping[str, Any]
    ended: str
    until_s: float
    work: Mapping[int, str]
    good: Mapping[int, bool]
    cost_eur: Mapping[int, float]
    times_s: Mapping[int, float]
    caused: int
    life_s: float | None
    lost: int = 0

    @classmethod
    def of(cls, events: Iterable[Event], unit_costs: Costs | None = None) -> _Shift:
        log = tuple(events)
        found = Outcomes.of(log)
        if not found.started:
            raise TaktError("a shift without `shift_started` cannot be compared: nothing says what was worked")
        work = {event.unit: canonical(event.data) for event in log if event.kind == UNIT_DUE and event.unit is not None}
        units = {unit.number: unit for unit in found.units}
        own = 0  # the station's own units are numbered 0, 1, 2, ...; what a worker caused comes behind a gap
        while own in units:
            own += 1
        until = own
        if not found.ended or found.life_s is not None:
            judged = {unit.number for unit in found.judged}
            until = next((n for n in range(own) if n not in judged or units[n].good is None), own)
        good = {n: bool(units[n].good) for n in range(until) if units[n].good is not None}
        caused = sum(unit.good is not None for unit in found.units if unit.number >= own)
        costs = {} if unit_costs is None else unit_costs(log)
        times = {n: t for n, t in zip(good, times_of([units[n] for n in good]), strict=True)}
        return cls(found.started, found.ended, found.end_s, work, good, costs, times, caused, found.life_s)


def _by_seed(name: str, shifts: Sequence[_Shift]) -> dict[int, _Shift]:
    found: dict[int, _Shift] = {}
    for shift in shifts:
        if shift.started["seed"] in found:
            raise TaktError(f"{name} has worked seed {shift.started['seed']} twice; give one shift for each seed")
        found[shift.started["seed"]] = shift
    return found


def _with_lost(shifts: Mapping[str, _Shift]) -> dict[str, _Shift]:
    """A worker that broke its contract has not done what the others did after it: those units are bad."""
    done = {unit for shift in shifts.values() for unit in shift.good}
    found = {}
    for name, shift in shifts.items():
        lost = done - set(shift.good) if shift.ended == "broken_plan" else set()
        if lost:
            work = {unit: other.work[unit] for other in shifts.values() for unit in lost if unit in other.work}
            good = {unit: shift.good.get(unit, False) for unit in sorted(lost | set(shift.good))}
            shift = replace(shift, good=good, work={**work, **shift.work}, lost=len(lost))
        found[name] = shift
    return found


@dataclass(frozen=True, slots=True)
class _Signs:
    """The pairs of units of two workers, shift by shift, in the order of their numbers; each array is (n,).

    sign       good of a minus good of b.
    shift      which shift, counted from 0; `whole`: of those, which can stand as one figure.
    a, b_eur   cost; NaN where it is not said.
    """

    sign: Floats
    a_good: Bools
    shift: NDArray[np.int_]
    whole: Bools
    a_eur: Floats
    b_eur: Floats
    unpaired: Unpaired

    @classmethod
    def of(cls, shifts: Sequence[tuple[_Shift, _Shift]]) -> _Signs:
        rows: list[tuple[int, bool, bool, float, float]] = []
        left = [0, 0, 0, 0, 0]
        for number, (a, b) in enumerate(shifts):
            for unit in sorted(set(a.good) & set(b.good)):
                if a.work.get(unit) != b.work.get(unit):
                    left[4] += 1
                    continue
                costs = a.cost_eur.get(unit, math.nan), b.cost_eur.get(unit, math.nan)
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
            a_eur=table[:, 3],
            b_eur=table[:, 4],
            unpaired=Unpaired(*left),
        )

    def by_shift(self, x: Floats) -> Floats:
        """The mean of x (n,) in each whole shift that has any."""
        there = [x[self.shift == number] for number in np.flatnonzero(self.whole)]
        return np.array([mine.mean() for mine in there if len(mine)])


# --- From pairs of units to a decision --------------------------------------------------------------------------------


def _judged(
    a: str, b: str, shifts: Sequence[tuple[_Shift, _Shift]], alpha: float, margin: float | None, by: str
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
        cost=_cost(signs, alpha, by, shifts[0][0].started.get("cost_range_eur")),
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
            counts = f"only {pair.a} good in {pair.only_a} of {pair.units} units, only {pair.b} in {pair.only_b}"
            why = f"{counts}; {name} is better, all pairs taken together; the pair's own bound, "
            why += f"{_ends(pair.by_unit)} points, contains 0"
            pair = replace(pair, decision=BETTER if a_better else WORSE, why=why)
        found.append(pair)
    return found


def _cost(signs: _Signs, alpha: float, by: str, ends: Sequence[float] | None) -> Cost | None:
    """Of the difference in cost; `ends` are those between which a unit's cost lies, if the station declares them."""
    every = signs.a_eur - signs.b_eur
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
    a_eur, b_eur, mean = float(signs.a_eur[told].mean()), float(signs.b_eur[told].mean()), float(x.mean())
    if math.isinf(lower) or math.isinf(upper):
        return Cost(len(x), a_eur, b_eur, mean, None, None, "")
    return Cost(len(x), a_eur, b_eur, mean, lower, upper, "unit" if by == "unit" else "shift")


def _decided(pair: Pair, margin: float | None) -> Pair:
    """The decision, and the sentence for it."""
    if not pair.units:
        return replace(pair, why="no unit counts for both, so nothing can be said of them")
    counts = f"only {pair.a} good in {pair.only_a} of {pair.units} units, only {pair.b} in {pair.only_b}"
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


def points(difference: float) -> str:
    """A difference of rates in percentage points."""
    return f"{100 * difference:+.1f}"


def decision(pair: Pair, margin: float | None) -> str:
    """The decision in a few words."""
    alike = f"no difference larger than {100 * (margin or 0.0):g} points"
    if not pair.units:
        return "nothing to compare"
    words = {BETTER: f"{pair.a} is better", WORSE: f"{pair.b} is better", ALIKE: alike}
    return words.get(pair.decision, pair.decision)


def comparison_notes(pair: Pair) -> list[str]:
    """What else is to be said of two workers: units that do not count, what it cost."""
    left, notes = pair.unpaired, []
    if pair.shifts > 1:
        told = [f"by unit {_ends(pair.by_unit)} (about these units)"]
        if pair.by_shift is not None:
            told.append(f"by {pair.shifts} whole shifts {_ends(pair.by_shift)} (if shift means are about normal)")
        if pair.by_shift_free is not None:
            told.append(f"by shift {_ends(pair.by_shift_free)} (whatever their distribution)")
        taken = {"unit": "by unit", "shift": "the wider of the first two", "free": "the last"}[pair.by]
        notes.append(f"The bound is {', '.join(told)}; the verdict takes {taken}.")
    for name, lost in ((pair.a, pair.lost_a), (pair.b, pair.lost_b)):
        if lost:
            notes.append(f"{name} broke its contract: {lost} units after that count as bad.")
    not_ended = [
        f"{count} that {name} has not ended" for name, count in ((pair.a, left.open_a), (pair.b, left.open_b)) if count
    ]
    caused = [
        f"{count} that {name} caused" for name, count in ((pair.a, left.caused_a), (pair.b, left.caused_b)) if count
    ]
    other = [f"{left.other_work} that were other work"] if left.other_work else []
    if not_ended or caused or other:
        notes.append(f"Left out of {pair.a} - {pair.b}: {', '.join(not_ended + caused + other)}.")
    if pair.cost is not None:
        cost = pair.cost
        bound = "no bound: the station declares no range of cost, or too few units differ"
        if cost.lower_eur is not None:
            how = "by unit, of the declared range" if cost.by == "unit" else "if shift means are about normal"
            bound = f"bound {cost.lower_eur:+,.2f} to {cost.upper_eur:+,.2f}, {how}"
        notes.append(f"Cost, {pair.a} - {pair.b}: {cost.difference_eur:+,.2f} EUR a unit over {cost.units} ({bound}).")
    return notes


def _ends(bound: Bound) -> str:
    return f"{points(bound.lower)} to {points(bound.upper)}"


def promise(found: Comparison) -> str:
    """What the bounds promise, in a sentence."""
    several = ""
    if len(found.pairs) > 1:
        several = f" ({100 * found.each_alpha:.3g} % for each of {len(found.pairs)} pairs, Bonferroni)"
    return (
        f"Chance that a bound is ever wrong, however often one looks: at most {100 * found.alpha:g} %{several}. "
        f"Judged by the {RULES}."
    )


def _standings(rounds: Sequence[Mapping[str, _Shift]]) -> list[Standing]:
    found = []
    common = [set.intersection(*(set(shift.good) for shift in shifts.values())) for shifts in rounds]
    units = sum(map(len, common))
    for name in rounds[0]:
        mine = [(shifts[name], here) for shifts, here in zip(rounds, common, strict=True)]
        good = sum(shift.good[unit] for shift, here in mine for unit in here)
        costs = [shift.cost_eur[unit] for shift, here in mine for unit in here if unit in shift.cost_eur]
        cost = sum(costs) / len(costs) if costs and len(costs) == units else None
        levels = capability([shift.times_s.get(unit, math.inf) for shift, here in mine for unit in here])
        found.append(Standing(name, units, good, good / units if units else None, cost, levels))
    return sorted(found, key=lambda standing: -(standing.good_rate or 0.0))


# --- What can be compared ---------------------------------------------------------------------------------------------


def _check(shifts: Mapping[str, Sequence[Iterable[Event]]], alpha: float, margin: float | None, by: str) -> None:
    if len(shifts) < 2:
        raise TaktError(f"comparing takes at least two workers, not {len(shifts)}")
    if not 0 < alpha < 1:
        raise TaktError(f"alpha is a chance of error between 0 and 1, not {alpha:g}")
    if margin is not None and not 0 < margin < 1:
        raise TaktError(f"the margin is a difference of rates between 0 and 1, not {margin:g}")
    if by not in BY:
        raise TaktError(f"a comparison is by {', '.join(BY)}, not by {by!r}")


def _differences(rounds: Sequence[Mapping[str, _Shift]], may_differ: Collection[str]) -> list[str]:
    """Notes on options that differ and may. TaktError names the first thing that differs and may not."""
    first = next(iter(rounds[0]))
    notes = []
    for shifts in rounds:
        until_s = min(shift.until_s for shift in shifts.values())
        for name, shift in shifts.items():
            here = [(first, shifts[first], SAME), (first, rounds[0][first], ("station", "options", "clock"))]
            for other, against, keys in here:
                for what, one, two in _differing(against, shift, keys, until_s):
                    option = what.removeprefix("option ")
                    if what.startswith("option ") and option in may_differ:
                        notes.append(f"{what} differs, as allowed: {other} {one}, {name} {two}")
                        continue
                    fix = f"; --may-differ {option} compares them all the same" if what.startswith("option ") else ""
                    raise TaktError(f"{other} and {name} cannot be compared: {what} is {one} and {two}{fix}")
    return list(dict.fromkeys(notes))


def _differing(a: _Shift, b: _Shift, keys: Collection[str], until_s: float) -> Iterable[tuple[str, str, str]]:
    """What differs of these keys, and the two values. Faults count up to the end of the shorter shift."""
    for key in keys:
        one, two = a.started.get(key), b.started.get(key)
        if key == "options":
            one, two = one or {}, two or {}
            for option in dict.fromkeys([*one, *two]):
                if canonical(one.get(option)) != canonical(two.get(option)):
                    yield f"option {option}", canonical(one.get(option)), canonical(two.get(option))
            continue
        if key == "faults":
            one, two = ([fault for fault in faults or () if fault["at_s"] < until_s] for faults in (one, two))
        if canonical(one) != canonical(two):
            yield f"the {key}" if key != "faults" else "the list of faults", _told(one), _told(two)


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, seeds))
