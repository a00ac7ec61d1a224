"""Is the nut cell's physics what it says it is? Insertion, magnet, parameters, time step.

    python benchmarks/fidelity.py                      all four parts
    python benchmarks/fidelity.py --only insertion     one of: insertion, magnet, parameters, timestep
    python benchmarks/fidelity.py --out curves         the curves as PNG too (needs matplotlib)

Everything is measured on the station itself: its scene, its contact parameters, its magnet, its time step. What is
expected is worked out beside it, from the drawing's numbers (scene.py) or from the literature:

    Whitney, D. E. (1982), Quasi-static assembly of compliantly supported rigid parts, J. Dyn. Sys. Meas. Control
    104(1), 65-77: one-point contact, two-point contact, wedging.
    McNemar, Q. (1947), Psychometrika 12, 153-157; Agresti, A. & Min, Y. (2005), Statistics in Medicine 24, 729-740:
    the same units worked twice.

Frames as in scene.py: the pin's frame is the world's, moved to the seat; heights are of the nut's lower face above the
seat, m; wrenches act on the nut, N and N m.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import brentq
from scipy.stats import binomtest

from takt import run_shift
from takt.stations.nutcell import inspection, layout, magnet, scene, variation
from takt.stations.nutcell.expert import Blind, Expert
from takt.stations.nutcell.hands import Hands
from takt.stations.nutcell.phases import GRASP_UP, Arm, Seen
from takt.stations.nutcell.station import NutCell
from takt.stations.nutcell.world import Beat

Floats = NDArray[np.float64]
MM, DEG = 1e-3, math.pi / 180

SIDE, NUT = 0, 3  # the nut that is measured: the left side's last, which no feeder touches
CLEARANCES = np.array([0.15, 0.20, 0.30]) * MM  # least of harsh, least of plant, most of all
YAWS = np.array([0, 2, 4, 4.5, 5, 6, 8, 10, 15, 30]) * DEG
OFFSETS = np.array([0, 0.2, 0.4, 0.8, 1.5]) * MM
TILTS = np.array([0, 2, 5]) * DEG
FRICTION = 0.35  # the middle of plant's
LOWERING = 0.010  # m/s
START, STOP = 0.033, -0.008  # where the lowered hand begins and ends: over the tip, and 8 mm below the seat
STATED = np.array([28, 25, 23, 18, 12, 6, 2]) * MM  # heights at which the force is printed


# --- the nut, the pin, the hand ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hand:
    """A compliant hand: six springs at the grip point, critically damped, and the most that its grip can pass on."""

    stiffness: Floats  # (6,): N/m along x, y, z; N m/rad about them
    inertia: Floats  # (6,): kg, kg m^2: what moves with the nut
    most: Floats  # (6,): N and N m


def hand_of_the_arm() -> Hand:
    """The station's own arm and grip, over the pin.

    Stiffness: the servos' joint stiffnesses K_q seen at the tool, C = J K_q^-1 J^T (Salisbury 1980, Active stiffness
    control of a manipulator in Cartesian coordinates), each direction by itself: 1 / C_ii. Inertia: of links and
    rotors, the same way from J M^-1 J^T (Khatib 1987, operational space). Most: the finger servos press each pad with
    F = kp (half the nut - closed); two pads of friction mu pass on 2 mu F in their plane, and a moment of F times half
    a pad before the nut turns between them.
    """
    hands = Hands(layout.CONTROL_S)
    hands.pos[SIDE] = [scene.FIXTURE_X, scene.PIN_Y, scene.SEAT_Z + GRASP_UP]
    hands.quat[SIDE] = [1, 0, 0, 0]
    for _ in range(200):
        hands.follow()
    model, data = hands.configuration.model, hands.configuration.data
    jacobian = np.zeros((6, model.nv))
    mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], hands.sites[SIDE])
    servo = np.array([scene.ARM[joint][3] for joint in scene.ARM_JOINTS])
    arm = jacobian[:, [model.joint(f"left_{joint}").dofadr[0] for joint in scene.ARM_JOINTS]]
    compliance = (arm / servo) @ arm.T
    mass = np.empty((model.nv, model.nv))
    mujoco.mj_forward(model, data)
    mujoco.mj_fullM(model, data, mass)
    mobile = np.linalg.solve(mass, jacobian.T)
    squeeze, mu = grip_n(), 1.0
    force, moment = 2 * mu * squeeze, squeeze * scene.PAD[0]
    return Hand(1 / np.diag(compliance), 1 / np.diag(jacobian @ mobile), np.array([force] * 3 + [moment] * 3))


def grip_n() -> float:
    """How hard each closed pad presses a nut."""
    return 4000.0 * (scene.NUT_ACROSS / 2 - scene.GRIP_CLOSED)


def bench(clearance_m: float, magnet_n: float = 0.0, friction: float = FRICTION) -> NutCell:
    """The station with one pin at its nominal place, drawn by the station's own code, and one nut awake.

    It steps one time step at a time, so that the hand can act in each.
    """
    here = NutCell(difficulty="plant")
    here.world.difficulty = replace(
        here.world.difficulty,
        pin_offset_m=0.0,
        pin_yaw_rad=0.0,
        clearance_m=(clearance_m, clearance_m),
        friction=(friction, friction),
        magnet_n=(magnet_n, magnet_n),
    )
    here.reset(seed=0)
    here.fixture.place(0.0)
    for side, k in np.ndindex(2, here.world.line.nuts_per_side):
        here.nuts.park(side, k)
    here.world.substeps = 1
    return here


@dataclass(frozen=True)
class Held:
    """A hand's hold on the bench's nut: puts it there, and pushes it towards where the hand is."""

    here: NutCell
    hand: Hand

    def put(self, pos: Floats, quat: Floats) -> None:
        """The nut, at rest, with its lower face's centre at `pos` from the seat."""
        here, dof = self.here, self.dof
        here.nuts.put(SIDE, NUT, here.fixture.seat[SIDE] + pos, quat)
        here.nuts.cut(SIDE, NUT, 0.0)
        here.nuts.state[SIDE, NUT] = layout.LOOSE
        here.model.dof_armature[dof : dof + 6] = self.hand.inertia

    @property
    def dof(self) -> int:
        return int(self.here.world.scene.nut_dof[SIDE, NUT])

    def pose(self) -> tuple[Floats, Floats]:
        """Where the nut is: (3,) from the seat, and its rotation (3, 3)."""
        address = self.here.world.scene.nut_qpos[SIDE, NUT]
        qpos, rotation = self.here.data.qpos, np.empty(9)
        mujoco.mju_quat2Mat(rotation, qpos[address + 3 : address + 7])
        return qpos[address : address + 3] - self.here.fixture.seat[SIDE], rotation.reshape(3, 3)

    def step(self, pos: Floats, quat: Floats, velocity: Floats, push: bool = True) -> Floats:
        """One time step with the hand at a pose, moving at `velocity` (3,). Its wrench (6,), at the grip point."""
        here, dof, hand = self.here, self.dof, self.hand
        at, rotation = self.pose()
        here.data.qfrc_applied[dof : dof + 6] = 0.0
        if not push:
            here.model.dof_armature[dof : dof + 6] = 0.0
            here.run_physics()
            return np.zeros(6)
        goal = np.empty(9)
        mujoco.mju_quat2Mat(goal, quat)
        goal = goal.reshape(3, 3)
        arm = rotation @ [0, 0, GRASP_UP]
        turn, between = np.empty(3), np.empty(4)
        mujoco.mju_mat2Quat(between, (goal @ rotation.T).ravel())
        mujoco.mju_quat2Vel(turn, between, 1.0)
        shift = pos + goal @ [0, 0, GRASP_UP] - at - arm
        moving, spin = here.data.qvel[dof : dof + 3], rotation @ here.data.qvel[dof + 3 : dof + 6]
        speed = np.concatenate([velocity - moving - np.cross(spin, arm), -spin])
        spring = hand.stiffness * np.concatenate([shift, turn]) + 2 * np.sqrt(hand.stiffness * hand.inertia) * speed
        wrench = np.clip(spring, -hand.most, hand.most)
        about_origin = wrench[3:] + np.cross(arm, wrench[:3])
        here.data.qfrc_applied[dof : dof + 3] = wrench[:3] - here.model.opt.gravity * scene.NUT_MASS_KG  # it carries it
        about_origin -= np.cross(rotation @ [0, 0, scene.NUT_HEIGHT / 2], here.model.opt.gravity * scene.NUT_MASS_KG)
        here.data.qfrc_applied[dof + 3 : dof + 6] = rotation.T @ about_origin  # a free joint turns in its own frame
        here.run_physics()
        return wrench

    def from_pin(self) -> tuple[Floats, float]:
        """Wrench (6,) of the pin's core and ribs on the nut, about the seat; and the seat's own push, N."""
        here, model, data = self.here, self.here.model, self.here.data
        cells, body = here.world.scene, here.world.scene.nut_body[SIDE, NUT]
        mine = {int(cells.core_geom[SIDE]), *(int(g) for g in cells.rib_geom[SIDE])}
        wrench, force, seat = np.zeros(6), np.empty(6), 0.0
        for i in range(data.ncon):
            contact = data.contact[i]
            bodies = model.geom_bodyid[contact.geom]
            if body not in bodies:
                continue
            mujoco.mj_contactForce(model, data, i, force)
            sign = 1.0 if bodies[1] == body else -1.0  # the force is the one on the second geom
            frame = contact.frame.reshape(3, 3)
            push, twist = sign * (force[:3] @ frame), sign * (force[3:] @ frame)
            if mine & set(contact.geom.tolist()):
                wrench[:3] += push
                wrench[3:] += np.cross(contact.pos - here.fixture.seat[SIDE], push) + twist
            else:
                seat += push[2]
        return wrench, seat


