"""An expression language and its interpreter: formulas over variables, with a library of functions."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from takt.stations.codedesk.families import drawn, words
from takt.stations.codedesk.families.endless import NEW, Library
from takt.stations.codedesk.families.expressions.draws import Draws, as_node
from takt.stations.codedesk.families.expressions.features import CHANGES, DEFECTS, FEATURES
from takt.stations.codedesk.families.expressions.library import LIBRARY, Builtin
from takt.stations.codedesk.families.expressions.spec import Meaning, Node
from takt.stations.codedesk.families.expressions.wording import (
    comparisons_of,
    errors_used,
    nodes_used,
    reserved_words,
    rows_of,
    symbols_of,
    values_used,
    worded,
)
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
                "def formula(number):", "    terms = ['1'] * number", "    while len(terms) > 1:",
                "        terms = ['(' + ' + '.join(terms[at : at + 8]) + ')' for at in range(0, len(terms), 8)]", "    return ''.join(terms)",
                f"return not outgrows(formula, {evaluate}, count)")),
            "grows_unique": Ask("count", (
                f"text = '{facts['calls']['unique']}(items)'",
                f"return not outgrows(lambda number: [place % (number // 2 + 1) for place in range(number)], lambda items: {evaluate}(text, {{'items': items}}), count)")),
        }  # fmt: skip

    def first_questions(self, model: Model, stream: Random) -> Question:
        assert isinstance(model, Meaning)
        d = Draws(model.state, stream)
        if stream.random() < 0.15:
            return d.bad("1 +", "(2", "3)", "1 2", "* 4", "", "2 $ 3", "abs(1")
        return d.value(d.of("number", stream.randint(0, 3)))

    def model(self, state: State) -> Meaning:
        return Meaning(worded(state))

    def offers(self, state: State, stream: Random) -> list[Offer]:
        state = worded(state)
        found = gather(state, stream, FEATURES, DEFECTS, CHANGES, worded)
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
        state = worded(state)
        facts, on = state.facts, set(state.on)
        package = (f"{facts['root']}/" if facts["root"] else "") + facts["pkg"]
        topics = [
            TOPICS["base"],
            *(TOPICS[group] for group in ("numbers", "texts", "lists", "functions") if _has_group(state, group)),
        ]
        more = {
            "symbols": symbols_of(state), "words": reserved_words(state), "rows": rows_of(state), "comparisons": comparisons_of(state),
            "nodes_used": nodes_used(state), "values_used": values_used(state), "topics": sorted(topics),
            "quote_repr": repr(facts["quote"]), "errors_used": sorted(errors_used(state)), "w": lambda text: f"whole({text})" if "decimals" in on else text,
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
    needs = (("number", None), ("list", "lists"), ("text", "strings"))
    takes = [kind for kind, need in needs if need is None or state.has(need)]
    patterns = [key for key, one in drawn.PATTERNS.items() if one.takes[0] in takes]
    taken = {one.name for one in state.drawn} | set(state.facts["calls"].values())
    return DRAWN.offers(state, stream, patterns, taken, 1.5 if len(state.on) > 6 else 0.5)


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


def _first(one: drawn.Drawn, how: str) -> str:
    called = f"`{one.name}({one.of.takes[0]})`"
    return f"{called}:" if how == NEW else f"{called} shall do this from now on:"


DRAWN = Library(
    _first,
    lambda state: "Undefined means {e_undef}.".format(**state.facts),
    _drawn_draw,
    _file_of,
    otherwise="What `{called}` does has been settled anew.",
    weights=(1.5, 0.35),
)


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
