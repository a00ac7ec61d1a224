"""What a shift at the desk came to: people brought home, what that cost, and how much less it could have cost.

`tally` is a pure function of a shift's events. `hindsight` is the bound: no desk without authority over flights,
whatever it knows, serves the same groups for less, but for the cents to which a ledger rounds. It knows what will be
flown, buys every seat at the lowest fare that it will still have from the hour on in which the group comes, takes any
number of legs, and shares seats out by linear program (`seats.py`), parts of people and all. As a desk is charged, so
is the bound: who comes home later than promised pays for the minutes. Shifts by rules before `versions.AS_KNOWN` do not
charge a delay that was not known when a group was booked: for them a delay that is not known in the hour in which the
group comes is free in the bound, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from takt.contract.events import REFUSED, SHIFT_ENDED, UNIT_DUE, UNIT_ENDED, Event
from takt.stations.flightdesk.airline.instance import Floats, Ints
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.market import least_fares, sold
from takt.stations.flightdesk.desk.paths import network_of
from takt.stations.flightdesk.desk.remembered import remembered
from takt.stations.flightdesk.desk.seats import Assigned, Wish, assign
from takt.stations.flightdesk.desk.stock import ECONOMY
from takt.stations.flightdesk.desk.versions import AS_KNOWN, RULES
from takt.stations.flightdesk.desk.world import World, give_back

PARTS = ("fare", "delay", "care", "downgrading", "hotel_not_due", "not_brought_home")
PAID = ("fare", "downgrading")  # of them, what a flight that a group has taken costs, though it comes back later


@dataclass(slots=True)
class Party:
    """Where people of a booking have got to.

    stays    EUR per person who is not brought home.
    due_s    when they came, the last time; `at` which airport they are then.
    legs     flights and cabins as booked.
    paid     EUR by part for flights that it took before it came back.
    """

    people: int
    stays: float
    due_s: float
    at: str
    legs: list[list[str]] = field(default_factory=list)
    home: bool = False
    late_min: int = 0
    corridor: str = ""
    parts: dict[str, float] = field(default_factory=dict)
    paid: dict[str, float] = field(default_factory=dict)

    @property
    def cost(self) -> dict[str, float]:
        """EUR by part. Who still waits or is booked on what will not be flown costs what staying costs, and the flights
        that it took."""
        now = self.parts if self.home else {"not_brought_home": self.people * self.stays}
        return now | {part: now.get(part, 0.0) + eur for part, eur in self.paid.items()}


@dataclass(frozen=True, slots=True)
class Tally:
    """EUR by part, and who got home.

    home_by_corridor   people. `refused`: calls by the code of the error.
    """

    parties: int
    people: int
    home: int
    late_min: float
    parts: dict[str, float]
    home_by_corridor: dict[str, int]
    refused: dict[str, int]

    @property
    def cost(self) -> float:
        return sum(self.parts.values())


def parties_of(events: Iterable[Event]) -> dict[str, Party]:
    """Everybody who came, by name, as they are after these events."""
    parties: dict[str, Party] = {}
    for event in events:
        data = event.data
        if event.kind == UNIT_DUE:
            before = parties.get(data["group"])
            party = Party(data["people"], data["not_brought_home_eur"], event.t_s, data["from"])
            party.paid = {} if before is None else dict(before.paid)
            for part in PAID:
                if part in data:  # since rules 7
                    party.paid[part] = party.paid.get(part, 0.0) + data[part]
            parties[data["group"]] = party
        elif event.kind == "split":
            whole = parties[data["group"]]
            party = parties[data["part"]] = Party(data["people"], whole.stays, whole.due_s, whole.at)
            party.paid = {part: eur * data["people"] / whole.people for part, eur in whole.paid.items()}
            whole.paid = {part: eur - party.paid[part] for part, eur in whole.paid.items()}
            whole.people -= data["people"]
        elif event.kind == "booked":
            party = parties[data["group"]]
            party.home, party.late_min, party.corridor = data["flown"], data["late_min"], data["corridor"]
            party.parts, party.legs = {part: data[part] for part in PARTS if part in data}, data["legs"]
    return parties


def settled(events: Iterable[Event]) -> list[Event]:
    """The events that figures and costs are of. In a shift that goes on, groups that still wait are left out: what
    becomes of them is not known, and to take it that they stay would charge each as it comes."""
    log = list(events)
    if any(event.kind == SHIFT_ENDED for event in log):
        return log
    due, ended = ({e.unit for e in log if e.kind in kinds} for kinds in ((UNIT_DUE,), UNIT_ENDED))
    return [event for event in log if event.unit is None or event.unit not in due - ended]


def tally(events: Iterable[Event]) -> Tally:
    """What these events come to."""
    log = list(events)
    parties = list(parties_of(log).values())
    parts = dict.fromkeys(PARTS, 0.0)
    corridors: Counter[str] = Counter()
    for party in parties:
        for part, eur in party.cost.items():
            parts[part] += eur
        if party.home:
            corridors[party.corridor] += party.people
    home = [party for party in parties if party.home]
    people = sum(party.people for party in home)
    return Tally(
        parties=len(parties),
        people=sum(party.people for party in parties),
        home=people,
        late_min=sum(party.people * party.late_min for party in home) / max(1, people),
        parts=parts,
        home_by_corridor=dict(corridors),
        refused=dict(Counter(event.data["code"] for event in log if event.kind == REFUSED)),
    )


def unit_costs(events: Iterable[Event]) -> dict[int, float]:
    """EUR of each unit, by its number: of the group that came as it, of the parts it was split into and of those of
    them who came back. Who came back is not counted again under the number that this has. Without those that wait in a
    shift that goes on (`settled`).
    """
    log = settled(events)
    unit_of: dict[str, int] = {}  # group or part -> the unit that it came as, the first time
    for event in log:
        if event.kind == UNIT_DUE and event.unit is not None:
            unit_of.setdefault(event.data["group"], event.unit)
        elif event.kind == "split":
            unit_of[event.data["part"]] = unit_of[event.data["group"]]
    costs = dict.fromkeys(unit_of.values(), 0.0)
    for name, party in parties_of(log).items():
        costs[unit_of[name]] += sum(party.cost.values())
    return costs


def came(world: World, events: Iterable[Event]) -> list[tuple[float, int]]:
    """When who of the world's own groups came, as (seconds, booking): those that `hindsight` is about, in its order."""
    return [(e.t_s, world.units[e.unit][1]) for e in events
            if e.kind == UNIT_DUE and e.unit is not None and e.unit < len(world.units)]  # fmt: skip


