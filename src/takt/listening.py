"""Where a server of ours listens, and the token it asks for. Off the loopback it says by what name it is called."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from collections.abc import Callable

from takt.errors import TaktError
from takt.plainly import plainly

TOKEN_FROM = "TAKT_TOKEN"  # nosec B105  # a variable's name
LEAST_TOKEN = 16  # characters
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


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


def bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise TaktError(f"cannot listen on port {port}; a port is 0 to 65535")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()  # who calls from now on waits until the server is up
    except OSError as error:
        raise TaktError(f"cannot listen on {host}:{port}: {plainly(error)}; choose another --host or --port") from error
    return made


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
