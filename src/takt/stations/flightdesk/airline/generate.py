"""Airlines that never were: instances of any size from real airports, by seed.

    recipe     an airline (hubs, airports, fleet, flights, bookings, days) and what goes wrong with it
    generate   recipe and seed -> Instance; the same ones give the same instance, byte for byte

The network is hub and spoke: an aircraft flies from its hub to a spoke and back, as often as the day allows, and the
same every day. Where to follows a gravity model (Tinbergen 1962): the airport's yearly passengers over the square root
of the distance. Coordinates and countries are `airportsdata`'s; times are UTC. Whoever changes planes does so at a hub,
within six hours. Prices and penalties are those of the ROADEF 2009 instances.

`gulf-2026` is Europe - the Gulf - East Asia with the Gulf's hubs shut from 28 February 2026 and opened again in steps,
and some aircraft at Istanbul that go round them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import airportsdata
import numpy as np

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.instance import (
    DAY,
    Aircraft,
    Airports,
    Bookings,
    Closures,
    Distances,
    Flags,
    FlightChanges,
    Flights,
    Groundings,
    Instance,
    Ints,
    Prices,
    Timetable,
    Wanted,
    given_departures,
    seats_text,
)

# Millions of passengers a year, about: an airport's mass in the gravity model.
AIRLINES = 2  # the version of what is generated from a seed: 2 since it keeps the challenge checker's own rules
FRANCE = (
    "NCE 14 LYS 10 MRS 10 TLS 9 BOD 7 NTE 6 BIQ 1 MPL 2 LIL 2 SXB 1 BES 1 RNS 1 AJA 2 BIA 2 CFE 1 PUF 1 TLN 1 ETZ 1"
)
EUROPE = (
    "LHR 84 AMS 67 FRA 62 MAD 66 BCN 55 MUC 42 FCO 49 LGW 43 DUB 34 ZRH 31 CPH 30 LIS 35 VIE 32 ATH 32 BRU 24 DUS 20 "
    "MXP 29 OSL 26 ARN 22 HEL 16 GVA 18 PRG 16 WAW 21 BUD 17 HAM 15 MAN 31 EDI 16 VCE 12 NAP 16 OPO 15 AGP 25 PMI 34 "
    "LIN 11 STR 9 CGN 10 BER 25 OTP 16 SOF 8 BEG 8 ZAG 4 TIA 10 MLA 9 KEF 8 BLQ 11 CTA 12 IBZ 9 ALC 18 VLC 11 SVQ 9"
)
GULF_SPOKES = (
    "LHR 84 CDG 70 AMS 67 FRA 62 MAD 66 MUC 42 FCO 49 ZRH 31 VIE 32 ATH 32 CPH 30 MXP 29 BRU 24 WAW 21 BCN 55 MAN 31 "
    "HKG 53 SIN 67 BKK 62 KUL 57 NRT 40 ICN 70 PVG 76 PEK 67 CAN 76 MNL 50 SGN 41 CGK 54 HAN 30 TPE 45 KIX 30 "
    "DEL 78 BOM 55 BLR 40 CMB 9 DAC 12"
)
LONG_HAUL = "JFK 63 BOS 43 YUL 22 DKR 3 ALG 9 TUN 7 CMN 10 CAI 29 TLV 14 DXB 92 GRU 43"


@dataclass(frozen=True, slots=True)
class Type:
    """A model of aircraft. Range and turn-round in minutes, cost in EUR per flight hour."""

    model: str
    family: str
    seats: tuple[tuple[int, int, int], ...]
    range: int
    hour_cost: float
    turn: int
    transit: int


SHORT_FLEET = (
    Type("A318", "AirbusSmall", ((0, 0, 123), (0, 10, 108)), 450, 1800.0, 30, 30),
    Type("A319", "AirbusSmall", ((0, 0, 142), (0, 28, 51)), 510, 1850.0, 35, 35),
    Type("A320", "AirbusSmall", ((0, 0, 165), (0, 10, 150)), 420, 2000.0, 40, 40),
    Type("A321", "AirbusSmall", ((0, 0, 206), (0, 12, 188)), 300, 2100.0, 40, 40),
    Type("CRJ100", "CRJ", ((0, 0, 50),), 210, 1000.0, 25, 20),
    Type("CRJ700", "CRJ", ((0, 0, 72),), 225, 1100.0, 25, 20),
    Type("ERJ145", "ERJ", ((0, 0, 50),), 190, 1000.0, 25, 20),
)
WIDE_FLEET = (
    Type("A330", "AirbusWide", ((0, 30, 220), (0, 40, 208)), 760, 4800.0, 60, 45),
    Type("B777", "Boeing", ((8, 42, 260), (0, 52, 300)), 960, 6000.0, 60, 45),
)
PRICES = Prices(
    delay=np.array([[1.25, 1.25, 1.25], [0.8, 0.85, 0.9], [0.05, 0.15, 0.25]]),
    outbound=np.array([[2500.0, 2750.0, 3000.0], [1500.0, 1750.0, 2000.0], [250.0, 600.0, 1000.0]]),
    inbound=np.array([[7500.0, 8250.0, 9000.0], [4500.0, 5250.0, 6000.0], [750.0, 1500.0, 3000.0]]),
    downgrade=np.array(
        [
            [[0.0, 0.0, 0.0], [150.0, 400.0, 750.0], [200.0, 500.0, 1500.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [150.0, 400.0, 750.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        ]
    ),
    family=20000.0,
    model=5000.0,
    configuration=1000.0,
    weights=(1.0, 1.0, 1.0),
)
COACH = Type("Coach", "Coach", ((-1, -1, -1),), 600, 0.0, 15, 15)
COACH_SEATS = 50  # that are sold, of a coach that takes any number
COACH_MINUTES = 75  # between two hubs
CONNECT = (40, 360)  # minutes that passengers plan for changing planes: at least, at most
LOAD = 0.8  # of the seats, about


@dataclass(frozen=True, slots=True)
class Step:
    """Part of what hubs take, from one minute to another."""

    share: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """An airline and what goes wrong with it.

    hubs       code -> share of the fleet that is based there; `spokes` are "code millions code millions ...".
    flights    on all days together, about; `bookings` exactly, if there are seats for so many.
    first      when aircraft begin their day, from and to (minutes of the day, UTC).
    day        minutes from an aircraft's first departure to its last landing, at most.
    start      of the recovery period, and its end: minutes after the midnight of `epoch`.
    late       share of the flights before the recovery period that are late, apart from whom they make late.
    serviced   share of the aircraft that have a maintenance ahead; about as many are in one as the recovery begins.
    cuts       what the hubs of `cut` take meanwhile. What is in the air then, and would land where nothing may, has
               turned back: the disruption has cancelled it.
    coaches    surface transport between the first two hubs.
    """

    name: str
    hubs: dict[str, float]
    spokes: str
    fleet: tuple[Type, ...]
    aircraft: int
    flights: int
    bookings: int
    days: int
    first: tuple[int, int]
    day: int
    epoch: date
    start: int
    end: int
    late: float = 0.0
    cancelled: int = 0
    grounded: int = 0
    serviced: float = 0.0
    cut: tuple[str, ...] = ()
    cuts: tuple[Step, ...] = ()
    coaches: int = 0


def two_hubs(flights: int = 600, aircraft: int = 85, bookings: int = 1900, days: int = 1) -> Recipe:
    """A short-haul airline at the two airports of Paris: delays, cancellations, one airport at half of its slots."""
    return Recipe(
        name="two-hubs",
        hubs={"CDG": 0.6, "ORY": 0.4},
        spokes=f"{FRANCE} {EUROPE}" + (f" {LONG_HAUL}" if aircraft >= 300 else ""),
        fleet=SHORT_FLEET + (WIDE_FLEET if aircraft >= 300 else ()),
        aircraft=aircraft,
        flights=flights,
        bookings=bookings,
        days=days,
        first=(300, 600),
        day=1140,
        epoch=date(2026, 1, 7),
        start=12 * 60,
        end=days * DAY + 5 * 60,
        late=0.15,
        cancelled=max(1, flights // 300),
        grounded=1,
        serviced=0.1,
        cut=("ORY",),
        cuts=(Step(0.5, 15 * 60, 19 * 60),),
        coaches=4,
    )


def gulf_2026(flights: int = 2400, aircraft: int = 220, bookings: int = 12000, days: int = 6) -> Recipe:
    """Europe - the Gulf - East Asia; the Gulf's hubs shut on 28 February 2026 at 09:00 UTC, and open again in steps."""
    shut = 9 * 60
    return Recipe(
        name="gulf-2026",
        hubs={"DXB": 0.45, "DOH": 0.25, "AUH": 0.15, "IST": 0.15},
        spokes=GULF_SPOKES,
        fleet=WIDE_FLEET,
        aircraft=aircraft,
        flights=flights,
        bookings=bookings,
        days=days,
        first=(0, DAY),
        day=1380,
        epoch=date(2026, 2, 28),
        start=shut,
        end=(days + 1) * DAY,
        cut=("DXB", "DOH", "AUH"),
        cuts=(
            Step(0.0, shut, shut + 2 * DAY),
            Step(0.25, shut + 2 * DAY, shut + 3 * DAY),
            Step(0.5, shut + 3 * DAY, shut + 4 * DAY),
            Step(0.75, shut + 4 * DAY, (days + 1) * DAY),
        ),
    )


