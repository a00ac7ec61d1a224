from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import takt.show.replay
from takt import Event, Ledger, TaktError, run_shift
from takt.contract.events import UNIT_GOOD
from takt.ledger.pack import pack, unpack
from takt.ledger.trust import Named
from takt.show.replay import Film
from takt.show.steps import read_steps
from toy import Toy, push

CART = {"id": "CartPole-v1", "takt_s": 1, "success": "return>=1"}  # an episode lasts about ten steps of 20 ms


def replay(*given: Any, **more: Any) -> Any:
    """The owner's: `test_replay:Sways` and the environments here are named again."""
    return takt.show.replay.replay(*given, named=Named(trust=True), **more)


class Sways:
    """Pushes as a random generator says, that it saves or, if it is `forgetful`, does not."""

    def __init__(self, forgetful: Any = False) -> None:
        if not forgetful:
            self.save = lambda: pack(self.rng.bit_generator.state)
            self.load = self._load

    def _load(self, state: Any) -> None:
        self.rng.bit_generator.state = unpack(state)

    def begin(self, spec: Any, seed: Any) -> None:
        self.rng = np.random.default_rng(seed)

    def act(self, observation: Any) -> list[Any]:
        return [int(self.rng.integers(2))]

    def end(self) -> None: ...


def film(path: Any) -> Any:
    """The pictures of an mp4, and how long it lasts in seconds."""
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        return frames, float(file.duration / av.time_base)


@pytest.fixture
def cart(tmp_path: Path) -> Any:
    run_shift("gym", "test_replay:Sways", units=4, seed=3, station_options=CART, ledger=tmp_path / "a.takt")
    return tmp_path / "a.takt"


def test_a_unit_is_filmed_as_it_happened(cart: Any, tmp_path: Path) -> None:
    with Ledger.open(cart) as book:
        ended = {event.unit: event for event in book.events() if event.kind == UNIT_GOOD}
    seen = []
    out, folder = tmp_path / "out" / "u2.mp4", tmp_path / "steps"
    made = replay(cart, 2, out, on_frame=lambda done, of: seen.append((done, of)), steps=folder)
    steps = round((ended[2].t_s - 2.0) / 0.02)
    assert made.same and made.unit == 2 and made.path == tmp_path / "out" / "u2.mp4"
    assert made.frames == (steps + 2) // 2 + 25, "every other period of 20 ms, from the start, and its end for a second"
    frames, lasts_s = film(made.path)
    assert len(frames) == made.frames and lasts_s == pytest.approx(made.seconds, abs=0.02)
    assert frames[0].shape == (434, 600, 3), "CartPole's picture with a line below it"
    assert np.abs(frames[0][:400].astype(int) - frames[-1][:400]).max() > 100, "something moved"
    assert seen[-1][1] == pytest.approx(ended[2].t_s - 2.0) and seen == sorted(seen)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["u2.mp4"]
    stepped = read_steps(folder)
    assert [step.words() for step in stepped.steps if step.words()] == [
        "The environment was reset: an episode began.",
        f"Good after {ended[2].data['cycle_s']:.4g} s.",
    ] and not stepped.curves
    assert stepped.steps[-1].t_s == pytest.approx(ended[2].t_s, abs=0.03)
    names = {step.picture for step in stepped.steps}
    assert names | {"steps.json", "film.jpg"} == {file.name for file in folder.iterdir()}
    with pytest.raises(TaktError, match="not by Takt"):
        (folder / "steps.json").write_text("mine")
        replay(cart, 2, out, steps=folder)


