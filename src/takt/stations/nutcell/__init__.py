"""`nutcell`: the self-tapping-nut station of a car plant, on MuJoCo.

A fixture with two pins slides in; an upper body with two arms takes one nut from the feeder at each side, seats each on
its pin and clears; at the takt the station inspects, the fixture slides out and the next one comes. Nothing is reset.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from takt.late import late

if TYPE_CHECKING:
    from takt.stations.nutcell.station import NutCell


def _there(library: str) -> bool:
    """Whether a shared library can be loaded. The loader's own list answers at once; ctypes asks other programs."""
    try:
        with open("/etc/ld.so.cache", "rb") as known:
            if f"lib{library}.so".encode() in known.read():
                return True
    except OSError:
        pass
    from ctypes.util import find_library

    return find_library(library) is not None


# MuJoCo chooses its GL back end once, when it is first imported, so the choice is made here.
if "MUJOCO_GL" not in os.environ:
    os.environ["MUJOCO_GL"] = "egl" if _there("EGL") else "osmesa" if _there("OSMesa") else "disable"

__all__ = ["NutCell"]
ACCOUNTS = False  # it says no more of a shift than its units tell: figures of a shift need no physics

__getattr__ = late(__name__, {"station": "NutCell"})
