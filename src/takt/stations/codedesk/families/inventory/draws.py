"""What is asked of an inventory: histories of moves, drawn so that limits are met as often as they are missed."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from takt.stations.codedesk.families.inventory.spec import Move, Stock
from takt.stations.codedesk.families.offers import Draw
from takt.stations.codedesk.families.state import Model, Question, State

ITEMS = ("bolt", "nut", "gear", "cap")
PLACES = ("a1", "b2", "yard")
PACKS = ("box", "big box")


class Writer:
    """Moves as somebody would enter them who knows roughly what there is."""

    def __init__(self, state: State, s: Random) -> None:
        self.state, self.f, self.s = state, state.facts, s
        self.items, self.places = s.sample(ITEMS, s.choice([1, 2, 2, 3])), s.sample(PLACES, s.choice([1, 2, 2, 3]))
        self.there: Counter[tuple[str, str]] = Counter()
        self.held: Counter[tuple[str, str]] = Counter()
        self.packs: dict[str, tuple[str, int]] = {}
        self.kits: dict[str, dict[str, int]] = {}
        self.moves: list[Move] = []

    def at(self) -> tuple[str, str]:
        """An item and a place, mostly of such that there are."""
        full = [one for one, number in self.there.items() if number]
        return (
            self.s.choice(full)
            if full and self.s.random() < 0.85
            else (self.s.choice(self.items), self.s.choice(self.places))
        )

    def near(self, number: int) -> int:
        """A number that is enough, just enough, or just too much."""
        return max(
            1, self.s.choice([1, 2, number, number, max(1, number - 1), number + 1 if self.s.random() < 0.4 else 1])
        )

    def packed(self, item: str, count: int) -> Any:
        name, size = self.packs.get(item, ("box", 0))
        if size and self.s.random() < 0.6:
            return f"{max(1, count // size)} {name}"
        return count

    def add(self, kind: str) -> None:
        getattr(self, f"_{kind}")()

    def _in(self) -> None:
        item, place, count = self.s.choice(self.items), self.s.choice(self.places), self.s.randint(1, 9)
        move: Move = (self.f["v_in"], item, place, self.packed(item, count))
        if self.state.has("costs") and self.s.random() < 0.8:
            move = (*move, self.s.choice([0, 1, 2, 3, 5, 10]))
        self.there[item, place] += count
        self.moves.append(move)

    def _out(self) -> None:
        item, place = self.at()
        count = self.near(self.there[item, place] - self.held[item, place])
        self.there[item, place] = max(0, self.there[item, place] - count)
        self.moves.append((self.f["v_out"], item, place, self.packed(item, count)))

    def _transfer(self) -> None:
        (item, place), to = self.at(), self.s.choice(PLACES if self.s.random() < 0.4 else self.places)
        count = self.near(self.there[item, place] - self.held[item, place])
        self.moves.append((self.f["v_move"], item, place, to, self.packed(item, count)))
        count = min(count, self.there[item, place])
        self.there[item, place] -= count
        self.there[item, to] += count

    def _counts(self) -> None:
        item, place = self.at()
        there, held = self.there[item, place], self.held[item, place]
        count = max(
            0, self.s.choice([0, there, there - 1, there + 2, held, held - 1 if self.s.random() < 0.3 else held])
        )
        count += 9 if self.state.has("limits") and self.s.random() < 0.2 else 0
        self.there[item, place] = count
        said = self.packed(item, count) if count else 0
        if not count and item in self.packs and self.s.random() < 0.5:
            said = f"0 {self.packs[item][0]}"
        self.moves.append((self.f["v_count"], item, place, said))

    def _holding(self) -> None:
        item, place = self.at()
        free, held = self.there[item, place] - self.held[item, place], self.held[item, place]
        if held and self.s.random() < 0.4:
            count = self.near(held)
            self.moves.append((self.f["v_free"], item, place, self.packed(item, count)))
            self.held[item, place] = max(0, held - count)
            return
        count = self.near(free)
        self.moves.append((self.f["v_hold"], item, place, self.packed(item, count)))
        self.held[item, place] += min(count, max(0, free))

    def _limits(self) -> None:
        place = self.s.choice(self.places)
        there = sum(number for (_, where), number in self.there.items() if where == place)
        most = max(1, there + self.s.choice([0, 1, 2, 4, 8, -1 if self.s.random() < 0.3 else 3]))
        self.moves.append((self.f["v_limit"], place, most))
        here = [item for (item, where), number in self.there.items() if where == place and number]
        if here and self.state.has("transfer") and self.s.random() < 0.25:  # within the place, which may be full
            self.moves.append((self.f["v_move"], self.s.choice(here), place, place, 1))

    def _packs(self) -> None:
        item, size = self.s.choice(self.items), self.s.choice([2, 3, 4, 6])
        name = self.s.choice(PACKS)
        self.packs[item] = (name, size)
        self.moves.append((self.f["v_pack"], item, name, size))

    def _minimum(self) -> None:
        item = self.s.choice([*self.items, self.s.choice(ITEMS)])
        total = sum(number for (one, _), number in self.there.items() if one == item)
        least = max(1, total + self.s.choice([0, 0, 1, 2, 5, 7, -1, -3]))
        lot = (self.s.choice([1, 2, 3, 5]),) if self.state.has("lots") and self.s.random() < 0.8 else ()
        self.moves.append((self.f["v_least"], item, least, *lot))

    def _kits(self) -> None:
        if self.kits and self.s.random() < 0.6:
            name = self.s.choice(list(self.kits))
            (_, place), parts = self.at(), self.kits[name]
            most = min(self.there[part, place] // each for part, each in parts.items())
            count = self.near(most)
            for part, each in parts.items():
                self.there[part, place] = max(0, self.there[part, place] - each * count)
            self.there[name, place] += count
            self.moves.append((self.f["v_build"], name if self.s.random() < 0.94 else "no kit", place, count))
            return
        parts = {
            part: self.s.choice([1, 1, 2, 3]) for part in self.s.sample(self.items, self.s.randint(1, len(self.items)))
        }
        name = self.s.choice(["set", "lamp", *[one for one in ITEMS if one not in parts][:1]])
        self.kits[name] = parts
        self.moves.append((self.f["v_kit"], name, parts))

    def _closing(self) -> None:
        verb, place = self.s.choice(["v_close", "v_close", "v_open"]), self.s.choice(self.places)
        self.moves.append((self.f[verb], place))
        if verb == "v_close" and self.s.random() < 0.6:
            kinds = [one for one in ("transfer", "counts", "kits") if self.state.has(one)]
            kind = self.s.choice(["in", "out", *kinds])
            self.add(kind)
            if len(self.moves[-1]) > 3 and kind != "kits" and self.s.random() < 0.7:  # at the closed place
                move = list(self.moves[-1])
                move[3 if kind == "transfer" and self.s.random() < 0.6 else 2] = place
                self.moves[-1] = tuple(move)

    def _undo(self) -> None:
        self.moves += [(self.f["v_undo"],)] * self.s.choice([1, 1, 2])


MOVING = ("transfer", "counts", "holding", "limits", "packs", "minimum", "kits", "closing", "undo")


def history(
    state: State, s: Random, often: tuple[str, ...] = (), most: int = 7, whole: bool = False
) -> tuple[Move, ...]:
    """Moves; `often` are features whose moves come more often, some of them at the beginning. `whole`: also where one of
    them is wrong."""
    writer = Writer(state, s)
    early = [one for one in often if one in ("packs", "kits") and state.has(one)]
    for one in early:
        writer.add(one)
    for _ in range(s.choice([1, 2, 2, 3])):
        writer.add("in")
    known = {"in": 2.0, "out": 2.0} | {one: 0.6 for one in MOVING if state.has(one)}
    known |= {one: 3.0 if one == "undo" else 8.0 for one in often if one in known}
    for _ in range(s.randint(0, most)):
        writer.add(s.choices(list(known), list(known.values()))[0])
    moves = tuple(writer.moves)
    # behind a wrong move there is nothing that could hide it
    return moves if whole or s.random() < 0.1 else Stock(state).up_to_wrong(moves)


def wrong(state: State, _model: Model, s: Random, often: tuple[str, ...] = ()) -> Question:
    """A history of which the last move is written wrongly."""
    f = state.facts
    moves = history(state, s, often, most=2)
    odd = s.choice([0, -1, True, 1.5, None, "2", "two", "", ["x"]])
    stock: list[Move] = [
        (f["v_in"], "bolt", "a1", odd), (f["v_out"], "bolt", "a1", odd), ("nonsense", "bolt", "a1", 1), (f["v_in"], "bolt", "a1"), (f["v_in"], "bolt", "a1", 1, 1, 1),
        (f["v_out"], "bolt", "a1", 1, 1), (f["v_in"], "", "a1", 1), (f["v_in"], "bolt", s.choice(["", 7, None]), 1), (f["v_out"], s.choice(["", 3]), "a1", 1), (), (3, "bolt", "a1", 1),
        (f["v_in"], "bolt", "", odd), (f["v_in"],),
    ]  # fmt: skip
    for feature, made in (
        ("transfer", [(f["v_move"], "bolt", "a1", "b2", odd), (f["v_move"], "bolt", "a1", 1), (f["v_move"], "bolt", "a1", "", 1), (f["v_move"], "bolt", "a1", "b2", 1, 1)]),
        ("counts", [(f["v_count"], "bolt", "a1", s.choice([-1, True, "0", 1.0, None])), (f["v_count"], "bolt", "a1"), (f["v_count"], "", "a1", 1)]),
        ("holding", [(f["v_hold"], "bolt", "a1", odd), (f["v_free"], "bolt", "a1", odd), (f["v_free"], "bolt", 1), (f["v_hold"], "bolt", "a1", 1, 2), (f["v_free"], "gear", "a1", 1)]),
        ("limits", [(f["v_limit"], "a1", odd), (f["v_limit"], "a1"), (f["v_limit"], "", 1)]),
        ("packs", [(f["v_pack"], "bolt", "box", odd), (f["v_pack"], "bolt", 1), (f["v_in"], "bolt", "a1", s.choice(["2 crate", "0 box", "box", "-1 box", "1  box", " 1 box", "1 box "])), (f["v_pack"], "bolt", "", 2)]),
        ("minimum", [(f["v_least"], "bolt", odd), (f["v_least"], "bolt"), (f["v_least"], "bolt", 2, s.choice([0, "x", 1])), (f["v_least"], "", 1)]),
        ("kits", [(f["v_kit"], "set", s.choice([{}, None, ["bolt"], {"set": 1}, {"": 1}, {3: 1}, {"bolt": 0}, {"bolt": True}, {"bolt": "1"}])), (f["v_build"], "set", "a1", odd), (f["v_build"], "other", "a1", 1), (f["v_kit"], "set")]),
        ("closing", [(f["v_close"],), (f["v_close"], ""), (f["v_open"], 3), (f["v_open"], "a1", 1)]),
        ("costs", [(f["v_in"], "bolt", "a1", 1, s.choice([-1, True, "1", 1.5])), (f["v_in"], "bolt", "a1", 1, None)]),
        ("undo", [(f["v_undo"], 1), (f["v_undo"], 1), (f["v_undo"],)]),
    ):  # fmt: skip
        if state.has(feature):
            stock += made * (4 if feature in often else 1)
    if "packs" in often:
        moves = ((f["v_pack"], "bolt", "box", 3), *moves)
    moves = moves if len(Stock(state).up_to_wrong(moves)) == len(moves) else moves[:1]
    return ("levels", (*moves, s.choice(stock)))


def levels(*often: str, bad: float = 0.15) -> Draw:
    def draw(state: State, model: Model, s: Random) -> Question:
        return wrong(state, model, s, often) if s.random() < bad else ("levels", history(state, s, often))

    return draw


def of(kind: str, *often: str) -> Draw:
    """A question about the whole of a history."""
    return lambda state, _model, s: (kind, history(state, s, often, whole=kind == "attempt"))


def attempts(*often: str) -> Draw:
    """A history in which some moves cannot be done."""

    def draw(state: State, model: Model, s: Random) -> Question:
        moves = list(history(state, s, often, whole=True))
        for _ in range(s.choice([0, 1, 1, 2])):
            moves.insert(s.randint(0, len(moves)), wrong(state, model, s)[1][-1])
        if state.has("undo"):
            moves = [move for move in moves if move is None or move[:1] != (state.facts["v_undo"],)]
        return ("attempt", tuple(moves))

    return draw


def mixed(*draws: tuple[float, Draw]) -> Draw:
    def draw(state: State, model: Model, s: Random) -> Question:
        return s.choices([one for _, one in draws], [share for share, _ in draws])[0](state, model, s)

    return draw


def an_item(moves: tuple[Move, ...], s: Random) -> str:
    named = [move[1] for move in moves if len(move) > 2]
    return str(s.choice(named)) if named and s.random() < 0.95 else "nothing"


def numbers(state: State, _model: Model, s: Random) -> Question:
    """A question of whatever gives numbers of items or places."""
    kinds = {"totals": "totals", "places": "places", "value": "costs", "available": "holding", "attempt": "attempt"}
    known = [kind for kind, feature in kinds.items() if state.has(feature)] or ["levels"]
    return (s.choice(known), history(state, s, ("counts",)))


def trail(*often: str) -> Draw:
    def draw(state: State, _model: Model, s: Random) -> Question:
        moves = history(state, s, often)
        return ("history", moves, an_item(moves, s))

    return draw


def differences(state: State, _model: Model, s: Random) -> Question:
    moves = history(state, s)
    cut = s.randint(0, len(moves))
    if s.random() < 0.15:
        return ("differences", moves, history(state, s))
    return ("differences", moves[:cut], moves) if s.random() < 0.6 else ("differences", moves, moves[:cut])


def top(state: State, _model: Model, s: Random) -> Question:
    if s.random() < 0.5:  # equal ones
        f, count = state.facts, s.randint(1, 3)
        items = s.sample(ITEMS, s.randint(2, 4))
        return ("top", tuple((f["v_in"], item, "a1", s.choice([count, 3])) for item in items), s.randint(0, 4))
    return ("top", history(state, s), s.choice([0, 1, 2, 3, 9, -1]))


def pick(state: State, _model: Model, s: Random) -> Question:
    f, places = state.facts, s.sample([*PLACES, "c3"], s.randint(1, 4))
    counts = [s.randint(1, 4) for _ in places]
    moves: tuple[Move, ...] = tuple(
        (f["v_in"], "bolt", place, count) for place, count in zip(places, counts, strict=True)
    )
    if state.has("holding") and s.random() < 0.4:
        moves = (*moves, (f["v_hold"], "bolt", places[0], s.randint(1, counts[0])))
    if s.random() < 0.2:
        moves = (*moves, (f["v_in"], "nut", s.choice(places), 3))
    total = sum(counts)
    return (
        "pick",
        moves,
        "bolt",
        s.choice([1, 2, total, total - 1, total + 1, counts[0], 0, sum(sorted(counts)[-2:])]),
    )


def read(state: State, _model: Model, s: Random) -> Question:
    f = state.facts
    stock = ["bolt", "a 1", "12", "-3", "007", "+1", "1.5", "0", "2 box", "x#y", "²", "5٣", "--1", f["v_out"]]
    lines: list[tuple[str, ...]] = []
    for _ in range(s.randint(0, 4)):
        roll = s.random()
        if roll < 0.15:
            lines.append(("",))
        elif roll < 0.3:
            lines.append(s.choice([("# note",), ("#", "a", ""), ("#in", "bolt")]))
        elif roll < 0.36:
            lines.append(s.choice([("in", "", "x"), ("", "x"), ("in", "")]))
        else:
            lines.append((f["v_in"], *(s.choice(stock) for _ in range(s.randint(0, 4)))))
    return ("read", tuple(lines), s.randint(0, 5))


def write(state: State, _model: Model, s: Random) -> Question:
    moves = list(history(state, s, most=3))
    if s.random() < 0.45:
        odd = s.choice([(), ("in", ""), ("in", " x"), ("in", "12"), ("in", "-3"), ("in", None), ("in", True), ("in", "a\nb"), ("in", f"a{state.facts['sep']}b"), ("#in", "x"), ("in", "#x"), ("in", 1.5), ("in", "1 2"), ("in", "x#")])  # fmt: skip
        moves.insert(s.randint(0, len(moves)), odd)
    return ("write", tuple(moves))


def checked(state: State, model: Model, s: Random) -> Question:
    if s.random() < 0.4:
        return levels()(state, model, s)
    return ("checked", s.choice([0, 1, 2, 3, -1, True, False, "1", 1.0, None, 17]), s.choice([0, 1, 1, 2]))


def busiest_fast(state: State, model: Model, s: Random) -> Question:
    if s.random() < 0.25:
        return ("grows", s.choice([40, 60, 80, 100, 150]))
    return ("busiest", history(state, s, most=9))


def figures(state: State, _model: Model, s: Random) -> Question:
    if s.random() < 0.05:
        return ("gives_back", "spare")
    return (
        "figure",
        s.choice(["half", "half", "half", "nothing"]),
        s.choice([0, 1, 2, 7, -3, -4, True, "x", (1,), 100]),
    )
