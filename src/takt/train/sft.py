"""Supervised fine-tuning by TRL: the model learns to answer as the teacher did, and nothing of what it is told."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets import Dataset, load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from takt.contract.station import TaktError
from takt.distribution import install
from takt.hub import pinned
from takt.train.common import save, settings
from takt.writing import CONVERSATIONS, claim_folder, whole_file

MARK = "takt-train.note"  # in a folder of a model that is trained here


def finetune(
    model: str,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    steps: int = 400,
    batch: int = 16,
    rate: float = 2e-5,
    lora: int = 0,
    max_tokens: int = 8192,
    seed: int = 0,
) -> dict[str, Any]:
    """Train a causal model (a name or folder of transformers) on conversations, and save it to `out`.

    steps, batch   optimiser steps, and conversations in each.
    rate           peak learning rate; it warms up over a twentieth of the steps, and falls to zero as a cosine.
    lora           rank of LoRA adapters on all linear layers, merged in the end; 0 trains all weights.
    max_tokens     of a conversation; what is longer loses its end.
    seed           of batches, and of what is random in the model.

    A quarter of the way is kept at a time: the same call goes on from there after a kill.
    Only what the assistant says is trained (`assistant_only_loss`): for that, the model's chat template must be one
    that TRL knows a training variant of, as Qwen 3.5's. Returns the losses and the time.
    """
    if not Path(data).is_file():
        raise TaktError(f"there are no conversations in {data}")
    claim_folder(Path(out), MARK)
    try:
        name, revision = pinned(model)
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
        causal = AutoModelForCausalLM.from_pretrained(name, revision=revision)
    except (OSError, ValueError) as error:
        raise TaktError(f"cannot load the model {model!r}: {str(error).splitlines()[0]}") from error
    rows = _rows(data)
    config = SFTConfig(
        **settings(out, steps, batch, rate, seed),
        warmup_steps=max(1, steps // 20),
        lr_scheduler_type="cosine",
        max_length=max_tokens,
        assistant_only_loss=True,
        data_seed=seed,
        save_strategy="steps",
        save_steps=max(1, steps // 4),
        save_total_limit=1,
        logging_steps=max(1, steps // 40),
        dataset_num_proc=None,
    )
    peft = _lora(lora) if lora else None
    trainer = SFTTrainer(causal, args=config, train_dataset=rows, processing_class=tokenizer, peft_config=peft)
    found = trainer.train(resume_from_checkpoint=get_last_checkpoint(out) if Path(out).is_dir() else None)
    trained: Any = trainer.model
    if lora:
        trained = trained.merge_and_unload()
    save(trained, model, out)
    for done in Path(out).glob("checkpoint-*"):
        shutil.rmtree(done)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {
        "model": str(out),
        "conversations": len(rows),
        "steps": steps,
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "seconds": round(found.metrics["train_runtime"], 1),
    }


def _rows(data: str | os.PathLike[str]) -> Dataset:
    """Messages and tools of every conversation, up to the last thing that the assistant said."""

    def read() -> Iterator[dict[str, Any]]:
        with open(data, encoding="utf-8") as file:
            for row in map(json.loads, file):
                messages = row["messages"]
                while messages[-1]["role"] != "assistant":
                    messages.pop()
                yield {"messages": messages, "tools": row["tools"]}

    cut = Path(data).with_suffix(".train.jsonl")
    with whole_file(cut, CONVERSATIONS, [Path(data)]) as new:
        new.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in read()), encoding="utf-8")
    # From the file: built from a list, mixed arguments would be filled up with None.
    return load_dataset("json", data_files=str(cut), split="train")  # nosec B615  # a file


def _lora(rank: int) -> Any:
    try:
        from peft import LoraConfig
    except ImportError:
        raise TaktError(f"LoRA needs peft: {install('train')}") from None
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
