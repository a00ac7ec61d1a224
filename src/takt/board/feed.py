"""Ledgers as they grow: one `Feed` for each, read again only when its file has changed, and by nobody but here.

A hundred viewers of a shift are one reader of its ledger. What is kept in memory is the events without what a worker
said, which no figure reads; those of a shift that is over are dropped when nobody looks any more.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any

from takt.contract.events import SAID, Event, stopping_early
from takt.errors import TaktError
from takt.ledger import Ledger
from takt.ledger.address import Address
from takt.ledger.base import Cursor
from takt.ledger.store import Place
from takt.ledger.wellformed import Told
from takt.show.listing import BROKEN, RUNNING, Row, being_written, ledgers_in, locked_files, row
from takt.show.view import ShiftView

LOOK_S = 0.4  # between two looks at the files; with what reading takes, a viewer is less than 2 s behind
STORE_S = 0.8  # between two questions to a database
REST = 9  # times what reading a ledger took, until it is read again: a huge one takes a tenth of a core, and no more
SCAN_S = 2.0  # between two looks at what ledgers there are
KEPT_S = 120.0  # how long the events of a shift that is over are kept after the last look at them
LEDGERS, FLEET_PAGE = "ledgers", "fleet.html"  # a fleet's folder, as `takt fleet` makes it
KEPT_OF_SAID = ("price", "usage", "took_s", "odd", "failed", "nudge")  # of a record, what the board sums up
NOTHING: Mapping[str, Any] = Told()  # of events without data; nobody writes into it
LONGEST_NAME = 40  # characters of a text that others are likely to be the same as
UNREADABLE = (TaktError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
DEFINING = ("station", "options", "worker", "worker_options", "seed", "clock", "faults", "begun_utc")
Version = tuple[str, float, bool]  # the ledger's cursor, station time, and whether somebody writes


@dataclass(frozen=True, slots=True)
class Shown:
    """A ledger as it was read: all that pages are made of."""

    meta: Mapping[str, Any]
    events: Sequence[Event]
    view: ShiftView
    row: Row
    cursor: Cursor
    shift: str  # which shift it is: another file at the same place is another

    @property
    def version(self) -> Version:
        return str(self.cursor), round(self.view.now_s, 1), self.row.state == "running"

    @property
    def id(self) -> str:
        """The version as the id of a server-sent event: the ledger's cursor first."""
        cursor, now_s, running = self.version
        return f"{cursor}-{now_s:.1f}-{self.shift}-{int(running)}"


class Feed:
    """One ledger. `number` stands for it in addresses; it follows from where the file lies, so that it stays."""

    def __init__(self, path: Place) -> None:
        self.path, self.number = path, number_of(path)
        self.key = self.number  # of what is made of the shift that lies there: another for another shift
        self.row = Row(path, BROKEN, "not read yet")
        self.made: dict[Any, Any] = {}  # pages of the version that is there, by what they are of
        self._lock = threading.Lock()
        self._signature: Any = None
        self._writing = False
        self._events: list[Event] = []
        self._cursor = Cursor()
        self._shown: Shown | None = None
        self._wanted_at = time.monotonic()
        self._rests_until = 0.0
        self.pulse = asyncio.Event()

    def look(self, held: Collection[int] | None = None, standing: Any = None) -> bool:
        """Read what is new; whether anything is. `standing`: of a shift in a database, how it stands there, or None for
        one that is there no more. Called in a thread."""
        if isinstance(self.path, Path):
            signature = _signature(self.path)
            ended = self.row.state == "ended" and signature == self._signature
            writing = False if ended else being_written(self.path, held)
        else:
            signature = None if standing is None else (self.path, *standing)
            writing = standing is not None and bool(standing.holder)
        if signature == self._signature and writing == self._writing:
            self._forget()
            return False
        if time.monotonic() < self._rests_until:
            return False
        began = time.thread_time()
        with self._lock:
            self._read(signature, writing)
        self._rests_until = time.monotonic() + REST * (time.thread_time() - began)
        return True

    def shown(self) -> Shown:
        """All of it, read again if it was dropped. TaktError if it cannot be read. Called in a thread."""
        self._wanted_at = time.monotonic()
        with self._lock:
            if self._shown is None:
                if isinstance(self.path, Path):
                    self._signature, self._writing = _signature(self.path), being_written(self.path)
                self._read(self._signature, self._writing, again=True)
            if self._shown is None:
                raise TaktError(self.row.why)
            return self._shown

    def _read(self, signature: Any, writing: bool, again: bool = False) -> None:
        same_file = self._signature is not None and signature is not None and signature[0] == self._signature[0]
        if again or not same_file or self._shown is None:
            self._events, self._cursor, self._shown = [], Cursor(), None
        try:
            with Ledger.open(self.path) as book:
                news, running, meta = book.follow(self._cursor), book.running(), book.meta
            if news.events or self._shown is None or news.first < len(self._events):
                self._events = [*self._events[: news.first], *map(_kept, news.events)]
                view = ShiftView.of(stopping_early(self._events, meta), running.now_s)
            else:  # nothing but the clock has gone on
                view = self._shown.view.at(running.now_s)
            self._cursor = news.cursor
            self.row = row(self.path, meta, self._events, writing, view.judged, view.open)
            shift = shift_of(meta)
            self.key = int.from_bytes(hashlib.sha256(f"{self.number} {shift}".encode()).digest()[:8])
            self._shown = Shown(meta, stopping_early(self._events, meta), view, self.row, news.cursor, shift)
        except UNREADABLE as error:
            self._events, self._cursor, self._shown = [], Cursor(), None
            self.row = Row(self.path, BROKEN, " ".join(str(error).split())[:500])
        self._signature, self._writing, self.made = signature, writing, {}

    def _forget(self) -> None:
        if self.row.state == "ended" and time.monotonic() - self._wanted_at > KEPT_S:
            with self._lock:
                self._shown, self._events, self._cursor, self.made = None, [], Cursor(), {}


