"""What a query means: the specification of the family `queries`, executable. A query is a tree here, and never read.

Long because: it is one meaning, a method for each part of the language, that must agree with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from takt.stations.codedesk.families.drawn import Drawn, Undefined
from takt.stations.codedesk.families.state import Posed, Question, Raises, State

Node = tuple[Any, ...]
NEEDS = {
    "like": "like", "between": "between", "inlist": "inlist", "null": "isnull", "call": "functions", "agg": "aggregates", "case": "case",
    "param": "params", "qual": "joins",
}  # fmt: skip


class Wrong(Exception):
    """An error is due: name, type or syntax."""


@dataclass(frozen=True)
class Query:
    """A query. `columns` are pairs of an alias (or None) and a node; () asks for all."""

    table: str
    columns: tuple[tuple[str | None, Node], ...] = ()
    where: Node | None = None
    distinct: bool = False
    joins: tuple[tuple[str, Node, Node, bool], ...] = ()
    groups: tuple[Node, ...] = ()
    having: Node | None = None
    order: tuple[tuple[Node, str], ...] = ()
    limit: int | None = None
    skip: int | None = None


Tables = tuple[tuple[str, tuple[tuple[tuple[str, Any], ...], ...]], ...]


def opened(tables: Tables) -> dict[str, list[dict[str, Any]]]:
    return {name: [dict(row) for row in rows] for name, rows in tables}


def below(node: Any) -> list[Node]:
    """A node and all below it."""
    found: list[Node] = []
    if isinstance(node, tuple):
        if node and isinstance(node[0], str) and node[0] in KINDS:
            found.append(node)
        for one in node:
            found += below(one)
    return found


KINDS = frozenset("col qual lit bin cmp and or not like between inlist null call agg case param".split())


class Writing:
    """Trees to text."""

    def __init__(self, facts: Mapping[str, Any], style: int) -> None:
        self.facts, self.stream, self.style = facts, Random(style), style

    def word(self, text: str) -> str:
        if self.style % 3 == 1:
            return text.upper()
        return "".join(self.stream.choice((one, one.upper())) for one in text) if self.style % 3 == 2 else text

    def statement(self, query: Query) -> str:
        f, w = self.facts, self.word
        parts = [w(f["w_select"])]
        if query.distinct:
            parts.append(w("distinct"))
        parts.append(", ".join(self.column(alias, node) for alias, node in query.columns) or "*")
        parts += [w(f["w_from"]), query.table]
        for table, one, other, left in query.joins:
            parts += [
                *([w("left")] if left else []),
                w("join"),
                table,
                w("on"),
                self.node(one, 0),
                "=",
                self.node(other, 0),
            ]
        if query.where is not None:
            parts += [w(f["w_where"]), self.node(query.where, 0)]
        if query.groups:
            parts += [w("group"), w("by"), ", ".join(self.node(one, 0) for one in query.groups)]
        if query.having is not None:
            parts += [w("having"), self.node(query.having, 0)]
        if query.order:
            parts += [
                w(f["w_order"]),
                w("by"),
                ", ".join(self.node(node, 0) + (f" {w(way)}" if way else "") for node, way in query.order),
            ]
        if query.limit is not None:
            parts += [w(f["w_limit"]), str(query.limit)]
            if query.skip is not None:
                parts += [w(f["w_skip"]), str(query.skip)]
        return " ".join(parts)

    def column(self, alias: str | None, node: Node) -> str:
        return self.node(node, 0) + (f" {self.word('as')} {alias}" if alias else "")

    def node(self, node: Node, least: int) -> str:
        text, level = self._node(node)
        return f"({text})" if level < least or (self.style > 3 and level < 9 and self.stream.random() < 0.08) else text

    def _node(self, node: Node) -> tuple[str, int]:
        kind, w = node[0], self.word
        gap = self.stream.choice(["", " "]) if self.style > 2 else " "
        if kind == "col":
            return node[1], 9
        if kind == "qual":
            return f"{node[1]}.{node[2]}", 9
        if kind == "lit":
            return (str(node[1]) if isinstance(node[1], int) else "'" + node[1].replace("'", "''") + "'"), 9
        if kind == "param":
            return "?", 9
        if kind == "bin":
            level = 6 if node[1] == "*" else 5
            return f"{self.node(node[2], level)}{gap}{node[1]}{gap}{self.node(node[3], level + 1)}", level
        if kind == "cmp":
            sign = self.facts["ne"] if node[1] == "ne" else node[1]
            return f"{self.node(node[2], 5)}{gap}{sign}{gap}{self.node(node[3], 5)}", 4
        if kind in ("and", "or"):
            level = 2 if kind == "and" else 1
            return f"{self.node(node[1], level)} {w(kind)} {self.node(node[2], level + 1)}", level
        if kind == "not":
            return f"{w('not')} {self.node(node[1], 3)}", 3
        if kind == "like":
            return f"{self.node(node[1], 5)} {w('like')} {self.node(('lit', node[2]), 9)}", 4
        if kind == "between":
            return (
                f"{self.node(node[1], 5)} {w('between')} {self.node(node[2], 5)} {w('and')} {self.node(node[3], 5)}",
                4,
            )
        if kind == "inlist":
            return f"{self.node(node[1], 5)} {w('in')} ({', '.join(self.node(one, 0) for one in node[2])})", 4
        if kind == "null":
            return f"{self.node(node[1], 5)} {w('is')} {w('not') + ' ' if node[2] else ''}{w('null')}", 4
        if kind == "call":
            return f"{node[1]}({', '.join(self.node(one, 0) for one in node[2])})", 9
        if kind == "agg":
            return f"{w(node[1])}({'*' if node[2] is None else self.node(node[2], 0)})", 9
        last = "" if node[3] is None else f" {w('else')} {self.node(node[3], 0)}"
        return (
            f"{w('case')} {w('when')} {self.node(node[1], 0)} {w('then')} {self.node(node[2], 0)}{last} {w('end')}",
            9,
        )


class Row:
    """One row of each table."""

    def __init__(self, tables: dict[str, dict[str, Any]], group: list[Row] | None = None) -> None:
        self.tables, self.group = tables, group


class Answering:
    """The model: answers questions in one state.

    Long because: it is one meaning, a method for each part of the language, that must agree with each other.
    """

    def __init__(self, state: State) -> None:
        self.state, self.facts, self.on = state, state.facts, set(state.on)
        self.drawn: dict[str, Drawn] = {one.name: one for one in state.drawn}
        self.notes: set[str] = set()
        self.params: list[Any] = []

    def note(self, what: str) -> None:
        self.notes.add(what)

    def pose(self, question: Question) -> Posed | None:
        self.notes = set()
        self.params = []
        kind, *given = question
        found = getattr(self, f"_q_{kind}")(*given)
        if found is None:
            return None
        ask, arguments, expected = found
        return Posed(ask, arguments, expected, frozenset(self.notes))

    def error(self, wrong: Wrong) -> Raises:
        self.note(f"wrong {wrong}")
        return Raises(self.facts[f"e_{wrong}"])

    def can(self, query: Query) -> bool:
        """Whether the language has all that the query uses."""
        uses = [
            ("distinct", query.distinct), ("joins", bool(query.joins)), ("left", any(join[3] for join in query.joins)), ("groups", bool(query.groups)),
            ("having", query.having is not None), ("order", bool(query.order)), ("limit", query.limit is not None),
            ("alias", any(alias for alias, _ in query.columns)),
        ]  # fmt: skip
        if any(used and feature not in self.on for feature, used in uses):
            return False
        if any(node[0] == "bin" for _, one in query.columns for node in below(one)) and not self.on & {
            "expressions",
            "aggregates",
            "functions",
            "case",
        }:
            return False
        parts = [node for _, node in query.columns] + [query.where, query.having]
        for node in below(tuple(one for one in parts if one is not None)):
            if NEEDS.get(node[0]) not in self.on | {None}:
                return False
            if node[0] == "call" and node[1] not in ("upper", "size", "nothing") and node[1] not in self.drawn:
                return False
        return True

    # -- questions

    def _q_query(self, query: Query, tables: Tables, style: int) -> Any:
        if not self.can(query):
            return None
        text = Writing(self.facts, style).statement(query)
        try:
            return "query", (text, opened(tables)), self.rows(query, opened(tables))
        except Wrong as wrong:
            return "query", (text, opened(tables)), self.error(wrong)

    def _q_params(self, query: Query, tables: Tables, style: int, values: tuple[Any, ...], more: int) -> Any:
        if "params" not in self.on or not self.can(query):
            return None
        text = Writing(self.facts, style).statement(query)
        arguments = (text, opened(tables), list(values))
        if more:
            self.note(f"{more} values more")
            return "params", arguments, Raises(self.facts["e_syntax"])
        self.params = list(values)
        try:
            return "params", arguments, self.rows(query, opened(tables))
        except Wrong as wrong:
            return "params", arguments, self.error(wrong)

    def _q_bad(self, text: str, need: str | None = None) -> Any:
        if need is not None and need not in self.on:
            return None
        self.note(f"bad {text[-20:]}")
        return "query", (text, {"t": [{"a": 1}]}), Raises(self.facts["e_syntax"])

    def _q_union(self, parts: tuple[tuple[Query, bool], ...], tables: Tables, style: int) -> Any:
        """Queries one after the other; the flag: whether equal rows stay (union all)."""
        if "union" not in self.on or not all(self.can(query) for query, _ in parts):
            return None
        writing = Writing(self.facts, style)
        text = writing.statement(parts[0][0])
        for query, everything in parts[1:]:
            text += (
                f" {writing.word('union')}{' ' + writing.word('all') if everything else ''} {writing.statement(query)}"
            )
        try:
            rows = self.rows(parts[0][0], opened(tables))
            names = list(rows[0]) if rows else None
            for query, everything in parts[1:]:
                more = self.rows(query, opened(tables))
                if more and names is not None and len(more[0]) != len(names):
                    self.note("other columns")
                    raise Wrong("syntax")
                if names is None and more:
                    names = list(more[0])
                rows = rows + [dict(zip(names or [], row.values(), strict=True)) for row in more]
                if not everything:
                    rows = self.unlike(rows)
                self.note(f"union {everything} {bool(more)} {bool(rows)}")
        except Wrong as wrong:
            return "query", (text, opened(tables)), self.error(wrong)
        return "query", (text, opened(tables)), rows

    def _q_columns(self, query: Query, style: int) -> Any:
        if "names_of" not in self.on or not self.can(query):
            return None
        self.note(f"{min(3, len(query.columns))} columns")
        return (
            "columns",
            (Writing(self.facts, style).statement(query),),
            [alias or node[-1] for alias, node in query.columns],
        )

    def _q_csv(self, rows: tuple[tuple[tuple[str, Any], ...], ...]) -> Any:
        if "csv" not in self.on:
            return None
        table = [dict(row) for row in rows]
        if not table:
            self.note("no rows")
            return "csv", ([],), ""
        lines = []
        for line in [list(table[0]), *(list(row.values()) for row in table)]:
            cells = []
            for value in line:
                text = "" if value is None else str(value)
                quoted = [one for one in (",", '"', "\n") if one in text]
                self.note(f"cell {quoted} {value is None}")
                if quoted == ['"']:
                    self.note("csv_quotes")
                cells.append('"' + '""'.join(text.split('"')) + '"' if quoted else text)
            lines.append(",".join(cells))
        return "csv", (table,), "\n".join(lines)

    def _q_kept(self, query: Query, tables: Tables) -> Any:
        if not self.can(query):
            return None
        try:
            self.rows(query, opened(tables))
        except Wrong:
            return None
        self.note("kept")
        return "kept", (Writing(self.facts, 0).statement(query), opened(tables)), opened(tables)

    def _q_structure(self, feature: str, ask: str, *arguments: Any) -> Any:
        if feature not in self.on:
            return None
        self.note(f"{ask} {arguments[-1]}")
        return ask, arguments, ["DeprecationWarning"] if ask == "warns" else True

    # -- rows

    def rows(self, query: Query, tables: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        def table(name: str) -> list[dict[str, Any]]:
            if name not in tables:
                self.note("no such table")
                raise Wrong("name")
            return tables[name]

        rows = [Row({query.table: row}) for row in table(query.table)]
        for name, one, other, left in query.joins:
            others = table(name)
            joined: list[Row] = []
            for row in rows:
                fits = 0
                for candidate in others:
                    both = Row({**row.tables, name: candidate})
                    first, second = self.value(one, both), self.value(other, both)
                    if (
                        first is not None
                        and second is not None
                        and isinstance(first, str) == isinstance(second, str)
                        and first == second
                    ):
                        joined.append(both)
                        fits += 1
                    elif first is None and second is None:
                        self.note("both missing in a join")
                if left and not fits:
                    self.note("left without another")
                    joined.append(Row({**row.tables, name: dict.fromkeys(others[0] if others else [])}))
                self.note(f"{'left ' if left else ''}join fits {min(2, fits)}")
            rows = joined
        if query.where is not None:
            kept = [row for row in rows if self.value(query.where, row)]
            self.note(f"where keeps {'none' if not kept else 'all' if len(kept) == len(rows) else 'some'}")
            rows = kept
        rows = self.grouped(query, rows)
        for node, way in reversed(query.order):
            rows = self.ordered(rows, node, way == "desc")
            self.note(f"order {way}")
        found = [self.output(query, row) for row in rows]
        if query.distinct:
            before = len(found)
            found = self.unlike(found)
            self.note(f"distinct {before > len(found)}")
        if query.limit is not None:
            if query.limit == 0:
                self.note("limit_nothing")
            skip = query.skip or 0
            self.note(
                f"limit {min(query.limit, 2)} of {'more' if len(found) > query.limit else 'just' if len(found) == query.limit else 'fewer'}"
            )
            self.note(f"skip {query.skip if query.skip in (None, 0, 1) else 'more'} {skip >= len(found)}")
            found = found[skip:][: query.limit]
        self.note(f"{min(2, len(found))} rows")
        return found

    def unlike(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for at, row in enumerate(rows) if row not in rows[:at]]

    def output(self, query: Query, row: Row) -> dict[str, Any]:
        if query.columns:
            return {alias or node[-1]: self.value(node, row) for alias, node in query.columns}
        names = [name for one in row.tables.values() for name in one]
        self.note("all columns of two" if len(row.tables) > 1 else "all columns")
        return {
            (name if names.count(name) == 1 else f"{table}.{name}"): value
            for table, one in row.tables.items()
            for name, value in one.items()
        }

    def grouped(self, query: Query, rows: list[Row]) -> list[Row]:
        nodes = [node for _, node in query.columns]
        figures = any(node[0] == "agg" for node in below(tuple(nodes)))
        if not query.groups and not figures:
            if query.having is not None:
                self.note("having without figures")
                raise Wrong("skip")
            return rows
        for at, node in enumerate(nodes):
            if at and nodes[at - 1][0] == "agg" and node[0] in ("col", "qual"):
                self.note("a column behind a figure")
            self.alone(node, query.groups)
        if query.groups:
            keys: list[Any] = []
            parts: list[list[Row]] = []
            for row in rows:
                key = [self.value(one, row) for one in query.groups]
                if key not in keys:
                    keys.append(key)
                    parts.append([])
                parts[keys.index(key)].append(row)
            self.note(f"{min(2, len(parts))} groups")
        else:
            parts = [rows]
            self.note(f"figures of {min(1, len(rows))}")
        found = [Row(part[0].tables if part else {}, part) for part in parts]
        if query.having is not None:
            kept = [group for group in found if self.value(query.having, group)]
            self.note(f"having keeps {'none' if not kept else 'all' if len(kept) == len(found) else 'some'}")
            found = kept
        return found

    def alone(self, node: Node, keys: tuple[Node, ...]) -> None:
        if node[0] == "agg":
            return
        if node[0] in ("col", "qual"):
            if node not in keys:
                self.note("not grouped by")
                raise Wrong("name")
            return
        for one in node[1:]:
            for part in one if isinstance(one, tuple) and one and isinstance(one[0], tuple) else (one,):
                if isinstance(part, tuple) and part and part[0] in KINDS:
                    self.alone(part, keys)

    def ordered(self, rows: list[Row], node: Node, descending: bool) -> list[Row]:
        values = [self.value(node, row) for row in rows]
        if len({isinstance(value, str) for value in values if value is not None}) > 1:
            self.note("order of mixed kinds")
            raise Wrong("type")
        there = [(value, at) for at, value in enumerate(values) if value is not None]
        if descending and len({value for value, _ in there}) < len(there):
            self.note("order_unstable")
        if len({value for value, _ in there}) < len(there):
            self.note("ties")
        out: list[int] = []
        for value, at in there:  # each before the first that must come after it
            place = 0
            while place < len(out) and (values[out[place]] >= value if descending else values[out[place]] <= value):
                place += 1
            out.insert(place, at)
        missing = [at for at, value in enumerate(values) if value is None]
        if missing:
            self.note("missing in order")
        return [rows[at] for at in (out + missing if self.facts["nulls"] == "last" else missing + out)]

    # -- values

    def value(self, node: Node, row: Row) -> Any:
        return getattr(self, f"_v_{node[0]}")(row, *node[1:])

    def _v_lit(self, row: Row, value: Any) -> Any:
        return value

    def _v_param(self, row: Row, number: int) -> Any:
        self.note(f"param {number} {self.params[number] is None}")
        return self.params[number]

    def _v_col(self, row: Row, name: str) -> Any:
        found = [one[name] for one in row.tables.values() if name in one]
        if len(found) != 1:
            self.note(f"{min(2, len(found))} such columns")
            raise Wrong("name")
        return found[0]

    def _v_qual(self, row: Row, table: str, name: str) -> Any:
        if table not in row.tables or name not in row.tables[table]:
            self.note("no such table here" if table not in row.tables else "no such column there")
            raise Wrong("name")
        return row.tables[table][name]

    def _v_bin(self, row: Row, op: str, left: Node, right: Node) -> Any:
        a, b = self.value(left, row), self.value(right, row)
        if a is None or b is None:
            self.note(f"{op} of nothing {a is None}")
            return None
        if isinstance(a, str) or isinstance(b, str):
            self.note(f"{op} of a text {isinstance(a, str)}")
            raise Wrong("type")
        self.note(f"{op} {left[0]} {right[0]}")
        return a + b if op == "+" else a - b if op == "-" else a * b

    def compared(self, op: str, a: Any, b: Any) -> bool:
        if a is None or b is None:
            self.note("null_compare")
            self.note(f"{op} with nothing {a is None}")
            return False
        mixed = isinstance(a, str) != isinstance(b, str)
        if mixed:
            self.note(f"{op} of mixed kinds")
            if op in ("=", "ne"):
                return op == "ne"
            raise Wrong("type")
        self.note(f"{op} {(a > b) - (a < b)} {type(a).__name__}")
        return bool({"=": a == b, "ne": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])

    def _v_cmp(self, row: Row, op: str, left: Node, right: Node) -> Any:
        a = self.value(left, row)
        return self.compared(op, a, self.value(right, row))

    def _v_and(self, row: Row, left: Node, right: Node) -> Any:
        first = self.value(left, row)
        self.note(f"and {bool(first)}")
        return first and self.value(right, row)

    def _v_or(self, row: Row, left: Node, right: Node) -> Any:
        first = self.value(left, row)
        self.note(f"or {bool(first)}")
        return first or self.value(right, row)

    def _v_not(self, row: Row, node: Node) -> Any:
        self.note(f"not {node[0]}")
        return not self.value(node, row)

    def _v_like(self, row: Row, node: Node, pattern: str) -> Any:
        value = self.value(node, row)
        if not isinstance(value, str):
            self.note(f"like of {type(value).__name__}")
            return False
        if set(pattern) & set(".*+?()[]|^$\\{}"):
            self.note("like_signs")
        text = value
        if self.facts["like_case"] == "any":
            if value != value.lower() or pattern != pattern.lower():
                self.note("like in another case")
            text, pattern = value.lower(), pattern.lower()
        elif text.lower() != text and _fits(text.lower(), pattern.lower()) != _fits(text, pattern):
            self.note("like by case")
        answer = _fits(text, pattern)
        self.note(f"like {answer} {'%' in pattern} {'_' in pattern} {'%' in pattern[:1]} {'%' in pattern[-1:]}")
        return answer

    def _v_between(self, row: Row, node: Node, lower: Node, upper: Node) -> Any:
        value, least, most = self.value(node, row), self.value(lower, row), self.value(upper, row)
        if value is not None and most is not None and value == most:
            self.note("between_edge")
        if value is not None and value == least:
            self.note("at the lower limit")
        return self.compared(">=", value, least) and self.compared(
            "<=" if self.facts["between_end"] == "in" else "<", value, most
        )

    def _v_inlist(self, row: Row, node: Node, others: tuple[Node, ...]) -> Any:
        value = self.value(node, row)
        for place, other in enumerate(others):
            if self.compared("=", value, self.value(other, row)):
                self.note(f"in at {min(place, 1)}")
                return True
        self.note("not in")
        return False

    def _v_null(self, row: Row, node: Node, turned: bool) -> Any:
        missing = self.value(node, row) is None
        self.note(f"is {'not ' if turned else ''}null {missing}")
        return missing != turned

    def _v_case(self, row: Row, condition: Node, then: Node, otherwise: Node | None) -> Any:
        holds = self.value(condition, row)
        self.note(f"case {bool(holds)} {otherwise is None}")
        if holds:
            return self.value(then, row)
        return None if otherwise is None else self.value(otherwise, row)

    def _v_call(self, row: Row, name: str, operands: tuple[Node, ...]) -> Any:
        values = [self.value(one, row) for one in operands]
        if name not in ("upper", "size") and name not in self.drawn:
            self.note("no such function")
            raise Wrong("name")
        if len(values) != 1:
            self.note("two values")
            raise Wrong("type")
        value = values[0]
        if value is None:
            self.note(f"{name} of nothing")
            return None
        kind = "text" if name in ("upper", "size") else self.drawn[name].of.takes[0]
        if (kind == "text") != isinstance(value, str):
            self.note(f"{name} of another kind")
            raise Wrong("type")
        self.note(f"calls {name}")
        if name in self.drawn:
            try:
                return self.drawn[name].answer(
                    lambda what: self.note(what if what.startswith("drawn.") else f"{name} {what}"), value
                )
            except Undefined:
                raise Wrong("type") from None
        return "".join(one.upper() for one in value) if name == "upper" else sum(1 for _ in value)

    def _v_agg(self, row: Row, figure: str, node: Node | None) -> Any:
        if row.group is None:
            raise Wrong("skip")
        if node is None:
            self.note(f"count all {min(2, len(row.group))}")
            return len(row.group)
        values = [value for value in (self.value(node, one) for one in row.group) if value is not None]
        self.note(f"{figure} of {min(2, len(values))} {len(values) < len(row.group)}")
        if figure == "count":
            return len(values)
        texts = {isinstance(value, str) for value in values}
        if len(texts) > 1 or (figure == "sum" and True in texts):
            self.note(f"{figure} of texts {len(texts)}")
            raise Wrong("type")
        if figure == "sum":
            return sum(values)
        if not values:
            return None
        found = values[0]
        for value in values:
            if (value < found) if figure == "min" else (value > found):
                self.note(f"{figure} later")
                found = value
        return found


def _fits(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern of `%` and `_`."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_fits(text[at:], pattern[1:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and _fits(text[1:], pattern[1:])
