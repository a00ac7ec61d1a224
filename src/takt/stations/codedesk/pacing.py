"""Tickets about speed: whether work grows in proportion, and what comes of much is right.

Each measurement is a process of its own (`measure.py`). What it took is told by the sandbox's first process, which
nothing in there can reach, from the kernel's account of all processes that it buried: no clock, trace or thread of the
code under test has a part in it. (On a busy machine the same work takes more of it, the small measure most of all: near
the limit slow code was taken for fast.) What came is compared with what the known solution gives for as much.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takt.stations.codedesk.mounts import MEASURE
from takt.stations.codedesk.sandbox import Ran, Room

ENOUGH_S = 0.3  # of processor time: a process that begins costs some 0.05, and on a busy machine 0.03 more or less
LARGEST, APART = 512, 4  # times `count`: the most that is asked for; how far apart two are that are compared
MOST_GROWTH = 10.0  # of time, from one to APART times as much: in proportion it is 4, with the square 16
UNCLEAR = (6.5, 12.0)  # growth with which more is asked for
LEAST_S = 0.002  # of processor time: less is noise
AT_ONCE = 80  # turns in one process, where no more can be asked for
WALL_S = 60.0


@dataclass(frozen=True)
class Asked:
    """What is measured: a function of a file of tests, and the largest number that its tests name."""

    path: str
    text: str
    ask: str
    count: int


def pace(asked: Asked, run: Callable[[Sequence[int]], Ran], right: Callable[[int, str], str]) -> str:
    """What is wrong with how the time of it grows, or with what comes of much; "" if nothing.

    `run` does it for these sizes, one after the other, in one process; `right` gives the digest of the known answer for
    a size, and is told what came; "" where not even the known solution has one.
    """
    ready = [taken(run, ()) for _ in range(3)]
    if not ready[0].answer:
        return f"{asked.ask} could not be measured: {ready[0].why}"
    base_s = min(one.busy_s for one in ready)

    def busy_s(sizes: Sequence[int], times: int = 1) -> float:
        """The least of so many: what comes between only adds."""
        return min(taken(run, sizes).busy_s for _ in range(times)) - base_s

    size, most, whole_s, part_s = 2 * asked.count, 0, 0.0, 0.0
    many: list[int] = []
    while size <= LARGEST * asked.count:
        came = taken(run, (size,))
        if came.endless:
            return f"with {size} it did not come to its end: {came.why}"
        due = right(size, came.answer)
        if not (came.answer and due):  # nobody asks for so many
            if most:
                break
            return f"with {size}: {came.why}"
        if came.answer != due:
            return f"with {size} another answer is due"
        most, size, whole_s, many = size, size * APART, came.busy_s - base_s, [size]
        if whole_s >= ENOUGH_S:
            part_s = busy_s((most // APART,), 3)
            if not UNCLEAR[0] < whole_s / max(part_s, LEAST_S) < UNCLEAR[1]:
                break
    else:
        if whole_s < ENOUGH_S:
            return ""
    if whole_s < ENOUGH_S:
        many = [most - turn % (most // 8 + 1) for turn in range(AT_ONCE)]
        whole_s, part_s = busy_s(many), busy_s([max(1, one // APART) for one in many], 3)
    if whole_s >= ENOUGH_S / 2 and whole_s > MOST_GROWTH * max(part_s, LEAST_S):
        whole_s = min(whole_s, busy_s(many))
    if whole_s < ENOUGH_S / 2 or whole_s <= MOST_GROWTH * max(part_s, LEAST_S):
        return ""
    # no seconds: two runs of a shift say the same
    return f"time grows out of proportion: {APART} times as much takes more than {MOST_GROWTH:g} times as long"


@dataclass(frozen=True)
class Taken:
    """What came of a measurement. answer: its digest, "" if there is none; busy_s: processor time; endless: it came to
    a limit."""

    answer: str
    busy_s: float
    endless: bool
    why: str


def taken(run: Callable[[Sequence[int]], Ran], sizes: Sequence[int]) -> Taken:
    """Measure once."""
    ran = run(sizes)
    try:
        said: Any = json.loads(ran.stdout.splitlines()[-1])
        answer = said["answer"] if ran.ended_by == "exit" and not ran.code else ""
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        answer = ""
    why = ran.ended_by if ran.ended_by != "exit" else " ".join(ran.stderr.decode(errors="replace").split())[-300:]
    return Taken(answer if isinstance(answer, str) else "", ran.busy_s, ran.ended_by != "exit", why)


def measured(room: Room, python: Sequence[str], asked: Asked, folders: Sequence[str], sizes: Sequence[int]) -> Ran:
    """One measurement in a sandbox that has the tree with its tests."""
    told: Mapping[str, Any] = {
        "path": asked.path, "ask": asked.ask, "count": asked.count, "folders": list(folders), "sizes": list(sizes),
    }  # fmt: skip
    return room.run([*python, "-I", MEASURE], wall_s=WALL_S, stdin=json.dumps(told).encode())
