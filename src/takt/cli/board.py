"""takt board: ledgers in a browser, live; or written as static pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from takt.cli.app import app
from takt.errors import TaktError
from takt.meant import near_file
from takt.program import complain

PORT = 8700


@app.command()
def board(
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SHIFT|FOLDER...]",
            help="Ledgers, folders of ledgers, or postgresql://HOST/DATABASE.",
            show_default="shifts",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen; other machines reach 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = PORT,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Another name by which browsers call it.")
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let everybody on this machine in; on the loopback only.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write static pages there instead of serving.", show_default=False),
    ] = None,
) -> None:
    """Show shifts in a browser while they run and after: the wall, every unit, all shifts of a folder. It only reads.

    takt board shifts
    """
    from takt.distribution import install
    from takt.ledger.store import place_of

    given = [place_of(place) for place in places or ["shifts"]]
    missing = next((place for place in given if not place.exists()), None)
    if missing is not None:
        near = near_file(missing) if isinstance(missing, Path) else ""
        raise TaktError(f"there is no {missing}{near}; give a ledger or a folder of ledgers")
    if export is not None:
        from takt.board.exported import export_pages

        print(f"board: {export_pages(given, export)}")
        return
    try:
        from takt.board.server import Server
    except ModuleNotFoundError as error:
        raise TaktError(f"the board needs the extra `board`: {install('board')}") from error
    from takt.listening import check_host, is_loopback, token_of

    names = tuple(allow_host or ())
    check_host(host, names)
    if no_token and not is_loopback(host):
        raise TaktError(f"other machines can reach {host}; leave --no-token out")
    token = "" if no_token else token_of(os.environ, lambda said: None)
    with Server(given, host, port, token, names) as server:
        print(f"board: {server.url}{f'?token={token}' if token else ''}", flush=True)
        complain("Ctrl-C ends the board, and no shift")
        server.wait()
