"""Which units of a shift count, and in which order: what verdict, figures and comparison all begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.judge.outcomes import Outcomes


def log(units: Any, /, ended: Any = "", end_s: Any = None, **told: Any) -> Any:
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
    assert numbers(whole.judged) == [0, 1, 2, 3, 4] and (whole.cut_off, whole.cut_off_finished) == (1, 1)
    asked = Outcomes.of(log(units, ended="units"))
    assert numbers(asked.judged) == [0, 1, 2, 3, 4, 5], "it was asked for six, and has six"


def test_a_shift_of_units_or_hours_is_judged_by_what_will_end_it_first() -> None:
    """Nine units of a desk whose units may take half an hour, in 0.6 h: all nine are there long before."""
    units = {n: (60.0 * n, 60.0 * n + 9.0, n > 6) for n in range(9)}

    def outcomes(of: Any, asked: int, ended: str = "") -> Outcomes:
        events = log(of, ended, pace="arrivals", unit_life_s=1801.0, hours=0.6, takt_s=60.0)
        return Outcomes.of([replace(events[0], data={**events[0].data, "units": asked}), *events[1:]])

    for upto in (5, 9):
        running = outcomes(dict(list(units.items())[:upto]), 9)
        assert numbers(running.judged) == list(range(upto)) and running.cut_off == 0
    over = outcomes(units, 9, "units")
    assert numbers(over.judged) == list(range(9)) and over.cut_off == 0
    late = outcomes(units, 99)
    assert numbers(late.judged) == list(range(6)) and late.cut_off == 3, "99 do not come in that time: time will end it"


def test_open_units_are_judged_up_to_the_last_that_has_ended() -> None:
    units = {0: (0.0, None, None), 1: (11.0, 13.0, True), 2: (25.0, None, None)}
    shift = Outcomes.of(log(units, pace="arrivals", unit_life_s=30.0))
    assert numbers(shift.judged) == [0, 1] and [unit.good for unit in shift.judged] == [None, True]
    assert not shift.ended and shift.cut_off == 0, "nothing says when time is to end it"
    asked = Outcomes.of(log(units, ended="units", pace="arrivals", unit_life_s=30.0))
    assert numbers(asked.judged) == [0, 1] and (asked.cut_off, asked.cut_off_finished) == (0, 0), "due at the very end"


def test_nothing_happened() -> None:
    assert Outcomes.of([]).judged == () and Outcomes.of([]).cut == ()


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
        return Outcomes.of(log(units, ended="time", end_s=end_s, pace="arrivals", unit_life_s=30.0)).judged

    assert all(unit.good is not None for unit in counted(False))
    assert numbers(counted(False)) == numbers(counted(True))


@given(
    st.lists(st.tuples(st.floats(0, 30), st.booleans()), min_size=1, max_size=30),
    st.integers(1, 900),
    st.floats(0, 1),
    st.sampled_from([{}, {"units": 4}, {"units": 29}, {"finite": 7}, {"finite": True}, {"units": 9, "finite": 5}]),
    st.sampled_from(["arrivals", "beat"]),
)
def test_what_is_judged_while_a_shift_runs_its_end_does_not_take_out_again(
    outcomes: Any, periods: Any, seen: Any, most: Any, pace: Any
) -> None:
    """At any moment, whatever the length in hours and units, and whichever comes first: the end may only add. What it
    will cut off is told by number until then, and as sure only where it is."""
    units = {n: (17.0 * n, 17.0 * n + took_s, good) for n, (took_s, good) in enumerate(outcomes)}
    told = {"pace": pace, "unit_life_s": 30.0, "control_s": 0.7, "takt_s": 17.0, **most}
    told |= {"hours": (0.7 * periods + 0.2) / 3600}
    end_s = 0.7 * periods
    events = [event for event in log(units, **told) if event.t_s <= end_s]
    last = min([len(units) if one is True else one for one in most.values()], default=99)
    over = [event.t_s for event in events if event.kind in (UNIT_GOOD, UNIT_BAD)]
    by_units = len(over) >= last
    events = [event for event in events if event.t_s <= over[last - 1]] if by_units else events
    assume(by_units or len(units) * 17.0 > end_s)  # or the units that are there would not last until the end
    ended = Event(events[-1].t_s if by_units else end_s, SHIFT_ENDED, None, {"reason": "units" if by_units else "time"})
    now, whole = Outcomes.of(events[: 1 + int(seen * len(events))]), Outcomes.of([*events, ended])
    assert now.ends_by in ("", whole.ended) and (most or now.ends_by == "time")
    assert numbers(now.judged) == numbers(whole.judged)[: len(now.judged)]
    if now.cut_is == "will":
        assert {unit.number for unit in now.cut}.isdisjoint(numbers(whole.judged))
    if by_units and True not in most.values():
        last = Outcomes.of(events)
        assert numbers(last.judged) == numbers(whole.judged) and last.cut_off == 0, "the last has ended: all count"
    assert now.cut_off_finished <= now.cut_off <= len(now.units) - len(now.judged)
    assert len(now.so_far) == max((place + 1 for place, u in enumerate(now.units) if u.good is not None), default=0)
