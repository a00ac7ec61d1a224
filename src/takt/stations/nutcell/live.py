"""Live pictures for a person at work: drawn in a process of its own, from what is where and nothing more.

The shift's own process hands over where geoms, cameras and lights are and what they look like, about 8 kB. That is all
a picture is made of; joints, forces and what only a simulator knows stay there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mujoco
import numpy as np

from takt.errors import TaktError
from takt.stations.nutcell import scene
from takt.stations.nutcell.cameras import NO_PICTURES, picture_of
from takt.stations.nutcell.line import LINES
from takt.stations.nutcell.station import NutCell

OF_DATA = ("geom_xpos", "geom_xmat", "cam_xpos", "cam_xmat", "light_xpos", "light_xdir")
OF_MODEL = ("geom_size", "geom_rgba", "light_diffuse")


def scene_state(cell: NutCell) -> bytes:
    """What the pictures of this moment are made from, as float32; b"" while the cameras are dark."""
    if cell.faults.there("camera_dropout"):
        return b""
    cell.eyes.settle()
    parts = [np.ravel(getattr(cell.data, name)) for name in OF_DATA]
    parts += [np.ravel(getattr(cell.model, name)) for name in OF_MODEL]
    return np.concatenate(parts).astype(np.float32).tobytes()


class LiveRenderer:
    """Draws a cell's cameras, 4 wide to 3 high, without shadows, reflections and multisampling: in software, those take
    most of a picture's time.

    line      which line the cell has.
    cameras   which to draw: a list, or one text with commas.
    height    pixels.
    """

    def __init__(self, line: str, cameras: Sequence[str] | str, height: int) -> None:
        self.cameras = [name for name in cameras.split(",") if name] if isinstance(cameras, str) else list(cameras)
        self.height, self.width = height, round(height * 4 / 3)
        self._model = scene.build(line=LINES[line]).model
        self._data = mujoco.MjData(self._model)
        vis = self._model.vis
        vis.global_.offwidth, vis.global_.offheight, vis.quality.offsamples = self.width, self.height, 0
        try:
            self._renderer = mujoco.Renderer(self._model, self.height, self.width)
        except Exception as error:  # whatever the missing library makes PyOpenGL raise
            raise TaktError(NO_PICTURES) from error

    def render(self, state: bytes) -> Mapping[str, np.ndarray]:
        """(height, width, 3) uint8 RGB by camera, of a `scene_state`."""
        if not state:
            return {name: np.zeros((self.height, self.width, 3), np.uint8) for name in self.cameras}
        given, at = np.frombuffer(state, np.float32), 0
        for where, names in ((self._data, OF_DATA), (self._model, OF_MODEL)):
            for name in names:
                into = getattr(where, name)
                into[:] = given[at : at + into.size].reshape(into.shape)
                at += into.size
        return {name: picture_of(self._renderer, self._data, name, plain=True) for name in self.cameras}

    def close(self) -> None:
        self._renderer.close()


def renderer(options: Mapping[str, Any], shown: Mapping[str, Any]) -> LiveRenderer:
    """For a cell opened with these options; `shown` are the options of the pictures."""
    return LiveRenderer(str(options.get("line", "single")), shown["cameras"], int(shown["camera_size"]))
