"""Models of the Hugging Face hub, pinned: which commit of a name is loaded, so that all parts of it are of one commit.

A model is named NAME, or NAME@REVISION (a commit, best of all), or is a folder. No code of a model's repository is ever
run (`trust_remote_code` is never given), and weights are read from safetensors or by `weights_only`.
"""

from __future__ import annotations

from pathlib import Path


def pinned(model: str, local_only: bool = False) -> tuple[str, str | None]:
    """Name and commit to load. The commit is None for a folder, and where the hub cannot be asked."""
    if Path(model).exists():
        return model, None
    name, _, revision = model.partition("@")
    if revision or local_only:
        return name, revision or None
    try:
        from huggingface_hub import model_info

        return name, model_info(name, timeout=10).sha
    except Exception:  # not there, or no network: loading says which, in words of its own
        return name, None
