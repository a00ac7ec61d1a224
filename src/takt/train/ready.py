"""What a training needs, looked at before anything long begins: a teacher's shifts, a training, a round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from takt.distribution import install
from takt.errors import TaktError
from takt.train.lessons import read_conversations
from takt.train.weights import Weights, check_template, open_tokenizer, open_weights


def open_ready(
    model: str,
    template: str = "",
    *,
    gguf: str = "",
    gguf_from: Path | None = None,
    freeze: int = 0,
    lora: int = 0,
    tokenizer: Any = None,
) -> Weights:
    """The model, ready to be trained so: lower layers frozen. Raises TaktError, in one line, if it cannot be, or not
    be written as GGUF in the end. Options are those of `finetune`."""
    if lora and find_spec("peft") is None:
        raise TaktError(f"LoRA needs peft: {install('train')}")
    weights = open_weights(model, open_tokenizer(model, template) if tokenizer is None else tokenizer)
    if gguf_from is not None:
        weights = replace(weights, gguf=gguf_from)
    if gguf:
        from takt.train.gguf import check_form

        check_form(gguf, weights)
    if freeze:
        freeze_lower(weights.causal, freeze)
    return weights


def freeze_lower(causal: Any, many: int) -> None:
    """Keep the embedding and the lower layers as they are. Raises TaktError if no layer would be left to learn."""
    layers = getattr(causal.base_model, "layers", ())
    if many >= len(layers):
        most = (
            f"it has {len(layers)} layers: freeze {len(layers) - 1} at most"
            if len(layers)
            else "its layers are unknown"
        )
        raise TaktError(f"cannot freeze {many} layers of this model; {most}")
    for part in (causal.get_input_embeddings(), *layers[:many]):
        part.requires_grad_(False)


def with_lora(causal: Any, rank: int, freeze: int) -> Any:
    """The model with adapters on the linear layers that are not frozen."""
    from peft import LoraConfig, get_peft_model

    lower = rf".*\.layers\.({'|'.join(map(str, range(freeze)))})\..*" if freeze else None
    kind: dict[str, Any] = {"target_modules": "all-linear", "exclude_modules": lower, "task_type": "CAUSAL_LM"}
    return get_peft_model(causal, LoraConfig(r=rank, lora_alpha=2 * rank, **kind))


def check_data(files: Sequence[Path], model: str, template: str, tokenizer: Any = None) -> Any:
    """Raise TaktError if these are no conversations, or the model cannot be taught the tools of the first. Returns its
    tokenizer, where it had to be opened."""
    for file in files:
        rows = list(read_conversations(file))
        if rows:
            tokenizer = open_tokenizer(model, template) if tokenizer is None else tokenizer
            check_template(tokenizer, rows[0]["tools"])
    return tokenizer


def check_seeds(
    learned: Sequence[int],
    held_out: Sequence[int],
    rounds: int = 0,
    round_seeds: Sequence[int] = (),
    short_seed: int | None = None,
) -> None:
    """Raise TaktError if a world at which is measured is one that is learned from, or a round has no seed.

    learned      the teacher's shifts; [] if the lessons are from elsewhere.
    short_seed   of the short shift, None without one.
    """
    if rounds and len(set(round_seeds)) < rounds:
        raise TaktError(f"{rounds} rounds need a seed each at least, and --round-seeds has {len(set(round_seeds))}")
    taught = {"--seeds": set(learned), "--round-seeds": set(round_seeds) if rounds else set()}
    measured = {"--held-out": set(held_out), "--short-seed": set() if short_seed is None else {short_seed}}
    for at, seen in measured.items():
        for by, worlds in taught.items():
            both = sorted(seen & worlds)
            if both:
                raise TaktError(
                    f"{at} and {by} share the seed{'s'[: len(both) > 1]} {_spans(both)}: what is measured there would "
                    f"be of worlds that it has learned from; give others with {at}"
                )


def _spans(numbers: Sequence[int]) -> str:
    """Numbers as they are written at the command line: 1-3,7."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], number]
        else:
            spans.append([number])
    return ",".join("-".join(map(str, span)) for span in spans)
