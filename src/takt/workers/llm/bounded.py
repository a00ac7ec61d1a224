"""The wire to a model server, with an end: one deadline for an answer and a cap on its bytes, whatever the server does.

The SDK's own time limit is for each read alone: a server that sends a comment line now and then keeps a client for
ever, and so does one that sends headers a byte at a time. Here connections are cut when the time is up. Answers come as
they are (a compressed one may unpack to a thousand times its size), redirects are not followed (they would carry the
conversation to a server that nobody named), and the user's OpenAI organisation is told to OpenAI alone.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx2

MOST_BYTES = 32 * 2**20  # of an answer; one of 100,000 tokens has about 1 MB, streamed some 20
OPENAI_ONLY = ("openai-organization", "openai-project")


class TooLong(httpx2.ReadError):
    """The answer has more bytes than an answer has."""


def client(timeout_s: float, most_bytes: int = MOST_BYTES) -> httpx2.Client:
    """A client for the SDK whose every answer is whole within `timeout_s` seconds, or fails with ReadTimeout."""
    transport = Bounded(httpx2.HTTPTransport(verify=_trusted()), timeout_s, most_bytes)
    return httpx2.Client(
        transport=transport,
        timeout=timeout_s,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Once: to read them takes longer than a question to a server nearby."""
    return httpx2.create_ssl_context()


class Bounded(httpx2.BaseTransport):
    """One request at a time."""

    def __init__(self, inner: httpx2.BaseTransport, limit_s: float, most_bytes: int) -> None:
        self._inner, self._limit_s, self._most = inner, limit_s, most_bytes
        self._streams: list[Any] = []  # connections that were opened

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.host.endswith("api.openai.com"):
            for name in OPENAI_ONLY:
                request.headers.pop(name, None)
        request.headers["Accept-Encoding"] = "identity"
        request.extensions["trace"] = self._seen
        cut = _Cut(self._limit_s, self._shut)
        try:
            response = self._inner.handle_request(request)
        except httpx2.TransportError as error:
            raise cut.explained(error) from error
        finally:
            cut.pause()
        if response.headers.get("content-encoding", "identity") not in ("", "identity"):
            response.close()
            raise httpx2.RemoteProtocolError("the answer is compressed, which was not asked for")
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Counted(response.stream, self._most, cut)
        return response

    def close(self) -> None:
        self._inner.close()

    def _shut(self) -> None:
        for stream in self._streams:
            with contextlib.suppress(Exception):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _seen(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")) and "return_value" in info:
            self._streams = [*self._streams[-7:], info["return_value"]]


class _Cut:
    """Cuts the connections when the time is up, if something is being waited for then."""

    def __init__(self, limit_s: float, cut: Callable[[], object]) -> None:
        self.until, self._cut, self._was_cut = time.monotonic() + limit_s, cut, False
        self._limit_s = limit_s
        self._timer: threading.Timer | None = None
        self.wait()

    def wait(self) -> None:
        """Something is being waited for from here on."""
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise httpx2.ReadTimeout(f"no whole answer within {self._limit_s:g} s")
        self._timer = threading.Timer(left_s, self._now)
        self._timer.daemon = True
        self._timer.start()

    def pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def explained(self, error: Exception) -> Exception:
        """The error, or that the time was up."""
        return httpx2.ReadTimeout(f"no whole answer within {self._limit_s:g} s") if self._was_cut else error

    def no_end(self) -> None:
        """Raise if what looks like an answer's end is our own cut: where no length was told, the two look alike."""
        if self._was_cut:
            raise httpx2.ReadTimeout(f"no whole answer within {self._limit_s:g} s")

    def _now(self) -> None:
        self._was_cut = True
        self._cut()


class _Counted(httpx2.SyncByteStream):
    """An answer's bytes, as many as there may be, as long as there is time."""

    def __init__(self, inner: httpx2.SyncByteStream, most: int, cut: _Cut) -> None:
        self._inner, self._left, self._cut = inner, most, cut

    def __iter__(self) -> Iterator[bytes]:
        self._cut.wait()
        try:
            for part in self._inner:
                self._left -= len(part)
                if self._left < 0:
                    raise TooLong("the answer has no end")
                if time.monotonic() > self._cut.until:
                    raise httpx2.ReadTimeout("no whole answer in time")
                yield part
            self._cut.no_end()
        except httpx2.TransportError as error:
            raise self._cut.explained(error) from error
        finally:
            self._cut.pause()

    def close(self) -> None:
        self._cut.pause()
        self._inner.close()
