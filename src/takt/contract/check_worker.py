"""Does a worker keep its contract at a station? Three shifts of a few units, and what came of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from takt.contract.check import Finding
from takt.contract.events import UNIT_ENDED, Event
from takt.contract.looking import SEED, Broken, need
from takt.contract.station import TaktError
from takt.ledger.trust import Named
from takt.shift import Shift, resume_shift, run_shift

NOT_INTERRUPTED = "not looked at: the shift was over when its first unit was; give more --units"
CLOCK = "fixed:0.08"  # thinking that costs always the same: only then can two shifts be the same


def check_worker(
    station: str, worker: str, units: int, station_options: Mapping[str, Any], worker_options: Mapping[str, Any]
) -> Iterator[Finding]:
    """Look at every rule, in order. Both are opened by name; the first rule that is not kept is the last one."""
    given: dict[str, Any] = {"seed": SEED, "units": units, "clock": CLOCK}
    given |= {"station_options": station_options, "worker_options": worker_options}
    with tempfile.TemporaryDirectory() as folder:
        shifts: list[Shift] = []
        for name, rule in WORKER_RULES.items():
            try:
                says = rule(station, worker, given, Path(folder), shifts)
                yield Finding(name, None if says is None else True, says or NOT_INTERRUPTED)
            except (Broken, TaktError) as broken:
                yield Finding(name, False, str(broken))
                return


def _it_works(station: str, worker: str, given: dict[str, Any], folder: Path, shifts: list[Shift]) -> str:
    shift = run_shift(station, worker, **given)
    need(not shift.broken, f"it broke its contract: {shift.broken[0] if shift.broken else ''}")
    shifts.append(shift)
    return f"{given['units']} units, ended by {shift.ended}"


def _the_same_seed(station: str, worker: str, given: dict[str, Any], folder: Path, shifts: list[Shift]) -> str:
    again = run_shift(station, worker, **given)
    need(
        again.digest == shifts[0].digest,
        "two shifts of one seed differ: it draws on something else than the seed it is given, as the hour or global "
        "random state",
    )
    return f"digest {again.digest[:12]} twice"


def _it_goes_on(station: str, worker: str, given: dict[str, Any], folder: Path, shifts: list[Shift]) -> str | None:
    path, units = folder / "interrupted.takt", 0

    def leave(events: Sequence[Event]) -> bool:
        nonlocal units
        units += sum(event.kind in UNIT_ENDED for event in events)
        return units > 0

    if run_shift(station, worker, ledger=path, leave=leave, **given).ended:
        return None
    named = Named(worker if ":" in worker else None, given["worker_options"], given["station_options"], True)
    again = resume_shift(path, named=named)
    need(
        again.digest == shifts[0].digest,
        f"interrupted after {units} units and resumed it works another shift: give it `save` and `load`, with "
        "all that it remembers",
    )
    return f"interrupted after {units} of {given['units']} units"


WORKER_RULES: dict[str, Callable[[str, str, dict[str, Any], Path, list[Shift]], str | None]] = {
    rule.__name__.lstrip("_").replace("_", " "): rule for rule in (_it_works, _the_same_seed, _it_goes_on)
}
