"""KPIs: a shift's events -> figures, by pure functions. Names, formulas and sources: docs/kpi.md.

Which units are judged is decided once, in `outcomes`, for verdict and figures alike; D of them have ended, and those
that are open are in no rate. What a figure means depends on how units fall due (at a beat, at random, one after the
other); where it means nothing it is None.

Sources, as cited below:
    ISO 22400-2   ISO 22400-2:2014, KPIs for manufacturing operations management: time elements (PBT, APT, ADOT, PRI),
                  quantities (PQ, GQ, GP) and KPI definitions.
    SEMI E10      equipment reliability, availability and maintainability: MTBFp (productive time, equipment failures
                  only), MCBF, MTTR.
    GM GP-9       Run @ Rate (GM 1927-35): good parts at the required rate, under normal conditions, in a given time.
    GM GP-8       First Time Quality (item 13 of its worksheet), the figure that GP-9's worksheet asks for.

What is undefined (no unit yet, no failure yet) is None, never NaN, so that a `Kpis` is valid JSON as it stands.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from takt.contract.events import ARRIVALS, BEAT, HELP_CALLED, Event
from takt.judge.capability import Level, capability, quantile_s, times_of
from takt.judge.formulas import (
    attainment,
    effectiveness,
    first_time_quality,
    halves,
    mtbf_lower_s,
    mtbf_s,
    mttr_s,
    per_hour,
    phi,
    quality_ratio,
    ratio,
    slope_per_h,
)
from takt.judge.outcomes import Outcomes, Unit
from takt.judge.spans import Span, common, fault_spans, length, merged, overlaps
from takt.judge.thinking import Thinking

ORIGINS = ("station", "worker", "harness")


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one origin. `active_s` and `downtime_s` are of the union in time: an overlap counts once."""

    count: int
    stopping: int
    active_s: float
    downtime_s: float


@dataclass(frozen=True, slots=True)
class PartRate:
    """One part of the units (the left nut): how many were good of those inspected."""

    units: int
    good: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Drift:
    """Whether the shift got better or worse as it went on. None where there are too few units to say.

    first_half, second_half   good rate of the first and second half of the units (the middle one in the second).
    change                    second minus first.
    change_p                  two-sided p-value of that change: Fisher's exact test, which is the permutation test of
                              the two halves computed exactly.
    cycle_s_per_h             Theil-Sen slope of the finished units' cycle time against station time.
    cycle_p                   its two-sided p-value, by Kendall's tau.
    """

    first_half: float | None
    second_half: float | None
    change: float | None
    change_p: float | None
    cycle_s_per_h: float | None
    cycle_p: float | None


@dataclass(frozen=True, slots=True)
class Kpis:
    """The figures of one shift. Times in seconds of station time, rates as fractions; None where undefined."""

    # The shift
    pace: str  # "beat", "arrivals" or "free": how units fall due
    shift_s: float  # how long it ran
    takt_s: float | None
    counted_s: float  # the time that the counted units cover: D takts at a beat (PBT)
    downtime_s: float  # ADOT: a stop of whatever origin
    # What came out, of the units that are judged
    units: int  # D + open
    open: int  # judged, and not ended: in none of what follows
    good: int  # GQ
    bad: int  # D - GQ
    finished: int  # PQ: the worker finished them, good or bad
    lost_to_stops: int  # not finished, and the station stood still meanwhile
    cut_off: int  # fell due, and is not judged: less than all its time until the shift ends
    cut_off_finished: int  # of these, how many ended all the same
    good_rate: float | None  # GQ / D: Run@Rate at a beat, service level with random arrivals
    # Its factors, each at most 1; their product is GQ / D
    not_lost: float | None  # (D - lost) / D; at a beat only
    finished_share: float | None  # finished / (D - lost), or / D
    quality_ratio: float | None  # GQ / PQ, ISO 22400-2
    # Beside them
    effectiveness: float | None  # ISO 22400-2; only with a planned cycle time
    busy: float | None  # share of the time with a unit to work on
    uptime: float | None  # share of the time without a stop
    first_time_quality: float | None
    throughput_rate_per_h: float | None  # PQ / the time that the counted units cover
    good_rate_per_h: float | None  # GQ / that time
    # Takt and cycle: good and in time, of all that count
    takt_attainment: float | None  # at a beat only
    cycle_attainment: float | None  # within the acceptance's cycle_s, or the longest that a unit may take
    cycle_mean_s: float | None  # of good units
    cycle_p50_s: float | None  # of all that count; not good is infinite, and that is None
    cycle_p95_s: float | None
    capability: list[Level]
    # Failures
    failures: int  # stops, of whatever origin
    equipment_failures: int  # stops by the station's own faults while there was work
    productive_s: float  # time with a unit in work and no stop
    mtbf_s: float | None
    mtbf_lower_s: float | None  # 95 %, however often one looks
    mttr_s: float | None
    time_between_bad_s: float | None
    units_between_bad: float | None
    help_calls: int
    help_calls_per_h: float | None
    failures_by_class: dict[str, int]  # bad units by their main reason; sums to `bad`
    faults_by_origin: dict[str, Faults]  # always station, worker and harness
    faults_by_name: dict[str, int]
    # Parts of a unit
    parts: dict[str, PartRate]
    parts_all_good_rate: float | None
    parts_if_independent: float | None  # the product of the parts' rates
    parts_phi: dict[str, float | None]  # correlation of each pair, "left-right"
    # Thinking, all of it: also while no unit was open
    thinking_s_per_unit: float | None
    calls_per_unit: float | None
    waiting_calls: int | None  # asked with no unit open; None where the ledger does not say, and both above have them
    waiting_thinking_s: float | None
    # Along the shift
    drift: Drift