class Shelf:
    """The ledgers that a board shows. `tick` looks at all of them; viewers wait for what changes."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = [place if isinstance(place, Address) else Path(place) for place in places]
        self._scanned = -SCAN_S
        self._asked = -STORE_S
        self._gone: list[Feed] = []  # that lie there no more, and whose viewers are still to be told
        self.feeds: dict[int, Feed] = {}
        self.changes = 0  # how often anything has changed: the folder's version
        self.pulse = asyncio.Event()

    def scan(self) -> bool:
        """Look which ledgers there are. Called in a thread."""
        if time.monotonic() - self._scanned < SCAN_S:
            return False
        self._scanned = time.monotonic()
        try:
            found = ledgers_in([place for place in self._places if place.exists()])
        except (TaktError, OSError):
            return False
        known = {feed.path: feed for feed in self.feeds.values()}
        feeds = [known.get(path) or Feed(path) for path in found]
        changed = {feed.number for feed in feeds} != set(self.feeds)
        self._gone += [feed for path, feed in known.items() if path not in set(found)]
        self.feeds = {feed.number: feed for feed in feeds}
        return changed

    def look(self) -> list[Feed]:
        """Those that have changed. Called in a thread."""
        changed, held = self.scan(), locked_files()
        gone, self._gone = self._gone, []
        there = self._in_stores()
        feeds = [feed for feed in list(self.feeds.values()) if there is not None or isinstance(feed.path, Path)]
        found = [feed for feed in feeds if feed.look(held, (there or {}).get(feed.path))]
        if changed or found:
            self.changes += 1
        return [*found, *gone]

    def _in_stores(self) -> dict[Place, Any] | None:
        """How shifts in databases stand, by one question a database; None if it is too soon, or one does not answer."""
        stores = {feed.path.uri for feed in self.feeds.values() if isinstance(feed.path, Address)}
        if not stores or time.monotonic() - self._asked < STORE_S:
            return None if stores else {}
        from takt.ledger.postgres_store import standings

        self._asked = time.monotonic()
        try:
            return {Address(uri, one.name): one for uri in stores for one in standings(Address(uri, ""))}
        except TaktError:
            return None  # what was read is still shown; the next look asks again

    async def follow(self, stopped: Callable[[], bool]) -> None:
        """Look again and again, and wake those who wait."""
        while not stopped():
            before = self.changes
            for feed in await asyncio.to_thread(self.look):
                feed.pulse, woken = asyncio.Event(), feed.pulse
                woken.set()
            if self.changes != before:
                self.pulse, woken = asyncio.Event(), self.pulse
                woken.set()
            await asyncio.sleep(LOOK_S)

    def fleets(self) -> dict[int, Path]:
        """The pages of fleets (`takt fleet page`) whose ledgers these are, by number."""
        folders = {feed.path.parent.parent for feed in self.feeds.values() if feed.path.parent.name == LEDGERS}
        pages = [folder / FLEET_PAGE for folder in sorted(folders)]
        return {number_of(page): page for page in pages if page.is_file()}

    def on_the_wall(self, number: int | None) -> int | None:
        """Which shift a wall of no certain one shows that showed `number`: that one while it runs, or while no other
        does; else the one that runs and was begun last. None if there is none."""
        rows = {number: row for number, row in self.rows() if row.state != BROKEN}
        running = [one for one, row in rows.items() if row.state == RUNNING]
        if number in rows and (rows[number].state == RUNNING or not running):
            return number
        return max(running or rows, key=lambda one: rows[one].begun_utc, default=None)

    def rows(self) -> list[tuple[int, Row]]:
        return [(feed.number, feed.row) for feed in self.feeds.values()]


def standing_of(path: Place) -> Any:
    """How a shift in a database stands there; None for a file, and for one that is not there."""
    if isinstance(path, Path):
        return None
    from takt.ledger.postgres_store import standings

    return next((one for one in standings(Address(path.uri, "")) if one.name == path.name), None)


def number_of(path: Place) -> int:
    """A number for a ledger, the same at every start of a board: addresses hold no path, and lead to no other one."""
    return int.from_bytes(hashlib.sha256(os.fsencode(path.resolve())).digest()[:5])


def shift_of(meta: Mapping[str, Any]) -> str:
    """Which shift a ledger is of, the same from its beginning to its end, however often it is gone on with."""
    told = json.dumps([meta.get(key) for key in DEFINING], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _signature(path: Path) -> Any:
    """What changes when a ledger does: which file it is, and size and time of it and of its write-ahead log."""
    try:
        here = path.stat()
    except OSError:
        return None
    try:
        log = os.stat(f"{path}-wal")
        beside: Any = (log.st_size, log.st_mtime_ns)
    except OSError:
        beside = None
    return (here.st_dev, here.st_ino), here.st_size, here.st_mtime_ns, beside


def _kept(event: Event) -> Event:
    """An event without what takes the most room: what a worker said, and names that others have, too."""
    given: Mapping[str, Any] = event.data
    if event.kind == SAID:
        given = {key: given[key] for key in KEPT_OF_SAID if key in given}
    same = {intern(key): _same(value) for key, value in given.items()}
    of = event.data.of if isinstance(event.data, Told) else None  # whatever asks for more is told what is damaged
    return Event(event.t_s, intern(event.kind), event.unit, Told(same, of) if same else NOTHING)


def _same(value: Any) -> Any:
    """A short text, and what is empty, but once."""
    if type(value) is str and len(value) < LONGEST_NAME:
        return intern(value)
    return NOTHING if value == {} else value
