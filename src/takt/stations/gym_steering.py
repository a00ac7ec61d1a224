"""How a person steers a Gymnasium environment that offers no tools: keys -> actions; its own picture is what is seen.

Discrete actions have the keys 1 to 9 and 0, in their order, and arrows where they go somewhere; the first that is held
counts. Each number of a Box has two keys, and is held at its bounds; what is not pressed is the station's `hold`. Other
actions cannot be steered.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from gymnasium import spaces

from takt.contract.station import StationSpec
from takt.contract.steering import Gauge, Key
from takt.errors import TaktError
from takt.stations.gym import GymStation

DIGITS = "1234567890"
PAIRS = ("AD", "SW", "QE", "JL", "KI", "UO")  # down and up, of each number of a Box
# What Gymnasium's documentation calls the discrete actions of its own environments, in their order.
MEANT = {
    "FrozenLake": "left down right up",
    "CliffWalking": "up right down left",
    "CliffWalkingSlippery": "up right down left",
    "Taxi": "down up right left pick_up drop_off",
    "CartPole": "left right",
    "MountainCar": "left nothing right",
    "Acrobot": "left nothing right",
    "LunarLander": "nothing left_engine main_engine right_engine",
    "Blackjack": "stick hit",
}
NOTHING = ("nothing", "noop")
ARROWS = {"left": "Left", "right": "Right", "up": "Up", "down": "Down"}
CHINESE = {"left": "左", "right": "右", "up": "上", "down": "下", "nothing": "无动作", "noop": "无动作"}
CHINESE |= {"pick up": "上客", "drop off": "下客", "left engine": "左侧发动机", "right engine": "右侧发动机"}
CHINESE |= {"main engine": "主发动机", "stick": "停牌", "hit": "要牌"}
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
            space, self._hold, means = opened.action_space, opened.hold, meanings(opened.env)
            waits = opened.waits
        finally:
            opened.close()
        if str(spec.options.get("hold") or "").startswith("observation:"):
            raise TaktError("a person cannot steer where `hold` is a part of the observation; give hold as an action")
        id, hold = str(spec.options["id"]), spec.options.get("hold")
        if isinstance(space, spaces.Discrete) and waits:
            space = spaces.Discrete(int(space.n) - 1, start=space.start)
        self._space: Any = space
        self.keys = keys_of(space, id, means)
        self.undecided = ""
        if waits:
            self.idle = ("nothing moves on.", "一切不动。")
        elif isinstance(space, spaces.Discrete):
            words = _words(int(self._hold - space.start), means)
            self.idle = (f"{words[0]}.", f"{words[1]}。")
            if hold is None:
                nothing = next((place for place, told in enumerate(means) if told in NOTHING), None)
                which = (
                    "the one that changes nothing" if nothing is None else f"{int(space.start) + nothing} is nothing"
                )
                self.undecided = (
                    f"say what {id} does while no key is pressed: -o hold=wait (it waits for a key), or an action: "
                    f"-o hold=NUMBER ({which})"
                )
        else:
            self.idle = ("the station's `hold`.", "执行工位的保持动作。")
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


def meanings(env: Any) -> list[str]:
    """What discrete actions are called, in order; [] if nobody says: Gymnasium's own by its documentation, Atari's by
    `get_action_meanings`, MiniGrid's by their enumeration `actions`."""
    id = re.sub(r"8x8|-v\d+$", "", env.spec.id if env.spec else "")
    if id in MEANT:
        return MEANT[id].split()
    with suppress(Exception, SystemExit):  # an environment's own code
        if hasattr(env.unwrapped, "get_action_meanings"):
            return [str(one).lower() for one in env.unwrapped.get_action_meanings()]
        return [str(one.name).lower() for one in env.unwrapped.actions]
    return []


def _words(place: int, means: Sequence[str]) -> tuple[str, str]:
    if place >= len(means):
        return f"action {place}", f"动作 {place}"
    told = means[place].replace("_", " ")
    return told, CHINESE.get(told, told)


def keys_of(space: Any, name: str, means: Sequence[str] = ()) -> list[Key]:
    if isinstance(space, spaces.Discrete) and space.n <= len(DIGITS):
        places = range(int(space.n))
        digits = [Key(f"Digit{DIGITS[place]}", f"it.{place}", 1.0, _words(place, means)) for place in places]
        arrows = [
            Key(f"Arrow{ARROWS[means[place]]}", f"it.{place}", 1.0, _words(place, means))
            for place in places
            if place < len(means) and means[place] in ARROWS
        ]
        return [*digits, *arrows]
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
