"""What a formula means: the specification of the family `expressions`, executable.

A formula is a tree of tuples here, never a text that is read: `text` writes it, `Meaning` says its value.

Long because: values, errors and limits of every form of one language are read against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

from takt.stations.codedesk.families.drawn import Drawn, Undefined
from takt.stations.codedesk.families.expressions.library import LIBRARY
from takt.stations.codedesk.families.state import Posed, Question, Raises, State

Node = tuple[Any, ...]
NEEDS = {  # what must be in the language for a node to be written
    "mod": "modulo", "pow": "power", "eq": "compare", "ne": "compare", "<": "compare", "<=": "compare", ">": "compare",
    ">=": "compare", "and": "logic", "or": "logic", "cat": "concat", "range": "range", "in": "membership", "??": "coalesce",
    "chain": "compare", "not": "logic", "bool": "logic", "str": "strings", "if": "cond", "list": "lists", "index": "lists",
    "slice": "slices", "let": "let", "fn": "lambdas", "pipe": "pipe",
}  # fmt: skip
ORDER = ("<", "<=", ">", ">=")


class Wrong(Exception):
    """An error is due: unknown, type or undef."""


@dataclass(frozen=True)
class Function:
    parameters: tuple[str, ...]
    body: Node
    local: Mapping[str, Any]


def nodes(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for part in node[1:]:
        if isinstance(part, tuple):
            if part and isinstance(part[0], str) and part[0] in KINDS:
                yield from nodes(part)
            else:
                for one in part:
                    if isinstance(one, tuple) and one and one[0] in KINDS:
                        yield from nodes(one)


KINDS = frozenset("num str bool var neg bin chain not if list index slice let fn call pipe".split())


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, Fraction)):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "list"
    if isinstance(value, Function):
        return "function"
    raise Wrong("type")


class Writing:
    """Trees to texts, in the syntax of one state."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        self.symbols = {
            "mod": facts["modulo"], "pow": facts["power"], "eq": facts["eq"], "ne": facts["ne"], "and": facts["and_"],
            "or": facts["or_"], "cat": facts["concat"], "range": facts["range_symbol"], "in": facts["member"],
        }  # fmt: skip
        neg, pow_ = facts["neg_level"], facts["pow_level"]
        self.levels = {
            "??": 2, "or": 3, "and": 4, **dict.fromkeys(("eq", "ne", *ORDER, "in"), 6), "range": 7, "+": 8, "-": 8, "cat": 8,
            "*": 9, "/": 9, "mod": 9, "pow": pow_,
        }  # fmt: skip
        self.neg = neg

    def level(self, node: Node) -> int:
        kind = node[0]
        if kind == "bin":
            return self.levels[node[1]]
        return {"if": 0, "let": 0, "fn": 0, "pipe": 1, "not": 5, "chain": 6, "neg": self.neg}.get(kind, 20)

    def text(self, node: Node, style: int) -> str:
        """Style 0 is how `show` writes; 1 has no space that is not needed; others have spaces and brackets at random."""
        tokens = self.tokens(node, 0, Random(style) if style > 1 else None, pipes=style != 0)
        if style == 0:
            return self._join(tokens)
        out = ""
        stream = Random(style)
        for token in tokens:
            glued = out and (out[-1].isalnum() or out[-1] == "_") and (token[0].isalnum() or token[0] == "_")
            if glued:
                out += " " if style == 1 else stream.choice([" ", "  "])
            elif style > 1:
                out += stream.choice(["", "", " ", " ", "  "])
            out += token
        return out

    def _join(self, tokens: list[str]) -> str:
        """With marks: a token that begins with a mark of no space says so."""
        out = ""
        for token in tokens:
            if token.startswith("\0"):
                out = out.rstrip(" ") + token[1:]
            else:
                out += token
        return out

    def tokens(self, node: Node, least: int, extra: Random | None, pipes: bool) -> list[str]:
        """Pieces of the text; with `pipes` off, pieces carry the spaces of the canonical form."""
        level = self.level(node)
        inner = self._tokens(node, extra, pipes)
        if level < least or (extra is not None and extra.random() < 0.12):
            return ["(", *inner, ")"]
        return inner

    def _tokens(self, node: Node, extra: Random | None, pipes: bool) -> list[str]:
        sp = [] if pipes else [" "]

        def sub(child: Node, least: int) -> list[str]:
            return self.tokens(child, least, extra, pipes)

        kind, facts = node[0], self.facts
        if kind == "num":
            return [self.number(node[1])]
        if kind == "str":
            return [self.literal(node[1])]
        if kind == "bool":
            return [facts["true_"] if node[1] else facts["false_"]]
        if kind == "var":
            return [node[1]]
        if kind == "neg":
            return ["-", *sub(node[1], self.neg)]
        if kind == "not":
            return [facts["not_"], *(sp if facts["not_"].isalpha() else []), *sub(node[1], 5)]
        if kind == "bin":
            op = str(node[1])
            level = self.levels[op]
            left, right = level, level + 1
            if op == "??" or (op == "pow" and facts["power_right"]):
                left, right = level + 1, level
            if level in (6, 7):
                left = level + 1
            return [*sub(node[2], left), *sp, self.symbols.get(op, op), *sp, *sub(node[3], right)]
        if kind == "chain":
            out = sub(node[2][0], 7)
            for op, operand in zip(map(str, node[1]), node[2][1:], strict=True):
                out += [*sp, self.symbols.get(op, op), *sp, *sub(operand, 7)]
            return out
        if kind == "if":
            if facts["cond"] == "words":
                parts = [sub(one, 0) for one in node[1:]]
                return ["if", *sp, *parts[0], *sp, "then", *sp, *parts[1], *sp, "else", *sp, *parts[2]]
            return [*sub(node[1], 1), *sp, "?", *sp, *sub(node[2], 0), *sp, ":", *sp, *sub(node[3], 0)]
        if kind == "list":
            return ["[", *self._commas(node[1], sub, sp), "]"]
        if kind == "index":
            return [*sub(node[1], 20), "[", *sub(node[2], 0), "]"]
        if kind == "slice":
            ends = [[] if one is None else sub(one, 1) for one in node[2:]]
            return [*sub(node[1], 20), "[", *ends[0], ":", *ends[1], "]"]
        if kind == "let":
            before_in = [] if facts["let_in"] == ":" else sp
            return [facts["let_word"], *sp, node[1], *sp, facts["let_sign"], *sp, *sub(node[2], 0), *before_in,
                    facts["let_in"], *sp, *sub(node[3], 0)]  # fmt: skip
        if kind == "fn":
            names: list[str] = []
            for name in node[1]:
                names += [*([",", *sp] if names else []), name]
            before_sign = [] if facts["fn_sign"] == ":" else sp
            return [facts["fn_word"], "(", *names, ")", *before_sign, facts["fn_sign"], *sp, *sub(node[2], 0)]
        if kind == "call":
            return [node[1], "(", *self._commas(node[2], sub, sp), ")"]
        if kind == "pipe":
            if not pipes:
                return [node[2], "(", *self._commas((node[1], *node[3]), sub, sp), ")"]
            given = ["(", *self._commas(node[3], sub, sp), ")"] if node[3] else []
            return [*sub(node[1], 1), facts["pipe"], node[2], *given]
        raise AssertionError(node)

    def _commas(self, parts: Any, sub: Any, sp: list[str]) -> list[str]:
        out: list[str] = []
        for place, one in enumerate(parts):
            out += [*([",", *sp] if place else []), *sub(one, 0)]
        return out

    def literal(self, value: str) -> str:
        quote = self.facts["quote"]
        escaped = value.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n").replace("\t", "\\t")
        return quote + escaped + quote

    @staticmethod
    def number(value: int | Fraction) -> str:
        if value == int(value):
            return str(int(value))
        text = f"{float(value):.6f}".rstrip("0")
        assert Fraction(text) == value
        return text


