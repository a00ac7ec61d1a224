"""The feeders: which nut lies on which lane, and when the next one comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np

from takt.contract.faults import Active
from takt.contract.station import Fault
from takt.stations.nutcell import scene, variation
from takt.stations.nutcell.fixture import Fixture
from takt.stations.nutcell.layout import FEEDER, LOOSE, PARKED
from takt.stations.nutcell.nuts import Nuts, turned
from takt.stations.nutcell.world import World

FEED_S = 1.0  # from a nut being taken to the next one being there
TAKEN_M = 0.030  # a nut this far from where it was presented has been taken
AWAY_M = 0.06  # a hand nearer to the tray than this is at it

Emit = Callable[..., None]  # (kind, **data): writes down what happened


class Feeders:
    """One at each side, with a lane for each variant.

    taken    of each side, whether a nut was taken in this unit.
    feed_at  (2, lanes): when the next nut comes, s; infinity while one lies there.
    """

    def __init__(self, world: World, nuts: Nuts, fixture: Fixture, faults: Active, emit: Emit) -> None:
        self._world, self._nuts, self._fixture = world, nuts, fixture
        self._faults, self._emit = faults, emit
        self._lanes = len(world.line.variants)
        self._lane_pos = world.line.lane_pos
        self.start()

    def start(self) -> None:
        """The beginning of a shift."""
        self.feed_at = np.full((2, self._lanes), np.inf)
        self.begin_unit()

    def begin_unit(self) -> None:
        """Nothing is presented or taken yet."""
        self._fed = np.zeros((2, self._lanes), int)  # nuts presented for this unit
        self.taken = [False, False]

    def renew(self) -> None:
        """A new unit: the first nut of each lane lies as this unit's draw says, whatever was on it."""
        for side, lane in np.ndindex(2, self._lanes):
            self._renew(side, lane)

    def _renew(self, side: int, lane: int) -> None:
        nuts = self._nuts
        for k in np.flatnonzero((nuts.state[side] == FEEDER) & (nuts.variant == lane)):
            at_it = np.linalg.norm(self._world.tools[side] - nuts.presented[side, k]) < AWAY_M
            if at_it and self._world.beat.unit > 0:
                self._fed[side, lane] += 1
                return
            nuts.park(side, int(k))
        if self._jammed(side, lane) or self._blocked(side, lane):
            self.feed_at[side, lane] = self._world.beat.now
        else:
            self.feed_at[side, lane] = np.inf
            self._present(side, lane)

    def _present(self, side: int, lane: int) -> None:
        nuts, beat = self._nuts, self._world.beat
        on_lane = nuts.variant == lane
        free = np.flatnonzero((nuts.state[side] == PARKED) & on_lane)
        if len(free) == 0:
            lies = np.flatnonzero((nuts.state[side] == LOOSE) & on_lane)
            loose = [int(k) for k in lies if self.lies(side, int(k))]
            if not loose:  # all in hands or on their way out with the fixture
                self.feed_at[side, lane] = beat.now + FEED_S
                return
            oldest = int(min(loose, key=lambda k: nuts.since[side, k]))
            nuts.park(side, oldest)
            self._emit("nut_swept", side=scene.SIDES[side])
            free = np.array([oldest])
        k = int(free[0])
        feeder = f"{scene.SIDES[side]}-{lane}" if lane else scene.SIDES[side]
        pose = variation.nut_pose(self._world.difficulty, beat.seed, beat.unit, feeder, int(self._fed[side, lane]))
        self._fed[side, lane] += 1
        tilt, quat = turned(pose.tilt_rad, pose.yaw_rad)
        on_tray = _rotated(np.array([*pose.offset_m, 2e-4]), tilt)
        self._world.data.mocap_quat[self._world.scene.tray_mocap[side, lane]] = tilt
        nuts.put(side, k, self._lane_pos[side, lane] + on_tray, quat)
        nuts.cut(side, k, pose.spline_rad)
        nuts.state[side, k] = FEEDER
        nuts.presented[side, k] = self._lane_pos[side, lane] + on_tray

    def mind(self) -> None:
        """See whether a nut was taken, and bring the next one."""
        nuts, now = self._nuts, self._world.beat.now
        if nuts.asleep.all() and np.isinf(self.feed_at).all():
            return
        at = nuts.pos()
        for side, lane in np.ndindex(2, self._lanes):
            there = (nuts.state[side] == FEEDER) & ~nuts.asleep[side] & (nuts.variant == lane)
            for k in np.flatnonzero(there):
                if np.linalg.norm(at[side, k] - nuts.presented[side, k]) > TAKEN_M:
                    nuts.state[side, k] = LOOSE
                    nuts.since[side, k] = now
                    self.taken[side] = True
                    self.feed_at[side, lane] = now + FEED_S
            if self.feed_at[side, lane] <= now and not self._jammed(side, lane):
                away = np.linalg.norm(self._world.tools[side] - self._lane_pos[side, lane])
                if away > AWAY_M and not self._blocked(side, lane):
                    self.feed_at[side, lane] = np.inf
                    self._present(side, lane)

    def fed_again(self) -> int:
        """The most nuts that a side had brought after those that lay there at first: one, if none was wasted."""
        return int(np.maximum(self._fed - 1, 0).sum(axis=1).max())

    def lies(self, side: int, k: int) -> bool:
        """A loose nut that is in no hand and does not ride out with the fixture."""
        loose = self._nuts.state[side, k] == LOOSE
        return bool(loose and not self._nuts.held(side, k) and [side, k] not in self._fixture.riding)

    def clear_table(self) -> None:
        """The person who was called takes away every nut that lies about."""
        for side, k in np.ndindex(*self._nuts.state.shape):
            if self.lies(side, k):
                self._nuts.park(side, k)

    def save(self) -> dict[str, Any]:
        return {"fed": self._fed.ravel(), "feed_at": self.feed_at.ravel(), "taken": self.taken}

    def load(self, saved: dict[str, Any]) -> None:
        self._fed = saved["fed"].reshape(2, self._lanes)
        self.feed_at = saved["feed_at"].reshape(2, self._lanes)
        self.taken = list(saved["taken"])

    def _blocked(self, side: int, lane: int) -> bool:
        """A nut lies on the lane's tray that it did not present."""
        away = np.linalg.norm(self._nuts.pos() - self._lane_pos[side, lane], axis=-1)
        return bool((away[self._nuts.state == LOOSE] < TAKEN_M).any())

    def _jammed(self, side: int, lane: int) -> bool:
        return any(
            fault.name == "feeder_jam" or (fault.name == "lane_empty" and self.empty_lane(fault) == (side, lane))
            for fault in self._faults.now
        )

    def empty_lane(self, fault: Fault) -> tuple[int, int]:
        """The side and lane that a `lane_empty` strikes."""
        rng = variation.stream(self._world.beat.seed, round(fault.at_s * 1e3), "lane_empty")
        return int(rng.integers(2)), int(rng.integers(self._lanes))


def _rotated(vector: np.ndarray, quat: np.ndarray) -> np.ndarray:
    result = np.empty(3)
    mujoco.mju_rotVecQuat(result, vector, quat)
    return result
