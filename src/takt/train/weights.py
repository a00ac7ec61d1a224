"""Real weights, opened for training: a GGUF file, a folder of transformers or a name of the hub; and its chat template.

A template is looked at before anything is worked for it. It must show the tools, the calls and their results, and end
an answer with the token at which the model stops; a template that knows no tools drops them in silence.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from takt.distribution import install
from takt.errors import TaktError
from takt.hub import pinned, why_not
from takt.meant import meant, near_file
from takt.plainly import plainly

GGUF = b"GGUF"  # the first bytes of such a file
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
WORD = "WORD-THAT-IS-SAID"  # in a conversation made up to try a template


@dataclass(frozen=True, slots=True)
class Weights:
    """A causal model of transformers and its tokenizer. `gguf` is the file they are from, None if from elsewhere."""

    causal: Any
    tokenizer: Any
    gguf: Path | None


def is_gguf(model: str | os.PathLike[str]) -> bool:
    """Whether a GGUF file is meant: by its name, or by its first bytes."""
    path = Path(model)
    if path.suffix.lower() == ".gguf":
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) == GGUF
    except OSError:
        return False


def open_tokenizer(model: str, template: str = "") -> Any:
    """The tokenizer of a model, with a chat template of the user's if one is given. Raises TaktError."""
    from transformers import AutoTokenizer

    try:
        if is_gguf(model):
            read_gguf(model)
            with _alone(Path(model)) as folder:
                tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=Path(model).name)  # nosec B615: a file
        else:
            name, revision = pinned(model)
            if Path(name).is_dir() and not any(Path(name, file).is_file() for file in TOKENIZER):
                raise TaktError(f"{model} has no tokenizer beside its weights ({TOKENIZER[0]}): copy the model's there")
            tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    except TaktError:
        raise
    except Exception as error:  # whatever a file that is not what it says makes a reader raise
        raise TaktError(f"cannot load the model {model!r}: {why_not(error)}") from error
    if template:
        tokenizer.chat_template = template_text(template)
    if tokenizer.eos_token_id is None:
        raise TaktError(
            f"the tokenizer of {model!r} has no end token, so the model could never stop; name one as `eos_token` in "
            "its tokenizer_config.json"
        )
    return tokenizer


def open_weights(model: str, tokenizer: Any) -> Weights:
    """The model itself, in 32 bits, to go with its tokenizer. Raises TaktError for a file that is cut off, or none."""
    import torch
    from transformers import AutoModelForCausalLM

    gguf = Path(model) if is_gguf(model) else None
    try:
        if gguf is not None:
            with _alone(gguf) as folder:
                causal = AutoModelForCausalLM.from_pretrained(  # nosec B615: a file
                    folder, gguf_file=gguf.name, dtype=torch.float32, attn_implementation="sdpa"
                )
            _unmark(causal)
        else:
            name, revision = pinned(model)
            causal = AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype=torch.float32)
    except Exception as error:
        raise TaktError(f"cannot load the model {model!r}: {why_not(error)}") from error
    return Weights(causal, tokenizer, gguf)


def template_text(template: str) -> str:
    """A chat template: a file's, or one of those that TRL brings, by name (`qwen3`)."""
    path = Path(template)
    if path.is_dir():
        raise TaktError(f"{template} is a folder; name the chat template in it, such as {path / 'chat_template.jinja'}")
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TaktError(f"cannot read the chat template {template}: {plainly(error)}") from error
    from trl import chat_template_utils

    known = {
        name.removesuffix("_chat_template").replace("_", "-"): text
        for name, text in vars(chat_template_utils).items()
        if name.endswith("_chat_template") and isinstance(text, str)
    }
    if template not in known:
        raise TaktError(
            f"there is no chat template {template!r}{meant(template, known) or near_file(path)}: it is no file, and "
            f"none of the {len(known)} that TRL brings (such as qwen3-instruct-2507)"
        )
    return known[template]


