"""What of that by which shifts were made is another one by now: versions, a worker's file, what options' files contain.

A shift's id says what its files contained when the plan was read. Whoever works the shift looks again when it is begun
and when it has ended; whoever looks at a fleet sees with it what has changed since it was worked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

from takt.contract.options import usual_options
from takt.contract.registry import loaded, registered_station
from takt.contract.worker import made_by
from takt.distribution import version
from takt.errors import TaktError
from takt.fleet.identity import content_of_module, path_like, value_of
from takt.shift.definition import RULES

HASH = "sha256:"


class Changed(TaktError):
    """What a shift is made of is not what its plan had: neither this shift can be worked, nor, for the reason `arm`,
    others of its arm."""

    def __init__(self, why: str, arm: str) -> None:
        super().__init__(why)
        self.arm = arm


def changes(
    definition: Mapping[str, Any],
    station: str,
    station_options: Mapping[str, Any],
    worker: str,
    worker_options: Mapping[str, Any],
    *,
    imports: bool = True,
) -> Iterator[str]:
    """In words, each thing of a definition (`identity.definition_of`) that is another one by now; none if it is empty.

    options    as a job has them: an endpoint is its address there, and a name in the definition.
    imports    whether a worker's package, and what has a file as its default, may be imported; without, what would
               take that is not looked at, nor what is not to be found from here.
    """
    if not definition:
        return
    made_from, content = definition.get("from"), definition.get("content")
    for name, had in made_from.items() if isinstance(made_from, Mapping) else ():
        has = (_loaded if imports else _version)(name)
        if has != had:
            yield f"{name} was {had}, and is {has}"
    if definition.get("rules") != RULES:
        yield "Takt's rules of a shift are others"
    asked, given = definition.get("options", {}), definition.get("worker_options", {})
    theirs, ours = dict(station_options), dict(worker_options)
    if imports and (_has_file(asked, theirs) or _has_file(given, ours)):
        made = made_by(worker, station)
        theirs = {
            **usual_options(loaded(registered_station(station))),
            **getattr(made, "station_options", {}),
            **theirs,
        }
        ours = {**(usual_options(made) if isinstance(made, type) else {}), **ours}
    for who, noted, options in ((station, asked, theirs), (worker, given, ours)):
        for text in _others(noted, options, imports):
            yield f"the file {text} of {who} is another one"
    if "." in worker.partition(":")[0] and not imports:  # its package would be imported to find it
        return
    if isinstance(content, Mapping) and content:
        now = content_of_module(worker)
        if now != content and (now or imports):
            yield f"the file of {worker} is another one"


def _version(name: str) -> str:
    try:
        return version() if name == "takt" else installed(name)
    except PackageNotFoundError:
        return "not installed"


_loaded = cache(_version)  # what a process has imported stays what it was


def _has_file(noted: Any, options: Mapping[str, Any]) -> bool:
    """Whether a file is an option's default."""
    return isinstance(noted, Mapping) and any(
        key not in options and isinstance(value, str) and value.startswith(HASH) for key, value in noted.items()
    )


def _others(noted: Any, given: Any, also_lost: bool) -> Iterator[str]:
    """The files and folders that these options name and that do not contain what was noted of them."""
    if isinstance(noted, Mapping) and isinstance(given, Mapping):
        for key, one in noted.items():
            if key in given:
                yield from _others(one, given[key], also_lost)
    elif isinstance(noted, list) and isinstance(given, (list, tuple)):
        for one, other in zip(noted, given, strict=False):
            yield from _others(one, other, also_lost)
    elif isinstance(noted, str) and isinstance(given, str) and noted != given:
        was = noted.startswith(HASH)
        now = value_of(given, was or path_like(given))
        is_file = now != given
        if now != noted and (is_file or (was and also_lost)):
            yield given
