"""The situation board's plots, drawn as `takt.show.report.plots` draws; its maps are in `map`.

Each function gives `draw(figure, wide)`, for `plots.plot` (inside a page) and `plots.save` (a file).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from takt.contract.figure import per_cent
from takt.draw import plots
from takt.stations.flightdesk.situation.fares import Fare, Seats
from takt.stations.flightdesk.situation.flights import Day
from takt.stations.flightdesk.situation.map import Draw
from takt.stations.flightdesk.situation.overflights import ORDER, Line
from takt.stations.flightdesk.situation.tables import by_corridor

COLORS = (plots.BAD, plots.ACCENT, plots.GOOD, plots.WARN, plots.MUTED)
DASHES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.6)))  # the colours again, for more lines than colours
STYLES = [{"color": color, "linestyle": dash, "linewidth": 1.8} for dash in DASHES for color in COLORS]
GOOD = plots.ACCENT  # of flights that flew
BOLD = {"color": plots.INK, "linewidth": 3.2}
CORRIDORS = {"north": plots.ACCENT, "middle": plots.GOOD, "south": plots.BAD}
BEHIND = {"facecolor": plots.PAPER, "edgecolor": "none", "pad": 0.5}  # a name, so that no grid line goes through it
DAYS_SEEN = 6  # lines of a fare plot
CURVES = 12  # lines of a plot by flight
RATE_HEIGHT, PANEL_HEIGHT, PANELS_HEIGHT = 300, 280, 400  # CSS pixels

Curve = tuple[str, Sequence[float | None], Mapping[str, Any]]  # its name, a value a day, and how its line looks


def percent(share: float, digits: int = 0, sign: bool = False) -> str:
    """A share as it is read: 51 %, and a change with its sign: +25 % or −28 %."""
    text = f"{100 * abs(share):.{digits}f}" if sign else per_cent(share, decimals=digits)
    minus = share < 0 and text.strip("0.") != ""
    return f"{'−' if minus else '+' if sign and text.strip('0.') else ''}{text} %"


def rates(days: Sequence[Day]) -> Draw:
    """What became of each day's flights: flown, cancelled above it, and with the share cancelled; unknown in grey.

    Days that are still to come are pale.
    """

    def draw(figure: Figure, wide: bool) -> None:
        left = 0.065 if wide else 0.15
        axes = figure.add_axes((left, 0.11, 0.97 - left, 0.75))
        for place, day in enumerate(days):
            low = 0
            for count, color in ((day.flown, GOOD), (day.cancelled, plots.BAD), (_open(day), plots.LINE)):
                axes.bar(place, count, 0.72, low, color=color, alpha=1.0 if day.past else 0.45, linewidth=0)
                low += count
            if len(days) <= (21 if wide else 8):
                text = "?" if day.rate is None else percent(day.rate, 1 if len(days) <= (12 if wide else 4) else 0)
                if wide and len(days) <= 10 and day.rate is not None:
                    text += f"\n{day.cancelled} cancelled"
                _above(axes, place, day.scheduled, text)
        axes.set_ylim(0, 1.2 * max([1, *(day.scheduled for day in days)]))
        _days(axes, [day.date for day in days], wide, 15 if wide else 5)
        axes.set_xlim(-0.6, max(len(days), 3) - 0.4)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10), integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        named = [("flown", GOOD), ("cancelled", plots.BAD), ("not known, or to come", plots.LINE)]
        shown = [Patch(color=color, label=name) for name, color in named]
        axes.legend(handles=shown, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderaxespad=0.1)

    return draw


def _open(day: Day) -> int:
    """Flights of a day that are neither flown nor cancelled."""
    return day.scheduled - day.flown - day.cancelled


def corridor(days: Sequence[date], lines: Sequence[Line], name: str) -> Draw:
    """The change of the overflights of a corridor's states, a line each, and of all of it."""

    def draw(figure: Figure, wide: bool) -> None:
        axes = figure.add_axes((0.065 if wide else 0.14, 0.13, 0.84 if wide else 0.62, 0.83))
        _changes(axes, days, lines, name, wide, 10 if wide else 3)

    return draw


def corridors(days: Sequence[date], lines: Sequence[Line]) -> Draw:
    """The same of all corridors side by side."""

    def draw(figure: Figure, wide: bool) -> None:
        for place, name in enumerate(ORDER):
            axes = figure.add_axes((0.06 + 0.315 * place, 0.09, 0.225, 0.8))
            axes.set_title(f"{name} corridor", loc="left", fontsize=13, color=plots.INK)
            _changes(axes, days, lines, name, wide, 4)
            axes.tick_params(labelleft=place == 0)

    return draw


def fares(found: Sequence[Fare]) -> Draw:
    """The lowest fares of one route, not by flight, over travel dates: a line a day seen, the last one bold."""
    travel = _every_day([fare.travel for fare in found])
    seen = sorted({fare.seen for fare in found})
    shown = sorted({seen[round(n * (len(seen) - 1) / (DAYS_SEEN - 1))] for n in range(DAYS_SEEN)})
    amount = {(fare.seen, fare.travel): fare.fare for fare in found}
    pale = [{"color": plots.ACCENT, "alpha": 0.25 + 0.6 * n / len(shown), "linewidth": 1.8} for n in range(len(shown))]
    curves = [
        (f"seen {_short(day)}", [amount.get((day, on)) for on in travel], style)
        for day, style in zip(shown, [*pale[:-1], BOLD], strict=True)
    ]
    return _over_travel(travel, curves, found[0].currency)


