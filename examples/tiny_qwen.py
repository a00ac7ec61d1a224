"""A tiny language model in Qwen 3.5's own architecture, with random weights: a stand-in where no weights can be had.

    python examples/tiny_qwen.py tiny-qwen            needs pip install 'run-at-rate[train]'
    transformers serve tiny-qwen --device cpu

It is what Qwen 3.5 is, but small: transformers' `Qwen3_5ForCausalLM`, three Gated DeltaNet layers to one of gated
attention, Qwen's special tokens and its chat template without thinking (TRL carries a copy). The tokenizer is a
byte-level BPE made here, from conversations of a short shift by `greedy` in the short view. Digits and capitals are
tokens of their own, so that names of groups and flights are copied letter by letter; all else is merged freely, which
makes conversations short. The same seed gives the same files.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3_5ForCausalLM, Qwen3_5TextConfig
from trl.chat_template_utils import qwen3_5_nothink_chat_template

from takt import run_shift
from takt.export.trl import export_trl

END, PAD = "<|im_end|>", "<|endoftext|>"
SPECIAL = [PAD, "<|im_start|>", END]  # not parts of the text that is shown
MARKS = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"]
ALONE = r"\p{N}|\p{Lu}(?=[\p{N}\"]|\p{Lu}[\p{N}\"])"  # digits, and the capitals of names: CA937, "E"


def corpus(units: int) -> list[dict]:
    """Conversations to make a tokenizer from, as TRL reads them: both scenarios, in the short view."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for scenario in ("gulf-2026", "two-hubs"):
            ledger, lines = Path(folder, f"{scenario}.takt"), Path(folder, f"{scenario}.jsonl")
            run_shift(
                "flightdesk",
                "greedy",
                units=units,
                ledger=ledger,
                clock="lockstep",
                station_options={"scenario": scenario},
            )
            export_trl([ledger], lines, view="short")
            rows += read(lines)
    return rows


def read(lines: str | Path) -> list[dict]:
    with open(lines, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def tokenizer_of(rows: list[dict], size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE with Qwen's special tokens and chat template."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(ALONE), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=bpe, chat_template=qwen3_5_nothink_chat_template)
    texts = [wrapped.apply_chat_template(row["messages"], tools=row["tools"], tokenize=False) for row in rows]
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(MARKS),
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=6,  # or all that requests share is a token, and looks as if it had not been read
        show_progress=False,
    )
    pieces = [piece for text in texts for piece in _between_marks(text)]
    bpe.train_from_iterator(pieces, trainer)
    bpe.add_tokens(MARKS)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        chat_template=qwen3_5_nothink_chat_template,
        eos_token=END,
        pad_token=PAD,
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
    )


def _between_marks(text: str) -> list[str]:
    """A text without its special tokens and marks, which must not be merged with what is beside them."""
    for mark in (*SPECIAL, *MARKS):
        text = text.replace(mark, "\0")
    return text.split("\0")


def model_of(
    tokenizer: PreTrainedTokenizerFast, width: int, layers: int, interval: int, seed: int
) -> Qwen3_5ForCausalLM:
    """Random weights, in Qwen 3.5's proportions as far as so small a model can have them."""
    torch.manual_seed(seed)
    heads = width // 32
    config = Qwen3_5TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        full_attention_interval=interval,
        num_attention_heads=heads,
        num_key_value_heads=max(1, heads // 2),
        head_dim=32,
        linear_num_key_heads=heads,
        linear_num_value_heads=heads,
        linear_key_head_dim=32,
        linear_value_head_dim=32,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen3_5ForCausalLM(config)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    return model


def make(
    folder: str | Path,
    width: int = 128,
    layers: int = 4,
    interval: int = 4,
    size: int = 2048,
    units: int = 60,
    seed: int = 0,
    data: str | None = None,
) -> int:
    """Make tokenizer and model, and save them as any other; returns the number of parameters."""
    rows = corpus(units) if data is None else read(data)
    tokenizer = tokenizer_of(rows, size)
    model = model_of(tokenizer, width, layers, interval, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.num_parameters()


if __name__ == "__main__":
    given = argparse.ArgumentParser(description="Make a tiny Qwen 3.5 with random weights.")
    given.add_argument("folder", help="where it is saved, as any other model of transformers")
    given.add_argument("--width", type=int, default=128)
    given.add_argument("--layers", type=int, default=4)
    given.add_argument("--interval", type=int, default=4, help="every how many layers one has full attention")
    given.add_argument("--size", type=int, default=2048, help="of the vocabulary, at most")
    given.add_argument("--units", type=int, default=60, help="of the shifts that the tokenizer is made from")
    given.add_argument("--data", help="conversations to make it from instead: what `takt export --format trl` wrote")
    given.add_argument("--seed", type=int, default=0)
    options = vars(given.parse_args())
    print(f"{options['folder']}: {make(**options):,} parameters")
