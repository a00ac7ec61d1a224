"""What `takt mine` takes for tests: by a repository's own settings and commands, by its files, doctests among them."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from histories import repository

from takt.cli import main
from takt.stations.codedesk.altering import asking
from takt.stations.codedesk.collecting import USUAL, Rules, rules_of
from takt.stations.codedesk.examples import altered_examples, docstrings, node_of
from takt.stations.codedesk.inspection import inspect
from takt.stations.codedesk.mining.runner import Pytest
from takt.stations.codedesk.repository import files_of
from takt.stations.codedesk.sandbox import Sandbox
from takt.stations.codedesk.suites import suite_of
from takt.stations.codedesk.tickets import open_series, tree_before

CASES = "import unittest\n\n\nclass StackTest(unittest.TestCase):\n    def testPush(self): ...\n"
UNITTEST = "commands = python -m unittest discover"
ASKED = '[tool.pytest.ini_options]\naddopts = ["--doctest-glob=docs/*.rst"]\n'
TOX = "[testenv]\ncommands =\n    pytest --doctest-modules --doctest-glob=*.md \\\n        pkg\n"
BY_NAME = "deps = pytest -r ci/requirements.txt\ncommands = pytest docs/a.rst ./README.md\n"
SUITE = "import doctest, a\nunittest.TestSuite(doctest.DocTestSuite(a))\n"
PLAIN = "def test_it(): ...\n"


@pytest.mark.parametrize(
    ("tree", "tests"),
    [
        ({"test/stack_tests.py": CASES, "test/__init__.py": ""}, {"test/stack_tests.py"}),
        ({"tests.py": PLAIN, "pkg/latest.py": PLAIN, "pkg/testing.py": "def testing(): ...\n"}, {"tests.py"}),
        ({"pkg/attest.py": CASES, "stacktest.py": CASES, "pkg/stack.py": CASES}, {"pkg/attest.py", "stacktest.py"}),
        ({"tests/all.py": CASES, "tests/own.py": f"{CASES}\nunittest.main()\n"}, {"tests/own.py"}),
        ({"tests/check.py": CASES, "tox.ini": f"{UNITTEST} -s tests -p 'ch*.py'\n"}, {"tests/check.py"}),
        ({"tests/run.py": PLAIN, "Makefile": "test:\n\tpython3 -m pytest -q tests/run.py\n"}, {"tests/run.py"}),
        ({"tests/run.py": PLAIN, ".github/workflows/ci.yml": "- run: coverage run tests/run.py\n"}, {"tests/run.py"}),
        ({"tests.py": PLAIN, "test_a.py": PLAIN, "pytest.ini": "[pytest]\npython_files = test_*.py\n"}, {"test_a.py"}),
        ({"tests/data/broken_tests.py": "def (", "tests/conftest.py": PLAIN, "setup.py": CASES}, set()),
    ],
)  # fmt: skip
def test_files_of_tests_are_those_that_settings_commands_or_their_cases_say(
    tree: dict[str, str], tests: set[str]
) -> None:
    runner = Pytest().of(tree)
    assert {path for path, text in tree.items() if runner.is_test(path, text)} == tests
    rules = rules_of(runner.settings(tree)["pytest.ini"])
    assert {path for path, text in tree.items() if rules.has_tests(path, text)} == tests, "inspections do the same"


@pytest.mark.parametrize(
    ("tree", "texts", "modules"),
    [
        ({}, {"tests/test_a.txt"}, False),
        ({"pytest.ini": "[pytest]\naddopts = --doctest-modules -q\n"}, {"tests/test_a.txt"}, True),
        ({"setup.cfg": "[tool:pytest]\naddopts = --doctest-glob '*.md'\n"}, {"README.md"}, False),
        ({"pyproject.toml": ASKED}, {"docs/a.rst"}, False),
        ({"tox.ini": TOX}, {"README.md"}, True),
        ({".github/workflows/t.yml": "- run: python -m doctest pkg/a.py\n"}, {"tests/test_a.txt"}, True),
        ({"Makefile": "test:\n\tpython3 -m doctest -v README.md\n"}, {"README.md"}, False),
        ({"tox.ini": BY_NAME}, {"README.md", "docs/a.rst"}, False),
        ({"test_docs.py": "import doctest\nX = doctest.DocFileSuite('../docs/a.rst')\n"}, {"docs/a.rst"}, False),
        ({"test_docs.py": SUITE}, {"tests/test_a.txt"}, True),
    ],
)  # fmt: skip
def test_doctests_are_those_that_settings_or_commands_ask_for(
    tree: dict[str, str], texts: set[str], modules: bool
) -> None:
    runner = Pytest().of(tree)
    among = ("README.md", "docs/a.rst", "tests/test_a.txt", "notes.txt")
    assert {path for path in among if runner.is_test(path, ">>> 1\n1\n")} == texts
    assert not any(runner.is_test(path, "no example") for path in among) and runner.docstrings is modules
    rules = rules_of(runner.settings(tree)["pytest.ini"])
    assert {path for path in among if rules.has_tests(path, ">>> 1\n1\n")} == texts


def test_what_plugins_are_told_on_the_command_line_stands_in_the_settings() -> None:
    tree = {"setup.cfg": "[tool:pytest]\naddopts = -q --asyncio-mode=auto --ds app.settings --cov=pkg -n 4\n"}
    said = Pytest().of(tree).settings(tree)["pytest.ini"].splitlines()
    assert said == ["[pytest]", "asyncio_mode = auto", "DJANGO_SETTINGS_MODULE = app.settings"]


@pytest.mark.parametrize(
    "filters",
    [
        "\n  error\n  ignore:x:no_such.Warning\n",
        ["error", "ignore:x:no_such.Warning"],
        "error\nignore:x:no_such.Warning",
    ],
)
def test_a_word_of_pytests_on_settings_is_no_error_where_warnings_are(filters: Any, tmp_path: Path) -> None:
    """What is installed today says such words of yesterday's settings, and then no test could be run."""
    text = f"filterwarnings = {filters!r}" if isinstance(filters, list) else f"filterwarnings = '''{filters}'''"
    runner = Pytest().of(tree := {"pyproject.toml": f"[tool.pytest.ini_options]\n{text}\n"})
    said = runner.settings(tree)["pytest.ini"].split("\n    ")
    assert said[1:3] == ["error", "ignore::pytest.PytestDeprecationWarning"] and "no_such" in said[-1]
    (tmp_path / "pytest.ini").write_text(runner.settings(tree)["pytest.ini"])
    (tmp_path / "test_a.py").write_text("import warnings\n\ndef test_a():\n    warnings.warn('x')\n")
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert "1 failed" in ran.stdout and "UserWarning: x" in ran.stdout