class Meaning:
    """The model: answers questions in one state.

    Long because: values, errors and limits of every form of one language are read against each other.
    """

    def __init__(self, state: State) -> None:
        self.state, self.facts, self.on = state, state.facts, set(state.on)
        self.writing = Writing(state.facts)
        self.drawn: dict[str, Drawn] = {one.name: one for one in state.drawn}
        self.library = {
            self.facts["calls"][one.key]: one for one in LIBRARY if one.group == "base" or f"fn.{one.key}" in self.on
        }
        self.notes: set[str] = set()
        self.names: Mapping[str, Any] = {}
        self.missing: Any = None
        self.asked: list[str] = []
        self.given: frozenset[str] = frozenset()

    # -- questions

    def pose(self, question: Question) -> Posed | None:
        self.notes = set()
        self.given = frozenset()
        self.missing = None
        posed = getattr(self, f"_q_{question[0]}")(*question[1:])
        if posed is None:
            return None
        ask, arguments, expected = posed
        return Posed(ask, arguments, expected, frozenset(self.notes))

    def _can(self, *trees: Node) -> bool:
        for tree in trees:
            for node in nodes(tree):
                if node[0] == "call" and node[1] in UNKNOWN_CALLS:
                    continue
                need = NEEDS.get(node[1] if node[0] == "bin" else node[0])
                if node[:2] == ("bin", "cat") and self.facts["concat"] == "+":
                    need = "strings"
                if need is not None and need not in self.on:
                    return False
                if node[0] == "chain" and self.facts["chain"] != "all":
                    return False
                if node[0] == "num" and not isinstance(node[1], int) and "decimals" not in self.on:
                    return False
                if node[0] in ("call", "pipe"):
                    name = node[1] if node[0] == "call" else node[2]
                    if (
                        name not in self.library
                        and name not in self.drawn
                        and name not in LOCAL
                        and name not in self.given
                    ):
                        return False
        return True

    def _value(self, tree: Node, names: Mapping[str, Any]) -> Any:
        self.names, self.asked = names, []
        self._look(tree)
        try:
            value = self.value(tree, {})
            if isinstance(value, Function):
                return Raises("function")
            return value
        except Wrong as wrong:
            if str(wrong) == "skip":
                return Raises("function")
            self.notes.add(f"wrong {wrong}")
            return Raises(self.facts[{"unknown": "e_unknown", "type": "e_type", "undef": "e_undef"}[str(wrong)]])

    def _look(self, tree: Node) -> None:
        """Notes of what is written, whatever its value."""
        comment = self.facts["comment"]
        for node in nodes(tree):
            self.notes.add(f"has {node[0]}")
            if node[0] == "str" and comment in node[1]:
                self.notes.add("comment_in_text")
            if node[0] in ("let", "fn"):
                bound = {node[1]} if node[0] == "let" else set(node[1])
                body = node[3] if node[0] == "let" else node[2]
                inside = sum(1 for one in nodes(body) if one[0] == "var" and one[1] in bound)
                everywhere = sum(1 for one in nodes(tree) if one[0] == "var" and one[1] in bound)
                if everywhere > inside:
                    self.notes.add("let_leak")
            if node[0] == "bin":
                for side, child in (("left", node[2]), ("right", node[3])):
                    if self.writing.level(child) < 20:
                        self.notes.add(f"{node[1]} {side} of {child[1] if child[0] == 'bin' else child[0]}")

    def _q_value(self, tree: Node, names: tuple[tuple[str, Any], ...], style: int) -> tuple[Any, ...] | None:
        if not self._can(tree):
            return None
        value = self._value(tree, _open(names))
        if value == Raises("function") or _too_large(value):
            return None
        return "value", (self.writing.text(tree, max(style, 1)), _open(names)), value

    def _q_commented(self, tree: Node, names: Any, style: int, note: str) -> tuple[Any, ...] | None:
        """A formula with a comment behind it, and perhaps one in a line of its own."""
        if "comments" not in self.on or not self._can(tree):
            return None
        value = self._value(tree, _open(names))
        if value == Raises("function") or _too_large(value):
            return None
        mark = self.facts["comment"]
        text = self.writing.text(tree, max(style, 1))
        form = style % 4
        self.notes.add(f"comment{form}")
        text = (
            f"{text} {mark} {note}",
            f"{mark}{note}\n{text}",
            f"{text}{mark}{note}\n",
            f"{mark}\n{text}\n  {mark}{note}",
        )[form]
        return "value", (text, _open(names)), value

    def _q_bad(self, text: str, note: str) -> tuple[Any, ...] | None:
        self.notes |= {"bad", note}
        return "value", (text, {}), Raises(self.facts["e_syntax"])

    def _q_bad_while(self, text: str, fact: str, value: Any) -> tuple[Any, ...] | None:
        """No formula as long as a meaning is this one."""
        if self.facts[fact] != value:
            return None
        return self._q_bad(text, fact)

    def _q_number(self, text: str, value: int | None, need: str) -> tuple[Any, ...] | None:
        """A number as it is written: hexadecimal, with separators. None: it is no number."""
        if need not in self.on:
            return None
        self.notes.add(f"{need} {'bad' if value is None else 'good'}")
        if value is None and need == "separators":
            self.notes |= {"separators"}
        return "value", (text, {}), Raises(self.facts["e_syntax"]) if value is None else value

    def _q_escape(self, letter: str) -> tuple[Any, ...] | None:
        if "strings" not in self.on:
            return None
        quote = self.facts["quote"]
        known = {"n": "\n", "t": "\t", "\\": "\\", quote: quote}
        self.notes.add("known" if letter in known else "unknown escape")
        value: Any = f"a{known.get(letter, letter)}b"
        if letter not in known and self.facts["escape"] == "error":
            value = Raises(self.facts["e_syntax"])
        return "value", (f"{quote}a\\{letter}b{quote}", {}), value

    def _q_missing(self, tree: Node, names: Any, style: int, missing: Any) -> tuple[Any, ...] | None:
        if "missing" not in self.on or not self._can(tree):
            return None
        self.missing = missing
        self.note("nothing for what is missing" if missing is None else "something")
        value = self._value(tree, _open(names))
        if value == Raises("function") or _too_large(value):
            return None
        return "missing", (self.writing.text(tree, max(1, style)), _open(names), missing), value

    def _q_given(self, tree: Node, names: Any, style: int) -> tuple[Any, ...] | None:
        self.given = frozenset(GIVEN)
        if "given" not in self.on or not self._can(tree):
            return None
        value = self._value(tree, _open(names))
        if value == Raises("function") or _too_large(value):
            return None
        return "given", (self.writing.text(tree, max(1, style)), _open(names)), value

    def _q_lookups(self, tree: Node, names: Any, style: int) -> tuple[Any, ...] | None:
        if "lazy" not in self.on or not self._can(tree):
            return None
        value = self._value(tree, _open(names))
        if isinstance(value, Raises):
            return None
        self.notes.add(f"asked{min(3, len(self.asked))}")
        self.notes.add("twice" if len(self.asked) > len(set(self.asked)) else "once")
        return "lookups", (self.writing.text(tree, max(1, style)), _open(names)), sorted(set(self.asked))

    def _q_names(self, tree: Node, style: int) -> tuple[Any, ...] | None:
        if "names" not in self.on or not self._can(tree):
            return None
        self._look(tree)
        self.notes -= {"let_leak"}
        return "names", (self.writing.text(tree, max(1, style)),), list(dict.fromkeys(_free(tree, frozenset())))

    def _q_show(self, tree: Node, style: int) -> tuple[Any, ...] | None:
        if "show" not in self.on or not self._can(tree):
            return None
        self._look(tree)
        if any(node[0] == "num" and not isinstance(node[1], int) and node[1] < 1 for node in nodes(tree)):
            self.note("below one")
        return "show", (self.writing.text(tree, max(2, style)),), self.writing.text(tree, 0)

    def _q_formula(self, tree: Node, names: Any, style: int) -> tuple[Any, ...] | None:
        if "formula" not in self.on or not self._can(tree):
            return None
        value = self._value(tree, _open(names))
        if value == Raises("function") or _too_large(value):
            return None
        return "formula", (self.writing.text(tree, max(1, style)), _open(names)), value

    def _q_formula_equal(self, one: Node, other: Node, style: int) -> tuple[Any, ...] | None:
        if "formula" not in self.on or not self._can(one, other):
            return None
        equal = one == other
        self.notes.add("equal" if equal else "different")
        return (
            "formula_equal",
            (self.writing.text(one, 1), self.writing.text(other, max(2, style))),
            [equal, equal, False],
        )

    def _q_formula_names(self, tree: Node, style: int) -> tuple[Any, ...] | None:
        if not {"formula", "names"} <= self.on or not self._can(tree):
            return None
        self.notes.add("names of a formula")
        return "formula_names", (self.writing.text(tree, max(1, style)),), list(dict.fromkeys(_free(tree, frozenset())))

    def _q_signature(self, name: str) -> tuple[Any, ...] | None:
        if "signature" not in self.on:
            return None
        if name in self.library:
            one = self.library[name]
            self.notes.add("more" if one.more else "fixed")
            return "signature", (name,), f"{name}({', '.join(one.takes)}{', ...' if one.more else ''})"
        if name in self.drawn:
            return "signature", (name,), f"{name}({', '.join(self.drawn[name].of.takes)})"
        self.notes.add("unknown")
        return ("signature", (name,), Raises(self.facts["e_unknown"])) if name in UNKNOWN_CALLS else None

    def _q_run(self, lines: tuple[tuple[str, Node], ...], names: Any, style: int, noise: str) -> tuple[Any, ...] | None:
        if "run" not in self.on or not self._can(*[tree for _, tree in lines]):
            return None
        texts, values = [], dict[str, Any]()
        failed: Any = None
        for name, tree in lines:
            texts.append(f"{name} {self.facts['run_sign']} {self.writing.text(tree, max(1, style))}")
            if failed is None:
                value = self._value(tree, {**_open(names), **values})
                if value == Raises("function") or _too_large(value):
                    return None
                if isinstance(value, Raises):
                    failed = value
                else:
                    self.notes.add("again" if name in values else "first")
                    values[name] = value
        if noise == "blank":
            texts.insert(1, "   ")
        elif noise == "bad":
            if failed is not None:
                return None
            texts.append("3 + 4")
            failed = Raises(self.facts["e_syntax"])
        elif noise == "no name":
            if failed is not None:
                return None
            texts.append(f" {self.facts['run_sign']} 4")
            failed = Raises(self.facts["e_syntax"])
        elif noise == "comment":
            if "comments" not in self.on:
                return None
            texts.insert(0, f"  {self.facts['comment']} so it begins")
        self.notes.add(f"noise {noise}")
        self.notes.add("names given" if names else "no names")
        return "run", ("\n".join(texts), _open(names) or None), values if failed is None else failed

    def _q_place(self, text: str, line: int, column: int, need: str) -> tuple[Any, ...] | None:
        if "positions" not in self.on or need not in self.on | {""}:
            return None
        self.notes |= {f"line{min(line, 2)}", "begins with a new line" if text[:1] == "\n" else "begins"}
        if line > 1:
            self.notes.add("place_line")
        return "place", (text,), [line, column]

    def _q_brackets(self, count: int, kind: str, before: str = "") -> tuple[Any, ...] | None:
        if "depth" not in self.on or (kind == "[" and "lists" not in self.on):
            return None
        deep = count > self.facts["deepest"]
        if not deep and kind != "(":
            return None
        level = min(1, max(-1, count - self.facts["deepest"]))
        self.notes |= {f"brackets {level} {kind}", f"brackets {level} {kind} after {bool(before)}"}
        if kind == "(":
            self.note(f"after {before}")
            seven = 7 + before.count("1")
            return (
                "value",
                (before + "(" * count + "7" + ")" * count, {}),
                Raises(self.facts["e_syntax"]) if deep else seven,
            )
        if kind == "[":
            outer = ("[[1], ", "]") if before else ("[", "]")
            inner = "[" * (count - 1) + "]" * (count - 1)
            return "value", (outer[0] + inner + outer[1], {}), Raises(self.facts["e_syntax"])
        name = self.facts["calls"]["abs"]
        first = f"{name}(1) + " if before else ""
        return "value", (first + f"{name}(" * count + "7" + ")" * count, {}), Raises(self.facts["e_syntax"])

    def _q_brackets_row(self, count: int, kind: str) -> tuple[Any, ...] | None:
        """Many brackets, but never many open at once."""
        if "depth" not in self.on or (kind == "[" and "lists" not in self.on):
            return None
        self.note(f"row {kind}")
        one = {"(": "(1)", "[": "[1]", "f": f"{self.facts['calls']['abs']}(1)"}[kind]
        if kind == "[":
            return "value", ("[" + ", ".join([one] * count) + "]", {}), [[1]] * count
        return "value", (" + ".join([one] * count), {}), count

    def _q_same_tree(self, feature: str, name: str, text: str) -> tuple[Any, ...] | None:
        if feature not in self.on:
            return None
        return "same_tree", (name, text), True

    def _q_same_object(self, feature: str, first: str, second: str, name: str) -> tuple[Any, ...] | None:
        if feature not in self.on:
            return None
        self.notes.add(name)
        return "same_object", (first, second, name), True

    def _q_warns(self, feature: str, old: str, text: str) -> tuple[Any, ...] | None:
        if feature not in self.on:
            return None
        return "warns", (old, text), ["DeprecationWarning"]

    def _q_quiet(self, feature: str, name: str, text: str) -> tuple[Any, ...] | None:
        if feature not in self.on:
            return None
        return "warns", (name, text), []

    def _q_grows(self, feature: str, what: str, count: int) -> tuple[Any, ...] | None:
        """The cost of twice as much, by lines of code gone through."""
        if feature not in self.on:
            return None
        if what == "unique" and "fn.unique" not in self.on:
            return None
        self.notes.add(f"{what} {count}")
        return f"grows_{what}", (count,), True

    # -- values

    def note(self, what: str) -> None:
        self.notes.add(what)

    def need(self, value: Any, *kinds: str) -> Any:
        if isinstance(value, bool) and "number" in kinds:
            self.note("bool_number")
        if kind_of(value) not in kinds:
            self.note(f"{kind_of(value)} for {kinds[0]}")
            raise Wrong("type")
        return value

    def value(self, node: Node, local: Mapping[str, Any]) -> Any:
        return getattr(self, f"_v_{node[0].replace('if', 'choice').replace('not', 'turned')}")(local, *node[1:])

    def _v_num(self, local: Any, value: Any) -> Any:
        return _whole(value)

    def _v_str(self, local: Any, value: str) -> Any:
        self.note("empty text" if not value else "text")
        return value

    def _v_bool(self, local: Any, value: bool) -> Any:
        return value

    def _v_var(self, local: Mapping[str, Any], name: str) -> Any:
        if name in local:
            self.note("bound")
            return local[name]
        if name in self.names:
            self.asked.append(name)
            return self.names[name]
        if self.missing is not None:
            self.note("missing")
            return self.missing
        self.note("unknown name")
        raise Wrong("unknown")

    def _v_neg(self, local: Any, operand: Node) -> Any:
        return -self.need(self.value(operand, local), "number")

    def _v_turned(self, local: Any, operand: Node) -> Any:
        value = self.need(self.value(operand, local), "truth")
        self.note(f"not {value}")
        return not value

    def _v_choice(self, local: Any, condition: Node, then: Node, otherwise: Node) -> Any:
        which = self.need(self.value(condition, local), "truth")
        self.note(f"branch {which}")
        return self.value(then if which else otherwise, local)

    def _v_list(self, local: Any, items: tuple[Node, ...]) -> Any:
        self.note(f"items{min(len(items), 2)}")
        return [self.value(one, local) for one in items]

    def _v_let(self, local: Mapping[str, Any], name: str, value: Node, body: Node) -> Any:
        self.note("shadows" if name in local or name in self.names else "new name")
        return self.value(body, {**local, name: self.value(value, local)})

    def _v_fn(self, local: Mapping[str, Any], parameters: tuple[str, ...], body: Node) -> Any:
        return Function(parameters, body, local)

    def _v_pipe(self, local: Any, left: Node, name: str, more: tuple[Node, ...]) -> Any:
        self.note("pipe with more" if more else "pipe")
        return self._v_call(local, name, (left, *more))

    def _v_call(self, local: Mapping[str, Any], name: str, arguments: tuple[Node, ...]) -> Any:
        if name in local:
            function = self.need(local[name], "function")
            return self.apply(function, [self.value(one, local) for one in arguments])
        if name in self.given:
            self.note(f"given {name}")
            values = [self.value(one, local) for one in arguments]
            if any(not isinstance(one, (int, Fraction)) for one in values):
                raise Wrong("skip")
            return GIVEN[name](*values)
        if name not in self.library and name not in self.drawn:
            self.note("unknown function")
            raise Wrong("unknown")
        values = [self.value(one, local) for one in arguments]
        if name in self.drawn:
            takes, more = self.drawn[name].of.takes, False
        else:
            takes, more = self.library[name].takes, self.library[name].more
        if len(values) < len(takes) and more:
            self.note("no_arguments")
        if len(values) < len(takes) or (len(values) > len(takes) and not more):
            self.note(f"{name} arity")
            raise Wrong("type")
        for place, value in enumerate(values):
            kinds = takes[min(place, len(takes) - 1)]
            if kinds != "any" and kind_of(value) not in kinds.split("|"):
                self.note(f"{name} kind {place}")
                raise Wrong("type")
        self.note(f"calls {name} with {len(values)}")
        for place, value in enumerate(values):
            if isinstance(value, int) and abs(value) < 2:
                self.note(f"{name} {place} {value}")
            elif isinstance(value, (list, str)) and len(value) < 2:
                self.note(f"{name} {place} of {len(value)}")
            elif isinstance(value, Fraction):
                self.note(f"{name} {place} of a fraction")
        try:
            if name in self.drawn:
                if not _plain_numbers(values[0]):
                    raise Wrong("skip")
                return self.drawn[name].answer(
                    lambda what: self.note(what if what.startswith("drawn.") else f"{name} {what}"), values[0]
                )
            return _whole(self.library[name].answer(self, *values))
        except Undefined:
            self.note(f"{name} undefined")
            raise Wrong("undef") from None

    def apply(self, function: Function, values: list[Any]) -> Any:
        """A function without a name, applied."""
        if len(values) != len(function.parameters):
            self.note("function arity")
            raise Wrong("type")
        return self.value(function.body, {**function.local, **dict(zip(function.parameters, values, strict=True))})

    def place(self, index: Any, length: int, in_slice: bool) -> int:
        """Where an index points, from 0; it may lie outside."""
        self.need(index, "number")
        if not isinstance(index, int):
            self.note("index of a fraction")
            raise Wrong("undef")
        if index < 0:
            self.note("a negative index")
        if self.facts["index_negative"] == "error" and (index < 0 or (in_slice and index < self.facts["index_base"])):
            self.note("negative_index")
        if index < 0 and self.facts["index_negative"] == "error":
            self.note("index negative")
            raise Wrong("undef")
        if index < 0:
            self.note("index from the end")
            return length + index
        if self.facts["index_base"] == 1 and index == 0:
            self.note("index 0")
            raise Wrong("undef")
        return index - int(self.facts["index_base"])

    def _v_index(self, local: Any, target: Node, index: Node) -> Any:
        items = self.need(self.value(target, local), "list", *(["text"] if "strings" in self.on else []))
        number = self.need(self.value(index, local), "number")
        try:
            right = self.place(number, len(items), False)
        except Wrong:
            right = len(items)
        place = number - int(self.facts["index_base"])
        if not isinstance(number, int) or not -len(items) <= place < len(items) or right != place % len(items):
            self.note("index_leaks")
        at = self.place(number, len(items), False)
        if at < 0 or at >= len(items):
            self.notes |= {
                "index outside",
                "index_leaks",
                f"outside by {at - len(items)}" if at >= len(items) else "before",
            }
            raise Wrong("undef")
        self.note("first item" if at == 0 else "last item" if at == len(items) - 1 else "an item")
        self.note(f"index of {kind_of(items)}")
        return items[at]

    def _v_slice(self, local: Any, target: Node, first: Node | None, last: Node | None) -> Any:
        items = self.need(self.value(target, local), "list", *(["text"] if "strings" in self.on else []))
        start, end = 0, len(items)
        for side, node in (("first", first), ("last", last)):
            if node is not None and any(one[0] == "var" for one in nodes(node)):
                self.note(f"slice with a variable {side}")
        if first is not None:
            start = self.place(self.value(first, local), len(items), True)
            self.note("slice from " + ("before" if start < 0 else "within" if start < len(items) else "beyond"))
        if last is not None:
            end = self.place(self.value(last, local), len(items), True) + int(self.facts["index_base"])
            self.note("slice to " + ("before" if end < 0 else "within" if end < len(items) else "beyond"))
        self.note(f"slice {first is None} {last is None} of {kind_of(items)}")
        kept = [one for at, one in enumerate(items) if start <= at < end]
        return "".join(kept) if isinstance(items, str) else kept

    def key(self, value: Any) -> Any:
        if isinstance(value, bool):
            self.note("bool_equal")
        if isinstance(value, list):
            return ["list", [self.key(one) for one in value]]
        return [self.need_plain(value), value]

    def need_plain(self, value: Any) -> str:
        kind = kind_of(value)
        if kind == "function":
            raise Wrong("skip")
        return kind

    def same(self, left: Any, right: Any) -> bool:
        self.key(left), self.key(right)
        if self.need_plain(left) != self.need_plain(right):
            self.note("mixed kinds")
            if self.facts["eq_mixed"] == "error":
                raise Wrong("type")
        answer = bool(self.key(left) == self.key(right))
        self.note(f"same {answer} {kind_of(left)}")
        return answer

    def compared(self, op: str, left: Any, right: Any) -> bool:
        if op in ("eq", "ne"):
            return self.same(left, right) == (op == "eq")
        # `<=` and `>` look at the right operand first, but both are of one kind or it is an error all the same
        kinds = ("number", "text") if "strings" in self.on else ("number",)
        self.need(left, *kinds)
        self.need(right, *kinds)
        if kind_of(left) != kind_of(right):
            self.note("order of mixed kinds")
            raise Wrong("type")
        self.note(f"{op} {(left > right) - (left < right)} {kind_of(left)}")
        return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op])

    def _v_chain(self, local: Any, ops: tuple[str, ...], operands: tuple[Node, ...]) -> Any:
        left = self.value(operands[0], local)
        for number, (op, operand) in enumerate(zip(ops, operands[1:], strict=True)):
            right = self.value(operand, local)
            if not self.compared(op, left, right):
                self.note(f"chain ends at {number}")
                return False
            left = right
        self.note("chain holds")
        return True

    def _v_bin(self, local: Any, op: str, left_node: Node, right_node: Node) -> Any:
        if op in ("and", "or"):
            left = self.need(self.value(left_node, local), "truth")
            self.note(f"{op} {left}")
            if left == (op == "or"):
                return left
            return self.need(self.value(right_node, local), "truth")
        if op == "??":
            try:
                value = self.value(left_node, local)
                self.note("?? left")
                return value
            except Wrong as wrong:
                if str(wrong) != "unknown":
                    self.notes |= {"coalesce_hides", f"?? {wrong}"}
                    raise
                self.note("?? right")
                return self.value(right_node, local)
        left, right = self.value(left_node, local), self.value(right_node, local)
        if op == "cat" and self.facts["concat"] == "+":
            op = "+"
        for side, value in (("left", left), ("right", right)):
            if value is None or isinstance(value, float):
                self.note(f"{op} of nothing known {side}")
        if op in ("eq", "ne", *ORDER):
            return self.compared(op, left, right)
        if op == "in":
            if "strings" in self.on and isinstance(right, str):
                self.need(left, "text")
                self.note(f"part {left in right}")
                return left in right
            self.need(right, "list")
            answer = any(self.key(left) == self.key(one) for one in right)
            self.note(f"in {answer}")
            return answer
        if op == "cat" or (
            op == "+" and "concat" in self.on and self.facts["concat"] == "+" and kind_of(left) != "number"
        ):
            kinds = ("text", "list") if "lists" in self.on else ("text",)
            self.need(left, *kinds)
            self.need(right, kind_of(left))
            self.note(f"join {kind_of(left)}")
            return left + right
        self.need(left, "number")
        self.need(right, "number")
        return _whole(getattr(self, f"_o_{NAMES[op]}")(left, right))

    def _o_add(self, left: Any, right: Any) -> Any:
        self.note("add")
        return left + right

    def _o_subtract(self, left: Any, right: Any) -> Any:
        self.note("subtract")
        return left - right

    def _o_multiply(self, left: Any, right: Any) -> Any:
        self.note("multiply by 0" if 0 in (left, right) else "multiply")
        return left * right

    def quotient(self, left: int, right: int) -> int:
        signs = f"{'-' if left < 0 else '+'}{'-' if right < 0 else '+'}"
        self.note(f"divide {signs} {'even' if left % right == 0 else 'rest'}")
        exact = Fraction(left, right)
        down = exact.numerator // exact.denominator
        if self.facts["division"] == "trunc" and exact < 0 and down != exact:
            down += 1
        if abs(left) > 2**50 or abs(right) > 2**50:
            self.note("div_big")
        return down

    def _o_divide(self, left: Any, right: Any) -> Any:
        if right == 0:
            self.note("division by zero")
            raise Wrong("undef")
        if isinstance(left, Fraction) or isinstance(right, Fraction):
            self.note("exact division")
            return Fraction(left) / Fraction(right)
        return self.quotient(left, right)

    def _o_remainder(self, left: Any, right: Any) -> Any:
        if right == 0:
            self.note("remainder by zero")
            raise Wrong("undef")
        if isinstance(left, Fraction) or isinstance(right, Fraction):
            exact = Fraction(left) / Fraction(right)
            whole = exact.numerator // exact.denominator
            if self.facts["division"] == "trunc" and exact < 0 and whole != exact:
                whole += 1
            self.note("remainder of a fraction")
            return left - right * whole
        self.note("remainder " + ("0" if left % right == 0 else "rest"))
        answer = left - right * self.quotient(left, right)
        self.notes.discard("div_big")
        return answer

    def _o_power(self, left: Any, right: Any) -> Any:
        if isinstance(right, Fraction):
            self.note("power of a fraction")
            raise Wrong("undef")
        if right < 0:
            self.notes |= {"pow_negative", "power negative"}
            raise Wrong("undef")
        if abs(left) > 1 and right > 100:
            self.note(f"power too large by {min(right - 100, 2)} of {min(abs(left), 3)}")
            raise Wrong("undef")
        if right > 98:
            self.note(f"power {abs(left) if abs(left) < 3 else 'more'} to {min(right, 101)}")
        self.note("power 0" if right == 0 else "power 1" if right == 1 else "power")
        return left**right

    def _o_range(self, left: Any, right: Any) -> Any:
        if not isinstance(left, int) or not isinstance(right, int):
            self.note("range of a fraction")
            raise Wrong("type")
        self.note(
            f"range over {right - left - self.facts['longest_range']}"
            if right - left > self.facts["longest_range"] - 2
            else "range"
        )
        if right - left > self.facts["longest_range"]:
            raise Wrong("undef")
        out, at = [], left
        while at < right or (at == right and self.facts["range_end"] == "in"):
            out.append(at)
            at += 1
        self.note(f"range of {min(len(out), 2)}")
        return out


