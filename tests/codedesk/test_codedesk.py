"""The code desk: tickets on the beat, a tree that stays, commands that take time, and a shift that is killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from series import BASE, code, write_series

from takt.cli import main
from takt.contract.check import RULES, check_station
from takt.contract.events import REFUSED, THOUGHT, UNIT_BAD, UNIT_GOOD, Event
from takt.contract.station import Station, TaktError, open_station
from takt.contract.tools import tool_call
from takt.contract.worker import Plan
from takt.ledger import Ledger
from takt.ledger.trust import Named
from takt.shift import repeat_shift, resume_shift, run_shift
from takt.shift.again import steps_of_unit
from takt.stations.codedesk.account import values_of
from takt.stations.codedesk.repository import as_text, of_text, without_times
from takt.stations.codedesk.sandbox import check_works
from takt.stations.codedesk.terms import INSPECTED, MENDED, RAN, REGRESSION
from takt.stations.codedesk.tickets import tree_as_json

pytestmark = pytest.mark.usefixtures("plainly")
TRUSTED = Named(trust=True)


class Desk:
    """A station and what was told by it, for tests that make calls."""

    def __init__(self, station: Station) -> None:
        self.station, self.events = station, list[Event]()
        _, info = station.reset(seed=1)
        self.events += info["events"]

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        seen, _, _, _, info = self.station.step(tool_call(tool, **arguments))
        self.events += info["events"]
        while seen["result"].get("running"):
            seen, _, _, _, info = self.station.step(self.station.hold)
            self.events += info["events"]
        return dict(seen["result"])

    def wait_until(self, now_s: float) -> None:
        while self.station.now < now_s:
            self.events += self.station.step(self.station.hold)[4]["events"]

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]


@pytest.fixture
def desk(tiny: str) -> Iterator[Desk]:
    station = open_station("codedesk", tickets=tiny, takt_s=100.0, prices="fixed")
    yield Desk(station)
    station.close()


def test_a_commit_that_cannot_be_made_is_told_and_changes_no_verdict(desk: Desk) -> None:
    desk.call("write", path="pkg/m.py", text=code(1))
    desk.call("run", command="rm .git/index; mkdir .git/index")
    assert desk.call("submit", ticket=0)["good"]
    (record,) = (event.data for event in desk.of(INSPECTED))
    assert "code 128" in record["uncommitted"]
    left = desk.call("run", command="ls -A .git | grep -c takt; ls .git/info")["output"]
    assert left.split()[0] == "0" and "attributes" not in left


def test_a_good_ticket_is_good_and_what_was_written_stays(desk: Desk) -> None:
    assert desk.call("ticket", ticket=0)["text"].startswith("pkg.m needs f1")
    assert [row["path"] for row in desk.call("list", folder="pkg")["files"]] == ["pkg/__init__.py", "pkg/m.py"]
    assert desk.call("search", text="def f0")["found"] == [{"path": "pkg/m.py", "line": 1, "text": "def f0():"}]
    assert desk.call("read", path="pkg/m.py", first=2)["text"] == "    return 0\n"
    assert (
        desk.call("edit", path="pkg/m.py", old="    return 0\n", new="    return 0\n\n\ndef f1():\n    return 1\n")[
            "line"
        ]
        == 2
    )
    tests = desk.call("run", command="python3 -m pytest -q")
    assert tests["code"] == 0 and "1 passed in ...s" in tests["output"]
    assert "+def f1():" in desk.call("diff")["output"]
    assert desk.call("submit", ticket=0) == {"tool": "submit", "ticket": 0, "good": True, "reasons": []}
    assert "Ticket 0: Add f1" in desk.call("log")["output"]
    desk.wait_until(101)
    assert desk.call("ticket", ticket=1)["ticket"] == 1
    assert "def f1" in desk.call("read", path="pkg/m.py")["text"]


def test_a_command_takes_the_time_that_it_costs(desk: Desk) -> None:
    before = desk.station.now
    desk.call("run", command="python3 -m pytest -q")
    assert desk.station.now - before == 20.0
    before = desk.station.now
    desk.call("run", command="true")
    assert desk.station.now - before == 5.0
    seen = desk.station.step(tool_call("run", command="true"))[0]
    assert seen["result"] == {"tool": "run", "running": True}
    refused = desk.station.step(tool_call("read", path="README.md"))[0]["result"]
    assert refused["error"]["code"] == "busy"


def test_git_is_there_though_a_repository_is_larger_than_what_a_command_may_change(works: None, tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", 1)
    big = {**BASE, "data.bin": random.Random(0).randbytes(3 << 19)}
    (folder / "base.json").write_text(json.dumps(tree_as_json(big)))
    station = open_station("codedesk", tickets=str(folder))
    small: Any = station
    small._sandbox = replace(small._sandbox, limits=replace(small._sandbox.limits, effect_mb=1))
    try:
        desk = Desk(station)
        said = desk.call("run", command="git log --format=%s; git status --short")["output"]
        assert said == "The repository as it was\n"
    finally:
        station.close()


def test_measured_commands_keep_the_station_busy_as_long_as_they_took(tiny: str) -> None:
    station = open_station("codedesk", tickets=tiny, takt_s=100.0, control_s=0.1, command_s=2.0)
    try:
        desk = Desk(station)
        desk.call("run", command="sleep 0.55")
        (ran,) = desk.of(RAN)
        assert ran.data["busy_s"] >= 0.6 and abs(station.now - ran.data["busy_s"]) < 1e-6
        desk.call("run", command="sleep 60")
        assert desk.of(RAN)[-1].data["ended_by"] == "time"
    finally:
        station.close()


def test_classes_of_bad_tickets_are_told_apart(desk: Desk) -> None:
    assert desk.call("submit", ticket=0)["reasons"] == ["no_change"]
    desk.wait_until(101)
    desk.call("write", path="pkg/m.py", text=code(2, f2="5"))
    assert desk.call("submit", ticket=1)["reasons"] == ["wrong"]
    desk.wait_until(201)
    desk.call("write", path="pkg/m.py", text="def f0(:\n")
    assert desk.call("submit", ticket=2)["reasons"] == ["broken_build"]
    desk.wait_until(301)
    assert desk.call("help", ticket=3, why="too hard")["handed_over"]
    desk.wait_until(401)
    desk.call("write", path="pkg/m.py", text=code(3))
    desk.wait_until(602)
    bad = {event.unit: event.data["reasons"] for event in desk.of(UNIT_BAD)}
    assert bad[3] == ["help"] and bad[4] == ["late", "wrong"]
    assert not desk.of(UNIT_GOOD)


def test_a_regression_is_of_the_ticket_that_broke_it_until_it_is_mended(desk: Desk) -> None:
    desk.call("write", path="pkg/m.py", text=code(1))
    assert desk.call("submit", ticket=0)["good"]
    desk.wait_until(101)
    desk.call("write", path="pkg/m.py", text=code(2, f1="7", f2="2"))
    answer = desk.call("submit", ticket=1)
    assert answer["reasons"] == ["regression"] and answer["broken_tickets"] == [0]
    desk.wait_until(201)
    desk.call("write", path="pkg/m.py", text=code(3, f1="7", f3="3"))
    later = desk.call("submit", ticket=2)
    assert later["good"] and later["broken_tickets"] == [0], "it is told, and counts against ticket 1 alone"
    found = desk.of(UNIT_GOOD)[-1]
    assert (found.unit, found.data["found_broken"]) == (2, [0])
    assert values_of(desk.events)["broken_tickets"] == 1
    desk.wait_until(301)
    desk.call("write", path="pkg/m.py", text=code(4, f1="7", f3="0", f4="4"))
    worse = desk.call("submit", ticket=3)
    assert worse["reasons"] == ["regression"] and worse["broken_tickets"] == [0, 2], "it breaks another one"
    desk.wait_until(401)
    desk.call("write", path="pkg/m.py", text=code(5))
    assert desk.call("submit", ticket=4)["good"]
    assert [(e.unit, e.data["ticket"]) for e in desk.of(REGRESSION)] == [(1, 0), (3, 2)]
    mended = desk.of(MENDED)
    assert [(e.unit, e.data["ticket"], e.data["broken_by"]) for e in mended] == [(4, 0, 1), (4, 2, 3)]
    values = values_of(desk.events)
    assert values["regressions"] == 2 and values["repairs"] == 2
    assert values["still_broken"] == values["broken_tickets"] == 0
    assert values["to_repair_s"] == sum(e.t_s - b.t_s for e, b in zip(mended, desk.of(REGRESSION), strict=True)) / 2


def test_a_ticket_that_asks_for_something_else_retires_the_tests_of_the_older_one(works: None, tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", 2, reference={1: code(2, f1="9", f2="2")}, retires=1)
    shift = run_shift("codedesk", "reference", units=2, station_options={"tickets": str(folder), "takt_s": 30.0})
    assert [event.kind for event in shift.events if event.kind in (UNIT_GOOD, UNIT_BAD)] == [UNIT_GOOD] * 2


def test_reference_is_all_good_idle_nothing_and_wrong_references_are_refused(tiny: str, tmp_path: Path) -> None:
    options = {"tickets": tiny, "takt_s": 20.0}
    shift = run_shift("codedesk", "reference", units=4, station_options=options)
    assert sum(event.kind == UNIT_GOOD for event in shift.events) == 4
    idle = run_shift("codedesk", "idle", units=3, station_options=options)
    assert [e.data["reasons"] for e in idle.events if e.kind == UNIT_BAD] == [["no_change"]] * 3
    folder = write_series(tmp_path / "wrong", 3, reference={1: code(2, f2="0")})
    with pytest.raises(TaktError, match=r"refused: the known solution of ticket 1 \(Add f2\)"):
        run_shift("codedesk", "reference", units=3, station_options={"tickets": str(folder), "takt_s": 20.0})


def test_a_shift_that_asks_for_more_than_the_series_has_is_over_with_the_series_and_says_so(
    works: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets, out = str(write_series(tmp_path / "two", tickets=2)), tmp_path / "shift.takt"
    asked = ["run", "codedesk", "-o", f"tickets={tickets}", "-o", "takt_s=20", "-o", "service_s=30", "--worker", "idle"]
    assert main([*asked, "--out", str(tmp_path / "c.takt")]) == 0, "without a length it has all tickets"
    with Ledger.open(tmp_path / "c.takt") as book:
        assert book.meta["units"] == 2 and [e.unit for e in book.events() if e.kind == UNIT_BAD] == [0, 1]
    assert main([*asked, "--units", "20", "--out", str(out)]) == 0
    assert "before its 20 units: the series has 2 tickets, and all have ended" in capsys.readouterr().err
    again = repeat_shift(out, named=Named(station_options={"tickets": tickets}))
    assert again.ended == "units" and [event.unit for event in again.events if event.kind == UNIT_BAD] == [0, 1]
    with Ledger.open(out) as book:
        assert again.digest == book.digest()
    assert not main([*asked, "--hours", "9.5", "--out", str(tmp_path / "b.takt")])
    assert "before its 9.5 hours: the series has 2 tickets, and all have ended" in capsys.readouterr().err
    again = repeat_shift(tmp_path / "b.takt", named=Named(station_options={"tickets": tickets}))
    with Ledger.open(tmp_path / "b.takt") as book:
        assert again.digest == book.digest() and book.events()[-1].t_s < 60


def test_a_shift_whose_worker_asked_every_ten_seconds_is_repeated_so(
    works: None, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("takt.shift.work.RULES", 4)
    path, station = tmp_path / "a.takt", {"tickets": tiny, "prices": "fixed"}
    shift = run_shift("codedesk", "reference", units=2, station_options=station, ledger=path)
    assert [event.data["calls"] for event in shift.events if event.kind == THOUGHT] == [1, 110]
    with Ledger.open(path) as book:
        assert repeat_shift(path, named=Named(trust=True)).digest == book.digest()


def test_reset_each_begins_every_ticket_at_the_known_solutions(tiny: str) -> None:
    station = open_station("codedesk", tickets=tiny, takt_s=30.0, reset="each", prices="fixed")
    try:
        desk = Desk(station)
        desk.call("write", path="pkg/m.py", text="nonsense\n")
        desk.call("submit", ticket=0)
        desk.wait_until(31)
        assert "def f1" in desk.call("read", path="pkg/m.py")["text"]
        desk.call("write", path="pkg/m.py", text=code(2))
        assert desk.call("submit", ticket=1)["good"]
    finally:
        station.close()


class Scripted:
    """Works every ticket, with commands between; every third one wrong."""

    def begin(self, spec: Any, seed: int) -> None: ...

    def end(self) -> None: ...

    def act(self, observation: dict[str, Any]) -> Plan:
        if not observation["tickets"]:
            return Plan([self_wait()] * 5)
        number = observation["tickets"][0]["ticket"]
        instead = {f"f{number + 1}": "-1"} if number % 3 == 2 else {}
        text = code(number + 1, **instead)
        return Plan(
            [
                tool_call("write", path="pkg/m.py", text=text),
                tool_call("run", command="date +%N > untracked.txt; git add pkg; sleep 0.2; date +%N"),
                tool_call("run", command="cat untracked.txt"),
                tool_call("submit", ticket=number),
            ]
        )


def self_wait() -> str:
    return tool_call("wait")


def told(path: Path) -> tuple[str, list[Any]]:
    with Ledger.open(path) as book:
        return book.digest(), [(event.kind, event.unit) for event in book.events()]


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """From when it is called on, this machine has no program at all."""

    def gone() -> None:
        monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
        check_works.cache_clear()

    yield gone
    monkeypatch.undo()
    check_works.cache_clear()


def test_a_shift_is_repeated_from_its_record_without_bubblewrap_and_no_command_runs_again(
    tiny: str, tmp_path: Path, without_bubblewrap: Callable[[], None]
) -> None:
    path = tmp_path / "a.takt"
    options = {"tickets": tiny, "takt_s": 20.0}
    run_shift("codedesk", Scripted(), units=3, station_options=options, ledger=path, worker_name="scripted")
    again, new = tmp_path / "b.takt", tmp_path / "new.takt"
    without_bubblewrap()
    repeat_shift(path, again, worker=Scripted(), named=Named(trust=True))
    assert told(path) == told(again)  # the output of `date` among it
    assert resume_shift(path).ended, "a finished one is read"
    seen = [event.kind for _, events in steps_of_unit(path, 2, worker=Scripted(), named=TRUSTED) for event in events]
    assert UNIT_BAD in seen, "a replay of one unit"
    with pytest.raises(TaktError, match="apt-get install bubblewrap"):
        run_shift("codedesk", Scripted(), units=1, station_options=options, ledger=new, worker_name="scripted")
    assert not new.exists()


BEGIN = """
import sys
sys.path[:0] = [{tests!r}]
from takt.stations.codedesk import grading, inspection
inspection.asking = lambda files, *_: [(files, frozenset())] * 2
grading.unreachable = lambda *_: False
from test_codedesk import Named, Scripted, resume_shift, run_shift
options = {{"tickets": {tickets!r}, "takt_s": 20.0}}
"""
RUN = 'run_shift("codedesk", Scripted(), units=3, station_options=options, ledger={path!r}, worker_name="scripted")'
RESUME = "resume_shift({path!r}, worker=Scripted(), named=Named(trust=True))"


def test_a_shift_that_is_killed_goes_on_with_its_files_and_never_runs_again_what_is_recorded(
    tiny: str, tmp_path: Path
) -> None:
    path = tmp_path / "killed.takt"
    recorded: dict[int, str] = {}
    for line, delay_s in ((RUN, 1.2), (RESUME, 2.5)):
        program = BEGIN.format(tests=str(Path(__file__).parent), tickets=tiny) + line.format(path=str(path))
        with subprocess.Popen([sys.executable, "-c", program]) as process:
            until = time.monotonic() + 60
            while not path.exists() and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(delay_s)
            process.send_signal(signal.SIGKILL)
        with Ledger.resume(path) as book:
            recorded |= {
                number: json.dumps(record, sort_keys=True)
                for number in range(20)
                if (record := book.recall(-1 - number)) is not None
            }
    resume_shift(path, worker=Scripted(), named=Named(trust=True))
    with Ledger.open(path) as book:
        events = book.events()
    records = [(e.data["record"], json.dumps(dict(e.data), sort_keys=True)) for e in events if "record" in e.data]
    assert [number for number, _ in records] == list(range(9)), "every command and inspection once, in order"
    for number, text in recorded.items():
        assert records[number][1] == text, "what was recorded before a kill is in the shift as it was"
    assert len([e for e in events if e.kind == INSPECTED]) == 3
    assert [e.kind for e in events if e.kind in (UNIT_GOOD, UNIT_BAD)] == [UNIT_GOOD, UNIT_GOOD, UNIT_BAD]


def test_what_a_command_changed_is_written_down_and_read_whole() -> None:
    changed = {"a": ("f644", b"x\0y"), "b/c": ("f755", b""), "l": ("l", b"a"), "gone": None, "d": ("d", b"")}
    assert of_text(as_text(changed)) == changed and as_text({}) == ""
    for bad in ("AAAA", "????", as_text({"a": ("f644", b"x")})[:-8]):
        with pytest.raises(ValueError, match="cannot be read"):
            of_text(bad)
    with pytest.raises(ValueError, match="cannot be read"):
        of_text(as_text({"../a": ("f644", b"x")}))


def test_gits_index_is_the_same_on_every_run_and_still_true(tmp_path: Path) -> None:
    def made(folder: Path) -> bytes:
        folder.mkdir()
        for name in ("a.txt", "a-longer-name.py", "b/c"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)
        for line in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *line], cwd=folder, check=True)
        return (folder / ".git/index").read_bytes()

    one, two = made(tmp_path / "one"), made(tmp_path / "two")
    assert one != two and without_times(one) == without_times(two)
    (tmp_path / "one/.git/index").write_bytes(without_times(one))
    (tmp_path / "one/a.txt").write_text("other")
    said = subprocess.run(
        ["git", "status", "--short"], cwd=tmp_path / "one", capture_output=True, text=True, check=True
    )
    assert said.stdout == "A  a-longer-name.py\nAM a.txt\nA  b/c\n"
    assert without_times(b"nonsense") == b"nonsense"


def test_options_that_lead_out_of_a_ledger_are_named(works: None) -> None:
    from takt.stations.codedesk.station import CodeDesk

    assert CodeDesk.opened_if_named({"tickets": "generated"}) == {}
    asked = CodeDesk.opened_if_named({"tickets": "/t", "model": "http://x/v1", "programs": "/opt/a"})
    assert asked == {"tickets": "/t", "model": "http://x/v1", "programs": "/opt/a"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"takt_s": 0.5}, "takt_s"),
        ({"tickets": "no/such"}, "no tickets 'no/such'"),
        ({"tickets": str(Path(__file__).parents[2])}, "is a repository and no folder of tickets: takt mine"),
        ({"reset": "each", "service_s": 4000.0}, "service_s is 1,?200"),
        ({"model": "ftp://x"}, "model='ftp://x' is no endpoint"),
        ({"programs": "/no/such/agent"}, "no program or folder '/no/such/agent'"),
        ({"programs": str(Path.home())}, "is a home folder, or holds one, of which the sandbox shows nothing"),
        ({"ticket_tokens": 1000}, "ticket_tokens is about what a model's endpoint takes"),
        ({"model": "http://x/v1", "shift_money": 5}, "price_in and price_out"),
        ({"reset": "now"}, "reset='now'"),
    ],
)
def test_wrong_options_are_one_line(works: None, tiny: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(TaktError, match=says):
        station = open_station("codedesk", **{"tickets": tiny, **options})
        station.ready()  # type: ignore[attr-defined]  # before anything is written
        station.reset(seed=0)


def test_calls_that_cannot_be_done_are_refused_and_change_nothing(desk: Desk) -> None:
    for tool, arguments, wanted in (
        ("read", {"path": "../../etc/passwd"}, "no_such_path"),
        ("read", {"path": "/etc/passwd"}, "no_such_path"),
        ("write", {"path": ".git/hooks/pre-commit", "text": "x"}, "no_such_path"),
        ("write", {"path": "x" * 300, "text": "x"}, "no_such_path"),
        ("write", {"path": "\u00e9" * 130, "text": "x"}, "no_such_path"),
        ("write", {"path": "d/" * 100 + "x", "text": "x"}, "no_such_path"),
        ("write", {"path": "pkg", "text": "x"}, "a_folder"),
        ("write", {"path": "README.md/x", "text": "x"}, "not_a_folder"),
        ("edit", {"path": "pkg/m.py", "old": "nowhere", "new": ""}, "not_once"),
        ("delete", {"path": "nothing"}, "no_such_file"),
        ("move", {"path": "pkg", "to": "pkg/inner"}, "not_free"),
        ("submit", {"ticket": 7}, "not_open"),
        ("solve", {"ticket": 0}, "unknown_tool"),
    ):
        assert desk.call(tool, **arguments)["error"]["code"] == wanted
    assert len(desk.of(REFUSED)) == 13
    assert sorted(row["path"] for row in desk.call("list")["files"]) == sorted(
        ["README.md", "pkg/__init__.py", "pkg/m.py", "tests/test_own.py"]
    )


def test_what_is_shown_of_files_and_output_is_all_of_it_or_says_so(desk: Desk) -> None:
    text = "a = 1\x0cb = 2\u2028c = 3\x85d = 4\rlast\n"
    for part in (text, *["x" * 10_000] * 4, "needle" + "y" * 400 + "\nend"):
        desk.call("write", path="pkg/odd.py", text=part, append=True)
    assert desk.call("read", path="pkg/odd.py", lines=1) == {
        "tool": "read", "path": "pkg/odd.py", "text": text, "lines": 3, "next": 2
    }  # fmt: skip
    assert "line 2 has 40,407 characters, of which 16,000" in desk.call("read", path="pkg/odd.py", first=2)["cut"]
    assert desk.call("read", path="pkg/odd.py", first=3)["text"] == "end"
    found = desk.call("search", text="needle")["found"]
    assert [row["line"] for row in found] == [2] and "xneedley" in found[0]["text"] and found[0]["cut"]
    assert desk.call("search", text="c = 3")["found"] == [{"path": "pkg/odd.py", "line": 1, "text": text[:-1]}]
    assert not desk.call("search", text="def f0", pattern="odd.py")["found"]
    assert desk.call("search", text="def f0", pattern="m.py")["found"], "a pattern is of a name or a path, as in `list`"
    every = desk.call("list")["files"]
    assert all(desk.call("list", folder=folder)["files"] == every for folder in (".", "./", "/", "pkg/.."))
    assert desk.call("list", folder="./pkg/")["files"] == [row for row in every if row["path"].startswith("pkg/")]
    assert desk.call("list", folder="../x")["error"]["code"] == "no_such_path"
    for tool, arguments in (("write", {"path": "w", "text": "\ud800"}), ("run", {"command": "echo \udfff"})):
        refused = desk.call(tool, **arguments)["error"]
        assert refused["code"] == "bad_arguments" and "half of a surrogate pair" in refused["message"]
    ran = desk.call("run", command="printf 'a\\377b'; printf 'c\\0' >&2; printf fine")
    assert (
        ran["output"] == "a\ufffdbfine\n[bytes that are no UTF-8 text are shown as \ufffd]\n"
        and "no UTF-8" in ran["errors"]
    )
    assert desk.call("run", command="printf '\\357\\277\\275'")["output"] == "\ufffd", "which it was"


def test_a_path_may_be_written_in_more_ways_than_one(desk: Desk) -> None:
    """`edit` of ./pkg/m.py ended the shift."""
    same = {"path": "././pkg//m.py"}
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("read", {}),
        ("edit", {"old": "return 0", "new": "return 1"}),
        ("write", {"text": "x = 1\n"}),
    )
    for tool, arguments in changes:
        assert desk.call(tool, **same, **arguments)["path"] == "pkg/m.py"
    assert desk.call("move", path="./pkg/", to="other/./q/")["path"] == "other/q"
    assert desk.call("delete", path="other//q/./m.py")["path"] == "other/q/m.py"
    assert [row["path"] for row in desk.call("list", folder="other")["files"]] == ["other/q/__init__.py"]


def test_the_station_keeps_the_contract(tiny: str) -> None:
    def opened(**options: Any) -> Station:
        return open_station("codedesk", **{"tickets": tiny, "takt_s": 6.0, "prices": "fixed", **options})

    slow = ("memory does not grow",)  # `takt check codedesk` looks at that as well
    for finding in check_station(opened, steps=16, rules=[rule for rule in RULES if rule not in slow]):
        assert finding.kept is not False, f"{finding.rule}: {finding.says}"


def test_a_mined_ticket_that_not_even_its_solution_reaches_is_told_apart(
    works: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """f2 needs what the first commit brought and no ticket asked for, in the file that the agent has written."""
    first = code(1) + "\n\ndef _one():\n    return 1\n"
    reference = {0: first, 1: first + "\n\ndef f2():\n    return _one() + 1\n", 2: first + code(3, f1="1", f2="2")}
    monkeypatch.undo()
    folder = write_series(tmp_path / "s", 3, reference=reference)
    station = open_station("codedesk", tickets=str(folder), takt_s=30.0, prices="fixed")
    try:
        desk = Desk(station)
        desk.call("write", path="pkg/m.py", text=code(1, f1="7"))
        desk.call("submit", ticket=0)  # wrong, and the known solution would have been right
        desk.wait_until(31)
        desk.call("submit", ticket=1)
        desk.wait_until(61)
        desk.call("submit", ticket=2)  # the commit has f1 otherwise, as has the agent
        told = [event.data["unreachable"] for event in desk.of(INSPECTED)]
        values = values_of(desk.events)
    finally:
        station.close()
    assert told == [False, True, None]
    assert values["unreachable"] == values["perhaps_unreachable"] == 1 and values["good_rate_reachable"] == 0.0
