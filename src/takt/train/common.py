"""What TRL's and transformers' trainers are set to alike, and how what they made is saved. Needs the extra `train`."""

from __future__ import annotations

import os
from typing import Any

import torch


def settings(out: str | os.PathLike[str], steps: int, batch: int, rate: float, seed: int) -> dict[str, Any]:
    """Arguments for any of TRL's configurations, or transformers' own."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(out),
        "max_steps": steps,
        "per_device_train_batch_size": batch,
        "learning_rate": rate,
        **({"gradient_checkpointing": True} if on_gpu else {}),
        "bf16": on_gpu,
        "use_cpu": not on_gpu,
        "seed": seed,
        "report_to": "none",
        "disable_tqdm": True,
    }


def save(trained: Any, tokenizer: Any, out: str | os.PathLike[str]) -> None:
    """Save a trained model with its tokenizer, whose chat template is the one it was taught by."""
    trained.save_pretrained(out)
    tokenizer.save_pretrained(out)
