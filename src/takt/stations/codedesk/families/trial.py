"""Hidden tests run in this process, for what Takt itself generated and for mutants of it: never for anybody else's code.

A tree is imported from memory and the test files are run with a stand-in for pytest. What a shift does is another thing:
there a real pytest runs in the sandbox.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import signal
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from importlib.machinery import ModuleSpec
from typing import Any


class TookTooLong(BaseException):
    """A test that did not end in its time. No Exception, so that code under test does not swallow it."""


@lru_cache(maxsize=4000)
def _compiled(text: str, name: str) -> types.CodeType:
    return compile(text, name, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, sources: Mapping[str, tuple[str, bool]]) -> None:
        self.sources = sources  # module -> text, whether it is a package

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname not in self.sources:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=self.sources[fullname][1])

    def exec_module(self, module: types.ModuleType) -> None:
        text = self.sources[module.__name__][0]
        exec(_compiled(text, module.__name__.replace(".", "/") + ".py"), module.__dict__)  # nosec B102: our own text


class Trial:
    """A tree, imported afresh. `run` gives node id -> "" or what went wrong."""

    def __init__(self, tree: Mapping[str, str | bytes], package: str, wall_s: float = 5.0) -> None:
        self.package, self.wall_s = package, wall_s
        sources: dict[str, tuple[str, bool]] = {}
        for path, text in tree.items():
            parts = path.removeprefix("src/").removesuffix(".py").split("/")
            if path.endswith(".py") and isinstance(text, str) and parts[0] == package:
                is_package = parts[-1] == "__init__"
                sources[".".join(parts[:-1] if is_package else parts)] = (text, is_package)
        self._finder = _Finder(sources)
        self._modules: dict[str, types.ModuleType] = {}

    def run(self, hidden: Mapping[str, str], skip: frozenset[str] = frozenset(), stop: bool = False) -> dict[str, str]:
        """Run the test files; those of `skip` (files or node ids) are left out; `stop` ends at the first failure."""
        results: dict[str, str] = {}
        with self._importable():
            for path, text in hidden.items():
                if path in skip:
                    continue
                try:
                    with alarm(self.wall_s):
                        tests = list(_tests(path, text))
                except (Exception, TookTooLong) as error:
                    results[path] = f"{type(error).__name__}: {error}"
                    continue
                for name, call in tests:
                    if name in skip:
                        continue
                    results[name] = self._one(call)
                    if stop and results[name]:
                        return results
        return results

    def _one(self, call: Callable[[], None]) -> str:
        try:
            with alarm(self.wall_s):
                call()
        except (Exception, TookTooLong) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    @contextmanager
    def _importable(self) -> Iterator[None]:
        outside = {
            name: module for name, module in sys.modules.items() if name.split(".")[0] in (self.package, "pytest")
        }
        for name in outside:
            del sys.modules[name]
        sys.modules.update(self._modules)
        sys.modules["pytest"] = _stand_in()
        sys.meta_path.insert(0, self._finder)
        try:
            yield
        finally:
            sys.meta_path.remove(self._finder)
            mine = [name for name in sys.modules if name.split(".")[0] == self.package]
            self._modules = {name: sys.modules.pop(name) for name in mine}
            del sys.modules["pytest"]
            sys.modules.update(outside)


def _tests(path: str, text: str) -> Iterator[tuple[str, Callable[[], None]]]:
    names: dict[str, Any] = {"__name__": "hidden"}
    exec(_compiled(text, path), names)  # nosec B102: our own text
    for name, function in names.items():
        for place, given, expected in getattr(function, "rows", ()):
            yield f"{path}::{name}[{place}]", partial(function, given, expected)


@contextmanager
def alarm(wall_s: float) -> Iterator[None]:
    """TookTooLong after this time. For the main thread."""

    def ring(*_: object) -> None:
        raise TookTooLong(f"not done after {wall_s} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, wall_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Raised:
    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __enter__(self) -> _Raised:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: object) -> bool:
        self.value = error
        if kind is None:
            raise AssertionError(f"did not raise {self.error.__name__}")
        return issubclass(kind, self.error)


def _stand_in() -> types.ModuleType:
    module: Any = types.ModuleType("pytest")

    def parametrize(_names: object, rows: list[tuple[str, Any, Any]]) -> Callable[[Any], Any]:
        def mark(function: Any) -> Any:
            function.rows = rows
            return function

        return mark

    module.mark = types.SimpleNamespace(parametrize=parametrize)
    module.param = lambda given, expected, id: (id, given, expected)
    module.raises = _Raised
    return module


def lines_changed(before: str, after: str) -> set[int]:
    """Numbers of the lines of `after` that `before` has not."""
    from difflib import SequenceMatcher

    changed: set[int] = set()
    matcher = SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    for tag, _, _, first, last in matcher.get_opcodes():
        if tag in ("replace", "insert"):
            changed.update(range(first + 1, last + 1))
    return changed


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
