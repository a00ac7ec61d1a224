"""The rules that a plan must keep, and how a broken one is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from takt.stations.flightdesk.airline.instance import DAY, Flags, Instance, Ints
from takt.stations.flightdesk.airline.solution import Operations

Times = Ints | np.int64  # minutes, or days, of flights or of one

LATEST = (18 * 60, 18 * 60, 36 * 60)  # minutes that an outbound group may be late, by reach of its trip


class Rule(StrEnum):
    """What a plan can do wrong."""

    MISSING_FLIGHT = "a planned flight is not in the plan"
    FLOWN_TWICE = "a flight is in the plan twice"
    ROUTE = "a flight keeps its origin and destination"
    DURATION = "a flight keeps its duration"
    LINK = "a flight keeps the flight of which it is the next leg"
    EARLY = "a flight never leaves before schedule"
    FIXED = "a flight outside the recovery period stays as it is"
    GIVEN_DELAY = "a flight that the disruption delayed flies, as late as given and with its own aircraft"
    SURFACE = "surface transport goes as planned"
    REVIVED = "a flight that the disruption cancelled stays cancelled"
    FAMILY = "a flight may only change to an aircraft of the same family"
    OVERTIME = "no flight lands after the recovery period"
    CREATED_CANCELLED = "a created flight is not cancelled"
    CREATED_NUMBER = "a created flight has a number of its own"
    CREATED_LINK = "a created flight is not linked to another"
    CREATED_DURATION = "a created flight takes the time that dist.csv gives"
    CREATED_PAST = "a created flight leaves within the recovery period"
    START = "an aircraft starts where it is"
    CONTINUITY = "an aircraft leaves from where it landed"
    TURN = "an aircraft has its turn-round or transit time"
    LEGS_APART = "two legs of one flight are flown by one aircraft, one after the other"
    RANGE = "an aircraft flies no longer than its range"
    GROUNDED = "an aircraft does not fly while it is unavailable, nor later on the date on which that begins"
    SERVICE_AIRPORT = "an aircraft is at the airport of its maintenance"
    SERVICE_TIME = "an aircraft does not fly during its maintenance"
    SERVICE_MINUTES = "an aircraft flies no more than its minutes before maintenance"
    DEPARTURES = "an airport takes so many departures an hour"
    ARRIVALS = "an airport takes so many arrivals an hour"
    HEADCOUNT = "a booking keeps its number of people"
    BOOKING = "a booking keeps its direction and price"
    ORIGIN = "a group starts where it booked"
    DESTINATION = "a group goes where it booked"
    NO_SUCH_FLIGHT = "a group flies on flights that there are"
    ON_CANCELLED = "a group flies on no cancelled flight"
    JOIN = "a group's next leg leaves from where it landed"
    CONNECTION = "a group has 30 minutes between two flights"
    TOO_EARLY = "a group leaves no earlier than booked"
    TOO_LATE = "an outbound group arrives at most 18 h late, 36 h if intercontinental"
    PART_CANCELLED = "a group that has flown nothing before the recovery period is cancelled as a whole"
    BEGUN = "what a group has flown before the recovery period stays"
    GONE = "a group boards no flight that had left before the recovery period"
    CABIN = "no more people than seats"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken once. `text` says it in a line; the other fields say where, and are empty if they do not apply.

    flight    "4344 of 07/01".
    booking   its number.
    minute    of the instance's clock.
    """

    rule: Rule
    text: str
    flight: str = ""
    aircraft: str = ""
    airport: str = ""
    booking: int | None = None
    minute: int | None = None


def dates_of(start: Times | int, end: Times | int) -> tuple[Any, Any]:
    """Days whose rows may not fly after a grounding's beginning, whenever they leave: from the first up to the second.

    The challenge's checker goes by the date on which it begins. Where it lasts over more than two, that is asked of
    each but the last, on which a flight may leave at the end.
    """
    return start // DAY, np.maximum(start // DAY + 1, end // DAY)


def while_grounded(start: Times, end: Times, day: Times, departure: Times, arrival: Times) -> Flags | np.bool_:
    """Which flights a grounding rules out: those in the air between its `start` and `end`, and those dated on a day
    (of their row, since the epoch) of `dates_of` that land after its start, also if they leave after its end.
    """
    first, last = dates_of(start, end)
    return ((departure < end) | ((day >= first) & (day < last))) & (arrival > start)


def during_service(start: Times, end: Times, departure: Times, arrival: Times) -> Flags | np.bool_:
    """Which flights a maintenance rules out, also one that began before the recovery period."""
    return (departure < end) & (arrival > start)


def name_of(instance: Instance, o: Operations, row: int | np.integer) -> str:
    """A flight of a plan, as people name it: number and date."""
    return f"{o.number[row]} of {instance.day(o.day[row])[:5]}"


def route_of(instance: Instance, origin: int, destination: int) -> str:
    """A flight's two airports."""
    return f"{instance.airports.code[origin]}-{instance.airports.code[destination]}"
