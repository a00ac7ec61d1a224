"""A report's plots, as SVG to put inside the page.

Colours and font are the page's: a plot is drawn in the stand-ins below, which become the page's CSS variables, so one
drawing serves a light page, a dark one and a printed one. Every plot comes in two shapes, and the page shows the one
that fits: shrinking the wide one to a telephone would shrink its letters too.
"""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from takt.judge.capability import Level

INK, MUTED, LINE, PAPER = "#101112", "#707172", "#d0d1d2", "#fdfcfb"
GOOD, BAD, WARN, ACCENT = "#107172", "#d04152", "#c08122", "#2051c2"
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    PAPER: "--paper",
    GOOD: "--good",
    BAD: "--bad",
    WARN: "--warn",
    ACCENT: "--accent",
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # letters stay letters: small, sharp, and in the page's font
    "text.parse_math": False,  # a name with a dollar sign is a name
    "font.size": 12.0,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.left": False,
}
WIDE, NARROW = 1060, 360  # CSS pixels


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot in both shapes: two `<svg>` elements."""

    wide: str
    narrow: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of the timeline: what was going on from when to when."""

    name: str
    spans: Sequence[tuple[float, float]]
    stops: bool = False


def good_rate(
    t_s: Sequence[float],
    rate: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    required: float,
    end_s: float,
) -> Plot:
    """The good rate so far with its bound, after each unit, against what is required."""

    def draw(figure: Figure, wide: bool) -> None:
        draw_good_rate(figure, wide, t_s, rate, lower, upper, required, end_s)

    return plot("good rate", 300, draw)


