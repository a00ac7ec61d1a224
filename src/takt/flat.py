"""A station for training libraries that want observations flat, with names that a PyTorch module may have.

Stable-Baselines3 makes a module of each key of the observation, and PyTorch allows no dot in a module's name; it takes
no dictionary within a dictionary, and no text. `Flat` shows the same observation so:

    observation.state               state
    observation.images.left_wrist   images_left_wrist
    observation.privileged["nuts"]  privileged_nuts
    order (a text)                  order: its code points, int32, zeros after its end
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

PREFIX = "observation."


class Flat(gymnasium.ObservationWrapper[dict[str, Any], Any, dict[str, Any]], gymnasium.utils.RecordConstructorArgs):
    """Any environment whose observation is a `spaces.Dict`, with the keys above. All else is as it was."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        gymnasium.utils.RecordConstructorArgs.__init__(self)
        super().__init__(env)
        if not isinstance(env.observation_space, spaces.Dict):
            raise TypeError(f"the observation is no dictionary: {env.observation_space}")
        parts = list(_parts(env.observation_space))
        short = [_plain(path.removeprefix(PREFIX)) for path, _ in parts]
        names = short if len(set(short)) == len(short) else [_plain(path) for path, _ in parts]
        self._names = {path: name for (path, _), name in zip(parts, names, strict=True)}
        self.observation_space = spaces.Dict(
            {name: _shown(space) for name, (_, space) in zip(names, parts, strict=True)}
        )
        self._spaces = dict(parts)

    def observation(self, observation: Any) -> dict[str, Any]:
        return {
            self._names[path]: _told(self._spaces[path], value) for path, value in _values(observation, self._names)
        }


def _parts(space: spaces.Dict, before: str = "") -> Iterator[tuple[str, spaces.Space[Any]]]:
    for key, part in space.spaces.items():
        if isinstance(part, spaces.Dict):
            yield from _parts(part, f"{before}{key}.")
        else:
            yield f"{before}{key}", part


def _values(value: Mapping[str, Any], names: Mapping[str, str], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, part in value.items():
        path = f"{before}{key}"
        if path in names:
            yield path, part
        else:
            yield from _values(part, names, f"{path}.")


def _plain(path: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in path)


def _shown(space: spaces.Space[Any]) -> spaces.Space[Any]:
    if isinstance(space, spaces.Text):
        return spaces.Box(0, 0x10FFFF, (space.max_length,), np.int32)
    return space


def _told(space: spaces.Space[Any], value: Any) -> Any:
    if not isinstance(space, spaces.Text):
        return value
    told = np.zeros(space.max_length, np.int32)
    told[: len(value)] = [ord(letter) for letter in value]
    return told
