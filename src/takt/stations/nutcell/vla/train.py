"""`takt train nutcell`: the learned worker from nothing, stage by stage.

    demos    roll-outs that the teacher leads
    clone    behaviour cloning: the policy learns what the teacher did
    dagger   rounds: the policy leads, the teacher says at every moment what it would have done, the policy learns
    export   the policy as an ONNX file, and the learning curve

Every stage leaves what it made in the folder, and a stage that was cut off goes on where it was. In a round the
roll-outs are led by the policy of the round before, while the next one learns from the roll-outs so far: so the cores
are busy, and what comes out does not depend on which is faster. Same code on CPU and GPU.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from takt.contract.station import TaktError
from takt.stations.nutcell.vla.export import export
from takt.stations.nutcell.vla.learn import Book, Learner, polish_reader, reading
from takt.stations.nutcell.vla.rollouts import FIRST_SEED, led_by
from takt.writing import claim_folder

RECIPE = "recipe.json"  # in the folder of a training: what it was begun with
STAGES = ("demos", "clone", "dagger", "export")
Say = Callable[[str, int, int, str], None]  # stage, done, of, figures


@dataclass(frozen=True)
class Recipe:
    """How much of everything. Units are of 76 s, in shards of `shard_units`."""

    demo_units: int = 224
    demo_shard_units: int = 8
    clone_steps: int = 1500
    rounds: int = 20
    round_units: int = 24
    round_steps: int = 600
    last_steps: int = 3600  # after the last round, the rate falling to nothing
    reader_steps: int = 2400  # then, of the reader alone, on spoiled texts
    shard_units: int = 6
    share: float = 0.8  # of hands that the policy leads through a whole unit; the others are led in turn
    batch: int = 256
    rate: float = 1e-3
    seed: int = 0
    difficulty: str = "plant"


SMOKE = Recipe(
    demo_units=24,
    clone_steps=500,
    rounds=2,
    round_units=8,
    round_steps=150,
    last_steps=300,
    reader_steps=100,
    shard_units=4,
)


def train(
    folder: Path,
    stages: Sequence[str] = (),
    *,
    recipe: Recipe | None = None,
    smoke: bool = False,
    seed: int = 0,
    processes: int = 2,
    threads: int = 1,
    device: str = "cpu",
    say: Say = lambda stage, done, of, figures: None,
) -> Path:
    """Do the stages (none is all), in their order; gives back the path of the policy that `export` writes.

    Raises TaktError if something given is wrong, or if a stage has to be done before.
    """
    for stage in stages:
        if stage not in STAGES:
            raise TaktError(f"no stage {stage!r}; the stages are, in this order: {', '.join(STAGES)}")
    if device != "cpu" and not (device.startswith("cuda") and torch.cuda.is_available()):
        raise TaktError(f"PyTorch finds no {device!r} here; use --device cpu")
    stages = stages or STAGES
    recipe = recipe or replace(SMOKE if smoke else Recipe(), seed=seed)
    claim_folder(folder, RECIPE)
    _same_recipe(folder, recipe)
    torch.set_num_threads(threads)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        if "demos" in stages:
            demos(folder, recipe, pool, say)
        if "clone" in stages:
            clone(folder, recipe, device, say)
        if "dagger" in stages:
            dagger(folder, recipe, pool, device, say)
    if "export" in stages:
        finish(folder, recipe, say)
    return folder / "policy.onnx"


def _same_recipe(folder: Path, recipe: Recipe) -> None:
    """What is in the folder was made by one recipe."""
    path, told = folder / RECIPE, json.dumps(asdict(recipe), indent=1)
    if path.read_text() not in ("", told):  # empty: claimed just now
        raise TaktError(f"{folder} was begun with another recipe or seed ({path.name} in it); give another folder")
    path.write_text(told)


def _needed(path: Path | None, stage: str) -> None:
    if path is None or not path.exists():
        raise TaktError(f"nothing to go on from: do the stage {stage!r} first")


def demos(folder: Path, recipe: Recipe, pool: ProcessPoolExecutor, say: Say) -> None:
    jobs = _roll_outs(folder, "demo", 0, recipe.demo_units, None, 0.0, recipe, pool)
    for done, job in enumerate(jobs, start=1):
        told = job.result()
        say("demos", done, len(jobs), f"{told['good']} of {told['units']} units good")


def clone(folder: Path, recipe: Recipe, device: str, say: Say) -> None:
    if (folder / "round-000.pt").exists():
        return
    learner = Learner(recipe.seed, recipe.rate, device)
    shards = _shards(folder, "demo")
    _needed(shards[0] if shards else None, "demos")
    book = Book().add(shards)
    learner.scale_by(book)
    _learn(folder, learner, book, recipe.clone_steps, recipe, "clone", 0, 1.0, say)
    learner.save(folder / "round-000.pt")
    export(learner.average, folder / "round-000.onnx")


def dagger(folder: Path, recipe: Recipe, pool: ProcessPoolExecutor, device: str, say: Say) -> None:
    _needed(folder / "round-000.pt", "clone")
    learner, book = Learner(recipe.seed, recipe.rate, device), Book().add(_shards(folder, "demo"))
    for number in range(1, recipe.rounds + 1):
        before = folder / f"round-{number - 1:03d}.onnx"
        jobs = _roll_outs(folder, "dagger", number, recipe.round_units, before, recipe.share, recipe, pool)
        if not (folder / f"round-{number:03d}.onnx").exists():
            learner.load(folder / f"round-{number - 1:03d}.pt")
            book.add(_shards(folder, *(f"dagger-{n:03d}" for n in range(1, number))))
            learner.rate = recipe.rate * (1 - 0.5 * number / recipe.rounds)  # slower and slower
            last = number == recipe.rounds
            if last:
                _wait_for(jobs)
                book.add(_shards(folder, f"dagger-{number:03d}"))
            steps = recipe.last_steps if last else recipe.round_steps
            _learn(folder, learner, book, steps, recipe, "dagger", number, 0.0 if last else 1.0, say)
            learner.save(folder / f"round-{number:03d}.pt")
            export(learner.average, folder / f"round-{number:03d}.onnx", {"round": number})
        good = units = 0
        for told in _wait_for(jobs):
            alone = [g for g, (solo, helped) in zip(told["outcome"], told["alone"], strict=True) if solo and not helped]
            good, units = good + sum(alone), units + sum(solo for solo, _ in told["alone"])
        _note(folder, {"stage": "dagger", "round": number, "good": good, "units": units})
        say("dagger", number, recipe.rounds, f"led alone through {units} units: {good} good by itself")


def finish(folder: Path, recipe: Recipe, say: Say) -> None:
    last = max(folder.glob("round-*.pt"), default=None)
    _needed(last, "clone")
    assert last is not None
    learner = Learner(recipe.seed, recipe.rate).load(last)
    polish_reader(learner, recipe.reader_steps)
    about: dict[str, Any] = {"recipe": asdict(recipe), "steps": learner.steps}
    about["read_held_out"] = {tongue: reading(learner.average, "held_out", tongue) for tongue in ("en", "zh")}
    export(learner.average, folder / "policy.onnx", about)
    (folder / "about.json").write_text(json.dumps(about, indent=1))
    _draw(folder)
    say("export", 1, 1, f"{folder / 'policy.onnx'}")


def _roll_outs(
    folder: Path,
    stage: str,
    number: int,
    units: int,
    model: Path | None,
    share: float,
    recipe: Recipe,
    pool: ProcessPoolExecutor,
) -> list[Future[dict[str, Any]]]:
    """Shards of one stage or round that are not there yet."""
    jobs = []
    each = recipe.shard_units if number else recipe.demo_shard_units
    for shard in range(-(-units // each)):
        seed = FIRST_SEED + 1_000_000 * recipe.seed + 1000 * number + shard
        path = folder / f"{stage}-{number:03d}-{seed}.npz"
        if not path.exists():
            job = (path, seed, each, model, share, recipe.difficulty)
            jobs.append(pool.submit(led_by, *job))
    return jobs


def _wait_for(jobs: Sequence[Future[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [job.result() for job in jobs]


def _shards(folder: Path, *stages: str) -> list[Path]:
    return sorted(path for stage in stages for path in folder.glob(f"{stage}-*.npz"))


def _learn(
    folder: Path,
    learner: Learner,
    book: Book,
    steps: int,
    recipe: Recipe,
    stage: str,
    number: int,
    falls_to: float,
    say: Say,
) -> None:
    began = time.perf_counter()

    def on_step(step: int, means: dict[str, float]) -> None:
        if step % 50 == 49 or step + 1 == steps:
            seconds = round(time.perf_counter() - began, 1)
            row = {"stage": stage, "round": number, "steps": learner.steps, "samples": len(book), "seconds": seconds}
            _note(folder, row | {key: round(value, 5) for key, value in means.items()})
            say(stage, step + 1, steps, f"round {number}: " + " ".join(f"{k} {v:.4f}" for k, v in means.items()))

    learner.learn(book, steps, recipe.batch, falls_to, on_step)


COLUMNS: tuple[str, ...] = (
    "stage",
    "round",
    "steps",
    "samples",
    "seconds",
    "knots",
    "grip",
    "phase",
    "target",
    "pin",
    "ordered",
)
COLUMNS += ("good", "units")


def _note(folder: Path, row: dict[str, Any]) -> None:
    """A row of the learning curve."""
    path = folder / "curve.csv"
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def _draw(folder: Path) -> None:
    """The learning curve as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with (folder / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    learned = [row for row in rows if row["steps"]]
    for key in ("knots", "grip", "phase", "ordered"):
        left.plot([int(row["steps"]) for row in learned], [float(row[key]) for row in learned], label=key, lw=1)
    left.set(xlabel="steps", ylabel="loss", yscale="log")
    left.legend()
    led = [row for row in rows if row["units"] and int(row["units"])]
    right.plot([int(r["round"]) for r in led], [int(r["good"]) / int(r["units"]) for r in led], "o-", ms=3)
    right.set(xlabel="round", ylabel="units good, led alone", ylim=(0, 1))
    figure.tight_layout()
    figure.savefig(folder / "curve.png", dpi=100)
    plt.close(figure)
