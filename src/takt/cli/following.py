"""takt ls, watch, transcript, units: commands that follow shifts and look into their units."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from takt.cli.app import app
from takt.cli.options import LEAST_S, MOST_UNIT, Again, Json, ShiftPath, Trust, named_again
from takt.cli.printing import aside, print_json, quiet
from takt.cli.working import conclude_shift, left_by_signal
from takt.contract.events import UNIT_ENDED, stopping_early
from takt.contract.figure import counted
from takt.errors import TaktError
from takt.ledger.store import place_of
from takt.meant import meant
from takt.program import complain
from takt.show import terminal
from takt.writing import not_named

LOOK_S = 0.5  # wall time between two looks at a running shift


@app.command("ls")
def list_shifts(
    places: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER...]",
            help="Folders of ledgers, ledgers, or stores by their address.",
            show_default="shifts",
            parser=place_of,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the shifts of a folder: worker, station, state, good rate with its bound, verdict, cost, age.

    takt ls shifts
    """
    from takt.show.listing import ledgers_in, row_of
    from takt.show.printed import rows_table

    rows = [row_of(path) for path in ledgers_in(places or [Path("shifts")])]
    if as_json:
        print_json({"shifts": [{**asdict(row), "age_s": row.age_s()} for row in rows]})
        return
    if not rows:
        print("there is no ledger here; `takt run` makes one")
        return
    console = terminal.out()
    console.print(rows_table(rows, console.width), highlight=False, markup=False)


@app.command()
def watch(
    path: ShiftPath,
    every: Annotated[float, typer.Option(min=LEAST_S, max=3600, help="Seconds between two looks.")] = LOOK_S,
) -> None:
    """Follow a shift that another process works, until it ends; then print what came out. It only reads."""
    from takt.contract.events import UNIT_GOOD
    from takt.ledger import Cursor, Ledger
    from takt.shift import Progress, Shift
    from takt.show.listing import being_written
    from takt.show.watch import Onlooker, Watch

    cursor, units, good, last_s = Cursor(), 0, 0, 0.0
    onlooker, noted_at_s = Onlooker(), 0.0
    with left_by_signal(lambda: f"left; the shift goes on. `takt watch {path}` looks again"):
        with Watch(terminal.err()) as show:
            while True:
                writing = being_written(path)  # asked first: who ends in between has written all by then
                with Ledger.open(path) as book:
                    over, wall_s = book.finished, float(book.meta.get("wall_s", 0.0))
                    ends = bool(book.meta.get("stop_early")), book.meta.get("finite") or False
                    news, now_s = book.follow(cursor), book.running().now_s or 0.0
                    if news.first < cursor.seen:  # gone on with: the unit that was under way is worked again
                        news, units, good, last_s, noted_at_s = book.follow(), 0, 0, 0.0, 0.0
                new, cursor = news.events, news.cursor
                final = new[: max(0, cursor.final - news.first)]
                noted_at_s = max([noted_at_s, *(event.t_s for event in final)])
                units += sum(event.kind in UNIT_ENDED for event in new)
                good += sum(event.kind == UNIT_GOOD for event in new)
                last_s = max([last_s, now_s, *(event.t_s for event in new)])
                if cursor.seen:
                    at_work_s = onlooker.wall_s(wall_s, noted_at_s, last_s, time.monotonic())
                    show(Progress(last_s, at_work_s, units, good, new, *ends))
                if over or not writing:
                    break
                time.sleep(every)
        if not over:
            complain(f"no process is working on {path}, and it has not ended; `takt resume {path}` goes on with it")
    with Ledger.open(path) as book:
        shift = Shift.of(book)
    conclude_shift(shift, False, False)


