"""`takt check-model` says before a shift what a shift would find out too late."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

import pytest
from fake_server import FakeServer, Say
from scripts import shift
from test_misbehaving import misbehaving

from takt.cli import main
from takt.workers.llm.check import WANTED
from takt.workers.llm.profiles import PROFILES
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


def test_the_misbehaving_endpoint_is_described_and_never_raises(capsys: pytest.CaptureFixture[str]) -> None:
    for first in range(0, 33, 3):
        with FakeServer(lambda body, n, first=first: misbehaving(body, n + first)) as server:  # type: ignore[misc]
            code = main(["check-model", "-w", f"base_url={server.url}", "-w", "model=m", "-w", "timeout_s=1", "--json"])
        out = capsys.readouterr()
        told = json.loads(out.out)
        assert code in (0, 1, 2) and told["findings"], first
        assert all(isinstance(finding["told"], str) and "\n" not in finding["told"] for finding in told["findings"])


def test_a_model_that_the_server_does_not_have_and_a_key_that_it_wants_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for status, advice in ((404, "one of: smol"), (401, "key_env"), (422, "extra_body")):
        with FakeServer(lambda body, n, status=status: Say(status=status, text="no"), LLAMA) as server:  # type: ignore[misc]
            code, _, found = found_at(server, capsys, "-w", "model=else")
        assert code == 1 and advice in found["model"]["advice"]


def test_an_option_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-model", "-w", "modle=m"]) == 2
    assert "has no option 'modle'" in capsys.readouterr().err


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
