"""Every formula on an example worked by hand; the arithmetic stands beside it."""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from takt import kpis, run_shift
from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    HELP_CALLED,
    SHIFT_ENDED,
    SHIFT_STARTED,
    THOUGHT,
    UNIT_BAD,
    UNIT_DUE,
    UNIT_GOOD,
    Event,
)
from takt.judge.formulas import fisher_p, halves, kendall_p, mtbf_lower_s, phi, slope_per_h
from takt.judge.kpi import Faults, Kpis
from takt.judge.kpi_table import rows
from takt.judge.spans import fault_spans, length, merged
from toy import Moody, Toy


def started(**asked: Any) -> Any:
    acceptance = {"good_rate": 0.9, "cycle_s": 60.0, "quantile": 0.95}
    return Event(
        0.0, SHIFT_STARTED, None, {"takt_s": 80.0, "acceptance": acceptance, "parts": ["left", "right"], **asked}
    )


def due(number: Any, takt_s: Any = 80.0) -> Any:
    return Event(takt_s * number, UNIT_DUE, number)


def unit(
    number: Any,
    cycle_s: Any,
    left: Any = True,
    right: Any = True,
    why: Any = None,
    first_time: Any = True,
    takt_s: Any = 80.0,
) -> Any:
    """Inspected at the end of its slot."""
    parts = {"left": {"good": left}, "right": {"good": right}}
    data = {"cycle_s": cycle_s, "parts": parts}
    data |= {"first_time": first_time} if why is None else {"reasons": [why, "other"]}
    return Event(takt_s * (number + 1), UNIT_GOOD if why is None else UNIT_BAD, number, data)


def fault(at_s: Any, name: Any, origin: Any = "station", stops: Any = True, kind: Any = FAULT) -> Any:
    return Event(at_s, kind, None, {"name": name, "origin": origin, "stops": stops})


def cleared(at_s: Any, name: Any, origin: Any = "station", stops: Any = True) -> Any:
    return fault(at_s, name, origin, stops, FAULT_CLEARED)


WORKED = sorted(
    [
        started(),
        *(due(number) for number in range(11)),
        unit(0, 40.0),
        fault(110.0, "jam"),
        fault(130.0, "power", "harness"),
        unit(1, None, left=False, right=False, why="late"),
        cleared(170.0, "jam"),
        cleared(190.0, "power", "harness"),
        unit(2, 72.0, right=False, why="not_seated"),
        fault(250.0, "fog", stops=False),
        unit(3, 50.0, first_time=False),
        cleared(350.0, "fog", stops=False),
        unit(4, None, left=False, right=False, why="late"),
        Event(450.0, HELP_CALLED, 5, {"why": "lost"}),
        unit(5, 60.0),
        fault(545.0, "jam"),  # unit 6 was finished at 540: there is no work, and nothing fails
        cleared(555.0, "jam"),
        unit(6, 60.0),
        fault(600.0, "worker_raised", "worker"),
        cleared(630.0, "worker_raised", "worker"),
        unit(7, 75.0, left=False, why="not_seated"),
        Event(690.0, HELP_CALLED, 8, {"why": "lost"}),
        unit(8, 78.0),
        unit(9, 60.0),
        *(Event(800.0, THOUGHT, i, {"calls": i, "seconds": 0.5 * i}) for i in range(10)),
        Event(830.0, SHIFT_ENDED, None, {"reason": "time"}),
    ],
    key=lambda event: event.t_s,
)


@pytest.fixture(scope="module")
def worked() -> Any:
    """Ten whole slots of 80 s and 30 s of an eleventh, which is cut off. Good are 0, 3, 5, 6, 8, 9; 1 and 4 were never
    finished, and the line stood still in 1's slot."""
    return kpis(WORKED)


def test_what_came_out(worked: Any) -> None:
    assert (worked.units, worked.good, worked.bad, worked.finished, worked.cut_off) == (10, 6, 4, 8, 1)
    assert (worked.pace, worked.shift_s, worked.takt_s, worked.counted_s) == ("beat", 830.0, 80.0, 800.0)
    assert worked.good_rate == 0.6
    assert worked.failures_by_class == {"late": 2, "not_seated": 2}, "by the main reason"


