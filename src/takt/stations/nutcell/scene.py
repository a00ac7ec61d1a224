"""The cell as a MuJoCo model, built with `MjSpec`: no mesh files. SI units; world x forward, y to the left, z up.

What is where (metres, world): the robot's shoulders at (0, +-0.20, 1.38); the table top at z = 0.88; the fixture and
its two pins in front of the robot; one feeder at each side. Proportions of the upper body are a 50th percentile adult's
(upper arm 0.30, forearm 0.27, hand to fingertip 0.18; NASA-STD-3000, vol. 1, sec. 3.3). The wrist is a robot's: forearm
roll, pitch, and a flange that turns about the tool's own axis.

The nut is a hexagon 22 mm across and 12 mm high, 20 g, with an inner spline of six teeth, whose yaw in the hexagon
differs from nut to nut: a grip on the flats does not tell it. The pin has six ribs that fit between the teeth. All of
it is collision geometry: the nut falls home only when teeth and ribs line up.

Long because: the cell's numbers and the model that is made of them are read, and corrected, side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from takt.stations.nutcell.line import M8, SINGLE, Line, Variant
from takt.stations.nutcell.line import TABLE_Z as TABLE_Z

SIDES = ("left", "right")
SIGN = {"left": 1.0, "right": -1.0}  # of y

TIMESTEP_S = 0.002

# --- nut (its frame: origin at the centre of its lower face, z along its axis) ---
NUT_HEIGHT, NUT_ACROSS, NUT_MASS_KG = M8.height_m, M8.across_m, M8.mass_kg  # of the single line's
WALL_INNER = 0.0084  # apothem of the inner wall, between the teeth
TOOTH_TIP = 0.0070  # radius that the teeth reach in to
TOOTH_RADIUS = (TOOTH_TIP + WALL_INNER / np.cos(np.pi / 6)) / 2  # of its middle: it reaches out to the hexagon's corner
SKIN = 0.0003  # but stays so far inside the flats of a thin nut, whatever its yaw: a pad must not feel it
TOOTH_WIDTH = 0.0030
TEETH = 6
STEEL_KG_M3 = 7850.0

# --- pin (its frame: origin at the seat, z up along its axis) ---
RIB_TOP = 0.024  # a nut that does not line up rests this high above the seat
RIB_WIDTH = 0.0034
RIB_REACH = 0.0083  # outer radius of the ribs at no clearance
CORE_RADIUS = 0.0070  # of the core at no clearance; it ends in a hemisphere, the lead-in
PIN_TOP = RIB_TOP + CORE_RADIUS
FIXTURE_X, PIN_Y, SEAT_Z = 0.42, 0.12, TABLE_Z + 0.030

# --- feeder (its frame: origin at the middle of the tray's upper face) ---
FEEDER_POS = dict(zip(SIDES, SINGLE.lane_pos[:, 0], strict=True))  # of the single line's

PARK = np.array([-1.2, 0.0, 0.3])  # where nuts wait that are in no one's way: the hopper behind the robot

ARM_JOINTS = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "forearm_roll", "wrist_pitch", "wrist_roll")
# axis, range (rad), torque limit (N m), servo stiffness (N m/rad), damping (N m s/rad), reflected inertia (kg m^2)
ARM = {
    "shoulder_pitch": ((0, 1, 0), (-2.8, 1.2), 60.0, 1200.0, 60.0, 0.10),
    "shoulder_roll": ((1, 0, 0), (-0.6, 2.2), 60.0, 1200.0, 60.0, 0.10),
    "shoulder_yaw": ((0, 0, 1), (-1.8, 1.8), 40.0, 800.0, 40.0, 0.06),
    "elbow": ((0, 1, 0), (-2.5, 0.0), 40.0, 800.0, 40.0, 0.06),
    "forearm_roll": ((0, 0, 1), (-2.6, 2.6), 15.0, 250.0, 10.0, 0.015),
    "wrist_pitch": ((0, 1, 0), (-1.2, 2.4), 15.0, 250.0, 10.0, 0.015),
    "wrist_roll": ((0, 0, 1), (-2.8, 2.8), 15.0, 250.0, 10.0, 0.015),
}
SHOULDER_Z, SHOULDER_Y, UPPER_ARM, FOREARM, HAND = 1.38, 0.20, 0.30, 0.27, 0.18
GRIP_OPEN, GRIP_CLOSED = 0.020, SINGLE.grip_closed  # half the opening between the pads (m); closed presses the flats
PAD = (0.006, 0.002, 0.007)  # half sizes: along the nut's side, thickness, height
TAXELS = (4, 4)
# A pose with both hands above the fixture's front edge, tools down: the arms start and rest near it.
REST = np.array([-0.30, 0.07, 0.0, -1.94, 0.0, 2.24, 0.0])

CAMERAS = ("head", "left_wrist", "right_wrist")
SHADOW = 1024  # pixels of a shadow map

# Collision bits. Fine geometry meets fine geometry; supports meet the nuts' feet and the hands; see `_collide`.
_FINE, _FOOT, _SUPPORT = 1, 2, 4
_BITS = {
    "fine": (_FINE, _FINE),
    "foot": (_FOOT, 0),
    "support": (_SUPPORT, _FOOT),
    "hand": (_FINE, _FINE | _SUPPORT),
    "none": (0, 0),
}

_STEEL, _ALU, _WHITE = (0.72, 0.75, 0.80, 1), (0.62, 0.64, 0.67, 1), (0.86, 0.87, 0.88, 1)
_BLACK = (0.13, 0.14, 0.16, 1)


@dataclass(frozen=True, slots=True)
class Scene:
    """The compiled model and the addresses in it that the station needs."""

    model: mujoco.MjModel
    line: Line
    arm_qpos: np.ndarray  # (2, 7) qpos addresses, left then right
    finger_qpos: np.ndarray  # (2, 2)
    arm_dof: np.ndarray  # (2, 7) their places in qvel
    finger_dof: np.ndarray  # (2, 2)
    arm_ctrl: np.ndarray  # (2, 7) actuator ids
    finger_ctrl: np.ndarray  # (2, 2)
    tool_site: np.ndarray  # (2,)
    nut_body: np.ndarray  # (2, line.nuts_per_side) body ids
    nut_geoms: list[list[slice]]  # of each nut, its geoms
    tooth_geom: np.ndarray  # (2, line.nuts_per_side, TEETH)
    nut_qpos: np.ndarray  # (2, line.nuts_per_side) first of 7 qpos addresses
    nut_dof: np.ndarray  # (2, line.nuts_per_side) first of 6 dof addresses
    pin_mocap: np.ndarray  # (2,) mocap ids of the pins
    plate_mocap: int
    tray_mocap: np.ndarray  # (2, lanes)
    core_geom: np.ndarray  # (2,)
    rib_geom: np.ndarray  # (2, 6)
    nut_fine_geom: np.ndarray  # every wall and tooth
    touch_adr: np.ndarray  # (2, 2) first address in sensordata of each pad's grid


def _geom(
    body: mujoco.MjsBody,
    kind: str,
    size: Sequence[float],
    pos: Any = (0, 0, 0),
    *,
    collide: str,
    rgba: Sequence[float] = _STEEL,
    yaw: float = 0.0,
    name: str = "",
    group: int = 0,
    friction: Sequence[float] = (0.35, 0.002, 0.0001),
) -> mujoco.MjsGeom:
    contype, conaffinity = _BITS[collide]
    geom = body.add_geom(
        name=name,
        type=getattr(mujoco.mjtGeom, f"mjGEOM_{kind.upper()}"),
        size=list(size) + [0] * (3 - len(size)),
        pos=pos,
        quat=[np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)],
        rgba=rgba,
        contype=contype,
        conaffinity=conaffinity,
        group=group,  # 3 is not drawn
        mass=0.0,  # every moving body states its inertia
        condim=4 if collide in ("fine", "hand") else 3,
    )
    geom.solref = [0.005, 1.0]
    geom.solimp = [0.95, 0.99, 0.0005, 0.5, 2.0]
    geom.friction = friction
    return geom


def _nut(world: mujoco.MjsBody, name: str, variant: Variant) -> None:
    nut = world.add_body(name=name, pos=PARK)
    nut.add_freejoint(name=name)
    height, across = variant.height_m, variant.across_m
    nut.explicitinertial = True
    nut.mass, nut.ipos, nut.inertia = _inertia(variant)
    thickness, half = (across / 2 - WALL_INNER) / 2, across / 2 * np.tan(np.pi / 6)
    tooth = tooth_radius(variant)
    for k in range(TEETH):
        angle = np.pi / 6 + np.pi / 3 * k
        radius = WALL_INNER + thickness
        pos = [radius * np.cos(angle), radius * np.sin(angle), height / 2]
        size = (thickness, half, height / 2)
        _geom(nut, "box", size, pos, yaw=angle, collide="fine", rgba=variant.rgba, name=f"{name}_wall{k}")
        angle = np.pi / 3 * k
        pos = [tooth * np.cos(angle), tooth * np.sin(angle), height / 2]
        size = (tooth - TOOTH_TIP, TOOTH_WIDTH / 2, height / 2)
        _geom(nut, "box", size, pos, yaw=angle, collide="fine", rgba=variant.rgba, name=f"{name}_tooth{k}")
        if k % 2:  # feet at three corners of both faces: what it stands on when it is not in a hand or on ribs
            for z in (0.001, height - 0.001):
                foot = [0.0099 * np.cos(angle), 0.0099 * np.sin(angle), z]
                _geom(nut, "sphere", (0.001,), foot, collide="foot", group=3)
    if variant.flange_m:
        _flange(nut, name, variant)


def tooth_radius(variant: Variant) -> float:
    """How far the middle of each tooth is from the nut's axis, m."""
    return min(TOOTH_RADIUS, (TOOTH_TIP + variant.across_m / 2 - SKIN) / 2)


