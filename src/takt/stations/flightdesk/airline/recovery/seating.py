"""Everybody seated anew on the flights that are flown: column generation, the flights being as they are.

A linear program with a row for each group and each cabin of each flight, and a column for each path that somebody
could take (Sinclair, Cordeau and Laporte, C&OR 65, 2016, end their search so). HiGHS solves it; its prices of seats
give each group its cheapest path (`cheapest.py`), which is a new column, until none pays. Groups may be split, so what
comes out is nearly whole numbers: it is rounded down, and who is left takes the seats that are left, or stays.
"""

from __future__ import annotations

import highspy
import numpy as np

from takt.stations.flightdesk.airline.instance import CONNECTION, Floats, Ints
from takt.stations.flightdesk.airline.recovery.cheapest import Network, Paths, cheapest_paths
from takt.stations.flightdesk.airline.recovery.prices import price
from takt.stations.flightdesk.airline.recovery.problem import NEVER, Plan, Problem

ROUNDS = 12  # of new columns, at most
WORTH = 1e-3  # of the cost: a round that brings less is the last
WHOLE = 1e-6

Path = tuple[tuple[int, int], ...]  # (place among the flights that are flown, cabin), leg by leg


def reseat(p: Problem, plan: Plan) -> bool:
    """Seat everybody anew if that costs less; whether it does. The same plan gives the same again."""
    groups = np.flatnonzero(p.booking["people"] > 0)
    flights = _boarded(p, plan)
    if not len(groups) or not len(flights):
        return False
    room = p.seats[plan.flight["aircraft"][flights]]
    master = _Master(p.booking["people"][groups], p.booking["cancel"][groups], room)
    place, group = {int(f): k for k, f in enumerate(flights)}, {int(b): k for k, b in enumerate(groups)}
    for i in range(int(plan.lines[0])):
        line = plan.line[i]
        legs = zip(plan.line_leg[i, : line["legs"]].tolist(), plan.line_cabin[i].tolist(), strict=False)
        path = tuple((place[f], cabin) for f, cabin in legs)
        master.add(group[int(line["booking"])], path, float(line["cost"]) / int(line["people"]))
    network = _network(p, plan, flights)
    cost = master.solve()
    for _ in range(ROUNDS):
        before, new = cost, _cheaper(p, plan, master, network, groups, room)
        for g, path, each in new:
            master.add(g, path, each)
        cost = master.solve()
        if not new or before - cost < WORTH * abs(before):
            break
    return _put(p, plan, groups, flights, room, master)


def prepare(p: Problem, plan: Plan) -> None:
    """Compile what `reseat` needs, if it is not yet."""
    flights, nobody = _boarded(p, plan), np.zeros(0, dtype=np.int64)
    _paths(p, plan, _network(p, plan, flights), nobody, np.zeros((len(flights), 3)), np.zeros(0))


class _Master:
    """The linear program. Its columns: who stays, by group, and then `paths`: group, path and EUR per person."""

    def __init__(self, people: Ints, stay: Floats, room: Ints) -> None:
        self.people, self.stay, self.paths = people, stay, dict[tuple[int, Path], float]()
        self.taken = 0  # paths that are columns already
        count, seats = len(people), room.astype(np.float64).ravel()
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("solver", "simplex")
        self.highs.setOptionValue("threads", 1)
        low, high = np.concatenate([people, np.full(len(seats), -np.inf)]), np.concatenate([people, seats])
        none, ones = np.zeros(0, dtype=np.int32), np.arange(count, dtype=np.int32)
        self.highs.addRows(len(low), low, high, 0, np.zeros(len(low), dtype=np.int32), none, np.zeros(0))
        self.highs.addCols(count, stay, np.zeros(count), np.full(count, np.inf), count, ones, ones, np.ones(count))

    def add(self, group: int, path: Path, each: float) -> None:
        self.paths.setdefault((group, path), each)

    def solve(self) -> float:
        """EUR of the best solution with the columns that there are."""
        new = list(self.paths.items())[self.taken :]
        self.taken = len(self.paths)
        begins = np.cumsum([0] + [1 + len(path) for (_, path), _ in new])[:-1].astype(np.int32)
        rows = [row for (g, path), _ in new for row in (g, *(len(self.people) + 3 * k + c for k, c in path))]
        cost, zero = np.array([each for _, each in new]), np.zeros(len(new))
        if new:
            index, ones = np.array(rows, dtype=np.int32), np.ones(len(rows))
            self.highs.addCols(len(new), cost, zero, zero + np.inf, len(rows), begins, index, ones)
        self.highs.run()
        return float(self.highs.getInfo().objective_function_value)

    def prices(self) -> tuple[Floats, Floats]:
        """What one person more of each group costs, and what a seat is worth (flight, cabin)."""
        dual = np.array(self.highs.getSolution().row_dual)
        count = len(self.people)
        return dual[:count], np.maximum(-dual[count:].reshape(-1, 3), 0.0)

    def people_on(self) -> Floats:
        return np.array(self.highs.getSolution().col_value)[len(self.people) :]