def turned(yaw_rad: float, tilt_rad: float) -> Floats:
    """Yaw about the pin's axis, then tilt about the world's y: the unit quaternion w x y z."""
    yaw, tilt, quat = np.array([math.cos(yaw_rad / 2), 0, 0, math.sin(yaw_rad / 2)]), np.zeros(4), np.empty(4)
    tilt[0], tilt[2] = math.cos(tilt_rad / 2), math.sin(tilt_rad / 2)
    mujoco.mju_mulQuat(quat, tilt, yaw)
    return quat


# --- 1: insertion -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Insertion:
    height: Floats  # (n,) m, along the way down
    axial: Floats  # (n,) N, the pin's push up on the nut
    torque: Floats  # (n,) N m, the pin's about its axis
    lateral: Floats  # (n,) N
    tilting: Floats  # (n,) N m, about the axes across it, at the grip point
    lowest_m: float  # reached while pushed
    seats: bool  # by the station's inspection, after letting go
    yaw_rad: float  # at the end, of the nut on the pin
    unbalanced_n: float  # pin + seat + hand, at the end of pushing: what the books are off by

    def at(self, height_m: float) -> float | None:
        """Axial force when the nut first came by this height."""
        below = np.flatnonzero(self.height <= height_m)
        return float(self.axial[below[0]]) if len(below) else None


