"""The driver: works a plan until all of it is done, certain, or used up; and may die at any moment.

It keeps nothing that matters. Ledgers have the shifts, and whoever begins the same plan again, anywhere, finds what is
there and goes on with the rest.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from takt.errors import TaktError
from takt.fleet.arms import by_seed, in_order
from takt.fleet.crew import Crew, MachineFault
from takt.fleet.endpoints import check_answers
from takt.fleet.executor import Executor
from takt.fleet.found import Found, found_in
from takt.fleet.job import ENDED, FAULT, LEFT, PROGRESS, REFUSED, STORE, Job, Message
from takt.fleet.looks import Looks
from takt.fleet.made import begun_over, kept_in, kept_of
from takt.fleet.notes import notes_of
from takt.fleet.plan import Arm, Plan, Planned
from takt.fleet.record import Record
from takt.fleet.spending import SPENT, Spending
from takt.fleet.store import Ledgers, ledger_of, stamp_of
from takt.fleet.together import Place, Together

TICK_S = 0.25
SAY_S = 1.0  # between two words of the driver to those who look
KEPT = 50  # records are written so many at a time, or after SAY_S

WORKED, CERTAIN, BUDGET, STOPPED, FULL = "worked", "certain", "budget", "stopped", "full"  # why a run is over


@dataclass(slots=True)
class Standing:
    """Where a fleet is.

    records   of shifts that have ended or were left, by id.
    refused   why a shift cannot be worked, by id; `lost`, those given up for faults of machines.
    spared    shifts that are not needed, for their arm is decided.
    why       why the run is over, and `told` in words; "" while it runs. `needs`: what must be before it can go on.
    """

    records: dict[str, Record] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lost: dict[str, MachineFault] = field(default_factory=dict)
    spared: set[str] = field(default_factory=set)
    began: int = 0
    why: str = ""
    told: str = ""
    needs: str = ""

    @property
    def ended(self) -> int:
        return sum(bool(record.ended) for record in self.records.values())


class Driver:
    """One run of a plan. `run` returns where the fleet is when there is nothing more to do.

    on_news   called with the standing and the running jobs, about once a second.
    """

    def __init__(
        self,
        plan: Plan,
        executor: Callable[[], Executor],
        on_news: Callable[[Standing, Mapping[Job, Mapping[str, Any]]], None] = lambda standing, running: None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.plan, self._make, self._on_news, self._on_line = plan, executor, on_news, on_line
        self.standing = Standing()
        self._of: dict[str, list[Planned]] = {arm.name: [] for arm in plan.arms}
        for shift in plan.shifts:
            self._of[shift.arm.name].append(shift)
        self._notes = notes_of(plan)
        self._ledgers: Ledgers | None = None  # as they were when the run began
        self._jobs: dict[Job, Planned] = {}
        self._unreadable: dict[str, str] = {}  # ledgers, and why, by the ids of their shifts
        self._new: list[tuple[str, Record]] = []
        self._new_stamps: dict[str, int] = {}
        self._done_arms: set[str] = set()
        self._refused_arms: dict[str, str] = {}  # of which no shift can be begun, and why; said once for all of them
        self._together = {
            work: Together([a.name for a in arms], alpha=plan.stop.alpha, by=plan.stop.by, margin=plan.stop.margin)
            for work, arms in works(plan).items()
            if plan.stop.compare and len(arms) > 1
        }
        self._looks = {arm.name: Looks(alpha=plan.stop.alpha, by=plan.stop.by, accept=plan.accept) for arm in plan.arms}
        self._at = {arm: {shift.seed: shift for shift in shifts} for arm, shifts in self._of.items()}
        self._seeds = {work: seeds_of(plan, work) for work in self._together}
        self._rows: dict[str, dict[str, list[Place]]] = {  # the shifts of all arms of a work, by their seeds
            work: {arm: [] for arm in together.arms} for work, together in self._together.items()
        }
        self._spent = Spending()
        self._said_s = self._kept_s = 0.0

    def run(self) -> Standing:
        """Work it. Raises TaktError if it cannot be begun; KeyboardInterrupt leaves all ledgers at their last unit."""
        there = kept_in(self._notes)
        told, kept = begun_over(self.plan, there), kept_of(self.plan, there)
        self._notes.drive(kept.text, kept.made)
        if told:
            self._on_line(told)
        try:
            self._ledgers = Ledgers(self.plan.store)
            found = found_in(self.plan, self._notes, self._ledgers)
            self.standing.records, self._unreadable = found.records, dict(found.unreadable)
            for record in self.standing.records.values():
                self._spent.say(record.id, {key: getattr(record, key) for key in SPENT})
            self._refuse_damaged(found)
            self._look(self.plan.arms)
            waiting = self._waiting()
            if waiting:
                used = {name for shift in waiting for name in shift.arm.endpoints}
                check_answers(one for name, one in self.plan.endpoints.items() if name in used)
                self._work(waiting)
            else:
                self._over(CERTAIN if self.standing.spared else WORKED, "nothing is left to do")
            return self.standing
        finally:
            with suppress(TaktError):  # another one drives, or the store is gone: there is nothing here that matters
                self._keep(now=True)
                self._say({}, over=True)
            self._notes.close()

    def _work(self, waiting: list[Planned]) -> None:
        began_s = time.monotonic()
        crew = Crew(self._make(), self.plan.limits, self.plan.endpoints, self._faulted, self._busy)
        try:
            for shift in {(s.arm.cores, s.arm.gpus, s.arm.memory_gb): s for s in waiting}.values():
                if why := crew.never(job_of(self.plan, shift)):
                    raise TaktError(f"{shift.arm.name}: {why}")
            while True:
                if not self.standing.why:
                    self._check_budget(began_s)
                if self.standing.why:
                    crew.leave([*crew.running, *crew.waiting()])
                else:
                    waiting = self._begin(waiting, crew)
                if crew.idle and (self.standing.why or not waiting):
                    break
                for message in crew.wait(TICK_S):
                    self._heard(message, crew)
                self._keep()
                self._say(crew.running)
            if self.standing.why in (BUDGET, STOPPED) and not self._waiting():  # what ran was the last of it
                self.standing.why = self.standing.told = self.standing.needs = ""
            if not self.standing.why:
                self._over(CERTAIN if self.standing.spared else WORKED, "")
        finally:
            crew.close()

    def _waiting(self) -> list[Planned]:
        """What is left to be worked, in the plan's order."""
        records = self.standing.records
        left = [shift for shift in self.plan.shifts if not (shift.id in records and records[shift.id].ended)]
        left = [shift for shift in left if shift.id not in self.standing.refused]
        self.standing.spared = {shift.id for shift in left if shift.arm.name in self._done_arms}
        return [shift for shift in left if shift.arm.name not in self._done_arms]

    def _refuse_damaged(self, found: Found) -> None:
        """Whoever worked a shift whose ledger is not what it ended with would find an end there, and count it."""
        for shift in self.plan.shifts:
            if shift.id in found.damaged:
                self._refuse(shift, f"{found.unreadable[shift.id]}; move it away, and the shift is worked again")

    def _refuse(self, shift: Planned, why: str) -> None:
        self.standing.refused[shift.id] = why
        self._on_line(f"{shift.arm.name}, seed {shift.seed}: {why}")

    def _begin(self, waiting: list[Planned], crew: Crew) -> list[Planned]:
        """Begin what there is room for; what is left of `waiting`."""
        left: list[Planned] = []
        full: set[tuple[float, float, tuple[str, ...]]] = set()  # of this size and these servers there is no room
        for number, shift in enumerate(waiting):
            arm = shift.arm
            if arm.name in self._done_arms:
                self.standing.spared.add(shift.id)
                continue
            if arm.name in self._refused_arms:
                self.standing.refused[shift.id] = self._refused_arms[arm.name]
                continue
            kind = (arm.cores, arm.gpus, tuple(arm.endpoints))
            if kind not in full:
                job = job_of(self.plan, shift, self._ledgers)
                if crew.room(job):
                    self._jobs[job] = shift
                    self.standing.began += 1
                    crew.start(job)
                    continue
                full.add(kind)
                if len(full) >= self._kinds:
                    return [*left, *waiting[number:]]
            left.append(shift)
        return left

    @property
    def _kinds(self) -> int:
        return len({(arm.cores, arm.gpus, tuple(arm.endpoints)) for arm in self.plan.arms})

    def _heard(self, message: Message, crew: Crew) -> None:
        shift = self._jobs.get(message.job)
        if shift is None:
            return
        if message.kind == PROGRESS:
            self._spent.say(shift.id, message.data)
            return
        del self._jobs[message.job]
        if message.kind in (ENDED, LEFT) and message.data:
            told = {key: value for key, value in message.data.items() if key not in ("log",)}
            record = Record.read(told)
            self.standing.records[shift.id] = record
            self._unreadable.pop(shift.id, None)
            self._new.append((shift.arm.name, record))
            self._new_stamps[shift.id] = stamp_of(message.job.ledger)
            self._spent.say(shift.id, told)
            if message.kind == LEFT and shift.arm.name in self._done_arms:
                self.standing.spared.add(shift.id)
        elif message.kind == REFUSED:
            self._refuse(shift, str(message.data["why"]))
            if why := message.data.get("arm"):
                self._refused_arms[shift.arm.name] = str(why)
        elif message.kind == FAULT and message.data.get("kind") == STORE:
            self._over(FULL, str(message.data["why"]))
        if message.kind in (ENDED, FAULT, REFUSED):
            done = self._look([shift.arm])
            crew.leave([job for job, other in self._jobs.items() if other.arm.name in done])

    def _faulted(self, fault: MachineFault) -> None:
        self._notes.add_fault(fault)
        if fault.given_up:
            self.standing.lost[fault.id] = fault
        ends = "the fleet ends, for the next shift could not be written either"
        how = "given up" if fault.given_up else ends if fault.kind == STORE else "it will be tried again"
        self._on_line(f"{fault.arm}, seed {fault.seed}: {fault.kind}: {fault.why}; {how}")

    def _busy(self, job: Job, why: str) -> None:
        self._on_line(f"{job.arm}, seed {job.seed}, waits: {why}")

    @property
    def _missing(self) -> set[str]:
        """Shifts that a look does not wait for: given up, or not to be worked as things are."""
        return {*self.standing.lost, *self.standing.refused, *self._unreadable}

    def _look(self, arms: Sequence[Arm]) -> set[str]:
        """Which arms are done now, and were not before: a look after a shift of each of `arms`."""
        stop = self.plan.stop
        if not stop.verdict and not stop.compare:
            return set()
        before = set(self._done_arms)
        for arm in arms:
            compared = bool(stop.compare) and arm.work in self._together
            if stop.verdict and self._decided(arm.name) and not compared:
                self._done_arms.add(arm.name)
        for work in {arm.work for arm in arms} & set(self._together):
            together, rows = self._together[work], self._rows[work]
            for name, row in rows.items():
                row += by_seed(self._seeds[work][len(row) :], self._at[name], self.standing.records, self._missing)
            together.follow(rows, stop.compare)
            for name in set(rows) - together.needed(stop.compare):
                if not stop.verdict or self._decided(name):
                    self._done_arms.add(name)
        return self._done_arms - before

    def _decided(self, arm: str) -> bool:
        """Whether an arm's verdict is reached by its shifts so far."""
        looks = self._looks[arm]
        return looks.reached is not None or looks.follow(
            in_order(self._of[arm][looks.taken :], self.standing.records, self._missing)
        )

    def _check_budget(self, began_s: float) -> None:
        budget, spent = self.plan.budget, self._spent
        for name, used, most in (
            ("money", spent["money"], budget.money),
            ("tokens", spent["tokens"], budget.tokens),
            ("hours", (time.monotonic() - began_s) / 3600, budget.hours),
            ("machine_hours", spent["wall_s"] / 3600, budget.machine_hours),
        ):
            if most is not None and used >= most:
                told = f"the budget of {name.replace('_', ' ')} is used up: {used:,.4g} of {most:,.4g}"
                again = name == "hours" and self.standing.began > 0  # of the next run's there is as much again
                self._over(BUDGET, told, "" if again else f"it goes on once the plan's [budget] has more {name}")
        if self._notes.asked_to_stop():
            self._over(STOPPED, "it was asked to stop")

    def _over(self, why: str, told: str, needs: str = "") -> None:
        if not self.standing.why:
            self.standing.why, self.standing.told, self.standing.needs = why, told, needs

    def _keep(self, now: bool = False) -> None:
        if self._new and (now or len(self._new) >= KEPT or time.monotonic() - self._kept_s > SAY_S):
            self._notes.put(self._new, self._new_stamps)
            self._new, self._new_stamps, self._kept_s = [], {}, time.monotonic()

    def _say(self, running: Mapping[Job, Mapping[str, Any]], over: bool = False) -> None:
        if not over and time.monotonic() - self._said_s < SAY_S:
            return
        self._said_s = time.monotonic()
        told = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "at_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "running": [{"arm": job.arm, "seed": job.seed, "id": job.id, **said} for job, said in running.items()],
            "spared": sorted(self.standing.spared),
            "refused": self.standing.refused,
            "over": self.standing.why if over else "",
            "told": self.standing.told,
        }
        self._notes.say(told)
        self._on_news(self.standing, running)


