"""A unit to be stepped through: pictures at what happened, with words, and curves of what was measured meanwhile.

It is made while the unit is worked again (`takt replay --steps`). A station that can be looked at closely (`Watched`)
says what has changed, is drawn close up, and has curves; any other is drawn as it draws itself, at its events.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from takt.contract.events import THOUGHT, Event
from takt.contract.station import Station, Watched
from takt.errors import TaktError
from takt.show.happened import happening, noted_happening
from takt.show.report.pictures import as_jpeg, is_own
from takt.show.transcript import is_about
from takt.writing import JSON, check_folder, whole_files

FILE, COVER = "steps.json", "film.jpg"  # how a film ends: what is shown of it before it is begun
BETWEEN_S = 5.0  # station time between two pictures where nothing happens, more in a long unit
MOST_BETWEEN, MOST_STEPS = 24, 120
CURVE_S = 0.1  # station time between two points of a curve
WIDTH, COVER_WIDTH = 640, 1280  # pixels
LANGUAGES = ("en", "zh")
LONGEST_WORDS = 300  # characters of what is said of a step
LONGEST = 16 * 2**20  # bytes of the file that are read


@dataclass(frozen=True, slots=True)
class Step:
    """A picture (a file's name) at `t_s` of station time, and what happened then: sentences by language, and of them
    what the station noted (part, and a few words)."""

    t_s: float
    told: Mapping[str, str]
    picture: str
    noted: tuple[tuple[str, str], ...] = ()

    def words(self, language: str = "en") -> str:
        return self.told.get(language) or self.told.get("en", "")


@dataclass(frozen=True, slots=True)
class Curve:
    """What was measured: `values` in `unit` at `t_s`."""

    name: str
    unit: str
    t_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """A unit to be stepped through."""

    steps: tuple[Step, ...]
    curves: tuple[Curve, ...]


class Stepping:
    """Keeps pictures and curves in a folder, which must be there. `look` after every control period, then `close`."""

    def __init__(self, folder: Path, unit: int, due_s: float, length_s: float, there: Sequence[Event] = ()) -> None:
        self._folder, self._unit, self._due_s = folder, unit, due_s
        self._between_s = max(BETWEEN_S, length_s / MOST_BETWEEN)
        self._steps: list[Step] = []
        self._before = list(there)  # what happened as it fell due, and what was there then
        self._drawn_s = self._measured_s = -math.inf
        self._curves: dict[str, tuple[str, list[float], list[float]]] = {}

    def look(self, station: Station, happened: Sequence[Event]) -> None:
        if station.now < self._due_s:
            return  # a unit that overlaps others is worked again from before it fell due
        watched = station if isinstance(station, Watched) else None
        times = self._due_s, station.now
        mine = (one for one in happened if is_about(self._unit, one.unit, one.kind, one.t_s, times))
        events = [*self._before, *(one for one in mine if one.kind != THOUGHT)]
        self._before = []
        fell_due = station.now < self._due_s + 0.5 * station.spec.control_s
        if watched is not None and (fell_due or not is_own(station)):
            self._before = events  # close up, it is still the unit before that is to be seen
            watched.noted()
            return
        noted: tuple[tuple[str, str], ...] = ()
        if watched is not None:
            noted = tuple((str(part), str(what)) for part, what in watched.noted())
            if station.now - self._measured_s >= CURVE_S - 1e-9:
                self._measured_s = station.now
                self._measure(watched.gauges(), station.now)
        if (events or noted or station.now - self._drawn_s >= self._between_s) and len(self._steps) < MOST_STEPS:
            self._drawn_s = station.now
            picture = station.render() if watched is None else watched.closeup()
            name = f"{len(self._steps):03d}.jpg"
            (self._folder / name).write_bytes(as_jpeg(picture, WIDTH))
            told = {language: _told(events, noted, station.spec.station, language) for language in LANGUAGES}
            self._steps.append(Step(station.now, told, name, noted))

    def cover(self, picture: Any) -> None:
        """What stands for the film until somebody starts it."""
        (self._folder / COVER).write_bytes(as_jpeg(picture, COVER_WIDTH))

    def close(self) -> None:
        told = {
            "steps": [[round(step.t_s, 3), step.told, step.picture, step.noted] for step in self._steps],
            "curves": {name: [unit, t_s, values] for name, (unit, t_s, values) in self._curves.items()},
        }
        (self._folder / FILE).write_text(json.dumps(told), encoding="utf-8")

    def _measure(self, gauges: Mapping[str, tuple[float, str]], now_s: float) -> None:
        for name, (value, unit) in gauges.items():
            _, t_s, values = self._curves.setdefault(name, (unit, [], []))
            t_s.append(round(now_s, 3))
            values.append(value)


@contextmanager
def stepping_into(
    out: str | os.PathLike[str] | None, unit: int, due_s: float, ended_s: float, there: Sequence[Event] = ()
) -> Iterator[Stepping | None]:
    """What looks at a unit, and leaves what it saw in the folder `out`, all or nothing; None for no folder. `there`:
    the faults that were there when it fell due."""
    if out is None:
        yield None
        return
    check_folder(Path(out), [FILE], JSON, FILE)
    with whole_files(Path(out)) as folder:
        stepping = Stepping(folder, unit, due_s, ended_s - due_s, there)
        yield stepping
        stepping.close()


def read_steps(folder: Path) -> Steps:
    """What `Stepping` has left in a folder. TaktError if it is none of that."""
    path = folder / FILE
    try:
        if path.stat().st_size > LONGEST:
            raise TaktError(f"{path} is longer than any that Takt writes")
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        steps = tuple(
            Step(
                float(t),
                {str(language): str(text) for language, text in words.items()},
                Path(str(name)).name,
                tuple((str(part), str(what)) for part, what in noted),
            )
            for t, words, name, noted in told["steps"]
        )
        curves = tuple(
            Curve(str(name), str(unit), tuple(map(float, t_s)), tuple(map(float, values)))
            for name, (unit, t_s, values) in told["curves"].items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise TaktError(f"{folder} has no steps that can be read: {type(error).__name__}") from error
    return Steps(steps, curves)


def _told(events: Sequence[Event], noted: Sequence[tuple[str, str]], station: str, language: str) -> str:
    told = [happening(event, station, language) for event in events]
    told += [noted_happening(0.0, one, station, language) for one in noted]
    return " ".join(one.words for one in told)[:LONGEST_WORDS]
