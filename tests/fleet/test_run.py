"""A fleet is worked: nothing twice, nothing lost, whatever dies; and stopped when it is certain or used up."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fleet_plans import few

from takt.cli import main
from takt.errors import Busy, Unserved, Unwritable
from takt.fleet.changes import Changed
from takt.fleet.child import _done
from takt.fleet.drive import Driver, job_of
from takt.fleet.job import Job
from takt.fleet.local import Local
from takt.fleet.notes import machine_faults
from takt.fleet.notes_in_folder import FolderNotes
from takt.fleet.standing import standing_of_fleet
from takt.fleet.toml import plan_of, read_plan
from takt.fleet.work import work as work_job
from takt.ledger import Ledger
from takt.shift import run_shift

PLAN = few("0-3", 10)
PATIENCE_S = 300


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hand(name: Any, **more: Any) -> str:
    rest = "\n".join(f"{key} = {json.dumps(value).replace(': ', ' = ')}" for key, value in more.items())
    return f'\n[[worker]]\nname = "hands:{name}"\n{rest}\n'


def work(text: Any, jobs: Any = 2, **limits: Any) -> Any:
    plan = plan_of(text)
    return plan, Driver(plan, lambda: Local(jobs, plan.folder / "logs", **limits)).run()


def digest(path: Any) -> Any:
    with Ledger.open(path) as book:
        assert book.finished
        return book.digest()


def digests(plan: Any) -> dict[str, Any]:
    return {shift.id: digest(plan.folder / "ledgers" / shift.file) for shift in plan.shifts}


def alone(plan: Any) -> Any:
    """The digests of the plan's shifts, each worked by itself, here."""
    found = {}
    for shift in plan.shifts:
        arm = shift.arm
        worked = run_shift(
            arm.station,
            arm.worker,
            seed=shift.seed,
            units=arm.units,
            clock=arm.clock,
            station_options=arm.station_options,
            worker_options=arm.worker_options,
        )
        found[shift.id] = worked.digest
    return found


def test_a_fleet_is_worked_once_and_then_not_again(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fleet.toml").write_text(PLAN + hand("Balances") + hand("Right"))
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["shifts"] == told["ended"] == 8 and not told["machine_faults"]
    assert [arm["good"] for arm in told["arms"]] == [40, 0] and told["arms"][1]["verdict"]["decision"] == "reject"
    plan = read_plan(Path("fleet.toml"))
    assert digests(plan) == alone(plan)
    before = {path: path.stat().st_mtime_ns for path in Path("shifts/few/ledgers").glob("*.takt")}
    for again in ("run", "fleet.toml"), ("resume", "shifts/few"):
        assert main(["fleet", *again, "--json"]) == 0 and json.loads(capsys.readouterr().out)["began"] == 0
    Path("fleet.toml").write_text(PLAN.replace("0-3", "0-4") + hand("Right"))
    for record in Path("shifts/few").glob("index.db"):
        record.unlink()
    grown = read_plan(Path("fleet.toml"))
    done = Driver(grown, lambda: Local(1, here / "logs")).run()
    assert done.began == 1 and done.ended == 5, "what is there is found by its ledgers alone"
    assert all(path.stat().st_mtime_ns == made_ns for path, made_ns in before.items())


@pytest.mark.parametrize("seed", [2024])
def test_killed_at_random_instants_driver_and_workers_it_ends_with_the_same_digests(here: Any, seed: Any) -> None:
    """Three SIGKILLs; benchmarks/fleet_kills.py has a thousand."""
    Path("fleet.toml").write_text(
        PLAN.replace("0-3", "0-1") + hand("Slow") + "[limits]\nretries = 50\nbackoff_s = 0.1\n"
    )
    plan, rng = read_plan(Path("fleet.toml")), random.Random(seed)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "takt.cli", "fleet", "run", "fleet.toml", "--jobs", "2"]
    deadline_s = time.monotonic() + PATIENCE_S
    killed = 0
    while True:
        driver = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while killed < 3 and driver.poll() is None and time.monotonic() < deadline_s:
            time.sleep(rng.uniform(0.3, 3.0))
            family = Path(f"/proc/{driver.pid}/task/{driver.pid}/children")
            children = [int(pid) for pid in family.read_text().split()] if family.exists() else []
            victim = rng.choice([driver.pid, *children])
            if victim == driver.pid and driver.poll() is None:
                driver.kill()
            elif victim != driver.pid:
                os.kill(victim, signal.SIGKILL)
            killed += 1
        assert driver.wait(PATIENCE_S) in (0, -signal.SIGKILL)
        if driver.returncode == 0:
            break
    assert digests(plan) == alone(plan)
    assert len(list(Path("shifts/few/ledgers").glob("*.takt"))) == len(plan.shifts), "none twice"


