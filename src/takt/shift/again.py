"""Work again what was worked before: a whole shift from what is recorded of it, or one unit from its snapshot."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any

from takt.contract.events import UNIT_ENDED, Event
from takt.contract.station import Station, TaktError
from takt.errors import Different
from takt.ledger import Ledger, canonical
from takt.ledger.journal import Told
from takt.ledger.trust import NOTHING, Named
from takt.shift.definition import as_told_by, circumstances, clock_of
from takt.shift.loop import Loop
from takt.shift.opened import AnyWorker, begun, reopened
from takt.shift.result import Progress, Shift
from takt.shift.work import work_on


def repeat_shift(
    path: str | PathLike[str],
    ledger: str | PathLike[str] | None = None,
    *,
    station: str | Station | None = None,
    worker: str | AnyWorker | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    named: Named = NOTHING,
) -> Shift:
    """Work a finished shift again, into a new ledger, with what is recorded of it: what thinking was measured to cost,
    and what the worker was answered (`Recording`), so that no model is asked. It has the same digest, unless station or
    worker are not what they were, or the worker draws on something else than its seed. What is opened: `resume_shift`.
    """
    with Ledger.open(path) as book:
        meta, events, finished = book.meta, book.events(), book.finished
    if not finished:
        raise TaktError(f"{path} has not ended; end it with `takt resume {path}`")
    definition = {key: value for key, value in meta.items() if key not in ("wall_s", "lag_s", "signatures")}
    with reopened(path, meta, station, worker, named) as (here, who):
        loop = Loop(here, who, clock_of(meta, events), meta)
        with begun(loop) as started, Ledger.create(ledger, {**definition, **circumstances(here.spec)}) as again:
            again.commit([as_told_by(started[0], events[0]), *started[1:]], loop.save(), None)
            return work_on(loop, again, on_progress, Told(events))


def steps_of_unit(
    path: str | PathLike[str],
    unit: int,
    station: str | Station | None = None,
    worker: str | AnyWorker | None = None,
    named: Named = NOTHING,
    **station_options: Any,
) -> Iterator[tuple[Station, list[Event]]]:
    """Re-simulate a unit: yields the station and what happened after every control period, up to the end of the unit.

    It begins at the nearest snapshot before the unit fell due; that is earlier than the unit if it overlaps another.
    `station_options` are added to those of the shift (`render_mode="rgb_array"`). Warns if the unit comes out
    differently, which a worker does that has a memory but no `save`, or draws on something else than its seed.
    """
    with Ledger.open(path) as book:
        meta, events, snapshot = book.meta, book.events(), book.snapshot(unit)
    ended = [event for event in events if event.unit == unit and event.kind in UNIT_ENDED]
    if not ended or snapshot is None:
        raise TaktError(f"unit {unit} has not ended in {path}")
    again: list[Event] = []
    with reopened(path, meta, station, worker, named, **station_options) as (here, who):
        loop = Loop(here, who, clock_of(meta, events[snapshot.seq :]), meta)
        with begun(loop):
            loop.load(snapshot.state, path)
            loop.keep_in(Told(events))
            last_s = ended[0].t_s + loop.control_s / 2  # what a call does is dated when the call began, a period ago
            while here.now < last_s and not again and not loop.over:
                happened = loop.step()
                again += [event for event in happened if event.unit == unit and event.kind in UNIT_ENDED]
                yield here, happened
    if [(event.kind, canonical(event.data)) for event in again] != [(ended[0].kind, canonical(ended[0].data))]:
        warnings.warn(f"unit {unit} did not come out as it did in {path}", Different, stacklevel=2)
