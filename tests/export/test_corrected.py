"""A model's bad units, put right by a teacher from the first wrong call on: lessons, and pairs for DPO."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError, run_shift
from takt.cli import main
from takt.export.trl import export_trl
from takt.workers.llm.talk import REFUSALS

sys.path.insert(0, str(Path(__file__).parents[1] / "llm"))  # fake_server.py, scripts.py, test_view.py
from fake_server import FakeServer, Say, seen
from scripts import DESK, shift
from test_view import serve as briefly


def serve(body: Any, n: Any = 0) -> Any:
    """Works as greedy does, in the short view."""
    say, first = briefly(body, n), (seen(body).get("queue") or [{}])[0]
    if [call[0] for call in say.calls] == ["refund"] and first.get("people", 1) > 1:
        return Say([("split", {"group": first["group"], "people": first["people"] // 2})])
    return say


def forgets_hotels(body: Any, n: Any = 0) -> Any:
    """The same, but it never gives a hotel."""
    say = serve(body, n)
    calls = [call for call in say.calls if call[0] != "hotel"]
    return Say(calls)


def books_by_heart(body: Any, n: Any = 0) -> Any:
    """Books a flight that there is not, every time."""
    told = seen(body)
    if (told.get("result") or {}).get("itineraries"):
        group = told["result"]["group"]
        return Say([("book", {"group": group, "legs": [{"flight": "XX1/2026-01-01", "cabin": "Y"}]})])
    return serve(body, n)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shift of each, at a world where hotels are due."""
    folder = tmp_path_factory.mktemp("corrected")
    for script in (forgets_hotels, books_by_heart, serve):
        with FakeServer(script) as server:
            path = folder / f"{script.__name__}.takt"
            shift(server.url, ledger=path, view="short", units=14, seed=3, desk={"home_within_h": 96})
    return folder


def lessons(shift_path: Any, out: Any, **options: Any) -> Any:
    told = export_trl([shift_path], out, **options)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert told["conversations"] == len(rows)
    return rows


@pytest.fixture(scope="module")
def put_right(worked: Any) -> Any:
    """The lessons of the model that forgets hotels."""
    return lessons(worked / "forgets_hotels.takt", worked / "right.jsonl", corrected_by="greedy")


def calls_of(messages: Any) -> list[Any]:
    return [call["function"]["name"] for message in messages for call in message.get("tool_calls", ())]


def test_a_forgotten_hotel_is_given_by_the_teacher_where_the_model_booked(worked: Any, put_right: Any) -> None:
    path, rows = worked / "forgets_hotels.takt", put_right
    assert rows, "some group was due a hotel"
    for row in rows:
        assert row["corrected"]["said"]["name"] == "book" and row["corrected"]["by"] == "greedy"
        assert calls_of(row["messages"]) == ["propose", "hotel", "book"]
        assert row["messages"][-1]["role"] == "assistant"
        told = json.loads(row["messages"][3]["content"])["result"]["itineraries"][0]
        assert told["hotel_due"] is True, "the situation is the model's own"
        book = row["messages"][-1]["tool_calls"][0]["function"]["arguments"]
        assert [leg["flight"] for leg in book["legs"]] == [leg["flight"] for leg in told["legs"]]
        assert row["units"] and row["shift"] == str(path) and row["tools"]
    good = [row for row in rows if row["reward"] == 1.0]
    assert good, "put right, units are good that were bad"


def test_what_a_teacher_would_have_done_as_well_is_no_lesson(worked: Any, tmp_path: Path) -> None:
    told = export_trl(worked / "serve.takt", tmp_path / "out.jsonl", corrected_by="greedy")
    assert told["conversations"] == 0 and "no bad unit at which greedy would have made another call" in told["note"]
    with pytest.raises(TaktError, match=r"'idle' can correct nothing here: at none of \d+ calls"):
        export_trl(worked / "forgets_hotels.takt", tmp_path / "no.jsonl", corrected_by="idle")
    assert not (tmp_path / "no.jsonl").exists()


def test_a_conversation_that_was_given_up_is_put_right_as_well(worked: Any, tmp_path: Path) -> None:
    rows = lessons(worked / "books_by_heart.takt", tmp_path / "out.jsonl", corrected_by="greedy")
    stuck = [row for row in rows if row["corrected"]["bad"] == ["refused"]]
    by_heart = [row for row in stuck if "XX1/2026-01-01" in json.dumps(row["corrected"]["said"])]
    assert by_heart and all(calls_of(row["messages"])[-1] in ("book", "refund") for row in by_heart)
    assert not any("XX1/2026-01-01" in json.dumps(row["messages"]) for row in by_heart), "what was wrong is not taught"
    assert REFUSALS == 2, "after two the conversation was begun anew"


def test_pairs_for_dpo_have_one_prompt_and_two_answers(worked: Any, put_right: Any, tmp_path: Path) -> None:
    rows = lessons(worked / "forgets_hotels.takt", tmp_path / "out.jsonl", corrected_by="greedy", kind="dpo")
    assert len(rows) == len(put_right)
    for row, lesson in zip(rows, put_right, strict=True):
        assert row["prompt"] == lesson["messages"][: len(row["prompt"])]
        assert calls_of(row["rejected"]) == ["book"] and calls_of(row["chosen"]) == ["hotel"]
        assert row["prompt"][-1]["role"] in ("user", "tool")


def test_the_command_has_it_and_says_in_one_line_what_cannot_be(
    worked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = worked / "forgets_hotels.takt", tmp_path / "out.jsonl"
    assert main(["export", str(path), "--format", "trl", "--corrected-by", "greedy", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["conversations"] == len(out.read_text().splitlines())
    run_shift("flightdesk", "greedy", units=2, ledger=tmp_path / "g.takt", station_options=DESK, clock="lockstep")
    for words, says in (
        ([str(tmp_path / "g.takt"), "--corrected-by", "greedy"], "a teacher corrects a language model's"),
        ([str(path), "--corrected-by", "gredy"], "no worker named 'gredy'"),
        ([str(path), "-x", "kind=dpo"], "name the teacher"),
        ([str(path), "--corrected-by", "greedy", "-x", "kind=prompts"], "leave one out"),
    ):
        assert main(["export", *words, "--format", "trl", str(tmp_path / "no.jsonl")]) == 2
        err = capsys.readouterr().err
        assert says in err and len(err.splitlines()) == 1 and not (tmp_path / "no.jsonl").exists()


def test_a_file_without_a_lesson_is_a_file(worked: Any, tmp_path: Path) -> None:
    with pytest.raises(TaktError, match="pairs for DPO"):
        export_trl([worked / "serve.takt"], tmp_path / "x.jsonl", kind="dpo")
