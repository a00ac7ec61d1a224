"""A small query language over tables in memory."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from takt.stations.codedesk.families import drawn, words
from takt.stations.codedesk.families.endless import NEW, Library, given_back
from takt.stations.codedesk.families.offers import gather
from takt.stations.codedesk.families.queries.features import CHANGES, DEFECTS, FEATURES, Draws, drawn_query
from takt.stations.codedesk.families.queries.spec import Answering
from takt.stations.codedesk.families.state import Ask, Model, Offer, Question, State
from takt.stations.codedesk.families.writing import fill

SCENES = (
    ("Queries over lists of dicts.", "orders", "items", "id", "customer", "amount", "status", "note", "rank", ("anna", "bo b", "carl")),
    ("A query language for small tables.", "books", "loans", "key", "title", "pages", "shelf", "reader", "days", ("atlas", "birds", "carts")),
    ("Ask tables that are in memory.", "plants", "visits", "code", "name", "height", "bed", "remark", "week", ("aster", "beech", "clover")),
    ("Tables in memory, asked by text.", "trips", "stops", "number", "driver", "distance", "line", "place", "minute", ("ada", "bela", "cleo")),
)  # fmt: skip


def _first(one: drawn.Drawn, how: str) -> str:
    return (
        f"`{one.name}` is a function of a {one.of.takes[0]}:"
        if how == NEW
        else f"The function `{one.name}` shall do this from now on:"
    )


LIBRARY = Library(
    _first,
    lambda state: f"What is undefined raises {state.facts['e_type']}. ~".removesuffix(" ~"),
    lambda after, one, model, stream: drawn_query(one)(after, model, stream),
    area="functions",
)


class Queries:
    """The family `queries`."""

    name = "queries"

    def start(self, stream: Random) -> State:
        s = stream
        summary, one, two, key, text, number, kind, note, rank, texts = s.choice(SCENES)
        facts = {
            "pkg": s.choice(words.PACKAGES), "root": s.choice(["", "src"]), "summary": summary, "query": s.choice(["query", "ask", "search"]),
            "renamed": s.choice(["rows_of", "run_query", "fetch"]), "e_base": s.choice(["QueryError", "TableError"]), "e_syntax": s.choice(["BadQuery", "NoQuery"]),
            "e_name": s.choice(["UnknownName", "NoSuchName"]), "e_type": s.choice(["WrongKind", "BadKind"]), "t_one": one, "t_two": two, "c_id": key, "c_name": text,
            "c_num": number, "c_kind": kind, "c_note": note, "c_rank": rank, "texts": texts, "ne": s.choice(["<>", "!="]),
            "nulls": s.choice(["first", "last"]), "like_case": s.choice(["any", "same"]), "between_end": s.choice(["in", "in", "out"]),
        }  # fmt: skip
        for name, stock in (
            ("w_select", ("select", "show", "get")), ("w_from", ("from", "of")), ("w_where", ("where", "with")), ("w_order", ("order", "sort")),
            ("w_limit", ("limit", "first")), ("w_skip", ("offset", "skip", "after")),
        ):  # fmt: skip
            facts[name] = s.choice(stock)
        return State(facts=facts, wrong=frozenset(["null_compare"]) if s.random() < 0.6 else frozenset())

    def asks(self, facts: Mapping[str, Any]) -> Mapping[str, Ask]:
        query = facts.get("now", facts["query"])
        return {
            "query": Ask("text, tables", (f"return PKG.{query}(text, tables)",)), "params": Ask("text, tables, params", (f"return PKG.{query}(text, tables, params)",)),
            "kept": Ask("text, tables", (f"PKG.{query}(text, tables)", "return tables")), "columns": Ask("text", ("return list(PKG.columns(text))",)),
            "csv": Ask("rows", ("return PKG.csv(rows)",)),
            "same_object": Ask("first, second, name", ("return getattr(importlib.import_module(first), name) is getattr(importlib.import_module(second), name)",)),
            "warns": Ask("number", (
                f"text, tables = '{facts['w_select']} a {facts['w_from']} t', {{'t': [{{'a': number}}]}}", "with warnings.catch_warnings(record=True) as caught:",
                "    warnings.simplefilter('always')", f"    old, new = PKG.{facts['query']}(text, tables), PKG.{facts['renamed']}(text, tables)",
                "assert old == new == tables['t']", "return [one.category.__name__ for one in caught]")),
            "gives_back": given_back("function", "'text'"),
            "grows": Ask("count", (
                f"text = '{facts['w_select']} distinct a {facts['w_from']} t'", "def rows(number):", "    return {'t': [{'a': place % (number // 2 + 1)} for place in range(number)]}",
                f"return not outgrows(rows, lambda tables: PKG.{query}(text, tables), count)")),
        }  # fmt: skip

    def first_questions(self, model: Model, stream: Random) -> Question:
        assert isinstance(model, Answering)
        d, f = Draws(model.state, stream), model.facts
        if stream.random() < 0.1:
            texts = ("{w_select} {w_from} t", "{w_select} a", "a {w_from} t", "{w_select} a {w_from} t {w_where}", "{w_select} a {w_from} t {w_where} a", "{w_select} a, {w_from} t",
                     "{w_select} a {w_from} t {w_where} a = 'x", "{w_select} a {w_from} t {w_where} (a = 1", "{w_select} a {w_from} t x", "{w_select} a {w_from} t {w_where} a = 1 b", "")  # fmt: skip
            return ("bad", stream.choice(texts).format(**f))
        return ("kept", d.query(), d.tables()) if stream.random() < 0.05 else d.ask(d.query())

    def model(self, state: State) -> Answering:
        return Answering(worded(state))

    def offers(self, state: State, stream: Random) -> list[Offer]:
        state = worded(state)
        found = gather(state, stream, FEATURES, DEFECTS, CHANGES, worded)
        if not state.has("functions"):
            return found
        patterns = [key for key, one in drawn.PATTERNS.items() if one.takes[0] in ("number", "text")]
        taken = {one.name for one in state.drawn} | {"upper", "size", "count", "sum", "min", "max"}
        return found + LIBRARY.offers(state, stream, patterns, taken)

    def tree(self, state: State) -> dict[str, str]:
        state = worded(state)
        facts, on = state.facts, set(state.on)
        package = (f"{facts['root']}/" if facts["root"] else "") + facts["pkg"]
        public = [
            ("run", facts["query"]),
            *(
                ("run", name)
                for feature, name in (("names_of", "columns"), ("csv", "csv"), ("renamed", facts["renamed"]))
                if feature in on
            ),
        ]
        errors = [facts[name] for name in ("e_base", "e_name", "e_syntax", "e_type")]
        signs = [r"<=", r">=", facts["ne"], "[-+*=<>(),"]
        extra = ("." if "joins" in on else "") + ("?" if "params" in on else "")
        functions = []
        for one in state.drawn:
            body = one.code(one.defect in state.wrong).replace("UNDEFINED", facts["e_type"])
            functions.append({
                "name": one.name, "kind": one.of.takes[0], "python": f"{one.name}_", "doc": one.tell()[0].replace('"', "'")[:100].partition(". ")[0],
                "body": textwrap.indent(body, "    "),
            })  # fmt: skip
        more: dict[str, Any] = {
            "public": public, "all_names": sorted([*errors, *(name for _, name in public)]), "words": _words(state), "nodes_used": _nodes(state),
            "signs": "|".join([*signs[:3], signs[3] + extra + "]"]), "functions": functions, "old_name": facts["query"],
        }  # fmt: skip
        files = [
            "errors",
            "tokens",
            "parser",
            "nodes",
            "values",
            "run",
            *(["kinds"] if "moved_kinds" in on else []),
            *(["library"] if "functions" in on else []),
        ]
        inner = replace(state, facts={**facts, "query": facts["now"]})
        tree = {f"{package}/{name}.py": fill(self.name, f"{name}.py.j2", inner, **more) for name in files}
        tree[f"{package}/__init__.py"] = fill(self.name, "init.py.j2", state, **more)
        tree["docs/conventions.md"] = fill(self.name, "conventions.md.j2", state, **more)
        return tree


def _words(state: State) -> list[str]:
    f = state.facts
    pairs = [
        (None, f["w_select"]), (None, f["w_from"]), (None, f["w_where"]), (None, "and"), (None, "or"), (None, "not"), ("order", f["w_order"]), ("order", "by"), ("order", "asc"),
        ("order", "desc"), ("limit", f["w_limit"]), ("limit", f["w_skip"]), ("distinct", "distinct"), ("alias", "as"), ("groups", "group"), ("groups", "by"), ("having", "having"),
        ("joins", "join"), ("joins", "on"), ("left", "left"), ("like", "like"), ("between", "between"), ("inlist", "in"), ("isnull", "is"), ("isnull", "null"), ("case", "case"),
        ("case", "when"), ("case", "then"), ("case", "else"), ("case", "end"), ("union", "union"), ("union", "all"),
    ]  # fmt: skip
    return sorted({word for feature, word in pairs if feature is None or state.has(feature)})


def _nodes(state: State) -> list[str]:
    names = ["Arithmetic", "Both", "Column", "Comparison", "Either", "Literal", "Not"]
    for feature, name in (
        ("like", "Like"), ("between", "Between"), ("inlist", "Among"), ("isnull", "Missing"), ("case", "Case"), ("functions", "Call"), ("aggregates", "Aggregate"),
    ):  # fmt: skip
        if state.has(feature):
            names.append(name)
    return sorted(names)


def worded(state: State) -> State:
    """The state with sentences that depend on its meanings."""
    f = dict(state.facts)
    f["now"] = f["renamed"] if state.has("renamed") else f["query"]
    f["like_told"] = (
        "Capital and small letters are the same to `like`."
        if f["like_case"] == "any"
        else "Capital and small letters are different to `like`."
    )
    f["between_told"] = (
        "`a >= 1 and a <= 5`" if f["between_end"] == "in" else "`a >= 1 and a < 5`: the upper limit is not included"
    )
    return replace(state, facts=f)
