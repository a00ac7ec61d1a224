"""A map of the network: what is cut, and what is created. Red leaves, blue comes; a line is as wide as its flights."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from takt.draw import plots
from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recovery.summary import changed
from takt.stations.flightdesk.airline.solution import Operations
from takt.stations.flightdesk.situation.map import Dot, Kind, Place, land, names, places

NAMED = 30  # airports that get their name
BEND = 0.07  # of a line's length, to the side
COLORS = {"cut": plots.BAD, "created": plots.ACCENT}
DOTS = {"airport": Kind(plots.INK, size=3)}


@dataclass(frozen=True, slots=True)
class Pair:
    """Flights between two airports, both ways together: cancelled by the plan or the disruption, and created."""

    ends: tuple[str, str]
    cut: int
    created: int


def pairs(instance: Instance, o: Operations) -> list[Pair]:
    """The pairs of airports where flights are cut or created, the most first."""
    code, rows = instance.airports.code, changed(instance, o)
    gone = np.flatnonzero((o.planned >= 0) & (o.aircraft < 0))
    cut, created = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for count, which in ((cut, gone), (created, rows.created)):
        for row in which.tolist():
            a, b = sorted((code[o.origin[row]], code[o.destination[row]]))
            count[a, b] += 1
    ends = sorted(cut | created, key=lambda pair: (-cut[pair] - created[pair], pair))
    return [Pair(pair, cut[pair], created[pair]) for pair in ends]


def unplaced(found: Sequence[Pair]) -> list[Pair]:
    """Those that the map cannot show, for nobody knows where one of the airports is."""
    known = places([code for pair in found for code in pair.ends])
    return [pair for pair in found if not all(code in known for code in pair.ends)]


def network(instance: Instance, found: Sequence[Pair]) -> plots.Plot | None:
    """The map; None if there is nothing to show on it."""
    where = places(instance.airports.code)
    shown = [pair for pair in found if all(code in where for code in pair.ends)]
    if not shown:
        return None
    weight: Counter[str] = Counter()
    for pair in shown:
        for code in pair.ends:
            weight[code] += pair.cut + pair.created
    touched = [where[code] for code in weight]
    (west, east), (south, north) = (_padded([place[axis] for place in touched]) for axis in (0, 1))
    stretch = 1 / max(0.2, math.cos(math.radians((south + north) / 2)))
    height = 40 + round(min(620.0, max(340.0, 0.94 * plots.WIDE * stretch * (north - south) / (east - west))))
    most = max(max(pair.cut, pair.created) for pair in shown)

    def draw(figure: Figure, wide: bool) -> None:
        width = plots.WIDE if wide else plots.NARROW
        axes = figure.add_axes((0.005, 0.005, 0.99, 1 - 40 / height), xticks=[], yticks=[])
        axes.spines["bottom"].set_visible(False)
        shape = 0.99 * width / (0.995 * height - 40)
        wider = max(east - west, shape * (north - south) * stretch)
        taller = wider / shape / stretch
        x, y = (west + east) / 2, (south + north) / 2
        axes.set_xlim(x - wider / 2, x + wider / 2)
        axes.set_ylim(y - taller / 2, y + taller / 2)
        axes.grid(False)
        land(axes, (x - wider / 2, x + wider / 2), (y - taller / 2, y + taller / 2))
        others = [place for code, place in where.items() if code not in weight]
        if others:
            axes.plot(*zip(*others, strict=True), "o", color=plots.MUTED, markersize=2)
        scale = 1.0 if wide else 0.6
        for pair in reversed(shown):
            a, b = (where[code] for code in pair.ends)
            for count, name, side in ((pair.cut, "cut", 1), (pair.created, "created", -1)):
                if count:
                    _line(axes, a, b, side, COLORS[name], scale * (0.9 + 5 * math.sqrt(count / most)), stretch)
        axes.plot(*zip(*touched, strict=True), "o", color=plots.INK, markersize=3)
        named = [Dot(where[code], "airport", code) for code, _ in weight.most_common(NAMED if wide else 12)]
        names(axes, named, DOTS, touched)
        for text in axes.texts:  # lines go below names
            text.set_bbox({"facecolor": plots.PAPER, "alpha": 0.7, "edgecolor": "none", "pad": 0.6})
        style: dict[str, Any] = {"frameon": False, "borderaxespad": 0.3, "handlelength": 1.6}
        handles = [
            Line2D([], [], color=COLORS[name], linewidth=4, label=f"{text} {sum(counts):,}")
            for name, text, counts in (
                ("cut", "cancelled", [pair.cut for pair in shown]),
                ("created", "created", [pair.created for pair in shown]),
            )
        ]
        axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, **style)

    return plots.plot("what is cut and what is created", height, draw)


def _line(axes: Axes, a: Place, b: Place, side: int, color: str, width: float, stretch: float) -> None:
    """An arc from a to b, bent to one side, so that what is cut and what is created lie beside each other."""
    (x0, y0), (x1, y1) = a, b
    across, up = x1 - x0, (y1 - y0) * stretch
    middle = (x0 + x1) / 2 - side * BEND * 2 * up, (y0 + y1) / 2 + side * BEND * 2 * across / stretch
    t = np.linspace(0, 1, 12)
    x = (1 - t) ** 2 * x0 + 2 * t * (1 - t) * middle[0] + t**2 * x1
    y = (1 - t) ** 2 * y0 + 2 * t * (1 - t) * middle[1] + t**2 * y1
    axes.plot(x, y, color=color, linewidth=width, alpha=0.7, solid_capstyle="round")


def _padded(values: Sequence[float]) -> Place:
    low, high = min(values), max(values)
    room = max(1.0, 0.05 * (high - low))
    return low - room, high + room
