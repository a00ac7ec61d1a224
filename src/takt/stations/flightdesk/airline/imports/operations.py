"""The schedule's flights of some days: one entry per leg and date, in UTC.

A leg record's period, days of operation and times are those of its own departure, in the carrier's time mode; in local
mode UTC is local time less the variation. The date variation says how many days after the date at the flight's origin
it leaves and lands, which ties the legs of one flight and date together (SSIM chapter 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from takt.stations.flightdesk.airline.imports.problems import Broken, Problems
from takt.stations.flightdesk.airline.imports.ssim import DataSet, Flown, Leg, Section, columns
from takt.stations.flightdesk.airline.imports.ssim_fields import UTC
from takt.stations.flightdesk.airline.instance import DAY

DUPLICATE = 50  # the data element that says: this leg is another flight's, sold under this number
SOLD_ONLY = "LZ"  # disclosures that say so too

FlightKey = tuple[str, date]  # flight designator, date at its origin in the schedule's time mode
LegKey = tuple[FlightKey, int]  # and the how many-th leg


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
    onward: str
    line: int


@dataclass(frozen=True, slots=True)
class Dated:
    """What a schedule has on some days, in order of time.

    inside   legs that leave on these days, or were in the air when these began.
    around   the others of three days before and after.
    shared   legs of all these days that are another airline's flights, sold under a number of this one; `passed` are
             their records.
    shifted  records whose blank date variation cannot mean the same day.
    """

    inside: list[Operation]
    around: list[Operation]
    shared: list[Operation]
    passed: int
    shifted: int


def operations(data: DataSet, file: str, epoch: date, since: int, until: int, problems: Problems) -> Dated:
    """The legs of the days from `since` to `until`, in minutes after the midnight that begins `epoch`."""
    found: dict[LegKey, Operation] = {}
    shared: dict[LegKey, Operation] = {}
    passed = shifted = 0
    for section in data.sections:
        before: tuple[Leg, tuple[int, int]] | None = None
        for flown in section.legs:
            leg, others = flown.leg, _others(flown)
            off = _days_off(section, leg, before)
            before = leg, off
            passed += others
            shifted += not others and any(said is None and day for said, day in zip(leg.off, off, strict=True))
            try:
                for operation in _dated(section, flown, off, epoch, since - 3 * DAY, until + 3 * DAY):
                    if others:
                        shared[operation.flight, operation.sequence] = operation
                    else:
                        _put(found, operation)
            except Broken as error:
                if not others:
                    problems.add(file, flown.line, error)
    near = {key: leg for key, leg in found.items() if since - DAY <= leg.departure < until + DAY}
    _joined({**shared, **found}, near, file, problems)

    def in_time(legs: Iterable[Operation]) -> list[Operation]:
        return sorted(legs, key=lambda o: (o.departure, o.name, o.sequence))

    def here(o: Operation) -> bool:
        return since <= o.departure < until or o.departure < since < o.arrival

    inside, around = filter(here, found.values()), (o for o in found.values() if not here(o))
    return Dated(in_time(inside), in_time(around), in_time(shared.values()), passed, shifted)


def _others(flown: Flown) -> bool:
    """Whether it is another airline's flight, sold under a number of this one."""
    return (flown.leg.disclosure in SOLD_ONLY and bool(flown.leg.disclosure)) or _duplicate(flown)


def _duplicate(flown: Flown) -> bool:
    return any(segment.dei == DUPLICATE for segment in flown.segments)


def _put(found: dict[LegKey, Operation], operation: Operation) -> None:
    key = operation.flight, operation.sequence
    if key in found:
        said = f"{operation.name}, leg {operation.sequence}, flies twice on {operation.flight[1]}"
        raise Broken(columns(Leg, "days"), f"{said}: line {found[key].line} has it too")
    found[key] = operation


def _days_off(section: Section, leg: Leg, before: tuple[Leg, tuple[int, int]] | None) -> tuple[int, int]:
    """A leg's date variation. A blank one means the first day on which it leaves after the leg before has landed, and
    lands within a day after it left.
    """
    leaves, lands = leg.off
    if leaves is None:
        leaves = 0
        if before is not None and before[0].key == (*leg.key[:-1], leg.sequence - 1):
            leaves = before[1][1] + (leg.departure < before[0].arrival)
    if lands is None:
        lands = leaves - (_clock_minutes(section, leg) - 1) // DAY
    return leaves, lands


def _clock_minutes(section: Section, leg: Leg) -> int:
    """From departure to arrival, UTC, if both were on the same date."""
    minutes = leg.arrival - leg.departure
    return minutes if section.carrier.mode == UTC else minutes - leg.destination_variation + leg.origin_variation


def _dated(
    section: Section, flown: Flown, off: tuple[int, int], epoch: date, since: int, until: int
) -> Iterator[Operation]:
    leg, mode = flown.leg, section.carrier.mode
    for name, code in (("origin", leg.origin), ("destination", leg.destination)):
        if len(code) != 3 or not code.isalnum():
            raise Broken(columns(Leg, name), f"{code!r} is no airport; write it as CDG")
    if not leg.aircraft:
        raise Broken(columns(Leg, "aircraft"), "there is no aircraft type; write it as 320")
    leaves_off, lands_off = off
    # An open end is the validity's; that is the first leg's, so later legs have their days after it.
    shift, valid, end = timedelta(days=leaves_off), section.carrier, epoch + timedelta(days=until // DAY + 1)
    first = leg.since or (valid.since and valid.since + shift)
    if first is None:
        said = "it is open, and so is the carrier's validity, columns 15-21 of record 2"
        raise Broken(columns(Leg, "since"), said)
    last = leg.until or (valid.until + shift if valid.until else max(first, end))
    if last < first:
        raise Broken(columns(Leg, "until"), f"{last} is before the period begins, {first}")
    if leg.every not in ("", "2"):
        raise Broken(columns(Leg, "every"), f"{leg.every!r} is no frequency rate; there are blank and 2")
    to_utc = 0 if mode == UTC else leg.origin_variation
    takes = DAY * (lands_off - leaves_off) + _clock_minutes(section, leg)
    if not 0 < takes <= 2 * DAY:
        said = f"the flight takes {takes} min: see times, variations, and the date variation in columns 193-194"
        raise Broken(columns(Leg, "arrival"), said)
    onward = f"{leg.onward_airline or leg.airline}{leg.onward_number}{leg.onward_suffix}" if leg.onward_number else ""
    day = max(first, epoch + timedelta(days=since // DAY - 1))
    while day <= min(last, end):
        weeks = (day - (first - timedelta(days=first.weekday()))).days // 7
        if leg.days >> day.weekday() & 1 and not (leg.every == "2" and weeks % 2):
            departure = DAY * (day - epoch).days + leg.departure - to_utc
            locally = departure + leg.origin_variation if mode == UTC else departure + to_utc
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
                onward=onward,
                line=flown.line,
            )
        day += timedelta(days=1)


def _joined(
    found: Mapping[LegKey, Operation],
    which: Mapping[LegKey, Operation],
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
