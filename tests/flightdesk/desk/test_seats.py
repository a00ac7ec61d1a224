"""The linear program of who gets which seat, against one that has every way, and against the best in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, linprog, milp

from takt.stations.flightdesk.airline.instance import CONNECTION, Floats, Ints
from takt.stations.flightdesk.desk.paths import LEGS, Network, lateness, network_of
from takt.stations.flightdesk.desk.remembered import remembered
from takt.stations.flightdesk.desk.seats import Assigned, Share, Wish, assign

AIRPORTS, FLIGHTS, GROUPS = 4, 9, 4
SEEDS = range(60)

Way = tuple[float, list[int]]  # EUR per person, cells of `seats`


def made(seed: int) -> tuple[Network, Ints, list[Wish]]:
    """A small network with too few seats, and some cabins that have none."""
    rng = np.random.default_rng(seed)
    origin = rng.integers(AIRPORTS, size=FLIGHTS)
    leaves = 30 * rng.integers(20, size=FLIGHTS)
    net = network_of(origin, (origin + rng.integers(1, AIRPORTS, FLIGHTS)) % AIRPORTS, leaves, leaves + 60)
    seats = rng.integers(0, 5, size=(FLIGHTS, 3)) * (rng.random((FLIGHTS, 3)) < 0.7)
    prices = [np.where(rng.random((FLIGHTS, 3)) < 0.8, 25.0 * rng.integers(0, 9, (FLIGHTS, 3)), np.inf) for _ in "ab"]
    wishes = []
    for _ in range(GROUPS):
        start, goal = rng.permutation(AIRPORTS)[:2].tolist()
        due = int(rng.integers(200, 500))
        minute, stays = float(rng.choice([0.05, 1.25])), float(rng.integers(300, 900))
        price = prices[int(rng.integers(2))]
        people = int(rng.integers(1, 6))
        wishes.append(Wish(people, start, goal, float(rng.integers(90)), due, due + 300, minute, 120, stays, price))
    return net, seats, wishes


def ways_of(net: Network, wish: Wish, legs: int) -> Iterator[Way]:
    """Every chain of flights that brings the group home, in every cabin."""
    late = lateness(net.lands - wish.due, wish.minute, wish.meal_after)

    def chains(chain: list[int], at: int, since: float) -> Iterator[list[int]]:
        if chain and at == wish.goal:
            yield chain
        if len(chain) == legs:
            return
        for f in range(FLIGHTS):
            if net.origin[f] == at and net.leaves[f] >= since and net.lands[f] <= wish.latest:
                yield from chains([*chain, f], int(net.destination[f]), float(net.lands[f] + CONNECTION))

    for chain in chains([], wish.start, wish.ready):
        for cabins in product(range(3), repeat=len(chain)):
            eur = sum(float(wish.price[f, c]) for f, c in zip(chain, cabins, strict=True)) + float(late[chain[-1]])
            if np.isfinite(eur):
                yield eur, [3 * f + c for f, c in zip(chain, cabins, strict=True)]


def written_out(net: Network, seats: Ints, wishes: list[Wish], legs: int) -> tuple[Floats, Floats, Floats]:
    """Costs of all ways and of staying; which cells each takes; whose each is."""
    listed = [(g, *way) for g, wish in enumerate(wishes) for way in [*ways_of(net, wish, legs), (wish.stays, [])]]
    takes, whose = np.zeros((seats.size, len(listed))), np.zeros((len(wishes), len(listed)))
    for i, (g, _, cells) in enumerate(listed):
        takes[cells, i], whose[g, i] = 1.0, 1.0
    return np.array([eur for _, eur, _ in listed]), takes, whose


@pytest.mark.parametrize("legs", [2, LEGS, None])
def test_it_is_the_linear_program_over_all_ways_and_bounds_the_best_in_whole_numbers(legs: int | None) -> None:
    crowded = 0
    for seed in SEEDS:
        net, seats, wishes = made(seed)
        found = assign(net, seats, wishes, legs=legs)
        cost, takes, whose = written_out(net, seats, wishes, legs or FLIGHTS)
        people = [wish.people for wish in wishes]
        program = linprog(cost, A_ub=takes, b_ub=seats.reshape(-1), A_eq=whose, b_eq=people)
        whole = milp(
            cost,
            integrality=np.ones(len(cost)),
            constraints=[LinearConstraint(takes, ub=seats.reshape(-1)), LinearConstraint(whose, people, people)],
        )
        near = 1e-4 * max(1.0, program.fun) + 1e-6  # `assign` stops when it is so near
        assert program.fun - 1e-6 <= found.value <= program.fun + near
        assert program.fun - near <= found.bound <= program.fun + 1e-6
        assert found.bound <= whole.fun + 1e-6 and found.bound <= found.value
        assert found.stays.sum() <= sum(people) + 1e-9 and (found.seat >= 0).all() and np.isfinite(found.seat).all()
        crowded += bool((found.seat > 1e-6).any())
    assert crowded > len(SEEDS) / 4  # seats were short, so that the shadow prices mattered


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_stopped_early_it_still_bounds_from_both_sides(rounds: int) -> None:
    open_gaps = 0
    for seed in SEEDS:
        net, seats, wishes = made(seed)
        exact = assign(net, seats, wishes)
        found = assign(net, seats, wishes, rounds=rounds)
        assert found.bound <= exact.value + 1e-6 and found.value >= exact.bound - 1e-6 and found.rounds <= rounds
        open_gaps += found.value - found.bound > 1.0
    assert open_gaps or rounds == 3


def test_a_full_cabin_is_never_tried() -> None:
    """One way home and many full ones that are cheaper: the first round finds what there is."""
    count = 40
    net = network_of(np.zeros(count, int), np.ones(count, int), np.arange(count), np.arange(count) + 60)
    seats = np.zeros((count, 3), dtype=np.int64)
    seats[-1, 2] = 1
    price = np.repeat(np.arange(count, dtype=np.float64)[:, None], 3, axis=1)
    wish = Wish(3, 0, 1, 0.0, 500, 900, 1.0, 120, 100.0, price)
    found = assign(net, seats, [wish])
    assert found.value == found.bound == pytest.approx(2 * 100.0 + (count - 1))
    assert found.rounds <= 3 and found.stays.tolist() == [2.0]


def test_nobody_wants_anything() -> None:
    net, seats, _ = made(0)
    found = assign(net, seats, [])
    assert found.value == found.bound == 0.0


def test_a_bound_is_remembered_by_all_that_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same again is read, anything else is worked out, and so is what is damaged or cannot be kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    price = np.arange(6.0).reshape(2, 3)
    made = Assigned(7.5, 7.25, price, np.array([0.5, 0.0]), 3, ((Share(0.5, ((0, 2), (1, 2)), 120.0),), ()))
    asked: list[int] = []

    def bound(seats: int = 9, stays: float = 900.0) -> Assigned:
        wishes = [Wish(2, 0, 1, 0.0, 60, 600, 0.1, 120, stays, price)]

        def make() -> Assigned:
            asked.append(seats)
            return made

        return remembered([np.array([seats])], wishes, make)

    for found in (bound(), bound()):
        assert (found.value, found.bound, found.rounds, found.shares) == (7.5, 7.25, 3, made.shares)
        assert np.array_equal(found.seat, price) and found.stays.tolist() == [0.5, 0.0]
    assert asked == [9]
    bound(seats=8)
    bound(stays=901.0)
    assert asked == [9, 8, 9]
    for file in (tmp_path / "takt" / "bounds").iterdir():
        file.write_bytes(b"\x93\x01")
    assert bound().value == 7.5 and asked == [9, 8, 9, 9]
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert bound().value == 7.5 and len(asked) == 5
