"""What a fleet costs beside its shifts: many short ones, by processes here or by Ray, in files or in a database.

    python benchmarks/fleet.py [--shifts 10000] [--units 100] [--jobs 1,2] [--on local|ray] [--store folder|postgresql]
    python benchmarks/fleet.py --folder FOLDER --minutes 9        in pieces: the same command again goes on
    python benchmarks/fleet.py --paper [--shifts 10000]
    python benchmarks/fleet.py --copied [--shifts 10000]

A toy shift is CartPole with five control periods a unit. Prints, for each number of jobs: wall and processor time of a
shift, by driver, workers (with what Ray has started) and database server, against the same shifts worked in one process
one after the other; the driver's memory; the store's size; what `status`, `table`, Parquet and three questions take. On
a busy machine processor time is what can be compared. With --paper no shift is worked: each has ended as soon as it is
begun, and what is left is what the fleet itself takes. With --copied a hundredth of the shifts is worked, the ledgers
of the others are copies of theirs with seeds and ids of their own, and it is only looked at them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from takt.cli.fleets import executor_for
from takt.fleet.asked import ask
from takt.fleet.drive import Driver
from takt.fleet.job import ENDED, Job, Message
from takt.fleet.local import _family
from takt.fleet.record import Record
from takt.fleet.standing import standing_of_fleet
from takt.fleet.table import fleet_table, written
from takt.fleet.tables import FOLDER, update
from takt.fleet.toml import plan_of
from takt.shift import run_shift

PLAN = """
name = "toys-{jobs}"
seeds = "0-{last}"
units = {units}
clock = "lockstep"
[[station]]
name = "gym"
options = {{ id = "CartPole-v1", takt_s = 0.1, success = "return>=5" }}
[[worker]]
name = "idle"
[budget]
hours = {hours}
"""
OPTIONS = {"id": "CartPole-v1", "takt_s": 0.1, "success": "return>=5"}
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

    def never(self, job: Job) -> str:
        return ""

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
    text = PLAN.format(jobs="paper", last=shifts - 1, units=units, hours=1)
    plan = plan_of(text)
    print(f"{shifts:,} shifts x {units} units on paper, load {os.getloadavg()[0]:.0f}")
    timed("read the plan", lambda: plan_of(text))
    timed("driver", lambda: Driver(plan, lambda: Paper(plan.folder, units, 8)).run())
    timed("driver, when nothing is left", lambda: Driver(plan, lambda: Paper(plan.folder, units, 8)).run())
    found = timed("status", lambda: standing_of_fleet(plan))
    timed("table", lambda: written(fleet_table(found), "markdown"))
    index = sum(file.stat().st_size for file in plan.folder.glob("index.db*"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  index: {index / 1e6:.1f} MB; memory {memory:.0f} MiB at most")


def copied(shifts: int, units: int) -> Any:
    """A fleet of which a hundredth was worked, and copied."""
    plan = plan_of(PLAN.format(jobs="copied", last=shifts - 1, units=units, hours=1))
    few = max(1, shifts // 100)
    (folder := Path(plan.store) / "ledgers").mkdir(parents=True)
    for number, shift in enumerate(plan.shifts):
        ledger = folder / shift.file
        if number < few:
            arm, note = shift.arm, {"shift_id": shift.id}
            run_shift(
                arm.station,
                arm.worker,
                seed=shift.seed,
                units=units,
                clock=arm.clock,
                station_options=arm.station_options,
                ledger=ledger,
                notes=note,
            )
            continue
        shutil.copyfile(folder / plan.shifts[number % few].file, ledger)
        with closing(sqlite3.connect(ledger, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("UPDATE meta SET value = ? WHERE key = 'shift_id'", (json.dumps(shift.id),))
            database.execute("UPDATE meta SET value = ? WHERE key = 'seed'", (json.dumps(shift.seed),))
            database.execute("UPDATE events SET data = json_set(data, '$.seed', ?) WHERE seq = 0", (shift.seed,))
    print(f"{shifts:,} shifts x {units} units, {few} of them worked and copied, load {os.getloadavg()[0]:.0f}")
    return plan


def timed(what: str, work) -> object:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    found = work()
    print(f"  {what}: {time.perf_counter() - began_s:.2f} s (processor: {time.process_time() - cpu_s:.2f})", flush=True)
    return found


def others_s() -> float:
    """Processor time of all that this process has started, and of what that did."""
    ticks = 0
    for pid in _family(os.getpid())[1:]:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # with those that have ended
    return sum(os.times()[2:4]) + ticks / os.sysconf("SC_CLK_TCK")


def alone(units: int, few: int = 40) -> float:
    """Processor time of a shift, in seconds, worked in this process, into a file."""
    with tempfile.TemporaryDirectory() as folder:
        cpu_s = 0.0
        for seed in range(-2, few):  # the first two pay for imports
            began_s = time.process_time()
            ledger = Path(folder) / f"{seed}.takt"
            run_shift(
                "gym", "idle", seed=abs(seed), units=units, clock="lockstep", station_options=OPTIONS, ledger=ledger
            )
            cpu_s += time.process_time() - began_s if seed >= 0 else 0.0
    return cpu_s / few


@contextmanager
def served(store: str) -> Iterator[Any]:
    """A PostgreSQL server of our own, where it is asked for."""
    if store == "folder":
        yield None
        return
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from postgres_server import Server

    with Server() as server:
        os.environ["TAKT_STORE"] = server.uri
        yield server


def worked(given: argparse.Namespace, jobs: int, server: Any, alone_s: float) -> Any:
    """Work a fleet, or a piece of it, and say what it took; its plan, or None if there is more to be worked."""
    from fleet_store import server_s

    name = f"{jobs}-{given.on}-{given.store}"
    text = PLAN.format(jobs=name, last=given.shifts - 1, units=given.units, hours=given.minutes / 60)
    plan = plan_of(("" if server is None else 'store = {env = "TAKT_STORE"}\n') + text)
    before = standing_of_fleet(plan).ended
    at_s = time.perf_counter(), time.process_time(), others_s(), 0.0 if server is None else server_s(server)
    done = Driver(plan, lambda: executor_for(plan, given.on, jobs)).run()
    by_s = time.perf_counter(), time.process_time(), others_s(), 0.0 if server is None else server_s(server)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    piece = [done.ended - before, *(b - a for a, b in zip(at_s, by_s, strict=True)), memory, alone_s]
    pieces = plan.folder / "pieces.jsonl"
    with pieces.open("a") as file:
        print(json.dumps(piece), file=file)
    every = [json.loads(line) for line in pieces.read_text().splitlines()]
    shifts, wall, driver, others, server_cpu = (sum(one[n] for one in every) for n in range(5))
    wall, driver, others, server_cpu = (1000 * one / shifts for one in (wall, driver, others, server_cpu))
    alone_s = sum(one[0] * one[6] for one in every) / shifts
    more = driver + others + server_cpu - 1000 * alone_s
    if server is None:
        size = sum(file.stat().st_size for file in (plan.folder / "ledgers").iterdir())
    else:
        import psycopg

        with psycopg.connect(server.uri) as by_hand:
            size = by_hand.execute("SELECT pg_database_size(current_database())").fetchone()[0]
    print(
        f"{given.on}, {given.store}, {jobs} at a time, {shifts:,} of {given.shifts:,} shifts x {given.units} units in "
        f"{len(every)} pieces, load {os.getloadavg()[0]:.1f}: {wall:.1f} ms of wall time a shift; processor a shift: "
        f"driver {driver:.2f}, workers {others:.2f}, server {server_cpu:.2f} ms, in all {more:+.2f} ms a shift and "
        f"{more / given.units:+.4f} ms a unit against {1000 * alone_s:.2f} ms alone; driver's memory "
        f"{max(one[5] for one in every):.0f} MiB at most; store {size / 1e6 / max(done.ended, 1):.4f} MB a shift",
        flush=True,
    )
    return plan if done.ended == given.shifts else None


def asked(plan: Any) -> None:
    """Status, table, Parquet and questions."""
    found = timed("status", lambda: standing_of_fleet(plan))
    timed("status again", lambda: standing_of_fleet(plan))
    timed("table", lambda: written(fleet_table(found), "markdown"))
    timed("Parquet, what is not there yet", lambda: update(plan))
    timed("Parquet, when nothing is new", lambda: update(plan))
    for sql in QUESTIONS:
        timed(sql, lambda sql=sql: ask([plan.folder / FOLDER], sql))
    tables = sum(file.stat().st_size for file in (Path(plan.folder) / "tables").iterdir())
    print(
        f"  tables: {tables / 1e6:.1f} MB; memory by now {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shifts", type=int, default=10_000)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--on", default="local")
    parser.add_argument("--store", default="folder", choices=("folder", "postgresql"))
    parser.add_argument("--folder", help="where it is worked, and gone on with; a temporary one without it")
    parser.add_argument("--minutes", type=float, default=1e5, help="of one piece")
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--copied", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(given.folder or folder, exist_ok=True)
        os.chdir(given.folder or folder)
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, load {os.getloadavg()}")
        if given.paper:
            on_paper(given.shifts, given.units)
        elif given.copied:
            asked(copied(given.shifts, given.units))
        else:
            alone_s = alone(given.units)
            with served(given.store) as server:
                for jobs in map(int, given.jobs.split(",")):
                    plan = worked(given, jobs, server, alone_s)
                    if plan is None:
                        print("there is more to be worked: the same command again goes on")
                        break
                else:
                    asked(plan)
        os.chdir("/")


if __name__ == "__main__":
    main()
