"""An expression language and its interpreter: formulas over variables, with a library of functions."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from takt.stations.codedesk.families import drawn, words
from takt.stations.codedesk.families.expressions.draws import Draws, as_node
from takt.stations.codedesk.families.expressions.features import CHANGES, DEFECTS, FEATURES
from takt.stations.codedesk.families.expressions.library import BY_KEY, LIBRARY, Builtin
from takt.stations.codedesk.families.expressions.spec import Meaning, Node
from takt.stations.codedesk.families.offers import gather
from takt.stations.codedesk.families.state import Ask, Model, Offer, Question, State
from takt.stations.codedesk.families.writing import fill

TOPICS = {
    "base": "basic",
    "numbers": "numbers",
    "texts": "texts",
    "lists": "lists",
    "functions": "functions",
    "drawn": "special",
}
TOPIC_OF = {"number": "numbers", "text": "texts", "list": "lists"}


class Expressions:
    """The family `expressions`."""

    name = "expressions"

    def start(self, stream: Random) -> State:
        s = stream
        package = s.choice(words.PACKAGES)
        error = s.choice(["FormulaError", "CalcError", "ExpressionError", package.title().replace("_", "") + "Error"])
        state = State(
            facts={
                "pkg": package, "root": s.choice(["", "src"]), "summary": s.choice(
                    ["Formulas over named values.", "A small language for formulas.", "Expressions that users write, evaluated safely."]),
                "evaluate": s.choice(["evaluate", "compute", "calc", "value"]), "e_base": error,
                "e_syntax": s.choice(["BadFormula", "NoFormula", "BadSyntax"]), "e_unknown": s.choice(["UnknownName", "NotKnown"]),
                "e_type": s.choice(["WrongKind", "BadValue"]), "e_undef": s.choice(["Undefined", "NoResult"]),
                "m_tokens": s.choice(["tokens", "lexer", "scanner"]), "m_nodes": s.choice(["nodes", "tree"]),
                "m_parser": s.choice(["parser", "reading"]), "m_eval": s.choice(["evaluation", "interpreter", "meaning"]),
                "m_values": s.choice(["values", "worth"]), "m_lib": s.choice(["library", "builtins_"]), "m_ops": "operators",
                "modulo": s.choice(["%", "mod"]), "power": s.choice(["^", "**"]), "power_right": s.random() < 0.6,
                "eq": s.choice(["==", "="]), "ne": s.choice(["!=", "<>"]), "chain": "refuse",
                "eq_mixed": s.choice(["false", "error"]), "comment": s.choice(["#", "//", ";"]), "cond": s.choice(["words", "question"]),
                "quote": s.choice(['"', "'"]), "escape": s.choice(["error", "keep"]), "concat": s.choice(["&", "++", "~", "+"]),
                "index_base": s.choice([0, 1]), "index_negative": s.choice(["end", "error"]), "pipe": s.choice(["|>", ">>"]),
                "range_symbol": s.choice(["..", "to"]), "longest_range": s.randint(15, 27), "range_end": s.choice(["in", "out"]), "run_sign": s.choice([":=", "<-"]),
                "division": s.choice(["floor", "trunc"]), "deepest": s.randint(40, 70), "renamed": s.choice(["read_formula", "as_tree", "parsed"]),
                **dict(zip(("true_", "false_"), s.choice([("true", "false"), ("yes", "no")]), strict=True)),
                **dict(zip(("and_", "or_", "not_"), s.choice([("and", "or", "not"), ("&&", "||", "!")]), strict=True)),
                **dict(zip(("let_word", "let_sign", "let_in"), s.choice([("let", "=", "in"), ("with", ":=", ":"), ("let", ":=", "in")]), strict=True)),
                **dict(zip(("fn_word", "fn_sign"), s.choice([("fn", "=>"), ("fun", ":"), ("given", "=>")]), strict=True)),
                **dict(zip(("neg_level", "pow_level"), s.choice([(10, 11), (10, 11), (11, 10)]), strict=True)),
                "calls": {one.key: name for one, name in zip(LIBRARY, _call_names(s), strict=True)},
            },
            wrong=frozenset(["no_arguments"]) if s.random() < 0.6 else frozenset(),
        )  # fmt: skip
        if state.facts["division"] == "trunc" and s.random() < 0.6:
            state = replace(state, wrong=state.wrong | {"div_big"})
        return state

    def asks(self, facts: Mapping[str, Any]) -> Mapping[str, Ask]:
        evaluate = f"PKG.{facts['evaluate']}"
        return {
            "value": Ask("text, names", (f"return {evaluate}(text, names)",)),
            "missing": Ask("text, names, missing", (f"return {evaluate}(text, names, missing=missing)",)),
            "given": Ask("text, names", (
                'functions = {"twice": lambda x: 2 * x, "pair": lambda a, b: [a, b], "answer": lambda: 42}',
                f"return {evaluate}(text, names, functions=functions)")),
            "lookups": Ask("text, names", (
                "got = []", "class Watched(dict):", "    def __getitem__(self, key):", "        got.append(key)", "        return super().__getitem__(key)",
                "    def get(self, key, default=None):", "        got.append(key)", "        return super().get(key, default)",
                "    def keys(self):", "        got.append('all')", "        return super().keys()",
                "    def __iter__(self):", "        got.append('all')", "        return super().__iter__()",
                "    def items(self):", "        got.append('all')", "        return super().items()",
                f"{evaluate}(text, Watched(names))", "return sorted(got)")),
            "names": Ask("text", ("return list(PKG.names(text))",)),
            "show": Ask("text", ("return PKG.show(text)",)),
            "formula": Ask("text, names", ("formula = PKG.Formula(text)", "assert formula.text == text", "assert formula(**names) == formula(**names)",
                                           "return formula(**names)")),
            "formula_equal": Ask("one, other", ("a, b = PKG.Formula(one), PKG.Formula(other)", "return [a == b, hash(a) == hash(b), a == one]")),
            "formula_names": Ask("text", ("return list(PKG.Formula(text).names)",)),
            "signature": Ask("name", ("return PKG.signature(name)",)),
            "run": Ask("text, names", ("return PKG.run(text, names)",)),
            "place": Ask("text", (f"with pytest.raises(PKG.{facts['e_syntax']}) as caught:", f"    {evaluate}(text, {{'a': 1}})",
                                  "return [caught.value.line, caught.value.column]")),
            "same_object": Ask("first, second, name", ("return getattr(importlib.import_module(first), name) is getattr(importlib.import_module(second), name)",)),
            "same_tree": Ask("name, text", (
                "with warnings.catch_warnings():", "    warnings.simplefilter('ignore')", "    return getattr(PKG, name)(text) == PKG.parse(text) and PKG.parse(text) is not None")),
            "warns": Ask("name, text", (
                "with warnings.catch_warnings(record=True) as caught:", "    warnings.simplefilter('always')", "    getattr(PKG, name)(text)",
                f"    {evaluate}(text)", "return [one.category.__name__ for one in caught]")),
            "grows_reading": Ask("count", (
                f"once = steps(lambda: {evaluate}(' + '.join(['1'] * count)))", f"twice = steps(lambda: {evaluate}(' + '.join(['1'] * (2 * count))))",
                "return twice < 2.7 * once")),
            "grows_unique": Ask("count", (
                f"text = '{facts['calls']['unique']}(items)'", f"once = steps(lambda: {evaluate}(text, {{'items': list(range(count))}}))",
                f"twice = steps(lambda: {evaluate}(text, {{'items': list(range(2 * count))}}))", "return twice < 2.7 * once")),
        }  # fmt: skip

    def first_questions(self, model: Model, stream: Random) -> Question:
        assert isinstance(model, Meaning)
        d = Draws(model.state, stream)
        if stream.random() < 0.15:
            return d.bad("1 +", "(2", "3)", "1 2", "* 4", "", "2 $ 3", "abs(1")
        return d.value(d.of("number", stream.randint(0, 3)))

    def model(self, state: State) -> Meaning:
        return Meaning(_worded(state))

    def offers(self, state: State, stream: Random) -> list[Offer]:
        state = _worded(state)
        found = gather(state, stream, FEATURES, DEFECTS, CHANGES, _worded)
        return found + self._library(state, stream) + _drawn_offers(state, stream)

    def _library(self, state: State, stream: Random) -> list[Offer]:
        """Two or three functions of one kind."""
        found: list[Offer] = []
        for group in ("numbers", "texts", "lists", "functions"):
            free = [
                one
                for one in LIBRARY
                if one.group == group and not state.has(f"fn.{one.key}") and set(one.needs) <= set(state.on)
            ]
            if not free:
                continue
            stream.shuffle(free)
            some = free[: stream.choice([1, 2, 2, 3])]
            names = [state.facts["calls"][one.key] for one in some]
            wrong = {"filter_truth"} if any(one.key == "filter" for one in some) and stream.random() < 0.6 else set()
            after = state.plus(*(f"fn.{one.key}" for one in some), wrong=frozenset(wrong))
            said = tuple(
                f"`{_as_called(name, one)}`: {one.tell[0].lower() if not one.tell.startswith('-') else '-'}{one.tell[1:]}"
                for name, one in zip(names, some, strict=True)
            )
            found.append(
                Offer(
                    f"functions_{'_'.join(one.key for one in some)}", "feature", f"Functions {', '.join(names)}",
                    f"People ask for {' and '.join(names)} in formulas.",
                    (*said, "Undefined means {e_undef}. ~".format(**state.facts).removesuffix(" ~"),
                     "~Too few or too many arguments, and arguments of another kind, raise {e_type}.".format(**state.facts)),
                    after, partial(_library_draw, after, tuple(some)),
                    (f"{state.facts['pkg']}/{TOPICS[group]}.py",), tuple(names), TOPICS[group], 1.2, 1,
                )
            )  # fmt: skip
        return found

    def tree(self, state: State) -> dict[str, str]:
        state = _worded(state)
        facts, on = state.facts, set(state.on)
        package = (f"{facts['root']}/" if facts["root"] else "") + facts["pkg"]
        topics = [
            TOPICS["base"],
            *(TOPICS[group] for group in ("numbers", "texts", "lists", "functions") if _has_group(state, group)),
        ]
        more = {
            "symbols": _symbols(state), "words": _reserved(state), "rows": _rows(state), "comparisons": _comparisons(state),
            "nodes_used": _nodes_used(state), "values_used": _values_used(state), "topics": sorted(topics),
            "quote_repr": repr(facts["quote"]), "errors_used": sorted(_errors_used(state)), "w": lambda text: f"whole({text})" if "decimals" in on else text,
        }  # fmt: skip
        files = {
            "__init__": "init", "errors": "errors", facts["m_tokens"]: "tokens", facts["m_nodes"]: "nodes", facts["m_parser"]: "parser",
            facts["m_eval"]: "evaluate", facts["m_values"]: "values", facts["m_ops"]: "operators", facts["m_lib"]: "library", "__main__": "cli",
        }  # fmt: skip
        for feature, module, template in (
            ("formula", "formula", "formula"), ("names", "inspect_formula", "inspect_formula"), ("show", "show", "show"),
            ("moved_kinds", "kinds", "kinds"), ("moved_registry", "registry", "registry"), ("moved_token", "token", "token"),
        ):  # fmt: skip
            if feature in on or (feature == "names" and "names" in on):
                files[module] = template
        tree = {
            f"{package}/{module}.py": fill(self.name, f"{template}.py.j2", state, **more)
            for module, template in files.items()
        }
        for group, topic in TOPICS.items():
            if group == "base" or _has_group(state, group):
                tree[f"{package}/{topic}.py"] = fill(self.name, "topic.py.j2", state, **_topic(state, group))
        tree["docs/conventions.md"] = fill(self.name, "conventions.md.j2", state, **more)
        return tree


def _call_names(stream: Random) -> list[str]:
    taken: list[str] = []
    for one in LIBRARY:
        taken.append(stream.choice([name for name in one.names if name not in taken]))
    return taken


def _as_called(name: str, one: Builtin) -> str:
    return f"{name}({', '.join(one.takes)}{', ...' if one.more else ''})"


def _library_draw(state: State, some: tuple[Builtin, ...], _model: Model, stream: Random) -> Question:
    d = Draws(state, stream)
    one = stream.choice(some)
    return d.with_function(one) if one.group == "functions" else d.call(one)


def _drawn_offers(state: State, stream: Random) -> list[Offer]:
    """Functions without end: new ones, ones that shall do it otherwise, ones that are wrong."""
    takes = tuple(
        kind
        for kind, need in (("number", None), ("list", "lists"), ("text", "strings"))
        if need is None or state.has(need)
    )
    taken = {one.name for one in state.drawn} | set(state.facts["calls"].values())
    found = []
    pattern = stream.choice([key for key, one in drawn.PATTERNS.items() if one.takes[0] in takes])
    name = stream.choice(drawn.PATTERNS[pattern].nouns)
    if name in taken:
        name = words.fresh(stream, [f"{name}_{word}" for word in words.WORDS], sorted(taken))
    new = drawn.draw(stream, name, pattern)
    wrong = frozenset([new.defect]) if new.can_be_wrong and stream.random() < 0.35 else frozenset()
    found.append(_drawn_offer(state, new, wrong, "new", 1.5 if len(state.on) > 6 else 0.5))
    for one in state.drawn:
        if one.defect in state.wrong:
            after = state.mended(one.defect)
            assert one.of.defect is not None
            found.append(Offer(
                f"mend.{one.name}", "defect", f"`{one.name}` is wrong", f"About `{one.name}`: {one.of.defect}.",
                (f"`{one.name}` does not do what README.md says: {one.of.defect}. Make it do so.", *(f"~{line}" for line in one.tell())),
                after, partial(_drawn_draw, after, one), (f"{state.facts['pkg']}/{_file_of(one)}.py",),
                (one.name,), _file_of(one), 1.6, 1, one.defect))  # fmt: skip
    settled = [one for one in state.drawn if one.defect not in state.wrong]
    if settled:
        old = stream.choice(settled)
        new = drawn.draw(stream, old.name, old.pattern)
        if new != old:
            found.append(_drawn_offer(state, new, frozenset(), "again", 0.35))
    return found


def _drawn_offer(state: State, one: drawn.Drawn, wrong: frozenset[str], how: str, weight: float) -> Offer:
    rest = tuple(other for other in state.drawn if other.name != one.name)
    after = replace(state, drawn=tuple(sorted((*rest, one), key=lambda d: d.name)), wrong=state.wrong | wrong)
    undefined = "Undefined means {e_undef}.".format(**state.facts)
    kind = one.of.takes[0]
    said = (
        f"`{one.name}({kind})`:" if how == "new" else f"`{one.name}({kind})` shall do this from now on:",
        *one.tell(),
        undefined,
    )
    return Offer(
        f"{one.name}" if how == "new" else f"{one.name}_again", "feature",
        f"A function `{one.name}`" if how == "new" else f"`{one.name}` shall do it otherwise",
        f"We compute {one.name.replace('_', ' ')} by hand." if how == "new" else f"What `{one.name}` does has been settled anew.",
        said, after, partial(_drawn_draw, after, one), (f"{state.facts['pkg']}/{_file_of(one)}.py",), (one.name,),
        _file_of(one), weight, 1, about=one.name,
    )  # fmt: skip


def _file_of(one: drawn.Drawn) -> str:
    return TOPIC_OF[one.of.takes[0]]


def _drawn_draw(state: State, one: drawn.Drawn, _model: Model, stream: Random) -> Question:
    d = Draws(state, stream)
    arguments: tuple[Node, ...] = (as_node(one.arguments(stream)),)
    if stream.random() < 0.05:
        arguments = (*arguments, as_node(1))
    elif stream.random() < 0.05:
        arguments = (as_node("x" if one.of.takes[0] != "text" else 3),) if d.there_is("text") else arguments
    tree = ("call", one.name, arguments)
    return d.value(tree)


def _has_group(state: State, group: str) -> bool:
    if group == "drawn":
        return False
    return any(state.has(f"fn.{one.key}") for one in LIBRARY if one.group == group) or any(
        _file_of(one) == group for one in state.drawn
    )


def _topic(state: State, group: str) -> dict[str, Any]:
    facts = state.facts
    functions, text = [], ""
    for one in LIBRARY:
        if one.group == group and (group == "base" or state.has(f"fn.{one.key}")):
            body = _body(one, state)
            functions.append({
                "name": facts["calls"][one.key], "takes": one.takes, "more": one.more, "python": f"{one.key}_" if one.key in PYTHON else one.key,
                "parameters": one.parameters, "doc": _doc(one.tell), "body": textwrap.indent(body, "    "),
            })  # fmt: skip
            text += body
    for new in state.drawn:
        if _file_of(new) == group:
            body = new.code(new.defect in state.wrong).replace("UNDEFINED", facts["e_undef"])
            functions.append({
                "name": new.name, "takes": new.of.takes, "more": False, "python": f"{new.name}_" if new.name in PYTHON else new.name,
                "parameters": "x", "doc": _doc(" ".join(new.tell())), "body": textwrap.indent(body, "    "),
            })  # fmt: skip
            text += body
    imports = []
    errors = [facts[name] for name in ("e_type", "e_undef") if facts[name] in text]
    if errors:
        imports.append(f"from .errors import {', '.join(sorted(errors))}")
    imports.append(f"from .{'registry' if state.has('moved_registry') else facts['m_lib']} import function")
    values = [name for name in ("key_of", "need") if f"{name}(" in text]
    if values:
        imports.append(f"from .{facts['m_values']} import {', '.join(values)}")
    about = {"base": "Functions that every formula has.", "numbers": "Functions of numbers.", "texts": "Functions of texts.",
             "lists": "Functions of lists.", "functions": "Functions that take functions."}[group]  # fmt: skip
    return {"functions": functions, "imports": imports, "about": about}


PYTHON = frozenset("abs min max sum round zip map filter all any len sorted reversed range pow hash dial".split())


def _doc(tell: str) -> str:
    first = tell.replace('"', "'").partition(". ")[0].removesuffix(".")
    return f"{first}." if len(first) < 100 else first[:96].rpartition(" ")[0] + " ..."


def _body(one: Builtin, state: State) -> str:
    facts, body = state.facts, one.body
    if "WHOLE(" in body:
        names = body[body.index("WHOLE(") + 6 : body.index(")", body.index("WHOLE("))]
        check = f'if not all(isinstance(one, int) for one in ({names},)):\n    raise {facts["e_undef"]}("a number that is not whole")\n'
        body = body.replace(f"WHOLE({names})\n", check if state.has("decimals") else "")
    if body == "UNIQUE":
        body = (
            "seen, out = set(), []\nfor item in items:\n    key = key_of(item)\n    if key not in seen:\n        seen.add(key)\n        out.append(item)\nreturn out"
            if state.has("unique_fast")
            else "out = []\nfor item in items:\n    key = key_of(item)\n    for other in out:\n        if key_of(other) == key:\n            break\n"
            "    else:\n        out.append(item)\nreturn out"
        )
    if body == "FILTER":
        body = (
            "return [item for item in items if call(item)]"
            if "filter_truth" in state.wrong
            else 'return [item for item in items if need(call(item), "truth")]'
        )
    base = facts["index_base"]
    return body.replace("UNDEFINED", facts["e_undef"]).replace("placeBASE", "place + 1" if base else "place")


def _symbols(state: State) -> list[str]:
    facts = state.facts
    on = state.has
    found = {"+", "-", "*", "/", "(", ")", ","}
    pairs = [
        ("modulo", facts["modulo"]), ("power", facts["power"]), ("concat", facts["concat"]), ("pipe", facts["pipe"]), ("range", facts["range_symbol"]),
        ("let", facts["let_sign"]), ("let", facts["let_in"]), ("lambdas", facts["fn_sign"]), ("coalesce", "??"), ("lists", "["), ("lists", "]"), ("slices", ":"),
    ] + [("logic", facts[name]) for name in ("and_", "or_", "not_")] + [("compare", one) for one in (facts["eq"], facts["ne"], "<", "<=", ">", ">=")]  # fmt: skip
    if facts["cond"] == "question":
        pairs += [("cond", "?"), ("cond", ":")]
    found |= {symbol for feature, symbol in pairs if on(feature) and not symbol.isalpha()}
    return sorted(found, key=lambda one: (-len(one), one))


def _reserved(state: State) -> list[str]:
    facts = state.facts
    pairs = [
        ("modulo", facts["modulo"]), ("range", facts["range_symbol"]), ("let", facts["let_word"]), ("let", facts["let_in"]), ("lambdas", facts["fn_word"]),
        ("membership", facts["member"]), *(("logic", facts[name]) for name in ("and_", "or_", "not_", "true_", "false_")),
    ]  # fmt: skip
    if facts["cond"] == "words":
        pairs += [("cond", one) for one in ("if", "then", "else")]
    return sorted({word for feature, word in pairs if state.has(feature) and word.isalpha()})


def _comparisons(state: State) -> list[str]:
    facts = state.facts
    return [facts["eq"], facts["ne"], "<", "<=", ">", ">=", *([facts["member"]] if state.has("membership") else [])]


def _table(state: State) -> list[tuple[str, int, str]]:
    facts = state.facts
    rows = [("+", 8, ""), ("-", 8, ""), ("*", 9, ""), ("/", 9, "")]
    for feature, symbol, level in (
        ("pipe", facts["pipe"], 1), ("coalesce", "??", 2), ("logic", facts["or_"], 3), ("logic", facts["and_"], 4), ("range", facts["range_symbol"], 7),
        ("concat", facts["concat"], 8), ("modulo", facts["modulo"], 9), ("power", facts["power"], facts["pow_level"]),
    ):  # fmt: skip
        if state.has(feature) and symbol != "+":
            rows.append((symbol, level, ""))
    if state.has("compare"):
        rows += [(one, 6, "") for one in _comparisons(state)]
    return sorted(rows, key=lambda row: row[1])


def _rows(state: State) -> list[list[str]]:
    """Operators by level, the loosest first, with the signs in front of one operand."""
    facts = state.facts
    table = [(symbol, level) for symbol, level, _ in _table(state)] + [("sign -", facts["neg_level"])]
    if state.has("logic"):
        table.append(("sign not", 5))
    return [[symbol for symbol, one in table if one == level] for level in sorted({level for _, level in table})]


def _nodes_used(state: State) -> list[str]:
    names = ["Binary", "Call", "Literal", "Name", "Negative"]
    for feature, more in (
        ("logic", ["Not"]), ("cond", ["Choice"]), ("lists", ["Items", "Index"]), ("slices", ["Slice"]), ("let", ["Let"]), ("lambdas", ["Lambda"]),
    ):  # fmt: skip
        if state.has(feature):
            names += more
    if state.has("compare") and state.facts["chain"] == "all":
        names.append("Chain")
    return sorted(names)


def _values_used(state: State) -> list[str]:
    names = {"need"}
    if state.has("compare"):
        names |= {"before", "same"}
    if state.has("membership"):
        names |= {"key_of"}
    if (state.has("membership") and state.has("strings")) or (
        state.has("concat") and (state.has("lists") or state.facts["concat"] == "+")
    ):
        names |= {"kind_of"}
    if state.has("decimals"):
        names |= {"whole"}
    return sorted(names)


def _errors_used(state: State) -> set[str]:
    facts = state.facts
    names = {facts["e_unknown"]}
    if state.has("lists"):
        names.add(facts["e_undef"])
    if state.has("lambdas"):
        names.add(facts["e_type"])
    return names


def _worded(state: State) -> State:
    """The state with sentences that depend on its meanings."""
    f = dict(state.facts)
    f["member"] = "among" if f["let_in"] == "in" else "in"
    symbol, right = f["power"], f["power_right"]
    f["power_side"] = "right" if right else "left"
    f["power_example"] = f"2 {symbol} (3 {symbol} 2)" if right else f"(2 {symbol} 3) {symbol} 2"
    f["power_tells"] = (
        f"It binds tighter than the sign: `-2 {symbol} 2` is -4."
        if f["neg_level"] < f["pow_level"]
        else f"The sign binds tighter: `-2 {symbol} 2` is 4."
    )
    f["division_word"] = "down" if f["division"] == "floor" else "toward zero"
    f["modulo_tells"] = (
        f"`{f['modulo']}` goes with it, as ever: `a - b * (a / b)`."
        if state.has("modulo")
        else "Division by zero stays undefined ({e_undef}).".format(**f)
    )
    f["chain_tells"] = (
        "Comparisons do not chain: `1 < 2 < 3` is no formula ({e_syntax}).".format(**f)
        if f["chain"] == "refuse"
        else "Comparisons chain."
    )
    equal = f"`{f['eq']}` and `{f['ne']}`"
    f["mixed_tells"] = (
        f"{equal} of values of different kinds: they are different, which is no error."
        if f["eq_mixed"] == "false"
        else f"{equal} of values of different kinds is of the wrong kind ({f['e_type']}); items of lists may be of different kinds, and are different then."
    )
    f["mixed_vague"] = (
        "Comparing a text with a number stops everything."
        if f["eq_mixed"] == "false"
        else "Typing errors are not found because anything can be compared."
    )
    f["escape_tells"] = (
        f"Any other character behind a backslash is no formula ({f['e_syntax']})." if f["escape"] == "error"
        else "Any other character behind a backslash stands for itself, and the backslash is dropped."
    )  # fmt: skip
    f["escape_vague"] = (
        "Misspelt escapes should be told." if f["escape"] == "error" else "Windows paths in texts are refused."
    )
    f["negative_tells"] = (
        "Negative indexes count from the end: -1 is the last item."
        if f["index_negative"] == "end"
        else f"Negative indexes point at no item ({f['e_undef']})."
    )
    f["slice_tells"] = "which is still in it" if f["index_base"] else "which is not in it any more"
    f["slice_change"] = (
        f"In slices, the item at the last index is the one {f['slice_tells']}."
        if state.has("slices")
        else "The empty list has no item at any index."
    )
    f["range_tells"] = "both included" if f["range_end"] == "in" else "b not included"
    words_ = f["cond"] == "words"
    f["cond_example"] = "if c then a else b" if words_ else "c ? a : b"
    f["cond_bad"] = f"if {f['true_']} then 1" if words_ else f"{f['true_']} ? 1"
    f["let_example"] = f"{f['let_word']} x {f['let_sign']} 2{'' if f['let_in'] == ':' else ' '}{f['let_in']} x * x"
    f["fn_example"] = f"{f['fn_word']}(x){'' if f['fn_sign'] == ':' else ' '}{f['fn_sign']} x + 1"
    f["not_tells"] = "none behind `!`" if f["not_"] == "!" else "one behind `not`"
    f["abs_signature"] = f"{f['calls']['abs']}(number)"
    f["call_of"] = BY_KEY
    return replace(state, facts=f)
