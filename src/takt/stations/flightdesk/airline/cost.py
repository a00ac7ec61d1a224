"""What a plan costs, to the cent: the ten parts of the ROADEF 2009 objective and their sum, the checker's eleven lines.

    alpha * (cancellation compensation + delay compensation - cost of flights no longer flown + cost of flights added
             + change in cost where the aircraft was swapped)
    + beta * (delay + outbound cancellation + inbound cancellation + downgrading)
    + gamma * (aircraft that are not where they are wanted at the end)

After the challenge subject and the cost checker's specification (15/10/2008). Where the checker is known to differ from
them, the checker is followed:

- flight hours are rounded up to whole hours, flight by flight;
- downgrading counts only legs on flights that the group had not booked;
- flights that the disruption itself cancelled count as no longer flown;
- a trip that is cancelled after some legs pays the inbound tariff, also if it is outbound, and so do all the cancelled
  lines that follow it, until a line that is not cancelled. So the order of the lines matters.

`Tariff` is what one passenger of a booking costs, so that a solver can price one group at a time; `flying_costs` and
`position_cost` need no passengers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from takt.stations.flightdesk.airline.instance import Floats, Instance, Ints, journeys, seats_text
from takt.stations.flightdesk.airline.solution import Operations, Solution, Trips

SHORT, MEDIUM = 120, 270  # planned flying minutes below which a trip is short, or medium (Regulation (EC) 261/2004)
REFUND = (250.0, 400.0, 600.0)  # EUR for a cancelled trip that is short, medium, long
MEAL_AFTER = (120, 180, 240)  # minutes late after which the airline pays a meal, for the same
MEAL = 15.0
NIGHT_AFTER = 300
NIGHT = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """EUR, before weighting. `not_flown` is a saving, so it is subtracted; `swapped` may be negative."""

    cancellation_compensation: float
    delay_compensation: float
    not_flown: float
    added: float
    swapped: float
    delay: float
    outbound_cancelled: float
    inbound_cancelled: float
    downgrading: float
    position: float
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def total(self) -> float:
        alpha, beta, gamma = self.weights
        operating = (
            self.cancellation_compensation + self.delay_compensation - self.not_flown + self.added + self.swapped
        )
        passengers = self.delay + self.outbound_cancelled + self.inbound_cancelled + self.downgrading
        return round(alpha * operating + beta * passengers + gamma * self.position, 2)

    def parts(self) -> dict[str, float]:
        """The ten parts by name, in the order above, to the cent."""
        return {f.name: round(getattr(self, f.name), 2) for f in fields(self) if f.name != "weights"}


def weighted(parts: Mapping[str, float], weights: tuple[float, float, float]) -> dict[str, float]:
    """`Cost.parts()` as they enter the total: times their weights, and what is saved below zero."""
    alpha, beta, gamma = weights
    factors = [alpha, alpha, -alpha, alpha, alpha, beta, beta, beta, beta, gamma]
    names = [f.name for f in fields(Cost) if f.name != "weights"]
    return {name: factor * parts[name] + 0.0 for name, factor in zip(names, factors, strict=True)}


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one passenger of each booking costs, EUR, unweighted.

    minute       per minute late at the destination.
    meal_after   minutes late after which there is a meal to pay.
    refund       ticket and compensation, if the trip is cancelled.
    outbound     the tariff for an outbound trip cancelled; `inbound` for an inbound.
    """

    minute: Floats
    meal_after: Ints
    refund: Floats
    outbound: Floats
    inbound: Floats


def tariff(instance: Instance) -> Tariff:
    prices, booked = instance.prices, journeys(instance)
    band = (booked.flying >= SHORT).astype(np.int64) + (booked.flying >= MEDIUM)
    return Tariff(
        minute=prices.delay[booked.cabin, booked.reach],
        meal_after=np.array(MEAL_AFTER)[band],
        refund=instance.bookings.price + np.array(REFUND)[band],
        outbound=prices.outbound[booked.cabin, booked.reach],
        inbound=prices.inbound[booked.cabin, booked.reach],
    )


