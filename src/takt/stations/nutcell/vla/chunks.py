"""From plans to the station's actions, and back: what both the learned worker and its training speak.

A plan says where each hand's set-point shall be at its knots, (2, KNOTS, 4) in the left hand's frame (teacher.py), and
each grip. It begins when it arrives, from where the plan before it will have brought the set-points by then: so
thinking never makes a jump, whatever it takes.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from takt.stations.nutcell.layout import EE_STEP_M, EE_STEP_RAD
from takt.stations.nutcell.turns import conjugate, multiply, yaw_of
from takt.stations.nutcell.vla.teacher import KNOTS, MIRROR, PERIODS


def roll_forward(setpoints: np.ndarray, pending: np.ndarray) -> np.ndarray:
    """Set-points (2, 7) after the `pending` actions (n, 15) have been done."""
    ahead = np.asarray(setpoints, np.float64).copy()
    for action in np.asarray(pending, np.float64):
        for side in range(2):
            shift = action[7 * side : 7 * side + 6]
            ahead[side, :3] += shift[:3]
            ahead[side, 3:] = _turned(ahead[side, 3:], shift[3:])
    return ahead


def flat(setpoints: np.ndarray) -> np.ndarray:
    """Set-points (2, 7), world frame, to (2, 4) poses, each in the left hand's frame."""
    return np.array([[*s[:3], yaw_of(s[3:])] for s in setpoints]) * np.stack([np.ones(4), MIRROR])


def actions_of(setpoints: np.ndarray, knots: np.ndarray, grips: np.ndarray) -> np.ndarray:
    """The actions (PERIODS, 15) that bring set-points (2, 7) through knots (2, KNOTS, 4), hands pointing down."""
    every = PERIODS // KNOTS
    actions = np.zeros((PERIODS, 15), np.float32)
    for side in range(2):
        pos, quat = np.array(setpoints[side, :3], np.float64), np.array(setpoints[side, 3:], np.float64)
        actions[:, 7 * side + 6] = grips[side]
        for knot in range(KNOTS):
            goal = np.array(knots[side][knot], np.float64) * (MIRROR if side else 1.0)
            down = np.array([np.cos(goal[3] / 2), 0.0, 0.0, np.sin(goal[3] / 2)])
            shift = np.clip((goal[:3] - pos) / every, -EE_STEP_M, EE_STEP_M)
            turn = np.clip(_between(quat, down) / every, -EE_STEP_RAD, EE_STEP_RAD)
            rows = slice(every * knot, every * (knot + 1))
            actions[rows, 7 * side : 7 * side + 3], actions[rows, 7 * side + 3 : 7 * side + 6] = shift, turn
            pos, quat = pos + every * shift, _turned(quat, every * turn)
    return actions


def _turned(quat: np.ndarray, vector: np.ndarray) -> np.ndarray:
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return quat
    turn = np.empty(4)
    mujoco.mju_axisAngle2Quat(turn, np.asarray(vector, np.float64) / angle, angle)
    return multiply(turn, quat)


def _between(start: np.ndarray, goal: np.ndarray) -> Any:
    """The rotation vector (3,), world frame, from one orientation to the other, the short way."""
    vector = np.empty(3)
    mujoco.mju_quat2Vel(vector, multiply(goal, conjugate(start)), 1.0)
    return vector
