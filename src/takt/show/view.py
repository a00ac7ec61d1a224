"""A shift as people look at it: one pure fold of its events, which terminal, page and board share.

The same events give the same view, whether the shift runs, has ended, or was killed and gone on with; nothing here
knows of files, processes or the time of day. `cursor` is how many events were seen: a viewer asks for those after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from takt.contract.events import (
    ARRIVALS,
    BEAT,
    FAULT,
    FAULT_CLEARED,
    FREE,
    HELP_CALLED,
    SAID,
    UNIT_DUE,
    UNIT_ENDED,
    Event,
)
from takt.judge.bets import open_bounds
from takt.judge.kpi import Kpis, kpis
from takt.judge.outcomes import MAY, Outcomes, Unit
from takt.judge.spans import fault_spans
from takt.judge.verdict import Job, Verdict, verdict

WORKING, WAITING, FAULTY, HELP, OVER = "working", "waiting", "fault", "help", "over"
TOP = 3  # failures and stops that are named
HOUR_S = 3600.0
MOST_POINTS = 400  # of a curve: more than a screen has room for


@dataclass(frozen=True, slots=True)
class Hour:
    """One row of the hour board. `target` units fell due in it, are judged and have ended, `good` of them were good."""

    from_s: float
    to_s: float
    target: int
    good: int

    @property
    def difference(self) -> int:
        return self.good - self.target


@dataclass(frozen=True, slots=True)
class Stop:
    """What stood still, how often, and for how long in all."""

    name: str
    times: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bound:
    """The good rate and its bound when a unit had ended."""

    t_s: float
    rate: float | None
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class ShiftView:
    """What a shift has come to. Times in seconds of station time, rates as fractions.

    cursor      events seen.
    state       WORKING, WAITING (nothing to work on), FAULTY (a fault that stops work), HELP (called, the unit not yet
                over) or OVER.
    faults      names of the faults that are there now, stopping or not.
    now_s       time of the last event, or of the station where that is known.
    unit        the unit that fell due last and is open; `due_s` when it did. None if none is open.
    planned     units that the whole shift is to have time for, or is expected to; None if that is not known.
    length_s    how long it is to last; None if it ends by units.
    due         units that fell due and are judged or may yet be: good + bad + open.
    good, bad   of the units that are judged (docs/verdict.md): verdict, figures and hours are of the same.
    open        of those, how many have not ended.
    not_judged  units that the end of the shift cuts off, and `not_judged_ended` of these ended all the same. While time
                is to end the shift, those that fell due so late that it will.
    waiting     all units that have not ended, while the shift is not over.
    hours       the hour board, where units fall due at a pace.
    failures    the commonest main reasons of bad units, and how often.
    units       all units in the order in which they fell due.
    events      without what a worker said, which no figure reads.
    """

    cursor: int
    started: Mapping[str, Any]
    state: str
    faults: tuple[str, ...]
    ended: str
    now_s: float
    unit: int | None
    due_s: float | None
    planned: int | None
    length_s: float | None
    good: int
    bad: int
    due: int
    open: int
    waiting: int
    not_judged: int
    not_judged_ended: int
    pace: str
    judged: Verdict
    hours: tuple[Hour, ...]
    failures: tuple[tuple[str, int], ...]
    stops: tuple[Stop, ...]
    units: tuple[Unit, ...]
    events: Sequence[Event] = field(repr=False, compare=False)
    _made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # what takes time, once asked for

    @classmethod
    def of(cls, events: Sequence[Event], now_s: float | None = None) -> ShiftView:
        """`now_s` is the station's time where it is known to be later than that of the last event."""
        outcomes = Outcomes.of(events)
        seen = [event for event in events if event.kind != SAID]  # no figure reads what a worker said
        judged = verdict(seen)
        started, units = outcomes.started, tuple(outcomes.units)
        at_s = outcomes.end_s if now_s is None or outcomes.ended else max(now_s, outcomes.end_s)
        open_units = [unit for unit in units if unit.good is None]
        last = open_units[-1] if open_units else None
        state, faults = _state(events, outcomes.ended, bool(open_units))
        ended = [unit for unit in outcomes.judged if unit.good is not None]
        cut, cut_ended = outcomes.cut_off, outcomes.cut_off_finished
        good = sum(unit.good is True for unit in ended)
        reasons = Counter(_main_reason(unit) for unit in ended if not unit.good)
        hours = started.get("hours")
        return cls(
            cursor=len(events),
            started=started,
            state=state,
            faults=faults,
            ended=outcomes.ended,
            now_s=at_s,
            unit=None if last is None else last.number,
            due_s=None if last is None else last.due_s,
            planned=_planned(outcomes),
            length_s=None if hours is None else float(hours) * HOUR_S,
            good=good,
            bad=len(ended) - good,
            due=outcomes.due,
            open=outcomes.open,
            waiting=0 if outcomes.ended else len(open_units),
            not_judged=cut,
            not_judged_ended=cut_ended,
            pace=outcomes.pace,
            judged=judged,
            hours=_hours(outcomes),
            failures=tuple(reasons.most_common(TOP)),
            stops=_stops(seen, at_s),
            units=units,
            events=seen,
        )

    @property
    def takt_s(self) -> float | None:
        takt_s = self.started.get("takt_s")
        return float(takt_s) if takt_s and float(takt_s) > 0 else None

    @property
    def kpis(self) -> Kpis:
        """All figures. They take their time, and a wall needs none of them: so not before they are asked for."""
        if "kpis" not in self._made:
            self._made["kpis"] = kpis(self.events)
        made: Kpis = self._made["kpis"]
        return made

    @property
    def oee(self) -> float | None:
        """Availability x effectiveness x quality (ISO 22400-2), where the plant has a planned cycle; else None."""
        return _oee(self.kpis) if self.started.get("planned_cycle_s") else None

    @property
    def curve(self) -> tuple[Bound, ...]:
        """The good rate and its bound along the shift, thinned to MOST_POINTS."""
        if "curve" not in self._made:
            self._made["curve"] = _curve(Outcomes.of(self.events))
        made: tuple[Bound, ...] = self._made["curve"]
        return made

    @property
    def cut(self) -> str:
        """Whether the end "has" cut off those that are not judged, "will" or "may" (`Outcomes.cut_is`)."""
        return self.judged.cut_is or "has"

    def at(self, now_s: float | None) -> ShiftView:
        """The same events, when the station's clock has gone on to `now_s`."""
        return self if now_s is None or self.ended or now_s <= self.now_s else replace(self, now_s=now_s)

    @property
    def rate(self) -> float | None:
        """Good units of those that have ended."""
        return self.good / (self.good + self.bad) if self.good + self.bad else None

    @property
    def takt_left_s(self) -> float | None:
        """Until the next unit falls due; None where units do not fall due at a beat, or nothing does any more."""
        takt_s = self.takt_s
        if self.pace != BEAT or self.state == OVER or takt_s is None or self.due_s is None:
            return None
        return max(0.0, min(takt_s, self.due_s + takt_s - self.now_s))

    @property
    def share(self) -> float | None:
        """How much of the shift is done, 0 to 1; None if nothing says how long it is to be."""
        if self.state == OVER:
            return 1.0
        shares = [self.now_s / self.length_s] if self.length_s else []
        asked = self.started.get("units")
        shares += [(self.good + self.bad) / int(asked)] if asked else []
        return min(1.0, max(shares)) if shares else None


