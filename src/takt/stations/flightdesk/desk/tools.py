"""The desk's tools (`takt.contract.tools` has the protocol): what is on the board, and what can be done for a group."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from takt.contract.tools import Refused, Tool, Toolbox
from takt.stations.flightdesk.airline.instance import CABINS
from takt.stations.flightdesk.desk import control
from takt.stations.flightdesk.desk.corridors import CORRIDORS
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.quotes import earliest_ways, quote_of, ways_of
from takt.stations.flightdesk.desk.rows import board_row, leg_row, quoted, row, status_of, terms
from takt.stations.flightdesk.desk.stock import ECONOMY
from takt.stations.flightdesk.desk.versions import RULES

MOST_ROWS = 500  # of a list
AUTHORITY = "authority"  # over flights: what only some desks have
Cabin = Annotated[Literal["F", "B", "E"], Field(description="First, business or economy.")]
GroupName = Annotated[str, Field(description="A group's name, as in the queue.")]
FlightName = Annotated[str, Field(description="Number and date, as on the board: 1034/2026-02-28.")]
Airport = Annotated[str, Field(description="IATA code.")]
Moment = Annotated[str, Field(description="UTC, as 2026-02-28T09:05Z; empty for now.")]
Skipped = Annotated[int, Field(ge=0, description="Rows to skip.")]
Filter = Annotated[str, Field(description="IATA code; empty for all.")]
OpenOnly = Annotated[bool, Field(description="Leave out flights that run into closed airspace.")]
Rows = Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows at most.")]


class Leg(BaseModel):
    """One flight of an itinerary."""

    model_config = ConfigDict(extra="forbid", strict=True)
    flight: FlightName
    cabin: Cabin = "E"


Places = Annotated[list[str], Field(description="Airports (IATA) or corridors (north, middle, south) to avoid.")]
Legs = Annotated[list[Leg], Field(min_length=1, description="The flights, in order.")]
TOOLS = Toolbox()
_tool = TOOLS.tool


def call(office: Office, text: str, rules: int = RULES) -> dict[str, Any]:
    """Do one call. The answer has `tool`, and `error` if it was refused.

    rules    since 2, calls are read leniently; since 4, what is wrong is said in our own words; of those since then the
             office knows. A ledger goes on by its own rules, for the answers are in it.
    """

    def up(tool: Tool) -> None:
        if office.down_until > office.now_s and tool.name != "wait":
            raise Refused("system_down", "the reservation system is down; wait")

    return TOOLS.call(office, text, allowed(office.authority), up, lenient=rules > 1, plain=rules > 3)


def allowed(authority: bool) -> tuple[str, ...]:
    """What a desk allows, for `Toolbox`."""
    return (AUTHORITY,) if authority else ()


@_tool()
def queue(office: Office, after: Skipped = 0, limit: Rows = 20) -> dict[str, Any]:
    """Groups that wait at the desk, in order; skips the first `after`."""
    names = office.queue[after : after + limit]
    return {"waiting": len(office.queue), "groups": [row(office, office.parties[name]) for name in names]}


@_tool()
def group(office: Office, group: GroupName) -> dict[str, Any]:
    """All about one group: where it is, where it goes, what it booked and what it costs if it is not brought home."""
    party = office.waiting(group)
    bookings, b = office.world.instance.bookings, party.booking
    legs = range(int(bookings.first[b]), int(bookings.first[b + 1]))
    booked = [
        {"flight": office.world.name[f], "cabin": CABINS[bookings.leg_cabin[leg]], **status_of(office, f)}
        for leg in legs
        for f in [int(bookings.leg_flight[leg])]
    ]
    return {**row(office, party), **terms(office, b), "booked": booked}


@_tool()
def flight(office: Office, flight: FlightName) -> dict[str, Any]:
    """One flight: route, times, status, seats for sale by cabin, and the fare if it is another carrier's."""
    return board_row(office, _flight(office, flight), office.stock.seats(), office.stock.fares(), office.flights.shut())


@_tool()
def seats(office: Office, flight: FlightName) -> dict[str, Any]:
    """Seats for sale on one flight, by cabin."""
    f = _flight(office, flight)
    return {"flight": flight, "seats": {cabin: office.stock.seats_of(f, i) for i, cabin in enumerate(CABINS)}}


