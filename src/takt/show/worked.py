"""A unit worked once more, for its calls: what a worker asked of a station of tools, and what it was answered.

For workers that record nothing of it. Opens the shift's station and worker, as a replay does (`takt.ledger.trust`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike
from typing import Any

from takt.contract.station import Dealing, Station, TaktError
from takt.ledger import Ledger
from takt.ledger.trust import NOTHING, Named, open_station_of
from takt.shift import steps_of_unit
from takt.show.transcript import STATION, WORKER, Line


class _Overheard:
    """A station, and who writes down which calls are made of it and what it answers."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.lines: list[Line] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._station, name)

    def step(self, action: Any) -> Any:
        began_s = self._station.now
        calls = action != self._station.hold
        about = self._station.unit_of(action) if calls and isinstance(self._station, Dealing) else None
        stepped = self._station.step(action)
        if calls:
            name, arguments = _call(action)
            result = stepped[0].get("result") if hasattr(stepped[0], "get") else None
            self.lines.append(Line(began_s, about, WORKER, name, arguments))
            self.lines.append(Line(self._station.now, about, STATION, name, _text(result)))
        return stepped


def calls_of_unit(path: str | PathLike[str], unit: int, lines: Sequence[Line], named: Named = NOTHING) -> list[Line]:
    """`lines` of a unit, with the calls that were made while it was open, in order of time."""
    with Ledger.open(path) as book:
        meta = book.meta
    times = [line.t_s for line in lines if line.t_s is not None]
    station = open_station_of(path, meta, named)
    try:
        if not station.spec.tools:
            raise TaktError(f"station {meta['station']!r} offers no tools, so there are no calls to be seen")
        heard = _Overheard(station)
        for _ in steps_of_unit(path, unit, station=heard, named=named):
            pass
    finally:
        station.close()
    known = [line for line in lines if line.who not in (WORKER, STATION)]
    first, last = (min(times), max(times)) if times else (0.0, 0.0)
    last += station.spec.control_s
    mine = [one for one in heard.lines if one.unit in (unit, None) and first <= (one.t_s or 0.0) <= last]
    return sorted([*mine, *known], key=lambda line: line.t_s or 0.0)


def _call(action: Any) -> tuple[str, str]:
    try:
        said = json.loads(action)
        return str(said["name"]), _text(said.get("arguments", {}))
    except (ValueError, TypeError, LookupError, RecursionError, AttributeError):
        return "?", str(action)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
