from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takt.stations.flightdesk.desk.corridors import great_circle_km, place
from takt.stations.flightdesk.desk.fares import (
    BUSY,
    CNY,
    CROWD,
    LADDER,
    STILL_TO_COME,
    demand_to_come,
    fare,
    lowest_open,
    usual_fare,
)

SEATS = 20


def madrid_beijing(days: int, crowd: float = 1.0, seats: int = SEATS) -> float:
    """CNY one way, lowest economy, for travel `days` after 1 March 2026, seen that day."""
    usual = usual_fare(great_circle_km(place("MAD"), place("PEK")))
    demand = demand_to_come(BUSY * SEATS / STILL_TO_COME[days], crowd * CROWD * SEATS, days)
    return float(CNY * fare(usual, demand, seats))


def test_the_articles_fares_for_madrid_beijing() -> None:
    assert madrid_beijing(2) == pytest.approx(16007, abs=1), "seen on 1 March for the 3rd"
    for day in range(4, 8):
        assert madrid_beijing(day - 1) == pytest.approx(22550, abs=1), f"seen on 1 March for the {day}th"
    for day in range(8, 20):
        assert madrid_beijing(day - 1) < 10000, f"seen on 1 March for the {day}th"
    for day in range(14, 18):
        assert madrid_beijing(day - 1) == pytest.approx(5780, abs=1), f"seen on 1 March for the {day}th"


def test_the_calibration_does_not_hang_on_a_seat_more_or_less() -> None:
    for seats in (19, 21):
        for days in (2, 4, 7, 14):
            assert madrid_beijing(days, seats=seats) == madrid_beijing(days)


def test_when_nobody_is_stranded_the_fare_is_the_usual_one() -> None:
    assert {round(madrid_beijing(days, crowd=0.0)) for days in range(20)} == {5780}


def test_fares_fall_as_the_hubs_open_again() -> None:
    quotes = [madrid_beijing(4, crowd) for crowd in (1.0, 0.75, 0.5, 0.25, 0.0)]
    assert quotes == sorted(quotes, reverse=True) and len(set(quotes)) >= 4


def test_usual_fares_grow_with_the_distance_but_more_slowly() -> None:
    km = np.array([300.0, 1000.0, 5000.0, 9203.8, 12000.0])
    usual = usual_fare(km)
    assert (np.diff(usual) > 0).all() and (np.diff(usual / km) < 0).all()
    assert usual[3] == pytest.approx(722.5)


persons = st.floats(0, 1e5)


@given(persons, st.integers(0, 400), st.integers(0, 400))
def test_fewer_seats_never_make_a_fare_lower(demand: Any, left: Any, bought: Any) -> None:
    assert fare(100.0, demand, max(left - bought, 0)) >= fare(100.0, demand, left)


@given(persons, persons, st.integers(0, 400))
def test_more_demand_never_makes_a_fare_lower(demand: Any, more: Any, left: Any) -> None:
    assert fare(100.0, demand + more, left) >= fare(100.0, demand, left)


def test_the_ladder_has_its_ends() -> None:
    assert (np.diff(LADDER) > 0).all()
    assert lowest_open(0.0, 1) == 0 and lowest_open(1e6, 1) == lowest_open(0.0, 0) == len(LADDER) - 1
    assert set(lowest_open(np.linspace(0, 200, 400), 20).tolist()) == set(range(len(LADDER)))


def test_thousands_of_flights_are_priced_in_milliseconds() -> None:
    demand, left = np.linspace(0, 300, 5000), np.arange(5000) % 60
    began = time.perf_counter()
    for _ in range(10):
        fare(200.0, demand, left)
    assert time.perf_counter() - began < 10 * 0.05
