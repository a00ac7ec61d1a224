"""The station contract, and the registry of stations.

A station is a `gymnasium.Env` with five things more: `spec`, `now`, `hold`, events in `info["events"]`, and an exact
snapshot by `save` and `load`. `reset` starts a *shift*, never a unit: nothing is put back in order in between. A
station that has more to say of a shift than its units tell is `Accounting` too.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from gymnasium import Space
from gymnasium.envs.registration import EnvSpec

from takt.contract.events import Event
from takt.contract.figure import Figure as Figure
from takt.contract.foreign import foreign
from takt.contract.options import wrong_option
from takt.contract.registry import loaded as loaded
from takt.contract.registry import registered_station as registered_station
from takt.contract.registry import stations as stations
from takt.errors import TaktError as TaktError  # from here too: it was here first
from takt.errors import Unseen as Unseen

LONGEST_TAKT_S = 1e7  # four months
LEAST_CONTROL_S = 1e-5  # a period of 100 kHz


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one shift: which, when it strikes and for how long (seconds of station time)."""

    name: str
    at_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that a station can have.

    about     one line for people.
    repair_s  mean seconds until it clears, when a plan does not say.
    stops     True if work cannot go on meanwhile (its time is downtime, ISO 22400-2 ADOT).
    """

    about: str
    repair_s: float
    stops: bool


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the job asks: at least `good_rate` of the units good, the `quantile` of cycle times within `cycle_s`.

    A station where a unit that is not done within its takt is bad needs no `cycle_s`: good units are within it.
    `stands_to` asks that a decision stand up to that much stickiness of good and bad (`takt.judge.stickiness`);
    None asks for none, and the verdict says how much it stands up to.
    """

    good_rate: float
    cycle_s: float = math.inf
    quantile: float = 0.95
    stands_to: float | None = None


@dataclass(frozen=True, slots=True)
class Short:
    """The job in short, for a worker that cannot read much: a small language model.

    brief    the job in words.
    tools    the tools that suffice for it, by name, each with those of its arguments that suffice.
    fields   the fields that are shown of an observation and of what is in it; all others are left out.
    rows     entries that are shown of a list, from the first on, by its field; of lists not named here, all.
    ends     the tools that end a piece of work, if they are not refused. The next piece does not need the last one.
    queue    the list of pieces of work that wait, and which of a piece's fields names it; ("", "") if there is none.
    """

    brief: str
    tools: Mapping[str, tuple[str, ...]]
    fields: tuple[str, ...]
    rows: Mapping[str, int]
    ends: tuple[str, ...]
    queue: tuple[str, str] = ("", "")


@dataclass
class StationSpec(EnvSpec):
    """Gymnasium's own `EnvSpec`, with the numbers of the shift added, so `env.spec` stays what Gymnasium expects.

    station       the name it is registered under (`nutcell`).
    takt_s        seconds of station time between one unit falling due and the next.
    control_s     seconds of station time that one `step` takes.
    faults        the faults it can have, by name.
    acceptance    what the job asks.
    parts         names of the parts of a unit that are inspected one by one (`left`, `right`), or ().
    privileged    True if observations carry what a real worker could not sense. Written to the ledger.
    options       the options it was opened with, as JSON values: `open_station(station, **options)` opens the same one.
    brief         the job in words, for a worker that reads: what the place is, what makes a unit good or bad.
    tools         the tools it offers, as chat APIs take them ({"type": "function", "function": {...}}), or ().
    looks         names of those tools that change nothing.
    short         the same job in short, or None.
    pace          how units fall due: "beat" (every takt_s), "arrivals" (at random, takt_s apart on average) or "free"
                  (the next when the last has ended).
    unit_life_s   the longest that a unit can be open, from falling due to good or bad; None: the takt, at a beat. Which
                  units of an ended shift are judged depends on it (`takt.judge.outcomes`).
    planned_cycle_s  the planned run time per item, where a plant has one (ISO 22400-2, PRI); it is not the takt.
    currency      of what units cost, an ISO 4217 code ("EUR"); "" where nothing costs anything.
    cost_range    the least and the most that a unit can cost, where costs are compared; None: no bound by unit.
    packages      distributions that what it does depends on: their versions go into the ledger, beside Takt's.
    world         where a station makes up its world from the seed, the version of that. It goes into the meta, and a
                  shift of another version is not worked again (`takt.shift.reset_as`); None: there is nothing made up.

    A station that offers tools takes an action that is one tool call, a JSON text {"name": ..., "arguments": {...}},
    and answers every one, with {"error": {"code", "message"}} if it cannot be done (an event `refused`); it never
    raises for what a call says. Its observation is a mapping: `result` is the answer to the last call, `waiting` how
    many units wait, if it knows. What is a list is left out where the observation is told in short. A tool
    `wait` does nothing. `hold` is a call that no worker writes so, and leaves `result` as it was.
    """

    station: str = ""
    takt_s: float = 0.0
    control_s: float = 0.0
    faults: Mapping[str, FaultKind] = field(default_factory=dict)
    acceptance: Acceptance = field(default_factory=lambda: Acceptance(1.0))
    parts: tuple[str, ...] = ()
    privileged: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    brief: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    looks: tuple[str, ...] = ()
    short: Short | None = None
    pace: str = "beat"
    unit_life_s: float | None = None
    planned_cycle_s: float | None = None
    currency: str = ""
    cost_range: tuple[float, float] | None = None
    packages: tuple[str, ...] = ()
    world: int | None = None


