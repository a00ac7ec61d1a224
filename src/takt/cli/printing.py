"""What commands print, where it is no more than a list or a line. Figures and verdicts: show/screen.py."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from takt.show import terminal
from takt.writing import own_stream

if TYPE_CHECKING:
    from rich.table import Table


def aside(out: os.PathLike[str] | None) -> TextIO:
    """Where a word about what was written goes: stdout, unless that is where it was written."""
    return sys.stderr if out is not None and own_stream(Path(out)) is sys.stdout else sys.stdout


def print_names(what: str, about: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json({what: [{"name": name, "about": text} for name, text in about.items()]})
        return
    table = grid("bold")
    for name, text in about.items():
        table.add_row(name, text)
    terminal.out().print(table, highlight=False, markup=False)


def grid(style: str = "dim") -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def end_reason(found: Sequence[Any]) -> str:
    from takt.contract.events import SHIFT_ENDED

    return str(found[-1].data["reason"]) if found and found[-1].kind == SHIFT_ENDED else ""


@contextmanager
def quiet(as_json: bool) -> Iterator[None]:
    """What a worker or a station prints is not for stdout if that is to hold JSON: by Python, by C, or by a process."""
    if not as_json:
        yield
        return
    sys.stdout.flush()
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # there is no stderr to send it to
        kept = -1
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stderr.flush()
        if kept >= 0:
            os.dup2(kept, 1)
            os.close(kept)


def plain_json(value: Any) -> Any:
    """What a database answers as JSON values: NaN and infinity, which JSON has not, are null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return plain_json(float(value))
    if isinstance(value, dict):
        return {str(key): plain_json(one) for key, one in value.items()}
    return [plain_json(one) for one in value] if isinstance(value, (list, tuple)) else value


def print_json(value: Any) -> None:
    print(json.dumps(value, allow_nan=False, default=str))
