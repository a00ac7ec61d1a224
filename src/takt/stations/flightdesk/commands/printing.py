"""What the commands print: an airline, what happened to it, and a plan with its price."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.table import Table

from takt.contract.figure import per_cent
from takt.show import terminal
from takt.stations.flightdesk.airline.cost import Cost, weighted
from takt.stations.flightdesk.airline.instance import Instance, journeys, seats_text
from takt.stations.flightdesk.airline.rules import Violation

LISTED = 20  # violations, closures and the like that are printed one by one


def print_airline(instance: Instance, as_json: bool) -> None:
    """What the airline is and what happened to it."""
    airline, happened = describe(instance), disruptions(instance)
    if as_json:
        print(json.dumps({"name": instance.name, "airline": airline, "happened": happened}))
        return
    console = terminal.out()
    table = Table(title=f"{instance.name}: the airline", title_justify="left", show_header=False, box=None)
    for key, value in airline.items():
        table.add_row(key, str(value))
    console.print(table, highlight=False, markup=False)
    table = Table(title="its fleet", title_justify="left", box=None)
    for column, justify in (("family", "left"), ("model", "left"), ("seats F/B/E", "left"), ("aircraft", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    a = instance.aircraft
    kinds = Counter(zip(a.family, a.model, map(seats_text, a.seats), strict=True))
    for (family, model, seats), count in sorted(kinds.items()):
        table.add_row(family, model, "any number" if seats.startswith("-") else seats, str(count))
    console.print(table, highlight=False, markup=False)
    table = Table(title="what happened", title_justify="left", show_header=False, box=None)
    for line in happened[:LISTED]:
        table.add_row(line)
    if len(happened) > LISTED:
        table.add_row(f"and {len(happened) - LISTED} more")
    console.print(table, highlight=False, markup=False)


def describe(instance: Instance) -> dict[str, Any]:
    """The airline in figures."""
    flights, bookings, reach = instance.flights, instance.bookings, journeys(instance).reach
    legs = len(bookings.leg_flight) / len(bookings.number)
    return {
        "recovery period": f"{instance.clock(instance.start)} to {instance.clock(instance.end)}",
        "airports": len(instance.airports.code),
        "aircraft": len(instance.aircraft.name),
        "flights": len(flights.number),
        "days": int(flights.day.max()) + 1,
        "bookings": len(bookings.number),
        "passengers": int(bookings.passengers.sum()),
        "legs per booking": round(legs, 2),
        "intercontinental bookings": int((reach == 2).sum()),
        "maintenances": int((instance.aircraft.service_airport >= 0).sum()),
    }


def disruptions(instance: Instance) -> list[str]:
    """What happened, a line each."""
    flights, code, tail = instance.flights, instance.airports.code, instance.aircraft.name
    late, clock = flights.delay[flights.delay > 0], instance.clock
    lines = []
    if len(late):
        mean, most = f"{late.mean():.0f} min on average", f"{late.max()} at most"
        lines.append(f"flights delayed: {len(late)}, by {mean} and {most}")
    if flights.cancelled.any():
        lines.append(f"flights cancelled: {int(flights.cancelled.sum())}")
    g, c = instance.groundings, instance.closures
    lines += [
        f"{tail[g.aircraft[i]]} unavailable from {clock(g.start[i])} to {clock(g.end[i])}"
        for i in range(len(g.aircraft))
    ]
    lines += [
        f"{code[c.airport[i]]} takes {c.departures[i]} departures and {c.arrivals[i]} arrivals an hour "
        f"from {clock(c.start[i])} to {clock(c.end[i])}"
        for i in range(len(c.airport))
    ]
    return lines or ["nothing"]


def before_after(told: dict[str, Any]) -> Table:
    """Cost by part of the first plan and of the last, and what the last changes."""
    took_s = told["seconds"]
    title = f"{told['instance']}: {took_s:.{0 if took_s >= 10 else 1}f} s, searchers: {told['searchers']}"
    table = Table(title=title, title_justify="left", box=None)
    for column in ("EUR", "first plan", "best plan"):
        table.add_column(column, justify="left" if column == "EUR" else "right")
    first, best = (weighted(told[plan], told["weights"]) for plan in ("first", "cost"))
    for name, value in best.items():
        table.add_row(name.replace("_", " "), f"{first[name]:,.2f}", f"{value:,.2f}")
    table.add_section()
    table.add_row("total", f"{told['first']['total']:,.2f}", f"{told['cost']['total']:,.2f}")
    if "bound" in told:
        table.add_row("proven bound", "", f"{told['bound']:,.2f}")
        if told["gap"] is not None and told["gap"] >= 0 and not told["broken"]:
            table.add_row("gap", "", f"{per_cent(told['gap'])} %")
    table.add_section()
    for name, count in told["changes"].items():
        table.add_row(name.replace("_", " "), "", str(count))
    return table


def cost_table(priced: Cost) -> Table:
    """The cost by part, weighted as in the objective."""
    table = Table(title="cost", title_justify="left", show_header=False, box=None)
    table.add_column()
    table.add_column(justify="right")
    for name, value in weighted(priced.parts(), priced.weights).items():
        table.add_row(name.replace("_", " "), f"{value:,.2f}")
    table.add_section()
    table.add_row("total", f"{priced.total:,.2f}")
    return table


def print_priced(violations: list[Violation], priced: Cost, as_json: bool) -> None:
    """Every rule that a plan breaks, and its cost by part."""
    if as_json:
        told = {
            "valid": not violations,
            "violations": [{**asdict(v), "rule": v.rule.name.lower()} for v in violations],
            "cost": {**priced.parts(), "total": priced.total},
        }
        print(json.dumps(told))
        return
    console = terminal.out()
    if violations:
        count = len(violations)
        table = Table(title=f"not valid: {count} violation{'s' * (count > 1)}", title_justify="left", box=None)
        table.add_column("rule")
        table.add_column("count", justify="right")
        for rule, number in Counter(v.rule for v in violations).items():
            table.add_row(rule.value, str(number))
        console.print(table, highlight=False, markup=False)
        for v in violations[:LISTED]:
            console.print(v.text, highlight=False, markup=False, soft_wrap=True)
        if count > LISTED:
            console.print(f"and {count - LISTED} more")
    else:
        console.print("valid")
    console.print(cost_table(priced), highlight=False, markup=False)
