"""What is sent to those who look: the page as it is, whenever that changes, and nothing that they have already.

A message's id is what a reconnect says that it has seen (Last-Event-ID), so that nothing is lost and nothing doubled.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from takt.board.feed import UNREADABLE, Feed, Shelf
from takt.board.pages import Pages, fingerprint
from takt.board.wanted import Prefs, Query

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

    async def shift(self, feed: Feed, page: str, prefs: Prefs, seen: str) -> AsyncIterator[Message]:
        """A shift's page or wall."""
        while not self._stopped():
            pulse = feed.pulse
            try:
                shown = await asyncio.to_thread(feed.shown)
                if shown.id != seen:
                    html = await asyncio.to_thread(self._rendered, feed, page, prefs, True)
                    seen = shown.id
                    yield _message(seen, html)
            except UNREADABLE:
                pass  # it is being replaced, or was taken away: the next look says
            await _woken(pulse)

    async def wall(self, prefs: Prefs, seen: str) -> AsyncIterator[Message]:
        """The wall of no certain shift: of the one that was seen last, until it runs no more and another does."""
        first, _, rest = seen.partition(".")
        number = int(first) if first.isascii() and first.isdigit() and len(first) < 20 else None
        seen, looked_at = (rest if number is not None else ""), None
        while not self._stopped():
            pulse = self._shelf.pulse  # of all: another shift may begin
            now = self._shelf.on_the_wall(number)
            seen, number = (seen if now == number else ""), now
            feed = None if number is None else self._shelf.feeds.get(number)
            if feed is None or feed.pulse is looked_at:
                await _woken(pulse)
                continue
            looked_at = feed.pulse
            try:
                shown = await asyncio.to_thread(feed.shown)
                if shown.id != seen:
                    html = await asyncio.to_thread(self._rendered, feed, "wall", prefs, True)
                    seen = shown.id
                    yield _message(f"{number}.{seen}", html)
            except UNREADABLE:
                looked_at = None
            await _woken(pulse)


def _message(number: str, html: str) -> Message:
    return {"event": "page", "id": number, "data": json.dumps({"html": html}, ensure_ascii=False)}


async def _woken(pulse: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(pulse.wait(), PING_S)
    except TimeoutError:
        return
