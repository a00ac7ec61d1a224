"""The program itself, over standard input and output and over HTTP: who is let in, killed and resumed, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import http.client as http_client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import httpx2
import pytest
from clients import WORKED, Desk, program, working
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from takt import TaktError, repeat_shift
from takt.cli import main
from takt.distribution import install
from takt.ledger import Ledger
from takt.shift import Shift
from takt.workers.llm.bill import troubles
from takt.workers.mcp.transports import Http, check_host, token_of

TOKEN = "a-token-for-the-tests"
PATIENT_S = 120.0  # wall time for a program on a busy machine
SERVE = [sys.executable, "-m", "takt.cli", "serve", "flightdesk", "--mcp", *WORKED, "--seed", "1"]


def of(path: Any) -> Shift:
    with Ledger.open(path) as book:
        return Shift.of(book)


def posted(url: Any, message: Any, **headers: Any) -> Any:
    """Status and JSON of one bare request."""
    told = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}
    request = urllib.request.Request(url, json.dumps(message).encode(), told)
    try:
        with urllib.request.urlopen(request, timeout=PATIENT_S) as answer:
            return answer.status, json.loads(answer.read() or b"null"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bare", "version": "0"}},
}


def test_a_shift_over_stdio_killed_in_the_middle_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "s.takt"

    async def first() -> Any:
        async with Client(program("--units", "4", "--clock", "fixed:1", out=path)) as client:
            desk = Desk(client)
            await desk.serve(2)
            await desk.call("wait", seen=desk.seen)
            group = (await desk.call("queue", limit=1, seen=desk.seen))["groups"][0]["group"]
            await desk.call("propose", group=group)
            os.kill(server_of(path), signal.SIGKILL)
            return desk.seen

    async def then() -> Any:
        async with Client(program(out=path)) as client:  # the rest is as the ledger has it
            desk = Desk(client)
            await desk.call("queue", seen=0)
            again_at = desk.seen
            await desk.serve()
            return desk.over, again_at

    killed_at = asyncio.run(first())
    over, again_at = asyncio.run(then())
    assert again_at == killed_at + 2  # what was called is done again, and the next call costs 1 s and takes 1 s
    assert over.startswith("The shift is over.")
    shift = of(path)
    assert shift.ended == "units" and not shift.broken
    calls = [event.data for event in shift.events if event.kind == "said"]
    assert [record["number"] for record in calls] == list(range(len(calls)))
    assert repeat_shift(path).digest == shift.digest

    async def after() -> Any:
        async with Client(program(out=path)) as client:
            desk = Desk(client)
            await desk.call("queue", seen=0)
            return desk.over

    assert asyncio.run(after()) == over
    assert main(["serve", "flightdesk", "--mcp", "--seed", "2", "--out", str(path)]) == 2


def server_of(path: Any) -> int:
    """The process that works on a ledger."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"takt.cli" in words and str(path).encode() in words:
            return int(pid)
    raise AssertionError("no server is there")


def test_the_program_ends_with_its_input_and_prints_nothing_but_messages(tmp_path: Path) -> None:
    path = tmp_path / "s.takt"
    words = [*SERVE, "--hours", "0.2", "--clock", "fixed:1", "--out", str(path)]
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "queue", "arguments": {"seen": 0}}}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    said = "".join(json.dumps(message) + "\n" for message in (HELLO, ready, call))
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write(said)
    process.stdin.flush()
    answers = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert process.poll() is None
    out, err = process.communicate(timeout=PATIENT_S)
    assert out == "" and process.returncode == 2  # the worker is gone
    assert "is gone: its input ended" in err and "0.2" in json.dumps(of(path).meta["hours"])
    assert of(path).ended == "time"


def test_a_server_stopped_by_a_signal_can_go_on(tmp_path: Path) -> None:
    path = tmp_path / "s.takt"
    words = [*SERVE, "--units", "3", "--out", str(path)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(HELLO) + "\n")
    process.stdin.flush()
    process.stdout.readline()
    until = time.monotonic() + PATIENT_S
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    err = process.stderr.read()
    assert process.wait(PATIENT_S) == 130
    assert f"go on with `takt serve flightdesk --mcp --out {path}`" in err
    assert of(path).ended == ""


