"""Training: a tiny Qwen made here learns from a teacher's shift, by TRL. Skips where the extra `train` is not there."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError, open_station, repeat_shift, run_shift
from takt.cli import main
from takt.contract.events import SAID
from takt.export.trl import export_trl
from takt.train import NEEDS, data

missing = [name for name in NEEDS if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs the extra `train`: {', '.join(missing)} missing")

DESK = {"scenario": "two-hubs", "flights": 300, "aircraft": 45, "bookings": 2000, "days": 1, "takt_s": 120.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def lines(folder: Any) -> Any:
    return data("flightdesk", "greedy", [3], folder, units=6, station_options=DESK, view="short")


@pytest.fixture(scope="module")
def tiny(folder: Any, lines: Any) -> Any:
    from tiny_qwen import make

    path = folder / "tiny"
    make(path, width=64, layers=2, interval=2, data=str(lines))
    return path


def test_the_teachers_shifts_are_worked_once(folder: Any, lines: Any) -> None:
    first = (folder / "greedy-seed3.takt").stat().st_mtime_ns
    assert data("flightdesk", "greedy", [3], folder, units=6, station_options=DESK, view="short") == lines
    assert (folder / "greedy-seed3.takt").stat().st_mtime_ns == first
    for units, options, says in ((7, DESK, "units 6, not 7"), (6, {}, "aircraft=45, not")):
        with pytest.raises(TaktError, match=f"is a shift with {says}"):
            data("flightdesk", "greedy", [3], folder, units=units, station_options=options, view="short")


def test_conversations_are_those_of_the_very_shifts_that_are_asked_for(
    folder: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from takt import train

    def worked(*given: Any, seed: int, ledger: Path, **more: Any) -> None:
        ledger.write_bytes((folder / "greedy-seed3.takt").read_bytes())

    digests: dict[str, str] = {}
    monkeypatch.setattr(train, "run_shift", worked)
    monkeypatch.setattr(train, "finished", lambda *given: True)
    monkeypatch.setattr(train, "all_options", lambda *given: {})
    monkeypatch.setattr(train, "_digest", lambda path: digests.get(path.name, "as it was"))
    monkeypatch.setattr(train, "export_trl", lambda ledgers, out, **given: out.write_text(f"{ledgers} {digests}"))

    def of(*seeds: int) -> str:
        return data("flightdesk", "greedy", seeds, folder / "few", view="short").read_text()

    (folder / "few").mkdir()
    first, second = of(1, 2), of(1, 3)
    assert first != second and (of(1, 2), of(1, 3)) == (first, second) and "seed3" not in first
    digests["greedy-seed2.takt"] = "worked again"
    assert of(1, 2) != first and of(1, 3) == second


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seeds", "1000-1003", "--held-out", "1001-1002"], "--held-out and --seeds share the seeds 1001-1002"),
        (["--seeds", "3", "--short-shift", "4", "--short-seed", "3"], "--short-seed and --seeds share the seed 3"),
        (["--rounds", "1", "--round-seeds", "7", "--held-out", "7"], "--held-out and --round-seeds share the seed 7"),
        (["--rounds", "5", "--round-seeds", "1960"], "5 rounds need a seed each at least, and --round-seeds has 1"),
        (["--rounds", "1", "--round-seeds", "abc"], "cannot read the seeds 'abc'"),
        (["--data", "LINES", "--worker", "nobody", "--rounds", "1"], "no worker named 'nobody'"),
        (["--view", "shrt"], "there is no view 'shrt', did you mean 'short'"),
        (["--view", "short", "--gguf", "q8_0"], "a GGUF file is written only of a model that came from one"),
        (["--view", "short", "--freeze", "40"], "cannot freeze 40 layers of this model; it has 2 layers"),
        (["--data", "none.jsonl", "--held-out", "5"], "there are no conversations in none.jsonl"),
        (["--view", "short", "--rounds", "1", "--out", "TAKEN"], "it is there already, and not made by this"),
    ],
)
def test_what_a_training_needs_is_looked_at_before_anything_long(
    tiny: Any, lines: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, words: Any, says: str
) -> None:
    monkeypatch.setattr("takt.train.data", lambda *given, **more: pytest.fail("the teacher worked"))
    monkeypatch.setattr("takt.train.sft.finetune", lambda *given, **more: pytest.fail("the model learned"))
    (tmp_path / "taken-round1").mkdir()
    (tmp_path / "taken-round1/notes.txt").touch()
    places = {"LINES": str(lines), "TAKEN": str(tmp_path / "taken")}
    given = ["--model", str(tiny), "--out", str(tmp_path / "out"), "-o", "scenario=two-hubs"]
    assert main(["train", "flightdesk", *given, *(places.get(word, word) for word in words)]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert says in line and not (tmp_path / "out").exists()


def test_a_tiny_qwen_is_one_and_the_same_for_a_seed(tiny: Any, folder: Any, lines: Any) -> None:
    from tiny_qwen import make
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny)
    assert model.config.model_type == "qwen3_5_text"
    assert set(model.config.layer_types) == {"linear_attention", "full_attention"}
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    text = '{"flight":"CA937/2026-03-01","cabin":"E"}'
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert {"C", "A", "9", "3", "7"} <= {tokenizer.decode([i]) for i in tokenizer(text)["input_ids"]}
    make(folder / "again", width=64, layers=2, interval=2, data=str(lines))
    for name in ("model.safetensors", "tokenizer.json"):
        assert (folder / "again" / name).read_bytes() == (tiny / name).read_bytes()


def test_fine_tuning_learns_what_the_assistant_says(
    tiny: Any, folder: Any, lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoTokenizer

    words = ["--steps", "8", "--batch", "4", "--rate", "5e-3", "--max-tokens", "1024", "--json"]
    out = folder / "trained"
    assert main(["train", "flightdesk", "--model", str(tiny), "--out", str(out), "--data", str(lines), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["loss_last"] < told["loss_first"] and told["steps"] == 8
    assert (out / "model.safetensors").exists()
    assert "{%- generation %}" not in AutoTokenizer.from_pretrained(out).chat_template
    assert main(["train", "flightdesk", "--model", str(tiny), "--out", str(out), "--data", "none.jsonl"]) == 2
    assert "there are no conversations in none.jsonl" in capsys.readouterr().err
    assert main(["train", "flightdesk", "--model", "no/such", "--out", str(out), "--data", str(lines)]) == 2
    assert "cannot load the model 'no/such'" in capsys.readouterr().err


def test_an_episode_of_the_environment_is_a_unit(folder: Any) -> None:
    import inspect

    from takt.train.grpo import environment

    ledger = folder / "greedy-seed3.takt"
    export_trl([ledger], folder / "prompts.jsonl", view="short", kind="prompts")
    row = json.loads((folder / "prompts.jsonl").read_text().splitlines()[1])
    station = open_station("flightdesk", **DESK)
    episode = environment(station.spec, "short")()
    assert list(inspect.signature(episode.book).parameters) == ["group", "legs"] and episode.book.__doc__
    episode.reset(**row)
    group = json.loads(row["prompt"][1]["content"])["queue"][0]["group"]
    told = json.loads(episode.propose(group=group, avoid_closed=True))["result"]
    assert episode.get_reward() == 0.0
    if told["itineraries"]:
        if told["itineraries"][0]["hotel_due"]:
            episode.hotel(group=group)
        assert "error" not in json.loads(episode.book(group=group, legs=told["itineraries"][0]["legs"]))["result"]
    else:
        episode.refund(group=group)
    assert "this unit is done" in episode.refund(group=group)
    episode.reset(**row)
    again = json.loads(episode.propose(group=group, avoid_closed=True))["result"]
    assert again == told


def test_grpo_takes_a_step_with_the_station_as_environment(tiny: Any, folder: Any) -> None:
    from takt.train.grpo import reinforce

    export_trl([folder / "greedy-seed3.takt"], folder / "prompts.jsonl", view="short", kind="prompts")
    options: dict[str, Any] = {"steps": 1, "batch": 2, "answers": 2, "max_tokens": 12, "view": "short"}
    with pytest.raises(TaktError, match="there already, and not made by this"):
        reinforce(str(tiny), folder / "prompts.jsonl", tiny, **options)
    told = reinforce(str(tiny), folder / "prompts.jsonl", folder / "grpo", **options)
    assert told["steps"] == 1 and 0.0 <= told["reward_first"] <= 1.0
    assert (folder / "grpo" / "model.safetensors").exists()


def test_a_tiny_qwen_is_served_and_works_a_shift(tiny: Any, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real path: template, `transformers serve`, its parser, the worker; and again without the server."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    pytest.importorskip("openai", reason="needs the extra `llm`")
    from tiny_desk import served

    options = {"profile": "transformers", "model": "tiny", "view": "short", "tokens_per_s": 0.1, "max_tokens": 16}
    with served(tiny, folder / "serve.log") as url:
        shift = run_shift(
            "flightdesk",
            "llm",
            hours=0.25,
            clock="measured",
            ledger=folder / "served.takt",
            station_options=DESK,
            worker_options={**options, "base_url": url, "extra_body": {"temperature": 0}},
        )
    said = [event.data for event in shift.events if event.kind == SAID and "number" in event.data]
    assert shift.ended == "time" and len(said) >= 3
    assert all(record["message"] is not None and not record["failed"] for record in said)
    assert all(0 < record["usage"]["completion_tokens"] <= 16 for record in said)
    assert repeat_shift(folder / "served.takt").digest == shift.digest
