"""Plots as SVG to put inside a page.

Colours and font are the page's: a plot is drawn in the stand-ins below, which become the page's CSS variables, so one
drawing serves a light page, a dark one and a printed one. Every plot comes in two shapes, and the page shows the one
that fits: shrinking the wide one to a telephone would shrink its letters too.
"""

from __future__ import annotations

import html
import io
import re
import warnings
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
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Path2D

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
LONG_PATH = 400  # characters: one that is worth shortening


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot in both shapes: two `<svg>` elements."""

    wide: str
    narrow: str


def axes_over_time(figure: Figure, end_s: float, wide: bool, right: float = 0.97) -> Axes:
    """Axes from the start of something to `end_s` seconds after it."""
    left = 0.055 if wide else 0.13
    axes = figure.add_axes((left, 0.11, right - left, 0.85))
    time_axis(axes, end_s, wide)
    return axes


def time_axis(axes: Axes, end_s: float, wide: bool) -> None:
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


def label(axes: Axes, end_s: float, y: float, text: str, above: bool) -> None:
    """The name of a level line at its right end, on the side where the curve is not."""
    away, side = (4, "bottom") if above else (-5, "top")
    axes.annotate(text, (end_s, y), (-2, away), textcoords="offset points", ha="right", va=side)


def names(axes: Axes, points: Sequence[tuple[float, float, str]], size: float = 11.0) -> None:
    """The names of points (x, y, name), beside them where there is room: none over another, over a point, or beyond the
    axes, whose limits are set. One without room near its point stands as near as there is some, joined to it by a line;
    one that has none at all is left out."""
    to_points = 72 / axes.figure.dpi  # of pixels
    area = axes.get_window_extent()
    left, bottom, right, top = (end * to_points for end in (area.x0, area.y0, area.x1, area.y1))
    at = [tuple(axes.transData.transform((x, y)) * to_points) for x, y, _ in points]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in at]
    for (x, y), (x_here, y_here, name) in sorted(zip(at, points, strict=True), key=lambda one: (-one[0][1], one[0][0])):
        long, high = 0.56 * size * len(name), 1.15 * size
        beside = [
            (dx, line * high - 4)
            for line in (0.4, -0.7, *(s * n for n in range(1, 9) for s in (1, -1)))
            for dx in (7, -7 - long)
        ]
        for dx, dy in beside:
            box = (x + dx, y + dy, x + dx + long, y + dy + high)
            inside = box[0] >= left and box[1] >= bottom and box[2] <= right and box[3] <= top + high
            if inside and not any(_over(box, other) for other in taken):
                taken.append(box)
                far = {"arrowstyle": "-", "color": LINE, "shrinkA": 0, "shrinkB": 4} if abs(dy) > 1.5 * high else None
                axes.annotate(
                    name, (x_here, y_here), (dx, dy),
                    textcoords="offset points", fontsize=size, color=MUTED, arrowprops=far, annotation_clip=False,
                )  # fmt: skip
                break


def _over(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def plot(title: str, height: int | tuple[int, int], draw: Callable[[Figure, bool], object]) -> Plot:
    """What `draw(figure, wide)` draws, in both shapes. A page has each title once. `height` in CSS pixels, of both or
    of each."""
    wide, narrow = height if isinstance(height, tuple) else (height, height)
    return Plot(_svg(title, WIDE, wide, draw, True), _svg(title, NARROW, narrow, draw, False))


def save(title: str, height: int, draw: Callable[[Figure, bool], object], out: Path) -> None:
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


def _svg(title: str, width: int, height: int, draw: Callable[[Figure, bool], object], wide: bool) -> str:
    # The salt keeps the names inside one drawing apart from those in the others of the page, and equal from run to run.
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": f"{title} {width}"}):
        figure = Figure(figsize=(width / 72, height / 72), facecolor="none")
        FigureCanvasSVG(figure)
        with warnings.catch_warnings():  # letters are drawn by the page's font, not by Matplotlib's
            warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from ")
            draw(figure, wide)
            for axes in figure.axes:
                axes.set_facecolor("none")
            written = io.StringIO()
            figure.savefig(written, format="svg", transparent=True)
    svg = written.getvalue()
    svg = _small(svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    label = html.escape(title)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', lambda tag: f'{tag[1]} role="img" aria-label="{label}"', svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"""(font: [^;"]*?[\d.]+px) [^;"]+""", r"\1 var(--sans)", svg)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, f"var({variable})")
    return svg


def _small(svg: str) -> str:
    """The same drawing in half the letters: long lines to a tenth of a pixel, all else to hundredths, and what every
    mark of a row says said once."""
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), svg)  # what is read stays as it is
    svg = re.sub(r' d="([^"]*)"', lambda curve: f' d="{_short_path(curve[1])}"', svg)
    return re.sub(r"<g([^>]*)>((?:\s*<use [^>]*/>){8,})\s*</g>", _row_of_marks, svg)


def _short_path(path: str) -> str:
    """Of a long one of straight lines: to a tenth of a pixel, without points on the way from one to the next."""
    parts = re.findall(r"[A-Za-z][^A-Za-z]*", path)
    if len(path) < LONG_PATH or any(part[0] not in "MLz" for part in parts):
        return path
    kept: list[tuple[str, tuple[float, ...]]] = []
    for part in parts:
        at = tuple(round(float(number), 1) for number in part[1:].split())
        if part[0] == "L" and len(kept) > 1 and kept[-1][0] == "L" and _between(kept[-2][1], kept[-1][1], at):
            kept.pop()
        kept.append((part[0], at))
    return "".join(name + " ".join(f"{number:g}" for number in at) for name, at in kept)


def _between(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> bool:
    """Whether b lies on the way from a to c, along one axis."""
    return any(a[i] == b[i] == c[i] and min(a[j], c[j]) <= b[j] <= max(a[j], c[j]) for i, j in ((0, 1), (1, 0)))


def _row_of_marks(group: re.Match[str]) -> str:
    marks = re.findall(r"<use ([^>]*?)/>", group[2])
    styles = {found[0] if (found := re.findall(r'style="[^"]*"', mark)) else "" for mark in marks}
    if len(styles) != 1 or "style=" in group[1]:
        return group[0]
    (style,) = styles
    placed = "".join(f"<use {' '.join(mark.replace(style, '').split())}/>" for mark in marks)
    return f"<g{group[1]} {style}>{placed}</g>"


def cells(axes: Axes, spans: Sequence[tuple[float, float]], low: float, tall: float, **style: Any) -> None:
    """Rectangles from x, so wide, as `broken_barh` draws them, but as one shape: a long shift has thousands."""
    if spans:
        corners = np.array([[(x, low), (x, low + tall), (x + w, low + tall), (x + w, low), (x, low)] for x, w in spans])
        codes = np.tile([Path2D.MOVETO, Path2D.LINETO, Path2D.LINETO, Path2D.LINETO, Path2D.CLOSEPOLY], len(spans))
        axes.add_artist(PathPatch(Path2D(corners.reshape(-1, 2), codes), **style))  # no patch: limits stay