@_tool()
def board(
    office: Office,
    after: Skipped = 0,
    limit: Rows = 50,
    origin: Filter = "",
    destination: Filter = "",
) -> dict[str, Any]:
    """Flights that have not left, by scheduled departure, from row `after` on; only of one route if airports are given.
    `next` is the row to go on from, or null."""
    world = office.world
    shown = office.flights.leaves_now >= office.minute
    for code, airports in ((origin, world.origin), (destination, world.destination)):
        if code:
            shown &= airports == _airport(office, code)
    found = np.flatnonzero(shown)
    found = found[np.argsort(world.scheduled[found], kind="stable")]
    free, fares, shut = office.stock.seats(), office.stock.fares(), office.flights.shut()
    rows = [board_row(office, f, free, fares, shut) for f in found[after : after + limit].tolist()]
    return {"flights": rows, "next": after + limit if after + limit < len(found) else None}


@_tool()
def connections(
    office: Office,
    origin: Airport,
    destination: Airport,
    after: Moment = "",
    people: Annotated[int, Field(ge=1, description="Who travel together.")] = 1,
    cabin: Cabin = "E",
    limit: Rows = 6,
    avoid_closed: OpenOnly = False,
    avoid: Places = [],  # noqa: B006
    avoid_until: Moment = "",
) -> dict[str, Any]:
    """The earliest ways between two airports from a time on, with seats for so many people. On other carriers, Economy.
    `closed` lists flights that are known to run into a closed airport or corridor; avoid_closed leaves them out, and
    `avoid` leaves out flights by these airports or corridors, those that leave before `avoid_until` or all."""
    start, goal = _airport(office, origin), _airport(office, destination)
    if start == goal:
        raise Refused("same_airport", f"{origin} is both ends")
    ready = office.minute if not after else max(office.minute, _minute(office, after))
    chosen, free, shut = CABINS.index(cabin), office.stock.seats(), office.flights.shut()
    avoided = _avoided(office, avoid_closed, avoid, avoid_until)
    found = earliest_ways(office, start, goal, ready, people, chosen, limit, avoided)
    ways = []
    for path in found:
        legs = [[f, ECONOMY if f >= office.world.own else chosen] for f in path.flights]
        ways.append(
            {
                "legs": [leg_row(office, f, c) | {"seats": int(free[f, c])} for f, c in legs],
                "arrives": office.world.clock(office.flights.lands_now[path.flights[-1]]),
                "fare": round(sum(office.stock.fare(f) for f in path.flights), 2),
                "closed": [office.world.name[f] for f in path.flights if shut[f]],
            }
        )
    return {"connections": ways}


@_tool()
def propose(
    office: Office,
    group: GroupName,
    legs: Annotated[list[Leg], Field(description="The itinerary to quote; none: the desk looks for some.")] = [],  # noqa: B006
    limit: Rows = 5,
    by: Annotated[Literal["arrival", "cost"], Field(description="What comes first.")] = "arrival",
    avoid_closed: OpenOnly = False,
    avoid: Places = [],  # noqa: B006
    avoid_until: Moment = "",
) -> dict[str, Any]:
    """Itineraries that a waiting group can be booked on, each with its arrival, minutes late, cost in EUR (of delay,
    downgrading and fares, all people together), whether a hotel is still due, and the flights that run into closed
    airspace. Nothing is booked. With `legs`, a quote of that itinerary. `avoid` as for connections."""
    party = office.waiting(group)
    if legs:
        ways = [_legs(office, legs)]
    else:
        avoided = _avoided(office, avoid_closed, avoid, avoid_until)
        ways = ways_of(office, party, party.people, limit, by == "arrival", avoided)
    told = [quoted(office, party, quote_of(office, party, way, party.people)) for way in ways]
    stays = party.people * float(office.world.groups.stays[party.booking])
    return {"group": group, "itineraries": told, "not_brought_home_costs": round(stays, 2)}


@_tool()
def disrupted(office: Office, after: Skipped = 0, limit: Rows = 50) -> dict[str, Any]:
    """Groups whose trip is known to be broken and who have not come to the desk yet, those first who are expected
    first. `next` is the row to go on from, or null."""
    world, groups = office.world, office.world.groups
    come = {b for _, b in world.units[: office.came]}
    broken = np.flatnonzero(groups.breaks <= office.minute)
    there = [b for b in broken[np.argsort(groups.leg_gone[broken], kind="stable")].tolist() if b not in come]
    rows = []
    for b in there[after : after + limit]:
        bookings, codes = world.instance.bookings, world.instance.airports.code
        here = {"group": str(bookings.number[b]), "people": int(bookings.passengers[b]), "from": codes[groups.at[b]]}
        rows.append(here | {"to": codes[groups.goal[b]]} | terms(office, b))
    return {"groups": rows, "next": after + limit if after + limit < len(there) else None}


@_tool()
def messages(office: Office, after: Skipped = 0, limit: Rows = 50) -> dict[str, Any]:
    """Messages (flights cancelled or delayed, airports closed), from number `after` on."""
    last = min(len(office.flights.log), after + limit)
    return {
        "messages": [office.flights.message(i) for i in range(after, last)],
        "next": last if last < len(office.flights.log) else None,
    }


