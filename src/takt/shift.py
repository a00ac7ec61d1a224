"""The shift: one worker at one station for a length of station time. The whole program in this file.

A shift is a pure function: (station, worker, seed, clock, faults, length) -> events. `run_shift` and `resume_shift`
open what is needed and hand it to `_work`, which turns control periods into a ledger until the shift is over; `Loop` is
one control period: who acts, and when the worker is asked. `steps_of_unit` re-simulates a unit by that same `Loop`.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from takt.calls import Calls, Unanswered
from takt.clock import Clock, Recorded, parse_clock
from takt.distribution import version as installed
from takt.errors import Different
from takt.events import (
    FAULT,
    FAULT_CLEARED,
    SAID,
    SHIFT_ENDED,
    SHIFT_STARTED,
    THOUGHT,
    UNIT_BAD,
    UNIT_DUE,
    UNIT_GOOD,
    Event,
)
from takt.faults import merged, schedule
from takt.foreign import check_stop, foreign, is_stop, one_line, trace, where
from takt.intact import Unfinished
from takt.isolate import Isolated, isolated
from takt.journal import Told
from takt.ledger import DEFINITION, Ledger, canonical
from takt.outcomes import BEAT
from takt.pack import pack, unpack
from takt.plainly import plainly
from takt.plan import BrokenPlan, Checked, checked, took_s
from takt.station import (
    Dealing,
    Fault,
    Station,
    StationSpec,
    TaktError,
    check_faults,
    check_times,
    open_station,
    registered_station,
)
from takt.trust import NOTHING, Named, check_named
from takt.worker import (
    SEED_BITS,
    Finished,
    Gone,
    Journal,
    Plan,
    Recording,
    Resumable,
    Worker,
    as_worker,
    open_worker,
    usual_clock,
    worker_seed,
)

WORKER_RAISED = "worker_raised"  # the fault of a worker that raises
RESTART_S = 30.0  # station time that a worker is down after it has raised
NEVER = 2**62  # control periods: longer than any shift
MOST_HOURS, MOST_UNITS = 100_000, 10_000_000  # of a shift: eleven years, or three of a unit every ten seconds
UNIT_ENDED = (UNIT_GOOD, UNIT_BAD)
HOW_COUNTED = ("pace", "unit_life_s", "planned_cycle_s", "cost_range_eur")  # in `shift_started` since November 2026
PROGRESS_S = 0.1  # wall time between two calls of `on_progress`

# By which rules a shift is worked, kept in its ledger, so that one of an older version goes on by the old ones. No part
# of the digest. 1, or none: the worker is handed the shift's own seed. 2: one derived from it. 3: `said` is filed under
# the unit that the action names. 4: the desk says what is wrong with a call in its own words. A station is told them at
# `reset` and may have had other ways of its own then.
RULES = 4
FIRST_SAID = 2  # the version of a made-up world in a ledger that does not say one; by rules 1 it is the first

MADE_UP = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError)

AnyWorker = Worker | Callable[[Any], Any]


@dataclass(frozen=True)
class Shift:
    """A shift that has been worked. `events` is all there is to it; `takt.kpi` and `takt.verdict` read nothing else.

    path     its ledger, or None if it was kept in memory only.
    broken   what the worker did wrong, a line each; [] if nothing.
    ended    why it ended: "time", "units", "verdict", "broken_plan" or "worker_done"; "" if it has not.
    digest   SHA-256 of the shift, see `Ledger.digest`.
    """

    events: tuple[Event, ...]
    meta: Mapping[str, Any]
    path: Path | None
    broken: list[str]
    ended: str
    digest: str

    @classmethod
    def of(cls, ledger: Ledger) -> Shift:
        events = tuple(ledger.events())
        wrong = [e for e in events if e.kind == SHIFT_ENDED or e.data.get("name") == WORKER_RAISED]
        broken = [f"{e.data['error']} (at {e.t_s:.2f} s{_place(e)})" for e in wrong if "error" in e.data]
        ended = events[-1].data["reason"] if events and events[-1].kind == SHIFT_ENDED else ""
        return cls(events, ledger.meta, ledger.path, broken, ended, ledger.digest())


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running shift is. `new_events` are those since the last call (at a resumed shift's first, all)."""

    now_s: float
    wall_s: float
    units: int
    good: int
    new_events: Sequence[Event]


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
) -> Shift:
    """Work a shift of `hours` of station time, or until `units` have ended, whichever comes first.

    station, worker   names in the registries, opened with their options and closed again; or objects. Of an object,
                      `worker_name` and `worker_options` say what the ledger is to call it.
    station_options   go before what the worker asks of its station (`Worker.station_options`).
    clock, faults     as on the command line: "fixed:0.08", ["feeder_jam@00:20:00", "camera_dropout~1/h"]. Without a
                      clock it is the worker's own, or else "fixed:0.08" (`takt.worker.usual_clock`).
    ledger            the file to write, which must not exist; None keeps the shift in memory.
    stop_early        end as soon as the verdict is accept or reject.
    seed              of all randomness outside the worker, at most 128 bits; the worker gets `worker_seed` of it.
    isolate           run the worker, given by its name, in a process of its own (`takt.isolate`)
    call_timeout_s    wall time after which a call of the worker is cut off, as a fault; on Unix, in the main thread.
    on_silent         called once, from another thread, when a call has lasted `takt.calls.SILENT_S` seconds.

    Raises TaktError, before anything is written, if something given here is wrong. A worker that raises or answers with
    nonsense is not an error here: see `Shift.broken`.
    """
    if hours is None and units is None:
        raise TaktError("a shift needs a length: give hours or units")
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
    with _opened(station, station_options or {}, worker, worker_options or {}, isolate) as (here, who):
        _check_ready(who)
        spec = here.spec
        check_times(spec)
        clock = parse_clock(usual_clock(who)) if clock is None else clock
        length_s = hours * 3600.0 if hours is not None else (units or 0) * spec.takt_s + spec.takt_s
        shift = {
            "station": _station_name(here),
            "options": dict(spec.options),
            "worker": worker_name or (worker if isinstance(worker, str) else _name(worker)),
            "worker_options": dict(worker_options or {}),
            "seed": seed,
            "clock": clock.text,
            "faults": [asdict(fault) for fault in _scheduled(faults, spec, seed, length_s)],
            "hours": None if hours is None else float(hours),
            "units": units,
        }
        try:
            how = {"stop_early": stop_early, "rules": RULES, "isolate": isolate, "call_timeout_s": call_timeout_s}
            how |= {} if spec.world is None else {"world": spec.world}
            meta = json.loads(canonical({**shift, **how, **_circumstances(here.spec)}))
        except (TypeError, ValueError) as error:
            raise TaktError(f"an option of the station or worker cannot be written down: {plainly(error)}") from error
        loop = Loop(here, who, clock, meta)
        with loop.calls.said_silent(on_silent), _begun(loop) as started, Ledger.create(ledger, meta) as book:
            book.commit(started, loop.save(), None)
            return _work(loop, book, on_progress)


