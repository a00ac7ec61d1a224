"""`takt check-model` says before a shift what a shift would find out too late."""

from __future__ import annotations

import json
import shlex
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from fake_server import FakeServer, Say
from scripts import shift

from takt.cli import main
from takt.show.console import PlainConsole
from takt.workers.llm.profiles import PROFILES
from takt.workers.llm.question import WANTED
from takt.workers.llm.server import Server, look

LLAMA: dict[str, Any] = {
    "/v1/models": {"data": [{"id": "smol", "owned_by": "llamacpp"}]},
    "/props": {
        "default_generation_settings": {"n_ctx": 8192},
        "build_info": "b1",
        "chat_template_caps": {"supports_tools": True},
    },
}


def able(body: dict[str, Any], n: int) -> Say:
    """A model that does all that it is asked."""
    chars = len(json.dumps(body["messages"])) + len(json.dumps(body.get("tools", [])))
    say = Say(text="1, 2, 3, 4")
    if body.get("tools"):
        say = Say([("report", WANTED)])
    elif "response_format" in body:
        say = Say(text=json.dumps({"name": "report", "arguments": WANTED}))
    if body.get("chat_template_kwargs", {}).get("enable_thinking"):
        say.reasoning = "Let me see"
    say.usage = (chars // 4, 20)
    return say


def found_at(server: FakeServer, capsys: Any, *more: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit code, the whole, and the findings by name."""
    code = main(["check-model", "-w", f"base_url={server.url}", "-w", "timeout_s=5", *more, "--json"])
    told = json.loads(capsys.readouterr().out)
    return code, told, {finding["what"]: finding for finding in told["findings"]}


def test_a_server_and_a_model_that_are_fit_get_the_options_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeServer(able, LLAMA) as server:
        code, told, found = found_at(server, capsys)
    assert code == 0 and told["fit"] and not told["died"]
    states = {
        name: found[name]["state"] for name in ("server", "model", "context", "tools", "call", "schema", "thinking")
    }
    assert set(states.values()) == {"good"} and found["streaming"]["state"] == "good"
    assert told["set"]["profile"] == "llamacpp" and told["set"]["model"] == "smol"
    assert told["set"]["context_tokens"] == 8192 and "calls" not in told["set"]
    assert found["context"]["values"] == {"tokens": 8192} and "llamacpp b1" in found["server"]["told"]
    assert "drops them in silence" in found["known"]["told"]


def test_a_template_that_drops_tools_is_found_by_what_the_server_says_or_by_its_tokens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def deaf(body: dict[str, Any], n: int) -> Say:
        say = able({key: value for key, value in body.items() if key != "tools"}, n)
        return say

    says_so = {**LLAMA, "/props": {**LLAMA["/props"], "chat_template_caps": {"supports_tools": False}}}
    for tells, why in ((says_so, "the server says"), ({}, "tokens more with them")):
        with FakeServer(deaf, tells) as server:
            code, told, found = found_at(server, capsys, "-w", "model=m")
        assert code == 1 and found["tools"]["state"] == "bad"
        assert "not shown to the model" in found["tools"]["told"] and why in found["tools"]["told"]
        assert told["set"]["calls"] == "schema" and found["schema"]["state"] == "good"


def test_a_call_that_stays_text_is_the_missing_parser(capsys: pytest.CaptureFixture[str]) -> None:
    def unparsed(body: dict[str, Any], n: int) -> Say:
        say = able(body, n)
        if say.calls:
            say.calls, say.text = [], f"<tool_call>{json.dumps({'name': 'report', 'arguments': WANTED})}</tool_call>"
        return say

    with FakeServer(
        unparsed, {"/v1/models": {"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 40960}]}}
    ) as server:
        code, told, found = found_at(server, capsys)
    assert code == 1 and "stays text" in found["tools"]["told"] and "--tool-call-parser" in found["tools"]["advice"]
    assert told["set"]["calls"] == "text" and told["set"]["profile"] == "vllm"
    assert found["context"]["values"] == {"tokens": 40960}


def test_a_server_that_is_down_is_one_line_with_the_fix(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    for named in ([], ["-w", "model=m"]):
        assert main(["check-model", "-w", f"base_url={url}", *named]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert url in line and "base_url" in line


@pytest.mark.parametrize("answers", [1, 2, 3, 4, 6])
def test_a_server_that_dies_between_two_questions_is_one_line(capsys: pytest.CaptureFixture[str], answers: Any) -> None:
    def dying(body: dict[str, Any], n: int) -> Say:
        if n == answers - 1:
            server._server.socket.close()  # nobody can connect from now on
        return able(body, n)

    with FakeServer(dying, LLAMA) as server:
        code = main(["check-model", "-w", f"base_url={server.url}", "-w", "timeout_s=3", "--json"])
        out = capsys.readouterr()
    told = json.loads(out.out)
    assert code == 2 and not told["fit"] and "does not any more" in told["died"]
    assert len(out.err.splitlines()) == 1 and "Traceback" not in out.err


GARBAGE = {"choices": [{"message": {"content": 12, "tool_calls": {"a": 1}}}], "usage": "many"}
UNSERVED: dict[str, tuple[Say | bytes, str, str]] = {  # what comes; what is told of it; the advice
    "page": (Say(body="<html><body>Log in</body></html>"), "web page", "/v1"),
    "silence": (Say(silent_s=1.0), "no answer within 0.4 s", "timeout_s"),
    "drip": (b" ", "had not ended within 0.4 s", "timeout_s"),
    "flood": (b" " * 2**20, "no end", "no whole answer"),
    "spaces": (Say(body="   "), "empty body", "/v1"),
    "brackets": (Say(body="[" * 200_000), "cannot be read: no JSON: [[[", "/v1"),
    "a list": (Say(body="[1, 2]"), "no chat completion", "/v1"),
    "error in 200": (Say(body='{"error": {"message": "out of memory"}}'), "out of memory", "writes"),
    "redirect": (
        Say(status=302, headers={"location": "http://else/v1/x"}),
        "302: sends on to http://else/v1/x",
        "itself",
    ),
    "500": (Say(status=500, text="boom"), "HTTP 500: boom", "writes"),
    "503": (Say(status=503, text="Loading"), "HTTP 503: Loading", "wait"),
    "no path": (Say(status=404, body="<h1>Not Found</h1>"), "no chat completions at this address", "/v1"),
    "numbers": (Say(body=json.dumps(GARBAGE)), "malformed_content", "another server"),
}


@contextmanager
def endless(piece: bytes) -> Iterator[str]:
    """A server whose every answer to a question is pieces without an end: a small one now and then, or large ones."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            self.send_error(404)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(piece)
                    if len(piece) == 1:
                        time.sleep(0.05)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("what", UNSERVED)
def test_what_a_server_does_in_place_of_answering_is_told_with_an_advice_of_its_own(
    capsys: pytest.CaptureFixture[str], what: str, named: bool
) -> None:
    comes, says, advice = UNSERVED[what]
    limit_s = 20 if what == "flood" else 0.4 if what in ("silence", "drip") else 5
    words = [*(["-w", "model=m"] if named else []), "-w", f"timeout_s={limit_s}"]
    with endless(comes) if isinstance(comes, bytes) else FakeServer(lambda body, n: comes) as server:
        url = getattr(server, "url", server)
        code = main(["check-model", "-w", f"base_url={url}", *words, "--json"])
    out = capsys.readouterr()
    [row] = json.loads(out.out)["findings"]
    assert code == 2 and (row["what"], row["state"]) == ("server", "bad")
    assert url in row["told"] and says in row["told"] and advice in row["advice"] and len(row["told"]) < 400
    [line] = out.err.splitlines()
    assert row["advice"] in line


def test_what_speaks_no_http_is_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    def hang_up() -> None:
        with suppress(OSError):
            while True:
                with door.accept()[0] as caller:
                    caller.recv(10)
                    caller.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

    with socket.create_server(("127.0.0.1", 0)) as door:
        Thread(target=hang_up, daemon=True).start()
        assert main(["check-model", "-w", f"base_url=http://127.0.0.1:{door.getsockname()[1]}/v1"]) == 2
        door.shutdown(socket.SHUT_RDWR)
    assert "answers no HTTP" in capsys.readouterr().err


@pytest.mark.parametrize("says", [{}, LLAMA], ids=["bare", "llama"])
@pytest.mark.parametrize(
    ("call", "what"),
    [({"a": 1}, "in place of a call is none"), ([{"function": {"name": "", "arguments": "{}"}}], "in place of a call")],
)
def test_a_call_without_a_name_is_no_call(
    capsys: pytest.CaptureFixture[str], call: Any, what: str, says: Mapping[str, Any]
) -> None:
    body = json.dumps({"choices": [{"message": {"content": None, "tool_calls": call}}], "usage": "many"})

    def garbled(asked: dict[str, Any], n: int) -> Say:
        return Say(body=body) if asked.get("tools") else able(asked, n)

    with FakeServer(garbled, says) as server:
        code, told, found = found_at(server, capsys, "-w", "model=smol")
    assert code == 1 and found["tools"]["state"] == "bad" and what in found["tools"]["told"]
    assert "call" not in found and told["set"]["calls"] == "schema"


@pytest.mark.parametrize("counts", [True, False])
def test_a_call_of_a_tool_that_was_never_offered_is_no_call(capsys: pytest.CaptureFixture[str], counts: bool) -> None:
    def elsewhere(body: dict[str, Any], n: int) -> Say:
        say = able(body, n)
        say.calls = [("transfer_funds", WANTED)] if say.calls else []
        say.usage = say.usage if counts else None
        return say

    with FakeServer(elsewhere) as server:
        code, _, found = found_at(server, capsys, "-w", "model=m")
    if counts:  # it read the tool, and is weak
        assert code == 0 and found["call"]["state"] == "note" and "not offered" in found["call"]["told"]
    else:
        assert code == 1 and found["tools"]["state"] == "bad" and "transfer_funds" in found["tools"]["told"]


def test_the_advice_is_confirmed_by_the_same_command_with_the_options_that_it_says_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = StringIO()
    screen = PlainConsole(file=drawn, force_terminal=True, width=120)
    monkeypatch.setattr("takt.show.terminal.err", lambda quiet=False: screen)

    def deaf(body: dict[str, Any], n: int) -> Say:
        return able({key: value for key, value in body.items() if key != "tools"}, n)

    with FakeServer(deaf) as server:
        words = ["check-model", "-w", f"base_url={server.url}", "-w", "model=m", "-w", 'extra_body={"seed": 1}']
        assert main(words) == 1
        shown = " ".join(capsys.readouterr().out.split())
        row = shown[shown.index(" set ") + 5 : shown.index("A shift would")]
        assert main(["check-model", *shlex.split(row)]) == 0
        assert "can be begun" in capsys.readouterr().out
        asked, confirmed = server.requests[-1], server.requests[-7:]
        assert f"asking {server.url}" in drawn.getvalue(), "what it is at, on a terminal"
        before = len(drawn.getvalue())
        assert main([*words, "--json"]) == 1 and len(drawn.getvalue()) == before
    assert asked["seed"] == 1 and all("tools" not in body for body in confirmed)


def test_calls_in_words_are_asked_for_as_a_shift_does(capsys: pytest.CaptureFixture[str]) -> None:
    def talks(body: dict[str, Any], n: int) -> Say:
        return Say(text="Gladly! What next?") if "response_format" in body else able(body, n)

    with FakeServer(talks) as server:
        code, told, found = found_at(server, capsys, "-w", "model=m", "-w", "calls=schema")
        assert code == 1 and found["schema"]["state"] == "bad" and told["set"]["calls"] == "text"
        code, told, found = found_at(server, capsys, "-w", "model=m", "-w", "calls=text")
    assert code == 0 and "makes none" in found["call"]["told"] and told["set"]["calls"] == "text"
    assert any("report {" in body["messages"][0]["content"] for body in server.requests)


def test_the_workers_options_are_those_of_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    given = {"temperature": 0.3, "reasoning_effort": "low", "tool_choice": "required", "system": "Be quick."}
    words = [word for key, value in {**given, "thinking": "true"}.items() for word in ("-w", f"{key}={value}")]
    with FakeServer(able, LLAMA) as server:
        code, told, found = found_at(server, capsys, *words)
    assert code == 0 and found["thinking"]["told"] == "on, as told" and given.items() <= told["set"].items()
    first, second = server.requests[:2]
    assert first["temperature"] == 0.3 and first["reasoning_effort"] == "low" and "tool_choice" not in first
    assert second["tool_choice"] == "required" and second["chat_template_kwargs"] == {"enable_thinking": True}
    assert second["messages"][0]["content"].endswith("Be quick.")


def test_each_of_several_servers_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeServer(able, LLAMA) as good, FakeServer(lambda body, n: Say(status=500, text="boom")) as broken:
        both = f"{good.url},{broken.url}"
        code = main(["check-model", "-w", f"base_url={both}", "--json"])
    told = json.loads(capsys.readouterr().out)
    found = {finding["what"]: finding for finding in told["findings"]}
    assert code == 0 and told["set"]["base_url"] == both
    assert found["server 1"]["state"] == "good" and "boom" in found["server 2"]["told"]


def test_a_server_that_falls_silent_between_two_questions_has_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeServer(lambda body, n: Say(silent_s=1.0) if n else able(body, n)) as server:
        code = main(["check-model", "-w", f"base_url={server.url}", "-w", "model=m", "-w", "timeout_s=0.4", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 2 and "no answer within" in told["died"]


def test_a_model_that_the_server_does_not_have_and_a_key_that_it_wants_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for status, advice in ((404, "one of: smol"), (401, "key_env"), (422, "extra_body")):
        with FakeServer(lambda body, n, status=status: Say(status=status, text="no"), LLAMA) as server:  # type: ignore[misc]
            code, _, found = found_at(server, capsys, "-w", "model=else")
        assert code == 1 and advice in found["model"]["advice"]


def test_an_option_that_a_shift_would_refuse_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for word, told in (
        ("modle=m", "has no option 'modle'"),
        ("calls=foo", "calls='foo'"),
        ("thinking=maybe", "true or false"),
        ("tool_choice=must", "auto, required or none"),
        ("max_tokens=9999999", "max_tokens"),
        ("examples=none.jsonl", "none.jsonl"),
        ("profile=[1]", "no profile"),
    ):
        assert main(["check-model", "-w", "model=m", "-w", word]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert told in line


@pytest.mark.parametrize(
    ("tells", "expected"),
    [
        (LLAMA, Server("llamacpp", "b1", ("smol",), 8192, True)),
        (
            {
                "/v1/models": {"data": [{"id": "q", "owned_by": "vllm", "max_model_len": 4096}]},
                "/version": {"version": "1"},
            },
            Server("vllm", "1", ("q",), 4096, None),
        ),
        (
            {"/v1/models": {"data": [{"id": "q", "owned_by": "sglang", "max_model_len": 4096}]}},
            Server("sglang", "", ("q",), 4096, None),
        ),
        (
            {
                "/v1/models": {"data": [{"id": "q:4b", "owned_by": "library"}]},
                "/api/version": {"version": "0.9"},
                "/api/ps": {"models": [{"name": "q:4b", "context_length": 4096}]},
            },
            Server("ollama", "0.9", ("q:4b",), 4096, None),
        ),
        (
            {
                "/v1/models": {"data": [{"id": "q"}]},
                "/api/v0/models": {"data": [{"id": "q", "max_context_length": 9, "loaded_context_length": 4096}]},
            },
            Server("lmstudio", "", ("q",), 4096, None),
        ),
        ({}, Server()),
        ({"/v1/models": [1, None, {"id": 3}], "/props": [], "/api/version": "x", "/api/v0/models": 7}, Server()),
    ],
)
def test_servers_are_told_apart_by_what_they_say(tells: Mapping[str, Any], expected: Server) -> None:
    assert look("http://127.0.0.1:1/v1", tells.get, expected.models[0] if expected.models else "") == expected


def test_hosted_services_are_known_by_their_hosts() -> None:
    router = {"/api/v1/models": {"data": [{"id": "q", "context_length": 9, "supported_parameters": ["tools"]}]}}
    assert look("https://openrouter.ai/api/v1", router.get, "q") == Server("openrouter", "", ("q",), 9, True)
    asked = []
    assert look("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", asked.append).kind == "alibaba"
    assert look("https://evil-openrouter.ai/v1", asked.append).kind == ""
    assert all(profile.known for profile in PROFILES.values()), "each profile says what its server is known to do wrong"


def test_a_shift_longer_than_the_servers_context_ends_at_its_first_request() -> None:
    with FakeServer(able, LLAMA) as server:
        done = shift(server.url, units=2, profile="llamacpp")
        assert len(server.requests) == 1
    assert "context is 8192 tokens" in done.broken[0] and "-w context_tokens=8192" in done.broken[0]
