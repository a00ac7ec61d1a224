"""Demonstrations: what the expert did at the mixed line, as a policy would have seen it. NumPy only.

    record("demos", units=400, processes=2)

A shard is one shift of SHARD_UNITS units, from a seed of its own: `demos/00007.npz`. It is written whole or not at all,
so that `record` called again goes on where it was cut off, and more units make more shards. Of each unit it holds the
time from falling due until both hands have finished and TAIL_S more, and WAIT_S from somewhere in the wait for the next
unit; the rest of the wait, nine tenths of a shift, is stepped and not drawn. Between two moves a hand that carries or
approaches is now and then pushed aside: what the expert does then is how to come back. The push itself is in the shard,
for its observations go on, but is not to be learned: `labelled` is False there.

In a shard, N control periods (0.02 s), F pictures (0.1 s apart), U units:

    observation.state (N, 48), .setpoint (N, 2, 7), .touch (N, 2, 2, 3, 4, 4; float16), .takt_left (N, 1)
    observation.images.head, .left_wrist, .right_wrist (F, 96, 96, 3) uint8, or camera_size
    action (N, 15)       what the hands were told in that control period, after the observation: `ee`
    labelled (N,)        whether `action` is the expert's
    picture (N,)         which of the F pictures the cameras showed
    unit (N,)            which of the U units
    segment (N,)         periods of one number follow each other without a gap
    order (U,) text, ordered (U, 2) variant left and right, good (U,) whether the unit came out good
    seed, difficulty, language

Nothing of `observation.privileged` is in it but `ordered`, which is a label: for counting, and for tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.events import UNIT_ENDED, UNIT_GOOD
from takt.stations.nutcell import scene
from takt.stations.nutcell.expert import Expert
from takt.stations.nutcell.layout import CONTROL_S, EE_STEP_M, EE_STEP_RAD, TAKT_S
from takt.stations.nutcell.phases import Arm
from takt.stations.nutcell.station import NutCell
from takt.stations.nutcell.variation import stream

SHARD_UNITS = 10
FIRST_SEED = 1_000_000  # of demonstrations; seeds below are for evaluation
TAIL_S, WAIT_S = 1.0, 0.6
PUSHED_PHASES = ("stage", "approach", "lift", "carry", "lower")  # after which a hand may be pushed: none is in contact
PUSH_CHANCE, PUSH_S, PUSH_M, PUSH_RAD = 0.25, 0.16, 0.012, 0.15  # of each such phase; the most along each axis, about z
SEEN = ("state", "setpoint", "touch", "takt_left")


def record(
    folder: str | os.PathLike[str],
    units: int,
    *,
    difficulty: str = "plant",
    language: str = "both",
    camera_size: int = 96,
    first_seed: int = FIRST_SEED,
    processes: int = 1,
    on_units: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Demonstrations of at least `units` units in `folder`, in whole shards; those that are there are kept.

    `on_units(done, of)` is called at the beginning and after every shard. Gives back the shards' paths.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = -(-units // SHARD_UNITS)
    paths = [folder / f"{number:05d}.npz" for number in range(count)]
    missing = [(path, first_seed + number) for number, path in enumerate(paths) if not path.exists()]
    tell = on_units or (lambda done, of: None)
    tell((count - len(missing)) * SHARD_UNITS, count * SHARD_UNITS)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:  # a GL context does not fork
        jobs = [pool.submit(record_shard, path, seed, difficulty, language, camera_size) for path, seed in missing]
        for done, job in enumerate(as_completed(jobs), start=1):
            job.result()
            tell((count - len(missing) + done) * SHARD_UNITS, count * SHARD_UNITS)
    return paths


def record_shard(
    path: Path, seed: int, difficulty: str, language: str, camera_size: int = 96, units: int = SHARD_UNITS
) -> None:
    """One shift of `units` units, as one file."""
    station = NutCell(
        difficulty,
        cameras=scene.CAMERAS,
        camera_size=camera_size,
        privileged=True,
        line="mixed",
        language=language,
        phrasings="train",
    )
    try:
        shard = _Shift(station, seed).work(units)
    finally:
        station.close()
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **shard, difficulty=difficulty, language=language)
    unfinished.replace(path)


def chunk_rows(segment: np.ndarray, horizon: int) -> np.ndarray:
    """(N, horizon): which rows of `action` follow each row, itself first; past its segment's end, the last one again.

    The last action of a segment is a rest with the grip as it is, so repeating it is what the expert does next.
    """
    last = np.searchsorted(segment, segment, side="right") - 1
    return np.minimum(np.arange(len(segment))[:, None] + np.arange(horizon), last[:, None])


class _Shift:
    """One shift of the expert, watched."""

    def __init__(self, station: NutCell, seed: int) -> None:
        self.station, self.seed = station, seed
        self.expert = Expert()
        self.observation, _ = station.reset(seed=seed)
        self.expert.begin(station.spec, seed)
        self.rows: dict[str, list[Any]] = {key: [] for key in (*SEEN, *scene.CAMERAS, "action", "labelled", "picture")}
        self.rows |= {"unit": [], "segment": []}
        self.good: list[bool] = []
        self.drawn = -1  # which pictures the last row has, as the station counts them
        self.segment, self.recording = 0, False

    def work(self, units: int) -> Mapping[str, Any]:
        orders, ordered = [], []
        for unit in range(units):
            rng = stream(self.seed, unit, "demos")
            orders.append(self.observation["order"])
            ordered.append(self.observation["observation.privileged"]["ordered"].astype(np.int8))
            for arm in self.expert.arms:
                arm.moves = []  # the rest of a glance at the unit before
            while len(self.good) == unit:
                self._push(rng, unit)
                plan = self.expert.act(self.observation)
                still = not np.delete(plan.actions, (6, 13), axis=1).any()  # but for the grips
                if still and all(arm.finished for arm in self.expert.arms):
                    break  # both wait where they shall
                for action in plan.actions:
                    self._step(action, unit, labelled=True)
            self._wait(unit, self.station.now + TAIL_S, watched=True)
            ends = (unit + 1) * TAKT_S
            look_at = rng.uniform(self.station.now, max(self.station.now, ends - WAIT_S))
            self._wait(unit, look_at, watched=False)
            self._wait(unit, look_at + WAIT_S, watched=True)
            self._wait(unit, ends, watched=False)
        told = {"order": np.array(orders), "ordered": np.array(ordered), "good": np.array(self.good), "seed": self.seed}
        names = {key: f"observation.{key}" for key in SEEN}
        names |= {camera: f"observation.images.{camera}" for camera in scene.CAMERAS}
        return {names.get(key, key): np.array(rows) for key, rows in self.rows.items()} | told

    def _push(self, rng: np.random.Generator, unit: int) -> None:
        """Perhaps push a hand that is between two moves."""
        for arm in self.expert.arms:
            if arm.moves or not _may_be_pushed(arm) or rng.uniform() > PUSH_CHANCE:
                continue
            periods = round(PUSH_S / CONTROL_S)
            shift = np.append(rng.uniform(-PUSH_M, PUSH_M, 3), [0, 0, rng.uniform(-PUSH_RAD, PUSH_RAD)]) / periods
            shift[2] = abs(shift[2])  # up: nothing is there
            assert (np.abs(shift[:3]) <= EE_STEP_M).all() and abs(shift[5]) <= EE_STEP_RAD
            action = self.station.hold
            action[7 * arm.side : 7 * arm.side + 6] = shift
            for _ in range(periods):
                self._step(action, unit, labelled=False)

    def _wait(self, unit: int, until_s: float, watched: bool) -> None:
        """Both hands have finished: hold, as the expert does, till a time in this unit, or its end."""
        while len(self.good) == unit and self.station.now < until_s - 1e-6:
            self._step(self.station.hold, unit, labelled=True, watched=watched)

    def _step(self, action: np.ndarray, unit: int, labelled: bool, watched: bool = True) -> None:
        if watched:
            self._keep(action, unit, labelled)
        elif self.recording:
            self.segment, self.recording = self.segment + 1, False
        self.station.draws = watched
        self.observation, _, _, _, info = self.station.step(action)
        self.good += [event.kind == UNIT_GOOD for event in info["events"] if event.kind in UNIT_ENDED]

    def _keep(self, action: np.ndarray, unit: int, labelled: bool) -> None:
        if not self.recording:  # the cameras slept
            self.observation |= self.station.look()
            self.recording = True
        rows = self.rows
        if self.station.eyes.pictures != self.drawn:
            self.drawn = self.station.eyes.pictures
            for camera in scene.CAMERAS:
                rows[camera].append(self.observation[f"observation.images.{camera}"])
        for key in SEEN:
            kept = np.float16 if key == "touch" else np.float32
            rows[key].append(self.observation[f"observation.{key}"].astype(kept))
        rows["action"].append(np.asarray(action, np.float32).copy())
        rows["labelled"].append(labelled)
        rows["picture"].append(len(rows[scene.CAMERAS[0]]) - 1)
        rows["unit"].append(unit)
        rows["segment"].append(self.segment)


def _may_be_pushed(arm: Arm) -> bool:
    return arm.phase in PUSHED_PHASES and not arm.finished
