"""Which files of a tree are tests, and how they are configured. pytest so far; another runner has this interface."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol

from takt.stations.codedesk.mining.history import source_text

Tree = Mapping[str, str | bytes]
LINE = "\n    "


class Runner(Protocol):
    """What mining must know of a test runner."""

    name: str

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
    """pytest, with its configuration from wherever it may stand."""

    name = "pytest"

    def is_test(self, path: str) -> bool:
        name = PurePosixPath(path).name
        return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))

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
        options: Mapping[str, Any] = {}
        try:
            if isinstance(text := tree.get("pyproject.toml"), str):
                options = tomllib.loads(text).get("tool", {}).get("pytest", {}).get("ini_options", {})
            for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
                if not options and isinstance(text := tree.get(name), str):
                    read = configparser.RawConfigParser()
                    read.read_string(text)
                    options = dict(read[section]) if read.has_section(section) else {}
        except (tomllib.TOMLDecodeError, configparser.Error, AttributeError):
            options = {}
        lines = [
            f"{key} = {_value(value)}"
            for key, value in options.items()
            if key not in ("addopts", "testpaths", "cache_dir", "minversion", "required_plugins")
        ]
        return "\n".join(["[pytest]", *lines]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return LINE + LINE.join(str(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return LINE.join(str(value).splitlines())
