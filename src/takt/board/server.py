"""The board as a server: pages, and a stream for each that says when it is to be another. Reads, and writes nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from takt.board.door import Door
from takt.board.feed import Feed, Shelf, Shown
from takt.board.metrics import KIND, exposition
from takt.board.pages import WATCH, Pages
from takt.board.replays import CALLS, STATION, Replays
from takt.board.streams import PING_S, Streams
from takt.board.telling import drawn_for
from takt.board.wanted import MOST_ROWS, Prefs, Query
from takt.contract.registry import stations, workers
from takt.errors import TaktError
from takt.ledger import Ledger
from takt.ledger.store import Place
from takt.serving import Served

NICE = 5  # a shift beside the board comes first
MOST_CONNECTIONS = 1_000
MOST_FORM = 4_096  # bytes of a form: only the token comes in one
MOST_COMPARED = 2
MOST_NAME, MOST_COMPARED_OPTIONS = 100, 50  # of options that may differ
FLEET_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
SVG_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # of a drawing


class Whole(IntegerConvertor):
    """A number in an address, of no more digits than any of ours has: Python reads no number of thousands of them."""

    regex = "[0-9]{1,20}"


register_url_convertor("whole", Whole())


class Board:
    """What the server answers. `token` "" asks for none."""

    def __init__(self, places: Sequence[Place], token: str, names: Sequence[str], port: int) -> None:
        self.shelf, self.pages, self.replays = Shelf(places), Pages(), Replays()
        self._stopping = False
        self.streams = Streams(self.shelf, self.pages, self.rendered, lambda: self._stopping)
        routes = [
            Route("/", self._folder),
            Route("/stream", self._folder_stream),
            Route("/wall", self._any_wall),
            Route("/wall/stream", self._any_wall_stream),
            Route("/shift/{number:whole}", self._shift),
            Route("/shift/{number:whole}/wall", self._wall),
            Route("/shift/{number:whole}/stream", self._shift_stream),
            Route("/shift/{number:whole}/unit/{unit:whole}", self._unit),
            Route("/shift/{number:whole}/unit/{unit:whole}/replay", self._replay, methods=["POST"]),
            Route("/shift/{number:whole}/unit/{unit:whole}/calls", self._replay, methods=["POST"]),
            Route("/shift/{number:whole}/unit/{unit:whole}/film.mp4", self._film),
            Route("/shift/{number:whole}/unit/{unit:whole}/film.jpg", self._cover),
            Route("/shift/{number:whole}/unit/{unit:whole}/step/{step:whole}.jpg", self._step),
            Route("/shift/{number:whole}/station", self._station, methods=["GET", "POST"]),
            Route("/shift/{number:whole}/station/picture.jpg", self._own_picture),
            Route("/shift/{number:whole}/station/{section:whole}-{shape}.svg", self._drawing),
            Route("/fleet/{number:whole}", self._fleet),
            Route("/compare", self._compare),
            Route("/metrics", self._metrics),
            Route("/prefs", prefs_kept),
            Route("/login", self._login, methods=["GET", "POST"]),
            Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        ]
        handlers: Mapping[Any, Any] = {404: self._gone, TaktError: self._wrong}
        app = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers=handlers)
        self.door = Door(app, token, names, port)

    def stop(self) -> None:
        """Streams end, so that the server can."""
        self._stopping = True
        for pulse in (self.shelf.pulse, *(feed.pulse for feed in self.shelf.feeds.values())):
            pulse.set()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        if sys.platform == "linux":  # where it is this thread's, and that of those that it begins
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        await asyncio.to_thread(self.shelf.look)
        following = asyncio.create_task(self.shelf.follow(lambda: self._stopping))
        try:
            yield
        finally:
            self.stop()
            following.cancel()
            self.replays.close()

    # --- pages ---

    async def _folder(self, request: Request) -> Response:
        query = Query.of(request.query_params)
        rows, fleets = self.shelf.rows(), await asyncio.to_thread(self.shelf.fleets)
        ticked = frozenset(request.query_params.getlist("s")) if "compare" in request.query_params else None
        return self._html(request, self.pages.folder(rows, query, prefs_of(request), fleets=fleets, ticked=ticked))

    async def _fleet(self, request: Request) -> Response:
        """A fleet's page as it was written: without scripts, for the file may be a stranger's."""
        page = (await asyncio.to_thread(self.shelf.fleets)).get(int(request.path_params["number"]))
        if page is None:
            raise TaktError("there is no such fleet on this board")
        return FileResponse(page, media_type="text/html", headers={"Content-Security-Policy": FLEET_CSP})

    async def _any_wall(self, request: Request) -> Response:
        """The wall of the shift that runs, or of the one that was begun last; it goes on to the next by itself."""
        prefs, number = prefs_of(request), self.shelf.on_the_wall(None)
        if number is None:
            return self._html(request, self.pages.empty_wall(prefs))
        made = partial(self.rendered, self.shelf.feeds[number], "wall", prefs, False, follows=True)
        return self._html(request, await asyncio.to_thread(made))

    async def _shift(self, request: Request) -> Response:
        return self._html(request, await self._page(request, "shift", False))

    async def _wall(self, request: Request) -> Response:
        return self._html(request, await self._page(request, "wall", False))

    async def _page(self, request: Request, page: str, live: bool) -> str:
        feed, prefs = self._feed(request), prefs_of(request)
        return await asyncio.to_thread(self.rendered, feed, page, prefs, live)

    def rendered(self, feed: Feed, page: str, prefs: Prefs, live: bool, **more: bool) -> str:
        """A page of a shift, made once for all who want it so. Called in a thread."""
        shown = feed.shown()
        key = (page, prefs, live, shown.version, *more)
        made = feed.made
        if key not in made:
            make: Callable[..., str] = getattr(self.pages, page)
            made[key] = make(feed.number, shown, prefs, live, **more)
        return made[key]

    # --- streams ---

    async def _folder_stream(self, request: Request) -> Response:
        query, prefs = Query.of(request.query_params), prefs_of(request)
        return EventSourceResponse(self.streams.folder(query, prefs, seen_by(request)), ping=PING_S)

    async def _shift_stream(self, request: Request) -> Response:
        page = request.query_params.get("page", "wall")
        if page not in ("wall", "shift", WATCH):
            raise TaktError("a stream is of a wall or of a shift")
        if not seen_by(request):
            self._feed(request)  # who has seen it waits for what comes to its place
        news = self.streams.shift(int(request.path_params["number"]), page, prefs_of(request), seen_by(request))
        return EventSourceResponse(news, ping=PING_S)

    async def _any_wall_stream(self, request: Request) -> Response:
        return EventSourceResponse(self.streams.wall(prefs_of(request), seen_by(request)), ping=PING_S)

    async def _unit(self, request: Request) -> Response:
        feed, unit, prefs = self._feed(request), int(request.path_params["unit"]), prefs_of(request)
        step = request.query_params.get("step", "0")
        at = int(step) if step.isascii() and step.isdigit() and len(step) < 6 else 0
        return self._html(request, await asyncio.to_thread(self._unit_page, feed, unit, prefs, at))

    def _unit_page(self, feed: Feed, unit: int, prefs: Prefs, step: int) -> str:
        shown = feed.shown()
        with Ledger.open(feed.path) as book:
            events = book.follow().events  # the unit under way, too
        film = self.replays.film(feed.key, unit)
        making, wrong = self.replays.state(feed.key, unit)
        own_making, own_wrong = self.replays.state(feed.key, STATION)
        answers_making, answers_wrong = self.replays.state(feed.key, CALLS - unit)
        return self.pages.unit(
            feed.number,
            shown,
            events,
            unit,
            prefs,
            film=f"/shift/{feed.number}/unit/{unit}/film.mp4" if film else "",
            making=making,
            replay_error=wrong,
            can_replay=can_replay(shown, unit) and isinstance(feed.path, Path),
            steps=self.replays.steps(feed.key, unit),
            step=step,
            answers=self.replays.calls(feed.key, unit),
            answers_making=answers_making,
            answers_wrong=answers_wrong,
            own=self.replays.own(feed.key),
            own_making=own_making,
            own_wrong=own_wrong,
            can_open=can_open(feed, shown),
        )

    async def _replay(self, request: Request) -> Response:
        feed, unit = self._feed(request), int(request.path_params["unit"])
        shown = await asyncio.to_thread(feed.shown)
        if not can_replay(shown, unit) or not isinstance(feed.path, Path):
            raise TaktError("only ended units of registered stations and workers are worked again here")
        calls = request.url.path.endswith("/calls")
        self.replays.begin(feed.key, CALLS - unit if calls else unit, feed.path)
        return RedirectResponse(f"/shift/{feed.number}/unit/{unit}", 303)

    async def _film(self, request: Request) -> Response:
        film = self.replays.film(self._feed(request).key, int(request.path_params["unit"]))
        return PlainTextResponse("no film\n", 404) if film is None else FileResponse(film, media_type="video/mp4")

    async def _cover(self, request: Request) -> Response:
        cover = self.replays.cover(self._feed(request).key, int(request.path_params["unit"]))
        return PlainTextResponse("no picture\n", 404) if cover is None else FileResponse(cover)

    async def _step(self, request: Request) -> Response:
        numbers = (int(request.path_params[name]) for name in ("unit", "step"))
        picture = self.replays.step_picture(self._feed(request).key, *numbers)
        return PlainTextResponse("no picture\n", 404) if picture is None else FileResponse(picture)

    # --- what the station itself says, drawn in another process ---

    async def _station(self, request: Request) -> Response:
        feed, prefs = self._feed(request), prefs_of(request)
        shown = await asyncio.to_thread(feed.shown)
        can = can_open(feed, shown)
        if request.method == "POST":
            if not can or not isinstance(feed.path, Path):
                raise TaktError("only registered stations are opened here, of ledgers that are files")
            self.replays.begin(feed.key, STATION, feed.path)
            unit = request.query_params.get("unit", "")
            back = f"unit/{unit}" if unit.isascii() and unit.isdigit() and len(unit) < 20 else "station"
            return RedirectResponse(f"/shift/{feed.number}/{back}", 303)
        making, wrong = self.replays.state(feed.key, STATION)
        own = await asyncio.to_thread(self.replays.own, feed.key)
        return self._html(request, self.pages.station(feed.number, shown, own, prefs, making, wrong, can))

    async def _own_picture(self, request: Request) -> Response:
        picture = self.replays.own_picture(self._feed(request).key)
        return PlainTextResponse("no picture\n", 404) if picture is None else FileResponse(picture)

    async def _drawing(self, request: Request) -> Response:
        """A drawing of the station's, as an image: what is in it runs nothing, whoever drew it."""
        feed, prefs = self._feed(request), prefs_of(request)
        own = await asyncio.to_thread(self.replays.own, feed.key)
        station = str((await asyncio.to_thread(feed.shown)).meta["station"])
        place, shape = int(request.path_params["section"]), request.path_params["shape"]
        plot = own.sections[place].plot if own is not None and 0 <= place < len(own.sections) else None
        if plot is None or shape not in ("wide", "narrow"):
            return PlainTextResponse("no drawing\n", 404)
        text = drawn_for(plot.wide if shape == "wide" else plot.narrow, prefs.light, prefs.language, station)
        return Response(text, media_type="image/svg+xml", headers={"Content-Security-Policy": SVG_CSP})

    async def _compare(self, request: Request) -> Response:
        numbers = list(dict.fromkeys(request.query_params.getlist("s")))
        if len(numbers) != MOST_COMPARED:  # back to where they are ticked, with those that are
            again = [("compare", ""), *(("s", one) for one in numbers[:MOST_ROWS] if one.isdecimal())]
            return RedirectResponse(f"/?{urlencode(again)}", 303)
        feeds = [self._of(number) for number in numbers]
        may_differ = [one[:MOST_NAME] for one in request.query_params.getlist("may_differ")[:MOST_COMPARED_OPTIONS]]

        def made() -> str:
            return self.pages.compare([(feed.number, feed.shown()) for feed in feeds], prefs_of(request), may_differ)

        return self._html(request, await asyncio.to_thread(made))

    async def _metrics(self, request: Request) -> Response:
        return Response(exposition(self.shelf.rows()), media_type=KIND)

    async def _login(self, request: Request) -> Response:
        prefs = prefs_of(request)
        if request.method == "GET":
            return self._html(request, self.pages.login(prefs))
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_FORM:
                return PlainTextResponse("too long\n", 413)
        from urllib.parse import parse_qs

        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        if not self.door.is_token(given):
            await asyncio.sleep(1.0)  # whoever tries them all has time
            return self._html(request, self.pages.login(prefs, wrong=True), 401)
        return self.door.let_in(RedirectResponse("/", 303))

    # --- the rest ---

    def _feed(self, request: Request) -> Feed:
        return self._of(request.path_params["number"])

    def _of(self, number: Any) -> Feed:
        try:
            return self.shelf.feeds[int(number)]
        except (KeyError, ValueError):
            raise TaktError("there is no such shift on this board") from None

    async def _gone(self, request: Request, _: Exception) -> Response:
        return self._html(request, self.pages.gone(prefs_of(request)), 404)

    async def _wrong(self, request: Request, error: Exception) -> Response:
        return self._html(request, self.pages.gone(prefs_of(request), str(error)), 404)

    def _html(self, request: Request, text: str, status: int = 200) -> Response:
        response = HTMLResponse(text, status)
        return kept_prefs(request, response)  # a wall is set up by its address alone


