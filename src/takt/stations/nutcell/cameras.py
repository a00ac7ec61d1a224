"""The cameras: what they see now, drawn by MuJoCo with OpenGL."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from takt.contract.faults import Active
from takt.errors import TaktError
from takt.stations.nutcell import scene, variation
from takt.stations.nutcell.layout import IMAGES
from takt.stations.nutcell.nuts import Nuts
from takt.stations.nutcell.world import World

NO_PICTURES = (
    "pictures need OpenGL, and none works here; on Debian: apt-get install libegl1 libgl1-mesa-dri libgles2"
    " (or libosmesa6, and MUJOCO_GL=osmesa); if they are there, set MUJOCO_GL=egl, or import takt.stations.nutcell"
    " before mujoco"
)


class Cameras:
    """The cameras that a worker looks through.

    images     by camera: the last pictures, (size, size, 3) uint8 RGB.
    pictures   how many times they were looked through: whether an observation's pictures are new.
    renderers  by height, width and samples of a pixel; none before something is drawn: who forks a process then has no
               context open.
    """

    def __init__(self, world: World, nuts: Nuts, faults: Active, names: Sequence[str], size: int) -> None:
        self._world, self._nuts, self._faults = world, nuts, faults
        self.names, self.size = tuple(names), size
        self._nominal_light = world.model.light_diffuse.copy()
        self._nominal_place = world.model.cam_pos.copy()
        self.renderers: dict[tuple[int, int, int], mujoco.Renderer] = {}
        self.start()

    def start(self) -> None:
        """The beginning of a shift."""
        self.images: dict[str, np.ndarray] = {}
        self.pictures = 0

    def draw_unit(self, unit: int) -> None:
        """Make light and places what (seed, unit) alone say."""
        model, hard, seed = self._world.model, self._world.difficulty, self._world.beat.seed
        rng = variation.stream(seed, unit, "light")
        model.light_diffuse[:] = self._nominal_light * (1 + hard.light * rng.uniform(-1, 1, (model.nlight, 1)))
        rng = variation.stream(seed, unit, "camera")
        model.cam_pos[:] = self._nominal_place
        for camera in scene.CAMERAS:
            model.cam_pos[model.camera(camera).id] += hard.camera_m * rng.uniform(-1, 1, 3)

    def photograph(self) -> None:
        """Look through all of them."""
        size = self.size
        self.pictures += 1
        if self._faults.there("camera_dropout"):
            self.images = {camera: np.zeros((size, size, 3), np.uint8) for camera in self.names}
            return
        self.settle()
        self.images = {camera: self.drawn(camera, size, size) for camera in self.names}

    def copies(self) -> dict[str, np.ndarray]:
        """The last pictures, by the observation's keys. A picture lasts several control periods, and what a worker
        does to its own is its own affair."""
        return {IMAGES + camera: self.images[camera].copy() for camera in self.names}

    def settle(self) -> None:
        """Before drawing: positions that fit the state; the physics computes them at the start of its next step again.

        What sleeps is left out of that, and so is what never moves: the head's camera and the lights stood where the
        former unit's were drawn. For a picture all are computed.
        """
        world, sleep = self._world, int(mujoco.mjtEnableBit.mjENBL_SLEEP)
        if world.beat.rules > 1:
            world.model.opt.enableflags &= ~sleep
        mujoco.mj_kinematics(world.model, world.data)
        mujoco.mj_camlight(world.model, world.data)
        world.model.opt.enableflags |= sleep
        self._nuts.show()

    def drawn(
        self, camera: str | mujoco.MjvCamera, height: int, width: int, plain: bool = False, smooth: bool = True
    ) -> np.ndarray:
        """(height, width, 3) uint8 RGB, of what was settled; `plain`: without shadows and reflections; `smooth`: edges
        are, in a picture that is large enough. TaktError if there is no OpenGL."""
        model, small = self._world.model, height < 200
        # Drawn in software, multisampling alone would cost three quarters of a small picture's time, and half of any
        # other's; shadows and reflections two thirds of a small one's.
        kind = height, width, 4 if smooth and not small else 0
        if kind not in self.renderers:
            vis = model.vis
            vis.global_.offheight, vis.global_.offwidth, vis.quality.offsamples = kind  # the context is made for it
            vis.quality.shadowsize = scene.SHADOW if smooth else scene.SHADOW // 2
            try:
                self.renderers[kind] = mujoco.Renderer(model, height, width)
            except Exception as error:  # whatever the missing library makes PyOpenGL raise
                raise TaktError(NO_PICTURES) from error
        return picture_of(self.renderers[kind], self._world.data, camera, plain or small)

    def close(self) -> None:
        for renderer in self.renderers.values():
            renderer.close()
        self.renderers = {}


def picture_of(
    renderer: mujoco.Renderer, data: mujoco.MjData, camera: str | mujoco.MjvCamera, plain: bool
) -> np.ndarray:
    """(height, width, 3) uint8 RGB; `plain`: without shadows and reflections."""
    renderer.update_scene(data, camera)
    for geom in renderer.scene.geoms[: renderer.scene.ngeom]:
        if geom.category != mujoco.mjtCatBit.mjCAT_DECOR:
            break
        geom.rgba = 0.0  # a touch sensor's plug-in puts a red mark on what it feels, first of all geoms, always
    if plain:
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
    picture: np.ndarray = renderer.render()
    return picture
