from __future__ import annotations

import math
import re
import sqlite3
import sys
import time
import types
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import takt
from takt import Ledger, Plan, TaktError, run_shift, steps_of_unit
from takt.contract.clock import Recorded
from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    SHIFT_ENDED,
    SHIFT_STARTED,
    THOUGHT,
    UNIT_BAD,
    UNIT_DUE,
    UNIT_GOOD,
    WHILE_OPEN,
    Event,
)
from takt.contract.station import Fault
from takt.ledger.canonical import digest_of
from takt.show.happened import story
from takt.show.units import unit_records
from toy import Moody, Toy, push

ENDED = (UNIT_GOOD, UNIT_BAD)
HOLD = [0.0, 0.0]


class Scripted:
    """Answers call n with `answers(n)`; action i of call n is [n, i]. Notes at which period it was asked."""

    def __init__(self, station: Any, length: Any = 0, answers: Any = None, **plan: Any) -> None:
        self.station, self.asked = station, []
        self.answers = answers or (lambda call: Plan([[call, i] for i in range(length)], **plan))

    def begin(self, spec: Any, seed: Any) -> None:
        self.began = (spec, seed)

    def act(self, observation: Any) -> Any:
        self.asked.append(self.station.period)
        return self.answers(len(self.asked))

    def end(self) -> None:
        self.over = True


def worked(periods: Any, clock: Any, **plan: Any) -> Any:
    """What the toy was given in each period, and when the worker was asked."""
    station = Toy()
    worker = Scripted(station, **plan)
    run_shift(station, worker, hours=periods * 0.1 / 3600, clock=clock)
    assert len(station.actions) == periods and worker.over
    return station.actions, worker.asked


def kinds(shift: Any) -> list[Any]:
    return [event.kind for event in shift.events]


# --- the clock: what the station is given while the worker thinks -----------------------------------------------------


def test_lockstep_a_plan_replaces_the_last_at_once() -> None:
    actions, asked = worked(7, "lockstep", length=3)
    assert actions == [[1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2], [3, 0]]
    assert asked == [0, 3, 6]


def test_a_worker_that_thinks_after_its_plan_leaves_the_station_holding() -> None:
    actions, asked = worked(11, "fixed:0.3", length=3)
    assert actions == [HOLD, HOLD, HOLD, [1, 0], [1, 1], [1, 2], HOLD, HOLD, HOLD, [2, 0], [2, 1]]
    assert asked == [0, 6]


def test_an_asynchronous_chunk_runs_on_while_the_worker_thinks() -> None:
    actions, asked = worked(14, "fixed:0.3", length=7, ask_after=2)
    assert actions == [HOLD] * 3 + [[1, i] for i in range(5)] + [[2, i] for i in range(5)] + [[3, 0]]
    assert asked == [0, 5, 10]


def test_a_chunk_that_runs_out_while_the_worker_thinks_is_followed_by_hold() -> None:
    actions, asked = worked(12, "fixed:0.3", length=4, ask_after=3)
    assert actions == [HOLD] * 3 + [[1, 0], [1, 1], [1, 2], [1, 3], HOLD, HOLD, [2, 0], [2, 1], [2, 2]]
    assert asked == [0, 6]


def test_a_worker_may_ask_to_be_asked_later_than_its_plan_lasts() -> None:
    actions, asked = worked(8, "lockstep", length=2, ask_after=4)
    assert actions == [[1, 0], [1, 1], HOLD, HOLD, [2, 0], [2, 1], HOLD, HOLD]
    assert asked == [0, 4]


def test_a_plan_aligned_with_its_observation_loses_what_thinking_has_overtaken() -> None:
    actions, asked = worked(13, "fixed:0.3", length=6, aligned="observation")
    assert actions == [HOLD] * 3 + [[1, 3], [1, 4], [1, 5]] + [HOLD] * 3 + [[2, 3], [2, 4], [2, 5], HOLD]
    assert asked == [0, 6, 12]


