"""Templates of pages that look alike: a shift's report, a comparison, a recovery plan's, a situation board's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from takt.contract.figure import asked_in_percent, counted, per_cent
from takt.draw.words import hms, short
from takt.printable import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def templates(*folders: Path) -> Environment:
    """Templates of a page that looks like this one, from these folders and from this one's (`style.css`, `plot`)."""
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader([*folders, Path(__file__).parent])
    environment = Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters |= {
        "asked_in_percent": asked_in_percent,
        "counted": counted,
        "hms": hms,
        "per_cent": per_cent,
        "plain": lambda text: str(text).replace("_", " "),
        "short": short,
    }
    return environment
