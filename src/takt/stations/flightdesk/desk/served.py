"""Who was not served well, and why: what a group was booked on, what became of it, and what hindsight would have done.

Pure functions of a shift's events, its world and the bound (`account.hindsight`). A worker sees none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from takt.contract.events import HELP_CALLED, UNIT_BAD, UNIT_DUE, Event
from takt.contract.station import Table
from takt.stations.flightdesk.airline.instance import CABINS, CONNECTION
from takt.stations.flightdesk.desk.account import came, unit_costs
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.parties import LATE_SERVICE, NOT_HOME
from takt.stations.flightdesk.desk.seats import Assigned
from takt.stations.flightdesk.desk.world import World

MOST_ROWS = 200  # of the table
HEADS = ("group", "people", "from, to", "booked", "what became of it", "EUR", "in hindsight")
REFUND, TOO_LATE = "refunded", "home later than promised"
CANCELLED, MISSED, LATE = "flight cancelled after booking", "connection missed", "flight late after booking"
NOT_FLOWN = "booked on what the desk itself changed"


@dataclass(slots=True)
class Served:
    """What was done for a unit: its `booked` and `refunded` events, and whether a human was called."""

    due: Event
    reasons: tuple[str, ...] = ()
    booked: list[Event] = field(default_factory=list)
    refunded: list[Event] = field(default_factory=list)
    helped: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a booked trip is not flown as booked: at which flight, and the minute at which that became known."""

    cause: str
    flight: str
    known: float


def not_served(events: Sequence[Event]) -> dict[int, Served]:
    """The bad units, in the order in which they ended."""
    units: dict[int, Served] = {}
    bad: dict[int, Served] = {}
    for event in events:
        if event.unit is None:
            continue
        if event.kind == UNIT_DUE:
            units[event.unit] = Served(event)
        elif event.unit not in units:
            continue
        elif event.kind == "booked":
            units[event.unit].booked.append(event)
        elif event.kind == "refunded":
            units[event.unit].refunded.append(event)
        elif event.kind == HELP_CALLED:
            units[event.unit].helped = True
        elif event.kind == UNIT_BAD:
            units[event.unit].reasons = tuple(str(reason) for reason in event.data["reasons"])
            bad[event.unit] = units[event.unit]
    return bad


def breaks(world: World, booked: Event) -> Broken | None:
    """Why what was booked was not flown; None if it was, or if the desk's own changes are why."""
    ready, told = 0.0, -1.0
    b = _booking(world, str(booked.data["group"]))
    for name, _ in booked.data["legs"]:
        f = world.index[name]
        known = float(world.known[f])
        if world.gone[f]:
            return Broken(CANCELLED, name, known)
        if world.leaves[f] < ready:
            changes = [at for at in (told, known) if 0 <= at < NEVER]
            return Broken(MISSED, name, max(changes, default=ready))
        ready, told = float(world.arrives[f] + CONNECTION), known
    last = world.index[booked.data["legs"][-1][0]]
    if b is not None and world.arrives[last] > world.groups.latest[b] and known < NEVER:
        return Broken(LATE, world.name[last], known)
    return None


def causes_of(world: World, bad: Mapping[int, Served]) -> dict[int, str]:
    """Why nobody came home, of each unit whose main reason that is."""
    return {unit: _cause(world, one) for unit, one in bad.items() if one.reasons and one.reasons[0] == NOT_HOME}


def table_of(world: World, events: Sequence[Event], bad: Mapping[int, Served], bound: Assigned) -> Table:
    """A row for each bad unit: who, what was booked, what failed and when that became known, cost, hindsight."""
    costs = unit_costs(events)
    first = {b: place for place, (_, b) in enumerate(came(world, events))}
    rows, units = [], []
    for unit, one in list(bad.items())[:MOST_ROWS]:
        due = one.due.data
        b = _booking(world, str(due["group"]))
        eur = costs.get(unit)
        rows.append(
            (
                str(due["group"]),
                str(due["people"]),
                f"{due['from']} – {due['to']}",
                "; ".join(_legs(event) for event in one.booked) or "nothing",
                _became(world, one),
                "–" if eur is None else f"{eur:,.0f}",
                _hindsight(world, bound, first[b]) if b in first else "–",
            )
        )
        units.append(unit)
    return Table(HEADS, rows, units)


def _cause(world: World, one: Served) -> str:
    for event in one.booked:
        if not event.data["flown"]:
            found = breaks(world, event)
            return NOT_FLOWN if found is None else found.cause
    return REFUND if one.refunded else TOO_LATE


def _became(world: World, one: Served) -> str:
    told = []
    for event in one.booked:
        found = None if event.data["flown"] else breaks(world, event)
        if found is not None:
            after_h = (found.known - world.instance.start) / 60 - event.t_s / 3600
            when = f"known {_at(world, found.known)}, {max(0.0, after_h):.1f} h after it was booked"
            told.append(f"{found.flight}: {found.cause}, {when}")
        elif not event.data["flown"]:
            told.append(NOT_FLOWN)
        else:
            told.append(f"home {event.data['late_min'] / 60:.1f} h late")
    if one.refunded:
        told.append("refunded by the desk")
    if one.helped:
        told.append("handed to a human")
    if LATE_SERVICE in one.reasons:
        told.append("not settled in time: left with its money")
    extra = [reason.replace("_", " ") for reason in one.reasons if reason not in (NOT_HOME, LATE_SERVICE)]
    return "; ".join([*told, *extra])


def _hindsight(world: World, bound: Assigned, place: int) -> str:
    """What the least cost in hindsight does with a group; it may divide people."""
    told = [
        f"{share.people:.3g} by {_ways(world, share.legs)}, {share.cost:,.0f} EUR each"
        for share in (bound.shares[place] if bound.shares else ())
    ]
    stays = float(bound.stays[place])
    if stays > 1e-6:
        told.append(f"{stays:.3g} {'stays' if stays <= 1 else 'stay'}: no way home is worth it")
    return "; ".join(told[:3])


def _ways(world: World, legs: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{world.name[f]} {CABINS[cabin]}" for f, cabin in legs)


def _legs(booked: Event) -> str:
    return ", ".join(f"{name} {cabin}" for name, cabin in booked.data["legs"])


def _at(world: World, minute: float) -> str:
    return world.clock(minute)[5:16].replace("T", " ")


def _booking(world: World, group: str) -> int | None:
    """The booking of a group or of a part of one."""
    found = (world.instance.bookings.number == int(group.split(".")[0])).nonzero()[0]
    return int(found[0]) if len(found) else None
