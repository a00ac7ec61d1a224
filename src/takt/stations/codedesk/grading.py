"""What an inspection of the desk's tree comes to, as it is written into the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from takt.stations.codedesk.breakage import Broken, moved, moves_of, word_of
from takt.stations.codedesk.inspection import inspect
from takt.stations.codedesk.laying import Suite
from takt.stations.codedesk.merging import with_change
from takt.stations.codedesk.repository import Repository, dates, files_of
from takt.stations.codedesk.sandbox import Limits, Sandbox
from takt.stations.codedesk.suites import came_since, suite_of
from takt.stations.codedesk.terms import COMMIT, COMMIT_S
from takt.stations.codedesk.tickets import Series, Ticket, changed, tree_before
from takt.stations.codedesk.trees import File

MOST_NAMED = 50  # of a ticket's own tests that failed
MERGE_S = 20.0  # for one file


def graded(
    series: Series,
    repository: Repository,
    ticket: Ticket,
    accepted: Sequence[int],
    retired: Sequence[str],
    reach: bool,
    broken: Broken,
    ended: int = -1,
) -> dict[str, Any]:
    """Inspect the tree for a ticket. `broken`: what was before; `ended`: the newest ticket that has been. `reach`:
    where the series was mined and the ticket is wrong, look as well whether the known solution would have passed
    (`unreachable`); otherwise trees of known solutions have been shown."""
    tree = repository.worktree()
    suite = suite_of(series, ticket, accepted, retired)

    def shown() -> Mapping[str, str | bytes]:
        return series.base() if reach else tree_before(series, ticket.number)

    def solution() -> Mapping[str, File]:
        return files_of(changed(tree_before(series, ticket.number), ticket.reference))

    known = moved(broken, suite.moved)
    seen = inspect(repository.sandbox, tree, suite, ticket, series, shown=shown, solution=solution, broken=known)
    told = asdict(seen)
    for name in ("touches", "passes", "skipped", "stopped", "missing"):
        del told[name]
    told["broken"] = {word_of(number): list(tests) for number, tests in seen.broken.items()}
    told["failed"] = list(seen.failed)[:MOST_NAMED]
    told["health"] = dict(seen.health)
    del told["flaky"]
    if seen.flaky:
        told["flaky"] = list(seen.flaky)[:MOST_NAMED]
    if moves := moves_of(broken, suite.moved):
        told["moved"] = moves
    first = {test for tests in seen.broken.values() for test in tests if test not in known}
    if first := first & came_since(series, suite, ended):
        told["before"] = sorted(first & failed_before(series, repository, ticket, suite))
    if series.length is not None and seen.failed and reach:
        alone = suite if ticket.owners is not None else suite_of(series, ticket, [], retired)
        told["unreachable"] = unreachable(series, repository, ticket, alone)
    return told


def failed_before(series: Series, repository: Repository, ticket: Ticket, suite: Suite) -> set[str]:
    """Tests of others that failed as well on the tree as it was when the ticket before was inspected, so that this one
    has not broken them. None where that tree is not known whole."""
    if not repository.before.whole:
        return set()
    there = repository.before.tree(repository.worktree())
    seen = inspect(repository.sandbox, there, suite, ticket, series, once=True)
    return {test for tests in seen.broken.values() for test in tests}


def unreachable(series: Series, repository: Repository, ticket: Ticket, alone: Suite) -> bool | None:
    """Whether the known solution would have failed as well, where the agent stood before it began with the ticket
    (when the ticket before was inspected). Its own change is laid over that tree (`merging.py`). Where both had changed
    the same, and it passes only with the commit's, that is not known: None."""
    with Sandbox(limits=Limits(wall_s=MERGE_S, memory_mb=512)).open() as room:

        def merge(*sides: bytes) -> bytes | None:
            room.put({f"side{place}": ("f644", side) for place, side in enumerate(sides)})
            ran = room.run(["git", "merge-file", "-p", "-q", *(f"side{place}" for place in range(len(sides)))])
            return ran.stdout if ran.ended_by == "exit" and ran.code == 0 else None

        there, before = repository.before.tree(repository.worktree()), tree_before(series, ticket.number)
        laid_anyway = {*alone.files, *alone.settings}
        change = {path: file for path, file in ticket.reference.items() if path not in laid_anyway}
        for texts_too in (False, True):
            laid = with_change(there, before, change, merge, texts_too)
            if inspect(repository.sandbox, laid.tree, alone, ticket, series, once=True).own_pass:
                return None if laid.unsure or texts_too else False
            if not laid.kept:
                break
    return True


def committed(repository: Repository, title: str, now_s: float) -> tuple[Mapping[str, File | None], str]:
    """Commit what is in the tree: what that changed of git's own, and why it could not be done, "" if it could. What is
    half done is not kept."""
    there = dict(repository.tree)
    ran = repository.run(("sh", "-c", COMMIT, "sh", title), wall_s=COMMIT_S, env=dates(now_s))
    if ran.ended_by == "exit" and not ran.code and not ran.too_much:
        return ran.changed, ""
    repository.replace(there)
    said = ran.left_out or " ".join(ran.stderr.decode(errors="replace").split())[-300:]
    return {}, f"ended by {ran.ended_by}, code {ran.code}: {said}"
