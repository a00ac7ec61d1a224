"""The clock: how a worker's thinking time is charged to the station.

The world does not wait while a worker thinks. A call made at time t that costs c seconds arrives at the first control
period at or after t + c. A clock is the one rule that says how many control periods a call takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from takt.contract.events import SHIFT_ENDED, THOUGHT, Event
from takt.errors import TaktError

DEFAULT_CLOCK = "fixed:0.08"  # s of thinking a call: the default for robots
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
    """The clock called `lockstep`, `measured` or, with its cost of a call in seconds, `fixed:0.08`."""
    if text == "lockstep":
        return Lockstep()
    if text == "measured":
        return Measured()
    kind, _, cost = text.partition(":")
    try:
        cost_s = float(cost) if kind == "fixed" else math.nan
    except ValueError:
        cost_s = math.nan
    if not 0 <= cost_s < math.inf:
        raise TaktError(f"no clock is called {text!r}; use lockstep, measured or fixed:SECONDS, as in fixed:0.08")
    if cost_s > LONGEST_S:
        raise TaktError(f"a call cannot cost {cost_s:g} s; {LONGEST_S:g} s are the most")
    return Fixed("fixed:" + repr(cost_s).removesuffix(".0"), cost_s)


def _periods(cost_s: float, control_s: float) -> int:
    # 0.07 / 0.01 is 7.000000000000001: a millionth of a period is noise, not time.
    return max(0, math.ceil(cost_s / control_s - 1e-6))
