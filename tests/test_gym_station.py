"""The adapter: an episode is a unit, whatever the environment."""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import register, registry
from gymnasium.utils.env_checker import check_env

from takt import Fault, Station, TaktError, open_station, resume_shift, run_shift
from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event

TOY = "takt-tests/Lamp-v0"


class Lamp(gymnasium.Env[dict[str, Any], np.ndarray]):
    """Two joints that go where they are told; `info["lit"]` while the first is above 0.5. Never ends by itself."""

    metadata = {"render_modes": [], "render_fps": 10}  # noqa: RUF012
    action_space = spaces.Box(np.array([0.1, -1], np.float32), np.float32([1, 1]))  # type: ignore[arg-type]
    observation_space = spaces.Dict({"joints": spaces.Box(-10, 10, (2,)), "start": spaces.Box(0, 1, (1,))})

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.joints = np.zeros(2, np.float32)
        self.start = self.np_random.random(1, np.float32)
        return self._observe(), {}

    def step(self, action: np.ndarray) -> Any:
        self.joints = np.array(action, np.float32)
        return self._observe(), 0.0, bool(self.joints[1] < 0), False, {"lit": bool(self.joints[0] > 0.5)}

    def _observe(self) -> dict[str, np.ndarray]:
        return {"joints": self.joints.copy(), "start": self.start.copy()}


@pytest.fixture(autouse=True)
def lamp() -> Iterator[None]:
    register(id=TOY, entry_point=Lamp)  # type: ignore[arg-type]
    yield
    del registry[TOY]


def open_lamp(**options: Any) -> Any:
    return open_station("gym", **{"id": TOY, "takt_s": 1, "success": "info:lit", **options})


def balance(observation: np.ndarray) -> int:
    """Keeps CartPole up: to where the pole is falling."""
    return int(observation[2] + observation[3] > 0)


def ended(events: Any) -> list[Event]:
    return [event for event in events if event.kind in (UNIT_GOOD, UNIT_BAD)]


def steps(station: Any, actions: Any) -> list[Event]:
    return [event for action in actions for event in station.step(np.array(action, np.float32))[4]["events"]]


@pytest.mark.parametrize(
    "options",
    [{"id": "CartPole-v1", "takt_s": 4}, {"id": "FrozenLake-v1"}, {"id": TOY, "takt_s": 1, "success": "info:lit"}],
)
def test_is_a_gymnasium_environment_itself(options: dict[str, Any]) -> None:
    station = open_station("gym", **options)
    assert isinstance(station, Station)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(Box|normalized).*")  # the spaces are the environment's own
        warnings.simplefilter("error", append=True)
        check_env(station, skip_render_check=True)  # type: ignore[arg-type]
    made: Any = station.spec.make().unwrapped
    assert (made.success, made.env.spec.id) == (station.spec.options["success"], station.spec.options["id"])


def test_what_the_environment_says_of_itself_is_taken() -> None:
    spec = open_station("gym", id="CartPole-v1").spec  # 50 frames a second, 500 steps, reward threshold 475
    assert (spec.control_s, spec.takt_s) == (0.02, 10.0)
    assert spec.options["success"] == "return>=475"
    assert (spec.acceptance.good_rate, spec.acceptance.cycle_s) == (0.9, math.inf)
    assert open_station("gym", **spec.options).spec == spec


def test_units_fall_due_on_the_beat_and_the_rest_of_the_takt_is_waited_for() -> None:
    shift = run_shift(
        "gym", lambda _: 1, clock="lockstep", units=3, station_options={"id": "CartPole-v1", "takt_s": 1.0}
    )
    due = [event for event in shift.events if event.kind == UNIT_DUE]
    assert [(event.unit, event.t_s) for event in due][:3] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    for event in ended(shift.events):
        assert event.kind == UNIT_BAD
        assert event.data["reasons"] == ["not_done"]
        assert event.t_s == pytest.approx(due[event.unit or 0].t_s + event.data["cycle_s"])

    station = open_station("gym", id="CartPole-v1", takt_s=1.0)
    station.reset(seed=0)
    seen = [station.step(1)[0] for _ in range(50)]
    assert (seen[20] == seen[48]).all()  # the pole lies there ...
    assert not (seen[48] == seen[49]).all()  # ... until the next one is due


