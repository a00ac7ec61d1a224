"""What stands on the fixture of a unit, and what is true of it: the nut cell's own parts, physics and inspection.

How each nut was left is drawn by (seed, unit, side) and by nothing else; then the cell's physics settle it, and the
cell's own inspection says what is true (nutcell/inspection.py). What was meant is never looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np

from takt.stations.nutcell import NutCell, scene, variation
from takt.stations.nutcell.layout import LOOSE, PARKED
from takt.stations.nutcell.world import RULES, Beat

SIDES = ("left", "right")  # the inspector's: he stands opposite the robot, whose right is his left
CELL_SIDE = {"left": 1, "right": 0}  # the cell's index of that side
SETTLED_S = 0.5  # of physics, after the nuts were put there
DEFECTS = ("missed", "on_ribs", "tilted", "stuck", "dropped")  # how a bad nut was left, one as likely as the other
CLASSES = ("good", "missed", "not_seated", "jammed", "dropped")  # what can be true of a pin


class Fixtures:
    """The cell, with the fixture of one unit after another in it.

    bad_share   the share of pins that are meant to be bad.
    """

    def __init__(self, difficulty: str, bad_share: float) -> None:
        self.cell = NutCell(difficulty=difficulty)
        self.bad_share = bad_share
        self._here: tuple[int, int] | None = None
        self._truth: dict[str, dict[str, Any]] = {}

    def show(self, seed: int, unit: int) -> Mapping[str, Mapping[str, Any]]:
        """Put the fixture of a unit there. Of each side: `good`, `class`, and what the cell measured."""
        if self._here != (seed, unit):
            self._build(seed, unit)
            self._here = seed, unit
            self._truth = {side: self._true(CELL_SIDE[side]) for side in SIDES}
        return self._truth

    def seat(self, side: str) -> np.ndarray:
        """(3,): where a nut is seated on that pin, m, world frame."""
        where: np.ndarray = self.cell.fixture.seat[CELL_SIDE[side]]
        return where

    def close(self) -> None:
        self.cell.close()

    def _build(self, seed: int, unit: int) -> None:
        cell = self.cell
        world, nuts, fixture = cell.world, cell.nuts, cell.fixture
        cell.reset(seed=seed)
        world.beat = Beat(seed, RULES, unit, (unit + 1) * world.beat.periods - 1)
        fixture.load([], True)
        fixture.draw()
        cell.eyes.draw_unit(unit)
        fixture.place(0.0)
        stuck = [self._leave(seed, unit, side) for side in SIDES]
        for _ in range(round(SETTLED_S / 0.02)):
            cell.run_physics()
        cell.inspection.forces.forget()
        for side, k in filter(None, stuck):
            nuts.sleep(side, k, True)
        mujoco.mj_forward(world.model, world.data)

    def _leave(self, seed: int, unit: int, name: str) -> tuple[int, int] | None:
        """Put a nut, as drawn, on or beside its pin. One that a burr holds half way is returned: it does not fall."""
        cell, side = self.cell, CELL_SIDE[name]
        nuts, pin, seat = cell.nuts, cell.fixture.pins[side], cell.fixture.seat[side]
        rng = variation.stream(seed, unit, f"left-as-{name}")
        bad, which, turn, lean, height, aside, about = rng.uniform(size=7)
        meant = DEFECTS[int(which * len(DEFECTS))] if bad < self.bad_share else "good"
        cell.feeders.taken[side] = meant != "missed"
        if meant == "missed":
            return None
        k = int(np.flatnonzero(nuts.state[side] == PARKED)[-1])
        spline = cell.world.difficulty.spline_rad * (2 * turn - 1)
        yaw = pin.yaw_rad - spline  # teeth between ribs
        pos, tilt = seat + [0.0, 0.0, 0.003], np.zeros(2)
        if meant == "on_ribs":
            yaw += np.radians(15 + 30 * turn)
            pos = seat + [0.0, 0.0, scene.RIB_TOP + 0.001]
        elif meant == "tilted":
            yaw += np.radians(60 * turn)
            angle = 2 * np.pi * about
            tilt = np.radians(8 + 12 * lean) * np.array([np.cos(angle), np.sin(angle)])
            pos = seat + [0.0, 0.0, scene.RIB_TOP + 0.004]
        elif meant == "stuck":
            pos = seat + [0.0, 0.0, 0.002 + 0.016 * height]
        elif meant == "dropped":
            angle = 2 * np.pi * about
            pos = seat + [(0.022 + 0.02 * aside) * np.cos(angle), (0.022 + 0.02 * aside) * np.sin(angle), 0.012]
            tilt = np.radians(60 * lean) * np.array([np.sin(angle), -np.cos(angle)])
        nuts.put(side, k, pos, _quaternion(tilt, yaw))
        nuts.state[side, k] = LOOSE
        nuts.cut(side, k, spline)
        if meant != "stuck":
            return None
        nuts.sleep(side, k, True)
        return side, k

    def _true(self, side: int) -> dict[str, Any]:
        seen = self.cell.inspection.look_at(side)
        what = "good" if seen["good"] else "dropped" if seen["why"] == "late" else str(seen["why"])
        return {"good": bool(seen["good"]), "class": what, "height_mm": seen["height_mm"], "tilt_deg": seen["tilt_deg"]}


def _quaternion(tilt_rad: np.ndarray, yaw_rad: float) -> np.ndarray:
    """w x y z of a nut turned by `yaw_rad` about its axis, then tilted by a rotation vector (x, y)."""
    lean, turn, both = np.empty(4), np.empty(4), np.empty(4)
    angle = float(np.linalg.norm(tilt_rad))
    mujoco.mju_axisAngle2Quat(lean, np.array([*tilt_rad, 0.0]) / max(angle, 1e-12), angle)
    mujoco.mju_axisAngle2Quat(turn, np.array([0.0, 0.0, 1.0]), yaw_rad)
    mujoco.mju_mulQuat(both, lean, turn)
    return both
