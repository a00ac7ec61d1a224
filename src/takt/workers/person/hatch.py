"""The hatch between a person's page and the shift: what is wanted goes in, what is seen comes out. For threads.

Whoever serves the page knows this and nothing of the shift. What is seen is the newest only: nothing waits in a queue
for a page that is slow.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

AGAIN = "What was done before is done again, as fast as it goes; then the clock runs."
NOTHING_OPEN, HELP = "nothing open", "help called"  # why a person has nothing to do
GRIP = ".grip"  # how the name of a control ends that is no key's to hold
MOST_WAITING = 16  # calls of a page that are not done yet
KEPT = 30  # answers that a page that comes later is shown


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool that somebody made on the page: its name, its arguments as JSON."""

    name: str
    arguments: str
    answer: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to see, and how things stand.

    number   counts up with every one.
    stamp    which change of the controls was in force when it was seen; None before the first.
    state    what pictures of it are made from, where they are drawn in another process; None otherwise.
    """

    number: int
    observation: Any
    stamp: float | None
    state: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call, whoever made it; or, without one, a remark to whoever is at work.

    number   counts up with every one, from 1.
    told     the observation after the call, or a text: why there is none.
    """

    number: int
    call: Call
    told: Any


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the shift is. `speed`: seconds of station time a second of the wall's. `of`: how many units it is to
    have; None where its length is a time. `idle`: why there is nothing to do, NOTHING_OPEN or HELP; "" if there is, and
    `next_s` how long, in station time, until the next unit, where that is known."""

    speed: float
    units: int
    of: int | None
    idle: str = ""
    next_s: float | None = None


class Hatch:
    """One page's worth of exchange; a page that comes later takes over, as the same person."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # of a lock that may be taken twice: an answer is kept where it is given
        self._calls: list[Call] = []
        self._controls: Mapping[str, float] = {}
        self._touched: dict[str, float] = {}  # since the last look: a key that is let go before it was held, too
        self._stamp: float | None = None
        self._steerer: object = None  # the page that has said last what is held
        self._pages = 0
        self._over: str | None = None
        self.comes_back = False  # another program may go on with the shift that is over for this one
        self.seen: Seen | None = None
        self.started = False
        self.answers: deque[Answer] = deque(maxlen=KEPT)
        self.standing: Standing | None = None
        self._answered = 0
        self.again = False  # what was recorded is done again, and nothing of a page's until then

    # --- for the page ---

    def ask(self, name: str, arguments: str) -> Future[Any]:
        """Have a tool called. The answer is the observation after it, or a text: why there is none."""
        call = Call(name, arguments)
        call.answer.add_done_callback(lambda answer: self._keep(call, answer.result()))
        with self._changed:
            if self._over is not None:
                call.answer.set_result(self._over)
            elif len(self._calls) >= MOST_WAITING:
                call.answer.set_result("too many calls are waiting; the station does one at a time")
            else:
                self._calls.append(call)
        return call.answer

    def done_again(self, name: str, arguments: str) -> Call:
        """A call that was made before, and is made again as it was recorded: its answer is kept as any other."""
        call = Call(name, arguments)
        call.answer.add_done_callback(lambda answer: self._keep(call, answer.result()))
        return call

    def recorded(self, name: str, arguments: str, told: Any) -> None:
        """What came of a call in a program of before, for whoever goes on."""
        self._keep(Call(name, arguments), told)

    def remark(self, about: str, text: str) -> None:
        """Tell every page something that is no answer to a call."""
        self._keep(Call(about, ""), text)

    def answers_after(self, number: int) -> list[Answer]:
        """Those that came later than this one, in order, as far as they are kept."""
        with self._changed:
            return [one for one in self.answers if one.number > number]

    def _keep(self, call: Call, told: Any) -> None:
        with self._changed:
            self._answered += 1
            self.answers.append(Answer(self._answered, call, told))

    def steer(self, controls: Mapping[str, float], stamp: float | None = None, page: object = None) -> None:
        """What is held now. It stays so until it is said otherwise, or `page`, which says so, goes. `stamp` comes back
        with what is seen after it, so that a page can tell how late that is."""
        with self._changed:
            self._controls, self._stamp, self._steerer = dict(controls), stamp, page
            self._touched.update(controls)

    def come(self) -> None:
        """A page is open."""
        with self._changed:
            self._pages += 1
            self.started = True
            self._changed.notify_all()

    def go(self, page: object = None) -> None:
        """A page is closed: what it held is held no more, but what a grip holds. Others may be open."""
        with self._changed:
            self._pages -= 1
            self._changed.notify_all()
            if not self._pages or (page is not None and page is self._steerer):
                self._controls, self._touched = self.grips, {}

    def wait_started(self, wait_s: float) -> bool:
        """Whether a page has been opened, within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.started, wait_s)

    def wait_left(self, wait_s: float) -> bool:
        """Whether every page is closed, within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._pages <= 0, wait_s)

    def wait_seen(self, after: int, wait_s: float) -> Seen | None:
        """The newest after number `after`; None if there is none within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.seen is not None and self.seen.number > after, wait_s)
            return self.seen if self.seen is not None and self.seen.number > after else None

    @property
    def grips(self) -> dict[str, float]:
        """What stays held though no key is: a page that takes over goes on with it."""
        with self._changed:
            return {name: value for name, value in self._controls.items() if name.endswith(GRIP) and value}

    @property
    def word(self) -> str | None:
        """What is to be said of it to whoever is at a page."""
        return self._over or (AGAIN if self.again else None)

    @property
    def over(self) -> str | None:
        """Why nothing is done any more; None while the shift goes on."""
        return self._over

    # --- for the worker ---

    @property
    def pages(self) -> int:
        return self._pages

    def held(self) -> tuple[Mapping[str, float], float | None]:
        """The controls, and their stamp. What was let go since the last look was held for that look."""
        with self._changed:
            held, self._touched = {**self._touched, **self._controls}, {}
            return held, self._stamp

    def next_call(self) -> Call | None:
        with self._changed:
            return self._calls.pop(0) if self._calls else None

    def show(self, observation: Any, stamp: float | None, state: bytes | None = None) -> None:
        """Put what is seen where pages find it."""
        with self._changed:
            number = 0 if self.seen is None else self.seen.number
            self.seen = Seen(number + 1, observation, stamp, state)
            self._changed.notify_all()

    def end(self, why: str, comes_back: bool = False) -> None:
        """Answer everything, now and from now on, with this text."""
        with self._changed:
            self._over, self.comes_back = why, comes_back
            waiting, self._calls = self._calls, []
            self._changed.notify_all()
        for call in waiting:
            call.answer.set_result(why)