@runtime_checkable
class Station(Protocol):
    """A `gymnasium.Env` that a worker can work a shift at. `gymnasium.utils.env_checker.check_env` must pass.

    One whose options can name code or files says so in a function of its class, `opened_if_named(options)`: those of
    them that a ledger alone is not believed (trust.py).
    """

    @property
    def spec(self) -> StationSpec: ...

    @property
    def observation_space(self) -> Space[Any]: ...

    @property
    def action_space(self) -> Space[Any]: ...

    @property
    def now(self) -> float:
        """Seconds of station time since `reset`."""
        ...

    @property
    def hold(self) -> Any:
        """The action that changes nothing: what the station is given while there is no plan."""
        ...

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start a shift. `options["faults"]` is the shift's sequence of `Fault`, in order of time; `options["rules"]`
        the number of the rules that its ledger was begun by (`takt.shift.RULES`), the newest if there is none.
        """
        ...

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one action for `spec.control_s` seconds. `info["events"]` lists what happened meanwhile."""
        ...

    def render(self) -> Any:
        """An (H, W, 3) uint8 picture of the station now. Raises `Unseen` if it was loaded with what it cannot draw."""
        ...

    def save(self) -> bytes:
        """The whole state. A station opened with the same options and given these bytes goes on exactly alike."""
        ...

    def load(self, state: bytes) -> None: ...

    def close(self) -> None: ...


