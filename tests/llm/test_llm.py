"""The worker `llm` at the desk: the work, its cost in time and money, its memory, and what it keeps to itself."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer, Say, seen
from scripts import CLOCKED, DESK, said, serve, shift

from takt import Ledger, TaktError, open_station, open_worker, repeat_shift, resume_shift, run_shift, steps_of_unit
from takt.cli import main
from takt.distribution import install
from takt.errors import Different
from takt.workers.llm.bill import bill, troubles
from takt.workers.llm.endpoint import NoAnswer, OpenAiCompatible
from takt.workers.llm.history import History
from takt.workers.llm.profiles import PROFILES, settings


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shift that a good model worked, its ledger, and how often the model was asked."""
    path = tmp_path_factory.mktemp("llm") / "worked.takt"
    with FakeServer(serve) as server:
        done = shift(server.url, ledger=path, price_in=1.0, price_out=10.0)
        return done, path, list(server.requests)


def test_a_model_works_the_desk(worked: Any) -> None:
    done, _, requests = worked
    assert done.ended == "units" and not done.broken
    good = sum(event.kind == "unit_good" for event in done.events)
    assert good >= 2
    first = requests[0]
    assert [m["role"] for m in first["messages"]] == ["system", "user"]
    assert "desk of an airline" in first["messages"][0]["content"]
    assert {tool["function"]["name"] for tool in first["tools"]} >= {"propose", "book", "wait"}
    assert first["chat_template_kwargs"] == {"enable_thinking": False} and first["top_k"] == 20
    second = requests[1]["messages"]
    assert [m["role"] for m in second] == ["system", "user", "assistant", "tool"]
    assert second[2]["tool_calls"][0]["id"] == second[3]["tool_call_id"] == "call_0_0"


def test_the_same_shift_twice_is_the_same_ledger(worked: Any) -> None:
    with FakeServer(serve) as server:
        again = shift(server.url, price_in=1.0, price_out=10.0)
    first = worked[0]
    assert again.events[1:] == first.events[1:]  # the port of the server is an option, and another one


def test_thinking_costs_tokens_at_the_stated_rate(worked: Any) -> None:
    done = worked[0]
    each = 100 / 1000 + 20 / 10
    assert all(event.data["took_s"] == each for event in said(done))
    thought = [event.data for event in done.events if event.kind == "thought"]
    assert {cost for data in thought for cost in data["periods"]} <= {0, 3}  # 2.1 s are three periods of one second


def test_the_bill(worked: Any) -> None:
    done = worked[0]
    total = bill(done.events)
    assert total.exchanges == len(said(done)) == len(worked[2])
    assert total.prompt_tokens == 100 * total.exchanges and total.completion_tokens == 20 * total.exchanges
    assert total.price == pytest.approx(total.exchanges * (100 * 1 + 20 * 10) / 1e6)
    assert total.price_a_good_unit == pytest.approx(total.price / total.good)
    assert total.tokens_a_unit == pytest.approx(120 * total.exchanges / total.units)
    assert bill(()).price_a_unit is None


def test_a_spending_cap_ends_the_shift_cleanly(tmp_path: Path) -> None:
    with FakeServer(serve) as server:
        done = shift(server.url, units=50, price_out=100.0, spend_cap=0.01, ledger=tmp_path / "s.takt")
    assert done.ended == "worker_done" and not done.broken
    assert done.events[-1].data["why"] == "0.0100 is spent, and the cap is 0.01"
    assert len(said(done)) == 5


def test_several_calls_in_one_turn_are_done_one_after_the_other() -> None:
    def script(body: Any, n: Any) -> Any:
        return Say([("queue", {"limit": 1}), ("messages", {"limit": 2}), ("wait", {})]) if n == 0 else serve(body)

    with FakeServer(script) as server:
        shift(server.url, units=1)
        messages = server.requests[1]["messages"]
    assert [m["role"] for m in messages[2:]] == ["assistant", "tool", "tool", "tool"]
    told = [json.loads(m["content"]) for m in messages[3:]]
    assert [t["result"]["tool"] for t in told] == ["queue", "messages", "wait"]
    assert [t["calls"] for t in told] == [1, 2, 3]
    assert told[1]["now_s"] - told[0]["now_s"] == 1.0  # no thinking in between


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_is_recorded_and_sent_back_only_if_told(stream: Any) -> None:
    def script(body: Any, n: Any) -> Any:
        say = serve(body)
        say.reasoning = "Let me see ."
        return say

    for keep in (False, True):
        with FakeServer(script) as server:
            done = shift(server.url, units=1, thinking=True, keep_thinking=keep, stream=stream)
            assert server.requests[0]["chat_template_kwargs"] == {"enable_thinking": True}
            assert server.requests[0].get("stream", False) == stream
            assistant = server.requests[1]["messages"][2]
        assert ("reasoning" in assistant) == keep
        assert all(event.data["reasoning"].strip() == "Let me see ." for event in said(done))
        assert said(done)[0].data["usage"] == {"prompt_tokens": 100, "completion_tokens": 20}


