"""The figures' formulas, each beside its standard; `kpi` says of what. docs/kpi.md names the sources.

What is undefined is None, never NaN. The two tests are written out, and compared with SciPy's in the tests: importing
`scipy.stats` takes longer than `takt kpis` in all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammainc, gammaln

MTBF_CONFIDENCE = 0.95  # of `mtbf_lower_s`
SLOPE_UNITS = 1500  # Theil-Sen looks at all pairs: beyond this many units, evenly spaced ones are taken
EXACT_UNITS = 33  # up to so many units without ties, Kendall's test counts permutations; beyond, they are normal enough
AS_LIKELY = 1 + 1e-7  # tables whose chances differ by less are equally likely: R's fisher.test takes the same


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def per_hour(count: float, seconds: float) -> float | None:
    """Throughput rate = PQ / AOET (ISO 22400-2, "Throughput rate"), per hour; for any other count, that many per hour.

    AOET, the order's execution time, is the shift here: one order, from its first second to its last.
    """
    return ratio(count * 3600.0, seconds)


def effectiveness(planned_cycle_s: float | None, produced: int, production_s: float) -> float | None:
    """Effectiveness = PRI * PQ / APT (ISO 22400-2, "Effectiveness"). None without a planned run time per item.

    PRI is the *planned* run time per item of the work plan, not the customer's takt and not the mean time between
    arrivals; so it is a figure only where a station declares one. A worker that is faster than planned exceeds 1, as
    the standard has it.
    """
    return ratio(planned_cycle_s * produced, production_s) if planned_cycle_s is not None else None


def quality_ratio(good: int, produced: int) -> float | None:
    """Quality ratio = GQ / PQ (ISO 22400-2, "Quality ratio"): good units of those produced (see `effectiveness`)."""
    return ratio(good, produced)


def first_time_quality(good_first_time: int, started: int) -> float | None:
    """First time quality = (N - S - R) / N (GM GP-8 item 13: N started, S scrapped, R reworked or repaired).

    The same as first pass yield = GP / IP (ISO 22400-2, "First pass yield": good at first pass, of those inspected).
    """
    return ratio(good_first_time, started)


def attainment(times_s: Sequence[float], limit_s: float | None) -> float | None:
    """Share of units that were good within `limit_s` of falling due; `times_s` is infinite for those that were not.

    Takt's own figure: GP-9 asks that the required rate be sustained, and this says in how many units it was. A worker
    that fails fast has attained nothing.
    """
    return None if limit_s is None else ratio(sum(t <= limit_s for t in times_s), len(times_s))


def mtbf_s(productive_s: float, failures: int) -> float | None:
    """Mean productive time between failures = productive time / failures in it (SEMI E10, MTBFp). None without any.

    A failure is the equipment's, a stop by one of the station's own faults while there was work; stops that overlap
    are one. What the worker or the harness did is in `faults_by_origin`. A bad unit is not a failure: see
    `time_between_bad_s`.
    """
    return ratio(productive_s, failures)


def mtbf_lower_s(productive_s: float, failures: int, confidence: float = MTBF_CONFIDENCE) -> float | None:
    """Lower bound of the MTBF at a constant failure rate, right however often one looks.

    The usual one (SEMI E10: 2 T / chi2) is for one look at a time fixed before. Here T = `productive_s` and, for an
    MTBF of theta, x = T / theta: a gambler who spreads his bets evenly over all failure rates below 1/theta owns
    M = e^x gamma(r+1, x) / x^(r+1) after r failures, gamma the lower incomplete gamma function: at most a martingale
    if the true MTBF is theta or less, so theta is refuted at M = 1/alpha. T / theta = 4.51, 6.85, 8.85 for r = 0, 1, 2.
    """
    if productive_s <= 0:
        return None
    r = failures

    def log_m(x: float) -> float:
        return x + math.log(gammainc(r + 1, x)) + float(gammaln(r + 1)) - (r + 1) * math.log(x)

    wanted = -math.log(1 - confidence)
    low = high = float(r + 1)  # from here on M rises with x
    while log_m(high) < wanted:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if log_m(middle) < wanted else (low, middle)
    return productive_s / high


def mttr_s(downtime_s: float, failures: int) -> float | None:
    """Mean time to restoration = down time / failures (SEMI E10, MTTR).

    Of the same failures as the MTBF. A stop still open at the shift's end counts as far as it got.
    """
    return ratio(downtime_s, failures)


def phi(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Correlation of two yes-no variables, (n11 n00 - n10 n01) / sqrt(n1. n0. n.1 n.0) (Yule 1912; Pearson's r of 0/1).

    None if either never varies.
    """
    n = Counter(pairs)
    n11, n10, n01, n00 = n[True, True], n[True, False], n[False, True], n[False, False]
    spread = (n11 + n10) * (n01 + n00) * (n11 + n01) * (n10 + n00)
    return (n11 * n00 - n10 * n01) / math.sqrt(spread) if spread else None


