"""A unit seen again: re-simulated from its snapshot by the shift's own loop, drawn by the station, as an mp4.

No video is ever stored. What is filmed is what happened: the events that the re-simulation gives are compared with
those in the ledger, and `Replay.same` says whether they are equal.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.events import THOUGHT, UNIT_BAD, UNIT_DUE, UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.station import Station, TaktError
from takt.draw.words import hms
from takt.errors import Different
from takt.judge.spans import faults_of_unit
from takt.ledger import Ledger, spelled
from takt.ledger.store import place_of
from takt.ledger.trust import NOTHING, Named
from takt.show.report.pictures import drawn_steps, is_own
from takt.show.steps import stepping_into
from takt.show.transcript import is_about, there_already
from takt.writing import FILM, whole_file

FPS = 25.0
LEAST_SPEED, MOST_SPEED = 0.01, 10_000.0  # times real time: a film of hours, a film of one picture
USUAL_S = 15.0  # about so long is a film whose speed nobody says; a unit that is over sooner is shown as fast as it was
DRAWN_IN_S = 6.0  # wall time that drawing such a film may take; a station that draws slowly has fewer pictures
LEAST_FPS = 5.0
AFTER_S = 2.0  # station time that a film goes on after the worker has finished
TONES = {UNIT_GOOD: (69, 196, 180), UNIT_BAD: (245, 132, 145)}  # of what is written of an event; all others: OTHER
OTHER = (226, 176, 98)
SAID_FOR_S = 3.0  # station time for which a thing that happened stays written below the picture
LEAST_SIDE = 256  # pixels


@dataclass(frozen=True, slots=True)
class Replay:
    """A film that was made. `same` tells whether every event came out as it is in the ledger; `seconds` it lasts."""

    path: Path
    unit: int
    frames: int
    seconds: float
    events: int
    same: bool


def replay(
    ledger: str | os.PathLike[str],
    unit: int,
    out: str | os.PathLike[str],
    *,
    speed: float | None = None,
    named: Named = NOTHING,
    on_frame: Callable[[float, float], None] | None = None,
    steps: str | os.PathLike[str] | None = None,
) -> Replay:
    """Film `unit` of the shift in `ledger` at `speed` times real time, and write it to `out` (mp4, H.264).

    The film ends a little after the worker has finished the unit, which then goes on undrawn to its end, where it is
    known whether it came out the same. Without a speed it is one at which the film lasts some 15 s, and real time at
    least, with fewer pictures where the station is drawn slowly.

    The unit is worked again, so the worker is opened; `named` has what of it the user named (trust.py).
    `steps`: a folder for pictures to step through and curves (steps.py); the whole unit is then looked at, to its end.
    `on_frame(done_s, of_s)` is called after every picture, in station time. Raises TaktError if the unit has not ended,
    if the station cannot be drawn here, or if `out` cannot be written; nothing is written then.
    """
    if speed is not None and not LEAST_SPEED <= speed <= MOST_SPEED:
        raise TaktError(f"a replay cannot run at {speed:g} times real time; give {LEAST_SPEED:g} to {MOST_SPEED:,.0f}")
    out = Path(out)
    if out.suffix != ".mp4":
        raise TaktError(f"a replay is an mp4: call it {out.with_suffix('.mp4')}, not {out}")
    with Ledger.open(ledger) as book:
        recorded, snapshot = book.events(), book.snapshot(unit)
    ended = {event.unit: event for event in recorded if event.kind in UNIT_ENDED}
    if unit not in ended or snapshot is None:
        raise TaktError(f"unit {unit} has not ended in {ledger}; {_has(len(ended))}")
    ended_s = ended[unit].t_s
    due_s = next((event.t_s for event in recorded if event.kind == UNIT_DUE and event.unit == unit), 0.0)
    cycle_s = ended[unit].data.get("cycle_s")
    shown_s = ended_s if cycle_s is None else min(ended_s, due_s + float(cycle_s) + AFTER_S)
    usual = speed is None
    if speed is None:
        speed = max(1.0, round((shown_s - due_s) / USUAL_S, 1))
    again: list[Event] = []
    picture: Any = None
    said, said_s, tone = "", -math.inf, OTHER  # what happened last, and when
    faults, before = faults_of_unit(recorded, unit), there_already(recorded, unit)
    with (
        stepping_into(steps, unit, due_s, ended_s, before) as stepping,
        whole_file(out, FILM, [place_of(ledger)]) as new,
        Film(new, speed) as film,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", Different)  # of a unit that came out differently: `same` says so
        for station, happened in drawn_steps(ledger, unit, named):
            again += happened
            now = station.now
            if now < due_s:  # a unit that overlaps others is re-simulated from before it fell due
                continue
            if stepping is not None:
                stepping.look(station, happened)
            for event in happened:
                mine = is_about(unit, event.unit, event.kind, event.t_s, (due_s, now))
                if mine and event.kind not in (UNIT_DUE, THOUGHT):
                    said, said_s, tone = _said(event), now, TONES.get(event.kind, OTHER)
            if (now > shown_s and picture is not None) or (picture is None and not is_own(station)):
                continue
            if usual and picture is None:
                film.fps = _affordable_fps(station, (shown_s - due_s) / speed)
            wanted = film.wants_picture(station.spec.control_s)
            if wanted and (picture is None or not _begins_another(happened, unit)):
                picture = station.render()
                left = f"unit {unit}   {hms(now)}   {max(0.0, ended_s - now):.1f} s left{_told(station)}"
                fresh = now - said_s < SAID_FOR_S
                there = ", ".join(dict.fromkeys(one.name for one in faults if one.start_s <= now < one.end_s))
                film.add(picture, left, said if fresh else _plainly(there), tone if fresh else OTHER)
                if on_frame is not None:
                    on_frame(min(now, shown_s) - due_s, shown_s - due_s)
        at = f"unit {unit}   {hms(shown_s)}" + ("" if cycle_s is None else f"   done in {float(cycle_s):.1f} s")
        why = _said(ended[unit])
        if faults and ended[unit].kind == UNIT_BAD:
            why += f" ({_plainly(', '.join(dict.fromkeys(one.name for one in faults)))})"
        last = film.add(picture, at, why, TONES[ended[unit].kind], for_s=1.0)
        if stepping is not None:
            stepping.cover(last)
    then = recorded[snapshot.seq : snapshot.seq + len(again)]
    same = ended[unit] in again and [spelled(event) for event in again] == [spelled(event) for event in then]
    return Replay(out, unit, film.frames, float(film.frames / film.rate), len(again), same)


class Film:
    """An mp4 being written: a picture every so many control periods, as near to FPS a second as that gets."""

    def __init__(self, path: Path, speed: float) -> None:
        self._path, self._speed = path, speed
        self.fps = FPS  # to be changed before the first picture
        self.rate = Fraction(FPS).limit_denominator(1000)  # pictures a second
        self.frames = 0
        self._every = 0  # control periods from one picture to the next; known at the first
        self._periods = 0
        self._file: Any = None
        self._stream: Any = None

    def __enter__(self) -> Film:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is None:
            return
        try:
            if kind is None:
                self._file.mux(self._stream.encode(None))
        finally:
            self._file.close()

    def wants_picture(self, control_s: float) -> bool:
        """To be called once a control period. The first is always wanted."""
        if not self._every:
            self._every = max(1, round(self._speed / (self.fps * control_s)))
            self.rate = Fraction(self._speed / (self._every * control_s)).limit_denominator(1000)
        self._periods += 1
        return (self._periods - 1) % self._every == 0

    def add(self, picture: Any, left: str, right: str, tone: tuple[int, int, int], for_s: float = 0.0) -> np.ndarray:
        """A picture with a line of text below it, the right part in `tone`; one that stays for `for_s` seconds, if that
        is longer. Returns it as it is shown."""
        import av

        drawn = _captioned(_large_enough(picture), left, right, tone)
        if self._file is None:
            height, width, _ = drawn.shape
            self._file = av.open(str(self._path), "w", format="mp4", options={"movflags": "+faststart"})
            # yuv420p is what every browser plays
            self._stream = self._file.add_stream("h264", rate=self.rate, options={"crf": "20", "preset": "veryfast"})
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        for _ in range(max(1, round(for_s * self.rate))):
            self._file.mux(self._stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
            self.frames += 1
        return drawn


def _affordable_fps(station: Station, lasts_s: float) -> float:
    """Pictures a second, FPS at most, of which a film that lasts so long is drawn in DRAWN_IN_S."""
    station.render()  # the first makes what drawing needs
    began = time.perf_counter()
    station.render()
    cost_s = time.perf_counter() - began
    return min(FPS, max(LEAST_FPS, DRAWN_IN_S / max(cost_s * lasts_s, 1e-9)))


def _large_enough(picture: Any) -> np.ndarray:
    """At least LEAST_SIDE pixels wide and high, in whole steps: letters below a grid world of 8 x 8 would not fit."""
    if not isinstance(picture, np.ndarray) or picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise TaktError("this station cannot be drawn: its render() gives no (height, width, 3) uint8 picture")
    times = math.ceil(LEAST_SIDE / min(picture.shape[:2]))
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def _told(station: Station) -> str:
    """What the station says of the unit as it is now, if it says anything: `told`, a few words."""
    words = getattr(station, "told", "")
    return f"   {words}" if isinstance(words, str) and words else ""


def _captioned(picture: np.ndarray, left: str, right: str, tone: tuple[int, int, int]) -> np.ndarray:
    """The picture with a line of text below it; its sides are even, as H.264 wants them."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    bar = 34 if width >= 600 else 24
    drawn = Image.new("RGB", (width, height + bar), (19, 21, 24))
    drawn.paste(Image.fromarray(picture), (0, 0))
    drawn.paste((19, 21, 24), (0, height, width, height + bar))
    pen = ImageDraw.Draw(drawn)
    font = ImageFont.load_default(18 if width >= 600 else 12)
    middle = height + bar // 2
    pen.text((12, middle), left, fill=(233, 234, 236), font=font, anchor="lm")
    pen.text((width - 12, middle), right, fill=tone, font=font, anchor="rm")
    return np.asarray(drawn)


def _said(event: Event) -> str:
    """An event in a few words: "bad: not seated, late"."""
    what = {UNIT_GOOD: "good", UNIT_BAD: "bad"}.get(event.kind, event.kind)
    about = event.data.get("reasons") or [event.data[key] for key in ("name", "why", "side") if key in event.data]
    return _plainly(f"{what}: {', '.join(str(a) for a in about)}" if about else what)


def _plainly(names: str) -> str:
    """As much of names as there is room for below a picture."""
    return names.replace("_", " ")[:80]


def _begins_another(happened: Sequence[Event], unit: int) -> bool:
    """Whether what is to be seen now may be the next unit already, and not how this one ended."""
    return any(event.kind == UNIT_DUE and event.unit != unit for event in happened)


def _has(units: int) -> str:
    return f"it has units 0 to {units - 1}" if units else "it has no finished unit yet"
