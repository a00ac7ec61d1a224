"""`takt export --format trl`: shifts as conversations, told from any worker's, heard from a model's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer
from scripts import DESK, serve, shift

from takt import Ledger, TaktError, run_shift
from takt.cli import main
from takt.export import export, formats
from takt.export.trl import conversations, export_trl
from takt.stations.flightdesk.desk import FlightDesk


@pytest.fixture(scope="module")
def greedy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("export") / "greedy.takt"
    run_shift("flightdesk", "greedy", seed=3, units=12, ledger=path, clock="lockstep", station_options=DESK)
    return path


def calls_of(row: Any) -> list[Any]:
    return [call["function"] for message in row["messages"] for call in message.get("tool_calls", ())]


@pytest.mark.parametrize("view", ["full", "short"])
def test_another_workers_shift_is_told_as_conversations(greedy: Any, view: Any) -> None:
    rows = list(conversations(greedy, view))
    units = [unit["unit"] for row in rows for unit in row["units"]]
    assert len(rows) >= 8 and len(set(units)) == len(units)
    for row in rows:
        roles = [message["role"] for message in row["messages"]]
        assert roles[:3] == ["system", "user", "assistant"]
        offered = {tool["function"]["name"] for tool in row["tools"]}
        calls = calls_of(row)
        assert calls and {call["name"] for call in calls} <= offered
        assert all(isinstance(call["arguments"], dict) for call in calls)
        assert row["reward"] == (None if not row["units"] else float(all(unit["good"] for unit in row["units"])))
        # what is booked was shown before
        for i, message in enumerate(row["messages"]):
            for call in message.get("tool_calls", ()):
                shown = "".join(m["content"] for m in row["messages"][:i])
                assert f'"{call["function"]["arguments"]["group"]}"' in shown
    assert 1.0 in {row["reward"] for row in rows}
    with Ledger.open(greedy) as book:
        costs = FlightDesk.unit_costs(book.events())
    for row in rows:
        assert row["cost"] == pytest.approx(sum(costs.get(unit["unit"], 0) for unit in row["units"]), abs=0.01)
    assert any(row["cost"] > 0 for row in rows) and {row["currency"] for row in rows} == {"EUR"}


def test_a_models_shift_is_written_as_it_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "model.takt"

    def uncounted(body: Any, n: Any) -> Any:
        say = serve(body)
        say.usage = None  # or the worker would believe in prompts of 100 tokens
        return say

    with FakeServer(uncounted) as server:
        shift(server.url, ledger=path, context_tokens=6000, max_tokens=500, units=8)
        last = server.requests[-1]
    rows = list(conversations(path))
    said = [call["name"] for row in rows for call in calls_of(row)]
    assert "book" in said and len(rows) >= 2  # the context was full at least once
    asked = [message["content"] for message in last["messages"] if message["role"] != "assistant"]
    written = [message["content"] for message in rows[-1]["messages"] if message["role"] != "assistant"]
    assert written[: len(asked)] == asked
    with pytest.raises(TaktError, match="was worked with view=full"):
        list(conversations(path, "short"))


def test_prompts_say_where_the_unit_begins(greedy: Any, tmp_path: Path) -> None:
    told = export_trl([greedy], tmp_path / "p.jsonl", view="short", kind="prompts")
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert len(rows) == told["conversations"] and rows[0]["after_unit"] == -1
    assert all([message["role"] for message in row["prompt"]] == ["system", "user"] for row in rows)
    assert len({row["after_unit"] for row in rows}) > 5


def test_on_the_command_line(greedy: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.jsonl"
    assert main(["export", str(greedy), str(out), "--format", "trl", "-x", "view=short", "-x", "good_only=true"]) == 0
    assert "conversations" in capsys.readouterr().out
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows and all(row["reward"] == 1.0 for row in rows)
    for wrong, why in (
        (["--format", "csv"], f"no format is called 'csv'; there are: {', '.join(formats())}"),
        (["--format", "trl", "-x", "colour=red"], "format 'trl' has no option 'colour'; its options are: view,"),
        (["--format", "trl", "-x", "good_only=perhaps"], "has good_only='perhaps'; it must be true or false"),
        (["--format", "trl", "-x", "kind=none"], "the format trl has no kind 'none'"),
        (["--format", "trl", "-x", "view=wide"], "there is no view 'wide'"),
    ):
        assert main(["export", str(greedy), str(tmp_path / "no.jsonl"), *wrong]) == 2
        assert why in capsys.readouterr().err
    assert not (tmp_path / "no.jsonl").exists()


def test_a_station_without_tools_has_no_conversations(tmp_path: Path) -> None:
    path = tmp_path / "gym.takt"
    run_shift("gym", "idle", units=1, ledger=path, station_options={"id": "CartPole-v1"})
    with pytest.raises(TaktError, match="stations that offer tools"):
        export(path, tmp_path / "x.jsonl", "trl")
