"""What a folder's training was begun with: the same goes on there, anything else is refused.

`asked.json` is written before the first step. Files are remembered by what is in them, models of the hub by their
commit: the same path may hold other weights tomorrow.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from takt.errors import TaktError
from takt.hub import pinned
from takt.plainly import plainly
from takt.train.weights import is_gguf, open_tokenizer, read_gguf, template_text
from takt.writing import JSON, whole_file

ASKED = "asked.json"  # in a folder of a model that is trained here: what was asked for when it was begun
DONE = "trained.json"  # in the same, when it is done: the same, and what came out
READ = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt")  # of a folder, what transformers reads of it
# Options that name files, and what is kept of what is in them.
CONTENT = {
    "model": "weights",
    "data": "lessons",
    "held_out": "unseen",
    "template": "template_text",
    "gguf_from": "source",
}
SAID = {  # what else an option is called at the command line, where not by its own name
    "data": "other lessons (--data, or --worker, --seeds, --view and what else makes them)",
    "held_out": "other shifts held out (--held-out)",
    "short_shift": "another short shift (--short-shift, --short-seed, --view or -o)",
    "gguf_from": "another GGUF file to write like",
}
NAMES = {"template": "--chat-template", "corrected": "--corrected-share"}
OF_A_ROUND = {**NAMES, "steps": "--round-steps", "rate": "half of --rate"}
ONCE = {"freeze": "0", "short": "0.0"}  # options that were not kept while they were not given


def asked_for(options: Mapping[str, Any]) -> dict[str, str]:
    """What is kept of `finetune`'s options, or of some of them. Raises TaktError for a file that is not there."""
    told = {name: str(value) for name, value in options.items()}
    for name, content in CONTENT.items():
        if options.get(name):
            told[content] = _content(name, options[name])
    return told


def check_begun(out: Path, asked: Mapping[str, str], called: Mapping[str, str] = NAMES) -> bool:
    """Raise TaktError, in one line, if `out` was begun with anything else; whether it is done, or else may be gone on
    with. Where nothing has been kept yet but the options, there is nothing to lose, and it is begun anew.

    called   what options are called at the command line, where not by their own names.
    """
    before = _kept(out / DONE)
    done = before is not None
    if before is None:
        if not any(out.glob("checkpoint-*")):
            return False
        before = {"asked": _kept(out / ASKED)}
        if before["asked"] is None:
            raise TaktError(f"{out} was begun by a Takt that did not write down by which options; give another --out")
    other = differing(before.get("asked", {}), asked, called)
    if other:
        raise TaktError(
            f"{out} was begun with {', '.join(other)}: give what it was begun with, or begin anew with another --out"
        )
    return done


def write_begun(out: Path, asked: Mapping[str, str]) -> None:
    """Keep what was asked for, before the first step."""
    with whole_file(out / ASKED, JSON) as new:
        new.write_text(json.dumps(asked, indent=1), encoding="utf-8")


def differing(before: Mapping[str, str], now: Mapping[str, str], called: Mapping[str, str] = NAMES) -> list[str]:
    """How what was asked for differs from what is: what is in both is compared, and files by what is in them."""
    before, found = {**ONCE, **before}, []
    for name in now:
        if name not in before or name in CONTENT.values():
            continue
        by = CONTENT.get(name, name)
        compared = by if by in before and by in now else name
        if before[compared] == now[compared]:
            continue
        if name in SAID:
            found.append(SAID[name])
            continue
        word = called.get(name, f"--{name.replace('_', '-')}")
        same = before[name] == now[name]
        found.append(
            f"what {word} {now[name]} held then" if same else f"{word} {before[name] or 'none'} (now {now[name]})"
        )
    return found


def weights_of(model: str | os.PathLike[str]) -> str:
    """Which weights these are, with all that transformers reads beside them: a file's or a folder's SHA-256, or
    NAME@COMMIT of the hub. Raises TaktError if there is no such model."""
    path = Path(model)
    if is_gguf(path):
        read_gguf(path)
        return _digest([path])
    if path.is_dir():
        own = (ASKED, DONE)
        return _digest(sorted(file for file in path.iterdir() if file.suffix in READ and file.name not in own))
    name, commit = pinned(str(model))
    if commit is None:
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(name, "config.json")
        if not isinstance(cached, str):
            open_tokenizer(str(model))  # says why it cannot be had
            return name
        commit = Path(cached).parent.name
    return f"{name}@{commit}"


def _content(name: str, value: Any) -> str:
    if name in ("model", "gguf_from"):
        return weights_of(value)
    if name == "template":
        return hashlib.sha256(template_text(str(value)).encode()).hexdigest()
    files: Sequence[Any] = [value] if isinstance(value, (str, os.PathLike)) else value
    return _digest([Path(file) for file in files])


def _digest(files: Sequence[Path]) -> str:
    """Of all their bytes, one after the other."""
    digest = hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as file:
                while part := file.read(1 << 20):
                    digest.update(part)
        except OSError as error:
            raise TaktError(f"cannot read {path}: {plainly(error)}") from error
    return digest.hexdigest()


def _kept(path: Path) -> dict[str, Any] | None:
    """A JSON object that was kept; None if there is none, or none that can be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None
