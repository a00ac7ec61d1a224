"""Environments as they are in the wild: one that raises loses a unit, one that breaks the API is named in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import register, registry

from takt import TaktError, open_station, resume_shift, run_shift
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.contract.foreign import stops

ODD = "takt-tests/Odd-v0"


class Odd(gymnasium.Env[Any, Any]):
    """Succeeds in its third step. `habit` is what it does otherwise than others."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    made = 0

    def __init__(self, habit: str = "", action: Any = None, render_mode: str | None = None) -> None:
        self.habit, self.render_mode = habit, render_mode
        self.action_space = action if isinstance(action, spaces.Space) else spaces.Discrete(2)
        self.broken, self.resets = False, 0
        Odd.made += 1

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.t, self.seed, self.options = 0, seed, options
        self.resets += 1
        if self.habit == "resets once" and self.resets > 1:
            raise RuntimeError("the licence is used up")
        if self.habit == "needs options":
            assert options is not None and options.pop("task") == 3
        if self.habit == "stays broken" and self.broken:
            raise RuntimeError("the simulator is gone")
        self.diverges = self.np_random.random() < 0.3
        return self._seen() if self.habit == "old reset" else (self._seen(), self._info())

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), f"{action!r} is no action"
        self.t += 1
        if self.habit in ("diverges", "stays broken", "exits", "interrupts") and self.diverges and self.t == 2:
            self.broken = True
            if self.habit in ("exits", "interrupts"):
                raise SystemExit(0) if self.habit == "exits" else KeyboardInterrupt
            raise RuntimeError(f"unstable: {object()}\nat {action}")
        done = self.t >= 3
        answer = [self._seen(), 1.0, done, False, {**self._info(), "is_success": done}]
        changed = {
            "seen none": (0, None),
            "reward none": (1, None),
            "reward nan": (1, float("nan")),
            "reward text": (1, "1"),
            "reward array": (1, np.ones(2)),
            "flags array": (2, np.array([True, False])),
            "flag text": (3, "no"),
            "info none": (4, None),
            "info list": (4, [1]),
            "success array": (4, {"is_success": np.array([True, False])}),
            "success text": (4, {"is_success": "yes"}),
            "success nan": (4, {"is_success": float("nan")}),
            "success share": (4, {"is_success": 0.3}),
            "arrays of one": (1, np.ones(1)),
        }
        if self.habit in changed:
            place, value = changed[self.habit]
            answer[place] = value
        if self.habit == "arrays of one":
            answer[2], answer[4] = np.array([done]), {"is_success": np.array([done])}
        return tuple(answer[:3] + answer[4:]) if self.habit == "old step" else tuple(answer)

    def render(self) -> Any:
        raise gymnasium.error.DependencyNotInstalled('pygame is not installed, run `pip install "gymnasium[classic]"`')

    def close(self) -> None:
        if self.habit:
            raise RuntimeError("closed twice")

    def _seen(self) -> np.ndarray:
        return np.float32([self.t / 10, 0])  # type: ignore[arg-type, return-value]

    def _info(self) -> dict[str, Any]:
        return {"is_success": False}


class NoOptions(Odd):
    def reset(self, seed: int | None = None) -> Any:  # type: ignore[override]
        return super().reset(seed=seed)


@pytest.fixture(autouse=True)
def odd() -> Iterator[None]:
    register(id=ODD, entry_point=Odd, max_episode_steps=5)  # type: ignore[arg-type]
    register(id="takt-tests/NoOptions-v0", entry_point=NoOptions, max_episode_steps=5)  # type: ignore[arg-type]
    yield
    del registry[ODD], registry["takt-tests/NoOptions-v0"]


def worked(habit: str, units: int = 20, **more: Any) -> Any:
    return run_shift("gym", lambda _: 0, units=units, seed=3, station_options={"id": ODD, "habit": habit}, **more)


def outcomes(shift: Any) -> list[str]:
    return [str(e.data.get("reasons", "good")) for e in shift.events if e.kind in (UNIT_GOOD, UNIT_BAD)]


