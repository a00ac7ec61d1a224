"""takt compare: which worker is better, by shifts that are there or that are worked for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from takt.cli.app import app
from takt.cli.options import CLOCKS, Json, StationOption, numbers_in, options_in, options_of_worker
from takt.cli.printing import aside, print_json, quiet
from takt.cli.working import complain_of, left_by_signal
from takt.contract.registry import registered_station
from takt.errors import TaktError
from takt.ledger.store import place_of
from takt.program import complain
from takt.show import terminal

if TYPE_CHECKING:
    from takt.fleet.ahead import Ahead
    from takt.judge.comparison import Comparison
    from takt.shift import Progress


@contextmanager
def several(jobs: int, folder: Path, shift: Mapping[str, Any]) -> Iterator[Ahead | None]:
    """What works several shifts at a time, in processes; None where one is worked after the other, in this one."""
    if jobs == 1:
        yield None
        return
    from takt.fleet.ahead import Ahead
    from takt.fleet.local import Local

    ahead = Ahead(Local(jobs, folder / "logs"), jobs, shift, lambda fault: complain(f"{fault.arm}: {fault.why}"))
    try:
        yield ahead
    finally:
        ahead.close()


@app.command()
def compare(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[SHIFT]...", help="Ledgers to compare.", show_default=False, parser=place_of),
    ] = None,
    station: Annotated[str | None, typer.Option(help="Instead: work paired shifts at this station,")] = None,
    named: Annotated[
        list[str] | None,
        typer.Option("--worker", help="by these workers: planner,greedy; or given again for each"),
    ] = None,
    seeds: Annotated[str, typer.Option(help="for these seeds, as far as needed: 0-9 or 0,3,7")] = "0",
    hours: Annotated[float | None, typer.Option(help="Length of each shift, in hours of station time.")] = None,
    units: Annotated[int | None, typer.Option(help="Or in units.")] = None,
    clock: Annotated[
        str | None, typer.Option(help="As for `takt run`; workers of different ones need it said.", show_default=CLOCKS)
    ] = None,
    faults: Annotated[list[str] | None, typer.Option("--fault", help="As for `takt run`.")] = None,
    option: StationOption = None,
    worker_option: Annotated[
        list[str] | None,
        typer.Option("--worker-option", "-w", help="KEY=VALUE for every worker, or 2:KEY=VALUE for the second."),
    ] = None,
    ledgers: Annotated[
        Path | None, typer.Option(help="The folder for their ledgers.", show_default="shifts/compare-STATION-WORKERS")
    ] = None,
    alpha: Annotated[
        float, typer.Option(min=0, max=1, help="Chance of an error, over all looks and all pairs.")
    ] = 0.05,
    margin: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="A difference in good rate that does not matter, 0.05: say so if it is less."),
    ] = None,
    by: Annotated[str, typer.Option(help="What counts as one observation: unit, shift, free, or auto.")] = "auto",
    may_differ: Annotated[
        list[str] | None, typer.Option("--may-differ", help="A station's option that need not be the same.")
    ] = None,
    every_seed: Annotated[
        bool, typer.Option("--every-seed", help="Work all seeds, even if it is certain before which is better.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, max=100_000, help="Shifts at a time, each in a process of its own.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write it as an HTML page, too.")] = None,
    as_json: Json = False,
) -> None:
    """Say which of two or more workers is better, on the same units.

    takt compare shifts/a.takt shifts/b.takt

    takt compare --station flightdesk --worker planner,greedy --seeds 0-9 --hours 8
    """
    from takt.ledger import Ledger
    from takt.shift import Shift
    from takt.shift.rounds import Contestant, work_rounds
    from takt.show.screen import comparison_line, comparison_table
    from takt.show.watch import Watch

    standing: dict[str, str] = {}
    if bool(paths) == bool(station or named):
        raise TaktError("give the ledgers to compare, or --station and --worker to work them")
    if paths:
        from takt.shift.account import costs_at
        from takt.shift.verification import standing_of
        from takt.show.compared import compared

        shifts = []
        for path in paths:
            with Ledger.open(path) as book:
                shifts.append((path, Shift.of(book)))
                standing[str(path)] = str(standing_of(book, shifts[-1][1].digest))
        at = {shift.meta["station"] for _, shift in shifts}
        costs = costs_at(at.pop()) if len(at) == 1 else None  # of different stations: `compared` says so
        told = compared(
            [(path.stem, shift.seen) for path, shift in shifts],
            costs,
            may_differ or (),
            alpha=alpha,
            margin=margin,
            by=by,
        )
        found, events, relative = told.found, told.shifts, told.relative
        paths_of = [str(path) for path, _ in shifts]
        broken = [line for _, shift in shifts for line in shift.broken]
    else:
        if not station or not named:
            raise TaktError("working paired shifts takes both --station and --worker")
        registered_station(station)
        names = [name for given in named for name in given.split(",") if name]
        contestants = [
            Contestant(f"{name}-{i}" if names.count(name) > 1 else name, name, options_of_worker(i, worker_option))
            for i, name in enumerate(names, start=1)
        ]
        label = re.sub(r"[^\w.-]+", "-", "-".join(["compare", station, *names]))
        folder = Path("shifts") / label if ledgers is None else ledgers

        @contextmanager
        def watching(name: str, seed: int) -> Iterator[Callable[[Progress], None] | None]:
            with nullcontext() if as_json else Watch(terminal.err()) as watch:
                yield watch

        def on_round(so_far: Comparison) -> None:
            for line in [] if as_json else comparison_line(so_far):
                terminal.err().print(line, soft_wrap=True, highlight=False, markup=False)

        where = shlex.quote(str(folder))
        shift: dict[str, Any] = {"station": station, "station_options": options_in("option", option)}
        shift |= {"hours": hours, "units": units}
        shift |= {"clock": clock, "faults": faults or ()}
        with (
            left_by_signal(lambda: f"interrupted; the same command goes on with what is in {where}"),
            quiet(as_json),
            several(jobs, folder, shift) as ahead,
        ):
            rounds = work_rounds(
                station,
                contestants,
                numbers_in(seeds),
                folder,
                hours=hours,
                units=units,
                clock=clock,
                faults=faults or (),
                station_options=options_in("option", option),
                alpha=alpha,
                margin=margin,
                by=by,
                every_seed=every_seed,
                watching=watching,
                on_round=on_round,
                ahead=ahead,
            )
        found = rounds.comparison
        worked = [shift for mine in rounds.shifts.values() for shift in mine]
        events = {name: [shift.events for shift in mine] for name, mine in rounds.shifts.items()}
        paths_of = [str(shift.path) for shift in worked]
        broken = [line for shift in worked for line in shift.broken]
        relative = ()  # no person works when a program asks
    from takt.judge.human import in_words

    if out is not None:
        from takt.show.report.comparison import write_comparison

        write_comparison(found, events, out, standing)
    if as_json:
        print_json(
            {
                **asdict(found),
                "decided": found.decided,
                "human_relative": [asdict(one) for one in relative],
                "ledgers": paths_of,
                "standing": standing,
                "report": out and str(out),
            }
        )
    else:
        console = terminal.out()
        console.print(comparison_table(found, console.width), highlight=False, markup=False)
        for one in relative:
            console.print(f"  {in_words(one)}", soft_wrap=True, highlight=False, markup=False)
        for ledger, text in standing.items():
            console.print(f"  {ledger}: {text}", style="dim", soft_wrap=True)
        if out is not None:
            print(f"report: {out}", file=aside(out))
    complain_of(broken)
    if broken:
        raise typer.Exit(2)