def halves(goods: Sequence[bool]) -> tuple[float, float, float] | None:
    """Good rate of the first and the second half, and the two-sided p-value of their difference (Fisher's exact test).

    None for fewer than two units.
    """
    half = len(goods) // 2
    if half == 0:
        return None
    a, b = sum(goods[:half]), sum(goods[half:])
    n_b = len(goods) - half
    return a / half, b / n_b, fisher_p(a, half, b, n_b)


def fisher_p(a: int, of_a: int, b: int, of_b: int) -> float:
    """Fisher's exact test, two-sided, of `a` of `of_a` against `b` of `of_b`: the chance of a table that is no likelier
    than this one, given its margins (Fisher 1935)."""
    total = a + b
    k = np.arange(max(0, total - of_b), min(of_a, total) + 1)
    log = _log_choose(of_a, k) + _log_choose(of_b, total - k)
    chances = np.exp(log - log.max())
    seen = chances[a - k[0]]
    return min(1.0, float(chances[chances <= seen * AS_LIKELY].sum() / chances.sum()))


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(-betaln(n - k + 1, k + 1) - math.log(n + 1))


def slope_per_h(t_s: Sequence[float], cycles: Sequence[float]) -> tuple[float, float] | None:
    """Seconds of cycle time gained per hour of shift (Theil 1950, Sen 1968: the median of all pairwise slopes), and its
    p-value by Kendall's tau, the rank test that the Theil-Sen slope belongs to. None for fewer than three units."""
    if len(cycles) < 3 or min(t_s) == max(t_s):
        return None
    take = np.unique(np.linspace(0, len(cycles) - 1, min(len(cycles), SLOPE_UNITS)).round().astype(int))
    hours, seconds = np.asarray(t_s)[take] / 3600.0, np.asarray(cycles)[take]
    if seconds.min() == seconds.max():
        return 0.0, 1.0
    run = hours[:, None] - hours
    rise = seconds[:, None] - seconds
    slope = float(np.median(rise[run > 0] / run[run > 0]))
    return slope, kendall_p(hours, seconds)


def kendall_p(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Two-sided p-value of Kendall's tau-b, which asks whether x and y rise together (Kendall 1970, chapters 4 and 5):
    exact for few without ties, otherwise by the normal approximation with the variance that ties leave. Neither x nor y
    may be one value throughout."""
    n = len(x)
    score = float((np.sign(x[:, None] - x) * np.sign(y[:, None] - y)).sum()) / 2  # concordant pairs - discordant ones
    ties = [np.unique(values, return_counts=True)[1].astype(float) for values in (x, y)]
    pairs, threes, spread = (
        [float((t * (t - 1) * factor(t)).sum()) for t in ties]
        for factor in (lambda t: 0.5, lambda t: t - 2, lambda t: 2 * t + 5)
    )
    all_pairs = n * (n - 1)
    inversions = round((all_pairs / 2 - abs(score)) / 2)  # as far from either order as this
    if not any(pairs) and (n <= EXACT_UNITS or inversions <= 1):
        ways = [1]  # permutations of 1, 2, ... with so many inversions
        for of in range(2, n + 1):
            ways = [sum(ways[max(0, k - of + 1) : k + 1]) for k in range(min(len(ways) + of - 1, inversions + 1))]
        return min(1.0, 2 * sum(ways) / math.factorial(n))
    variance = (all_pairs * (2 * n + 5) - sum(spread)) / 18 + 2 * math.prod(pairs) / all_pairs
    variance += math.prod(threes) / (9 * all_pairs * (n - 2))
    return math.erfc(abs(score) / math.sqrt(2 * variance))
