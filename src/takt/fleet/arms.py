"""The verdict of an arm: of its whole shifts together, in the order in which they were planned.

Shifts end in another order than they were begun, and which end first is no accident: a worker that breaks down at once
is done at once. So a look takes the shifts up to the first one that has not ended, as a verdict within a shift takes
units in due order. A shift given up for faults of machines is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from takt.fleet.plan import Planned
from takt.fleet.presets import PRESETS
from takt.fleet.record import BAD, GOOD, OPEN, Record
from takt.judge.bets import accepts, rejects
from takt.judge.outcomes import Unit
from takt.judge.pooled import Pooled, pooled_outcomes
from takt.judge.sequences import bounds_of_shifts, least_deviation, lower_of_means
from takt.judge.verdict import Job

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


@dataclass(frozen=True, slots=True)
class _Known:
    """A record as `takt.judge.pooled` takes it."""

    started: Mapping[str, Any]
    ended: str
    units: Sequence[Any]
    judged: Sequence[Unit]


def verdict_of(records: Sequence[Record], *, alpha: float, by: str, accept: str = "") -> Pooled | None:
    """The verdict on these shifts of one arm; None if there is none of them. `accept` names a preset to judge by."""
    known = [_known(record, accept) for record in records if record.ended]
    return pooled_outcomes(known, alpha=alpha, by=by) if known else None


def decided(records: Sequence[Record], *, alpha: float, by: str) -> bool:
    """Whether `verdict_of` decides: by numbers first, which is quick, for it is asked after every shift."""
    whole = [record for record in records if record.whole and record.units]
    if not whole or (by != "unit" and len(whole) < 2):
        return False
    job = Job.of({"acceptance": whole[0].acceptance}, alpha)
    good, bad, still = (sum(r.outcomes.count(letter) for r in records) for letter in (GOOD, BAD, OPEN))
    asked = [(good, bad, job.required)]
    rows = [[[letter == GOOD for letter in record.outcomes] for record in whole]]
    if job.limit_s is not None:
        within = sum(record.within(job.limit_s) for record in records)
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
    found = verdict_of(records, alpha=alpha, by=by)
    return found is not None and found.decision != "undecided"


def _unit(yes: int, no: int, still: int, least: float, job: Job) -> int:
    """1: the share is surely at least `least`; -1: surely less; 0: neither."""
    if least < 1.0 and bool(accepts(yes, no + still, least, job.alphas[0])):
        return 1
    return -1 if (no and least >= 1.0) or bool(rejects(yes + still, no, least, job.alphas[1])) else 0


def _normal(rows: Rows, least: float, job: Job) -> int:
    low, high = bounds_of_shifts(_rates(rows), min(job.alphas), least_deviation(rows, least))
    return 1 if low >= least else -1 if high < least else 0


def _free(rows: Rows, least: float, job: Job) -> int:
    rates = _rates(rows)
    if lower_of_means(rates, job.alphas[0]) >= least:
        return 1
    return -1 if 1 - lower_of_means(1 - rates, job.alphas[1]) < least else 0


def _rates(rows: Rows) -> Any:
    return np.array([sum(row) / len(row) for row in rows])


def _known(record: Record, accept: str) -> _Known:
    asked = dict(record.acceptance)
    outcomes = record.outcomes
    if accept:
        preset = PRESETS[accept]
        asked |= {"good_rate": preset.good_rate, "cycle_s": preset.cycle_s}
    cycles = iter(record.cycles)
    judged = [_unit_of(letter, next(cycles) if letter == GOOD else None) for letter in outcomes]
    return _Known({"seed": record.seed, "acceptance": asked}, record.ended, range(len(judged) + record.cut_off), judged)


@lru_cache(maxsize=100_000)
def _unit_of(letter: str, cycle_s: float | None) -> Unit:
    """A unit as a verdict takes it, which counts units and does not tell those apart that are alike: of a million units
    of a large fleet only so many are made."""
    return Unit(0, 0.0, 0.0, None if letter == OPEN else letter == GOOD, {"cycle_s": cycle_s})
