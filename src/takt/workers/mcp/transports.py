"""How clients reach the server: by its standard input and output, or over HTTP. Each runs in a thread of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import anyio
import uvicorn
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl

from takt.station import TaktError
from takt.workers.mcp.window import Window

TOKEN_FROM = "TAKT_TOKEN"
LEAST_TOKEN = 16  # characters
PATH = "/mcp"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EOF = "its input ended"
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
            for line in wire:
                self._room.acquire()
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            self._room.release()
            yield line


class Http(AbstractContextManager["Http"]):
    """Any number of clients, each with the token. Requests under another name than ours, or from a page of another
    origin, are refused (DNS rebinding); `names` are those that we have besides the loopback's.
    """

    def __init__(self, server: Server[Any], host: str, port: int, token: str, names: tuple[str, ...]) -> None:
        hosts = [*LOOPBACK, host, *names] if is_loopback(host) else list(names)
        security = TransportSecuritySettings(
            allowed_hosts=[name for host in hosts for name in (host, f"{host}:*")],
            allowed_origins=[f"{way}://{name}" for way in ("http", "https") for h in hosts for name in (h, f"{h}:*")],
        )
        app = server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            transport_security=security,
            host=host,
            # No server issues our token; without an issuer the SDK asks for no token at all.
            auth=AuthSettings(issuer_url=AnyHttpUrl("http://localhost"), resource_server_url=None),
            token_verifier=_Token(token),
        )
        self._socket = _bound(host, port)
        where = self._socket.getsockname()
        name = f"[{where[0]}]" if self._socket.family == socket.AF_INET6 else where[0]
        self.url = f"http://{name}:{where[1]}{PATH}"
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, daemon=True, name="mcp-http"
        )

    def __enter__(self) -> Http:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(5 * CLOSING_S)
        self._socket.close()


class _Token(TokenVerifier):
    """Whoever has the one token is let in."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        if not secrets.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token="", client_id="client", scopes=[])


def token_of(environment: dict[str, str] | os._Environ[str], said: Callable[[str], None]) -> str:
    """The token of the environment, or a new one, which is said once. TaktError if it is too short to guard."""
    token = environment.get(TOKEN_FROM, "")
    if not token:
        token = secrets.token_urlsafe(24)
        said(f"token (give {TOKEN_FROM} to choose it): {token}")
    elif len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise TaktError(f"{TOKEN_FROM} is no token: give {LEAST_TOKEN} or more letters, digits and signs, no spaces")
    return token


def check_host(host: str, names: tuple[str, ...]) -> None:
    """TaktError if other machines could reach the host, unless it was said by what name they do."""
    if not is_loopback(host) and not names:
        raise TaktError(
            f"other machines can reach {host}, and the token would cross the network in the clear; if that is meant, "
            "say by what name they call it: --allow-host NAME"
        )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise TaktError(f"cannot listen on port {port}; a port is 0 to 65535")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()  # who calls from now on waits until the server is up
    except OSError as error:
        raise TaktError(f"cannot listen on {host}:{port}: {error}; choose another --host or --port") from error
    return made
