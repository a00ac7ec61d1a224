"""A tariff: what orders cost, by rules that keep coming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from takt.stations.codedesk.families import words
from takt.stations.codedesk.families.offers import gather
from takt.stations.codedesk.families.state import Ask, Model, Offer, Question, State
from takt.stations.codedesk.families.tariffs import rules
from takt.stations.codedesk.families.tariffs.features import CHANGES, DEFECTS, FEATURES, order, quote
from takt.stations.codedesk.families.tariffs.spec import DAYS, Pricing
from takt.stations.codedesk.families.writing import fill

TRADES = (  # summary, quantity, pieces, zone and kind with their values
    ("What parcels cost.", "weight", "parcels", ("zone", ("inland", "island", "abroad", "overseas")), ("kind", ("parcel", "letter", "pallet"))),
    ("What parking costs.", "hours", "cars", ("place", ("centre", "station", "harbour", "airport")), ("kind", ("car", "van", "bus"))),
    ("What a ferry costs.", "length", "people", ("route", ("north", "south", "bay", "loop")), ("vehicle", ("bike", "car", "lorry"))),
    ("What a stay costs.", "nights", "guests", ("house", ("lake", "hill", "town", "coast")), ("room", ("single", "double", "suite"))),
    ("What storage costs.", "volume", "boxes", ("site", ("east", "west", "docks", "hub")), ("goods", ("dry", "cold", "frozen"))),
)  # fmt: skip


class Tariffs:
    """The family `tariffs`."""

    name = "tariffs"

    def start(self, stream: Random) -> State:
        s = stream
        summary, quantity, pieces, (zone, zones), (kind, kinds) = s.choice(TRADES)
        codes = s.sample(["SPRING", "HELLO", "FRIEND", "TEN", "AGAIN", "VIP"], 2)
        facts: dict[str, Any] = {
            "pkg": s.choice(words.PACKAGES), "root": s.choice(["", "src"]), "summary": summary, "quote": s.choice(["quote", "price", "rate", "charge"]),
            "e_base": s.choice(["TariffError", "PriceError"]), "e_order": s.choice(["BadOrder", "WrongOrder"]), "e_coupon": s.choice(["NoSuchCoupon", "BadCoupon"]),
            "cents": s.choice(["cents", "pence", "rappen"]), "f_qty": quantity, "f_count": pieces, "f_zone": zone, "f_cat": kind,
            "f_member": s.choice(["member", "subscriber", "partner"]), "zones": tuple(s.sample(zones, 3)), "cats": kinds, "renamed": s.choice(["price_of", "cost_of", "priced"]),
            "start": {name: s.randrange(100, 900, 50) for name in zones}, "unit": {name: s.randrange(10, 120, 5) for name in kinds},
            "per_piece": s.random() < 0.4, "rounding": s.choice(["down", "half_up", "half_even"]), "best_only": s.random() < 0.4,
            "minimum": s.randrange(400, 1000, 50), "coin": s.choice([5, 10, 20]), "coin_up": s.random() < 0.5, "surcharge_cap": s.randrange(300, 900, 50),
            "coupon_table": tuple((code, s.choice([500, 1000, 1500, 2000]), s.randrange(400, 1500, 50)) for code in codes), "coupon_case": s.random() < 0.5,
            "tax": {name: s.choice([0, 500, 700, 1900, 2000]) for name in kinds}, "point": s.choice([".", ","]), "thousands": s.choice(["", "'", " "]),
            "currency_table": tuple((code, s.choice([10500, 9250, 8750, 14750, 12500])) for code in s.sample(["CHF", "USD", "GBP", "SEK"], 2)),
            "refund_table": s.choice([((14, 10000), (7, 5000), (2, 2500)), ((30, 10000), (10, 7500)), ((7, 8000), (3, 4000), (1, 1000))]),
            "first_of_equal": s.random() < 0.5, "larger_first": s.random() < 0.5, "points_each": s.choice([50, 100, 200]), "points_per": s.choice([2, 3, 5]),
            "points_bonus": s.choice([0, 10, 25]), "points_from": s.randint(2, 4),
        }  # fmt: skip
        facts["start"] = {name: facts["start"][name] for name in facts["zones"]}
        wrong = frozenset(["below_nothing"]) if not facts["best_only"] and s.random() < 0.6 else frozenset[str]()
        first = rules.draw(s, facts, f"{s.choice(rules.LABELS)} surcharge", "surcharge", False)
        second = rules.draw(s, facts, f"{s.choice(rules.LABELS)} discount", "discount", False)
        return State(facts=facts, drawn=(first, second), wrong=wrong)

    def asks(self, facts: Mapping[str, Any]) -> Mapping[str, Ask]:
        price = facts.get("now", facts["quote"])
        return {
            "quote": Ask("order", (f"return PKG.{price}(order)",)),
            "kept": Ask("order", (f"PKG.{price}(order)", "return order")),
            "explain": Ask("order", ("return PKG.explain(order)",)), "which": Ask("order", ("return PKG.which(order)",)),
            "money": Ask("amount", ("return PKG.show_money(amount)",)), "all": Ask("orders", ("return PKG.quote_all(orders)",)),
            "cheapest": Ask("orders", ("return PKG.cheapest(orders)",)), "refund": Ask("order, days", ("return PKG.refund(order, days)",)),
            "points": Ask("orders", ("return PKG.points(orders)",)), "currency": Ask("order, code", ("return PKG.in_currency(order, code)",)),
            "difference": Ask("order, other", ("return PKG.difference(order, other)",)), "repeats": Ask("orders", ("return PKG.repeats(orders)",)),
            "instalments": Ask("amount, count", ("return PKG.instalments(amount, count)",)), "read": Ask("text", ("return PKG.read_order(text)",)),
            "same_object": Ask("first, second, name", ("return getattr(importlib.import_module(first), name) is getattr(importlib.import_module(second), name)",)),
            "warns": Ask("zone, amount", (
                f"order = {{'{facts['f_zone']}': zone, '{facts['f_cat']}': '{facts['cats'][0]}', '{facts['f_qty']}': amount}}",
                "with warnings.catch_warnings(record=True) as caught:", "    warnings.simplefilter('always')",
                f"    old, new = PKG.{facts['quote']}(order), PKG.{facts['renamed']}(order)", "assert old == new", "return [one.category.__name__ for one in caught]")),
            "grows_repeats": Ask("count", (
                "def orders(number):", "    return [{'a': place % (number // 2 + 1), 'b': 'x'} for place in range(number)]", "return not outgrows(orders, PKG.repeats, count)")),
        }  # fmt: skip

    def first_questions(self, model: Model, stream: Random) -> Question:
        assert isinstance(model, Pricing)
        return ("kept" if stream.random() < 0.1 else "quote", order(model.state, stream, bad=0.12))

    def model(self, state: State) -> Pricing:
        return Pricing(worded(state))

    def offers(self, state: State, stream: Random) -> list[Offer]:
        state = worded(state)
        return gather(state, stream, FEATURES, DEFECTS, CHANGES, worded) + self._rules(state, stream)

    def _rules(self, state: State, stream: Random) -> list[Offer]:
        """Rules without end: new ones, ones that change, ones that go, ones that are wrong."""
        facts, found = state.facts, []
        taken = [rule.label for rule in state.drawn]
        stage = stream.choice(["surcharge", "surcharge", "discount"])
        label = words.fresh(stream, [f"{word} {stage}" for word in rules.LABELS], taken)
        if label[-1].isdigit():
            label = f"{stream.choice(words.WORDS)} {len(taken)} {stage}"
        new = rules.draw(stream, facts, label, stage, state.has("days"))
        wrong = frozenset([new.defect]) if new.slip is not None and stream.random() < 0.35 else frozenset()
        after = replace(state, drawn=(*state.drawn, new), wrong=state.wrong | wrong)
        found.append(
            self._offer(
                f"new_{new.python}", f"A new {stage}: {label}", f"There is to be {words.one(label)}.", new, after, 6.0
            )
        )
        for rule in state.drawn:
            if rule.defect in state.wrong:
                said = {"edge": "just at the limit it does the wrong thing", "cap": "it is more than it may ever be",
                        "started": "what is begun is not counted", "pieces": "just at the number of pieces it does not apply"}[rule.slip or "edge"]  # fmt: skip
                found.append(replace(
                    self._offer(f"mend_{rule.python}", f"The {rule.label} is wrong", f"Complaints about the {rule.label}: {said}.", rule, state.mended(rule.defect), 1.6),
                    kind="defect", mends=rule.defect, said=(f"The {rule.label} does not do what README.md says: {said}. Make it do so.", *(f"~{line}" for line in rule.told(facts))),
                ))  # fmt: skip
        settled = [rule for rule in state.drawn if rule.defect not in state.wrong]
        if len(settled) > 2:
            old = stream.choice(settled)
            other = rules.again(stream, old, facts, state.has("days"))
            after = replace(state, drawn=tuple(other if rule == old else rule for rule in state.drawn))
            found.append(replace(
                self._offer(f"again_{old.python}", f"The {old.label} changes", f"The {old.label} has been settled anew.", other, after, 1.0),
                said=(f"The rule with the label `{old.label}` is replaced, at its place, by this one:", *other.told(facts)), about=f"new_{old.python}",
            ))  # fmt: skip
        return found

    def _offer(self, key: str, title: str, vague: str, rule: rules.Rule, after: State, weight: float) -> Offer:
        after = worded(after)
        file = f"{after.facts['pkg']}/{'surcharges' if rule.stage == 'surcharge' else 'discounts'}.py"
        where = "It comes after all rules of its kind that there are."
        return Offer(
            key, "feature", title, vague, (*rule.told(after.facts), *((where,) if key.startswith("new_") else ())), after,
            partial(_rule_draw, quote(rule), after), (file,), (), "rules", weight, 1,
        )  # fmt: skip

    def tree(self, state: State) -> dict[str, str]:
        state = worded(state)
        facts, on = state.facts, set(state.on)
        package = (f"{facts['root']}/" if facts["root"] else "") + facts["pkg"]
        public = [
            (module, name)
            for feature, module, name in (
                ("explain", "engine", "explain"), ("which", "engine", "which"), ("quote_all", "many", "quote_all"), ("cheapest", "many", "cheapest"),
                ("refund", "many", "refund"), ("points", "many", "points"), ("currency", "many", "in_currency"), ("difference", "many", "difference"),
                ("repeats", "many", "repeats"), ("show_money", "money", "show_money"), ("instalments", "money", "instalments"), ("read_order", "orders", "read_order"),
            )
            if feature in on
        ]  # fmt: skip
        if "renamed" in on:
            public.append(("engine", facts["renamed"]))
        errors = sorted([facts["e_base"], facts["e_order"], *([facts["e_coupon"]] if "coupons" in on else [])])
        more: dict[str, Any] = {
            "public": public, "names_of_errors": errors, "all_names": sorted([*errors, facts["quote"], *(name for _, name in public)]),
            "tables_used": [*(["COUPONS"] if "coupons" in on else []), "START", *(["TAX"] if "tax" in on else []), "UNIT"],
        }  # fmt: skip
        files = {
            "__init__": "init",
            "errors": "errors",
            "money": "money",
            "tables": "tables",
            "orders": "orders",
            "engine": "engine",
            "__main__": "cli",
        }
        if any(module == "many" for module, _ in public):
            files["many"] = "many"
        if "moved_percent" in on:
            files["rounding"] = "rounding"
        inner = replace(state, facts={**facts, "quote": facts["now"]})  # what the package itself calls
        tree = {
            f"{package}/{module}.py": fill(
                self.name,
                f"{template}.py.j2",
                state if module == "__init__" else inner,
                **more,
                old_name=facts["quote"],
            )
            for module, template in files.items()
        }
        for stage, module in (("surcharge", "surcharges"), ("discount", "discounts")):
            some = [
                {
                    "label": rule.label,
                    "python": rule.python,
                    "doc": rule.told(facts)[0],
                    "code": rule.code(facts, rule.slip if rule.defect in state.wrong else None),
                }
                for rule in state.drawn
                if rule.stage == stage
            ]
            uses = any("percent(" in one["code"] for one in some)
            tree[f"{package}/{module}.py"] = fill(
                self.name, "rules.py.j2", state, rules=some, stage=stage, uses_percent=uses
            )
        tree["docs/conventions.md"] = fill(self.name, "conventions.md.j2", state, **more)
        return tree


def _rule_draw(draw: Any, after: State, model: Model, stream: Random) -> Question:
    found: Question = draw(after, model, stream)
    return found


def worded(state: State) -> State:
    """The state with sentences that depend on its meanings."""
    f = dict(state.facts)
    f["now"] = f["renamed"] if state.has("renamed") else f["quote"]
    f["round_doc"] = {
        "down": "rounded down", "half_up": "rounded to the nearest, halves up", "half_even": "rounded to the nearest, halves to the even one",
    }[f["rounding"]]  # fmt: skip
    f["coin_word"] = "up" if f["coin_up"] else "down"
    f["tax_told"] = ", ".join(f"`{name}` {points / 100:g} %" for name, points in f["tax"].items())
    f["coupon_told"] = ", ".join(
        f"`{code}` {points / 100:g} % from a price of {least}" for code, points, least in f["coupon_table"]
    )
    f["coupon_case_told"] = (
        "Small letters do as well; the label has capital ones."
        if f["coupon_case"]
        else "Small letters are another coupon."
    )
    f["days_told"] = ", ".join(f"`{day}`" for day in DAYS)
    f["thousands_told"] = (
        f'Between groups of three digits stands "{f["thousands"]}".' if f["thousands"] else "Digits are not grouped."
    )
    f["first_word"] = "first" if f["first_of_equal"] else "last"
    f["refund_told"] = ", ".join(f"from {least} days on {points / 100:g} %" for least, points in f["refund_table"])
    f["points_told"] = (
        f"From {f['points_from']} orders on there are {f['points_bonus']} more, once."
        if f["points_bonus"]
        else "Nothing else gives points."
    )
    f["currency_told"] = ", ".join(f"`{code}` {points / 10000:g}" for code, points in f["currency_table"])
    f["larger_word"] = "first" if f["larger_first"] else "last"
    f["best_title"] = "Only the best discount counts" if f["best_only"] else "Discounts add up"
    f["best_told"] = (
        "Of several discounts that apply, only the largest counts from now on (of equal ones the first), each being computed of the price after the surcharges."
        if f["best_only"] else "Discounts add up from now on: each that applies comes, in their order, computed of the price so far; none takes off more than there is."
    )  # fmt: skip
    return replace(state, facts=f)
