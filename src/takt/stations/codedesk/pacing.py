"""Tickets about speed: whether work grows in proportion, and what comes of much is right.

Each measurement is a process of its own (`measure.py`), which may start no other. What it took is told by the
sandbox's first process, which nothing in there can reach, from the kernel's account of processor time: no clock, trace
or thread of the code under test has a part in it. What came is compared with what the known solution gives.

So much that it takes a second is measured against as much in 16 parts, in one process as well: in proportion both take
as long, with the square the whole takes 16 times as long. Both are far above what a process costs that begins, and what
a busy machine adds: that only ever adds, so the least of several counts. Code may know what is measured of it, and may
waste time on the parts, so that the whole seems in proportion: then it takes far longer than the known solution.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from takt.stations.codedesk.mounts import MEASURE
from takt.stations.codedesk.sandbox import Ran, Room

ENOUGH_S, ABOUT_S = 1.0, 4.0  # of processor time: what is judged takes so much; it need not take more
LARGEST = 512  # times `count`: the most that is asked for
PARTS = 16
CLEAR = (2.5, 8.0)  # times as long as in parts: in proportion below, out of it above; between, the known one is asked
MOST_TIMES = 3.5  # and there, where that one is in proportion: in the middle, for what is slow is not all square
LEAST_S = 0.01  # of processor time: less is noise
SLOWEST = 40.0  # times as long as the known solution
BEGINS_S = 0.2  # that it may take longer to begin than the known solution
TURNS = 5  # of which the least counts, where it is not clear
AT_ONCE = 80  # turns in one process, where no more can be asked for
WALL_S = 60.0

Run = Callable[[Sequence[int]], Ran]


@dataclass(frozen=True)
class Asked:
    """What is measured: a function of a file of tests, and the largest number that its tests name."""

    path: str
    text: str
    ask: str
    count: int


@dataclass(frozen=True)
class Taken:
    """What came of a measurement. answer: its digest, "" if there is none; busy_s: processor time; endless: it came to
    a limit."""

    answer: str
    busy_s: float
    endless: bool
    why: str


@dataclass
class Measured:
    """A tree's code, and what is known of it. run: does it for these sizes, one after the other, in one process."""

    run: Run
    came: dict[int, Taken] = field(default_factory=dict)  # by size; 0: it only begins

    def of(self, size: int) -> Taken:
        if size not in self.came:
            self.came[size] = taken(self.run, (size,) if size else ())
            if not size:
                self.came[0] = min(self.came[0], *(taken(self.run, ()) for _ in range(2)), key=lambda one: one.busy_s)
        return self.came[size]


def pace(asked: Asked, tree: Measured, known: Measured | None) -> str:
    """What is wrong with how the time of it grows, or with what comes of much; "" if nothing. `known`: the known
    solution."""
    begins = tree.of(0)
    if not begins.answer:
        return f"{asked.ask} could not be measured: {begins.why}"
    base_s = begins.busy_s if known is None else min(begins.busy_s, known.of(0).busy_s + BEGINS_S)
    size, most, most_s, largest = 2 * asked.count, 0, 0.0, LARGEST * asked.count
    while most_s < ENOUGH_S and most < largest:
        came = tree.of(size)
        due = came.answer if known is None else known.of(size).answer
        said = f"with {size}" if not most else f"with more than {2 * asked.count}"  # which, is another each time
        if came.endless:
            return f"{said} it did not come to its end: {came.why}"
        if came.answer and due:
            if came.answer != due:
                return f"{said} another answer is due"
            most, most_s = size, came.busy_s - base_s
            if ENOUGH_S <= most_s < 2 * ENOUGH_S:
                most_s = min(most_s, taken(tree.run, [size]).busy_s - base_s)
            size = min(largest, size * further(most_s))
        elif not most:
            return f"{said}: {came.why}"
        else:  # nobody asks for so many
            largest = size = max(most, size // 2)
    whole = [most]
    if most_s < ENOUGH_S:
        if largest == LARGEST * asked.count:
            return ""
        whole = [max(1, most - turn % (most // 2)) for turn in range(AT_ONCE)]
        most_s = taken(tree.run, whole).busy_s - base_s
        if most_s < ENOUGH_S / 2:
            return ""
    times = growth(tree.run, base_s, whole, most_s)
    limit = MOST_TIMES
    if known is not None and CLEAR[0] < times < CLEAR[1]:
        known_base_s = known.of(0).busy_s
        known_s = taken(known.run, whole).busy_s - known_base_s
        if known_s > ENOUGH_S / 2:  # what memory makes of so much, say; where it takes less, that is noise
            known_times = growth(known.run, known_base_s, whole, known_s, clear=1.0)
            limit *= math.sqrt(min(max(known_times, 1.0), PARTS / 4))
    if times > limit:  # no seconds: two runs of a shift say the same
        return f"time grows out of proportion: much takes far longer than as much in {PARTS} parts"
    if known is not None and wastes(asked, tree, base_s, known, whole, most_s):
        return f"it takes more than {SLOWEST:g} times as long as it need"
    return ""


def further(took_s: float) -> int:
    """How many times as much to ask for next, so that what grows with the square takes ABOUT_S at most."""
    times = 16
    while times > 2 and max(took_s, LEAST_S) * times**2 > ABOUT_S:
        times //= 2
    return times


def growth(run: Run, base_s: float, whole: Sequence[int], whole_s: float, clear: float = CLEAR[0]) -> float:
    """How many times as long these take as the same in parts, each with another size: what is remembered does not
    help. Where it is more than is `clear`, by the least of several."""
    parts = [max(1, size // PARTS + place - PARTS // 2) for size in whole for place in range(PARTS)]
    parts_s = times = math.inf
    for turn in range(TURNS):
        if turn:
            whole_s = min(whole_s, taken(run, whole).busy_s - base_s)
        parts_s = min(parts_s, taken(run, parts).busy_s - base_s)
        times = whole_s / max(parts_s, LEAST_S)
        if times <= clear or (turn and times >= CLEAR[1]):
            break
    return times


def wastes(asked: Asked, tree: Measured, base_s: float, known: Measured, whole: Sequence[int], whole_s: float) -> bool:
    """Whether it takes far longer than the known solution, by the largest that this one does: for less is noise."""
    size = LARGEST * asked.count
    while not known.of(size).answer and size > 2 * asked.count:
        size //= 2
    known_base_s, share = known.of(0).busy_s, sum(whole) / size
    known_s = known.of(size).busy_s - known_base_s
    for turn in range(3):
        if turn:
            whole_s = min(whole_s, taken(tree.run, whole).busy_s - base_s)
            known_s = min(known_s, taken(known.run, (size,)).busy_s - known_base_s)
        if whole_s < SLOWEST / (2 if turn else 4) * share * known_s:
            return False
    return whole_s > SLOWEST * share * max(known_s, 5 * LEAST_S)


def taken(run: Run, sizes: Sequence[int]) -> Taken:
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
    return room.run([*python, "-I", MEASURE], wall_s=WALL_S, stdin=json.dumps(told).encode(), alone=True)
