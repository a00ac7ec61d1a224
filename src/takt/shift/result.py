"""What a shift came to, and where a running one is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from takt.contract.events import SHIFT_ENDED, WORKER_RAISED, Event, stopping_early
from takt.ledger import Ledger, digest_of


@dataclass(frozen=True)
class Shift:
    """A shift that has been worked. `events` is all there is to it; `takt.kpis` and `takt.verdict` read nothing else.

    path     its ledger, or None if it was kept in memory only.
    broken   what the worker did wrong, a line each; [] if nothing.
    ended    why it ended: "time", "units", "verdict", "broken_plan" or "worker_done"; "" if it has not.
    shown    where it has not: the events of the unit under way, as last shown, and `shown_s` at what station time. They
             are no part of the shift yet, and of no digest; what people look at has them.
    """

    events: tuple[Event, ...]
    meta: Mapping[str, Any]
    path: Path | None
    broken: list[str]
    ended: str
    shown: tuple[Event, ...] = ()
    shown_s: float = 0.0

    @property
    def seen(self) -> Sequence[Event]:
        """The events that figures are of, also of a shift that has not ended: with those shown (`stopping_early`)."""
        return stopping_early((*self.events, *self.shown) if self.shown else self.events, self.meta)

    @property
    def now_s(self) -> float:
        """Station time, s: how far it is."""
        return max([self.shown_s, *(event.t_s for event in [*self.events[-1:], *self.shown[-1:]])])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the shift, see `Ledger.digest`. Taken when it is asked for."""
        return digest_of(self.meta, self.events)

    @classmethod
    def of(cls, ledger: Ledger) -> Shift:
        news = ledger.follow()
        events, shown = tuple(news.events[: news.cursor.final]), tuple(news.events[news.cursor.final :])
        wrong = [e for e in events if e.kind == SHIFT_ENDED or e.data.get("name") == WORKER_RAISED]
        broken = [f"{e.data['error']} (at {e.t_s:.2f} s{_place(e)})" for e in wrong if "error" in e.data]
        ended = events[-1].data["reason"] if events and events[-1].kind == SHIFT_ENDED else ""
        shown_s = 0.0 if ended else ledger.running().now_s or 0.0
        return cls(events, ledger.meta, ledger.path, broken, ended, shown, shown_s)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running shift is. `new_events` are those since the last call (at a resumed shift's first, all);
    `stop_early`: whether it ends as soon as the verdict is certain; `finite`: whether its station's units come to an
    end, or after how many."""

    now_s: float
    wall_s: float
    units: int
    good: int
    new_events: Sequence[Event]
    stop_early: bool = False
    finite: bool | int = False

    @property
    def seen(self) -> Sequence[Event]:
        """The new events as live figures are taken of (`stopping_early`)."""
        return stopping_early(self.new_events, {"stop_early": self.stop_early, "finite": self.finite})


def _place(event: Event) -> str:
    """Where in its file a worker raised, by the last line of its traceback that names one, to follow a time."""
    found = re.findall(r'File "([^"]+)", line (\d+)', str(event.data.get("traceback", "")))
    return f", {Path(found[-1][0]).name}:{found[-1][1]}" if found else ""