@pytest.mark.parametrize("habit", ["diverges", "stays broken", "exits", "interrupts"])
def test_a_unit_in_which_the_environment_raises_is_bad_and_the_shift_goes_on(habit: str) -> None:
    with stops():  # as the program does, by which a Ctrl-C of the user's is told apart
        shift, again = worked(habit), worked(habit)
    said = outcomes(shift)
    assert shift.ended == "units" and len(said) == 20 and set(said) == {"good", "['environment_raised']"}
    seeds = [int(np.random.SeedSequence((3, unit)).generate_state(1)[0]) % 2**31 for unit in range(20)]
    diverge = [np.random.default_rng(seed).random() < 0.3 for seed in seeds]
    assert [one != "good" for one in said] == diverge and any(diverge), "those that do, whatever came before"
    lost = next(e for e in shift.events if e.kind == UNIT_BAD)
    assert "\n" not in lost.data["error"] and lost.data["cycle_s"] is None
    assert shift.digest == again.digest, "no address of an object is in it"


def test_a_shift_that_was_cut_where_the_environment_raises_resumes_to_the_same_ledger(tmp_path: Path) -> None:
    path = tmp_path / "cut.takt"

    def cut(progress: Any) -> None:
        if outcomes_of(progress) and progress.units >= 5:
            raise KeyboardInterrupt

    def outcomes_of(progress: Any) -> bool:
        return any(e.data.get("error") for e in progress.new_events) or progress.units >= 8

    with pytest.raises(KeyboardInterrupt):
        worked("diverges", ledger=path, on_progress=cut)
    again = resume_shift(path, worker=lambda _: 0)
    assert [e.data for e in again.events if e.kind == UNIT_BAD] == [
        e.data for e in worked("diverges").events if e.kind == UNIT_BAD
    ]
    assert again.ended == "units"


BREACHES = {
    "old reset": "reset answers with a ndarray, not with (observation, info)",
    "old step": "step is not as the API has it",
    "seen none": "an observation is nothing (None)",
    "reward none": "reward is nothing (None), not a number",
    "reward nan": "reward is NaN, not a number",
    "reward text": "reward is a str, not a number",
    "reward array": "reward is an array of shape (2,)",
    "flags array": "terminated is an array of shape (2,)",
    "flag text": "truncated is a str, not true or false",
    "info none": "info is nothing (None), not a dictionary",
    "info list": "info is a list, not a dictionary",
    "success array": "info['is_success'] is an array of shape (2,)",
    "success text": "info['is_success'] is a str, not true or false",
    "success nan": "info['is_success'] is nan, not true or false",
    "success share": "info['is_success'] is 0.3, not true or false",
}


@pytest.mark.parametrize("habit", BREACHES)
def test_an_environment_that_breaks_the_api_is_one_line(habit: str) -> None:
    with pytest.raises(TaktError) as error:
        worked(habit)
    assert BREACHES[habit] in str(error.value) and ODD in str(error.value) and "\n" not in str(error.value)


def test_a_reset_without_options_or_with_options_that_are_missing_is_one_line() -> None:
    with pytest.raises(TaktError, match=r"is no environment of Gymnasium's API: reset .* keyword argument 'options'"):
        open_station("gym", id="takt-tests/NoOptions-v0")
    with pytest.raises(TaktError, match=r"cannot open the environment .*AssertionError"):
        open_station("gym", id=ODD, habit="needs options")


def test_an_environment_that_cannot_be_reset_a_second_time_says_so_in_its_own_words() -> None:
    with pytest.raises(TaktError, match=r"takt-tests/Odd-v0 .*RuntimeError: the licence is used up"):
        open_station("gym", id=ODD, habit="resets once").reset(seed=0)


def test_arrays_of_one_are_what_is_in_them() -> None:
    assert set(outcomes(worked("arrays of one"))) == {"good"}


