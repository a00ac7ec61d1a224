"""What plans cost: the baselines on the challenge's instances, beside the published costs of the A set.

    python benchmarks/recovery.py FOLDER        a folder of instances (A01 to B10), or instances one by one

Published: qualification round of the ROADEF 2009 challenge (10 minutes, one thread of a processor of 2008), the best of
its four best teams on each instance: Bisaillon, Cordeau, Laporte and Pasin; Hanafi, Mansi, Wilbaut and Clautiaux;
Acuna-Agost, Michelon, Feillet and Gueye; Darlay. EUR.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from takt.stations.flightdesk import check, cost, do_nothing, greedy_delay, read_instance

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
    parser.add_argument("instances", nargs="+", type=Path)
    folders = [
        folder
        for given in parser.parse_args().instances
        for folder in ([given] if (given / "config.csv").exists() else sorted(given.iterdir()))
    ]
    print(f"{'':10}" + "".join(f"{name:>18}{'s':>7}" for name in PLANNERS) + f"{'published':>16}")
    for folder in folders:
        instance = read_instance(folder)
        row = f"{instance.name:10}"
        for planner in PLANNERS.values():
            began = time.perf_counter()
            plan = planner(instance)
            took_s = time.perf_counter() - began
            mark = "" if not check(instance, plan) else " invalid"
            row += f"{cost(instance, plan).total:>18,.2f}{took_s:>7.2f}{mark}"
        best = PUBLISHED.get(instance.name)
        print(row + (f"{best:>16,.2f}" if best else f"{'-':>16}"), flush=True)


if __name__ == "__main__":
    main()
