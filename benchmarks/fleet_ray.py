"""A Ray cluster of three nodes on this machine loses two of them while a fleet runs, and gains one.

    python benchmarks/fleet_ray.py [--shifts 6]

Prints what happened second by second, the faults of machines that were counted, and how many shifts have another digest
than worked alone (0 is the only good answer).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
from fleet_kills import PLAN, WORKER
from ray.cluster_utils import Cluster as Nodes

from takt.fleet.cluster import Cluster
from takt.fleet.drive import Driver, Standing
from takt.fleet.job import Job
from takt.fleet.notes import machine_faults
from takt.fleet.toml import plan_of
from takt.ledger import Ledger
from takt.shift import run_shift


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shifts", type=int, default=6)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("slow_worker.py").write_text(WORKER)
        sys.path.insert(0, folder)
        began_s = time.monotonic()
        nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        others = [nodes.add_node(num_cpus=1) for _ in range(2)]
        ray.init(address=nodes.address, log_to_driver=False)
        print(f"three nodes are up after {time.monotonic() - began_s:.0f} s", flush=True)
        plan = plan_of(PLAN.format(name="kills", first=0, last=given.shifts - 1, units=40, store=""))

        def news(standing: Standing, running: Mapping[Job, Mapping[str, Any]]) -> None:
            units = [said.get("units") for said in running.values()]
            print(
                f"{time.monotonic() - began_s:.0f} s: {standing.ended} ended, units of those that run: {units}",
                flush=True,
            )
            if others and any((count or 0) > 3 for count in units):
                nodes.remove_node(others.pop(), allow_graceful=False)
                print("a node is lost", flush=True)
                if not others:
                    nodes.add_node(num_cpus=1)
                    print("a node is gained", flush=True)

        done = Driver(plan, lambda: Cluster(nodes.address, None, plan.folder / "logs", 600), news, print).run()
        wrong = 0
        for shift in plan.shifts:
            arm = shift.arm
            alone = run_shift(
                arm.station,
                arm.worker,
                seed=shift.seed,
                units=arm.units,
                clock=arm.clock,
                station_options=arm.station_options,
            )
            with Ledger.open(plan.folder / "ledgers" / shift.file) as book:
                wrong += not book.finished or book.digest() != alone.digest
        faults = [(fault.kind, fault.attempt) for fault in machine_faults(plan)]
        print(f"{done.ended} of {given.shifts} shifts; faults of machines (kind, attempt): {faults}")
        print(f"{wrong} with another digest than worked alone; {time.monotonic() - began_s:.0f} s")
        ray.shutdown()
        nodes.shutdown()
        os.chdir("/")
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
