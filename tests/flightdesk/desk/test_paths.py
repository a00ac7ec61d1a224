"""`cheapest` against a search that tries every way, on small networks by chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takt.stations.flightdesk.airline.instance import CONNECTION, Floats
from takt.stations.flightdesk.desk.paths import LEGS, Network, Path, cheapest, lateness, network_of

AIRPORTS = 5


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Up to 14 flights between five airports in ten hours, so that many connect, and many by exactly 30 minutes."""
    count = draw(st.integers(1, 14))
    origin = np.array(draw(st.lists(st.integers(0, AIRPORTS - 1), min_size=count, max_size=count)))
    hop = np.array(draw(st.lists(st.integers(1, AIRPORTS - 1), min_size=count, max_size=count)))
    leaves = 10 * np.array(draw(st.lists(st.integers(0, 60), min_size=count, max_size=count)))
    takes = 10 * np.array(draw(st.lists(st.integers(1, 12), min_size=count, max_size=count)))
    return network_of(origin, (origin + hop) % AIRPORTS, leaves, leaves + takes)


def costs(draw: st.DrawFn, count: int) -> Floats:
    """EUR aboard: few different ones, so that there are ties, and some flights that cannot be taken."""
    eur = st.sampled_from([0.0, 10.0, 20.0, 25.0, 40.0, float("inf")])
    return np.array(draw(st.lists(eur, min_size=count, max_size=count)))


def every_way(
    net: Network, cost: Floats, start: int, goal: int, ready: float, latest: float, legs: int
) -> Iterator[tuple[int, ...]]:
    """Every chain of flights that may be taken, one after the other, however silly."""

    def further(chain: tuple[int, ...], at: int, since: float) -> Iterator[tuple[int, ...]]:
        if chain and at == goal:  # nobody flies on from where they are going, to come back
            yield chain
            return
        if len(chain) == legs:
            return
        for f in range(len(cost)):
            if net.origin[f] == at and net.leaves[f] >= since and net.lands[f] <= latest and np.isfinite(cost[f]):
                yield from further((*chain, f), int(net.destination[f]), float(net.lands[f] + CONNECTION))

    yield from further((), start, ready)


def total(way: tuple[int, ...], cost: Floats, arrival_cost: Floats) -> float:
    return float(cost[list(way)].sum() + arrival_cost[way[-1]])


@settings(max_examples=300, deadline=None)
@given(st.data(), networks())
def test_the_ways_are_those_of_a_search_that_tries_all(data: st.DataObject, net: Network) -> None:
    cost = costs(data.draw, len(net.origin))  # type: ignore[arg-type]
    start, goal = data.draw(st.permutations(range(AIRPORTS)))[:2]
    ready, latest = 10.0 * data.draw(st.integers(0, 30)), 10.0 * data.draw(st.integers(20, 75))
    legs, by_arrival = data.draw(st.integers(1, LEGS) | st.none()), data.draw(st.booleans())
    late = lateness(net.lands - data.draw(st.integers(0, 600)), data.draw(st.sampled_from([0.0, 0.05, 1.25])), 120)
    found = cheapest(net, cost, start, goal, ready, latest, late, len(cost), by_arrival, legs)
    least: dict[int, float] = {}  # by last flight
    for way in every_way(net, cost, start, goal, ready, latest, legs or len(cost)):
        least[way[-1]] = min(least.get(way[-1], np.inf), total(way, cost, late))
    assert {path.flights[-1]: path.cost for path in found} == pytest.approx(least)
    keys = [(net.lands[path.flights[-1]], path.cost) if by_arrival else (path.cost,) for path in found]
    assert keys == sorted(keys)
    for path in found:
        _can_be_flown(net, path, start, goal, ready, latest, legs or len(cost))
        assert total(path.flights, cost, late) == pytest.approx(path.cost)
    for limit in (1, 2):
        assert cheapest(net, cost, start, goal, ready, latest, late, limit, by_arrival, legs) == found[:limit]


def _can_be_flown(net: Network, path: Path, start: int, goal: int, ready: float, latest: float, legs: int) -> None:
    assert 1 <= len(path.flights) <= legs
    at, since = start, ready
    for f in path.flights:
        assert net.origin[f] == at and net.leaves[f] >= since and net.lands[f] <= latest
        at, since = int(net.destination[f]), float(net.lands[f] + CONNECTION)
    assert at == goal


def chain(gap: int) -> Network:
    """0 - 1 - 2 - 3 with so many minutes between landing and departure, and 0 - 3 without a stop, later there."""
    leaves = np.array([0, 60 + gap, 120 + 2 * gap, 200])
    return network_of(np.array([0, 1, 2, 0]), np.array([1, 2, 3, 3]), leaves, leaves + np.array([60, 60, 60, 300]))


def ways_of(net: Network, **options: int | bool | None) -> list[tuple[int, ...]]:
    none = np.zeros(4)
    cost = np.array([10.0, 10.0, 10.0, 25.0])
    return [path.flights for path in cheapest(net, cost, 0, 3, 0.0, 9999.0, none, **{"limit": 4} | options)]  # type: ignore[arg-type]


def test_thirty_minutes_are_enough_to_change_and_a_minute_less_is_not() -> None:
    assert ways_of(chain(30), by_arrival=True) == [(0, 1, 2), (3,)]
    assert ways_of(chain(29), by_arrival=True) == [(3,)]


def test_the_cheapest_is_not_the_earliest_and_both_come_first_when_asked_for() -> None:
    assert ways_of(chain(30)) == [(3,), (0, 1, 2)]
    assert ways_of(chain(30), limit=1) == [(3,)]
    assert ways_of(chain(30), limit=1, by_arrival=True) == [(0, 1, 2)]


def test_a_way_has_no_more_legs_than_allowed() -> None:
    assert ways_of(chain(30), legs=2) == [(3,)]
    assert ways_of(chain(30), legs=3, by_arrival=True)[0] == (0, 1, 2)
    assert ways_of(chain(30), legs=None, by_arrival=True) == [(0, 1, 2), (3,)]


def test_where_no_flight_goes_there_is_no_way() -> None:
    net = chain(30)
    assert cheapest(net, np.zeros(4), 3, 0, 0.0, 9999.0, np.zeros(4), 4) == []
    assert cheapest(net, np.full(4, np.inf), 0, 3, 0.0, 9999.0, np.zeros(4), 4) == []
    assert cheapest(net, np.zeros(4), 0, 3, 201.0, 9999.0, np.zeros(4), 4) == []


@pytest.mark.parametrize(
    ("late", "eur"), [(-30, 0.0), (0, 0.0), (120, 12.0), (121, 12.1 + 15.0), (300, 45.0), (301, 30.1 + 15.0 + 60.0)]
)
def test_lateness_counts_minutes_a_meal_and_a_night(late: int, eur: float) -> None:
    assert float(lateness(np.array(late), 0.1, 120)) == pytest.approx(eur)
