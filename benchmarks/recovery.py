"""What plans cost: the baselines and the solver on the challenge's instances, beside the published costs of the A set.

    python benchmarks/recovery.py FOLDER                            a folder of instances (A01 to B10), or one by one
    python benchmarks/recovery.py FOLDER --instances A01,A02 --seconds 10,60,600 --searchers 2

`first valid` is when the solver had its first plan. The solver's first run on a machine compiles; run it once before.

Published: qualification round of the ROADEF 2009 challenge (10 minutes, one thread of a processor of 2008), the best of
its four best teams on each instance: Bisaillon, Cordeau, Laporte and Pasin; Hanafi, Mansi, Wilbaut and Clautiaux;
Acuna-Agost, Michelon, Feillet and Gueye; Darlay. EUR.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from takt.stations.flightdesk import Instance, check, cost, do_nothing, greedy_delay, read_instance
from takt.stations.flightdesk.recovery.recover import SEARCHERS, recover

PUBLISHED = {
    "A01": 28_155.60,
    "A02": 116_431.70,
    "A03": 131_694.60,
    "A04": 108_081.90,
    "A05": 3_717_376.35,
    "A06": 44_305.05,
    "A07": 202_247.75,
    "A08": 329_521.85,
    "A09": 187_144.40,
    "A10": 7_210_166.90,
}
PLANNERS = {"do nothing": do_nothing, "greedy delay": greedy_delay}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--instances", default="", help="only these, separated by commas")
    parser.add_argument("--seconds", default="", help="what the solver has by then, separated by commas")
    parser.add_argument("--searchers", type=int, default=SEARCHERS)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    only = set(filter(None, asked.instances.split(",")))
    marks = sorted(float(mark) for mark in filter(None, asked.seconds.split(",")))
    folders = [
        folder
        for given in asked.folders
        for folder in ([given] if (given / "config.csv").exists() else sorted(given.iterdir()))
        if not only or folder.name in only
    ]
    print(
        f"{'':10}"
        + "".join(f"{name:>18}{'s':>7}" for name in PLANNERS)
        + "".join(f"{f'at {mark:g} s':>18}" for mark in marks)
        + (f"{'first valid, s':>16}{'moves':>10}" if marks else "")
        + f"{'published':>16}{'gap, %' if marks else '':>9}"
    )
    for folder in folders:
        instance = read_instance(folder)
        row = f"{instance.name:10}"
        for planner in PLANNERS.values():
            began = time.perf_counter()
            plan = planner(instance)
            took_s = time.perf_counter() - began
            mark = "" if not check(instance, plan) else " invalid"
            row += f"{cost(instance, plan).total:>18,.2f}{took_s:>7.2f}{mark}"
        best, gap = PUBLISHED.get(instance.name), ""
        if marks:
            totals, first_s, moves = solved(instance, marks, asked.seed, asked.searchers)
            row += "".join(f"{total:>18,.2f}" for total in totals) + f"{first_s:>16.2f}{moves:>10}"
            gap = f"{100 * (totals[-1] / best - 1):>9.1f}" if best else ""
        print(row + (f"{best:>16,.2f}" if best else f"{'-':>16}") + gap, flush=True)


def solved(instance: Instance, marks: list[float], seed: int, searchers: int) -> tuple[list[float], float, int]:
    """The solver's cost at each of these seconds, when it had its first plan, and how many moves it tried."""
    at = {mark: float("inf") for mark in marks}
    first_s, moves, last = 0.0, 0, None
    for found in recover(instance, marks[-1], seed=seed, searchers=searchers):
        first_s, moves, last = first_s or found.seconds, found.tried, found
        for mark in marks:
            if found.seconds <= mark:
                at[mark] = found.cost.total
    assert last is not None and not check(instance, last.solution)
    return list(at.values()), first_s, moves


if __name__ == "__main__":
    main()
