"""What works jobs: processes here, or machines elsewhere. `takt fleet`, `compare` and `run` share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from takt.fleet.job import Job, Message


class Executor(Protocol):
    """Works jobs, each in a process of its own that may die. It retries nothing and counts nothing (crew.py does)."""

    def never(self, job: Job) -> str:
        """Why no machine that there is could work this one; "" if one can, or may."""
        ...

    def room(self, job: Job) -> bool:
        """Whether `start` would begin this one now."""
        ...

    def start(self, job: Job) -> None: ...

    def wait(self, timeout_s: float) -> Sequence[Message]:
        """What has been told of running jobs since the last time; at most so long until there is something."""
        ...

    def leave(self, job: Job) -> None:
        """Ask it to leave its shift at the unit's end. It comes back as LEFT, or as ENDED."""
        ...

    def kill(self, job: Job) -> None:
        """End its process at once. Nothing is told of the job any more; its ledger is at its last unit's end."""
        ...

    def close(self) -> None:
        """End all processes at once."""
        ...
