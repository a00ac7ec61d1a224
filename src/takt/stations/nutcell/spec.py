"""What a cell can be opened with, and what its spec says then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from takt.contract.station import Acceptance, FaultKind, StationSpec, TaktError
from takt.meant import meant
from takt.stations.nutcell import orders, scene, variation
from takt.stations.nutcell.layout import CAMERA_SIZES, CONTROL_S
from takt.stations.nutcell.line import LINES
from takt.stations.nutcell.world import Beat

FAULTS = {
    "feeder_jam": FaultKind("no nut comes from the feeders until it is freed", repair_s=120.0, stops=True),
    "camera_dropout": FaultKind("all cameras are dark", repair_s=20.0, stops=False),
    "touch_dropout": FaultKind("the finger pads feel nothing", repair_s=20.0, stops=False),
}
LEAST_TIMESTEP_S = 1e-4  # 20 times as slow as usual
LEAST_CAMERA_HZ = 0.001
# The mixed line has this one too. It does not stop the work: the other lanes go on.
LANE_EMPTY = FaultKind("one lane of one side, drawn by seed and time, has no nuts until it is filled", 120.0, False)


def spec_of(
    difficulty: str,
    control: str,
    cameras: Sequence[str],
    camera_hz: float,
    privileged: bool,
    timestep_s: float,
    line: str,
    language: str,
    phrasings: str,
    camera_size: int,
) -> StationSpec:
    """The spec of a cell opened so (`NutCell` says what each option is). Raises TaktError for what cannot be."""
    _one_of("difficulty", difficulty, tuple(variation.DIFFICULTIES))
    _one_of("control", control, ("ee", "joint"))
    _one_of("line", line, tuple(LINES))
    _one_of("language", language, orders.LANGUAGES)
    _one_of("phrasings", phrasings, orders.PHRASINGS)
    for camera in cameras:
        _one_of("camera", camera, scene.CAMERAS)
    _check_numbers(camera_size, camera_hz, timestep_s)
    options: dict[str, Any] = {
        "difficulty": difficulty,
        "control": control,
        "cameras": cameras,
        "camera_hz": camera_hz,
        "privileged": privileged,
        "timestep_s": timestep_s,
    }
    # Options that came later are named only where they are used: shifts from before keep their digests.
    mixed = line == "mixed"
    if mixed:
        options |= {"line": line, "language": language, "phrasings": phrasings}
    elif (language, phrasings) != ("both", "train"):
        raise TaktError("language and phrasings are of the orders, and only line=mixed has orders")
    if camera_size != 96:
        options["camera_size"] = camera_size
    return StationSpec(
        id="takt/NutCell-v0",
        entry_point="takt.stations.nutcell:NutCell",
        kwargs=dict(options),
        station="nutcell",
        takt_s=Beat.takt_s,
        control_s=CONTROL_S,
        faults=FAULTS | {"lane_empty": LANE_EMPTY} if mixed else FAULTS,
        acceptance=Acceptance(good_rate=0.902),
        parts=scene.SIDES,
        privileged=privileged,
        options=options,
        packages=("mujoco",),
    )


def _one_of(what: str, given: Any, known: Sequence[str]) -> None:
    if given not in known:
        raise TaktError(f"no {what} {given!r}{meant(given, known)}; choose from: {', '.join(known)}")


def _check_numbers(camera_size: int, camera_hz: float, timestep_s: float) -> None:
    if not CAMERA_SIZES[0] <= camera_size <= CAMERA_SIZES[1]:
        raise TaktError(f"camera_size is {camera_size}; it must be from {CAMERA_SIZES[0]} to {CAMERA_SIZES[1]}")
    if not LEAST_CAMERA_HZ <= camera_hz <= 1 / CONTROL_S:
        raise TaktError(f"camera_hz is {camera_hz}; it must be from {LEAST_CAMERA_HZ:g} to {1 / CONTROL_S:g}")
    substeps = round(CONTROL_S / timestep_s) if timestep_s >= LEAST_TIMESTEP_S else 0
    if substeps < 1 or abs(substeps * timestep_s - CONTROL_S) > 1e-9:
        raise TaktError(
            f"timestep_s is {timestep_s}; it must divide the control period of {CONTROL_S} s, and be "
            f"{LEAST_TIMESTEP_S:g} s at least"
        )