def test_plans_that_share_a_store_and_call_a_shift_otherwise_work_it_once_also_at_the_same_time(here: Any) -> None:
    """One has begun when the other one looks; the second's snapshot of the store is of before."""
    plans = [
        plan_of(PLAN + f'[[worker]]\nname = "hands:Balances"\nlabel = "{label}"', store="common") for label in "ab"
    ]
    first, second = (job_of(plan, plan.shifts[0]) for plan in plans)
    assert first.id == second.id and first.ledger != second.ledger

    def looks(_: Any) -> None:
        with pytest.raises(Busy, match="another process works on the shift"):
            work_job(second, lambda told: None, lambda: False)
        seen.append(1)

    seen: list[int] = []
    ended = work_job(first, looks, lambda: False)
    assert seen and work_job(second, lambda told: None, lambda: False) == ended
    ledgers = here / "common" / "ledgers"
    assert [one.name for one in ledgers.glob("*.takt")] == [Path(first.ledger).name]
    with (ledgers / ".begun").open("a") as noted:
        noted.write("0123")  # by one who died in the middle of it
    Path(first.ledger).unlink()  # somebody made room: the shift is begun again, under the name that it has now
    for job in (second, first):
        assert work_job(job, lambda told: None, lambda: False)[1].digest == ended[1].digest
        assert [one.name for one in ledgers.glob("*.takt")] == [Path(second.ledger).name]


def test_a_machine_that_is_lost_costs_nothing_but_time_and_is_counted(here: Any) -> None:
    mark = str(here / "mark")
    text = PLAN.replace("0-3", "0-1") + hand("Dies", options={"mark": mark, "calls": 100})
    plan, done = work(text + "[limits]\nbackoff_s = 0.1\n", jobs=1)
    assert done.ended == 2 and not done.lost
    (fault,) = machine_faults(plan)
    assert (fault.kind, fault.attempt, fault.given_up) == ("lost", 1, False) and "SIGKILL" in fault.why
    assert fault.host and "seed 0" in Path(fault.log).read_text()
    assert digests(plan) == alone(plan), "here the mark is there, so that it does not die"


