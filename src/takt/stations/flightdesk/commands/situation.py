"""takt flightdesk situation: flights, overflights and fares, as they are."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Annotated

import typer

from takt.errors import TaktError
from takt.show import terminal
from takt.stations.flightdesk.commands.app import Json, app


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
    from takt.stations.flightdesk.situation.files import in_our_words

    if overflights and fares:
        raise TaktError("--overflights and --fares are two boards; give one of them")
    if not overflights:
        board.refuse("flights and fares", {"--weeks": weeks, "--skip": skip})
    if not fares:
        board.refuse("flights and overflights", {"--route": route, "--by-flight": by_flight})
    asked = board.Asked(paths, day, since, until, columns, dates, out)
    with in_our_words(paths):
        if overflights:
            board.refuse("--overflights", {"--columns": columns})
            told = board.tell_overflights(asked, weeks, skip)
        elif fares:
            told = board.tell_fares(asked, route, by_flight)
        else:
            told = board.tell_flights(asked)
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