def test_reset_gets_the_options_it_needs_at_every_unit_and_the_ledger_has_them() -> None:
    options = {"id": ODD, "habit": "needs options", "reset_options": {"task": 3}}
    shift = run_shift("gym", lambda _: 0, units=3, station_options=options)
    assert set(outcomes(shift)) == {"good"} and shift.meta["options"]["reset_options"] == {"task": 3}
    assert "reset_options" not in open_station("gym", id=ODD).spec.options
    with pytest.raises(TaktError, match="reset_options"):
        open_station("gym", id=ODD, reset_options=3)


def test_seeds_of_units_have_31_bits_and_are_as_they_were_in_older_ledgers() -> None:
    seeds: dict[int, list[int]] = {1: [], 2: []}
    for rules, seen in seeds.items():
        station: Any = open_station("gym", id=ODD)
        station.reset(seed=1, options={"rules": rules})
        for _ in range(300):
            seen.append(station.env.unwrapped.seed)
            station.step(0)
    assert max(seeds[2]) < 2**31 <= max(seeds[1])
    assert [seed % 2**31 for seed in seeds[1]] == seeds[2]


def test_a_renderer_that_is_missing_is_one_line() -> None:
    station = open_station("gym", id=ODD, render_mode="rgb_array")
    with pytest.raises(TaktError, match="cannot be drawn: DependencyNotInstalled: pygame is not installed"):
        station.render()


NESTED = spaces.Dict({"arm": spaces.Box(-1, 1, (2,), np.float32), "grip": spaces.Discrete(2)})
TUPLE = spaces.Tuple((spaces.Discrete(3), spaces.Box(-1, 1, (2,), np.float32)))
ONE_OF = spaces.OneOf([spaces.Discrete(2), spaces.Box(-1, 1, (1,), np.float32)])
NEGATIVE = spaces.Discrete(3, start=-1)


@pytest.mark.parametrize(
    ("space", "hold"),
    [
        (NESTED, {"arm": [0.1, 0.2], "grip": 1}),
        (TUPLE, [1, [0.1, 0.2]]),
        (ONE_OF, [1, [0.5]]),
        (spaces.Sequence(spaces.Discrete(3)), [1, 2]),
        (NEGATIVE, -1),
        (spaces.MultiDiscrete([3, 4], start=[1, 2]), [1, 5]),
        (spaces.MultiBinary(3), [1, 0, 1]),
        (spaces.Text(5), "go"),
        (NESTED, None),
        (TUPLE, None),
        (ONE_OF, None),
        (spaces.Sequence(spaces.Discrete(3)), None),
    ],
)
def test_hold_is_an_action_of_the_space_nested_or_not(space: spaces.Space[Any], hold: Any) -> None:
    station: Any = open_station("gym", id=ODD, action=space, hold=hold)
    assert space.contains(station.hold)
    station.step(station.hold)  # the environment asserts that it is one


@pytest.mark.parametrize(
    ("space", "hold"),
    [
        (NEGATIVE, 7),
        (NEGATIVE, 1.5),
        (NEGATIVE, "left"),
        (NEGATIVE, True),
        (NEGATIVE, [0]),
        (spaces.MultiDiscrete([3, 4]), [9, 9]),
        (spaces.MultiDiscrete([3, 4]), [0.5, 1]),
        (spaces.Box(-1, 1, (2,), np.float32), [0.0, 2.0]),
        (spaces.Box(-1, 1, (2,), np.float32), ["a", "b"]),
        (NESTED, {"arm": [0, 0]}),
        (NESTED, {"arm": [0, 0], "grip": 2}),
        (TUPLE, [1]),
        (TUPLE, {"a": 1}),
        (ONE_OF, [2, 0]),
        (spaces.Sequence(spaces.Discrete(3)), [1, 9]),
        (spaces.Text(2), "long"),
    ],
)
def test_a_hold_that_is_no_action_is_refused_before_the_shift(space: spaces.Space[Any], hold: Any) -> None:
    with pytest.raises(TaktError, match=r"hold is .* no action of"):
        open_station("gym", id=ODD, action=space, hold=hold)