def test_a_server_that_gives_out_in_the_middle_is_a_machines_fault_and_costs_the_shift_no_unit(here: Any) -> None:
    plan = plan_of(PLAN.replace("0-3", "0") + hand("Unheard", options={"mark": str(here / "mark"), "calls": 60}))
    job = job_of(plan, plan.shifts[0])
    told = _done(job, io.StringIO(), threading.Event())
    assert told == {"kind": "fault", "data": {"kind": "server", "why": "the endpoint gives no answer with its retries"}}
    with Ledger.open(job.ledger) as book:
        before = book.events()
        assert not book.finished and sum(event.kind == "unit_good" for event in before) > 1
    kind, record = work_job(job, lambda said: None, lambda: False)
    assert (kind, record.units, record.good) == ("ended", 10, 10) and digests(plan) == alone(plan)
    with Ledger.open(job.ledger) as book:
        assert book.events()[: len(before)] == before


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), {"kind": "memory", "why": "there is not enough memory"}),
        (ZeroDivisionError("by\nnothing"), {"kind": "harness", "why": "ZeroDivisionError: by nothing"}),
        (Unwritable("the disk\nis full"), {"kind": "store", "why": "the disk is full"}),
        (Unserved("no answer"), {"kind": "server", "why": "no answer"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_machine_does_to_a_shift_is_told_as_the_kind_of_fault_that_it_is(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: Any
) -> None:
    def work(*_: Any) -> Any:
        raise error

    monkeypatch.setattr("takt.fleet.work.work", work)
    found = _done(Job("a", "arm", "gym", "idle", 0, "a.takt"), io.StringIO(), threading.Event())
    assert found == {"kind": "fault", "data": told}


def test_whoever_dies_hangs_or_grows_every_time_is_given_up_listed_and_no_unit_is_bad_for_it(
    here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PLAN.replace("0-3", "0") + hand("Dies", options={"calls": 60}) + hand("Hangs", options={"calls": 60})
    text += hand("Grows", memory_gb=0.4) + hand("Balances") + "[limits]\nretries = 1\nbackoff_s = 0.1\nsilent_s = 8\n"
    Path("fleet.toml").write_text(text.replace("units = 10", "units = 60"))
    assert main(["fleet", "run", "fleet.toml", "--jobs", "2"]) == 2
    assert "given up" in capsys.readouterr().out
    found = standing_of_fleet(read_plan(Path("fleet.toml")))
    kinds = {(fault.arm.partition(" ")[0].removeprefix("hands:"), fault.kind) for fault in found.faults}
    assert kinds == {("Dies", "lost"), ("Hangs", "silent"), ("Grows", "memory")}
    assert [(one.ended, one.left, one.lost, one.good) for one in found.arms] == [(0, 0, 1, 0)] * 3 + [(1, 0, 0, 60)]
    assert not found.done and len(found.faults) == 6 and "3 shifts given up" in found.state


def test_an_arm_ends_when_its_verdict_is_reached(here: Any) -> None:
    text = PLAN.replace("0-3", "0-9").replace("units = 10", "units = 40") + hand("Right") + "[stop]\nverdict = true\n"
    plan, done = work(text, jobs=1)
    assert done.why == "certain" and 2 <= done.ended <= 4 and len(done.spared) == 10 - done.ended
    assert standing_of_fleet(plan).arms[0].verdict.decision == "reject"
    assert work(text)[1].began == 0


def test_a_comparison_ends_when_the_best_is_known(here: Any) -> None:
    text = PLAN.replace("0-3", "0-9") + hand("Balances") + hand("Right") + hand("Sometimes", options={"share": 0.9})
    plan, done = work(text + '[stop]\ncompare = "best"\n', jobs=1)
    assert done.why == "certain" and done.ended < 30
    assert min(one.ended for one in standing_of_fleet(plan).arms) >= 3


def test_a_budget_ends_a_fleet_at_a_units_end_and_more_of_it_goes_on(here: Any) -> None:
    text = PLAN.replace("0-3", "0-1").replace("units = 10", "units = 30") + hand("Slow")
    plan, done = work(text + "[budget]\nmachine_hours = 0.0002\n", jobs=1)
    assert done.why == "budget" and done.ended < 2 and "machine hours" in done.told
    assert any(not record.ended and record.units for record in done.records.values()), "left at a unit's end"
    plan, done = work(text, jobs=1)
    assert done.ended == 2 and digests(plan) == alone(plan)


def test_asked_to_stop_it_leaves_every_shift_at_a_units_end(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fleet.toml").write_text(PLAN.replace("0-3", "0-1").replace("units = 10", "units = 200") + hand("Slow"))
    assert main(["fleet", "stop", "fleet.toml"]) == 2 and "nothing to stop" in capsys.readouterr().err
    plan = read_plan(Path("fleet.toml"))

    def ask(_standing: Any, running: Any) -> None:
        if any(said.get("units") for said in running.values()) and not (plan.folder / "stop").exists():
            assert main(["fleet", "stop", "fleet.toml"]) == 0

    done = Driver(plan, lambda: Local(1, plan.folder / "logs"), ask).run()
    assert done.why == "stopped" and not done.ended and done.began == 1
    (record,) = done.records.values()
    assert record.units >= 1 and "asked to stop" in done.told


def test_what_cannot_be_worked_is_one_line_and_is_not_tried_again(
    here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("fleet.toml").write_text(PLAN.replace("0-3", "0").replace("CartPole-v1", "CartPole-v99") + hand("Right"))
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 2
    out, err = capsys.readouterr()
    assert "CartPole-v99" in err and "cannot be worked: 1" in out and not machine_faults(read_plan(Path("fleet.toml")))


def test_a_disk_that_is_full_ends_the_fleet_in_one_line_and_loses_no_unit(
    here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("fleet.toml").write_text(PLAN.replace("0-3", "0").replace("units = 10", "units = 90") + hand("Fills"))
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 2
    plan = read_plan(Path("fleet.toml"))
    said = capsys.readouterr().err
    assert "the fleet ends" in said and "tried again" not in said
    told = [line for line in said.splitlines() if "left at a unit's end" in line]
    assert len(told) == 1 and "cannot write the ledger" in told[0] and plan.shifts[0].file in told[0]
    (fault,) = machine_faults(plan)
    assert fault.kind == "store" and not fault.given_up, "the next shift could not be worked either"
    with Ledger.open(plan.folder / "ledgers" / plan.shifts[0].file) as book:
        before = book.events()
    assert before and not standing_of_fleet(plan).arms[0].lost
    Path("mark").touch()
    assert main(["fleet", "run", "fleet.toml", "--jobs", "2"]) == 0
    with Ledger.open(plan.folder / "ledgers" / plan.shifts[0].file) as book:
        assert book.finished and book.events()[: len(before)] == before


def test_a_folder_that_cannot_be_written_into_is_one_line_and_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    notes, limits = FolderNotes(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # no byte more in any file, as on a disk that is full
    try:
        with pytest.raises(Unwritable, match="cannot write into the fleet's folder"):
            notes.drop(["x"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    (tmp_path / "index.db").write_bytes(b"no database" * 1000)
    notes.drop(["x"])
    notes.close()
    assert FolderNotes(tmp_path).records() == {}


def test_several_seeds_and_several_workers_at_a_time_come_to_the_same_as_one_after_the_other(
    here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shift = [
        "--units",
        "8",
        "-o",
        "id=CartPole-v1",
        "-o",
        "takt_s=0.5",
        "-o",
        "success=return>=15",
        "--clock",
        "lockstep",
    ]
    assert (
        main(
            [
                "run",
                "gym",
                "--worker",
                "hands:Balances",
                "--seeds",
                "0-1",
                "--jobs",
                "2",
                *shift,
                "--out",
                "f",
                "--json",
            ]
        )
        == 0
    )
    (arm,) = json.loads(capsys.readouterr().out)["arms"]
    assert (arm["ended"], arm["units"], arm["good"]) == (2, 16, 16)
    assert main(["fleet", "resume", "f", "--json"]) == 0, "it has a plan like any other fleet"
    assert json.loads(capsys.readouterr().out)["began"] == 0
    command = ["compare", "--station", "gym", "--worker", "hands:Balances,hands:Right", "--seeds", "0-1", *shift]
    told = []
    for folder, jobs in (("one", "1"), ("two", "2")):
        assert main([*command, "--ledgers", folder, "--jobs", jobs, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["pairs"] == told[1]["pairs"] and told[0]["seeds"] == told[1]["seeds"]
    for path in Path("one").glob("*.takt"):
        assert digest(path) == digest(Path("two") / path.name)


def test_a_policy_that_changes_while_its_fleet_runs_is_told_and_never_pooled_with_what_it_was(
    here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = here / "policy.txt"
    policy.write_text("0.3")
    Path("fleet.toml").write_text(
        PLAN.replace("0-3", "0-2") + hand("Policy", options={"path": "policy.txt", "then": "1.0"})
    )

    def run() -> tuple[int, list[str], Any]:
        code = main(["fleet", "run", "fleet.toml", "--jobs", "1"])
        found = standing_of_fleet(read_plan(Path("fleet.toml")))
        return code, [line for line in capsys.readouterr().err.splitlines() if "policy.txt" in line], found

    before = read_plan(Path("fleet.toml"))
    code, told, _ = run()
    assert code == 2 and len(told) == 1 and "seed 1" in told[0] and "is given up" in told[0], told
    assert "run the fleet again" in told[0]
    assert main(["fleet", "status", "shifts/few", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["ended"], seen["arms"][0]["lost"]) == (1, 2) and "policy.txt" in seen["changed"][0]
    code, told, found = run()
    assert (code, told, found.ended, found.others) == (0, [], 3, 2) and found.arms[0].good == 30
    policy.write_text("0.3")
    assert main(["fleet", "status", "fleet.toml"]) == 0
    assert "policy.txt" in capsys.readouterr().out.replace("\n", ""), "though all is done"
    code, told, found = run()
    assert (code, len(told), found.ended, found.arms[0].lost) == (2, 1, 2, 1) and found.arms[0].good < 20
    (here / "shifts/few/ledgers" / before.shifts[1].file).unlink()
    assert run()[0] == 0


def test_a_shift_whose_worker_has_another_file_than_when_the_plan_was_read_is_not_begun(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(here))
    own = here / "own_hand.py"
    own.write_text("import hands\nclass Own(hands.Right):\n    def __init__(self, weights: str = 'w.bin'): ...\n")
    Path("w.bin").write_text("1")
    plan = plan_of(PLAN + '[[worker]]\nname = "own_hand:Own"\n')
    job = job_of(plan, plan.shifts[0])
    for path, named in (Path("w.bin"), "w.bin"), (own, "own_hand:Own"):
        text = path.read_text()
        path.write_text(text + "#")
        with pytest.raises(
            Changed, match=f"since the plan was read, the file .*{named}.* is another one: put that back"
        ):
            work_job(job, lambda told: None, lambda: False)
        assert not Path(job.ledger).exists()
        path.write_text(text)
    assert work_job(job, lambda told: None, lambda: False)[0] == "ended"
