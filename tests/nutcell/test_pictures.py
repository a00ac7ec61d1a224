"""What cameras show is what is there, at all times; a shift that was killed shows the same."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import lined_up, on_pin, put, run

from takt import Fault, Plan, TaktError, open_station, run_shift
from takt.shift import resume_shift
from takt.stations.nutcell import NutCell

CAMERAS = ["head", "left_wrist", "right_wrist"]
JAM = Fault("feeder_jam", 1.0, 500.0)  # all nuts sleep: nothing wakes what MuJoCo leaves out of its kinematics


@pytest.fixture(scope="module")
def cells() -> tuple[NutCell, NutCell]:
    try:
        two = [
            open_station("nutcell", cameras=CAMERAS, camera_size=32, camera_hz=0.5, difficulty="harsh")
            for _ in range(2)
        ]
        two[0].reset(seed=0)
    except TaktError as error:
        pytest.skip(str(error))
    return two[0], two[1]  # type: ignore[return-value]


def seen(cell: NutCell) -> dict[str, np.ndarray]:
    return {**cell.look(), "wide": cell.render()}


def test_in_a_feeder_jam_the_head_sees_from_this_units_place_and_after_a_load_as_before(
    cells: tuple[NutCell, NutCell],
) -> None:
    cell, other = cells
    cell.reset(seed=3, options={"faults": [JAM]})
    head = cell.model.camera("head").id
    for seconds in (77.5, 77.0):
        run(cell, seconds)
        before, state = seen(cell), cell.save()
        assert np.allclose(cell.data.cam_xpos[head], cell.model.cam_pos[head]), "the unit's own place, at `harsh` 5 mm"
        other.reset(seed=0)
        other.load(state)
        after = seen(other)
        assert {name: int((before[name] != after[name]).sum()) for name in before} == dict.fromkeys(before, 0)
        run(cell, 0.6)
        run(other, 0.6)
        then, now = seen(cell), seen(other)
        assert all((then[name] == now[name]).all() for name in then)


def test_what_changes_on_the_pins_is_noted_once_and_seen_close_up(cells: tuple[NutCell, NutCell]) -> None:
    cell, _ = cells
    cell.reset(seed=5)
    run(cell, 2.5)
    assert cell.noted() == [] and cell.told == "left fetching, right fetching"
    bare, state = cell.closeup(), cell.save()
    assert bare.shape == (180, 480, 3) and cell.save() == state
    put(cell, 0, 0, on_pin(cell, 0, 0.0003), yaw=lined_up(cell, 0))
    put(cell, 1, 0, on_pin(cell, 1, 0.016), tilt=0.5)
    assert cell.noted() == [("left", "seated"), ("right", "jammed")] and cell.noted() == []
    assert cell.told == "left seated, right jammed"
    changed = np.abs(cell.closeup().astype(int) - bare).max(axis=2) > 40
    assert changed[:, :240].sum() > 200 and changed[:, 240:].sum() > 200, "each nut is seen at its own pin"
    put(cell, 1, 0, [0.30, -0.30, 0.90])
    cell.feeders.taken[1] = True
    assert cell.noted() == [("right", "lost")]
    assert set(cell.gauges()) == {f"{side} {what}" for side in ("left", "right") for what in ("grip", "push")}


def test_drawing_changes_nothing_of_what_happens(cells: tuple[NutCell, NutCell]) -> None:
    cell, other = cells
    other.draws = False
    try:
        for one in (cell, other):
            one.reset(seed=5)
        action = np.zeros(15, np.float32)
        action[2] = action[9] = -0.004
        for _ in range(150):
            a, b = cell.step(action)[0], other.step(action)[0]
        assert cell.save() != b"" and (cell.data.qpos == other.data.qpos).all()
        assert (a["observation.touch"] == b["observation.touch"]).all()
    finally:
        other.draws = True


class Sees:
    """Records what its cameras showed, and works nothing."""

    station_options = {"cameras": CAMERAS, "camera_size": 32, "camera_hz": 0.2, "difficulty": "harsh"}  # noqa: RUF012

    def begin(self, spec: Any, seed: int) -> None:
        self.said: list[Any] = []

    def act(self, observation: Any) -> Plan:
        pictures = [observation[f"observation.images.{camera}"].tobytes() for camera in CAMERAS]
        self.said = [{"pictures": zlib.crc32(b"".join(pictures))}]
        return Plan([], ask_after=233)

    def end(self) -> None: ...

    def keep_in(self, journal: Any) -> None: ...

    def records(self) -> list[Any]:
        said, self.said = self.said, []
        return said


def test_a_shift_with_cameras_killed_in_a_jam_has_the_same_pictures(cells: Any, tmp_path: Path) -> None:
    shift: dict[str, Any] = {"seed": 6, "units": 2, "clock": "fixed:0.08", "faults": ["feeder_jam@00:00:01+400s"]}
    whole = run_shift("nutcell", Sees(), **shift)

    def kill(progress: Any) -> None:
        if progress.units >= 1:
            raise KeyboardInterrupt

    path = tmp_path / "cut.takt"
    with pytest.raises(KeyboardInterrupt):
        run_shift("nutcell", Sees(), ledger=path, on_progress=kill, **shift)
    assert resume_shift(path, worker=Sees()).digest == whole.digest
