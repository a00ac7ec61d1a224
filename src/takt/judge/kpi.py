"""KPIs: a shift's events -> figures, by pure functions. Names, formulas and sources: docs/kpi.md.

Which units count is decided once, in `outcomes`: D of them, in due order, all of which had their time. What a figure
means depends on how units fall due (at a beat, at random, one after the other); where it means nothing it is None.

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

import numpy as np
from scipy import stats
from scipy.special import gammainc, gammaln

from takt.contract.events import ARRIVALS, BEAT, FAULT, FAULT_CLEARED, HELP_CALLED, THOUGHT, Event
from takt.contract.figure import Figure
from takt.judge.capability import Level, capability, quantile_s, times_of
from takt.judge.outcomes import Outcomes, Unit

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
    pace: str  # "beat", "arrivals" or "free": how units fall due
    shift_s: float  # how long it ran
    takt_s: float | None
    counted_s: float  # the time that the counted units cover: D takts at a beat (PBT)
    downtime_s: float  # ADOT: a stop of whatever origin
    # What came out, of the units that count
    units: int  # D
    good: int  # GQ
    bad: int
    finished: int  # PQ: the worker finished them, good or bad
    lost_to_stops: int  # not finished, and the station stood still meanwhile
    cut_off: int  # fell due, and still had time when the shift ended
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
    throughput_rate_per_h: float | None
    good_rate_per_h: float | None
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
    # Thinking
    thinking_s_per_unit: float | None
    calls_per_unit: float | None
    # Along the shift
    drift: Drift


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
    shift = Outcomes.of(log)
    started, shift_s, pace = shift.started, shift.end_s, shift.pace
    takt_s = _positive(started.get("takt_s"))
    units = shift.counted
    n, good = len(units), sum(unit.good is True for unit in units)
    finished = sum(_finished(unit) for unit in units)
    produced = [unit for unit in shift.units if _finished(unit)]
    times = times_of(units)

    spans = fault_spans(log, shift_s)
    stops = merged([(s.start_s, s.end_s) for s in spans if s.stops])
    down_s = length(stops)
    lost = sum(not _finished(u) and _overlaps(stops, u.due_s, _over_s(u, shift, takt_s)) for u in units)
    lost = lost if pace == BEAT else 0
    counted_s = _counted_s(shift, takt_s)
    open_ = merged([(unit.due_s, shift_s if unit.ended_s is None else unit.ended_s) for unit in shift.units])
    in_work = merged([(unit.due_s, _left_s(unit, shift_s)) for unit in shift.units])
    own = merged([(s.start_s, s.end_s) for s in spans if s.stops and s.origin == "station"])
    failures = [stop for stop in own if _overlaps(in_work, *stop)]
    productive_s = length(in_work) - _common(in_work, stops)
    limit_s = _positive((started.get("acceptance") or {}).get("cycle_s"))
    if limit_s is None and pace == ARRIVALS:
        limit_s = shift.life_s
    helps = sum(e.kind == HELP_CALLED for e in log)
    thoughts = [e.data for e in log if e.kind == THOUGHT]
    names = list(started.get("parts") or dict.fromkeys(name for unit in units for name in _parts(unit)))
    parts = [{name: _part_good(unit, name) for name in names} for unit in units]

    return Kpis(
        pace=pace,
        shift_s=shift_s,
        takt_s=takt_s,
        counted_s=counted_s,
        downtime_s=down_s,
        units=n,
        good=good,
        bad=n - good,
        finished=finished,
        lost_to_stops=lost,
        cut_off=shift.cut_off if shift.ended else 0,
        good_rate=ratio(good, n),
        not_lost=ratio(n - lost, n) if pace == BEAT else None,
        finished_share=ratio(finished, n - lost),
        quality_ratio=quality_ratio(good, finished),
        effectiveness=effectiveness(
            _positive(started.get("planned_cycle_s")), finished, counted_s - _common(stops, [(0.0, counted_s)])
        ),
        busy=ratio(length(open_), shift_s),
        uptime=ratio(shift_s - down_s, shift_s),
        first_time_quality=first_time_quality(sum(unit.good is True and _first_time(unit) for unit in units), n),
        throughput_rate_per_h=per_hour(len(produced), shift_s),
        good_rate_per_h=per_hour(sum(unit.good is True for unit in produced), shift_s),
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
        help_calls_per_h=per_hour(helps, shift_s),
        failures_by_class=dict(Counter(_reason(unit) for unit in units if not unit.good).most_common()),
        faults_by_origin=_by_origin(spans),
        faults_by_name=dict(Counter(s.name for s in spans).most_common()),
        parts={name: PartRate(n, sum(p[name] for p in parts), ratio(sum(p[name] for p in parts), n)) for name in names},
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


def effectiveness(planned_cycle_s: float | None, produced: int, production_s: float) -> float | None:
    """Effectiveness = PRI * PQ / APT (ISO 22400-2, "Effectiveness"). None without a planned run time per item.

    PRI is the *planned* run time per item of the work plan, not the customer's takt and not the mean time between
    arrivals; so it is a figure only where a station declares one. A worker that is faster than planned exceeds 1, as
    the standard has it.
    """
    return ratio(planned_cycle_s * produced, production_s) if planned_cycle_s is not None else None


def quality_ratio(good: int, produced: int) -> float | None:
    """Quality ratio = GQ / PQ (ISO 22400-2, "Quality ratio"): good units of those produced (see `effectiveness`)."""
    return ratio(good, produced)


def first_time_quality(good_first_time: int, started: int) -> float | None:
    """First time quality = (N - S - R) / N (GM GP-8 item 13: N started, S scrapped, R reworked or repaired).

    The same as first pass yield = GP / IP (ISO 22400-2, "First pass yield": good at first pass, of those inspected).
    """
    return ratio(good_first_time, started)


def attainment(times_s: Sequence[float], limit_s: float | None) -> float | None:
    """Share of units that were good within `limit_s` of falling due; `times_s` is infinite for those that were not.

    Takt's own figure: GP-9 asks that the required rate be sustained, and this says in how many units it was. A worker
    that fails fast has attained nothing.
    """
    return None if limit_s is None else ratio(sum(t <= limit_s for t in times_s), len(times_s))


def mtbf_s(productive_s: float, failures: int) -> float | None:
    """Mean productive time between failures = productive time / failures in it (SEMI E10, MTBFp). None without any.

    A failure is the equipment's, a stop by one of the station's own faults while there was work; stops that overlap
    are one. What the worker or the harness did is in `faults_by_origin`. A bad unit is not a failure: see
    `time_between_bad_s`.
    """
    return ratio(productive_s, failures)


def mtbf_lower_s(productive_s: float, failures: int, confidence: float = MTBF_CONFIDENCE) -> float | None:
    """Lower bound of the MTBF at a constant failure rate, right however often one looks.

    The usual one (SEMI E10: 2 T / chi2) is for one look at a time fixed before. Here T = `productive_s` and, for an
    MTBF of theta, x = T / theta: a gambler who spreads his bets evenly over all failure rates below 1/theta owns
    M = e^x gamma(r+1, x) / x^(r+1) after r failures, gamma the lower incomplete gamma function: at most a martingale
    if the true MTBF is theta or less, so theta is refuted at M = 1/alpha. T / theta = 4.51, 6.85, 8.85 for r = 0, 1, 2.
    """
    if productive_s <= 0:
        return None
    r = failures

    def log_m(x: float) -> float:
        return x + math.log(gammainc(r + 1, x)) + float(gammaln(r + 1)) - (r + 1) * math.log(x)

    wanted = -math.log(1 - confidence)
    low = high = float(r + 1)  # from here on M rises with x
    while log_m(high) < wanted:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if log_m(middle) < wanted else (low, middle)
    return productive_s / high


def mttr_s(downtime_s: float, failures: int) -> float | None:
    """Mean time to restoration = down time / failures (SEMI E10, MTTR).

    Of the same failures as the MTBF. A stop still open at the shift's end counts as far as it got.
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