def fares_by_flight(found: Sequence[Fare]) -> Draw:
    """The lowest fares of one route by flight over travel dates, as seen on the last day: `CURVES` flights at most."""
    last = max(fare.seen for fare in found)
    mine = [fare for fare in found if fare.seen == last]
    travel = _every_day([fare.travel for fare in mine])
    flights = sorted({fare.flight or "" for fare in mine})[:CURVES]
    amount = {(fare.flight, fare.travel): fare.fare for fare in mine}
    curves = [
        (flight, [amount.get((flight, on)) for on in travel], style)
        for flight, style in zip(flights, STYLES, strict=False)
    ]
    return _over_travel(travel, curves, mine[0].currency)


def seats(found: Sequence[Seats]) -> Draw:
    """Seats left by corridor over travel dates, as seen on the last day."""
    last = max(left.seen for left in found)
    mine = [left for left in found if left.seen == last]
    travel = _every_day([left.travel for left in mine])
    count = {(left.corridor, left.travel): left.seats for left in mine}
    names = sorted({left.corridor for left in mine}, key=by_corridor)
    curves: list[Curve] = []
    for name, style in zip(names, STYLES, strict=False):
        own = style | ({"color": CORRIDORS[name], "linestyle": "-"} if name in CORRIDORS else {"linestyle": "--"})
        curves.append((name, [count.get((name, on)) for on in travel], own))
    return _over_travel(travel, curves, "seats")


def _over_travel(travel: Sequence[date], curves: Sequence[Curve], unit: str) -> Draw:
    def draw(figure: Figure, wide: bool) -> None:
        axes = figure.add_axes((0.075 if wide else 0.17, 0.13, 0.8 if wide else 0.55, 0.76))
        axes.set_title(f"{unit}, by travel date", loc="left", fontsize=12, color=plots.MUTED)
        values = [value for _, curve, _ in curves for value in curve if value is not None]
        axes.set_ylim(0, 1.06 * max([1.0, *values]))
        _curves(axes, curves)
        _days(axes, travel, wide, 14 if wide else 3)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 2.5, 5, 10), integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))

    return draw


def _changes(axes: Axes, days: Sequence[date], lines: Sequence[Line], name: str, wide: bool, most: int) -> None:
    values = [change for line in lines for change in line.change if change is not None]
    axes.set_ylim(min([-0.5, *values]) - 0.06, max([0.3, *values]) + 0.06)
    axes.axhline(0, color=plots.INK, linewidth=1)
    mine = [line for line in lines if line.corridor == name]
    states = [line for line in mine if line.code]
    curves: list[Curve] = [(line.state, line.change, style) for line, style in zip(states, STYLES, strict=False)]
    _curves(axes, curves + [(line.state, line.change, BOLD) for line in mine if not line.code])
    _days(axes, days, wide, most)
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=(1, 2, 2.5, 5, 10)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, sign=True)))


def _curves(axes: Axes, curves: Sequence[Curve]) -> None:
    """Lines over places 0, 1, 2, ..., each with its name at the right; `axes` has its limits of y."""
    ends = []
    places = max((len(values) for _, values, _ in curves), default=1)  # no state of a corridor may be in the files
    for name, values, style in curves:
        shown = [math.nan if value is None else value for value in values]
        axes.plot(range(places), shown, marker="o", markersize=3.6, **style)
        last = next((value for value in reversed(values) if value is not None), None)
        if last is not None:
            dashed = "" if style.get("linestyle", "-") == "-" else " - -"
            ends.append((last, name + dashed, style["color"], 0.3 + 0.7 * style.get("alpha", 1.0)))
    axes.set_xlim((-0.1, places - 0.9) if places > 1 else (-0.5, 0.5))
    ends.sort()
    for y, (_, name, color, alpha) in zip(_apart([end[0] for end in ends], axes, 14), ends, strict=True):
        axes.annotate(
            name, (1.0, y), (8, 0), "axes fraction", textcoords="offset points", va="center", color=color, alpha=alpha
        )


def _apart(values: Sequence[float], axes: Axes, pixels: float) -> list[float]:
    """Heights (fractions of the axes) for labels of these ascending values, none closer than `pixels` to the next."""
    low, high = axes.get_ylim()
    inches = axes.get_position().height * axes.figure.get_figheight()  # type: ignore[union-attr]
    gap = pixels / 72 / inches
    heights: list[float] = []
    for value in values:
        wanted = (value - low) / (high - low)
        heights.append(max(wanted, heights[-1] + gap) if heights else wanted)
    over = max(0.0, heights[-1] - 1.0) if heights else 0.0
    for place in range(len(heights) - 1, -1, -1):  # push back down what was pushed out at the top
        top = heights[place + 1] - gap if place + 1 < len(heights) else heights[place] - over
        heights[place] = min(heights[place], top)
    return heights


def _days(axes: Axes, days: Sequence[date], wide: bool, most: int) -> None:
    """Day names below places 0, 1, 2, ..., of which at most `most` are named."""
    step = max(1, math.ceil(len(days) / most))
    at = list(range(0, len(days), step))
    years = len({day.year for day in days}) > 1
    axes.set_xticks(at, [_short(days[place]) + (f"\n{days[place].year}" if years else "") for place in at])
    axes.tick_params(axis="x", length=4)


def _every_day(days: Sequence[date]) -> list[date]:
    first = min(days)
    return [first + timedelta(days=n) for n in range((max(days) - first).days + 1)]


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _above(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=11, bbox=BEHIND)
