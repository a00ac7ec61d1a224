"""What is laid over a tree for an inspection, and what comes of running it: hidden tests, settings and canaries."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from random import Random
from secrets import token_hex
from typing import Any

from takt.stations.codedesk.canaries import canary_files, with_canaries
from takt.stations.codedesk.collecting import Rules, for_tests, rules_of
from takt.stations.codedesk.places import Shift, as_written
from takt.stations.codedesk.records import Told
from takt.stations.codedesk.sealing import sealed
from takt.stations.codedesk.tickets import as_bytes
from takt.stations.codedesk.trees import File, laid_over

TEST_S = 20.0
NO_SETTINGS = "[pytest]\n"
INI = "takt-settings.ini"
LIMITS = ("time", "memory", "processes", "disk", "output")
CONFIGURATION = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini")
MOST_SOURCES = 400  # files whose health is looked at
MOST_AMONG = 4  # hidden files that have canaries in their midst


@dataclass(frozen=True)
class Suite:
    """Hidden tests that are laid over a tree.

    files      path -> text, of all of them.
    owners     path -> the ticket that all its tests are of; or, where that is known test by test, a node id, or one
               without its parameters for all that are not named -> the ticket, None where it is not asked.
    settings   path -> text.
    retired    files and node ids that no longer hold, or are not asked.
    touches    what right code is known to change of Python and of pytest.
    moved      files that lie elsewhere than an earlier ticket had them: that path -> where they are laid; and tests
               that are called otherwise, node id -> node id.
    since      the ticket that was accepted last before, of tests by name; -1 if none was.
    missed     tickets before the newest that were not accepted and are not asked.
    """

    files: Mapping[str, str]
    owners: Mapping[str, int | None]
    settings: Mapping[str, str]
    retired: tuple[str, ...] = ()
    touches: frozenset[str] = frozenset()
    moved: Mapping[str, str] = field(default_factory=dict)
    since: int = -1
    missed: tuple[int, ...] = ()

    @cached_property
    def by_test(self) -> Mapping[str, Mapping[str, int]]:
        """Tests that are asked for, where it is known of each whose it is: path -> name -> its ticket."""
        found: dict[str, dict[str, int]] = {}
        for name, owner in self.owners.items():
            path, test, _ = name.partition("::")
            if test and owner is not None:
                found.setdefault(path, {})[name] = owner
        return found

    def asked(self, node: str) -> tuple[str, int] | None:
        """What a test is called where it is counted, and its ticket; None if it is not asked for. `path::?` is a file
        that cannot be collected."""
        path = node.partition("::")[0]
        if path in self.owners:
            owner = self.owners[path]
            return (node, owner) if owner is not None and self.holds(node) else None
        name = node if node in self.owners else function_of(node)
        owner = self.owners.get(name)
        return None if owner is None else (name, owner)

    def tickets(self, where: str) -> set[int]:
        """Whose tests are in a file, or among the rows of a test."""
        path = where.partition("::")[0]
        if path in self.owners:
            return {one for one in [self.owners[path]] if one is not None}
        named = self.by_test.get(path, {})
        if path == where:
            return set(named.values())
        rows = {owner for name, owner in named.items() if name == where or name.startswith(f"{where}[")}
        return rows or {owner for name, owner in named.items() if name == function_of(where)}

    @property
    def rules(self) -> Rules:
        """What is a test, as its settings have it."""
        return rules_of(self.settings.get("pytest.ini", ""))

    def holds(self, node: str) -> bool:
        return holds(node, self.retired)


def holds(node: str, retired: Sequence[str]) -> bool:
    """Whether a test still does, when these no longer do: files, tests, or what tests lie in."""
    path = node.split("::", 1)[0]
    return not any(one in (path, node) or node.startswith((f"{one}::", f"{one}[")) for one in retired)


@dataclass(frozen=True)
class Laid:
    """What is laid over a tree, and what is known of it and nowhere in the sandbox.

    over       path -> text, the settings among them.
    order      what `examine.py` is told.
    canaries   test -> whether it must pass.
    answers    what is expected of tests that are laid without (`sealing.py`).
    """

    over: Mapping[str, str]
    order: Mapping[str, Any]
    canaries: Mapping[str, bool]
    answers: Mapping[str, Any]
    paths: tuple[str, ...]  # of the suite's own files
    touches: frozenset[str] = frozenset()  # as in the suite
    shifts: Mapping[str, Sequence[Shift]] = field(default_factory=dict)  # where canaries stand in the suite's files

    def placed(self, message: str) -> str:
        """A message with lines as the suite's files have them."""
        return as_written(message, self.shifts, self.over)


