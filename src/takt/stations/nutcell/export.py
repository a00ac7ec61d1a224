"""The nut cell's shifts and demonstrations as a LeRobotDataset: a unit is an episode.

A shift's ledger holds no pictures, so every unit is worked again from its snapshot by the shift's own loop, with the
cameras open, and watched. Nothing of `observation.privileged` is ever written.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from takt.contract.events import UNIT_ENDED, UNIT_GOOD
from takt.contract.foreign import foreign
from takt.contract.options import wrong_option
from takt.contract.station import TaktError
from takt.errors import Different
from takt.export.lerobot import Dataset, Episode
from takt.ledger import Ledger
from takt.ledger.trust import NOTHING, Named
from takt.shift import steps_of_unit
from takt.show import terminal
from takt.show.screen import counting
from takt.stations.nutcell import NutCell, scene
from takt.stations.nutcell.layout import CONTROL_S, IMAGES

RATE = round(1 / CONTROL_S)  # control periods a second
TASK = "Put one nut on the left pin and one nut on the right pin."  # where there is no order
TAIL_S = 1.0  # of an episode, after the last thing that was done
LARGEST_SHARD = 8 * 2**30  # bytes, unpacked
LEAST_ROWS = 5  # of an episode

HANDS = [f"{side}_{joint}" for side in scene.SIDES for joint in (*scene.ARM_JOINTS, "grip")]
COLUMNS: dict[str, list[str]] = {
    "observation.state": [f"{name}.{what}" for what in ("pos", "vel", "effort") for name in HANDS],
    "observation.setpoint": [
        f"{side}_{axis}" for side in scene.SIDES for axis in ("x", "y", "z", "qw", "qx", "qy", "qz")
    ],
    "observation.touch": [
        f"{side}_{pad}_{kind}_{row}{column}"
        for side in scene.SIDES
        for pad in (0, 1)
        for kind in ("normal", "shear_width", "shear_length")
        for row in range(scene.TAXELS[0])
        for column in range(scene.TAXELS[1])
    ],
    "observation.takt_left": ["s"],
}
EE = [f"{side}_{axis}" for side in scene.SIDES for axis in ("dx", "dy", "dz", "rx", "ry", "rz", "grip")] + ["help"]
JOINT = [f"{name}.pos" for name in HANDS] + ["help"]
FLAGS = {"next.done": ["done"], "next.success": ["success"]}


def export_lerobot(
    shift: Path,
    out: Path,
    fps: int = 10,
    video: bool = True,
    cameras: str | Sequence[str] = scene.CAMERAS,
    units: int | None = None,
    good_only: bool = False,
    wait: bool = False,
    camera_size: int | None = None,
    named: Named = NOTHING,
) -> Mapping[str, Any]:
    """Write a shift (a ledger) or demonstrations (a folder of `demos.record`) as a LeRobotDataset v3.0 in `out`.

    fps        rows a second; must divide 50. An action of a row is what was done until the next: at less than 50 its
               shifts and turns are summed, of targets, grips and calls for help the last one counts.
    video      pictures as H.264 films, or as PNG in the rows, which are larger and exact.
    cameras    which; "" for none.
    units      only the first so many.
    good_only  only the units that came out good.
    wait       with the time when nothing is done any more until the unit ends.
    camera_size   pixels, of a shift's pictures, which are drawn anew; as the shift has it, or 96.
    named      what of the ledger the user has named again (trust.py).
    """
    if not isinstance(fps, int) or fps < 1 or RATE % fps:
        raise TaktError(f"fps is {fps!r}; it must divide {RATE}, the control periods of a second")
    for name, given in (("video", video), ("good_only", good_only), ("wait", wait)):
        if not isinstance(given, bool):
            raise TaktError(f"{name} is {given!r}; it must be true or false")
    if units is not None and (not isinstance(units, int) or units < 1):
        raise TaktError(f"units is {units!r}; it must be a whole number, 1 or more")
    cameras = [name for name in cameras.split(",") if name] if isinstance(cameras, str) else list(cameras)
    unknown = [name for name in cameras if name not in scene.CAMERAS]
    if unknown:
        raise TaktError(f"no camera {unknown[0]!r}; choose from: {', '.join(scene.CAMERAS)}")
    if camera_size is not None and (shift.is_dir() or not isinstance(camera_size, int)):
        raise TaktError(
            f"camera_size is {camera_size!r}; it must be a whole number, and is for a shift, not for a folder"
        )
    source = _Demos(shift) if shift.is_dir() else _Shift(shift, named, camera_size)
    size = (source.camera_size, source.camera_size)
    columns = COLUMNS | {"action": EE if source.control == "ee" else JOINT} | FLAGS
    pictures = {IMAGES + camera: size for camera in cameras}
    different: list[int] = []
    wanted = _Wanted(RATE // fps, cameras, units, good_only, wait)
    with (
        Dataset(out, fps, "takt_nutcell", columns, dict.fromkeys(FLAGS, "bool"), pictures, video) as dataset,
        counting(terminal.err(), "units") as on_unit,
    ):
        for episode in source.episodes(wanted, different, on_unit):
            dataset.add(episode)
    told: dict[str, Any] = {"dataset": str(out), **dataset.counts, "fps": fps}
    return told | ({"units_that_came_out_differently": different} if different else {})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What of the units becomes episodes. `every` is control periods from one row to the next."""

    every: int
    cameras: Sequence[str]
    units: int | None
    good_only: bool
    wait: bool


