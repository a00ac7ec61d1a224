from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takt.stations.flightdesk import read_instance
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.instance import DAY, Instance
from takt.stations.flightdesk.airline.recipes import gulf_2026, two_hubs
from takt.stations.flightdesk.desk.corridors import CORRIDORS, GULF_HUBS, route
from takt.stations.flightdesk.desk.market import Market, fares, least_fares, left, market_of, sold

DATA = Path(__file__).parents[4] / "shared" / "data" / "roadef2009"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the challenge's instances are not here")


@cache
def gulf() -> Instance:
    return generate(gulf_2026(flights=300, aircraft=40, bookings=500))


@cache
def market() -> Market:
    return market_of(gulf(), seed=1)


def same(a: Market, b: Market) -> bool:
    return all(np.array_equal(getattr(a, field.name), getattr(b, field.name)) for field in fields(Market))


def flights(instance: Instance, market: Market) -> Iterator[tuple[str, str, str]]:
    """Airline, origin and destination of each flight."""
    codes = instance.airports.code
    for carrier, origin, destination in zip(market.carrier, market.origin, market.destination, strict=True):
        yield carrier, codes[origin], codes[destination]


def test_the_same_seed_makes_the_same_market() -> None:
    assert same(market_of(gulf(), 1), market()) and not same(market_of(gulf(), 2), market())