def test_usage_is_guessed_where_the_server_does_not_count() -> None:
    def script(body: Any, n: Any) -> Any:
        say = serve(body)
        say.usage = None
        return say

    with FakeServer(script) as server:
        done = shift(server.url, units=1)
    usage = said(done)[0].data["usage"]
    assert usage["estimated"] and 1000 < usage["prompt_tokens"] < 6000


# --- memory -----------------------------------------------------------------------------------------------------------


def test_the_history_stays_inside_its_budget() -> None:
    sizes = []

    def script(body: Any, n: Any) -> Any:
        sizes.append(len(json.dumps(body["messages"])) + len(json.dumps(body["tools"])))
        say = Say([("board", {"limit": 30, "after": n})])
        say.usage = (sizes[-1] // 4, 20)
        return say

    with FakeServer(script) as server:
        done = shift(server.url, units=3, context_tokens=12_000, max_tokens=1000, desk={"service_s": 120.0})
        last = server.requests[-1]["messages"]
    assert len(sizes) > 20 and max(sizes) / 4 < 12_000
    drops = [event.data for event in done.events if event.kind == "said" and event.data.get("dropped")]
    assert drops and drops[-1]["dropped_in_all"] == sum(d["dropped"] for d in drops)
    assert [m["role"] for m in last[:3]] == ["system", "user", "assistant"]
    assert f"({drops[-1]['dropped_in_all']} earlier exchanges are left out here.)" in last[1]["content"]
    called = {call["id"] for m in last for call in m.get("tool_calls", ())}
    assert called == {m["tool_call_id"] for m in last if m["role"] == "tool"}  # never half an exchange
    assert troubles(done.events)["dropped"] == drops[-1]["dropped_in_all"]


def test_one_exchange_that_is_too_long_alone_is_cut() -> None:
    history = History("system", 0, 1000, 3000)
    history.tell("x")
    history.answered({"role": "assistant", "content": "", "tool_calls": []})
    for i in range(4):
        assert history.result(f"c{i}", "y" * 5000) == 2000
    assert history.tokens(history.chars) > 1000
    assert history.fit("now")["cut_chars"] > 0
    assert history.tokens(history.chars) <= 1000 and len(history.turns) == 1


def test_a_server_that_finds_the_request_too_long_gets_a_short_one_however_it_says_so() -> None:
    ways = [
        Say(status=400, text="maximum context length is 8192 tokens"),
        Say(status=500, body='{"error": "input length exceeds maximum context length"}'),
        Say(status=422, body='{"error": "`inputs` tokens + `max_new_tokens` must be <= 4096", "error_type": "x"}'),
    ]
    told: list[Say] = []

    def script(body: Any, n: Any) -> Any:
        if len(body["messages"]) > 10:
            told.append(ways[len(told) % len(ways)])
            return told[-1]
        return serve(body)

    with FakeServer(script) as server:
        done = shift(server.url, units=8, retries=0)
    assert done.ended == "units" and troubles(done.events)["too_long"] == len(told) >= len(ways)


# --- record, replay, resume -------------------------------------------------------------------------------------------


def test_a_shift_is_repeated_without_a_server_to_the_same_digest(worked: Any, tmp_path: Path) -> None:
    done, path, _ = worked
    again = repeat_shift(path, tmp_path / "again.takt")
    assert again.digest == done.digest and again.events == done.events


def test_a_shift_is_the_script_of_another_worker(worked: Any) -> None:
    done, path, _ = worked
    again = run_shift(
        "flightdesk",
        "llm",
        seed=1,
        units=6,
        clock="measured",
        station_options=DESK,
        worker_options={"replay": str(path)},
    )
    assert again.events[1:] == done.events[1:]
    other = run_shift("flightdesk", "llm", seed=2, units=6, station_options=DESK, worker_options={"replay": str(path)})
    assert other.broken[0].startswith("request 0 is not the one that was recorded")


def test_a_unit_is_worked_again_without_a_server(worked: Any, recwarn: pytest.WarningsRecorder) -> None:
    done, path, _ = worked
    unit = next(event.unit for event in done.events[len(done.events) // 2 :] if event.kind == "unit_good")
    assert sum(1 for _ in steps_of_unit(path, unit)) > 0
    assert not [warned for warned in recwarn.list if issubclass(warned.category, Different)]


class Killed(KeyboardInterrupt):
    pass


@pytest.mark.parametrize("at", [0, 1, 4, 7])
def test_a_killed_shift_goes_on_without_paying_twice(
    worked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: Any
) -> None:
    """Killed right after exchange `at` was answered, in the middle of a unit: nothing is asked twice."""
    done, _, requests = worked
    path = tmp_path / "killed.takt"
    with FakeServer(serve) as server:
        from takt.workers.llm.worker import Llm

        whole = Llm._take

        def take(self: Any, record: Any) -> None:
            if record["number"] == at:
                raise Killed
            whole(self, record)

        with monkeypatch.context() as patch:
            patch.setattr(Llm, "_take", take)
            with pytest.raises(Killed):
                shift(server.url, ledger=path, price_in=1.0, price_out=10.0)
        assert len(server.requests) == at + 1
        again = resume_shift(path)
        assert len(server.requests) == len(requests)
    assert again.events[1:] == done.events[1:]
    with sqlite3.connect(path) as book:
        assert book.execute("SELECT count(*) FROM journal").fetchone() == (0,)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_the_key_is_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "sk-very-secret-0123456789"
    monkeypatch.setenv("MY_KEY", key)

    def script(body: Any, n: Any) -> Any:
        if n == 1:
            return Say(status=500, text=f"cannot serve {key}")
        if n == 3:
            return Say(status=401, text=f"Incorrect API key provided: {key}")
        say = serve(body)
        say.text = f"I was told the key {key}"
        return say

    path = tmp_path / "secret.takt"
    with FakeServer(script) as server:
        options = [f"{k}={json.dumps(v)}" for k, v in {**CLOCKED, "base_url": server.url, "key_env": "MY_KEY"}.items()]
        told = [word for option in options for word in ("-w", option)]
        desk = [word for k, v in DESK.items() for word in ("-o", f"{k}={v}")]
        run = ["run", "flightdesk", "--worker", "llm", "--units", "3", "--out", str(path), *desk, *told]
        assert main(run) == 2
        assert server.keys[0] == f"Bearer {key}"
    printed = capsys.readouterr()
    assert "Incorrect API key provided: [key]" in printed.err
    assert main(["report", str(path), "--no-pictures"]) == 0
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    with Ledger.open(path) as ledger:
        files += [repr(ledger.snapshot_after(unit)).encode() for unit in range(-1, 3)]
    assert len(files) > 2 and not any(key.encode() in content for content in files)
    assert key not in printed.out + printed.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "needs a model"),
        ({"model": "m", "profile": "nobody"}, "it has: vllm, sglang"),
        ({"model": "m", "key_env": "sk-123"}, "key_env is not the name of an environment variable"),
        ({"model": "m", "base_url": "http://me:pw@host/v1"}, "use key_env"),
        ({"model": "m", "api_key": "x"}, "worker 'llm' has no option 'api_key'"),
        ({"model": "m", "retries": 1.5}, "retries is 1.5; it must be a whole number from 0 to 100"),
        ({"model": "m", "context_tokens": 4096}, "more than half of context_tokens"),
        ({"model": "m", "stream": "yes"}, "stream is 'yes'; it must be true or false"),
        ({"model": "m", "replay": "none.takt"}, "there is no ledger none.takt"),
    ],
)
def test_wrong_options_are_named(options: Any, says: Any) -> None:
    with pytest.raises(TaktError) as error:
        open_worker("llm", "flightdesk", **options)
    assert says in str(error.value) and "sk-123" not in str(error.value)


