"""What of a ledger may be opened. A ledger is data, perhaps a stranger's: what it names is not thereby allowed to run.

A station must be registered, and so must a worker (entry points, which the user installed). Everything else that leads
out of the ledger is opened only if the user names it again: a worker `module:attr`, a Gymnasium id `module:Env-v0`, the
server that a worker asks and the variable that has its key. SECURITY.md says the same for readers.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takt.contract.registry import loaded, registered_station, stations, workers
from takt.errors import TaktError
from takt.ledger import canonical

if TYPE_CHECKING:
    from takt.contract.station import Station


@dataclass(frozen=True, slots=True)
class Named:
    """What the user has named again, on this command line.

    worker          the worker's name, as the ledger has it.
    worker_options, station_options    options, as the ledger has them.
    trust           all that the ledger names is the user's own word.
    """

    worker: str | None = None
    worker_options: Mapping[str, Any] = field(default_factory=dict)
    station_options: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False


NOTHING = Named()


class NotNamed(TaktError):
    """A ledger names what is not opened for its sake. `wanted` are the words by which the user would name it."""

    def __init__(self, path: object, wanted: Sequence[str]) -> None:
        self.wanted = tuple(wanted)
        super().__init__(
            f"{path} names what is opened only where you name it too, for a ledger may be anybody's; if it is yours, "
            f"name it again: {' '.join(wanted)} (or --trust)"
        )


def check_named(
    path: object, meta: Mapping[str, Any], named: Named, *, station: bool, worker: bool, asks: bool
) -> None:
    """Raise NotNamed if opening what this ledger's meta names takes the user's word, and `named` has it not; TaktError
    if `named` has an option otherwise than the ledger. Either names all of them in its line. An option of the station
    that its worker hands on (`programs` of a code desk's) may be named as that worker's.

    station, worker   whether the ledger's own is to be opened (and not one that was handed over as an object).
    asks              whether the worker will be put to work anew, and may ask a server; one whose answers are read from
                      the ledger asks nobody.
    """
    if named.worker is not None and named.worker != meta["worker"]:
        raise TaktError(f"{path} is a shift of worker {meta['worker']!r}, not of {named.worker!r}")
    other = _others(meta["worker_options"], named.worker_options)
    if station and worker:  # who draws a station for somebody's eyes may ask it for more than the shift's own
        other |= _others(meta["options"], named.station_options)
    wanted: list[str] = []
    if station:
        make = loaded(registered_station(meta["station"]))
        leads = _word(make, "opened_if_named", meta["options"])
        other |= _others(leads, {key: value for key, value in named.station_options.items() if key in leads})
        wanted += _missing("-o", leads, {**named.worker_options, **named.station_options})
    if worker:
        known = workers(meta["station"])
        if meta["worker"] not in known:
            if ":" in meta["worker"] and not named.worker:  # any other name is no worker at all, and is said to be none
                wanted.append(f"--worker {shlex.quote(meta['worker'])}")
        elif asks:
            make = loaded(known[meta["worker"]])
            told = _word(make, "asked_if_named", meta["worker_options"])
            wanted += _missing("-w", told, named.worker_options)
    if other:
        said = " and ".join(f"{key}={there!r}, not {given!r}" for key, (there, given) in other.items())
        also = "" if named.trust or not wanted else f"; name it so: {' '.join(wanted)} (or --trust)"
        raise TaktError(f"{path} is a shift with {said}; that cannot be changed within a shift{also}")
    if wanted and not named.trust:
        raise NotNamed(path, wanted)


def open_station_of(path: object, meta: Mapping[str, Any], named: Named = NOTHING, **options: Any) -> Station:
    """Open the station of a ledger's meta, with these options beside its own. Raises NotNamed as `check_named`."""
    check_named(path, meta, named, station=True, worker=False, asks=False)
    from takt.contract.station import open_station  # with all of Gymnasium, which who only reads does without

    return open_station(meta["station"], **{**meta["options"], **options})


def words_again(meta: Mapping[str, Any], asks: bool = False) -> str:
    """The words by which what a shift's ledger leads to is named again, to follow a command; "" if nothing need be.
    With `asks` the worker goes on, and may ask a server. Nothing is imported for it: of what is not loaded, no word."""
    name, worker = str(meta.get("station", "")), str(meta.get("worker", ""))
    words = [f"--worker {shlex.quote(worker)}"] if ":" in worker else []
    words += _missing("-o", _word_of(stations().get(name), "opened_if_named", meta.get("options", {})), {})
    if asks and name in stations():
        words += _missing(
            "-w", _word_of(workers(name).get(worker), "asked_if_named", meta.get("worker_options", {})), {}
        )
    return "".join(f" {word}" for word in words)


def _word_of(point: Any, rule: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """`_word` of what is registered, if its module is loaded and has it."""
    try:
        return _word(loaded(point), rule, options) if point is not None and point.module in sys.modules else {}
    except TaktError:
        return {}


def _word(make: Any, rule: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of the options that lead out of the ledger, as the class of the station or worker says itself."""
    told = getattr(make, rule, None)
    return {} if told is None else told(options)


def _missing(flag: str, wanted: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """The words for those of the options that are not given, or otherwise."""
    return [
        f"{flag} {shlex.quote(f'{key}={value if isinstance(value, str) else json.dumps(value)}')}"
        for key, value in wanted.items()
        if key not in given or not same_option(value, given[key])
    ]


def _others(there: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Options that a shift does not have as they are given: as it has them, and as they are given."""
    return {
        key: (there.get(key), value)
        for key, value in given.items()
        if key not in there or not same_option(there[key], value)
    }


def same_option(one: Any, other: Any) -> bool:
    """Whether two values of an option mean the same: numbers by their value, files and folders that are there by where
    they are (also several, separated by colons), anything else word for word."""
    if canonical(one) == canonical(other):
        return True
    if isinstance(one, str) and isinstance(other, str):
        places, others = one.split(":"), other.split(":")
        return len(places) == len(others) and all(map(_same_place, places, others))
    numbers = [value for value in (one, other) if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return len(numbers) == 2 and one == other


def _same_place(one: str, other: str) -> bool:
    """Whether two words are the same, or name the same file or folder."""
    try:
        return one == other or Path(one).samefile(other)
    except (OSError, ValueError):
        return False
