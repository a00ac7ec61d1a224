"""The worker `policy` against servers over real sockets: good ones, slow ones, and those that misbehave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fake_policy import FakePolicy, Nods, Watched, nod

from takt import Ledger, TaktError, kpis, repeat_shift, resume_shift, run_shift
from takt.cli import main
from takt.contract.events import FAULT, SAID
from takt.stations.nutcell import NutCell
from takt.workers.policy import Policy
from takt.workers.policy.server import PolicyServer

FAST: dict[str, Any] = {"timeout_s": 20.0, "first_timeout_s": 20.0, "retries": 2, "backoff_s": 0.02}
BLIND = {"cameras": []}  # pictures need OpenGL, and take their time
SHORT_H = 5.0 / 3600


@pytest.fixture(scope="module")
def cell() -> Iterator[NutCell]:
    station = NutCell(cameras=[])
    yield station
    station.close()


def policy(url: str, **options: Any) -> Policy:
    return Policy(url=url, **{**FAST, **options})


def work(station: Any, server: Any, hours: float = SHORT_H, clock: str = "fixed:0.08", **given: Any) -> Any:
    options = {"url": server.url, **FAST, **given.pop("options", {})}
    return run_shift(
        station, Policy(**options), hours=hours, clock=clock, worker_name="policy", worker_options=options, **given
    )


def failures(shift: Any) -> list[str]:
    return [one["kind"] for event in shift.events if event.kind == SAID for one in event.data["failed"]]


def test_a_served_worker_does_what_it_does_unserved() -> None:
    there, here = Watched(cameras=[]), Watched(cameras=[])
    with PolicyServer(Nods, station_options=BLIND, port=0) as server:
        served = work(there, server)
    run_shift(here, Nods(), hours=SHORT_H, clock="fixed:0.08")
    assert not served.broken and not failures(served)
    assert len(here.given) == 250 and any(action[0] for _, action, _ in here.given)
    assert [action.tolist() for _, action, _ in there.given] == [action.tolist() for _, action, _ in here.given]


def test_a_shift_on_a_fixed_clock_is_the_same_again_and_is_repeated_without_a_server(
    cell: NutCell, tmp_path: Any
) -> None:
    with FakePolicy(lambda request, n: nod(request)) as server:
        first = work(cell, server, ledger=tmp_path / "a.takt")
        again = work(cell, server)
        slow = FakePolicy(lambda request, n: (time.sleep(0.01), nod(request))[1])
        with slow:
            measured = work(cell, slow, clock="measured", ledger=tmp_path / "m.takt")
    assert first.digest == again.digest and not failures(first)
    for shift in (first, measured):
        repeated = repeat_shift(shift.path, station=cell, worker=policy(server.url))
        assert repeated.digest == shift.digest
    record = next(event.data for event in first.events if event.kind == SAID)
    assert "fake" in record["server"] and record["shape"] == [10, 15] and "took_s" not in record


def test_a_killed_shift_goes_on_to_the_same_ledger(cell: NutCell, tmp_path: Any) -> None:
    class Killed(NutCell):
        def step(self, action: Any) -> Any:
            if self.now > 3.0:
                raise KeyboardInterrupt
            return super().step(action)

    with FakePolicy(lambda request, n: np.array(np.nan) * np.ones((10, 15)) if n == 6 else nod(request)) as server:
        whole = work(cell, server)
        asked = len(server.requests)
        server.requests.clear()
        with pytest.raises(KeyboardInterrupt):
            work(Killed(cameras=[]), server, ledger=tmp_path / "a.takt")
        before = len(server.requests)
        resumed = resume_shift(tmp_path / "a.takt", station=cell, worker=policy(server.url))
        assert len(server.requests) == asked, "what was answered before the kill is not asked again"
    assert before < asked and resumed.digest == whole.digest and failures(resumed) == ["not_finite"]


def test_whatever_the_server_does_the_arms_hold_and_it_is_counted(tmp_path: Any) -> None:
    bad = nod({"observation.takt_left": [0.0]})
    bad[3, 2] = np.inf
    says: dict[int, Any] = {
        3: bad,
        5: np.zeros((10, 14)),  # not this layout
        7: "Traceback (most recent call last):\n  ...\nValueError: no such state",
        9: 4.0,  # a stall: longer than the limit
        11: None,  # gone in the middle; tried again
        12: None,
        13: {"action": np.zeros((10, 15))},
        15: b"\xc1 no msgpack",
        17: {"actions": "up and to the left"},
        19: {"actions": np.zeros((0, 15))},  # a plan of nothing is a plan
    }
    cell = Watched(cameras=[])
    with FakePolicy(lambda request, n: says.get(n, nod(request))) as server:
        began = time.perf_counter()
        shift = work(cell, server, hours=12 / 3600, ledger=tmp_path / "a.takt", options={"timeout_s": 2.0})
        assert time.perf_counter() - began < 30
    assert shift.ended == "time" and not shift.broken
    kinds = ["not_finite", "shape", "server_error", "timeout", "dropped", "dropped"]
    assert failures(shift) == [*kinds, "not_an_answer", "not_an_answer", "shape"]
    figures = kpis(shift.events)
    assert figures.faults_by_name == {
        "policy_shape": 2,
        "policy_not_an_answer": 2,
        "policy_not_finite": 1,
        "policy_server_error": 1,
        "policy_timeout": 1,
    }, "two drops were made good at once"
    assert figures.faults_by_origin["worker"].count == 6 and figures.faults_by_origin["harness"].count == 1
    begun = next(event for event in shift.events if event.kind == FAULT and event.data["name"] == "policy_not_finite")
    held = [(action, hold) for now, action, hold in cell.given if begun.t_s + 0.09 < now < begun.t_s + 0.4]
    assert len(held) > 10 and all((action == hold).all() for action, hold in held)
    assert figures.downtime_s > 5 * 0.5, "what it holds is downtime"
    assert main(["bill", str(tmp_path / "a.takt")]) == 0


def test_a_server_that_comes_back_is_found_again(cell: NutCell) -> None:
    class Restarted(NutCell):
        """Between two looks the server goes, and comes back after a while of wall time."""

        def step(self, action: Any) -> Any:
            if abs(self.now - 3.0) < 1e-6:
                port = servers[0].port
                servers[0].stop()
                threading.Timer(0.3, lambda: servers.append(FakePolicy(lambda r, n: nod(r), port))).start()
            return super().step(action)

    servers = [FakePolicy(lambda request, n: nod(request))]
    try:
        shift = work(Restarted(cameras=[]), servers[0], hours=15 / 3600, options={"backoff_s": 0.1, "retries": 6})
    finally:
        for server in servers:
            server.stop()
    assert shift.ended == "time" and len(servers) == 2 and servers[1].requests
    assert {"dropped", "connect"} >= set(failures(shift)) and failures(shift)


def test_a_server_that_stays_away_ends_the_shift_in_the_end() -> None:
    class Gone(NutCell):
        def step(self, action: Any) -> Any:
            if abs(self.now - 2.0) < 1e-6:
                server.stop()
            return super().step(action)

    server = FakePolicy(lambda request, n: nod(request))
    shift = work(Gone(cameras=[]), server, hours=1.0, options={"outages": 3, "retries": 0})
    assert shift.ended == "worker_done" and "3 times in a row: no policy server at" in shift.broken[0]
    assert kpis(shift.events).faults_by_name["policy_connect"] == 1, "one outage, however often it was looked for"


@pytest.mark.parametrize("how", ["nobody", "silent", "deaf", "http"])
def test_no_policy_server_is_one_clear_line(how: str, capsys: Any, tmp_path: Any) -> None:
    """Nobody listens; somebody does, and says nothing; greets and reads no more; is a web server."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    quiet: list[Any] = []

    def answer() -> None:
        one, _ = listener.accept()
        quiet.append(one)
        if how == "http":
            one.recv(4096)
            one.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    url = f"ws://127.0.0.1:{port}"
    if how == "nobody":
        listener.close()
    elif how != "deaf":
        threading.Thread(target=answer, daemon=True).start()
    fake = FakePolicy(lambda request, n: 3.0) if how == "deaf" else None
    url = fake.url if fake else url
    began = time.perf_counter()
    given = ["-w", f"url={url}", "-w", "first_timeout_s=0.5", "-w", "retries=0", "-o", "cameras=[]"]
    out = ["--out", str(tmp_path / "a.takt")]
    code = main(["run", "nutcell", "--worker", "policy", "--units", "1", *given, *out])
    assert code == 2 and time.perf_counter() - began < 8
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("takt: ")]
    assert len(lines) == 1 and "the policy gives no action" in lines[0]
    said = {"nobody": "no policy server at", "silent": "no answer within 0.5 s", "deaf": "no answer", "http": "404"}
    assert said[how] in lines[0]
    listener.close()
    if fake:
        fake.stop()


