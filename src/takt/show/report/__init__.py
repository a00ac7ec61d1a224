"""A shift as one HTML page: verdict first, then the figures, then every unit that was not good.

The page needs no network and no JavaScript. `page` is a pure function of the shift's events; only the pictures of
failed units (pictures.py) and what the station itself has to say need more than events.
"""

from __future__ import annotations

import math
import os
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, combinations
from pathlib import Path
from typing import Any

from takt.contract.events import HELP_CALLED, SHIFT_STARTED, UNIT_DUE, UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.station import Account, Table, TaktError
from takt.draw.pages import templates
from takt.judge.outcomes import Outcomes
from takt.ledger import Ledger
from takt.ledger.store import place_of
from takt.ledger.trust import NOTHING, Named, words_again
from takt.shift import Shift
from takt.shift.account import account_of, bad_table_of, sections_of
from takt.shift.verification import standing_of
from takt.show.reasons import in_words
from takt.show.report.pictures import Pictures, pictures_of
from takt.show.seen import Group, seen_and_done
from takt.show.thinking import spent
from takt.writing import PAGE, not_named, whole_file

MOST_TILES = 6  # in a row, beside the good units
NO_PICTURES = Pictures({})
TILES = (
    "good_rate",
    "takt_attainment",
    "cycle_p50_s",
    "cycle_p95_s",
    "help_calls_per_h",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit that has ended, as the page needs it. Times in seconds of station time. `judged`: it counts."""

    number: int
    due_s: float
    ended_s: float
    good: bool
    cycle_s: float | None
    parts: Mapping[str, bool]
    reasons: tuple[str, ...]
    meanwhile: tuple[str, ...]  # faults that were there, and calls for help
    judged: bool = True


def write_report(
    ledger: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    pictures: bool = True,
    work_again: bool = False,
    named: Named = NOTHING,
    on_picture: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the report of the shift in `ledger` to `out` (by default beside it, as .html), and return its path.

    work_again   work the failed units again where the station can draw them in no other way: that opens the shift's
                 worker, which a report does not do else. `named` has what of it the user named (trust.py).

    `on_picture(done, of)` is called after every picture of a failed unit.
    """
    ledger = place_of(ledger)
    out = not_named(ledger.with_suffix(".html")) if out is None else Path(out)
    with Ledger.open(ledger) as book, whole_file(out, PAGE, [ledger]) as new:
        shift = Shift.of(book)
        account = account_of(shift)
        table = bad_table_of(account)
        if not pictures:
            shots = Pictures({}, "This report was made without pictures." if table is None else "")
        else:
            shots = Pictures({}) if table is not None else pictures_of(book, shift, work_again, named, on_picture)
        standing = standing_of(book, shift.digest)
        new.write_text(page(shift, shots, account, table, str(standing)), encoding="utf-8")
    return out


def page(
    shift: Shift,
    pictures: Pictures = NO_PICTURES,
    account: Account | None = None,
    bad_table: Table | None = None,
    standing: str = "",
) -> str:
    """The page; `account` is what the station has to say, `standing` what stands behind the figures."""
    from jinja2 import UndefinedError

    from takt.judge.kpi import kpis
    from takt.judge.kpi_table import rows
    from takt.judge.verdict import bounds_over_time, notes, verdict

    events = shift.seen
    started: Mapping[str, Any] = next((e.data for e in events if e.kind == SHIFT_STARTED), {})
    end_s = shift.now_s
    units = ended_units(events)
    judged_units = [unit for unit in units if unit.judged]
    figures = kpis(events)
    table, judged = rows(figures), verdict(events)
    more = () if account is None else account.figures
    first = [row for name in (() if account is None else account.first) for row in more if row.name == name]
    causes = {} if account is None else account.causes
    drawn = templates(Path(__file__).parent).get_template("page.html.j2")
    try:
        return drawn.render(
            shift=shift,
            started=started,
            meta=shift.meta,
            path=shlex.quote(str(shift.path or "SHIFT")),
            again=words_again(shift.meta),
            end_s=end_s,
            verdict=judged,
            gauge=_gauge(judged),
            rows=[*first, *table, *(row for row in more if row not in first)],
            tiles=[*first, *(row for name in TILES for row in table if row.name == name)][:MOST_TILES],
            units=units,
            judged_units=judged_units,
            bad=[unit for unit in units if not unit.good],
            classes=_classes(judged_units, causes),
            causes=causes,
            told_bad=bad_table,
            seen_done=_of_units(seen_and_done(events, str(shift.meta["station"])), judged_units),
            pairs=[_pair(a, b, judged_units) for a, b in combinations(started.get("parts") or (), 2)][:3],
            notes=notes(judged),
            plots=_plots(units, events, started, judged, bounds_over_time(events), end_s) if units else {},
            spent=spent(events, shift.meta.get("worker_options")),
            told_why=lambda reason: in_words(str(shift.meta["station"]), str(reason)),
            sections=sections_of(account),
            pictures=pictures,
            standing=standing,
        )
    except UndefinedError as error:  # the ledger lacks what every shift writes: a stranger's, or damaged
        lacks = str(error).replace("'takt.ledger.wellformed.Told object' has no attribute", "it lacks")
        raise TaktError(f"{shift.path or 'the ledger'} is damaged: no page can be made of it: {lacks}") from error


def ended_units(events: Sequence[Event]) -> list[Unit]:
    """The units that have ended, in order."""
    from takt.judge.spans import fault_spans

    spans = fault_spans(events, max((e.t_s for e in events), default=0.0))
    helped = [e for e in events if e.kind == HELP_CALLED]
    judged = {unit.number for unit in Outcomes.of(events).judged}
    due_s: dict[int | None, float] = {}
    units = []
    for event in events:
        if event.kind == UNIT_DUE:
            due_s[event.unit] = event.t_s
        if event.kind not in UNIT_ENDED or event.unit is None:
            continue
        begun_s = due_s.get(event.unit, event.t_s)
        there = [span.name for span in spans if span.start_s < event.t_s and span.end_s > begun_s]
        calls = [f"help called: {e.data.get('why', '')}".rstrip(": ") for e in helped if begun_s <= e.t_s <= event.t_s]
        good = event.kind == UNIT_GOOD
        parts = {str(name): bool(part.get("good", False)) for name, part in (event.data.get("parts") or {}).items()}
        reasons = () if good else tuple(str(reason) for reason in event.data.get("reasons") or ["unstated"])
        cycle_s = event.data.get("cycle_s")
        meanwhile = tuple(dict.fromkeys([*there, *calls]))
        counts = event.unit in judged
        units.append(Unit(event.unit, begun_s, event.t_s, good, cycle_s, parts, reasons, meanwhile, counts))
    return units


def _gauge(judged: Any) -> dict[str, float]:
    """Where the verdict's marks lie on a line from `low` to 100 %, in percent of its length."""
    marks = {"lower": judged.lower, "upper": judged.upper, "required": judged.required}
    if judged.good_rate is not None:
        marks["rate"] = judged.good_rate
    low = max(0.0, math.floor(10 * (min(marks.values()) - 0.02)) / 10)
    return {"low": low} | {name: 100 * (value - low) / (1 - low) for name, value in marks.items()}


def _classes(units: Sequence[Unit], causes: Mapping[int, str]) -> list[tuple[str, str, int, float]]:
    """Main failure class and its cause where one is told, how many, and their share of the commonest, in percent."""
    bad = [unit for unit in units if not unit.good]
    counted = Counter((unit.reasons[0], causes.get(unit.number, "")) for unit in bad).most_common()
    return [(name, cause, count, 100 * count / counted[0][1]) for (name, cause), count in counted]


def _of_units(groups: Sequence[Group], units: Sequence[Unit]) -> list[Group]:
    """The groups, of these units alone."""
    numbers = {unit.number for unit in units}
    kept = [replace(one, units=tuple(unit for unit in one.units if unit in numbers)) for one in groups]
    return sorted((one for one in kept if one.units), key=lambda one: -len(one.units))


def _pair(a: str, b: str, units: Sequence[Unit]) -> dict[str, Any]:
    """Two parts jointly: how often both, one and none were good."""

    def good(unit: Unit, part: str) -> bool:
        return unit.parts.get(part, unit.good)

    count = Counter((good(unit, a), good(unit, b)) for unit in units)
    return {"a": a, "b": b, "count": count, "of": len(units)}


def _plots(
    units: Sequence[Unit],
    events: Sequence[Event],
    started: Mapping[str, Any],
    judged: Any,
    bounds: Sequence[Any],
    end_s: float,
) -> dict[str, Any]:
    from takt.judge.capability import capability, times_of
    from takt.judge.spans import fault_spans
    from takt.show.report import plots

    takt_s = float(started.get("takt_s") or 0.0)
    goods = [unit.good for unit in units]
    ends = [unit.ended_s for unit in units]
    rated = Outcomes.of(events).judged
    rate = [good / (i + 1) for i, good in enumerate(accumulate(unit.good is True for unit in rated))]
    told_s = list(accumulate((end_s if unit.ended_s is None else unit.ended_s for unit in rated), max))
    spans = fault_spans(events, end_s)
    lanes = []
    for name in dict.fromkeys(span.name for span in spans):
        mine = [span for span in spans if span.name == name]
        times = [(span.start_s, span.end_s) for span in mine]
        lanes.append(plots.Lane(name, times, any(span.stops for span in mine)))
    calls = [e.t_s for e in events if e.kind == HELP_CALLED]
    cells = [(unit.due_s, unit.ended_s, unit.good) for unit in units]
    found = {"timeline": plots.timeline(cells, lanes, [("help_called", calls)] if calls else [], end_s)}
    if rated:  # in a shift shorter than a unit's life units end, and none is judged
        lower, upper = [b.lower for b in bounds], [b.upper for b in bounds]
        found["rate"] = plots.good_rate(told_s, rate, lower, upper, judged.required, end_s)
    if takt_s > 0:
        found["cycles"] = plots.cycle_times(ends, [unit.cycle_s for unit in units], goods, takt_s, end_s)
    took = times_of([unit for unit in rated if unit.good is not None])
    levels = capability(took)
    if any(level.seen_s is not None for level in levels):
        found["capability"] = plots.capability([("", took, levels)], takt_s)
    return found
