"""KPIs: a shift's events -> figures, by pure functions. Names, formulas and sources: docs/kpi.md.

Sources, as cited below:
    ISO 22400-2   ISO 22400-2:2014, KPIs for manufacturing operations management: time elements (PBT, APT, ADOT, PRI),
                  quantities (PQ, GQ, GP) and KPI definitions.
    SEMI E10      equipment reliability, availability and maintainability: MTBFp, MCBF, MTTR.
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

import numpy as np
from scipy import stats

from takt.events import (
    FAULT,
    FAULT_CLEARED,
    HELP_CALLED,
    SHIFT_STARTED,
    THOUGHT,
    UNIT_BAD,
    UNIT_GOOD,
    Event,
)
from takt.figure import Figure

ORIGINS = ("station", "worker", "harness")
MTBF_CONFIDENCE = 0.95  # of `mtbf_lower_s`
SLOPE_UNITS = 1500  # Theil-Sen looks at all pairs: beyond this many units, evenly spaced ones are taken


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
    shift_s: float  # how long it ran; PBT
    takt_s: float | None  # PRI
    downtime_s: float  # ADOT
    production_s: float  # APT
    # What came out
    units: int  # inspected: good + bad
    good: int
    bad: int
    finished: int  # PQ: the worker finished them (in time or not)
    good_rate: float | None  # what the verdict judges
    # ISO 22400-2
    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None
    oee: float | None
    first_time_quality: float | None
    throughput_rate_per_h: float | None
    good_rate_per_h: float | None
    # Takt and cycle
    takt_attainment: float | None
    cycle_attainment: float | None  # within the acceptance's cycle_s
    cycle_mean_s: float | None
    cycle_p50_s: float | None
    cycle_p95_s: float | None
    # Failures
    failures: int  # stops of the station
    mtbf_s: float | None
    mtbf_lower_s: float | None
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
    # Thinking
    thinking_s_per_unit: float | None
    calls_per_unit: float | None
    # Along the shift
    drift: Drift


@dataclass(frozen=True, slots=True)
class _Unit:
    t_s: float
    good: bool
    first_time: bool
    cycle_s: float | None
    parts: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class _Span:
    """A fault from its beginning to its end."""

    start_s: float
    end_s: float
    name: str
    origin: str
    stops: bool


def kpis(events: Iterable[Event]) -> Kpis:
    """All figures of the shift whose ledger `events` is, finished or still running."""
    log = list(events)
    started: Mapping[str, Any] = next((e.data for e in log if e.kind == SHIFT_STARTED), {})
    shift_s = max((e.t_s for e in log), default=0.0)
    takt_s = _positive(started.get("takt_s"))
    acceptance = started.get("acceptance") or {}
    units = [_unit(e) for e in log if e.kind in (UNIT_GOOD, UNIT_BAD)]
    good = sum(u.good for u in units)
    finished = sum(u.good or u.cycle_s is not None for u in units)
    cycles = [u.cycle_s for u in units if u.cycle_s is not None]

    spans = fault_spans(log, shift_s)
    stops = merged([(s.start_s, s.end_s) for s in spans if s.stops])
    down_s = length(stops)
    up_s = shift_s - down_s
    helps = sum(e.kind == HELP_CALLED for e in log)
    thoughts = [e.data for e in log if e.kind == THOUGHT]
    names = list(started.get("parts") or dict.fromkeys(name for u in units for name in u.parts))
    parts = [{name: _part_good(u, name) for name in names} for u in units]

    return Kpis(
        shift_s=shift_s,
        takt_s=takt_s,
        downtime_s=down_s,
        production_s=up_s,
        units=len(units),
        good=good,
        bad=len(units) - good,
        finished=finished,
        good_rate=ratio(good, len(units)),
        availability=availability(up_s, shift_s),
        effectiveness=effectiveness(takt_s, finished, up_s),
        quality_ratio=quality_ratio(good, finished),
        oee=oee(takt_s, good, shift_s),
        first_time_quality=first_time_quality(sum(u.good and u.first_time for u in units), len(units)),
        throughput_rate_per_h=per_hour(finished, shift_s),
        good_rate_per_h=per_hour(good, shift_s),
        takt_attainment=attainment([u.cycle_s for u in units], takt_s),
        cycle_attainment=attainment([u.cycle_s for u in units], _positive(acceptance.get("cycle_s"))),
        cycle_mean_s=float(np.mean(cycles)) if cycles else None,
        cycle_p50_s=float(np.quantile(cycles, 0.5)) if cycles else None,
        cycle_p95_s=float(np.quantile(cycles, 0.95)) if cycles else None,
        failures=len(stops),
        mtbf_s=mtbf_s(up_s, len(stops)),
        mtbf_lower_s=mtbf_lower_s(up_s, len(stops)),
        mttr_s=mttr_s(down_s, len(stops)),
        time_between_bad_s=ratio(shift_s, len(units) - good),
        units_between_bad=ratio(len(units), len(units) - good),
        help_calls=helps,
        help_calls_per_h=per_hour(helps, shift_s),
        failures_by_class=dict(Counter(u.reason for u in units if not u.good).most_common()),
        faults_by_origin=_by_origin(spans),
        faults_by_name=dict(Counter(s.name for s in spans).most_common()),
        parts={
            n: PartRate(len(parts), sum(p[n] for p in parts), ratio(sum(p[n] for p in parts), len(parts)))
            for n in names
        },
        parts_all_good_rate=ratio(sum(all(p.values()) for p in parts), len(parts)) if names else None,
        parts_if_independent=math.prod(sum(p[n] for p in parts) / len(parts) for n in names)
        if names and parts
        else None,
        parts_phi={f"{a}-{b}": phi([(p[a], p[b]) for p in parts]) for a, b in combinations(names, 2)},
        thinking_s_per_unit=ratio(sum(float(t["seconds"]) for t in thoughts), len(thoughts)),
        calls_per_unit=ratio(sum(int(t["calls"]) for t in thoughts), len(thoughts)),
        drift=_drift(units),
    )


# --- The formulas -----------------------------------------------------------------------------------------------------


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def per_hour(count: float, seconds: float) -> float | None:
    """Throughput rate = PQ / AOET (ISO 22400-2, "Throughput rate"), per hour; for any other count, that many per hour.

    AOET, the order's execution time, is the shift here: one order, from its first second to its last.
    """
    return ratio(count * 3600.0, seconds)


def availability(production_s: float, planned_s: float) -> float | None:
    """Availability = APT / PBT (ISO 22400-2, "Availability").

    PBT, planned busy time, is the shift: it has no planned stop. APT, actual production time, is PBT less ADOT, the
    time in which a stopping fault (of whatever origin) held the station.
    """
    return ratio(production_s, planned_s)


def effectiveness(takt_s: float | None, produced: int, production_s: float) -> float | None:
    """Effectiveness = PRI * PQ / APT (ISO 22400-2, "Effectiveness").

    PRI, planned run time per item, is the takt. PQ, produced quantity, counts units the worker finished: one carried
    off unfinished is a loss of speed, not of quality.
    """
    return ratio(takt_s * produced, production_s) if takt_s is not None else None


def quality_ratio(good: int, produced: int) -> float | None:
    """Quality ratio = GQ / PQ (ISO 22400-2, "Quality ratio"): good units of those produced (see `effectiveness`)."""
    return ratio(good, produced)


def oee(takt_s: float | None, good: int, planned_s: float) -> float | None:
    """OEE index = availability * effectiveness * quality ratio (ISO 22400-2, "Overall equipment effectiveness index").

    The product cancels to PRI * GQ / PBT, which is computed here because it is defined even where a factor is not
    (nothing produced: 0). It is also what a run at rate compares: good units made, over units the rate asks for
    (GM GP-9, good parts against contracted capacity).
    """
    return ratio(takt_s * good, planned_s) if takt_s is not None else None


def first_time_quality(good_first_time: int, started: int) -> float | None:
    """First time quality = (N - S - R) / N (GM GP-8 item 13: N started, S scrapped, R reworked or repaired).

    The same as first pass yield = GP / IP (ISO 22400-2, "First pass yield": good at first pass, of those inspected).
    """
    return ratio(good_first_time, started)


def attainment(cycles: Sequence[float | None], limit_s: float | None) -> float | None:
    """Share of units finished within `limit_s` of falling due. A unit never finished counts as not attained.

    Takt's own figure: GP-9 asks that the required rate be sustained, and this says in how many units it was.
    """
    if limit_s is None:
        return None
    return ratio(sum(c is not None and c <= limit_s for c in cycles), len(cycles))


def mtbf_s(production_s: float, failures: int) -> float | None:
    """Mean time between failures = productive time / failures in it (SEMI E10, MTBFp). None if there was none.

    A failure is the station being stopped by a fault; stops that overlap are one failure, since one that strikes while
    the station is down does not interrupt production. A bad unit is not a failure: see `time_between_bad_s`.
    ISO 22400-2 has sum(TBF) / (FE + 1), whose "+ 1" counts the unfinished interval at the end as one that ended; we
    take E10's, which is also the maximum-likelihood estimate when the last interval is cut off by the shift's end.
    """
    return ratio(production_s, failures)


def mtbf_lower_s(production_s: float, failures: int, confidence: float = MTBF_CONFIDENCE) -> float | None:
    """One-sided lower confidence bound of the MTBF: 2 T / chi2(confidence; 2 r + 2) (SEMI E10, uncertainty; constant
    failure rate, time-terminated). Defined with no failure at all: T / 3.0 at 95 %."""
    return 2.0 * production_s / float(stats.chi2.ppf(confidence, 2 * failures + 2)) if production_s > 0 else None


def mttr_s(downtime_s: float, failures: int) -> float | None:
    """Mean time to restoration = down time / failures (SEMI E10, MTTR).

    A stop still open at the shift's end counts as far as it got, so availability = MTBF / (MTBF + MTTR) always holds.
    """
    return ratio(downtime_s, failures)


def phi(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Correlation of two yes-no variables, (n11 n00 - n10 n01) / sqrt(n1. n0. n.1 n.0) (Yule 1912; Pearson's r of 0/1).

    None if either never varies.
    """
    n = Counter(pairs)
    n11, n10, n01, n00 = n[True, True], n[True, False], n[False, True], n[False, False]
    spread = (n11 + n10) * (n01 + n00) * (n11 + n01) * (n10 + n00)
    return (n11 * n00 - n10 * n01) / math.sqrt(spread) if spread else None