class Server(Served):
    """The board, listening. `url` is where; with the token it lets a browser in."""

    def __init__(self, places: Sequence[Place], host: str, port: int, token: str, names: Sequence[str] = ()) -> None:
        super().__init__(host, port, names)
        self.board = Board(places, token, self.allowed, self.port)
        self.serve(self.board.door, "board", limit_concurrency=MOST_CONNECTIONS, ws_max_size=MOST_FORM)

    def __exit__(self, *_: object) -> None:
        self.board.stop()
        super().__exit__()
        self.board.replays.close()  # however the server has ended


def can_open(feed: Feed, shown: Shown) -> bool:
    """Whether another process may ask the station itself: a registered one, of a ledger that is a file."""
    return isinstance(feed.path, Path) and str(shown.meta["station"]) in stations()


def can_replay(shown: Shown, unit: int) -> bool:
    """Whether a unit may be worked again for a film: it has ended, and only what is registered would be opened."""
    station, worker = str(shown.meta["station"]), str(shown.meta["worker"])
    if station not in stations() or worker not in workers(station):
        return False
    return any(one.number == unit and one.good is not None for one in shown.view.units)


def kept_prefs(request: Request, response: Response) -> Response:
    """The response, with how somebody wants the pages, as the address says, in cookies."""
    for name in ("language", "light"):
        value = request.query_params.get(name)
        if value and getattr(Prefs.of(value, value), name) == value:
            response.set_cookie(f"takt-{name}", value, max_age=31_536_000, samesite="strict", httponly=True)
    return response


async def prefs_kept(request: Request) -> Response:
    """Keep how somebody wants the pages, in a cookie, and go back there."""
    back = request.query_params.get("back", "/")
    return kept_prefs(request, RedirectResponse(back if is_local_place(back) else "/", 303))


def seen_by(request: Request) -> str:
    """What a viewer has seen last: of a reconnect, or of the page that it has."""
    return request.headers.get("last-event-id") or request.query_params.get("after", "")


def prefs_of(request: HTTPConnection) -> Prefs:
    given, kept = request.query_params, request.cookies
    return Prefs.of(
        given.get("language") or kept.get("takt-language"),
        given.get("light") or kept.get("takt-light"),
        request.headers.get("accept-language", ""),
    )


def is_local_place(back: str) -> bool:
    """Whether an address is a place of ours, so that nobody is led elsewhere."""
    return back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable() and len(back) < 2_000