def test_factors(worked: Any) -> None:
    """Unit 1 is lost to the stop; 8 of the other 9 were finished; 6 of those 8 were good. 9/10 * 8/9 * 6/8 = 6/10."""
    assert worked.lost_to_stops == 1
    assert (worked.not_lost, worked.finished_share, worked.quality_ratio) == pytest.approx((0.9, 8 / 9, 0.75))
    assert worked.not_lost * worked.finished_share * worked.quality_ratio == pytest.approx(worked.good_rate)


def test_effectiveness_only_with_a_planned_cycle_time(worked: Any) -> None:
    """Stopped in the 800 s: 110-190, 545-555, 600-630, 120 s. PRI PQ / APT = 64 * 8 / 680."""
    assert worked.effectiveness is None, "the takt is the customer's, and no planned run time"
    planned = [started(planned_cycle_s=64.0), *WORKED[1:]]
    assert kpis(planned).effectiveness == pytest.approx(64 * 8 / 680)


def test_uptime(worked: Any) -> None:
    """Stopped 110-190 (jam and power overlap), 545-555 (idle) and 600-630: ADOT = 120 s of 830."""
    assert worked.downtime_s == 120.0 and worked.uptime == pytest.approx(710 / 830)
    assert worked.busy == 1.0, "there is always a unit due at a beat"


def test_first_time_quality(worked: Any) -> None:
    """10 started, 4 bad, 1 of the good (unit 3) only after rework: (10 - 4 - 1) / 10."""
    assert worked.first_time_quality == pytest.approx(0.5)


def test_throughput(worked: Any) -> None:
    """Of the ten that count, in the ten takts that they cover."""
    assert worked.throughput_rate_per_h == pytest.approx(8 * 3600 / 800)
    assert worked.good_rate_per_h == pytest.approx(6 * 3600 / 800)


def test_cycle_times(worked: Any) -> None:
    """Good: 40 50 60 60 60 78, sum 348; the other four of ten are never. Median: the fifth of ten, 60."""
    assert worked.cycle_mean_s == pytest.approx(58.0)
    assert worked.cycle_p50_s == 60.0
    assert worked.cycle_p95_s is None and next(row for row in rows(worked) if row.name == "cycle_p95_s").value == "> 80"
    assert worked.takt_attainment == pytest.approx(0.6)  # good and within 80 s: all that are good
    assert worked.cycle_attainment == pytest.approx(0.5)  # 40 50 60 60 60 within 60 s; 78 is not


def test_failing_fast_attains_nothing() -> None:
    """A hundred units failed in a second each: that is no attainment, no cycle time and no speed."""
    bad = [event for i in range(100) for event in (due(i), unit(i, 1.0, left=False, why="thrown"))]
    found = kpis([started(), *bad])
    assert (found.takt_attainment, found.cycle_attainment, found.cycle_p50_s, found.cycle_mean_s) == (0, 0, None, None)
    assert (found.finished_share, found.quality_ratio) == (1.0, 0.0)


def test_failures_and_repair(worked: Any) -> None:
    """E10 counts the equipment's failures while there was work: the jam at 110, of 60 s. The power was the harness's,
    the jam at 545 hit nothing, and the worker that raised is no equipment. Stopped in work: 110-190 and 600-630."""
    assert worked.failures == 3 and worked.equipment_failures == 1 and worked.mttr_s == pytest.approx(60.0)
    in_work = 40 + 80 + 72 + 50 + 80 + 60 + 60 + 75 + 78 + 60 + 30
    assert worked.productive_s == pytest.approx(in_work - 80 - 30)
    assert worked.mtbf_s == pytest.approx(worked.productive_s)
    assert worked.time_between_bad_s == pytest.approx(800 / 4) and worked.units_between_bad == pytest.approx(10 / 4)
    assert worked.help_calls == 2 and worked.help_calls_per_h == pytest.approx(2 * 3600 / 830)


def test_mtbf_bound_at_any_look() -> None:
    """After 0, 1, 2 failures T / theta is 4.51, 6.85, 8.85; without one, (e^x - 1) / x = 20."""
    for failures, x in ((0, 4.51), (1, 6.85), (2, 8.85)):
        assert 1000 / mtbf_lower_s(1000.0, failures) == pytest.approx(x, abs=0.006)
    x = 1000 / mtbf_lower_s(1000.0, 0)
    assert (math.exp(x) - 1) / x == pytest.approx(20)
    assert mtbf_lower_s(0.0, 0) is None and mtbf_lower_s(1e6, 400) < 1e6 / 400


