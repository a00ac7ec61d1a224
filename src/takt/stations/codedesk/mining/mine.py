"""From a history to tickets: a commit is one only if its tests fail before it and pass after it, three times of three.

The series is the main line's. What commits without tests of their own have changed goes with the next ticket, so that
the reference's tree after a ticket is that commit's own tree, and every tree is one that there was.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from takt.errors import TaktError
from takt.stations.codedesk.altering import known_tests
from takt.stations.codedesk.collecting import rules_of
from takt.stations.codedesk.inspection import inspect, suite_of
from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.laying import function_of
from takt.stations.codedesk.mining.history import FILE_MODES, Commit, History, source_text
from takt.stations.codedesk.mining.runner import Pytest, Runner
from takt.stations.codedesk.mining.telling import kind_of, text_of, title_of
from takt.stations.codedesk.mounts import named_python, python_folders
from takt.stations.codedesk.repository import files_of, unfit
from takt.stations.codedesk.sandbox import Limits, Sandbox
from takt.stations.codedesk.tickets import FORMAT, SERIES_FILE, Ticket, changed, ticket_as_json, tree_as_json
from takt.stations.codedesk.trees import Unlaid, as_file

RUNS = 3
SLOW_S = 60.0  # a commit's tests that take longer are those alone that it wrote or changed
FEW = 10  # tests of which one may come out differently from run to run: it is left out then
WALL_S = 300.0  # of one run of a commit's tests
Tree = Mapping[str, str | bytes]
LARGE = "too large"
REASONS = (
    "the first commit",
    "no test",
    "tests only",
    "tests need binary files",
    LARGE,
    "does not install",
    "fails after",
    "passes before",
    "says nothing",
    "flaky",
    "takes too long",
)


@dataclass(frozen=True)
class Rejected:
    """A commit that is no ticket, and why."""

    commit: str
    subject: str
    reason: str  # one of REASONS
    detail: str = ""


@dataclass
class Mining:
    """What came of mining. It is a series of its own while it grows."""

    name: str
    python: tuple[str, ...]
    start: Tree = field(default_factory=dict)
    tickets: list[Ticket] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    commits: int = 0
    seconds: float = 0.0

    @property
    def length(self) -> int | None:
        return len(self.tickets)

    def base(self) -> Tree:
        return self.start

    def ticket(self, number: int) -> Ticket:
        return self.tickets[number]

    def counts(self) -> dict[str, int]:
        """How many commits were rejected, by reason, in the order of REASONS."""
        found = Counter(one.reason for one in self.rejected)
        return {reason: found[reason] for reason in REASONS if found[reason]}


def mine(
    repository: Path,
    since: str | None = None,
    most: int | None = None,
    python: str = "python3",
    install: str | None = None,
    told: Callable[[int, int, str], None] = lambda done, of, what: None,
    runner: Runner | None = None,
) -> Mining:
    """Go through the history after `since`, at most its `most` newest commits. `told` hears of each commit.

    `python` is a Python of a virtual environment that has what the tests need; `install` a command that is run in the
    sandbox, in each commit's tree, before its tests (to build, say). TaktError where there is nothing to read or run.
    """
    began = time.monotonic()
    command = tuple(shlex.split(python))
    if not command:
        raise TaktError("--python must name a Python")
    if "/" in command[0]:
        if not Path(command[0]).exists():
            raise TaktError(f"there is no Python {command[0]}")
        command = (str(Path(command[0]).absolute()), *command[1:])
    own = named_python(command)
    sandbox = Sandbox(programs=python_folders(own), python=own)
    if own and _lacks_pytest(sandbox, command):
        raise TaktError(f"{own} has no pytest, so that no agent could run the tests; install it there")
    repository = repository.absolute()
    name = repository.name.removesuffix(".git") or "repository"
    with History(repository) as history:
        names = history.main_line(since, most)
        miner = _Miner(history, Mining(name, command), sandbox, runner or Pytest(), install)
        for done, commit in enumerate(map(history.commit, names)):
            what = miner.look_at(commit) if done else miner.begin(commit)
            told(
                done + 1,
                len(names),
                f"{commit.name[:10]} {what}: {title_of(commit.message, history.merged(commit)) or commit.subject}",
            )
    found = miner.found
    found.commits, found.seconds = len(names), time.monotonic() - began
    return found


def _lacks_pytest(sandbox: Sandbox, python: tuple[str, ...]) -> bool:
    """Whether this Python cannot import pytest, as an agent would run it."""
    with sandbox.open() as room:
        return bool(room.run([*python, "-c", "import pytest"]).code)


class _Miner:
    """Where mining stands: the reference's tree, and what has come since its last ticket."""

    def __init__(self, history: History, found: Mining, sandbox: Sandbox, runner: Runner, install: str | None) -> None:
        self.history, self.found, self.runner, self.install = history, found, runner, install
        self.sandbox = replace(sandbox, limits=Limits(wall_s=WALL_S, memory_mb=2048, disk_mb=512, effect_mb=32))
        self.tree: Tree = {}
        self.names: Mapping[str, tuple[str, str]] = {}
        self.between: list[str] = []
        self.before: Mapping[str, tuple[str, str]] = {}  # the tree of the commit before

    def begin(self, first: Commit) -> str:
        """The first commit, and the tree before it. Where there is none (a root, or a shallow clone's end), the series
        begins with the commit's own tree: nobody is asked to write a repository from nothing."""
        try:
            self.names = self.history.tree(first.parent) if first.parent else {}
        except TaktError:
            self.names = {}
        if not self.names:
            self._stand_at(first)
            self.found.start = self.tree
            self.found.rejected.append(Rejected(first.name, first.subject, "the first commit"))
            return "the first commit"
        self.tree = self.history.files(self.names)
        self.found.start = self.tree
        self.before = self.names
        return self.look_at(first)

    def look_at(self, commit: Commit) -> str:
        """Make a ticket of a commit, or note why not; what it became, in a word."""
        reason, detail = self._reason(commit)
        self.before = commit.tree
        self.history.keep(self.names, commit.tree)
        if reason:
            title = title_of(commit.message, self.history.merged(commit))
            self.found.rejected.append(Rejected(commit.name, title or commit.subject, reason, detail))
            self.between += [title] if title else []
            if not self.found.tickets:  # nothing was asked yet: the series may as well begin here
                self._stand_at(commit)
                self.found.start = self.tree
                self.between = []
            return f"{reason} ({detail})" if detail else reason
        return "a ticket"

    def _stand_at(self, commit: Commit) -> None:
        self.names, self.tree, self.before = commit.tree, self.history.files(commit.tree), commit.tree

    def _reason(self, commit: Commit) -> tuple[str, str]:
        runner = self.runner = self.runner.of(
            self.history.files({path: one for path, one in commit.tree.items() if path in self.runner.configured_by})
        )
        differing = [
            path for path in sorted({*self.names, *commit.tree}) if self.names.get(path) != commit.tree.get(path)
        ]
        own = [path for path in differing if self.before.get(path) != commit.tree.get(path)]
        tests = [
            path for path in own if runner.is_test(path) and path in commit.tree and commit.tree[path][0] in FILE_MODES
        ]
        if not tests:
            return "no test", ""
        if all(runner.belongs(path) for path in differing):
            return "tests only", ""
        files = self.history.files(commit.tree)
        if why := unfit(files, self.sandbox.limits.disk_mb):
            return LARGE, why
        if not self.found.tickets and (why := unfit(self.found.start, self.sandbox.limits.disk_mb)):
            return LARGE, f"before it: {why}"
        support = {
            path: source_text(files[path]) if path.endswith(".py") else files[path]
            for path in differing
            if path in files and runner.belongs(path) and (path in tests or not runner.is_test(path))
        }
        if binary := [path for path, file in support.items() if isinstance(file, bytes)]:
            return "tests need binary files", binary[0]
        merged = self.history.merged(commit)
        title = title_of(commit.message, merged)
        if not title:
            return "says nothing", commit.subject
        built, wrong = self._install(files)
        if wrong:
            return "does not install", wrong
        settings = {**runner.settings(files), **built}
        files = {**files, **built}  # in the agent's tree as well, which is to be one that runs
        if not self.found.tickets:
            self.tree = self.found.start = {**self.tree, **self._install(self.tree)[0]}
        hidden = {path: str(text) for path, text in support.items() if not path.endswith("conftest.py")}
        text, named = text_of(
            commit.message,
            [*self.between, *(one for one in merged if title_of(one))],
            _sources(self.tree, differing, runner),
            _sources(files, differing, runner),
            {path: hidden[path] for path in tests},
        )
        ticket = Ticket(
            number=len(self.found.tickets),
            title=title[:200],
            text=text,
            kind=kind_of(f"{title}\n{commit.message}"),
            named=named,
            hidden=hidden,
            settings=settings,
            reference=_difference(self.tree, files),
            retires=(),
            level="plain",
        )
        return self._judge(ticket, files, commit)

    def _judge(self, ticket: Ticket, files: Tree, commit: Commit) -> tuple[str, str]:
        """Three runs after and three before, the two that tell most first.

        A few tests that come out differently are left out; then it must hold without them.
        """
        began = time.monotonic()
        after = [self._run(files, ticket)]
        if time.monotonic() - began > SLOW_S and (same := self._unchanged(ticket)):
            ticket = replace(ticket, retires=same)
            after = [self._run(files, ticket)]
        if after[0].tampered or after[0].build or not after[0].passed:
            return _ended(after[0])
        ticket = replace(ticket, retires=(*ticket.retires, *_lost(after[0])))
        before = [self._run(self.tree, ticket, alone=True)]
        if before[0].own_pass:
            return "passes before", ""
        shaky = set[str]()
        for _ in range(RUNS - 1):
            after.append(self._run(files, ticket))
            if not after[-1].own_pass and not _differ_singly(after[-1]):
                return "flaky", f"after: {', '.join(after[-1].failed[:3]) or after[-1].tampered or after[-1].build}"
            before.append(self._run(self.tree, ticket, alone=True))
            if (other := set(before[-1].failed) ^ set(before[0].failed)) and any(one.endswith("::?") for one in other):
                return "flaky", "before: other files fail each time"
            shaky |= {function_of(node) for node in (*after[-1].failed, *other)}
        if shaky:
            said = f"{len(shaky)} of its tests, {sorted(shaky)[0]} for one"
            if len(shaky) * FEW > after[0].passed:
                return "flaky", said
            ticket = replace(ticket, retires=(*ticket.retires, *sorted(shaky)))
            if not self._run(files, ticket).own_pass or self._run(self.tree, ticket, alone=True).own_pass:
                return "flaky", said
        ticket = replace(ticket, touches=tuple(sorted({one for run in after for one in run.touches})))
        broken = dict.fromkeys(node for one in after for nodes in one.broken.values() for node in nodes)
        ticket = replace(ticket, retires=tuple(dict.fromkeys([*ticket.retires, *broken])))
        self.found.tickets.append(ticket)
        self.tree, self.names, self.between = changed(self.tree, ticket.reference), commit.tree, []
        return "", ""

    def _unchanged(self, ticket: Ticket) -> tuple[str, ...]:
        """Tests of the ticket's files that were there before, word for word."""
        rules = rules_of(ticket.settings.get("pytest.ini", ""))
        known = known_tests(self.tree, rules)
        return tuple(
            f"{path}::{test.name}"
            for path, text in ticket.hidden.items()
            if path.endswith(".py")
            for test in rules.tests(text)
            if known(path, test)
        )

    def _run(self, tree: Tree, ticket: Ticket, alone: bool = False) -> Inspection:
        """A ticket's tests on a tree; those of the tickets before as well, unless it runs alone."""
        growing = replace(self.found, tickets=[*self.found.tickets, ticket])
        gone = [one for earlier in growing.tickets for one in earlier.retires]
        accepted = [] if alone else list(range(ticket.number))
        suite = suite_of(growing, ticket, accepted, gone)
        files = files_of(tree)
        return inspect(self.sandbox, files, suite, ticket, growing, WALL_S, shown=lambda: tree, once=True)

    def _install(self, files: Tree) -> tuple[Mapping[str, str], str]:
        """What the install command adds to the tree, or what is wrong with it."""
        if self.install is None:
            return {}, ""
        with self.sandbox.open() as room:
            try:
                room.put(files_of(files))
            except Unlaid as error:
                return {}, str(error)
            ran = room.run(["sh", "-c", self.install])
        if ran.ended_by != "exit" or ran.code:
            said = " ".join((ran.stderr or ran.stdout).decode(errors="replace").split())
            return {}, said[-200:] or f"ended by {ran.ended_by}, code {ran.code}"
        built = {}
        for path, file in ran.changed.items():
            if file is not None and file[0].startswith("f") and path not in files and not path.startswith(".git/"):
                try:
                    built[path] = file[1].decode()
                except UnicodeDecodeError:
                    continue
        return built, ""


