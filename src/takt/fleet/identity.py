"""What a shift is, as a hash: the same shift is never worked twice, in whatever order, from whatever machine.

A shift is its station and worker with all their options (those that are not said have their defaults), what its files
contain, seed, clock, faults and length; and the versions of the packages that station and worker come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from takt.contract.options import usual_options
from takt.contract.registry import loaded, registered_station, workers
from takt.contract.station import look_here_too
from takt.contract.worker import made_by
from takt.distribution import version
from takt.errors import TaktError
from takt.ledger import canonical
from takt.shift.definition import RULES

MOST_FILES = 10_000  # of a folder that is named by an option
DIGITS = 32  # of an id: 128 bits


def definition_of(
    station: str,
    station_options: Mapping[str, Any],
    worker: str,
    worker_options: Mapping[str, Any],
    *,
    hours: float | None,
    units: int | None,
    clock: str,
    faults: Sequence[str],
    call_timeout_s: float | None = None,
) -> dict[str, Any]:
    """What the shifts of an arm are, but for the seed: JSON values, the same for the same shifts."""
    point, hand = registered_station(station), workers(station).get(worker)
    make, made = loaded(point), made_by(worker, station)
    asked = getattr(made, "station_options", {})
    told: dict[str, Any] = {
        "station": station,
        "options": _plain({**(asked if isinstance(asked, Mapping) else {}), **station_options}, usual_options(make)),
        "worker": worker,
        "worker_options": _plain(worker_options, usual_options(made) if isinstance(made, type) else {}),
        "hours": None if hours is None else float(hours),
        "units": units,
        "clock": clock,
        "faults": list(faults),
        "rules": RULES,
        "from": {"takt": version(), **_from(point), **_from(hand)},
    }
    if hand is None:
        told["content"] = content_of_module(worker)
    if call_timeout_s is not None:
        told["call_timeout_s"] = float(call_timeout_s)
    return told


def id_of(definition: Mapping[str, Any], seed: int) -> str:
    """The id of the shift of this seed: SHA-256 over its definition, the first 128 bits."""
    return hashlib.sha256(canonical({**definition, "seed": seed}).encode()).hexdigest()[:DIGITS]


def _plain(options: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Options and their defaults as JSON values; a file or folder is what it contains.

    A bare word may be a folder, too (`policy = "act"`); a default is one only if it looks like a path, so that nothing
    that lies about makes another shift of those that have not heard of it.
    """
    plain = {key: value_of(value, path_like(value)) for key, value in usual.items()}
    return plain | {key: value_of(value, value != usual.get(key) or path_like(value)) for key, value in options.items()}


def path_like(value: Any) -> bool:
    """Whether a text has what paths have, and words have not."""
    return isinstance(value, str) and ("/" in value or "\\" in value or bool(Path(value).suffix))


def value_of(value: Any, path: bool = True) -> Any:
    """An option's value as a JSON value: if it may be a path, and is one, what the file or folder there contains."""
    if isinstance(value, str):
        with suppress(OSError, ValueError):  # too long for a path, or with a character that none has
            if path and value and "://" not in value and ((found := Path(value)).is_file() or found.is_dir()):
                return f"sha256:{content(found)}"
        return value
    if isinstance(value, Mapping):
        return _plain(value, {})
    if isinstance(value, (list, tuple)):
        return [value_of(one) for one in value]
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value  # 1 and 1.0 are the same option
    return repr(value)


def content(path: Path) -> str:
    """SHA-256 of a file, or of a folder: over the names of its files and what is in them."""
    if path.is_file():
        return _file(path, path.stat().st_mtime_ns, path.stat().st_size)
    found = hashlib.sha256()
    files = sorted(one for one in path.rglob("*") if one.is_file())
    if len(files) > MOST_FILES:
        raise TaktError(
            f"the folder {path} has {len(files):,} files; what a shift is made from has {MOST_FILES:,} at most"
        )
    for file in files:
        told = f"{file.relative_to(path).as_posix()}\0{_file(file, file.stat().st_mtime_ns, file.stat().st_size)}\n"
        found.update(told.encode())
    return found.hexdigest()


@lru_cache(maxsize=4096)
def _file(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from(point: Any) -> dict[str, str]:
    """The distribution that an entry point comes from, with its version; {} if it is Takt's own or unknown."""
    dist = getattr(point, "dist", None)
    return {} if dist is None or point.value.startswith("takt.") else {str(dist.name): str(dist.version)}


def content_of_module(worker: str) -> dict[str, str]:
    """A worker by import is in no distribution: what its file contains stands for it."""
    module = worker.partition(":")[0]
    look_here_too()
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.origin or not Path(spec.origin).is_file():
        return {}
    return {module: content(Path(spec.origin))}
