"""Faults: from the command line's words to the shift's schedule.

    feeder_jam@00:20:00        one fault, twenty minutes into the shift, for as long as its repair takes
    feeder_jam@00:20:00+90s    the same, for 90 seconds
    camera_dropout~1/h         at random, once an hour on average (also /min and /s), repairs exponentially distributed
    camera_dropout~1/h+90s     the same, each for 90 seconds

When faults strike depends on (seed, name, place in the list) and on nothing else: two workers meet the same ones, and a
longer shift begins with the faults of a shorter one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from takt.contract.events import FAULT, FAULT_CLEARED, Event
from takt.contract.station import Fault, StationSpec, TaktError, check_faults
from takt.printable import shortened

_FOR = r"(\+(?P<for>[^@~/+]*?)s)?"
_PLANNED = re.compile(r"(?P<name>\w+)@(?P<h>\d+):(?P<m>[0-5]\d):(?P<s>[0-5]\d(\.\d+)?)" + _FOR)
_RANDOM = re.compile(r"(?P<name>\w+)~(?P<rate>[^@~/]*)/(?P<per>h|min|s)" + _FOR)
MOST = 100_000  # faults of one kind in a shift
MOST_HOURS, MOST_S = 8760, 31_536_000  # until a fault, and that it lasts: a year
_SECONDS = {"h": 3600.0, "min": 60.0, "s": 1.0}


def schedule(texts: Sequence[str], spec: StationSpec, seed: int, length_s: float) -> tuple[Fault, ...]:
    """The faults that `texts` ask for over a shift of `length_s` seconds, in order of time. Raises TaktError."""
    faults: list[Fault] = []
    for index, text in enumerate(texts):
        if planned := _PLANNED.fullmatch(text):
            name = planned["name"]
            check_faults(spec, [Fault(name, 0.0, 0.0)])
            if len(planned["h"].lstrip("0")) > 4 or int(planned["h"]) > MOST_HOURS:
                most = f"{name}@{MOST_HOURS}:00:00"
                raise TaktError(
                    f"the fault {shortened(text)!r} is beyond any shift; the latest that makes sense is {most}"
                )
            at_s = int(planned["h"]) * 3600.0 + int(planned["m"]) * 60.0 + float(planned["s"])
            lasts_s = _lasts_s(text, planned["for"])
            faults.append(Fault(name, at_s, spec.faults[name].repair_s if lasts_s is None else lasts_s))
        elif random := _RANDOM.fullmatch(text):
            name = random["name"]
            check_faults(spec, [Fault(name, 0.0, 0.0)])
            rate = _rate(text, random["rate"], random["per"], spec, length_s)
            mean_gap_s = _SECONDS[random["per"]] / rate if rate else math.inf
            for_s = _lasts_s(text, random["for"])
            rng = np.random.default_rng(np.random.SeedSequence([seed, index, *name.encode()]))
            faults += _poisson(rng, name, mean_gap_s, for_s, spec.faults[name].repair_s, length_s)
        else:
            check_text(text)
    return merged(faults)


def check_text(text: str) -> None:
    """Raise TaktError for a text that says no fault at all, whatever the station."""
    if not (_PLANNED.fullmatch(text) or _RANDOM.fullmatch(text)):
        raise TaktError(
            f"cannot read the fault {shortened(text)!r}; write it as NAME@00:20:00, NAME@00:20:00+90s or NAME~1/h"
        )


def merged(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The same faults in order of time, where one that strikes while it is there already only lasts longer."""
    result: list[Fault] = []
    latest: dict[str, int] = {}  # where in `result` the last fault of that name is
    for fault in sorted(faults, key=lambda fault: (fault.at_s, fault.name, fault.for_s)):
        last = result[latest[fault.name]] if fault.name in latest else None
        if last is not None and fault.at_s <= last.at_s + last.for_s:
            longer_s = max(last.for_s, fault.at_s + fault.for_s - last.at_s)
            result[latest[fault.name]] = Fault(last.name, last.at_s, longer_s)
        else:
            latest[fault.name] = len(result)
            result.append(fault)
    return tuple(result)


