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
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from takt.contract.events import HELP_CALLED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.tools import Refused
from takt.stations.flightdesk.airline.cost import NIGHT, NIGHT_AFTER
from takt.stations.flightdesk.airline.instance import CABINS, CONNECTION, Floats, Ints
from takt.stations.flightdesk.desk.closures import NEVER, News
from takt.stations.flightdesk.desk.corridors import CORRIDORS, corridor_of_trip
from takt.stations.flightdesk.desk.market import fares, left
from takt.stations.flightdesk.desk.paths import LEGS, Network, Path, cheapest, lateness, network_of
from takt.stations.flightdesk.desk.world import World, give_back

WAITING, SETTLED, REFUNDED, WITH_HUMAN, LEFT = "waiting", "settled", "refunded", "with a human", "left"
LATE_SERVICE, NOT_HOME, RULE_BROKEN, OVERPAID = "late_service", "not_home", "rule_broken", "overpaid"
CLOSED_AIRSPACE, HELP = "sent_into_closed_airspace", "help"
ECONOMY = 2
MOST_HOLD_S = 900.0  # seconds that seats can be held for a group
CAUSED_S = 300.0  # seconds until those come whose trip the desk itself broke


@dataclass(slots=True)
class Party:
    """People of one booking who are settled together. Plain values only: it is packed as it stands.

    due_s      when it came to the desk, the last time.
    flown      legs flown so far, `legs` those it is booked on, as (flight, cabin).
    breaks     the minute at which the legs break, by what will happen; -1 if they do not.
    held       legs held for it, until `held_until` (s).
    """

    name: str
    unit: int
    booking: int
    people: int
    at: int
    ready: float
    due_s: float
    status: str = WAITING
    flown: list[list[int]] = field(default_factory=list)
    legs: list[list[int]] = field(default_factory=list)
    hotel: bool = False
    breaks: float = -1.0
    held: list[list[int]] = field(default_factory=list)
    held_until: float = 0.0


