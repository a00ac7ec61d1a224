"""A model of which the lower layers are frozen, in two halves: what the lower says of a lesson never changes, so it is
computed once and kept (some 0.3 MB a lesson of 300 tokens of a model that is 576 wide); a step reads the upper half.

Only for models that are a list of layers between an embedding and a norm (Llama, Qwen 2 and 3, and their like), which
is found out by trying: the halves must say what the whole says.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from takt.train.attention import NAME
from takt.train.lessons import Lesson
from takt.train.shared import WORTH, alike_in, cache_named, copied, logits_of, said_by

NEAR = 1e-2  # of the largest logit: halves that differ by more from the whole are not the model


class Halves:
    """What a model would say at the answers of several lessons, as `shared.logits_of`, gradients above the cut only."""

    def __init__(self, causal: Any, many: int, lessons: Sequence[Lesson]) -> None:
        """`many`: the lower layers. `lessons`: all that will be asked for; what they begin with alike is read once."""
        core = causal.base_model
        self._causal, self._memory = causal, cache_named(causal)
        self._lower = _twin(core, core.layers[:many], torch.nn.Identity())
        self._upper = _twin(core, core.layers[many:], core.norm)
        alike = alike_in(lessons)
        self._begin = lessons[0].ids[: alike if alike >= WORTH else 0]
        self._begun: torch.Tensor | None = None
        self._known: Any = None
        self._states: dict[tuple[int, ...], torch.Tensor] = {}

    def logits_of(self, lessons: Sequence[Lesson]) -> list[torch.Tensor]:
        """For each lesson the logits of every token that is to be said, (tokens, vocabulary), in 32 bits."""
        states = [self._state(lesson) for lesson in lessons]
        skip, known = len(self._begin), None
        if self._begun is not None:
            known = DynamicCache()
            self._run(self._upper, known, 0, inputs_embeds=self._begun)
        said = []
        for lesson, state in zip(lessons, states, strict=True):
            own = copied(known) if known is not None else DynamicCache()
            last = self._run(self._upper, own, skip, inputs_embeds=state)[0]
            said.append(last[[at - 1 - skip for at in said_by(lesson)]])
        whole = self._causal.get_output_embeddings()(torch.cat(said)).float()
        return list(whole.split([len(part) for part in said]))

    @torch.no_grad()
    def _state(self, lesson: Lesson) -> torch.Tensor:
        """What the lower half says of a lesson after its beginning: (1, tokens, width)."""
        if self._begin and self._begun is None:
            self._known = DynamicCache()
            self._begun = self._run(self._lower, self._known, 0, input_ids=torch.tensor([self._begin]))
        rest = lesson.ids[len(self._begin) :]
        if rest not in self._states:
            known = copied(self._known) if self._known is not None else DynamicCache()
            said = self._run(self._lower, known, len(self._begin), input_ids=torch.tensor([rest]))
            self._states[rest] = said.bfloat16() if torch.is_autocast_enabled("cpu") else said
        return self._states[rest].float()

    def _run(self, half: Any, known: Any, before: int, **given: torch.Tensor) -> torch.Tensor:
        """The half's last states, with a memory in which there are `before` tokens."""
        many = next(iter(given.values())).shape[1]
        unseen = torch.full((many, before + many), torch.finfo(torch.float32).min).triu(before + 1)
        position = torch.arange(before, before + many)[None]
        more = {"attention_mask": unseen[None, None], "position_ids": position, self._memory: known}
        states: torch.Tensor = half(**given, **more, use_cache=True).last_hidden_state
        return states


def halves(causal: Any, many: int, lessons: Sequence[Lesson]) -> Halves | None:
    """The halves of a model whose `many` lower layers are frozen; None if it is not of that kind, or not on a CPU."""
    if causal.config._attn_implementation != NAME:
        return None
    try:
        with torch.no_grad():
            shortest = min(lessons, key=lambda lesson: len(lesson.ids))
            [said] = Halves(causal, many, [shortest]).logits_of([shortest])
            [whole] = logits_of(causal, [shortest])
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, IndexError):
        return None
    same = torch.allclose(said, whole, rtol=0.0, atol=NEAR * float(whole.abs().max()))
    return Halves(causal, many, lessons) if same else None


def _twin(core: Any, layers: Sequence[Any], norm: Any) -> Any:
    """The same model with some of its layers: all weights are shared."""
    twin = copy.copy(core)
    twin._modules = {**core._modules, "layers": torch.nn.ModuleList(layers), "norm": norm}
    return twin
