"""Shifts beside each other: why units were bad, which units only one did, and everything that differs in how they ran.

Pure functions of events, for workers that worked the same units; nothing here is a verdict.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takt.contract.events import SHIFT_STARTED, UNIT_BAD, UNIT_GOOD, Event

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
    """The main reasons of bad units and how often each worker's were so, the most frequent first."""
    counts = {name: Counter(_ended(of, UNIT_BAD).values()) for name, of in shifts.items()}
    total: Counter[str] = sum(counts.values(), Counter())
    return [(reason, {name: counts[name][reason] for name in shifts}) for reason, _ in total.most_common()]


def only_one(shifts: Shifts, a: str, b: str) -> tuple[list[Only], list[Only]]:
    """The units that only `a` did, and those that only `b` did, of those that both ended; by seed and number."""
    good = {name: _ended(shifts[name], UNIT_GOOD) for name in (a, b)}
    bad = {name: _ended(shifts[name], UNIT_BAD) for name in (a, b)}
    return (
        [Only(*key, bad[b][key]) for key in sorted(good[a].keys() & bad[b].keys())],
        [Only(*key, bad[a][key]) for key in sorted(good[b].keys() & bad[a].keys())],
    )


def differing(shifts: Shifts) -> list[Differing]:
    """What `shift_started` says that is not the same for all, options one by one. Seeds are those of all its shifts."""
    told = {name: _told([_started(events) for events in of]) for name, of in shifts.items()}
    keys = dict.fromkeys(key for mine in told.values() for key in mine)
    rows = [Differing(key, {name: mine.get(key, "–") for name, mine in told.items()}) for key in keys]
    return [row for row in rows if len(set(row.values.values())) > 1]


def _ended(of: Sequence[Iterable[Event]], kind: str) -> dict[tuple[int, int], str]:
    """Units that ended so, by seed and number, with their main reason."""
    found = {}
    for events in of:
        log = tuple(events)
        seed = _started(log).get("seed")
        for event in log:
            if event.kind == kind and event.unit is not None:
                reason = str((event.data.get("reasons") or [UNSTATED])[0])
                found[int(seed) if isinstance(seed, int) else 0, event.unit] = reason
    return found


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
