"""The camera on the inspector's head: where it is, and what a picture from there looks like.

He stands opposite the robot, walks up, bends over a pin, steps aside. Every picture is drawn by (seed, unit, which
look): where the head is and how it moves while the shutter is open, a lamp's glare, an arm across the view.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from takt.errors import TaktError
from takt.stations.inspection.fixtures import SIDES, Fixtures
from takt.stations.nutcell import scene, variation
from takt.stations.nutcell.cameras import NO_PICTURES

BOTH = "both"
EXPOSURES = 4  # pictures that a moving head's one is made of
FRONT_DEG = 180.0  # of azimuth: he looks toward the robot
PLAIN_M, PLAIN_DEG = 0.15, -25.0  # from where a pin is shown to those who ask what was so: how far, how steeply down


@dataclass(frozen=True, slots=True)
class Hard:
    """How hard a difficulty makes it to see.

    sway_m, sway_deg   standard deviations of where the head is.
    blur_m             how far it moves at most while the shutter is open.
    glare              the chance of a lamp in the view.
    hidden             the chance of an arm across it.
    exposure           half-width of the brightness.
    noise              standard deviation of a pixel, of 255.
    """

    sway_m: float
    sway_deg: float
    blur_m: float
    glare: float
    hidden: float
    exposure: float
    noise: float


HARD = {
    "nominal": Hard(0.01, 2.0, 0.002, 0.05, 0.0, 0.1, 1.0),
    "plant": Hard(0.03, 6.0, 0.006, 0.2, 0.15, 0.25, 3.0),
    "harsh": Hard(0.05, 10.0, 0.012, 0.4, 0.3, 0.4, 6.0),
}


@dataclass(frozen=True, slots=True)
class View:
    """Where the inspector looks: at a pin or at both, how near, and from which angle (a count of steps aside)."""

    at: str = BOTH
    nearer: int = 0
    aside: int = 0

    @property
    def distance_m(self) -> float:
        return float((0.52 if self.at == BOTH else 0.26) * 0.72**self.nearer)

    @property
    def azimuth_deg(self) -> float:
        return float(FRONT_DEG + (0.0, 38.0, -38.0, 62.0)[self.aside % 4])


class Eyes:
    """Draws what is seen. Nothing is made before the first picture, so that a process can fork until then."""

    def __init__(self, fixtures: Fixtures, difficulty: str, size: int) -> None:
        self._fixtures, self._hard, self._size = fixtures, HARD[difficulty], size
        self._renderer: mujoco.Renderer | None = None

    def picture(self, seed: int, unit: int, nth: int, view: View) -> np.ndarray:
        """(size, size, 3) uint8 RGB: the `nth` look at a unit. TaktError if there is no OpenGL."""
        self._fixtures.show(seed, unit)
        rng, hard = variation.stream(seed, unit, "eyes", nth), self._hard
        camera = mujoco.MjvCamera()
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        seats = np.array([self._fixtures.seat(side) for side in SIDES])
        at = seats.mean(axis=0) if view.at == BOTH else seats[SIDES.index(view.at)]
        at = (
            at
            + [0.0, 0.0, 0.010]
            + hard.sway_m * rng.normal(size=3) * [0.5, 0.5, 0.2] * min(1.0, view.distance_m / 0.4)
        )
        camera.distance = view.distance_m * (1 + 0.1 * rng.normal())
        camera.azimuth = view.azimuth_deg + hard.sway_deg * rng.normal()
        camera.elevation = -38.0 + 0.6 * hard.sway_deg * rng.normal()
        moves = hard.blur_m * rng.uniform() * _direction(rng)
        arm = _arm(rng, at, view, hard.hidden)
        total = np.zeros((self._size, self._size, 3))
        self._fixtures.cell.eyes.settle()
        for part in np.linspace(-0.5, 0.5, EXPOSURES):
            camera.lookat = at + part * moves
            total += self._drawn(camera, arm)
        picture = total / EXPOSURES * (1 + hard.exposure * rng.uniform(-1, 1))
        if rng.uniform() < hard.glare:
            picture += _glare(rng, self._size)[..., None]
        picture += hard.noise * rng.normal(size=picture.shape)
        return np.clip(picture, 0, 255).astype(np.uint8)

    def plain(self, seed: int, unit: int, side: str) -> np.ndarray:
        """(size, size, 3) uint8 RGB: a pin as it is, from near, with nothing that makes it hard to see."""
        self._fixtures.show(seed, unit)
        self._fixtures.cell.eyes.settle()
        camera = mujoco.MjvCamera()
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        camera.lookat = self._fixtures.seat(side) + [0.0, 0.0, 0.010]
        camera.distance, camera.azimuth, camera.elevation = PLAIN_M, FRONT_DEG, PLAIN_DEG
        return self._drawn(camera, None).astype(np.uint8)

    def _drawn(self, camera: mujoco.MjvCamera, arm: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
        cell, size = self._fixtures.cell, self._size
        if self._renderer is None:
            vis = cell.model.vis
            vis.global_.offwidth, vis.global_.offheight, vis.quality.offsamples = size, size, 0
            try:
                self._renderer = mujoco.Renderer(cell.model, size, size)
            except Exception as error:  # whatever the missing library makes PyOpenGL raise
                raise TaktError(NO_PICTURES) from error
        renderer = self._renderer
        renderer.update_scene(cell.data, camera)
        for geom in renderer.scene.geoms[: renderer.scene.ngeom]:
            if geom.category != mujoco.mjtCatBit.mjCAT_DECOR:
                break
            geom.rgba = 0.0  # a touch sensor's mark, which is in no camera's view
        if arm is not None:
            geom = renderer.scene.geoms[renderer.scene.ngeom]
            sleeve = np.array([0.16, 0.22, 0.34, 1.0], np.float32)
            mujoco.mjv_initGeom(geom, mujoco.mjtGeom.mjGEOM_CAPSULE, np.zeros(3), np.zeros(3), np.zeros(9), sleeve)
            mujoco.mjv_connector(geom, mujoco.mjtGeom.mjGEOM_CAPSULE, 0.022, *arm)
            renderer.scene.ngeom += 1
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        picture: np.ndarray = renderer.render()
        return picture.astype(float)

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def _direction(rng: np.random.Generator) -> np.ndarray:
    way = rng.normal(size=3)
    return np.asarray(way / np.linalg.norm(way))


def _arm(rng: np.random.Generator, at: np.ndarray, view: View, chance: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The ends of a forearm that reaches into the view, some 6 cm above what is looked at; None: there is none."""
    there, side, off = rng.uniform(size=3)
    if there >= chance:
        return None
    y = at[1] + (side - 0.5) * (2 * scene.PIN_Y if view.at == BOTH else 0.05)
    hand = np.array([at[0] + 0.05 * (off - 0.5), y, at[2] + 0.055])
    return hand, hand + [0.22, 0.10 * np.sign(side - 0.5), 0.10]


def _glare(rng: np.random.Generator, size: int) -> np.ndarray:
    """A lamp's reflection: a soft bright spot."""
    x, y, wide = rng.uniform(0, size), rng.uniform(0, size), size * rng.uniform(0.06, 0.2)
    rows, columns = np.mgrid[:size, :size]
    spot: np.ndarray = 230 * rng.uniform(0.5, 1.0) * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * wide**2))
    return spot
