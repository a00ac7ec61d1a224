"""What happens to an airline, minute by minute, whatever a desk does: flights, news, whose trip breaks, who comes when.

`world_of` works it all out beforehand, for a shift is a pure function of its seed; `office.py` lets out what is known.

- The airline's operations control keeps flights going as `greedy_delay` does: that is which flights leave, and when.
- A change of a flight becomes known some hours before its departure (6 to 24 for a cancellation, 1 to 4 for a delay, by
  chance, flight by flight), but not before the shift. An airport that shuts says so for 24 hours at most; each further
  day becomes known six hours before the last one ends. That it opens again becomes known six hours before it does.
- Other carriers' flights leave in time, unless an airport at either end or their corridor is shut. While a hub of the
  Gulf is shut, so is the southern corridor.
- A group's trip breaks when it becomes known that a leg is cancelled, a connection missed, or that it would come home
  later than the desk promises. Groups come to the desk one by one, on average one a takt (exponential gaps), those
  first whose flight would have left first.

Times are minutes since the instance's epoch, UTC. Flights are the airline's own, then the market's; F is how many.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np

from takt.contract.station import Fault
from takt.stations.flightdesk.airline.cost import tariff
from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
    DAY,
    Flags,
    Floats,
    Instance,
    Ints,
    distance_tables,
    journeys,
)
from takt.stations.flightdesk.airline.recovery.baseline import delayed
from takt.stations.flightdesk.airline.rules import LATEST
from takt.stations.flightdesk.airline.solution import Operations
from takt.stations.flightdesk.desk.closures import NEVER, News, runs_into, shut_spans
from takt.stations.flightdesk.desk.corridors import CORRIDORS, route
from takt.stations.flightdesk.desk.market import Market, market_of

SURFACE_SEATS = 9999  # of surface transport, which takes any number
CANCELLATION_H, DELAY_H = (6, 24), (1, 4)  # hours before departure that a change of a flight becomes known


@dataclass(frozen=True, slots=True)
class Groups:
    """One entry per booking: what became of its trip, and what a person of it costs, EUR.

    breaks     when its trip breaks, NEVER if it does not; `leg_gone`: scheduled departure of the leg that broke it.
    flown      how many of its legs it had flown by then; it waits at `at` and can leave from `ready` on.
    goal       where it wants to; `due` when it should have been there, `latest` when the desk promises it.
    cabin      the reference cabin.
    minute     per minute late; `meal_after`: minutes late after which there is a meal to pay.
    stays      if it is not brought home: ticket, compensation and the tariff of a cancelled trip.
    """

    breaks: Floats
    leg_gone: Ints
    flown: Ints
    at: Ints
    ready: Ints
    goal: Ints
    due: Ints
    latest: Ints
    cabin: Ints
    minute: Floats
    meal_after: Ints
    stays: Floats


@dataclass(frozen=True, slots=True)
class World:
    """See the module. Arrays of flights are (F,).

    plan         what operations control flies: the airline's own flights, then empty ones, which nobody can book.
    own          how many flights are the airline's own.
    scheduled    departure as scheduled; `lands` the landing. `leaves` and `arrives` are what comes of them.
    gone         whether the flight is cancelled in the end; `known` when its change becomes known, NEVER if none.
    shut_known   when it becomes known that the flight runs into an airport or a corridor that is shut, NEVER if not.
    seats        (F, 3) for sale by cabin at the start: the airline's that nobody booked, the market's in Economy.
    downgrade    (3, F, 3) EUR per person by reference cabin, flight and cabin.
    released     (minute, booking) in order: when a broken group's seats on legs not flown come back for sale.
    units        (seconds since the start of the shift, booking) in order: who comes to the desk.
    """

    instance: Instance
    market: Market
    plan: Operations
    own: int
    name: tuple[str, ...]
    index: dict[str, int]
    origin: Ints
    destination: Ints
    scheduled: Ints
    lands: Ints
    leaves: Ints
    arrives: Ints
    gone: Flags
    known: Floats
    shut_known: Floats
    corridor: Ints
    seats: Ints
    downgrade: Floats
    news: tuple[News, ...]
    groups: Groups
    released: tuple[tuple[float, int], ...]
    units: tuple[tuple[float, int], ...]

    def clock(self, minute: float) -> str:
        """A minute as 2026-02-28T09:05Z."""
        return _clock(self.instance.epoch, int(timedelta(minutes=float(minute)) // timedelta(minutes=1)))

    def minute(self, text: str) -> float:
        """The minute that such a text means. Raises ValueError."""
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return (at - datetime.combine(self.instance.epoch, datetime.min.time(), UTC)).total_seconds() / 60


@cache  # boards and observations ask for the same times again and again
def _clock(epoch: date, minute: int) -> str:
    return (datetime.combine(epoch, datetime.min.time()) + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%MZ")


def world_of(
    instance: Instance, seed: int, faults: Sequence[Fault], takt_s: float, home_within_h: float | None
) -> World:
    """The world of a shift that begins at `instance.start`.

    home_within_h   hours late that the desk promises everybody at most; None: the challenge's 18, or 36 for
                    intercontinental trips.
    """
    market, flights = market_of(instance, seed), instance.flights
    own, others = len(flights.number), len(market.carrier)
    plan = delayed(instance)
    names = [f"{number}/{_date(instance, day)}" for number, day in zip(flights.number, flights.day, strict=True)]
    names += [f"{name}/{_date(instance, t // DAY)}" for name, t in zip(market.name, market.departure, strict=True)]
    origin = np.concatenate([flights.origin, market.origin])
    destination = np.concatenate([flights.destination, market.destination])
    scheduled = np.concatenate([flights.departure, market.departure])
    lands = np.concatenate([flights.arrival, market.arrival])
    corridor = np.concatenate([_own_corridors(instance), market.corridor])
    shut, notices = shut_spans(instance, faults)
    true, shut_known = runs_into(shut, origin, destination, scheduled, lands, corridor)
    gone = np.concatenate([plan.aircraft[:own] < 0, true[own:]])
    leaves = np.concatenate([np.where(gone[:own], flights.departure, plan.departure[:own]), market.departure])
    known = _known(instance, seed, scheduled, gone, leaves)
    known[own:] = np.where(gone[own:], np.maximum(known[own:], shut_known[own:]), NEVER)
    seats = np.zeros((own + others, 3), dtype=np.int64)
    seats[:own], seats[own:, 2] = _unsold(instance), market.seats
    groups = _groups(instance, leaves, leaves + lands - scheduled, gone, known, home_within_h)
    world = World(
        instance=instance,
        market=market,
        plan=plan,
        own=own,
        name=tuple(names),
        index={name: i for i, name in enumerate(names)},
        origin=origin,
        destination=destination,
        scheduled=scheduled,
        lands=lands,
        leaves=leaves,
        arrives=leaves + lands - scheduled,
        gone=gone,
        known=known,
        shut_known=shut_known,
        corridor=corridor,
        seats=seats,
        downgrade=_downgrade(instance, origin, destination),
        news=(),
        groups=groups,
        released=tuple(sorted((float(t), b) for b, t in enumerate(groups.breaks.tolist()) if t < NEVER)),
        units=_units(instance, groups, seed, takt_s),
    )
    return _with_news(world, notices)


def _date(instance: Instance, day: int | np.integer) -> str:
    return (instance.epoch + timedelta(days=int(day))).isoformat()


def _own_corridors(instance: Instance) -> Ints:
    """Of the airline's flights: the corridor that a leg between those two airports takes; it may not go north."""
    codes, flights = instance.airports.code, instance.flights
    pairs, where = np.unique(np.stack([flights.origin, flights.destination]), axis=1, return_inverse=True)
    each = [CORRIDORS.index(route("", codes[a], codes[b]).corridor) for a, b in pairs.T.tolist()]
    return np.array(each, dtype=np.int64)[where.reshape(-1)]


