"""The loading path for Qwen-VL backbones, with tiny randomly initialised models of the same architectures."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if not find_spec("torch") or not find_spec("transformers"):
    pytest.skip("torch and transformers, the extra `train`, are not installed", allow_module_level=True)

import torch

from takt import TaktError, open_station
from takt.contract.plan import checked
from takt.stations.nutcell import scene
from takt.stations.nutcell.orders import charset
from takt.stations.nutcell.qwen import STATE_WIDTH, Qwen, load

torch.set_num_threads(1)  # so small a model is slower on two
TEXTS = ["M6 left, flanged M8 right", "左侧M6，右侧M8法兰", "user", "assistant", "put the nuts on the pins"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]


def tiny(kind: str, folder: Path) -> Path:
    """A model of one of Qwen's vision-language architectures, about 0.1 M parameters, saved as a downloaded one is."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
    )

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIAL, initial_alphabet=alphabet)
    words.train_from_iterator([*TEXTS, charset()], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token=SPECIAL[0], additional_special_tokens=SPECIAL)
    tokenizer.save_pretrained(folder)
    ids = dict(zip(("vision_start_token_id", "vision_end_token_id", "image_token_id"), range(3, 6), strict=True))
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
    }
    vision: dict[str, Any] = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 64,
    }
    torch.manual_seed(0)
    if kind == "qwen3_vl":
        text |= {
            "head_dim": 16,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4},  # type: ignore[dict-item]
        }
        vision |= {"patch_size": 16, "num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
        config: Any = Qwen3VLConfig(text_config=text, vision_config=vision, video_token_id=2, **ids)
        model: Any = Qwen3VLForConditionalGeneration(config)
        size, patch = "Qwen2VLImageProcessor", 16
    else:
        text |= {"rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4}}  # type: ignore[dict-item]
        vision |= {"patch_size": 14, "fullatt_block_indexes": [1], "window_size": 56}
        config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, video_token_id=2, **ids)
        model = Qwen2_5_VLForConditionalGeneration(config)
        size, patch = "Qwen2VLImageProcessor", 14
    model.save_pretrained(folder)
    processor = {
        "image_processor_type": size,
        "patch_size": patch,
        "merge_size": 2,
        "temporal_patch_size": 2,
        "size": {"shortest_edge": 32 * 32, "longest_edge": 128 * 128},
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


@pytest.fixture(scope="module", params=["qwen2_5_vl", "qwen3_vl"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(request.param, tmp_path_factory.mktemp(request.param))


def seen(order: str = TEXTS[0], seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    pictures = {f"observation.images.{c}": rng.integers(0, 255, (96, 96, 3), np.uint8) for c in scene.CAMERAS}
    return pictures | {
        "observation.state": np.linspace(-1, 1, 48, dtype=np.float32),
        "observation.setpoint": np.zeros((2, 7), np.float32),
        "observation.touch": np.zeros((2, 2, 3, 4, 4), np.float32),
        "observation.takt_left": np.array([70.0], np.float32),
        "order": order,
    }


def test_features_follow_pictures_and_words(folder: Path) -> None:
    policy = load(str(folder)).eval()
    with torch.inference_mode():
        inputs = policy.inputs([seen(), seen(seed=1), seen(TEXTS[1])])
        features = policy.features(inputs)
    assert features.shape[0] == 3 and features.shape[2] == 64 and torch.isfinite(features).all()
    per_picture = (inputs["input_ids"][0] == policy.image_token).sum() / 3
    assert per_picture == int(inputs["image_grid_thw"][0].prod()) // 4 and len(inputs["image_grid_thw"]) == 9
    last = [int(counts.sum()) - 1 for counts in inputs["attention_mask"]]
    one, other_picture, other_words = (features[n, last[n]] for n in range(3))
    assert (one - other_picture).abs().max() > 1e-4 and (one - other_words).abs().max() > 1e-4
    with torch.inference_mode():
        alone = policy(policy.inputs([seen()]), policy.state([seen()]))
        together = policy(inputs, policy.state([seen()] * 3))
    assert torch.allclose(alone[0], together[0], atol=1e-4), "padding says nothing"


def test_chunks_are_actions_of_the_cell_and_can_be_learned(folder: Path, tmp_path: Path) -> None:
    policy = load(str(folder), train_backbone=True)
    cell = open_station("nutcell")
    inputs, state = policy.inputs([seen()]), policy.state([seen()])
    assert state.shape == (1, STATE_WIDTH)
    chunk = policy(inputs, state)
    good = checked(list(chunk[0].detach().numpy()), cell.action_space, 0)
    assert len(good.actions) == 20 and all(cell.action_space.contains(action) for action in good.actions)
    cell.close()
    wanted = chunk.detach().clone()
    wanted[..., 0], wanted[..., 6] = 0.01, 1.0
    counts = torch.ones(1, 20)
    optimiser = torch.optim.Adam(policy.parameters(), 3e-4)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = policy.loss(inputs, state, wanted, counts)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4, losses
    assert policy.backbone.model.visual.patch_embed.proj.weight.grad.abs().sum() > 0, "it learns to see"
    assert load(str(folder)).backbone.model.visual.patch_embed.proj.weight.requires_grad is False
    policy.save_head(tmp_path / "head.pt")
    again = load(str(folder))
    again.load_head(tmp_path / "head.pt")
    for one, other in zip(again.head.parameters(), policy.head.parameters(), strict=True):
        assert torch.equal(one, other)


def test_it_works_as_a_worker(folder: Path) -> None:
    worker = Qwen(str(folder))
    assert worker.station_options == {"cameras": ["head", "left_wrist", "right_wrist"]}
    cell = open_station("nutcell", line="mixed")
    worker.begin(cell.spec, 0)
    one, again = worker.act(seen()), worker.act(seen())
    assert one.ask_after == 10 and len(one.actions) == 20
    assert (np.array(one.actions) == np.array(again.actions)).all()
    cell.close()


def test_what_cannot_be_loaded_is_one_line(folder: Path, tmp_path: Path) -> None:
    for given, said in ((tmp_path / "nothing", "cannot load the model"), (tmp_path, "cannot load the model")):
        with pytest.raises(TaktError, match=said):
            load(str(given), local_only=True)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(TaktError, match="it must be a Qwen-VL model"):
        load(str(tmp_path))
    policy = load(str(folder))
    (tmp_path / "head.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(TaktError, match="is no action head of this model"):
        policy.load_head(tmp_path / "head.pt")
