"""What can be asked for in the family `expressions`, one after the other.

Long because: it is a catalogue; each entry is whole by itself, and a new one goes to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

from takt.stations.codedesk.families.expressions.draws import VALUES, Draws, as_node
from takt.stations.codedesk.families.expressions.library import BY_KEY
from takt.stations.codedesk.families.expressions.spec import UNKNOWN_CALLS, Node
from takt.stations.codedesk.families.offers import Change, Defect, Feature
from takt.stations.codedesk.families.state import Model, Question, State

Make = Callable[[Draws], Question]


def of(make: Make) -> Callable[[State, Model, Random], Question]:
    """A draw that needs only the state and the stream."""
    return lambda state, _model, stream: make(Draws(state, stream))


def root(
    tree: Callable[[Draws], Node], *bad: str, often: float = 0.08, ops: tuple[str, ...] = ()
) -> Callable[[State, Model, Random], Question]:
    """Formulas with this at their root; at times a text that is no formula, or an operator of `ops` beside another one.

    What else the package can do with a formula (show, names, Formula) is asked of these as well.
    """

    def make(state: State, model: Model, stream: Random) -> Question:
        d = Draws(state, stream)
        roll = stream.random()
        if bad and roll < often:
            return d.bad(*(one.format(**d.facts) for one in bad))
        if ops and roll < often + 0.2:
            return ("value", node := d.grouped(stream.choice(ops), model), d.names(node), 1)
        node = spoilt(d, tree(d)) if stream.random() < 0.1 else tree(d)
        if "show" in d.on and roll > 0.88:
            return (
                "show",
                d.grouped(stream.choice(ops), model) if ops and stream.random() < 0.5 else node,
                stream.randint(2, 10**6),
            )
        if "names" in d.on and 0.83 < roll < 0.88:
            return ("names", node, d.style())
        return d.value(node)

    return make


def spoilt(d: Draws, node: Node) -> Node:
    """With an operand of another kind, or of none."""
    if node[0] != "bin":
        return node
    other: Node = d.stream.choice([("var", "odd"), d.any(0), truth(d, True) if "compare" in d.on else ("var", "odd")])
    return (*node[:2], other, node[3]) if d.stream.random() < 0.5 else (*node[:3], other)


def binary(op: str, kind: str = "number") -> Callable[[Draws], Node]:
    def tree(d: Draws) -> Node:
        node: Node = ("bin", op, d.of(kind, d.stream.randint(0, 2)), d.of(kind, d.stream.randint(0, 2)))
        if d.stream.random() < 0.25:
            sign = d.stream.choice("+-*/")
            node = ("bin", sign, node, d.of(kind, 1)) if d.stream.random() < 0.5 else ("bin", sign, d.of(kind, 1), node)
        if d.stream.random() < 0.15:
            node = ("neg", node)
        return node

    return tree


def small(d: Draws, low: int = -6, high: int = 12) -> Node:
    return as_node(d.stream.randint(low, high))


def truth(d: Draws, value: bool) -> Node:
    """A truth, by a comparison while there are no words for it."""
    return ("bool", value) if "logic" in d.on else ("bin", "<", as_node(1), as_node(2 if value else 0))


def _modulo(d: Draws) -> Node:
    if d.stream.random() < 0.5:
        return ("bin", "mod", small(d, -20, 20), small(d, -6, 6))
    return binary("mod")(d)


def _power(d: Draws) -> Node:
    s = d.stream
    base, exponent = small(d, -4, 6), as_node(s.choice([0, 1, 2, 3, 4, -1, s.randint(0, 9)]))
    if s.random() < 0.25:
        base, exponent = as_node(s.choice([0, 1, -1, 2, 2, 3, -2])), as_node(s.choice([100, 101, 200]))
    node: Node = ("bin", "pow", base, exponent)
    if s.random() < 0.25:
        node = ("bin", "pow", node, as_node(s.randint(0, 2)))
    elif s.random() < 0.25:
        node = ("bin", "pow", base, ("bin", "pow", as_node(s.randint(0, 2)), as_node(s.randint(0, 2))))
    if s.random() < 0.3:
        node = ("neg", node)
    if s.random() < 0.2:
        node = ("bin", s.choice("*+"), node, as_node(2))
    return node


def _compared(state: State, model: Model, stream: Random) -> Question:
    if state.facts["chain"] == "refuse" and stream.random() < 0.06:
        signs = [state.facts["eq"], "<", ">=", state.facts["ne"]]
        return (
            "bad_while",
            f"1 {stream.choice(signs)} {stream.randint(1, 3)} {stream.choice(signs)} 3",
            "chain",
            "refuse",
        )
    return root(_compare, "1 <", "{eq} 2", "1 <= = 2", ops=("<", "eq"))(state, model, stream)


def _compare(d: Draws) -> Node:
    node = d.comparison(2)
    if "logic" in d.on and d.stream.random() < 0.3:
        node = ("bin", d.stream.choice(["and", "or"]), node, d.comparison(1))
    if d.stream.random() < 0.08:
        node = ("bin", "eq", d.any(0), d.any(0))
    return node


def _logic(d: Draws) -> Node:
    s = d.stream
    node = d.of("truth", 3)
    if s.random() < 0.3:
        node = (
            "bin",
            s.choice(["and", "or"]),
            d.of("truth", 1),
            ("bin", "eq", ("bin", "/", as_node(1), as_node(0)), as_node(1)),
        )
    elif s.random() < 0.2:
        node = ("not", ("bin", s.choice(["and", "or", "eq"]), d.of("truth", 0), d.of("truth", 0)))
    elif s.random() < 0.2:
        node = ("bin", s.choice(["and", "or"]), node, d.of("number", 0))
    elif s.random() < 0.15:
        node = ("bin", s.choice("+-*"), ("bool", s.random() < 0.5), d.of("number", 0))
    return node


def _cond(d: Draws) -> Node:
    kind = d.stream.choice([one for one in ("number", "truth", "text") if d.there_is(one)])
    condition = d.of("truth", 1) if d.stream.random() < 0.92 else d.of("number", 0)
    branches: list[Node] = [d.of(kind, 1), d.of(kind, 1)]
    if d.stream.random() < 0.2:
        branches[d.stream.randrange(2)] = ("bin", "/", as_node(1), as_node(0))
    if d.stream.random() < 0.25:
        branches[1] = ("if", d.of("truth", 0), d.of(kind, 0), d.of(kind, 0))
    node: Node = ("if", condition, *branches)
    return ("bin", "+", node, as_node(1)) if kind == "number" and d.stream.random() < 0.3 else node


def _lists(d: Draws) -> Node:
    s = d.stream
    items = [d.of("number", 1) for _ in range(s.randint(0, 4))]
    if s.random() < 0.2:
        items.append(d.of("list", 0))
    node: Node = ("list", tuple(items))
    if s.random() < 0.7:
        base = d.facts["index_base"]
        place = s.choice([base, base + len(items) - 1, base + len(items), base - 1, s.randint(-3, 5)])
        node = ("index", node if s.random() < 0.8 else ("var", "items"), as_node(place))
    if s.random() < 0.1:
        node = ("index", ("list", (node,)), as_node(d.facts["index_base"]))
    if s.random() < 0.06:
        node = (
            ("index", s.choice([("var", "odd"), as_node(3)]), as_node(1))
            if s.random() < 0.6
            else ("index", node, ("var", "odd"))
        )
    return node


def _concat(d: Draws) -> Node:
    kind = d.stream.choice([one for one in ("text", "text", "list") if d.there_is(one)])
    node: Node = ("bin", "cat", d.of(kind, 1), d.of(kind, 1))
    if d.stream.random() < 0.15:
        node = ("bin", "cat", d.any(0), d.any(0))
    return node


def _let(d: Draws) -> Node:
    node = d.a_let(2, d.stream.choice([one for one in ("number", "number", "truth") if d.there_is(one)]))
    if d.stream.random() < 0.35:
        node = ("bin", "+", node, ("var", node[1])) if d.stream.random() < 0.5 else ("bin", "*", ("var", "a"), node)
    return node


def _lambda(d: Draws) -> Node:
    s, x = d.stream, ("var", "x")
    body: Node = ("bin", s.choice("+-*"), x, d.of("number", 1))
    arguments: tuple[Node, ...] = (d.of("number", 0),)
    names: tuple[str, ...] = ("x",)
    if s.random() < 0.4:
        names, body = ("x", "y"), ("bin", s.choice("+-*"), body, ("var", "y"))
        arguments = (*arguments, small(d))
    if s.random() < 0.12:
        arguments = (*arguments, small(d))
    name = s.choice(["f", "g"])
    called: Node = ("call", name, arguments)
    if s.random() < 0.3:
        called = ("bin", s.choice("+*"), called, ("call", name, arguments))
    function: Node = ("fn", names, body) if s.random() < 0.93 else small(d)
    node: Node = ("let", name, function, called)
    return (
        node
        if s.random() < 0.75
        else ("let", "k", small(d), ("let", name, ("fn", names, ("bin", "+", body, ("var", "k"))), called))
    )


def _pipe(d: Draws) -> Node:
    s = d.stream
    calls = d.facts["calls"]
    node: Node = ("pipe", d.of("number", 1), calls["abs"], ())
    if s.random() < 0.6:
        node = (
            "pipe",
            d.of("number", 1),
            calls[s.choice(["min", "max"])],
            tuple(small(d) for _ in range(s.randint(0, 2))),
        )
    if s.random() < 0.4:
        node = ("pipe", node, calls[s.choice(["abs", "max"])], ())
    if s.random() < 0.1:
        node = ("pipe", small(d), s.choice(UNKNOWN_CALLS), ())
    return node


def _membership(d: Draws) -> Node:
    s = d.stream
    if "strings" in d.on and s.random() < 0.3:
        return (
            "bin",
            "in",
            ("str", s.choice(["a", "b", "", "ell", "zz"])),
            ("str", s.choice(["abc", "hello", "", "a"])),
        )
    right = ("list", tuple(d.any(0) for _ in range(s.randint(0, 4)))) if s.random() < 0.8 else d.any(0)
    left = right[1][-1] if right[0] == "list" and right[1] and s.random() < 0.5 else d.any(0)
    node: Node = ("bin", "in", left, right)
    return ("not", node) if "logic" in d.on and s.random() < 0.15 else node


def _range(d: Draws) -> Node:
    s = d.stream
    node = d.a_range(1)
    if s.random() < 0.15:
        first = s.choice([0, 1, 3, -2])
        node = ("bin", "range", as_node(first), as_node(first + d.facts["longest_range"] + s.choice([0, 1, 1, 2])))
    elif s.random() < 0.15:
        node = ("bin", "range", ("bin", "+", small(d, 0, 2), as_node(1)), ("bin", "*", as_node(2), small(d, 0, 4)))
    elif "decimals" in d.on and s.random() < 0.15:
        node = ("bin", "range", as_node(Fraction(1, 2)), as_node(3))
    return ("index", node, as_node(s.randint(0, 2))) if s.random() < 0.2 else node


def _coalesce(d: Draws) -> Node:
    s = d.stream
    unknown: list[Node] = [
        ("var", "nobody"),
        ("call", UNKNOWN_CALLS[0], (as_node(1),)),
        ("bin", "+", ("var", "nobody"), as_node(1)),
    ]
    left = s.choice([*unknown, d.of("number", 1), ("bin", "/", as_node(1), as_node(0)), ("neg", ("var", "nobody"))])
    node: Node = ("bin", "??", left, d.of("number", 1))
    if s.random() < 0.3:
        node = ("bin", "??", s.choice(unknown), node)
    return ("bin", "+", node, as_node(1)) if s.random() < 0.2 else node


def _slices(d: Draws) -> Node:
    node = d.a_slice(1)
    if d.stream.random() < 0.5:
        kind = ("list", tuple(as_node(10 + at) for at in range(d.stream.randint(0, 5))))
        node = ("slice", kind, *node[2:])
    return node


def _decimals(d: Draws) -> Node:
    s = d.stream
    part: Node = ("num", Fraction(s.randint(1, 99), s.choice([2, 4, 5, 10, 100])))
    if s.random() < 0.2:
        return part if s.random() < 0.6 else ("neg", part)
    if s.random() < 0.4:
        known = [BY_KEY[one[3:]] for one in d.on if one.startswith("fn.") and "WHOLE" in BY_KEY[one[3:]].body]
        more = [op for op, need in (("pow", "power"), ("mod", "modulo"), ("range", "range")) if need in d.on]
        whole = small(d, 0, 5)
        if "lists" in d.on and s.random() < 0.2:
            return ("index", ("list", (whole, part)), part)
        if known and s.random() < 0.6:
            one = s.choice(sorted(known, key=lambda b: b.key))
            arguments = [as_node(value) for value in one.draw(s)]
            places = [at for at, kind in enumerate(one.takes) if kind == "number"]
            arguments[s.choice(places)] = part
            return ("call", d.facts["calls"][one.key], tuple(arguments))
        if more:
            return ("bin", s.choice(more), *((part, whole) if s.random() < 0.5 else (whole, part)))
    return ("bin", s.choice("+-*//"), *((part, d.of("number", 1)) if s.random() < 0.5 else (d.of("number", 1), part)))


def _comments(d: Draws) -> Question:
    if "run" in d.on and d.stream.random() < 0.15:
        return _run(d, "comment")
    tree = d.any(2)
    if "strings" in d.on and d.stream.random() < 0.3:
        tree = ("str", f"a {d.facts['comment']} b")
    note = d.stream.choice(["total", "1 + 1", "", ") (", "see above"])
    return ("commented", tree, d.names(tree), d.style(), note)


def _numbers_with(need: str, *pairs: tuple[str, int | None]) -> Make:
    return lambda d: ("number", *d.stream.choice(pairs), need)


def _missing(d: Draws) -> Question:
    tree = d.any(2)
    return ("missing", tree, d.names(tree)[:1], d.style(), d.stream.choice([0, 1, -7, 25, None]))


def _given(d: Draws) -> Question:
    s = d.stream
    if s.random() < 0.2:  # nobody gives any
        return d.value(("bin", "-", d.base_call(1), d.of("number", 1)))
    trees: list[Node] = [
        ("call", "twice", (d.of("number", 1),)), ("call", "answer", ()), ("bin", "-", ("call", "twice", (small(d),)), d.of("number", 1)),
        ("call", d.facts["calls"]["max"], (("call", "twice", (("var", "a"),)), small(d))), ("call", "twice", (("var", "b"),)),
    ]  # fmt: skip
    if "lists" in d.on:
        trees.append(("call", "pair", (small(d), small(d))))
    tree = s.choice(trees)
    return ("given", tree, d.names(tree), d.style())


def _lookups(d: Draws) -> Question:
    s = d.stream
    tree = d.any(3)
    if s.random() < 0.5:
        name = ("var", s.choice(["a", "b", "rate"]))
        tree = ("bin", s.choice("+*"), name, ("bin", "-", name, d.of("number", 1)))
    names = {**dict(d.names(tree)), "rate": 3, "spare": 1}
    return ("lookups", tree, tuple(sorted(names.items())), d.style())


def _names(d: Draws) -> Question:
    s = d.stream
    if "formula" in d.on and s.random() < 0.25:
        return ("formula_names", d.of("number", 3), d.style())
    tree: Node = (
        "bin",
        s.choice("+-*"),
        d.of("number", 2),
        ("bin", "*", ("var", s.choice(list(VALUES)[:3])), d.of("number", 2)),
    )
    if "let" in d.on and s.random() < 0.4:
        tree = ("let", "a", ("bin", "+", ("var", s.choice("ab")), tree), ("bin", "+", ("var", "a"), d.of("number", 1)))
    if "lambdas" in d.on and s.random() < 0.25:
        tree = (
            "let",
            "f",
            ("fn", ("x",), ("bin", "+", ("var", "x"), tree)),
            ("bin", "*", ("call", "f", (("var", "b"),)), ("var", "rate")),
        )
    return ("names", tree, d.style())


def _show(d: Draws) -> Question:
    tree = d.any(3)
    if d.stream.random() < 0.5:
        tree = ("bin", d.stream.choice("+-*/"), d.of("number", 2), d.of("number", 2))
    return ("show", tree, d.stream.randint(2, 10**6))


def _formula(d: Draws) -> Question:
    s = d.stream
    if s.random() < 0.4:
        one = d.of("number", 2)
        other = one if s.random() < 0.5 else ("bin", "+", one, ("num", 1))
        return ("formula_equal", one, other, s.randint(2, 10**6))
    if "names" in d.on and s.random() < 0.3:
        return ("formula_names", d.of("number", 3), d.style())
    tree = d.any(2)
    return ("formula", tree, d.names(tree), d.style())


def _run(d: Draws, noise: str = "") -> Question:
    s = d.stream
    lines: list[tuple[str, Node]] = []
    for number in range(s.randint(2, 4)):
        tree: Node = d.of("number", 1)
        if number and s.random() < 0.7:
            tree = ("bin", s.choice("+-*"), ("var", lines[-1][0]), tree)
        lines.append((s.choice(["u", "v", "w"]), tree))
    names = tuple(sorted({pair for _, tree in lines for pair in d.names(tree)}, key=repr)) if s.random() < 0.8 else ()
    noise = noise or s.choice(["none", "none", "blank", "bad", "comment", "no name"])
    return ("run", tuple(lines), tuple(dict(names).items()), d.style(), noise)


def _place(d: Draws) -> Question:
    """Some good lines, and one that goes wrong at a place that nobody can argue about."""
    s = d.stream
    lines = [s.choice(["1 +", "", "a *", "2 * 3 -", "  "]) for _ in range(s.choice([0, 0, 1, 2, 3]))]
    before = s.choice(["", " ", "1 + ", "(2 * 3) - ", "10 - a * "])
    last, column = s.choice(
        [(before + "$", len(before) + 1), (before + "1 $ 2", len(before) + 3), (before + "(1", len(before) + 3)]
    )
    return ("place", "\n".join([*lines, last]), len(lines) + 1, column, "")


def _signature(d: Draws) -> Question:
    names = [d.facts["calls"][key] for key in ("abs", "min", "max")] + [
        d.facts["calls"][one[3:]] for one in d.on if one.startswith("fn.")
    ]
    return ("signature", d.stream.choice([*names, *(one.name for one in d.state.drawn), *UNKNOWN_CALLS]))


def _depth(d: Draws) -> Question:
    s, deepest = d.stream, d.facts["deepest"]
    if s.random() < 0.2:
        return ("brackets_row", deepest + s.randint(1, 6), s.choice(["(", "[", "f"]))
    return ("brackets", s.choice([deepest, deepest, deepest + 1, deepest + 1, deepest - 1, s.randint(1, 5), deepest + s.randint(2, 30)]),
            s.choice(["(", "(", "[", "f"]), s.choice(["", "", "(1) + ", "(1) + (1) + "]))  # fmt: skip


def _still(d: Draws) -> Question:
    return d.value(d.any(3))


def _still_calls(d: Draws) -> Question:
    """Calls as before, right and wrong ones."""
    known = [BY_KEY[key] for key in ("abs", "min", "max")] + sorted(
        (BY_KEY[one[3:]] for one in d.on if one.startswith("fn.")), key=lambda b: b.key
    )
    one = d.stream.choice(known)
    if one.group != "functions" and d.stream.random() < 0.25:  # as it is called, but for one argument's kind
        arguments = [as_node(value) for value in one.draw(d.stream)]
        kinds = [name for name, kind in (("s", "text"), ("p", "truth"), ("items", "list")) if d.there_is(kind)]
        arguments[d.stream.randrange(len(arguments))] = ("var", d.stream.choice(["odd", *kinds]))
        wrong: Node = ("call", d.facts["calls"][one.key], tuple(arguments))
        return ("value", wrong, tuple((name, VALUES[name][0 if name != "odd" else 1]) for name in d.used(wrong)), 1)
    if d.stream.random() < 0.4:
        count = d.stream.randint(0, 4)
        return d.value(
            (
                "call",
                d.facts["calls"][one.key],
                tuple(d.any(0) if d.stream.random() < 0.5 else ("var", "odd") for _ in range(count)),
            )
        )
    if "signature" in d.on and d.stream.random() < 0.2:
        return _signature(d)
    return d.with_function(one) if one.group == "functions" else d.call(one)


def moved(feature: str, old: str, new: str, *names: str) -> Make:
    """A public thing that has a new place, and is the same one at the old; and all works as before."""

    def make(d: Draws) -> Question:
        if d.stream.random() < 0.8:
            return _still_calls(d) if d.stream.random() < 0.6 else _still(d)
        package = d.facts["pkg"]
        return (
            "same_object",
            feature,
            f"{package}.{old.format(**d.facts)}",
            f"{package}.{new}",
            d.stream.choice(names),
        )

    return make


def _renamed(d: Draws) -> Question:
    roll = d.stream.random()
    if roll < 0.3:
        return ("warns", "renamed", "parse", d.stream.choice(["1", "1 + 2", "(3)"]))
    if roll < 0.5:
        return ("quiet", "renamed", d.facts["renamed"], d.stream.choice(["1", "1 + 2", "(3)"]))
    if roll < 0.75:
        return ("same_tree", "renamed", d.facts["renamed"], d.stream.choice(["1", "1 + 2", "2 * (3 - 4)", "a - b"]))
    return _still(d)


def grows(feature: str, what: str, *counts: int) -> Make:
    return lambda d: ("grows", feature, what, d.stream.choice(counts)) if d.stream.random() < 0.25 else _still(d)


def _unique(d: Draws) -> Question:
    return (
        ("grows", "unique_fast", "unique", d.stream.choice([40, 60, 100, 150]))
        if d.stream.random() < 0.2
        else d.call(BY_KEY["unique"])
    )


SOURCE = "{pkg}/"
LEX, PARSE, NODES, EVAL, OPS = (
    f"{SOURCE}{{{one}}}.py" for one in ("m_tokens", "m_parser", "m_nodes", "m_eval", "m_ops")
)
NO_FORMULA = "~What is cut off or has too much is no formula ({e_syntax})."
FEATURES: tuple[Feature, ...] = (
    Feature("modulo", "A remainder operator `{modulo}`", "We need remainders in formulas, for weekdays and the like.",
            ("`a {modulo} b` is what is left when a is divided by b: `a - b * (a / b)`, so that it goes with how `/` rounds.",
             "It is of the level of `*` and `/`. Dividing by zero is undefined here too ({e_undef})."),
            root(_modulo, "3 {modulo}", "{modulo} 3", ops=("mod",)), files=(LEX, PARSE, OPS), area="arithmetic"),
    Feature("power", "A power operator `{power}`", "Compound interest needs powers.",
            ("`a {power} b` is a to the power of b, for whole b of 0 and more; 0 to the power of 0 is 1.",
             "A negative power, a power that is not whole, and a power above 100 of a number other than -1, 0 and 1 (or a fraction between "
             "them) are undefined ({e_undef}).",
             "~{power_tells}", "It groups from the {power_side}: `2 {power} 3 {power} 2` is `{power_example}`."),
            root(_power, "2 {power}", "{power} 2", ops=("pow",)), files=(LEX, PARSE, OPS), area="arithmetic", brings={"pow_negative": 0.5}),
    Feature("comments", "Comments", "Long formulas are hard to read without a word in between.",
            ("From `{comment}` to the end of the line is a comment, and counts as a space. The last line need not end.",),
            of(_comments), files=(LEX,), area="text", reach=1, brings={"comment_in_text": 0.6}),
    Feature("compare", "Comparisons", "We want to ask whether something is more than something else.",
            ("`{eq}`, `{ne}`, `<`, `<=`, `>` and `>=` compare two values and give True or False; their level is below `+` and `-`.",
             "Order is between numbers (and between texts, once there are texts); anything else is of the wrong kind ({e_type}).",
             "{chain_tells}", "{mixed_tells}"),
            _compared, files=(LEX, PARSE, NODES, EVAL, OPS, SOURCE + "{m_values}.py"), area="logic", reach=3,
            brings={"bool_number": 0.35, "bool_equal": 0.35}),
    Feature("logic", "Truths: `{true_}`, `{false_}`, `{and_}`, `{or_}`, `{not_}`", "Conditions need to be joined.",
            ("`{true_}` and `{false_}` are values of their own kind, given as True and False; `{and_}`, `{or_}` and `{not_}` take truths only ({e_type}).",
             "The right side of `{and_}` and `{or_}` is evaluated only if the left one does not decide.",
             "`{not_}` binds tighter than `{and_}`, that tighter than `{or_}`, and all three looser than comparisons.",
             "~A truth is never a number: arithmetic with one is of the wrong kind, and no truth equals a number."),
            root(_logic, "{true_} {and_}", "{or_} {false_}", "{not_}", ops=("and", "or")), needs=("compare",), files=(LEX, PARSE, NODES, EVAL, SOURCE + "{m_values}.py"),
            area="logic", reach=3),
    Feature("cond", "A conditional: `{cond_example}`", "Rates depend on conditions. We copy formulas for each case now.",
            ("`{cond_example}` is the value of a if c is true, and that of b if not; only that branch is evaluated.",
             "c must be a truth ({e_type}). It reaches as far to the right as it can, and binds looser than all else; branches may be conditionals."),
            root(_cond, "{cond_bad}", often=0.05), needs=("logic",), files=(LEX, PARSE, NODES, EVAL), area="logic", reach=2),
    Feature("strings", "Texts", "Labels come out of formulas too, not only numbers.",
            ("A text stands between two `{quote}` and is given as `str`. In it `\\n` is a new line, `\\t` a tabulator, `\\\\` a backslash and `\\{quote}` "
             "the quote itself. {escape_tells}", "A text that does not end is no formula ({e_syntax}). There is no arithmetic with texts ({e_type})."),
            lambda st, m, s: ("escape", s.choice(["n", "t", "\\", st.facts["quote"], "q", "x"])) if s.random() < 0.2
            else root(lambda d: d.of("text", 1) if d.stream.random() < 0.7 else ("bin", "+", d.of("text", 0), d.of("text", 0)),
                      "{quote}abc", "{quote}", "{quote}a\\{quote}")(st, m, s), files=(LEX, PARSE, SOURCE + "{m_values}.py"), area="text"),
    Feature("concat", "Joining with `{concat}`", "First name and last name: two texts must be put together.",
            ("`a {concat} b` is the text a followed by the text b, and (where there are lists) the list a followed by the items of the list b. "
             "It is of the level of `+`; two values of different kinds do not go together ({e_type}).",),
            root(_concat, ops=("cat",)), needs=("strings",), files=(LEX, PARSE, OPS), area="text"),
    Feature("lists", "Lists and indexes", "A customer has many orders: one value is not enough.",
            ("`[a, b, c]` is a list, `[]` the empty one; it is given as a Python list, and lists can be given as variables.",
             "`items[i]` is an item; the first has index {index_base}. An index that points at no item, or is not whole, is undefined ({e_undef}).",
             "{negative_tells}", "An index may follow any value: a list written out, a variable, a call, brackets, another index. Texts have indexes too, where there are texts."),
            root(_lists, "[1, 2", "[1,,2]", "[1, 2]]", "items[", "[,]"), files=(LEX, PARSE, NODES, EVAL, SOURCE + "{m_values}.py"), area="lists",
            reach=3, brings={"negative_index": 0.4, "index_leaks": 0.3},
            brings_if=lambda st, defect: defect != "negative_index" or st.facts["index_negative"] == "error"),
    Feature("slices", "Slices: `items[first:last]`", "We need the first three of a list, or all but the first.",
            ("`items[first:last]` is the part of a list (or a text) from index first to index last, {slice_tells}. Either can be left out: then it begins at "
             "the beginning, or goes to the end. What lies outside is cut off silently; indexes that are refused for one item are refused here.",),
            root(_slices, "[1][:", "[1][1:2:3]"), needs=("lists",), files=(PARSE, NODES, EVAL), area="lists"),
    Feature("let", "Names inside a formula: `{let_example}`", "The same sub-formula is written three times in most of ours.",
            ("`{let_word} x {let_sign} value {let_in} body` is the value of body, in which x is the value. It reaches as far to the right as it can.",
             "x means that only in body; it hides a variable of the same name there. value does not see x."),
            root(_let, "{let_word} x {let_sign} 1", "{let_word} 3 {let_sign} 1 {let_in} 2", often=0.05), files=(LEX, PARSE, NODES, EVAL), area="names", reach=3,
            brings={"let_leak": 0.6}),
    Feature("lambdas", "Functions without a name: `{fn_example}`", "Some of us want to write their own functions inside a formula.",
            ("`{fn_word}(x, y){fn_sign} body` is a function of one or more arguments. Bound by `{let_word}`, it is called like any other: `f(1, 2)`. A bound name that "
             "is called must be a function, and gets just as many arguments as it has parameters ({e_type}).",
             "body sees the names that are bound where the function is written. The names of parameters are bound only in body."),
            root(_lambda, "{fn_word}(){fn_sign} 1", "{fn_word}(x {fn_sign} 1", often=0.05), needs=("let",),
            files=(LEX, PARSE, NODES, EVAL, SOURCE + "{m_values}.py"), area="names", reach=3),
    Feature("pipe", "A pipe: `x {pipe} f`", "Calls inside calls inside calls are read from the inside out.",
            ("`x {pipe} f` is `f(x)`, and `x {pipe} f(a, b)` is `f(x, a, b)`. It groups from the left, and binds looser than all operators "
             "(but tighter than conditionals, let and functions).", "On its right stands the name of a function, with or without arguments; anything else is no formula ({e_syntax})."),
            root(_pipe, "1 {pipe}", "1 {pipe} 2"), files=(LEX, PARSE), area="names", reach=1),
    Feature("membership", "Membership: `x {member} items`", "Is it one of these? That takes four comparisons now.",
            ("`x {member} items` is whether the list has an item equal to x. Values of different kinds are never equal here. Where there are texts, `part {member} text` is whether the "
             "text contains the part (the empty text is in every text).",
             "Its level is that of comparisons, and it does not chain. On its right must be a list (or a text, with a text on its left); else {e_type}."),
            root(_membership, "1 {member}", ops=("in",)), needs=("lists", "logic"), files=(LEX, PARSE, OPS), area="lists", if_=lambda st: st.facts["chain"] == "refuse"),
    Feature("range", "Ranges: `a {range_symbol} b`", "Writing [1, 2, 3, 4, 5, 6, 7] is tedious.",
            ("`a {range_symbol} b` is the list of whole numbers from a to b, {range_tells}; where there is none, the empty list. Its level is between comparisons and `+`; "
             "it does not chain.", "Ends that are not whole numbers are of the wrong kind ({e_type}); where b - a is above {longest_range} it is undefined ({e_undef})."),
            root(_range, "1 {range_symbol}", "1 {range_symbol} 2 {range_symbol} 3", ops=("range",)), needs=("lists",), files=(LEX, PARSE, OPS), area="lists"),
    Feature("coalesce", "A fallback: `a ?? b`", "Optional variables: if nobody gave one, take something else.",
            ("`a ?? b` is a, unless evaluating a meets a variable or a function that is not known: then it is b. Any other error of a stays an error.",
             "It groups from the right; it binds looser than `or`, and tighter than a pipe."),
            root(_coalesce, "1 ??", "?? 1", ops=("??",)), files=(LEX, PARSE, EVAL), area="names", brings={"coalesce_hides": 0.6}),
    Feature("decimals", "Numbers with a fraction", "Prices have cents.",
            ("`2.50` is a number with a fraction: digits on both sides of the point, else it is no formula ({e_syntax}). Values are exact: Python's `Fraction`. A value without a "
             "fraction is a whole number again (`int`), also in between.",
             "`/` is exact as soon as one of its operands has a fraction; between whole numbers it stays as it was. Fractions can be given as variables."),
            root(_decimals, "1.", ".5", "1.2.3"), files=(LEX, OPS, SOURCE + "{m_values}.py"), area="arithmetic", reach=3),
    Feature("separators", "Digits in groups: `1_000_000`", "Nobody can read 10000000.",
            ("In a whole number, single `_` may stand between digits. Anywhere else in it they make it no formula ({e_syntax}): `1_`, `1__0`.",),
            of(_numbers_with("separators", ("1_000", 1000), ("12_3", 123), ("1_0_0", 100), ("1_", None), ("1__0", None), ("5_000_000", 5000000),
                             ("7", 7), ("1_000 + 1", 1001), ("2 * 1_1", 22), ("9_", None), ("3__3", None), ("0_1", 1), ("1_a", None))),
            files=(LEX,), area="text", reach=1, brings={"separators": 0.6}, if_=lambda st: not st.has("hex")),
    Feature("hex", "Hexadecimal and binary numbers", "Flags are written in hexadecimal.",
            ("`0x` begins a hexadecimal number and `0b` a binary one; capital letters do as well. A digit that does not belong there, or none, is no formula ({e_syntax}).",),
            of(_numbers_with("hex", ("0xff", 255), ("0X1F", 31), ("0b101", 5), ("0B11", 3), ("0x", None), ("0xg1", None), ("0b2", None), ("0b", None),
                             ("0x10 + 1", 17), ("0", 0), ("10", 10), ("0b0", 0), ("0xAbC", 2748))),
            files=(LEX,), area="text", reach=1, if_=lambda st: not st.has("separators")),
    Feature("missing", "A value for variables that are missing", "Half of our data sets lack some variable, and then everything stops.",
            ("`{evaluate}(text, names, missing=value)` takes value for each variable that names has not. Without `missing`, or with None, it is an error as before. "
             "Functions that are not known stay an error.",),
            of(_missing), files=(EVAL,), names=("{evaluate}",), area="names", reach=1),
    Feature("given", "Functions of the caller", "We have functions of our own in Python.",
            ("`{evaluate}(text, names, functions={{\"twice\": call}})` lets the formula call these as well, with values as they are; they come before those of the library. What "
             "a call gives back is the value.",),
            of(_given), files=(EVAL,), names=("{evaluate}",), area="names", reach=1),
    Feature("names", "Which variables does a formula need?", "Our form must know what to ask for.",
            ("`{pkg}.names(text)` is the list of the variables of a formula that must be given, each once, in the order in which they come first in the text. "
             "Names of functions are none, and names that are bound inside the formula are none where they are bound.",),
            of(_names), files=(SOURCE + "__init__.py",), names=("{pkg}.names",), area="inspection", reach=2),
    Feature("show", "Formulas in one form: `show`", "In reviews we argue about brackets and spaces.",
            ("`{pkg}.show(text)` writes a formula again: one space on both sides of operators between two operands (none behind the sign and {not_tells}), one behind commas and none "
             "before, none inside brackets, no comment, and only the brackets that are needed for the same tree.",
             "A pipe is written as the call that it is. Numbers are written in decimal digits, with a fraction only where there is one; texts with the escapes they need.",
             "Spaces stand around the words and signs of conditionals, let and functions as in their examples."),
            of(_show), files=(SOURCE + "__init__.py", PARSE), names=("{pkg}.show",), area="inspection", reach=3),
    Feature("formula", "A formula that is kept: `Formula`", "We evaluate the same formula for a million rows.",
            ("`{pkg}.Formula(text)` reads a formula once; called with variables by keyword, `formula(a=1)`, it gives the value. `formula.text` is the text as it was given.",
             "Two are equal, and have the same hash, if their trees are the same, however they are written.",
             "Where the package has `names`, `formula.names` is the list of its variables."),
            of(_formula), files=(SOURCE + "__init__.py",), names=("{pkg}.Formula",), area="inspection", reach=2),
    Feature("run", "Scripts: `run`", "Twenty formulas that build on each other should be one file.",
            ("`{pkg}.run(text, names)` evaluates a script: on each line a name, `{run_sign}` and a formula, which sees the names given and those of the lines above. It gives a dict of the "
             "names that lines set, in their order; a name that is set again has its last value.",
             "Lines with nothing but spaces are left out (and lines with nothing but a comment, where there are comments). Any other line without `{run_sign}`, or without a name before "
             "it, is {e_syntax}."),
            of(_run), files=(EVAL, SOURCE + "__init__.py"), names=("{pkg}.run",), area="scripts", reach=2),
    Feature("positions", "Say where a formula is wrong", "\"Unexpected ')'\" is of no use in a formula of ten lines.",
            ("{e_syntax} gets the attributes `line` and `column`, both from 1, of the token where reading cannot go on; at the end of the text, of the place right behind it. Only a new line "
             "begins a line.",),
            of(_place), files=(LEX, SOURCE + "errors.py", PARSE), names=("{e_syntax}",), area="text", reach=3, brings={"place_line": 0.5}),
    Feature("signature", "How is a function called?", "The editor should show what a function takes.",
            ("`{pkg}.signature(name)` is a text such as `{abs_signature}`: the name and the kinds of its arguments as they are registered, with `, ...` at the end where the last one can come again "
             "and again. A name that is no function raises {e_unknown}.",),
            of(_signature), files=(SOURCE + "{m_lib}.py", SOURCE + "__init__.py"), names=("{pkg}.signature",), area="inspection", reach=1),
    Feature("depth", "Refuse formulas that nest too deep", "Somebody pasted ten thousand brackets and the server died.",
            ("More than {deepest} brackets open at once, round or square, also those of calls, are no formula ({e_syntax}); {deepest} are.",),
            of(_depth), files=(PARSE,), area="text", reach=1, if_=lambda st: not st.wrong & {"place_line"}),
    Feature("moved_kinds", "Kinds of values in a module of their own", "`{m_values}` has become a mixed bag.",
            ("`kind_of` and `need` move from `{pkg}.{m_values}` to a new module `{pkg}.kinds`. They can still be imported from the old place, and are the same objects there. Nothing else changes.",),
            of(moved("moved_kinds", "{m_values}", "kinds", "kind_of", "need")), kind="refactoring", files=(SOURCE + "{m_values}.py",),
            names=("{pkg}.kinds",), area="layout", reach=2),
    Feature("moved_registry", "The register of functions in a module of its own", "Importing `function` drags in the whole library, and modules of functions import each other.",
            ("`FUNCTIONS`, `function` and `find` move from `{pkg}.{m_lib}` to a new module `{pkg}.registry`, which can be imported by itself. They are still there at the old place, the same objects. "
             "Nothing else changes.",),
            of(moved("moved_registry", "{m_lib}", "registry", "FUNCTIONS", "function", "find")), kind="refactoring", files=(SOURCE + "{m_lib}.py",),
            names=("{pkg}.registry",), area="layout", reach=2),
    Feature("moved_token", "`Token` in a module of its own", "An editor plug-in needs `Token` without the rest.",
            ("`Token` moves from `{pkg}.{m_tokens}` to a new module `{pkg}.token`. It can still be imported from the old place and is the same class there. Nothing else changes.",),
            of(moved("moved_token", "{m_tokens}", "token", "Token")), kind="refactoring", files=(LEX,), names=("{pkg}.token",), area="layout", reach=2),
    Feature("renamed", "`parse` is called `{renamed}`", "`parse` collides with our other package.",
            ("`{pkg}.{renamed}` is what `{pkg}.parse` was. `parse` stays and does the same, with a DeprecationWarning each time it is called. The package itself does not call it any more: "
             "`{evaluate}` and all others warn of nothing.",),
            of(_renamed), kind="refactoring", files=(PARSE, EVAL, SOURCE + "__init__.py"), names=("{pkg}.{renamed}",), area="layout", reach=3),
    Feature("lazy", "Do not fetch variables that are not needed", "Each of our variables is a query, and a formula of two variables runs forty of them.",
            ("`{evaluate}` takes any mapping as `names`, and gets from it (by `names[name]`) just those variables that the evaluation comes to, each at most once. It does not go through the mapping.",),
            lambda st, m, s: of(_lookups)(st, m, s) if s.random() < 0.75 else ("value", ("bin", "+", ("var", s.choice(["a", "nobody"])), ("num", s.randint(0, 9))), (("a", 3),), 1), kind="speed", files=(EVAL,), names=("{evaluate}",), area="speed", reach=1),
    Feature("place_fast", "Reading long formulas takes ever longer", "A generated formula of 5,000 terms takes a minute to read since errors have places.",
            ("Reading a formula that is twice as long may take about twice as many steps, not four times as many. What errors say stays as it is.",),
            lambda st, m, s: _place(Draws(st, s)) if s.random() < 0.4 else of(grows("place_fast", "reading", 60, 90, 120, 150, 200))(st, m, s), kind="speed",
            needs=("positions",), files=(LEX,), area="speed", reach=1, if_=lambda st: "place_line" not in st.wrong),
    Feature("unique_fast", "`{calls[unique]}` is slow on long lists", "`{calls[unique]}` of ten thousand items does not end.",
            ("`{calls[unique]}` of a list that is twice as long may take about twice as many steps, not four times as many. What it gives stays as it is, with items of all kinds.",),
            of(_unique), kind="speed", needs=("fn.unique",), files=(SOURCE + "lists.py",), area="speed", reach=1),
)  # fmt: skip

DEFECTS: tuple[Defect, ...] = (
    Defect("div_big", "Division of large numbers is wrong", "Our totals in cents do not add up when they get large.",
           ("`/` between whole numbers must be exact for numbers of any size, and round toward zero as before: 10000000000000000001 / 1 is 10000000000000000001.",),
           root(lambda d: ("bin", "/", as_node(d.stream.choice([1, -1]) * d.stream.randint(10**17, 10**21)), as_node(d.stream.choice([1, 3, -7, 10, -1000, 10**18 + 1])))),
           files=(OPS,)),
    Defect("no_arguments", "A function without arguments brings everything down", "`{calls[min]}()` ends our program with Python's own error.",
           ("`{calls[min]}` and `{calls[max]}` need at least one argument; without any, {e_type} is raised.",),
           root(lambda d: (lambda call: d.stream.choice([call, ("bin", "+", as_node(d.stream.randint(1, 9)), call), ("neg", call), ("bin", "*", call, small(d))]))(
               ("call", d.facts["calls"][d.stream.choice(["min", "max"])], () if d.stream.random() < 0.7 else (small(d),)))), files=(SOURCE + "{m_lib}.py",)),
    Defect("bool_number", "Arithmetic with truths", "`(1 < 2) + 1` gives 2.",
           ("~A truth is no number: where a number is due ({e_type}) none is taken, also not by `<` and the sign.",),
           root(lambda d: (lambda t: d.stream.choice([("bin", d.stream.choice("+-*/"), t, small(d)), ("bin", d.stream.choice("+-*"), small(d), t), ("neg", t),
                                                      ("bin", d.stream.choice(["<", ">="]), t, small(d)), ("bin", "+", small(d), small(d))]))(truth(d, d.stream.random() < 0.5))),
           files=(SOURCE + "{m_values}.py",)),
    Defect("bool_equal", "`1 {eq} (2 > 1)` is true", "Comparing a number with a truth gives strange results.",
           ("~A truth equals no number.", "{mixed_tells}"),
           root(lambda d: ("bin", d.stream.choice(["eq", "ne"]), *d.stream.sample([truth(d, True), truth(d, False), as_node(1), as_node(0), truth(d, True), as_node(2)], 2))),
           files=(SOURCE + "{m_values}.py",)),
    Defect("pow_negative", "Negative powers", "A negative power gives a number that is not exact.",
           ("A power that is negative is undefined ({e_undef}), also of 1 and of 0.",),
           root(lambda d: ("bin", "pow", small(d, -3, 5), as_node(d.stream.randint(-4, 2)))), files=(OPS,)),
    Defect("comment_in_text", "Comments begin inside texts", "A text with `{comment}` in it is cut off.",
           ("Inside a text `{comment}` is a part of the text and begins no comment.",),
           lambda st, m, s: of(_comments)(st, m, s) if s.random() < 0.5 else of(lambda d: d.value(
               ("bin", "cat", ("str", d.stream.choice(["a", "x "]) + st.facts["comment"] + d.stream.choice(["", " b", "1"])), ("str", d.stream.choice(["end", ""])))
               if "concat" in d.on else ("str", d.stream.choice(["a", "x ", ""]) + st.facts["comment"] + d.stream.choice(["", " b", "1"]))))(st, m, s),
           files=(LEX,)),
    Defect("negative_index", "Negative indexes are taken", "`items[-1]` gives something, and nobody meant it to.",
           ("A negative index points at no item and is undefined ({e_undef}), also in a slice, where there are slices.",),
           root(lambda d: ("index", ("list", tuple(small(d) for _ in range(d.stream.randint(1, 4)))), as_node(d.stream.randint(-5, 2)))), files=(EVAL,)),
    Defect("index_leaks", "Indexes that do not exist", "An index too large ends our program with Python's own error, and 0 gives strange results.",
           ("An index that points at no item raises {e_undef}; no error of Python's comes out. The first item has index {index_base}.", "{negative_tells}"),
           root(lambda d: ("index", ("list", tuple(small(d) for _ in range(d.stream.randint(0, 4)))), as_node(d.stream.randint(-6, 6)))), files=(EVAL,)),
    Defect("let_leak", "A name outlives its body", "A name that is bound in one place changes the value of a variable in another.",
           ("A name that is bound means its value in the body only. Behind it, the variable of that name has the value that was given, or none ({e_unknown}).",),
           root(_let), files=(EVAL,)),
    Defect("coalesce_hides", "`??` swallows errors", "A division by zero on the left of `??` is silently replaced.",
           ("`a ?? b` gives b only if a meets a name that is not known. Every other error of a stays.",),
           root(lambda d: ("bin", "??", d.stream.choice([("bin", "/", small(d), as_node(0)), ("var", "nobody"), ("neg", ("call", d.facts["calls"]["abs"], ())), d.of("number", 1)]), small(d))),
           files=(EVAL,)),
    Defect("separators", "Some numbers with `_` raise Python's own error", "A slip of the finger in a number ends the program.",
           ("A number with `_` at its end, or with two in a row, is no formula: {e_syntax}, and no other error.",),
           of(lambda d: ("number", *d.stream.choice([(f"{d.stream.randint(1, 99)}{d.stream.choice(['_', '__'])}{end}", None) for end in ("",)]
              + [(f"{one}__{d.stream.randint(0, 9)}", None) for one in (1, 20, 7)] + [("1_0", 10), ("1_000", 1000), ("2_2 + 1", 23)]), "separators")), files=(LEX,)),
    Defect("place_line", "Columns are wrong from the second line on", "The column of an error is right on the first line and off by one on all others.",
           ("`line` and `column` of {e_syntax} are both counted from 1, on every line.",), of(_place), files=(LEX,)),
    Defect("filter_truth", "`{calls[filter]}` takes anything for true", "`{calls[filter]}` with a function that gives numbers keeps some items.",
           ("The function of `{calls[filter]}` must give truths; anything else raises {e_type}.",),
           of(lambda d: d.with_function(BY_KEY["filter"])), files=(SOURCE + "functions.py",)),
)  # fmt: skip


def _other(name: str, *values: Any) -> Callable[[State, Random], dict[str, Any] | None]:
    return lambda state, _stream: {name: values[1] if state.facts[name] == values[0] else values[0]}


def _when(
    feature: str, then: Callable[[State, Random], dict[str, Any] | None], *without: str
) -> Callable[[State, Random], dict[str, Any] | None]:
    return lambda state, stream: then(state, stream) if state.has(feature) and not state.wrong & set(without) else None


def _rename_call(state: State, stream: Random) -> dict[str, Any] | None:
    known = [one[3:] for one in state.on if one.startswith("fn.")] + ["abs", "min", "max"]
    taken = {*state.facts["calls"].values(), *(one.name for one in state.drawn)}
    free = [(key, name) for key in known for name in BY_KEY[key].names if name not in taken]
    if not free:
        return None
    key, name = stream.choice(free)
    return {
        "calls": {**state.facts["calls"], key: name},
        "call_before": state.facts["calls"][key],
        "call_after": name,
        "call_key": key,
    }


def _call_again(d: Draws) -> Question:
    one = BY_KEY[d.facts["call_key"]]
    roll = d.stream.random()
    if roll < 0.2:
        return ("value", ("call", UNKNOWN_CALLS[0], (as_node(1),)), (), 1)
    if one.group == "functions":
        return d.with_function(one)
    return d.call(one) if roll < 0.9 or one.key not in ("abs", "max", "min") else d.value(d.of("number", 2))


CHANGES: tuple[Change, ...] = (
    Change("division", "Division rounds {division_word}", "Accounting rounds the other way.",
           ("`/` between whole numbers rounds {division_word} from now on, and no longer {old_division_word}.", "{modulo_tells}"),
           lambda st, s: None if "div_big" in st.wrong else ({"division": "floor", "division_word": "down"} if st.facts["division"] == "trunc"
                                                             else {"division": "trunc", "division_word": "toward zero"}),
           root(lambda d: ("bin", d.stream.choice(["/", "/", "mod"] if "modulo" in d.on else ["/"]), small(d, -30, 30), small(d, -7, 7))), files=(OPS,), reach=1),
    Change("chain", "Comparisons may chain", "Everybody writes 0 < x < 10 and gets an error.",
           ("`a < b <= c` is what `a < b {and_} b <= c` is, with b evaluated once, for any number of comparisons of all six kinds. They are looked at from left to right; what comes after one that "
            "does not hold is not evaluated.",),
           _when("logic", lambda st, s: {"chain": "all"} if st.facts["chain"] == "refuse" and not st.has("membership") else None),
           root(_compare), files=(PARSE, NODES, EVAL), reach=3),
    Change("index_base", "The first item has index {index_base}", "Our users count from {index_base}.",
           ("Indexes count from {index_base}, no longer from {old_index_base}. {negative_tells}", "{slice_change}"),
           _when("lists", lambda st, s: {"index_base": 1 - st.facts["index_base"]}, "negative_index", "index_leaks"),
           lambda st, m, s: root(_slices if st.has("slices") and s.random() < 0.3 else _lists)(st, m, s), files=(EVAL,), reach=2),
    Change("range_end", "Ranges: {range_tells}", "A range does not end where people expect it to.",
           ("`a {range_symbol} b` goes from a to b, {range_tells}, other than before.",),
           _when("range", _other("range_end", "in", "out")), root(_range), files=(OPS,), reach=1),
    Change("mixed", "Comparing values of different kinds", "{mixed_vague}",
           ("{mixed_tells}",), _when("strings", lambda st, s: _other("eq_mixed", "false", "error")(st, s) if st.has("compare") else None, "bool_equal"),
           root(lambda d: ("bin", d.stream.choice(["eq", "ne"]), d.any(0), d.any(0))), files=(SOURCE + "{m_values}.py",), reach=1),
    Change("escape", "Unknown escapes in texts", "{escape_vague}", ("{escape_tells}",),
           _when("strings", _other("escape", "error", "keep")),
           lambda st, m, s: ("escape", s.choice(["n", "t", "\\", st.facts["quote"], *"qxzabdef"])), files=(LEX,), reach=1),
    Change("deepest", "{deepest} brackets are enough", "The limit for brackets is too high for our smallest machines.",
           ("More than {deepest} brackets open at once are no formula from now on ({e_syntax}); it was {old_deepest}.",),
           _when("depth", lambda st, s: {"deepest": st.facts["deepest"] - s.randint(5, 15)}), of(_depth), files=(PARSE,), reach=1),
    Change("call", "`{call_before}` is called `{call_after}`", "`{call_before}` is a name of our own tables.",
           ("The function `{call_before}` is called `{call_after}` from now on, and is not known by its old name any more ({e_unknown}).",),
           _rename_call, of(_call_again), files=(SOURCE + "{m_lib}.py",), reach=1),
)  # fmt: skip
