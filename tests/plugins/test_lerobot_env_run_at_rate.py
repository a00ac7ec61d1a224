"""The plug-in for LeRobot: the environment itself, and, where lerobot is, LeRobot's own way to it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from takt import Event, TaktError
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.stations.nutcell import NutCell
from takt.stations.nutcell.export import summed

PLUGIN = Path(__file__).parents[2] / "plugins/lerobot_env_run_at_rate/src/lerobot_env_run_at_rate"
spec = importlib.util.spec_from_file_location(
    "lerobot_env_run_at_rate_env", PLUGIN / "env.py"
)  # its package needs lerobot
assert spec and spec.loader
env_module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(env_module)
UnitEnv: Any = env_module.UnitEnv


@pytest.mark.filterwarnings("ignore")  # the checker has opinions on bounds
def test_it_is_a_gymnasium_environment() -> None:
    env = UnitEnv(line="mixed", cameras="")
    check_env(env, skip_render_check=True)
    assert set(env.observation_space.spaces) == {"agent_pos", "setpoint", "touch", "takt_left"}, "no camera is open"
    assert env._max_episode_steps == 760 and env.metadata["render_fps"] == 10
    env.close()


def test_a_step_does_what_a_row_of_the_dataset_says() -> None:
    """Actions that were summed for a row come out as the same path, when they were even."""
    cell, env = NutCell(line="mixed"), UnitEnv(line="mixed")
    seen, _ = cell.reset(seed=9)
    told, info = env.reset(seed=9)
    assert env.task_description == seen["order"] and info == {"is_success": False}
    periods = np.zeros((50, 15), np.float32)
    periods[:, [0, 9, 5]] = np.repeat(np.linspace(-0.004, 0.004, 10), 5)[:, None]
    periods[:, [6, 13]] = np.repeat(np.linspace(0, 1, 10), 5)[:, None]
    for action in periods:
        seen = cell.step(action)[0]
    for action in summed(periods, 5, "ee"):
        assert env.action_space.contains(action)
        told, _, ended, cut, info = env.step(action)
        assert not ended and not cut and not info["is_success"]
    assert np.allclose(told["setpoint"], np.ravel(seen["observation.setpoint"]), atol=1e-6)
    assert np.allclose(told["agent_pos"][:16], seen["observation.state"][:16], atol=1e-4)
    env.close()
    cell.close()


@pytest.mark.parametrize("kind", [UNIT_GOOD, UNIT_BAD])
def test_the_inspection_ends_an_episode(kind: str, monkeypatch: Any) -> None:
    env = UnitEnv()
    seen, _ = env.cell.reset(seed=1)
    monkeypatch.setattr(env.cell, "step", lambda action: (seen, 0.0, False, False, {"events": [Event(76.0, kind, 0)]}))
    _, reward, ended, cut, info = env.step(np.zeros(15))
    assert (ended, cut, info["is_success"], reward) == (True, False, kind == UNIT_GOOD, float(kind == UNIT_GOOD))
    env.close()


def test_a_short_episode_is_cut_off_and_no_success() -> None:
    env = UnitEnv(episode_s=0.2)
    env.reset(seed=1)
    ends = [env.step(np.zeros(15))[2:] for _ in range(2)]
    assert [(ended, cut) for ended, cut, _ in ends] == [(False, False), (False, True)] and not ends[1][2]["is_success"]
    env.close()
    for given in ({"fps": 7}, {"fps": 0}, {"episode_s": 77}):
        with pytest.raises(TaktError):
            UnitEnv(**given)


LEROBOT = os.environ.get("TAKT_LEROBOT_PYTHON") or (sys.executable if find_spec("lerobot") else None)


@pytest.mark.skipif(LEROBOT is None, reason="no lerobot here; TAKT_LEROBOT_PYTHON names a Python that has it")
def test_lerobot_finds_it() -> None:
    script = Path(__file__).with_name("find_with_lerobot.py")
    process = subprocess.run([str(LEROBOT), str(script)], capture_output=True, text=True, timeout=400)
    assert process.returncode == 0, process.stderr[-2000:]
    found = json.loads(process.stdout.splitlines()[-1])
    assert found["observation.state"] == [2, 48] and found["observation.touch"] == [2, 192]
    assert found["steps"] == 5 and found["cut"] == [True, True] and found["success"] == [False, False]
    assert len(found["tasks"]) == 2 and all(found["tasks"])