def test_a_server_that_does_not_read_is_cut_off() -> None:
    """More than the socket's buffers hold: `send` itself would wait for ever."""
    from takt.workers.policy.connection import Connection, NoAnswer

    with FakePolicy(lambda request, n: 2.0) as server:
        connection = Connection(server.url)
        with pytest.raises(NoAnswer) as first:
            connection.ask({"n": 0}, 0.2)
        began = time.perf_counter()
        with pytest.raises(NoAnswer) as second:
            connection.ask({"much": np.zeros(60_000_000, np.uint8), "more": np.zeros(60_000_000, np.uint8)}, 0.5)
        assert time.perf_counter() - began < 5
    assert first.value.kind == second.value.kind == "timeout"


def test_a_wrong_layout_is_said_at_once(cell: NutCell) -> None:
    with FakePolicy(lambda request, n: np.zeros((50, 7))) as server:
        shift = work(cell, server)
    assert shift.ended == "worker_done"
    assert "actions have shape (50, 7); layout cell takes 15" in shift.broken[0]


def test_a_chunk_of_thirty_a_second_goes_on_while_the_next_is_thought() -> None:
    """One second of a motion, asked for again after half of it: it never stops, and goes as far as it was told."""
    chunk = np.zeros((30, 14), np.float32)
    chunk[:, 1], chunk[:, 8] = 0.0005, -0.0005  # m in a thirtieth of a second
    cell = Watched(cameras=[])
    blind = {"keys": {"head": None, "left_wrist": None, "right_wrist": None}}
    with FakePolicy(lambda request, n: {"actions": chunk}) as server:
        shift = work(cell, server, hours=3 / 3600, options={"profile": "xiaomi", "execute": 15, **blind})
        assert set(server.requests[0]) == {"state", "prompt"} and server.requests[0]["state"].shape == (16,)
    assert not shift.broken and len(server.requests) == 6
    given = np.array([action for _, action, _ in cell.given])
    assert (given[:4] == cell.given[0][2]).all(), "before the first answer it holds"
    assert np.allclose(given[4:, 1], 0.0003) and np.allclose(given[4:, 8], -0.0003) and not given[:, 14].any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "needs a server"),
        ({"url": "http://x"}, "must be ws://HOST:PORT"),
        ({"url": "ws://me:secret@x:1"}, "use key_env"),
        ({"url": "x:1", "profile": "pi6"}, "has: takt, pi05"),
        ({"url": "x:1", "layout": "ee7"}, "has: cell, ee14, joint16"),
        ({"url": "x:1", "horizon": 0}, "horizon is 0; it must be a whole number from 1 to 10,000"),
        ({"url": "x:1", "horizon": 4, "execute": 5}, "more than the horizon"),
        ({"url": "x:1", "keys": {"tail": "x"}}, "keys has 'tail'"),
        ({"url": "x:1", "keys": {"state": {"s": "knees"}}}, "the parts are: joints16"),
        ({"url": "x:1", "key_env": "TAKT_TEST_NO_SUCH"}, "the environment has no TAKT_TEST_NO_SUCH"),
        ({"url": "x:1", "timeout_s": "soon"}, "timeout_s is 'soon'"),
    ],
)
def test_what_is_told_wrongly_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(TaktError) as error:
        Policy(**options)
    assert said in str(error.value) and "\n" not in str(error.value) and "secret" not in str(error.value)


def test_the_key_is_sent_and_never_told(cell: NutCell, monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.setenv("TAKT_TEST_KEY", "hush-hush")
    monkeypatch.setenv("TAKT_TEST_WRONG", "psst-psst")
    with PolicyServer(Nods, station_options=BLIND, port=0, key="hush-hush") as server:
        right = work(cell, server, options={"key_env": "TAKT_TEST_KEY"}, ledger=tmp_path / "a.takt")
        wrong = work(cell, server, options={"key_env": "TAKT_TEST_WRONG"})
    assert not right.broken and "HTTP 401" in wrong.broken[0]
    with Ledger.open(tmp_path / "a.takt") as book:
        assert "hush" not in str(book.meta) + str(book.events())
    assert "psst" not in str(wrong)