def test_over_http_with_the_token_and_under_our_own_name_only() -> None:
    with working(units=2) as (server, run), Http(server, "127.0.0.1", 0, TOKEN, ()) as http:
        mine = {"authorization": f"Bearer {TOKEN}"}
        status, _, headers = posted(http.url, HELLO)
        assert status == 401 and headers["www-authenticate"].startswith("Bearer")
        assert posted(http.url, HELLO, authorization="Bearer another-token-altogether")[0] == 401
        assert posted(http.url, HELLO, authorization=f"Basic {TOKEN}")[0] == 401
        assert posted(http.url, HELLO, **mine, host="evil.example")[0] == 421
        assert posted(http.url, HELLO, **mine, host="127.0.0.1.evil.example:80")[0] == 421
        assert posted(http.url, HELLO, **mine, origin="http://evil.example")[0] == 403
        assert posted(http.url, HELLO, **mine, origin="null")[0] == 403
        port = http.url.split(":")[2].split("/")[0]
        assert posted(http.url, HELLO, **mine, host=f"localhost:{port}", origin=f"http://localhost:{port}")[0] == 200
        assert not run.window._calls  # nobody of these reached the desk

        async def work() -> Any:
            carrier = httpx2.AsyncClient(headers=mine, timeout=PATIENT_S)
            async with carrier, Client(streamable_http_client(http.url, http_client=carrier)) as client:
                desk = Desk(client)
                await desk.serve()
                return desk.over

        over = asyncio.run(work())
    assert over.startswith("The shift is over.") and run.done.ended == "units"
    assert TOKEN not in json.dumps([event.data for event in run.done.events]) + json.dumps(run.done.meta)


ACCEPTS = {
    "application/json, text/event-stream": "application/json",
    "application/json": "application/json",
    "Application/JSON; charset=utf-8": "application/json",
    "*/*": "application/json",
    "text/html, image/gif, *; q=.2, */*; q=.2": "application/json",
    "application/*": "application/json",
    "text/event-stream": "text/event-stream",
    "text/*;q=0.5": "text/event-stream",
    "application/json;q=0, text/event-stream": "text/event-stream",
    "": "application/json",
    None: "application/json",
}


def test_every_kind_of_accept_that_http_knows_is_served_in_a_form_that_it_accepts() -> None:
    with working(units=2) as (server, _), Http(server, "127.0.0.1", 0, TOKEN, ()) as http:
        port = int(http.url.split(":")[2].split("/")[0])
        for accept, kind in ACCEPTS.items():
            client = http_client.HTTPConnection("127.0.0.1", port, timeout=PATIENT_S)
            told = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
            told |= {} if accept is None else {"accept": accept}
            client.request("POST", "/mcp", json.dumps(HELLO), told)
            answer = client.getresponse()
            body = answer.read().decode()
            assert (answer.status, answer.headers.get_content_type()) == (200, kind), accept
            if kind == "text/event-stream":
                assert body.startswith("event: message\ndata: ") and body.endswith("\n\n")
                body = body.removeprefix("event: message\ndata: ")
            assert json.loads(body)["result"]["serverInfo"]["name"] == "takt-flightdesk"
            client.close()
        for accept in ("text/html", "application/json;q=0"):
            assert posted(http.url, HELLO, authorization=f"Bearer {TOKEN}", accept=accept)[0] == 406
        assert posted(http.url, HELLO, accept="text/event-stream")[0] == 401, "the guard is before the form"


def test_messages_that_are_no_call_are_refused_by_the_station_and_counted() -> None:
    with working(units=1) as (server, run), Http(server, "127.0.0.1", 0, TOKEN, ()) as http:
        mine = {"authorization": f"Bearer {TOKEN}"}
        _, told, headers = posted(http.url, HELLO, **mine)
        assert told["result"]["serverInfo"]["name"] == "takt-flightdesk"
        mine["mcp-session-id"] = headers["mcp-session-id"]
        codes = []
        for params in (
            {"name": "queue", "arguments": [1, 2]},
            {"name": 7, "arguments": {}},
            {"arguments": "{"},
            {"name": "propose", "arguments": {"group": "1", "people": [[["deep"]]]}},
        ):
            message = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params}
            status, told, _ = posted(http.url, message, **mine)
            assert status == 200 and told["result"]["isError"]
            codes.append(json.loads(told["result"]["content"][0]["text"])["result"]["error"]["code"])
        assert codes == ["bad_arguments", "unknown_tool", "bad_arguments", "bad_arguments"]
    assert troubles(run.ended().events)["refused: bad_arguments"] == 3


def test_the_program_over_http_guards_itself_and_ends_after_its_grace(tmp_path: Path) -> None:
    path = tmp_path / "s.takt"
    words = [*SERVE, "--units", "1", "--clock", "fixed:1", "--http", "--port", "0", "--grace", "1", "--out", str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = [process.stderr.readline() for _ in range(2)]
        token = re.search(r"token \(.*\): (\S+)", told[0])[1]
        url = re.search(r"listening on (\S+)", told[1])[1]
        assert len(token) >= 32 and url.startswith("http://127.0.0.1:")

        async def work() -> Any:
            carrier = httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=PATIENT_S)
            async with carrier, Client(streamable_http_client(url, http_client=carrier)) as client:
                desk = Desk(client)
                await desk.serve()
                return desk.over

        assert asyncio.run(work()).startswith("The shift is over.")
        assert process.wait(PATIENT_S) == 0
        assert "first-time" in process.stdout.read().lower() or path.exists()
    assert token.encode() not in path.read_bytes()


