"""Roll-outs to learn from: hands led by the teacher, by the student, or by both in turn, and what the teacher would do.

A shard is one shift from a seed of its own. Every 0.4 s both hands are asked about: what the network is given goes into
the shard, and beside it the teacher's lesson, whoever leads. So the first shards, which the teacher leads, are
demonstrations, and later ones, which the student leads, are what DAgger needs (Ross et al., arXiv 1011.0686).

Hands are disturbed now and then, so that coming back is shown as well. When both have nothing left to do the clock is
put forward to the end of the unit; a shift of demonstrations is a third of a shift of work. Only NumPy is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.events import UNIT_ENDED, UNIT_GOOD
from takt.stations.nutcell.layout import CONTROL_S, TAKT_S
from takt.stations.nutcell.station import NutCell
from takt.stations.nutcell.variation import stream
from takt.stations.nutcell.vla import features, teacher
from takt.stations.nutcell.vla.chunks import actions_of, flat, roll_forward
from takt.stations.nutcell.vla.teacher import KNOTS, PERIODS, PHASES

FIRST_SEED = 2_000_000  # of roll-outs; seeds below a million are for evaluation, and never used here
LATE = (4, 4, 4, 4, 4, 4, 0, 8, 10, 20)  # control periods that thinking takes, one of them drawn for each unit
GIVE_UP_S = (24.0, 44.0)  # of a unit: then the teacher leads what the student has not finished; then it is left
PAUSE = 2  # plans in which there is nothing to do, before the clock is put forward
WAIT = PHASES.index("wait")
# The chance of a plan to let the nut go, by phase: nuts that are lost half way, and nuts that lie about.
DROP = np.array([{"insert": 0.03, "search": 0.03, "press": 0.03, "carry": 0.04}.get(phase, 0.0) for phase in PHASES])

# (wrist, head, body, text) -> knots (2, KNOTS, 4), grips (2,)
Student = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def roll_out(
    path: Path, seed: int, units: int, student: Student | None, share: float, difficulty: str = "plant"
) -> dict[str, Any]:
    """One shard: `units` units from `seed`, written whole or not at all.

    share   of the time that the student leads a hand; 0 is a demonstration. Gives back what came of it.
    """
    if seed < FIRST_SEED:
        raise ValueError(f"seed {seed} is for evaluation; roll-outs begin at {FIRST_SEED}")
    station = NutCell(
        difficulty, cameras=features.CAMERAS, camera_hz=1 / (PERIODS * CONTROL_S), privileged=True, line="mixed"
    )
    try:
        shard = _Shift(station, seed, student, share).work(units)
    finally:
        station.close()
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("wb") as file:
        np.savez(file, allow_pickle=False, **shard)
    unfinished.replace(path)
    good, alone = shard["good"].tolist(), shard["alone"].tolist()
    return {"units": len(good), "good": sum(good), "outcome": good, "alone": alone}


def led_by(
    path: Path, seed: int, units: int, model: Path | None, share: float, difficulty: str = "plant"
) -> dict[str, Any]:
    """`roll_out`, with the policy in the ONNX file `model` as its student."""
    if model is None:
        return roll_out(path, seed, units, None, share, difficulty)
    from takt.stations.nutcell.vla.worker import Network

    return roll_out(path, seed, units, Network(model).student, share, difficulty)


class _Shift:
    def __init__(self, station: NutCell, seed: int, student: Student | None, share: float) -> None:
        self.station, self.seed, self.student, self.share = station, seed, student, share
        self.kinematics = features.Kinematics()
        self.observation, _ = station.reset(seed=seed)
        self.rows: dict[str, list[Any]] = {
            key: [] for key in ("wrist", "head", "body", "start", "knots", "grip", "phase", "target", "pin", "ordered")
        }
        self.good: list[bool] = []

    def work(self, units: int) -> dict[str, Any]:
        station, alone = self.station, []
        pending = np.zeros((0, 15), np.float32)
        for unit in range(units):
            rng = stream(self.seed, unit, "rollout")
            late = int(rng.choice(LATE))
            told = np.concatenate([pending, np.repeat(station.hold[None], 20, axis=0)])
            pending = told[:late]
            solo = rng.uniform(size=2) < self.share  # the student leads this hand for the whole unit
            leads, idle, helped, skipped = solo.copy(), 0, False, False
            while len(self.good) == unit:
                unit_s = station.now - unit * TAKT_S
                if self.student is not None and not solo.all():
                    turn = rng.uniform(size=2) < 0.08
                    leads = np.where(turn & ~solo, rng.uniform(size=2) < max(self.share, 0.3), leads)
                if GIVE_UP_S[0] < unit_s < GIVE_UP_S[1] + 2 and not skipped:
                    leads[:], helped = False, True
                actions, idles = self._plan(pending, late, leads, rng)
                idle = idle + 1 if idles else 0
                if (idle > PAUSE or unit_s > GIVE_UP_S[1]) and unit_s < TAKT_S - 3:
                    station.put_forward(1.2)
                    idle, skipped = 0, True
                queue = np.concatenate([pending, actions])
                for action in queue[:PERIODS]:
                    self.observation, _, _, _, info = station.step(action)
                    self.good += [e.kind == UNIT_GOOD for e in info["events"] if e.kind in UNIT_ENDED]
                pending = queue[PERIODS:]
            alone.append([bool(solo.all()), helped])
        kept = {key: np.array(rows) for key, rows in self.rows.items()}
        return kept | {"good": np.array(self.good), "alone": np.array(alone), "seed": self.seed}

    def _plan(
        self, pending: np.ndarray, late: int, leads: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, bool]:
        """The next actions (PERIODS, 15), and whether the teacher has nothing to do."""
        seen = self.observation
        ahead = roll_forward(seen["observation.setpoint"], pending)
        last = pending[-1] if len(pending) else self.station.hold
        grip, start = np.array([last[6], last[13]]), flat(ahead)
        told = teacher.lessons(seen, start, grip, late * CONTROL_S)
        wrist, head = features.pictures_of(seen)
        body = features.body_of(self.kinematics, seen, ahead, grip, late)
        row = {
            "wrist": wrist,
            "head": head,
            "body": body,
            "start": start.astype(np.float32),
            "knots": np.array([lesson.knots for lesson in told], np.float32),
            "grip": np.array([lesson.grip for lesson in told], np.float32),
            "phase": np.array([lesson.phase for lesson in told], np.int8),
            "target": np.array([lesson.target for lesson in told], np.float32),
            "pin": np.array([lesson.pin for lesson in told], np.float32),
            "ordered": seen["observation.privileged"]["ordered"].astype(np.int8),
        }
        for key, value in row.items():
            self.rows[key].append(value)
        knots, grips = row["knots"].astype(np.float64), row["grip"].astype(np.float64)
        if leads.any() and self.student is not None:
            theirs = self.student(wrist, head, body, features.text_of(seen["order"]), start)
            knots = np.where(leads[:, None, None], theirs[0], knots)
            grips = np.where(leads, theirs[1], grips)
        dropped = rng.uniform(size=2) < DROP[row["phase"]]
        grips = np.where(dropped, 1.0, grips)  # a nut let go half way: it is to be seen, and taken again
        return actions_of(ahead, knots + self._disturbance(rng, leads), grips), all(row["phase"] == WAIT)

    def _disturbance(self, rng: np.random.Generator, leads: np.ndarray) -> np.ndarray:
        """(2, KNOTS, 4): what the hands do beside what they are told: seldom much, often a little."""
        chance, size = rng.uniform(size=(2, 1, 1)), np.array([0.001, 0.001, 0.0005, 0.03])
        scale = np.where(chance < 0.04, 12.0, np.where(chance < 0.15, 4.0, np.where(chance < 0.5, 1.0, 0.0)))
        scale = np.where(leads[:, None, None], np.where(chance < 0.02, 6.0, 0.0), scale)
        drift = rng.normal(size=(2, 1, 4)) * size * scale
        drift[..., 2] = np.where(scale[..., 0] > 2, np.abs(drift[..., 2]) * 3, drift[..., 2])  # up: nothing is there
        return np.repeat(drift, KNOTS, axis=1) * np.linspace(1 / KNOTS, 1, KNOTS)[None, :, None]
