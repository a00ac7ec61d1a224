"""takt kpis, verdict, plan, report, replay, bill, ledger: commands that look at shifts."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from takt.cli.app import app, ledger_app
from takt.cli.options import (
    MOST_S,
    MOST_UNIT,
    Again,
    AgainStation,
    Json,
    RequireAccept,
    ShiftPath,
    Trust,
    named_again,
    shares_in,
)
from takt.cli.printing import aside, end_reason, grid, print_json, quiet
from takt.cli.working import conclude_shift
from takt.contract.events import UNIT_ENDED, stopping_early
from takt.contract.figure import per_cent
from takt.errors import TaktError
from takt.ledger.store import place_of
from takt.meant import meant
from takt.printable import printable
from takt.program import complain
from takt.show import terminal
from takt.writing import not_named

if TYPE_CHECKING:
    pass


FORMS = ("html", "markdown", "junit")


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
        print_json({**told, "troubles": wrong})
        return
    if not told["exchanges"]:
        print("no model was asked in this shift, so there is no bill")
        return
    table = grid()
    for key, value in told.items():
        table.add_row(key.replace("_", " "), "-" if value is None else f"{value:.10g}")
    for kind, count in wrong.items():
        table.add_row("trouble", f"{kind}: {count}")
    terminal.out().print(table, highlight=False, markup=False)


@app.command()
def kpis(path: ShiftPath, require_accept: RequireAccept = False, as_json: Json = False) -> None:
    """Print a shift's verdict and figures; also while it runs."""
    from takt.ledger import Ledger
    from takt.shift import Shift

    with Ledger.open(path) as book:
        shift = Shift.of(book)
    conclude_shift(shift, as_json, require_accept)


