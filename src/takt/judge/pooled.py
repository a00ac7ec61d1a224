"""Pooled: several shifts of one worker at one job -> one verdict, about the units, the worker, or any shift of it.

A shift can be lucky or unlucky as a whole (a lot of tight nuts, a calm Monday); one shift cannot show that, and its
verdict is about that shift. Three readings of several, each with what it takes for granted:

    unit    all units in one row: about these units, under any dependence, whatever shifts do;
    shift   the widest of that, a sequential t-test of the shifts' means, and a bet that is fair whatever they are if
            they differ by so much at most (`sequences.usual_spread`): about the worker, *if shifts' own rates have a
            standard deviation of 4 points at most* (or of the share of bad units that is allowed, if that is less),
            *or shift means are about normal*, and units are no stickier than 0.5. Rare bad shifts break it: with 95 %
            in nine shifts of ten and 47 % in the tenth it errs in 51 %;
    free    a bet on the shifts' means: about the worker, whatever their distribution. It takes some 30 shifts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from takt.contract.events import Event
from takt.contract.figure import per_cent
from takt.contract.station import TaktError
from takt.judge.bets import Floats
from takt.judge.compared_shifts import BY, WHOLE
from takt.judge.outcomes import Outcomes, Unit, cut_of_all
from takt.judge.sequences import bounds_of_shifts, chance_in, lower_of_alike, lower_of_means, usual_spread
from takt.judge.verdict import Bound, Job, Verdict, judged
from takt.ledger import canonical

SAME = ("station", "options", "worker", "worker_options", "clock", "acceptance")
FROM = 30  # shifts from which `free` can decide anything worth deciding


@dataclass(frozen=True, slots=True)
class Pooled:
    """One verdict on several shifts.

    decision, why   by what `by` says.
    seeds           of the shifts.
    units           the verdict on all units in one row.
    shifts          how many are whole (ended by time or units, or by the worker's fault) and have a judged unit.
    rates           good rate of each of these.
    spread          standard deviation of the rates; None for fewer than two.
    by_shift        bound of the mean of shifts, if they differ as is `believed`: the widest of that by unit, of a
                    sequential t-test, and of a bet on shifts that differ by so much at most; None while too few.
    by_shift_free   the same whatever their distribution.
    """

    decision: str
    why: str
    by: str
    seeds: list[int]
    units: Verdict
    shifts: int
    rates: list[float]
    spread: float | None
    by_shift: Bound | None
    by_shift_free: Bound | None
    notes: list[str]


def pooled(
    shifts: Sequence[Iterable[Event]], *, alpha: float = 0.05, by: str = "auto", stands_to: float | None = None
) -> Pooled:
    """The verdict on the shifts whose ledgers these events are. Raises TaktError if they are not of one worker and job.

    by          "unit", "shift", "free", or "auto": by unit for one shift, by shift for several.
    stands_to   the stickiness that a decision by unit or by shift is to stand up to; None: what the job asks.
    """
    return pooled_outcomes([Outcomes.of(events) for events in shifts], alpha=alpha, by=by, stands_to=stands_to)


class Judged(Protocol):
    """What a verdict needs to know of a shift; `takt.judge.outcomes.Outcomes` is one."""

    @property
    def started(self) -> Mapping[str, Any]: ...

    @property
    def ended(self) -> str: ...

    @property
    def cut_off(self) -> int: ...

    @property
    def cut_off_finished(self) -> int: ...

    @property
    def cut_is(self) -> str: ...

    @property
    def judged(self) -> Sequence[Unit]: ...


def pooled_outcomes(
    found: Sequence[Judged], *, alpha: float = 0.05, by: str = "auto", stands_to: float | None = None
) -> Pooled:
    """`pooled`, of shifts whose outcomes are known."""
    _check(found, by)
    by = ("unit" if len(found) == 1 else "shift") if by == "auto" else by
    job = Job.of(found[0].started, alpha)
    job = job if stands_to is None else replace(job, rho=stands_to)
    cut = sum(one.cut_off for one in found), sum(one.cut_off_finished for one in found)
    cut_is = cut_of_all((one.cut_off, one.cut_is) for one in found)
    units = replace(judged(job, [one.judged for one in found], *cut), cut_is=cut_is)
    whole = [one.judged for one in found if one.ended in (*WHOLE, "broken_plan") and one.judged]
    rates = np.array([sum(unit.good is True for unit in mine) / len(mine) for mine in whole])
    rows = [[unit.good is True for unit in mine] for mine in whole]
    normal, free = _bounds(rates, rows, job, job.required)
    normal = _wider(normal, units.lower, units.upper)
    asked = [(normal, free, job.required)]
    if units.cycles is not None:
        within = [row for mine in whole if (row := _within(mine, job))]
        shares = np.array([sum(row) / len(row) for row in within])
        of_times, free_times = _bounds(shares, within, job, job.quantile)
        asked.append((_wider(of_times, units.cycles.lower, units.cycles.upper), free_times, job.quantile))
    decision, why = units.decision, units.why
    if by != "unit":
        anything = Bound(0.0, 1.0)
        taken = [((of_any if by == "free" else of_normal) or anything, least) for of_normal, of_any, least in asked]
        decision, why = _decided(taken, by, len(rates), job, units)
        if by == "shift" and job.rho is not None and decision != "undecided" and units.decision != decision:
            decision, why = "undecided", units.why  # by shift is never surer than by unit, nor asks it less
    notes = [f"seed {one.started.get('seed')} has not ended" for one in found if not one.ended]
    notes += [
        f"seed {one.started.get('seed')} ended by {one.ended!r}, so that is no whole shift"
        for one in found
        if one.ended not in (*WHOLE, "", "broken_plan")
    ]
    return Pooled(
        decision=decision,
        why=why,
        by=by,
        seeds=[int(one.started["seed"]) for one in found],
        units=units,
        shifts=len(rates),
        rates=rates.tolist(),
        spread=float(rates.std(ddof=1)) if len(rates) > 1 else None,
        by_shift=normal,
        by_shift_free=free,
        notes=notes,
    )


def readings(p: Pooled) -> list[str]:
    """What each way to read them says, and what it takes for granted; a sentence each."""
    told = [f"About these units: {_ends(Bound(p.units.lower, p.units.upper))}, {p.units.decision}."]
    if p.spread is not None:
        told.append(f"{p.shifts} whole shifts, of {per_cent(min(p.rates))} to {per_cent(max(p.rates))} % good.")
    if p.by_shift is not None:
        told.append(f"About the worker, {believed(p.units.required)}: {_ends(p.by_shift)}.")
    if p.by_shift_free is not None:
        few = "" if p.shifts >= FROM else f" (it takes about {FROM} shifts to say much)"
        told.append(f"About the worker, whatever the distribution of shifts: {_ends(p.by_shift_free)}{few}.")
    return [*told, *(f"Note: {note}." for note in p.notes)]


def believed(required: float) -> str:
    """What a verdict by shift takes for granted, as an if-clause."""
    return (
        f"if shifts' own rates differ by {100 * usual_spread(required):.3g} points at most (standard deviation), or "
        "shift means are about normal, and units are no stickier than 0.5"
    )


def _bounds(rates: Floats, rows: Sequence[Sequence[bool]], job: Job, asked: float) -> tuple[Bound | None, Bound | None]:
    """Of the mean over shifts: as far as is `believed`, and whatever they are."""
    if len(rates) < 2:
        return None, None
    accept, reject = job.alphas
    low, high = bounds_of_shifts(rates, min(job.alphas))
    normal = None
    if not np.isinf(low):
        spread, chance = usual_spread(asked), chance_in(rows)
        low = min(low, lower_of_alike(rates, spread, chance, accept))
        high = max(high, 1 - lower_of_alike(1 - rates, spread, chance, reject))
        normal = Bound(max(0.0, low), min(1.0, high))
    return normal, Bound(lower_of_means(rates, accept), 1 - lower_of_means(1 - rates, reject))


def _wider(normal: Bound | None, lower: float, upper: float) -> Bound | None:
    return None if normal is None else Bound(min(lower, normal.lower), max(upper, normal.upper))


def _decided(taken: Sequence[tuple[Bound, float]], by: str, shifts: int, job: Job, units: Verdict) -> tuple[str, str]:
    what = "of the mean over shifts" + (f", {believed(job.required)}," if by == "shift" else ",")
    counts = f"{units.good} of {units.units} good in {shifts} whole shifts"
    rate, required = taken[0]
    asked = f"required {per_cent(required, exact=True)} %"
    if required >= 1.0 and units.decision == "reject":
        return "reject", units.why
    if any(bound.upper < least for bound, least in taken):
        share = "the rate" if rate.upper < required else "the share within the cycle time"
        least = next(least for bound, least in taken if bound.upper < least)
        high = next(bound.upper for bound, least in taken if bound.upper < least)
        return "reject", f"{counts}; {share} is at most {per_cent(high)} %, required {per_cent(least, exact=True)} %"
    if all(bound.lower >= least for bound, least in taken) and required < 1.0:
        return "accept", f"{counts}; the rate is at least {per_cent(rate.lower)} %, {asked}"
    few = "; two shifts or fewer cannot show how much shifts differ" if shifts < 3 else ""
    return "undecided", f"{counts}; the bound {what} {_ends(rate)}, does not decide it ({asked}){few}"


def _within(mine: Sequence[Unit], job: Job) -> list[bool]:
    """Of the good units, whether each was within the cycle time."""
    limit_s = job.limit_s or 0.0
    return [unit.cycle_s is not None and unit.cycle_s <= limit_s for unit in mine if unit.good is True]


def _check(found: Sequence[Judged], by: str) -> None:
    if by not in BY:
        raise TaktError(f"a verdict is by {', '.join(BY)}, not by {by!r}")
    if not found:
        raise TaktError("a verdict takes at least one shift")
    for one in found:
        if "seed" not in one.started:
            raise TaktError("a shift without `shift_started` cannot be judged: nothing says what was asked")
        for key in SAME:
            first, other = found[0].started.get(key), one.started.get(key)
            if canonical(first) != canonical(other):
                raise TaktError(
                    f"these shifts are not of one worker at one job: {key} is {canonical(first)} in one and "
                    f"{canonical(other)} in another; judge them apart, or `takt compare` workers"
                )
    counts = Counter(one.started["seed"] for one in found)
    twice = next((seed for seed, count in counts.items() if count > 1), None)
    if twice is not None:
        raise TaktError(f"seed {twice} is given twice; the same units do not count twice")


def _ends(bound: Bound) -> str:
    return f"{per_cent(bound.lower)} to {per_cent(bound.upper)} %"
