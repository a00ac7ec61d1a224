"""IATA SSIM chapter 7: a schedule as records of 200 columns; `ssim_read` reads them, `text_of` writes them.

    1  header    2  carrier    3  flight leg    4  segment data    5  trailer

A data set is a header and then, for each carrier, a carrier record, its legs, each followed by its segment data, and a
trailer. Records are written in blocks of five, filled up with records of zeros; a reader passes over these. Layouts and
formats: IATA Standard Schedules Information Manual, chapter 7 (records) and chapter 2 (data elements). Columns count
from 1, and both ends belong to a field. Times are minutes; what mode they are in is said by the carrier record: UTC, or
local, and then local = UTC + variation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.imports.ssim_fields import (
    DATE,
    DATE_OR_BLANK,
    DAYS,
    NUMBER,
    NUMBER_OR_NONE,
    SHIFTS,
    TEXT,
    TIME,
    VARIATION,
    WIDTH,
    ZEROS,
    Kind,
    at,
)

BLOCK = 5  # records
TITLE = "AIRLINE STANDARD SCHEDULE DATA SET"
LAST_SERIAL = 999_999  # then from 2 on again


@dataclass(frozen=True, slots=True)
class Header:
    """Record 1."""

    title: str = at(2, 35, TEXT, default=TITLE)
    seasons: str = at(41, 41, TEXT, default="")
    data_set: str = at(192, 194, TEXT, default="")
    serial: int = at(195, 200, ZEROS, default=1)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Record 2. `mode` is UTC or LOCAL; `since` and `until` are the schedule's validity."""

    mode: str = at(2, 2, TEXT)
    airline: str = at(3, 5, TEXT)
    season: str = at(11, 13, TEXT, default="")
    since: date | None = at(15, 21, DATE, default=None)
    until: date | None = at(22, 28, DATE, default=None)
    created: date | None = at(29, 35, DATE_OR_BLANK, default=None)
    title: str = at(36, 64, TEXT, default="")
    released: date | None = at(65, 71, DATE_OR_BLANK, default=None)
    status: str = at(72, 72, TEXT, default="C")
    creator: str = at(73, 107, TEXT, default="")
    duplicate: str = at(108, 108, TEXT, default="")
    information: str = at(109, 168, TEXT, default="")
    secure: str = at(169, 169, TEXT, default="")
    in_flight: str = at(170, 188, TEXT, default="")
    ticketing: str = at(189, 190, TEXT, default="")
    creation_time: str = at(191, 194, TEXT, default="")
    serial: int = at(195, 200, ZEROS, default=0)


@dataclass(frozen=True, slots=True)
class Leg:
    """Record 3. Times are the aircraft's; dates and days are those of this leg's departure, in the carrier's mode.

    variation   tells itineraries of one flight number apart; `overflow` counts its hundreds.
    sequence    of the leg in its itinerary, from 1.
    every       "2": every second week.
    off         (departure, arrival) days after the date at the flight's origin; None: not said.
    onward_*    the flight that the aircraft flies next; `layover` days later.
    disclosure  L, Z: sold by this carrier, flown by another as its own flight; S, X: flown on behalf of this one.
    """

    suffix: str = at(2, 2, TEXT)
    airline: str = at(3, 5, TEXT)
    number: int = at(6, 9, NUMBER)
    variation: int = at(10, 11, ZEROS)
    sequence: int = at(12, 13, ZEROS)
    service: str = at(14, 14, TEXT)
    since: date | None = at(15, 21, DATE)
    until: date | None = at(22, 28, DATE)
    days: int = at(29, 35, DAYS)
    every: str = at(36, 36, TEXT)
    origin: str = at(37, 39, TEXT)
    passenger_departure: int = at(40, 43, TIME)
    departure: int = at(44, 47, TIME)
    origin_variation: int = at(48, 52, VARIATION)
    origin_terminal: str = at(53, 54, TEXT)
    destination: str = at(55, 57, TEXT)
    arrival: int = at(58, 61, TIME)
    passenger_arrival: int = at(62, 65, TIME)
    destination_variation: int = at(66, 70, VARIATION)
    destination_terminal: str = at(71, 72, TEXT)
    aircraft: str = at(73, 75, TEXT)
    booking_classes: str = at(76, 95, TEXT, default="")
    class_modifiers: str = at(96, 100, TEXT, default="")
    meals: str = at(101, 110, TEXT, default="")
    joint: str = at(111, 119, TEXT, default="")
    connecting_status: str = at(120, 121, TEXT, default="")
    secure: str = at(122, 122, TEXT, default="")
    overflow: str = at(128, 128, TEXT, default="")
    owner: str = at(129, 131, TEXT, default="")
    cockpit: str = at(132, 134, TEXT, default="")
    cabin: str = at(135, 137, TEXT, default="")
    onward_airline: str = at(138, 140, TEXT, default="")
    onward_number: int | None = at(141, 144, NUMBER_OR_NONE, default=None)
    layover: str = at(145, 145, TEXT, default="")
    onward_suffix: str = at(146, 146, TEXT, default="")
    transit_layover: str = at(148, 148, TEXT, default="")
    disclosure: str = at(149, 149, TEXT, default="")
    restrictions: str = at(150, 160, TEXT, default="")
    restrictions_overflow: str = at(161, 161, TEXT, default="")
    configuration: str = at(173, 192, TEXT, default="")
    off: tuple[int | None, int | None] = at(193, 194, SHIFTS, default=(0, 0))
    serial: int = at(195, 200, ZEROS, default=0)

    @property
    def key(self) -> tuple[str, str, int, str, int, int]:
        """What a leg's segment data repeat."""
        return self.suffix, self.airline, self.number, self.overflow, self.variation, self.sequence

    @property
    def name(self) -> str:
        """The flight designator: AF1234, with its suffix if there is one."""
        return f"{self.airline}{self.number}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Segment:
    """Record 4: `data` of the element `dei` for passengers from one point of the flight to another."""

    suffix: str = at(2, 2, TEXT)
    airline: str = at(3, 5, TEXT)
    number: int = at(6, 9, NUMBER)
    variation: int = at(10, 11, ZEROS)
    sequence: int = at(12, 13, ZEROS)
    service: str = at(14, 14, TEXT)
    overflow: str = at(28, 28, TEXT)
    board_point: str = at(29, 29, TEXT)
    off_point: str = at(30, 30, TEXT)
    dei: int = at(31, 33, ZEROS)
    board: str = at(34, 36, TEXT)
    off: str = at(37, 39, TEXT)
    data: str = at(40, 194, TEXT, default="")
    serial: int = at(195, 200, ZEROS, default=0)

    @property
    def key(self) -> tuple[str, str, int, str, int, int]:
        return self.suffix, self.airline, self.number, self.overflow, self.variation, self.sequence


