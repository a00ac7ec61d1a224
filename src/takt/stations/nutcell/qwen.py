"""A Qwen-VL model as eyes and ears of a policy: its last hidden states, and a head that makes an action chunk of them.

    policy = load("Qwen/Qwen3-VL-2B-Instruct")            # or a folder: Qwen2-VL, Qwen2.5-VL, Qwen3-VL
    chunk = policy(policy.inputs([observation]), policy.state([observation]))        # (1, horizon, 15)
    takt serve-policy --worker takt.stations.nutcell.qwen:Qwen -w model=PATH -w head=head.pt -o line=mixed

The head is new and knows nothing: it is to be trained on demonstrations (any loop will do; `QwenPolicy.loss` is what to
make small), with the backbone frozen or not. Needs PyTorch and transformers, the extra `train`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Plan
from takt.distribution import install
from takt.hub import pinned, why_not
from takt.stations.nutcell import scene

if not find_spec("torch") or not find_spec("transformers"):
    raise TaktError(f"a Qwen-VL policy needs the extra `train`: {install('train')}")

import torch
from torch import nn

TASK = "Put one nut on the left pin and one nut on the right pin."  # where there is no order
STATE = ("observation.state", "observation.setpoint", "observation.touch", "observation.takt_left")
STATE_WIDTH = 48 + 14 + 192 + 1
HORIZON = 20  # actions of a chunk, 0.4 s
HEAD_WIDTH, HEAD_LAYERS, HEAD_HEADS = 256, 2, 4
IMAGE, START, END = "<|image_pad|>", "<|vision_start|>", "<|vision_end|>"


class ActionHead(nn.Module):
    """Queries, one for each action, that look at the backbone's hidden states and at the state of the arms.

    (B, T, width) features, (B, T) which of them count, (B, STATE_WIDTH) state -> (B, horizon, actions), of actions
    scaled to [-1, 1].
    """

    def __init__(self, width: int, actions: int, horizon: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.see = nn.Linear(width, HEAD_WIDTH)
        self.feel = nn.Sequential(nn.Linear(STATE_WIDTH, HEAD_WIDTH), nn.GELU(), nn.Linear(HEAD_WIDTH, HEAD_WIDTH))
        self.queries = nn.Parameter(0.02 * torch.randn(horizon, HEAD_WIDTH))
        layer = nn.TransformerDecoderLayer(
            HEAD_WIDTH, HEAD_HEADS, 4 * HEAD_WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.decoder = nn.TransformerDecoder(layer, HEAD_LAYERS)
        self.out = nn.Linear(HEAD_WIDTH, actions)

    def forward(self, features: torch.Tensor, counts: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        felt = self.feel(torch.asinh(state))[:, None]  # efforts reach tens of N m, joint angles a few rad
        memory = torch.cat([self.see(self.norm(features)), felt], dim=1)
        ignored = torch.cat([~counts, torch.zeros_like(counts[:, :1])], dim=1)
        queries = self.queries.expand(len(state), -1, -1)
        return self.out(self.decoder(queries, memory, memory_key_padding_mask=ignored))


class QwenPolicy(nn.Module):
    """A Qwen-VL backbone, what prepares its input, and an action head. See `load`.

    low, high    (D,) bounds of the cell's actions; the head's numbers are between them, scaled to [-1, 1].
    """

    low: torch.Tensor
    high: torch.Tensor

    def __init__(
        self, backbone: Any, tokenizer: Any, image_processor: Any, low: np.ndarray, high: np.ndarray, horizon: int
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self._tokenizer, self._images = tokenizer, image_processor
        self.image_token = int(backbone.config.image_token_id)
        self.register_buffer("low", torch.as_tensor(low, dtype=torch.float32))
        self.register_buffer("high", torch.as_tensor(high, dtype=torch.float32))
        self.head = ActionHead(backbone.config.get_text_config().hidden_size, len(low), horizon)

    def inputs(self, observations: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """What the backbone takes: all cameras that an observation has, then the order's words."""
        pictures = [
            np.ascontiguousarray(seen[f"observation.images.{camera}"])
            for seen in observations
            for camera in scene.CAMERAS
            if f"observation.images.{camera}" in seen
        ]
        each = len(pictures) // len(observations)
        seen: dict[str, Any] = {}
        tokens = [0] * len(pictures)
        if pictures:
            seen = dict(self._images(images=pictures, return_tensors="pt"))
            tokens = (seen["image_grid_thw"].prod(dim=1) // self._images.merge_size**2).tolist()
        texts = []
        for n, observation in enumerate(observations):
            eyes = "".join(f"{START}{IMAGE * count}{END}" for count in tokens[n * each : (n + 1) * each])
            words = str(observation.get("order") or TASK)
            texts.append(f"<|im_start|>user\n{eyes}{words}<|im_end|>\n<|im_start|>assistant\n")
        told = self._tokenizer(texts, return_tensors="pt", padding=True)
        # Which tokens are pictures: without it the positions in the picture are lost (M-RoPE).
        kinds = (told["input_ids"] == self.image_token).int()
        found = {"input_ids": told["input_ids"], "attention_mask": told["attention_mask"], "mm_token_type_ids": kinds}
        found |= {key: seen[key] for key in ("pixel_values", "image_grid_thw") if key in seen}
        return {key: value.to(self.low.device) for key, value in found.items()}

    def state(self, observations: Sequence[Mapping[str, Any]]) -> torch.Tensor:
        """(B, STATE_WIDTH) of what the arms feel."""
        rows = [np.concatenate([np.ravel(seen[key]) for key in STATE]) for seen in observations]
        return torch.as_tensor(np.array(rows), dtype=torch.float32, device=self.low.device)

    def features(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, T, width): the backbone's last hidden states."""
        told = self.backbone.model(**inputs, use_cache=False)
        hidden: torch.Tensor = told.last_hidden_state
        return hidden.float()

    def scaled(self, inputs: Mapping[str, torch.Tensor], state: torch.Tensor) -> torch.Tensor:
        """(B, horizon, D), scaled to [-1, 1]."""
        chunk: torch.Tensor = self.head(self.features(inputs), inputs["attention_mask"].bool(), state)
        return chunk

    def forward(self, inputs: Mapping[str, torch.Tensor], state: torch.Tensor) -> torch.Tensor:
        """(B, horizon, D) of the cell's own actions."""
        share = (self.scaled(inputs, state).clamp(-1, 1) + 1) / 2
        return self.low + share * (self.high - self.low)

    def loss(
        self, inputs: Mapping[str, torch.Tensor], state: torch.Tensor, actions: torch.Tensor, counts: torch.Tensor
    ) -> torch.Tensor:
        """Of what the expert did: (B, horizon, D) actions, and (B, horizon) which of them are its own."""
        wanted = 2 * (actions - self.low) / (self.high - self.low) - 1
        each = nn.functional.smooth_l1_loss(self.scaled(inputs, state), wanted, reduction="none", beta=0.1).mean(-1)
        return (each * counts).sum() / counts.sum().clamp(min=1)

    def save_head(self, path: str | os.PathLike[str]) -> None:
        torch.save(self.head.state_dict(), path)

    def load_head(self, path: str | os.PathLike[str]) -> None:
        """Raises TaktError if it is not there, or is another model's."""
        try:
            self.head.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # a broken file raises a dozen kinds
            raise TaktError(f"{path} is no action head of this model ({type(error).__name__})") from error


def load(
    model: str,
    *,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    horizon: int = HORIZON,
    dtype: str = "float32",
    device: str = "cpu",
    train_backbone: bool = False,
    local_only: bool = False,
) -> QwenPolicy:
    """The Qwen-VL model of this name or in this folder, with a new action head.

    low, high    bounds of the cell's actions; by default those of `ee`.
    dtype        of the backbone: "float32", "bfloat16"; the head is float32.
    local_only   look for a name only in what was downloaded before.

    Raises TaktError for a model that is not there or is no Qwen-VL.
    """
    from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

    if low is None or high is None:
        low, high = _ee_bounds()
    local = local_only or Path(model).exists()
    name, revision = pinned(model, local)
    try:
        config = AutoConfig.from_pretrained(name, revision=revision, local_files_only=local)
    except Exception as error:
        raise TaktError(f"cannot load the model {model!r}: {why_not(error)}") from error
    if not getattr(config, "image_token_id", None) or "qwen" not in str(config.model_type):
        raise TaktError(f"{model} is a {config.model_type!r}; it must be a Qwen-VL model")
    try:
        backbone = AutoModelForImageTextToText.from_pretrained(
            name, revision=revision, dtype=getattr(torch, dtype), local_files_only=local
        )
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, local_files_only=local)
        # Pillow's: torchvision is not needed, and no video is ever shown.
        images = AutoImageProcessor.from_pretrained(name, revision=revision, local_files_only=local, backend="pil")
    except Exception as error:
        raise TaktError(f"cannot load the model {model!r}: {why_not(error)}") from error
    tokenizer.padding_side = "right"
    backbone.requires_grad_(train_backbone)
    return QwenPolicy(backbone, tokenizer, images, low, high, horizon).to(device)


