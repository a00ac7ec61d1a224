"""Tests of our own among the hidden ones, of which only we know whether they must pass: whoever makes all pass makes
these pass too.

They lie in files of their own and inside the hidden ones, run in their midst, and are named as the others are. How many
there are, where, and how they fail (an assertion, an error, one that is not raised, unittest's, a row of several) is
drawn for each inspection.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath
from random import Random

from takt.stations.codedesk.collecting import USUAL, Rules, Written
from takt.stations.codedesk.places import Shift
from takt.stations.codedesk.sealing import cut

WORDS = (
    "empty", "order", "values", "types", "default", "simple", "nested", "errors", "names", "basic", "keys", "copy",
    "equal", "more", "many", "repr", "invalid", "unicode", "options", "none",
)  # fmt: skip
RAISED = ("ValueError", "KeyError", "TypeError", "ZeroDivisionError")
# Tests that may know in which line they stand: nothing is put above them.
KNOWS_LINES = re.compile(r"lineno|_?getframe|currentframe|getsource|findsource|stack\(|\.py:\{?\d|\bline \{?\d|, line")
Case = tuple[str, str, dict[str, bool]]  # what stands above a test and its parameters, its body, rows: must they pass


def canary_files(
    paths: Sequence[str], texts: Sequence[str], rng: Random, rules: Rules = USUAL
) -> dict[str, tuple[str, dict[str, bool]]]:
    """Two or three files of canaries beside these: path -> text, and which of its tests must pass. Each kind is in one
    of them, and some are in another as well."""
    found: dict[str, tuple[str, dict[str, bool]]] = {}
    names = [test.name.rpartition("::")[2] for text in texts for test in rules.tests(text)]
    words = words_of(names)
    for cases in dealt(rng, rng.randrange(2, 4)):
        path = _path(paths, found, words, rng)
        found[path] = canary_file(words, rng, rules, names, cases)
    return found


def dealt(rng: Random, files: int) -> list[list[Case]]:
    """All kinds, and some of them again, for two or three files: in each are functions that must pass, functions that
    must fail, and methods."""
    cases = [*_cases(rng), *(case for case in _cases(rng) if rng.random() < 0.3)]
    rng.shuffle(cases)
    cases.sort(key=lambda case: (case[0] == "self", all(case[2].values())))  # of each there are three at least
    return [cases[place::files] for place in range(files)]


def _path(paths: Sequence[str], taken: Collection[str], words: Sequence[str], rng: Random) -> str:
    """Another file's name, in its folder and after its fashion."""
    beside = PurePosixPath(rng.choice(paths))
    first = (
        "" if beside.stem.endswith("_test") else beside.stem.partition("_")[0]
    )  # test, or what a repository calls it
    stem = beside.stem.removesuffix("_test").removeprefix(f"{first}_")
    while True:
        digits = re.search(r"\d+$", stem)
        if digits:
            name = stem[: digits.start()] + str(rng.randrange(10 ** len(digits[0]))).zfill(len(digits[0]))
        else:
            name = "_".join([*stem.split("_")[: rng.randrange(2)], *rng.sample(list(words), rng.randrange(1, 3))])
        name = f"{first}_{name}" if first else f"{name}_test"
        path = str(beside.with_name(f"{name}.py"))
        if path not in paths and path not in taken:
            return path
        stem += f"_{rng.choice(WORDS)}"


def words_of(names: Sequence[str]) -> list[str]:
    """Words that tests' names are made of, and some of ours."""
    found = [word for name in names for word in name.rpartition("::")[2].split("_")[1:] if word.isidentifier()]
    return list(dict.fromkeys([*found, *WORDS]))


def _name(taken: Collection[str], words: Sequence[str], rng: Random, rules: Rules, beside: Sequence[str]) -> str:
    """A test's name that is not taken, after the fashion of those beside; "" where the rules allow none."""
    said = name = rng.choice(words)
    while (name := rules.named(said, beside)) in taken:
        said += f"_{rng.choice(words)}"
    return name