NAMES = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "mod": "remainder",
    "pow": "power",
    "range": "range",
}
UNKNOWN_CALLS = ("frobnicate", "nothing_like_it")
LOCAL = ("f", "g")  # names of functions that are bound in formulas
GIVEN: Mapping[str, Callable[..., Any]] = {
    "twice": lambda x, *_: 2 * x,
    "pair": lambda a, b: [a, b],
    "answer": lambda: 42,
}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value


def _plain_numbers(value: Any) -> bool:
    """Drawn functions are of whole numbers that are not huge."""
    items = value if isinstance(value, list) else [value]
    return isinstance(value, str) or all(type(one) is int and abs(one) < 10**10 for one in items)


def _too_large(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) > 30 or any(_too_large(one) for one in value)
    if isinstance(value, str):
        return len(value) > 60
    if isinstance(value, Function) or value is None or isinstance(value, float):
        return True
    return isinstance(value, (int, Fraction)) and max(abs(value.numerator), value.denominator) > 10**40


def _open(names: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in names}


def _free(node: Node, bound: frozenset[str]) -> Iterator[str]:
    kind = node[0]
    if kind == "var":
        if node[1] not in bound:
            yield node[1]
    elif kind == "let":
        yield from _free(node[2], bound)
        yield from _free(node[3], bound | {node[1]})
    elif kind == "fn":
        yield from _free(node[2], bound | set(node[1]))
    elif kind in ("chain", "call"):
        for one in node[2]:
            yield from _free(one, bound)
    elif kind == "list":
        for one in node[1]:
            yield from _free(one, bound)
    elif kind == "pipe":
        for one in (node[1], *node[3]):
            yield from _free(one, bound)
    else:
        for part in node[1:]:
            if isinstance(part, tuple):
                yield from _free(part, bound)