def works(plan: Plan) -> dict[str, list[Arm]]:
    """The arms of each work: those that can be compared."""
    found: dict[str, list[Arm]] = {}
    for arm in plan.arms:
        found.setdefault(arm.work, []).append(arm)
    return found


def seeds_of(plan: Plan, work: str) -> list[int]:
    """The seeds of all arms of a work, in the plan's order; an arm need not have all of them (`exclude`)."""
    return list(dict.fromkeys(shift.seed for shift in plan.shifts if shift.arm.work == work))


def job_of(plan: Plan, shift: Planned, ledgers: Ledgers | None = None) -> Job:
    arm = shift.arm
    return Job(
        id=shift.id,
        arm=arm.name,
        station=arm.station,
        worker=arm.worker,
        seed=shift.seed,
        ledger=ledgers.of(shift) if ledgers is not None else ledger_of(plan.store, shift),
        hours=arm.hours,
        units=arm.units,
        clock=arm.clock,
        faults=list(arm.faults),
        station_options=arm.station_options,
        worker_options=arm.worker_options,
        isolate=arm.isolate,
        call_timeout_s=arm.call_timeout_s,
        cores=arm.cores,
        gpus=arm.gpus,
        memory_gb=arm.memory_gb,
        endpoints=list(arm.endpoints),
        definition=arm.definition,
    )
