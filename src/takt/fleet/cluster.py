"""Ray as an executor: each shift a task on whatever machine has room, worked there by a process as on this one.

Ray retries nothing by itself (`max_retries=0`): a lost machine comes back as a fault, the crew counts it, and the shift
goes on from its last finished unit on another one. Where ledgers are files, all machines must see the folder in which
the fleet was begun, by the same path; where they are in a database, they must reach that. Workers by import are found
by the same paths as here.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from takt.distribution import install
from takt.errors import TaktError
from takt.fleet.job import FAULT, HARNESS, LOST, MEMORY, PROGRESS, Job, Message
from takt.fleet.local import Child, sys_path, too_much

LOOK_S = 0.5
MACHINES_S = 10.0  # for a machine that is large enough, when a fleet is begun
ASK_S = 2.0  # between two words of a task with the driver

_kept: dict[str, Child] = {}  # in a worker process of Ray's: the process that works shifts, kept from task to task


class Cluster:
    """Executor on a Ray cluster: the one at `address`, or the one of this machine, which is begun if there is none.

    jobs   shifts at a time, at most; None: as many as the cluster has room for.
    """

    def __init__(self, address: str, jobs: int | None, logs: Path, silent_s: float) -> None:
        try:
            import ray
        except ModuleNotFoundError:
            raise TaktError(f"--on ray needs the extra `fleet`: {install('fleet')}") from None
        self._ray: Any = ray  # its types are of its own making
        self._logs, self._silent_s = logs.resolve(), silent_s
        if not ray.is_initialized():
            try:
                ray.init(address or None, log_to_driver=False, configure_logging=False, include_dashboard=False)
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                told = " ".join(str(error).split())
                raise TaktError(f"there is no Ray cluster at {address or 'this machine'}: {told[:300]}") from error
        self._jobs = jobs
        self._board: Any = self._ray.remote(num_cpus=0)(_Board).remote()
        self._task: Any = self._ray.remote(max_retries=0)(_worked)
        self._running: dict[Any, Job] = {}
        self._keys: dict[int, str] = {}  # by which a job's task is known to the board
        self._asked_s = 0.0

    def never(self, job: Job) -> str:
        """A machine that joins within MACHINES_S is waited for."""
        asked = {"CPU": job.cores, "GPU": job.gpus, "memory": (job.memory_gb or 0.0) * 1e9}
        until = time.monotonic() + MACHINES_S
        while True:
            there = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
            if any(all(one.get(what, 0.0) >= much for what, much in asked.items()) for one in there):
                return ""
            if time.monotonic() > until:
                break
            time.sleep(LOOK_S)
        have = "; ".join(
            f"{one.get('CPU', 0):g} cores, {one.get('GPU', 0):g} GPUs, {one.get('memory', 0) / 1e9:.3g} GB"
            for one in sorted(there, key=lambda one: -float(one.get("CPU", 0)))[:5]
        )
        gb = "" if job.memory_gb is None else f", {job.memory_gb:g} GB"
        asked_for = f"{job.cores:g} cores, {job.gpus:g} GPUs{gb}"
        return f"a shift takes {asked_for}, and no machine of the cluster has so much ({have})"

    def room(self, job: Job) -> bool:
        """Ray queues what does not fit; so that retries come first, not more is handed over than fits."""
        if self._jobs is not None and len(self._running) >= self._jobs:
            return False
        total = self._ray.cluster_resources()
        taken = sum(one.cores for one in self._running.values()), sum(one.gpus for one in self._running.values())
        fits = taken[0] + job.cores <= total.get("CPU", 0.0) and taken[1] + job.gpus <= total.get("GPU", 0.0)
        return fits or not self._running

    def start(self, job: Job) -> None:
        memory = {} if job.memory_gb is None else {"memory": int(job.memory_gb * 1e9)}
        task = self._task.options(num_cpus=job.cores, num_gpus=job.gpus, name=f"{job.arm} {job.seed}", **memory)
        key = f"{id(job)}-{time.monotonic_ns()}"
        told = job.told() if "://" in job.ledger else {**job.told(), "ledger": os.path.abspath(job.ledger)}
        place = {"logs": str(self._logs), "path": sys_path(), "folder": os.getcwd()}
        self._running[task.remote(told, key, self._board, place, self._silent_s)] = job
        self._keys[id(job)] = key

    def wait(self, timeout_s: float) -> Sequence[Message]:
        if not self._running:
            time.sleep(timeout_s)
            return []
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        found = [self._ended(ref) for ref in done]
        if time.monotonic() - self._asked_s > ASK_S:
            self._asked_s = time.monotonic()
            try:
                told: dict[str, Any] = self._ray.get(self._board.taken.remote(), timeout=30)
            except Exception:  # the board's machine is gone: another one takes its place
                self._board = self._ray.remote(num_cpus=0)(_Board).remote()
                told = {}
            by_key = {self._keys[id(job)]: job for job in self._running.values()}
            found += [Message(by_key[key], PROGRESS, data) for key, data in told.items() if key in by_key]
        return found

    def leave(self, job: Job) -> None:
        self._board.leave.remote(self._keys[id(job)])

    def kill(self, job: Job) -> None:
        for ref, one in list(self._running.items()):
            if one is job:
                self._ray.cancel(ref, force=True)
                del self._running[ref]

    def close(self) -> None:
        for ref in self._running:
            self._ray.cancel(ref, force=True)
        self._running.clear()
        self._ray.kill(self._board)

    def _ended(self, ref: Any) -> Message:
        job = self._running.pop(ref)
        fault: str
        why: BaseException
        try:
            kind, data = self._ray.get(ref)
            return Message(job, kind, data)
        except self._ray.exceptions.OutOfMemoryError as error:
            fault, why = MEMORY, error
        except (self._ray.exceptions.RayTaskError, self._ray.exceptions.RayActorError) as error:
            fault, why = HARNESS, error
        except self._ray.exceptions.RayError as error:
            fault, why = LOST, error
        told = " ".join(str(why).split())[:300]
        return Message(
            job, FAULT, {"kind": fault, "why": told or type(why).__name__, "host": "", "log": str(self._logs)}
        )


class _Board:
    """Where tasks leave signs of life, and see whether they are to leave."""

    def __init__(self) -> None:
        self._said: dict[str, Any] = {}
        self._leave: set[str] = set()

    def say(self, key: str, data: dict[str, Any]) -> bool:
        self._said[key] = data
        return key in self._leave

    def leave(self, key: str) -> None:
        self._leave.add(key)

    def taken(self) -> dict[str, Any]:
        said, self._said = self._said, {}
        return said


def _here(place: dict[str, Any]) -> tuple[Path, list[str], str | None]:
    """Logs, import path and folder of a process on this machine, which may not have the driver's folders."""
    logs, folder = Path(place["logs"]), place["folder"]
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError:
        logs = Path(tempfile.gettempdir()) / "takt-fleet"
    return logs, place["path"], folder if os.path.isdir(folder) else None


def _worked(
    told: dict[str, Any], key: str, board: Any, place: dict[str, Any], silent_s: float
) -> tuple[str, dict[str, Any]]:
    """On the machine that has room: hand the job to the process here, and pass on what it says."""
    import ray

    job = Job(**told)
    child = _kept.pop("child", None)
    if child is None or child.process.poll() is not None:
        child = Child(*_here(place))
    child.start(job)
    last: dict[str, Any] = {}
    asked_s = 0.0
    try:
        while True:
            time.sleep(0.02 if time.monotonic() - child.heard_s < 1 else LOOK_S)
            messages = child.read()
            if messages is None:
                messages = child.died()
            elif not messages and (why := too_much(child, silent_s)) is not None:
                messages = child.fault(*why)
            for message in messages:
                if message.kind != PROGRESS:
                    if message.kind != FAULT:
                        _kept["child"], child = child, None
                    return message.kind, dict(message.data)
                last = dict(message.data)
            if time.monotonic() - asked_s > ASK_S:
                asked_s = time.monotonic()
                with suppress(Exception):  # the board's machine is gone: the shift goes on
                    if ray.get(board.say.remote(key, last), timeout=30):
                        child.tell({"leave": True})
    finally:
        if child is not None:
            child.end()
