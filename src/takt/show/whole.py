"""A table whose figures are never cut: where a terminal has no room for it, a paragraph for each row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

LEAST = 12  # columns that a text has that may be broken, or what its longest word takes


@dataclass(frozen=True, slots=True)
class Whole:
    """A table of texts. Columns that may be broken give way first; if that is not enough, every row is a paragraph."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._least() <= min(options.max_width, self.table.width or options.max_width):
            yield self.table
        else:
            yield from self._paragraphs()

    def _least(self) -> int:
        """Columns of a terminal that it takes."""
        around = self.table.padding[1] + self.table.padding[3] + (self.table.box is not None)
        wide = 0
        for column in self.table.columns:
            texts = [_text(column.header), *map(_text, column.cells)]
            parts = texts if column.no_wrap else [word for text in texts for word in text.split()]
            longest = max(map(len, parts), default=0)
            wide += (longest if column.no_wrap else min(longest, LEAST)) + around
        return wide

    def _paragraphs(self) -> Iterator[Text]:
        heads = [_text(column.header) if self.table.show_header else "" for column in self.table.columns]
        for cells in zip(*(map(_text, column.cells) for column in self.table.columns), strict=True):
            first, *rest = zip(heads, cells, strict=True)
            yield Text(first[1], "bold", overflow="fold")
            told = [f"{head}: {cell}" if head else cell for head, cell in rest if cell]
            yield Text("  " + "; ".join(told), overflow="fold")


def _text(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else cell if isinstance(cell, str) else ""