def check_template(tokenizer: Any, tools: Sequence[Mapping[str, Any]]) -> None:
    """Raise TaktError, in one line, if the tokenizer's chat template cannot be taught these tools (or, where calls are
    text and there are none, such answers)."""
    how = "give another with --chat-template FILE, or qwen3-instruct-2507 for one with ChatML's tokens"
    if not tokenizer.chat_template:
        raise TaktError(f"the model has no chat template; {how}")
    function: Mapping[str, Any] = tools[0]["function"] if tools else {"name": "no", "parameters": {}}
    arguments = {name: WORD for name in function["parameters"].get("properties", {})}
    call = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
    made: dict[str, Any] = {"content": "", "tool_calls": [call]} if tools else {"content": WORD}
    told = json.dumps({"result": {"told": f"{WORD}-BACK"}})
    asked: list[dict[str, Any]] = [
        {"role": "system", "content": "Serve the first."},
        {"role": "user", "content": '{"queue":[]}'},
    ]
    answered: list[dict[str, Any]] = [*asked, {"role": "assistant", **made}]
    whole: list[dict[str, Any]] = [*answered, {"role": "tool" if tools else "user", "content": told}]
    try:
        shown = rendered(tokenizer, asked, tools, True)
        said = rendered(tokenizer, answered, tools, False)
        back = rendered(tokenizer, whole, tools, True)
    except Exception as error:  # a template is a program: it may raise whatever it likes
        raise TaktError(
            f"the chat template raises at a conversation with tools: {_first_line(error)}; {how}"
        ) from error
    unseen = [tool["function"]["name"] for tool in tools if tool["function"]["name"] not in shown]
    if unseen:
        raise TaktError(f"the chat template does not show the model its tools ({', '.join(unseen)}); {how}")
    if f"{WORD}-BACK" not in back:
        raise TaktError(f"the chat template does not show the model what a call returned; {how}")
    if (arguments or not tools) and WORD not in said:
        raise TaktError(f"the chat template does not write down the calls that the model made; {how}")
    if tokenizer.eos_token not in said[len(rendered(tokenizer, asked, tools, False)) :]:
        raise TaktError(
            f"the chat template does not end an answer with {tokenizer.eos_token!r}, the tokenizer's end token, so the "
            f"model would not learn to stop; {how}"
        )


def rendered(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], ask: bool
) -> str:
    """A conversation as the model reads it. `ask`: with the words after which the model speaks."""
    text = tokenizer.apply_chat_template(
        [dict(message) for message in messages],
        tools=[dict(tool) for tool in tools] or None,
        tokenize=False,
        add_generation_prompt=ask,
        enable_thinking=False,
    )
    return str(text)


def read_gguf(path: str | os.PathLike[str]) -> Any:
    """A GGUF file as `gguf` reads it. Raises TaktError if it is none, or ends before its last weight does."""
    path = Path(path)
    if find_spec("gguf") is None:
        raise TaktError(f"reading a GGUF file needs the package gguf: {install('train')}")
    if not path.is_file():
        raise TaktError(f"there is no file {path}")
    about = path.stat()
    return _read(path, about.st_size, about.st_mtime_ns)


@contextmanager
def _alone(path: Path) -> Iterator[str]:
    """A folder with nothing but this file: what lies beside it (a model that was saved) would be taken for its own."""
    with tempfile.TemporaryDirectory(prefix="takt-gguf-") as folder:
        Path(folder, path.name).symlink_to(path.resolve())
        yield folder


@lru_cache(maxsize=1)  # to read a vocabulary of 50,000 takes seconds
def _read(path: Path, size: int, changed_ns: int) -> Any:
    from gguf import GGUFReader

    try:
        return GGUFReader(str(path))
    except Exception as error:
        raise TaktError(f"{path} is no whole GGUF file: it is cut off or damaged; copy it again") from error


def _unmark(causal: Any) -> None:
    """Forget that the weights were quantised: they are not any more, and a model so marked refuses to be saved."""
    causal.hf_quantizer, causal.is_quantized, causal.quantization_method = None, False, None
    if hasattr(causal.config, "quantization_config"):
        del causal.config.quantization_config


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