def insert(
    here: NutCell, hand: Hand, yaw_rad: float = 0.0, offset_m: float = 0.0, tilt_rad: float = 0.0, push_n: float = 20.0
) -> Insertion:
    """Lower a nut over the pin with a hand that is wrong by so much: yaw, offset along x, tilt about y."""
    hand = replace(hand, most=np.array([*hand.most[:2], min(push_n, hand.most[2]), *hand.most[3:]]))
    held, dt = Held(here, hand), here.model.opt.timestep
    quat = turned(yaw_rad, tilt_rad)
    held.put(np.array([offset_m, 0, START]), quat)
    rows, pushed_out, z, wrench, seat = [], 0, START, np.zeros(6), 0.0
    while z > STOP and pushed_out * dt < 0.3:
        z -= LOWERING * dt
        by_hand = held.step(np.array([offset_m, 0, z]), quat, np.array([0, 0, -LOWERING]))
        at, rotation = held.pose()
        wrench, seat = held.from_pin()
        across = (wrench[3:] - np.cross(at + rotation @ [0, 0, GRASP_UP], wrench[:3]))[:2]
        rows.append((at[2], wrench[2], wrench[5], math.hypot(*wrench[:2]), math.hypot(*across)))
        pushed_out = pushed_out + 1 if by_hand[2] <= -hand.most[2] else 0
    balance = wrench[2] + seat + by_hand[2]
    lowest = rows[-1][0]
    for _ in range(round(0.5 / dt)):
        held.step(np.zeros(3), quat, np.zeros(3), push=False)
    at, rotation = held.pose()
    tilt = math.acos(min(1.0, rotation[2, 2]))
    seats = at[2] < inspection.SEATED_M and tilt < inspection.SEATED_RAD
    yaw = math.atan2(rotation[1, 0], rotation[0, 0])
    return Insertion(*np.array(rows).T, lowest, bool(seats), yaw, balance)


def yaw_play(clearance_m: float, offset: tuple[float, float] = (0.0, 0.0)) -> float:
    """How far a nut can be turned on the pin before a tooth touches a rib, rad: the corners of their outlines.

    Drawing only, no physics. A tooth is a strip of TOOTH_WIDTH that begins TOOTH_TIP from the nut's axis; a rib one of
    RIB_WIDTH that ends RIB_REACH - clearance from the pin's. The nut is moved by `offset` m.
    """
    reach, tip = scene.RIB_REACH - clearance_m, scene.TOOTH_TIP
    half_tooth, half_rib, out = scene.TOOTH_WIDTH / 2, scene.RIB_WIDTH / 2, 2 * scene.TOOTH_RADIUS - scene.TOOTH_TIP

    def apart(turn: float) -> bool:
        for k in range(scene.TEETH):
            tooth = turn + k * math.pi / 3
            for rib in (k * math.pi / 3 - math.pi / 6, k * math.pi / 3 + math.pi / 6):
                corner = _to(np.array([tip, -half_tooth]), np.array([tip, half_tooth]), tooth, offset, rib)
                if ((corner[:, 0] < reach) & (np.abs(corner[:, 1]) < half_rib)).any():
                    return False
                edge = np.array([[reach, -half_rib], [reach, half_rib]])
                edge = edge @ _rotation(rib).T - offset
                edge = edge @ _rotation(tooth)
                if ((edge[:, 0] > tip) & (edge[:, 0] < out) & (np.abs(edge[:, 1]) < half_tooth)).any():
                    return False
        return True

    turns = np.linspace(0, math.pi / 6, 3001)
    for turn in turns:
        if not apart(float(turn)):
            return float(turn)
    return math.pi / 6


def _rotation(angle: float) -> Floats:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _to(a: Floats, b: Floats, turn: float, offset: Iterable[float], rib: float) -> Floats:
    """Two points of a tooth in the frame of a rib."""
    world = np.array([a, b]) @ _rotation(turn).T + np.array(list(offset))
    turned_back: Floats = world @ _rotation(rib)
    return turned_back


def edge(here: NutCell, hand: Hand, error: str, good: float, bad: float, within: float, **more: float) -> float:
    """The last size of this error that seats, by bisection between one that does and one that does not."""
    while abs(bad - good) > within:
        middle = (good + bad) / 2
        good, bad = (middle, bad) if insert(here, hand, **{error: middle}, **more).seats else (good, middle)
    return good


