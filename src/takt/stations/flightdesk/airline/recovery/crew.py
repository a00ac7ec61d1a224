"""Searchers, one a process. They can be killed at any moment, so that the process that asks heeds clock and signals.

The first time, one of them compiles (`compiled.py`), and the others wait for it; meanwhile a stand-in does the same
search as plain Python, which finds a better plan every few moves though it makes only a few moves a second.
"""

from __future__ import annotations

import math
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recovery import compiled
from takt.stations.flightdesk.airline.recovery.bound import Bound, lower_bound
from takt.stations.flightdesk.airline.recovery.problem import BROKEN
from takt.stations.flightdesk.airline.solution import Solution

LOOK = 0.1  # seconds between two looks at the clock while others work
STAND_IN_MOVES = 3  # of a round of the stand-in: a second or so
# Not `multiprocessing`: it waits until a new process has read its arguments, which can be seconds, and runs the main
# module of whoever calls again. -P: the folder one stands in is nothing to import from.
SERVE = [sys.executable, "-P", "-c", "from takt.stations.flightdesk.airline.recovery.crew import serve; serve()"]


@dataclass(frozen=True, slots=True)
class Round:
    """What a searcher is to do next; `start`: the plan to go on from, its own if None. `anew`: from the first plan.

    reseat   everybody is seated anew in its best plan (`seating.py`), once the iterations are done. On a large instance
             that takes a minute: so it is a round of its own, that what was found before be known meanwhile.
    """

    seed: int
    iterations: int
    hot: float
    cold: float
    start: bytes | None
    anew: bool = False
    reseat: bool = False

    @classmethod
    def seating(cls) -> Round:
        return cls(0, 0, 1.0, 1.0, None, reseat=True)


