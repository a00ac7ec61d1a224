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

from takt.stations.codedesk.laying import Laid, Run, Suite, function_of, laid
from takt.stations.codedesk.repository import files_of
from takt.stations.codedesk.statements import Place, definition, parts_of, tolerant, without
from takt.stations.codedesk.tickets import Series, as_text, tree_before
from takt.stations.codedesk.trees import File, Link, source_text

ROUNDS = (
    3  # a definition may be as it was before the last accepted ticket, as it was before the first missed one, or out
)
Ask = Callable[[Mapping[str, File], Laid], Run]


def importable(
    suite: Suite, tree: Mapping[str, File], series: Series, run_of: Callable[[Suite], Run], ask: Ask
) -> tuple[Suite, Run]:
    """What comes of a suite (`run_of`), and the suite as it was run: without what missed tickets brought, as far as its
    files cannot be imported for that. `ask` has a tree tell of what is laid."""
    run = run_of(suite)
    if suite.missed is None:
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
        known = files_of(tree_before(series, suite.missed)) if known is None else known
        excused = failing.keys() & failing_parts(suite, known, ask).keys()
        if not excused:
            break
        texts = {**suite.settings, **suite.files}
        gone |= {parts_of(texts[path])[place].called: failing[path, place] for path, place in excused}
        befores = [tree_before(series, number) for number in dict.fromkeys((suite.since + 1, suite.missed))]
        texts = taken_back(texts, excused, befores, tried)
        files, settings = ({path: texts[path] for path in one} for one in (suite.files, suite.settings))
        suite = replace(suite, files=files, settings=settings)
        run = run_of(suite)
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


def taken_back(
    texts: Mapping[str, str],
    places: Collection[Place],
    befores: Sequence[Mapping[str, str | bytes]],
    tried: dict[tuple[str, str], list[str]] | None = None,
    out: bool = True,
) -> dict[str, str]:
    """Files in which these parts are as they were in one of these trees, where they define what was there, and are
    left out otherwise (or stay, unless `out`). `tried`: file and name -> as what it stood before, in vain."""
    tried, found = {} if tried is None else tried, dict(texts)
    places = [(path, place) for path, place in places if 0 <= place < len(parts_of(texts.get(path, "")))]
    for path in {path for path, _ in places}:
        instead: dict[int, str] = {}
        for place in (place for one, place in places if one == path):
            if name := parts_of(texts[path])[place].name:
                now = tried.setdefault((path, name), [])
                now.append(definition(texts[path], name))
                older = (definition(_text(before.get(path)), name) for before in befores)
                instead |= dict.fromkeys([place], next((one for one in older if one and one not in now), ""))
        instead = {place: one for place, one in instead.items() if one}
        gone = instead.keys() | ({place for one, place in places if one == path} if out else set())
        found[path] = without(texts[path], gone, instead)
    return found


def _text(file: str | bytes | None) -> str:
    return "" if file is None or isinstance(file, Link) else as_text(source_text(file))


def _say_why(run: Run, gone: Mapping[str, str]) -> None:
    """What is said of tests that need a name that is left out, with why it is."""
    for node, message in run.told.messages.items():
        why = [why for name, why in gone.items() if re.search(rf"\b{re.escape(name)}\b", message)]
        run.told.messages[node] = f"{why[0]}\n{message}" if why else message
