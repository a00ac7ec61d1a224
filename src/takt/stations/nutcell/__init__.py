"""`nutcell`: the self-tapping-nut station of a car plant, on MuJoCo.

A fixture with two pins slides in; an upper body with two arms takes one nut from the feeder at each side, seats each on
its pin and clears; at the takt the station inspects, the fixture slides out and the next one comes. Nothing is reset.
"""

from __future__ import annotations

import os
from ctypes.util import find_library

# MuJoCo chooses its GL back end once, when it is first imported, so the choice is made here.
if "MUJOCO_GL" not in os.environ:
    os.environ["MUJOCO_GL"] = "egl" if find_library("EGL") else "osmesa" if find_library("OSMesa") else "disable"

from takt.stations.nutcell.station import NutCell

__all__ = ["NutCell"]
