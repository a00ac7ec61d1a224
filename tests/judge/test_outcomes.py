"""Which units of a shift count, and in which order: what verdict, figures and comparison all begin with."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.judge.outcomes import Outcomes


def log(units: Any, ended: Any = "", end_s: Any = None, **told: Any) -> Any:
    """A shift of units given as {number: (due_s, ended_s or None, good)}."""
    found = [Event(0.0, SHIFT_STARTED, None, {"takt_s": 10.0, "control_s": 0.1, **told})]
    for number, (due_s, over_s, good) in units.items():
        found.append(Event(due_s, UNIT_DUE, number))
        if over_s is not None:
            found.append(Event(over_s, UNIT_GOOD if good else UNIT_BAD, number, {"cycle_s": over_s - due_s}))
    found.sort(key=lambda event: event.t_s)
    end_s = found[-1].t_s if end_s is None else end_s
    return [*found, Event(end_s, SHIFT_ENDED, None, {"reason": ended})] if ended else found


def numbers(units: Any) -> list[Any]:
    return [unit.number for unit in units]


def test_units_are_in_the_order_in_which_they_fell_due() -> None:
    """Whatever their numbers (those that a worker caused come behind a gap) and whenever they ended."""
    shift = Outcomes.of(log({0: (0.0, 50.0, True), 900: (5.0, 6.0, False), 1: (10.0, 12.0, True)}, pace="arrivals"))
    assert numbers(shift.units) == [0, 900, 1] and [unit.good for unit in shift.units] == [True, False, True]
    assert shift.units[0].cycle_s == 50.0


def test_the_pace_of_a_ledger_that_does_not_say() -> None:
    beat = {n: (10.0 * n, 10.0 * n + 10, True) for n in range(5)}
    assert (Outcomes.of(log(beat)).pace, Outcomes.of(log(beat)).life_s) == ("beat", 10.0)
    later = {n: (3.0 + 10.0 * n, 10.0 * n + 13, True) for n in range(5)}
    assert Outcomes.of(log(later)).pace == "beat", "the first unit need not fall due at once"
    apart = {0: (0.0, 5.0, True), 1: (17.0, 60.0, False), 2: (21.0, 22.0, True)}
    assert (Outcomes.of(log(apart)).pace, Outcomes.of(log(apart)).life_s) == ("arrivals", 43.0)
    assert Outcomes.of(log(beat, takt_s=0.0)).pace == "free" and Outcomes.of(log(beat, takt_s=0.0)).life_s is None
    undue = [event for event in log(apart) if event.kind != UNIT_DUE]
    assert Outcomes.of(undue).pace == "free" and len(Outcomes.of(undue).judged) == 3


def test_what_a_station_declares_goes_before_what_is_seen() -> None:
    apart = {0: (0.0, 5.0, True), 1: (17.0, 20.0, True)}
    assert Outcomes.of(log(apart, pace="arrivals", unit_life_s=99.0)).life_s == 99.0


def test_the_unit_in_work_at_the_end_of_a_paced_shift_is_cut_off() -> None:
    units = {n: (10.0 * n, 10.0 * n + 2, True) for n in range(6)}  # an episode that ends early in its slot
    whole = Outcomes.of(log(units, ended="time", end_s=55.0))
    assert numbers(whole.judged) == numbers(whole.counted) == [0, 1, 2, 3, 4] and whole.cut_off == 1
    asked = Outcomes.of(log(units, ended="units"))
    assert numbers(asked.judged) == numbers(asked.counted) == [0, 1, 2, 3, 4, 5], "it was asked for six, and has six"


def test_open_units_are_judged_up_to_the_last_that_has_ended() -> None:
    units = {0: (0.0, None, None), 1: (11.0, 13.0, True), 2: (25.0, None, None)}
    shift = Outcomes.of(log(units, pace="arrivals", unit_life_s=30.0))
    assert numbers(shift.judged) == [0, 1] and [unit.good for unit in shift.judged] == [None, True]
    assert shift.counted == [] and not shift.ended
    asked = Outcomes.of(log(units, ended="units", pace="arrivals", unit_life_s=30.0))
    assert numbers(asked.counted) == [0, 1], "it was asked for a number of units; the open one is not good"


def test_nothing_happened() -> None:
    assert Outcomes.of([]).judged == () and list(Outcomes.of([]).counted) == []


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=30), st.floats(0, 900))
def test_what_counts_of_a_shift_that_time_ended_is_known_whatever_it_is(outcomes: Any, end_s: Any) -> None:
    """No unit that counts is open, and whether one counts does not depend on how it came out or when."""

    def counted(flipped: Any) -> Any:
        units = {}
        for n, (took_s, good) in enumerate(outcomes):
            took_s, good = (30.0 - took_s, not good) if flipped else (took_s, good)
            if 17.0 * n <= end_s:
                over_s = 17.0 * n + took_s
                units[n] = (17.0 * n, over_s if over_s <= end_s else None, good)
        return Outcomes.of(log(units, ended="time", end_s=end_s, pace="arrivals", unit_life_s=30.0)).counted

    assert all(unit.good is not None for unit in counted(False))
    assert numbers(counted(False)) == numbers(counted(True))
