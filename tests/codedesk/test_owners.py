"""Whose a mined test is: a miss fails no later ticket, and a break is of the one that broke it and of nobody else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories import repository
from series import BASE, code, growing, write_growing
from test_codedesk import Desk

from takt.cli import main
from takt.contract.station import open_station
from takt.errors import TaktError
from takt.stations.codedesk.account import values_of
from takt.stations.codedesk.breakage import number_of
from takt.stations.codedesk.collecting import USUAL
from takt.stations.codedesk.mining.found import Mining
from takt.stations.codedesk.statements import tolerant
from takt.stations.codedesk.suites import as_before, no_longer, retired_by, suite_of
from takt.stations.codedesk.terms import INSPECTED, MENDED, RECOUNTED, REGRESSION
from takt.stations.codedesk.tickets import REPOSITORY, Mined, Ticket, open_series, ticket_as_json, ticket_of
from takt.stations.codedesk.trimming import trimmed

T = "tests/test_m.py"


def series_of(*owners: Mapping[str, int | None], **of_last: Any) -> Mining:
    """A ticket for each of these, whose file of tests grows."""
    found = Mining("m", ("python3",), dict(BASE))
    for number, one in enumerate(owners):
        named = {f"{T}::{name}": owner for name, owner in one.items()}
        plain = Ticket(
            number, "x", "x", "feature", (), {T: growing(number + 1)}, {}, {T: growing(number + 1)}, (), "plain"
        )
        found.tickets.append(ticket_of(json.loads(json.dumps(ticket_as_json(replace(plain, owners=named))))))
    found.tickets[-1] = replace(found.tickets[-1], **of_last)
    return found


def test_what_is_asked_are_the_tickets_own_tests_accepted_ones_and_the_repositorys() -> None:
    series = series_of({"test_f0": -1, "test_f1": 0}, {"test_f2": 1}, {"test_f3": 2})
    suite = suite_of(series, series.tickets[2], [1], [])
    assert {name: suite.asked(f"{T}::{name}") for name in ("test_f0", "test_f1", "test_f2", "test_f3", "test_f9")} == {
        "test_f0": (f"{T}::test_f0", -1), "test_f1": None, "test_f2": (f"{T}::test_f2", 1),
        "test_f3": (f"{T}::test_f3", 2), "test_f9": None,
    }  # fmt: skip
    assert "from pkg.m import f0, f2, f3\n" in suite.files[T] and "def test_f1" not in suite.files[T]
    assert suite.retired == (f"{T}::test_f1",) and suite.tickets(T) == {-1, 1, 2}
    before = as_before(series, suite, series.tickets[2], [T])
    assert before.files == {T: growing(2).replace("f0, f1, f2", "f0, f2").replace(
        "def test_f1():\n    assert f1() == 1", "pass\n")}  # fmt: skip
    assert before.asked(f"{T}::test_f2") and not before.asked(f"{T}::test_f3")


def test_a_row_may_have_an_owner_of_its_own_and_a_test_may_change_hands() -> None:
    series = series_of({"test_f1": 0}, {"test_f1": 0, "test_f1[b]": 1}, {"test_f1": 2})
    suite = suite_of(series, series.tickets[1], [0], [])
    assert suite.asked(f"{T}::test_f1[a]") == (f"{T}::test_f1", 0)
    assert suite.asked(f"{T}::test_f1[b]") == (f"{T}::test_f1[b]", 1)
    assert suite_of(series, series.tickets[2], [0, 1], []).asked(f"{T}::test_f1[b]") == (f"{T}::test_f1", 2)
    broken = {f"{T}::test_f1": 0}
    assert no_longer(series, broken, 2) == [] and no_longer(series, broken, 3) == [*broken], "it asks otherwise now"
    assert retired_by(series, series.tickets[0], [], 2) == [f"{T}::test_f1", f"{T}::test_f1[b]"]
    taken = suite_of(series, series.tickets[0], [], retired_by(series, series.tickets[0], [], 3))
    assert taken.asked(f"{T}::test_f1") == (f"{T}::test_f1", 0), "with nothing left to ask, it is asked as it was"
    late = suite_of(series, series.tickets[0], [2], [])
    assert late.files[T] == growing(1), "a later one has taken all over: this is asked as it was"


@pytest.mark.parametrize(
    ("drop", "gone", "stays"),
    [
        (["test_a"], ["import a\n", "new, ", "def test_a"], ["import kept", "import old", "test_b", "fix"]),
        (["TestC::test_c"], ["class TestC", "only_c"], ["test_a", "new, old"]),
        (["TestD::test_d"], ["def test_d"], ["class TestD", "def test_e"]),
        (["TestBase::test_z"], [], ["class TestBase", "test_z"]),
        (["test_shared"], [], ["def test_shared"]),
    ],
)
def test_what_is_not_asked_is_taken_out_with_what_it_alone_imports(
    drop: list[str], gone: list[str], stays: list[str]
) -> None:
    text = """import a
