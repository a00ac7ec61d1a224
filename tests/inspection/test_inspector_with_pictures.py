"""Who is told an observation as text is shown its pictures too: the worker `llm` and MCP clients."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clients import Working
from fake_server import FakeServer, Say
from mcp.client.client import Client
from PIL import Image

from takt import Ledger, open_station, repeat_shift, run_shift
from takt.stations.inspection.station import PICTURE
from takt.workers.mcp import Mcp
from takt.workers.mcp.server import server_of
from takt.workers.mcp.window import Window

SEED, SMALL = 8, {"image_size": 64, "difficulty": "nominal"}
CLOCK = {"tokens_per_s": 10.0, "prompt_tokens_per_s": 1000.0, "retries": 0}


def works(body: dict[str, Any], number: int) -> Say:
    """Looks closer, then says that all is good."""
    return Say([("look", {"where": "closer"})] if number % 2 == 0 else [("verdict", {"left": "good", "right": "good"})])


def shift(url: str, units: int = 2, **given: Any) -> Any:
    ledger = given.pop("ledger", None)
    options = {"model": "m", "base_url": url, **CLOCK, **given}
    return run_shift(
        "inspection", "llm", units=units, seed=SEED, station_options=SMALL, worker_options=options, ledger=ledger
    )


def parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in message["content"] if isinstance(part, dict)] if message.get("content") else []


def png(part: dict[str, Any]) -> bytes:
    return base64.b64decode(part["image_url"]["url"].removeprefix("data:image/png;base64,"))


def test_a_model_is_shown_the_newest_picture_and_only_that(tmp_path: Path) -> None:
    with FakeServer(works) as server:
        done = shift(server.url, ledger=tmp_path / "a.takt")
        asked = [request["messages"] for request in server.requests]
    assert done.ended == "units" and len(asked) == 4
    station = open_station("inspection", **SMALL)
    seen, _ = station.reset(seed=SEED)
    shown = []
    for messages in asked:
        pictures = [part for message in messages for part in parts(message) if part["type"] == "image_url"]
        assert len(pictures) == 1 and messages[-1]["role"] == "user" and pictures[0] in messages[-1]["content"]
        shown.append(png(pictures[0]))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown[0]))), seen[PICTURE])
    assert len(set(shown)) == 4, "each look is another picture"
    assert asked[0][-1]["content"][0]["text"].startswith("{"), "what is told comes before what is shown"
    records = [event.data for event in done.events if event.kind == "said" and "request" in event.data]
    assert [one["pictures"][0]["sha256"] for one in records] == [hashlib.sha256(one).hexdigest() for one in shown]
    assert base64.b64encode(shown[0])[:200] not in (tmp_path / "a.takt").read_bytes()
    with Ledger.open(tmp_path / "a.takt") as book:
        assert "data:image" not in str(book.events())
    assert repeat_shift(tmp_path / "a.takt").digest == done.digest
    station.close()


def test_a_model_without_eyes_is_named_and_can_be_asked_without_pictures() -> None:
    def refuses(body: dict[str, Any], number: int) -> Say:
        if any(part.get("type") == "image_url" for message in body["messages"] for part in parts(message)):
            return Say(status=400, text="image_url is not supported by this model")
        return works(body, number)

    with FakeServer(refuses) as server:
        refused = shift(server.url)
        text = shift(server.url, pictures=False, units=1)
    (why,) = refused.broken
    assert "not supported by this model; for a model that takes no pictures: -w pictures=false" in why
    assert text.ended == "units" and not any("pictures" in event.data for event in text.events)


@pytest.mark.parametrize("calls", ["schema", "text"])
def test_calls_that_are_text_have_the_picture_within_the_users_message(calls: Any) -> None:
    def says(body: dict[str, Any], number: int) -> Say:
        return Say(text='{"name": "verdict", "arguments": {"left": "good", "right": "good", "why": ""}}')

    roles = []
    for pictures in (True, False):
        with FakeServer(says) as server:
            shift(server.url, calls=calls, pictures=pictures)
            roles.append([[message["role"] for message in request["messages"]] for request in server.requests])
            assert all(isinstance(request["messages"][-1]["content"], list) == pictures for request in server.requests)
    assert roles[0] == roles[1], "a picture is no message of its own where the user has the last word"


def test_an_mcp_client_is_shown_what_it_asked_to_look_at() -> None:
    window, spec = Window(), open_station("inspection", **SMALL).spec
    told: dict[str, Any] = {"patience_s": 60.0, "paced": False}
    given = {"units": 1, "seed": SEED, "worker_options": told, "station_options": SMALL}
    run = Working(window, Mcp(window=window, **told), "inspection", given)  # by name: its thread has the camera

    async def looks() -> Any:
        async with Client(server_of(spec, window)) as client:
            looked = await client.call_tool("look", {"where": "left"})
            judged = await client.call_tool("verdict", {"left": "good", "right": "good"})
            return looked, judged

    looked, judged = asyncio.run(looks())
    window.leave("the test is over")
    assert run.ended().ended == "units"
    text, picture = looked.content
    assert text.text.startswith("{") and picture.type == "image" and picture.mime_type == "image/png"
    assert Image.open(io.BytesIO(base64.b64decode(picture.data))).size == (64, 64)
    assert not judged.is_error
