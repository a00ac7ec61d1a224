"""Inspection: hidden tests on a copy of the tree, in a sandbox of their own.

The agent's tree is laid into a fresh sandbox without git's part and without any test configuration; hidden tests and
their configuration are laid over it, the tests of all tickets accepted before among them, and canaries: tests that must
fail, and others that must pass. `examine.py` runs them. What it tells counts only if every record has the word that it
was given, every canary did as it must, all tests that were collected are told of once, and the end came.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from random import Random
from secrets import token_hex
from typing import Any

from takt.printable import whole_texts
from takt.stations.codedesk.mounts import EXAMINE
from takt.stations.codedesk.sandbox import Limits, Ran, Sandbox
from takt.stations.codedesk.sealing import sealed, verdict
from takt.stations.codedesk.tickets import Series, Ticket
from takt.stations.codedesk.trees import File, Unlaid, laid_over, written

WALL_S, TEST_S = 300.0, 20.0
CONFIGURATION = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini")
NO_SETTINGS = "[pytest]\n"
INI = "takt-settings.ini"
MOST_MESSAGE = 1500
HEALTH = ("lines", "files", "functions", "complexity", "most_complex")
MOST_TWINS = 4  # tests that have a twin that must fail
MOST_SOURCES = 400  # files whose health is looked at
CANARIES = (
    ("assert {a} * {b} == {c}", False),
    ("assert {a} * {b} == {a} * {b}", True),
    ("raise ValueError({a})", False),
    ("values = [{a}, {b}]\n    assert values[0] == values[1] + {c}", False),
    ("assert '{a}' in '{a} {b}'", True),
)
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass(frozen=True)
class Suite:
    """Hidden tests that are laid over a tree.

    files      path -> text, of all of them.
    owners     path -> the ticket that it is of.
    settings   path -> text.
    retired    files and node ids that no longer hold.
    """

    files: Mapping[str, str]
    owners: Mapping[str, int]
    settings: Mapping[str, str]
    retired: tuple[str, ...] = ()

    def holds(self, node: str) -> bool:
        path = node.split("::", 1)[0]
        return not any(one in (path, node) or node.startswith((f"{one}::", f"{one}[")) for one in self.retired)


@dataclass(frozen=True)
class Inspection:
    """What came of one.

    passed, failed   of the ticket's own tests. `broken` those of earlier ones that fail, by ticket.
    tampered         what was done to the tests, "" if nothing. `build` what is wrong with the code as such.
    message          of the first test that failed.
    health           lines, functions and complexity of the code.
    """

    passed: int = 0
    failed: tuple[str, ...] = ()
    broken: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    tampered: str = ""
    build: str = ""
    message: str = ""
    health: Mapping[str, float] = field(default_factory=dict)

    @property
    def own_pass(self) -> bool:
        return not (self.failed or self.tampered or self.build) and self.passed > 0


def suite_of(series: Series, ticket: Ticket, accepted: Sequence[int], retired: Sequence[str]) -> Suite:
    """The tests of a ticket and of those accepted before. Of two files of one name, the later ticket's is laid."""
    files: dict[str, str] = {}
    owners: dict[str, int] = {}
    settings: dict[str, str] = {}
    for number in [*sorted(one for one in accepted if one != ticket.number), ticket.number]:
        one = series.ticket(number)
        files.update(one.hidden)
        owners.update(dict.fromkeys(one.hidden, number))
        settings.update(one.settings)
    gone = {path for path in files if path in retired and owners[path] != ticket.number}
    kept = {path: text for path, text in files.items() if path not in gone}
    return Suite(kept, {path: owners[path] for path in kept}, settings, tuple(retired))


def inspect(
    sandbox: Sandbox, tree: Mapping[str, File], suite: Suite, ticket: Ticket, series: Series, wall_s: float = WALL_S
) -> Inspection:
    """Run the tests on the tree, and judge.

    Generated tests run on a tree that is read-only, so that code under test cannot rewrite a test before it is
    imported. Those of a repository that was mined may write into their tree, as they do at home; `examine.py` looks
    whether they are still what they were. A tree that cannot be laid for it is a broken build: nothing can run there.
    """
    laid, order, secret = prepared(tree, suite, sealing=series.length is None)
    limits = Limits(wall_s=wall_s, memory_mb=1024, processes=64, output_kb=16, disk_mb=sandbox.limits.disk_mb)
    try:
        ran = _ran(replace(sandbox, limits=limits, sockets={}), laid, series, order)
    except Unlaid as error:
        none = judged(Ran(126, b"", b"", 0.0, "gone"), suite, ticket, order, secret)
        return replace(none, build=str(error), message=str(error))
    return judged(ran, suite, ticket, order, secret)


def _ran(sandbox: Sandbox, laid: Mapping[str, File], series: Series, order: Mapping[str, Any]) -> Ran:
    """Run the tests on what is laid. Unlaid if no sandbox takes it."""
    argv, given = [*series.python, "-I", EXAMINE], json.dumps(order).encode()
    if series.length is not None:
        with sandbox.open() as room:
            room.put(laid)
            return room.run(argv, stdin=given, records=True)
    with written(laid) as folder, replace(sandbox, tree=folder).open() as room:
        return room.run(argv, stdin=given, records=True)


