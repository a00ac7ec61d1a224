"""Verdict: a shift's events -> accept, reject or undecided, valid however often you look. docs/verdict.md explains it.

The job asks a good rate p0. The gambler of `bets` bets on every unit in the order in which they fell due, and what he
owns says how surely they were better, or worse, than that. What is promised, at every look at once:

    about these units   P(ever accept while the mean, over the units so far, of the chance of a good one given all that
                        went before, is p0 or less) <= alpha, and likewise reject: under any dependence and any drift.
    about the worker    the same of its rate in the long run, if good follows good and bad follows bad by a stickiness
                        of at most `stands_to` (`stickiness`), and shifts do not differ.

Several shifts of a worker together are judged by `pooled`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from takt.contract.events import Event
from takt.contract.figure import counted, per_cent
from takt.judge.bets import Floats, bounds_with_open, log_wealth, lower_bound, open_bounds
from takt.judge.outcomes import WILL, Outcomes, Unit
from takt.judge.power import good_units_to_accept
from takt.judge.stickiness import Steps, good_units_to_stand, stands_to

__all__ = ["RULES", "Bound", "Verdict", "bounds_over_time", "log_wealth", "lower_bound", "notes", "verdict"]

RULES = "rules of November 2026: units in due order, one plain bet, stickiness beside it"
NONE_SURE = "no unit has ended yet that will be judged whatever ends the shift"
TOO_SHORT = "no unit that has come will have had all the time that one may take: work a longer shift"  # while it runs

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bound:
    """A rate is at least `lower` and at most `upper`, at every moment of the shift at once."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Cycles:
    """The second thing that the job asks: `quantile` of the cycle times of good units within `limit_s`.

    good, within   good units, and how many of those took `limit_s` or less.
    lower, upper   bound of their share.
    """

    limit_s: float
    quantile: float
    good: int
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
                  the first bad unit. It is for one look, at the end.
    """

    correlation: float | None
    bad_runs: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on the units so far.

    decision       "accept", "reject" or "undecided".
    why            the same in one sentence.
    required       the good rate that the job asks.
    good_rate      good / (units - open); None before the first unit has ended.
    lower, upper   bound of the good rate: each wrong with a chance of at most alpha, whenever one looks (`upper` of
                   alpha / 2 if there is a cycle limit too).
    units          how many are judged, in due order: up to the last that has ended; if time ended the shift, or is to
                   end it, those that fell due so early that their outcome is known by then whatever it is.
    open           of these, how many have not ended: bad for `lower`, good for `upper`.
    cut_off        fell due before the end (where time is to end the shift: so far), but are not judged: they had, or
                   will have, less than all their time. `cut_off_finished` of them ended all the same.
    cut_is         "" where they are so: the shift has ended. "will" while time is to end it; "may" while it may as well
                   end with its last unit, and would be judged by all that have ended then.
    cycles         None if the job has no limit.
    stands_to      the decision holds for the worker, too, if its stickiness is at most this; None if it is undecided,
                   or does not hold so even at 0. To accept with a limit of cycle times: the lesser of that of good and
                   bad, and that of in time and late among good units.
    required_rho   the stickiness that the job wants a decision to stand up to, or None.
    good_to_accept so many more good units, and no bad one, would make it accept; None if decided, or no number would.
    rules          which rules judged. A ledger has no verdict in it: old shifts are judged by these rules as well.
    """

    decision: str
    why: str
    required: float
    good_rate: float | None
    lower: float
    upper: float
    units: int
    good: int
    open: int
    cut_off: int
    cut_off_finished: int
    cut_is: str
    alpha: float
    cycles: Cycles | None
    dependence: Dependence
    stands_to: float | None
    required_rho: float | None
    good_to_accept: int | None
    rules: str