def test_real_time_chunking_overlaps_without_a_gap() -> None:
    actions, asked = worked(14, "fixed:0.3", length=8, ask_after=2, aligned="observation")
    first = [
        [1, 3],
        [1, 4],
        [1, 5],
        [1, 6],
        [1, 7],
    ]  # asked again after [1, 4]; what comes next is still for its moment
    second = [[2, 3], [2, 4], [2, 5], [2, 6], [2, 7]]
    assert actions == [HOLD] * 3 + first + second + [[3, 3]]
    assert asked == [0, 5, 10]


def test_a_plan_overtaken_altogether_is_asked_for_again_at_once() -> None:
    actions, asked = worked(7, "fixed:0.3", length=3, aligned="observation")
    assert actions == [HOLD] * 7
    assert asked == [0, 3, 6]


def test_an_empty_plan_holds() -> None:
    assert worked(5, "lockstep", length=0, ask_after=3) == ([HOLD] * 5, [0, 3])
    assert worked(3, "lockstep", length=0) == ([HOLD] * 3, [0, 1, 2])
    assert worked(5, "fixed:0.2", length=0, ask_after=1) == ([HOLD] * 5, [0, 3])
    assert worked(4, "lockstep", length=2, ask_after=0)[1] == [0, 1, 2, 3], "at least one period passes between calls"


def test_a_cost_that_is_no_whole_number_of_periods_is_rounded_up() -> None:
    assert worked(6, "fixed:0.25", length=2)[1] == [0, 5]


def test_a_plain_sequence_and_an_array_are_plans() -> None:
    for answer in ([[1.0, 2.0], [1.0, 3.0]], np.array([[1.0, 2.0], [1.0, 3.0]])):
        actions, _ = worked(3, "lockstep", answers=lambda call, answer=answer: answer)
        assert actions == [[1, 2], [1, 3], [1, 2]]


def test_a_worker_may_use_its_buffer_again() -> None:
    buffer = np.zeros((4, 2), np.float32)

    def answers(call: Any) -> Any:
        buffer[:] = call
        return Plan(buffer, ask_after=2)

    assert worked(5, "fixed:0.1", answers=answers)[0] == [HOLD, [1, 1], [1, 1], [1, 1], [2, 2]]


# --- the shift ----------------------------------------------------------------------------------------------------


def test_a_function_works_a_shift() -> None:
    shift = run_shift(Toy(spoil=0.0), push, units=3, seed=5)
    assert kinds(shift) == [SHIFT_STARTED, UNIT_DUE] + [UNIT_GOOD, UNIT_DUE, THOUGHT] * 3 + [SHIFT_ENDED]
    assert [event.unit for event in shift.events] == [None, 0, 0, 1, 0, 1, 2, 1, 2, 3, 2, None]
    assert [event.t_s for event in shift.events if event.kind == UNIT_GOOD] == [10.0, 20.0, 30.0]
    assert shift.ended == "units" and shift.broken == [] and shift.path is None


def test_the_first_event_says_all_that_figures_need() -> None:
    shift = run_shift(Toy(), push, hours=0.01, seed=5, clock="fixed:0.2", faults=["jam@00:00:15+2s"])
    assert shift.events[0] == Event(
        0.0,
        SHIFT_STARTED,
        None,
        {
            "station": "toy",
            "options": {"takt_s": 10.0, "control_s": 0.1, "spoil": 0.2, "sleep_s": 0.0},
            "worker": "push",
            "worker_options": {},
            "seed": 5,
            "clock": "fixed:0.2",
            "faults": [{"name": "jam", "at_s": 15.0, "for_s": 2.0}],
            "hours": 0.01,
            "units": None,
            "takt_s": 10.0,
            "control_s": 0.1,
            "acceptance": {"good_rate": 0.7, "cycle_s": 10.0, "quantile": 0.95},
            "parts": [],
            "privileged": False,
            "stops": ["jam"],
        },
    )
    jams = [event for event in shift.events if event.kind in (FAULT, FAULT_CLEARED)]
    assert [(event.kind, event.t_s, event.unit) for event in jams] == [(FAULT, 15.0, 1), (FAULT_CLEARED, 17.0, 1)]


