"""Command-line agents as they are, in the sandbox, with a model behind a socket that the station meters."""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scripted_model import USAGE, Model, scripted_model
from series import write_series

from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.contract.station import TaktError
from takt.contract.tools import WAIT
from takt.contract.worker import open_worker
from takt.ledger import Ledger
from takt.ledger.trust import Named
from takt.shift import Shift, repeat_shift, run_shift
from takt.stations.codedesk import grading
from takt.stations.codedesk.account import account_of, values_of
from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.model import Cap, Door, Meter, Spent
from takt.stations.codedesk.sandbox import Room
from takt.stations.codedesk.terms import INSPECTED, RAN
from takt.stations.codedesk.workers import Command

pytestmark = pytest.mark.usefixtures("plainly")
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


ASKER = """\
import json, os, sys, urllib.error, urllib.request
for number in range(4):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "go on"}]}).encode()
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body)
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["error"])
        break
"""


def test_what_is_over_the_cap_of_a_ticket_or_of_the_shift_is_refused_as_an_api_does_and_counted(
    tiny: str, tmp_path: Path
) -> None:
    asker = tmp_path / "agent" / "asker.py"
    asker.parent.mkdir()
    asker.write_text(ASKER)
    caps = {"ticket_tokens": 200, "shift_tokens": 300, "shift_money": 50.0, "price_in": 1000.0, "price_out": 2000.0}
    options = {"command": f"python3 {asker} {{ticket}}", "programs": str(asker.parent), **caps}
    station = {"tickets": tiny, "takt_s": 300.0}
    with scripted_model() as model:
        options["model"] = model.url
        shift = run_shift("codedesk", "command", units=3, station_options=station, worker_options=options)
        assert len(model.seen) == 3, "2 for the first ticket, 1 for the second, none for the third"
    ran = [event.data for event in shift.events if event.kind == RAN]
    assert [data["model"].get("requests") for data in ran] == [2, 1, 0]
    assert [data["model"]["refused"] for data in ran] == [1, 1, 1]
    assert "429" in ran[0]["output"] and "the cap on tokens for a ticket is reached: 220 of 200" in ran[0]["output"]
    assert "insufficient_quota" in ran[1]["output"] and "tokens for a shift is reached: 330 of 300" in ran[1]["output"]
    values = values_of(shift.events)
    assert values["requests_refused"] == 3 and values["tokens"] == 330
    assert values["price"] == pytest.approx(3 * (0.1 + 0.02))
    figures = {one.name: one.value for one in account_of(shift.events).figures}
    assert figures["tokens"] == "330" and figures["price"] == "0.3600", "whether a ticket was accepted or not"


def test_nothing_is_forwarded_when_no_command_is_under_way() -> None:
    door = Door("http://127.0.0.1:9/v1")
    asked = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

    def answer() -> bytes:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(door.path)
            line.sendall(asked)
            return line.recv(100).split()[1]

    try:
        assert answer() == b"403"
        door.begin((0, 0.0), (0, 0.0))
        assert answer() == b"502", "there is no such endpoint"
        assert door.told()["requests"] == 1 and answer() == b"403"
    finally:
        door.close()


