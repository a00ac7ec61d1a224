"""What one arm of a scripted worker does, phase by phase, and what comes after each. Poses: world frame, SI."""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np

from takt.stations.nutcell import scene
from takt.stations.nutcell.line import SINGLE
from takt.stations.nutcell.turns import conjugate, multiply, rotate, yaw_of

FAST, SLOW, FINE = 0.25, 0.06, 0.02  # m/s: through the air (ISO 10218-1, reduced speed), near things, in contact
TURN = 1.6  # rad/s
GRASP_UP = SINGLE.variants[0].grasp_up_m
OVER = 0.045  # clearance above the pin's tip and the feeder when carrying
STAGE = (0.30, 0.22, scene.TABLE_Z + 0.20)  # where a hand waits (y by side): out of the fixture's way, near its feeder
SCRAP = (0.24, 0.17, scene.TABLE_Z + 0.045)  # where a bad nut is put aside
SEARCH = np.radians([2.0, -2.0, 4.0, -4.0, 7.0, -7.0, 11.0, -11.0, 16.0, -16.0, 22.0, -22.0, 30.0])
MAX_TRIES = 4  # with one nut, before it is put aside
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


class Phases:
    """The state machine. A phase is a pair: `_do_` is what it does, `_after_` what comes when that has been done.

    control_s   seconds of a control period. `takt_left`: seconds until the unit ends. Both are the worker's to set.
    """

    control_s: float
    takt_left: float

    def next_move(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray:
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
