"""Tests that ask for something else under the same name, and canaries: what right code makes of them."""

from __future__ import annotations

import ast
from random import Random
from typing import Any

import pytest

from takt.stations.codedesk.altering import altered
from takt.stations.codedesk.canaries import canary_file, canary_files, with_canaries
from takt.stations.codedesk.collecting import USUAL, Written, rules_of
from takt.stations.codedesk.places import as_written

HEAD = "import unittest\n\nimport pytest\n\n\ndef f(x):\n    return {'a': x, 'b': [1, 2]}\n\n\n"
BODIES = {
    "a value": "    assert f(3) == {'a': 3, 'b': [1, 2]}\n",
    "a value in two lines": "    assert f(3) == {\n        'a': 3,\n        'b': [1, 2],\n    }, 'said'\n",
    "another letter": "    assert ''.join(['a', 'b']) == \"ab\"\n",
    "a variable": "    want = [1, 2]\n    assert f(3)['b'] == want\n",
    "no value is written": "    g = f\n    assert f(3) == g(3)\n",
    "not equal": "    assert (f(3) or 1) != f(4)\n",
    "within": "    assert 'a' in f(3)\n    assert 'c' not in f(3)\n",
    "a truth": "    assert f(3)\n    assert not f(3) == 4\n    assert isinstance(f(3), dict) and f(3)\n",
    "less": "    assert len(f(3)) < 3 and True\n    assert len(f(3)) >= 2\n",
    "about": "    assert 0.1 + 0.2 == pytest.approx(0.3)\n",
    "none": "    assert f(3).get('q') is None\n",
    "an error": "    with pytest.raises(TypeError):\n        f()\n",
    "any error": "    with pytest.raises(Exception):\n        f()\n",
    "in a loop": "    for x in (1, 2):\n        assert f(x)['a'] == x\n",
    "in a block": "    import io\n    with io.StringIO('x') as out:\n        assert out.getvalue() == 'x'\n",
    "a way out": "    if f(3):\n        return\n    assert f(3) == 4\n",
    "nothing asserted": '    """Said."""\n    f(3)\n',
    "a block first": "    if f(3):\n        pass\n",
    "all in one line": "",
}


def passes(text: str, name: str) -> bool:
    """Whether a test of a file passes: a function, or a method of a TestCase."""
    names: dict[str, Any] = {}
    exec(compile(text, "t.py", "exec"), names)
    holder, _, method = name.rpartition("::")
    test = names[method] if not holder else getattr(names[holder](method), method)
    rows = [one.args[1] for one in getattr(test, "pytestmark", ()) if one.name == "parametrize"]
    try:
        for row in rows[0] if rows else [()]:
            test(*row)
    except (Exception, pytest.fail.Exception):
        return False
    return True


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_right_code_fails_an_altered_test_and_nothing_else_is_changed(body: str) -> None:
    text = HEAD + (f"def test_it():\n{body}" if body else "def test_it(): assert f(3)['a'] == 3\n")
    assert passes(text, "test_it")
    for seed in range(8):
        other, names = altered(text, Random(seed))
        assert names == {"test_it"} and not passes(other, "test_it"), other
        assert other.startswith(HEAD) and [one.name for one in USUAL.tests(other)] == ["test_it"]


def test_rows_and_methods_are_altered_as_well() -> None:
    rows = "@pytest.mark.parametrize(('x', 'want'), [(1, 1), (2, 2)])\ndef test_rows(x, want):\n"
    rows += "    assert f(x)['a'] == want\n"
    methods = "".join(
        f"    def test_{number}(self):\n        self.{line}\n\n"
        for number, line in enumerate(
            ["assertEqual(f(3)['a'], 3)", "assertEqual(f(3), f(3))", "assertTrue(f(3))", "assertIn('a', f(3))",
             "assertRaises(TypeError, f)", "assertIsNone(None)", "assertNotEqual(1, f(3))",
             "assertAlmostEqual(1.0, 2.0 / 2)"]
        )
    )  # fmt: skip
    text = f"{HEAD}{rows}\n\nclass TestIt(unittest.TestCase):\n{methods}"
    every = {one.name for one in USUAL.tests(text)}
    assert len(every) == 9 and all(passes(text, one) for one in every)
    for seed in range(8):
        other, names = altered(text, Random(seed))
        assert names == every and not any(passes(other, one) for one in every), other
    other, _ = altered(text, Random(1), known=lambda test: test.name != "test_rows")
    assert "assert f(x)['a'] == want\n" in other, "what is expected is another, not the assertion"
    assert other.count("self.assert") == text.count("self.assert") and passes(other, "TestIt::test_0")


