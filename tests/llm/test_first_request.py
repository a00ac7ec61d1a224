"""The first request finds out whether there is a server, and whether its model sees the tools."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from fake_server import FakeServer, Say
from scripts import serve, shift

from takt.ledger import canonical
from takt.workers.llm.profiles import PROFILES, settings


def counted(body: dict[str, Any], tools: bool, chars_a_token: float) -> tuple[int, int]:
    """What a server counts that reads the tools, or drops them."""
    chars = len(canonical(body["messages"])) + (len(canonical(body["tools"])) if tools else 0)
    return round(chars / chars_a_token), 20


@pytest.mark.parametrize("chars_a_token", [3.0, 3.6, 4.2])
def test_a_template_without_tools_ends_the_shift_at_once_with_one_line(chars_a_token: float) -> None:
    def talks(body: dict[str, Any], n: int) -> Say:
        say = Say(text="How can I help you?")
        say.usage = counted(body, False, chars_a_token)
        return say

    with FakeServer(talks) as server:
        done = shift(server.url, units=6)
        assert len(server.requests) == 1
    assert done.ended == "worker_done" and "does not see its tools" in done.broken[0]


@pytest.mark.parametrize("chars_a_token", [2.5, 3.6, 5.0])
def test_a_model_that_sees_its_tools_and_only_talks_is_left_to_it(chars_a_token: float) -> None:
    def talks(body: dict[str, Any], n: int) -> Say:
        say = Say(text="How can I help you?") if n == 0 else serve(body)
        say.usage = counted(body, True, chars_a_token)
        return say

    with FakeServer(talks) as server:
        done = shift(server.url, units=1)
    assert done.ended == "units" and not done.broken


def test_a_server_that_is_down_is_named_at_once_with_its_url() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    began = time.monotonic()
    done = shift(url, units=1, retries=5, backoff_s=1.0)
    assert done.ended == "worker_done" and url in done.broken[0] and "base_url" in done.broken[0]
    assert time.monotonic() - began < 20, "with its retries it would take over half a minute"


def test_fields_that_a_server_refuses_can_be_left_out_or_have_another_name() -> None:
    for profile in PROFILES.values():
        named = settings(profile, "m", False, 4096, 0, False, {"max_completion_tokens": 99})
        assert "max_tokens" not in named and named["extra_body"]["max_completion_tokens"] == 99
        without = {"max_tokens": None, "seed": None, "presence_penalty": None, "top_k": None, "temperature": None}
        bare = settings(profile, "m", False, 4096, 0, True, without)
        assert not set(without) & (set(bare) | set(bare["extra_body"])) and bare["top_p"] == 0.8