def test_good_late_and_truncated() -> None:
    lasting = {"id": "CartPole-v1", "max_episode_steps": 60}
    good = run_shift("gym", balance, clock="lockstep", units=2, station_options={**lasting, "success": "truncated"})
    assert [(event.kind, event.data["cycle_s"]) for event in ended(good.events)] == [(UNIT_GOOD, 1.2)] * 2
    assert not good.broken
    short = run_shift(
        "gym", balance, clock="lockstep", units=1, station_options={**lasting, "takt_s": 2, "success": "return>=61"}
    )
    assert [event.data["reasons"] for event in ended(short.events)] == [["truncated"]]
    late = run_shift("gym", balance, clock="lockstep", units=2, station_options={"id": "CartPole-v1", "takt_s": 1})
    assert [event.data["reasons"] for event in ended(late.events)] == [["late"]] * 2
    assert [event.data["cycle_s"] for event in ended(late.events)] == [None] * 2


def test_the_cycle_ends_where_success_began_to_last() -> None:
    station = open_lamp()
    station.reset(seed=0)
    on, off, end = (0.9, 0.0), (0.2, 0.0), (0.9, -1.0)
    [good, _] = steps(station, [off, on, off, on, *[on] * 6])  # lit, dark again, lit for good after 4 of 10 periods
    assert (good.kind, good.data["cycle_s"], good.t_s) == (UNIT_GOOD, pytest.approx(0.4), pytest.approx(1.0))
    [good] = steps(station, [off, off, end])
    assert (good.unit, good.data["cycle_s"], good.t_s) == (1, pytest.approx(0.3), pytest.approx(1.3))
    [due, bad, _] = steps(station, [on] * 7 + [off] * 10)
    assert (due.kind, due.t_s, bad.data["reasons"]) == (UNIT_DUE, pytest.approx(2.0), ["late"])


@pytest.mark.parametrize(
    ("rule", "actions", "good"),
    [
        ("reward>=0", [(0.2, 0)] * 10, True),
        ("return>=0.5", [(0.2, 0)] * 10, False),
        ("terminated", [(0.2, 0), (0.2, -1)], True),
        ("truncated", [(0.2, 0)] * 10, False),
    ],
)
def test_success_by_rule(rule: str, actions: Any, good: bool) -> None:
    station = open_lamp(success=rule)
    station.reset(seed=0)
    assert [event.kind for event in ended(steps(station, actions))] == [UNIT_GOOD if good else UNIT_BAD]


def test_a_misspelt_key_is_no_bad_unit() -> None:
    station = open_lamp(success="info:light")
    with pytest.raises(TaktError, match="has only: lit"):
        steps(station, [(0.9, -1)])


def test_hold() -> None:
    assert open_lamp().hold.tolist() == pytest.approx([0.1, 0.0])  # zero, within the bounds
    assert open_lamp(hold=[0.7, 0]).hold.tolist() == pytest.approx([0.7, 0.0])
    station = open_lamp(hold="observation:joints")
    station.step(np.array([0.3, 0.4], np.float32))
    assert station.hold.tolist() == pytest.approx([0.3, 0.4])
    assert station.hold in station.action_space
    assert open_station("gym", id="CartPole-v1").hold == 0
    for hold in ("observation:start", "observation:elbow", [0.7]):
        with pytest.raises(TaktError, match="hold is"):
            open_lamp(hold=hold)


def test_two_workers_meet_the_same_units_and_two_seeds_do_not() -> None:
    def starts(seed: int, action: tuple[float, float]) -> list[float]:
        station = open_lamp()
        seen = [station.reset(seed=seed)[0]]
        seen += [station.step(np.array(action, np.float32))[0] for _ in range(49)]
        return [observation["start"].item() for observation in seen[::10]]

    assert starts(0, (0.9, 0)) == starts(0, (0.9, -1))
    assert len({*starts(0, (0.9, 0)), *starts(1, (0.9, 0))}) == 10


