"""What becomes of a trip, by what will happen to its flights: when it breaks, and how far it has got."""

from __future__ import annotations

from takt.stations.flightdesk.airline.instance import CONNECTION
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.parties import Party
from takt.stations.flightdesk.desk.timetable import Timetable


def breaks_at(flights: Timetable, party: Party) -> float:
    """The minute at which the legs that a party is booked on break, by what will happen; -1 if they do not."""
    ready, breaks, told = party.ready, float(NEVER), -1.0  # `told`: when the change of the leg before becomes known
    for f, _ in party.legs:
        known = float(flights.known[f])
        if flights.gone[f]:
            breaks = known
            break
        if flights.leaves[f] < ready:  # known to be missed when the changes of both legs are
            changes = [at for at in (told, known) if 0 <= at < NEVER]
            breaks = max(changes) if changes else ready
            break
        ready, told = float(flights.arrives[f] + CONNECTION), known
    else:
        last = party.legs[-1][0]
        late = int(flights.arrives[last]) > flights.world.groups.latest[party.booking]
        if late and flights.minute <= flights.known[last] < NEVER:  # not if it was booked as late as that
            breaks = float(flights.known[last])
    return max(breaks, flights.minute) if breaks < NEVER else -1.0


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
    """Whether a group still comes home on the legs that it booked, and not too late."""
    groups, legs = flights.world.groups, booked_legs(flights, booking)
    ready = float(groups.ready[booking])
    for f in legs:
        if flights.gone[f] or flights.leaves[f] < ready:
            return False
        ready = float(flights.arrives[f] + CONNECTION)
    return bool(flights.arrives[legs[-1]] <= groups.latest[booking])


def booked_legs(flights: Timetable, booking: int) -> list[int]:
    """The flights that a group booked."""
    bookings = flights.world.instance.bookings
    legs: list[int] = bookings.leg_flight[bookings.first[booking] : bookings.first[booking + 1]].tolist()
    return legs