@dataclass(frozen=True, slots=True)
class Trailer:
    """Record 5. `check` is the serial number of the record before; `end` is E, or C if another carrier follows."""

    airline: str = at(3, 5, TEXT)
    released: date | None = at(6, 12, DATE_OR_BLANK, default=None)
    check: int = at(188, 193, ZEROS, default=0)
    end: str = at(194, 194, TEXT, default="E")
    serial: int = at(195, 200, ZEROS, default=0)


Record = Header | Carrier | Leg | Segment | Trailer
RECORDS: dict[str, type[Record]] = {"1": Header, "2": Carrier, "3": Leg, "4": Segment, "5": Trailer}
TYPE = {cls: letter for letter, cls in RECORDS.items()}


@dataclass(frozen=True, slots=True)
class Flown:
    """A leg with its segment data. `line` is where it was read."""

    leg: Leg
    segments: tuple[Segment, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Section:
    """The schedule of a carrier."""

    carrier: Carrier
    legs: tuple[Flown, ...]
    trailer: Trailer


@dataclass(frozen=True, slots=True)
class DataSet:
    header: Header
    sections: tuple[Section, ...]


def _layout(cls: type[Record]) -> tuple[tuple[str, int, int, Kind], ...]:
    return tuple((f.name, f.metadata["first"], f.metadata["last"], f.metadata["kind"]) for f in fields(cls))


LAYOUT: dict[type, tuple[tuple[str, int, int, Kind], ...]] = {cls: _layout(cls) for cls in TYPE}


def columns(cls: type, name: str) -> str:
    """Where a field is, for a message: "columns 15-21 (since)"."""
    first, last = next((first, last) for field_name, first, last, _ in LAYOUT[cls] if field_name == name)
    return f"column{'s' * (last > first)} {first}{f'-{last}' if last > first else ''} ({name.replace('_', ' ')})"


def write_record(record: Record) -> str:
    """200 columns. Raises TaktError if a value does not fit."""
    line = [" "] * WIDTH
    line[0] = TYPE[type(record)]
    for name, first, last, kind in LAYOUT[type(record)]:
        try:
            line[first - 1 : last] = kind.write(getattr(record, name), last - first + 1)
        except ValueError as error:
            raise TaktError(f"SSIM record {line[0]}, {columns(type(record), name)}: {error}") from None
    return "".join(line)


def numbered(data: DataSet) -> DataSet:
    """With serial numbers, and the trailers' checks and ends."""
    serial = 0

    def next_() -> int:
        nonlocal serial
        serial = 2 if serial == LAST_SERIAL else serial + 1
        return serial

    header = replace(data.header, serial=next_())
    sections = []
    for i, section in enumerate(data.sections):
        carrier = replace(section.carrier, serial=next_())
        legs = []
        for flown in section.legs:
            leg = replace(flown.leg, serial=next_())
            legs.append(Flown(leg, tuple(replace(s, serial=next_()) for s in flown.segments), flown.line))
        last = serial
        end = "E" if i == len(data.sections) - 1 else "C"
        trailer = replace(section.trailer, check=last, end=end, serial=next_())
        sections.append(Section(carrier, tuple(legs), trailer))
    return DataSet(header, tuple(sections))


def text_of(data: DataSet) -> str:
    """The file: records numbered, in blocks of five, a line each."""
    data = numbered(data)
    lines: list[str] = []

    def block(records: Iterable[Record]) -> None:
        lines.extend(write_record(record) for record in records)
        lines.extend(["0" * WIDTH] * (-len(lines) % BLOCK))

    block([data.header])
    for section in data.sections:
        block([section.carrier])
        records: list[Record] = []
        for flown in section.legs:
            records += [flown.leg, *flown.segments]
        block(records)
        block([section.trailer])
    return "\n".join(lines) + "\n"