def test_a_shift_ends_at_its_time_and_does_not_count_what_is_in_progress() -> None:
    shift = run_shift(Toy(), push, hours=25 / 3600)
    assert shift.events[-1] == Event(25.0, SHIFT_ENDED, None, {"reason": "time"})
    assert sum(kind in ENDED for kind in kinds(shift)) == 2
    shift = run_shift(Toy(), push, hours=30 / 3600)
    assert sum(kind in ENDED for kind in kinds(shift)) == 3, "one that ends with the shift counts"
    assert run_shift(Toy(), push, hours=1, units=2).ended == "units"
    assert run_shift(Toy(), push, hours=15 / 3600, units=2).ended == "time"


def test_thinking_is_summed_up_for_every_unit() -> None:
    shift = run_shift(Toy(), push, units=3, clock="fixed:0.4")  # 4 periods of thought, 1 of action: 20 calls in 10 s
    every = {"calls": 20, "seconds": 8.0}  # a unit is always open
    assert [e.data for e in shift.events if e.kind == THOUGHT] == [every | {WHILE_OPEN: every}] * 3, (
        "one is always open"
    )


class NowAndThen(Toy):
    """A unit every 10 s, over after 3 of them."""

    def step(self, action: Any) -> Any:
        observed, *rest, info = super().step(action)
        events = [event for event in info["events"] if event.kind not in (UNIT_GOOD, UNIT_BAD)]
        if round(self.now % 10.0, 6) == 3.0:
            events.append(Event(self.now, UNIT_GOOD, self.unit, {"cycle_s": 3.0, "parts": {}, "first_time": True}))
        return observed, *rest, {"events": events}


def test_whether_a_unit_was_open_when_the_worker_was_asked_is_told_and_in_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    first = run_shift(NowAndThen(), push, units=2, clock="fixed:0.4", ledger=path)  # asked twice a second
    told = [event.data for event in first.events if event.kind == THOUGHT]
    at_work = {"calls": 6, "seconds": 2.4}
    assert told == [at_work | {WHILE_OPEN: at_work}, {"calls": 20, "seconds": 8.0, WHILE_OPEN: at_work}]
    figures = takt.kpis(first.events)
    assert (figures.calls_per_unit, figures.waiting_calls) == (6.0, 14)
    assert figures.thinking_s_per_unit == pytest.approx(2.4) and figures.waiting_thinking_s == pytest.approx(5.6)
    assert [(row["asked"], row["asked_since_last"]) for row in unit_records(first.events)] == [(6, 6), (6, 20)]
    waited = "While a unit was open, the worker was asked 6 times and thought for 2.4 s of station time, "
    waited += "and 14 times before, while it waited for one"
    assert any(one.words.startswith(waited) for one in story(first.events, 1, "toy"))
    older = [replace(e, data={k: v for k, v in e.data.items() if k != WHILE_OPEN}) for e in first.events]
    assert digest_of(first.meta, older) == first.digest
    figures = takt.kpis(older)
    assert (figures.calls_per_unit, figures.waiting_calls) == (13.0, None), "one that does not say has them together"


def test_the_same_shift_has_the_same_bytes_and_another_seed_others() -> None:
    def once(seed: Any = 1, **more: Any) -> Any:
        given = {"units": 6, "seed": seed, "clock": "fixed:0.3", "faults": ["fog~1/min"], **more}
        return run_shift(Toy(), Moody(0.05), **given)

    assert once().digest == once().digest
    assert once().events == once().events
    others = [once(2), once(units=5), once(clock="fixed:0.2"), once(faults=[]), once(worker_options={"mood": 1})]
    assert len({shift.digest for shift in [once(), *others]}) == 6


def test_faults_do_not_depend_on_the_worker() -> None:
    texts = ["fog~1/min", "jam~1/min"]
    shifts = [run_shift(Toy(), worker, hours=0.1, faults=texts) for worker in (push, Moody(), lambda _: [0.0, 0.0])]
    struck = [[event for event in shift.events if event.kind == FAULT] for shift in shifts]
    assert struck[0] == struck[1] == struck[2] and len(struck[0]) > 5


