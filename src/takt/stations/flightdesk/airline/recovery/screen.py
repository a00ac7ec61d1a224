"""What a recovery looks like on a terminal while it runs; in a log, a line for every fifth of a minute or so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from takt.stations.flightdesk.airline.recovery.recover import Found

COMPILING = ", compiling meanwhile"
LINE_S = 10.0  # seconds between two lines, where the display cannot be drawn in place


@contextmanager
def searching(
    console: Console, seconds: float | None, iterations: int | None, quiet: bool
) -> Iterator[Callable[[Found], None]]:
    """Show what is found. `seconds` or `iterations` is how long the search goes on."""
    if quiet:
        yield lambda _found: None
        return
    until = f"{seconds:g} s" if seconds is not None else f"{iterations} iterations"
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield lambda found: live.update(_table(found, until))
        return
    lines = _Lines(console, until)
    yield lines


class _Lines:
    """A line for the first plan, and then one every LINE_S."""

    def __init__(self, console: Console, until: str) -> None:
        self.console, self.until, self.next = console, until, 0.0

    def __call__(self, found: Found) -> None:
        if found.seconds >= self.next:
            self.next = found.seconds + LINE_S
            self.console.print(
                f"{found.seconds:7.1f} s of {self.until}  {found.cost.total:>16,.2f} EUR  {found.tried} moves"
                + COMPILING * (found.compiling_s is None),
                highlight=False,
                soft_wrap=True,
            )


def _table(found: Found, until: str) -> Table:
    table = Table(title=f"{found.seconds:.1f} s of {until}", title_justify="left", show_header=False, box=None)
    table.add_column()
    table.add_column(justify="right")
    for name, value in found.cost.parts().items():
        table.add_row(name.replace("_", " "), f"{value:,.2f}")
    table.add_section()
    table.add_row("best so far", f"{found.cost.total:,.2f} EUR", style="bold")
    table.add_row("iterations", str(found.iterations))
    table.add_row("moves tried, kept", f"{found.tried}, {found.kept}" + COMPILING * (found.compiling_s is None))
    return table
