"""From a history to tickets: a commit is one only if its tests fail before it and pass after it, three times of three.

The series is the main line's. What commits without tests of their own have changed goes with the next ticket, so that
the reference's tree after a ticket is that commit's own tree, and every tree is one that there was.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from takt.errors import TaktError
from takt.stations.codedesk.altering import known_tests
from takt.stations.codedesk.collecting import rules_of
from takt.stations.codedesk.inspection import inspect, suite_of
from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.laying import function_of
from takt.stations.codedesk.mining import outcomes
from takt.stations.codedesk.mining.documented import examples_changed, where_examples_are
from takt.stations.codedesk.mining.found import LARGE, NOT_RUN, Mining, Rejected
from takt.stations.codedesk.mining.history import FILE_MODES, Commit, History, source_text
from takt.stations.codedesk.mining.litter import is_litter
from takt.stations.codedesk.mining.metadata import made_for
from takt.stations.codedesk.mining.moved import moved
from takt.stations.codedesk.mining.reading import named_by, resolved, told_of
from takt.stations.codedesk.mining.runner import Pytest, Runner
from takt.stations.codedesk.mining.said import has_load_tests
from takt.stations.codedesk.mining.telling import kind_of, text_of, title_of
from takt.stations.codedesk.mounts import named_python, own_python, python_folders, site_folders
from takt.stations.codedesk.repository import files_of, unfit
from takt.stations.codedesk.sandbox import Limits, Sandbox
from takt.stations.codedesk.tickets import Ticket, as_text, changed
from takt.stations.codedesk.trees import Unlaid, as_file

RUNS = 3
SLOW_S = 60.0  # a commit's tests that take longer are those alone that it wrote or changed
FEW = 10  # tests of which one may come out differently from run to run: it is left out then
WALL_S = 300.0  # of one run of a commit's tests
MOST_TITLE = 200  # characters
Tree = Mapping[str, str | bytes]


def mine(
    repository: Path,
    since: str | None = None,
    most: int | None = None,
    python: str = "python3",
    install: str | None = None,
    told: Callable[[int, int, str], None] = lambda done, of, what: None,
    runner: Runner | None = None,
    root: str = "",
) -> Mining:
    """Go through the history after `since`, at most its `most` newest commits. `told` hears of each commit.

    `python` is a Python of a virtual environment that has what the tests need; `install` a command that is run in the
    sandbox, in each commit's tree, before its tests (to build, say). `root` is the folder of the repository that is
    mined as if it were all, "" for the top. TaktError where there is nothing to read or run.
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
        raise TaktError(_why_no_pytest(own))
    repository = repository.absolute()
    name = repository.name.removesuffix(".git") or "repository"
    runner = runner or Pytest()
    with History(repository, root) as history:
        names = history.main_line(since, most)
        miner = _Miner(history, Mining(name, command), sandbox, runner, install)
        for done, commit in enumerate(map(history.commit, names)):
            what = miner.look_at(commit) if done else miner.begin(commit)
            told(
                done + 1,
                len(names),
                f"{commit.name[:10]} {what}: {title_of(commit.message, history.merged(commit)) or commit.subject}",
            )
        found = miner.found
        found.elsewhere = [] if root or found.tickets else history.configured({*runner.configured_by, "setup.py"})
    found.commits, found.seconds = len(names), time.monotonic() - began
    return found


def _lacks_pytest(sandbox: Sandbox, python: tuple[str, ...]) -> bool:
    """Whether this Python cannot import pytest, as an agent would run it."""
    with sandbox.open() as room:
        return bool(room.run([*python, "-c", "import pytest"]).code)


