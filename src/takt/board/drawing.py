"""Where things lie in the board's drawings: numbers for templates, which write the SVG. Colours are the page's classes.

Every drawing is made wide and narrow, as in the report: a page shows the one that fits, and letters keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from takt.contract.figure import asked_in_percent
from takt.draw.words import hms
from takt.judge.spans import fault_spans
from takt.show.steps import Curve
from takt.show.view import ShiftView

WIDE, NARROW = 1060, 360  # CSS pixels
STEPS_S = (1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
RING_R = 44.0
MOST_CURVES = 12  # of a unit
MOST_MARKS = 3_000  # units that are drawn one by one


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis, at `at` pixels."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A unit in a drawing."""

    unit: int
    x: float
    y: float
    width: float
    kind: str  # "good", "bad" or "open"
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A fault along the shift: (x, width) of each time that it was there."""

    name: str
    y: float
    spans: tuple[tuple[float, float], ...]
    stops: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing of `width` x `height` pixels. Which of the rest is there depends on what it draws."""

    width: int
    height: int
    left: float
    bottom: float
    across: tuple[Tick, ...] = ()
    up: tuple[Tick, ...] = ()
    line: str = ""
    band: str = ""
    level: float | None = None
    level_text: str = ""
    level_above: bool = True
    marks: tuple[Mark, ...] = ()
    lanes: tuple[Lane, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()  # what is measured, and its path
    title: str = ""


def ring(share: float | None) -> dict[str, float]:
    """A ring of which a share is left: radius, circumference, and how long the dash is."""
    around = 2 * math.pi * RING_R
    return {"r": RING_R, "around": round(around, 2), "dash": round(around * min(1.0, max(0.0, share or 0.0)), 2)}


def gauge(judged: Any) -> dict[str, float]:
    """Where the verdict's marks lie on a line from `low` to 100 %, in percent of its length."""
    marks = {"lower": judged.lower, "upper": judged.upper, "required": judged.required}
    if judged.good_rate is not None:
        marks["rate"] = judged.good_rate
    low = max(0.0, min(0.9, math.floor(10 * (min(marks.values()) - 0.02)) / 10))
    return {"low": low} | {name: round(100 * (value - low) / (1 - low), 2) for name, value in marks.items()}


def curve(view: ShiftView, width: int) -> Plot | None:
    """The good rate so far with its bound, against what is required. None before the first unit has ended."""
    if not view.curve:
        return None
    height, end_s = 260, max(view.now_s, 1e-9)
    left, bottom, top = (52.0 if width == WIDE else 46.0), height - 26.0, 10.0
    rates = [bound.rate for bound in view.curve if bound.rate is not None]
    settled = rates[len(rates) // 10 :] or [1.0]
    low = max(0.0, min([view.judged.required - 0.1, min(settled) - 0.06, view.curve[-1].lower - 0.03]))

    def x(t_s: float) -> float:
        return round(left + (width - left - 8) * t_s / end_s, 1)

    def y(share: float) -> float:
        return round(bottom - (bottom - top) * (max(low, min(1.0, share)) - low) / (1.0 - low), 1)

    rate = _steps([(x(b.t_s), y(b.rate)) for b in view.curve if b.rate is not None], x(end_s))
    upper = [(x(b.t_s), y(b.upper)) for b in view.curve]
    lower = [(x(b.t_s), y(b.lower)) for b in view.curve]
    band = _steps(upper, x(end_s)) + _back(lower, x(end_s))
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25, 0.5) if (1 - low) / s <= 6)
    shares = [1 - i * step for i in range(7) if 1 - i * step >= low - 1e-9]
    return Plot(
        width,
        height,
        left,
        bottom,
        across=_times(end_s, x, width),
        up=tuple(Tick(y(share), f"{100 * share:.3g} %") for share in shares),
        line=rate,
        band=band,
        level=y(view.judged.required),
        level_text=f"{asked_in_percent(view.judged.required)} %",
        level_above=bool(settled and settled[-1] < view.judged.required),
    )


def timeline(view: ShiftView, events: Sequence[Any], width: int) -> Plot:
    """The shift from left to right: its units, and below them the faults, a lane for each name."""
    end_s, left = max(view.now_s, 1e-9), 8.0

    def x(t_s: float) -> float:
        return round(left + (width - left - 8) * t_s / end_s, 1)

    least = 2.0 if len(view.units) > 400 else 3.0
    marks = []
    for unit in view.units[:MOST_MARKS]:
        over_s = view.now_s if unit.ended_s is None else unit.ended_s
        wide = max(least, x(over_s) - x(unit.due_s) - 1)
        marks.append(Mark(unit.number, x(unit.due_s), 8, round(wide, 1), _kind(unit.good), _title(unit)))
    spans = fault_spans(events, view.now_s)
    lanes = []
    for row, name in enumerate(dict.fromkeys(span.name for span in spans)):
        mine = [span for span in spans if span.name == name]
        at = tuple((x(s.start_s), max(least, x(s.end_s) - x(s.start_s))) for s in mine[:MOST_MARKS])
        lanes.append(Lane(name, 64 + 34 * row, at, any(s.stops for s in mine)))
    height = 64 + 34 * len(lanes) + 22
    return Plot(width, height, left, height - 22, _times(end_s, x, width), marks=tuple(marks), lanes=tuple(lanes))


