"""The desk's sections of a shift's report, drawn as `takt.show.report.plots` draws: the map, the queue, the cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.station import Section
from takt.draw import plots
from takt.judge.spans import fault_spans
from takt.stations.flightdesk.desk import map as maps
from takt.stations.flightdesk.desk.account import PARTS, Party, came, parties_of, settled
from takt.stations.flightdesk.desk.seats import Assigned
from takt.stations.flightdesk.desk.world import World
from takt.stations.flightdesk.situation.map import land

COLORS = {
    "fare": plots.ACCENT,
    "delay": plots.WARN,
    "care": plots.GOOD,
    "downgrading": plots.MUTED,
    "hotel_not_due": plots.INK,
    "not_brought_home": plots.BAD,
}
HOURS_S = (300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAP_HEIGHT, QUEUE_HEIGHT, COST_HEIGHT = 530, 380, 470  # CSS pixels
BINS = (60, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)  # seconds: the first of which 60 fill a shift
MOST_STEPS = 240  # of a curve, more than a page shows
LEAST = 0.12  # of the longest bar: what is shorter has nothing written in it


def sections(world: World, authority: bool, events: Sequence[Event], bound: Assigned) -> list[Section]:
    """The sections; none if nobody came."""
    if not parties_of(events):
        return []
    log = settled(events)
    parties = list(parties_of(log).values())
    end_s = max(event.t_s for event in events)
    closed = closures(world, end_s)
    found = []
    shown = _map(world, parties)
    if shown is not None:
        note = (
            "Lines are the flights that those home were booked on, as wide as people took them; their colour is the "
            "corridor of that flight, the legend counts people by the corridor of their whole trip. Discs are the "
            "people who were not brought home, at the airport where they are."
        )
        found.append(Section("Where passengers went", note, shown))
    note = (
        "Above, groups that have come and are not settled. Below, those that came (line) and those served (bars: good, "
        "and bad in red) in each span of time. Times are UTC. Bands are faults; grey is when something is known to be "
        f"shut{_told(closed)}."
    )
    found.append(Section("The queue at the desk", note, _queue(world, events, closed, end_s)))
    holds = (
        "This desk may change flights, so the bound does not hold for it."
        if authority
        else "The dashed line is the bound: no desk, whatever it knew beforehand, serves these groups for less. "
        "The red of its bar is those who would not be home even so."
    )
    note = f"EUR by part: all of the shift, and of the groups that had come by then. {holds}"
    stays = float(bound.stays @ world.groups.stays[[b for _, b in came(world, log)]])
    if parties:
        cost = _cost(world, parties, bound, stays, closed, end_s, authority)
        found.append(Section("Cost against hindsight", note, cost))
    return found


@dataclass(frozen=True, slots=True)
class Closed:
    """Places that are known to be shut at the same time, seconds since the start of the shift."""

    places: tuple[str, ...]
    start_s: float
    end_s: float


def closures(world: World, end_s: float) -> list[Closed]:
    """What is known to be shut in the shift's time, in order; what is said to go on is one."""
    start = world.instance.start
    spans: dict[str, tuple[float, float]] = {}
    for news in sorted((news for news in world.news if news.kind == "closed"), key=lambda news: news.minute):
        since, until = 60 * (news.minute - start), 60 * (news.until - start)
        if since < end_s and until > 0:
            before = spans.get(news.place)
            if before is not None and since <= before[1]:
                since, until = before[0], max(before[1], until)
            spans[news.place] = (max(0.0, since), min(end_s, until))
    by_span: dict[tuple[float, float], list[str]] = {}
    for place, span in spans.items():
        by_span.setdefault(span, []).append(place)
    return [Closed(tuple(sorted(places)), *span) for span, places in sorted(by_span.items())]


def _told(closed: Sequence[Closed]) -> str:
    names = sorted({place for one in closed for place in one.places})
    return f": {', '.join(names[:12])}" if names else ""


