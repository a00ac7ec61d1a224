"""The schedule's flights of some days: one entry per leg and date, in UTC.

A leg record's period, days of operation and times are those of its own departure, in the carrier's time mode; in local
mode UTC is local time less the variation. The date variation says how many days after the date at the flight's origin
it leaves and lands, which ties the legs of one flight and date together (SSIM chapter 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from takt.stations.flightdesk.airline.imports.problems import Broken, Problems
from takt.stations.flightdesk.airline.imports.ssim import DataSet, Flown, Leg, Section, columns
from takt.stations.flightdesk.airline.imports.ssim_fields import UTC
from takt.stations.flightdesk.airline.instance import DAY

DUPLICATE = 50  # the data element that says: this leg is another flight's, sold under this number
SOLD_ONLY = "LZ"  # disclosures that say so too

FlightKey = tuple[str, date]  # flight designator, date at its origin in the schedule's time mode


@dataclass(frozen=True, slots=True)
class Operation:
    """A leg on a date.

    departure, arrival   minutes since the midnight that begins day `epoch`, UTC.
    local                date of departure at the airport.
    flight               designator, and the date at the flight's origin: the same for all its legs.
    onward               designator of the flight that the aircraft flies next, "" if the schedule does not say.
    line                 of the schedule's file.
    """

    name: str
    sequence: int
    origin: str
    destination: str
    departure: int
    arrival: int
    local: date
    flight: FlightKey
    aircraft: str
    configuration: str
    service: str
    onward: str
    line: int


def operations(
    data: DataSet, file: str, epoch: date, since: int, until: int, problems: Problems
) -> tuple[list[Operation], list[Operation], int]:
    """Those that leave from `since` on and before `until` (minutes after the midnight that begins `epoch`), in order of
    time; those of three days before and after; and how many legs were passed over since they are another flight's.
    """
    found: dict[tuple[FlightKey, int], Operation] = {}
    passed = 0
    for section in data.sections:
        for flown in section.legs:
            if (flown.leg.disclosure in SOLD_ONLY and flown.leg.disclosure) or _duplicate(flown):
                passed += 1
                continue
            try:
                for operation in _dated(section, flown, epoch, since - 3 * DAY, until + 3 * DAY):
                    _put(found, operation)
            except Broken as error:
                problems.add(file, flown.line, error)
    around = {key: leg for key, leg in found.items() if since - DAY <= leg.departure < until + DAY}
    _joined(found, around, file, problems)
    order = sorted(found.values(), key=lambda o: (o.departure, o.name, o.sequence))
    inside = [operation for operation in order if since <= operation.departure < until]
    return inside, [operation for operation in order if not since <= operation.departure < until], passed


def _duplicate(flown: Flown) -> bool:
    return any(segment.dei == DUPLICATE for segment in flown.segments)


def _put(found: dict[tuple[FlightKey, int], Operation], operation: Operation) -> None:
    key = operation.flight, operation.sequence
    if key in found:
        said = f"{operation.name}, leg {operation.sequence}, flies twice on {operation.flight[1]}"
        raise Broken(columns(Leg, "days"), f"{said}: line {found[key].line} has it too")
    found[key] = operation


def _dated(section: Section, flown: Flown, epoch: date, since: int, until: int) -> Iterator[Operation]:
    leg, mode = flown.leg, section.carrier.mode
    leaves_off, lands_off = leg.off
    # An open end is the validity's; that is the first leg's, so later legs have their days after it.
    shift = timedelta(days=leaves_off)
    first = leg.since if leg.since is not None else _of_validity(section.carrier.since, shift, "since")
    last = leg.until if leg.until is not None else _of_validity(section.carrier.until, shift, "until")
    if last < first:
        raise Broken(columns(Leg, "until"), f"{last} is before the period begins, {first}")
    if leg.every not in ("", "2"):
        raise Broken(columns(Leg, "every"), f"{leg.every!r} is no frequency rate; there are blank and 2")
    to_utc = (0, 0) if mode == UTC else (leg.origin_variation, leg.destination_variation)
    takes = DAY * (lands_off - leaves_off) + leg.arrival - to_utc[1] - (leg.departure - to_utc[0])
    if not 0 < takes <= 2 * DAY:
        said = f"the flight takes {takes} min: see times, variations, and the date variation in columns 193-194"
        raise Broken(columns(Leg, "arrival"), said)
    onward = f"{leg.onward_airline or leg.airline}{leg.onward_number}{leg.onward_suffix}" if leg.onward_number else ""
    day = max(first, epoch + timedelta(days=since // DAY - 1))
    while day <= min(last, epoch + timedelta(days=until // DAY + 1)):
        weeks = (day - (first - timedelta(days=first.weekday()))).days // 7
        if leg.days >> day.weekday() & 1 and not (leg.every == "2" and weeks % 2):
            departure = DAY * (day - epoch).days + leg.departure - to_utc[0]
            locally = departure + leg.origin_variation if mode == UTC else departure + to_utc[0]
            yield Operation(
                name=leg.name,
                sequence=leg.sequence,
                origin=leg.origin,
                destination=leg.destination,
                departure=departure,
                arrival=departure + takes,
                local=epoch + timedelta(days=locally // DAY),
                flight=(leg.name, day - shift),
                aircraft=leg.aircraft,
                configuration=leg.configuration,
                service=leg.service,
                onward=onward,
                line=flown.line,
            )
        day += timedelta(days=1)


def _of_validity(day: date | None, shift: timedelta, name: str) -> date:
    if day is None:
        raise Broken(columns(Leg, name), "it is open, and so is the carrier's validity, columns 15-28 of record 2")
    return day + shift


def _joined(
    found: Mapping[tuple[FlightKey, int], Operation],
    which: Mapping[tuple[FlightKey, int], Operation],
    file: str,
    problems: Problems,
) -> None:
    """Whether the legs of `which` follow those before them, from airport to airport. One problem a line is enough."""
    told: set[int] = set()
    for (flight, sequence), leg in which.items():
        before = found.get((flight, sequence - 1))
        said = ""
        if sequence > 1 and before is None:
            column, said = "sequence", f"there is no leg {sequence - 1} of {leg.name} on {flight[1]}"
        elif before is not None and before.destination != leg.origin:
            column, said = "origin", f"leg {sequence - 1} of {leg.name} lands at {before.destination}, not {leg.origin}"
        elif before is not None and leg.departure < before.arrival:
            column, said = "departure", f"leg {sequence} of {leg.name} leaves before leg {sequence - 1} has landed"
        if said and leg.line not in told:
            told.add(leg.line)
            problems.add(file, leg.line, Broken(columns(Leg, column), said))
