"""Many arms against each other, with one promise for all of them together, however often one looks.

The shift is the cluster: of two arms that worked the same seeds, each seed gives one figure, the mean difference over
the units that both ended. For every two arms there are two hypotheses, "a is not better" and "b is not better" (with a
margin two more), each with an e-process. Closed testing with the mean of e-processes (Vovk & Wang, Ann. Stat. 49, 2021;
`sequences.closed`) keeps the chance of any false word, about any of them, at any look, at alpha: the correction.
What is once said stays said, for the promise is about the whole way.

    unit    the bet on the signs of units: about these units;
    shift   the lesser of that and of a t-test's e-process: about the workers, if shift means are about normal;
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

import numpy as np

from takt.fleet.record import NONE, WORK_DIGITS, Record
from takt.judge.comparison import ALIKE, BETTER, UNDECIDED, WORSE
from takt.judge.sequences import (
    SHIFT_EFFECT,
    bounds_of_means,
    bounds_of_shifts,
    bounds_of_signs,
    closed,
    log_wealth,
    log_wealth_of_means,
)


@dataclass(slots=True)
class Duel:
    """Two arms so far: the shifts that both worked.

    means   of each shift, the mean difference in good, a minus b, over its pairs of units.
    plus, ties, minus   pairs of units where only a, both or neither, only b was good.
    """

    a: str
    b: str
    means: array[float] = field(default_factory=lambda: array("d"))
    plus: int = 0
    ties: int = 0
    minus: int = 0
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

    @property
    def difference(self) -> float | None:
        """Mean over shifts; None before the first."""
        return float(np.mean(self.means)) if self.means else None

    def log_e(self, by: str, least: float) -> tuple[float, float]:
        """log of the e-processes of "a - b <= least" and of "b - a <= least"."""
        means = np.array(self.means)
        found = []
        for sign, plus, minus in ((1, self.plus, self.minus), (-1, self.minus, self.plus)):
            unit = float(log_wealth(plus, self.ties, minus, least)) if self.means else 0.0
            if by == "unit" or not self.means:
                found.append(unit)
            elif by == "shift":
                found.append(min(unit, log_e_of_shifts(sign * means, least)))
            else:
                found.append(float(log_wealth_of_means((1 + sign * means) / 2, (1 + least) / 2)))
        return found[0], found[1]

    def bound(self, by: str, alpha: float) -> tuple[float, float]:
        """Bound of the mean difference, by itself at this alpha."""
        if not self.means:
            return -1.0, 1.0
        means = np.array(self.means)
        if by == "free":
            return bounds_of_means(means, -1.0, 1.0, alpha) if len(means) > 1 else (-1.0, 1.0)
        signs = np.repeat([1.0, 0.0, -1.0], [self.plus, self.ties, self.minus])
        low, high = (float(end[-1]) for end in bounds_of_signs(signs, alpha, last=True))
        if by == "shift":
            of_low, of_high = bounds_of_shifts(means, alpha)
            low, high = max(-1.0, min(low, of_low)), min(1.0, max(high, of_high))
        return low, high


def log_e_of_shifts(means: np.ndarray, least: float) -> float:
    """log of the e-process of "the mean of shifts is at most `least`", shift means being about normal."""
    n = len(means)
    if n < 2:
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
    """All arms of one work. `look` after every shift; `duels` has what is said of every two."""

    def __init__(self, arms: Sequence[str], *, alpha: float, by: str, margin: float | None = None) -> None:
        self.arms, self.alpha, self.by, self.margin = list(arms), alpha, by, margin
        self.duels = {(a, b): Duel(a, b) for a, b in combinations(self.arms, 2)}

    def take(self, records: Mapping[str, Sequence[Record | None]]) -> None:
        """The shifts of each arm (`arms.by_seed`): a place for each seed of the work, up to its first that has not
        ended; None where it is lost, or not planned. Those that were taken before are not looked at again. Raises
        ValueError if two shifts in one place are of two seeds."""
        for (a, b), duel in self.duels.items():
            new = list(zip(*(records.get(name, ())[duel.taken :] for name in (a, b)), strict=False))
            duel.taken += len(new)
            for one, two in new:
                if one is not None and two is not None and one.seed != two.seed:
                    raise ValueError(f"seed {one.seed} of {a} beside seed {two.seed} of {b}")
                if one is not None and two is not None and one.whole and two.whole:
                    duel.add(one, two)

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
