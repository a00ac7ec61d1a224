"""A network of ours in an ONNX file, opened and checked: what anybody may give in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from takt.errors import TaktError
from takt.plainly import plainly

LARGEST = 512 * 2**20  # bytes of a file; those in the package have 2 MB
MOST_THREADS = 256
Shapes = Mapping[str, tuple[Any, ...]]

# What ONNX Runtime means by the classes that it raises.
_WHY = {
    **dict.fromkeys(
        ("InvalidProtobuf", "InvalidGraph", "InvalidArgument", "Fail"), "it is no ONNX model, or is damaged"
    ),
    "NotImplemented": "it needs operators that are not here",
    "NoSuchFile": "the file of its weights is missing",
    "RuntimeException": "its weights are missing or damaged",
}


class OnnxFile:
    """`session` runs it, `about` is what its maker wrote into it, `sha256` is its contents'.

    takes, answers    names and shapes of what goes in and comes out.
    what              the kind of network, for errors; `made_by` is the command that makes one.

    TaktError, in one line, if it is no network of this kind.
    """

    def __init__(self, path: Path, threads: int, takes: Shapes, answers: Shapes, what: str, made_by: str) -> None:
        import onnxruntime

        if not path.is_file():
            raise TaktError(f"no {what} at {path}: give another, -w model=FILE, or make one: {made_by}")
        if path.stat().st_size > LARGEST:
            raise TaktError(f"{path} is larger than any {what}: {LARGEST // 2**20} MiB")
        content = path.read_bytes()
        self.path, self.sha256, self._answers = path, sha256(content).hexdigest(), list(answers)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        # Weights outside the file are read from beside it, and from nowhere else: the file may name any path.
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(path.parent.resolve())
        )
        try:
            self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            taken = {part.name: tuple(part.shape) for part in self.session.get_inputs()}
            given = {part.name: tuple(part.shape) for part in self.session.get_outputs()}
            about = json.loads(self.session.get_modelmeta().custom_metadata_map.get("takt", "{}"))
        except Exception as error:  # ONNX Runtime raises classes of its own, and so does JSON
            raise TaktError(f"{path} is no {what} that ONNX Runtime can read: {_why(error)}") from error
        for name, shape in takes.items():
            if taken.get(name) != shape:
                raise TaktError(f"{path} takes {name} of shape {taken.get(name)}; this worker gives {shape}")
        for name, shape in answers.items():
            if given.get(name) != shape:
                raise TaktError(f"{path} answers with {name} of shape {given.get(name)}; this worker needs {shape}")
        self.about: Mapping[str, Any] = about

    def run(self, **given: np.ndarray) -> list[np.ndarray]:
        """What it answers, in the order of `answers`."""
        answered: list[np.ndarray] = self.session.run(self._answers, given)
        return answered


def _why(error: Exception) -> str:
    if isinstance(error, ValueError):
        return plainly(error)
    return _WHY.get(type(error).__name__, f"it cannot be opened ({type(error).__name__})")