def kpis(events: Iterable[Event]) -> Kpis:
    """All figures of the shift whose ledger `events` is, finished or still running."""
    log = list(events)
    shift = Outcomes.of(log)
    started, shift_s, pace = shift.started, shift.end_s, shift.pace
    takt_s = _positive(started.get("takt_s"))
    units = shift.counted
    n, good = len(units), sum(unit.good is True for unit in units)
    finished = sum(_finished(unit) for unit in units)
    times = times_of(units)

    spans = fault_spans(log, shift_s)
    stops = merged([(s.start_s, s.end_s) for s in spans if s.stops])
    down_s = length(stops)
    lost = sum(not _finished(u) and overlaps(stops, u.due_s, _over_s(u, shift, takt_s)) for u in units)
    lost = lost if pace == BEAT else 0
    counted_s = shift.counted_s
    open_ = merged([(unit.due_s, shift_s if unit.ended_s is None else unit.ended_s) for unit in shift.units])
    in_work = merged([(unit.due_s, _left_s(unit, shift_s)) for unit in shift.units])
    own = merged([(s.start_s, s.end_s) for s in spans if s.stops and s.origin == "station"])
    failures = [stop for stop in own if overlaps(in_work, *stop)]
    productive_s = length(in_work) - common(in_work, stops)
    limit_s = _positive((started.get("acceptance") or {}).get("cycle_s"))
    if limit_s is None and pace == ARRIVALS:
        limit_s = shift.life_s
    helps = sum(e.kind == HELP_CALLED for e in log)
    thought = Thinking.of(log)
    names = list(started.get("parts") or dict.fromkeys(name for unit in units for name in _parts(unit)))
    parts = [{name: _part_good(unit, name) for name in names} for unit in units]

    return Kpis(
        pace=pace,
        shift_s=shift_s,
        takt_s=takt_s,
        counted_s=counted_s,
        downtime_s=down_s,
        units=len(shift.judged),
        open=len(shift.judged) - n,
        good=good,
        bad=n - good,
        finished=finished,
        lost_to_stops=lost,
        cut_off=shift.cut_off,
        cut_off_finished=shift.cut_off_finished,
        good_rate=ratio(good, n),
        not_lost=ratio(n - lost, n) if pace == BEAT else None,
        finished_share=ratio(finished, n - lost),
        quality_ratio=quality_ratio(good, finished),
        effectiveness=effectiveness(
            _positive(started.get("planned_cycle_s")), finished, counted_s - common(stops, [(0.0, counted_s)])
        ),
        busy=ratio(length(open_), shift_s),
        uptime=ratio(shift_s - down_s, shift_s),
        first_time_quality=first_time_quality(sum(unit.good is True and _first_time(unit) for unit in units), n),
        throughput_rate_per_h=per_hour(finished, counted_s),
        good_rate_per_h=per_hour(good, counted_s),
        takt_attainment=attainment(times, takt_s) if pace == BEAT else None,
        cycle_attainment=attainment(times, limit_s),
        cycle_mean_s=ratio(sum(t for t in times if math.isfinite(t)), sum(map(math.isfinite, times))),
        cycle_p50_s=quantile_s(times, 0.5),
        cycle_p95_s=quantile_s(times, 0.95),
        capability=capability(times),
        failures=len(stops),
        equipment_failures=len(failures),
        productive_s=productive_s,
        mtbf_s=mtbf_s(productive_s, len(failures)),
        mtbf_lower_s=mtbf_lower_s(productive_s, len(failures)),
        mttr_s=mttr_s(length(failures), len(failures)),
        time_between_bad_s=ratio(counted_s, n - good),
        units_between_bad=ratio(n, n - good),
        help_calls=helps,
        help_calls_per_h=per_hour(helps, shift.time_s),
        failures_by_class=dict(Counter(_reason(unit) for unit in units if not unit.good).most_common()),
        faults_by_origin=_by_origin(spans),
        faults_by_name=dict(Counter(s.name for s in spans).most_common()),
        parts={name: PartRate(n, sum(p[name] for p in parts), ratio(sum(p[name] for p in parts), n)) for name in names},
        parts_all_good_rate=ratio(sum(all(p.values()) for p in parts), len(parts)) if names else None,
        parts_if_independent=math.prod(sum(p[n] for p in parts) / len(parts) for n in names)
        if names and parts
        else None,
        parts_phi={f"{a}-{b}": phi([(p[a], p[b]) for p in parts]) for a, b in combinations(names, 2)},
        thinking_s_per_unit=ratio(thought.for_units.seconds, thought.units),
        calls_per_unit=ratio(thought.for_units.calls, thought.units),
        waiting_calls=None if thought.waiting is None else thought.waiting.calls,
        waiting_thinking_s=None if thought.waiting is None else thought.waiting.seconds,
        drift=_drift(units),
    )


