"""The command line: parses, calls, prints. What it prints is in show/screen.py, what it does is the Python API.

Exit codes: 0 done; 1 only if `--require-accept` was given and the verdict is something else; 2 something given was
wrong, or the worker raised or broke its contract; 130 interrupted, by Ctrl-C or SIGTERM.

Results go to stdout; progress, warnings and errors (one line, "takt: ...") to stderr. With `--json`, stdout has one
JSON object and nothing else, whatever a worker prints. Heavy modules are imported by the commands that need them.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer

# `takt --help` lists their commands in this order.
# isort: off
from takt.cli import stations, shifts, look, following, board, model, proofs, comparing, fleets, data  # noqa: F401

# isort: on
from takt.cli.app import app
from takt.cli.options import Json
from takt.cli.registered import HELP, flags_as_flags, group_of
from takt.distribution import extras, version
from takt.errors import TaktError
from takt.program import WRONG, bounded, complain


def main(argv: Sequence[str] | None = None) -> int:
    """The program `takt`; returns its exit code."""
    return bounded(lambda: command(list(sys.argv[1:] if argv is None else argv)))


def command(arguments: Sequence[str]) -> int:
    """Do what a command line says; returns the exit code. Raises whatever that raises: see `program.bounded`."""
    _refuse_empty(arguments)
    program = group_of(app)
    if not arguments or not {*HELP}.isdisjoint(arguments):
        flags_as_flags(program)
    if "_TAKT_COMPLETE" in os.environ:  # a shell asks what could come next
        program.main(list(arguments), prog_name="takt")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: complain(f"warning: {_said(message)}")
        try:
            with program.make_context("takt", list(arguments) or ["--help"]) as context:
                program.invoke(context)
        except typer.Exit as done:
            return done.exit_code
        except typer.Abort:
            complain("nothing was answered, and nothing is done")
            return WRONG
        except typer.TyperException as error:
            from takt.cli.usage import wrong_usage

            complain(wrong_usage(error))
            return WRONG
    return 0


def _said(warning: object) -> str:
    """Gymnasium's warnings begin with a coloured word that says what the line says already."""
    return re.sub(r"^(\x1b\[[0-9;]*m)*WARN: ", "", str(warning))


def _refuse_empty(arguments: Sequence[str]) -> None:
    """An empty word is what a variable that is not set leaves; as a path, it would be the folder one is in."""
    for before, word in zip(("takt", *arguments), arguments, strict=False):
        if not word.strip() or re.fullmatch(r"--[\w-]+=\s*", word):
            after = word.rstrip("= ") or before
            raise TaktError(f"there is nothing after {after} but an empty word; is a variable not set?")


@app.command("version")
def version_(as_json: Json = False) -> None:
    """Print the version of Takt and of Python, the machine, and which extras are here."""
    import platform

    python, machine, here = platform.python_version(), f"{platform.system()} {platform.machine()}", extras()
    if as_json:
        from takt.cli.printing import print_json

        print_json({"takt": version(), "python": python, "machine": machine, "extras": here})
        return
    print(f"takt {version()}, Python {python}, {machine}")
    print(f"extras: {', '.join(name for name, there in here.items() if there) or 'none'}")


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
