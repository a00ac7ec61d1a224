"""What flights will do, as far as a desk with authority has not changed it, and what is known of that so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from takt.stations.flightdesk.desk.closures import NEVER, News
from takt.stations.flightdesk.desk.corridors import CORRIDORS
from takt.stations.flightdesk.desk.paths import Network, network_of
from takt.stations.flightdesk.desk.versions import AS_KNOWN, RULES
from takt.stations.flightdesk.desk.world import World


class Timetable:
    """See the module. Arrays are (F,), times minutes since the world's epoch; `minute` is now.

    as_known    whether what is in store for a flight and not known yet comes whatever the desk does to it (`outcome`).
    """

    def __init__(self, world: World, rules: int = RULES) -> None:
        self.world, self.minute, self.as_known = world, float(world.instance.start), rules >= AS_KNOWN
        # What will happen.
        self.leaves, self.arrives = world.leaves.copy(), world.arrives.copy()
        self.gone, self.known = world.gone.copy(), world.known.copy()
        self.changed: dict[int, list[Any]] = {}  # flight -> [leaves, gone, known, aircraft, now]
        self.aircraft = world.instance.flights.aircraft.copy()
        # What is known.
        self.leaves_now, self.lands_now = world.scheduled.copy(), world.lands.copy()
        self.gone_now = np.zeros(len(world.name), dtype=np.bool_)
        self.log: list[int] = []  # indices into `World.news`, or -1 - i for the desk's own
        self.own_news: list[News] = []
        self._network: Network | None = None

    def tell(self, item: int) -> None:
        """A message of the world becomes known, unless the desk's own doing has come instead of it."""
        news = self.world.news[item]
        if self.as_known and news.flight >= 0 and self.known[news.flight] != news.minute:
            return
        self.log.append(item)
        if news.flight >= 0 and (self.as_known or news.flight not in self.changed):
            self.now_known(news.flight)

    def announce(self, news: News) -> None:
        """The desk's own message."""
        self.own_news.append(news)
        self.log.append(-len(self.own_news))

    def now_known(self, f: int) -> None:
        """What will happen to a flight is known from now on."""
        self.leaves_now[f], self.lands_now[f] = self.leaves[f], self.arrives[f]
        self.gone_now[f] = self.gone[f]
        self._network = None

    def outcome(self, f: int, leaves: int, gone: bool) -> tuple[int, bool, float]:
        """What comes of it if the desk lets a flight leave then, or cancels it: when it leaves, whether it is gone, and
        the minute from which on that is known. A cancellation in store for it, or a departure later still, which nobody
        knows of yet, comes all the same."""
        waits = self.as_known and self.minute < self.known[f] < NEVER
        if waits and not gone and (self.gone[f] or self.leaves[f] > leaves):
            return int(self.leaves[f]), bool(self.gone[f]), float(self.known[f])
        return leaves, gone, self.minute

    def set(self, f: int, leaves: int, gone: bool, known: float, aircraft: int, now: int | None = None) -> None:
        """Change what will happen to a flight; `known` is the minute from which on that is known, `now` when it is
        thought to leave until then."""
        takes = int(self.arrives[f] - self.leaves[f])
        self.leaves[f], self.arrives[f], self.gone[f], self.known[f] = leaves, leaves + takes, gone, known
        self.aircraft[f] = aircraft
        self.changed[f] = [leaves, gone, known, aircraft, now]
        if known <= self.minute:
            self.now_known(f)
        elif now is not None:
            self.leaves_now[f], self.lands_now[f], self._network = now, now + takes, None

    def fly_with(self, f: int, aircraft: int) -> None:
        """Another aircraft flies it, at the same time."""
        now = int(self.leaves_now[f]) if self.as_known else None
        self.set(f, int(self.leaves[f]), bool(self.gone[f]), float(self.known[f]), aircraft, now)

    @property
    def network(self) -> Network:
        """Flights as far as is known."""
        if self._network is None:
            self._network = network_of(self.world.origin, self.world.destination, self.leaves_now, self.lands_now)
        return self._network

    def shut(self) -> np.ndarray:
        """(F,) which flights are known to run into what is shut."""
        return (self.world.shut_known <= self.minute) & (self.leaves_now == self.world.scheduled)

    def touching(self, places: Sequence[str]) -> np.ndarray:
        """(F,) which flights leave from, land at or take one of these airports or corridors."""
        world, codes = self.world, self.world.instance.airports.code
        airports = [codes.index(place) for place in places if place in codes]
        corridors = [CORRIDORS.index(place) for place in places if place in CORRIDORS]
        hit = np.isin(world.origin, airports) | np.isin(world.destination, airports)
        return np.asarray(hit | np.isin(world.corridor, corridors))

    def message(self, number: int) -> dict[str, Any]:
        """Message `number`, as a worker gets it."""
        item = self.log[number]
        news = self.own_news[-1 - item] if item < 0 else self.world.news[item]
        told = {"message": number, "at": self.world.clock(news.minute), "kind": news.kind, "text": news.text}
        if news.place:
            told["place"] = news.place
            if news.until:
                told["until"] = self.world.clock(news.until)
        return told | ({"flight": self.world.name[news.flight]} if news.flight >= 0 else {})
