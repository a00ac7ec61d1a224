"""Shifts for other people's tools: `takt export SHIFT --format NAME OUT`.

A format is a function that an entry point of the group `takt.exports` names, a station's own or anybody's:
`write(shift, out, *, named, **options)` is given the shift's ledger, what is to be written, and what of the ledger the
user has named again. It says what it wrote, as JSON values, the first of them being what a person wants to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

from takt.contract.options import wrong_option
from takt.contract.registry import entry_points, loaded
from takt.errors import TaktError
from takt.ledger.trust import NOTHING, Named
from takt.meant import meant


def formats() -> dict[str, Any]:
    """The registered formats, by name, not yet imported."""
    return {point.name: point for point in sorted(entry_points("takt.exports"), key=lambda point: point.name)}


def export(shift: Path, out: Path, form: str, *, named: Named = NOTHING, **options: Any) -> Mapping[str, Any]:
    """Write the shift in this format. Raises TaktError if there is no such format, or an option is wrong.

    The units are worked again, so the shift's worker is opened, as `takt.resume_shift` would: `named` as there.
    """
    known = formats()
    if form not in known:
        raise TaktError(f"no format is called {form!r}{meant(form, known)}; there are: {', '.join(known)}")
    write = partial(loaded(known[form]), shift, out, named=named)
    own = signature(write)
    options_only = own.replace(parameters=[p for p in own.parameters.values() if p.name != "named"])
    write.__signature__ = options_only  # type: ignore[attr-defined]
    if wrong := wrong_option(write, options):
        raise TaktError(f"format {form!r} {wrong}")
    told: Mapping[str, Any] = write(**options)
    return told