def _flange(nut: mujoco.MjsBody, name: str, variant: Variant) -> None:
    """A ring of twelve boxes. The six beside the flats are what a pad can come down on; the others are only drawn."""
    inner, outer, height = variant.across_m / 2, variant.flange_m, variant.flange_height_m
    for k in range(2 * TEETH):
        angle, beside_flat = np.pi / TEETH * k, bool(k % 2)
        size = ((outer - inner) / 2, outer * np.tan(np.pi / 12), height / 2)
        radius = (outer + inner) / 2
        pos = [radius * np.cos(angle), radius * np.sin(angle), height / 2]
        collide = "fine" if beside_flat else "none"
        _geom(nut, "box", size, pos, yaw=angle, collide=collide, rgba=variant.rgba, name=f"{name}_flange{k}")
        if k % 4 == 0:  # feet that it leans on when it does not stand upright
            foot = [(outer - 0.001) * np.cos(angle), (outer - 0.001) * np.sin(angle), 0.001]
            _geom(nut, "sphere", (0.001,), foot, collide="foot", group=3)


def _inertia(variant: Variant) -> tuple[float, list[float], list[float]]:
    """Mass (kg), centre of mass (m) and moments about it (kg m^2), in the nut's frame.

    A ring of steel is a hollow cylinder, with the origin at its lower face. A flange is another one around it.
    """
    outer, inner, height = variant.across_m / 2, (WALL_INNER + TOOTH_TIP) / 2, variant.height_m
    low, flange_kg = variant.flange_height_m, 0.0
    if variant.flange_m:
        flange_kg = STEEL_KG_M3 * np.pi * (variant.flange_m**2 - outer**2) * low
    mass = variant.mass_kg - flange_kg
    axial = mass * (outer**2 + inner**2) / 2
    lateral = mass * (3 * (outer**2 + inner**2) + height**2) / 12
    middle = height / 2
    if variant.flange_m:
        middle = (mass * height + flange_kg * low) / 2 / variant.mass_kg
        wide = variant.flange_m**2 + outer**2
        axial += flange_kg * wide / 2
        lateral += mass * (height / 2 - middle) ** 2
        lateral += flange_kg * ((3 * wide + low**2) / 12 + (middle - low / 2) ** 2)
    return variant.mass_kg, [0, 0, middle], [lateral, lateral, axial]


