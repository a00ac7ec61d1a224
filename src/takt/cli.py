"""The command line: parses, calls, prints. What it prints is in screen.py, what it does is the Python API.

Exit codes: 0 done; 1 only if `--require-accept` was given and the verdict is something else; 2 something given was
wrong, or the worker raised or broke its contract; 130 interrupted, by Ctrl-C or SIGTERM.

Results go to stdout; progress, warnings and errors (one line, "takt: ...") to stderr. With `--json`, stdout has one
JSON object and nothing else, whatever a worker prints. Heavy modules are imported by the commands that need them.
"""

from __future__ import annotations

import ast
import json
import math
import os
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict, replace
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from takt import terminal
from takt.clock import DEFAULT_CLOCK
from takt.distribution import install, version
from takt.errors import TaktError
from takt.foreign import one_line
from takt.options import usual_options
from takt.printable import printable
from takt.program import INTERRUPTED, WRONG, bounded, complain
from takt.registry import SEED_BITS, loaded, registered_station, stations, workers
from takt.writing import Numbered, not_named, one_out

if TYPE_CHECKING:
    from rich.table import Table

    from takt.compare import Comparison
    from takt.shift import Progress, Shift
    from takt.trust import Named

FLIGHTDESK = "Airline disruption: re-plan aircraft and passengers together (ROADEF 2009 format)."
OLD_NAMES = {  # by command and old option
    (("compare",), "--workers"): "--worker",
    (("serve",), "--ledger"): "--out",
    (("train", "nutcell"), "--folder"): "--out",
    (("train", "flightdesk"), "--teacher"): "--worker",
    (("flightdesk", "generate"), "--preset"): "--scenario",
}
MOST_SEEDS = 10_000  # of a comparison, or of a teacher's shifts
LEAST_S, MOST_S = 0.001, 31_536_000  # seconds that an option can have: a millisecond, a year
MOST_UNIT = 10_000_000
CLOCKS = f"{DEFAULT_CLOCK}; measured for a language model"  # where none is said
FIRST_BROKEN = 3  # lines of what a worker did wrong that are printed
HELP = ["-h", "--help"]
app = typer.Typer(
    help="Run@Rate for AI workers: a whole shift, at the line's beat, nothing reset and nobody helping; then count.",
    epilog="Exit codes: 0 done, whatever the verdict (1 with --require-accept if it is not accept); 2 something given "
    "was wrong, or the worker raised or broke its contract; 130 interrupted.",
    context_settings={"help_option_names": HELP},
)
ledger_app = typer.Typer(help="Look into a shift's ledger.")
app.add_typer(ledger_app, name="ledger")
train_app = typer.Typer(help="Train a station's worker (extra `train`).")
app.add_typer(train_app, name="train")

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines; no progress.")]
ShiftPath = Annotated[
    Path, typer.Argument(metavar="SHIFT", help="The shift's ledger, a .takt file.", show_default=False)
]
SEED_HELP = "What all randomness of the shift comes from: a number, or `random` for 128 bits that nobody can guess."
RequireAccept = Annotated[bool, typer.Option("--require-accept", help="Exit with 1 if the verdict is not accept.")]


def _seed(text: str | int) -> int:
    """A shift's seed as it is given: a number, or `random`."""
    if text == "random":
        import secrets

        return secrets.randbits(SEED_BITS)
    try:
        return int(text)
    except ValueError:
        raise TaktError(f"the seed is {text!r}; it must be a whole number, 0 or more, or: random") from None


Again = Annotated[
    str | None,
    typer.Option(
        "--worker", help="The shift's worker once more, where it is not of `takt workers`.", show_default=False
    ),
]
AgainWorker = Annotated[
    list[str] | None,
    typer.Option("--worker-option", "-w", help="KEY=VALUE of its worker once more: where it asks a server."),
]
AgainStation = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE of its station once more: what leads to code.")
]
Trust = Annotated[
    bool, typer.Option("--trust", help="The ledger is mine: open all that it names, and ask the server it names.")
]


def main(argv: Sequence[str] | None = None) -> int:
    """The program `takt`; returns its exit code."""
    return bounded(lambda: command(list(sys.argv[1:] if argv is None else argv)))


def command(arguments: Sequence[str]) -> int:
    """Do what a command line says; returns the exit code. Raises whatever that raises: see `program.bounded`."""
    _refuse_old(arguments)
    _add_flightdesk(arguments)
    program = typer.main.get_command(app)
    if not arguments or not {*HELP}.isdisjoint(arguments):
        _flags_as_flags(program)
    if "_TAKT_COMPLETE" in os.environ:  # a shell asks what could come next
        program.main(list(arguments), prog_name="takt")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: _complain(f"warning: {message}")
        try:
            with program.make_context("takt", list(arguments) or ["--help"]) as context:
                program.invoke(context)
        except typer.Exit as done:
            return done.exit_code
        except typer.Abort:
            _complain("nothing was answered, and nothing is done")
            return WRONG
        except typer.TyperException as error:
            from takt.usage import wrong_usage

            _complain(wrong_usage(error))
            return WRONG
    return 0


def _flags_as_flags(command: Any) -> None:
    """In help a flag has no kind of value after it, for it takes none."""
    for param in command.get_params(typer.Context(command, help_option_names=HELP)):
        if getattr(param, "is_flag", False):
            param.metavar = ""
    for one in getattr(command, "commands", {}).values():
        _flags_as_flags(one)


def _refuse_old(arguments: Sequence[str]) -> None:
    """Options that were called otherwise: TaktError names what they are called now, as in every command."""
    for (words, old), new in OLD_NAMES.items():
        if tuple(arguments[: len(words)]) == words and any(a.partition("=")[0] == old for a in arguments):
            raise TaktError(f"{old} of `takt {' '.join(words)}` is called {new} now, as in every command")


def _add_flightdesk(arguments: Sequence[str]) -> None:
    """The commands of the flight desk, which take long to import: only where they are meant, else their name."""
    app.registered_groups = [group for group in app.registered_groups if group.name != "flightdesk"]
    if next(iter(arguments), "") == "flightdesk" or "_TAKT_COMPLETE" in os.environ:
        from takt.stations.flightdesk.cli import app as commands
    else:
        commands = typer.Typer(help=FLIGHTDESK)
        commands.command("show")(lambda: None)
    app.add_typer(commands, name="flightdesk")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"takt {version()}")
        raise typer.Exit


