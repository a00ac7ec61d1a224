from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import Event, Ledger, Shift, TaktError, run_shift
from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    HELP_CALLED,
    SHIFT_ENDED,
    SHIFT_STARTED,
    UNIT_BAD,
    UNIT_DUE,
    UNIT_GOOD,
)
from takt.draw.words import hms
from takt.show.report import Pictures, ended_units, page, write_report
from toy import Toy, push

VOID = {"meta", "img", "br", "hr", "link", "input", "wbr"}
NASTY = "<script>alert('x')</script>&\"$x$"
FROZEN = {"id": "FrozenLake-v1", "takt_s": 10}


class Page(HTMLParser):
    """The page, read: what is in which tag, and whether every tag that is opened is closed in its place."""

    def __init__(self, text: Any) -> None:
        super().__init__()
        self.open, self.tags, self.wrong, self.texts = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: Any, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: Any, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: Any) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))

    def handle_data(self, data: Any) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def count(self, tag: Any) -> Any:
        return sum(name == tag for name, _ in self.tags)


def read(text: Any) -> Any:
    """The page, which is well-formed and loads nothing."""
    found = Page(text)
    assert not found.open and not found.wrong
    assert found.count("script") == found.count("link") == found.count("iframe") == 0
    for tag, attributes in found.tags:
        for key in ("src", "href", "xlink:href", "data", "srcset", "action"):
            value = attributes.get(key) or ""
            assert value == "" or value.startswith(("#", "data:image/jpeg;base64,")), (tag, key, value[:80])
        assert not any(key.startswith("on") for key in attributes)
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    return found


def made(
    units: Any = 142,
    bad: Any = 0.06,
    takt_s: Any = 76.0,
    parts: Any = ("left", "right"),
    name: Any = "not_seated",
    ended: Any = "time",
    broken: Any = (),
    seed: Any = 0,
) -> Any:
    """A shift as the nut cell would give it, from a few random draws."""
    rng = np.random.default_rng(seed)
    meta = {
        "station": "nutcell",
        "options": {"difficulty": "plant", "cameras": []},
        "worker": "expert",
        "worker_options": {},
        "seed": 0,
        "clock": "fixed:0.08",
        "faults": [{"name": "feeder_jam", "at_s": 1200.0, "for_s": 90.0}],
        "hours": 3.0,
        "units": None,
        "stop_early": False,
        "begun_utc": "2026-11-25T02:30:00+00:00",
        "machine": {"platform": "Linux", "python": "3.11.7", "cores": 2},
        "packages": {"takt": "0.1.0"},
        "wall_s": 312.5,
    }
    asks = {"good_rate": 0.902, "cycle_s": takt_s, "quantile": 0.95}
    events = [Event(0.0, SHIFT_STARTED, None, {**meta, "takt_s": takt_s, "acceptance": asks, "parts": list(parts)})]
    jam = {"name": "feeder_jam", "origin": "station", "stops": True}
    fog = {"name": "camera_dropout", "origin": "station", "stops": False}
    for unit in range(units):
        due_s, end_s = unit * takt_s, (unit + 1) * takt_s
        events.append(Event(due_s, UNIT_DUE, unit))
        if unit % 50 == 15:
            events += [Event(due_s + 9, FAULT, unit, jam), Event(due_s + 49, FAULT_CLEARED, unit, jam)]
        if unit % 40 == 30:
            events += [Event(due_s + 9, FAULT, unit, fog), Event(due_s + 29, FAULT_CLEARED, unit, fog)]
        if unit % 60 == 55:
            events.append(Event(due_s + 20, HELP_CALLED, unit, {"why": "cannot see the pin"}))
        fell = rng.random() < bad
        cycle_s = None if fell and rng.random() < 0.5 else float(rng.normal(52, 5))
        sides = {part: {"good": not (fell and (i == 0 or rng.random() < 0.3))} for i, part in enumerate(parts)}
        data = {"cycle_s": cycle_s, "parts": sides}
        why = [name, "late"] if rng.random() < 0.6 else ["dropped"]
        data |= {"reasons": why} if fell else {"first_time": True}
        events.append(Event(end_s, UNIT_BAD if fell else UNIT_GOOD, unit, data))
    if ended:
        events.append(Event(units * takt_s, SHIFT_ENDED, None, {"reason": ended}))
    return Shift(tuple(events), meta, None, list(broken), ended)


