"""What pytest takes for a test: files, classes and functions, as the settings of a repository have it
(`python_files`, `python_functions`; docs.pytest.org, "Changing naming conventions").
"""

from __future__ import annotations

import ast
import configparser
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from takt.stations.codedesk.trees import parsed

Function = ast.FunctionDef | ast.AsyncFunctionDef
EXAMPLE = ">>> "  # as a doctest begins
DOCSTRINGS = ".takt-docstrings/"  # where the examples of docstrings are laid (`examples.py`)
UNITTEST = "test"  # how unittest's own tests begin, whatever the settings say


@dataclass(frozen=True)
class Written:
    """A test of a file: its name as in a node id (`test_x`, `TestA::test_x`), and where it stands."""

    name: str
    node: Function
    inside: ast.ClassDef | None = None


@dataclass(frozen=True)
class Rules:
    """Patterns of what is a test; those of pytest itself unless settings have others."""

    files: tuple[str, ...] = ("test_*.py", "*_test.py")
    functions: tuple[str, ...] = ("test",)
    texts: tuple[str, ...] = ("test*.txt", f"{DOCSTRINGS}*")  # of files that may have doctests

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Rules:
        """From pytest's options, texts or lists; what they do not say is as usual."""
        asked = {name: words(options[name]) for name in ("python_files", "python_functions") if name in options}
        texts = tuple(doctest_globs(words(options.get("addopts", ()))))
        return cls(
            asked.get("python_files", cls.files),
            asked.get("python_functions", cls.functions),
            (*texts, f"{DOCSTRINGS}*") if texts else cls.texts,
        )

    def is_file(self, path: str) -> bool:
        """Whether a file is one of tests, or a text that may have doctests: its name, or its path where a pattern has a
        slash, is like one."""
        name, patterns = PurePosixPath(path).name, self.files if path.endswith(".py") else self.texts
        return any(fnmatch(path if "/" in one else name, one) for one in patterns)

    def has_tests(self, path: str, text: str | bytes) -> bool:
        """Whether a file is one that pytest is asked to run: of a text with doctests, that it has some."""
        return self.is_file(path) and (path.endswith(".py") or (isinstance(text, str) and EXAMPLE in text))

    def is_function(self, name: str) -> bool:
        """Whether a function of a file of tests is one: as one pattern begins, or as one that has wildcards."""
        return any(_fits(name, one) for one in self.functions)

    def named(self, words: str, beside: Sequence[str]) -> str:
        """A name made of these words that is a test's, after the fashion of those beside; "" if none can be made."""
        made = {one: _made(one, words) for one in self.functions}
        made = {one: name for one, name in made.items() if words in name and name.isidentifier() and _fits(name, one)}
        alike = max(made, key=lambda one: sum(_fits(name, one) for name in beside), default="")
        return made.get(alike, "")

    def tests(self, text: str | bytes) -> list[Written]:
        """The tests of a file, of those whose names are bound once; [] where it is no Python."""
        try:
            body = parsed(text).body
        except (SyntaxError, ValueError, RecursionError):
            return []
        found = [Written(one.name, one) for one in _functions(body) if self.is_function(one.name)]
        for one in body:
            if isinstance(one, ast.ClassDef):
                also = one.bases and UNITTEST  # of which it may be a case
                found += [
                    Written(f"{one.name}::{inner.name}", inner, one)
                    for inner in _functions(one.body)
                    if self.is_function(inner.name) or (also and inner.name.startswith(also))
                ]
        names = [one.name for one in found]
        return [one for one in found if names.count(one.name) == 1]


USUAL = Rules()
FOLDERS = ("test", "tests", "testing")


def for_tests(path: str, rules: Rules = USUAL) -> bool:
    """Whether a file is there for tests alone: one of tests, as these settings or pytest itself have it, what they
    share, or anything in a folder of theirs."""
    parts = PurePosixPath(path).parts
    tests = rules.is_file(path) or USUAL.is_file(path) or parts[-1] == "conftest.py"
    return tests or any(part in FOLDERS for part in parts[:-1])


@lru_cache(maxsize=64)
def rules_of(ini: str) -> Rules:
    """The rules of a pytest.ini."""
    return Rules.of(section(ini, "pytest"))


def section(text: str, name: str) -> dict[str, str]:
    """A section of an ini file; {} where there is none, or the file is none."""
    read = configparser.RawConfigParser()
    try:
        read.read_string(text)
        return dict(read[name]) if read.has_section(name) else {}
    except configparser.Error:
        return {}


def words(value: Any) -> tuple[str, ...]:
    """What an option lists, as pytest reads a text (`shlex`), or a list as it is."""
    if not isinstance(value, str):
        return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else ()
    try:
        return tuple(shlex.split(value))
    except ValueError:
        return tuple(value.split())


def doctest_globs(options: Sequence[str]) -> Iterator[str]:
    """Patterns of `--doctest-glob` among pytest's options."""
    for place, one in enumerate(options):
        name, equals, value = one.partition("=")
        if name == "--doctest-glob" and (value or options[place + 1 :]):
            yield value if equals else options[place + 1]


def _fits(name: str, pattern: str) -> bool:
    return name.startswith(pattern) or (any(one in pattern for one in "*?[") and fnmatch(name, pattern))


def _made(pattern: str, words: str) -> str:
    """Words in the place of a pattern's wildcards, or behind it."""
    if not any(one in pattern for one in "*?["):
        return f"{pattern.rstrip('_')}_{words}" if pattern else words
    before, star, after = re.sub(r"\[([^!\]])[^\]]*\]", r"\1", pattern).replace("?", "x").partition("*")
    joined = "_" if before and not before.endswith("_") else ""
    return f"{before}{joined}{words if star else ''}{after.replace('*', '')}"


def _functions(body: Sequence[ast.stmt]) -> Iterator[Function]:
    for one in body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield one
