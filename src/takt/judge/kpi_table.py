"""The KPI table of a shift, in the order in which a plant reads it."""

from __future__ import annotations

from takt.contract.events import ARRIVALS, BEAT
from takt.contract.figure import Figure, per_cent
from takt.judge.kpi import Kpis

HEADLINES = {
    BEAT: ("Run@Rate", "good / due, GM GP-9; what is judged"),
    ARRIVALS: ("Service level", "good in time / due; what is judged"),
}


def rows(k: Kpis) -> list[Figure]:
    """The KPI table, in the order in which a plant reads it, without what means nothing at this station."""
    iso, e10, own = "ISO 22400-2", "SEMI E10", "Takt"
    of_units = "all of it, waiting included" if k.waiting_calls is None else "while a unit was open"
    headline = HEADLINES.get(k.pace, ("Good rate", "good / begun; what is judged"))
    late = f"> {k.takt_s:g}" if k.pace == BEAT and k.takt_s is not None else "never"
    table = [
        Figure("units", "Units", str(k.units), "", "judged, in due order; all figures are of these"),
        Figure("good", "Good units", str(k.good), "", "GQ, ISO 22400-2"),
        Figure("bad", "Bad units", str(k.bad), "", "judged, ended, not good"),
    ]
    if k.open:
        table.append(Figure("open", "Open units", str(k.open), "", "judged, not ended; in no rate"))
    if k.cut_off:
        about = f"due, without all their time; {k.cut_off_finished} finished, not judged"
        table.append(Figure("cut_off", "Cut off by the end", str(k.cut_off), "", about))
    table += [
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
    table += [
        Figure("uptime", "Uptime", _percent(k.uptime), "%", "time without a stop"),
        Figure("first_time_quality", "First-time quality", _percent(k.first_time_quality), "%", f"GM GP-8; FPY, {iso}"),
        Figure("throughput_rate_per_h", "Throughput rate", _number(k.throughput_rate_per_h), "/h", f"PQ/AOET, {iso}"),
        Figure(
            "good_rate_per_h", "Good units per hour", _number(k.good_rate_per_h), "/h", "good / their time, GM GP-9"
        ),
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
        Figure("thinking_s_per_unit", "Thinking, per unit ended", _number(k.thinking_s_per_unit, 2), "s", of_units),
        Figure("calls_per_unit", "Times asked, per unit ended", _number(k.calls_per_unit), "", of_units),
    ]
    if k.waiting_calls:
        took = f"no unit open; {_number(k.waiting_thinking_s)} s of thinking"
        table.append(Figure("waiting_calls", "Times asked, waiting", f"{k.waiting_calls:,}", "", took))
    table += [
        Figure("drift_good", "Good rate, 2nd half - 1st", _percent(d.change, "+"), "%", _p(d.change_p, "Fisher exact")),
        Figure("drift_cycle", "Cycle time drift", _number(d.cycle_s_per_h, 2, "+"), "s/h", _p(d.cycle_p, "Theil-Sen")),
    ]
    return table


def _percent(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{100 * value:{sign}.1f}" if sign else per_cent(value)


def _number(value: float | None, digits: int = 1, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.{digits}f}"


def _late(value: float | None, k: Kpis, late: str) -> str:
    """A quantile of cycle times; one that is beyond every good unit's says so."""
    return late if value is None and k.units else _number(value)


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value / 60:.1f}"


def _p(value: float | None, test: str) -> str:
    return test if value is None else f"p = {value:.2g}, {test}"
