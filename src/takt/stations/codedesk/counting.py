"""Counts the steps of tickets about speed, beside code that would rather not be counted. A part of `examine.py`, and
like it nothing but the standard library.

What is counted, and whatever touches the count, is told at once, over a channel where nothing can be taken back; what
it comes to is judged outside (`records.py`). An audit hook (PEP 578), which cannot be removed, tells of what could put
the count out: another trace function, frames, a search of memory, threads and processes. The counts themselves are
`itertools.count`, which go on and never back, held as defaults of functions: to change those is an event as well.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
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
ADDRESS = re.compile(r"0x[0-9a-f]+")


def counter(tell: Callable[..., None], as_told: Callable[[Any], Any]) -> Callable[[Any, Any, int], bool]:
    """A function of (make, call, count) that tells the steps of `call(make(number))`, for four sizes."""
    ticks, entered, left = itertools.count(), itertools.count(), itertools.count()

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
    ) -> None:
        if now() is not ours:
            return
        frame = event == "object.__getattr__" and given[1] in FRAMES
        frame = frame or (event == "sys._getframe" and (not given or given[0].f_code.co_filename.startswith(TREE)))
        if frame or event in tells:
            tell(noticed=event)

    sys.addaudithook(hook)

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
    ) -> None:
        given, again = make(size), make(size)
        began = [next(one) for one in counts]
        if len(frames()) > 1:
            tell(noticed="a thread beside the count")
        settrace(trace)
        try:
            value = call(given)
        finally:  # first it is told, and then the trace is put off, which is told as well: another order is not ours
            lines, into, out = (next(one) - then - 1 for one, then in zip(counts, began, strict=True))
            tell(counted=lines if gettrace() is trace and out >= into else None, size=size)
            settrace(None)
        if told_of(value) != told_of(call(again)):
            tell(noticed="another answer where steps are counted")

    def outgrows(make: Any, call: Any, count: int, steps: Any = steps) -> bool:
        for size in sizes(count):
            steps(make, call, size)
        return False

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
