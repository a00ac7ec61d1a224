"""Mutants of a reference change: what the hidden tests' strength is measured with."""

from __future__ import annotations

import ast
from dataclasses import replace
from random import Random

from reference_run import package_of

from takt.stations.codedesk.families import generate
from takt.stations.codedesk.families.trial import Trial
from takt.stations.codedesk.sabotage import mutants, saboteurs
from takt.stations.codedesk.tickets import Ticket, changed, tree_before

AFTER = '''"""Doc 1."""

__all__ = ["f"]


def f(a, b=2):
    """At most 3."""
    if a < b and not b == 3:
        raise ValueError(f"no more than {1 + 2}")
    return a - 1


def __repr__():
    return 1 + 1
'''


def a_ticket(after: str) -> Ticket:
    return Ticket(0, "t", "t", "feature", (), {}, {}, {"p/m.py": after, "tests/test_m.py": after}, (), "plain")


def test_a_mutant_differs_from_the_reference_in_one_place_of_a_line_that_the_change_wrote() -> None:
    before = {"p/m.py": AFTER.replace("return a - 1", "return a")}
    found = saboteurs(a_ticket(AFTER), before, Random(1))
    assert {one.what for one in found} == {"operator", "off by one", "another name", "nothing returned"}
    for one in found:
        text = str(one.files["p/m.py"])
        assert one.files["tests/test_m.py"] == AFTER
        differing = [line for line, old in zip(text.splitlines(), AFTER.splitlines(), strict=True) if line != old]
        assert len(differing) == 1 and one.line == 10
        ast.parse(text)


def test_what_cannot_be_told_from_outside_is_never_mutated() -> None:
    found = saboteurs(a_ticket(AFTER), {}, Random(1))
    assert {"comparison", "and/or", "condition lost", "not or sign lost", "branch never taken", "error not raised"} <= {
        one.what for one in found
    }
    for one in found:
        text = str(one.files["p/m.py"])
        assert '__all__ = ["f"]' in text and '"""At most 3."""' in text and "return 1 + 1" in text
        assert "{1 + 2}" in text or one.what in ("error not raised", "branch never taken", "branch always taken")


def test_no_file_of_tests_is_mutated_wherever_it_lies_and_whatever_it_is_called() -> None:
    paths = [
        "test_m.py",
        "m_test.py",
        "p/tests/util.py",
        "test/x.py",
        "testing/x.py",
        "conftest.py",
        "check_m.py",
        "d.py",
    ]
    ticket = replace(
        a_ticket(AFTER),
        reference=dict.fromkeys(["m.py", *paths], AFTER),
        hidden={"d.py": AFTER},
        settings={"pytest.ini": "[pytest]\npython_files = check_*.py\n"},
    )
    assert {one.path for one in saboteurs(ticket, {}, Random(1))} == {"m.py"}


def test_the_same_stream_draws_the_same_mutants() -> None:
    once, again, other = (mutants(a_ticket(AFTER), {}, Random(seed), 5) for seed in (3, 3, 4))
    assert once == again != other and len(once) == 5


def test_hidden_tests_that_hold_catch_nine_in_ten_mutants_of_a_few_tickets() -> None:
    """The full count is `python benchmarks/codedesk.py strength`; here some 35 of one series, seed 7."""
    series = generate("expressions", "plain", 7)
    package = package_of(dict(series.base()))
    caught = total = 0
    earlier: dict[str, str] = {}
    retired: set[str] = set()
    for number in range(10):
        before = tree_before(series, number)
        retired |= set(series.ticket(number).retires)
        for files in mutants(series.ticket(number), before, Random(f"7/{number}"), 4, series.faults(number)):
            trial = Trial(changed(before, files), package, wall_s=2.0)
            hidden = dict(series.ticket(number).hidden) | earlier
            total += 1
            caught += any(trial.run(hidden, frozenset(retired), stop=True).values())
        earlier |= series.ticket(number).hidden
    assert total >= 25
    assert caught >= 0.88 * total, f"{caught} of {total}"
