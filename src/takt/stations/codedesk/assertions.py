"""What of a test's text can be changed so that right code fails it: its assertions, and the values written in them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from takt.stations.codedesk.collecting import Function
from takt.stations.codedesk.sealing import extent

Edits = list[tuple[tuple[int, int], tuple[int, int], str]]
OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.Lt: ">=",
    ast.GtE: "<",
    ast.Gt: "<=",
    ast.LtE: ">",
}
OPPOSITE = {
    "assertTrue": "assertFalse", "assertIn": "assertNotIn", "assertIs": "assertIsNot", "assertNotEqual": "assertEqual",
    "assertIsNone": "assertIsNotNone", "assertIsInstance": "assertNotIsInstance", "assertGreater": "assertLessEqual",
    "assertLess": "assertGreaterEqual", "assertRegex": "assertNotRegex",
}  # fmt: skip
OPPOSITE |= {value: key for key, value in OPPOSITE.items() if key != "assertNotEqual"}
EQUAL = (
    "assertEqual", "assertEquals", "assertListEqual", "assertDictEqual", "assertTupleEqual", "assertSetEqual",
    "assertSequenceEqual", "assertCountEqual", "assertMultiLineEqual", "assertAlmostEqual", "assert_equal", "eq_",
)  # fmt: skip
RAISES = ("raises", "assertRaises", "assertRaisesRegex")
SWALLOW = (*RAISES, "suppress", "warns", "deprecated_call", "assertWarns", "assertLogs")
ERRORS = ("ZeroDivisionError", "EOFError", "BufferError", "ConnectionResetError")  # of which few errors are kinds
WHOLE = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Tuple, ast.Dict, ast.Set)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def called(node: ast.AST) -> str:
    """The last word of what is called, "" where it is no call."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


