"""One control period after the other: who acts, when the worker is asked, and what a call costs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from takt.contract.clock import Clock
from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    SAID,
    SHIFT_ENDED,
    SHIFT_STARTED,
    THOUGHT,
    UNIT_DUE,
    UNIT_ENDED,
    WHILE_OPEN,
    WORKER_RAISED,
    Event,
)
from takt.contract.foreign import check_stop, foreign, is_stop, one_line, trace, where
from takt.contract.plan import BrokenPlan, Checked, checked, took_s
from takt.contract.station import Dealing, Occupied, Station, TaktError
from takt.contract.worker import Finished, Gone, Journal, Journaled, Plan, Recording, Resumable, Worker
from takt.ledger.journal import OfStation
from takt.ledger.pack import pack, unpack
from takt.secret import masked
from takt.shift.calls import Calls, Unanswered
from takt.shift.definition import not_taken_up, reset_as, rules_of, seed_of_worker, started_data

RESTART_S = 30.0  # station time that a worker is down after it has raised
NEVER = 2**62  # control periods: longer than any shift


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
        self.open: set[int] | None = set()  # units that fell due and have not ended; None where that is not known
        self.while_open = [0, 0]  # how many of those calls were made while one was, and what they cost
        self.unit: int | None = None  # the last that fell due and has not ended; faults of the worker belong to it
        self.about: int | None = None  # the one that the worker deals with, as far as its actions say
        self.files_by_action = rules_of(shift) > 2 and isinstance(station, Dealing)
        self.calls = Calls(shift.get("call_timeout_s"))
        self.occupied: Occupied | None = station if isinstance(station, Occupied) else None

    def start(self) -> list[Event]:
        """Begin the shift. One that goes on from a snapshot begins too, and then loads."""
        with foreign(f"worker {self.shift['worker']!r} raised in begin"):
            self.worker.begin(self.spec, seed_of_worker(self.shift))
        with foreign(f"station {self.shift['station']!r} raised in reset"):
            self.observation, info = reset_as(self.station, self.shift)
        happened = self._followed(info.get("events") or [])
        return [Event(self.station.now, SHIFT_STARTED, None, started_data(self.shift, self.spec)), *happened]

    def keep_in(self, journal: Journal) -> None:
        """Where worker and station are to keep what cannot be had again, if they are of those that do."""
        if isinstance(self.station, Journaled):
            self.station.keep_in(OfStation(journal))
        if isinstance(self.worker, Recording):
            with foreign(f"worker {self.shift['worker']!r} raised in keep_in"):
                self.worker.keep_in(journal)

    def step(self) -> list[Event]:
        """One control period, and what happened in it. Nothing does once the worker is done or broke its contract."""
        woke: list[Event] = []
        busy = self.occupied is not None and self.occupied.busy > 0
        stands = busy and self.mode == "working"  # the plan goes on when its last action is done
        while self.wake_in == 0 and not stands:
            self._wake(woke)
            if self.over:
                return woke
        self.wake_in -= not stands
        try:
            if self.next < len(self.actions) and not busy:
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

    def ended(self, reason: str, why: str = "") -> Event:
        """The shift's last event."""
        words = self.last_words if reason == self.over else {"why": why} if why else {}
        data: dict[str, Any] = {"reason": reason, **words}
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
        still = None if self.open is None else sorted(self.open)
        with foreign(f"station {self.shift['station']!r} raised in save"):
            station = self.station.save()
        told = (*loop, still, self.while_open)
        state = {"station": station, "worker": worker, "loop": told, "observation": self.observation}
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
            later: list[Any] = [*more, *(None, None, [0, 0])[len(more) :]]  # of which older ledgers have less
            self.about, self.while_open = later[0], later[2]
            self.open = None if later[1] is None else set(later[1])
            self.arriving = Checked(*arriving)
            self.observation, of_station, of_worker = state["observation"], state["station"], state["worker"]
            counts = [self.wake_in, self.next, *self.costs, *self.while_open]
            sound = self.mode in ("working", "thinking", "down") and all(
                isinstance(n, int | np.integer) and n >= 0 for n in counts
            )
            sound = sound and len(self.while_open) == 2
        except (ValueError, TypeError, LookupError) as error:
            raise not_taken_up(of, "a shift", None) from error
        if not sound:
            raise not_taken_up(of, "a shift", None)
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
                raise not_taken_up(of, f"{what} {self.shift[what]!r}", None if ours else error) from error

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
            said = masked(" ".join(str(done).split()))
            self.over, self.last_words = "worker_done", {"error" if done.failed else "why": said}
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
            if self.open:
                self.while_open = [self.while_open[0] + 1, self.while_open[1] + cost]
            self.arriving = checked(answer, self.station.action_space, cost)
        except BaseException as error:
            if isinstance(error, TaktError) or is_stop(error):
                raise
            self.over = "broken_plan"
            what = masked(str(error)) if isinstance(error, BrokenPlan) else f"what cannot be read: {one_line(error)}"
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
                if self.open is not None and event.unit is not None:
                    self.open.add(event.unit)
            elif event.kind in UNIT_ENDED:
                self.unit = None if event.unit == self.unit else self.unit
                self.about = None if event.unit == self.about else self.about
                data: dict[str, Any] = {
                    "calls": len(self.costs),
                    "seconds": round(sum(self.costs) * self.control_s, 9),
                }
                if self.clock.measures:
                    data["periods"] = self.costs
                if self.open is not None and event.unit in self.open:
                    self.open.remove(event.unit)
                    calls, periods = self.while_open
                    data[WHILE_OPEN] = {"calls": calls, "seconds": round(periods * self.control_s, 9)}
                else:  # this station does not say when units fall due
                    self.open = None
                thoughts.append(Event(self.station.now, THOUGHT, event.unit, data))
                self.costs, self.while_open = [], [0, 0]
        return [*happened, *thoughts]


def _did(error: BaseException) -> str:
    """What a worker did that raised in `act`, after its name."""
    if isinstance(error, Gone):
        return f"is gone: {masked(' '.join(str(error).split()))}"
    return masked(str(error)) if isinstance(error, Unanswered) else f"raised {one_line(error)}"
