"""Calls without tool calling, by a JSON schema or in words; examples of good work; the options that have names."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer, Say
from scripts import CLOCKED, DESK, said, serve, shift
from test_view import serve as serve_short

from takt import TaktError, open_station, open_worker, repeat_shift, resume_shift, run_shift
from takt.export.trl import export_trl
from takt.workers.llm.bill import bill
from takt.workers.llm.examples import examples_of
from takt.workers.llm.form import inlined
from takt.workers.llm.options import Options
from takt.workers.llm.several import endpoint_of
from takt.workers.llm.spoken import calls_in


def in_words(body: dict[str, Any], n: int = 0, serve: Any = serve) -> Say:
    """The good model, where calls are JSON in its text and results come as a user's message."""
    last = dict(body["messages"][-1])
    last["content"] = last["content"].removeprefix("Result: ")
    say = serve({**body, "messages": [*body["messages"][:-1], last]}, n)
    if say.calls:
        name, arguments = say.calls[-1]
        say = Say(text=json.dumps({"name": name, "arguments": arguments}))
    return say


@pytest.mark.parametrize("calls", ["schema", "text"])
def test_a_model_without_tool_calling_works_the_desk_and_the_shift_repeats(calls: Any, tmp_path: Path) -> None:
    path = tmp_path / "words.takt"
    with FakeServer(in_words) as server:
        done = shift(server.url, ledger=path, calls=calls)
        requests = list(server.requests)
    assert done.ended == "units" and not done.broken
    assert sum(event.kind == "unit_good" for event in done.events) >= 1
    assert not any(event.kind == "refused" for event in done.events)
    for body in requests:
        assert "tools" not in body and ("response_format" in body) == (calls == "schema")
        assert {message["role"] for message in body["messages"]} <= {"system", "user", "assistant"}
        assert not any("tool_calls" in message for message in body["messages"])
    system = requests[0]["messages"][0]["content"]
    assert '{"name": TOOL, "arguments": {...}}' in system and "\npropose {" in system and "\nbook {" in system
    assert any(message["content"].startswith("Result: ") for message in requests[1]["messages"])
    assert repeat_shift(path).digest == done.digest


def test_the_schema_of_an_answer_is_one_call_with_the_stations_own_arguments(tmp_path: Path) -> None:
    with FakeServer(in_words) as server:
        shift(
            server.url,
            units=1,
            calls="schema",
            view="short",
            context_tokens=2048,
            max_tokens=64,
            desk={"service_s": 300.0},
        )
        form = server.requests[0]["response_format"]
    ways = {way["properties"]["name"]["const"]: way for way in form["json_schema"]["schema"]["anyOf"]}
    assert set(ways) == {"propose", "hotel", "book", "split", "refund"}
    book = ways["book"]["properties"]["arguments"]
    assert book["required"] == ["group", "legs"] and book["additionalProperties"] is False
    assert set(book["properties"]["legs"]["items"]["properties"]) >= {"flight", "cabin"}, "more than a short view says"
    assert "$ref" not in json.dumps(form)


def test_references_that_have_no_end_have_one() -> None:
    loop = {"$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}}, "$ref": "#/$defs/A"}
    assert len(json.dumps(inlined(loop, loop))) < 1000


NAMES = {"propose", "book", "wait"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"name": "propose", "arguments": {"group": "7"}}', [("propose", {"group": "7"})]),
        ('Sure!\n```json\n{"tool": "propose", "args": {"group": "7"}}\n```', [("propose", {"group": "7"})]),
        ('<tool_call>\n{"name": "propose", "arguments": {"group": "7"}}\n</tool_call>', [("propose", {"group": "7"})]),
        ('[TOOL_CALLS][{"name": "wait", "arguments": {}}, {"name": "wait"}]', [("wait", {}), ("wait", {})]),
        ('{"function": {"name": "wait", "parameters": {}}}', [("wait", {})]),
        ('{"propose": {"group": "7"}}', [("propose", {"group": "7"})]),
        (
            "<function=book><parameter=group>\n7\n</parameter><parameter=legs>[1]</parameter></function>",
            [("book", {"group": 7, "legs": [1]})],
        ),
        ('{"name": "fly", "arguments": {"to": "PEK"}}', [("fly", {"to": "PEK"})]),
        ('{"name": "Peter", "age": 7} and {"a": 1}', []),
        ("I would propose an itinerary.", []),
        ("{" * 5000, []),
        ("[" * 5000, []),
    ],
)
def test_calls_are_read_out_of_text_in_the_forms_that_models_write(text: Any, expected: Any) -> None:
    assert [(call.name, json.loads(call.arguments)) for call in calls_in(text, NAMES)] == expected