class Active:
    """The faults of a shift as a station meets them: `now` are those that are there, `move` lets time pass."""

    def __init__(self) -> None:
        self.begin(())

    @classmethod
    def of(cls, spec: StationSpec, options: Mapping[str, Any] | None) -> Active:
        """Those that a station is `reset` with. Raises TaktError if there is one that it cannot have."""
        faults = tuple((options or {}).get("faults", ()))
        check_faults(spec, faults)
        active = cls()
        active.begin(faults)
        return active

    def begin(self, faults: Iterable[Fault]) -> None:
        """At the beginning of a shift with these faults, in order of time."""
        self._coming = list(faults)
        self.now: list[Fault] = []

    def move(self, now_s: float) -> list[tuple[str, Fault]]:
        """What begins (FAULT) by this time, and then what has ended by it (FAULT_CLEARED)."""
        moved = []
        while self._coming and self._coming[0].at_s <= now_s:
            fault = self._coming.pop(0)
            self.now.append(fault)
            moved.append((FAULT, fault))
        for fault in [f for f in self.now if f.at_s + f.for_s <= now_s]:
            self.now.remove(fault)
            moved.append((FAULT_CLEARED, fault))
        return moved

    def events(self, now_s: float, spec: StationSpec) -> list[Event]:
        """`move`, as the events that a station tells."""
        return [
            Event(now_s, kind, None, {"name": fault.name, "origin": "station", "stops": spec.faults[fault.name].stops})
            for kind, fault in self.move(now_s)
        ]

    def there(self, name: str) -> bool:
        return any(fault.name == name for fault in self.now)

    def save(self) -> dict[str, Any]:
        return {"faults": [list(astuple(f)) for f in self._coming], "active": [list(astuple(f)) for f in self.now]}

    def load(self, saved: Mapping[str, Any]) -> None:
        self._coming = [Fault(*fault) for fault in saved["faults"]]
        self.now = [Fault(*fault) for fault in saved["active"]]


def _number(text: str) -> float:
    """NaN for what is no number, or is one below zero."""
    try:
        number = float(text) if text.isascii() else math.nan
    except ValueError:
        return math.nan
    return number if number >= 0 else math.nan


def _lasts_s(text: str, given: str | None) -> float | None:
    """For how long a fault is given to last; None if it is not. Raises TaktError."""
    if given is None:
        return None
    lasts_s = _number(given)
    if not lasts_s <= MOST_S:
        raise TaktError(
            f"the fault {shortened(text)!r} lasts {shortened(given)} s; it must be a number from 0 to {MOST_S:,}"
        )
    return lasts_s


def _rate(text: str, given: str, per: str, spec: StationSpec, length_s: float) -> float:
    """How often a fault is given to strike. Raises TaktError if that is no number, or more than once a control period
    or MOST times in the shift."""
    rate, most = _number(given), _SECONDS[per] * min(1.0 / spec.control_s, MOST / length_s)
    if not rate <= most:
        wrong = "strikes too often" if rate > most else f"does not say how often it strikes by {shortened(given)!r}"
        largest = f"{text.partition('~')[0]}~{math.floor(1000 * most) / 1000:.10g}/{per}"
        raise TaktError(f"the fault {shortened(text)!r} {wrong}; the most that makes sense is {largest}")
    return rate


def _poisson(
    rng: np.random.Generator, name: str, mean_gap_s: float, for_s: float | None, repair_s: float, length_s: float
) -> list[Fault]:
    faults: list[Fault] = []
    at_s = 0.0
    while math.isfinite(mean_gap_s):
        at_s += rng.exponential(mean_gap_s)
        lasts_s = rng.exponential(repair_s)  # drawn even if the length is given, so that it moves no later fault
        if at_s >= length_s:
            break
        faults.append(Fault(name, float(at_s), float(lasts_s if for_s is None else for_s)))
    return faults
