"""What TRL's trainers are set to alike, and how what they made is saved. Needs the extra `train`."""

from __future__ import annotations

import os
from typing import Any

import torch
from transformers import AutoTokenizer

from takt.hub import pinned


def settings(out: str | os.PathLike[str], steps: int, batch: int, rate: float, seed: int) -> dict[str, Any]:
    """Arguments for any of TRL's configurations."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(out),
        "max_steps": steps,
        "per_device_train_batch_size": batch,
        "learning_rate": rate,
        "gradient_checkpointing": on_gpu,
        "bf16": on_gpu,
        "use_cpu": not on_gpu,
        "seed": seed,
        "report_to": "none",
        "disable_tqdm": True,
    }


def save(trained: Any, model: str, out: str | os.PathLike[str]) -> None:
    """Save a trained model, with the tokenizer as `model` has it: a trainer's own has its training template."""
    trained.save_pretrained(out)
    name, revision = pinned(model)
    AutoTokenizer.from_pretrained(name, revision=revision).save_pretrained(out)
