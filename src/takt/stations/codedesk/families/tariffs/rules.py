"""Rules that are drawn: when they apply, what they take, and the slips that are common in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

Facts = Mapping[str, Any]
Note = Callable[[str], None]
LABELS = tuple(
    "island remote heavy bulky evening express fragile seasonal peak rural storage handling security cooling insurance courier fuel customs "
    "holiday winter harbour mountain group loyalty early online weekday student senior family partner spring bundle volume welcome anniversary "
    "garden bridge tunnel quiet priority standard night morning return surplus charter festival summer autumn regional local".split()
)


@dataclass(frozen=True)
class Rule:
    """A surcharge or a discount. Amounts in the smallest unit, percentages in hundredths of a percent."""

    label: str
    stage: str  # surcharge or discount
    conditions: tuple[tuple[str, Any], ...]  # all must hold
    amount: tuple[Any, ...]
    cap: int | None

    @property
    def python(self) -> str:
        return self.label.replace(" ", "_")

    @property
    def defect(self) -> str:
        return f"rule.{self.label}"

    @property
    def slip(self) -> str | None:
        """The slip that this rule can have."""
        kinds = [kind for kind, _ in self.conditions]
        if self.cap is not None:
            return "cap"
        if "least" in kinds or "above" in kinds or "below" in kinds:
            return "edge"
        if self.amount[0] == "started":
            return "started"
        if "pieces" in kinds:
            return "pieces"
        return None

    # -- what it means

    def of(
        self, order: Mapping[str, Any], base: int, subtotal: int, facts: Facts, note: Note, slip: str | None = None
    ) -> int:
        """What the rule takes of an order; 0 where it does not apply."""
        for number, (kind, value) in enumerate(self.conditions):
            quantity, pieces = order[facts["f_qty"]], order[facts["f_count"]]
            if kind in ("least", "above", "below"):
                note(f"{self.label} {kind} {max(-2, min(2, quantity - value))}")
                edge = slip == "edge"
                holds = {"least": quantity >= value, "above": quantity > value, "below": quantity < value}[kind] or (
                    edge and kind != "least" and quantity == value
                )
                holds = holds and not (edge and kind == "least" and quantity == value)
            elif kind == "zones":
                holds = order[facts["f_zone"]] in value
                note(f"{self.label} in {order[facts['f_zone']]}")
            elif kind == "cats":
                holds = order[facts["f_cat"]] in value
                note(f"{self.label} of {order[facts['f_cat']]}")
            elif kind == "member":
                holds = order[facts["f_member"]] == value
                note(f"{self.label} member {order[facts['f_member']]}")
            elif kind == "pieces":
                holds = pieces > value if slip == "pieces" else pieces >= value
                note(f"{self.label} pieces {max(-1, min(1, pieces - value))}")
            else:
                holds = order.get("day") in value
                note(f"{self.label} day {holds} {order.get('day') is None}")
            if not holds:
                note(f"{self.label} fails at {number}")
                return 0
        amount = self._amount(order, base, subtotal, facts, note, slip)
        if self.cap is not None and slip != "cap" and amount > self.cap:
            note(f"{self.label} capped")
            return self.cap
        note(f"{self.label} takes {'nothing' if not amount else 'some'}")
        return amount

    def _amount(
        self, order: Mapping[str, Any], base: int, subtotal: int, facts: Facts, note: Note, slip: str | None
    ) -> int:
        kind = self.amount[0]
        quantity = order[facts["f_qty"]]
        if kind == "flat":
            return int(self.amount[1])
        if kind == "piece":
            note(f"{self.label} of {min(order[facts['f_count']], 3)}")
            return int(self.amount[1]) * int(order[facts["f_count"]])
        if kind == "unit":
            note(f"{self.label} free {max(-1, min(2, quantity - self.amount[2]))}")
            return int(self.amount[1]) * max(0, quantity - self.amount[2])
        if kind == "started":
            size = self.amount[2]
            note(f"{self.label} started {quantity // size if quantity < 3 * size else 3} {min(quantity % size, 2)}")
            return int(self.amount[1]) * (quantity // size if slip == "started" else -(-quantity // size))
        of = base if self.amount[2] == "base" else subtotal
        note(f"{self.label} of {'base' if base == subtotal else 'more'}")
        return rounded(of * self.amount[1], facts["rounding"], note)

    # -- how it is told

    def told(self, facts: Facts) -> tuple[str, ...]:
        what = "surcharge" if self.stage == "surcharge" else "discount"
        who = ", ".join(_condition(kind, value, facts) for kind, value in self.conditions)
        lines = [f"A {what} with the label `{self.label}`, for orders {who}: {_amount(self.amount, facts)}."]
        if self.cap is not None:
            lines.append(f"It is never more than {self.cap}.")
        return tuple(lines)

    # -- how it is written

    def code(self, facts: Facts, slip: str | None) -> str:
        signs = {"least": (">=", ">"), "above": (">", ">="), "below": ("<", "<=")}
        tests = []
        for kind, value in self.conditions:
            if kind in signs:
                tests.append(f'order["{facts["f_qty"]}"] {signs[kind][slip == "edge"]} {value}')
            elif kind == "zones":
                tests.append(f'order["{facts["f_zone"]}"] in {value!r}')
            elif kind == "cats":
                tests.append(f'order["{facts["f_cat"]}"] in {value!r}')
            elif kind == "member":
                tests.append(f'{"" if value else "not "}order["{facts["f_member"]}"]')
            elif kind == "pieces":
                tests.append(f'order["{facts["f_count"]}"] {">" if slip == "pieces" else ">="} {value}')
            else:
                tests.append(f'order.get("day") in {value!r}')
        kind = self.amount[0]
        quantity = f'order["{facts["f_qty"]}"]'
        if kind == "flat":
            amount = str(self.amount[1])
        elif kind == "piece":
            amount = f'{self.amount[1]} * order["{facts["f_count"]}"]'
        elif kind == "unit":
            amount = f"{self.amount[1]} * " + (f"max(0, {quantity} - {self.amount[2]})" if self.amount[2] else quantity)
        elif kind == "started":
            started = f"{quantity} // {self.amount[2]}" if slip == "started" else f"-(-{quantity} // {self.amount[2]})"
            amount = f"{self.amount[1]} * ({started})"
        else:
            amount = f"percent({'base' if self.amount[2] == 'base' else 'subtotal'}, {self.amount[1]})"
        if self.cap is not None and slip != "cap":
            amount = f"min({amount}, {self.cap})"
        return f"    if {' and '.join(tests)}:\n        return {amount}"


def rounded(product: int, rule: str, note: Note) -> int:
    """An amount times hundredths of a percent, as an amount."""
    whole, rest = product // 10000, product % 10000
    note("exact" if not rest else "half" if rest == 5000 else "below half" if rest < 5000 else "above half")
    if rest == 5000:
        note(f"half above {'odd' if whole % 2 else 'even'}")
    if rule == "down" or rest < 5000:
        return whole
    if rest == 5000 and rule == "half_even":
        return whole + whole % 2
    return whole + 1


def _condition(kind: str, value: Any, facts: Facts) -> str:
    names = value if isinstance(value, tuple) else ()
    listed = " or ".join(f"`{name}`" for name in names)
    return {
        "least": f"with `{facts['f_qty']}` of at least {value}", "above": f"with `{facts['f_qty']}` above {value}",
        "below": f"with `{facts['f_qty']}` below {value}", "zones": f"with {facts['f_zone']} {listed}", "cats": f"with {facts['f_cat']} {listed}",
        "member": f"that are{'' if value else ' not'} of a {facts['f_member']}", "pieces": f"with `{facts['f_count']}` of {value} or more",
        "days": f"with `day` {listed}",
    }[kind]  # fmt: skip


def _amount(amount: tuple[Any, ...], facts: Facts) -> str:
    kind = amount[0]
    if kind == "flat":
        return f"{amount[1]} {facts['cents']}"
    if kind == "piece":
        return f"{amount[1]} times the {facts['f_count']}"
    if kind == "unit":
        free = f" above {amount[2]}" if amount[2] else ""
        return f"{amount[1]} for each unit of {facts['f_qty']}{free}"
    if kind == "started":
        return f"{amount[1]} for each {amount[2]} of {facts['f_qty']} that are begun"
    return f"{amount[1] / 100:g} % of the {'base' if amount[2] == 'base' else 'price so far'}"


def draw(stream: Random, facts: Facts, label: str, stage: str, days: bool) -> Rule:
    """A rule that nobody has seen."""
    s = stream
    stock: list[tuple[str, Any]] = [
        (s.choice(["least", "above", "below"]), s.randint(3, 25)),
        ("zones", tuple(s.sample(list(facts["zones"]), s.randint(1, len(facts["zones"]) - 1)))),
        ("cats", tuple(s.sample(list(facts["cats"]), s.randint(1, len(facts["cats"]) - 1)))),
        ("member", s.random() < 0.6), ("pieces", s.randint(2, 6)),
    ]  # fmt: skip
    if days:
        stock.append(("days", tuple(s.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], s.randint(1, 3)))))
    conditions = tuple(s.sample(stock, s.choice([1, 2, 2])))
    amounts: list[tuple[Any, ...]] = [
        ("flat", s.randrange(50, 600, 25)), ("unit", s.randrange(5, 60, 5), s.choice([0, 0, 5, 8])), ("started", s.randrange(50, 300, 10), s.choice([3, 4, 5, 10])),
        ("percent", s.choice([250, 500, 750, 1000, 1250, 1500, 2500]), s.choice(["base", "so far"])), ("piece", s.randrange(20, 200, 10)),
    ]  # fmt: skip
    amount = s.choice(amounts)
    cap = s.randrange(100, 900, 50) if amount[0] != "flat" and s.random() < 0.35 else None
    return Rule(label, stage, conditions, amount, cap)


def again(stream: Random, rule: Rule, facts: Facts, days: bool) -> Rule:
    """The same rule with another meaning."""
    return replace(draw(stream, facts, rule.label, rule.stage, days), label=rule.label)