def test_what_is_refused_before_anything_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "s.takt")

    def line(*words: Any) -> Any:
        assert main(["serve", "flightdesk", *words]) == 2
        return capsys.readouterr().err

    assert "--allow-host" in line("--mcp", "--http", "--host", "0.0.0.0", "--units", "1", "--out", path)
    assert "--port must be 65,535 at most" in line("--mcp", "--http", "--port", "70000", "--units", "1", "--out", path)
    assert "give hours or units" in line("--mcp", "--out", path)
    assert "--mcp" in line("--units", "1", "--out", path)
    monkeypatch.setenv("TAKT_TOKEN", "short")
    assert "TAKT_TOKEN is no token" in line("--mcp", "--http", "--units", "1", "--out", path)
    assert main(["serve", "gym", "--mcp", "--units", "1", "-o", "id=CartPole-v1", "--out", path]) == 2
    assert "offers no tools" in capsys.readouterr().err
    monkeypatch.setattr("takt.cli.shifts.find_spec", lambda name: None if name == "mcp" else object())
    assert line("--mcp", "--units", "1", "--out", path).strip().endswith(install("llm"))
    assert not (tmp_path / "s.takt").exists()


def test_tokens_and_hosts() -> None:
    said = []
    assert token_of({"TAKT_TOKEN": TOKEN}, said.append) == TOKEN and not said
    made = token_of({}, said.append)
    assert len(said) == 1 and said[0].endswith(made) and token_of({}, said.append) != made
    with pytest.raises(TaktError, match="no token"):
        token_of({"TAKT_TOKEN": "with a space in the middle"}, said.append)
    check_host("::1", ())
    check_host("localhost", ())
    check_host("0.0.0.0", ("desk.example",))
    for host in ("0.0.0.0", "192.0.2.1", "desk.example"):
        with pytest.raises(TaktError, match="--allow-host"):
            check_host(host, ())


def test_no_part_of_the_token_is_left_where_a_clients_name_is_cut() -> None:
    secret = "s3cret-s3cret-s3cret"
    hello = json.loads(json.dumps(HELLO))
    hello["params"]["clientInfo"]["name"] = "x" * 90 + secret + "\x1b[2J"
    with working(units=1, secret=secret) as (server, run), Http(server, "127.0.0.1", 0, TOKEN, ()) as http:
        mine = {"authorization": f"Bearer {TOKEN}"}
        mine["mcp-session-id"] = posted(http.url, hello, **mine)[2]["mcp-session-id"]
        call = {"name": f"queue{secret}", "arguments": {"x": secret}}
        assert posted(http.url, {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call}, **mine)[0] == 200
    told = json.dumps([event.data for event in run.ended().events])
    assert "xxx" in told and "s3cret" not in told and "\\u001b" not in told


def test_a_message_over_http_has_an_end() -> None:
    with working(units=1) as (server, _), Http(server, "127.0.0.1", 0, TOKEN, ()) as http:
        mine = {"authorization": f"Bearer {TOKEN}"}
        with contextlib.suppress(OSError):  # or it is told so, and cut off, while it is still sending
            assert posted(http.url, {**HELLO, "x": "y" * 2**21}, **mine)[0] == 413
        assert posted(http.url, HELLO, **mine)[0] == 200


def test_a_line_without_an_end_is_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would fill the memory; what comes after it is read again."""
    from takt.workers.mcp import transports

    monkeypatch.setattr(transports, "LONGEST_LINE", 1000)
    read, write = os.pipe()
    kept = os.dup(0)
    os.dup2(read, 0)
    try:

        async def lines() -> list[Any]:
            found = transports._Lines(asyncio.get_running_loop())
            os.write(write, b"first\n" + b"{" * 5000 + b"\nlast\n")
            os.close(write)
            return [line async for line in found]

        assert asyncio.run(lines()) == ["first\n", "{" * 100 + "\n", "last\n"]
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(read)


def test_clients_over_http_are_so_many_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that nobody uses and connections that say nothing would fill memory, and keep the client out."""
    from takt.workers.mcp import transports

    monkeypatch.setattr(transports, "MOST_SESSIONS", 3)
    monkeypatch.setattr(transports, "MOST_CONNECTIONS", 5)
    mine = {"authorization": f"Bearer {TOKEN}"}
    with working(units=1) as (server, _), Http(server, "127.0.0.1", 0, TOKEN, ()) as http:
        begun = [posted(http.url, HELLO, **mine) for _ in range(5)]
        assert [status for status, *_ in begun][:3] == [200] * 3
        assert {status for status, *_ in begun[3:]} == {503}, "told to come later, and no session is made"
        port = int(http.url.split(":")[2].split("/")[0])
        silent = [http_client.HTTPConnection("127.0.0.1", port, timeout=PATIENT_S) for _ in range(8)]
        try:
            for connection in silent:
                connection.connect()
            time.sleep(0.3)
            assert posted(http.url, HELLO, **mine)[0] == 503
        finally:
            for connection in silent:
                connection.close()