@dataclass(frozen=True, slots=True)
class Ready:
    """A searcher is ready to work; `compiling_s`: seconds that it took to compile, or to load what is compiled."""

    compiling_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a round: EUR of the searcher's best plan, the plan itself if it is new, moves tried and kept.

    broken        rules that aircraft break in it. The fewer the better, whatever it costs.
    processor_s   seconds of processor time of this searcher since it began, its start included.
    """

    total: float
    broken: int
    plan: bytes | None
    tried: int
    kept: int
    processor_s: float


class Searcher:
    """A plan under search, with room to work in."""

    def __init__(self, instance: Instance, solution: Solution) -> None:
        # Here, so that only who searches loads compiled code, or has it made.
        from takt.stations.flightdesk.airline.recovery.passengers import desk_of
        from takt.stations.flightdesk.airline.recovery.prices import price
        from takt.stations.flightdesk.airline.recovery.problem import copied, plan_of, problem_of
        from takt.stations.flightdesk.airline.recovery.rotations import pool_of
        from takt.stations.flightdesk.airline.recovery.seating import prepare

        self.problem = _readable(problem_of(instance))
        self.current = _readable(plan_of(instance, self.problem, solution))
        price(self.problem, self.current)
        self.best, self.work = _readable(copied(self.current)), _readable(copied(self.current))
        self.desk, self.pool = _readable(desk_of(self.problem)), _readable(pool_of(self.problem))
        self._search(0, 0, 1.0, 1.0, True)
        prepare(self.problem, self.best)
        self.first = self.best.memory.copy()
        self.known = math.inf

    def round(self, todo: Round) -> Report:
        if todo.anew or todo.start is not None:
            start = self.first if todo.start is None else np.frombuffer(todo.start, dtype=np.uint8)
            self.current.memory[:] = self.best.memory[:] = start
        done = self._search(todo.iterations, todo.seed, todo.hot, todo.cold, False)
        if todo.reseat:
            self._reseat()
        total, plan = float(self.best.totals[:3].sum()), None
        if self.best.totals.sum() < self.known - 0.005:
            self.known, plan = float(self.best.totals.sum()), self.best.memory.tobytes()
        broken = round(float(self.best.totals[3]) / BROKEN)
        tried, kept, _ = done.sum(axis=0).tolist()
        return Report(total + self.problem.settled, broken, plan, tried, kept, time.process_time())

    def _reseat(self) -> None:
        from takt.stations.flightdesk.airline.recovery.seating import reseat

        if reseat(self.problem, self.best):
            self.current.memory[:] = self.best.memory

    def _search(self, iterations: int, seed: int, hot: float, cold: float, first: bool) -> Any:
        from takt.stations.flightdesk.airline.recovery.search import search

        plans, room = (self.current, self.best, self.work), (self.desk, self.pool)
        return search(self.problem, *plans, *room, iterations, seed, hot, cold, first)


def _readable(arrays: Any) -> Any:
    """A tuple of arrays whose records have attributes in plain Python, as they have in compiled code."""
    if not compiled.interpreted():
        return arrays
    return type(arrays)(
        *(array.view(np.recarray) if isinstance(array, np.ndarray) and array.dtype.names else array for array in arrays)
    )


class Crew:
    """`count` searchers that begin with a solution. A context: they end with it, whatever they are doing.

    stand_in      whether one may work as plain Python until the code is compiled, if it is not yet.
    ready         whether all are ready to be asked.
    compiling_s   seconds that the first took to be ready.
    """

    def __init__(self, instance: Instance, solution: Solution, count: int, stand_in: bool) -> None:
        self.count = count
        self.folder = tempfile.TemporaryDirectory(prefix="takt-")  # nobody else may look into it
        self.given = Path(self.folder.name) / "given"
        self.given.write_bytes(pickle.dumps((instance, solution)))
        self.processes: dict[Connection, subprocess.Popen[bytes]] = {}
        self.searchers: list[Connection] = []
        self.got: dict[Connection, Report] = {}
        self.idle: set[Connection] = set()
        self.compiling_s, self.rounds = 0.0, 0
        cold = not compiled.kept()
        for _ in range(1 if cold else count):
            self.searchers.append(self._start(interpreted=False))
        self.stand_in = self._start(interpreted=True) if cold and stand_in else None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in list(self.processes):
            self._end(pipe)
        self.folder.cleanup()

    @property
    def ready(self) -> bool:
        return len(self.idle) == self.count

    @property
    def reported(self) -> list[Report]:
        """What some have done while others are still at it."""
        return list(self.got.values())

    def ask(self, rounds: Sequence[Round]) -> None:
        """Have each searcher do a round. All must be ready."""
        for pipe, todo in zip(self.searchers, rounds, strict=True):
            with suppress(BrokenPipeError, ConnectionResetError):  # it has died: `wait` finds out
                pipe.send(todo)
        self.idle.clear()

    def wait(self, seconds: float) -> list[Report]:
        """What has been done since, waiting for so long at the most.

        Either the reports of all searchers on their rounds, or one of the stand-in; nothing if neither is there.
        """
        for pipe in wait(list(self.processes), seconds):
            assert isinstance(pipe, Connection)
            if pipe not in self.processes:
                continue  # the stand-in, ended meanwhile
            try:
                message = pipe.recv()
            except (EOFError, OSError):  # it may have died within a message
                self._lose(pipe)
                continue
            if pipe is self.stand_in:
                self._next(pipe)
                if isinstance(message, Report):
                    return [message]
            elif isinstance(message, Ready):
                self._has_come(pipe, message)
            elif isinstance(message, Report):
                self.got[pipe] = message
            else:
                raise TaktError(f"a searcher has failed: {message}")
        if len(self.got) < self.count:
            return []
        reports = [self.got[pipe] for pipe in self.searchers]
        self.got.clear()
        self.idle.update(self.searchers)
        return reports

    def _has_come(self, pipe: Connection, message: Ready) -> None:
        self.idle.add(pipe)
        if pipe is self.searchers[0]:
            self.compiling_s = message.compiling_s
            while len(self.searchers) < self.count:
                self.searchers.append(self._start(interpreted=False))
        self._relieve()

    def _relieve(self) -> None:
        """The stand-in has done its work when all are ready."""
        if self.ready and self.stand_in is not None:
            self._end(self.stand_in)
            self.stand_in = None

    def _lose(self, pipe: Connection) -> None:
        """Go on without one that has died. Raises TaktError if none is left."""
        self._end(pipe)
        if pipe is self.stand_in:
            self.stand_in = None
            return
        self.searchers.remove(pipe)
        self.idle.discard(pipe)
        self.got.pop(pipe, None)
        self.count -= 1
        if not self.searchers:
            raise TaktError("a searcher has died; is there enough memory?") from None
        self._relieve()

    def _next(self, stand_in: Connection) -> None:
        self.rounds += 1
        with suppress(BrokenPipeError, ConnectionResetError):  # it has died: `wait` finds out
            stand_in.send(Round(self.rounds, STAND_IN_MOVES, 1.0, 1.0, None))

    def _start(self, interpreted: bool) -> Connection:
        here, process = _process(self.given, "interpreted" if interpreted else "compiled")
        self.processes[here] = process
        return here

    def _end(self, pipe: Connection) -> None:
        process = self.processes.pop(pipe)
        process.kill()  # it holds nothing but memory
        process.wait()
        pipe.close()


def proven(instance: Instance, seconds: float, stopped: Callable[[], bool], rounds: int | None = None) -> Bound | None:
    """`lower_bound` in a process of its own, so that it may be stopped at any moment: None then."""
    with tempfile.TemporaryDirectory(prefix="takt-") as folder:
        given = Path(folder) / "given"
        given.write_bytes(pickle.dumps(instance))
        here, process = _process(given, f"bound {seconds}" + (f" {rounds}" if rounds is not None else ""))
        try:
            with here:
                while not here.poll(LOOK):
                    if stopped():
                        return None
                found = here.recv()
        except (EOFError, OSError):
            if stopped():
                return None
            raise TaktError("the bound's process has died; is there enough memory?") from None
        finally:
            process.kill()
            process.wait()
    if not isinstance(found, Bound):
        raise TaktError(f"the bound has failed: {found}")
    return found


def _process(given: Path, how: str) -> tuple[Connection, subprocess.Popen[bytes]]:
    here, there = Pipe()
    # `timeout`, a terminal's Ctrl-C and systemd tell every process to stop. That is for the one that asks; others end
    # with their pipes. They have the mask from their first moment, and what comes meanwhile we hear afterwards.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        with there:
            process = subprocess.Popen(  # nosec B603  # this Python, our module, a file just written
                [*SERVE, str(there.fileno()), str(given), how],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # HiGHS says its name there, whatever it is told
                stderr=subprocess.DEVNULL,
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return here, process


def serve() -> None:
    """What a searcher's process does. It ends with the pipe."""
    number, given, how = sys.argv[1:]
    with Connection(int(number)) as pipe, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            began = time.perf_counter()
            # `given` was written a moment ago by the process that began this one; nobody else may look into its folder.
            if how.startswith("bound "):
                seconds, *rounds = how.split()[1:]
                instance = pickle.loads(Path(given).read_bytes())  # nosec B301
                pipe.send(lower_bound(instance, float(seconds), int(rounds[0]) if rounds else None))
                return
            if how == "interpreted":
                compiled.interpret()
            searcher = Searcher(*pickle.loads(Path(given).read_bytes()))  # nosec B301  # see above
            if how == "compiled":
                compiled.mark_kept()
            pipe.send(Ready(time.perf_counter() - began))
            while True:
                pipe.send(searcher.round(pipe.recv()))
        except (EOFError, OSError, MemoryError):
            raise
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}")
