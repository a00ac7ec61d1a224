"""gym-aloha's insertion task as a station, and a scripted worker at it.

    pip install "run-at-rate[bench]"               gym-aloha 0.1.3; later ones want an older MuJoCo than Takt does
    python examples/aloha_insertion.py      three units

An episode is a unit: two ALOHA arms take a peg and a socket from the table and put one into the other. Good is what
the task itself calls a success: reward 4, the peg touches the pin within the socket. The beat is 8 s.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces

if TYPE_CHECKING:
    from takt import StationSpec

ID = "takt/AlohaInsertionState-v0"
STATION = {"id": ID, "takt_s": 8.0, "max_episode_steps": 400, "hold": "observation:agent_pos", "privileged": True}


# --- the environment: gym-aloha's own, told by its state instead of by pictures --------------------------------------


def let_dm_control_meet_mujoco_4() -> None:
    """dm_control 1.0.50, the last, lists fields of MuJoCo's structs that MuJoCo 4 no longer has; none is used here."""
    from dm_control.mujoco.wrapper.mjbindings import sizes

    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    for name, struct in (("mjmodel", model), ("mjdata", mujoco.MjData(model))):
        for field in [field for field in sizes.array_sizes[name] if not hasattr(struct, field)]:
            del sizes.array_sizes[name][field]


def aloha_insertion(**kwargs: Any) -> gymnasium.Env[Any, Any]:
    """`gym_aloha/AlohaInsertion-v0`, but observed as {agent_pos (14), environment_state (14)}.

    agent_pos is each arm's six joints (rad) and its grip (0 closed, 1 open), environment_state the peg's and the
    socket's position (m) and quaternion. The task draws three pictures with every step, for any observation: without a
    GPU that is 0.2 s of each 0.02 s, so they are left out.
    """
    os.environ.setdefault("MUJOCO_GL", "egl")  # dm_control reads it when it is imported
    let_dm_control_meet_mujoco_4()
    from gym_aloha.env import AlohaEnv

    class AlohaState(AlohaEnv):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(task="insertion", **kwargs)
            box = spaces.Box(-np.inf, np.inf, (14,), np.float64)
            self.observation_space = spaces.Dict({"agent_pos": box, "environment_state": box})
            self._env.physics.render = lambda **_: None

        def _format_raw_obs(self, raw_obs: Any) -> dict[str, Any]:
            return {"agent_pos": raw_obs["qpos"], "environment_state": raw_obs["env_state"]}

        def render(self) -> Any:
            del self._env.physics.render  # the method of the class, which draws
            try:
                return super().render()
            finally:
                self._env.physics.render = lambda **_: None

    return AlohaState(**kwargs)


gymnasium.register(ID, entry_point=aloha_insertion, max_episode_steps=300)


# --- the worker ------------------------------------------------------------------------------------------------------

START = np.array([0, -0.96, 1.16, 0, -0.3, 0])  # where an arm's joints are when an episode begins
TIP = np.array([0.125, 0.0, 0.012])  # between the finger tips, in the frame of `gripper_link`, m
MEET = np.array([0.0, 0.5, 0.15])  # where peg and socket meet
PITCH = np.radians(60)  # of the hands, downwards
# When (control periods), how far from the part (or, from `meet`, from MEET; x outwards), and the grip.
SCRIPT = [
    (100, "part", (0.0, 0.0, 0.08), 1.0),
    (150, "part", (0.0, 0.0, 0.0), 1.0),
    (180, "part", (0.0, 0.0, 0.0), 0.0),
    (260, "meet", (0.12, 0.0, 0.0), 0.0),
    (290, "meet", (0.12, 0.0, 0.0), 0.0),
    (370, "meet", (0.04, 0.0, 0.0), 0.0),
    (400, "meet", (0.04, 0.0, 0.0), 0.0),
]


