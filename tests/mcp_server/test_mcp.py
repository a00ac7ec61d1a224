"""A shift by an MCP client: the SDK's own, in process. What it is told, charged and refused, and when it leaves."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from clients import DESK, Desk, working
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from takt import TaktError, open_station, open_worker, repeat_shift, resume_shift, run_shift
from takt.judge.kpi import kpis
from takt.workers.llm.bill import troubles
from takt.workers.mcp import Mcp
from takt.workers.mcp.window import Window
from takt.workers.mcp.worker import Left


def by(server: Any, what: Any, **client: Any) -> Any:
    """What a client does there."""

    async def go() -> Any:
        async with Client(server, **client) as connected:
            return await what(connected)

    return asyncio.run(go())


def said(shift: Any) -> list[Any]:
    return [event.data for event in shift.events if event.kind == "said"]


async def serve(client: Any) -> Any:
    desk = Desk(client)
    await desk.serve()
    return desk


def test_a_client_works_a_shift_and_is_told_when_it_is_over() -> None:
    with working() as (server, run):
        desk = by(server, serve)
        shift = run.ended()
    assert shift.ended == "units" and not shift.broken
    assert kpis(shift.events).good >= 2
    assert desk.over.startswith("The shift is over. Verdict: undecided: ")
    assert said(shift)[0]["client"].startswith("mcp ")
    calls = [one["number"] for one in said(shift) if "call" in one]
    assert len(calls) in (desk.calls, desk.calls - 1)  # the last may have found the shift over
    answered = [one["of"] for one in said(shift) if "answer" in one]
    assert answered == calls[: len(answered)] and len(calls) - len(answered) <= 1, "but for the call that ended it"


def test_the_same_calls_are_the_same_shift_and_it_repeats_without_a_client(tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        with working(ledger=tmp_path / name) as (server, run):
            by(server, serve)
            digests.append(run.ended().digest)
    assert digests[0] == digests[1]
    assert repeat_shift(tmp_path / "a").digest == digests[0]


def test_a_measured_shift_repeats_too(tmp_path: Path) -> None:
    with working(ledger=tmp_path / "a", clock="measured", units=2) as (server, run):
        by(server, serve)
        digest = run.ended().digest
    assert repeat_shift(tmp_path / "a").digest == digest


def test_what_a_client_is_shown_comes_from_the_station() -> None:
    async def look(client: Any) -> Any:
        tools = (await client.list_tools()).tools
        prompts = (await client.list_prompts()).prompts
        prompt = await client.get_prompt(prompts[0].name)
        resource = await client.read_resource((await client.list_resources()).resources[0].uri)
        with pytest.raises(MCPError, match="there is: shift"):
            await client.get_prompt("other")
        with pytest.raises(MCPError, match="there is: takt://brief"):
            await client.read_resource("takt://other")
        return tools, prompt.messages[0].content.text, resource.contents[0].text, client.instructions

    spec = open_station("flightdesk", **DESK).spec
    with working() as (server, _):
        tools, prompt, resource, instructions = by(server, look)
    assert prompt == resource == instructions and spec.brief in prompt
    assert [tool.name for tool in tools] == [tool["function"]["name"] for tool in spec.tools]
    known = {tool["function"]["name"]: tool["function"]["parameters"] for tool in spec.tools}
    for tool in tools:
        looks = tool.name in spec.looks
        hints = tool.annotations
        assert (hints.read_only_hint, hints.destructive_hint, hints.open_world_hint) == (looks, not looks, False)
        shown = {name: what for name, what in tool.input_schema["properties"].items() if name != "seen"}
        assert shown == known[tool.name].get("properties", {})
        assert ("seen" in tool.input_schema["properties"]) == looks
    asked = {tool.name: tool.input_schema.get("required", []) for tool in tools}
    assert asked["wait"] == asked["queue"] == ["seen"] and asked["propose"] == ["group"]
    assert {"book", "refund", "hotel"}.isdisjoint(spec.looks) and "wait" in spec.looks


def test_malformed_calls_are_refused_counted_and_change_nothing() -> None:
    async def misbehave(client: Any) -> Any:
        desk, codes = Desk(client), []
        before = await desk.call("queue", seen=0)
        calls = [
            ("fly", {}),
            ("cancel", {"flights": ["1/2026-01-07"]}),
            ("book", {"group": "1"}),
            ("queue", {"limit": "many", "seen": 1}),
            ("refund", {"group": "nobody"}),
            ("wait", {"for": "Godot"}),
            ("refund", {"group": "x" * 20_000}),
        ]
        for name, arguments in calls:
            result = await desk.call(name, **arguments)  # type: ignore[arg-type]
            codes.append(result["error"]["code"])
            assert result["error"]["message"]
        return before, codes, await desk.call("queue", seen=1)

    with working(units=1) as (server, run):
        before, codes, after = by(server, misbehave)
    shift = run.ended()
    assert before == after
    assert codes == [
        "unknown_tool",
        "unknown_tool",
        "bad_arguments",
        "bad_arguments",
        "unknown_group",
        "bad_arguments",
        "bad_arguments",
    ]
    counted = troubles(shift.events)
    assert counted["refused: bad_arguments"] == 4 and counted["refused: unknown_tool"] == 2
    assert counted["unknown_tool"] == 2 and counted["malformed_arguments"] == 1


def test_the_clients_thinking_is_charged_when_it_is_measured() -> None:
    async def think(client: Any) -> Any:
        desk = Desk(client)
        await desk.call("queue", seen=0)
        began = desk.seen
        await asyncio.sleep(1.3)
        await desk.call("queue", seen=desk.seen)
        slow = desk.seen - began
        await desk.call("queue", seen=desk.seen)
        return slow, desk.seen - began - slow

    short = {"desk": {"control_s": 0.1}, "units": None, "hours": 0.01}
    with working(clock="measured", **short) as (server, _):
        time.sleep(0.5)  # before the first call nothing is charged
        slow, quick = by(server, think)
    assert 1.3 <= slow <= 2.5 and slow > quick + 1
    with working(clock="fixed:1", **short) as (server, _):
        slow, quick = by(server, think)
    assert slow == pytest.approx(quick) == pytest.approx(1.1)  # a second of thinking, and the call itself


def test_the_clock_goes_on_while_a_client_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("takt.workers.mcp.worker.SPAN_S", 0.2)

    async def sleep(client: Any) -> Any:
        desk = Desk(client)
        await desk.call("queue", seen=0)
        await asyncio.sleep(1.5)
        return desk.seen

    with working(clock="measured", desk={"control_s": 0.05}, units=None, hours=0.01) as (server, run):
        by(server, sleep)
        run.window.leave("asleep")
        shift = run.ended()
    spans = [record["periods"] for record in said(shift) if "periods" in record]
    assert len(spans) >= 4 and 1.0 <= 0.05 * sum(spans) <= 1.6


def test_wait_is_answered_when_somebody_comes() -> None:
    async def wait(client: Any) -> Any:
        desk = Desk(client)
        await desk.call("wait", seen=0)
        return desk.seen, (await desk.call("queue", seen=desk.seen))["waiting"]

    with working() as (server, run):
        now, waiting = by(server, wait)
    due = next(event.t_s for event in run.ended().events if event.kind == "unit_due")
    assert waiting == 1 and due <= now <= due + 6


def test_a_client_that_leaves_leaves_the_desk_empty() -> None:
    async def once(client: Any) -> None:
        await Desk(client).call("queue", seen=0)

    with working(hours=1, units=None) as (server, run):
        by(server, once)
        run.window.leave("its input ended")
        shift = run.ended()
    assert shift.ended == "time"
    assert shift.broken == ["worker 'mcp' is gone: its input ended (at 2.00 s)"]
    figures = kpis(shift.events)
    assert figures.failures == 1 and figures.good == 0
    assert figures.faults_by_origin["worker"].downtime_s == pytest.approx(3598)


@pytest.mark.parametrize("killed_at_s", [0, 1500])
def test_a_shift_whose_client_is_gone_can_be_ended_by_anybody(tmp_path: Path, killed_at_s: Any) -> None:
    async def once(client: Any) -> None:
        await Desk(client).call("queue", seen=0)

    def kill(progress: Any) -> None:
        if progress.now_s > killed_at_s and run.window.gone:
            raise KeyboardInterrupt

    path = tmp_path / "s.takt"
    with working(ledger=path, hours=1, units=None, on_progress=kill) as (server, run):
        by(server, once)
        run.window.leave("its input ended")
        run.ended()
        assert isinstance(run.failed, KeyboardInterrupt)
    shift = resume_shift(path)
    assert shift.ended == "time" and shift.broken == ["worker 'mcp' is gone: its input ended (at 2.00 s)"]
    assert repeat_shift(path).digest == shift.digest


def test_a_shift_whose_client_is_not_gone_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "s.takt"
    with working(ledger=path) as (_, run):
        run.window.leave("its input ended")
        run.ended()
    with pytest.raises(TaktError, match="only its client can go on"):
        resume_shift(path)


@pytest.mark.parametrize("clock", ["fixed:1", "measured"])
def test_a_client_that_is_silent_for_too_long_is_gone(clock: Any) -> None:
    async def once(client: Any) -> None:
        await Desk(client).call("queue", seen=0)

    with working(patience_s=0.5, clock=clock) as (server, run):
        by(server, once)
        shift = run.ended()
    assert shift.ended == "units" and "is gone: no call for 0.5 s" in shift.broken[0]


def test_a_client_that_pauses_leaves_the_shift_as_it_is(tmp_path: Path) -> None:
    async def some(client: Any) -> None:
        await Desk(client).serve(1)

    path = tmp_path / "s.takt"
    with working(ledger=path, pause=True) as (server, run):
        by(server, some)
        run.window.leave("its input ended")
        run.ended()
        assert isinstance(run.failed, Left)
    with working(resume=path) as (server, run):
        by(server, serve)
        shift = run.ended()
    assert shift.ended == "units" and not shift.broken
    assert [record["left"] for record in said(shift) if "left" in record] == ["its input ended"]
    assert repeat_shift(path).digest == shift.digest


def test_one_that_never_came_leaves_it_too() -> None:
    with working() as (_, run):
        run.window.leave("its input ended")
        run.ended()
        assert isinstance(run.failed, Left)


def test_calls_at_once_are_done_in_turn_and_one_taken_back_is_not_done() -> None:
    async def many(client: Any) -> list[Any]:
        answers = await asyncio.gather(*(client.call_tool("queue", {"limit": n + 1, "seen": 0}) for n in range(5)))
        return [json.loads(answer.content[0].text)["now_s"] for answer in answers]

    with working() as (server, _):
        moments = by(server, many)
    assert len(set(moments)) == 5
    window = Window()
    first, second = window.ask("a", "{}"), window.ask("b", "{}")
    assert first.cancel()
    assert window.next(1).name == "b"
    window.answer({"result": {}})
    assert second.result(1) == {"result": {}}


def test_a_secret_in_what_a_client_says_is_taken_out() -> None:
    async def tell(client: Any) -> None:
        await Desk(client).call("call_human", group="1", why="the token is s3cret-s3cret-s3cret")

    with working(secret="s3cret-s3cret-s3cret") as (server, run):
        by(server, tell)
    told = json.dumps(said(run.ended()))
    assert "s3cret" not in told and "[token]" in told


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(TaktError, match="put to work by `takt serve STATION --mcp`"):
        open_worker("mcp", "flightdesk")
    with pytest.raises(TaktError, match="only its client can go on"):
        run_shift("flightdesk", Mcp(patience_s=1), units=1, station_options=DESK)
