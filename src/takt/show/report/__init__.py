"""A shift as one HTML page: verdict first, then the figures, then every unit that was not good.

The page needs no network and no JavaScript. `page` is a pure function of the shift's events; only the pictures of
failed units and what the station itself has to say need more than events. The pictures come from the ledger's
snapshots: the station, loaded as it was when the unit was inspected, draws itself. A station that cannot do that must
work the unit once more, which is done only if the user says so: a report opens no worker by itself.
"""

from __future__ import annotations

import base64
import io
import math
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, islice
from pathlib import Path
from typing import Any

from takt.contract.events import HELP_CALLED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.figure import Figure
from takt.contract.options import takes
from takt.contract.station import Section, Station, TaktError, Unseen, loaded, registered_station
from takt.draw.pages import templates
from takt.judge.outcomes import Outcomes
from takt.ledger import Ledger
from takt.ledger.pack import unpack
from takt.ledger.store import place_of
from takt.ledger.trust import NOTHING, Named, by_import, open_station_of
from takt.shift import Shift, reset_as, steps_of_unit
from takt.shift.account import account_of, sections_of
from takt.shift.verification import standing_of
from takt.show.reasons import in_words
from takt.show.thinking import spent
from takt.writing import PAGE, not_named, whole_file

MOST_PICTURES = 24  # about 80 kB each
PICTURE_WIDTH = 960
TILES = (
    "good_rate",
    "takt_attainment",
    "cycle_p50_s",
    "cycle_p95_s",
    "help_calls_per_h",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit that has ended, as the page needs it. Times in seconds of station time."""

    number: int
    due_s: float
    ended_s: float
    good: bool
    cycle_s: float | None
    parts: Mapping[str, bool]
    reasons: tuple[str, ...]
    meanwhile: tuple[str, ...]  # faults that were there, and calls for help


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of failed units as data URIs by unit number, and a line that says why some are missing, or ""."""

    by_unit: Mapping[int, str]
    note: str = ""


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
        none = Pictures({}, "This report was made without pictures.")
        shots = _pictures(book, shift, work_again, named, on_picture) if pictures else none
        account = account_of(shift)
        more = () if account is None else account.figures
        standing = standing_of(book, shift.digest)
        new.write_text(page(shift, shots, more, sections_of(account), str(standing)), encoding="utf-8")
    return out


def page(
    shift: Shift,
    pictures: Pictures = Pictures({}),
    more: Sequence[Figure] = (),
    sections: Sequence[Section] = (),
    standing: str = "",
) -> str:
    """The page; `more` and `sections` are what the station has to say, `standing` what stands behind the figures."""
    from jinja2 import UndefinedError

    from takt.judge.kpi import kpis
    from takt.judge.kpi_table import rows
    from takt.judge.verdict import bounds_over_time, notes, verdict

    events = shift.events
    started: Mapping[str, Any] = next((e.data for e in events if e.kind == SHIFT_STARTED), {})
    end_s = max((e.t_s for e in events), default=0.0)
    units = ended_units(events)
    figures = kpis(events)
    table = rows(figures)
    judged = verdict(events)
    drawn = templates(Path(__file__).parent).get_template("page.html.j2")
    try:
        return drawn.render(
            shift=shift,
            started=started,
            meta=shift.meta,
            path=shlex.quote(str(shift.path or "SHIFT")),
            again=by_import(shift.meta),
            end_s=end_s,
            verdict=judged,
            gauge=_gauge(judged),
            rows=[*table, *more],
            tiles=[row for name in TILES for row in table if row.name == name],
            units=units,
            bad=[unit for unit in units if not unit.good],
            classes=_classes(units),
            pairs=[_pair(a, b, units) for a, b in combinations(started.get("parts") or (), 2)][:3],
            notes=notes(judged),
            plots=_plots(units, events, started, judged, bounds_over_time(events), end_s) if units else {},
            spent=spent(events, shift.meta.get("worker_options")),
            told_why=lambda reason: in_words(str(shift.meta["station"]), str(reason)),
            sections=sections,
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
        units.append(Unit(event.unit, begun_s, event.t_s, good, cycle_s, parts, reasons, meanwhile))
    return units


def drawn_steps(
    ledger: str | os.PathLike[str], unit: int, named: Named = NOTHING
) -> Iterator[tuple[Station, list[Event]]]:
    """`steps_of_unit` of a station that can `render`. Gymnasium has an option for that; not every station does."""
    with Ledger.open(ledger) as book:
        name = book.meta["station"]
    yield from steps_of_unit(ledger, unit, named=named, **_to_draw(name))


def _open_to_draw(shift: Shift, named: Named) -> Station:
    return open_station_of(shift.path, shift.meta, named, **_to_draw(shift.meta["station"]))


def _to_draw(name: str) -> dict[str, Any]:
    """What a station is opened with so that it can `render`."""
    make = loaded(registered_station(name))
    return {"render_mode": "rgb_array"} if takes(make, "render_mode") else {}


def _pictures(
    book: Ledger, shift: Shift, work_again: bool, named: Named, on_picture: Callable[[int, int], None] | None
) -> Pictures:
    """A picture of each failed unit, as it was right after its end. Whatever goes wrong, there is a report."""
    bad = [e.unit for e in shift.events if e.kind == UNIT_BAD and e.unit is not None]
    if not bad:
        return Pictures({})
    found: dict[int, str] = {}
    try:
        for number, picture in islice(_drawn(book, shift, bad, work_again, named), MOST_PICTURES):
            found[number] = _data_uri(picture)
            if on_picture is not None:
                on_picture(len(found), min(len(bad), MOST_PICTURES))
    except TaktError as error:
        return Pictures(found, f"No pictures of the failed units: {error}.")
    except Exception as error:  # whatever a station's drawing may raise: a report without pictures beats none
        return Pictures(found, f"No pictures of the failed units: {type(error).__name__} while drawing: {error}.")
    return Pictures(found, f"Pictures of {len(found)} of {len(bad)}." if len(found) < len(bad) else "")


def _drawn(
    book: Ledger, shift: Shift, numbers: Sequence[int], work_again: bool, named: Named
) -> Iterator[tuple[int, Any]]:
    """The station right after each of these units."""
    station = _open_to_draw(shift, named)
    try:
        reset_as(station, shift.meta)
        for number in numbers:
            snapshot = book.snapshot(number + 1)
            if snapshot is None or snapshot.unit != number:
                continue  # units overlap here, and another one ended meanwhile
            station.load(unpack(snapshot.state)["station"])
            try:
                yield number, station.render()
            except Unseen as unseen:
                if not work_again:
                    raise TaktError(f"{unseen}; --work-again has the worker do these units once more") from unseen
                yield number, _worked_again(book, number, named)
    finally:
        station.close()


def _worked_again(book: Ledger, number: int, named: Named = NOTHING) -> Any:
    """The station at the end of a unit, worked once more."""
    assert book.path is not None
    ended_s = next(e.t_s for e in book.events() if e.unit == number and e.kind in UNIT_ENDED)
    picture = None
    for station, happened in drawn_steps(book.path, number, named):
        replaced = any(event.kind == UNIT_DUE and event.unit != number for event in happened)
        if station.now > ended_s - 1.5 * station.spec.control_s and not (replaced and picture is not None):
            picture = station.render()
    return picture


def _data_uri(frame: Any) -> str:
    from PIL import Image

    image = Image.fromarray(frame)
    if image.width > PICTURE_WIDTH:
        image = image.resize((PICTURE_WIDTH, round(image.height * PICTURE_WIDTH / image.width)))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode()


def _gauge(judged: Any) -> dict[str, float]:
    """Where the verdict's marks lie on a line from `low` to 100 %, in percent of its length."""
    marks = {"lower": judged.lower, "upper": judged.upper, "required": judged.required}
    if judged.good_rate is not None:
        marks["rate"] = judged.good_rate
    low = max(0.0, math.floor(10 * (min(marks.values()) - 0.02)) / 10)
    return {"low": low} | {name: 100 * (value - low) / (1 - low) for name, value in marks.items()}


def _classes(units: Sequence[Unit]) -> list[tuple[str, int, float]]:
    """Main failure class, how many, and their share of the commonest, in percent."""
    counted = Counter(unit.reasons[0] for unit in units if not unit.good).most_common()
    return [(name, count, 100 * count / counted[0][1]) for name, count in counted]


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
    found = {
        "rate": plots.good_rate(
            told_s, rate, [b.lower for b in bounds], [b.upper for b in bounds], judged.required, end_s
        ),
        "timeline": plots.timeline(cells, lanes, [("help_called", calls)] if calls else [], end_s),
    }
    if takt_s > 0:
        found["cycles"] = plots.cycle_times(ends, [unit.cycle_s for unit in units], goods, takt_s, end_s)
    counted = Outcomes.of(events).counted
    levels = capability(times_of(counted))
    if any(level.seen_s is not None for level in levels):
        found["capability"] = plots.capability([("", times_of(counted), levels)], takt_s)
    return found