def canary_file(
    words: Sequence[str],
    rng: Random,
    rules: Rules = USUAL,
    beside: Sequence[str] = (),
    cases: Sequence[Case] | None = None,
) -> tuple[str, dict[str, bool]]:
    """A file of tests that must fail and tests that must pass (of these kinds, all by default): its text, and which is
    which. Where the rules allow no function to be a test, those of a unittest are all."""
    body, methods, named = "", "", dict[str, bool]()
    cases = list(cases or _cases(rng))
    rng.shuffle(cases)
    holder, taken = f"Test{rng.choice(words).capitalize()}", list[str]()
    for above, lines, rows in cases:
        name = _name(taken, words, rng, USUAL if above == "self" else rules, beside)
        taken += [name] if name else []
        if above == "self":
            methods += f"    def {name}(self):\n        {lines}\n\n"
            name = f"{holder}::{name}"
        elif name:
            mark, _, parameters = above.rpartition("\n")
            shown = lines.replace("\n", "\n    ")
            body += f"{mark}{chr(10) if mark else ''}def {name}({parameters}):\n    {shown}\n\n\n"
        named |= {f"{name}{row}": passes for row, passes in rows.items()} if name else {}
    return f"import unittest\n\nimport pytest\n\n\nclass {holder}(unittest.TestCase):\n{methods}\n{body}", named


def _cases(rng: Random) -> list[Case]:
    """One of each kind: that an assertion fails, an error comes, another error, none, unittest's, one row of two."""
    a, b = rng.sample(range(11, 99), 2)
    more = rng.randrange(1, 9)
    error, other = rng.sample(RAISED, 2)
    word = rng.choice(WORDS)
    rows = f"@pytest.mark.parametrize(('a', 'b'), [({a}, {a * b}), ({b}, {a * b + more})])\na, b"
    every = f"@pytest.mark.parametrize('a', [{a}, {b}])\na"
    fails, passes = {"": False}, {"": True}
    return [
        ("", f"assert {a} * {b} == {a * b + more}", fails),
        ("", f"assert {a} * {b} == {a * b}", passes),
        ("", f"raise {error}({a})", fails),
        ("", f"values = [{a}, {b}]\nassert values[0] == values[1] + {200 + more}", fails),
        ("", f"assert '{word}' in '{a} {word} {b}'", passes),
        ("", f"assert '{word}' in '{word[1:]} {a}'", fails),
        ("", f"with pytest.raises({error}):\n    raise {other}({a})", fails),
        ("", f"with pytest.raises({error}):\n    raise {error}({a})", passes),
        ("", f"with pytest.raises({error}):\n    len('{word}')", fails),
        ("self", f"self.assertEqual({a} + {b}, {a + b + more})", fails),
        ("self", f"self.assertEqual({a} + {b}, {a + b})", passes),
        ("self", f"self.assertIn({a}, [{a + 100}, {b + 100}])", fails),
        ("self", f"self.assertRaises({error}, len, '{word}')", fails),
        (every, f"assert a % 100 == {a + b}", {f"[{a}]": False, f"[{b}]": False}),
        (rows, f"assert a * {a + b} == b * {a + b} // {b}", {f"[{a}-{a * b}]": True, f"[{b}-{a * b + more}]": False}),
    ]


def with_canaries(text: str, most: int, rng: Random, rules: Rules = USUAL) -> tuple[str, list[str], list[Shift]]:
    """A file of tests with up to so many more that must fail, here and there among them; their names; and before which
    lines of the file they stand."""
    found = rules.tests(text)
    if not found or not rules.named("x", ()):
        return text, [], []
    words, taken = words_of([one.name for one in found]), [one.node.name for one in found]
    edits, names = list[tuple[tuple[int, int], tuple[int, int], str]](), list[str]()
    below = max(line for one in found for line in _around(one)) if KNOWS_LINES.search(text) else 0
    cases = [(lines, rows) for above, lines, rows in _cases(rng) if not above and not any(rows.values())]
    for lines, _ in rng.sample(cases, min(most, len(cases))):
        name = _name([*taken, *names], words, rng, rules, taken)
        shown = lines.replace("pytest.raises", "__import__('pytest').raises").replace("\n", "\n    ")
        line = below or rng.choice([line for one in found for line in _around(one)])
        edits.append(((line, 0), (line, 0), f"def {name}():\n    {shown}\n\n\n"))
        names.append(name)
    shifts = [(line, new.count("\n")) for (line, _), _, new in edits]
    return cut(text if text.endswith("\n") else f"{text}\n", edits), names, shifts


def _around(test: Written) -> tuple[int, int]:
    """The lines before which another test may stand: its own, with what is above it, and that after it."""
    one = test.node if test.inside is None else test.inside
    return min([one.lineno, *(above.lineno for above in one.decorator_list)]), (one.end_lineno or 0) + 1
