"""Runs hidden tests in a sandbox, and tells of each over a channel that the tree knows nothing of.

The tree's code runs in this very process, so nothing that it can reach is believed: exit codes and output are not read
at all, every record carries a word that came over standard input, tests that must fail are among those that must pass,
and what decides how a test comes out must be after each file of tests, and at the end, what it was before the tree was
imported (`pristine.py`). Standard library, pytest and (for the health of the code) lizard only.

Long because: it is laid into the sandbox, and nothing of Takt's can be imported there.
"""

from __future__ import annotations

import gc
import glob
import hashlib
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

PRISTINE = "/opt/takt/pristine.py"
LIBRARIES = "/opt/takt/libraries.py"
PACKAGES = "/opt/takt/packages"
WORK = "/work"
OPTIONS = ("-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-o", "addopts=")
LONGEST = 1500  # characters of a message
MOST_TOLD = LONGEST + 500  # of what is told of a test, from which what differs from run to run is taken outside
LARGE = 512 << 10  # bytes of a file
DUMPS = json.dumps  # which tests may put something else in place of
MOST_SEEN = 200  # things that are not as they must be
MOST_ANSWER = 100_000  # characters of what a test tells
ANSWERS: list[dict[str, Any]] = []  # what the test that runs has told


def main() -> None:
    number = int(os.environ.pop("TAKT_RECORDS"))
    channel = os.fdopen(os.dup(number), "wb", buffering=0)
    os.close(number)
    order = json.load(sys.stdin)

    def tell(**record: Any) -> None:
        channel.write(DUMPS({"word": order["word"], **record}).encode() + b"\n")

    sys.path[:] = [entry for entry in sys.path if entry and not entry.startswith("/opt/takt")]
    sys.path.append(PACKAGES)
    if order["sources"] is not None:
        tell(health=health(order["sources"]), syntax=syntax(order["sources"]))
    gc.disable()  # until the tree is imported: what comes before stays
    import pytest

    watch = Watch(order, tell)
    options = [*OPTIONS, "-c", order["ini"]]
    options += ["--no-summary"] if hasattr(pytest, "version_tuple") else []  # what is printed is not read
    options += ["--rootdir", WORK, "--continue-on-collection-errors", "--import-mode=importlib", "--capture=fd"]
    options += ["--collect-only"] if order.get("collect") else []
    for path in order["tests"]:  # a text with doctests, by whatever name
        options += [] if path.endswith(".py") else ["--doctest-glob", glob.escape(os.path.basename(path))]
    why = ""
    try:
        pytest.main([*options, *order["tests"]], plugins=[watch])
    except BaseException as error:  # a setting that names what is not installed, say
        why = f"{type(error).__name__}: {error}"[-LONGEST:]
    if watch.pristine is None:
        tell(unbegun=why)
    if hasattr(sys, "takt_missing"):  # what of the files could not be run (`statements.py`)
        tell(missing=sys.takt_missing[:MOST_SEEN])
    tell(end=True, touched=watch.touched())
    os._exit(0)


def hook(**options: Any) -> Any:
    """`pytest.hookimpl`, before pytest is imported: what pluggy looks for."""

    def mark(function: Any) -> Any:
        function.pytest_impl = {
            "wrapper": False,
            "hookwrapper": False,
            "optionalhook": False,
            "tryfirst": False,
            "trylast": False,
            "specname": None,
        } | options
        return function

    return mark