def _boarded(p: Problem, plan: Plan) -> Ints:
    """Flights that passengers may board, by airport and minute of departure."""
    flight = plan.flight
    flown = np.flatnonzero((flight["aircraft"] >= 0) & (flight["departure"] >= p.start))
    return flown[np.lexsort((flight["departure"][flown], flight["origin"][flown]))]


def _network(p: Problem, plan: Plan, flights: Ints) -> Network:
    flown, airports = plan.flight[flights], len(p.distance)
    origin, to, takes, leaves = (flown[name] for name in ("origin", "destination", "takes", "departure"))
    quickest = np.full((airports, airports), NEVER, dtype=np.int64)
    np.minimum.at(quickest, (origin, to), takes)
    quickest += CONNECTION
    for via in range(airports):
        quickest = np.minimum(quickest, quickest[:, via][:, None] + quickest[via])
    return Network(
        first=np.searchsorted(origin, np.arange(airports + 1)),
        option=np.stack([leaves, leaves, takes, to, p.distance[origin, to, 1], flights], axis=1),
        distance=np.full((airports, airports), -1),
        quickest=quickest,
        start=p.start,
        end=p.end,
        downgrade=p.downgrade,
        alpha=p.alpha,
    )


def _paths(p: Problem, plan: Plan, network: Network, groups: Ints, seat: Floats, limit: Floats) -> Paths:
    airports, none = len(p.distance), np.zeros(0, dtype=np.int64)
    no_new_flights = np.full((airports, airports, 1), np.inf)
    return cheapest_paths(
        network,
        p.booking,
        groups,
        np.append(p.booking["first"], p.booking["last"][-1:]),
        p.leg["flight"].astype(np.int64),
        p.leg["cabin"].astype(np.int64),
        seat,
        no_new_flights,
        no_new_flights.min(axis=2),
        np.zeros(len(groups) + 1, dtype=np.int64),
        none,
        np.zeros(0),
        limit,
        len(plan.flight),
    )


def _cheaper(
    p: Problem, plan: Plan, master: _Master, network: Network, groups: Ints, room: Ints
) -> list[tuple[int, Path, float]]:
    """For each group a path that pays at the seats' prices, if there is one: group, path, EUR per person."""
    now, seat = master.prices()
    found = _paths(p, plan, network, groups, np.where(room > 0, seat, np.inf), np.minimum(now, master.stay) - WHOLE)
    new: list[tuple[int, Path, float]] = []
    for g in np.flatnonzero((found.legs > 0) & (found.legs <= plan.line_leg.shape[1])).tolist():
        count = int(found.legs[g])
        path = tuple(zip(found.leg[g, :count].tolist(), found.cabin[g, :count].tolist(), strict=True))
        new.append((g, path, float(found.cost[g]) - sum(float(seat[leg]) for leg in path)))
    return new


def _put(p: Problem, plan: Plan, groups: Ints, flights: Ints, room: Ints, master: _Master) -> bool:
    """The solution in whole people as the plan's lines, if it is cheaper than those."""
    paths = list(master.paths.items())
    count = np.floor(master.people_on() + WHOLE).astype(np.int64)
    left, people = room.copy(), master.people.copy()
    for ((g, path), _), number in zip(paths, count.tolist(), strict=True):
        people[g] -= number
        for leg in path:
            left[leg] -= number
    for j in np.argsort([each for _, each in paths], kind="stable").tolist():
        (g, path), each = paths[j]
        if people[g] > 0 and each < master.stay[g]:
            more = min(int(people[g]), *(int(left[leg]) for leg in path))
            count[j] += more
            people[g] -= more
            for leg in path:
                left[leg] -= more
    used = np.flatnonzero(count)
    total = float(sum(count[j] * paths[j][1] for j in used.tolist()) + people @ master.stay)
    if total > plan.totals[0] - 0.01 or len(used) > len(plan.line) or left.min() < 0:
        return False
    plan.lines[0] = len(used)
    plan.line_leg[: len(used)], plan.line_cabin[: len(used)] = -1, 0
    for i, column in enumerate(used.tolist()):
        g, path = paths[column][0]
        plan.line[i] = groups[g], count[column], len(path), 0.0
        for j, (k, cabin) in enumerate(path):
            plan.line_leg[i, j], plan.line_cabin[i, j] = flights[k], cabin
    plan.stays[groups] = people
    plan.seats[flights] = left
    price(p, plan)
    return True
