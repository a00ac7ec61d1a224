"""Pictures of units for a report: from the ledger's snapshots, or with the unit worked once more.

A snapshot is of the end of a unit, so it shows how a unit ended. What led to it is seen only if the worker works the
unit again, which is done on request alone: a report opens no worker by itself. A station that can be looked at closely
(`Watched`) is seen so, at three moments, and one good unit beside the bad ones; any other draws itself as it does.
"""

from __future__ import annotations

import base64
import io
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.options import takes
from takt.contract.station import Station, TaktError, Unseen, Watched, loaded, registered_station
from takt.draw.words import hms
from takt.ledger import Ledger
from takt.ledger.pack import unpack
from takt.ledger.trust import NOTHING, Named, NotNamed, open_station_of
from takt.shift import Shift, reset_as, steps_of_unit

MOST_PICTURES = 24  # units
MOST_WORKED = 6  # bad units that are worked again for their moments, of as many reasons as there are
MOMENTS = 3  # of a unit
WIDTH, CLOSE_WIDTH = 960, 420  # pixels
QUALITY = 78  # of JPEG
INSPECTED = "at the inspection"


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture as a data URI, and what it shows."""

    picture: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures by unit number, the bad ones and `good`, one that was; a line that says why some are missing, or ""."""

    by_unit: Mapping[int, Sequence[Moment]]
    note: str = ""
    good: int | None = None


def pictures_of(
    book: Ledger,
    shift: Shift,
    work_again: bool,
    named: Named = NOTHING,
    on_picture: Callable[[int, int], None] | None = None,
) -> Pictures:
    """Of each failed unit, as it was right after its end. Whatever goes wrong, there is a report."""
    ended = {e.unit: e for e in shift.events if e.kind in UNIT_ENDED and e.unit is not None}
    bad = [unit for unit, event in ended.items() if event.kind == UNIT_BAD]
    if not bad:
        return Pictures({})
    good = next((unit for unit, event in ended.items() if event.kind == UNIT_GOOD), None)
    found: dict[int, Sequence[Moment]] = {}

    def made(note: str) -> Pictures:
        return Pictures(found, note, good if good in found else None)

    try:
        for number, moments in islice(_seen(book, shift, bad, good, work_again, named), MOST_PICTURES + 1):
            found[number] = moments
            if on_picture is not None and number != good:
                on_picture(len(found) - (good in found), min(len(bad), MOST_PICTURES))
    except NotNamed as error:
        again = f"takt report {shlex.quote(str(book.path))} {' '.join(error.wanted)}"
        return made(f"No pictures of the failed units: nothing is opened by a ledger's word. On yours it is: {again}")
    except TaktError as error:
        return made(f"No pictures of the failed units: {error}.")
    except Exception as error:  # whatever a station's drawing may raise: a report without pictures beats none
        return made(f"No pictures of the failed units: {type(error).__name__} while drawing: {error}.")
    seen = len(found) - (good in found)
    return made(f"Pictures of {seen} of {len(bad)}." if seen < len(bad) else "")


def opened_to_draw(shift: Shift, named: Named) -> Station:
    """The station of a shift, opened so that it can `render`."""
    return open_station_of(shift.path, shift.meta, named, **_to_draw(shift.meta["station"]))


def drawn_steps(
    ledger: str | os.PathLike[str], unit: int, named: Named = NOTHING
) -> Iterator[tuple[Station, list[Event]]]:
    """`steps_of_unit` of a station that can `render`. Gymnasium has an option for that; not every station does."""
    with Ledger.open(ledger) as book:
        name = book.meta["station"]
    yield from steps_of_unit(ledger, unit, named=named, **_to_draw(name))


def is_own(station: Any) -> bool:
    """Whether what is to be seen is the unit's that fell due last, and no more that of the one before."""
    return bool(getattr(station, "in_place", lambda: True)())