def _pin(world: mujoco.MjsBody, side: str) -> None:
    pin = world.add_body(name=f"{side}_pin", pos=[FIXTURE_X, SIGN[side] * PIN_Y, SEAT_Z], mocap=True)
    half = (RIB_TOP + 0.01) / 2
    _geom(pin, "capsule", (CORE_RADIUS, half), (0, 0, RIB_TOP - half), collide="fine", name=f"{side}_core")
    for k in range(TEETH):
        angle = np.pi / TEETH + 2 * np.pi * k / TEETH  # between the teeth when nut and pin have the same yaw
        _geom(
            pin,
            "box",
            (RIB_REACH / 2, RIB_WIDTH / 2, RIB_TOP / 2),
            (RIB_REACH / 2 * np.cos(angle), RIB_REACH / 2 * np.sin(angle), RIB_TOP / 2),
            yaw=angle,
            collide="fine",
            name=f"{side}_rib{k}",
        )
    _geom(pin, "cylinder", (0.0105, 0.004), (0, 0, -0.004), collide="support", rgba=_ALU)  # the seat; pads pass by it


def _arm(torso: mujoco.MjsBody, side: str) -> None:
    s = SIGN[side]
    lengths = {
        "shoulder_pitch": 0.0,
        "shoulder_roll": 0.0,
        "shoulder_yaw": 0.0,
        "elbow": UPPER_ARM,
        "forearm_roll": FOREARM,
        "wrist_pitch": 0.0,
        "wrist_roll": 0.0,
    }
    masses = {
        "shoulder_pitch": 0.6,
        "shoulder_roll": 0.6,
        "shoulder_yaw": 1.6,
        "elbow": 1.2,
        "forearm_roll": 0.25,
        "wrist_pitch": 0.25,
        "wrist_roll": 0.5,
    }
    body = torso
    for joint in ARM_JOINTS:
        axis, (low, high), _, _, _, inertia = ARM[joint]
        first = joint == "shoulder_pitch"
        body = body.add_body(
            name=f"{side}_{joint}",
            pos=[0, s * SHOULDER_Y, SHOULDER_Z] if first else [0, 0, -lengths[joint]],
            gravcomp=1.0,
        )
        # Mirrored joints: roll and yaw of the right arm turn the other way, so one set of numbers serves both arms.
        mirror = s if axis[1] == 0 else 1.0
        body.add_joint(
            name=f"{side}_{joint}", axis=[mirror * a for a in axis], range=[low, high], armature=inertia, damping=0.5
        )
        body.explicitinertial = True
        body.mass, body.ipos = masses[joint], [0, 0, -0.12 if joint in ("shoulder_yaw", "elbow") else -0.03]
        body.inertia = [masses[joint] * 0.008, masses[joint] * 0.008, masses[joint] * 0.002]
        if joint == "shoulder_yaw":
            _geom(body, "capsule", (0.045, UPPER_ARM / 2 - 0.03), (0, 0, -UPPER_ARM / 2), collide="hand", rgba=_WHITE)
            _geom(body, "sphere", (0.046,), (0, 0, -UPPER_ARM), collide="none", rgba=_BLACK)
        if joint == "elbow":
            _geom(body, "capsule", (0.038, FOREARM / 2 - 0.04), (0, 0, -FOREARM / 2), collide="hand", rgba=_WHITE)
            _geom(body, "sphere", (0.034,), (0, 0, -FOREARM), collide="none", rgba=_BLACK)
    body.name = f"{side}_wrist_roll"
    _geom(body, "box", (0.022, 0.034, 0.030), (0, 0, -0.065), collide="hand", rgba=_BLACK, name=f"{side}_palm")
    _geom(body, "cylinder", (0.020, 0.022), (0, 0, -0.022), collide="none", rgba=_ALU)
    _geom(body, "box", (0.014, 0.045, 0.012), (0, 0, -0.105), collide="none", rgba=_ALU)
    body.add_camera(name=f"{side}_wrist", pos=[-0.075, 0, -0.050], xyaxes=[0, -1, 0, 0.88, 0, 0.47], fovy=70)
    for finger, f in (("a", 1.0), ("b", -1.0)):
        # The finger slides along the hand's y; its joint value is the pad face's distance from the tool axis.
        tip = body.add_body(name=f"{side}_finger_{finger}", pos=[0, 0, -HAND], gravcomp=1.0)
        tip.add_joint(
            name=f"{side}_finger_{finger}",
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=[0, f, 0],
            range=[0.002, 0.024],
            armature=0.05,
            damping=2.0,
        )
        tip.explicitinertial = True
        tip.mass, tip.ipos, tip.inertia = 0.06, [0, f * 0.006, 0.03], [2e-5, 2e-5, 1e-5]
        _geom(
            tip,
            "box",
            PAD,
            (0, f * PAD[1], 0),
            collide="hand",
            rgba=(0.2, 0.25, 0.32, 1),
            name=f"{side}_pad_{finger}",
            friction=[1.0, 0.01, 0.0001],
        )
        _geom(tip, "box", (0.006, 0.004, 0.030), (0, f * 0.0075, 0.023), collide="hand", rgba=_BLACK)
        # A touch grid looks along its site's -z: from 8 mm behind the pad's face, towards the other finger.
        tip.add_site(
            name=f"{side}_touch_{finger}",
            pos=[0, f * 0.008, 0],
            xyaxes=[-f, 0, 0, 0, 0, 1],
            size=[0.001, 0.001, 0.001],
            group=4,
        )
    body.add_site(name=f"{side}_tool", pos=[0, 0, -HAND], size=[0.002, 0.002, 0.002], group=4)


