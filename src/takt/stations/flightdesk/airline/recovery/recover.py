"""Anytime recovery: a valid plan at once, then better ones until somebody says stop.

    for found in recover(instance, seconds=60):
        print(found.seconds, found.cost.total)

The first plan is the better baseline. Then searchers, one a process (`crew.py`), improve it in rounds of a fixed number
of iterations, in step: temperatures fall over a cycle of rounds, and with each new cycle, twice as long, all go on from
the best plan of any. Where a cycle has brought nothing, all but the first begin anew instead, for as long again, then
for twice as long each time that this brings nothing either; the first stays near the best plan, with little heat. So a
seed, a number of searchers and a number of iterations give the same plan again, however fast the machine; only where
`seconds` cut the work off depends on it.

This process only waits, checks and prices: it heeds the clock, and whoever stops it, within a moment. Where the code is
not compiled yet (`compiled.py`) that is done beside a slower search.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.check import check
from takt.stations.flightdesk.airline.cost import Cost, cost
from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recovery.baseline import do_nothing, greedy_delay
from takt.stations.flightdesk.airline.recovery.compiled import kept as kept_code
from takt.stations.flightdesk.airline.recovery.crew import LOOK, Crew, Report, Round
from takt.stations.flightdesk.airline.recovery.problem import plan_in, plan_of, problem_of, solution_of
from takt.stations.flightdesk.airline.rules import Violation
from takt.stations.flightdesk.airline.solution import Solution

FIRST_CYCLE = 2  # rounds
# EUR, when a cycle begins and when it ends: a plan worse by this much is kept with a probability of 1/e.
FULL, GENTLE = (1000.0, 10.0), (100.0, 5.0)
SEARCHERS = 2  # not as many as there are cores: the same command makes the same moves everywhere
STUCK = 1e-3  # of the best plan's cost: less in a cycle is no progress
SHOW_S = 1.0  # seconds between two plans made of what the searchers have, and between two words while they work


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
    size, reseating, seated = round_size(instance), rounds_between(instance), 0
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

    conflicts, total, memory, unseen = np.inf, np.inf, b"", False

    def note(reports: Sequence[Report]) -> None:
        """The best plan of any searcher."""
        nonlocal conflicts, total, memory, unseen
        for report in reports:
            if report.plan is not None and (report.broken, report.total) < (conflicts, total - 0.005):
                conflicts, total, memory, unseen = report.broken, report.total, report.plan, True

    seen, said = -SHOW_S, 0.0
    at_last, anew = np.inf, False  # the best when the last cycle began, and whether some began it from the first plan
    with Crew(instance, best, searchers, stand_in=iterations is None) as crew:
        while not over() and (iterations is None or done < iterations or _due(rounds, reseating, seated)):
            if crew.ready:
                compiling_s = crew.compiling_s if compiling_s is None else compiling_s
                if _due(rounds, reseating, seated):
                    these, seated = 0, rounds
                    crew.ask([Round.seating()] * crew.count)
                else:
                    start = None
                    begins = left == 0
                    if begins:
                        stuck = total > at_last - STUCK * abs(at_last) and searchers > 1
                        cycle = cycle if stuck and not anew else 2 * cycle
                        anew, left, start, at_last = stuck, cycle, memory or None, total
                    these = size if iterations is None else min(size, iterations - done)
                    seeds = np.random.SeedSequence([seed, rounds]).generate_state(searchers).tolist()
                    crew.ask(
                        [
                            Round(s, these, *heat_of(GENTLE if anew and i == 0 else FULL, cycle, left), start)
                            if i == 0 or not anew
                            else Round(s, these, *heat_of(FULL, cycle, left), None, anew=begins)
                            for i, s in enumerate(seeds[: crew.count])
                        ]
                    )
            reports = crew.wait(LOOK)
            lost = searchers - crew.count
            note(reports or crew.reported)
            if reports:
                if crew.ready and these:
                    done, rounds, left = done + these, rounds + 1, left - 1
                tried += sum(report.tried for report in reports)
                kept += sum(report.kept for report in reports)
                spent_s = max(report.processor_s for report in reports)
            now = time.perf_counter() - began
            better = unseen and (exact or now - seen >= SHOW_S)
            if better:
                better, unseen = take(memory, total), False
                seen = time.perf_counter() - began
            if reports or better or now - said >= SHOW_S:
                said = now
                yield found(better)
        with suppress(TaktError):  # what some have found while others are still at it; who has died has no part in it
            note(crew.wait(0) or crew.reported)
    if unseen:
        yield found(take(memory, total))


def heat_of(heat: tuple[float, float], cycle: int, left: int) -> tuple[float, float]:
    """Temperatures at the beginning and the end of a round, EUR, `left` rounds from the end of a cycle."""
    hot, fall = heat[0], heat[1] / heat[0]
    return hot * fall ** (1 - left / cycle), hot * fall ** (1 - (left - 1) / cycle)


def _due(rounds: int, between: int, seated: int) -> bool:
    """Whether everybody is to be seated anew; `seated`: the number of rounds when they were, last."""
    return rounds > seated and rounds % between == 0


def _baselines(instance: Instance) -> Iterator[Solution]:
    yield greedy_delay(instance)
    yield do_nothing(instance)


def round_size(instance: Instance) -> int:
    """Iterations of a round: about half a second's; less for a small airline, whose plan is much better by then."""
    return max(80, min(2000, 4_000_000 // (len(instance.flights.number) + len(instance.bookings.number))))


def rounds_between(instance: Instance) -> int:
    """Rounds after which everybody is seated anew each time: the more they are, the longer that takes."""
    return max(12, len(instance.bookings.number) // 250)