def resume_shift(
    path: str | PathLike[str],
    *,
    station: str | Station | None = None,
    worker: str | AnyWorker | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    named: Named = NOTHING,
    on_silent: Callable[[float], None] | None = None,
) -> Shift:
    """Work a shift that was killed or interrupted to its end, from its last finished unit. A finished one is read.

    Station and worker are opened as the ledger names them if they are registered, else as they are given: objects, or
    the worker's name once more. `named` has what else must be said again (trust.py); NotNamed says what is missing.
    """
    with suppress(Unfinished), Ledger.open(path) as book:
        if book.finished:
            return Shift.of(book)
    with Ledger.resume(path) as book:
        if book.finished:  # by another process, just now
            return Shift.of(book)
        meta, snapshot = book.meta, book.last_snapshot()
        with _reopened(path, meta, station, worker, named, asks=True) as (here, who):
            _check_ready(who)
            loop = Loop(here, who, parse_clock(meta["clock"]), meta)
            with loop.calls.said_silent(on_silent), _begun(loop) as started:
                if snapshot is None:
                    book.commit(started, loop.save(), None)
                else:
                    loop.load(snapshot.state, path)
                return _work(loop, book, on_progress)


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
    definition = {key: value for key, value in meta.items() if key not in ("wall_s", "signatures")}
    with _reopened(path, meta, station, worker, named) as (here, who):
        loop = Loop(here, who, _clock_of(meta, events), meta)
        with _begun(loop) as started, Ledger.create(ledger, {**definition, **_circumstances(here.spec)}) as again:
            again.commit([as_told_by(started[0], events[0]), *started[1:]], loop.save(), None)
            return _work(loop, again, on_progress, Told(events))


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
    with _reopened(path, meta, station, worker, named, **station_options) as (here, who):
        loop = Loop(here, who, _clock_of(meta, events[snapshot.seq :]), meta)
        with _begun(loop):
            loop.load(snapshot.state, path)
            loop.keep_in(Told(events))
            last_s = ended[0].t_s + loop.control_s / 2  # what a call does is dated when the call began, a period ago
            while here.now < last_s and not again and not loop.over:
                happened = loop.step()
                again += [event for event in happened if event.unit == unit and event.kind in UNIT_ENDED]
                yield here, happened
    if [(event.kind, canonical(event.data)) for event in again] != [(ended[0].kind, canonical(ended[0].data))]:
        warnings.warn(f"unit {unit} did not come out as it did in {path}", Different, stacklevel=2)