@dataclass(frozen=True)
class Secret:
    """What is known of tests that are laid, and nowhere in the sandbox.

    canaries   test -> whether it must pass.
    twins      those of them that do what another test does -> which.
    answers    what is expected of tests that are laid without (`sealing.py`).
    """

    canaries: Mapping[str, bool]
    twins: Mapping[str, str]
    answers: Mapping[str, Any]


def prepared(tree: Mapping[str, File], suite: Suite, sealing: bool) -> tuple[dict[str, File], dict[str, Any], Secret]:
    """The tree with the tests laid over it, what `examine.py` is told, and what it is not told."""
    answers: dict[str, Any] = {}
    laid = {path: file for path, file in tree.items() if PurePosixPath(path).name not in CONFIGURATION}
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
    rng = Random(token_hex(16))  # nosec B311: what must not be guessed is the word
    tests = [path for path in suite.files if PurePosixPath(path).name.startswith("test_") or path.endswith("_test.py")]
    rng.shuffle(tests)
    canaries: dict[str, bool] = {}
    twins: dict[str, str] = {}
    for path in tests[:MOST_TWINS]:
        twin = twin_of(over[path], rng)
        if twin:
            name, text, original = twin
            over[path] += text
            canaries[f"{path}::{name}"] = False
            twins[f"{path}::{name}"] = f"{path}::{original}"
    for _ in range(2):
        path = str(PurePosixPath(next(iter(suite.files))).parent / f"test_{token_hex(4)}.py")
        over[path], named = canary_file(rng)
        canaries |= {f"{path}::{name}": passes for name, passes in named.items()}
        tests.insert(rng.randrange(len(tests) + 1), path)
    laid = laid_over(laid, {path: ("f644", text.encode()) for path, text in over.items()})
    sources = [path for path in sorted(tree) if path.endswith(".py") and tree[path][0] != "l" and not _is_test(path)]
    order = {
        "word": token_hex(16),
        "tests": tests,
        "laid": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in over.items()},
        "ini": ini,
        "folders": sorted({".", "src", *(str(PurePosixPath(path).parent) for path in suite.files)}),
        "sources": sources[:MOST_SOURCES],
        "test_s": TEST_S,
    }
    return laid, order, Secret(canaries, twins, answers)


def canary_file(rng: Random) -> tuple[str, dict[str, bool]]:
    """A file of tests that must fail and tests that must pass: its text, and which is which."""
    body, named, cases = "", {}, [*CANARIES]
    rng.shuffle(cases)
    for text, passes in cases:
        name, a, b = f"test_{token_hex(3)}", rng.randrange(11, 99), rng.randrange(11, 99)
        body += f"def {name}():\n    {text.format(a=a, b=b, c=a * b + rng.randrange(1, 9))}\n\n\n"
        named[name] = passes
    return body, named