def test_the_mtbf_bound_is_right_at_every_look_at_once() -> None:
    """A constant failure rate, looked at just before each of 60 failures (where the bound is highest), 600 shifts,
    seed 2: wrong in about 4 %, promised 5 % (one seed in a hundred at 5 %); the chi-square bound in 20 % or so."""
    ends = np.random.default_rng(2).exponential(1.0, (600, 60)).cumsum(1)
    most = np.array([mtbf_lower_s(1.0, r) for r in range(60)])
    wrong = (ends * most > 1.0).any(1).mean()
    usual = (2 * ends / stats.chi2.ppf(0.95, 2 * np.arange(60) + 2) > 1.0).any(1).mean()
    assert 0.01 < wrong <= 0.05 + 2.4 * math.sqrt(0.05 * 0.95 / 600) and usual > 0.12


def test_faults_by_origin(worked: Any) -> None:
    """Station: jam 110-170 and 545-555, fog 250-350 (no stop). The overlap counts for both origins, above once."""
    assert worked.faults_by_origin == {
        "station": Faults(count=3, stopping=2, active_s=170.0, downtime_s=70.0),
        "worker": Faults(count=1, stopping=1, active_s=30.0, downtime_s=30.0),
        "harness": Faults(count=1, stopping=1, active_s=60.0, downtime_s=60.0),
    }
    assert worked.faults_by_name == {"jam": 2, "power": 1, "fog": 1, "worker_raised": 1}


def test_parts_jointly(worked: Any) -> None:
    """left bad in 1, 4 and 7, right in 1, 2 and 4: n11 = 6, n10 = n01 = 1, n00 = 2; phi = (6*2 - 1*1) / (7*3)."""
    assert {name: (part.units, part.good, part.rate) for name, part in worked.parts.items()} == {
        "left": (10, 7, 0.7),
        "right": (10, 7, 0.7),
    }
    assert worked.parts_all_good_rate == pytest.approx(0.6)
    assert worked.parts_if_independent == pytest.approx(0.49)  # 0.7 * 0.7
    assert worked.parts_phi == {"left-right": pytest.approx(11 / 21)}


def test_parts_as_published() -> None:
    """91.7 % left, 96.7 % right, 90.2 % both: of 1000, n11 = 902, n10 = 15, n01 = 65, n00 = 18. Independent: 88.7 %."""
    pairs = [(True, True)] * 902 + [(True, False)] * 15 + [(False, True)] * 65 + [(False, False)] * 18
    units = [unit(i, 50.0, *pair, why=None if all(pair) else "not_seated") for i, pair in enumerate(pairs)]
    found = kpis([started(), *units])
    assert (found.parts["left"].rate, found.parts["right"].rate, found.parts_all_good_rate) == (0.917, 0.967, 0.902)
    assert found.parts_if_independent == pytest.approx(0.8867, abs=5e-5)
    # (902*18 - 15*65) / sqrt(917*83*967*33) = 15261 / 49282
    assert found.parts_phi["left-right"] == pytest.approx(0.3097, abs=5e-5)


def test_phi_is_none_where_a_part_never_varies() -> None:
    assert phi([(True, False), (True, True)]) is None and phi([]) is None
    assert phi([(True, True), (False, False)]) == 1.0 and phi([(True, False), (False, True)]) == -1.0


def test_thinking(worked: Any) -> None:
    """Unit i had i calls of half a second: 45 calls and 22.5 s in 10 units."""
    assert worked.calls_per_unit == pytest.approx(4.5) and worked.thinking_s_per_unit == pytest.approx(2.25)


