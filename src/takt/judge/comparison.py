"""What a comparison of workers comes to, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass

from takt.contract.figure import counted
from takt.judge.capability import Level
from takt.judge.verdict import RULES, Bound

BETTER, WORSE, ALIKE, UNDECIDED = "a_better", "b_better", "alike", "undecided"


@dataclass(frozen=True, slots=True)
class Cost:
    """The difference in cost per unit of the pairs whose station says what both units cost, a minus b.

    lower, upper   its bound, None if there is none: by unit only where the station declares between what ends a unit's
                   cost lies, by shift only if shifts' means are about normal; and not before some 20 differences tell.
    by             "unit", "shift" (the wider of both, or the only one there is); "" if there is no bound.
    currency       of all of these, an ISO 4217 code.
    """

    units: int
    a_mean: float
    b_mean: float
    difference: float
    lower: float | None
    upper: float | None
    by: str
    currency: str


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Units that were left out.

    open_a, open_b       counted for the other, not (or not yet) for this one: open, or cut off by the end.
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
    """One worker, on the units that all of them ended.

    cost         of a unit, in `currency`; None if the station does not say it of all.
    capability   what cycle time it holds there.
    """

    worker: str
    units: int
    good: int
    good_rate: float | None
    cost: float | None
    currency: str
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
        told = [f"by unit {ends(pair.by_unit)} (about these units)"]
        if pair.by_shift is not None:
            told.append(f"by {pair.shifts} whole shifts {ends(pair.by_shift)} (if shift means are about normal)")
        if pair.by_shift_free is not None:
            told.append(f"by shift {ends(pair.by_shift_free)} (whatever their distribution)")
        taken = {"unit": "by unit", "shift": "the wider of the first two", "free": "the last"}[pair.by]
        notes.append(f"The bound is {', '.join(told)}; the verdict takes {taken}.")
    for name, lost in ((pair.a, pair.lost_a), (pair.b, pair.lost_b)):
        if lost:
            notes.append(f"{name} broke its contract: {counted(lost)} after that count as bad.")
    not_ended = [
        f"{count} that are open or cut off at {name}"
        for name, count in ((pair.a, left.open_a), (pair.b, left.open_b))
        if count
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
        if cost.lower is not None:
            how = "by unit, of the declared range" if cost.by == "unit" else "if shift means are about normal"
            bound = f"bound {cost.lower:+,.2f} to {cost.upper:+,.2f}, {how}"
        notes.append(
            f"Cost, {pair.a} - {pair.b}: {cost.difference:+,.2f} {cost.currency} a unit over {cost.units} ({bound})."
        )
    return notes


def ends(bound: Bound) -> str:
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
