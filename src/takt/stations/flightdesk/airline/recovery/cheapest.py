"""The cheapest path of each group when flights have prices: the exact pricing behind the lower bound.

Flights are *options* here: a flight that leaves within a window. A group boards one at any minute of its window, each
group for itself, so a path here costs no more than the same path in any plan. New flights are options too, between any
two airports that `dist.csv` lists, in any clock hour. The search is a label-setting one over (airport, minute, EUR),
in order of minutes; every leg takes time, so it ends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from takt.stations.flightdesk.airline.instance import CONNECTION, Floats, Ints
from takt.stations.flightdesk.airline.recovery.compiled import compiled, inner
from takt.stations.flightdesk.airline.recovery.prices import lateness_cost
from takt.stations.flightdesk.airline.recovery.problem import Records

LONGEST = 8  # legs of a path that is kept; longer ones count in the bound, and are not kept
MOST_LABELS = 40_000


class Network(NamedTuple):
    """Options by airport of departure, and what new flights take.

    first      options that leave airport a are `first[a]:first[a + 1]`, by the end of their window.
    option     (option, field): lo, hi (first and last minute of departure), takes, to, reach, flight.
    distance   (airport, airport): minutes of a new flight, -1 if there is none.
    quickest   (airport, airport): minutes from landing at one to landing at the other at the least.
    start      new flights leave from then on, before `end`, and land by then.
    """

    first: Ints
    option: Ints
    distance: Ints
    quickest: Ints
    start: int
    end: int
    downgrade: Floats
    alpha: float


LO, HI, TAKES, TO, REACH, FLIGHT = range(6)


class Paths(NamedTuple):
    """By group: EUR per person of the cheapest path (`limit` if none is cheaper), its legs and cabins.

    A leg is an option, or, for a new flight, -2 - ((origin * airports + destination) * hours + hour).
    """

    cost: Floats
    legs: Ints
    leg: Ints
    cabin: Ints


@inner
def _push(heap: Ints, size: int, time: Ints, label: int) -> None:
    i = size
    heap[i] = label
    while i > 0:
        up = (i - 1) // 2
        if time[heap[up]] <= time[heap[i]]:
            break
        heap[up], heap[i] = heap[i], heap[up]
        i = up


@inner
def _pop(heap: Ints, size: int, time: Ints) -> int:
    top = heap[0]
    heap[0] = heap[size - 1]
    i, size = 0, size - 1
    while True:
        low = 2 * i + 1
        if low >= size:
            break
        if low + 1 < size and time[heap[low + 1]] < time[heap[low]]:
            low += 1
        if time[heap[i]] <= time[heap[low]]:
            break
        heap[low], heap[i] = heap[i], heap[low]
        i = low
    return int(top)


@compiled
def cheapest_paths(
    n: Network,
    booking: Records,
    groups: Ints,
    first: Ints,
    booked: Ints,
    lowest: Ints,
    seat: Floats,
    pool: Floats,
    floor: Floats,
    link_first: Ints,
    link_option: Ints,
    link_price: Floats,
    limit: Floats,
    flights: int,
) -> Paths:
    """The cheapest path of each of `groups` that costs less than its `limit`, EUR per person, prices included.

    booking       as in `Problem`.
    booked        flights of group g are `booked[first[g]:first[g + 1]]`: there no cabin costs more, and none is worse
                  than `lowest`.
    seat          (option, cabin) price of a seat, infinite if there is none.
    pool          (airport, airport, hour) price of one on new flights; floor: the least over the hours.
    link_*        group i of `groups` pays `link_price` more on `link_option`, from `link_first[i]` on; behind the
                  options come new flights, by (origin, destination, hour).
    """
    count, airports, hours = len(groups), len(n.distance), pool.shape[2]
    cost = np.empty(count)
    legs = np.zeros(count, dtype=np.int64)
    leg, cabins = np.full((count, LONGEST), -1, dtype=np.int64), np.zeros((count, LONGEST), dtype=np.int64)
    options = len(n.option)
    extra, had = np.zeros(options + airports * airports * hours), np.full(flights, -1, dtype=np.int64)
    l_time, l_at = np.empty(MOST_LABELS, dtype=np.int64), np.empty(MOST_LABELS, dtype=np.int64)
    l_cost = np.empty(MOST_LABELS)
    l_before, l_via = np.empty(MOST_LABELS, dtype=np.int64), np.empty(MOST_LABELS, dtype=np.int64)
    l_cabin, l_next = np.empty(MOST_LABELS, dtype=np.int64), np.empty(MOST_LABELS, dtype=np.int64)
    head, heap = np.full(airports, -1, dtype=np.int64), np.empty(MOST_LABELS, dtype=np.int64)
    for i in range(count):
        g = groups[i]
        b = booking[g]
        start, goal, due, latest, minute, meal = b.origin, b.goal, b.arrival, b.latest, b.minute, b.meal_after
        reference = b.cabin
        best, best_before, best_via, best_cabin = limit[i], -1, -1, 0
        for j in range(link_first[i], link_first[i + 1]):
            extra[link_option[j]] += link_price[j]
        for j in range(first[g], first[g + 1]):
            had[booked[j]] = lowest[j]
        head[:] = -1
        l_time[0], l_at[0], l_cost[0], l_before[0], l_via[0], l_next[0] = b.ready, start, 0.0, -1, -1, -1
        heap[0], size, made, full = 0, 1, 1, False
        head[start] = 0
        while size > 0 and not full:
            label = _pop(heap, size, l_time)
            size -= 1
            t, a, paid = l_time[label], l_at[label], l_cost[label]
            if paid >= best:
                continue
            beaten = False
            other = head[a]
            while other >= 0 and not beaten:
                beaten = (
                    other != label
                    and l_time[other] <= t
                    and l_cost[other] <= paid
                    and (l_time[other] < t or l_cost[other] < paid or other < label)
                )
                other = l_next[other]
            if beaten:
                continue
            # Flights, then new ones: (via, leaves, lands, to, price, unpriced) each.
            for o in range(n.first[a], n.first[a + 1]):
                lo = n.option[o, LO]
                if lo > latest or paid + lateness_cost(lo - due, minute, meal, n.alpha) >= best:
                    break
                if n.option[o, HI] < t:
                    continue
                to = n.option[o, TO]
                lands = max(lo, t) + n.option[o, TAKES]
                sure = paid + extra[o]
                base = sure
                if to == goal:
                    sure += lateness_cost(lands - due, minute, meal, n.alpha)
                    if lands > latest:
                        continue
                else:
                    soonest = lands + n.quickest[to, goal]
                    if soonest > latest:
                        continue
                    if sure + lateness_cost(soonest - due, minute, meal, n.alpha) >= best:
                        continue
                if sure >= best:
                    continue
                price, cabin = np.inf, 0
                own = had[n.option[o, FLIGHT]]
                for c in range(3 if own < 0 else own + 1):
                    down = 0.0 if own >= 0 else n.downgrade[reference, c, n.option[o, REACH]]
                    if seat[o, c] + down <= price:
                        price, cabin = seat[o, c] + down, c
                total = sure + price
                if total >= best:
                    continue
                if to == goal:
                    best, best_before, best_via, best_cabin = total, label, o, cabin
                    continue
                total = base + price
                ready = lands + CONNECTION
                beaten = False
                other = head[to]
                while other >= 0 and not beaten:
                    beaten = l_time[other] <= ready and l_cost[other] <= total
                    other = l_next[other]
                if beaten:
                    continue
                if made == MOST_LABELS:
                    full = True
                    break
                l_time[made], l_at[made], l_cost[made] = ready, to, total
                l_before[made], l_via[made], l_cabin[made], l_next[made] = label, o, cabin, head[to]
                head[to] = made
                _push(heap, size, l_time, made)
                size += 1
                made += 1
            for to in range(airports):
                takes = n.distance[a, to]
                if takes < 0 or full:
                    continue
                least = np.inf
                cheapest = False
                for hour in range(max(n.start // 60, t // 60), hours):
                    if cheapest:  # and no later one is cheaper
                        break
                    leaves = max(t, 60 * hour, n.start)
                    lands = leaves + takes
                    if leaves >= n.end or lands > n.end:
                        break
                    soonest = lands if to == goal else lands + n.quickest[to, goal]
                    if soonest > latest:
                        break
                    late = lateness_cost(soonest - due, minute, meal, n.alpha)
                    if paid + late >= best:
                        break
                    price = pool[a, to, hour] + extra[options + (a * airports + to) * hours + hour]
                    if price >= least:
                        continue
                    least = price
                    cheapest = price <= floor[a, to]
                    if paid + price + late >= best:
                        continue
                    via = -2 - ((a * airports + to) * hours + hour)
                    if to == goal:
                        best, best_before, best_via, best_cabin = paid + price + late, label, via, 0
                        continue
                    total, ready = paid + price, lands + CONNECTION
                    beaten = False
                    other = head[to]
                    while other >= 0 and not beaten:
                        beaten = l_time[other] <= ready and l_cost[other] <= total
                        other = l_next[other]
                    if beaten:
                        continue
                    if made == MOST_LABELS:
                        full = True
                        break
                    l_time[made], l_at[made], l_cost[made] = ready, to, total
                    l_before[made], l_via[made], l_cabin[made], l_next[made] = label, via, 0, head[to]
                    head[to] = made
                    _push(heap, size, l_time, made)
                    size += 1
                    made += 1
        if full:  # no more room: prices are not below zero, so nothing below it is missed
            best, best_via = min(best, 0.0), -1
        cost[i] = best
        if best_via != -1:
            depth, label = 1, best_before
            while label > 0:
                depth += 1
                label = l_before[label]
            if depth <= LONGEST:
                legs[i] = depth
                leg[i, depth - 1], cabins[i, depth - 1] = best_via, best_cabin
                label, k = best_before, depth - 2
                while label > 0:
                    leg[i, k], cabins[i, k] = l_via[label], l_cabin[label]
                    label, k = l_before[label], k - 1
        for j in range(link_first[i], link_first[i + 1]):
            extra[link_option[j]] = 0.0
        for j in range(first[g], first[g + 1]):
            had[booked[j]] = -1
    return Paths(cost, legs, leg, cabins)