@pytest.mark.parametrize(
    "said", [b"nonsense\r\n\r\n", b"HTTP/1.1 many\r\n\r\n", b""], ids=["words", "status", "nothing"]
)
def test_an_endpoint_that_answers_nonsense_is_said_to_the_agent_and_counted(said: bytes) -> None:
    class Nonsense(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            self.wfile.write(said)

    with socketserver.TCPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        door = Door(f"http://127.0.0.1:{server.server_address[1]}/v1")
        try:
            door.begin((0, 0.0), (0, 0.0))
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(door.path)
                line.sendall(b"GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n")
                assert line.recv(1000).split()[1] == b"502"
            assert door.told()["failed"] == 1
        finally:
            door.close()


def test_a_cap_on_money_ends_where_the_money_does_and_what_was_spent_survives_a_snapshot() -> None:
    cap = Cap(shift_money=0.5, price_in=1000.0, price_out=2000.0)
    spent = Spent()
    spent.add(3, {"prompt_tokens": 100, "completion_tokens": 100, "price": cap.price({"prompt_tokens": 100})})
    spent.add(4, {"prompt_tokens": 350, "price": 0.35})
    again = Spent(spent.state())
    assert again.of(3) == (200, 0.1) and again.of(9) == (0, 0.0)
    assert again.in_all()[0] == 550 and again.in_all()[1] == pytest.approx(0.45)
    assert cap.passed(again.of(4), again.in_all()) == ""
    assert "money for a shift" in cap.passed(again.of(4), (0, 0.5))


@pytest.mark.parametrize(
    ("answer", "usage", "written"),
    [
        ('{"usage": {"prompt_tokens": 7, "completion_tokens": 2}}', (7, 2), 13),
        ('data: {"response": {"usage": {"input_tokens": 7, "output_tokens": 2}}}\n\n', (7, 2), 1),
        ('data: {"choices": []}\n\ndata: {"choices": []}\n\n', None, 2),
        ("no JSON at all", None, 3),
    ],
)
def test_what_an_answer_took_is_read_off_it_or_estimated(
    answer: str, usage: tuple[int, int] | None, written: int
) -> None:
    meter = Meter()
    for part in (answer[:20], answer[20:]):
        meter.take(part.encode())
    read = meter.usage()
    assert (read or None) == (usage and {"prompt_tokens": usage[0], "completion_tokens": usage[1]})
    assert meter.written() == written


LASTING = """\
import json, os, sys, threading, time

gap = [0.0]

def tick():
    last = time.monotonic()
    while True:
        time.sleep(0.005)
        now = time.monotonic()
        gap[0], last = max(gap[0], now - last), now

threading.Thread(target=tick, daemon=True).start()
for done, line in enumerate(sys.stdin):
    ticket = json.loads(line)
    number = ticket["ticket"]
    print("pid", os.getpid(), "before this", done, "last", ticket["last"], "stood still", gap[0] > 0.4, flush=True)
    gap[0] = 0.0
    print(json.dumps({"submit": number + 7}), flush=True)  # not its ticket: no more than a line
    if number == 2:
        print(json.dumps({"help": 2, "why": "too hard"}), flush=True)
        continue
    if number == 3:
        sys.exit(5)
    with open("pkg/m.py", "a") as file:
        file.write(f"\\n\\ndef f{number + 1}():\\n    return {number + 1}\\n")
    open(os.path.expanduser("~/notes"), "a").write(str(number))
    print(open(os.path.expanduser("~/notes")).read(), flush=True)
    print(json.dumps({"submit": number}), flush=True)
"""


def test_an_agent_that_is_started_once_a_shift_gets_its_tickets_one_after_the_other_and_stands_still_between(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = tmp_path / "agent" / "agent.py"
    agent.parent.mkdir()
    agent.write_text(LASTING)
    ledger, again = tmp_path / "a.takt", tmp_path / "b.takt"
    options = {"command": f"exec python3 {agent}", "programs": str(agent.parent), "once": "shift"}
    station = {"tickets": tiny, "takt_s": 60.0, "prices": "fixed"}
    turn = Room.turn

    def slowly(room: Room, *given: Any, **more: Any) -> Any:
        time.sleep(0.5)
        return turn(room, *given, **more)

    monkeypatch.setattr(Room, "turn", slowly)
    shift = run_shift("codedesk", "command", units=5, station_options=station, worker_options=options, ledger=ledger)
    monkeypatch.undo()
    ends = [(e.kind, e.data.get("reasons")) for e in shift.events if e.kind in (UNIT_GOOD, UNIT_BAD)]
    bad = [(UNIT_BAD, ["help"]), (UNIT_BAD, ["no_change"])]
    assert ends == [(UNIT_GOOD, None), (UNIT_GOOD, None), *bad, (UNIT_GOOD, None)]
    ran = [event.data for event in shift.events if event.kind == RAN]
    assert [data["started"] for data in ran] == [True, False, False, False, True], "anew once it has ended"
    assert [data["ended_by"] for data in ran] == ["said", "said", "said", "exit", "said"] and ran[3]["code"] == 5
    first, second = ran[0]["output"].splitlines(), ran[1]["output"].splitlines()
    assert first[0].split()[:2] == second[0].split()[:2], "the same process"
    assert "before this 0 last None" in first[0] and first[2:3] == ["0"]
    assert "before this 1 last {'ticket': 0, 'good': True, 'reasons': []} stood still True" in second[0]
    assert second[2] == "01", "its home is kept"
    repeat_shift(ledger, again, named=Named(trust=True))
    with Ledger.open(ledger) as one, Ledger.open(again) as two:
        assert one.digest() == two.digest(), "repeated from what is recorded, without an agent"


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


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (None, r"needs the line of an agent, such as -w command='qwen -p \{ticket\}'"),
        ("qwen -p", r"'qwen -p' has no \{ticket\}"),
        ("work {number} {last}", r"'work \{number\} \{last\}' has no \{ticket\}, which becomes the ticket's title"),
    ],
)
def test_a_command_without_a_place_for_the_ticket_is_refused(command: str | None, says: str) -> None:
    with pytest.raises(TaktError, match=says):
        open_worker("command", "codedesk", **({} if command is None else {"command": command}))


@pytest.mark.parametrize("once", ["ticket", "shift"])
def test_a_ticket_that_is_too_long_for_a_call_is_cut_and_says_so(
    works: None, tmp_path: Path, once: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "inspect", lambda *_, **__: Inspection(failed=("one",)))
    folder = write_series(tmp_path / "s", 1)
    path = folder / "tickets/0000.json"
    for long, is_cut in (("it's so: " * 900, False), ("it's so: \n" * 4000, True)):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"text": long}))
        says = "read x; echo $x > said; echo '{\"submit\": 0}'" if once == "shift" else "echo {ticket} > said"
        shift = run_shift(
            "codedesk",
            "command",
            units=1,
            station_options={"tickets": str(folder), "takt_s": 60.0, "prices": "fixed"},
            worker_options={"command": says, "once": once},
        )
        (diff,) = [str(event.data["diff"]) for event in shift.events if event.kind == INSPECTED]
        assert diff.count("so: ") > 800
        assert ("the rest of the ticket is too long" in diff) is is_cut


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


@pytest.mark.parametrize(("now_s", "periods"), [(3.0, 600), (1190.5, 10), (1199.9, 1), (1200.0, 600), (2395.0, 5)])
def test_a_worker_without_a_ticket_waits_for_the_beat_and_is_not_said_to_think(now_s: float, periods: int) -> None:
    worker = Command("echo {ticket}")
    spec: Any = SimpleNamespace(takt_s=1200.0, control_s=1.0)
    worker.begin(spec, 0)
    assert worker.act({"tickets": [], "now_s": now_s, "result": {}}).actions == [WAIT] * periods