def _why_no_pytest(python: str) -> str:
    """Why a Python has no pytest in the sandbox, and what to do."""
    folder = Path(python).parent.parent
    site = {str(one) for one in site_folders(own_python().parent.parent)}
    if any(Path(one).is_relative_to(place) for one in site for place in (folder, folder.resolve())):
        return (
            f"--python {python} is of the environment that Takt itself is installed in, of which agents see nothing; "
            "make the project one of its own, with pytest and what its tests need: python3 -m venv .venv-tests"
        )
    return f"{python} has no pytest, so that no agent could run the tests; install it there"


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
            self.history.files({path: one for path, one in commit.tree.items() if self.runner.wants(path)})
        )
        differing = [
            path for path in sorted({*self.names, *commit.tree}) if self.names.get(path) != commit.tree.get(path)
        ]
        own = [path for path in differing if self.before.get(path) != commit.tree.get(path)]
        may = [
            path for path in own if runner.is_test(path) and path in commit.tree and commit.tree[path][0] in FILE_MODES
        ]
        texts = self.history.files({path: commit.tree[path] for path in may})
        tests = [path for path in may if path in texts and runner.is_test(path, texts[path])]
        examples = examples_changed(self.history, self.before, commit.tree, own, runner)
        if not tests and not examples:
            return self._no_test(commit, own)
        if all(runner.belongs(path) for path in differing):
            return "tests only", ""
        files = self.history.files(commit.tree)
        if why := unfit(files, self.sandbox.limits.disk_mb):
            return LARGE, why
        if not self.found.tickets and (why := unfit(self.found.start, self.sandbox.limits.disk_mb)):
            return LARGE, f"before it: {why}"
        laid = self._laid()
        shared = (path for path in differing if path in files and (runner.belongs(path) or path in laid))
        support = {
            path: as_text(source_text(file) if path.endswith(".py") else file)
            for path in shared
            if (path in tests or not runner.is_test(path)) and (file := resolved(files, path)) is not None
        }
        merged = self.history.merged(commit)
        title = title_of(commit.message, merged)
        if not title:
            return "says nothing", commit.subject
        built, wrong = self._built(files, commit.name)
        if wrong:
            return "does not install", wrong
        settings = {**runner.settings(files), **built}
        files = {**files, **built}  # in the agent's tree as well, which is to be one that runs
        if not self.found.tickets:
            self.tree = self.found.start = {**self.tree, **self._built(self.tree, commit.parent or "")[0]}
        hidden = {path: text for path, text in support.items() if not path.endswith("conftest.py")} | examples
        names_of = [file for path, file in (*support.items(), *settings.items()) if path.endswith(".py")]
        data = {
            path: resolved(files, path) for path in named_by(names_of, differing, files) if not runner.belongs(path)
        }
        text, named = text_of(
            commit.message,
            [*self.between, *(one for one in merged if title_of(one))],
            _sources(self.tree, differing, runner),
            _sources(files, differing, runner),
            {path: hidden[path] for path in tests},
            title[:MOST_TITLE],
        )
        ticket = Ticket(
            number=len(self.found.tickets),
            title=title[:MOST_TITLE],
            text=text,
            kind=kind_of(f"{title}\n{commit.message}"),
            named=named,
            hidden=hidden,
            settings=settings,
            reference=_difference(self.tree, files),
            retires=self._deleted(commit),
            level="plain",
            again=self._again(hidden, settings),
            moved=self._moved(commit, {path: files[path] for path in differing if path in files and path not in tests}),
        )
        return self._judge(ticket, files, commit, {path: resolved(files, path) for path in data})

    def _no_test(self, commit: Commit, own: Iterable[str]) -> tuple[str, str]:
        """Why a commit has no test: by name, if it has some that the runner is not the one for."""
        paths = {path: commit.tree[path] for path in own if path in commit.tree and path.endswith(".py")}
        loads = [path for path, file in self.history.files(paths).items() if has_load_tests(file)]
        return (NOT_RUN, f"load_tests in {loads[0]}") if loads else ("no test", "")

    def _passes_without(self, data: Iterable[str], ticket: Ticket, files: Tree) -> bool:
        """Whether the ticket's tests pass with the commit where these files are as they were before it."""
        there = {path: file for path, file in files.items() if path not in data}
        there |= {path: self.tree[path] for path in data if path in self.tree}
        return self._run(there, ticket, alone=True).own_pass

    def _judge(
        self, ticket: Ticket, files: Tree, commit: Commit, data: Mapping[str, str | bytes | None]
    ) -> tuple[str, str]:
        """Three runs after and three before, the two that tell most first.

        A few tests that come out differently are left out; then it must hold without them. `data`: files beside code
        that the tests name; they are laid for them, and told, if the tests do not pass without.
        """
        began = time.monotonic()
        after = [self._run(files, ticket)]
        if lost := outcomes.lost_files(after[0]):  # they import what is no longer there
            ticket, began = replace(ticket, retires=(*ticket.retires, *lost)), time.monotonic()
            after = [self._run(files, ticket)]
        if time.monotonic() - began > SLOW_S and (same := self._unchanged(ticket)):
            ticket = replace(ticket, retires=(*ticket.retires, *same))
            after = [self._run(files, ticket)]
        if after[0].tampered or after[0].build or not after[0].passed:
            return outcomes.ended(after[0])
        ticket = replace(ticket, retires=(*ticket.retires, *outcomes.lost(after[0])))
        if any(data.values()) and not self._passes_without(data, ticket, files):
            read = {path: as_text(file) for path, file in data.items() if file is not None}
            ticket = replace(ticket, hidden={**ticket.hidden, **read}, text=f"{ticket.text}\n{told_of(read)}\n")
        before = [self._run(self.tree, ticket, alone=True)]
        if before[0].own_pass:
            return "passes before", ""
        shaky = set[str]()
        for _ in range(RUNS - 1):
            after.append(self._run(files, ticket))
            if not after[-1].own_pass and not outcomes.differ_singly(after[-1]):
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

    def _laid(self) -> dict[str, tuple[int, str]]:
        """What the tickets so far lay over a tree, the newest of each path, and of which ticket it is."""
        found: dict[str, tuple[int, str]] = {}
        for one in self.found.tickets:
            found |= {new: (found[path][0], text) for path, (new, text) in one.moved.items() if path in found}
            found |= {path: (one.number, text) for path, text in one.hidden.items()}
        return found

    def _deleted(self, commit: Commit) -> tuple[str, ...]:
        """Files of earlier tickets, tests or what tests need, that the commit has no longer."""
        tickets, laid = self.found.tickets, self._laid()
        kept = {*commit.tree, *where_examples_are(self.history, commit.tree, laid, self.runner)}
        return tuple(
            path
            for path, (number, _) in laid.items()
            if path not in kept and not any(path in one.retires for one in tickets[number + 1 :])
        )

    def _moved(self, commit: Commit, files: Tree) -> dict[str, tuple[str, str]]:
        """Tests of earlier tickets that lie elsewhere since commits that are no tickets: old path -> new path, text."""
        laid = self._laid()
        gone = {path: laid[path][1] for path in self._deleted(commit) if self.runner.is_test(path)}
        come = {path: source_text(file) for path, file in files.items() if path not in self.names}
        return moved(gone, {path: text for path, text in come.items() if self.runner.is_test(path)})

    def _again(self, hidden: Mapping[str, str], settings: Mapping[str, str]) -> tuple[str, ...]:
        """Tests that earlier tickets have retired and that these files have, worded otherwise: they hold anew."""
        retired = {one for ticket in self.found.tickets for one in ticket.retires if "::" in one}
        rules = rules_of(settings.get("pytest.ini", ""))
        known = known_tests({path: text for path, (_, text) in self._laid().items()}, rules)
        anew = {
            f"{path}::{test.name}"
            for path, text in hidden.items()
            if path.endswith(".py") and any(one.startswith(f"{path}::") for one in retired)
            for test in rules.tests(text)
            if not known(path, test)
        }
        return tuple(sorted(one for one in retired if function_of(one) in anew))

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

    def _built(self, files: Tree, commit: str) -> tuple[Mapping[str, str], str]:
        """What a commit's tree has not and an installation would: of the install command, and metadata; or what is
        wrong with the former."""
        built, wrong = self._install(files)
        return {**built, **made_for({**files, **built}, lambda: self.history.tag(commit))}, wrong

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
            said = outcomes.in_short((ran.stderr or ran.stdout).decode(errors="replace"))
            return {}, said or f"ended by {ran.ended_by}, code {ran.code}"
        built = {}
        for path, file in ran.changed.items():
            if file is None or path in files or path.startswith(".git/") or is_litter(path, ran.changed):
                continue
            if file[0].startswith("f"):
                try:
                    built[path] = file[1].decode()
                except UnicodeDecodeError:
                    continue
        return built, ""


def _sources(tree: Tree, paths: list[str], runner: Runner) -> Tree:
    return {path: tree[path] for path in paths if path in tree and not runner.belongs(path)}


def _difference(before: Tree, after: Tree) -> dict[str, str | bytes | None]:
    found: dict[str, str | bytes | None] = {
        path: file for path, file in after.items() if path not in before or as_file(before[path]) != as_file(file)
    }
    found.update({path: None for path in before if path not in after})
    return dict(sorted(found.items()))
