"""takt export: what becomes of shifts elsewhere. Stations bring their formats (entry points `takt.exports`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from takt.cli.app import app
from takt.cli.options import Again, Json, ShiftPath, Trust, named_again, options_in
from takt.cli.printing import aside, print_json, quiet
from takt.writing import one_out


@app.command("export")
def export_shift(
    path: ShiftPath,
    form: Annotated[str, typer.Option("--format", help="What `takt.exports` has: lerobot, trl.", show_default=False)],
    place: Annotated[Path | None, typer.Argument(metavar="[OUT]", help="Short for --out.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="What to write.", show_default=False)] = None,
    option: Annotated[
        list[str] | None, typer.Option("--format-option", "-x", help="KEY=VALUE for the format; JSON, otherwise text.")
    ] = None,
    corrected_by: Annotated[
        str,
        typer.Option(help="trl: a model's bad units, put right by this worker of the station.", show_default="nobody"),
    ] = "",
    worker: Again = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a shift in another format.

    takt export SHIFT --format lerobot FOLDER

    takt export SHIFT --format trl OUT.jsonl

    takt export SHIFT --format trl --corrected-by greedy LESSONS.jsonl
    """
    from takt.export import export

    given = options_in("format-option", option)
    if corrected_by:
        given["corrected_by"] = corrected_by
    to = one_out(place, out)
    with quiet(as_json):
        told = export(
            path,
            to,
            form,
            named=named_again(worker, None, None, trust),
            **given,
        )
    if as_json:
        print_json(dict(told))
    else:
        print(", ".join(f"{key}: {value}" for key, value in told.items()), file=aside(to))
