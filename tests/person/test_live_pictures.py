"""A person's live pictures at the nut cell: drawn beside the shift, of nothing but what a camera can see."""

from __future__ import annotations

import io
import os
import signal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from takt.board.person.pictures import Apart
from takt.cli.person import Page, at_work
from takt.contract.station import Fault, open_station
from takt.contract.steering import steering_of
from takt.errors import TaktError
from takt.workers.person.hatch import Hatch

pytest.importorskip("takt.stations.nutcell.station")

SHOWN = {"cameras": ["head", "left_wrist"], "camera_size": 120, "camera_hz": 15.0}


@pytest.fixture(scope="module")
def cell() -> Any:
    """A cell opened as for a person: it draws nothing itself."""
    here: Any = open_station("nutcell", difficulty="nominal")
    here.reset(seed=3)
    yield here
    here.close()


def test_live_pictures_show_what_the_cell_shows_and_are_dark_when_its_cameras_are(cell: Any) -> None:
    steering: Any = steering_of(cell.spec)
    before, state = cell.save(), steering.scene_state(cell)
    assert cell.save() == before, "being looked at changes nothing"
    drawer = steering.renderer(cell.spec.options, SHOWN)
    try:
        seen = drawer.render(state)
        assert {name: one.shape for name, one in seen.items()} == {"head": (120, 160, 3), "left_wrist": (120, 160, 3)}
        for name, one in seen.items():
            own = cell.eyes.drawn(name, 120, 160).astype(int)
            assert np.abs(own - one).mean() < 0.5, name  # it is sent single precision
        moved = np.frombuffer(state, np.float32).copy()
        moved[: cell.model.ngeom * 3] += 0.05  # all geoms 5 cm on
        assert np.abs(drawer.render(moved.tobytes())["head"].astype(int) - seen["head"]).mean() > 2
        assert not drawer.render(b"")["head"].any()
    finally:
        drawer.close()
    cell.faults.begin([Fault("camera_dropout", 0.0, 9.0)])
    cell.faults.move(0.0)
    assert steering.scene_state(cell) == b""
    cell.faults.begin(())


def test_pictures_are_of_the_newest_moment_and_a_renderer_that_dies_is_begun_again(
    cell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    steering: Any = steering_of(cell.spec)
    hatch, state = Hatch(), steering.scene_state(cell)

    def next_of(pictures: Apart, after: int) -> Any:
        """The next frame, while moments go by faster than anybody draws."""
        for stamp in range(6000):
            hatch.show({}, float(stamp), state)
            if (frame := pictures.wait(after, 0.01)) is not None:
                return frame
        raise AssertionError("no picture in a minute")

    with Apart(hatch, "nutcell", cell.spec.options, SHOWN) as pictures:
        hatch.show({}, None, state)
        assert pictures.wait(0, 0.5) is None, "nobody looks: nothing is drawn"
        hatch.come()
        first = next_of(pictures, 0)
        assert Image.open(io.BytesIO(first.jpegs["head"])).size == (160, 120)
        second = next_of(pictures, first.seen.number)
        assert second.seen.number > first.seen.number
        pid = pictures.pid
        os.kill(pid, signal.SIGKILL)
        third = next_of(pictures, hatch.seen.number if hatch.seen else 0)
        assert third.jpegs == first.jpegs and pictures.pid != pid
        pid = pictures.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    monkeypatch.setenv("MUJOCO_GL", "disable")
    with pytest.raises(TaktError, match="pictures need OpenGL"):
        Apart(hatch, "nutcell", cell.spec.options, SHOWN)


@pytest.mark.parametrize(
    ("given", "again", "cameras", "hz"),
    [
        ({"camera_hz": 8}, None, 3, 8),
        ({"cameras": ["head"]}, None, 1, 15.0),
        (None, {}, 3, 15.0),
        (None, {"cameras": ["head"]}, 1, 15.0),
    ],
)
def test_a_shift_that_is_gone_on_with_is_seen_as_one_that_begins(
    cell: Any, given: Any, again: Any, cameras: int, hz: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger's options say what its station drew: nothing, for pictures are drawn beside it."""
    shown: list[Any] = []

    class Noted:
        def __init__(self, hatch: Any, station: str, options: Any, wanted: Any) -> None:
            shown.append(wanted)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("takt.board.person.pictures.Apart", Noted)
    monkeypatch.setattr(
        "takt.contract.station.open_station",
        lambda name, **options: SimpleNamespace(spec=cell.spec, close=lambda: None),
    )
    options = dict(cell.spec.options) if given is None else given
    with at_work("nutcell", options, Page(port=0), None, 1, again):
        (wanted,) = shown
    assert (len(wanted["cameras"]), wanted["camera_hz"]) == (cameras, hz)


def test_the_cells_steering_takes_sound_controls_only_and_makes_actions_of_them(cell: Any) -> None:
    steering: Any = steering_of(cell.spec)
    given = {
        "left.x": 5,
        "right.z": -0.5,
        "left.grip": True,
        "x": 1,
        "left.y": "1",
        "right.y": float("nan"),
        "right.x": 1e-9,
    }
    assert steering.read(given) == {"left.grip": 1.0, "left.x": 1.0, "right.z": -0.5}
    assert steering.read([1]) == {} and steering.read(None) == {}
    action = steering.action(steering.read(given))
    assert cell.action_space.contains(action)
    assert action[0] == pytest.approx(0.2 * 0.02) and action[6] == 0.0 and action[13] == 1.0 and action[14] == 0.0
    assert np.array_equal(steering.action({})[[6, 13]], [1.0, 1.0])  # hands open, nothing moves
    observation = cell.observe()
    assert len(steering.gauges(observation)) == 5 and "left hand, mm" in steering.facts(observation)
    assert {key.code for key in steering.keys if key.code.startswith("Key")} == {
        f"Key{c}" for c in "WSADRFQETGIKJLPMUOYH"
    }
