"""Shifts that are there, compared: for the command line and for the board, which say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takt.contract.events import Event
from takt.contract.steering import shown_options
from takt.judge.compare import compare
from takt.judge.compared_shifts import Costs, by_worker
from takt.judge.comparison import Comparison
from takt.judge.human import PERSON, Relative, human_relative


@dataclass(frozen=True, slots=True)
class Compared:
    """`shifts`: the events by the names that the workers have in `found`; `relative`: beside a person, where one is."""

    found: Comparison
    shifts: Mapping[str, Sequence[Sequence[Event]]]
    relative: Sequence[Relative]


def compared(
    shifts: Sequence[tuple[str, Sequence[Event]]], costs: Costs | None, may_differ: Sequence[str] = (), **asked: Any
) -> Compared:
    """Compare shifts, given with the names of their files. `asked`: as `takt.judge.compare.compare` takes it.

    What a person is shown at a station may differ from what a program is.
    """
    grouped = by_worker(shifts)
    started = [events[0].data for _, events in shifts]
    if any(one.get("worker") == PERSON for one in started):
        may_differ = [*may_differ, *shown_options(str(started[0].get("station")))]
    found = compare(grouped, may_differ=may_differ, costs=costs, **asked)
    return Compared(found, grouped, human_relative(grouped))