def insertion(console: Console, out: Path | None) -> None:
    hand = hand_of_the_arm()
    k, most = hand.stiffness, hand.most
    console.print(
        f"The hand, from the arm's servos over the pin: {k[0]:.0f}, {k[1]:.0f}, {k[2]:.0f} N/m along x, y, z;"
        f" {k[3]:.0f}, {k[4]:.0f}, {k[5]:.0f} N m/rad about them; it weighs {hand.inertia[2]:.1f} kg going down."
        f"\nIts grip, {grip_n():.0f} N a pad, passes on at most {most[0]:.0f} N and {most[5] * 1e3:.0f} N mm."
        f" Lowered at {LOWERING * 1e3:.0f} mm/s; friction {FRICTION}; no magnet.\n"
    )
    curves: dict[str, Insertion] = {}
    worst = 0.0
    for title, errors, key, unit in (
        ("yaw error, deg", YAWS, "yaw_rad", DEG),
        ("lateral error, mm", OFFSETS, "offset_m", MM),
        ("tilt error, deg", TILTS, "tilt_rad", DEG),
    ):
        table = Table(
            title=f"Insertion against {title.split(',')[0]}: the pin's push up on the nut, N, at heights in mm"
        )
        table.add_column("clearance, mm", justify="right")
        table.add_column(title, justify="right")
        for height in STATED:
            table.add_column(f"{height * 1e3:.0f}", justify="right")
        for name in ("peak, N", "lateral, N", "torque, N mm", "tilting, N mm", "reaches, mm", "seats"):
            table.add_column(name, justify="right")
        for clearance in CLEARANCES:
            here = bench(clearance)
            for error in errors:
                one = insert(here, hand, **{key: float(error)})
                worst = max(worst, abs(one.unbalanced_n))
                curves[f"{clearance / MM:.2f} mm, {title.split(' error')[0]} {error / unit:g}"] = one
                table.add_row(
                    f"{clearance / MM:.2f}" if error == errors[0] else "",
                    f"{error / unit:g}",
                    *("" if f is None else f"{abs(f):.1f}" for f in map(one.at, STATED)),
                    f"{one.axial.max():.1f}",
                    f"{one.lateral.max():.1f}",
                    f"{np.abs(one.torque).max() * 1e3:.1f}",
                    f"{one.tilting.max() * 1e3:.1f}",
                    f"{one.lowest_m / MM:.1f}",
                    "yes" if one.seats else "no",
                )
            table.add_section()
        console.print(table)
    console.print(f"Pin, seat and hand together, at the end of each push: off by at most {worst:.2g} N.\n")
    windows(console, hand)
    literature(console, hand, curves)
    if out:
        draw_insertion(out, curves)


def windows(console: Console, hand: Hand) -> None:
    """How far off the hand may be, measured and drawn."""
    table = Table(title="The window: the largest error that still seats, and what the drawing says")
    for name in (
        "clearance, mm",
        "yaw at 20 N, deg",
        "yaw at 2 N, deg",
        "free play of the drawing",
        "and what 20 N press into the ribs",
        "play with the nut aside by the clearance",
        "lateral measured, mm",
        "tilt measured, deg",
    ):
        table.add_column(name, justify="right")
    for clearance in CLEARANCES:
        here = bench(clearance)
        largest = partial(edge, here, hand)
        two_ways = [largest("yaw_rad", sign * 3 * DEG, sign * 8 * DEG, 0.05 * DEG) for sign in (1, -1)]
        gently = largest("yaw_rad", 3 * DEG, 8 * DEG, 0.05 * DEG, push_n=2.0)
        lateral = largest("offset_m", 1 * MM, 9 * MM, 0.1 * MM)
        tilt = largest("tilt_rad", 5 * DEG, 30 * DEG, 0.5 * DEG)
        pressed = scene.RIB_TOP - insert(here, hand, yaw_rad=6 * DEG).lowest_m  # how far 20 N press it into the ribs
        around = [
            yaw_play(clearance, (clearance * math.cos(a), clearance * math.sin(a)))
            for a in np.linspace(0, 2 * math.pi, 12, endpoint=False)
        ]
        table.add_row(
            f"{clearance / MM:.2f}",
            f"{two_ways[0] / DEG:+.2f}, {two_ways[1] / DEG:+.2f}",
            f"{gently / DEG:+.2f}",
            f"±{yaw_play(clearance) / DEG:.2f}",
            f"±{(yaw_play(clearance) + pressed / math.hypot(scene.TOOTH_TIP, scene.TOOTH_WIDTH / 2)) / DEG:.2f}",
            f"±{min(around) / DEG:.2f} to {max(around) / DEG:.2f}",
            f"{lateral / MM:.2f}",
            f"{tilt / DEG:.1f}",
        )
    corner = math.hypot(scene.TOOTH_TIP, scene.TOOTH_WIDTH / 2)
    play = math.pi / 6 - math.atan2(scene.TOOTH_WIDTH / 2, scene.TOOTH_TIP) - math.asin(scene.RIB_WIDTH / 2 / corner)
    table.caption = (
        "Free play: a tooth's inner corner meets a rib's flank:"
        " pi/6 - atan((w_t/2)/r_t) - asin((w_r/2)/hypot(r_t, w_t/2))"
        f" = {play / DEG:.2f} deg,\nwith no clearance in it: that is taken off the rib's reach and the core, not its"
        " width. Pressed into the ribs by p,\na soft nut gets by if it overlaps them sideways by less than p:"
        " p / hypot(r_t, w_t/2) more."
    )
    console.print(table)


def literature(console: Console, hand: Hand, curves: Mapping[str, Insertion]) -> None:
    """Whitney's contacts against what was measured."""
    table = Table(
        title="Whitney 1982: one-point contact slides at mu K_x (error - clearance); two-point contact wedges"
    )
    for name in (
        "clearance, mm",
        "lateral error, mm",
        "one-point, N: expected",
        "measured, 18 to 10 mm",
        "wedges below mu d, mm",
        "so from a tilt of, deg",
    ):
        table.add_column(name, justify="right")
    for clearance in CLEARANCES:
        bore = 2 * scene.TOOTH_TIP
        for offset in OFFSETS[1:]:
            one = curves[f"{clearance / MM:.2f} mm, lateral {offset / MM:g}"]
            inside = (one.height < 18 * MM) & (one.height > 10 * MM)
            pushed = min(max(offset - clearance, 0.0) * hand.stiffness[0], hand.most[0])
            table.add_row(
                f"{clearance / MM:.2f}" if offset == OFFSETS[1] else "",
                f"{offset / MM:g}",
                f"{FRICTION * pushed:.2f}",
                f"{np.median(one.axial[inside]):.2f}" if inside.any() else "",
                f"{FRICTION * bore / MM:.1f}" if offset == OFFSETS[1] else "",
                f"{2 * clearance / (FRICTION * bore) / DEG:.1f}" if offset == OFFSETS[1] else "",
            )
        table.add_section()
    table.caption = (
        "Wedging needs two-point contact, at a depth of 2 clearance / tilt, while the nut is down less than mu times"
        "\nits bore d. Possible is not certain: it stays only if the hand holds the tilt, and this grip gives at"
        f" {hand.most[3] * 1e3:.0f} N mm."
    )
    console.print(table)