def _unsold(instance: Instance) -> Ints:
    flights, bookings = instance.flights, instance.bookings
    seats = instance.aircraft.seats[flights.aircraft].astype(np.int64)
    seats[seats < 0] = SURFACE_SEATS
    people = np.repeat(bookings.passengers, np.diff(bookings.first))
    np.subtract.at(seats, (bookings.leg_flight, bookings.leg_cabin), people)
    return np.maximum(seats, 0)


def give_back(instance: Instance, seats: Ints, booking: int, flown: int) -> None:
    """Put the people of a booking that has flown so many of its legs off all others: `seats` (F, 3) become free."""
    bookings = instance.bookings
    for leg in range(int(bookings.first[booking]) + flown, int(bookings.first[booking + 1])):
        seats[bookings.leg_flight[leg], bookings.leg_cabin[leg]] += bookings.passengers[booking]


def _downgrade(instance: Instance, origin: Ints, destination: Ints) -> Floats:
    """See `World.downgrade`. A pair that `dist.csv` does not have is intercontinental."""
    _, reach = distance_tables(instance)
    reach[reach < 0] = 2
    prices = instance.prices
    table = prices.weights[1] * np.swapaxes(prices.downgrade[:, :, reach[origin, destination]], 1, 2)
    for cabin in range(len(table)):
        table[cabin, :, :cabin] = 0.0
    return np.ascontiguousarray(table)


def _known(instance: Instance, seed: int, scheduled: Ints, gone: Flags, leaves: Ints) -> Floats:
    chance = np.random.default_rng(np.random.SeedSequence([seed, *b"notice"])).random(len(scheduled))
    hours = np.where(
        gone,
        CANCELLATION_H[0] + chance * (CANCELLATION_H[1] - CANCELLATION_H[0]),
        DELAY_H[0] + chance * (DELAY_H[1] - DELAY_H[0]),
    )
    told = np.floor(np.maximum(instance.start, scheduled - 60 * hours))
    return np.where(gone | (leaves != scheduled), told, float(NEVER))


