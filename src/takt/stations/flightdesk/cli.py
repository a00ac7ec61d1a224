"""`takt flightdesk`: look at an airline's day, and check and price a plan for it."""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections import Counter
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from takt.contract.station import TaktError
from takt.show import terminal
from takt.stations.flightdesk.airline.check import Violation, check
from takt.stations.flightdesk.airline.cost import Cost, cost, weighted
from takt.stations.flightdesk.airline.format import FILES, read_instance, write_instance
from takt.stations.flightdesk.airline.instance import Instance, journeys, seats_text
from takt.stations.flightdesk.airline.recovery.baseline import do_nothing, greedy_delay
from takt.stations.flightdesk.airline.solution import Solution, read_solution, write_solution
from takt.writing import NOTHING, check_folder, one_out

MOST_S = 31_536_000  # a year
LISTED = 20  # violations, closures and the like that are printed one by one

app = typer.Typer(help="Airline disruption: re-plan aircraft and passengers together (ROADEF 2009 format).")

InstancePath = Annotated[
    Path, typer.Argument(metavar="INSTANCE", help="A folder with config.csv and the others.", show_default=False)
]
Place = Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="Short for --out.", show_default=False)]
Out = Annotated[Path | None, typer.Option(help="The folder to write into.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines.")]


class Baseline(StrEnum):
    DO_NOTHING = "do-nothing"
    GREEDY_DELAY = "greedy-delay"


