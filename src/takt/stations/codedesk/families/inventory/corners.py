"""Questions to an inventory that go to one corner each, where drawn histories come too rarely."""

from __future__ import annotations

from random import Random
from typing import Any

from takt.stations.codedesk.families.inventory.draws import ITEMS, PLACES, levels, of
from takt.stations.codedesk.families.inventory.spec import Move
from takt.stations.codedesk.families.offers import Draw
from takt.stations.codedesk.families.state import Model, Question, State


def undone(state: State, model: Model, s: Random) -> Question:
    """Taking back where there is nothing, and where it is written wrongly."""
    undo, first = state.facts["v_undo"], (state.facts["v_in"], s.choice(ITEMS), s.choice(PLACES), s.randint(1, 9))
    stock: list[tuple[Any, ...]] = [
        ((undo,),), (first, (undo,), (undo,)), (first, (undo, 1), (undo,)), (first, (undo, "x")), (first, first, (undo,), (undo,), (undo,)), (None,), (first, 7),
    ]  # fmt: skip
    return ("levels", s.choice(stock)) if s.random() < 0.25 else levels("undo", bad=0.2)(state, model, s)


def kit_of(state: State, _model: Model, s: Random) -> Question:
    """What is no kit."""
    parts = s.choice(
        [
            {},
            None,
            ["bolt"],
            {"set": 1},
            {"": 1},
            {3: 1},
            {"bolt": 0},
            {"bolt": True},
            {"nut": 1, "bolt": "1"},
            {"nut": 1, "": 2},
        ]
    )
    return ("levels", ((state.facts["v_in"], "bolt", "a1", 3), (state.facts["v_kit"], "set", parts)))


def closed(state: State, model: Model, s: Random) -> Question:
    """One move of each kind at a place that is closed."""
    if s.random() > 0.3:
        return levels("closing", "transfer", "counts", bad=0.06)(state, model, s)
    f, (place, other), item = state.facts, s.sample(PLACES, 2), s.choice(ITEMS)
    last: list[Move] = [(f["v_in"], item, place, 1), (f["v_out"], item, place, 1)]
    last += [(f["v_move"], item, place, other, 1)] if state.has("transfer") else []
    last += [(f["v_move"], item, other, place, 1)] if state.has("transfer") else []
    last += [(f["v_count"], item, place, s.choice([0, 2, 9]))] if state.has("counts") else []
    before: list[Move] = [(f["v_in"], item, place, s.randint(2, 5)), (f["v_in"], item, other, 3)]
    if state.has("kits"):
        before.append((f["v_kit"], "set", {item: 1}))
        last.append((f["v_build"], "set", place, 1))
    return ("levels", (*before, (f["v_close"], place), s.choice(last)))


def worth(*often: str) -> Draw:
    """What the rest is worth where some was taken, some moved, and kits were made of what cost differently."""

    def draw(state: State, model: Model, s: Random) -> Question:
        if not state.has("costs") or s.random() > 0.3:
            return of("value", *often)(state, model, s)
        f, item, each = state.facts, s.choice(ITEMS), s.choice([1, 2, 3])
        place, other = s.sample(PLACES, 2)
        moves: list[Move] = [
            (f["v_in"], item, place, s.randint(1, 4), cost) for cost in s.sample([1, 2, 5, 10, 30], s.randint(2, 4))
        ]
        if state.has("kits") and s.random() < 0.6:
            moves += [(f["v_kit"], "set", {item: each}), (f["v_build"], "set", place, s.choice([1, 2, 2]))]
            moves += [(f["v_out"], "set", place, 1)] if s.random() < 0.6 else []
        if state.has("transfer") and s.random() < 0.6:
            moves += [(f["v_move"], item, place, other, s.randint(1, 3)), (f["v_out"], item, other, 1)]
        return ("value", tuple(moves))

    return draw
