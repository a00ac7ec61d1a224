"""What a server says with an error's status: its own words in any form, what they mean, and never the key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_server import FakeServer, Say

from takt.workers.llm.endpoint import OpenAiCompatible
from takt.workers.llm.refusals import LONGEST_WORDS, NoAnswer, of_status

GEMINI = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
FIELD = [{"type": "missing", "loc": ["body", "model"], "msg": "Field required", "input": {"messages": "..."}}]
PAGE = "<!DOCTYPE html><style>p {color: red}</style><h1>502 Bad Gateway</h1><p>nginx</p>"
BODIES: list[tuple[Any, int, str, str]] = [  # body, status, kind, words
    ({"error": "no such model"}, 404, "refused", "no such model"),
    ({"error": "model runner has stopped"}, 500, "server_error", "model runner has stopped"),
    ("invalid token", 401, "refused", "invalid token"),
    (PAGE, 502, "server_error", "502 Bad Gateway nginx"),
    ({"detail": "the tools are no list"}, 400, "refused", "the tools are no list"),
    ({"detail": FIELD}, 422, "refused", "body.model: Field required (missing)"),
    ({"detail": {"error": {"message": "deep down"}}}, 400, "refused", "deep down"),
    ({"error": "wrong grammar", "error_type": "validation"}, 422, "refused", "wrong grammar"),
    ([{"error": {"code": 400, "message": "API key not valid"}}], 400, "refused", "API key not valid"),
    ({"error": True, "message": "out of memory"}, 500, "server_error", "out of memory"),
    ({"error": "Unauthorized", "message": "wrong key"}, 401, "refused", "wrong key (Unauthorized)"),
    ({"error": "invalid_request", "error_description": "no stream"}, 400, "refused", "no stream (invalid_request)"),
    ({"message": "later"}, 429, "rate_limited", "later"),
    ({}, 503, "server_error", ", without a word"),
    ("", 500, "server_error", ", without a word"),
    ("null", 400, "refused", ", without a word"),
]


@pytest.mark.parametrize(("body", "status", "kind", "words"), BODIES)
def test_an_error_of_any_form_keeps_its_words_and_its_status(body: Any, status: int, kind: str, words: str) -> None:
    failure = of_status(body if isinstance(body, str) else json.dumps(body), status)
    assert (failure.kind, failure.status, failure.hopeless) == (kind, status, kind == "refused")
    assert failure.text == f"HTTP {status}{'' if words.startswith(',') else ': '}{words}"


FULL = [
    "input length exceeds maximum context length",
    "Your request exceeded model token limit: 131072",
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
    "`inputs` must have less than 1000 tokens. Given: 1500",
    "Trying to keep the first 5000 tokens when context the overflows. Provide a shorter input",
    "The number of tokens to keep from the initial prompt is greater than the context length",
    "Prompt length (5000) exceeds maximum input length (4096). Set a larger max_input_len",
    GEMINI,
]


@pytest.mark.parametrize("words", FULL)
def test_a_full_context_is_known_by_its_words_whatever_the_status_and_form(words: str) -> None:
    for status in (400, 404, 413, 422, 500, 503):
        for body in ({"error": words}, {"detail": words}, [{"error": {"message": words}}], words):
            failure = of_status(body if isinstance(body, str) else json.dumps(body), status)
            assert (failure.kind, failure.status, failure.hopeless) == ("too_long", status, True), (status, body)
    raw = json.dumps({"error": {"message": words}})
    relayed = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}
    assert of_status(json.dumps(relayed), 400).kind == "too_long"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("Rate limit reached: tokens per minute exceeded maximum context budget", 429),
        ("Your request exceeded your daily token limit", 403),
        ("max_tokens must be at most 4096 tokens", 400),
        ("The request's rate limit was exceeded: 5 per minute", 400),
        ("this model's name is too long", 404),
    ],
)
def test_what_is_exceeded_otherwise_is_no_full_context(words: str, status: int) -> None:
    assert of_status(json.dumps({"error": words}), status).kind != "too_long"


def test_the_key_is_in_no_words_of_an_error_not_even_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk/secret-" + "0123456789" * 4
    monkeypatch.setenv("MY_KEY", key)
    long = "x" * (LONGEST_WORDS - 30)
    bodies = [
        (401, f"wrong key {key}"),
        (401, json.dumps({"error": f"wrong key {key}"})),
        (400, json.dumps({"detail": [{"msg": f"wrong key {key}", "input": key}]})),
        (400, '{"error": "wrong key ' + key.replace("/", "\\/") + '"}'),
        (401, f"{long} {key}"),  # the words are cut within it
        (200, json.dumps({"error": {"message": f"{long} {key}"}})),
        (200, f"<html>{long[:170]} {key}"),
    ]
    with FakeServer(lambda body, n: Say(status=bodies[n][0], body=bodies[n][1])) as server:
        endpoint = OpenAiCompatible(server.url, "MY_KEY", 5.0)
        for _, body in bodies:
            with pytest.raises(NoAnswer) as raised:
                endpoint.ask([{"role": "user", "content": "x"}], [], {"model": "m"})
            assert "secret" not in raised.value.text and "01234" not in raised.value.text, body
            assert len(raised.value.text) <= LONGEST_WORDS


def test_a_name_with_a_namespace_before_it_is_the_tool_if_there_is_one() -> None:
    names = ["functions.queue", "default_api:queue", "queue", "functions.nothing", "tools.x"]
    calls = [(name, "{}") for name in names]
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("queue", "tools.x")]
    with FakeServer(lambda body, n: Say(calls)) as server:
        reply = OpenAiCompatible(server.url, "NO_KEY_HERE", 5.0).ask(
            [{"role": "user", "content": "x"}], tools, {"model": "m"}
        )
    assert [call.name for call in reply.calls] == ["queue", "queue", "queue", "functions.nothing", "tools.x"]
