"""What the learned worker's network is given: an observation, cut and mirrored so that both hands look like left ones.

The network never sees the whole observation at once: it is one set of weights that serves both hands, given once what
belongs to the left hand and once, mirrored, what belongs to the right. Only the text encoder is told which is which.

    wrist  (2, 48, 64, 3) uint8   of each wrist camera: the part that the hand works in
    head   (2, 48, 48, 3) uint8   of the head camera: the half with this hand's lanes and pin
    body   (2, BODY) float32      joints, set-points, forward kinematics, grip, time, touch; see `body_of`
    text   (TEXT,) int64          the order, a number a character

Nothing of `observation.privileged` is read here.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from takt.stations.nutcell import orders, scene
from takt.stations.nutcell.layout import CONTROL_S, TAKT_S
from takt.stations.nutcell.vla.chunks import flat
from takt.stations.nutcell.vla.teacher import MIRROR, PERIODS

CAMERAS = scene.CAMERAS
PICTURE = 96
WRIST = (slice(32, 80), slice(16, 80))  # rows, columns
HEAD = (slice(38, 86), slice(0, 48))
TEXT = orders.MAX_CHARACTERS
ALPHABET = {character: number for number, character in enumerate(sorted(set(orders.charset().lower())), start=2)}
UNKNOWN = 1  # 0 is no character
LETTERS = len(ALPHABET) + 2

_HOME = np.array([scene.FIXTURE_X, scene.PIN_Y, scene.TABLE_Z + 0.08, 0.0])
_NEAR, _WIDE = np.array([0.003, 0.003, 0.003, 0.1]), np.array([0.05, 0.05, 0.05, 0.5])
_TORQUE = np.array([scene.ARM[joint][2] for joint in scene.ARM_JOINTS])
_WAVES = (0.040, 0.010)  # m: periods in which heights are told finely
TOUCH = 2 * 3 * 16
BODY = 4 * 4 + 2 * len(_WAVES) * 2 + 3 * 7 + 4 + 5 + 7 + TOUCH  # see body_of
TOUCH_FROM = BODY - TOUCH - 7  # where all that is felt begins


class Kinematics:
    """Where the tools are, by the joints that are measured."""

    def __init__(self) -> None:
        self.model = scene.robot_model()
        self.data = mujoco.MjData(self.model)
        self.joints = np.array(
            [[self.model.joint(f"{s}_{j}").qposadr[0] for j in scene.ARM_JOINTS] for s in scene.SIDES]
        )
        self.sites = [self.model.site(f"{s}_tool").id for s in scene.SIDES]

    def tools(self, arms: np.ndarray) -> np.ndarray:
        """(2, 4) poses, each in the left hand's frame, of joint positions (2, 7) rad."""
        self.data.qpos[self.joints] = arms
        mujoco.mj_kinematics(self.model, self.data)
        poses = np.empty((2, 4))
        for side, site in enumerate(self.sites):
            turned = self.data.site_xmat[site].reshape(3, 3)
            poses[side] = [*self.data.site_xpos[site], np.arctan2(turned[1, 0], turned[0, 0])]
        return poses * np.stack([np.ones(4), MIRROR])


def body_of(
    kinematics: Kinematics, observation: dict[str, Any], ahead: np.ndarray, grip: np.ndarray, late: int
) -> np.ndarray:
    """(2, BODY). ahead (2, 7), grip (2,): what hands are told when the plan arrives, `late` control periods on."""
    state = np.asarray(observation["observation.state"], np.float64).reshape(3, 2, 8)
    tools, now, start = kinematics.tools(state[0, :, :7]), flat(observation["observation.setpoint"]), flat(ahead)
    unit_s = TAKT_S - float(observation["observation.takt_left"][0]) + late * CONTROL_S
    rows = []
    for side in range(2):
        touch = touch_of(np.asarray(observation["observation.touch"], np.float64)[side], side)
        heights = np.array([tools[side, 2], start[side, 2]]) - _HOME[2]
        waves = [wave(2 * np.pi * heights / period) for period in _WAVES for wave in (np.sin, np.cos)]
        clock = np.array([unit_s / TAKT_S, unit_s / 3, (TAKT_S - unit_s) / 3, (unit_s - 2.1) / 0.5, late / PERIODS])
        rows.append(
            np.concatenate(
                [
                    (tools[side] - _HOME) / _WIDE,
                    (start[side] - _HOME) / _WIDE,
                    np.clip((now[side] - tools[side]) / _NEAR, -4, 4),
                    np.clip((start[side] - tools[side]) / _NEAR, -4, 4),
                    *waves,
                    state[0, side, :7],
                    state[1, side, :7],
                    4 * state[2, side, :7] / _TORQUE,
                    [(state[0, side, 7] - 0.02) / 0.01, state[1, side, 7] / 0.05, state[2, side, 7] / 20, grip[side]],
                    np.clip(clock, -2, 2),
                    touch[:, 0].sum(axis=(1, 2)) / 10,
                    touch[:, 1].sum(axis=(1, 2)) / 5,
                    touch[:, 2].sum(axis=(1, 2)) / 5,
                    [touch[:, 2].sum() / 5],
                    (touch / 4).ravel(),
                ]
            )
        )
    return np.clip(np.array(rows), -10, 10).astype(np.float32)


def touch_of(touch: np.ndarray, side: int) -> np.ndarray:
    """(2, 3, 4, 4): what a left hand would feel. Mirrored, pads change places and their width runs the other way."""
    if not side:
        return touch
    mirrored: np.ndarray = touch[::-1, :, :, ::-1] * np.array([1.0, -1.0, 1.0])[None, :, None, None]
    return mirrored


def pictures_of(observation: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """wrist (2, 48, 64, 3) and head (2, 48, 48, 3), uint8."""
    head, left, right = (np.asarray(observation[f"observation.images.{camera}"]) for camera in CAMERAS)
    wrist = np.stack([left[WRIST], right[:, ::-1][WRIST]])
    return wrist, np.stack([head[HEAD], head[:, ::-1][HEAD]])


def text_of(order: str) -> np.ndarray:
    """(TEXT,) int64, 0 beyond its end."""
    letters = [ALPHABET.get(character, UNKNOWN) for character in order.lower()[:TEXT]]
    return np.array(letters + [0] * (TEXT - len(letters)), np.int64)