def test_drift_of_the_good_rate(worked: Any) -> None:
    """Units 0-4: 2 of 5; 5-9: 4 of 5. Of C(10, 6) = 210 orders 50 have 2 in the first half, 50 have 4, 5 each 1 and 5,
    and 100 have 3: p = 110 / 210."""
    drift = worked.drift
    assert (drift.first_half, drift.second_half) == (0.4, 0.8)
    assert drift.change == pytest.approx(0.4) and drift.change_p == pytest.approx(110 / 210)
    # 5 of 5, then 1 of 5: C(5,5) C(5,1) / C(10,6) = 5 / 210, and as much on the other side
    assert halves([True] * 6 + [False] * 4) == (1.0, 0.2, pytest.approx(10 / 210))
    assert halves([True]) is None and halves([]) is None
    assert halves([True, False, True]) == (1.0, 0.5, 1.0), "the middle one is in the second half"


def test_drift_of_the_cycle_time() -> None:
    """Slopes of all pairs of (0 h, 50), (1 h, 52), (2 h, 51), (3 h, 56): 2, 1/2, 2, -1, 2, 5; their median is 2 s/h.
    Kendall: 5 pairs rise, 1 falls. Of 4! = 24 orders those with at most 1 of 6 falling: 1 + 3; two-sided p = 8 / 24."""
    slope, p = slope_per_h([0.0, 3600.0, 7200.0, 10800.0], [50.0, 52.0, 51.0, 56.0])
    assert slope == pytest.approx(2.0) and p == pytest.approx(1 / 3)
    assert slope_per_h([1.0, 2.0], [3.0, 4.0]) is None and slope_per_h([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None
    assert slope_per_h([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == (0.0, 1.0)
    long = slope_per_h([float(i) for i in range(4000)], [60 + i / 3600 for i in range(4000)])
    assert long == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-9)), "a sample of the pairs, evenly spaced"


def test_the_tests_of_drift_are_scipys() -> None:
    """Within 1e-9 of `scipy.stats`, on tables of all kinds, and on times with and without ties, few, many, in order."""
    draw = np.random.default_rng(5)
    for n in range(3, 60):
        of_a, of_b = int(draw.integers(1, 90)), int(draw.integers(1, 90))
        a, b = int(draw.integers(0, of_a + 1)), int(draw.integers(0, of_b + 1))
        expected = stats.fisher_exact([[a, of_a - a], [b, of_b - b]]).pvalue
        assert fisher_p(a, of_a, b, of_b) == pytest.approx(expected, rel=1e-9)
        x = np.arange(n, dtype=float) if n % 4 else draw.integers(0, 9, n).astype(float)
        y = {0: draw.random(n), 1: draw.integers(0, 6, n).astype(float), 2: -x}[n % 3]
        if np.ptp(x) and np.ptp(y):
            assert kendall_p(x, y) == pytest.approx(stats.kendalltau(x, y).pvalue, rel=1e-9), n
            slope, _ = slope_per_h((3600 * x).tolist(), y.tolist()) or (None, None)
            assert slope == pytest.approx(stats.theilslopes(y, x).slope)


# --- fault spans ------------------------------------------------------------------------------------------------------


def test_a_fault_lasts_until_it_is_cleared_or_the_shift_ends() -> None:
    log = [fault(10.0, "jam"), fault(20.0, "jam", "worker"), cleared(30.0, "jam"), cleared(35.0, "unknown")]
    spans = fault_spans(log, 100.0)
    assert [(s.start_s, s.end_s, s.origin) for s in spans] == [(10.0, 30.0, "station"), (20.0, 100.0, "worker")]


def test_a_stop_that_is_still_open_counts_as_far_as_it_got() -> None:
    found = kpis([started(), due(0), fault(30.0, "jam"), Event(70.0, HELP_CALLED, 0, {"why": "stuck"})])
    assert found.downtime_s == 40.0 and found.failures == 1 and found.mttr_s == 40.0 and found.mtbf_s == 30.0


def test_the_same_fault_twice_at_once() -> None:
    log = [fault(0.0, "jam"), fault(5.0, "jam"), cleared(8.0, "jam"), cleared(20.0, "jam")]
    assert [(s.start_s, s.end_s) for s in fault_spans(log, 50.0)] == [(0.0, 8.0), (5.0, 20.0)]
    assert kpis([started(), due(0), *log, unit(0, 50.0)]).failures == 1


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda x: (x[0], x[0] + x[1])), max_size=12)


