"""Takt: Run@Rate for AI workers. A whole shift, at the line's beat, nothing reset and nobody helping; then count.

from takt import run_shift, kpis, verdict

Nothing is imported before it is asked for: the program answers at once, and scipy is for those who judge.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

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
_NUTCELL, _REGISTRATION = "takt/NutCell-v0", "gymnasium.envs.registration"


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


def _register(registration: Any) -> None:
    """Make the nut cell known to Gymnasium, as "takt/NutCell-v0"."""
    if _NUTCELL not in registration.registry:
        registration.register(id=_NUTCELL, entry_point="takt.stations.nutcell:NutCell", order_enforce=False)


class _WhenGymnasiumComes:
    """Registers when Gymnasium is imported after us; to import it here would cost every program a fifth of a second."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != _REGISTRATION:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: ModuleType) -> None:
                run(module)
                _register(module)

            spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec


if _REGISTRATION in sys.modules:
    _register(sys.modules[_REGISTRATION])
else:
    sys.meta_path.insert(0, _WhenGymnasiumComes())
