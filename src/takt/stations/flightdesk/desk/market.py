"""Other airlines' flights, on which the desk may endorse passengers: a timetable, seats that go, fares.

    market_of   instance and seed -> Market; the same ones give the same market
    sold, left, fares, least_fares   what is true of it at a minute, given how many seats the desk has bought

What the rest of the world buys is drawn beforehand, flight by flight, and takes no notice of the desk: a seat is whose
who came first, and when none is left neither gets one. Every number is drawn from a stream of its own, keyed by the
seed, a name, the flight and its day. The market sells whatever is in the timetable, also through skies that are shut:
whether a flight is flown is the world's matter.

Where the instance has the three hubs of the Gulf the flights are those of real airlines at their hubs, to places that
are real for most, and none touches DXB, DOH or AUH, which are our own airline's. Hours are ours. Anywhere else two
airlines without names fly the busier of the airline's own routes once a day each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from takt.stations.flightdesk.airline.instance import DAY, Floats, Instance, Ints, capacity_at, distance_tables
from takt.stations.flightdesk.desk.corridors import CORRIDORS, GULF_HUBS, great_circle_km, place, route
from takt.stations.flightdesk.desk.fares import (
    BUSY,
    CROWD,
    HUMP,
    STILL_TO_COME,
    demand_to_come,
    fare,
    usual_fare,
)

# Airline, hub, and where it flies to from there and back, once a day. Number 901 is the first place, 902 the way back,
# and so on; feeders from 1001.
LONG_HAUL = """
CA PEK LHR CDG FRA MAD MXP VIE ATH WAW
MU PVG LHR CDG AMS FCO MAD
CZ CAN LHR CDG AMS
HU PEK BRU MAN
LH FRA PEK PVG HKG NRT ICN SIN BKK DEL
LH MUC PVG ICN BOM
AF CDG PEK PVG HKG NRT KIX ICN SIN BOM
KL AMS PVG HKG ICN NRT TPE MNL
BA LHR PVG HKG SIN NRT DEL BLR
IB MAD NRT
OS VIE NRT BKK
LX ZRH HKG NRT SIN BKK
LO WAW ICN NRT DEL
AZ FCO NRT
SK CPH BKK
CX HKG LHR CDG FRA MAD MXP MAN
JL NRT LHR CDG FRA
NH NRT BRU MUC
KE ICN LHR CDG FCO VIE MAD
OZ ICN BCN
CI TPE AMS FRA
BR TPE CDG MUC
SQ SIN LHR CDG FRA ZRH FCO BCN CPH
TG BKK LHR FRA MUC CPH BRU
MH KUL LHR CDG
VN HAN CDG
VN SGN FRA
GA CGK AMS
AI DEL LHR CDG FRA VIE CPH
UL CMB LHR
BG DAC FCO
TK IST PEK PVG CAN HKG ICN NRT SIN BKK DEL
"""
FEEDERS = """
LH FRA MAD BCN FCO ATH MAN
LH MUC BRU WAW ATH
AF CDG MAD BCN ATH MXP WAW CPH
KL AMS MAN CPH WAW BCN VIE
BA LHR MAN MAD ATH VIE
LX ZRH BRU MXP ATH
OS VIE ATH WAW
IB MAD BCN FRA
TK IST MAN BRU MXP CPH ATH MAD
CA PEK CAN HKG ICN
MU PVG KIX TPE
CZ CAN HAN MNL SGN
CX HKG TPE MNL KIX BKK CGK
JL NRT KIX
KE ICN KIX HAN MNL
SQ SIN KUL CGK MNL SGN DAC CMB BLR BOM
TG BKK HAN SGN DAC KUL
MH KUL CGK CMB BLR
AI DEL BOM BLR DAC CMB BKK
"""
NAMELESS = ("1X", "2X")  # codes that no airline has

OPEN_HOURS = (6 * 60, 23 * 60)  # flights leave between these, by the sun where they leave
SEATS = (5, 60)  # for sale at the start: at least, at most; flights were booked well before anything happened
BYSTANDERS = 0.25  # of the crowd of a flight between Europe and Asia, that of any other
BACKLOG = 0.8  # who lost a flight and has no new one yet is still there the next day
USUAL_BUYERS, CROWD_BUYERS = 0.8, 0.04  # share of the demand that buys: of a day's usual, of the crowd that day
LAST_SALE = 60  # minutes before departure


@dataclass(frozen=True, slots=True)
class Market:
    """Economy seats only. One entry per flight, in order of departure.

    carrier        IATA, two letters.
    name           such as CA908; unique together with the day of departure.
    origin, destination   indices into `Instance.airports.code`.
    departure, arrival    minutes since the midnight that begins the epoch, UTC.
    seats          for sale at `Instance.start`.
    corridor       index into CORRIDORS.
    usual          EUR per person, the usual lowest fare.
    demand         persons that the whole booking period brings when nothing is wrong.
    stranded       persons who lost their flight and would take this one, at the peak of HUMP and of `crowd`.
    crowd          by day since the epoch: how many are stranded, 1 if what shut was shut all day.
    first_sale     sales to the rest of the world of flight i are `first_sale[i]:first_sale[i + 1]` of `sale`.
    sale           minute of each, sorted flight by flight.
    """

    carrier: tuple[str, ...]
    name: tuple[str, ...]
    origin: Ints
    destination: Ints
    departure: Ints
    arrival: Ints
    seats: Ints
    corridor: Ints
    usual: Floats
    demand: Floats
    stranded: Floats
    crowd: Floats
    first_sale: Ints
    sale: Ints


@dataclass(frozen=True, slots=True)
class Line:
    """A flight that leaves every day at the same minute of the day, UTC."""

    carrier: str
    name: str
    origin: int
    destination: int
    departure: int
    minutes: int


def market_of(instance: Instance, seed: int) -> Market:
    """Everybody else's flights that leave in the recovery period, and how their seats go."""
    codes = instance.airports.code
    lines = _real_lines(instance, seed) if set(GULF_HUBS) <= set(codes) else _nameless_lines(instance, seed)
    days = range(instance.start // DAY, -(-instance.end // DAY))
    flights = sorted(
        (day * DAY + line.departure, line.name, line)
        for line in lines
        for day in days
        if instance.start <= day * DAY + line.departure < instance.end
    )
    rows = [line for _, _, line in flights]
    departure = np.array([leaves for leaves, _, _ in flights], dtype=np.int64)
    ways = [route(line.carrier, codes[line.origin], codes[line.destination]) for line in rows]
    corridor = np.array([CORRIDORS.index(way.corridor) for way in ways], dtype=np.int64)
    crowd = _crowd(instance)
    streams = [_stream(seed, "flight", line.name, leaves // DAY) for leaves, _, line in flights]
    drawn = np.array([(*rng.random(2), rng.gamma(1.5, 10.0)) for rng in streams]).reshape(len(rows), 3)
    seats = np.clip(SEATS[0] + drawn[:, 2].astype(np.int64), *SEATS)
    ahead = departure // DAY - instance.start // DAY
    demand = BUSY * (0.7 + 0.6 * drawn[:, 0]) * seats / STILL_TO_COME[np.minimum(ahead, len(STILL_TO_COME) - 1)]
    stranded = CROWD * (0.7 + 0.6 * drawn[:, 1]) * seats
    stranded[corridor == CORRIDORS.index("other")] *= BYSTANDERS
    buyers = _buyers(instance, departure, demand, stranded, crowd)
    sales = [
        np.sort(_sale_minutes(rng, instance.start, int(leaves), expected))[:most]
        for rng, leaves, expected, most in zip(streams, departure, buyers, seats, strict=True)
    ]
    return Market(
        carrier=tuple(line.carrier for line in rows),
        name=tuple(line.name for line in rows),
        origin=np.array([line.origin for line in rows], dtype=np.int64),
        destination=np.array([line.destination for line in rows], dtype=np.int64),
        departure=departure,
        arrival=departure + np.array([line.minutes for line in rows], dtype=np.int64),
        seats=seats,
        corridor=corridor,
        usual=usual_fare([_km(codes[line.origin], codes[line.destination], line.minutes) for line in rows]),
        demand=demand,
        stranded=stranded,
        crowd=crowd,
        first_sale=np.cumsum([0, *map(len, sales)], dtype=np.int64),
        sale=np.concatenate([np.zeros(0, dtype=np.int64), *sales]),
    )


def sold(market: Market, minute: int) -> Ints:
    """Seats that the rest of the world has bought since the start, by flight: never fewer later on."""
    until = np.concatenate([[0], np.cumsum(market.sale <= minute)])
    return until[market.first_sale[1:]] - until[market.first_sale[:-1]]


def left(market: Market, minute: int, bought: Ints) -> Ints:
    """Seats that can still be bought, by flight, if the desk has bought so many: 0 at least."""
    return np.maximum(market.seats - bought - sold(market, minute), 0)


def fares(market: Market, minute: int, bought: Ints) -> Floats:
    """EUR per person now, by flight. A flight that is sold out has its full fare."""
    today = minute // DAY
    crowd = market.crowd[min(today, len(market.crowd) - 1)]
    days = np.maximum(market.departure // DAY - today, 0)
    demand = demand_to_come(market.demand, market.stranded * crowd, days)
    return fare(market.usual, demand, left(market, minute, bought))


def least_fares(market: Market, since: int) -> Floats:
    """EUR per person, by flight: no fare from `since` to departure is lower, whatever the desk buys.

    It is the lowest that there will be if the desk buys nothing, since fewer seats never make a fare lower and demand
    is forecast anew only at midnight: the first minute of each day has its lowest fare. Flights that have left by
    `since` have their usual fare.
    """
    least, nothing = np.full(len(market.usual), np.inf), np.zeros_like(market.seats)
    for day in range(since // DAY, int(market.departure.max(initial=-1)) // DAY + 1):
        minute = max(since, day * DAY)
        least = np.where(market.departure >= minute, np.minimum(least, fares(market, minute, nothing)), least)
    return np.where(np.isinf(least), market.usual, least)


# --- the timetable ----------------------------------------------------------------------------------------------------


def _real_lines(instance: Instance, seed: int) -> list[Line]:
    index = {code: at for at, code in enumerate(instance.airports.code)}
    lines: list[Line] = []
    for first, table in ((901, LONG_HAUL), (1001, FEEDERS)):
        number: dict[str, int] = {}
        for carrier, hub, *places in (row.split() for row in table.strip().splitlines()):
            for there in places:
                pair = number[carrier] = number.get(carrier, first - 2) + 2
                for name, ends in ((f"{carrier}{pair}", (hub, there)), (f"{carrier}{pair + 1}", (there, hub))):
                    if ends[0] in index and ends[1] in index:
                        minutes = route(carrier, *ends).minutes
                        leaves = _leaves(seed, name, ends[0])
                        lines.append(Line(carrier, name, index[ends[0]], index[ends[1]], leaves, minutes))
    return lines


def _nameless_lines(instance: Instance, seed: int) -> list[Line]:
    """Two airlines on the busiest third of the routes flown in the recovery period, one on the next third."""
    flights, codes = instance.flights, instance.airports.code
    own = (flights.departure >= instance.start) & (flights.departure < instance.end)
    flown = own & ~instance.aircraft.surface[flights.aircraft]
    pairs, row, often = np.unique(
        np.stack([flights.origin[flown], flights.destination[flown]]), axis=1, return_inverse=True, return_counts=True
    )
    planned = np.zeros(len(often), dtype=np.int64)
    planned[row.ravel()] = (flights.arrival - flights.departure)[flown]
    listed = distance_tables(instance)[0][pairs[0], pairs[1]]
    minutes = np.where(listed > 0, listed, planned)
    ranked = np.argsort(-often, kind="stable")
    third = -(-len(ranked) // 3)
    lines: list[Line] = []
    for carrier, routes in zip(NAMELESS, (ranked[: 2 * third], ranked[:third]), strict=True):
        for at in routes.tolist():
            origin, destination = pairs[:, at].tolist()
            name = f"{carrier}{100 + at}"
            leaves = _leaves(seed, name, codes[origin])
            lines.append(Line(carrier, name, origin, destination, leaves, int(minutes[at])))
    return lines


def _leaves(seed: int, name: str, origin: str) -> int:
    """Minute of the day, UTC."""
    by_the_sun = 5 * int(_stream(seed, "timetable", name).integers(OPEN_HOURS[0] // 5, OPEN_HOURS[1] // 5))
    _, east = place(origin) or (0.0, 0.0)
    return (by_the_sun - 5 * round(east * 4 / 5)) % DAY  # a degree is four minutes


def _km(origin: str, destination: str, minutes: int) -> float:
    """Great circle, or what the flying minutes say if an airport is unknown."""
    here, there = place(origin), place(destination)
    return great_circle_km(here, there) if here and there else max(minutes - 30, 10) * 800 / 60


# --- demand -----------------------------------------------------------------------------------------------------------


def _crowd(instance: Instance) -> Floats:
    """By day, from the epoch to the last: the share of departures that the disrupted airports lost, or the backlog."""
    hour = np.arange(24 * -(-instance.end // DAY))
    calm = replace(instance, closures=replace(instance.closures, airport=instance.closures.airport[:0]))
    taken = np.zeros((2, len(hour)))
    for airport in np.unique(instance.closures.airport):
        for side, world in enumerate((calm, instance)):
            taken[side] += capacity_at(world, np.full_like(hour, airport), hour)[0]
    usual, now = taken.reshape(2, -1, 24).sum(axis=2)
    crowd = np.where(usual > 0, 1 - now / np.maximum(usual, 1), 0.0).clip(0, 1)
    for day in range(1, len(crowd)):
        crowd[day] = max(crowd[day], BACKLOG * crowd[day - 1])
    return crowd


def _buyers(instance: Instance, departure: Ints, demand: Floats, stranded: Floats, crowd: Floats) -> Floats:
    """(flight, day since the start): persons expected to buy that day."""
    start = instance.start // DAY
    today = np.arange(start, len(crowd))
    ahead = departure[:, None] // DAY - today
    days = np.clip(ahead, 0, len(STILL_TO_COME) - 1)
    newly = np.where(days > 0, STILL_TO_COME[days] - STILL_TO_COME[days - 1], STILL_TO_COME[0])
    wish = HUMP[np.minimum(days, len(HUMP) - 1)] * crowd[today]
    expected = USUAL_BUYERS * demand[:, None] * newly + CROWD_BUYERS * stranded[:, None] * wish
    begun = np.where(today == start, 1 - instance.start % DAY / DAY, 1.0)
    return np.where(ahead >= 0, expected * begun, 0.0)


def _sale_minutes(rng: np.random.Generator, start: int, departure: int, expected: Floats) -> Ints:
    """When the world buys its seats: so many a day, at any minute of what is left of the day."""
    count = rng.poisson(expected)
    day = np.repeat(start // DAY + np.arange(len(count)), count)
    since, until = np.maximum(day * DAY, start), np.minimum((day + 1) * DAY, departure - LAST_SALE)
    minutes = since + (rng.random(len(day)) * np.maximum(until - since, 0)).astype(np.int64)
    return minutes[until > since]


def _stream(seed: int, *key: str | int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, *" ".join(map(str, key)).encode()]))