def cycles(view: ShiftView, width: int) -> Plot | None:
    """How long each unit took, against the takt. None if no unit has ended."""
    units = [unit for unit in view.units if unit.good is not None][:MOST_MARKS]
    takt_s = view.takt_s or 0.0
    done = [unit.cycle_s for unit in units if unit.cycle_s is not None]
    if not units or not (done or takt_s):
        return None
    height, end_s, most = 220, max(view.now_s, 1e-9), 1.15 * max([takt_s if view.pace == "beat" else 0.0, *done, 1e-9])
    left, bottom, top = 52.0, height - 26.0, 14.0

    def x(t_s: float) -> float:
        return round(left + (width - left - 8) * t_s / end_s, 1)

    def y(seconds: float) -> float:
        return round(bottom - (bottom - top) * seconds / most, 1)

    marks = [
        Mark(u.number, x(u.ended_s or 0.0), top if u.cycle_s is None else y(u.cycle_s), 0, _kind(u.good), _title(u))
        for u in units
    ]
    step = next((s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if most / s <= 6), most / 4)
    up = tuple(Tick(y(i * step), f"{i * step:g} s") for i in range(1, 7) if i * step <= most)
    level = y(takt_s) if view.pace == "beat" and takt_s else None
    return Plot(
        width,
        height,
        left,
        bottom,
        _times(end_s, x, width),
        up,
        level=level,
        level_text=f"{takt_s:g} s",
        marks=tuple(marks),
    )


def measured(curves: Sequence[Curve], marks_s: Sequence[float], width: int) -> list[Plot]:
    """What was measured of a unit, those of a kind together ("left grip" and "right grip"); `marks_s`: its steps."""
    kinds: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves[:MOST_CURVES]:
        kinds.setdefault((curve.name.rpartition(" ")[2], curve.unit), []).append(curve)
    return [
        _measured(f"{kind}, {unit}" if unit else kind, mine, marks_s, width)
        for (kind, unit), mine in kinds.items()
        if mine[0].t_s
    ]


def _measured(title: str, curves: Sequence[Curve], marks_s: Sequence[float], width: int) -> Plot:
    height, left, top = 180, 52.0, 12.0
    bottom = height - 26.0
    begin_s, end_s = (pick(t for c in curves for t in c.t_s) for pick in (min, max))
    values = [value for curve in curves for value in curve.values if math.isfinite(value)] or [0.0]
    low, high = min(0.0, *values), max(1e-9, *values)

    def x(t_s: float) -> float:
        return round(left + (width - left - 8) * (t_s - begin_s) / max(1e-9, end_s - begin_s), 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - top) * (value - low) / (high - low), 1)

    lines = []
    for curve in curves:
        every = max(1, len(curve.t_s) // (2 * width))
        points = list(zip(curve.t_s, curve.values, strict=False))[::every]
        lines.append((curve.name, "M" + "L".join(f"{x(t)} {y(value)}" for t, value in points if math.isfinite(value))))
    step = next((s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if (high - low) / s <= 4), high)
    up = tuple(Tick(y(i * step), f"{i * step:g}") for i in range(math.ceil(low / step), int(high / step) + 1))
    every_s = next((s for s in STEPS_S if (end_s - begin_s) / s <= (9 if width == WIDE else 4)), STEPS_S[-1])
    first = math.ceil(begin_s / every_s)
    across = tuple(Tick(x(i * every_s), hms(i * every_s)) for i in range(first, int(end_s / every_s) + 1))
    marks = tuple(Mark(i, x(t), top, 0, "", "") for i, t in enumerate(marks_s) if begin_s <= t <= end_s)
    return Plot(width, height, left, bottom, across, up, marks=marks, lines=tuple(lines), title=title)


def _times(end_s: float, x: Any, width: int) -> tuple[Tick, ...]:
    """Station time at round times, as h:mm, or m:ss for a short shift."""
    step = next((s for s in STEPS_S if end_s / s <= (9 if width == WIDE else 4)), 86400 * max(1, round(end_s / 518400)))
    big, small = (60, 1) if step < 60 else (3600, 60)
    return tuple(
        Tick(x(t), f"{t // big}:{t % big // small:02d}" + ((" min" if step < 60 else " h") if not t else ""))
        for t in (i * step for i in range(int(end_s // step) + 1))
    )


def _steps(points: Sequence[tuple[float, float]], to_x: float) -> str:
    """A line that keeps its height until the next point, up to `to_x`."""
    if not points:
        return ""
    (x0, y0), *rest = points
    return f"M{x0} {y0}" + "".join(f"H{x}V{y}" for x, y in rest) + f"H{to_x}"


def _back(points: Sequence[tuple[float, float]], from_x: float) -> str:
    """The lower edge of a band, from its end to its beginning."""
    text, at = f"V{points[-1][1]}", from_x
    for (x, _), (_, before) in zip(reversed(points[1:]), reversed(points[:-1]), strict=True):
        text += f"H{x}V{before}"
        at = x
    del at
    return f"{text}H{points[0][0]}Z"


def _kind(good: bool | None) -> str:
    return "open" if good is None else "good" if good else "bad"


def _title(unit: Any) -> str:
    reasons = ", ".join(str(one).replace("_", " ") for one in unit.data.get("reasons") or ())
    took = "" if unit.cycle_s is None else f", {unit.cycle_s:.1f} s"
    return f"{unit.number} {_kind(unit.good)} {hms(unit.due_s)}{took}{': ' + reasons if reasons else ''}"
