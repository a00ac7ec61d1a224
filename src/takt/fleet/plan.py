"""What a fleet is: arms (a worker at a station, set up in one way), the seeds of their shifts, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEDGERS = "ledgers"  # in the fleet's folder
ID_DIGITS = 12  # of a shift's id, in its ledger's name
MOST_BYTES = 120  # of the rest of that name, in UTF-8: a file's may have 255, and others put a few beside it


@dataclass(frozen=True, slots=True)
class Arm:
    """A worker at a station, both set up in one way. Its shifts differ in their seed alone.

    name        what it is called: unique in its plan.
    work        what is worked, in words: station and what of its options varies. Arms of one `work` can be compared.
    who         the worker, in words.
    columns     what it is told apart by: station, worker, and every option that varies.
    definition  what its shifts are, but for the seed (`identity.definition_of`).
    cores, gpus, memory_gb    what a shift takes; `memory_gb` is also the most that it may take. None: no limit.
    endpoints   names of the servers that it asks.
    """

    name: str
    work: str
    who: str
    columns: Mapping[str, Any]
    station: str
    station_options: Mapping[str, Any]
    worker: str
    worker_options: Mapping[str, Any]
    hours: float | None
    units: int | None
    clock: str
    faults: Sequence[str] = ()
    isolate: bool = False
    call_timeout_s: float | None = None
    cores: float = 1.0
    gpus: float = 0.0
    memory_gb: float | None = None
    endpoints: Sequence[str] = ()
    definition: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """A shift of a plan. `id` is the hash of all that it is: the same shift has the same on every machine."""

    id: str
    arm: Arm
    seed: int

    @property
    def file(self) -> str:
        """What its ledger is called when it is begun: for people the arm, for the machine the id (`id_end`)."""
        plain = "".join(c if c.isalnum() or c in "._=" else "-" for c in f"{self.arm.name}-seed{self.seed}")
        return f"{plain.encode()[:MOST_BYTES].decode(errors='ignore')}{id_end(self.id)}"


def id_end(identity: str) -> str:
    """How the name of a ledger of the shift with this id ends: the one part of it that is looked for."""
    return f"-{identity[:ID_DIGITS]}.takt"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, and how many shifts may ask it at a time."""

    name: str
    url: str
    slots: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a fleet may use; None: as much as it takes. When one is used up, every shift is left at its unit's end.

    money          in the currency of the workers' prices, over all shifts of the fleet.
    tokens         read and written, over all shifts of the fleet.
    hours          wall time of one `takt fleet run`.
    machine_hours  wall time of all shifts of the fleet together.
    """

    money: float | None = None
    tokens: float | None = None
    hours: float | None = None
    machine_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """When shifts need not be worked any more.

    verdict   an arm ends when its verdict is reached.
    compare   "" (never), "pairs" (when every two arms of a work are told apart) or "best" (when one surely is).
    said      what is to be taken for granted: "shift", "free" or "unit" (`takt.judge.pooled`, `together`); "" if the
              plan does not say: by shift, but for an arm of one shift, which is told of these units (`told_by`).
    alpha     chance of an error: of each arm's verdict, and of all comparisons of a work together.
    margin    a difference in good rate that does not matter, or None.
    """

    verdict: bool = False
    compare: str = ""
    said: str = ""
    alpha: float = 0.05
    margin: float | None = None

    @property
    def by(self) -> str:
        """What decides when arms end, and what is told of two."""
        return self.said or "shift"

    @property
    def told_by(self) -> str:
        """What an arm's verdict is told by, as `takt.judge.pooled` has it: by that which ends it, where it may."""
        return self.by if self.verdict or self.said else "auto"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a machine is forgiven.

    retries      of one shift, after faults of machines.
    silent_s     wall time without a sign of life after which a shift's process is ended.
    backoff_s    before the first retry, doubled each time.
    grace_s      how long a shift may take to its unit's end when it is to be left; then its process is ended.
    """

    retries: int = 3
    silent_s: float = 600.0
    backoff_s: float = 2.0
    grace_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A fleet, read and checked. `shifts` are in the order in which they are to be begun: seed by seed, arm by arm.

    folder   where logs, tables and page are; and ledgers and notes (notes.py), unless `store` is a database.
    store    where the ledgers are: the folder, or a URI, which may have a password in it (`takt.fleet.store.shown`).
    text     of its file; "" if it has none, and TOML cannot say it.
    source   that file; "" if it was read from the fleet itself.
    """

    name: str
    folder: Path
    store: str
    arms: Sequence[Arm]
    shifts: Sequence[Planned]
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    budget: Budget = Budget()
    stop: Stop = Stop()
    limits: Limits = Limits()
    accept: str = ""
    text: str = ""
    source: str = ""
