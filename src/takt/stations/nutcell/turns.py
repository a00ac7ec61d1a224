"""Orientations as quaternions (4,), w first."""

from __future__ import annotations

import mujoco
import numpy as np


def yaw_of(quat: np.ndarray) -> float:
    """The turn about z, rad."""
    w, x, y, z = quat
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    product = np.empty(4)
    mujoco.mju_mulQuat(product, np.asarray(a, np.float64), np.asarray(b, np.float64))
    return product


def conjugate(quat: np.ndarray) -> np.ndarray:
    return quat * [1, -1, -1, -1]


def rotate(quat: np.ndarray, vector: np.ndarray) -> np.ndarray:
    turned = np.empty(3)
    mujoco.mju_rotVecQuat(turned, np.asarray(vector, np.float64), np.asarray(quat, np.float64))
    return turned
