"""SIGKILLs at random instants, of a fleet's processes; every shift ends with its uninterrupted digest, none twice.

    python benchmarks/fleet_kills.py [--kills 1000] [--seed 1] [--on local|ray] [--store folder|postgresql] [--shifts 6]

Fleets of small CartPole shifts are worked, one after the other, by a worker that mostly sleeps, so that a kill costs
little but the start of what was killed. At random instants (exponential, --mean seconds, for the most part after some
shift has gone on) one of these is killed: the driver (1 in 10), a process that works a shift, with Ray the Ray worker
that owns one, with PostgreSQL the whole server (1 in 16), which is started again. A driver that died is begun again.
When a fleet is done, its shifts are worked once more, here, with nothing killed, and the digests are compared. A line
is printed for each fleet, so that a run that is ended early has said something; SIGTERM ends it after the fleet under
way, with nothing more killed. A server that is killed with all its processes counts as one, and what dies by itself
because another one was killed (a driver's workers) does not count.
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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from takt.fleet.notes import machine_faults
from takt.fleet.plan import Plan
from takt.fleet.store import ledger_of, ledgers_in
from takt.fleet.toml import read_plan
from takt.ledger import Ledger
from takt.shift import run_shift

WORKER = """
import os
import time

SLEEP_S = float(os.environ.get("SLOW_S", "0.002"))


class Slow:
    def begin(self, spec, seed): ...

    def act(self, observation):
        time.sleep(SLEEP_S)
        return [int(observation[2] + observation[3] > 0)]

    def end(self): ...
"""
PLAN = """
name = "{name}"
seeds = "{first}-{last}"
units = {units}
clock = "lockstep"
{store}

[[station]]
name = "gym"
options = {{ id = "CartPole-v1", takt_s = 0.5, success = "return>=15" }}

[[worker]]
name = "slow_worker:Slow"

[limits]
retries = 100000
backoff_s = 0.0005
"""
STORE = 'store = { env = "TAKT_STORE" }'
LEASE_S = 1.0


def family(pid: int) -> list[int]:
    """The processes that `pid` began, and those that they did."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, task.read_text().split()):
                found += [child, *family(child)]
    return found


