"""The wire between a page and a station that is steered: what comes of it however a page behaves, or ends."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from starlette.websockets import WebSocketDisconnect
from two_hands import TwoHands

from takt.board.person.server import MOST_MESSAGE, AtWork
from takt.contract.station import StationSpec
from takt.workers.person.hatch import Hatch

SPEC = StationSpec(id="takt/TwoHands-v0", station="hands", takt_s=10.0, control_s=0.02)


class Page:
    """A page's end of the wire. `draws`: it says so of whatever it is sent."""

    query_params = cookies = headers = MappingProxyType[str, str]({})

    def __init__(self, draws: bool = True) -> None:
        self.draws, self.heads, self._says = draws, [], asyncio.Queue[Any]()

    async def accept(self) -> None:
        pass

    async def send_bytes(self, sent: bytes) -> None:
        self.heads.append(json.loads(sent[4 : 4 + int.from_bytes(sent[:4], "big")]))
        if self.draws:
            self.say({"seen": True})

    def say(self, what: Any) -> None:
        self._says.put_nowait(what if isinstance(what, (str, Exception)) else json.dumps(what))

    async def receive_text(self) -> str:
        said = await self._says.get()
        if isinstance(said, Exception):
            raise said
        return str(said)


async def until(holds: Callable[[], Any]) -> None:
    for _ in range(600):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


def at_work(hatch: Hatch) -> tuple[AtWork, list[float]]:
    late = [0.0]
    return AtWork(hatch, SPEC, TwoHands(), "t" * 16, (), 0, False, lambda: late[0], None), late


def test_what_differs_beside_the_same_picture_is_told_and_every_page_is_told_the_end() -> None:
    hatch = Hatch()
    work, late = at_work(hatch)

    async def run() -> None:
        pages = [Page(), Page()]
        wires = [asyncio.create_task(work._wire(page)) for page in pages]  # type: ignore[arg-type]
        hatch.show(7, None)
        await until(lambda: all(page.heads for page in pages))
        late[0] = 3.0
        hatch.show(7, None)
        await until(lambda: all(page.heads[-1]["lag_s"] == 3.0 for page in pages))
        assert all(not page.heads[-1]["pictures"] for page in pages), "the same picture is not sent again"
        late[0] = 4.0  # and where no picture comes at all
        await until(lambda: all(page.heads[-1]["lag_s"] == 4.0 for page in pages))
        hatch.end("it is over")
        await until(lambda: all(page.heads[-1]["over"] == "it is over" for page in pages))
        work.stopping = True
        await asyncio.gather(*wires)

    asyncio.run(run())


def test_however_a_page_ends_what_it_held_is_let_go() -> None:
    ends: tuple[Any, ...] = (
        WebSocketDisconnect(1006),  # closed, or one message of more than the server takes
        KeyError("text"),  # bytes
        "x" * (MOST_MESSAGE + 1),
    )
    hatch = Hatch()
    work, _ = at_work(hatch)

    async def run() -> None:
        other = Page()
        others = asyncio.create_task(work._wire(other))  # type: ignore[arg-type]
        for number, end in enumerate(ends):
            page = Page(draws=False)  # what it was sent last was never drawn
            wire = asyncio.create_task(work._wire(page))  # type: ignore[arg-type]
            hatch.show(number, None)
            await until(functools.partial(getattr, page, "heads"))
            page.say({"controls": {"left.x": 1.0, "left.grip": 1.0}})
            await until(lambda: hatch.held()[0].get("left.x"))
            page.say(end)
            await asyncio.wait_for(wire, 10)
            assert hatch.pages == 1 and hatch.held()[0] == {"left.grip": 1.0}, end
        work.stopping = True
        await others

    asyncio.run(run())


def test_what_is_no_message_is_nothing_and_numbers_that_are_none_are_left_out() -> None:
    hatch = Hatch()
    work, _ = at_work(hatch)
    huge = "1" + "0" * 400

    async def run() -> None:
        page = Page()
        wire = asyncio.create_task(work._wire(page))  # type: ignore[arg-type]
        for said in ("", "{", "[" * 9_000, "null", "[1]", '{"controls": 1}', "1" * 9_000):
            page.say(said)
        page.say(f'{{"controls": {{"left.x": {huge}, "left.y": NaN, "right.x": "a", "right.y": 1}}, "stamp": {huge}}}')
        await until(lambda: hatch.held() == ({"right.y": 1.0}, None))
        page.say({"controls": {"left.x": 1}, "stamp": 5})
        await until(lambda: hatch.held() == ({"left.x": 1.0}, 5.0))
        work.stopping = True
        await wire

    asyncio.run(run())