def verdict(events: Iterable[Event], *, alpha: float = 0.05) -> Verdict:
    """The verdict on the shift whose ledger `events` is, finished or still running.

    The job is in `shift_started`; without it, all units must be good, as `takt.Acceptance` has it by default.
    """
    shift = Outcomes.of(events)
    job = Job.of(shift.started, alpha)
    found = judged(job, [shift.judged], shift.cut_off, shift.cut_off_finished)
    if shift.ended or not shift.cut_off:
        return found
    if not found.units:
        short = TOO_SHORT if shift.cut_is == WILL else NONE_SURE
        found = replace(found, why="no unit has ended yet" if shift.due else short)
    return replace(found, cut_is=shift.cut_is)


def verdict_if_stopped(events: Iterable[Event], *, alpha: float = 0.05) -> Verdict:
    """The verdict that there is if this running shift is stopped here by it: time takes no unit out then."""
    shift = Outcomes.of(events)
    return judged(Job.of(shift.started, alpha), [shift.so_far])


def bounds_over_time(events: Iterable[Event], *, alpha: float = 0.05) -> list[Bound]:
    """The bound of the good rate after each of the judged units, in due order."""
    shift = Outcomes.of(events)
    job = Job.of(shift.started, alpha)
    if not shift.judged:
        return []
    known = np.array([unit.good is not None for unit in shift.judged])
    good = np.array([bool(unit.good) for unit in shift.judged])
    counts = np.cumsum([good, ~known, known & ~good], axis=1)
    lower, upper = open_bounds(counts[0], counts[2], counts[1], *job.alphas)
    return [Bound(low, high) for low, high in zip(lower.tolist(), upper.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class Job:
    """What a job asks: a good rate, and `quantile` of good units' cycle times within `limit_s` (None: nothing)."""

    required: float
    limit_s: float | None
    quantile: float
    rho: float | None
    alpha: float

    @classmethod
    def of(cls, started: Mapping[str, Any], alpha: float) -> Job:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is a chance of error between 0 and 1, not {alpha:g}")
        asked: Mapping[str, Any] = started.get("acceptance") or {}
        limit_s, rho = asked.get("cycle_s"), asked.get("stands_to")
        return cls(
            required=float(asked.get("good_rate", 1.0)),
            limit_s=None if limit_s is None or math.isinf(limit_s) else float(limit_s),
            quantile=float(asked.get("quantile", 0.95)),
            rho=None if rho is None else float(rho),
            alpha=alpha,
        )

    @property
    def alphas(self) -> tuple[float, float]:
        """For each bound that can accept, and for each that can reject: either of two rejects, so they share alpha."""
        return self.alpha, self.alpha if self.limit_s is None else self.alpha / 2


def judged(job: Job, shifts: Sequence[Sequence[Unit]], cut_off: int = 0, cut_off_finished: int = 0) -> Verdict:
    """The verdict on the units of these shifts, each in due order, all judged as one row."""
    units = [unit for shift in shifts for unit in shift]
    still = sum(unit.good is None for unit in units)
    good = sum(unit.good is True for unit in units)
    bad = len(units) - good - still
    lower, upper = _bound(job, good, bad, still)
    cycles = None
    if job.limit_s is not None:
        within = sum(unit.good is True and _within(unit, job.limit_s) for unit in units)
        cycles = Cycles(job.limit_s, job.quantile, good, within, *_bound(job, within, good - within, still))
    found = Verdict(
        decision="undecided",
        why="",
        required=job.required,
        good_rate=good / (good + bad) if good + bad else None,
        lower=lower,
        upper=upper,
        units=len(units),
        good=good,
        open=still,
        cut_off=cut_off,
        cut_off_finished=cut_off_finished,
        cut_is="",
        alpha=job.alpha,
        cycles=cycles,
        dependence=dependence([_known(shift) for shift in shifts]),
        stands_to=None,
        required_rho=job.rho,
        good_to_accept=None,
        rules=RULES,
    )
    return _decided(found, job, shifts)


def dependence(shifts: Sequence[Bools]) -> Dependence:
    """Do bad units come in clusters, in these shifts?"""
    steps = Steps.of(shifts)
    gg, gb, bg, bb = (int(np.asarray(n)) for n in (steps.gg, steps.gb, steps.bg, steps.bb))
    both = gg + gb and bg + bb
    runs = sum(int((~good[:1]).sum() + (~good[1:] & good[:-1]).sum()) for good in shifts)
    good = sum(int(one.sum()) for one in shifts)
    bad = sum(len(one) for one in shifts) - good
    return Dependence(
        correlation=gg / (gg + gb) - bg / (bg + bb) if both else None,
        bad_runs=runs,
        p=runs_p(good, bad, runs) if runs and len(shifts) == 1 else None,
    )


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


def _bound(job: Job, good: int, bad: int, still: int) -> tuple[float, float]:
    if not good + bad + still:
        return 0.0, 1.0
    return bounds_with_open(good, bad, still, *job.alphas)


def _within(unit: Unit, limit_s: float) -> bool:
    """A good unit without a cycle time is not within: nobody knows when it was finished."""
    return unit.cycle_s is not None and unit.cycle_s <= limit_s


def _known(shift: Sequence[Unit], still: bool = False) -> Bools:
    """The outcomes of a shift's units, the open ones as `still`."""
    return np.array([still if unit.good is None else unit.good for unit in shift], dtype=bool)


def _timed(shift: Sequence[Unit], limit_s: float, still: bool) -> Bools:
    """Whether good units were within the limit, in due order; the open ones as `still`."""
    return np.array(
        [still if u.good is None else _within(u, limit_s) for u in shift if u.good is not False], dtype=bool
    )


# --- In words ---------------------------------------------------------------------------------------------------------


def _decided(v: Verdict, job: Job, shifts: Sequence[Sequence[Unit]]) -> Verdict:
    """The decision, and the sentence for it."""
    c = v.cycles
    if not v.units:
        short = "no unit that fell due had all the time that one may take: work a longer shift"
        return replace(v, why=short if v.cut_off else "no unit has ended yet")
    still = f", {v.open} open" if v.open else ""
    rate = f"{v.good} of {v.units} good{still}"
    times = f"{c.within} of {c.good} good units within {c.limit_s:g} s" if c else ""
    asked = f"required {per_cent(v.required, exact=True)} %"
    asked_times = f"required {per_cent(c.quantile, exact=True)} %" if c else ""
    if v.good + v.open < v.units and v.required >= 1.0:
        return replace(v, decision="reject", why=f"{rate}; every unit must be")
    if v.upper < v.required:
        why = f"{rate}; the rate is at most {_percent(v.upper)}, {asked}"
        shown = [_known(shift, still=True) for shift in shifts]
        return _standing(v, "reject", why, stands_to(Steps.of(shown), v.required, job.alphas[1], accept=False))
    if c and c.upper < c.quantile:
        why = f"{times}; their share is at most {_percent(c.upper)}, {asked_times}"
        shown = [_timed(shift, c.limit_s, still=True) for shift in shifts]
        return _standing(v, "reject", why, stands_to(Steps.of(shown), c.quantile, job.alphas[1], accept=False))
    if v.lower < v.required:
        asked = f"{per_cent(v.required, exact=True)} %"
        why = f"{rate}; the bound {per_cent(v.lower)} to {_percent(v.upper)} contains {asked}"
        return _undecided(v, job, shifts, why)
    why = f"{rate}; the rate is at least {_percent(v.lower)}, {asked}"
    if c and c.lower < c.quantile:
        asked = f"{per_cent(c.quantile, exact=True)} %"
        why += f"; but {times}: the bound {per_cent(c.lower)} to {_percent(c.upper)} contains {asked}"
        return _undecided(v, job, shifts, why)
    if c:
        why += f"; {times}, at least {_percent(c.lower)}, {asked_times}"
    stands = [stands_to(Steps.of(row), least, job.alphas[0], accept=True) for row, least in _proofs(v, shifts)]
    rho = None if None in stands else min(rho for rho in stands if rho is not None)
    found = _standing(v, "accept", why, rho)
    return found if found.decision == "accept" else _undecided(found, job, shifts, found.why)


def _proofs(v: Verdict, shifts: Sequence[Sequence[Unit]]) -> list[tuple[list[Bools], float]]:
    """What an accept has to prove: outcomes of each shift, an open unit the worse one, and the share that is asked."""
    asked = [([_known(shift) for shift in shifts], v.required)]
    if v.cycles is not None:
        limit_s = v.cycles.limit_s
        asked.append(([_timed(shift, limit_s, still=False) for shift in shifts], v.cycles.quantile))
    return asked


def _standing(v: Verdict, decision: str, why: str, rho: float | None) -> Verdict:
    """Decided, unless the job asks that it stand up to more stickiness than it does."""
    if v.required_rho is not None and (rho is None or rho < v.required_rho):
        up_to = "no stickiness" if rho is None else f"stickiness up to {_floor(rho)}"
        why += f"; but that stands up to {up_to}, and the job asks for {v.required_rho:g}"
        return replace(v, why=why, stands_to=rho)
    return replace(v, decision=decision, why=why, stands_to=rho)


def _undecided(v: Verdict, job: Job, shifts: Sequence[Sequence[Unit]], why: str) -> Verdict:
    """Not decided yet, and how far it is from that."""
    c = v.cycles
    bad = v.units - v.good - v.open
    more = good_units_to_accept(v.good, bad, v.required, job.alphas[0])
    if c and more is not None:
        times = good_units_to_accept(c.within, c.good - c.within, c.quantile, job.alphas[0])
        more = None if times is None else max(more, times)
    if more is not None and job.rho is not None:
        stand = [good_units_to_stand(row, least, job.rho, job.alphas[0]) for row, least in _proofs(v, shifts)]
        more = None if None in stand else max(more, *(n for n in stand if n is not None))
    if more is not None:
        why += f"; about {more:,} more good unit{'' if more == 1 else 's'} would decide it"
    return replace(v, why=why, good_to_accept=more)


def notes(v: Verdict, shifts: int = 1) -> list[str]:
    """What else is to be said of a verdict on so many shifts, a sentence each: how far it stands, whether bad units
    cluster, what the end cut off, or will, or may."""
    told = []
    if v.decision != "undecided" and v.required < 1.0:
        if v.stands_to is None:
            told.append("True of these units; of the worker only if they do not depend on each other.")
        else:
            rho = _floor(v.stands_to)
            told.append(f"Stands up to stickiness up to {rho}: true of the worker as well, if it has no more.")
    d = v.dependence
    if d.p is not None and d.p < 0.05 and d.correlation is not None:
        told.append(f"Bad units come in clusters (stickiness seen {d.correlation:+.2f}, p = {d.p:.2g}).")
    if v.cut_off:
        told.append(cut_off_in_words(v.cut_off, v.cut_off_finished, shifts, v.cut_is) + ".")
    return told


def cut_off_in_words(units: int, finished: int, shifts: int = 1, cut_is: str = "") -> str:
    """What the ends of so many shifts cut off, or will, or may (`Outcomes.cut_is`): that many `units`, of which so many
    had `finished` all the same."""
    end = "the end of the shift" if shifts == 1 else "the ends of the shifts"
    done = f", {finished} of them finished" if finished else ""
    return f"{counted(units)} {cut_is and f'{cut_is} be '}cut off by {end}{done}: not judged"


def _floor(rho: float) -> str:
    """Two digits, never more than it is."""
    return f"{math.floor(100 * rho + 1e-9) / 100:.2f}"


def _percent(value: float) -> str:
    return f"{per_cent(value)} %"
