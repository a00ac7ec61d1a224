"""The cell's physics and its time: the MuJoCo model with its state, and which unit it is the turn of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import mujoco
import numpy as np

from takt.stations.nutcell import magnet, scene
from takt.stations.nutcell.layout import CONTROL_S, EXCHANGE_S, TAKT_S
from takt.stations.nutcell.line import Line
from takt.stations.nutcell.variation import Difficulty

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION

# How units are judged; `options["rules"]` of `reset` has another number where an older ledger is worked on.
# 2: forces of every physics step count, grip apart from push; cameras are placed as drawn at all times.
RULES = 2


@dataclass(slots=True)
class Beat:
    """Which shift it is (its seed, and the rules it is worked by), the turn of which unit, and the time.

    Unit k lasts from k * takt_s to (k + 1) * takt_s.
    """

    takt_s: ClassVar[float] = TAKT_S

    seed: int = 0
    rules: int = RULES
    unit: int = -1
    ticks: int = 0  # control periods since the shift began

    @property
    def now(self) -> float:
        """Station time, s."""
        return self.ticks * CONTROL_S

    @property
    def unit_began(self) -> float:
        """Station time at which this unit fell due, s."""
        return self.unit * self.takt_s

    @property
    def unit_left(self) -> float:
        """What is left of this unit, s."""
        return max(0.0, (self.unit + 1) * self.takt_s - self.now)

    @property
    def unit_ends(self) -> bool:
        return self.ticks % self.periods == 0

    @property
    def periods(self) -> int:
        """Control periods of a unit."""
        return round(self.takt_s / CONTROL_S)

    def put_forward(self, left_s: float) -> None:
        """Make it `left_s` seconds before this unit's end."""
        self.ticks = round(((self.unit + 1) * self.takt_s - left_s) / CONTROL_S)

    def exchange(self, ticks: int | None = None) -> float:
        """How far the exchange of fixtures is: 0 as the unit falls due, 1 when the new one is in place."""
        ticks = self.ticks if ticks is None else ticks
        return (ticks * CONTROL_S - max(self.unit, 0) * self.takt_s) / EXCHANGE_S

    def fixture_in(self) -> bool:
        """Whether this unit's fixture is in place, at rest."""
        return self.ticks - max(self.unit, 0) * self.periods > round(EXCHANGE_S / CONTROL_S)


class World:
    """The model, its state `data`, the addresses in it (`scene.Scene`), what is fed, how much units differ, and
    how far the hands are told to open."""

    def __init__(self, timestep_s: float, line: Line, difficulty: Difficulty) -> None:
        self.line, self.difficulty = line, difficulty
        self.scene = scene.build(timestep_s, line)
        self.model = self.scene.model
        self.data = mujoco.MjData(self.model)
        self.substeps = round(CONTROL_S / timestep_s)
        self.beat = Beat()
        self.grip = np.ones(2)  # as commanded: 0 closed, 1 open

    @property
    def tools(self) -> np.ndarray:
        """(2, 3): where the hands' tool frames are, m."""
        where: np.ndarray = self.data.site_xpos[self.scene.tool_site]
        return where

    def command(self, arms: np.ndarray) -> None:
        """Send joints (2, 7) rad and grips to the servos."""
        self.data.ctrl[self.scene.arm_ctrl] = arms
        opening = self.line.grip_closed + self.grip * (scene.GRIP_OPEN - self.line.grip_closed)
        self.data.ctrl[self.scene.finger_ctrl] = opening[:, None]

    def run(
        self, bodies: list[int], seats: np.ndarray, strength: np.ndarray, touched: Callable[[mujoco.MjData], None]
    ) -> None:
        """One control period of physics, in which magnets pull the nuts `bodies` to their `seats`.

        Sensors are computed in its last time step only; nobody reads them before. Contacts of every time step are
        handed to `touched`, for a blow may last no longer than one.
        """
        model, data, last = self.model, self.data, self.substeps - 1
        no_sensor = int(mujoco.mjtDisableBit.mjDSBL_SENSOR)
        model.opt.disableflags |= no_sensor
        data.xfrc_applied[:] = 0.0
        every_step = self.beat.rules > 1
        for k in range(self.substeps):
            if k == last:
                model.opt.disableflags &= ~no_sensor
            if bodies:
                mujoco.mj_step1(model, data)
                force, torque = magnet.pull(data.xipos[bodies], data.xmat[bodies].reshape(-1, 3, 3), seats, strength)
                data.xfrc_applied[bodies, :3], data.xfrc_applied[bodies, 3:] = force, torque
                mujoco.mj_step2(model, data)
            else:
                mujoco.mj_step(model, data)
            if data.ncon and (every_step or k == last):
                touched(data)

    def rouse(self) -> None:
        """Wake all that sleeps in MuJoCo's sense. It has no call for that but to set the state anew."""
        state = self.save()
        seen = self.data.site_xpos.copy(), self.data.site_xmat.copy(), self.data.sensordata.copy()
        self.load(state)
        self.data.site_xpos[:], self.data.site_xmat[:], self.data.sensordata[:] = seen

    def save(self) -> np.ndarray:
        """The state of the physics, from which they go on bit for bit."""
        state = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, state, _STATE)
        return state

    def load(self, state: np.ndarray) -> None:
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, state, _STATE)
