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

WILL, MAY = "will", "may"  # `Outcomes.cut_is`


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
        """The units that verdict, figures, pages, tables and comparisons are of: a beginning of `units`.

        When time has ended the shift: those that fell due at least a unit's life before, whose outcome is known
        whatever it is. While it is to end by time, or may (`ends_by`): of those that will have had a unit's life by
        then, all up to the last that has ended, so that the end takes none of them out again. Else `so_far`, also while
        the verdict may end it at any unit (`events.stopping_early`). Those among them that are open count as bad for
        the lower bound and as good for the upper one.
        """
        if self.life_s is None or not self.by_time:
            return self.so_far
        if self.ended:
            return self._due_until(self.end_s - self.life_s)
        return self.so_far if self._planned_s is None else _to_the_last(self._due_until(self._planned_s - self.life_s))

    @property
    def so_far(self) -> Sequence[Unit]:
        """All up to the last one that has ended: what is judged if the shift is stopped here (`stop_early`)."""
        return _to_the_last(self.units)

    @property
    def cut(self) -> Sequence[Unit]:
        """Units that fell due and are not judged, whether they have ended or not: they had, or will have, less than all
        their time when the shift ends; or may have, where it is not known yet whether time ends it (`cut_is`). What
        fell due at the very end is none of them: it had no time in it at all."""
        if self.ended:
            return [unit for unit in self.units[len(self.judged) :] if unit.due_s < self.end_s - self._slack_s]
        if self.life_s is None or self._planned_s is None or not self.by_time:
            return ()
        return self.units[len(self._due_until(self._planned_s - self.life_s)) :]

    @property
    def counted(self) -> Sequence[Unit]:
        """The judged units that have ended, D in docs/kpi.md: what rates are of."""
        return [unit for unit in self.judged if unit.good is not None]

    @property
    def counted_s(self) -> float:
        """The time that the units of `counted` cover: at a beat a takt each, also of those that were done early; else
        that until which what fell due is judged."""
        takt_s = float(self.started.get("takt_s") or 0.0)
        if self.pace == BEAT and 0 < takt_s < math.inf:
            return len(self.counted) * takt_s
        if self.life_s is None or not self.by_time:
            return self.end_s
        if self.ended:
            return max(0.0, self.end_s - self.life_s)
        return self.end_s if self._planned_s is None else max(0.0, min(self.end_s, self._planned_s - self.life_s))

    @property
    def time_s(self) -> float:
        """The time of the shift, of which rates and shares are: to its end, or to the end of the last slot that counts
        where its units were done before. A shift that ends with its last unit would else have had more units an hour
        than fell due."""
        return max(self.end_s, self.counted_s)

    @property
    def due(self) -> int:
        """How many fell due and are judged, or may yet be: also what is open behind the last that has ended."""
        if self.ended:
            return len(self.judged)
        due = len(self.units) - self.cut_off
        if self.most is not None and self.pace != ARRIVALS:  # the next may fall due while the last is inspected
            due = max(len(self.counted), min(due, self.most))
        return due

    @property
    def open(self) -> int:
        """How many of those that are due have not ended."""
        return self.due - len(self.counted)

    @property
    def cut_off(self) -> int:
        """How many are cut."""
        return len(self.cut)

    @property
    def cut_off_finished(self) -> int:
        """How many of these ended all the same, good or bad."""
        return sum(unit.good is not None for unit in self.cut)

    @property
    def cut_is(self) -> str:
        """Whether those that are `cut` are so: "" once the shift has ended, WILL while it is time that is to end it,
        MAY while it may as well be its number of units, after which all that have ended are judged."""
        return "" if self.ended else WILL if self.ends_by == "time" else MAY

    @property
    def most(self) -> int | None:
        """After how many units the shift ends, by what was asked for or what the station has; None if nothing says."""
        told = (self.started.get("units"), self.started.get("finite"))
        return min((int(n) for n in told if n and n is not True), default=None)

    @property
    def by_time(self) -> bool:
        """Whether it is time that has ended the shift, or will, or may."""
        return self.ends_by in ("time", "")

    @property
    def ends_by(self) -> str:
        """What ends the shift: as it has ended; "verdict" while that may end it at any unit; else "units" or "time",
        where the one is sure to come before the other, and "" where nobody can say."""
        if self.ended or self.started.get("stop_early"):
            return self.ended or "verdict"
        planned_s, most = self._planned_s, self.most
        if planned_s is None or self.life_s is None:
            return "units"
        if most is None:
            return "" if self.started.get("finite") else "time"
        in_time_s = planned_s - self.life_s + self._slack_s  # what falls due by then has ended before the shift has
        if sum(unit.good is not None or unit.due_s <= in_time_s for unit in self.units) >= most:
            return "units"
        if self.pace != BEAT:
            return ""
        last_due_s = (self.units[0].due_s if self.units else 0.0) + (most - 1) * float(
            self.started.get("takt_s") or 0.0
        )
        if last_due_s <= in_time_s:
            return "units"
        return "" if last_due_s < planned_s - self._slack_s else "time"

    @property
    def _planned_s(self) -> float | None:
        """When time is to end the shift; None if nothing says so, or it has gone on beyond that."""
        hours, control_s = self.started.get("hours"), float(self.started.get("control_s") or 0.0)
        if hours is None:
            return None
        planned_s = 3600.0 * float(hours)
        if control_s > 0:  # it ends with the control period that is nearest
            planned_s = math.ceil(planned_s / control_s - 0.5 - 1e-9) * control_s
        return None if self.end_s > planned_s + self._slack_s else planned_s

    @property
    def _slack_s(self) -> float:
        return 1e-9 * max(1.0, self.end_s) + 1e-6  # due times are multiples of a control period, rounded

    def _due_until(self, until_s: float) -> Sequence[Unit]:
        return [unit for unit in self.units if unit.due_s <= until_s + self._slack_s]


def cut_of_all(shifts: Iterable[tuple[int, str]]) -> str:
    """`cut_is` of several shifts, given by how many units are cut off and it, taken together: the least sure one."""
    told = {cut_is for units, cut_is in shifts if units}
    return next((one for one in (MAY, WILL) if one in told), "")


def _to_the_last(units: Sequence[Unit]) -> Sequence[Unit]:
    ended = [place for place, unit in enumerate(units) if unit.good is not None]
    return units[: ended[-1] + 1] if ended else ()


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
