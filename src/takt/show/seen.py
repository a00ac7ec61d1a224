"""Bad units of a worker that calls tools, grouped by what it was shown and what it did then.

What an answer shows that matters is said in the station's `reasons.toml` (`takt.show.reasons`), as data:

    [rule_broken.shown]
    field = "hotel_due"                              a field of what an answer lists, true or not empty: it was shown
    same = "legs.flight"                             of the entry that was chosen, as the call has it; may be left out
    yes.en = "hotel due was shown, booked without"
    no.en = "booked without a look at what is due"

A pure function of the events. Where answers are not in the ledger (an MCP client's, a person's), only what was done is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takt.contract.events import SAID, SHIFT_STARTED, UNIT_BAD, Event
from takt.show.reasons import shown_rule
from takt.show.transcript import STATION, WORKER, Line, transcript

NOTHING_DONE = {"en": "no call was made for it", "zh": "没有为其调用任何工具"}
LAST_CALL = {"en": "last call: {n}", "zh": "最后的调用：{n}"}
DEEPEST = 12  # levels of an answer that are looked through


@dataclass(frozen=True, slots=True)
class Group:
    """Units that are bad for the same reason, after the same was shown and done."""

    reason: str
    words: str
    units: tuple[int, ...]


def seen_and_done(events: Sequence[Event], station: str | None = None, language: str = "en") -> list[Group]:
    """The groups, the largest first; [] for a worker that records no calls. `station`: None for the shift's own."""
    if not any(event.kind == SAID for event in events):
        return []
    if station is None:
        station = next((str(e.data.get("station", "")) for e in events if e.kind == SHIFT_STARTED), "")
    lines: dict[int, list[Line]] = {}
    for line in transcript(events):
        if line.unit is not None and line.who in (WORKER, STATION):
            lines.setdefault(line.unit, []).append(line)
    if not any(line.who == WORKER and _object(line.text) is not None for mine in lines.values() for line in mine):
        return []
    found: dict[tuple[str, str], list[int]] = {}
    for event in events:
        if event.kind == UNIT_BAD and event.unit is not None:
            reason = str((event.data.get("reasons") or ["unstated"])[0])
            words = _words(station, reason, lines.get(event.unit, []), event.t_s, language)
            found.setdefault((reason, words), []).append(event.unit)
    groups = [Group(reason, words, tuple(units)) for (reason, words), units in found.items()]
    return sorted(groups, key=lambda group: -len(group.units))


def _words(station: str, reason: str, lines: Sequence[Line], ended_s: float, language: str) -> str:
    calls = [(place, line) for place, line in enumerate(lines) if line.who == WORKER and (line.t_s or 0.0) <= ended_s]
    calls = [(place, line) for place, line in calls if _object(line.text) is not None]
    if not calls:
        return NOTHING_DONE[language]
    place, last = calls[-1]
    done = LAST_CALL[language].format(n=last.what)
    answers = [line for line in lines[:place] if line.who == STATION]
    rule = shown_rule(station, reason)
    if rule is None or not any(line.who == STATION for line in lines):
        return done
    said = rule["yes"] if _was_shown(rule, answers, _object(last.text) or {}) else rule["no"]
    words = said.get(language) or said.get("en")
    return f"{words}; {done}" if words else done


def _was_shown(rule: Mapping[str, Any], answers: Sequence[Line], call: Mapping[str, Any]) -> bool:
    """Whether an answer had the field, true or not empty; of the entry that the call chose, if it chose one."""
    path = str(rule.get("same") or "").split(".")
    chosen = _at(call, path) if path != [""] else []
    for answer in answers:
        for entry in _entries(_object(answer.text), DEEPEST):
            if rule["field"] in entry and entry[rule["field"]] and (not chosen or _at(entry, path) == chosen):
                return True
    return False


def _at(value: Any, path: Sequence[str]) -> list[Any]:
    """What lies at a path, through lists: [] if nothing does."""
    if not path:
        return [value]
    if isinstance(value, list):
        return [found for one in value for found in _at(one, path)]
    return _at(value[path[0]], path[1:]) if isinstance(value, Mapping) and path[0] in value else []


def _entries(value: Any, deep: int) -> Iterator[Mapping[str, Any]]:
    """All objects of an answer."""
    if deep and isinstance(value, Mapping):
        yield value
        for part in value.values():
            yield from _entries(part, deep - 1)
    elif deep and isinstance(value, list):
        for part in value:
            yield from _entries(part, deep - 1)


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None
