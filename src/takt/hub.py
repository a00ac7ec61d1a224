"""Models of the Hugging Face hub, pinned: which commit of a name is loaded, so that all parts of it are of one commit.

A model is named NAME, or NAME@REVISION (a commit, best of all), or is a folder. No code of a model's repository is ever
run (`trust_remote_code` is never given), and weights are read from safetensors or by `weights_only`.
"""

from __future__ import annotations

import re
from pathlib import Path

from takt.plainly import plainly


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


# What transformers and the hub's library say, in paragraphs, and what it means; the first that fits.
_WHY = (
    (r"gated repo|is restricted|awaiting a review", "its owner gives it to those who ask: log in with `hf auth login`"),
    (r"couldn't connect|cannot find the requested files in the (disk )?cache|offline mode|connection|max retries",
     "it is not here, and the hub cannot be reached; download it first, or name its folder"),
    (r"not a valid model identifier|not a local folder|repository not found|404 client error|Repo id must|invalid rev",
     "there is no such folder here, and no such model on the hub"),
    (r"does not appear to have a file named (\S+)|no file named (\S+)", "a file of it is missing"),
    (r"model type .* does not recognize|unrecognized model|should have a `model_type`",
     "it is of a kind that the installed transformers does not know"),
    (r"couldn't instantiate the backend tokenizer",
     "its tokenizer's files are missing, or need a package that is not here"),
    (r"config file at .* is not a valid json", "its config.json is no JSON"),
    (r"unrecognized configuration class", "it is a model of another kind than is needed here"),
    (r"requires the .* librar|pip install|sentencepiece|tiktoken", "its tokenizer needs a package that is not here"),
    (r"header|incomplete metadata|size mismatch|unexpected end|not a zip|pytorchstreamreader|deserializ|invalid load",
     "its weights are cut off or damaged"),
)  # fmt: skip


def why_not(error: BaseException) -> str:
    """Why a model cannot be loaded, from what transformers, the hub's library or a file's reader raised."""
    if isinstance(error, MemoryError):
        return plainly(error)
    text = " ".join(str(error).split())
    for pattern, said in _WHY:
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            name = next((part for part in found.groups() or () if part), "").strip(".,'`\"")
            return f"it has no {name}" if name else said
    if isinstance(error, (ValueError, OSError)) and (isinstance(error, UnicodeDecodeError) or hasattr(error, "doc")):
        return plainly(error)
    return f"it cannot be read ({type(error).__name__})"
