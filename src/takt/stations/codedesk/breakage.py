"""Which tests of accepted tickets are broken, by whom and since when, from one inspection to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from takt.contract.events import Event
from takt.stations.codedesk.laying import holds
from takt.stations.codedesk.terms import MENDED, RECOUNTED, REGRESSION
from takt.stations.codedesk.tickets import REPOSITORY

MOST_NAMED = 20  # tests in an event
Broken = dict[str, list[Any]]  # test -> its ticket, the unit that broke it, when (s)


def reckoned(
    broken: Broken,
    unit: int,
    now_s: float,
    seen: Mapping[int, Sequence[str]],
    unknown: Sequence[str] | None,
    retired: Sequence[str],
    before: Sequence[str] = (),
) -> tuple[Broken, list[Event], bool]:
    """What is broken after an inspection, the events that tell of it, and whether this unit broke anything.

    `seen` are the tests that fail, by ticket; `path::?` stands for a file that cannot be collected. What was broken
    before counts against the unit that broke it, and against no other. Mended is what passes: a test of which nothing
    is known (`unknown`, or in a file that cannot be collected) is as it was. RECOUNTED is what changes for another
    reason: a test that no longer holds, tests that fail in a file that can be collected again, or that are asked for
    the first time and failed `before` this unit began: they count with what is broken already, of their file, ticket,
    or the newest, and with nobody where nothing is.
    `unknown` is None in records from before these were told apart; they mean what they meant.
    """
    after, events, breaks = dict(broken), list[Event](), False
    failing = {test for tests in seen.values() for test in tests}
    gone: Counter[tuple[str, int, int, float]] = Counter()
    for number, tests in seen.items():
        found = [test for test in tests if test not in broken]
        lost = [test for test in found if unknown is not None and whole(test) in broken]
        then = [test for test in found if test in before and test not in lost]
        new = [test for test in found if test not in lost and test not in then]
        if new:
            breaks = True
            data = {**_of(number, len(new)), "tests": new[:MOST_NAMED], "count": len(new)}
            events.append(Event(now_s, REGRESSION, unit, data))
            after |= {test: [number, unit, now_s] for test in new}
        # found in a file that could not be collected before: they are of whoever broke that
        after |= {test: list(broken[whole(test)]) for test in lost}
        for test in then if broken else ():
            path = test.partition("::")[0]
            alike = max(broken, key=lambda one: (one.startswith(f"{path}::"), broken[one][0] == number, broken[one][2]))
            after[test] = [number, *broken[alike][1:]]
            gone[RECOUNTED, number, after[test][1], after[test][2]] += 1
    for test, was in broken.items():
        if test in failing or (unknown is not None and _as_it_was(test, failing, unknown, retired)):
            continue
        del after[test]
        within = sum(whole(one) == test and one not in broken for one in failing) if unknown is not None else 0
        if unknown is None or (holds(test, retired) and not within):
            gone[MENDED, *was] += 1
        else:
            gone[RECOUNTED, *was] += within - 1
    for (kind, number, by, at_s), count in sorted(gone.items()):
        data = {**_of(number, count), "broken_by": by, "count": count}
        data |= {"after_s": round(now_s - at_s, 6)} if kind == MENDED else {}
        events += [Event(now_s, kind, unit, data)] if count else []
    return after, events, breaks


def word_of(number: int) -> str:
    """Whose tests they are, as a record has it."""
    return "repository" if number == REPOSITORY else str(number)


def number_of(word: str) -> int:
    """The same, read: of older records too, which have the number alone."""
    return REPOSITORY if word == "repository" else int(word)


def _of(number: int, count: int) -> dict[str, int]:
    """Whose tests an event is about."""
    return {"repository": count} if number == REPOSITORY else {"ticket": number}


def moved(broken: Broken, paths: Mapping[str, str]) -> Broken:
    """What is broken, by the names of today, where files of tests lie elsewhere than before, and tests are called
    otherwise (node id -> node id)."""
    for old, new in paths.items():  # in the order in which they were moved
        within = f"{old}[" if "::" in old else f"{old}::"
        names = {one: new + one.removeprefix(old) if one == old or one.startswith(within) else one for one in broken}
        broken = {names[test]: was for test, was in broken.items()}
    return broken


def moves_of(broken: Broken, paths: Mapping[str, str]) -> dict[str, str]:
    """Those that have to do with what is broken."""
    found: dict[str, str] = {}
    for old, new in paths.items():
        after = moved(broken, {old: new})
        found |= {old: new} if after != broken else {}
        broken = after
    return found


def whole(test: str) -> str:
    """A test's file, as it stands for all of them where it cannot be collected."""
    return f"{test.partition('::')[0]}::?"


def _as_it_was(test: str, failing: set[str], unknown: Sequence[str], retired: Sequence[str]) -> bool:
    return holds(test, retired) and (whole(test) in failing or test in unknown)
