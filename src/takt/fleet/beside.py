"""The tables beside a fleet, brought up to date while its driver works, so that at its end little is left to do."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import TracebackType

from takt.errors import TaktError
from takt.fleet.plan import Plan

EVERY_S = 30.0
SHARE = 0.1  # of the time that it may take, whatever a fleet's size


class Beside:
    """While this is entered, `takt.fleet.tables.update` is called now and then, in a thread of its own.

    Without the extra `fleet` there are no tables, and nothing happens. What a thread leaves half is made again by
    whoever brings them up to date next.
    """

    def __init__(self, plan: Plan, every_s: float = EVERY_S) -> None:
        self._plan, self._every_s = plan, every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        from takt.fleet.tables import update

        wait_s = self._every_s
        while not self._over.wait(wait_s):
            began_s = time.monotonic()
            with suppress(TaktError, OSError):
                update(self._plan, self._over.is_set)
            wait_s = max(self._every_s, (time.monotonic() - began_s) / SHARE)
