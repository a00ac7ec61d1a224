from __future__ import annotations

from typing import Any

import pytest

from takt.contract.clock import Recorded, parse_clock
from takt.contract.events import SHIFT_ENDED, THOUGHT, Event
from takt.contract.station import TaktError


@pytest.mark.parametrize(
    ("text", "control_s", "periods"),
    [
        ("lockstep", 0.02, 0),
        ("fixed:0", 0.02, 0),
        ("fixed:0.08", 0.02, 4),
        ("fixed:0.07", 0.01, 7),  # 0.07 / 0.01 is 7.000000000000001
        ("fixed:0.06", 0.02, 3),  # 0.06 / 0.02 is 2.9999999999999996
        ("fixed:0.081", 0.02, 5),
        ("fixed:0.001", 0.02, 1),
        ("fixed:2", 0.02, 100),
    ],
)
def test_a_plan_arrives_at_the_first_period_at_or_after_the_cost(text: Any, control_s: Any, periods: Any) -> None:
    assert parse_clock(text).periods(123.0, control_s) == periods


def test_the_measured_clock_charges_the_wall_time() -> None:
    clock = parse_clock("measured")
    assert clock.measures and clock.text == "measured"
    assert [clock.periods(wall_s, 0.02) for wall_s in (0.0, 0.001, 0.02, 0.03)] == [0, 1, 1, 2]


def test_a_clock_keeps_its_name_in_one_spelling() -> None:
    assert parse_clock("fixed:0.080").text == "fixed:0.08"
    assert parse_clock(parse_clock("fixed:1e-3").text) == parse_clock("fixed:0.001")
    assert parse_clock("fixed:0.123456789").text == "fixed:0.123456789"


@pytest.mark.parametrize(
    "text", ["", "fixed", "fixed:", "fixed:fast", "fixed:-1", "fixed:nan", "fixed:inf", "sometimes:1"]
)
def test_another_text_is_no_clock(text: Any) -> None:
    with pytest.raises(TaktError, match=r"no clock is called .*fixed:0.08") as error:
        parse_clock(text)
    assert "\n" not in str(error.value)


def test_a_recorded_clock_plays_a_measured_one_back() -> None:
    events = [
        Event(1.0, THOUGHT, 0, {"calls": 2, "seconds": 0.1, "periods": [3, 2]}),
        Event(2.0, SHIFT_ENDED, None, {"reason": "time", "periods": [1]}),
    ]
    clock = Recorded(events)
    assert [clock.periods(99.0, 0.02) for _ in range(3)] == [3, 2, 1]
    with pytest.raises(TaktError, match="more often"):
        clock.periods(0.0, 0.02)
