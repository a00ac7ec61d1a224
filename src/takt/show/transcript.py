"""What a worker was told, said and did, unit by unit: the ledger's `said` records and events as lines for people.

A pure function of the events, for any worker that records its work (`takt.Recording`): a language model's
exchanges, an MCP client's or a person's calls, a policy server's troubles. What is said is a stranger's text: it is
data here, shortened on request, and never markup. An answer belongs to the call that it answers, so it is told with the
unit which that call was about, though a model reads it in its next request only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    SAID,
    THOUGHT,
    UNIT_DUE,
    UNIT_ENDED,
    Event,
)
from takt.contract.figure import counted
from takt.contract.worker import SO_FAR
from takt.draw.words import hms
from takt.judge.outcomes import Outcomes
from takt.judge.spans import faults_of_unit, open_from_to

STATION, WORKER, TOLD, NOTE, EVENT = "station", "worker", "told", "note", "event"
NO_CALLS = ("says", "thinks", "controls")  # of what a worker's line may be
SHORT = 400  # characters of a text that is shortened
_CALL_ID = re.compile(r"call_(\d{1,12})_\d{1,6}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript.

    t_s    None where it is not known: of what was done since a unit last ended in a shift that was left there.
    who    WORKER: it said or did this. STATION: what a call returned. TOLD: what else the worker was told. NOTE: what
           is to be known of an exchange (tokens, time, trouble). EVENT: an event of the ledger.
    what   a few words: the name of a call, the kind of an event.
    text   in full.
    """

    t_s: float | None
    unit: int | None
    who: str
    what: str
    text: str

    def short(self, most: int = SHORT) -> str:
        return shortened(self.text, most)


def shortened(text: str, most: int = SHORT) -> str:
    """The beginning of a text, and how much more there is."""
    return text if len(text) <= most else f"{text[:most].rstrip()} … [{len(text) - most:,} more characters]"


def transcript(events: Iterable[Event]) -> list[Line]:
    """All lines of a shift, in the ledger's order."""
    lines: list[Line] = []
    unit_of_exchange: dict[int, int | None] = {}
    for event in events:
        if event.kind == SAID:
            number = event.data.get("number")
            if isinstance(number, int):
                unit_of_exchange[number] = event.unit
            lines += _said(event, unit_of_exchange)
        elif event.kind != THOUGHT:
            lines.append(Line(event.t_s, event.unit, EVENT, event.kind, _json(event.data) if event.data else ""))
    return lines


def unfinished(journal: Iterable[tuple[int, Mapping[str, Any]]], events: Sequence[Event]) -> list[Line]:
    """What was done after the last unit that ended, of a shift that was left there: it stands in the journal, without
    its times, and is told with the unit that was open. Not what is among the events, as last shown of that unit."""
    told = {event.data.get("number") for event in events if event.kind == SAID}
    records = [(number, record) for number, record in journal if number not in told and not record.get(SO_FAR)]
    if not records or not events:
        return []
    ended = {event.unit for event in events if event.kind in UNIT_ENDED}
    open_units = [event.unit for event in events if event.kind == UNIT_DUE and event.unit not in ended]
    unit, last_s = open_units[0] if len(open_units) == 1 else None, events[-1].t_s
    since = f"{counted(len(records), 'record')} since then, of a unit that has not ended; when is not known"
    lines = [Line(last_s, unit, NOTE, "journal", since)]
    units: dict[int, int | None] = {number: unit for number, _ in records}
    for _, record in records:
        lines += (replace(line, t_s=None) for line in _said(Event(last_s, SAID, unit, dict(record)), units))
    return lines


def of_unit(lines: Sequence[Line], events: Sequence[Event], unit: int) -> list[Line]:
    """The lines about one unit; also those about none, such as a look at the queue, and of all faults, while it was
    open. A fault that was there when it fell due comes first."""
    times = open_from_to(events, unit)
    if times is None:
        return []
    mine = [line for line in lines if is_about(unit, line.unit, _kind(line), line.t_s, times)]
    at = next((place for place, line in enumerate(mine) if _kind(line) == UNIT_DUE), -1) + 1
    there = [Line(e.t_s, unit, EVENT, e.kind, _json(e.data)) for e in there_already(events, unit)]
    return [*mine[:at], *there, *mine[at:]]


def is_unanswered(lines: Iterable[Line]) -> bool:
    """Whether calls are among these, and nothing of what any of them returned: a person's answers are not recorded."""
    who = {line.who for line in lines if line.who == STATION or (line.who == WORKER and line.what not in NO_CALLS)}
    return who == {WORKER}


def _kind(line: Line) -> str:
    """Of an event; "" of what was said or done."""
    return line.what if line.who == EVENT else ""


def is_about(unit: int, of: int | None, kind: str, t_s: float | None, times: tuple[float, float]) -> bool:
    """Whether what happened to `of` at `t_s` belongs to what is told of a unit that was open at `times`: what is its
    own, and of what is no unit's, and of faults, what came in that time."""
    anybodys = of is None or kind in (FAULT, FAULT_CLEARED)
    return of == unit or (anybodys and times[0] <= (math.inf if t_s is None else t_s) <= times[1])


