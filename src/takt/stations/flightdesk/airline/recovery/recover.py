"""Anytime recovery: a valid plan at once, then better ones until somebody says stop.

    for found in recover(instance, seconds=60):
        print(found.seconds, found.cost.total)

The first plan is the better baseline. Then searchers, one a process (`crew.py`), improve it in rounds of a fixed number
of iterations, in step: temperatures fall over a cycle of rounds, and with each new cycle, twice as long, all go on from
the best plan of any. Where a cycle has brought nothing, all but the first begin anew instead, for as long again. So a
seed, a number of searchers and a number of iterations give the same plan again, however fast the machine; only where
`seconds` cut the work off depends on it.

This process only waits, checks and prices: it heeds the clock, and whoever stops it, within a moment. Where the code is
not compiled yet (`compiled.py`) that is done beside a slower search.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from takt.stations.flightdesk.airline.check import check
from takt.stations.flightdesk.airline.cost import Cost, cost
from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recovery.baseline import do_nothing, greedy_delay
from takt.stations.flightdesk.airline.recovery.compiled import kept as kept_code
from takt.stations.flightdesk.airline.recovery.crew import LOOK, Crew, Round
from takt.stations.flightdesk.airline.recovery.problem import plan_in, plan_of, problem_of, solution_of
from takt.stations.flightdesk.airline.rules import Violation
from takt.stations.flightdesk.airline.solution import Solution

FIRST_CYCLE = 2  # rounds
HOT, COLD = 1000.0, 10.0  # EUR: a plan worse by this much is kept with a probability of 1/e
SEARCHERS = 2  # not as many as there are cores: the same command makes the same moves everywhere
STUCK = 1e-3  # of the best plan's cost: less in a cycle is no progress
SHOW_S = 1.0  # seconds between two plans that are made of what the searchers have


@dataclass(frozen=True, slots=True)
class Found:
    """Where the search is. `solution` is valid if `broken` is empty, and new if `better`.

    tried, kept   moves of all searchers.
    compiling_s   seconds that compiling took; None if it is not done yet, 0 if it had been done before.
    lost          searchers that have died.
    processor_s   seconds of processor time of the searcher that has had the most, its start included.
    broken        rules that the plan breaks; empty for every sound instance, or at the start only.
    """

    seconds: float
    iterations: int
    tried: int
    kept: int
    better: bool
    solution: Solution
    cost: Cost
    compiling_s: float | None
    broken: tuple[Violation, ...]
    lost: int = 0
    processor_s: float = 0.0


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

    searchers   how many processes.
    exact       assert that the search's own prices are the plans' costs, and no more rules broken than at first.
    """
    began = time.perf_counter()
    size, reseating = round_size(instance), rounds_between(instance)
    plans = [(plan, cost(instance, plan), tuple(check(instance, plan))) for plan in _baselines(instance)]
    best, priced, broken = min(plans, key=lambda plan: (len(plan[2]), plan[1].total))
    compiling_s: float | None = 0.0 if kept_code() else None
    lost, spent_s = 0, 0.0
    done, tried, kept, rounds, left, cycle = 0, 0, 0, 0, 0, FIRST_CYCLE // 2

    def found(better: bool) -> Found:
        now_s = time.perf_counter() - began
        return Found(now_s, done, tried, kept, better, best, priced, compiling_s, broken, lost, spent_s)

    def over() -> bool:
        return stopped() or (seconds is not None and time.perf_counter() - began >= seconds)

    yield found(True)

    problem = problem_of(instance)
    shape = plan_of(instance, problem, best)

    def take(memory: bytes, total: float) -> bool:
        """Make this plan the best, if it is."""
        nonlocal best, priced, broken
        solution = solution_of(instance, problem, plan_in(shape, memory))
        now = cost(instance, solution)
        breaks = tuple(check(instance, solution))
        assert not exact or (abs(now.total - total) < 0.011 and len(breaks) <= len(broken)), (now, total, breaks[:3])
        better = (len(breaks), now.total) < (len(broken), priced.total)
        if better:
            best, priced, broken = solution, now, breaks
        return better

    conflicts, total, memory, unseen, seen, fall = np.inf, np.inf, b"", False, -SHOW_S, COLD / HOT
    at_last = np.inf  # the best when the last cycle began
    with Crew(instance, best, searchers, stand_in=iterations is None) as crew:
        while not over() and (iterations is None or done < iterations):
            if crew.ready:
                compiling_s = crew.compiling_s if compiling_s is None else compiling_s
                start, anew = None, False
                if left == 0:
                    anew = total > at_last - STUCK * abs(at_last) and searchers > 1
                    cycle = cycle if anew else 2 * cycle
                    left, start, at_last = cycle, memory or None, total
                hot, cold = HOT * fall ** (1 - left / cycle), HOT * fall ** (1 - (left - 1) / cycle)
                these = size if iterations is None else min(size, iterations - done)
                seeds = np.random.SeedSequence([seed, rounds]).generate_state(searchers).tolist()
                again = (rounds + 1) % reseating == 0
                crew.ask(
                    [
                        Round(s, these, hot, cold, None if anew and i else start, anew and i > 0, again)
                        for i, s in enumerate(seeds[: crew.count])
                    ]
                )
            reports = crew.wait(LOOK)
            lost = searchers - crew.count
            if not reports:
                continue
            if crew.ready:
                done, rounds, left = done + these, rounds + 1, left - 1
            tried, kept = tried + sum(report.tried for report in reports), kept + sum(report.kept for report in reports)
            spent_s = max(report.processor_s for report in reports)
            first = min(reports, key=lambda report: (report.broken, report.total))
            if first.plan is not None and (first.broken, first.total) < (conflicts, total - 0.005):
                conflicts, total, memory, unseen = first.broken, first.total, first.plan, True
            better = unseen and (exact or time.perf_counter() - began - seen >= SHOW_S)
            if better:
                better, unseen = take(memory, total), False
                seen = time.perf_counter() - began
            yield found(better)
    if unseen:
        yield found(take(memory, total))


def _baselines(instance: Instance) -> Iterator[Solution]:
    yield greedy_delay(instance)
    yield do_nothing(instance)


def round_size(instance: Instance) -> int:
    """Iterations of a round: about half a second's."""
    return max(80, 4_000_000 // (len(instance.flights.number) + len(instance.bookings.number)))


def rounds_between(instance: Instance) -> int:
    """Rounds after which everybody is seated anew each time: the more they are, the longer that takes."""
    return max(12, len(instance.bookings.number) // 250)