class Qwen:
    """A Qwen-VL policy as a worker of the cell.

    model            a name, or a folder.
    head             the trained action head, a file of `save_head`; without, an untrained one from `seed`.
    execute          of the chunk's actions, after how many it is asked again; the rest goes on meanwhile.
    """

    station_options = {"cameras": list(scene.CAMERAS)}  # noqa: RUF012

    def __init__(
        self, model: str, head: str = "", execute: int = HORIZON // 2, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        self._given: dict[str, Any] = {"model": model, "device": device, "dtype": dtype}
        self._head, self._execute = head, execute
        self.policy: QwenPolicy | None = None

    def begin(self, spec: StationSpec, seed: int) -> None:
        if spec.options.get("control") != "ee":
            raise TaktError("a Qwen-VL policy moves set-points: open the cell with control=ee")
        torch.manual_seed(seed)
        self.policy = load(**self._given)
        if self._head:
            self.policy.load_head(self._head)
        self.policy.eval()

    def act(self, observation: Mapping[str, Any]) -> Plan:
        assert self.policy is not None
        with torch.inference_mode():
            chunk = self.policy(self.policy.inputs([observation]), self.policy.state([observation]))[0]
        return Plan(list(chunk.float().cpu().numpy()), ask_after=self._execute)

    def end(self) -> None: ...


def _ee_bounds() -> tuple[np.ndarray, np.ndarray]:
    from takt.stations.nutcell.layout import EE_STEP_M, EE_STEP_RAD

    step = [EE_STEP_M] * 3 + [EE_STEP_RAD] * 3
    low, high = ([-s for s in step] + [0.0]) * 2 + [0.0], (step + [1.0]) * 2 + [1.0]
    return np.array(low, np.float32), np.array(high, np.float32)
