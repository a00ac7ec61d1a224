"""The terminal, as every command writes to it: what others have written is text there, and never an order.

A ledger, a flight file or a model's answer may hold what a terminal obeys (move the cursor, recolour, make a link,
answer as if typed), and what Rich takes for markup. Styles are ours alone, as `Text` and `Style`; nothing is parsed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment

from takt.printable import printable

LEAST, USUAL = 20, 80  # columns: no line is made for fewer; where nobody knows how many there are


class PlainConsole(Console):
    """Rich's console, for text that may be a stranger's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    @property
    def size(self) -> ConsoleDimensions:
        found = super().size
        return ConsoleDimensions(max(LEAST, found.width or USUAL), found.height)

    @size.setter
    def size(self, size: tuple[int, int]) -> None:
        self._width, self._height = size

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def write_anything() -> None:
    """Standard output and error take every text: what they cannot encode is escaped, and ends no program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
