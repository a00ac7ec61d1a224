"""A fleet as one HTML page, in the report's style: table, rates with bounds, cost against rate, why units were bad."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from takt.draw.pages import templates
from takt.fleet.arms import by_seed
from takt.fleet.charts import by_columns, pareto, rates, reasons
from takt.fleet.drive import seeds_of, works
from takt.fleet.job import MACHINE_FAULTS
from takt.fleet.plan import Plan, Planned
from takt.fleet.standing import FleetStanding
from takt.fleet.store import shown
from takt.fleet.table import fleet_table
from takt.fleet.together import OUT, Duel, Together
from takt.judge.comparison import ALIKE, BETTER, UNDECIDED
from takt.writing import PAGE, whole_file

NAME = "fleet.html"
MOST_FAULTS = 30  # rows


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
                most=MOST_FAULTS,
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
    """A row for each kind of fault at each arm."""
    counts = Counter((fault.kind, fault.arm) for fault in found.faults)
    last = {(fault.kind, fault.arm): fault for fault in found.faults}
    given_up = Counter((fault.kind, fault.arm) for fault in found.given_up)
    return [
        {"kind": kind, "arm": arm, "count": str(count), "given_up": str(given_up[kind, arm] or "")}
        | {"what": MACHINE_FAULTS.get(kind, ""), "why": (one := last[kind, arm]).why, "host": one.host, "log": one.log}
        for (kind, arm), count in counts.most_common()
    ]
