"""What is told of a fleet: tables with bounds, Parquet and SQL, the page, what a plan takes."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import re
import shutil
import sqlite3
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fleet_plans import few, hand
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from takt import TaktError
from takt.cli import main
from takt.draw import plots
from takt.errors import Busy
from takt.fleet import charts
from takt.fleet.arms import in_order, verdict_of
from takt.fleet.asked import query
from takt.fleet.beside import Beside
from takt.fleet.crew import MachineFault
from takt.fleet.drive import Driver
from takt.fleet.found import Found
from takt.fleet.looks import Looks
from takt.fleet.made import COMMAND, Kept, kept_in, kept_of, other_fleet, plan_as_worked
from takt.fleet.notes import notes_of
from takt.fleet.notes_in_folder import SEEN, FolderNotes
from takt.fleet.page import compared, write_page
from takt.fleet.quick import nothing_to_do, remember
from takt.fleet.record import Record
from takt.fleet.sample import (
    believed_spread,
    bounds_along,
    decided_at,
    drawn,
    log_e_along,
    shifts_to_verdict,
    stickiness_seen,
)
from takt.fleet.standing import FleetStanding, _arm, judged, standing_of_fleet
from takt.fleet.table import fleet_table, written
from takt.fleet.tables import update
from takt.fleet.together import Together
from takt.fleet.toml import plan_of, read_plan
from takt.judge.comparison import BETTER, UNDECIDED, WORSE
from takt.judge.sequences import closed, log_wealth_of_alike
from takt.shift import run_shift

PLAN = few("0-2", 10) + hand("Balances", 'label = "=balances|1%"\n')
PLAN += hand("Sometimes", 'label = "sometimes"\nvary = { share = [0.5, 0.9] }\n')


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A fleet that is done: its shifts are worked here, without processes."""
    plan = plan_of(PLAN)
    folder = tmp_path_factory.mktemp("worked")
    for shift in plan.shifts:
        arm = shift.arm
        run_shift(
            arm.station,
            arm.worker,
            seed=shift.seed,
            units=arm.units,
            clock=arm.clock,
            station_options=arm.station_options,
            worker_options=arm.worker_options,
            ledger=folder / shift.file,
            notes={"shift_id": shift.id},
        )
    return folder


