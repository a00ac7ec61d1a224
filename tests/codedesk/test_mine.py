"""`takt mine`: which commits become tickets, what an agent gets to see, and that a repository runs nothing here."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from takt.cli import main
from takt.errors import TaktError
from takt.shift import run_shift
from takt.stations.codedesk.collecting import USUAL
from takt.stations.codedesk.mining.history import History, as_said
from takt.stations.codedesk.mining.reading import named_by
from takt.stations.codedesk.mining.runner import Pytest
from takt.stations.codedesk.mining.telling import changed_names, imports_of, kind_of, public_names, text_of, title_of
from takt.stations.codedesk.tickets import open_series, tree_before
from takt.stations.codedesk.trees import source_text

ADD = "def add(a, b):\n    return a + b\n"
SUB = ADD + "\n\ndef sub(a, b):\n    return a - b\n"
MUL = SUB + "\n\ndef mul(a, b):\n    return a * b\n"
DIV = MUL + "\n\ndef div(a, b):\n    return a / b\n"
FLAKY = "import os, pytest\nfrom sums import div\n\n@pytest.mark.parametrize('n', range(14))\ndef test_it(n):\n    " + (
    "assert div(6, 3) == 2 and os.urandom(1)[0] < 128\n"
)


def checks(*lines: str) -> str:
    return "import sums\n\n\ndef test_all():\n" + "".join(f"    assert {line}\n" for line in lines)


TWO = checks("sums.add(1, 2) == 3", "sums.sub(3, 2) == 1")
LATIN = "# -*- coding: latin-1 -*-\nNAME = '\u00e9'\n" + TWO + "    assert NAME == chr(233)\n"
LAST = DIV + "\n\nONE = 1\n"
MERGE = "Merge pull request #12 from a/side"
HISTORY: list[tuple[str, dict[str, str | None]]] = [
    ("Begin", {"sums.py": ADD, "tests/test_sums.py": checks("sums.add(1, 2) == 3"), "docs/t.py": "def {{ x }}(:\n"}),
    ("Say what it is", {"README": "Sums.\n"}),
    ("Add sub\n\nIt is what add undoes, h\u00e9.", {"sums.py": SUB, "tests/test_sums.py": LATIN}),
    ("More tests", {"tests/test_more.py": checks("sums.sub(1, 1) == 0")}),
    ("Add mul, without a test", {"sums.py": MUL}),
    ("Test what is wrong", {"note.py": "", "tests/test_wrong.py": checks("sums.mul(2, 2) == 5")}),
    ("Test by luck", {"sums.py": DIV, "tests/test_wrong.py": None, "tests/test_luck.py": FLAKY}),
    (
        MERGE,  # of one commit, "Fix the test of div"
        {
            "sums.py": LAST,
            "tests/test_luck.py": None,
            "tests/test_one.py": checks("sums.ONE == 1", "sums.mul(2, 3) == 6"),
        },
    ),
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose configuration would run a program wherever git looks at it."""
    folder = tmp_path_factory.mktemp("mined") / "sums"
    folder.mkdir()

    def git(*words: str) -> None:
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=folder,
            check=True,
            capture_output=True,
            env=env,
        )

    git("init", "-q", "-b", "main")
    said = folder.parent / "said"
    for message, files in HISTORY:
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            if text is None:
                (folder / path).unlink()
            else:
                (folder / path).write_bytes(text.encode("latin-1"))
        git("add", "-A")
        if message == MERGE:
            git("checkout", "-q", "-b", "side")
            git("commit", "-q", "-m", "Fix the test of div")
            git("checkout", "-q", "main")
            git("merge", "-q", "--no-ff", "side", "-m", MERGE)
        else:
            said.write_bytes(message.encode("latin-1"))
            git("-c", "i18n.commitEncoding=latin-1", "commit", "-q", "-F", str(said))
    trap = folder.parent / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {folder.parent}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.editor", "diff.external", "core.sshCommand"):
        git("config", key, str(trap))
    hooks = folder / ".git" / "hooks"
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction"):
        (hooks / name).write_text(trap.read_text())
        (hooks / name).chmod(0o755)
    return folder


