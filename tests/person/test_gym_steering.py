"""A person at a Gymnasium environment: keys for its actions, its own picture, a shift that repeats."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from takt import repeat_shift, run_shift
from takt.contract.steering import RendersApart
from takt.errors import TaktError
from takt.stations.gym import GymStation
from takt.stations.gym_steering import Steering, keys_of
from takt.workers.person import Person
from takt.workers.person.hatch import Hatch


def test_discrete_actions_have_digits_and_numbers_two_keys_each() -> None:
    lake = Steering(GymStation("FrozenLake-v1", takt_s=10).spec)
    assert [(key.code, key.control) for key in lake.keys] == [(f"Digit{i + 1}", f"it.{i}") for i in range(4)]
    assert (lake.action({}), lake.action({"it.2": 1.0}), lake.action({"it.3": 1.0, "it.1": 1.0})) == (0, 2, 1)
    pendulum = GymStation("Pendulum-v1", success="return>=-200", takt_s=10)
    swings = Steering(pendulum.spec)
    assert [key.code for key in swings.keys] == ["KeyA", "KeyD"]
    held = [swings.action(swings.read(given))[0] for given in ({}, {"it.x": 1}, {"it.x": -0.5}, {"it.y": 1, "x": 2})]
    assert held == [0.0, 2.0, -1.0, 0.0] and pendulum.action_space.contains(swings.action({"it.x": 1.0}))
    for space in (
        spaces.Discrete(11),
        spaces.Box(-np.inf, np.inf, (1,)),
        spaces.Box(0, 1, (7,)),
        spaces.MultiBinary(2),
    ):
        with pytest.raises(TaktError, match="a person cannot steer Big-v0"):
            keys_of(space, "Big-v0")


@pytest.mark.parametrize("id", ["CartPole-v1", "FrozenLake-v1"])
def test_a_person_works_an_environment_and_the_shift_repeats(
    id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("takt.workers.person.worker.steering_of", Steering)
    hatch, path = Hatch(), tmp_path / "p.takt"

    def pushes() -> None:
        hatch.come()
        for held in ({"it.1": 1.0}, {}, {"it.1": 1.0, "it.0": 0.0}) * 3:
            hatch.steer(held)
            number = hatch.seen.number if hatch.seen else 0
            while hatch.over is None and hatch.wait_seen(number + 4, 0.1) is None:
                pass

    somebody = threading.Thread(target=pushes, daemon=True)
    somebody.start()
    given: dict[str, Any] = {"units": 1, "seed": 3, "clock": "live:10", "worker_name": "person"}
    shift = run_shift(GymStation(id, takt_s=4), Person(hatch), ledger=path, **given)
    somebody.join(60)
    controls = [event.data["controls"] for event in shift.events if event.kind == "said" and "controls" in event.data]
    assert shift.ended == "units" and {"it.1": 1.0} in controls and {} in controls
    assert repeat_shift(path, station=GymStation(id, takt_s=4), worker=Person()).digest == shift.digest


def test_what_is_seen_is_the_environments_own_picture() -> None:
    pytest.importorskip("pygame", reason="CartPole is drawn by pygame")
    station = GymStation("CartPole-v1", render_mode="rgb_array")
    station.reset(seed=1)
    steering = Steering(station.spec)
    assert isinstance(steering, RendersApart) and "render_mode" not in station.spec.options
    seen = steering.renderer(station.spec.options, steering.shown).render(steering.scene_state(station))["view"]
    assert np.array_equal(seen, station.render())
    assert steering.facts(np.array([0.25, -1.0])) == {"observation": "0.25 -1"}
    station.close()
