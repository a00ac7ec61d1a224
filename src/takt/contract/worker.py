"""The worker contract, and the registry of workers.

A worker is whatever does the work: a policy, an agent, a program, a person. It is asked with an observation and
answers with a plan, a short sequence of actions; thinking takes station time (clock.py), and the plan is what the
station does meanwhile. A plain function `observation -> action` is a worker too.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from takt.contract.clock import DEFAULT_CLOCK
from takt.contract.foreign import foreign
from takt.contract.options import wrong_option
from takt.contract.registry import SEED_BITS as SEED_BITS
from takt.contract.registry import loaded
from takt.contract.registry import workers as workers
from takt.contract.station import StationSpec, TaktError, imported
from takt.meant import meant

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next: one action for each of the coming control periods.

    actions     each fits the station's action space.
    ask_after   control periods after which the worker is asked again. By default all of them: the worker thinks when
                the plan has run out, and the station holds meanwhile. Smaller: the rest of the plan runs while the
                worker thinks (an asynchronous action chunk), until the new plan arrives and replaces it.
    aligned     "arrival": actions[0] is for the moment the plan arrives. "observation": actions[0] is for the moment
                of the observation it was made from, so the ones that thinking has overtaken are skipped
                (real-time chunking, arXiv 2506.07339).
    took_s      what the call took, in seconds, if the worker knows it better than a stopwatch: tokens at a stated rate,
                an answer that was recorded. The clock `measured` takes it instead of wall time; others have their own.
    """

    actions: Sequence[Any] | NDArray[Any]
    ask_after: int | None = None
    aligned: str = "arrival"
    took_s: float | None = None


class Finished(Exception):
    """Raised by `act`: the worker works no more, and the shift ends. `failed`: because something given is wrong."""

    def __init__(self, why: str, failed: bool = False) -> None:
        super().__init__(why)
        self.failed = failed


class Gone(Exception):
    """Raised by `act`: the worker has left, and nobody works for the rest of the shift. One fault, until the end."""


@runtime_checkable
class Worker(Protocol):
    """A worker that asks a server says so in a function of its class, `asked_if_named(options)`: the options that lead
    there, which a ledger alone is not believed (trust.py).

    A worker that needs something of its station says so in a class attribute `station_options`, a mapping such as
    `{"privileged": True}`. A station that is opened by name for it is opened with these, unless told otherwise. One
    that ought to be judged by another clock than most says so in a class attribute `clock`, such as "measured"."""

    def begin(self, spec: StationSpec, seed: int) -> None:
        """A shift begins at a station of this spec. `seed` is for the worker's own randomness: `worker_seed`."""
        ...

    def act(self, observation: Any) -> Plan | Sequence[Any]:
        """What to do now. A plain sequence of actions is a plan with the defaults."""
        ...

    def end(self) -> None: ...


@runtime_checkable
class Resumable(Protocol):
    """A worker with a memory that must survive a crash has these two as well."""

    def save(self) -> bytes: ...

    def load(self, state: bytes) -> None: ...


SO_FAR = "so_far"  # in a record of a journal: what has come about until now under this number, and is told by nobody


class Journal(Protocol):
    """What a worker has paid for, by number. It survives a kill at once, not only when the unit ends."""

    def recall(self, number: int) -> Mapping[str, Any] | None:
        """What was written under this number, by this process or by one that was killed."""
        ...

    def note(self, number: int, record: Mapping[str, Any]) -> None:
        """Keep a record (JSON values). The worker must also tell it, in `records`; but for one with SO_FAR, which
        another takes the place of."""
        ...


@runtime_checkable
class Recording(Protocol):
    """A worker whose answers cannot be had again, or not for nothing: those of a language model.

    What it asks for is numbered through the shift; before it asks it reads the journal, and what it gets it writes
    there. Records that carry their number as `number` are what a shift is repeated from, without asking anybody.
    """

    def keep_in(self, journal: Journal) -> None:
        """Use this journal from now on. Called after `begin` and `load`, before the first `act`."""
        ...

    def records(self) -> list[Mapping[str, Any]]:
        """What there is to say (JSON values) since the last time. Asked after every `act`; each is an event `said`.

        `faults` in a record, a list of {"kind": "fault" or "fault_cleared", "name", "origin", "stops"}, are events of
        that kind as well: a server that gives no answer, an answer that no arm should do.
        """
        ...


