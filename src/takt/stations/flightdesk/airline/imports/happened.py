"""Disruptions: flights late or cancelled, aircraft that cannot fly, airports that take fewer flights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from takt.stations.flightdesk.airline.imports.defaults import Notes
from takt.stations.flightdesk.airline.imports.problems import Problems
from takt.stations.flightdesk.airline.imports.schedule import Outside, Schedule
from takt.stations.flightdesk.airline.imports.tables import Row, each
from takt.stations.flightdesk.airline.imports.tails import minutes
from takt.stations.flightdesk.airline.instance import DAY

DISRUPTIONS = ("kind",)
DISRUPTIONS_TOO = (
    *("flight", "date", "origin", "destination", "minutes", "aircraft", "airport", "start", "end"),
    *("departures", "arrivals"),
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
    rows: Sequence[Row],
    file: str,
    schedule: Schedule,
    known: Mapping[str, int],
    epoch: date,
    notes: Notes,
    problems: Problems,
) -> Happened:
    """The disruptions; `known` are the aircraft by name, -1 for one whose own line is broken."""
    result = Happened()
    flown = {code for flight in schedule.flights for code in (flight.origin, flight.destination)}

    def take(row: Row) -> None:
        kind = row.one_of("kind", KINDS)
        if kind in ("delay", "cancel"):
            late = row.whole("minutes", 1, LATEST) if kind == "delay" else -1
            for leg in [schedule.leg(row)] if kind == "delay" else schedule.legs(row):
                if isinstance(leg, Outside):
                    if schedule.sound:
                        raise row.wrong("flight" if leg.shared else "date", leg.why(row))
                    continue
                if leg in result.delay:
                    raise row.wrong("flight", f"{row.get('flight')} of {row.get('date')} is there twice")
                result.delay[leg] = late
            return
        start, end = minutes(row.moment("start"), epoch), minutes(row.moment("end"), epoch)
        if end <= start:
            raise row.wrong("end", "is not after the start")
        over = end <= schedule.begins
        if over:
            notes.take("disruptions left out, they were over before the first day")
        elif start < schedule.begins:
            notes.take("disruptions that began before the first day, cut to it")
        if kind == "aircraft":
            # Not from the midnight on: on the date on which it begins an aircraft does not fly after it either.
            tail, start = row.one_of("aircraft", known), max(start, schedule.begins - 1)
            if not over:
                result.groundings.append((tail, start, end))
        else:
            airport, start = row.code("airport"), max(start, schedule.begins)
            if airport not in flown and schedule.sound:
                raise row.wrong("airport", f"{airport} has no flight on these days")
            takes = row.whole("departures"), row.whole("arrivals")
            if not over:
                result.closures.append((airport, start, end, *takes))

    for _ in each(rows, file, problems, take):
        pass
    return result