def hindsight(world: World, events: Iterable[Event], rules: int = RULES) -> Assigned:
    """The bound for the groups of the world's own that came in these events, of a shift by these rules; see the
    module."""
    groups, begins = world.groups, world.instance.start
    net = network_of(world.origin, world.destination, world.leaves, world.arrives)
    prices: dict[tuple[int, int], Floats] = {}
    lands: dict[int, Ints | None] = {}
    wishes = []
    for t_s, b in came(world, events):
        hour = int(t_s // 3600)
        cabin, at, goal = int(groups.cabin[b]), int(groups.at[b]), int(groups.goal[b])
        if (hour, cabin) not in prices:
            prices[hour, cabin] = _price(world, begins + 60 * hour, cabin)
        if hour not in lands:
            told = world.known <= begins + 60 * hour
            lands[hour] = None if rules >= AS_KNOWN else np.where(told, world.arrives, world.lands)
        wishes.append(
            Wish(
                people=int(world.instance.bookings.passengers[b]),
                start=at,
                goal=goal,
                ready=max(float(groups.ready[b]), begins + t_s / 60),
                due=int(groups.due[b]),
                latest=NEVER,
                minute=float(groups.minute[b]),
                meal_after=int(groups.meal_after[b]),
                stays=0.0 if at == goal else round(float(groups.stays[b]), 2),  # there are no ways home from home
                price=prices[hour, cabin],
                lands=lands[hour],
            )
        )
    seats, weight = _seats(world), world.instance.prices.weights[0]
    of = [net.origin, net.destination, net.leaves, net.lands, seats, float(weight)]
    return remembered(of, wishes, lambda: assign(net, seats, wishes, weight, legs=None))


def _price(world: World, since: int, cabin: int) -> Floats:
    """(F, 3) EUR per person at the least from this minute on; infinite for what is not flown."""
    table = world.downgrade[cabin].copy()
    table[world.own :, :ECONOMY] = np.inf
    table[world.own :, ECONOMY] += least_fares(world.market, since)
    table[world.gone] = np.inf
    return table


def _seats(world: World) -> Ints:
    """(F, 3) seats that anybody who comes could ever have: the unsold, and those of all whose trip breaks."""
    seats = world.seats.copy()
    for _, b in world.released:
        give_back(world.instance, seats, b, int(world.groups.flown[b]))
    seats[world.own :, ECONOMY] -= sold(world.market, world.instance.start)
    return np.maximum(seats, 0)
