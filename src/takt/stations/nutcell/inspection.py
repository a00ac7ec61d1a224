"""Inspection: what the station looks at while a unit is worked, and what it says of it at the end.

The hands' forces are limited by what they would break (forces.py has how they are measured).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from takt.stations.nutcell import scene
from takt.stations.nutcell.feeders import Feeders
from takt.stations.nutcell.fixture import Fixture
from takt.stations.nutcell.forces import Forces
from takt.stations.nutcell.layout import LOOSE
from takt.stations.nutcell.nuts import Nuts
from takt.stations.nutcell.orders import Order
from takt.stations.nutcell.world import World

SEATED_M, SEATED_RAD = 0.0015, np.radians(3.0)  # height above the seat, tilt
ON_PIN_M = 0.012  # a nut whose axis is this near the pin's is on it
JAMMED_RAD = np.radians(8.0)
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
LOOK_EVERY = 5  # control periods between two looks whether the worker is done: 10 Hz is near enough for a cycle time


class Inspection:
    """Of the unit that is being worked.

    push, grip   the hardest so far, N.
    done_at      station time at which both nuts were seated and both hands clear, s; below 0: they are not.
    """

    def __init__(self, world: World, nuts: Nuts, fixture: Fixture, feeders: Feeders) -> None:
        self._world, self._nuts, self._fixture, self._feeders = world, nuts, fixture, feeders
        self.forces = Forces(world.model)
        self.begin_unit(None)

    def begin_unit(self, order: Order | None) -> None:
        self.order = order
        self.push, self.grip = 0.0, 0.0
        self.done_at = -1.0

    def mind(self) -> None:
        """After a control period: the hardest push and grip, and whether the worker has finished."""
        beat, all_steps = self._world.beat, self._world.beat.rules > 1
        push, grip = self.forces.peaks() if all_steps else (self.forces.all_at_once(), 0.0)
        self.push, self.grip = max(self.push, push), max(self.grip, grip)
        if beat.ticks % LOOK_EVERY == 0:
            tools = self._world.tools
            away = np.linalg.norm(tools[:, :2] - self._fixture.seat[:, :2], axis=1) > CLEAR_M
            clear = bool(((tools[:, 2] > scene.SEAT_Z + 0.050) | away).all())
            if not (clear and beat.fixture_in() and all(self.look_at(side)["good"] for side in range(2))):
                self.done_at = -1.0
            elif self.done_at < 0:
                self.done_at = beat.now

    def conclude(self, helped: bool) -> dict[str, Any]:
        """The data of `unit_good`, or of `unit_bad` with its reasons. Looks at both pins."""
        beat, parts, reasons = self._world.beat, {}, []
        for side, name in enumerate(scene.SIDES):
            parts[name] = part = self.look_at(side)
            if not part["good"] and part["why"] not in reasons:
                reasons.append(part["why"])
        if self._in_the_way() and "late" not in reasons:
            reasons.append("late")
        if self.push > (PUSH_LIMIT_N if beat.rules > 1 else OLD_PUSH_LIMIT_N):
            reasons.insert(0, "collision")
        if self.grip > GRIP_LIMIT_N:
            reasons.insert(0, "crushed")
        if helped:
            reasons.insert(0, "help")
        cycle_s = self.done_at - beat.unit_began if self.done_at >= 0 else None
        seen: dict[str, Any] = {"cycle_s": cycle_s, "parts": parts}
        if beat.rules > 1:
            seen |= {"peak_push_n": round(self.push, 3), "peak_grip_n": round(self.grip, 3)}
        else:
            seen["peak_force_n"] = round(self.push, 3)
        return seen | ({"reasons": reasons} if reasons else {"first_time": self._feeders.fed_again() <= 1})

    def look_at(self, side: int) -> dict[str, Any]:
        """One pin: is a nut on it, how high above the seat, how tilted; and if it is not seated, why."""
        nuts, seat, variants = self._nuts, self._fixture.seat[side], self._world.line.variants
        at = nuts.pos()
        offset = np.linalg.norm(at[..., :2] - seat[:2], axis=-1)
        height = at[..., 2] - seat[2]
        on_pin = (offset < ON_PIN_M) & (height < scene.PIN_TOP) & (nuts.state == LOOSE)
        seen: dict[str, Any] = {"good": False, "height_mm": None, "tilt_deg": None, "part": None, "why": "missed"}
        if self.order:
            seen["ordered"] = variants[self.order.parts[side]].name
        if on_pin.any():
            which, k = max(zip(*np.nonzero(on_pin), strict=True), key=lambda found: height[found])
            tilt, above = nuts.tilt_rad(which, k), float(height[which, k])
            good = above < SEATED_M and tilt < SEATED_RAD and int(on_pin.sum()) == 1
            jammed = tilt > JAMMED_RAD or SEATED_M <= above < scene.RIB_TOP - 0.003
            seen |= {
                "good": good,
                "height_mm": round(above * 1e3, 3),
                "tilt_deg": round(float(np.degrees(tilt)), 3),
                "part": variants[nuts.variant[k]].name,
            }
            seen["why"] = None if good else "late" if nuts.held(which, k) else "jammed" if jammed else "not_seated"
            if good and self.order and nuts.variant[k] != self.order.parts[side]:
                seen |= {"good": False, "why": "wrong_part"}
            return seen
        if self._feeders.taken[side]:
            mine = [k for k in range(nuts.many) if nuts.state[side, k] == LOOSE]
            seen["why"] = "late" if any(nuts.held(side, k) for k in mine) else "dropped"
        return seen

    def _in_the_way(self) -> bool:
        """A hand where the fixture has to pass."""
        tools = self._world.tools
        low = tools[:, 2] < scene.SEAT_Z + 0.050
        inside = (np.abs(tools[:, 0] - scene.FIXTURE_X) < 0.06) & (np.abs(tools[:, 1]) < 0.16)
        return bool((low & inside).any())

    def save(self) -> dict[str, Any]:
        peaks = self.push if self._world.beat.rules == 1 else [self.push, self.grip]
        return {"peak_force": peaks, "done_at": self.done_at}

    def load(self, saved: dict[str, Any]) -> None:
        self.done_at, peaks = saved["done_at"], saved["peak_force"]
        push, grip = peaks if isinstance(peaks, list) else (peaks, 0.0)  # before rules 2 it was one number
        self.push, self.grip = float(push), float(grip)