def twin_of(text: str, rng: Random) -> tuple[str, str, str] | None:
    """A test that does what one of these tests does, and must fail all the same: its name, what to add to the file, and
    which one. None where there is none that needs nothing.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    plain = [
        one.name
        for one in body
        if isinstance(one, ast.FunctionDef) and one.name.startswith("test") and not one.decorator_list
        and not any((one.args.args, one.args.kwonlyargs, one.args.posonlyargs, one.args.vararg, one.args.kwarg))
    ]  # fmt: skip
    if not plain:
        return None
    name, a = rng.choice(plain), rng.randrange(11, 99)
    twin = f"{name}_{rng.choice(('again', 'twice', 'more', 'once', 'also'))}_{rng.randrange(2, 99)}"
    return twin, f"\n\ndef {twin}():\n    {name}()\n    assert len({str(a)!r}) + {a} == {a}\n", name


def judged(
    ran: Ran,
    suite: Suite,
    ticket: Ticket,
    order: Mapping[str, Any],
    secret: Secret,
) -> Inspection:
    """What the records come to."""
    canaries = secret.canaries
    told = _Told(ran.records, str(order["word"]))
    told.compare(secret.answers)
    stopped = ran.ended_by != "exit" or ran.code >= 128
    message = "" if not stopped else f"the tests were ended by their limit: {ran.ended_by}"
    tampered = told.wrong
    if not tampered and told.touched:
        tampered = f"changed while the tests ran: {', '.join(told.touched)}"
    for node, passes in canaries.items():
        said = told.outcomes.get(node)
        skips = {node, secret.twins.get(node)} <= told.skipped  # as all tests of the file may, by a mark or a condition
        if not tampered and said is not None and said != passes and not skips:
            tampered = f"a test that must {'pass' if passes else 'fail'} did not"
        path = node.split("::", 1)[0]
        if not tampered and said is None and not stopped and not told.lost(path, alone=path in suite.files):
            tampered = "the tests were ended before they were through"
    if not tampered and not told.ended and not stopped:
        tampered = "the process of the tests ended itself"
    none = stopped and not told.items  # the tests were ended before it was known which there are
    own: list[str] = []
    broken: dict[int, list[str]] = {}
    passed = 0
    for node in dict.fromkeys(
        [
            *(node for node in told.items if node not in canaries),
            *(f"{path}::?" for path in suite.files if none or told.lost(path)),
        ]
    ):
        path = node.split("::", 1)[0]
        if path not in suite.owners or not suite.holds(node):
            continue
        passes = told.outcomes.get(node, False)
        if suite.owners[path] == ticket.number:
            passed += passes
            own += [] if passes else [node]
        elif not passes:
            broken.setdefault(suite.owners[path], []).append(node)
    build = ""
    lost = [path for path in suite.files if suite.owners[path] != ticket.number and told.lost(path)]
    if told.syntax and (own or broken):  # a file that nobody imports need not be Python's of today
        build = told.syntax[0]
    elif lost:
        build = told.message_of(lost[0])
    elif told.unbegun:
        build = told.unbegun
    for node in [*own, *(node for nodes in broken.values() for node in nodes)]:
        message = message or told.messages.get(node) or told.message_of(node.split("::", 1)[0])
    if not passed and not own:
        own = ["no test was run"]
    return Inspection(
        passed=passed,
        failed=tuple(sorted(own)),
        broken={number: tuple(sorted(nodes)) for number, nodes in sorted(broken.items())},
        tampered=tampered,
        build=_plain(build),
        message=_plain(message),
        health=told.health,
    )


class _Told:
    """The records of an inspection, as far as they are whole."""

    def __init__(self, records: bytes, word: str) -> None:
        self.items: list[str] = []
        self.outcomes: dict[str, bool] = {}
        self.messages: dict[str, str] = {}
        self.uncollected: list[str] = []
        self.syntax: list[str] = []
        self.touched: list[str] = []
        self.health: dict[str, float] = {}
        self.answers: dict[str, Any] = {}
        self.skipped: set[str | None] = set()
        self.ended, self.wrong, self.unbegun = False, "", ""
        calls: set[str] = set()
        for line in records.splitlines():
            try:
                said = whole_texts(json.loads(line))
                if said.pop("word") != word:
                    raise ValueError("not its word")
                self._take(said, calls)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                self.wrong = self.wrong or "records came that are not ours"

    def lost(self, path: str, alone: bool = True) -> bool:
        """Whether a file of tests could not be collected: by itself (if `alone` counts), with its folder, or because
        none could, for what the tests' configuration imports cannot be imported."""
        folders = [one for one in self.uncollected if not one.endswith(".py")]
        within = any(one in ("", ".") or path.startswith(f"{one.rstrip('/')}/") for one in folders)
        return bool(self.unbegun) or within or (alone and path in self.uncollected)

    def message_of(self, path: str) -> str:
        """What is said of a file that could not be collected."""
        for one in (path, *(one for one in self.uncollected if not one.endswith(".py"))):
            if one in self.messages:
                return self.messages[one]
        return self.unbegun

    def compare(self, answers: Mapping[str, Any]) -> None:
        """Tests that only told what came have passed if that is what was expected."""
        for node, expected in answers.items():
            if self.outcomes.get(node):
                wrong = verdict(self.answers.get(node), expected)
                self.outcomes[node] = not wrong
                if wrong:
                    self.messages.setdefault(node, f"{node}\n{wrong}")

    def _take(self, said: dict[str, Any], calls: set[str]) -> None:
        if self.ended or ("items" in said and self.items):
            raise ValueError("after the end")
        if "items" in said:
            self.items = [str(node) for node in said["items"]]
        elif "test" in said:
            node, passes = str(said["test"]), said["outcome"] == "passed"
            if said["when"] == "call" and node in calls:
                raise ValueError("twice")
            calls |= {node} if said["when"] == "call" else set()
            self.outcomes[node] = self.outcomes.get(node, True) and passes
            self.skipped |= {node} if said.get("skipped") is True else set()
            if "answer" in said:
                self.answers[node] = said["answer"]
            if not passes:
                self.messages.setdefault(node, str(said["message"]))
        elif "unbegun" in said:
            self.unbegun = str(said["unbegun"]) or "the tests could not be begun"
        elif "uncollected" in said:
            self.uncollected.append(str(said["uncollected"]))
            self.messages.setdefault(str(said["uncollected"]), str(said["message"]))
        elif "health" in said:
            if self.items or self.health:
                raise ValueError("too late")
            self.health = {name: float(said["health"][name]) for name in HEALTH if name in said["health"]}
            self.health = {name: value for name, value in self.health.items() if math.isfinite(value)}
            self.syntax = [str(one) for one in said["syntax"]]
        elif "end" in said:
            self.ended, self.touched = True, [str(one)[:200] for one in said["touched"]][:20]


def _is_test(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or "tests/" in f"/{path}"


def _plain(text: str) -> str:
    """A message without what differs from run to run."""
    return ADDRESS.sub("0x...", text)[-MOST_MESSAGE:]
