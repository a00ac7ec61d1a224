"""Processes on this machine that work jobs, each ended if it grows too big or is silent too long."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from takt.errors import TaktError
from takt.fleet.job import FAULT, LOST, MEMORY, PROGRESS, SILENT, Job, Message

MOST_SHIFTS = 200  # that one process works before a fresh one takes its place: what leaks ends there
LOOK_S = 1.0  # between two looks at what processes take
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def sys_path() -> list[str]:
    """Where this process imports from, as other processes find it."""
    return [os.path.abspath(path) for path in sys.path]


class Child:
    """One process (child.py), with the job that it works.

    path, folder   where it imports from, and the folder that it is in; by default as for this process.
    """

    def __init__(self, logs: Path, path: Sequence[str] = (), folder: str | None = None) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{socket.gethostname()}-{os.getpid()}-{time.time_ns() // 1000}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # nosec B603: our own program, words and no shell
                [sys.executable, "-m", "takt.fleet.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl-C is for the one who started it, and it goes with its own
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(path or sys_path())},
            )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.job: Job | None = None
        self.arms: set[str] = set()
        self.worked = 0
        self.heard_s = time.monotonic()
        self._rest = b""

    def start(self, job: Job) -> None:
        self.job, self.heard_s = job, time.monotonic()
        self.arms.add(job.arm)
        self.worked += 1
        self.tell(job.told())

    def tell(self, told: object) -> None:
        assert self.process.stdin is not None
        with suppress(OSError):  # it has died: that is seen when it is read
            self.process.stdin.write(json.dumps(told).encode() + b"\n")
            self.process.stdin.flush()

    def read(self) -> list[Message] | None:
        """What it has told; None if it has died."""
        assert self.process.stdout is not None
        try:
            data = self.process.stdout.read()
        except OSError:
            data = b""
        if data == b"":
            return None
        *lines, self._rest = (self._rest + (data or b"")).split(b"\n")
        found = []
        for line in lines:
            told = json.loads(line)
            self.heard_s = time.monotonic()
            if self.job is None or "kind" not in told:
                continue
            found.append(Message(self.job, told["kind"], {**told["data"], **self.place}))
            if told["kind"] != PROGRESS:
                self.job = None
        return found

    @property
    def place(self) -> dict[str, str]:
        return {"host": socket.gethostname(), "log": str(self.log)}

    def end(self) -> int:
        """End it and what it has started, at once; its exit code."""
        with suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()
        return code

    def fault(self, kind: str, why: str) -> list[Message]:
        """It is gone, or is to go, for this reason; what is to be told of it."""
        job, self.job = self.job, None
        self.end()
        return [] if job is None else [Message(job, FAULT, {"kind": kind, "why": why, **self.place})]

    def died(self) -> list[Message]:
        code = self.end()
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with exit code {code}"
        return self.fault(LOST, f"the process ended {how}")

    def memory_gb(self) -> float:
        """What it and all that it has started hold in memory; 0 where that cannot be seen."""
        return sum(map(_resident, _family(self.process.pid))) / 1e9


class Local:
    """Executor of processes on this machine.

    jobs      shifts at a time, at most; each takes as many of them as its `cores`.
    silent_s  without a sign of life for so long, a process is ended.
    """

    def __init__(self, jobs: int, logs: Path, silent_s: float = 600.0) -> None:
        if jobs < 1:
            raise TaktError(f"--jobs is {jobs}; at least one shift must be worked at a time")
        self.jobs, self.logs, self.silent_s = jobs, logs, silent_s
        self._children: list[Child] = []
        self._pipes = selectors.DefaultSelector()
        self._looked_s = 0.0

    def never(self, job: Job) -> str:
        return ""  # what is more than this machine has is worked by itself; it counts no GPUs

    def room(self, job: Job) -> bool:
        taken = sum(child.job.cores for child in self._children if child.job is not None)
        return not taken or taken + job.cores <= self.jobs

    def start(self, job: Job) -> None:
        free = [child for child in self._children if child.job is None]
        tired = [child for child in free if child.worked >= MOST_SHIFTS]
        for child in tired:
            self._drop(child)
        free = [child for child in free if child not in tired]
        known = [child for child in free if job.arm in child.arms]
        if known or (free and len(self._children) >= self.jobs):
            child = (known or free)[0]
        else:
            child = Child(self.logs)
            self._children.append(child)
            self._pipes.register(child.process.stdout, selectors.EVENT_READ, child)  # type: ignore[arg-type]
        child.start(job)

    def wait(self, timeout_s: float) -> Sequence[Message]:
        found: list[Message] = []
        for key, _ in self._pipes.select(timeout_s) if self._children else ():
            child = key.data
            told = child.read()
            if told is None:
                found += child.died()
                self._drop(child)
            else:
                found += told
        if time.monotonic() - self._looked_s >= LOOK_S:
            self._looked_s = time.monotonic()
            found += self._looked()
        return found

    def leave(self, job: Job) -> None:
        for child in self._children:
            if child.job == job:
                child.tell({"leave": True})

    def kill(self, job: Job) -> None:
        for child in [one for one in self._children if one.job == job]:
            self._drop(child)

    def close(self) -> None:
        for child in list(self._children):
            self._drop(child)

    def _looked(self) -> list[Message]:
        """End what takes too much, or is silent."""
        found = []
        for child in list(self._children):
            if child.job is None:
                continue
            why = too_much(child, self.silent_s)
            if why is not None:
                found += child.fault(*why)
                self._drop(child)
        return found

    def _drop(self, child: Child) -> None:
        with suppress(KeyError, ValueError):
            self._pipes.unregister(child.process.stdout)  # type: ignore[arg-type]
        child.end()
        self._children.remove(child)


def too_much(child: Child, silent_s: float) -> tuple[str, str] | None:
    """The fault of a process that takes more memory than its job may, or is silent; None if it is well."""
    job = child.job
    if job is not None and job.memory_gb is not None:
        taken = child.memory_gb()
        if taken > job.memory_gb:
            return MEMORY, f"it took {taken:.2f} GB of memory, and may take {job.memory_gb:g}"
    silent = time.monotonic() - child.heard_s
    if silent > silent_s:
        return SILENT, f"no sign of life for {silent:.0f} s; it was ended"
    return None


def _family(pid: int) -> list[int]:
    found, at = [pid], 0
    while at < len(found):
        with suppress(OSError, ValueError):
            for task in Path(f"/proc/{found[at]}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        at += 1
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0
