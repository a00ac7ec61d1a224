"""Trees that an agent may leave which no file system takes, or nobody can read: the shift goes on, and says so."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from series import BASE, code, hidden
from test_codedesk import Desk

from takt.contract.station import TaktError, open_station
from takt.stations.codedesk import inside, repository, trees
from takt.stations.codedesk.inspection import Suite, inspect
from takt.stations.codedesk.repository import Repository, dates, files_of
from takt.stations.codedesk.sandbox import Limits, Room, Sandbox
from takt.stations.codedesk.terms import INSPECTED, REGRESSION
from takt.stations.codedesk.tickets import Series, Ticket
from takt.stations.codedesk.trees import File, Unlaid, fits, write_tree

pytestmark = pytest.mark.usefixtures("plainly")
ODD = r"""
import os, socket
def down(name, times):
    for _ in range(times):
        os.mkdir(name); os.chdir(name)
    open("bottom", "w").close()
    os.chdir("/work")
down("n" * 200, 60)
down("d", 1500)
down("e", 49)
os.mkdir(b"/work/\xff\xfe"); open(b"/work/\xff\xfe/a", "w").close()
os.mkfifo("fifo"); socket.socket(1).bind("sock")
open("a\nb", "w").close(); open("x" * 255, "w").close(); open("\u00e9\u4e2d", "w").close()
os.symlink(b"\xff/\xfe", "odd-link"); os.symlink("loop", "loop"); os.symlink(".", "here")
os.makedirs("nested/.git/objects"); open("nested/.git/config", "w").write("[core]\n")
os.makedirs("shut/inner"); open("shut/inner/file", "w").write("kept"); os.chmod("shut/inner/file", 0)
os.makedirs("shut/deep"); os.chdir("shut/deep"); down("z", 300)
os.chmod("shut/inner", 0o400); os.chmod("shut", 0)
os.chmod("/tmp", 0); os.chmod(os.path.expanduser("~"), 0o100); os.chmod("/work", 0o300)
"""


def is_usable(room: Room) -> bool:
    return room.run(["sh", "-c", "echo x > new && cat new && rm new && touch /tmp/x ~/x"]).stdout == b"x\n"


def test_what_cannot_be_kept_is_left_out_and_said_and_the_rest_is_kept(shared_room: Room) -> None:
    ran = shared_room.run(["python3", "-c", ODD])
    assert (ran.code, ran.too_much, shared_room.lost) == (0, False, False), ran.stderr
    assert ran.changed["odd-link"] == ("l", b"\xff/\xfe") and ran.changed["loop"] == ("l", b"loop")
    assert ran.changed["shut/inner/file"] == ("f644", b"kept") and ran.changed["nested/.git/config"]
    assert {"a\nb", "x" * 255, "\u00e9\u4e2d", "/".join(["e"] * 49) + "/bottom"} <= ran.changed.keys()
    assert all(fits(path) for path in ran.changed) and not {"fifo", "sock"} & ran.changed.keys()
    assert "2 of no file, folder or link, as 'fifo'" in ran.left_out and "1 of a name that is no UTF-8" in ran.left_out
    assert "3 of a path that is too long or too deep" in ran.left_out
    assert is_usable(shared_room)
    again = Repository(Sandbox(limits=Limits(disk_mb=16)), {p: f for p, f in ran.changed.items() if f})
    try:  # laid anew, it is the same tree
        same = again.run(["sh", "-c", "cat shut/inner/file; readlink here"], wall_s=60)
        assert (same.stdout, dict(same.changed)) == (b"kept.\n", {})
    finally:
        again.close()
    shared_room.run(["sh", "-c", "rm -rf -- * .[a-z]*"])


def test_the_sandbox_and_the_desk_have_the_same_limits_of_a_path() -> None:
    assert (inside.LONGEST_PATH, inside.DEEPEST) == (trees.LONGEST_PATH, trees.DEEPEST)
    for path in ("a/" * 49 + "a", "a/" * 50 + "a", "b" * 255, "/".join(["c" * 99] * 10), "/".join(["\u00e9" * 99] * 6)):
        assert fits(path) == (inside.odd_of(path, "f") == ""), path


def test_no_change_is_missed_because_it_came_within_a_tick_of_the_clock() -> None:
    now = time.time_ns()
    assert inside.settled({"a": ("f", 0o644, 1, 5, now), "b": ("f", 0o644, 1, 5, 7)})["b"][4] == 7
    assert time.time_ns() > now + inside.TICK_S * 1e9 > now
    inside.settled({"later": ("f", 0o644, 1, 5, 1 << 62)})  # a clock that was set back is not waited for


@pytest.fixture
def desk(tiny: str) -> Iterator[Desk]:
    station = open_station("codedesk", tickets=tiny, takt_s=100.0, prices="fixed", disk_mb=16, memory_mb=256)
    yield Desk(station)
    station.close()


def test_a_ticket_among_odd_things_is_good_and_the_agent_reads_what_was_left_out(desk: Desk) -> None:
    ran = desk.call("run", command=f"cat > odd.py <<'EOF'\n{ODD}EOF\npython3 odd.py")
    assert "[not kept: " in ran["errors"] and "as 'fifo'" in ran["errors"]
    desk.call("write", path="pkg/m.py", text=code(1))
    assert desk.call("submit", ticket=0)["good"]
    desk.station.load(desk.station.save())
    assert "shut/inner/file" in json.dumps(desk.call("list", folder="shut"))


def test_a_tree_that_is_too_large_goes_back_to_what_it_was_and_what_is_deleted_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_FILES", 80)
    ran = desk.call("run", command="for i in $(seq 90); do echo > f$i; done")
    assert "all that this command changed is undone: the tree would have" in ran["errors"]
    assert desk.call("search", text="f0")["found"], "files of before are there"
    assert desk.call("run", command="mkdir d; for i in $(seq 20); do echo > d/f$i; done; ls d | wc -l")["code"] == 0
    assert "errors" not in desk.call("run", command="rm -r d; for i in $(seq 25); do echo > f$i; done")
    assert len(desk.call("list", pattern="f*")["files"]) == 25
    monkeypatch.undo()
    sizes = [desk.call("write", path=f"big{i}", text="x" * 15_000, append=True) for i in range(2)]
    assert all("bytes" in one for one in sizes)
    monkeypatch.setattr(repository, "MOST_TREE", 40_000)
    refused = desk.call("write", path="big2", text="x" * 18_000)
    assert refused["error"]["code"] == "too_large" and "the most" in refused["error"]["message"]


def test_what_a_command_changes_fits_into_its_record_with_the_first_commit_beside_it(works: None) -> None:
    again = Repository(Sandbox(limits=Limits(disk_mb=32)), {})
    try:
        again.beside = 16 << 20
        ran = again.run(["sh", "-c", "head -c 7000000 /dev/urandom > r"], wall_s=20)
        assert ran.too_much and "too much for a record" in ran.left_out and not again.tree
        again.beside = 0
        assert len(again.run(["sh", "-c", "head -c 7000000 /dev/urandom > r"], wall_s=20).changed) == 1
    finally:
        again.close()


def test_a_repository_within_the_repository_is_the_same_on_every_run(works: None) -> None:
    def made() -> dict[str, File]:
        again = Repository(Sandbox(limits=Limits(disk_mb=32)), files_of(BASE))
        try:
            again.run(["sh", "-c", "cd pkg && git init -q && git add -A && git commit -qm x"], wall_s=20, env=dates(0))
            return again.tree
        finally:
            again.close()

    one, two = made(), made()
    assert {path for path in one if one[path] != two.get(path)} == set() and "pkg/.git/index" in one


def test_no_folder_can_be_moved_so_deep_that_no_path_leads_there(desk: Desk) -> None:
    assert "bytes" in desk.call("write", path="a/" * 49 + "x", text="")
    for to in ("b/a", "b/" * 40 + "c"):
        assert desk.call("move", path="a", to=to)["error"]["code"] == "not_free"
    assert desk.call("move", path="a", to="c")["files"] == 1


SERIES = cast(Series, SimpleNamespace(length=9, python=("python3",)))


def test_a_tree_that_no_sandbox_takes_is_a_broken_build_and_no_end_of_the_shift(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows a way to make one; if there is one, the ticket is bad and the next one is worked."""
    assert desk.call("write", path="pkg/m.py", text=code(1)) and desk.call("submit", ticket=0)["good"]
    put = Room.put

    def refuses(room: Room, files: Any) -> None:
        if "evil" in files:
            room.close()
            raise Unlaid("the tree could not be laid in the sandbox: evil")
        put(room, files)

    monkeypatch.setattr(Room, "put", refuses)
    desk.wait_until(101)
    desk.call("write", path="evil", text=code(2))
    assert "could not be laid" in desk.call("run", command="true")["errors"]
    bad = desk.call("submit", ticket=1)
    assert bad["reasons"] == ["broken_build", "regression"] and bad["broken_tickets"] == [0]
    seen = desk.of(INSPECTED)[-1].data
    assert "could not be laid" in seen["build"] and "evil" in seen["diff"]
    assert len(desk.of(REGRESSION)) == 1
    desk.call("delete", path="evil")
    assert "errors" not in desk.call("run", command="true"), "and the shift goes on"


