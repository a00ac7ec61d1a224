"""One shift to be worked, as it is handed to a process: JSON values, on whatever machine that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# What comes back from a process about its shift. `progress` may come any number of times before one of the others.
PROGRESS, ENDED, LEFT, BUSY, REFUSED, FAULT = "progress", "ended", "left", "busy", "refused", "fault"

# Faults of machines, and of the harness on them: never of the worker, and never a bad unit.
LOST, MEMORY, SILENT, SERVER, STORE, HARNESS = "lost", "memory", "silent", "server", "store", "harness"
MACHINE_FAULTS = {
    LOST: "the process or its machine is gone: killed, crashed, preempted",
    MEMORY: "it took more memory than it may, or than there is",
    SILENT: "no sign of life for longer than it may be silent; it was ended",
    SERVER: "a server that it asks, or its store's, does not answer, whatever is tried: gone, or overrun",
    STORE: "the ledger cannot be written: its disk is full, or it may not be written",
    HARNESS: "a fault of Takt's own",
}


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A shift to be worked into `ledger`, a file or a URI: begun there, or gone on with, or read if it has ended.

    id      its identity, kept in the ledger beside the shift; "" for a shift that is of no plan.
    arm     whose shift it is, for those who look.
    definition  what `id` was made of, without the seed, to be compared with what is there; {}: it is not compared.
    """

    id: str
    arm: str
    station: str
    worker: str
    seed: int
    ledger: str
    hours: float | None = None
    units: int | None = None
    clock: str | None = None
    faults: Sequence[str] = ()
    station_options: Mapping[str, Any] = field(default_factory=dict)
    worker_options: Mapping[str, Any] = field(default_factory=dict)
    isolate: bool = False
    call_timeout_s: float | None = None
    stop_early: bool = False
    cores: float = 1.0
    gpus: float = 0.0
    memory_gb: float | None = None
    endpoints: Sequence[str] = ()
    definition: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Message:
    """What is told of a job: `kind` is one of those above.

    data   of `progress`: units, good, at_s, money, tokens; of `ended` and `left`: the `Record`; of `refused`: why, and
           why its whole arm is (`arm`), or ""; of `fault`: kind, why, host, log.
    """

    job: Job
    kind: str
    data: Mapping[str, Any]