def care(late: Floats | Ints, meal_after: Ints | int) -> Floats:
    """EUR per person for meals and nights when so many minutes late."""
    return np.asarray(MEAL * (late > meal_after) + NIGHT * (late > NIGHT_AFTER), dtype=np.float64)


def cost(instance: Instance, solution: Solution) -> Cost:
    """Price a solution. It need not be valid, but an invalid one's price means little."""
    not_flown, added, swapped = flying_costs(instance, solution.operations)
    lines = passenger_costs(instance, solution.operations, solution.trips)
    return Cost(
        cancellation_compensation=float(lines.cancellation_compensation.sum()),
        delay_compensation=float(lines.delay_compensation.sum()),
        not_flown=not_flown,
        added=added,
        swapped=swapped,
        delay=float(lines.delay.sum()),
        outbound_cancelled=float(lines.outbound_cancelled.sum()),
        inbound_cancelled=float(lines.inbound_cancelled.sum()),
        downgrading=float(lines.downgrading.sum()),
        position=position_cost(instance, final_airports(instance, solution.operations)),
        weights=instance.prices.weights,
    )


# --- passengers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineCosts:
    """The parts that passengers cause, EUR for each line of `Trips`."""

    cancellation_compensation: Floats
    delay_compensation: Floats
    delay: Floats
    outbound_cancelled: Floats
    inbound_cancelled: Floats
    downgrading: Floats


def passenger_costs(instance: Instance, operations: Operations, trips: Trips) -> LineCosts:
    booked, rates = journeys(instance), tariff(instance)
    booking, people = trips.booking, trips.passengers.astype(np.float64)
    last, has_legs = _last_rows(trips)
    there = has_legs & (last >= 0)
    arrived = there & (operations.destination[last] == booked.destination[booking])
    cancelled = trips.cancelled | ~arrived  # a group that does not reach its destination counts as cancelled

    late = np.where(cancelled, 0, np.maximum(operations.arrival[last] - booked.arrival[booking], 0))
    meals = care(late, rates.meal_after[booking])

    # The checker's flag: set by a cancelled line with legs, cleared by a line not cancelled, kept by the others.
    at = np.arange(1, len(booking) + 1)
    stranded = np.maximum.accumulate(np.where(cancelled & has_legs, at, 0))
    kept = np.maximum.accumulate(np.where(~cancelled, at, 0))
    as_inbound = instance.bookings.inbound[booking] | (stranded > kept)

    return LineCosts(
        cancellation_compensation=np.where(cancelled, people * rates.refund[booking], 0.0),
        delay_compensation=people * meals,
        delay=people * late * rates.minute[booking],
        outbound_cancelled=np.where(cancelled & ~as_inbound, people * rates.outbound[booking], 0.0),
        inbound_cancelled=np.where(cancelled & as_inbound, people * rates.inbound[booking], 0.0),
        downgrading=np.where(cancelled, 0.0, people * _downgrading(instance, operations, trips)),
    )


def _last_rows(trips: Trips) -> tuple[Ints, np.ndarray]:
    """Each line's last leg as a row of operations, and whether it has legs at all. -1 if there is no such row."""
    has_legs = trips.first[1:] > trips.first[:-1]
    last = np.full(len(trips.booking), -1, dtype=np.int64)
    last[has_legs] = trips.leg_row[trips.first[1:][has_legs] - 1]
    return last, has_legs


def _downgrading(instance: Instance, operations: Operations, trips: Trips) -> Floats:
    """Per person of each line: from the reference cabin to the cabin flown, by the leg's reach, on new legs."""
    flights, bookings, booked = instance.flights, instance.bookings, journeys(instance)
    line = np.repeat(np.arange(len(trips.booking)), np.diff(trips.first))
    leg_booking, row = trips.booking[line], trips.leg_row
    per_flight = len(flights.number) + 1  # booking and flight as one number; -1, a created flight, is the last of them
    had = np.repeat(np.arange(len(bookings.number)), np.diff(bookings.first)) * per_flight + bookings.leg_flight
    flown = leg_booking * per_flight + operations.planned[row] % per_flight
    new = ~np.isin(flown, had) & (row >= 0)
    reach = _reach(instance)[operations.origin[row], operations.destination[row]]
    price = instance.prices.downgrade[booked.cabin[leg_booking], trips.leg_cabin, reach]
    each = np.bincount(line, weights=np.where(new, price, 0.0), minlength=len(trips.booking))
    return each.astype(np.float64)


