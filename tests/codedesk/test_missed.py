"""What is laid of mined tests depends on which tickets were missed: a miss in what they share fails no other."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from histories import repository
from test_codedesk import Desk

from takt.cli import main
from takt.contract.station import open_station
from takt.stations.codedesk.collecting import USUAL
from takt.stations.codedesk.mining import owning
from takt.stations.codedesk.statements import binding, parts_of, tolerant, unchanged, without
from takt.stations.codedesk.tickets import open_series

INIT, MORE = "src/tk/__init__.py", "\n\ndef two():\n    return 2\n"
ONE = "def one():\n    return 1\n"
SAME = "def same(a, b):\n    return a == b\n"
CONFTEST = "import pytest\n\n\n@pytest.fixture(params=[1])\ndef number(request):\n    return request.param\n"
TEST = (
    "import pytest\nimport tk\nfrom helpers import same\n\n\ndef test_one(number):\n    assert same(tk.one(), number)\n"
)
SKIPS = (
    "\n\n@pytest.mark.skipif(not hasattr(tk, 'book'), reason='none')\ndef test_old():\n    assert tk.book.Book().old\n"
)
PROGRAM = """import subprocess
import sys

from helpers import same


def test_program(tmp_path):
    said = subprocess.check_output([sys.executable, "-m", "tk"], cwd=tmp_path)
    assert said == b"2\\n"


def test_two():
    import tk

    assert same(tk.two(), 2)
"""
BOOK = {
    "src/tk/book.py": "class Book:\n    old, first = True, 1\n",
    INIT: f"from tk import book\n\n\n{ONE}",
}
HISTORY: Any = [
    ("Begin", {
        INIT: ONE, "tests/conftest.py": CONFTEST, "tests/test_tk.py": TEST,
        "tests/helpers.py": SAME,
    }),
    ("Add a book", {
        **BOOK,
        "tests/conftest.py": CONFTEST.replace("\n", "\nfrom tk.book import Book\n", 1).replace("[1]", "[Book.first]")
        + "\n\n@pytest.fixture(autouse=True)\ndef clean():\n    import tk\n\n    tk.book.Book.old = True\n",
        "tests/helpers.py": "import tk\nfrom tk.book import Book\n\n\n" + SAME.replace("return", "return tk.book and")
        + "\n\ndef new():\n    return Book()\n",
        "tests/test_tk.py": TEST + SKIPS,
        "tests/test_book.py": "from helpers import new\n\n\ndef test_new():\n    assert new().old\n",
    }),
    ("python -m tk says two", {
        INIT: BOOK[INIT] + MORE, "src/tk/__main__.py": "import tk\n\nprint(tk.two())\n",
        "tests/test_program.py": PROGRAM,
    }),
]  # fmt: skip


@pytest.fixture(scope="module")
def tickets(works: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("missed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owning, "RUNS", 1)
        assert not main(["mine", str(repository(folder / "r", HISTORY)), "--out", str(folder / "tickets")])
    return str(folder / "tickets")


def test_a_test_that_starts_the_program_or_was_skipped_before_is_the_tickets(tickets: str) -> None:
    told = [open_series(tickets, "plain", 0).ticket(number).owners or {} for number in (0, 1)]
    assert [{name.partition("::")[2] for name, owner in one.items() if owner == k} for k, one in enumerate(told)] == [
        {"test_old", "test_new"}, {"test_program", "test_two"},
    ]  # fmt: skip
    assert told[0]["tests/test_tk.py::test_one"] == -1, "though the fixture that it uses needs the new class since"


@pytest.mark.usefixtures("plainly")
def test_a_miss_in_what_tests_share_fails_no_other_ticket(tickets: str) -> None:
    station = open_station("codedesk", tickets=tickets, takt_s=30.0, prices="fixed")
    try:
        desk, said = Desk(station), list[dict[str, Any]]()
        desk.wait_until(1)
        desk.call("write", path="NOTES.md", text="not yet\n")
        said.append(desk.call("submit", ticket=0))
        assert "tk.book" in str([event.data.get("message") for event in desk.events])
        desk.wait_until(31)
        desk.call("write", path=INIT, text=ONE + MORE)
        desk.call("write", path="src/tk/__main__.py", text="from tk import two\nprint(two())\n")
        said.append(desk.call("submit", ticket=1))
    finally:
        station.close()
    assert [one["reasons"] for one in said] == [["wrong"], []]
    assert not any("broken_repository" in one or one.get("broken_tickets") for one in said)


def test_of_a_file_those_statements_go_that_cannot_be_run_and_all_else_stays_in_its_lines() -> None:
    text = (
        "from __future__ import annotations\nfrom os import (\n    getcwd,\n    no_such,\n)\nX = no_such()\n"
        "class A:\n    y = X.y\n\n    @X.mark\n    def test_a(self): pass\n\n    def test_b(self): pass\n"
        "@X.mark\ndef test_c():\n    return 1\n\n\n\ndef test_d(): pass\n"
    )
    sys.__dict__.pop("takt_missing", None)
    there: dict[str, Any] = {}
    exec(compile(tolerant(text, "t.py"), "t", "exec"), there)
    noted = [place for _, place, _ in sys.__dict__.pop("takt_missing")]
    assert [parts_of(text)[place].called for place in noted] == ["no_such", "X", "y", "test_a", "test_c"]
    before = "import os\n@os.fspath\ndef test_c():\n    return 2\n"
    older = binding(before, "test_c")
    after = without(text, noted, {noted[-1]: older})
    assert "from os import getcwd\n" in after and older in after and "test_a" not in after and "no_such" not in after
    assert after.split("\n").index("def test_d(): pass") == text.split("\n").index("def test_d(): pass")
    compile(after, "t", "exec")


def test_what_tests_share_is_as_before_a_change_with_what_it_needs_of_its_imports() -> None:
    was = "from m import Client\n\nURL = 'a'\n\n\ndef client():\n    return Client(URL)\n\n\ndef test_x():\n    pass\n"
    came = (
        "import m\n\nURL = m.URL\n\n\ndef client():\n    return m.Client(URL, 3)\n\n\ndef test_x():\n    assert 1\n"
        "\n\n@pytest.fixture(autouse=True)\ndef always():\n    m.reset()\n\n\ndef new():\n    pass\n"
    )
    now = f"{came}\n\ndef test_later():\n    pass\n"
    after = unchanged(now, was, came, USUAL)
    there: dict[str, Any] = {}
    exec(compile(after.replace("import m\n", "", 1).replace("from m", "from test_missed"), "t", "exec"), there)
    assert there["client"]() == ["a"] and {"new", "test_x", "test_later"} <= there.keys() and "always" not in there
    assert unchanged(now.replace("URL, 3", "URL, 4"), was, came, USUAL).count("URL, 4") == 1, "changed by others since"
    moved = "from new import (\n    a,\n    b,\n)\nX = 1\n"
    places = [place for place, part in enumerate(parts_of(moved)) if part.called == "a"]
    assert (
        without(moved, places, {places[0]: "from old import a"})
        == "from new import b; from old import a\n\n\n\nX = 1\n"
    )


def Client(*given: Any) -> list[Any]:
    return [*given]
