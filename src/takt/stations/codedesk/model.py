"""The one way out of a sandbox: a socket to a model's endpoint, which Takt forwards to, with the key, and meters.

It may have a cap: tokens and money that commands may spend for a ticket, and in the whole shift. What is asked for when
that is spent is answered as an API answers whose account is empty, and counted.
"""

from __future__ import annotations

import http.client
import json
import os
import socketserver
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from takt.contract.options import Limit, wrong_number
from takt.errors import TaktError
from takt.stations.codedesk.mounts import FORWARD, own_python

INSIDE = "/run/takt/model.sock"
PORT = 8765
MOST_REQUEST = 32 << 20  # bytes
ALLOWED = ("/chat/completions", "/completions", "/responses", "/models", "/embeddings")
COUNTED = ("requests", "failed", "prompt_tokens", "completion_tokens", "refused", "estimated")
ALWAYS = COUNTED[:4]  # the others are told where there are any
BYTES_A_TOKEN = 4  # of an answer that does not say what it took

CAPPED = ("ticket_tokens", "shift_tokens", "ticket_money", "shift_money")
CAPS: tuple[Limit, ...] = (
    ("ticket_tokens", 1, 1e11, False),
    ("shift_tokens", 1, 1e11, False),
    ("ticket_money", 0, 1e9, False),
    ("shift_money", 0, 1e9, False),
    ("price_in", 0, 1e6, False),
    ("price_out", 0, 1e6, False),
)


@dataclass(frozen=True)
class Cap:
    """What commands may spend through the socket: tokens and money for a ticket and in a shift; None is no end.

    price_in, price_out   money for a million tokens read and written.

    TaktError for a number that makes no sense.
    """

    ticket_tokens: float | None = None
    shift_tokens: float | None = None
    ticket_money: float | None = None
    shift_money: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def __post_init__(self) -> None:
        if wrong := wrong_number(self, CAPS, CAPPED):
            raise TaktError(wrong)

    @property
    def on_money(self) -> bool:
        return self.ticket_money is not None or self.shift_money is not None

    @property
    def priced(self) -> bool:
        return bool(self.price_in or self.price_out)

    def price(self, counts: Mapping[str, int]) -> float:
        read, written = counts.get("prompt_tokens", 0), counts.get("completion_tokens", 0)
        return (read * self.price_in + written * self.price_out) / 1e6

    def passed(self, ticket: Sequence[float], shift: Sequence[float]) -> str:
        """What is used up, "" if nothing. Of both: tokens and money spent so far."""
        for spent, most, what in (
            (ticket[0], self.ticket_tokens, "tokens for a ticket"),
            (shift[0], self.shift_tokens, "tokens for a shift"),
            (ticket[1], self.ticket_money, "money for a ticket"),
            (shift[1], self.shift_money, "money for a shift"),
        ):
            if most is not None and spent >= most:
                return f"the cap on {what} is reached: {spent:,.10g} of {most:,.10g} spent; no more is forwarded"
        return ""


class Spent:
    """Tokens and money that commands have taken, by ticket."""

    def __init__(self, rows: Sequence[Sequence[Any]] = ()) -> None:
        self.rows: dict[int | None, tuple[int, float]] = {unit: (tokens, money) for unit, tokens, money in rows}

    def add(self, unit: int | None, told: Mapping[str, Any]) -> None:
        """Count what a command's record says of it."""
        tokens = int(told.get("prompt_tokens", 0)) + int(told.get("completion_tokens", 0))
        before = self.of(unit)
        if tokens:
            self.rows[unit] = (before[0] + tokens, before[1] + float(told.get("price", 0.0)))

    def of(self, unit: int | None) -> tuple[int, float]:
        return self.rows.get(unit, (0, 0.0))

    def in_all(self) -> tuple[int, float]:
        return sum(tokens for tokens, _ in self.rows.values()), sum(money for _, money in self.rows.values())

    def state(self) -> list[list[Any]]:
        return [[unit, *row] for unit, row in self.rows.items()]