def _state(events: Sequence[Event], ended: str, is_open: bool) -> tuple[str, tuple[str, ...]]:
    """What is going on at the end of these events, and the faults that are there."""
    there: Counter[str] = Counter()
    stopping: Counter[str] = Counter()
    called: set[int | None] = set()  # the units that help was called for, and that are not over
    for event in events:
        if event.kind in (FAULT, FAULT_CLEARED):
            by = 1 if event.kind == FAULT else -1
            name = str(event.data.get("name", "?"))
            there[name] += by
            stopping[name] += by * bool(event.data.get("stops", False))
        elif event.kind == HELP_CALLED:
            called.add(event.unit)
        elif event.kind in UNIT_ENDED:
            called.discard(event.unit)
        elif event.kind == UNIT_DUE:
            called.discard(None)  # it was called for no unit: until the next comes
    names = tuple(name for name, count in there.items() if count > 0)
    if ended:
        return OVER, names
    if called:
        return HELP, names
    if any(count > 0 for count in stopping.values()):
        return FAULTY, names
    return (WORKING if is_open else WAITING), names


def _planned(outcomes: Outcomes) -> int | None:
    """What is asked for, or falls due in time to be judged. Where units come at random it is what came and about so
    many more; None once the shift is over."""
    hours, takt_s = (outcomes.started.get(key) for key in ("hours", "takt_s"))
    lengths = [] if outcomes.most is None else [outcomes.most]
    if hours and takt_s and outcomes.pace != ARRIVALS:
        lengths.append(max(1, int(float(hours) * HOUR_S / float(takt_s))))
    elif hours and takt_s and not outcomes.ended:
        late_s = (outcomes.life_s or 0.0) if outcomes.ends_by == "time" else 0.0
        left_s = max(0.0, float(hours) * HOUR_S - late_s - outcomes.end_s)
        came = outcomes.due + (outcomes.cut_off if outcomes.cut_is == MAY else 0)
        lengths.append(came + round(left_s / float(takt_s)))
    return min(lengths, default=None)


