"""The verdict of an arm: of its whole shifts together, in the order in which they were planned.

Shifts end in another order than they were begun, and which end first is no accident: a worker that breaks down at once
is done at once. So a look takes the shifts up to the first one that has not ended, as a verdict within a shift takes
units in due order.

A shift that was given up may be a machine's fault, or the doing of a worker that takes its process with it where the
work is hard. So it is no figure, but nothing is decided that it could overturn: to accept, all its units are taken to
be bad, to reject all to be good.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from takt.fleet.plan import Planned
from takt.fleet.presets import PRESETS
from takt.fleet.record import BAD, GOOD, OPEN, Record
from takt.fleet.together import OUT, Place
from takt.judge.outcomes import Unit
from takt.judge.pooled import Pooled, pooled_outcomes
from takt.judge.verdict import Bound


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
    seeds: Sequence[int], mine: Mapping[int, Planned], records: Mapping[str, Record], lost: Collection[str] = ()
) -> list[Place]:
    """The same of an arm's shifts by their seeds (`mine`), with a place for each of `seeds`, those of all arms of a
    work in the plan's order, so that arms can be compared place by place: OUT where a seed is not planned for it."""
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
    cut_off: int
    judged: Sequence[Unit]
    cut_off_finished: int = 0  # a record does not say
    cut_is: str = ""  # all that are known have ended


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
        asked = [_Known({**known[0].started, "seed": -1 - n}, "units", 0, judged) for n in range(lost)]
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


def asked_of(record: Record, accept: str) -> dict[str, Any]:
    """What the job asks: its station's words, or those of a preset."""
    asked = dict(record.acceptance)
    if accept:
        asked |= {"good_rate": PRESETS[accept].good_rate, "cycle_s": PRESETS[accept].cycle_s}
    return asked


def _known(record: Record, accept: str) -> _Known:
    cycles = iter(record.cycles)
    judged = [_unit_of(letter, next(cycles) if letter == GOOD else None) for letter in record.outcomes]
    started = {"seed": record.seed, "acceptance": asked_of(record, accept)}
    return _Known(started, record.ended, record.cut_off, judged)


@lru_cache(maxsize=100_000)
def _unit_of(letter: str, cycle_s: float | None) -> Unit:
    """A unit as a verdict takes it, which counts units and does not tell those apart that are alike: of a million units
    of a large fleet only so many are made."""
    return Unit(0, 0.0, 0.0, None if letter == OPEN else letter == GOOD, {"cycle_s": cycle_s})