def test_a_commit_is_a_ticket_if_its_tests_fail_before_and_pass_after(
    repository: Path, tmp_path: Path, works: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tickets"
    assert main(["mine", str(repository), "--since", "HEAD~6", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    rejected = {one["subject"]: one["reason"] for one in json.loads((out / "rejected.json").read_text())["rejected"]}
    assert rejected == {
        "More tests": "tests only",
        "Add mul, without a test": "no test",
        "Test what is wrong": "fails after",
        "Test by luck": "flaky",  # 14 tests that pass in 1 of 2 runs: that it is not seen has a chance of 1 in 8,000
    }
    assert said["tickets"] == 2 and said["commits"] == 6 and sum(said["rejected"].values()) == 4
    assert not (repository.parent / "sprung").exists(), "something of the repository ran on this machine"
    series = open_series(str(out), "plain", 0)
    second, third = series.ticket(0), series.ticket(1)
    assert series.base() == {
        "README": "Sums.\n",
        "docs/t.py": "def {{ x }}(:\n",
        "sums.py": ADD,
        "tests/test_sums.py": HISTORY[0][1]["tests/test_sums.py"],
    }
    assert second.title == "Add sub" and second.text.startswith("It is what add undoes, h\u00e9.")
    assert "sums.sub(a, b)" in second.text and "Add sub" not in second.text
    assert "sums.sub" in second.named
    assert second.hidden == {"tests/test_sums.py": LATIN.replace("latin-1", "utf-8")}, "text, whatever its encoding"
    assert second.reference["tests/test_sums.py"] == LATIN.encode("latin-1")
    assert third.title == "Fix the test of div" and "Merge pull" not in third.text
    assert third.kind == "defect" and "- Add mul, without a test" in third.text and "sums.mul(a, b)" in third.text
    assert tree_before(series, 2)["sums.py"] == HISTORY[-1][1]["sums.py"], "the reference's tree is the commit's own"
    shown = "".join(str(text) for text in tree_before(series, 1).values())
    assert "mul" not in shown and "ONE" not in shown, "nothing of what comes later is in the tree"
    with pytest.raises(IndexError):
        series.ticket(2)


def test_what_cannot_be_mined_is_one_line_and_nothing_is_written(
    repository: Path,
    tmp_path: Path,
    works: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "tickets"
    for most, why in (("MOST_TREE", "0.0 MiB; 0.00019"), ("MOST_PACKED", "MiB, each file packed; 0.00019")):
        with monkeypatch.context() as smaller:
            smaller.setattr(f"takt.stations.codedesk.repository.{most}", 200)
            assert main(["mine", str(repository), "--since", "HEAD~4", "--out", str(out)]) == 2
            last = capsys.readouterr().err.splitlines()[-1]
            assert "too large (the tree would have" in last and why in last and not out.exists()
    for words, said in (
        ([str(tmp_path)], "no git repository"),
        ([str(repository), "--since", "HEAD"], "no commit since"),
        ([str(repository), "--since", "--output=x"], "--since takes a revision or a date"),
        ([str(repository), "--since", "v2.O"], "is no commit, branch or tag of this repository, and no date such as"),
        ([str(repository), "--since", "3000-01-01"], "lies in the future"),
        ([str(repository), "--python", "/no/such/python"], "no Python /no/such/python"),
        (
            [str(repository), "--since", "HEAD~4", "--most", "1", "--install", f"echo {'cut ' * 70}>&2; exit 3"],
            "1 does not install",
        ),
    ):
        assert main(["mine", *words, "--out", str(out)]) == 2
        told = capsys.readouterr()
        assert said in told.err.splitlines()[-1]
        assert not out.exists() and not list(tmp_path.iterdir())
    assert "does not install (... cut cut" in told.out + told.err, "a reason begins with a word"
    empty = tmp_path / "empty"
    subprocess.run(["git", "init", "-q", "-b", "main", str(empty)], check=True)
    for branch, says in (
        ("", "has no commit at its HEAD: nothing can be made"),
        ("side", "check out a branch, such as side"),
    ):
        if branch:
            subprocess.run(["git", "fetch", "-q", str(repository), f"main:{branch}"], cwd=empty, check=True)
        assert main(["mine", str(empty), "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1 and not out.exists()
    out.mkdir()
    assert main(["mine", str(repository), "--out", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_the_main_line_is_read_without_a_checkout(repository: Path, works: None) -> None:
    with History(repository) as history:
        commits = [history.commit(name) for name in history.main_line(None, 3)]
        assert history.merged(commits[-1]) == ["Fix the test of div"] and not history.merged(commits[0])
        assert [one.subject for one in commits] == [message.split("\n")[0] for message, _ in HISTORY[-3:]]
        assert history.files(commits[-1].tree)["sums.py"] == HISTORY[-1][1]["sums.py"]
        assert len(history.main_line("HEAD~2", None)) == 2
        assert len(history.main_line("2000-01-31", None)) == len(history.main_line(None, None)) == 8
        with pytest.raises(TaktError, match="git cannot read"):
            history.git("no-such-command")


def test_pytest_is_configured_from_wherever_a_repository_has_it() -> None:
    runner = Pytest()
    own = "[pytest]\nminversion = 99\nx = 1\n"
    assert runner.settings({"pytest.ini": own, "tox.ini": "[pytest]\ny = 1\n"})["pytest.ini"] == "[pytest]\nx = 1\n"
    assert runner.settings({".pytest.toml": "[pytest]\nx = 1\n"})["pytest.ini"] == "[pytest]\nx = 1\n"
    toml = '[tool.pytest.ini_options]\naddopts = "-n 4"\nxfail_strict = true\nmarkers = ["slow: takes long"]\n'
    assert runner.settings({"pyproject.toml": toml})["pytest.ini"] == (
        "[pytest]\nxfail_strict = true\nmarkers = \n    slow: takes long\n"
    )
    assert "xfail_strict = true" in runner.settings({"setup.cfg": "[tool:pytest]\nxfail_strict = true\n"})["pytest.ini"]
    assert runner.settings({"pyproject.toml": "[broken", "a/conftest.py": "x = 1"}) == {
        "a/conftest.py": "x = 1", "pytest.ini": "[pytest]\n",
    }  # fmt: skip
    assert runner.is_test("a/test_b.py") and runner.is_test("b_test.py") and not runner.is_test("a/tests.py")
    other = runner.of({"pyproject.toml": '[tool.pytest]\npython_files = ["check_*.py"]\n'})
    assert other.is_test("a/check_b.py") and not other.is_test("a/test_b.py")
    assert runner.belongs("tests/data.json") and not runner.belongs("src/testing.py")


def test_a_ticket_names_what_is_new_what_is_gone_and_what_its_tests_will_look_for() -> None:
    before = {"src/p/a.py": "def f(x): ...\ndef g(): ...\nclass C:\n    def m(self): ...\n"}
    after = {
        "src/p/a.py": "def f(x, y=1): ...\nclass C(int):\n    def m(self): ...\n    def n(self): ...\n"
        "def _h(): ...\nT = 1\n"
    }
    new, gone, other = changed_names(before, after)
    assert [name for name, _ in new] == ["p.a.C.n", "p.a.T"] and gone == ["p.a.g"]
    assert [shown for _, shown in other] == ["p.a.f(x, y=1) (was p.a.f(x))", "p.a.C(int) (was p.a.C)"]
    assert imports_of({"t.py": "from p.a import f, _h, T\nimport os\n"}, before, after) == ["p.a.T", "p.a._h"]
    assert text_of("Fix x", [], {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, {}, "Fix x")[0] == "Fix x\n"
    assert kind_of("Fix a crash\n\nand speed it up") == "defect" and kind_of("Add x\n\nThe fix of y.") == "defect"
    assert (
        kind_of("Make it faster") == "speed" and kind_of("Rename f") == "refactoring" and kind_of("Add x") == "feature"
    )


def test_a_root_is_where_a_series_begins_and_a_merge_is_told_by_what_it_merged(
    tmp_path: Path, works: None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "merged"
    folder.mkdir()

    def git(*words: str) -> None:
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        named = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run([*named, *words], cwd=folder, check=True, capture_output=True, env=env)

    git("init", "-q", "-b", "main")
    for number, branch in enumerate(("main", "side")):
        git("checkout", "-q", "-B", branch)
        (folder / f"test_{number}.py").write_text("def test_it():\n    pass\n")
        git("add", "-A")
        git("commit", "-q", "-m", f"Work {number}")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "side", "-m", "Merge pull request #7 from a/side\n\nThe other side")
    with History(folder) as history:
        last = history.commit(history.main_line(None, None)[-1])
        assert title_of(last.message, history.merged(last)) == "The other side"
    assert main(["mine", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert "1 the first commit, 1 tests only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("message", "merged", "title"),
    [
        ("Add x\n\nIt is needed.", [], "Add x"),
        ("Merge pull request #12 from x/y\n\nAdd x", ["Work", "More"], "Add x"),
        ("Merge pull request #12 from x/y", ["Fix it", "Add x"], "Add x (and 1 more)"),
        ("Merge branch 'side' into main\n\n# Conflicts:\n#\ta.py", ["Merge branch 'main' into side", "Add x"], "Add x"),
        ("Merge branch 'side' into 'main'\n\nAdd x\n\nSee merge request group/project!12", [], "Add x"),
        ("Merged in x/y (pull request #4)\n\nAdd x\n\nApproved-by: somebody", [], "Add x"),
        ("Merge remote-tracking branch 'origin/main'", [], ""),
        ("Merge pull request #1 from x/y\n\nMerge branch 'z'", [], ""),
        ("Merge two sorted lists without a copy", [], "Merge two sorted lists without a copy"),
        ("Merge sort into one function", [], "Merge sort into one function"),
        ("", [], ""),
    ],
)
def test_a_ticket_is_called_by_what_was_done_and_not_by_how_it_came_in(
    message: str, merged: list[str], title: str
) -> None:
    assert title_of(message, merged) == title
    text, _ = text_of(message, [one for one in merged if title_of(one)], {}, {}, {}, title)
    assert not title or text.count(title) == (text == f"{title}\n")
    assert "Conflicts" not in text and "erge pull" not in text and "merge request" not in text


def test_a_message_is_read_in_the_encoding_that_the_commit_names() -> None:
    assert as_said("h\u00e9".encode("latin-1"), b"tree 1\nencoding ISO-8859-1\nauthor a") == "h\u00e9"
    assert as_said("h\u00e9".encode(), b"tree 1\nauthor a") == "h\u00e9"
    for odd in (b"encoding no-such-thing", b"encoding \xff", b"encoding hex", b"encoding utf-16"):
        assert isinstance(as_said("h\u00e9".encode(), odd), str)


def test_a_python_file_of_another_encoding_is_text_as_python_reads_it() -> None:
    for head in (
        "# coding: latin-1\n",
        "#!/bin/python\n# -*- coding: iso-8859-1 -*-\n",
        "# vim: set fileencoding=cp1252 :\n",
    ):
        text = source_text((head + "x = '\u00e9'\n").encode("latin-1"))
        assert isinstance(text, str) and text.endswith("x = '\u00e9'\n") and "utf-8" in text
        names: dict[str, str] = {}
        exec(compile(text.encode(), "x.py", "exec"), names)
        assert names["x"] == "\u00e9"
    for marked in ("\ufeffdef test_f():\n    open('a.csv')\n", "\ufeffdef test_f():\n    open('a.csv')\n".encode()):
        text = source_text(marked)
        assert isinstance(text, str) and ast.parse(text), "as Windows' editors write it"
        assert [one.name for one in USUAL.tests(marked)] == ["test_f"] and public_names("m.py", marked)
        assert named_by([marked], ["a.csv"], {"a.csv": ""}) == ["a.csv"]
    for data in (b"\xff\xfe", b"x = '\xe9'\n", b"# coding: no-such\nx = '\xe9'\n"):
        assert source_text(data) == data
    assert source_text("# coding: latin-1\n") == "# coding: latin-1\n"


ODD = {
    "lib/p/__init__.py": "from p._version import V\n",
    "setup.cfg": "[options]\npackage_dir =\n    = lib\n",
    ".gitignore": "_version.py\n",
    "bin/hi": "#!/bin/sh\necho hi\n",
    "pytest.ini": "[pytest]\npython_files = check_*.py\npython_functions = check_* it\nminversion = 99\n",
    "tests/conftest.py": "import gettext, json, unittest\n\ngettext.install('p1')\n"
    "json.JSONEncoder.default = lambda self, value: str(value)\n"
    "unittest.TestCase.assertItemsEqual = unittest.TestCase.assertCountEqual\n",
}
ODD_TESTS = """\
import inspect, os, subprocess, unittest
import p

def test_of_another_name():
    raise NotImplementedError

def check_line():
    assert inspect.currentframe().f_lineno == 8 and p.f() == 1

class TestIt(unittest.TestCase):
    def test_parts(self):
        for one in range(3):
            with self.subTest(one=one):
                self.assertItemsEqual([1], [p.f()])

    @unittest.expectedFailure
    def test_two(self):
        self.assertEqual(p.f(), 2)

def it_runs():
    assert os.access("bin/hi", os.X_OK) and subprocess.check_output(["./hi"]) == b"hi\\n" and p.f() == int(p.V)
"""
AGENT = """git status --short --ignored; python3 -c 'import p; print("V", p.V)'; ls -l hi bin/hi
printf 'def f():\\n    return 1\\n' >> lib/p/__init__.py; python3 -m pytest -q tests/conftest.py # {ticket}"""


def test_what_ordinary_repositories_do_to_python_is_no_tampering_and_their_agent_has_what_the_tests_have(
    tmp_path: Path, works: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["takt.stations.codedesk.mining.owning"], "RUNS", 1)
    folder, out = tmp_path / "odd", str(tmp_path / "tickets")
    for path, text in ODD.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "bin/hi").chmod(0o755)
    (folder / "hi").symlink_to("bin/hi")
    (folder / "out").symlink_to("../../etc/passwd")
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["commit", "-qm", "Begin"],
        ["add", "-A"],
        ["commit", "-qm", "f"],
    ):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True)
        if words[-1] == "Begin":
            (folder / "lib/p/__init__.py").write_text(ODD["lib/p/__init__.py"] + "def f():\n    return 1\n")
            (folder / "tests/check_p.py").write_text(ODD_TESTS)
    assert not main(["mine", str(folder), "--out", out, "--install", "echo \"V = '1'\" > lib/p/_version.py"])
    assert "1 tickets of 2 commits" in capsys.readouterr().out
    series = open_series(out, "plain", 0)
    assert series.ticket(0).retires == () and "out" not in series.base() and "p.f" in series.ticket(0).named
    shift = run_shift(
        "codedesk", "command", units=1, station_options={"tickets": out}, worker_options={"command": AGENT}
    )
    (ran,) = [event.data["output"] for event in shift.events if event.kind == "ran"]
    assert "!! lib/p/_version.py" in ran and "V 1" in ran and "hi -> bin/hi" in ran and "-rwxr-xr-x" in ran
    assert [event.kind for event in shift.events if event.kind.startswith("unit_")] == ["unit_due", "unit_good"]