def load(path: str) -> Any:
    """A module of Takt's that lies beside this one."""
    name = f"takt_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Watch:
    """The pytest plugin that tells what became of each test."""

    def __init__(self, order: dict[str, Any], tell: Any) -> None:
        self.order, self.tell = order, tell
        self.marked: set[str] = set()
        self.failed: set[str] = set()  # tests that ended with an error, whatever is reported of them
        self.parts: dict[str, str] = {}  # tests of which a part has failed (unittest's subTest), and how
        self.seen: list[str] = []  # what was not as it must be
        self.looked = ""
        self.pristine: Any = None
        self.libraries: Any = None
        self.steps: Any = None
        self.drawn: Any = dict
        self.plugins: Any = None
        self.collected = False
        self.codes: dict[str, dict[str, list[Any]]] = {}
        self.names: dict[str, frozenset[str] | None] = {}  # that a file of tests itself binds
        self.modules: dict[str, Any] = {}

    @hook(wrapper=True, tryfirst=True)  # type: ignore[untyped-decorator]
    def pytest_load_initial_conftests(self, early_config: Any) -> Any:
        """Nothing of the tree has been imported yet. Its folders come after the standard library and after pytest.

        What the tests' configuration imports may be broken: then no test is run, and that is told.
        """
        from _pytest.assertion import rewrite

        self.pristine = load(PRISTINE)
        if self.order["libraries"]:
            begins: Any = importlib._bootstrap
            library = load(LIBRARIES)
            self.drawn = library.drawn
            self.libraries = library.Libraries(WORK, [PACKAGES], lambda what: self.tell(noticed=what))
            self.steps = library.Steps(self.libraries)
            begins._find_and_load = library.installed(self.libraries, begins._find_and_load)
        self.table = self.pristine.Pristine()
        if self.libraries:
            self.libraries.begin(self.table.apart)
        self.plugins = self.pristine.Plugins(early_config.pluginmanager)
        for path in (one for one in self.order["tests"] if one.endswith(".py")):
            self.codes[path] = self.pristine.codes(
                os.path.join(WORK, path), lambda one: rewrite._rewrite_test(Path(one), early_config)[1]
            )
            self.names[path] = self.pristine.names_bound(os.path.join(WORK, path))
        getattr(gc, "freeze", gc.enable)()  # who looks for what is no longer needed need not go through this again
        gc.enable()
        self.own = (self.tell, *vars(self).keys())
        at = next((i for i, entry in enumerate(sys.path) if entry.endswith(("site-packages", "dist-packages"))), None)
        at = len(sys.path) if at is None else at
        folders = [os.path.join(WORK, folder) for folder in self.order["folders"]]
        sys.path[at:at] = [folder for folder in folders if os.path.isdir(folder)]
        try:
            return (yield)
        except BaseException as error:
            self.tell(unbegun=f"{type(error).__name__}: {error}"[-LONGEST:])
            raise

    @hook(trylast=True)  # type: ignore[untyped-decorator]
    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        """Tests that no longer hold are not run."""
        gone = set(self.order["retired"])
        left = [one for one in items if not any(name in gone for name in self.names_of(one.nodeid))]
        if len(left) < len(items):
            config.hook.pytest_deselected(items=[one for one in items if one not in left])
            items[:] = left

    @staticmethod
    def names_of(nodeid: str) -> list[str]:
        """A test's node id, without its parameters as well, and those of what it lies in."""
        parts = nodeid.partition("[")[0].split("::")
        return [nodeid, *("::".join(parts[: end + 1]) for end in range(len(parts)))]

    def pytest_collection_finish(self, session: Any) -> None:
        self.note(altered(self.order["laid"]))
        self.note(self.plugins.came(self.order["laid"], WORK, self.table.classes))
        self.plugins, self.collected = self.pristine.Plugins(session.config.pluginmanager), True
        self.marked = {item.nodeid for item in session.items if may_fail(item)}
        self.modules = {item.nodeid.partition("::")[0]: getattr(item, "module", None) for item in session.items}
        self.lay()
        self.note([*self.injected(), *self.foreign()])
        self.tell(items=[item.nodeid for item in session.items], drawn=self.drawn())

    @hook(wrapper=True)  # type: ignore[untyped-decorator]
    def pytest_make_collect_report(self, collector: Any) -> Any:
        """A module that ends the program when it is imported is one that cannot be imported."""
        from _pytest.reports import CollectReport

        try:
            return (yield)
        except SystemExit as error:
            return CollectReport(collector.nodeid, "failed", f"SystemExit({error.code!r}) at import", [])

    def pytest_internalerror(self, excinfo: Any) -> None:
        """Where memory, or threads, give out in the midst of pytest itself, that is a limit and no tampering."""
        limit = isinstance(excinfo.value, MemoryError) or "can't start new thread" in str(excinfo.value)
        said = f"{type(excinfo.value).__name__}: {excinfo.value}".splitlines()[0][:300]
        self.tell(gave_out="memory" if limit else f"pytest had an error of its own (INTERNALERROR): {said}")

    def pytest_collectreport(self, report: Any) -> None:
        if report.skipped:
            self.tell(passed_over=report.nodeid)
        if report.failed:
            self.tell(uncollected=report.nodeid, message=str(report.longrepr)[-MOST_TOLD:])

    def pytest_runtest_logreport(self, report: Any) -> None:
        if hasattr(
            report, "context"
        ):  # one of several within a test, which is reported behind them, and has failed if one has
            if report.failed:
                self.parts.setdefault(report.nodeid, str(report.longrepr)[-MOST_TOLD:])
            return
        outcome = report.outcome
        part = self.parts.get(report.nodeid, "") if report.when == "call" and outcome == "passed" else ""
        outcome = "failed" if part else outcome
        if outcome == "skipped":
            outcome = "failed"
            where = report.longrepr[0] if isinstance(report.longrepr, tuple) else ""
            if hasattr(report, "wasxfail"):
                outcome = "passed" if report.nodeid in self.marked else "failed"
            elif os.path.relpath(where, WORK) in self.order["laid"]:
                outcome = "passed"  # the hidden test may say that it does not apply; whether it may is judged outside
        if report.when == "call" or outcome != "passed" or report.outcome == "skipped":
            message = "" if outcome == "passed" else part or str(report.longrepr)[-MOST_TOLD:]
            came: dict[str, Any] = {"answer": ANSWERS.pop()} if ANSWERS else {}
            came |= {"skipped": True} if report.outcome == "skipped" else {}
            if report.when == "call" and report.outcome == "passed" and report.nodeid in self.failed - self.marked:
                self.note([f"the report of {report.nodeid}"])
            self.tell(test=report.nodeid, when=report.when, outcome=outcome, message=message, **came)

    def pytest_runtest_protocol(self, item: Any) -> None:
        ANSWERS.clear()

        def too_long(*_: object) -> None:
            raise TookTooLong(f"longer than {self.order['test_s']} s")

        signal.signal(signal.SIGALRM, too_long)
        signal.setitimer(signal.ITIMER_REAL, self.order["test_s"])

    @hook(wrapper=True, tryfirst=True)  # type: ignore[untyped-decorator]
    def pytest_runtest_call(self, item: Any) -> Any:
        """What a test does must be what is written there, and how it ended is seen here before anybody reports it."""
        path, _, name = item.nodeid.partition("[")[0].partition("::")
        written = self.codes.get(path, {}).get(name)
        if written and getattr(getattr(item, "obj", None), "__code__", None) not in written:
            self.note([f"the code of {item.nodeid}"])
        if self.order.get("steps"):
            self.steps.begin()
        try:
            return (yield)
        except BaseException:
            self.failed.add(item.nodeid)
            raise
        finally:
            if self.order.get("steps"):
                self.steps.end(item.nodeid not in self.failed)

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.note(self.pristine.watchers())
        path = nodeid.partition("::")[0]
        if path != self.looked:
            self.looked = path
            self.note([*self.table.touched(), *self.plugins.touched(), *self.injected(), *self.foreign(whole=False)])

    def lay(self) -> None:
        """All files of Python that are laid and have been imported, by their text."""
        for module in {id(one): one for one in (*sys.modules.values(), *self.modules.values())}.values():
            path = self.pristine.relative(module, WORK)
            if self.libraries and path in self.order["laid"]:
                whole = os.path.join(WORK, path)
                self.steps.files[whole] = self.pristine.asked(whole), module
                self.libraries.lay(path, module, *self.pristine.imports(os.path.join(WORK, path)))

    def foreign(self, whole: bool = True) -> list[str]:
        """What of the standard library and of installed packages is another now."""
        return self.libraries.touched(whole) if self.libraries else []

    def injected(self) -> list[str]:
        """What files of tests have as their own, and is not written there."""
        return [
            f"{path}: {name}"
            for path, module in self.modules.items()
            for name in self.pristine.injected(module, self.names.get(path), self.codes.get(path, {}))
        ]

    def note(self, found: list[str]) -> None:
        self.seen += [one for one in dict.fromkeys(found) if one not in self.seen][: MOST_SEEN - len(self.seen)]

    def touched(self) -> list[str]:
        """What is not, or was not, as it must be: tests, settings, pytest, unittest, built-in functions, plugins."""
        if self.pristine is not None:
            self.note([*self.table.touched(), *self.pristine.watchers(), *self.foreign()])
            self.note([*self.plugins.touched(), *self.injected()] if self.collected else [])
            if self.own != (self.tell, *(name for name in vars(self) if name != "own")):
                self.note(["examine.Watch"])
        self.note(altered(self.order["laid"]))
        return self.seen


