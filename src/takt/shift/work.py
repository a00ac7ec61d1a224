"""Work a shift: turn control periods into a ledger, unit by unit, until it is over; go on with one that was killed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from os import PathLike
from typing import Any

from takt.contract.clock import Clock, Live, parse_clock
from takt.contract.events import UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.station import Counted, Fault, Finite, Station, TaktError, check_times
from takt.contract.worker import SEED_BITS, Journal, usual_clock
from takt.errors import Unserved
from takt.ledger import Ledger, canonical
from takt.ledger.intact import Unfinished
from takt.ledger.trust import NOTHING, Named
from takt.plainly import plainly
from takt.shift.calls import Calls
from takt.shift.definition import MOST_HOURS, MOST_UNITS, RULES, circumstances, scheduled
from takt.shift.loop import Loop
from takt.shift.opened import (
    NO_LENGTH,
    AnyWorker,
    all_units,
    begun,
    check_names,
    check_ready,
    may_count,
    opened,
    reopened,
    station_name,
    worker_name_of,
)
from takt.shift.result import Progress, Shift
from takt.shift.under_way import UnderWay

PROGRESS_S = 0.1  # wall time between two calls of `on_progress`
Leaving = Callable[[Sequence[Event]], bool]


def run_shift(
    station: str | Station,
    worker: str | AnyWorker,
    *,
    seed: int = 0,
    hours: float | None = None,
    units: int | None = None,
    clock: str | Clock | None = None,
    faults: Sequence[str | Fault] = (),
    ledger: str | PathLike[str] | None = None,
    stop_early: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    station_options: Mapping[str, Any] | None = None,
    worker_name: str | None = None,
    worker_options: Mapping[str, Any] | None = None,
    isolate: bool = False,
    call_timeout_s: float | None = None,
    on_silent: Callable[[float], None] | None = None,
    leave: Leaving | None = None,
    outlives_server: bool = False,
    notes: Mapping[str, Any] | None = None,
) -> Shift:
    """Work a shift of `hours` of station time, or until `units` have ended, whichever comes first; with neither all
    units that the station has, if it knows how many (`Counted`).

    station, worker   names in the registries, opened with their options and closed again; or objects. Of an object,
                      `worker_name` and `worker_options` say what the ledger is to call it.
    station_options   go before what the worker asks of its station (`Worker.station_options`).
    clock, faults     as on the command line: "fixed:0.08", ["feeder_jam@00:20:00", "camera_dropout~1/h"]. Without a
                      clock it is the worker's own, or else "fixed:0.08" (`takt.contract.worker.usual_clock`).
    ledger            the file to write, which must not exist; None keeps the shift in memory.
    stop_early        end as soon as the verdict is accept or reject.
    seed              of all randomness outside the worker, at most 128 bits; the worker gets `worker_seed` of it.
    isolate           run the worker, given by its name, in a process of its own (`takt.isolate`)
    call_timeout_s    wall time after which a call of the worker is cut off, as a fault; on Unix, in the main thread.
    on_silent         called once, from another thread, when a call has lasted `takt.shift.calls.SILENT_S` seconds.
    leave             asked before the first unit and whenever units have ended and are in the ledger, with the events
                      written since it was last asked. True: the shift is left there, to go on later (`resume_shift`);
                      what is returned has not `ended`.
    outlives_server   a worker that is done because its server fails it (`Finished` with `failed`) does not end the
                      shift: it is left at its last unit's end, and Unserved raised.
    notes             what else is written beside the shift (JSON values), no part of its digest.

    Raises TaktError, before anything is written, if something given here is wrong. A worker that raises or answers with
    nonsense is not an error here: see `Shift.broken`.
    """
    if hours is None and units is None:
        check_names(station, station_options or {}, worker, worker_options or {})  # a slip there is found first
        if not may_count(station):
            raise TaktError(NO_LENGTH)
    if hours is not None and not 0 < hours <= MOST_HOURS:
        raise TaktError(f"a shift cannot last {hours:g} hours; give more than 0, and at most {MOST_HOURS:,}")
    if units is not None and not 1 <= units <= MOST_UNITS:
        raise TaktError(f"a shift cannot have {units:,} units; give at least 1, and at most {MOST_UNITS:,}")
    if seed < 0:
        raise TaktError(f"the seed cannot be {seed}; give 0 or more")
    if seed >= 2**SEED_BITS:
        raise TaktError(f"the seed cannot have {seed.bit_length()} bits; {SEED_BITS} are the most")
    clock = parse_clock(clock) if isinstance(clock, str) else clock
    Calls(call_timeout_s)
    with opened(station, station_options or {}, worker, worker_options or {}, isolate) as (here, who):
        check_ready(here)
        check_ready(who)
        units = all_units(here) if hours is None and units is None else units
        spec = here.spec
        check_times(spec)
        clock = parse_clock(usual_clock(who)) if clock is None else clock
        length_s = hours * 3600.0 if hours is not None else (units or 0) * spec.takt_s + spec.takt_s
        shift = {
            "station": station_name(here),
            "options": dict(spec.options),
            "worker": worker_name or (worker if isinstance(worker, str) else worker_name_of(worker)),
            "worker_options": dict(worker_options or {}),
            "seed": seed,
            "clock": clock.text,
            "faults": [asdict(fault) for fault in scheduled(faults, spec, seed, length_s)],
            "hours": None if hours is None else float(hours),
            "units": units,
        }
        try:
            how = {"stop_early": stop_early, "rules": RULES, "isolate": isolate, "call_timeout_s": call_timeout_s}
            how |= {} if spec.world is None else {"world": spec.world}
            how |= {"finite": here.all_units if isinstance(here, Counted) else True} if isinstance(here, Finite) else {}
            meta = json.loads(canonical({**(notes or {}), **shift, **how, **circumstances(here.spec)}))
        except (TypeError, ValueError) as error:
            raise TaktError(f"an option of the station or worker cannot be written down: {plainly(error)}") from error
        loop = Loop(here, who, clock, meta)
        with loop.calls.said_silent(on_silent), begun(loop) as started, Ledger.create(ledger, meta) as book:
            book.commit(started, loop.save(), None)
            return work_on(loop, book, on_progress, leave=leave, outlives_server=outlives_server)


def resume_shift(
    path: str | PathLike[str],
    *,
    station: str | Station | None = None,
    worker: str | AnyWorker | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    named: Named = NOTHING,
    on_silent: Callable[[float], None] | None = None,
    leave: Leaving | None = None,
    outlives_server: bool = False,
    clock: Clock | None = None,
) -> Shift:
    """Work a shift that was killed or interrupted to its end, from its last finished unit. A finished one is read.

    Station and worker are opened as the ledger names them if they are registered, else as they are given: objects, or
    the worker's name once more. `named` has what else must be said again (trust.py); NotNamed says what is missing.
    `clock` is the ledger's own, where somebody else looks at it. `leave` as for `run_shift`, and `outlives_server`; at
    first `leave` is asked with all events that are there.
    """
    with suppress(Unfinished), Ledger.open(path) as book:
        if book.finished:
            return Shift.of(book)
    with Ledger.resume(path) as book:
        if book.finished:  # by another process, just now
            return Shift.of(book)
        meta, snapshot = book.meta, book.last_snapshot()
        with reopened(path, meta, station, worker, named, asks=True) as (here, who):
            check_ready(who)
            loop = Loop(here, who, clock or parse_clock(meta["clock"]), meta)
            with loop.calls.said_silent(on_silent), begun(loop) as started:
                if snapshot is None:
                    book.commit(started, loop.save(), None)
                else:
                    loop.load(snapshot.state, path)
                return work_on(loop, book, on_progress, leave=leave, outlives_server=outlives_server)


def work_on(
    loop: Loop,
    ledger: Ledger,
    on_progress: Callable[[Progress], None] | None,
    journal: Journal | None = None,
    leave: Leaving | None = None,
    outlives_server: bool = False,
) -> Shift:
    """Step until the shift is over; append every unit to the ledger when it ends."""
    meta = ledger.meta
    loop.keep_in(journal or ledger)
    last_s = math.inf if meta["hours"] is None else meta["hours"] * 3600 - loop.control_s / 2
    last_unit = math.inf if meta["units"] is None else meta["units"]
    events = ledger.events()  # those of finished units, which `stop_early` judges by; a resumed shift has some
    ended = sum(event.kind in UNIT_ENDED for event in events)
    good = sum(event.kind == UNIT_GOOD for event in events)
    uncommitted: list[Event] = []
    unseen = list(events)
    wall_before_s = meta.get("wall_s", 0.0)
    began = seen = time.perf_counter()
    under_way = UnderWay(ledger)

    live = loop.clock if isinstance(loop.clock, Live) else None
    lag_before_s = float(meta.get("lag_s") or 0.0)

    def notes() -> dict[str, float]:
        """What is noted with a commit and is no part of the shift."""
        lag = {} if live is None else {"lag_s": round(lag_before_s + live.lag_s, 3)}
        return {"wall_s": wall_s(), **lag}

    def wall_s() -> float:
        return round(wall_before_s + time.perf_counter() - began, 3)

    def exhausted() -> str:
        """That the station has no further unit, though the shift was to go on."""
        runs_on = meta["hours"] is not None and not meta.get("finite")  # of before that ended a shift of hours
        if ended >= last_unit or runs_on or not isinstance(loop.station, Finite):
            return ""
        return loop.station.exhausted

    def over() -> str:
        """Why the shift is over as far as its finished units say, or "". A resumed shift may be over at once."""
        if ended >= last_unit or exhausted():
            return "units"
        if meta["stop_early"] and ended and verdict_if_stopped(events).decision != "undecided":
            return "verdict"
        return ""

    if meta["stop_early"]:
        from takt.judge.verdict import verdict_if_stopped
    reason = over() or ("time" if loop.station.now >= last_s else "")
    if not reason and leave is not None and leave(events):
        return Shift.of(ledger)
    while not reason:
        happened = loop.step()
        now_s = loop.station.now  # asked once a period: a station may have to work it out
        if live is not None and getattr(loop.worker, "is_recalling", False):
            live.skip()
        elif live is not None:
            live.pace(now_s)
        if happened:
            uncommitted += happened
            finished = [event for event in happened if event.kind in UNIT_ENDED]
            if finished:
                ledger.commit(uncommitted, loop.save(), finished[-1].unit, **notes())
                events += uncommitted if meta["stop_early"] else ()
                written, uncommitted = uncommitted, []
                ended += len(finished)
                good += sum(event.kind == UNIT_GOOD for event in finished)
                reason = over()
                if not (reason or loop.over or now_s >= last_s) and leave is not None and leave(written):
                    return Shift.of(ledger)
        under_way.show(uncommitted, now_s)
        if loop.over:
            reason = loop.over
            if outlives_server and reason == "worker_done" and "error" in loop.last_words:
                ledger.commit([], None, None)  # its journal has what was not answered: it is to ask that once more
                raise Unserved(loop.last_words["error"])
        elif not reason and now_s >= last_s:
            reason = "time"
        if on_progress is not None:
            unseen += happened
            if reason or time.perf_counter() - seen > PROGRESS_S:
                seen = time.perf_counter()
                ends = bool(meta["stop_early"]), meta.get("finite") or False
                on_progress(Progress(now_s, wall_s(), ended, good, unseen, *ends))
                unseen = []
    why = exhausted() if reason == "units" else ""
    ledger.commit([*uncommitted, loop.ended(reason, why)], None, None, **notes())
    return Shift.of(ledger)