def draw_good_rate(
    figure: Figure,
    wide: bool,
    t_s: Sequence[float],
    rate: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    required: float,
    end_s: float,
) -> None:
    axes = axes_over_time(figure, end_s, wide)
    axes.fill_between(t_s, lower, upper, step="post", color=ACCENT, alpha=0.16, linewidth=0)
    axes.step(t_s, rate, where="post", color=ACCENT, linewidth=2)
    axes.axhline(required, color=INK, linewidth=1.2, dashes=(4, 3))
    settled = rate[len(rate) // 10 :] or rate
    lowest = min([required - 0.1, *(r - 0.06 for r in settled), lower[-1] - 0.03])
    low = max(0.0, lowest)
    axes.set_ylim(low, 1.0 + (1.0 - low) * 0.03)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %" if value <= 1 else ""))
    _label(axes, end_s, required, f"required {100 * required:.1f} %", above=rate[-1] < required)


def cycle_times(
    t_s: Sequence[float], cycle_s: Sequence[float | None], good: Sequence[bool], takt_s: float, end_s: float
) -> Plot:
    """How long each unit took, against the takt; a unit never finished is a tick above."""
    done = [c for c in cycle_s if c is not None]
    top = 1.2 * max([takt_s, *done])  # room for the takt's name below the ticks of what was never finished
    units = list(zip(t_s, cycle_s, good, strict=True))
    fine = [(t, c) for t, c, is_good in units if is_good and c is not None]
    bad = [(t, c) for t, c, is_good in units if not is_good and c is not None]
    never = [(t, 0.97 * top) for t, c, _ in units if c is None]

    def draw(figure: Figure, wide: bool) -> None:
        axes = axes_over_time(figure, end_s, wide, right=0.86 if wide else 0.97)
        axes.set_ylim(0, top)
        axes.axhline(takt_s, color=INK, linewidth=1.2, dashes=(4, 3))
        axes.plot([t for t, _ in fine], [c for _, c in fine], "o", color=GOOD, markersize=3.6, alpha=0.8, clip_on=False)
        axes.plot(
            [t for t, _ in bad], [c for _, c in bad], "x", color=BAD, markersize=6, markeredgewidth=1.8, clip_on=False
        )
        axes.plot([t for t, _ in never], [y for _, y in never], "|", color=BAD, markersize=9, markeredgewidth=1.8)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} s" if value else ""))
        _label(axes, end_s, takt_s, f"takt {takt_s:g} s", above=True)
        if wide and done:
            box = axes.get_position()
            beside = figure.add_axes((box.x1 + 0.012, box.y0, 0.12, box.height), sharey=axes)
            beside.hist(done, bins=min(24, max(6, len(done) // 6)), orientation="horizontal", color=GOOD, alpha=0.55)
            beside.axhline(takt_s, color=INK, linewidth=1.2, dashes=(4, 3))
            beside.tick_params(labelleft=False, labelbottom=False, bottom=False)
            beside.spines["bottom"].set_visible(False)
            beside.grid(False)

    return plot("cycle times", 280, draw)


Curves = Sequence[tuple[str, Sequence[float], Sequence[Level]]]


def capability(curves: Curves, takt_s: float = 0.0) -> Plot:
    """Share of units done within so many seconds, for each of (name, times, levels): seen (a line) and held (steps).

    Times are infinite for units that were not good, so a line ends where no more were done.
    """
    return plot("capability", 300, lambda figure, wide: draw_capability(figure, wide, curves, takt_s))


def draw_capability(figure: Figure, wide: bool, curves: Curves, takt_s: float) -> None:
    tones = (ACCENT, WARN, GOOD, BAD, MUTED)
    ends = [t for _, times, levels in curves for t in [*times, *(level.holds_s or 0.0 for level in levels)]]
    last_s = 1.05 * max([takt_s, *(t for t in ends if math.isfinite(t))])
    axes = figure.add_axes((0.055 if wide else 0.13, 0.11, 0.915 if wide else 0.84, 0.85))
    lowest = 1.0
    for (name, times, levels), tone in zip(curves, tones * len(curves), strict=False):
        done = np.sort([t for t in times if math.isfinite(t)])
        share = np.arange(1, len(done) + 1) / max(1, len(times))
        if len(done):
            axes.step([*done, last_s], [*share, share[-1]], where="post", color=tone, linewidth=1.6, label=name)
        held = [(level.holds_s, level.level) for level in levels if level.holds_s is not None]
        if held:
            at = [held[0][0], *(t for t, _ in held), last_s]
            steps = [0.0, *(p for _, p in held), held[-1][1]]
            axes.fill_between(at, steps, step="post", color=tone, alpha=0.16, linewidth=0)
            axes.step(at, steps, where="post", color=tone, linewidth=1.0)
        lowest = min([lowest, *(0.9 * p for _, p in held[:1]), 0.9 * (share[-1] if len(done) else 1.0)])
    axes.set_xlim(0, last_s)
    axes.set_ylim(max(0.0, min(0.45, lowest)), 1.02)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %" if value <= 1 else ""))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} s"))
    if takt_s > 0:
        axes.axvline(takt_s, color=INK, linewidth=1.2, dashes=(4, 3))
        text = f"takt {takt_s:g} s"
        axes.annotate(text, (takt_s, 0.02), (-4, 4), ("data", "axes fraction"), "offset points", ha="right")
    if len(curves) > 1:
        axes.legend(loc="lower right", frameon=False)


def timeline(
    units: Sequence[tuple[float, float, bool]],
    lanes: Sequence[Lane],
    moments: Sequence[tuple[str, list[float]]],
    end_s: float,
) -> Plot:
    """The shift from left to right: its units (from, to, good) as cells, faults as bars, single moments as ticks."""
    names = ["units", *(lane.name for lane in lanes), *(name for name, _ in moments)]
    height = 56 + 34 * len(names)

    def draw(figure: Figure, wide: bool) -> None:
        axes = figure.add_axes((0.13 if wide else 0.06, 30 / height, 0.85 if wide else 0.92, 1 - 34 / height))
        _time_axis(axes, end_s, wide)
        axes.grid(False)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_yticks(range(len(names)) if wide else [], [_short(n, 18) for n in names] if wide else [])
        least_s = 1.6 * end_s / (WIDE if wide else NARROW)  # a bad unit stays visible in the longest shift
        for fine, color in ((True, GOOD), (False, BAD)):
            cells = [(a, max(b - a, 0 if fine else least_s)) for a, b, g in units if g is fine]
            gap = PAPER if len(units) < (300 if wide else 60) else "none"
            y, tall = (-0.4, 0.8) if wide else (-0.12, 0.52)
            axes.broken_barh(cells, (y, tall), facecolor=color, edgecolor=gap, linewidth=0.7)
        for row, lane in enumerate(lanes, start=1):
            spans = [(a, max(b - a, least_s)) for a, b in lane.spans]
            axes.broken_barh(spans, (row - 0.22 if wide else row - 0.05, 0.44), facecolor=WARN, linewidth=0)
            if not lane.stops:  # hatched: work went on
                axes.broken_barh(spans, (row - 0.22 if wide else row - 0.05, 0.44), facecolor=PAPER, alpha=0.55)
        for row, (_, times) in enumerate(moments, start=1 + len(lanes)):
            y = row if wide else row + 0.15
            axes.plot(times, [y] * len(times), "|", color=INK, markersize=13, markeredgewidth=1.8)
        if not wide:
            for row, name in enumerate(names):
                axes.text(0, row - 0.2, _short(name, 40), color=MUTED, va="bottom", fontsize=11)

    return plot("timeline", height, draw)


def axes_over_time(figure: Figure, end_s: float, wide: bool, right: float = 0.97) -> Axes:
    """Axes from the start of something to `end_s` seconds after it."""
    left = 0.055 if wide else 0.13
    axes = figure.add_axes((left, 0.11, right - left, 0.85))
    _time_axis(axes, end_s, wide)
    return axes


def _time_axis(axes: Axes, end_s: float, wide: bool) -> None:
    """Station time as h:mm, or m:ss for a short shift, at round times."""
    end_s = max(end_s, 1e-9)
    steps = (1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
    step = next((s for s in steps if end_s / s <= (9 if wide else 4)), 86400 * max(1, round(end_s / 86400 / 6)))
    at = [i * step for i in range(int(end_s // step) + 1)]
    short = step < 60
    big, small = (60, 1) if short else (3600, 60)
    names = [f"{t // big}:{t % big // small:02d}" for t in at]
    names[0] += " min" if short else " h"
    axes.set_xlim(0, end_s)
    axes.set_xticks(at, names)
    axes.tick_params(axis="x", length=4)


def _label(axes: Axes, end_s: float, y: float, text: str, above: bool) -> None:
    """The name of a level line at its right end, on the side where the curve is not."""
    away, side = (4, "bottom") if above else (-5, "top")
    axes.annotate(text, (end_s, y), (-2, away), textcoords="offset points", ha="right", va=side)


def plot(title: str, height: int, draw: Callable[[Figure, bool], None]) -> Plot:
    """What `draw(figure, wide)` draws, in both shapes. A page has each title once."""
    return Plot(_svg(title, WIDE, height, draw, True), _svg(title, NARROW, height, draw, False))


def save(title: str, height: int, draw: Callable[[Figure, bool], None], out: Path) -> None:
    """What `draw(figure, True)` draws, under its title, as a picture of its own: .svg or .png, by the path's suffix."""
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": title}):
        figure = Figure(figsize=(WIDE / 72, height / 72), facecolor=PAPER)
        FigureCanvasAgg(figure)
        draw(figure, True)
        for axes in figure.axes:
            axes.set_facecolor("none")
        figure.text(0.012, 1.02, title, fontsize=15, va="bottom")
        dated = {"Date": None} if out.suffix == ".svg" else {}
        figure.savefig(out, dpi=144, metadata=dated, bbox_inches="tight", pad_inches=0.15)


def pixels(width: int, height: int, draw: Callable[[Figure], object], paper: str = PAPER) -> np.ndarray:
    """What `draw(figure)` draws, as an (H, W, 4) uint8 picture; transparent if the paper is "none"."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor=paper)
        canvas = FigureCanvasAgg(figure)
        draw(figure)
        canvas.draw()
    return np.array(canvas.buffer_rgba())


def _svg(title: str, width: int, height: int, draw: Callable[[Figure, bool], None], wide: bool) -> str:
    # The salt keeps the names inside one drawing apart from those in the others of the page, and equal from run to run.
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": f"{title} {width}"}):
        figure = Figure(figsize=(width / 72, height / 72), facecolor="none")
        FigureCanvasSVG(figure)
        draw(figure, wide)
        for axes in figure.axes:
            axes.set_facecolor("none")
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True)
    svg = written.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    label = html.escape(title)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', lambda tag: f'{tag[1]} role="img" aria-label="{label}"', svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"""(font: [^;"]*?[\d.]+px) [^;"]+""", r"\1 var(--sans)", svg)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, f"var({variable})")
    return svg


def _short(text: str, most: int) -> str:
    text = text.replace("_", " ")
    return text if len(text) <= most else text[: most - 1] + "…"
