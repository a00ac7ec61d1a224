"""Files of tests without tests that are not asked for, and without what they alone import: a name that an agent was
asked for and did not write would keep all other tests of the file from being run.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from takt.stations.codedesk.collecting import Rules

Import = (ast.Import, ast.ImportFrom)
Defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def trimmed(text: str, drop: Collection[str], rules: Rules, elsewhere: Collection[str] = ()) -> str:
    """The file without these tests (`test_x`, `TestA::test_x`); every line stays where it is. `elsewhere`: names that
    other files import, which stay; so does what the file itself uses, a class that others are made of, say."""
    tree = _parsed(text)
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
        first = _first(node)
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        lines[first : node.end_lineno] = [f"{indent}pass", *[""] * ((node.end_lineno or node.lineno) - first - 1)]
    for node in tree.body:
        if not isinstance(node, Import) or _shares(node, tree.body):
            continue
        left = [one for one in node.names if _local(one) not in lost]
        if len(left) < len(node.names):
            node.names, last = left, node.end_lineno or node.lineno
            lines[node.lineno - 1 : last] = [ast.unparse(node) if left else "", *[""] * (last - node.lineno)]
    return "\n".join(lines) if _parsed("\n".join(lines)) is not None else text


def tolerant(text: str) -> str:
    """The file, but that a statement at its top that cannot be run, or a name that cannot be imported, is passed over:
    so it is seen which of its tests need what is not there."""
    tree = _parsed(text)
    if tree is None:
        return text
    body: list[ast.stmt] = []
    for place, node in enumerate(tree.body):
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if future or (not place and isinstance(node, ast.Expr)) or (isinstance(node, Defined) and _plain(node)):
            body.append(node)
            continue
        for part in _parts(node):
            handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
            body.append(ast.Try([part], [handler], [], []))
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) + "\n"


@lru_cache(maxsize=256)
def imported(text: str) -> frozenset[str]:
    """Names that a file imports from others."""
    tree = _parsed(text)
    nodes = () if tree is None else ast.walk(tree)
    return frozenset(one.name for node in nodes if isinstance(node, ast.ImportFrom) for one in node.names)


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _cut(tree: ast.Module, drop: Collection[str], rules: Rules, elsewhere: Collection[str]) -> list[ast.stmt]:
    """The functions and classes that are left out."""
    found: list[ast.stmt] = []
    for node in tree.body:
        if not isinstance(node, Defined) or node.name in elsewhere:
            continue
        inside = {id(one) for one in ast.walk(node)}
        if node.name in _used(one for one in ast.walk(tree) if id(one) not in inside):
            continue
        if not isinstance(node, ast.ClassDef):
            found += [node] if node.name in drop else []
            continue
        methods = [one for one in node.body if isinstance(one, Defined) and f"{node.name}::{one.name}" in drop]
        tests = [one for one in node.body if isinstance(one, Defined) and (_is_test(one.name, rules) or one in methods)]
        found += [node] if methods and len(methods) == len(tests) and not node.bases else methods
    lines = [_first(node) for node in found]
    return [node for node, line in zip(found, lines, strict=True) if lines.count(line) == 1]


def _is_test(name: str, rules: Rules) -> bool:
    return rules.is_function(name) or name.startswith("test")


def _first(node: ast.stmt) -> int:
    """The index of a definition's first line, of its decorators' if it has some."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]) - 1


def _shares(node: ast.stmt, body: Iterable[ast.stmt]) -> bool:
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


def _local(alias: ast.alias) -> str:
    """How a file calls what it imports."""
    return alias.asname or alias.name


def _plain(node: ast.stmt) -> bool:
    """Whether a definition names nothing as it is made."""
    asks = [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ())]
    return not asks and not isinstance(node, ast.ClassDef)


def _parts(node: ast.stmt) -> list[ast.stmt]:
    """An import, name by name; any other statement as it is."""
    if isinstance(node, ast.Import):
        return [ast.Import([one]) for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [ast.ImportFrom(node.module, [one], node.level) for one in node.names]
    return [node]
