"""What the inspector learns from: the looks that it would take, at fixtures of which half of the pins are bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from takt.stations.inspection.eyes import Eyes
from takt.stations.inspection.fixtures import CLASSES, SIDES, Fixtures
from takt.stations.inspection.net.looks import TAUGHT, cut_out, view_of, where

FIRST_SEED = 2_000_000  # seeds below a million are for evaluation, and never used here
BAD_SHARE = 0.5
SHARD = 50  # fixtures


@dataclass(frozen=True)
class Lessons:
    """Looks, in order: fixture by fixture, side by side, TAUGHT of each.

    picture   (n, CROP, CROP, 3) uint8.
    view      (n, VIEW) float32.
    answer    (n,) int64: the index in CLASSES.
    """

    picture: np.ndarray
    view: np.ndarray
    answer: np.ndarray


def collect(folder: Path, fixtures: int, seed: int, difficulty: str, say: Callable[[int], None]) -> Lessons:
    """Looks at so many fixtures, shard by shard; a run that was cut off goes on. `say` is told how many there are."""
    if seed < FIRST_SEED:
        raise ValueError(f"seed {seed} is for evaluation; lessons begin at {FIRST_SEED}")
    folder.mkdir(parents=True, exist_ok=True)
    shards = [folder / f"{shard:04}.npz" for shard in range(-(-fixtures // SHARD))]
    cell = Fixtures(difficulty, BAD_SHARE)
    eyes = Eyes(cell, difficulty, 224)
    for number, shard in enumerate(shards):
        if not shard.exists():
            unfinished = shard.with_suffix(".part")
            with unfinished.open("wb") as file:
                np.savez(file, **vars(_shard(cell, eyes, seed + number)))
            unfinished.replace(shard)
        say(min(fixtures, (number + 1) * SHARD))
    eyes.close()
    cell.close()
    loaded = [np.load(shard) for shard in shards]
    return Lessons(*(np.concatenate([one[name] for one in loaded]) for name in ("picture", "view", "answer")))


def _shard(cell: Fixtures, eyes: Eyes, seed: int) -> Lessons:
    pictures, views, answers = [], [], []
    for unit in range(SHARD):
        truth = cell.show(seed, unit)
        for at, side in enumerate(SIDES):
            for look in range(1, TAUGHT + 1):
                view = view_of(side, look)
                pictures.append(cut_out(eyes.picture(seed, unit, at * TAUGHT + look, view)))
                views.append(where(view))
                answers.append(CLASSES.index(str(truth[side]["class"])))
    return Lessons(np.array(pictures), np.array(views), np.array(answers, np.int64))