# --- 2: the magnet ----------------------------------------------------------------------------------------------------


F0 = sum(variation.DIFFICULTIES["plant"].magnet_n) / 2  # N


def pulled(pos: Floats, strength_n: float = F0) -> Floats:
    """magnet.pull for an upright nut whose lower face is at `pos` from the seat: (6,), torque about its centre."""
    middle, upright = pos + [0, 0, scene.NUT_HEIGHT / 2], np.eye(3)
    force, torque = magnet.pull(middle[None], upright[None], np.zeros((1, 3)), np.array([strength_n]))
    return np.concatenate([force[0], torque[0]])


def held_against(here: NutCell, pos: Floats) -> Floats:
    """What a stiff hand has to do to hold a nut there in the simulation, turned round: the pull it feels, (6,).

    Force and, about the nut's centre, torque. The hand carries the weight besides.
    """
    held = Held(here, Hand(np.full(6, 20e3), np.full(6, 5.0), np.full(6, 100.0)))
    quat = turned(0.0, 0.0)
    held.put(pos, quat)
    last = np.array([held.step(pos, quat, np.zeros(3)) for _ in range(300)])[-20:].mean(axis=0)
    # At the grip point the hand's torque also answers its own force's arm about the centre.
    arm = np.array([0, 0, GRASP_UP - scene.NUT_HEIGHT / 2])
    return -np.concatenate([last[:3], last[3:] + np.cross(arm, last[:3])])


def pull_of_the_magnet(console: Console, out: Path | None) -> None:
    here = bench(CLEARANCES[1], magnet_n=F0)
    rest = scene.RIB_TOP
    table = Table(title=f"The magnet's pull on a nut on the axis, F0 = {F0:g} N")
    for name in (
        "lower face above the seat, mm",
        "above the tip, mm",
        "gap of each element, mm",
        "F0/(1+gap/GAP_HALF)^2, N",
        "its part along the axis",
        "magnet.pull, N",
        "held in the simulation, N",
        "times the nut's weight",
        "share of that on the ribs",
    ):
        table.add_column(name, justify="right")
    on_ribs = -pulled(np.array([0, 0, rest]))[2]
    radius = float(np.hypot(*magnet.ELEMENTS[0, :2]))
    for height in np.array([12, 18, 20, 22, 24, 27, 31, 33, 36, 41, 46, 51]) * MM:
        pos = np.array([0, 0, height])
        force = -pulled(pos)[2]
        over = max(height + scene.NUT_HEIGHT / 2 - scene.RIB_TOP, 0.0)
        distance = math.hypot(radius, over)
        gap = max(distance - magnet.CONTACT, 0.0)
        size = F0 / (1 + gap / magnet.GAP_HALF) ** 2
        clear = height >= scene.PIN_TOP + 0.5 * MM or height <= rest - 4 * MM
        table.add_row(
            f"{height / MM:.0f}",
            f"{(height - scene.PIN_TOP) / MM:+.0f}",
            f"{gap / MM:.1f}",
            f"{size:.3f}",
            f"{size * over / distance:.3f}",
            f"{force:.3f}",
            f"{-held_against(here, pos)[2]:.3f}" if clear else "",
            f"{force / (scene.NUT_MASS_KG * 9.81):.2f}",
            f"{force / on_ribs:.0%}",
        )
    half = brentq(lambda h: -pulled(np.array([0, 0, h]))[2] - on_ribs / 2, rest, 0.08)
    ten = -pulled(np.array([0, 0, rest + 0.010]))[2] / on_ribs
    table.caption = (
        f"A nut on the ribs stands at {rest / MM:.0f} mm. From there the pull halves in {(half - rest) / MM:.1f} mm and"
        f" {ten:.0%} are left 10 mm higher.\nThe bare formula halves in"
        f" {(math.sqrt(2) - 1) * magnet.GAP_HALF / MM:.2f} mm of gap and leaves"
        f" {(1 + 0.010 / magnet.GAP_HALF) ** -2:.1%} at 10 mm."
        f"\nBelow {(scene.RIB_TOP - scene.NUT_HEIGHT / 2) / MM:.0f} mm there is no axial pull: the nut's middle is"
        " beside the pole, and it falls home by its weight."
    )
    console.print(table)

    table = Table(title=f"Off the axis, lower face {scene.PIN_TOP / MM + 1:.0f} mm above the seat, F0 = {F0:g} N")
    for name in ("off by, mm", "lateral, N", "held", "axial, N", "held", "tilting torque, N mm", "held"):
        table.add_column(name, justify="right")
    for off in (0, 2, 5, 8, 10):
        pos = np.array([off * MM, 0, scene.PIN_TOP + MM])
        said, felt = pulled(pos), held_against(here, pos)
        cells = [f"{v:.{digits}f}" for i, digits in ((0, 4), (2, 4)) for v in (said[i], felt[i])]
        table.add_row(f"{off}", *cells, f"{said[4] * 1e3:.3f}", f"{felt[4] * 1e3:.3f}")
    most = max(
        (float(np.linalg.norm(pulled(np.array([x, 0, h]))[:3])), x, h)
        for x in np.arange(0, 16.5 * MM, 0.5 * MM)
        for h in np.arange(0, 45 * MM, 0.5 * MM)
        if x <= 0.3 * MM or h >= scene.PIN_TOP or x >= scene.CORE_RADIUS + scene.NUT_ACROSS / 2 - 2 * MM
    )
    table.caption = (
        "Lateral, along x: negative pulls towards the axis. Torque, about y: negative pulls the near side down."
        f"\nThe hardest pull anywhere that an upright nut can be: {most[0]:.2f} N, {most[1] / MM:.1f} mm off the axis,"
        f" {most[2] / MM:.1f} mm up: {most[0] / F0:.0%} of F0."
        "\nSource: flux through an air gap, F = Phi^2 / (2 mu0 A), Phi = mmf / (R0 + gap / (mu0 A)): magnet.py."
    )
    console.print(table)
    if out:
        draw_magnet(out)


