"""The magnet in each pin, and how it pulls a steel nut.

Field model. A steel element facing a magnetic circuit closes it through an air gap; its flux is the circuit's
magnetomotive force over its reluctance, and the pull goes with the flux squared, so

    F(gap) = F0 / (1 + gap / GAP_HALF)^2

where F0 is the pull at contact and GAP_HALF the gap whose reluctance equals the rest of the circuit's: F = flux^2 /
(2 mu0 A), flux = mmf / (R0 + gap / (mu0 A)) (magnetic circuits: Roters, *Electromagnetic Devices*, 1941; Furlani,
*Permanent Magnet and Electromechanical Devices*, 2001). It leaves leakage out, so it is right in shape, rough in size.
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


def pull(
    com: np.ndarray, rotation: np.ndarray, seat: np.ndarray, strength_n: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Forces (n, 3) N and torques (n, 3) N m about the centres of mass of n nuts, each at one pin; world frame.

    com         (n, 3) m, the nuts' centres of mass.
    rotation    (n, 3, 3), nut frame to world.
    seat        (n, 3) m, the pins' seats; their axes are vertical.
    strength_n  (n,) F0, the sum of the elements' pulls at no gap. A nut feels at most a third of it.
    """
    arm = ELEMENTS @ rotation.swapaxes(1, 2)
    away = arm + (com - seat)[:, None]
    z = away[..., 2]
    z -= np.minimum(np.maximum(z, 0.0), scene.RIB_TOP)
    distance = np.sqrt((away * away).sum(axis=-1)) + 1e-9
    gap = np.maximum(distance - CONTACT, 0.0)
    size = (strength_n / N_ELEMENTS)[:, None] / (1.0 + gap / GAP_HALF) ** 2
    forces = away * (-size / distance)[..., None]
    moment = arm.swapaxes(1, 2) @ forces  # its antisymmetric part is the sum of arm x force
    torque = np.stack(
        [moment[:, 1, 2] - moment[:, 2, 1], moment[:, 2, 0] - moment[:, 0, 2], moment[:, 0, 1] - moment[:, 1, 0]],
        axis=1,
    )
    return forces.sum(axis=1), torque
