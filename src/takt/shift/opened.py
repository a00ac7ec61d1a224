"""Station and worker of a shift, opened: by their names, as a ledger names them, or as objects; and closed again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from os import PathLike
from typing import Any

from takt.contract.events import Event
from takt.contract.foreign import is_stop, one_line
from takt.contract.options import wrong_option
from takt.contract.registry import loaded
from takt.contract.station import Counted, Station, TaktError, open_station, registered_station
from takt.contract.worker import Worker, as_worker, made_by, open_worker
from takt.isolate import Isolated, isolated
from takt.ledger.trust import Named, check_named
from takt.shift.definition import RULES, rules_of
from takt.shift.loop import Loop

MADE_UP = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError)
NO_LENGTH = "a shift needs a length: give hours or units"
AnyWorker = Worker | Callable[[Any], Any]


@contextmanager
def opened(
    station: str | Station,
    station_options: Mapping[str, Any],
    worker: str | AnyWorker,
    worker_options: Mapping[str, Any],
    isolate: bool = False,
) -> Iterator[tuple[Station, Worker]]:
    """Station and worker, opened if they are names. What was opened here is closed here."""
    if isinstance(station, str):
        registered_station(station)  # a wrong name is said first: which workers there are depends on it
    name = station if isinstance(station, str) else station_name(station)
    if isolate and not isinstance(worker, str):
        raise TaktError("a worker is isolated by its name, such as my_module:MyWorker; an object is here already")
    make = isolated if isolate else open_worker
    who = make(worker, name, **worker_options) if isinstance(worker, str) else as_worker(worker)
    asked = {**getattr(who, "station_options", {}), **station_options}
    with ExitStack() as closing:
        if isinstance(who, Isolated):
            closing.callback(who.close)
        here = open_station(station, **asked) if isinstance(station, str) else station
        if isinstance(station, str):
            closing.callback(here.close)
        yield here, who


def may_count(station: str | Station) -> bool:
    """Whether a station may know how many units it has (`Counted`), by its class; nothing is opened."""
    return hasattr(loaded(registered_station(station)) if isinstance(station, str) else station, "all_units")


def all_units(station: Station) -> int:
    """The length of a shift that is given none: all units that there are. TaktError where that is not known."""
    most = station.all_units if isinstance(station, Counted) else None
    if most is None:
        raise TaktError(NO_LENGTH)
    return most


def check_names(
    station: str | Station, station_options: Mapping[str, Any], worker: Any, worker_options: Mapping[str, Any]
) -> None:
    """Raise what is wrong with names, and with those of options, without opening anything or importing users' code."""
    name = station if isinstance(station, str) else station_name(station)
    asked: list[tuple[str, Any, Mapping[str, Any], Callable[[], Any]]] = [
        ("station", station, station_options, lambda: loaded(registered_station(name)))
    ]
    if not (isinstance(worker, str) and ":" in worker):
        asked.append(("worker", worker, worker_options, lambda: made_by(worker, name)))
    for what, given, options, make in asked:
        if isinstance(given, str) and (wrong := wrong_option(make(), options)):
            raise TaktError(f"{what} {given!r} {wrong}")


@contextmanager
def reopened(
    path: str | PathLike[str],
    meta: Mapping[str, Any],
    station: str | Station | None,
    worker: str | AnyWorker | None,
    named: Named,
    asks: bool = False,
    **station_options: Any,
) -> Iterator[tuple[Station, Worker]]:
    """Station and worker of a ledger: as they are given, or as it names them, if that may be opened (trust.py).

    A station may raise anything at options or a state that a file has made up: that is one line about the file.
    """
    if isinstance(worker, str):
        named = replace(named, worker=worker)
    inside = isinstance(station, str | None), isinstance(worker, str | None)
    check_named(path, meta, named, station=inside[0], worker=inside[1], asks=asks)
    here = meta["station"] if station is None else station
    who = meta["worker"] if worker is None else worker
    if rules_of(meta) not in range(1, RULES + 1):
        raise TaktError(
            f"this shift was worked by rules {rules_of(meta)!r}, and this Takt knows 1 to {RULES}; install a newer one"
        )
    isolate = bool(meta.get("isolate")) and isinstance(who, str)
    options = {**meta["options"], **station_options}
    try:
        with opened(here, options, who, meta["worker_options"], isolate) as both:
            yield both
    except MADE_UP as error:
        raise TaktError(f"{path} cannot be worked as it is written: {one_line(error)}") from error


@contextmanager
def begun(loop: Loop) -> Iterator[list[Event]]:
    """The shift, started; the worker is told when it is over, however that comes."""
    started = loop.start()
    try:
        yield started
    finally:
        try:
            loop.worker.end()
        except BaseException as error:  # the shift itself is done: its ledger must not be lost for this
            if is_stop(error):
                raise
            warnings.warn(f"worker {loop.shift['worker']!r} raised in end: {one_line(error)}", stacklevel=2)


def check_ready(who: Worker | Station) -> None:
    """A worker that will ask a server, or a station that will run programs, may say now why it cannot: `ready`.

    Those of a shift that is repeated are not asked, for all that they would do is recorded.
    """
    ready = getattr(who, "ready", None)
    if callable(ready) and not isinstance(who, Isolated):
        ready()


def station_name(station: Station) -> str:
    return station.spec.station or type(station).__name__


def worker_name_of(worker: AnyWorker) -> str:
    return getattr(worker, "__name__", type(worker).__name__)