def test_a_page_says_what_a_plant_wants_to_know_the_verdict_first() -> None:
    shift = made()
    found = read(page(shift))
    bad = sum(event.kind == UNIT_BAD for event in shift.events)
    assert found.text.index("accept") < found.text.index("Run@Rate") < found.text.index("What was run")
    for said in (
        "expert at nutcell",
        "142 units",
        "required 90.2 %",
        "feeder jam",
        "not seated",
        "help called",
        shift.digest,
    ):
        assert said in found.text
    assert found.count("svg") == 8, "four plots, each in a wide and a narrow shape"
    assert sum(attributes.get("id", "").startswith("unit-") for tag, attributes in found.tags if tag == "tr") == bad


def test_a_page_says_how_far_its_verdict_stands_and_which_rules_judged() -> None:
    text = read(page(made(bad=0.01))).text
    assert "accept" in text and "Stands up to stickiness up to 0." in text
    assert "Judged by" in text and "rules of November 2026" in text
    assert "What cycle time it holds" in text and "worked at a takt of 76 s" in text
    undecided = read(page(made(30, bad=0.0))).text
    assert "more good units would decide it" in undecided


def test_the_same_shift_gives_the_same_page() -> None:
    assert page(made()) == page(made())


def test_what_a_station_or_worker_says_is_text_and_no_markup() -> None:
    shift = made(30, bad=0.5, parts=(NASTY, "right"), name=NASTY, broken=[NASTY])
    shift.meta["worker"] = NASTY
    text = page(shift, Pictures({}, NASTY))
    found = read(text)
    assert "<script" not in text and found.text.count("<script>alert('x')</script>&\"$x$") > 20


def test_a_shift_without_a_finished_unit_has_a_page() -> None:
    for shift in (made(0), made(0, ended=""), made(0, parts=())):
        found = read(page(shift))
        assert "undecided" in found.text and found.count("svg") == 0
    assert "takt resume" in read(page(made(0, ended=""))).text
    begun = made(0, ended="")
    read(page(Shift((), begun.meta, None, [], "")))  # killed before its first event


def test_a_shift_that_is_shorter_than_a_units_life_has_a_page_though_none_of_its_units_is_judged() -> None:
    shift = made(3)
    desk = replace(shift.events[0], data={**shift.events[0].data, "pace": "arrivals", "unit_life_s": 1800.0})
    found = read(page(Shift((desk, *shift.events[1:]), shift.meta, None, [], "time")))
    assert "work a longer shift" in found.text and "3 units cut off" in found.text
    assert found.count("svg") == 4, "its timeline and cycle times, each wide and narrow"


def test_failures_are_counted_of_the_units_that_the_figures_are_of() -> None:
    """Of five bad units, one each 76 s, the last two had less than the 200 s that one may take: each says so."""
    shift = made(5, bad=1.0, parts=())
    desk = replace(shift.events[0], data={**shift.events[0].data, "pace": "arrivals", "unit_life_s": 200.0})
    text = page(Shift((desk, *shift.events[1:]), shift.meta, None, [], "time"))
    found = read(text)
    assert "5 units, 3 of them judged" in found.text and text.count('"quiet">not judged') == 2
    counts = re.findall(r"<span>(\d+)</span></dd>", text)
    assert sum(map(int, counts)) == 3


def test_a_shift_of_one_unit_all_bad_and_one_without_takt_or_parts() -> None:
    assert "reject" in read(page(made(60, bad=1.0))).text
    read(page(made(1)))
    read(page(made(1, bad=1.0)))
    shift = made(9, parts=())
    started = Event(
        0.0, SHIFT_STARTED, None, {key: value for key, value in shift.events[0].data.items() if key != "takt_s"}
    )
    assert read(page(Shift((started, *shift.events[1:]), shift.meta, None, [], "time"))).count("svg") == 6


def test_a_long_shift_has_a_page() -> None:
    assert "2000 units" in read(page(made(2000, bad=0.2))).text


def test_what_the_worker_did_wrong_is_on_the_page() -> None:
    found = read(page(made(5, broken=[f"worker 'w' raised Oops: {i} (at 3.00 s)" for i in range(7)])))
    assert "raised Oops: 4" in found.text and "raised Oops: 5" not in found.text and "and 2 more" in found.text


def test_units_know_what_was_going_on_meanwhile() -> None:
    units = ended_units(made(60).events)
    assert units[15].meanwhile == ("feeder_jam",) and units[30].meanwhile == ("camera_dropout",)
    assert units[55].meanwhile == ("help called: cannot see the pin",) and units[14].meanwhile == ()
    assert hms(0) == "0:00:00" and hms(3599.5) == "1:00:00" and hms(100 * 3600) == "100:00:00"


def test_every_failed_unit_has_its_picture(tmp_path: Path) -> None:
    shift = run_shift("gym", "idle", units=4, seed=1, station_options=FROZEN, ledger=tmp_path / "a.takt")
    seen = []
    out = write_report(tmp_path / "a.takt", work_again=True, on_picture=lambda *done: seen.append(done))
    assert out == tmp_path / "a.html" and seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    found = read(out.read_text(encoding="utf-8"))
    assert found.count("img") == 4 and shift.digest in found.text
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["a.html", "a.takt"]


