"""A report's plots: the rate, cycle times, capability, and the shift from its beginning to its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from takt.contract.figure import asked_in_percent
from takt.draw.plots import (
    ACCENT,
    BAD,
    GOOD,
    INK,
    MUTED,
    NARROW,
    PAPER,
    WARN,
    WIDE,
    Plot,
    axes_over_time,
    cells,
    label,
    plot,
    time_axis,
)
from takt.draw.words import short
from takt.judge.capability import Level


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
    label(axes, end_s, required, f"required {asked_in_percent(required)} %", above=rate[-1] < required)


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
        label(axes, end_s, takt_s, f"takt {takt_s:g} s", above=True)
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
        time_axis(axes, end_s, wide)
        axes.grid(False)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_yticks(
            range(len(names)) if wide else [], [short(n.replace("_", " "), 18) for n in names] if wide else []
        )
        least_s = 1.6 * end_s / (WIDE if wide else NARROW)  # a bad unit stays visible in the longest shift
        for fine, color in ((True, GOOD), (False, BAD)):
            shown = [(a, max(b - a, 0 if fine else least_s)) for a, b, g in units if g is fine]
            gap = PAPER if len(units) < (300 if wide else 60) else "none"
            y, tall = (-0.4, 0.8) if wide else (-0.12, 0.52)
            cells(axes, shown, y, tall, facecolor=color, edgecolor=gap, linewidth=0.7)
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
                axes.text(0, row - 0.2, short(name.replace("_", " "), 40), color=MUTED, va="bottom", fontsize=11)

    return plot("timeline", height, draw)