class _Watched(NutCell):
    """A cell that keeps what was seen before each step, and what was done then."""

    every = 1  # control periods from one row to the next
    watching = False

    def watch(self, every: int) -> None:
        self.every, self.watching = every, True
        self.rows: list[dict[str, Any]] = []
        self.actions: list[np.ndarray] = []

    def reset(self, **given: Any) -> Any:
        self._now_seen, info = super().reset(**given)
        return self._now_seen, info

    def load(self, state: bytes) -> None:
        super().load(state)
        if set(self.eyes.images) != set(self.cameras):  # the shift itself was worked with others, or none
            self.eyes.images = {}
        self._now_seen = self.observe()

    def step(self, action: Any) -> Any:
        if self.watching:
            if self.world.beat.ticks % self.every == 0 or not self.rows:
                seen = {IMAGES + camera: picture for camera, picture in self.eyes.images.items()}  # one for many rows
                self.rows.append(self._now_seen | seen)
            self.actions.append(np.clip(np.asarray(action, np.float32), self.action_space.low, self.action_space.high))
        result = super().step(action)
        self._now_seen = result[0]
        return result


class _Shift:
    """The units of a ledger."""

    def __init__(self, path: Path, named: Named, camera_size: int | None) -> None:
        self._named = named
        with Ledger.open(path) as book:
            self._meta, events = book.meta, book.events()
        if self._meta["station"] != "nutcell":
            raise TaktError(f"{path} is a shift at {self._meta['station']!r}; this format takes the nut cell's")
        self._path = path
        self._good = {int(e.unit or 0): e.kind == UNIT_GOOD for e in events if e.kind in UNIT_ENDED}
        self._options = self._meta["options"]
        if wrong := wrong_option(NutCell, self._options):
            raise TaktError(f"{path} is damaged: station 'nutcell' {wrong}")
        if missing := {"control", "cameras"} - set(self._options):
            raise TaktError(f"{path} is damaged: its options lack {min(missing)!r}")
        self.control = str(self._options["control"])
        if camera_size is not None:
            self._options = {**self._options, "camera_size": camera_size}
        self.camera_size = int(self._options.get("camera_size", 96))

    def episodes(
        self, wanted: _Wanted, different: list[int], on_unit: Callable[[float, float], None]
    ) -> Iterator[Episode]:
        chosen = [unit for unit in sorted(self._good)[: wanted.units] if self._good[unit] or not wanted.good_only]
        looks = [*self._options["cameras"]]
        looks += [camera for camera in wanted.cameras if camera not in looks]
        with foreign(f"cannot open the cell of {self._path}"):
            cell: Any = _Watched(**{**self._options, "cameras": looks})
        try:
            for done, unit in enumerate(chosen):
                on_unit(done, len(chosen))
                cell.watch(wanted.every)
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always", Different)
                    for _ in steps_of_unit(self._path, unit, station=cell, named=self._named):
                        pass
                different += [unit] if any(issubclass(one.category, Different) for one in said) else []
                yield _episode(cell, wanted, self.control, self._good[unit])
            on_unit(len(chosen), len(chosen))
        finally:
            cell.close()


