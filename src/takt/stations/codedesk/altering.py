"""Tests that ask for something else: under the same name, at the same place, and wrong.

Hidden tests of a mined repository run in the process of the code that they test. What makes them pass there without
being right has one thing in common: it does not know what is right. So one assertion of a test is changed, so that
right code fails it: an expected value is another, a comparison is the other way round, another error is due. Right code
passes the one and fails the other; code that has every test pass, or answers whatever a test asks for, passes both.

An assertion is changed only where a test that passes must have gone through it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from random import Random
from secrets import token_hex
from typing import Any

from takt.stations.codedesk.assertions import SWALLOW, Edits, Source, called
from takt.stations.codedesk.collecting import USUAL, Function, Rules, Written
from takt.stations.codedesk.examples import altered_examples, node_of
from takt.stations.codedesk.sealing import cut, extent
from takt.stations.codedesk.tickets import as_bytes

Place = tuple[tuple[int, int], tuple[int, int]]
UNTOUCHED = ("xfail", "expectedFailure", "raises", "skip")  # in a decorator: what comes of the test is another matter
AT_ONCE = "assert len("


def altered(
    text: str,
    rng: Random,
    known: Callable[[Written], bool] = lambda test: False,
    rules: Rules = USUAL,
    turned: Callable[[Written], bool] = lambda test: True,
) -> tuple[str, frozenset[str]]:
    """The file with its tests altered, but for those that are `known` to whoever is tested and those that are not
    `turned`; which were.

    A test whose assertions stand in a function of its file has a copy of that, at the file's end: where it is altered,
    and where it is not, so that its place tells nothing.
    """
    edits: Edits = []
    names, copies = set[str](), ""
    helpers = _helpers(text, rules)
    for test in rules.tests(text):
        if known(test):
            continue
        whole = turned(test)
        found, copy = alteration(text, test, rng, helpers, f"_{rng.randrange(10**6)}", whole)
        edits, copies = edits + found, copies + copy
        names |= {test.name} if whole and found else set()
    changed = cut(text, edits)
    return (f"{changed.rstrip()}\n{copies}" if copies else changed), frozenset(names)


def asking(
    files: Mapping[str, str], shown: Mapping[str, Any], rules: Rules = USUAL
) -> list[tuple[dict[str, str], frozenset[str]]]:
    """Files of tests twice, of which tests are altered: each, but for those that stand in what was shown, is in one of
    the two, by a coin. Whoever is neither right nor knows which tests are altered must guess for each."""
    known = known_tests(shown, rules)
    rng = Random(token_hex(16))  # nosec B311: what must not be guessed is drawn anew each time
    halves: list[tuple[dict[str, str], frozenset[str]]] = [(dict(files), frozenset()), (dict(files), frozenset())]
    for path, text in files.items():
        if not path.endswith(".py") and rules.has_tests(path, text) and not _is_shown(shown.get(path), text):
            side, other = rng.randrange(2), altered_examples(text, rng)
            if other != text:
                halves[side] = {**halves[side][0], path: other}, halves[side][1] | {node_of(path)}
        elif path.endswith(".py"):
            coins = {test.name: rng.randrange(2) for test in rules.tests(text)}
            for side, (new, changed) in enumerate(halves):
                turned = partial(_is_on, coins, side)
                new[path], names = altered(text, rng, partial(known, path), rules, turned)
                halves[side] = new, changed | {f"{path}::{name}" for name in names}
    return halves


def _is_shown(file: Any, text: str) -> bool:
    """Whether a file that was shown holds this text."""
    file = file[1] if isinstance(file, tuple) else file
    return file == text or (isinstance(file, bytes) and file == as_bytes(text))


def _is_on(coins: Mapping[str, int], side: int, test: Written) -> bool:
    return coins[test.name] == side


def known_tests(shown: Mapping[str, Any], rules: Rules = USUAL) -> Callable[[str, Written], bool]:
    """Whether a test stands, word for word, in a file of that path that has been shown."""

    @cache
    def dumped(path: str) -> frozenset[str]:
        file = shown.get(path, "")
        file = file[1] if isinstance(file, tuple) else file
        return frozenset(f"{one.name} {ast.dump(one.node)}" for one in rules.tests(file))

    return lambda path, test: f"{test.name} {ast.dump(test.node)}" in dumped(path)


def alteration(
    text: str,
    test: Written,
    rng: Random,
    helpers: Mapping[str, Function] | None = None,
    named: str = "",
    whole: bool = True,
) -> tuple[Edits, str]:
    """What to change so that the right code fails this test, [] where it is not to be changed; and a copy of a helper
    that has its assertions (`named`: how its name goes on), also where nothing is to be changed (not `whole`).

    The best is an assertion that every test that passes has gone through. Else it is one that it may have gone through,
    and the test fails at its end if it has not.
    """
    function = test.node
    if any(word in ast.unparse(one) for one in function.decorator_list for word in UNTOUCHED):
        return [], ""
    inner = list(_own(function.body))
    if any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in inner):
        return (_at_once(text, function, rng) if whole else []), ""
    source = Source(text, function, rng)
    sure = [] if any(isinstance(one, ast.Return) for one in inner) else list(_reached(function.body))
    for statements, guarded in ((sure, False), (list(_within(function.body)), True)):
        sites = [(tier, edits, one) for one in statements for tier, edits in source.of(one)]
        best = [(edits, one) for tier, edits, one in sites if tier == min(tier for tier, _, _ in sites)]
        calls = [(one, call) for one in statements if (call := _helper_called(one, helpers or {}))]
        if best and whole:
            edits, one = rng.choice(best)
            return edits + (_guard(source, function, one, rng) if guarded else []), ""
        if not best and calls:
            one, call = rng.choice(calls)
            if copied := _copied(text, (helpers or {})[call.id], f"{call.id}{named}", rng, whole):
                edits = [(*extent(call), f"{call.id}{named}")]
                return edits + (_guard(source, function, one, rng) if guarded and whole else []), copied
        if best:
            return [], ""
    return (_at_once(text, function, rng) if whole else []), ""


def _helpers(text: str, rules: Rules) -> dict[str, Function]:
    """Functions of a file that are no tests, bear no mark, and assert something."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found = [one for one in body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return {
        one.name: one
        for one in found
        if not one.decorator_list
        and not rules.is_function(one.name)
        and any(isinstance(x, ast.Assert) for x in _own(one.body))
    }