class Drawing(Protocol):
    """Two inline `<svg>` elements, for a wide page and a narrow one: what `takt.draw.plots.plot` makes."""

    @property
    def wide(self) -> str: ...

    @property
    def narrow(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts below their heads, as they are read. `units`: of each row, the unit that it is about, or ()."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    units: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a shift's report: heading, a note of plain text below it, a plot, a table, and texts that can be opened
    below it, each with its heading, shown as they stand.
    """

    title: str
    note: str
    plot: Drawing | None = None
    texts: Sequence[tuple[str, str]] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What a station says of a shift, beside its KPIs.

    figures    in the order in which they are read.
    values     the same for programs, by name: JSON as it stands, None where undefined.
    sections   draws them, for a page.
    first      names of the figures that a page begins with, before those of any station.
    causes     of bad units, where their main reason covers several, which of them it was, in words.
    bad        a table of the bad units, which a page shows in place of a picture of each; None: pictures it is.
    warnings   what is said when the shift is over, for then its figures are not what was asked for.
    """

    figures: Sequence[Figure]
    values: Mapping[str, Any]
    sections: Callable[[], Sequence[Section]] = tuple
    first: tuple[str, ...] = ()
    causes: Mapping[int, str] = field(default_factory=dict)
    bad: Callable[[], Table] | None = None
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Accounting(Protocol):
    """A station that accounts for a shift. Asked when it was opened with the shift's options and `reset` with its seed
    and faults; nothing has been done since. A static method is asked of the class, and nothing is opened.
    """

    def account(self, events: Sequence[Event]) -> Account:
        """What the events of a shift come to, finished or still running."""
        ...


@runtime_checkable
class Costing(Protocol):
    """A station that can say what its units cost."""

    @staticmethod
    def unit_costs(events: Sequence[Event]) -> Mapping[int, float]:
        """What each unit has cost after these events, in the spec's currency, with all that came of it; to compare."""
        ...


@runtime_checkable
class Dealing(Protocol):
    """A station where units overlap, that can tell which of them an action deals with."""

    def unit_of(self, action: Any) -> int | None:
        """The unit, None if the action names none. Asked before the action is done."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A station that can be looked at closely, by people who ask why a unit is as it is. No worker sees any of it.
    `in_place()`, where it has that, is False while what is there is still the unit before's."""

    def closeup(self) -> Any:
        """An (H, W, 3) uint8 picture of what decides whether the unit is good, small."""
        ...

    def noted(self) -> Sequence[tuple[str, str]]:
        """What has changed since it was asked last, or since `load`, that matters for the unit: part, and a few words.
        To be asked after every control period."""
        ...

    def gauges(self) -> Mapping[str, tuple[float, str]]:
        """What is worth a curve: value now, and its unit, by name."""
        ...


@runtime_checkable
class Files(Protocol):
    """A station of tools where files are worked on: what its tools show of them, so that a person can have them as a
    folder. It has the tools `write` (path, text) and `delete` (path)."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """The regular files as they are now, by path from the top."""
        ...


@runtime_checkable
class Occupied(Protocol):
    """A station where an action can take longer than a control period, as a run of tests does. Until it is done its
    worker is not asked: there is no answer yet.
    """

    @property
    def busy(self) -> int:
        """Control periods until the last action is done; 0 if it is."""
        ...


@runtime_checkable
class Finite(Protocol):
    """A station whose units come to an end, as a list of tickets does. A shift is over then, whatever was asked for."""

    @property
    def exhausted(self) -> str:
        """In words, that no further unit will fall due and all have ended; "" as long as there is one."""
        ...


@runtime_checkable
class Counted(Protocol):
    """A station that may know how many units it has. A shift that is given no length has all of them."""

    @property
    def all_units(self) -> int | None:
        """How many, None if they do not end."""
        ...


def open_station(name: str, **options: Any) -> Station:
    """Open the station registered as `name`.

    Raises TaktError if there is none of that name, or if it has no such option, or one of another kind.
    """
    return station_maker(name, by_import=False)(**options)


def station_maker(name: str, by_import: bool = True) -> Callable[..., Station]:
    """What opens the station registered as `name`, or, where that is allowed, the one that a module has.

    `package.module:name` is by import: for a station that somebody is writing. Raises TaktError as `open_station` does.
    """
    here = by_import and ":" in name
    make = imported(name, "station") if here else loaded(registered_station(name))

    def open_it(**options: Any) -> Station:
        wrong = wrong_option(make, options)
        if wrong:
            raise TaktError(f"station {name!r} {wrong}")
        with foreign(f"cannot open the station {name!r}"):
            station: Station = make(**options)
        return station

    return open_it


def imported(name: str, what: str) -> Any:
    """What the user names by module and attribute, `package.module:name`. Raises TaktError if it cannot be."""
    module, _, attribute = name.partition(":")
    look_here_too()
    with foreign(f"cannot import the {what} {name!r}"):
        return getattr(import_module(module), attribute)


def check_times(spec: StationSpec) -> None:
    """Raise TaktError if a takt or a control period is none that a shift could be worked by."""
    for name, value, least, most in (
        ("takt_s", spec.takt_s, LEAST_CONTROL_S, LONGEST_TAKT_S),
        ("control_s", spec.control_s, LEAST_CONTROL_S, spec.takt_s),
    ):
        if not least <= value <= most:
            raise TaktError(f"station {spec.station!r} has {name}={value:g}; it must be from {least:g} to {most:g} s")


def check_faults(spec: StationSpec, faults: Sequence[Fault]) -> None:
    """Raise TaktError if a fault is not one that the station can have."""
    for fault in faults:
        if fault.name not in spec.faults:
            can = ", ".join(spec.faults) or "none"
            raise TaktError(f"station {spec.station!r} cannot have the fault {fault.name!r}; it can have: {can}")


def look_here_too() -> None:
    """Modules that the user names may lie in the current folder. It comes last: what lies there shadows nothing."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