@app.command("show")
def show(path: InstancePath, as_json: Json = False) -> None:
    """Print what the airline is and what happened to it."""
    instance = read_instance(path)
    airline, happened = describe(instance), disruptions(instance)
    if as_json:
        print(json.dumps({"name": instance.name, "airline": airline, "happened": happened}))
        return
    console = terminal.out()
    table = Table(title=f"{instance.name}: the airline", title_justify="left", show_header=False, box=None)
    for key, value in airline.items():
        table.add_row(key, str(value))
    console.print(table, highlight=False, markup=False)
    table = Table(title="its fleet", title_justify="left", box=None)
    for column, justify in (("family", "left"), ("model", "left"), ("seats F/B/E", "left"), ("aircraft", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    a = instance.aircraft
    kinds = Counter(zip(a.family, a.model, map(seats_text, a.seats), strict=True))
    for (family, model, seats), count in sorted(kinds.items()):
        table.add_row(family, model, "any number" if seats.startswith("-") else seats, str(count))
    console.print(table, highlight=False, markup=False)
    table = Table(title="what happened", title_justify="left", show_header=False, box=None)
    for line in happened[:LISTED]:
        table.add_row(line)
    if len(happened) > LISTED:
        table.add_row(f"and {len(happened) - LISTED} more")
    console.print(table, highlight=False, markup=False)


@app.command("check")
def check_(
    path: InstancePath,
    solution_path: Annotated[
        Path,
        typer.Argument(
            metavar="SOLUTION", help="A folder with sol_rotations.csv and sol_itineraries.csv.", show_default=False
        ),
    ],
    require_valid: Annotated[
        bool, typer.Option("--require-valid", help="Exit with 1 if the plan is not valid.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print every rule that a plan breaks, and its cost by part."""
    instance = read_instance(path)
    solution = read_solution(instance, solution_path)
    violations = check(instance, solution)
    _conclude(violations, cost(instance, solution), as_json)
    if violations and require_valid:
        raise typer.Exit(1)


@app.command("baseline")
def baseline(
    path: InstancePath,
    by: Annotated[Baseline, typer.Option(help="How to plan.")] = Baseline.GREEDY_DELAY,
    out: Annotated[Path | None, typer.Option(help="The folder to write the plan into.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Make a simple valid plan, to beat."""
    instance = read_instance(path)
    solution: Solution = do_nothing(instance) if by is Baseline.DO_NOTHING else greedy_delay(instance)
    if out is not None:
        write_solution(instance, solution, out)
    _conclude(check(instance, solution), cost(instance, solution), as_json)


@app.command("recover")
def recover_(
    path: InstancePath,
    out: Annotated[Path, typer.Option(help="The folder to write the best plan so far into.", show_default=False)],
    seconds: Annotated[float, typer.Option(min=0, max=MOST_S, help="How long to search.")] = 600.0,
    iterations: Annotated[
        int | None,
        typer.Option(
            min=1, max=10**9, help="Moves of each searcher, however long they take: gives the same plan again."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="What all randomness comes from.")] = 0,
    searchers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Processes that search; the plan depends on how many.", show_default="2"),
    ] = None,
    bound: Annotated[
        float,
        typer.Option(min=0, max=MOST_S, help="Seconds for a proven lower bound, when the plan is written; 0: none."),
    ] = 20.0,
    as_json: Json = False,
) -> None:
    """Re-plan aircraft and passengers together: a valid plan at once, then better until the time is up.

    The best plan so far is in the folder, whole, at any time; Ctrl-C and SIGTERM end the search and keep it. When the
    time is up report.html is made too.
    """
    from takt.stations.flightdesk.airline.recovery.recover import SEARCHERS
    from takt.stations.flightdesk.airline.recovery.screen import searching
    from takt.stations.flightdesk.airline.recovery.session import REPORT, work

    instance = read_instance(path)
    limit = None if iterations is not None else seconds
    with searching(terminal.err(), limit, iterations, quiet=as_json) as show_found:
        told = work(instance, out, limit, iterations, seed, searchers or SEARCHERS, show_found, bound)
    if as_json:
        print(json.dumps(told))
    else:
        console = terminal.out()
        console.print(_before_after(told), highlight=False, markup=False)
        console.print(f"plan: {out}", highlight=False, markup=False, soft_wrap=True)
        if not told["interrupted"]:
            console.print(f"report: {out / REPORT}", highlight=False, markup=False, soft_wrap=True)
    if told["broken"]:
        many, one = len(told["broken"]), told["broken"][0]
        print(
            f"takt: not valid: what nobody can change breaks {many} rule{'s' * (many > 1)} already: {one}",
            file=sys.stderr,
        )
    if told["interrupted"]:
        print(f"takt: interrupted; the best plan so far is in {out}", file=sys.stderr)
        raise typer.Exit(130)


def _before_after(told: dict[str, Any]) -> Table:
    """Cost by part of the first plan and of the last, and what the last changes."""
    title = f"{told['instance']}: {told['seconds']:.0f} s, searchers: {told['searchers']}"
    table = Table(title=title, title_justify="left", box=None)
    for column in ("EUR", "first plan", "best plan"):
        table.add_column(column, justify="left" if column == "EUR" else "right")
    for name, value in told["cost"].items():
        if name == "total":
            table.add_section()
        table.add_row(name.replace("_", " "), f"{told['first'][name]:,.2f}", f"{value:,.2f}")
    if "bound" in told:
        table.add_row("proven bound", "", f"{told['bound']:,.2f}")
        if told["gap"] is not None:
            table.add_row("gap", "", f"{100 * told['gap']:.1f} %")
    table.add_section()
    for name, count in told["changes"].items():
        table.add_row(name.replace("_", " "), "", str(count))
    return table


@app.command("bound")
def bound_(
    path: InstancePath,
    seconds: Annotated[float, typer.Option(min=0, max=MOST_S, help="How long to improve it.")] = 60.0,
    rounds: Annotated[
        int | None,
        typer.Option(
            min=0, max=10**9, help="Rounds, however long they take: gives the same bound again.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove what every valid plan costs at least: how far a plan can be from the best."""
    from takt.stations.flightdesk.airline.recovery.bound import lower_bound

    found = lower_bound(read_instance(path), seconds if rounds is None else math.inf, rounds)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    print(
        f"no valid plan costs less than {found.eur:,.2f} EUR: {found.by}, {found.rounds} rounds, {found.seconds:.0f} s"
    )
    print(f"left out: {found.why}")


@app.command("compile")
def compile_() -> None:
    """Compile the search once for this machine: `recover` is then at full speed from its first second.

    Otherwise the first `recover` does it, beside a slower search.
    """
    from takt.stations.flightdesk.airline.generate import generate, two_hubs
    from takt.stations.flightdesk.airline.recovery import compiled
    from takt.stations.flightdesk.airline.recovery.crew import Crew

    if compiled.kept():
        print(f"compiled already: {compiled.FOLDER}")
        return
    instance = generate(two_hubs(300, 42, 600))
    with Crew(instance, greedy_delay(instance), 1, stand_in=False) as crew:
        while not crew.ready:
            crew.wait(0.1)
    print(f"compiled in {crew.compiling_s:.0f} s: {compiled.FOLDER}")


@app.command("generate")
def generate_(
    place: Place = None,
    out: Out = None,
    scenario: Annotated[
        str, typer.Option(help="The kind of airline and what goes wrong: two-hubs, gulf-2026.")
    ] = "two-hubs",
    flights: Annotated[
        int | None, typer.Option(min=1, max=200_000, help="Flights on all days, about.", show_default=False)
    ] = None,
    aircraft: Annotated[int | None, typer.Option(min=1, max=20_000, help="Aircraft.", show_default=False)] = None,
    bookings: Annotated[
        int | None, typer.Option(min=1, max=2_000_000, help="Bookings, each a group.", show_default=False)
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=60, help="Days.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="What all randomness comes from.")] = 0,
    as_json: Json = False,
) -> None:
    """Make an instance of any size, from real airports."""
    from takt.stations.flightdesk.airline.generate import RECIPES, generate

    folder = one_out(place, out)
    if scenario not in RECIPES:
        raise TaktError(f"no scenario named {scenario!r}; there are: {', '.join(RECIPES)}")
    sizes = {"flights": flights, "aircraft": aircraft, "bookings": bookings, "days": days}
    check_folder(folder, [f"{name}.csv" for name in FILES], NOTHING, "config.csv")
    recipe = RECIPES[scenario](**{name: size for name, size in sizes.items() if size is not None})
    instance = generate(recipe, seed)
    write_instance(instance, folder)
    if as_json:
        print(json.dumps({"path": str(folder), "airline": describe(instance), "happened": disruptions(instance)}))
    else:
        f, b, coaches = (
            len(instance.flights.number),
            len(instance.bookings.number),
            int(instance.aircraft.surface.sum()),
        )
        surface = f", {coaches} of surface transport" if coaches else ""
        print(
            f"instance: {folder} ({f} flights, {len(instance.aircraft.name) - coaches} aircraft{surface}, {b} bookings)"
        )


@app.command("import")
def import_(
    place: Place = None,
    out: Out = None,
    schedule: Annotated[
        Path | None, typer.Option(help="An IATA SSIM chapter 7 file, 200 columns.", show_default=False)
    ] = None,
    aircraft: Annotated[Path | None, typer.Option(help="aircraft.csv.", show_default=False)] = None,
    bookings: Annotated[Path | None, typer.Option(help="bookings.csv.", show_default=False)] = None,
    rotations: Annotated[
        Path | None,
        typer.Option(help="rotations.csv: who flies what.", show_default="first in, first out by type"),
    ] = None,
    disruptions: Annotated[Path | None, typer.Option(help="disruptions.csv.", show_default="none")] = None,
    defaults: Annotated[
        Path | None, typer.Option(help="A TOML file over the shipped defaults.", show_default=False)
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="When recovery starts: 2026-01-07T12:00Z.", show_default=False)
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="When it must be over.", show_default=False)] = None,
    show_defaults: Annotated[
        bool, typer.Option("--show-defaults", help="Print the shipped defaults, and nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an instance from what airlines have: an SSIM schedule and CSV files. See docs/flightdesk-import.md."""
    from takt.stations.flightdesk.airline.imports.airline import Files
    from takt.stations.flightdesk.airline.imports.commands import run_import
    from takt.stations.flightdesk.airline.imports.defaults import shipped

    if show_defaults:
        print(shipped(), end="")
        return
    out = None if place is None and out is None else one_out(place, out)
    given = {"--out": out, "--schedule": schedule, "--aircraft": aircraft, "--bookings": bookings}
    missing = [name for name, value in {**given, "--from": start, "--to": end}.items() if value is None]
    if missing or out is None or schedule is None or aircraft is None or bookings is None:
        raise TaktError(f"an import needs {', '.join(missing)} too")
    assert start is not None and end is not None
    run_import(out, Files(schedule, aircraft, bookings, rotations, disruptions, defaults), start, end, as_json)


@app.command("export")
def export_(
    path: InstancePath,
    place: Place = None,
    out: Out = None,
    airline: Annotated[str, typer.Option(help="The airline's designator.")] = "TK",
    local: Annotated[bool, typer.Option("--local", help="The schedule in local time, not in UTC.")] = False,
    bare: Annotated[
        bool, typer.Option("--bare", help="No rotations; aircraft without ranges, times and costs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write an instance as an SSIM schedule and CSV files, as import reads them."""
    from takt.stations.flightdesk.airline.imports.commands import run_export

    run_export(path, one_out(place, out), airline, local, bare, as_json)


@app.command("world")
def world_(
    place: Place = None,
    out: Out = None,
    scenario: Annotated[str | None, typer.Option(help="gulf-2026, two-hubs.", show_default="gulf-2026")] = None,
    instance: Annotated[str | None, typer.Option(help="Or a folder with an instance.", show_default=False)] = None,
    days: Annotated[int | None, typer.Option(min=1, max=1000, help="Days that are over.", show_default="all")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="What all randomness comes from.")] = 0,
    as_json: Json = False,
) -> None:
    """Write what happens in the desk's world for the situation board: flights.csv, fares.csv."""
    from takt.stations.flightdesk.airline.instance import DAY
    from takt.stations.flightdesk.desk import FlightDesk
    from takt.stations.flightdesk.desk.files import write_world

    folder = one_out(place, out)
    desk = FlightDesk(scenario=scenario, instance=instance)
    desk.reset(seed=seed)
    world = desk.office.world
    last = -(-world.instance.end // DAY)
    if days is not None and not 1 <= days <= last:
        raise TaktError(f"--days is {days}; this world has 1 to {last}")
    paths = write_world(world, folder, days or last)
    if as_json:
        print(json.dumps({"flights": str(paths[0]), "fares": str(paths[1])}))
    else:
        print(f"flights: {paths[0]} ({len(world.name)})\nfares: {paths[1]}")


@app.command("situation")
def situation_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES",
            help="A flight-status CSV; with --overflights, EUROCONTROL DAIO CSVs; with --fares, a CSV of fares seen.",
            show_default=False,
        ),
    ],
    overflights: Annotated[bool, typer.Option("--overflights", help="Overflights by corridor instead.")] = False,
    fares: Annotated[bool, typer.Option("--fares", help="Fares and seats left instead.")] = False,
    day: Annotated[
        str | None,
        typer.Option(
            help="Today: flights later are only scheduled, fares seen later left out; the day of the overflights' map.",
            show_default="the last",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="The first day; of travel, for fares.", show_default="a week before")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="The last day; of travel, for fares.", show_default="a week after")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Which column is what: date=FL_DATE,dest=TO,...", show_default=False)
    ] = None,
    dates: Annotated[
        str | None,
        typer.Option(
            help="How days such as 01/02/2026 are written: day-first or month-first.", show_default="as they show"
        ),
    ] = None,
    weeks: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Weeks whose median is normal, for overflights.", show_default="4"),
    ] = None,
    skip: Annotated[
        int | None,
        typer.Option(min=0, max=1000, help="Weeks between those and the first day, left out.", show_default="0"),
    ] = None,
    route: Annotated[str | None, typer.Option(help="One route of the fares: MAD-PEK.", show_default="all")] = None,
    by_flight: Annotated[bool, typer.Option("--by-flight", help="The fares of each flight.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write tables, plots and a page into.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Print what was cancelled and which airports came back; how overflights changed by corridor; or fares and seats.

    Needs DuckDB, the extra `situation`: pip install 'run-at-rate[situation]'.
    """
    from takt.stations.flightdesk.situation import cli as board

    if overflights and fares:
        raise TaktError("--overflights and --fares are two boards; give one of them")
    if not overflights:
        board.refuse("flights and fares", {"--weeks": weeks, "--skip": skip})
    if not fares:
        board.refuse("flights and overflights", {"--route": route, "--by-flight": by_flight})
    if overflights:
        board.refuse("--overflights", {"--columns": columns})
        told = board.tell_overflights(paths, day, since, until, weeks, skip, dates, out)
    elif fares:
        told = board.tell_fares(paths, day, since, until, columns, dates, route, by_flight, out)
    else:
        told = board.tell_flights(paths, day, since, until, columns, dates, out)
    for note in told.notes:
        warnings.warn(note, stacklevel=1)
    if as_json:
        print(json.dumps(told.json))
        return
    console = terminal.out()
    for table in told.printed:
        console.print(table, highlight=False, markup=False)
    if told.page is not None:
        console.print(f"page: {told.page}", highlight=False, markup=False, soft_wrap=True)


def describe(instance: Instance) -> dict[str, Any]:
    """The airline in figures."""
    flights, bookings, reach = instance.flights, instance.bookings, journeys(instance).reach
    legs = len(bookings.leg_flight) / len(bookings.number)
    return {
        "recovery period": f"{instance.clock(instance.start)} to {instance.clock(instance.end)}",
        "airports": len(instance.airports.code),
        "aircraft": len(instance.aircraft.name),
        "flights": len(flights.number),
        "days": int(flights.day.max()) + 1,
        "bookings": len(bookings.number),
        "passengers": int(bookings.passengers.sum()),
        "legs per booking": round(legs, 2),
        "intercontinental bookings": int((reach == 2).sum()),
        "maintenances": int((instance.aircraft.service_airport >= 0).sum()),
    }


def disruptions(instance: Instance) -> list[str]:
    """What happened, a line each."""
    flights, code, tail = instance.flights, instance.airports.code, instance.aircraft.name
    late, clock = flights.delay[flights.delay > 0], instance.clock
    lines = []
    if len(late):
        mean, most = f"{late.mean():.0f} min on average", f"{late.max()} at most"
        lines.append(f"flights delayed: {len(late)}, by {mean} and {most}")
    if flights.cancelled.any():
        lines.append(f"flights cancelled: {int(flights.cancelled.sum())}")
    g, c = instance.groundings, instance.closures
    lines += [
        f"{tail[g.aircraft[i]]} unavailable from {clock(g.start[i])} to {clock(g.end[i])}"
        for i in range(len(g.aircraft))
    ]
    lines += [
        f"{code[c.airport[i]]} takes {c.departures[i]} departures and {c.arrivals[i]} arrivals an hour "
        f"from {clock(c.start[i])} to {clock(c.end[i])}"
        for i in range(len(c.airport))
    ]
    return lines or ["nothing"]


def cost_table(priced: Cost) -> Table:
    """The cost by part, weighted as in the objective."""
    table = Table(title="cost", title_justify="left", show_header=False, box=None)
    table.add_column()
    table.add_column(justify="right")
    for name, value in weighted(priced.parts(), priced.weights).items():
        table.add_row(name.replace("_", " "), f"{value:,.2f}")
    table.add_section()
    table.add_row("total", f"{priced.total:,.2f}")
    return table


def _conclude(violations: list[Violation], priced: Cost, as_json: bool) -> None:
    if as_json:
        told = {
            "valid": not violations,
            "violations": [{**asdict(v), "rule": v.rule.name.lower()} for v in violations],
            "cost": {**priced.parts(), "total": priced.total},
        }
        print(json.dumps(told))
        return
    console = terminal.out()
    if violations:
        count = len(violations)
        table = Table(title=f"not valid: {count} violation{'s' * (count > 1)}", title_justify="left", box=None)
        table.add_column("rule")
        table.add_column("count", justify="right")
        for rule, number in Counter(v.rule for v in violations).items():
            table.add_row(rule.value, str(number))
        console.print(table, highlight=False, markup=False)
        for v in violations[:LISTED]:
            console.print(v.text, highlight=False, markup=False, soft_wrap=True)
        if count > LISTED:
            console.print(f"and {count - LISTED} more")
    else:
        console.print("valid")
    console.print(cost_table(priced), highlight=False, markup=False)
