"""takt stations, workers, check: what there is to work at, and by whom."""

from __future__ import annotations

import ast
import json
import math
import re
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from takt.cli.app import app
from takt.cli.options import Json, StationOption, WorkerOption, options_in
from takt.cli.printing import grid, print_json, print_names
from takt.contract.figure import asked_in_percent
from takt.contract.foreign import one_line
from takt.contract.options import usual_options
from takt.contract.registry import loaded, registered_station, stations, workers
from takt.errors import TaktError
from takt.show import terminal


@app.command("stations")
def list_stations(
    station: Annotated[
        str | None, typer.Argument(metavar="STATION", help="Say more of this one.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List the stations here, or say what one has: takt, faults, acceptance, options."""
    if station is None:
        print_names("stations", {name: _about(point) for name, point in stations().items()}, as_json)
        return
    from takt.contract.station import open_station

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
        print_json(told)
        return
    table = grid()
    table.add_row("station", f"{station}: {told['about']}")
    table.add_row("takt", f"{spec.takt_s:g} s, a control period {spec.control_s:g} s")
    within = "" if asks["cycle_s"] is None else f", {100 * asks['quantile']:g} % within {asks['cycle_s']:g} s"
    table.add_row("asks", f"{asked_in_percent(asks['good_rate'])} % of units good{within}")
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
    option: StationOption = None,
    worker_option: WorkerOption = None,
    as_json: Json = False,
) -> None:
    """Say whether a station keeps its contract, rule by rule, and what to do where it does not. Exits with 2 then."""
    from takt.contract.check_apart import check_apart

    given, theirs = options_in("option", option), options_in("worker-option", worker_option)
    if worker is not None and ":" in station:
        raise TaktError(
            f"a worker is checked at a station that has a name: register {station} (CONTRIBUTING.md has how), or "
            "check it without --worker"
        )
    found = []
    for finding in check_apart(station, given, worker, theirs, units, quiet=as_json):
        found.append(finding)
        if not as_json:
            word = {True: "kept", False: "BROKEN", None: "-"}[finding.kept]
            terminal.out().print(f"{word:6}  {finding.rule}: {finding.says}", highlight=False, markup=False)
    if as_json:
        print_json({"station": station, "worker": worker, "rules": [asdict(finding) for finding in found]})
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
    """List the workers here. One named flightdesk.greedy is of that station, where it is --worker greedy. Any other is
    named by import: --worker my_module:MyWorker."""
    if station is not None:
        registered_station(station)
    print_names("workers", {name: _about(point) for name, point in workers(station).items()}, as_json)


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
