"""Outcomes: a shift's events -> its units in the order in which they fell due, each good, bad or still open.

Verdict, figures and comparison all begin here, so that they count the same units. The order in which units *end* tells
on their outcome: where a good unit ends in minutes and a bad one is known only when its time is up, the units that have
ended are better than those that were begun. In due order nothing of the kind can happen (docs/verdict.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from takt.contract.events import (
    ARRIVALS,
    BEAT,
    FREE,
    SHIFT_ENDED,
    SHIFT_STARTED,
    UNIT_DUE,
    UNIT_ENDED,
    UNIT_GOOD,
    Event,
)

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit, in seconds of station time. `ended_s` and `good` are None while it is open."""

    number: int
    due_s: float
    ended_s: float | None
    good: bool | None
    data: Mapping[str, Any]

    @property
    def cycle_s(self) -> float | None:
        """From due to finished by the worker; None if it never finished, or has not yet."""
        seconds = self.data.get("cycle_s")
        return None if seconds is None else float(seconds)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of a shift's units.

    started   the data of `shift_started`; {} if that is missing.
    pace      "beat", "arrivals" or "free": as the station declares it, or as the due times show (old ledgers).
    life_s    the longest that a unit of this station is open; None where the next unit waits for the last.
    end_s     time of the last event.
    ended     why the shift ended; "" if it has not.
    units     all that fell due, in due order.
    """

    started: Mapping[str, Any]
    pace: str
    life_s: float | None
    end_s: float
    ended: str
    units: Sequence[Unit]

    @classmethod
    def of(cls, events: Iterable[Event]) -> Outcomes:
        started: Mapping[str, Any] = {}
        ended, end_s = "", 0.0
        due: dict[int, tuple[float, int]] = {}
        told = False  # whether the log says when units fell due
        over: dict[int, Event] = {}
        for place, event in enumerate(events):
            end_s = max(end_s, event.t_s)
            if event.kind == SHIFT_STARTED:
                started = event.data
            elif event.kind == SHIFT_ENDED:
                ended = str(event.data["reason"])
            elif event.unit is None:
                continue
            elif event.kind == UNIT_DUE:
                told = True
                due.setdefault(event.unit, (event.t_s, place))
            elif event.kind in UNIT_ENDED:
                over.setdefault(event.unit, event)
                due.setdefault(event.unit, (event.t_s, place))  # nothing says when: at the latest then
        units = []
        for number in sorted(due, key=due.__getitem__):
            last = over.get(number)
            at = (last.t_s, last.kind == UNIT_GOOD, last.data) if last else (None, None, {})
            units.append(Unit(number, due[number][0], *at))
        pace = str(started.get("pace") or (_pace_seen(started, units) if told else FREE))
        return cls(started, pace, _life_s(started, pace, units), end_s, ended, units)

    @property
    def judged(self) -> Sequence[Unit]:
        """The units that a verdict is about: a beginning of `units`.

        When time has ended the shift: those that fell due at least a unit's life before, whose outcome is known
        whatever it is. Else all up to the last one that has ended; those among them that are open count as bad for the
        lower bound and as good for the upper one.
        """
        if self.ended == "time" and self.life_s is not None:
            return self._due_until(self.end_s - self.life_s)
        ended = [place for place, unit in enumerate(self.units) if unit.good is not None]
        return self.units[: ended[-1] + 1] if ended else ()

    @property
    def counted(self) -> Sequence[Unit]:
        """The units that figures are of, D in docs/kpi.md: a beginning of `units` in which nothing is open by rights.

        At a beat those whose slot is over; with random arrivals those that fell due at least a unit's life ago; where
        units follow each other, all that were begun and have ended. Of a shift that did not end by time (it was asked
        for so many units, or its worker was done) all up to the last that has ended, as for the verdict.
        """
        if self.life_s is None or self.ended not in ("", "time"):
            return self.judged
        return self._due_until(self.end_s - self.life_s)

    @property
    def counted_s(self) -> float:
        """The time that the units of `counted` cover: at a beat a takt each, also of those that were done early."""
        takt_s = float(self.started.get("takt_s") or 0.0)
        if self.pace == BEAT and 0 < takt_s < math.inf:
            return len(self.counted) * takt_s
        return max(0.0, self.end_s - (self.life_s or 0.0 if self.ended in ("", "time") else 0.0))

    @property
    def time_s(self) -> float:
        """The time of the shift, of which rates and shares are: to its end, or to the end of the last slot that counts
        where its units were done before. A shift that ends with its last unit would else have had more units an hour
        than fell due."""
        return max(self.end_s, self.counted_s)

    @property
    def cut_off(self) -> int:
        """Units that fell due and are not counted: when the shift ended, they still had time. What fell due at the very
        end is none of them: it had no time in the shift at all. Before the end nothing is cut off."""
        if not self.ended:
            return 0
        return sum(unit.due_s < self.end_s - self._slack_s for unit in self.units[len(self.counted) :])

    @property
    def _slack_s(self) -> float:
        return 1e-9 * max(1.0, self.end_s) + 1e-6  # due times are multiples of a control period, rounded

    def _due_until(self, until_s: float) -> Sequence[Unit]:
        return [unit for unit in self.units if unit.due_s <= until_s + self._slack_s]


def _pace_seen(started: Mapping[str, Any], units: Sequence[Unit]) -> str:
    """For a ledger that does not say: whether the station's own units (0, 1, 2, ...) fell due every takt."""
    takt_s = float(started.get("takt_s") or 0.0)
    if takt_s <= 0:
        return FREE
    due = {unit.number: unit.due_s for unit in units}
    own = 0
    while own in due:
        own += 1
    slack = float(started.get("control_s") or 0.0) + 1e-6
    on_beat = all(abs(due[number] - due[0] - number * takt_s) <= slack for number in range(own))
    return BEAT if on_beat else ARRIVALS


def _life_s(started: Mapping[str, Any], pace: str, units: Sequence[Unit]) -> float | None:
    if pace == FREE:
        return None
    told = started.get("unit_life_s")
    if told is not None:
        return float(told)
    takt_s = float(started.get("takt_s") or 0.0)
    if pace == BEAT:
        return takt_s
    return max([takt_s, *(unit.ended_s - unit.due_s for unit in units if unit.ended_s is not None)])  # an old ledger