def _robot(spec: mujoco.MjSpec) -> None:
    torso = spec.worldbody.add_body(name="torso")
    _geom(torso, "box", (0.085, 0.155, 0.22), (-0.05, 0, 1.20), collide="none", rgba=_WHITE)
    _geom(torso, "box", (0.07, 0.10, 0.43), (-0.06, 0, 0.55), collide="none", rgba=_BLACK)
    _geom(torso, "cylinder", (0.24, 0.06), (-0.06, 0, 0.06), collide="none", rgba=_BLACK)
    _geom(torso, "cylinder", (0.045, 0.06), (-0.04, 0, 1.47), collide="none", rgba=_BLACK)
    _geom(torso, "ellipsoid", (0.095, 0.08, 0.12), (-0.03, 0, 1.62), collide="none", rgba=_WHITE)
    _geom(torso, "ellipsoid", (0.03, 0.065, 0.045), (0.048, 0, 1.635), collide="none", rgba=_BLACK)
    for side in SIDES:
        _geom(torso, "sphere", (0.065,), (0, SIGN[side] * SHOULDER_Y, SHOULDER_Z), collide="none", rgba=_BLACK)
    torso.add_camera(name="head", pos=[0.08, 0, 1.60], xyaxes=[0, -1, 0, 0.86, 0, 0.51], fovy=58)
    for side in SIDES:
        _arm(torso, side)
        spec.add_exclude(bodyname1=f"{side}_elbow", bodyname2=f"{side}_wrist_roll")  # a bent wrist: its covers overlap
    for side in SIDES:
        for joint in ARM_JOINTS:
            _, limits, torque, kp, kv, _ = ARM[joint]
            servo = spec.add_actuator(
                name=f"{side}_{joint}", target=f"{side}_{joint}", trntype=mujoco.mjtTrn.mjTRN_JOINT
            )
            servo.set_to_position(kp=kp, kv=kv)
            servo.forcelimited, servo.forcerange = True, [-torque, torque]
            servo.ctrllimited, servo.ctrlrange = True, list(limits)
        for finger in "ab":
            servo = spec.add_actuator(
                name=f"{side}_finger_{finger}", target=f"{side}_finger_{finger}", trntype=mujoco.mjtTrn.mjTRN_JOINT
            )
            servo.set_to_position(kp=4000.0, kv=60.0)
            servo.forcelimited, servo.forcerange = True, [-30.0, 30.0]
            servo.ctrllimited, servo.ctrlrange = True, [0.0, 0.024]