RECIPES = {"two-hubs": two_hubs, "gulf-2026": gulf_2026}


def generate(recipe: Recipe, seed: int = 0) -> Instance:
    """The instance of this recipe and seed. Raises TaktError if so many flights or bookings do not fit."""
    for name in ("aircraft", "flights", "bookings", "days"):
        if getattr(recipe, name) < 1:
            raise TaktError(f"an airline cannot have {getattr(recipe, name)} {name}; give 1 or more")
    if seed < 0:
        raise TaktError(f"the seed cannot be {seed}; give 0 or more")
    rng = np.random.default_rng(np.random.SeedSequence([seed, *recipe.name.encode()]))
    codes, mass = _airports(recipe)
    minutes, reach = _distances(codes)
    aircraft, kinds = _fleet(rng, recipe, codes)
    timetable, rotation = _timetable(rng, recipe, codes, mass, minutes, aircraft)
    flights = _flights(recipe, timetable, rotation, reach)
    aircraft = _services(rng, recipe, aircraft, flights)
    changes = _late(rng, recipe, codes, aircraft, flights)
    flights.delay[changes.flight] = np.maximum(changes.delay, 0)
    flights.cancelled[changes.flight] = changes.delay < 0
    aircraft = _under_way(recipe, aircraft, flights)
    airports = _slots(codes, aircraft, flights)
    pairs = np.argwhere(minutes > 0)
    return Instance(
        name=f"{recipe.name}-{seed}",
        epoch=recipe.epoch,
        start=recipe.start,
        end=recipe.end,
        prices=PRICES,
        airports=airports,
        distances=Distances(
            pairs[:, 0], pairs[:, 1], minutes[pairs[:, 0], pairs[:, 1]], reach[pairs[:, 0], pairs[:, 1]]
        ),
        aircraft=aircraft,
        timetable=timetable,
        flights=flights,
        bookings=_bookings(rng, recipe, codes, mass, minutes, aircraft, flights),
        wanted=_wanted(aircraft, kinds, flights),
        changes=changes,
        groundings=_groundings(rng, recipe, aircraft, flights),
        closures=_closures(recipe, airports, aircraft, flights),
    )


