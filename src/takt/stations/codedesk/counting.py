"""Counts the steps of tickets about speed, beside code that would rather not be counted. A part of `examine.py`, and
like it nothing but the standard library.

What is counted, and whatever touches the count, is told at once, over a channel where nothing can be taken back; what
it comes to is judged outside (`records.py`). An audit hook (PEP 578), which cannot be removed, tells of what could put
the count out: another trace function, frames, a search of memory, threads and processes. The counts themselves are
`itertools.count`, which go on and never back, held as defaults of functions: to change those is an event as well.

Steps are lines of Python, and much can be done in one (`one in items`). So the processor's time is taken as well, with
nobody counting, of as many as it takes to see how it grows. The kernel's clock of this thread (that of the process goes
by ticks where its time is limited) goes by no other clock, does not go on while it sleeps or others work, and is the
same whatever traces.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any

TREE = "/work/"
TELLS = {
    "sys.settrace", "sys.setprofile", "sys.monitoring.register_callback", "sys._current_frames",
    "sys._current_exceptions", "gc.get_objects", "gc.get_referrers", "gc.get_referents", "object.__setattr__",
    "object.__delattr__", "_thread.start_new_thread", "_thread.start_joinable_thread", "os.fork", "os.forkpty",
    "os.posix_spawn", "os.system", "subprocess.Popen", "ctypes.dlopen", "ctypes.dlsym", "ctypes.cdata",
}  # fmt: skip
FRAMES = ("tb_frame", "gi_frame", "cr_frame", "ag_frame")
ENOUGH_NS, LEAST_NS = 30_000_000, 10_000_000  # of processor time: to see how it grows; too little to be slow
LARGEST, APART = 64, 4  # times `count`: the most that a call is given; how far apart the two are that are compared
MOST_GROWTH = 10.0  # of time, from one to four times as many: in proportion it is 4, with the square 16
ADDRESS = re.compile(r"0x[0-9a-f]+")


def counter(
    tell: Callable[..., None], as_told: Callable[[Any], Any], limit: type[Exception]
) -> Callable[[Any, Any, int], bool]:
    """A function of (make, call, count) that tells the steps of `call(make(number))`, for four sizes, and the time of
    two more. `limit` is the error that ends a test which takes too long."""
    ticks, entered, left = itertools.count(), itertools.count(), itertools.count()
    timing: list[bool] = []  # holds something while time is taken
    held: list[Any] = []  # our functions, whose defaults are nobody's to change

    def within(
        frame: Any, event: str, arg: Any, tick: Any = ticks.__next__, leave: Any = left.__next__, tell: Any = tell
    ) -> None:  # None: it goes on being asked
        if event == "line":
            tick()
        elif event == "return":
            leave()
            if not frame.f_trace_lines:
                tell(noticed="lines put out")

    def trace(frame: Any, event: str, arg: Any, enter: Any = entered.__next__, within: Any = within) -> Any:
        enter()
        frame.f_trace_lines = True
        return within

    def hook(
        event: str,
        given: tuple[Any, ...],
        tells: Any = frozenset(TELLS),
        ours: Any = trace,
        now: Any = sys.gettrace,
        tell: Any = tell,
        timing: Any = timing,
        held: Any = held,
    ) -> None:
        if event in ("object.__setattr__", "object.__delattr__") and any(given[0] is one for one in held):
            tell(noticed="what counts was changed")
        if now() is not ours and not timing:
            return
        frame = event == "object.__getattr__" and given[1] in FRAMES
        frame = frame or (event == "sys._getframe" and (not given or given[0].f_code.co_filename.startswith(TREE)))
        if frame or event in tells:
            tell(noticed=event)

    def told_of(value: Any, as_told: Any = as_told) -> str:
        return ADDRESS.sub("", json.dumps(as_told(value)))

    def steps(
        make: Any,
        call: Any,
        size: int,
        trace: Any = trace,
        counts: Any = (ticks, entered, left),
        settrace: Any = sys.settrace,
        gettrace: Any = sys.gettrace,
        frames: Any = sys._current_frames,
        told_of: Any = told_of,
        tell: Any = tell,
    ) -> int | None:
        given, again = make(size), make(size)
        began = [next(one) for one in counts]
        if len(frames()) > 1:
            tell(noticed="a thread beside the count")
        settrace(trace)
        try:
            value = call(given)
        finally:  # first it is told, and then the trace is put off, which is told as well: another order is not ours
            lines, into, out = (next(one) - then - 1 for one, then in zip(counts, began, strict=True))
            counted = lines if gettrace() is trace and out >= into else None
            tell(counted=counted, size=size)
            settrace(None)
        if told_of(value) != told_of(call(again)):
            tell(noticed="another answer where steps are counted")
        return counted

    def took(make: Any, call: Any, size: int, times: int, busy: Any = time.thread_time_ns) -> int:
        """The least processor time of so many calls."""
        every = []
        for _ in range(times):
            given = make(size)
            began = busy()
            call(given)
            every.append(busy() - began)
        return min(every)

    def alone(frames: Any = sys._current_frames, wait: Any = os.waitpid, nohang: Any = os.WNOHANG) -> bool:
        try:
            wait(-1, nohang)
        except ChildProcessError:
            return len(frames()) == 1
        return False

    def grown(make: Any, call: Any, count: int, took: Any = took, limit: Any = limit) -> int:
        """How many are enough: until it takes long enough, or cannot be done (nobody asks for so many)."""
        size = 2 * count
        while size < LARGEST * count:
            try:
                if took(make, call, 2 * size, 1) > ENOUGH_NS:
                    return 2 * size
            except limit:
                raise
            except Exception:  # nosec B112: the largest that can be done counts
                return size
            size *= 2
        return size

    def times(
        make: Any, call: Any, count: int, grown: Any = grown, took: Any = took, alone: Any = alone, tell: Any = tell,
        timing: Any = timing, slow: Any = slow, collector: Any = (gc.isenabled, gc.collect, gc.disable, gc.enable),
    ) -> None:  # fmt: skip
        """Twice, the second time more of it, if the first gives reason to."""
        if not alone():
            tell(noticed="a thread or a process beside the count")
        enabled, collect, disable, enable = collector
        was = enabled()
        collect()
        disable()  # what is collected meanwhile is of whatever was there before
        timing.append(True)
        try:
            size = grown(make, call, count)
            for more in range(2):
                found = [[size // APART, took(make, call, size // APART, 3 + more)]]
                found.append([size, took(make, call, size, 1 + 2 * more)])
                tell(took=found)
                if not slow(found):
                    break
        finally:
            timing.clear()
            if was:
                enable()

    def outgrows(make: Any, call: Any, count: int, steps: Any = steps, times: Any = times) -> bool:
        if not outgrew([(size, steps(make, call, size)) for size in sizes(count)], count):
            times(make, call, count)
        return False

    sys.addaudithook(hook)
    held += [within, trace, hook, told_of, steps, took, alone, grown, times, outgrows]

    return outgrows


def sizes(count: int) -> tuple[int, int, int, int]:
    """How many things a call is given. The first is for what is done once."""
    return (count // 3, count // 2, count, 2 * count)


def outgrew(counted: list[tuple[int, int | None]], count: int) -> str:
    """What is wrong with steps as they were told, (size, steps) each; "" if they grow in proportion. What is spent
    alike on little and on much does not hide it."""
    if tuple(size for size, _ in counted) != sizes(count):
        return "the steps were not counted"
    if any(lines is None for _, lines in counted):
        return "the count of steps was put out"
    _, half, once, twice = (lines or 0 for _, lines in counted)
    if max(half, once, twice) > 20_000 + 2_000 * count or twice - once > 2.7 * max(once - half, 50):
        return (
            f"steps grow out of proportion: {half:,}, {once:,} and {twice:,} for {count // 2}, {count} and {2 * count}"
        )
    return ""


def slow(took: list[list[int]]) -> bool:
    """Whether time, as it was told of two sizes, [size, ns] each, grows out of proportion."""
    (_, quarter), (_, whole) = took
    return whole > LEAST_NS and whole > MOST_GROWTH * max(quarter, 1)


def slower(told: list[list[list[int]]], count: int) -> str:
    """What is wrong with the times that were told, "" if nothing: they must be out of proportion twice."""
    if not told or any(one[1][0] < 2 * count or one[0][0] != one[1][0] // APART for one in told):
        return "the time was not taken"
    if not slow(told[-1]):
        return ""
    (few, quarter), (many, whole) = told[-1]
    return f"time grows out of proportion: {quarter / 1e6:.1f} ms for {few}, and {whole / 1e6:.1f} ms for {many}"