def test_faults_may_be_given_as_objects() -> None:
    shift = run_shift(Toy(), push, units=2, faults=[Fault("jam", 5.0, 1.0), "fog@00:00:02"])
    assert [fault["name"] for fault in shift.meta["faults"]] == ["fog", "jam"]


def test_the_worker_is_told_the_station_and_a_seed_that_does_not_lead_back_to_the_shifts() -> None:
    station = Toy()
    told = {}
    for seed in (0, 9, 2**127 + 1, 2**128 - 1):
        worker = Scripted(station, length=1)
        shift = run_shift(station, worker, units=1, seed=seed)
        assert worker.began[0] == station.spec and shift.meta["seed"] == seed
        told[seed] = worker.began[1]
    assert all(0 <= mine < 2**31 and mine != seed for seed, mine in told.items()) and len(set(told.values())) == 4
    with pytest.raises(TaktError, match="129 bits; 128 are the most"):
        run_shift(station, worker, units=1, seed=2**128)


def test_a_ledger_from_before_workers_had_a_seed_of_their_own_goes_on_with_the_shifts(tmp_path: Path) -> None:
    path = tmp_path / "old.takt"
    run_shift(Toy(), Moody(0.1), units=4, seed=9, ledger=path)
    database = sqlite3.connect(path)
    assert database.execute("DELETE FROM meta WHERE key = 'rules'").rowcount == 1
    database.commit()
    database.close()
    worker = Scripted(Toy(), length=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # another worker than the one that worked it
        list(steps_of_unit(path, 0, Toy(), worker))
    assert worker.began[1] == 9


def test_a_ledger_holds_the_shift(tmp_path: Path) -> None:
    shift = run_shift(Toy(), push, units=3, ledger=tmp_path / "a.takt")
    with Ledger.open(tmp_path / "a.takt") as ledger:
        assert tuple(ledger.events()) == shift.events and ledger.digest() == shift.digest and ledger.finished
        assert ledger.meta == shift.meta
    assert shift.digest == run_shift(Toy(), push, units=3).digest, "in memory or on disk"
    assert shift.path == tmp_path / "a.takt"
    assert {"begun_utc", "machine", "packages", "wall_s"} <= set(shift.meta)


def test_progress_is_reported(tmp_path: Path) -> None:
    seen = []
    shift = run_shift(Toy(sleep_s=0.001), push, units=3, on_progress=seen.append)
    assert len(seen) >= 2
    assert tuple(event for progress in seen for event in progress.new_events) == shift.events[:-1]
    assert (seen[-1].units, seen[-1].now_s) == (3, 30.0) and seen[-1].good == kinds(shift).count(UNIT_GOOD)
    assert seen[-1].wall_s > 0.2


def test_it_is_read_while_it_runs(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.takt", []

    def look(progress: Any) -> None:
        with Ledger.open(path) as ledger:
            assert not ledger.finished
            seen.append(sum(event.kind in ENDED for event in ledger.events()))
            assert seen[-1] == progress.units

    run_shift(Toy(sleep_s=0.001), push, units=4, ledger=path, on_progress=look)
    assert len(seen) >= 3 and seen == sorted(seen)


def test_stop_early_ends_with_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def verdict(events: Any, alpha: Any = 0.05) -> Any:
        looks.append(sum(event.kind in ENDED for event in events))
        return types.SimpleNamespace(decision="accept" if looks[-1] == 4 else "undecided")

    monkeypatch.setitem(sys.modules, "takt.judge.verdict", types.SimpleNamespace(verdict_if_stopped=verdict))
    shift = run_shift(Toy(), push, units=9, stop_early=True)
    assert looks == [1, 2, 3, 4] and shift.ended == "verdict"
    assert sum(kind in ENDED for kind in kinds(shift)) == 4


def test_stop_early_by_the_real_verdict() -> None:
    shift = run_shift(Toy(spoil=0.0), push, hours=10, stop_early=True)
    assert shift.ended == "verdict" and takt.verdict(shift.events).decision == "accept"
    assert takt.verdict(shift.events[:-4]).decision == "undecided", "not a unit too late"
    assert run_shift(Toy(spoil=1.0), push, hours=10, stop_early=True).ended == "verdict"


# --- replay -------------------------------------------------------------------------------------------------------


def test_a_unit_is_re_simulated_from_its_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    shift = run_shift(Toy(), Moody(0.1), units=8, clock="fixed:0.3", faults=["fog~2/min", "jam~1/min"], ledger=path)
    at = [(event.kind, event.unit) for event in shift.events]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for unit in range(8):
            steps = list(steps_of_unit(path, unit, Toy(render_mode="rgb_array"), Moody(0.1)))
            assert len(steps) == 100
            happened = [event for _, events in steps for event in events]
            began = 2 if unit == 0 else at.index((THOUGHT, unit - 1)) + 1
            assert happened == list(shift.events[began : at.index((THOUGHT, unit)) + 1])


def test_a_frame_can_be_taken_after_every_step(tmp_path: Path) -> None:
    run_shift(Toy(), push, units=3, ledger=tmp_path / "a.takt")
    frames = [station.render()[0, 0, 0] for station, _ in steps_of_unit(tmp_path / "a.takt", 1, Toy(), push)]
    assert frames == list(range(101, 201))


def test_a_unit_that_comes_out_differently_is_said_to(tmp_path: Path) -> None:
    run_shift(Toy(spoil=0.0), push, units=3, ledger=tmp_path / "a.takt")
    with pytest.warns(UserWarning, match="unit 1 did not come out"):
        list(steps_of_unit(tmp_path / "a.takt", 1, Toy(spoil=0.0), lambda _: [0.0, 0.0]))


@pytest.mark.parametrize("unit", [-1, 3, 99])
def test_a_unit_that_has_not_ended_cannot_be_re_simulated(tmp_path: Path, unit: Any) -> None:
    run_shift(Toy(), push, units=3, ledger=tmp_path / "a.takt")
    with pytest.raises(TaktError, match=f"unit {unit} has not ended"):
        next(steps_of_unit(tmp_path / "a.takt", unit, Toy(), push))


class Slow(Moody):
    """Takes a real and varying time to think."""

    def act(self, observation: Any) -> Any:
        time.sleep(0.0005 * self.rng.integers(0, 6))
        return super().act(observation)


def test_a_measured_shift_is_replayed_as_it_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    shift = run_shift(Toy(1.0, 0.001), Slow(), hours=3.5 / 3600, clock="measured", ledger=path)
    thoughts = [event.data for event in shift.events if event.kind == THOUGHT]
    assert all(len(data["periods"]) == data["calls"] for data in thoughts)
    assert all(math.isclose(sum(data["periods"]) * 0.001, data["seconds"]) for data in thoughts)
    assert len({cost for data in thoughts for cost in data["periods"]}) > 2
    again = run_shift(Toy(1.0, 0.001), Slow(), hours=3.5 / 3600, clock=Recorded(shift.events))
    assert again.digest == shift.digest
    happened = [event for _, events in steps_of_unit(path, 2, Toy(1.0, 0.001), Slow()) for event in events]
    assert happened[-1] == next(event for event in shift.events if event.kind == THOUGHT and event.unit == 2)


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_a_worker_that_raises_is_down_for_half_a_minute() -> None:
    station = Toy()

    def answers(call: Any) -> Any:
        if call == 3:
            raise ValueError("two\n lines")
        return Plan([[call, i] for i in range(20)])

    worker = Scripted(station, answers=answers)
    shift = run_shift(station, worker, hours=40 / 3600, clock="fixed:0.2")
    assert worker.asked[:4] == [0, 22, 44, 344]
    assert station.actions[22:44] == [HOLD] * 2 + [[2, i] for i in range(20)]
    assert station.actions[44:346] == [HOLD] * 302
    assert station.actions[346] == [4, 0]
    faults = [event for event in shift.events if event.kind in (FAULT, FAULT_CLEARED)]
    same = {"name": "worker_raised", "origin": "worker", "stops": True}
    trace = faults[0].data["traceback"]
    assert re.search(
        r'test_shift.py", line \d+, in answers\n    raise ValueError.*\nValueError: two\n lines$', trace, re.DOTALL
    )
    assert faults == [
        Event(4.4, FAULT, 0, {**same, "error": "worker 'Scripted' raised ValueError: two lines", "traceback": trace}),
        Event(34.4, FAULT_CLEARED, 3, same),
    ]
    (line,) = shift.broken
    assert re.fullmatch(r"worker 'Scripted' raised ValueError: two lines \(at 4.40 s, test_shift.py:\d+\)", line)
    assert shift.ended == "time" and worker.over


def test_an_error_that_cannot_say_what_it_is_is_a_fault_as_any_other() -> None:
    """Its `__str__` is the worker's code too, and may end the program."""

    class Mute(Exception):
        def __str__(self) -> None:
            raise SystemExit(0)

    def answers(call: Any) -> Any:
        if call == 1:
            raise Mute
        return Plan([[0.0, 0.0]] * 20)

    station = Toy()
    shift = run_shift(station, Scripted(station, answers=answers), hours=40 / 3600, clock="fixed:0.2")
    assert shift.ended == "time" and "raised Mute: (it cannot say what)" in shift.broken[0]


def test_a_worker_that_always_raises_is_down_all_shift_and_the_ledger_says_so(tmp_path: Path) -> None:
    def useless(observation: Any) -> Any:
        return observation["no such key"]

    shift = run_shift(Toy(), useless, hours=100 / 3600, clock="lockstep", ledger=tmp_path / "a.takt")
    assert kinds(shift).count(FAULT) == 4 and shift.ended == "time"
    assert [event.t_s for event in shift.events if event.kind == FAULT] == [0.0, 30.0, 60.0, 90.0]


class Sized(Toy):
    def __init__(self, space: Any) -> None:
        super().__init__()
        self.action_space = space


BOX = spaces.Box(-1.0, 1.0, (2,), np.float32)
BROKEN = [
    (BOX, lambda: Plan([[0.0, 0.0], [0.0, math.nan]]), "NaN or infinity in action 1 of 2"),
    (BOX, lambda: Plan([[math.inf, 0.0]]), "NaN or infinity in action 0 of 1"),
    (BOX, lambda: Plan([[1e300, 0.0]]), "NaN or infinity in action 0 of 1"),  # float32 cannot hold it
    (BOX, lambda: Plan([[0.0, 0.0, 0.0]]), r"actions of shape \(3,\); each must be \(2,\)"),
    (BOX, lambda: Plan([[0.0, 0.0], [0.0]]), r"actions of differing shapes; each must be \(2,\)"),
    (BOX, lambda: Plan([["a", "b"]]), "actions of type <U1; they must be float32"),
    (BOX, lambda: np.zeros(2), r"actions of shape \(\); each must be \(2,\)"),
    (BOX, lambda: None, r"nothing \(None\) where a plan is due"),
    (BOX, lambda: np.float32(1), "a float32 where a plan is due"),
    (BOX, lambda: np.zeros(()), "a ndarray where a plan is due"),
    (BOX, lambda: "left", "a str where a plan is due"),
    (BOX, lambda: {"action": [0, 0]}, "a mapping where a plan is due"),
    (BOX, lambda: Plan(None), "a plan whose actions are nothing"),
    (BOX, lambda: Plan([[0.0, 0.0]], aligned="sideways"), "aligned with 'sideways'"),
    (BOX, lambda: Plan([[0.0, 0.0]], ask_after="soon"), "ask_after is 'soon'"),  # type: ignore[arg-type]
    (BOX, lambda: Plan([[0.0, 0.0]], ask_after=1.5), "ask_after is 1.5"),  # type: ignore[arg-type]
    (spaces.Box(0, 9, (2,), np.int64), lambda: Plan([[0.5, 0.0]]), "actions of type float64; they must be int64"),
    (spaces.Discrete(3), lambda: Plan([0, 3]), r"action 1 of 2 that is not in Discrete\(3\): 3"),
    (spaces.Dict({"a": BOX}), lambda: Plan([{"a": np.float32([0, np.nan])}]), "that is not in Dict"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("space", "answer", "line"), BROKEN)
def test_an_answer_that_is_no_plan_ends_the_shift_and_keeps_the_finished_units(
    tmp_path: Path, space: Any, answer: Any, line: Any
) -> None:
    station, path = Sized(space), tmp_path / "a.takt"
    worker = Scripted(station, answers=lambda call: Plan([], ask_after=250) if call == 1 else answer())
    shift = run_shift(station, worker, units=9, clock="lockstep", ledger=path)
    assert shift.ended == "broken_plan" and len(shift.broken) == 1 and "\n" not in shift.broken[0]
    assert re.search(line, shift.broken[0]) and shift.broken[0].startswith("worker 'Scripted' answered with ")
    assert sum(kind in ENDED for kind in kinds(shift)) == 2
    assert shift.events[-1].kind == SHIFT_ENDED and shift.events[-1].t_s == 25.0
    with Ledger.open(path) as ledger:
        assert ledger.finished and tuple(ledger.events()) == shift.events
    assert worker.over


def test_values_beyond_the_bounds_are_the_stations_to_clip() -> None:
    assert worked(2, "lockstep", answers=lambda call: Plan([[50.0, -50.0]]))[0] == [[50, -50]] * 2


def test_other_spaces_have_their_own_actions() -> None:
    class Picks(Toy):
        hold = 0

        def __init__(self) -> None:
            super().__init__()
            self.action_space, self.picked = spaces.Discrete(3), list[Any]()

        def step(self, action: Any) -> Any:
            self.picked.append(action)
            return super().step(np.zeros(2))

    station = Picks()
    run_shift(station, Scripted(station, answers=lambda call: Plan([1, 2])), hours=0.6 / 3600, clock="fixed:0.1")
    assert station.picked == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "give hours or units"),
        ({"hours": 0}, "cannot last 0 hours"),
        ({"hours": -3}, "cannot last -3 hours"),
        ({"hours": math.nan}, "cannot last nan hours"),
        ({"hours": math.inf}, "cannot last inf hours"),
        ({"units": 0}, "cannot have 0 units"),
        ({"units": 1, "seed": -1}, "seed cannot be -1"),
        ({"units": 1, "clock": "sundial"}, "no clock"),
        ({"units": 1, "faults": ["jam"]}, "cannot read the fault"),
        ({"units": 1, "faults": ["flood~1/h"]}, "'flood'"),
        ({"units": 1, "faults": [Fault("flood", 0.0, 1.0)]}, "'flood'"),
        ({"units": 1, "worker_options": {"model": object()}}, "cannot be written down"),
    ],
)
def test_what_is_given_wrong_is_one_line_before_anything_is_written(tmp_path: Path, given: Any, line: Any) -> None:
    with pytest.raises(TaktError, match=line) as error:
        run_shift(Toy(), push, ledger=tmp_path / "a.takt", **given)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_an_unknown_station_or_worker_is_one_line() -> None:
    with pytest.raises(TaktError, match="no station named 'nowhere'"):
        run_shift("nowhere", push, units=1)
    with pytest.raises(TaktError, match="no worker named 'nobody'"):
        run_shift(Toy(), "nobody", units=1)
    with pytest.raises(TaktError, match="is not a worker"):
        run_shift(Toy(), 7, units=1)  # type: ignore[arg-type]


