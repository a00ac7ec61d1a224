"""What the records of an inspection come to: which tests pass, which are broken, and of which nothing is known."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from signal import Signals

from takt.stations.codedesk.laying import Run, Suite, tests_among
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


def judged(run: Run, suite: Suite, ticket: Ticket) -> Inspection:
    """What the records come to."""
    told = run.told
    message = run.unlaid or run.why_stopped
    none = run.stopped and not told.items  # the tests were ended before it was known which there are
    own: list[str] = []
    broken: dict[int, list[str]] = {}
    passed = 0
    for node in dict.fromkeys([*run.items(), *(f"{path}::?" for path in suite.files if none or told.lost(path))]):
        path = node.split("::", 1)[0]
        if path not in suite.owners or not suite.holds(node):
            continue
        passes = told.outcomes.get(node, False)
        unsaid = run.stopped and not run.unlaid and node not in told.outcomes and not told.lost(path)
        if suite.owners[path] == ticket.number:
            passed += passes
            own += [] if passes else [node]
        elif not passes and not unsaid:
            broken.setdefault(suite.owners[path], []).append(node)
    lost = [path for path in suite.files if suite.owners[path] != ticket.number and told.lost(path)]
    build = run.unlaid
    if not build and told.syntax and (own or broken):  # a file that nobody imports need not be Python's of today
        build = told.syntax[0]
    build = build or (told.message_of(lost[0]) if lost else told.unbegun)
    for node in [*own, *(node for nodes in broken.values() for node in nodes)]:
        message = message or told.messages.get(node) or told.message_of(node.split("::", 1)[0])
    if not passed and not own:
        own = ["no test was run"]
    unknown: list[str] = []
    for path in tests_among(suite) if run.stopped and not run.unlaid else ():
        if suite.owners[path] != ticket.number and not run.through(path):
            items = run.items(path)
            unknown += [node for node in items if node not in told.outcomes] if items else [f"{path}::?"]
    return Inspection(
        passed=passed,
        failed=tuple(sorted(own)),
        broken={number: tuple(sorted(nodes)) for number, nodes in sorted(broken.items())},
        tampered=run.tampering(),
        build=plain_message(build),
        message=plain_message(message),
        health=told.health,
        unknown=tuple(unknown),
    )


def plain_message(text: str) -> str:
    """A message without what differs from run to run."""
    return ADDRESS.sub("0x...", text)[-MOST_MESSAGE:]
