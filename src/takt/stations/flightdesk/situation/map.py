"""Maps, drawn as `takt.show.report.plots` draws: longitude and latitude, over the land."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import median
from typing import Any

import airportsdata
import matplotlib.patches
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

from takt.draw import plots

Draw = Callable[[Figure, bool], object]
KINDS = {3: "IATA", 4: "ICAO"}  # of codes, by their letters
Place = tuple[float, float]  # degrees of longitude and latitude


@dataclass(frozen=True, slots=True)
class Dot:
    """A place on a map: its kind is one of the legend's; `name` is written beside it, if there is one."""

    place: Place
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the dots of a kind look; the later kinds of a legend lie over the earlier ones."""

    color: str
    marker: str = "o"
    size: float = 6.5


def places(codes: Sequence[str]) -> dict[str, Place]:
    """Where those of the airports are, IATA or ICAO, that `airportsdata` knows."""
    found = ((code, _airports(KINDS[len(code)]).get(code)) for code in codes if len(code) in KINDS)
    return {code: (airport["lon"], airport["lat"]) for code, airport in found if airport}


@cache
def _airports(kind: str) -> Mapping[str, Any]:
    """All airports with such a code; reading them takes a third of a second."""
    return airportsdata.load(kind)  # type: ignore[arg-type]


def states(codes: Sequence[str]) -> dict[str, Place]:
    """The middle of those states (the first two letters of ICAO codes): the median of their airports with IATA code."""
    airports = _airports("ICAO")
    found = {}
    for code in codes:
        mine = [airport for icao, airport in airports.items() if icao.startswith(code) and airport["iata"]]
        if mine:
            found[code] = (median(airport["lon"] for airport in mine), median(airport["lat"] for airport in mine))
    return found


def dots(shown: Sequence[Dot], legend: Mapping[str, Kind]) -> tuple[Draw, int]:
    """A map of at least one dot, and its height in CSS pixels."""
    (west, east), (south, north) = (_padded([dot.place[axis] for dot in shown]) for axis in (0, 1))
    stretch = 1 / max(0.2, math.cos(math.radians((south + north) / 2)))  # a degree of latitude over one of longitude
    height = 24 + round(min(640.0, max(320.0, 0.92 * plots.WIDE * stretch * (north - south) / (east - west))))

    def draw(figure: Figure, wide: bool) -> None:
        width = plots.WIDE if wide else plots.NARROW
        left, right, bottom, top = 0.05 if wide else 0.11, 0.985, 40 / height, 1 - (36 if wide else 12) / height
        axes = figure.add_axes((left, bottom, right - left, top - bottom))
        shape = (right - left) * width / ((top - bottom) * height)  # what must be east-west for one north-south
        wider = max(east - west, shape * (north - south) * stretch)
        taller = max(north - south, wider / shape / stretch)
        x, y = (west + east) / 2, (south + north) / 2
        axes.set_xlim(x - wider / 2, x + wider / 2)
        axes.set_ylim(y - taller / 2, y + taller / 2)
        axes.grid(True, axis="both")
        land(axes, (x - wider / 2, x + wider / 2), (y - taller / 2, y + taller / 2))
        for name, kind in legend.items():
            mine = [dot.place for dot in shown if dot.kind == name]
            if mine:
                longitude, latitude = zip(*mine, strict=True)
                axes.plot(longitude, latitude, kind.marker, color=kind.color, markersize=kind.size, label=name)
        if wide:
            axes.legend(
                loc="lower left", bbox_to_anchor=(0, 1), ncols=5, frameon=False, borderaxespad=0.2, handletextpad=0
            )
        names(axes, [dot for dot in shown if dot.name], legend, [dot.place for dot in shown])
        for axis, letters in ((axes.xaxis, "EW"), (axes.yaxis, "NS")):
            axis.set_major_locator(MaxNLocator(8 if wide else 4, steps=(1, 2, 5, 10)))
            axis.set_major_formatter(FuncFormatter(lambda value, _, of=letters: _degrees(value, of)))

    return draw, height


def _padded(values: Sequence[float]) -> Place:
    low, high = min(values), max(values)
    room = max(1.5, 0.06 * (high - low))
    return low - room, high + room


def land(axes: Axes, across: Place, up: Place) -> None:
    """The land within, as far as a map's pixels tell it; east goes on beyond 180 degrees."""
    corners = axes.transData.transform([(across[0], up[0]), (across[1], up[1])])
    a_pixel = np.array([across[1] - across[0], up[1] - up[0]]) / np.maximum(1.0, np.ptp(corners, axis=0))
    vertices, codes = [], []
    for outline in outlines():
        for shift in (-360.0, 0.0, 360.0):
            ring = outline + [shift, 0.0]
            (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
            if east < across[0] or west > across[1] or north < up[0] or south > up[1]:
                continue
            places = np.round(ring / a_pixel)
            kept = np.r_[True, (np.diff(places, axis=0) != 0).any(axis=1)]
            ring = ring[kept]
            if len(ring) > 2:
                vertices += [*ring.tolist(), ring[0].tolist()]
                codes += [Path.MOVETO, *[Path.LINETO] * (len(ring) - 1), Path.CLOSEPOLY]
    if vertices:
        style: dict[str, Any] = {"facecolor": plots.LINE, "edgecolor": plots.LINE, "linewidth": 0.8, "alpha": 0.55}
        axes.add_artist(matplotlib.patches.PathPatch(Path(vertices, codes), zorder=0, **style))  # no patch: limits stay


@cache
def outlines() -> tuple[np.ndarray, ...]:
    """The world's land, (points, 2) degrees east and north: `land.txt`, whose first line says where it is from."""
    lines = (files(__package__) / "land.txt").read_text(encoding="ascii").splitlines()[1:]
    return tuple(np.cumsum(np.array(line.split(), dtype=np.int64).reshape(-1, 2), axis=0) / 10 for line in lines)


def names(axes: Axes, named: Sequence[Dot], legend: Mapping[str, Kind], around: Sequence[Place]) -> None:
    """Names beside their dots, each where it hits no other name and no dot; further away with a line."""
    scale = 72 / axes.figure.dpi  # all that follows is in points
    points = [tuple(scale * axes.transData.transform(place)) for place in around]
    taken: list[tuple[float, float, float, float]] = []
    west, south, east, north = (scale * edge for edge in axes.get_window_extent().extents)
    for dot in sorted(named, key=lambda dot: (-dot.place[1], dot.place[0])):
        x, y = scale * axes.transData.transform(dot.place)
        half_w, half_h = 4.0 + 3.4 * len(dot.name), 7.5  # of its letters, of 11 points
        best: tuple[float, Place] | None = None
        for reach in (1.0, 2.0, 3.4, 5.0):
            for turn in range(12):
                angle = math.pi / 6 * turn
                dx = math.cos(angle) * (half_w + 7 + 13 * (reach - 1))
                dy = math.sin(angle) * (half_h + 6) * reach
                box = (x + dx - half_w, x + dx + half_w, y + dy - half_h, y + dy + half_h)
                hit = sum(_meet(box, other) for other in taken) * 4.0
                hit += sum(box[0] - 4 < px < box[1] + 4 and box[2] - 4 < py < box[3] + 4 for px, py in points)
                hit += 9.0 * (box[0] < west or box[1] > east or box[2] < south or box[3] > north)
                badness = hit + 0.2 * reach
                if best is None or badness < best[0]:
                    best = (badness, (dx, dy))
        assert best is not None
        dx, dy = best[1]
        taken.append((x + dx - half_w, x + dx + half_w, y + dy - half_h, y + dy + half_h))
        far = max(abs(dx) - half_w, abs(dy) - half_h) > 9
        line = {"arrowstyle": "-", "color": plots.MUTED, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 3} if far else None
        axes.annotate(
            dot.name,
            dot.place,
            (dx, dy),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=11,
            color=legend[dot.kind].color,
            arrowprops=line,
        )


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):g}°{'' if value == 0 else letters[int(value < 0)]}"
