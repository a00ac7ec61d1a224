"""What the tools answer with: groups, flights, legs and quotes, as rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from takt.stations.flightdesk.airline.instance import CABINS
from takt.stations.flightdesk.desk.corridors import CORRIDORS
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.parties import Party, Quote


def row(office: Office, party: Party) -> dict[str, Any]:
    """A waiting group as the queue shows it."""
    codes = office.world.instance.airports.code
    return {
        "group": party.name,
        "people": party.people,
        "from": codes[party.at],
        "to": codes[office.world.groups.goal[party.booking]],
        "hotel": party.hotel,
        "since": office.world.clock(office.world.instance.start + party.due_s / 60),
    }


def terms(office: Office, booking: int) -> dict[str, Any]:
    """What was promised to a group, and what it costs per person not to keep it."""
    groups, b, clock = office.world.groups, booking, office.world.clock
    return {
        "cabin": CABINS[groups.cabin[b]],
        "can_leave": clock(groups.ready[b]),
        "due": clock(groups.due[b]),
        "latest": clock(groups.latest[b]),
        "eur_per_minute_late": round(float(groups.minute[b]), 4),
        "meal_after_min": int(groups.meal_after[b]),
        "not_brought_home_eur": round(float(groups.stays[b]), 2),
    }


def status_of(office: Office, f: int) -> dict[str, Any]:
    world = office.world
    if office.flights.gone_now[f]:
        status = "cancelled"
    elif office.flights.leaves_now[f] < office.minute:
        status = "departed"
    else:
        status = "delayed" if office.flights.leaves_now[f] != world.scheduled[f] else "scheduled"
    return {
        "from": world.instance.airports.code[world.origin[f]],
        "to": world.instance.airports.code[world.destination[f]],
        "scheduled": world.clock(world.scheduled[f]),
        "departs": world.clock(office.flights.leaves_now[f]),
        "arrives": world.clock(office.flights.lands_now[f]),
        "status": status,
    }


def board_row(office: Office, f: int, free: np.ndarray, fares: np.ndarray, shut: np.ndarray) -> dict[str, Any]:
    world = office.world
    told = {"flight": world.name[f], **status_of(office, f), "corridor": CORRIDORS[world.corridor[f]]}
    told |= {"closed": bool(shut[f]), "seats": dict(zip(CABINS, free[f].tolist(), strict=True))}
    if f >= world.own:
        told |= {"carrier": world.market.carrier[f - world.own], "fare": round(float(fares[f - world.own]), 2)}
    return told


def leg_row(office: Office, f: int, cabin: int | None) -> dict[str, Any]:
    told = {"flight": office.world.name[f], **({} if cabin is None else {"cabin": CABINS[cabin]})}
    status = status_of(office, f)
    told |= {key: status[key] for key in ("from", "to", "departs", "arrives")}
    told["corridor"] = CORRIDORS[office.world.corridor[f]]
    return told | ({"fare": round(office.stock.fare(f), 2)} if f >= office.world.own else {})


def quoted(office: Office, party: Party, quote: Quote) -> dict[str, Any]:
    return {
        "legs": [leg_row(office, f, cabin) for f, cabin in quote.legs],
        "arrives": office.world.clock(quote.arrives),
        "late_min": quote.late,
        "fare": round(quote.fare, 2),
        "cost": round(quote.cost, 2),
        "hotel_due": quote.care_due and not party.hotel,
        "closed": quote.shut,
    }
