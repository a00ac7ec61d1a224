"""Command-line agents as they are, in the sandbox, with a model behind a socket that the station meters."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from scripted_model import USAGE, Model, scripted_model

from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.contract.station import TaktError
from takt.contract.worker import open_worker
from takt.shift import Shift, run_shift
from takt.stations.codedesk.account import values_of
from takt.stations.codedesk.terms import RAN

AGENT = """\
import json, os, subprocess, sys, urllib.request

def post(path, body):
    url = os.environ["OPENAI_BASE_URL"] + path
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))

tool = {"type": "function", "function": {"name": "bash", "parameters": {}}}
messages = [{"role": "user", "content": sys.argv[1]}]
message = post("/chat/completions", {"model": "m", "messages": messages, "tools": [tool]})["choices"][0]["message"]
line = json.loads(message["tool_calls"][0]["function"]["arguments"])["command"]
subprocess.run(line, shell=True, check=True)
print("key", os.environ["OPENAI_API_KEY"], os.environ.get("TAKT_TEST_KEY"))
for path in ("/files", "/../admin", "/chat/completions/../../x"):
    try:
        post(path, {})
    except Exception as error:
        print(path, error)
"""


def good(shift: Shift) -> list[str]:
    return [event.kind for event in shift.events if event.kind in (UNIT_GOOD, UNIT_BAD)]


def worked(tiny: str, model: Model, command: str, programs: str, units: int = 2) -> Shift:
    options = {"command": command, "model": model.url, "key_env": "TAKT_TEST_KEY", "programs": programs}
    station = {"tickets": tiny, "takt_s": 300.0, "memory_mb": 4096}
    return run_shift("codedesk", "command", units=units, station_options=station, worker_options=options)


def test_an_agent_works_tickets_with_a_model_and_nothing_else(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAKT_TEST_KEY", "the-secret-key")
    agent = tmp_path / "agent" / "agent.py"
    agent.parent.mkdir()
    agent.write_text(AGENT)
    with scripted_model() as model:
        shift = worked(tiny, model, f"python3 {agent} {{ticket}}", str(agent.parent))
        assert good(shift) == [UNIT_GOOD] * 2
        assert [seen["authorization"] for seen in model.seen] == ["Bearer the-secret-key"] * 2
        assert {seen["path"] for seen in model.seen} == {"/v1/chat/completions"}
    ran = [event.data for event in shift.events if event.kind == RAN]
    assert "key takt None" in ran[0]["output"] and ran[0]["output"].count("403") == 3
    assert ran[0]["model"] == {"requests": 1, "failed": 0, "prompt_tokens": 100, "completion_tokens": 10}
    values = values_of(shift.events)
    assert values["tokens"] == 2 * USAGE["total_tokens"] and values["tokens_per_good"] == 110
    assert "the-secret-key" not in str([event.data for event in shift.events])


def test_a_model_that_is_not_there_is_said_to_the_agent_and_counted(tiny: str, tmp_path: Path) -> None:
    with scripted_model() as model:
        pass
    line = (
        "python3 -c \"import urllib.request as u, os; u.urlopen(os.environ['OPENAI_BASE_URL'] + '/models')\" {ticket}"
    )
    shift = worked(tiny, model, line, str(tmp_path), units=1)
    (ran,) = [event.data for event in shift.events if event.kind == RAN]
    assert "502" in ran["errors"] and ran["model"]["failed"] == 1


def test_a_model_works_tickets_by_the_desks_own_tools(tiny: str) -> None:
    with scripted_model() as model:
        shift = run_shift(
            "codedesk",
            "llm",
            units=2,
            station_options={"tickets": tiny, "takt_s": 300.0},
            worker_options={"base_url": model.url, "model": "scripted", "tokens_per_s": 50.0},
        )
    assert good(shift) == [UNIT_GOOD] * 2
    assert values_of(shift.events)["tokens"] > 0


@pytest.mark.parametrize("command", [None, "qwen -p"])
def test_a_command_without_a_place_for_the_ticket_is_refused(command: str | None) -> None:
    with pytest.raises(TaktError, match=r"qwen -p \{ticket\}"):
        open_worker("command", "codedesk", **({} if command is None else {"command": command}))


def test_mini_swe_agent_works_tickets(tiny: str) -> None:
    program = os.environ.get("TAKT_TEST_MINI") or shutil.which("mini")
    if program is None:
        pytest.skip(
            "mini-swe-agent is not here: pip install mini-swe-agent in an environment, TAKT_TEST_MINI=.../bin/mini"
        )
    line = (
        "MSWEA_CONFIGURED=true MSWEA_COST_TRACKING=ignore_errors MSWEA_GLOBAL_CONFIG_DIR=/tmp "
        f"{program} -m openai/scripted -t {{ticket}} -y --exit-immediately -o /tmp/said.json"
    )
    with scripted_model() as model:
        shift = worked(tiny, model, line, str(Path(program).absolute().parent.parent))
    assert good(shift) == [UNIT_GOOD] * 2, [event.data for event in shift.events if event.kind == RAN]


def test_qwen_code_works_tickets(tiny: str) -> None:
    program = os.environ.get("TAKT_TEST_QWEN") or shutil.which("qwen")
    if program is None or shutil.which("node") is None:
        pytest.skip("Qwen Code or Node is not here: npm install @qwen-code/qwen-code, TAKT_TEST_QWEN=.../bin/qwen")
    folder = Path(program).absolute().parent.parent
    folder = folder.parent if folder.name == "node_modules" else folder
    line = f"OPENAI_MODEL=scripted {program} --auth-type openai --approval-mode yolo -p {{ticket}}"
    with scripted_model() as model:
        shift = worked(tiny, model, line, str(folder))
    assert good(shift) == [UNIT_GOOD] * 2, [event.data for event in shift.events if event.kind == RAN]


def test_a_home_that_is_kept_and_the_last_answer_are_there_for_the_next_ticket(tiny: str, tmp_path: Path) -> None:
    line = ": {ticket}; date >> ~/session; wc -l < ~/session; git status --short; printf %s {last}"
    options = {"command": line, "keep_home": True}
    shift = run_shift(
        "codedesk", "command", units=2, station_options={"tickets": tiny, "takt_s": 60.0}, worker_options=options
    )
    assert [event.data["output"] for event in shift.events if event.kind == RAN] == [
        "1\n",
        '2\n{"ticket": 0, "good": false, "reasons": ["no_change"]}',
    ]
