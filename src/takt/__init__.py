"""Takt: Run@Rate for AI workers. A whole shift, at the line's beat, nothing reset and nobody helping; then count.

from takt import run_shift, kpis, verdict

Nothing is imported before it is asked for: the program answers at once, and scipy is for those who judge.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from takt import gymnasium_ids as gymnasium_ids

if TYPE_CHECKING:
    from takt.compare import compare
    from takt.events import Event
    from takt.kpi import kpis
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
    from takt.verdict import verdict
    from takt.worker import Finished, Gone, Plan, Recording, Resumable, Worker, open_worker, workers

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

_OF = {
    "compare": "compare",
    "errors": "TaktError",
    "events": "Event",
    "kpi": "kpis",
    "ledger": "Ledger",
    "shift": "Progress Shift repeat_shift resume_shift run_shift steps_of_unit",
    "station": "Acceptance Account Fault FaultKind Figure Section Station StationSpec open_station stations",
    "verdict": "verdict",
    "worker": "Finished Gone Plan Recording Resumable Worker open_worker workers",
}
_WHERE = {name: module for module, names in _OF.items() for name in names.split()}


class _Package(ModuleType):
    """`takt.verdict` and `takt.compare` are functions, also when the modules of those names have been imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if _WHERE.get(name) == name and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'takt' has no attribute {name!r}")
    value = getattr(import_module(f"takt.{_WHERE[name]}"), name)
    globals()[name] = value
    return value
