"""Which tests a ticket is inspected with, and whose each of them is.

Of generated tickets, and of those that were mined before this was known of each test, a test is of the ticket whose
file it is in, and the files of accepted tickets are laid. Of a mined ticket the files of tests are those of its commit,
and each test has an owner: the ticket that brought it to pass (SWE-bench's FAIL_TO_PASS), or the repository, if it
passed before (PASS_TO_PASS). Tests of tickets that were not accepted are not asked for: they are taken out of the files
(`trimming.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from takt.stations.codedesk.carrying import carried
from takt.stations.codedesk.collecting import rules_of
from takt.stations.codedesk.laying import Suite, function_of, holds
from takt.stations.codedesk.tickets import REPOSITORY, Series, Ticket, as_text, tree_before
from takt.stations.codedesk.trees import Link, source_text
from takt.stations.codedesk.trimming import imported, names_in, trimmed


@dataclass
class Standing:
    """The files of tests after a ticket's commit, and whose their tests are (`Ticket.owners`). `moved`: old path -> new
    path, of files that lie elsewhere now, and node id -> node id, of tests that are called otherwise."""

    files: dict[str, str] = field(default_factory=dict)
    owners: dict[str, int | None] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)

    def owner(self, node: str) -> int | None:
        """Whose a test is, or a row of one."""
        return self.owners.get(node, self.owners.get(function_of(node)))

    def has(self, one: str) -> bool:
        """Whether a file is laid (also as `path::?`), or a test asked for by somebody."""
        path, _, test = one.partition("::")
        return self.owner(one) is not None if test.strip("?") else path in self.files

    def add(self, ticket: Ticket) -> None:
        """What a ticket's commit did to them."""
        for path, (new, text) in ticket.moved.items():
            if path in self.files:
                self.files[new], self.moved[path] = text, new
                for name in [one for one in self.owners if one.startswith(f"{path}::")]:
                    self.owners[new + name.removeprefix(path)] = self.owners[name]
        before = {path: text for path, text in self.files.items() if path not in ticket.moved}
        for path in ticket.retires:
            self.files.pop(path, None)
            for name in [one for one in self.owners if one.startswith(f"{path}::")]:
                del self.owners[name]
        self.files |= ticket.hidden
        if before:
            self.moved |= carried(before, self.files, rules_of(ticket.settings.get("pytest.ini", "")))
        said = ticket.owners or {}
        whole = {name for name in said if "[" not in name}
        for name in [one for one in self.owners if "[" in one and function_of(one) in whole]:
            del self.owners[name]
        self.owners |= said


def standing(series: Series, number: int) -> Standing:
    """How it is after ticket `number`; nothing is laid before the first."""
    found = Standing()
    for one in range(number + 1):
        found.add(series.ticket(one))
    return found


def suite_of(series: Series, ticket: Ticket, accepted: Sequence[int], retired: Sequence[str]) -> Suite:
    """The tests of a ticket, of those accepted before, and of the repository. `retired`: what tickets that are due have
    taken back (`retired_by`)."""
    if ticket.owners is None:
        return _by_file(series, ticket, accepted, retired)
    newest = max([*accepted, ticket.number])
    stands = standing(series, newest)
    if ticket.number not in stands.owners.values():  # a later one has taken over all that this asks for
        newest, stands = ticket.number, standing(series, ticket.number)
    asked = {*accepted, ticket.number, REPOSITORY}
    owners = {name: owner if owner in asked else None for name, owner in stands.owners.items()}
    later = {name: owner if holds(name, retired) else None for name, owner in owners.items()}
    if ticket.number in later.values():
        owners = later
    suite = Suite(
        files={},
        owners=owners,
        settings={**series.ticket(newest).settings, **ticket.settings},
        touches=frozenset(one for number in range(newest + 1) for one in series.ticket(number).touches),
        moved={old: new for old, new in stands.moved.items() if not stands.has(old)},
        since=max(accepted, default=-1),
        missed=tuple(one for one in range(newest) if one not in {*accepted, ticket.number}),
    )
    return asking_only(replace(suite, files=stands.files))


def came_since(series: Series, suite: Suite, number: int) -> set[str]:
    """Tests that are asked for and were not after ticket `number`: no inspection until then has run them."""
    if not suite.by_test:
        return set()
    then = standing(series, number)
    return {name for name, owner in suite.owners.items() if owner is not None and then.owner(name) is None}


def asking_only(suite: Suite) -> Suite:
    """A suite by test without the tests that are not asked for."""
    kept = {function_of(name) for name, owner in suite.owners.items() if owner is not None}
    names = [name for name, owner in suite.owners.items() if owner is None and (name not in kept or "[" in name)]
    drop: dict[str, set[str]] = {}
    for name in names:
        if "[" not in name or function_of(name) not in kept:
            path, _, test = function_of(name).partition("::")
            drop.setdefault(path, set()).add(test)
    files = dict(suite.files)
    taken = frozenset[str]()
    if drop:
        taken = frozenset(one for path, text in files.items() if path.endswith(".py") for one in imported(text))
        taken |= {one for path, text in suite.settings.items() if path.endswith(".py") for one in names_in(text)}
    for path, tests in drop.items():
        if path in files and path.endswith(".py"):
            files[path] = trimmed(files[path], tests, suite.rules, taken)
    return replace(suite, files=files, retired=tuple(names))


