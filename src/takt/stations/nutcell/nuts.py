"""The nuts: where each is, and which of them sleep. Arrays are (2 sides, nuts of a side); the left side is first."""

from __future__ import annotations

import mujoco
import numpy as np

from takt.stations.nutcell import magnet, scene
from takt.stations.nutcell.layout import CONTROL_S, LOOSE, PARKED
from takt.stations.nutcell.world import World

STILL_S, STILL_SPEED = 0.2, 5e-3  # a nut slower than this (m/s and rad/s) for so long is at rest
LOOK_EVERY = 5  # control periods between two looks for something near, while all are at rest
NEAR_M = 0.08  # a hand this near to a nut at rest, or a moving nut, wakes it
HELD_M = 0.012  # a nut whose middle is this near to a closed hand's tool is in it


class Nuts:
    """All bodies that may be a nut on the line; those that are not lie in the hopper, PARKED.

    state      PARKED, FEEDER (lies as it was presented) or LOOSE.
    since      when it was taken, s.
    presented  (..., 3): where it was presented, m.
    spline     yaw of its teeth in its own frame, rad.
    variant    (nuts,): of each nut of a side; its lane too.
    """

    def __init__(self, world: World) -> None:
        self.world, line = world, world.line
        model, cell = world.model, world.scene
        self.many, self.variant = line.nuts_per_side, line.variant_of_nut
        self._tooth_radius = [scene.tooth_radius(variant) for variant in line.variants]
        self._middle = np.zeros((self.many, 3))  # of each nut, above its lower face
        self._middle[:, 2] = line.of_nuts("height_m") / 2
        self.index = cell.nut_qpos[..., None] + np.arange(7)
        self._bits = model.geom_contype.copy(), model.geom_conaffinity.copy()
        self._body_bits = model.body_contype.copy(), model.body_conaffinity.copy()
        self.start()

    def start(self) -> None:
        """The beginning of a shift, before any is put anywhere."""
        shape = (2, self.many)
        self.state = np.full(shape, PARKED)
        self.since = np.zeros(shape)
        self.presented = np.zeros((*shape, 3))
        self.spline = np.zeros(shape)
        self._still = np.zeros(shape, int)  # for how many control periods it has not moved
        self.asleep = np.zeros(shape, bool)

    def save(self) -> dict[str, np.ndarray]:
        return {
            "nut_state": self.state,
            "nut_since": self.since,
            "presented": self.presented,
            "spline": self.spline,
            "still": self._still,
            "asleep": self.asleep,
        }

    def load(self, saved: dict[str, np.ndarray]) -> None:
        """All but where they are, which is of the physics."""
        self.state = saved["nut_state"].copy()
        self.since = saved["nut_since"].copy()
        self.presented = saved["presented"].copy()
        for side, k in np.ndindex(*self.state.shape):
            self.sleep(side, k, bool(saved["asleep"][side, k]))
            self.cut(side, k, float(saved["spline"][side, k]))
        self._still = saved["still"].copy()

    def pos(self) -> np.ndarray:
        """(2, nuts, 3): the centre of each nut's lower face, m."""
        where: np.ndarray = self.world.data.qpos[self.index[..., :3]]
        return where

    def tilt_rad(self, side: int, k: int) -> float:
        x, y = self.world.data.qpos[self.world.scene.nut_qpos[side, k] + [4, 5]]
        return float(np.arccos(np.clip(1 - 2 * (x * x + y * y), -1, 1)))

    def put(self, side: int, k: int, pos: np.ndarray, quat: np.ndarray) -> None:
        """Place a nut, at rest and awake."""
        data, cell = self.world.data, self.world.scene
        address, dof = cell.nut_qpos[side, k], cell.nut_dof[side, k]
        data.qpos[address : address + 3], data.qpos[address + 3 : address + 7] = pos, quat
        data.qvel[dof : dof + 6] = 0.0
        self.sleep(side, k, False)

    def park(self, side: int, k: int) -> None:
        """Out of the way, into the hopper."""
        place = [0.05 * (k % self.world.line.nuts), 0.1 * (1 - 2 * side), 0.05 * self.variant[k]]
        self.put(side, k, scene.PARK + place, np.array([1.0, 0, 0, 0]))
        self.state[side, k] = PARKED
        self.sleep(side, k, True)

    def cut(self, side: int, k: int, spline_rad: float) -> None:
        """Turn a nut's teeth in it."""
        self.spline[side, k] = spline_rad
        angle = spline_rad + np.pi / 3 * np.arange(scene.TEETH)
        geoms, model = self.world.scene.tooth_geom[side, k], self.world.model
        model.geom_pos[geoms, :2] = self._tooth_radius[self.variant[k]] * np.stack(
            [np.cos(angle), np.sin(angle)], axis=1
        )
        model.geom_quat[geoms, 0], model.geom_quat[geoms, 3] = np.cos(angle / 2), np.sin(angle / 2)

    def sleep(self, side: int, k: int, asleep: bool) -> None:
        """A nut asleep stays where it is: no weight, no contact, no cost."""
        world = self.world
        model, body, geoms = world.model, world.scene.nut_body[side, k], world.scene.nut_geoms[side][k]
        self.asleep[side, k] = asleep
        self._still[side, k] = 0
        model.body_gravcomp[body] = float(asleep)
        model.geom_contype[geoms] = 0 if asleep else self._bits[0][geoms]
        model.geom_conaffinity[geoms] = 0 if asleep else self._bits[1][geoms]
        model.body_contype[body] = 0 if asleep else self._body_bits[0][body]
        model.body_conaffinity[body] = 0 if asleep else self._body_bits[1][body]
        if world.data.tree_asleep[model.body_treeid[body]] >= 0:
            world.rouse()
        if asleep:
            dof = world.scene.nut_dof[side, k]
            world.data.qvel[dof : dof + 6] = 0.0

    def mind_sleep(self, swept_x: float | None, riding: list[list[int]]) -> None:
        """Nuts at rest with no hand near fall asleep; a hand, a moving nut or the fixture passing over wakes them.

        swept_x  where the fixture is while it slides, m; None while it stands. Nuts that ride on it are not woken.

        MuJoCo's own sleeping does this for trees, but not for what rests on a mocap body: feeders and fixture.
        """
        world = self.world
        if self.asleep.all() and world.beat.ticks % LOOK_EVERY:
            return
        at, awake = self.pos(), ~self.asleep
        near = (np.linalg.norm(world.tools[:, None, None] - at, axis=-1) < NEAR_M).any(axis=0)
        if awake.any():
            speed = np.abs(world.data.qvel[world.scene.nut_dof[..., None] + np.arange(6)]).max(axis=-1)
            self._still = np.where(awake & (speed < STILL_SPEED), self._still + 1, 0)
            for side, k in zip(*np.nonzero(awake & (self._still >= round(STILL_S / CONTROL_S)) & ~near), strict=True):
                self.sleep(int(side), int(k), True)
            moving = at[awake & (speed >= STILL_SPEED)]
            if len(moving):
                near |= (np.linalg.norm(moving[:, None, None] - at, axis=-1) < NEAR_M).any(axis=0)
        if swept_x is not None:
            for side, k in riding:
                near[side, k] = False
            x, y, z = np.moveaxis(at - [swept_x, 0.0, scene.SEAT_Z], -1, 0)
            near |= (np.abs(x) < 0.09) & (np.abs(y) < 0.18) & (z < 0.0) & (self.state == LOOSE)
        for side, k in zip(*np.nonzero(near & self.asleep & (self.state != PARKED)), strict=True):
            self.sleep(int(side), int(k), False)

    def held(self, side: int, k: int) -> bool:
        """A nut between the closed pads of a hand."""
        at = self.pos()[side, k] + self._middle[k]
        near = np.linalg.norm(self.world.tools - at, axis=1) < HELD_M
        return bool((near & (self.world.grip < 0.5)).any())

    def near_pins(self, seats: np.ndarray) -> tuple[list[int], list[int]]:
        """The nuts that a magnet pulls: whose pin's (seats (2, 3) m), and their bodies."""
        sides: list[int] = []
        bodies: list[int] = []
        if self.asleep.all():
            return sides, bodies
        at = self.pos()
        reach = magnet.REACH + scene.NUT_HEIGHT
        for which, k in zip(*np.nonzero(~self.asleep), strict=True):
            for side in range(2):
                x, y, z = at[which, k] - seats[side]
                if abs(x) < reach and abs(y) < reach and -reach < z < scene.RIB_TOP + reach:
                    sides.append(side)
                    bodies.append(int(self.world.scene.nut_body[which, k]))
        return sides, bodies

    def show(self) -> None:
        """Draw those that can be seen: what is in the hopper need not be."""
        for side, k in np.ndindex(*self.state.shape):
            self.world.model.geom_rgba[self.world.scene.nut_geoms[side][k], 3] = self.state[side, k] != PARKED


def turned(tilt_rad: np.ndarray, yaw_rad: float) -> tuple[np.ndarray, np.ndarray]:
    """The quaternions w x y z of a tray tilted by a rotation vector (x, y), and of a nut on it turned by `yaw_rad`."""
    tilt, turn, quat = np.empty(4), np.empty(4), np.empty(4)
    angle = float(np.linalg.norm(tilt_rad))
    axis = np.array([*tilt_rad, 0.0]) / max(angle, 1e-12)
    mujoco.mju_axisAngle2Quat(tilt, axis, angle)
    mujoco.mju_axisAngle2Quat(turn, np.array([0.0, 0, 1]), yaw_rad)
    mujoco.mju_mulQuat(quat, tilt, turn)
    return tilt, quat
