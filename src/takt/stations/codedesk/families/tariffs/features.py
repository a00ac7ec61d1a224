"""What can be asked for in the family `tariffs`.

Long because: it is a catalogue; each entry is whole by itself, and a new one goes to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from takt.stations.codedesk.families.offers import Change, Defect, Draw, Feature
from takt.stations.codedesk.families.state import Model, Question, State
from takt.stations.codedesk.families.tariffs.rules import Rule
from takt.stations.codedesk.families.tariffs.spec import DAYS


def order(state: State, s: Random, rule: Rule | None = None, bad: float = 0.03) -> tuple[tuple[str, Any], ...]:
    """An order, near the limits of the rules; of one rule in particular, mostly one to which it applies or nearly so."""
    f = state.facts
    rules = [rule] if rule is not None else list(state.drawn)
    limits = [value for one in rules for kind, value in one.conditions if kind in ("least", "above", "below")]
    limits += [
        one.amount[2] * s.randint(1, 3) for one in rules if one.amount[0] in ("unit", "started") and one.amount[2]
    ]
    quantity = (
        s.choice(limits) + s.choice([-1, 0, 1])
        if limits and s.random() < 0.6
        else s.choice([0, 1, s.randint(0, 30), s.randint(0, 12), s.randint(1000, 9000)])
    )
    found: dict[str, Any] = {
        f["f_zone"]: s.choice(f["zones"]),
        f["f_cat"]: s.choice(f["cats"]),
        f["f_qty"]: max(0, quantity),
    }
    if s.random() < 0.5:
        found[f["f_member"]] = s.random() < 0.6
    pieces = [value for one in rules for kind, value in one.conditions if kind == "pieces"]
    if s.random() < 0.5:
        found[f["f_count"]] = (
            max(1, s.choice(pieces) + s.choice([-1, 0, 0, 1])) if pieces and s.random() < 0.7 else s.randint(1, 6)
        )
    if state.has("days") and s.random() < 0.6:
        found["day"] = s.choice(DAYS)
    if state.has("coupons") and s.random() < 0.15:
        found["coupon"] = s.choice([code for code, _, _ in f["coupon_table"]])
    if rule is not None and s.random() < 0.7:
        for kind, value in rule.conditions:
            if kind == "zones":
                found[f["f_zone"]] = s.choice(value)
            elif kind == "cats":
                found[f["f_cat"]] = s.choice(value)
            elif kind == "member":
                found[f["f_member"]] = value
            elif kind == "pieces":
                found[f["f_count"]] = value + s.choice([0, 0, 1])
            elif kind == "days":
                found["day"] = s.choice(value)
            else:
                found[f["f_qty"]] = max(
                    0,
                    value
                    + {
                        "least": s.choice([0, 1, 6, 14]),
                        "above": s.choice([1, 2, 6, 14]),
                        "below": s.choice([-1, -2, -3]),
                    }[kind],
                )
    if s.random() < bad:
        field = s.choice([f["f_zone"], f["f_cat"], f["f_qty"]])
        if s.random() < 0.5 and field != f["f_qty"]:
            found[field] = "nowhere"
        else:
            del found[field]
    return tuple(found.items())


def quote(rule: Rule | None = None) -> Draw:
    return lambda state, _model, s: ("quote", order(state, s, rule))


def orders(kind: str, fewest: int = 0) -> Draw:
    def draw(state: State, _model: Model, s: Random) -> Question:
        some = [order(state, s, bad=0.01) for _ in range(s.randint(fewest, 5))]
        if some and s.random() < 0.4:
            some.append(s.choice(some))
        if some and s.random() < 0.4:
            again = dict(s.choice(some))
            again[state.facts["f_member"]] = again.get(state.facts["f_member"], False)
            some.append(tuple(again.items()))
        return (kind, tuple(some))

    return draw


def mixed(*draws: tuple[float, Draw]) -> Draw:
    def draw(state: State, model: Model, s: Random) -> Question:
        return s.choices([one for _, one in draws], [share for share, _ in draws])[0](state, model, s)

    return draw


def one(kind: str, *stock: Any) -> Draw:
    """An order and something of a stock."""
    return lambda state, _model, s: (kind, order(state, s), s.choice(stock))


def _numbers(state: State, _model: Model, s: Random) -> Question:
    f = state.facts
    given = dict(order(state, s, bad=0))
    if s.random() < 0.6:
        given[s.choice([f["f_qty"], f["f_count"]])] = s.choice([-1, 0, 1, 2.5, "3", True, False, None, 1.0, -7])
    return ("quote", tuple(given.items()))


def _strict(state: State, _model: Model, s: Random) -> Question:
    given = dict(order(state, s, bad=0))
    if s.random() < 0.6:
        given[s.choice(["colour", "note", "weigth", "x"])] = s.choice([1, "a", None])
    return ("quote", tuple(given.items()))


def _days(state: State, _model: Model, s: Random) -> Question:
    given = dict(order(state, s))
    given["day"] = s.choice([*DAYS, "monday", "xxx", "", None, 3, "Sun"])
    return ("quote", tuple(given.items()))


def _coupons(state: State, _model: Model, s: Random) -> Question:
    given = dict(order(state, s, bad=0))
    codes = [code for code, _, _ in state.facts["coupon_table"]]
    given["coupon"] = s.choice([*codes, *codes, *(code.lower() for code in codes), "NOTHING", codes[0] + "X", None])
    return ("quote", tuple(given.items()))


def _coupon_edge(state: State, model: Model, s: Random) -> Question:
    """An order whose price is just what a coupon asks for, if one is found."""
    f = state.facts
    for _ in range(60):
        given = dict(order(state, s, bad=0))
        code, _, least = s.choice(f["coupon_table"])
        given.pop("coupon", None)
        posed = model.pose(("quote", tuple(given.items())))
        if posed is not None and isinstance(posed.expected, dict):
            price = sum(
                amount for label, amount in posed.expected["lines"] if label not in ("minimum", "tax", "rounding")
            )
            if price == least:
                return ("quote", (*given.items(), ("coupon", code)))
    return _coupons(state, model, s)


def _read(state: State, _model: Model, s: Random) -> Question:
    f = state.facts
    parts = []
    for field, value in order(state, s, bad=0):
        if field == f["f_member"]:
            if value:
                parts.append(field)
        else:
            parts.append(f"{field}={value}")
    s.shuffle(parts)
    roll = s.random()
    if roll < 0.4:
        odd = s.choice(
            [
                "colour=red",
                f["f_zone"],
                f"{f['f_qty']}=x",
                f"{f['f_qty']}=",
                f"{f['f_member']}=1",
                f"{f['f_member']}=",
                f"{f['f_count']}=-1",
                f"{f['f_qty']}=4",
                "=",
                f["f_cat"],
            ]
        )
        if s.random() < 0.8:  # instead of what the order has there
            parts = [part for part in parts if part.partition("=")[0] != odd.partition("=")[0]]
        parts.insert(s.randint(0, len(parts)), odd)
    elif roll < 0.5:
        parts = parts[:1]
    text = " ".join(parts)
    return ("read", s.choice([text, text, text, text.replace(" ", "  ", 1), f" {text} "]))


def _instalments(state: State, _model: Model, s: Random) -> Question:
    count = s.choice([1, 2, 3, 4, 6, 7, 12, 0, -1])
    return (
        "instalments",
        s.choice([0, 1, 2, count * 5, count * 7 + 1, s.randint(0, 3000)]) if count > 0 else 10,
        count,
    )


def _money(state: State, _model: Model, s: Random) -> Question:
    return (
        "money",
        s.choice(
            [
                0,
                1,
                -1,
                5,
                99,
                100,
                -100,
                101,
                -5,
                12345,
                -12345,
                100000,
                99999,
                1234567,
                -100000,
                123456789,
                s.randint(-3000, 3000),
            ]
        ),
    )


def _refund(state: State, _model: Model, s: Random) -> Question:
    edges = [least for least, _ in state.facts["refund_table"]]
    return (
        "refund",
        order(state, s),
        max(0, s.choice(edges) + s.choice([-1, 0, 1])) if s.random() < 0.85 else s.randint(0, 60),
    )


def _currency(state: State, _model: Model, s: Random) -> Question:
    codes = [code for code, _ in state.facts["currency_table"]]
    return ("currency", order(state, s), s.choice([*codes, *codes, *codes, "XXX", codes[0].lower()]))


def _difference(state: State, _model: Model, s: Random) -> Question:
    some = order(state, s, bad=0)
    other = some if s.random() < 0.1 else order(state, s, bad=0)
    if s.random() < 0.5:
        other = tuple({**dict(some), state.facts["f_qty"]: dict(other)[state.facts["f_qty"]]}.items())
    return ("difference", some, other)


def _repeats(state: State, _model: Model, s: Random) -> Question:
    question: tuple[Any, ...] = orders("repeats")(state, _model, s)
    return (question[0], tuple(tuple(sorted(one_order, key=lambda _: s.random())) for one_order in question[1]))


def _moved(state: State, model: Model, s: Random) -> Question:
    if s.random() < 0.25:
        package = state.facts["pkg"]
        return ("structure", "same_object", f"{package}.money", f"{package}.rounding", "percent")
    return ("quote", order(state, s)) if s.random() < 0.7 or not state.has("explain") else ("explain", order(state, s))


def _renamed(state: State, model: Model, s: Random) -> Question:
    return (
        ("structure", "warns", s.choice(state.facts["zones"]), s.randint(0, 9))
        if s.random() < 0.35
        else ("quote", order(state, s))
    )


def _grows(state: State, model: Model, s: Random) -> Question:
    return (
        ("grows", "grows_repeats", s.choice([40, 60, 80, 100, 150])) if s.random() < 0.25 else _repeats(state, model, s)
    )


ENGINE, ORDERS, MANY, MONEY, INIT, TABLES = (
    f"{{pkg}}/{name}.py" for name in ("engine", "orders", "many", "money", "__init__", "tables")
)
QUOTES = quote()
FEATURES: tuple[Feature, ...] = (
    Feature("minimum", "A minimum price", "Small orders cost us more than they bring.",
            ("A price below {minimum} {cents} is raised to {minimum}, by a line `minimum` after discounts and coupons (and before tax and rounding, where there are such).",),
            QUOTES, files=(ENGINE,), area="prices", reach=1),
    Feature("tax", "Tax by {f_cat}", "From January on there is tax.",
            ("After all other lines (but before rounding) comes a line `tax`: a percentage of the price so far, by {f_cat}: {tax_told}.", "~A tax of 0 has no line."),
            QUOTES, files=(ENGINE, TABLES), area="prices", reach=2),
    Feature("coins", "Prices in steps of {coin}", "There are no smaller coins any more.",
            ("The price is brought {coin_word} to a multiple of {coin} by a last line `rounding`, if it is none already.",), QUOTES, files=(ENGINE,), area="prices", reach=1),
    Feature("cap_surcharges", "Surcharges have a limit", "Customers complain about surcharges that are higher than the price.",
            ("All surcharges of an order together are never more than {surcharge_cap} {cents}: what is above is taken off by a line `surcharge limit` behind the surcharges and before discounts.",),
            QUOTES, files=(ENGINE,), area="prices", reach=1, if_=lambda st: sum(rule.stage == "surcharge" for rule in st.drawn) > 1),
    Feature("coupons", "Coupons", "Marketing hands out coupons.",
            ("An order may have a `coupon`: {coupon_told}. After discounts, it takes its percentage off the price so far, if that price is at least what the coupon asks for, by a line `coupon CODE`. "
             "A coupon that there is not raises {e_coupon} (new, below {e_base}); None is no coupon.", "{coupon_case_told}"),
            mixed((0.75, _coupons), (0.25, _coupon_edge)), files=(ENGINE, TABLES, ORDERS, INIT), names=("{pkg}.{e_coupon}",), area="coupons", reach=3, brings={"coupon_least": 0.5}),
    Feature("numbers", "Refuse amounts that make no sense", "Somebody ordered -3 of them, and got money back.",
            ("`{f_qty}` must be an `int` of 0 or more, `{f_count}` one of 1 or more; anything else raises {e_order}. A truth is no number here.",),
            _numbers, files=(ORDERS,), area="orders", reach=1, brings={"bool_amount": 0.6}),
    Feature("strict", "Refuse fields that nobody knows", "A misspelt field is silently ignored.",
            ("An order with a field that no part of the tariff knows raises {e_order}.",), _strict, files=(ORDERS,), area="orders", reach=1),
    Feature("days", "The day of the week", "Rules shall depend on the day.",
            ("An order may have a `day`: {days_told}, or None, which is as none. Any other raises {e_order}.",), _days, files=(ORDERS,), area="orders", reach=1),
    Feature("read_order", "Orders from a line of text: `read_order`", "We get orders by e-mail.",
            ("`{pkg}.read_order(text)` is the order of a line such as `{f_zone}={zones[0]} {f_cat}={cats[0]} {f_qty}=3 {f_member}`: parts with spaces between them, in any order, as many spaces as one likes.",
             "`{f_qty}` and `{f_count}` are whole numbers in decimal digits, `{f_member}` stands alone and means True, all other fields of orders are texts. A part that is none of these, or a field that comes twice, "
             "raises {e_order}. Nothing else is looked at: not whether something is missing, nor whether it is in the tables."),
            _read, files=(ORDERS, INIT), names=("{pkg}.read_order",), area="orders", reach=2, brings={"read_spaces": 0.6}),
    Feature("show_money", "Amounts as people read them: `show_money`", "Nobody reads 1234567 as an amount.",
            ("`{pkg}.show_money(amount)` is a text: the amount in hundreds of {cents}, `{point}`, and two digits; a minus in front of what is below zero. {thousands_told}",
             "Where there is `explain`, its amounts are written so from now on."),
            lambda st, m, s: _money(st, m, s) if s.random() < 0.8 or not st.has("explain") else ("explain", order(st, s)), files=(MONEY, INIT), names=("{pkg}.show_money",), area="money", reach=2,
            brings={"show_negative": 0.5}),
    Feature("explain", "Explain a price: `explain`", "Why does it cost that much? We are asked every day.",
            ("`{pkg}.explain(order)` is a text with a line `label: amount` for each line of the price and a last one for `total`, with new lines between them and none at the end.",
             "Where there is `show_money`, amounts are written by it."),
            lambda st, m, s: ("explain", order(st, s)), files=(ENGINE, INIT), names=("{pkg}.explain",), area="money", reach=2),
    Feature("which", "Which rules apply: `which`", "Support wants to know which rules an order meets.",
            ("`{pkg}.which(order)` is the list of labels of the rules that give an amount other than 0 for it: surcharges, then discounts, in their order. Here all discounts are looked at by themselves, each with the price "
             "after the surcharges, before any limit on them.",),
            lambda st, m, s: ("which", order(st, s)), files=(ENGINE, INIT), names=("{pkg}.which",), area="prices", reach=2, if_=lambda st: len(st.drawn) > 1),
    Feature("quote_all", "Many orders: `quote_all`", "The monthly report is put together by hand.",
            ("`{pkg}.quote_all(orders)` is a dict of `count` (how many), `total` (the sum of the prices) and `by_{f_zone}`: a dict of the sum for each {f_zone} that comes.",),
            orders("all"), files=(MANY, INIT), names=("{pkg}.quote_all",), area="many", reach=2, brings={"quote_all_last": 0.4}),
    Feature("cheapest", "The cheapest of several orders: `cheapest`", "Customers want the cheapest variant.",
            ("`{pkg}.cheapest(orders)` is the order with the lowest price, of several with the same price the {first_word}. Without any order, {e_base} is raised.",),
            orders("cheapest"), files=(MANY, INIT), names=("{pkg}.cheapest",), area="many", reach=2, brings={"cheapest_equal": 0.5}),
    Feature("refund", "What is paid back: `refund`", "Cancellations are refunded as the clerk sees fit.",
            ("`{pkg}.refund(order, days)` is what is paid back when an order is cancelled that many days before: {refund_told} of the price; with fewer, 0.",), _refund,
            files=(MANY, INIT), names=("{pkg}.refund",), area="many", reach=2, brings={"refund_edge": 0.5}),
    Feature("points", "Points for customers: `points`", "Regular customers shall get something.",
            ("`{pkg}.points(orders)`: for each whole {points_each} {cents} of the price of each order there are {points_per} points. {points_told}",), orders("points"), files=(MANY, INIT),
            names=("{pkg}.points",), area="many", reach=2),
    Feature("currency", "Prices in other currencies: `in_currency`", "We sell abroad now.",
            ("`{pkg}.in_currency(order, code)` is the total times the rate of the currency, rounded once as percentages are. Rates: {currency_told}. A currency that is not among them raises {e_order}.",), _currency,
            files=(MANY, TABLES, INIT), names=("{pkg}.in_currency",), area="many", reach=3),
    Feature("difference", "Compare two orders: `difference`", "What changes if they take the other one?",
            ("`{pkg}.difference(order, other)` is a list of `[label, amount, other amount]` of the lines whose amounts differ, 0 standing for a line that one of them has not: first the lines of the first order, in their order, "
             "then those that only the other one has.",), _difference, files=(MANY, INIT), names=("{pkg}.difference",), area="many", reach=2, if_=lambda st: len(st.drawn) > 2),
    Feature("repeats", "Find orders that were sent twice: `repeats`", "The web shop sends some orders twice.",
            ("`{pkg}.repeats(orders)` is the list of places (from 0) of orders that are equal to an earlier one, as dicts are equal.",), _repeats, files=(MANY, INIT), names=("{pkg}.repeats",), area="many", reach=2),
    Feature("instalments", "Instalments: `instalments`", "Some pay in parts.",
            ("`{pkg}.instalments(amount, count)` is a list of so many amounts whose sum is the amount (of 0 or more), and of which none differs from another by more than 1; the larger ones come {larger_word}. "
             "A count below 1 raises {e_base}.",), _instalments, files=(MONEY, INIT), names=("{pkg}.instalments",), area="money", reach=2, brings={"instalments_lose": 0.4}),
    Feature("moved_percent", "Rounding in a module of its own", "`money` imports are circular as soon as we split the engine.",
            ("`percent` moves from `{pkg}.money` to a new module `{pkg}.rounding`. It can still be imported from the old place, and is the same function there. Prices stay as they are.",), _moved,
            kind="refactoring", files=(MONEY,), names=("{pkg}.rounding",), area="layout", reach=2, if_=lambda st: len(st.drawn) > 2),
    Feature("renamed", "`{quote}` is called `{renamed}`", "`{quote}` means something else to our colleagues.",
            ("`{pkg}.{renamed}` is what `{pkg}.{quote}` was. `{quote}` stays and does the same, with a DeprecationWarning each time it is called. Nothing in the package calls it any more, so all else warns of nothing.",), _renamed,
            kind="refactoring", files=(ENGINE, MANY, INIT), names=("{pkg}.{renamed}",), area="layout", reach=3, if_=lambda st: len(st.drawn) > 2),
    Feature("repeats_fast", "`repeats` is slow", "`repeats` of a day's orders takes all night.",
            ("`repeats` of twice as many orders may take about twice as many steps, not four times as many. What it gives stays as it is; values of orders are texts, numbers, truths or None.",), _grows, needs=("repeats",),
            kind="speed", files=(MANY,), area="speed", reach=1),
)  # fmt: skip

DEFECTS: tuple[Defect, ...] = (
    Defect("coupon_least", "A coupon is refused at just its limit", "Customers whose price is exactly what a coupon asks for do not get it.",
           ("A coupon counts if the price is at least what it asks for.",), mixed((0.7, _coupon_edge), (0.3, _coupons)), files=(ENGINE,)),
    Defect("bool_amount", "A truth is taken for a number", "An order with `{f_qty}` True went through.", ("A truth is no number in an order: {e_order}.",), _numbers, files=(ORDERS,)),
    Defect("read_spaces", "`read_order` stumbles over spaces", "A line with two spaces in a row, or one at its end, is refused.",
           ("Any number of spaces may stand between the parts of a line, before and behind them.",), _read, files=(ORDERS,)),
    Defect("show_negative", "Amounts below zero are shown wrongly", "-5 is shown as something near -1.95.",
           ("~An amount below zero is shown as the same amount above zero, with a minus in front.",), _money, files=(MONEY,)),
    Defect("quote_all_last", "`quote_all` loses orders", "The monthly total is too low as soon as two orders have the same {f_zone}.",
           ("`by_{f_zone}` has the sum of all orders of a {f_zone}, and `total` that of all.",), orders("all", 2), files=(MANY,)),
    Defect("cheapest_equal", "`cheapest` takes the wrong one of equal prices", "Of two orders at the same price the other one is shown.",
           ("Of several orders with the lowest price `cheapest` gives the {first_word}.",), orders("cheapest", 1), files=(MANY,)),
    Defect("refund_edge", "Refunds are wrong on the very day", "Who cancels just in time gets too little.", ("`refund` goes by: {refund_told} of the price; with fewer days, 0.",), _refund, files=(MANY,)),
    Defect("instalments_lose", "Instalments lose money", "The sum of the parts is less than the amount.",
           ("The parts of `instalments` sum up to the amount; none differs from another by more than 1, and the larger ones come {larger_word}.",), _instalments, files=(MONEY,)),
    Defect("below_nothing", "A discount makes a price negative", "An order cost less than nothing.", ("~A discount never takes off more than there is.",),
           QUOTES, files=(ENGINE,)),
)  # fmt: skip


def _best(state: State, _s: Random) -> dict[str, Any] | None:
    if "below_nothing" in state.wrong or sum(rule.stage == "discount" for rule in state.drawn) < 2:
        return None
    return {"best_only": not state.facts["best_only"]}


def _stock(name: str, *values: Any) -> Callable[[State, Random], dict[str, Any] | None]:
    return lambda state, s: {name: s.choice([value for value in values if value != state.facts[name]])}


def _when(
    feature: str, then: Callable[[State, Random], dict[str, Any] | None], *without: str
) -> Callable[[State, Random], dict[str, Any] | None]:
    return lambda state, s: then(state, s) if state.has(feature) and not state.wrong & set(without) else None


def _dearer(state: State, s: Random) -> dict[str, Any]:
    name = s.choice(list(state.facts["zones"]))
    start = {**state.facts["start"], name: state.facts["start"][name] + s.randrange(50, 300, 50)}
    return {"start": start, "changed_zone": name, "changed_start": start[name]}


CHANGES: tuple[Change, ...] = (
    Change("rounding", "Percentages are rounded otherwise", "The auditors want another rounding.", ("Percentages are rounded like this from now on: {round_doc}.",),
           lambda st, s: _stock("rounding", "down", "half_up", "half_even")(st, s) if len(st.drawn) > 2 else None, QUOTES, files=(MONEY,), reach=1),
    Change("best", "{best_title}", "Discounts are being settled anew.", ("{best_told}",), _best, QUOTES, files=(ENGINE,), reach=1),
    Change("minimum", "Another minimum price", "The minimum does not cover our costs any more.", ("The minimum price is {minimum} {cents} from now on; it was {old_minimum}.",),
           _when("minimum", lambda st, s: {"minimum": st.facts["minimum"] + s.choice([100, 250, 150])}), QUOTES, files=(ENGINE,), reach=1),
    Change("coins", "Prices in steps of {coin}, {coin_word}", "The steps of prices are wrong.", ("The price is brought {coin_word} to a multiple of {coin}.",),
           _when("coins", lambda st, s: {"coin": s.choice([one for one in (5, 10, 20, 50) if one != st.facts["coin"]]), "coin_up": s.random() < 0.5}), QUOTES, files=(ENGINE,), reach=1),
    Change("start", "{changed_zone} costs more", "The way to {changed_zone} has become longer.", ("In `START`, `{changed_zone}` has {changed_start} from now on.",), _dearer, QUOTES, files=(TABLES,), reach=1),
    Change("larger", "Larger instalments come {larger_word}", "The order of instalments is settled anew.", ("In `instalments`, the larger parts come {larger_word} from now on.",),
           _when("instalments", lambda st, s: {"larger_first": not st.facts["larger_first"]}, "instalments_lose"), _instalments, files=(MONEY,), reach=1),
    Change("refund", "Refunds anew", "The terms of cancellation have changed.", ("`refund`: {refund_told} of the price from now on; with fewer days, 0.",),
           _when("refund", lambda st, s: {"refund_table": tuple((least + s.choice([1, 2, 5]), points) for least, points in st.facts["refund_table"])}, "refund_edge"), _refund, files=(MANY,), reach=1),
)  # fmt: skip
