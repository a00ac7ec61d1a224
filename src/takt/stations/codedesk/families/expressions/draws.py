"""Formulas at random, in the language of one state, with what a ticket is about at their root."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

from takt.stations.codedesk.families.expressions.library import BY_KEY, Builtin
from takt.stations.codedesk.families.expressions.spec import UNKNOWN_CALLS, Node
from takt.stations.codedesk.families.state import Question, State

VALUES: dict[str, tuple[Any, ...]] = {
    "a": (3, -4, 0, 12, 7), "b": (5, -1, 2, 100), "rate": (8, -7, 1, 30), "p": (True, False), "q": (False, True),
    "odd": (2.5, None), "s": ("abc", "", "x y", "Ab"), "title": ("hello", "a"), "items": ((1, 2, 3), (), (4, 4, 1, 9), (5,)), "rows": ((7, 0), (2, 2, 2)),
}  # fmt: skip
OF_KIND = {"number": ("a", "b", "rate"), "truth": ("p", "q"), "text": ("s", "title"), "list": ("items", "rows")}


def as_node(value: Any) -> Node:
    """A value written out."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (int, Fraction)):
        return ("num", value) if value >= 0 else ("neg", ("num", -value))
    if isinstance(value, str):
        return ("str", value)
    return ("list", tuple(as_node(one) for one in value))


OPERATORS: tuple[tuple[str, str | None], ...] = (
    ("+", None), ("-", None), ("*", None), ("/", None), ("mod", "modulo"), ("pow", "power"), ("eq", "compare"), ("<", "compare"), ("and", "logic"),
    ("or", "logic"), ("cat", "concat"), ("range", "range"), ("in", "membership"), ("??", "coalesce"),
)  # fmt: skip
KINDS_FOR: dict[str, tuple[str, ...]] = {
    "and": ("truth",), "or": ("truth",), "cat": ("text", "list"), "in": ("number", "list"), "eq": ("number", "truth"),
}  # fmt: skip


