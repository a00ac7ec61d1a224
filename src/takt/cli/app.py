"""The program's commands, to which each module here adds its own."""

from __future__ import annotations

import typer

from takt.cli.registered import HELP, Commands, Trainers

app = typer.Typer(
    cls=Commands,
    help="Run@Rate for AI workers: a whole shift, at the line's beat, nothing reset and nobody helping; then count.",
    epilog="Exit codes: 0 done, whatever the verdict (1 with --require-accept if it is not accept); 2 something given "
    "was wrong, or the worker raised or broke its contract; 130 interrupted.",
    context_settings={"help_option_names": HELP},
)
ledger_app = typer.Typer(help="Look into a shift's ledger.")
train_app = typer.Typer(cls=Trainers, help="Train a station's worker (extra `train`).")
app.add_typer(ledger_app, name="ledger")
app.add_typer(train_app, name="train")
