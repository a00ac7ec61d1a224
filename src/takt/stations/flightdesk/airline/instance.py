"""An airline's day and what went wrong, as the ROADEF 2009 challenge has it. `format.py` reads and writes it.

Each file of the format is a struct of NumPy arrays here, and names are indices into them (challenge subject: Palpant,
Boudia, Robelin, Gabteni and Laburthe, Amadeus 2009).

Times are whole minutes since the midnight that begins `Instance.epoch`, so a clock hour is `minute // 60` and a day
`minute // 1440`; there are no time zones in the format. Cabins are 0, 1, 2 for First, Business, Economy; reaches (of a
leg, or of a trip) 0, 1, 2 for domestic, continental, intercontinental. -1 is "none" wherever an index may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

CABINS = "FBE"  # First, Business, Economy: a smaller index is a better cabin
REACHES = "DCI"  # domestic, continental, intercontinental: a larger index is a longer leg
DAY = 1440

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Prices:
    """`config.csv`: what things cost, EUR per passenger. Arrays are indexed by cabin, then reach.

    delay       per minute late.
    outbound    an outbound trip cancelled.
    inbound     an inbound trip cancelled.
    downgrade   by cabin booked, cabin flown, reach of the leg.
    family, model, configuration   per aircraft that is not where it is wanted at the end.
    weights     alpha, beta, gamma of the objective.
    """

    delay: Floats
    outbound: Floats
    inbound: Floats
    downgrade: Floats
    family: float
    model: float
    configuration: float
    weights: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Airports:
    """`airports.csv`: how many departures and arrivals an airport takes per clock hour, in parts of the day.

    code     IATA code by airport.
    at       airport of each part of the day, with its `departures`, `arrivals`, `since`, `until` (minutes of the day).
    """

    code: tuple[str, ...]
    at: Ints
    departures: Ints
    arrivals: Ints
    since: Ints
    until: Ints


@dataclass(frozen=True, slots=True)
class Distances:
    """`dist.csv`: flying minutes and reach from one airport to another, as listed."""

    origin: Ints
    destination: Ints
    minutes: Ints
    reach: Ints


@dataclass(frozen=True, slots=True)
class Aircraft:
    """`aircraft.csv`.

    seats       (aircraft, cabin); -1 for surface transport, which takes any number.
    range       minutes it can fly in one go.
    hour_cost   EUR per flight hour.
    turn        minutes on the ground between two flights; `transit` between two legs of one flight.
    airport     where it is at first.
    service_*   its maintenance: airport (-1: none), start, end, and the minutes it may fly before.
    """

    name: tuple[str, ...]
    model: tuple[str, ...]
    family: tuple[str, ...]
    seats: Ints
    range: Ints
    hour_cost: Floats
    turn: Ints
    transit: Ints
    airport: Ints
    service_airport: Ints
    service_start: Ints
    service_end: Ints
    service_minutes: Ints

    @property
    def surface(self) -> Flags:
        """Which of them are surface transport: any number of passengers, no slot at an airport."""
        return self.seats[:, 0] < 0


@dataclass(frozen=True, slots=True)
class Timetable:
    """`flights.csv`: the daily timetable. Times are minutes of the day of departure; `previous` is a flight number."""

    number: Ints
    origin: Ints
    destination: Ints
    departure: Ints
    arrival: Ints
    previous: Ints


@dataclass(frozen=True, slots=True)
class Flights:
    """`rotations.csv` with the timetable and `alt_flights.csv` filled in: one entry per flight and date.

    day         days since the epoch.
    departure   as scheduled, `arrival` too; the delay that was given is not in them.
    previous    the flight of which this is the next leg, as an index into these arrays, or -1: of the same date, or
                where this leaves before that has landed, of the last date on which it does not.
    aircraft    which was to fly it.
    delay       minutes that the disruption delays it by, 0 if none.
    cancelled   whether the disruption cancels it.
    reach       of the leg.
    """

    number: Ints
    day: Ints
    origin: Ints
    destination: Ints
    departure: Ints
    arrival: Ints
    previous: Ints
    aircraft: Ints
    delay: Ints
    cancelled: Flags
    reach: Ints


@dataclass(frozen=True, slots=True)
class Bookings:
    """`itineraries.csv`: groups who travel together.

    price        EUR per person.
    first        legs of booking i are `first[i]:first[i + 1]` of `leg_flight` (index into `Flights`) and `leg_cabin`.
    """

    number: Ints
    inbound: Flags
    price: Floats
    passengers: Ints
    first: Ints
    leg_flight: Ints
    leg_cabin: Ints


@dataclass(frozen=True, slots=True)
class Wanted:
    """`position.csv`: how many aircraft of a model and configuration are wanted at an airport at the end."""

    airport: Ints
    model: tuple[str, ...]
    configuration: tuple[str, ...]
    count: Ints

    @classmethod
    def of(cls, count: Mapping[tuple[int, str, str], int]) -> Wanted:
        """So many of each (airport, model, configuration), in that order."""
        rows = sorted(count.items())
        return cls(
            airport=np.array([at for (at, _, _), _ in rows], dtype=np.int64),
            model=tuple(model for (_, model, _), _ in rows),
            configuration=tuple(seats for (_, _, seats), _ in rows),
            count=np.array([number for _, number in rows], dtype=np.int64),
        )


@dataclass(frozen=True, slots=True)
class FlightChanges:
    """`alt_flights.csv` as listed: index into `Flights`, and minutes of delay or -1 for cancelled."""

    flight: Ints
    delay: Ints


@dataclass(frozen=True, slots=True)
class Groundings:
    """`alt_aircraft.csv`: an aircraft cannot fly from `start` to `end`."""

    aircraft: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True, slots=True)
class Closures:
    """`alt_airports.csv`: what an airport takes per clock hour from `start` to `end`, instead of the usual."""

    airport: Ints
    start: Ints
    end: Ints
    departures: Ints
    arrivals: Ints


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file's rows end (spaces, a `#`) and what follows the last: all that varies among the originals."""

    ends: str | tuple[str, ...] = " "
    tail: str = "#\n"


