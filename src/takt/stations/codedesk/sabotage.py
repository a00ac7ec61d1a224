"""A reference change with one plausible defect: hidden tests should catch it. Their strength is the share that they do.

Mutation operators are those of DeMillo, Lipton and Sayward (1978), as tools such as mutmut have them, on the lines that
the change wrote: comparisons and their limits, and/or, a lost `not`, numbers off by one, truths, signs, a branch
never or always taken, a statement lost, another name of the same function, nothing returned.
Left out is what cannot be told from outside: docstrings, texts of errors, annotations, `__repr__`,
`__all__`, tests, and what has the same syntax tree; and, where a series names them, lines that are a defect of the
reference themselves: no hidden test may go through those, and another defect there may be none.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from random import Random
from typing import Any

from takt.stations.codedesk.collecting import for_tests, rules_of
from takt.stations.codedesk.tickets import Series, Ticket
from takt.stations.codedesk.trees import MARK

COMPARE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
}
UNSEEN = ("__repr__", "__str__", "main")  # functions whose text nobody promises
UNSEEN_FIELDS = ("annotation", "returns", "decorator_list", "type_comment")
UNSEEN_FILES = ("__main__.py", "conftest.py", "setup.py")


@dataclass(frozen=True)
class Mutant:
    """A change like the reference's but for one place."""

    path: str
    line: int
    what: str
    files: Mapping[str, str | bytes | None]


def mutants(
    ticket: Ticket,
    tree_before: Mapping[str, str | bytes],
    stream: Random | int,
    most: int | None = None,
    faults: Mapping[str, Collection[int]] | None = None,
) -> list[Mapping[str, str | bytes | None]]:
    """Changes with one defect each, as `Ticket.reference` has them: path -> whole file; at most so many, drawn."""
    return [one.files for one in saboteurs(ticket, tree_before, stream, most, faults)]


def sabotaged(
    series: Series, number: int, tree_before: Mapping[str, str | bytes], mutant: int
) -> Mapping[str, str | bytes | None] | None:
    """The change that the worker `saboteur` plays for a ticket, drawn alike on every run; None where there is none."""
    from takt.stations.codedesk.families.series import Generated

    stream = Random(f"takt/codedesk/mutant/{number}/{mutant}")  # nosec B311: drawn alike on every run
    faults = series.faults(number) if isinstance(series, Generated) else {}
    return next(iter(mutants(series.ticket(number), tree_before, stream, 1, faults)), None)


def saboteurs(
    ticket: Ticket,
    tree_before: Mapping[str, str | bytes],
    stream: Random | int,
    most: int | None = None,
    faults: Mapping[str, Collection[int]] | None = None,
) -> list[Mutant]:
    """The same with where and what the defect is. `faults`: lines of files that are the reference's own defects."""
    found: list[Mutant] = []
    rules = rules_of(ticket.settings.get("pytest.ini", ""))
    for path, text in ticket.reference.items():
        name = path.rpartition("/")[2]
        if not isinstance(text, str) or not path.endswith(".py") or name in UNSEEN_FILES:
            continue
        if for_tests(path, rules) or path in ticket.hidden or path in ticket.settings:
            continue
        before = tree_before.get(path, "")
        lines = _written(before if isinstance(before, str) else "", text) - set((faults or {}).get(path, ()))
        for line, what, mutated in _mutations(text, lines):
            found.append(Mutant(path, line, what, {**ticket.reference, path: mutated}))
    (stream if isinstance(stream, Random) else Random(stream)).shuffle(found)
    return found if most is None else found[:most]


def _written(before: str, after: str) -> set[int]:
    matcher = SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return {
        line
        for tag, _, _, first, last in matcher.get_opcodes()
        if tag in ("replace", "insert")
        for line in range(first + 1, last + 1)
    }


def _mutations(text: str, lines: set[int]) -> Iterator[tuple[int, str, str]]:
    """Line, what was done, and the whole text, for each defect that these lines can have."""
    text = text.removeprefix(MARK)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    code = ast.dump(tree)
    source = text.encode()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node, names in _seen(tree):
        if getattr(node, "lineno", -1) not in lines:
            continue
        for what, new in _of(node, names):
            first = starts[node.lineno - 1] + node.col_offset
            last = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            mutated = (source[:first] + new.encode() + source[last:]).decode()
            try:
                same = ast.dump(ast.parse(mutated)) == code
            except (SyntaxError, ValueError):
                continue
            if not same:
                yield node.lineno, what, mutated


