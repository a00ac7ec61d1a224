"""Somebody else's environment, held at arm's length: what it raises and what it answers that Gymnasium does not allow.

`Guarded` asks it. What the environment raises by itself (the physics diverged) is `Raised`: that unit is lost, and the
next begins. What is no answer by Gymnasium's API (0.26 and later) is a TaktError: no shift can be worked there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import Space, spaces

from takt.contract.foreign import is_stop, one_line
from takt.contract.station import TaktError

WAITS = "wait"  # as `hold`: nothing is stepped
GYMNASIUM = Path(gymnasium.__file__).parent


class Raised(Exception):
    """The environment raised; the text is one line that is the same on every run."""


class Stepped(NamedTuple):
    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


class Guarded:
    """An environment whose `reset` and `step` answer as they should, or raise Raised or TaktError."""

    def __init__(self, id: str, env: gymnasium.Env[Any, Any], options: Mapping[str, Any] | None) -> None:
        self.id, self.env, self._options = id, env, options

    def reset(self, seed: int) -> tuple[Any, Mapping[str, Any]]:
        options = None if self._options is None else copy.deepcopy(dict(self._options))
        answer = self._asked("reset", lambda: self.env.reset(seed=seed, options=options))
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise self._wrong(f"reset answers with {_article(answer)}, not with (observation, info)")
        return self._seen(answer[0]), self._info(answer[1])

    def step(self, action: Any) -> Stepped:
        answer = self._asked("step", lambda: self.env.step(action))
        if not isinstance(answer, tuple) or len(answer) != 5:
            many = f"{len(answer)} things" if isinstance(answer, tuple) else _article(answer)
            expected = "(observation, reward, terminated, truncated, info)"
            raise self._wrong(f"step answers with {many}, not with {expected}")
        observation, reward, terminated, truncated, info = answer
        flags = [self._flag(name, flag) for name, flag in (("terminated", terminated), ("truncated", truncated))]
        return Stepped(self._seen(observation), self._number("reward", reward), flags[0], flags[1], self._info(info))

    def flag(self, info: Mapping[str, Any], key: str) -> bool:
        """What `info` says under `key`, which nothing and None are a no of."""
        value = info.get(key)
        return value is not None and self._flag(f"info[{key!r}]", value)

    def _asked(self, what: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except BaseException as error:  # SystemExit and KeyboardInterrupt too, if the environment raised it
            if is_stop(error):
                raise
            if isinstance(error, (TypeError, ValueError)) and _within_gymnasium(error):
                # Gymnasium's own wrappers called it, or took its answer apart, and that did not fit.
                raise self._wrong(f"{what} is not as the API has it: {line_of(error)}") from error
            raise Raised(line_of(error)) from error

    def _seen(self, observation: Any) -> Any:
        if observation is None:
            raise self._wrong("an observation is nothing (None)")
        return observation

    def _number(self, name: str, value: Any) -> float:
        value = self._single(name, value)
        if isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating)):
            if value != value:
                raise self._wrong(f"{name} is NaN, not a number")
            return float(value)
        raise self._wrong(f"{name} is {_article(value)}, not a number")

    def _flag(self, name: str, value: Any) -> bool:
        value = self._single(name, value)
        if isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating)):
            if value not in (0, 1):  # a share of success, or NaN: Python takes both for true
                raise self._wrong(f"{name} is {float(value):g}, not true or false")
            return bool(value)
        raise self._wrong(f"{name} is {_article(value)}, not true or false")

    def _single(self, name: str, value: Any) -> Any:
        """An array of one is what is in it; one of several is of several copies of an environment."""
        shape = getattr(value, "shape", ())
        if not isinstance(shape, tuple) or not shape:
            return value
        if int(np.prod(shape)) != 1:
            raise self._wrong(
                f"{name} is an array of shape {shape}: one value for each of several copies? A station has one"
            )
        return np.asarray(value).reshape(())[()]

    def _info(self, info: Any) -> Mapping[str, Any]:
        if not isinstance(info, Mapping):
            raise self._wrong(f"info is {_article(info)}, not a dictionary")
        return info

    def _wrong(self, what: str) -> TaktError:
        return TaktError(f"{self.id} is no environment of Gymnasium's API: {what}")


def _within_gymnasium(error: BaseException) -> bool:
    """Whether it was raised by Gymnasium's own code, not by the environment's."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return GYMNASIUM in Path(trace.tb_frame.f_code.co_filename).parents


