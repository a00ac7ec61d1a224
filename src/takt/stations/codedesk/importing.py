"""Files of tests that cannot be imported for want of what a missed ticket brought.

Which tests are laid depends on which tickets were accepted, and so must all else in their files: tests, conftests, what
tests share. Where a file cannot be imported, it is asked in the sandbox which of its statements fail on the tree, and
which fail as well on the known tree before the first ticket that was missed. Those that fail on both are left out, or
are as they were where they define what was there before. What fails on the one tree alone is a break, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.laying import Laid, Run, Suite, function_of, laid
from takt.stations.codedesk.repository import files_of
from takt.stations.codedesk.statements import Place, binding, parts_of, tolerant, unchanged, with_imports, without
from takt.stations.codedesk.tickets import Series, Ticket, as_text, tree_before
from takt.stations.codedesk.trees import File, Link, source_text

ROUNDS = 3  # what binds a name may be as before the last accepted ticket, as before the first missed one, or out
Ask = Callable[[Mapping[str, File], Laid], Run]


def importable(
    suite: Suite, tree: Mapping[str, File], series: Series, run_of: Callable[[Suite], Run], ask: Ask
) -> tuple[Suite, Run]:
    """What comes of a suite (`run_of`), and the suite as it was run: without what missed tickets brought, as far as its
    files cannot be imported for that. `ask` has a tree tell of what is laid."""
    run = run_of(suite)
    if not suite.missed:
        return suite, run
    known: Mapping[str, File] | None = None
    tried: dict[tuple[str, str], list[str]] = {}
    gone: dict[str, str] = {}
    for _ in range(ROUNDS):
        if run.stopped or run.unlaid or not _lacks(run, suite):
            break
        failing = failing_parts(suite, tree, ask)
        if not failing:
            break
        known = files_of(tree_before(series, suite.missed[0])) if known is None else known
        excused = failing.keys() & failing_parts(suite, known, ask).keys()
        if not excused:
            break
        texts = {**suite.settings, **suite.files}
        gone |= {parts_of(texts[path])[place].called: failing[path, place] for path, place in excused}
        befores = [tree_before(series, number) for number in dict.fromkeys((suite.since + 1, suite.missed[0]))]
        texts = taken_back(texts, excused, befores, tried)
        files, settings = ({path: texts[path] for path in one} for one in (suite.files, suite.settings))
        suite = replace(suite, files=files, settings=settings)
        run = run_of(suite)
    fails = _failing(run, suite)
    if fails and not (run.stopped or run.unlaid) and (other := _as_before(suite, series, suite.missed)) != suite:
        came = run_of(other)
        less = _failing(came, other)
        better = less < fails or (less == fails and run.tampering() and not came.tampering())
        suite, run = (other, came) if better and not came.stopped else (suite, run)
    _say_why(run, {name: why for name, why in gone.items() if name})
    return suite, run


def failing_parts(suite: Suite, tree: Mapping[str, File], ask: Ask) -> dict[Place, str]:
    """The parts of a suite's files that cannot be run on a tree, and why."""
    files, settings = (
        {path: tolerant(text, path) if path.endswith(".py") else text for path, text in one.items()}
        for one in (suite.files, suite.settings)
    )
    lay = laid(replace(suite, files=files, settings=settings), sealing=False, bare=True)
    told = ask(tree, replace(lay, order={**lay.order, "collect": True})).told
    texts = {**suite.settings, **suite.files}
    return {
        (path, place): why
        for (path, place), why in told.missing.items()
        if 0 <= place < len(parts_of(texts.get(path, "")))
    }


def _lacks(run: Run, suite: Suite) -> bool:
    """Whether a file that is asked for, or a test of one, could not be collected."""
    told = run.told
    there = {name for node in run.items() for name in (node, function_of(node))}
    return any(
        told.lost(path)
        or (path not in told.passed_over and any("[" not in name and name not in there for name in names))
        for path, names in suite.by_test.items()
    )


def _failing(run: Run, suite: Suite) -> set[str]:
    """Tests that are asked for and do not pass."""
    found = {name for path, names in suite.by_test.items() if path not in run.told.passed_over for name in names}
    passes: dict[str, bool] = {}
    for node in run.items():
        if asked := suite.asked(node):
            passes[asked[0]] = passes.get(asked[0], True) and run.told.outcomes.get(node, False)
    return {name for name in found if not passes.get(name, "[" in name)}


