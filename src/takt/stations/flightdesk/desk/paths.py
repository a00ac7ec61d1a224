"""The cheapest ways from an airport to another, for one group: a sweep over flights in order of time, leg by leg.

With k legs, the best way to be aboard a flight is the best way, with k - 1, to have landed where it leaves from, half
an hour before. Costs do not depend on when that was, so one sweep per leg over departures and landings, each in order,
keeps the best landed so far by airport: F steps a leg, exact. Where legs are not counted, one sweep does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from takt.stations.flightdesk.airline.cost import care
from takt.stations.flightdesk.airline.instance import CONNECTION, Floats, Ints
from takt.stations.flightdesk.airline.recovery.compiled import compiled

LEGS = 4  # of an itinerary, at most


@dataclass(frozen=True, slots=True)
class Network:
    """Flights to search over, (F,) each; `by_departure` and `by_landing` are their orders."""

    origin: Ints
    destination: Ints
    leaves: Ints
    lands: Ints
    by_departure: Ints
    by_landing: Ints


@dataclass(frozen=True, slots=True)
class Path:
    """EUR per person, and the flights."""

    cost: float
    flights: tuple[int, ...]


def network_of(origin: Ints, destination: Ints, leaves: Ints, lands: Ints) -> Network:
    orders = np.argsort(leaves, kind="stable"), np.argsort(lands, kind="stable")
    return Network(origin, destination, leaves, lands, *orders)


def lateness(late: Floats | Ints, minute: float, meal_after: int, alpha: float = 1.0) -> Floats:
    """EUR per person for so many minutes late, as the challenge counts: by the minute, a meal, a night."""
    late = np.maximum(late, 0)
    return np.asarray(late * minute + alpha * care(late, meal_after), dtype=np.float64)


def cheapest(
    net: Network,
    cost: Floats,
    start: int,
    goal: int,
    ready: float,
    latest: float,
    arrival_cost: Floats,
    limit: int = 1,
    by_arrival: bool = False,
    legs: int | None = LEGS,
) -> list[Path]:
    """Up to `limit` ways, the cheapest (or the earliest there) first, each with another last flight.

    cost           (F,) EUR per person aboard, infinite for a flight that cannot be taken.
    arrival_cost   (F,) EUR per person for getting there by that flight.
    ready          nobody leaves before; `latest`: nobody lands after.
    legs           of a way, at most; None: any number.
    """
    rows, sweep = (1, _sweep_all) if legs is None else (legs, _sweep)
    table, before = np.empty((rows, len(cost))), np.empty((rows, len(cost)), dtype=np.int32)
    n = int(max(net.origin.max(initial=0), net.destination.max(initial=0))) + 1
    first = int(np.searchsorted(net.leaves, ready, sorter=net.by_departure))
    landed = int(np.searchsorted(net.lands, ready, sorter=net.by_landing))
    _swept(sweep)(*_arrays(net), cost, first, landed, n, start, goal, latest, table, before)
    ends = np.flatnonzero((net.destination == goal) & (net.leaves >= ready) & (net.lands <= latest))
    if not len(ends):
        return []
    total = table[:, ends] + arrival_cost[ends]
    used = np.argmin(total, axis=0)
    best = total[used, np.arange(len(ends))]
    order = np.lexsort((best, net.lands[ends])) if by_arrival else np.argsort(best, kind="stable")
    paths = []
    for i in order[np.isfinite(best[order])][:limit].tolist():
        f, leg = int(ends[i]), int(used[i])
        flights = [f]
        while (f := int(before[leg, f])) >= 0:
            flights.append(f)
            leg = max(leg - 1, 0)
        paths.append(Path(float(best[i]), tuple(reversed(flights))))
    return paths


def _arrays(net: Network) -> tuple[Ints, ...]:
    return net.origin, net.destination, net.leaves, net.lands, net.by_departure, net.by_landing


@cache
def _swept(sweep: Callable[..., None]) -> Callable[..., None]:
    """It, compiled when it is first asked for: a desk that is only looked at searches nothing."""
    swept: Callable[..., None] = compiled(sweep)
    return swept


def _sweep(
    origin: Ints,
    destination: Ints,
    leaves: Ints,
    lands: Ints,
    by_departure: Ints,
    by_landing: Ints,
    cost: Floats,
    first: int,
    landed: int,
    airports: int,
    start: int,
    goal: int,
    latest: float,
    table: Floats,
    before: Ints,
) -> None:
    """Fill `table[k, f]`: the least to be aboard f as leg k + 1; `before[k, f]`: the flight taken before it."""
    table[:, :] = np.inf
    best = np.empty(airports)
    who = np.empty(airports, dtype=np.int32)
    for i in range(first, len(by_departure)):
        f = by_departure[i]
        if leaves[f] > latest:
            break
        if origin[f] == start and destination[f] != start and lands[f] <= latest:
            table[0, f] = cost[f]
            before[0, f] = -1
    for k in range(1, table.shape[0]):
        best[:] = np.inf
        j = landed
        for i in range(first, len(by_departure)):
            f = by_departure[i]
            t = leaves[f]
            if t > latest:
                break
            while j < len(by_landing) and lands[by_landing[j]] + CONNECTION <= t:
                g = by_landing[j]
                if table[k - 1, g] < best[destination[g]]:
                    best[destination[g]] = table[k - 1, g]
                    who[destination[g]] = g
                j += 1
            at = origin[f]
            if at == goal or destination[f] == start or lands[f] > latest or not best[at] + cost[f] < np.inf:
                continue
            table[k, f] = best[at] + cost[f]
            before[k, f] = who[at]


def _sweep_all(
    origin: Ints,
    destination: Ints,
    leaves: Ints,
    lands: Ints,
    by_departure: Ints,
    by_landing: Ints,
    cost: Floats,
    first: int,
    landed: int,
    airports: int,
    start: int,
    goal: int,
    latest: float,
    table: Floats,
    before: Ints,
) -> None:
    """Fill `table[0, f]`: the least to be aboard f, after any number of legs; `before[0, f]`: the flight taken before
    it, -1 for none."""
    table[:, :] = np.inf
    best = np.full(airports, np.inf)
    who = np.full(airports, -1, dtype=np.int32)
    best[start] = 0.0
    j = landed
    for i in range(first, len(by_departure)):
        f = by_departure[i]
        t = leaves[f]
        if t > latest:
            break
        while j < len(by_landing) and lands[by_landing[j]] + CONNECTION <= t:
            g = by_landing[j]
            if table[0, g] < best[destination[g]]:
                best[destination[g]] = table[0, g]
                who[destination[g]] = g
            j += 1
        at = origin[f]
        if at == goal or destination[f] == start or lands[f] > latest or not best[at] + cost[f] < np.inf:
            continue
        table[0, f] = best[at] + cost[f]
        before[0, f] = who[at]
