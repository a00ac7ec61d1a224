"""A worker's calls on the clock of the wall: one that lasts too long is cut off, or at least said to last.

A call is cut off by an alarm signal, which Python sees between two of its instructions: a worker that waits or computes
in Python is, one that never comes back out of a library of another language is not. `--isolate` ends that one as well.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from takt.errors import TaktError

SILENT_S = 60.0  # wall time without an answer after which it is said
LOOK_S = 0.5


class Unanswered(BaseException):
    """A call that lasted too long. No Exception, so that a worker that goes on whatever happens does not catch it."""


class Calls:
    """The calls of one worker. `asked_s` is when the one that runs began, by `time.perf_counter`; 0.0 between calls.

    timeout_s   wall time that a call may last, or None for any.
    """

    def __init__(self, timeout_s: float | None = None) -> None:
        self.timeout_s, self.asked_s = timeout_s, 0.0
        if timeout_s is None:
            return
        if not 0 < timeout_s < math.inf:
            raise TaktError(f"a call cannot be given {timeout_s:g} s; give more than 0")
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            raise TaktError("calls can be cut off on Unix, in the main thread, only; leave the call timeout out")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A call runs in here. Raises Unanswered if it lasts too long."""
        self.asked_s = time.perf_counter()
        if self.timeout_s is None:
            try:
                yield
            finally:
                self.asked_s = 0.0
            return

        def late(_number: int, _frame: FrameType | None) -> None:
            if self.asked_s:
                raise Unanswered(f"gave no answer within {self.timeout_s:g} s")

        before = signal.signal(signal.SIGALRM, late)
        try:
            signal.setitimer(signal.ITIMER_REAL, self.timeout_s, self.timeout_s)
            yield
        finally:
            self.asked_s = 0.0
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)

    @contextmanager
    def said_silent(self, on_silent: Callable[[float], None] | None) -> Iterator[None]:
        """Once in here, `on_silent` is told, in another thread, that a call has lasted SILENT_S seconds."""
        if on_silent is None:
            yield
            return
        over = threading.Event()

        def look() -> None:
            while not over.wait(min(LOOK_S, SILENT_S)):
                if self.asked_s and time.perf_counter() - self.asked_s >= SILENT_S:
                    on_silent(SILENT_S)
                    return

        watcher = threading.Thread(target=look, name="takt: silent worker", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
