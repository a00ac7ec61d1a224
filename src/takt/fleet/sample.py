"""How many shifts it takes until a verdict, and until a difference: by simulation of the very tests that judge.

Shifts are drawn as they are feared to be: each with a good rate of its own (beta, around the worker's), its units a
two-state chain of a given stickiness. The tests look after every shift, as a fleet does. All is vectorised
over paths, and gives what `arms.decided` and `together.Duel` give (tests compare them).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from takt.fleet.record import GOOD, Record
from takt.fleet.together import LEAST_SHIFTS
from takt.judge.bets import accepts, rejects
from takt.judge.sequences import (
    SHIFT_EFFECT,
    chance_of,
    log_wealth,
    log_wealth_of_alike,
    stakes_of_means,
    stickiness_of,
    usual_spread,
)

PATHS = 300
MOST_SHIFTS, MOST_UNITS = 400, 40_000  # that are simulated
USUAL_SPREAD = 0.02  # standard deviation of shifts' own rates, while shifts have not shown it
BELIEVED_SHIFTS = 3  # so many shifts that one saw oneself outweigh it
TELLING_BAD = 5  # bad units: fewer do not show how sticky units are

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Needed:
    """Shifts by which it is decided in a share `power` of simulated fleets; None: not within the most that are."""

    what: str
    power: float
    shifts: int | None
    units: int | None


def drawn(
    rate: float, spread: float, rho: float, shifts: int, units: int, paths: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(paths, shifts, units): whether units are good. `spread` is the standard deviation of shifts' own rates, `rho`
    the stickiness: P(good | good before) = p + rho (1 - p), P(good | bad before) = p (1 - rho)."""
    p = np.full((paths, shifts), rate)
    if spread > 0 and 0 < rate < 1:
        size = max(rate * (1 - rate) / spread**2 - 1, 1e-3)
        p = rng.beta(rate * size, (1 - rate) * size, (paths, shifts))
    found = np.empty((paths, shifts, units), dtype=bool)
    before = rng.random((paths, shifts)) < p
    for unit in range(units):
        if unit:
            before = rng.random((paths, shifts)) < np.where(before, p + rho * (1 - p), p * (1 - rho))
        found[:, :, unit] = before
    return found


def decided_at(good: NDArray[np.bool_], required: float, alpha: float, by: str) -> tuple[Ints, Ints]:
    """The shift (from 1) after which each path is accepted, and rejected; one more than there are shifts: never.

    good   (paths, shifts, units).
    """
    counts, units = good.sum(2), good.shape[2]
    n = units * np.arange(1, good.shape[1] + 1)
    so_far = counts.cumsum(1)
    yes = np.asarray(accepts(so_far, n - so_far, required, alpha))
    no = np.asarray(rejects(so_far, n - so_far, required, alpha))
    rates = counts / units
    if by == "shift":
        low, high = bounds_along(rates, alpha)
        spread, chance = usual_spread(required), chance_along(good)
        yes &= (low >= required) & (log_wealth_of_alike(rates, required, spread, chance) >= -math.log(alpha))
        no &= (high < required) & (log_wealth_of_alike(1 - rates, 1 - required, spread, chance) > -math.log(alpha))
    elif by == "free":
        more = np.arange(1, good.shape[1] + 1) > 1
        yes = (wealth_along(rates, required) >= -math.log(alpha)) & more
        no = (wealth_along(1 - rates, 1 - required) > -math.log(alpha)) & more
    return first(yes), first(no)


def told_apart_at(a: NDArray[np.bool_], b: NDArray[np.bool_], log_least: float, by: str) -> tuple[Ints, Ints]:
    """The shift after which "a is better", and "b is better", is said of two arms that worked the same seeds: when its
    e-process is at least exp(`log_least`)."""
    e = log_e_along(a.astype(int) - b.astype(int), by)
    return first(e[0] >= log_least), first(e[1] >= log_least)