def halves(goods: Sequence[bool]) -> tuple[float, float, float] | None:
    """Good rate of the first and the second half, and the two-sided p-value of their difference (Fisher's exact test).

    None for fewer than two units.
    """
    half = len(goods) // 2
    if half == 0:
        return None
    a, b = sum(goods[:half]), sum(goods[half:])
    n_b = len(goods) - half
    p = float(stats.fisher_exact([[a, half - a], [b, n_b - b]]).pvalue)
    return a / half, b / n_b, min(p, 1.0)


def slope_per_h(t_s: Sequence[float], cycles: Sequence[float]) -> tuple[float, float] | None:
    """Seconds of cycle time gained per hour of shift (Theil 1950, Sen 1968: the median of all pairwise slopes), and its
    p-value by Kendall's tau, the rank test that the Theil-Sen slope belongs to. None for fewer than three units."""
    if len(cycles) < 3 or min(t_s) == max(t_s):
        return None
    take = np.unique(np.linspace(0, len(cycles) - 1, min(len(cycles), SLOPE_UNITS)).round().astype(int))
    hours, seconds = np.asarray(t_s)[take] / 3600.0, np.asarray(cycles)[take]
    if seconds.min() == seconds.max():
        return 0.0, 1.0
    slope = float(stats.theilslopes(seconds, hours).slope)
    p = float(stats.kendalltau(hours, seconds).pvalue)
    return slope, p