@pytest.fixture
def fleet(worked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    Path("fleet.toml").write_text(PLAN)
    shutil.copytree(worked, "shifts/few/ledgers")
    return read_plan(Path("fleet.toml"))


def test_a_table_has_bounds_and_goes_into_a_page_a_sheet_and_a_paper(fleet: Any) -> None:
    found = standing_of_fleet(fleet)
    table = fleet_table(found)
    rows = list(csv.DictReader(io.StringIO(written(table, "csv"))))
    assert [(row["worker"], row["share"], row["units"]) for row in rows] == [
        ("'=balances|1%", "", "30"),
        ("sometimes", "0.5", "30"),
        ("sometimes", "0.9", "30"),
    ], "a label is no formula in a spreadsheet"
    for row, one in zip(rows, found.arms, strict=True):
        assert float(row["lower"]) <= float(row["rate"]) <= float(row["upper"])
        assert int(row["good"]) == sum(record.good for record in one.records) and row["verdict"] == one.verdict.decision
    assert "| =balances\\|1% |" in written(table, "markdown") and "=balances|1\\% &" in written(table, "latex")
    (both, _) = fleet_table(found, by=["worker"]).rows[1], None
    assert both.figures["units"] == 60 and both.figures["by"] == "unit" and not both.figures["verdict"]
    with pytest.raises(TaktError, match="no column 'difficulty'; it has: station, worker, share"):
        fleet_table(found, by=["difficulty"])
    twice = written(fleet_table(found, by=["worker", "worker"]), "csv").splitlines()
    assert twice == written(fleet_table(found, by=["worker"]), "csv").splitlines()
    for name, begins in (("t.csv", "station,worker,"), ("t.TEX", "%"), ("t.md", "| "), ("t", "| ")):
        assert main(["fleet", "table", "fleet.toml", "--out", name]) == 0
        assert Path(name).read_text().startswith(begins)


def test_a_row_is_one_row_whatever_stands_in_its_labels(fleet: Any) -> None:
    table = fleet_table(standing_of_fleet(fleet))
    columns = len(table.columns) + 6
    for label, cell in (
        ("two\n\nlines\u2028three", "two lines three"),
        ("a|b", "a\\|b"),
        ("a\\|b", "a&#92;\\|b"),
        ("<img src=x> [a](b)", "&lt;img src=x> \\[a](b)"),
        ("_x_ __y__ takt_s ~~z~~ http://a.b", "\\_x\\_ \\_\\_y\\_\\_ takt_s \\~\\~z\\~\\~ http&#58;//a.b"),
    ):
        odd = replace(table, rows=[replace(table.rows[0], of={"worker": label})], columns=["worker"])
        lines = written(odd, "markdown").splitlines()
        assert lines[2].startswith(f"| {cell} | ") and lines[3] == ""
        assert lines[2].replace("\\|", "").count("|") == columns - len(table.columns) + 2
    turned = replace(table, rows=[replace(table.rows[0], of={"worker": "a\u202eb"})], columns=["worker"])
    assert not any("\u202e" in written(turned, how) for how in ("markdown", "latex"))


def test_an_acceptance_by_citation_says_where_it_is_from_and_whether_it_was_reached(fleet: Any) -> None:
    strict = fleet_table(standing_of_fleet(fleet), accept="agibot-longcheer")
    assert any("(press)" in note and "AgiBot" in note for note in strict.notes)
    assert {row.figures["verdict"] for row in strict.rows} <= {"reject", "undecided"}
    with pytest.raises(TaktError, match="there are: xiaomi-2026"):
        fleet_table(standing_of_fleet(fleet), accept="nobody")


def test_units_and_events_are_asked_in_sql_and_nothing_else_is_seen(
    fleet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert update(fleet) == 9 and update(fleet) == 0
    shares = "(SELECT id, json_extract(columns, '$.share') AS share FROM shifts)"
    _, rows = query([fleet], f"SELECT share, sum(good::int) FROM units JOIN {shares} USING (id) GROUP BY ALL")
    good = {str(one.arm.columns.get("share")): one.good for one in standing_of_fleet(fleet).arms}
    assert {str(share): count for share, count in rows} == good
    assert query([fleet], "SELECT count(*) FROM events WHERE kind = 'shift_ended'")[1] == [(9,)]
    assert query([fleet], "SELECT count(*) FROM faults")[1] == [(0,)]
    assert query([fleet], "PIVOT units ON good USING count(*)")[1] and query([fleet], "EXPLAIN FROM units")[1]
    (tmp_path / "secret.csv").write_text("a\n1\n")
    theirs = (fleet.folder / "tables/shifts.parquet").resolve()
    monkeypatch.setattr("takt.fleet.asked.MOST_ROWS", 1000)
    monkeypatch.setattr("takt.fleet.asked._memory", lambda: 400_000_000)
    before = theirs.read_bytes()
    for wrong, why in (
        ("SELECT * FROM 'secret.csv'", "DuckDB does not answer that"),
        ("SELECT nothing FROM units", "DuckDB does not answer that"),
        ("SELECT 1; SET threads = 1", "begins with SELECT, .* not with SET"),
        (f"COPY (SELECT 1) TO '{theirs}' (FORMAT parquet)", "not with COPY"),
        (f"/* SELECT */ COPY (PIVOT units ON good USING count(*)) TO '{theirs}'", "not with COPY"),
        ("-- nothing", "there is no question"),
        ("SELECT 1; SELECT 2", "there are 2 questions; ask them one by one"),
        ("FROM range(100000000000)", "more than 1,000 rows; ask for fewer with LIMIT"),
        ("SELECT list(a.range) FROM range(10000000) a, range(100) b", "more than 0.1 GB, a quarter of this machine"),
        (f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{theirs}' (FORMAT parquet)", "not with EXPLAIN"),
    ):
        with pytest.raises(TaktError, match=why) as error:
            query([fleet], wrong)
        assert "\n" not in str(error.value)
    assert theirs.read_bytes() == before
    assert not list(Path().glob(".*")), "nothing is laid down where one works"


def test_an_answer_is_json_whatever_is_in_it_and_a_shift_of_two_fleets_is_counted_once(
    fleet: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two plans that share a store; and a fault of a machine at a seed of 127 bits."""
    other = plan_of('store = "shifts/few"\n' + PLAN.replace('"few"', '"other"').replace("0-2", "1-2"))
    seed = 2**127 - 1
    fault = MachineFault(other.shifts[0].id, "", seed, 1, "lost", "", "", "", "", True)
    notes = notes_of(other)
    notes.drive(other.text)
    notes.add_fault(fault)
    notes.close()
    count = "SELECT count(*), count(DISTINCT id)"
    told: list[str] = []
    assert query([fleet, other], f"{count} FROM shifts", told.append)[1] == [(9, 9)]
    assert told == ["6 shifts are of several of these fleets; each is counted once, as the first calls it"]
    count += ", (SELECT count(*) FROM events WHERE kind = 'unit_due') FROM units"
    assert query([other, fleet], count) == query([fleet, other], count) == query([fleet], count)
    question = "SELECT 1 / 0 AS x, [0.5, 'nan'::double] AS y, 1.50 AS z, seed FROM faults"
    assert main(["query", question, str(other.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [[None, [0.5, None], 1.5, str(seed)]]


def test_nothing_is_left_to_do_only_as_long_as_that_is_so(
    fleet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plan depends on that its text does not say: packages, stores by environment, folders, ledgers' sizes."""
    (tmp_path / "A").symlink_to(fleet.folder)
    monkeypatch.setenv("STORE", "A")
    plan = plan_of('store = {env = "STORE"}\n' + PLAN)
    Path("fleet.toml").write_text(plan.text)
    found = standing_of_fleet(plan)
    of = {**plan.arms[0].definition, "from": {"takt": "0", "numpy": version("numpy")}}
    arms = [replace(plan.arms[0], definition=of), *plan.arms[1:]]

    def is_done(one: Any = found) -> bool:
        remember(replace(plan, arms=arms), one)
        return nothing_to_do(Path("fleet.toml")) is not None

    assert is_done()
    monkeypatch.setenv("STORE", "B")
    assert nothing_to_do(Path("fleet.toml")) is None, "there it has not been worked"
    monkeypatch.setenv("STORE", "A")
    monkeypatch.setattr("takt.fleet.quick.installed", lambda name: "0.0.1" if name == "numpy" else "")
    assert nothing_to_do(Path("fleet.toml")) is None, "the package of a worker is another one"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE", "A")
    assert is_done() and Path("CartPole-v1").mkdir() is None and Path("CartPole-v1/x").write_text("weights")
    assert nothing_to_do(Path("fleet.toml")) is None, "an option names a folder by now"
    assert is_done() and next(fleet.folder.glob("ledgers/*.takt")).write_bytes(b"") == 0
    assert nothing_to_do(Path("fleet.toml")) is None, "a ledger is empty"
    lost = replace(found.arms[0], ended=2, lost=1)
    fault = MachineFault(plan.shifts[0].id, "", 0, 1, "lost", "", "", "", "", True)
    given_up = replace(found, arms=[lost, *found.arms[1:]], lost={fault.id}, faults=[fault])
    assert not is_done(given_up), "what an outage took is tried again"
    assert "tried again" in given_up.state and not replace(given_up, lost=set()).given_up, "not once it has ended"


def test_a_ledger_that_is_emptied_or_cut_is_noticed_told_and_takes_no_verdict_from_its_arm(
    fleet: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = standing_of_fleet(fleet)
    assert (fleet.folder / "index.db").exists() and whole.ended == 9 and whole.arms[0].verdict is not None
    first, second, third = (fleet.folder / "ledgers" / shift.file for shift in fleet.shifts[:3])
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes()[:20_000])
    assert standing_of_fleet(fleet).ended == 7, "though the index stands"
    whole_third = third.read_bytes()
    with sqlite3.connect(third) as database:  # another outcome, of the same size; and back again
        database.execute("UPDATE events SET data = replace(data, ':0.0', ':9.0') WHERE kind = 'thought'")
    database.close()
    assert third.stat().st_size == len(whole_third)
    damaged = standing_of_fleet(fleet).unreadable[fleet.shifts[2].id]
    assert "is not what it was when its shift ended: its digest was" in damaged
    third.write_bytes(whole_third)
    assert standing_of_fleet(fleet).unreadable.keys() == {shift.id for shift in fleet.shifts[:2]}
    shutil.copy(fleet.folder / "ledgers" / fleet.shifts[5].file, third)
    found = standing_of_fleet(fleet)
    assert [(one.ended, one.lost, one.verdict is not None) for one in found.arms] == [(2, 1, True)] * 3
    assert found.unreadable.keys() == {shift.id for shift in fleet.shifts[:3]} and not found.done
    assert main(["fleet", "status", "fleet.toml"]) == 0
    told = "".join(capsys.readouterr().out.split())
    assert told.count("cannotberead") == 3 and "anothershiftthanitsname" in told and first.name[-20:] in told


def test_who_looks_makes_nothing_and_keeps_no_driver_from_its_fleet(tmp_path: Path) -> None:
    plan = plan_of(f'folder = "{tmp_path}/none"\n{PLAN}')
    assert standing_of_fleet(plan).ended == 0 and not plan.folder.exists()
    driver, other, looks = (FolderNotes(tmp_path) for _ in range(3))
    driver.drive("")
    assert looks.driven()
    with pytest.raises(Busy):
        other.drive("")
    driver.close()
    assert not looks.driven()
    with (tmp_path / SEEN).open() as seen:  # as who looks, stopped in the middle of it
        fcntl.flock(seen, fcntl.LOCK_SH)
        ends = threading.Timer(0.05, lambda: fcntl.flock(seen, fcntl.LOCK_UN))
        ends.start()
        driver.drive("")
        ends.join()
    assert looks.driven()
    driver.close()


def test_a_fleet_is_told_of_as_it_was_worked_whatever_has_become_of_takt_and_of_its_workers(
    fleet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Driver(fleet, lambda: pytest.fail("something is begun")).run().ended == 9
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # where its worker is not to be had
    monkeypatch.setattr("takt.fleet.toml.made_by", lambda *given: pytest.fail("a worker is imported"))
    monkeypatch.setattr("takt.fleet.changes.version", lambda: "99.0")
    for folder in (tmp_path / "shifts/few", tmp_path / "fleet.toml"):
        monkeypatch.chdir(tmp_path / ("elsewhere" if folder.is_dir() else ""))
        assert main(["fleet", "status", str(folder), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["ended"] == 9 and "and is 99.0" in told["changed"][0] and not told["others"]
        assert main(["fleet", "table", str(folder), "--by", "worker"]) == 0
        assert "60" in capsys.readouterr().out
    assert query([plan_as_worked(tmp_path / "shifts/few")], "SELECT count(DISTINCT id) FROM units")[1] == [(9,)]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    new = plan_of(PLAN.replace("15", "16"))
    found = standing_of_fleet(new)
    assert (found.ended, found.others) == (0, 9) and "9 more ledgers" in " ".join(fleet_table(found).notes)


def test_no_fleets_plan_is_lost_to_another_fleet(fleet: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Driver(fleet, lambda: pytest.fail("something is begun")).run()
    kept = FolderNotes(fleet.folder).plan_text()
    folder = Path("shifts/other")
    folder.mkdir()
    FolderNotes(folder).drive(kept.replace('"few"', '"other"'))
    (folder / "ledgers").mkdir()
    Path("another.toml").write_text(PLAN.replace('"few"', '"another"\nfolder = "shifts/few"'))
    run = ["run", "gym", "--worker", "hands:Balances", "--seeds", "0", "--units", "1", "--out", "shifts/few"]
    cartpole = ["--option", "id=CartPole-v1", "--option", "takt_s=0.5"]
    for command in (
        ["fleet", "run", "another.toml"],
        [*run, *cartpole],
        ["ledger", "copy", "shifts/other", "shifts/few"],
    ):
        assert main(command) == 2
        (told,) = capsys.readouterr().err.strip().splitlines()
        assert "shifts/few has another fleet, few" in told and "place" in told
        assert FolderNotes(fleet.folder).plan_text() == kept and len(list(fleet.folder.glob("ledgers/*.takt"))) == 9


def test_a_plan_that_its_owner_changed_goes_on_whatever_he_changed_and_what_that_does_is_said(fleet: Any) -> None:
    lines: list[str] = []
    less, named = PLAN.replace("[0.5, 0.9]", "[0.5]"), PLAN.replace('"few"', '"many"\nfolder = "shifts/few"')
    for text, source, word in (
        (PLAN, "fleet.toml", ""),
        (PLAN.replace('"sometimes"', '"seldom"') + "\n[limits]\nretries = 9", "fleet.toml", ""),  # the same shifts
        (less.replace("0-2", "0-1"), "fleet.toml", "last: 5 that are of it no more, whose ledgers stay"),
        (less, "fleet.toml", "last: 2 new shifts"),
        (less.replace("0-2", "1-2"), "", "last: 2 that are of it no more"),  # by Python, of no file
        (named, "fleet.toml", "last: 5 new shifts"),  # another name in the same file
        (named + "\n[limits]\nretries = 9", "elsewhere.toml", "fleet.toml); its shifts are the same"),
    ):
        Path("elsewhere.toml" if source == "elsewhere.toml" else "fleet.toml").write_text(text)
        plan = read_plan(Path(source)) if source else plan_of(text)
        Driver(plan, lambda: pytest.fail("something is begun"), on_line=lines.append).run()
        said = lines.pop() if lines else ""
        assert bool(word) == bool(said) and word in said and not lines, said
        again = read_plan(plan.folder)
        Driver(again, lambda: pytest.fail("something is begun"), on_line=lines.append).run()
        assert not lines and kept_in(FolderNotes(plan.folder)).source == str(Path(source or "fleet.toml").resolve())


def test_what_a_command_line_says_takes_the_place_of_what_another_one_said_and_of_no_files_plan(fleet: Any) -> None:
    run = kept_of(replace(fleet, source=COMMAND))
    other = Kept(run.text.replace("10", "20"), kept_of(replace(fleet, source="")).made)
    for new, there, is_other in (
        (run, Kept(other.text, run.made), False),
        (run, Kept(other.text, kept_of(fleet).made), True),  # of the same name
        (kept_of(fleet), Kept(other.text, run.made), False),
        (run, other, False),  # from before commands were noted
        (kept_of(fleet), Kept("", ""), False),
        (kept_of(fleet), Kept(other.text.replace("few", "other"), ""), True),
    ):
        assert bool(other_fleet(new, there)) == is_other


def test_what_another_plan_gave_up_in_the_same_folder_is_not_counted_as_this_ones(
    fleet: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ["f" * 32, fleet.shifts[0].id]
    for one in ids:  # of another plan, and one of this plan's that has ended since
        FolderNotes(fleet.folder).add_fault(MachineFault(one, "other", 0, 4, "lost", "killed", "here", "log", "", True))
    fleet.folder.joinpath("driver.json").write_text(json.dumps({"refused": {"e" * 32: "no model"}}))
    found = standing_of_fleet(fleet)
    assert (found.lost, found.refused, found.given_up, found.other_faults) == (set(), {}, [], 1)
    assert [one.id for one in found.faults] == ids[1:] and found.done
    assert "given up" not in " ".join(fleet_table(found).notes)
    assert main(["fleet", "status", "fleet.toml"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "1 more faults of machines were at shifts that are not of this plan" in told and "given up" not in told


def test_two_plans_that_share_a_folder_are_told_so(fleet: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    Path("other.toml").write_text(PLAN.replace("0-2", "0-1"))
    for name, told in (("fleet", 0), ("fleet", 0), ("other", 1), ("fleet", 2)):
        Driver(read_plan(Path(f"{name}.toml")), lambda: pytest.fail("something is begun"), on_line=lines.append).run()
        assert len(lines) == told
    assert "fleet.toml, too; give one of them another name" in lines[0]


def test_a_question_before_the_first_shift_has_ended_is_answered_whatever_the_folder_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    new = plan_of(f'folder = "it\'s"\n{PLAN}')
    for view in ("shifts", "units", "events", "faults"):
        assert query([new], f"SELECT count(*), min(arm) FROM {view}")[1] == [(0, None)]
    with pytest.raises(TaktError, match="the same folder"):
        query([new, new], "SELECT 1")


def test_what_is_only_called_otherwise_is_worked_no_more_and_told_by_its_name_of_now(fleet: Any) -> None:
    """A label, a station's label, an option said where it was not: the same shifts. One ledger less: they are not in
    any answer, though their tables stand."""
    update(fleet)
    new = plan_of(PLAN.replace('name = "gym"', 'name = "gym"\nlabel = "cart"').replace('label = "sometimes"', ""))
    assert {shift.file for shift in new.shifts}.isdisjoint(shift.file for shift in fleet.shifts)
    assert Driver(new, lambda: pytest.fail("something is begun")).run().ended == 9
    assert {station for (station,) in query([new], "SELECT DISTINCT station FROM units")[1]} == {"cart"}
    of = query([new], "SELECT worker, count(DISTINCT id) FROM events GROUP BY ALL ORDER BY 1")[1]
    assert of == [("=balances|1%", 3), ("hands:Sometimes", 6)]
    next((new.folder / "ledgers").glob("*.takt")).unlink()
    fewer = plan_of(PLAN.replace("0-2", "0-1"))
    (units,), (shifts,) = (query([fewer], f"SELECT count(DISTINCT id) FROM {of}")[1][0] for of in ("units", "shifts"))
    assert units == shifts == standing_of_fleet(fewer).ended < 7


def test_parts_that_a_writer_left_half_are_made_again(fleet: Any) -> None:
    update(fleet)
    tables = fleet.folder / "tables"
    next(tables.glob("units-*.parquet")).unlink()
    (tables / "events-000099.parquet").write_bytes(b"half")
    (tables / "shifts.parquet").unlink()
    with Beside(fleet, every_s=0.01):  # as while a driver works
        while not (tables / "shifts.parquet").exists():
            time.sleep(0.01)
    assert query([fleet], "SELECT count(*), count(DISTINCT id) FROM units WHERE judged")[1] == [(90, 9)]


def test_tables_that_several_bring_up_to_date_at_once_have_each_shift_once(fleet: Any) -> None:
    with ThreadPoolExecutor(4) as some:
        assert sorted(some.map(lambda _: update(fleet), range(4))) == [0, 0, 0, 9]
    assert query([fleet], "SELECT count(*), count(DISTINCT id) FROM units WHERE judged")[1] == [(90, 9)]


def test_the_page_and_the_plan_say_what_is_there(fleet: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "page", "fleet.toml", "--accept", "xiaomi-2026"]) == 0
    page = (fleet.folder / "fleet.html").read_text()
    assert (
        page.count("<svg") == 8
        and "Good rate by share" in page
        and "=balances|1%" in page
        and "closed testing" in page
        and "Xiaomi" in page
    )
    capsys.readouterr()
    assert main(["fleet", "plan", "fleet.toml", "--true", "99.5%", "--difference", "0.3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [arm["left"] for arm in told["arms"]] == [0, 0, 0] and told["works"][0]["units"] == 10
    assert main(["fleet", "status", "fleet.toml"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "by shift, 90 % asked: about a worker, if shifts' own rates differ by 4 points at most" in said
    assert main(["fleet", "plan", "fleet.toml", "--true", "99.5%"]) == 0
    assert "truly 99.5 %" in capsys.readouterr().out


def test_every_name_on_the_page_is_whole_and_inside_its_picture_and_nothing_else_is_said(
    fleet: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long names that differ at their end, Chinese ones, ones that Matplotlib leaves out of a legend; lost shifts; an
    arm that has cost a millisecond a unit."""
    labels = ["qwen3-vl-30b-a3b-instruct-fp8-of-the-third-of-november", "_机器人 工人"]
    plan = plan_of(PLAN.replace('"=balances|1%"', f'"{labels[0]}"').replace('"sometimes"', f'"{labels[1]}"'))
    for n in range(7):
        FolderNotes(fleet.folder).add_fault(
            MachineFault(plan.shifts[n % 3].id, plan.arms[n % 3].name, 0, n, "lost", "gone", "a", "b", "", n > 3)
        )
    whole = standing_of_fleet(plan)
    lost = replace(whole.arms[0], ended=0, lost=3, units=0, good=0, records=[], ordered=[None] * 3, verdict=None)
    found = replace(whole, arms=[lost, *whole.arms[1:]])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        page = write_page(whole).read_text()
        lost_page = write_page(found).read_text()
        write_page(replace(whole, arms=[replace(lost, lost=0) for _ in whole.arms]))
    assert not warned, [str(one.message) for one in warned]
    rows = re.findall(r"<td>lost</td><td>(.*?)</td><td[^>]*>(\d+)</td>", page)
    assert rows == [(plan.arms[n].name, count) for n, count in ((0, "3"), (1, "2"), (2, "2"))]
    assert ">0, 3 lost</td>" in lost_page and "0, 3 lost | 0 of 0" in written(fleet_table(found), "markdown")
    assert not re.search(r">0\.00( s|<)", page) and " ms</" in page
    for kind, svg in zip(("wide", "narrow"), re.findall(r"<svg.*?</svg>", page, re.S), strict=False):
        words = re.sub(r"\s+", "", "".join(re.findall(r">([^<>]+)</t(?:ext|span)>", svg)))
        for arm in plan.arms:
            assert re.sub(r"\s+", "", arm.name) in words, (kind, arm.name)
    for names in ([arm.name for arm in plan.arms], ["x" * 300, "两" * 90]):
        for wide, broad in ((True, plots.WIDE), (False, plots.NARROW)):
            figure = Figure(figsize=(broad / 72, charts._height(names, wide) / 72))
            FigureCanvasAgg(figure)
            axes, places = charts._rows(figure, names, wide, 0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                boxes = [text.get_window_extent() for text in (axes.get_yticklabels() if wide else axes.texts)]
            assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0 for box in boxes), names
            assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(boxes)) and len(boxes) == len(places)


def test_why_units_were_bad_is_of_the_units_that_count() -> None:
    """Half an hour of a day's desk: one unit is known to be bad, of none is it known in due order."""
    shift = run_shift("flightdesk", "greedy", seed=0, hours=0.5, station_options={"scenario": "two-hubs"})
    found = Record.of(shift, "a")
    assert sum(event.kind == "unit_bad" for event in shift.events) == 1
    assert (found.outcomes, found.why_bad) == ("", {})
    right = run_shift("gym", "hands:Right", seed=0, units=3, clock="lockstep", station_options={"id": "CartPole-v1"})
    found = Record.of(right, "b")
    assert found.outcomes == "bbb" and sum(found.why_bad.values()) == 3


def record(outcomes: Any, seed: Any, required: Any = 0.9) -> Any:
    good = outcomes.count("g")
    by_unit = outcomes.replace("g", "1").replace("b", "0")
    asked = {"good_rate": required, "cycle_s": None}
    return Record(
        str(seed), seed, "units", "", outcomes, 0, by_unit, "0" * 6 * len(outcomes), [1.0] * good, 1.0, 1.0, "", "",
        acceptance=asked,
    )  # fmt: skip


def decided(records: Any, *, alpha: float, by: str) -> bool:
    """Whether one look at all these shifts decides."""
    looks = Looks(alpha=alpha, by=by)
    for one in records:
        looks.add(one)
    return looks.look()


@pytest.mark.parametrize("by", ["unit", "shift", "free"])
def test_what_a_plan_simulates_is_what_judges(by: Any) -> None:
    """A dozen fleets drawn, judged shift by shift by the simulation and by the real thing: the same look decides."""
    rng = np.random.default_rng(24)
    shifts = 40 if by == "free" else 8
    good = np.concatenate([drawn(rate, 0.03, 0.2, shifts, 20, 2, rng) for rate in (0.5, 0.85, 0.97, 1.0)])
    yes, no = decided_at(good, 0.9, 0.05, by)
    for path, at in zip(good, np.minimum(yes, no), strict=True):
        records = [record("".join("bg"[int(one)] for one in shift), seed) for seed, shift in enumerate(path)]
        looks = (n for n in range(1, shifts + 1) if decided(records[:n], alpha=0.05, by=by))
        assert next(looks, shifts + 1) == at
        one_by_one = Looks(alpha=0.05, by=by)
        assert one_by_one.follow(records) == (at <= shifts) and (one_by_one.after or shifts + 1) == at
    a, b = good[:4], good[4:]
    e = log_e_along(a.astype(int) - b.astype(int), by)
    for path in range(2):
        duel = Together(["a", "b"], alpha=0.05, by=by)
        for n in range(1, shifts + 1):
            rows = {"a": a, "b": b}
            told = {
                k: [record("".join("bg"[int(x)] for x in s), i) for i, s in enumerate(v[path][:n])]
                for k, v in rows.items()
            }
            duel.take(told)
            assert duel.duels["a", "b"].log_e(by, 0.0) == pytest.approx(tuple(e[:, path, n - 1]), abs=1e-6)


def planned_by(text: str, outcomes: Any, lost: Any = ()) -> Any:
    """A plan, and its fleet as it stands if its arms' shifts came to these outcomes by seed ("" has not ended)."""
    plan = plan_of(PLAN.replace("units = 10", "units = 40").replace('"0-2"', '"0-9"') + text)
    records, given_up = {}, set()
    for shift in plan.shifts:
        came = outcomes(shift.arm.columns.get("share", 1.0), shift.seed)
        if came is None:
            given_up.add(shift.id)
        elif came:
            records[shift.id] = replace(record(came, shift.seed), id=shift.id)
    return plan, records, given_up


def test_a_plan_that_accepts_by_a_published_figure_stops_by_that_and_tables_judge_by_it() -> None:
    """120 perfect units are enough for a station's 90 % and not for 99 %: the arm goes on, for driver and table."""
    for accept, done in (("", True), ("figure-bmw", False)):
        plan, records, _ = planned_by("[stop]\nverdict = true\nby = 'unit'", lambda share, seed: "g" * 40)
        plan = replace(plan, accept=accept)
        driver = Driver(plan, lambda: pytest.fail("nothing is worked here"))
        driver.standing.records = {one.id: records[one.id] for one in plan.shifts if one.seed < 3}
        driver._look(plan.arms)
        assert [arm.name in driver._done_arms for arm in plan.arms] == [done] * 3
        ordered = in_order([one for one in plan.shifts if one.arm is plan.arms[0]], driver.standing.records)
        assert judged(plan, ordered).decision == ("accept" if done else "undecided")
        assert judged(plan, ordered, "figure-bmw").decision == "undecided"


def test_what_is_taken_for_granted_counts_wherever_the_plan_says_it() -> None:
    """Whether arms end at their verdict or not: told by what the plan says, and by the number of shifts where it says
    nothing."""
    plan, records, _ = planned_by("", lambda share, seed: "g" * 10)
    mine = [records[one.id] for one in plan.shifts[::3]]
    for rule in ("", "compare = 'pairs'\n", "verdict = true\n"):
        unsaid = ["shift" if "verdict" in rule else "unit", "shift"]
        for by in ("", "unit", "free"):
            stop = plan_of(PLAN + f"[stop]\n{rule}" + (f"by = '{by}'" if by else ""), whole=False).stop
            found = [judged(replace(plan, stop=stop), mine[:count]).by for count in (1, 3)]
            assert found == ([by, by] if by else unsaid), (rule, by)


def test_lost_shifts_are_no_figure_but_nothing_is_decided_that_they_could_overturn() -> None:
    """8 of 15 shifts are lost, the rest perfect: no accept; one lost of forty changes nothing."""
    good, none = [record("g" * 40, seed) for seed in range(39)], [None] * 8
    for by in ("unit", "shift"):
        few = verdict_of([*good[:7], *none], alpha=0.05, by=by)
        assert (few.decision, few.units.good, few.units.units) == ("undecided", 280, 280)
        assert few.units.lower < 0.6 and "8 lost shifts of 40 units" in few.why
        assert not decided([*good[:7], *none], alpha=0.05, by=by) and decided(good[:7], alpha=0.05, by=by)
    assert verdict_of([*good, None], alpha=0.05, by="unit").decision == "accept"
    bad = [record("b" * 40, seed) for seed in range(3)]
    assert verdict_of([*bad, None], alpha=0.05, by="unit").decision == "reject"
    assert verdict_of([*bad[:1], *none, *none, *none], alpha=0.05, by="unit").decision == "undecided"


def test_arms_are_paired_by_seed_where_one_has_not_all_of_them_and_the_page_looks_no_further_than_the_driver() -> None:
    """One arm's even seeds are excluded. It is good on odd seeds alone, as the other is: they are equal on each."""
    only = '[[exclude]]\nworker = "sometimes"\nshare = 0.5\nseeds = [0, 2, 4, 6, 8]\n[stop]\ncompare = "pairs"'
    ends = lambda share, seed: None if seed == 6 and share == 1.0 else "" if seed == 8 else "bg"[seed % 2] * 40  # noqa: E731
    plan, records, lost = planned_by(only, ends)
    driver = Driver(plan, lambda: pytest.fail("nothing is worked here"))
    driver.standing.records, driver.standing.lost = records, dict.fromkeys(lost)
    driver._look(plan.arms)
    (together,) = driver._together.values()
    arms = [
        _arm(plan, arm, [one for one in plan.shifts if one.arm is arm], records, lost, set(), set())
        for arm in plan.arms
    ]
    (work,) = driver._together
    page = compared(FleetStanding(plan, arms, [], {}, "", "", "", lost), work)
    for mine, theirs in zip(together.duels.values(), page, strict=True):
        assert list(mine.means) == list(theirs.means) == [0.0] * len(mine.means)
    assert [len(one.means) for one in page] == [4, 7, 4]


def test_what_was_once_told_apart_is_told_apart_by_a_driver_that_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For four seeds two arms are better than the third, then worse: all eight together say nothing."""
    monkeypatch.chdir(tmp_path)
    came = lambda share, seed: ("g" if (share == 0.5) == (seed > 3) else "b") * 40  # noqa: E731
    plan, records, _ = planned_by('[stop]\ncompare = "pairs"\nby = "unit"', came)
    rows = {arm.name: [records[one.id] for one in plan.shifts if one.arm is arm] for arm in plan.arms}
    once = Together(list(rows), alpha=0.05, by="unit")
    once.take({name: row[:8] for name, row in rows.items()})
    once.look()
    assert {duel.decision for duel in once.duels.values()} == {UNDECIDED}
    there = {one.id: records[one.id] for one in plan.shifts if one.seed < 8}
    monkeypatch.setattr("takt.fleet.drive.found_in", lambda *given: Found(there, {}, 0))
    driver = Driver(plan, lambda: pytest.fail("something is begun"))
    monkeypatch.setattr(driver, "_work", lambda waiting: None)
    driver.run()
    (together,) = driver._together.values()
    a, b, c = together.arms
    assert (together.relation(a, b), together.relation(b, c), together.relation(a, c)) == (BETTER, WORSE, UNDECIDED)


def test_a_verdict_that_was_reached_stays_though_shifts_that_ended_after_it_leave_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Perfect for four seeds, and then half bad: accepted for who began it, begins it again, and looks at it."""
    monkeypatch.chdir(tmp_path)
    plan, records, _ = planned_by(
        '[stop]\nverdict = true\nby = "unit"', lambda share, seed: "g" * 20 + "gb"[seed > 3] * 20
    )
    plan = replace(plan, shifts=[one for one in plan.shifts if one.arm is plan.arms[0]], arms=plan.arms[:1])
    there = {one.id: records[one.id] for one in plan.shifts if one.seed < 5}
    ordered = in_order(plan.shifts, there)
    assert verdict_of(ordered, alpha=0.05, by="unit").decision == "undecided"
    for known in ([there], [{one: there[one] for one in list(there)[:n]} for n in range(6)]):  # at once; as they ended
        driver = Driver(plan, lambda: pytest.fail("nothing is worked here"))
        for driver.standing.records in known:
            driver._look(plan.arms)
        assert driver._done_arms == {plan.arms[0].name} and len(driver._waiting()) == 0
    found = judged(plan, ordered)
    assert found.decision == "accept" and "of 5 shifts, when it was decided" in found.why
    arm = _arm(plan, plan.arms[0], plan.shifts, there, (), (), {one.id for one in plan.shifts[5:]})
    notes = fleet_table(FleetStanding(plan, [arm], [], {}, "", "", "")).notes
    assert f"Decided by the first of these shifts; bounds are of all of them: {plan.arms[0].name}." in notes


def test_what_is_told_apart_does_not_depend_on_the_order_in_which_shifts_ended() -> None:
    """Six ways to end are one: arms of 40, 50 and 95 %, told apart by what there is of seeds that all have."""
    rng = np.random.default_rng(12)
    rows = {
        name: [record("".join("bg"[int(x)] for x in rng.random(20) < share), seed) for seed in range(16)]
        for name, share in (("a", 0.4), ("b", 0.5), ("c", 0.95))
    }
    found = []
    for order in (None, *rng.permuted(np.repeat([[0, 1, 2]], 16, 1).repeat(6, 0), axis=1)):
        together = Together(list(rows), alpha=0.05, by="shift")
        ended = {name: 16 * (order is None) for name in rows}
        for n in () if order is None else order:
            ended[list(rows)[n]] += 1
            together.follow({name: row[: ended[name]] for name, row in rows.items()}, "pairs")
        together.follow(rows, "pairs")
        found.append([(duel.decision, duel.after, list(duel.means)) for duel in together.duels.values()])
    assert all(one == found[0] for one in found)
    assert {said for said, _, _ in found[0]} >= {WORSE} and len({len(means) for _, _, means in found[0]}) > 1


def test_by_shift_nothing_is_said_of_two_before_eight_seeds_however_sure_it_looks() -> None:
    for shifts, said in ((7, UNDECIDED), (8, BETTER)):
        rows = {"a": [record("g" * 40, n) for n in range(shifts)], "b": [record("b" * 40, n) for n in range(shifts)]}
        together = Together(["a", "b"], alpha=0.05, by="shift")
        together.take(rows)
        together.look()
        (duel,) = together.duels.values()
        assert duel.decision == said and (duel.bound("shift", 0.05)[0] > 0) == (said == BETTER)


@pytest.mark.parametrize("by", ["unit", "shift", "free"])
def test_who_is_lost_on_the_seeds_that_he_would_fail_is_not_better_for_it(by: Any) -> None:
    """Both are good on two thirds of units; one dies on every seed on which he would have failed more."""
    said = {}
    for name, lost in (("all of them", ()), ("without the hard ones", range(0, 60, 2))):
        a = [None if seed in lost else record("gg" + "gb"[seed % 2 == 0] * 2, seed) for seed in range(60)]
        b = [record("gggb", seed) for seed in range(60)]
        duel = Together(["a", "b"], alpha=0.05, by=by)
        duel.take({"a": a, "b": b})
        said[name] = duel.duels["a", "b"].log_e(by, 0.0)
        (one,) = duel.duels.values()
        low, high = one.bound(by, 0.05)
        assert (one.lost, len(one.means)) == (len(lost), 60 - len(lost)) and low < 0 < high
    assert max(said["without the hard ones"]) < 3.0, "in those that are left he is better in every one"


def test_names_of_points_stand_over_nothing_and_inside_the_plot() -> None:
    """Thirty points, most of them in one place and one at the right edge, as of a fleet whose arms cost the same."""
    rng = np.random.default_rng(8)
    points = [(0.1 + 0.002 * n, 1.0, f"policy-{n} nominal @ gym") for n in range(5)]
    points += [(float(x), float(y), f"another-{n} @ gym") for n, (x, y) in enumerate(rng.uniform(0.05, 0.4, (24, 2)))]
    points.append((0.4, 0.5, "the last of them, at the right edge @ gym"))
    figure = Figure(figsize=(1060 / 72, 320 / 72))
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.07, 0.17, 0.9, 0.79))
    axes.set(xlim=(0, 0.42), ylim=(-0.05, 1.08))
    plots.names(axes, points)
    canvas.draw()
    boxes = [Text.get_window_extent(text, canvas.get_renderer()) for text in axes.texts]
    assert {"policy-0 nominal @ gym", points[-1][2]} <= {text.get_text() for text in axes.texts} and len(boxes) >= 27
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    assert all(box.x0 > 0 and box.x1 < figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_a_few_perfect_shifts_do_not_show_that_shifts_are_alike_nor_independent_units_that_they_are() -> None:
    perfect = [record("g" * 40, seed) for seed in range(6)]
    (few, shown), (many, _) = believed_spread(perfect, 0.02), believed_spread(perfect * 20, 0.02)
    assert shown == 6 and 0.01 < few < 0.02 and many < 0.004 and believed_spread(perfect[:1], 0.02) == (0.02, 0)
    assert stickiness_seen(perfect) is None
    sticky = [record("g" * 20 + "b" * 20, seed) for seed in range(4)]
    apart = [record("ggggb" * 8, seed) for seed in range(4)]
    assert stickiness_seen(sticky) > 0.8 and stickiness_seen(apart) == 0.0
    plain, clustered = (shifts_to_verdict(0.9, 0.97, 40, rho=rho) for rho in (0.0, 0.5))
    assert plain.shifts < clustered.shifts


def test_more_spread_takes_more_shifts_and_it_says_when_it_does_not_know() -> None:
    calm, wild = (shifts_to_verdict(0.9, 0.97, 100, spread=spread) for spread in (0.0, 0.04))
    assert calm.shifts < wild.shifts and calm.units == 100 * calm.shifts
    assert shifts_to_verdict(0.9, 0.9001, 10, spread=0.0).shifts is None


@pytest.mark.parametrize(
    ("required", "units", "rho", "spread", "alone"),
    [
        (0.97, 40, 0.5, 0.02, 0.15),
        (0.99, 400, 0.0, 0.01, 0.06),
        (0.95, 400, 0.0, 0.04, 0.05),
        (0.9, 10, 0.5, 0.04, 0.1),
    ],
)
def test_lucky_first_shifts_alike_do_not_fool_the_verdict_by_shift(
    required: Any, units: Any, rho: Any, spread: Any, alone: Any
) -> None:
    """A worker at exactly the required rate, whose shifts' means are skewed: by a t-test of shifts and the units more
    than `alone` of fleets would accept it. 300 fleets: a true 5 % shows more than 8.7 % with a chance of 0.3 %, the 0.7
    to 1.7 % of benchmarks/fleet_statistics.py one of 1e-6 at most."""
    good = drawn(required, spread, rho, 30, units, 300, np.random.default_rng(3))
    yes, _ = decided_at(good, required, 0.05, "shift")
    low, _ = bounds_along(good.mean(2), 0.05)
    assert (yes <= 30).mean() < 0.087 and (low >= required).any(1).mean() > alone


@pytest.mark.parametrize("far", [0.0, 0.04])
def test_a_bet_on_shifts_alike_is_fair_to_the_worst_that_is_believed(far: Any) -> None:
    """The two-point shifts that Bennett's bound is sharp for, as far apart as is believed, mean as required: proven to
    be at 5 % at most at any of 60 looks. 2,000 fleets: a true 5 % shows more than 6.4 % with a chance of 0.3 %. Four
    points further apart it is believed no more, and not kept."""
    mean, spread = 0.95, 0.02 + far
    low = mean - spread**2 / (1 - mean)
    top = np.random.default_rng(5).random((2000, 60)) < (mean - low) / (1 - low)
    wealth = log_wealth_of_alike(np.where(top, 1.0, low), mean, 0.02, np.zeros((2000, 60)))
    wrong = (wealth >= np.log(20)).any(1).mean()
    assert wrong < 0.064 if not far else wrong > 0.1


@pytest.mark.parametrize(("by", "spread"), [("unit", 0.0), ("shift", 0.06)])
def test_together_keeps_its_promise(by: Any, spread: Any) -> None:
    """Six equal arms, 15 pairs, a look after each of 12 shifts: any false word in 5 % of fleets at most, by unit if
    shifts are alike, by shift if they differ. 400 fleets: a true 5 % shows more than 8.5 % with a chance of 0.2 %."""
    rng = np.random.default_rng(7)
    fleets, arms, shifts, units = 400, 6, 12, 20
    effect = np.clip(0.85 + rng.normal(0, spread, (arms, fleets, shifts)), 0, 1)
    good = (rng.random((arms, fleets, shifts, units)) < effect[..., None]).astype(int)
    e = [log_e_along(good[a] - good[b], by) for a, b in combinations(range(arms), 2)]
    logs = np.concatenate(e)  # (directions of pairs, fleets, shifts)
    assert closed(logs, 0.05).any((0, 2)).mean() < 0.085
    if by == "unit":
        assert (logs >= np.log(2 / 0.05)).any((0, 2)).mean() > 0.085, "each pair by itself would not"


def test_a_ledger_that_is_not_what_its_shift_ended_with_stays_lost_whoever_runs_the_fleet_until_it_is_moved_away(
    fleet: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 0 and standing_of_fleet(fleet).ended == 9
    shift = fleet.shifts[0]
    path = fleet.folder / "ledgers" / shift.file
    with sqlite3.connect(path) as database:
        database.execute("UPDATE events SET kind = 'unit_evil' WHERE kind = 'unit_good'")
        database.execute("UPDATE events SET kind = 'unit_good' WHERE kind = 'unit_bad'")
        database.execute("UPDATE events SET kind = 'unit_bad' WHERE kind = 'unit_evil'")
    database.close()
    for _ in "a driver", "one that begins again":
        capsys.readouterr()
        assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 2
        told = [line for line in capsys.readouterr().err.splitlines() if "is not what it was" in line]
        assert len(told) == 1 and path.name in told[0] and "move it away" in told[0]
        found = standing_of_fleet(fleet)
        assert (found.ended, found.arms[0].lost, found.unreadable.keys()) == (8, 1, {shift.id})
    path.rename("kept.takt")
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 0 and standing_of_fleet(fleet).ended == 9


def test_a_worker_in_the_current_folder_is_found_by_who_only_looks_without_its_folder_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a package there, and in a file."""
    monkeypatch.chdir(tmp_path)
    bare, text = [*sys.path], "import hands\nclass Own(hands.Balances): ...\n"
    Path("package_here").mkdir()
    for path in Path("file_here.py"), Path("package_here/inside.py"):
        path.write_text(text)
    workers = "".join(f'[[worker]]\nname = "{one}:Own"\n' for one in ("file_here", "package_here.inside"))
    Path("fleet.toml").write_text(few("0", 1) + workers)
    monkeypatch.setattr(sys, "path", [*bare])
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 0
    for path in Path("file_here.py"), Path("package_here/inside.py"):
        monkeypatch.setattr(sys, "path", [*bare])
        assert nothing_to_do(Path("fleet.toml")) is not None
        path.write_text(text + "#")
        monkeypatch.setattr(sys, "path", [*bare])
        assert nothing_to_do(Path("fleet.toml")) is None, "it is another one"
        path.write_text(text)
        remember(plan := read_plan(Path("fleet.toml")), standing_of_fleet(plan))
    Path("file_here.py").write_text(text + "#")
    monkeypatch.setattr(sys, "path", [*bare])
    capsys.readouterr()
    assert main(["fleet", "status", "shifts/few", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == ["the file of file_here:Own is another one"]
