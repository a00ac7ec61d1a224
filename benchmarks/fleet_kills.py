"""SIGKILLs at random instants, of a fleet's workers and driver; every shift ends with its uninterrupted digest.

    python benchmarks/fleet_kills.py [--kills 1000] [--seed 1] [--on local] [--shifts 40] [--jobs 2]

A fleet of CartPole shifts by a worker that takes its time is begun; at random instants its driver or one of its
processes is killed; a driver that died is begun again, until so many kills are spent and the fleet is done. Then each
shift is worked once more, alone, and the digests are compared. Prints what happened, with seed and time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from takt.fleet.notes import machine_faults
from takt.fleet.toml import read_plan
from takt.ledger import Ledger
from takt.shift import run_shift

WORKER = """
import time


class Slow:
    def begin(self, spec, seed): ...

    def act(self, observation):
        time.sleep(0.002)
        return [int(observation[2] + observation[3] > 0)]

    def end(self): ...
"""
PLAN = """
name = "kills"
seeds = "0-{last}"
units = 40
clock = "lockstep"

[[station]]
name = "gym"
options = {{ id = "CartPole-v1", takt_s = 0.5, success = "return>=15" }}

[[worker]]
name = "slow_worker:Slow"

[limits]
retries = 100000
backoff_s = 0.05
"""


def family(pid: int) -> list[int]:
    """The processes that `pid` began, and those that they did."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *family(child)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shifts", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--on", default="local")
    parser.add_argument("--longest", type=float, default=2.0, help="seconds between two kills, at most")
    given = parser.parse_args()
    rng, began_s = random.Random(given.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("slow_worker.py").write_text(WORKER)
        Path("fleet.toml").write_text(PLAN.format(last=given.shifts - 1))
        sys.path.insert(0, folder)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, *filter(None, sys.path)])}
        command = [sys.executable, "-m", "takt.cli", "fleet", "run", "fleet.toml", "--on", given.on]
        command += ["--jobs", str(given.jobs)]
        killed: Counter[str] = Counter()
        while True:
            driver = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while killed.total() < given.kills and driver.poll() is None:
                time.sleep(rng.uniform(0.05, given.longest))
                try:
                    victim = rng.choice([driver.pid, *family(driver.pid)])
                    if driver.poll() is None:
                        os.kill(victim, signal.SIGKILL)
                        killed["driver" if victim == driver.pid else "worker"] += 1
                except (OSError, ValueError):
                    continue  # it has just ended by itself
            if driver.wait() == 0:
                break
        plan = read_plan(Path("fleet.toml"))
        files = sorted(path.name for path in (plan.folder / "ledgers").glob("*.takt"))
        assert files == sorted(shift.file for shift in plan.shifts), "a shift twice, or not at all"
        wrong = 0
        for shift in plan.shifts:
            with Ledger.open(plan.folder / "ledgers" / shift.file) as book:
                assert book.finished
                digest = book.digest()
            arm = shift.arm
            given_here = {"units": arm.units, "clock": arm.clock, "station_options": arm.station_options}
            wrong += run_shift(arm.station, arm.worker, seed=shift.seed, **given_here).digest != digest
        faults = Counter(fault.kind for fault in machine_faults(plan))
        print(
            f"{killed.total()} SIGKILLs ({dict(killed)}) on {given.on}, seed {given.seed}: {len(files)} shifts, "
            f"{wrong} with another digest than alone; faults counted by drivers that lived: {dict(faults)}; "
            f"{time.monotonic() - began_s:.0f} s"
        )
        os.chdir("/")
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