def may_fail(item: Any) -> bool:
    """Whether a test says that it is expected to fail: by pytest's mark, or unittest's."""
    unittests = (getattr(item, "obj", None), getattr(item, "cls", None))
    marked = item.get_closest_marker("xfail") is not None
    return marked or any(getattr(one, "__unittest_expecting_failure__", False) is True for one in unittests)


def answered(package: Any, came: str, value: Any) -> None:
    """Called by hidden tests that do not know what is expected (`sealing.py`): what came of a call, to be told."""
    if came == "error":
        own = [*vars(package).items(), *((one.__name__, one) for one in type(value).__mro__)]
        names = {name for name, one in own if isinstance(one, type) and isinstance(value, one)}
        names = {name for name in names if isinstance(getattr(package, name, None), type)}
        told: dict[str, Any] = {"raised": sorted(names), "message": f"{type(value).__name__}: {value}"[:LONGEST]}
    else:
        told = {"value": as_told(value)}
    if len(DUMPS(told)) > MOST_ANSWER:
        told = {"value": ["odd", "an answer that is too long"]}
    ANSWERS[:] = [told]


def as_told(value: Any) -> list[Any]:
    """A value by its kind, for whoever compares it elsewhere: what it says of itself (`__eq__`) does not count."""
    if value is None or isinstance(value, bool):
        return ["bool", value] if isinstance(value, bool) else ["none", None]
    if isinstance(value, int):
        return ["int", f"{int.__index__(value):x}"]
    if isinstance(value, float):
        return ["float", float.__float__(value)]
    if isinstance(value, str):
        return ["str", str.__str__(value)]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, Fraction):
        return ["fraction", [f"{value.numerator:x}", f"{value.denominator:x}"]]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    if isinstance(value, (list, tuple, set, frozenset)):
        kind = "list" if isinstance(value, list) else "tuple" if isinstance(value, tuple) else "set"
        return [kind, [as_told(one) for one in value]]
    if isinstance(value, Mapping):
        return ["dict", [[as_told(key), as_told(one)] for key, one in value.items()]]
    return ["odd", f"{type(value).__name__}: {value!r}"[:LONGEST]]


