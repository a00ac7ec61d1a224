"""Every formula on an example worked by hand; the arithmetic stands beside it."""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takt import kpis, run_shift
from takt.events import (
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
from takt.kpi import Faults, Kpis, fault_spans, halves, length, merged, mtbf_lower_s, phi, rows, slope_per_h
from toy import Moody, Toy


def started(**asked):
    acceptance = {"good_rate": 0.9, "cycle_s": 60.0, "quantile": 0.95}
    return Event(
        0.0, SHIFT_STARTED, None, {"takt_s": 80.0, "acceptance": acceptance, "parts": ["left", "right"], **asked}
    )


def unit(number, cycle_s, left=True, right=True, why=None, first_time=True):
    parts = {"left": {"good": left}, "right": {"good": right}}
    data = {"cycle_s": cycle_s, "parts": parts}
    data |= {"first_time": first_time} if why is None else {"reasons": [why, "other"]}
    return Event(100.0 * (number + 1), UNIT_GOOD if why is None else UNIT_BAD, number, data)


def fault(at_s, name, origin="station", stops=True, kind=FAULT):
    return Event(at_s, kind, None, {"name": name, "origin": origin, "stops": stops})


def cleared(at_s, name, origin="station", stops=True):
    return fault(at_s, name, origin, stops, FAULT_CLEARED)


WORKED = [
    started(),
    unit(0, 40.0),
    fault(150.0, "jam"),
    fault(190.0, "power", "harness"),
    unit(1, 60.0),
    cleared(210.0, "jam"),
    cleared(250.0, "power", "harness"),
    unit(2, 80.0, right=False, why="not_seated"),
    fault(300.0, "fog", stops=False),
    unit(3, 50.0, first_time=False),
    cleared(400.0, "fog", stops=False),
    unit(4, None, left=False, right=False, why="late"),
    Event(450.0, HELP_CALLED, 5, {"why": "lost"}),
    unit(5, 60.0),
    fault(600.0, "worker_raised", "worker"),
    cleared(630.0, "worker_raised", "worker"),
    unit(6, 70.0),
    unit(7, 90.0, left=False, why="not_seated"),
    Event(850.0, HELP_CALLED, 8, {"why": "lost"}),
    unit(8, 120.0),
    unit(9, 60.0),
    *(Event(1000.0, THOUGHT, i, {"calls": i, "seconds": 0.5 * i}) for i in range(10)),
    Event(1000.0, SHIFT_ENDED, None, {"reason": "units"}),
]


@pytest.fixture(scope="module")
def worked():
    """Ten units in 1,000 s at a takt of 80 s: good are 0, 1, 3, 5, 6, 8, 9; unit 4 was never finished."""
    return kpis(WORKED)


def test_what_came_out(worked):
    assert (worked.units, worked.good, worked.bad, worked.finished) == (10, 7, 3, 9)
    assert worked.good_rate == 0.7 and worked.shift_s == 1000.0 and worked.takt_s == 80.0
    assert worked.failures_by_class == {"not_seated": 2, "late": 1}, "by the main reason"


def test_availability(worked):
    """Stopped 150-250 (jam and power overlap) and 600-630: ADOT = 130 s. APT = 1000 - 130. APT / PBT = 870 / 1000."""
    assert worked.downtime_s == 130.0 and worked.production_s == 870.0
    assert worked.availability == pytest.approx(0.87)


def test_effectiveness_quality_and_oee(worked):
    assert worked.effectiveness == pytest.approx(80 * 9 / 870)  # PRI PQ / APT = 720 / 870 = 0.8276
    assert worked.quality_ratio == pytest.approx(7 / 9)  # GQ / PQ
    assert worked.oee == pytest.approx(0.56)  # PRI GQ / PBT = 80 * 7 / 1000
    assert worked.oee == pytest.approx(worked.availability * worked.effectiveness * worked.quality_ratio)


def test_first_time_quality(worked):
    """10 started, 3 bad, 1 of the good (unit 3) only after rework: (10 - 3 - 1) / 10."""
    assert worked.first_time_quality == pytest.approx(0.6)


def test_throughput(worked):
    assert worked.throughput_rate_per_h == pytest.approx(32.4)  # 9 finished in 1000 s = 9 * 3.6 per hour
    assert worked.good_rate_per_h == pytest.approx(25.2)  # 7 * 3.6


def test_cycle_times(worked):
    """Finished: 40 50 60 60 60 70 80 90 120, sum 630."""
    assert worked.cycle_mean_s == pytest.approx(70.0)  # 630 / 9
    assert worked.cycle_p50_s == 60.0  # the fifth
    assert worked.cycle_p95_s == pytest.approx(108.0)  # rank 0.95 * 8 = 7.6 from 0: 90 + 0.6 * (120 - 90)
    assert worked.takt_attainment == pytest.approx(0.7)  # of 10 units, all but 90, 120 and the unfinished within 80 s
    assert worked.cycle_attainment == pytest.approx(0.5)  # 40 50 60 60 60 within 60 s


def test_failures_and_repair(worked):
    """Two stops, for one that strikes while the station is down interrupts nothing."""
    assert worked.failures == 2
    assert worked.mtbf_s == pytest.approx(435.0)  # 870 / 2
    assert worked.mttr_s == pytest.approx(65.0)  # 130 / 2
    assert worked.availability == pytest.approx(worked.mtbf_s / (worked.mtbf_s + worked.mttr_s))
    assert worked.mtbf_lower_s == pytest.approx(1740 / 12.5916, rel=1e-5)  # 2 * 870 / chi2(0.95; 2 * 2 + 2)
    assert worked.time_between_bad_s == pytest.approx(1000 / 3) and worked.units_between_bad == pytest.approx(10 / 3)
    assert worked.help_calls == 2 and worked.help_calls_per_h == pytest.approx(7.2)  # 2 * 3.6


def test_mtbf_bound_without_a_failure():
    """2 T / chi2(0.95; 2), and chi2(0.95; 2) = -2 ln 0.05: T / 2.9957."""
    assert mtbf_lower_s(1000.0, 0) == pytest.approx(1000 / -math.log(0.05))
    assert mtbf_lower_s(0.0, 0) is None


def test_faults_by_origin(worked):
    """Station: jam 150-210 (60 s) and fog 300-400 (no stop). The overlap counts for both origins, above once."""
    assert worked.faults_by_origin == {
        "station": Faults(count=2, stopping=1, active_s=160.0, downtime_s=60.0),
        "worker": Faults(count=1, stopping=1, active_s=30.0, downtime_s=30.0),
        "harness": Faults(count=1, stopping=1, active_s=60.0, downtime_s=60.0),
    }
    assert worked.faults_by_name == {"jam": 1, "power": 1, "fog": 1, "worker_raised": 1}


def test_parts_jointly(worked):
    """left bad in 4 and 7, right in 2 and 4: n11 = 7, n10 = 1, n01 = 1, n00 = 1; phi = (7*1 - 1*1) / sqrt(8*2*8*2)."""
    assert {name: (part.units, part.good, part.rate) for name, part in worked.parts.items()} == {
        "left": (10, 8, 0.8),
        "right": (10, 8, 0.8),
    }
    assert worked.parts_all_good_rate == pytest.approx(0.7)
    assert worked.parts_if_independent == pytest.approx(0.64)  # 0.8 * 0.8
    assert worked.parts_phi == {"left-right": pytest.approx(6 / 16)}


def test_parts_as_published():
    """91.7 % left, 96.7 % right, 90.2 % both: of 1000, n11 = 902, n10 = 15, n01 = 65, n00 = 18. Independent: 88.7 %."""
    pairs = [(True, True)] * 902 + [(True, False)] * 15 + [(False, True)] * 65 + [(False, False)] * 18
    units = [unit(i, 50.0, *pair, why=None if all(pair) else "not_seated") for i, pair in enumerate(pairs)]
    found = kpis([started(), *units])
    assert (found.parts["left"].rate, found.parts["right"].rate, found.parts_all_good_rate) == (0.917, 0.967, 0.902)
    assert found.parts_if_independent == pytest.approx(0.8867, abs=5e-5)
    # (902*18 - 15*65) / sqrt(917*83*967*33) = 15261 / 49282
    assert found.parts_phi["left-right"] == pytest.approx(0.3097, abs=5e-5)


def test_phi_is_none_where_a_part_never_varies():
    assert phi([(True, False), (True, True)]) is None and phi([]) is None
    assert phi([(True, True), (False, False)]) == 1.0 and phi([(True, False), (False, True)]) == -1.0


def test_thinking(worked):
    """Unit i had i calls of half a second: 45 calls and 22.5 s in 10 units."""
    assert worked.calls_per_unit == pytest.approx(4.5) and worked.thinking_s_per_unit == pytest.approx(2.25)


def test_drift_of_the_good_rate(worked):
    """Units 0-4: 3 of 5; 5-9: 4 of 5. Of C(10, 7) = 120 orders 50 each have 3 and 4 in the first half, 10 each 2 and 5:
    none is likelier than what was seen, so p = 1."""
    drift = worked.drift
    assert (drift.first_half, drift.second_half) == (0.6, 0.8)
    assert drift.change == pytest.approx(0.2) and drift.change_p == pytest.approx(1.0)
    # 5 of 5, then 1 of 5: C(5,5) C(5,1) / C(10,6) = 5 / 210, and as much on the other side
    assert halves([True] * 6 + [False] * 4) == (1.0, 0.2, pytest.approx(10 / 210))
    assert halves([True]) is None and halves([]) is None
    assert halves([True, False, True]) == (1.0, 0.5, 1.0), "the middle one is in the second half"


def test_drift_of_the_cycle_time():
    """Slopes of all pairs of (0 h, 50), (1 h, 52), (2 h, 51), (3 h, 56): 2, 1/2, 2, -1, 2, 5; their median is 2 s/h.
    Kendall: 5 pairs rise, 1 falls. Of 4! = 24 orders those with at most 1 of 6 falling: 1 + 3; two-sided p = 8 / 24."""
    slope, p = slope_per_h([0.0, 3600.0, 7200.0, 10800.0], [50.0, 52.0, 51.0, 56.0])
    assert slope == pytest.approx(2.0) and p == pytest.approx(1 / 3)
    assert slope_per_h([1.0, 2.0], [3.0, 4.0]) is None and slope_per_h([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None
    assert slope_per_h([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == (0.0, 1.0)
    long = slope_per_h([float(i) for i in range(4000)], [60 + i / 3600 for i in range(4000)])
    assert long == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-9)), "a sample of the pairs, evenly spaced"


# --- fault spans ------------------------------------------------------------------------------------------------------


def test_a_fault_lasts_until_it_is_cleared_or_the_shift_ends():
    log = [fault(10.0, "jam"), fault(20.0, "jam", "worker"), cleared(30.0, "jam"), cleared(35.0, "unknown")]
    spans = fault_spans(log, 100.0)
    assert [(s.start_s, s.end_s, s.origin) for s in spans] == [(10.0, 30.0, "station"), (20.0, 100.0, "worker")]


def test_a_stop_that_is_still_open_counts_as_far_as_it_got():
    found = kpis([started(), unit(0, 50.0), fault(80.0, "jam")])  # the log ends at 100 s
    assert found.downtime_s == 20.0 and found.failures == 1 and found.mttr_s == 20.0 and found.mtbf_s == 80.0


def test_the_same_fault_twice_at_once():
    log = [fault(0.0, "jam"), fault(5.0, "jam"), cleared(8.0, "jam"), cleared(20.0, "jam")]
    assert [(s.start_s, s.end_s) for s in fault_spans(log, 50.0)] == [(0.0, 8.0), (5.0, 20.0)]
    assert kpis([started(), *log]).failures == 1


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda x: (x[0], x[0] + x[1])), max_size=12)


@given(spans)
def test_a_union_of_intervals_by_brute_force(intervals):
    union = merged(intervals)
    assert all(a[1] < b[0] for a, b in pairwise(union)), "apart, in order"
    seconds = {second for start, end in intervals for second in range(start, end)}
    assert length(union) == len(seconds)
    assert merged(random.sample(intervals, len(intervals))) == union


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [[], [started()], [started(), Event(0.0, UNIT_DUE, 0)]], ids=["none", "started", "due"])
def test_an_empty_shift_has_no_figures_but_counts(log):
    found = kpis(log)
    none = {field.name for field in fields(Kpis) if getattr(found, field.name) is None}
    counts = {"shift_s", "downtime_s", "production_s", "units", "good", "bad", "finished", "failures", "help_calls"}
    tables = {"failures_by_class", "faults_by_origin", "faults_by_name", "parts", "parts_phi", "drift"}
    assert none | counts | tables | ({"takt_s"} if log else set()) == {field.name for field in fields(Kpis)}
    assert all(getattr(found, name) == 0 for name in counts)
    assert all(row.value in ("0", "-", "0.0") for row in rows(found))


