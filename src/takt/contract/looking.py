"""What the rules of `takt check` look with: a stretch of a shift, an event, a tool, and where two things differ."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces

from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    HELP_CALLED,
    REFUSED,
    UNIT_BAD,
    UNIT_ENDED,
    UNIT_GOOD,
    Event,
)
from takt.contract.foreign import one_line
from takt.contract.station import Fault, Station, StationSpec
from takt.ledger.pack import pack

SEED = 20_26
MANY_STEPS = 1_000  # control periods; rules that follow units, or memory, look at some times as many
Open = Callable[..., Station]  # with options to go before the usual ones
NEEDED: dict[str, dict[str, tuple[type, ...]]] = {  # data of the events that everybody counts on
    UNIT_GOOD: {"cycle_s": (float, int, type(None)), "parts": (dict,), "first_time": (bool,)},
    UNIT_BAD: {"cycle_s": (float, int, type(None)), "parts": (dict,), "reasons": (list,)},
    FAULT: {"name": (str,), "origin": (str,), "stops": (bool,)},
    FAULT_CLEARED: {"name": (str,), "origin": (str,), "stops": (bool,)},
    HELP_CALLED: {"why": (str,)},
    REFUSED: {"tool": (str,), "code": (str,)},
}


class Broken(Exception):
    """A rule is not kept. Its text says what is wrong and what to do."""


@dataclass
class Walk:
    """A stretch of a shift: what was done, seen and told in each control period."""

    actions: list[Any] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    by_step: list[list[Event]] = field(default_factory=list)


def need(kept: bool, otherwise: str) -> None:
    if not kept:
        raise Broken(otherwise)


def walked(
    station: Station, steps: int, actions: Iterator[Any] | None, faults: Sequence[Fault] = (), begun: bool = False
) -> Walk:
    """Step so often: with these actions, or with `hold`. From the beginning of a shift, unless it has `begun`."""
    walk = Walk()
    if not begun:
        seen, info = station.reset(seed=SEED, options={"faults": tuple(faults)})
        walk.seen.append(seen)
        walk.by_step.append(list(info.get("events") or ()))
        walk.events += walk.by_step[-1]
    for _ in range(steps):
        action = station.hold if actions is None else next(actions)
        seen, _, _, _, info = station.step(action)
        walk.actions.append(action)
        walk.seen.append(seen)
        walk.by_step.append(list(info.get("events") or ()))
        walk.events += walk.by_step[-1]
    return walk


def planned(spec: StationSpec, steps: int) -> tuple[Fault, ...]:
    """Each fault once within so many control periods, the last one open at the end."""
    length_s, kinds = steps * spec.control_s, list(spec.faults)
    share = length_s / (len(kinds) + 1) if kinds else 0.0
    return tuple(Fault(name, (i + 0.5) * share, share) for i, name in enumerate(kinds))


def check_event(event: Event, now_s: float, spec: StationSpec) -> None:
    """Raise Broken for an event that readers of a ledger could not read."""
    need(isinstance(event, Event), f"info['events'] has a {type(event).__name__}; it holds takt.Event only")
    what = f"the event {event.kind!r} at {event.t_s} s"
    number = isinstance(event.t_s, float | int) and math.isfinite(event.t_s)
    need(number, f"the event {event.kind!r} told at {now_s:g} s has t_s={event.t_s!r}: t_s is not a number of seconds")
    early = event.t_s < now_s - spec.control_s - 1e-6
    need(not early and event.t_s <= now_s + 1e-6, f"{what} is told at {now_s:g} s; `t_s` is when it happened, no later")
    try:
        json.dumps(event.data, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Broken(f"{what} has data that are not JSON: {one_line(error)}") from error
    for key, kinds in NEEDED.get(event.kind, {}).items():
        need(key in event.data, f"{what} lacks `{key}` (takt/events.py)")
        given = event.data[key]
        need(isinstance(given, kinds), f"{what} has {key}={given!r}; see takt/events.py")
    if event.kind in UNIT_ENDED:
        parts = sorted(event.data["parts"])
        need(
            parts in ([], sorted(spec.parts)), f"{what} has the parts {parts}, and spec.parts are {sorted(spec.parts)}"
        )
        need(event.data["cycle_s"] is None or event.data["cycle_s"] >= 0, f"{what} has a cycle time below 0")
    if event.kind == UNIT_BAD:
        need(bool(event.data["reasons"]), f"{what} has no reasons; a bad unit says why, the main reason first")
    if event.kind in (FAULT, FAULT_CLEARED):
        need(event.data["name"] in spec.faults, f"{what} names {event.data['name']!r}, which spec.faults does not have")


def check_tool(tool: Mapping[str, Any]) -> None:
    """Raise Broken for a tool that a model could not use by what it is told."""
    need(bool(tool.get("description")), f"the tool {tool['name']!r} has no description")
    schema = tool.get("parameters") or {}
    for name, about in schema.get("properties", {}).items():
        need(bool(about.get("description")), f"the argument {name!r} of the tool {tool['name']!r} has no description")


def outside(space: spaces.Space[Any], value: Any, at: str = "") -> str:
    """What of a value is not in its space, "" if nothing is."""
    if space.contains(value):
        return ""
    if isinstance(space, spaces.Dict) and isinstance(value, Mapping):
        if set(space.spaces) != set(value):
            return f"it has the keys {sorted(value)}, and the space {sorted(space.spaces)}"
        return next(found for key, part in space.spaces.items() if (found := outside(part, value[key], f"{at}/{key}")))
    if isinstance(value, np.ndarray) and isinstance(space, spaces.Box):
        return f"{at or 'it'} is {value.dtype} {value.shape}, and the space {space.dtype} {space.shape}"
    return f"{at or 'it'} is {short(value)}"


def difference(a: Any, b: Any, at: str = "") -> str:
    """Where two observations differ first, in words."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in [*a, *(key for key in b if key not in a)]:
            if key not in a or key not in b:
                return f"{at}{key} is there only once"
            if pack(a[key]) != pack(b[key]):
                return difference(a[key], b[key], f"{at}{key}/")
    return f"{at.rstrip('/') or 'it'} is {short(a)}, and {short(b)}"


def short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