def called(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def working(driver: int) -> list[tuple[str, int]]:
    """The processes that work shifts, and Ray's workers that own them: kind and process id."""
    found = []
    for pid in {*family(driver), *family(os.getpid())}:
        text = called(pid)
        if "takt.fleet.child" in text:
            found.append(("worker", pid))
        elif text.startswith("ray::") and ("slow_worker" in text or "_worked" in text):  # not Ray's own agents
            found.append(("ray worker", pid))
    return found


class Fleets:
    """Fleets under fire. `killed` counts who was killed."""

    def __init__(self, given: argparse.Namespace, environment: dict[str, str], server: object) -> None:
        self.given, self.environment, self.server = given, environment, server
        self.rng = random.Random(given.seed)
        self.killed: Counter[str] = Counter()
        self.drivers = 0
        self.seen: Any = None  # connection by which what is done is seen, where that is in a database

    def work(self, number: int) -> Plan:
        """One fleet, to its end."""
        given = self.given
        first = number * given.shifts
        store = STORE if self.server is not None else ""
        text = PLAN.format(
            name=f"kills-{number}", first=first, last=first + given.shifts - 1, units=given.units, store=store
        )
        plan = Path(f"{number}.toml")
        plan.write_text(text)
        command = [sys.executable, "-m", "takt.cli", "fleet", "run", str(plan), "--on", given.on]
        refused = 0
        with Path(f"{number}.log").open("ab") as log:
            while True:
                self.drivers += 1
                driver = subprocess.Popen(
                    [*command, "--jobs", str(given.jobs)], env=self.environment, stdout=log, stderr=log
                )
                while self.killed.total() < given.kills and driver.poll() is None:
                    if self.rng.random() < 0.8:  # else whoever has only begun may be killed, too
                        self.until_more(driver, plan.stem)
                    with suppress(subprocess.TimeoutExpired):
                        driver.wait(self.rng.expovariate(1 / given.mean))
                        break
                    self.shoot(driver)
                code = driver.wait()
                if code == 0:
                    return read_plan(plan)
                refused = refused + 1 if code == 2 else 0
                if code not in (-signal.SIGKILL, 2) or refused > 30:
                    raise SystemExit(f"a driver ended with {code}:\n{Path(log.name).read_text()[-5000:]}")
                if self.server is not None:
                    time.sleep(LEASE_S)  # the dead driver's lease

    def until_more(self, driver: subprocess.Popen[bytes], number: str) -> None:
        """Until some shift has gone on: on a busy machine nothing would ever be done between two kills."""
        before = self.done(number)
        while driver.poll() is None and self.done(number) in (None, before):
            time.sleep(0.05)

    def done(self, number: str) -> float | None:
        """What grows with every unit that a fleet ends; None where it cannot be seen now."""
        if self.server is None:
            found = 0.0
            for file in Path(f"shifts/kills-{number}/ledgers").glob("*"):
                with suppress(OSError):
                    found += file.stat().st_mtime
            return found
        import psycopg

        try:
            if self.seen is None:
                self.seen = psycopg.connect(os.environ["TAKT_STORE"], autocommit=True)
            query = "SELECT coalesce(sum(events), 0) FROM takt.shifts WHERE starts_with(name, %s)"
            return float(self.seen.execute(query, (f"kills-{number}/",)).fetchone()[0])
        except psycopg.errors.UndefinedTable:
            return 0.0  # before the first driver
        except psycopg.Error:
            self.seen = None
            return None

    def shoot(self, driver: subprocess.Popen[bytes]) -> None:
        if self.server is not None and self.rng.random() < 1 / 16:
            self.server.kill()  # type: ignore[attr-defined]
            self.killed["server"] += 1
            self.server.start()  # type: ignore[attr-defined]
            return
        there = sorted(working(driver.pid))
        if self.rng.random() < (1 / 10 if there else 1 / 200):  # seldom while it starts
            there = [("driver", driver.pid)]
        if not there:
            return
        kind, pid = self.rng.choice(there)
        with suppress(OSError):
            if driver.poll() is None:
                os.kill(pid, signal.SIGKILL)
                self.killed[kind] += 1


def wrong_in(plan: Plan) -> int:
    """How many shifts have another digest than when they are worked here and nothing is killed."""
    there = ledgers_in(plan.store)
    assert there == {shift.file for shift in plan.shifts}, "a shift twice, or not at all"
    wrong = 0
    for shift in plan.shifts:
        with Ledger.open(ledger_of(plan.store, shift)) as book:
            assert book.finished and not book.faults()
            digest = book.digest()
        arm = shift.arm
        options = {"units": arm.units, "clock": arm.clock, "station_options": arm.station_options}
        wrong += run_shift(arm.station, arm.worker, seed=shift.seed, **options).digest != digest
    return wrong


@contextmanager
def served(given: argparse.Namespace, environment: dict[str, str]) -> Iterator[object]:
    """A server of our own, and a Ray cluster of our own, where they are asked for."""
    if given.on == "ray":
        from ray.cluster_utils import Cluster as Nodes

        nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": given.jobs, "include_dashboard": False})
        environment["RAY_ADDRESS"] = nodes.address
    try:
        if given.store == "postgresql":
            sys.path.append(str(Path(__file__).parents[1] / "tests"))
            from postgres_server import Server

            with Server() as server:
                os.environ["TAKT_STORE"] = environment["TAKT_STORE"] = server.uri
                environment["TAKT_LEASE_S"] = str(LEASE_S)
                yield server
        else:
            yield None
    finally:
        if given.on == "ray":
            nodes.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shifts", type=int, default=6, help="of a fleet")
    parser.add_argument("--units", type=int, default=30, help="of a shift")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--on", default="local", choices=("local", "ray"))
    parser.add_argument("--store", default="folder", choices=("folder", "postgresql"))
    parser.add_argument("--mean", type=float, default=0.4, help="seconds between two kills, on average")
    given = parser.parse_args()
    began_s = time.monotonic()
    os.environ["SLOW_S"] = "0"  # here, where what was worked is worked once more
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("slow_worker.py").write_text(WORKER)
        sys.path.insert(0, folder)
        path = os.pathsep.join([folder, *(os.path.abspath(one) for one in filter(None, sys.path))])
        environment = {**os.environ, "PYTHONPATH": path, "SLOW_S": "0.005"}
        wrong = number = 0
        with served(given, environment) as server:
            fleets = Fleets(given, environment, server)

            def enough(*_: object) -> None:
                given.kills = 0

            signal.signal(signal.SIGTERM, enough)
            while fleets.killed.total() < given.kills:
                plan = fleets.work(number)
                wrong += wrong_in(plan)
                number += 1
                faults = Counter(fault.kind for fault in machine_faults(plan))
                print(
                    f"{time.monotonic() - began_s:.0f} s: {fleets.killed.total()} SIGKILLs {dict(fleets.killed)}; "
                    f"{number * given.shifts} shifts of {given.units} units, none twice, none missing, {wrong} with "
                    f"another digest than alone; faults that drivers counted in this fleet: {dict(faults)}",
                    flush=True,
                )
        used = sum(os.times()[:4])
        print(
            f"{fleets.killed.total()} SIGKILLs on {given.on}, store {given.store}, seed {given.seed}: {wrong} of "
            f"{number * given.shifts} digests differ; {fleets.drivers} drivers, "
            f"{time.monotonic() - began_s:.0f} s, {used:.0f} s of processor time (what was killed is not in it)"
        )
        os.chdir("/")
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