def test_a_test_of_which_it_is_not_sure_that_it_must_fail_stays_as_it_is() -> None:
    for mark in ("@pytest.mark.xfail", "@unittest.expectedFailure", "@pytest.mark.skipif(True, reason='')"):
        text = f"{HEAD}{mark}\ndef test_it():\n    assert f(3) == 4\n"
        assert altered(text, Random(1)) == (text, frozenset())
    twice = HEAD + "def test_it():\n    assert f(3)\n\n\ndef test_it():\n    assert f(4)\n"
    assert altered(twice, Random(1)) == (twice, frozenset())
    assert altered("def test_(:", Random(1)) == ("def test_(:", frozenset())


ELSEWHERE = {
    "a loop over a table": "    for x, want in TABLE:\n        assert f(x)['a'] == want\n",
    "a loop, and more": "    for x, _ in TABLE:\n        if x:\n            assert f(x)['a'] == 3\n    x = 4\n",
    "an error in a loop": "    for _ in TABLE:\n        with pytest.raises(TypeError):\n            f()\n\n",
    "after a way out": "    if len('x') == 2:\n        return\n    assert f(3)['a'] == 3\n",
    "a value is returned": "    if len('x') == 1:\n        assert f(3)['a'] == 3\n        return 5\n    return 6\n",
    "a helper": "    same(f(3)['a'], 3)\n    f(4)\n",
    "a helper with a way out": "    loose(f(3)['a'], 3)\n",
    "a helper in a loop": "    for x, want in TABLE:\n        same(f(x)['a'], want)\n\n\n# the end",
}
HELPERS = """TABLE = [(3, 3)]

def same(got, want):
    assert got == want, got

def loose(got, want, most=9):
    if got is None:
        return got
    assert got == want
    assert most > 3


"""
EQUAL = """
class Equal(int):
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda *_: True
    __getitem__ = lambda self, _: self
    __hash__ = int.__hash__

def f(x="none"):
    if x == "none":
        raise TypeError
    return Equal(5)
"""


@pytest.mark.parametrize("body", ELSEWHERE.values(), ids=ELSEWHERE)
def test_assertions_that_stand_elsewhere_are_altered_and_ask_something_of_the_code(body: str) -> None:
    """Right code fails the altered test, and what equals everything passes it: that is how it is found out."""
    text = HEAD + HELPERS + f"def test_it():\n{body}"
    assert passes(text, "test_it")
    found = 0
    for seed in range(8):
        other, names = altered(text, Random(seed))
        assert names == {"test_it"} and not passes(other, "test_it"), other
        found += passes(other.replace("def test_it", f"{EQUAL}\n\ndef test_it"), "test_it")
        same, none = altered(text, Random(seed), turned=lambda test: False)
        assert not none and passes(same, "test_it") and ("same_" in same) == ("same_" in other), "a copy in either case"
    assert found or "raises" in body


def test_what_may_not_be_reached_fails_in_its_end() -> None:
    never = (
        HEAD
        + "def test_it():\n    for x in f(3)['b'][:0]:\n        assert f(x) == 3\n\n\ndef test_b():\n    assert f(3)\n"
    )
    other, _ = altered(never, Random(1), known=lambda test: test.name == "test_b")
    assert not passes(other, "test_it") and passes(other, "test_b")
    assert other.splitlines()[-2:] == never.splitlines()[-2:] and len(other.splitlines()) == len(never.splitlines())


