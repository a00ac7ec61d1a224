"""The cell's numbers that others share: its beat, and what its vectors are made of. SI units, world frame (scene.py).

Actions, `ee` (15,): for each hand, left then right, a shift of its set-point (3) m and a rotation vector (3) rad per
control period, and its grip, 0 closed to 1 open; then help. `joint` (17,): for each hand 7 joint targets in rad and its
grip; then help.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from takt.stations.nutcell import orders, scene
from takt.stations.nutcell.line import Line

TAKT_S = 76.0
CONTROL_S = 0.02
EXCHANGE_S = 2.0  # of a unit, at its beginning: the old fixture slides out and the new one in

EE_STEP_M, EE_STEP_RAD = 0.02, 0.12  # the most that an `ee` action moves a set-point in one control period
CAMERA_SIZES = (32, 480)  # pixels
PARKED, FEEDER, LOOSE = 0, 1, 2  # where a nut is
IMAGES = "observation.images."  # the observation's keys of pictures, before the camera's name


def action_space(control: str) -> spaces.Box:
    """Of `ee` or `joint`."""
    if control == "ee":
        step = [EE_STEP_M] * 3 + [EE_STEP_RAD] * 3
        low, high = ([-s for s in step] + [0.0]) * 2 + [0.0], (step + [1.0]) * 2 + [1.0]
    else:
        limits = [scene.ARM[joint][1] for joint in scene.ARM_JOINTS]
        low, high = ([lo for lo, _ in limits] + [0.0]) * 2 + [0.0], ([hi for _, hi in limits] + [1.0]) * 2 + [1.0]
    return spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)


def observation_space(line: Line, cameras: Sequence[str], camera_size: int, privileged: bool) -> spaces.Dict:
    """What a worker sees. `observation.privileged` is what only a simulator knows."""
    nuts, lanes = line.nuts_per_side, len(line.variants)
    known: dict[str, spaces.Space[Any]] = {
        "observation.state": _box((48,)),  # positions, velocities, efforts: each left 7 + grip, right 7 + grip
        "observation.setpoint": _box((2, 7)),  # of each hand: m, and quaternion w x y z
        "observation.touch": _box((2, 2, 3, *scene.TAXELS)),  # hand, pad, normal and two shears, rows, columns: N
        "observation.takt_left": _box((1,)),  # s
    }
    picture = spaces.Box(0, 255, (camera_size, camera_size, 3), np.uint8)
    known |= {IMAGES + camera: picture for camera in cameras}
    if privileged:
        secret: dict[str, spaces.Space[Any]] = {
            "nuts": _box((2, nuts, 7), np.float64),  # side, nut, lower face's centre and quaternion
            "splines": _box((2, nuts), np.float64),  # yaw of each nut's teeth in its own frame
            "nut_state": spaces.Box(0, 2, (2, nuts), np.int64),  # PARKED, FEEDER, LOOSE
            "pins": _box((2, 4), np.float64),  # of each: seat's position and yaw
            "fixture_in": spaces.Box(0, 1, (1,), np.int64),
            "tools": _box((2, 7), np.float64),  # where the hands' tool frames are
        }
        if lanes > 1:  # indices into line.MIXED.variants: of each nut, and what each side is to get
            secret["variants"] = spaces.Box(0, lanes - 1, (2, nuts), np.int64)
            secret["ordered"] = spaces.Box(0, lanes - 1, (2,), np.int64)
        known["observation.privileged"] = spaces.Dict(secret)
    if lanes > 1:
        known["order"] = spaces.Text(orders.MAX_CHARACTERS, min_length=1, charset=orders.charset())
    return spaces.Dict(known)


def _box(shape: tuple[int, ...], dtype: Any = np.float32) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, shape, dtype)