@runtime_checkable
class Journaled(Protocol):
    """A *station* that does what cannot be done twice the same: it runs a program, and keeps what that printed.

    What it does so is numbered through the shift. Before it does it, it reads the journal, and what came of it it
    writes there; the same record, with its number as `record`, is the data of an event. A shift that is resumed or
    repeated reads it, and nothing is done again.
    """

    def keep_in(self, journal: Journal) -> None:
        """Use this journal from now on. Called after `reset` and `load`, before the next `step`."""
        ...


class FunctionWorker:
    """A plain function `observation -> action`, as a worker."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function, self.clock = function, usual_clock(function)

    def begin(self, spec: StationSpec, seed: int) -> None: ...

    def act(self, observation: Any) -> Plan:
        return Plan([self.function(observation)])

    def end(self) -> None: ...


def worker_seed(seed: int) -> int:
    """The seed, of 31 bits, that a worker gets in a shift of this seed.

    It follows from the shift's, so that a shift stays a pure function, and does not lead back to it: pins, orders and
    teeth follow from the shift's seed by formulas that anybody can read, and a worker that knew it would know the unit
    without looking. Whoever may try all shift seeds can still find one below a few billion; `--seed random` draws 128
    bits, of which these 31 tell next to nothing.
    """
    return int.from_bytes(sha256(f"takt worker {seed}".encode()).digest()[:4]) >> 1


def as_worker(worker: Worker | Callable[[Any], Any]) -> Worker:
    """The worker itself, or the worker that a plain function is."""
    if isinstance(worker, Worker):
        return worker
    if callable(worker):
        return FunctionWorker(worker)
    raise TaktError(f"{worker!r} is not a worker: it needs begin, act and end, or to be a function of the observation")


def open_worker(name: str, station: str, **options: Any) -> Worker:
    """Open the worker that answers to `name` at `station`. `package.module:name` opens any other by import."""
    make = made_by(name, station)
    _check_is_worker(name, make)
    if not isinstance(make, type):  # a plain function is the worker itself, not something that makes one
        if options:
            raise TaktError(f"worker {name!r} has no options")
        return as_worker(make)
    wrong = wrong_option(make, options)
    if wrong:
        raise TaktError(f"worker {name!r} {wrong}")
    with foreign(f"cannot open the worker {name!r}"):  # its checkpoint is not there, say
        return as_worker(make(**options))


def usual_clock(worker: Any) -> str:
    """The clock of a shift that is given none: the worker's own (`Worker.clock`), or else DEFAULT_CLOCK.

    The one rule, for `run_shift`, `takt run` and `takt compare` alike. `worker` is a worker or what makes one.
    """
    own = getattr(worker, "clock", None)
    return own if isinstance(own, str) else DEFAULT_CLOCK


def usual_clock_of(name: str, station: str) -> str:
    """The same, of the worker that answers to `name` at `station`."""
    return usual_clock(made_by(name, station))


def made_by(name: str, station: str) -> Any:
    """What makes the worker that answers to `name` at `station`: its class or function. TaktError if there is none."""
    known = workers(station)
    if name in known:
        return loaded(known[name])
    if ":" in name:
        return imported(name, "worker")
    here = ", ".join(known)
    short = name.removeprefix(f"{station}.")
    nearly = f": here it is called {short!r}" if short != name and short in known else meant(name, known)
    raise TaktError(f"no worker named {name!r} for station {station!r}{nearly}; the workers here are: {here}")


def _check_is_worker(name: str, make: Any) -> None:
    """Raise TaktError for what is no worker, before it is called: a class or function of the library, a program."""
    if isinstance(make, type):
        methods = [part for part in ("begin", "act", "end") if not callable(getattr(make, part, None))]
        if methods and not any("__call__" in vars(base) for base in make.__mro__[:-1]):
            raise TaktError(f"{name!r} is not a worker: it lacks {', '.join(methods)}")
    elif isinstance(make, (types.BuiltinFunctionType, types.ModuleType)) or not (
        isinstance(make, Worker) or callable(make)
    ):
        raise TaktError(
            f"{name!r} is not a worker: it needs begin, act and end, or to be a function of the observation"
        )