def laid(suite: Suite, sealing: bool, only: Collection[str] | None = None, bare: bool = False) -> Laid:
    """A suite with canaries, drawn anew. `only`: files of tests, of which no others are run. `bare`: without canaries,
    and libraries are not looked at, where nobody would cheat."""
    answers: dict[str, Any] = {}
    over = {**suite.settings, **suite.files}
    for path, text in suite.files.items() if sealing else ():
        over[path], known = sealed(text)
        answers |= {f"{path}::{name}": expected for name, expected in known.items()}
    if "pytest.ini" in over:
        ini = "pytest.ini"
    elif "pyproject.toml" in suite.settings:
        ini = "pyproject.toml"
    else:
        ini, over[INI] = INI, NO_SETTINGS
    rng = Random(token_hex(16))  # nosec B311: what must not be guessed is drawn anew each time
    tests = [path for path in tests_among(suite) if only is None or path in only]
    rng.shuffle(tests)
    canaries: dict[str, bool] = {}
    shifts: dict[str, Sequence[Shift]] = {}
    for path in () if sealing or bare else tests[:MOST_AMONG]:
        over[path], names, shifts[path] = with_canaries(over[path], rng.randrange(1, 4), rng, suite.rules)
        canaries |= {f"{path}::{name}": False for name in names}
    beside = tests or list(suite.files)
    texts = [suite.files[one] for one in beside[:20]]
    for path, (text, named) in () if bare else canary_files(beside, texts, rng, suite.rules).items():
        over[path] = text
        canaries |= {f"{path}::{name}": passes for name, passes in named.items()}
        tests.insert(rng.randrange(len(tests) + 1), path)
    order = {
        "tests": tests,
        "laid": {path: hashlib.sha256(as_bytes(text)).hexdigest() for path, text in over.items()},
        "ini": ini,
        "folders": sorted(
            {".", "src", *(str(PurePosixPath(path).parent) for path in suite.files if path.endswith(".py"))}
        ),
        "test_s": TEST_S,
        "libraries": not (sealing or bare),  # what is right of sealed tests is not judged here: false help has no use
        "retired": [one for one in suite.retired if one.partition("::")[0] in suite.files],
    }
    return Laid(over, order, canaries, answers, tuple(suite.files), suite.touches, shifts)


def tests_among(suite: Suite) -> list[str]:
    """The files of a suite that hold tests, as its settings have it."""
    return [path for path, text in suite.files.items() if suite.rules.has_tests(path, text)]


@dataclass(frozen=True)
class Run:
    """What tests came to. `stopped`: what ended them, "" if nothing. `unlaid`: why there could be none."""

    laid: Laid
    told: Told
    stopped: str
    unlaid: str = ""
    may_skip: frozenset[str] | None = None  # tests, and files of them, that right code skips as well; None: any

    def items(self, path: str = "") -> list[str]:
        """The suite's own tests that were collected, of one file or of all."""
        own = [one for one in self.told.items if one not in self.laid.canaries]
        return [one for one in own if not path or one.startswith(f"{path}::")]

    def through(self, path: str) -> bool:
        """Whether it is known of each test of a file how it came out."""
        known = self.told.lost(path) or path in self.told.passed_over or bool(self.items(path))
        return known and all(node in self.told.outcomes for node in self.items(path))

    @property
    def why_stopped(self) -> str:
        """In words."""
        if self.stopped in LIMITS:
            return f"the tests were ended by their limit: {self.stopped}"
        return self.stopped and f"the tests did not come to their end: {self.stopped}"

    def tampering(self) -> str:
        """What shows that the tests were tampered with, "" if nothing."""
        told = self.told
        if told.wrong:
            return told.wrong
        if told.touched:
            return f"changed while the tests ran: {', '.join(sorted(told.touched)[:20])}"
        for node, passes in self.laid.canaries.items():
            said, path = told.outcomes.get(node), node.split("::", 1)[0]
            skips = node in told.skipped and path in self.laid.paths  # all tests of a file may be, by a mark
            skips = skips and (self.may_skip is None or node in self.may_skip)
            if said is None and path in told.passed_over:
                continue
            if (said is not None and said != passes and not skips) or (node in told.skipped and not skips):
                return f"a test that must {'pass' if passes else 'fail'} did not"
            if said is None and not self.stopped and not told.lost(path, alone=path in self.laid.paths):
                return "the tests were ended before they were through"
        if not self.stopped and any(node not in told.outcomes for node in told.items):
            return "the tests were ended before they were through"
        return "" if told.ended or self.stopped else "the process of the tests ended itself"


def function_of(node: str) -> str:
    """A node id without its parameters."""
    return node.partition("[")[0]


def with_tests(tree: Mapping[str, File], lay: Laid) -> dict[str, File]:
    """A tree without configuration of tests of its own, and what is laid over it."""
    return laid_over(
        {path: file for path, file in tree.items() if PurePosixPath(path).name not in CONFIGURATION},
        {path: ("f644", as_bytes(text)) for path, text in lay.over.items()},
    )


def sources_of(tree: Mapping[str, File], lay: Laid) -> list[str]:
    """The code whose health is looked at: no tests, as pytest usually has it or these settings, nor what is laid."""
    rules = rules_of(lay.over.get("pytest.ini", ""))
    found = [path for path in sorted(tree) if path.endswith(".py") and tree[path][0] != "l" and path not in lay.over]
    return [path for path in found if not for_tests(path, rules)][:MOST_SOURCES]