def _finished(unit: Unit) -> bool:
    """The worker finished it, good or bad."""
    return unit.good is True or unit.cycle_s is not None


def _left_s(unit: Unit, end_s: float) -> float:
    """When the worker had no more to do on it: finished, carried off, or the shift was over."""
    over_s = end_s if unit.ended_s is None else unit.ended_s
    return over_s if unit.cycle_s is None else min(over_s, unit.due_s + unit.cycle_s)


def _over_s(unit: Unit, shift: Outcomes, takt_s: float | None) -> float:
    """The end of a unit, or of its slot."""
    return unit.due_s + (takt_s or 0.0) if unit.ended_s is None else min(unit.ended_s, shift.end_s)


def _first_time(unit: Unit) -> bool:
    return bool(unit.data.get("first_time", True))


def _reason(unit: Unit) -> str:
    return str((unit.data.get("reasons") or ["unstated"])[0])


def _parts(unit: Unit) -> Mapping[str, Any]:
    return unit.data.get("parts") or {}


def _part_good(unit: Unit, name: str) -> bool:
    """A part that the inspection says nothing of is not good, unless the whole unit is."""
    parts = _parts(unit)
    return bool(parts[name].get("good", False)) if name in parts else unit.good is True


def _by_origin(spans: Sequence[Span]) -> dict[str, Faults]:
    found = {}
    for origin in dict.fromkeys([*ORIGINS, *(s.origin for s in spans)]):
        mine = [s for s in spans if s.origin == origin]
        found[origin] = Faults(
            count=len(mine),
            stopping=sum(s.stops for s in mine),
            active_s=length(merged([(s.start_s, s.end_s) for s in mine])),
            downtime_s=length(merged([(s.start_s, s.end_s) for s in mine if s.stops])),
        )
    return found


def _drift(units: Sequence[Unit]) -> Drift:
    rates = halves([u.good is True for u in units])
    done = [(u.due_s if u.ended_s is None else u.ended_s, u.cycle_s) for u in units if u.cycle_s is not None]
    slope = slope_per_h([t for t, _ in done], [c for _, c in done])
    return Drift(
        first_half=rates[0] if rates else None,
        second_half=rates[1] if rates else None,
        change=rates[1] - rates[0] if rates else None,
        change_p=rates[2] if rates else None,
        cycle_s_per_h=slope[0] if slope else None,
        cycle_p=slope[1] if slope else None,
    )


def _positive(value: Any) -> float | None:
    """A finite number above zero, or None: a station without a takt says 0, one without a cycle limit says infinity."""
    if value is None or not math.isfinite(float(value)) or float(value) <= 0:
        return None
    return float(value)
