"""Which files of a tree are tests, and how they are configured. pytest so far; another runner has this interface."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol

from takt.stations.codedesk.collecting import USUAL, Rules, for_tests, section
from takt.stations.codedesk.mining.history import source_text

Tree = Mapping[str, str | bytes]
LINE = "\n    "
LEFT_OUT = ("addopts", "testpaths", "cache_dir", "minversion", "required_plugins")


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
    """pytest, with its configuration from wherever it may stand."""

    name = "pytest"
    configured_by: tuple[str, ...] = (
        "pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg",
    )  # fmt: skip

    def __init__(self, rules: Rules = USUAL) -> None:
        self.rules = rules

    def of(self, tree: Tree) -> Pytest:
        return Pytest(Rules.of(self._options(tree)))

    def is_test(self, path: str) -> bool:
        return self.rules.is_file(path)

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
        """The options as one file has them, but for those that say what to run, or refuse to."""
        lines = [f"{key} = {_value(value)}" for key, value in self._options(tree).items() if key not in LEFT_OUT]
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


def _value(value: Any) -> str:
    if isinstance(value, list):
        return LINE + LINE.join(str(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return LINE.join(str(value).splitlines())