def _helper_called(one: ast.stmt, helpers: Mapping[str, Function]) -> ast.Name | None:
    """The helper that a statement calls, and does nothing else."""
    value = one.value if isinstance(one, ast.Expr) else None
    value = value.value if isinstance(value, ast.Await) else value
    name = value.func if isinstance(value, ast.Call) else None
    return name if isinstance(name, ast.Name) and name.id in helpers else None


def _copied(text: str, helper: Function, name: str, rng: Random, whole: bool) -> str:
    """The helper under this name, altered if that is asked for; "" where only a failure at once could be had."""
    lines = text.splitlines(keepends=True)[helper.lineno - 1 : helper.end_lineno]
    own = "".join(lines).rstrip() + "\n"
    (copy,) = [one for one in ast.parse(own).body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    edits, _ = alteration(own, Written(name, copy), rng)
    if not edits or any(new.startswith(AT_ONCE) for _, _, new in edits):
        return ""
    at = (copy.lineno, copy.col_offset + len("async def " if isinstance(copy, ast.AsyncFunctionDef) else "def "))
    edits = [*(edits if whole else []), (at, (at[0], at[1] + len(copy.name.encode())), name)]
    return f"\n\n{cut(own, edits)}"


def _within(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that may run, and whose failure nobody takes for something else."""
    for one in body:
        yield one
        if isinstance(one, (ast.With, ast.AsyncWith)):
            if not any(called(item.context_expr) in SWALLOW for item in one.items):
                yield from _within(one.body)
        elif isinstance(one, (ast.For, ast.AsyncFor, ast.While, ast.If)):
            yield from _within([*one.body, *one.orelse])
        elif isinstance(one, ast.Try):
            yield from _within([*([] if one.handlers else one.body), *one.orelse, *one.finalbody])


def _guard(source: Source, function: Function, site: ast.stmt, rng: Random) -> Edits:
    """What has a test fail at its end if it has not gone through a statement: there a name is bound, and at the end it
    is asked for."""
    name = f"{rng.choice(('given', 'seen', 'done', 'left'))}_{rng.randrange(10, 99)}"
    edits: Edits = [((site.lineno, site.col_offset), (site.lineno, site.col_offset), f"{name} = {rng.randrange(9)}; ")]
    if isinstance(site, (ast.With, ast.AsyncWith)):  # nothing may stand before it in its line
        indent = source.line(site.lineno)[: site.col_offset].decode()
        edits = [(edits[0][0], edits[0][1], f"{name} = {rng.randrange(9)}\n{indent}")]
    for one in _own(function.body):
        if isinstance(one, ast.Return):
            value = "None" if one.value is None else source.text(one.value)
            edits.append((*extent(one), f"return ({value}, {name})[0]"))
    last = function.body[-1]
    end = (last.end_lineno or 0, last.end_col_offset or 0)
    if not isinstance(last, (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.Return)):
        return [*edits, (end, end, f"; {name}")]
    if isinstance(last, ast.Return):
        return edits
    indent = source.line(function.body[0].lineno)[: function.body[0].col_offset].decode()
    below = (end[0] + 1, 0)
    if source.line(below[0]) in (b"\n", b"\r\n"):
        return [*edits, (below, below, f"{indent}{name}")]
    after = (end[0], len(source.line(end[0]).rstrip(b"\r\n")))
    return [*edits, (after, after, f"\n{indent}{name}")]


def _own(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """All of these statements but what other functions and classes among them hold."""
    left: list[ast.AST] = [*body]
    while left:
        one = left.pop()
        yield one
        if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            left += ast.iter_child_nodes(one)


def _reached(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run whenever the body runs to its end without an error."""
    for one in body:
        yield one
        if isinstance(one, (ast.With, ast.AsyncWith)):
            if not any(called(item.context_expr) in SWALLOW for item in one.items):
                yield from _reached(one.body)
        elif isinstance(one, ast.For) and _is_some(one.iter) and not _leaves(one):
            yield from _reached(one.body)


def _leaves(loop: ast.For) -> bool:
    return any(isinstance(inner, (ast.Break, ast.Continue)) for inner in _own(loop.body))


def _is_some(over: ast.expr) -> bool:
    """Whether a loop over it has a first turn."""
    if isinstance(over, (ast.List, ast.Tuple, ast.Set)):
        return bool(over.elts) and not any(isinstance(one, ast.Starred) for one in over.elts)
    if isinstance(over, ast.Call) and called(over) == "range" and len(over.args) == 1:
        (end,) = over.args
        return isinstance(end, ast.Constant) and isinstance(end.value, int) and end.value > 0
    return False


def _at_once(text: str, function: Function, rng: Random) -> Edits:
    """An assertion that fails before anything else. It asks nothing of the code, and is the last resort."""
    first = function.body[0]
    above = getattr(first, "decorator_list", None)
    line, column = (above[0].lineno if above else first.lineno), first.col_offset
    indent = text.encode().splitlines()[line - 1][:column].decode()
    between = f"\n{indent}" if not indent.strip() else "; "
    a, b = rng.randrange(11, 99), rng.randrange(2, 9)
    return [((line, column), (line, column), f"{AT_ONCE}{'x' * b!r}) + {a} == {a}{between}")]
