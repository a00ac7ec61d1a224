"""Whose a broken test is from one inspection to the next, where not all of them could be run."""

from __future__ import annotations

from dataclasses import replace

from takt.stations.codedesk.account import broken_tickets, still_broken
from takt.stations.codedesk.again import run_again
from takt.stations.codedesk.breakage import Broken, moved, reckoned
from takt.stations.codedesk.carrying import carried
from takt.stations.codedesk.collecting import USUAL
from takt.stations.codedesk.judging import judged
from takt.stations.codedesk.laying import Laid, Run, Suite, laid
from takt.stations.codedesk.records import Told
from takt.stations.codedesk.terms import MENDED, RECOUNTED, REGRESSION
from takt.stations.codedesk.tickets import Ticket

A, B, C = "t/test_a.py::test_1", "t/test_a.py::test_2", "t/test_c.py::test_3"


def worked(
    *inspections: tuple[dict[int, list[str]], list[str], list[str]],
) -> tuple[list[tuple[object, ...]], list[bool], int]:
    """Inspections of units 5, 6, ..., each (failing by ticket, unknown, retired): events, who broke something, how many
    tests are broken at the end by the events' account. That is the number of those that are kept, too."""
    broken: Broken = {}
    told, breaks = [], []
    for place, (seen, unknown, retired) in enumerate(inspections):
        broken, events, one = reckoned(broken, 5 + place, 100.0 * place, seen, unknown, retired)
        told += events
        breaks.append(one)
    assert len(broken) == still_broken(told)
    assert {was[0] for was in broken.values()} == broken_tickets(told)
    return [(one.kind, one.unit, one.data["count"]) for one in told], breaks, len(broken)


def test_a_broken_test_of_which_nothing_is_known_is_not_mended() -> None:
    events, breaks, left = worked(({1: [A]}, [], []), ({}, [A], []), ({1: [A]}, [], []), ({}, [], []))
    assert events == [(REGRESSION, 5, 1), (MENDED, 8, 1)] and breaks == [True, False, False, False] and not left


def test_a_broken_test_in_a_file_that_cannot_be_collected_is_whose_it_was() -> None:
    whole = "t/test_a.py::?"
    events, breaks, left = worked(({1: [A]}, [], []), ({1: [whole]}, [], []), ({1: [A]}, [], []))
    assert events == [(REGRESSION, 5, 1), (REGRESSION, 6, 1), (MENDED, 7, 1)] and left == 1
    assert breaks == [True, True, False], "what was broken before the file was lost counts against unit 5"


def test_what_fails_in_a_file_that_can_be_collected_again_is_of_the_one_who_lost_it() -> None:
    whole = "t/test_a.py::?"
    events, breaks, left = worked(({1: [whole]}, [], []), ({1: [A, B]}, [], []), ({1: [B]}, [], []), ({}, [], []))
    assert events == [(REGRESSION, 5, 1), (RECOUNTED, 6, 1), (MENDED, 7, 1), (MENDED, 8, 1)]
    assert breaks == [True, False, False, False] and not left


def test_a_broken_test_that_no_longer_holds_is_not_mended_either() -> None:
    events, _, left = worked(({1: [A, B], 2: [C]}, [], []), ({2: [C]}, [], ["t/test_a.py"]), ({}, [], ["t/test_a.py"]))
    assert events == [(REGRESSION, 5, 2), (REGRESSION, 5, 1), (RECOUNTED, 6, -2), (MENDED, 7, 1)] and not left


def test_what_is_asked_for_the_first_time_and_failed_before_counts_with_what_is_broken_already() -> None:
    broken, _, _ = reckoned({}, 5, 0.0, {1: [A], 2: [C]}, [], [])
    after, events, breaks = reckoned(broken, 6, 9.0, {1: [A, B], 2: [C]}, [], [], [B])
    assert not breaks and after[B] == [1, 5, 0.0]
    assert [(one.kind, one.data) for one in events] == [(RECOUNTED, {"ticket": 1, "broken_by": 5, "count": 1})]
    assert reckoned({}, 6, 9.0, {1: [B]}, [], [], [B]) == ({}, [], False), "with nothing broken, nobody broke it"
    assert reckoned(broken, 6, 9.0, {1: [A, B], 2: [C]}, [], [])[2], "and what did not fail before is a break"


OLD = "class TestA:\n    def test_in(self): assert 1\n\ndef test_a(): assert 2\n\ndef test_b(): assert 3\n"


def test_a_test_goes_on_where_it_lies_and_however_it_is_called() -> None:
    renamed = OLD.replace("assert 3", "assert 33") + "\ndef test_c(): assert 4\n"
    assert carried({"test_m.py": OLD}, {"test_n.py": renamed}, USUAL) == {
        f"test_m.py::{one}": f"test_n.py::{one}" for one in ("TestA::test_in", "test_a", "test_b", "?")
    }
    here, there = OLD.partition("\ndef test_b")[0], "def test_other(): assert 3\n\ndef test_a(): assert 5\n"
    assert carried({"test_m.py": OLD}, {"test_m.py": here, "test_n.py": there}, USUAL) == {
        "test_m.py::test_b": "test_n.py::test_other"
    }
    now = moved({"test_m.py::test_b[1]": [1, 2, 0.0], "test_m.py::test_bb": [1, 2, 0.0]},
                {"test_m.py::test_b": "test_n.py::test_other"})  # fmt: skip
    assert [*now] == ["test_n.py::test_other[1]", "test_m.py::test_bb"]


