"""A learned policy as an ONNX file, checked against the PyTorch one it came from."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from takt.stations.nutcell.vla.features import BODY, TEXT
from takt.stations.nutcell.vla.net import Deployed, Policy

INPUTS, OUTPUTS = ("wrist", "head", "body", "text"), ("shifts", "grip", "ordered")
TOLERANCE = 1e-3  # of shifts in m and rad, and of chances


def export(policy: Policy, path: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write `path`. `about` (JSON values) goes into the file, for the worker to say where it comes from."""
    import onnx

    whole = Deployed(copy.deepcopy(policy)).cpu().eval()
    generator = torch.Generator().manual_seed(0)
    example = (
        torch.randint(0, 256, (2, 48, 64, 3), generator=generator, dtype=torch.uint8),
        torch.randint(0, 256, (2, 48, 48, 3), generator=generator, dtype=torch.uint8),
        torch.randn((2, BODY), generator=generator),
        torch.cat(
            [torch.randint(1, 20, (1, 40), generator=generator), torch.zeros((1, TEXT - 40), dtype=torch.int64)], 1
        ),
    )
    unfinished = path.with_suffix(".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            whole, example, str(unfinished), input_names=INPUTS, output_names=OUTPUTS, opset_version=17, dynamo=False
        )
    model = onnx.load(str(unfinished))
    onnx.helper.set_model_props(model, {"takt": json.dumps({"format": 1, **(about or {})}, sort_keys=True)})
    onnx.save(model, str(unfinished))
    _check(whole, example, unfinished)
    unfinished.replace(path)


def _check(whole: Deployed, example: tuple[torch.Tensor, ...], path: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {name: value.numpy() for name, value in zip(INPUTS, example, strict=True)})
    with torch.no_grad():
        expected = [value.numpy() for value in whole(*example)]
    worst = max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
    if worst > TOLERANCE:
        raise RuntimeError(f"the exported policy differs from the learned one by {worst:g}")