@app.callback()
def _program(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None: ...


@app.command("stations")
def list_stations(
    station: Annotated[
        str | None, typer.Argument(metavar="STATION", help="Say more of this one.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List the stations here, or say what one has: takt, faults, acceptance, options."""
    if station is None:
        _list("stations", {name: _about(point) for name, point in stations().items()}, as_json)
        return
    from takt.station import open_station

    here = open_station(station)
    spec, asks = here.spec, asdict(here.spec.acceptance)
    here.close()
    if not math.isfinite(asks["cycle_s"]):
        asks["cycle_s"] = None  # no limit; JSON has no infinity
    told: dict[str, Any] = {
        "name": station,
        "about": _about(registered_station(station)),
        "takt_s": spec.takt_s,
        "control_s": spec.control_s,
        "acceptance": asks,
        "parts": list(spec.parts),
        "faults": {name: asdict(kind) for name, kind in spec.faults.items()},
        "options": {**usual_options(loaded(registered_station(station))), **spec.options},
    }
    if as_json:
        _print_json(told)
        return
    table = _grid()
    table.add_row("station", f"{station}: {told['about']}")
    table.add_row("takt", f"{spec.takt_s:g} s, a control period {spec.control_s:g} s")
    within = "" if asks["cycle_s"] is None else f", {100 * asks['quantile']:g} % within {asks['cycle_s']:g} s"
    table.add_row("asks", f"{100 * asks['good_rate']:.1f} % of units good{within}")
    for name, kind in spec.faults.items():
        repair = f"about {kind.repair_s:g} s" + (", stops the work" if kind.stops else "")
        table.add_row("fault", f"{name}: {kind.about} ({repair})")
    for name, value in told["options"].items():
        flag = "  (a flag: true or false)" if isinstance(value, bool) else ""
        table.add_row("option", f"{name}={value if isinstance(value, str) else json.dumps(value)}{flag}")
    terminal.out().print(table, highlight=False, markup=False)


@app.command()
def check(
    station: Annotated[
        str,
        typer.Argument(
            metavar="STATION", help="A station of `takt stations`, or my_module:MyStation.", show_default=False
        ),
    ],
    worker: Annotated[
        str | None, typer.Option("--worker", help="A worker to look at there, as for `takt run`.", show_default=False)
    ] = None,
    units: Annotated[int, typer.Option(min=1, max=10_000, help="Units of the worker's shifts.")] = 2,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the station; JSON, else text.")
    ] = None,
    worker_option: Annotated[
        list[str] | None, typer.Option("--worker-option", "-w", help="KEY=VALUE for the worker; JSON, else text.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say whether a station keeps its contract, rule by rule, and what to do where it does not. Exits with 2 then."""
    from takt.contract.check import check_station
    from takt.contract.check_worker import check_worker
    from takt.station import station_maker

    given, theirs = _options("option", option), _options("worker-option", worker_option)
    make = station_maker(station)
    found = []
    with _quiet(as_json):
        findings = check_station(lambda **more: make(**{**given, **more}))
        if worker is not None:
            findings = chain(findings, check_worker(station, worker, units, given, theirs))
        for finding in findings:
            found.append(finding)
            if not as_json:
                word = {True: "kept", False: "BROKEN", None: "-"}[finding.kept]
                terminal.out().print(f"{word:6}  {finding.rule}: {finding.says}", highlight=False, markup=False)
    if as_json:
        _print_json({"station": station, "worker": worker, "rules": [asdict(finding) for finding in found]})
    broken = [finding.rule for finding in found if finding.kept is False]
    if broken:
        raise TaktError(f"{station} does not keep {len(broken)} of {len(found)} rules: {'; '.join(broken)}")


@app.command("workers")
def list_workers(
    station: Annotated[
        str | None, typer.Argument(metavar="STATION", help="Only those that can work here.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List the workers here. Any other is named by import: --worker my_module:MyWorker."""
    if station is not None:
        registered_station(station)
    _list("workers", {name: _about(point) for name, point in workers(station).items()}, as_json)


@app.command()
def run(
    station: Annotated[
        str, typer.Argument(metavar="STATION", help="A station of `takt stations`.", show_default=False)
    ],
    worker: Annotated[
        str, typer.Option("--worker", help="A worker of `takt workers`, or my_module:MyWorker.", show_default=False)
    ],
    hours: Annotated[float | None, typer.Option(help="Length of the shift, in hours of station time.")] = None,
    units: Annotated[int | None, typer.Option(help="Or in units; whichever comes first, if both are given.")] = None,
    seed: Annotated[int, typer.Option(help=SEED_HELP, parser=_seed, metavar="SEED")] = 0,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Run the worker in a process of its own, out of sight of the station.")
    ] = False,
    clock: Annotated[
        str | None,
        typer.Option(
            help="What thinking costs: fixed:SECONDS a call, measured, or lockstep (nothing).",
            show_default=CLOCKS,
        ),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option("--fault", help="feeder_jam@00:20:00 (when), +90s (for how long), or camera_dropout~1/h."),
    ] = None,
    stop_early: Annotated[bool, typer.Option("--stop-early", help="End as soon as the verdict is certain.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="The ledger to write.", show_default="shifts/STATION-WORKER-seedN.takt")
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
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the station; JSON, else text.")
    ] = None,
    worker_option: Annotated[
        list[str] | None, typer.Option("--worker-option", "-w", help="KEY=VALUE for the worker; JSON, else text.")
    ] = None,
    call_timeout: Annotated[
        float | None,
        typer.Option(
            min=LEAST_S,
            max=MOST_S,
            help="Seconds after which a call of the worker is cut off, as a fault.",
            show_default="never",
        ),
    ] = None,
    require_accept: RequireAccept = False,
    as_json: Json = False,
) -> None:
    """Work a shift, and say what came out of it.

    takt run nutcell --worker expert --hours 3 --seed 0 --difficulty plant --clock fixed:0.08 --stop-early
    """
    registered_station(station)
    given = _options("option", option)
    short: dict[str, Any] = {"difficulty": difficulty, "control": control, "scenario": scenario, "instance": instance}
    short["cameras"] = cameras.split(",") if cameras else None
    given |= {key: value for key, value in short.items() if value is not None}
    path: Path | Numbered = _free_path(station, worker, seed) if out is None else out
    from takt.shift import run_shift

    with _working(path, as_json) as on_progress:
        shift = run_shift(
            station,
            worker,
            on_silent=_silent(repr(worker), call_timeout),
            call_timeout_s=call_timeout,
            seed=seed,
            isolate=isolate,
            hours=hours,
            units=units,
            clock=clock,
            faults=faults or (),
            ledger=path,
            stop_early=stop_early,
            on_progress=on_progress,
            station_options=given,
            worker_options=_options("worker-option", worker_option),
        )
    _conclude(shift, as_json, require_accept)


@app.command()
def resume(
    path: ShiftPath,
    worker: Again = None,
    worker_option: AgainWorker = None,
    option: AgainStation = None,
    trust: Trust = False,
    require_accept: RequireAccept = False,
    as_json: Json = False,
) -> None:
    """Go on with a shift that was killed or interrupted, from its last finished unit.

    What the ledger names is not opened for that alone: a worker or an environment by import, and a server elsewhere,
    are named again.
    """
    from takt.shift import resume_shift

    def work(named: Named) -> Shift:
        with _working(path, as_json) as on_progress:
            return resume_shift(path, on_progress=on_progress, named=named, on_silent=_silent("of the shift", None))

    shift = _confirmed(work, _named(worker, worker_option, option, trust), as_json)
    _conclude(shift, as_json, require_accept)


@app.command()
def serve(
    station: Annotated[
        str, typer.Argument(metavar="STATION", help="A station that offers tools: flightdesk.", show_default=False)
    ],
    mcp: Annotated[bool, typer.Option("--mcp", help="Over the Model Context Protocol, the only way.")] = False,
    hours: Annotated[float | None, typer.Option(help="Length of the shift, in hours of station time.")] = None,
    units: Annotated[int | None, typer.Option(help="Or in units; whichever comes first, if both are given.")] = None,
    seed: Annotated[int | None, typer.Option(help=SEED_HELP, parser=_seed, metavar="SEED", show_default="0")] = None,
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
            show_default="shifts/STATION-mcp-seedN.takt, a new one",
        ),
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Short for -o scenario=...")] = None,
    instance: Annotated[str | None, typer.Option(metavar="DIR", help="Short for -o instance=...")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the station; JSON, else text.")
    ] = None,
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
    from takt.screen import Watch
    from takt.workers.mcp.serve import Where, Work
    from takt.workers.mcp.serve import serve as served

    given = _options("option", option)
    given |= {key: value for key, value in {"scenario": scenario, "instance": instance}.items() if value is not None}
    path: Path | Numbered = _free_path(station, "mcp", seed or 0) if out is None else out
    work = Work(station, given, path, seed, hours, units, clock, faults or (), stop_early, patience)
    where = Where(host, port if http else None, tuple(allow_host or ()), grace)
    left: list[typer.Exit] = []

    def conclude(shift: Shift) -> None:
        """The server goes on to answer for a while, so the exit code waits."""
        try:
            _conclude(shift, False, require_accept)
        except typer.Exit as code:
            left.append(code)

    again = f"takt serve {station} --mcp --out"
    with _left_by_signal(lambda: _interrupted(path, again)), Watch(terminal.err()) as watch:
        served(work, where, pause=pause, said=_complain, on_progress=watch, on_shift=conclude)
    if left:
        raise left[0]


@app.command()
def repeat(
    path: ShiftPath,
    out: Annotated[Path | None, typer.Option(help="The ledger to write.", show_default="none")] = None,
    worker: Again = None,
    option: AgainStation = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Work a finished shift again, from what is recorded of it: no model is asked. It must be the same shift."""
    from takt.ledger import Ledger
    from takt.shift import repeat_shift

    with _quiet(as_json):
        again = repeat_shift(path, out, named=_named(worker, None, option, trust))
    with Ledger.open(path) as book:
        first, digest = book.events(), book.digest()
    if as_json:
        _print_json({"same": again.digest == digest, "digest": again.digest, "ledger": out and str(out)})
    elif again.digest == digest:
        print(f"the same shift: {digest}")
    if again.digest != digest:
        pairs = enumerate(zip(first, again.events, strict=False))
        differs = next((n for n, (one, other) in pairs if one != other), min(len(first), len(again.events)))
        _complain(f"not the same shift as {path}: it differs from event {differs} on")
        raise typer.Exit(2)


@app.command()
def verify(
    path: ShiftPath,
    work_again: Annotated[
        bool, typer.Option("--work-again", help="Work the shift once more and see that it comes out the same.")
    ] = False,
    signers: Annotated[
        Path | None, typer.Option(help="Whose keys are whose, as OpenSSH's allowed signers.", show_default="yours")
    ] = None,
    worker: Again = None,
    option: AgainStation = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Say what stands behind a ledger: structure, digest, signatures; with --work-again, whether it happened so.

    takt verify shifts/theirs.takt --work-again
    """
    from takt.screen import verification_table
    from takt.verification import verify as verified

    with _quiet(as_json):
        found = verified(path, work_again=work_again, signers=signers, named=_named(worker, None, option, trust))
    if as_json:
        told = {**asdict(found), "good": found.good, "signatures": [str(one) for one in found.signatures]}
        _print_json({"ledger": str(path), **told})
    else:
        terminal.out().print(verification_table(found))
    for line in [*found.wrong, *(str(one) for one in found.signatures if one.good is False)]:
        _complain(f"{path}: {line}")
    if found.same is False:
        _complain(f"not the shift that {path} says: it differs from event {found.differs} on")
    if not found.good:
        raise typer.Exit(2)


@app.command()
def sign(
    path: ShiftPath,
    key: Annotated[Path, typer.Option(help="Your private key, as ssh-keygen -t ed25519 makes it.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Sign a finished ledger with your SSH key (Ed25519), so that it says who made it.

    takt sign shifts/mine.takt --key ~/.ssh/id_ed25519
    """
    from takt.ledger import Ledger
    from takt.signature import Locked, known_signers, looked_at
    from takt.signature import sign as signed

    with Ledger.open(path) as book:
        seal = book.seal()
    try:
        made = signed(seal, key)
    except Locked:
        if not sys.stdin.isatty():
            raise
        made = signed(seal, key, typer.prompt("Passphrase", hide_input=True, err=True).encode())
    with Ledger.resume(path) as book:
        if book.seal() != seal:
            raise TaktError(f"{path} has just changed; sign it again")
        book.signed(made)
    told = looked_at(made, seal, known_signers())
    if as_json:
        _print_json({"ledger": str(path), "key": told.key})
    else:
        print(f"signed: {path} ({told.key})")


@app.command()
def bill(path: ShiftPath, as_json: Json = False) -> None:
    """Print what a language model's shift cost, and what went wrong between model, server and station, counted."""
    from takt.ledger import Ledger
    from takt.workers.llm.bill import bill as summed
    from takt.workers.llm.bill import troubles

    with Ledger.open(path) as book:
        found = book.events()
    try:
        told, wrong = asdict(summed(found)), troubles(found)
    except (TypeError, KeyError, AttributeError, ValueError) as error:  # another worker's records, or a stranger's
        raise TaktError(f"{path} has records that are none of a model's: {type(error).__name__}") from error
    if as_json:
        _print_json({**told, "troubles": wrong})
        return
    if not told["exchanges"]:
        print("no model was asked in this shift, so there is no bill")
        return
    table = _grid()
    for key, value in told.items():
        table.add_row(key.replace("_", " "), "-" if value is None else f"{value:.10g}")
    for kind, count in wrong.items():
        table.add_row("trouble", f"{kind}: {count}")
    terminal.out().print(table, highlight=False, markup=False)


@app.command("serve-policy")
def serve_policy(
    worker: Annotated[
        str,
        typer.Argument(
            metavar="WORKER", help="A worker of the nut cell, my_module:MyWorker, or a policy's .onnx file."
        ),
    ],
    host: Annotated[str, typer.Option(help="Where to listen; other machines reach 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    key_env: Annotated[
        str, typer.Option(help="The environment variable with the key that clients must send; needed off the loopback.")
    ] = "",
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Another name by which clients call it (a tunnel's).")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", help="KEY=VALUE, what the cell is opened with; JSON, else text."),
    ] = None,
    worker_option: Annotated[
        list[str] | None, typer.Option("--worker-option", "-w", help="KEY=VALUE for the worker; JSON, else text.")
    ] = None,
) -> None:
    """Serve a worker of the nut cell by openpi's websocket protocol, until Ctrl-C."""
    from takt.workers.policy.server import PolicyServer, serve_until_interrupted

    key = os.environ.get(key_env, "") if key_env else ""
    if key_env and not key:
        raise TaktError(f"the environment has no {key_env}")
    given = _options("worker-option", worker_option)
    if worker.endswith(".onnx"):
        if not Path(worker).is_file():
            raise TaktError(f"there is no model {worker}")
        worker, given = "vla", {"model": worker, **given}
    server = PolicyServer(
        worker,
        station_options=_options("option", option),
        worker_options=given,
        host=host,
        port=port,
        key=key,
        names=allow_host or (),
        on_trouble=_complain,
    )
    asks = "".join(f" -o {key}={value}" for key, value in server.asks.items())
    told = f"; Ctrl-C ends it{asks and f'. A client opens the cell with{asks}'}"
    serve_until_interrupted(server, lambda url: print(f"serving {worker} at {url}{told}", flush=True))


@app.command()
def kpis(path: ShiftPath, require_accept: RequireAccept = False, as_json: Json = False) -> None:
    """Print a shift's verdict and figures; also while it runs."""
    from takt.ledger import Ledger
    from takt.shift import Shift

    with Ledger.open(path) as book:
        shift = Shift.of(book)
    _conclude(shift, as_json, require_accept)


@app.command()
def verdict(
    paths: Annotated[list[Path], typer.Argument(metavar="SHIFT...", help="Ledgers of one worker at one job.")],
    by: Annotated[
        str, typer.Option(help="unit (about these units), shift (if shift means are about normal), free, or auto.")
    ] = "auto",
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Chance of an error, over all looks.")] = 0.05,
    stands_to: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Stickiness to stand up to, by unit and by shift: 0.3.", show_default="what the job asks"
        ),
    ] = None,
    require_accept: RequireAccept = False,
    as_json: Json = False,
) -> None:
    """Judge one shift, or several of one worker together: docs/verdict.md.

    takt verdict shifts/vla-seed5*.takt
    """
    from takt.ledger import Ledger
    from takt.pooled import pooled
    from takt.screen import pooled_summary

    if not 0 < alpha < 1:
        raise TaktError(f"alpha is a chance of error between 0 and 1, not {alpha:g}")
    shifts = []
    for path in paths:
        with Ledger.open(path) as book:
            shifts.append(book.events())
    if stands_to is not None and not 0 <= stands_to < 1:
        raise TaktError(f"a stickiness lies between 0 and 1, not {stands_to:g}")
    found = pooled(shifts, alpha=alpha, by=by, stands_to=stands_to)
    if as_json:
        _print_json({**asdict(found), "ledgers": [str(path) for path in paths]})
    else:
        console = terminal.out()
        console.print(pooled_summary(found, console.width), highlight=False, markup=False)
    if require_accept and found.decision != "accept":
        raise typer.Exit(1)


@app.command()
def plan(
    rate: Annotated[
        str | None, typer.Option(help="The good rate that the job asks: 90.2% or 0.902.", show_default="the station's")
    ] = None,
    true: Annotated[
        str | None,
        typer.Option(help="True good rates to plan for: 97% or 95%,97%,99%.", show_default="three above what is asked"),
    ] = None,
    power: Annotated[str, typer.Option(help="Chances that the verdict has come by then.")] = "50%,80%,90%",
    takt_s: Annotated[
        float | None,
        typer.Option("--takt", min=0, max=MOST_S, help="Seconds a unit, for hours.", show_default="the station's"),
    ] = None,
    station: Annotated[str | None, typer.Option(help="Take rate and takt from this station.")] = None,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Chance of an error, over all looks.")] = 0.05,
    as_json: Json = False,
) -> None:
    """Say how many units, and hours, a verdict takes, before a shift is worked. Exact, for units that do not depend.

    takt plan --rate 90.2% --true 97% --power 80% --takt 76
    """
    from takt.power import MOST_UNITS, least_units, units_needed
    from takt.screen import plan_table

    if station is not None:
        from takt.station import open_station

        here = open_station(station)
        rate = f"{here.spec.acceptance.good_rate!r}" if rate is None else rate
        takt_s = here.spec.takt_s if takt_s is None else takt_s
        here.close()
    if rate is None:
        raise TaktError("say what the job asks: --rate 90.2%, or --station NAME")
    if not 0 < alpha < 1:
        raise TaktError(f"alpha is a chance of error between 0 and 1, not {alpha:g}")
    if takt_s is not None and not 0 < takt_s < 1e9:
        raise TaktError(f"a takt of {takt_s:g} s; it must be above 0")
    (required,) = _shares("rate", rate, most=1)
    rows: list[dict[str, Any]] = []
    above = [at for at in (0.95, 0.97, 0.99, 0.999, 0.9999) if at > required][:3] or [(1 + required) / 2]
    for at in above if true is None else _shares("true", true):
        if at == required:
            raise TaktError(f"no number of units tells a true rate of {at:g} from a required one of {required:g}")
        found = {chance: units_needed(required, at, chance, alpha) for chance in _shares("power", power)}
        units = {chance: need and need.units for chance, need in found.items()}
        rows.append({"true": at, "decision": "accept" if at > required else "reject", "units": units})
    least = least_units(required, alpha)
    if as_json:
        told = [{**row, "units": {f"{chance:g}": n for chance, n in row["units"].items()}} for row in rows]
        _print_json({"required": required, "alpha": alpha, "takt_s": takt_s, "least_units": least, "rows": told})
        return
    console = terminal.out()
    table = plan_table(required, rows, takt_s, least, MOST_UNITS)
    console.print(table, highlight=False, markup=False)


@app.command()
def report(
    path: ShiftPath,
    out: Annotated[Path | None, typer.Option(help="The page to write.", show_default="beside the ledger")] = None,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Without pictures of the bad units.")] = False,
    work_again: Annotated[
        bool, typer.Option("--work-again", help="Have the worker do a unit once more to draw it, where it takes that.")
    ] = False,
    worker: Again = None,
    option: AgainStation = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a shift as one HTML page that needs no network."""
    from takt.report import write_report
    from takt.screen import counting

    named = _named(worker, None, option, trust)
    with _quiet(as_json), counting(terminal.err(as_json), "pictures of bad units") as on_picture:
        written = write_report(
            path, out, pictures=not no_pictures, work_again=work_again, named=named, on_picture=on_picture
        )
    if as_json:
        _print_json({"report": str(written)})
    else:
        print(f"report: {written}")


@app.command("export")
def export_shift(
    path: ShiftPath,
    form: Annotated[str, typer.Option("--format", help="lerobot, trl", show_default=False)],
    place: Annotated[Path | None, typer.Argument(metavar="[OUT]", help="Short for --out.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="What to write.", show_default=False)] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-x", help="KEY=VALUE for the format; JSON, else text.")
    ] = None,
    worker: Again = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a shift in another format.

    takt export SHIFT --format lerobot FOLDER

    takt export SHIFT --format trl OUT.jsonl
    """
    from takt.export import export

    with _quiet(as_json):
        told = export(
            path, one_out(place, out), form, named=_named(worker, None, None, trust), **_options("option", option)
        )
    if as_json:
        _print_json(dict(told))
    else:
        print(", ".join(f"{key}: {value}" for key, value in told.items()))


@train_app.command("flightdesk")
def train_flightdesk(
    model: Annotated[str, typer.Option(help="A causal model: a name or a folder of transformers.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The folder to save the trained model to.", show_default=False)],
    worker: Annotated[str, typer.Option("--worker", help="The teacher, whose shifts it learns from.")] = "planner",
    seeds: Annotated[str, typer.Option(help="The teacher's shifts: 1000-1004 or 0,3,7")] = "1000-1004",
    hours: Annotated[float | None, typer.Option(help="Length of each, in hours.", show_default="8")] = None,
    units: Annotated[int | None, typer.Option(help="Or in units.")] = None,
    view: Annotated[str, typer.Option(help="What the model is shown: full or short, as by the worker `llm`.")] = "full",
    good_only: Annotated[bool, typer.Option("--good-only", help="Learn only from units that were good.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Instead: conversations of `takt export --format trl`.", show_default="none")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=10_000_000, help="Optimiser steps.")] = 400,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Conversations in each.")] = 16,
    rate: Annotated[float, typer.Option(min=0, max=1, help="Peak learning rate.")] = 2e-5,
    lora: Annotated[int, typer.Option(min=0, max=4096, help="Rank of LoRA adapters; 0 trains all weights.")] = 0,
    max_tokens: Annotated[int, typer.Option(min=16, max=10_000_000, help="Tokens of a conversation.")] = 8192,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the training.")] = 0,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the station; JSON, else text.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a language model on a teacher's shifts (extra `train`): docs/train-llm.md.

    takt train flightdesk --model Qwen/Qwen3.5-0.8B --worker planner --seeds 1000-1019 --out desk-0.8b
    """
    from takt import train as training

    training.needs_extra()
    with _left_by_signal(lambda: "interrupted; the teacher's finished shifts are kept"), redirect_stdout(sys.stderr):
        if data is None:
            length = 8.0 if hours is None and units is None else hours
            shifts = out.with_name(f"{out.name}-shifts")
            data = training.data(
                "flightdesk",
                worker,
                _numbers(seeds),
                shifts,
                hours=length,
                units=units,
                station_options=_options("option", option),
                view=view,
                good_only=good_only,
            )
        from takt.train.sft import finetune

        told = finetune(
            model, data, out, steps=steps, batch=batch, rate=rate, lora=lora, max_tokens=max_tokens, seed=seed
        )
    if as_json:
        _print_json(told)
    else:
        print(", ".join(f"{key}: {value}" for key, value in told.items()))


@app.command()
def replay(
    path: ShiftPath,
    unit: Annotated[int, typer.Option(min=0, max=MOST_UNIT, help="Which unit, counted from 0.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="The mp4 to write.", show_default="SHIFT-uN.mp4, beside it")] = None,
    speed: Annotated[float, typer.Option(min=0.01, max=10_000, help="Times real time.")] = 1.0,
    worker: Again = None,
    option: AgainStation = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Work a unit again, exactly as it was, and film it."""
    from takt.replay import replay as film
    from takt.screen import counting

    out = not_named(path.with_name(f"{path.stem}-u{unit}.mp4")) if out is None else out
    with _quiet(as_json), counting(terminal.err(as_json), f"unit {unit}") as on_frame:
        made = film(path, unit, out, speed=speed, named=_named(worker, None, option, trust), on_frame=on_frame)
    if as_json:
        _print_json({**asdict(made), "path": str(made.path)})
    else:
        print(f"replay: {made.path} ({made.seconds:.1f} s, {made.frames} pictures)")
    if not made.same:
        _complain(
            f"warning: unit {unit} did not come out as in {path}: its worker keeps something that it does not save, "
            "or draws on more than its seed"
        )


@app.command()
def compare(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[SHIFT]...", help="Ledgers to compare.", show_default=False)
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
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the station; JSON, else text.")
    ] = None,
    worker_option: Annotated[
        list[str] | None,
        typer.Option("--worker-option", "-w", help="KEY=VALUE for every worker, or 2:KEY=VALUE for the second."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the ledgers go.", show_default="shifts/compare-STATION-WORKERS")
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
    out: Annotated[Path | None, typer.Option(help="Write it as an HTML page, too.")] = None,
    as_json: Json = False,
) -> None:
    """Say which of two or more workers is better, on the same units.

    takt compare shifts/a.takt shifts/b.takt

    takt compare --station flightdesk --worker planner,greedy --seeds 0-9 --hours 8
    """
    from takt.ledger import Ledger
    from takt.rounds import Contestant, work_rounds
    from takt.screen import Watch, comparison_line, comparison_table
    from takt.shift import Shift

    standing: dict[str, str] = {}
    if bool(paths) == bool(station or named):
        raise TaktError("give the ledgers to compare, or --station and --worker to work them")
    if paths:
        from takt.account import costs_at
        from takt.compare import by_worker
        from takt.compare import compare as compared
        from takt.verification import standing_of

        shifts = []
        for path in paths:
            with Ledger.open(path) as book:
                shifts.append((path, Shift.of(book)))
                standing[str(path)] = str(standing_of(book, shifts[-1][1].digest))
        grouped = by_worker([(path.stem, shift.events) for path, shift in shifts])
        at = {shift.meta["station"] for _, shift in shifts}
        costs = costs_at(at.pop()) if len(at) == 1 else None  # of different stations: `compared` says so
        found = compared(grouped, alpha=alpha, margin=margin, by=by, may_differ=may_differ or (), costs=costs)
        events, ledgers = grouped, [str(path) for path, _ in shifts]
        broken = [line for _, shift in shifts for line in shift.broken]
    else:
        if not station or not named:
            raise TaktError("working paired shifts takes both --station and --worker")
        registered_station(station)
        names = [name for given in named for name in given.split(",") if name]
        contestants = [
            Contestant(f"{name}-{i}" if names.count(name) > 1 else name, name, _options_of(i, worker_option))
            for i, name in enumerate(names, start=1)
        ]
        label = re.sub(r"[^\w.-]+", "-", "-".join(["compare", station, *names]))
        folder = Path("shifts") / label if folder is None else folder

        @contextmanager
        def watching(name: str, seed: int) -> Iterator[Callable[[Progress], None] | None]:
            with nullcontext() if as_json else Watch(terminal.err()) as watch:
                yield watch

        def on_round(so_far: Comparison) -> None:
            for line in [] if as_json else comparison_line(so_far):
                terminal.err().print(line, soft_wrap=True, highlight=False, markup=False)

        where = shlex.quote(str(folder))
        with _left_by_signal(lambda: f"interrupted; the same command goes on with what is in {where}"), _quiet(as_json):
            rounds = work_rounds(
                station,
                contestants,
                _numbers(seeds),
                folder,
                hours=hours,
                units=units,
                clock=clock,
                faults=faults or (),
                station_options=_options("option", option),
                alpha=alpha,
                margin=margin,
                by=by,
                every_seed=every_seed,
                watching=watching,
                on_round=on_round,
            )
        found = rounds.comparison
        worked = [shift for mine in rounds.shifts.values() for shift in mine]
        events = {name: [shift.events for shift in mine] for name, mine in rounds.shifts.items()}
        ledgers = [str(shift.path) for shift in worked]
        broken = [line for shift in worked for line in shift.broken]
    if out is not None:
        from takt.report.comparison import write_comparison

        write_comparison(found, events, out, standing)
    if as_json:
        _print_json(
            {
                **asdict(found),
                "decided": found.decided,
                "ledgers": ledgers,
                "standing": standing,
                "report": out and str(out),
            }
        )
    else:
        console = terminal.out()
        console.print(comparison_table(found, console.width), highlight=False, markup=False)
        for ledger, text in standing.items():
            console.print(f"  {ledger}: {text}", style="dim", soft_wrap=True)
        if out is not None:
            print(f"report: {out}")
    _complain_of(broken)
    if broken:
        raise typer.Exit(2)


@train_app.command("nutcell")
def train_nutcell(
    folder: Annotated[Path, typer.Option("--out", help="The folder for all of it; the same command goes on with it.")],
    stage: Annotated[
        list[str] | None, typer.Option(help="Only this: demos, clone, dagger, export.", show_default="all")
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="A small run of 15 minutes that learns a little.")] = False,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="What all randomness of the training comes from.")
    ] = 0,
    processes: Annotated[int, typer.Option(min=1, max=256, help="Processes that roll out.")] = 2,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of PyTorch.")] = 1,
    device: Annotated[str, typer.Option(help="Of PyTorch: cpu, cuda.")] = "cpu",
) -> None:
    """Train the cell's learned worker, `vla`, from nothing: docs/learned.md.

    takt train nutcell --out runs/vla
    """
    if find_spec("torch") is None or find_spec("onnx") is None:
        raise TaktError(f"training needs PyTorch and ONNX: {install('train')}")
    from takt.stations.nutcell.vla.progress import shown

    with (
        _left_by_signal(lambda: "interrupted; the same command goes on with what is there"),
        shown(terminal.err()) as say,
    ):
        from takt.stations.nutcell.vla.train import train as trained

        made = trained(
            folder, stage or (), smoke=smoke, seed=seed, processes=processes, threads=threads, device=device, say=say
        )
    print(f"policy: {made}" if made.exists() else f"in {folder}, and no policy yet: --stage export makes it")


@ledger_app.command("show")
def show(path: ShiftPath, as_json: Json = False) -> None:
    """Print what defines a shift, where and when it was worked, and how far it is."""
    from takt.events import UNIT_BAD, UNIT_GOOD
    from takt.ledger import Ledger

    with Ledger.open(path) as book:
        events, told = book.events(), book.meta
    told["events"] = len(events)
    told["units_ended"] = sum(event.kind in (UNIT_GOOD, UNIT_BAD) for event in events)
    told["ended"] = _ended(events)
    if as_json:
        _print_json(told)
        return
    table = _grid()
    for key, value in told.items():
        table.add_row(key.replace("_", " "), value if isinstance(value, str) else json.dumps(value))
    terminal.out().print(table, highlight=False, markup=False)


@ledger_app.command("digest")
def digest(path: ShiftPath, as_json: Json = False) -> None:
    """Print the SHA-256 of a shift: the same for the same shift, however often it was cut off and resumed."""
    from takt.ledger import Ledger

    with Ledger.open(path) as book:
        found = book.digest()
    if as_json:
        _print_json({"digest": found})
    else:
        print(found)


@ledger_app.command("events")
def events(
    path: ShiftPath,
    kind: Annotated[str | None, typer.Option(help="Only events of this kind, unit_bad for one.")] = None,
    unit: Annotated[int | None, typer.Option(min=0, max=2**62, help="Only events of this unit.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, one event on each.")] = False,
) -> None:
    """Print a shift's events: seconds, unit, kind, data."""
    from takt.ledger import Ledger, canonical

    with Ledger.open(path) as book:
        found = book.events()
    for event in found:
        if (kind is not None and event.kind != kind) or (unit is not None and event.unit != unit):
            continue
        if as_json:
            print(canonical(asdict(event)))
        else:
            print(
                f"{event.t_s:>11.2f}  {'' if event.unit is None else event.unit:>5}  {printable(event.kind):<16}"
                f"  {canonical(event.data)}".rstrip()
            )


@contextmanager
def _working(path: Path | Numbered, as_json: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A shift is being worked into `path`: shown on stderr, and left by Ctrl-C and SIGTERM so that it can go on."""
    from takt.screen import Watch

    with (
        _left_by_signal(lambda: _interrupted(path)),
        _quiet(as_json),
        nullcontext() if as_json else Watch(terminal.err()) as on,
    ):
        yield on


@contextmanager
def _left_by_signal(said: Callable[[], str]) -> Iterator[None]:
    """Ctrl-C and SIGTERM alike end what is inside: `said` on stderr, and the exit code for it."""

    try:
        yield
    except KeyboardInterrupt:
        _complain(said())
        raise typer.Exit(INTERRUPTED) from None


def _interrupted(path: Path | Numbered, how: str = "takt resume") -> str:
    from takt.events import UNIT_BAD, UNIT_GOOD
    from takt.ledger import Ledger
    from takt.trust import by_import

    if not path.exists():
        return "interrupted before the shift began; nothing was written"
    with Ledger.open(path) as book:
        if book.finished:
            return f"interrupted when the shift was over; `takt kpis {shlex.quote(str(path))}` says what came out"
        ended, meta = sum(event.kind in (UNIT_GOOD, UNIT_BAD) for event in book.events()), book.meta
    again = f"{how} {shlex.quote(str(path))}{by_import(meta)}"
    return f"interrupted after {ended} unit{'' if ended == 1 else 's'}; go on with `{again}`"


def _conclude(shift: Shift, as_json: bool, require_accept: bool) -> None:
    """Print what came out of a shift, and leave with the exit code that it asks for."""
    again = f"takt kpis {shlex.quote(str(shift.path))}"
    with _left_by_signal(lambda: f"interrupted when the shift was over; `{again}` says what came out"):
        _print_outcome(shift, as_json, require_accept)


def _print_outcome(shift: Shift, as_json: bool, require_accept: bool) -> None:
    from takt.account import account_of
    from takt.kpi import kpis as figures_of
    from takt.screen import counting, summary
    from takt.verdict import verdict

    judged, figures = verdict(shift.events), figures_of(shift.events)
    with _quiet(as_json), counting(terminal.err(as_json), "the station's account"):
        account = account_of(shift)
    if as_json:
        told: dict[str, Any] = {
            "ledger": str(shift.path),
            "ended": shift.ended,
            "broken": shift.broken,
            "digest": shift.digest,
        }
        told |= {"verdict": asdict(judged), "kpis": asdict(figures)}
        _print_json(told if account is None else {**told, "account": dict(account.values)})
    elif shift.broken and not judged.units:  # it broke its contract at once: no figure means anything
        print(f"no unit has ended; ledger: {shift.path}")
    else:
        console = terminal.out()
        more = () if account is None else account.figures
        console.print(summary(shift, judged, figures, more, console.width), highlight=False)
    _complain_of(shift.broken)
    if shift.broken:
        raise typer.Exit(2)
    if require_accept and judged.decision != "accept":
        raise typer.Exit(1)


def _silent(worker: str, timeout: float | None = None) -> Callable[[float], None]:
    """What is said of a worker that does not answer."""
    how = "" if timeout else "; `takt run` has --call-timeout, which makes that a fault"
    return lambda silent_s: complain(f"the worker {worker} has not answered for {silent_s:g} s{how}")


def _complain_of(broken: Sequence[str]) -> None:
    """The first things that a worker did wrong."""
    for line in broken[:FIRST_BROKEN]:
        _complain(line)
    if len(broken) > FIRST_BROKEN:
        _complain(f"and {len(broken) - FIRST_BROKEN} more times")


def _numbers(text: str) -> list[int]:
    """Numbers as in 0-9 or 0,3,5-7."""
    if not re.fullmatch(r"\d{1,39}(-\d{1,39})?(,\d{1,39}(-\d{1,39})?)*", text):
        raise TaktError(f"cannot read the seeds {text!r}; write them as 0-9 or 0,3,5-7")
    spans = [[int(end) for end in span.split("-")] for span in text.split(",")]
    backwards = next((span for span in spans if span[-1] < span[0]), None)
    if backwards:
        raise TaktError(f"the seeds {backwards[0]}-{backwards[-1]} are none; write the lower one first")
    many = sum(span[-1] - span[0] + 1 for span in spans)
    if many > MOST_SEEDS:
        raise TaktError(f"{text!r} are {many:,} seeds; {MOST_SEEDS:,} are the most that make sense")
    return [number for span in spans for number in range(span[0], span[-1] + 1)]


def _shares(flag: str, text: str, most: int = 20) -> list[float]:
    """Shares as in 95%,97% or 0.95; each between 0 and 1."""
    found = []
    for word in text.split(","):
        number = word.strip().removesuffix("%").strip()
        try:
            value = float(number) / (100.0 if word.strip().endswith("%") else 1.0)
        except ValueError:
            value = math.nan
        if not 0 < value < 1:
            raise TaktError(f"--{flag} {word.strip()!r} is no share between 0 and 1; write it as 97% or 0.97")
        found.append(round(value, 12))
    if len(found) > most:
        raise TaktError(f"--{flag} takes {'one share' if most == 1 else f'at most {most} shares'}, not {len(found)}")
    return found


def _options_of(number: int, given: Sequence[str] | None) -> dict[str, Any]:
    """The options of worker `number`, counted from 1: those for all, and its own, as in 2:KEY=VALUE."""
    own = [re.fullmatch(r"(?:(\d+):)?(.*)", text, re.DOTALL) for text in given or ()]
    mine = [match[2] for match in own if match and match[1] in (None, str(number))]
    return _options("worker-option", mine)


def _options(flag: str, given: Sequence[str] | None) -> dict[str, Any]:
    """KEY=VALUE words as options; a value that is not JSON is text."""
    found = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise TaktError(f"--{flag} {text!r} is not KEY=VALUE")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _named(worker: str | None, worker_option: Sequence[str] | None, option: Sequence[str] | None, trust: bool) -> Named:
    """What the user has named again of a ledger."""
    from takt.trust import Named

    return Named(worker, _options("worker-option", worker_option), _options("option", option), trust)


def _confirmed(work: Callable[[Named], Shift], named: Named, as_json: bool) -> Shift:
    """Work as named. At a terminal, what the ledger names besides is shown, and done if the user says yes."""
    from takt.trust import NotNamed

    try:
        return work(named)
    except NotNamed as missing:
        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        _complain(f"the ledger names: {' '.join(missing.wanted)}")
        if not typer.confirm("Is that yours, and to be opened?", err=True):
            raise
        return work(replace(named, trust=True))


def _free_path(station: str, worker: str, seed: int) -> Numbered:
    """A ledger's name, numbered on when it is made and taken."""
    # A long seed is not for everybody to see; it is in the ledger.
    which = f"seed{seed}" if seed < 2**32 else "random"
    name = re.sub(r"[^\w.-]+", "-", f"{station}-{worker}-{which}")
    return Numbered(Path("shifts") / f"{name}.takt")


def _about(point: Any) -> str:
    """What a registered thing is, by the first clause of its docstring: read, not imported, for that takes seconds."""
    module, _, name = point.value.partition(":")
    package, *inside = module.split(".")
    try:
        spec = find_spec(package)
        if spec is None:
            return f"(cannot be read: there is no module {package})"
        roots = [Path(root) for root in spec.submodule_search_locations or ()]
        bare = [root.joinpath(*inside) for root in roots]
        files = [file for path in bare for file in (path.with_suffix(".py"), path / "__init__.py")]
        for file in files or [Path(spec.origin or "")]:
            if file.is_file():
                return _first_clause(ast.parse(file.read_text(encoding="utf-8")), name)
    except (SyntaxError, ValueError, OSError) as error:
        return f"(cannot be read: {one_line(error)})"
    return ""


def _first_clause(module: ast.Module, name: str) -> str:
    """Of what the module says about its class or function `name`, or else about itself."""
    own = [node for node in module.body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name]
    text = (own and ast.get_docstring(own[0])) or ast.get_docstring(module) or ""
    text = re.sub(r"^`\w+`: ", "", " ".join(text.split()))
    clause = re.split(r"(?<=[a-z)])[.:;](?: |$)", text)[0]
    return clause[:1].upper() + clause[1:]


def _list(what: str, about: dict[str, str], as_json: bool) -> None:
    if as_json:
        _print_json({what: [{"name": name, "about": text} for name, text in about.items()]})
        return
    table = _grid("bold")
    for name, text in about.items():
        table.add_row(name, text)
    terminal.out().print(table, highlight=False, markup=False)


def _grid(style: str = "dim") -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _ended(found: Sequence[Any]) -> str:
    from takt.events import SHIFT_ENDED

    return str(found[-1].data["reason"]) if found and found[-1].kind == SHIFT_ENDED else ""


def _quiet(as_json: bool) -> Any:
    """What a worker or a station prints is not for stdout if that is to hold JSON."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def _print_json(value: Any) -> None:
    print(json.dumps(value, allow_nan=False, default=str))


_complain = complain


if __name__ == "__main__":
    sys.exit(main())