def _map(world: World, parties: Sequence[Party]) -> plots.Plot | None:
    home = [party for party in parties if party.home]
    ways = maps.ways_of(world, [([world.index[name] for name, _ in p.legs], p.people) for p in home])
    people: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for party in parties:
        if party.home:
            people[party.corridor] += party.people
        else:
            left[party.at] += party.people
    codes = {*left, *(code for way in ways for code in way.ends)}
    if not maps.known(codes):
        return None

    def draw(figure: Figure, wide: bool) -> None:
        axes = maps.frame(figure, (0.0, 0.0, 1.0, 0.92 if wide else 0.8), codes)
        land(axes, axes.get_xlim(), axes.get_ylim())
        maps.traffic(axes, ways, left, scale=1.0 if wide else 0.6)
        if wide:
            maps.label(axes, codes)
        else:
            maps.label(axes, [code for code, _ in left.most_common(6)])
        discs = f"not brought home {sum(left.values()):,}" if left else ""
        maps.legend(axes, people, discs, 5 if wide else 2)

    return plots.plot("where passengers went", MAP_HEIGHT, draw)


def _queue(world: World, events: Sequence[Event], closed: Sequence[Closed], end_s: float) -> plots.Plot:
    spans = fault_spans(events, end_s)
    steps = [(e.t_s, 1 if e.kind == UNIT_DUE else -1) for e in events if e.kind in (UNIT_DUE, UNIT_GOOD, UNIT_BAD)]
    times = [0.0, *(t_s for t_s, _ in steps), end_s]
    waiting = np.cumsum([0, *(step for _, step in steps), 0])
    bin_s = next((s for s in BINS if end_s <= 60 * s), BINS[-1])
    edges = np.arange(0, end_s + bin_s, bin_s)
    counts = {
        kind: np.histogram([e.t_s for e in events if e.kind == kind], edges)[0]
        for kind in (UNIT_DUE, UNIT_GOOD, UNIT_BAD)
    }

    def draw(figure: Figure, wide: bool) -> None:
        above, below = (plots.axes_over_time(figure, end_s, wide) for _ in range(2))
        left, width = above.get_position().x0, above.get_position().width
        above.set_position((left, 0.53, width, 0.42))
        below.set_position((left, 0.11, width, 0.31))
        for axes, text in ((above, "groups that wait"), (below, f"groups in {_span(bin_s)}")):
            _dated(axes, world, end_s, wide)
            _shade(axes, closed)
            for span in spans:
                axes.axvspan(span.start_s, span.end_s, color=plots.WARN, alpha=0.2, linewidth=0)
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
            axes.set_title(text, loc="left", fontsize=12, color=plots.MUTED)
        above.tick_params(labelbottom=False)
        for span in spans:
            name = span.name.replace("_", " ")
            above.annotate(name, (span.start_s, 1), (3, -3), ("data", "axes fraction"), "offset points", va="top")
        above.fill_between(times, waiting, step="post", color=plots.ACCENT, alpha=0.16, linewidth=0)
        above.step(times, waiting, where="post", color=plots.ACCENT, linewidth=1.4)
        above.set_ylim(0, 1.15 * max(4, waiting.max()))
        bottom = np.zeros(len(edges) - 1)
        for kind, color in ((UNIT_GOOD, plots.GOOD), (UNIT_BAD, plots.BAD)):
            below.bar(edges[:-1], counts[kind], 0.86 * bin_s, bottom, align="edge", color=color, linewidth=0)
            bottom = bottom + counts[kind]
        below.stairs(counts[UNIT_DUE], edges, color=plots.INK, linewidth=1.2)
        below.set_ylim(0, 1.1 * max(1.0, bottom.max(), counts[UNIT_DUE].max()))

    return plots.plot("queue at the desk", QUEUE_HEIGHT, draw)