def test_no_failure_and_nothing_finished():
    found = kpis([started(), unit(0, None, False, False, why="late")])  # one unit in 100 s, never finished
    assert found.availability == 1.0 and found.failures == 0 and found.mtbf_s is None and found.mttr_s is None
    assert found.effectiveness == 0.0 and found.quality_ratio is None and found.oee == 0.0
    assert found.takt_attainment == 0.0 and found.cycle_mean_s is None and found.drift.change is None


def test_a_station_without_takt_limit_or_parts():
    plain = started(takt_s=0.0, acceptance={"good_rate": 0.9, "cycle_s": None}, parts=[])
    found = kpis([plain, Event(10.0, UNIT_GOOD, 0, {"cycle_s": 5.0}), Event(20.0, UNIT_BAD, 1, {"cycle_s": 5.0})])
    assert found.takt_s is found.effectiveness is found.oee is found.takt_attainment is found.cycle_attainment is None
    assert found.parts == {} and found.parts_all_good_rate is None and found.parts_if_independent is None
    assert found.failures_by_class == {"unstated": 1} and found.first_time_quality == 0.5


def test_a_part_that_was_not_inspected_is_as_good_as_its_unit():
    found = kpis([started(), Event(9.0, UNIT_GOOD, 0, {"parts": {}}), Event(9.0, UNIT_BAD, 1, {"parts": {"left": {}}})])
    assert found.parts["left"].good == 1 and found.parts["right"].good == 1