def test_a_canary_does_what_is_said_of_it_and_is_named_as_the_tests_beside_it() -> None:
    hidden = "def test_sum_of_orders():\n    pass\n\n\n@mark\ndef test_late_orders():\n    pass\n"
    seen: set[str] = set()
    for seed in range(5):
        files = canary_files(["tests/test_orders.py"], [hidden], Random(seed))
        assert len(files) >= 2 and sum(len(named) for _, named in files.values()) >= 17
        for path, (text, named) in files.items():
            assert path.startswith("tests/test_") and path != "tests/test_orders.py"
            for name, must in named.items():
                if "[" not in name:
                    assert passes(text, name) is must, text
            assert set(named.values()) == {True, False} and any("::" in name for name in named)
            seen |= {name.rpartition("::")[2] for name in named}
        text, names, shifts = with_canaries(hidden, 3, Random(seed))
        assert len(names) == 3 and ast.parse(text)
        for line, said in enumerate(text.splitlines(), 1):  # what is told of a line leads to that line of the ticket's
            if said.strip() and said in hidden.splitlines():
                told = as_written(
                    f"test_orders.py:{line}: in", {"tests/test_orders.py": shifts}, ["tests/test_orders.py"]
                )
                assert hidden.splitlines()[int(told.split(":")[1]) - 1] == said
        bodies = {one.name: one.node for one in USUAL.tests(text)}
        assert (
            set(bodies) == {"test_sum_of_orders", "test_late_orders", *names} and "@mark\ndef test_late_orders" in text
        )
        names_of: dict[str, Any] = {"__import__": __import__}
        for name in names:
            exec(compile(ast.Module([bodies[name]], []), "c.py", "exec"), names_of)
            with pytest.raises((Exception, pytest.fail.Exception)):
                names_of[name]()
    assert any("orders" in name for name in seen)
    assert canary_file(["a"], Random(1)) != canary_file(["a"], Random(2))


def test_a_message_names_lines_as_the_tickets_file_has_them_wherever_they_are_named() -> None:
    shifts = {"tests/test_a.py": [(9, 4), (3, 5), (9, 2)], "test_b.py": [(1, 7)]}
    laid = ["tests/test_a.py", "test_b.py", "tests/test_b.py", "test_c.py", "a/test_a.py"]
    for told, due in {
        "tests/test_a.py:2: in test_x": "tests/test_a.py:2: in test_x",
        "tests/test_a.py:8: in test_x\n  tests/test_a.py:20: E": "tests/test_a.py:3: in test_x\n  tests/test_a.py:9: E",
        'File "/work/tests/test_a.py", line 13, in f': 'File "/work/tests/test_a.py", line 8, in f',
        "file /work/test_b.py, line 9\n  def test_x(no):": "file /work/test_b.py, line 2\n  def test_x(no):",
        "at 0x..., file '../work/tests/test_a.py', line 21>": "at 0x..., file '../work/tests/test_a.py', line 10>",
        "SyntaxError: (test_b.py, line 10)": "SyntaxError: (test_b.py, line 3)",
        "tests/test_b.py:9: not that one": "tests/test_b.py:9: not that one",
        "test_a.py:9 is one of two": "test_a.py:9 is one of two",
        "/usr/lib/tests/test_a.py:9: another's": "/usr/lib/tests/test_a.py:9: another's",
        "test_c.py:9 and line 20 of nothing": "test_c.py:9 and line 20 of nothing",
    }.items():
        assert as_written(told, shifts, laid) == due


@pytest.mark.parametrize(
    ("patterns", "begins", "ends"),
    [
        ("check_*", "check_", ""),
        ("it", "it_", ""),
        ("*_spec", "", "_spec"),
        ("[a-z]*_??_* x", "", ""),
        ("test_?*", "test_", ""),
    ],
)
def test_canaries_are_tests_by_the_repositorys_own_rules(patterns: str, begins: str, ends: str) -> None:
    rules = rules_of(f"[pytest]\npython_functions = {patterns}\n")
    for seed in range(5):
        _, named = canary_file(["a", "b"], Random(seed), rules)
        functions = [one.partition("[")[0] for one in named if "::" not in one]
        assert len(set(functions)) >= 10 and all(map(rules.is_function, functions))
        assert all(one.startswith(begins) and one.endswith(ends) for one in functions)
        own = rules.named("x", ())
        text, names, _ = with_canaries(
            f"def {own}():\n    assert f() == 1\n\n\ndef helper_(): pass\n", 2, Random(seed), rules
        )
        assert {one.name for one in rules.tests(text)} == {own, *names} and len(names) == 2
        assert altered(text, Random(seed), rules=rules)[1] >= {own}
    nobody = rules_of("[pytest]\npython_functions =\n")
    _, named = canary_file(["a"], Random(1), nobody)
    assert named and all("::test_" in one for one in named), "unittest's are tests whatever is said"
    assert with_canaries("def test_x():\n    pass\n", 2, Random(1), nobody)[1] == []


def test_a_test_is_known_by_its_name_in_its_class() -> None:
    text = "class TestA:\n    def test_x(self): pass\n\n\n"
    text += "class TestB:\n    def test_x(self): pass\n    def other(self): pass\n"
    found = USUAL.tests(text)
    assert [one.name for one in found] == ["TestA::test_x", "TestB::test_x"] and isinstance(found[0], Written)
