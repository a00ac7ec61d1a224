"""The short view: what a small model is shown, and that its conversations begin anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer, Say, seen
from scripts import DESK, said, shift

from takt import TaktError, open_station, repeat_shift
from takt.export.trl import corrections
from takt.workers.llm.options import Options
from takt.workers.llm.talk import Talk
from takt.workers.llm.worker import Llm


def serve(body: Any, n: Any = 0) -> Any:
    """Work by the short view alone: propose, hotel if due, book; or refund."""
    told = seen(body)
    first, result = told["queue"][0] if told["queue"] else None, told.get("result") or {}
    if result.get("itineraries"):
        way = result["itineraries"][0]
        hotel = [("hotel", {"group": result["group"]})] if way.get("hotel_due") else []
        return Say([*hotel, ("book", {"group": result["group"], "legs": way["legs"]})])
    if "itineraries" in result:
        return Say([("refund", {"group": result["group"]})])
    return Say([("propose", {"group": first["group"], "avoid_closed": True})])


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("view") / "short.takt"
    with FakeServer(serve) as server:
        return shift(server.url, ledger=path, view="short"), path, list(server.requests)


def test_a_model_works_by_the_short_view(worked: Any) -> None:
    done, _, requests = worked
    assert done.ended == "units" and not done.broken
    assert any(event.kind == "unit_good" for event in done.events)
    assert len(requests[0]["messages"][0]["content"]) < 200
    names = [tool["function"]["name"] for tool in requests[0]["tools"]]
    assert set(names) == {"propose", "hotel", "book", "split", "refund"}
    assert all("description" not in tool["function"] for tool in requests[0]["tools"])
    told = json.loads(requests[0]["messages"][1]["content"])
    assert set(told) == {"queue"} and len(told["queue"]) == 1
    results = [m["content"] for r in requests for m in r["messages"] if m["role"] == "tool"]
    assert results and all("departs" not in text for text in results)


def test_a_conversation_is_about_one_group(worked: Any) -> None:
    done, _, requests = worked
    begun = [r for r in requests if len(r["messages"]) == 2]
    assert len(begun) >= 4 and all(r["messages"][1]["role"] == "user" for r in begun)
    for request in requests:
        calls = [c["function"] for m in request["messages"] for c in m.get("tool_calls", ())]
        assert len({json.loads(call["arguments"])["group"] for call in calls}) <= 1
    forgotten = [e.data["forgotten"] for e in done.events if e.kind == "said" and "forgotten" in e.data]
    assert len(forgotten) >= 4 and all(forgotten)


def test_a_model_that_is_stuck_begins_anew(tmp_path: Path) -> None:
    def stubborn(body: Any, n: Any = 0) -> Any:
        """Makes a mistake in its first answer, and again for as long as it sees it."""
        refused = any('"error"' in m["content"] for m in body["messages"] if m["role"] == "tool")
        return Say([("propose", {"group": "nobody", "avoid_closed": True})]) if n == 0 or refused else serve(body)

    path = tmp_path / "stuck.takt"
    with FakeServer(stubborn) as server:
        done = shift(server.url, ledger=path, view="short")
    assert done.ended == "units" and any(event.kind == "unit_good" for event in done.events)
    assert sum(event.kind == "refused" for event in done.events) == 2
    assert repeat_shift(path).digest == done.digest


def test_what_a_model_gives_up_goes_behind_all_that_waits_and_is_put_right_for_it(tmp_path: Path) -> None:
    shown: list[str] = []

    def one_too_hard(body: Any, n: Any = 0) -> Any:
        """Books the first group that it ever saw on a flight that there is not."""
        first = seen(body)["queue"][0]["group"]
        if len(body["messages"]) == 2:
            shown.append(first)
        assert {
            json.loads(m["content"])["queue"][0]["group"] for m in body["messages"][1:] if "tool_calls" not in m
        } == {first}, "whoever comes meanwhile does not come between"
        if first == shown[0] and (seen(body).get("result") or {}).get("itineraries"):
            return Say([("book", {"group": first, "legs": [{"flight": "XX1/2026-01-01", "cabin": "Y"}]})])
        return serve(body)

    path = tmp_path / "hard.takt"
    with FakeServer(one_too_hard) as server:
        done = shift(server.url, ledger=path, view="terse", units=6, desk={"takt_s": 20.0})
    hard = shown[0]
    assert shown[:2] == [hard, next(group for group in shown if group != hard)] and shown.count(hard) >= 2
    assert len(set(shown)) >= 4, "nobody waits for it"
    assert sum(event.kind == "unit_good" for event in done.events) >= 3
    assert repeat_shift(path).digest == done.digest
    rows = [row for row in corrections(path, "greedy") if row["corrected"]["bad"] == ["refused"]]
    assert rows and all(json.loads(row["messages"][1]["content"])["queue"][0]["group"] == hard for row in rows)
    for row in rows:  # the teacher's answer is about the group that the model was shown
        assert {c["function"]["arguments"]["group"] for m in row["messages"] for c in m.get("tool_calls", ())} == {hard}
    worker = Llm(replay=str(path))
    worker.begin(open_station("flightdesk", **DESK).spec, 1)
    plain = worker.save()
    worker._talk.aside, worker._talk.at_work = {hard: 2}, hard
    state = worker.save()
    worker.load(plain)
    assert (worker._talk.aside, worker._talk.at_work) == ({}, "") and len(json.loads(plain)) + 1 == len(
        json.loads(state)
    ), "older snapshots"
    worker.load(state)
    assert (worker._talk.aside, worker._talk.at_work) == ({hard: 2}, hard)


def test_it_is_repeated_without_the_model(worked: Any) -> None:
    done, path, _ = worked
    assert repeat_shift(path).digest == done.digest
    assert len(said(done)) == len(worked[2])


def test_the_terse_view_is_the_short_one_without_what_is_false_and_what_cannot_be_shown_so() -> None:
    station = open_station("flightdesk", scenario="two-hubs", flights=60, aircraft=10, bookings=200)
    spec = station.spec
    short, terse = Talk(spec, "short", 1000, 1000), Talk(spec, "terse", 1000, 1000)
    said = [{**tool, "function": {"description": "", **tool["function"]}} for tool in short.tools]
    assert terse.tools == said and terse.afresh(spec).view == "terse"
    assert all(list(tool["function"]) == ["name", "description", "parameters"] for tool in terse.tools)  # as llama.cpp
    for due in (True, False):
        ways = [{"legs": [], "hotel_due": due, "departs": "10:00"}]
        now = {"queue": [{"group": "7", "people": 0, "hotel": False}], "result": {"itineraries": ways}}
        told = json.loads(short.outcome(now))
        assert told["result"]["itineraries"] == [{"legs": [], "hotel_due": due}]
        told = json.loads(terse.outcome(now))
        assert told["queue"] == [{"group": "7", "people": 0}]
        assert told["result"]["itineraries"] == [{"legs": [], "hotel_due": True} if due else {"legs": []}]
    assert terse.over('{"name": "book", "arguments": {}}', {"result": {"group": "7"}})
    alone, both = ({"queue": [{"group": name} for name in names]} for names in (["7"], ["7", "8"]))
    terse.show(both)
    assert terse.set_aside(both) is False and terse.in_turn(both) == both, "what it is about stays in front"
    terse.begin_anew()
    assert terse.everything(both) == '{"queue":[{"group":"8"}]}'
    terse.show(alone)
    assert terse.set_aside(alone) is True, "nothing else waits: it is tried again later"
    assert short.set_aside(both) is False and short.everything(both) == '{"queue":[{"group":"7"}]}', "as recorded"
    with pytest.raises(TaktError, match="no view 'tiny'; it has: full, short, terse"):
        Options(model="m", view="tiny")
    spec.short = None
    for view in ("short", "terse"):
        with pytest.raises(TaktError, match=f"station 'flightdesk' has no short view; leave out view={view}"):
            Talk(spec, view, 1000, 1000)
