"""Takt: Run@Rate for AI workers. A whole shift, at the line's beat, nothing reset and nobody helping; then count.

from takt import run_shift, kpis, verdict
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium

from takt.compare import compare  # here, not lazily, as `verdict` below
from takt.events import Event
from takt.ledger import Ledger
from takt.shift import Progress, Shift, repeat_shift, resume_shift, run_shift, steps_of_unit
from takt.station import (
    Acceptance,
    Account,
    Fault,
    FaultKind,
    Figure,
    Section,
    Station,
    StationSpec,
    TaktError,
    open_station,
    stations,
)
from takt.verdict import verdict  # here, not lazily: later, importing the module would put it in the function's place
from takt.worker import Finished, Gone, Plan, Recording, Resumable, Worker, open_worker, workers

if TYPE_CHECKING:
    from takt.kpi import kpis

__all__ = [
    "Acceptance",
    "Account",
    "Event",
    "Fault",
    "FaultKind",
    "Figure",
    "Finished",
    "Gone",
    "Ledger",
    "Plan",
    "Progress",
    "Recording",
    "Resumable",
    "Section",
    "Shift",
    "Station",
    "StationSpec",
    "TaktError",
    "Worker",
    "compare",
    "kpis",
    "open_station",
    "open_worker",
    "repeat_shift",
    "resume_shift",
    "run_shift",
    "stations",
    "steps_of_unit",
    "verdict",
    "workers",
]

gymnasium.register(id="takt/NutCell-v0", entry_point="takt.stations.nutcell:NutCell", order_enforce=False)


def __getattr__(name: str) -> Any:
    if name == "kpis":  # takes a second to import (scipy.stats), which a shift need not wait for
        from takt.kpi import kpis

        return kpis
    raise AttributeError(f"module 'takt' has no attribute {name!r}")
