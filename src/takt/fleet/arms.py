"""The verdict of an arm: of its whole shifts together, in the order in which they were planned.

Shifts end in another order than they were begun, and which end first is no accident: a worker that breaks down at once
is done at once. So a look takes the shifts up to the first one that has not ended, as a verdict within a shift takes
units in due order.

A shift that was given up may be a machine's fault, or the doing of a worker that takes its process with it where the
work is hard. So it is no figure, but nothing is decided that it could overturn: to accept, all its units are taken to
be bad, to reject all to be good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from takt.fleet.plan import Planned
from takt.fleet.presets import PRESETS
from takt.fleet.record import BAD, GOOD, OPEN, Record
from takt.fleet.together import OUT, Place
from takt.judge.bets import accepts, rejects
from takt.judge.outcomes import Unit
from takt.judge.pooled import Pooled, pooled_outcomes
from takt.judge.sequences import bounds_of_shifts, chance_in, log_wealth_of_alike, lower_of_means, usual_spread
from takt.judge.verdict import Bound, Job

Rows = Sequence[Sequence[bool]]  # of each shift, whether its units were good, or good ones within the cycle time


def in_order(
    shifts: Sequence[Planned], records: Mapping[str, Record], lost: Collection[str] = ()
) -> list[Record | None]:
    """The records of an arm's shifts up to the first that has not ended; None for those in `lost`."""
    found: list[Record | None] = []
    for shift in shifts:
        record = records.get(shift.id)
        if record is not None and record.ended:
            found.append(record)
        elif shift.id in lost:
            found.append(None)
        else:
            break
    return found


def by_seed(
    seeds: Sequence[int], shifts: Sequence[Planned], records: Mapping[str, Record], lost: Collection[str] = ()
) -> list[Place]:
    """The same with a place for each of `seeds`, those of all arms of a work in the plan's order, so that arms can be
    compared place by place: OUT where a seed is not planned for this arm."""
    mine = {shift.seed: shift for shift in shifts}
    found: list[Place] = []
    for seed in seeds:
        known: Sequence[Place] = in_order([mine[seed]], records, lost) if seed in mine else [OUT]
        if not known:
            break
        found += known
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """A record as `takt.judge.pooled` takes it."""

    started: Mapping[str, Any]
    ended: str
    units: Sequence[Any]
    judged: Sequence[Unit]


def verdict_of(records: Sequence[Record | None], *, alpha: float, by: str, accept: str = "") -> Pooled | None:
    """The verdict on these shifts of one arm, None for one that is lost; None if none has ended. `accept` names a
    preset to judge by instead of what the station asks."""
    known = [_known(record, accept) for record in records if record is not None and record.ended]
    if not known:
        return None
    by = ("unit" if len(known) == 1 else "shift") if by == "auto" else by
    found, lost = pooled_outcomes(known, alpha=alpha, by=by), sum(record is None for record in records)
    return found if not lost else _with_lost(found, known, lost, alpha)


def _with_lost(found: Pooled, known: Sequence[_Known], lost: int, alpha: float) -> Pooled:
    """The verdict that so many lost shifts could not overturn, and bounds that hold whatever their units were."""
    units = max(len(one.judged) for one in known)

    def were(letter: str) -> Pooled:
        judged = [_unit_of(letter, 0.0 if letter == GOOD else None)] * units
        asked = [_Known({**known[0].started, "seed": -1 - n}, "units", judged, judged) for n in range(lost)]
        return pooled_outcomes([*known, *asked], alpha=alpha, by=found.by)

    worst, best = were(BAD), were(GOOD)
    counted = f"{lost} lost shift{'s' * (lost > 1)} of {units} units"
    decision, why = found.decision, found.why
    if decision == "accept" and worst.decision != "accept":
        decision, why = "undecided", f"{why}; but had {counted} all been bad, that would not be proven"
    elif decision == "reject" and best.decision != "reject":
        decision, why = "undecided", f"{why}; but had {counted} all been good, that would not be proven"
    return replace(
        found,
        decision=decision,
        why=why,
        units=replace(found.units, lower=worst.units.lower, upper=best.units.upper),
        by_shift=_between(worst.by_shift, best.by_shift),
        by_shift_free=_between(worst.by_shift_free, best.by_shift_free),
        notes=[*found.notes, f"{counted}, counted as bad to accept and as good to reject"],
    )


