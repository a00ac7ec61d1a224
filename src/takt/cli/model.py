"""takt check-model: will this model, on this server, work a shift?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    from takt.workers.llm.question import Checked

MARKS = {"good": ("ok", "green"), "bad": ("no", "bold red"), "note": ("note", "yellow")}


@app.command("check-model")
def check_model(
    worker_option: Annotated[
        list[str] | None,
        typer.Option("--worker-option", "-w", help="As for the worker `llm`: model, profile, base_url, calls, ..."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a model's server what a shift would find out too late: do tools reach the model, does a call come back?

    takt check-model -w base_url=http://localhost:8080/v1

    takt check-model -w profile=vllm -w model=Qwen/Qwen3.5-4B --json

    Exit code 0 if a shift can be begun, 1 if the server answers and a shift would come to nothing, 2 if no answer can
    be had: nothing listens, nothing comes in time, or what comes is none (a web page, an error, a redirect).
    """
    from takt.workers.llm.check import check
    from takt.workers.llm.options import Options
    from takt.workers.llm.several import endpoint_of

    given = options_in("worker-option", worker_option)
    odd = [name for name in given if name not in Options.__dataclass_fields__]
    if odd:
        raise TaktError(f"worker 'llm' {no_option(odd[0], Options.__dataclass_fields__)}")
    options = Options(**{"model": "not named yet", **_room(given), **given})
    endpoint = endpoint_of(options)
    if endpoint.refusal is not None:
        raise endpoint.refusal
    with quiet(as_json), _told_what(endpoint, as_json) as tell:
        found = check(endpoint, options, given, tell)
    unserved = found.unserved
    if unserved is not None and unserved.values["kind"] == "connection":
        raise TaktError(f"{unserved.told}; {unserved.advice}")
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)
    if unserved is not None or found.died:
        complain(found.died or f"{unserved.told}; {unserved.advice}")  # type: ignore[union-attr]
        raise typer.Exit(2)
    if not found.fit:
        raise typer.Exit(1)


def _room(given: dict[str, Any]) -> dict[str, Any]:
    """An answer's length that any context has room for, where none is given."""
    wanted = given.get("context_tokens")
    short = isinstance(wanted, int) and 1024 <= wanted < 8192 and "max_tokens" not in given
    return {"max_tokens": wanted // 4} if short else {}  # type: ignore[operator]


@contextmanager
def _told_what(endpoint: Any, as_json: bool) -> Iterator[Callable[[str], None]]:
    """On a terminal, what is being asked, for a slow server has minutes of it; gone when all is known."""
    console = terminal.err(as_json)
    if as_json or not console.is_terminal:
        yield lambda about: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"asking {endpoint.shown_url}")
        yield lambda about: progress.update(task, description=f"asking {endpoint.shown_url}: {about}")


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
    words = " ".join(f"-w {shlex.quote(f'{key}={_word(value)}')}" for key, value in found.set.items())
    answers = found.unserved is None and not found.died
    if answers and not found.fit:
        table.add_row("set", "", Text(words if "model" in found.set else f"{words} -w model=NAME"))
    console = terminal.out()
    console.print(table)
    if not answers:
        return
    if found.fit:
        last = f"A shift can be begun: takt run STATION --worker llm {words}"
    else:
        bad = next(finding for finding in found.findings if finding.state == "bad")
        last = f"A shift would come to nothing ({bad.what}): {bad.advice}"
    console.print(Text(f"\n{last}"), soft_wrap=True)


def _word(value: Any) -> str:
    """A value as an option of the command line has it: JSON, unless it is a text that is none."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)
