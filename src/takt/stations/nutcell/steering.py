"""How a person steers the cell's two hands: keys, a gamepad or a 3D mouse -> `ee` actions (layout.py).

The left hand has the keys at the left of the keyboard, the right hand those at the right. A control is a velocity,
-1 to 1: along x (away from the robot), y (to its left), z (up), about z (turn), and about y (tip). Keys are held; grips
turn over at each press. World frame, as the head camera looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from takt.contract.station import StationSpec, TaktError
from takt.contract.steering import Gauge, Key
from takt.stations.nutcell import live, scene
from takt.stations.nutcell.layout import CONTROL_S, IMAGES

FAST_M_S, FINE_M_S = 0.20, 0.015  # of a hand: through the air, and near things (ISO 10218-1: reduced speed is 0.25)
FAST_RAD_S, FINE_RAD_S = 1.2, 0.3
STEPS = 32  # of a control, from 0 to 1: finer is a trembling stick
MOST_PUSH_N = 60.0  # of a touch bar
HEIGHT, PICTURES_HZ = 240, 15.0  # of a person's pictures, 320 x 240

_NAMES = {
    "x": (("away", "向前"), ("nearer", "向后")),
    "y": (("left", "向左"), ("right", "向右")),
    "z": (("up", "向上"), ("down", "向下")),
    "turn": (("turn left", "左转"), ("turn right", "右转")),
    "tip": (("tip up", "上仰"), ("tip down", "下俯")),
}
_HANDS = {"left": ("left hand", "左手"), "right": ("right hand", "右手")}
_CODES = {
    "left": {"x": "WS", "y": "AD", "z": "RF", "turn": "QE", "tip": "TG"},
    "right": {"x": "IK", "y": "JL", "z": "PM", "turn": "UO", "tip": "YH"},
}


class Steering:
    """The cell's, for control "ee"."""

    hands = scene.SIDES
    axes = ("y", "x", "z", "turn", "tip")
    station_options: Mapping[str, Any] = {}  # it is only read
    shown: Mapping[str, Any] = {"cameras": list(scene.CAMERAS), "camera_size": HEIGHT, "camera_hz": PICTURES_HZ}

    def __init__(self, spec: StationSpec) -> None:
        if spec.options.get("control", "ee") != "ee":
            raise TaktError("a person steers hands and not joints: leave control=joint out")
        self.keys: Sequence[Key] = [
            Key(f"Key{code}", f"{hand}.{axis}", sign, tuple(f"{_HANDS[hand][i]}: {words[i]}" for i in (0, 1)))  # type: ignore[arg-type]
            for hand, of in _CODES.items()
            for axis, both in of.items()
            for code, sign, words in zip(both, (1.0, -1.0), _NAMES[axis], strict=True)
        ]
        self.keys = [
            *self.keys,
            Key("Space", "left.grip", 1.0, ("left hand: close, open", "左手：夹紧、松开"), toggles=True),
            Key("Enter", "right.grip", 1.0, ("right hand: close, open", "右手：夹紧、松开"), toggles=True),
            Key("ShiftLeft", "fine", 1.0, ("slowly", "慢速")),
            Key("ShiftRight", "fine", 1.0, ("slowly", "慢速")),
            Key("F9", "help", 1.0, ("call a person: the unit is lost", "呼叫人员：此单元作废")),
        ]
        self._names = {key.control for key in self.keys}

    def read(self, given: Any) -> dict[str, float]:
        if not isinstance(given, Mapping):
            return {}
        read = {}
        for name, value in given.items():
            if name in self._names and isinstance(value, (int, float)) and math.isfinite(value):
                step = round(max(-1.0, min(1.0, float(value))) * STEPS) / STEPS
                if step:
                    read[name] = step
        return dict(sorted(read.items()))

    def action(self, controls: Mapping[str, float]) -> np.ndarray:
        fine = controls.get("fine", 0.0) > 0
        metres, radians = (FINE_M_S, FINE_RAD_S) if fine else (FAST_M_S, FAST_RAD_S)
        rows = []
        for hand in self.hands:
            moved = [controls.get(f"{hand}.{axis}", 0.0) for axis in ("x", "y", "z", "tip", "turn")]
            shift = [value * metres * CONTROL_S for value in moved[:3]]
            turn = [0.0, -moved[3] * radians * CONTROL_S, moved[4] * radians * CONTROL_S]
            rows += [*shift, *turn, 0.0 if controls.get(f"{hand}.grip", 0.0) > 0 else 1.0]
        return np.array([*rows, 1.0 if controls.get("help", 0.0) > 0 else 0.0], np.float32)

    def scene_state(self, station: Any) -> bytes:
        return live.scene_state(station)

    renderer = staticmethod(live.renderer)

    def pictures(self, observation: Any) -> Mapping[str, np.ndarray]:
        return {key.removeprefix(IMAGES): value for key, value in observation.items() if key.startswith(IMAGES)}

    def gauges(self, observation: Any) -> Sequence[Gauge]:
        normal = np.asarray(observation["observation.touch"])[:, :, 0].sum(axis=(-2, -1))  # hand, pad: N
        names = [
            (f"{hand} {pad}", f"{zh}{i + 1}")
            for hand, zh in (("left", "左"), ("right", "右"))
            for i, pad in enumerate("ab")
        ]
        bars = [Gauge(name, float(value), MOST_PUSH_N, "N") for name, value in zip(names, normal.ravel(), strict=True)]
        left_s = float(np.asarray(observation["observation.takt_left"])[0])
        return [*bars, Gauge(("takt left", "节拍剩余"), left_s, 76.0, "s")]

    def facts(self, observation: Any) -> Mapping[str, str]:
        points = np.asarray(observation["observation.setpoint"])
        told = {
            f"{hand} hand, mm": " ".join(_tenths(1e3 * v) for v in points[i, :3]) for i, hand in enumerate(self.hands)
        }
        shear = np.asarray(observation["observation.touch"])[:, :, 1:].sum(axis=(1, 3, 4))  # hand, two shears: N
        told |= {f"{hand} pull, N": " ".join(map(_tenths, shear[i])) for i, hand in enumerate(self.hands)}
        return {"order": str(observation["order"]), **told} if "order" in observation else told


def _tenths(value: float) -> str:
    return f"{round(float(value), 1) + 0.0:.1f}"  # never -0.0
