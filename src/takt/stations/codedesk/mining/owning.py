"""Whether a commit's tests make a ticket of it, and whose each test is from then on.

Of the tests of the commit's own files, those are the ticket's that fail before it and pass after (SWE-bench's
FAIL_TO_PASS). What passed before stays whose it was; a test that is new, or asks otherwise, and passes already is of
the ticket after which it passes first, or the repository's. Before the commit a file of tests may import what is not
there: so that this is told test by test, what cannot be imported is passed over then (`trimming.tolerant`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal, get_args

from takt.stations.codedesk.altering import known_tests
from takt.stations.codedesk.collecting import rules_of
from takt.stations.codedesk.importing import taken_back, text_of
from takt.stations.codedesk.inspection import inspect
from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.laying import Suite, function_of
from takt.stations.codedesk.mining import outcomes
from takt.stations.codedesk.mining.found import Mining
from takt.stations.codedesk.mining.reading import told_of
from takt.stations.codedesk.repository import files_of
from takt.stations.codedesk.sandbox import Sandbox
from takt.stations.codedesk.statements import Place, tolerant, unchanged
from takt.stations.codedesk.suites import Standing, suite_of
from takt.stations.codedesk.tickets import REPOSITORY, Ticket, as_text, changed

RUNS = 3
SLOW_S = 60.0  # a whole suite that takes longer is not run; of files that do, those tests alone that the commit changed
FEW = 10  # tests of which one may come out differently from run to run: it is left out then
WALL_S = 300.0  # of one run of a commit's tests
MOST_SUITE = 8 << 20  # characters of all test files
ALL, TOUCHED = "all of the repository's own test files", "test files that tickets change"
Which = Literal["auto", "all", "touched"]
SUITES: tuple[Which, ...] = get_args(Which)
Tree = Mapping[str, str | bytes]
Alone = tuple[dict[str, str], Ticket]  # files, and a ticket with the settings to run them with
Reason = tuple[str, str]  # one of `found.REASONS`, and the detail


@dataclass(frozen=True)
class Asked:
    """A commit that may be a ticket.

    ticket   without the owners of tests. `before`, `after`: the trees.
    tests    files of tests that the commit itself changed; what they come to decides.
    rest     the repository's other files of tests and what they need, where none is laid yet.
    data     files beside code that the tests name; they are laid for them, and told, if tests do not pass without.
    shared   whether the commit changed what tests share (a base class, a conftest): then all files of tests decide.
    """

    ticket: Ticket
    before: Tree
    after: Tree
    tests: Collection[str]
    rest: Mapping[str, str]
    data: Mapping[str, str | bytes | None]
    shared: bool = False


class Owning:
    """What is known of tests so far: `stands`, after the last ticket."""

    def __init__(self, found: Mining, sandbox: Sandbox, which: Which = "auto") -> None:
        self.found, self.sandbox, self.which = found, sandbox, which
        self.whole = which != "touched"
        self.stands = Standing()
        found.suite = ALL if self.whole else TOUCHED

    def judge(self, asked: Asked) -> Reason:
        """Make a ticket of it, or say why not: three runs after the commit and three before, those that tell most
        first. A few tests that come out differently are left out; then it must hold without them."""
        ticket, after, skip = self._after(asked)
        if asked.shared:
            asked = replace(asked, tests={*asked.tests, *(_path(node) for node in after.passes)})
        mine = [node for node in after.passes if _path(node) in asked.tests]
        if after.tampered or after.build or not mine:
            these = {
                path: text for path, text in self._files(ticket).items() if path in asked.tests or _helps(path, ticket)
            }
            return outcomes.ended(self._run(asked.after, these, ticket, skip))
        ticket = replace(ticket, retires=(*ticket.retires, *sorted(_lost(after) - set(asked.tests))))
        ticket = self._with_data(asked, ticket, mine, skip)
        paths = {*ticket.hidden, *asked.tests}
        alone = self._alone(ticket, paths)
        runs_before = [self._run(asked.before, *alone, skip, bare=True)]
        said = _Said(asked, ticket, self._stands(ticket))
        said.add(after, runs_before[0])
        shared = self._alone(ticket, paths, asked, runs_before[0].missing) if said.own else alone
        if shared != alone:  # a test that passes but for what tests share is not the ticket's, if it has others
            runs = [self._run(asked.before, *shared, skip, bare=True)]
            other = _Said(asked, ticket, self._stands(ticket))
            other.add(after, runs[0])
            alone, runs_before, said = (shared, runs, other) if other.own else (alone, runs_before, said)
        if not said.own:
            return "passes before", ""
        for _ in range(RUNS - 2):
            again = self._run(asked.after, self._files(ticket), ticket, skip, bare=True)
            if again.tampered or again.build or again.stopped or _lost(again) - _lost(after):
                return "flaky", f"after: {again.tampered or again.build or again.stopped or sorted(_lost(again))[0]}"
            said.add(again)
        for _ in range(RUNS - 1):
            runs_before.append(self._run(asked.before, *alone, skip, bare=True))
            if _lost(runs_before[-1]) != _lost(runs_before[0]):
                return "flaky", "before: other files fail each time"
            said.add(None, runs_before[-1])
        return self._checked(asked, replace(ticket, touches=after.touches), said, len(mine), skip, alone)

    def _checked(
        self, asked: Asked, ticket: Ticket, said: _Said, mine: int, skip: Collection[str], alone: Alone
    ) -> Reason:
        """The last run, as an inspection has it: without what does not come out alike, and without tests of nobody."""
        first = said.unsure()
        came = said.owners(lambda nodes: self._first_passing(alone, nodes, said.skipped), skip)
        for _ in range(2):
            shaky = said.unsure()
            if len(shaky) * FEW > mine:
                return "flaky", f"{len(shaky)} of its tests, {sorted(shaky)[0]} for one"
            if ticket.number not in came.values():
                return (
                    ("flaky", f"{len(first)} of its tests, {sorted(first)[0]} for one")
                    if first
                    else ("passes before", "")
                )
            made = replace(ticket, owners=said.new(came))
            growing = replace(self.found, tickets=[*self.found.tickets, made])
            suite = suite_of(growing, made, range(made.number), [])
            files = files_of(asked.after)
            seen = inspect(self.sandbox, files, suite, made, growing, WALL_S, shown=lambda: asked.after, once=True)
            wrong = {*seen.failed, *(name for names in seen.broken.values() for name in names)}
            if not wrong and seen.own_pass:
                touches = tuple(sorted({*made.touches, *seen.touches}))
                self.found.tickets.append(replace(made, touches=touches))
                nobodys = {function_of(node) for node in came if came[node] is None} | said.lost
                nobodys = {name for name in nobodys if _path(name) in asked.tests}
                self.found.left_out |= {made.number: sorted(nobodys)} if nobodys else {}
                self.stands.add(made)
                return "", ""
            if seen.tampered or seen.build or not all("::" in one for one in wrong):
                return "flaky", f"after: {seen.tampered or seen.build or seen.message}"
            first = first | {function_of(one) for one in wrong}
            lost = {_path(one) for one in wrong if one.endswith("::?")}
            gone = {node for node in came if node in wrong or function_of(node) in wrong or _path(node) in lost}
            said.shaky |= {node for node in gone if _path(node) in asked.tests}
            came |= dict.fromkeys(gone)
        return "flaky", f"{len(first)} of its tests, {sorted(first)[0]} for one"

    def _after(self, asked: Asked) -> tuple[Ticket, Inspection, tuple[str, ...]]:
        """The first run with the commit: which files are run, what came, and which tests are not run for time."""
        ticket = asked.ticket
        if self.whole and sum(map(len, asked.rest.values())) > MOST_SUITE and self.which == "auto":
            self._narrow(f"all have more than {MOST_SUITE >> 20} MiB")
        if self.whole:
            ticket = replace(ticket, hidden={**asked.rest, **ticket.hidden})
        began = time.monotonic()
        seen = self._run(asked.after, self._files(ticket), ticket)
        took_s = time.monotonic() - began
        if self.whole and self.which == "auto" and (took_s > SLOW_S or seen.stopped or seen.tampered or seen.build):
            why = outcomes.in_short(seen.stopped or seen.tampered or seen.build) or "they are too slow"
            self._narrow(f"all take {took_s:.0f} s, more than {SLOW_S:.0f}" if took_s > SLOW_S else f"of all, {why}")
            ticket = replace(asked.ticket, retires=(*ticket.retires, *self._untouched(asked)))
            began = time.monotonic()
            seen = self._run(asked.after, self._files(ticket), ticket)
            narrow_s = time.monotonic() - began
            if took_s <= SLOW_S and (seen.stopped or seen.tampered or seen.build):  # it was the commit's own tests
                self.whole, self.found.suite = True, ALL
            took_s = narrow_s
        if took_s <= SLOW_S or self.whole:
            return ticket, seen, ()
        rules = rules_of(ticket.settings.get("pytest.ini", ""))
        known = known_tests(asked.before, rules)
        same = tuple(
            f"{path}::{test.name}"
            for path, text in self._files(ticket).items()
            if path.endswith(".py")
            for test in rules.tests(text)
            if known(path, test)
        )
        return ticket, self._run(asked.after, self._files(ticket), ticket, same) if same else seen, same

    def _narrow(self, why: str) -> None:
        self.whole, self.found.suite = False, f"{TOUCHED} ({why})"

    def _untouched(self, asked: Asked) -> list[str]:
        """Files of tests that are laid and that no ticket has to do with."""
        touched = {_path(name) for name, owner in self.stands.owners.items() if owner not in (None, REPOSITORY)}
        rules = rules_of(asked.ticket.settings.get("pytest.ini", ""))
        return [path for path in self.stands.files if rules.is_file(path) and path not in {*touched, *asked.tests}]

    def _with_data(self, asked: Asked, ticket: Ticket, mine: list[str], skip: tuple[str, ...]) -> Ticket:
        """The ticket with those files beside code that its tests need."""
        if not any(asked.data.values()):
            return ticket
        there = {path: file for path, file in asked.after.items() if path not in asked.data}
        there |= {path: asked.before[path] for path in asked.data if path in asked.before}
        these = {
            path: text for path, text in self._files(ticket).items() if path in asked.tests or _helps(path, ticket)
        }
        if {*mine} <= {*self._run(there, these, ticket, skip, bare=True).passes}:
            return ticket
        read = {path: as_text(file) for path, file in asked.data.items() if file is not None}
        return replace(ticket, hidden={**ticket.hidden, **read}, text=f"{ticket.text}\n{told_of(read)}\n")

    def _stands(self, ticket: Ticket) -> Standing:
        stands = deepcopy(self.stands)
        stands.add(replace(ticket, owners={}))
        return stands

    def _files(self, ticket: Ticket) -> dict[str, str]:
        return self._stands(ticket).files

    def _alone(
        self, ticket: Ticket, paths: Collection[str], asked: Asked | None = None, missing: Collection[Place] = ()
    ) -> Alone:
        """These files of tests with what they share, tolerant of what is not there. For a commit that is `asked` for,
        what tests share is as it was before it, and so is of what is `missing` before what was there."""
        files = {path: text for path, text in self._files(ticket).items() if path in paths or _helps(path, ticket)}
        texts: dict[str, str] = {**ticket.settings, **files}
        if asked is not None:
            rules = rules_of(ticket.settings.get("pytest.ini", ""))
            texts = taken_back(texts, missing, [asked.before], out=False)
            texts |= {
                path: unchanged(text, text_of(asked.before.get(path)), text_of(asked.after.get(path)), rules)
                for path, text in texts.items()
                if path.endswith(".py")
            }
        texts = {path: tolerant(text, path) if path.endswith(".py") else text for path, text in texts.items()}
        files, settings = ({path: texts[path] for path in one} for one in (files, ticket.settings))
        return files, replace(ticket, settings=settings)

    def _run(
        self, tree: Tree, files: Mapping[str, str], ticket: Ticket, skip: Iterable[str] = (), bare: bool = False
    ) -> Inspection:
        """What all tests of these files come to."""
        suite = Suite(files, dict.fromkeys(files, ticket.number), ticket.settings, tuple(skip))
        return inspect(self.sandbox, files_of(tree), suite, ticket, self.found, WALL_S, once=True, bare=bare)

    def _first_passing(self, alone: Alone, nodes: Collection[str], skipped: Collection[str]) -> dict[str, int]:
        """After which ticket these tests passed first, all of which pass before this one: by halves. `alone`: how
        they were run before it; `skipped`: those that this one's own tree skips as well."""
        files, ticket = alone
        if not self.found.tickets or not nodes:
            return dict.fromkeys(nodes, REPOSITORY)
        paths = {_path(node) for node in nodes}
        files = {path: text for path, text in files.items() if path in paths or _helps(path, ticket)}

        def passing(number: int, among: set[str]) -> set[str]:
            tree = dict(self.found.start)
            for one in self.found.tickets[: number + 1]:
                tree = changed(tree, one.reference)
            return among & _ran(self._run(tree, files, ticket, bare=True), skipped)

        base = passing(REPOSITORY, set(nodes))
        found = dict.fromkeys(base, REPOSITORY)
        todo = [(0, ticket.number - 1, set(nodes) - base)]
        while todo:
            low, high, some = todo.pop()
            if some and low == high:
                found |= dict.fromkeys(some, high)
            elif some:
                middle = (low + high) // 2
                passed = passing(middle, some)
                todo += [(low, middle, passed), (middle + 1, high, some - passed)]
        return found


