"""The desk's map: where people were sent, by corridor, and who is still where. It looks as the situation board's maps.

A line is a way between two airports, as wide as people took it, in the colour of its corridor. A disc is people at an
airport, as large as they are many.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from takt.draw import plots
from takt.stations.flightdesk.airline.instance import Floats
from takt.stations.flightdesk.desk.corridors import CORRIDORS, great_circle_km, route
from takt.stations.flightdesk.desk.corridors import place as place_of
from takt.stations.flightdesk.desk.world import World
from takt.stations.flightdesk.situation.map import Dot, Kind, names

COLORS = {"north": plots.ACCENT, "middle": plots.GOOD, "south": plots.BAD, "other": plots.MUTED}
LEFT = plots.WARN  # of the discs
AIRPORT = {"airport": Kind(plots.INK)}
ARCH = 0.05  # of a map from west to east: what the longest ways go north of their ends
STEP_KM = 200.0  # between two points of a great circle
Box = tuple[float, float, float, float]  # left, bottom, width, height, as shares of the figure


@dataclass(frozen=True, slots=True)
class Way:
    """A way between two airports, in both directions together. `points` are degrees north and east."""

    corridor: str
    ends: tuple[str, str]
    points: tuple[tuple[float, float], ...]
    people: int


def ways_of(world: World, trips: Iterable[tuple[Sequence[int], int]]) -> list[Way]:
    """The ways of trips, each its flights and how many people; the busiest first. Unknown airports are left out."""
    codes = world.instance.airports.code
    people: Counter[tuple[str, str, str]] = Counter()
    carrier: dict[tuple[str, str, str], str] = {}
    for flights, count in trips:
        for f in flights:
            a, b = sorted((codes[world.origin[f]], codes[world.destination[f]]))
            key = CORRIDORS[world.corridor[f]], a, b
            people[key] += count
            carrier[key] = world.market.carrier[f - world.own] if f >= world.own else ""
    order = sorted(people, key=lambda key: (-people[key], key))
    found = [Way(key[0], key[1:], route(carrier[key], *key[1:]).points, people[key]) for key in order]
    return [way for way in found if way.points]


def frame(figure: Figure, box: Box, codes: Iterable[str]) -> Axes:
    """Axes in degrees east and north around these airports, one of which must be known, and the ways between them."""
    places = list(known(codes).values())
    axes = figure.add_axes(box, facecolor="none", xticks=[], yticks=[])
    axes.spines["bottom"].set_visible(False)
    east, north = np.array(places).T
    south, west = north.min() - 5, east.min() - 5
    across = east.max() + 5 - west
    up = north.max() + 5 + ARCH * across - south
    stretch = 1 / max(0.2, math.cos(math.radians(south + up / 2)))  # a degree of latitude over one of longitude
    width, height = figure.get_size_inches() * box[2:]
    wider = max(across, up * stretch * width / height)
    taller = wider * height / width / stretch
    axes.set_xlim(west + (across - wider) / 2, west + (across + wider) / 2)
    axes.set_ylim(south + (up - taller) / 2, south + (up + taller) / 2)
    return axes


def label(axes: Axes, codes: Iterable[str]) -> None:
    """A dot and a name for each of these airports."""
    dots = [Dot(at, "airport", code) for code, at in known(codes).items()]
    axes.plot(*zip(*(dot.place for dot in dots), strict=True), "o", color=plots.INK, markersize=3)
    names(axes, dots, AIRPORT, [dot.place for dot in dots])


def known(codes: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Where those airports are that are known, degrees east and north."""
    return {code: (at[1], at[0]) for code in sorted(set(codes)) if (at := place_of(code)) is not None}


def traffic(axes: Axes, ways: Sequence[Way], left: Mapping[str, int], scale: float = 1.0) -> None:
    """The ways, and the people left at airports; `scale` is of line widths and discs."""
    most = max((way.people for way in ways), default=1)
    for way in ways:
        north, east = curve(way.points)
        width = scale * (0.8 + 6.2 * way.people / most)
        axes.plot(east, north, color=COLORS[way.corridor], linewidth=width, alpha=0.62, solid_capstyle="round")
    at = known(left)
    if at:
        most = max(left[code] for code in at)
        sizes = [scale * scale * (14 + 480 * left[code] / most) for code in at]
        ring: dict[str, Any] = {"facecolor": LEFT, "edgecolor": plots.PAPER, "linewidth": 0.8, "alpha": 0.75}
        places = np.array(list(at.values()))
        axes.scatter(places[:, 0], places[:, 1], sizes, zorder=4, **ring)


def legend(axes: Axes, people: Mapping[str, int], left: str, columns: int) -> None:
    """Above a map: the people of each corridor, and what the discs are, if there are any."""
    shown = [name for name in CORRIDORS if people.get(name)]
    lines = [Line2D([], [], color=COLORS[name], linewidth=4, label=f"{name} {people[name]:,}") for name in shown]
    if left:
        lines.append(Line2D([], [], color=LEFT, marker="o", markersize=9, linewidth=0, alpha=0.75, label=left))
    style: dict[str, Any] = {"frameon": False, "borderaxespad": 0.2, "handlelength": 1.4, "columnspacing": 1.6}
    axes.legend(handles=lines, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, **style)


def curve(points: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Degrees north and east along the great circles from point to point; east goes on beyond 180."""
    pieces = []
    for a, b in pairwise(points):
        angle = great_circle_km(a, b) / 6371.0
        share = np.linspace(0, 1, max(2, math.ceil(angle * 6371.0 / STEP_KM)))[:, None]
        if angle < 1e-9:
            continue
        pieces.append((np.sin((1 - share) * angle) * _vector(a) + np.sin(share * angle) * _vector(b)) / math.sin(angle))
    x, y, z = np.concatenate(pieces or [_vector(points[0])[None]]).T
    return np.degrees(np.arcsin(np.clip(z, -1, 1))), np.degrees(np.unwrap(np.arctan2(y, x)))


def _vector(point: tuple[float, float]) -> Floats:
    north, east = np.radians(point)
    return np.array([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
