"""Stretches of a shift's time: the faults of its events, what they have in common, how long they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from takt.contract.events import FAULT, FAULT_CLEARED, UNIT_DUE, UNIT_ENDED, Event


@dataclass(frozen=True, slots=True)
class Span:
    """A fault from its beginning to its end."""

    start_s: float
    end_s: float
    name: str
    origin: str
    stops: bool


def fault_spans(events: Iterable[Event], end_s: float) -> list[Span]:
    """Each fault from `fault` to its `fault_cleared`; one still running at the end lasts until `end_s`."""
    open_: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    spans = []
    for e in events:
        if e.kind not in (FAULT, FAULT_CLEARED):
            continue
        key = (str(e.data["name"]), str(e.data.get("origin", "station")))
        if e.kind == FAULT:
            open_.setdefault(key, []).append((e.t_s, bool(e.data.get("stops", False))))
        elif open_.get(key):
            start_s, stops = open_[key].pop(0)
            spans.append(Span(start_s, e.t_s, *key, stops))
    spans += [Span(start_s, end_s, *key, stops) for key, left in open_.items() for start_s, stops in left]
    return sorted(spans, key=lambda s: s.start_s)


def open_from_to(events: Sequence[Event], unit: int) -> tuple[float, float] | None:
    """When a unit fell due and when it ended: never, if it has not. None if there is none."""
    due = [e.t_s for e in events if e.unit == unit and e.kind in (UNIT_DUE, *UNIT_ENDED)]
    if not due:
        return None
    return due[0], due[-1] if any(e.unit == unit and e.kind in UNIT_ENDED for e in events) else math.inf


def faults_of_unit(events: Sequence[Event], unit: int) -> list[Span]:
    """The faults that were there at any time while a unit was open, also those from before it fell due."""
    times = open_from_to(events, unit)
    if times is None:
        return []
    end_s = max(e.t_s for e in events)
    over_s = min(times[1], end_s)
    return [span for span in fault_spans(events, end_s) if span.start_s < over_s and span.end_s > times[0]]


def merged(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The union of intervals: those that overlap or touch become one."""
    union: list[tuple[float, float]] = []
    for start, end in sorted(intervals):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((start, end))
    return union


def length(intervals: Iterable[tuple[float, float]]) -> float:
    return float(sum(end - start for start, end in intervals))


def overlaps(intervals: Sequence[tuple[float, float]], start_s: float, end_s: float) -> bool:
    return any(a < end_s and b > start_s for a, b in intervals)


def common(one: Sequence[tuple[float, float]], two: Sequence[tuple[float, float]]) -> float:
    """Seconds that are in both unions of intervals."""
    found, i, j = 0.0, 0, 0
    while i < len(one) and j < len(two):
        found += max(0.0, min(one[i][1], two[j][1]) - max(one[i][0], two[j][0]))
        i, j = (i + 1, j) if one[i][1] <= two[j][1] else (i, j + 1)
    return found
