"""Paired shifts worked ahead, several at a time, for `takt compare --jobs`: the rounds then find them done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from takt.errors import TaktError
from takt.fleet.crew import Crew, MachineFault
from takt.fleet.executor import Executor
from takt.fleet.job import ENDED, PROGRESS, Job
from takt.fleet.plan import Limits
from takt.shift.rounds import Contestant

TICK_S = 0.5


class Ahead:
    """Works the shifts of rounds in their order, as many at a time as the executor has room for.

    shift      what all shifts have in common: station, station_options, hours, units, clock, faults.
    on_fault   told of each fault of a machine.
    """

    def __init__(
        self, executor: Executor, at_once: int, shift: Mapping[str, Any], on_fault: Callable[[MachineFault], None]
    ) -> None:
        self._crew, self._at_once, self._shift = Crew(executor, Limits(), on_fault=on_fault), at_once, shift
        self._rounds: list[list[Job]] = []
        self._begun = 0  # rounds of which all jobs were begun, or wait for room
        self._waiting: list[Job] = []
        self._open: set[Job] = set()

    def prepare(self, rounds: Sequence[Sequence[tuple[Contestant, int, Path]]]) -> None:
        """The rounds that may come: worker, seed and ledger of each shift."""
        self._rounds = [[self._job(*one) for one in shifts] for shifts in rounds]

    def ready(self, number: int) -> None:
        """Return when every shift of this round has ended. Later rounds are begun where there is room for them.

        Raises TaktError if one of them cannot be worked.
        """
        ahead = max(1, -(-self._at_once // max(1, len(self._rounds[number]))))
        while self._begun < min(number + ahead, len(self._rounds)):
            self._waiting += self._rounds[self._begun]
            self._open |= set(self._rounds[self._begun])
            self._begun += 1
        while self._open & set(self._rounds[number]):
            while self._waiting and self._crew.room(self._waiting[0]):
                self._crew.start(self._waiting.pop(0))
            for message in self._crew.wait(TICK_S):
                if message.kind == ENDED:
                    self._open.discard(message.job)
                elif message.kind != PROGRESS:
                    raise TaktError(
                        f"{message.job.arm}, seed {message.job.seed}: {message.data.get('why', 'was left')}"
                    )

    def close(self) -> None:
        """End what still runs; its ledgers are at their last unit."""
        self._crew.close()

    def _job(self, worker: Contestant, seed: int, path: Path) -> Job:
        options = dict(worker.options)
        return Job(
            "", worker.name, worker=worker.worker, worker_options=options, seed=seed, ledger=str(path), **self._shift
        )