@app.command()
def transcript(
    path: ShiftPath,
    unit: Annotated[int | None, typer.Option(min=0, max=MOST_UNIT, help="Only this unit.")] = None,
    bad: Annotated[bool, typer.Option("--bad", help="Only the units that were bad.")] = False,
    reason: Annotated[str | None, typer.Option("--class", help="Only the units that were bad for this reason.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Texts at their full length.")] = False,
    work_again: Annotated[
        bool,
        typer.Option("--work-again", help="Have the worker do the units once more, for calls it did not record."),
    ] = False,
    worker: Again = None,
    trust: Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, one of the transcript on each.")] = False,
) -> None:
    """Print what a worker was told, said and did, and what the station answered.

    takt transcript SHIFT --class rule_broken
    """
    from takt.ledger import Ledger, canonical
    from takt.show.printed import transcript_lines, unit_heading
    from takt.show.transcript import chosen_units, is_unanswered, of_unit, unfinished
    from takt.show.transcript import transcript as lines_of
    from takt.show.worked import calls_of_unit

    with Ledger.open(path) as book:
        events, station = stopping_early(book.follow().events, book.meta), str(book.meta["station"])
        journal = book.journal()
    lines = [*lines_of(events), *unfinished(journal, events)]
    which, late = chosen_units(events, bad, reason)
    chosen = [unit] if unit is not None else which if bad or reason is not None else None
    if unit is not None and not any(event.unit == unit for event in events):
        raise TaktError(f"there is no unit {unit} in {path}")
    if work_again and chosen is None:
        raise TaktError("--work-again is of single units: give --unit N, --bad or --class C as well")
    if chosen is not None and unit is None and late:
        of = f"{', '.join(map(str, late[:10]))}{' ...' if len(late) > 10 else ''}"
        complain(f"{counted(len(late))} more that the end of the shift cuts off, not judged: {of} (--unit N shows one)")
    if chosen == []:
        known = sorted({str(one) for event in events for one in event.data.get("reasons") or ()})
        print(f"no unit was bad{'' if reason is None else f' for the reason {reason!r}{meant(reason, known)}'}")
        return
    parts = [(None, lines)] if chosen is None else [(number, of_unit(lines, events, number)) for number in chosen]
    if not work_again and is_unanswered(line for _, part in parts for line in part):
        complain("what the station answered is not recorded with these calls; with --unit N, --work-again shows it")
    if work_again:
        named = named_again(worker, None, None, trust)
        with quiet(as_json):
            parts = [(number, calls_of_unit(path, number, part, named)) for number, part in parts if number is not None]
    console = terminal.out()
    for number, part in parts:
        if as_json:
            for line in part:
                print(canonical(asdict(line)))
            continue
        if number is not None:
            console.print(unit_heading(station, events, number), highlight=False, markup=False)
        for text in transcript_lines(part, whole, station):
            console.print(text, highlight=False, markup=False, soft_wrap=True)


@app.command("units")
def list_units(
    path: ShiftPath,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV; to stdout, unless --out is given.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="As a Parquet file (extra `export`).")] = False,
    out: Annotated[
        Path | None, typer.Option(help="The file to write.", show_default="SHIFT-units.parquet, beside it")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, one unit on each.")] = False,
) -> None:
    """Write a shift's units as a table: due, ended, outcome, cycle, reasons, thinking, and what was measured.

    takt units SHIFT --csv > units.csv
    """
    from takt.ledger import Ledger, canonical
    from takt.show.units import as_csv as in_csv
    from takt.show.units import unit_records, write_csv, write_parquet

    if as_csv + parquet + as_json > 1:
        raise TaktError("give one of --csv, --parquet and --json")
    with Ledger.open(path) as book:
        records = unit_records(stopping_early(book.follow().events, book.meta))
    if parquet:
        out = not_named(path.with_name(f"{path.stem}-units.parquet")) if out is None else out
        write_parquet(records, out, [path])
        print(f"units: {out}", file=aside(out))
    elif as_json:
        for record in records:
            print(canonical(record))
    elif out is not None:
        write_csv(records, out, [path])
        print(f"units: {out}", file=aside(out))
    else:
        print(in_csv(records), end="")
