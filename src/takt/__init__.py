"""Takt: Run@Rate for AI workers. A whole shift, at the line's beat, nothing reset and nobody helping; then count.

from takt import run_shift, kpis, verdict
"""

from takt.events import Event
from takt.ledger import Ledger
from takt.shift import Progress, Shift, resume_shift, run_shift, steps_of_unit
from takt.station import Acceptance, Fault, FaultKind, Station, StationSpec, TaktError, open_station, stations
from takt.worker import Plan, Resumable, Worker, open_worker, workers

__all__ = [
    "Acceptance",
    "Event",
    "Fault",
    "FaultKind",
    "Ledger",
    "Plan",
    "Progress",
    "Resumable",
    "Shift",
    "Station",
    "StationSpec",
    "TaktError",
    "Worker",
    "open_station",
    "open_worker",
    "resume_shift",
    "run_shift",
    "stations",
    "steps_of_unit",
    "workers",
]