def test_without_the_sdk_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("takt.workers.llm.worker.find_spec", lambda name: None)
    assert main(["run", "flightdesk", "--worker", "llm", "--units", "1", "-w", "model=m"]) == 2
    assert capsys.readouterr().err == f"takt: worker 'llm' needs the extra `llm`: {install('llm')}\n"


def test_a_station_without_tools_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    cart = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5", "-o", "success=return>=10"]
    assert main(["run", "gym", "--worker", "llm", "--units", "1", "-w", "model=m", *cart]) == 2
    assert "station 'gym' offers no tools" in capsys.readouterr().err


# --- profiles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("thinking", [False, True])
def test_a_profile_sends_nothing_that_its_server_refuses(profile: Any, thinking: Any) -> None:
    sent = settings(PROFILES[profile], "m", thinking, 100, 7, True, {})
    flat = {**sent, **sent["extra_body"]}
    assert not set(flat) & set(PROFILES[profile].refuses)
    assert flat["temperature"] == (1.0 if thinking else 0.7)
    own = settings(PROFILES[profile], "m", thinking, 100, 7, False, {"temperature": 0.1})
    assert "temperature" not in own and own["extra_body"]["temperature"] == 0.1


def test_no_server_at_all(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer) as failure:
        OpenAiCompatible("http://127.0.0.1:9/v1", "NO_SUCH", 5.0).ask([], [], {"model": "m"})
    assert failure.value.kind == "connection"
    done = shift("http://127.0.0.1:9/v1", units=2)
    assert done.ended == "worker_done" and "the endpoint gives no answer" in done.broken[0]


