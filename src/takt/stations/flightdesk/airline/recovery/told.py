"""A plan's decisions in words, and its changed flights folded by route: what a controller reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from takt.stations.flightdesk.airline.instance import Instance, given_departures
from takt.stations.flightdesk.airline.recovery.decisions import Accounts, Charge, Decision, Kind
from takt.stations.flightdesk.airline.recovery.facts import Facts, Flight
from takt.stations.flightdesk.airline.recovery.reasons import Reasons
from takt.stations.flightdesk.airline.solution import Solution

TEN = 10
NUMBERS = 4  # flights that a decision names
GROUPS = {  # what is said of a charge: cost parts together
    "flying": ("not_flown", "added", "swapped"),
    "trips cancelled": ("cancellation_compensation", "outbound_cancelled", "inbound_cancelled"),
    "late": ("delay", "delay_compensation"),
    "downgraded": ("downgrading",),
}
VERBS = {Kind.CANCEL: "Cancel", Kind.DELAY: "Delay", Kind.SWAP: "Swap", Kind.CREATE: "Create"}


@dataclass(frozen=True, slots=True)
class Told:
    """A decision in words: what (`title`, `where`), when, why, and what it costs, in all and by part."""

    kind: Kind
    title: str
    where: str
    when: int
    why: str
    eur: float
    parts: tuple[tuple[str, float], ...]
    moved: int
    late: int
    left: int


@dataclass(frozen=True, slots=True)
class Changed:
    """A flight that the plan changes: how, and EUR charged to it."""

    flight: Flight
    kinds: tuple[str, ...]
    eur: float


@dataclass(frozen=True, slots=True)
class Folded:
    """The changed flights of a route, both ways: how many of each kind, their people, EUR charged to them."""

    ends: tuple[str, str]
    count: Mapping[str, int]
    people: int
    eur: float
    flights: tuple[Changed, ...]


def told_decisions(instance: Instance, solution: Solution, found: Accounts) -> list[Told]:
    """The ten that matter most."""
    reasons = Reasons(instance, solution)
    return [_told(instance, solution, decision, reasons) for decision in found.decisions[:TEN]]


def parts_of(charge: Charge) -> tuple[tuple[str, float], ...]:
    sums = ((name, sum(charge.eur.get(part, 0.0) for part in parts)) for name, parts in GROUPS.items())
    return tuple((name, eur) for name, eur in sums if abs(eur) >= 0.5)


def _told(instance: Instance, solution: Solution, decision: Decision, reasons: Reasons) -> Told:
    o, code, name = solution.operations, instance.airports.code, instance.aircraft.name
    rows, first = decision.rows, decision.rows[0]
    numbers = ", ".join(str(o.number[row]) for row in rows[:NUMBERS])
    if len(rows) > NUMBERS:
        numbers += f" and {len(rows) - NUMBERS} more"
    if decision.kind is Kind.SWAP:
        title = f"{VERBS[decision.kind]} {numbers}: {name[decision.aircraft]} and {name[decision.other]}"
    elif decision.kind is Kind.DELAY:
        later = int(o.departure[first] - given_departures(instance.flights)[o.planned[first]])
        title = f"{VERBS[decision.kind]} {numbers} of {name[decision.aircraft]}, the first by {later} min"
    else:
        title = f"{VERBS[decision.kind]} {numbers} of {name[decision.aircraft]}"
    stops = [code[o.origin[first]]]
    for row in rows[: NUMBERS + 1]:
        if code[o.origin[row]] != stops[-1]:
            stops += ["…", code[o.origin[row]]]
        stops.append(code[o.destination[row]])
    if len(rows) > NUMBERS + 1:
        stops.append("…")
    planned = int(o.planned[first])
    when = int(given_departures(instance.flights)[planned] if planned >= 0 else o.departure[first])
    charge = decision.charge
    return Told(
        decision.kind,
        title,
        "–".join(stops).replace("–…–", " … ").replace("–…", " …"),
        when,
        reasons.of(decision),
        charge.total,
        parts_of(charge),
        charge.moved,
        charge.late,
        charge.left,
    )


def folded(facts: Facts, found: Accounts) -> list[Folded]:
    """Every changed flight, by route; the routes with the most EUR first."""
    kinds: dict[int, list[str]] = {}
    flights: dict[int, Flight] = {}
    for kind in ("cancelled", "delayed", "swapped", "created"):
        for flight in getattr(facts, kind):
            flights[flight.row] = flight
            kinds.setdefault(flight.row, []).append(kind)
    routes: dict[tuple[str, str], list[Changed]] = {}
    for row, flight in flights.items():
        a, b = sorted((flight.origin, flight.destination))
        routes.setdefault((a, b), []).append(Changed(flight, tuple(kinds[row]), float(found.by_row[row])))
    result = []
    for ends, mine in routes.items():
        count = Counter(kind for change in mine for kind in change.kinds)
        mine.sort(key=lambda change: (change.flight.given, change.flight.row))
        people, eur = sum(change.flight.people for change in mine), sum(change.eur for change in mine)
        result.append(Folded(ends, count, people, eur, tuple(mine)))
    return sorted(result, key=lambda route: (-abs(route.eur), route.ends))
