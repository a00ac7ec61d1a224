"""The looks at an arm's verdict, one after each of its shifts in the plan's order; what was once decided stays decided.

A look is asked for after every shift that ends, and all of them again by a driver that begins anew and by whoever looks
at the fleet: then all of them see the same, for what is decided is a function of the shifts alone. So a look costs no
more than numbers that are kept from the look before; the verdict itself (`arms.verdict_of`) is made where they decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from takt.fleet.arms import asked_of, verdict_of
from takt.fleet.record import BAD, GOOD, OPEN, Record
from takt.judge.bets import Floats, accepts, rejects
from takt.judge.pooled import Pooled
from takt.judge.sequences import (
    bounds_of_shifts,
    chance_of,
    log_wealth_of_alike,
    log_wealth_of_means,
    lower_of_means,
    stickiness_of,
    usual_spread,
)
from takt.judge.verdict import Job


class Looks:
    """The looks at one arm, by what its plan takes for granted and accepts by.

    reached   the verdict that decided, and `after` how many shifts; None before.
    """

    def __init__(self, *, alpha: float, by: str, accept: str = "") -> None:
        self.alpha, self.by, self.accept = alpha, by, accept
        self.reached: Pooled | None = None
        self.after: int | None = None
        self.records: list[Record | None] = []
        self._job: Job | None = None
        self._good = self._bad = self._open = self._within = 0
        self._units, self._times = _Shares(), _Shares()

    @property
    def taken(self) -> int:
        """Of how many of the arm's shifts is known, from its first."""
        return len(self.records)

    def follow(self, records: Iterable[Record | None]) -> bool:
        """Take the arm's next shifts (`arms.in_order`), with a look after each until it decides. Whether it has."""
        for record in records:
            if self.reached is not None:
                break
            self.add(record)
            self.look()
        return self.reached is not None

    def add(self, record: Record | None) -> None:
        """The next shift of the arm; None for one that is lost."""
        self.records.append(record)
        if record is None:
            return
        self._good, self._bad = self._good + record.good, self._bad + record.outcomes.count(BAD)
        self._open += record.outcomes.count(OPEN)
        whole = record.whole and record.units > 0
        if self._job is None and whole:
            self._job = Job.of({"acceptance": asked_of(record, self.accept)}, self.alpha)
            limit_s = self._job.limit_s
            self._within = sum(one.within(limit_s) for one in self.records if one and limit_s is not None)
        elif self._job is not None and self._job.limit_s is not None:
            self._within += record.within(self._job.limit_s)
        if whole:
            self._units.add([letter == GOOD for letter in record.outcomes])
            if self._job is not None and (limit_s := self._job.limit_s) is not None and record.good:
                self._times.add([t is not None and t <= limit_s for t in record.cycles])

    def look(self) -> bool:
        """Whether the shifts so far decide."""
        job = self._job
        if self.reached is None and job is not None and (self.by == "unit" or len(self._units.rates) > 1):
            both = [self._of(self._good, self._bad, self._units, job.required, job)]
            if job.limit_s is not None:
                both.append(self._of(self._within, self._good - self._within, self._times, job.quantile, job))
            if any(one < 0 for one in both) or all(one > 0 for one in both):
                found = verdict_of(self.records, alpha=self.alpha, by=self.by, accept=self.accept)
                if found is not None and found.decision != "undecided":
                    self.reached, self.after = found, len(self.records)
        return self.reached is not None

    def _of(self, yes: int, no: int, shares: _Shares, least: float, job: Job) -> int:
        """1: the share is surely at least `least`; -1: surely less; 0: neither."""
        unit = _unit(yes, no, self._open, least, job)
        if self.by == "unit" or (self.by == "shift" and not unit):
            return unit
        shift = _free(shares, least, job) if self.by == "free" else _normal(shares, least, job)
        return shift if self.by == "free" else min(unit, shift, key=abs)


@dataclass(slots=True)
class _Shares:
    """Shares of shifts, and what `sequences.chance_in` says of them, as they come."""

    rates: list[float] = field(default_factory=list)
    _sums: np.ndarray = field(default_factory=lambda: np.zeros(6))

    def add(self, row: Sequence[bool]) -> None:
        x = np.array(row, dtype=float)
        n, good = len(x), float(x.sum())
        self.rates.append(good / n)
        self._sums += (n, good, float(x[:-1] @ x[1:]), float(x[:-1].sum()), float(x[1:].sum()), 1 / n)

    @property
    def chance(self) -> Any:
        units, good, both, earlier, later, share = self._sums
        shifts = len(self.rates)
        return chance_of(share / shifts, stickiness_of(both, earlier, later, units - shifts), units - good)


def _unit(yes: int, no: int, still: int, least: float, job: Job) -> int:
    if least < 1.0 and bool(accepts(yes, no + still, least, job.alphas[0])):
        return 1
    return -1 if (no and least >= 1.0) or bool(rejects(yes + still, no, least, job.alphas[1])) else 0


def _normal(shares: _Shares, least: float, job: Job) -> int:
    rates = np.array(shares.rates)
    low, high = bounds_of_shifts(rates, min(job.alphas))
    if low < least <= high:
        return 0
    if least >= 1.0:
        return -1
    above, alpha = (True, job.alphas[0]) if low >= least else (False, job.alphas[1])
    bet = (rates, least) if above else (1 - rates, 1 - least)
    sure = log_wealth_of_alike(*bet, usual_spread(least), shares.chance)[-1] >= -math.log(alpha)
    return int(sure) if above else -int(sure)


def _free(shares: _Shares, least: float, job: Job) -> int:
    rates = np.array(shares.rates)
    if _refuted(rates, least, job.alphas[0]):
        return 1
    return -1 if _refuted(1 - rates, 1 - least, job.alphas[1]) else 0


def _refuted(x: Floats, mean: float, alpha: float) -> bool:
    """Whether `lower_of_means` is above this mean, without looking for where it is."""
    if not 0 < mean < 1:
        return mean <= 0 and lower_of_means(x, alpha) > 0
    return bool(float(x.mean()) > mean and log_wealth_of_means(x, mean) >= -math.log(alpha))
