"""What differs from unit to unit, drawn by (seed, unit, stream) and by nothing else.

The worker has no say in any of it, so two workers meet the same units, and one unit can be drawn again by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Ranges of a difficulty. Pairs are uniform between their ends; single numbers are half-widths."""

    feeder_offset_m: float  # radius of the disc the nut lies in
    feeder_tilt_rad: float
    pin_offset_m: float  # radius of the disc the pin stands in
    pin_yaw_rad: float
    magnet_n: tuple[float, float]  # F0 of magnet.py
    friction: tuple[float, float]  # nut on pin
    clearance_m: tuple[float, float]  # nut to pin, on the radius
    light: float  # relative brightness
    camera_m: float  # camera position
    joint_noise_rad: float  # standard deviation
    touch_noise_n: float  # standard deviation, per taxel
    dead_taxels: float  # chance of each taxel to be dead for a unit


_MM, _DEG = 1e-3, np.pi / 180
DIFFICULTIES = {
    "nominal": Difficulty(
        1 * _MM,
        1 * _DEG,
        0.2 * _MM,
        2 * _DEG,
        (1.0, 1.5),
        (0.30, 0.35),
        (0.27 * _MM, 0.30 * _MM),
        0.05,
        0.5 * _MM,
        1e-4,
        0.01,
        0.0,
    ),
    "plant": Difficulty(
        3 * _MM,
        3 * _DEG,
        0.8 * _MM,
        8 * _DEG,
        (1.0, 3.0),
        (0.25, 0.45),
        (0.20 * _MM, 0.30 * _MM),
        0.25,
        2 * _MM,
        2e-4,
        0.02,
        0.01,
    ),
    "harsh": Difficulty(
        5 * _MM,
        6 * _DEG,
        1.5 * _MM,
        30 * _DEG,
        (2.0, 4.0),
        (0.20, 0.60),
        (0.15 * _MM, 0.30 * _MM),
        0.50,
        5 * _MM,
        5e-4,
        0.05,
        0.05,
    ),
}


def stream(seed: int, unit: int, name: str, nth: int = 0) -> np.random.Generator:
    """The generator of one stream of randomness of one unit."""
    return np.random.default_rng(np.random.SeedSequence([seed, unit, crc32(name.encode()), nth]))


@dataclass(frozen=True, slots=True)
class NutPose:
    """How a feeder presents a nut: offset (2,) m in the tray's plane, yaw rad, tilt (2,) rad about x, y."""

    offset_m: np.ndarray
    yaw_rad: float
    tilt_rad: np.ndarray


def nut_pose(difficulty: Difficulty, seed: int, unit: int, side: str, nth: int) -> NutPose:
    """The `nth` nut that the feeder of `side` presents for `unit`."""
    rng = stream(seed, unit, f"feeder-{side}", nth)
    return NutPose(
        _disc(rng, difficulty.feeder_offset_m), rng.uniform(-np.pi, np.pi), _disc(rng, difficulty.feeder_tilt_rad)
    )


@dataclass(frozen=True, slots=True)
class PinDraw:
    offset_m: np.ndarray  # (2,) from nominal
    yaw_rad: float
    magnet_n: float
    friction: float
    clearance_m: float


def pin(difficulty: Difficulty, seed: int, unit: int, side: str) -> PinDraw:
    """The pin of `side` on the fixture of `unit`."""
    rng = stream(seed, unit, f"pin-{side}")
    return PinDraw(
        _disc(rng, difficulty.pin_offset_m),
        rng.uniform(-difficulty.pin_yaw_rad, difficulty.pin_yaw_rad),
        rng.uniform(*difficulty.magnet_n),
        rng.uniform(*difficulty.friction),
        rng.uniform(*difficulty.clearance_m),
    )


def _disc(rng: np.random.Generator, radius: float) -> np.ndarray:
    angle, r = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform())
    return np.array([r * np.cos(angle), r * np.sin(angle)])
