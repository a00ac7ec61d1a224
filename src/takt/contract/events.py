"""Events: what happened at a station, and when. A shift is nothing but these, in order.

Everything Takt prints about a shift is derived from its events by a pure function, so the names below are the whole
vocabulary that `kpi`, `verdict`, `report` and a station must share. A station may emit kinds of its own as well
(`nut_dropped`, say); nothing outside the station counts on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

# Written by the loop (shift/loop.py).
SHIFT_STARTED = "shift_started"  # data: see shift/definition.py; the first event of every ledger
SHIFT_ENDED = "shift_ended"  # data: reason = "time" | "units" | "verdict" | "broken_plan" | "worker_done"; why
THOUGHT = "thought"  # data: calls, seconds (of station time); one for each unit that ends
WHILE_OPEN = "while_open"  # in its data, and in no digest: calls and seconds of those asked while a unit was open
FOR_PEOPLE = "for_people"  # in a station's data, and in no digest: an object of what people are told of it besides
SAID = "said"  # data: whatever the worker says about its work, `Recording.records` (worker.py)

# Written by the station.
UNIT_DUE = "unit_due"  # the unit is there to be worked on (fixture in place, group at the desk)
UNIT_GOOD = "unit_good"  # data: cycle_s, parts, first_time
UNIT_BAD = "unit_bad"  # data: cycle_s (None if never finished), parts, reasons
UNIT_ENDED = (UNIT_GOOD, UNIT_BAD)
REFUSED = "refused"  # data: tool, code; a tool call that was answered with an error

BEAT, ARRIVALS, FREE = "beat", "arrivals", "free"  # how units fall due: `StationSpec.pace`

# Written by either: a fault begins and ends; help is called and comes.
FAULT = "fault"  # data: name, origin, stops
FAULT_CLEARED = "fault_cleared"  # data: name, origin, stops
HELP_CALLED = "help_called"  # data: why
WORKER_RAISED = "worker_raised"  # the name of the loop's own fault: a worker that raises


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    t_s    seconds of station time since the shift began.
    kind   one of the names above, or a station's own.
    unit   the unit it belongs to, counted from 0; None for what belongs to no unit.
    data   JSON values only (str, int, float, bool, None, list, dict). Units in the keys (`cycle_s`, `peak_push_n`).
           What stands under FOR_PEOPLE explains it, is judged by nobody and may be added to a station later.

    `unit_good` and `unit_bad` carry

    cycle_s      seconds from due to finished by the worker; None if the worker never finished.
    parts        a map part name -> {"good": bool, ...}: "left" and "right" at the nut cell, {} if a unit is whole.
    reasons      (bad only) the failure classes, the first one the main one.
    first_time   (good only) False if it was good only after rework (ISO 22400-2 counts it out of first pass yield).

    `fault` and `fault_cleared` carry

    name     which fault; one of the station's `spec.faults`, or WORKER_RAISED.
    origin   "station" (the cell itself), "worker" (the policy or agent), "harness" (Takt or its servers).
    stops    True if work cannot go on meanwhile: the time until it clears is downtime.
    """

    t_s: float
    kind: str
    unit: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def unit_ended(
    at_s: float, unit: int, reasons: Sequence[str], cycle_s: float | None, parts: Mapping[str, Any] | None = None
) -> Event:
    """The event of a unit that ends at this time: good if there are no reasons against it, at the first attempt.

    cycle_s   seconds from due to finished by the worker; None if the worker never finished.
    """
    told: dict[str, Any] = {"cycle_s": cycle_s, "parts": dict(parts or {})}
    if reasons:
        return Event(at_s, UNIT_BAD, unit, told | {"reasons": list(reasons)})
    return Event(at_s, UNIT_GOOD, unit, told | {"first_time": True})


def stopping_early(events: Sequence[Event], meta: Mapping[str, Any]) -> Sequence[Event]:
    """The events of a shift, for a look at it while it has not ended: where it is to end as soon as the verdict is in
    (`stop_early`) or its station has no further unit (`finite`), which its ledger's meta says and no event does, its
    start says so, too. What is judged is then what it would be judged by if it stopped here. Digests are of the events
    without that."""
    told = {key: meta[key] for key in ("stop_early", "finite") if meta.get(key)}
    if not told or (events and events[-1].kind == SHIFT_ENDED):
        return events
    data: Any = copy(next((e.data for e in events if e.kind == SHIFT_STARTED), {}))  # of the class that it has
    data.update(told)
    return [replace(event, data=data) if event.kind == SHIFT_STARTED else event for event in events]