import kept
from m import (
    new, old,
    only_c,
)


@pytest.mark.parametrize("x", [1,
                               2])
def test_a(x):
    assert new(a.b, x)


def test_b(fix):
    assert old(kept)


class TestC:
    def test_c(self):
        assert only_c


class TestD:
    def test_d(self):
        assert 1

    def test_e(self):
        assert 2


class TestBase:
    def test_z(self):
        assert 3


class TestF(TestBase):
    pass


def test_shared():
    pass
"""
    after = trimmed(text, drop, USUAL, {"test_shared"})
    assert not [one for one in gone if one in after] and all(one in after for one in stays), after
    assert len(after.split("\n")) == len(text.split("\n")), "every line stays where it is"


HELPED = """import pytest
import sys
from m import Box, a, b, c, d, new, old, whole


@pytest.fixture
def box():
    return made(Box)


def made(kind):
    return kind(a)


@pytest.fixture(autouse=True)
def always():
    return b


def both():
    return c


def test_box(box):
    assert both()


class TestM:
    @pytest.fixture
    def one(self):
        return d

    class TestOld:
        def test_old(self):
            assert old(both)

    class TestNew:
        def test_new(self, one):
            assert new


if sys.platform:
    def test_under():
        assert whole
"""


def test_what_only_those_tests_use_that_are_taken_out_goes_with_them() -> None:
    def left(*drop: str, more: str = "") -> str:
        return trimmed(HELPED + more, drop, USUAL)

    gone = left("test_box")
    assert "from m import b, c, d, new, old, whole\n" in gone and "def box" not in gone and "def made" not in gone
    assert "def always" in gone and "def both" in gone, "what is used all the same stays"
    new = left("TestM::TestNew::test_new")
    assert "import Box, a, b, c, old, whole\n" in new and "TestOld" in new and "TestNew" not in new
    assert "def one" not in new and len(new.split("\n")) == len(HELPED.split("\n"))
    assert "import Box, a, b, c, d, new, old\n" in left("test_under")
    by_name = "\n\ndef test_by_name(request):\n    request.getfixturevalue({})\n"
    assert "def box" in left("test_box", more=by_name.format("'box'")), "a fixture may be asked for by a word"
    assert "def box" in left("test_box", more=by_name.format("f'b{x}'")), "or by one that cannot be read"


def test_a_file_is_read_with_what_cannot_be_imported_passed_over() -> None:
    there: dict[str, Any] = {}
    text = "from __future__ import annotations\nfrom os import getcwd, no_such\nX = no_such()\n"
    text += "def test_x():\n    pass\n"
    exec(compile(tolerant(text), "t", "exec"), there)
    assert "getcwd" in there and "test_x" in there and "X" not in there and tolerant("no Python (") == "no Python ("


@pytest.mark.usefixtures("plainly")
def test_a_miss_and_a_break_count_against_their_own_tickets_alone(works: None, tmp_path: Path) -> None:
    station = open_station("codedesk", tickets=str(write_growing(tmp_path / "s", 4)), takt_s=30.0, prices="fixed")
    try:
        desk = Desk(station)
        said: list[dict[str, Any]] = []
        texts = [
            code(1).replace("f1", "g1"),  # a miss: the file of tests cannot be imported, and f0 is not broken by that
            code(2).replace("f1", "g1"),  # right
            code(3, f0="7", f1="1", f2="9", f3="3").replace("f1", "g1"),  # right, and breaks an accepted one and f0
            code(4, f4="4").replace("f1", "g1"),  # right, and all is mended
        ]
        for number, text in enumerate(texts):
            desk.wait_until(30 * number + 1)
            desk.call("write", path="pkg/m.py", text=text)
            said.append(desk.call("submit", ticket=number))
        told = {
            kind: [(e.unit, e.data.get("ticket"), e.data["count"]) for e in desk.of(kind)]
            for kind in (REGRESSION, MENDED)
        }
        values = values_of(desk.events)
        records = [event.data["broken"] for event in desk.of(INSPECTED)]
    finally:
        station.close()
    assert [one["reasons"] for one in said] == [["wrong"], [], ["regression"], []], said
    assert said[2]["broken_repository"] and said[2]["broken_tickets"] == [1] and "broken_repository" not in said[3]
    assert records[2] == {"repository": [f"{T}::test_f0"], "1": [f"{T}::test_f2"]} and number_of("-1") == REPOSITORY
    assert sorted(told[REGRESSION], key=str) == [(2, 1, 1), (2, None, 1)]
    assert sorted(told[MENDED], key=str) == [(3, 1, 1), (3, None, 1)]
    assert values["still_broken"] == values["broken_tickets"] == 0 and values["found_broken"] == 1


@pytest.mark.usefixtures("plainly")
def test_a_break_is_of_the_one_who_made_it_also_where_a_later_commit_renames_its_test_or_adds_one(
    works: None, tmp_path: Path
) -> None:
    folder = write_growing(tmp_path / "s", 2)
    path = folder / "tickets" / "0001.json"
    read = json.loads(path.read_text())
    new = growing(2) + "\n\ndef test_more():\n    assert f0() + 1 == 1\n"
    names = {"test_f0": -1, "test_more": -1, "test_f1": 0, "test_f2": 1}
    read |= {"hidden": {"tests/test_n.py": new}, "retires": [T]}
    read |= {"owners": {f"tests/test_n.py::{name}": owner for name, owner in names.items()}}
    path.write_text(json.dumps({**read, "reference": {**read["reference"], T: None, "tests/test_n.py": new}}))
    station = open_station("codedesk", tickets=str(folder), takt_s=30.0, prices="fixed")
    try:
        desk, said = Desk(station), list[dict[str, Any]]()
        for number in (0, 1):
            desk.wait_until(30 * number + 1)
            desk.call("write", path="pkg/m.py", text=code(number + 1, f0="7", f1="1"))
            said.append(desk.call("submit", ticket=number))
        counts = [(e.kind, e.unit, e.data["count"], e.data.get("broken_by")) for e in desk.of(REGRESSION, RECOUNTED)]
        values = values_of(desk.events)
    finally:
        station.close()
    assert [one["reasons"] for one in said] == [["regression"], []] and said[1]["broken_repository"], said
    assert counts == [(REGRESSION, 0, 1, None), (RECOUNTED, 1, 1, 0)] and values["still_broken"] == 2


def test_a_mined_test_is_of_the_commit_that_brought_it_to_pass(
    works: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All is in one file that imports what is new, as a whole it fails before each commit; and another was there."""
    monkeypatch.setattr(sys.modules["takt.stations.codedesk.mining.owning"], "RUNS", 1)
    more = growing(2) + "\n\ndef test_more():\n    assert f1() + 0 == 1\n"
    more += "\n\ndef test_old():\n    assert f0() + 0 == 0\n"
    mixed = "class Mixed:\n    def test_f0(self):\n        import pkg.m\n\n        assert pkg.m.f0() == 0\n"
    then = mixed + "\n    def test_f2(self):\n        import pkg.m\n\n        assert pkg.m.f2() == 2\n"
    given = {"tests/mixed.py": mixed, "tests/test_k.py": "from mixed import Mixed\n\n\nclass TestK(Mixed):\n    pass\n"}
    history = [
        ("Begin", {**BASE, **given, T: growing(0)}),
        ("Add f1", {"pkg/m.py": code(1), T: growing(1)}),
        ("Add f2", {"pkg/m.py": code(2), T: more, "tests/mixed.py": then}),
    ]
    out = tmp_path / "tickets"
    assert not main(["mine", str(repository(tmp_path / "r", history)), "--out", str(out)])
    assert "4 tests are tickets', 4 the repository's" in capsys.readouterr().out
    series = open_series(str(out), "plain", 0)
    told = [series.ticket(number).owners or {} for number in (0, 1)]
    named = [{name.removeprefix(f"{T}::"): owner for name, owner in one.items()} for one in told]
    mixin, there = "tests/test_k.py::TestK::test_", "tests/test_own.py::test_f0"
    assert named[0] == {"test_f0": -1, "test_f1": 0, f"{mixin}f0": -1, there: -1}
    assert named[1] == {"test_f2": 1, "test_more": 0, "test_old": -1, f"{mixin}f2": 1}, "by what tests share as well"


def test_folders_of_both_formats_are_read_and_others_refused_with_the_fix(tmp_path: Path) -> None:
    folder = write_growing(tmp_path / "s", 1)
    about = json.loads((folder / "series.json").read_text())
    assert Mined.read(folder).by_test and Mined.read(folder).ticket(0).owners
    for number, by_test in ((1, False), (2, True)):
        (folder / "series.json").write_text(json.dumps({**about, "format": number}))
        assert Mined.read(folder).by_test is by_test
    (folder / "series.json").write_text(json.dumps({**about, "format": 3}))
    with pytest.raises(TaktError, match="format 3 of tickets, and this version reads 1 and 2; mine it again"):
        Mined.read(folder)
