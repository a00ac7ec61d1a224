"""The one way out of a sandbox: a socket to a model's endpoint, which Takt forwards to, with the key, and meters."""

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
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from takt.errors import TaktError
from takt.stations.codedesk.mounts import FORWARD, own_python

INSIDE = "/run/takt/model.sock"
PORT = 8765
MOST_REQUEST = 32 << 20  # bytes
ALLOWED = ("/chat/completions", "/completions", "/responses", "/models", "/embeddings")
COUNTED = ("requests", "failed", "prompt_tokens", "completion_tokens")


class Door:
    """A Unix socket of this machine, shown in sandboxes, that leads to `endpoint` and to nowhere else.

    key_env   the environment variable that has the key; the sandbox never sees it.
    Only requests below the endpoint's own path are forwarded, and only of those kinds that a model answers.
    """

    def __init__(self, endpoint: str, key_env: str = "OPENAI_API_KEY", timeout_s: float = 600.0) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise TaktError(f"model={endpoint!r} is no endpoint; give one such as http://127.0.0.1:8000/v1")
        self.parts, self.key, self.timeout_s = parts, os.environ.get(key_env, ""), timeout_s
        self._counts: Counter[str] = Counter()
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
        if (
            path not in ALLOWED
            or not length.isdecimal()
            or int(length) > MOST_REQUEST
            or self.headers.get("Transfer-Encoding")
        ):
            self._refuse(403, "only requests to the model are forwarded")
            return
        body = self.rfile.read(int(length))
        door.count("requests")
        make = http.client.HTTPSConnection if door.parts.scheme == "https" else http.client.HTTPConnection
        upstream = make(str(door.parts.hostname), door.parts.port, timeout=door.timeout_s)
        headers = {"Content-Type": self.headers.get("Content-Type", "application/json"), "Accept": "*/*"}
        headers |= {"Authorization": f"Bearer {door.key}"} if door.key else {}
        try:
            upstream.request(self.command, door.parts.path.rstrip("/") + path, body or None, headers)
            answer = upstream.getresponse()
        except OSError as error:
            door.count("failed")
            self._refuse(502, f"the model's endpoint gives no answer: {error}")
            return
        if answer.status >= 400:
            door.count("failed")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        meter = _Meter()
        with suppress(OSError, http.client.HTTPException):
            for part in _parts(answer):
                meter.take(part)
                self.wfile.write(part)
                self.wfile.flush()
        for name, number in meter.usage().items():
            door.count(name, number)
        upstream.close()

    def _refuse(self, status: int, why: str) -> None:
        body = json.dumps({"error": {"message": why, "type": "takt"}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Meter:
    """Reads tokens off an answer, whole or streamed (server-sent events); the last count said is the one."""

    def __init__(self) -> None:
        self._whole = b""

    def take(self, part: bytes) -> None:
        if len(self._whole) < MOST_REQUEST:
            self._whole += part

    def usage(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for text in [self._whole, *(line[5:] for line in self._whole.splitlines() if line.startswith(b"data:"))]:
            with suppress(ValueError, AttributeError, TypeError, RecursionError):
                usage = json.loads(text).get("usage") or {}
                read = usage.get("prompt_tokens", usage.get("input_tokens", 0))
                written = usage.get("completion_tokens", usage.get("output_tokens", 0))
                if usage:
                    found = {"prompt_tokens": max(0, int(read)), "completion_tokens": max(0, int(written))}
        return found


def _parts(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while part := answer.read1(1 << 16):
        yield part
