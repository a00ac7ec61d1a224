"""A fleet whose ledgers and notes are in a database: seen and gone on with from anywhere, by one driver at a time.

All of this is by a real server (postgres_server.py), and is skipped, with words, where there is none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fleet_plans import few, hand

from takt import Ledger, TaktError, run_shift
from takt.cli import main
from takt.errors import Busy, Lost
from takt.fleet.changes import Changed
from takt.fleet.crew import MachineFault
from takt.fleet.drive import Driver, job_of
from takt.fleet.executor import Executor
from takt.fleet.job import ENDED, LOST, STORE, Message
from takt.fleet.local import Local
from takt.fleet.made import kept_in, plan_as_worked
from takt.fleet.notes import machine_faults, notes_of
from takt.fleet.notes_in_folder import FolderNotes
from takt.fleet.record import Record
from takt.fleet.standing import standing_of_fleet
from takt.fleet.store import is_gone, ledger_of, ledgers_in
from takt.fleet.toml import plan_of, read_plan
from takt.fleet.work import work
from takt.ledger.postgres_schema import migrate
from takt.ledger.postgres_store import standings
from takt.ledger.store import place_of

PLAN = few("0-1", 6, 'store = { env = "TAKT_STORE" }') + "[limits]\nbackoff_s = 0.1\n" + hand("Balances")
HUSH = "hush-hush"  # the server takes any password


@pytest.fixture
def store(server: Any, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of the test's own, by an address with a password in it."""
    monkeypatch.chdir(tmp_path)
    name = request.node.name[:40].rstrip("_")
    address = server.uri.replace("takt@", f"takt:{HUSH}@") + f"#{name}"
    monkeypatch.setenv("TAKT_STORE", address)
    return address


class Here(Executor):
    """Works a job at once, in this process."""

    def __init__(self) -> None:
        self.told: list[Message] = []

    def room(self, job: Any) -> bool:
        return not self.told

    def start(self, job: Any) -> None:
        kind, record = work(job, lambda said: None, lambda: False)
        self.told.append(Message(job, kind, record.told()))

    def wait(self, timeout_s: Any) -> Any:
        told, self.told = self.told, []
        return told

    def leave(self, job: Any) -> None: ...

    def kill(self, job: Any) -> None: ...

    def close(self) -> None: ...


def digests(plan: Any) -> Any:
    found = {}
    for shift in plan.shifts:
        with Ledger.open(ledger_of(plan.store, shift)) as book:
            assert book.finished and book.faults() == []
            found[shift.id] = book.digest()
    return found


def alone(plan: Any) -> dict[str, Any]:
    return {
        shift.id: run_shift(
            shift.arm.station,
            shift.arm.worker,
            seed=shift.seed,
            units=shift.arm.units,
            clock=shift.arm.clock,
            station_options=shift.arm.station_options,
        ).digest
        for shift in plan.shifts
    }


