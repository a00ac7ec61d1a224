"""What a model would say at the answers of several lessons, reading what they begin with alike only once.

Conversations at one station begin with the same brief and the same tools, and in a short view that is more than half of
all tokens. The keys and values of that beginning are computed once, and gradients go back through them as well, so this
is the same sum for less work. Models whose memory is more than keys and values (DeltaNet, sliding windows) read each
lesson whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import torch
from transformers import DynamicCache

from takt.train.lessons import Lesson

WORTH = 32  # tokens in common; fewer are not worth it
PLAIN = "DynamicLayer"  # a layer of a cache that is keys and values of all that was read


def said_by(lesson: Lesson) -> list[int]:
    """The positions of the tokens that the model is to say."""
    return [at for decision in lesson.decisions for at in range(decision.first, decision.last)]


def logits_of(causal: Any, lessons: Sequence[Lesson]) -> list[torch.Tensor]:
    """For each lesson the logits of every token that is to be said, (tokens, vocabulary), in 32 bits."""
    device = next(causal.parameters()).device
    alike = alike_in(lessons) if len(lessons) > 1 and not _checkpoints(causal) else 0
    known = None
    if alike >= WORTH:
        begun = torch.tensor([lessons[0].ids[:alike]], device=device)
        known = DynamicCache(config=causal.config)
        causal(input_ids=begun, use_cache=True, logits_to_keep=1, **{cache_named(causal): known})
        if any(type(layer).__name__ != PLAIN for layer in known.layers):
            known = None
    found = []
    for lesson in lessons:
        skip = alike if known is not None else 0
        ids = torch.tensor([lesson.ids[skip:]], device=device)
        keep = torch.tensor([at - 1 - skip for at in said_by(lesson)], device=device)
        more = {"use_cache": False} if known is None else {"use_cache": True, cache_named(causal): copied(known)}
        found.append(causal(input_ids=ids, logits_to_keep=keep, **more).logits[0].float())
    return found


def cache_named(causal: Any) -> str:
    """What a model calls the memory of what it read; transformers gave it another name in 2026."""
    whole = causal.get_base_model() if hasattr(causal, "get_base_model") else causal
    return "cache" if "cache" in signature(whole.forward).parameters else "past_key_values"


def alike_in(lessons: Sequence[Lesson]) -> int:
    """How many tokens they all begin with; not as far as the last before the first answer, from which that is said."""
    most = min(lesson.decisions[0].first for lesson in lessons) - 1
    return min([most, *(begin_alike(lessons[0].ids, lesson.ids) for lesson in lessons[1:])])


def begin_alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two lists have in common from the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def copied(known: Any, most: int | None = None) -> Any:
    """The same memory, of the first `most` tokens, to which more can be added; gradients go to where it came from."""
    own = DynamicCache()
    for at, layer in enumerate(known.layers):
        if layer.keys is None:  # a layer that is not in this memory
            continue
        own.update(layer.keys[..., :most, :], layer.values[..., :most, :], at)
    return own


def _checkpoints(causal: Any) -> bool:
    """Whether activations are computed twice to save memory, which knows no cache."""
    return bool(causal.training and getattr(causal, "is_gradient_checkpointing", False))