def _hours(outcomes: Outcomes) -> tuple[Hour, ...]:
    """By the hour in which units fell due: how many are judged and have ended, and how many of those were good."""
    if outcomes.pace == FREE:
        return ()
    rows: dict[int, list[int]] = {}
    for unit in outcomes.judged:
        if unit.good is None:
            continue
        row = rows.setdefault(int(unit.due_s // HOUR_S), [0, 0])
        row[0] += 1
        row[1] += unit.good is True
    return tuple(Hour(hour * HOUR_S, (hour + 1) * HOUR_S, *rows[hour]) for hour in sorted(rows))


def _stops(events: Sequence[Event], now_s: float) -> tuple[Stop, ...]:
    """What stood still longest."""
    found: dict[str, Stop] = {}
    for span in fault_spans(events, now_s):
        if span.stops:
            before = found.get(span.name, Stop(span.name, 0, 0.0))
            found[span.name] = Stop(span.name, before.times + 1, before.seconds + span.end_s - span.start_s)
    return tuple(sorted(found.values(), key=lambda stop: -stop.seconds)[:TOP])


def _oee(figures: Kpis) -> float | None:
    """OEE = availability x effectiveness x quality ratio (ISO 22400-2): only where effectiveness means something."""
    if figures.effectiveness is None or figures.quality_ratio is None or not figures.counted_s:
        return None
    available = max(0.0, 1.0 - figures.downtime_s / figures.counted_s)
    return available * figures.effectiveness * figures.quality_ratio


def _curve(outcomes: Outcomes) -> tuple[Bound, ...]:
    job, judged = Job.of(outcomes.started, 0.05), list(outcomes.judged)
    if not judged:
        return ()
    outcome = [unit.good for unit in judged]
    counts = np.cumsum([[good is kind for good in outcome] for kind in (True, False, None)], axis=1)
    latest = np.maximum.accumulate([outcomes.end_s if unit.ended_s is None else unit.ended_s for unit in judged])
    take = np.unique(np.linspace(0, len(judged) - 1, min(MOST_POINTS, len(judged))).round().astype(int))
    good, bad, still = counts[:, take]
    lower, upper = open_bounds(good, bad, still, *job.alphas)
    rates = [float(g / (g + b)) if g + b else None for g, b in zip(good, bad, strict=True)]
    rows = zip(latest[take].tolist(), rates, lower.tolist(), upper.tolist(), strict=True)
    return tuple(Bound(*row) for row in rows)


def _main_reason(unit: Unit) -> str:
    return str((unit.data.get("reasons") or ["unstated"])[0])
