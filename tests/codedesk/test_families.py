"""Generated tickets: what the station and whoever is measured by them rely on."""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib
import json
import keyword
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from reference_run import package_of, size_of, worked

from takt.errors import TaktError
from takt.stations.codedesk.families import families, generate, words
from takt.stations.codedesk.families.drawn import PATTERNS, draw
from takt.stations.codedesk.families.series import Generated
from takt.stations.codedesk.families.tariffs import TRADES, rules
from takt.stations.codedesk.tickets import LEVELS, open_series, ticket_as_json, tree_before

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # tickets that rename something ask for them


@cache
def series_of(family: str) -> Generated:
    """One for all tests: to make tickets takes time."""
    return generate(family, "plain", 7)


@pytest.mark.parametrize("family", families())
def test_the_reference_passes_every_hidden_test_that_holds_and_the_tree_before_fails_each_ticket(family: str) -> None:
    done = worked(series_of(family), 9)
    assert not done.wrong
    for ticket, before in zip(done.tickets, done.trees, strict=False):
        text = next(iter(ticket.hidden.values()))
        assert 6 <= text.count("pytest.param(") <= 40
        assert 4 <= size_of(ticket, before) <= 120, ticket.title
        assert set(ticket.settings) >= {"pytest.ini", "conftest.py"}


def shown(series: Generated, tickets: int) -> str:
    rows = [series.base(), *(ticket_as_json(series.ticket(number)) for number in range(tickets))]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


ELSEWHERE = """
import sys
sys.path[:0] = [{tests!r}]
from test_families import families, generate, shown
for family in families():
    print(shown(generate(family, "plain", 7), 4))
"""


def test_a_series_is_a_function_of_family_level_and_seed_and_of_nothing_else() -> None:
    """In another process as well, in which sets have another order."""
    program = ELSEWHERE.format(tests=str(Path(__file__).parent))
    environment = {**os.environ, "PYTHONHASHSEED": "4321"}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, env=environment, check=True
    )
    assert ran.stdout.split() == [shown(series_of(family), 4) for family in families()]
    assert shown(generate("tariffs", "plain", 4), 1) != shown(series_of("tariffs"), 1)
    hard = generate("tariffs", "hard", 7)
    assert hard.base() == series_of("tariffs").base(), "the level changes the tickets, not the package"


def test_tickets_may_be_asked_for_in_any_order() -> None:
    straight, back = series_of("tariffs"), generate("tariffs", "plain", 7)
    assert [back.ticket(n) for n in (4, 0, 2)] == [straight.ticket(n) for n in (4, 0, 2)]
    with pytest.raises(IndexError):
        back.ticket(-1)


@pytest.mark.parametrize("family", families())
def test_what_a_ticket_retires_was_asked_by_an_earlier_one_and_is_retired_once(family: str) -> None:
    series = series_of(family)
    known: set[str] = set()
    gone: set[str] = set()
    for number in range(8):
        ticket = series.ticket(number)
        for node in ticket.retires:
            assert node in known and node not in gone
        gone |= set(ticket.retires)
        for path, text in ticket.hidden.items():
            known |= {path} | {f"{path}::test_{ask}[{place}]" for ask, place in _nodes(text)}


