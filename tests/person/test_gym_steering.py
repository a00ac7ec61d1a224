"""A person at a Gymnasium environment: keys for its actions, its own picture, a shift that repeats."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from takt import repeat_shift, run_shift
from takt.cli import main
from takt.contract.steering import RendersApart
from takt.errors import TaktError
from takt.stations.gym import GymStation
from takt.stations.gym_steering import Steering, keys_of
from takt.workers.person import Person
from takt.workers.person.hatch import Hatch


def test_discrete_actions_have_digits_and_numbers_two_keys_each() -> None:
    lake = Steering(GymStation("FrozenLake-v1", takt_s=10).spec)
    assert [(key.code, key.control) for key in lake.keys[:4]] == [(f"Digit{i + 1}", f"it.{i}") for i in range(4)]
    assert [(key.code, key.control) for key in lake.keys[4:]] == [
        (f"Arrow{way}", f"it.{i}") for i, way in enumerate(("Left", "Down", "Right", "Up"))
    ]
    assert [key.words for key in lake.keys[:2]] == [("left", "左"), ("down", "下")]
    assert (lake.action({}), lake.action({"it.2": 1.0}), lake.action({"it.3": 1.0, "it.1": 1.0})) == (0, 2, 1)
    pendulum = GymStation("Pendulum-v1", success="return>=-200", takt_s=10)
    swings = Steering(pendulum.spec)
    assert swings.undecided == "", "its numbers hold at zero"
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


def test_an_environment_whose_player_is_waited_for_goes_nowhere_until_a_key_is_pressed() -> None:
    lake = GymStation("FrozenLake-v1", takt_s=3, is_slippery=False, hold="wait")
    hand = Steering(lake.spec)
    assert hand.undecided == "" and hand.idle[0] == "nothing moves on." and len(hand.keys) == 8
    assert (
        lake.action_space == spaces.Discrete(5)
        and lake.hold == hand.action({}) == 4
        and hand.action({"it.3": 1.0}) == 3
    )
    lake.reset(seed=1)

    def worked(*keys: int | None) -> list[Any]:
        happened: list[Any] = []
        for key in keys:
            seen, *_, info = lake.step(hand.action({} if key is None else {f"it.{key}": 1.0}))
            happened += [event for event in info["events"] if event.kind != "unit_due"]
        return [int(seen), *((event.kind, event.unit, *event.data.get("reasons", ())) for event in happened)]

    assert worked(*[None] * 4) == [0], "nothing is stepped"
    assert worked(1, None, None, 1, 2, None) == [9]
    assert worked(2, 1, 2) == [0, ("unit_good", 0)] or lake.now == 3.25
    while lake.now < 6.0:
        last = worked(None)
    assert last == [0, ("unit_bad", 1, "late")], "one that is not played is late"
    pendulum = "is for discrete actions"
    with pytest.raises(TaktError, match=pendulum):
        GymStation("Pendulum-v1", success="return>=-200", takt_s=10, hold="wait")
    down = GymStation("MountainCar-v0", success="return>=-110", takt_s=2, hold="wait")
    down.reset(seed=1)
    ends = [event for _ in range(120) for event in down.step(down.hold)[-1]["events"] if event.kind != "unit_due"]
    assert [event.kind for event in ends[:1]] == ["unit_bad"], "a return that only falls is not kept by waiting"


def test_a_person_is_asked_what_is_done_while_no_key_is_pressed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "gym", "-o", "id=FrozenLake-v1", "--worker", "person", "--units", "1", "--practice"]) == 2
    assert "-o hold=wait" in capsys.readouterr().err
    for id, told in (("MountainCar-v0", "1 is nothing"), ("CartPole-v1", "the one that changes nothing")):
        assert told in Steering(GymStation(id, takt_s=10, success="truncated").spec).undecided
    assert Steering(GymStation("CartPole-v1", takt_s=10, hold=1).spec).undecided == ""


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
