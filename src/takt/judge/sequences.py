"""Confidence sequences for the mean of paired differences: bounds that hold after every pair at once.

Three, because three things are known of a difference (docs/compare.md says which is used when):

    bounds_of_signs   -1, 0 or +1: a betting sequence (Waudby-Smith & Ramdas, JRSSB 86, 2024), exact at every size.
    bounds_of_shifts  one figure for each shift, taken to be normal: a sequential t-test (Lai, "On confidence
                      sequences", Ann. Stat. 4, 1976; Wang & Ramdas, "Anytime-valid t-tests ...", 2023).
    lower_of_alike    good rates of shifts that are believed to differ so much at most: a bet on their squares.
    bounds_of_means   any figures between two known ends (shifts' means, costs of a declared range): the betting
                      sequence again, whatever their distribution.

All bets keep their stakes from pair to pair, so the first and the last keep the promise about these units under any
dependence (`bets`); nothing is divided by anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

STAKES = 32  # shares of his fortune that the gambler bets: as many gamblers, who began with `_weight` each
HALVINGS = 45  # of the interval that holds a bound: to 1e-13
SHIFT_EFFECT = 3.0  # differences between workers that are looked for, in standard deviations between shifts
MOST_STICKY = 0.9  # that is believed of units
BELIEVED_STICKY, BELIEVED_BAD = 0.4, 5.0  # so sticky they are believed to be before so many bad ones are seen
MOST_SPREAD = 0.04  # standard deviation between shifts' own rates that is believed of a worker
SHIFTS_BETS = 10  # gamblers that bet on shifts alike
TELLING = 20  # costs that differ from the commonest one: fewer say nothing of how far out others may lie

Floats = NDArray[np.float64]

_nodes, _weights = np.polynomial.legendre.leggauss(STAKES)
_stake = (_nodes + 1) / 2
_weight = _weights / 2 * 6 * _stake * (1 - _stake)  # Beta(2, 2); they add up to 1


def log_wealth(plus: ArrayLike, ties: ArrayLike, minus: ArrayLike, difference: ArrayLike) -> Floats:
    """log of what a gambler owns who began with 1 and bets that the mean of the differences is above `difference`.

    A pair's difference d is -1, 0 or +1; x = (1+d)/2 has the mean m = (1+difference)/2 if he is wrong. Of each of his
    fortunes he stakes the share u, and owns 1 - u + u x/m times as much after the pair: fair at a mean of m, a loss on
    average below it. The u are spread as Beta(2, 2). At a difference of 0 ties change nothing, and this is the
    sequential form of McNemar's test. Counts need not be whole; arrays are taken element by element.
    """
    n1, n0, n_1, d = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (plus, ties, minus, difference)))
    m = (1 + d[..., None]) / 2
    logs = n1[..., None] * np.log1p(_stake * (1 / m - 1)) + n0[..., None] * np.log1p(_stake * (0.5 / m - 1))
    logs = logs + n_1[..., None] * np.log1p(-_stake) + np.log(_weight)
    most = logs.max(-1)
    return np.asarray(most + np.log(np.exp(logs - most[..., None]).sum(-1)))


def lower_of_signs(plus: ArrayLike, ties: ArrayLike, minus: ArrayLike, alpha: float) -> Floats:
    """The highest mean difference that is refuted: where the gambler owns 1/alpha, or -1 if there is no such one.

    What he owns falls as `difference` rises, and is at most 1 where that is the mean so far (by the inequality of the
    arithmetic and geometric mean); so there is one such place, below the mean, and halving finds it.
    """
    n1, n0, n_1 = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (plus, ties, minus)))
    high = (n1 - n_1) / np.maximum(n1 + n0 + n_1, np.finfo(float).tiny)
    low = np.full(high.shape, -1.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        refuted = log_wealth(n1, n0, n_1, np.maximum(middle, -1 + 1e-12)) >= -math.log(alpha)
        low, high = np.where(refuted, middle, low), np.where(refuted, high, middle)
    return low


def bounds_of_signs(signs: Floats, alpha: float, last: bool = False) -> tuple[Floats, Floats]:
    """Lower and upper bound of the mean of signs (n,) after each, or after the last only: alpha/2 for each side."""
    plus, ties, minus = ((signs == sign).cumsum() for sign in (1, 0, -1))
    if last:
        plus, ties, minus = plus[-1:], ties[-1:], minus[-1:]
    return lower_of_signs(plus, ties, minus, alpha / 2), -lower_of_signs(minus, ties, plus, alpha / 2)


def sure_signs(signs: Floats, alpha: float) -> NDArray[np.bool_]:
    """After each of signs (n,), whether their bound excludes 0: whether who bets on the commoner sign owns 2/alpha."""
    plus, minus, ties = ((signs == sign).cumsum() for sign in (1, -1, 0))
    more, less = np.maximum(plus, minus), np.minimum(plus, minus)
    share = more / np.maximum(more + less, np.finfo(float).tiny)
    sure = np.asarray(xlogy(more, 2 * share) + xlogy(less, 2 - 2 * share) >= math.log(2 / alpha))  # by the luckiest bet
    sure[sure] = log_wealth(more[sure], ties[sure], less[sure], 0.0) >= math.log(2 / alpha)
    return sure


def bounds_of_shifts(means: Floats, alpha: float) -> tuple[float, float]:
    """Bounds of the mean of normal figures, one for each shift; -inf and inf while there are too few.

    The likelihood ratio of t with mean/deviation ~ N(0, g), g = SHIFT_EFFECT^2, against 0 (as a Bayes factor: Gonen,
    Johnson, Lu & Westfall, "The Bayesian two-sample t test", Am. Stat. 59, 2005) is a martingale under 0, whatever the
    deviation, so it ever reaches 1/alpha with a chance of at most alpha:

        (1+ng)^-1/2 [(1 + x) / (1 + x/(1+ng))]^(n/2),  x = t^2/(n-1); solved for x.
    """
    n = len(means)
    if n < 2:
        return -math.inf, math.inf
    k = 1 + n * SHIFT_EFFECT**2
    ratio = (math.sqrt(k) / alpha) ** (2 / n)
    if ratio >= k:
        return -math.inf, math.inf
    x = (ratio - 1) / (1 - ratio / k)
    mean, deviation, width = float(means.mean()), float(means.std(ddof=1)), math.sqrt(x * (n - 1) / n)
    return mean - width * deviation, mean + width * deviation


def usual_spread(required: float) -> float:
    """The standard deviation that shifts' rates are believed to have at most, where a rate is required: MOST_SPREAD,
    or the share of bad units that is allowed if that is less (a worker of 99 % does not often have shifts of 95 %)."""
    return float(min(MOST_SPREAD, max(1.0 - required, 0.001)))


def chance_in(shifts: Sequence[ArrayLike]) -> float:
    """What p (1 - p) is multiplied by for the variance that chance makes of the mean of one of these shifts of rate p:
    1/units if they are independent, more if they are sticky. Booleans in due order, a row for each shift.

    As sticky as they are seen to be; of few bad units little is seen, so BELIEVED_BAD more are taken to show
    BELIEVED_STICKY.
    """
    rows = [np.asarray(row, dtype=float) for row in shifts if len(np.asarray(row))]
    units, good = sum(map(len, rows)), sum(float(row.sum()) for row in rows)
    if not rows:
        return 1.0
    both = sum(float(row[:-1] @ row[1:]) for row in rows)
    earlier, later = (sum(float(row[ends].sum()) for row in rows) for ends in (slice(None, -1), slice(1, None)))
    seen = stickiness_of(both, earlier, later, units - len(rows))
    return float(chance_of(sum(1 / len(row) for row in rows) / len(rows), seen, units - good))


def stickiness_of(both: ArrayLike, earlier: ArrayLike, later: ArrayLike, pairs: ArrayLike) -> Floats:
    """The correlation of neighbours, from 0 to MOST_STICKY: of so many pairs, in how many both, the earlier, the later
    one is good."""
    n = np.maximum(np.asarray(pairs, dtype=float), 1.0)
    a, b = np.asarray(earlier) / n, np.asarray(later) / n
    spread = np.maximum((a * (1 - a) + b * (1 - b)) / 2, 1e-9)
    return np.asarray(np.clip((np.asarray(both) / n - a * b) / spread, 0.0, MOST_STICKY))


def chance_of(share: ArrayLike, seen: ArrayLike, bad: ArrayLike) -> Any:
    """`chance_in` of shifts of 1/`share` units whose `bad` units show a stickiness of `seen`."""
    bad = np.asarray(bad, dtype=float)
    rho = (np.asarray(seen) * bad + BELIEVED_STICKY * BELIEVED_BAD) / (bad + BELIEVED_BAD)
    return np.asarray(share) * (1 + rho) / (1 - rho)


def log_wealth_of_alike(x: ArrayLike, mean: float, spread: float, chance: ArrayLike) -> Floats:
    """log of what a gambler owns after each of x (..., n), who bets that the mean of shifts' rates is above `mean`;
    shifts' own rates have a standard deviation of `spread` at most, and `chance` (..., n) is `chance_in` at each look.

    No rate is above 1, so whatever the distribution, E (x - m)^2 <= v and E x <= m give E (x - m + d)^2 <= d^2 + v. He
    owns (x - m + d)^2 / (d^2 + v) times as much after each x, nothing after one below m - d, his d spread from
    spread^2/(1-m), where he wins most of shifts without a bad unit (the two-point distribution of Bennett, "Probability
    inequalities for the sum of independent random variables", JASA 57, 1962, is all that holds him up), to 1.
    """
    found, n = np.asarray(x, dtype=float), np.arange(1, np.shape(x)[-1] + 1)
    d = np.geomspace(spread**2 / (1 - mean), 1.0, SHIFTS_BETS)
    above = np.maximum(found[..., None] - mean + d, 0.0)
    v = spread**2 + mean * (1 - mean) * np.asarray(chance, dtype=float)
    with np.errstate(divide="ignore"):
        logs = 2 * np.log(above).cumsum(-2) - n[:, None] * np.log(d**2 + v[..., None])
        most = np.maximum(logs.max(-1), -1e300)
        return np.asarray(most + np.log(np.exp(logs - most[..., None]).mean(-1)))


def lower_of_alike(x: ArrayLike, spread: float, chance: float, alpha: float) -> float:
    """The highest mean of shifts' rates that `log_wealth_of_alike` refutes; 0 if none is."""
    found = np.asarray(x, dtype=float)
    low, high = 0.0, float(found.mean())
    for _ in range(HALVINGS if high > 0 else 0):
        middle = (low + high) / 2
        refuted = log_wealth_of_alike(found, middle, spread, chance)[-1] >= -math.log(alpha)
        low, high = (middle, high) if refuted else (low, middle)
    return low


def log_wealth_of_means(x: ArrayLike, mean: ArrayLike) -> Floats:
    """log of what a gambler owns who bets that the mean of figures x (n,) between 0 and 1 is above `mean`.

    He owns 1 - u + u x / mean times as much after each x, fair at `mean`; half of what he began with is at a stake of
    u = 1 (he has the most to win where x hardly varies, and is ruined by an x of 0), half is spread evenly over u.
    `mean` may be an array.
    """
    found, m = np.asarray(x, dtype=float), np.asarray(mean, dtype=float)[..., None, None]
    stakes, began = stakes_of_means()
    with np.errstate(divide="ignore"):
        logs = np.log1p(stakes[:, None] * (found / m - 1)).sum(-1) + np.log(began)
    most = np.maximum(logs.max(-1), -1e300)
    return np.asarray(most + np.log(np.exp(logs - most[..., None]).sum(-1)))


def stakes_of_means() -> tuple[Floats, Floats]:
    """The stakes of the bet on means, and what is at each at the beginning: they add up to 1."""
    return np.append(_stake, 1.0), np.append(_weights / 4, 0.5)


def lower_of_means(x: ArrayLike, alpha: float) -> float:
    """The highest mean of figures between 0 and 1 that is refuted: where the gambler owns 1/alpha; 0 if none is."""
    found = np.asarray(x, dtype=float)
    low, high = 0.0, float(found.mean()) if len(found) else 0.0
    for _ in range(HALVINGS if high > 0 else 0):
        middle = (low + high) / 2
        if log_wealth_of_means(found, middle) >= -math.log(alpha):
            low = middle
        else:
            high = middle
    return low


def bounds_of_means(x: Floats, low: float, high: float, alpha: float) -> tuple[float, float]:
    """Bounds of the mean of figures x (n,) that lie between `low` and `high`: alpha/2 for each side.

    Whatever their distribution, if each has the same mean given those before, or for the mean of those means so far
    (docs/verdict.md). Raises ValueError if one lies outside.
    """
    if high <= low or (len(x) and (x.min() < low or x.max() > high)):
        raise ValueError(f"figures outside of {low:g} to {high:g}")
    scaled = (np.asarray(x, dtype=float) - low) / (high - low)
    ends = lower_of_means(scaled, alpha / 2), 1 - lower_of_means(1 - scaled, alpha / 2)
    return low + (high - low) * ends[0], low + (high - low) * ends[1]


def telling(x: Floats) -> int:
    """How many of x (n,) are not the commonest value."""
    return len(x) - int(np.unique(x, return_counts=True)[1].max()) if len(x) else 0


def closed(logs: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Which of hypotheses are rejected by closed testing, at this look and at every other.

    `logs` (hypotheses, ...) are logarithms of e-processes, one for each, dependent as they like. A hypothesis is
    rejected if for every set of hypotheses that contains it the mean of the set's e-processes is at least 1/alpha
    (Vovk & Wang, "E-values: calibration, combination and applications", Ann. Stat. 49, 2021): then whichever set is
    the true one, its mean ever reaches 1/alpha with a chance of at most alpha. The worst set has the smallest others.
    """
    e = np.exp(np.minimum(np.asarray(logs, dtype=float), 600.0))
    ranked = np.sort(e, axis=0)
    smallest = np.concatenate([np.zeros((1, *e.shape[1:])), ranked.cumsum(0)])
    found = np.ones(e.shape, dtype=bool)
    for k in range(len(e)):  # with the k smallest of the others; if it is among these itself, one more is taken
        among = ranked[k - 1] >= e if k else np.zeros(e.shape, dtype=bool)
        rest = np.where(among, smallest[k + 1], smallest[k] + e)
        found &= rest / (k + 1) >= 1 / alpha
    return found
