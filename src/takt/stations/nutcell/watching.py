"""What people see of the cell beside what a worker does: the pins close up, what has changed, forces as curves.

None of it is in an observation, and nothing of it changes what happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from takt.stations.nutcell import scene
from takt.stations.nutcell.cameras import Cameras
from takt.stations.nutcell.caption import captioned
from takt.stations.nutcell.feeders import Feeders
from takt.stations.nutcell.fixture import Fixture
from takt.stations.nutcell.inspection import GRIP_LIMIT_N, PUSH_LIMIT_N, Inspection
from takt.stations.nutcell.layout import LOOSE
from takt.stations.nutcell.nuts import Nuts
from takt.stations.nutcell.orders import Order
from takt.stations.nutcell.world import World

HEIGHT, WIDTH = 180, 240  # pixels of one pin's picture
NEAR_M, LOOKS_DOWN_DEG = 0.11, 24.0  # from the pin to the eye, and how far it looks down
FROM_DEG = {"left": 205.0, "right": 155.0}  # the way that it looks, about z: from the front, and from outside
FETCHING, HELD, ON_PIN, SEATED, JAMMED, LOST = "fetching", "in hand", "on the pin", "seated", "jammed", "lost"
LET_GO = "let go on the pin"
NOTES = {  # (before, now): what is noted; for any other change, the state that there is now
    (FETCHING, HELD): "takes a nut",
    (LOST, HELD): "takes a nut again",
    (ON_PIN, HELD): "lifts it off the pin",
    (HELD, FETCHING): "puts it back",
    (HELD, LOST): "loses the nut",
    (ON_PIN, LOST): "nut falls off the pin",
    (HELD, ON_PIN): "nut on the pin",
    (HELD, JAMMED): "lets go: nut tilted on the pin",
    (ON_PIN, JAMMED): "nut tilts on the pin",
    (SEATED, ON_PIN): "no longer seated",
    (SEATED, LET_GO): "no longer seated",
    (ON_PIN, LET_GO): "lets go: nut not seated",
    (HELD, LET_GO): "lets go: nut not seated",
}


class Watching:
    """Watches both sides. `forget` when another state was loaded."""

    def __init__(
        self, world: World, nuts: Nuts, fixture: Fixture, feeders: Feeders, inspection: Inspection, eyes: Cameras
    ) -> None:
        self._world, self._nuts, self._fixture, self._feeders = world, nuts, fixture, feeders
        self._inspection, self._eyes = inspection, eyes
        self.forget()

    def forget(self) -> None:
        self._before: dict[str, str] = {}
        self._peaks: tuple[float, float] | None = None

    def in_place(self) -> bool:
        """Whether the fixture that is there is this unit's: the one before leaves when this falls due."""
        return self._fixture.slid

    def closeup(self) -> np.ndarray:
        """Both pins, the left one at the left: (HEIGHT, 2 * WIDTH, 3) uint8."""
        self._eyes.settle()
        return np.concatenate([self.pin(side, HEIGHT, WIDTH) for side in range(2)], axis=1)

    def pin(self, side: int, height: int, width: int, smooth: bool = True) -> np.ndarray:
        """One pin from the front; the cameras must have been settled."""
        eye = mujoco.MjvCamera()
        eye.type = mujoco.mjtCamera.mjCAMERA_FREE
        eye.lookat[:] = self._fixture.seat[side] + [self._fixture.x, 0.0, 0.014]
        eye.distance, eye.azimuth, eye.elevation = NEAR_M, FROM_DEG[scene.SIDES[side]], -LOOKS_DOWN_DEG
        return self._eyes.drawn(eye, height, width, plain=True, smooth=smooth)

    def picture(self, order: Order | None) -> np.ndarray:
        """The head's view; beside it both pins close up, over a wide view: (480, 1280, 3) uint8. With the order in it,
        if there is one. Of a film, whose pictures are many: none is smoothed."""
        eyes = self._eyes
        eyes.settle()
        pins = np.concatenate([self.pin(side, 240, 320, smooth=False) for side in range(2)], axis=1)
        beside = np.concatenate([pins, eyes.drawn("wide", 240, 640, plain=True, smooth=False)], axis=0)
        picture = np.concatenate([eyes.drawn("head", 480, 640, smooth=False), beside], axis=1)
        if order is None:
            return picture
        names = [self._world.line.variants[part].name for part in order.parts]
        return captioned(picture, order.text, f"left {names[0]}, right {names[1]}")

    def told(self) -> str:
        """How far each side is, in a line."""
        sides = ", ".join(f"{name} {state}" for name, state in self.states().items())
        return sides if self._world.beat.fixture_in() else f"the fixture comes; {sides}"

    def states(self) -> dict[str, str]:
        """How far each side is, in a word or two."""
        return {name: self._state(side) for side, name in enumerate(scene.SIDES)}

    def _state(self, side: int) -> str:
        nuts = self._nuts
        seen = self._inspection.look_at(side)
        loose = [k for k in range(nuts.many) if nuts.state[side, k] == LOOSE]
        held = any(nuts.held(side, k) for k in range(nuts.many))
        if seen["good"]:
            return SEATED
        if seen["height_mm"] is not None:  # a nut is about the pin
            if seen["height_mm"] > 1e3 * scene.RIB_TOP + 1 and held:
                return HELD
            return ON_PIN if held else JAMMED if seen["why"] == "jammed" else LET_GO
        if held:
            return HELD
        return LOST if loose and self._feeders.taken[side] else FETCHING

    def noted(self) -> Sequence[tuple[str, str]]:
        """What has changed since the last time: side, and a few words."""
        states, told = self.states(), []
        for name, now in states.items():
            before = self._before.get(name)
            if before is not None and before != now:
                told.append((name, NOTES.get((before, now), now)))
        self._before = states
        push, grip = self._inspection.push, self._inspection.grip
        if self._peaks is not None and self._world.beat.rules > 1:
            if self._peaks[0] <= PUSH_LIMIT_N < push:
                told.append(("", f"a hand pushes with {push:.0f} N"))
            if self._peaks[1] <= GRIP_LIMIT_N < grip:
                told.append(("", f"a hand squeezes with {grip:.0f} N"))
        self._peaks = push, grip
        return told

    def gauges(self) -> Mapping[str, tuple[float, str]]:
        """How hard each hand's pads press on what is between them, and how hard that pushes up on them, N."""
        data, cell = self._world.data, self._world.scene
        size = int(np.prod(scene.TAXELS))
        told: dict[str, tuple[float, str]] = {}
        for side, name in enumerate(scene.SIDES):
            felt = np.stack([data.sensordata[at : at + 3 * size].reshape(3, size) for at in cell.touch_adr[side]])
            told[f"{name} grip"] = (round(float(np.abs(felt[:, 0]).sum()), 2), "N")
            told[f"{name} push"] = (round(float(felt[:, 2].sum()), 2), "N")
        return told
