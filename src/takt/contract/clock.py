"""The clock: how a worker's thinking time is charged to the station.

The world does not wait while a worker thinks. A call made at time t that costs c seconds arrives at the first control
period at or after t + c. A clock is the one rule that says how many control periods a call takes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from takt.contract.events import SHIFT_ENDED, THOUGHT, Event
from takt.errors import TaktError

DEFAULT_CLOCK = "fixed:0.08"  # s of thinking a call: the default for robots
SLOWEST, FASTEST = 0.05, 100.0  # of a live clock: seconds of station time a second
BEHIND_S = 0.25  # of wall time: a station that is further behind than this goes on from there
LONGEST_S = 1e6  # of station time that a call may cost: eleven days


class Clock(Protocol):
    """`text` is what the clock is called on the command line; `measures` says that its costs must be written down."""

    @property
    def text(self) -> str: ...

    @property
    def measures(self) -> bool: ...

    def periods(self, wall_s: float, control_s: float) -> int:
        """Control periods until the plan of a call that took `wall_s` seconds arrives."""
        ...


@dataclass(frozen=True)
class Lockstep:
    """Thinking is free. What every other benchmark does; for comparison."""

    text: str = "lockstep"
    measures: bool = False

    def periods(self, wall_s: float, control_s: float) -> int:
        return 0


@dataclass(frozen=True)
class Fixed:
    """Every call costs `cost_s` seconds of station time."""

    text: str
    cost_s: float
    measures: bool = False

    def periods(self, wall_s: float, control_s: float) -> int:
        return _periods(self.cost_s, control_s)


@dataclass(frozen=True)
class Measured:
    """Every call costs the wall time it really took, or what its plan says it took (`Plan.took_s`)."""

    text: str = "measured"
    measures: bool = True

    def periods(self, wall_s: float, control_s: float) -> int:
        return _periods(wall_s, control_s)


class Live:
    """The loop keeps station time and wall time together, `speed` seconds of the one to a second of the other, whether
    the worker acts or not: for a person. A call costs nothing, for the world goes on meanwhile by itself.

    A machine that is too slow for that makes station time late. It is not made up for: `lag_s` is the wall time, in
    seconds, by which the station was late in all, and goes into the ledger's meta.
    """

    measures = False

    def __init__(self, text: str, speed: float = 1.0) -> None:
        self.text, self.speed, self.lag_s = text, speed, 0.0
        self._from: tuple[float, float] | None = None  # wall time and station time that belong together

    def periods(self, wall_s: float, control_s: float) -> int:
        return 0

    def pace(self, now_s: float) -> None:
        """Wait until the wall's clock has come to where the station's is."""
        wall_s = time.monotonic()
        if self._from is None:
            self._from = wall_s, now_s
            return
        due_s = self._from[0] + (now_s - self._from[1]) / self.speed
        if due_s > wall_s:
            time.sleep(due_s - wall_s)
        elif wall_s - due_s > BEHIND_S:
            self.lag_s += wall_s - due_s
            self._from = wall_s, now_s

    def skip(self) -> None:
        """What was done before is done again: station time is not kept to the wall's until it is paced again."""
        self._from = None


class Recorded:
    """A measured clock played back: call by call what was measured then, so that the same shift comes out."""

    text = "measured"
    measures = True

    def __init__(self, events: Iterable[Event]) -> None:
        self._costs = iter(
            [cost for event in events if event.kind in (THOUGHT, SHIFT_ENDED) for cost in event.data.get("periods", ())]
        )

    def periods(self, wall_s: float, control_s: float) -> int:
        try:
            return int(next(self._costs))
        except StopIteration:
            raise TaktError("the worker was called more often than when this shift was measured") from None


def parse_clock(text: str) -> Clock:
    """The clock called `lockstep`, `measured`, `fixed:0.08` (its cost of a call in seconds), `live` or `live:0.5`."""
    if text == "lockstep":
        return Lockstep()
    if text == "measured":
        return Measured()
    kind, _, cost = text.partition(":")
    if kind == "live":
        return _live(text, cost)
    try:
        cost_s = float(cost) if kind == "fixed" else math.nan
    except ValueError:
        cost_s = math.nan
    if not 0 <= cost_s < math.inf:
        raise TaktError(f"no clock is called {text!r}; use lockstep, measured, live or fixed:SECONDS, as in fixed:0.08")
    if cost_s > LONGEST_S:
        raise TaktError(f"a call cannot cost {cost_s:g} s; {LONGEST_S:g} s are the most")
    return Fixed("fixed:" + repr(cost_s).removesuffix(".0"), cost_s)


def _live(text: str, speed: str) -> Live:
    try:
        times = float(speed) if text != "live" else 1.0
    except ValueError:
        times = math.nan
    if not SLOWEST <= times <= FASTEST:
        raise TaktError(f"no clock is called {text!r}; a live one runs {SLOWEST:g} to {FASTEST:g} times, as live:0.5")
    return Live("live" if times == 1.0 else f"live:{times:g}", times)


def _periods(cost_s: float, control_s: float) -> int:
    # 0.07 / 0.01 is 7.000000000000001: a millionth of a period is noise, not time.
    return max(0, math.ceil(cost_s / control_s - 1e-6))