@dataclass(frozen=True, slots=True)
class Instance:
    """One airline, its plan, its bookings, and what went wrong. Re-plan from `start` to `end`."""

    name: str
    epoch: date
    start: int
    end: int
    prices: Prices
    airports: Airports
    distances: Distances
    aircraft: Aircraft
    timetable: Timetable
    flights: Flights
    bookings: Bookings
    wanted: Wanted
    changes: FlightChanges
    groundings: Groundings
    closures: Closures
    layout: Mapping[str, Layout] = field(default_factory=dict)

    def day(self, day: int | np.integer) -> str:
        """A day as the format writes it: 07/01/06."""
        return (self.epoch + timedelta(days=int(day))).strftime("%d/%m/%y")

    def clock(self, minute: int | np.integer) -> str:
        """A time as a planner reads it: 07/01 12:05."""
        day, minute = divmod(int(minute), DAY)
        return f"{self.day(day)[:5]} {clock(minute)}"

    def flight(self, index: int | np.integer) -> str:
        """A flight as a planner reads it: 4344 of 07/01."""
        return f"{self.flights.number[index]} of {self.day(self.flights.day[index])[:5]}"


def clock(minute: int | np.integer, day: int | np.integer = 0) -> str:
    """A time of the day as the format writes it, `+1` if it is on the day after `day`: 00:10+1."""
    over, minute = divmod(int(minute) - DAY * int(day), DAY)
    return f"{minute // 60:02d}:{minute % 60:02d}" + (f"+{over}" if over else "")


def seats_text(seats: Sequence[int]) -> str:
    """A configuration as the format writes it: 0/28/51."""
    return "/".join(str(int(count)) for count in seats)


# --- tables that checks, costs and solvers ask for --------------------------------------------------------------------

UNSAID = np.iinfo(np.int64).max  # of an hour: nothing says how many flights it takes