def as_before(series: Series, suite: Suite, ticket: Ticket, paths: Collection[str]) -> Suite:
    """Other tickets' tests of files as they were after the ticket that was accepted last, with what they needed then:
    for where a ticket's own files cannot be collected, which says nothing of what was accepted."""
    tree = tree_before(series, suite.since + 1)
    there = {path: file for path, file in tree.items() if path in suite.files or _is_shared(path)}
    read = {path: as_text(source_text(file)) for path, file in there.items() if not isinstance(file, Link)}
    settings = {path: text for path, text in suite.settings.items() if not _is_shared(path)}
    owners = {
        name: owner if owner != ticket.number and name.partition("::")[0] in {*paths} & {*read} else None
        for name, owner in suite.owners.items()
    }
    return asking_only(
        replace(
            suite,
            files={path: text for path, text in read.items() if not _is_shared(path)},
            owners=owners,
            settings=settings | {path: text for path, text in read.items() if _is_shared(path)},
        )
    )


def retired_by(series: Series, ticket: Ticket, accepted: Sequence[int], due: int) -> list[str]:
    """What no longer holds since tickets are due (the first `due`) that ask for something else."""
    if ticket.owners is None:
        return [one for number in range(due) for one in series.ticket(number).retires]
    newest = max([*accepted, ticket.number])
    later = [series.ticket(number) for number in range(newest + 1, due)]
    return [one for ticket in later for one in (*ticket.retires, *(ticket.owners or ()))]


def no_longer(series: Series, broken: Mapping[str, int], due: int) -> list[str]:
    """Which of these tests, name -> the ticket that they were of, are not asked for any more since tickets are due."""
    if not broken:
        return []
    if series.ticket(0).owners is None:
        retired = [one for number in range(due) for one in series.ticket(number).retires]
        return still_retired(series, retired, {test.partition("::")[0]: owner for test, owner in broken.items()})
    stands = standing(series, due - 1)
    return [test for test, owner in broken.items() if stands.owner(test) != owner]


def _is_shared(path: str) -> bool:
    return path.rpartition("/")[2] == "conftest.py"


def _by_file(series: Series, ticket: Ticket, accepted: Sequence[int], retired: Sequence[str]) -> Suite:
    """The tests of a ticket and of those accepted before. Of two files of one name, the later ticket's is laid, and one
    that was moved since at its new place. Settings are the newest ticket's, and over them the ticket's own: a conftest
    that is gone since is not laid."""
    files: dict[str, str] = {}
    owners: dict[str, int] = {}
    for number in [*sorted(one for one in accepted if one != ticket.number), ticket.number]:
        one = series.ticket(number)
        files.update(one.hidden)
        owners.update(dict.fromkeys(one.hidden, number))
    moved = _lay_moved(series, retired, files, owners)
    for path, new in moved.items():
        retired = [*retired, *(new + one.removeprefix(path) for one in retired if one.startswith(f"{path}::"))]
    settings = {**series.ticket(max([*accepted, ticket.number])).settings, **ticket.settings}
    retired = still_retired(series, retired, owners)
    gone = {path for path in files if path in retired and owners[path] != ticket.number}
    kept = {path: text for path, text in files.items() if path not in gone}
    touches = frozenset(one for number in (*accepted, ticket.number) for one in series.ticket(number).touches)
    return Suite(kept, {path: owners[path] for path in kept}, settings, tuple(retired), touches, moved)


def _lay_moved(series: Series, retired: Sequence[str], files: dict[str, str], owners: dict[str, int]) -> dict[str, str]:
    """Lay what was moved at its new place, for the same tickets; from where to where."""
    found: dict[str, str] = {}
    waiting = [path for path in files if series.length is not None and path in retired]
    for path in waiting:
        for number in range(owners[path] + 1, series.length or 0):
            later = series.ticket(number)
            new, text = later.moved.get(path, ("", ""))
            if new and owners.get(new, -1) < number:
                files[new], owners[new], found[path] = text, owners[path], new
                waiting += [new] if new in retired else []
            if path in later.retires:
                break
    return found


def still_retired(series: Series, retired: Sequence[str], owners: Mapping[str, int]) -> list[str]:
    """What of these files and tests no longer holds: not what was laid anew since, by the ticket that its file is of
    (`owners`: path -> ticket)."""

    def anew(one: str) -> bool:
        path = one.partition("::")[0]
        if series.length is None or path not in owners or not (one == path or one in series.ticket(owners[path]).again):
            return False
        return not any(one in series.ticket(number).retires for number in range(owners[path], series.length))

    return [one for one in retired if not anew(one)]