class Seer:
    """A worker that needs a station of its own kind."""

    station_options = {"id": "FrozenLake-v1", "takt_s": 2, "privileged": True}  # noqa: RUF012

    def __init__(self, checkpoint: Any = None) -> None:
        if checkpoint:
            raise FileNotFoundError(checkpoint)

    def begin(self, spec: Any, seed: Any) -> None:
        self.spec = spec

    def act(self, observation: Any) -> list[Any]:
        return [2]

    def end(self) -> None: ...


def test_a_worker_may_ask_something_of_its_station(tmp_path: Path) -> None:
    shift = run_shift("gym", Seer(), units=2, ledger=tmp_path / "a.takt")
    assert shift.meta["options"]["id"] == "FrozenLake-v1" and shift.meta["options"]["takt_s"] == 2
    assert shift.meta["options"]["privileged"] and shift.events[0].data["privileged"]
    told = run_shift("gym", "test_shift:Seer", units=2, station_options={"takt_s": 3, "privileged": False})
    assert told.meta["options"]["takt_s"] == 3 and not told.events[0].data["privileged"]
    assert told.meta["options"]["id"] == "FrozenLake-v1"
    assert run_shift(Toy(), Seer(), units=1).ended == "broken_plan", "a station that is open already is as it is"


def test_a_shift_goes_on_with_the_options_of_its_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_shift("gym", "test_shift:Seer", units=2, ledger=tmp_path / "a.takt")
    monkeypatch.setattr(Seer, "station_options", {"id": "CartPole-v1", "takt_s": 5})
    assert all(
        station.spec.takt_s == 2 for station, _ in steps_of_unit(tmp_path / "a.takt", 1, worker="test_shift:Seer")
    )


