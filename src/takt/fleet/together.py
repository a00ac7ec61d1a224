"""Many arms against each other, with one promise for all of them together, however often one looks.

The shift is the cluster: of two arms that worked the same seeds, each seed gives one figure, the mean difference over
the units that both ended. For every two arms there are two hypotheses, "a is not better" and "b is not better" (with a
margin two more), each with an e-process. Closed testing with the mean of e-processes (Vovk & Wang, Ann. Stat. 49, 2021;
`sequences.closed`) keeps the chance of any false word, about any of them, at any look, at alpha: the correction.
What is once said stays said, for the promise is about the whole way.

    unit    the bet on the signs of units: about these units;
    shift   the lesser of that and of a t-test's e-process: about the workers, if means of shifts' differences are about
            normal. Nothing is said before LEAST_SHIFTS shifts: where one worker's shifts are alike and the other's are
            skewed, the first few are often lucky and alike together (docs/fleets.md has how often it errs);
    free    the bet on shifts' means: about the workers, whatever the distribution. It takes some 30 seeds.

The e-process of "mean <= d" by t is that of d itself where the mean so far is above d, else that of the mean so far:
the infimum over the hypothesis, so that a direction may be claimed.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np

from takt.fleet.record import NONE, WORK_DIGITS, Record
from takt.judge.comparison import ALIKE, BETTER, UNDECIDED, WORSE
from takt.judge.sequences import (
    SHIFT_EFFECT,
    bounds_of_means,
    bounds_of_shifts,
    closed,
    log_wealth,
    log_wealth_of_means,
    lower_of_signs,
)

LEAST_SHIFTS = 8  # that both worked, before anything is said by shift
OUT: Literal["not planned"] = "not planned"  # a seed that an arm is not to work
Place = Record | None | Literal["not planned"]


@dataclass(slots=True)
class Duel:
    """Two arms so far: the shifts that both worked.

    means   of each shift, the mean difference in good, a minus b, over its pairs of units.
    plus, ties, minus   pairs of units where only a, both or neither, only b was good.
    against   of each seed that is lost, the differences of its units: as bad for a as can be, of a - b; and as bad for
              b, of b - a. A worker may have taken its process with it where the work is hard, so they count in what is
              to be proven (`log_e`), and in no figure.
    """

    a: str
    b: str
    means: array[float] = field(default_factory=lambda: array("d"))
    plus: int = 0
    ties: int = 0
    minus: int = 0
    against: tuple[list[np.ndarray], list[np.ndarray]] = field(default_factory=lambda: ([], []))
    decision: str = UNDECIDED
    after: int | None = None  # shifts, when it was decided
    taken: int = 0  # seeds that were looked at, those included that do not count

    def add(self, a: Record, b: Record) -> None:
        """One seed more."""
        differences = [int(one) - int(two) for one, two in _pairs(a, b)]
        if differences:
            self.add_signs(np.array(differences))

    def add_signs(self, signs: np.ndarray) -> None:
        """One seed more, by the signs of its pairs of units."""
        self.means.append(float(signs.mean()))
        self.plus += int((signs > 0).sum())
        self.minus += int((signs < 0).sum())
        self.ties += int((signs == 0).sum())

    def add_lost(self, a: Record | None, b: Record | None) -> None:
        """One seed more, whose shift of one of them, or of both, is lost."""
        pairs = self.plus + self.ties + self.minus
        mean = max(1, round(pairs / len(self.means))) if self.means else 1
        there = a if b is None else b
        good = np.ones(mean) if there is None else np.array([int(unit) for unit in there.by_unit if unit != NONE])
        if len(good):
            self.against[0].append(good - 1 if a is not None else -good)
            self.against[1].append(good - 1 if b is not None else -good)

    @property
    def lost(self) -> int:
        return len(self.against[0])

    @property
    def difference(self) -> float | None:
        """Mean over shifts; None before the first."""
        return float(np.mean(self.means)) if self.means else None

    def log_e(self, by: str, least: float) -> tuple[float, float]:
        """log of the e-processes of "a - b <= least" and of "b - a <= least"."""
        found = []
        for sign in (1, -1):
            means, plus, ties, minus = self._at_worst(sign)
            unit = float(log_wealth(plus, ties, minus, least)) if self.means else 0.0
            if by == "unit" or not self.means:
                found.append(unit)
            elif by == "shift":
                found.append(min(unit, log_e_of_shifts(means, least)))
            else:
                found.append(float(log_wealth_of_means((1 + means) / 2, (1 + least) / 2)))
        return found[0], found[1]

    def bound(self, by: str, alpha: float) -> tuple[float, float]:
        """Bound of the mean difference, by itself at this alpha."""
        return self._lower(1, by, alpha), -self._lower(-1, by, alpha)

    def _lower(self, sign: int, by: str, alpha: float) -> float:
        means, plus, ties, minus = self._at_worst(sign)
        if not self.means:
            return -1.0
        if by == "free":
            return bounds_of_means(means, -1.0, 1.0, alpha)[0] if len(means) > 1 else -1.0
        low = float(lower_of_signs(plus, ties, minus, alpha / 2))
        shift = bounds_of_shifts(means, alpha)[0] if len(means) >= LEAST_SHIFTS else -1.0
        return max(-1.0, min(low, shift)) if by == "shift" else low

    def _at_worst(self, sign: int) -> tuple[np.ndarray, int, int, int]:
        """Means of shifts and counts of units of a - b, or of b - a, what is lost as bad as can be for the first."""
        lost = self.against[0 if sign > 0 else 1]
        means = np.array([*(sign * mean for mean in self.means), *(float(one.mean()) for one in lost)])
        plus, minus = (self.plus, self.minus) if sign > 0 else (self.minus, self.plus)
        ties, less = (sum(int((one == value).sum()) for one in lost) for value in (0, -1))
        return means, plus, self.ties + ties, minus + less


def log_e_of_shifts(means: np.ndarray, least: float) -> float:
    """log of the e-process of "the mean of shifts is at most `least`", shift means being about normal."""
    n = len(means)
    if n < LEAST_SHIFTS:
        return 0.0
    k = 1 + n * SHIFT_EFFECT**2
    excess, deviation = float(means.mean()) - least, float(means.std(ddof=1))
    if excess <= 0:
        return -0.5 * math.log(k)
    if deviation == 0:
        return (n - 1) / 2 * math.log(k)
    x = n * (excess / deviation) ** 2 / (n - 1)
    return -0.5 * math.log(k) + n / 2 * (math.log1p(x) - math.log1p(x / k))


class Together:
    """All arms of one work, followed seed by seed (`follow`); `duels` has what is said of every two."""

    def __init__(self, arms: Sequence[str], *, alpha: float, by: str, margin: float | None = None) -> None:
        self.arms, self.alpha, self.by, self.margin = list(arms), alpha, by, margin
        self.duels = {(a, b): Duel(a, b) for a, b in combinations(self.arms, 2)}
        self._seeds = 0  # that `follow` has taken

    def take(self, records: Mapping[str, Sequence[Place]]) -> bool:
        """The shifts of each arm (`arms.by_seed`): a place for each seed of the work, up to its first that has not
        ended; None where it is lost, OUT where it is not planned. Those that were taken before are not looked at again.
        Whether there was anything new. Raises ValueError if two shifts in one place are of two seeds."""
        some = False
        for (a, b), duel in self.duels.items():
            new = list(zip(*(records.get(name, ())[duel.taken :] for name in (a, b)), strict=False))
            some |= bool(new)
            for one, two in new:
                self._add(duel, one, two)
        return some

    def _add(self, duel: Duel, one: Place, two: Place) -> bool:
        """One seed more of two arms; whether it counts."""
        duel.taken += 1
        if isinstance(one, str) or isinstance(two, str):
            return False
        if one is None or two is None:
            duel.add_lost(one, two)
        elif one.seed != two.seed:
            raise ValueError(f"seed {one.seed} of {duel.a} beside seed {two.seed} of {duel.b}")
        elif one.whole and two.whole:
            duel.add(one, two)
        return True

    def look(self) -> None:
        """Decide what can be decided now."""
        duels = list(self.duels.values())
        if not duels:
            return
        rows = [duel.log_e(self.by, 0.0) for duel in duels]
        if self.margin is not None:  # "the difference is margin or more" of b - a, and of a - b
            rows += [duel.log_e(self.by, -self.margin) for duel in duels]
        sure = closed(np.array(rows).reshape(-1), self.alpha).reshape(-1, 2)
        for n, duel in enumerate(duels):
            a_better, b_better = sure[n]
            said = UNDECIDED
            if a_better != b_better:
                said = BETTER if a_better else WORSE
            elif self.margin is not None and sure[len(duels) + n].all():
                said = ALIKE
            if duel.decision == UNDECIDED and said != UNDECIDED:
                duel.decision, duel.after = said, len(duel.means)

    def follow(self, records: Mapping[str, Sequence[Place]], goal: str = "") -> None:
        """Take the shifts of each arm (as `take`) seed by seed, with a look after each seed that all arms have which
        are needed for the goal (`needed`; all of them without one). Of an arm that is needed no more nothing is taken.

        So what is said is a function of the shifts, in whatever order they ended, and the same for the driver that saw
        them end, for one that begins again, and for the page."""
        while needed := self.needed(goal) if goal else set(self.arms):
            upto = self._seeds + 1
            if any(len(records.get(name, ())) < upto for name in needed):
                return
            self._seeds = upto
            at = {name: records[name][upto - 1] if name in needed else OUT for name in self.arms}
            if any([self._add(duel, at[a], at[b]) for (a, b), duel in self.duels.items()]):
                self.look()

    def relation(self, a: str, b: str) -> str:
        """What is said of these two, from the side of `a`: BETTER, WORSE, ALIKE or UNDECIDED."""
        if (a, b) in self.duels:
            return self.duels[a, b].decision
        return {BETTER: WORSE, WORSE: BETTER}.get(self.duels[b, a].decision, self.duels[b, a].decision)

    def needed(self, goal: str) -> set[str]:
        """The arms of which more shifts could still tell something: for all "pairs", or to know the "best"."""
        if goal == "pairs":
            return {arm for duel in self.duels.values() if duel.decision == UNDECIDED for arm in (duel.a, duel.b)}
        beaten = {a for a in self.arms if any(self.relation(a, b) == WORSE for b in self.arms if b != a)}
        left = [arm for arm in self.arms if arm not in beaten]
        return {a for a in left if any(self.relation(a, b) == UNDECIDED for b in left if b != a)}


def _pairs(a: Record, b: Record) -> list[tuple[str, str]]:
    """The units that count for both, and were the same work."""
    return [
        (one, two)
        for n, (one, two) in enumerate(zip(a.by_unit, b.by_unit, strict=False))
        if NONE not in (one, two) and a.work[n * WORK_DIGITS :][:WORK_DIGITS] == b.work[n * WORK_DIGITS :][:WORK_DIGITS]
    ]