def log_e_along(signs: Ints, by: str, least: float = 0.0) -> Floats:
    """(2, paths, shifts): log of the e-processes of "a - b <= least" and "b - a <= least" after each shift, as
    `together.Duel.log_e`; `signs` is (paths, shifts, units)."""
    plus, minus = ((signs == sign).sum(2).cumsum(1) for sign in (1, -1))
    ties = signs.shape[2] * np.arange(1, signs.shape[1] + 1) - plus - minus
    means = signs.mean(2)
    found = []
    for sign, more, less in ((1, plus, minus), (-1, minus, plus)):
        unit = log_wealth(more, ties, less, least)
        if by == "shift":
            unit = np.minimum(unit, log_e_of_shifts_along(sign * means, least))
        elif by == "free":
            unit = wealth_along((1 + sign * means) / 2, (1 + least) / 2)
        found.append(unit)
    return np.array(found)


def first(when: NDArray[np.bool_]) -> Ints:
    """The first look (from 1) at which it is so; one more than there are looks: never."""
    return np.where(when.any(1), when.argmax(1) + 1, when.shape[1] + 1)


def wealth_along(x: Floats, mean: float) -> Floats:
    """`sequences.log_wealth_of_means` of figures x (paths, shifts) after each of them."""
    stakes, began = stakes_of_means()
    with np.errstate(divide="ignore"):
        logs = np.log1p(stakes * (x[..., None] / mean - 1)).cumsum(1) + np.log(began)
    most = np.maximum(logs.max(-1), -1e300)
    return np.asarray(most + np.log(np.exp(logs - most[..., None]).sum(-1)))


def chance_along(good: NDArray[np.bool_]) -> Floats:
    """`sequences.chance_in` of paths (paths, shifts, units) after each of their shifts."""
    shifts, units = good.shape[1:]
    n = np.arange(1, shifts + 1)
    before, after = good[:, :, :-1], good[:, :, 1:]
    both, earlier, later = (pairs.sum(2).cumsum(1) for pairs in (before & after, before, after))
    seen = stickiness_of(both, earlier, later, n * (units - 1))
    return np.asarray(chance_of(1 / units, seen, (~good).sum(2).cumsum(1)))


