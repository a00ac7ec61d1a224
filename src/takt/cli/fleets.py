"""takt fleet: many shifts by a plan, on as many processes or machines as there are."""

from __future__ import annotations

import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from takt.cli.app import app
from takt.cli.options import Json
from takt.cli.printing import aside, plain_json, print_json
from takt.cli.working import left_by_signal
from takt.errors import TaktError
from takt.ledger.address import Address
from takt.ledger.store import place_of
from takt.program import complain
from takt.show import terminal

if TYPE_CHECKING:
    from takt.fleet.executor import Executor
    from takt.fleet.plan import Plan
    from takt.fleet.standing import FleetStanding

fleet_app = typer.Typer(help="Work many shifts by a plan, none twice and none lost (docs/fleets.md).")
app.add_typer(fleet_app, name="fleet")

PlanPath = Annotated[
    Path,
    typer.Argument(
        metavar="PLAN",
        help="The plan, a .toml file; or the fleet's folder, or postgresql://HOST/DATABASE#FLEET.",
        show_default=False,
        parser=place_of,
    ),
]
On = Annotated[str, typer.Option(help="Where: local, ray (the cluster here, or a new one), ray://HOST:PORT.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, max=100_000, help="Shifts at a time.", show_default="as many as there are cores")
]


@fleet_app.command("run")
def run(path: PlanPath, on: On = "local", jobs: Jobs = None, as_json: Json = False) -> None:
    """Work what is left of a plan. The same command again goes on where it was, on this machine or another.

    takt fleet run examples/fleet.toml --jobs 2
    """
    from takt.fleet.quick import nothing_to_do

    told = nothing_to_do(path)
    if told is not None:
        print_json(told) if as_json else print(told["told"])
        return
    from takt.fleet.toml import read_plan

    _work(read_plan(path), on, jobs, as_json)


@fleet_app.command("resume")
def resume(path: PlanPath, on: On = "local", jobs: Jobs = None, as_json: Json = False) -> None:
    """Go on with a fleet from its folder alone; the same as `takt fleet run` of its plan."""
    run(path, on, jobs, as_json)


def _work(plan: Plan, on: str, jobs: int | None, as_json: bool) -> FleetStanding:
    from takt.fleet.beside import Beside
    from takt.fleet.drive import Driver
    from takt.fleet.quick import remember
    from takt.fleet.shown import Live
    from takt.fleet.standing import standing_of_fleet
    from takt.fleet.store import quoted

    again = f"takt fleet resume {quoted(plan)}" if plan.text else "the same command"
    live = Live(plan, terminal.err(as_json), as_json)
    with left_by_signal(lambda: f"interrupted; no finished unit is lost, go on with `{again}`"), live, Beside(plan):
        done = Driver(plan, lambda: executor_for(plan, on, jobs), live.news, complain).run()
    found = standing_of_fleet(plan)
    with suppress(OSError):  # a full disk: it is looked at whole another time
        remember(plan, found)
    if done.began:
        _keep_beside(plan, found)
    print_standing(found, as_json, began=done.began)
    if done.why in ("budget", "stopped", "full"):
        complain(f"left at a unit's end: {done.told}; {done.needs or f'go on with `{again}`'}")
    if done.refused or done.lost or done.why == "full":
        raise typer.Exit(2)
    return found


def _keep_beside(plan: Plan, found: FleetStanding) -> None:
    """Bring the tables and the page beside the ledgers up to date; without the extra `fleet` there are no tables,
    and on a full disk neither: they are derived."""
    from takt.fleet.page import write_page
    from takt.fleet.tables import update

    with suppress(TaktError, OSError):
        update(plan)
    with suppress(TaktError, OSError):
        write_page(found)


def run_seeds(
    station: dict[str, Any],
    worker: dict[str, Any],
    shifts: dict[str, Any],
    out: Path | Address | None,
    jobs: int,
    stop_early: bool,
    require_accept: bool,
    as_json: bool,
) -> None:
    """`takt run --seeds`: one worker at one station, a shift for each seed, as a fleet of a single arm."""
    from takt.fleet.made import COMMAND
    from takt.fleet.toml import plan_from

    name = re.sub(r"[^\w.-]+", "-", f"{station['name']}-{worker['name']}")[:80]
    store = out if isinstance(out, Address) else None
    folder = Path("shifts") / name if out is None or store is not None else out
    told = {**shifts, "name": name, "folder": str(folder), "station": [station], "worker": [worker]}
    plan = plan_from({**told, "stop": {"verdict": stop_early}}, COMMAND, store)
    plan = replace(plan, source=COMMAND)
    found = _work(plan, "local", jobs, as_json)
    judged = found.arms[0].verdict
    if require_accept and (judged is None or judged.decision != "accept"):
        raise typer.Exit(1)


def executor_for(plan: Plan, on: str, jobs: int | None) -> Executor:
    """What works the plan's shifts. TaktError if there is no such thing."""
    from takt.fleet.local import Local, cores_here

    if on == "local":
        with_gpus = [arm.name for arm in plan.arms if arm.gpus]
        if with_gpus:
            complain(f"--on local counts no GPUs: gpus of {with_gpus[0]} says nothing here (--on ray counts them)")
        at_a_time = jobs or cores_here()
        large = max(plan.arms, key=lambda arm: arm.cores)
        if large.cores > at_a_time:
            complain(
                f"cores of {large.name} is {large.cores:g}, and {at_a_time} are to be used here (--jobs): each of its "
                "shifts is worked by itself, with as many as there are"
            )
        return Local(at_a_time, plan.folder / "logs", plan.limits.silent_s)
    if on == "ray" or on.startswith("ray://"):
        from takt.fleet.cluster import Cluster

        return Cluster("" if on == "ray" else on, jobs, plan.folder / "logs", plan.limits.silent_s)
    raise TaktError(f"--on is {on!r}; it can be local, ray, or ray://HOST:PORT")


@fleet_app.command("plan")
def plan(
    path: PlanPath,
    true: Annotated[
        str | None, typer.Option(help="True good rates to plan for: 95%,97%.", show_default="three above what is asked")
    ] = None,
    difference: Annotated[
        float | None, typer.Option(min=0.001, max=1, help="Also: until a difference in good rate of so much, 0.05.")
    ] = None,
    power: Annotated[str, typer.Option(help="In what share of cases it shall be decided by then.")] = "80%",
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Say what a plan would run, what is there already, what it takes, and how many shifts it takes to be certain.

    takt fleet plan examples/fleet.toml --difference 0.05
    """
    from takt.cli.options import shares_in
    from takt.fleet.endpoints import check_answers
    from takt.fleet.estimate import arms_of, jobs_of
    from takt.fleet.local import cores_here
    from takt.fleet.made import begun_over, kept_in
    from takt.fleet.notes import notes_of
    from takt.fleet.shown import estimate_lines
    from takt.fleet.standing import standing_of_fleet
    from takt.fleet.toml import read_plan

    chances, (share,) = shares_in("true", true) if true else [], shares_in("power", power, most=1)
    planned = read_plan(path)
    notes = notes_of(planned)
    try:
        if word := begun_over(planned, kept_in(notes)):
            complain(word)
    finally:
        notes.close()
    found = standing_of_fleet(planned)
    check_answers(planned.endpoints.values())
    arms, works = arms_of(found), jobs_of(found, chances, difference, share)
    at_a_time = jobs or cores_here()
    if as_json:
        print_json(
            {
                "fleet": found.plan.name,
                "folder": str(found.plan.folder),
                "shifts": len(found.plan.shifts),
                "ended": found.ended,
                "jobs": at_a_time,
                "arms": [
                    {
                        "arm": one.arm.name,
                        "planned": one.planned,
                        "there": one.there,
                        "begun": one.begun,
                        "left": one.left,
                    }
                    | {"wall_s": one.wall_s, "money": one.money}
                    for one in arms
                ],
                "works": [asdict(one) for one in works],
            }
        )
        return
    console = terminal.out()
    for line in estimate_lines(found, arms, works, at_a_time):
        console.print(line, highlight=False, markup=False)


@fleet_app.command("table")
def table(
    path: PlanPath,
    by: Annotated[str | None, typer.Option(help="Columns to tell rows apart by: worker,difficulty.")] = None,
    how: Annotated[
        str | None,
        typer.Option("--format", help="markdown, csv or latex.", show_default="by the file; markdown"),
    ] = None,
    accept: Annotated[str, typer.Option(help="Judge by a published figure: xiaomi-2026, figure-bmw, ...")] = "",
    out: Annotated[Path | None, typer.Option(help="Write it there.", show_default="stdout")] = None,
) -> None:
    """Print a fleet as a table with bounds, for a page or a paper."""
    from takt.fleet.made import plan_as_worked
    from takt.fleet.standing import standing_of_fleet
    from takt.fleet.table import BY_SUFFIX, fleet_table, written
    from takt.writing import TEXTS, whole_file

    columns = [word for word in (by or "").split(",") if word]
    how = how or BY_SUFFIX.get(out.suffix.lower() if out is not None else "", "markdown")
    text = written(fleet_table(standing_of_fleet(plan_as_worked(path)), columns, accept), how)
    if out is None:
        print(text, end="")
        return
    with whole_file(out, TEXTS[how]) as new:
        new.write_text(text, encoding="utf-8")
    print(f"table: {out}", file=aside(out))


@fleet_app.command("page")
def page(
    path: PlanPath,
    accept: Annotated[str, typer.Option(help="Judge by a published figure: xiaomi-2026, figure-bmw, ...")] = "",
    out: Annotated[Path | None, typer.Option(help="The page to write.", show_default="in the fleet's folder")] = None,
    as_json: Json = False,
) -> None:
    """Write a fleet as one HTML page that needs no network."""
    from takt.fleet.made import plan_as_worked
    from takt.fleet.page import write_page
    from takt.fleet.standing import standing_of_fleet

    written = write_page(standing_of_fleet(plan_as_worked(path)), out, accept)
    print_json({"page": str(written)}) if as_json else print(f"page: {written}", file=aside(written))


@app.command("query")
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A question over shifts, units, events, faults.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PLAN...", help="Fleets, by plan, folder or address.", parser=place_of)
    ],
    as_json: Json = False,
) -> None:
    """Ask fleets a question in DuckDB's SQL (docs/fleets.md has the views).

    takt query "SELECT worker, avg(good::int) FROM units GROUP BY ALL" shifts/example
    """
    from rich.table import Table

    from takt.fleet.asked import query as ask
    from takt.fleet.made import plan_as_worked

    names, rows = ask([plan_as_worked(path) for path in paths], sql, complain)
    if as_json:
        print_json({"columns": names, "rows": plain_json([list(row) for row in rows])})
        return
    told = Table(*names, box=None, pad_edge=False)
    for row in rows:
        told.add_row(
            *("" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value) for value in row)
        )
    terminal.out().print(told, highlight=False, markup=False)


@fleet_app.command("status")
def status(path: PlanPath, as_json: Json = False) -> None:
    """Say how a fleet stands, arm by arm; also while it runs, from anywhere."""
    from takt.fleet.made import plan_as_worked
    from takt.fleet.standing import standing_of_fleet

    print_standing(standing_of_fleet(plan_as_worked(path)), as_json)


@fleet_app.command("stop")
def stop(path: PlanPath, as_json: Json = False) -> None:
    """Ask the driver of a fleet to leave every shift at its unit's end, and to end."""
    from takt.fleet.made import plan_as_worked
    from takt.fleet.notes import notes_of
    from takt.fleet.store import home

    plan = plan_as_worked(path)
    notes, where = notes_of(plan), home(plan)
    try:
        if not notes.driven():
            here = " on this machine" if isinstance(where, Path) else ""
            raise TaktError(f"nothing works on the fleet in {where}{here}, so there is nothing to stop")
        notes.ask_to_stop()
    finally:
        notes.close()
    print_json({"stopping": str(where)}) if as_json else print(f"asked to stop: {where}")


@fleet_app.command("watch")
def watch(path: PlanPath, every: Annotated[float, typer.Option(min=0.2, max=3600, help="Seconds.")] = 2.0) -> None:
    """Show how a fleet stands until nothing works on it any more."""
    from takt.fleet.made import plan_as_worked
    from takt.fleet.shown import standing_table
    from takt.fleet.standing import standing_of_fleet
    from takt.fleet.store import quoted

    plan, console = plan_as_worked(path), terminal.out()
    with left_by_signal(lambda: f"the fleet goes on; look again with `takt fleet status {quoted(plan)}`"):
        while True:
            began_s = time.process_time()
            found = standing_of_fleet(plan)
            if console.is_terminal:
                console.clear()
            console.print(standing_table(found, console.width), highlight=False, markup=False)
            if not found.driver:
                return
            time.sleep(
                max(every, 9 * (time.process_time() - began_s))
            )  # a tenth of a core at most, however large it is


def print_standing(found: FleetStanding, as_json: bool, **more: Any) -> None:
    """How a fleet stands, on stdout; in JSON with what is said of it besides."""
    from takt.fleet.shown import standing_table
    from takt.fleet.store import shown

    if not as_json:
        console = terminal.out()
        console.print(standing_table(found, console.width), highlight=False, markup=False)
        return
    arms: list[dict[str, Any]] = []
    for one in found.arms:
        told = {key: getattr(one, key) for key in ("planned", "ended", "left", "running", "lost", "spared")}
        told |= {key: getattr(one, key) for key in ("units", "good", "money", "tokens", "wall_s")}
        judged = None if one.verdict is None else asdict(one.verdict)
        arms.append({"arm": one.arm.name, "columns": dict(one.arm.columns), **told, "verdict": judged})
    faults = Counter(fault.kind for fault in found.faults)
    print_json(
        {
            "fleet": found.plan.name,
            "folder": str(found.plan.folder),
            "store": shown(found.plan.store),
            "shifts": len(found.plan.shifts),
            "ended": found.ended,
            "driver": found.driver,
            "over": found.over,
            **more,
            "arms": arms,
            "refused": found.refused,
            "unreadable": found.unreadable,
            "others": found.others,
            "changed": list(found.changed),
            "machine_faults": dict(faults),
            "faults": [asdict(fault) for fault in found.faults],
            "other_faults": found.other_faults,
        }
    )