# --- 3: where the numbers come from -----------------------------------------------------------------------------------


def parameters(console: Console) -> None:
    here = NutCell(difficulty="plant")
    model = here.model
    rib = int(here.world.scene.rib_geom[0, 0])
    plant, harsh, nominal = (variation.DIFFICULTIES[d] for d in ("plant", "harsh", "nominal"))
    arms = {joint: scene.ARM[joint][3] for joint in scene.ARM_JOINTS}
    k = hand_of_the_arm().stiffness
    side = scene.NUT_ACROSS / math.sqrt(3)
    steel = (1.5 * math.sqrt(3) * side**2 - math.pi * scene.WALL_INNER**2) * scene.NUT_HEIGHT
    steel += scene.TEETH * scene.TOOTH_WIDTH * (scene.WALL_INNER - scene.TOOTH_TIP) * scene.NUT_HEIGHT
    table = Table(title="Every physical parameter, and where it comes from", show_lines=True)
    table.add_column("parameter")
    table.add_column("value")
    table.add_column("where it comes from", max_width=92)
    rows = (
        (
            "nut",
            f"{scene.NUT_ACROSS / MM:.0f} mm across flats, {scene.NUT_HEIGHT / MM:.0f} mm high,"
            f" {scene.NUT_MASS_KG * 1e3:.0f} g",
            "The job's own words (issue 2). Its drawn volume in steel of 7850 kg/m^3 would weigh"
            f" {steel * 7850e3:.0f} g; inertia is a hollow cylinder's of {scene.NUT_MASS_KG * 1e3:.0f} g.",
        ),
        (
            "spline",
            f"{scene.TEETH} teeth {scene.TOOTH_WIDTH / MM:.1f} mm wide, {scene.TEETH} ribs"
            f" {scene.RIB_WIDTH / MM:.1f} mm, yaw play ±{yaw_play(plant.clearance_m[0]) / DEG:.1f} deg",
            "Chosen; the job asks that a nut within about 5 deg falls home. Drawings of the real nut were not found.",
        ),
        (
            "clearance, on the radius",
            ", ".join(
                f"{d.clearance_m[0] / MM:.2f}-{d.clearance_m[1] / MM:.2f} mm {n}"
                for n, d in (("nominal", nominal), ("plant", plant), ("harsh", harsh))
            ),
            "The job's words: 0.15-0.3 mm. For comparison, ISO 286-2's loosest common fit, H11/c11 at 14 mm, has"
            " 0.05-0.16 mm on the radius.",
        ),
        (
            "friction, nut on pin",
            ", ".join(f"{d.friction[0]:.2f}-{d.friction[1]:.2f} {n}" for n, d in (("plant", plant), ("harsh", harsh))),
            "Steel on steel, sliding: 0.42 dry in many tables, 0.10-0.30 in Gieck, Technical Formulas, 7th ed.,"
            " 0.23-0.62 in Davis, Concise Metals Data Handbook, table 14.1. Harsh covers what they disagree by.",
        ),
        ("friction, pads on nut", "1.0", "Rubber pads: rubber on dry metal is 0.6 to above 1; chosen at 1."),
        (
            "contact: solref, solimp",
            f"time constant {model.geom_solref[rib, 0] * 1e3:.0f} ms, damping ratio {model.geom_solref[rib, 1]:g};"
            f" {model.geom_solimp[rib, 0]:g}-{model.geom_solimp[rib, 1]:g} over {model.geom_solimp[rib, 2] / MM:g} mm",
            "MuJoCo, Modeling, Solver parameters: the time constant should be at least twice the time step, and here is"
            f" {model.geom_solref[rib, 0] / model.opt.timestep:.1f} of them; critically damped, so nothing bounces."
            " 0.95-0.99 is stiffer than MuJoCo's own 0.9-0.95. How far 20 N press a nut in: part 1, below 0.",
        ),
        (
            "contact: cone, impratio",
            f"elliptic, {model.opt.impratio:g}",
            "MuJoCo, XML reference, option: elliptic cones are the better model of friction; impratio above 1 makes it"
            " harder than the normal force, against slip of what is held.",
        ),
        (
            "time step, integrator",
            f"{model.opt.timestep * 1e3:g} ms, implicitfast",
            "MuJoCo's default step; part 4 halves it. implicitfast: MuJoCo's recommendation for damped servos.",
        ),
        (
            "arm's servos",
            ", ".join(f"{joint} {value:.0f}" for joint, value in arms.items()) + " N m/rad",
            "Chosen in the range of joint-impedance arms (KUKA LBR iiwa: up to 2000 N m/rad). Over the pin, at the"
            f" hand: {k[0]:.0f}, {k[1]:.0f}, {k[2]:.0f} N/m, {k[5]:.0f} N m/rad of yaw.",
        ),
        (
            "grip",
            f"{grip_n():.0f} N a pad (servo 4000 N/m, at most 30 N)",
            "Chosen: holds a nut of 0.2 N against 20 N of push at friction 1; light (Robotiq 2F-85: 20-235 N).",
        ),
        (
            "magnet",
            f"F0 {plant.magnet_n[0]:g}-{plant.magnet_n[1]:g} N plant; GAP_HALF {magnet.GAP_HALF / MM:g} mm",
            "The job's words: a few newtons, gone within about a centimetre. Law: magnet.py.",
        ),
        (
            "push limit",
            f"{inspection.PUSH_LIMIT_N:.0f} N",
            "The wrist's gear: twice its torque limit at the hand's length; Harmonic Drive CSF, momentary peak torque.",
        ),
        (
            "grip limit",
            f"{inspection.GRIP_LIMIT_N:.0f} N",
            "The gripper: the most that one of this stroke gives (Robotiq 2F-85, data sheet: 20-235 N).",
        ),
        (
            "hand speeds",
            "0.25, 0.06, 0.02 m/s",
            "ISO 10218-1:2011, 5.6.2: reduced speed 250 mm/s; the rest chosen.",
        ),
        (
            "inspection",
            f"{inspection.SEATED_M / MM:g} mm above the seat, {inspection.SEATED_RAD / DEG:.0f} deg",
            "Chosen: well under the 24 mm of a nut on the ribs, above what contact and noise leave of a seated one.",
        ),
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)


