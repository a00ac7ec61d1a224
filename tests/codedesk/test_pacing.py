"""Whether work grows in proportion is told from processor time, which a busy machine adds to and a cheat can waste."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from random import Random

import pytest

from takt.stations.codedesk.pacing import Asked, Measured, pace
from takt.stations.codedesk.sandbox import Ran

ASKED = Asked("test_t.py", "", "grows", 150)
Cost = Callable[[Sequence[int]], float]


def each(one: Callable[[int], float]) -> Cost:
    return lambda sizes: sum(one(size) for size in sizes)


def machine(cost: Cost, noise: Random, answer: Callable[[int], int] = lambda size: size) -> Measured:
    """Code that takes so many seconds, on a machine where all takes up to twice as long, and a process that begins
    takes 0.05 s and up to 0.05 more: more than was seen on two cores with two busy loops beside it."""

    def run(sizes: Sequence[int]) -> Ran:
        busy_s = 0.05 + noise.uniform(0, 0.05) + cost(sizes) * noise.uniform(1, 2)
        said = json.dumps({"answer": str(answer(sizes[-1])) if sizes else "none"}).encode()
        return Ran(0, said, b"", busy_s, "exit", busy_s=busy_s)

    return Measured(run)


KNOWN = each(lambda size: 3e-6 * size)
RIGHT = {
    "as the known one": KNOWN,
    "in C": each(lambda size: 1e-7 * size),
    "ten times as long": each(lambda size: 3e-5 * size),
    "sorting": each(lambda size: 1e-6 * size * math.log2(size)),
    "with memory that gets slower": each(lambda size: 1e-6 * size * (size / 1000) ** 0.2),
    "with much for each call": each(lambda size: 1e-3 + 1e-5 * size),
}
SLOW = {
    "with the square": each(lambda size: 5e-8 * size**2),
    "with the square, in C": each(lambda size: 5e-9 * size**2),
    "with the square, beside much else": each(lambda size: 1e-5 * size + 2e-8 * size**2),
    "with a square that shows late": each(lambda size: 1e-9 * size**2 + 3e-6 * size),
    "with the cube": each(lambda size: 1e-10 * size**3),
    "with the square, as long in parts": lambda sizes: 5e-8 * sum(sizes) ** 2,
    "with the square, and a second wasted first": lambda sizes: sum(5e-8 * size**2 for size in sizes) + bool(sizes),
    "with the square, and much wasted for nothing": lambda sizes: sum(5e-8 * size**2 for size in sizes) or 20.0,
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_is_not_refused_on_a_busy_machine(name: str) -> None:
    noise = Random(name)
    for _ in range(200):
        assert pace(ASKED, machine(RIGHT[name], noise), machine(KNOWN, noise)) == ""
        assert pace(ASKED, machine(RIGHT[name], noise), None) == ""


@pytest.mark.parametrize("name", SLOW)
def test_slow_code_is_seen_on_a_busy_machine_also_where_it_wastes_time_to_hide_it(name: str) -> None:
    noise = Random(name)
    for _ in range(200):
        assert pace(ASKED, machine(SLOW[name], noise), machine(KNOWN, noise))