class Inserter:
    """Follows the script with both hands; each joint target by damped least squares on the arm's own model."""

    def begin(self, spec: StationSpec, seed: int) -> None:
        from gym_aloha.constants import ASSETS_DIR

        self.model = mujoco.MjModel.from_xml_path(str(ASSETS_DIR / "bimanual_viperx_insertion.xml"))
        self.data = mujoco.MjData(self.model)
        self.arms = [Arm(self.model, self.data, side) for side in ("left", "right")]

    def act(self, observation: dict[str, np.ndarray]) -> list[np.ndarray]:
        joints = observation["agent_pos"].reshape(2, 7)[:, :6]
        peg, socket = observation["environment_state"][:3], observation["environment_state"][7:10]
        if np.abs(joints - START).max() < 1e-6:
            self.period = 0
            for arm, part in zip(self.arms, (socket, peg), strict=True):
                arm.begin(part)
        self.period += 1
        hands = zip(self.arms, (socket, peg), strict=True)
        return [np.concatenate([arm.follow(self.period, part) for arm, part in hands])]

    def end(self) -> None: ...


class Arm:
    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, side: str) -> None:
        self.model, self.data = model, data
        self.outwards = -1.0 if side == "left" else 1.0
        self.body = model.body(f"vx300s_{side}/gripper_link").id
        self.at = model.joint(f"vx300s_{side}/waist").qposadr[0]
        self.dof = model.joint(f"vx300s_{side}/waist").dofadr[0]
        self.yaw = 0.0 if side == "left" else np.pi  # which way the arm faces
        self.low, self.high = model.jnt_range[model.joint(f"vx300s_{side}/waist").id :][:6].T

    def begin(self, part: np.ndarray) -> None:
        """An episode begins, with its part lying at `part`."""
        self.joints = START.copy()
        tip, _ = self._forward()
        self.slip = np.zeros(3)
        self.way = [(0, tip, 0.5)]
        for period, where, (x, y, z), grip in SCRIPT:
            self.way.append((period, (part if where == "part" else MEET) + (x * self.outwards, y, z), grip))

    def follow(self, period: int, part: np.ndarray) -> np.ndarray:
        """Six joint targets and the grip, with the part where it is now."""
        (t0, from_, grip0), (t1, to, grip1) = next(
            leg for leg in zip(self.way, self.way[1:], strict=False) if period <= leg[1][0] or leg[1] is self.way[-1]
        )
        share = min(1.0, (period - t0) / (t1 - t0))
        target = from_ + share * (to - from_)
        if period > 260:  # the part is not quite where the tips are: bring the part to the line, not the tips
            self.slip += 0.03 * (target - part) * (0, 1, 1)
        turned = _turn("z", self.yaw) @ _turn("y", PITCH * min(1.0, period / SCRIPT[0][0]))
        for _ in range(3):
            self._towards(target + self.slip, turned)
        return np.append(self.joints, grip0 + share * (grip1 - grip0))

    def _towards(self, target: np.ndarray, turned: np.ndarray) -> None:
        tip, now = self._forward()
        turn = np.zeros(3)
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, (turned @ now.T).ravel())
        mujoco.mju_quat2Vel(turn, quat, 1.0)
        shift, spin = np.zeros((3, self.model.nv)), np.zeros((3, self.model.nv))
        mujoco.mj_jac(self.model, self.data, shift, spin, tip, self.body)
        jacobian = np.vstack([shift, 0.3 * spin])[:, self.dof : self.dof + 6]
        error = np.concatenate([target - tip, 0.3 * turn])
        step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 1e-4 * np.eye(6), error)
        self.joints = np.clip(self.joints + np.clip(step, -0.05, 0.05), self.low, self.high)

    def _forward(self) -> tuple[np.ndarray, np.ndarray]:
        self.data.qpos[self.at : self.at + 6] = self.joints
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        turned = self.data.xmat[self.body].reshape(3, 3).copy()
        return self.data.xpos[self.body] + turned @ TIP, turned


def _turn(axis: str, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]] if axis == "z" else [[c, 0, s], [0, 1, 0], [-s, 0, c]])


if __name__ == "__main__":
    from takt import run_shift

    shift = run_shift("gym", Inserter(), units=3, station_options=STATION, worker_name="inserter")
    for event in shift.events:
        if event.unit is not None:
            print(f"{event.t_s:7.2f} s  unit {event.unit}  {event.kind}  {dict(event.data)}")
