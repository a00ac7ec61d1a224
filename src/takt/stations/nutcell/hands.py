"""From where the hands shall be to where the joints shall be: the arms' Cartesian controller.

The station's `ee` actions move a set-point for each hand. Once a control period the joints follow it by one step of
differential inverse kinematics (mink: a quadratic programme with the joints' limits as constraints, on the *commanded*
joints, so that contact bends the servos and never winds up the set-point).
"""

from __future__ import annotations

from typing import Any

import mink
import mujoco
import numpy as np
import qpsolvers

from takt.stations.nutcell import scene

REACH_LOW = np.array([0.10, -0.60, scene.TABLE_Z - 0.01])  # the box that set-points are kept in, m, world frame
REACH_HIGH = np.array([0.62, 0.60, scene.TABLE_Z + 0.45])
SETTLED = 1e-7  # rad: after a step as small as this nothing need be solved until the set-points move
JOINT_SPEED = 2.5  # rad/s


class Hands:
    """Set-points (2, 3) m and (2, 4) unit quaternions w x y z of the tool frames, world; and the joints that follow."""

    def __init__(self, control_s: float) -> None:
        self.control_s = control_s
        self.configuration = mink.Configuration(scene.robot_model())
        model = self.configuration.model
        self.joints = np.array([[model.joint(f"{s}_{j}").qposadr[0] for j in scene.ARM_JOINTS] for s in scene.SIDES])
        self.sites = [model.site(f"{s}_tool").id for s in scene.SIDES]
        self.tasks = [
            mink.FrameTask(f"{s}_tool", "site", position_cost=1.0, orientation_cost=0.3, lm_damping=1e-4)
            for s in scene.SIDES
        ]
        posture = mink.PostureTask(model, cost=np.where(np.isin(np.arange(model.nv), self.joints), 2e-3, 1.0))
        posture.set_target(self._whole(np.array([scene.REST, scene.REST])))
        self.all_tasks = [*self.tasks, posture]
        self.limits = [
            mink.ConfigurationLimit(model),
            mink.VelocityLimit(model, {f"{s}_{j}": JOINT_SPEED for s in scene.SIDES for j in scene.ARM_JOINTS}),
        ]
        self.place(np.array([scene.REST, scene.REST]))

    def _whole(self, arms: np.ndarray) -> np.ndarray:
        whole = np.full(self.configuration.model.nq, scene.GRIP_OPEN)
        whole[self.joints] = arms
        return whole

    def place(self, arms: np.ndarray) -> None:
        """Command the joints (2, 7) rad directly; the set-points are then where the tools are."""
        self.configuration.update(self._whole(arms))
        self.arrived = False
        data = self.configuration.data
        self.pos = np.array([data.site_xpos[site] for site in self.sites])
        self.quat = np.empty((2, 4))
        for i, site in enumerate(self.sites):
            mujoco.mju_mat2Quat(self.quat[i], data.site_xmat[site])

    @property
    def arms(self) -> np.ndarray:
        """Commanded joint positions (2, 7) rad."""
        return self.configuration.q[self.joints]

    def move(self, deltas: np.ndarray) -> None:
        """Shift the set-points by deltas (2, 6): m, then a rotation vector in rad, world frame."""
        if not deltas.any():
            return
        self.arrived = False
        self.pos = np.clip(self.pos + deltas[:, :3], REACH_LOW, REACH_HIGH)
        turn, new = np.empty(4), np.empty(4)
        for i in range(2):
            angle = np.linalg.norm(deltas[i, 3:])
            if angle > 0:
                mujoco.mju_axisAngle2Quat(turn, deltas[i, 3:] / angle, angle)
                mujoco.mju_mulQuat(new, turn, self.quat[i])
                mujoco.mju_normalize4(new)
                self.quat[i] = new

    def follow(self) -> None:
        """One control period of inverse kinematics towards the set-points."""
        if self.arrived:
            return
        for i, task in enumerate(self.tasks):
            task.set_target(mink.SE3(np.concatenate([self.quat[i], self.pos[i]])))
        problem = mink.build_ik(self.configuration, self.all_tasks, self.control_s, limits=self.limits)
        step: np.ndarray | None = np.linalg.solve(problem.P, -problem.q)
        assert problem.G is not None and problem.h is not None and step is not None
        if (problem.G @ step > problem.h).any():  # only then is it worth a programme
            step = qpsolvers.solve_problem(problem, "daqp").x
        if step is None:  # a set-point beyond the joints' limits: stay
            return
        self.configuration.integrate_inplace(step / self.control_s, self.control_s)
        self.arrived = bool(np.abs(step).max() < SETTLED)

    def save(self) -> dict[str, Any]:
        return {"pos": self.pos, "quat": self.quat, "q": self.configuration.q, "arrived": self.arrived}

    def load(self, state: dict[str, Any]) -> None:
        self.configuration.update(state["q"].copy())
        self.pos, self.quat = state["pos"].copy(), state["quat"].copy()
        self.arrived = state["arrived"]