def _cost(
    world: World,
    parties: Sequence[Party],
    bound: Assigned,
    stays: float,
    closed: Sequence[Closed],
    end_s: float,
    authority: bool,
) -> plots.Plot:
    """Two bars, shift and bound, `stays` EUR of it for who stays in hindsight; below, how the cost of who came grew."""
    came_in = sorted(parties, key=lambda party: party.due_s)
    each = {part: np.cumsum([0.0, *(party.cost.get(part, 0.0) for party in came_in), 0.0]) for part in PARTS}
    shown = np.unique(np.linspace(0, len(came_in) + 1, min(MOST_STEPS, len(came_in) + 2)).round().astype(int))
    times = np.array([0.0, *(party.due_s for party in came_in), end_s])[shown].tolist()
    grown = {part: amounts[shown] for part, amounts in each.items()}
    parts = [part for part in PARTS if grown[part][-1] > 0]
    total = sum(float(grown[part][-1]) for part in parts)
    least, most = bound.bound, max(1.0, total, bound.bound)
    dashed: dict[str, Any] = {"facecolor": "none", "edgecolor": plots.INK, "linewidth": 1.0, "linestyle": (0, (4, 3))}
    spaced: dict[str, Any] = {"frameon": False, "borderaxespad": 0, "handlelength": 1.0, "columnspacing": 1.4}

    def draw(figure: Figure, wide: bool) -> None:
        left, width = (0.125, 0.845) if wide else (0.19, 0.78)
        bars = figure.add_axes((left, 0.68, width, 0.2 if wide else 0.16))
        bars.grid(False)
        bars.set_xlim(0, most)
        bars.set_ylim(1.6, -0.75)
        gap = " " if wide else "\n"
        bars.set_yticks([0, 1], [f"shift{gap}{_eur(total)}", f"bound{gap}{_eur(least)}"])
        bars.set_xticks([])
        bars.spines["bottom"].set_visible(False)
        begin = 0.0
        for part in parts:
            eur = float(grown[part][-1])
            name = f"{part.replace('_', ' ')} {_eur(eur)}"
            bars.barh(0, eur, 0.8, begin, color=COLORS[part], linewidth=0, label=name)
            begin += eur
        ways = max(0.0, least - stays)
        bars.barh(1, ways, 0.8, color=plots.LINE, linewidth=0)
        bars.barh(1, least - ways, 0.8, ways, color=COLORS["not_brought_home"], linewidth=0)
        regret = 0.0 if authority else total - least
        bars.barh(1, regret, 0.8, least, **dashed)
        for text, begin, length in (("ways home", 0.0, ways), ("regret", least, regret)):
            if length > LEAST * most:
                bars.text(begin + length / 2, 1, f"{text} {_eur(length)}" if wide else text, va="center", ha="center")
        bars.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=6 if wide else 2, fontsize=11.5, **spaced)
        axes = plots.axes_over_time(figure, end_s, wide)
        axes.set_position((left, 0.085, width, 0.53))
        _dated(axes, world, end_s, wide)
        _shade(axes, closed)
        _grows(axes, times, [grown[part] for part in parts], [COLORS[part] for part in parts])
        axes.axhline(least, color=plots.INK, linewidth=1.2, dashes=(4, 3))
        axes.annotate("bound", (0, least), (3, 3), textcoords="offset points")
        axes.set_ylim(0, 1.06 * most)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _eur(value, 0 if most > 5e6 else 1)))

    return plots.plot("cost against hindsight", COST_HEIGHT, draw)


def _shade(axes: Axes, closed: Sequence[Closed]) -> None:
    """Grey where something is known to be shut."""
    for one in closed:
        axes.axvspan(one.start_s, one.end_s, color=plots.MUTED, alpha=0.13, linewidth=0, zorder=0)


def _dated(axes: Axes, world: World, end_s: float, wide: bool) -> None:
    """UTC below an axis of station time: hours, and the date at the first and at each new day."""
    step = next((s for s in HOURS_S if end_s / s <= (8 if wide else 4)), HOURS_S[-1])
    offset = (60 * world.instance.start) % step
    at = np.arange((step - offset) % step, end_s + 1e-9, step).tolist() or [0.0]
    names, day = [], ""
    for seconds in at:
        clock = world.clock(world.instance.start + seconds / 60)
        date = f"\n{int(clock[8:10])} {MONTHS[int(clock[5:7]) - 1]}"
        names.append(clock[11:16] + (date if date != day else ""))
        day = date
    axes.set_xticks(at, names)


def _grows(axes: Axes, times: Sequence[float], amounts: Sequence[Any], colors: Sequence[str]) -> None:
    """Amounts over time, one on the other."""
    low = np.zeros(len(times))
    for amount, color in zip(amounts, colors, strict=True):
        axes.fill_between(times, low, low + amount, step="post", color=color, linewidth=0)
        low = low + amount


def _eur(value: float, digits: int = 2) -> str:
    """An amount in few letters: 1.35 M, 340 k."""
    if value >= 999_500:
        return f"{value / 1e6:.{digits}f} M"
    return f"{value / 1e3:.3g} k" if value >= 1000 else f"{value:.0f}"


def _span(seconds: float) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"
