"""Work the shift of a job in this process, whatever became of it before: begin it, go on with it, or read it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from takt.contract.events import Event
from takt.errors import TaktError, Unserved
from takt.fleet.changes import Changed, changes
from takt.fleet.claim import claimed
from takt.fleet.job import ENDED, LEFT, Job
from takt.fleet.record import Record, spent
from takt.fleet.store import check_not_given_up, exists, is_gone, read, shown
from takt.ledger import Ledger
from takt.ledger.trust import Named
from takt.shift import Progress, Shift, resume_shift, run_shift

GIVEN_UP = "is given up, for what it is made of changed while it was worked"
SAID_S = 1.0  # wall time between two signs of life
PATIENCE_S, WAIT_S = 60.0, 0.5  # for a store that does not answer when a shift is begun


def work(job: Job, say: Callable[[dict[str, Any]], None], asked_to_leave: Callable[[], bool]) -> tuple[str, Record]:
    """Work it until it ends, or to a unit's end once it is asked to leave. ENDED or LEFT, and its record.

    Raises Busy if another process works on it, Unserved if its worker's server gives out, TaktError if it cannot be
    worked, and whatever else may happen.
    """
    watch, until = _Watch(say, asked_to_leave), time.monotonic() + PATIENCE_S
    while True:
        try:
            with claimed(job.id, job.ledger) as ledger:
                return _as_planned(replace(job, ledger=ledger), watch)
        except TaktError as error:  # a server that is gone is waited for, before a shift as in its middle
            if not is_gone(error) or time.monotonic() > until or asked_to_leave():
                raise
            time.sleep(WAIT_S)


def _as_planned(job: Job, watch: _Watch) -> tuple[str, Record]:
    """Work it if what it is made of is what the plan had; what is no more so at its end is noted in its ledger, and
    counts as nothing."""
    if word := _changed(job):
        raise Changed(why := _since(word), why)
    found = _worked(job, watch)
    if word := _changed(job):
        with Ledger.resume(job.ledger) as book:
            book.commit([], None, None, given_up=f"{GIVEN_UP}: {word}")
        again = "run the fleet again: its shifts are other ones now, and are worked as such"
        raise Changed(f"{shown(job.ledger)} {GIVEN_UP}: {word}; {again}", _since(word))
    return found


def _since(word: str) -> str:
    again = "put that back, or run the fleet again: these are other shifts, and are worked as such"
    return f"since the plan was read, {word}: {again}"


def _changed(job: Job) -> str:
    options = (job.station, job.station_options, job.worker, job.worker_options)
    return "; ".join(changes(job.definition, *options))


def _worked(job: Job, watch: _Watch) -> tuple[str, Record]:
    if exists(job.ledger):
        shift = _go_on(job, watch)
    else:
        try:
            shift = run_shift(
                job.station,
                job.worker,
                seed=job.seed,
                hours=job.hours,
                units=job.units,
                clock=job.clock,
                faults=job.faults,
                ledger=job.ledger,
                stop_early=job.stop_early,
                on_progress=watch,
                leave=watch.leave,
                outlives_server=bool(job.id),
                station_options=job.station_options,
                worker_options=job.worker_options,
                isolate=job.isolate,
                call_timeout_s=job.call_timeout_s,
                notes={"shift_id": job.id} if job.id else None,
            )
        except TaktError as error:
            if isinstance(error, Unserved) or not exists(job.ledger):
                raise
            shift = _go_on(job, watch)  # somebody has begun it in the meantime
    return (ENDED if shift.ended else LEFT), Record.of(shift, job.id)


def _go_on(job: Job, watch: _Watch) -> Shift:
    meta = read(job.ledger, lambda book: book.meta)
    try:
        check_not_given_up(job.ledger, meta)
    except TaktError as error:
        raise TaktError(f"{error}; move it away, and the shift is worked again") from None
    if meta.get("shift_id", "") != job.id:
        raise TaktError(
            f"{shown(job.ledger)} is another shift than the plan's ({meta.get('shift_id') or 'no id'}); move it away"
        )
    if (meta["station"], meta["worker"], meta["seed"]) != (job.station, job.worker, job.seed):
        raise TaktError(f"{shown(job.ledger)} is a shift of another worker, station or seed; move it away")
    named = Named(job.worker, job.worker_options, job.station_options)
    return resume_shift(job.ledger, on_progress=watch, leave=watch.leave, outlives_server=bool(job.id), named=named)


class _Watch:
    """Signs of life, a second apart, with what has been spent; and whether to leave."""

    def __init__(self, say: Callable[[dict[str, Any]], None], asked_to_leave: Callable[[], bool]) -> None:
        self._say, self._asked = say, asked_to_leave
        self._said, self._money, self._tokens = 0.0, 0.0, 0

    def __call__(self, progress: Progress) -> None:
        money, tokens = spent(progress.new_events)
        self._money, self._tokens = self._money + money, self._tokens + tokens
        now = time.monotonic()
        if now - self._said < SAID_S:
            return
        self._said = now
        told = {"units": progress.units, "good": progress.good, "at_s": progress.now_s, "wall_s": progress.wall_s}
        self._say({**told, "money": self._money, "tokens": self._tokens})

    def leave(self, _written: Sequence[Event]) -> bool:
        return self._asked()
