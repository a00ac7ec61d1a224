"""The nut cell as a station: the fixture's beat, the feeders, sensing, inspection. Contract: takt/station.py.

Unit k lasts from k * TAKT_S to (k + 1) * TAKT_S. In its first EXCHANGE_S seconds the last fixture slides out and its
own slides in; at its end the station inspects, before anything moves. World frame as in scene.py; SI units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from takt import events
from takt.events import Event
from takt.pack import pack, unpack
from takt.station import Acceptance, Fault, FaultKind, StationSpec, TaktError, check_faults
from takt.stations.nutcell import magnet, orders, scene, variation
from takt.stations.nutcell.caption import captioned
from takt.stations.nutcell.forces import Forces
from takt.stations.nutcell.hands import Hands
from takt.stations.nutcell.line import LINES

TAKT_S = 76.0
CONTROL_S = 0.02
EXCHANGE_S = 2.0
SLIDE_M = 0.40
# How units are judged; `options["rules"]` of `reset` has another number where an older ledger is worked on.
# 2: forces of every physics step count, grip apart from push; cameras are placed as drawn at all times.
RULES = 2
FEED_S = 1.0  # from a nut being taken to the next one being there

SEATED_M, SEATED_RAD = 0.0015, np.radians(3.0)  # inspection: height above the seat, tilt
ON_PIN_M = 0.012  # a nut whose axis is this near the pin's is on it
JAMMED_RAD = np.radians(8.0)
TAKEN_M = 0.030  # a nut this far from where it was presented has been taken
CLEAR_M = 0.085  # a hand whose tool is this far from a pin's axis, or above it, is out of the fixture's way
# The hardest that a hand may push with, N (forces.py): beyond it the tool's wrist is damaged. A push at the tool's end
# loads the wrist's gear by the hand's length. Its torque limit is taken for the gear's repeated peak torque; in a
# collision a strain-wave gear of that size stands twice that ("momentary peak torque" is 1.8 to 2.3 times "repeated
# peak torque" in Harmonic Drive's catalogue of the CSF series, sizes 11 to 20, ratio 100). Nut and pin are of steel
# and stand more: a pin 14 mm thick bends for good at some 2 kN.
PUSH_LIMIT_N = round(2 * scene.ARM["wrist_pitch"][2] / scene.HAND)
# The hardest that a hand may squeeze a nut with, N: the most that a two-finger gripper of this stroke gives
# (Robotiq 2F-85, data sheet: 20 to 235 N). More than that comes from no motor but from a blow.
GRIP_LIMIT_N = 235
OLD_PUSH_LIMIT_N = 140.0  # rules 1: of the sum of all that touches a hand, two pads on a nut too, once a control period
STILL_S, STILL_SPEED = 0.2, 5e-3  # a nut slower than this (m/s and rad/s) for so long is at rest
LOOK_EVERY = 5  # control periods between two looks for something near, while all are at rest
NEAR_M = 0.08  # a hand this near to a nut at rest, or a moving nut, wakes it
NO_PICTURES = (
    "pictures need OpenGL, and none works here; on Debian: apt-get install libegl1 libgl1-mesa-dri libgles2"
    " (or libosmesa6, and MUJOCO_GL=osmesa); if they are there, set MUJOCO_GL=egl, or import takt.stations.nutcell"
    " before mujoco"
)
NOISE_ROWS = 4096  # sensor noise is drawn once a unit and read row by row

FAULTS = {
    "feeder_jam": FaultKind("no nut comes from the feeders until it is freed", repair_s=120.0, stops=True),
    "camera_dropout": FaultKind("all cameras are dark", repair_s=20.0, stops=False),
    "touch_dropout": FaultKind("the finger pads feel nothing", repair_s=20.0, stops=False),
}
# The mixed line has this one too. It does not stop the work: the other lanes go on.
LANE_EMPTY = FaultKind("one lane of one side, drawn by seed and time, has no nuts until it is filled", 120.0, False)
PARKED, FEEDER, LOOSE = 0, 1, 2  # where a nut is

EE_STEP_M, EE_STEP_RAD = 0.02, 0.12  # the most that an `ee` action moves a set-point in one control period
CAMERA_SIZES = (32, 480)  # pixels


class NutCell(gymnasium.Env[dict[str, Any], np.ndarray]):
    """The station.

    difficulty   "nominal", "plant" or "harsh": how much units differ (variation.py).
    control      "ee":    actions (15,): for each hand, left then right: a shift of its set-point (3) m and a rotation
                          vector (3) rad, world frame, per control period; its grip, 0 closed to 1 open; then help.
                 "joint": actions (17,): for each hand 7 joint targets in rad and its grip; then help.
                 Help above 0.5 calls a person: the unit is lost, and what lies about is cleared away at its end.
    cameras      which of "head", "left_wrist", "right_wrist" to draw (camera_size square, RGB), at camera_hz: a list,
                 or one text with commas.
    privileged   True adds `observation.privileged`: what only a simulator knows.
    timestep_s   of the physics.
    line         "single": one nut, one lane a side. "mixed": two, on a lane each, and an `order` in words says which
                 goes on which side (line.py, orders.py).
    language     of the orders: "en", "zh" or "both".
    phrasings    of the orders: "train" or "held_out".
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": round(1 / CONTROL_S)}  # noqa: RUF012

    def __init__(
        self,
        difficulty: str = "plant",
        control: str = "ee",
        cameras: Sequence[str] | str = (),
        camera_hz: float = 10.0,
        privileged: bool = False,
        timestep_s: float = scene.TIMESTEP_S,
        line: str = "single",
        language: str = "both",
        phrasings: str = "train",
        camera_size: int = 96,
        render_mode: str | None = None,
    ) -> None:
        _one_of("difficulty", difficulty, tuple(variation.DIFFICULTIES))
        _one_of("control", control, ("ee", "joint"))
        _one_of("line", line, tuple(LINES))
        _one_of("language", language, orders.LANGUAGES)
        _one_of("phrasings", phrasings, orders.PHRASINGS)
        cameras = [name for name in cameras.split(",") if name] if isinstance(cameras, str) else list(cameras)
        for camera in cameras:
            _one_of("camera", camera, scene.CAMERAS)
        if not CAMERA_SIZES[0] <= camera_size <= CAMERA_SIZES[1]:
            raise TaktError(f"camera_size is {camera_size}; it must be from {CAMERA_SIZES[0]} to {CAMERA_SIZES[1]}")
        if not 0 < camera_hz <= 1 / CONTROL_S:
            raise TaktError(f"camera_hz is {camera_hz}; it must be above 0 and at most {1 / CONTROL_S:g}")
        self._substeps = round(CONTROL_S / timestep_s) if timestep_s > 0 else 0
        if self._substeps < 1 or abs(self._substeps * timestep_s - CONTROL_S) > 1e-9:
            raise TaktError(f"timestep_s is {timestep_s}; it must divide the control period of {CONTROL_S} s")
        self.render_mode = render_mode
        self.difficulty = variation.DIFFICULTIES[difficulty]
        self.control = control
        self.cameras = tuple(cameras)
        self.privileged = bool(privileged)
        self.draws = (
            True  # False: the cameras keep their last pictures, for whoever steps through a wait and does not look
        )
        self._camera_every = max(1, round(1 / (camera_hz * CONTROL_S)))
        self.line = LINES[line]
        self.mixed = line == "mixed"
        self.language, self.phrasings, self.camera_size = language, phrasings, camera_size
        options: dict[str, Any] = {
            "difficulty": difficulty,
            "control": control,
            "cameras": cameras,
            "camera_hz": camera_hz,
            "privileged": self.privileged,
            "timestep_s": timestep_s,
        }
        # Options that came later are named only where they are used: shifts from before keep their digests.
        if self.mixed:
            options |= {"line": line, "language": language, "phrasings": phrasings}
        elif (language, phrasings) != ("both", "train"):
            raise TaktError("language and phrasings are of the orders, and only line=mixed has orders")
        if camera_size != 96:
            options["camera_size"] = camera_size
        self._spec: StationSpec = StationSpec(
            id="takt/NutCell-v0",
            entry_point="takt.stations.nutcell:NutCell",
            kwargs=dict(options),
            station="nutcell",
            takt_s=TAKT_S,
            control_s=CONTROL_S,
            faults=FAULTS | {"lane_empty": LANE_EMPTY} if self.mixed else FAULTS,
            acceptance=Acceptance(good_rate=0.902),
            parts=scene.SIDES,
            privileged=self.privileged,
            options=options,
        )
        self._scene = scene.build(timestep_s, self.line)
        self.model = self._scene.model
        self.data = mujoco.MjData(self.model)
        self._hands = Hands(CONTROL_S)
        self._renderers: dict[tuple[int, int], mujoco.Renderer] = {}
        self._nominal_light = self.model.light_diffuse.copy()
        self._nominal_camera = self.model.cam_pos.copy()
        self._forces = Forces(self.model)
        self._bits = self.model.geom_contype.copy(), self.model.geom_conaffinity.copy()
        self._body_bits = self.model.body_contype.copy(), self.model.body_conaffinity.copy()
        self._nuts, self._lanes = self.line.nuts_per_side, len(self.line.variants)
        self._variant = self.line.variant_of_nut  # of each nut of a side; its lane too
        self._lane_pos = self.line.lane_pos
        self._tooth_radius = [scene.tooth_radius(variant) for variant in self.line.variants]
        self._middle = np.zeros((self._nuts, 3))  # of each nut, above its lower face
        self._middle[:, 2] = self.line.of_nuts("height_m") / 2
        self._nut_index = self._scene.nut_qpos[..., None] + np.arange(7)
        self._touch_index = self._scene.touch_adr[..., None] + np.arange(3 * int(np.prod(scene.TAXELS)))
        self.action_space: spaces.Box = self._action_space()
        self.observation_space: spaces.Dict = self._observation_space()
        super().reset(seed=0)
        self._start(0, {})  # nothing is drawn before it is asked for: who forks a process then has no context open

    # --- spaces -----------------------------------------------------------------------------------------------------

    def _action_space(self) -> spaces.Box:
        if self.control == "ee":
            step = [EE_STEP_M] * 3 + [EE_STEP_RAD] * 3
            low, high = ([-s for s in step] + [0.0]) * 2 + [0.0], (step + [1.0]) * 2 + [1.0]
        else:
            limits = [scene.ARM[joint][1] for joint in scene.ARM_JOINTS]
            low, high = ([lo for lo, _ in limits] + [0.0]) * 2 + [0.0], ([hi for _, hi in limits] + [1.0]) * 2 + [1.0]
        return spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)

    def _observation_space(self) -> spaces.Dict:
        def box(shape: tuple[int, ...], dtype: Any = np.float32) -> spaces.Box:
            return spaces.Box(-np.inf, np.inf, shape, dtype)

        known: dict[str, spaces.Space[Any]] = {
            "observation.state": box((48,)),  # positions, velocities, efforts: each left 7 + grip, right 7 + grip
            "observation.setpoint": box((2, 7)),  # of each hand: m, and quaternion w x y z
            "observation.touch": box((2, 2, 3, *scene.TAXELS)),  # hand, pad, normal and two shears, rows, columns: N
            "observation.takt_left": box((1,)),  # s
        }
        picture = spaces.Box(0, 255, (self.camera_size, self.camera_size, 3), np.uint8)
        known |= {f"observation.images.{camera}": picture for camera in self.cameras}
        if self.privileged:
            secret: dict[str, spaces.Space[Any]] = {
                "nuts": box((2, self._nuts, 7), np.float64),  # side, nut, lower face's centre and quaternion
                "splines": box((2, self._nuts), np.float64),  # yaw of each nut's teeth in its own frame
                "nut_state": spaces.Box(0, 2, (2, self._nuts), np.int64),  # PARKED, FEEDER, LOOSE
                "pins": box((2, 4), np.float64),  # of each: seat's position and yaw
                "fixture_in": spaces.Box(0, 1, (1,), np.int64),
                "tools": box((2, 7), np.float64),  # where the hands' tool frames are
            }
            if self.mixed:  # indices into line.MIXED.variants: of each nut, and what each side is to get
                secret["variants"] = spaces.Box(0, self._lanes - 1, (2, self._nuts), np.int64)
                secret["ordered"] = spaces.Box(0, self._lanes - 1, (2,), np.int64)
            known["observation.privileged"] = spaces.Dict(secret)
        if self.mixed:
            known["order"] = spaces.Text(orders.MAX_CHARACTERS, min_length=1, charset=orders.charset())
        return spaces.Dict(known)

    # --- the contract -----------------------------------------------------------------------------------------------

    @property
    def spec(self) -> StationSpec:
        return self._spec

    @spec.setter
    def spec(self, given: EnvSpec | None) -> None:
        """`gymnasium.make` puts a spec of its own here: what it says is taken over, the numbers of the shift stay."""
        if isinstance(given, StationSpec):
            self._spec = given
        elif given is not None:
            for part in fields(EnvSpec):
                setattr(self._spec, part.name, getattr(given, part.name))

    @property
    def now(self) -> float:
        return self._ticks * CONTROL_S

    @property
    def hold(self) -> np.ndarray:
        grips = self._grip
        if self.control == "ee":
            action = np.concatenate([np.zeros(6), grips[:1], np.zeros(6), grips[1:], [0.0]])
        else:
            arms = self._hands.arms
            action = np.concatenate([arms[0], grips[:1], arms[1], grips[1:], [0.0]])
        return action.astype(np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self._start(int(seed) if seed is not None else int(self.np_random.integers(2**31)), options or {})
        return self._observe(), {"events": self._drain()}

    def _start(self, seed: int, options: Mapping[str, Any]) -> None:
        """The beginning of a shift."""
        self._seed = seed
        self._rules = int(options.get("rules", RULES))
        self._faults: list[Fault] = list(options.get("faults", ()))
        check_faults(self.spec, self._faults)
        self._active: list[Fault] = []
        self._ticks = 0
        self._unit = -1
        self._grip = np.ones(2)
        shape = (2, self._nuts)
        self._nut_state = np.full(shape, PARKED)
        self._nut_since = np.zeros(shape)  # when it was taken
        self._presented = np.zeros((*shape, 3))  # where it was
        self._spline = np.zeros(shape)  # yaw of its teeth in its own frame
        self._still = np.zeros(shape, int)  # for how many control periods it has not moved
        self._asleep = np.zeros(shape, bool)
        self._fed = np.zeros((2, self._lanes), int)  # nuts presented for this unit
        self._feed_at = np.full((2, self._lanes), np.inf)
        self._images: dict[str, np.ndarray] = {}
        self.pictures = 0  # how many times the cameras were looked through: whether an observation's are new
        mujoco.mj_resetData(self.model, self.data)
        data, cell = self.data, self._scene
        self._hands.place(np.array([scene.REST, scene.REST]))
        data.qpos[cell.arm_qpos] = scene.REST
        data.qpos[cell.finger_qpos] = scene.GRIP_OPEN
        for side in range(2):
            for k in range(self._nuts):
                self._park(side, k)
        self._command()
        self._log: list[Event] = []
        self._begin_unit()
        mujoco.mj_forward(self.model, data)

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        action = np.asarray(action, np.float64)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            raise ValueError(f"an action is {self.action_space.shape} finite numbers, not {action!r}")
        self._act(np.clip(action, self.action_space.low, self.action_space.high))
        self._strike_faults()
        self._slide_fixture()
        self._run_physics()
        self._ticks += 1
        self._mind_hands()
        self._mind_nuts()
        self._mind_sleep()
        reward = 0.0
        if self._ticks % round(TAKT_S / CONTROL_S) == 0:
            reward = float(self._inspect())
            self._begin_unit()
        return self._observe(), reward, False, False, {"events": self._drain()}

    def save(self) -> bytes:
        kind = mujoco.mjtState.mjSTATE_INTEGRATION
        physics = np.empty(mujoco.mj_stateSize(self.model, kind))
        mujoco.mj_getState(self.model, self.data, physics, kind)
        return pack(
            {
                "physics": physics,
                "hands": self._hands.save(),
                "seed": self._seed,
                "unit": self._unit,
                "ticks": self._ticks,
                "grip": self._grip,
                "nut_state": self._nut_state,
                "nut_since": self._nut_since,
                "presented": self._presented,
                "spline": self._spline,
                "still": self._still,
                "asleep": self._asleep,
                "fed": self._fed.ravel(),
                "feed_at": self._feed_at.ravel(),
                "images": self._images,
                "peak_force": self._push if self._rules == 1 else [self._push, self._grip_force],
                "done_at": self._done_at,
                "help": self._help,
                "taken": self._taken,
                "faults": [[f.name, f.at_s, f.for_s] for f in self._faults],
                "active": [[f.name, f.at_s, f.for_s] for f in self._active],
                "riding": self._riding,
                "slid": self._slid,
            }
        )

    def load(self, state: bytes) -> None:
        saved = unpack(state)
        self._seed, self._unit, self._ticks = saved["seed"], saved["unit"], saved["ticks"]
        self._hands.load(saved["hands"])
        self._grip = saved["grip"].copy()
        self._nut_state = saved["nut_state"].copy()
        self._nut_since = saved["nut_since"].copy()
        self._presented = saved["presented"].copy()
        self._fed = saved["fed"].reshape(2, self._lanes)
        self._feed_at = saved["feed_at"].reshape(2, self._lanes)
        self._images = saved["images"]
        self._done_at, self._help = saved["done_at"], saved["help"]
        peaks = saved["peak_force"]  # before rules 2 it was one number
        push, grip = peaks if isinstance(peaks, list) else (peaks, 0.0)
        self._push, self._grip_force = float(push), float(grip)
        self._taken = list(saved["taken"])
        self._faults = [Fault(*f) for f in saved["faults"]]
        self._active = [Fault(*f) for f in saved["active"]]
        self._riding, self._slid = [list(r) for r in saved["riding"]], saved["slid"]
        self._log = []
        self._draw_order()
        self._draw_unit()
        for side, k in np.ndindex(*self._nut_state.shape):
            self._sleep(side, k, bool(saved["asleep"][side, k]))
            self._cut(side, k, float(saved["spline"][side, k]))
        self._still = saved["still"].copy()
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, saved["physics"], mujoco.mjtState.mjSTATE_INTEGRATION)
        moved = max(self._ticks - 1, max(self._unit, 0) * round(TAKT_S / CONTROL_S))  # when the fixture last moved
        self._fixture_x = self._out(self._phase(moved))

    def render(self) -> np.ndarray:  # type: ignore[override]
        """The head camera and a wide view, side by side: (480, 1280, 3) uint8. With the order in it, if any."""
        self._see()
        picture = np.concatenate([self._draw("head", 480, 640), self._draw("wide", 480, 640)], axis=1)
        if self._order is None:
            return picture
        names = [self.line.variants[part].name for part in self._order.parts]
        return captioned(picture, self._order.text, f"left {names[0]}, right {names[1]}")

    def close(self) -> None:
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers = {}

    # --- acting -----------------------------------------------------------------------------------------------------

    def _act(self, action: np.ndarray) -> None:
        if self.control == "ee":
            hands = action[:14].reshape(2, 7)
            self._hands.move(hands[:, :6])
            self._hands.follow()
            self._grip = hands[:, 6].copy()
        else:
            hands = action[:16].reshape(2, 8)
            self._hands.place(hands[:, :7])
            self._grip = hands[:, 7].copy()
        self._command()
        if action[-1] > 0.5 and not self._help:
            self._help = True
            self._emit(events.HELP_CALLED, why="the worker asked")

    def _command(self) -> None:
        self.data.ctrl[self._scene.arm_ctrl] = self._hands.arms
        opening = self.line.grip_closed + self._grip * (scene.GRIP_OPEN - self.line.grip_closed)
        self.data.ctrl[self._scene.finger_ctrl] = opening[:, None]

    def _run_physics(self) -> None:
        """One control period. Sensors are computed in its last time step only; nobody reads them before. Contacts of
        every time step are looked at: a blow may last no longer than one."""
        model, data = self.model, self.data
        sides, bodies = self._near_pins()
        no_sensor = int(mujoco.mjtDisableBit.mjDSBL_SENSOR)
        model.opt.disableflags |= no_sensor
        data.xfrc_applied[:] = 0.0
        seats, strength = self._seat[sides], self._strength[sides]
        for k in range(self._substeps):
            if k == self._substeps - 1:
                model.opt.disableflags &= ~no_sensor
            if sides:
                mujoco.mj_step1(model, data)
                force, torque = magnet.pull(data.xipos[bodies], data.xmat[bodies].reshape(-1, 3, 3), seats, strength)
                data.xfrc_applied[bodies, :3], data.xfrc_applied[bodies, 3:] = force, torque
                mujoco.mj_step2(model, data)
            else:
                mujoco.mj_step(model, data)
            if data.ncon and (self._rules > 1 or k == self._substeps - 1):
                self._forces.add(data)

    def _near_pins(self) -> tuple[list[int], list[int]]:
        """The nuts that a magnet pulls: whose pin's, and their bodies."""
        sides: list[int] = []
        bodies: list[int] = []
        if self._asleep.all():
            return sides, bodies
        at = self._nut_pos()
        reach = magnet.REACH + scene.NUT_HEIGHT
        for which, k in zip(*np.nonzero(~self._asleep), strict=True):
            for side in range(2):
                x, y, z = at[which, k] - self._seat[side]
                if abs(x) < reach and abs(y) < reach and -reach < z < scene.RIB_TOP + reach:
                    sides.append(side)
                    bodies.append(int(self._scene.nut_body[which, k]))
        return sides, bodies

    # --- the unit: its beginning, its fixture, its end ----------------------------------------------------------------

    def _draw_unit(self) -> None:
        """Everything about the unit whose fixture is here that follows from (seed, unit) alone."""
        seed, unit, hard = self._seed, max(self._unit - (not self._slid), 0), self.difficulty
        self._pins = [variation.pin(hard, seed, unit, side) for side in scene.SIDES]
        self._seat = np.array(
            [
                [scene.FIXTURE_X + pin.offset_m[0], scene.SIGN[side] * scene.PIN_Y + pin.offset_m[1], scene.SEAT_Z]
                for side, pin in zip(scene.SIDES, self._pins, strict=True)
            ]
        )
        self._strength = np.array([pin.magnet_n for pin in self._pins])
        model, cell = self.model, self._scene
        for side, pin in enumerate(self._pins):
            model.geom_size[cell.core_geom[side], 0] = scene.CORE_RADIUS - pin.clearance_m
            reach = scene.RIB_REACH - pin.clearance_m
            model.geom_size[cell.rib_geom[side], 0] = reach / 2
            angle = np.pi / scene.TEETH + 2 * np.pi * np.arange(scene.TEETH) / scene.TEETH
            model.geom_pos[cell.rib_geom[side], 0] = reach / 2 * np.cos(angle)
            model.geom_pos[cell.rib_geom[side], 1] = reach / 2 * np.sin(angle)
            # MuJoCo takes the larger friction of a pair; the nut's own is below every pin's.
            model.geom_friction[cell.core_geom[side], 0] = pin.friction
            model.geom_friction[cell.rib_geom[side], 0] = pin.friction
        model.geom_friction[cell.nut_fine_geom, 0] = 0.15
        rng = variation.stream(seed, unit, "light")
        model.light_diffuse[:] = self._nominal_light * (1 + hard.light * rng.uniform(-1, 1, (model.nlight, 1)))
        rng = variation.stream(seed, unit, "camera")
        model.cam_pos[:] = self._nominal_camera
        for camera in scene.CAMERAS:
            model.cam_pos[model.camera(camera).id] += hard.camera_m * rng.uniform(-1, 1, 3)
        rng = variation.stream(seed, unit, "touch")
        self._dead = rng.uniform(size=(2, 2, 1, *scene.TAXELS)) < hard.dead_taxels
        rng = variation.stream(seed, unit, "noise")
        self._joint_noise = (hard.joint_noise_rad * rng.standard_normal((NOISE_ROWS, 16))).astype(np.float32)
        self._touch_noise = (hard.touch_noise_n * rng.standard_normal((NOISE_ROWS, 2, 2, 3, *scene.TAXELS))).astype(
            np.float32
        )

    def _begin_unit(self) -> None:
        # What stands or lies on the fixture leaves with it, rigidly; nuts in a hand do not.
        self._riding = [
            [side, k] for side in range(2) for k in range(self._nuts) if self._unit >= 0 and self._rides(side, k)
        ]
        self._slid = False
        if self._unit >= 0 and self._help:
            self._clear_table()
        self._unit += 1
        self._push, self._grip_force = 0.0, 0.0  # the hardest of this unit, N
        self._done_at, self._help = -1.0, False
        self._taken = [False, False]
        self._fed = np.zeros((2, self._lanes), int)
        self._draw_order()
        if self._unit == 0:
            self._slid = True
            self._draw_unit()
        for side, lane in np.ndindex(2, self._lanes):
            self._renew_presented(side, lane)
        self._slide_fixture()
        self._emit(events.UNIT_DUE, **({"order": self._order.text} if self._order else {}))

    def _draw_order(self) -> None:
        self._order = orders.order(self._seed, self._unit, self.language, self.phrasings) if self.mixed else None

    def _rides(self, side: int, k: int) -> bool:
        at = self._nut_pos()[side, k]
        inside = abs(at[0] - scene.FIXTURE_X) < 0.06 and abs(at[1]) < 0.16 and at[2] < scene.SEAT_Z + scene.PIN_TOP
        return bool(self._nut_state[side, k] == LOOSE and inside and not self._held(side, k))

    def _held(self, side: int, k: int) -> bool:
        """A nut between the closed pads of a hand."""
        at = self._nut_pos()[side, k] + self._middle[k]
        tools = self.data.site_xpos[self._scene.tool_site]
        return bool(((np.linalg.norm(tools - at, axis=1) < 0.012) & (self._grip < 0.5)).any())

    def _slide_fixture(self) -> None:
        """Place fixture and pins where they are at this time of the unit. Kinematic: the line is much stronger."""
        phase = self._phase(self._ticks)
        if phase > 1.0:
            if self._fixture_x != 0.0:
                self._set_fixture(0.0)
            return
        if phase < 0.5 and not self._slid:
            x = self._out(phase)
            for side, k in self._riding:
                address = self._scene.nut_qpos[side, k]
                self.data.qpos[address] += x - self._fixture_x
            if self._riding:
                self._wake()
            self._set_fixture(x)
        else:
            if not self._slid:  # out of reach: the old fixture is gone, and the new one takes its place
                self._slid = True
                for side, k in self._riding:
                    self._park(side, k)
                self._riding = []
                self._draw_unit()
            self._set_fixture(self._out(phase))

    def _phase(self, ticks: int) -> float:
        """How far the exchange of fixtures is: 0 as the unit falls due, 1 when the new one is in place."""
        return (ticks * CONTROL_S - max(self._unit, 0) * TAKT_S) / EXCHANGE_S

    def _out(self, phase: float) -> float:
        """How far out a fixture is, m: the old one on its way out, then the new one on its way in."""
        if phase > 1.0:
            return 0.0
        return SLIDE_M * (1 - _smooth(max(0.0, 2 * phase - 1)) if self._slid else _smooth(2 * phase))

    _fixture_x = 0.0  # how far the fixture is out, m

    def _fixture_in(self) -> bool:
        """Whether this unit's fixture is in place, at rest."""
        return self._ticks - max(self._unit, 0) * round(TAKT_S / CONTROL_S) > round(EXCHANGE_S / CONTROL_S)

    def _set_fixture(self, x: float) -> None:
        data, cell = self.data, self._scene
        self._fixture_x = x
        data.mocap_pos[cell.plate_mocap] = [scene.FIXTURE_X + x, 0.0, scene.SEAT_Z - 0.008]
        for side, pin in enumerate(self._pins):
            data.mocap_pos[cell.pin_mocap[side]] = self._seat[side] + [x, 0, 0]
            data.mocap_quat[cell.pin_mocap[side]] = [np.cos(pin.yaw_rad / 2), 0, 0, np.sin(pin.yaw_rad / 2)]

    def _inspect(self) -> bool:
        """Look at both pins, say good or bad and why, and write it down."""
        parts: dict[str, Any] = {}
        reasons: list[str] = []
        for side, name in enumerate(scene.SIDES):
            part = self._inspect_side(side)
            parts[name] = part
            if not part["good"] and part["why"] not in reasons:
                reasons.append(part["why"])
        if self._in_the_way() and "late" not in reasons:
            reasons.append("late")
        if self._push > (PUSH_LIMIT_N if self._rules > 1 else OLD_PUSH_LIMIT_N):
            reasons.insert(0, "collision")
        if self._grip_force > GRIP_LIMIT_N:
            reasons.insert(0, "crushed")
        if self._help:
            reasons.insert(0, "help")
        cycle_s = self._done_at - self._unit * TAKT_S if self._done_at >= 0 else None
        seen = {"cycle_s": cycle_s, "parts": parts}
        if self._rules > 1:
            seen |= {"peak_push_n": round(self._push, 3), "peak_grip_n": round(self._grip_force, 3)}
        else:
            seen["peak_force_n"] = round(self._push, 3)
        if reasons:
            self._emit(events.UNIT_BAD, **seen, reasons=reasons)
        else:
            self._emit(events.UNIT_GOOD, **seen, first_time=self._fed_again() <= 1)
        return not reasons

    def _fed_again(self) -> int:
        """The most nuts that a side had brought after those that lay there at first: one, if none was wasted."""
        return int(np.maximum(self._fed - 1, 0).sum(axis=1).max())

    def _inspect_side(self, side: int) -> dict[str, Any]:
        """One pin: is a nut on it, how high above the seat, how tilted; and if it is not seated, why."""
        at = self._nut_pos()
        offset = np.linalg.norm(at[..., :2] - self._seat[side, :2], axis=-1)
        height = at[..., 2] - self._seat[side, 2]
        on_pin = (offset < ON_PIN_M) & (height < scene.PIN_TOP) & (self._nut_state == LOOSE)
        seen: dict[str, Any] = {"good": False, "height_mm": None, "tilt_deg": None, "part": None, "why": "missed"}
        if self._order:
            seen["ordered"] = self.line.variants[self._order.parts[side]].name
        if on_pin.any():
            which, k = max(zip(*np.nonzero(on_pin), strict=True), key=lambda found: height[found])
            x, y = self.data.qpos[self._scene.nut_qpos[which, k] + [4, 5]]
            tilt = float(np.arccos(np.clip(1 - 2 * (x * x + y * y), -1, 1)))
            above = float(height[which, k])
            good = above < SEATED_M and tilt < SEATED_RAD and int(on_pin.sum()) == 1
            jammed = tilt > JAMMED_RAD or SEATED_M <= above < scene.RIB_TOP - 0.003
            seen |= {
                "good": good,
                "height_mm": round(above * 1e3, 3),
                "tilt_deg": round(float(np.degrees(tilt)), 3),
                "part": self.line.variants[self._variant[k]].name,
            }
            seen["why"] = None if good else "late" if self._held(which, k) else "jammed" if jammed else "not_seated"
            if good and self._order and self._variant[k] != self._order.parts[side]:
                seen |= {"good": False, "why": "wrong_part"}
            return seen
        if self._taken[side]:
            mine = [k for k in range(self._nuts) if self._nut_state[side, k] == LOOSE]
            seen["why"] = "late" if any(self._held(side, k) for k in mine) else "dropped"
        return seen

    def _in_the_way(self) -> bool:
        """A hand where the fixture has to pass."""
        tools = self.data.site_xpos[self._scene.tool_site]
        low = tools[:, 2] < scene.SEAT_Z + 0.050
        inside = (np.abs(tools[:, 0] - scene.FIXTURE_X) < 0.06) & (np.abs(tools[:, 1]) < 0.16)
        return bool((low & inside).any())

    def _mind_hands(self) -> None:
        """Track the hardest push and grip of a hand, and when the worker finished: both seated, both hands clear."""
        data = self.data
        push, grip = self._forces.peaks() if self._rules > 1 else (self._forces.all_at_once(), 0.0)
        self._push, self._grip_force = max(self._push, push), max(self._grip_force, grip)
        if self._ticks % 5 == 0:  # at 10 Hz is near enough for a cycle time
            tools = data.site_xpos[self._scene.tool_site]
            away = np.linalg.norm(tools[:, :2] - self._seat[:, :2], axis=1) > CLEAR_M
            clear = bool(((tools[:, 2] > scene.SEAT_Z + 0.050) | away).all())
            if not (clear and self._fixture_in() and all(self._inspect_side(side)["good"] for side in range(2))):
                self._done_at = -1.0
            elif self._done_at < 0:
                self._done_at = self.now

    # --- nuts -------------------------------------------------------------------------------------------------------

    def _nut_pos(self) -> np.ndarray:
        """(2, nuts, 3): the centre of each nut's lower face."""
        return self.data.qpos[self._nut_index[..., :3]]

    def _put(self, side: int, k: int, pos: np.ndarray, quat: np.ndarray) -> None:
        address, dof = self._scene.nut_qpos[side, k], self._scene.nut_dof[side, k]
        self.data.qpos[address : address + 3], self.data.qpos[address + 3 : address + 7] = pos, quat
        self.data.qvel[dof : dof + 6] = 0.0
        self._sleep(side, k, False)

    def _wake(self) -> None:
        """Rouse all that sleeps in MuJoCo's sense. It has no call for that but to set the state anew."""
        kind = mujoco.mjtState.mjSTATE_INTEGRATION
        state = np.empty(mujoco.mj_stateSize(self.model, kind))
        mujoco.mj_getState(self.model, self.data, state, kind)
        seen = self.data.site_xpos.copy(), self.data.site_xmat.copy(), self.data.sensordata.copy()
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, state, kind)
        self.data.site_xpos[:], self.data.site_xmat[:], self.data.sensordata[:] = seen

    def _cut(self, side: int, k: int, spline_rad: float) -> None:
        """Turn a nut's teeth in it."""
        self._spline[side, k] = spline_rad
        angle = spline_rad + np.pi / 3 * np.arange(scene.TEETH)
        geoms, model = self._scene.tooth_geom[side, k], self.model
        model.geom_pos[geoms, :2] = self._tooth_radius[self._variant[k]] * np.stack(
            [np.cos(angle), np.sin(angle)], axis=1
        )
        model.geom_quat[geoms, 0], model.geom_quat[geoms, 3] = np.cos(angle / 2), np.sin(angle / 2)

    def _park(self, side: int, k: int) -> None:
        place = [0.05 * (k % self.line.nuts), 0.1 * (1 - 2 * side), 0.05 * self._variant[k]]  # inside the hopper
        self._put(side, k, scene.PARK + place, np.array([1.0, 0, 0, 0]))
        self._nut_state[side, k] = PARKED
        self._sleep(side, k, True)

    def _sleep(self, side: int, k: int, asleep: bool) -> None:
        """A nut asleep stays where it is: no weight, no contact, no cost."""
        model, body, geoms = self.model, self._scene.nut_body[side, k], self._scene.nut_geoms[side][k]
        self._asleep[side, k] = asleep
        self._still[side, k] = 0
        model.body_gravcomp[body] = float(asleep)
        model.geom_contype[geoms] = 0 if asleep else self._bits[0][geoms]
        model.geom_conaffinity[geoms] = 0 if asleep else self._bits[1][geoms]
        model.body_contype[body] = 0 if asleep else self._body_bits[0][body]
        model.body_conaffinity[body] = 0 if asleep else self._body_bits[1][body]
        if self.data.tree_asleep[model.body_treeid[body]] >= 0:
            self._wake()
        if asleep:
            dof = self._scene.nut_dof[side, k]
            self.data.qvel[dof : dof + 6] = 0.0

    def _mind_sleep(self) -> None:
        """Nuts at rest with no hand near fall asleep; a hand, a moving nut or the fixture passing over wakes them.

        MuJoCo's own sleeping does this for trees, but not for what rests on a mocap body: feeders and fixture.
        """
        if self._asleep.all() and self._ticks % LOOK_EVERY:
            return
        at, awake = self._nut_pos(), ~self._asleep
        tools = self.data.site_xpos[self._scene.tool_site]
        near = (np.linalg.norm(tools[:, None, None] - at, axis=-1) < NEAR_M).any(axis=0)
        if awake.any():
            speed = np.abs(self.data.qvel[self._scene.nut_dof[..., None] + np.arange(6)]).max(axis=-1)
            self._still = np.where(awake & (speed < STILL_SPEED), self._still + 1, 0)
            for side, k in zip(*np.nonzero(awake & (self._still >= round(STILL_S / CONTROL_S)) & ~near), strict=True):
                self._sleep(int(side), int(k), True)
            moving = at[awake & (speed >= STILL_SPEED)]
            if len(moving):
                near |= (np.linalg.norm(moving[:, None, None] - at, axis=-1) < NEAR_M).any(axis=0)
        if not self._fixture_in():
            for side, k in self._riding:
                near[side, k] = False
            x, y, z = np.moveaxis(at - [scene.FIXTURE_X + self._fixture_x, 0.0, scene.SEAT_Z], -1, 0)
            near |= (np.abs(x) < 0.09) & (np.abs(y) < 0.18) & (z < 0.0) & (self._nut_state == LOOSE)
        for side, k in zip(*np.nonzero(near & self._asleep & (self._nut_state != PARKED)), strict=True):
            self._sleep(int(side), int(k), False)

    def _renew_presented(self, side: int, lane: int) -> None:
        """A new unit: its first nut lies as this unit's draw says, whatever was on the lane."""
        for k in np.flatnonzero((self._nut_state[side] == FEEDER) & (self._variant == lane)):
            tool = self.data.site_xpos[self._scene.tool_site[side]]
            if np.linalg.norm(tool - self._presented[side, k]) < 0.06 and self._unit > 0:
                self._fed[side, lane] += 1
                return  # a hand is already at it
            self._park(side, int(k))
        if self._jammed(side, lane) or self._blocked(side, lane):
            self._feed_at[side, lane] = self.now
        else:
            self._feed_at[side, lane] = np.inf
            self._present(side, lane)

    def _present(self, side: int, lane: int) -> None:
        on_lane = self._variant == lane
        free = np.flatnonzero((self._nut_state[side] == PARKED) & on_lane)
        if len(free) == 0:
            lies = np.flatnonzero((self._nut_state[side] == LOOSE) & on_lane)
            loose = [int(k) for k in lies if self._lies(side, int(k))]
            if not loose:  # all in hands or on their way out with the fixture
                self._feed_at[side, lane] = self.now + FEED_S
                return
            oldest = int(min(loose, key=lambda k: self._nut_since[side, k]))
            self._park(side, oldest)
            self._emit("nut_swept", side=scene.SIDES[side])
            free = np.array([oldest])
        k = int(free[0])
        feeder = f"{scene.SIDES[side]}-{lane}" if lane else scene.SIDES[side]
        pose = variation.nut_pose(self.difficulty, self._seed, self._unit, feeder, int(self._fed[side, lane]))
        self._fed[side, lane] += 1
        tilt, turn, quat = np.empty(4), np.empty(4), np.empty(4)
        angle = float(np.linalg.norm(pose.tilt_rad))
        axis = np.array([*pose.tilt_rad, 0.0]) / max(angle, 1e-12)
        mujoco.mju_axisAngle2Quat(tilt, axis, angle)
        mujoco.mju_axisAngle2Quat(turn, np.array([0.0, 0, 1]), pose.yaw_rad)
        mujoco.mju_mulQuat(quat, tilt, turn)
        on_tray = np.empty(3)
        mujoco.mju_rotVecQuat(on_tray, np.array([*pose.offset_m, 2e-4]), tilt)
        self.data.mocap_quat[self._scene.tray_mocap[side, lane]] = tilt
        self._put(side, k, self._lane_pos[side, lane] + on_tray, quat)
        self._cut(side, k, pose.spline_rad)
        self._nut_state[side, k] = FEEDER
        self._presented[side, k] = self._lane_pos[side, lane] + on_tray

    def _mind_nuts(self) -> None:
        """See whether a nut was taken, and bring the next one."""
        if self._asleep.all() and np.isinf(self._feed_at).all():
            return
        at = self._nut_pos()
        for side, lane in np.ndindex(2, self._lanes):
            there = (self._nut_state[side] == FEEDER) & ~self._asleep[side] & (self._variant == lane)
            for k in np.flatnonzero(there):
                if np.linalg.norm(at[side, k] - self._presented[side, k]) > TAKEN_M:
                    self._nut_state[side, k] = LOOSE
                    self._nut_since[side, k] = self.now
                    self._taken[side] = True
                    self._feed_at[side, lane] = self.now + FEED_S
            if self._feed_at[side, lane] <= self.now and not self._jammed(side, lane):
                tool = self.data.site_xpos[self._scene.tool_site[side]]
                away = np.linalg.norm(tool - self._lane_pos[side, lane])
                if away > 0.06 and not self._blocked(side, lane):
                    self._feed_at[side, lane] = np.inf
                    self._present(side, lane)

    def _blocked(self, side: int, lane: int) -> bool:
        """A nut lies on the lane's tray that it did not present."""
        away = np.linalg.norm(self._nut_pos() - self._lane_pos[side, lane], axis=-1)
        return bool((away[self._nut_state == LOOSE] < TAKEN_M).any())

    def _lies(self, side: int, k: int) -> bool:
        """A loose nut that is in no hand and does not ride out with the fixture."""
        return bool(self._nut_state[side, k] == LOOSE and not self._held(side, k) and [side, k] not in self._riding)

    def _clear_table(self) -> None:
        """The person who was called takes away every nut that lies about."""
        for side in range(2):
            for k in range(self._nuts):
                if self._lies(side, k):
                    self._park(side, k)

    # --- faults -----------------------------------------------------------------------------------------------------

    def _jammed(self, side: int, lane: int) -> bool:
        return any(
            fault.name == "feeder_jam" or (fault.name == "lane_empty" and self._empty_lane(fault) == (side, lane))
            for fault in self._active
        )

    def _empty_lane(self, fault: Fault) -> tuple[int, int]:
        """The side and lane that a `lane_empty` strikes."""
        rng = variation.stream(self._seed, round(fault.at_s * 1e3), "lane_empty")
        return int(rng.integers(2)), int(rng.integers(self._lanes))

    def _strike_faults(self) -> None:
        now = self.now
        while self._faults and self._faults[0].at_s <= now:
            fault = self._faults.pop(0)
            self._active.append(fault)
            self._emit(events.FAULT, name=fault.name, origin="station", stops=self.spec.faults[fault.name].stops)
        for fault in [f for f in self._active if f.at_s + f.for_s <= now]:
            self._active.remove(fault)
            stops = self.spec.faults[fault.name].stops
            self._emit(events.FAULT_CLEARED, name=fault.name, origin="station", stops=stops)

    def _emit(self, kind: str, **data: Any) -> None:
        self._log.append(Event(round(self.now, 6), kind, max(self._unit, 0), data))

    def _drain(self) -> list[Event]:
        log, self._log = self._log, []
        return log

    # --- sensing ----------------------------------------------------------------------------------------------------

    def _observe(self) -> dict[str, Any]:
        data, cell = self.data, self._scene
        row = self._ticks % NOISE_ROWS
        grip = data.qpos[cell.finger_qpos].sum(axis=1, keepdims=True)
        velocity = data.qvel[cell.arm_dof], data.qvel[cell.finger_dof].sum(axis=1, keepdims=True)
        effort = data.actuator_force[cell.arm_ctrl], data.actuator_force[cell.finger_ctrl].sum(axis=1, keepdims=True)
        position = np.concatenate([data.qpos[cell.arm_qpos], grip], axis=1).ravel() + self._joint_noise[row]
        state = np.concatenate(
            [position, np.concatenate(velocity, axis=1).ravel(), np.concatenate(effort, axis=1).ravel()]
        )
        seen: dict[str, Any] = {
            "observation.state": state.astype(np.float32),
            "observation.setpoint": np.concatenate([self._hands.pos, self._hands.quat], axis=1).astype(np.float32),
            "observation.touch": self._touch(row),
            "observation.takt_left": np.array([max(0.0, (self._unit + 1) * TAKT_S - self.now)], np.float32),
        }
        if self.cameras:
            if not self._images or (self.draws and self._ticks % self._camera_every == 0):
                self._photograph()
            # Copies: a picture lasts several control periods, and what a worker does to its own is its own affair.
            seen |= {f"observation.images.{camera}": self._images[camera].copy() for camera in self.cameras}
        if self._order:
            seen["order"] = self._order.text
        if self.privileged:
            nuts = self.data.qpos[self._nut_index]
            yaws = [[pin.yaw_rad] for pin in self._pins]
            tools = np.empty((2, 7))
            tools[:, :3] = data.site_xpos[cell.tool_site]
            for side in range(2):
                mujoco.mju_mat2Quat(tools[side, 3:], data.site_xmat[cell.tool_site[side]])
            seen["observation.privileged"] = {
                "nuts": nuts,
                "nut_state": self._nut_state.copy(),
                "splines": self._spline.copy(),
                "pins": np.concatenate([self._seat + [self._fixture_x, 0, 0], yaws], axis=1),
                "fixture_in": np.array([int(self._fixture_in())]),
                "tools": tools,
            }
            if self._order:
                told = {"variants": np.stack([self._variant] * 2), "ordered": np.array(self._order.parts)}
                seen["observation.privileged"] |= told
        return seen

    def _touch(self, row: int) -> np.ndarray:
        felt = (
            self.data.sensordata[self._touch_index].reshape(2, 2, 3, *scene.TAXELS).astype(np.float32)
            + self._touch_noise[row]
        )
        if any(fault.name == "touch_dropout" for fault in self._active):
            return np.zeros_like(felt)
        return np.where(self._dead, np.float32(0.0), felt)

    def look(self) -> dict[str, np.ndarray]:
        """What the cameras show now, by the observation's keys; also while `draws` is False."""
        self._photograph()
        return {f"observation.images.{camera}": self._images[camera].copy() for camera in self.cameras}

    def _photograph(self) -> None:
        size = self.camera_size
        self.pictures += 1
        if any(fault.name == "camera_dropout" for fault in self._active):
            self._images = {camera: np.zeros((size, size, 3), np.uint8) for camera in self.cameras}
            return
        self._see()
        self._images = {camera: self._draw(camera, size, size) for camera in self.cameras}

    def _see(self) -> None:
        # Drawing needs positions that fit the state; the physics computes them at the start of its next step again.
        # What sleeps is left out of that, and so is what never moves: the head's camera and the lights stood where the
        # former unit's were drawn. For a picture all are computed.
        sleep = int(mujoco.mjtEnableBit.mjENBL_SLEEP)
        if self._rules > 1:
            self.model.opt.enableflags &= ~sleep
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        self.model.opt.enableflags |= sleep
        for side, k in np.ndindex(*self._nut_state.shape):  # what is in the hopper is not seen, and need not be drawn
            self.model.geom_rgba[self._scene.nut_geoms[side][k], 3] = self._nut_state[side, k] != PARKED

    def _draw(self, camera: str, height: int, width: int) -> np.ndarray:
        if (height, width) not in self._renderers:
            vis, small = self.model.vis, height < 200
            # The context is made for this size, and a small picture without multisampling: drawn in software, that
            # alone would cost three quarters of its time.
            vis.global_.offwidth, vis.global_.offheight, vis.quality.offsamples = width, height, 0 if small else 4
            try:
                self._renderers[height, width] = mujoco.Renderer(self.model, height, width)
            except Exception as error:  # whatever the missing library makes PyOpenGL raise
                raise TaktError(NO_PICTURES) from error
        renderer = self._renderers[height, width]
        renderer.update_scene(self.data, camera)
        for geom in renderer.scene.geoms[: renderer.scene.ngeom]:
            if geom.category != mujoco.mjtCatBit.mjCAT_DECOR:
                break
            geom.rgba = 0.0  # a touch sensor's plug-in puts a red mark on what it feels, first of all geoms, always
        if height < 200:  # shadows and reflections cost two thirds of a small picture's time
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        return renderer.render()


def _smooth(x: float) -> float:
    """From 0 to 1, at rest at both ends."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _one_of(what: str, given: Any, known: Sequence[str]) -> None:
    if given not in known:
        raise TaktError(f"no {what} {given!r}; choose from: {', '.join(known)}")