@given(spans)
def test_a_union_of_intervals_by_brute_force(intervals: Any) -> None:
    union = merged(intervals)
    assert all(a[1] < b[0] for a, b in pairwise(union)), "apart, in order"
    seconds = {second for start, end in intervals for second in range(start, end)}
    assert length(union) == len(seconds)
    assert merged(random.sample(intervals, len(intervals))) == union


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [[], [started()], [started(), Event(0.0, UNIT_DUE, 0)]], ids=["none", "started", "due"])
def test_an_empty_shift_has_no_figures_but_counts(log: Any) -> None:
    found = kpis(log)
    none = {field.name for field in fields(Kpis) if getattr(found, field.name) is None}
    counts = {"shift_s", "downtime_s", "counted_s", "productive_s", "units", "good", "bad", "finished", "failures"}
    counts |= {"help_calls", "lost_to_stops", "cut_off", "cut_off_finished", "open", "equipment_failures"}
    tables = {"failures_by_class", "faults_by_origin", "faults_by_name", "parts", "parts_phi", "drift", "capability"}
    assert none | counts | tables | {"pace"} | ({"takt_s"} if log else set()) == {field.name for field in fields(Kpis)}
    assert all(getattr(found, name) == 0 for name in counts)
    assert all(row.value in ("0", "-", "0.0") for row in rows(found))


def test_no_failure_and_nothing_finished() -> None:
    found = kpis([started(), due(0), unit(0, None, False, False, why="late")])  # one unit in 80 s, never finished
    assert found.uptime == 1.0 and found.failures == 0 and found.mtbf_s is None and found.mttr_s is None
    assert (found.not_lost, found.finished_share, found.quality_ratio, found.good_rate) == (1.0, 0.0, None, 0.0)
    assert found.takt_attainment == 0.0 and found.cycle_mean_s is None and found.drift.change is None


def test_a_station_without_takt_limit_or_parts() -> None:
    plain = started(takt_s=0.0, acceptance={"good_rate": 0.9, "cycle_s": None}, parts=[])
    found = kpis([plain, Event(10.0, UNIT_GOOD, 0, {"cycle_s": 5.0}), Event(20.0, UNIT_BAD, 1, {"cycle_s": 5.0})])
    assert found.takt_s is found.effectiveness is found.takt_attainment is found.cycle_attainment is None
    assert found.pace == "free" and (found.units, found.good_rate, found.not_lost) == (2, 0.5, None)
    assert found.parts == {} and found.parts_all_good_rate is None and found.parts_if_independent is None
    assert found.failures_by_class == {"unstated": 1} and found.first_time_quality == 0.5


def test_a_part_that_was_not_inspected_is_as_good_as_its_unit() -> None:
    found = kpis([started(), Event(9.0, UNIT_GOOD, 0, {"parts": {}}), Event(9.0, UNIT_BAD, 1, {"parts": {"left": {}}})])
    assert found.parts["left"].good == 1 and found.parts["right"].good == 1


@pytest.mark.parametrize("log", [[], WORKED, WORKED[:7]], ids=["empty", "whole", "running"])
def test_it_is_json(log: Any) -> None:
    assert json.loads(json.dumps(asdict(kpis(log)), allow_nan=False))["units"] == kpis(log).units


def test_every_figure_of_the_table_names_its_source(worked: Any) -> None:
    table = rows(worked)
    assert len({row.name for row in table}) == len(table)
    assert all(row.source for row in table) and all(isinstance(row.value, str) for row in table)
    values = {row.name: (row.value, row.unit) for row in table}
    assert (
        values["good_rate"] == ("60.0", "%")
        and values["mtbf_s"] == ("9.6", "min")
        and values["phi_left-right"][0] == "0.52"
    )
    assert values["bad_not_seated"] == ("2", "") and values["drift_good"] == ("+40.0", "%")


def test_of_a_real_shift() -> None:
    """What must hold whatever happened."""
    shift = run_shift(Toy(), Moody(0.05), units=12, seed=4, faults=["fog~2/min", "jam~1/min"], clock="fixed:0.3")
    found = kpis(iter(shift.events))
    assert found.units == 12 == found.good + found.bad and sum(found.failures_by_class.values()) == found.bad
    assert found.uptime * found.shift_s + found.downtime_s == pytest.approx(found.shift_s) and found.failures > 0
    assert found.downtime_s <= sum(faults.downtime_s for faults in found.faults_by_origin.values())
    raised = [event for event in shift.events if event.kind == FAULT and event.data["origin"] == "worker"]
    assert found.faults_by_origin["worker"].count == len(raised) == found.faults_by_name["worker_raised"] > 0
    assert found.good_rate == pytest.approx(found.good * 10.0 / found.shift_s)