@app.command()
def verdict(
    paths: Annotated[
        list[Path], typer.Argument(metavar="SHIFT...", help="Ledgers of one worker at one job.", parser=place_of)
    ],
    by: Annotated[
        str,
        typer.Option(
            help="unit (about these units), shift (about the worker, if shifts differ little), free, or auto."
        ),
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
    from takt.judge.pooled import pooled
    from takt.ledger import Ledger
    from takt.show.screen import pooled_summary

    if not 0 < alpha < 1:
        raise TaktError(f"alpha is a chance of error between 0 and 1, not {alpha:g}")
    shifts = []
    for path in paths:
        with Ledger.open(path) as book:
            shifts.append(stopping_early(book.events(), book.meta))
    if stands_to is not None and not 0 <= stands_to < 1:
        raise TaktError(f"a stickiness lies between 0 and 1, not {stands_to:g}")
    found = pooled(shifts, alpha=alpha, by=by, stands_to=stands_to)
    if as_json:
        print_json({**asdict(found), "ledgers": [str(path) for path in paths]})
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
    from takt.judge.power import MOST_RATE, MOST_UNITS, least_units, units_needed
    from takt.show.screen import plan_table

    if station is not None:
        from takt.contract.station import open_station

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
    (required,) = shares_in("rate", rate, most=1)
    if required > MOST_RATE:
        asks = per_cent(MOST_RATE, exact=True)
        units = f"{least_units(MOST_RATE, alpha):,} good units in a row"
        raise TaktError(f"--rate {rate}: the most that makes sense is {asks}%, which takes {units} at least")
    rows: list[dict[str, Any]] = []
    above = [at for at in (0.95, 0.97, 0.99, 0.999, 0.9999) if at > required][:3] or [(1 + required) / 2]
    for at in above if true is None else shares_in("true", true):
        if at == required:
            raise TaktError(f"no number of units tells a true rate of {at:g} from a required one of {required:g}")
        found = {chance: units_needed(required, at, chance, alpha) for chance in shares_in("power", power)}
        needed = {chance: need and need.units for chance, need in found.items()}
        rows.append({"true": at, "decision": "accept" if at > required else "reject", "units": needed})
    least = least_units(required, alpha)
    if as_json:
        told = [{**row, "units": {f"{chance:g}": n for chance, n in row["units"].items()}} for row in rows]
        print_json({"required": required, "alpha": alpha, "takt_s": takt_s, "least_units": least, "rows": told})
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
    form: Annotated[
        str, typer.Option("--format", help="html; or for hosted CI, to stdout unless --out is given: markdown, junit.")
    ] = "html",
    unit_cases: Annotated[
        str,
        typer.Option(help="In JUnit, whether a bad unit fails: as the verdict rejects, always; or none: no units."),
    ] = "verdict",
    as_json: Json = False,
) -> None:
    """Write a shift as one HTML page that needs no network; or as a summary for hosted CI."""
    if form != "html":
        _summarised(path, form, out, unit_cases, as_json)
        return
    from takt.show.report import write_report
    from takt.show.screen import counting

    named = named_again(worker, None, option, trust)
    with quiet(as_json), counting(terminal.err(as_json), "pictures of bad units") as on_picture:
        written = write_report(
            path, out, pictures=not no_pictures, work_again=work_again, named=named, on_picture=on_picture
        )
    if as_json:
        print_json({"report": str(written)})
    else:
        print(f"report: {written}", file=aside(written))


def _summarised(path: Path, form: str, out: Path | None, unit_cases: str, as_json: bool) -> None:
    """A shift's summary, printed, or written to `out`."""
    from takt.judge.kpi_table import rows
    from takt.ledger import Ledger
    from takt.shift import Shift
    from takt.shift.account import account_of
    from takt.show.summaries import CASES, JUNIT, MARKDOWN, junit, markdown
    from takt.show.view import ShiftView
    from takt.writing import whole_file

    if form not in ("markdown", "junit"):
        raise TaktError(f"a report has no format {form!r}{meant(form, FORMS)}; there are: {', '.join(FORMS)}")
    if unit_cases not in CASES:
        raise TaktError(f"--unit-cases {unit_cases!r}{meant(unit_cases, CASES)}; there are: {', '.join(CASES)}")
    with Ledger.open(path) as book:
        shift = Shift.of(book)
    view = ShiftView.of(shift.seen, shift.now_s)
    with quiet(as_json):
        account = account_of(shift) if form == "markdown" else None
    more = [] if account is None else list(account.figures)
    text = markdown(shift, view, [*rows(view.kpis), *more]) if form == "markdown" else junit(shift, view, unit_cases)
    if out is not None:
        with whole_file(out, MARKDOWN if form == "markdown" else JUNIT, [path]) as new:
            new.write_text(text, encoding="utf-8")
        text = f"report: {out}\n"
    if as_json:
        print_json({"report": None if out is None else str(out), "text": text if out is None else None})
    else:
        print(text, end="", file=aside(out))


@app.command()
def replay(
    path: ShiftPath,
    unit: Annotated[int, typer.Option(min=0, max=MOST_UNIT, help="Which unit, counted from 0.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="The mp4 to write.", show_default="SHIFT-uN.mp4, beside it")] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.01, max=10_000, help="Times real time.", show_default="for a film of 15 s")
    ] = None,
    steps: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write pictures to step through, and curves.", show_default=False),
    ] = None,
    worker: Again = None,
    option: AgainStation = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Work a unit again, exactly as it was, and film it."""
    from takt.show.replay import replay as film
    from takt.show.screen import counting

    out = not_named(path.with_name(f"{path.stem}-u{unit}.mp4")) if out is None else out
    with quiet(as_json), counting(terminal.err(as_json), f"unit {unit}") as on_frame:
        named = named_again(worker, None, option, trust)
        made = film(path, unit, out, speed=speed, named=named, on_frame=on_frame, steps=steps)
    if as_json:
        print_json({**asdict(made), "path": str(made.path)})
    else:
        print(f"replay: {made.path} ({made.seconds:.1f} s, {made.frames} pictures)", file=aside(made.path))
    if not made.same:
        complain(
            f"warning: unit {unit} did not come out as in {path}: its worker keeps something that it does not save, "
            "or draws on more than its seed"
        )


@ledger_app.command("show")
def show(path: ShiftPath, as_json: Json = False) -> None:
    """Print what defines a shift, where and when it was worked, and how far it is."""
    from takt.ledger import Ledger

    with Ledger.open(path) as book:
        events, told = book.events(), book.meta
    told["events"] = len(events)
    told["units_ended"] = sum(event.kind in UNIT_ENDED for event in events)
    told["ended"] = end_reason(events)
    if as_json:
        print_json(told)
        return
    table = grid()
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
        print_json({"digest": found})
    else:
        print(found)


@ledger_app.command("copy")
def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="A ledger, a folder of them, or a store by its address.")
    ],
    target: Annotated[str, typer.Argument(metavar="TO", help="A new ledger, a folder, or a store.")],
    as_json: Json = False,
) -> None:
    """Copy ledgers and fleets: backup and restore, files into a database and back. Digests are checked.

    takt ledger copy shifts/ postgresql://HOST/DATABASE
    takt ledger copy postgresql://HOST/DATABASE backup/
    """
    from takt.fleet.copying import CopiedFleet
    from takt.fleet.copying import copy as copies

    for one in copies(source, target):
        if isinstance(one, CopiedFleet):
            if as_json:
                told = {"from": str(one.source), "to": str(one.target), "fleet": True, "faults": one.faults}
                print_json({**told, "changed": one.changed})
            else:
                print(f"{one.target}  fleet: plan, {one.faults} faults of machines")
                complain(f"{one.target}: {one.changed}") if one.changed else None
        elif as_json:
            print_json({"from": str(one.source), "to": str(one.target), "digest": one.digest, "new": one.new})
        else:
            print(f"{one.target}  {one.digest[:16]}  {one.events} events{'' if one.new else ', was there'}")


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