def _airports(recipe: Recipe) -> tuple[tuple[str, ...], np.ndarray]:
    """IATA codes, hubs first, and millions of passengers a year."""
    words = recipe.spokes.split()
    masses = {code: float(millions) for code, millions in zip(words[::2], words[1::2], strict=True)}
    codes = (*recipe.hubs, *sorted(set(masses) - set(recipe.hubs)))
    return codes, np.array([masses.get(code, 60.0) for code in codes])


def _distances(codes: tuple[str, ...]) -> tuple[Ints, Ints]:
    """Flying minutes and reach by (origin, destination): 800 km/h and half an hour, in steps of five minutes."""
    known = airportsdata.load("IATA")
    here = [known[code] for code in codes]
    lat, lon = np.radians([a["lat"] for a in here]), np.radians([a["lon"] for a in here])
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    km = 2 * 6371.0 * np.arcsin(np.sqrt(half))
    minutes = 5 * np.round((30 + km / 800 * 60) / 5).astype(np.int64)
    np.fill_diagonal(minutes, -1)
    country, continent = np.array([a["country"] for a in here]), np.array([a["tz"].split("/")[0] for a in here])
    reach = np.where(country[:, None] == country, 0, np.where(continent[:, None] == continent, 1, 2))
    return minutes, reach


