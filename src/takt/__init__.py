"""Takt: Run@Rate for AI workers. A whole shift, at the line's beat, nothing reset and nobody helping; then count.

from takt import run_shift, kpis, verdict

Nothing is imported before it is asked for: the program answers at once, and scipy is for those who judge.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from takt import gymnasium_ids as gymnasium_ids

if TYPE_CHECKING:
    from takt.contract.events import Event
    from takt.contract.faults import Active
    from takt.contract.station import (
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
    from takt.contract.worker import Finished, Gone, Plan, Recording, Resumable, Worker, open_worker, workers
    from takt.judge.compare import compare
    from takt.judge.kpi import kpis
    from takt.judge.verdict import verdict
    from takt.ledger import Ledger
    from takt.ledger.pack import pack, unpack
    from takt.shift import Progress, Shift, repeat_shift, resume_shift, run_shift, steps_of_unit

__all__ = [
    "Acceptance",
    "Account",
    "Active",
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
    "pack",
    "repeat_shift",
    "resume_shift",
    "run_shift",
    "stations",
    "steps_of_unit",
    "unpack",
    "verdict",
    "workers",
]

_OF = {
    "contract.events": "Event",
    "contract.faults": "Active",
    "contract.station": "Acceptance Account Fault FaultKind Figure Section Station StationSpec open_station stations",
    "contract.worker": "Finished Gone Plan Recording Resumable Worker open_worker workers",
    "errors": "TaktError",
    "judge.compare": "compare",
    "judge.kpi": "kpis",
    "judge.verdict": "verdict",
    "ledger": "Ledger",
    "ledger.pack": "pack unpack",
    "shift": "Progress Shift repeat_shift resume_shift run_shift steps_of_unit",
}
_WHERE = {name: module for module, names in _OF.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'takt' has no attribute {name!r}")
    value = getattr(import_module(f"takt.{_WHERE[name]}"), name)
    globals()[name] = value
    return value