# --- From events to what the formulas need ----------------------------------------------------------------------------


def fault_spans(events: Iterable[Event], end_s: float) -> list[_Span]:
    """Each fault from `fault` to its `fault_cleared`; one still running at the end lasts until `end_s`."""
    open_: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    spans = []
    for e in events:
        if e.kind not in (FAULT, FAULT_CLEARED):
            continue
        key = (str(e.data["name"]), str(e.data.get("origin", "station")))
        if e.kind == FAULT:
            open_.setdefault(key, []).append((e.t_s, bool(e.data.get("stops", False))))
        elif open_.get(key):
            start_s, stops = open_[key].pop(0)
            spans.append(_Span(start_s, e.t_s, *key, stops))
    spans += [_Span(start_s, end_s, *key, stops) for key, left in open_.items() for start_s, stops in left]
    return sorted(spans, key=lambda s: s.start_s)


def merged(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The union of intervals: those that overlap or touch become one."""
    union: list[tuple[float, float]] = []
    for start, end in sorted(intervals):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((start, end))
    return union


def length(intervals: Iterable[tuple[float, float]]) -> float:
    return float(sum(end - start for start, end in intervals))


def _unit(event: Event) -> _Unit:
    good = event.kind == UNIT_GOOD
    reasons = event.data.get("reasons") or ["unstated"]
    return _Unit(
        t_s=event.t_s,
        good=good,
        first_time=bool(event.data.get("first_time", True)),
        cycle_s=event.data.get("cycle_s"),
        parts=event.data.get("parts") or {},
        reason="" if good else str(reasons[0]),
    )


def _part_good(unit: _Unit, name: str) -> bool:
    """A part that the inspection says nothing of is not good, unless the whole unit is."""
    return bool(unit.parts[name].get("good", False)) if name in unit.parts else unit.good


def _by_origin(spans: Sequence[_Span]) -> dict[str, Faults]:
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


def _drift(units: Sequence[_Unit]) -> Drift:
    rates = halves([u.good for u in units])
    done = [(u.t_s, u.cycle_s) for u in units if u.cycle_s is not None]
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


# --- The table --------------------------------------------------------------------------------------------------------


def rows(k: Kpis) -> list[Figure]:
    """The KPI table, in the order in which a plant reads it. CLI and report print it as it is."""
    iso, e10, own = "ISO 22400-2", "SEMI E10", "Takt"
    table = [
        Figure("units", "Units", str(k.units), "", "inspected"),
        Figure("good", "Good units", str(k.good), "", "GQ, ISO 22400-2"),
        Figure("good_rate", "Good rate", _percent(k.good_rate), "%", "good / units; the verdict's"),
        Figure("availability", "Availability", _percent(k.availability), "%", f"APT/PBT, {iso}"),
        Figure("effectiveness", "Effectiveness", _percent(k.effectiveness), "%", f"PRI*PQ/APT, {iso}"),
        Figure("quality_ratio", "Quality ratio", _percent(k.quality_ratio), "%", f"GQ/PQ, {iso}"),
        Figure("oee", "OEE index", _percent(k.oee), "%", f"{iso}; GM GP-9"),
        Figure("first_time_quality", "First-time quality", _percent(k.first_time_quality), "%", f"GM GP-8; FPY, {iso}"),
        Figure("throughput_rate_per_h", "Throughput rate", _number(k.throughput_rate_per_h), "/h", f"PQ/AOET, {iso}"),
        Figure("good_rate_per_h", "Good units per hour", _number(k.good_rate_per_h), "/h", "GM GP-9"),
        Figure(
            "takt_attainment", "Takt attainment", _percent(k.takt_attainment), "%", f"{own}; unfinished = not attained"
        ),
        Figure("cycle_mean_s", "Cycle time, mean", _number(k.cycle_mean_s), "s", "finished units"),
        Figure("cycle_p50_s", "Cycle time, median", _number(k.cycle_p50_s), "s", "finished units"),
        Figure("cycle_p95_s", "Cycle time, 95 %", _number(k.cycle_p95_s), "s", "finished units"),
        Figure("failures", "Failures (stops)", str(k.failures), "", e10),
        Figure("mtbf_s", "MTBF", _minutes(k.mtbf_s), "min", f"MTBFp, {e10}"),
        Figure("mtbf_lower_s", "MTBF, lower bound 95 %", _minutes(k.mtbf_lower_s), "min", f"chi-square, {e10}"),
        Figure("mttr_s", "MTTR", _minutes(k.mttr_s), "min", e10),
        Figure("downtime_s", "Downtime", _minutes(k.downtime_s), "min", f"ADOT, {iso}"),
        Figure("time_between_bad_s", "Mean time between bad units", _minutes(k.time_between_bad_s), "min", own),
        Figure("units_between_bad", "Mean units between bad", _number(k.units_between_bad), "", f"MCBF form, {e10}"),
        Figure("help_calls_per_h", "Help calls", _number(k.help_calls_per_h), "/h", f"assists, {e10}"),
    ]
    for name, part in k.parts.items():
        table.append(
            Figure(f"part_{name}", f"Good rate, {name}", _percent(part.rate), "%", f"{part.good} of {part.units}")
        )
    if len(k.parts) > 1:
        table.append(Figure("parts_all", "Good rate, all parts", _percent(k.parts_all_good_rate), "%", "joint"))
        table.append(
            Figure("parts_independent", "... if independent", _percent(k.parts_if_independent), "%", "product of parts")
        )
        for pair, value in k.parts_phi.items():
            table.append(Figure(f"phi_{pair}", f"Correlation, {pair}", _number(value, 2), "", "phi, Yule 1912"))
    for reason, count in k.failures_by_class.items():
        table.append(Figure(f"bad_{reason}", f"Bad: {reason}", str(count), "", "main reason"))
    for origin, f in k.faults_by_origin.items():
        about = f"{f.stopping} stopping, {_minutes(f.downtime_s)} min down"
        table.append(Figure(f"faults_{origin}", f"Faults of the {origin}", str(f.count), "", about))
    d = k.drift
    table += [
        Figure("thinking_s_per_unit", "Thinking per unit", _number(k.thinking_s_per_unit, 2), "s", own),
        Figure("calls_per_unit", "Calls per unit", _number(k.calls_per_unit), "", own),
        Figure("drift_good", "Good rate, 2nd half - 1st", _percent(d.change, "+"), "%", _p(d.change_p, "Fisher exact")),
        Figure("drift_cycle", "Cycle time drift", _number(d.cycle_s_per_h, 2, "+"), "s/h", _p(d.cycle_p, "Theil-Sen")),
    ]
    return table


def _percent(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{100 * value:{sign}.1f}"


def _number(value: float | None, digits: int = 1, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.{digits}f}"


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value / 60:.1f}"


def _p(value: float | None, test: str) -> str:
    return test if value is None else f"p = {value:.2g}, {test}"