def _overlaps(intervals: Sequence[tuple[float, float]], start_s: float, end_s: float) -> bool:
    return any(a < end_s and b > start_s for a, b in intervals)


def _common(one: Sequence[tuple[float, float]], two: Sequence[tuple[float, float]]) -> float:
    """Seconds that are in both unions of intervals."""
    found, i, j = 0.0, 0, 0
    while i < len(one) and j < len(two):
        found += max(0.0, min(one[i][1], two[j][1]) - max(one[i][0], two[j][0]))
        i, j = (i + 1, j) if one[i][1] <= two[j][1] else (i, j + 1)
    return found


def _counted_s(shift: Outcomes, takt_s: float | None) -> float:
    """The time that the counted units cover."""
    if shift.pace == BEAT and takt_s is not None:
        return len(shift.counted) * takt_s
    return max(0.0, shift.end_s - (shift.life_s or 0.0 if shift.ended in ("", "time") else 0.0))


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
    return "open" if unit.good is None else str((unit.data.get("reasons") or ["unstated"])[0])


def _parts(unit: Unit) -> Mapping[str, Any]:
    return unit.data.get("parts") or {}


def _part_good(unit: Unit, name: str) -> bool:
    """A part that the inspection says nothing of is not good, unless the whole unit is."""
    parts = _parts(unit)
    return bool(parts[name].get("good", False)) if name in parts else unit.good is True


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


# --- The table --------------------------------------------------------------------------------------------------------


