"""Power: how many units a verdict takes, exactly, before a shift is worked or while it is undecided.

For units that do not depend on each other the verdict is a walk over the number of bad units, absorbed at a boundary:
b_n, the most bad units among n with which it accepts, or the fewest with which it rejects. One pass of a dynamic
programme over that walk gives the chance of a verdict by every n, with no simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from takt.judge.bets import Floats, accepts, accepts_one, rejects

MOST = 1_000_000_000  # good units that would decide: beyond this, nobody waits
MOST_UNITS = 20_000  # that are planned for
MOST_RATE = 0.999999  # that is planned for: millions of good units in a row would prove it, and more no worker does

Ints = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Needed:
    """Units that it takes to a verdict at a true rate: in `power` of all shifts it has come by unit `units`."""

    required: float
    true: float
    power: float
    alpha: float
    decision: str
    units: int


def good_units_to_accept(good: int, bad: int, required: float, alpha: float = 0.05) -> int | None:
    """The least number of further units that, all good, would have the verdict accept. None if no number would."""
    if required >= 1.0:
        return None
    if required <= 0 or accepts_one(good, bad, required, alpha):
        return 0
    more = 1
    while not accepts_one(good + more, bad, required, alpha):
        more *= 2
        if more > MOST:
            return None
    low, high = more // 2, more
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if accepts_one(good + middle, bad, required, alpha) else (middle, high)
    return high


def boundary(required: float, alpha: float, units: int, accept: bool = True) -> Ints:
    """(units + 1,): the most bad units among n with which the verdict accepts, -1 if none; or else the fewest with
    which it rejects, n + 1 if none. It moves by at most one from n to n + 1, for bets are monotone in each outcome."""
    found = np.full(units + 1, -1) if accept else np.arange(1, units + 2)
    at = -1 if accept else 1
    step = 64
    for begun in range(1, units + 1, step):  # all that the boundary can be in the next few units, in one go
        n = np.arange(begun, min(begun + step, units + 1))
        if accept:
            bad = at + np.arange(0, len(n) + 1)
            ok = (bad >= 0) & (bad <= n[:, None])
            ok &= accepts(np.maximum(n[:, None] - bad, 0), np.maximum(bad, 0), required, alpha)
            found[n] = np.where(ok.any(1), (bad * ok).max(1), -1)
            at = int(found[n[-1]])
        else:
            bad = at + np.arange(0, len(n) + 1)
            ok = (bad >= 0) & (bad <= n[:, None])
            ok &= rejects(np.maximum(n[:, None] - bad, 0), np.maximum(bad, 0), required, alpha)
            found[n] = np.where(ok.any(1), np.where(ok, bad, units + 2).min(1), n + 1)
            at = int(min(found[n[-1]], n[-1] + 1))
    return found


@lru_cache(maxsize=16)  # planned for several powers, the same walk is asked for again; read only
def decided_by(required: float, true: float, alpha: float, units: int, accept: bool = True) -> Floats:
    """(units + 1,): the chance that a verdict of this kind has come by unit n, at a true rate of `true`."""
    edge = boundary(required, alpha, units, accept)
    lost = 1.0 - true
    alive = np.zeros(units + 2)
    alive[0] = 1.0
    chance = np.zeros(units + 1)
    for n in range(1, units + 1):
        alive[1 : n + 1], alive[0] = alive[1 : n + 1] * true + alive[:n] * lost, alive[0] * true
        gone = slice(0, max(0, edge[n] + 1)) if accept else slice(int(edge[n]), n + 1)
        chance[n] = chance[n - 1] + alive[gone].sum()
        alive[gone] = 0.0
    chance.flags.writeable = False
    return chance


def units_needed(
    required: float, true: float, power: float, alpha: float = 0.05, most: int = MOST_UNITS
) -> Needed | None:
    """How many units it takes until the verdict has come with a chance of `power`. None if more than `most`.

    Accept if `true` is above `required`, else reject.
    """
    accept = true > required
    units = 256
    while True:
        chance = decided_by(required, true, alpha, min(units, most), accept)
        if chance[-1] >= power:
            at = int(np.argmax(chance >= power))
            return Needed(required, true, power, alpha, "accept" if accept else "reject", at)
        if units >= most:
            return None
        units *= 2


def least_units(required: float, alpha: float = 0.05) -> int | None:
    """Good units in a row that it takes to accept: log(alpha) / log(required) at the very least."""
    return good_units_to_accept(0, 0, required, alpha) if math.isfinite(required) else None