def _seen(tree: ast.AST) -> Iterator[tuple[Any, list[str]]]:
    """Nodes whose effect can be seen from outside, with the names that are known where they stand."""

    errors = {
        name.asname or name.name
        for one in ast.walk(tree)
        if isinstance(one, ast.ImportFrom) and (one.module or "").rpartition(".")[2] == "errors"
        for name in one.names
    }

    def walk(node: ast.AST, names: list[str]) -> Iterator[tuple[Any, list[str]]]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name in UNSEEN:
                return
            names = sorted({one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)} - {"self", "cls"})
        yield node, names
        for field, value in ast.iter_fields(node):
            if field in UNSEEN_FIELDS or (field == "keywords" and isinstance(node, ast.ClassDef)):
                continue
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST) or _silent(child):
                    continue
                if isinstance(node, ast.Call) and child in node.args[:1] and ast.unparse(node.func) in errors:
                    continue  # an error's text
                if isinstance(node, ast.Raise):
                    yield from ((child.func, names) for child in [child] if isinstance(child, ast.Call))
                else:
                    yield from walk(child, names)

    yield from walk(tree, [])


def _silent(node: ast.AST) -> bool:
    """A docstring, a warning's or an error's text, or the list of public names."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    inner = node.value if isinstance(node, ast.Expr) else node
    if isinstance(inner, ast.Call) and ast.unparse(inner.func).startswith(("warnings.", "super().__init__")):
        return True
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(one, ast.Name) and one.id.startswith("__") for one in targets)


def _of(node: Any, names: list[str]) -> Iterator[tuple[str, str]]:
    """What can be wrong with one node: a word for it, and the text in its place."""
    maker = MAKERS.get(type(node))
    if maker is not None:
        yield from maker(node, names)


def _compare(node: ast.Compare, names: list[str]) -> Iterator[tuple[str, str]]:
    for place, op in enumerate(node.ops):
        other = COMPARE.get(type(op))
        if other is not None:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield "comparison", ast.unparse(ast.Compare(node.left, ops, node.comparators))


def _bool_op(node: ast.BoolOp, names: list[str]) -> Iterator[tuple[str, str]]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "and/or", f"({ast.unparse(ast.BoolOp(other, node.values))})"
    for place in range(len(node.values)):
        left = node.values[:place] + node.values[place + 1 :]
        yield "condition lost", f"({ast.unparse(ast.BoolOp(node.op, left) if len(left) > 1 else left[0])})"


def _unary(node: ast.UnaryOp, names: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node.op, (ast.Not, ast.USub)):
        yield "not or sign lost", f"({ast.unparse(node.operand)})"


def _constant(node: ast.Constant, names: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node.value, bool):
        yield "truth", repr(not node.value)
    elif isinstance(node.value, int):
        yield "off by one", repr(node.value + 1)
        if node.value > 0:
            yield "off by one", repr(node.value - 1)


def _arithmetic(node: ast.BinOp, names: list[str]) -> Iterator[tuple[str, str]]:
    other = ARITHMETIC.get(type(node.op))
    if other is not None and not isinstance(node.left, (ast.JoinedStr,)):
        yield "operator", f"({ast.unparse(ast.BinOp(node.left, other(), node.right))})"


def _test(node: Any, names: list[str]) -> Iterator[tuple[str, str]]:
    new = type(node)
    if isinstance(node, ast.IfExp):
        yield "branches swapped", f"({ast.unparse(new(node.test, node.orelse, node.body))})"


def _if(node: ast.If, names: list[str]) -> Iterator[tuple[str, str]]:
    for what, test in (("branch never taken", "False"), ("branch always taken", "True")):
        changed = ast.parse(f"if {test}: pass").body[0]
        assert isinstance(changed, ast.If)
        text = ast.unparse(ast.If(changed.test, node.body, node.orelse)).replace("\n", "\n" + " " * node.col_offset)
        yield what, text


def _statement(node: ast.stmt, names: list[str]) -> Iterator[tuple[str, str]]:
    yield "statement lost", "pass"


def _raise(node: ast.Raise, names: list[str]) -> Iterator[tuple[str, str]]:
    yield "error not raised", "pass"


def _return(node: ast.Return, names: list[str]) -> Iterator[tuple[str, str]]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield "nothing returned", "return None"


def _name(node: ast.Name, names: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node.ctx, ast.Load) and node.id in names and len(names) > 1:
        yield "another name", names[(names.index(node.id) + 1) % len(names)]


def _break(node: ast.stmt, names: list[str]) -> Iterator[tuple[str, str]]:
    yield "break and continue", "continue" if isinstance(node, ast.Break) else "break"


MAKERS: Mapping[type[ast.AST], Callable[[Any, list[str]], Iterator[tuple[str, str]]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.BinOp: _arithmetic,
    ast.IfExp: _test,
    ast.If: _if,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Name: _name,
    ast.Break: _break,
    ast.Continue: _break,
    ast.AugAssign: _statement,
    ast.Expr: _statement,
}
