"""Airlines that never were: instances of any size from real airports, by seed.

    recipe     an airline (hubs, airports, fleet, flights, bookings, days) and what goes wrong with it
    generate   recipe and seed -> Instance; the same ones give the same instance, byte for byte
    drawn      the same before maintenances that cannot be reached are taken out: what shifts of older ledgers have

The network is hub and spoke: an aircraft flies from its hub to a spoke and back, as often as the day allows, and the
same every day. Where to follows a gravity model (Tinbergen 1962): the airport's yearly passengers over the square root
of the distance. Coordinates and countries are `airportsdata`'s; times are UTC. Whoever changes planes does so at a hub,
within six hours. Prices and penalties are those of the ROADEF 2009 instances.

`gulf-2026` is Europe - the Gulf - East Asia with the Gulf's hubs shut from 28 February 2026 and opened again in steps,
and some aircraft at Istanbul that go round them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import replace

import airportsdata
import numpy as np

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.instance import (
    DAY,
    Aircraft,
    Bookings,
    Distances,
    Flights,
    Instance,
    Ints,
    Timetable,
    Wanted,
    seats_text,
)
from takt.stations.flightdesk.airline.mishaps import (
    closures_of,
    groundings_of,
    late_flights,
    serviced_in_reach,
    slots_of,
    under_way,
)
from takt.stations.flightdesk.airline.recipes import (
    COACH,
    COACH_MINUTES,
    COACH_SEATS,
    CONNECT,
    LOAD,
    PRICES,
    Recipe,
    Type,
)

AIRLINES = 2  # the version of what is generated from a seed: 2 since it keeps the challenge checker's own rules


def generate(recipe: Recipe, seed: int = 0) -> Instance:
    """The instance of this recipe and seed. Raises TaktError if so many flights or bookings do not fit."""
    instance = drawn(recipe, seed)
    return replace(instance, aircraft=serviced_in_reach(instance))


def drawn(recipe: Recipe, seed: int) -> Instance:
    """The same as it is drawn: of some seeds, about one in forty, it has a maintenance that no plan gets its aircraft
    to, so that no plan is valid."""
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
    changes = late_flights(rng, recipe, codes, aircraft, flights)
    flights.delay[changes.flight] = np.maximum(changes.delay, 0)
    flights.cancelled[changes.flight] = changes.delay < 0
    aircraft = under_way(recipe, aircraft, flights)
    airports = slots_of(codes, aircraft, flights)
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
        groundings=groundings_of(rng, recipe, aircraft, flights),
        closures=closures_of(recipe, airports, aircraft, flights),
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
    if flown == 2 * pairs and abs(flown * recipe.days - recipe.flights) > 0.1 * recipe.flights:
        raise TaktError(
            f"every day has the same flights, out and back: {recipe.flights} in {recipe.days} days do not divide so; "
            f"give {max(1, pairs) * 2 * recipe.days} flights"
        )
    if not flown or flown * recipe.days < 0.9 * recipe.flights:
        raise TaktError(
            f"{recipe.aircraft} aircraft cannot fly {recipe.flights} flights in {recipe.days} days; "
            "give more aircraft or days, or fewer flights"
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
        late = back[flights.arrival[back] >= recipe.start + 360]  # most aircraft can still be got there
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
    free = seats.tolist()  # plain numbers: there are tens of thousands of groups, each of which is a few of them
    takes = (flights.arrival - flights.departure).tolist()
    into_hub = (flights.destination < len(recipe.hubs)).tolist()
    onward = _Onward(codes, mass, minutes, flights)
    rows: list[tuple[int, float, int, list[int], int]] = []
    full = 0  # flights in a row that had no seat left
    while len(rows) < recipe.bookings and full < 100:
        legs = [int(rng.integers(len(takes)))]
        if into_hub[legs[0]] and rng.random() < 0.85:
            after, upto = onward.of(legs[0])
            if after:
                legs.append(after[bisect_right(upto, rng.random())])
        least = free[legs[0]] if len(legs) == 1 else list(map(min, free[legs[0]], free[legs[1]]))
        cabin = _cabin(rng, least)
        full = full + 1 if cabin < 0 else 0
        if cabin < 0:
            continue
        people = min(int(rng.geometric(1 / size)), least[cabin])
        for leg in legs:
            free[leg][cabin] -= people
        flying = sum(takes[leg] for leg in legs)
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


class _Onward:
    """Where groups fly on to after a flight into a hub, and how likely that is; the same for all groups on it."""

    def __init__(self, codes: tuple[str, ...], mass: np.ndarray, minutes: Ints, flights: Flights) -> None:
        self._mass, self._minutes, self._flights = mass, minutes, flights
        order = np.argsort(flights.departure, kind="stable")
        self._leaving = [order[flights.origin[order] == at] for at in range(len(codes))]
        self._times = [flights.departure[there].tolist() for there in self._leaving]
        self._known: dict[int, tuple[list[int], list[float]]] = {}

    def of(self, flight: int) -> tuple[list[int], list[float]]:
        """The flights on, and the chance of each with all before it."""
        if flight not in self._known:
            self._known[flight] = self._found(flight)
        return self._known[flight]

    def _found(self, flight: int) -> tuple[list[int], list[float]]:
        flights, minutes = self._flights, self._minutes
        hub, origin, lands = (int(of[flight]) for of in (flights.destination, flights.origin, flights.arrival))
        times = self._times[hub]
        since, until = bisect_left(times, lands + CONNECT[0]), bisect_left(times, lands + CONNECT[1])
        window = self._leaving[hub][since:until]
        after = window[flights.destination[window] != origin]
        if not len(after):
            return [], []
        direct = minutes[origin, flights.destination[after]]
        detour = (minutes[origin, hub] + minutes[hub, flights.destination[after]]) / direct
        pull = self._mass[flights.destination[after]] * np.exp(-3 * np.maximum(detour - 1.2, 0))
        upto = (pull / pull.sum()).cumsum()
        upto /= upto[-1]
        return after.tolist(), upto.tolist()


def _cabin(rng: np.random.Generator, free: list[int]) -> int:
    """A cabin as likely as it has seats, -1 if there are none."""
    first, business, economy = free
    total = first + business + economy
    if not total:
        return -1
    upto_first = first / total
    upto_business = upto_first + business / total
    upto_all = upto_business + economy / total
    drawn = rng.random()
    return 0 if drawn < upto_first / upto_all else 1 if drawn < upto_business / upto_all else 2


def _wanted(aircraft: Aircraft, kinds: list[Type], flights: Flights) -> Wanted:
    """Every kind of aircraft is wanted where the plan leaves it."""
    final = aircraft.airport.copy()
    final[flights.aircraft] = flights.destination  # rows are in order of time
    return Wanted.of(
        Counter(
            (int(at), kinds[a].model, seats_text(aircraft.seats[a]))
            for a, at in enumerate(final)
            if not aircraft.surface[a]
        )
    )