@dataclass(slots=True)
class Unit:
    """A unit so far: when it fell due, which parties it is, why it is bad, and whether it has ended."""

    due_s: float
    parties: list[str]
    reasons: list[str] = field(default_factory=list)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What an itinerary would be: EUR for all the people, minutes late, and what the desk should know.

    cost       of `fare`, `delay` (minutes late), `care` (meals and nights) and `downgrading`.
    care_due   a hotel must be given. `shut`: flights that are known to run into a shut airport or corridor.
    """

    legs: list[list[int]]
    arrives: int
    late: int
    fare: float
    delay: float
    care: float
    downgrading: float
    care_due: bool
    shut: list[str]

    @property
    def cost(self) -> float:
        return self.fare + self.delay + self.care + self.downgrading


class Office:
    """See the module. `now_s` is seconds since the start of the shift, `minute` the same since the epoch."""

    def __init__(self, world: World, service_s: float, authority: bool) -> None:
        self.world, self.service_s, self.authority = world, service_s, authority
        self.now_s = 0.0
        self.events: list[Event] = []
        self.down_until = -1.0  # the reservation system, in seconds
        # What will happen, as far as a desk with authority has not changed it.
        self.leaves, self.arrives = world.leaves.copy(), world.arrives.copy()
        self.gone, self.known = world.gone.copy(), world.known.copy()
        self.changed: dict[int, list[Any]] = {}  # flight -> [leaves, gone, known, aircraft]
        self.aircraft = world.instance.flights.aircraft.copy()
        # What is known.
        self.leaves_now, self.lands_now = world.scheduled.copy(), world.lands.copy()
        self.gone_now = np.zeros(len(world.name), dtype=np.bool_)
        self.log: list[int] = []  # indices into `World.news`, or -1 - i for the desk's own
        self.own_news: list[News] = []
        self.told = self.released = self.came = 0  # how much of the world's lists has happened
        self.more = 0  # units that are not the world's: who came back, and whose trip the desk itself broke
        self._network: Network | None = None
        # What is sold.
        self.free: Ints = world.seats.copy()
        self.bought = np.zeros(len(world.market.carrier), dtype=np.int64)
        self._fares: tuple[int, Floats, Ints] | None = None
        # Who is here.
        self.parties: dict[str, Party] = {}
        self.queue: list[str] = []
        self.units: dict[int, Unit] = {}
        self.returns: list[tuple[float, str]] = []  # a heap: minute at which a settled party's legs break
        self.caused: list[tuple[float, int]] = []  # (s, booking): whose trip the desk itself broke

    @property
    def minute(self) -> float:
        return self.world.instance.start + self.now_s / 60

    @property
    def alpha(self) -> float:
        return self.world.instance.prices.weights[0]

    # --- time ---------------------------------------------------------------------------------------------------------

    def advance(self, now_s: float) -> None:
        """Let time pass: news, seats that come back, groups that come, come back, or have waited too long."""
        self.now_s = now_s
        world, minute = self.world, self.minute
        while self.told < len(world.news) and world.news[self.told].minute <= minute:
            self._tell(self.told)
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

    def _tell(self, item: int) -> None:
        self.log.append(item)
        news = self.world.news[item]
        if news.flight >= 0 and news.flight not in self.changed:
            self._now_known(news.flight)

    def _now_known(self, f: int) -> None:
        self.leaves_now[f], self.lands_now[f] = self.leaves[f], self.arrives[f]
        self.gone_now[f] = self.gone[f]
        self._network = None

    def _give_back(self, booking: int) -> None:
        """A trip is broken: the seats on the legs that it has not flown are for sale again."""
        give_back(self.world.instance, self.free, booking, self._so_far(booking)[0])

    def _another(self) -> int:
        """The number of a unit that is not the world's: behind all of those, so that theirs are the same for all."""
        self.more += 1
        return len(self.world.units) + self.more - 1

    def _comes(self, booking: int, unit: int) -> None:
        bookings = self.world.instance.bookings
        first = int(bookings.first[booking])
        flown, at, ready = self._so_far(booking)
        legs = range(first, first + flown)
        name, people = str(bookings.number[booking]), int(bookings.passengers[booking])
        party = Party(name, unit, booking, people, at, ready, self.now_s)
        party.flown = [[int(bookings.leg_flight[i]), int(bookings.leg_cabin[i])] for i in legs]
        self.parties[name] = party
        self._due(party)

    def _due(self, party: Party) -> None:
        self.units[party.unit] = Unit(self.now_s, [party.name])
        self.queue.append(party.name)
        world, groups, b = self.world, self.world.groups, party.booking
        ways = {"from": world.instance.airports.code[party.at], "to": world.instance.airports.code[groups.goal[b]]}
        told = {"people": party.people, "not_brought_home_eur": round(float(groups.stays[b]), 2)}
        self._event(UNIT_DUE, party.unit, group=party.name, **told, **ways)

    def _comes_back(self, name: str) -> None:
        """The flights that a party was settled on are not flown after all."""
        party = self.parties[name]
        if party.status != SETTLED or not 0 <= party.breaks <= self.minute:
            return  # settled anew meanwhile
        kept: list[list[int]] = []
        for i, (f, cabin) in enumerate(party.legs):
            if self.gone[f] or self.leaves[f] < party.ready or self.leaves[f] > party.breaks:
                for g, c in party.legs[i:]:
                    self._put_back(g, c, party.people)
                break
            kept.append([f, cabin])
            party.at, party.ready = int(self.world.destination[f]), float(self.arrives[f] + CONNECTION)
        party.flown, party.legs, party.breaks = party.flown + kept, [], -1.0
        party.status, party.due_s, party.hotel, party.unit = WAITING, self.now_s, False, self._another()
        self._due(party)

    def _leaves(self, party: Party) -> None:
        self.release_hold(party)
        self._off(party, LEFT)
        self._ends(party.unit, [LATE_SERVICE])

    # --- what is known ------------------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """Flights as far as is known."""
        if self._network is None:
            self._network = network_of(self.world.origin, self.world.destination, self.leaves_now, self.lands_now)
        return self._network

    def shut(self) -> np.ndarray:
        """(F,) which flights are known to run into what is shut."""
        return (self.world.shut_known <= self.minute) & (self.leaves_now == self.world.scheduled)

    def touching(self, places: Sequence[str]) -> np.ndarray:
        """(F,) which flights leave from, land at or take one of these airports or corridors."""
        world, codes = self.world, self.world.instance.airports.code
        airports = [codes.index(place) for place in places if place in codes]
        corridors = [CORRIDORS.index(place) for place in places if place in CORRIDORS]
        hit = np.isin(world.origin, airports) | np.isin(world.destination, airports)
        return np.asarray(hit | np.isin(world.corridor, corridors))

    def seats(self) -> Ints:
        """(F, 3) for sale now."""
        now = self.free.copy()
        now[self.world.own :, ECONOMY] = self._market()[1]
        return now

    def seats_of(self, f: int, cabin: int) -> int:
        """The same of one cabin."""
        own = self.world.own
        return int(self._market()[1][f - own] if f >= own and cabin == ECONOMY else self.free[f, cabin])

    def fares(self) -> Floats:
        """(M,) EUR per person of the market's flights now."""
        return self._market()[0]

    def fare(self, f: int) -> float:
        """EUR per person of one flight now: nothing on the airline's own."""
        return float(self.fares()[f - self.world.own]) if f >= self.world.own else 0.0

    def _market(self) -> tuple[Floats, Ints]:
        """Fares and seats of the market at the whole minute."""
        minute = int(self.minute)
        if self._fares is None or self._fares[0] != minute:
            market, bought = self.world.market, self.bought
            self._fares = minute, fares(market, minute, bought), left(market, minute, bought)
        return self._fares[1:]

    def message(self, number: int) -> dict[str, Any]:
        """Message `number`, as a worker gets it."""
        item = self.log[number]
        news = self.own_news[-1 - item] if item < 0 else self.world.news[item]
        told = {"message": number, "at": self.world.clock(news.minute), "kind": news.kind, "text": news.text}
        if news.place:
            told["place"] = news.place
            if news.until:
                told["until"] = self.world.clock(news.until)
        return told | ({"flight": self.world.name[news.flight]} if news.flight >= 0 else {})

    # --- itineraries --------------------------------------------------------------------------------------------------

    def price(self, booking: int) -> Floats:
        """(F, 3) EUR per person of a booking by flight and cabin: downgrading and fares; seats are not looked at."""
        table = self.world.downgrade[self.world.groups.cabin[booking]].copy()
        table[self.world.own :, ECONOMY] += self.fares()
        return table

    def ways(self, party: Party, people: int, limit: int, by_arrival: bool, avoid: np.ndarray) -> list[list[list[int]]]:
        """Itineraries with seats for so many people of the party, the best first, each a list of [flight, cabin].

        avoid   (F,) flights not to be taken.
        """
        groups, b = self.world.groups, party.booking
        priced = np.where(self.seats() >= people, self.price(b), np.inf)
        priced[self.gone_now | (self.leaves_now < self.minute) | avoid] = np.inf
        cabin = np.argmin(priced, axis=1)
        aboard = priced[np.arange(len(cabin)), cabin]
        late = lateness(self.lands_now - groups.due[b], groups.minute[b], groups.meal_after[b], self.alpha)
        ready = max(party.ready, self.minute)
        goal, latest = int(groups.goal[b]), float(groups.latest[b])
        found = cheapest(self.network, aboard, party.at, goal, ready, latest, late, limit, by_arrival)
        return [[[f, int(cabin[f])] for f in path.flights] for path in found]

    def connections(
        self, start: int, goal: int, ready: float, people: int, cabin: int, limit: int, avoid: np.ndarray
    ) -> list[Path]:
        """The earliest ways between two airports with seats in this cabin (Economy on other carriers)."""
        seats = self.seats()
        some = np.where(seats[:, cabin] >= people, 0.0, np.inf)
        some[self.world.own :] = np.where(seats[self.world.own :, ECONOMY] >= people, self.fares(), np.inf)
        some[self.gone_now | (self.leaves_now < self.minute) | avoid] = np.inf
        until = ready + 4 * 1440
        return cheapest(
            self.network, some, start, goal, ready, until, np.zeros(len(some)), limit=limit, by_arrival=True
        )

    def quote(self, party: Party, legs: Sequence[Sequence[int]], people: int) -> Quote:
        """What these legs would be for people of the party. Raises Refused if they cannot be sold."""
        world, groups, b = self.world, self.world.groups, party.booking
        codes, at, ready = world.instance.airports.code, party.at, max(party.ready, self.minute)
        if not 1 <= len(legs) <= LEGS:
            raise Refused("impossible_connection", f"an itinerary has 1 to {LEGS} legs, not {len(legs)}")
        downgrade, shut_now = world.downgrade[groups.cabin[b]], self.shut()
        each, fare, shut = 0.0, 0.0, []
        for i, (f, cabin) in enumerate(legs):
            name = world.name[f]
            if self.gone_now[f]:
                raise Refused("flight_cancelled", f"{name} is cancelled; ask for other connections")
            if self.leaves_now[f] < self.minute:
                raise Refused("flight_departed", f"{name} left at {world.clock(self.leaves_now[f])}")
            if world.origin[f] != at:
                here = "the group is" if i == 0 else "the leg before lands"
                raise Refused(
                    "impossible_connection", f"{name} leaves from {codes[world.origin[f]]}, but {here} at {codes[at]}"
                )
            if self.leaves_now[f] < ready:
                raise Refused(
                    "impossible_connection",
                    f"{name} leaves at {world.clock(self.leaves_now[f])}; the group can leave from "
                    f"{world.clock(ready)} on" + (f" ({CONNECTION} minutes after landing)" if i else ""),
                )
            if f >= world.own and cabin != ECONOMY:
                raise Refused("cabin_not_sold", f"{name} is another carrier's; only Economy (E) can be endorsed")
            seats = self.seats_of(f, cabin) + party.people * party.held.count([f, cabin])
            if seats < people:
                raise Refused("no_seats", f"{name} has {max(0, seats)} seats in {CABINS[cabin]}, not {people}")
            each += float(downgrade[f, cabin] + self.fare(f))
            fare += self.fare(f)
            if shut_now[f]:
                shut.append(name)
            at, ready = int(world.destination[f]), float(self.lands_now[f] + CONNECTION)
        if at != groups.goal[b]:
            raise Refused("wrong_destination", f"the itinerary ends at {codes[at]}, not at {codes[groups.goal[b]]}")
        arrives = int(self.lands_now[legs[-1][0]])
        late = max(0, arrives - int(groups.due[b]))
        lost, meal_after = late * float(groups.minute[b]), int(groups.meal_after[b])
        care = float(lateness(np.array(late), 0.0, meal_after, self.alpha))
        return Quote(
            legs=[list(leg) for leg in legs],
            arrives=arrives,
            late=late,
            fare=people * fare,
            delay=people * lost,
            care=people * care,
            downgrading=people * (each - fare),
            care_due=late > NIGHT_AFTER,
            shut=shut,
        )

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
        quote = self.quote(party, legs, party.people)
        self.release_hold(party)
        for f, cabin in quote.legs:
            self._take(f, cabin, party.people)
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
        self._foresee(party)
        if party.breaks >= 0:
            heapq.heappush(self.returns, (party.breaks, party.name))
            reasons = reasons or [NOT_HOME]
        legs_told = [[self.world.name[f], CABINS[cabin]] for f, cabin in quote.legs]
        told = {"group": party.name, "people": party.people, "legs": legs_told, "late_min": quote.late}
        told |= {part: round(getattr(quote, part), 2) for part in ("fare", "delay", "care", "downgrading")}
        wasted = self.alpha * NIGHT * party.people if party.hotel and not quote.care_due else 0.0
        told["corridor"] = corridor_of_trip(CORRIDORS[self.world.corridor[f]] for f, _ in party.flown + party.legs)
        self._event("booked", party.unit, **told, hotel_not_due=wasted, flown=party.breaks < 0)
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
        quote = self.quote(party, legs, party.people)
        self.release_hold(party)
        for f, cabin in quote.legs:
            self._take(f, cabin, party.people)
        party.held, party.held_until = quote.legs, self.now_s + 60 * minutes
        return quote

    def release_hold(self, party: Party) -> None:
        for f, cabin in party.held:
            self._put_back(f, cabin, party.people)
        party.held, party.held_until = [], 0.0

    def _take(self, f: int, cabin: int, people: int) -> None:
        if f >= self.world.own:
            self.bought[f - self.world.own] += people
            self._fares = None
        else:
            self.free[f, cabin] -= people

    def _put_back(self, f: int, cabin: int, people: int) -> None:
        self._take(f, cabin, -people)

    def _off(self, party: Party, status: str) -> None:
        party.status = status
        self.queue.remove(party.name)

    # --- how it ends --------------------------------------------------------------------------------------------------

    def _foresee(self, party: Party) -> None:
        """When the party's legs break, by what will happen."""
        ready, breaks, told = party.ready, float(NEVER), -1.0  # `told`: when the change of the leg before becomes known
        for f, _ in party.legs:
            known = float(self.known[f])
            if self.gone[f]:
                breaks = known
                break
            if self.leaves[f] < ready:  # known to be missed when the changes of both legs are
                changes = [at for at in (told, known) if 0 <= at < NEVER]
                breaks = max(changes) if changes else ready
                break
            ready, told = float(self.arrives[f] + CONNECTION), known
        else:
            late = int(self.arrives[party.legs[-1][0]]) > self.world.groups.latest[party.booking]
            if late and self.minute <= self.known[party.legs[-1][0]] < NEVER:  # not if it was booked as late as that
                breaks = float(self.known[party.legs[-1][0]])
        party.breaks = max(breaks, self.minute) if breaks < NEVER else -1.0

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
        """A flight of the airline leaves at another time, or not at all, by the desk's own doing. Known at once."""
        self._set(f, leaves, gone, self.minute, int(self.aircraft[f]))
        self.own_news.append(News(self.minute, kind, text, f))
        self.log.append(-len(self.own_news))
        for party in self.parties.values():
            if party.status == SETTLED and any(g == f for g, _ in party.legs):
                self._foresee(party)
                if party.breaks >= 0:
                    heapq.heappush(self.returns, (party.breaks, party.name))
        self._break_trips(f)

    def swap_aircraft(self, f: int, aircraft: int) -> None:
        """Another aircraft flies it; who has no seat in there must not be booked on it."""
        seats = self.world.instance.aircraft.seats
        self.free[f] += seats[aircraft] - seats[self.aircraft[f]]
        self._set(f, int(self.leaves[f]), bool(self.gone[f]), float(self.known[f]), aircraft)

    def _set(self, f: int, leaves: int, gone: bool, known: float, aircraft: int) -> None:
        takes = int(self.arrives[f] - self.leaves[f])
        self.leaves[f], self.arrives[f], self.gone[f], self.known[f] = leaves, leaves + takes, gone, known
        self.aircraft[f] = aircraft
        self.changed[f] = [leaves, gone, known, aircraft]
        if known <= self.minute:
            self._now_known(f)

    def _break_trips(self, f: int) -> None:
        """Groups whose trip this breaks, though nothing else will: they come too."""
        bookings, groups = self.world.instance.bookings, self.world.groups
        for leg in np.flatnonzero(bookings.leg_flight == f).tolist():
            b = int(np.searchsorted(bookings.first, leg, side="right") - 1)
            if groups.breaks[b] < NEVER or str(bookings.number[b]) in self.parties or b in self._caused():
                continue
            legs = bookings.leg_flight[bookings.first[b] : bookings.first[b + 1]].tolist()
            ready, works = float(groups.ready[b]), True
            for g in legs:
                works = works and not self.gone[g] and self.leaves[g] >= ready
                ready = float(self.arrives[g] + CONNECTION)
            if not works or self.arrives[legs[-1]] > groups.latest[b]:
                self._give_back(b)
                self.caused.append((self.now_s + CAUSED_S, b))

    def _caused(self) -> set[int]:
        return {b for _, b in self.caused}

    def _so_far(self, booking: int) -> tuple[int, int, float]:
        """Legs that a group has flown when its trip breaks, where it is, and from when on it can leave."""
        groups, bookings, flights = self.world.groups, self.world.instance.bookings, self.world.instance.flights
        if groups.breaks[booking] < NEVER:
            return int(groups.flown[booking]), int(groups.at[booking]), float(groups.ready[booking])
        legs = bookings.leg_flight[bookings.first[booking] : bookings.first[booking + 1]].tolist()
        flown = 0
        while flown < len(legs) - 1 and not self.gone[legs[flown]] and self.leaves[legs[flown]] <= self.minute:
            flown += 1
        ready = float(self.arrives[legs[flown - 1]] + CONNECTION) if flown else float(flights.departure[legs[0]])
        return flown, int(flights.origin[legs[flown]]), ready

    # --- bytes --------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Plain values from which `restore` makes the same office in the same world, without units that have ended."""
        units = [(number, unit) for number, unit in self.units.items() if not unit.ended]
        return {
            "now_s": self.now_s,
            "down_until": self.down_until,
            "lists": [self.told, self.released, self.came, self.more],
            "log": self.log if self.own_news else len(self.log),
            "own_news": [[news.minute, news.kind, news.text, news.flight] for news in self.own_news],
            "changed": [[f, *change] for f, change in self.changed.items()],
            "free": (self.free - self.world.seats).astype(np.int16),
            "bought": self.bought.astype(np.int16),
            "parties": [[getattr(party, f.name) for f in fields(Party)] for party in self.parties.values()],
            "queue": self.queue,
            "units": [[number, unit.due_s, unit.parties, unit.reasons, unit.ended] for number, unit in units],
            "returns": [list(item) for item in self.returns],
            "caused": [list(item) for item in self.caused],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Be as the office was that gave `state`. This one must be new."""
        world = self.world
        self.now_s, self.down_until = state["now_s"], state["down_until"]
        self.told, self.released, self.came, self.more = state["lists"]
        self.log = list(range(state["log"])) if isinstance(state["log"], int) else state["log"]
        self.own_news = [News(*row) for row in state["own_news"]]
        for f, *change in state["changed"]:
            self._set(f, *change)
        for news in world.news[: self.told]:
            if news.flight >= 0 and news.flight not in self.changed:
                self._now_known(news.flight)
        self.free = world.seats + state["free"]
        self.bought = state["bought"].astype(np.int64)
        self.parties = {row[0]: Party(*row) for row in state["parties"]}
        self.queue = state["queue"]
        self.units = {number: Unit(*unit) for number, *unit in state["units"]}
        self.returns = [(minute, name) for minute, name in state["returns"]]
        self.caused = [(at_s, b) for at_s, b in state["caused"]]
