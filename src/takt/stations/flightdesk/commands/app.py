"""The commands of `takt flightdesk`, to which each module here adds its own, and what several of them are given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MOST_S = 31_536_000  # a year
app = typer.Typer(help="Airline disruption: re-plan aircraft and passengers together (ROADEF 2009 format).")
InstancePath = Annotated[
    Path, typer.Argument(metavar="INSTANCE", help="A folder with config.csv and the others.", show_default=False)
]
Place = Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="Short for --out.", show_default=False)]
Out = Annotated[Path | None, typer.Option(help="The folder to write into.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines.")]
