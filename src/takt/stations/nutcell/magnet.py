"""The magnet in each pin, and how it pulls a steel nut.

Field model. A steel element facing a magnetic circuit closes it through an air gap; its flux is the circuit's
magnetomotive force over its reluctance, and the pull goes with the flux squared, so

    F(gap) = F0 / (1 + gap / GAP_HALF)^2

where F0 is the pull at contact and GAP_HALF the gap whose reluctance equals the rest of the circuit's (Furlani,
*Permanent Magnet and Electromechanical Devices*, 2001, sec. 3.5; Roters, *Electromagnetic Devices*, 1941, ch. VIII).
Here a gap of 10 mm leaves a twentieth of the pull. The pin is a soft-iron pole: an element is pulled towards the
nearest point of its axis, from the seat up to the centre of its rounded tip.

The nut is a ring of N_ELEMENTS such elements, and feels their vector sum. Above the tip that pulls it down. Around the
pin they balance, but not stably: off-axis the nearer side is drawn harder, which drags the nut against the pin and
tilts it, so that one let go too early may hang there, held by friction.
"""

from __future__ import annotations

import numpy as np

from takt.stations.nutcell import scene

N_ELEMENTS = 8
GAP_HALF = 0.003  # m
CONTACT = 0.009  # m, the distance from the pin's axis at which an element has no gap left
REACH = 0.030  # m from the pin's axis, and the nut's height more: beyond, the pull is below 1 % of F0 and left out
_ANGLE = 2 * np.pi * np.arange(N_ELEMENTS) / N_ELEMENTS
_RADIUS = (scene.NUT_ACROSS / 2 + scene.WALL_INNER) / 2
# (N_ELEMENTS, 3), in the nut's frame, and about its centre of mass
ELEMENTS = np.stack([_RADIUS * np.cos(_ANGLE), _RADIUS * np.sin(_ANGLE), np.zeros(N_ELEMENTS)], axis=1)


def pull(com: np.ndarray, rotation: np.ndarray, seat: np.ndarray, strength_n: float) -> tuple[np.ndarray, np.ndarray]:
    """Force (3,) N and torque (3,) N m about the nut's centre of mass, world frame.

    com         (3,) m, the nut's centre of mass.
    rotation    (3, 3), nut frame to world.
    seat        (3,) m, the pin's seat; the pin's axis is vertical.
    strength_n  F0, the sum of the elements' pulls at no gap. The nut feels at most a third of it.
    """
    arm = ELEMENTS @ rotation.T
    away = arm + (com - seat)
    away[:, 2] -= np.clip(away[:, 2], 0.0, scene.RIB_TOP)
    distance = np.sqrt(np.einsum("ij,ij->i", away, away)) + 1e-9
    gap = np.maximum(distance - CONTACT, 0.0)
    size = strength_n / N_ELEMENTS / (1.0 + gap / GAP_HALF) ** 2
    forces = away * (-size / distance)[:, None]
    torque = np.array(
        [
            arm[:, 1] @ forces[:, 2] - arm[:, 2] @ forces[:, 1],
            arm[:, 2] @ forces[:, 0] - arm[:, 0] @ forces[:, 2],
            arm[:, 0] @ forces[:, 1] - arm[:, 1] @ forces[:, 0],
        ]
    )
    return forces.sum(axis=0), torque
