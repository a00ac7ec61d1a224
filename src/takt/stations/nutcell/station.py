"""The nut cell as a station: the contract (contract/station.py), and which of its parts does what in a control period.

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

from takt.contract import events
from takt.contract.events import Event
from takt.contract.faults import Active
from takt.contract.station import StationSpec, check_faults
from takt.ledger.pack import pack, unpack
from takt.stations.nutcell import layout, orders, scene, variation
from takt.stations.nutcell.cameras import Cameras
from takt.stations.nutcell.feeders import Feeders
from takt.stations.nutcell.fixture import Fixture
from takt.stations.nutcell.hands import Hands
from takt.stations.nutcell.inspection import Inspection
from takt.stations.nutcell.layout import CONTROL_S
from takt.stations.nutcell.line import LINES
from takt.stations.nutcell.nuts import Nuts
from takt.stations.nutcell.sensing import Senses, privileged
from takt.stations.nutcell.spec import spec_of
from takt.stations.nutcell.watching import Watching
from takt.stations.nutcell.world import RULES, Beat, World


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
        cameras = [name for name in cameras.split(",") if name] if isinstance(cameras, str) else list(cameras)
        self._spec = spec_of(
            difficulty,
            control,
            cameras,
            camera_hz,
            bool(privileged),
            timestep_s,
            line,
            language,
            phrasings,
            camera_size,
        )
        self.render_mode, self.control, self.privileged = render_mode, control, bool(privileged)
        self.cameras = tuple(cameras)
        self.mixed, self.language, self.phrasings = line == "mixed", language, phrasings
        # False: the cameras keep their last pictures, for whoever steps through a wait and does not look
        self.draws = True
        self._camera_every = max(1, round(1 / (camera_hz * CONTROL_S)))
        self._log: list[Event] = []
        self.faults = Active()
        self.hands = Hands(CONTROL_S)
        self.world = World(timestep_s, LINES[line], variation.DIFFICULTIES[difficulty])
        self.model, self.data = self.world.model, self.world.data
        self.nuts = Nuts(self.world)
        self.fixture = Fixture(self.world, self.nuts)
        self.feeders = Feeders(self.world, self.nuts, self.fixture, self.faults, self._emit)
        self.inspection = Inspection(self.world, self.nuts, self.fixture, self.feeders)
        self.senses = Senses(self.world, self.hands, self.faults)
        self.eyes = Cameras(self.world, self.nuts, self.faults, cameras, camera_size)
        self.onlooker = Watching(self.world, self.nuts, self.fixture, self.feeders, self.inspection, self.eyes)
        self.closeup, self.noted, self.gauges = self.onlooker.closeup, self.onlooker.noted, self.onlooker.gauges
        self.in_place = self.onlooker.in_place
        self.action_space: spaces.Box = layout.action_space(control)
        self.observation_space: spaces.Dict = layout.observation_space(
            LINES[line], cameras, camera_size, self.privileged
        )
        super().reset(seed=0)
        self._start(0, {})  # nothing is drawn before it is asked for: who forks a process then has no context open

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
        return self.world.beat.now

    @property
    def hold(self) -> np.ndarray:
        grips = self.world.grip
        if self.control == "ee":
            action = np.concatenate([np.zeros(6), grips[:1], np.zeros(6), grips[1:], [0.0]])
        else:
            arms = self.hands.arms
            action = np.concatenate([arms[0], grips[:1], arms[1], grips[1:], [0.0]])
        return action.astype(np.float32)

    @property
    def order(self) -> orders.Order | None:
        """This unit's, if the line has orders."""
        return self.inspection.order

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self._start(int(seed) if seed is not None else int(self.np_random.integers(2**31)), options or {})
        return self.observe(), {"events": self._drain()}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        action = np.asarray(action, np.float64)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            raise ValueError(f"an action is {self.action_space.shape} finite numbers, not {action!r}")
        self._act(np.clip(action, self.action_space.low, self.action_space.high))
        self._meet_faults()
        self._slide_fixture()
        self.run_physics()
        self.world.beat.ticks += 1
        self.inspection.mind()
        self.feeders.mind()
        self.nuts.mind_sleep(self.fixture.sweeps(), self.fixture.riding)
        reward = 0.0
        if self.world.beat.unit_ends:
            reward = float(self._inspect())
            self._begin_unit()
        return self.observe(), reward, False, False, {"events": self._drain()}

    def observe(self) -> dict[str, Any]:
        """What a worker sees now. Pictures are new every `camera_hz`, or when there are none."""
        seen = self.senses.observe()
        if self.cameras:
            if not self.eyes.images or (self.draws and self.world.beat.ticks % self._camera_every == 0):
                self.eyes.photograph()
            seen |= self.eyes.copies()
        if self.order:
            seen["order"] = self.order.text
        if self.privileged:
            seen["observation.privileged"] = privileged(self.world, self.nuts, self.fixture, self.order)
        return seen

    def run_physics(self) -> None:
        """One control period of physics, and nothing else: no time passes for the line."""
        sides, bodies = self.nuts.near_pins(self.fixture.seat)
        self.world.run(bodies, self.fixture.seat[sides], self.fixture.magnet_n[sides], self.inspection.forces.add)

    def look(self) -> dict[str, np.ndarray]:
        """What the cameras show now, by the observation's keys; also while `draws` is False."""
        self.eyes.photograph()
        return self.eyes.copies()

    def put_forward(self, left_s: float) -> None:
        """Make it `left_s` seconds before this unit's end, with all at rest where it is. Of no use in a shift: for
        those who collect data and have nothing left to see of the unit."""
        self.world.beat.put_forward(left_s)

    def save(self) -> bytes:
        beat = self.world.beat
        return pack(
            {
                "physics": self.world.save(),
                "hands": self.hands.save(),
                "seed": beat.seed,
                "unit": beat.unit,
                "ticks": beat.ticks,
                "grip": self.world.grip,
                "images": self.eyes.images,
                "help": self._help,
                "riding": self.fixture.riding,
                "slid": self.fixture.slid,
                **self.nuts.save(),
                **self.feeders.save(),
                **self.inspection.save(),
                **self.faults.save(),
            }
        )

    def load(self, state: bytes) -> None:
        saved = unpack(state)
        self.world.beat = Beat(saved["seed"], self.world.beat.rules, saved["unit"], saved["ticks"])
        self.hands.load(saved["hands"])
        self.world.grip = saved["grip"].copy()
        self.eyes.images = saved["images"]
        self._log, self._help = [], saved["help"]
        self.feeders.load(saved)
        self.inspection.begin_unit(self._drawn_order())
        self.inspection.load(saved)
        self.faults.load(saved)
        self.fixture.load(saved["riding"], saved["slid"])
        self.fixture.draw()
        self._draw_unit()
        self.nuts.load(saved)
        self.world.load(saved["physics"])
        self.fixture.find()
        self.onlooker.forget()

    @property
    def told(self) -> str:
        """The unit as it is now, in a few words: how far each side is."""
        return self.onlooker.told()

    def render(self) -> np.ndarray:
        """What people see (watching.py): (480, 1280, 3) uint8."""
        return self.onlooker.picture(self.order)

    def close(self) -> None:
        self.eyes.close()

    # --- within a unit ----------------------------------------------------------------------------------------------

    def _start(self, seed: int, options: Mapping[str, Any]) -> None:
        """The beginning of a shift."""
        check_faults(self.spec, faults := list(options.get("faults", ())))
        self.faults.begin(faults)
        self.world.beat = Beat(seed, int(options.get("rules", RULES)))
        self.world.grip = np.ones(2)
        self.nuts.start()
        self.feeders.start()
        self.eyes.start()
        self.fixture.load([], False)
        mujoco.mj_resetData(self.model, self.data)
        self.hands.place(np.array([scene.REST, scene.REST]))
        self.data.qpos[self.world.scene.arm_qpos] = scene.REST
        self.data.qpos[self.world.scene.finger_qpos] = scene.GRIP_OPEN
        for side, k in np.ndindex(*self.nuts.state.shape):
            self.nuts.park(side, k)
        self.world.command(self.hands.arms)
        self._log, self._help = [], False
        self._begin_unit()
        mujoco.mj_forward(self.model, self.data)

    def _act(self, action: np.ndarray) -> None:
        if self.control == "ee":
            hands = action[:14].reshape(2, 7)
            self.hands.move(hands[:, :6])
            self.hands.follow()
            self.world.grip = hands[:, 6].copy()
        else:
            hands = action[:16].reshape(2, 8)
            self.hands.place(hands[:, :7])
            self.world.grip = hands[:, 7].copy()
        self.world.command(self.hands.arms)
        if action[-1] > 0.5 and not self._help:
            self._help = True
            self._emit(events.HELP_CALLED, why="the worker asked")

    def _begin_unit(self) -> None:
        beat = self.world.beat
        self.fixture.load_riders()
        if beat.unit >= 0 and self._help:
            self.feeders.clear_table()
        beat.unit += 1
        self._help = False
        self.inspection.begin_unit(self._drawn_order())
        self.feeders.begin_unit()
        if beat.unit == 0:
            self.fixture.slid = True
            self.fixture.draw()
            self._draw_unit()
        self.feeders.renew()
        self._slide_fixture()
        self._emit(events.UNIT_DUE, **({"order": self.order.text} if self.order else {}))

    def _drawn_order(self) -> orders.Order | None:
        beat = self.world.beat
        return orders.order(beat.seed, beat.unit, self.language, self.phrasings) if self.mixed else None

    def _slide_fixture(self) -> None:
        if self.fixture.slide():
            self._draw_unit()

    def _draw_unit(self) -> None:
        """With the fixture comes what else follows from (seed, unit) alone: light, cameras, the sensors' noise."""
        self.eyes.draw_unit(self.fixture.unit)
        self.senses.draw(self.fixture.unit)

    def _inspect(self) -> bool:
        """Say good or bad and why, and write it down."""
        found = self.inspection.conclude(self._help)
        good = "reasons" not in found
        self._emit(events.UNIT_GOOD if good else events.UNIT_BAD, **found)
        return good

    def _meet_faults(self) -> None:
        for kind, fault in self.faults.move(self.now):
            self._emit(kind, name=fault.name, origin="station", stops=self.spec.faults[fault.name].stops)

    def _emit(self, kind: str, **data: Any) -> None:
        self._log.append(Event(round(self.now, 6), kind, max(self.world.beat.unit, 0), data))

    def _drain(self) -> list[Event]:
        log, self._log = self._log, []
        return log
