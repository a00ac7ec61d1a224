"""Which files of a tree are tests, and how they are configured. pytest so far; another runner has this interface."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Protocol

from takt.stations.codedesk.laying import USUAL_FILES, is_test
from takt.stations.codedesk.mining.history import source_text

Tree = Mapping[str, str | bytes]
LINE = "\n    "


class Runner(Protocol):
    """What mining must know of a test runner."""

    name: str
    configured_by: tuple[str, ...]  # files that may say how

    def of(self, tree: Tree) -> Runner:
        """This runner, as a tree configures it."""
        ...

    def is_test(self, path: str) -> bool:
        """Whether a file has tests."""
        ...

    def belongs(self, path: str) -> bool:
        """Whether a file is there for tests only: a test, data, a module that tests share."""
        ...

    def settings(self, tree: Tree) -> dict[str, str]:
        """The tests' configuration, path -> text; what `inspection` lays over a tree."""
        ...


class Pytest:
    """pytest, with its configuration from wherever it may stand. `also`: patterns of files that have tests."""

    name = "pytest"
    configured_by: tuple[str, ...] = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")

    def __init__(self, also: Sequence[str] = ()) -> None:
        self.patterns = (*USUAL_FILES, *also)

    def of(self, tree: Tree) -> Pytest:
        found = self._options(tree).get("python_files", "")
        return Pytest(str(found).split() if isinstance(found, str) else [str(one) for one in found])

    def is_test(self, path: str) -> bool:
        return is_test(path, self.patterns)

    def belongs(self, path: str) -> bool:
        parts = PurePosixPath(path).parts
        return (
            self.is_test(path)
            or parts[-1] == "conftest.py"
            or any(part in ("test", "tests", "testing") for part in parts[:-1])
        )

    def settings(self, tree: Tree) -> dict[str, str]:
        found = {
            path: text
            for path, file in tree.items()
            if PurePosixPath(path).name == "conftest.py" and isinstance(text := source_text(file), str)
        }
        found["pytest.ini"] = self._ini(tree)
        return found

    def _ini(self, tree: Tree) -> str:
        """pytest's own order: the first file that has a section for it."""
        if isinstance(text := tree.get("pytest.ini"), str):
            return text
        lines = [
            f"{key} = {_value([*_words(value), 'test'] if key == 'python_functions' else value)}"
            for key, value in self._options(tree).items()
            if key not in ("addopts", "testpaths", "cache_dir", "minversion", "required_plugins")
        ]
        return "\n".join(["[pytest]", *lines]) + "\n"

    @staticmethod
    def _options(tree: Tree) -> Mapping[str, Any]:
        """pytest's options, from the first file that has some. `[tool.pytest]` is pytest 9's."""
        options: Mapping[str, Any] = {}
        try:
            if isinstance(text := tree.get("pytest.ini"), str):
                ini = configparser.RawConfigParser()
                ini.read_string(text)
                return dict(ini["pytest"]) if ini.has_section("pytest") else {}
            if isinstance(text := tree.get("pyproject.toml"), str):
                told = tomllib.loads(text).get("tool", {}).get("pytest", {})
                options = {key: value for key, value in told.items() if key != "ini_options"}
                options = options or told.get("ini_options", {})
            for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
                if not options and isinstance(text := tree.get(name), str):
                    read = configparser.RawConfigParser()
                    read.read_string(text)
                    options = dict(read[section]) if read.has_section(section) else {}
        except (tomllib.TOMLDecodeError, configparser.Error, AttributeError):
            return {}
        return options


def _words(value: Any) -> list[str]:
    return value.split() if isinstance(value, str) else [str(one) for one in value]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return LINE + LINE.join(str(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return LINE.join(str(value).splitlines())