def bounds_along(x: Floats, alpha: float) -> tuple[Floats, Floats]:
    """`sequences.bounds_of_shifts` of figures x (paths, shifts) after each of them."""
    n = np.arange(1, x.shape[1] + 1)
    mean, deviation = _moments(x)
    k = 1 + n * SHIFT_EFFECT**2
    ratio = (np.sqrt(k) / alpha) ** (2 / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = np.sqrt((ratio - 1) / (1 - ratio / k) * (n - 1) / n)
        ends = mean - width * deviation, mean + width * deviation
    few = (n < 2) | (ratio >= k)
    return np.where(few, -np.inf, ends[0]), np.where(few, np.inf, ends[1])


def log_e_of_shifts_along(x: Floats, least: float) -> Floats:
    """`together.log_e_of_shifts` of figures x (paths, shifts) after each of them."""
    n = np.arange(1, x.shape[1] + 1)
    mean, deviation = _moments(x)
    k = 1 + n * SHIFT_EFFECT**2
    with np.errstate(divide="ignore", invalid="ignore"):
        t2 = n * ((mean - least) / deviation) ** 2 / np.maximum(n - 1, 1)
        e = -0.5 * np.log(k) + n / 2 * (np.log1p(t2) - np.log1p(t2 / k))
    e = np.where(deviation == 0, (n - 1) / 2 * np.log(k), e)
    return np.where(n < LEAST_SHIFTS, 0.0, np.where(mean > least, e, -0.5 * np.log(k)))


def _moments(x: Floats) -> tuple[Floats, Floats]:
    n = np.arange(1, x.shape[1] + 1)
    mean = x.cumsum(1) / n
    spread = np.maximum((x**2).cumsum(1) - n * mean**2, 0.0)
    spread = np.where(spread < 1e-12 * n, 0.0, spread)
    return mean, np.sqrt(spread / np.maximum(n - 1, 1))


def shifts_to_verdict(
    required: float,
    rate: float,
    units: int,
    *,
    spread: float = USUAL_SPREAD,
    rho: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
    by: str = "shift",
    seed: int = 0,
) -> Needed:
    """How many shifts of so many units until the verdict on a worker of this rate has come, with this power."""

    def at(shifts: int) -> Ints:
        good = drawn(rate, spread, rho, shifts, units, PATHS, np.random.default_rng([seed, 24]))
        return decided_at(good, required, alpha, by)[0 if rate > required else 1]

    return _needed("accept" if rate > required else "reject", at, power, units)


def shifts_to_difference(
    rate: float,
    difference: float,
    units: int,
    arms: int,
    *,
    spread: float = USUAL_SPREAD,
    rho: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
    by: str = "shift",
    seed: int = 0,
) -> Needed:
    """How many shifts of each of two arms until one that is better by `difference` is known to be, among so many arms.

    Units of the two are drawn apart, which is on the safe side: workers who meet the same units fail at the same ones.
    The first of several pairs to be told apart needs the most (`together`), and that is what is asked here.
    """
    high = min(rate + difference / 2, 1.0)
    log_least = math.log(arms * (arms - 1) / alpha)

    def at(shifts: int) -> Ints:
        rng = np.random.default_rng([seed, 25])
        a, b = (drawn(one, spread, rho, shifts, units, PATHS, rng) for one in (high, max(high - difference, 0.0)))
        return told_apart_at(a, b, log_least, by)[0]

    return _needed(f"a difference of {100 * difference:g} points", at, power, units)


def believed_spread(records: Sequence[Record], usual: float) -> tuple[float, int]:
    """The standard deviation of shifts' own rates to plan with, and in how many whole shifts it was seen: what is seen,
    less what chance alone makes of equal ones, and the usual one as if BELIEVED_SHIFTS more had shown it."""
    whole = [record for record in records if record.whole and record.units]
    if len(whole) < 2:
        return usual, 0
    rates = np.array([record.good / record.units for record in whole])
    by_chance = float(np.mean([r * (1 - r) / record.units for r, record in zip(rates, whole, strict=True)]))
    more, seen = len(whole) - 1, max(float(rates.var(ddof=1)) - by_chance, 0.0)
    return math.sqrt((more * seen + BELIEVED_SHIFTS * usual**2) / (more + BELIEVED_SHIFTS)), len(whole)


def stickiness_seen(records: Sequence[Record]) -> float | None:
    """The correlation of neighbouring units, from 0; None while fewer than TELLING_BAD bad ones have shown it."""
    rows = [np.array([letter == GOOD for letter in one.outcomes]) for one in records if one.ended and one.units]
    if sum(int((~row).sum()) for row in rows) < TELLING_BAD:
        return None
    both = sum(int((row[:-1] & row[1:]).sum()) for row in rows)
    earlier, later = (sum(int(row[ends].sum()) for row in rows) for ends in (slice(None, -1), slice(1, None)))
    return float(stickiness_of(both, earlier, later, sum(len(row) - 1 for row in rows)))


def _needed(what: str, at: Callable[[int], Ints], power: float, units: int) -> Needed:
    """Ever longer fleets are drawn until enough of them are decided."""
    most = int(max(2, min(MOST_SHIFTS, MOST_UNITS // max(units, 1))))
    shifts = min(8, most)
    while True:
        ranked = np.sort(at(shifts))
        found = int(ranked[math.ceil(power * len(ranked)) - 1])
        if found <= shifts:
            return Needed(what, power, found, found * units)
        if shifts >= most:
            return Needed(what, power, None, None)
        shifts = min(3 * shifts, most)
