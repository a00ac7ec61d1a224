"""An inventory: what lies where, by a history of moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from takt.stations.codedesk.families import drawn, words
from takt.stations.codedesk.families.endless import by_name, given_back, rows_of
from takt.stations.codedesk.families.inventory.draws import history, wrong
from takt.stations.codedesk.families.inventory.features import CHANGES, DEFECTS, FEATURES
from takt.stations.codedesk.families.inventory.spec import Stock
from takt.stations.codedesk.families.offers import gather
from takt.stations.codedesk.families.state import Ask, Model, Offer, Question, State, Told
from takt.stations.codedesk.families.writing import fill

VERBS = (
    ("v_in", ("in", "receive", "add")), ("v_out", ("out", "ship", "take")), ("v_move", ("move", "transfer", "carry")), ("v_count", ("count", "recount")),
    ("v_hold", ("reserve", "hold")), ("v_free", ("release", "free")), ("v_limit", ("limit", "room")), ("v_pack", ("pack", "unit")), ("v_least", ("minimum", "least")),
    ("v_kit", ("kit", "recipe")), ("v_build", ("build", "make")), ("v_undo", ("undo", "revert")), ("v_close", ("close", "lock")), ("v_open", ("open", "unlock")),
)  # fmt: skip
PUBLIC = (  # feature, module, name
    ("totals", "reports", "totals"), ("holding", "reports", "available"), ("trail", "reports", "history"), ("costs", "reports", "value"), ("attempt", "store", "attempt"),
    ("differences", "reports", "differences"), ("top", "reports", "top"), ("busiest", "reports", "busiest"), ("gone", "reports", "gone"), ("places", "reports", "places"),
    ("minimum", "planning", "reorder"), ("pick", "planning", "pick"), ("text", "text", "read"), ("writing", "text", "write"), ("figures", "library", "figure"),
)  # fmt: skip

EARLY = (
    "transfer",
    "counts",
    "trail",
    "totals",
    "places",
    "gone",
    "differences",
    "top",
    "busiest",
)  # some of these are there already


FIGURES = by_name("figure", "figure", "e_quantity", by_hand="We work {name} out by hand.")


class Inventory:
    """The family `inventory`."""

    name = "inventory"

    def start(self, stream: Random) -> State:
        s = stream
        facts: dict[str, Any] = {
            "pkg": s.choice(words.PACKAGES), "root": s.choice(["", "src"]), "summary": s.choice(["What lies where in the store.", "A small inventory.", "Stock, by a history of moves."]),
            "e_base": s.choice(["StockError", "InventoryError"]), "e_move": s.choice(["BadMove", "NoSuchMove"]), "e_quantity": s.choice(["BadQuantity", "WrongAmount"]),
            "e_short": s.choice(["NotEnough", "TooFew"]), "e_full": s.choice(["NoRoom", "PlaceFull"]), "levels": s.choice(["levels", "stock", "on_hand"]),
            "short": s.choice(["error", "rest"]), "zeros": s.random() < 0.5, "costing": s.choice(["oldest", "newest"]), "pick_by": s.choice(["most", "name"]), "sep": s.choice([",", ";", "|"]),
        }  # fmt: skip
        facts |= {name: s.choice(stock) for name, stock in VERBS}
        state = worded(State(facts=facts, on=tuple(s.sample(EARLY, 8))))
        told = [feature.offer(replace(state, on=()), s) for feature in FEATURES if feature.key in state.on]
        return replace(state, told={one.key: Told(one.title, one.said) for one in told if one is not None})

    def asks(self, facts: Mapping[str, Any]) -> Mapping[str, Ask]:
        one = ("return PKG.{}(moves)",)
        found = {
            name: Ask("moves", (one[0].format(name),))
            for name in ("totals", "available", "value", "attempt", "busiest", "gone", "places", "reorder", "write")
        }
        return found | {
            "levels": Ask("moves", (f"return PKG.{facts['levels']}(moves)",)), "level": Ask("moves, item, place", ("return PKG.level(moves, item, place)",)),
            "history": Ask("moves, item", ("return PKG.history(moves, item)",)), "differences": Ask("old, new", ("return PKG.differences(old, new)",)),
            "top": Ask("moves, most", ("return PKG.top(moves, most)",)), "pick": Ask("moves, item, pieces", ("return PKG.pick(moves, item, pieces)",)),
            "read": Ask("text", ("return PKG.read(text)",)), "figure": Ask("name, value", ("return PKG.figure(name, value)",)),
            "checked": Ask("value, least", ('return importlib.import_module(PKG.__name__ + ".checks").quantity(value, least)',)),
            "gives_back": given_back("register", "int"),
            "grows": Ask("count", (
                "def moves(number):", f"    return [['{facts['v_in']}', f'i{{place % (2 * number // 3 + 1)}}', 'a', 1] for place in range(number)]", "return not outgrows(moves, PKG.busiest, count)")),
        }  # fmt: skip

    def first_questions(self, model: Model, stream: Random) -> Question:
        assert isinstance(model, Stock)
        roll = stream.random()
        if roll > 0.6:
            there = [one for one in FEATURES if model.state.has(one.key)]
            feature = stream.choice(there)
            return feature.draw(model.state, model, stream)
        if roll < 0.15:
            return wrong(model.state, model, stream)
        moves = history(model.state, stream)
        if roll < 0.45:
            return ("levels", moves)
        named = [move[1:3] for move in moves if len(move) > 3] or [("bolt", "a1")]
        return ("level", moves, *stream.choice(named)) if roll < 0.57 else ("level", moves, "nothing", "a1")

    def model(self, state: State) -> Stock:
        return Stock(worded(state))

    def offers(self, state: State, stream: Random) -> list[Offer]:
        state = worded(state)
        found = gather(state, stream, FEATURES, DEFECTS, CHANGES, worded)
        if not state.has("figures"):
            return found
        taken = {one.name for one in state.drawn} | {"half"}
        return found + FIGURES.offers(state, stream, list(drawn.PATTERNS), taken)

    def tree(self, state: State) -> dict[str, str]:
        state = worded(state)
        facts, on = state.facts, set(state.on)
        package = (f"{facts['root']}/" if facts["root"] else "") + facts["pkg"]
        public = [("errors", facts[name]) for name in ("e_base", "e_move", "e_quantity", "e_short")]
        public += [("errors", facts["e_full"])] if "limits" in on else []
        public += [("reports", facts["levels"]), ("reports", "level")]
        public += [(module, name) for feature, module, name in PUBLIC if feature in on]
        more: dict[str, Any] = {
            "public": public,
            "all_names": sorted(name for _, name in public),
            "functions": rows_of(state, facts["e_quantity"]),
            "errors": [facts[name] for name in ("e_move", "e_short", "e_full") if name != "e_full" or "limits" in on],
        }
        files = {"__init__": "init", "errors": "errors", "moves": "moves", "store": "store", "reports": "reports"}
        files |= {"checks": "checks"} if "checks" in on else {}
        files |= {"__main__": "cli"}
        files |= {
            module: module for module in ("planning", "text", "library") if any(one == module for one, _ in public)
        }
        tree = {
            f"{package}/{name}.py": fill(self.name, f"{template}.py.j2", state, **more)
            for name, template in files.items()
        }
        tree["docs/conventions.md"] = fill(self.name, "conventions.md.j2", state, **more)
        return tree


def worded(state: State) -> State:
    """The state with sentences that depend on its meanings."""
    f = dict(state.facts)
    f["short_told"] = {
        "error": f"it is an error (`{f['e_short']}`)",
        "rest": "what is there is taken, and that is no error",
    }[f["short"]]
    f["zeros_told"] = "is shown with 0" if f["zeros"] else "is left out"
    f["costing_told"] = "those that have lain longest" if f["costing"] == "oldest" else "those that came last"
    f["pick_told"] = (
        "from where there is most first; of equal ones, by name"
        if f["pick_by"] == "most"
        else "in the order of the names of places"
    )
    return replace(state, facts=f)
