"""How well a model decides: at each of a teacher's answers in worlds it never learned from, does it say the same?

One pass over a conversation measures all its answers (teacher forcing): an answer is right if every one of its tokens
is the likeliest after those before it, which is what decoding without temperature would write. Token accuracy says
little: with 99.4 % of the tokens right, every third hotel can be forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from takt.train.lessons import Lesson
from takt.train.shared import logits_of, said_by

Ask = Callable[[Sequence[Lesson]], list[torch.Tensor]]
TOGETHER = 8  # lessons that are looked at at once


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions of a kind: how many, at how many the tool was right, at how many tool and arguments were."""

    many: int
    tool: int
    call: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Over all decisions of some lessons. `token_loss` in nats a token of the answers; `tokens_right` a share.

    units_right    the share of conversations in which every decision is right, weighed by how often each kind comes in
                   the worlds that were measured: how much of a shift there is expected to be the teacher's.
    """

    token_loss: float
    tokens_right: float
    by_kind: Mapping[str, Decided]
    units_right: float

    @property
    def tools_right(self) -> float:
        return self._share(sum(kind.tool for kind in self.by_kind.values()))

    @property
    def calls_right(self) -> float:
        return self._share(sum(kind.call for kind in self.by_kind.values()))

    def _share(self, right: int) -> float:
        return right / max(1, sum(kind.many for kind in self.by_kind.values()))

    def wrong(self) -> dict[str, float]:
        """The share of wrong calls by kind."""
        return {name: 1.0 - kind.call / kind.many for name, kind in self.by_kind.items()}

    def as_json(self) -> dict[str, Any]:
        kinds = {name: [kind.many, kind.tool, kind.call] for name, kind in sorted(self.by_kind.items())}
        told = {"token_loss": round(self.token_loss, 5), "tokens_right": round(self.tokens_right, 5)}
        told["units_right"] = round(self.units_right, 4)
        return {**told, "tools_right": round(self.tools_right, 4), "calls_right": round(self.calls_right, 4)} | {
            "by_kind": kinds
        }


@torch.no_grad()
def measure(
    causal: Any, lessons: Sequence[Lesson], often: Mapping[str, int] | None = None, asked: Ask | None = None
) -> Measured:
    """Measure a model of transformers on lessons.

    often   how many of each kind there are where these are from.
    asked   what the model would say at the answers of some lessons, if there is a faster way than `logits_of`.
    """
    asked = asked or partial(logits_of, causal)
    whole: dict[str, list[bool]] = defaultdict(list)
    was, loss, right, many = causal.training, 0.0, 0, 0
    kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    causal.eval()
    for begun in range(0, len(lessons), TOGETHER):
        part = lessons[begun : begun + TOGETHER]
        for lesson, logits in zip(part, asked(part), strict=True):
            said = said_by(lesson)
            wanted = torch.tensor([lesson.ids[at] for at in said], device=logits.device)
            loss += float(torch.nn.functional.cross_entropy(logits, wanted, reduction="sum"))
            hit = dict(zip(said, (logits.argmax(-1) == wanted).tolist(), strict=True))
            right, many = right + sum(hit.values()), many + len(hit)
            whole[lesson.kinds].append(all(hit.values()))
            for decision in lesson.decisions:
                kind = kinds[decision.kind]
                kind[0] += 1
                kind[1] += all(hit[at] for at in range(decision.first, decision.named))
                kind[2] += all(hit[at] for at in range(decision.first, decision.last))
    causal.train(was)
    weights = {name: (often or {}).get(name, len(done)) for name, done in whole.items()}
    units = sum(weights[name] * sum(done) / len(done) for name, done in whole.items()) / max(1, sum(weights.values()))
    by_kind = {name: Decided(*n) for name, n in kinds.items()}
    return Measured(loss / max(1, many), right / max(1, many), by_kind, units)
