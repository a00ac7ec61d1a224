"""The crew: an executor's jobs, with faults of machines counted apart and retried within bounds, and only these.

What a worker does wrong is in its ledger and stays there. A machine that is lost, out of memory or silent costs a shift
nothing but time: it goes on from its last finished unit, wherever there is room.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from takt.contract.exchange import backoff_s
from takt.fleet.endpoints import silent
from takt.fleet.executor import Executor
from takt.fleet.job import BUSY, ENDED, FAULT, LEFT, PROGRESS, REFUSED, SERVER, STORE, Job, Message
from takt.fleet.plan import Endpoint, Limits
from takt.fleet.told import read_as

BUSY_S = 2.0  # until it is tried again, when somebody else works on a shift
LONGEST_BACKOFF_S = 300.0


@dataclass(frozen=True, slots=True)
class MachineFault:
    """A fault of a machine: which shift it cost how often, what it was, and where more stands."""

    id: str
    arm: str
    seed: int
    attempt: int
    kind: str
    why: str
    host: str
    log: str
    at_utc: str
    given_up: bool

    @classmethod
    def read(cls, told: Any) -> MachineFault:
        """From its JSON. Raises TypeError or ValueError if it is none."""
        return read_as(cls, told)


class Crew:
    """Jobs, and whoever works them. `running` has those under way with what they said last."""

    def __init__(
        self,
        executor: Executor,
        limits: Limits,
        endpoints: Mapping[str, Endpoint] | None = None,
        on_fault: Callable[[MachineFault], None] = lambda fault: None,
        on_busy: Callable[[Job, str], None] = lambda job, why: None,
    ) -> None:
        self._executor, self._limits, self._endpoints = executor, limits, endpoints or {}
        self._on_fault, self._on_busy = on_fault, on_busy
        self.running: dict[Job, Mapping[str, Any]] = {}
        self._again: list[tuple[float, Job]] = []  # not before this moment
        self._attempts: Counter[Job] = Counter()
        self._leaving: dict[Job, float] = {}  # since when
        self._busy: set[Job] = set()  # for which somebody else is waited

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits to be tried again."""
        return not self.running and not self._again

    def never(self, job: Job) -> str:
        """Why no machine that there is could work this one; "" if one may."""
        return self._executor.never(job)

    def room(self, job: Job) -> bool:
        """Whether this one can be begun now: there is a place for it, and its servers have one."""
        for name in job.endpoints:
            asking = sum(name in one.endpoints for one in self.running)
            if name in self._endpoints and asking >= self._endpoints[name].slots:
                return False
        return self._executor.room(job)

    def start(self, job: Job) -> None:
        self.running[job] = {}
        self._executor.start(job)

    def leave(self, jobs: Iterable[Job]) -> None:
        """Ask these to leave their shifts at a unit's end. Those that wait to be tried again are dropped."""
        wanted = set(jobs)
        self._again = [(at_s, job) for at_s, job in self._again if job not in wanted]
        for job in wanted & set(self.running) - set(self._leaving):
            self._leaving[job] = time.monotonic()
            self._executor.leave(job)

    def wait(self, timeout_s: float) -> list[Message]:
        """What has happened since the last time: progress; and of each job in the end ENDED, LEFT, REFUSED or FAULT."""
        now = time.monotonic()
        for at_s, job in sorted(self._again, key=lambda one: one[0]):
            if at_s <= now and self.room(job):
                self._again.remove((at_s, job))
                self.start(job)
        found: list[Message] = []
        for message in self._executor.wait(timeout_s):
            found += self._heard(message)
        for job, since_s in list(self._leaving.items()):
            if time.monotonic() - since_s > self._limits.grace_s:
                self._executor.kill(job)
                self._gone(job)
                found.append(Message(job, LEFT, {}))
        if not self.running and not found and self._again:
            time.sleep(timeout_s)
        return found

    def waiting(self) -> Sequence[Job]:
        """Those that will be tried again."""
        return [job for _, job in self._again]

    def close(self) -> None:
        self._executor.close()

    def _heard(self, message: Message) -> list[Message]:
        job, kind = message.job, message.kind
        if job not in self.running:
            return []
        if kind == PROGRESS:
            self.running[job] = message.data
            self._busy.discard(job)
            return [message]
        leaving = job in self._leaving
        self._gone(job)
        if kind in (ENDED, LEFT):
            return [message]
        if kind == BUSY:
            if job not in self._busy:  # said once, however often it is tried
                self._on_busy(job, str(message.data.get("why", "")))
            self._busy.add(job)
            self._again.append((time.monotonic() + BUSY_S, job))
            return []
        if kind == REFUSED:
            down = silent(self._endpoints[name] for name in job.endpoints if name in self._endpoints)
            if not down:
                return [message]
            why = f"{next(iter(down.values()))} ({message.data['why']})"
            message = replace(message, kind=FAULT, data={**message.data, "kind": SERVER, "why": why})
        return self._faulted(message, leaving)

    def _faulted(self, message: Message, leaving: bool) -> list[Message]:
        job, data = message.job, message.data
        self._attempts[job] += 1
        attempt = self._attempts[job]
        full = data.get("kind") == STORE  # so it is for every shift: the driver ends, and this one goes on another time
        given_up = attempt > self._limits.retries and not full
        told = {key: str(data.get(key, "")) for key in ("kind", "why", "host", "log")}
        at_utc = datetime.now(UTC).isoformat(timespec="seconds")
        fault = MachineFault(
            id=job.id, arm=job.arm, seed=job.seed, attempt=attempt, at_utc=at_utc, given_up=given_up, **told
        )
        self._on_fault(fault)
        if given_up or full:
            return [message]
        if leaving:
            return [Message(job, LEFT, {})]
        wait_s = backoff_s(attempt - 1, self._limits.backoff_s, LONGEST_BACKOFF_S)
        self._again.append((time.monotonic() + wait_s, job))
        return []

    def _gone(self, job: Job) -> None:
        self.running.pop(job, None)
        self._leaving.pop(job, None)
