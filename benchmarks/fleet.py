"""What a fleet costs beside its shifts: many short ones, by processes here or by Ray.

    python benchmarks/fleet.py [--shifts 10000] [--units 100] [--jobs 1,2] [--on local]
    python benchmarks/fleet.py --paper [--shifts 10000]

Prints, for each number of jobs: wall and processor time a shift and a unit against the same shifts worked in one
process one after the other; the driver's memory; the store's size; how long `status`, `table` and three questions take.
With --paper no shift is worked: each has ended as soon as it is begun, and what is left is what the fleet itself takes.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from takt.cli.fleets import executor_for
from takt.fleet.drive import Driver
from takt.fleet.job import ENDED, Job, Message
from takt.fleet.record import Record
from takt.fleet.standing import standing_of_fleet
from takt.fleet.table import fleet_table, written
from takt.fleet.tables import query, update
from takt.fleet.toml import plan_of
from takt.shift import run_shift

PLAN = """
name = "toys-{jobs}"
seeds = "0-{last}"
units = {units}
clock = "lockstep"
[[station]]
name = "gym"
options = {{ id = "CartPole-v1", takt_s = 0.5, success = "return>=15" }}
[[worker]]
name = "idle"
"""
QUESTIONS = (
    "SELECT worker, avg(good::int), count(*) FROM units WHERE judged GROUP BY ALL",
    "SELECT reason, count(*) FROM units WHERE NOT good GROUP BY ALL ORDER BY 2 DESC",
    "SELECT kind, count(*), max(t_s) FROM events GROUP BY ALL",
)


class Paper:
    """An executor whose shifts have ended as soon as they are begun; what they came to is made up."""

    def __init__(self, store: Path, units: int, jobs: int) -> None:
        self.store, self.units, self.jobs = store / "ledgers", units, jobs
        self.begun: list[Job] = []
        self.store.mkdir(parents=True, exist_ok=True)

    def room(self, job: Job) -> bool:
        return len(self.begun) < self.jobs

    def start(self, job: Job) -> None:
        self.begun.append(job)

    def wait(self, timeout_s: float) -> list[Message]:
        begun, self.begun = self.begun, []
        return [Message(job, ENDED, self._made_up(job)) for job in begun]

    def _made_up(self, job: Job) -> dict[str, Any]:
        Path(job.ledger).touch()
        n = self.units
        good = "".join("bgggggggggggggggggg"[(job.seed * 7 + unit * unit) % 19] for unit in range(n))
        ones = good.replace("g", "1").replace("b", "0")
        cycles = [5.0] * good.count("g")
        asked = {"good_rate": 0.9, "cycle_s": None}
        return Record(
            job.id,
            job.seed,
            "units",
            "0" * 64,
            good,
            0,
            ones,
            "0" * 6 * n,
            cycles,
            50.0,
            0.1,
            "",
            "h",
            acceptance=asked,
        ).told()

    def leave(self, job: Job) -> None: ...

    def kill(self, job: Job) -> None: ...

    def close(self) -> None: ...


def on_paper(shifts: int, units: int) -> None:
    plan = plan_of(PLAN.format(jobs="paper", last=shifts - 1, units=units))
    print(f"{shifts:,} shifts x {units} units on paper, load {os.getloadavg()[0]:.0f}")
    timed("read the plan", lambda: plan_of(PLAN.format(jobs="paper", last=shifts - 1, units=units)))
    timed("driver", lambda: Driver(plan, lambda: Paper(plan.folder, units, 8)).run())
    timed("driver, when nothing is left", lambda: Driver(plan, lambda: Paper(plan.folder, units, 8)).run())
    found = timed("status", lambda: standing_of_fleet(plan))
    timed("table", lambda: written(fleet_table(found), "markdown"))
    index = sum(file.stat().st_size for file in plan.folder.glob("index.db*"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  index: {index / 1e6:.1f} MB; memory {memory:.0f} MiB at most")


def timed(what: str, work) -> object:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    found = work()
    print(f"  {what}: {time.perf_counter() - began_s:.2f} s (processor: {time.process_time() - cpu_s:.2f})", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shifts", type=int, default=10_000)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--on", default="local")
    parser.add_argument("--paper", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if given.paper:
            on_paper(given.shifts, given.units)
            os.chdir("/")
            return
        options = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=15"}
        few = min(given.shifts, 20)
        began_s, cpu_s = time.perf_counter(), time.process_time()
        for seed in range(few):
            run_shift(
                "gym",
                "idle",
                seed=seed,
                units=given.units,
                clock="lockstep",
                station_options=options,
                ledger=f"{seed}.takt",
            )
        alone_s, alone_cpu_s = (time.perf_counter() - began_s) / few, (time.process_time() - cpu_s) / few
        print(f"in one process, one by one: {1000 * alone_s:.1f} ms a shift (processor: {1000 * alone_cpu_s:.1f})")
        for jobs in map(int, given.jobs.split(",")):
            plan = plan_of(PLAN.format(jobs=jobs, last=given.shifts - 1, units=given.units))
            began_s, cpu_s = time.perf_counter(), time.process_time()
            done = Driver(plan, lambda plan=plan, jobs=jobs: executor_for(plan, given.on, jobs)).run()
            wall_s = (time.perf_counter() - began_s) / given.shifts
            driver_s = (time.process_time() - cpu_s) / given.shifts
            children_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            assert done.ended == given.shifts
            size = sum(file.stat().st_size for file in (plan.folder / "ledgers").iterdir())
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{given.on}, {jobs} at a time, {given.shifts:,} shifts x {given.units} units: "
                f"{1000 * wall_s:.1f} ms a shift, "
                f"{1000 * wall_s / given.units:.3f} a unit (wall); {jobs * wall_s / alone_s - 1:+.0%} against alone; "
                f"driver {1000 * driver_s:.2f} ms of processor a shift, {memory:.0f} MiB at most; "
                f"children {children_s:.0f} s "
                f"in all; ledgers {size / 1e6 / given.shifts:.3f} MB a shift",
                flush=True,
            )
        found = timed("status", lambda: standing_of_fleet(plan))
        timed("table", lambda: written(fleet_table(found), "markdown"))
        timed("Parquet, from nothing", lambda: update(plan))
        for sql in QUESTIONS:
            timed(sql, lambda sql=sql: query([plan], sql))
        tables = sum(file.stat().st_size for file in (Path(plan.folder) / "tables").iterdir())
        print(f"  tables: {tables / 1e6:.1f} MB")
        os.chdir("/")


if __name__ == "__main__":
    main()
