"""What an order costs: the specification of the family `tariffs`, executable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from takt.stations.codedesk.families.state import Posed, Question, Raises, State
from takt.stations.codedesk.families.tariffs.rules import Rule, rounded

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Order = tuple[tuple[str, Any], ...]

MUCH = 20_000  # of which a hundredth of a percent is seen


class Wrong(Exception):
    """An error is due: base, order or coupon."""


class Pricing:
    """The model: answers questions in one state.

    Long because: values, errors and limits of every form of one language are read against each other.
    """

    def __init__(self, state: State) -> None:
        self.state, self.facts, self.on = state, state.facts, set(state.on)
        self.rules: tuple[Rule, ...] = state.drawn
        self.notes: set[str] = set()

    def note(self, what: str) -> None:
        self.notes.add(what)

    def pose(self, question: Question) -> Posed | None:
        self.notes = set()
        kind, *given = question
        need = NEEDS[kind]
        if need is not None and need not in self.on:
            return None
        try:
            posed = getattr(self, f"_q_{kind}")(*given)
        except Wrong as wrong:
            if str(wrong) == "unsaid":
                return None
            self.note(f"wrong {wrong}")
            error = self.facts[f"e_{wrong}"]
            ask, arguments = self.arguments(kind, given)
            return Posed(ask, arguments, Raises(error), frozenset(self.notes))
        if posed is None:
            return None
        ask, arguments = self.arguments(kind, given)
        return Posed(ask, arguments, posed, frozenset(self.notes))

    def arguments(self, kind: str, given: list[Any]) -> tuple[str, tuple[Any, ...]]:
        """The name of the ask, and what the test hands over."""
        if kind in ("structure", "grows"):
            return str(given[0]), tuple(given[1:])
        if kind in ("all", "cheapest", "points", "repeats"):
            return kind, ([dict(one) for one in given[0]], *given[1:])
        if kind == "difference":
            return kind, (dict(given[0]), dict(given[1]))
        if kind in ("quote", "kept", "explain", "which", "refund", "currency"):
            return kind, (dict(given[0]), *given[1:])
        return kind, tuple(given)

    # -- orders and prices

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        f = self.facts
        for field in (f["f_zone"], f["f_cat"], f["f_qty"]):
            if field not in given:
                self.note(f"no {field}")
                raise Wrong("order")
        known = {f["f_zone"], f["f_cat"], f["f_qty"], f["f_member"], f["f_count"]}
        known |= ({"coupon"} if "coupons" in self.on else set()) | ({"day"} if "days" in self.on else set())
        if "strict" in self.on and not set(given) <= known:
            self.note("unknown field")
            raise Wrong("order")
        order = {f["f_member"]: False, f["f_count"]: 1} | dict(given)
        if order[f["f_zone"]] not in f["zones"]:
            self.note("no such zone")
            raise Wrong("order")
        if order[f["f_cat"]] not in f["cats"]:
            self.note("no such kind")
            raise Wrong("order")
        if "numbers" in self.on:
            for field, least in ((f["f_qty"], 0), (f["f_count"], 1)):
                value = order[field]
                if isinstance(value, bool):
                    self.note("bool_amount")
                self.note(
                    f"{field} {type(value).__name__} {value if isinstance(value, int) and value <= least else 'more'}"
                )
                if isinstance(value, bool) or not isinstance(value, int) or value < least:
                    raise Wrong("order")
        elif any(
            isinstance(order[one], bool) or not isinstance(order[one], int) or order[one] < 0
            for one in (f["f_qty"], f["f_count"])
        ):
            raise Wrong("unsaid")
        if "days" in self.on and order.get("day") is not None and order["day"] not in DAYS:
            self.note("no such day")
            raise Wrong("order")
        return order

    def base(self, order: Mapping[str, Any]) -> int:
        f = self.facts
        pieces = order[f["f_count"]] if f["per_piece"] else 1
        return int(f["start"][order[f["f_zone"]]] + f["unit"][order[f["f_cat"]]] * order[f["f_qty"]] * pieces)

    def rule(self, rule: Rule, order: Mapping[str, Any], base: int, subtotal: int) -> int:
        amount = rule.of(order, base, subtotal, self.facts, self.note)
        if rule.defect in self.state.wrong or rule.slip is not None:
            kept = set(self.notes)
            slipped = rule.of(order, base, subtotal, self.facts, self.note, rule.slip)
            self.notes = kept | ({rule.defect} if slipped != amount else set())
        return amount

    def lines(self, given: Mapping[str, Any]) -> list[list[Any]]:
        order = self.checked(given)
        f = self.facts
        base = self.base(order)
        lines: list[list[Any]] = [["base", base]]

        def total() -> int:
            return sum(amount for _, amount in lines)

        for rule in self.rules:
            if rule.stage == "surcharge" and (amount := self.rule(rule, order, base, total())):
                lines.append([rule.label, amount])
        if "cap_surcharges" in self.on:
            extra = total() - base - f["surcharge_cap"]
            self.note(f"surcharges {'over' if extra > 0 else 'under'} by {abs(extra) if abs(extra) < 2 else 'more'}")
            if extra > 0:
                lines.append(["surcharge limit", -extra])
        if f["best_only"]:
            found = [
                (self.rule(rule, order, base, total()), rule.label) for rule in self.rules if rule.stage == "discount"
            ]
            best = max((amount for amount, _ in found), default=0)
            self.note(f"{sum(1 for amount, _ in found if amount)} discounts apply")
            if best:
                label = next(label for amount, label in found if amount == best)
                lines.append([label, -min(best, total())])
        else:
            for rule in self.rules:
                if rule.stage == "discount":
                    amount = self.rule(rule, order, base, total())
                    if amount > total():
                        self.note("below_nothing")
                    amount = min(amount, total())
                    if amount:
                        lines.append([rule.label, -amount])
        if "coupons" in self.on:
            self.coupon(order, lines)
        if "minimum" in self.on:
            self.note(f"minimum {max(-1, min(1, f['minimum'] - total()))}")
            if total() < f["minimum"]:
                lines.append(["minimum", f["minimum"] - total()])
        if "tax" in self.on:
            tax = rounded(total() * f["tax"][order[f["f_cat"]]], f["rounding"], self.note)
            self.note(f"tax {bool(tax)} {order[f['f_cat']]}")
            self.note(f"tax of {'much' if total() >= MUCH else 'little'} {order[f['f_cat']]}")
            if tax:
                lines.append(["tax", tax])
        if "coins" in self.on:
            rest = total() % f["coin"]
            self.note(f"coin {min(rest, 2)} {rest == f['coin'] - 1}")
            if rest:
                lines.append(["rounding", f["coin"] - rest if f["coin_up"] else -rest])
        return lines

    def coupon(self, order: Mapping[str, Any], lines: list[list[Any]]) -> None:
        code = order.get("coupon")
        if code is None:
            return
        if self.facts["coupon_case"]:
            self.note(f"upper {code == code.upper()}")
            code = code.upper()
        table = {one: (points, least) for one, points, least in self.facts["coupon_table"]}
        if code not in table:
            self.note("no such coupon")
            raise Wrong("coupon")
        points, least = table[code]
        price = sum(amount for _, amount in lines)
        amount = rounded(price * points, self.facts["rounding"], self.note)
        self.note(f"coupon {code} {'enough' if price > least else 'just' if price == least else 'too little'}")
        self.note(f"coupon {code} of {'much' if price >= MUCH else 'little'}")
        if price == least:
            self.note("coupon_least")
        if amount and price >= least:
            lines.append([f"coupon {code}", -amount])

    def price(self, given: Mapping[str, Any]) -> int:
        return sum(amount for _, amount in self.lines(given))

    # -- questions

    def _q_quote(self, order: Order) -> Any:
        try:
            lines = self.lines(dict(order))
        except Wrong as wrong:
            if str(wrong) == "unsaid":
                return None
            raise
        self.note(f"{min(4, len(lines))} lines")
        return {"total": sum(amount for _, amount in lines), "lines": lines}

    def _q_kept(self, order: Order) -> Any:
        """Whether the order that was given is as it was."""
        self.lines(dict(order))
        self.note("kept")
        return dict(order)

    def _q_explain(self, order: Order) -> Any:
        lines = self.lines(dict(order))
        show = self.money if "show_money" in self.on else str
        rows = [*lines, ["total", sum(amount for _, amount in lines)]]
        return "\n".join(f"{label}: {show(amount)}" for label, amount in rows)

    def money(self, amount: int) -> str:
        digits = str(abs(amount)).rjust(3, "0")
        whole, rest = digits[:-2], digits[-2:]
        if amount < 0:
            self.note("show_negative")
        if self.facts["thousands"]:
            groups: list[str] = []
            while whole:
                groups.insert(0, whole[-3:])
                whole = whole[:-3]
            self.note(f"{min(3, len(groups))} groups")
            whole = self.facts["thousands"].join(groups)
        self.note("small" if abs(amount) < 100 else "large")
        return ("-" if amount < 0 else "") + whole + self.facts["point"] + rest

    def _q_money(self, amount: int) -> Any:
        self.note(f"{amount}" if abs(amount) < 2 else "amount")
        return self.money(amount)

    def _q_which(self, order: Order) -> Any:
        given = self.checked(dict(order))
        base = self.base(given)
        subtotal, found = base, []
        for stage in ("surcharge", "discount"):
            for rule in self.rules:
                if rule.stage == stage and (amount := self.rule(rule, given, base, subtotal)):
                    found.append(rule.label)
                    subtotal += amount if stage == "surcharge" else 0
        self.note(f"{min(3, len(found))} apply")
        return found

    def _q_all(self, orders: tuple[Order, ...]) -> Any:
        sums: dict[str, int] = {}
        for order in orders:
            price = self.price(dict(order))
            zone = dict(order)[self.facts["f_zone"]]
            if zone in sums:
                self.note("quote_all_last")
            sums[zone] = sums.get(zone, 0) + price
        self.note(f"{min(3, len(orders))} orders")
        return {"count": len(orders), "total": sum(sums.values()), f"by_{self.facts['f_zone']}": sums}

    def _q_cheapest(self, orders: tuple[Order, ...]) -> Any:
        if not orders:
            raise Wrong("base")
        prices = [self.price(dict(one)) for one in orders]
        best = [dict(one) for one, price in zip(orders, prices, strict=True) if price == min(prices)]
        if best[0] != best[-1]:
            self.note("cheapest_equal")
        self.note(f"{min(2, len(best))} cheapest")
        return best[0] if self.facts["first_of_equal"] else best[-1]

    def _q_refund(self, order: Order, days: int) -> Any:
        price = self.price(dict(order))
        for least, points in self.facts["refund_table"]:
            self.note(f"refund {least} {max(-1, min(1, days - least))}")
            if days == least:
                self.note("refund_edge")
            if days >= least:
                self.note(f"refund {least} of {'much' if price >= MUCH else 'little'}")
                return rounded(price * points, self.facts["rounding"], self.note)
        return 0

    def _q_points(self, orders: tuple[Order, ...]) -> Any:
        f = self.facts
        earned = sum(self.price(dict(one)) // f["points_each"] * f["points_per"] for one in orders)
        if f["points_bonus"]:
            self.note(f"bonus {max(-1, min(1, len(orders) - f['points_from']))}")
            earned += f["points_bonus"] if len(orders) >= f["points_from"] else 0
        self.note(f"{min(2, len(orders))} orders, {'many' if earned > 100 else 'few' if earned else 'no'} points")
        return earned

    def _q_currency(self, order: Order, code: str) -> Any:
        rates = dict(self.facts["currency_table"])
        if code not in rates:
            self.note("no such currency")
            raise Wrong("order")
        self.note(f"in {code}")
        return rounded(self.price(dict(order)) * rates[code], self.facts["rounding"], self.note)

    def _q_difference(self, order: Order, other: Order) -> Any:
        one, two = dict(self.lines(dict(order))), dict(self.lines(dict(other)))
        labels = list(one) + [label for label in two if label not in one]
        for label in labels:
            self.note("in both" if label in one and label in two else "in one" if label in one else "in other")
        self.note("same" if one == two else "different")
        return [
            [label, one.get(label, 0), two.get(label, 0)] for label in labels if one.get(label, 0) != two.get(label, 0)
        ]

    def _q_repeats(self, orders: tuple[Order, ...]) -> Any:
        found = [at for at, order in enumerate(orders) if dict(order) in [dict(one) for one in orders[:at]]]
        self.note(f"{min(2, len(found))} repeats")
        return found

    def _q_instalments(self, amount: int, count: int) -> Any:
        if count < 1:
            self.note(f"{count} instalments")
            raise Wrong("base")
        small = amount // count
        larger = amount - small * count
        self.note("even" if not larger else f"{min(larger, 2)} larger")
        if larger:
            self.note("instalments_lose")
        parts = [small + 1] * larger + [small] * (count - larger)
        return parts if self.facts["larger_first"] else parts[::-1]

    def _q_read(self, text: str) -> Any:
        f = self.facts
        known = {
            f["f_zone"],
            f["f_cat"],
            *({"coupon"} if "coupons" in self.on else ()),
            *({"day"} if "days" in self.on else ()),
        }
        if text != " ".join(text.split()):
            self.note("read_spaces")
        order: dict[str, Any] = {}
        for part in text.split():
            field, sign, value = part.partition("=")
            if field in order:
                self.note("twice")
                raise Wrong("order")
            if field == f["f_member"] and not sign:
                order[field] = True
            elif field in (f["f_qty"], f["f_count"]) and sign and value and all(one in "0123456789" for one in value):
                order[field] = int(value)
            elif field in known and sign:
                order[field] = value
            else:
                self.note("cannot be read")
                raise Wrong("order")
            self.note(f"field {field}")
        self.note(f"{min(2, len(order))} fields")
        return order

    def _q_structure(self, ask: str, *arguments: Any) -> Any:
        if STRUCTURES[ask] not in self.on:
            return None
        self.note(f"{ask} {arguments[-1]}")
        return ["DeprecationWarning"] if ask == "warns" else True

    def _q_grows(self, ask: str, count: int) -> Any:
        self.note(f"grows {count}")
        return True


STRUCTURES = {"same_object": "moved_percent", "warns": "renamed"}
NEEDS: Mapping[str, str | None] = {
    "quote": None, "kept": None, "explain": "explain", "money": "show_money", "which": "which", "all": "quote_all", "cheapest": "cheapest",
    "refund": "refund", "points": "points", "currency": "currency", "difference": "difference", "repeats": "repeats",
    "instalments": "instalments", "read": "read_order", "structure": None, "grows": "repeats_fast",
}  # fmt: skip