def _groups(
    instance: Instance, leaves: Ints, arrives: Ints, gone: Flags, known: Floats, home_within_h: float | None
) -> Groups:
    flights, bookings = instance.flights, instance.bookings
    booked, rates = journeys(instance), tariff(instance)
    leg, begins, count = bookings.leg_flight, bookings.first[:-1], len(bookings.number)
    owner = np.repeat(np.arange(count), np.diff(bookings.first))
    place = np.arange(len(leg)) - begins[owner]
    most = np.array(LATEST)[booked.reach] if home_within_h is None else np.full(count, round(60 * home_within_h))
    when = np.where(gone[leg], known[leg], float(NEVER))  # by leg: when it becomes known that the trip breaks there
    own_known = np.where(known[leg] < NEVER, known[leg], -np.inf)
    missed = np.zeros(len(leg), dtype=np.bool_)
    before = np.maximum(np.arange(len(leg)) - 1, 0)
    missed[1:] = (place[1:] > 0) & (leaves[leg[1:]] < arrives[leg[:-1]] + CONNECTION)
    missed &= ~gone[leg] & ~gone[leg[before]] & (flights.departure[leg] >= flights.arrival[leg[before]] + CONNECTION)
    when = np.where(missed, np.minimum(when, np.maximum(own_known, own_known[before])), when)
    last = bookings.first[1:] - 1
    late = arrives[leg[last]] > booked.arrival + most
    when[last] = np.where(late & ~gone[leg[last]], np.minimum(when[last], own_known[last]), when[last])
    when = np.where(np.isfinite(when), when, float(NEVER))
    breaks = np.minimum.reduceat(when, begins)
    flies = ~gone[leg] & (leaves[leg] <= breaks[owner]) & ~missed
    fails = ~flies
    first_failed = np.minimum.reduceat(np.where(fails, place, len(leg)), begins)
    flown = np.minimum(first_failed, np.diff(bookings.first) - 1)
    stopped = begins + flown  # the leg that it waits for
    at = flights.origin[leg[stopped]]
    landed = np.where(flown > 0, arrives[leg[np.maximum(stopped - 1, 0)]] + CONNECTION, flights.departure[leg[begins]])
    broken_leg = np.minimum.reduceat(np.where(when == breaks[owner], flights.departure[leg], NEVER), begins)
    alpha, beta, _ = instance.prices.weights
    strays = np.where(bookings.inbound | (flown > 0), rates.inbound, rates.outbound)
    return Groups(
        breaks=breaks,
        leg_gone=broken_leg,
        flown=flown,
        at=at,
        ready=landed,
        goal=booked.destination,
        due=booked.arrival,
        latest=booked.arrival + most,
        cabin=booked.cabin,
        minute=beta * rates.minute,
        meal_after=rates.meal_after,
        stays=alpha * rates.refund + beta * strays,
    )


def _units(instance: Instance, groups: Groups, seed: int, takt_s: float) -> tuple[tuple[float, int], ...]:
    """Who comes to the desk, and when. Of those who wait to come, it is whose flight would have left first."""
    broken = np.flatnonzero(groups.breaks < NEVER)
    order = broken[np.argsort(groups.breaks[broken], kind="stable")].tolist()
    gaps = np.random.default_rng(np.random.SeedSequence([seed, *b"arrivals"])).exponential(takt_s, len(order))
    waiting: list[tuple[int, int]] = []
    units: list[tuple[float, int]] = []
    t_s, taken = 0.0, 0
    for gap in gaps.tolist():
        t_s += gap
        if not waiting and taken < len(order):  # nobody is there: the next comes when a trip breaks
            t_s = max(t_s, 60 * (float(groups.breaks[order[taken]]) - instance.start))
        while taken < len(order) and 60 * (float(groups.breaks[order[taken]]) - instance.start) <= t_s:
            heapq.heappush(waiting, (int(groups.leg_gone[order[taken]]), order[taken]))
            taken += 1
        units.append((t_s, heapq.heappop(waiting)[1]))
    return tuple(units)


def _with_news(world: World, notices: Sequence[News]) -> World:
    news = list(notices)
    codes = world.instance.airports.code
    for f in np.flatnonzero(world.known < NEVER).tolist():
        trip = f"{world.name[f]} {codes[world.origin[f]]}-{codes[world.destination[f]]}"
        if world.gone[f]:
            news.append(News(float(world.known[f]), "cancelled", f"{trip} is cancelled", f))
        else:
            late = f"{trip} leaves at {world.clock(world.leaves[f])}, not at {world.clock(world.scheduled[f])}"
            news.append(News(float(world.known[f]), "delayed", late, f))
    return replace(world, news=tuple(sorted(news, key=lambda item: (item.minute, item.flight))))
