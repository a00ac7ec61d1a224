"""takt run, resume, repeat, serve: commands that work a shift."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from takt.cli.app import app
from takt.cli.options import (
    CLOCKS,
    LEAST_S,
    MOST_S,
    SEED_HELP,
    Again,
    AgainStation,
    AgainWorker,
    Json,
    RequireAccept,
    ShiftPath,
    StationOption,
    Trust,
    WorkerOption,
    confirmed,
    named_again,
    options_in,
    seed_in,
)
from takt.cli.person import NAME as PERSON
from takt.cli.person import PORT, AtWork, Page, at_work, check_page, lag_line, persons_shift
from takt.cli.printing import print_json, quiet
from takt.cli.working import conclude_shift, interrupted_line, left_by_signal, said_silent, shown_working
from takt.contract.registry import registered_station
from takt.distribution import install
from takt.errors import TaktError
from takt.ledger.store import place_of
from takt.program import complain
from takt.show import terminal
from takt.writing import Numbered

if TYPE_CHECKING:
    from takt.ledger.trust import Named
    from takt.shift import Shift


@app.command()
def run(
    station: Annotated[
        str, typer.Argument(metavar="STATION", help="A station of `takt stations`.", show_default=False)
    ],
    worker: Annotated[
        str, typer.Option("--worker", help="A worker of `takt workers`, or my_module:MyWorker.", show_default=False)
    ],
    hours: Annotated[float | None, typer.Option(help="Length of the shift, in hours of station time.")] = None,
    units: Annotated[
        int | None,
        typer.Option(
            help="Or in units; the first of both ends it. Neither: all units, where a station knows how many."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help=SEED_HELP, parser=seed_in, metavar="SEED")] = 0,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Run the worker in a process of its own, out of sight of the station.")
    ] = False,
    clock: Annotated[
        str | None,
        typer.Option(
            help="What thinking costs: fixed:SECONDS a call, measured, lockstep (nothing), live:SPEED (for a person).",
            show_default=CLOCKS,
        ),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option("--fault", help="feeder_jam@00:20:00 (when), +90s (for how long), or camera_dropout~1/h."),
    ] = None,
    stop_early: Annotated[bool, typer.Option("--stop-early", help="End as soon as the verdict is certain.")] = False,
    seeds: Annotated[
        str | None, typer.Option(help="Instead of one seed: a shift for each of 0-9 or 0,3,7, one verdict for all.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=100_000, help="With --seeds: shifts at a time.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="SHIFT",
            help="The ledger to write: a file, or postgresql://HOST/DATABASE#SHIFT; with --seeds a folder, or #FLEET.",
            show_default="shifts/STATION-WORKER-seedN.takt",
            parser=place_of,
        ),
    ] = None,
    difficulty: Annotated[
        str | None, typer.Option(help="Short for -o difficulty=...; nutcell: nominal, plant, harsh.")
    ] = None,
    cameras: Annotated[
        str | None, typer.Option(help="Short for -o cameras=...; nutcell: head,left_wrist,right_wrist.")
    ] = None,
    control: Annotated[str | None, typer.Option(help="Short for -o control=...; nutcell: ee, joint.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Short for -o scenario=...; flightdesk: gulf-2026, two-hubs.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option(metavar="DIR", help="Short for -o instance=...; flightdesk: a ROADEF 2009 folder.")
    ] = None,
    option: StationOption = None,
    worker_option: WorkerOption = None,
    call_timeout: Annotated[
        float | None,
        typer.Option(
            min=LEAST_S,
            max=MOST_S,
            help="Seconds after which a call of the worker is cut off, as a fault.",
            show_default="never",
        ),
    ] = None,
    practice: Annotated[bool, typer.Option("--practice", help="For --worker person: nothing is recorded.")] = False,
    editor: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="For --worker person at a station of files: an empty folder for one's own editor."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Of a person's page: where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of a person's page; 0 for any that is free.")] = PORT,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Of a person's page: another name by which it is called.")
    ] = None,
    require_accept: RequireAccept = False,
    as_json: Json = False,
) -> None:
    """Work a shift, and say what came out of it.

    takt run nutcell --worker expert --hours 3 --seed 0 --difficulty plant --clock fixed:0.08 --stop-early
    """
    registered_station(station)
    given = options_in("option", option)
    short: dict[str, Any] = {"difficulty": difficulty, "control": control, "scenario": scenario, "instance": instance}
    short["cameras"] = cameras.split(",") if cameras else None
    given |= {key: value for key, value in short.items() if value is not None}
    if seeds is not None:
        from takt.cli.fleets import run_seeds

        table = {"name": station, "options": given}
        hand = {"name": worker, "options": options_in("worker-option", worker_option), "isolate": isolate}
        hand |= {} if call_timeout is None else {"call_timeout_s": call_timeout}
        length = {
            key: value for key, value in {"hours": hours, "units": units, "clock": clock}.items() if value is not None
        }
        shifts = {"seeds": seeds, **length, "faults": faults or []}
        run_seeds(table, hand, shifts, out, jobs, stop_early, require_accept, as_json)
        return
    path: Path | Numbered = _free_path(station, worker, seed) if out is None else out
    page = Page(host, port, tuple(allow_host or ()), practice, editor)
    check_page(page, worker, clock)
    from takt.shift import run_shift

    with shown_working(path, as_json) as on_progress, ExitStack() as there:
        paced: Any = clock
        here: Any = station
        who: Any = worker
        at: AtWork | None = None
        if worker == PERSON:
            from takt.contract.clock import parse_clock

            paced = parse_clock(clock or "live")
            if isinstance(path, Path) and not practice and os.path.lexists(path):
                raise TaktError(f"{path} exists already; resume it with `takt resume {path}` or choose another name")
            at = there.enter_context(at_work(station, given, page, paced, units))
            here, who, on_progress = at.station, at.person, at.follow(on_progress)
        shift = run_shift(
            here,
            who,
            worker_name=worker,
            on_silent=said_silent(repr(worker), call_timeout),
            call_timeout_s=call_timeout,
            seed=seed,
            isolate=isolate,
            hours=hours,
            units=units,
            clock=paced,
            faults=faults or (),
            ledger=None if practice else path,
            stop_early=stop_early,
            on_progress=on_progress,
            station_options={} if worker == PERSON else given,
            worker_options=options_in("worker-option", worker_option),
        )
        if at is not None:
            at.conclude(shift)
    if lag := lag_line(shift.meta, shift.path):
        complain(lag)
    conclude_shift(shift, as_json, require_accept)


@app.command()
def resume(
    path: ShiftPath,
    worker: Again = None,
    worker_option: AgainWorker = None,
    option: AgainStation = None,
    trust: Trust = False,
    host: Annotated[str, typer.Option(help="Of a person's page: where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of a person's page; 0 for any that is free.")] = PORT,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Of a person's page: another name by which it is called.")
    ] = None,
    editor: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="For a person's shift at a station of files: an empty folder for one's own editor."
        ),
    ] = None,
    require_accept: RequireAccept = False,
    as_json: Json = False,
) -> None:
    """Go on with a shift that was killed or interrupted, from its last finished unit.

    Naming a worker in a ledger is not enough for Takt to import it: a worker or an environment by import, and a server
    elsewhere, are named again.
    """
    from takt.contract.clock import parse_clock
    from takt.ledger import Ledger
    from takt.shift import resume_shift

    def work(named: Named) -> Shift:
        with shown_working(path, as_json) as on_progress, ExitStack() as there:
            told: dict[str, Any] = {}
            at: AtWork | None = None
            if (meta := persons_shift(path, named)) is not None:
                page, clock = Page(host, port, tuple(allow_host or ()), folder=editor), parse_clock(meta["clock"])
                at = there.enter_context(
                    at_work(meta["station"], meta["options"], page, clock, meta["units"], named.station_options)
                )
                told = {"station": at.station, "worker": at.person, "clock": clock}
                with Ledger.open(path) as book:
                    at.recall(book.events())
                on_progress = at.follow(on_progress)
            silent = said_silent("of the shift", None)
            shift = resume_shift(path, on_progress=on_progress, named=named, on_silent=silent, **told)
            if at is not None:
                at.conclude(shift)
            return shift

    shift = confirmed(work, named_again(worker, worker_option, option, trust), as_json)
    if lag := lag_line(shift.meta, shift.path):
        complain(lag)
    conclude_shift(shift, as_json, require_accept)


@app.command()
def serve(
    station: Annotated[
        str, typer.Argument(metavar="STATION", help="A station that offers tools: flightdesk.", show_default=False)
    ],
    mcp: Annotated[bool, typer.Option("--mcp", help="Over the Model Context Protocol, the only way.")] = False,
    hours: Annotated[float | None, typer.Option(help="Length of the shift, in hours of station time.")] = None,
    units: Annotated[
        int | None,
        typer.Option(
            help="Or in units; the first of both ends it. Neither: all units, where a station knows how many."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help=SEED_HELP, parser=seed_in, metavar="SEED", show_default="0")] = None,
    clock: Annotated[
        str | None, typer.Option(help="What the client's thinking costs: as for `takt run`.", show_default="measured")
    ] = None,
    faults: Annotated[list[str] | None, typer.Option("--fault", help="As for `takt run`.")] = None,
    stop_early: Annotated[bool, typer.Option("--stop-early", help="End as soon as the verdict is certain.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The ledger to write, or to go on with.",
            parser=place_of,
            show_default="shifts/STATION-mcp-seedN.takt, a new one",
        ),
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Short for -o scenario=...")] = None,
    instance: Annotated[str | None, typer.Option(metavar="DIR", help="Short for -o instance=...")] = None,
    option: StationOption = None,
    patience: Annotated[
        float, typer.Option(min=LEAST_S, max=MOST_S, help="Seconds without a call after which the client is gone.")
    ] = 900,
    pause: Annotated[
        bool, typer.Option("--pause", help="When the client is gone, leave the shift to go on later; else it ends.")
    ] = False,
    http: Annotated[bool, typer.Option("--http", help="Over HTTP, not standard input and output.")] = False,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = 8377,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A name by which other machines may call.")
    ] = None,
    grace: Annotated[
        float, typer.Option(min=0, max=MOST_S, help="Seconds that HTTP is still answered when the shift is over.")
    ] = 60,
    require_accept: RequireAccept = False,
) -> None:
    """Let an MCP client work a shift: Qwen Code, or any other.

    takt serve flightdesk --mcp --scenario gulf-2026 --hours 8 --out shifts/qwen-code.takt
    """
    registered_station(station)
    if not mcp:
        raise TaktError("say what to serve it over: --mcp")
    if find_spec("mcp") is None:
        raise TaktError(f"`takt serve --mcp` needs the extra `llm`: {install('llm')}")
    from takt.show.watch import Watch
    from takt.workers.mcp.serve import Where, Work
    from takt.workers.mcp.serve import serve as served

    given = options_in("option", option)
    given |= {key: value for key, value in {"scenario": scenario, "instance": instance}.items() if value is not None}
    path: Path | Numbered = _free_path(station, "mcp", seed or 0) if out is None else out
    work = Work(station, given, path, seed, hours, units, clock, faults or (), stop_early, patience)
    where = Where(host, port if http else None, tuple(allow_host or ()), grace)
    left: list[typer.Exit] = []

    def conclude(shift: Shift) -> None:
        """The server goes on to answer for a while, so the exit code waits."""
        try:
            conclude_shift(shift, False, require_accept)
        except typer.Exit as code:
            left.append(code)

    again = f"takt serve {station} --mcp --out"
    with left_by_signal(lambda: interrupted_line(path, again)), Watch(terminal.err()) as watch:
        served(work, where, pause=pause, said=complain, on_progress=watch, on_shift=conclude)
    if left:
        raise left[0]


@app.command()
def repeat(
    path: ShiftPath,
    out: Annotated[Path | None, typer.Option(help="The ledger to write.", show_default="none", parser=place_of)] = None,
    worker: Again = None,
    option: AgainStation = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Work a finished shift again, from what is recorded of it: no model is asked. It must be the same shift."""
    from takt.ledger import Ledger
    from takt.shift import repeat_shift

    with quiet(as_json):
        again = repeat_shift(path, out, named=named_again(worker, None, option, trust))
    with Ledger.open(path) as book:
        first, digest = book.events(), book.digest()
    if as_json:
        print_json({"same": again.digest == digest, "digest": again.digest, "ledger": out and str(out)})
    elif again.digest == digest:
        print(f"the same shift: {digest}")
    if again.digest != digest:
        pairs = enumerate(zip(first, again.events, strict=False))
        differs = next((n for n, (one, other) in pairs if one != other), min(len(first), len(again.events)))
        complain(f"not the same shift as {path}: it differs from event {differs} on")
        raise typer.Exit(2)


def _free_path(station: str, worker: str, seed: int) -> Numbered:
    """A ledger's name, numbered on when it is made and taken."""
    # A long seed is not for everybody to see; it is in the ledger.
    which = f"seed{seed}" if seed < 2**32 else "random"
    name = re.sub(r"[^\w.-]+", "-", f"{station}-{worker}-{which}")
    return Numbered(Path("shifts") / f"{name}.takt")