@pytest.mark.parametrize("at", [0, 3, 10, 13])
def test_goes_on_from_a_snapshot_exactly(at: int) -> None:
    actions = [(0.9, -1.0 if period % 10 == 2 else 0.0) for period in range(40)]
    first, second = open_lamp(), open_lamp()
    first.reset(seed=7)
    second.reset(seed=8)
    for action in actions[:at]:
        first.step(np.array(action, np.float32))
    state = first.save()
    second.load(state)
    assert second.save() == state
    assert second.hold.tolist() == first.hold.tolist()
    for action in actions[at:]:
        (seen, *rest), (again, *same) = first.step(np.array(action, np.float32)), second.step(np.float32(action))  # type: ignore[arg-type]
        assert first.now == second.now
        assert rest == same
        assert all((seen[key] == again[key]).all() for key in seen)


def test_has_no_snapshot_within_a_unit() -> None:
    station = open_lamp()
    station.step(np.array([0.9, 0], np.float32))
    with pytest.raises(TaktError, match="cannot be saved within a unit"):
        station.save()


def test_a_killed_shift_resumes_to_the_same_ledger(tmp_path: Any) -> None:
    options = {"id": "CartPole-v1", "takt_s": 3, "success": "return>=150"}
    whole = run_shift("gym", balance, clock="lockstep", seed=3, units=5, station_options=options, worker_name="balance")
    calls = 0

    def killed(observation: np.ndarray) -> int:
        nonlocal calls
        calls += 1
        if calls == 400:
            raise KeyboardInterrupt
        return balance(observation)

    path = tmp_path / "shift.takt"
    with pytest.raises(KeyboardInterrupt):
        run_shift(
            "gym",
            killed,
            clock="lockstep",
            seed=3,
            units=5,
            station_options=options,
            worker_name="balance",
            ledger=path,
        )
    assert resume_shift(path, worker=balance).digest == whole.digest


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"id": "Nope-v1"}, "cannot open the environment 'Nope-v1'"),
        ({"id": "no_such_package:Nope-v1"}, "No module named 'no_such_package'"),
        ({"id": "CartPole-v1", "colour": "red"}, "has no option 'colour'; its options are: id, "),
        ({"id": "Pendulum-v1"}, "does not say when an episode is a success"),
        ({"id": TOY, "success": "info:lit"}, "has no time limit; give takt_s"),
        ({"success": "return>=often"}, "success is 'return>=often'"),
        ({"takt_s": 0}, "takt_s is 0"),
        ({"control_s": -1}, "control_s is -1"),
        ({"good_rate": 2}, "good_rate is 2"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(options: dict[str, Any], says: str) -> None:
    with pytest.raises(TaktError) as error:
        open_station("gym", **options)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_gym_aloha() -> None:
    """A real one: both arms at the insertion task, by the worker of examples/aloha_insertion.py."""
    pytest.importorskip("gym_aloha", reason="gym-aloha is not installed (pip install run-at-rate[bench])")
    path = Path(__file__).parents[1] / "examples" / "aloha_insertion.py"
    spec = importlib.util.spec_from_file_location("aloha_insertion", path)
    assert spec and spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    station: Any = open_station("gym", **example.STATION)
    assert station.success == "info:is_success"
    check_env(station, skip_render_check=True)
    shift = run_shift("gym", example.Inserter(), units=2, station_options=example.STATION)
    assert [event.kind for event in ended(shift.events)] == [UNIT_GOOD, UNIT_GOOD]
    again = run_shift(station, example.Inserter(), units=2)
    assert again.events == shift.events


def test_has_no_faults() -> None:
    with pytest.raises(TaktError, match="cannot have the fault"):
        run_shift("gym", balance, clock="lockstep", units=1, faults=[Fault("feeder_jam", 1.0, 2.0)])