@_tool()
def wait(office: Office) -> dict[str, Any]:
    """Do nothing for a moment."""
    return {}


@_tool(changes=True)
def book(office: Office, group: GroupName, legs: Legs) -> dict[str, Any]:
    """Book a waiting group on an itinerary, seats of other carriers at their fare, and settle it."""
    party = office.waiting(group)
    return {"group": group, "settled": True, **quoted(office, party, office.book(party, _legs(office, legs)))}


@_tool(changes=True)
def hold(
    office: Office,
    group: GroupName,
    legs: Legs,
    minutes: Annotated[float, Field(gt=0, description="For so long.")] = 10.0,
) -> dict[str, Any]:
    """Keep an itinerary's seats for a waiting group for up to 15 minutes."""
    party = office.waiting(group)
    quote = office.hold(party, _legs(office, legs), minutes)
    until = office.world.clock(office.minute + minutes)
    return {"group": group, "held_until": until, **quoted(office, party, quote)}


@_tool(changes=True)
def split(
    office: Office, group: GroupName, people: Annotated[int, Field(ge=1, description="Of the new group.")]
) -> dict[str, Any]:
    """Make a group of its own of so many of a waiting group's people. Both must be settled."""
    party = office.waiting(group)
    rest = office.split(party, people)
    return {"groups": [row(office, party), row(office, rest)]}


@_tool(changes=True)
def hotel(office: Office, group: GroupName) -> dict[str, Any]:
    """Give a waiting group a hotel: due, before it is booked, if it arrives more than five hours late."""
    return {"group": group, "costs": round(office.give_hotel(office.waiting(group)), 2)}


@_tool(changes=True)
def refund(office: Office, group: GroupName) -> dict[str, Any]:
    """Give a waiting group its money back; it is not brought home."""
    return {"group": group, "settled": True, "costs": round(office.refund(office.waiting(group)), 2)}


@_tool(changes=True)
def call_human(
    office: Office,
    group: GroupName,
    why: Annotated[str, Field(max_length=500, description="What the human should know.")],
) -> dict[str, Any]:
    """Hand a waiting group to a human. It counts as not done by the desk."""
    office.hand_over(office.waiting(group), why)
    return {"group": group, "settled": True}


@_tool(changes=True, only=AUTHORITY)
def delay(
    office: Office, flight: FlightName, minutes: Annotated[int, Field(description="Minutes later.")]
) -> dict[str, Any]:
    """Let one of the airline's flights leave so many minutes later; its aircraft's next flights are late with it."""
    moved = control.delay(office, _flight(office, flight), minutes)
    return {"flights": [leg_row(office, f, None) for f in moved]}


@_tool(changes=True, only=AUTHORITY)
def cancel(
    office: Office, flights: Annotated[list[FlightName], Field(min_length=1, description="Numbers and dates.")]
) -> dict[str, Any]:
    """Cancel flights of the airline. What is left of an aircraft's day must still begin where the aircraft is."""
    control.cancel(office, [_flight(office, name) for name in flights])
    return {"cancelled": flights}


@_tool(changes=True, only=AUTHORITY)
def swap(office: Office, flight: FlightName, other: FlightName) -> dict[str, Any]:
    """Let the aircraft of two flights that leave from the same airport change places, from these flights on."""
    moved = control.swap(office, _flight(office, flight), _flight(office, other))
    return {"flights": [leg_row(office, f, None) for f in moved]}


def _flight(office: Office, name: str) -> int:
    f = office.world.index.get(name)
    if f is None:
        raise Refused("unknown_flight", f"there is no flight {name!r}; a flight is number/date, as 1034/2026-02-28")
    return f


def _legs(office: Office, legs: list[Leg]) -> list[list[int]]:
    return [[_flight(office, leg.flight), CABINS.index(leg.cabin)] for leg in legs]


def _avoided(office: Office, closed: bool, places: list[str], until: str) -> np.ndarray:
    for place in places:
        if place not in CORRIDORS:
            _airport(office, place)
    avoided = office.flights.touching(places)
    if until:
        avoided &= office.flights.leaves_now < _minute(office, until)
    return avoided | office.flights.shut() if closed else avoided


def _airport(office: Office, code: str) -> int:
    if code not in office.world.instance.airports.code:
        raise Refused("unknown_airport", f"the desk does not know the airport {code!r}")
    return office.world.instance.airports.code.index(code)


def _minute(office: Office, text: str) -> float:
    try:
        return office.world.minute(text)
    except ValueError:
        raise Refused("bad_time", f"{text!r} is no time; write it as 2026-02-28T09:05Z") from None
