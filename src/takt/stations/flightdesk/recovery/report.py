"""A recovery as one HTML page: what the plan costs and saves, which flights it changes, where its passengers go.

The page needs no network and no JavaScript, and is a pure function of what `recovery.json` has, the instance, and the
plan. It looks as the report of a shift does; see `takt.report`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from takt.report import plots, templates, whole_file
from takt.stations.flightdesk.check import check
from takt.stations.flightdesk.cost import weighted
from takt.stations.flightdesk.instance import DAY, Instance, clock
from takt.stations.flightdesk.recovery.facts import Hour, Late, Via, facts
from takt.stations.flightdesk.solution import Solution

LISTED = 40  # rows of a table
VIAS = 6  # ways of a route
COLORS = {  # of flights in an hour, from the ground up
    "on_time": plots.GOOD,
    "disrupted": plots.MUTED,
    "delayed": plots.WARN,
    "cancelled": plots.BAD,
    "created": plots.ACCENT,
}
SPAN = 30.0  # the largest EUR over the least that a linear axis still shows


def write_report(told: Mapping[str, Any], instance: Instance, solution: Solution, out: str | PathLike[str]) -> None:
    """Write the page to a file; `told` is what `recovery.json` has."""
    with whole_file(Path(out)) as new:
        new.write_text(page(told, instance, solution), encoding="utf-8")


def page(told: Mapping[str, Any], instance: Instance, solution: Solution) -> str:
    """The page."""
    environment = templates(Path(__file__).parent)
    filters: dict[str, Callable[..., str]] = {"eur": eur, "via": via, "band": band, "clock": instance.clock}
    environment.filters |= {**filters, "count": lambda number: f"{number:,}"}
    first, best = (weighted(told[name], instance.prices.weights) for name in ("first", "cost"))
    found = facts(instance, solution)
    return environment.get_template("report.html.j2").render(
        told=told,
        instance=instance,
        facts=found,
        broken=len(check(instance, solution)),
        costs=[(name, first[name], best[name]) for name in best],
        fates=_shares([(name, getattr(found.fates, name)) for name in found.fates.__slots__]),
        late=_shares([(span, span.people) for span in found.late]),
        plots={
            "cost": cost_over_time(told["history"], told["seconds"]),
            "hours": flights_per_hour(found.hours),
        },
        LISTED=LISTED,
        VIAS=VIAS,
    )


def eur(amount: float, digits: int = 0) -> str:
    """An amount as it is read: 12,345 and −12,345."""
    text = f"{abs(amount):,.{digits}f}"
    return f"−{text}" if amount < 0 and text.strip("0.,") else text


def via(places: Via) -> str:
    """The way that people go, by the airports between."""
    return f"via {' and '.join(places)}" if places else "direct"


def band(late: Late) -> str:
    """A band of minutes late."""
    return f"over {late.over} min" if late.most is None else f"{late.over + 1} to {late.most} min"


def _shares(counts: Sequence[tuple[Any, int]]) -> list[tuple[Any, int, float]]:
    """With the length of its bar: the share of the largest, in percent."""
    most = max([1, *(count for _, count in counts)])
    return [(name, count, 100 * count / most) for name, count in counts]


# --- plots ------------------------------------------------------------------------------------------------------------


def cost_over_time(history: Sequence[Sequence[float]], end_s: float) -> plots.Plot:
    """What the best plan so far costs; rows of `history` are seconds, iterations, EUR."""
    times = [row[0] for row in history]
    totals = [row[2] for row in history]
    end_s = max(end_s, times[-1])

    def draw(figure: Figure, wide: bool) -> None:
        axes = plots.axes_over_time(figure, end_s, wide)
        color: dict[str, Any] = {"color": plots.ACCENT, "clip_on": False}
        axes.step([*times, end_s], [*totals, totals[-1]], where="post", linewidth=2, **color)
        axes.plot(times, totals, "o", markersize=3.6, **color)
        least, most = min(totals), max(totals)
        if least > 0 and most / least > SPAN:
            axes.set_yscale("log")
            axes.set_ylim(0.8 * least, 1.15 * most)
            between = (1, 2, 5) if most < 300 * least else (1,)
            axes.yaxis.set_major_locator(
                FixedLocator([m * power for power in _powers(least / 10, most) for m in between])
            )
        elif least <= 0 < most and most > SPAN * -least:
            step = 10.0 ** math.floor(math.log10(max(-least, most / 1000)))  # linear up to here, then logarithmic
            axes.set_yscale("symlog", linthresh=step)
            axes.set_ylim(step * math.floor(least / step), 1.15 * most)
            axes.yaxis.set_major_locator(FixedLocator([*(-step * i for i in (1, 5)), 0.0, *_powers(step, most)]))
        else:
            axes.yaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
            axes.margins(y=0.08)
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short_eur(value)))

    return plots.plot("cost over time", 300, draw)


def flights_per_hour(hours: Sequence[Hour]) -> plots.Plot:
    """Flights that leave in each clock hour, by what becomes of them."""
    begins = [hour.hour for hour in hours]

    def draw(figure: Figure, wide: bool) -> None:
        left = 0.055 if wide else 0.13
        axes = figure.add_axes((left, 0.11, 0.97 - left, 0.85))
        below = [0] * len(hours)
        for name, color in COLORS.items():
            counts = [getattr(hour, name) for hour in hours]
            bars = [(at, count, low) for at, count, low in zip(begins, counts, below, strict=True) if count]
            if bars:
                x, height, bottom = zip(*bars, strict=True)
                axes.bar(x, height, 0.86, bottom, align="edge", color=color, linewidth=0)
            below = [low + count for low, count in zip(below, counts, strict=True)]
        axes.set_xlim(begins[0], begins[-1] + 1)
        most = 10 if wide else 4
        step = next((s for s in (1, 2, 3, 6, 12, 24) if len(hours) / s <= most), 24 * math.ceil(len(hours) / 24 / most))
        at = [hour for hour in range(begins[0], begins[-1] + 2) if hour % step == 0]
        axes.set_xticks(at, [clock(60 * hour % DAY) for hour in at])
        axes.tick_params(axis="x", length=4)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))

    return plots.plot("flights per hour", 300, draw)


def _powers(least: float, most: float) -> list[float]:
    """The powers of ten from `least` to `most`."""
    return [10.0**k for k in range(math.ceil(math.log10(least) - 1e-9), math.floor(math.log10(most) + 1e-9) + 1)]


def _short_eur(amount: float) -> str:
    for unit, name in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= unit:
            return f"{amount / unit:g}{name}".replace("-", "−")
    return f"{amount:g}".replace("-", "−")
