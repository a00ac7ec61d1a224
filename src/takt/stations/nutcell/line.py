"""What the line feeds: the nuts there are, which lane of which feeder each comes on, and how far the pads close.

`single` is one nut and one lane a side. `mixed` is two nuts, each on its own lane at both sides, and an order in words
with every unit (orders.py). All nuts have the same spline core: any of them seats on any pin, so the wrong one is not
felt by the pin; it is a bad unit at inspection. What differs is outside the core: hexagon, height, flange, weight and
colour. Lengths in m, world frame as in scene.py; a nut's frame has its origin at the centre of its lower face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TABLE_Z = 0.88
FEEDER_X, FEEDER_Z = 0.36, TABLE_Z + 0.040
SIGNS = (1.0, -1.0)  # of y: left, right


@dataclass(frozen=True, slots=True)
class Variant:
    """A nut.

    flange_m    radius of the flange at its lower face; 0 is none.
    grasp_up_m  the tool above the lower face when it grips: the pads stay off the flange and off the pin's seat.
    """

    name: str
    height_m: float
    across_m: float  # between opposite flats
    mass_kg: float
    rgba: tuple[float, float, float, float]
    grasp_up_m: float
    flange_m: float = 0.0
    flange_height_m: float = 0.002


@dataclass(frozen=True, slots=True)
class Line:
    """What a line feeds. Lane i of each side brings variant i.

    lane_y       of each lane, m from the middle: the inner one first.
    nuts         bodies for each variant at each side: one on its lane, one in the hand or on the pin, the others may
                 lie about.
    grip_closed  where the pads are sent to close, m from the tool's axis: what lies between keeps them from it.
    """

    name: str
    variants: tuple[Variant, ...]
    lane_y: tuple[float, ...]
    nuts: int
    grip_closed: float

    @property
    def nuts_per_side(self) -> int:
        return self.nuts * len(self.variants)

    @property
    def variant_of_nut(self) -> np.ndarray:
        """(nuts_per_side,) which variant each body of a side is."""
        return np.arange(self.nuts_per_side) // self.nuts

    @property
    def lane_pos(self) -> np.ndarray:
        """(2, lanes, 3): the middle of each tray's upper face, left side first."""
        return np.array([[[FEEDER_X, sign * y, FEEDER_Z] for y in self.lane_y] for sign in SIGNS])

    def of_nuts(self, what: str) -> np.ndarray:
        """(nuts_per_side,): a variant's number, by body."""
        return np.array([getattr(variant, what) for variant in self.variants])[self.variant_of_nut]


M8 = Variant("M8", 0.012, 0.022, 0.020, (0.80, 0.62, 0.25, 1), grasp_up_m=0.0085)
M6_PLAIN = Variant("M6", 0.010, 0.019, 0.010, (0.17, 0.16, 0.16, 1), grasp_up_m=0.0095)
M8_FLANGED = Variant("M8 flanged", 0.014, 0.022, 0.031, (0.88, 0.60, 0.12, 1), grasp_up_m=0.0105, flange_m=0.015)

SINGLE = Line("single", (M8,), lane_y=(0.30,), nuts=4, grip_closed=0.0085)
# The lanes are further apart than a hand wakes what sleeps (nuts.py), and near enough for either arm.
MIXED = Line("mixed", (M6_PLAIN, M8_FLANGED), lane_y=(0.25, 0.35), nuts=4, grip_closed=0.0070)
LINES = {line.name: line for line in (SINGLE, MIXED)}
