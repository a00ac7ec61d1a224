"""`takt train inspection`: the inspector from nothing, in three stages.

    looks    pictures of fixtures of which half of the pins are bad, and what is true of each (lessons.py)
    learn    the network, by cross-entropy; pictures are shifted and made brighter or darker anew each time
    export   from when on a pin is bad, on other fixtures; the ONNX file

A run that was cut off goes on: looks shard by shard, learning epoch by epoch.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from takt.contract.figure import per_cent
from takt.errors import TaktError
from takt.stations.inspection.net.lessons import FIRST_SEED, Lessons, collect
from takt.stations.inspection.net.looks import CROP, TAUGHT, VIEW
from takt.stations.inspection.net.model import Inspector
from takt.stations.inspection.net.worker import log_odds_bad
from takt.writing import claim_folder

Say = Callable[[str, int, int, str], None]  # stage, done, of, figures
RECIPE = "recipe.json"  # in the folder of a training: what it was begun with
HELD_SEED = 1_000_000  # above the first seed: of the fixtures that say from when on a pin is bad


@dataclass(frozen=True)
class Recipe:
    """fixtures, held   to learn from, and to set the threshold on.
    epochs, batch, rate, shift_px    of learning; a picture is shifted by so much at most.
    """

    fixtures: int = 1200
    held: int = 300
    epochs: int = 16
    batch: int = 128
    rate: float = 1e-3
    shift_px: int = 6
    seed: int = 0
    difficulty: str = "plant"


SMOKE = Recipe(fixtures=50, held=50, epochs=2)


def train(folder: Path, recipe: Recipe, threads: int, say: Say) -> Path:
    """The folder's `inspector.onnx`. TaktError if the folder is of another recipe, or not of such a training."""
    torch.set_num_threads(threads)
    claim_folder(folder, RECIPE)
    _same(folder / RECIPE, recipe)
    first = FIRST_SEED + 2 * HELD_SEED * recipe.seed
    lessons = collect(
        folder / "train", recipe.fixtures, first, recipe.difficulty, lambda n: say("looks", n, recipe.fixtures, "")
    )
    held = collect(
        folder / "held", recipe.held, first + HELD_SEED, recipe.difficulty, lambda n: say("held", n, recipe.held, "")
    )
    network = learn(folder / "learnt.pt", lessons, held, recipe, say)
    bad_above, figures = threshold(_answers(network, held), held.answer)
    about = {"bad_above": bad_above, "recipe": vars(recipe), "held": figures}
    path = folder / "inspector.onnx"
    export(network, path, about)
    say("export", 1, 1, " ".join(f"{name} {per_cent(value, decimals=2)} %" for name, value in figures.items()))
    return path


def learn(kept: Path, lessons: Lessons, held: Lessons, recipe: Recipe, say: Say) -> Inspector:
    """The network after all epochs; `kept` is where it stands after each."""
    torch.manual_seed(recipe.seed)
    network = Inspector()
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=1e-3)
    begun = 0
    if kept.exists():
        found = torch.load(kept, weights_only=True)
        network.load_state_dict(found["network"])
        optimiser.load_state_dict(found["optimiser"])
        begun = int(found["epoch"])
    count = len(lessons.answer)
    steps = math.ceil(count / recipe.batch)
    for epoch in range(begun, recipe.epochs):
        rng = np.random.default_rng([recipe.seed, epoch])
        torch.manual_seed(recipe.seed * 1000 + epoch)
        network.train()
        order, total = rng.permutation(count), 0.0
        for step in range(steps):
            done = (epoch * steps + step) / (recipe.epochs * steps)
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate * 0.5 * (1 + math.cos(math.pi * done))
            rows = np.sort(order[step * recipe.batch : (step + 1) * recipe.batch])
            picture = _varied(lessons.picture[rows], rng, recipe.shift_px)
            answer = torch.from_numpy(lessons.answer[rows])
            loss = nn.functional.nll_loss(network(picture, torch.from_numpy(lessons.view[rows])), answer)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach())
        right = float((_answers(network, held).argmax(1) == held.answer).mean())
        unfinished = kept.with_suffix(".part")
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch + 1}
        torch.save(state, unfinished)
        unfinished.replace(kept)
        say("learn", epoch + 1, recipe.epochs, f"loss {total / steps:.4f}, looks right {per_cent(right, decimals=2)} %")
    return network.eval()