def _fleet(rng: np.random.Generator, recipe: Recipe, codes: tuple[str, ...]) -> tuple[Aircraft, list[Type]]:
    kinds = [recipe.fleet[i] for i in np.sort(rng.integers(len(recipe.fleet), size=recipe.aircraft))]
    share = np.array(list(recipe.hubs.values()))
    base = rng.choice(len(share), size=len(kinds), p=share / share.sum())
    coaches = range(recipe.coaches if len(share) > 1 else 0)
    kinds += [COACH for _ in coaches]
    base = np.append(base, [i % 2 for i in coaches]).astype(np.int64)
    none = np.zeros(len(kinds), dtype=np.int64)
    aircraft = Aircraft(
        name=tuple(f"{kind.model}#{i + 1}" for i, kind in enumerate(kinds)),
        model=tuple(kind.model for kind in kinds),
        family=tuple(kind.family for kind in kinds),
        seats=np.array([kind.seats[rng.integers(len(kind.seats))] for kind in kinds]),
        range=np.array([kind.range for kind in kinds]),
        hour_cost=np.array([kind.hour_cost for kind in kinds]),
        turn=np.array([kind.turn for kind in kinds]),
        transit=np.array([kind.transit for kind in kinds]),
        airport=base,
        service_airport=none - 1,
        service_start=none,
        service_end=none,
        service_minutes=none,
    )
    return aircraft, kinds


