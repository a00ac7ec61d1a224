"""A recovery as one HTML page for controllers: what the plan decides and why, rotations, network, passengers, cost.

The page needs no network and no JavaScript, and is a pure function of what `recovery.json` has, the instance, the plan,
and `Limits`. It looks as the report of a shift does; see `takt.show.report`. Plots are drawn by `plots.py`, rotations
by `gantt.py`, the map by `network.py`; the money of each decision is `decisions.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from os import PathLike
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from takt.draw import plots
from takt.draw.pages import templates
from takt.stations.flightdesk.airline.check import check
from takt.stations.flightdesk.airline.cost import weighted
from takt.stations.flightdesk.airline.instance import DAY, Instance, clock
from takt.stations.flightdesk.airline.recovery.decisions import Kind, accounts
from takt.stations.flightdesk.airline.recovery.displaced import bands, displaced
from takt.stations.flightdesk.airline.recovery.facts import Hour, Late, Via, facts
from takt.stations.flightdesk.airline.recovery.gantt import gantt
from takt.stations.flightdesk.airline.recovery.network import network, pairs, unplaced
from takt.stations.flightdesk.airline.recovery.told import TEN, folded, parts_of, told_decisions
from takt.stations.flightdesk.airline.solution import Solution
from takt.writing import whole_file

LISTED = 20  # rows of a table that are not folded
VIAS = 6  # ways of a route
GRACE_S = 1.0  # seconds over the time given that are told beside it, and not as a warning
COLORS = {  # of flights in an hour, from the ground up
    "on_time": plots.GOOD,
    "disrupted": plots.MUTED,
    "delayed": plots.WARN,
    "cancelled": plots.BAD,
    "created": plots.ACCENT,
}
SPAN = 30.0  # the largest EUR over the least that a linear axis still shows


@dataclass(frozen=True, slots=True)
class Limits:
    """What the page measures a plan and its search against.

    bound     EUR that every plan costs at least that `check` passes, proven; None: no bound is known.
    asked_s   seconds that the search was given; None: as many as it took.
    gap       (cost - bound) / (cost of greedy-delay - bound), as a share; None: not known.
    """

    bound: float | None = None
    asked_s: float | None = None
    gap: float | None = None

    def over_s(self, after_s: float) -> float:
        """Seconds over the time given of what was so many seconds after the start; 0 if it was in time."""
        return 0.0 if self.asked_s is None else max(0.0, after_s - self.asked_s)


def write_report(
    told: Mapping[str, Any],
    instance: Instance,
    solution: Solution,
    out: str | PathLike[str],
    limits: Limits = Limits(),
) -> None:
    """Write the page to a file; `told` is what `recovery.json` has."""
    with whole_file(Path(out)) as new:
        new.write_text(page(told, instance, solution, limits), encoding="utf-8")


def page(told: Mapping[str, Any], instance: Instance, solution: Solution, limits: Limits = Limits()) -> str:
    """The page. `told["written_s"]`: seconds from the start until the last plan was written; without it, `seconds`."""
    environment = templates(Path(__file__).parent)
    filters: dict[str, Callable[..., Any]] = {"eur": eur, "via": via, "band": band, "clock": instance.clock}
    filters["moment"] = lambda minute: (
        f"{_date(instance, minute // DAY):%a} {instance.day(minute // DAY)} {clock(minute % DAY)}"
    )
    environment.filters |= {**filters, "parts": parts_of, "count": lambda number: f"{number:,}"}
    first, best = (weighted(told[name], instance.prices.weights) for name in ("first", "cost"))
    found, charged = facts(instance, solution), accounts(instance, solution)
    changed_pairs = pairs(instance, solution.operations)
    decided = [tail for d in charged.decisions[:TEN] for tail in (d.aircraft, d.other) if tail >= 0]
    took_s, written_s = told["seconds"], told.get("written_s", told["seconds"])
    broken = len(check(instance, solution))
    return environment.get_template("report.html.j2").render(
        told=told,
        limits=limits,
        took_s=took_s,
        written_s=written_s,
        over_s=limits.over_s(written_s),
        ended_over_s=limits.over_s(took_s),
        GRACE_S=GRACE_S,
        gap=None if broken or limits.gap is None or limits.gap < 0 else limits.gap,
        instance=instance,
        facts=found,
        broken=broken,
        costs=[(name, first[name], best[name]) for name in best],
        accounts=charged,
        kinds={kind: charged.of(kind) for kind in Kind},
        decisions=told_decisions(instance, solution, charged),
        routes=folded(found, charged),
        gantt=gantt(instance, solution.operations, decided),
        unplaced=unplaced(changed_pairs),
        displaced=displaced(instance, solution),
        bands=bands(),
        fates=_shares([(name, getattr(found.fates, name)) for name in found.fates.__slots__]),
        late=_shares([(span, span.people) for span in found.late]),
        plots={
            "cost": cost_over_time(told["history"], max(took_s, written_s), limits),
            "hours": flights_per_hour(instance, found.hours),
            "network": network(instance, changed_pairs),
        },
        LISTED=LISTED,
        VIAS=VIAS,
    )


def eur(amount: float) -> str:
    """An amount as it is read, in whole euros: 12,345 and −12,345."""
    text = f"{abs(amount):,.0f}"
    return f"−{text}" if amount < 0 and text != "0" else text


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


def cost_over_time(history: Sequence[Sequence[float]], end_s: float, limits: Limits = Limits()) -> plots.Plot:
    """What the best plan so far costs, and the least that any costs; rows of `history`: seconds, iterations, EUR."""
    times = [row[0] for row in history]
    totals = [row[2] for row in history]
    end_s = max(end_s, times[-1])
    levels = totals if limits.bound is None else [*totals, limits.bound]
    least, most = min(levels), max(levels)

    def draw(figure: Figure, wide: bool) -> None:
        axes = plots.axes_over_time(figure, end_s, wide)
        color: dict[str, Any] = {"color": plots.ACCENT, "clip_on": False}
        axes.step([*times, end_s], [*totals, totals[-1]], where="post", linewidth=2, **color)
        axes.plot(times, totals, "o", markersize=3.6, **color)
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
        if limits.bound is not None:
            axes.axhline(limits.bound, color=plots.INK, linewidth=1.2, dashes=(4, 3))
            text = f"proven lower bound: {eur(limits.bound)}"
            axes.annotate(text, (0, limits.bound), (4, 4), textcoords="offset points", va="bottom")
        if limits.asked_s is not None and limits.asked_s < end_s - GRACE_S:
            axes.axvline(limits.asked_s, color=plots.BAD, linewidth=1.2, dashes=(4, 3))
            at = (limits.asked_s, axes.get_ylim()[1])
            axes.annotate("time given", at, (-4, -2), textcoords="offset points", ha="right", va="top", color=plots.BAD)

    return plots.plot("cost over time", 300, draw)


def flights_per_hour(instance: Instance, hours: Sequence[Hour]) -> plots.Plot:
    """Flights that leave in each clock hour, by what becomes of them; dates below the hours."""
    begins = [hour.hour for hour in hours]

    def draw(figure: Figure, wide: bool) -> None:
        left = 0.055 if wide else 0.13
        axes = figure.add_axes((left, 0.15, 0.97 - left, 0.82))
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
        axes.set_xticks(at, [_tick(instance, hour, hour == at[0]) for hour in at])
        axes.tick_params(axis="x", length=4)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))

    return plots.plot("flights per hour", 310, draw)


def _tick(instance: Instance, hour: int, first: bool) -> str:
    """An hour counted from the epoch as the axis has it: with its date below, if it is the first or a midnight."""
    day = _date(instance, hour // 24)
    below = f"{day:%a} {day.day} {day:%b}" if first or hour % 24 == 0 else ""
    return f"{clock(60 * hour % DAY)}\n{below}"


def _date(instance: Instance, day: int) -> date:
    return instance.epoch + timedelta(days=day)


def _powers(least: float, most: float) -> list[float]:
    """The powers of ten from `least` to `most`."""
    return [10.0**k for k in range(math.ceil(math.log10(least) - 1e-9), math.floor(math.log10(most) + 1e-9) + 1)]


def _short_eur(amount: float) -> str:
    for unit, name in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= unit:
            return f"{amount / unit:g}{name}".replace("-", "−")
    return f"{amount:g}".replace("-", "−")