class Source:
    """A test's text, and what of it can be changed."""

    def __init__(self, text: str, function: Function, rng: Random) -> None:
        self.data, self.function, self.rng = text.encode(), function, rng
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def line(self, number: int) -> bytes:
        """A line from 1, b"" past the end."""
        return self.data[self.starts[number - 1] : self.starts[number]] if number < len(self.starts) else b""

    def text(self, node: ast.expr) -> str:
        (first, begin), (last, end) = extent(node)
        return self.data[self.starts[first - 1] + begin : self.starts[last - 1] + end].decode()

    def _whole(self, node: ast.expr) -> str:
        """Its text, in brackets where it had some or may need them."""
        return self.text(node) if isinstance(node, WHOLE) else f"({self.text(node)})"

    def of(self, one: ast.stmt) -> Iterator[tuple[int, Edits]]:
        """How one statement can be changed: the best first (0: what is expected is another, and looks like any)."""
        if isinstance(one, ast.Assert):
            yield from self._assertion(one.test)
        elif isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
            yield from self._call(one.value)
        elif isinstance(one, (ast.With, ast.AsyncWith)):
            for item in one.items:
                if called(item.context_expr) in RAISES:
                    yield from self._call(item.context_expr)  # type: ignore[arg-type]

    def _assertion(self, test: ast.expr) -> Iterator[tuple[int, Edits]]:
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            left, right = test.left, test.comparators[0]
            if isinstance(test.ops[0], ast.Eq):
                yield from self._values(left, right)
                yield 2, [(*extent(right), f"[{self.text(right)}]")]
            else:
                operator = OPERATORS[type(test.ops[0])]
                yield 2, [(*extent(test), f"{self._whole(left)} {operator} {self._whole(right)}")]
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield 2, [(*extent(test), f"({self.text(test.operand)})")]
        else:
            yield 2, [(*extent(test), f"not ({self.text(test)})")]

    def _call(self, call: ast.Call) -> Iterator[tuple[int, Edits]]:
        name = called(call)
        if any(isinstance(one, ast.Starred) for one in call.args):
            return
        if name in EQUAL and len(call.args) >= 2:
            yield from self._values(*call.args[:2])
            yield 2, [(*extent(call.args[1]), f"[{self.text(call.args[1])}]")]
        elif name in OPPOSITE and isinstance(call.func, ast.Attribute):
            yield 2, [(*extent(call.func), f"{self.text(call.func.value)}.{OPPOSITE[name]}")]
        elif name in RAISES and call.args:
            named = [getattr(builtins, one.id, None) for one in ast.walk(call.args[0]) if isinstance(one, ast.Name)]
            due = tuple(one for one in named if isinstance(one, type) and one not in (Exception, BaseException))
            pool = [one for one in ERRORS if not issubclass(getattr(builtins, one), due)]
            yield 1, [(*extent(call.args[0]), self.rng.choice(pool or ["BufferError"]))]

    def _values(self, left: ast.expr, right: ast.expr) -> Iterator[tuple[int, Edits]]:
        """Another value on one side, where one is written down."""
        sides = [(one, other) for one, other in ((left, right), (right, left)) if not _is_literal(other)]
        for one, _ in sides:
            if called(one) == "approx" and isinstance(one, ast.Call) and one.args:
                one = one.args[0]
            if _is_literal(one):
                if edit := self._other(one):
                    yield 0, [edit]
            elif isinstance(one, ast.Name) and self._uses(one.id) == 1 and (edits := self._named(one.id)):
                yield 0, edits

    def _uses(self, name: str) -> int:
        return sum(isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load)
                   for one in ast.walk(self.function))  # fmt: skip

    def _named(self, name: str) -> Edits:
        """Other values of a variable that is set once, or of a parameter, in every row."""
        where = [one for one in self.function.body if isinstance(one, ast.Assign)
                 and any(isinstance(target, ast.Name) and target.id == name for target in one.targets)]  # fmt: skip
        if len(where) == 1 and _is_literal(where[0].value) and len(where[0].targets) == 1:
            return [edit] if (edit := self._other(where[0].value)) else []
        for mark in self.function.decorator_list:
            if called(mark) == "parametrize" and isinstance(mark, ast.Call) and len(mark.args) >= 2:
                names, rows = _names(mark.args[0]), mark.args[1]
                if name in names and isinstance(rows, (ast.List, ast.Tuple)):
                    found = [self._cell(row, names, name) for row in rows.elts]
                    return [one for one in found if one] if all(found) else []
        return []

    def _cell(self, row: ast.expr, names: Sequence[str], name: str) -> Any:
        if called(row) == "param" and isinstance(row, ast.Call):
            cells: Sequence[ast.expr] = row.args
        elif len(names) == 1:
            cells = [row]
        else:
            cells = row.elts if isinstance(row, (ast.Tuple, ast.List)) else []
        if len(cells) != len(names) or not _is_literal(cells[list(names).index(name)]):
            return None
        return self._other(cells[list(names).index(name)])

    def _other(self, literal: ast.expr) -> tuple[tuple[int, int], tuple[int, int], str] | None:
        """Another value in place of a literal, as alike as can be."""
        was = ast.literal_eval(literal)
        atoms = [one for one in ast.walk(literal) if isinstance(one, ast.Constant) and one.value not in (None, ...)]
        self.rng.shuffle(atoms)
        for atom in atoms:
            new = self._other_atom(atom)
            (line, begin), (last, end) = extent(atom)
            whole, first = self.text(literal).encode(), self.starts[literal.lineno - 1] + literal.col_offset
            at = self.starts[line - 1] + begin - first
            to = self.starts[last - 1] + end - first
            changed = (whole[:at] + new.encode() + whole[to:]).decode()
            if _evaluated(changed) not in (None, was):
                return (*extent(literal), changed)
        if not atoms and isinstance(literal, (ast.List, ast.Dict, ast.Tuple)) and not was:
            return (*extent(literal), {ast.List: "[0]", ast.Dict: "{0: 0}", ast.Tuple: "(0,)"}[type(literal)])
        return None

    def _other_atom(self, atom: ast.Constant) -> str:
        value, by = atom.value, self.rng.randrange(1, 4)
        if isinstance(value, bool):
            return repr(not value)
        if isinstance(value, int):
            return repr(value + by if value < by or self.rng.random() < 0.5 else value - by)
        if isinstance(value, (float, complex)):
            return repr(value * 1.25 + by)
        text = self.text(atom)
        places = [at for at, letter in enumerate(text[1:-1], 1) if letter.isalnum() and "\\" not in text]
        if isinstance(value, str) and places and text[0] in "'\"":
            at = self.rng.choice(places)
            alike = "0123456789" if text[at].isdecimal() else LETTERS
            return text[:at] + self.rng.choice([one for one in alike if one != text[at].lower()]) + text[at + 1 :]
        return repr(value + b"a") if isinstance(value, bytes) else repr(f"{value}a")


def _names(given: ast.expr) -> list[str]:
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return [one.strip() for one in given.value.split(",") if one.strip()]
    if isinstance(given, (ast.Tuple, ast.List)):
        return [str(one.value) for one in given.elts if isinstance(one, ast.Constant)]
    return []


def _is_literal(node: ast.expr) -> bool:
    """Whether a value is written down, with nothing looked up."""
    if isinstance(node, ast.Constant) and node.value is None:
        return False
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _evaluated(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
