"""What was changed for a ticket is read off the tree itself, whatever the agent's git says of it."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from series import code
from test_codedesk import Desk

from takt.contract.station import open_station
from takt.stations.codedesk import grading
from takt.stations.codedesk.changes import LEAST_SHOWN, MOST_SHOWN, Before, generated, hunks, mark_of
from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.repository import Repository, files_of
from takt.stations.codedesk.sandbox import Sandbox
from takt.stations.codedesk.terms import INSPECTED, RAN
from takt.stations.codedesk.trees import File


@pytest.fixture
def desk(tiny: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Whose inspections find every ticket wrong, without a look."""
    monkeypatch.setattr(grading, "inspect", lambda *_, **__: Inspection(failed=("one",)))
    station = open_station("codedesk", tickets=tiny, takt_s=60.0, prices="fixed")
    yield Desk(station)
    station.close()


HIDES = (
    "mkdir -p .git/info; echo '*.py -diff' > .git/info/attributes",
    "git update-index --skip-worktree pkg/m.py",
    "git config filter.f.clean 'sed s/CHEAT/harmless/'; echo '*.py filter=f' > .git/info/attributes",
    "cd pkg && git init -q . && cd .. && git rm -rq --cached pkg",
    "echo 'pkg/*' > .git/info/exclude; git rm -rq --cached pkg",
    "rm -rf .git; ln -s pkg .git",
    "git add -A; git commit -qm w; git update-ref refs/takt/last HEAD; git replace HEAD~1 HEAD",
)


def test_the_diff_of_a_ticket_cannot_be_hidden_by_git(desk: Desk) -> None:
    for number, line in enumerate(HIDES):
        desk.wait_until(60 * number + 1)
        wrong = {f"f{number + 1}": f"'CHEAT {number}'"}
        if number == 6:  # committed before the submission, as the agent's own work
            desk.call("write", path="pkg/m.py", text=code(number + 1, **wrong))
        desk.call("run", command=line)
        desk.call("write", path="pkg/m.py", text=code(number + 1, **wrong))
        desk.call("write", path="pkg/new.py", text=f"NEW = {number}\n")
        assert desk.call("submit", ticket=number)["reasons"] == ["wrong"]
        diff = desk.of(INSPECTED)[-1].data["diff"]
        assert f"+    return 'CHEAT {number}'" in diff and f"+NEW = {number}\n" in diff, (line, diff)
        assert number == 0 or f"-    return 'CHEAT {number - 1}'" in diff, "since the last inspection, no longer"


def test_what_tests_leave_behind_and_what_is_undone_is_no_change(desk: Desk) -> None:
    left = "mkdir -p pkg/__pycache__ .mypy_cache pkg.egg-info; touch pkg/__pycache__/m.pyc .mypy_cache/x .coverage"
    desk.call("run", command=f"python3 -m pytest -q; {left} pkg.egg-info/PKG-INFO")
    assert [event.data["touched"] for event in desk.of(RAN)] == [False]
    assert desk.call("submit", ticket=0)["reasons"] == ["no_change"]
    desk.wait_until(61)
    desk.call("write", path="README.md", text="Another.\n")
    desk.call("run", command="git checkout -q README.md; rm -rf .mypy_cache")
    assert desk.call("submit", ticket=1)["reasons"] == ["no_change"]
    desk.wait_until(121)
    desk.station.load(desk.station.save())
    desk.call("write", path="README.md", text="Another.\n")
    assert desk.call("submit", ticket=2)["reasons"] == ["wrong"]


@pytest.mark.parametrize(
    ("path", "is_so"),
    [
        ("a/__pycache__/b.pyc", True), (".pytest_cache/v/x", True), ("x.egg-info/PKG-INFO", True), (".coverage", True),
        (".coverage.host.12", True), ("htmlcov/index.html", True), ("a/.hypothesis/x", True), ("a.pyc", True),
        ("coverage.py", False), ("a/cache.py", False), ("pytest_cache/x", False), ("egg-info/x", False),
        ("htmlcov.py", False), (".coveragerc", False), ("build/x.py", False), ("a.py", False),
    ],
)  # fmt: skip
def test_what_is_generated_is_known_by_its_name(path: str, is_so: bool) -> None:
    assert generated(path) is is_so
    marks = {mark_of(files_of(tree)) for tree in ({"b": "1"}, {"b": "1", path: "x"})}
    assert (len(marks) == 1) is is_so


