"""What a recovery looks like on a terminal while it runs; in a log, a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from takt.draw.live import Live
from takt.stations.flightdesk.airline.cost import weighted
from takt.stations.flightdesk.airline.recovery.recover import Found

COMPILING = ", compiling meanwhile"


@contextmanager
def searching(
    console: Console, seconds: float | None, iterations: int | None, quiet: bool
) -> Iterator[Callable[[Found], None]]:
    """Show what is found. `seconds` or `iterations` is how long the search goes on."""
    until = f"{seconds:g} s" if seconds is not None else f"{iterations} iterations"
    with Live(console, quiet) as live:
        yield lambda found: live.show(lambda: _table(found, until), lambda: _line(found, until))


def _line(found: Found, until: str) -> str:
    cost = f"{found.cost.total:>16,.2f} EUR  {found.tried} moves"
    return f"{found.seconds:7.1f} s of {until}  {cost}" + COMPILING * (found.compiling_s is None)


def _table(found: Found, until: str) -> Table:
    table = Table(title=f"{found.seconds:.1f} s of {until}", title_justify="left", show_header=False, box=None)
    table.add_column()
    table.add_column(justify="right")
    for name, value in weighted(found.cost.parts(), found.cost.weights).items():
        table.add_row(name.replace("_", " "), f"{value:,.2f}")
    table.add_section()
    table.add_row("best so far", f"{found.cost.total:,.2f} EUR", style="bold")
    table.add_row("iterations", str(found.iterations))
    table.add_row("moves tried, kept", f"{found.tried}, {found.kept}" + COMPILING * (found.compiling_s is None))
    return table
