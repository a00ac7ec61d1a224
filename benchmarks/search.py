"""What one searcher makes of so many seconds of processor time, however busy the machine is: to compare ideas.

    python benchmarks/search.py FOLDER --instances A01,A09,B05 --seeds 0,1 --seconds 30

FOLDER holds instances (A01 to B10). Rounds are those of `recover` with one searcher; the last plan is checked and
priced. Run it before and after a change, on a clone of each, and keep what wins on both A and B.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from takt.stations.flightdesk import Instance, check, cost, do_nothing, greedy_delay, read_instance
from takt.stations.flightdesk.airline.cost import Cost
from takt.stations.flightdesk.airline.recovery.crew import Round, Searcher
from takt.stations.flightdesk.airline.recovery.problem import solution_of
from takt.stations.flightdesk.airline.recovery.recover import FIRST_CYCLE, FULL, heat_of, round_size, rounds_between


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--instances", default="A01,A03,A06,A09,B01,B05,B08")
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--seconds", type=float, default=30.0, help="of processor time")
    asked = parser.parse_args()
    third = f"at {asked.seconds / 3:g} s"
    print(f"{'':6}{'seed':>6}{third:>16}{f'at {asked.seconds:g} s':>16}{'moves':>10}  parts")
    for name in asked.instances.split(","):
        instance = read_instance(asked.folder / name)
        for seed in map(int, asked.seeds.split(",")):
            early, late, moves, priced = searched(instance, seed, asked.seconds)
            parts = ", ".join(f"{part} {eur:,.0f}" for part, eur in priced.parts().items() if eur)
            print(f"{name:6}{seed:>6}{early:>16,.0f}{late:>16,.0f}{moves:>10}  {parts}", flush=True)


def searched(instance: Instance, seed: int, seconds: float) -> tuple[float, float, int, Cost]:
    """EUR at a third of the time and at the end, how many moves that took, and the cost of the last plan."""
    plans = [plan for plan in (greedy_delay(instance), do_nothing(instance)) if not check(instance, plan)]
    searcher = Searcher(instance, min(plans, key=lambda plan: cost(instance, plan).total))
    size, between = round_size(instance), rounds_between(instance)
    rounds, left, cycle, moves = 0, 0, FIRST_CYCLE // 2, 0
    best, early, memory = float("inf"), None, None
    began = time.process_time()
    while (spent := time.process_time() - began) < seconds:
        if early is None and spent >= seconds / 3:
            early = best
        start = None
        if left == 0:
            cycle, start = 2 * cycle, memory
            left = cycle
        drawn = int(np.random.SeedSequence([seed, rounds]).generate_state(1)[0])
        report = searcher.round(
            Round(drawn, size, *heat_of(FULL, cycle, left), start, reseat=(rounds + 1) % between == 0)
        )
        rounds, left, moves = rounds + 1, left - 1, moves + report.tried
        if report.plan is not None:
            best, memory = min(best, report.total), report.plan
    solution = solution_of(instance, searcher.problem, searcher.best)
    priced = cost(instance, solution)
    assert not check(instance, solution) and abs(priced.total - best) < 0.02
    return best if early is None else early, best, moves, priced


if __name__ == "__main__":
    main()