def there_already(events: Sequence[Event], unit: int) -> list[Event]:
    """The faults that were there when a unit fell due, as its own: what they did to it began before it did."""
    due_s = next((e.t_s for e in events if e.unit == unit and e.kind == UNIT_DUE), None)
    if due_s is None:
        return []
    return [
        Event(due_s, FAULT, unit, {"name": s.name, "origin": s.origin, "stops": s.stops, "since": hms(s.start_s)})
        for s in faults_of_unit(events, unit)
        if s.start_s < due_s
    ]


def chosen_units(events: Iterable[Event], bad: bool, reason: str | None) -> tuple[list[int], list[int]]:
    """The units that are bad, or bad for this reason, in the order in which they fell due: those that are judged, and
    those that the end of the shift cuts off."""
    outcomes = Outcomes.of(events)
    judged = {unit.number for unit in outcomes.judged}
    found: tuple[list[int], list[int]] = [], []
    for unit in outcomes.units:
        reasons = [str(one) for one in unit.data.get("reasons") or ["unstated"]]
        if unit.good is False and ((bad and reason is None) or reason in reasons):
            found[unit.number not in judged].append(unit.number)
    return found


def _said(event: Event, unit_of_exchange: Mapping[int, int | None]) -> Iterator[Line]:
    """The lines of one record, whatever worker wrote it."""
    data, t_s, unit = event.data, event.t_s, event.unit
    known = False
    for message in _objects(data.get("added")):
        known = True
        yield _told(message, t_s, unit, unit_of_exchange)
    if data.get("reasoning"):
        yield Line(t_s, unit, WORKER, "thinks", str(data["reasoning"]))
    if data.get("text"):
        yield Line(t_s, unit, WORKER, "says", str(data["text"]))
    calls = [*_pairs(data.get("calls")), *_pairs([data["call"]] if "call" in data else ())]
    for name, arguments in calls:
        known = True
        yield Line(t_s, unit, WORKER, name, arguments)
    for name, result in _pairs([data["answer"]] if "answer" in data else ()):  # to a person's call
        known = True
        of = data.get("of")
        yield Line(t_s, unit_of_exchange.get(of, unit) if isinstance(of, int) else unit, STATION, name, result)
    if isinstance(data.get("controls"), Mapping):  # a person's hands
        known = True
        held = ", ".join(f"{name} {value}" for name, value in data["controls"].items()) or "let go"
        yield Line(t_s, unit, WORKER, "controls", held)
    if "message" in data:
        known = True
        if data["message"] is None:
            yield Line(
                t_s, unit, NOTE, "no answer", "; ".join(str(f.get("text")) for f in _objects(data.get("failed")))
            )
    noted = _notes(data)
    if noted:
        yield Line(t_s, unit, NOTE, "exchange" if known else "note", noted)
    elif not known:
        yield Line(t_s, unit, NOTE, "record", _json(data))


def _told(message: Mapping[str, Any], t_s: float, unit: int | None, units: Mapping[int, int | None]) -> Line:
    role, content = str(message.get("role")), message.get("content")
    text = content if isinstance(content, str) else _json(content)
    if role != "tool":
        return Line(t_s, None if role == "system" else unit, TOLD, role, text)
    match = _CALL_ID.fullmatch(str(message.get("tool_call_id")))
    about = units.get(int(match[1]), unit) if match else unit
    name = "answer"
    try:
        found = json.loads(text)
        name = str(found["result"]["tool"])
        text = _json(found["result"])
    except (ValueError, TypeError, LookupError, RecursionError):
        pass  # it is no answer of ours, or was cut: shown as it is
    return Line(t_s, about, STATION, name, text)


def _notes(data: Mapping[str, Any]) -> str:
    """What is to be known of an exchange, in a few words."""
    parts = []
    usage = data.get("usage")
    if isinstance(usage, Mapping) and usage:
        parts.append(f"{usage.get('prompt_tokens', 0)} + {usage.get('completion_tokens', 0)} tokens")
    if isinstance(data.get("took_s"), (int, float)):
        parts.append(f"{data['took_s']:g} s")
    if isinstance(data.get("price"), (int, float)) and data["price"]:
        parts.append(f"price {data['price']:.6g}")
    if data.get("odd"):
        parts.append("odd: " + ", ".join(str(one) for one in data["odd"]))
    failed = list(_objects(data.get("failed")))
    if failed:
        parts.append("failed first: " + ", ".join(str(one.get("kind")) for one in failed))
    for key, words in (
        ("nudge", "nudged"),
        ("dropped", "earlier exchanges left out"),
        ("cut_chars", "characters cut"),
        ("forgotten", "exchanges forgotten"),
        ("periods", "control periods without a call"),
        ("page", "page"),
        ("gone", "gone"),
        ("left", "left"),
        ("client", "client"),
    ):
        if data.get(key):
            parts.append(f"{words}: {data[key]}")
    return "; ".join(parts)


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in value if isinstance(one, Mapping)) if isinstance(value, (list, tuple)) else iter(())


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    """Calls as name and arguments."""
    for one in value if isinstance(value, (list, tuple)) else ():
        if isinstance(one, (list, tuple)) and len(one) == 2:
            yield str(one[0]), one[1] if isinstance(one[1], str) else _json(one[1])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
