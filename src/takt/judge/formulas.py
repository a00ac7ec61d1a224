"""The figures' formulas, each beside its standard; `kpi` says of what. docs/kpi.md names the sources.

What is undefined is None, never NaN.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import stats
from scipy.special import gammainc, gammaln

MTBF_CONFIDENCE = 0.95  # of `mtbf_lower_s`
SLOPE_UNITS = 1500  # Theil-Sen looks at all pairs: beyond this many units, evenly spaced ones are taken


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
    p = float(stats.fisher_exact([[a, half - a], [b, n_b - b]]).pvalue)
    return a / half, b / n_b, min(p, 1.0)


def slope_per_h(t_s: Sequence[float], cycles: Sequence[float]) -> tuple[float, float] | None:
    """Seconds of cycle time gained per hour of shift (Theil 1950, Sen 1968: the median of all pairwise slopes), and its
    p-value by Kendall's tau, the rank test that the Theil-Sen slope belongs to. None for fewer than three units."""
    if len(cycles) < 3 or min(t_s) == max(t_s):
        return None
    take = np.unique(np.linspace(0, len(cycles) - 1, min(len(cycles), SLOPE_UNITS)).round().astype(int))
    hours, seconds = np.asarray(t_s)[take] / 3600.0, np.asarray(cycles)[take]
    if seconds.min() == seconds.max():
        return 0.0, 1.0
    slope = float(stats.theilslopes(seconds, hours).slope)
    p = float(stats.kendalltau(hours, seconds).pvalue)
    return slope, p