def robot_model() -> mujoco.MjModel:
    """The two arms alone, without anything to touch: what inverse kinematics is solved on."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    _robot(spec)
    return spec.compile()


def build(timestep_s: float = TIMESTEP_S, line: Line = SINGLE) -> Scene:
    """The whole cell, compiled."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.memory = 64 * 2**20
    spec.option.timestep = timestep_s
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    # Only what does not move at all falls asleep in MuJoCo's sense: the nuts that nuts.py has laid to rest.
    spec.option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    spec.option.sleep_tolerance = 1e-12
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_MIDPHASE)  # its trees are compiled; teeth and ribs move
    spec.visual.quality.shadowsize = SHADOW
    spec.visual.map.znear = 0.02
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.activate_plugin("mujoco.sensor.touch_grid")
    world = spec.worldbody

    spec.add_texture(
        name="hall",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.72, 0.76, 0.80],
        rgb2=[0.42, 0.46, 0.50],
        width=128,
        height=768,
    )
    spec.add_texture(
        name="floor",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.55, 0.57, 0.58],
        rgb2=[0.50, 0.52, 0.53],
        width=256,
        height=256,
    )
    spec.add_material(name="floor", texrepeat=[8, 8]).textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
    floor = _geom(world, "plane", (3, 3, 0.1), collide="support", name="floor")
    floor.material = "floor"
    for name, pos in (("key", [0.6, 0.8, 2.4]), ("fill", [0.3, -1.0, 2.2])):
        world.add_light(
            name=name,
            pos=pos,
            dir=[-0.1 if name == "key" else 0.1, -0.5 if name == "key" else 0.6, -1],
            diffuse=[0.55, 0.55, 0.55] if name == "key" else [0.35, 0.35, 0.36],
            castshadow=name == "key",
        )
    world.add_camera(name="wide", pos=[1.30, -0.62, 1.50], xyaxes=[0.44, 0.90, 0, -0.33, 0.16, 0.93], fovy=50)
    _geom(
        world,
        "box",
        (0.22, 0.50, 0.02),
        (0.44, 0, TABLE_Z - 0.02),
        collide="support",
        rgba=(0.28, 0.38, 0.36, 1),
        name="table",
    )

    for x in (-0.18, 0.18):
        for y in (-0.45, 0.45):
            _geom(world, "box", (0.02, 0.02, 0.42), (0.44 + x, y, 0.42), collide="none", rgba=_BLACK)
    _geom(world, "box", (0.15, 0.15, 0.10), (PARK[0] + 0.08, 0, PARK[2]), collide="none", rgba=_ALU, name="hopper")

    _robot(spec)
    plate = world.add_body(name="fixture", pos=[FIXTURE_X, 0, SEAT_Z - 0.008], mocap=True)
    _geom(
        plate, "box", (0.06, 0.16, 0.008), (0, 0, -0.0085), collide="support", rgba=(0.30, 0.33, 0.37, 1), name="plate"
    )
    for side, lanes in zip(SIDES, line.lane_pos, strict=True):
        _pin(world, side)
        for lane, pos in enumerate(lanes):
            name = _tray_name(side, lane)
            tray = world.add_body(name=name, pos=pos, mocap=True)
            _geom(
                tray,
                "box",
                (0.028, 0.028, 0.010),
                (0, 0, -0.010),
                collide="support",
                rgba=(0.25, 0.35, 0.60, 1),
                name=name,
            )
            _geom(world, "box", (0.02, 0.02, 0.008), tuple(pos - [0, 0, 0.032]), collide="none", rgba=_BLACK)
    for side in SIDES:
        for k, variant in enumerate(line.variant_of_nut):
            _nut(world, f"{side}_nut{k}", line.variants[variant])
    for side in SIDES:
        for finger in "ab":
            plugin = spec.add_plugin(plugin_name="mujoco.sensor.touch_grid", name=f"{side}_touch_{finger}")
            plugin.config = {"size": f"{TAXELS[0]} {TAXELS[1]}", "fov": "90 90", "gamma": "0", "nchannel": "3"}
            sensor = spec.add_sensor(
                name=f"{side}_touch_{finger}",
                type=mujoco.mjtSensor.mjSENS_PLUGIN,
                objtype=mujoco.mjtObj.mjOBJ_SITE,
                objname=f"{side}_touch_{finger}",
            )
            sensor.plugin.active = True
            sensor.plugin.name = f"{side}_touch_{finger}"
            sensor.plugin.plugin_name = "mujoco.sensor.touch_grid"
    model = spec.compile()
    return _addresses(model, line)


