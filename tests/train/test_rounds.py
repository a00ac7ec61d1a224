"""Rounds of work, correct, train, and a model that is asked in this process. Needs the extra `train`, or skips."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError, repeat_shift
from takt.train import NEEDS

missing = [name for name in NEEDS if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs the extra `train`: {', '.join(missing)} missing")

sys.path += [str(Path(__file__).parents[2] / "examples"), str(Path(__file__).parents[1] / "llm")]
DESK = {"scenario": "two-hubs", "flights": 300, "aircraft": 45, "bookings": 2000, "days": 1, "takt_s": 120.0}


class ForgetsHotels:
    """A model that never gives a hotel, in the place of one that is asked in this process."""

    def __init__(self, *_: object) -> None: ...

    def ask(self, messages: Any, tools: Any, settings: Any) -> Any:
        from test_view import serve

        from takt.workers.llm.answer import Call, Reply

        say = serve({"messages": list(messages)})
        calls = tuple(Call(name, json.dumps(given)) for name, given in say.calls if name != "hotel")
        return Reply("", "", calls, {"prompt_tokens": 100, "completion_tokens": 20}, {"role": "assistant"}, "stop")


def test_a_round_works_corrects_and_learns_and_is_not_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from takt.train import rounds

    trained = []

    def finetune(model: Any, data: Any, out: Any, **options: Any) -> dict[str, Any]:
        trained.append((model, [str(path) for path in data], Path(out).name, options["steps"]))
        return {"model": str(out)}

    class Weights:
        class causal:
            eval = staticmethod(lambda: None)

    monkeypatch.setattr(rounds, "finetune", finetune)
    monkeypatch.setattr(rounds, "InProcess", ForgetsHotels)
    monkeypatch.setattr(rounds, "open_tokenizer", lambda model: None)
    monkeypatch.setattr(rounds, "weights_of", lambda model: f"the weights of {model}")
    monkeypatch.setattr(rounds, "open_weights", lambda model, tokenizer: Weights)
    lessons, shifts, said = tmp_path / "lessons.jsonl", tmp_path / "m-shifts", []
    lessons.write_text('{"messages": []}\n' * 100)
    shifts.mkdir()
    given: dict[str, Any] = {
        "lessons": [lessons],
        "out": tmp_path / "m",
        "shifts": shifts,
        "view": "short",
        "station_options": DESK,
        "training": {"steps": 7},
        "say": said.append,
    }
    monkeypatch.setattr(rounds, "ENOUGH", 1)
    told = rounds.rounds({"model": "first"}, "flightdesk", "greedy", 2, [3, 5, 4, 6], 8, **given)
    assert [done["round"] for done in told["rounds"]] == [1, 2] and told["model"] == str(tmp_path / "m-round2")
    assert all(done["units"] == 8 and done["lessons"] >= 1 for done in told["rounds"])
    model, data, out, steps = trained[0]
    assert (model, out, steps) == ("first", "m-round1", 7) and trained[1][0] == str(tmp_path / "m-round1")
    assert data == [str(lessons), str(shifts / "round1-seed3-lessons.jsonl")], "the first shift had enough"
    assert trained[1][1] == [*data, str(shifts / "round2-seed4-lessons.jsonl")], "what was learned before stays"
    for row in map(json.loads, (shifts / "round1-seed3-lessons.jsonl").read_text().splitlines()):
        assert row["corrected"]["by"] == "greedy" and row["seed"] == 3
    ledger = shifts / "round1-seed3.takt"
    stamp, digest = ledger.stat().st_mtime_ns, repeat_shift(ledger).digest
    assert digest, "a shift of the worker llm like any other"
    monkeypatch.setattr(rounds, "InProcess", None)
    again = rounds.rounds({"model": "first"}, "flightdesk", "greedy", 2, [3, 5, 4, 6], 8, **given)
    assert again["rounds"] == told["rounds"] and ledger.stat().st_mtime_ns == stamp
    monkeypatch.setattr(rounds, "weights_of", lambda model: "others")
    with pytest.raises(TaktError, match=r"round1-seed3\.takt is a shift with worker_options .*first@the weights"):
        rounds.rounds({"model": "first"}, "flightdesk", "greedy", 2, [3, 5, 4, 6], 8, **given)
    with pytest.raises(TaktError, match="3 rounds need a seed each"):
        rounds.rounds({"model": "first"}, "flightdesk", "greedy", 3, [3, 4], 8, **given)


def test_a_model_asked_here_says_the_same_whether_it_remembers_and_drafts_or_reads_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch
    from tiny_qwen import tokenizer_of
    from transformers import LlamaConfig, LlamaForCausalLM

    from takt.train import answering
    from takt.train.answering import InProcess

    sys.path.insert(0, str(Path(__file__).parent))
    from test_lessons import TOOLS, row

    tokenizer = tokenizer_of([row(str(number), True) for number in range(8)], 400)
    torch.manual_seed(3)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size)).eval()
    remembers = InProcess(model, tokenizer, 24)
    talk = row("7", True)["messages"]
    passes: list[int] = []
    model.model.register_forward_hook(lambda core, given, said: passes.append(1))
    spared = 0
    for upto in (2, 4, 6, 4, 2):
        messages = talk[:upto]
        passes.clear()
        one = remembers.ask(messages, TOOLS, {"max_tokens": 24})
        spared += one.usage["completion_tokens"] - len(passes)
        with monkeypatch.context() as without:
            without.setattr(answering, "DRAFT", 0)
            fresh = InProcess(model, tokenizer, 24).ask(messages, TOOLS, {"max_tokens": 24})
        assert one.raw == fresh.raw and one.usage == fresh.usage
        assert 0 < one.usage["completion_tokens"] <= 24
    assert spared > 10  # this model's words repeat: what is tried is often right
