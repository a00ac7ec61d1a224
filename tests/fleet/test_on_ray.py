"""A fleet on Ray, by a cluster of one node on this machine; benchmarks/fleet_ray.py has three, and loses two."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fleet_plans import few, hand

from takt import TaktError
from takt.cli.fleets import executor_for
from takt.fleet import cluster
from takt.fleet.drive import Driver, job_of
from takt.fleet.local import _family
from takt.fleet.notes import machine_faults
from takt.fleet.toml import plan_of
from takt.ledger import Ledger
from takt.shift import run_shift

ray = pytest.importorskip("ray", reason="no Ray here (the extra `fleet`)")
PLAN = few("0-1", 80) + "[limits]\nbackoff_s = 0.1\n" + hand("Slow")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    yield tmp_path
    ray.shutdown()


def owners() -> list[int]:
    """Ray's workers that have a shift's process under them."""
    found = []
    for pid in _family(os.getpid()):
        with suppress(OSError):
            if b"takt.fleet.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]))
    return found


def test_what_no_machine_of_the_cluster_has_is_said_before_anything_runs(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked:
        nodes = staticmethod(lambda: [{"Alive": True, "Resources": {"CPU": 4.0, "memory": 8e9}}])

    monkeypatch.setattr(cluster, "MACHINES_S", 0.0)
    some = object.__new__(cluster.Cluster)
    some._ray = Asked
    for more, said in (
        ("cores = 4", ""),
        ("memory_gb = 9", "9 GB, and"),
        ("gpus = 1", "1 GPUs, and"),
        ("cores = 5", "5 "),
    ):
        plan = plan_of(f"{PLAN}{more}")
        why = some.never(job_of(plan, plan.shifts[0]))
        assert said in why and bool(why) == bool(said) and why.count("4 cores, 0 GPUs, 8 GB") == bool(said)
    monkeypatch.setattr(cluster.Cluster, "__init__", lambda self: None)
    monkeypatch.setattr(cluster.Cluster, "close", lambda self: None)
    with pytest.raises(TaktError, match="hands:Slow @ gym: a shift takes 5 cores"):
        Driver(plan, lambda: some).run()


def test_a_lost_ray_worker_costs_its_shift_nothing_but_time_and_is_counted(here: Path) -> None:
    plan, killed = plan_of(PLAN), []

    def news(_standing: Any, running: Any) -> None:
        if not killed and running and (there := owners()):  # it has begun, and takes seconds
            killed.append(there[0])
            os.kill(there[0], signal.SIGKILL)

    done = Driver(plan, lambda: executor_for(plan, "ray", 1), news).run()
    (fault,) = machine_faults(plan)
    assert killed and (fault.kind, fault.attempt, fault.given_up) == ("lost", 1, False)
    assert done.ended == 2 and not done.lost
    for shift in plan.shifts:
        arm = shift.arm
        how: dict[str, Any] = {"units": arm.units, "clock": arm.clock, "station_options": arm.station_options}
        with Ledger.open(plan.folder / "ledgers" / shift.file) as book:
            assert book.finished
            assert book.digest() == run_shift(arm.station, arm.worker, seed=shift.seed, **how).digest
