"""Shifts beside each other: why units were bad, which units only one did, and everything that differs in how they ran.

Pure functions of events, for workers that worked the same units; nothing here is a verdict.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takt.contract.events import SHIFT_STARTED, Event
from takt.judge.compared_shifts import ComparedShift, with_lost
from takt.judge.outcomes import Outcomes

Shifts = Mapping[str, Sequence[Iterable[Event]]]
UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Only:
    """A unit that one worker did and another did not: its shift's seed, its number, and the other's main reason."""

    seed: int
    unit: int
    reason: str


@dataclass(frozen=True, slots=True)
class Differing:
    """Something that was not the same for all: its name, and its value as JSON by worker."""

    name: str
    values: Mapping[str, str]


def reasons(shifts: Shifts) -> list[tuple[str, dict[str, int]]]:
    """The main reasons of judged bad units and how often each worker's were so, the most frequent first."""
    counts = {name: Counter(reason for events in of for reason in _bad(events).values()) for name, of in shifts.items()}
    total: Counter[str] = sum(counts.values(), Counter())
    return [(reason, {name: counts[name][reason] for name in shifts}) for reason, _ in total.most_common()]


def only_one(shifts: Shifts, a: str, b: str) -> tuple[list[Only], list[Only]]:
    """The units that only `a` did, and those that only `b` did, of those that count for both and were the same work:
    `compare` counts the same. By seed and number; nothing if `compare` would refuse these."""
    found: dict[str, list[Only]] = {a: [], b: []}
    worked = {
        name: {one.started.get("seed"): (one, events) for one, events in _compared(of)} for name, of in shifts.items()
    }
    for seed in sorted(set.intersection(*(set(mine) for mine in worked.values())), key=str):
        round_ = with_lost({name: mine[seed][0] for name, mine in worked.items()})
        bad = {name: _bad(worked[name][seed][1]) for name in (a, b)}
        for unit in sorted(round_[a].good.keys() & round_[b].good.keys()):
            is_good = {name: round_[name].good[unit] for name in (a, b)}
            if is_good[a] != is_good[b] and round_[a].work.get(unit) == round_[b].work.get(unit):
                did, did_not = (a, b) if is_good[a] else (b, a)
                reason = bad[did_not].get(unit, round_[did_not].ended)
                found[did].append(Only(seed if isinstance(seed, int) else 0, unit, reason))
    return found[a], found[b]


def differing(shifts: Shifts) -> list[Differing]:
    """What `shift_started` says that is not the same for all, options one by one. Seeds are those of all its shifts."""
    told = {name: _told([_started(events) for events in of]) for name, of in shifts.items()}
    keys = dict.fromkeys(key for mine in told.values() for key in mine)
    rows = [Differing(key, {name: mine.get(key, "–") for name, mine in told.items()}) for key in keys]
    return [row for row in rows if len(set(row.values.values())) > 1]


def _compared(of: Sequence[Iterable[Event]]) -> list[tuple[ComparedShift, tuple[Event, ...]]]:
    logs = [tuple(events) for events in of]
    return [(ComparedShift.of(log), log) for log in logs]


def _bad(events: Iterable[Event]) -> dict[int, str]:
    """The judged units that were bad, with their main reason."""
    bad = [unit for unit in Outcomes.of(events).judged if unit.good is False]
    return {unit.number: str((unit.data.get("reasons") or [UNSTATED])[0]) for unit in bad}


def _started(events: Iterable[Event]) -> Mapping[str, Any]:
    return next((event.data for event in events if event.kind == SHIFT_STARTED), {})


def _told(started: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Values by name as text; of several shifts all that there are."""
    found: dict[str, list[str]] = {}
    for data in started:
        for key, value in data.items():
            inner = value.items() if isinstance(value, Mapping) else None
            for name, one in [(f"{key} {part}", of) for part, of in inner] if inner is not None else [(key, value)]:
                text = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str)
                if text not in found.setdefault(name, []):
                    found[name].append(text)
    return {name: ", ".join(texts) for name, texts in found.items()}
