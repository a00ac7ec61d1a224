"""The teacher of the learned worker: what a hand should do next, as a function of the simulator's present state alone.

It has no memory and no phases, so that it can be asked about *any* state, those a student has got itself into as well
(DAgger). It knows where nuts and pins are, but never looks at the yaw of teeth or ribs, which a 96 x 96 picture does
not show: a nut that rests on the ribs is turned one way, pressed gently, until it drops.

What the student cannot tell apart the teacher must not tell apart either. So a hand that has finished waits over its
pin, where its wrist camera sees whether the nut is there; and a grip that is closed on nothing opens again.

Both hands are told apart only by the sign of y: all is worked out in the *left* hand's frame, the right hand's mirrored
(y and yaw with the other sign). Poses are (4,): x, y, z in m, and the yaw of a hand that points straight down, rad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from takt.stations.nutcell import scene
from takt.stations.nutcell.layout import CONTROL_S, TAKT_S
from takt.stations.nutcell.line import MIXED
from takt.stations.nutcell.turns import yaw_of

PERIODS = 20  # control periods between two plans: 0.4 s
KNOTS = 2  # set-points in a plan, evenly spaced over PERIODS

FAST, SLOW, PRESS = 0.30, 0.10, 0.05  # m/s: through the air, near things, in contact
SPIN, SEARCH = 1.6, 0.30  # rad/s: in the air, on the ribs
GRIPS = (0.003, 0.0015, 0.003)  # m: so near to where a nut is gripped, across, below and above, the pads close
STEP_Z = 0.009  # m above it: a hand comes down to here first, and then the rest
BESIDE = 0.008  # m: so near beside a nut, open pads come to it without rising; they pass it by 7 mm
INTO = 0.004, 0.20  # m, rad: so near over its pin a nut goes down, and the pin's round tip does the rest
OVER_LANE = 0.050  # m above the grasp, where a hand comes to before it goes down
CARRY_Z = scene.SEAT_Z + scene.PIN_TOP + 0.030  # the tool, when it carries a nut or goes from place to place
WAIT_Z = scene.SEAT_Z + 0.090  # the tool, over its pin, when there is nothing to do: its wrist camera sees the pin
BEGIN_YAW, END_YAW = -0.60, 0.65  # the search turns from the one to the other: 60 degrees and more
DEPTH, PUSH = 0.0017, 0.003  # m: the set-point below the tool, on the ribs and on the way down. About 7 N/mm; with
# more than 12 N the pads slide down an M6
DROPPED_M = 0.0008  # a nut so far below the ribs' top is between them
SLID_M = (0.004, 0.005)  # a nut that sits so far from where it was gripped, across and along, is gripped anew
SEATED_M = 0.0011
# A seated nut is let go once the set-point is so far below where the tool grips one. Whoever cannot see a millimetre
# opens when the tool is low; but it is as low over a nut that has slid up in the hand and jammed. A set-point driven
# this deep seats that one too, and where its set-point is every hand knows.
DRIVEN = 0.0030
# The tool above a nut's lower face when it grips, by variant: higher than the expert does, so that pads which come down
# 3 mm too low still stay off the flange.
GRASP_UP = np.array([0.0095, 0.0130])
FIXTURE_S = (2.1, 74.6)  # a hand may be at its pin between these times of a unit
SCRAP = np.array([0.25, 0.17, scene.TABLE_Z + 0.075])
PIN = np.array([scene.FIXTURE_X, scene.PIN_Y])
MIRROR = np.array([1.0, -1.0, 1.0, -1.0])
PHASES = ("wait", "to_lane", "grasp", "carry", "insert", "search", "press", "leave", "regrasp", "aside", "open")


@dataclass(frozen=True)
class Lesson:
    """What one hand should do: knots (KNOTS, 4) of its set-point and its grip, 0 closed to 1 open; and, only to train
    on, what there is to see: the phase, and where the nut that matters and the pin are, from the tool.
    """

    knots: np.ndarray
    grip: float
    phase: int
    target: np.ndarray  # (3,) m: the nut that it goes for, from the tool; 0 if there is none
    pin: np.ndarray  # (2,) m


@dataclass(frozen=True)
class Side:
    """One side's state in the left hand's frame."""

    tool: np.ndarray  # (4,)
    start: np.ndarray  # (4,) where the set-point will be when the plan begins
    grip: float  # what the grip is told when the plan begins
    opening: float  # m, between the pads
    pressed: bool
    nuts: np.ndarray  # (n, 3) lower faces
    nut_yaw: np.ndarray  # (n,)
    state: np.ndarray
    variant: np.ndarray
    wanted: int
    pin: np.ndarray  # (3,)
    unit_s: float  # time of the unit when the plan begins


def lessons(observation: dict[str, Any], start: np.ndarray, grip: np.ndarray, late_s: float) -> list[Lesson]:
    """Both hands' lessons. start (2, 4) and grip (2,): what they are told when the plan begins, `late_s` from now."""
    return [lesson(side_of(observation, k, start[k], float(grip[k]), late_s)) for k in range(2)]


