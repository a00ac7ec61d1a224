"""A nut cell on the test bench: nuts put where a test wants them, hands told what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from takt import Event
from takt.stations.nutcell import NutCell, scene
from takt.stations.nutcell.layout import LOOSE


def put(cell: NutCell, side: int, k: int, pos: Any, yaw: float = 0.0, tilt: float = 0.0) -> None:
    """A loose nut: its lower face's centre at `pos` (world, m), its teeth at `yaw`, leaning by `tilt` about x (rad)."""
    lean = np.array([np.cos(tilt / 2), np.sin(tilt / 2), 0, 0])
    turn = np.array([np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)])
    quat = np.array([lean[0] * turn[0], lean[1] * turn[0], -lean[1] * turn[3], lean[0] * turn[3]])
    cell.nuts.put(side, k, np.asarray(pos, float), quat)
    cell.nuts.cut(side, k, 0.0)
    cell.nuts.state[side, k] = LOOSE


def above_seat(cell: NutCell, side: int, k: int) -> float:
    """How high a nut is above the seat of its side's pin, m."""
    return float(cell.nuts.pos()[side, k, 2] - cell.fixture.seat[side, 2])


def on_pin(cell: NutCell, side: int, height: float = 0.0) -> np.ndarray:
    return cell.fixture.seat[side] + [0, 0, height]


def lined_up(cell: NutCell, side: int) -> float:
    """The yaw of a nut whose teeth lie between the ribs of its side's pin."""
    return float(cell.fixture.pins[side].yaw_rad)


def run(cell: NutCell, seconds: float, action: Callable[[NutCell], np.ndarray] = lambda cell: cell.hold) -> list[Event]:
    """Step for so long; gives back what happened."""
    happened: list[Event] = []
    for _ in range(round(seconds / cell.spec.control_s)):
        happened += cell.step(action(cell))[4]["events"]
    return happened


def to_end_of_unit(cell: NutCell) -> Event:
    """Hold still until the unit that runs has been inspected."""
    while True:
        for event in cell.step(cell.hold)[4]["events"]:
            if event.kind in ("unit_good", "unit_bad"):
                return event


def move_to(cell: NutCell, side: int, pos: Any, speed: float = 0.25) -> None:
    """Move one hand's set-point in a straight line, and wait until it is there."""
    way = np.asarray(pos, float) - cell.hands.pos[side]
    periods = max(1, round(float(np.linalg.norm(way)) / speed / cell.spec.control_s))
    for _ in range(periods):
        action = cell.hold
        action[7 * side : 7 * side + 3] = way / periods
        cell.step(action)
    run(cell, 0.4)


def turn_to(cell: NutCell, side: int, yaw: float) -> None:
    """Turn one hand so that its pads lie along the flats of a nut of this yaw."""
    tool = cell.data.site_xmat[cell.world.scene.tool_site[side]]
    turn = (yaw - np.arctan2(tool[3], tool[0]) + np.pi / 6) % (np.pi / 3) - np.pi / 6
    for _ in range(25):
        action = cell.hold
        action[7 * side + 5] = turn / 25
        cell.step(action)
    run(cell, 0.2)


def grip(cell: NutCell, side: int, opening: float) -> None:
    action = cell.hold
    action[7 * side + 6] = opening
    cell.step(action)
    run(cell, 0.5)


def take_from_feeder(cell: NutCell, side: int) -> int:
    """Grip the nut that the feeder presents, and lift it. Which one it is."""
    k = int(np.flatnonzero(cell.nuts.state[side] == 1)[0])
    at = cell.nuts.pos()[side, k]
    move_to(cell, side, at + [0, 0, 0.06])
    w, x, y, z = cell.data.qpos[cell.world.scene.nut_qpos[side, k] + np.arange(3, 7)]
    turn_to(cell, side, float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))))
    move_to(cell, side, at + [0, 0, 0.0085], 0.06)
    grip(cell, side, 0.0)
    move_to(cell, side, at + [0, 0, scene.NUT_HEIGHT + 0.08], 0.1)
    return k
