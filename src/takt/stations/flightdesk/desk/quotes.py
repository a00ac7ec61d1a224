"""What an itinerary would be: which there are for a group, and what they cost. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from takt.contract.tools import Refused
from takt.stations.flightdesk.airline.cost import NIGHT_AFTER
from takt.stations.flightdesk.airline.instance import CABINS, CONNECTION, Floats
from takt.stations.flightdesk.desk.parties import Party, Quote
from takt.stations.flightdesk.desk.paths import LEGS, Path, cheapest, lateness
from takt.stations.flightdesk.desk.stock import ECONOMY

if TYPE_CHECKING:
    from takt.stations.flightdesk.desk.office import Office
    from takt.stations.flightdesk.desk.world import World


def price(office: Office, booking: int) -> Floats:
    """(F, 3) EUR per person of a booking by flight and cabin: downgrading and fares; seats are not looked at."""
    table = office.world.downgrade[office.world.groups.cabin[booking]].copy()
    table[office.world.own :, ECONOMY] += office.stock.fares()
    return table


def ways_of(
    office: Office, party: Party, people: int, limit: int, by_arrival: bool, avoid: np.ndarray
) -> list[list[list[int]]]:
    """Itineraries with seats for so many people of the party, the best first, each a list of [flight, cabin].

    avoid   (F,) flights not to be taken.
    """
    groups, b = office.world.groups, party.booking
    priced = np.where(office.stock.seats() >= people, price(office, b), np.inf)
    priced[office.flights.gone_now | (office.flights.leaves_now < office.minute) | avoid] = np.inf
    cabin = np.argmin(priced, axis=1)
    aboard = priced[np.arange(len(cabin)), cabin]
    late = lateness(office.flights.lands_now - groups.due[b], groups.minute[b], groups.meal_after[b], office.alpha)
    ready = max(party.ready, office.minute)
    goal, latest = int(groups.goal[b]), float(groups.latest[b])
    found = cheapest(office.flights.network, aboard, party.at, goal, ready, latest, late, limit, by_arrival)
    return [[[f, int(cabin[f])] for f in path.flights] for path in found]


def earliest_ways(
    office: Office, start: int, goal: int, ready: float, people: int, cabin: int, limit: int, avoid: np.ndarray
) -> list[Path]:
    """The earliest ways between two airports with seats in this cabin (Economy on other carriers)."""
    seats = office.stock.seats()
    some = np.where(seats[:, cabin] >= people, 0.0, np.inf)
    some[office.world.own :] = np.where(seats[office.world.own :, ECONOMY] >= people, office.stock.fares(), np.inf)
    some[office.flights.gone_now | (office.flights.leaves_now < office.minute) | avoid] = np.inf
    until = ready + 4 * 1440
    return cheapest(
        office.flights.network, some, start, goal, ready, until, np.zeros(len(some)), limit=limit, by_arrival=True
    )


def quote_of(office: Office, party: Party, legs: Sequence[Sequence[int]], people: int) -> Quote:
    """What these legs would be for people of the party. Raises Refused if they cannot be sold."""
    world, groups, b = office.world, office.world.groups, party.booking
    codes, at, ready = world.instance.airports.code, party.at, max(party.ready, office.minute)
    if not 1 <= len(legs) <= LEGS:
        raise Refused("impossible_connection", f"an itinerary has 1 to {LEGS} legs, not {len(legs)}")
    downgrade, shut_now = world.downgrade[groups.cabin[b]], office.flights.shut()
    each, fare, shut = 0.0, 0.0, []
    for i, (f, cabin) in enumerate(legs):
        name = world.name[f]
        if office.flights.gone_now[f]:
            raise Refused("flight_cancelled", f"{name} is cancelled; ask for other connections")
        if office.flights.leaves_now[f] < office.minute:
            raise Refused("flight_departed", f"{name} left at {world.clock(office.flights.leaves_now[f])}")
        if world.origin[f] != at:
            here = "the group is" if i == 0 else "the leg before lands"
            raise Refused(
                "impossible_connection", f"{name} leaves from {codes[world.origin[f]]}, but {here} at {codes[at]}"
            )
        if office.flights.leaves_now[f] < ready:
            raise Refused(
                "impossible_connection",
                f"{name} leaves at {world.clock(office.flights.leaves_now[f])}; the group can leave from "
                f"{world.clock(ready)} on" + (f" ({CONNECTION} minutes after landing)" if i else ""),
            )
        if f >= world.own and cabin != ECONOMY:
            raise Refused("cabin_not_sold", f"{name} is another carrier's; only Economy (E) can be endorsed")
        seats = office.stock.seats_of(f, cabin) + party.people * party.held.count([f, cabin])
        if seats < people:
            raise Refused("no_seats", f"{name} has {max(0, seats)} seats in {CABINS[cabin]}, not {people}")
        each += float(downgrade[f, cabin] + office.stock.fare(f))
        fare += office.stock.fare(f)
        if shut_now[f]:
            shut.append(name)
        at, ready = int(world.destination[f]), float(office.flights.lands_now[f] + CONNECTION)
    if at != groups.goal[b]:
        raise Refused("wrong_destination", f"the itinerary ends at {codes[at]}, not at {codes[groups.goal[b]]}")
    quote = Quote([list(leg) for leg in legs], 0, 0, people * fare, 0.0, 0.0, people * (each - fare), False, shut)
    return landing(office, b, people, quote, int(office.flights.lands_now[legs[-1][0]]))


def landing(office: Office, booking: int, people: int, quote: Quote, arrives: int) -> Quote:
    """The quote of an itinerary that lands at this minute."""
    groups = office.world.groups
    late = max(0, arrives - int(groups.due[booking]))
    lost, meal_after = late * float(groups.minute[booking]), int(groups.meal_after[booking])
    care = float(lateness(np.array(late), 0.0, meal_after, office.alpha))
    delay, care_due = people * lost, late > NIGHT_AFTER
    return replace(quote, arrives=arrives, late=late, delay=delay, care=people * care, care_due=care_due)


def paid_for(world: World, party: Party, kept: Sequence[Sequence[int]]) -> dict[str, float]:
    """EUR by part for the first legs of a party's trip, which it has taken though it comes back; none of nothing."""
    cabin = world.groups.cabin[party.booking]
    lower = sum(float(world.downgrade[cabin][f, c]) for f, c in kept)
    paid = {"fare": party.people * sum(party.fares[: len(kept)]), "downgrading": party.people * lower}
    return {part: round(eur, 2) for part, eur in paid.items() if round(eur, 2)}
