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
from typing import Any

from takt.errors import TaktError
from takt.stations.codedesk.layouts import FILES, as_imported, roots_of
from takt.stations.codedesk.mining import outcomes
from takt.stations.codedesk.mining.documented import examples_changed, examples_in, where_examples_are
from takt.stations.codedesk.mining.found import LARGE, NOT_RUN, Mining, Rejected
from takt.stations.codedesk.mining.history import FILE_MODES, Commit, History
from takt.stations.codedesk.mining.kept import Kept
from takt.stations.codedesk.mining.litter import is_litter
from takt.stations.codedesk.mining.metadata import made_for
from takt.stations.codedesk.mining.moved import moved
from takt.stations.codedesk.mining.owning import WALL_S, Asked, Owning, Which
from takt.stations.codedesk.mining.reading import named_by, resolved
from takt.stations.codedesk.mining.runner import Pytest, Runner
from takt.stations.codedesk.mining.said import has_load_tests
from takt.stations.codedesk.mining.telling import kind_of, text_of, title_of
from takt.stations.codedesk.mounts import lies_at, named_python, own_python, python_folders, site_folders
from takt.stations.codedesk.repository import files_of, unfit
from takt.stations.codedesk.sandbox import Limits, Sandbox
from takt.stations.codedesk.tickets import (
    FORMAT,
    Ticket,
    as_text,
    changed,
    ticket_as_json,
    ticket_of,
    tree_as_json,
    tree_of,
)
from takt.stations.codedesk.trees import Unlaid, as_file, source_text

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
    suite: Which = "auto",
    kept: Path | None = None,
) -> Mining:
    """Go through the history after `since`, at most its `most` newest commits. `told` hears of each commit.

    `python` is a Python of a virtual environment that has what the tests need; `install` a command that is run in the
    sandbox, in each commit's tree, before its tests (to build, say). `root` is the folder of the repository that is
    mined as if it were all, "" for the top. `suite`: which test files are asked for beside those that tickets change;
    `auto`: all of them, unless they take longer than SLOW_S. `kept`: a file for what is done so far (`kept.py`).
    TaktError where there is nothing to read or run.
    """
    began = time.monotonic()
    command = tuple(shlex.split(python))
    if not command:
        raise TaktError("--python must name a Python")
    if "/" in command[0]:
        if not Path(command[0]).exists():
            raise TaktError(f"there is no Python {command[0]}")
        command = (str(lies_at(command[0])), *command[1:])
    own = named_python(command)
    sandbox = Sandbox(programs=python_folders(own), python=own)
    if own and _lacks_pytest(sandbox, command):
        raise TaktError(_why_no_pytest(own))
    repository = repository.resolve()
    name = repository.name.removesuffix(".git") or "repository"
    runner = runner or Pytest()
    with History(repository, root) as history:
        names = history.main_line(since, most)
        miner = _Miner(history, Mining(name, command), sandbox, runner, install, suite)
        asked = {"format": FORMAT, "repository": str(repository), "since": since, "most": most, "python": command}
        keeps = Kept(kept, {**asked, "install": install, "root": root, "suite": suite}, names)
        for done, commit in enumerate(map(history.commit, names)):
            row = keeps.rows.get(commit.name)
            what = miner.look_at(commit, row) if done else miner.begin(commit, row)
            if row is None:
                keeps.add(miner.row(commit))
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

    def __init__(
        self,
        history: History,
        found: Mining,
        sandbox: Sandbox,
        runner: Runner,
        install: str | None,
        suite: Which = "auto",
    ) -> None:
        self.history, self.found, self.runner, self.install = history, found, runner, install
        self.sandbox = replace(sandbox, limits=Limits(wall_s=WALL_S, memory_mb=2048, disk_mb=512, effect_mb=32))
        self.owning = Owning(found, self.sandbox, suite)
        self.tree: Tree = {}
        self.names: Mapping[str, tuple[str, str]] = {}
        self.between: list[str] = []
        self.before: Mapping[str, tuple[str, str]] = {}  # the tree of the commit before

    def begin(self, first: Commit, row: Mapping[str, Any] | None = None) -> str:
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
        return self.look_at(first, row)

    def look_at(self, commit: Commit, row: Mapping[str, Any] | None = None) -> str:
        """Make a ticket of a commit, or note why not; what it became, in a word. `row`: what it was before (`row`)."""
        reason, detail = self._reason(commit) if row is None else self._again(commit, row)
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
        left = self.found.left_out.get(len(self.found.tickets) - 1, [])
        return f"a ticket, without {len(left)} of its tests ({left[0]} ...)" if left else "a ticket"

    def row(self, commit: Commit) -> dict[str, Any]:
        """What came of the commit that was looked at last, as it is kept."""
        told = {"commit": commit.name, "whole": self.owning.whole, "suite": self.found.suite}
        if self.found.rejected and self.found.rejected[-1].commit == commit.name:
            return told | {"reason": self.found.rejected[-1].reason, "detail": self.found.rejected[-1].detail}
        first = {"start": tree_as_json(self.found.start)} if len(self.found.tickets) == 1 else {}
        left = self.found.left_out.get(len(self.found.tickets) - 1, [])
        return told | first | {"ticket": ticket_as_json(self.found.tickets[-1]), "left": left}

    def _again(self, commit: Commit, row: Mapping[str, Any]) -> tuple[str, str]:
        """What `_reason` does, by what came of it before."""
        self.owning.whole, self.found.suite = bool(row["whole"]), str(row["suite"])
        if "ticket" not in row:
            return str(row["reason"]), str(row["detail"])
        if "start" in row:
            self.tree = self.found.start = tree_of(row["start"])
        ticket = ticket_of(row["ticket"])
        self.found.tickets.append(ticket)
        self.owning.stands.add(ticket)
        self.found.left_out |= {ticket.number: list(row["left"])} if row["left"] else {}
        self.tree, self.names, self.between = changed(self.tree, ticket.reference), commit.tree, []
        return "", ""

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
        laid = self.owning.stands.files
        shared = (path for path in differing if path in files and (runner.belongs(path) or path in laid))
        support = {
            path: as_text(source_text(file) if path.endswith(".py") else file)
            for path in shared
            if (file := resolved(files, path)) is not None
        }
        merged = self.history.merged(commit)
        title = title_of(commit.message, merged)
        if not title:
            return "says nothing", commit.subject if commit.message else ""
        built, wrong = self._built(files, commit.name)
        if wrong:
            return "does not install", wrong
        settings = {**runner.settings(files), **built}
        files = {**files, **built}  # in the agent's tree as well, which is to be one that runs
        if not self.found.tickets:
            self.tree = self.found.start = {**self.tree, **self._built(self.tree, commit.parent or "")[0]}
        hidden = {path: text for path, text in support.items() if not path.endswith("conftest.py")}
        hidden |= examples_changed(self.history, self.names, commit.tree, differing, runner)
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
            moved=self._moved(commit, {path: files[path] for path in differing if path in files and path not in tests}),
        )
        rest = self._rest(commit, files, hidden)
        helps = any(runner.belongs(path) and not runner.is_test(path) for path in own if path.endswith(".py"))
        read = {path: resolved(files, path) for path in data}
        reason = self.owning.judge(Asked(ticket, self.tree, files, {*tests, *examples}, rest, read, helps))
        if not reason[0]:
            ticket = self.found.tickets[-1]
            self.tree, self.names, self.between = changed(self.tree, ticket.reference), commit.tree, []
        return reason

    def _no_test(self, commit: Commit, own: Iterable[str]) -> tuple[str, str]:
        """Why a commit has no test: by name, if it has some that the runner is not the one for."""
        paths = {path: commit.tree[path] for path in own if path in commit.tree and path.endswith(".py")}
        loads = [path for path, file in self.history.files(paths).items() if has_load_tests(file)]
        return (NOT_RUN, f"load_tests in {loads[0]}") if loads else ("no test", "")

    def _rest(self, commit: Commit, files: Tree, hidden: Mapping[str, str]) -> dict[str, str]:
        """The repository's other files of tests and what they need, for the first ticket."""
        if self.found.tickets or not self.owning.whole:
            return {}
        there = [path for path in files if self.runner.belongs(path) and not path.endswith("conftest.py")]
        shared = {path: file for path in there if (file := resolved(files, path)) is not None}
        texts = {path: as_text(source_text(file) if path.endswith(".py") else file) for path, file in shared.items()}
        if self.runner.docstrings:
            texts |= examples_in(self.history, commit.tree, commit.tree, self.runner)
        return {path: text for path, text in texts.items() if path not in hidden}

    def _deleted(self, commit: Commit) -> tuple[str, ...]:
        """Files that are laid for tests, and that the commit has no longer."""
        laid = self.owning.stands.files
        kept = {*commit.tree, *where_examples_are(self.history, commit.tree, laid, self.runner)}
        return tuple(path for path in laid if path not in kept)

    def _moved(self, commit: Commit, files: Tree) -> dict[str, tuple[str, str]]:
        """Tests of earlier tickets that lie elsewhere since commits that are no tickets: old path -> new path, text."""
        laid = self.owning.stands.files
        gone = {path: laid[path] for path in self._deleted(commit) if self.runner.is_test(path)}
        come = {path: source_text(file) for path, file in files.items() if path not in self.names}
        return moved(gone, {path: text for path, text in come.items() if self.runner.is_test(path)})

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
    """Code, by paths as it is imported: from wherever packages lie."""
    texts = {name: str(tree[name]) for name in FILES if isinstance(tree.get(name), str)}
    lie = roots_of(texts, tree)
    return {as_imported(path, lie): tree[path] for path in paths if path in tree and not runner.belongs(path)}


def _difference(before: Tree, after: Tree) -> dict[str, str | bytes | None]:
    found: dict[str, str | bytes | None] = {
        path: file for path, file in after.items() if path not in before or as_file(before[path]) != as_file(file)
    }
    found.update({path: None for path in before if path not in after})
    return dict(sorted(found.items()))