def capacity_at(instance: Instance, airport: Ints, hour: Ints) -> tuple[Ints, Ints]:
    """Departures and arrivals that airports take in clock hours, counted from the epoch; the arrays go together.

    Where an hour lies in two parts of the day, or in two closures, the least of them counts.
    """
    airports, closures = instance.airports, instance.closures
    daily = np.full((2, len(airports.code), 24), UNSAID)
    for i, at in enumerate(airports.at):
        part = slice(airports.since[i] // 60, -(-airports.until[i] // 60))
        takes = np.array([[airports.departures[i]], [airports.arrivals[i]]])
        daily[:, at, part] = np.minimum(daily[:, at, part], takes)
    daily[daily == UNSAID] = 0  # an hour that no part of the day covers is closed
    instead = np.full((2, *hour.shape), UNSAID)
    for i, at in enumerate(closures.airport):
        meanwhile = (airport == at) & (hour >= closures.start[i] // 60) & (hour < -(-closures.end[i] // 60))
        takes = np.array([[closures.departures[i]], [closures.arrivals[i]]])
        instead[:, meanwhile] = np.minimum(instead[:, meanwhile], takes)
    departures, arrivals = np.where(instead < UNSAID, instead, daily[:, airport, hour % 24])
    return departures, arrivals


def capacities(instance: Instance, hours: int) -> tuple[Ints, Ints]:
    """The same for all airports in the first `hours` clock hours: two arrays (airport, hour)."""
    airport, hour = np.indices((len(instance.airports.code), hours))
    return capacity_at(instance, airport, hour)


def distance_tables(instance: Instance) -> tuple[Ints, Ints]:
    """Flying minutes and reach by (origin, destination); -1 where `dist.csv` has no such pair."""
    count, listed = len(instance.airports.code), instance.distances
    minutes, reach = np.full((count, count), -1, dtype=np.int64), np.full((count, count), -1, dtype=np.int64)
    minutes[listed.origin, listed.destination] = listed.minutes
    reach[listed.origin, listed.destination] = listed.reach
    return minutes, reach


def given_departures(flights: Flights) -> Ints:
    """When each flight leaves if nothing is done: as scheduled, plus the delay that the disruption gave it."""
    return flights.departure + flights.delay


def fixed_flights(instance: Instance) -> Flags:
    """Which flights nobody can change any more, or yet: those that leave outside the recovery period."""
    leaves = given_departures(instance.flights)
    return (leaves < instance.start) | (leaves >= instance.end)


def frozen_flights(instance: Instance) -> Flags:
    """Which flights go exactly as given, or stay cancelled if the disruption cancelled them: nobody may change them.

    Those outside the recovery period, those that the disruption delayed, and every trip of surface transport.
    """
    flights = instance.flights
    return fixed_flights(instance) | (flights.delay > 0) | instance.aircraft.surface[flights.aircraft]


@dataclass(frozen=True, slots=True)
class Journeys:
    """What was booked, one entry per booking, derived from its legs.

    departure, arrival   as scheduled, of the first and of the last leg.
    flying               planned flying minutes: the legs' own, without the time between them.
    reach                the farthest of its legs'.
    cabin                the best of its legs': the reference cabin.
    begun                how many of its legs are flown by the time recovery starts: they left before it, were not
                         cancelled, and the group made every connection between them or stayed aboard, on two legs
                         of one flight.
    """

    origin: Ints
    destination: Ints
    departure: Ints
    arrival: Ints
    flying: Ints
    reach: Ints
    cabin: Ints
    begun: Ints


CONNECTION = 30  # minutes that a passenger needs between two flights


def journeys(instance: Instance) -> Journeys:
    flights, bookings = instance.flights, instance.bookings
    leg, begins = bookings.leg_flight, bookings.first[:-1]
    head, last = leg[begins], leg[bookings.first[1:] - 1]
    leaves = given_departures(flights)[leg]
    lands = (flights.arrival + flights.delay)[leg]
    made = (leaves < instance.start) & ~flights.cancelled[leg]
    stayed_aboard = flights.previous[leg[1:]] == leg[:-1]
    made[1:] &= (leaves[1:] >= lands[:-1] + CONNECTION) | stayed_aboard | np.isin(np.arange(1, len(leg)), begins)
    missed = np.cumsum(~made)  # up to and with a leg, over all bookings
    before = np.concatenate([[0], missed])[begins]
    owner = np.repeat(np.arange(len(begins)), np.diff(bookings.first))
    return Journeys(
        origin=flights.origin[head],
        destination=flights.destination[last],
        departure=flights.departure[head],
        arrival=flights.arrival[last],
        flying=np.add.reduceat((flights.arrival - flights.departure)[leg], begins),
        reach=np.maximum.reduceat(flights.reach[leg], begins),
        cabin=np.minimum.reduceat(bookings.leg_cabin, begins),
        begun=np.bincount(owner[missed == before[owner]], minlength=len(begins)),
    )
