"""What one aircraft keeps of its own flights, and when they leave: the shortest path of `baseline.py`.

Hard, a path breaks no rule, or there is none. Soft, it breaks as few as it can: at frozen flights, which fly whatever
is done, and at the maintenance. Flights that are ours to decide break nothing, either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from takt.stations.flightdesk.airline.cost import flight_hours
from takt.stations.flightdesk.airline.instance import (
    DAY,
    Flags,
    Floats,
    Instance,
    capacities,
    distance_tables,
    fixed_flights,
    given_departures,
)
from takt.stations.flightdesk.airline.rules import dates_of

LABELS = 8  # kept per flight: no rotation needs more than a few
START, FERRY = -1, -2
ANY_DAY = -1


@dataclass(frozen=True, slots=True)
class Label:
    """A rotation up to and with one flight: what it has cost, where and when it lands, and the label before.

    flight   index into `Flights`, START before the first, or FERRY.
    minutes  flown in all.
    broken   rules broken on the way, at frozen flights and at the maintenance.
    """

    cost: float
    flight: int
    departure: int
    arrival: int
    airport: int
    minutes: int
    before: Label | None
    broken: int = 0


class Paths:
    """The shortest path for one aircraft: which of its flights to fly and when.

    soft   whether it may break rules: at frozen flights, and at its maintenance.
    """

    def __init__(
        self, instance: Instance, a: int, slots: Slots, lost: Floats, late: Floats, most_delay: int, frozen: Flags
    ) -> None:
        aircraft, grounded = instance.aircraft, instance.groundings
        self.frozen = frozen
        self.instance, self.a, self.slots, self.lost, self.late = instance, a, slots, lost, late
        self.most_delay, self.soft = most_delay, False
        self.minutes, _ = distance_tables(instance)
        self.service = int(aircraft.service_airport[a])
        self.due, self.back = int(aircraft.service_start[a]), int(aircraft.service_end[a])
        self.most = int(aircraft.service_minutes[a])
        self.fixed = fixed_flights(instance)
        mine = grounded.aircraft == a
        self.away = [
            (since, until, *map(int, dates_of(since, until)))
            for since, until in zip(grounded.start[mine].tolist(), grounded.end[mine].tolist(), strict=True)
        ]
        if self.service >= 0:
            self.away.append((self.due, self.back, 0, 0))  # by the time alone, of no date

    def whole(self, start: Label, ahead: list[int], home: int) -> tuple[list[Label], int]:
        """What to fly of `ahead`, in order, after `start`, and how many rules that breaks: none if that can be."""
        path = self.best(start, ahead, home, False)
        if not path:
            path = self.best(start, ahead, home, True) or path
        if path is None:
            self.soft = True
            path = self.best(start, ahead, home, True)
        assert path is not None, "a soft search always ends"
        self.soft = False
        return path, self._left_open(path[-1] if path else start)

    def best(self, start: Label, ahead: list[int], home: int, ferry: bool) -> list[Label] | None:
        """What to fly of `ahead`, in order, after `start`; None if what must be cannot be."""
        skipped = np.concatenate([[0.0], np.cumsum(self.lost[ahead])]).tolist()
        must = [i for i in ahead if self.frozen[i]]
        takes = int((self.instance.flights.arrival - self.instance.flights.departure)[ahead].sum())
        tight = not self._passed(start) and start.minutes + takes > self.most
        reached = [(0, [start, *self._ferries([start], must[:1], ferry)])]  # (how many of `ahead` are behind, labels)
        for n, i in enumerate(ahead):
            labels = [
                new
                for k, earlier in reached
                for label in earlier
                if (new := self._extended(label, i, skipped[n] - skipped[k])) is not None
            ]
            if self.frozen[i]:
                reached, must = [], must[1:]
            if labels:
                kept = _undominated(labels, tight)
                reached.append((n + 1, kept + self._ferries(kept, must[:1], ferry)))
        family = self.instance.prices.family
        ends = [
            (self._left_open(label), label.cost + skipped[-1] - skipped[k] + family * (label.airport != home), k, label)
            for k, labels in reached
            for label in labels
            if self.soft or not self._left_open(label)
        ]
        if not ends:
            return None
        path: list[Label] = []
        at: Label | None = min(ends, key=lambda end: end[:3])[3]
        while at is not None and at.before is not None:
            path.append(at)
            at = at.before
        return path[::-1]

    def _left_open(self, label: Label) -> int:
        """Rules broken if a rotation ends so."""
        return label.broken + (not self._serviced(label))

    def _serviced(self, label: Label) -> bool:
        """Whether its maintenance is behind it, or is where it stands."""
        return self._passed(label) or label.airport == self.service

    def _passed(self, label: Label) -> bool:
        return self.service < 0 or label.departure >= self.due or self.due < self.instance.start

    def _extended(self, label: Label, i: int, skipped: float) -> Label | None:
        """The label with flight i after it, at the first time that is possible, or None."""
        flights, aircraft = self.instance.flights, self.instance.aircraft
        linked, frozen = int(flights.previous[i]), bool(self.frozen[i])
        turn = int((aircraft.transit if linked >= 0 and label.flight == linked else aircraft.turn)[self.a])
        given, scheduled = int(flights.departure[i] + flights.delay[i]), int(flights.departure[i])
        takes = int(flights.arrival[i]) - scheduled
        to, ready = int(flights.destination[i]), max(given, label.arrival + turn)
        elsewhere = label.airport != flights.origin[i]
        # Two legs of one flight, and another flight between them.
        apart = linked >= 0 and label.flight != linked and linked in _flown(label)
        if not frozen and (elsewhere or apart or takes > aircraft.range[self.a]):
            return None
        t: int | None = given
        if not frozen:
            t = self._leaves(label, to, takes, ready, given + self.most_delay, int(flights.day[i]))
        elif ready > given and (label.flight == FERRY or (label.flight != START and not self.frozen[label.flight])):
            return None  # what was chosen does not make it late
        if t is None:
            return None
        unserviced = t >= self.due and not self._serviced(label)
        within = t < self.due and not self._passed(label)
        too_long = within and label.minutes <= self.most < label.minutes + takes
        if not frozen and within and label.minutes + takes > self.most:
            return None
        broken = unserviced + too_long
        if frozen:
            broken += elsewhere + (ready > given) + (apart and not self.fixed[i])
        if broken and not self.soft:
            return None
        cost = label.cost + skipped + float(self.late[i]) * (t - scheduled)
        return Label(cost, i, t, t + takes, to, label.minutes + takes, label, label.broken + broken)

    def _leaves(self, label: Label, to: int, takes: int, t: int, latest: int, day: int) -> int | None:
        """The first minute from t to `latest` at which a flight can leave after the label. `day`: of its row;
        ANY_DAY: when it leaves.

        On the days of a grounding nothing flies after its beginning, by the row's date. Nothing lands later than on the
        day after that date, either: nobody has seen the challenge's checker read a `+2`.
        """
        latest = min(latest, self.instance.end - takes)
        if day != ANY_DAY:
            latest = min(latest, (day + 2) * DAY - 1 - takes)
        while t <= latest:
            later = t
            for start, end, first, last in self.away:
                dated = first <= (t // DAY if day == ANY_DAY else day) < last
                if t + takes > start and (t < end or dated):
                    if dated and day != ANY_DAY:
                        return None
                    later = max(later, end, last * DAY if dated else end)
            later = max(later, self.slots.next(label.airport, to, t, takes, self.a, self._taken(label, t)))
            if later == t:
                return t
            t = later
        return None

    def _taken(self, label: Label, t: int) -> list[Label]:
        """What of the rotation so far takes slots in the hour of t or later, and is not among those given out."""
        taken: list[Label] = []
        at: Label | None = label
        while at is not None and at.before is not None and at.arrival // 60 >= t // 60:
            if at.flight == FERRY or not self.frozen[at.flight]:
                taken.append(at)
            at = at.before
        return taken

    def _ferries(self, labels: list[Label], must: list[int], ferry: bool) -> list[Label]:
        """The labels with an empty flight after them, or with two if one is too far.

        They go to the maintenance, and to where the next flight leaves that must be flown, `must`.
        """
        if not ferry:
            return []
        flights, turn, ferries = self.instance.flights, int(self.instance.aircraft.turn[self.a]), []
        for label in labels:
            goals = [(int(flights.origin[i]), int(flights.departure[i] + flights.delay[i]) - turn) for i in must]
            if not self._serviced(label):
                goals.append((self.service, self.due))
            for goal, due in goals:
                if label.airport == goal:
                    continue
                onward = self.minutes[:, goal]
                by_detour = np.argsort(self.minutes[label.airport] + onward, kind="stable").tolist()
                stops = [stop for stop in by_detour if self.minutes[label.airport, stop] > 0 and onward[stop] > 0]
                ways = ([goal], *([stop, goal] for stop in stops))
                ferries += next((path for way in ways if (path := self._along(label, way, due))), [])[-1:]
        return ferries

    def _along(self, label: Label, way: list[int], due: int) -> list[Label]:
        """The label with an empty flight to each airport of `way` after it; [] if it is not there by `due`."""
        aircraft, a = self.instance.aircraft, self.a
        if aircraft.surface[a]:
            return []
        path: list[Label] = []
        for to in way:
            takes = int(self.minutes[label.airport, to])
            minutes = label.minutes + takes
            if not 0 < takes <= aircraft.range[a]:
                return []
            ready = max(self.instance.start, label.arrival + int(aircraft.turn[a]))
            t = self._leaves(label, to, takes, ready, due - takes, ANY_DAY)
            if t is None:
                return []
            unserviced = t >= self.due and not self._serviced(label)
            if (unserviced and not self.soft) or (t < self.due and not self._passed(label) and minutes > self.most):
                return []
            cost = label.cost + float(flight_hours(np.array(takes)) * aircraft.hour_cost[a])
            label = Label(cost, FERRY, t, t + takes, to, minutes, label, label.broken + unserviced)
            path.append(label)
        return path


def _flown(label: Label | None) -> Iterator[int]:
    while label is not None:
        yield label.flight
        label = label.before


def _undominated(labels: list[Label], tight: bool) -> list[Label]:
    """The best of the labels behind one flight. `tight`: the minutes before the maintenance may be too few."""
    kept: list[Label] = []
    for label in sorted(labels, key=lambda label: (label.broken, label.cost, label.departure)):
        if not any(
            other.departure <= label.departure and (not tight or other.minutes <= label.minutes) for other in kept
        ):
            kept.append(label)
    return kept[:LABELS]


class Slots:
    """What is left of the airports' hours."""

    def __init__(self, instance: Instance, flown: Flags) -> None:
        flights, self.surface = instance.flights, instance.aircraft.surface.tolist()
        given, takes = given_departures(flights), flights.arrival - flights.departure
        latest = max(int((given + takes).max()), instance.end) + DAY
        self.departures, self.arrivals = capacities(instance, latest // 60 + 1)
        for i in np.flatnonzero(flown):
            ends = int(flights.origin[i]), int(flights.destination[i])
            self.take(*ends, int(given[i]), int(given[i] + takes[i]), int(flights.aircraft[i]))

    def take(self, origin: int, destination: int, departure: int, arrival: int, aircraft: int) -> None:
        if not self.surface[aircraft]:
            self.departures[origin, departure // 60] -= 1
            self.arrivals[destination, arrival // 60] -= 1

    def next(self, origin: int, destination: int, t: int, takes: int, aircraft: int, taken: list[Label]) -> int:
        """The first minute at or after t worth trying: t itself if both of its hours have room.

        taken   what the same aircraft is to fly before it, whose slots are not given out yet.
        """
        if self.surface[aircraft]:
            return t
        hour, lands = t // 60, (t + takes) // 60
        own = sum(
            one.before is not None and (one.before.airport, one.departure // 60) == (origin, hour) for one in taken
        )
        if self.departures[origin, hour] <= own:
            return (hour + 1) * 60
        own = sum((one.airport, one.arrival // 60) == (destination, lands) for one in taken)
        if self.arrivals[destination, lands] <= own:
            return (lands + 1) * 60 - takes
        return t