def side_of(observation: dict[str, Any], side: int, start: np.ndarray, grip: float, late_s: float) -> Side:
    """One side's state, of an observation with privileged state. start (4,) is in the left hand's frame already."""
    known, sign = observation["observation.privileged"], 1.0 - 2.0 * side
    tool, nuts = known["tools"][side], known["nuts"].reshape(-1, 7)
    touch = observation["observation.touch"][side]
    unit_s = TAKT_S - float(observation["observation.takt_left"][0])
    if not known["fixture_in"][0]:
        unit_s = min(unit_s, FIXTURE_S[0] - 0.05 - late_s)
    own = np.repeat([0, 1], nuts.shape[0] // 2) == side
    return Side(
        tool=flat_pose(tool) * (MIRROR if side else 1.0),
        start=np.asarray(start, float),
        grip=grip,
        opening=float(observation["observation.state"][8 * side + 7]),
        pressed=bool((touch[:, 0].sum(axis=(1, 2)) > 1.0).all()),
        nuts=nuts[:, :3] * [1, sign, 1],
        nut_yaw=np.array([sign * yaw_of(nut[3:]) for nut in nuts]),
        state=np.where(own | (known["nut_state"].ravel() == 2), known["nut_state"].ravel(), 0),
        variant=known["variants"].ravel(),
        wanted=int(known["ordered"][side]),
        pin=known["pins"][side, :3] * [1, sign, 1],
        unit_s=unit_s + late_s,
    )


def flat_pose(pose: np.ndarray) -> np.ndarray:
    """(7,) position and quaternion to (4,) position and yaw."""
    return np.array([*pose[:3], yaw_of(pose[3:])])


def lesson(side: Side) -> Lesson:
    tool, pin = side.tool, side.pin
    height = MIXED.of_nuts("height_m")
    height = np.concatenate([height, height])
    grasp_up = GRASP_UP[side.variant]
    middle = side.nuts + np.stack([np.zeros_like(height), np.zeros_like(height), height / 2], axis=1)
    near = np.linalg.norm(middle - tool[:3], axis=1)
    around = (side.state != 0) & (near < 0.014)
    beside = np.linalg.norm(side.nuts[:, :2] - pin[:2], axis=1)
    above = side.nuts[:, 2] - pin[2]
    on_pin = (side.state == 2) & (beside < 0.012) & (above < scene.PIN_TOP + 0.002)
    at_pin = FIXTURE_S[0] < side.unit_s < FIXTURE_S[1]
    wait = np.array([*PIN, WAIT_Z, 0.0])

    def done(phase: str, goals: list[tuple[np.ndarray, float, float]], grip: float, nut: int | None = None) -> Lesson:
        target = np.zeros(3) if nut is None else side.nuts[nut] - tool[:3]
        return Lesson(_knots(side.start, goals), grip, PHASES.index(phase), target, pin[:2] - tool[:2])

    between = _first(around)
    held = between if side.grip < 0.5 else None
    seat = _first(on_pin)

    # A hand that is around a nut on its pin, or holds one.
    if held is not None and not side.pressed and side.opening > 0.024:  # the pads are still on their way
        return done("regrasp" if on_pin[held] else "grasp", [(side.start, PRESS, SEARCH)], 0.0, held)
    if held is not None and (side.pressed or on_pin[held]):
        right = side.variant[held] == side.wanted
        driven_home = side.start[2] < _home(side, held)
        if on_pin[held] and above[held] < SEATED_M and right and (driven_home or not at_pin):
            return done("open", [(side.start, PRESS, SEARCH)], 1.0, held)
        if not at_pin and np.linalg.norm(tool[:2] - PIN) < 0.06 and tool[2] < CARRY_Z - 0.005:
            return done("leave", [(_at(side.start, z=CARRY_Z), SLOW, SPIN)], 0.0, held)
        if on_pin[held] and above[held] < scene.RIB_TOP + 0.001 and right and _slid(side, held, grasp_up[held]):
            return done("open", [(side.start, PRESS, SEARCH)], 1.0, held)
        return _with_nut(side, held, on_pin, above, right, at_pin, done)
    if side.grip < 0.5:  # closed on nothing
        return done("open", [(side.start, PRESS, SEARCH)], 1.0)
    # The grip is open, or about to be.
    if between is not None and on_pin[between]:
        right = side.variant[between] == side.wanted
        if above[between] < SEATED_M and right:
            if side.opening < 0.032:
                return done("open", [(side.start, PRESS, SEARCH)], 1.0, between)
            return done("leave", [(_at(tool, z=WAIT_Z, yaw=tool[3]), SLOW, SPIN)], 1.0, between)
    if (
        tool[2] < pin[2] + 0.045
        and np.linalg.norm(tool[:2] - PIN) < 0.030
        and (seat is None or _settled(side, seat, above))
    ):
        return done("leave", [(_at(tool, z=WAIT_Z), SLOW, SPIN)], 1.0)
    if not at_pin and side.unit_s > 10:
        return _go_over(side, wait, done, "wait")
    if seat is not None and at_pin:
        if _settled(side, seat, above):
            return _go_over(side, wait, done, "wait")
        return _take(side, side.nuts[seat], side.nut_yaw[seat], grasp_up[seat], done, "regrasp", seat)
    lane = MIXED.lane_pos[0, side.wanted]
    away = np.linalg.norm(side.nuts[:, :2] - lane[:2], axis=1)
    there = (side.state != 0) & (side.variant == side.wanted) & (away < 0.020) & (side.nuts[:, 2] < lane[2] + 0.02)
    if not there.any():  # not there yet: wait over the lane
        return _go_over(side, np.array([lane[0], lane[1], lane[2] + OVER_LANE + 0.01, 0.0]), done, "to_lane")
    nut = int(np.argmin(np.where(there, away, np.inf)))  # not one that was dropped beside it, or nobody can tell which
    return _take(side, side.nuts[nut], side.nut_yaw[nut], grasp_up[nut], done, "grasp", nut)


def _home(side: Side, held: int) -> float:
    """How deep the set-point has to be driven before a seated nut is let go."""
    return float(side.pin[2] + GRASP_UP[side.variant[held]] - DRIVEN)


def _slid(side: Side, held: int, up: float) -> bool:
    """Whether the nut has slid in the hand."""
    across = np.linalg.norm(side.tool[:2] - side.nuts[held, :2])
    return bool(across > SLID_M[1] or side.tool[2] - side.nuts[held, 2] < up - SLID_M[0])


def _with_nut(side: Side, held: int, on_pin: Any, above: Any, right: bool, at_pin: bool, done: Any) -> Lesson:
    tool, pin, start = side.tool, side.pin, side.start
    shift = tool[:2] - side.nuts[held, :2]  # of the tool in the hand's frame, from the nut
    goal_xy = pin[:2] + shift
    if not right:
        if on_pin[held]:
            return done("aside", [(_at(start, z=CARRY_Z + 0.01), SLOW, SPIN)], 0.0, held)
        if np.linalg.norm(tool[:2] - SCRAP[:2]) < 0.012:
            return done("aside", [(start, SLOW, SPIN)], 1.0, held)
        goal = np.array([SCRAP[0], SCRAP[1], SCRAP[2], 0.0])
        return _go_over(side, goal, done, "aside", grip=0.0, nut=held)
    if on_pin[held] and np.linalg.norm(side.nuts[held, :2] - pin[:2]) < 0.006:
        rest = above[held]
        if rest > scene.RIB_TOP + 0.004:  # over the tip, not down on the ribs
            goal = np.array([*goal_xy, tool[2] - min(0.02, rest - scene.RIB_TOP + DEPTH), start[3]])
            return done("insert", [(goal, PRESS, SEARCH)], 0.0, held)
        if rest > scene.RIB_TOP - DROPPED_M:  # it rests on the ribs
            if tool[3] > END_YAW:
                return done("search", [(_at(start, z=CARRY_Z), SLOW, SPIN)], 0.0, held)
            goal = np.array([*goal_xy, tool[2] - DEPTH, END_YAW + 0.15])
            return done("search", [(goal, PRESS, SEARCH)], 0.0, held)
        flats = tool[3] + (side.nut_yaw[held] - tool[3] + np.pi / 6) % (np.pi / 3) - np.pi / 6
        stop = _home(side, held) - 0.001  # the set-point need go no deeper
        goal = np.array([*tool[:2], max(tool[2] - PUSH, stop) if rest < PUSH else tool[2] - PUSH, flats])
        return done("press", [(goal, PRESS, SEARCH)], 0.0, held)
    goal = np.array([*goal_xy, CARRY_Z, BEGIN_YAW])
    off = np.linalg.norm(tool[:2] - goal_xy)
    if off > INTO[0] or abs(tool[3] - BEGIN_YAW) > INTO[1] or not at_pin:
        if tool[2] < CARRY_Z - 0.008 and off > INTO[0]:
            return done("carry", [(_at(start, z=CARRY_Z), SLOW, SPIN), (goal, FAST, SPIN)], 0.0, held)
        if not at_pin:
            goal[2] = CARRY_Z + 0.015
        return done("carry", [(goal, FAST, SPIN)], 0.0, held)
    goal = np.array([*goal_xy, tool[2] - min(0.02, side.nuts[held, 2] - pin[2] - scene.RIB_TOP + DEPTH), BEGIN_YAW])
    return done("insert", [(goal, PRESS, SEARCH)], 0.0, held)


def _take(side: Side, nut: np.ndarray, yaw: float, up: float, done: Any, phase: str, which: int) -> Lesson:
    """Go over a nut, down to it, and close."""
    tool = side.tool
    ahead = np.clip(tool[3], -0.6, 0.6)  # the flats nearest to how the hand is turned
    turn = ahead + (yaw - ahead + np.pi / 6) % (np.pi / 3) - np.pi / 6
    grasp = np.array([nut[0], nut[1], nut[2] + up, turn])
    off = np.linalg.norm(tool[:2] - nut[:2])
    above, will_be = tool[2] - grasp[2], side.start[2] - grasp[2]
    if off < GRIPS[0] and -GRIPS[1] < min(above, will_be) and max(above, will_be) < GRIPS[2]:
        return done(phase, [(_at(side.start, z=grasp[2]), PRESS, SEARCH)], 0.0, which)
    if off < BESIDE and side.opening > 0.036:
        # Straight there, whatever the yaw: half way between two pairs of flats nobody can tell, and pads turn a nut.
        step = STEP_Z if will_be > 2 * STEP_Z else 0.0
        return done(phase, [(grasp + [0, 0, step, 0], SLOW, SPIN)], 1.0, which)
    if tool[2] < grasp[2] + 0.025:
        return done(phase, [(_at(side.start, z=grasp[2] + OVER_LANE), SLOW, SPIN)], 1.0, which)
    over = grasp + [0, 0, OVER_LANE if off > 0.02 else 0.028, 0]
    return _go_over(side, over, done, phase, nut=which)


def _go_over(side: Side, goal: np.ndarray, done: Any, phase: str, grip: float = 1.0, nut: int | None = None) -> Lesson:
    """Go to a place from above: rise first if it is far and the hand is low."""
    far = float(np.linalg.norm(goal[:2] - side.tool[:2]))
    floor = CARRY_Z if _crosses_pin(side.tool, goal) else goal[2]
    if far > 0.03 and side.tool[2] < floor - 0.01:
        up = _at(side.start, z=floor)
        return done(phase, [(up, SLOW, SPIN), (_at(goal, z=floor), FAST, SPIN)], grip, nut)
    if far > 0.03:
        return done(phase, [(_at(goal, z=max(goal[2], floor)), FAST, SPIN)], grip, nut)
    return done(phase, [(goal, SLOW if side.tool[2] < goal[2] + 0.06 and far < 0.01 else FAST, SPIN)], grip, nut)


def _crosses_pin(tool: np.ndarray, goal: np.ndarray) -> bool:
    return bool(min(np.linalg.norm(tool[:2] - PIN), np.linalg.norm(goal[:2] - PIN)) < 0.06)


def _settled(side: Side, seat: int, above: np.ndarray) -> bool:
    return bool(side.variant[seat] == side.wanted and above[seat] < SEATED_M)


def _at(pose: np.ndarray, z: float | None = None, yaw: float | None = None) -> np.ndarray:
    moved = np.array(pose, float)
    if z is not None:
        moved[2] = z
    if yaw is not None:
        moved[3] = yaw
    return moved


def _knots(start: np.ndarray, goals: list[tuple[np.ndarray, float, float]]) -> np.ndarray:
    """Where the set-point is at each knot, on its way from `start` through the goals at their speeds."""
    at, knots, left = np.array(start, float), [], 0.0
    queue = list(goals)
    for _ in range(KNOTS):
        left = PERIODS / KNOTS * CONTROL_S
        while queue and left > 1e-9:
            goal, speed, spin = queue[0]
            way = goal - at
            needs = max(float(np.linalg.norm(way[:3])) / speed, abs(float(way[3])) / spin)
            if needs <= left:
                at, left = np.array(goal, float), left - needs
                queue.pop(0)
                continue
            at = at + way * (left / needs)
            left = 0.0
        knots.append(at.copy())
    return np.array(knots)


def _first(which: np.ndarray) -> int | None:
    return int(np.argmax(which)) if which.any() else None
