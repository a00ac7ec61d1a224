"""How a person steers a Gymnasium environment that offers no tools: keys -> actions; its own picture is what is seen.

Discrete actions have the keys 1 to 9 and 0, in their order; the first that is held counts. Each number of a Box has two
keys, and is held at its bounds; what is not pressed is the station's `hold`. Other actions cannot be steered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from takt.contract.station import StationSpec
from takt.contract.steering import Gauge, Key
from takt.errors import TaktError
from takt.stations.gym import GymStation

DIGITS = "1234567890"
PAIRS = ("AD", "SW", "QE", "JL", "KI", "UO")  # down and up, of each number of a Box
PICTURES_HZ = 15.0
MOST_FACTS = 12  # numbers of an observation that are shown


class Steering:
    """The station `gym`'s."""

    hands, axes = ("it",), ("x", "y")  # of a mouse or a pad: for the first two numbers of a Box
    station_options: Mapping[str, Any] = {"render_mode": "rgb_array"}  # it is only read
    shown: Mapping[str, Any] = {"camera_hz": PICTURES_HZ}

    def __init__(self, spec: StationSpec) -> None:
        opened = GymStation(**spec.options)
        try:
            self._space, self._hold = opened.action_space, opened.hold
        finally:
            opened.close()
        if str(spec.options.get("hold") or "").startswith("observation:"):
            raise TaktError("a person cannot steer where `hold` is a part of the observation; give hold as an action")
        self.keys = keys_of(self._space, str(spec.options["id"]))
        self._names = {key.control for key in self.keys}

    def read(self, given: Any) -> dict[str, float]:
        if not isinstance(given, Mapping):
            return {}
        found = {
            name: max(-1.0, min(1.0, float(value)))
            for name, value in given.items()
            if name in self._names and isinstance(value, (int, float)) and math.isfinite(value) and value
        }
        return dict(sorted(found.items()))

    def action(self, controls: Mapping[str, float]) -> Any:
        space = self._space
        if isinstance(space, spaces.Discrete):
            held = next((place for place in range(int(space.n)) if controls.get(f"it.{place}", 0.0) > 0), None)
            return self._hold if held is None else space.start + space.dtype.type(held)
        assert isinstance(space, spaces.Box)
        action = np.array(self._hold, space.dtype).reshape(-1)
        low, high = space.low.reshape(-1), space.high.reshape(-1)
        for place, name in enumerate(_numbers(action.size)):
            value = controls.get(name, 0.0)
            action[place] += abs(value) * ((high if value > 0 else low)[place] - action[place])
        return action.reshape(space.shape)

    def scene_state(self, station: Any) -> bytes:
        picture = np.asarray(station.render())
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise TaktError("a person cannot see this environment: its render() gives no (height, width, 3) picture")
        return np.array(picture.shape[:2], np.uint32).tobytes() + np.ascontiguousarray(picture).tobytes()

    @staticmethod
    def renderer(options: Mapping[str, Any], shown: Mapping[str, Any]) -> Drawn:
        return Drawn()

    def pictures(self, observation: Any) -> Mapping[str, np.ndarray]:
        return {}

    def gauges(self, observation: Any) -> Sequence[Gauge]:
        return []

    def facts(self, observation: Any) -> Mapping[str, str]:
        parts = observation if isinstance(observation, Mapping) else {"observation": observation}
        told = {}
        for name, value in parts.items():
            numbers = np.asarray(value)
            if numbers.dtype.kind in "iufb" and numbers.size <= MOST_FACTS:
                told[str(name)] = " ".join(f"{number:.4g}" for number in numbers.reshape(-1).tolist())
        return told


class Drawn:
    """The environment has drawn it already."""

    def render(self, state: bytes) -> Mapping[str, np.ndarray]:
        height, width = np.frombuffer(state[:8], np.uint32).tolist()
        return {"view": np.frombuffer(state[8:], np.uint8).reshape(height, width, 3)}

    def close(self) -> None:
        pass


def keys_of(space: Any, name: str) -> list[Key]:
    if isinstance(space, spaces.Discrete) and space.n <= len(DIGITS):
        return [
            Key(f"Digit{DIGITS[place]}", f"it.{place}", 1.0, (f"action {place}", f"动作 {place}"))
            for place in range(int(space.n))
        ]
    if isinstance(space, spaces.Box) and 0 < math.prod(space.shape) <= len(PAIRS) and np.isfinite(space.low).all():
        numbers = _numbers(math.prod(space.shape))
        return [
            Key(f"Key{code}", number, sign, (f"number {place}: {word}", f"数值 {place}：{zh}"))
            for place, (number, pair) in enumerate(zip(numbers, PAIRS, strict=False))
            for code, sign, word, zh in zip(pair, (-1.0, 1.0), ("less", "more"), ("减", "加"), strict=True)
        ]
    few = f"{len(DIGITS)} discrete actions or {len(PAIRS)} bounded numbers at most"
    raise TaktError(f"a person cannot steer {name}: its actions are {space}; keys are for {few}")


def _numbers(many: int) -> list[str]:
    return ["it.x", "it.y", *(f"it.{place}" for place in range(2, many))][:many]
