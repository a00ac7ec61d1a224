"""Who gets which seat: the least that all groups together can cost, as a linear program over their ways home.

    minimise   sum of people on a way x its EUR + people who stay x what that costs
    such that  every group's people are on its ways or stay; no more people in a cabin of a flight than it has seats

The ways are not listed beforehand: the program begins with none, and those with a negative reduced cost are added
(column generation; Ford and Fulkerson 1958, Desaulniers, Desrosiers and Solomon 2005), found by `paths.cheapest` with
the seats' shadow prices on top. What each group would pay at these prices, less what the seats would bring in, is
Lagrange's bound: no whole-numbered assignment costs less, whenever the program stops. Solved by HiGHS, through SciPy.

A cabin that is full has no row of capacity, so no shadow price, and would be proposed to one group after the other; it
is left out from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from takt.stations.flightdesk.airline.instance import Floats, Ints
from takt.stations.flightdesk.desk.paths import LEGS, Network, cheapest, lateness, network_of

ROUNDS = 60  # of column generation, at most; the bound is one whenever it ends
WAYS = 3  # columns per group and round
CLOSE = 1e-4  # of the value: near enough
LEAST_PEOPLE = 1e-6  # less of a person goes nowhere


@dataclass(frozen=True, slots=True)
class Wish:
    """A group that wants to get home. `price` is (F, 3), EUR per person by flight and cabin, infinite where it may not.

    ready    nobody leaves before; `due` when it should have been there; `latest` when it must be.
    stays    EUR per person who is not brought home.
    lands    (F,) when each flight is charged to land, if not when it does.
    """

    people: int
    start: int
    goal: int
    ready: float
    due: int
    latest: int
    minute: float
    meal_after: int
    stays: float
    price: Floats
    lands: Ints | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """People of a group, parts of them too, who go the same way: its (flight, cabin), and EUR a person."""

    people: float
    legs: tuple[tuple[int, int], ...]
    cost: float


@dataclass(frozen=True, slots=True)
class Assigned:
    """What came of it.

    value   of the linear program, EUR; `bound`: no assignment costs less.
    seat    (F, 3) EUR that one seat more is worth. `stays`: (groups,) people who stay.
    rounds  of column generation.
    shares  who of each group goes which way, the most first.
    """

    value: float
    bound: float
    seat: Floats
    stays: Floats
    rounds: int
    shares: tuple[tuple[Share, ...], ...] = ()


def assign(
    net: Network,
    seats: Ints,
    wishes: Sequence[Wish],
    alpha: float = 1.0,
    rounds: int = ROUNDS,
    legs: int | None = LEGS,
) -> Assigned:
    """The best shares of `seats`, (F, 3), for these groups, on ways of so many legs at most; None: of any number."""
    count = len(wishes)
    people = np.array([wish.people for wish in wishes], dtype=np.float64)
    full = np.where(seats > 0, 0.0, np.inf)
    shadow = np.zeros(seats.shape)
    late = []
    for wish in wishes:
        lands = net.lands if wish.lands is None else wish.lands
        late.append(lateness(lands - wish.due, wish.minute, wish.meal_after, alpha))
    worth = np.array([wish.stays for wish in wishes])  # what one more person of a group costs, by the program so far
    cost: list[float] = []
    owner: list[int] = []
    uses: list[list[int]] = []  # cells of `seats`, flat
    seen: set[tuple[int, ...]] = set()
    value, bound = float(people @ worth), 0.0
    stays, done, goes = people.copy(), 0, np.zeros(0)
    while done < rounds:
        done += 1
        pays, added = 0.0, 0
        priced: dict[int, _Priced] = {}  # by table of prices
        for g, wish in enumerate(wishes):
            if id(wish.price) not in priced:
                priced[id(wish.price)] = _Priced.of(net, wish.price + shadow + full)
            open_, flights = priced[id(wish.price)], priced[id(wish.price)].flights
            ends = wish.start, wish.goal, wish.ready, wish.latest
            ways = cheapest(open_.net, open_.aboard, *ends, late[g][flights], WAYS, legs=legs)
            pays += wish.people * min(wish.stays, ways[0].cost if ways else np.inf)
            for way in ways:
                if way.cost >= worth[g] - 1e-6:
                    break
                cells = [int(open_.cell[f]) for f in way.flights]
                if (g, *cells) in seen:
                    continue
                seen.add((g, *cells))
                owner.append(g)
                uses.append(cells)
                last = flights[way.flights[-1]]
                cost.append(sum(float(wish.price.flat[cell]) for cell in cells) + float(late[g][last]))
                added += 1
        bound = max(bound, pays - float((shadow * seats).sum()))
        if not added or value - bound <= CLOSE * max(1.0, abs(value)):
            break
        value, worth, shadow, stays, goes = _solved(count, people, wishes, seats, cost, owner, uses)
    return Assigned(value, min(bound, value), shadow, stays, done, _shares(count, goes, owner, uses, cost))


def _shares(
    count: int, goes: Floats, owner: Sequence[int], uses: Sequence[Sequence[int]], cost: Sequence[float]
) -> tuple[tuple[Share, ...], ...]:
    """The ways that are gone, group by group. Columns behind the last program's were not asked for."""
    shares: list[list[Share]] = [[] for _ in range(count)]
    for people, group, cells, eur in zip(goes.tolist(), owner, uses, cost, strict=False):
        if people > LEAST_PEOPLE:
            legs = tuple((cell // 3, cell % 3) for cell in cells)
            shares[group].append(Share(people, legs, eur))
    return tuple(tuple(sorted(mine, key=lambda share: -share.people)) for mine in shares)


@dataclass(frozen=True, slots=True)
class _Priced:
    """The flights that can be taken at some prices, in the order of all of them: `flights` are their numbers, `cell`
    the cheapest cabin of each, flat, and `aboard` what that costs."""

    net: Network
    flights: Ints
    cell: Ints
    aboard: Floats

    @classmethod
    def of(cls, net: Network, price: Floats) -> _Priced:
        cabin = np.argmin(price, axis=1)
        best = price[np.arange(len(cabin)), cabin]
        flights = np.flatnonzero(np.isfinite(best))
        part = network_of(*(of[flights] for of in (net.origin, net.destination, net.leaves, net.lands)))
        return cls(part, flights, 3 * flights + cabin[flights], best[flights])


def _solved(
    count: int,
    people: Floats,
    wishes: Sequence[Wish],
    seats: Ints,
    cost: list[float],
    owner: list[int],
    uses: list[list[int]],
) -> tuple[float, Floats, Floats, Floats, Floats]:
    """The program with these ways: its value, what a person of each group and a seat is worth, who stays, and how many
    go each way."""
    from scipy.optimize import linprog  # long to import, and a bound that is remembered needs none of it
    from scipy.sparse import csc_array

    cells, row = np.unique(np.concatenate([np.array(u, dtype=np.int64) for u in uses]), return_inverse=True)
    column = np.repeat(np.arange(len(uses)), [len(u) for u in uses])
    capacity = csc_array((np.ones(len(column)), (row, column)), shape=(len(cells), len(uses) + count))
    once = np.arange(count)
    members = csc_array(
        (
            np.ones(len(owner) + count),
            (np.concatenate([np.array(owner, dtype=np.int64), once]), np.arange(len(owner) + count)),
        ),
        shape=(count, len(owner) + count),
    )
    done = linprog(
        np.concatenate([np.array(cost), [wish.stays for wish in wishes]]),
        A_ub=capacity,
        b_ub=seats.reshape(-1)[cells].astype(np.float64),
        A_eq=members,
        b_eq=people,
        method="highs",
    )
    if done.status != 0:
        raise RuntimeError(f"HiGHS says: {done.message}")  # everybody may stay, so there is always a solution
    shadow = np.zeros(seats.size)
    shadow[cells] = np.maximum(-done.ineqlin.marginals, 0.0)
    x, many = done.x, len(owner)
    return float(done.fun), done.eqlin.marginals, shadow.reshape(seats.shape), x[many:], x[:many]
