"""The real path of pictures: camera, worker `llm`, `transformers serve`, a vision tower. Weights are random and tiny.

Skips where the extra `train` is not there."""

from __future__ import annotations

import json
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import repeat_shift, run_shift
from takt.train import NEEDS
from takt.workers.pictures import pictures_of, shown

missing = [name for name in NEEDS if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs the extra `train`: {', '.join(missing)} missing")

SMALL = {"image_size": 64, "difficulty": "nominal"}
TOKENS = (64 // 16 // 2) ** 2  # that a picture is to Qwen 3 VL: patches of 16 pixels, four of them a token


def answer(url: str, shade: int) -> str:
    """What the model says to a picture of one grey, in the words of the worker."""
    picture = pictures_of({"eyes": np.full((64, 64, 3), shade, np.uint8)})
    messages = shown([{"role": "user", "content": "What is it?"}], picture)
    body = {"model": "eyes", "messages": messages, "max_tokens": 16, "temperature": 0}
    kind = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), kind)
    with urllib.request.urlopen(asked, timeout=300) as told:
        said: str = json.load(told)["choices"][0]["message"]["content"]
    return said


def test_what_the_camera_sees_reaches_a_vision_tower_of_qwens_and_changes_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2]
    for folder in ("benchmarks", "examples"):
        monkeypatch.syspath_prepend(str(root / folder))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    pytest.importorskip("openai", reason="needs the extra `llm`")
    from tiny_desk import served
    from tiny_qwen_vl import make

    make(tmp_path / "eyes")
    said = {}
    with served(tmp_path / "eyes", tmp_path / "serve.log") as url:
        for pictures in (True, False):
            options: dict[str, Any] = {
                "profile": "transformers",
                "model": "eyes",
                "base_url": url,
                "pictures": pictures,
            }
            options |= {"tokens_per_s": 0.5, "max_tokens": 16, "extra_body": {"temperature": 0}}
            ledger = tmp_path / f"{pictures}.takt"
            shift = run_shift(
                "inspection",
                "llm",
                units=2,
                seed=8,
                clock="measured",
                ledger=ledger,
                station_options=SMALL,
                worker_options=options,
            )
            records = [event.data for event in shift.events if event.kind == "said" and "number" in event.data]
            assert shift.ended == "units" and len(records) >= 2
            assert all(record["message"] is not None and not record["failed"] for record in records)
            assert repeat_shift(ledger).digest == shift.digest
            said[pictures] = records
        assert answer(url, 0) != answer(url, 255), "an answer hangs on what is seen"
    seen, told = ([record["usage"]["prompt_tokens"] for record in said[pictures]] for pictures in (True, False))
    assert seen[0] >= told[0] + TOKENS, "a picture is read as the tokens that it is"
