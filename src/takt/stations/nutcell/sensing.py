"""What a worker is given of the cell: joints, touch, time; and, if it claims so, what only a simulator knows."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from takt.contract.faults import Active
from takt.stations.nutcell import scene, variation
from takt.stations.nutcell.fixture import Fixture
from takt.stations.nutcell.hands import Hands
from takt.stations.nutcell.nuts import Nuts
from takt.stations.nutcell.orders import Order
from takt.stations.nutcell.world import World

NOISE_ROWS = 4096  # sensor noise is drawn once a unit and read row by row


class Senses:
    """The sensors, with this unit's noise.

    dead   (2, 2, 1, rows, columns) bool: taxels of each hand's pads that feel nothing in this unit.
    """

    def __init__(self, world: World, hands: Hands, faults: Active) -> None:
        self._world, self._hands, self._faults = world, hands, faults
        self._touch_index = world.scene.touch_adr[..., None] + np.arange(3 * int(np.prod(scene.TAXELS)))

    def draw(self, unit: int) -> None:
        """Make noise and dead taxels what (seed, unit) alone say."""
        hard, seed = self._world.difficulty, self._world.beat.seed
        rng = variation.stream(seed, unit, "touch")
        self.dead = rng.uniform(size=(2, 2, 1, *scene.TAXELS)) < hard.dead_taxels
        rng = variation.stream(seed, unit, "noise")
        self._joint_noise = (hard.joint_noise_rad * rng.standard_normal((NOISE_ROWS, 16))).astype(np.float32)
        touch = rng.standard_normal((NOISE_ROWS, 2, 2, 3, *scene.TAXELS))
        self._touch_noise = (hard.touch_noise_n * touch).astype(np.float32)

    def observe(self) -> dict[str, Any]:
        """All but pictures, the order and what is privileged."""
        data, cell, beat = self._world.data, self._world.scene, self._world.beat
        row = beat.ticks % NOISE_ROWS
        grip = data.qpos[cell.finger_qpos].sum(axis=1, keepdims=True)
        velocity = data.qvel[cell.arm_dof], data.qvel[cell.finger_dof].sum(axis=1, keepdims=True)
        effort = data.actuator_force[cell.arm_ctrl], data.actuator_force[cell.finger_ctrl].sum(axis=1, keepdims=True)
        position = np.concatenate([data.qpos[cell.arm_qpos], grip], axis=1).ravel() + self._joint_noise[row]
        state = np.concatenate(
            [position, np.concatenate(velocity, axis=1).ravel(), np.concatenate(effort, axis=1).ravel()]
        )
        return {
            "observation.state": state.astype(np.float32),
            "observation.setpoint": np.concatenate([self._hands.pos, self._hands.quat], axis=1).astype(np.float32),
            "observation.touch": self._touch(row),
            "observation.takt_left": np.array([beat.unit_left], np.float32),
        }

    def _touch(self, row: int) -> np.ndarray:
        felt = (
            self._world.data.sensordata[self._touch_index].reshape(2, 2, 3, *scene.TAXELS).astype(np.float32)
            + self._touch_noise[row]
        )
        if self._faults.there("touch_dropout"):
            return np.zeros_like(felt)
        return np.where(self.dead, np.float32(0.0), felt)


def privileged(world: World, nuts: Nuts, fixture: Fixture, order: Order | None) -> dict[str, Any]:
    """What only a simulator knows (layout.observation_space)."""
    data, cell = world.data, world.scene
    at = data.qpos[nuts.index]
    yaws = [[pin.yaw_rad] for pin in fixture.pins]
    tools = np.empty((2, 7))
    tools[:, :3] = data.site_xpos[cell.tool_site]
    for side in range(2):
        mujoco.mju_mat2Quat(tools[side, 3:], data.site_xmat[cell.tool_site[side]])
    known = {
        "nuts": at,
        "nut_state": nuts.state.copy(),
        "splines": nuts.spline.copy(),
        "pins": np.concatenate([fixture.seat + [fixture.x, 0, 0], yaws], axis=1),
        "fixture_in": np.array([int(world.beat.fixture_in())]),
        "tools": tools,
    }
    if order:
        known |= {"variants": np.stack([nuts.variant] * 2), "ordered": np.array(order.parts)}
    return known