def test_a_broken_test_that_lies_elsewhere_now_is_whose_it_was() -> None:
    broken, _, _ = reckoned({}, 5, 0.0, {1: [A], 2: [C]}, [], [])
    broken = moved(broken, {"t/test_a.py": "t/u/test_a.py", "t/u/test_a.py": "t/v/test_a.py"})
    there = A.replace("t/", "t/v/")
    broken, events, breaks = reckoned(broken, 6, 9.0, {1: [there], 2: [C]}, [], ["t/test_a.py", "t/u/test_a.py"])
    assert not events and not breaks and broken == {there: [1, 5, 0.0], C: [2, 5, 0.0]}


def test_records_from_before_mean_what_they_meant() -> None:
    broken, _, _ = reckoned({}, 5, 0.0, {1: [A]}, None, [])
    broken, events, breaks = reckoned(broken, 6, 9.0, {}, None, ["t/test_a.py"])
    assert [(one.kind, one.data["after_s"]) for one in events] == [(MENDED, 9.0)] and not broken and not breaks


def test_what_a_limit_kept_from_running_is_unknown_and_neither_broken_nor_whole() -> None:
    text = "def test_1():\n    assert f() == 1\n\n\ndef test_2():\n    assert f() == 2\n"
    suite = Suite({"t/test_a.py": text, "t/test_own.py": text}, {"t/test_a.py": 0, "t/test_own.py": 1}, {})
    ticket = Ticket(1, "x", "x", "feature", (), {"t/test_own.py": text}, {}, {}, (), "plain")
    told = Told(b"", "")
    run = Run(laid(suite, sealing=False), told, "time")
    seen = judged(run, suite, ticket)
    assert seen.unknown == ("t/test_a.py::?",) and not seen.broken and not seen.own_pass
    told.items, told.outcomes = [A, B], {A: False}
    seen = judged(run, suite, ticket)
    assert seen.unknown == (B,) and seen.broken == {0: (A,)}
    assert judged(replace(run, stopped=""), suite, ticket).unknown == ()


class Answers:
    """What tests come to, one run after the other."""

    def __init__(self, *runs: dict[str, bool]) -> None:
        self.runs, self.asked = list(runs), list[list[str]]()

    def __call__(self, lay: Laid) -> Run:
        told = Told(b"", "")
        told.outcomes = {f"tests/{name}": passes for name, passes in self.runs.pop(0).items()}
        told.items = list(told.outcomes)
        told.ended = True
        lay = replace(lay, canaries={})
        self.asked.append([path for path in lay.order["tests"] if path in lay.paths])
        return Run(lay, told, "")


def test_anothers_test_that_fails_by_chance_is_run_again_and_charged_to_nobody() -> None:
    names = [
        f"test_{one}"
        for one in ("a.py::test_own", "b.py::test_old", "c.py::test_base", "c.py::test_late", "d.py::test_d")
    ]
    texts: dict[str, str] = {}
    for path, _, name in (one.partition("::") for one in names):
        texts[f"tests/{path}"] = texts.get(f"tests/{path}", "") + f"def {name}():\n    pass\n\n\n"
    owners = dict(zip((f"tests/{one}" for one in names), [1, 0, -1, -1, -1], strict=True))
    suite = Suite(texts, owners, {})
    ticket = Ticket(1, "x", "x", "feature", (), {}, {}, {}, (), "plain")
    runs = Answers(
        dict.fromkeys(names[:4], False) | {names[4]: True},
        {names[0]: True, names[1]: False, names[2]: True, names[3]: False},
        {names[0]: True, names[1]: False, names[3]: True},
    )
    first = runs(laid(suite, sealing=False))
    assert run_again(first, runs, suite, ticket, [f"tests/{one}" for one in names]) == () and len(runs.asked) == 1
    assert run_again(first, runs, suite, ticket) == ("tests/test_c.py::test_base", "tests/test_c.py::test_late")
    seen = judged(first, suite, ticket)
    assert seen.broken == {0: ("tests/test_b.py::test_old",)} and seen.failed == ("tests/test_a.py::test_own",)
    assert [sorted(one) for one in runs.asked[1:]] == [[f"tests/test_{one}.py" for one in "abc"]] * 2


def test_a_file_of_others_that_only_the_tickets_own_commit_keeps_from_being_imported_is_asked_of_the_ticket() -> None:
    text = "def test_1():\n    pass\n"
    suite = Suite({"t/test_a.py": text, "t/test_b.py": text}, {"t/test_a.py::test_1": 1, "t/test_b.py::test_1": -1}, {})
    ticket = Ticket(1, "x", "x", "feature", (), {}, {}, {}, (), "plain")
    run = Answers({})(laid(suite, sealing=False))
    run.told.items, run.told.outcomes = ["t/test_a.py::test_1"], {"t/test_a.py::test_1": True}
    run.told.uncollected = ["t/test_b.py"]
    seen = judged(run, suite, ticket, {"t/test_b.py::?": "t/test_b.py::?"})
    assert seen.failed == ("t/test_b.py::?",) and not seen.broken and not seen.build
    assert judged(run, suite, ticket, {}).own_pass, "where nothing of the commit's keeps it from that, it is nobody's"
