"""A proven lower bound: no plan for an instance that `check` passes costs less than this.

    found = lower_bound(instance, seconds=20)
    print(found.eur, found.by)

Whoever flies must be paid for: the cost of a flight is shared out among the groups that might use it, some of it by
seat, some by group, never more of it than there is. What each group then pays at the least, for its cheapest path or
for staying, sums to a bound, whatever the shares are (the dual of the relaxation in `relaxation.py`; Lagrange, priced
exactly by `cheapest.py`). Subgradient steps move the shares to where they count: to groups that would use the flight.
Each round proves a bound, and the best is kept; no solver's tolerance is trusted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from takt.contract.figure import per_cent
from takt.stations.flightdesk.airline.instance import Instance

SAVINGS, SHARES = "what all flights would save", "flights' costs shared out among groups"


@dataclass(frozen=True, slots=True)
class Bound:
    """EUR that every plan that `check` passes costs at least.

    by    what proved it; `why`: what it leaves out, and so is weak in.
    """

    eur: float
    by: str
    seconds: float
    rounds: int
    why: str


def lower_bound(
    instance: Instance,
    seconds: float = 600.0,
    rounds: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Bound:
    """The best bound of the rounds that fit into `seconds`, or of so many `rounds`; more of them never lower it.

    It is of every plan that `check` passes. The challenge's own checker passes some more, whose cost may be below it:
    with created flights of surface transport, for one.
    A bound is there at once; the rounds use compiled code, which the first run has to make. A round that has begun is
    finished: at most a few seconds on the largest instances.
    """
    # Here, so that only who wants a bound loads compiled code.
    from takt.stations.flightdesk.airline.recovery.relaxation import relaxation_of
    from takt.stations.flightdesk.airline.recovery.shares import Dual, lost

    began = time.perf_counter()
    relaxation = relaxation_of(instance)
    best, by, done = relaxation.constant - lost(abs(relaxation.constant)), SAVINGS, 0
    dual = Dual(relaxation)
    while not stopped() and (rounds is None or done < rounds) and time.perf_counter() - began < seconds:
        value = dual.round()
        done += 1
        if value > best:
            best, by = value, SHARES
    return Bound(best, by, time.perf_counter() - began, done, _why(instance, dual.on_new))


def _why(instance: Instance, on_new: float) -> str:
    parts = [
        "flights fly in fractions, and any number of aircraft of a class is wherever it is wanted",
        "maintenance, linked legs and where aircraft are wanted at the end are left out",
    ]
    if len(instance.closures.airport):
        parts.append("where capacity is cut, new flights at other hours take whom the bound cannot seat")
    if on_new > 0:
        share = f"{per_cent(on_new, decimals=0)} %"
        parts.append(f"{share} of the people would rather share new flights, one for each route and hour")
    return "; ".join(parts)