@pytest.fixture(scope="module")
def good_work(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shift of greedy's, and its conversations in the short view."""
    folder = tmp_path_factory.mktemp("good")
    run_shift("flightdesk", "greedy", units=8, seed=5, ledger=folder / "g.takt", station_options=DESK, clock="lockstep")
    export_trl([folder / "g.takt"], folder / "g.jsonl", view="short")
    return folder


@pytest.mark.parametrize(("calls", "file"), [("schema", "g.jsonl"), ("tools", "g.takt")])
def test_good_units_of_another_shift_are_shown_first_and_are_in_the_ledger(
    good_work: Any, tmp_path: Path, calls: Any, file: Any
) -> None:
    path, copy = tmp_path / "shown.takt", tmp_path / file
    copy.write_bytes((good_work / file).read_bytes())
    script = serve_short if calls == "tools" else partial(in_words, serve=serve_short)
    with FakeServer(script) as server:
        done = shift(server.url, ledger=path, units=3, calls=calls, view="short", examples=str(copy), shots=1)
        first, last = server.requests[0]["messages"], server.requests[-1]["messages"]
    roles = [message["role"] for message in first]
    assert roles[0] == "system" and roles[-1] == "user" and roles.count("assistant") >= 2
    assert last[: len(first) - 1] == first[:-1], "they stay when a conversation begins anew"
    answers = [message for message in first if message["role"] == "assistant"]
    assert all(("tool_calls" in message) == (calls == "tools") for message in answers)
    ids = [call["id"] for message in answers for call in message.get("tool_calls", ())]
    assert ids == [message["tool_call_id"] for message in first if message["role"] == "tool"]
    assert said(done)[0].data["examples"] == first[1:-1]
    copy.unlink()
    assert repeat_shift(path).digest == done.digest, "and need no file any more"


def test_a_shift_with_examples_that_was_killed_goes_on_alike(good_work: Any, tmp_path: Path) -> None:
    options = {**CLOCKED, "view": "short", "examples": str(good_work / "g.jsonl"), "retries": 0}
    with FakeServer(serve_short) as server:
        whole = shift(server.url, units=4, **options)
        worker = open_worker("llm", "flightdesk", base_url=server.url, **options)
        act, calls = worker.act, []

        def cut(observation: Any) -> Any:
            calls.append(1)
            if len(calls) > 25:
                raise KeyboardInterrupt
            return act(observation)

        worker.act = cut  # type: ignore[method-assign]
        path = tmp_path / "cut.takt"
        with pytest.raises(KeyboardInterrupt):
            run_shift("flightdesk", worker, seed=1, units=4, clock="measured", ledger=path, station_options=DESK)
        again = open_worker("llm", "flightdesk", base_url=server.url, **options)
        done = resume_shift(path, worker=again)
    assert [(e.kind, e.t_s, e.unit) for e in done.events[1:]] == [(e.kind, e.t_s, e.unit) for e in whole.events[1:]]


def test_examples_that_are_none_are_one_line(good_work: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": [], "reward": 0.0}\n')
    for path, says in ((bad, "no unit in .* is good"), (tmp_path / "none.jsonl", "neither a shift nor a file")):
        with pytest.raises(TaktError, match=says):
            examples_of(str(path), 2, "short")
    with FakeServer(serve) as server:
        done = shift(server.url, units=1, examples=str(bad))
        assert not server.requests
    assert done.ended == "worker_done" and "is good; give another shift's" in done.broken[0]


def test_a_ledger_alone_leads_to_no_file_of_examples() -> None:
    from takt.workers.llm import Llm

    given = {"base_url": "http://127.0.0.1:1/v1", "examples": "/etc/passwd"}
    assert Llm.asked_if_named(given) == {"examples": "/etc/passwd"}


def test_options_have_names_and_extra_body_the_last_word() -> None:
    options = {
        "temperature": 0.1,
        "top_p": 0.5,
        "top_k": 3,
        "presence_penalty": 0.0,
        "reasoning_effort": "low",
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "system": "Be quick.",
    }
    with FakeServer(serve) as server:
        shift(server.url, units=1, **options)
        shift(server.url, units=1, **options, extra_body={"temperature": 0.9, "tool_choice": None})
        one, two = server.requests[0], server.requests[-1]
    assert {name: one[name] for name in options if name != "system"} == {
        k: v for k, v in options.items() if k != "system"
    }
    assert one["messages"][0]["content"].endswith("Be quick.")
    assert two["temperature"] == 0.9 and "tool_choice" not in two


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"calls": "tool"}, r"no calls='tool', did you mean 'tools'\?; it has: tools, schema, text"),
        ({"calls": "schema", "tool_choice": "auto"}, "are for calls=tools"),
        ({"tool_choice": "always"}, "must be auto, required or none"),
        ({"temperature": -1}, "temperature is -1"),
        ({"shots": 0}, "shots is 0"),
        ({"requests_per_min": 0}, "requests_per_min is 0"),
        ({"parallel_tool_calls": "no"}, "must be true or false"),
        ({"examples": 7}, "must be a text"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(given: Any, says: Any) -> None:
    with pytest.raises(TaktError, match=says):
        Options(model="m", **given)


def test_tokens_that_the_server_had_cached_are_counted_and_cheaper() -> None:
    def cached(body: dict[str, Any], n: int) -> Say:
        say = serve(body)
        say.details = {"cached_tokens": 80}
        return say

    with FakeServer(cached) as server:
        done = shift(server.url, units=1, price_in=1.0, price_cached=0.1, price_out=10.0)
    total = bill(done.events)
    assert total.cached_tokens == 80 * total.exchanges
    assert total.price == pytest.approx(total.exchanges * (20 * 1.0 + 80 * 0.1 + 20 * 10.0) / 1e6)


def test_another_server_answers_where_one_does_not_and_seeds_spread_over_them() -> None:
    ask = ([{"role": "user", "content": '{"queue":[]}'}], [], {"model": "m"})
    with FakeServer(serve) as good, FakeServer(lambda body, n: Say(status=503, text="busy")) as bad:
        both = endpoint_of(Options(model="m", base_url=f"{good.url}, {bad.url}"))
        for seed in (0, 1):
            both.begin(seed)
            assert both.ask(*ask).calls and both.ask(*ask).calls
        assert len(bad.requests) == 1 and len(good.requests) == 4, "one that fails is left at once, and stays left"
        done = shift(f"{bad.url},{good.url}", units=1, retries=0)
    assert done.ended == "units" and not done.broken
    with FakeServer(serve) as one, FakeServer(serve) as two:
        for seed in range(4):
            both = endpoint_of(Options(model="m", base_url=f"{one.url},{two.url}"))
            both.begin(seed)
            both.ask(*ask)
        assert len(one.requests) == len(two.requests) == 2


def test_so_many_requests_a_minute_cost_their_wait() -> None:
    with FakeServer(serve) as server:
        done = shift(server.url, units=1, requests_per_min=600, tokens_per_s=1e6, prompt_tokens_per_s=1e6)
    assert all(event.data["took_s"] == 0.1 for event in said(done))


def test_a_station_opened_by_name_has_the_tools_that_a_model_is_told_of() -> None:
    station = open_station("flightdesk", **DESK)
    from takt.workers.llm.talk import Talk

    for view in ("full", "short"):
        talk = Talk(station.spec, view, 9000, 9000, "text")
        assert not talk.tools and all(f"\n{name} {{" in talk.history.system["content"] for name in talk.names)
    station.close()