HEADLINES = {
    BEAT: ("Run@Rate", "good / due, GM GP-9; what is judged"),
    ARRIVALS: ("Service level", "good in time / due; what is judged"),
}


def rows(k: Kpis) -> list[Figure]:
    """The KPI table, in the order in which a plant reads it, without what means nothing at this station."""
    iso, e10, own = "ISO 22400-2", "SEMI E10", "Takt"
    headline = HEADLINES.get(k.pace, ("Good rate", "good / begun; what is judged"))
    late = f"> {k.takt_s:g}" if k.pace == BEAT and k.takt_s is not None else "never"
    due = {BEAT: "their slot is over", ARRIVALS: "had all their time"}.get(k.pace, "begun and ended")
    table = [
        Figure("units", "Units", str(k.units), "", f"due, and {due}" if k.pace in HEADLINES else due),
        Figure("good", "Good units", str(k.good), "", "GQ, ISO 22400-2"),
        Figure("good_rate", headline[0], _percent(k.good_rate), "%", headline[1]),
    ]
    if k.pace == BEAT:
        table.append(Figure("not_lost", "  not lost to stops", _percent(k.not_lost), "%", "(due - lost) / due"))
    rest = "finished / (due - lost)" if k.pace == BEAT else "finished / due"
    table += [
        Figure("finished_share", "  finished by the worker", _percent(k.finished_share), "%", rest),
        Figure("quality_ratio", "  quality ratio", _percent(k.quality_ratio), "%", f"GQ/PQ, {iso}"),
    ]
    if k.effectiveness is not None:
        table.append(Figure("effectiveness", "Effectiveness", _percent(k.effectiveness), "%", f"PRI*PQ/APT, {iso}"))
    if k.pace != BEAT:
        table.append(Figure("busy", "Busy", _percent(k.busy), "%", "time with a unit open"))
    if k.cut_off > (k.pace == BEAT):  # at a beat there is always one
        table.append(Figure("cut_off", "Cut off by the end", str(k.cut_off), "", "due, with time left; not counted"))
    table += [
        Figure("uptime", "Uptime", _percent(k.uptime), "%", "time without a stop"),
        Figure("first_time_quality", "First-time quality", _percent(k.first_time_quality), "%", f"GM GP-8; FPY, {iso}"),
        Figure("throughput_rate_per_h", "Throughput rate", _number(k.throughput_rate_per_h), "/h", f"PQ/AOET, {iso}"),
        Figure("good_rate_per_h", "Good units per hour", _number(k.good_rate_per_h), "/h", "GM GP-9"),
    ]
    if k.takt_attainment is not None:
        table.append(
            Figure("takt_attainment", "Takt attainment", _percent(k.takt_attainment), "%", "good within the takt / due")
        )
    if k.cycle_attainment is not None:
        table.append(
            Figure("cycle_attainment", "In time", _percent(k.cycle_attainment), "%", "good within the limit / due")
        )
    table += [
        Figure("cycle_mean_s", "Cycle time, mean", _number(k.cycle_mean_s), "s", "good units"),
        Figure("cycle_p50_s", "Cycle time, median", _late(k.cycle_p50_s, k, late), "s", "all due; not good is never"),
        Figure("cycle_p95_s", "Cycle time, 95 %", _late(k.cycle_p95_s, k, late), "s", "all due; not good is never"),
    ]
    for level in k.capability:
        if level.level in (0.9, 0.95, 0.99) and level.alone_s is not None:
            share = f"{100 * level.level:g}"
            about = f"for {share} % of units, 95 % sure at any look; worked at this takt"
            table.append(Figure(f"holds_{share}", f"Holds, {share} %", _number(level.alone_s), "s", about))
    table += [
        Figure("failures", "Failures (stops)", str(k.failures), "", "of whatever origin"),
        Figure("equipment_failures", "  of the equipment", str(k.equipment_failures), "", f"in work, {e10}"),
        Figure("mtbf_s", "MTBF", _minutes(k.mtbf_s), "min", f"MTBFp, {e10}: productive time"),
        Figure("mtbf_lower_s", "MTBF, lower bound 95 %", _minutes(k.mtbf_lower_s), "min", "at any look"),
        Figure("mttr_s", "MTTR", _minutes(k.mttr_s), "min", e10),
        Figure("downtime_s", "Downtime", _minutes(k.downtime_s), "min", f"ADOT, {iso}; of any origin"),
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


def _late(value: float | None, k: Kpis, late: str) -> str:
    """A quantile of cycle times; one that is beyond every good unit's says so."""
    return late if value is None and k.units else _number(value)


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value / 60:.1f}"


def _p(value: float | None, test: str) -> str:
    return test if value is None else f"p = {value:.2g}, {test}"
