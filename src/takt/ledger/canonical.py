"""JSON with one spelling for one value: what a ledger writes, and what its digest is taken over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from takt.contract.events import FOR_PEOPLE, THOUGHT, WHILE_OPEN, Event
from takt.errors import TaktError
from takt.plainly import plainly

# What defines a shift. Version, machine and wall time are in the meta too, but not in the digest.
DEFINITION = ("station", "options", "worker", "worker_options", "seed", "clock", "faults", "hours", "units")


def canonical(value: Any) -> str:
    """JSON with one spelling for one value: sorted keys, no spaces. ValueError for NaN and infinity: JSON has none."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def written(event: Event) -> str:
    """An event's data as a ledger holds them. TaktError if they are no JSON values."""
    try:
        return canonical(event.data)
    except (TypeError, ValueError) as error:
        raise TaktError(f"an event {event.kind!r} has what cannot be written down: {plainly(error)}") from error


def spelled(event: Event) -> str:
    """An event as the digest takes it: without tracebacks, which name files of the machine it was worked on, and
    without what was added since the digest was fixed: of thinking (`WHILE_OPEN`), for people alone (`FOR_PEOPLE`)."""
    without = ("traceback", FOR_PEOPLE, WHILE_OPEN) if event.kind == THOUGHT else ("traceback", FOR_PEOPLE)
    data = {key: value for key, value in event.data.items() if key not in without}
    return canonical([float(event.t_s), event.kind, event.unit, data])


def digest_of(meta: Mapping[str, Any], events: Iterable[Event]) -> str:
    """SHA-256 over a shift: what defines it, and every event. The same on every run, wherever it was killed."""
    digest = hashlib.sha256(canonical({key: meta.get(key) for key in DEFINITION}).encode())
    for event in events:
        digest.update(b"\n" + spelled(event).encode())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    import numpy as np  # long to import, and there already if a value is one of its

    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not a JSON value")