# --- 4: the time step -------------------------------------------------------------------------------------------------

TAKT_S = 20.0  # of these shifts: the workers are done long before, and the rest of 76 s would only be waited for


class Shaky(Expert):
    """The expert with poor eyes: in each unit each side's pin and nuts are seen wrong by a fixed draw.

    Keyed by (seed, unit, side), so that it makes the same mistakes whatever the physics does. It neither searches nor
    tries again: a nut that rests on the ribs is let go there. Its yaw errors spread over the edge of the window, where
    the physics decides; sized to be good in half to five sixths of the units.
    """

    PIN_M, PIN_RAD, NUT_M = 0.5 * MM, 4.0 * DEG, 1.0 * MM  # standard deviations

    def begin(self, spec: Any, seed: int) -> None:
        super().begin(spec, seed)
        self.seed, self.unit = seed, -1
        self.blur: list[Floats] = []

    def act(self, observation: dict[str, Any]) -> Any:
        if float(observation["observation.takt_left"][0]) > self.takt_left or self.unit < 0:
            self.unit += 1
            self.blur = [
                variation.stream(self.seed, self.unit, f"shaky-{side}").standard_normal(5) for side in scene.SIDES
            ]
        return super().act(observation)

    def look(self, observation: dict[str, Any], arm: Arm) -> Seen:
        seen, blur = super().look(observation, arm), self.blur[arm.side]
        pin = seen.pin + np.concatenate([self.PIN_M * blur[:2], [0.0, self.PIN_RAD * blur[2]]])
        feeder = None
        if seen.feeder is not None:
            feeder = seen.feeder + np.concatenate([self.NUT_M * blur[3:], np.zeros(5)])
        return replace(seen, pin=pin, feeder=feeder)

    def _after_insert(self, arm: Arm, seen: Seen) -> str:
        phase = super()._after_insert(arm, seen)
        return "release" if phase == "search" else phase

    def _seated(self, seen: Seen) -> bool:
        return seen.on_pin is not None


WORKERS = {"expert": Expert, "shaky": Shaky, "blind": Blind}


@dataclass(frozen=True)
class Worked:
    """What one worker made of the same units with one time step."""

    good: NDArray[np.bool_]  # (units,)
    cycle_s: float  # mean, of the good ones
    longest_s: float
    reasons: Mapping[str, int]
    wall_s: float


def work(who: str, timestep_s: float, units: int, seed: int) -> Worked:
    began = time.perf_counter()
    Beat.takt_s = TAKT_S
    worker = WORKERS[who]()
    options: dict[str, Any] = {"difficulty": "plant", "timestep_s": timestep_s, **worker.station_options}
    shift = run_shift(NutCell(**options), worker, seed=seed, units=units, worker_name=who)
    assert not shift.broken, shift.broken
    ends = [event for event in shift.events if event.kind in ("unit_good", "unit_bad")]
    cycles = [event.data["cycle_s"] for event in ends if event.kind == "unit_good"]
    reasons: dict[str, int] = {}
    for event in ends:
        for reason in event.data.get("reasons", ()):
            reasons[reason] = reasons.get(reason, 0) + 1
    return Worked(
        np.array([event.kind == "unit_good" for event in ends]),
        float(np.mean(cycles)) if cycles else math.nan,
        max(cycles, default=math.nan),
        reasons,
        time.perf_counter() - began,
    )


