"""What a gambler owns who bets on a worker's units, and the bounds that follow. Pure arithmetic; docs/verdict.md.

After S good and F bad units a bet that the chance of a good one is q and not m has grown by

    L(q, m) = q^S (1-q)^F / (m^S (1-m)^F).

Both functions below are means of L over q > m: nonnegative martingales at a chance of m, supermartingales below it, so
they ever reach 1/alpha with a chance of at most alpha (Ville 1939). Because the stake stays the same from unit to unit,
more is true: under any dependence, they reach it with a chance of at most alpha while the mean of the chances so far,
each given all that went before, is at most m (docs/verdict.md has the proof).

    log_wealth         1/t uniform on (0, 1), t the odds ratio of q and m. It knows of no scale, and loses little where
                       q is near m: used to reject, with good and bad exchanged.
    log_wealth_high    q by Jeffreys' prior Beta(1/2, 1/2), cut off at m: most of it near 1, where a worker that is to
                       be accepted is. Used to accept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincc, betaln, xlog1py, xlogy

HALVINGS = 50  # of the interval that holds a bound: to 1e-15
UNDERFLOW = 1e-290

Floats = NDArray[np.float64]
Wealth = Callable[[ArrayLike, ArrayLike, ArrayLike], Floats]


def log_wealth(good: ArrayLike, bad: ArrayLike, rate: ArrayLike) -> Floats:
    """log M(m) after so many good and bad units. Arrays are taken element by element.

    M(m) = B(F+1, S-1) I(F+1, S-1; 1-m) / (m^(S-1) (1-m)^(F+1)), with B the beta function and I the regularised
    incomplete one (DLMF 8.17). Where I underflows (m far above S/(S+F)) it is 2F1(S+F, 1; F+2; 1-m) / (F+1) (DLMF
    8.17.8), whose terms are positive and shrink at once. One good unit or less is taken to have won nothing (M = 0,
    which is on the safe side): B is not defined there.
    """
    s, f, m = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (good, bad, rate)))
    known = s > 1
    rest = np.where(known, s - 1, 1.0)
    tail = betaincc(rest, f + 1, m)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_m = np.asarray(betaln(f + 1, rest) + np.log(tail) - xlog1py(f + 1, -m) - xlogy(rest, m))
    tiny = known & (tail < UNDERFLOW)
    if tiny.any():
        s, f, m = s[tiny], f[tiny], m[tiny]
        term, total, k = np.ones_like(m), np.ones_like(m), 0
        while (term > 1e-17 * total).any():
            term = term * (1 - m) * (s + f + k) / (f + 2 + k)
            total = total + term
            k += 1
        log_m[tiny] = np.log(total / (f + 1))
    return np.where(known, log_m, -np.inf)


def log_wealth_high(good: ArrayLike, bad: ArrayLike, rate: ArrayLike) -> Floats:
    """log of the mean of L(q, m) over q > m by Jeffreys' prior, given q > m. Arrays are taken element by element.

    B(S+1/2, F+1/2) I(S+1/2, F+1/2; above m) / [B(1/2, 1/2) I(1/2, 1/2; above m) m^S (1-m)^F], I the upper regularised
    incomplete beta function. Where m is so far above S/(S+F) that I underflows, -inf: the gambler has lost all.
    At m = 1 there is nothing above to bet on: -inf as well.
    """
    s, f, m = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (good, bad, rate)))
    with np.errstate(divide="ignore", invalid="ignore"):
        tail, prior = np.log(betaincc(s + 0.5, f + 0.5, m)), np.log(betaincc(0.5, 0.5, m))
        log_m = betaln(s + 0.5, f + 0.5) + tail - betaln(0.5, 0.5) - prior - xlogy(s, m) - xlog1py(f, -m)
    return np.where((m < 1) & np.isfinite(tail), log_m, -np.inf)


def lower_bound(good: ArrayLike, bad: ArrayLike, alpha: float, wealth: Wealth = log_wealth) -> Floats:
    """The highest rate that is refuted: the m at which M(m) = 1/alpha, or 0 if there is none.

    M falls as m rises wherever it is large enough to refute (docs/verdict.md), and is at most 1 from S/(S+F) on. So
    there is one such m, below S/(S+F), and halving finds it; what is returned is the refuted end of the last interval.
    """
    s, f = np.broadcast_arrays(np.asarray(good, dtype=float), np.asarray(bad, dtype=float))
    low, high = np.zeros(s.shape), s / np.maximum(s + f, np.finfo(float).tiny)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        refuted = wealth(s, f, middle) >= -np.log(alpha)
        low, high = np.where(refuted, middle, low), np.where(refuted, high, middle)
    return low


def upper_bound(good: ArrayLike, bad: ArrayLike, alpha: float) -> Floats:
    """The lowest rate that is refuted from above, or 1: `lower_bound` of the share of bad units, turned round."""
    return np.asarray(1.0 - lower_bound(bad, good, alpha))


def bounds(good: ArrayLike, bad: ArrayLike, accept_alpha: float, reject_alpha: float) -> tuple[Floats, Floats]:
    """Lower and upper bound of the rate, as a verdict takes them: each bet made for what it is to prove."""
    return lower_bound(good, bad, accept_alpha, log_wealth_high), upper_bound(good, bad, reject_alpha)


def open_bounds(
    good: ArrayLike, bad: ArrayLike, still: ArrayLike, accept_alpha: float, reject_alpha: float
) -> tuple[Floats, Floats]:
    """`bounds` where units are `still` open, whatever becomes of them: bad for the lower one, good for the upper."""
    s, f, o = (np.asarray(x) for x in (good, bad, still))
    return lower_bound(s, f + o, accept_alpha, log_wealth_high), upper_bound(s + o, f, reject_alpha)


@lru_cache(maxsize=4096)  # whoever looks at a shift again and again asks for the same ones
def bounds_with_open(good: int, bad: int, still: int, accept_alpha: float, reject_alpha: float) -> tuple[float, float]:
    """`open_bounds` of one count: the same numbers, by plain ones, for a shift that runs asks after each unit."""
    lower = _lower_bound(good, bad + still, accept_alpha, log_wealth_high_of_one)
    return lower, 1.0 - _lower_bound(bad, good + still, reject_alpha, log_wealth_of_one)


def _lower_bound(good: int, bad: int, alpha: float, wealth: Callable[[float, float, float], float]) -> float:
    s, f, enough = float(good), float(bad), float(-np.log(alpha))
    low, high = 0.0, s / max(s + f, float(np.finfo(float).tiny))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if wealth(s, f, middle) >= enough:
            low = middle
        else:
            high = middle
    return low


def log_wealth_of_one(s: float, f: float, m: float) -> float:
    """`log_wealth` of one count."""
    if s <= 1 or not 0 < m < 1:
        return float(log_wealth(s, f, m))
    tail = betaincc(s - 1, f + 1, m)
    if tail < UNDERFLOW:
        return float(log_wealth(s, f, m))
    return float(betaln(f + 1, s - 1) + np.log(tail) - xlog1py(f + 1, -m) - xlogy(s - 1, m))


def log_wealth_high_of_one(s: float, f: float, m: float) -> float:
    """`log_wealth_high` of one count."""
    tail = betaincc(s + 0.5, f + 0.5, m)
    if not 0 < m < 1 or not tail > 0:
        return float(log_wealth_high(s, f, m))
    prior = np.log(betaincc(0.5, 0.5, m))
    log_m = betaln(s + 0.5, f + 0.5) + np.log(tail) - betaln(0.5, 0.5) - prior - xlogy(s, m) - xlog1py(f, -m)
    return float(log_m)


def accepts_one(good: int, bad: int, required: float, alpha: float) -> bool:
    """`accepts` of one count."""
    return log_wealth_high_of_one(float(good), float(bad), required) >= float(-np.log(alpha))


def accepts(good: ArrayLike, bad: ArrayLike, required: float, alpha: float) -> NDArray[np.bool_]:
    """Whether so many good and bad units prove a rate above `required`. The same as a lower bound of at least that."""
    return np.asarray(log_wealth_high(good, bad, required) >= -np.log(alpha))


def rejects(good: ArrayLike, bad: ArrayLike, required: float, alpha: float) -> NDArray[np.bool_]:
    """Whether so many good and bad units prove a rate below `required`."""
    return np.asarray(log_wealth(bad, good, 1.0 - required) >= -np.log(alpha))
