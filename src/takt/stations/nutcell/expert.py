"""The nut cell's scripted workers.

`Expert` reads privileged state and touch: it grasps where the nut is, lines the spline up by what it sees of nut and
pin, feels the nut rest on the ribs and searches by small turns until it feels it drop, tries again, and puts a nut
aside that will not go. It is the demonstrator, and the proof that the cell can be worked. At the mixed line it is told
which nut to take, and puts a wrong one aside, or takes it off the pin.

`Deaf` is the same, but takes the nut of the inner lane whatever the order is: what work without language is worth.

`Blind` plays the same path for nominal positions, feeling and seeing nothing: it shows what the spline, the feeder's
scatter and the magnet do to a worker without feedback.

Both arms run the same state machine (phases.py), each by itself; a plan is what both do until one has to look again.
Poses: world frame, SI.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Plan
from takt.stations.nutcell import scene
from takt.stations.nutcell.line import LINES
from takt.stations.nutcell.phases import GRASP_UP, HOLD, Arm, Phases, Seen
from takt.stations.nutcell.turns import multiply

TOUCH_GRIP_N = 1.0  # a pad that presses a nut feels at least this


class Expert(Phases):
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
                arm.moves = self.next_move(arm, self.look(observation, arm), setpoints[arm.side]).tolist()
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


def _turned_in(quat: np.ndarray, yaw: float) -> np.ndarray:
    """The orientation, turned about its own axis."""
    return multiply(quat, np.array([np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]))
