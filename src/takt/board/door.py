"""Who may come in: requests under our own name, from our own pages, with the token. Everybody else gets the login.

The token comes once, in a form or in the address that is printed at the start, and becomes a cookie that no script can
read and no other site's page can send. The cookie holds a proof of the token and not the token, so that what a browser
keeps opens this door only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.responses import PlainTextResponse, RedirectResponse, Response

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none, a form of ours would come from the origin "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
OPEN = ("/login", "/static/board.css")  # what is there without the token
KEPT_S = 30 * 86_400  # a cookie's life
LONGEST_TOKEN = 1_000  # characters that are looked at


class Door:
    """ASGI middleware around the whole board. `token` "" lets everybody in who calls us by a name of ours."""

    def __init__(self, app: Any, token: str, names: Sequence[str], port: int) -> None:
        self._app, self._token, self._port = app, token, port
        self._names = frozenset(name.lower() for name in names)
        self.cookie = f"takt-{port}"  # cookies are of a host, whatever the port

    def proof(self) -> str:
        return hmac.new(self._token.encode(), b"takt board session", hashlib.sha256).hexdigest()

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(given[:LONGEST_TOKEN].encode(), self._token.encode())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, send if scope["type"] == "websocket" else _guarded(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, _guarded(send))

    def _refusal(self, scope: Any, headers: dict[bytes, str]) -> Response | None:
        """None if this request may go on."""
        host = headers.get(b"host", "")
        if _name_of(host) not in self._names:
            return PlainTextResponse("Not a name of this board; start it with --allow-host NAME.\n", 400)
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        origin = headers.get(b"origin")
        if changes and not _is_ours(origin, host, headers.get(b"sec-fetch-site")):
            return PlainTextResponse("Not from a page of this board.\n", 403)
        if not self._token or scope["path"] in OPEN:
            return None
        if self._has_proof(headers.get(b"cookie", "")):
            return None
        bearer = headers.get(b"authorization", "").removeprefix("Bearer ")
        if bearer and self.is_token(bearer):
            return None
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        given = query.pop("token", [""])[0]
        if given and not changes and self.is_token(given):
            rest = urlencode(query, doseq=True)
            return self.let_in(RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), 303))
        if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get(b"accept", ""):
            return RedirectResponse("/login", 303)
        return PlainTextResponse("The token, please: /login, or Authorization: Bearer TOKEN.\n", 401)

    def let_in(self, response: Response) -> Response:
        response.set_cookie(self.cookie, self.proof(), max_age=KEPT_S, httponly=True, samesite="strict", path="/")
        return response

    def _has_proof(self, cookies: str) -> bool:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(cookies)
        except CookieError:
            return False
        morsel = jar.get(self.cookie)
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.proof().encode())


def _guarded(send: Any) -> Any:
    """Every answer has the headers that keep strangers' text from being more than text."""

    async def wrapped(message: Any) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            more = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in there]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return wrapped


def _name_of(host: str) -> str:
    """A Host header without its port."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def _is_ours(origin: str | None, host: str, site: str | None) -> bool:
    """Whether a request that changes something is from a page of ours (or from no page at all: a program's)."""
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or origin.partition("://")[2].lower() == host.lower()