@pytest.mark.parametrize("log", [[], WORKED, WORKED[:7]], ids=["empty", "whole", "running"])
def test_it_is_json(log):
    assert json.loads(json.dumps(asdict(kpis(log)), allow_nan=False))["units"] == kpis(log).units


def test_every_figure_of_the_table_names_its_source(worked):
    table = rows(worked)
    assert len({row.name for row in table}) == len(table)
    assert all(row.source for row in table) and all(isinstance(row.value, str) for row in table)
    values = {row.name: (row.value, row.unit) for row in table}
    assert (
        values["oee"] == ("56.0", "%") and values["mtbf_s"] == ("7.2", "min") and values["phi_left-right"][0] == "0.38"
    )
    assert values["bad_not_seated"] == ("2", "") and values["drift_good"] == ("+20.0", "%")


def test_of_a_real_shift():
    """What must hold whatever happened."""
    shift = run_shift(Toy(), Moody(0.05), units=12, seed=4, faults=["fog~2/min", "jam~1/min"], clock="fixed:0.3")
    found = kpis(iter(shift.events))
    assert found.units == 12 == found.good + found.bad and sum(found.failures_by_class.values()) == found.bad
    assert found.production_s + found.downtime_s == pytest.approx(found.shift_s) and found.failures > 0
    assert found.downtime_s <= sum(faults.downtime_s for faults in found.faults_by_origin.values())
    raised = [event for event in shift.events if event.kind == FAULT and event.data["origin"] == "worker"]
    assert found.faults_by_origin["worker"].count == len(raised) == found.faults_by_name["worker_raised"] > 0
    assert found.oee == pytest.approx(found.good * 10.0 / found.shift_s)
