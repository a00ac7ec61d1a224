"""An instance from what was read of an airline's files, and which number in it stands for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count

import numpy as np

from takt.stations.flightdesk.airline.check import check
from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes
from takt.stations.flightdesk.airline.imports.groups import Group
from takt.stations.flightdesk.airline.imports.happened import Happened
from takt.stations.flightdesk.airline.imports.places import Places
from takt.stations.flightdesk.airline.imports.problems import SHOWN, BrokenFiles
from takt.stations.flightdesk.airline.imports.schedule import Schedule
from takt.stations.flightdesk.airline.imports.tails import Tail
from takt.stations.flightdesk.airline.instance import (
    DAY,
    Aircraft,
    Airports,
    Bookings,
    Closures,
    FlightChanges,
    Flights,
    Groundings,
    Instance,
    Timetable,
    Wanted,
    given_departures,
    seats_text,
)
from takt.stations.flightdesk.airline.recovery.baseline import do_nothing, greedy_delay
from takt.stations.flightdesk.airline.recovery.unavoidable import unavoidable

VARIANT = 10_000  # added to a flight's number for its further legs, and for other times


@dataclass(frozen=True, slots=True)
class Imported:
    """An instance; `missing` is what the files did not say, with what was taken instead, a line each.

    numbers   (flight or booking, its name, the number that it has in the instance).
    """

    instance: Instance
    missing: tuple[str, ...]
    numbers: tuple[tuple[str, str, int], ...]


class Making:
    """The instance from what was read."""

    def __init__(
        self,
        epoch: date,
        defaults: Defaults,
        notes: Notes,
        name: str,
        start: int,
        end: int,
        schedule: Schedule,
        tails: Sequence[Tail],
        aircraft: Sequence[int],
        happened: Happened,
        groups: Sequence[Group],
        places: Places,
    ) -> None:
        self.epoch, self.defaults, self.notes = epoch, defaults, notes
        self.name, self.start, self.end = name, start, end
        self.schedule, self.tails, self.happened, self.groups, self.places = schedule, tails, happened, groups, places
        self.order = sorted(range(len(aircraft)), key=lambda i: (aircraft[i], schedule.flights[i].departure))
        self.place = {i: k for k, i in enumerate(self.order)}
        self.aircraft = aircraft
        self.numbers: list[tuple[str, str, int]] = []

    def imported(self) -> Imported:
        notes, defaults = self.notes, self.defaults
        distances, minutes_between = self.places.distances(self.schedule.flights)
        timetable, number = self._timetable()
        flights = self._flights(number, minutes_between)
        lands = flights.arrival + flights.delay
        last = int(lands[~flights.cancelled].max(initial=0))
        end = self.end
        if last > end:
            notes.take("minutes that the recovery period was made longer, until the last flight has landed", last - end)
            end = last
        bookings = self._bookings()
        changes = sorted((self.place[i], delay) for i, delay in self.happened.delay.items())
        closures = [(self.places.at[code], *rest) for code, *rest in self.happened.closures]
        instance = Instance(
            name=self.name,
            epoch=self.epoch,
            start=self.start,
            end=end,
            prices=defaults.prices(),
            airports=self._airports(flights),
            distances=distances,
            aircraft=self._aircraft(),
            timetable=timetable,
            flights=flights,
            bookings=bookings,
            wanted=self._wanted(),
            changes=FlightChanges(*np.array(changes, dtype=np.int64).reshape(len(changes), 2).T.copy()),
            groundings=Groundings(
                *np.array(self.happened.groundings, dtype=np.int64).reshape(len(self.happened.groundings), 3).T.copy()
            ),
            closures=Closures(*np.array(closures, dtype=np.int64).reshape(len(closures), 5).T.copy()),
        )
        _has_a_plan(instance)
        return Imported(instance, tuple(notes.lines()), tuple(self.numbers))

    def _timetable(self) -> tuple[Timetable, list[int]]:
        """A number for each leg, its times and the leg before; the flight's own number, where that is free."""
        flights = self.schedule.flights
        number = [0] * len(flights)
        taken: dict[tuple[object, ...], int] = {}
        rows: list[tuple[int, ...]] = []
        used: set[int] = set()
        for i in sorted(range(len(flights)), key=lambda i: (flights[i].sequence, i)):
            f, before = flights[i], self.schedule.tied(i)
            link = number[before] if before >= 0 and self.aircraft[before] == self.aircraft[i] else 0
            if self.schedule.before(i) >= 0 and not link:
                self.notes.take("legs no longer tied to the one before: another day (UTC) or another aircraft")
            leaves = f.departure % DAY
            key = (f.name, f.sequence, f.origin, f.destination, leaves, f.arrival - f.departure, link)
            if key not in taken:
                own = int("".join(letter for letter in f.name[2:] if letter.isdigit()))
                while own in used or own == 0:
                    own += VARIANT
                used.add(own)
                taken[key] = own
                at = self.places.at
                rows.append((own, at[f.origin], at[f.destination], leaves, leaves + f.arrival - f.departure, link))
                what = f"{f.name} {f.origin}-{f.destination} {leaves // 60:02d}:{leaves % 60:02d}Z"
                self.numbers.append(("flight", what, own))
            number[i] = taken[key]
        rows.sort()
        return Timetable(*np.array(rows, dtype=np.int64).T.copy()), number

    def _flights(self, number: Sequence[int], minutes_between: np.ndarray) -> Flights:
        flights, order, at = self.schedule.flights, self.order, self.places.at
        given = np.array([self.happened.delay.get(i, 0) for i in order], dtype=np.int64)
        index = {(number[i], flights[i].departure // DAY): k for k, i in enumerate(order)}
        link = {(n, d): 0 for n, d in index}
        for i in order:
            before = self.schedule.tied(i)
            if before >= 0 and self.aircraft[before] == self.aircraft[i]:
                link[number[i], flights[i].departure // DAY] = number[before]
        origin = np.array([at[flights[i].origin] for i in order], dtype=np.int64)
        destination = np.array([at[flights[i].destination] for i in order], dtype=np.int64)
        days = [flights[i].departure // DAY for i in order]
        previous = [
            index.get((link[number[i], day], day), -1) if link[number[i], day] else -1
            for i, day in zip(order, days, strict=True)
        ]
        return Flights(
            number=np.array([number[i] for i in order], dtype=np.int64),
            day=np.array(days, dtype=np.int64),
            origin=origin,
            destination=destination,
            departure=np.array([flights[i].departure for i in order], dtype=np.int64),
            arrival=np.array([flights[i].arrival for i in order], dtype=np.int64),
            previous=np.array(previous, dtype=np.int64),
            aircraft=np.array([self.aircraft[i] for i in order], dtype=np.int64),
            delay=np.maximum(given, 0),
            cancelled=given < 0,
            reach=self.places.reach[origin, destination],
        )

    def _bookings(self) -> Bookings:
        groups = self.groups
        named = [group.name for group in groups]
        number = _numbers(named)
        self.numbers += [("booking", name, n) for name, n in zip(named, number, strict=True) if name != str(n)]
        legs = [(self.place[leg], cabin) for group in groups for leg, cabin in group.legs]
        return Bookings(
            number=np.array(number, dtype=np.int64),
            inbound=np.array([group.inbound for group in groups], dtype=np.bool_),
            price=np.array([group.price for group in groups], dtype=np.float64),
            passengers=np.array([group.passengers for group in groups], dtype=np.int64),
            first=np.cumsum([0, *(len(group.legs) for group in groups)], dtype=np.int64),
            leg_flight=np.array([leg for leg, _ in legs], dtype=np.int64),
            leg_cabin=np.array([cabin for _, cabin in legs], dtype=np.int64),
        )

    def _aircraft(self) -> Aircraft:
        tails, at = self.tails, self.places.at
        services = [
            (at[s.airport], s.start, s.end, s.minutes) if (s := tail.service) is not None else (-1, 0, 0, 0)
            for tail in tails
        ]
        airport, begin, end, flown = np.array(services, dtype=np.int64).T.copy()
        return Aircraft(
            name=tuple(tail.name for tail in tails),
            model=tuple(tail.model for tail in tails),
            family=tuple(tail.family for tail in tails),
            seats=np.array([tail.seats for tail in tails], dtype=np.int64),
            range=np.array([tail.range for tail in tails], dtype=np.int64),
            hour_cost=np.array([tail.hour_cost for tail in tails], dtype=np.float64),
            turn=np.array([tail.turn for tail in tails], dtype=np.int64),
            transit=np.array([tail.transit for tail in tails], dtype=np.int64),
            airport=np.array([at[tail.airport] for tail in tails], dtype=np.int64),
            service_airport=airport,
            service_start=begin,
            service_end=end,
            service_minutes=flown,
        )

    def _airports(self, flights: Flights) -> Airports:
        """What each takes in a clock hour, all day: as said, or a share of the busiest hour, planned or given."""
        codes, said = self.places.codes, self.defaults.airports
        share, least = (self.defaults.values["airports"][name] for name in ("share", "least"))
        surface = np.array([tail.seats[0] < 0 for tail in self.tails])[flights.aircraft]
        busiest = np.zeros((2, len(codes)), dtype=np.int64)
        given = given_departures(flights)
        for late in (flights.departure, given):
            for side, at, when in (
                (0, flights.origin, late),
                (1, flights.destination, late + flights.arrival - flights.departure),
            ):
                keys, count = np.unique(np.stack([at[~surface], when[~surface] // 60]), axis=1, return_counts=True)
                np.maximum.at(busiest[side], keys[0], count)
        takes = np.maximum(np.ceil(share * busiest - 1e-9).astype(np.int64), least)
        for i, code in enumerate(codes):
            for side, name in ((0, "departures"), (1, "arrivals")):
                if name in said.get(code, {}):
                    takes[side, i] = said[code][name]
                else:
                    taken = f"{share:g} of the busiest hour taken, and {least} at least"
                    self.notes.take(f"airports without {name} per hour, {taken}")
        whole_day = np.full(len(codes), DAY, dtype=np.int64)
        return Airports(tuple(codes), np.arange(len(codes)), takes[0], takes[1], whole_day * 0, whole_day)

    def _wanted(self) -> Wanted:
        """Every kind of aircraft is wanted where the schedule leaves it."""
        final = [tail.airport for tail in self.tails]
        for i in self.order:
            final[self.aircraft[i]] = self.schedule.flights[i].destination
        return Wanted.of(
            Counter(
                (self.places.at[at], tail.model, seats_text(tail.seats))
                for at, tail in zip(final, self.tails, strict=True)
            )
        )


def _numbers(names: Sequence[str]) -> list[int]:
    """A booking's number: its own if its name is one, else the next one that is nobody's."""
    own = {name for name in names if name.isascii() and name.isdigit() and len(name) < 10 and str(int(name)) == name}
    free = count(max(map(int, own), default=0) + 1)
    return [int(name) if name in own else next(free) for name in names]


def _has_a_plan(instance: Instance) -> None:
    """Raises TaktError if the simplest plans break rules, and says which of those every plan breaks."""
    plans = [check(instance, do_nothing(instance))]
    if plans[0]:
        plans.append(check(instance, greedy_delay(instance)))
    broken = min(plans, key=len)
    if not broken:
        return
    shown = unavoidable(instance, broken)
    if shown:
        what = f"these files leave no valid plan: rules broken whatever is done: {len(shown)}"
    else:
        what = f"no valid plan was found for these files: rules broken by the best: {len(broken)}"
    raise BrokenFiles(what, [violation.text for violation in (shown or broken)[:SHOWN]])