def timestep(console: Console, units: int, seed: int, processes: int) -> None:
    steps = (scene.TIMESTEP_S, scene.TIMESTEP_S / 2)
    jobs = [(who, step, units, seed) for who in WORKERS for step in steps]
    if processes > 1:
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            done = list(pool.map(work, *zip(*jobs, strict=True)))
    else:
        done = [work(*job) for job in jobs]
    table = Table(
        title=f"The same {units} units of plant, seed {seed}, at {steps[0] * 1e3:g} ms and {steps[1] * 1e3:g} ms"
        f" (takt cut to {TAKT_S:g} s)"
    )
    for name in ("worker", "good, 2 ms", "1 ms", "both good", "only 2 ms", "only 1 ms", "neither"):
        table.add_column(name, justify="right")
    for name in ("difference (95 %)", "noise of one rate", "McNemar p", "mean cycle, s: 2 ms", "1 ms"):
        table.add_column(name, justify="right")
    notes = []
    for who, coarse, fine in zip(WORKERS, done[::2], done[1::2], strict=True):
        both, neither = int((coarse.good & fine.good).sum()), int((~coarse.good & ~fine.good).sum())
        only = int((coarse.good & ~fine.good).sum()), int((~coarse.good & fine.good).sum())
        low, high = paired_interval(only[1], only[0], units)
        p = binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
        rate = coarse.good.mean()
        table.add_row(
            who,
            f"{rate:.1%}",
            f"{fine.good.mean():.1%}",
            *(str(n) for n in (both, *only, neither)),
            f"{fine.good.mean() - rate:+.1%} ({low:+.1%} to {high:+.1%})",
            f"±{1.96 * math.sqrt(rate * (1 - rate) / units):.1%}",
            f"{p:.2f}",
            f"{coarse.cycle_s:.2f}",
            f"{fine.cycle_s:.2f}",
        )
        notes.append(
            f"{who}: bad for {_counts(coarse.reasons)} at 2 ms, {_counts(fine.reasons)} at 1 ms; longest cycle"
            f" {coarse.longest_s:.1f}, {fine.longest_s:.1f} s; {coarse.wall_s:.0f} + {fine.wall_s:.0f} s of wall time"
        )
    table.caption = "\n".join(
        (
            "difference: of good rates, 1 ms less 2 ms, on the same units, interval of Agresti & Min (2005).",
            "noise of one rate: 1.96 standard errors of the good rate over so many units. p: McNemar's test, exact.",
        )
    )
    console.print(table)
    for note in notes:
        console.print(f"  {note}")


def paired_interval(gained: int, lost: int, n: int) -> tuple[float, float]:
    """95 % for a difference of paired proportions: Wald's, half a unit added to each cell (Agresti & Min 2005)."""
    b, c, total = gained + 0.5, lost + 0.5, n + 2
    middle = (b - c) / total
    half = 1.96 * math.sqrt(b + c - (b - c) ** 2 / total) / total
    return middle - half, middle + half


def _counts(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(reasons.items())) or "nothing"


# --- pictures ---------------------------------------------------------------------------------------------------------


def draw_insertion(out: Path, curves: Mapping[str, Insertion]) -> None:
    from matplotlib.figure import Figure

    chosen = f"{CLEARANCES[1] / MM:.2f} mm, "
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    for column, kind in enumerate(("yaw", "lateral", "tilt")):
        for name, one in curves.items():
            if name.startswith(chosen + kind):
                axes[0, column].plot(one.height / MM, one.axial, lw=1, label=name.removeprefix(chosen))
                axes[1, column].plot(one.height / MM, (one.torque if kind == "yaw" else one.tilting) * 1e3, lw=1)
        axes[0, column].set(title=f"{kind} error, {chosen[:-2]} clearance", ylabel="axial force, N")
        axes[1, column].set(
            xlabel="height above the seat, mm", ylabel=f"{'axial' if kind == 'yaw' else 'tilting'} torque, N mm"
        )
        axes[1, column].invert_xaxis()
        axes[0, column].legend(fontsize=7)
    _save(figure, out, "insertion.png")


def draw_magnet(out: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.5), layout="constrained")
    heights, offs = np.linspace(12 * MM, 60 * MM, 400), np.linspace(0, 20 * MM, 200)
    axes = figure.subplots(1, 3)
    axes[0].plot(heights / MM, [-pulled(np.array([0, 0, h]))[2] for h in heights])
    axes[0].axhline(scene.NUT_MASS_KG * 9.81, ls=":", c="grey")
    axes[0].set(xlabel="lower face above the seat, mm", ylabel="N", title=f"pull along the axis, F0 = {F0:g} N")
    side = np.array([pulled(np.array([x, 0, scene.PIN_TOP + MM])) for x in offs])
    axes[1].plot(offs / MM, side[:, 0], label="lateral")
    axes[1].plot(offs / MM, side[:, 2], label="axial")
    axes[1].legend()
    axes[1].set(xlabel="off the axis, mm", ylabel="N", title="just over the tip")
    axes[2].plot(offs / MM, side[:, 4] * 1e3)
    axes[2].set(xlabel="off the axis, mm", ylabel="N mm", title="tilting torque")
    _save(figure, out, "magnet.png")


def _save(figure: Any, out: Path, name: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / name, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("insertion", "magnet", "parameters", "timestep"))
    parser.add_argument("--units", type=int, default=60, help="units each worker works with each time step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="a folder for the curves as PNG")
    args = parser.parse_args()
    console = Console(width=170)
    parts = {
        "insertion": lambda: insertion(console, args.out),
        "magnet": lambda: pull_of_the_magnet(console, args.out),
        "parameters": lambda: parameters(console),
        "timestep": lambda: timestep(console, args.units, args.seed, args.processes),
    }
    began = time.perf_counter()
    for name, part in parts.items():
        if args.only in (None, name):
            part()
            console.print(f"[dim]{time.perf_counter() - began:.0f} s so far[/dim]\n")


if __name__ == "__main__":
    main()
