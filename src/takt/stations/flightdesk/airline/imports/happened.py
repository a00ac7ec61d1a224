"""Disruptions: flights late or cancelled, aircraft that cannot fly, airports that take fewer flights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from takt.stations.flightdesk.airline.imports.fleet import Tail, minutes
from takt.stations.flightdesk.airline.imports.problems import Problems
from takt.stations.flightdesk.airline.imports.schedule import Outside, Schedule
from takt.stations.flightdesk.airline.imports.tables import Row, each
from takt.stations.flightdesk.airline.instance import DAY

DISRUPTIONS = ("kind",)
DISRUPTIONS_TOO = (
    *("flight", "date", "origin", "minutes", "aircraft", "airport", "start", "end", "departures", "arrivals"),
)
LATEST = 2 * DAY  # minutes: the recovery period lasts until all have landed
KINDS = {"delay": "delay", "cancel": "cancel", "aircraft": "aircraft", "airport": "airport"}


@dataclass(slots=True)
class Happened:
    """`delay` by flight, in minutes, -1 for cancelled; periods in minutes after the epoch."""

    delay: dict[int, int] = field(default_factory=dict)
    groundings: list[tuple[int, int, int]] = field(default_factory=list)  # aircraft, start, end
    closures: list[tuple[str, int, int, int, int]] = field(default_factory=list)  # airport, start, end, dep, arr


def happened_of(
    rows: Sequence[Row], file: str, schedule: Schedule, tails: Sequence[Tail], epoch: date, problems: Problems
) -> Happened:
    result = Happened()
    flown = {code for flight in schedule.flights for code in (flight.origin, flight.destination)}
    at = {tail.name: i for i, tail in enumerate(tails)}

    def take(row: Row) -> None:
        kind = row.one_of("kind", KINDS)
        if kind in ("delay", "cancel"):
            late = row.whole("minutes", 1, LATEST) if kind == "delay" else -1
            for leg in [schedule.leg(row)] if kind == "delay" else schedule.legs(row):
                if isinstance(leg, Outside):
                    raise row.wrong("date", f"{leg.day} is not among the days of this import")
                if leg in result.delay:
                    raise row.wrong("flight", f"{row.get('flight')} of {row.get('date')} is there twice")
                result.delay[leg] = late
            return
        start, end = minutes(row.moment("start"), epoch), minutes(row.moment("end"), epoch)
        if end <= start:
            raise row.wrong("end", "is not after the start")
        if start < 0:
            raise row.wrong("start", f"is before {epoch}, the first day of this import")
        if kind == "aircraft":
            result.groundings.append((row.one_of("aircraft", at), start, end))
        else:
            airport = row.code("airport")
            if airport not in flown:
                raise row.wrong("airport", f"{airport} has no flight on these days")
            result.closures.append((airport, start, end, row.whole("departures"), row.whole("arrivals")))

    for _ in each(rows, file, problems, take):
        pass
    return result
