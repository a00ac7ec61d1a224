"""What a plan changes, counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from takt.stations.flightdesk.airline.instance import Flags, Instance, Ints, given_departures
from takt.stations.flightdesk.airline.solution import Operations, Solution


@dataclass(frozen=True, slots=True)
class Changes:
    """Flights and passengers that a plan treats otherwise than planned. What the disruption did is not counted.

    late       passengers who arrive later than booked.
    rebooked   passengers on other flights than booked, or in other cabins.
    cancelled  passengers who do not get to where they booked.
    """

    flights_cancelled: int
    flights_delayed: int
    flights_swapped: int
    flights_created: int
    passengers_late: int
    passengers_rebooked: int
    passengers_cancelled: int

    def counts(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows of a plan's operations that are otherwise than planned, without what the disruption did. A swapped one may
    be delayed too.
    """

    cancelled: Ints
    delayed: Ints
    swapped: Ints
    created: Ints


@dataclass(frozen=True, slots=True)
class Ends:
    """What becomes of the people of each line of a plan's trips.

    travels     whether they get to where they booked.
    late        minutes later than booked; 0 if they do not travel.
    as_booked   whether they travel on the flights and in the cabins that they booked.
    """

    travels: Flags
    late: Ints
    as_booked: Flags


def changes(instance: Instance, solution: Solution) -> Changes:
    rows, ends, people = changed(instance, solution.operations), ends_of(instance, solution), solution.trips.passengers
    return Changes(
        flights_cancelled=len(rows.cancelled),
        flights_delayed=len(rows.delayed),
        flights_swapped=len(rows.swapped),
        flights_created=len(rows.created),
        passengers_late=int(people[ends.late > 0].sum()),
        passengers_rebooked=int(people[ends.travels & ~ends.as_booked].sum()),
        passengers_cancelled=int(people[~ends.travels].sum()),
    )


def changed(instance: Instance, operations: Operations) -> Changed:
    """The flights that are otherwise than planned."""
    flights, o = instance.flights, operations
    rows = np.flatnonzero(o.planned >= 0)
    planned, flown = o.planned[rows], o.aircraft[rows] >= 0
    return Changed(
        cancelled=rows[~flown & ~flights.cancelled[planned]],
        delayed=rows[flown & (o.departure[rows] > given_departures(flights)[planned])],
        swapped=rows[flown & (o.aircraft[rows] != flights.aircraft[planned])],
        created=np.flatnonzero((o.planned < 0) & (o.aircraft >= 0)),
    )


def ends_of(instance: Instance, solution: Solution) -> Ends:
    """What becomes of each line's people."""
    flights, bookings, o, t = instance.flights, instance.bookings, solution.operations, solution.trips
    begins, ends = t.first[:-1], t.first[1:]
    travels = ~t.cancelled & (ends > begins)
    arrival = np.where(travels, o.arrival[t.leg_row[np.maximum(ends - 1, 0)]], 0) if len(t.leg_row) else begins * 0
    booked = flights.arrival[bookings.leg_flight[bookings.first[1:] - 1]]
    legs = list(zip(o.planned[t.leg_row].tolist(), t.leg_cabin.tolist(), strict=True))
    had = list(zip(bookings.leg_flight.tolist(), bookings.leg_cabin.tolist(), strict=True))
    same = [
        legs[begins[i] : ends[i]] == had[bookings.first[b] : bookings.first[b + 1]]
        for i, b in enumerate(t.booking.tolist())
    ]
    return Ends(
        travels=travels,
        late=np.where(travels, np.maximum(arrival - booked[t.booking], 0), 0),
        as_booked=travels & np.array(same, dtype=np.bool_),
    )