def test_a_diff_is_one_that_patch_applies(tmp_path: Path) -> None:
    rng = random.Random(7)
    for _ in range(40):
        old = [rng.choice("abcdef") for _ in range(rng.randrange(40))]
        new = [line for line in old if rng.random() > 0.1]
        for _ in range(rng.randrange(4)):
            new.insert(rng.randrange(len(new) + 1), rng.choice("abxyz"))
        if old == new:
            assert not list(hunks(old, new, [10_000]))
            continue
        before = tmp_path / "old"
        before.write_text("".join(f"{line}\n" for line in old))
        patch = "\n".join(["--- a/old", "+++ b/old", *hunks(old, new, [10_000 if rng.random() < 0.9 else 3]), ""])
        subprocess.run(["git", "apply", "--unidiff-zero", "-"], input=patch, text=True, cwd=tmp_path, check=True)
        after = before.read_text() if before.exists() else ""
        assert after == "".join(f"{line}\n" for line in new), patch


def changed(old: dict[str, File], new: dict[str, File | None]) -> str:
    """The diff of a repository in which these files were written."""
    repository = Repository(Sandbox(), old)
    repository.change(new)
    again = Before()
    again.restore(repository.before.state())
    assert again.diff(repository.tree) == repository.before.diff(repository.tree)
    return again.diff(repository.tree)


def test_every_file_that_changed_is_named_whatever_it_is() -> None:
    old = {**files_of({"a": "1\n", "b": "2", "same": "x", "d/e": "3\n", "big": "y" * (2 << 20)}), "l": ("l", b"a")}
    diff = changed(old, {
        "a": ("f755", b"1\n"), "b": ("f644", b"2\n"), "same": ("f644", b"y"), "d": ("f644", b"now a file\n"),
        "big": ("f644", b"z" * (2 << 20)), "l": ("l", b"b"), "bin": ("f644", b"\0\xff"), "e\nf": ("f644", b"new\n"),
        "x/.pytest_cache/v": ("f644", b""), "x/.pytest_cache/README.md": ("f644", b"# a page\n"), "gone": None,
        "x.egg-info/hidden.py": ("f644", b"code = 1\n"),
    })  # fmt: skip
    for wanted in (
        "--- a/a\n+++ b/a\n[a file of mode 644 became a file of mode 755]\n",
        "-2\n\\ No newline at end of file\n+2\n",
        "--- a/d/e\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-3\n",
        "--- /dev/null\n+++ b/d\n",
        "--- a/big\n+++ b/big\n[no text, or too large: 2,097,152 bytes, and 2,097,152 now]\n",
        "--- a/l\n+++ b/l\n[a link]\n",
        "--- /dev/null\n+++ b/bin\n[no text",
        '+++ b/"e\\nf"\n',
        "[generated: x/.pytest_cache/README.md, x/.pytest_cache/v]\n",
        "+code = 1\n",
    ):
        assert wanted in diff, (wanted, diff)
    assert "a page" not in diff
    repository = Repository(Sandbox(), old)
    repository.change({"same": ("f644", b"y")})
    repository.change({"same": ("f644", b"x"), "big": ("f644", b"")})
    repository.change({"big": old["big"]})
    assert repository.before.diff(repository.tree) == "", "changed and changed back"
    for number in range(3):
        repository.change({f"made/{number}": ("f644", b"")})
        repository.change({f"made/{number}": None})
    assert not [row for row in repository.before.state() if row[0].startswith("made/")], "it would grow without end"


def test_no_file_can_be_hidden_behind_many_or_long_ones() -> None:
    old = files_of({"z.py": "right\n"})
    many: dict[str, File | None] = {f"f{i:03}": ("f644", b"line\n" * 9000 + b"END\n") for i in range(100)}
    many |= {f"a/.git/hooks/{i}": ("f644", b"x\n" * 9000) for i in range(20)}
    cheat: dict[str, File | None] = {"z.py": ("f644", b"CHEAT\n"), "__pycache__/y.py": ("f644", b"HIDDEN\n")}
    diff = changed(old, {**many, **cheat})
    assert diff.startswith("--- a/z.py\n+++ b/z.py\n@@ -1,1 +1,1 @@\n-right\n+CHEAT\n")
    assert len(diff) < MOST_SHOWN + 9000 and diff.count("+END\n") == MOST_SHOWN // LEAST_SHOWN - 1
    assert "changed as well, too much to show: f079, f080" in diff and " more]" in diff
    few = changed(old, {**dict(list(many.items())[:5]), **cheat})
    assert "+HIDDEN" in few and few.count("+END\n") == 5 and "too much" not in few
