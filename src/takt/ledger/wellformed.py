"""What is read from a ledger, checked: are these the words that a shift writes, each of the kind that it must be?

Everything behind this (figures, pages, replays) counts on it. ValueError, in a few words, for what is not so. A key
that is not there is no fault by itself, for ledgers grow; who needs it and asks gets a `Missing`, one line like any.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    HELP_CALLED,
    REFUSED,
    SHIFT_ENDED,
    SHIFT_STARTED,
    THOUGHT,
    UNIT_BAD,
    UNIT_GOOD,
    WHILE_OPEN,
    Event,
)
from takt.errors import TaktError
from takt.plainly import plainly

LONGEST_TEXT = 32 * 2**20  # characters of one event, or one entry of the meta: as a value may have (`intact.py`)
LONGEST_KIND = 100
DEEPEST = 100  # lists and objects inside one another
LATEST_S = 1e10  # 300 years of station time
MOST = 10**9  # units, periods
LONGEST_NUMBER = 60  # digits; seeds have up to 128 bits


class Missing(TaktError, KeyError):
    """A ledger lacks what is needed. A KeyError too, so that `get`, templates and the like take it for what it is."""

    def __str__(self) -> str:
        return str(self.args[0])


class Told(dict[str, Any]):
    """An object of a ledger (`of`: which one). What is not in it is said to be missing from there."""

    __slots__ = ("of",)

    def __init__(self, told: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), of: object = None) -> None:
        super().__init__(told)
        self.of = of

    def __missing__(self, key: str) -> Any:
        raise Missing(f"{self.of or 'the ledger'} is damaged: something in it lacks {key!r}")


def read_meta(rows: list[tuple[Any, Any]], of: object = None) -> dict[str, Any]:
    """The meta, from its rows of key and JSON."""
    meta = Told((), of)
    for key, value in rows:
        if not isinstance(key, str) or not key.isprintable() or len(key) > LONGEST_KIND:
            raise ValueError("a key of the meta is no text")
        meta[key] = _json(value)
    _check("the meta", META, meta)
    return meta


def read_event(t_s: Any, kind: Any, unit: Any, data: Any, of: object = None) -> Event:
    """One event, from its row."""
    if not _time(t_s):
        raise ValueError("an event has no time")
    if not isinstance(kind, str) or not kind.isprintable() or len(kind) > LONGEST_KIND:
        raise ValueError("an event is of no kind")
    if unit is not None and not _count(unit):
        raise ValueError(f"an event {kind!r} is of no unit")
    told = read_record(data, of)
    if kind in KINDS:
        _check(f"an event {kind!r}", KINDS[kind], told)
    return Event(float(t_s), kind, unit, told)


def read_record(text: Any, of: object = None) -> Told:
    """A JSON object."""
    found = _json(text)
    if not isinstance(found, dict):
        raise ValueError("something in it is no object")
    return Told(found, of)


def _json(text: Any) -> Any:
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise ValueError("something in it is no JSON, or too long")
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise ValueError(f"something in it is more than {DEEPEST} objects deep")
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"something in it is no JSON: {plainly(error)}") from error


def _depth(text: str) -> int:
    """How deep lists and objects lie in one another."""
    deepest = depth = 0
    for mark in re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text):
        depth += 1 if mark in "[{" else -1 if mark in "]}" else 0
        deepest = max(deepest, depth)
    return deepest


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number is too long")
    return int(text)


Rule = Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -1e15 <= value <= 1e15


def _time(value: Any) -> bool:
    return _number(value) and 0 <= value <= LATEST_S


def _positive(value: Any) -> bool:
    return _number(value) and 1e-9 <= value <= LATEST_S


def _share(value: Any) -> bool:
    return _number(value) and 0 <= value <= 1


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def _seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _or_none(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


def _all(rule: Rule) -> Rule:
    return lambda value: isinstance(value, list) and all(rule(part) for part in value)


def _with(**rules: Rule) -> Rule:
    """An object that has at least these."""
    return lambda value: (
        isinstance(value, dict) and all(key in value and rule(value[key]) for key, rule in rules.items())
    )


def _part(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("good", False), bool)


def _parts(value: Any) -> bool:
    return isinstance(value, dict) and all(_part(part) for part in value.values())


_FAULTS = _all(lambda value: _with(name=_text, at_s=_time, for_s=_time)(value) and len(value) == 3)
DEFINES: dict[str, Rule] = {
    "station": _text,
    "options": _object,
    "worker": _text,
    "worker_options": _object,
    "seed": _seed,
    "clock": _text,
    "faults": _FAULTS,
    "hours": _or_none(_positive),
    "units": _or_none(_count),
}
META: dict[str, Rule] = {
    **DEFINES,
    "stop_early": _flag,
    "isolate": _flag,
    "call_timeout_s": _or_none(_positive),
    "rules": _count,
    "world": _or_none(_count),
    "worker_seed": _text,
    "wall_s": _time,
    "lag_s": _time,
    "begun_utc": _text,
    "machine": _object,
    "packages": _object,
    "signatures": _all(_text),
}
_ENDED: dict[str, Rule] = {"cycle_s": _or_none(_time), "parts": _or_none(_parts)}
_THOUGHT: dict[str, Rule] = {"calls": _count, "seconds": _time}
_FAULT: dict[str, Rule] = {"name": _text, "origin": _text, "stops": _flag, "error": _text}
KINDS: dict[str, dict[str, Rule]] = {
    SHIFT_STARTED: {
        **DEFINES,
        "takt_s": _positive,
        "control_s": _positive,
        "acceptance": _or_none(_with(good_rate=_share, cycle_s=_or_none(_positive), quantile=_share)),
        "parts": _or_none(_all(_text)),
        "privileged": _flag,
        "stops": _or_none(_all(_text)),
    },
    SHIFT_ENDED: {"reason": _text, "why": _text, "error": _text, "periods": _all(_count)},
    THOUGHT: {**_THOUGHT, "periods": _all(_count), WHILE_OPEN: _with(**_THOUGHT)},
    UNIT_GOOD: {**_ENDED, "first_time": _flag},
    UNIT_BAD: {**_ENDED, "reasons": _or_none(_all(_text))},
    REFUSED: {"tool": _text, "code": _text},
    FAULT: _FAULT,
    FAULT_CLEARED: _FAULT,
    HELP_CALLED: {"why": _text},
}


def _check(what: str, rules: Mapping[str, Rule], told: Mapping[str, Any]) -> None:
    for key, rule in rules.items():
        if key in told and not rule(told[key]):
            raise ValueError(f"{what} has a {key} that cannot be")
