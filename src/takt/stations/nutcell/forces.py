"""What the hands push and grip with, from the contacts of every physics step.

grip    with what a hand squeezes a nut, N: the smaller of its two fingers' normal forces. It is what a gripper's
        data sheet calls its grip force, and no load on anything but the nut and the fingers.
push    with what a hand loads the rest of the world, N: the normal forces where it touches anything but a nut, and
        the resultant of all contact forces between it and nuts. In a squeeze those cancel, as they do in a force
        sensor at the wrist; what is left is what the nut is pressed against pin, tray or table with.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from takt.stations.nutcell import scene

FINGERS = ("finger_a", "finger_b")


class Forces:
    """Collects contacts step by step; `peaks` says what came of them."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._hand, self._finger, self._nut = _whose(model)
        self._steps: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, data: mujoco.MjData) -> None:
        """After a physics step that has contacts. This is on the way of every step: it copies and does no more."""
        contact = data.contact
        # views of what the next step overwrites
        taken = contact.geom.copy(), contact.efc_address.copy(), contact.frame.copy(), data.efc_force.copy()
        self._steps.append(taken)

    def forget(self) -> None:
        """Of steps that nobody asks about: what was collected is kept until then."""
        self._steps = []

    def peaks(self) -> tuple[float, float]:
        """The hardest push and the hardest grip of a hand since this was last asked, N."""
        steps, self._steps = self._steps, []
        if not steps:
            return 0.0, 0.0
        geom = np.concatenate([step[0] for step in steps])
        hand = self._hand[geom]
        # A contact counts for geom 0's hand and for geom 1's: nearly always it has one.
        contact, mine = np.nonzero((hand >= 0) & (hand[:, :1] != hand[:, 1:]))
        if not len(contact):
            return 0.0, 0.0
        lengths = [len(step[0]) for step in steps]
        address = np.concatenate([step[1] for step in steps])[contact]
        pressed = address >= 0  # a contact may be within its margin and not press
        contact, mine, address = contact[pressed], mine[pressed], address[pressed]
        step_of = np.repeat(np.arange(len(steps)), lengths)[contact]
        first = np.cumsum([0] + [len(step[3]) for step in steps[:-1]])  # of each step's rows
        rows = (address + first[step_of])[:, None] + np.arange(3)
        # With elliptic cones the first three rows of a contact are its force in its own frame, from geom 0 to geom 1.
        local = np.concatenate([step[3] for step in steps])[rows]
        own, other = geom[contact, mine], geom[contact, 1 - mine]
        slot = 2 * step_of + self._hand[own]  # step and hand
        on_nut, slots = self._nut[other], 2 * len(steps)
        push = np.bincount(slot[~on_nut], local[~on_nut, 0], slots)
        if not on_nut.any():
            return float(push.max()), 0.0
        frame = np.concatenate([step[2] for step in steps])[contact[on_nut]].reshape(-1, 3, 3)
        force = (local[on_nut, None, :] @ frame)[:, 0] * (1 - 2 * mine[on_nut])[:, None]
        push = push + np.sqrt(sum(np.bincount(slot[on_nut], force[:, axis], slots) ** 2 for axis in range(3)))
        finger = self._finger[own]
        pad = on_nut & (finger >= 0)
        grip = np.bincount(2 * slot[pad] + finger[pad], local[pad, 0], 2 * slots).reshape(-1, 2)
        return float(push.max()), float(grip.min(axis=1).max())

    def all_at_once(self) -> float:
        """As units were judged by rules 1: the normal forces of all that touches a hand, grip and push together."""
        steps, self._steps = self._steps, []
        if not steps:
            return 0.0
        geom, address, _, forces = steps[-1]
        hands = self._hand[geom]
        touching = (hands >= 0).any(axis=1) & (hands[:, 0] != hands[:, 1])
        normal = np.where(address >= 0, forces[np.maximum(address, 0)], 0.0)
        return max(float(normal[touching & (hands == side).any(axis=1)].sum()) for side in (0, 1))


def _whose(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each geom: its hand (0 left, 1 right, -1 none), its finger (0, 1, -1 none), whether it is a nut's."""
    hand, finger = np.full(model.ngeom + 1, -1), np.full(model.ngeom + 1, -1)  # indexable by -1: no geom
    nut = np.zeros(model.ngeom + 1, bool)
    for geom in range(model.ngeom):
        body: Any = model.geom_bodyid[geom]
        while body > 0:
            name = model.body(body).name
            for side, at in enumerate(scene.SIDES):
                if name == f"{at}_shoulder_pitch":
                    hand[geom] = side
                for which, end in enumerate(FINGERS):
                    if name == f"{at}_{end}":
                        finger[geom] = which
                nut[geom] |= name.startswith(f"{at}_nut")
            body = model.body_parentid[body]
    return hand, finger, nut
