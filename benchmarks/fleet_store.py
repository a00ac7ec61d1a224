"""What a unit costs a PostgreSQL store, and what a thousand cores would ask of one.

    python benchmarks/fleet_store.py [--writers 1,2,4,8] [--units 2000] [--station gym]

Some processes append the units of one real shift (recorded once, in memory) again and again, each to a ledger of its
own, as fast as the server of our own takes them. Prints for each number of writers: units a second, processor time of a
unit at the server and at the worker, bytes that go over the network, into the server's log (WAL), and stay in the
database. By processor time, not by wall time, for a machine may be busy.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from takt.ledger import Ledger
from takt.ledger.store import place_of
from takt.shift import run_shift

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from postgres_server import Server

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
STATIONS = {
    "gym": ("gym", "idle", {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=15"}, 40),
    "nutcell": ("nutcell", "expert", {}, 6),
}  # the last: units of the shift that is recorded


def recorded(station: str) -> list[tuple[Any, ...]]:
    """The commits of a shift."""
    name, worker, options, units = STATIONS[station]
    kept: list[tuple[Any, ...]] = []
    real = Ledger.commit

    def commit(self: Ledger, events: Any, snapshot: Any, unit: Any, **notes: Any) -> None:
        kept.append((events, snapshot, unit, notes))
        real(self, events, snapshot, unit, **notes)

    Ledger.commit = commit  # type: ignore[method-assign]
    try:
        run_shift(name, worker, seed=1, units=units, clock="lockstep", station_options=options, ledger="recorded.takt")
    finally:
        Ledger.commit = real  # type: ignore[method-assign]
        Path("recorded.takt").unlink()
    return kept[1:-1]


def write(uri: str, name: str, commits: Sequence[Any], units: int, begun: Any, told: Any) -> None:
    meta = {"station": "toy", "worker": "push", "seed": 3, "hours": 1.0}
    with Ledger.create(place_of(uri) / name, meta) as book:
        begun.wait()
        used = resource.getrusage(resource.RUSAGE_SELF)
        before_s, began_s = used.ru_utime + used.ru_stime, time.perf_counter()
        for number in range(units):
            events, snapshot, _, notes = commits[number % len(commits)]
            book.commit(events, snapshot, number, **notes)
        used = resource.getrusage(resource.RUSAGE_SELF)
        told.put((time.perf_counter() - began_s, used.ru_utime + used.ru_stime - before_s))


def server_s(server: Server) -> float:
    """Processor time of the server and of all that it has started."""
    postmaster = (Path(server._data) / "postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    found = 0
    for pid in (postmaster, *children):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found += sum(map(int, fields[11:15]))  # with those that have ended
    return found * TICK_S


def network() -> int:
    """Bytes over the loopback so far."""
    return next(int(line.split()[1]) for line in Path("/proc/net/dev").read_text().splitlines() if "lo:" in line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", default="1,2,4,8")
    parser.add_argument("--units", type=int, default=2000, help="in all")
    parser.add_argument("--station", default="gym", choices=STATIONS)
    given = parser.parse_args()
    commits = recorded(given.station)
    events = sum(len(one[0]) for one in commits) / len(commits)
    state = sum(len(one[1] or b"") for one in commits) / len(commits)
    load = os.getloadavg()[0]
    print(f"{given.station}: a unit is {events:.1f} events and a state of {state / 1000:.1f} kB; load {load:.0f}")
    fork = multiprocessing.get_context("fork")
    with Server() as server, psycopg.connect(server.uri, autocommit=True) as by_hand:
        for writers in map(int, given.writers.split(",")):
            each = given.units // writers
            begun, told = fork.Barrier(writers + 1), fork.Queue()
            some = [
                fork.Process(target=write, args=(server.uri, f"{writers}-{n}", commits, each, begun, told))
                for n in range(writers)
            ]
            for one in some:
                one.start()
            begun.wait()
            size = "SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
            before = (*by_hand.execute(size).fetchone(), network(), server_s(server))
            found = [told.get() for _ in some]
            after = (*by_hand.execute(size).fetchone(), network(), server_s(server))
            for one in some:
                one.join()
            units, wall_s = each * writers, max(wall for wall, _ in found)
            stay, wal, net, cpu_s = (float(b) - float(a) for a, b in zip(before, after, strict=True))
            cpus_s = sum(cpu for _, cpu in found), cpu_s
            worker_ms, server_ms = (1000 * one / units for one in cpus_s)
            print(
                f"{writers} writers: {units / wall_s:,.0f} units/s, {1000 * wall_s * writers / units:.2f} ms of a "
                f"worker's wall time each; processor {worker_ms:.2f} ms at the worker, {server_ms:.2f} ms at the "
                f"server; {net / units / 1000:.1f} kB over the network, {wal / units / 1000:.1f} kB of log, "
                f"{stay / units / 1000:.1f} kB stay",
                flush=True,
            )


if __name__ == "__main__":
    main()