def threshold(logp: np.ndarray, answer: np.ndarray) -> tuple[float, dict[str, float]]:
    """The log-odds of the mean look from which a pin is called bad, and what comes of it on these pins.

    logp     (n, ANSWERS) of all looks, TAUGHT of a pin in a row.
    It is where escapes and false alarms together are fewest; the middle of all such places.
    """
    true = answer[::TAUGHT] > 0
    odds = log_odds_bad(logp.reshape(-1, TAUGHT, logp.shape[1]).mean(axis=1))
    places = np.sort(odds)
    between = (places[1:] + places[:-1]) / 2
    escapes = np.array([(odds[true] <= place).mean() for place in between])
    alarms = np.array([(odds[~true] > place).mean() for place in between])
    best = between[np.isclose(escapes + alarms, (escapes + alarms).min())]
    bad_above = float((best[0] + best[-1]) / 2)
    called = odds > bad_above
    return bad_above, {"escapes": float((~called[true]).mean()), "false_alarms": float(called[~true].mean())}


def export(network: Inspector, path: Path, about: dict[str, object]) -> None:
    """Write the ONNX file, checked against the network."""
    import onnx
    import onnxruntime

    generator = torch.Generator().manual_seed(0)
    example = (
        torch.randint(0, 256, (1, CROP, CROP, 3), generator=generator, dtype=torch.uint8),
        torch.zeros((1, VIEW)),
    )
    unfinished = path.with_suffix(".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            example,
            str(unfinished),
            input_names=("picture", "view"),
            output_names=("logp",),
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load(str(unfinished))
    onnx.helper.set_model_props(model, {"takt": json.dumps({"format": 1, **about}, sort_keys=True)})
    onnx.save(model, str(unfinished))
    session = onnxruntime.InferenceSession(str(unfinished), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"picture": example[0].numpy(), "view": example[1].numpy()})
    with torch.no_grad():
        worst = float(np.abs(found - network(*example).numpy()).max())
    if worst > 1e-3:
        raise RuntimeError(f"the exported network differs from the learned one by {worst:g}")
    unfinished.replace(path)


def _answers(network: Inspector, lessons: Lessons) -> np.ndarray:
    network.eval()
    with torch.no_grad():
        parts = [
            network(torch.from_numpy(lessons.picture[at : at + 512]), torch.from_numpy(lessons.view[at : at + 512]))
            for at in range(0, len(lessons.answer), 512)
        ]
    return torch.cat(parts).numpy().astype(np.float64)


def _varied(pictures: np.ndarray, rng: np.random.Generator, shift_px: int) -> torch.Tensor:
    """Shifted by up to so many pixels, and brighter or darker by up to a sixth."""
    shifted = np.empty_like(pictures)
    padded = np.pad(pictures, ((0, 0), (shift_px, shift_px), (shift_px, shift_px), (0, 0)), mode="edge")
    for row, (down, right) in enumerate(rng.integers(0, 2 * shift_px + 1, size=(len(pictures), 2))):
        shifted[row] = padded[row, down : down + CROP, right : right + CROP]
    light = rng.uniform(5 / 6, 7 / 6, size=(len(pictures), 1, 1, 1)).astype(np.float32)
    return torch.from_numpy(np.clip(shifted * light, 0, 255).astype(np.uint8))


def _same(path: Path, recipe: Recipe) -> None:
    """Raise TaktError if a folder was begun with another recipe; an empty file is of a folder claimed just now."""
    told = path.read_text()
    if told not in ("", json.dumps(vars(recipe), indent=1)):
        try:
            then = {**vars(recipe), **json.loads(told)}
        except (ValueError, TypeError):
            then = {}
        other = ", ".join(
            f"{name} {then[name]} (now {now})" for name, now in vars(recipe).items() if then.get(name, now) != now
        )
        what = other or "another recipe"
        raise TaktError(f"{path.parent} was begun with {what}; give the same options as then, or another --out")
    path.write_text(json.dumps(vars(recipe), indent=1))