CODE = '''"""Words.

>>> plural("cat")
'cats'
"""


def plural(w):
    """The plural."""
    return w + "s"


class Word:
    """
    A word.

        >>> Word("a").title()
        'A'
    """

    def __init__(self, w):
        self.w = w

    def title(self):
        """>>> Word("b").title()
        'B'
        """
        return self.w.title()
'''


def test_examples_of_docstrings_are_texts_that_run_by_the_modules_names_and_fail_where_one_answer_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = docstrings("src/tk_words/__init__.py", CODE)
    assert [path.removeprefix(".takt-docstrings/tk_words/") for path in found] == [
        "-.txt",
        "Word.txt",
        "Word.title.txt",
    ]
    (tmp_path / "tk_words.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))

    def failed(text: str) -> int:
        test = doctest.DocTestParser().get_doctest(text, {}, "a", None, 0)
        return doctest.DocTestRunner(verbose=False).run(test, out=lambda said: None).failed

    for path, text in found.items():
        assert USUAL.has_tests(path, text) and not failed(text)
        for seed in range(5):
            assert failed(altered_examples(text, Random(seed))) == 1
    assert docstrings("a.py", "x = '>>> '\n") == docstrings("a.py", "def (  # >>> \n") == {}
    for asks_nothing in (
        "no example",
        ">>> x = 1\n",
        ">>> 1/0\nTraceback (most recent call last):\nZeroDivisionError\n",
    ):
        assert altered_examples(asks_nothing, Random(0)) == asks_nothing


def test_a_text_with_doctests_is_altered_in_one_of_two_runs_unless_it_was_shown() -> None:
    files = {"tests/words.md": "# Words\n>>> 1 + 1\n2\n", "tests/data.md": "no example\n"}
    rules = Rules(texts=("*.md",))
    halves = asking(files, {}, rules)
    assert sorted(len(changed) for _, changed in halves) == [0, 1]
    (other,) = [new for new, changed in halves if changed == {node_of("tests/words.md")}]
    assert other["tests/words.md"].startswith("# Words\n>>> 1 + 1\n2 ") and other["tests/data.md"] == "no example\n"
    for shown in (files["tests/words.md"], ("f644", files["tests/words.md"].encode())):
        assert asking(files, {"tests/words.md": shown}, rules) == [(files, frozenset())] * 2


TITLE = '\n\ndef title(w):\n    """>>> title("a b")\n    \'A B\'\n    """\n    return w.title()\n'
CHECK = (
    "import unittest\nfrom words import title\n\n\nclass T(unittest.TestCase):\n"
    "    def test_title(self):\n        self.assertEqual(title('x'), 'X')\n"
)
HISTORY: Any = [
    ("Begin", {"words.py": CODE, "tox.ini": TOX, "load.py": ""}),
    (
        "Add title",
        {
            "words.py": CODE + TITLE,
            "docs/words.md": "Titles:\n\n>>> from words import title\n>>> title('dog')\n'Dog'\n",
            "check/word_tests.py": CHECK,
            "check/test_np.py": "import no_such_package\n\n\ndef test_np():\n    assert no_such_package\n",
        },
    ),
    ("Load tests", {"load.py": "1\n", "check/all.py": "def load_tests(loader, tests, pattern):\n    return tests\n"}),
]


def test_docstrings_texts_and_cases_of_any_name_are_the_hidden_tests_of_a_ticket_and_a_patched_doctest_is_tampering(
    works: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["takt.stations.codedesk.mining.owning"], "RUNS", 1)
    out = tmp_path / "tickets"
    assert not main(["mine", str(repository(tmp_path / "r", HISTORY)), "--out", str(out)])
    said = capsys.readouterr()
    assert "1 tickets of 3 commits" in said.out and "1 tests, or whole files, of tickets' own are left out" in said.out
    assert "a ticket, without 1 of its tests (check/test_np.py ...): Add title" in said.err
    assert json.loads((out / "rejected.json").read_text())["left_out"] == {"0": ["check/test_np.py"]}
    assert "load_tests in check/all.py" in (out / "rejected.json").read_text()
    series = open_series(str(out), "plain", 0)
    ticket = series.ticket(0)
    assert {name.partition("::")[0] for name, owner in (ticket.owners or {}).items() if owner == 0} == {
        ".takt-docstrings/words/title.txt", "docs/words.md", "check/word_tests.py",
    }  # fmt: skip
    right = tree_before(series, 1)
    cheats = (
        "\nimport doctest\ndoctest.OutputChecker.check_output = lambda *a: True\n"
        "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\ndef title(w): return 0\n"
    )
    tree = files_of({**right, "words.py": str(right["words.py"]) + cheats})
    seen = inspect(Sandbox(), tree, suite_of(series, ticket, [], []), ticket, series, solution=lambda: files_of(right))
    assert seen.tampered and not seen.own_pass