class _Said:
    """What runs have said of each test."""

    def __init__(self, asked: Asked, ticket: Ticket, stands: Standing) -> None:
        self.asked, self.ticket, self.stands = asked, ticket, stands
        self.after: set[str] | None = None  # passed in each run with the commit
        self.ever: set[str] = set()  # ... and in any
        self.seen: set[str] = set()  # was collected
        self.lost: set[str] = set()  # files that could not be collected with the commit
        self.skipped: set[str] = set()  # was skipped, or failed as expected
        self.before: set[str] = set()  # passed in a run before
        self.all_before: set[str] | None = None
        self.there: set[str] = set()  # was collected before
        self.shaky: set[str] = set()
        shown = {**asked.before, **{new: text for new, text in ticket.moved.values()}}
        rules = rules_of(ticket.settings.get("pytest.ini", ""))
        known = known_tests(shown, rules)
        self.same = {
            f"{path}::{test.name}"
            for path, text in stands.files.items()
            if path.endswith(".py")
            for test in rules.tests(text)
            if known(path, test)
        }

    def add(self, after: Inspection | None, before: Inspection | None = None) -> None:
        if after is not None:
            passes = set(after.passes)
            self.skipped |= set(after.skipped)
            self.lost |= _lost(after)
            self.after = passes if self.after is None else self.after & passes
            self.ever |= passes
            self.seen |= {node for node in (*passes, *after.failed) if not node.endswith("::?") and "::" in node}
        if before is not None:
            passes = _ran(before, self.skipped)
            self.all_before = passes if self.all_before is None else self.all_before & passes
            self.before |= passes
            self.there |= {*passes, *before.failed}

    @property
    def own(self) -> set[str]:
        """Those that fail before and pass after. Of what cannot even be collected before, those that were not there as
        they are."""
        nodes = {node for node in self.after or () if _path(node) in self.asked.tests}
        nodes -= self.before | self.skipped
        rows = {function_of(node) for node in self.there if "[" in node}  # of which a new one is new
        new = {node for node in nodes if "[" in node and function_of(node) in rows}
        return new | {node for node in nodes if node in self.there or function_of(node) not in self.same}

    def unsure(self) -> set[str]:
        """Tests of the commit's own files that come out differently from run to run."""
        nodes = (self.ever - (self.after or set())) | (self.before - (self.all_before or set())) | self.shaky
        return {function_of(node) for node in nodes if _path(node) in self.asked.tests}

    def owners(
        self, first_passing: Callable[[set[str]], Mapping[str, int]], skip: Collection[str]
    ) -> dict[str, int | None]:
        """Whose each test is that was collected, None where nobody is asked for it."""
        number, mine = self.ticket.number, self.own
        shaky = {
            function_of(node)
            for node in (self.ever - (self.after or set())) | (self.before - (self.all_before or set()))
        }
        found: dict[str, int | None] = {}
        ask = set[str]()
        for node in self.seen:
            was, same = self.stands.owner(node), function_of(node) in self.same
            if function_of(node) in {*shaky, *skip} or node not in (self.after or ()):
                found[node] = None
            elif node in mine:
                found[node] = number
            elif _path(node) not in self.ticket.hidden and _path(node) not in self.asked.tests:
                found[node] = was
            elif node not in self.before:  # it cannot be collected there, or is of a file that is not the commit's own
                found[node] = was if node not in self.there and same else None
            elif same and was is not None:
                found[node] = was
            else:
                ask.add(node)
        for node, owner in first_passing(ask).items():
            was = self.stands.owner(node)
            found[node] = owner if was is None else max(owner, was)
        return found

    def new(self, came: Mapping[str, int | None]) -> dict[str, int | None]:
        """What of that is new, and what is gone; all rows of a test by one name where they are of one ticket."""
        rows: dict[str, dict[str, int | None]] = {}
        for node, owner in came.items():
            rows.setdefault(function_of(node), {})[node] = owner
        found: dict[str, int | None] = {}
        for name, owners in rows.items():
            values = list(owners.values())
            most = self.stands.owners.get(name)  # as it was, so that tests keep the names that they are broken under
            if name not in self.stands.owners or most not in values:
                most = max(values, key=lambda one: (values.count(one), REPOSITORY - 1 if one is None else one))
            found[name] = most
            found |= {node: owner for node, owner in owners.items() if owner != most}
        standing = self.stands.owners
        for name, owner in standing.items():
            if owner is not None and "[" not in name and name not in rows and _path(name) in self.stands.files:
                found[name] = None
        split = {function_of(name) for name in (*found, *standing) if "[" in name}
        return {
            name: owner
            for name, owner in sorted(found.items())
            if function_of(name) in split or name not in standing or standing[name] != owner
        }


def _ran(seen: Inspection, skipped: Collection[str]) -> set[str]:
    """What passes, and was run: what is skipped until a ticket is done is that ticket's. But for tests that are
    `skipped` then, too."""
    return {*seen.passes} - ({*seen.skipped} - {*skipped})


def _lost(seen: Inspection) -> set[str]:
    """Files that could not be collected."""
    return {one.removesuffix("::?") for one in seen.failed if one.endswith("::?")}


def _path(node: str) -> str:
    return node.partition("::")[0]


def _helps(path: str, ticket: Ticket) -> bool:
    """Whether a file is laid for tests and has none."""
    return not rules_of(ticket.settings.get("pytest.ini", "")).is_file(path)
