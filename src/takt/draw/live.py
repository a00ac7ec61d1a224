"""What goes on, as it goes on: drawn in place on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console, RenderableType
from rich.live import Live as InPlace

DRAW_S, LINE_S = 0.25, 10.0  # wall time between two drawings, and between two lines


class Live:
    """Call `show` as often as there is news; it draws or prints only when that is due; nothing if it is `quiet`.

    Nobody who can read it, on a disk that is full or a pipe that is closed, is no end of what is shown.
    """

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        can_draw = console.is_terminal and not quiet
        self._in_place = InPlace(console=console, auto_refresh=False, transient=True) if can_draw else None
        self._shown_s = -math.inf

    def __enter__(self) -> Live:
        if self._in_place:
            with suppress(OSError):
                self._in_place.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._in_place:
            with suppress(OSError):
                self._in_place.stop()

    @property
    def drawn(self) -> bool:
        """Whether it is drawn in place."""
        return self._in_place is not None

    def show(self, drawing: Callable[[], RenderableType], line: Callable[[], str], due: bool | None = None) -> None:
        """Draw, or print the line. `due` says whether a line is; None: when the last one is LINE_S ago."""
        if self._quiet:
            return
        now = time.monotonic()
        with suppress(OSError):
            if self._in_place:
                if now - self._shown_s >= DRAW_S:
                    self._shown_s = now
                    self._in_place.update(drawing(), refresh=True)
            elif now - self._shown_s >= LINE_S if due is None else due:
                self._shown_s = now
                self._console.print(line(), soft_wrap=True, highlight=False, markup=False)