def _reach(instance: Instance) -> Ints:
    """Reach by (origin, destination); 0 where `dist.csv` has no such pair, which no valid flight has."""
    count, listed = len(instance.airports.code), instance.distances
    reach = np.zeros((count, count), dtype=np.int64)
    reach[listed.origin, listed.destination] = listed.reach
    return reach


# --- aircraft ---------------------------------------------------------------------------------------------------------


def flight_hours(minutes: Ints) -> Ints:
    """Hours that a flight is charged for."""
    return -(-minutes // 60)


def flying_costs(instance: Instance, operations: Operations) -> tuple[float, float, float]:
    """Saved by flights no longer flown, caused by flights added, and caused by flying with another aircraft: EUR."""
    flights, hour_cost = instance.flights, instance.aircraft.hour_cost
    flown_by = np.full(len(flights.number), -1, dtype=np.int64)
    rows = np.flatnonzero(operations.planned >= 0)
    flown_by[operations.planned[rows]] = operations.aircraft[rows]
    hours = flight_hours(flights.arrival - flights.departure)
    planned_cost = hours * hour_cost[flights.aircraft]
    gone = flown_by < 0
    swapped = np.where(gone, 0.0, hours * hour_cost[flown_by] - planned_cost)
    added = (operations.planned < 0) & (operations.aircraft >= 0)
    new = flight_hours(operations.arrival - operations.departure) * hour_cost[operations.aircraft]
    return float(planned_cost[gone].sum()), float(new[added].sum()), float(swapped.sum())


def final_airports(instance: Instance, operations: Operations) -> Ints:
    """Where each aircraft is at the end: where it last landed, or where it was at first."""
    at = instance.aircraft.airport.copy()
    rows = np.argsort(operations.departure, kind="stable")
    rows = rows[operations.aircraft[rows] >= 0]
    at[operations.aircraft[rows]] = operations.destination[rows]  # the last assignment stays
    return at


def position_cost(instance: Instance, final: Ints) -> float:
    """Penalty for aircraft that are wanted at an airport at the end and are not there; EUR.

    One of the same family, model and configuration takes a place for nothing; what is left over there is put to the
    places that are left: same model, then same family. A place that nothing of its family takes costs the most.
    """
    aircraft, wanted, prices = instance.aircraft, instance.wanted, instance.prices
    family = dict(zip(aircraft.model, aircraft.family, strict=True))
    there: dict[int, Counter[tuple[str, str]]] = {}
    for i, at in enumerate(final.tolist()):
        there.setdefault(at, Counter())[aircraft.model[i], seats_text(aircraft.seats[i])] += 1
    places: dict[int, Counter[tuple[str, str]]] = {}
    for i, at in enumerate(wanted.airport.tolist()):
        places.setdefault(at, Counter())[wanted.model[i], wanted.configuration[i]] += int(wanted.count[i])
    total = 0.0
    for at, want in places.items():
        have = there.get(at, Counter())
        want, have = want - have, have - want
        by_model, want_model = _grouped(have, lambda model: model), _grouped(want, lambda model: model)
        by_family, want_family = _grouped(have, family.__getitem__), _grouped(want, family.__getitem__)
        missing = sum(want.values())
        same_family = sum((want_family & by_family).values())  # of these, some are of the same model too
        same_model = sum((want_model & by_model).values())
        total += (missing - same_family) * prices.family + (same_family - same_model) * prices.model
        total += same_model * prices.configuration
    return total


def _grouped(kinds: Counter[tuple[str, str]], key: Callable[[str], str]) -> Counter[str]:
    groups: Counter[str] = Counter()
    for (model, _), count in kinds.items():
        groups[key(model)] += count
    return groups
