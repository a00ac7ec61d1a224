"""SSIM chapter 7 files read, record by record.

What is broken is told once: a record that cannot be read, or does not belong where it is, stands there as if it were
sound for those behind it, so that a carrier's legs are not called wrong for its record.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.imports.problems import Broken, Problems
from takt.stations.flightdesk.airline.imports.ssim import (
    LAST_SERIAL,
    LAYOUT,
    RECORDS,
    TITLE,
    Carrier,
    DataSet,
    Flown,
    Header,
    Leg,
    Record,
    Section,
    Segment,
    Trailer,
    columns,
)
from takt.stations.flightdesk.airline.imports.ssim_fields import LOCAL, UTC, WIDTH
from takt.stations.flightdesk.airline.rows import plain_text

UNKNOWN = Carrier("", "")  # in the place of a carrier record that is broken or missing


def read_record(line: str) -> Record:
    """One record. Raises Broken."""
    if len(line) != WIDTH:
        raise Broken("", f"it has {len(line)} columns instead of {WIDTH}")
    cls = RECORDS.get(line[0])
    if cls is None:
        raise Broken("column 1 (record type)", f"{line[0]!r} is none; there are 1 to 5")
    values = {}
    for name, first, last, kind in LAYOUT[cls]:
        try:
            values[name] = kind.read(line[first - 1 : last])
        except ValueError as error:
            raise Broken(columns(cls, name), str(error)) from None
    return cls(**values)


def read(path: str | PathLike[str], problems: Problems) -> DataSet | None:
    """A file. Broken lines become problems; None if no data set is left. Raises TaktError if it cannot be read."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TaktError(f"cannot read {path}: {error.strerror or error}") from None
    return parse(plain_text(data, path.name, "ascii"), path.name, problems)


def parse(text: str, file: str, problems: Problems) -> DataSet | None:
    """A file's text, one record a line, or without line ends. Broken lines become problems of `file`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n\x1a")
    if "\n" not in text and len(text) > WIDTH:
        lines: Sequence[str] = [text[i : i + WIDTH] for i in range(0, len(text), WIDTH)]
    else:
        lines = text.split("\n")
    reader = _Reader()
    number = 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or not line.strip("0"):
            continue
        try:
            reader.take(read_record(line), number)
        except Broken as error:
            problems.add(file, number, error)
            reader.lose(line[0])
    try:
        return reader.done()
    except Broken as error:
        problems.add(file, max(1, number), error)
        return None


class _Reader:
    """Records become a data set, in their order."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self.carrier: Carrier | None = None
        self.flown: list[tuple[Leg, list[Segment], int]] = []
        self.sections: list[Section] = []
        self.serial = 0
        self.lost = False  # whether the record before this one was broken
        self.leg_lost = False  # whether the leg whose segment data follow was

    def take(self, record: Record, line: int) -> None:
        lost, self.lost = self.lost, False
        due = 2 if self.serial == LAST_SERIAL else self.serial + 1
        self.serial = record.serial
        self._place(record, line, lost)
        if record.serial != due and not lost and not (isinstance(record, Header) and record.serial == 1):
            said = f"{record.serial:06d} does not follow {(due - 1):06d}"
            raise Broken(columns(type(record), "serial"), said)

    def lose(self, kind: str) -> None:
        """A broken record of that type was here; what follows may only seem wrong."""
        self.lost, self.leg_lost = True, self.leg_lost or kind != "4"
        self.header = self.header or Header()
        if kind in "125" and self.carrier is not None:
            self._close(Trailer(self.carrier.airline))
        if kind not in "15" and self.carrier is None:
            self.carrier = UNKNOWN

    def _close(self, trailer: Trailer) -> None:
        assert self.carrier is not None
        legs = tuple(Flown(leg, tuple(segments), at_line) for leg, segments, at_line in self.flown)
        self.sections.append(Section(self.carrier, legs, trailer))
        self.carrier, self.flown = None, []

    def _place(self, record: Record, line: int, lost: bool) -> None:
        """Put the record where it belongs. Serial numbers after a `lost` record may be anything."""
        if lost and self.carrier is not None and isinstance(record, (Header, Carrier)):
            self._close(Trailer(self.carrier.airline))  # the broken record was its trailer
        if isinstance(record, Header):
            if self.header is not None and self.carrier is not None:
                raise Broken("column 1 (record type)", "a header in the middle of a carrier's schedule")
            if record.title != TITLE:
                raise Broken(columns(Header, "title"), f"{record.title!r} is no schedule; it is {TITLE!r} there")
            self.header = self.header or record
            return
        if self.header is None:
            raise Broken("column 1 (record type)", "the file does not begin with a header, record type 1")
        if isinstance(record, Carrier):
            if self.carrier is not None:
                raise Broken("column 1 (record type)", "a carrier record before the trailer of the one before")
            if record.mode not in (UTC, LOCAL):
                raise Broken(columns(Carrier, "mode"), f"{record.mode!r} is no time mode; there are U and L")
            self.carrier = record
            return
        if self.carrier is None:
            raise Broken("column 1 (record type)", "a record without a carrier record, type 2, before it")
        own = self.carrier.airline
        if isinstance(record, Leg):
            if record.airline != own and self.carrier is not UNKNOWN:
                raise Broken(columns(Leg, "airline"), f"{record.airline!r} in the schedule of {own!r}")
            self.leg_lost = False
            self.flown.append((record, [], line))
        elif isinstance(record, Segment):
            if self.leg_lost:
                return
            if not self.flown or record.key != self.flown[-1][0].key:
                raise Broken("columns 2-13 (flight leg)", "segment data that are not those of the leg before")
            self.flown[-1][1].append(record)
        else:
            known = self.carrier is not UNKNOWN
            self._close(record)
            if record.airline != own and known:
                raise Broken(columns(Trailer, "airline"), f"{record.airline!r} ends the schedule of {own!r}")
            if not lost and record.check != (record.serial - 1 or LAST_SERIAL):
                raise Broken(columns(Trailer, "check"), f"{record.check:06d} is not the last record before")

    def done(self) -> DataSet:
        if self.header is None:
            raise Broken("", "there is no schedule: the file has no header, record type 1")
        if not self.lost and self.carrier is not UNKNOWN:
            if self.carrier is not None:
                raise Broken("", "the file is cut off: there is no trailer, record type 5")
            if not self.sections:
                raise Broken("", "there is no carrier record, type 2")
            if self.sections[-1].trailer.end == "C":
                said = "the file is cut off: by the last trailer, column 194, another carrier's schedule follows"
                raise Broken("", said)
        return DataSet(self.header, tuple(self.sections))
