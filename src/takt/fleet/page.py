"""A fleet as one HTML page, in the report's style: table, rates with bounds, cost against rate, why units were bad."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from takt.draw import plots
from takt.draw.pages import templates
from takt.fleet.arms import by_seed
from takt.fleet.drive import seeds_of, works
from takt.fleet.job import MACHINE_FAULTS
from takt.fleet.plan import Plan, Planned
from takt.fleet.record import Record
from takt.fleet.standing import FleetStanding
from takt.fleet.store import shown
from takt.fleet.table import FleetTable, fleet_table
from takt.fleet.together import OUT, Duel, Together
from takt.judge.comparison import ALIKE, BETTER, UNDECIDED
from takt.ledger import canonical
from takt.writing import PAGE, whole_file

NAME = "fleet.html"
MOST_REASONS = 6  # that are drawn by themselves; the rest is "others"
TONES = (plots.BAD, plots.WARN, plots.ACCENT, plots.GOOD, plots.MUTED, plots.INK)


def write_page(found: FleetStanding, out: str | os.PathLike[str] | None = None, accept: str = "") -> Path:
    """Write the page of a fleet to `out` (by default `fleet.html` in its folder), and return its path."""
    if out is None:
        found.plan.folder.mkdir(parents=True, exist_ok=True)  # of a fleet in a database there may be none here yet
        out = found.plan.folder / NAME
    table = fleet_table(found, accept=accept)
    duels = {work: compared(found, work) for work, arms in works(found.plan).items() if len(arms) > 1}
    with whole_file(Path(out), PAGE) as new:
        text = (
            templates(Path(__file__).parent)
            .get_template("page.html.j2")
            .render(
                found=found,
                store=shown(found.plan.store),
                table=table,
                rates=rates(table),
                by_columns=by_columns(table),
                pareto=pareto(table),
                reasons=reasons(found),
                duels={work: [_told(duel, found.plan) for duel in those] for work, those in duels.items()},
                faults=_faults(found),
                state=found.state,
            )
        )
        new.write_text(text, encoding="utf-8")
    return Path(out)


def compared(found: FleetStanding, work: str) -> list[Duel]:
    """Every two arms of a work, told apart as its driver does: by their shifts in the plan's order up to the first seed
    that an arm which is needed has not worked, with one promise for all."""
    plan = found.plan
    arms = [one for one in found.arms if one.arm.work == work]
    by = plan.stop.by
    together = Together([one.arm.name for one in arms], alpha=plan.stop.alpha, by=by, margin=plan.stop.margin)
    seeds = seeds_of(plan, work)
    planned: dict[str, dict[int, Planned]] = {one.arm.name: {} for one in arms}
    for shift in plan.shifts:
        if shift.arm.name in planned:
            planned[shift.arm.name][shift.seed] = shift
    rows = {}
    for one in arms:
        records = {record.id: record for record in one.records}
        row = rows[one.arm.name] = by_seed(seeds, planned[one.arm.name], records, found.lost)
        row += [OUT] * (len(seeds) - len(row)) if one.spared else []  # it is not waited for
    together.follow(rows, plan.stop.compare)
    return list(together.duels.values())


def _told(duel: Duel, plan: Plan) -> Mapping[str, str]:
    words = {UNDECIDED: "undecided", ALIKE: f"no difference above {100 * (plan.stop.margin or 0):g} points"}
    better = f"{duel.a} is better" if duel.decision == BETTER else f"{duel.b} is better"
    low, high = duel.bound(plan.stop.by, plan.stop.alpha)
    return {
        "a": duel.a,
        "b": duel.b,
        "shifts": f"{len(duel.means)}" + (f", {duel.lost} lost" if duel.lost else ""),
        "difference": "" if duel.difference is None else f"{100 * duel.difference:+.1f}",
        "bound": f"{100 * low:+.1f} to {100 * high:+.1f}" if duel.means else "",
        "decision": words.get(duel.decision, better),
    }


def _faults(found: FleetStanding) -> list[Mapping[str, str]]:
    counts = Counter(fault.kind for fault in found.faults)
    last = {fault.kind: fault for fault in found.faults}
    return [
        {"kind": kind, "count": str(count), "what": MACHINE_FAULTS.get(kind, ""), "host": last[kind].host}
        | {"log": last[kind].log, "why": last[kind].why}
        for kind, count in counts.items()
    ]


def _name(of: Mapping[str, Any]) -> str:
    station, *rest = of.values()
    return f"{' '.join(str(value) for value in rest if value is not None)} @ {station}"


def rates(table: FleetTable) -> plots.Plot | None:
    """Good rate of every row with its bound, one below the other."""
    rows = [row for row in table.rows if row.figures["rate"] is not None]
    if not rows:
        return None

    def draw(figure: Figure, wide: bool) -> None:
        axes = figure.add_axes((0.26 if wide else 0.42, 0.1, 0.7 if wide else 0.53, 0.88))
        for at, row in enumerate(reversed(rows)):
            f = row.figures
            tone = {"accept": plots.GOOD, "reject": plots.BAD}.get(f["verdict"], plots.ACCENT)
            axes.plot([f["lower"], f["upper"]], [at, at], color=tone, linewidth=4, alpha=0.35, solid_capstyle="butt")
            axes.plot([f["rate"]], [at], "o", color=tone, markersize=6)
        names = [_name(row.of) if wide else _name(row.of)[:24] for row in reversed(rows)]
        axes.set_yticks(range(len(rows)), names)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(-0.01, 1.01)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))

    return plots.plot("good rate with its bound", 60 + 26 * len(rows), draw)


def by_columns(table: FleetTable) -> dict[str, plots.Plot]:
    """Good rate with its bound by each option that varies (difficulty), a line for whatever is the same but for it."""
    options = [column for column in table.columns if column not in ("station", "worker")]
    found = {column: _by_column(table, column) for column in options}
    return {column: plot for column, plot in found.items() if plot is not None}


def _by_column(table: FleetTable, column: str) -> plots.Plot | None:
    rows = [row for row in table.rows if row.of[column] is not None and row.figures["rate"] is not None]
    values = list(dict.fromkeys(canonical(row.of[column]) for row in rows))
    series: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for row in rows:
        rest = {key: value for key, value in row.of.items() if key != column}
        series.setdefault(_name(rest), []).append((values.index(canonical(row.of[column])), row.figures))
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return None
    names = [value.strip('"') for value in values]

    def draw(figure: Figure, wide: bool) -> None:
        axes = figure.add_axes((0.07 if wide else 0.17, 0.12, 0.9 if wide else 0.78, 0.66 if wide else 0.5))
        beside = min(0.1, 0.6 / len(series))
        for n, (name, points) in enumerate(series.items()):
            tone = TONES[n % len(TONES)]
            x = [at + beside * (n - (len(series) - 1) / 2) for at, _ in points]
            low, high, rate = ([f[key] for _, f in points] for key in ("lower", "upper", "rate"))
            axes.vlines(x, low, high, color=tone, linewidth=4, alpha=0.35)
            axes.plot(x, rate, "o-", color=tone, linewidth=1, markersize=6, label=name if wide else name[:30])
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_ylim(-0.02, 1.03)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
        axes.set_xlabel(column.replace("_", " "))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3 if wide else 1, frameon=False, fontsize=10)

    return plots.plot(f"good rate by {column}", 280 + 16 * len(series), draw)


def pareto(table: FleetTable) -> plots.Plot | None:
    """Cost of a unit against good rate: money where it is known, else the wall time of a unit. A step joins those rows
    that nobody is both cheaper and better than."""
    priced = any(row.figures["money"] for row in table.rows)
    points = []
    for row in table.rows:
        f = row.figures
        wall_s = sum(record.wall_s for one in row.arms for record in one.records if record.ended)
        cost = (f["money"] or 0.0) if priced else wall_s
        if f["units"] and f["rate"] is not None:
            points.append((cost / f["units"], f["rate"], _name(row.of)))
    if len(points) < 2:
        return None
    best = [p for p in sorted(points) if all(other[1] <= p[1] or other[0] > p[0] for other in points)]

    def draw(figure: Figure, wide: bool) -> None:
        axes = figure.add_axes((0.07 if wide else 0.17, 0.17, 0.9 if wide else 0.78, 0.79))
        axes.step([p[0] for p in best], [p[1] for p in best], where="post", color=plots.LINE, linewidth=2)
        axes.plot([p[0] for p in points], [p[1] for p in points], "o", color=plots.ACCENT, markersize=6)
        axes.set_ylim(-0.05, 1.08)
        axes.set_xlim(0, 1.05 * max(cost for cost, _, _ in points) or 1.0)
        if wide:
            plots.names(axes, points)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
        axes.set_xlabel("money a unit" if priced else "wall seconds a unit")

    return plots.plot("cost and good rate", 320, draw)


def reasons(found: FleetStanding) -> plots.Plot | None:
    """Why units were bad, as shares of each arm's units."""
    total: Counter[str] = Counter()
    for one in found.arms:
        for record in one.records:
            total.update(record.why_bad if record.ended else {})
    if not total:
        return None
    shown = [reason for reason, _ in total.most_common(MOST_REASONS)]
    arms = [one for one in found.arms if one.units]

    def draw(figure: Figure, wide: bool) -> None:
        top = 0.9 if wide else 0.8
        axes = figure.add_axes((0.26 if wide else 0.42, 0.1, 0.7 if wide else 0.53, top - 0.1))
        left = [0.0] * len(arms)
        for reason, tone in zip([*shown, "others"], [*TONES, plots.LINE], strict=False):
            share = [_share(one.records, one.units, reason, shown) for one in arms]
            if any(share):
                label = str(reason).replace("_", " ")
                axes.barh(
                    range(len(arms) - 1, -1, -1), share, left=left, height=0.6, color=tone, alpha=0.75, label=label
                )
            left = [a + b for a, b in zip(left, share, strict=True)]
        axes.set_yticks(range(len(arms) - 1, -1, -1), [one.arm.name if wide else one.arm.name[:24] for one in arms])
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=6 if wide else 2, frameon=False, fontsize=10)

    return plots.plot("why units were bad", 80 + 28 * len(arms), draw)


def _share(records: Sequence[Record], units: int, reason: str, shown: Sequence[str]) -> float:
    mine: Counter[str] = Counter()
    for record in records:
        mine.update(record.why_bad if record.ended else {})
    count = mine[reason] if reason in shown else sum(n for other, n in mine.items() if other not in shown)
    return count / units
