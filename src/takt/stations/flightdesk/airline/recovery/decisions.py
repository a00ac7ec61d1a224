"""What each decision of a plan costs. Every cent of the plan's cost is charged to exactly one account.

A decision is what a controller decides at once: a run of flights of one aircraft cancelled, a run that leaves later,
the flights that two aircraft take from each other, a run of flights created. What flying costs or saves is charged to
the flight's own decision. What passengers cost is priced line by line by the challenge's cost function
(`cost.passenger_costs`), and each line is charged to the first of these that holds of the flights that it had booked:

1. one is cancelled: to that cancellation (or to the disruption, if that cancelled it);
2. the line goes as booked, and late: to what made its last flight late, the plan or the disruption;
3. a connection is missed: to what made the earlier flight late;
4. the last one is late, and the line arrives before it, or cannot go at all because that is too late: to what made it
   late;
5. one now has fewer seats in the booked cabin: to the change of aircraft;
6. none of these: to `moved`, people who gave up their seats though their flights fly.

Aircraft missing where they are wanted at the end are an account of their own. So accounts add up to the plan's cost.
They are charges, not marginal costs: undoing one decision may force others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np

from takt.stations.flightdesk.airline.cost import final_airports, flight_hours, passenger_costs, position_cost, weighted
from takt.stations.flightdesk.airline.instance import CONNECTION, Instance, Ints, journeys
from takt.stations.flightdesk.airline.recovery.summary import changed, ends_of
from takt.stations.flightdesk.airline.rules import LATEST
from takt.stations.flightdesk.airline.solution import Operations, Solution

FOREVER = 10**9  # minutes: an inbound group may be as late as it gets
PASSENGERS = (
    "cancellation_compensation",
    "delay_compensation",
    "delay",
    "outbound_cancelled",
    "inbound_cancelled",
    "downgrading",
)


class Kind(StrEnum):
    CANCEL = "cancel"
    DELAY = "delay"
    SWAP = "swap"
    CREATE = "create"


@dataclass(slots=True)
class Charge:
    """What is charged: EUR by cost part, weighted and signed as in the total; and people.

    moved   people who travel otherwise than booked because of it; `late` go as booked and arrive later; `left` do not
            get to where they booked.
    """

    eur: dict[str, float] = field(default_factory=dict)
    moved: int = 0
    late: int = 0
    left: int = 0

    @property
    def total(self) -> float:
        return sum(self.eur.values())

    def add(self, part: str, eur: float) -> None:
        if eur:
            self.eur[part] = self.eur.get(part, 0.0) + eur


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision. `rows` are rows of the plan's operations in order of time; `aircraft` flies or was to fly them.

    other   the aircraft that `aircraft` gives flights to or takes them from, if it is a swap; else -1.
    """

    kind: Kind
    aircraft: int
    rows: tuple[int, ...]
    charge: Charge
    other: int = -1


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where the plan's cost comes from.

    decisions    the most EUR first, paid or saved.
    disruption   what the disruption itself cancels and delays.
    moved        people who are moved though their flights fly.
    position     aircraft that are not where they are wanted at the end.
    by_row       EUR by row of operations: its flying, and the people charged to it.
    """

    decisions: tuple[Decision, ...]
    disruption: Charge
    moved: Charge
    position: Charge
    by_row: np.ndarray

    def of(self, kind: Kind) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if decision.kind is kind)

    @property
    def total(self) -> float:
        others = self.disruption.total + self.moved.total + self.position.total
        return others + sum(decision.charge.total for decision in self.decisions)


def accounts(instance: Instance, solution: Solution) -> Accounts:
    """The cost of a plan, charged."""
    o = solution.operations
    books = _Books(instance, o)
    _flying(instance, o, books)
    _people(instance, solution, books)
    factor = weighted(dict.fromkeys(_PARTS, 1.0), instance.prices.weights)
    position = Charge()
    position.add("position", factor["position"] * position_cost(instance, final_airports(instance, o)))
    found = sorted(books.decisions, key=lambda d: (-abs(d.charge.total), d.rows))
    return Accounts(tuple(found), books.disruption, books.moved, position, books.by_row)


_PARTS = (*PASSENGERS, "not_flown", "added", "swapped", "position")


class _Books:
    """The accounts while they are filled: which decision a row belongs to, by kind."""

    def __init__(self, instance: Instance, o: Operations) -> None:
        self.decisions: list[Decision] = []
        self.disruption, self.moved = Charge(), Charge()
        self.by_row = np.zeros(len(o.number))
        self.of: dict[Kind, dict[int, Decision]] = {kind: {} for kind in Kind}
        rows = changed(instance, o)
        planned_by = np.where(o.planned >= 0, instance.flights.aircraft[o.planned], -1)
        as_planned = [r for r in np.lexsort((o.departure, planned_by)).tolist() if o.planned[r] >= 0]
        flown = [r for r in np.lexsort((o.departure, o.aircraft)).tolist() if o.aircraft[r] >= 0]
        for kind, order, who, which in (
            (Kind.CANCEL, as_planned, planned_by, rows.cancelled),
            (Kind.DELAY, flown, o.aircraft, rows.delayed),
            (Kind.CREATE, flown, o.aircraft, rows.created),
        ):
            for run in _runs(order, who, set(which.tolist())):
                self._take(Decision(kind, int(who[run[0]]), run, Charge()))
        pairs: dict[tuple[int, int], list[int]] = {}
        for r in rows.swapped[np.argsort(o.departure[rows.swapped], kind="stable")].tolist():
            a, b = sorted((int(planned_by[r]), int(o.aircraft[r])))
            pairs.setdefault((a, b), []).append(r)
        for mine in pairs.values():
            first = mine[0]
            self._take(Decision(Kind.SWAP, int(planned_by[first]), tuple(mine), Charge(), int(o.aircraft[first])))

    def _take(self, decision: Decision) -> None:
        self.decisions.append(decision)
        for row in decision.rows:
            self.of[decision.kind][row] = decision

    def to(self, kind: Kind, row: int) -> Charge:
        """The charge of a row's decision of this kind; the disruption's if the plan decided nothing there."""
        decision = self.of[kind].get(row)
        return self.disruption if decision is None else decision.charge


def _runs(order: Sequence[int], who: Ints, which: set[int]) -> Iterable[tuple[int, ...]]:
    """Those of `order` that are in `which`, in runs of neighbours with the same aircraft."""
    run: list[int] = []
    last = -1
    for row in order:
        if run and (row not in which or who[row] != who[last]):
            yield tuple(run)
            run = []
        if row in which:
            run.append(row)
        last = row
    if run:
        yield tuple(run)


def _flying(instance: Instance, o: Operations, books: _Books) -> None:
    """Flights not flown, added, and flown by another aircraft; as `cost.flying_costs`, flight by flight."""
    flights, hour_cost = instance.flights, instance.aircraft.hour_cost
    alpha = instance.prices.weights[0]

    def put(charge: Charge, part: str, row: int, eur: float) -> None:
        charge.add(part, alpha * eur)
        books.by_row[row] += alpha * eur

    hours = flight_hours(flights.arrival - flights.departure)
    for row in np.flatnonzero(o.planned >= 0).tolist():
        f, by = int(o.planned[row]), int(o.aircraft[row])
        planned = float(hours[f] * hour_cost[flights.aircraft[f]])
        if by < 0:
            put(books.to(Kind.CANCEL, row), "not_flown", row, -planned)
        elif by != flights.aircraft[f]:
            put(books.to(Kind.SWAP, row), "swapped", row, float(hours[f] * hour_cost[by]) - planned)
    for f in np.setdiff1d(np.arange(len(flights.number)), o.planned).tolist():  # only a broken plan has such
        books.disruption.add("not_flown", -alpha * float(hours[f] * hour_cost[flights.aircraft[f]]))
    for row in np.flatnonzero((o.planned < 0) & (o.aircraft >= 0)).tolist():
        hour = int(flight_hours(o.arrival[row : row + 1] - o.departure[row : row + 1])[0])
        put(books.to(Kind.CREATE, row), "added", row, hour * float(hour_cost[o.aircraft[row]]))


def _people(instance: Instance, solution: Solution, books: _Books) -> None:
    """Each line of the trips, priced by the cost function, to one account."""
    bookings, trips, o = instance.bookings, solution.trips, solution.operations
    costs = passenger_costs(instance, o, trips)
    factor = weighted(dict.fromkeys(_PARTS, 1.0), instance.prices.weights)
    parts = [(name, factor[name] * getattr(costs, name)) for name in PASSENGERS]
    ends, booked = ends_of(instance, solution), journeys(instance)
    row_of = np.full(len(instance.flights.number), -1, dtype=np.int64)
    row_of[o.planned[o.planned >= 0]] = np.flatnonzero(o.planned >= 0)
    touched = ~ends.as_booked | (ends.late > 0)
    for _, each in parts:
        touched |= each != 0
    for i in np.flatnonzero(touched).tolist():
        booking = int(trips.booking[i])
        legs = slice(bookings.first[booking], bookings.first[booking + 1])
        had = [int(row) for row in row_of[bookings.leg_flight[legs]]]
        if ends.travels[i]:
            by = int(o.arrival[trips.leg_row[trips.first[i + 1] - 1]])
        else:
            by = int(booked.arrival[booking]) + (
                FOREVER if bookings.inbound[booking] else LATEST[booked.reach[booking]]
            )
        charge, row = _cause(instance, o, books, had, bookings.leg_cabin[legs].tolist(), bool(ends.as_booked[i]), by)
        people = int(trips.passengers[i])
        if not ends.travels[i]:
            charge.left += people
        elif not ends.as_booked[i]:
            charge.moved += people
        elif ends.late[i]:
            charge.late += people
        for name, each in parts:
            eur = float(each[i])
            charge.add(name, eur)
            if row >= 0:
                books.by_row[row] += eur


def _cause(
    instance: Instance,
    o: Operations,
    books: _Books,
    had: Sequence[int],
    cabins: Sequence[int],
    as_booked: bool,
    by: int,
) -> tuple[Charge, int]:
    """Whom a line is charged to, by the rule above, and the row that it is for (-1: none).

    had   its booked flights, as rows; `cabins` go with them.
    by    when it arrives now; if it does not, when it would have had to.
    """
    flights, seats = instance.flights, instance.aircraft.seats
    for row in had:
        if row < 0 or o.aircraft[row] < 0:
            return books.to(Kind.CANCEL, row), row
    if as_booked:
        return books.to(Kind.DELAY, had[-1]), had[-1]
    for before, after in pairwise(had):
        if o.departure[after] < o.arrival[before] + CONNECTION:
            return books.to(Kind.DELAY, before), before
    last = had[-1]
    if by < o.arrival[last] > flights.arrival[o.planned[last]]:
        return books.to(Kind.DELAY, last), last
    for row, cabin in zip(had, cabins, strict=True):
        now, planned = int(o.aircraft[row]), int(flights.aircraft[o.planned[row]])
        if now != planned and -1 < seats[now, cabin] < seats[planned, cabin]:
            return books.to(Kind.SWAP, row), row
    return books.moved, -1
