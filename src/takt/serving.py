"""A server of ours: an application (ASGI) by uvicorn, in a thread of its own, while one is within it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Any, Self

import uvicorn

from takt.listening import LOOPBACK, bound, is_loopback

GRACE_S = 1  # wall time for answers under way when a server stops
CLOSING_S = 10.0  # until it is left as it is


class Served:
    """Listens from the beginning; who calls before it is entered waits.

    url      where. Off the loopback by the first of `names`, by which others call it.
    allowed  the names under which it may be called (`Host`): others are of pages that would use a visitor's browser.
    port     0 is any that is free; this one is it.
    """

    def __init__(self, host: str, port: int, names: Sequence[str], path: str = "/") -> None:
        self._socket = bound(host, port)
        address, self.port = self._socket.getsockname()[:2]
        here = f"[{address}]" if self._socket.family == socket.AF_INET6 else address
        near = is_loopback(host)
        self.allowed = [*LOOPBACK, host, here, *names] if near else list(names)
        self.url = f"http://{here if near or not names else names[0]}:{self.port}{path}"

    def serve(self, app: Any, thread: str, **settings: Any) -> None:
        """What is served, with what it asks of uvicorn."""
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
            **settings,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, daemon=True, name=thread
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def wait(self) -> None:
        """Until the server ends, which it does when it is left."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def __exit__(self, *_: object) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(CLOSING_S)
        self._socket.close()
