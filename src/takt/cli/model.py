"""takt check-model: will this model, on this server, work a shift?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from takt.cli.app import app
from takt.cli.options import Json, options_in
from takt.cli.printing import print_json, quiet
from takt.contract.options import no_option
from takt.errors import TaktError
from takt.program import complain
from takt.show import terminal

if TYPE_CHECKING:
    from takt.workers.llm.check import Checked

MARKS = {"good": ("ok", "green"), "bad": ("no", "bold red"), "note": ("note", "yellow")}
TAKEN = ("model", "profile", "base_url", "key_env", "extra_body", "timeout_s", "context_tokens")


@app.command("check-model")
def check_model(
    worker_option: Annotated[
        list[str] | None,
        typer.Option("--worker-option", "-w", help="As for the worker `llm`: model, profile, base_url, key_env, ..."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a model's server what a shift would find out too late: do tools reach the model, does a call come back?

    takt check-model -w base_url=http://localhost:8080/v1

    takt check-model -w profile=vllm -w model=Qwen/Qwen3.5-4B --json

    Exit code 0 if a shift can be begun, 1 if it would come to nothing, 2 if no server answers.
    """
    from takt.workers.llm.check import check
    from takt.workers.llm.options import Options
    from takt.workers.llm.several import endpoint_of

    given = options_in("worker-option", worker_option)
    odd = [name for name in given if name not in Options.__dataclass_fields__]
    if odd:
        raise TaktError(f"worker 'llm' {no_option(odd[0], Options.__dataclass_fields__)}")
    known = {name: value for name, value in given.items() if name in TAKEN}
    options = Options(**{"model": "not named yet", **known, **_room(known)})
    endpoint = endpoint_of(options)
    if endpoint.refusal is not None:
        raise endpoint.refusal
    with quiet(as_json):
        found = check(
            endpoint,
            str(known.get("profile", "")),
            str(known.get("model", "")),
            known.get("context_tokens"),
            options.extra_body,
        )
    down = next((f for f in found.findings if f.what == "model" and f.values.get("kind") == "connection"), None)
    if down is not None:
        raise TaktError(f"{down.told}; start it, or say where it is with -w base_url=URL")
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)
    if found.died:
        complain(found.died)
        raise typer.Exit(2)
    if not found.fit:
        raise typer.Exit(1)


def _room(known: dict[str, Any]) -> dict[str, Any]:
    """An answer's length that any context has room for."""
    wanted = known.get("context_tokens")
    return {"max_tokens": max(16, wanted // 2)} if isinstance(wanted, int) and wanted < 8192 else {}


def _print(found: Checked) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for at in range(3):
        table.add_column(overflow="fold", no_wrap=at < 2)
    for finding in found.findings:
        told = Text(finding.told)
        if finding.advice:
            told.append(f"\n-> {finding.advice}", style="bold" if finding.state == "bad" else "dim")
        word, style = MARKS[finding.state]
        table.add_row(finding.what, Text(word, style=style), told)
    console = terminal.out()
    console.print(table)
    words = " ".join(f"-w {key}={shlex.quote(str(value))}" for key, value in found.set.items())
    if found.fit:
        last = f"A shift can be begun: takt run STATION --worker llm {words}"
    else:
        bad = next((finding for finding in found.findings if finding.state == "bad"), None)
        last = "" if bad is None else f"A shift would come to nothing ({bad.what}): {bad.advice}"
    if last:
        console.print(Text(f"\n{last}"), soft_wrap=True)