class Draws:
    """Draws from a stream, for a state."""

    def __init__(self, state: State, stream: Random) -> None:
        self.state, self.stream, self.facts = state, stream, state.facts
        self.on = set(state.on)

    # -- expressions of a kind

    def of(self, kind: str, depth: int) -> Node:
        if self.stream.random() < 0.03:
            kind = self.stream.choice([one for one in ("number", "truth", "text", "list") if self.there_is(one)])
        if self.stream.random() < 0.025:
            return self.stream.choice(
                [("var", "nobody"), ("var", "odd"), ("call", self.stream.choice(UNKNOWN_CALLS), ())]
            )
        if depth <= 0:
            return self.leaf(kind)
        return self.stream.choice(self.ways(kind))(depth - 1)

    def there_is(self, kind: str) -> bool:
        return kind == "number" or {"truth": "logic", "text": "strings", "list": "lists"}[kind] in self.on

    def any(self, depth: int) -> Node:
        return self.of(
            self.stream.choice([one for one in ("number", "number", "truth", "text", "list") if self.there_is(one)]),
            depth,
        )

    def leaf(self, kind: str) -> Node:
        if self.stream.random() < 0.3:
            return ("var", self.stream.choice(OF_KIND[kind]))
        if kind == "number":
            value: Any = self.stream.choice([0, 1, 2, 3, 5, 7, 10, self.stream.randint(0, 99)])
            if "decimals" in self.on and self.stream.random() < 0.25:
                value = Fraction(self.stream.randint(1, 40), self.stream.choice([2, 4, 5, 10]))
            return ("num", value)
        if kind == "truth":
            return ("bool", self.stream.random() < 0.5)
        if kind == "text":
            words = ["", "a", "ab", "b", "hello", "x y", "A"]
            if self.stream.random() < 0.12:
                words = ["it" + self.facts["quote"] + "s", "a\\b", "one\ntwo", f"a {self.facts['comment']} b", "\t"]
            return ("str", self.stream.choice(words))
        return ("list", tuple(self.leaf("number") for _ in range(self.stream.randint(0, 4))))

    def ways(self, kind: str) -> list[Any]:
        n, s = self.of, self.stream
        ways: list[Any]
        if kind == "number":
            ways = [lambda d: ("bin", s.choice("+-*/"), n("number", d), n("number", d))] * 4
            ways += [lambda d: ("neg", n("number", d)), self.base_call]
            if "modulo" in self.on:
                ways += [lambda d: ("bin", "mod", n("number", d), n("number", d))]
            if "power" in self.on:
                ways += [lambda d: ("bin", "pow", n("number", d - 1), n("number", 0))]
            if "lists" in self.on:
                ways += [lambda d: ("index", n("list", d), n("number", 0))]
        elif kind == "truth":
            ways = [
                lambda d: ("bin", s.choice(["and", "or"]), n("truth", d), n("truth", d)),
                lambda d: ("not", n("truth", d)),
                self.comparison,
            ]
        elif kind == "text":
            ways = [lambda d: self.leaf("text")]
            if "concat" in self.on:
                ways += [lambda d: ("bin", "cat", n("text", d), n("text", d))] * 2
        else:
            ways = [lambda d: ("list", tuple(n("number", d) for _ in range(s.randint(0, 3))))]
            if "range" in self.on:
                ways += [self.a_range]
            if "concat" in self.on:
                ways += [lambda d: ("bin", "cat", n("list", d), n("list", d))]
            if "slices" in self.on:
                ways += [lambda d: self.a_slice(d)]
        if "cond" in self.on:
            ways.append(lambda d: ("if", n("truth", d), n(kind, d), n(kind, d)))
        if "let" in self.on:
            ways.append(lambda d: self.a_let(d, kind))
        return ways

    def base_call(self, depth: int) -> Node:
        one = BY_KEY[self.stream.choice(["abs", "min", "max"])]
        count = 1 if one.key == "abs" else self.stream.randint(1, 3)
        return ("call", self.facts["calls"][one.key], tuple(self.of("number", depth - 1) for _ in range(count)))

    def comparison(self, depth: int) -> Node:
        kind = "text" if "strings" in self.on and self.stream.random() < 0.25 else "number"
        op = self.stream.choice(["eq", "ne", "<", "<=", ">", ">="])
        left = self.of(kind, min(depth, 1))
        right = left if self.stream.random() < 0.3 else self.of(kind, min(depth, 1))
        if "chain" in self.facts and self.facts["chain"] == "all" and self.stream.random() < 0.25:
            more = tuple(self.stream.choice(["<", "<=", "eq", ">="]) for _ in range(self.stream.randint(1, 2)))
            return ("chain", (op, *more), (left, right, *(self.of(kind, 0) for _ in more)))
        return ("bin", op, left, right)

    def a_range(self, depth: int) -> Node:
        first = self.stream.randint(-2, 6)
        return ("bin", "range", as_node(first), as_node(first + self.stream.randint(-2, 6)))

    def a_slice(self, depth: int) -> Node:
        ends = [
            self.stream.choice(
                [None, ("var", self.stream.choice("ab")), *(as_node(self.stream.randint(-5, 5)) for _ in range(3))]
            )
            for _ in range(2)
        ]
        kind = "text" if "strings" in self.on and self.stream.random() < 0.3 else "list"
        return ("slice", self.of(kind, depth - 1), *ends)

    def a_let(self, depth: int, kind: str) -> Node:
        name = self.stream.choice(["k", "m", "a"])
        body = self.of(kind, depth - 1)
        if kind == "number" and self.stream.random() < 0.8:
            body = ("bin", self.stream.choice("+-*"), ("var", name), body)
        return ("let", name, self.of("number", depth - 1), body)

    def grouped(self, op: str, model: Any) -> Node:
        """The operator beside another one, without brackets that are not needed, where it matters which of them binds tighter."""
        s = self.stream
        others = [one for one, need in OPERATORS if need is None or need in self.on]
        tree: Node = ("bin", op, self.leaf("number"), self.leaf("number"))
        for _ in range(12):
            other = s.choice(others)
            a, b, c = (self.leaf(s.choice(KINDS_FOR.get(one, ("number",)))) for one in (op, op, other))
            if not all(self.there_is(kind) for one in (op, other) for kind in KINDS_FOR.get(one, ())):
                a, b, c = (self.leaf("number") for _ in range(3))
            first, second = s.choice([(op, other), (other, op)])
            tree, twin = ("bin", second, ("bin", first, a, b), c), ("bin", first, a, ("bin", second, b, c))
            names = tuple((name, values[0]) for name, values in VALUES.items())
            one, two = (model.pose(("value", which, names, 1)) for which in (tree, twin))
            if one is not None and two is not None and one.expected != two.expected:
                return s.choice([tree, twin])
        return tree

    # -- questions

    def names(self, tree: Node) -> tuple[tuple[str, Any], ...]:
        """Values for the variables; now and then one is forgotten."""
        used = sorted(_used(tree) & set(VALUES))
        return tuple((name, self.stream.choice(VALUES[name])) for name in used if self.stream.random() > 0.02)

    @staticmethod
    def used(tree: Node) -> list[str]:
        """The variables of a formula that have values."""
        return sorted(_used(tree) & set(VALUES))

    def value(self, tree: Node) -> Question:
        return ("value", tree, self.names(tree), self.style())

    def style(self) -> int:
        return self.stream.choice([1, self.stream.randint(2, 10**6), self.stream.randint(2, 10**6)])

    def call(self, one: Builtin, depth: int = 0) -> Question:
        """A call of a function of the library, sometimes with an argument too many, too few or of another kind."""
        arguments = [as_node(value) for value in one.draw(self.stream)]
        if self.stream.random() < 0.08:
            arguments = arguments[:-1] if self.stream.random() < 0.5 else [*arguments, ("num", 2)]
        elif self.stream.random() < 0.08 and arguments:
            arguments[self.stream.randrange(len(arguments))] = self.any(0)
        elif "decimals" in self.on and self.stream.random() < 0.08:
            arguments[self.stream.randrange(len(arguments))] = ("num", Fraction(5, 2))
        tree: Node = ("call", self.facts["calls"][one.key], tuple(arguments))
        if self.stream.random() < 0.15:
            tree = ("bin", "+", tree, ("num", 1))
        return self.value(tree)

    def with_function(self, one: Builtin) -> Question:
        """A call of map, filter or fold, with a function written out."""
        s = self.stream
        items = as_node(one.draw(s)[0])
        name = self.facts["calls"][one.key]
        x: Node = ("var", "x")
        if one.key == "fold":
            bodies = [
                ("bin", s.choice("+*-"), x, ("var", "y")),
                ("call", self.facts["calls"]["max"], (x, ("var", "y"))),
            ]
            function: Node = ("fn", ("x", "y"), s.choice(bodies))
            arguments: tuple[Node, ...] = (items, as_node(s.choice([0, 1, 10])), function)
        else:
            body: Node = ("bin", s.choice("+*-"), x, as_node(s.randint(1, 4)))
            if one.key == "filter":
                body = (
                    ("bin", s.choice([">", "<", ">=", "eq"]), x, as_node(s.randint(0, 5)))
                    if s.random() < 0.85
                    else body
                )
            function = ("fn", ("x",) if s.random() < 0.92 else ("x", "y"), body)
            arguments = (items, function)
        if s.random() < 0.08:
            arguments = arguments[:-1] if s.random() < 0.5 else (*arguments[:-1], ("num", 3))
        tree: Node = ("call", name, arguments)
        if "pipe" in self.on and s.random() < 0.3:
            tree = ("pipe", arguments[0], name, arguments[1:])
        return self.value(tree)

    def bad(self, *texts: str) -> Question:
        text = self.stream.choice(texts)
        return ("bad", text, f"bad {text}")


def _used(node: Any) -> set[str]:
    if isinstance(node, tuple):
        if len(node) == 2 and node[0] == "var":
            return {node[1]}
        return set().union(*map(_used, node)) if node else set()
    return set()