def moments_of(ledger: str | os.PathLike[str], ended: Event, named: Named = NOTHING) -> list[tuple[float, str, Any]]:
    """A unit of a `Watched` station, worked again: (s of the unit, words, picture) of what led to its end, and of that.

    Of what was noted, the last that concerns the parts that were not good, or all parts of a unit that was.
    """
    parts: Mapping[str, Any] = ended.data.get("parts") or {}
    wrong = [str(name) for name, part in parts.items() if not part.get("good", False)]
    noted: list[tuple[float, str, Any]] = []
    last: tuple[float, str, Any] | None = None
    assert ended.unit is not None
    began_s: float | None = None
    for station, happened in drawn_steps(ledger, ended.unit, named):
        assert isinstance(station, Watched)
        began_s = station.now if began_s is None else began_s
        mine = [(part, words) for part, words in station.noted() if not part or not wrong or part in wrong]
        over = any(event.unit == ended.unit and event.kind in UNIT_ENDED for event in happened)
        if mine and not over and is_own(station):
            said = ", ".join(f"{part} {words}".strip() for part, words in mine)
            noted = [*noted, (station.now - began_s, said, station.closeup())][-MOMENTS:]
        if over or station.now > ended.t_s - 1.5 * station.spec.control_s:
            last = last or (station.now - began_s, INSPECTED, station.closeup())
    return [*noted[1 - MOMENTS :], *([last] if last else [])]


def _seen(
    book: Ledger, shift: Shift, bad: Sequence[int], good: int | None, work_again: bool, named: Named
) -> Iterator[tuple[int, Sequence[Moment]]]:
    """The station right after each of these units; if it can be looked at closely, a good unit too."""
    station = opened_to_draw(shift, named)
    try:
        reset_as(station, shift.meta)
        closely = isinstance(station, Watched)
        worked = _first_of_each(shift, bad) if closely and work_again else []
        for number in [*bad[:MOST_PICTURES], *([good] if good is not None and closely else [])]:
            if closely and work_again and (number in worked or number == good):
                assert book.path is not None
                ended = next(e for e in book.events() if e.unit == number and e.kind in UNIT_ENDED)
                told = moments_of(book.path, ended, named)
                yield number, [Moment(data_uri(shot, CLOSE_WIDTH), f"{hms(at)} {words}") for at, words, shot in told]
                continue
            snapshot = book.snapshot(number + 1)
            if snapshot is None or snapshot.unit != number:
                continue  # units overlap here, and another one ended meanwhile
            station.load(unpack(snapshot.state)["station"])
            try:
                if isinstance(station, Watched):
                    yield number, [Moment(data_uri(station.closeup(), CLOSE_WIDTH), INSPECTED)]
                else:
                    yield number, [Moment(data_uri(station.render()))]
            except Unseen as unseen:
                if not work_again:
                    raise TaktError(f"{unseen}; --work-again has the worker do these units once more") from unseen
                yield number, [Moment(data_uri(worked_again(book, number, named)))]
    finally:
        station.close()


def _first_of_each(shift: Shift, bad: Sequence[int]) -> list[int]:
    """Some of the bad units: the first of each main reason, then more."""
    why = {e.unit: str((e.data.get("reasons") or [""])[0]) for e in shift.events if e.kind == UNIT_BAD}
    first = {why.get(unit): unit for unit in reversed(bad)}
    chosen = [unit for unit in bad if unit in first.values()]
    return [*chosen, *(unit for unit in bad if unit not in chosen)][:MOST_WORKED]


def worked_again(book: Ledger, number: int, named: Named = NOTHING) -> Any:
    """The station at the end of a unit, worked once more."""
    assert book.path is not None
    ended_s = next(e.t_s for e in book.events() if e.unit == number and e.kind in UNIT_ENDED)
    picture = None
    for station, happened in drawn_steps(book.path, number, named):
        replaced = any(event.kind == UNIT_DUE and event.unit != number for event in happened)
        if station.now > ended_s - 1.5 * station.spec.control_s and not (replaced and picture is not None):
            picture = station.render()
    return picture


def data_uri(frame: Any, width: int = WIDTH) -> str:
    """A picture (H, W, 3) uint8 as a JPEG to put inside a page, so many pixels wide at most."""
    return "data:image/jpeg;base64," + base64.b64encode(as_jpeg(frame, width)).decode()


def as_jpeg(frame: Any, width: int = WIDTH) -> bytes:
    from PIL import Image

    image = Image.fromarray(frame)
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def _to_draw(name: str) -> dict[str, Any]:
    """What a station is opened with so that it can `render`."""
    make = loaded(registered_station(name))
    return {"render_mode": "rgb_array"} if takes(make, "render_mode") else {}
