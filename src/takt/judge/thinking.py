"""How often a worker was asked to act, and what of station time that took: with a unit open, and while it waited.

Which of the two a call was is told by ledgers since `WHILE_OPEN`; of an older one all is told together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from takt.contract.events import THOUGHT, WHILE_OPEN, Event


@dataclass(frozen=True, slots=True)
class Asked:
    """Calls of the worker, and seconds of station time charged for them."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Thinking:
    """Of the units that have ended.

    every    all calls, until the last of them ended.
    at_work  those made while a unit was open, any; None if the ledger does not say. `waiting`: the rest.
    """

    units: int
    every: Asked
    at_work: Asked | None

    @classmethod
    def of(cls, events: Iterable[Event]) -> Thinking:
        found = [(all_of(e.data), at_work_of(e.data)) for e in events if e.kind == THOUGHT]
        told = [at_work for _, at_work in found if at_work is not None]
        known = len(told) == len(found)
        return cls(len(found), _sum(every for every, _ in found), _sum(told) if found and known else None)

    @property
    def waiting(self) -> Asked | None:
        at_work = self.at_work
        if at_work is None:
            return None
        return Asked(self.every.calls - at_work.calls, self.every.seconds - at_work.seconds)

    @property
    def for_units(self) -> Asked:
        """What figures a unit are of: those at work, and all where that is not told."""
        return self.every if self.at_work is None else self.at_work


def all_of(thought: Mapping[str, Any]) -> Asked:
    """Of a unit's record: since a unit had last ended."""
    return Asked(int(_number(thought.get("calls"))), float(_number(thought.get("seconds"))))


def at_work_of(thought: Mapping[str, Any]) -> Asked | None:
    """Those of them that were made while a unit was open: no more than all, whatever a ledger says."""
    told, every = thought.get(WHILE_OPEN), all_of(thought)
    if not isinstance(told, Mapping):
        return None
    found = all_of(told)
    return Asked(min(found.calls, every.calls), min(found.seconds, every.seconds))


def _number(value: Any) -> int | float:
    """0 for what is none: any ledger's."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else 0


def _sum(some: Iterable[Asked]) -> Asked:
    found = list(some)
    return Asked(sum(one.calls for one in found), sum(one.seconds for one in found))
