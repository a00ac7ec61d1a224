"""What is sent to those who look: the page as it is, whenever that changes, and nothing that they have already.

A message's id is what a reconnect says that it has seen (Last-Event-ID), so that nothing is lost and nothing doubled.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from takt.board.feed import UNREADABLE, Shelf
from takt.board.pages import WATCH, Pages, fingerprint
from takt.board.wanted import Prefs, Query
from takt.board.words import word
from takt.errors import TaktError

GONE, BACK = "gone", "back"
PING_S = 15.0  # a stream without news says at least that it lives
Message = dict[str, str]


class Streams:
    """`rendered` makes a page of a shift, in a thread; `stopped` says that the server ends."""

    def __init__(self, shelf: Shelf, pages: Pages, rendered: Callable[..., str], stopped: Callable[[], bool]) -> None:
        self._shelf, self._pages, self._rendered, self._stopped = shelf, pages, rendered, stopped

    async def folder(self, query: Query, prefs: Prefs, seen: str) -> AsyncIterator[Message]:
        """The table of shifts."""
        changes = -1
        while not self._stopped():
            pulse = self._shelf.pulse
            if self._shelf.changes != changes:
                changes = self._shelf.changes
                html = await asyncio.to_thread(self._pages.folder, self._shelf.rows(), query, prefs, True)
                if fingerprint(html) != seen:
                    seen = fingerprint(html)
                    yield _message(seen, html)
            await _woken(pulse)

    async def shift(self, number: int, page: str, prefs: Prefs, seen: str) -> AsyncIterator[Message]:
        """A shift's page or wall; or only whether it is still there ("watch"), of a page that does not change. When the
        ledger goes, that is said; another that comes to its place is followed."""
        state = ""  # what was said last: that it is gone, or that another is there; "" if all is well
        while not self._stopped():
            pulse, feed = self._shelf.pulse, self._shelf.feeds.get(number)
            try:
                if feed is None:
                    raise TaktError("it lies there no more")
                pulse, shown = feed.pulse, await asyncio.to_thread(feed.shown)
                if page == WATCH:
                    now = "" if shown.shift == seen else "other shift"
                    if now != state:
                        yield _told(GONE if now else BACK, seen, word(now, prefs.language) if now else "")
                    state = now
                else:
                    if shown.id != seen:
                        html = await asyncio.to_thread(self._rendered, feed, page, prefs, True)
                        seen = shown.id
                        yield _message(seen, html)
                    state = ""
            except UNREADABLE:
                if state != "ledger gone":
                    state, seen = "ledger gone", seen if page == WATCH else GONE
                    yield _told(GONE, seen, word(state, prefs.language))
                pulse = self._shelf.pulse  # another may come to its place
            await _woken(pulse)

    async def wall(self, prefs: Prefs, seen: str) -> AsyncIterator[Message]:
        """The wall of no certain shift: of the one that was seen last, until it runs no more and another does."""
        first, _, rest = seen.partition(".")
        number = int(first) if first.isascii() and first.isdigit() and len(first) < 20 else None
        seen, looked_at = (rest if number is not None else ""), None
        gone = False
        while not self._stopped():
            pulse = self._shelf.pulse  # of all: another shift may begin
            now = self._shelf.on_the_wall(number)
            seen, number = (seen if now == number else ""), now
            feed = None if number is None else self._shelf.feeds.get(number)
            if feed is None:
                if (seen or looked_at is not None) and not gone:
                    gone = True
                    yield _told(GONE, GONE, word("ledger gone", prefs.language))
                await _woken(pulse)
                continue
            if feed.pulse is looked_at and not gone:
                await _woken(pulse)
                continue
            looked_at = feed.pulse
            try:
                shown = await asyncio.to_thread(feed.shown)
                if shown.id != seen or gone:
                    html = await asyncio.to_thread(self._rendered, feed, "wall", prefs, True)
                    seen, gone = shown.id, False
                    yield _message(f"{number}.{seen}", html)
            except UNREADABLE:
                looked_at = None
            await _woken(pulse)


def _told(kind: str, number: str, text: str = "") -> Message:
    return {"event": kind, "id": number, "data": json.dumps({"text": text}, ensure_ascii=False)}


def _message(number: str, html: str) -> Message:
    return {"event": "page", "id": number, "data": json.dumps({"html": html}, ensure_ascii=False)}


async def _woken(pulse: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(pulse.wait(), PING_S)
    except TimeoutError:
        return
