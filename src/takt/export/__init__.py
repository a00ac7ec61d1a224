"""Shifts for other people's tools: `takt export SHIFT --format NAME OUT`. Each format is a function here, by name.

A format is called with the shift's ledger, what is to be written, and options of its own; it says what it wrote, as
JSON values, the first of them being what a person wants to read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from takt.station import TaktError


def _lerobot(shift: Path, out: Path, **options: Any) -> Mapping[str, Any]:
    from takt.export.nutcell import export_lerobot

    return export_lerobot(shift, out, **options)


def _trl(shift: Path, out: Path, **options: Any) -> Mapping[str, Any]:
    from takt.export.trl import export_trl

    return export_trl([shift], out, **options)


FORMATS: dict[str, Callable[..., Mapping[str, Any]]] = {
    "lerobot": _lerobot,  # LeRobotDataset v3.0, for robot policies; a folder of demonstrations will do, too
    "trl": _trl,  # conversations with tool calls, for language models
}


def export(shift: Path, out: Path, form: str, **options: Any) -> Mapping[str, Any]:
    """Write the shift in this format. Raises TaktError if there is no such format or option."""
    if form not in FORMATS:
        raise TaktError(f"no format is called {form!r}; there are: {', '.join(FORMATS)}")
    try:
        return FORMATS[form](shift, out, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise TaktError(f"format {form!r} has no option {str(error).split(chr(39))[1]!r}") from error