def _tray_name(side: str, lane: int) -> str:
    return f"{side}_tray{lane or ''}"


def _addresses(model: mujoco.MjModel, line: Line) -> Scene:
    nuts, lanes = range(line.nuts_per_side), range(len(line.variants))

    def both(get: Callable[[str], Any]) -> np.ndarray:
        return np.array([get(side) for side in SIDES])

    return Scene(
        model=model,
        line=line,
        arm_qpos=both(lambda s: [model.joint(f"{s}_{j}").qposadr[0] for j in ARM_JOINTS]),
        finger_qpos=both(lambda s: [model.joint(f"{s}_finger_{f}").qposadr[0] for f in "ab"]),
        arm_dof=both(lambda s: [model.joint(f"{s}_{j}").dofadr[0] for j in ARM_JOINTS]),
        finger_dof=both(lambda s: [model.joint(f"{s}_finger_{f}").dofadr[0] for f in "ab"]),
        arm_ctrl=both(lambda s: [model.actuator(f"{s}_{j}").id for j in ARM_JOINTS]),
        finger_ctrl=both(lambda s: [model.actuator(f"{s}_finger_{f}").id for f in "ab"]),
        tool_site=both(lambda s: model.site(f"{s}_tool").id),
        nut_body=both(lambda s: [model.body(f"{s}_nut{k}").id for k in nuts]),
        nut_geoms=[[_geoms(model, f"{s}_nut{k}") for k in nuts] for s in SIDES],
        tooth_geom=both(lambda s: [[model.geom(f"{s}_nut{k}_tooth{t}").id for t in range(TEETH)] for k in nuts]),
        nut_qpos=both(lambda s: [model.joint(f"{s}_nut{k}").qposadr[0] for k in nuts]),
        nut_dof=both(lambda s: [model.joint(f"{s}_nut{k}").dofadr[0] for k in nuts]),
        pin_mocap=both(lambda s: model.body(f"{s}_pin").mocapid[0]),
        plate_mocap=int(model.body("fixture").mocapid[0]),
        tray_mocap=both(lambda s: [model.body(_tray_name(s, lane)).mocapid[0] for lane in lanes]),
        core_geom=both(lambda s: model.geom(f"{s}_core").id),
        rib_geom=both(lambda s: [model.geom(f"{s}_rib{k}").id for k in range(TEETH)]),
        nut_fine_geom=np.array(
            [g for g in range(model.ngeom) if "_wall" in model.geom(g).name or "_tooth" in model.geom(g).name]
        ),
        touch_adr=both(lambda s: [model.sensor(f"{s}_touch_{f}").adr[0] for f in "ab"]),
    )


def _geoms(model: mujoco.MjModel, name: str) -> slice:
    body = model.body(name)
    first = int(body.geomadr[0])
    return slice(first, first + int(body.geomnum[0]))
