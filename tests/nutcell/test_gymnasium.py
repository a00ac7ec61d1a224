"""The cell by Gymnasium's own name for it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import takt
from takt.flat import Flat
from takt.stations.nutcell import NutCell


def drawing_or_skip() -> None:
    try:
        takt.open_station("nutcell", cameras=["head"], camera_size=32).reset(seed=0)
    except takt.TaktError as error:
        pytest.skip(str(error))


@pytest.mark.filterwarnings("ignore")  # the checker has opinions on bounds
@pytest.mark.parametrize("options", [{}, {"control": "joint"}, {"line": "mixed", "cameras": ["head", "left_wrist"]}])
def test_it_passes_gymnasiums_checker(options: dict[str, Any]) -> None:
    if "cameras" in options:
        drawing_or_skip()
    env = gymnasium.make("takt/NutCell-v0", **options)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_what_make_is_told_is_what_it_opens_and_it_stays_a_station() -> None:
    env = gymnasium.make("takt:takt/NutCell-v0", difficulty="harsh", line="mixed", phrasings="held_out")
    spec = env.unwrapped.spec
    assert isinstance(spec, takt.StationSpec) and spec.takt_s == 76.0 and "lane_empty" in spec.faults
    assert spec.options["difficulty"] == "harsh" and spec.options["phrasings"] == "held_out"
    assert env.spec is not None and env.spec.id == "takt/NutCell-v0"
    seen, _ = env.reset(seed=5, options={"faults": (takt.Fault("feeder_jam", 0.02, 5.0),)})
    here = takt.open_station("nutcell", **spec.options)
    same, _ = here.reset(seed=5)
    assert seen["order"] == same["order"] and (seen["observation.state"] == same["observation.state"]).all()
    happened = []
    for _ in range(3):
        _, reward, terminated, truncated, info = env.step(np.zeros(15, np.float32))
        assert (reward, terminated, truncated) == (0.0, False, False), "a shift has no episodes"
        happened += [event.data["name"] for event in info["events"]]
    assert happened == ["feeder_jam"]
    env.close()
    here.close()


@pytest.mark.filterwarnings("ignore")
def test_the_flat_view_has_no_dots_no_nesting_and_no_text_and_says_the_same() -> None:
    cell = takt.open_station("nutcell", line="mixed", privileged=True)
    flat = Flat(cell)  # type: ignore[arg-type]
    assert all(name.isidentifier() for name in flat.observation_space.spaces)  # type: ignore[attr-defined]
    assert all(isinstance(part, gymnasium.spaces.Box) for part in flat.observation_space.spaces.values())  # type: ignore[attr-defined]
    seen, _ = flat.reset(seed=4)
    plain, _ = cell.reset(seed=4)
    assert flat.observation_space.contains(seen)
    assert (seen["state"] == plain["observation.state"]).all()
    assert (seen["privileged_nuts"] == plain["observation.privileged"]["nuts"]).all()
    assert "".join(map(chr, seen["order"][seen["order"] > 0])) == plain["order"]
    check_env(flat, skip_render_check=True)


def test_pictures_are_the_workers_own_to_write_on() -> None:
    drawing_or_skip()
    cell = takt.open_station("nutcell", cameras=["head"], camera_size=32, camera_hz=1.0)
    seen, _ = cell.reset(seed=1)
    first = seen["observation.images.head"].copy()
    seen["observation.images.head"][:] = 0
    again, *_ = cell.step(cell.hold)
    assert (again["observation.images.head"] == first).all(), "the same picture, and not the one that was blackened"
    held = again["observation.images.head"]
    for _ in range(50):
        cell.step(cell.hold)
    assert (held == first).all(), "what a worker keeps does not change under its hands"


ASYNC = """
import gymnasium, numpy, takt.stations.nutcell
from takt import open_station
from takt.flat import Flat
make = lambda: Flat(open_station("nutcell", cameras=["head"], camera_size=32))
envs = gymnasium.vector.AsyncVectorEnv([make, make])
seen, _ = envs.reset(seed=[1, 2])
for _ in range(3):
    seen, *_ = envs.step(numpy.zeros((2, 15), numpy.float32))
alone = make()
one, _ = alone.reset(seed=1)
for _ in range(3):
    one, *_ = alone.step(numpy.zeros(15, numpy.float32))
envs.close()
print(seen["images_head"].shape, int((seen["images_head"][0] != one["images_head"]).sum()))
"""


def test_cells_with_a_camera_work_side_by_side_in_forked_processes() -> None:
    """In a process of its own, so that a context that is open here already is not what is tested."""
    drawing_or_skip()
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ASYNC], capture_output=True, text=True, timeout=240)
    assert done.stdout == "(2, 32, 32, 3) 0\n", done.stderr[-2000:]


def test_opening_a_cell_with_cameras_draws_nothing_yet() -> None:
    cell = NutCell(cameras=["head"])
    assert cell.eyes.images == {} and cell.eyes.renderers == {}