class Door:
    """A Unix socket of this machine, shown in sandboxes, that leads to `endpoint` and to nowhere else.

    key_env   the environment variable that has the key; the sandbox never sees it.
    Only requests below the endpoint's own path are forwarded, and only of those kinds that a model answers.
    """

    def __init__(
        self, endpoint: str, key_env: str = "OPENAI_API_KEY", timeout_s: float = 600.0, cap: Cap | None = None
    ) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise TaktError(f"model={endpoint!r} is no endpoint; give one such as http://127.0.0.1:8000/v1")
        self.parts, self.key, self.timeout_s = parts, os.environ.get(key_env, ""), timeout_s
        self.cap = cap or Cap()
        self._counts: Counter[str] = Counter()
        self.open = False  # while a command is under way
        self._spent_before: tuple[Sequence[float], Sequence[float]] = ((0, 0.0), (0, 0.0))
        self._since: dict[str, int] = self.counts()
        self._folder = tempfile.TemporaryDirectory(prefix="takt-model-")
        self.path = str(Path(self._folder.name) / "model.sock")
        self._server = _Server(self.path, self)
        Path(self.path).chmod(
            0o666
        )  # for the sandbox, whose user may be nobody; nobody else gets into the folder (0700)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """By which agents find it, as the `openai` SDK, litellm and Qwen Code read it."""
        url = f"http://127.0.0.1:{PORT}/v1"
        return {"OPENAI_BASE_URL": url, "OPENAI_API_BASE": url, "OPENAI_API_KEY": "takt"}

    def command(self, argv: Sequence[str]) -> list[str]:
        """A command line, run beside what leads from the sandbox's loopback to the socket."""
        return [str(own_python()), "-I", "-S", FORWARD, INSIDE, str(PORT), *argv]

    def counts(self, before: Mapping[str, int] | None = None) -> dict[str, int]:
        """What was asked and read so far, or since."""
        return {name: self._counts[name] - (before or {}).get(name, 0) for name in COUNTED}

    def begin(self, ticket: Sequence[float], shift: Sequence[float]) -> None:
        """A command begins: tokens and money that were spent before, for its ticket and in the shift."""
        self._spent_before, self.open = (tuple(ticket), tuple(shift)), True

    def told(self) -> dict[str, Any]:
        """A command has ended. What was asked for since this was last told: counts, and money where tokens have prices;
        {} if nothing."""
        self.open = False
        counts, self._since = self.counts(self._since), self.counts()
        told: dict[str, Any] = {name: counts[name] for name in COUNTED if name in ALWAYS or counts[name]}
        if self.cap.priced:
            told["price"] = round(self.cap.price(counts), 9)
        return told if counts["requests"] or counts["refused"] else {}

    def passed(self) -> str:
        """Which part of the cap is used up now, "" if none. A request that is under way is not counted yet."""
        counts = self.counts(self._since)
        tokens, money = counts["prompt_tokens"] + counts["completion_tokens"], self.cap.price(counts)
        ticket, shift = ((before[0] + tokens, before[1] + money) for before in self._spent_before)
        return self.cap.passed(ticket, shift)

    def count(self, name: str, by: int = 1) -> None:
        self._counts[name] += by

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, path: str, door: Door) -> None:
        self.door = door
        super().__init__(path, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None: ...

    def address_string(self) -> str:
        return "sandbox"

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def _forward(self) -> None:
        door = self.server.door
        path = self.path.split("?", 1)[0].removeprefix("/v1")
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_REQUEST or self.headers.get("Transfer-Encoding"):
            self.close_connection = True  # what is not read would be taken for the next request
            self._refuse(403, "only requests to the model are forwarded")
            return
        body = self.rfile.read(int(length))  # of what is refused too: an answer before it breaks the client's sending
        if path not in ALLOWED:
            self._refuse(403, "only requests to the model are forwarded")
            return
        if not door.open:
            self._refuse(403, "nothing is forwarded but for a command that is under way")
            return
        if path != "/models" and (why := door.passed()):
            door.count("refused")
            self._refuse(429, why, "insufficient_quota")
            return
        door.count("requests")
        make = http.client.HTTPSConnection if door.parts.scheme == "https" else http.client.HTTPConnection
        upstream = make(str(door.parts.hostname), door.parts.port, timeout=door.timeout_s)
        headers = {"Content-Type": self.headers.get("Content-Type", "application/json"), "Accept": "*/*"}
        headers |= {"Authorization": f"Bearer {door.key}"} if door.key else {}
        try:
            upstream.request(self.command, door.parts.path.rstrip("/") + path, body or None, headers)
            answer = upstream.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a status that is no number, say
            door.count("failed")
            self._refuse(502, f"the model's endpoint gives no answer: {type(error).__name__} {error}".rstrip()[:300])
            return
        if answer.status >= 400:
            door.count("failed")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        meter = Meter()
        with suppress(OSError, http.client.HTTPException):
            for part in _parts(answer):
                meter.take(part)
                self.wfile.write(part)
                self.wfile.flush()
        usage = meter.usage()
        if not usage and answer.status < 400 and path != "/models":
            usage = {"prompt_tokens": len(body) // BYTES_A_TOKEN, "completion_tokens": meter.written()}
            door.count("estimated")
        for name, number in usage.items():
            door.count(name, number)
        upstream.close()

    def _refuse(self, status: int, why: str, kind: str = "takt") -> None:
        body = json.dumps({"error": {"message": why, "type": kind, "code": kind}}).encode()
        self.send_response(status)
        self.send_header("x-should-retry", "false")  # as the `openai` SDK reads it
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Meter:
    """Reads tokens off an answer, whole or streamed (server-sent events); the last count said is the one."""

    def __init__(self) -> None:
        self._whole, self.size = b"", 0

    def take(self, part: bytes) -> None:
        self.size += len(part)
        if len(self._whole) < MOST_REQUEST:
            self._whole += part

    def written(self) -> int:
        """Tokens of an answer that does not say them: one for each event of a stream, or by its length."""
        events = sum(line.startswith(b"data:") for line in self._whole.splitlines())
        return events or self.size // BYTES_A_TOKEN

    def usage(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for text in [self._whole, *(line[5:] for line in self._whole.splitlines() if line.startswith(b"data:"))]:
            with suppress(ValueError, AttributeError, TypeError, RecursionError):
                said = json.loads(text)
                usage = said.get("usage") or (said.get("response") or {}).get("usage") or {}
                read = usage.get("prompt_tokens", usage.get("input_tokens", 0))
                written = usage.get("completion_tokens", usage.get("output_tokens", 0))
                if usage:
                    found = {"prompt_tokens": max(0, int(read)), "completion_tokens": max(0, int(written))}
        return found


def _parts(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while part := answer.read1(1 << 16):
        yield part
