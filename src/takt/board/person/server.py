"""The person's page, served: forms and a stream at a station of tools, pictures and controls where one is steered."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from takt.board.door import Door
from takt.board.person.forms import forms_of
from takt.board.person.pages import PersonPages, wired
from takt.board.person.pictures import Frame, OfObservation, Pictures
from takt.board.person.stills import Stills
from takt.board.server import prefs_kept, prefs_of
from takt.board.wanted import Prefs
from takt.contract.station import StationSpec
from takt.contract.steering import Steering
from takt.serving import Served
from takt.workers.calls import as_text
from takt.workers.person.hatch import Answer, Hatch

STATE_S = 0.25  # between two states that a page is sent
MOST_BODY = 64 * 1024  # bytes of a call
MOST_CONNECTIONS = 64
MOST_DIGITS = 16  # of an answer's number
MOST_MESSAGE = 16 * 1024  # of the wire
NEWS_S = 0.25  # that a picture is waited for
UNSEEN = 4  # times so long without one: the rest is sent without
SILENT_S = 10.0  # a page that has not drawn what it was sent for so long is gone; it may come again
LONGEST_CALL_S = 600.0  # wall time until a call of `wait` is answered
LEAVING_S = 2.0  # that pages are given to be told how it ended
PROGRAM = "takt-program"  # a header: which program answers
STATIC = Path(__file__).parents[1] / "static"


class AtWork:
    """What the server answers. `lag_s` says how late the station is."""

    def __init__(
        self,
        hatch: Hatch,
        spec: StationSpec,
        steering: Steering | None,
        token: str,
        names: Sequence[str],
        port: int,
        practice: bool,
        lag_s: Callable[[], float],
        pictures: Pictures | None,
    ) -> None:
        self._hatch, self._steering, self._lag_s = hatch, steering, lag_s
        self._pictures = OfObservation(hatch, steering) if pictures is None and steering is not None else pictures
        self.pages = PersonPages(spec, forms_of(spec.tools, spec.looks), steering, practice)
        self._tools = {tool["function"]["name"] for tool in spec.tools}
        self._stills = Stills()
        self.stopping = False
        self._name = token_hex(8)  # tells this program from the next at the same address
        routes: list[Any] = [
            Route("/", self._page),
            Route("/stream", self._stream),
            Route("/still/{digest}.png", self._still),
            Route("/call", self._call, methods=["POST"]),
            Route("/prefs", prefs_kept),
            Route("/login", self._login, methods=["GET", "POST"]),
            WebSocketRoute("/wire", self._wire),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        self.door = Door(Starlette(routes=routes), token, names, port)

    @property
    def _again(self) -> str:
        """Whose page waits for another program to go on with the shift; "" if none will, or none is needed."""
        return self._name if self._hatch.comes_back else ""

    async def _page(self, request: Request) -> Response:
        prefs = prefs_of(request)
        state = "" if self._steering is not None else self._state(request)
        history = [self._answered(one, prefs)[0] for one in reversed(self._hatch.answers_after(0))]
        return HTMLResponse(self.pages.page(prefs, state, history))

    def _answered(self, answer: Answer, prefs: Prefs) -> tuple[str, bool]:
        call = answer.call
        return self.pages.answer(call.name, call.arguments, answer.told, prefs, answer.number)

    def _state(self, request: Request) -> str:
        seen = self._hatch.seen
        told = None if seen is None else seen.observation
        stills, standing = self._stills.of(told), self._hatch.standing
        return self.pages.state(told, prefs_of(request), self._hatch.word, self._lag_s(), stills, standing)

    async def _still(self, request: Request) -> Response:
        png = await asyncio.to_thread(self._stills.png, request.path_params["digest"])
        return PlainTextResponse("no picture\n", 404) if png is None else Response(png, media_type="image/png")

    async def _stream(self, request: Request) -> Response:
        """How things stand, whenever that differs, and answers, whoever asked; a page that is open is a person who is
        there."""
        prefs = prefs_of(request)

        async def news() -> AsyncIterator[dict[str, str]]:
            last, stopping = "", False
            given = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
            known = int(given) if given.isdecimal() and len(given) < MOST_DIGITS else 0
            self._hatch.come()
            try:
                while not stopping:
                    stopping = self.stopping  # once more after that: what ended it is told
                    for one in self._hatch.answers_after(known):
                        known = one.number
                        told = {"number": known, "html": self._answered(one, prefs)[0]}
                        yield {"event": "answer", "id": str(known), "data": json.dumps(told, ensure_ascii=False)}
                    ended = self._hatch.over is not None
                    html = await asyncio.to_thread(self._state, request)
                    if html != last:
                        last = html
                        stands = {"html": html, "ended": ended, "again": self._again}
                        yield {"event": "state", "data": json.dumps(stands, ensure_ascii=False)}
                    if not stopping:
                        await asyncio.sleep(STATE_S)
            finally:
                self._hatch.go()

        return EventSourceResponse(news(), ping=5)

    async def _call(self, request: Request) -> Response:
        """Have a tool called, and say what came of it."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                return PlainTextResponse("too long\n", 413)
        try:
            said = json.loads(body)
            name, given = str(said["name"]), said["arguments"]
        except (ValueError, TypeError, LookupError, RecursionError):
            return PlainTextResponse("no call\n", 400)
        if name not in self._tools or not isinstance(given, Mapping):
            return PlainTextResponse("no such tool\n", 400)
        arguments = as_text(given)
        asked, number = self._hatch.ask(name, arguments), 0
        try:
            answer = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(asked)), LONGEST_CALL_S)
            number = next((one.number for one in self._hatch.answers_after(0) if one.call.answer is asked), 0)
        except TimeoutError:
            answer = "no answer yet; it comes with what happens at the station"
        html, done = self.pages.answer(name, arguments, answer, prefs_of(request), number)
        return JSONResponse({"html": html, "done": done, "number": number})

    async def _wire(self, socket: WebSocket) -> None:
        """Pictures out, the newest only and none before the last is drawn; controls in."""
        if self._steering is None:
            await socket.close(1008)
            return
        await socket.accept()
        self._hatch.come()
        drawn = asyncio.Event()
        drawn.set()
        reading = asyncio.create_task(self._read(socket, drawn))
        try:
            await self._send(socket, self._steering, drawn, reading)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            pass  # the page is gone, or has drawn nothing for so long that nobody sees what a hand does
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await reading
            self._hatch.go(socket)

    async def _send(
        self, socket: WebSocket, steering: Steering, drawn: asyncio.Event, reading: asyncio.Task[None]
    ) -> None:
        last: Frame | None = None
        told = b""
        number = silent = 0
        stopping, prefs = False, prefs_of(socket)
        assert self._pictures is not None
        while not stopping:
            stopping = self.stopping  # once more after that: what ended it is told
            await asyncio.wait_for(drawn.wait(), SILENT_S)
            if reading.done():
                return
            frame = await asyncio.to_thread(self._pictures.wait, number, NEWS_S)
            over, seen = self._hatch.word, self._hatch.seen
            silent = 0 if frame is not None else silent + 1
            if frame is not None:
                number = frame.seen.number
            elif seen is None or (silent < UNSEEN and over is None):
                continue
            else:
                frame = Frame(seen, {})  # what draws is slow or gone: how things stand comes without it
            jpegs = frame.jpegs if last is None or frame.jpegs != last.jpegs else {}
            if frame.jpegs:
                last = frame
            # The same pictures are not sent again; gauges, facts and how late it is are, whenever they differ.
            how: dict[str, Any] = {"over": self.pages.over(prefs, over), "ended": self._hatch.over is not None}
            how["again"] = self._again
            how["standing"] = self.pages.standing(prefs, self._hatch.standing)
            how["idle"] = [] if over else self.pages.idle(prefs, self._hatch.standing)
            if not told:  # the first that this page is told
                how["held"] = self._hatch.grips
            stands = wired(steering, Frame(frame.seen, {}), None, self._lag_s(), **how)
            if not jpegs and stands == told:
                continue
            told = stands
            drawn.clear()
            stamp = frame.seen.stamp if jpegs else None
            await socket.send_bytes(wired(steering, Frame(frame.seen, jpegs), stamp, self._lag_s(), **how))

    async def _read(self, socket: WebSocket, drawn: asyncio.Event) -> None:
        try:
            while True:
                text = await socket.receive_text()
                if len(text) > MOST_MESSAGE:
                    return
                self._take(text, socket, drawn)
        finally:
            drawn.set()  # however it ends: what is sent does not wait for a page that is gone

    def _take(self, text: str, socket: WebSocket, drawn: asyncio.Event) -> None:
        """A message of a page. What is none is nothing."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        if said.get("seen"):
            drawn.set()
        if isinstance(said.get("controls"), dict):
            held = {name: _finite(value) for name, value in said["controls"].items()}
            sound = {name: value for name, value in held.items() if value is not None}
            self._hatch.steer(sound, _finite(said.get("stamp")), socket)

    async def _login(self, request: Request) -> Response:
        prefs = prefs_of(request)
        if request.method == "GET":
            return HTMLResponse(self.pages.login(prefs), headers={PROGRAM: self._name})
        body = (await request.body())[:MOST_BODY]
        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        if not self.door.is_token(given):
            await asyncio.sleep(1.0)
            return HTMLResponse(self.pages.login(prefs, wrong=True), 401)
        return self.door.let_in(RedirectResponse("/", 303))


class PersonServer(Served):
    """The person's page, listening."""

    def __init__(
        self,
        hatch: Hatch,
        spec: StationSpec,
        steering: Steering | None,
        host: str,
        port: int,
        token: str,
        names: Sequence[str] = (),
        practice: bool = False,
        lag_s: Callable[[], float] = lambda: 0.0,
        pictures: Pictures | None = None,
    ) -> None:
        super().__init__(host, port, names)
        self._hatch = hatch
        self.at_work = AtWork(hatch, spec, steering, token, self.allowed, self.port, practice, lag_s, pictures)
        self.serve(
            self.at_work.door,
            "person",
            limit_concurrency=MOST_CONNECTIONS,
            ws="websockets-sansio",
            ws_max_size=MOST_MESSAGE,
            ws_per_message_deflate=False,
        )

    def __exit__(self, *_: object) -> None:
        self.at_work.stopping = True
        self._hatch.wait_left(LEAVING_S)
        super().__exit__()


def _finite(value: Any) -> float | None:
    """A number of a page's; None if it is none, or none that can be reckoned with."""
    try:
        number = float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
