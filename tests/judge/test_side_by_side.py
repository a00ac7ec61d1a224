"""Shifts beside each other: reasons, the units that only one did, and what differed in how they ran."""

from __future__ import annotations

from typing import Any

from takt import Event
from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD
from takt.judge.compare import compare
from takt.judge.side_by_side import Only, differing, only_one, reasons


def shift(ends: Any, seed: Any = 0, **more: Any) -> Any:
    """Units by what became of them: "" good, "." open, else the main reason why it is bad."""
    told = {"seed": seed, "worker": "w", "clock": "fixed:0.08", "options": {"difficulty": "plant"}, **more}
    events = [Event(0.0, SHIFT_STARTED, None, told)]
    for unit, end in enumerate(ends):
        events.append(Event(float(unit), UNIT_DUE, unit, {}))
        if end != ".":
            data = {"reasons": [end, "late"]} if end else {}
            events.append(Event(unit + 0.5, UNIT_BAD if end else UNIT_GOOD, unit, data))
    return events


def test_reasons_stand_side_by_side_and_units_that_only_one_did_are_named_with_the_others_reason() -> None:
    a = [shift(["", "", "jammed", "."]), shift(["", "dropped"], seed=1)]
    b = [shift(["dropped", "", "", ""]), shift(["dropped", ""], seed=1)]
    both = {"a": a, "b": b}
    assert reasons(both) == [("dropped", {"a": 1, "b": 2}), ("jammed", {"a": 1, "b": 0})]
    only_a, only_b = only_one(both, "a", "b")
    assert only_a == [Only(0, 0, "dropped"), Only(1, 0, "dropped")]
    assert only_b == [Only(0, 2, "jammed"), Only(1, 1, "dropped")]
    assert only_one(both, "b", "a")[0] == only_one(both, "a", "b")[1]


def test_reasons_and_units_that_only_one_did_are_of_the_units_that_the_comparison_counts() -> None:
    """Units may take 6 s, and time ends the shift at 10 s: of ten the first five count, the rest ended all the same."""
    told = {"pace": "arrivals", "takt_s": 1.0, "unit_life_s": 6.0, "hours": 10 / 3600, "station": "desk"}
    end = Event(10.0, SHIFT_ENDED, None, {"reason": "time"})
    a = [*shift(["", "", "jam", "", "", "", "late", "late", "", ""], **told), end]
    b = [*shift(["jam", "", "", "", "", "late", "", "", "late", "late"], worker="b", **told), end]
    both = {"a": [a], "b": [b]}
    found = compare(both)
    assert (found.pairs[0].units, found.pairs[0].only_a, found.pairs[0].only_b) == (5, 1, 1)
    assert only_one(both, "a", "b") == ([Only(0, 0, "jam")], [Only(0, 2, "jam")])
    assert reasons(both) == [("jam", {"a": 1, "b": 1})]
    assert [note for note in found.notes if "cut off" in note] == [
        f"{name}: 5 units cut off by the end of the shift, 5 of them finished: not judged" for name in "ab"
    ]


def test_everything_that_differs_in_how_they_ran_is_told_option_by_option() -> None:
    a = [shift([""], worker="expert", worker_options={"grip": 0.5})]
    b = [shift([""], worker="llm", clock="measured", worker_options={"model": "m", "grip": 0.5})]
    rows = {row.name: row.values for row in differing({"a": a, "b": b})}
    assert rows == {
        "worker": {"a": "expert", "b": "llm"},
        "clock": {"a": "fixed:0.08", "b": "measured"},
        "worker_options model": {"a": "–", "b": "m"},
    }
