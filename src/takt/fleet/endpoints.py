"""Servers that a fleet's workers ask: how many shifts at a time, and whether they answer at all."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from takt.errors import TaktError
from takt.fleet.plan import Endpoint

ENDPOINT = "endpoint:"  # an option of this and a name is the address of the server of that name
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
WAIT_S = 3.0


def endpoint_of(name: str, url: str, slots: int) -> Endpoint:
    """The endpoint that a plan says. Raises TaktError if its address is none."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in PORTS and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise TaktError(
            f"endpoint {name!r} has url {url!r}; it must be http://HOST:PORT/..., https://, ws:// or wss://"
        )
    if slots < 1:
        raise TaktError(f"endpoint {name!r} has {slots} slots; it must be 1 or more shifts at a time")
    return Endpoint(name, url, slots)


def named_in(options: Mapping[str, Any]) -> Iterator[str]:
    """The endpoints that options name: {"url": "endpoint:gpu"}."""
    for value in options.values():
        if isinstance(value, str) and value.startswith(ENDPOINT):
            yield value.removeprefix(ENDPOINT)


def silent(endpoints: Iterable[Endpoint]) -> dict[str, str]:
    """Why which of these do not answer: nobody listens there. {} if all do."""
    found = {}
    for one in endpoints:
        parts = urlsplit(one.url)
        try:
            socket.create_connection((parts.hostname or "", parts.port or PORTS[parts.scheme]), WAIT_S).close()
        except OSError as error:
            found[one.name] = f"endpoint {one.name!r} does not answer at {one.url}: {error.strerror or error}"
    return found


def check_answers(endpoints: Iterable[Endpoint]) -> None:
    """Raise TaktError if one of these does not answer."""
    for why in silent(endpoints).values():
        raise TaktError(why)
