"""The desk's office: what is known and sold so far, and the rules by which a group is booked and judged.

`World` is what will happen; `Office` is where it has got to. Tools (`tools.py`) ask it and change it; nothing here
tells a worker what is not known yet. A refused change raises `Refused` and has changed nothing.

A unit ends when every person of the group is settled. It is good if that was within the desk's service time and they
come home: whether the flights will be flown is looked up in the world, which no worker can. A group whose flights are
not flown after all comes back when that becomes known, as a new unit. Bad is

    late_service                 not settled within `service_s` of coming to the desk; it takes its money and leaves
    not_home                     settled without a way home (refund), on one that is later than promised, or on flights
                                 that are not flown or missed after all
    rule_broken                  no hotel though it is five hours late or more
    overpaid                     settled for more than leaving it behind would have cost, or with a hotel not due
    sent_into_closed_airspace    booked through an airport or corridor that was known to be shut then
    help                         handed to a human
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from takt.contract.events import FOR_PEOPLE, HELP_CALLED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.tools import Refused
from takt.stations.flightdesk.airline.cost import NIGHT
from takt.stations.flightdesk.airline.instance import CABINS, CONNECTION
from takt.stations.flightdesk.desk.closures import NEVER, News
from takt.stations.flightdesk.desk.corridors import CORRIDORS, corridor_of_trip
from takt.stations.flightdesk.desk.parties import (
    CLOSED_AIRSPACE,
    HELP,
    LATE_SERVICE,
    LEFT,
    NOT_HOME,
    OVERPAID,
    REFUNDED,
    RULE_BROKEN,
    SETTLED,
    WAITING,
    WITH_HUMAN,
    Party,
    Quote,
    Unit,
)
from takt.stations.flightdesk.desk.quotes import landing, paid_for, quote_of
from takt.stations.flightdesk.desk.stock import Stock
from takt.stations.flightdesk.desk.timetable import Timetable
from takt.stations.flightdesk.desk.trips import looked_ahead, so_far, works
from takt.stations.flightdesk.desk.versions import AS_KNOWN, RULES
from takt.stations.flightdesk.desk.world import World, give_back

MOST_HOLD_S = 900.0  # seconds that seats can be held for a group
CAUSED_S = 300.0  # seconds until those come whose trip the desk itself broke


class Office:
    """See the module. `now_s` is seconds since the start of the shift, `minute` the same since the epoch.

    rules    by which the shift is worked (`versions.py`).
    """

    def __init__(self, world: World, service_s: float, authority: bool, rules: int = RULES) -> None:
        self.world, self.service_s, self.authority, self.rules = world, service_s, authority, rules
        self.now_s, self.down_until = 0.0, -1.0  # `down_until`: the reservation system, in seconds
        self.events: list[Event] = []
        self.flights = flights = Timetable(world, rules)
        self.stock = Stock(world, flights)
        self.told = self.released = self.came = 0  # how much of the world's lists has happened
        self.more = 0  # units not of the world: who came back, whose trip the desk broke
        # Who is here.
        self.parties: dict[str, Party] = {}
        self.queue: list[str] = []
        self.units: dict[int, Unit] = {}
        self.returns: list[tuple[float, str]] = []  # a heap: minute at which a settled party's legs break
        self.caused: list[tuple[float, int]] = []  # (s, booking): whose trip the desk itself broke

    @property
    def minute(self) -> float:
        return self.flights.minute

    @property
    def alpha(self) -> float:
        return self.world.instance.prices.weights[0]

    # --- time ---------------------------------------------------------------------------------------------------------

    def advance(self, now_s: float) -> None:
        """Let time pass: news, seats that come back, groups that come, come back, or have waited too long."""
        self._is_at(now_s)
        world, minute = self.world, self.minute
        while self.told < len(world.news) and world.news[self.told].minute <= minute:
            self.flights.tell(self.told)
            self.told += 1
        while self.released < len(world.released) and world.released[self.released][0] <= minute:
            self._give_back(world.released[self.released][1])
            self.released += 1
        while self.returns and self.returns[0][0] <= minute:
            self._comes_back(heapq.heappop(self.returns)[1])
        while self.came < len(world.units) and world.units[self.came][0] <= now_s:
            self._comes(world.units[self.came][1], self.came)
            self.came += 1
        while self.caused and self.caused[0][0] <= now_s:
            self._comes(self.caused.pop(0)[1], self._another())
        for name in [name for name in self.queue if self.parties[name].held and self.parties[name].held_until <= now_s]:
            self.release_hold(self.parties[name])
        while self.queue and now_s - self.parties[self.queue[0]].due_s > self.service_s:
            self._leaves(self.parties[self.queue[0]])

    def _is_at(self, now_s: float) -> None:
        self.now_s, self.flights.minute = now_s, self.world.instance.start + now_s / 60

    def _give_back(self, booking: int) -> None:
        """A trip is broken: the seats on the legs that it has not flown are for sale again."""
        give_back(self.world.instance, self.stock.free, booking, so_far(self.flights, booking)[0])

    def _another(self) -> int:
        """The number of a unit that is not the world's: behind all of those, so that theirs are the same for all."""
        self.more += 1
        return len(self.world.units) + self.more - 1

    def _comes(self, booking: int, unit: int) -> None:
        bookings = self.world.instance.bookings
        first = int(bookings.first[booking])
        flown, at, ready = so_far(self.flights, booking)
        name, people = str(bookings.number[booking]), int(bookings.passengers[booking])
        party = Party(name, unit, booking, people, at, ready, self.now_s)
        party.flown = [[int(bookings.leg_flight[i]), int(bookings.leg_cabin[i])] for i in range(first, first + flown)]
        self.parties[name] = party
        self._due(party)

    def _due(self, party: Party, **paid: float) -> None:
        """A party is at the desk, and waits. `paid`: EUR by part for flights that it took since it was here last."""
        self.units[party.unit] = Unit(self.now_s, [party.name])
        self.queue.append(party.name)
        world, groups, b = self.world, self.world.groups, party.booking
        ways = {"from": world.instance.airports.code[party.at], "to": world.instance.airports.code[groups.goal[b]]}
        told = {"people": party.people, "not_brought_home_eur": round(float(groups.stays[b]), 2)}
        self._event(UNIT_DUE, party.unit, group=party.name, **told, **ways, **paid)

    def _comes_back(self, name: str) -> None:
        """The flights that a party was settled on are not flown after all."""
        party = self.parties[name]
        if party.status != SETTLED or not 0 <= party.breaks <= self.minute:
            return  # settled anew meanwhile
        kept: list[list[int]] = []
        for i, (f, cabin) in enumerate(party.legs):
            if self.flights.gone[f] or self.flights.leaves[f] < party.ready or self.flights.leaves[f] > party.breaks:
                for g, c in party.legs[i:]:
                    self.stock.take(g, c, -party.people)
                break
            kept.append([f, cabin])
            party.at, party.ready = int(self.world.destination[f]), float(self.flights.arrives[f] + CONNECTION)
        paid = paid_for(self.world, party, kept) if self.rules >= AS_KNOWN else {}
        party.flown, party.legs, party.fares, party.breaks = party.flown + kept, [], [], -1.0
        party.status, party.due_s, party.hotel, party.unit = WAITING, self.now_s, False, self._another()
        self._due(party, **paid)

    def _leaves(self, party: Party) -> None:
        self.release_hold(party)
        self._off(party, LEFT)
        self._ends(party.unit, [LATE_SERVICE])

    # --- what the desk does -------------------------------------------------------------------------------------------

    def waiting(self, name: str) -> Party:
        """The party of that name, if it waits at the desk."""
        party = self.parties.get(name)
        if party is None:
            raise Refused("unknown_group", f"no group {name!r} is at the desk; ask queue for those who are")
        if party.status != WAITING:
            raise Refused("not_waiting", f"group {name} is {party.status}, not waiting")
        return party

    def book(self, party: Party, legs: Sequence[Sequence[int]]) -> Quote:
        """Book a whole party, and settle it."""
        quote = quote_of(self, party, legs, party.people)
        party.fares = [self.stock.fare(f) for f, _ in quote.legs]
        self.release_hold(party)
        for f, cabin in quote.legs:
            self.stock.take(f, cabin, party.people)
        party.legs, party.status = quote.legs, SETTLED
        self.queue.remove(party.name)
        groups, b = self.world.groups, party.booking
        reasons = []
        if quote.shut:
            reasons.append(CLOSED_AIRSPACE)
        if quote.arrives > groups.latest[b]:
            reasons.append(NOT_HOME)
        if quote.care_due and not party.hotel:
            reasons.append(RULE_BROKEN)
        if quote.cost > party.people * groups.stays[b] or (party.hotel and not quote.care_due):
            reasons.append(OVERPAID)
        broken = looked_ahead(self.flights, party, self.returns)
        reasons = reasons or ([] if broken is None else [NOT_HOME])
        legs_told = [[self.world.name[f], CABINS[cabin]] for f, cabin in quote.legs]
        comes = quote  # to what it will be, also by delays that nobody knows of yet
        if self.rules >= AS_KNOWN and broken is None:
            comes = landing(self, b, party.people, quote, int(self.flights.arrives[quote.legs[-1][0]]))
        told = {"group": party.name, "people": party.people, "legs": legs_told, "late_min": comes.late}
        told |= {part: round(getattr(comes, part), 2) for part in ("fare", "delay", "care", "downgrading")}
        wasted = self.alpha * NIGHT * party.people if party.hotel and not comes.care_due else 0.0
        told["corridor"] = corridor_of_trip(CORRIDORS[self.world.corridor[f]] for f, _ in party.flown + party.legs)
        told |= {} if broken is None else {FOR_PEOPLE: broken.told(self.world)}
        self._event("booked", party.unit, **told, hotel_not_due=wasted, flown=broken is None)
        self._settled(party, reasons)
        return quote

    def refund(self, party: Party) -> float:
        """Give everybody the money back; what that costs, EUR."""
        self.release_hold(party)
        self._off(party, REFUNDED)
        self._event("refunded", party.unit, group=party.name, people=party.people)
        self._settled(party, [NOT_HOME])
        return party.people * float(self.world.groups.stays[party.booking])

    def hand_over(self, party: Party, why: str) -> None:
        """Call a human, who takes the party off the desk and gives it its money back."""
        self.release_hold(party)
        self._off(party, WITH_HUMAN)
        self._event(HELP_CALLED, party.unit, why=why)
        self._settled(party, [HELP])

    def give_hotel(self, party: Party) -> float:
        if party.hotel:
            raise Refused("done_already", f"group {party.name} has a hotel already")
        party.hotel = True
        return self.alpha * NIGHT * party.people

    def split(self, party: Party, people: int) -> Party:
        """Part of a party as one of its own, right behind it in the queue."""
        if not 1 <= people < party.people:
            raise Refused("bad_number", f"group {party.name} has {party.people} people; split off 1 to all but one")
        self.release_hold(party)
        parts = sum(p.booking == party.booking for p in self.parties.values())
        name = f"{party.name.split('.')[0]}.{parts}"
        rest = Party(name, party.unit, party.booking, people, party.at, party.ready, party.due_s)
        rest.flown, rest.hotel = [list(leg) for leg in party.flown], party.hotel
        self.units[party.unit].parties.append(name)
        party.people -= people
        self.parties[name] = rest
        self.queue.insert(self.queue.index(party.name) + 1, name)
        self._event("split", party.unit, group=party.name, part=name, people=people)
        return rest

    def hold(self, party: Party, legs: Sequence[Sequence[int]], minutes: float) -> Quote:
        """Keep seats for a party for a while."""
        if not 0 < 60 * minutes <= MOST_HOLD_S:
            raise Refused("bad_number", f"seats are held for up to {MOST_HOLD_S / 60:g} minutes, not {minutes:g}")
        quote = quote_of(self, party, legs, party.people)
        self.release_hold(party)
        for f, cabin in quote.legs:
            self.stock.take(f, cabin, party.people)
        party.held, party.held_until = quote.legs, self.now_s + 60 * minutes
        return quote

    def release_hold(self, party: Party) -> None:
        for f, cabin in party.held:
            self.stock.take(f, cabin, -party.people)
        party.held, party.held_until = [], 0.0

    def _off(self, party: Party, status: str) -> None:
        party.status = status
        self.queue.remove(party.name)

    # --- how it ends --------------------------------------------------------------------------------------------------

    def _settled(self, party: Party, reasons: list[str]) -> None:
        """A party has left the desk. The unit ends with the last of its parties."""
        unit = self.units[party.unit]
        unit.reasons += [reason for reason in reasons if reason not in unit.reasons]
        if all(self.parties[name].status != WAITING for name in unit.parties):
            self._ends(party.unit, unit.reasons)

    def _ends(self, number: int, reasons: list[str]) -> None:
        unit = self.units[number]
        if unit.ended:
            return
        unit.ended, unit.reasons = True, reasons
        served_s = None if LATE_SERVICE in reasons else round(self.now_s - unit.due_s, 3)
        if reasons:
            self._event(UNIT_BAD, number, cycle_s=served_s, parts={}, reasons=reasons)
        else:
            self._event(UNIT_GOOD, number, cycle_s=served_s, parts={}, first_time=True)

    def _event(self, kind: str, unit: int | None, **data: Any) -> None:
        self.events.append(Event(self.now_s, kind, unit, data))

    # --- with authority (`control.py` says what is allowed) -----------------------------------------------------------

    def change_flight(self, f: int, leaves: int, gone: bool, kind: str, text: str) -> None:
        """A flight of the airline leaves at another time, or not at all, by the desk's own doing. Known at once; what
        is in store for the flight comes all the same (`Timetable.outcome`)."""
        self.flights.set(f, *self.flights.outcome(f, leaves, gone), int(self.flights.aircraft[f]), leaves)
        self.flights.announce(News(self.minute, kind, text, f))
        for party in self.parties.values():
            if party.status == SETTLED and any(g == f for g, _ in party.legs):
                looked_ahead(self.flights, party, self.returns)
        self._break_trips(f)

    def swap_aircraft(self, f: int, aircraft: int) -> None:
        """Another aircraft flies it; who has no seat in there must not be booked on it."""
        seats = self.world.instance.aircraft.seats
        self.stock.free[f] += seats[aircraft] - seats[self.flights.aircraft[f]]
        self.flights.fly_with(f, aircraft)

    def _break_trips(self, f: int) -> None:
        """Groups whose trip this breaks, though nothing else will: they come too."""
        bookings, groups = self.world.instance.bookings, self.world.groups
        for leg in np.flatnonzero(bookings.leg_flight == f).tolist():
            b = int(np.searchsorted(bookings.first, leg, side="right") - 1)
            caused = any(b == other for _, other in self.caused)
            comes = caused or groups.breaks[b] < NEVER or str(bookings.number[b]) in self.parties
            if not comes and not works(self.flights, b):
                self._give_back(b)
                self.caused.append((self.now_s + CAUSED_S, b))

    # --- bytes --------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Plain values from which `restore` makes the same office in the same world, without units that have ended."""
        units = [(number, unit) for number, unit in self.units.items() if not unit.ended]
        return {
            "now_s": self.now_s,
            "down_until": self.down_until,
            "lists": [self.told, self.released, self.came, self.more],
            "log": self.flights.log if self.flights.own_news else len(self.flights.log),
            "own_news": [[news.minute, news.kind, news.text, news.flight] for news in self.flights.own_news],
            "changed": [[f, *change] for f, change in self.flights.changed.items()],
            "free": (self.stock.free - self.world.seats).astype(np.int32),
            "bought": self.stock.bought.astype(np.int16),
            "parties": [[getattr(party, f.name) for f in fields(Party)] for party in self.parties.values()],
            "queue": self.queue,
            "units": [[number, unit.due_s, unit.parties, unit.reasons, unit.ended] for number, unit in units],
            "returns": [list(item) for item in self.returns],
            "caused": [list(item) for item in self.caused],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Be as the office was that gave `state`. This one must be new."""
        self.queue, self.down_until = state["queue"], state["down_until"]
        self._is_at(state["now_s"])
        self.told, self.released, self.came, self.more = state["lists"]
        self.flights.log = list(range(state["log"])) if isinstance(state["log"], int) else state["log"]
        self.flights.own_news = [News(*row) for row in state["own_news"]]
        for f, *change in state["changed"]:
            self.flights.set(f, *change)
        for news in self.world.news[: self.told]:
            if news.flight >= 0 and news.flight not in self.flights.changed:
                self.flights.now_known(news.flight)
        self.stock.free = self.world.seats + state["free"]
        self.stock.bought = state["bought"].astype(np.int64)
        self.parties = {row[0]: Party(*row) for row in state["parties"]}
        self.units = {number: Unit(*unit) for number, *unit in state["units"]}
        self.returns = [(minute, name) for minute, name in state["returns"]]
        self.caused = [(at_s, b) for at_s, b in state["caused"]]
