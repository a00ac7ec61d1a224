"""Anytime recovery: a valid plan at once, then better ones until somebody says stop.

    for found in recover(instance, seconds=60):
        print(found.seconds, found.cost.total)

The first plan is the better baseline. Then searchers, one a process, improve it in rounds of a fixed number of
iterations, in step: temperatures fall over a cycle of rounds, and with each new cycle, twice as long, all go on from
the best plan of any. So a seed, a number of searchers and a number of iterations give the same plan again, however fast
the machine; only where `seconds` cut the work off depends on it.

The first run compiles, half a minute of one core; see `compiled.py`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from takt.stations.flightdesk.check import check
from takt.stations.flightdesk.cost import Cost, cost
from takt.stations.flightdesk.instance import Instance
from takt.stations.flightdesk.recovery.baseline import do_nothing, greedy_delay
from takt.stations.flightdesk.solution import Solution

FIRST_CYCLE = 8  # rounds
HOT, COLD = 1000.0, 10.0  # EUR: a plan worse by this much is kept with a probability of 1/e
SEARCHERS = min(4, os.cpu_count() or 1)
SHOW_S = 1.0  # seconds between two plans that are made of what the searchers have
LOOK = 0.1  # seconds between two looks at the clock while searchers work


@dataclass(frozen=True, slots=True)
class Found:
    """Where the search is. `solution` is valid, and new if `better`; `tried` and `kept` are moves of all searchers."""

    seconds: float
    iterations: int
    tried: int
    kept: int
    better: bool
    solution: Solution
    cost: Cost


@dataclass(frozen=True, slots=True)
class Round:
    """What a searcher is to do next; `start`: the plan to go on from, its own if None."""

    seed: int
    iterations: int
    hot: float
    cold: float
    start: bytes | None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it: EUR of the searcher's best plan, the plan itself if it is new, moves tried and kept."""

    total: float
    plan: bytes | None
    tried: int
    kept: int


def recover(
    instance: Instance,
    seconds: float | None = None,
    iterations: int | None = None,
    seed: int = 0,
    searchers: int = SEARCHERS,
    stopped: Callable[[], bool] = lambda: False,
    exact: bool = False,
) -> Iterator[Found]:
    """Better and better plans until `seconds` are over, each searcher has done its `iterations`, or it is `stopped`.

    searchers   how many processes; one works in this process.
    exact       assert that the search's own prices are the plans' costs, and that the plans are valid.
    """
    began = time.perf_counter()
    size = round_size(instance)
    best = min((greedy_delay(instance), do_nothing(instance)), key=lambda plan: cost(instance, plan).total)
    priced = cost(instance, best)
    yield Found(time.perf_counter() - began, 0, 0, 0, True, best, priced)

    def over() -> bool:
        return stopped() or (seconds is not None and time.perf_counter() - began >= seconds)

    from takt.stations.flightdesk.recovery.problem import plan_in, plan_of, problem_of, solution_of

    problem = problem_of(instance)
    shape = plan_of(instance, problem, best)

    def take(memory: bytes, total: float) -> bool:
        """Make this plan the best, if it is."""
        nonlocal best, priced
        solution = solution_of(instance, problem, plan_in(shape, memory))
        now, broken = cost(instance, solution), check(instance, solution)
        assert not exact or (abs(now.total - total) < 0.011 and not broken), (now.total, total, broken[:3])
        better = now.total < priced.total and not broken
        if better:
            best, priced = solution, now
        return better

    done, tried, kept, rounds, left, cycle = 0, 0, 0, 0, 0, FIRST_CYCLE // 2
    total, memory, unseen, seen, fall = np.inf, b"", False, -SHOW_S, COLD / HOT
    with _crew(instance, best, searchers) as ask:
        while not over() and (iterations is None or done < iterations):
            start = None
            if left == 0:
                cycle *= 2
                left, start = cycle, memory or None
            hot, cold = HOT * fall ** (1 - left / cycle), HOT * fall ** (1 - (left - 1) / cycle)
            these = size if iterations is None else min(size, iterations - done)
            seeds = np.random.SeedSequence([seed, rounds]).generate_state(searchers).tolist()
            reports = ask([Round(s, these, hot, cold, start) for s in seeds], over)
            if reports is None:
                break
            done, rounds, left = done + these, rounds + 1, left - 1
            tried, kept = tried + sum(report.tried for report in reports), kept + sum(report.kept for report in reports)
            first = min(reports, key=lambda report: report.total)
            if first.plan is not None and first.total < total - 0.005:
                total, memory, unseen = first.total, first.plan, True
            now = time.perf_counter() - began
            better = unseen and (exact or now - seen >= SHOW_S)
            if better:
                better, unseen = take(memory, total), False
                seen = time.perf_counter() - began
            yield Found(now, done, tried, kept, better, best, priced)
    if unseen:
        yield Found(time.perf_counter() - began, done, tried, kept, take(memory, total), best, priced)


