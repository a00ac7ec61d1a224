"""Learning from roll-outs: regression of the teacher's lessons, with words drawn anew for every sample.

What a hand is to do depends on the order only through the nut that its side is to get, so any text that asks for that
nut on that side goes with a sample; the reader so sees far more texts than there are units. Batches are drawn by a
generator of its own, the state is written after every pass, and learning goes on where it was cut off.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from takt.stations.nutcell import orders
from takt.stations.nutcell.vla import features
from takt.stations.nutcell.vla.net import UNIT, Policy

TEXTS, POOL = 32, 16_000  # in a batch, every sample takes one of them; and in the pool that they are drawn from
DRAWN = ("wrist", "head", "body", "start", "knots", "grip", "phase", "target", "pin", "ordered")
NEWEST = 16_000  # rows
READER = 0.3  # of the rate: the transformer of the texts learns slower
AVERAGED = 0.995  # of the running average that a step leaves
WEIGHT = {"knots": 1.0, "grip": 1.0, "phase": 0.3, "target": 0.2, "pin": 0.2, "ordered": 1.0}


class Book:
    """All samples of the shards, a row a hand and moment."""

    def __init__(self) -> None:
        self.parts: dict[str, list[np.ndarray]] = {key: [] for key in DRAWN}
        self.read: set[str] = set()
        self.rows: dict[str, np.ndarray] = {}

    def add(self, shards: Iterable[Path]) -> Book:
        for shard in shards:
            if shard.name in self.read:
                continue
            self.read.add(shard.name)
            with np.load(shard) as kept:
                for key in DRAWN:
                    self.parts[key].append(kept[key])
        self.rows = {}
        return self

    def __len__(self) -> int:
        return 2 * sum(len(part) for part in self.parts["grip"])

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Which rows go into a batch: half of them of the newest NEWEST, where the policy is at home."""
        rows = len(self)
        newest = rng.integers(max(0, rows - NEWEST), rows, size=count // 2)
        return np.concatenate([rng.integers(rows, size=count - count // 2), newest])

    def batch(self, at: np.ndarray) -> dict[str, np.ndarray]:
        if not self.rows:
            self.rows = {key: np.concatenate(parts) for key, parts in self.parts.items()}
            self.parts = {key: [rows] for key, rows in self.rows.items()}
        return {key: rows[at // 2, at % 2] for key, rows in self.rows.items()} | {"side": at % 2}


class Words:
    """Texts of the training phrasings, drawn at random from a pool that is made once, and what they ask for."""

    def __init__(self, rng: np.random.Generator, pool: int = POOL) -> None:
        first = int(rng.integers(1_000_000, 2**40))
        drawn = [orders.order(first, unit) for unit in range(pool)]
        self.texts = np.stack([features.text_of(order.text) for order in drawn])
        self.parts = np.array([order.parts for order in drawn])

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(count, TEXT) and (count, 2): blocks of four texts, so that each pair is asked for a quarter of the time."""
        blocks = rng.integers(len(self.texts) // 4, size=count // 4)
        at = (4 * blocks[:, None] + np.arange(4)).ravel()
        return self.texts[at], self.parts[at]


def losses(policy: Policy, batch: dict[str, np.ndarray], words: Words, rng: np.random.Generator, device: Any) -> Any:
    texts, parts = words.draw(rng, TEXTS)
    side, wanted = batch["side"], batch["ordered"]
    fits = [[np.flatnonzero(parts[:, s] == part) for part in range(2)] for s in range(2)]
    which = np.array([rng.choice(fits[s][p]) for s, p in zip(side, wanted, strict=True)])

    def on(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    read = policy.reader(on(texts))
    light = on(rng.uniform(0.9, 1.1, (2, len(side), 1, 1, 1)).astype(np.float32))  # light that differs
    wrist, head = (on(batch[key]) * light[n] for n, key in enumerate(("wrist", "head")))
    found = policy(wrist, head, on(batch["body"]), read[on(which), on(side)])
    goal = np.arcsinh((batch["knots"] - batch["start"][:, None]) / np.array(UNIT, np.float32)).astype(np.float32)
    there = on((np.abs(batch["target"]).max(axis=1) > 0).astype(np.float32))
    target = on(np.arcsinh(batch["target"] / 0.002).astype(np.float32))
    pin = on(np.arcsinh(batch["pin"] / 0.002).astype(np.float32))
    read_parts = policy.ordered(read).flatten(0, 1)
    return {
        "knots": functional.smooth_l1_loss(found["knots"], on(goal), beta=0.3),
        "grip": functional.binary_cross_entropy_with_logits(found["grip"], on(batch["grip"].astype(np.float32))),
        "phase": functional.cross_entropy(found["phase"], on(batch["phase"].astype(np.int64))),
        "target": (functional.smooth_l1_loss(found["target"], target, reduction="none").mean(1) * there).mean(),
        "pin": functional.smooth_l1_loss(found["pin"], pin),
        "ordered": functional.cross_entropy(read_parts, on(parts.reshape(-1).astype(np.int64))),
    }


class Learner:
    """A policy being learned: its weights, their running average, Adam's state, and how many steps it has had.

    The average is what acts, it is much steadier than the weights of any one step. `save` and `load` go on exactly.
    """

    def __init__(self, seed: int = 0, rate: float = 1e-3, device: Any = "cpu") -> None:
        torch.manual_seed(seed)
        self.seed, self.rate, self.device, self.steps = seed, rate, device, 0
        self.policy = Policy().to(device)
        self.average = copy.deepcopy(self.policy).eval()
        reader = list(self.policy.reader.parameters())
        others = [p for name, p in self.policy.named_parameters() if not name.startswith("reader.")]
        groups = [{"params": others, "share": 1.0}, {"params": reader, "share": READER}]
        self.adam = torch.optim.AdamW(groups, lr=rate, weight_decay=1e-4)
        self.words = Words(np.random.default_rng([seed, 1]))

    def save(self, path: Path) -> None:
        state = {
            "policy": self.policy.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
            "steps": self.steps,
        }
        unfinished = path.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def load(self, path: Path) -> Learner:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.policy.load_state_dict(state["policy"])
        self.average.load_state_dict(state.get("average", state["policy"]))
        self.adam.load_state_dict(state["adam"])
        self.steps = state["steps"]
        return self

    def scale_by(self, book: Book) -> None:
        """Numbers of the body are told in their own spread over these samples."""
        body = book.batch(np.random.default_rng(self.seed).integers(len(book), size=4096))["body"]
        for policy in (self.policy, self.average):
            policy.body_mean.copy_(torch.from_numpy(body.mean(axis=0)))
            policy.body_scale.copy_(torch.from_numpy(body.std(axis=0) + 0.1))

    def learn(
        self,
        book: Book,
        steps: int,
        batch: int = 256,
        falls_to: float = 1.0,
        on_step: Callable[[int, dict[str, float]], None] | None = None,
    ) -> dict[str, float]:
        """`steps` steps over the book; the rate falls to `falls_to` of itself. Gives back the losses' running means."""
        rng = np.random.default_rng([self.seed, 2, self.steps])
        self.policy.train()
        means: dict[str, float] = {}
        for step in range(steps):
            fallen = falls_to + (1 - falls_to) * 0.5 * (1 + np.cos(np.pi * step / steps))
            for group in self.adam.param_groups:
                group["lr"] = float(group["share"] * self.rate * min(1.0, (self.steps + 1) / 100) * fallen)
            lost = losses(self.policy, book.batch(book.draw(rng, batch)), self.words, rng, self.device)
            total = torch.stack([WEIGHT[key] * value for key, value in lost.items()]).sum()
            self.adam.zero_grad()
            total.backward()
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
            self.adam.step()
            self._average()
            self.steps += 1
            for key, value in lost.items():
                means[key] = 0.98 * means.get(key, float(value.detach())) + 0.02 * float(value.detach())
            if on_step is not None:
                on_step(step, means)
        return means

    @torch.no_grad()
    def _average(self) -> None:
        share = max(1 - AVERAGED, 1 / (self.steps + 1))
        for mean, now in zip(self.average.parameters(), self.policy.parameters(), strict=True):
            mean.lerp_(now, share)


FILLERS = {"en": ("please", "thanks", "now", "then", "ok,", "and", "the"), "zh": ("请", "谢谢", "，", "要", "装", "的")}
LOST, FILLED, MOVED = 0.04, 3, 24  # chance of a character to be lost; words put in; places that a text is moved by


def spoiled(text: str, rng: np.random.Generator) -> str:
    """The text as somebody else might have typed it: letters lost, words of no meaning put in, spaces before it."""
    words = text.split(" ") if text.isascii() else list(text)
    for _ in range(int(rng.integers(FILLED + 1))):
        fillers = FILLERS["en" if text.isascii() else "zh"]
        words.insert(int(rng.integers(len(words) + 1)), fillers[int(rng.integers(len(fillers)))])
    joined = (" " if text.isascii() else "").join(words)
    kept = "".join(letter for letter in joined if rng.uniform() > LOST)
    return " " * int(rng.integers(MOVED)) + kept


def polish_reader(learner: Learner, steps: int, batch: int = 64, rate: float = 5e-4) -> None:
    """Teach the reader, and nothing else, to read spoiled texts as it reads clean ones.

    What it tells the hands, its WORDS numbers for a side and a nut, is held where it was on average, so that the hands
    do what they did. Only the training's phrasings are used.
    """
    policy, rng = learner.average, np.random.default_rng([learner.seed, 3])
    drawn = [orders.order(int(rng.integers(1_000_000, 2**40)), unit) for unit in range(POOL // 2)]
    parts = torch.from_numpy(np.array([order.parts for order in drawn]))
    with torch.no_grad():
        told = policy.reader(torch.from_numpy(np.stack([features.text_of(order.text) for order in drawn[:1024]])))
        means = torch.stack(
            [torch.stack([told[parts[:1024, s] == part, s].mean(dim=0) for part in range(2)]) for s in range(2)]
        )
    adam = torch.optim.AdamW(policy.reader.parameters(), lr=rate, weight_decay=1e-3)
    for step in range(steps):
        adam.param_groups[0]["lr"] = float(rate * 0.5 * (1 + np.cos(np.pi * step / steps)))
        at = rng.integers(len(drawn), size=batch)
        texts = [drawn[i].text if rng.uniform() < 0.25 else spoiled(drawn[i].text, rng) for i in at]
        read = policy.reader(torch.from_numpy(np.stack([features.text_of(text) for text in texts])))
        asked = parts[torch.from_numpy(at)]
        goal = torch.stack([means[s][asked[:, s]] for s in range(2)], dim=1)
        lost = functional.cross_entropy(policy.ordered(read).flatten(0, 1), asked.flatten())
        lost = lost + functional.mse_loss(read, goal)
        adam.zero_grad()
        lost.backward()
        torch.nn.utils.clip_grad_norm_(policy.reader.parameters(), 1.0)
        adam.step()


@torch.no_grad()
def reading(policy: Policy, phrasings: str, language: str, count: int = 400, device: Any = "cpu") -> float:
    """The share of sides that the reader reads right, over texts of these phrasings."""
    drawn = [orders.order(999_000, unit, language, phrasings) for unit in range(count)]
    texts = torch.from_numpy(np.stack([features.text_of(order.text) for order in drawn])).to(device)
    found = policy.ordered(policy.reader(texts)).argmax(dim=2).cpu().numpy()
    return float((found == np.array([order.parts for order in drawn])).mean())