def asked_by_support(
    seen: Inspection,
    suite: Suite,
    ticket: Ticket,
    series: Series,
    run_of: Callable[[Suite], Run],
    known: Collection[str],
) -> Inspection:
    """What the ticket's own commit asks by what tests share: others' tests that fail, and pass with that as it was
    before, are none that were broken but are among those that it fails; and where what is used without being named
    fails all, it is no tampering that it does. `known` are tests that were broken before."""
    failing = {test for tests in seen.broken.values() for test in tests if test not in known}
    if not suite.by_test or not (failing or (seen.tampered and seen.failed)):
        return seen
    other = _as_before(suite, series, (ticket.number,))
    came = run_of(other) if other != suite else None
    if came is None or came.stopped or came.unlaid or came.tampering():
        return seen
    own = failing - _failing(came, other)
    broken = {number: tuple(one for one in tests if one not in own) for number, tests in seen.broken.items()}
    return replace(
        seen,
        failed=tuple(sorted({*seen.failed, *own})),
        broken={number: tests for number, tests in broken.items() if tests},
        tampered="" if seen.failed else seen.tampered,
    )


def asks_of(series: Series, ticket: Ticket) -> set[str]:
    """Files of tests, and of what they share, that a ticket's commit changed."""
    before = tree_before(series, ticket.number)
    texts = {path: text for path, text in {**ticket.settings, **ticket.hidden}.items() if path.endswith(".py")}
    return {path for path, text in texts.items() if text_of(before.get(path)) != text}


def _as_before(suite: Suite, series: Series, tickets: Sequence[int]) -> Suite:
    """A suite in which what tests share and these tickets changed (fixtures, functions, what a test's class has beside
    tests, names of a file) is as it was before them; what is used without being named, and is new, is out."""
    texts = {path: text for path, text in {**suite.settings, **suite.files}.items() if path.endswith(".py")}
    for number in reversed(tickets):
        before, after = tree_before(series, number), tree_before(series, number + 1)
        for path, text in texts.items():
            was, came = text_of(before.get(path)), text_of(after.get(path))
            texts[path] = unchanged(text, was, came, suite.rules) if was != came else text
    files, settings = ({path: texts.get(path, one[path]) for path in one} for one in (suite.files, suite.settings))
    return replace(suite, files=files, settings=settings)


def taken_back(
    texts: Mapping[str, str],
    places: Collection[Place],
    befores: Sequence[Mapping[str, str | bytes]],
    tried: dict[tuple[str, str], list[str]] | None = None,
    out: bool = True,
) -> dict[str, str]:
    """Files in which these parts are as they were in one of these trees, where they bind a name that was there, and are
    left out otherwise. Unless `out` they stay otherwise, and so do imports. `tried`: file and name -> as what it stood
    before, in vain."""
    tried, found = {} if tried is None else tried, dict(texts)
    places = [(path, place) for path, place in places if 0 <= place < len(parts_of(texts.get(path, "")))]
    for path in {path for path, _ in places}:
        instead: dict[int, str] = {}
        for place in (place for one, place in places if one == path):
            part = parts_of(texts[path])[place]
            if name := part.name or (part.called if out else ""):
                now = tried.setdefault((path, name), [])
                now.append(binding(texts[path], name))
                were = ((binding(was, name), was) for was in (text_of(before.get(path)) for before in befores))
                older = (with_imports(one, texts[path], was) for one, was in were if one and one not in now)
                instead |= dict.fromkeys([place], next(older, ""))
        instead = {place: one for place, one in instead.items() if one}
        gone = instead.keys() | ({place for one, place in places if one == path} if out else set())
        found[path] = without(texts[path], gone, instead)
    return found


def text_of(file: str | bytes | None) -> str:
    """A file as a text, "" where there is none."""
    return "" if file is None or isinstance(file, Link) else as_text(source_text(file))


def _say_why(run: Run, gone: Mapping[str, str]) -> None:
    """What is said of tests that need a name that is left out, with why it is."""
    for node, message in run.told.messages.items():
        why = [why for name, why in gone.items() if re.search(rf"\b{re.escape(name)}\b", message)]
        run.told.messages[node] = f"{why[0]}\n{message}" if why else message
