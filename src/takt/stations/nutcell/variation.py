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
    spline_rad: float  # the spline's yaw in the hexagon: the two are made in separate operations
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
        feeder_offset_m=1 * _MM,
        feeder_tilt_rad=1 * _DEG,
        spline_rad=5 * _DEG,
        pin_offset_m=0.2 * _MM,
        pin_yaw_rad=2 * _DEG,
        magnet_n=(3.0, 4.0),
        friction=(0.30, 0.35),
        clearance_m=(0.27 * _MM, 0.30 * _MM),
        light=0.05,
        camera_m=0.5 * _MM,
        joint_noise_rad=1e-4,
        touch_noise_n=0.01,
        dead_taxels=0.0,
    ),
    "plant": Difficulty(
        feeder_offset_m=3 * _MM,
        feeder_tilt_rad=3 * _DEG,
        spline_rad=30 * _DEG,
        pin_offset_m=0.8 * _MM,
        pin_yaw_rad=8 * _DEG,
        magnet_n=(3.0, 8.0),
        friction=(0.25, 0.45),
        clearance_m=(0.20 * _MM, 0.30 * _MM),
        light=0.25,
        camera_m=2 * _MM,
        joint_noise_rad=2e-4,
        touch_noise_n=0.02,
        dead_taxels=0.01,
    ),
    "harsh": Difficulty(
        feeder_offset_m=5 * _MM,
        feeder_tilt_rad=6 * _DEG,
        spline_rad=30 * _DEG,
        pin_offset_m=1.5 * _MM,
        pin_yaw_rad=30 * _DEG,
        magnet_n=(6.0, 12.0),
        friction=(0.20, 0.60),
        clearance_m=(0.15 * _MM, 0.30 * _MM),
        light=0.50,
        camera_m=5 * _MM,
        joint_noise_rad=5e-4,
        touch_noise_n=0.05,
        dead_taxels=0.05,
    ),
}


def stream(seed: int, unit: int, name: str, nth: int = 0) -> np.random.Generator:
    """The generator of one stream of randomness of one unit."""
    return np.random.default_rng(np.random.SeedSequence([seed, unit, crc32(name.encode()), nth]))


@dataclass(frozen=True, slots=True)
class NutPose:
    """A nut on a feeder: offset (2,) m in the tray's plane, yaw rad, tilt (2,) rad about x, y; and its spline's yaw."""

    offset_m: np.ndarray
    yaw_rad: float
    tilt_rad: np.ndarray
    spline_rad: float


def nut_pose(difficulty: Difficulty, seed: int, unit: int, side: str, nth: int) -> NutPose:
    """The `nth` nut that the feeder of `side` presents for `unit`."""
    rng = stream(seed, unit, f"feeder-{side}", nth)
    return NutPose(
        _disc(rng, difficulty.feeder_offset_m),
        rng.uniform(-np.pi, np.pi),
        _disc(rng, difficulty.feeder_tilt_rad),
        rng.uniform(-difficulty.spline_rad, difficulty.spline_rad),
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