def line_of(error: BaseException) -> str:
    """`takt.contract.foreign.one_line`, and no longer than a line in a ledger should be."""
    return one_line(error)[:500]


def _article(value: Any) -> str:
    return "nothing (None)" if value is None else f"a {type(value).__name__}"


# --- actions --------------------------------------------------------------------------------------------------------


def action_of(space: Space[Any], given: Any) -> Any:
    """A value as it is written in JSON, as an action of a space. ValueError if it is none."""
    action = _made(space, given)
    if not space.contains(action):
        raise ValueError(f"{given!r} is not in {space}")
    return action


def _made(space: Space[Any], given: Any) -> Any:
    if isinstance(space, spaces.Discrete):
        if isinstance(given, bool) or not isinstance(given, (int, float, np.number)) or given != int(given):
            raise ValueError(f"{given!r} is no whole number")
        return space.dtype.type(int(given))
    if isinstance(space, (spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)):
        numbers = np.asarray(given)
        if numbers.dtype.kind not in "biuf":
            raise ValueError(f"{given!r} is not of numbers")
        action = numbers.astype(space.dtype)
        if numbers.shape != space.shape or (action.dtype.kind in "biu" and not (action == numbers).all()):
            raise ValueError(f"{given!r} is not of shape {space.shape} and type {space.dtype}")
        return action
    if isinstance(space, spaces.Dict):
        if not isinstance(given, Mapping) or set(given) != set(space.spaces):
            raise ValueError(f"{given!r} does not have the keys {', '.join(space.spaces)}")
        return {key: _made(part, given[key]) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        if not isinstance(given, (list, tuple)) or len(given) != len(space.spaces):
            raise ValueError(f"{given!r} does not have {len(space.spaces)} parts")
        return tuple(_made(part, value) for part, value in zip(space.spaces, given, strict=True))
    if isinstance(space, spaces.Sequence):
        if not isinstance(given, (list, tuple)):
            raise ValueError(f"{given!r} is no list")
        parts = tuple(_made(space.feature_space, value) for value in given)
        return np.stack(parts) if space.stack and parts else parts
    if isinstance(space, spaces.OneOf):
        if not isinstance(given, (list, tuple)) or len(given) != 2 or given[0] not in range(len(space.spaces)):
            raise ValueError(f"{given!r} is not [which, action] of {len(space.spaces)}")
        return np.int64(given[0]), _made(space.spaces[int(given[0])], given[1])
    return given


def zero_of(space: Space[Any]) -> Any:
    """Zero, or what is nearest to it within the bounds; the first of discrete actions. ValueError if there is none."""
    if isinstance(space, spaces.Box):
        return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
    if isinstance(space, (spaces.Discrete, spaces.MultiDiscrete)):
        return copy.deepcopy(space.start)
    if isinstance(space, spaces.MultiBinary):
        return np.zeros(space.shape, space.dtype)
    if isinstance(space, spaces.Dict):
        return {key: zero_of(part) for key, part in space.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(zero_of(part) for part in space)
    if isinstance(space, spaces.Sequence) and not space.stack:
        return ()
    if isinstance(space, spaces.OneOf):
        return np.int64(0), zero_of(space.spaces[0])
    raise ValueError(f"which action of {space} changes nothing?")


def one_more(id: str, space: Space[Any]) -> spaces.Discrete:
    """These discrete actions, and one more."""
    if isinstance(space, spaces.Discrete):
        return spaces.Discrete(int(space.n) + 1, start=space.start)
    raise TaktError(f"hold is {WAITS!r}, which is for discrete actions; those of {id} are {space}")


def holding(actions: Space[Any], observations: Space[Any], given: Any) -> Callable[[Any], Any]:
    """What `hold` is, given the last observation."""
    if isinstance(given, str) and given.startswith("observation:"):
        key = given.removeprefix("observation:")
        here = observations.spaces.get(key) if isinstance(observations, spaces.Dict) else None
        if here is None or here.shape != actions.shape:
            raise TaktError(f"hold is {given!r}, but {key!r} is no part of the observation that could be an action")
        dtype = actions.dtype
        return lambda observation: np.array(observation[key], dtype)
    try:
        action = zero_of(actions) if given is None else action_of(actions, given)
    except (ValueError, TypeError, OverflowError) as error:
        if given is None:
            raise TaktError(f"{error} Give hold") from error
        raise TaktError(f"hold is {given!r}, which is no action of {actions}") from error
    return lambda _: copy.deepcopy(action)
