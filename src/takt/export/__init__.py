"""Shifts for other people's tools: `takt export SHIFT --format NAME OUT`. Each format is a function here, by name.

A format is given the shift's ledger and what is to be written. What it gives back is called with options of the
format's own, writes, and says what it wrote, as JSON values, the first of them being what a person wants to read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

from takt.contract.options import wrong_option
from takt.contract.station import TaktError
from takt.ledger.trust import NOTHING, Named

Write = Callable[..., Mapping[str, Any]]  # called with the options of the format


def _lerobot(shift: Path, out: Path, named: Named) -> Write:
    from takt.export.nutcell import export_lerobot

    return partial(export_lerobot, shift, out, named=named)


def _trl(shift: Path, out: Path, named: Named) -> Write:
    from takt.export.trl import export_trl

    return partial(export_trl, [shift], out, named=named)


FORMATS: dict[str, Callable[[Path, Path, Named], Write]] = {
    "lerobot": _lerobot,  # LeRobotDataset v3.0, for robot policies; a folder of demonstrations will do, too
    "trl": _trl,  # conversations with tool calls, for language models
}


def export(shift: Path, out: Path, form: str, *, named: Named = NOTHING, **options: Any) -> Mapping[str, Any]:
    """Write the shift in this format. Raises TaktError if there is no such format, or an option is wrong.

    The units are worked again, so the shift's worker is opened, as `takt.resume_shift` would: `named` as there.
    """
    if form not in FORMATS:
        raise TaktError(f"no format is called {form!r}; there are: {', '.join(FORMATS)}")
    write = FORMATS[form](shift, out, named)
    own = signature(write)
    write.__signature__ = own.replace(parameters=[p for p in own.parameters.values() if p.name != "named"])  # type: ignore[attr-defined]
    if wrong := wrong_option(write, options):
        raise TaktError(f"format {form!r} {wrong}")
    return write(**options)
