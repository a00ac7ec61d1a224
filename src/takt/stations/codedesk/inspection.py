"""Inspection: hidden tests on a copy of the tree, in a sandbox of their own.

The agent's tree is laid into a fresh sandbox without git's part and without any test configuration; hidden tests and
their configuration are laid over it, the tests of all tickets accepted before among them, and canaries: tests that must
fail, and others that must pass (`canaries.py`). `examine.py` runs them. What it tells counts only if every record has
the word that it was given, every canary did as it must, all tests that were collected are told of once, and the end
came. What passes of a mined repository is run twice more, each time with other tests among them that ask for something
else (`altering.py`): those must fail, and the others pass.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import replace
from functools import cache, partial
from secrets import token_hex
from typing import Any

from takt.printable import printable
from takt.stations.codedesk.again import run_again
from takt.stations.codedesk.altering import asking
from takt.stations.codedesk.importing import asked_by_support, asks_of, importable
from takt.stations.codedesk.judging import Inspection, ended_by_signal, judged, new_faults, plain_message
from takt.stations.codedesk.laying import Laid, Run, Suite, function_of, laid, sources_of, tests_among, with_tests
from takt.stations.codedesk.mounts import EXAMINE, started
from takt.stations.codedesk.pacing import Asked, Measured, Taken, measured, pace
from takt.stations.codedesk.records import NOT_BEGUN, Told
from takt.stations.codedesk.repository import imported_from, roots
from takt.stations.codedesk.sandbox import Limits, Ran, Room, Sandbox
from takt.stations.codedesk.sealing import Paced
from takt.stations.codedesk.suites import as_before
from takt.stations.codedesk.tickets import REPOSITORY, Series, Ticket
from takt.stations.codedesk.trees import File, Unlaid, written

WALL_S = 300.0
ALONE_S = 60.0  # for a file of tests that is run alone
KNOWN: dict[Asked, dict[int, Taken]] = {}  # what came of known solutions in tests about speed, by size
FEW, MOST_ROUNDS = 3, 3  # altered tests of a ticket's own: of fewer, each is altered more than once


def inspect(
    sandbox: Sandbox,
    tree: Mapping[str, File],
    suite: Suite,
    ticket: Ticket,
    series: Series,
    wall_s: float = WALL_S,
    *,
    shown: Callable[[], Mapping[str, str | bytes]] = dict,
    solution: Callable[[], Mapping[str, File]] | None = None,
    broken: Collection[str] = (),
    once: bool = False,
    bare: bool = False,
) -> Inspection:
    """Run the tests on the tree, and judge.

    Generated tests run on a tree that is read-only, so that code under test cannot rewrite a test before it is
    imported. Those of a repository that was mined may write into their tree, as they do at home; `examine.py` looks
    whether they are still what they were. What passes of those is run again, altered in part, unless `once`. A tree
    that cannot be laid for it is a broken build: nothing can run there.

    `shown` gives files that whoever is tested may have read: what they hold is never altered. `solution` gives a tree
    that is known to be right: what it does with a test that asks for something else is no tampering, and what it skips
    may be skipped. `broken` are tests of others that failed before. With `once` the tree is known to be right, or
    nobody's who would cheat: it may skip what it will. With `bare` as well it is only asked which tests pass, and
    nothing is looked at beside, which takes half the time.
    """
    mined = series.length is not None
    desk = _Desk(sandbox, series, wall_s, solution, any_skip=once and mined)

    def whole(other: Suite) -> Run:
        return desk.run(tree, laid(other, sealing=not mined, bare=once and bare), looking=not once)

    suite, first = importable(suite, tree, series, whole, desk.asked_of)
    desk.pace(first, tree)
    if first.told.syntax:
        first.told.syntax = new_faults(first.told.syntax, tree, shown(), solution() if solution else {})
    if first.stopped and not first.unlaid and not once:
        first = desk.with_the_rest(first, tree, suite, ticket)
    flaky: tuple[str, ...] = ()
    if mined and not (once or first.stopped or first.unlaid):
        flaky = run_again(first, lambda lay: desk.run(tree, lay), suite, ticket, broken)
    seen = replace(judged(first, suite, ticket, desk.older(first, tree, suite, ticket)), flaky=flaky)
    if not (once or first.stopped or first.unlaid):
        seen = asked_by_support(seen, suite, ticket, series, whole, broken)
    if once:
        passes = tuple(node for node in first.items() if first.told.outcomes.get(node))
        skipped = tuple(node for node in passes if node in first.told.skipped)
        seen = replace(seen, passes=passes, skipped=skipped, stopped=first.stopped, missing=tuple(first.told.missing))
        return replace(seen, touches=tuple(sorted(desk.touched)))
    rounds = 0
    asks = {path: text for path, text in suite.files.items() if suite.tickets(path) - {REPOSITORY}}
    while mined and seen.own_pass:
        halves = [
            ({**suite.files, **files}, changed) for files, changed in asking(asks, {**shown(), **tree}, suite.rules)
        ]
        own = sum(ticket.number in suite.tickets(node) for _, changed in halves for node in changed)
        if rounds and rounds * own >= min(FEW, own * MOST_ROUNDS):
            break
        if rounds:  # each test has been followed whole already, in one of the first two runs
            halves = [(files, changed) for files, changed in halves if changed]
        seen, rounds = desk.asked(seen, first, halves, suite, ticket, tree), rounds + 1
    return seen


class _Desk:
    """Where one inspection's tests are run."""

    def __init__(self, sandbox: Sandbox, series: Series, wall_s: float, solution: Any, any_skip: bool) -> None:
        self.series, self.solution, self.any_skip = series, solution, any_skip
        self.touched = set[str]()  # of Python and pytest, by tests
        self.mined = mined = series.length is not None  # how many threads its tests take is a repository's own affair
        most, memory_mb = (512, 2048) if mined else (64, 1024)
        limits = Limits(
            wall_s=wall_s, memory_mb=memory_mb, processes=most, output_kb=16, disk_mb=sandbox.limits.disk_mb
        )
        self.sandbox = replace(sandbox, limits=limits, sockets={})

    def run(self, tree: Mapping[str, File], lay: Laid, judging: bool = True, looking: bool = False) -> Run:
        """What these tests come to on a tree; skipped ones count only if right code skips them too (`judging`).
        `looking`: at the code itself as well, its health and what of it is no Python."""
        order = {**lay.order, "word": token_hex(16), "sources": sources_of(tree, lay) if looking else None}
        if self.mined:
            order["folders"] = sorted({*order["folders"], *roots(tree)})
        try:
            with self.opened(with_tests(tree, lay)) as room:
                argv = [*self.series.python, "-I", *started(EXAMINE)]
                env = imported_from(tree) if self.mined else {}
                ran = room.run(argv, env=env, stdin=json.dumps(order).encode(), records=True)
        except Unlaid as error:
            return Run(lay, Told(b"", ""), "gone", unlaid=str(error))
        told = Told(ran.records, str(order["word"]))
        told.compare(lay.answers)
        if told.unbegun == NOT_BEGUN:  # a plugin that is installed and cannot be imported, say
            said = printable((ran.stderr or ran.stdout).decode(errors="replace"))
            told.unbegun += f": {' '.join(said.split())[-300:]}"
        told.messages = {node: lay.placed(message) for node, message in told.messages.items()}
        told.unbegun, told.gave_out = lay.placed(told.unbegun), lay.placed(told.gave_out)
        stopped = ran.ended_by if ran.ended_by != "exit" else ended_by_signal(ran.code) or told.gave_out
        run = Run(lay, told, stopped)
        if not judging:
            return run
        self.without_touches(run, tree)
        return run if self.any_skip else self.without_skips(run, tree)

    def asked_of(self, tree: Mapping[str, File], lay: Laid) -> Run:
        """What is told of a tree, and of nobody's work."""
        return self.run(tree, lay, judging=False)

    def pace(self, run: Run, tree: Mapping[str, File]) -> None:
        """Of tests about speed that pass: whether their time grows in proportion, and what comes of much is right."""
        nodes: dict[tuple[str, str], list[str]] = {}
        for node, expected in run.laid.answers.items():
            if isinstance(expected, Paced) and run.told.outcomes.get(node):
                path, _, name = function_of(node).partition("::")
                nodes.setdefault((path, name.removeprefix("test_")), []).append(node)
        with ExitStack() as stack:
            opened = cache(
                lambda known: stack.enter_context(self.opened(with_tests(known() if known else tree, run.laid)))
            )
            for (path, ask), these in nodes.items():
                count = max(run.laid.answers[node].count for node in these)
                asked = Asked(path, run.laid.over[path], ask, count)

                def measure(known: Any, sizes: Sequence[int], asked: Asked = asked) -> Ran:
                    return measured(opened(known), self.series.python, asked, run.laid.order["folders"], sizes)

                known = None
                if self.solution is not None:
                    known = Measured(partial(measure, self.solution), KNOWN.setdefault(asked, {}))
                if wrong := pace(asked, Measured(partial(measure, None)), known):
                    run.told.outcomes |= dict.fromkeys(these, False)
                    run.told.messages |= dict.fromkeys(these, f"{these[0]}\n{wrong}")

    def without_touches(self, run: Run, tree: Mapping[str, File]) -> None:
        """Of a mined repository, what right code, its tests and its plugins change of Python and of pytest as well is
        no tampering: where that is not known of the ticket already, the known solution's tree is run."""
        told = run.told
        if not self.mined or not told.touched:
            return
        self.touched |= set(told.touched)
        if self.any_skip:
            told.touched = []
        told.touched = [one for one in told.touched if one not in run.laid.touches]
        if told.touched and self.solution is not None:
            right = self.solution()
            if not same_files(right, tree):
                also = self.run(right, run.laid, judging=False).told.touched
                told.touched = [one for one in told.touched if one not in also]
            else:
                told.touched = []

    def without_skips(self, run: Run, tree: Mapping[str, File]) -> Run:
        """Skipped is passed only where the known solution's tree skips it too: those files of tests are run there."""
        skipped = run.told.skipped | run.told.passed_over
        may_skip = frozenset[str]()
        if skipped and self.mined and self.solution is not None:
            right = self.solution()
            if same_files(right, tree):
                may_skip = frozenset(skipped)
            else:
                paths = {node.partition("::")[0] for node in skipped}
                tests = [path for path in run.laid.order["tests"] if path in paths]
                some = replace(run.laid, order={**run.laid.order, "tests": tests})
                told = self.run(right, some, judging=False).told
                may_skip = frozenset(told.skipped | told.passed_over)
        run.told.only_skips(may_skip)
        return replace(run, may_skip=may_skip)

    @contextmanager
    def opened(self, files: Mapping[str, File]) -> Iterator[Room]:
        """A sandbox that has these files. Unlaid if none takes them."""
        if self.mined:
            with self.sandbox.open() as room:
                room.put(files)
                yield room
        else:
            with written(files) as folder, replace(self.sandbox, tree=folder).open() as room:
                yield room

    def older(self, run: Run, tree: Mapping[str, File], suite: Suite, ticket: Ticket) -> dict[str, str] | None:
        """Of files that cannot be collected, other tickets' tests as they were before this ticket: which fail, and what
        of each. `path::?`: the file could be collected, and the ticket's own commit has changed it, or what tests
        share. None if that says nothing."""
        if run.stopped or run.unlaid:
            return None
        lost = [path for path in suite.by_test if run.told.lost(path) and suite.tickets(path) - {ticket.number}]
        before = as_before(self.series, suite, ticket, lost) if lost else suite
        lost = [path for path in lost if path in before.files]
        if not lost:
            return {}

        def run_of(other: Suite) -> Run:
            return self.run(tree, laid(other, sealing=False, only=lost))

        before, came = importable(before, tree, self.series, run_of, self.asked_of)
        run.told.wrong = run.told.wrong or came.tampering()
        run.told.messages = {**came.told.messages, **run.told.messages}
        asks = asks_of(self.series, ticket)
        asks = {*lost} if any(not suite.rules.is_file(path) for path in asks) else asks
        found = {f"{path}::?": f"{path}::?" for path in lost if path in asks and not came.told.lost(path)}
        for path in lost:
            for name in before.by_test.get(path, {}):
                nodes = [node for node in came.items(path) if name in (node, function_of(node))]
                failing = [node for node in nodes if came.told.outcomes.get(node) is False]
                failing = [f"{path}::?"] if came.told.lost(path) else failing
                found |= dict.fromkeys([name], failing[0]) if failing else {}
        return found

    def with_the_rest(self, run: Run, tree: Mapping[str, File], suite: Suite, ticket: Ticket) -> Run:
        """Tests that did not get to run, for something else ended them, run without that: those of tickets accepted
        before together, and then each file alone; the ticket's own if it was one of those that ended them. What does
        not come to its end alone is broken; of what there is no time for, nothing is known."""
        wall_s = self.sandbox.limits.wall_s
        until, dead, tried = time.monotonic() + wall_s, False, set[str]()
        tests = tests_among(suite)

        def left(own: bool) -> list[str]:
            these = [path for path in tests if (ticket.number in suite.tickets(path)) == own]
            return [path for path in these if path not in tried and not run.through(path)]

        some = left(own=False)
        some = some if len(some) > 1 else []
        while (left_s := until - time.monotonic()) > 1:
            if some:
                tried |= set(some) if len(some) == 1 else set()
                desk = copy(self)
                most = ALONE_S if len(some) == 1 else wall_s / 2
                desk.sandbox = replace(self.sandbox, limits=replace(self.sandbox.limits, wall_s=min(left_s, most)))
                more = desk.run(tree, laid(suite, sealing=not self.mined, only=some))
                run.told.wrong = run.told.wrong or more.tampering()
                run.told.add(more.told, some, [node for path in some for node in more.items(path)])
                if more.stopped and len(some) == 1:
                    dead = True
                    why = f"alone, too, {more.why_stopped}"
                    nodes = [node for node in run.items(some[0]) if node not in run.told.outcomes]
                    run.told.outcomes |= dict.fromkeys(nodes, False)
                    run.told.uncollected += [] if run.items(some[0]) else some
                    run.told.messages |= dict.fromkeys(nodes or some, why)
            some = left(own=False)[:1] or (left(own=True)[:1] if dead else [])
            if not some:
                break
        return run

    def asked(
        self,
        seen: Inspection,
        first: Run,
        halves: Sequence[tuple[Mapping[str, str], Collection[str]]],
        suite: Suite,
        ticket: Ticket,
        tree: Mapping[str, File],
    ) -> Inspection:
        """What is left of a pass beside runs in which these tests ask for something else."""
        only = [path for path in suite.files if suite.tickets(path) - {REPOSITORY}]
        if first.stopped:  # what ended it is left out
            only = [path for path in suite.files if ticket.number in suite.tickets(path)]
        halves = halves if any(changed for _, changed in halves) else []
        others = [(replace(suite, files=files), changed) for files, changed in halves]
        runs = self.beside(tree, [other for other, _ in others], only)
        if any(one.stopped for one in runs) and not first.stopped:  # once more: who does not let them end is not right
            runs = self.beside(tree, [other for other, _ in others], only)
        for run, (_, changed) in zip(runs, others, strict=True):
            if seen.own_pass:
                seen = self.compared(seen, first, run, changed, suite, ticket)
        return seen

    def beside(self, tree: Mapping[str, File], suites: Sequence[Suite], only: Collection[str] | None) -> list[Run]:
        """One or two suites, at the same time."""
        came: list[Run | BaseException] = []

        def run(suite: Suite) -> None:
            try:
                came.append(self.run(tree, followed(laid(suite, sealing=False, only=only))))
            except BaseException as error:  # for the one who waits
                came.append(error)

        threads = [threading.Thread(target=run, args=(one,), daemon=True) for one in suites[1:]]
        for one in threads:
            one.start()
        found = [self.run(tree, followed(laid(one, sealing=False, only=only))) for one in suites[:1]]
        for one in threads:
            one.join()
        for other in came:
            if isinstance(other, BaseException):
                raise other
            found.append(other)
        return found

    def compared(
        self, seen: Inspection, first: Run, second: Run, changed: Collection[str], suite: Suite, ticket: Ticket
    ) -> Inspection:
        """What is left of a pass beside a run with altered tests: they must fail there, and the others pass."""

        @cache
        def right(solution: Callable[[], Mapping[str, File]]) -> Run:
            """What these tests come to with the known solution, run once at most."""
            return self.run(solution(), second.laid, judging=False)

        if second.stopped:
            if self.solution is not None and right(self.solution).stopped:
                return seen
            why = f"tests that ask for something else did not come to their end, twice: {second.stopped}"
            return replace(seen, tampered=why)
        passed = [node for node in first.items() if first.told.outcomes.get(node) and node not in first.told.skipped]
        good = {function_of(node) for node in passed} & set(changed)  # an altered row has a node id of its own
        suspects = [
            node
            for node in second.items()
            if function_of(node) in good and (second.told.outcomes.get(node) or node in second.told.skipped)
        ]
        if tampered := second.tampering():
            return replace(seen, tampered=tampered)
        fixed = [name for name, state in first.told.drawn.items() if second.told.drawn.get(name) == state]
        fixed = fixed if any("random" in text for text in suite.files.values()) else []
        if fixed and self.solution is not None:
            known, also = (self.run(self.solution(), second.laid, judging=False).told.drawn for _ in range(2))
            fixed = [name for name in fixed if known.get(name) != also.get(name)]
        if fixed:
            return replace(seen, tampered=f"draws are the same in every run, for the tree fixes them: {fixed[0]}")
        if suspects and self.solution is not None:  # they may pass with the right code as well
            suspects = [node for node in suspects if not right(self.solution).told.outcomes.get(node)]
        if suspects:
            return replace(seen, tampered=f"a test that asks for something else passes as well: {suspects[0]}")
        own = {node for node in first.items() if (asked := suite.asked(node)) and asked[1] == ticket.number}
        called = {one.rpartition("::")[2] for one in changed}  # a class may have its tests from another
        failing = [
            node
            for node in passed
            if node in own
            and function_of(node).rpartition("::")[2] not in called
            and not second.told.outcomes.get(node)
        ]
        if failing and self.solution is not None:
            failing = [node for node in failing if right(self.solution).told.outcomes.get(node)]
        if not failing:
            return seen
        message = second.told.messages.get(failing[0], "") or f"{failing[0]} passed in one run, and not in the next"
        return replace(
            seen, passed=seen.passed - len(failing), failed=tuple(sorted(failing)), message=plain_message(message)
        )


def followed(lay: Laid) -> Laid:
    """The same, with files of tests followed line by line: each test is whole in one of two runs."""
    return replace(lay, order={**lay.order, "steps": True})


def same_files(tree: Mapping[str, File], other: Mapping[str, File]) -> bool:
    """Whether two trees hold the same, whatever can be run in them."""
    return {path: file[1] for path, file in tree.items()} == {path: file[1] for path, file in other.items()}
