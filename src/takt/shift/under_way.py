"""The unit under way, shown to those who look on. It costs a shift a two-hundredth of its time at most."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from takt.contract.events import Event
from takt.errors import Unwritable
from takt.ledger import Ledger

SHARE = 0.005  # of the wall time, that showing may take in the long run
AT_ONCE_S = 0.05  # of showing that a shift may take in advance, so that what happens before a long call is seen
PULSE_S = 1.0  # wall time after which it is shown how late it is, though nothing happened


class UnderWay:
    """Shows a ledger's readers the events that are not committed yet, as soon as that may cost something again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._began = self._last = time.perf_counter()
        self._spent_s = 0.0
        self._shown = 0

    def show(self, uncommitted: Sequence[Event], now_s: float) -> None:
        """To be called after every control period, with all events since the last commit."""
        at = time.perf_counter()
        new = len(uncommitted) != self._shown
        if not new and at - self._last < PULSE_S:
            return
        if not uncommitted and new:  # committed
            self._shown = 0
            return
        if self._spent_s > SHARE * (at - self._began) + AT_ONCE_S:
            return
        with suppress(Unwritable):  # whoever looks on sees less; the shift itself ends where it cannot be committed
            self._ledger.show(uncommitted, now_s)
            self._shown = len(uncommitted)
        self._last = time.perf_counter()
        self._spent_s += self._last - at
