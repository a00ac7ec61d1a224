"""The charts of a fleet's page: rates with bounds, cost against rate, why units were bad.

Names of arms are long (a model, its options, a station and its own), and nobody else can be asked what a cut one meant:
they are broken into lines, and the room for them is made. On a telephone they stand above what they name.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

from takt.contract.figure import per_cent
from takt.draw import plots
from takt.fleet.record import Record
from takt.fleet.standing import FleetStanding
from takt.fleet.table import FleetTable, Row
from takt.ledger import canonical

MOST_REASONS = 6  # that are drawn by themselves; the rest is "others"
TONES = (plots.BAD, plots.WARN, plots.ACCENT, plots.GOOD, plots.MUTED, plots.INK)
MARKS = "os^Dv"  # another one for each round of TONES
LETTER, LINE = 7, 15  # CSS pixels of a mean letter of 12, and of a line; fonts of pages are narrower, for the most part
EDGE = 26  # that a number at an axis' end may stick out
PER_CENT = FuncFormatter(lambda value, _: f"{per_cent(round(value, 9), decimals=0)} %")


def rates(table: FleetTable) -> plots.Plot | None:
    """Good rate of every row with its bound, one below the other."""
    rows = [row for row in table.rows if row.figures["rate"] is not None]
    if not rows:
        return None
    names = [_name(row) for row in rows]

    def draw(figure: Figure, wide: bool) -> None:
        axes, places = _rows(figure, names, wide, 0)
        for at, row in zip(places, rows, strict=True):
            f = row.figures
            tone = {"accept": plots.GOOD, "reject": plots.BAD}.get(f["verdict"], plots.ACCENT)
            axes.plot([f["lower"], f["upper"]], [at, at], color=tone, linewidth=4, alpha=0.35, solid_capstyle="butt")
            axes.plot([f["rate"]], [at], "o", color=tone, markersize=6)
        axes.set_xlim(-0.01, 1.01)

    heights = [_height(names, wide) for wide in (True, False)]
    return plots.plot("good rate with its bound", (heights[0], heights[1]), draw)


def by_columns(table: FleetTable) -> dict[str, plots.Plot]:
    """Good rate with its bound by each option that varies (difficulty), a line for whatever is the same but for it."""
    options = [column for column in table.columns if column not in ("station", "worker")]
    found = {column: _by_column(table, column) for column in options}
    return {column: plot for column, plot in found.items() if plot is not None}


def _by_column(table: FleetTable, column: str) -> plots.Plot | None:
    rows = [row for row in table.rows if row.of[column] is not None and row.figures["rate"] is not None]
    values = list(dict.fromkeys(canonical(row.of[column]) for row in rows))
    series: dict[str, list[tuple[int, Row]]] = {}
    for row in rows:
        rest = canonical({key: value for key, value in row.of.items() if key != column})
        series.setdefault(rest, []).append((values.index(canonical(row.of[column])), row))
    lines = [points for points in series.values() if len(points) > 1]
    if not lines:
        return None
    ticks = [value.strip('"') for value in values]
    names = _apart([_name(points[0][1], column) for points in lines])

    def broken(wide: bool) -> list[str]:
        room = (plots.WIDE if wide else plots.NARROW) - 70
        return ["\n".join(_wrapped(text, max(4, room // len(ticks) // LETTER - 1))) for text in ticks]

    def below(wide: bool) -> int:
        return 30 + LINE * max(text.count("\n") + 1 for text in broken(wide))

    def draw(figure: Figure, wide: bool) -> None:
        axes = _axes(figure, 52, _legend_px(names, wide) + 8, below(wide))
        beside = min(0.1, 0.6 / len(lines))
        drawn = []
        for n, points in enumerate(lines):
            tone, mark = TONES[n % len(TONES)], MARKS[n // len(TONES) % len(MARKS)]
            x = [at + beside * (n - (len(lines) - 1) / 2) for at, _ in points]
            low, high, rate = ([row.figures[key] for _, row in points] for key in ("lower", "upper", "rate"))
            axes.vlines(x, low, high, color=tone, linewidth=4, alpha=0.35)
            drawn += axes.plot(x, rate, f"{mark}-", color=tone, linewidth=1, markersize=6)
        axes.set_xticks(range(len(ticks)), broken(wide))
        axes.set_xlim(-0.5, len(ticks) - 0.5)
        axes.set_ylim(-0.02, 1.03)
        axes.yaxis.set_major_formatter(PER_CENT)
        axes.set_xlabel(column.replace("_", " "))
        _legend(figure, drawn, names, wide)

    heights = [240 + _legend_px(names, wide) + below(wide) for wide in (True, False)]
    return plots.plot(f"good rate by {column}", (heights[0], heights[1]), draw)


@dataclass(frozen=True, slots=True)
class Pareto:
    """Cost against good rate: the drawing, whose points have numbers, and of each its name, cost and rate."""

    plot: plots.Plot
    points: Sequence[Mapping[str, str]]


def pareto(table: FleetTable) -> Pareto | None:
    """Cost of a unit against good rate: money where it is known, else the wall time of a unit. A step joins those rows
    of one work that no other one of it is as cheap as and better, or as good as and cheaper."""
    priced = any(row.figures["money"] for row in table.rows)
    found: list[tuple[float, float, str, str]] = []
    for row in table.rows:
        f = row.figures
        wall_s = sum(record.wall_s for one in row.arms for record in one.records if record.ended)
        cost = (f["money"] or 0.0) if priced else wall_s
        if f["units"] and f["rate"] is not None:
            found.append((cost / f["units"], f["rate"], _name(row), row.arms[0].arm.work))
    if len(found) < 2:
        return None
    found.sort(key=lambda one: (one[0], -one[1]))
    lines = {work: _best([one for one in found if one[3] == work]) for work in dict.fromkeys(one[3] for one in found)}
    written = FuncFormatter(lambda value, _: f"{value:.3g}") if priced else EngFormatter("s")

    def draw(figure: Figure, wide: bool) -> None:
        axes = _axes(figure, 52, 4, 46)
        for best in lines.values():
            axes.step([p[0] for p in best], [p[1] for p in best], where="post", color=plots.LINE, linewidth=2)
        axes.plot([p[0] for p in found], [p[1] for p in found], "o", color=plots.ACCENT, markersize=6, clip_on=False)
        axes.set_ylim(-0.05, 1.12)
        axes.set_xlim(0, 1.08 * max(one[0] for one in found) or 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(8 if wide else 4))
        plots.names(axes, [(cost, rate, str(n)) for n, (cost, rate, *_) in enumerate(found, 1)])
        axes.yaxis.set_major_formatter(PER_CENT)
        axes.xaxis.set_major_formatter(written)
        axes.set_xlabel("money a unit" if priced else "wall time a unit")

    told = [
        {"name": name, "cost": f"{cost:.3g}" if priced else EngFormatter("s", places=2)(cost), "rate": per_cent(r)}
        | {"best": "yes" if (cost, r, name, work) in lines[work] else ""}
        for cost, r, name, work in found
    ]
    return Pareto(plots.plot("cost and good rate", 320, draw), told)


def _best(points: Sequence[tuple[float, float, str, str]]) -> list[tuple[float, float, str, str]]:
    return [p for p in points if not any(o[0] <= p[0] and o[1] >= p[1] and o[:2] != p[:2] for o in points)]


def reasons(found: FleetStanding) -> plots.Plot | None:
    """Why units were bad, as shares of each arm's units."""
    total: Counter[str] = Counter()
    for one in found.arms:
        for record in one.records:
            total.update(record.why_bad if record.ended else {})
    arms = [one for one in found.arms if one.units]
    if not total or not arms:
        return None
    shown = [reason for reason, _ in total.most_common(MOST_REASONS)]
    parts = [*shown, *(["others"] if len(total) > len(shown) else [])]
    names = [one.arm.name for one in arms]
    labels = [str(reason).replace("_", " ") for reason in parts]

    def draw(figure: Figure, wide: bool) -> None:
        axes, places = _rows(figure, names, wide, _legend_px(labels, wide))
        left, drawn = [0.0] * len(arms), []
        for reason, tone in zip(parts, [*TONES, plots.LINE], strict=False):
            share = [_share(one.records, one.units, reason, shown) for one in arms]
            drawn.append(axes.barh(places, share, left=left, height=14, color=tone, alpha=0.75))
            left = [a + b for a, b in zip(left, share, strict=True)]
        axes.set_xlim(0, 1.02 * max(left))
        axes.xaxis.set_major_locator(MaxNLocator(8 if wide else 4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
        _legend(figure, drawn, labels, wide)

    heights = [_height(names, wide) + _legend_px(labels, wide) for wide in (True, False)]
    return plots.plot("why units were bad", (heights[0], heights[1]), draw)


def _share(records: Sequence[Record], units: int, reason: str, shown: Sequence[str]) -> float:
    mine: Counter[str] = Counter()
    for record in records:
        mine.update(record.why_bad if record.ended else {})
    count = mine[reason] if reason in shown else sum(n for other, n in mine.items() if other not in shown)
    return count / units


# --- names ---


def _name(row: Row, without: str = "") -> str:
    """What a row of one arm is called, without one of its columns."""
    columns = row.arms[0].arm.columns
    if not without:
        return row.arms[0].arm.name
    parts = {"station": [str(columns["station"])], "worker": [str(columns["worker"])]}
    of = "station"
    for key, value in columns.items():
        of = key if key in parts else of
        if key not in (*parts, without) and value is not None:
            parts[of].append(f"{key}={value if isinstance(value, str) else canonical(value)}")
    return f"{' '.join(parts['worker'])} @ {' '.join(parts['station'])}"


def _apart(names: Sequence[str]) -> list[str]:
    """The same names, with a number after those that are not alone."""
    counts, seen = Counter(names), Counter[str]()
    told = []
    for name in names:
        seen[name] += 1
        told.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return told


def _wrapped(text: str, most: int) -> list[str]:
    """A text in lines of at most so many letters; of Chinese and its like half as many, which are twice as wide."""
    text = " ".join(text.split())
    twice = sum(east_asian_width(letter) in "WF" for letter in text)
    return textwrap.wrap(text, max(2, round(most * len(text) / (len(text) + twice)))) if text else [""]


def _width(lines: Sequence[str]) -> int:
    """CSS pixels of the longest of these lines."""
    return LETTER * max(len(line) + sum(east_asian_width(letter) in "WF" for letter in line) for line in lines)


# --- room ---


def _axes(figure: Figure, left: int, top: int, bottom: int) -> Axes:
    """Axes with so many CSS pixels around them."""
    broad, high = 72 * figure.get_figwidth(), 72 * figure.get_figheight()
    return figure.add_axes((left / broad, bottom / high, (broad - left - EDGE) / broad, (high - top - bottom) / high))


def _height(names: Sequence[str], wide: bool) -> int:
    """CSS pixels that `_rows` takes."""
    return sum(_tall(_wrapped(name, 50), True) if wide else _tall(_wrapped(name, 44), False) for name in names) + 30


def _tall(lines: Sequence[str], wide: bool) -> int:
    return max(26, LINE * len(lines) + 10) if wide else LINE * len(lines) + 24


def _rows(figure: Figure, names: Sequence[str], wide: bool, top: int) -> tuple[Axes, list[float]]:
    """Axes with a row for each name, from the top, and where each is: beside its name, or below it on a telephone. A
    y is a CSS pixel."""
    lines = [_wrapped(name, 50 if wide else 44) for name in names]
    axes = _axes(figure, _width([line for some in lines for line in some]) + 14 if wide else 8, top, 30)
    places, at = [], 0.0
    for some in lines:
        tall = _tall(some, wide)
        places.append(at + tall / 2 if wide else at + LINE * len(some) + 12)
        if not wide:
            axes.text(0, at + 3, "\n".join(some), transform=axes.get_yaxis_transform(), va="top", color=plots.MUTED)
        at += tall
    axes.set_ylim(at, 0)
    axes.set_yticks(places if wide else [], ["\n".join(some) for some in lines] if wide else [])
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x")
    axes.xaxis.set_major_formatter(PER_CENT)
    return axes, places


def _legend_shape(names: Sequence[str], wide: bool) -> tuple[list[str], int, int]:
    """The names in lines, columns, and CSS pixels of a legend above the axes."""
    some = [_wrapped(name, 130 if wide else 42) for name in names]
    columns = max(1, (plots.WIDE if wide else plots.NARROW) // (_width([line for one in some for line in one]) + 48))
    rows = math.ceil(len(names) / columns)
    return ["\n".join(one) for one in some], columns, rows * (LINE * max(map(len, some)) + 5) + 10


def _legend_px(names: Sequence[str], wide: bool) -> int:
    return _legend_shape(names, wide)[2]


def _legend(figure: Figure, drawn: Sequence[Any], names: Sequence[str], wide: bool) -> None:
    """Above the axes. Matplotlib leaves out names that begin with an underscore, if nothing is before it."""
    told, columns, _ = _legend_shape(names, wide)
    told = [f" {name}" if name.startswith("_") else name for name in told]
    figure.legend(
        drawn, told, loc="upper left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False, fontsize=11, borderpad=0.2
    )
