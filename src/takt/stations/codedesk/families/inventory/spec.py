"""What a history of moves means: the specification of the family `inventory`. Pieces are looked at one by one here.

Long because: it is one meaning, a method for each kind of move and of question, that must agree with each other.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from takt.stations.codedesk.families.drawn import Drawn
from takt.stations.codedesk.families.endless import answer_of
from takt.stations.codedesk.families.state import Posed, Question, Raises, State

Move = tuple[Any, ...]
# How a move is written, by what it does: n a name, q pieces, w a whole number from 1, c a cost from 0, z pieces from 0, ? may be
# left out, k what a kit is made of.
SHAPES = {
    "in": ("n", "n", "q", "c?"), "out": ("n", "n", "q"), "move": ("n", "n", "n", "q"), "count": ("n", "n", "z"), "hold": ("n", "n", "q"), "free": ("n", "n", "q"),
    "limit": ("n", "w"), "pack": ("n", "n", "w"), "least": ("n", "w", "w?"), "kit": ("n", "k"), "build": ("n", "n", "w"), "close": ("n",), "open": ("n",),
}  # fmt: skip
NEEDED = {
    "move": "transfer", "count": "counts", "hold": "holding", "free": "holding", "limit": "limits", "pack": "packs", "least": "minimum", "kit": "kits",
    "build": "kits", "close": "closing", "open": "closing",
}  # fmt: skip
NAMING = ("in", "out", "move", "count", "hold", "free", "build")  # moves that name an item first


class Wrong(Exception):
    """An error is due: move, quantity, short or full."""


class Shelves:
    """Pieces at places, each by what it cost, those first that came first; and what has been said of items and places."""

    def __init__(self) -> None:
        self.pieces: dict[tuple[str, str], list[int]] = {}
        self.held: Counter[tuple[str, str]] = Counter()
        self.most: dict[str, int] = {}
        self.packs: dict[tuple[str, str], int] = {}
        self.least: dict[str, tuple[int, int]] = {}
        self.kits: dict[str, dict[str, int]] = {}
        self.closed: set[str] = set()
        self.rows: list[tuple[int, str, str, int]] = []

    def at(self, place: str) -> int:
        return sum(len(pieces) for (_, where), pieces in self.pieces.items() if where == place)

    def of(self, item: str) -> int:
        return sum(len(pieces) for (what, _), pieces in self.pieces.items() if what == item)


class Stock:
    """The model: answers questions in one state.

    Long because: it is one meaning, a method for each kind of move and of question, that must agree with each other.
    """

    def __init__(self, state: State) -> None:
        self.state, self.facts, self.on = state, state.facts, set(state.on)
        self.drawn: dict[str, Drawn] = {one.name: one for one in state.drawn}
        self.verbs = {self.facts[f"v_{what}"]: what for what in SHAPES if what not in NEEDED or NEEDED[what] in self.on}
        self.notes: set[str] = set()
        self.asked = self.doing = ""

    def note(self, what: str) -> None:
        self.notes.add(what)

    def pose(self, question: Question) -> Posed | None:
        self.notes = set()
        kind, *given = question
        self.asked = kind
        if NEEDS.get(kind, "") not in ("", *self.on):
            return None
        found = getattr(self, f"_q_{kind}")(*given)
        if found is None:
            return None
        ask, arguments, expected = found
        return Posed(ask, arguments, expected, frozenset(self.notes))

    def error(self, kind: str) -> Raises:
        self.note(f"wrong {kind} in {self.asked}")
        return Raises(self.facts[f"e_{kind}"])

    # -- moves

    def kept(self, moves: tuple[Move, ...]) -> list[tuple[int, Move]]:
        """The moves that are not taken back, by their number from 1."""
        left: list[tuple[int, Move]] = []
        last: Any = None
        for number, move in enumerate(moves, 1):
            undoes = "undo" in self.on and isinstance(move, tuple) and move[:1] == (self.facts["v_undo"],)
            if undoes and len(move) > 1:
                self.note(
                    f"undo of more, {'taken back' if (self.facts['v_undo'],) in moves[number:] else 'kept'} {bool(left)}"
                )
                raise Wrong("move")
            if undoes:
                self.note("undo")
                if last:
                    self.note("undo_twice")
                if not left:
                    self.note("undo of nothing")
                    raise Wrong("move")
                left.pop()
            else:
                if last:
                    self.note("on after undo")
                left.append((number, move))
            last = undoes
        return left

    def up_to_wrong(self, moves: tuple[Move, ...]) -> tuple[Move, ...]:
        """The moves up to the first that is wrong."""
        shelves, last = Shelves(), len(moves)
        try:
            for number, move in self.kept(moves):
                last = number
                self.do(shelves, number, move)
        except Wrong:
            return moves[:last]
        return moves

    def worked(self, moves: tuple[Move, ...]) -> Shelves:
        """What all these moves lead to; raises Wrong."""
        shelves = Shelves()
        for number, move in self.kept(moves):
            self.do(shelves, number, move)
        return shelves

    def do(self, shelves: Shelves, number: int, move: Move) -> None:
        if not isinstance(move, tuple):
            self.note("no list")
            raise Wrong("move")
        what = self.verbs.get(move[0]) if move and isinstance(move[0], str) else None
        if what is None:
            self.note(f"no such move {min(2, len(move))}")
            raise Wrong("move")
        shape = list(SHAPES[what])
        if what == "in" and "costs" not in self.on:
            shape = shape[:3]
        if what == "least" and "lots" not in self.on:
            shape = shape[:2]
        fewest = sum(not one.endswith("?") for one in shape)
        if not fewest <= len(move) - 1 <= len(shape):
            self.note(f"{what} has {'few' if len(move) - 1 < fewest else 'many'}")
            raise Wrong("move")
        given = list(zip((one[0] for one in shape), move[1:], strict=False))
        for place, (one, value) in enumerate(given):
            if one == "n" and (not isinstance(value, str) or not value):
                self.note(f"{what} without name {place}")
                raise Wrong("move")
            if one == "k":
                self.kit_fits(str(move[1]), value)
        values: list[Any] = []
        for one, value in given:
            if one in "nk":
                values.append(value)
            elif one in "qz":
                values.append(self.count_of(shelves, what, str(move[1]), value, 0 if one == "z" else 1))
            else:
                values.append(self.whole(what, value, 0 if one == "c" else 1))
        self.note(f"does {what}")
        self.doing = what
        getattr(self, f"_{what}")(shelves, number, *values)

    def whole(self, what: str, value: Any, least: int) -> int:
        if type(value) is not int or value < least:
            self.note(f"{what} of {type(value).__name__} {value if type(value) is int else ''}")
            raise Wrong("quantity")
        if value == least:
            self.note(f"{what} of the least")
        return value

    def count_of(self, shelves: Shelves, what: str, item: str, value: Any, least: int) -> int:
        """Pieces, by number or by packs."""
        if least == 0 and value == 0 and type(value) is int:
            self.note("count_zero")
        if "packs" not in self.on or not isinstance(value, str):
            return self.whole(what, value, least)
        match = re.fullmatch(r"([0-9]+) (.+)", value, re.DOTALL)
        size = shelves.packs.get((item, match[2])) if match else None
        self.note(f"{what} of packs {match is not None} {size is not None} {match is not None and int(match[1]) > 0}")
        if match is None or size is None or int(match[1]) < least:
            raise Wrong("quantity")
        if int(match[1]) == 0:
            self.note("count_zero")
        return int(match[1]) * size

    def kit_fits(self, name: str, parts: Any) -> None:
        if not isinstance(parts, dict) or not parts:
            self.note("a kit of nothing")
            raise Wrong("move")
        for part in parts:
            if not isinstance(part, str) or not part or part == name:
                self.note(f"a kit of {'itself' if part == name else f'a {type(part).__name__} that is no name'}")
                raise Wrong("move")
        for number in parts.values():
            self.whole("kit", number, 1)

    def no_closed(self, shelves: Shelves, *places: str) -> None:
        for at, place in enumerate(places):
            if place in shelves.closed:
                self.notes |= {f"closed for {self.doing} {at}", f"refused to {self.doing} {at}"}
                raise Wrong("move")

    def room(self, shelves: Shelves, place: str, more: int) -> None:
        if place in shelves.most:
            there = shelves.at(place)
            self.note(
                f"room for {self.doing} {(there + more > shelves.most[place]) - (there + more < shelves.most[place])}"
            )
            if there + more > shelves.most[place]:
                raise Wrong("full")

    def free(self, shelves: Shelves, item: str, place: str) -> int:
        if shelves.held[item, place]:
            self.note("some are held")
        return len(shelves.pieces.get((item, place), [])) - shelves.held[item, place]

    def wanted(self, shelves: Shelves, item: str, place: str, count: int, strict: bool = False) -> int:
        there = self.free(shelves, item, place)
        self.note(f"takes {(count > there) - (count < there)} {there > 0} {strict}")
        if count <= there:
            return count
        if strict or self.facts["short"] == "error":
            raise Wrong("short")
        return there

    def take(self, shelves: Shelves, number: int, item: str, place: str, count: int) -> list[int]:
        pieces = shelves.pieces.get((item, place), [])
        out = [pieces.pop(0 if self.facts["costing"] == "oldest" else -1) for _ in range(count)]
        if count:
            shelves.rows.append((number, item, place, -count))
        if self.asked == "value" and len(set(out) | set(pieces)) > 1:
            self.note("takes some of several costs")
        return out

    def put(self, shelves: Shelves, number: int, item: str, place: str, pieces: list[int]) -> None:
        if pieces:
            shelves.pieces.setdefault((item, place), []).extend(pieces)
            shelves.rows.append((number, item, place, len(pieces)))

    def _in(self, shelves: Shelves, number: int, item: str, place: str, count: int, cost: int = 0) -> None:
        self.no_closed(shelves, place)
        self.room(shelves, place, count)
        self.put(shelves, number, item, place, [cost] * count)

    def _out(self, shelves: Shelves, number: int, item: str, place: str, count: int) -> None:
        self.no_closed(shelves, place)
        self.take(shelves, number, item, place, self.wanted(shelves, item, place, count))

    def _move(self, shelves: Shelves, number: int, item: str, place: str, to: str, count: int) -> None:
        if to in shelves.closed and place not in shelves.closed:
            self.note("close_to")
        self.no_closed(shelves, place, to)
        if count > self.free(shelves, item, place) and shelves.held[item, place]:
            self.note("hold_move")
        count = self.wanted(shelves, item, place, count)
        if place != to:
            try:
                self.room(shelves, to, count)
            except Wrong:
                self.notes |= {"limit_move", "half_done"}
                raise
        else:
            self.note(f"to the same place {shelves.most.get(place) == shelves.at(place)}")
        pieces = self.take(shelves, number, item, place, count)
        if any(pieces) and self.asked == "value":
            self.note("cost_lost")
        self.put(shelves, number, item, to, pieces)

    def _count(self, shelves: Shelves, number: int, item: str, place: str, count: int) -> None:
        self.no_closed(shelves, place)
        there = len(shelves.pieces.get((item, place), []))
        held = shelves.held[item, place]
        self.note(f"counted {(count > there) - (count < there)} held {(count > held) - (count < held)}")
        if count < held:
            raise Wrong("short")
        if count > there:
            self.room(shelves, place, count - there)
            self.put(shelves, number, item, place, [0] * (count - there))
        else:
            self.take(shelves, number, item, place, there - count)

    def _hold(self, shelves: Shelves, number: int, item: str, place: str, count: int) -> None:
        shelves.held[item, place] += self.wanted(shelves, item, place, count, strict=True)

    def _free(self, shelves: Shelves, number: int, item: str, place: str, count: int) -> None:
        held = shelves.held[item, place]
        self.note(f"frees {(count > held) - (count < held)}")
        if count > held:
            raise Wrong("short")
        shelves.held[item, place] -= count

    def _limit(self, shelves: Shelves, number: int, place: str, most: int) -> None:
        there = shelves.at(place)
        self.note(f"limited {(there > most) - (there < most)} {place in shelves.most}")
        if there > most:
            raise Wrong("full")
        shelves.most[place] = most

    def _pack(self, shelves: Shelves, number: int, item: str, name: str, size: int) -> None:
        shelves.packs[item, name] = size

    def _least(self, shelves: Shelves, number: int, item: str, count: int, lot: int = 1) -> None:
        shelves.least[item] = (count, lot)

    def _kit(self, shelves: Shelves, number: int, name: str, parts: Mapping[str, int]) -> None:
        shelves.kits[name] = dict(parts)

    def _build(self, shelves: Shelves, number: int, name: str, place: str, count: int) -> None:
        if name not in shelves.kits:
            self.note("no such kit")
            raise Wrong("move")
        self.no_closed(shelves, place)
        parts = shelves.kits[name]
        for part, each in parts.items():
            self.wanted(shelves, part, place, each * count, strict=True)
        costs = [0] * count
        for part, each in parts.items():
            out = self.take(shelves, number, part, place, each * count)
            costs = [cost + sum(out[k * each : (k + 1) * each]) for k, cost in enumerate(costs)]
        if self.asked == "value" and len(set(costs)) > 1:
            self.note("kits of several costs")
        self.put(shelves, number, name, place, costs)

    def _close(self, shelves: Shelves, number: int, place: str) -> None:
        shelves.closed.add(place)

    def _open(self, shelves: Shelves, number: int, place: str) -> None:
        self.note(f"opens {place in shelves.closed}")
        shelves.closed.discard(place)

    # -- questions

    def _asked_of(self, ask: str, moves: tuple[Move, ...], answer: Callable[[Shelves], Any], *more: Any) -> Any:
        """A question about what moves lead to."""
        arguments = (written(moves), *more)
        try:
            return ask, arguments, answer(self.worked(moves))
        except Wrong as wrong:
            return ask, arguments, self.error(str(wrong))

    def by_place(self, numbers: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (item, place), number in numbers.items():
            if not number:
                self.note("a level of zero")
            if number or self.facts["zeros"]:
                found.setdefault(item, {})[place] = number
        self.note(f"{min(2, len(found))} items {max(map(len, found.values()), default=0) > 1}")
        return found

    def _q_levels(self, moves: tuple[Move, ...]) -> Any:
        return self._asked_of(
            "levels", moves, lambda found: self.by_place({at: len(pieces) for at, pieces in found.pieces.items()})
        )

    def _q_level(self, moves: tuple[Move, ...], item: str, place: str) -> Any:
        def answer(found: Shelves) -> int:
            self.note(f"one level {(item, place) in found.pieces}")
            return len(found.pieces.get((item, place), []))

        return self._asked_of("level", moves, answer, item, place)

    def _totals(self, found: Shelves, which: int) -> dict[str, int]:
        names = dict.fromkeys(at[which] for at in found.pieces)
        numbers = {name: (found.of if which == 0 else found.at)(name) for name in names}
        self.note(f"total {sorted(min(2, number) for number in numbers.values())[:2]} {len(found.pieces) > len(names)}")
        return {name: number for name, number in numbers.items() if number or self.facts["zeros"]}

    def _q_totals(self, moves: tuple[Move, ...]) -> Any:
        return self._asked_of("totals", moves, lambda found: self._totals(found, 0))

    def _q_places(self, moves: tuple[Move, ...]) -> Any:
        return self._asked_of("places", moves, lambda found: self._totals(found, 1))

    def _q_available(self, moves: tuple[Move, ...]) -> Any:
        return self._asked_of(
            "available",
            moves,
            lambda found: self.by_place({at: self.free(found, *at) for at in found.pieces}),
        )

    def _q_gone(self, moves: tuple[Move, ...]) -> Any:
        def answer(found: Shelves) -> list[str]:
            items = sorted({item for item, _ in found.pieces})
            self.note(f"{min(2, sum(not found.of(item) for item in items))} are gone")
            return [item for item in items if not found.of(item)]

        return self._asked_of("gone", moves, answer)

    def _q_history(self, moves: tuple[Move, ...], item: str) -> Any:
        def answer(found: Shelves) -> list[list[Any]]:
            total, rows = 0, []
            for number, what, place, change in found.rows:
                if what == item:
                    total += change
                    rows.append([number, place, change, total])
                    self.note(f"a row {change > 0} {total > 0}")
            self.note(f"{min(2, len(rows))} rows, {'some' if len(rows) < len(found.rows) else 'all'} of them")
            return rows

        return self._asked_of("history", moves, answer, item)

    def _q_value(self, moves: tuple[Move, ...]) -> Any:
        def answer(found: Shelves) -> dict[str, int]:
            items = [item for item in dict.fromkeys(item for item, _ in found.pieces)]
            worth = {
                item: sum(sum(pieces) for (one, _), pieces in found.pieces.items() if one == item)
                for item in items
                if found.of(item) or self.facts["zeros"]
            }
            self.note(f"worth {sorted({bool(one) for one in worth.values()})}")
            return worth

        return self._asked_of("value", moves, answer)

    def _q_attempt(self, moves: tuple[Move, ...]) -> Any:
        shelves, refused = Shelves(), []
        try:
            kept = self.kept(moves)
        except Wrong as wrong:
            return "attempt", (written(moves),), self.error(str(wrong))
        for number, move in kept:
            tried = copy.deepcopy(shelves)
            try:
                self.do(tried, number, move)
            except Wrong as wrong:
                self.note(f"refused {wrong} {number == kept[-1][0]}")
                refused.append([number, self.facts[f"e_{wrong}"]])
            else:
                shelves = tried
        numbers = {at: len(pieces) for at, pieces in shelves.pieces.items()}
        return "attempt", (written(moves),), [self.by_place(numbers), refused]

    def _q_differences(self, old: tuple[Move, ...], new: tuple[Move, ...]) -> Any:
        arguments = (written(old), written(new))
        try:
            one, two = (self.worked(moves).pieces for moves in (old, new))
        except Wrong as wrong:
            return "differences", arguments, self.error(str(wrong))
        found: dict[str, dict[str, int]] = {}
        for item, place in [*one, *two]:
            change = len(two.get((item, place), [])) - len(one.get((item, place), []))
            self.note(f"differs {(change > 0) - (change < 0)} {(item, place) in one} {(item, place) in two}")
            if change and (item, place) not in two:
                self.note("difference_new")
            if change:
                found.setdefault(item, {})[place] = change
        return "differences", arguments, found

    def _q_top(self, moves: tuple[Move, ...], most: int) -> Any:
        def answer(found: Shelves) -> list[list[Any]]:
            numbers = {item: found.of(item) for item, _ in found.pieces}
            rows = [[item, numbers[item]] for item in sorted(numbers, key=lambda one: (-numbers[one], one))]
            rows = [row for row in rows if row[1]]
            self.note(f"top {min(2, most)} of {min(3, len(rows))} {len({row[1] for row in rows}) < len(rows)}")
            if len({row[1] for row in rows}) < len(rows):
                self.note("top_ties")
            return rows[: max(0, most)]

        return self._asked_of("top", moves, answer, most)

    def _q_busiest(self, moves: tuple[Move, ...]) -> Any:
        def answer(_found: Shelves) -> list[list[Any]]:
            names = [move[1] for _, move in self.kept(moves) if self.verbs[move[0]] in NAMING]
            rows = sorted(([name, names.count(name)] for name in set(names)), key=lambda row: (-row[1], row[0]))
            self.note(f"busy {min(3, len(rows))} {len({row[1] for row in rows}) < len(rows)} {len(names) < len(moves)}")
            return rows

        return self._asked_of("busiest", moves, answer)

    def _q_reorder(self, moves: tuple[Move, ...]) -> Any:
        def answer(found: Shelves) -> list[list[Any]]:
            rows = []
            for item, (least, lot) in sorted(found.least.items()):
                missing = least - found.of(item)
                self.note(f"missing {(missing > 0) - (missing < 0)} lots {missing % lot == 0 if lot > 1 else None}")
                if missing <= 0:
                    self.note("reorder_equal")
                if missing > 0:
                    rows.append([item, (missing + lot - 1) // lot * lot])
            self.note(f"{min(2, len(rows))} to order")
            return rows

        return self._asked_of("reorder", moves, answer)

    def _q_pick(self, moves: tuple[Move, ...], item: str, pieces: int) -> Any:
        def answer(found: Shelves) -> list[list[Any]]:
            self.whole("pick", pieces, 1)
            there = {place: self.free(found, item, place) for one, place in found.pieces if one == item}
            there = {place: number for place, number in there.items() if number > 0}
            places = sorted(there, key=lambda place: (-there[place] if self.facts["pick_by"] == "most" else 0, place))
            if self.facts["pick_by"] == "most" and len(set(there.values())) < len(there):
                self.note("pick_ties")
            left, rows, last = pieces, list[list[Any]](), False
            for place in places:
                part = min(left, there[place])
                if part:
                    rows.append([place, part])
                    last = part == there[place]
                left -= part
            self.note(f"picks at {min(3, len(rows))} of {min(3, len(places))}, left {min(1, left)}")
            self.note(f"all of the last {last}")
            if left:
                raise Wrong("short")
            return rows

        return self._asked_of("pick", moves, answer, item, pieces)

    # -- text

    def _q_read(self, lines: tuple[tuple[str, ...], ...], style: int) -> Any:
        """Lines by their fields; a line that begins with `#` stands for itself."""
        sep, texts, moves = self.facts["sep"], [], []
        for place, fields in enumerate(lines):
            gap = ("", " ", "  ")[(style + place) % 3]
            texts.append(gap + f"{gap}{sep}{gap}".join(fields) + gap)
            if not any(fields) and len(fields) == 1:
                self.note("an empty line")
                continue
            if fields[0].startswith("#"):
                self.note(f"a comment {sep in texts[-1]}")
                continue
            if any(not one.strip() for one in fields):
                self.note(f"an empty field {bool(fields[-1].strip())}")
                return "read", ("\n".join(texts),), self.error("move")
            if any("²" in one or "٣" in one for one in fields):
                self.note("read_digits")
            move = [int(one) if re.fullmatch("-?[0-9]+", one) else one for one in map(str.strip, fields)]
            self.note(f"a line of {min(3, len(move))} {sorted({type(one).__name__ for one in move})}")
            moves.append(move)
        return "read", ("\n".join(texts) + ("\n" if style % 2 else ""),), moves

    def _q_write(self, moves: tuple[Move, ...]) -> Any:
        lines = []
        for move in moves:
            fields = []
            if not move:
                self.note("writes nothing")
                return "write", (written(moves),), self.error("move")
            for place, one in enumerate(move):
                as_number = isinstance(one, str) and re.fullmatch("-?[0-9]+", one) is not None
                odd = not isinstance(one, str) or set(one) & {self.facts["sep"], "\n"} or one != one.strip() or not one
                hashed = place == 0 and isinstance(one, str) and one.startswith("#")
                if type(one) is not int and (odd or as_number or hashed):
                    signs = sorted(set(one) & {self.facts["sep"], "\n", " "}) if isinstance(one, str) else None
                    self.note(f"cannot write {type(one).__name__} {as_number} {hashed} {one == ''} {signs}")
                    return "write", (written(moves),), self.error("move")
                fields.append(str(one))
                self.note(f"writes {type(one).__name__}")
            lines.append(f" {self.facts['sep']} ".join(fields))
        self.note(f"{min(2, len(lines))} lines")
        return "write", (written(moves),), "".join(f"{line}\n" for line in lines)

    # -- the rest

    def _q_checked(self, value: Any, least: int) -> Any:
        try:
            return "checked", (value, least), self.whole("checked", value, least)
        except Wrong as wrong:
            return "checked", (value, least), self.error(str(wrong))

    def _q_grows(self, count: int) -> Any:
        self.note(f"grows {count}")
        return "grows", (count,), True

    def _q_figure(self, name: str, value: Any) -> Any:
        value = list(value) if isinstance(value, tuple) else value
        if name == "half":
            self.note(f"half of {type(value).__name__} {value % 2 if type(value) is int else ''}")
            odd = type(value) is not int
            return "figure", (name, value), self.error("quantity") if odd else value // 2
        wrong, answer = answer_of(self.drawn, name, value, self.note)
        if wrong == "missing":
            return ("figure", (name, value), self.error("move")) if name == "nothing" else None
        return "figure", (name, value), self.error("quantity") if wrong else answer

    def _q_gives_back(self, name: str) -> Any:
        self.note("gives back")
        return "gives_back", (name,), True


def written(moves: tuple[Move, ...]) -> list[Any]:
    """Moves as a test writes them."""
    return [list(move) if isinstance(move, tuple) else move for move in moves]


NEEDS: Mapping[str, str] = {
    "totals": "totals", "available": "holding", "history": "trail", "value": "costs", "attempt": "attempt", "differences": "differences", "top": "top", "busiest": "busiest",
    "gone": "gone", "places": "places", "reorder": "minimum", "pick": "pick", "read": "text", "write": "writing", "checked": "checks", "grows": "busiest_fast", "figure": "figures", "gives_back": "figures",
}  # fmt: skip
