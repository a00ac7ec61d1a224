"""Seats for sale: what is left of the airline's own, and of other carriers' at what fare."""

from __future__ import annotations

import numpy as np

from takt.stations.flightdesk.airline.instance import Floats, Ints
from takt.stations.flightdesk.desk.market import fares, left
from takt.stations.flightdesk.desk.timetable import Timetable
from takt.stations.flightdesk.desk.world import World

ECONOMY = 2


class Stock:
    """See the module. Flights are the airline's own, then the market's."""

    def __init__(self, world: World, flights: Timetable) -> None:
        self.world, self._flights = world, flights
        self.free: Ints = world.seats.copy()
        self.bought = np.zeros(len(world.market.carrier), dtype=np.int64)
        self._fares: tuple[int, Floats, Ints] | None = None

    def seats(self) -> Ints:
        """(F, 3) for sale now."""
        now = self.free.copy()
        now[self.world.own :, ECONOMY] = self._market()[1]
        return now

    def seats_of(self, f: int, cabin: int) -> int:
        """The same of one cabin."""
        own = self.world.own
        return int(self._market()[1][f - own] if f >= own and cabin == ECONOMY else self.free[f, cabin])

    def fares(self) -> Floats:
        """(M,) EUR per person of the market's flights now."""
        return self._market()[0]

    def fare(self, f: int) -> float:
        """EUR per person of one flight now: nothing on the airline's own."""
        return float(self.fares()[f - self.world.own]) if f >= self.world.own else 0.0

    def take(self, f: int, cabin: int, people: int) -> None:
        """Sell so many seats of a flight; a negative number puts them back."""
        if f >= self.world.own:
            self.bought[f - self.world.own] += people
            self._fares = None
        else:
            self.free[f, cabin] -= people

    def _market(self) -> tuple[Floats, Ints]:
        """Fares and seats of the market at the whole minute."""
        minute = int(self._flights.minute)
        if self._fares is None or self._fares[0] != minute:
            market, bought = self.world.market, self.bought
            self._fares = minute, fares(market, minute, bought), left(market, minute, bought)
        return self._fares[1:]
