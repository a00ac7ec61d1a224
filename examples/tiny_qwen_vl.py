"""A tiny vision-language model in Qwen 3 VL's own architecture, with random weights: a stand-in where none can be had.

    python examples/tiny_qwen_vl.py tiny-qwen-vl            needs pip install 'run-at-rate[train]'
    transformers serve tiny-qwen-vl --device cpu

It is what Qwen 3 VL is, but small: transformers' `Qwen3VLForConditionalGeneration`, with its vision tower, its chat
template (TRL carries a copy) and a byte-level BPE made of the station's own words. Pictures are cut up by Qwen's image
processor as written for Pillow. Qwen's own processor wants one for videos too, which needs torchvision; PaddleOCR-VL's
does the same with pictures and wants none. It knows nothing: what it is for is the way from picture to answer.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from tiny_qwen import END, MARKS, PAD, SPECIAL
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    PaddleOCRVLProcessor,
    PreTrainedTokenizerFast,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from trl.chat_template_utils import qwen3_vl_chat_template

from takt import open_station

SEEN = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
PATCH, MERGE = 16, 2  # pixels a side of a patch; patches a side of a token, as in Qwen 3 VL
SPREAD = 0.2  # standard deviation of a weight: far more than a model begins with, so that it says what it is shown


def tokenizer_of(words: str, size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE with Qwen's special tokens and Qwen 3 VL's chat template."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(MARKS) - len(SEEN),
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([words], trainer)
    bpe.add_tokens(MARKS)
    bpe.add_special_tokens(SEEN)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        chat_template=qwen3_vl_chat_template,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens={"image_token": SEEN[2]},
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
    )


def model_of(tokenizer: PreTrainedTokenizerFast, width: int, layers: int, seed: int) -> Qwen3VLForConditionalGeneration:
    """Random weights: a vision tower of as many layers as the language model, the first of which is seen early, too."""
    torch.manual_seed(seed)
    heads = width // 32
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": max(1, heads // 2),
        "head_dim": 32,
        "max_position_embeddings": 4096,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [6, 5, 5]},
        "pad_token_id": tokenizer.pad_token_id,
        "initializer_range": SPREAD,
    }
    eyes = {
        "depth": layers,
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_heads": heads,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "out_hidden_size": width,
        "num_position_embeddings": 256,
        "deepstack_visual_indexes": [0],
        "initializer_range": SPREAD,
    }
    start, end, image, video = tokenizer.convert_tokens_to_ids(SEEN)
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=eyes,
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    model = Qwen3VLForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    return model


def make(folder: str | Path, width: int = 64, layers: int = 2, size: int = 1024, seed: int = 0) -> int:
    """Make tokenizer, processor and model, and save them as any other; returns the number of parameters."""
    station = open_station("inspection")
    words = station.spec.brief + json.dumps(station.spec.tools)
    station.close()
    tokenizer = tokenizer_of(words, size)
    pixels = {"shortest_edge": 56 * 56, "longest_edge": 448 * 448}
    eyes = Qwen2VLImageProcessorPil(patch_size=PATCH, merge_size=MERGE, size=pixels)
    model = model_of(tokenizer, width, layers, seed)
    model.save_pretrained(folder)
    PaddleOCRVLProcessor(eyes, tokenizer, chat_template=qwen3_vl_chat_template).save_pretrained(folder)
    return model.num_parameters()


if __name__ == "__main__":
    given = argparse.ArgumentParser(description="Make a tiny Qwen 3 VL with random weights.")
    given.add_argument("folder", help="where it is saved, as any other model of transformers")
    given.add_argument("--width", type=int, default=64)
    given.add_argument("--layers", type=int, default=2)
    given.add_argument("--size", type=int, default=1024, help="of the vocabulary, at most")
    given.add_argument("--seed", type=int, default=0)
    options = vars(given.parse_args())
    print(f"{options['folder']}: {make(**options):,} parameters")