def _work(
    loop: Loop, ledger: Ledger, on_progress: Callable[[Progress], None] | None, journal: Journal | None = None
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

    def wall_s() -> float:
        return round(wall_before_s + time.perf_counter() - began, 3)

    def over() -> str:
        """Why the shift is over as far as its finished units say, or "". A resumed shift may be over at once."""
        if ended >= last_unit:
            return "units"
        if meta["stop_early"] and ended and verdict(events).decision != "undecided":
            return "verdict"
        return ""

    if meta["stop_early"]:
        from takt.verdict import verdict
    reason = over() or ("time" if loop.station.now >= last_s else "")
    while not reason:
        happened = loop.step()
        if happened:
            uncommitted += happened
            finished = [event for event in happened if event.kind in UNIT_ENDED]
            if finished:
                ledger.commit(uncommitted, loop.save(), finished[-1].unit, wall_s=wall_s())
                events += uncommitted if meta["stop_early"] else ()
                uncommitted = []
                ended += len(finished)
                good += sum(event.kind == UNIT_GOOD for event in finished)
                reason = over()
        if loop.over:
            reason = loop.over
        elif not reason and loop.station.now >= last_s:
            reason = "time"
        if on_progress is not None:
            unseen += happened
            if reason or time.perf_counter() - seen > PROGRESS_S:
                seen = time.perf_counter()
                on_progress(Progress(loop.station.now, wall_s(), ended, good, unseen))
                unseen = []
    ledger.commit([*uncommitted, loop.ended(reason)], None, None, wall_s=wall_s())
    return Shift.of(ledger)


class Loop:
    """A worker at a station, one control period at a time.

    The worker is in one of three modes, and `wake_in` counts the control periods until the mode ends:

    working    the plan runs; then the worker is asked.
    thinking   it has been asked, and the rest of the old plan runs; then the new plan arrives.
    down       it raised, and the station holds; then it is asked again.

    Whenever the plan has run out, the station holds.
    """

    def __init__(self, station: Station, worker: Worker, clock: Clock, shift: Mapping[str, Any]) -> None:
        self.station, self.worker, self.clock, self.shift = station, worker, clock, shift
        self.spec = station.spec
        self.control_s = self.spec.control_s
        self.over = ""  # "broken_plan" or "worker_done": no step is possible any more
        self.last_words: dict[str, str] = {}  # `error`, how the worker broke its contract; or `why` it is done
        self.observation: Any = None
        self.mode = "working"
        self.wake_in = 0
        self.actions: Sequence[Any] | np.ndarray = ()
        self.next = 0  # which of the actions comes next
        self.arriving = Checked((), 1, 0)  # the plan that is being thought
        self.costs: list[int] = []  # of the calls since a unit last ended, in control periods
        self.unit: int | None = None  # the last that fell due and has not ended; faults of the worker belong to it
        self.about: int | None = None  # the one that the worker deals with, as far as its actions say
        self.files_by_action = _rules(shift) > 2 and isinstance(station, Dealing)
        self.calls = Calls(shift.get("call_timeout_s"))

    def start(self) -> list[Event]:
        """Begin the shift. One that goes on from a snapshot begins too, and then loads."""
        with foreign(f"worker {self.shift['worker']!r} raised in begin"):
            self.worker.begin(self.spec, _seed_of_worker(self.shift))
        with foreign(f"station {self.shift['station']!r} raised in reset"):
            self.observation, info = reset_as(self.station, self.shift)
        happened = self._followed(info.get("events") or [])
        return [Event(self.station.now, SHIFT_STARTED, None, _started(self.shift, self.spec)), *happened]

    def keep_in(self, journal: Journal) -> None:
        """Where the worker is to keep what it pays for, if it is one that does."""
        if isinstance(self.worker, Recording):
            with foreign(f"worker {self.shift['worker']!r} raised in keep_in"):
                self.worker.keep_in(journal)

    def step(self) -> list[Event]:
        """One control period, and what happened in it. Nothing does once the worker is done or broke its contract."""
        woke: list[Event] = []
        while self.wake_in == 0:
            self._wake(woke)
            if self.over:
                return woke
        self.wake_in -= 1
        try:
            if self.next < len(self.actions):
                action = self.actions[self.next]
                self.next += 1
            else:
                action = self.station.hold
            # `terminated` ends nothing: a shift has no episodes
            self.observation, _, _, _, info = self.station.step(action)
            happened = info.get("events")
        except BaseException as error:
            if isinstance(error, TaktError) or is_stop(error):
                raise
            did = f"station {self.shift['station']!r} raised in step: {one_line(error)}{where(error)}"
            raise TaktError(did) from error
        return woke + self._followed(happened) if happened else woke

    def ended(self, reason: str) -> Event:
        """The shift's last event."""
        data: dict[str, Any] = {"reason": reason, **(self.last_words if reason == self.over else {})}
        if self.clock.measures:  # the calls since the last unit, so that a recorded clock lasts to the very end
            data["periods"] = self.costs
        return Event(self.station.now, SHIFT_ENDED, None, data)

    def save(self) -> bytes:
        """Everything: the station, the worker, the loop, and the observation that the worker would be asked with."""
        worker = None
        if isinstance(self.worker, Resumable):
            with foreign(f"worker {self.shift['worker']!r} raised in save"):
                worker = self.worker.save()
        arriving = (self.arriving.actions, self.arriving.ask_after, self.arriving.skip)
        loop = (self.mode, self.wake_in, self.actions, self.next, arriving, self.costs, self.unit, self.about)
        with foreign(f"station {self.shift['station']!r} raised in save"):
            station = self.station.save()
        state = {"station": station, "worker": worker, "loop": loop, "observation": self.observation}
        try:
            return pack(state)
        except TypeError as error:
            raise TaktError(f"station {self.shift['station']!r} has what cannot be stored: {error}") from error

    def load(self, packed: bytes, of: object = "the ledger") -> None:
        """Go on where `save` was called, with the same station, worker and shift, started afresh. TaktError if these
        bytes, a snapshot `of` some ledger, are of no such shift."""
        try:
            state = unpack(packed)
            self.mode, self.wake_in, self.actions, self.next, arriving, self.costs, self.unit, *more = state["loop"]
            self.about = more[0] if more else None  # older ledgers have none
            self.arriving = Checked(*arriving)
            self.observation, of_station, of_worker = state["observation"], state["station"], state["worker"]
            counts = [self.wake_in, self.next, *self.costs]
            sound = self.mode in ("working", "thinking", "down") and all(
                isinstance(n, int | np.integer) and n >= 0 for n in counts
            )
        except (ValueError, TypeError, LookupError) as error:
            raise _not_taken_up(of, "a shift", None) from error
        if not sound:
            raise _not_taken_up(of, "a shift", None)
        for what, thing, saved in (("station", self.station, of_station), ("worker", self.worker, of_worker)):
            try:
                if isinstance(thing, Resumable):  # as every station is
                    thing.load(saved)
            except TaktError:
                raise
            except BaseException as error:  # whatever it may raise at a state that is not its own
                if is_stop(error):
                    raise
                ours = type(thing).__module__.startswith(("takt.stations.", "takt.workers."))
                raise _not_taken_up(of, f"{what} {self.shift[what]!r}", None if ours else error) from error

    def _wake(self, woke: list[Event]) -> None:
        """A mode has ended and the next one begins."""
        if self.mode == "thinking":
            plan, self.mode = self.arriving, "working"
            self.actions, self.next = plan.actions, plan.skip
            self.wake_in = 0 if plan.overtaken else plan.ask_after
            return
        if self.mode == "down":
            self.mode = "working"
            woke.append(self._worker_raised(FAULT_CLEARED))
        before = time.perf_counter()
        try:
            with self.calls.watched():
                answer = self.worker.act(self.observation)
            check_stop()
        except Finished as done:
            woke += self._said(None)
            self.over, self.last_words = "worker_done", {"error" if done.failed else "why": " ".join(str(done).split())}
            return
        except BaseException as error:
            if is_stop(error):
                raise
            woke += self._said(None)
            gone = isinstance(error, Gone)
            told = {"error": f"worker {self.shift['worker']!r} {_did(error)}"}
            if not isinstance(error, (Gone, Unanswered)):
                told |= {"traceback": trace(error)}
            woke.append(self._worker_raised(FAULT, **told))
            self.mode = "down"
            self.wake_in = NEVER if gone else math.ceil(RESTART_S / self.control_s - 1e-6)
            self.actions, self.next = (), 0
            return
        wall_s = time.perf_counter() - before
        woke += self._said(answer)
        try:
            cost = self.clock.periods(took_s(answer, wall_s), self.control_s)
            self.costs.append(cost)
            self.arriving = checked(answer, self.station.action_space, cost)
        except BaseException as error:
            if isinstance(error, TaktError) or is_stop(error):
                raise
            self.over = "broken_plan"
            what = str(error) if isinstance(error, BrokenPlan) else f"what cannot be read: {one_line(error)}"
            self.last_words = {"error": f"worker {self.shift['worker']!r} answered with {what}"}
            return
        self.mode, self.wake_in = "thinking", cost

    def _said(self, answer: Any) -> list[Event]:
        """What the worker says about its work, if it is one that does, and the faults of its own that it tells of."""
        if not isinstance(self.worker, Recording):
            return []
        with foreign(f"worker {self.shift['worker']!r} raised in records"):
            records = self.worker.records()
            unit = self._about(answer) if records and self.files_by_action else self.unit
            said = [Event(self.station.now, SAID, unit, record) for record in records]
            for fault in [fault for record in records for fault in record.get("faults", ())]:
                data = {key: fault[key] for key in ("name", "origin", "stops")}
                kind = FAULT if fault["kind"] == FAULT else FAULT_CLEARED
                said.append(Event(self.station.now, kind, self.unit, data))
            return said

    def _about(self, answer: Any) -> int | None:
        """The unit that an answer is about, where units overlap and the station can tell by the action (`Dealing`).

        An answer that names none, a look around or none at all, is about the unit that was named last, until it ends.
        """
        actions = answer.actions if isinstance(answer, Plan) else answer
        if isinstance(actions, (list, tuple)) and actions and isinstance(self.station, Dealing):
            named = self.station.unit_of(actions[0])
            self.about = self.about if named is None else named
        return self.about

    def _worker_raised(self, kind: str, **data: Any) -> Event:
        data = {"name": WORKER_RAISED, "origin": "worker", "stops": True, **data}
        return Event(self.station.now, kind, self.unit, data)

    def _followed(self, happened: Sequence[Event]) -> list[Event]:
        """What happened at the station, with how much the worker thought added for each unit that ended."""
        thoughts = []
        for event in happened:
            if event.kind == UNIT_DUE:
                self.unit = event.unit
            elif event.kind in UNIT_ENDED:
                self.unit = None if event.unit == self.unit else self.unit
                self.about = None if event.unit == self.about else self.about
                data: dict[str, Any] = {
                    "calls": len(self.costs),
                    "seconds": round(sum(self.costs) * self.control_s, 9),
                }
                if self.clock.measures:
                    data["periods"] = self.costs
                thoughts.append(Event(self.station.now, THOUGHT, event.unit, data))
                self.costs = []
        return [*happened, *thoughts]


def _seed_of_worker(shift: Mapping[str, Any]) -> int:
    seed: int = shift["seed"]
    return worker_seed(seed) if _rules(shift) > 1 else seed


def _rules(shift: Mapping[str, Any]) -> int:
    rules: int = shift.get("rules", 1)
    return rules


def reset_as(station: Station, shift: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Start at a station the shift that `shift` (a ledger's meta) defines. TaktError if its world is made no more."""
    _check_world(station, shift)
    faults = tuple(Fault(**fault) for fault in shift["faults"])
    return station.reset(seed=shift["seed"], options={"faults": faults, "rules": _rules(shift)})


def _check_world(station: Station, shift: Mapping[str, Any]) -> None:
    """Worked in another world, a shift would differ from its first units on, and its figures would be of no day."""
    now = getattr(station.spec, "world", None)
    was = shift.get("world", now and (1 if _rules(shift) == 1 else FIRST_SAID))
    if was != now:
        raise TaktError(
            f"this shift's world is of version {was}, and {shift['station']!r} makes version {now} from a seed now: "
            "the shift can be read and judged, but worked again only by the Takt that made it"
        )


def _clock_of(meta: Mapping[str, Any], events: Sequence[Event]) -> Clock:
    """The clock of a shift whose `events` are worked again."""
    return Recorded(events) if meta["clock"] == "measured" else parse_clock(meta["clock"])


def _place(event: Event) -> str:
    """Where in its file a worker raised, by the last line of its traceback that names one, to follow a time."""
    found = re.findall(r'File "([^"]+)", line (\d+)', str(event.data.get("traceback", "")))
    return f", {Path(found[-1][0]).name}:{found[-1][1]}" if found else ""


def _not_taken_up(of: object, what: str, error: BaseException | None) -> TaktError:
    """A ledger's snapshot is damaged, or of another version of what is to go on from it."""
    why = "" if error is None else f": {one_line(error)}{where(error)}"
    return TaktError(f"{of} cannot be gone on with: its snapshot is none that {what} can take up{why}")


def _did(error: BaseException) -> str:
    """What a worker did that raised in `act`, after its name."""
    if isinstance(error, Gone):
        return f"is gone: {' '.join(str(error).split())}"
    return str(error) if isinstance(error, Unanswered) else f"raised {one_line(error)}"


def as_told_by(started: Event, before: Event) -> Event:
    """`shift_started` without what an older Takt did not write there: how units are to be counted is no difference."""
    data = {key: value for key, value in started.data.items() if key not in HOW_COUNTED or key in before.data}
    return Event(started.t_s, started.kind, started.unit, data)


def _started(shift: Mapping[str, Any], spec: StationSpec) -> dict[str, Any]:
    """What `shift_started` says: all that figures and verdict need to know beside the events themselves."""
    cycle_s = spec.acceptance.cycle_s
    acceptance = {**asdict(spec.acceptance), "cycle_s": cycle_s if math.isfinite(cycle_s) else None}  # JSON has no inf
    if acceptance["stands_to"] is None:
        del acceptance["stands_to"]
    # Only what a station says: what it leaves at rest is not written, so shifts of older ledgers keep their digests.
    told = {
        "pace": None if spec.pace == BEAT else spec.pace,
        "unit_life_s": spec.unit_life_s,
        "planned_cycle_s": spec.planned_cycle_s,
        "cost_range_eur": None if spec.cost_range_eur is None else list(spec.cost_range_eur),
    }
    return {
        **{key: shift[key] for key in DEFINITION},
        "takt_s": spec.takt_s,
        "control_s": spec.control_s,
        "acceptance": acceptance,
        "parts": list(spec.parts),
        "privileged": spec.privileged,
        "stops": [name for name, kind in spec.faults.items() if kind.stops],
        **{key: value for key, value in told.items() if value is not None},
    }


@contextmanager
def _opened(
    station: str | Station,
    station_options: Mapping[str, Any],
    worker: str | AnyWorker,
    worker_options: Mapping[str, Any],
    isolate: bool = False,
) -> Iterator[tuple[Station, Worker]]:
    """Station and worker, opened if they are names. What was opened here is closed here."""
    if isinstance(station, str):
        registered_station(station)  # a wrong name is said first: which workers there are depends on it
    name = station if isinstance(station, str) else _station_name(station)
    if isolate and not isinstance(worker, str):
        raise TaktError("a worker is isolated by its name, such as my_module:MyWorker; an object is here already")
    make = isolated if isolate else open_worker
    who = make(worker, name, **worker_options) if isinstance(worker, str) else as_worker(worker)
    asked = {**getattr(who, "station_options", {}), **station_options}
    with ExitStack() as closing:
        if isinstance(who, Isolated):
            closing.callback(who.close)
        here = open_station(station, **asked) if isinstance(station, str) else station
        if isinstance(station, str):
            closing.callback(here.close)
        yield here, who


@contextmanager
def _reopened(
    path: str | PathLike[str],
    meta: Mapping[str, Any],
    station: str | Station | None,
    worker: str | AnyWorker | None,
    named: Named,
    asks: bool = False,
    **station_options: Any,
) -> Iterator[tuple[Station, Worker]]:
    """Station and worker of a ledger: as they are given, or as it names them, if that may be opened (trust.py).

    A station may raise anything at options or a state that a file has made up: that is one line about the file.
    """
    if isinstance(worker, str):
        named = replace(named, worker=worker)
    inside = isinstance(station, str | None), isinstance(worker, str | None)
    check_named(path, meta, named, station=inside[0], worker=inside[1], asks=asks)
    here = meta["station"] if station is None else station
    who = meta["worker"] if worker is None else worker
    if _rules(meta) not in range(1, RULES + 1):
        raise TaktError(
            f"this shift was worked by rules {_rules(meta)!r}, and this Takt knows 1 to {RULES}; install a newer one"
        )
    isolate = bool(meta.get("isolate")) and isinstance(who, str)
    options = {**meta["options"], **station_options}
    try:
        with _opened(here, options, who, meta["worker_options"], isolate) as opened:
            yield opened
    except MADE_UP as error:
        raise TaktError(f"{path} cannot be worked as it is written: {one_line(error)}") from error


@contextmanager
def _begun(loop: Loop) -> Iterator[list[Event]]:
    """The shift, started; the worker is told when it is over, however that comes."""
    started = loop.start()
    try:
        yield started
    finally:
        try:
            loop.worker.end()
        except BaseException as error:  # the shift itself is done: its ledger must not be lost for this
            if is_stop(error):
                raise
            warnings.warn(f"worker {loop.shift['worker']!r} raised in end: {one_line(error)}", stacklevel=2)


def _check_ready(worker: Worker) -> None:
    """A worker that will ask a server may say now why it cannot: `ready`, which a repeated shift's is not asked."""
    ready = getattr(worker, "ready", None)
    if callable(ready) and not isinstance(worker, Isolated):
        ready()


def _scheduled(faults: Sequence[str | Fault], spec: StationSpec, seed: int, length_s: float) -> tuple[Fault, ...]:
    given = [fault for fault in faults if isinstance(fault, Fault)]
    check_faults(spec, given)
    return merged([*given, *schedule([fault for fault in faults if isinstance(fault, str)], spec, seed, length_s)])


def _station_name(station: Station) -> str:
    return station.spec.station or type(station).__name__


def _name(worker: AnyWorker) -> str:
    return getattr(worker, "__name__", type(worker).__name__)


def _circumstances(spec: StationSpec) -> dict[str, Any]:
    """When and with what the shift was worked. In the ledger, but no part of the shift (not in its digest)."""
    packages = {"takt": installed(), **{name: version(name) for name in ("numpy", "gymnasium", *spec.packages)}}
    machine = {"platform": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    return {"begun_utc": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine, "packages": packages}