def test_a_market_is_in_order_and_within_the_recovery_period() -> None:
    world = market()
    assert 1000 <= len(world.name) <= 2600
    assert (np.diff(world.departure) >= 0).all() and (world.arrival > world.departure).all()
    assert world.departure.min() >= gulf().start and world.departure.max() < gulf().end
    assert set(range(gulf().end // DAY)) == set((world.departure // DAY).tolist())
    assert len(set(zip(world.name, (world.departure // DAY).tolist(), strict=True))) == len(world.name)
    assert world.seats.min() >= 5 and world.seats.max() <= 60 and len(set(world.seats.tolist())) > 30


def test_nobody_else_touches_the_gulf_and_everybody_else_keeps_to_their_corridor() -> None:
    for (carrier, *ends), corridor, minutes in zip(
        flights(gulf(), market()), market().corridor, market().arrival - market().departure, strict=True
    ):
        assert not set(ends) & set(GULF_HUBS)
        assert CORRIDORS[corridor] == route(carrier, *ends).corridor and minutes == route(carrier, *ends).minutes
    north = {
        carrier for carrier, at in zip(market().carrier, market().corridor, strict=True) if CORRIDORS[at] == "north"
    }
    assert north == {"CA", "MU", "CZ", "HU"}
    assert set(market().corridor.tolist()) == set(range(len(CORRIDORS)))


def test_every_place_can_be_reached_from_every_other_with_three_flights() -> None:
    codes = gulf().airports.code
    linked = np.eye(len(codes), dtype=np.int64)
    linked[market().origin, market().destination] = 1
    away = [at for at, code in enumerate(codes) if code not in GULF_HUBS]
    assert (linked @ linked @ linked)[np.ix_(away, away)].all()


def test_the_rest_of_the_world_buys_until_nothing_is_left() -> None:
    world, nothing = market(), np.zeros_like(market().seats)
    counts = np.array([sold(world, minute) for minute in range(gulf().start - 1, gulf().end, 180)])
    assert not counts[0].any() and (np.diff(counts, axis=0) >= 0).all() and (counts <= world.seats).all()
    assert 0.5 < counts[-1].sum() / world.seats.sum() < 0.95
    assert (sold(world, gulf().end) == counts[-1]).all()
    assert (world.sale < np.repeat(world.departure, np.diff(world.first_sale))).all(), (
        "nobody boards a flight that left"
    )
    assert (left(world, gulf().start - 1, nothing) == world.seats).all()


def test_who_came_first_has_the_seat() -> None:
    world, minute = market(), gulf().start + DAY
    gone = sold(world, minute)
    bought = np.maximum(world.seats - gone - 1, 0)
    assert (left(world, minute, bought) == np.minimum(1, world.seats - gone)).all()
    assert (left(world, gulf().end, bought) >= 0).all() and (left(world, gulf().end, world.seats) == 0).all()


def test_what_others_buy_hangs_on_nothing_but_the_flight() -> None:
    """Later days and other airports change no flight's seats and sales: each has a stream of its own."""
    short = replace(gulf(), end=gulf().end - DAY)
    there = {key: at for at, key in enumerate(zip(market().name, market().departure.tolist(), strict=True))}
    other = market_of(short, seed=1)
    for i, key in enumerate(zip(other.name, other.departure.tolist(), strict=True)):
        at = there[key]
        assert other.seats[i] == market().seats[at]
        mine = other.sale[other.first_sale[i] : other.first_sale[i + 1]]
        assert (mine == market().sale[market().first_sale[at] : market().first_sale[at + 1]]).all()
    assert 0 < len(other.name) < len(there)


minutes = st.integers(gulf_2026().start, gulf_2026().end)


@settings(max_examples=40, deadline=None)
@given(minutes, st.integers(0, 2**32 - 1))
def test_buying_never_makes_a_fare_lower(minute: Any, seed: Any) -> None:
    rng = np.random.default_rng(seed)
    some = rng.integers(0, 61, len(market().seats))
    more = some + rng.integers(0, 30, len(some))
    assert (fares(market(), minute, more) >= fares(market(), minute, some)).all()


@settings(max_examples=40, deadline=None)
@given(minutes, minutes, st.integers(0, 2**32 - 1))
def test_no_fare_is_below_the_least(one: Any, other: Any, seed: Any) -> None:
    since, minute = sorted((one, other))
    bought = np.random.default_rng(seed).integers(0, 61, len(market().seats))
    to_come = market().departure >= minute
    now = fares(market(), minute, np.where(bought < 30, 0, bought))
    assert (now >= least_fares(market(), since))[to_come].all()


def test_the_least_fare_is_one_that_there_will_be() -> None:
    since, nothing = gulf().start + 2000, np.zeros_like(market().seats)
    least, seen = least_fares(market(), since), np.full(len(market().seats), np.inf)
    for minute in (since, *range((since // DAY + 1) * DAY, gulf().end, DAY)):
        ahead = market().departure >= minute
        seen[ahead] = np.minimum(seen, fares(market(), minute, nothing))[ahead]
    ahead = market().departure >= since
    assert (least[ahead] == seen[ahead]).all() and (least > 0).all()


def test_fares_between_europe_and_asia_follow_the_article() -> None:
    """Seen on 1 March: dear for the 3rd, dearest from the 4th on; feeders stay far cheaper."""
    world = market()
    times = fares(world, DAY + 600, np.zeros_like(world.seats)) / world.usual
    far, day = CORRIDORS.index("other") != world.corridor, world.departure // DAY
    mean = {ahead: times[far & (day == 1 + ahead)].mean() for ahead in (1, 2, 3, 4, 5)}
    assert mean[1] < mean[2] < mean[3] and min(mean[3], mean[4], mean[5]) > 3.5
    assert times[~far].mean() < 0.75 * times[far].mean()


def test_an_hour_that_is_shut_is_sold_all_the_same() -> None:
    shut = replace(gulf(), closures=replace(gulf().closures, airport=gulf().closures.airport * 0 + 10))
    assert market_of(shut, seed=1).name == market().name


def test_airports_that_nobody_knows_have_a_market_too() -> None:
    instance = generate(two_hubs())
    made_up = tuple(f"?{at}" for at in range(len(instance.airports.code)))
    unknown = replace(instance, airports=replace(instance.airports, code=made_up))
    world = market_of(unknown, seed=0)
    flown = set(zip(instance.flights.origin.tolist(), instance.flights.destination.tolist(), strict=True))
    assert set(zip(world.origin.tolist(), world.destination.tolist(), strict=True)) <= flown
    assert len(set(world.carrier)) == 2 and set(world.corridor.tolist()) == {CORRIDORS.index("other")}
    assert (world.arrival > world.departure).all() and (world.usual > 10).all()


def test_an_airline_that_flies_nothing_more_has_an_empty_market() -> None:
    instance = generate(two_hubs())
    world = market_of(replace(instance, start=instance.end - 1), seed=0)
    nothing = np.zeros(0, dtype=np.int64)
    assert len(world.name) == len(fares(world, 600, nothing)) == len(least_fares(world, 0)) == len(sold(world, 0)) == 0


@real
@pytest.mark.parametrize("name", ["A01", "B03"])
def test_the_challenges_instances_have_two_partners(name: Any) -> None:
    instance = read_instance(DATA / name)
    world = market_of(instance, seed=3)
    assert len(set(world.carrier)) == 2 and len(world.name) > 20
    assert world.departure.min() >= instance.start and world.departure.max() < instance.end
    assert (fares(world, instance.start, np.zeros_like(world.seats)) >= world.usual).all()


def test_a_market_is_built_in_a_second() -> None:
    began = time.perf_counter()
    market_of(gulf(), seed=5)
    assert time.perf_counter() - began < 3, "0.3 s on one core; the rest is for a busy machine"
