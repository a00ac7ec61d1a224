"""Files of tests without tests that are not asked for, and without what they alone import: a name that an agent was
asked for and did not write would keep all other tests of the file from being run.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from takt.stations.codedesk.collecting import Rules

Import = (ast.Import, ast.ImportFrom)
Defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
QUIET = {"fixture", "contextmanager", "dataclass", "cache", "lru_cache"}  # decorators that enter nothing anywhere


def trimmed(text: str, drop: Collection[str], rules: Rules, elsewhere: Collection[str] = ()) -> str:
    """The file without these tests (`test_x`, `TestA::test_x`); every line stays where it is. `elsewhere`: names that
    other files import, which stay; so does what the file itself uses, a class that others are made of, say."""
    tree = parsed(text)
    if tree is None or not drop:
        return text
    cut = _cut(tree, drop, rules, elsewhere)
    if not cut:
        return text
    lines = text.split("\n")
    gone = {id(one) for node in cut for one in ast.walk(node)}
    used = set(_used(node for node in ast.walk(tree) if id(node) not in gone and not isinstance(node, Import)))
    lost = set(_used(one for node in cut for one in ast.walk(node))) - used
    for node in cut:
        first = first_line(node)
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        lines[first : node.end_lineno] = [f"{indent}pass", *[""] * ((node.end_lineno or node.lineno) - first - 1)]
    for node in tree.body:
        if not isinstance(node, Import) or shares_lines(node, tree.body):
            continue
        left = [one for one in node.names if local_name(one) not in lost]
        if len(left) < len(node.names):
            node.names, last = left, node.end_lineno or node.lineno
            lines[node.lineno - 1 : last] = [ast.unparse(node) if left else "", *[""] * (last - node.lineno)]
    return "\n".join(lines) if parsed("\n".join(lines)) is not None else text


@lru_cache(maxsize=256)
def names_in(text: str) -> frozenset[str]:
    """What a file names: fixtures, of a conftest."""
    tree = parsed(text)
    return frozenset(() if tree is None else _used(ast.walk(tree)))


@lru_cache(maxsize=256)
def imported(text: str) -> frozenset[str]:
    """Names that a file imports from others."""
    tree = parsed(text)
    nodes = () if tree is None else ast.walk(tree)
    return frozenset(one.name for node in nodes if isinstance(node, ast.ImportFrom) for one in node.names)


def parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _cut(tree: ast.Module, drop: Collection[str], rules: Rules, elsewhere: Collection[str]) -> list[ast.stmt]:
    """The functions and classes that are left out: tests, and what only those that are left out name."""
    left = Counter(_used(ast.walk(tree)))  # how often the file names each, without what is left out
    named, found, done = Counter[str](), list[ast.stmt](), set[int]()
    helps = not _looks_up(tree)

    def out(nodes: Sequence[ast.stmt]) -> None:
        for node in nodes:
            own = Counter(_used(ast.walk(node)))
            left.subtract(own)
            named.update(own)
            found.append(node)
            done.add(id(node))

    def unused(node: Definition) -> bool:
        own = Counter(_used(ast.walk(node)))
        return not any(one in elsewhere or left[one] > own[one] for one in _names(node))

    def help_of(nodes: Iterable[ast.stmt]) -> list[ast.stmt]:
        return [
            node
            for node in nodes
            if isinstance(node, Defined) and id(node) not in done and any(named[one] for one in _names(node))
            and _is_helper(node, rules) and unused(node)
        ]  # fmt: skip

    while True:
        before = len(done)
        for node in _blocks(tree.body):
            if not isinstance(node, Defined) or id(node) in done or not unused(node):
                continue
            if isinstance(node, ast.ClassDef) and (within := _of_class(node, node.name, drop, rules)):
                out(within)
                done.add(id(node))
            elif not isinstance(node, ast.ClassDef) and node.name in drop:
                out([node])
        if helps:
            out(help_of(_blocks(tree.body)))
            for node in _blocks(tree.body):
                if isinstance(node, ast.ClassDef) and node not in found:
                    out([one for one in help_of(_blocks(node.body)) if _is_fixture(one)])
        if len(done) == before:
            break
    lines = [first_line(node) for node in found]
    return [node for node, line in zip(found, lines, strict=True) if lines.count(line) == 1]


def _of_class(node: ast.ClassDef, name: str, drop: Collection[str], rules: Rules) -> list[ast.stmt]:
    """What of a class is left out, with classes in it: itself, if none of its tests is left."""
    tests, found = 0, list[ast.stmt]()
    for one in _blocks(node.body):
        if isinstance(one, ast.ClassDef):
            within = _of_class(one, f"{name}::{one.name}", drop, rules)
            tests += within == [one] or _has_tests(one, rules)
            found += within
        elif isinstance(one, Defined):
            dropped = f"{name}::{one.name}" in drop
            tests += dropped or _is_test(one.name, rules)
            found += [one] if dropped else []
    whole = found and len(found) == tests and not node.bases
    whole = whole and not any(isinstance(one, ast.ClassDef) and one not in found and _has_tests(one, rules)
                              for one in _blocks(node.body))  # fmt: skip
    return [node] if whole else found


def _blocks(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements, and those under `if`, `try` and `with`."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ("body", "orelse", "finalbody"):
                yield from _blocks(getattr(node, part, ()))
            for handler in getattr(node, "handlers", ()):
                yield from _blocks(handler.body)


def _names(node: Definition) -> set[str]:
    """By what a definition is named: a fixture may have another name."""
    calls = [one for one in node.decorator_list if isinstance(one, ast.Call)]
    given = [word.value for one in calls for word in one.keywords if word.arg == "name"]
    return {node.name} | {str(one.value) for one in given if isinstance(one, ast.Constant)}


def _decorators(node: ast.stmt) -> list[str]:
    asks = [one.func if isinstance(one, ast.Call) else one for one in getattr(node, "decorator_list", ())]
    return [(_dotted(one) or "?").rpartition(".")[2] for one in asks]


def _is_fixture(node: ast.stmt) -> bool:
    return "fixture" in _decorators(node)


def _is_helper(node: Definition, rules: Rules) -> bool:
    """Whether a definition does nothing by being there: no test, no fixture that is used without being named, nothing
    that is entered somewhere by a decorator or a metaclass."""
    words = [word for one in node.decorator_list if isinstance(one, ast.Call) for word in one.keywords]
    if any(word.arg in ("autouse", None) for word in words) or set(_decorators(node)) - QUIET:
        return False
    if isinstance(node, ast.ClassDef):
        return not node.keywords and not _has_tests(node, rules)
    return _is_fixture(node) or not _is_test(node.name, rules)


def _has_tests(node: ast.ClassDef, rules: Rules) -> bool:
    return any(isinstance(one, Defined) and not isinstance(one, ast.ClassDef) and _is_test(one.name, rules)
               for one in ast.walk(node))  # fmt: skip


def _looks_up(tree: ast.Module) -> bool:
    """Whether names are put together as the file is run, so that it does not show what it names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("globals", "eval", "exec"):
            return True
        asked = node.args if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "getfixturevalue" else []
        if not all(isinstance(one, (ast.Constant, ast.Name)) for one in asked):
            return True
    return False


def _is_test(name: str, rules: Rules) -> bool:
    return rules.is_function(name) or name.startswith("test")


def first_line(node: ast.stmt) -> int:
    """The index of a definition's first line, of its decorators' if it has some."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]) - 1


def shares_lines(node: ast.stmt, body: Iterable[ast.stmt]) -> bool:
    """Whether a statement has a line together with another."""
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return any(one is not node and (one.lineno in lines or one.end_lineno in lines) for one in body)


def _used(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """What these name: names, dotted ones as well, arguments (fixtures have their names) and words in quotes."""
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value
        elif isinstance(node, ast.Attribute):
            dotted = _dotted(node)
            yield from [dotted] if dotted else []


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    above = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{above}.{node.attr}" if above and isinstance(node, ast.Attribute) else ""


def local_name(alias: ast.alias) -> str:
    """How a file calls what it imports."""
    return alias.asname or alias.name
