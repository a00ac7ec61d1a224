"""How clients reach the server: by its standard input and output, or over HTTP. Each runs in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import anyio
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl

from takt.listening import check_host as check_host
from takt.listening import token_of as token_of
from takt.serving import Served
from takt.workers.mcp.window import Window

PATH = "/mcp"
EOF = "its input ended"
LONGEST_LINE = 4 * 2**20  # characters of one message
MOST_BODY = 2**20  # bytes of one message over HTTP; a call has some 10,000 characters at most
MOST_SESSIONS, MOST_CONNECTIONS = 64, 64  # at once
CLOSING_S = 1.0  # wall time for answers under way when a server stops


class Stdio(AbstractContextManager["Stdio"]):
    """One client, the program that started this one. What anybody here prints goes to stderr: stdout is the client's.

    After this nothing else may read the process's standard input or write to its standard output.
    """

    def __init__(self, server: Server[Any], window: Window) -> None:
        self._server, self._window = server, window
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True, name="mcp-stdio")

    def __enter__(self) -> Stdio:
        sys.stdout.flush()
        self._wire = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the answers under way a moment. The thread itself may wait for input for ever, and is left to die."""
        self._thread.join(CLOSING_S)

    async def _serve(self) -> None:
        lines = _Lines(asyncio.get_running_loop())
        try:
            async with stdio_server(stdin=lines, stdout=anyio.wrap_file(self._wire)) as (read, write):  # type: ignore[arg-type]
                await self._server.run(read, write, self._server.create_initialization_options())
        except (OSError, BaseExceptionGroup):  # the client no longer reads
            logging.getLogger(__name__).debug("the client's end is closed", exc_info=True)
        finally:
            self._window.leave(EOF)


class _Lines:
    """Lines of standard input. They are read by a thread that need not end for the process to end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._room = threading.Semaphore(100)  # lines that were read and not yet taken
        threading.Thread(target=self._read, daemon=True, name="mcp-stdin").start()

    def _read(self) -> None:
        with suppress(OSError, RuntimeError), os.fdopen(os.dup(0), encoding="utf-8", errors="replace") as wire:
            while line := wire.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE and not line.endswith("\n"):
                    while (rest := wire.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                        pass
                    line = line[:100] + "\n"  # no message any more, and answered as such
                self._room.acquire()
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            self._room.release()
            yield line


class Http(Served):
    """Any number of clients, each with the token. Requests under another name than ours, or from a page of another
    origin, are refused (DNS rebinding); `names` are those that we have besides the loopback's.
    """

    def __init__(self, server: Server[Any], host: str, port: int, token: str, names: tuple[str, ...]) -> None:
        super().__init__(host, port, names, PATH)
        hosts = [form for name in self.allowed for form in (name, f"{name}:*")]
        app = server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            max_request_body_size=MOST_BODY,
            max_sessions=MOST_SESSIONS,
            transport_security=TransportSecuritySettings(
                allowed_hosts=hosts, allowed_origins=[f"{way}://{name}" for way in ("http", "https") for name in hosts]
            ),
            host=host,
            # No server issues our token; without an issuer the SDK asks for no token at all.
            auth=AuthSettings(issuer_url=AnyHttpUrl("http://localhost"), resource_server_url=None),
            token_verifier=_Token(token),
        )
        self.serve(Accepts(app), "mcp-http", limit_concurrency=MOST_CONNECTIONS)


class Accepts:
    """What a client says that it accepts, as HTTP means it (RFC 9110, 12.5.1), and not only in the two words that the
    specification gives: to say nothing is to accept all, `*/*` is all, and who accepts events alone gets the answer as
    one. The SDK answers 406 to those.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "POST"):
            await self._app(scope, receive, send)
            return
        told = b", ".join(value for name, value in scope["headers"] if name.lower() == b"accept").decode("latin-1")
        json, events = _accepted(told)
        rest = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept"]
        spelt = b"application/json, text/event-stream" if json or events else b"text/plain"  # which is refused
        scope = {**scope, "headers": [*rest, (b"accept", spelt)]}
        alone = events and not json and scope["method"] == "POST"
        await self._app(scope, receive, _as_event(send) if alone else send)


def _accepted(told: str) -> tuple[bool, bool]:
    """Whether JSON is accepted, and whether events are, by an Accept header; without one, all is."""
    kinds = []
    for part in told.lower().split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        refused = any(re.fullmatch(r"q\s*=\s*0(\.0*)?", word) for word in parameters)
        kinds += [kind] if kind and not refused else []
    if not told.strip(" ,"):
        return True, True
    every = "*/*" in kinds or "*" in kinds
    json = every or any(kind in kinds for kind in ("application/json", "application/*"))
    return json, every or any(kind in kinds for kind in ("text/event-stream", "text/*"))


def _as_event(send: Any) -> Any:
    """Sends a JSON answer as the one event of a stream; anything else as it is."""
    started: dict[str, Any] = {}
    body = bytearray()

    async def wrapped(message: Any) -> None:
        if message["type"] == "http.response.start":
            kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
            if message["status"] == 200 and kind.startswith(b"application/json"):
                started.update(message)
                return
        elif message["type"] == "http.response.body" and started:
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            changed = (b"content-type", b"content-length")
            headers = [(name, value) for name, value in started["headers"] if name.lower() not in changed]
            line = b"event: message\ndata: " + b" ".join(bytes(body).split(b"\n")) + b"\n\n"
            headers += [(b"content-type", b"text/event-stream"), (b"content-length", str(len(line)).encode())]
            await send({**started, "headers": headers})
            started.clear()
            message = {"type": "http.response.body", "body": line}
        await send(message)

    return wrapped


class _Token(TokenVerifier):
    """Whoever has the one token is let in."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        if not secrets.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token="", client_id="client", scopes=[])  # nosec B106  # it is told to nobody