def test_the_desk_says_its_brief_and_its_tools() -> None:
    plain, with_authority = (open_station("flightdesk", **DESK, authority=a).spec for a in (False, True))
    names = [[tool["function"]["name"] for tool in spec.tools] for spec in (plain, with_authority)]
    assert "cancel" not in names[0] and "cancel" in names[1]
    assert "within 30 minutes" in plain.brief and "no authority" in plain.brief
    assert seen({"messages": [{"content": "no JSON"}]}) == {}


# --- the command line -------------------------------------------------------------------------------------------------


def test_repeat_and_bill(worked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done, path, requests = worked
    assert main(["repeat", str(path), "--out", str(tmp_path / "again.takt")]) == 0
    assert capsys.readouterr().out == f"the same shift: {done.digest}\n"
    assert main(["bill", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["exchanges"] == len(requests) and told["troubles"] == {}
    assert main(["bill", str(path)]) == 0
    assert "price a good unit" in capsys.readouterr().out


def test_a_shift_that_was_tampered_with_is_not_the_same(
    worked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tampered.takt"
    path.write_bytes(worked[1].read_bytes())
    with sqlite3.connect(path) as book:
        book.execute("UPDATE events SET data = replace(data, '\"avoid_closed\\\": true', '\"avoid_closed\\\": false')")
        book.execute("UPDATE events SET data = replace(data, '20', '21') WHERE kind = 'booked'")
    assert main(["repeat", str(path)]) == 2
    assert "it differs from event" in capsys.readouterr().err


def test_sigkill_between_two_exchanges(tmp_path: Path) -> None:
    """A real process, killed while it waits for request 5: answers 0 to 4 are not asked for again."""
    path, run = tmp_path / "killed.takt", []

    def script(body: Any, n: Any) -> Any:
        if n == 5:
            run[0].kill()
            run[0].wait()
        return serve(body)

    with FakeServer(script) as server:
        options = {**CLOCKED, "base_url": server.url}
        words = [word for k, v in DESK.items() for word in ("-o", f"{k}={v}")]
        words += [word for k, v in options.items() for word in ("-w", f"{k}={v}")]
        command = [sys.executable, "-m", "takt.cli", "run", "flightdesk", "--worker", "llm", "--seed", "1"]
        command += ["--units", "6", "--clock", "measured", "--out", str(path), "--json", *words]
        run.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        assert run[0].wait(timeout=120) == -signal.SIGKILL
        again = resume_shift(path)
        whole = shift(server.url)
        asked = len(server.requests)
    assert again.digest == whole.digest
    assert asked == 2 * len(said(whole)) + 1
