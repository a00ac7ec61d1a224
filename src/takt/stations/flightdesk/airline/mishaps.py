"""What goes wrong on a generated day: late flights, aircraft on the ground, airports that shut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    DAY,
    Aircraft,
    Airports,
    Closures,
    Flags,
    FlightChanges,
    Flights,
    Groundings,
    Instance,
    Ints,
    given_departures,
)
from takt.stations.flightdesk.airline.recipes import Recipe
from takt.stations.flightdesk.airline.recovery.unavoidable import unavoidable
from takt.stations.flightdesk.airline.rules import Rule, Violation


def under_way(recipe: Recipe, aircraft: Aircraft, flights: Flights) -> Aircraft:
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


def late_flights(
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


def slots_of(codes: tuple[str, ...], aircraft: Aircraft, flights: Flights) -> Airports:
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


def groundings_of(rng: np.random.Generator, recipe: Recipe, aircraft: Aircraft, flights: Flights) -> Groundings:
    """Each begins when its aircraft has landed from what nobody can change any more."""
    free = np.flatnonzero((aircraft.service_airport < 0) & ~aircraft.surface)
    tails = np.sort(rng.permutation(free)[: recipe.grounded])
    start = recipe.start + 60 * rng.integers(0, 4, size=len(tails))
    gone = ~flights.cancelled & ((given_departures(flights) < recipe.start) | (flights.delay > 0))
    landed = np.zeros(len(aircraft.name), dtype=np.int64)
    np.maximum.at(landed, flights.aircraft[gone], (flights.arrival + flights.delay)[gone])
    start = np.maximum(start, -(-landed[tails] // 60) * 60)
    return Groundings(tails, start, start + 60 * rng.integers(6, 16, size=len(tails)))


def closures_of(recipe: Recipe, airports: Airports, aircraft: Aircraft, flights: Flights) -> Closures:
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


def serviced_in_reach(instance: Instance) -> Aircraft:
    """The aircraft, without the maintenances that theirs cannot be at in any plan, late and short of slots as it is."""
    aircraft = instance.aircraft
    due = [aircraft.name[a] for a in np.flatnonzero(aircraft.service_airport >= 0)]
    missed = unavoidable(instance, [Violation(Rule.SERVICE_AIRPORT, "", aircraft=name) for name in due])
    gone = np.isin(aircraft.name, [violation.aircraft for violation in missed])
    return replace(
        aircraft,
        service_airport=np.where(gone, -1, aircraft.service_airport),
        service_start=np.where(gone, 0, aircraft.service_start),
        service_end=np.where(gone, 0, aircraft.service_end),
        service_minutes=np.where(gone, 0, aircraft.service_minutes),
    )