def altered(laid: dict[str, str]) -> list[str]:
    """Tests and settings that are no longer what was laid over the tree."""
    found = []
    for path, digest in laid.items():
        try:
            with open(os.path.join(WORK, path), "rb") as file:
                now = hashlib.sha256(file.read()).hexdigest()
        except OSError:
            now = ""
        if now != digest:
            found.append(path)
    return found


class TookTooLong(Exception):
    """A test that takes too long."""


def syntax(paths: list[str]) -> list[str]:
    """Files that Python cannot read."""
    found = []
    for path in paths:
        try:
            if large(path):
                continue
            with open(os.path.join(WORK, path), "rb") as file:
                compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            found.append(f"{path}: {error}"[:300])
        except OSError:
            continue
    return found


def large(path: str) -> bool:
    """Whether a file is data rather than code: to look at it closely would take longer than the tests."""
    return os.path.getsize(os.path.join(WORK, path)) > LARGE


def health(paths: list[str]) -> dict[str, float]:
    """Lines of code, functions, and their cyclomatic complexity, by lizard where it is. Of large files lines alone."""
    lines = functions = 0
    total, most = 0, 0
    try:
        import lizard
    except ImportError:
        return {}
    for path in paths:
        try:
            if large(path):
                with open(os.path.join(WORK, path), "rb") as file:
                    lines += sum(not line.isspace() for line in file)
                continue
            seen = lizard.analyze_file(os.path.join(WORK, path))
        except Exception:  # nosec B112: a file that lizard cannot read has no figures
            continue
        lines += seen.nloc
        for one in seen.function_list:
            functions += 1
            total += one.cyclomatic_complexity
            most = max(most, one.cyclomatic_complexity)
    mean = round(total / functions, 3) if functions else 0.0
    return {"lines": lines, "files": len(paths), "functions": functions, "complexity": mean, "most_complex": most}


if __name__ == "__main__":
    main()
