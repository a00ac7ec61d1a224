"""Which key goes where, and what a ledger can make of it: every key here is one that must not arrive."""

from __future__ import annotations

import contextlib
import json
import socketserver
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError, resume_shift
from takt.keys import check_address, key_for
from takt.ledger.trust import Named, NotNamed, check_named
from takt.workers.llm.endpoint import NoAnswer, OpenAiCompatible
from takt.workers.llm.options import Options
from takt.workers.policy.options import Options as PolicyOptions

SECRETS = {
    "OPENAI_API_KEY": "sk-openai",
    "AWS_SECRET": "hush-aws",
    "DASHSCOPE_API_KEY": "hush-dash",
    "GPU_KEY": "hush-gpu",
}


@pytest.mark.parametrize(
    ("url", "variable", "key"),
    [
        ("https://api.openai.com/v1", "", "sk-openai"),
        ("https://eu.api.openai.com/v1", "", "sk-openai"),
        ("http://api.openai.com/v1", "", ""),
        ("https://api.openai.com.evil.example/v1", "", ""),
        ("https://evil.example/api.openai.com", "", ""),
        ("http://localhost:8000/v1", "", ""),
        ("https://evil.example/v1", "", ""),
        ("http://localhost:8000/v1", "OPENAI_API_KEY", "sk-openai"),
        ("http://[::1]:8000/v1", "GPU_KEY", "hush-gpu"),
        ("https://gpu-box/v1", "GPU_KEY", "hush-gpu"),
        ("wss://gpu-box:8000", "GPU_KEY", "hush-gpu"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", "hush-dash"),
    ],
)
def test_a_key_goes_to_its_host(url: Any, variable: Any, key: Any) -> None:
    assert key_for(url, variable, SECRETS) == key


@pytest.mark.parametrize(
    ("url", "variable", "says"),
    [
        ("http://gpu-box/v1", "GPU_KEY", "in the clear"),
        ("ws://gpu-box:8000", "GPU_KEY", "in the clear"),
        ("http://localhost.evil.example/v1", "GPU_KEY", "in the clear"),
        ("https://evil.example/v1", "OPENAI_API_KEY", "is for api.openai.com, not for evil.example"),
        ("https://aliyuncs.com.evil.example/v1", "DASHSCOPE_API_KEY", "not for aliyuncs.com.evil.example"),
    ],
)
def test_a_key_goes_nowhere_else(url: Any, variable: Any, says: Any) -> None:
    with pytest.raises(TaktError, match=says) as error:
        key_for(url, variable, SECRETS)
    assert SECRETS[variable] not in str(error.value)
    if url.startswith("https"):
        host = url.split("/")[2]
        assert key_for(url, variable, {**SECRETS, "TAKT_KEY_HOSTS": f"X=y,{variable}={host}"}) == SECRETS[variable]


def meta(worker: Any, **options: Any) -> dict[str, Any]:
    station = "nutcell" if worker == "policy" else "flightdesk"
    return {"station": station, "options": {}, "worker": worker, "worker_options": options}


@pytest.mark.parametrize(
    "ledger",
    [
        meta("llm", model="m", base_url="https://evil.example/v1", key_env="AWS_SECRET"),
        meta("llm", model="m", base_url="https://evil.example/v1"),
        meta("llm", model="m", base_url="http://169.254.169.254/latest"),
        meta("llm", model="m", base_url="http://localhost:8000/v1", key_env="AWS_SECRET"),
        meta("llm", model="m", base_url="https://api.openai.com/v1", key_env="OPENAI_API_KEY"),
        meta("llm", model="m", profile="alibaba", key_env="DASHSCOPE_API_KEY"),
        meta("policy", url="ws://evil.example:8000"),
        meta("policy", url="evil.example:8000"),
        meta("policy", url="wss://evil.example:8000", key_env="AWS_SECRET"),
    ],
)
def test_where_a_ledger_leads_the_user_must_have_said_again(ledger: Any) -> None:
    with pytest.raises(NotNamed) as missing:
        check_named("a.takt", ledger, Named(), station=False, worker=True, asks=True)
    leads = {key: value for key, value in ledger["worker_options"].items() if key != "model"}
    assert all(f"{key}={value}" in str(missing.value) for key, value in leads.items())
    check_named("a.takt", ledger, Named(), station=False, worker=True, asks=False)  # repeated from what is recorded
    check_named("a.takt", ledger, Named(worker_options=leads), station=False, worker=True, asks=True)
    check_named("a.takt", ledger, Named(trust=True), station=False, worker=True, asks=True)
    other = {key: "https://elsewhere.example" for key in leads}
    with pytest.raises(TaktError, match="cannot be changed"):
        check_named("a.takt", ledger, Named(worker_options=other), station=False, worker=True, asks=True)


def test_a_server_on_this_machine_without_a_key_is_asked_as_before() -> None:
    for ledger in (meta("llm", model="m", base_url="http://127.0.0.1:8000/v1"), meta("policy", url="localhost:8000")):
        check_named("a.takt", ledger, Named(), station=False, worker=True, asks=True)
    check_named("a.takt", meta("llm", model="m"), Named(), station=False, worker=True, asks=True)


class Listens(socketserver.ThreadingTCPServer):
    """Keeps what it is sent, answers by `script`."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, script: Any) -> None:
        self.heard = b""
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                server.heard += self.request.recv(65536)
                with contextlib.suppress(OSError):
                    script(self.request)

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_a_resumed_ledger_does_not_send_a_variable_to_the_server_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from takt import run_shift

    monkeypatch.setenv("AWS_SECRET", "aws-secret-of-the-user")
    path = tmp_path / "a.takt"
    small = {"scenario": "two-hubs", "flights": 60, "aircraft": 10, "bookings": 200}
    run_shift("flightdesk", "idle", units=1, station_options=small, ledger=path)
    with Listens(lambda wire: None) as server, sqlite3.connect(path) as book:
        options = {"model": "m", "base_url": server.url, "key_env": "AWS_SECRET"}
        book.execute("UPDATE meta SET value = '\"llm\"' WHERE key = 'worker'")
        book.execute("UPDATE meta SET value = ? WHERE key = 'worker_options'", (json.dumps(options),))
        book.execute("DELETE FROM events WHERE kind = 'shift_ended'")
        book.commit()
        with pytest.raises(NotNamed, match="key_env=AWS_SECRET"):
            resume_shift(path)
        server.shutdown()
    assert server.heard == b""


# --- the wire ---------------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drips(head: Any, piece: Any) -> Any:
    def script(wire: Any) -> None:
        wire.sendall(head)
        while True:
            wire.sendall(piece)
            time.sleep(0.05)

    return script


@pytest.mark.parametrize(
    ("stream", "script"),
    [
        (False, drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")),
        (True, drips(HEAD.replace(b"application/json", b"text/event-stream") + b"\r\n", b": still here\n\n")),
        (False, drips(b"HTTP/1.1 200 OK\r\n", b"X")),
    ],
    ids=["body", "stream", "headers"],
)
def test_an_answer_that_drips_has_the_deadline_of_any_other(stream: Any, script: Any) -> None:
    with Listens(script) as server:
        endpoint = OpenAiCompatible(server.url, "", timeout_s=0.6)
        with pytest.raises(NoAnswer) as failure:
            endpoint.ask([], [], {"model": "m", "stream": stream})
        assert failure.value.kind in ("timeout", "broken_stream")
        server.shutdown()


def test_an_answer_without_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("takt.workers.llm.bounded.MOST_BYTES", 0)

    def script(wire: Any) -> None:
        wire.sendall(HEAD + b"Content-Length: 10000000000\r\n\r\n")
        while True:
            wire.sendall(bytes(65536))

    from takt.workers.llm import bounded

    with Listens(script) as server:
        with bounded.client(30.0, 10**6) as client, pytest.raises(bounded.TooLong):
            client.get(server.url)
        server.shutdown()


def test_what_was_not_asked_for_is_not_unpacked_and_no_redirect_is_followed() -> None:
    from takt.workers.llm import bounded

    with Listens(lambda wire: wire.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")) as server:
        with bounded.client(5.0) as client, pytest.raises(Exception, match="compressed"):
            client.get(server.url)
        server.shutdown()
    away = b"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    with Listens(lambda wire: wire.sendall(away)) as server:
        with pytest.raises(NoAnswer):
            OpenAiCompatible(server.url, "", timeout_s=5.0).ask([], [], {"model": "m"})
        server.shutdown()


@pytest.mark.parametrize("url", ["https://host/v1?api_key=hush", "https://host/v1#hush", "https://me:hush@host/v1"])
def test_a_secret_in_an_address_is_neither_stored_nor_shown(url: Any) -> None:
    for make in (
        lambda: Options(model="m", base_url=url),
        lambda: PolicyOptions(url=url.replace("https", "wss")),
        lambda: check_address("url", url),
    ):
        with pytest.raises(TaktError, match="would be written down") as error:
            make()
        assert "hush" not in str(error.value)