def round_size(instance: Instance) -> int:
    """Iterations of a round: about half a second's."""
    return max(20, 1_000_000 // (len(instance.flights.number) + len(instance.bookings.number)))


# --- searchers --------------------------------------------------------------------------------------------------------


class Searcher:
    """A plan under search, with room to work in."""

    def __init__(self, instance: Instance, solution: Solution) -> None:
        # Here, so that only who searches loads compiled code, or has it made.
        from takt.stations.flightdesk.recovery.passengers import desk_of
        from takt.stations.flightdesk.recovery.problem import copied, plan_of, price, problem_of
        from takt.stations.flightdesk.recovery.rotations import pool_of

        self.problem = problem_of(instance)
        self.current = plan_of(instance, self.problem, solution)
        price(self.problem, self.current)
        self.best, self.work = copied(self.current), copied(self.current)
        self.desk, self.pool = desk_of(self.problem), pool_of(self.problem)

    def round(self, todo: Round) -> Report:
        from takt.stations.flightdesk.recovery.search import search

        if todo.start is not None:
            self.current.memory[:] = self.best.memory[:] = np.frombuffer(todo.start, dtype=np.uint8)
        before = self.best.totals.sum()
        plans, room = (self.current, self.best, self.work), (self.desk, self.pool)
        done = search(self.problem, *plans, *room, todo.iterations, todo.seed, todo.hot, todo.cold)
        total = float(self.best.totals.sum())
        plan = self.best.memory.tobytes() if total < before - 0.005 else None
        return Report(total + self.problem.settled, plan, int(done[:, 0].sum()), int(done[:, 1].sum()))


Over = Callable[[], bool]
Ask = Callable[[Sequence[Round], Over], list[Report] | None]


@contextmanager
def _crew(instance: Instance, solution: Solution, count: int) -> Iterator[Ask]:
    """Searchers, and how to have each do a round; None if it was over before they were done."""
    if count == 1:
        searcher = Searcher(instance, solution)
        yield lambda rounds, _over: [searcher.round(rounds[0])]
        return
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(count):
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, instance, solution), daemon=True)
        process.start()
        there.close()
        pipes.append(here)
        processes.append(process)

    def ask(rounds: Sequence[Round], over: Over) -> list[Report] | None:
        for pipe, todo in zip(pipes, rounds, strict=True):
            pipe.send(todo)
        reports = []
        for pipe in pipes:
            while not pipe.poll(LOOK):
                if over():
                    return None
            try:
                reports.append(pipe.recv())
            except EOFError:
                raise RuntimeError("a searcher has died") from None
        return reports

    try:
        yield ask
    finally:
        for process in processes:
            process.kill()  # it holds nothing but memory
            process.join()


def _serve(pipe: Connection, instance: Instance, solution: Solution) -> None:
    """A searcher in a process of its own. Ctrl-C is for the process that asks; this one ends with the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        searcher = Searcher(instance, solution)
        while True:
            pipe.send(searcher.round(pipe.recv()))
