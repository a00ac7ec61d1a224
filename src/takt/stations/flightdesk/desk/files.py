"""The desk's world for the situation board: flights.csv, what became of each flight; fares.csv, what seats cost."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np

from takt.stations.flightdesk.airline.instance import DAY
from takt.stations.flightdesk.desk.corridors import CORRIDORS
from takt.stations.flightdesk.desk.market import fares, left
from takt.stations.flightdesk.desk.world import World
from takt.writing import table, whole_files

FLIGHTS = ("date", "flight", "carrier", "origin", "destination", "scheduled", "departure", "cancelled")
FARES = ("seen", "flight", "carrier", "origin", "destination", "departure", "corridor", "seats", "fare", "currency")
SEEN_AT = 12 * 60  # minute of the day at which fares are looked at


def write_world(world: World, folder: Path, days: int) -> tuple[Path, Path]:
    """Write both files, as known when so many days since the epoch are over."""
    paths = folder / "flights.csv", folder / "fares.csv"
    tables = {"flights.csv": (FLIGHTS, _flights(world, days)), "fares.csv": (FARES, _fares(world, days))}
    with whole_files(folder, {name: table(names) for name, (names, _) in tables.items()}) as new:
        for name, (names, rows) in tables.items():
            with (new / name).open("w", newline="", encoding="utf-8") as text:
                writer = csv.writer(text)
                writer.writerow(names)
                writer.writerows(rows)
    return paths


def _flights(world: World, days: int) -> Iterator[tuple[str | int, ...]]:
    """A row a flight: the departure is empty if it has not left, and cancellations are those that are known."""
    codes, now = world.instance.airports.code, days * DAY
    for f in np.argsort(world.scheduled, kind="stable").tolist():
        name, day = world.name[f].split("/")
        flown = not world.gone[f] and world.leaves[f] < now
        yield (
            day,
            name,
            _carrier(world, f),
            codes[world.origin[f]],
            codes[world.destination[f]],
            world.clock(world.scheduled[f]),
            world.clock(world.leaves[f]) if flown else "",
            int(world.gone[f] and world.known[f] < now),
        )


def _fares(world: World, days: int) -> Iterator[tuple[str | int | float, ...]]:
    """A row for each day and each flight of another carrier that has not left: what a seat costs, if there is one."""
    market, codes = world.market, world.instance.airports.code
    nothing = np.zeros(len(market.carrier), dtype=np.int64)
    for day in range(days):
        minute = day * DAY + SEEN_AT
        if minute < world.instance.start:
            continue
        price, seats = fares(market, minute, nothing), left(market, minute, nothing)
        seen = (world.instance.epoch + timedelta(days=day)).isoformat()
        for i in np.flatnonzero(market.departure > minute).tolist():
            f = world.own + i
            if world.gone[f] and world.known[f] <= minute:
                continue
            ends = codes[market.origin[i]], codes[market.destination[i]]
            told = (CORRIDORS[market.corridor[i]], int(seats[i]), round(float(price[i]), 2) if seats[i] else "", "EUR")
            yield seen, market.name[i], market.carrier[i], *ends, world.clock(market.departure[i]), *told


def _carrier(world: World, f: int) -> str:
    return world.market.carrier[f - world.own] if f >= world.own else ""