def test_a_worker_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TaktError, match="no station named 'nowhere'"):
        run_shift("nowhere", "test_shift:nobody", units=1)
    with pytest.raises(TaktError, match="cannot import the worker 'test_shift:nobody'"):
        run_shift("gym", "test_shift:nobody", units=1)
    with pytest.raises(TaktError, match="cannot open the worker 'test_shift:Seer': FileNotFoundError: a"):
        run_shift("gym", "test_shift:Seer", units=1, worker_options={"checkpoint": "a.pt"})
    with pytest.raises(TaktError, match="worker 'test_shift:Seer' has no option 'size'"):
        run_shift("gym", "test_shift:Seer", units=1, worker_options={"size": 3})


def test_a_worker_that_cannot_begin_is_one_line_and_leaves_no_ledger(tmp_path: Path) -> None:
    class Unready(Moody):
        def begin(self, spec: Any, seed: Any) -> None:
            raise OSError("no weights\nhere")

    with pytest.raises(TaktError, match="worker 'Unready' raised in begin: OSError: no weights here"):
        run_shift(Toy(), Unready(), units=1, ledger=tmp_path / "a.takt")
    assert not list(tmp_path.iterdir())


def test_a_worker_that_cannot_end_does_not_cost_the_shift() -> None:
    class Clinging(Moody):
        def end(self) -> None:
            raise OSError("not yet")

    with pytest.warns(UserWarning, match="raised in end: OSError: not yet"):
        assert run_shift(Toy(), Clinging(), units=1).ended == "units"