outcomes = st.lists(
    st.tuples(st.sampled_from(["good", "bad", "never"]), st.floats(0.1, 400.0), st.booleans()), min_size=0, max_size=40
)


@given(outcomes, st.sampled_from(["beat", "arrivals", "free"]), st.floats(0.0, 5000.0), st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_factor_is_a_share_and_their_product_is_good_over_due(
    units: Any, pace: Any, end_s: Any, over: Any
) -> None:
    """Whatever the outcomes, stops and ends of a shift: no ratio above 100 %, and no loss between the factors."""
    told = {"takt_s": 0.0 if pace == "free" else 60.0, "pace": pace, "parts": []}
    log = [started(**told, **({"unit_life_s": 400.0} if pace == "arrivals" else {}))]
    t_s = 0.0
    for number, (kind, took_s, stops) in enumerate(units):
        due_s = 60.0 * number if pace == "beat" else t_s if pace == "free" else 37.0 * number**1.1
        over_s = due_s + (60.0 if pace == "beat" else took_s)
        log.append(Event(due_s, UNIT_DUE, number))
        if stops:
            log += [fault(due_s + 5, "jam"), cleared(due_s + 25, "jam")]
        cycle_s = min(took_s, over_s - due_s) if kind != "never" else None
        log.append(Event(over_s, UNIT_GOOD if kind == "good" else UNIT_BAD, number, {"cycle_s": cycle_s, "parts": {}}))
        t_s = over_s
    log = sorted((event for event in log if event.t_s <= end_s), key=lambda event: event.t_s)
    log += [Event(max(end_s, log[-1].t_s), SHIFT_ENDED, None, {"reason": "time"})] if over else []
    found = kpis(log)
    factors = [found.not_lost, found.finished_share, found.quality_ratio]
    shares = [*factors, found.good_rate, found.busy, found.uptime, found.takt_attainment, found.cycle_attainment]
    shares += [found.first_time_quality, found.parts_all_good_rate]
    assert all(share is None or 0 <= share <= 1 for share in shares)
    if found.units and found.finished:
        assert math.prod(f for f in factors if f is not None) == pytest.approx(found.good_rate)
    assert found.good + found.bad + found.open == found.units and found.lost_to_stops + found.finished <= found.units
    if pace == "beat":
        assert (found.good_rate_per_h or 0) <= (found.throughput_rate_per_h or 0) <= 60 + 1e-9, "the line brings 60"
    if pace == "beat" and over and found.units:
        assert found.units == int((end_s + 1e-6) // 60) or found.units == len(units)


def test_a_desk_counts_who_had_all_their_time() -> None:
    """Groups come at random; half are settled in a minute, half not in half an hour. In the first hour of ending order
    that looks like 66 % good; of those that had their half hour it is half."""
    told = {"takt_s": 60.0, "pace": "arrivals", "unit_life_s": 1800.0, "parts": []}
    asked = {"good_rate": 0.9, "cycle_s": None}
    log = [started(**told, acceptance=asked)]
    for number in range(61):
        due_s, good = 60.0 * number, number % 2 == 0
        log.append(Event(due_s, UNIT_DUE, number))
        over_s = due_s + (60.0 if good else 1800.0)
        if over_s <= 3600:
            data = {"cycle_s": 60.0 if good else None, "parts": {}}
            log.append(Event(over_s, UNIT_GOOD if good else UNIT_BAD, number, data))
    log = [*sorted(log, key=lambda event: event.t_s), Event(3600.0, SHIFT_ENDED, None, {"reason": "time"})]
    found = kpis(log)
    assert (found.units, found.good, found.cut_off, found.good_rate) == (31, 16, 29, 16 / 31), (
        "the last came at the end"
    )
    labels = {row.label: row.value for row in rows(found)}
    assert labels["Service level"] == "51.6" and labels["Cut off by the end"] == "29" and "Run@Rate" not in labels
    assert found.takt_attainment is None and found.cycle_attainment == 16 / 31, "in time is within the service time"
