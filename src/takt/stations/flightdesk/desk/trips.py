"""What becomes of a trip, by what will happen to its flights: when it breaks, and how far it has got."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from takt.stations.flightdesk.airline.instance import CONNECTION
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.parties import Party
from takt.stations.flightdesk.desk.timetable import Timetable
from takt.stations.flightdesk.desk.world import World

CANCELLED, MISSED, LATE = "cancelled", "missed", "late"


@dataclass(frozen=True, slots=True)
class Break:
    """Why legs are not flown as booked (CANCELLED, MISSED or LATE), at which flight, and the minute at which that
    becomes known."""

    why: str
    flight: int
    minute: float

    def told(self, world: World) -> dict[str, str]:
        """As a `booked` event tells it to people (`reasons.toml`, `words.toml`)."""
        known = world.clock(self.minute)[:16].replace("T", " ")
        return {"lost_by": self.why, "lost_flight": world.name[self.flight], "lost_known": known}


def break_of(flights: Timetable, party: Party) -> Break | None:
    """How the legs that a party is booked on break, by what will happen; None if they do not."""
    ready, told = party.ready, -1.0  # `told`: when the change of the leg before becomes known
    for f, _ in party.legs:
        known = float(flights.known[f])
        if flights.gone[f]:
            return _known(flights, CANCELLED, f, known)
        if flights.leaves[f] < ready:  # known to be missed when the changes of both legs are
            changes = [at for at in (told, known) if 0 <= at < NEVER]
            return _known(flights, MISSED, f, max(changes) if changes else ready)
        ready, told = float(flights.arrives[f] + CONNECTION), known
    last = party.legs[-1][0]
    late = int(flights.arrives[last]) > flights.world.groups.latest[party.booking]
    if late and flights.minute <= flights.known[last] < NEVER:  # not if it was booked as late as that
        return _known(flights, LATE, last, float(flights.known[last]))
    return None


def looked_ahead(flights: Timetable, party: Party, returns: list[tuple[float, str]]) -> Break | None:
    """How the legs of a party break, noted with it and in `returns`, a heap: it comes back then."""
    found = break_of(flights, party)
    party.breaks = -1.0 if found is None else found.minute
    if found is not None:
        heapq.heappush(returns, (party.breaks, party.name))
    return found


def _known(flights: Timetable, why: str, flight: int, minute: float) -> Break | None:
    return Break(why, flight, max(minute, flights.minute)) if minute < NEVER else None


def so_far(flights: Timetable, booking: int) -> tuple[int, int, float]:
    """Legs that a group has flown when its trip breaks, where it is, and from when on it can leave."""
    world, groups = flights.world, flights.world.groups
    if groups.breaks[booking] < NEVER:
        return int(groups.flown[booking]), int(groups.at[booking]), float(groups.ready[booking])
    legs, scheduled, flown = booked_legs(flights, booking), world.instance.flights, 0
    while flown < len(legs) - 1 and not flights.gone[legs[flown]] and flights.leaves[legs[flown]] <= flights.minute:
        flown += 1
    before = float(flights.arrives[legs[flown - 1]] + CONNECTION) if flown else float(scheduled.departure[legs[0]])
    return flown, int(scheduled.origin[legs[flown]]), before


def works(flights: Timetable, booking: int) -> bool:
    """Whether a group whose trip nothing else breaks comes home on the legs that it booked, and not too late. A change
    that it booked with too little time for is not missed by that (as in `Groups.breaks`)."""
    world, groups, legs = flights.world, flights.world.groups, booked_legs(flights, booking)
    ready, booked = float(world.scheduled[legs[0]] if flights.as_known else groups.ready[booking]), 0.0
    for f in legs:
        tight = flights.as_known and world.scheduled[f] < booked
        if flights.gone[f] or (flights.leaves[f] < ready and not tight):
            return False
        ready, booked = float(flights.arrives[f] + CONNECTION), float(world.lands[f] + CONNECTION)
    return bool(flights.arrives[legs[-1]] <= groups.latest[booking])


def booked_legs(flights: Timetable, booking: int) -> list[int]:
    """The flights that a group booked."""
    bookings = flights.world.instance.bookings
    legs: list[int] = bookings.leg_flight[bookings.first[booking] : bookings.first[booking + 1]].tolist()
    return legs
