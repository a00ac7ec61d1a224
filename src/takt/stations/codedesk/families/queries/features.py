"""What can be asked for in the family `queries`.

Long because: it is a catalogue; each entry is whole by itself, and a new one goes to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from takt.stations.codedesk.families.offers import Change, Defect, Draw, Feature
from takt.stations.codedesk.families.queries.spec import Node, Query, Tables
from takt.stations.codedesk.families.state import Model, Question, State


class Draws:
    """Queries at random, in the language of one state."""

    def __init__(self, state: State, stream: Random) -> None:
        self.state, self.s, self.f, self.on = state, stream, state.facts, set(state.on)
        self.two = False

    def tables(self) -> Tables:
        s, f = self.s, self.f
        first: tuple[tuple[tuple[str, Any], ...], ...] = tuple(
            (
                (f["c_id"], s.randint(1, 4)),
                (
                    f["c_name"],
                    s.choice([*f["texts"], s.choice(f["texts"]).upper(), None if s.random() < 0.5 else "ab"]),
                ),
                (f["c_num"], s.choice([0, 1, 5, 5, 10, -3, s.randint(0, 20), None])),
                (f["c_kind"], s.choice(["x", "y", "z"])),
            )
            for _ in range(s.choice([0, 2, 3, 4, 4, 5, 6]))
        )
        if s.random() < 0.07 and first:  # a text among numbers
            spoilt = tuple((name, "7" if name == f["c_num"] else value) for name, value in first[0])
            first = (*first[1:], spoilt)  # fmt: skip
        second = tuple(
            ((f["c_id"], s.choice([1, 2, 3, None])), (f["c_note"], s.choice(["n1", "n2", None])), (f["c_rank"], s.randint(1, 9))) for _ in range(s.randint(0, 4))
        )  # fmt: skip
        return ((f["t_one"], first), (f["t_two"], second))

    # -- expressions

    def number_column(self) -> Node:
        return (
            "col",
            self.s.choice([self.f["c_num"], self.f["c_num"], self.f["c_rank"] if self.two else self.f["c_num"]]),
        )

    def text_column(self) -> Node:
        return ("col", self.s.choice([self.f["c_name"], self.f["c_kind"]]))

    def number(self, depth: int = 1) -> Node:
        s = self.s
        if depth <= 0 or s.random() < 0.5:
            return self.number_column() if s.random() < 0.6 else ("lit", s.choice([0, 1, 2, 5, 10, s.randint(0, 20)]))
        if "functions" in self.on and s.random() < 0.15:
            return ("call", "size", (self.text_column(),))
        return ("bin", s.choice("+-*"), self.number(depth - 1), self.number(depth - 1))

    def text(self) -> Node:
        return (
            self.text_column()
            if self.s.random() < 0.5
            else ("lit", self.s.choice([*self.f["texts"], "x", "y", "it's", ""]))
        )

    def odd(self) -> Node:
        """Something that does not belong there."""
        return self.s.choice([("col", "nowhere"), self.text(), ("lit", 3), self.number_column()])

    def condition(self, depth: int = 1) -> Node:
        s = self.s
        if depth > 0 and s.random() < 0.45:
            kind = s.choice(["and", "or", "not"])
            return (
                ("not", self.condition(depth - 1))
                if kind == "not"
                else (kind, self.condition(depth - 1), self.condition(depth - 1))
            )
        op = s.choice(["=", "ne", "<", "<=", ">", ">="])
        if s.random() < 0.3:
            return ("cmp", op, self.text_column(), self.text())
        left, right = self.number(), self.number()
        if s.random() < 0.05:
            right = self.odd()
        return ("cmp", op, left, right)

    def query(self, columns: bool = True, **more: Any) -> Query:
        s, f = self.s, self.f
        names = (
            s.sample([f["c_id"], f["c_name"], f["c_num"], f["c_kind"]], s.randint(1, 3))
            if columns and s.random() < 0.6
            else []
        )
        where = self.condition(2) if s.random() < 0.6 else None
        return replace(
            Query(
                f["t_one"] if s.random() > 0.01 else "nowhere", tuple((None, ("col", name)) for name in names), where
            ),
            **more,
        )

    def ask(self, query: Query) -> Question:
        return ("query", query, self.tables(), self.s.randint(0, 9))


def of(make: Callable[[Draws], Question]) -> Draw:
    return lambda state, _model, stream: make(Draws(state, stream))


def bad(often: float, texts: tuple[str, ...], then: Draw, need: str | None = None) -> Draw:
    """At times a text that is no query."""

    def draw(state: State, model: Model, s: Random) -> Question:
        if s.random() < often:
            return ("bad", s.choice(texts).format(**state.facts), need)
        return then(state, model, s)

    return draw


def where(make: Callable[[Draws], Node]) -> Draw:
    """Queries with such a condition."""

    def ask(d: Draws) -> Question:
        node = make(d)
        roll = d.s.random()
        if roll < 0.15:
            node = ("not", node)
        elif roll < 0.35:
            node = (
                d.s.choice(["and", "or"]),
                *((node, d.condition(0)) if d.s.random() < 0.5 else (d.condition(0), node)),
            )
        return d.ask(d.query(where=node))

    return of(ask)


def _order(d: Draws) -> Question:
    columns = [d.f["c_id"], d.f["c_name"], d.f["c_num"], d.f["c_kind"]]
    some = d.s.sample(columns, d.s.choice([1, 1, 2]))
    if d.s.random() < 0.03:
        some = ["nowhere"]
    order = tuple((("col", name), d.s.choice(["", "asc", "desc", "desc"])) for name in some)
    return d.ask(d.query(order=order, where=None if d.s.random() < 0.8 else d.condition(0)))


def _limit(d: Draws) -> Question:
    more: dict[str, Any] = {"limit": d.s.choice([0, 1, 2, 3, 5, 10]), "skip": d.s.choice([None, None, 0, 1, 2, 7])}
    if "order" in d.on and d.s.random() < 0.4:
        more["order"] = ((("col", d.f["c_num"]), "desc"),)
    return d.ask(d.query(where=None if d.s.random() < 0.7 else d.condition(0), **more))


def _distinct(d: Draws) -> Question:
    columns = tuple(
        (None, ("col", name)) for name in d.s.sample([d.f["c_kind"], d.f["c_num"], d.f["c_id"]], d.s.choice([1, 1, 2]))
    )
    return d.ask(
        Query(
            d.f["t_one"],
            columns if d.s.random() < 0.9 else (),
            None if d.s.random() < 0.7 else d.condition(0),
            distinct=True,
        )
    )


def _alias(d: Draws) -> Question:
    columns: list[tuple[str | None, Node]] = [
        (d.s.choice(["one", None]), ("col", d.f["c_num"])),
        ("two", ("col", d.f["c_kind"])),
    ]
    if "expressions" in d.on:
        columns.append(("three", d.number(2)))
    d.s.shuffle(columns)
    return d.ask(
        Query(d.f["t_one"], tuple(columns[: d.s.randint(1, 3)]), None if d.s.random() < 0.6 else d.condition(0))
    )


def _expressions(d: Draws) -> Question:
    node = (
        d.number(2)
        if d.s.random() < 0.9
        else ("bin", d.s.choice("+-*"), *d.s.sample([d.text_column(), d.number_column(), ("lit", 2)], 2))
    )
    return d.ask(
        Query(
            d.f["t_one"],
            (("v", node), *(((None, ("col", d.f["c_id"])),) if d.s.random() < 0.3 else ())),
            None if d.s.random() < 0.7 else d.condition(0),
        )
    )


def _aggregate(d: Draws, column: Node | None = None) -> Node:
    figure = d.s.choice(["count", "count", "sum", "min", "max"])
    if figure == "count" and d.s.random() < 0.5:
        return ("agg", "count", None)
    operand = column or (
        d.text_column()
        if d.s.random() < 0.2 and figure != "sum"
        else d.number(1)
        if d.s.random() < 0.9
        else d.text_column()
    )
    return ("agg", figure, operand)


def _aggregates(d: Draws) -> Question:
    columns: list[tuple[str | None, Node]] = [("v", _aggregate(d))]
    if d.s.random() < 0.4:
        columns.append(("w", ("bin", d.s.choice("+-*"), _aggregate(d, d.number_column()), ("lit", d.s.randint(1, 3)))))
    if d.s.random() < 0.12:
        column: Node = ("col", d.f["c_num"])
        columns.append(d.s.choice([(None, column), ("u", ("bin", "+", column, ("agg", "count", None)))]))
    return d.ask(Query(d.f["t_one"], tuple(columns), None if d.s.random() < 0.6 else d.condition(0)))


def _groups(d: Draws) -> Question:
    keys = tuple(
        ("col", name) for name in d.s.sample([d.f["c_kind"], d.f["c_id"], d.f["c_num"]], d.s.choice([1, 1, 2]))
    )
    columns: list[tuple[str | None, Node]] = [(None, key) for key in keys]
    if d.s.random() < 0.85:
        columns.append(("v", _aggregate(d)))
    if d.s.random() < 0.05:
        columns.append((None, ("col", d.f["c_name"])))
    more: dict[str, Any] = {}
    if "order" in d.on and d.s.random() < 0.3:
        more["order"] = ((keys[0], "desc"),)
    if "having" in d.on and d.s.random() < 0.3:
        more["having"] = ("cmp", d.s.choice([">", "=", "<="]), ("agg", "count", None), ("lit", d.s.randint(1, 2)))
    d.s.shuffle(columns)
    return d.ask(
        Query(d.f["t_one"], tuple(columns), None if d.s.random() < 0.7 else d.condition(0), groups=keys, **more)
    )


def _having(d: Draws) -> Question:
    key: Node = ("col", d.s.choice([d.f["c_kind"], d.f["c_id"]]))
    node: Node = (
        "cmp",
        d.s.choice([">", ">=", "=", "ne", "<"]),
        _aggregate(d, d.number_column()),
        ("lit", d.s.choice([1, 2, 5, 10])),
    )
    if d.s.random() < 0.3:
        node = (d.s.choice(["and", "or"]), node, ("cmp", ">", ("agg", "count", None), ("lit", 1)))
    return d.ask(
        Query(
            d.f["t_one"],
            ((None, key), ("v", ("agg", "count", None))),
            None if d.s.random() < 0.8 else d.condition(0),
            groups=(key,),
            having=node,
        )
    )


def _joins(d: Draws, left: bool = False) -> Question:
    f, s = d.f, d.s
    one: Node = ("qual", f["t_one"], f["c_id"])
    other: Node = ("qual", f["t_two"], f["c_id"])
    if s.random() < 0.15:
        other = ("col", f["c_rank"])
    if s.random() < 0.5:
        one, other = other, one
    stock: list[tuple[str | None, Node]] = [
        (None, ("col", f["c_note"])), (None, ("col", f["c_rank"])), (None, ("qual", f["t_one"], f["c_num"])), (None, ("col", f["c_kind"])),
    ]  # fmt: skip
    if s.random() < 0.06:
        stock = [
            (None, s.choice([("col", f["c_id"]), ("qual", "nowhere", f["c_id"]), ("qual", f["t_two"], f["c_kind"])]))
        ]
    columns = tuple(s.sample(stock, s.randint(1, len(stock)))) if s.random() < 0.7 else ()
    d.two = True
    condition: Any = (
        None if s.random() < 0.7 else ("cmp", s.choice([">", "<", "="]), ("col", f["c_rank"]), ("lit", s.randint(2, 6)))
    )
    if left and "isnull" in d.on and s.random() < 0.2:
        condition = ("null", ("col", f["c_rank"]), s.random() < 0.5)
    return d.ask(Query(f["t_one"], columns, condition, joins=((f["t_two"], one, other, left and s.random() < 0.85),)))


def _like(d: Draws) -> Node:
    s = d.s
    word = s.choice([*d.f["texts"], "ab"])
    pattern = s.choice([
        word, word[:2] + "%", "%" + word[-2:], "%" + word[1:2] + "%", "_" + word[1:], word[:-1] + "_", word[:1] + "%" + word[-1:], "%", "_%", "__", "", word.upper(), word[:1].upper() + "%",
        word[:1] + ".*", "a+b", "(%", "[a-z]%", "a.b", "%.%", "^%",
    ])  # fmt: skip
    return ("like", d.text_column() if s.random() < 0.93 else d.number_column(), pattern)


def _between(d: Draws) -> Node:
    low = d.s.choice([0, 1, 5, -3])
    lower, upper = ("lit", max(0, low)), ("lit", max(0, low) + d.s.choice([0, 4, 5, 10, 9]))
    operand = d.number_column() if d.s.random() < 0.85 else d.number(1)
    return ("between", operand, lower if d.s.random() < 0.9 else d.number_column(), upper)


def _in(d: Draws) -> Node:
    others = tuple(
        d.s.choice([("lit", d.s.choice([0, 1, 5, 10])), ("lit", d.s.choice(["x", "y", "a"])), d.number(0)])
        for _ in range(d.s.randint(1, 3))
    )
    return ("inlist", d.number_column() if d.s.random() < 0.5 else d.text_column(), others)


def _null(d: Draws) -> Node:
    return (
        "null",
        d.s.choice(
            [d.number_column(), d.text_column(), ("col", d.f["c_num"]), ("bin", "+", d.number_column(), ("lit", 1))]
        ),
        d.s.random() < 0.5,
    )


def _case(d: Draws) -> Question:
    node: Node = (
        "case",
        d.condition(1),
        d.s.choice([("lit", "yes"), d.number(0)]),
        d.s.choice([None, ("lit", "no"), d.number(0)]),
    )
    return d.ask(
        Query(
            d.f["t_one"], (("v", node), (None, ("col", d.f["c_num"]))), None if d.s.random() < 0.8 else d.condition(0)
        )
    )


def _functions(d: Draws) -> Question:
    if d.s.random() < 0.05:
        return ("structure", "functions", "gives_back", "spare")
    name = d.s.choice(["upper", "size"])
    operands: tuple[Node, ...] = (d.text_column(),) if d.s.random() < 0.85 else (d.number_column(),)
    if d.s.random() < 0.05:
        operands = (*operands, ("lit", 1))
    node: Node = ("call", name if d.s.random() > 0.04 else "nothing", operands)
    if d.s.random() < 0.3:
        return d.ask(
            d.query(
                where=("cmp", d.s.choice(["=", ">"]), ("call", "size", (d.text_column(),)), ("lit", d.s.randint(1, 4)))
            )
        )
    return d.ask(Query(d.f["t_one"], (("v", node), (None, ("col", d.f["c_name"]))), None))


def drawn_query(one: Any) -> Draw:
    """A query that calls one of the drawn functions."""

    def make(d: Draws) -> Question:
        f = d.f
        column = f["c_num"] if one.of.takes[0] == "number" else f["c_name"]
        other = f["c_name"] if one.of.takes[0] == "number" else f["c_num"]
        values = [one.arguments(d.s) for _ in range(d.s.randint(2, 6))]
        if d.s.random() < 0.2:
            values.append(None)
        rows: tuple[tuple[tuple[str, Any], ...], ...] = tuple(
            ((f["c_id"], at), (column, value)) for at, value in enumerate(values)
        )
        operand: Node = ("col", column)
        if d.s.random() < 0.05:
            rows = tuple((*row, (other, "q" if one.of.takes[0] == "number" else 1)) for row in rows)
            operand = ("col", other)
        node: Node = ("call", one.name, (operand,) if d.s.random() > 0.03 else (operand, ("lit", 1)))
        return ("query", Query(f["t_one"], (("v", node),)), ((f["t_one"], rows),), d.s.randint(0, 9))

    return of(make)


def _params(d: Draws) -> Question:
    values: list[Any] = [d.s.choice([0, 5, 10, "x", "it's", None]) for _ in range(d.s.choice([1, 2, 2]))]
    node: Node = ("cmp", d.s.choice(["=", "<", "ne"]), d.number_column(), ("param", 0))
    if len(values) == 2:
        node = (d.s.choice(["or", "and"]), node, ("cmp", "=", d.text_column(), ("param", 1)))
    more = d.s.choice([0, 0, 0, 0, 1, -1])
    given = values + [1] if more == 1 else values[:-1] if more == -1 else values
    return ("params", d.query(where=node), d.tables(), d.s.randint(0, 9), tuple(given), more)


def _union(d: Draws) -> Question:
    def part() -> Query:
        names = [d.f["c_kind"]] if d.s.random() < 0.5 else [d.f["c_num"]]
        if d.s.random() < 0.12:
            names.append(d.f["c_id"])
        return Query(
            d.f["t_one"], tuple((None, ("col", name)) for name in names), None if d.s.random() < 0.5 else d.condition(0)
        )

    return (
        "union",
        tuple((part(), d.s.random() < 0.5) for _ in range(d.s.choice([2, 2, 3]))),
        d.tables(),
        d.s.randint(0, 9),
    )


def _columns(d: Draws) -> Question:
    question: tuple[Any, ...] = _alias(d) if "alias" in d.on and d.s.random() < 0.6 else d.ask(d.query())
    return ("columns", question[1], question[3])


def _csv(d: Draws) -> Question:
    names = d.s.sample(["a", "b", "two words", "x,y"], d.s.randint(1, 3))
    stock = [1, 0, None, "plain", "a,b", 'say "x"', '"', "two\nlines", "", 'a,"b"', -5]
    return ("csv", tuple(tuple((name, d.s.choice(stock)) for name in names) for _ in range(d.s.randint(0, 3))))


def _still(d: Draws) -> Question:
    return d.ask(d.query())


def structure(feature: str, often: float, *questions: tuple[Any, ...]) -> Draw:
    def draw(state: State, model: Model, s: Random) -> Question:
        if s.random() < often:
            ask, *arguments = s.choice(questions)
            return (
                "structure",
                feature,
                ask,
                *(one.format(**state.facts) if isinstance(one, str) else one for one in arguments),
            )
        return _still(Draws(state, s))

    return draw


def _fast(state: State, model: Model, s: Random) -> Question:
    return (
        ("structure", "distinct_fast", "grows", s.choice([40, 60, 80, 100, 150]))
        if s.random() < 0.2
        else _distinct(Draws(state, s))
    )


TOKENS, PARSER, NODES, RUN, VALUES, INIT = (
    f"{{pkg}}/{name}.py" for name in ("tokens", "parser", "nodes", "run", "values", "__init__")
)
FEATURES: tuple[Feature, ...] = (
    Feature("order", "`{w_order} by`", "Reports must be sorted.",
            ("`{w_order} by a, b desc` sorts the rows: by the first column, equal ones by the next. `asc` may be written, and is what is meant without it. Rows that are equal in all stay in their order, also with `desc`.",
             "Missing values come {nulls}, whichever way. A column with numbers and texts raises {e_type}. It comes behind `{w_where}` (and behind grouping, where there is such); columns need not be shown."),
            bad(0.06, ("{w_select} a {w_from} t {w_order} by", "{w_select} a {w_from} t {w_order} a", "{w_select} a {w_from} t {w_order} by a up"), of(_order)),
            files=(TOKENS, PARSER, RUN), area="order", reach=3, brings={"order_unstable": 0.6}),
    Feature("limit", "`{w_limit}` and `{w_skip}`", "The first ten are enough.",
            ("At the end, `{w_limit} 3` keeps three rows at most, and `{w_limit} 3 {w_skip} 2` three after the first two. `{w_limit} 0` keeps none.",),
            bad(0.06, ("{w_select} a {w_from} t {w_limit}", "{w_select} a {w_from} t {w_limit} x", "{w_select} a {w_from} t {w_limit} 1 {w_skip}"), of(_limit)), files=(TOKENS, PARSER, RUN), area="order", reach=3,
            brings={"limit_nothing": 0.6}),
    Feature("distinct", "`distinct`", "We only want to know which ones there are.",
            ("`{w_select} distinct a, b` leaves out rows that equal an earlier one in what is shown.",), of(_distinct), files=(TOKENS, PARSER, RUN), area="order", reach=3),
    Feature("alias", "Names for columns: `as`", "The front end expects other names.", ("`{w_select} a as b` shows the column a under the name b.",),
            bad(0.05, ("{w_select} a as {w_from} t", "{w_select} a as 3 {w_from} t"), of(_alias)), files=(TOKENS, PARSER), area="columns", reach=2),
    Feature("expressions", "Computed columns", "Price times amount, please.",
            ("What is shown may be computed by `+`, `-`, `*` and brackets, as in conditions; such a column needs a name by `as`, else the text is no query.",), bad(0.06, ("{w_select} a + 1 {w_from} t", "{w_select} 3 {w_from} t"), of(_expressions)),
            needs=("alias",), files=(PARSER,), area="columns", reach=1),
    Feature("aggregates", "Figures: `count`, `sum`, `min`, `max`", "How many, how much, the largest: people copy rows into spreadsheets for that.",
            ("A query whose columns have `count(*)`, `count(a)`, `sum(a)`, `min(a)` or `max(a)` gives one row for all rows. These words may be written in any case; what they are of may be computed, and so may what is made of them.",
             "What is missing does not count; `count(*)` counts rows. Of nothing, `sum` is 0 and `min` and `max` are missing. `sum` of texts, and `min` or `max` of numbers and texts, raise {e_type}.",
             "A column outside of a figure raises {e_name} (unless rows are put together by it, where that is possible). A figure needs a name by `as`."),
            of(_aggregates), needs=("alias",), files=(PARSER, NODES, RUN), area="figures", reach=3),
    Feature("groups", "`group by`", "The same figures for each kind.",
            ("`group by a, b`, behind `{w_where}`, puts rows together that are equal in these columns (missing equals missing), in the order in which they come first; figures are of each such group.",
             "Columns outside of figures must be among these ({e_name})."), bad(0.05, ("{w_select} a {w_from} t group a", "{w_select} a {w_from} t group by"), of(_groups)), needs=("aggregates",), files=(TOKENS, PARSER, RUN), area="figures", reach=3),
    Feature("having", "`having`", "Only the groups with more than one.", ("`having`, behind `group by`, keeps the groups for which a condition holds; it may have figures.",), of(_having), needs=("groups",), files=(TOKENS, PARSER, RUN),
            area="figures", reach=3),
    Feature("joins", "`join`", "Half of what we need is in another table.",
            ("`{w_from} t join u on t.a = u.b` has a row for each pair of rows whose columns are equal and not missing; further joins may follow. Columns are named with their table, `u.b`, or without it where only one table has them; else {e_name}. Named either way, a column is shown as `b` if `as` gives it no other name.",
             "With `*`, the columns of all tables are shown; a name that more than one has is shown as `t.a`. Rows come in the order of the first table, for each in that of the next."),
            bad(0.05, ("{w_select} a {w_from} t join", "{w_select} a {w_from} t join u on a", "{w_select} a {w_from} t join u"), of(_joins)), files=(TOKENS, PARSER, RUN), area="joins", reach=3),
    Feature("left", "`left join`", "Rows without a partner are lost.", ("`left join` is as `join`, but a row that has no partner comes once, with all columns of the other table missing.",), of(lambda d: _joins(d, True)), needs=("joins",),
            files=(TOKENS, PARSER, RUN), area="joins", reach=3),
    Feature("like", "`like`", "Find all that begin with A.",
            ("`a like 'x%'` holds for texts that fit the whole pattern: `%` stands for any characters, also none, `_` for just one, all others for themselves. {like_told} For anything but a text it does not hold.",), where(_like),
            files=(TOKENS, PARSER, NODES), area="conditions", reach=3, brings={"like_signs": 0.6}),
    Feature("between", "`between`", "Two comparisons for every range are tedious.", ("`a between 1 and 5` is {between_told}. Missing values and kinds are as with comparisons; the upper limit is looked at only if the lower one holds.",), where(_between),
            files=(TOKENS, PARSER, NODES), area="conditions", reach=3, brings={"between_edge": 0.5}),
    Feature("inlist", "`in`", "Is it one of these?", ("`a in (1, 2, b)` holds if a equals one of them, as `=` does; they may be computed. At least one must be there.",), bad(0.06, ("{w_select} a {w_from} t {w_where} a in ()", "{w_select} a {w_from} t {w_where} a in 1"), where(_in), "inlist"),
            files=(TOKENS, PARSER, NODES), area="conditions", reach=3),
    Feature("isnull", "`is null`", "How do I find rows where it is missing?", ("`a is null` holds where a is missing, `a is not null` where it is not. a may be computed.",), where(_null), files=(TOKENS, PARSER, NODES), area="conditions", reach=3),
    Feature("case", "`case`", "We want a word instead of a number.", ("`case when condition then a else b end` is a if the condition holds, else b; without `else b` it is missing. As a column it needs a name by `as`.",), of(_case), needs=("alias",), files=(TOKENS, PARSER, NODES),
            area="columns", reach=3),
    Feature("functions", "Functions", "Names should be compared in capital letters.",
            ("`upper(a)` is the text in capital letters, `size(a)` how many characters it has, in columns (with a name by `as`) and in conditions.", "~Of something missing they are missing.",
             "A function that there is not raises {e_name}; more than one value, and a number, raise {e_type}. Functions are registered by `function(name, kind)` in a new module `{pkg}.library`, which stands above a function and gives it back."),
            of(_functions), needs=("alias",), files=(PARSER, NODES, "{pkg}/library.py"), area="functions", reach=3),
    Feature("params", "Values from outside: `?`", "Somebody typed a quote into the search field.",
            ("`{pkg}.{query}(text, tables, params)`: each `?` in the text stands for the next of these values, wherever a value may be written. Too few or too many are {e_syntax}.",), of(_params), files=(TOKENS, PARSER, RUN), names=("{pkg}.{query}",),
            area="conditions", reach=3),
    Feature("union", "`union`", "Two lists as one.",
            ("`... union ...` gives the rows of both queries, without those that equal an earlier one; `union all` keeps them. Several are taken from the left. The names are those of the first query that has rows; where a later one has rows with another number of columns, {e_syntax}.",),
            of(_union), files=(TOKENS, PARSER, RUN), area="order", reach=3),
    Feature("names_of", "Which columns does a query give? `columns`", "The table's head must be there before its rows.", ("`{pkg}.columns(text)` is the list of the names of the columns that a query shows, without running it; for `*` the empty list.",), of(_columns),
            files=(RUN, INIT), names=("{pkg}.columns",), area="columns", reach=2, if_=lambda st: not st.has("union") and not st.has("params")),
    Feature("csv", "Rows as text: `csv`", "The result must go into a spreadsheet.",
            ("`{pkg}.csv(rows)` is a text: a line with the names of the first row, then a line for each row, values with commas between them, no new line at the end; without rows the empty text. What is missing is empty.",
             "A name or a value with a comma, a `\"` or a new line in it stands between `\"`, and each `\"` in it is doubled."), of(_csv), files=(RUN, INIT), names=("{pkg}.csv",), area="columns", reach=2, brings={"csv_quotes": 0.5}),
    Feature("moved_kinds", "`kind_of` in a module of its own", "`values` is imported for one function only.", ("`kind_of` moves from `{pkg}.values` to a new module `{pkg}.kinds`. It can still be imported from the old place and is the same function. Nothing else changes.",),
            structure("moved_kinds", 0.2, ("same_object", "{pkg}.values", "{pkg}.kinds", "kind_of")), kind="refactoring", files=(VALUES,), names=("{pkg}.kinds",), area="layout", reach=2),
    Feature("renamed", "`{query}` is called `{renamed}`", "`{query}` is what our database calls its own function.",
            ("`{pkg}.{renamed}` is what `{pkg}.{query}` was. `{query}` stays and does the same, with a DeprecationWarning each time it is called; nothing in the package calls it.",),
            structure("renamed", 0.25, ("warns", 1), ("warns", 2), ("warns", 3)), kind="refactoring", files=(RUN, INIT), names=("{pkg}.{renamed}",), area="layout", reach=2),
    Feature("distinct_fast", "`distinct` is slow", "`distinct` of a long table takes minutes.", ("`distinct` of twice as many rows may take about twice as many steps, not four times as many. What it gives stays as it is.",), _fast, needs=("distinct",), kind="speed", files=(RUN,),
            area="speed", reach=1),
)  # fmt: skip

DEFECTS: tuple[Defect, ...] = (
    Defect("null_compare", "Missing values in conditions", "As soon as a value is missing, a query ends with Python's own error, or finds rows that it should not.", ("~No comparison with a missing value holds, neither `=` nor `{ne}` nor any order.",), of(_still), files=(VALUES,)),
    Defect("order_unstable", "Equal rows change their order", "With `desc`, rows that are equal come in another order than in the table.", ("Rows that are equal in all columns of `{w_order} by` stay in their order, also with `desc`.",), of(_order), files=(RUN,)),
    Defect("limit_nothing", "`{w_limit} 0` gives all", "A page size of 0 shows the whole table.", ("`{w_limit} 0` keeps no row.",), of(_limit), files=(RUN,)),
    Defect("like_signs", "`like` takes some signs for something else", "A search for 'a.b' finds 'axb', one for '(' ends with Python's own error.", ("In a pattern of `like`, all characters but `%` and `_` stand for themselves.",), where(_like), files=(NODES,)),
    Defect("between_edge", "`between` at its upper limit", "The value at the upper limit of `between` is treated wrongly.", ("`a between 1 and 5` is {between_told}.",), where(_between), files=(NODES,)),
    Defect("csv_quotes", "`csv` and quotes", "A value with a quote in it breaks our import.", ("In `csv`, a value with a `\"` in it stands between `\"`, with that one doubled, also if it has neither comma nor new line.",), of(_csv), files=(RUN,)),
)  # fmt: skip


def _when(feature: str, name: str, *values: Any, without: str = "") -> Callable[[State, Random], dict[str, Any] | None]:
    def to(state: State, _s: Random) -> dict[str, Any] | None:
        if not state.has(feature) or without in state.wrong:
            return None
        return {name: values[1] if state.facts[name] == values[0] else values[0]}

    return to


CHANGES: tuple[Change, ...] = (
    Change("nulls", "Missing values come {nulls} in order", "Missing values are at the wrong end of our reports.", ("In `{w_order} by`, missing values come {nulls} from now on, whichever way.",), _when("order", "nulls", "first", "last"), of(_order), files=(RUN,), reach=1),
    Change("like_case", "`like` and capital letters", "Searching by `like` is settled anew.", ("{like_told}",), _when("like", "like_case", "any", "same", without="like_signs"), where(_like), files=(NODES,), reach=1),
    Change("between_end", "`between` and its upper limit", "The upper limit of `between` is settled anew.", ("`a between 1 and 5` is {between_told}, from now on.",), _when("between", "between_end", "in", "out", without="between_edge"), where(_between), files=(NODES,), reach=1),
)  # fmt: skip