def _timetable(
    rng: np.random.Generator,
    recipe: Recipe,
    codes: tuple[str, ...],
    mass: np.ndarray,
    minutes: Ints,
    aircraft: Aircraft,
) -> tuple[Timetable, list[tuple[int, int]]]:
    """The daily timetable, and the (aircraft, days after the first flight's) of each of its lines."""
    pairs = round(recipe.flights / (2 * recipe.days))  # there and back, a day
    one_more = set(rng.permutation(recipe.aircraft)[: pairs % recipe.aircraft].tolist())
    lines: list[tuple[int, int, int, int, int, int]] = []
    rotation: list[tuple[int, int]] = []
    spokes = np.arange(len(recipe.hubs), len(codes))
    for a in range(recipe.aircraft):
        hub, turn = int(aircraft.airport[a]), int(aircraft.turn[a])
        wanted = pairs // recipe.aircraft + (a in one_more)
        left = recipe.day
        t = 5 * int(rng.integers(recipe.first[0] // 5, recipe.first[1] // 5))
        for remaining in range(wanted, 0, -1):
            takes = minutes[hub, spokes]
            fits = (takes <= aircraft.range[a]) & (2 * (takes + turn) * remaining <= left)
            if not fits.any():
                fits = (takes <= aircraft.range[a]) & (2 * (takes + turn) <= left)
            if not fits.any():
                break
            pull = np.where(fits, mass[spokes] / np.sqrt(takes), 0.0)
            spoke = int(rng.choice(spokes, p=pull / pull.sum()))
            slack = left - 2 * (int(minutes[hub, spoke]) + turn) * remaining
            for origin, destination in ((hub, spoke), (spoke, hub)):
                leaves, over = t % DAY, t // DAY
                lands = leaves + int(minutes[origin, destination])
                lines.append((1000 + len(lines), origin, destination, leaves, lands, 0))
                rotation.append((a, over))
                wait = 5 * int(rng.integers(max(0, min(slack // (4 * remaining), 90)) // 5 + 1))
                used = int(minutes[origin, destination]) + turn + wait
                t, left = t + used, left - used
    flown = len(lines)
    for a in np.flatnonzero(aircraft.surface).tolist():
        for trip in range(2 * (recipe.day // (2 * (COACH_MINUTES + 45)))):
            origin = (int(aircraft.airport[a]) + trip) % 2
            t = recipe.first[0] + 30 * (a % 4) + trip * (COACH_MINUTES + 45)
            leaves, over = t % DAY, t // DAY
            lines.append((1000 + len(lines), origin, 1 - origin, leaves, leaves + COACH_MINUTES, 0))
            rotation.append((a, over))
    if not flown or flown * recipe.days < 0.9 * recipe.flights:
        raise TaktError(
            f"{recipe.aircraft} aircraft cannot fly {recipe.flights} flights in {recipe.days} days; give more"
        )
    return Timetable(*np.array(lines, dtype=np.int64).T.copy()), rotation


def _flights(recipe: Recipe, timetable: Timetable, rotation: list[tuple[int, int]], reach: Ints) -> Flights:
    lines = np.tile(np.arange(len(timetable.number)), recipe.days)
    tail, over = np.array(rotation, dtype=np.int64).T[:, lines]
    day = np.repeat(np.arange(recipe.days), len(timetable.number)) + over
    leaves = timetable.departure[lines] + DAY * day
    order = np.lexsort((leaves, tail))
    lines, day, tail = lines[order], day[order], tail[order]
    count = len(lines)
    return Flights(
        number=timetable.number[lines],
        day=day,
        origin=timetable.origin[lines],
        destination=timetable.destination[lines],
        departure=timetable.departure[lines] + DAY * day,
        arrival=timetable.arrival[lines] + DAY * day,
        previous=np.full(count, -1, dtype=np.int64),
        aircraft=tail,
        delay=np.zeros(count, dtype=np.int64),
        cancelled=np.zeros(count, dtype=np.bool_),
        reach=reach[timetable.origin[lines], timetable.destination[lines]],
    )


def _services(rng: np.random.Generator, recipe: Recipe, aircraft: Aircraft, flights: Flights) -> Aircraft:
    """Some aircraft have a maintenance at their hub, after a day's last flight."""
    airport, start, end, minutes = (np.array(column) for column in ([-1] * len(aircraft.name),) * 4)
    for a in np.flatnonzero((rng.random(len(aircraft.name)) < recipe.serviced) & ~aircraft.surface):
        own = np.flatnonzero(flights.aircraft == a)
        back = own[flights.destination[own] == aircraft.airport[a]]
        late = back[flights.arrival[back] >= recipe.start + 360]  # the aircraft can still be got there
        pause = np.append(flights.departure[own][1:], flights.arrival[own[-1:]] + DAY) if len(own) else own
        for i in late.tolist():
            at = int(np.searchsorted(own, i))
            due, back_at = int(flights.arrival[i]) + 30, min(int(pause[at]), int(flights.arrival[i]) + 420)
            if back_at - due >= 180:
                airport[a], start[a], end[a] = aircraft.airport[a], due, back_at
                flown = int((flights.arrival - flights.departure)[own[: at + 1]].sum())
                minutes[a] = flown + int(rng.integers(0, 200))
                break
    none = airport < 0
    start[none], end[none], minutes[none] = 0, 0, 0
    return replace(aircraft, service_airport=airport, service_start=start, service_end=end, service_minutes=minutes)


def _under_way(recipe: Recipe, aircraft: Aircraft, flights: Flights) -> Aircraft:
    """Some aircraft that stand at their hub as the recovery begins are in a maintenance that began before."""
    airport, start, end, minutes = (
        aircraft.service_airport.copy(),
        aircraft.service_start.copy(),
        aircraft.service_end.copy(),
        aircraft.service_minutes.copy(),
    )
    most = round(recipe.serviced * len(aircraft.name))
    leaves, lands = given_departures(flights), flights.arrival + flights.delay
    for a in np.flatnonzero(~aircraft.surface & (airport < 0)).tolist():
        own = np.flatnonzero(flights.aircraft == a)
        behind, ahead = own[leaves[own] < recipe.start], own[leaves[own] >= recipe.start]
        if (
            flights.cancelled[own].any()
            or not most
            or not len(behind)
            or not len(ahead)
            or flights.destination[behind[-1]] != aircraft.airport[a]
        ):
            continue
        begins, ends = int(lands[behind[-1]]) + 5, int(flights.departure[ahead[0]]) - 5
        if begins < recipe.start < ends - 15:
            airport[a], start[a], end[a] = aircraft.airport[a], begins, ends
            minutes[a] = int((flights.arrival - flights.departure)[behind].sum()) + 60
            most -= 1
    return replace(aircraft, service_airport=airport, service_start=start, service_end=end, service_minutes=minutes)


def _late(
    rng: np.random.Generator, recipe: Recipe, codes: tuple[str, ...], aircraft: Aircraft, flights: Flights
) -> FlightChanges:
    """Before the recovery period flights are late by chance and by the aircraft's last flight; some are cancelled."""
    delay: dict[int, int] = {}
    last: list[int] = []  # each aircraft's last flight before the recovery period
    ready, tail = 0, -1
    surface = aircraft.surface[flights.aircraft]
    for i in np.flatnonzero((flights.departure < recipe.start) & ~surface).tolist():
        if flights.aircraft[i] != tail:
            ready, tail = 0, int(flights.aircraft[i])
            last.append(i)
        last[-1] = i
        own = int(rng.gamma(2.0, 20.0)) if rng.random() < recipe.late else 0
        late = max(own, ready - int(flights.departure[i]))
        if late > 0:
            delay[i] = late
        ready = int(flights.arrival[i]) + late + int(aircraft.turn[tail])
    last = [i for i in last if aircraft.service_airport[flights.aircraft[i]] < 0]  # others may have to be there in time
    for i in rng.permutation(last)[: recipe.cancelled].tolist():
        delay[i] = -1
    for i in np.flatnonzero((flights.departure < recipe.start) & ~surface).tolist():
        lands = int(flights.arrival[i]) + max(delay.get(i, 0), 0)
        if codes[flights.destination[i]] in recipe.cut and any(
            not step.share and step.start <= lands < step.end for step in recipe.cuts
        ):
            later = np.flatnonzero(
                (flights.aircraft == flights.aircraft[i]) & (flights.departure > flights.departure[i])
            )
            delay = {j: late for j, late in delay.items() if j not in set(later.tolist())} | {i: -1}
    return FlightChanges(*np.array(sorted(delay.items()), dtype=np.int64).reshape(len(delay), 2).T.copy())


def _movements(aircraft: Aircraft, flights: Flights, which: Flags, late: bool) -> Iterator[tuple[int, Ints, Ints]]:
    """Departures (0), then arrivals (1): the side, (airport, clock hour), how many. `late`: with the given delays."""
    which = which & ~aircraft.surface[flights.aircraft]
    delay = flights.delay[which] * late
    for side, (airport, time) in enumerate(
        ((flights.origin, flights.departure), (flights.destination, flights.arrival))
    ):
        keys, count = np.unique(np.stack([airport[which], (time[which] + delay) // 60]), axis=1, return_counts=True)
        yield side, keys, count


def _slots(codes: tuple[str, ...], aircraft: Aircraft, flights: Flights) -> Airports:
    """Each hour takes what the busiest day needs of it and an eighth more, one at least; an unused hour is closed.

    That is so for the flights as scheduled, and for as late as they are.
    """
    table = np.zeros((2, len(codes), 24), dtype=np.int64)
    for late, which in ((False, np.ones_like(flights.cancelled)), (True, ~flights.cancelled)):
        for side, keys, count in _movements(aircraft, flights, which, late):
            np.maximum.at(table[side], (keys[0], keys[1] % 24), count)
    table = np.where(table > 0, table + np.maximum(1, table // 8), 0)
    parts = []
    for at in range(len(codes)):
        since = 0
        for hour in range(1, 25):
            if hour == 24 or (table[:, at, hour] != table[:, at, since]).any():
                parts.append((at, *table[:, at, since], since * 60, hour * 60))
                since = hour
    return Airports(codes, *np.array(parts, dtype=np.int64).T.copy())


def _bookings(
    rng: np.random.Generator,
    recipe: Recipe,
    codes: tuple[str, ...],
    mass: np.ndarray,
    minutes: Ints,
    aircraft: Aircraft,
    flights: Flights,
) -> Bookings:
    """Groups on one flight, or on two that meet at a hub without too much of a detour."""
    seats = aircraft.seats[flights.aircraft].copy()
    seats[aircraft.surface[flights.aircraft]] = 0, 0, COACH_SEATS
    size = max(1.0, LOAD * seats.sum() / (1.6 * recipe.bookings))
    order = np.argsort(flights.departure, kind="stable")
    leaving = [order[flights.origin[order] == at].tolist() for at in range(len(codes))]
    times = [[int(flights.departure[i]) for i in there] for there in leaving]
    into_hub = flights.destination < len(recipe.hubs)
    rows: list[tuple[int, float, int, list[int], int]] = []
    full = 0  # flights in a row that had no seat left
    while len(rows) < recipe.bookings and full < 100:
        legs = [int(rng.integers(len(flights.number)))]
        if into_hub[legs[0]] and rng.random() < 0.85:
            hub, origin = int(flights.destination[legs[0]]), int(flights.origin[legs[0]])
            lands = int(flights.arrival[legs[0]])
            window = leaving[hub][
                bisect_left(times[hub], lands + CONNECT[0]) : bisect_left(times[hub], lands + CONNECT[1])
            ]
            onward = np.array([i for i in window if flights.destination[i] != origin], dtype=np.int64)
            if len(onward):
                direct = minutes[origin, flights.destination[onward]]
                detour = (minutes[origin, hub] + minutes[hub, flights.destination[onward]]) / direct
                pull = mass[flights.destination[onward]] * np.exp(-3 * np.maximum(detour - 1.2, 0))
                legs.append(int(rng.choice(onward, p=pull / pull.sum())))
        cabin = (
            int(rng.choice(3, p=seats[legs].min(axis=0) / total)) if (total := seats[legs].min(axis=0).sum()) else -1
        )
        full = full + 1 if cabin < 0 else 0
        if cabin < 0:
            continue
        people = min(int(rng.geometric(1 / size)), int(seats[legs, cabin].min()))
        seats[legs, cabin] -= people
        flying = int((flights.arrival - flights.departure)[legs].sum())
        fare = 12.5 * round((60 + flying) * (8, 4, 1)[cabin] / 12.5)
        rows.append((int(rng.random() < 0.5), float(fare), people, legs, cabin))
    if len(rows) < recipe.bookings:
        raise TaktError(f"there are seats for {len(rows)} bookings only, not for {recipe.bookings}; give more flights")
    rows.sort(key=lambda row: (int(flights.departure[row[3][0]]), row[3]))
    return Bookings(
        number=np.arange(1, len(rows) + 1),
        inbound=np.array([row[0] for row in rows], dtype=np.bool_),
        price=np.array([row[1] for row in rows]),
        passengers=np.array([row[2] for row in rows], dtype=np.int64),
        first=np.cumsum([0, *(len(row[3]) for row in rows)], dtype=np.int64),
        leg_flight=np.array([leg for row in rows for leg in row[3]], dtype=np.int64),
        leg_cabin=np.array([row[4] for row in rows for _ in row[3]], dtype=np.int64),
    )


def _wanted(aircraft: Aircraft, kinds: list[Type], flights: Flights) -> Wanted:
    """Every kind of aircraft is wanted where the plan leaves it."""
    final = aircraft.airport.copy()
    final[flights.aircraft] = flights.destination  # rows are in order of time
    count = Counter(
        (int(at), kinds[a].model, seats_text(aircraft.seats[a]))
        for a, at in enumerate(final)
        if not aircraft.surface[a]
    )
    rows = sorted(count.items())
    return Wanted(
        airport=np.array([at for (at, _, _), _ in rows], dtype=np.int64),
        model=tuple(model for (_, model, _), _ in rows),
        configuration=tuple(seats for (_, _, seats), _ in rows),
        count=np.array([number for _, number in rows], dtype=np.int64),
    )


def _groundings(rng: np.random.Generator, recipe: Recipe, aircraft: Aircraft, flights: Flights) -> Groundings:
    """Each begins when its aircraft has landed from what nobody can change any more."""
    free = np.flatnonzero((aircraft.service_airport < 0) & ~aircraft.surface)
    tails = np.sort(rng.permutation(free)[: recipe.grounded])
    start = recipe.start + 60 * rng.integers(0, 4, size=len(tails))
    gone = ~flights.cancelled & ((given_departures(flights) < recipe.start) | (flights.delay > 0))
    landed = np.zeros(len(aircraft.name), dtype=np.int64)
    np.maximum.at(landed, flights.aircraft[gone], (flights.arrival + flights.delay)[gone])
    start = np.maximum(start, -(-landed[tails] // 60) * 60)
    return Groundings(tails, start, start + 60 * rng.integers(6, 16, size=len(tails)))


def _closures(recipe: Recipe, airports: Airports, aircraft: Aircraft, flights: Flights) -> Closures:
    """The cuts, part of the day by part of the day, for the usual limits differ by hour.

    None is below what nobody can change any more.
    """
    gone = ~flights.cancelled & ((given_departures(flights) < recipe.start) | (flights.delay > 0))
    least = [
        {(int(at), int(hour)): int(n) for (at, hour), n in zip(keys.T, count, strict=True)}
        for _, keys, count in _movements(aircraft, flights, gone, True)
    ]
    rows: list[tuple[int, int, int, int, int]] = []
    for code in recipe.cut:
        at = airports.code.index(code)
        for step in recipe.cuts:
            for day in range(step.end // DAY + 1):
                for part in np.flatnonzero(airports.at == at):
                    start = max(step.start, day * DAY + int(airports.since[part]))
                    end = min(step.end, day * DAY + int(airports.until[part]))
                    usual = airports.departures[part], airports.arrivals[part]
                    takes = tuple(
                        max(int(step.share * most), *(left.get((at, h), 0) for h in range(start // 60, -(-end // 60))))
                        if start < end
                        else 0
                        for most, left in zip(usual, least, strict=True)
                    )
                    if start >= end or not airports.departures[part] + airports.arrivals[part]:
                        continue
                    if rows and rows[-1][0] == at and rows[-1][2:] == (start, *takes):
                        start = rows.pop()[1]
                    rows.append((at, start, end, takes[0], takes[1]))
    return Closures(*np.array(rows, dtype=np.int64).reshape(len(rows), 5).T.copy())
