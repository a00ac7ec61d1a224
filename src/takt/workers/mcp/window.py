"""The window of a station: calls come in from the thread that serves them, answers go out from the one that works."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from takt.workers.pictures import Picture


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that came in: its name, its arguments as JSON or what was meant to be, and who made it (or "")."""

    name: str
    arguments: str
    client: str
    answer: Future[Any] = field(default_factory=Future)
    at_s: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the station says to a call, and the pictures that it shows."""

    told: Mapping[str, Any]
    pictures: tuple[Picture, ...] = ()


class Window:
    """Calls in the order in which they came. Once it is shut, every call, old or new, is answered with why."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: deque[Asked] = deque()
        self._under_way: Asked | None = None
        self._gone = ""
        self._shut: str | None = None

    # --- for the one who serves ---

    def ask(self, name: str, arguments: str, client: str = "") -> Future[Any]:
        """Put a call in; its answer is an `Answer` (what the station says) or a text (why it says nothing any more)."""
        asked = Asked(name, arguments, client)
        with self._changed:
            if self._shut is not None:
                asked.answer.set_result(self._shut)
            else:
                self._calls.append(asked)
                self._changed.notify_all()
        return asked.answer

    def leave(self, why: str) -> None:
        """Nobody can call any more."""
        with self._changed:
            self._gone = self._gone or why
            self._changed.notify_all()

    # --- for the one who works ---

    @property
    def gone(self) -> str:
        """Why nobody can call any more, or ""."""
        return self._gone

    def next(self, wait_s: float | None) -> Asked | None:
        """The next call. None if none came within so many seconds, or none can come any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls or self._gone, wait_s)
            while self._calls:
                asked = self._calls.popleft()
                if not asked.answer.cancelled():  # a client may take back what was not begun
                    self._under_way = asked
                    return asked
            return None

    def answer(self, answer: Any) -> None:
        """Answer the call that `next` gave last."""
        asked, self._under_way = self._under_way, None
        if asked is not None:
            _give(asked, answer)

    def shut(self, why: str) -> None:
        """Answer everything, now and from now on, with this text."""
        with self._changed:
            self._shut = why
            waiting, self._calls = list(self._calls), deque()
        self.answer(why)
        for asked in waiting:
            _give(asked, why)

    def wait_gone(self, wait_s: float | None = None) -> None:
        """Wait until nobody can call any more, so many seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._gone, wait_s)


def _give(asked: Asked, answer: Any) -> None:
    if asked.answer.set_running_or_notify_cancel():  # False: the client has taken its call back
        asked.answer.set_result(answer)
