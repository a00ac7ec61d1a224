"""`takt mine` where files come, go and are called otherwise: tests, what they share, and what they read."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories import Files, repository

from takt.cli import main
from takt.errors import TaktError
from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.laying import Suite, laid, sources_of
from takt.stations.codedesk.mining.found import Mining, Rejected, write
from takt.stations.codedesk.mining.history import History
from takt.stations.codedesk.mining.moved import moved
from takt.stations.codedesk.mining.outcomes import ended, in_short
from takt.stations.codedesk.mining.owning import Asked, Owning
from takt.stations.codedesk.mining.reading import named_by, resolved, told_of
from takt.stations.codedesk.mining.runner import Pytest
from takt.stations.codedesk.mounts import lies_at
from takt.stations.codedesk.suites import still_retired, suite_of
from takt.stations.codedesk.tickets import Ticket, open_series, ticket_as_json, ticket_of
from takt.stations.codedesk.trees import Link

A = "def one():\n    return 1\n"
OLD = "KEPT = 2\n"
TEST_A = "from helper import ONE\nfrom pkg.a import one\n\n\ndef test_one(given):\n    assert one() == ONE == given\n"
TEST_OLD = "from pkg.old import GONE, KEPT\n\n\ndef test_old():\n    assert (GONE, KEPT) == (1, 2)\n"
TEST_KEPT = "import pkg.old\n\n\ndef test_kept():\n    assert pkg.old.KEPT == 2\n"
CONFTEST = "import pytest\nfrom pkg.a import one\n\n\n@pytest.fixture\ndef given():\n    return one()\n"
B = "from pathlib import Path\n\n\ndef rows(name):\n    return Path(name).read_text().split()\n"
TEST_B = "from pkg.b import rows\n\n\ndef test_rows():\n    assert rows('pkg/data/prices.csv') == ['a;1', 'b;2']\n"
C = B + "\n\ndef count(name):\n    return len(rows(name))\n"
TEST_C = (
    TEST_B.replace("pkg.b", "pkg.c") + "    from pkg.c import count\n\n    assert count('pkg/data/prices.csv') == 2\n"
)
HISTORY: Sequence[tuple[str, Files]] = [
    ("Begin", {"pkg/__init__.py": "", "pkg/old.py": OLD, "README": "A package.\n"}),
    (
        "Add one",
        {
            "pkg/a.py": A,
            "pkg/old.py": OLD + "GONE = 1\n",
            "tests/helper.py": "from pkg.a import one\n\nONE = one()\n",
            "tests/conftest.py": CONFTEST,
            "tests/test_a.py": TEST_A,
            "tests/test_old.py": TEST_OLD,
            "tests/test_kept.py": TEST_KEPT,
        },
    ),
    (
        "Ask for less, and elsewhere",
        {
            "tests/test_old.py": TEST_OLD.replace("GONE, KEPT", "KEPT").replace("(KEPT) == (1, 2)", "KEPT"),
            "tests/test_kept.py": None,
            "tests/old/test_kept.py": "# moved\nimport sys\n" + TEST_KEPT,
        },
    ),
    ("Drop a", {one: None for one in ("pkg/a.py", "tests/helper.py", "tests/conftest.py", "tests/test_a.py")}),
    (
        "Read lists of prices",
        {"pkg/b.py": B, "pkg/old.py": OLD, "pkg/data/prices.csv": "a;1\nb;2\n", "tests/test_b.py": TEST_B},
    ),
    (
        "b is called c, and a is there again",
        {
            "pkg/b.py": None,
            "pkg/c.py": C,
            "tests/test_b.py": None,
            "tests/unit/test_c.py": TEST_C,
            **{"pkg/a.py": A, "tests/helper.py": "ONE = 1\n", "tests/conftest.py": CONFTEST, "tests/test_a.py": TEST_A},
        },
    ),
]


def path_of(node: str) -> str:
    return node.partition("::")[0]


def test_what_a_commit_deletes_renames_or_no_longer_has_keeps_no_later_commit_from_being_a_ticket(
    works: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["takt.stations.codedesk.mining.owning"], "RUNS", 1)
    out, titles, judge = tmp_path / "tickets", list[str](), Owning.judge

    def judged(self: Owning, asked: Asked) -> Any:
        titles.append(asked.ticket.title)
        if len(titles) == 2:
            raise KeyboardInterrupt
        return judge(self, asked)

    monkeypatch.setattr(Owning, "judge", judged)
    words = ["mine", str(repository(tmp_path / "r", HISTORY)), "--out", str(out)]
    assert main(words) == 130 and not out.exists()
    assert "the same command goes on with what" in capsys.readouterr().err
    with (tmp_path / "tickets.mining").open("a") as file:
        file.write('{"commit": ')  # a line that a crash has cut off
    assert main([*words, "--suite", "all"]) == 2
    assert "with suite='auto': give the same command again" in capsys.readouterr().err
    assert not main(words) and titles == [titles[0], titles[1], *titles[1:2], titles[3]], "no commit is tried twice"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r", "tickets"]
    rejected = {one["subject"]: one["reason"] for one in json.loads((out / "rejected.json").read_text())["rejected"]}
    assert rejected == {"Begin": "the first commit", "Drop a": "no test", "Ask for less, and elsewhere": "tests only"}
    series = open_series(str(out), "plain", 0)
    one, read, again = (series.ticket(number) for number in range(3))
    assert one.retires == ()
    assert set(read.retires) == {"tests/helper.py", "tests/test_a.py", "tests/test_kept.py"} and not again.moved
    assert read.moved == {"tests/test_kept.py": ("tests/old/test_kept.py", "# moved\nimport sys\n" + TEST_KEPT)}
    assert again.retires == ("tests/test_b.py",)
    assert read.hidden["pkg/data/prices.csv"] == "a;1\nb;2\n" and "    a;1\n    b;2\n" in read.text
    old, kept = "tests/test_old.py::test_old", "tests/old/test_kept.py::test_kept"
    suite = suite_of(series, read, [0], [])
    assert set(suite.files) == {*map(path_of, (old, kept)), "tests/test_b.py", "pkg/data/prices.csv"}
    assert "tests/conftest.py" not in suite.settings and "# moved" in suite.files[path_of(kept)]
    assert suite.asked(old) == (old, 0), "as a commit without a ticket asks, and still of the ticket that it was of"
    assert suite.asked(kept) == (kept, -1), "it passed before the first ticket"
    assert suite.moved == {"tests/test_kept.py": path_of(kept)}
    missed = suite_of(series, read, [], [])
    assert missed.asked(old) is None and missed.asked(kept) and "GONE" not in missed.files[path_of(old)]
    suite = suite_of(series, again, [0, 1], [])
    assert set(suite.files) == {*map(path_of, (old, kept)), *read.hidden, *again.hidden} - {"tests/test_b.py"}
    assert "tests/conftest.py" in suite.settings and not suite.asked("tests/test_b.py::test_rows")
    assert suite.asked("tests/test_a.py::test_one") == ("tests/test_a.py::test_one", 2), "what came back is its own"


def test_what_was_moved_is_known_by_what_it_asks_and_its_retired_tests_stay_so() -> None:
    text = "from a import f\n\n\ndef test_f():\n    assert f() == 1\n"
    here = "from b.a import f  # there\n\n\ndef test_f():\n    assert f() == 1\n"
    other = text.replace("== 1", "== 2")
    assert moved({"test_f.py": text}, {"x/test_g.py": here, "y/test_f.py": here}) == {
        "test_f.py": ("y/test_f.py", here)
    }
    assert (
        moved({"test_f.py": text, "test_g.py": "no Python ("}, {"x/test_f.py": other, "x/test_g.py": "no Python ("})
        == {}
    )
    plain = Ticket(0, "x", "x", "feature", (), {}, {}, {}, (), "plain")
    first = replace(plain, hidden={"test_f.py": text})
    then = replace(plain, number=1, retires=("test_f.py::test_f",))
    last = replace(plain, number=2, retires=("test_f.py",), moved={"test_f.py": ("y/test_f.py", here)})
    series = Mining("m", ("python3",), tickets=[first, then, ticket_of(json.loads(json.dumps(ticket_as_json(last))))])
    suite = suite_of(series, last, [0, 1], [*then.retires, *last.retires])
    assert suite.files == {"y/test_f.py": here} and not suite.holds("y/test_f.py::test_f")


@pytest.mark.parametrize(
    ("test", "named"),
    [
        ("open('shop/data/prices.csv')", ["shop/data/prices.csv"]),
        ("open('./prices.csv')", ["shop/data/prices.csv"]),
        ("Path(__file__).parent / '..' / 'data' / 'prices.csv'", ["shop/data/prices.csv"]),
        ("DATA = Path('shop', 'data')", ["shop/data/prices.csv"]),  # a folder without code
        ("Path('shop/data').glob('*.csv')", ["shop/data/prices.csv"]),
        ("open(f'data/{name}.csv')", ["shop/data/prices.csv"]),
        ("open(f'{name}.json')", ["shop/rates.json"]),
        ("open('shop/load.py'); Path('shop'); '''prices.csv is read.'''; '*'; ''; b'prices.csv'; 'old/prices.csv'", []),
        ("this is no Python: 'prices.csv'", []),
    ],
)
def test_tests_name_what_they_read_by_file_path_pattern_or_a_folder_without_code(test: str, named: list[str]) -> None:
    tree = dict.fromkeys(["shop/load.py", "shop/rates.json", "shop/data/prices.csv"], "")
    assert named_by([test], tree, tree) == named


def test_a_link_is_what_it_leads_to_and_a_long_file_is_told_in_part() -> None:
    tree: dict[str, str | bytes] = {"data/a.csv": "1\n", "x": Link(b"x")}
    tree |= {"now.csv": Link(b"data/then.csv"), "data/then.csv": Link(b"a.csv")}
    assert resolved(tree, "now.csv") == "1\n" and resolved(tree, "x") is None and resolved(tree, "y") is None
    told = told_of({"a": "1\n" * 5000, "b": "", "c": "2\n" * 5000})
    assert "- a, the first 1,500 of 10,000 characters:" in told and "\n- b\n" in told and len(told) < 10_000


def test_why_a_commit_is_no_ticket_is_whole_words_of_what_went_wrong_where() -> None:
    report = (
        "ImportError while importing test module '/work/tests/test_m.py'.\nHint: make sure\nE   ImportError: no MRU\n"
    )
    assert in_short(report, "tests/test_m.py") == "tests/test_m.py: ImportError: no MRU"
    assert in_short("tests/test_m.py::test_x\nis 3 and not 4", "tests/test_m.py::test_x").endswith("is 3 and not 4")
    long = in_short(f"E   assert {'word ' * 100}")
    assert long.startswith("assert word") and long.endswith("word ...") and len(long) <= 204
    assert in_short("word " * 100).startswith("... word word")


def test_a_package_in_a_folder_is_mined_as_if_that_were_all_and_is_found_where_it_is_not_named(
    works: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours: Files = {"backend/pytest.ini": "[pytest]\n", "backend/app/m.py": A, "web/index.js": "1;\n"}
    theirs: Files = {"web/index.js": "2;\n"}
    more: Files = {"backend/app/m.py": B, "backend/tests/test_m.py": TEST_B, "backend2/x": ""}
    folder = repository(tmp_path / "r", [("Ours", ours), ("Theirs", theirs), ("More", more)])
    with History(folder, "./backend/") as history:
        commits = [history.commit(name) for name in history.main_line(None, None)]
        assert [one.subject for one in commits] == ["Ours", "More"]
        assert set(commits[-1].tree) == {"pytest.ini", "app/m.py", "tests/test_m.py"}
        assert history.files(commits[-1].tree)["app/m.py"] == B
    with History(folder / ".." / folder.name) as history:  # as `../r` is written
        assert history.configured(Pytest.configured_by) == ["backend"] and not history.configured(["no.ini"])
    with History(repository(tmp_path / "flat", [("Both", {"pytest.ini": "", "a/pytest.ini": ""})])) as history:
        assert history.configured(Pytest.configured_by) == [], "the top is one"
    out = tmp_path / "tickets"
    with pytest.raises(TaktError, match="a package lies in backend: name it by --root"):
        write(Mining("r", ("python3",), elsewhere=["backend"]), out)
    lacks = ended(Inspection(failed=("tests/test_m.py::?",), message="E   ModuleNotFoundError: No module named 'attr'"))
    rejected = [Rejected("1", "x", *lacks)]
    with pytest.raises(TaktError, match=r"1 fails after.*No module named 'attr'.*--python names"):
        write(Mining("r", ("python3",), rejected=rejected), out)
    for root, says in (
        ("..", "--root takes a folder"),
        ("/etc", "--root takes a folder"),
        ("none", "--root none is no"),
    ):
        assert main(["mine", str(folder), "--root", root, "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1 and not out.exists()


def test_the_python_of_takts_own_environment_is_said_to_be_that(
    works: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for python, says in ((sys.executable, "that Takt itself is installed in"), (str(tmp_path / "no"), "no Python")):
        assert main(["mine", str(tmp_path), "--python", python, "--out", str(tmp_path / "tickets")]) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1


def test_what_is_shown_in_a_sandbox_lies_at_no_path_that_goes_up(tmp_path: Path) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").symlink_to("/usr/bin/python3")
    (tmp_path / "link").symlink_to("venv/bin")
    there = str(tmp_path.resolve() / "venv/bin/python")
    assert str(lies_at(tmp_path / "venv/../venv/bin/python")) == there, "and a Python stays its environment's own"
    assert str(lies_at(tmp_path / "link/../bin/python")) == there, "what lies above a link, as the machine has it"
    assert str(lies_at(tmp_path / "link/python")) == str(tmp_path / "link/python")
    assert str(lies_at(tmp_path / "venv/..")) == str(tmp_path.resolve())


def test_the_health_of_the_code_is_of_code_and_of_no_test_by_whatever_name() -> None:
    paths = ["m.py", "check_m.py", "check_own.py", "fixtures.py", "test_usual.py", "data.txt", "tests/helper.py"]
    tree = {**dict.fromkeys(paths, ("f644", b"")), "l.py": ("l", b"m.py")}
    settings = {"pytest.ini": "[pytest]\npython_files = check_*.py\n"}
    suite = Suite({"check_m.py": "def test_m():\n    pass\n", "fixtures.py": ""}, {"check_m.py": 0}, settings)
    assert sources_of(tree, laid(suite, sealing=False)) == ["m.py"]


def test_in_a_folder_of_format_1_a_retired_test_holds_again_once_a_later_ticket_has_it_otherwise() -> None:
    test = "tests/test_m.py::test_x[1]"
    texts = ["def test_x():\n    assert 1\n", "", "def test_x():\n    assert 2\n", ""]
    about = {"kind": "feature", "level": "plain", "title": "", "text": "", "named": [], "settings": {}, "reference": {}}
    found = Mining("r", ("python3",))
    for number, text in enumerate(texts):
        hidden = {"tests/test_m.py": text} if text else {}
        again = (test,) if number == 2 else ()
        told = {**about, "number": number, "hidden": hidden, "again": again, "retires": [test] if number == 1 else []}
        found.tickets.append(ticket_of(ticket_as_json(ticket_of(told))))
    assert not suite_of(found, found.tickets[3], [0, 1], [test]).holds(test), "the older wording does not"
    assert suite_of(found, found.tickets[3], [0, 1, 2], [test]).holds(test)
    assert still_retired(found, [test], {"tests/test_m.py": 0}) == [test]