def test_a_fleet_in_a_database_is_worked_once_and_told_of_from_anywhere_and_no_password_is(
    store: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("fleet.toml").write_text(PLAN)
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 0
    plan = read_plan(Path("fleet.toml"))
    assert digests(plan) == alone(plan) and ledgers_in(store) == {shift.file for shift in plan.shifts}
    assert Driver(plan_of(PLAN + '\nlabel = "other"\n'), Here).run().began == 0, "found by what they are, not by name"
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")  # another machine: it has the address, and no plan, no folder, no variable
    os.environ.pop("TAKT_STORE")
    out = capsys.readouterr()
    for command in (
        ["fleet", "status", store],
        ["fleet", "table", store],
        ["fleet", "page", store],
        ["query", "SELECT ledger, count(*) FROM shifts JOIN units USING (id) GROUP BY ALL", store],
        ["fleet", "plan", store],
        ["fleet", "watch", store],
        ["fleet", "status", store, "--json"],
    ):
        assert main(command) == 0, command
        told = capsys.readouterr()
        out = type(out)(out.out + told.out, out.err + told.err)
    assert json.loads(told.out)["ended"] == 2 and "12 of 12" in out.out and "takt:***@" in out.out
    assert main(["fleet", "resume", store, "--json"]) == 0 and json.loads(capsys.readouterr().out)["began"] == 0
    assert main(["fleet", "stop", store]) == 2
    assert "nothing to stop" in capsys.readouterr().err and HUSH not in out.out + out.err
    assert main(["fleet", "status", store.partition("#")[0] + "#nobody"]) == 2
    assert "there is no fleet" in capsys.readouterr().err
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or HUSH.encode() not in path.read_bytes(), path
    with Ledger.open(ledger_of(store, plan.shifts[0])) as book:
        assert HUSH not in json.dumps(book.meta)


def test_several_seeds_are_worked_into_a_database_and_gone_on_with_by_their_address(
    store: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shift = ["--units", "6", "--clock", "lockstep"]
    shift += [word for one in ("id=CartPole-v1", "takt_s=0.5", "success=return>=15") for word in ("-o", one)]
    assert main(["run", "gym", "--worker", "hands:Balances", "--seeds", "0-1", *shift, "--out", store, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ended"], told["arms"][0]["good"]) == (2, 12) and HUSH not in json.dumps(told)
    assert main(["fleet", "resume", store, "--json"]) == 0 and json.loads(capsys.readouterr().out)["began"] == 0
    plan = read_plan(store)
    assert digests(plan) == alone(plan) and HUSH not in plan.text


def test_a_fleet_has_one_driver_and_one_that_woke_late_writes_nothing_and_ends(store: Any, server: Any) -> None:
    import psycopg

    plan = plan_of(PLAN)
    first, second = notes_of(plan), notes_of(plan)
    first.drive("x = 1")
    first.say({"running": []})
    with pytest.raises(Busy, match=r"another driver .* works on the fleet"):
        second.drive("")
    second.ask_to_stop()
    assert second.driven() and not first.asked_to_stop()
    first.say({})
    assert first.asked_to_stop()
    with psycopg.connect(server.uri, autocommit=True) as by_hand:  # it was not heard of for too long
        by_hand.execute("UPDATE takt.fleets SET until = clock_timestamp() - interval '1 s'")
    first.say({"still": "here"})  # nobody took its place
    with pytest.raises(Busy):
        second.drive("")
    with psycopg.connect(server.uri, autocommit=True) as by_hand:
        by_hand.execute("UPDATE takt.fleets SET until = clock_timestamp() - interval '1 s'")
    second.drive("")
    for attempt in (
        lambda: first.say({"wrong": True}),
        lambda: first.put([("arm", _record())], {}),
        lambda: first.add_fault(_fault()),
    ):
        with pytest.raises(Lost, match="this one has stopped, and wrote nothing"):
            attempt()  # type: ignore[no-untyped-call]
    first.close()  # gives back nothing, for it has nothing
    assert second.driven() and not second.records() and not second.faults() and second.said() == {}
    second.close()
    assert not notes_of(plan).driven() and "x = 1" in notes_of(plan).plan_text()


def test_a_fleet_is_copied_whole_into_a_database_and_back(store: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fleet.toml").write_text(PLAN.replace('store = { env = "TAKT_STORE" }', ""))
    plan = read_plan(Path("fleet.toml"))
    assert Driver(plan, Here).run().began == 2
    faults = [
        replace(_fault(), id=plan.shifts[0].id, why=why) for why in ("first run", "second run")
    ]  # of a shift, its first try
    for fault in faults:
        notes_of(plan).add_fault(fault)
    for source, target, fleet in (
        ("shifts", store, f"{store}/few"),
        (store, "back", "back/few"),
        (f"{store}/few", "one", "one"),
        ("back/few", f"{store}/again", f"{store}/again"),
        ("shifts", store, f"{store}/few"),
    ):
        assert main(["ledger", "copy", source, target]) == 0 and "2 faults" in capsys.readouterr().out
        found = standing_of_fleet(plan_as_worked(fleet))
        assert (found.ended, found.faults, found.others) == (2, faults, 0), fleet
        copied = read_plan(fleet)
        assert Driver(copied, Here).run().began == 0 and digests(copied) == digests(plan)


def test_another_fleet_in_a_database_keeps_its_plan_whoever_comes_from_wherever(
    store: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """By address as by folder (test_tables.py); a plan without a name in it is called there as its file was."""
    Path("few.toml").write_text(PLAN.replace('name = "few"\n', ""))
    assert Driver(read_plan(Path("few.toml")), Here).run().began == 2
    kept, ledgers = kept_in(notes_of(plan := read_plan(store))), ledgers_in(store)
    assert (plan.name, kept.name, kept.source) == ("few", "few", str(Path("few.toml").resolve()))
    Path("other.toml").write_text(PLAN.replace('"few"', '"other"').replace("0-1", "0-4"))
    cartpole = ["--option", "id=CartPole-v1", "--option", "takt_s=0.5"]
    run = ["run", "gym", "--worker", "hands:Balances", "--seeds", "0", "--units", "1", "--out", store, *cartpole]
    Path("folder/ledgers").mkdir(parents=True)
    FolderNotes(Path("folder")).drive(PLAN.replace('"few"', '"other"').replace('store = { env = "TAKT_STORE" }', ""))
    for command in (
        ["fleet", "run", "other.toml"],
        ["fleet", "plan", "other.toml"],
        run,
        ["ledger", "copy", "folder", store],
    ):
        assert main(command) == 2
        (told,) = capsys.readouterr().err.strip().splitlines()
        assert "has another fleet, few" in told and "place" in told and HUSH not in told
        assert (kept_in(notes_of(plan)), ledgers_in(store)) == (kept, ledgers)
    lines: list[str] = []
    Path("few.toml").write_text(PLAN.replace("0-1", "1-2"))
    assert Driver(read_plan(Path("few.toml")), Here, on_line=lines.append).run().began == 1
    assert "last: 1 new shift, and 1 that is of it no more, whose ledgers stay" in lines[0] and len(lines) == 1


def _record() -> Any:
    return Record("a", 1, "units", "", "g", 0, "1", "000000", [1.0], 1.0, 1.0, "", "")


def _fault() -> Any:
    return MachineFault("a", "arm", 1, 1, LOST, "why", "host", "log", "", False)


def test_a_driver_that_was_stopped_and_wakes_when_another_has_taken_its_place_ends_and_nothing_is_doubled(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the first driver's processes sleep (SIGSTOP) in the middle; the second does the rest; the first wakes."""
    Path("fleet.toml").write_text(PLAN.replace("Balances", "Slow").replace("units = 6", "units = 15"))
    plan = read_plan(Path("fleet.toml"))
    monkeypatch.setenv("TAKT_LEASE_S", "1")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "takt.cli", "fleet", "run", "fleet.toml", "--jobs", "1"]
    first = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    family = Path(f"/proc/{first.pid}/task/{first.pid}/children")
    try:
        until(lambda: any(one.units for one in _standings(store)), first)
        asleep = [first.pid, *map(int, family.read_text().split())]
        for pid in asleep:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: not notes_of(plan).driven())
        until(lambda: not any(one.holder for one in _standings(store)))  # the shift's lease ends as the driver's does
        assert Driver(plan, Here).run().ended == 2
        before = digests(plan)
        for pid in asleep:
            os.kill(pid, signal.SIGCONT)
        assert "another driver works on the fleet" in first.communicate(timeout=240)[1] and first.returncode == 2
        assert digests(plan) == before == alone(plan) and len(ledgers_in(store)) == 2
    finally:
        first.kill()
        first.wait()


def _standings(store: Any) -> Any:
    return standings(place_of(store))  # type: ignore[arg-type]


def until(found: Any, process: Any = None) -> Any:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if value := found():
            return value
        assert process is None or process.poll() in (None, 0)
        time.sleep(0.05)
    raise AssertionError("it never came to that")


def test_two_drivers_of_other_plans_forced_onto_one_shift_come_to_one_shift(store: Any) -> None:
    """Two runners with the same shift, begun at the same time by different fleets' drivers: one works it, the other
    waits until it can read it."""
    plan = plan_of(PLAN.replace("0-1", "0"))
    told, barrier = [], threading.Barrier(2)
    job = _job(plan)

    def run() -> None:
        barrier.wait()
        while True:
            try:
                told.append(work(job, lambda said: None, lambda: False))
                return
            except Busy:
                time.sleep(0.05)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert [kind for kind, _ in told] == [ENDED, ENDED] and told[0][1].digest == told[1][1].digest
    assert len(ledgers_in(store)) == 1 and digests(plan) == alone(plan)


def _job(plan: Any) -> Any:
    return job_of(plan, plan.shifts[0])


def test_a_server_that_is_killed_is_waited_for_by_driver_and_shifts_and_is_no_bad_unit(store: Any, server: Any) -> None:
    plan, killed = plan_of(PLAN.replace("Balances", "Slow").replace("units = 6", "units = 35")), []

    def news(_standing: Any, running: Any) -> None:
        if not killed and any(said.get("units") for said in running.values()):
            killed.append(server.kill())
            server.start()

    done = Driver(plan, lambda: Local(1, plan.folder / "logs"), news).run()
    assert killed and done.ended == 2 and not done.lost and digests(plan) == alone(plan)
    assert len(ledgers_in(plan.store)) == 2 and standing_of_fleet(plan).ended == 2


def test_a_shift_that_was_told_to_have_ended_has_ended_whenever_the_server_is_killed(store: Any, server: Any) -> None:
    """Units are not waited for until they are on disk, but the end is: nobody would look for it again."""
    plan = plan_of(PLAN)
    for shift in plan.shifts:
        assert work(job_of(plan, shift), lambda said: None, lambda: False)[0] == ENDED
        server.kill()
        server.start()
    assert digests(plan) == alone(plan)


def test_a_store_that_is_full_ends_the_fleet_in_one_line_and_loses_no_unit(store: Any, server: Any) -> None:
    import psycopg

    plan = plan_of(PLAN)
    full = "CREATE FUNCTION takt.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.seq > 8 THEN "
    full += "RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$;"
    full += "CREATE TRIGGER f BEFORE INSERT ON takt.events FOR EACH ROW EXECUTE FUNCTION takt.full()"
    with psycopg.connect(server.uri, autocommit=True) as by_hand:
        migrate(by_hand, store)
        by_hand.execute(full)
        try:
            done = Driver(plan, lambda: Local(1, plan.folder / "logs")).run()
        finally:
            by_hand.execute("DROP FUNCTION takt.full CASCADE")
    assert done.why == "full" and "No space left" in done.told and HUSH not in done.told and "\n" not in done.told
    assert [fault.kind for fault in machine_faults(plan)] == [STORE]
    assert Driver(plan, Here).run().ended == 2 and digests(plan) == alone(plan)


def test_a_server_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAKT_STORE", f"postgresql://takt:{HUSH}@127.0.0.1:1/takt")
    Path("fleet.toml").write_text(PLAN)
    for command in ("run", "status"):
        assert main(["fleet", command, "fleet.toml"]) == 2
        out, err = capsys.readouterr()
        assert err.count("\n") == 1 and "127.0.0.1:1" in err and HUSH not in out + err
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.toml"]
    with pytest.raises(TaktError) as error:
        work(_job(plan_of(PLAN)), lambda said: None, lambda: True)
    assert is_gone(error.value), "so that it is a machine's fault, and tried again"


def test_where_nothing_may_be_written_a_driver_says_so_and_nothing_is_begun(
    store: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("fleet.toml").write_text(PLAN)
    plan = read_plan(Path("fleet.toml"))
    notes = notes_of(plan)
    notes.drive(plan.text)  # it is there, and nobody works it
    notes.close()
    place, _, fleet = store.partition("#")
    more = "&" if "?" in place else "?"
    monkeypatch.setenv("TAKT_STORE", f"{place}{more}options=-c%20default_transaction_read_only%3Don#{fleet}")
    assert main(["fleet", "status", "fleet.toml"]) == 0
    capsys.readouterr()
    assert main(["fleet", "run", "fleet.toml"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "cannot write the fleet" in said and "read-only transaction" in said


def test_what_a_stranger_wrote_into_the_notes_is_left_out(store: Any, server: Any) -> None:
    """Records, faults and the driver's word of another's making: the fleet is read from its ledgers."""
    import psycopg

    plan = plan_of(PLAN)
    Driver(plan, Here).run()
    told = _record().told()
    strange = ["{", "[]", "3", json.dumps({**told, "cycles": ["x"]}), json.dumps({**told, "seed": True})]
    strange += ['{"spared": 3, "refused": [], "running": {"a": 1}}', '{"spared": [[]], "refused": {"a": {}}}']
    strange += [json.dumps({**told, "ended": 7}), json.dumps({**told, "more": 1}), json.dumps({**told, "wall_s": "1"})]
    with psycopg.connect(server.uri, autocommit=True) as by_hand:
        for number, text in enumerate(strange):
            where = "WHERE fleet = (SELECT id FROM takt.fleets WHERE name = %s)"
            by_hand.execute(f"UPDATE takt.records SET record = %s {where}", (text, place_of(store).name))
            said = "UPDATE takt.fleets SET said = %s WHERE name = %s"
            by_hand.execute(said, (text, place_of(store).name))
            insert = "INSERT INTO takt.faults (fleet, token, shift, attempt, fault) "
            insert += "SELECT id, 9, %s, 1, %s FROM takt.fleets WHERE name = %s"
            by_hand.execute(insert, (str(number), text, place_of(store).name))
            found = standing_of_fleet(plan)
            assert found.ended == 2 and not found.faults and found.done


def test_a_shift_whose_policy_changed_meanwhile_is_marked_in_the_database_and_counts_as_nothing(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hands.Policy.made", 0)
    Path("policy.txt").write_text("0.3")
    plan = plan_of(
        PLAN.replace("Balances", "Policy").rstrip() + '\noptions = { path = "policy.txt", then = "1.0" }\n',
    )
    first, second = (job_of(plan, shift) for shift in plan.shifts)
    assert work(first, lambda told: None, lambda: False)[0] == ENDED
    with pytest.raises(Changed, match="is given up, for what it is made of changed while it was worked"):
        work(second, lambda told: None, lambda: False)
    Path("policy.txt").write_text("0.3")
    with pytest.raises(TaktError, match="move it away, and the shift is worked again"):
        work(second, lambda told: None, lambda: False)
    found = standing_of_fleet(plan)
    assert (found.ended, found.unreadable.keys(), found.changed) == (1, {second.id}, [])
