"""What a look is to the trained inspector: the middle of the picture, and from where it was taken; and in which order
it looks. The same at work and in training."""

from __future__ import annotations

import numpy as np

from takt.stations.inspection.eyes import View
from takt.stations.inspection.fixtures import CLASSES

CROP = 128  # pixels: what is cut out of the middle and seen by the network
WHOLE = 224  # pixels of a picture; another size is brought to this one
ANGLES, NEAR = 4, 3
VIEW = NEAR + ANGLES  # numbers that say from where
ANSWERS = len(CLASSES)  # of fixtures.CLASSES, "good" first

# Of one side: step up to it, come close, then step aside again and again. Each is an argument of the tool `look`.
CLOSE = ("closer", "closer")
ASIDE = "other_angle"
MOST = 8  # looks at one side
TAUGHT = 6  # of them that training has


def view_of(side: str, looks: int) -> View:
    """The view after so many looks at a side, in the order above."""
    return View(side, min(looks - 1, 2), max(0, looks - 3))


def cut_out(picture: np.ndarray) -> np.ndarray:
    """(CROP, CROP, 3) uint8 of the middle of a picture (size, size, 3)."""
    if picture.shape[0] != WHOLE:
        from PIL import Image

        picture = np.asarray(Image.fromarray(picture).resize((WHOLE, WHOLE), Image.Resampling.BILINEAR))
    first = (WHOLE - CROP) // 2
    return np.ascontiguousarray(picture[first : first + CROP, first : first + CROP])


def where(view: View) -> np.ndarray:
    """(VIEW,) float32: one of NEAR, then one of ANGLES."""
    told = np.zeros(VIEW, np.float32)
    told[view.nearer] = told[NEAR + view.aside % ANGLES] = 1
    return told