def test_a_faster_film_is_shorter_and_as_smooth(tmp_path: Path) -> None:
    run_shift("gym", "idle", units=2, station_options={**CART, "success": "truncated"}, ledger=tmp_path / "a.takt")
    slow, fast = (replay(tmp_path / "a.takt", 1, tmp_path / f"{speed}.mp4", speed=speed) for speed in (0.5, 2.0))
    assert slow.same and fast.same
    moving = [round((made.seconds - 1) * 25) for made in (slow, fast)]  # pictures, without the second at the end
    assert moving[1] == -(-moving[0] // 4) and moving[1] > 1, "every fourth, and what is left over has one too"


def test_a_replay_of_a_small_picture_is_large_enough_to_read(tmp_path: Path) -> None:
    run_shift("gym", "idle", units=2, station_options={"id": "FrozenLake-v1", "takt_s": 3}, ledger=tmp_path / "a.takt")
    made = replay(tmp_path / "a.takt", 1, tmp_path / "a.mp4")
    frames, lasts_s = film(tmp_path / "a.mp4")
    assert made.same and frames[0].shape[:2] == (280, 256) and len(frames) == made.frames
    assert lasts_s == pytest.approx(made.seconds, abs=0.3) and made.seconds >= 2
    tiny = Film(tmp_path / "tiny.mp4", 1.0)
    with tiny:
        assert tiny.wants_picture(1.0)
        tiny.add(np.zeros((7, 9, 3), np.uint8), "left", "right", (1, 2, 3))
    assert film(tmp_path / "tiny.mp4")[0][0].shape == (282, 332, 3), "37 times as large, and even"


def test_a_late_unit_ends_on_its_own_picture_and_not_on_the_next_unit(tmp_path: Path) -> None:
    options = {**CART, "takt_s": 0.1, "success": "truncated"}
    run_shift("gym", "idle", units=3, seed=1, station_options=options, ledger=tmp_path / "a.takt")
    made = replay(tmp_path / "a.takt", 1, tmp_path / "a.mp4")
    frames, _ = film(tmp_path / "a.mp4")
    assert made.same and made.frames == 2 + 25
    assert np.abs(frames[1][:400].astype(int) - frames[-1][:400]).max() < 40, "but for what compression does"


def test_a_unit_that_comes_out_differently_is_said_to(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    forgetful: dict[str, Any] = {
        "worker_options": {"forgetful": True},
        "station_options": {**CART, "success": "truncated"},
    }
    run_shift("gym", "test_replay:Sways", units=6, seed=3, **forgetful, ledger=tmp_path / "a.takt")
    made = [replay(tmp_path / "a.takt", unit, tmp_path / "a.mp4").same for unit in (3, 4, 5)]
    assert not all(made) and not [warning for warning in recwarn if "did not come out" in str(warning.message)]


def test_a_measured_shift_is_filmed_as_it_was_measured(tmp_path: Path) -> None:
    run_shift("gym", "test_replay:Sways", units=3, clock="measured", station_options=CART, ledger=tmp_path / "a.takt")
    assert replay(tmp_path / "a.takt", 1, tmp_path / "a.mp4").same


@pytest.mark.parametrize(
    ("unit", "out", "speed", "line"),
    [
        (4, "u.mp4", 1.0, "unit 4 has not ended in .*; it has units 0 to 3"),
        (-1, "u.mp4", 1.0, "unit -1 has not ended"),
        (1, "u.gif", 1.0, "call it .*u.mp4"),
        (1, "u.mp4", 0.0, "cannot run at 0 times"),
        (1, "u.mp4", float("nan"), "cannot run at nan times"),
        (1, "a.takt/u.mp4", 1.0, "cannot write"),
    ],
)
def test_what_is_given_wrong_is_one_line_and_nothing_is_written(
    cart: Any, tmp_path: Path, unit: Any, out: Any, speed: Any, line: Any
) -> None:
    with pytest.raises(TaktError, match=line) as error:
        replay(cart, unit, tmp_path / out, speed=speed)
    assert "\n" not in str(error.value) and [file.name for file in tmp_path.iterdir()] == ["a.takt"]


def test_nothing_half_written_stays_whatever_goes_wrong(
    cart: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("out of ink")

    drawn = takt.show.replay._captioned
    calls = []

    def fails_later(*given: Any) -> Any:
        calls.append(given)
        return fails() if len(calls) == 4 else drawn(*given)

    for broken in (fails, fails_later):
        monkeypatch.setattr("takt.show.replay._captioned", broken)
        with pytest.raises(RuntimeError, match="out of ink"):
            replay(cart, 1, tmp_path / "u.mp4")
        assert [file.name for file in tmp_path.iterdir()] == ["a.takt"]
    run_shift(Toy(), push, units=1, ledger=tmp_path / "toy.takt")
    with pytest.raises(TaktError, match="no station named 'toy'"):
        replay(tmp_path / "toy.takt", 0, tmp_path / "u.mp4")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.takt", "toy.takt"]


def test_a_station_that_gives_no_picture_is_said_to(cart: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("takt.stations.gym.GymStation.render", lambda self: None)
    with pytest.raises(TaktError, match="cannot be drawn"):
        replay(cart, 1, tmp_path / "u.mp4")


def test_what_happened_is_said_in_a_few_words() -> None:
    assert (
        takt.show.replay._said(Event(1.0, "unit_bad", 3, {"reasons": ["not_seated", "late"]}))
        == "bad: not seated, late"
    )
    assert takt.show.replay._said(Event(1.0, "fault", 3, {"name": "feeder_jam", "stops": True})) == "fault: feeder jam"
    assert takt.show.replay._said(Event(1.0, "nut_dropped", 3, {"side": "left"})) == "nut dropped: left"