def test_a_worker_that_cannot_be_saved_is_one_line() -> None:
    class Closed(Moody):
        def save(self) -> None:
            raise NotImplementedError

    with pytest.raises(TaktError, match="worker 'Closed' raised in save: NotImplementedError"):
        run_shift(Toy(), Closed(), units=1)


def test_a_station_that_raises_is_not_hidden(tmp_path: Path) -> None:
    class Broken(Toy):
        def step(self, action: Any) -> Any:
            if self.period == 250:
                raise ZeroDivisionError("the station's own bug")
            return super().step(action)

    with pytest.raises(
        TaktError, match=r"'toy' raised in step: ZeroDivisionError: the station's own bug \(test_shift.py"
    ):
        run_shift(Broken(), push, units=9, ledger=tmp_path / "a.takt")
    with Ledger.open(tmp_path / "a.takt") as ledger:
        assert sum(event.kind in ENDED for event in ledger.events()) == 2 and not ledger.finished


def test_an_address_does_not_enter_the_ledger() -> None:
    def lost(observation: Any) -> None:
        raise RuntimeError(f"where is {object()}?")

    shift = run_shift(Toy(), lost, units=1)
    assert shift.broken[0].startswith("worker 'lost' raised RuntimeError: where is <object object>? (at 0.00 s, test_")
    assert not [event for event in shift.events if " at 0x" in str(event.data)]


def test_a_station_without_a_limit_on_cycles_is_written_in_json() -> None:
    station = Toy()
    station.spec.acceptance = takt.Acceptance(0.9, math.inf)
    assert run_shift(station, push, units=1).events[0].data["acceptance"]["cycle_s"] is None