def _nodes(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rows: list[str] = []
    for line in text.splitlines():
        if (row := re.search(r'id="(c\d+)"\),$', line)) is not None:
            rows.append(row[1])
        if (test := re.match(r"def test_(\w+)\(", line)) is not None:
            found += [(test[1], place) for place in rows]
            rows = []
    return found


def test_levels_differ_in_how_much_is_said() -> None:
    lengths = {level: sum(len(generate("expressions", level, 2).ticket(n).text) for n in range(3)) for level in LEVELS}
    assert lengths["easy"] > lengths["plain"]
    assert "Where: " in generate("expressions", "easy", 2).ticket(0).text
    assert "For instance" not in generate("expressions", "hard", 2).ticket(0).text


@pytest.mark.parametrize("family", families())
def test_hidden_tests_and_the_packages_own_run_under_pytest_itself(family: str, tmp_path: Path) -> None:
    series = series_of(family)
    ticket = series.ticket(7)
    for tree in (tree_before(series, 8), ticket.hidden, ticket.settings):
        for path, text in tree.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(str(text), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:xdist", "tests"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert package_of(tree_before(series, 0)) in "".join(ticket.hidden.values())


def test_what_is_no_series_is_one_line_that_names_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(TaktError, match="expressions"):
        open_series("no-such-thing", "plain", 1)
    with pytest.raises(TaktError, match="easy, plain, hard"):
        open_series("generated", "harder", 1)
    with pytest.raises(TaktError, match=r"series\.json"):
        open_series(str(tmp_path), "plain", 1)
    assert open_series("generated", "plain", 1).name in families()


def test_no_name_that_is_drawn_is_that_of_a_variable_of_the_reference() -> None:
    """A function called `price` and a variable `price` beside a call of it: every name of the stock, asked at once."""
    for family, fact, names in (
        ("tariffs", "quote", ("quote", "price", "rate", "charge")),
        ("expressions", "evaluate", ("evaluate", "compute", "calc", "value")),
        ("queries", "query", ("query", "ask", "search")),
    ):
        series = series_of(family)
        state = series.step(6).after
        everything = {
            "quote_all",
            "cheapest",
            "refund",
            "points",
            "currency",
            "difference",
            "explain",
            "which",
            "run",
            "formula",
        }
        state = replace(state, on=tuple(dict.fromkeys([*state.on, *sorted(everything)])))
        for name in names:
            facts = {**state.facts, fact: name}
            for path, text in series.family.tree(replace(state, facts=facts)).items():
                if path.endswith(".py"):
                    assert not _shadowed(text, name), f"{path} has a variable {name!r} beside the function"


def _shadowed(text: str, name: str) -> bool:
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            named = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
            calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(isinstance(node.ctx, ast.Store) for node in named) and any(node in calls for node in named):
                return True
    return False


def test_no_name_that_is_drawn_is_a_word_of_python() -> None:
    """`class` was one of four names of a pattern: a series that drew it had no solution that could be imported."""
    nouns = {noun for pattern in PATTERNS.values() for noun in pattern.nouns} | {*words.PACKAGES, *words.WORDS}
    assert len(nouns) > 150 and all(noun.isidentifier() for noun in nouns)
    assert not {noun for noun in nouns if keyword.iskeyword(noun) or hasattr(builtins, noun)}
    assert not {*words.PACKAGES} & sys.stdlib_module_names


def sentences() -> list[str]:
    """What tickets say, of all families, before and after it is filled in."""
    found = list[str]()
    for family in families():
        module = importlib.import_module(f"takt.stations.codedesk.families.{family}.features")
        for one in (*module.FEATURES, *module.DEFECTS, *module.CHANGES):
            found += [one.title, one.vague, *(line.removeprefix("~") for line in one.said)]
    for pattern in PATTERNS:
        found += [line for seed in range(12) for line in draw(Random(seed), "x", pattern).tell()]
    for summary, quantity, pieces, _, _ in TRADES:
        facts = {**series_of("tariffs").family.start(Random(summary)).facts, "f_qty": quantity, "f_count": pieces}
        for seed in range(40):
            found += rules.draw(Random(seed), facts, "late discount", "discount", days=True).told(facts)
    return found


def test_tickets_are_in_plain_english_without_marks_that_mean_something_to_us() -> None:
    plurals = "|".join(one for _, quantity, pieces, _, _ in TRADES for one in (quantity, pieces) if one.endswith("s"))
    wrong = re.compile(rf"~[A-Z]|\ban? `?({plurals}|people)\b|\b1 (?!comes|counts|raises|is\b)[a-z]+s\b")
    assert not [line for line in sentences() if wrong.search(line)]
    labels = [words.one(label) for label in rules.LABELS]
    assert not [label for label in labels if re.match(r"a [aeiou]|an [^aeiou]", label)]


def test_what_a_change_makes_untrue_in_the_readme_is_said_anew_where_it_stands() -> None:
    series = generate("records", "plain", 1)
    state = series.family.start(Random(1))
    for key in ("merge", "change.merge"):
        offer = next(one for one in series.family.offers(state, Random(1)) if one.key == key)
        said, state = state, series._documented(offer, Random(1))
    before, after = said.told["merge"], state.told["merge"]
    for told, rule in ((before, said.facts["merge_other"]), (after, not said.facts["merge_other"])):
        assert f"that of the {'other' if rule else 'first'} one counts" in told.lines[0]
    assert after.lines[1:] == before.lines[1:] and after.examples == before.examples
