"""Which files of a tree are tests, and how they are configured. pytest so far; another runner has this interface."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any, Protocol

from takt.stations.codedesk.collecting import USUAL, Rules, doctest_globs, for_tests, section, words
from takt.stations.codedesk.mining.said import Said, said_in, wants
from takt.stations.codedesk.trees import source_text

Tree = Mapping[str, str | bytes]
LINE = "\n    "
MODULES = "--doctest-modules"
AS_INI = {"--asyncio-mode": "asyncio_mode", "--ds": "DJANGO_SETTINGS_MODULE"}  # without which plugins run no test
PYTESTS = ("ignore::pytest.PytestDeprecationWarning", "ignore::pytest.PytestConfigWarning")
LEFT_OUT = ("addopts", "testpaths", "cache_dir", "minversion", "required_plugins")


class Runner(Protocol):
    """What mining must know of a test runner."""

    name: str
    configured_by: tuple[str, ...]  # files that may say how

    docstrings: bool  # whether examples in the docstrings of code are tests

    def wants(self, path: str) -> bool:
        """Whether `of` looks into a file."""
        ...

    def of(self, tree: Tree) -> Runner:
        """This runner, as a tree configures it and runs its tests."""
        ...

    def is_test(self, path: str, text: str | bytes | None = None) -> bool:
        """Whether a file may have tests; whether it has, by its text."""
        ...

    def belongs(self, path: str) -> bool:
        """Whether a file is there for tests only: a test, data, a module that tests share."""
        ...

    def settings(self, tree: Tree) -> dict[str, str]:
        """The tests' configuration, path -> text; what `inspection` lays over a tree."""
        ...


class Pytest:
    """pytest, with its configuration from wherever it may stand."""

    name = "pytest"
    configured_by: tuple[str, ...] = (
        "pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg",
    )  # fmt: skip

    def __init__(self, rules: Rules = USUAL, docstrings: bool = False, also: Said | None = None) -> None:
        self.rules, self.docstrings, self.also = rules, docstrings, also or Said()

    def wants(self, path: str) -> bool:
        return path in self.configured_by or wants(path)

    def of(self, tree: Tree) -> Pytest:
        options = dict(self._options(tree))
        said = said_in(tree, Rules.of(options), "python_files" in options)
        options["addopts"] = [*words(options.get("addopts", ())), *(f"--doctest-glob={one}" for one in said.texts)]
        rules = Rules.of(options)
        docstrings = said.modules or MODULES in options["addopts"]
        return Pytest(replace(rules, files=(*rules.files, *said.files)), docstrings, said)

    def is_test(self, path: str, text: str | bytes | None = None) -> bool:
        return self.rules.is_file(path) if text is None else self.rules.has_tests(path, text)

    def belongs(self, path: str) -> bool:
        return for_tests(path, self.rules)

    def settings(self, tree: Tree) -> dict[str, str]:
        found = {
            path: text
            for path, file in tree.items()
            if PurePosixPath(path).name == "conftest.py" and isinstance(text := source_text(file), str)
        }
        found["pytest.ini"] = self._ini(tree)
        return found

    def _ini(self, tree: Tree) -> str:
        """The options as one file has them, but for those that say what to run, or refuse to; and what of that is said
        elsewhere."""
        options = self._options(tree)
        kept = {key: value for key, value in options.items() if key not in LEFT_OUT}
        kept |= {AS_INI[name]: value for name, value in _given(words(options.get("addopts", ()))) if name in AS_INI}
        if "filterwarnings" in kept:
            kept["filterwarnings"] = [*_without_pytests(kept["filterwarnings"])]
        if self.also.files:
            kept["python_files"] = [shlex.quote(one) for one in self.rules.files]
        if globs := [*doctest_globs(words(options.get("addopts", ()))), *self.also.texts]:
            kept["addopts"] = " ".join(f"--doctest-glob={shlex.quote(one)}" for one in dict.fromkeys(globs))
        lines = [f"{key} = {_value(value)}" for key, value in kept.items()]
        return "\n".join(["[pytest]", *lines]) + "\n"

    @classmethod
    def _options(cls, tree: Tree) -> Mapping[str, Any]:
        """pytest's options, in its own order: a file of its own decides even where it has none, of the others the first
        that has some. `pytest.toml` and `[tool.pytest]` are pytest 9's."""
        for name in cls.configured_by:
            text = tree.get(name)
            if not isinstance(text, str):
                continue
            own = name.removeprefix(".").startswith("pytest.")
            try:
                if name.endswith(".toml"):
                    told = tomllib.loads(text)
                    told = told if own else told.get("tool", {})
                    found = {key: value for key, value in told.get("pytest", {}).items() if key != "ini_options"}
                    options = found or told.get("pytest", {}).get("ini_options", {})
                else:
                    options = section(text, "tool:pytest" if name == "setup.cfg" else "pytest")
            except (tomllib.TOMLDecodeError, AttributeError):
                options = {}
            if options or own:
                return options
        return {}


def _given(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with a value, `--name=value` or `--name value`."""
    for one, following in zip_longest(options, options[1:], fillvalue=""):
        name, equals, value = one.partition("=")
        yield name, value if equals else following


def _without_pytests(filters: Any) -> Iterator[str]:
    """Filters of warnings by which no word of pytest's or a plugin's on settings is an error: a history is run by what
    is installed today. They stand behind what they are an exception of; of several that fit, the last one holds."""
    for line in filters.splitlines() if isinstance(filters, str) else map(str, filters):
        if one := line.strip():
            yield one
            yield from PYTESTS if one.partition(":")[0].strip() == "error" else ()


def _value(value: Any) -> str:
    if isinstance(value, list):
        return LINE + LINE.join(str(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return LINE.join(str(value).splitlines())
