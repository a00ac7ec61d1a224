"""Does a decision about the worker stand if its units are sticky: good after good, bad after bad?

Stickiness r is the lag-1 correlation of a two-state Markov chain: P(good | good before) = p + r (1-p) and
P(good | bad before) = p (1-r), with p the good rate in the long run. By universal inference (Wasserman, Ramdas &
Balakrishnan, PNAS 117, 2020) the gambler bets *as a chain*: his fortune is

    E(rho) = mean of L(q, s) over q > m and s in STICKY  /  the largest L(p, r) of all p <= m and r <= rho,

L the likelihood of the transitions. Whatever the true p <= m and r <= rho, the denominator is at least its likelihood,
and against that one alone the fraction is a martingale that begins at 1; so P(E(rho) ever reaches 1/alpha) <= alpha.
Negative r are in the supremum too. E falls as rho rises: `stands_to` is the largest rho that the decision survives.

The first unit of a shift is conditioned on (the audit that asked for this counts it, with chance p): that costs a unit,
and makes the logarithm of L concave in P(good | good), P(good | bad), where "p <= m and r <= rho" is a polygon. So the
supremum is exact: at the peak of L if that is inside, else on one of two edges, where halving finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, xlog1py, xlogy

STICKY = ((0.0, 0.5), (0.15, 0.2), (0.3, 0.2), (0.5, 0.1))  # what the gambler bets on, and his stake on it
NODES = 96  # rates he bets on; any discrete spread of stakes is fair
HALVINGS = 50
STEP = 0.001  # `stands_to` is rounded down to this
MOST = 10_000_000  # good units that would prove it: beyond this, nobody waits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_x, _weight = np.polynomial.legendre.leggauss(NODES)
_u, _weight = (_x + 1) / 2, _weight / 2


@dataclass(frozen=True, slots=True)
class Steps:
    """How often which outcome followed which, within shifts: numbers or arrays of them. `gb`: a bad after a good."""

    gg: ArrayLike
    gb: ArrayLike
    bg: ArrayLike
    bb: ArrayLike

    @classmethod
    def of(cls, shifts: Sequence[Bools]) -> Steps:
        """Of the outcomes of each shift, in due order."""
        pairs = [(good[:-1], good[1:]) for good in shifts]

        def count(before: bool, after: bool) -> int:
            return sum(int(((one == before) & (two == after)).sum()) for one, two in pairs)

        return cls(count(True, True), count(True, False), count(False, True), count(False, False))

    @property
    def turned(self) -> Steps:
        """The same with good and bad exchanged; p becomes 1-p, and r stays."""
        return Steps(self.bb, self.bg, self.gb, self.gg)


def log_evidence(steps: Steps, required: float, rho: ArrayLike, high: bool = True) -> Floats:
    """log E(rho) against a good rate of at most `required`. Arrays are taken element by element.

    `high` spreads the stakes as `bets.log_wealth_high` does, else as `bets.log_wealth`.
    """
    gg, gb, bg, bb, most = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (steps.gg, steps.gb, steps.bg, steps.bb, rho))
    )
    n = Steps(gg, gb, bg, bb)
    return _log_bet(n, required, high) - _log_sup(n, required, most)


def accept_evidence(steps: Steps, required: float, rho: ArrayLike) -> Floats:
    """log E(rho) for a good rate above `required`."""
    return log_evidence(steps, required, rho, high=True)


def reject_evidence(steps: Steps, required: float, rho: ArrayLike) -> Floats:
    """log E(rho) for a good rate below `required`."""
    return log_evidence(steps.turned, 1.0 - required, rho, high=False)


def stands_to(steps: Steps, required: float, alpha: float, accept: bool) -> float | None:
    """The largest rho, below 1, at which E(rho) still reaches 1/alpha; None if it does not even at 0."""
    if not 0 < required < 1:
        return None
    evidence = accept_evidence if accept else reject_evidence
    grid = np.arange(0.0, 1.0, STEP)
    low, high = -1, len(grid)  # E falls with rho: the last that holds is before `high`
    while high - low > 1:
        middle = (low + high) // 2
        if float(evidence(steps, required, grid[middle])) >= -np.log(alpha):
            low = middle
        else:
            high = middle
    return round(float(grid[low]), 3) if low >= 0 else None


def good_units_to_stand(shifts: Sequence[Bools], required: float, rho: float, alpha: float) -> int | None:
    """About how many more good units, at the end of the last shift, prove more than `required` at a stickiness of up to
    `rho`. None if no number of them that anybody would wait for does."""
    if not 0 < required < 1:
        return None
    steps, last = Steps.of(shifts), next((bool(one[-1]) for one in reversed(shifts) if len(one)), None)

    def proven(more: int) -> bool:
        after_good = more if last else max(0, more - 1)
        after_bad = int(more > 0 and last is False)
        longer = Steps(np.add(steps.gg, after_good), steps.gb, np.add(steps.bg, after_bad), steps.bb)
        return float(accept_evidence(longer, required, rho)) >= -np.log(alpha)

    if proven(0):
        return 0
    high = 1
    while not proven(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proven(middle) else (middle, high)
    return high


def _log_l(n: Steps, a: ArrayLike, b: ArrayLike) -> Floats:
    """log L, a = P(good | good before), b = P(good | bad before)."""
    a, b = np.clip(a, 0.0, 1.0), np.clip(b, 0.0, 1.0)
    return np.asarray(xlogy(n.gg, a) + xlog1py(n.gb, -a) + xlogy(n.bg, b) + xlog1py(n.bb, -b))


def _log_bet(n: Steps, m: float, high: bool) -> Floats:
    if high:
        from_m = np.arcsin(np.sqrt(m))
        q = np.sin(from_m + (np.pi / 2 - from_m) * _u) ** 2  # Jeffreys: uniform in this angle
    else:
        q = m / (m + _u * (1 - m))
    counts = Steps(*(np.asarray(x)[..., None] for x in (n.gg, n.gb, n.bg, n.bb)))
    logs = [_log_l(counts, q + r * (1 - q), q * (1 - r)) + np.log(stake * _weight) for r, stake in STICKY]
    return np.asarray(logsumexp(np.concatenate(logs, axis=-1), axis=-1))


def _log_sup(n: Steps, m: float, rho: Floats) -> Floats:
    """The largest log L of all p <= m and r <= rho, which is: m a + (1-m) b <= m and a - b <= rho."""
    gg, gb, bg, bb = (np.asarray(x, dtype=float) for x in (n.gg, n.gb, n.bg, n.bb))
    # The peak. What never happened leaves its chance free: the least that is allowed leaves most room for the other.
    a = gg / np.maximum(gg + gb, 1)
    b = np.where(bg + bb > 0, bg / np.maximum(bg + bb, 1), np.maximum(a - rho, 0.0))
    inside = (m * a + (1 - m) * b <= m) & (a - b <= rho)
    least = max(1 - 1 / m, -m / (1 - m))

    def along_m(r: Floats) -> Floats:  # the derivative of log L by r at p = m
        return np.asarray(_over(gg * (1 - m), m + r * (1 - m)) - _over(gb + bg, 1 - r) + _over(bb * m, 1 - m * (1 - r)))

    def along_rho(b: Floats) -> Floats:  # the derivative by b at a = b + rho
        return np.asarray(_over(gg, b + rho) - _over(gb, 1 - b - rho) + _over(bg, b) - _over(bb, 1 - b))

    r = _peak(along_m, np.full(rho.shape, least), rho)
    b2 = _peak(along_rho, np.zeros(rho.shape), m * (1 - rho))
    edges = np.maximum(_log_l(n, m + r * (1 - m), m * (1 - r)), _log_l(n, b2 + rho, b2))
    return np.where(inside, _log_l(n, a, b), edges)


def _over(count: Floats, chance: Floats) -> Floats:
    """count / chance, with 0 / 0 = 0: what never happened says nothing of its chance."""
    return np.asarray(np.where(count > 0, count / np.maximum(chance, 1e-300), 0.0))


def _peak(slope: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Where a concave function is largest between `low` and `high`."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rises = slope(middle) > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return np.asarray((low + high) / 2)