def _ended(after: Inspection) -> tuple[str, str]:
    message = after.tampered or after.build or after.message or ", ".join(after.failed[:3])
    if after.message.endswith("ended by their limit: time"):
        return "takes too long", after.message
    return "fails after", " ".join(message.split())[-200:]


def _differ_singly(after: Inspection) -> bool:
    """Whether it is single tests that failed, and not a file or more."""
    return not (after.tampered or after.build or any(one.endswith("::?") or "::" not in one for one in after.failed))


def _lost(after: Inspection) -> tuple[str, ...]:
    """Tests of the ticket's own files that fail with the commit itself too, here: they are no part of what is asked."""
    return tuple(node for node in after.failed if "::" in node and not node.endswith("::?"))


def _sources(tree: Tree, paths: list[str], runner: Runner) -> Tree:
    return {path: tree[path] for path in paths if path in tree and not runner.belongs(path)}


def _difference(before: Tree, after: Tree) -> dict[str, str | bytes | None]:
    found: dict[str, str | bytes | None] = {
        path: file for path, file in after.items() if path not in before or as_file(before[path]) != as_file(file)
    }
    found.update({path: None for path in before if path not in after})
    return dict(sorted(found.items()))


def write(found: Mining, out: Path) -> None:
    """The series as a folder, whole or not at all. TaktError where there is something already, or no ticket."""
    if not found.tickets:
        raise TaktError(
            f"none of the {found.commits} commits of {found.name} is a ticket: " + (told_of(found) or "there is none")
        )
    if out.exists():
        raise TaktError(f"{out} is there already; name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        about = {"format": FORMAT, "name": found.name, "tickets": len(found.tickets), "python": list(found.python)}
        _write(folder / SERIES_FILE, about)
        _write(folder / "base.json", tree_as_json(found.start))
        (folder / "tickets").mkdir()
        for ticket in found.tickets:
            _write(folder / "tickets" / f"{ticket.number:04}.json", ticket_as_json(ticket))
        rejected = [
            {"commit": one.commit, "subject": one.subject, "reason": one.reason, "detail": one.detail}
            for one in found.rejected
        ]
        _write(folder / "rejected.json", {"commits": found.commits, "rejected": rejected})
        folder.chmod(0o755)
        os.rename(folder, out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def told_of(found: Mining) -> str:
    """The reasons with their counts, in words; why a tree is too large, by the first that is."""
    large = next((f" ({one.detail})" for one in found.rejected if one.reason == LARGE), "")
    return ", ".join(f"{count} {reason}{large if reason == LARGE else ''}" for reason, count in found.counts().items())


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
