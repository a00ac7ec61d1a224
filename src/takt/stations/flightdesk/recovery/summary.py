"""What a plan changes, counted; and a plan written whole."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from takt.station import TaktError
from takt.stations.flightdesk.instance import Instance, given_departures
from takt.stations.flightdesk.solution import Solution, write_solution


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


def changes(instance: Instance, solution: Solution) -> Changes:
    flights, bookings, o, t = instance.flights, instance.bookings, solution.operations, solution.trips
    rows = np.flatnonzero(o.planned >= 0)
    planned, flown = o.planned[rows], o.aircraft[rows] >= 0
    begins, ends = t.first[:-1], t.first[1:]
    travels = ~t.cancelled & (ends > begins)
    arrival = np.where(travels, o.arrival[t.leg_row[np.maximum(ends - 1, 0)]], 0) if len(t.leg_row) else begins * 0
    booked = flights.arrival[bookings.leg_flight[bookings.first[1:] - 1]]
    legs = list(zip(t.leg_row.tolist(), t.leg_cabin.tolist(), strict=True))
    had = list(zip(bookings.leg_flight.tolist(), bookings.leg_cabin.tolist(), strict=True))
    same = [
        legs[begins[i] : ends[i]] == had[bookings.first[b] : bookings.first[b + 1]]
        for i, b in enumerate(t.booking.tolist())
    ]
    return Changes(
        flights_cancelled=int((~flown & ~flights.cancelled[planned]).sum()),
        flights_delayed=int((flown & (o.departure[rows] > given_departures(flights)[planned])).sum()),
        flights_swapped=int((flown & (o.aircraft[rows] != flights.aircraft[planned])).sum()),
        flights_created=int(((o.planned < 0) & (o.aircraft >= 0)).sum()),
        passengers_late=int(t.passengers[travels & (arrival > booked[t.booking])].sum()),
        passengers_rebooked=int(t.passengers[travels & ~np.array(same, dtype=np.bool_)].sum()),
        passengers_cancelled=int(t.passengers[~travels].sum()),
    )


def write_whole(instance: Instance, solution: Solution, folder: Path) -> None:
    """Write a plan beside the one in the folder, and then in its place: never half of it."""
    beside = folder / ".new"
    write_solution(instance, solution, beside)
    try:
        for file in sorted(beside.iterdir()):
            os.replace(file, folder / file.name)
        shutil.rmtree(beside)
    except OSError as error:
        raise TaktError(f"cannot write {folder}: {error.strerror or error}") from error
