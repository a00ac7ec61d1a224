"""The nut cell's scripted workers.

`Expert` reads privileged state and touch: it grasps where the nut is, lines the spline up by what it sees of nut and
pin, feels the nut rest on the ribs and searches by small turns until it feels it drop, tries again, and puts a nut
aside that will not go. It is the demonstrator, and the proof that the cell can be worked. At the mixed line it is told
which nut to take, and puts a wrong one aside, or takes it off the pin.

`Deaf` is the same, but takes the nut of the inner lane whatever the order is: what work without language is worth.

`Blind` plays the same path for nominal positions, feeling and seeing nothing: it shows what the spline, the feeder's
scatter and the magnet do to a worker without feedback.

Both arms run the same small state machine, each by itself; a plan is what both do until one has to look again.
Poses: world frame, SI.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import mujoco
import numpy as np

from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Plan
from takt.stations.nutcell import scene
from takt.stations.nutcell.line import LINES, SINGLE
from takt.stations.nutcell.turns import conjugate, multiply, rotate, yaw_of

FAST, SLOW, FINE = 0.25, 0.06, 0.02  # m/s: through the air (ISO 10218-1, reduced speed), near things, in contact
TURN = 1.6  # rad/s
GRASP_UP = SINGLE.variants[0].grasp_up_m
OVER = 0.045  # clearance above the pin's tip and the feeder when carrying
STAGE = (0.30, 0.22, scene.TABLE_Z + 0.20)  # where a hand waits (y by side): out of the fixture's way, near its feeder
SCRAP = (0.24, 0.17, scene.TABLE_Z + 0.045)  # where a bad nut is put aside
SEARCH = np.radians([2.0, -2.0, 4.0, -4.0, 7.0, -7.0, 11.0, -11.0, 16.0, -16.0, 22.0, -22.0, 30.0])
MAX_TRIES = 4  # with one nut, before it is put aside
TOUCH_GRIP_N = 1.0  # a pad that presses a nut feels at least this
RESTS_N = 4.0  # a nut pressed on something pushes up on the pads with more than this
GLANCE_S = 5.0  # how often a hand that has finished looks up before the next unit
HOLD, OPEN = 0.0, 1.0


@dataclass
class Arm:
    """What one arm is doing: JSON values only, so that it can be saved."""

    side: int
    phase: str = "stage"
    moves: list[list[float]] = field(default_factory=list)  # what is left of this phase, a row (6,) a control period
    grip: float = OPEN
    tries: int = 0
    turn: int = 0
    finished: bool = False


@dataclass
class Seen:
    """What a worker knows of its side: poses are (7,) position and quaternion w x y z; None where there is nothing."""

    feeder: np.ndarray | None
    held: np.ndarray | None  # its yaw is the spline's, the others' the hexagon's
    on_pin: np.ndarray | None
    tool: np.ndarray
    pin: np.ndarray  # (4,): seat, yaw
    fixture_in: bool
    pressed: bool  # both pads feel something between them
    push_n: float  # how hard it pushes up on them
    feeder_up: float = GRASP_UP  # where to grip it, above its lower face
    pin_up: float = GRASP_UP
    held_wrong: bool = False  # it is not the one that was ordered
    pin_wrong: bool = False


class Expert:
    """Sees nuts and pins, feels the spline, tries again: the demonstrator."""

    station_options: Mapping[str, Any] = {"privileged": True, "control": "ee"}

    def begin(self, spec: StationSpec, seed: int) -> None:
        if self.station_options.get("privileged") and not spec.privileged:
            raise TaktError("the expert reads privileged state: open the station with privileged=true")
        if spec.options.get("control") != "ee":
            raise TaktError("the nut cell's scripted workers use control=ee")
        self.control_s, self.takt_s = spec.control_s, spec.takt_s
        self.line = LINES[spec.options.get("line", "single")]
        self.arms = [Arm(0), Arm(1)]
        self.takt_left = spec.takt_s + 1.0

    def act(self, observation: dict[str, Any]) -> Plan:
        left = float(observation["observation.takt_left"][0])
        if left > self.takt_left:  # a new unit
            for arm in self.arms:
                arm.finished, arm.tries = False, 0
        self.takt_left = left
        setpoints = observation["observation.setpoint"].astype(np.float64)
        for arm in self.arms:
            if not arm.moves:
                arm.moves = self._next_move(arm, self.look(observation, arm), setpoints[arm.side]).tolist()
        periods = min(len(arm.moves) for arm in self.arms)
        actions = np.zeros((periods, 15), np.float32)
        for arm in self.arms:
            actions[:, 7 * arm.side : 7 * arm.side + 6] = arm.moves[:periods]
            actions[:, 7 * arm.side + 6] = arm.grip
            arm.moves = arm.moves[periods:]
        return Plan(list(actions))

    def end(self) -> None: ...

    def take_over(self, observation: dict[str, Any]) -> None:
        """Go on from where another worker has brought the hands, whatever that is: what DAgger needs of an expert.

        A hand with a nut on the way down its pin goes on lining it up; one with a nut elsewhere lifts it and carries
        on; one with nothing rises and begins from the top.
        """
        self.takt_left = float(observation["observation.takt_left"][0])
        self.arms = [Arm(0, "close"), Arm(1, "close")]
        for arm in self.arms:
            seen = self.look(observation, arm)
            if seen.held is None or not seen.pressed:
                continue
            arm.grip = HOLD
            beside = float(np.linalg.norm(seen.held[:2] - seen.pin[:2]))
            if beside < 0.004 and self._height(seen.held, seen) < scene.PIN_TOP and not seen.held_wrong:
                arm.phase, arm.turn = "lower", -1

    def save(self) -> bytes:
        return json.dumps({"arms": [asdict(arm) for arm in self.arms], "takt_left": self.takt_left}).encode()

    def load(self, state: bytes) -> None:
        saved = json.loads(state)
        self.arms = [Arm(**arm) for arm in saved["arms"]]
        self.takt_left = saved["takt_left"]

    # --- what it knows ----------------------------------------------------------------------------------------------

    def look(self, observation: dict[str, Any], arm: Arm) -> Seen:
        known = observation["observation.privileged"]
        side, tool = arm.side, known["tools"][arm.side]
        nuts, state, pin = known["nuts"].reshape(-1, 7), known["nut_state"].ravel(), known["pins"][side]
        splines, variant = known["splines"].ravel(), np.tile(self.line.variant_of_nut, 2)
        wanted = self.wanted(known)[side]
        own = np.repeat([0, 1], self.line.nuts_per_side) == side
        middle = nuts[:, :3].copy()
        middle[:, 2] += np.tile(self.line.of_nuts("height_m"), 2) / 2
        held = (state == 2) | ((state == 1) & own)
        held &= np.linalg.norm(middle - tool[:3], axis=1) < 0.014
        spline = np.array([[*nut[:3], *_turned_in(nut[3:], yaw)] for nut, yaw in zip(nuts, splines, strict=True)])
        offset = nuts[:, :3] - pin[:3]
        on_pin = (state == 2) & (np.linalg.norm(offset[:, :2], axis=1) < 0.012) & (offset[:, 2] < scene.PIN_TOP + 0.002)
        on_feeder = (state == 1) & own & (variant == wanted)
        if not on_feeder.any():  # a nut that fell back onto the lane keeps it from bringing another
            away = np.linalg.norm(nuts[:, :3] - self.line.lane_pos[side, wanted], axis=1)
            on_feeder = (state == 2) & (away < 0.030)
        touch = observation["observation.touch"][side]
        grasp_up = np.tile(self.line.of_nuts("grasp_up_m"), 2)
        feeder, in_hand, seat = _first(on_feeder), _first(held), _first(on_pin)
        return Seen(
            feeder=None if feeder is None else nuts[feeder],
            held=None if in_hand is None else spline[in_hand],
            on_pin=None if seat is None else nuts[seat],
            tool=tool,
            pin=pin,
            fixture_in=bool(known["fixture_in"][0]),
            pressed=bool((touch[:, 0].sum(axis=(1, 2)) > TOUCH_GRIP_N).all()),
            push_n=float(touch[:, 2].sum()),
            feeder_up=GRASP_UP if feeder is None else float(grasp_up[feeder]),
            pin_up=GRASP_UP if seat is None else float(grasp_up[seat]),
            held_wrong=in_hand is not None and bool(variant[in_hand] != wanted),
            pin_wrong=seat is not None and bool(variant[seat] != wanted),
        )

    def wanted(self, known: dict[str, Any]) -> np.ndarray:
        """(2,): which variant each side is to get."""
        ordered: np.ndarray = known.get("ordered", np.zeros(2, int))
        return ordered

    # --- the state machine ------------------------------------------------------------------------------------------

    def _next_move(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray:
        """The next phase's moves (periods, 6). A phase is entered when the last one's moves have been done."""
        for _ in range(8):  # phases that need no move pass at once
            arm.phase = getattr(self, f"_after_{arm.phase}")(arm, seen)
            move: np.ndarray | None = getattr(self, f"_do_{arm.phase}")(arm, seen, setpoint)
            if move is not None:
                return move
        return self._still(0.2)

    def _still(self, seconds: float) -> np.ndarray:
        return np.zeros((max(1, round(seconds / self.control_s)), 6))

    def _go(self, setpoint: np.ndarray, pos: np.ndarray, quat: np.ndarray, speed: float) -> np.ndarray:
        """Set-point shifts from where it is to a pose, at rest at both ends."""
        way = np.asarray(pos) - setpoint[:3]
        turn = _rotation_vector(setpoint[3:], quat)
        seconds = max(
            1.3 * float(np.linalg.norm(way)) / speed, 1.3 * float(np.linalg.norm(turn)) / TURN, self.control_s
        )
        periods = max(2, round(seconds / self.control_s))
        x = np.arange(periods + 1) / periods
        share = np.diff(x * x * (3 - 2 * x))
        return share[:, None] * np.concatenate([way, turn])

    # Each phase: what it does, and what comes after it.

    def _do_stage(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.grip = OPEN
        pos = np.array(STAGE) * [1, scene.SIGN[scene.SIDES[arm.side]], 1]
        if np.linalg.norm(pos - setpoint[:3]) < 1e-3:
            return self._still(max(0.2, min(GLANCE_S, self.takt_left)) if arm.finished else 0.2)
        return self._go(setpoint, pos, _level(setpoint[3:]), FAST)

    def _after_stage(self, arm: Arm, seen: Seen) -> str:
        if arm.finished:
            return "stage"
        if seen.on_pin is not None and seen.fixture_in:
            return "finished" if self._seated(seen) else "over_stuck"
        return "approach" if seen.feeder is not None else "stage"

    def _do_approach(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        if seen.feeder is None:
            return self._still(0.1)
        return self._go(setpoint, seen.feeder[:3] + [0, 0, OVER], self._grasp(seen.feeder), FAST)

    def _after_approach(self, arm: Arm, seen: Seen) -> str:
        return "descend" if seen.feeder is not None else "stage"

    def _do_descend(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        if seen.feeder is None:
            return self._still(0.1)
        return self._grasp_move(seen.feeder, seen.feeder_up, setpoint)

    def _grasp_move(self, nut: np.ndarray, above: float, setpoint: np.ndarray) -> np.ndarray:
        up = rotate(nut[3:], np.array([0.0, 0, above]))
        return self._go(setpoint, nut[:3] + up, self._grasp(nut), SLOW)

    def _after_descend(self, arm: Arm, seen: Seen) -> str:
        return "close"

    def _do_close(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.grip = HOLD
        return self._still(0.35)

    def _after_close(self, arm: Arm, seen: Seen) -> str:
        return "lift" if seen.pressed else "open"

    def _do_lift(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        return self._go(setpoint, setpoint[:3] + [0, 0, OVER], _level(setpoint[3:]), SLOW)

    def _after_lift(self, arm: Arm, seen: Seen) -> str:
        if seen.held is None:
            return "open"
        return "aside" if seen.held_wrong else "carry"

    def _do_carry(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        if not seen.fixture_in:
            return self._still(0.1)
        return self._bring(seen, setpoint, scene.PIN_TOP + 0.008, FAST)

    def _after_carry(self, arm: Arm, seen: Seen) -> str:
        if seen.held is None:
            return "open"
        if seen.held_wrong:  # the unit that it was for is over
            return "aside"
        return "lower" if seen.fixture_in else "carry"

    def _do_lower(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        """Line up with the pin, just over its tip, and let the nut come down around it."""
        arm.turn = -1
        return self._bring(seen, setpoint, scene.RIB_TOP + 0.003, SLOW)

    def _after_lower(self, arm: Arm, seen: Seen) -> str:
        if seen.held is None:
            return "open"
        off = np.linalg.norm(seen.held[:2] - seen.pin[:2])
        in_line = off < 4e-4 and abs(self._misfit(seen)) < np.radians(1.5)
        return "insert" if in_line or arm.tries > 2 else "align"

    def _do_align(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.tries += 1
        return self._bring(seen, setpoint, scene.RIB_TOP + 0.003, FINE)

    def _after_align(self, arm: Arm, seen: Seen) -> str:
        return "insert" if seen.held is not None else "open"

    def _do_insert(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        return self._bring(seen, setpoint, scene.RIB_TOP - 0.005, FINE)

    def _after_insert(self, arm: Arm, seen: Seen) -> str:
        if seen.held is None:
            return "release"
        return "search" if seen.push_n > RESTS_N else "press"

    def _do_search(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        """Turn the nut a little further each time, pressing gently, until it drops between the ribs."""
        arm.turn += 1
        last = SEARCH[arm.turn - 1] if arm.turn > 0 else 0.0
        turn = _turned(setpoint[3:], SEARCH[min(arm.turn, len(SEARCH) - 1)] - last)
        return self._go(setpoint, setpoint[:3], turn, FINE)

    def _after_search(self, arm: Arm, seen: Seen) -> str:
        if seen.held is None:
            return "release"
        if seen.push_n < RESTS_N / 2:
            return "press"  # it dropped
        return "search" if arm.turn + 1 < len(SEARCH) else "raise"

    def _do_raise(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.tries += 1
        return self._go(setpoint, setpoint[:3] + [0, 0, 0.02], _level(setpoint[3:]), SLOW)

    def _after_raise(self, arm: Arm, seen: Seen) -> str:
        if seen.held is None:
            return "open"
        return "lower" if arm.tries < MAX_TRIES else "aside"

    def _do_press(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        if seen.held is None:
            return self._still(0.1)
        down = self._height(seen.held, seen) + 0.0015
        return self._go(setpoint, setpoint[:3] - [0, 0, down], setpoint[3:], SLOW)

    def _after_press(self, arm: Arm, seen: Seen) -> str:
        if seen.held is not None and self._height(seen.held, seen) > 0.001:
            arm.tries += 1
            return "wiggle" if arm.tries <= MAX_TRIES else "raise"
        return "release"

    def _do_wiggle(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        """Jammed on the way down: up a little, straight again, in line again."""
        if seen.held is None:
            return self._still(0.1)
        return self._bring(seen, setpoint, self._height(seen.held, seen) + 0.004, FINE)

    def _after_wiggle(self, arm: Arm, seen: Seen) -> str:
        return "press"

    def _do_release(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.grip = OPEN
        return self._still(0.30)

    def _after_release(self, arm: Arm, seen: Seen) -> str:
        return "retreat"

    def _do_retreat(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.grip = OPEN
        return self._go(setpoint, setpoint[:3] + [0, 0, 0.07], _level(setpoint[3:]), SLOW * 2)

    def _after_retreat(self, arm: Arm, seen: Seen) -> str:
        return "finished" if self._seated(seen) else "stage"

    def _do_finished(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.finished = True
        return None

    def _after_finished(self, arm: Arm, seen: Seen) -> str:
        return "stage"

    def _do_open(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        """Let go of whatever there is, and start again from the top."""
        arm.grip = OPEN
        return self._go(setpoint, setpoint[:3] + [0, 0, 0.05], _level(setpoint[3:]), SLOW)

    def _after_open(self, arm: Arm, seen: Seen) -> str:
        return "stage"

    def _do_over_stuck(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        """A nut is on the pin but not home: take it again."""
        if seen.on_pin is None:
            return self._still(0.1)
        return self._go(setpoint, seen.on_pin[:3] + [0, 0, OVER], self._grasp(seen.on_pin), FAST)

    def _after_over_stuck(self, arm: Arm, seen: Seen) -> str:
        return "at_stuck" if seen.on_pin is not None else "stage"

    def _do_at_stuck(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        if seen.on_pin is None:
            return self._still(0.1)
        return self._grasp_move(seen.on_pin, seen.pin_up, setpoint)

    def _after_at_stuck(self, arm: Arm, seen: Seen) -> str:
        return "close_stuck"

    def _do_close_stuck(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.tries += 1
        arm.grip = HOLD
        return self._still(0.35)

    def _after_close_stuck(self, arm: Arm, seen: Seen) -> str:
        if not seen.pressed:
            return "open"
        return "pull_off" if seen.pin_wrong else "raise"

    def _do_pull_off(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        """A wrong nut: straight up, until it is over the pin's tip."""
        return self._go(setpoint, setpoint[:3] + [0, 0, scene.PIN_TOP + 0.02], _level(setpoint[3:]), SLOW)

    def _after_pull_off(self, arm: Arm, seen: Seen) -> str:
        return "aside" if seen.held is not None else "open"

    def _do_aside(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        return self._go(setpoint, np.array([setpoint[0] - 0.02, setpoint[1], STAGE[2]]), _level(setpoint[3:]), FAST)

    def _after_aside(self, arm: Arm, seen: Seen) -> str:
        return "to_scrap"

    def _do_to_scrap(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
        arm.tries = 0
        pos = np.array(SCRAP) * [1, scene.SIGN[scene.SIDES[arm.side]], 1]
        return self._go(setpoint, pos, _level(setpoint[3:]), FAST)

    def _after_to_scrap(self, arm: Arm, seen: Seen) -> str:
        return "open"

    # --- geometry ---------------------------------------------------------------------------------------------------

    def _grasp(self, nut: np.ndarray) -> np.ndarray:
        """The hand's orientation for a nut: its axis, and the pads on the pair of flats nearest to straight ahead."""
        turn = -_wrap(yaw_of(nut[3:]), np.pi / 3)
        flats = np.array([np.cos(turn / 2), 0, 0, np.sin(turn / 2)])
        # Straight ahead plus the nut's yaw within a flat: undo the nut's whole yaw, keep its tilt.
        yaw = yaw_of(nut[3:])
        level = multiply(nut[3:], np.array([np.cos(yaw / 2), 0, 0, -np.sin(yaw / 2)]))
        return multiply(level, conjugate(flats))

    def _misfit(self, seen: Seen) -> float:
        """How far the nut has to turn for its teeth to lie between the ribs, rad."""
        assert seen.held is not None
        return -_wrap(yaw_of(seen.held[3:]) - seen.pin[3], 2 * np.pi / scene.TEETH)

    def _height(self, nut: np.ndarray, seen: Seen) -> float:
        return float(nut[2] - seen.pin[2])

    def _seated(self, seen: Seen) -> bool:
        return seen.on_pin is not None and not seen.pin_wrong and self._height(seen.on_pin, seen) < 0.0012

    def _bring(self, seen: Seen, setpoint: np.ndarray, height: float, speed: float) -> np.ndarray | None:
        """Move the set-point so that the held nut comes to stand upright over the pin, lined up, at this height."""
        if seen.held is None:
            return self._still(0.1)
        nut, tool = seen.held, seen.tool
        up = rotate(nut[3:], np.array([0.0, 0, 1]))
        tilt = np.cross(up, [0, 0, 1.0])
        turn = tilt + [0, 0, self._misfit(seen)]
        angle = float(np.linalg.norm(turn))
        quat = np.array([1.0, 0, 0, 0])
        if angle > 1e-9:
            mujoco.mju_axisAngle2Quat(quat, turn / angle, angle)
        goal = seen.pin[:3] + [0, 0, height]
        shift = goal + rotate(quat, tool[:3] - nut[:3]) - tool[:3]
        return self._go(setpoint, setpoint[:3] + shift, multiply(quat, setpoint[3:]), speed)


class Deaf(Expert):
    """The expert at the mixed line, but it does not know the order: both sides get what the inner lane brings."""

    station_options: Mapping[str, Any] = {**Expert.station_options, "line": "mixed"}

    def wanted(self, known: dict[str, Any]) -> np.ndarray:
        return np.zeros(2, int)


class Blind(Expert):
    """The expert's path for nominal positions. Every grasp and every insertion is taken to have worked."""

    station_options: Mapping[str, Any] = {"control": "ee"}

    def look(self, observation: dict[str, Any], arm: Arm) -> Seen:
        name, setpoint = scene.SIDES[arm.side], observation["observation.setpoint"][arm.side].astype(np.float64)
        pin = np.array([scene.FIXTURE_X, scene.SIGN[name] * scene.PIN_Y, scene.SEAT_Z, 0.0])
        in_hand = np.concatenate([setpoint[:3] - [0, 0, GRASP_UP], setpoint[3:]])
        return Seen(
            feeder=np.array([*self.line.lane_pos[arm.side, 0], 1, 0, 0, 0]),
            held=in_hand if arm.grip == HOLD else None,
            on_pin=np.array([*pin[:3], 1, 0, 0, 0]) if arm.phase in ("retreat", "finished") else None,
            tool=setpoint,
            pin=pin,
            fixture_in=float(observation["observation.takt_left"][0]) < self.takt_s - 2.1,
            pressed=True,
            push_n=0.0,
        )


def _first(which: np.ndarray) -> int | None:
    return int(np.argmax(which)) if which.any() else None


def _wrap(angle: float, period: float) -> float:
    """The angle, less whole periods: within half a period of 0."""
    return float((angle + period / 2) % period - period / 2)


def _rotation_vector(start: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The world-frame rotation vector (3,) that takes orientation `start` to `goal`, the short way."""
    between = multiply(goal, conjugate(start))
    if between[0] < 0:
        between = -between
    size = float(np.linalg.norm(between[1:]))
    if size < 1e-12:
        return np.zeros(3)
    vector: np.ndarray = between[1:] / size * 2 * np.arctan2(size, between[0])
    return vector


def _level(quat: np.ndarray) -> np.ndarray:
    """The same yaw, the tool straight down."""
    yaw = yaw_of(quat)
    return np.array([np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)])


def _turned(quat: np.ndarray, angle: float) -> np.ndarray:
    return multiply(np.array([np.cos(angle / 2), 0, 0, np.sin(angle / 2)]), quat)


def _turned_in(quat: np.ndarray, yaw: float) -> np.ndarray:
    """The orientation, turned about its own axis."""
    return multiply(quat, np.array([np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]))
