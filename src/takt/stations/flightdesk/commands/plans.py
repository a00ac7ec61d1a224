"""takt flightdesk show, check, baseline, recover, bound, compile: an airline's day, and plans for it."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from takt.show import terminal
from takt.stations.flightdesk.commands.app import MOST_S, InstancePath, Json, app


class Baseline(StrEnum):
    DO_NOTHING = "do-nothing"
    GREEDY_DELAY = "greedy-delay"


@app.command("show")
def show(path: InstancePath, as_json: Json = False) -> None:
    """Print what the airline is and what happened to it."""
    from takt.stations.flightdesk.airline.format import read_instance
    from takt.stations.flightdesk.commands.printing import print_airline

    print_airline(read_instance(path), as_json)


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
    from takt.stations.flightdesk.airline.check import check
    from takt.stations.flightdesk.airline.cost import cost
    from takt.stations.flightdesk.airline.format import read_instance
    from takt.stations.flightdesk.airline.solution import read_solution
    from takt.stations.flightdesk.commands.printing import print_priced

    instance = read_instance(path)
    solution = read_solution(instance, solution_path)
    violations = check(instance, solution)
    print_priced(violations, cost(instance, solution), as_json)
    if violations and require_valid:
        raise typer.Exit(1)


@app.command("baseline")
def baseline(
    path: InstancePath,
    by: Annotated[Baseline, typer.Option(help="How to plan.")] = Baseline.GREEDY_DELAY,
    out: Annotated[Path | None, typer.Option(help="The folder to write the plan into.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Make a simple plan, to beat: valid, unless the disruption leaves none that simple."""
    from takt.stations.flightdesk.airline.check import check
    from takt.stations.flightdesk.airline.cost import cost
    from takt.stations.flightdesk.airline.format import read_instance
    from takt.stations.flightdesk.airline.recovery.baseline import do_nothing, greedy_delay
    from takt.stations.flightdesk.airline.solution import write_solution
    from takt.stations.flightdesk.commands.printing import print_priced

    instance = read_instance(path)
    solution = do_nothing(instance) if by is Baseline.DO_NOTHING else greedy_delay(instance)
    if out is not None:
        write_solution(instance, solution, out)
    print_priced(check(instance, solution), cost(instance, solution), as_json)


@app.command("recover")
def recover_(
    path: InstancePath,
    out: Annotated[Path, typer.Option(help="The folder to write the best plan so far into.", show_default=False)],
    seconds: Annotated[
        float, typer.Option(min=0, max=MOST_S, help="How long to search; --bound comes after it.")
    ] = 600.0,
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
    time is up report.html is made too. Exits with 1 if the plan breaks a rule.
    """
    from takt.stations.flightdesk.airline.format import read_instance
    from takt.stations.flightdesk.airline.recovery.recover import SEARCHERS
    from takt.stations.flightdesk.airline.recovery.screen import searching
    from takt.stations.flightdesk.airline.recovery.session import REPORT, work
    from takt.stations.flightdesk.commands.printing import before_after

    instance = read_instance(path)
    limit = None if iterations is not None else seconds
    with searching(terminal.err(), limit, iterations, quiet=as_json) as show_found:
        told = work(instance, out, limit, iterations, seed, searchers or SEARCHERS, show_found, bound)
    if as_json:
        print(json.dumps(told))
    else:
        console = terminal.out()
        console.print(before_after(told), highlight=False, markup=False)
        console.print(f"plan: {out}", highlight=False, markup=False, soft_wrap=True)
        if not told["interrupted"]:
            console.print(f"report: {out / REPORT}", highlight=False, markup=False, soft_wrap=True)
    if told["searchers_lost"]:
        lost, all_ = told["searchers_lost"], told["searchers"]
        print(f"takt: {lost} of {all_} searchers died on the way; is there enough memory?", file=sys.stderr)
    if "no_bound" in told:
        print(f"takt: no lower bound: {told['no_bound']}", file=sys.stderr)
    if told["broken"]:
        print(f"takt: {_not_valid(told['broken'], told['unavoidable'])}", file=sys.stderr)
    if told["interrupted"]:
        print(f"takt: interrupted; the best plan so far is in {out}", file=sys.stderr)
        raise typer.Exit(130)
    if told["broken"]:
        raise typer.Exit(1)


def _not_valid(broken: list[str], unavoidable: list[str]) -> str:
    """What to say of a plan that breaks rules, of which some are broken in every plan."""
    rules = f"{len(broken)} rule{'s' * (len(broken) > 1)}"
    if not unavoidable:
        return f"not valid: the best plan found breaks {rules}: {broken[0]}"
    if len(unavoidable) < len(broken):
        return f"no valid plan: {rules} broken, {len(unavoidable)} of them in every plan: {unavoidable[0]}"
    return f"no valid plan: {rules} broken in every plan: {unavoidable[0]}"


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
    """Prove what every plan that check passes costs at least: how far a plan can be from the best."""
    from takt.stations.flightdesk.airline.format import read_instance
    from takt.stations.flightdesk.airline.recovery.crew import proven
    from takt.stations.flightdesk.airline.recovery.session import told_to_stop

    instance = read_instance(path)
    with told_to_stop() as stopped:  # a signal within compiled code ends the process in disorder, so it is another's
        found = proven(instance, seconds if rounds is None else math.inf, stopped, rounds)
    if found is None:
        print("takt: interrupted", file=sys.stderr)
        raise typer.Exit(130)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    how = f"{found.by}, {found.rounds} rounds, {found.seconds:.0f} s"
    print(f"no plan that takt flightdesk check passes costs less than {found.eur:,.2f} EUR: {how}")
    print(f"left out: {found.why}")


@app.command("compile")
def compile_() -> None:
    """Compile the search once for this machine: `recover` is then at full speed from its first seconds on.

    Otherwise the first `recover` does it, beside a slower search.
    """
    from takt.stations.flightdesk.airline.generate import generate
    from takt.stations.flightdesk.airline.recipes import two_hubs
    from takt.stations.flightdesk.airline.recovery import compiled
    from takt.stations.flightdesk.airline.recovery.baseline import greedy_delay
    from takt.stations.flightdesk.airline.recovery.crew import Crew

    if compiled.kept():
        print(f"compiled already: {compiled.FOLDER}")
        return
    print("compiling; that is about a minute of one core", file=sys.stderr)
    instance = generate(two_hubs(300, 42, 600))
    with Crew(instance, greedy_delay(instance), 1, stand_in=False) as crew:
        while not crew.ready:
            crew.wait(0.1)
    print(f"compiled in {crew.compiling_s:.0f} s: {compiled.FOLDER}")
