"""What a repository says of its tests beside pytest's settings: in the commands that run them, and in the files.

pytest runs a file that is named to it whatever its name is. So what `python -m unittest discover -p`, a command that
names a file, or a file of unittest's cases itself says is one of tests here. Doctests are those that its commands ask
for (`--doctest-glob`, `--doctest-modules`, `python -m doctest`), or its tests make by `doctest.DocTestSuite`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

from takt.stations.codedesk.collecting import Rules

Tree = Mapping[str, str | bytes]
COMMANDS = (
    "tox.ini", "setup.cfg", "pyproject.toml", "noxfile.py", "Makefile", "makefile", "justfile", "Justfile", "tasks.py",
    "setup.py", "*.sh", "runtests*", ".travis.yml", ".gitlab-ci.yml", "azure-pipelines.yml", "appveyor.yml",
    ".appveyor.yml", ".circleci/config.yml", ".github/workflows/*.yml", ".github/workflows/*.yaml",
)  # fmt: skip
DISCOVER = re.compile(r"unittest[\"',\s]+discover\b[^\n;&|]*?(?:\s-p|--pattern)[\"',=\s]+([\w.*?\[\]!-]+)")
RUNS = re.compile(r"(?:pytest|py\.test|python[\d.]*|\{envpython\}|nosetests|trial|coverage run)\b([^\n;&|#]*)")
FILE = re.compile(r"(?:[\w.-]+/)*[\w-]+\.py\b")
GLOB = re.compile(r"--doctest-glob[\"',=\s]+([^\s\"']+)")
MODULES = re.compile(r"--doctest-modules\b|--with-doctest\b|-m\s+doctest\b[^\n;&|#]*\.py\b")
TEXTS = re.compile(r"(?:-m\s+doctest|pytest|py\.test)\b([^\n;&|#]*)")
TEXT = re.compile(r"(?<![\w./*-])(?![\w./-]*(?:requirements|constraints))[\w./*-]+\.(?:md|rst|txt)\b")
FILES = re.compile(r"\bDocFileSuite\(([^)]*)\)")
SUITES = re.compile(r"\bDocTestSuite\(|\bdoctest\.testmod\(")
WORD = re.compile(r"(^|[^a-z])tests?($|[^a-z])")  # in a file's name: `stack_tests`, `test2`, and not `latest`


@dataclass(frozen=True)
class Said:
    """Files that are tests, beside those that pytest finds; patterns of texts with doctests; whether the code's own
    docstrings are tests."""

    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    modules: bool = False


def wants(path: str) -> bool:
    """Whether `said_in` looks into a file."""
    return is_command(path) or (path.endswith(".py") and "test" in path.lower())


def is_command(path: str) -> bool:
    return any(fnmatch(path, one) for one in COMMANDS if ("/" in one) == ("/" in path))


def said_in(tree: Tree, rules: Rules, patterns: bool) -> Said:
    """What is said. With `patterns` pytest's settings name the files of tests: no others are looked for."""
    texts = {path: file for path, file in sorted(tree.items()) if isinstance(file, str)}
    commands = "\n".join(text.replace("\\\n", " ") for path, text in texts.items() if is_command(path))
    tests = [path for path in texts if path.endswith(".py") and rules.is_file(path)]
    modules = bool(MODULES.search(commands)) or any(SUITES.search(texts[path]) for path in tests)
    files = () if patterns else tuple(_files(texts, commands, rules))
    named = [one for words in TEXTS.findall(commands) for one in TEXT.findall(words)]
    named += [
        one.rpartition("/")[2] for path in tests for words in FILES.findall(texts[path]) for one in TEXT.findall(words)
    ]
    globs = [*GLOB.findall(commands), *(one.removeprefix("./") for one in named)]
    return Said(files, tuple(dict.fromkeys(globs)), modules)


def _files(texts: Mapping[str, str], commands: str, rules: Rules) -> Iterator[str]:
    found = tuple(one for one in DISCOVER.findall(commands) if one.endswith(".py"))
    named = {PurePosixPath(one).name for words in RUNS.findall(commands) for one in FILE.findall(words)}
    for path, text in texts.items():
        name = PurePosixPath(path).name
        if not path.endswith(".py") or rules.is_file(path) or name in ("conftest.py", "setup.py"):
            continue
        by_pattern = any(fnmatch(name, one) for one in found)
        kind = _kind(text, rules) if by_pattern or name in named or "test" in path.lower() else ""
        sure = by_pattern or name in named or WORD.search(PurePosixPath(name).stem.lower())
        if kind and (sure or (kind == "cases" and ("test" in name.lower() or "unittest.main(" in text))):
            yield path


def _kind(text: str, rules: Rules) -> str:
    """`cases`: a file has unittest's, with tests; `functions`: functions that are tests; "" if none."""
    found = rules.tests(text)
    bases = [ast.unparse(base) for one in found if one.inside is not None for base in one.inside.bases]
    if any(base.rpartition(".")[2].endswith(("TestCase", "TestBase")) for base in bases):
        return "cases"
    return "functions" if found else ""


def has_load_tests(text: str | bytes) -> bool:
    """Whether a file has tests that it hands to unittest itself (`load_tests`), which pytest does not ask for."""
    return isinstance(text, str) and re.search(r"^def load_tests\(", text, re.M) is not None
