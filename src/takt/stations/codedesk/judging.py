"""What the records of an inspection come to: which tests pass, which are broken, and of which nothing is known."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from signal import Signals

from takt.stations.codedesk.laying import Run, Suite, function_of, tests_among
from takt.stations.codedesk.tickets import Ticket
from takt.stations.codedesk.trees import File

MOST_MESSAGE = 1500
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass(frozen=True)
class Inspection:
    """What came of one.

    passed, failed   of the ticket's own tests. `broken` those of earlier ones that fail, by ticket.
    unknown          earlier tests that did not get to run (`path::?`: all of a file).
    tampered         what was done to the tests, "" if nothing. `build` what is wrong with the code as such.
    message          of the first test that failed.
    health           lines, functions and complexity of the code.
    touches          what tests changed of Python and of pytest, of a tree that is known to be right.
    passes, skipped, stopped  of such a tree as well: the tests that pass, those of them that were skipped or failed as
                     is expected, and what ended them.
    missing          of files that are tolerant: which parts could not be run (`statements.py`).
    flaky            tests of others that failed once and passed when they were run again (`again.py`).
    """

    passed: int = 0
    failed: tuple[str, ...] = ()
    broken: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    tampered: str = ""
    build: str = ""
    message: str = ""
    health: Mapping[str, float] = field(default_factory=dict)
    touches: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    stopped: str = ""
    missing: Collection[tuple[str, int]] = ()
    flaky: tuple[str, ...] = ()

    @property
    def own_pass(self) -> bool:
        return not (self.failed or self.tampered or self.build) and self.passed > 0


def ended_by_signal(code: int) -> str:
    """In words, that a process was ended by a signal, "" if it was not."""
    if code <= 128:
        return ""
    try:
        return f"their process was ended by {Signals(code - 128).name}"
    except ValueError:
        return f"their process ended with status {code}"


def new_faults(
    syntax: Sequence[str], tree: Mapping[str, File], shown: Mapping[str, str | bytes], right: Mapping[str, File]
) -> list[str]:
    """Files that Python cannot read, but for those that were no Python before either, or are none when all is right: a
    template, say, or a file for another Python."""
    before = {path: file.encode() if isinstance(file, str) else file for path, file in shown.items()}
    found = []
    for one in syntax:
        path = next((path for path in tree if one.startswith(f"{path}: ")), "")
        known = [file for file in (before.get(path), right.get(path, ("", None))[1]) if file is not None]
        if not any(file == tree[path][1] or not _is_python(file) for file in known):
            found.append(one)
    return found


def _is_python(file: bytes) -> bool:
    try:
        ast.parse(file)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def judged(run: Run, suite: Suite, ticket: Ticket, older: Mapping[str, str] | None = None) -> Inspection:
    """What the records come to. `older`: of files that are lost, which of other tickets' tests fail as they were
    before, and what of each."""
    told = run.told
    message = run.unlaid or run.why_stopped
    none = run.stopped and not told.items  # the tests were ended before it was known which there are
    own: list[str] = []
    failing: dict[int, dict[str, str]] = {}  # of earlier tickets: the name of a test, and one that failed of it
    passed = 0
    gone = [path for path in suite.files if none or told.lost(path)]
    order = {path: at for at, path in enumerate(suite.files)}  # files are run in an order that is drawn
    items = sorted(run.items(), key=lambda node: order.get(node.partition("::")[0], -1))
    for node in dict.fromkeys([*items, *(f"{path}::?" for path in gone)]):
        asked = suite.asked(node)
        if asked is None:
            continue
        (name, owner), path = asked, node.partition("::")[0]
        passes = told.outcomes.get(node, False)
        unsaid = run.stopped and not run.unlaid and node not in told.outcomes and not told.lost(path)
        if owner == ticket.number:
            passed += passes
            own += [] if passes else [node]
        elif not passes and not unsaid:
            failing.setdefault(owner, {}).setdefault(name, node)
    lost = [path for path in suite.files if path in suite.owners and told.lost(path)]
    lost = [path for path in lost if suite.owners[path] != ticket.number]
    for name, owner, node in _not_collected(run, suite, ticket, gone, older):
        if owner == ticket.number:
            own += [] if node in own else [node]
        else:
            failing.setdefault(owner, {}).setdefault(name, node)
            lost += [path for path in [name.partition("::")[0]] if node == f"{path}::?" and path not in lost]
    broken = {number: list(names) for number, names in failing.items()}
    build = run.unlaid
    if not build and told.syntax and (own or broken):  # a file that nobody imports need not be Python's of today
        build = told.syntax[0]
    shared = any(owner != ticket.number for names in suite.by_test.values() for owner in names.values())
    unbegun = "" if shared and older is not None else told.unbegun  # others' tests say whether the code can be imported
    build = build or (told.message_of(lost[0]) if lost else unbegun)
    for node in [*own, *(node for names in failing.values() for node in names.values())]:
        message = message or told.messages.get(node) or told.message_of(node.split("::", 1)[0])
    if not passed and not own:
        own = ["no test was run"]
    unknown: list[str] = []
    for path in tests_among(suite) if run.stopped and not run.unlaid else ():
        if suite.tickets(path) - {ticket.number} and not run.through(path):
            asked_there = [suite.asked(node) for node in run.items(path) if node not in told.outcomes]
            others = [one[0] for one in asked_there if one is not None and one[1] != ticket.number]
            unknown += others if run.items(path) else [f"{path}::?"]
    return Inspection(
        passed=passed,
        failed=tuple(sorted(own)),
        broken={number: tuple(sorted(nodes)) for number, nodes in sorted(broken.items())},
        tampered=run.tampering(),
        build=plain_message(build),
        message=plain_message(message),
        health=told.health,
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _not_collected(
    run: Run, suite: Suite, ticket: Ticket, gone: Sequence[str], older: Mapping[str, str] | None
) -> Iterator[tuple[str, int, str]]:
    """Tests that are asked for by name and were not collected, so that they fail: name, ticket, and what to call it.
    Other tickets' tests in a file that is lost are judged by what came of that file as it was before."""
    told = run.told
    there = {name for node in run.items() for name in (node, function_of(node))}
    for path, names in suite.by_test.items():
        if path in gone:
            if older and f"{path}::?" in older:  # what the ticket's own commit asks of whoever imports it
                yield f"{path}::?", ticket.number, f"{path}::?"
            for name, owner in names.items():
                if owner == ticket.number:
                    yield name, owner, f"{path}::?"
                elif older is None:
                    if told.lost(path):
                        yield name, owner, f"{path}::?"
                elif name in older:
                    yield name, owner, older[name]
        elif not run.stopped and not run.unlaid and path not in told.passed_over:
            for name, owner in names.items():
                if name not in there and "[" not in name:
                    yield name, owner, name


def plain_message(text: str) -> str:
    """A message without what differs from run to run."""
    return ADDRESS.sub("0x...", text)[-MOST_MESSAGE:]