def test_a_picture_shows_the_end_of_its_own_unit(tmp_path: Path) -> None:
    """Not the beginning of the next one, which is what the environment is in when a unit's takt is over."""
    from takt.show.report.pictures import drawn_steps, worked_again

    options = {"id": "CartPole-v1", "takt_s": 0.1, "success": "truncated"}
    run_shift("gym", "idle", units=3, seed=1, station_options=options, ledger=tmp_path / "a.takt")
    with Ledger.open(tmp_path / "a.takt") as book:
        picture = worked_again(book, 1)
    frames = [station.render() for station, _ in drawn_steps(tmp_path / "a.takt", 1)]
    assert len(frames) == 5 and np.array_equal(picture, frames[-2]) and not np.array_equal(picture, frames[-1])


STORY = {
    11: [("left", "takes a nut")],
    12: [("right", "takes a nut")],
    13: [("left", "nut on the pin")],
    14: [("left", "lets go"), ("", "a hand pushes with 41 N")],
    15: [("right", "seated")],
}


class Looked:
    """A station to be looked at closely: what is noted at each second, and a picture that is the second."""

    spec, now = Toy(control_s=1.0).spec, 10.0

    def noted(self) -> Any:
        return STORY.get(int(self.now), [])

    def closeup(self) -> Any:
        return np.full((2, 2, 3), int(self.now), np.uint8)

    def gauges(self) -> Any:
        return {}


def test_the_moments_of_a_unit_are_what_led_to_its_end_on_the_side_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    from takt.show.report import pictures

    def worked(left: bool) -> list[tuple[float, str, int]]:
        ended = Event(20.0, UNIT_BAD, 1, {"parts": {"left": {"good": left}, "right": {"good": True}}})

        def steps(*_: Any) -> Any:
            station = Looked()
            while station.now < 20.0:
                station.now += 1.0
                yield station, [ended] if station.now == 20.0 else []

        monkeypatch.setattr(pictures, "drawn_steps", steps)
        return [(at_s, words, int(shot[0, 0, 0])) for at_s, words, shot in pictures.moments_of("a.takt", ended)]

    before = [(2.0, "left nut on the pin", 13), (3.0, "left lets go, a hand pushes with 41 N", 14)]
    end = [(8.0, "at the inspection", 19)]
    assert worked(left=False) == before + end, "the right side was well: it is not shown"
    assert worked(left=True) == [before[1], (4.0, "right seated", 15)] + end


def test_a_report_without_pictures_and_one_whose_station_cannot_be_drawn(tmp_path: Path) -> None:
    run_shift("gym", "idle", units=2, station_options=FROZEN, ledger=tmp_path / "a.takt")
    out = write_report(tmp_path / "a.takt", tmp_path / "deep" / "b.html", pictures=False)
    assert "without pictures" in read(out.read_text()).text
    run_shift(Toy(spoil=1.0), push, units=2, ledger=tmp_path / "toy.takt")
    found = read(write_report(tmp_path / "toy.takt").read_text())
    assert "No pictures of the failed units: no station named 'toy'" in found.text and found.count("img") == 0


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_shift("gym", "idle", units=1, station_options=FROZEN, ledger=tmp_path / "a.takt")
    shutil.copy(tmp_path / "a.takt", tmp_path / "b.takt")
    with pytest.raises(TaktError, match="it is what is read"):
        write_report(tmp_path / "a.takt", tmp_path / "a.takt")
    with pytest.raises(TaktError, match="is a directory"):
        write_report(tmp_path / "a.takt", tmp_path)
    with pytest.raises(TaktError, match="cannot write"):
        write_report(tmp_path / "a.takt", tmp_path / "b.takt" / "a.html")
    with pytest.raises(TaktError, match="there is no ledger"):
        write_report(tmp_path / "none.takt")
    monkeypatch.setattr("takt.show.report.page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(tmp_path / "a.takt")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.takt", "b.takt"]


def test_a_report_of_a_running_shift_changes_nothing(tmp_path: Path) -> None:
    class Cut(Toy):
        def step(self, action: Any) -> Any:
            if self.period == 250:
                raise KeyboardInterrupt
            return super().step(action)

    with pytest.raises(KeyboardInterrupt):
        run_shift(Cut(), push, units=5, ledger=tmp_path / "a.takt")
    before = (tmp_path / "a.takt").read_bytes()
    assert "has not ended" in read(write_report(tmp_path / "a.takt", pictures=False).read_text()).text
    assert (tmp_path / "a.takt").read_bytes() == before