class _Demos:
    """The units of a folder of demonstrations. What a unit's wait shows at the end is left out, unless asked for, and a
    push of a hand, which is nothing to be learned, ends one episode and begins another."""

    control = "ee"

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob("*.npz"))
        if not self._paths:
            raise TaktError(f"{folder} has no demonstrations (.npz, from takt.stations.nutcell.demos.record)")
        try:
            _check_size(self._paths[0])
            with np.load(self._paths[0]) as shard:
                self.camera_size = int(shard[f"{IMAGES}{scene.CAMERAS[0]}"].shape[1])
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise TaktError(f"{self._paths[0]} is no shard of demonstrations: {error}") from error

    def episodes(
        self, wanted: _Wanted, different: list[int], on_unit: Callable[[float, float], None]
    ) -> Iterator[Episode]:
        left = float("inf") if wanted.units is None else wanted.units
        for done, path in enumerate(self._paths):
            on_unit(done, len(self._paths))
            _check_size(path)
            with np.load(path) as file:
                shard = {key: file[key] for key in file.files}
            for unit in range(len(shard["order"])):
                if left <= 0:
                    return
                left -= 1
                if shard["good"][unit] or not wanted.good_only:
                    yield from _pieces(shard, unit, wanted)
        on_unit(len(self._paths), len(self._paths))


def _check_size(path: Path) -> None:
    """TaktError for a shard that unpacks to more than any has: it would be read into memory as a whole."""
    with ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > LARGEST_SHARD:
        raise TaktError(f"{path} unpacks to {size // 2**20} MiB, more than a shard of demonstrations has")


def _episode(cell: _Watched, wanted: _Wanted, control: str, good: bool) -> Episode:
    """What was watched of a unit."""
    actions, every = np.array(cell.actions), wanted.every
    if not wanted.wait:
        moving = np.flatnonzero((actions != actions[-1]).any(axis=1))
        if len(moving):
            actions = actions[: moving[-1] + 1 + round(TAIL_S / CONTROL_S)]
    count = max(1, len(actions) // every)
    rows = cell.rows[:count]
    columns = {key: np.array([np.ravel(row[key]) for row in rows], np.float32) for key in COLUMNS}
    columns |= {"action": summed(actions[: count * every], every, control), **_flags(count, good)}
    pictures = {IMAGES + camera: np.array([row[IMAGES + camera] for row in rows]) for camera in wanted.cameras}
    return Episode(str(rows[0].get("order") or TASK), columns, pictures)


def _pieces(shard: Mapping[str, np.ndarray], unit: int, wanted: _Wanted) -> Iterator[Episode]:
    """The stretches of a unit that show the expert at work, and nothing else."""
    mine, every = np.flatnonzero(shard["unit"] == unit), wanted.every
    if not wanted.wait:
        mine = mine[shard["segment"][mine] == shard["segment"][mine[0]]]
    mine = mine[shard["labelled"][mine]]
    breaks = np.flatnonzero((np.diff(mine) > 1) | (np.diff(shard["segment"][mine]) > 0)) + 1
    stretches = [rows for rows in np.split(mine, breaks) if len(rows) >= LEAST_ROWS * every]
    for number, rows in enumerate(stretches):
        count = len(rows) // every
        starts = rows[: count * every : every]
        columns = {key: np.array(shard[key][starts], np.float32).reshape(count, -1) for key in COLUMNS}
        last = number == len(stretches) - 1
        columns["action"] = summed(shard["action"][rows[: count * every]], every, "ee")
        columns |= _flags(count, bool(shard["good"][unit]) and last, last)
        pictures = {IMAGES + camera: shard[IMAGES + camera][shard["picture"][starts]] for camera in wanted.cameras}
        yield Episode(str(shard["order"][unit]), columns, pictures)


def summed(actions: np.ndarray, every: int, control: str) -> np.ndarray:
    """(N * every, D) actions of control periods as (N, D) of rows."""
    grouped = actions.reshape(-1, every, actions.shape[1])
    found = grouped[:, -1].copy()
    found[:, -1] = grouped[:, :, -1].max(axis=1)  # help
    if control == "ee":
        moves = [*range(6), *range(7, 13)]
        found[:, moves] = grouped[:, :, moves].sum(axis=1)
    return found


def _flags(count: int, good: bool, ends: bool = True) -> dict[str, np.ndarray]:
    last = np.arange(count) == count - 1
    return {"next.done": last & ends, "next.success": last & good}
