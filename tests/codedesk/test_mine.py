"""`takt mine`: which commits become tickets, what an agent gets to see, and that a repository runs nothing here."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from takt.cli import main
from takt.errors import TaktError
from takt.stations.codedesk.mining.history import History
from takt.stations.codedesk.mining.runner import Pytest
from takt.stations.codedesk.mining.telling import changed_names, imports_of, kind_of
from takt.stations.codedesk.tickets import open_series, tree_before

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
LAST = DIV + "\n\nONE = 1\n"
HISTORY: list[tuple[str, dict[str, str | None]]] = [
    ("Begin", {"sums.py": ADD, "tests/test_sums.py": checks("sums.add(1, 2) == 3")}),
    ("Say what it is", {"README": "Sums.\n"}),
    ("Add sub\n\nIt is what add undoes.", {"sums.py": SUB, "tests/test_sums.py": TWO}),
    ("More tests", {"tests/test_more.py": checks("sums.sub(1, 1) == 0")}),
    ("Add mul, without a test", {"sums.py": MUL}),
    ("Test what is wrong", {"note.py": "", "tests/test_wrong.py": checks("sums.mul(2, 2) == 5")}),
    ("Test by luck", {"sums.py": DIV, "tests/test_wrong.py": None, "tests/test_luck.py": FLAKY}),
    (
        "Fix the test of div",
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
    for message, files in HISTORY:
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            if text is None:
                (folder / path).unlink()
            else:
                (folder / path).write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", message)
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
        "sums.py": ADD,
        "tests/test_sums.py": HISTORY[0][1]["tests/test_sums.py"],
    }
    assert second.text.startswith("Add sub\n\nIt is what add undoes.") and "sums.sub(a, b)" in second.text
    assert "sums.sub" in second.named and set(second.hidden) == {"tests/test_sums.py"}
    assert third.kind == "defect" and "- Add mul, without a test" in third.text and "sums.mul(a, b)" in third.text
    assert tree_before(series, 2)["sums.py"] == HISTORY[-1][1]["sums.py"], "the reference's tree is the commit's own"
    shown = "".join(str(text) for text in tree_before(series, 1).values())
    assert "mul" not in shown and "ONE" not in shown, "nothing of what comes later is in the tree"
    with pytest.raises(IndexError):
        series.ticket(2)


def test_what_cannot_be_mined_is_one_line_and_nothing_is_written(
    repository: Path, tmp_path: Path, works: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tickets"
    for words, said in (
        ([str(tmp_path)], "no git repository"),
        ([str(repository), "--since", "HEAD"], "no commit since"),
        ([str(repository), "--since", "--output=x"], "--since takes a revision or a date"),
        ([str(repository), "--python", "/no/such/python"], "no Python /no/such/python"),
        ([str(repository), "--since", "HEAD~4", "--most", "1", "--install", "exit 3"], "1 does not install"),
    ):
        assert main(["mine", *words, "--out", str(out)]) == 2
        assert said in capsys.readouterr().err.splitlines()[-1]
        assert not out.exists() and not list(tmp_path.iterdir())
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
        assert [one.subject for one in commits] == [message.split("\n")[0] for message, _ in HISTORY[-3:]]
        assert history.files(commits[-1].tree)["sums.py"] == HISTORY[-1][1]["sums.py"]
        assert len(history.main_line("HEAD~2", None)) == 2
        with pytest.raises(TaktError, match="git cannot read"):
            history.git("no-such-command")


def test_pytest_is_configured_from_wherever_a_repository_has_it() -> None:
    runner = Pytest()
    assert runner.settings({"pytest.ini": "[pytest]\nx = 1\n"})["pytest.ini"] == "[pytest]\nx = 1\n"
    toml = '[tool.pytest.ini_options]\naddopts = "-n 4"\nxfail_strict = true\nmarkers = ["slow: takes long"]\n'
    assert runner.settings({"pyproject.toml": toml})["pytest.ini"] == (
        "[pytest]\nxfail_strict = true\nmarkers = \n    slow: takes long\n"
    )
    assert "xfail_strict = true" in runner.settings({"setup.cfg": "[tool:pytest]\nxfail_strict = true\n"})["pytest.ini"]
    assert runner.settings({"pyproject.toml": "[broken", "a/conftest.py": "x = 1"}) == {
        "a/conftest.py": "x = 1", "pytest.ini": "[pytest]\n",
    }  # fmt: skip
    assert runner.is_test("a/test_b.py") and runner.is_test("b_test.py") and not runner.is_test("a/tests.py")
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
        assert last.subject == "The other side" and history.merged(last) == ["Work 1"]
    assert main(["mine", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert "1 the first commit, 1 tests only" in capsys.readouterr().err
