"""What units cost, as a station's class says of events alone: for pages, which open no station."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from takt.contract.costs import currency_of
from takt.contract.events import Event
from takt.contract.foreign import is_stop
from takt.judge.compared_shifts import Costs
from takt.shift.account import costs_at


def costs_told(shifts: Sequence[Sequence[Event]]) -> Costs | None:
    """How the registered station of these shifts says it; None if it does not, or cannot of one of them."""
    try:
        costs = costs_at(str(shifts[0][0].data["station"]))
        if costs is not None:
            for events in shifts:
                costs(events)
    except BaseException as error:  # whatever a stranger's events make of it: the rest is told
        if is_stop(error):
            raise
        return None
    return costs


def cost_of(events: Sequence[Event]) -> tuple[float | None, str]:
    """What all units of a shift cost so far, judged or not, and the currency; None where its station does not say."""
    try:
        costs = _of_station(str(events[0].data["station"])) if events else None
        total = math.nan if costs is None else math.fsum(costs(events).values())
    except BaseException as error:  # as above
        if is_stop(error):
            raise
        return None, ""
    return (total, currency_of(events[0].data)) if math.isfinite(total) else (None, "")


@lru_cache(maxsize=64)
def _of_station(name: str) -> Costs | None:
    """Asked once: to look what is registered takes longer than a small shift's sum."""
    return costs_at(name)
