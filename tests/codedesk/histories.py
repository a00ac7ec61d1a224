"""Repositories with a history, made of texts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

Files = Mapping[str, str | None]


def repository(folder: Path, history: Sequence[tuple[str, Files]]) -> Path:
    folder.mkdir()
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    named = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*named, "init", "-q", "-b", "main"], cwd=folder, check=True, env=env)
    for message, files in history:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).unlink() if text is None else (folder / path).write_text(text)
        for words in (["add", "-A"], ["commit", "-q", "-m", message]):
            subprocess.run([*named, *words], cwd=folder, check=True, env=env)
    return folder