def _between(worst: Bound | None, best: Bound | None) -> Bound | None:
    return None if worst is None or best is None else Bound(worst.lower, best.upper)


def decided(records: Sequence[Record | None], *, alpha: float, by: str, accept: str = "") -> bool:
    """Whether `verdict_of` decides: by numbers first, which is quick, for it is asked after every shift."""
    there = [record for record in records if record is not None]
    whole = [record for record in there if record.whole and record.units]
    if not whole or (by != "unit" and len(whole) < 2):
        return False
    job = Job.of({"acceptance": _asked(whole[0], accept)}, alpha)
    good, bad, still = (sum(r.outcomes.count(letter) for r in there) for letter in (GOOD, BAD, OPEN))
    asked = [(good, bad, job.required)]
    rows = [[[letter == GOOD for letter in record.outcomes] for record in whole]]
    if job.limit_s is not None:
        within = sum(record.within(job.limit_s) for record in there)
        asked.append((within, good - within, job.quantile))
        limit_s = job.limit_s
        rows.append([[t is not None and t <= limit_s for t in record.cycles] for record in whole if record.good])
    unit = [_unit(yes, no, still, least, job) for yes, no, least in asked]
    over: dict[str, Callable[..., Any]] = {"unit": lambda x, least: 0, "shift": lambda x, least: _normal(x, least, job)}
    over["free"] = lambda x, least: _free(x, least, job)
    shift = [over[by](x, least) for x, (_, _, least) in zip(rows, asked, strict=True)]
    both = (
        unit
        if by == "unit"
        else shift
        if by == "free"
        else [min(one, key=abs) for one in zip(unit, shift, strict=True)]
    )
    if not (any(one < 0 for one in both) or all(one > 0 for one in both)):
        return False
    found = verdict_of(records, alpha=alpha, by=by, accept=accept)
    return found is not None and found.decision != "undecided"


def _unit(yes: int, no: int, still: int, least: float, job: Job) -> int:
    """1: the share is surely at least `least`; -1: surely less; 0: neither."""
    if least < 1.0 and bool(accepts(yes, no + still, least, job.alphas[0])):
        return 1
    return -1 if (no and least >= 1.0) or bool(rejects(yes + still, no, least, job.alphas[1])) else 0


def _normal(rows: Rows, least: float, job: Job) -> int:
    rates = _rates(rows)
    low, high = bounds_of_shifts(rates, min(job.alphas))
    if low < least <= high:
        return 0
    if least >= 1.0:
        return -1
    above, alpha = (True, job.alphas[0]) if low >= least else (False, job.alphas[1])
    bet = (rates, least) if above else (1 - rates, 1 - least)
    sure = log_wealth_of_alike(*bet, usual_spread(least), chance_in(rows))[-1] >= -math.log(alpha)
    return int(sure) if above else -int(sure)


def _free(rows: Rows, least: float, job: Job) -> int:
    rates = _rates(rows)
    if lower_of_means(rates, job.alphas[0]) >= least:
        return 1
    return -1 if 1 - lower_of_means(1 - rates, job.alphas[1]) < least else 0


def _rates(rows: Rows) -> Any:
    return np.array([sum(row) / len(row) for row in rows])


def _asked(record: Record, accept: str) -> dict[str, Any]:
    """What the job asks: its station's words, or those of a preset."""
    asked = dict(record.acceptance)
    if accept:
        asked |= {"good_rate": PRESETS[accept].good_rate, "cycle_s": PRESETS[accept].cycle_s}
    return asked


def _known(record: Record, accept: str) -> _Known:
    cycles = iter(record.cycles)
    judged = [_unit_of(letter, next(cycles) if letter == GOOD else None) for letter in record.outcomes]
    started = {"seed": record.seed, "acceptance": _asked(record, accept)}
    return _Known(started, record.ended, range(len(judged) + record.cut_off), judged)


@lru_cache(maxsize=100_000)
def _unit_of(letter: str, cycle_s: float | None) -> Unit:
    """A unit as a verdict takes it, which counts units and does not tell those apart that are alike: of a million units
    of a large fleet only so many are made."""
    return Unit(0, 0.0, 0.0, None if letter == OPEN else letter == GOOD, {"cycle_s": cycle_s})
