"""Airports: where they are, how far from each other in flying minutes, and which trips are domestic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

import airportsdata
import numpy as np

from takt.stations.flightdesk.airline.imports.continents import CONTINENT
from takt.stations.flightdesk.airline.imports.defaults import Defaults
from takt.stations.flightdesk.airline.imports.operations import Operation
from takt.stations.flightdesk.airline.instance import Distances, Ints

EARTH_KM = 6371.0


class Places:
    """The airports of an import by code. `reach` is 0, 1, 2: domestic, continental, intercontinental.

    `unknown` are those whose place neither the defaults nor the list of airports says; the others' figures hold.
    """

    def __init__(self, codes: Sequence[str], defaults: Defaults) -> None:
        self.codes, self.defaults = tuple(codes), defaults
        self.at = {code: i for i, code in enumerate(codes)}
        known = airportsdata.load("IATA")
        self.unknown: list[str] = []
        where: list[tuple[float, float, str, str]] = []
        for code in codes:
            said, listed = defaults.airports.get(code, {}), known.get(code)
            country = said.get("country", listed["country"] if listed else None)
            own = (
                said.get("lat", listed["lat"] if listed else None),
                said.get("lon", listed["lon"] if listed else None),
                country,
                said.get("continent", CONTINENT.get(country)),
            )
            if None in own:
                self.unknown.append(code)
                own = (0.0, 0.0, "", "")
            where.append(own)
        lat, lon = np.radians([place[0] for place in where]), np.radians([place[1] for place in where])
        half = (
            np.sin((lat[:, None] - lat) / 2) ** 2
            + np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        )
        self.km = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
        country, continent = (np.array([place[i] for place in where]) for i in (2, 3))
        same_continent = continent[:, None] == continent
        self.reach = np.where(country[:, None] == country, 0, np.where(same_continent, 1, 2))

    def distances(self, flights: Sequence[Operation]) -> tuple[Distances, Ints]:
        """Flying minutes of all pairs: the schedule's median, else by the great circle. Also as a table."""
        rule = self.defaults.values["distances"]
        minutes = np.round(rule["minutes"] + 60 * self.km / rule["km_per_hour"]).astype(np.int64)
        flown: dict[tuple[int, int], list[int]] = defaultdict(list)
        for flight in flights:
            flown[self.at[flight.origin], self.at[flight.destination]].append(flight.arrival - flight.departure)
        for pair, times in flown.items():
            minutes[pair] = round(median(times))
        np.fill_diagonal(minutes, -1)
        for pair in flown:
            minutes[pair] = max(minutes[pair], round(median(flown[pair])))
        pairs = np.argwhere(minutes > 0)
        origin, destination = pairs[:, 0], pairs[:, 1]
        reach = self.reach[origin, destination]
        return Distances(origin, destination, minutes[origin, destination], reach), minutes
