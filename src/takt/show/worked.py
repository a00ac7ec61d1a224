"""A unit worked once more, for its calls: what a worker asked of a station of tools, and what it was answered.

For workers that record nothing of it, or not what they were answered. Opens the shift's station and worker, as a replay
does (`takt.ledger.trust`); for the board, which opens none, in a process of its own:

    python -m takt.show.worked LEDGER UNIT FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

from takt.contract.station import Dealing, Station, TaktError
from takt.ledger import Ledger, canonical
from takt.ledger.trust import NOTHING, Named, open_station_of
from takt.shift import steps_of_unit
from takt.show.child import exit_code
from takt.show.transcript import STATION, WORKER, Line, of_unit, transcript

FILE = "calls.json"
LONGEST = 64 * 2**20  # bytes of the file that are read


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


def write_calls(ledger: Path, unit: int, out: Path) -> None:
    """Write the transcript of a unit, its calls and answers included, into the folder `out`, which is made."""
    with Ledger.open(ledger) as book:
        events = book.events()
    lines = calls_of_unit(ledger, unit, of_unit(transcript(events), events, unit))
    out.mkdir(parents=True, exist_ok=True)
    (out / FILE).write_text(canonical([asdict(line) for line in lines]), encoding="utf-8")


def read_calls(out: Path) -> list[Line]:
    """What `write_calls` has left in a folder. TaktError if it is none of that."""
    path = out / FILE
    try:
        if path.stat().st_size > LONGEST:
            raise TaktError(f"{path} is longer than any that Takt writes")
        return [
            Line(
                None if one["t_s"] is None else float(one["t_s"]),
                None if one["unit"] is None else int(one["unit"]),
                *(str(one[key]) for key in ("who", "what", "text")),
            )
            for one in json.loads(path.read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TaktError(f"{out} has no calls that can be read: {type(error).__name__}") from error


def main(words: Sequence[str]) -> int:
    return exit_code(lambda: write_calls(Path(words[0]), int(words[1]), Path(words[2])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