@pytest.mark.parametrize("length", [None, 9], ids=["generated", "mined"])
def test_more_than_the_disk_takes_is_said_and_never_raised(works: None, tmp_path: Path, length: int | None) -> None:
    tree = files_of({**BASE, **{f"big/{i}": bytes(1 << 20) for i in range(17)}, "t" * 300: ""})
    sandbox = Sandbox(limits=Limits(disk_mb=16))
    again = Repository(sandbox, tree)
    assert again.run(["true"], wall_s=5).ended_by == "gone" and again.tree["pkg"] == ("d", b"")
    series = cast(Series, SimpleNamespace(length=length, python=("python3",)))
    suite = Suite(
        {"tests/test_a.py": hidden(1), "tests/test_b.py": hidden(1)}, {"tests/test_a.py": 1, "tests/test_b.py": 0}, {}
    )
    seen = inspect(sandbox, tree, suite, cast(Ticket, SimpleNamespace(number=1)), series)
    assert seen.build and not seen.tampered and seen.broken == {0: ("tests/test_b.py::?",)}


def test_a_machine_without_room_is_no_fault_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fchmod", full)
    with pytest.raises(TaktError, match="No space left on device") as said:
        write_tree(tmp_path, files_of({"a": "x"}))
    assert not isinstance(said.value, Unlaid)


def test_tests_that_are_ended_before_they_are_known_are_broken_and_not_mended(works: None) -> None:
    tree = files_of({**BASE, "pkg/m.py": "import time\n\ntime.sleep(60)\n"})
    suite = Suite(
        {"tests/test_a.py": hidden(1), "tests/test_b.py": hidden(1)}, {"tests/test_a.py": 1, "tests/test_b.py": 0}, {}
    )
    seen = inspect(
        Sandbox(limits=Limits(disk_mb=16)), tree, suite, cast(Ticket, SimpleNamespace(number=1)), SERIES, 2.0
    )
    assert seen.broken == {0: ("tests/test_b.py::?",)} and "limit: time" in seen.message and not seen.tampered
