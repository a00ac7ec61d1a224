"""How far the training is: a bar where one can be drawn, else a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from takt.draw.live import Live


@contextmanager
def shown(console: Console) -> Iterator[Callable[[str, int, int, str], None]]:
    """Yields what is called with a stage, how much of it is done, of how much, and figures in words."""
    if not console.is_terminal:
        live = Live(console)

        def line(stage: str, done: int, of: int, figures: str) -> None:
            text = f"{stage} {done}/{of} {figures}"
            live.show(lambda: text, lambda: text, True if done == of else None)

        yield line
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[figures]}"), console=console) as bars:
        tasks: dict[str, int] = {}

        def bar(stage: str, done: int, of: int, figures: str) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=of, figures="")
            bars.update(tasks[stage], completed=done, total=of, figures=figures)  # type: ignore[arg-type]

        yield bar
