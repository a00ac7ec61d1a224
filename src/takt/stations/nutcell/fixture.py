"""The fixture with its two pins: as each unit draws them, and how it slides in and out. Kinematic: the line is much
stronger than anything it meets."""

from __future__ import annotations

import numpy as np

from takt.stations.nutcell import scene, variation
from takt.stations.nutcell.layout import LOOSE
from takt.stations.nutcell.nuts import Nuts
from takt.stations.nutcell.world import World

SLIDE_M = 0.40


class Fixture:
    """The fixture that is here.

    x       how far it is out, m.
    pins    of each side, as drawn for its unit (variation.Pin).
    seat    (2, 3): where nuts are seated while it is in, m.
    slid    whether it is this unit's; before that the former unit's slides out.
    riding  nuts [side, k] that leave with the former unit's, rigidly.
    """

    def __init__(self, world: World, nuts: Nuts) -> None:
        self._world, self._nuts = world, nuts
        self.x = 0.0
        self.slid = False
        self.riding: list[list[int]] = []

    @property
    def unit(self) -> int:
        """Whose fixture is here."""
        return max(self._world.beat.unit - (not self.slid), 0)

    def draw(self) -> None:
        """Make the pins what (seed, unit) alone say."""
        model, cell = self._world.model, self._world.scene
        self.pins = [
            variation.pin(self._world.difficulty, self._world.beat.seed, self.unit, side) for side in scene.SIDES
        ]
        self.seat = np.array(
            [
                [scene.FIXTURE_X + pin.offset_m[0], scene.SIGN[side] * scene.PIN_Y + pin.offset_m[1], scene.SEAT_Z]
                for side, pin in zip(scene.SIDES, self.pins, strict=True)
            ]
        )
        self.magnet_n = np.array([pin.magnet_n for pin in self.pins])
        for side, pin in enumerate(self.pins):
            model.geom_size[cell.core_geom[side], 0] = scene.CORE_RADIUS - pin.clearance_m
            reach = scene.RIB_REACH - pin.clearance_m
            model.geom_size[cell.rib_geom[side], 0] = reach / 2
            angle = np.pi / scene.TEETH + 2 * np.pi * np.arange(scene.TEETH) / scene.TEETH
            model.geom_pos[cell.rib_geom[side], 0] = reach / 2 * np.cos(angle)
            model.geom_pos[cell.rib_geom[side], 1] = reach / 2 * np.sin(angle)
            # MuJoCo takes the larger friction of a pair; the nut's own is below every pin's.
            model.geom_friction[cell.core_geom[side], 0] = pin.friction
            model.geom_friction[cell.rib_geom[side], 0] = pin.friction
        model.geom_friction[cell.nut_fine_geom, 0] = 0.15

    def load_riders(self) -> None:
        """What stands or lies on the fixture leaves with it; nuts in a hand do not."""
        sides_nuts = [(side, k) for side in range(2) for k in range(self._nuts.many)]
        began = self._world.beat.unit >= 0
        self.riding = [[side, k] for side, k in sides_nuts if began and self._rides(side, k)]
        self.slid = False

    def _rides(self, side: int, k: int) -> bool:
        at = self._nuts.pos()[side, k]
        inside = abs(at[0] - scene.FIXTURE_X) < 0.06 and abs(at[1]) < 0.16 and at[2] < scene.SEAT_Z + scene.PIN_TOP
        return bool(self._nuts.state[side, k] == LOOSE and inside and not self._nuts.held(side, k))

    def slide(self) -> bool:
        """Place it where it is at this time of the unit. True if a new one has come in place of the old."""
        world = self._world
        phase = world.beat.exchange()
        if phase > 1.0:
            if self.x != 0.0:
                self.place(0.0)
            return False
        if phase < 0.5 and not self.slid:
            x = self.out(phase)
            for side, k in self.riding:
                world.data.qpos[world.scene.nut_qpos[side, k]] += x - self.x
            if self.riding:
                world.rouse()
            self.place(x)
            return False
        new = not self.slid
        if new:  # out of reach: the old fixture is gone, and the new one takes its place
            self.slid = True
            for side, k in self.riding:
                self._nuts.park(side, k)
            self.riding = []
            self.draw()
        self.place(self.out(phase))
        return new

    def sweeps(self) -> float | None:
        """Where it is while it slides, m; None while it stands."""
        return None if self._world.beat.fixture_in() else scene.FIXTURE_X + self.x

    def out(self, phase: float) -> float:
        """How far out a fixture is, m: the old one on its way out, then the new one on its way in."""
        if phase > 1.0:
            return 0.0
        return SLIDE_M * (1 - _smooth(max(0.0, 2 * phase - 1)) if self.slid else _smooth(2 * phase))

    def load(self, riding: list[list[int]], slid: bool) -> None:
        self.riding, self.slid = [list(pair) for pair in riding], slid

    def find(self) -> None:
        """Know again how far out it is, after the time was loaded."""
        beat = self._world.beat
        moved = max(beat.ticks - 1, max(beat.unit, 0) * beat.periods)  # when it last moved
        self.x = self.out(beat.exchange(moved))

    def place(self, x: float) -> None:
        data, cell = self._world.data, self._world.scene
        self.x = x
        data.mocap_pos[cell.plate_mocap] = [scene.FIXTURE_X + x, 0.0, scene.SEAT_Z - 0.008]
        for side, pin in enumerate(self.pins):
            data.mocap_pos[cell.pin_mocap[side]] = self.seat[side] + [x, 0, 0]
            data.mocap_quat[cell.pin_mocap[side]] = [np.cos(pin.yaw_rad / 2), 0, 0, np.sin(pin.yaw_rad / 2)]


def _smooth(x: float) -> float:
    """From 0 to 1, at rest at both ends."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
