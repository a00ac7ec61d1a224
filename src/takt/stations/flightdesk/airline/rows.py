"""Rows of the challenge's files: read strictly, so that what is wrong is named with file and line; and written."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.instance import (
    DAY,
    Layout,
)
from takt.writing import CHALLENGE, whole_file

FAR = 366  # days from the recovery period at which a date is taken for a slip of the pen
FILES = (
    "config",
    "airports",
    "dist",
    "aircraft",
    "flights",
    "rotations",
    "itineraries",
    "position",
    "alt_flights",
    "alt_aircraft",
    "alt_airports",
)


class Row:
    """One row of a file: its fields, asked for by place and name, and where it is if one of them is wrong."""

    __slots__ = ("fields", "file", "line")

    def __init__(self, file: str, line: int, fields: list[str]) -> None:
        self.file, self.line, self.fields = file, line, fields

    def wrong(self, name: str, problem: str) -> TaktError:
        return TaktError(f"{self.file}.csv, line {self.line}, {name}: {problem}")

    def text(self, at: int, name: str) -> str:
        if at >= len(self.fields):
            raise self.wrong(name, f"is missing; the line has {len(self.fields)} fields")
        return self.fields[at]

    def whole(self, at: int, name: str, least: int = 0, most: int = 2**31 - 1) -> int:
        text = self.text(at, name)
        try:
            value = whole_number(text)
        except ValueError:
            raise self.wrong(name, f"{text!r} is not a whole number") from None
        if not least <= value <= most:
            raise self.wrong(
                name, f"cannot be {text}; give {f'{least} or more' if value < least else f'{most} or less'}"
            )
        return value

    def amount(self, at: int, name: str) -> float:
        text = self.text(at, name)
        try:
            value = real_number(text)
        except ValueError:
            raise self.wrong(name, f"{text!r} is not a number") from None
        if not 0 <= value < 1e12:
            raise self.wrong(name, f"cannot be {text}; give 0 or more")
        return value

    def one_of(self, at: int, name: str, known: Mapping[str, int]) -> int:
        text = self.text(at, name)
        if text not in known:
            raise self.wrong(name, f"{text!r} is unknown")
        return known[text]

    def date(self, at: int, name: str) -> int:
        """Days since year 1 (`date.toordinal`)."""
        text = self.text(at, name)
        day = _DATES.get(text)
        if day is None:
            try:
                d, m, y = _digits(text.split("/"))
                day = date(2000 + y, m, d).toordinal()
            except (ValueError, OverflowError):
                raise self.wrong(name, f"{text!r} is not a date; write it as 07/01/06") from None
            _DATES[text] = day
        return day

    def near(self, at: int, name: str, since: int, until: int) -> int:
        """`date`, of a day near the recovery period, `since` to `until`: minutes are counted from the first of all,
        and a wrong year would make them too many."""
        day = self.date(at, name)
        if not since - FAR <= day <= until + FAR:
            raise self.wrong(name, f"{self.fields[at]} is more than {FAR} days from the recovery period in config.csv")
        return day

    def time(self, at: int, name: str) -> int:
        """Minutes of the day; 24 h and more with a `+1`."""
        text = self.text(at, name)
        minute = _TIMES.get(text)
        if minute is None:
            hours, plus, days = text.partition("+")
            try:
                h, m = _digits(hours.split(":"))
                (over,) = _digits([days]) if plus else (0,)
            except ValueError:
                h = m = -1
            if not (0 <= h * 60 + m <= DAY and m < 60):
                raise self.wrong(name, f"{text!r} is not a time; write it as 09:05 or 00:10+1")
            minute = _TIMES[text] = over * DAY + h * 60 + m
        return minute


def whole_number(text: str) -> int:
    """A whole number in plain digits. Raises ValueError, also for what Python takes besides: 1_0, other scripts."""
    if "_" in text or not text.isascii():
        raise ValueError
    return int(text)


def real_number(text: str) -> float:
    """A number in plain digits, as `whole_number`."""
    if "_" in text or not text.isascii():
        raise ValueError
    return float(text)


def _digits(parts: list[str]) -> list[int]:
    """The parts as numbers of at most two digits. Raises ValueError."""
    if not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        raise ValueError
    return [int(part) for part in parts]


_DATES: dict[str, int] = {}  # a file has tens of thousands of dates and times, and few different ones
_TIMES: dict[str, int] = {}


def plain_text(data: bytes, name: str, encoding: str) -> str:
    """A file's text, `encoding` "ascii" or "utf-8". Raises TaktError with line and character if it is none."""
    wanted = encoding.upper()
    if data[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        raise TaktError(f"{name} is UTF-16, not plain text; save it as {wanted}")
    if encoding == "utf-8":
        data = data.removeprefix(BOM_UTF8)
    try:
        text, at = data.decode(encoding), data.find(b"\0")
    except UnicodeDecodeError as error:
        text, at = "", error.start
    if at < 0:
        return text
    before = data[:at].decode("utf-8", "replace").split("\n")
    where = f"{name}, line {len(before)}, character {len(before[-1]) + 1}"
    raise TaktError(f"{where}: the byte {data[at]:#04x} is not plain text; save the file as {wanted}")


def read_rows(path: Path) -> tuple[list[Row], Layout]:
    """The rows of a file up to the line that begins with `#`, and how they end."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise TaktError(f"{path} is missing") from None
    except OSError as error:
        raise TaktError(f"cannot read {path}: {error.strerror or error}") from None
    text = plain_text(data, path.name, "ascii")
    rows: list[Row] = []
    ends: list[str] = []
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            break
        body = line.rstrip(" #\r\t")
        if body:
            rows.append(Row(path.stem, number, body.split()))
            ends.append(line[len(body) :])
        at += len(line) + 1
    else:
        raise TaktError(f"{path.name} ends at line {number} without a line `#`: it is cut off")
    same = len(set(ends)) <= 1
    return rows, Layout((ends[0] if ends else " ") if same else tuple(ends), text[at:])


def write_rows(path: Path, rows: Sequence[str], layout: Layout) -> None:
    ends = [layout.ends] * len(rows) if isinstance(layout.ends, str) else list(layout.ends)
    if len(ends) != len(rows):  # position.csv may have an airport twice; it is written once
        ends = [" "] * len(rows)
    text = "".join(f"{row}{end}\n" for row, end in zip(rows, ends, strict=True)) + layout.tail
    with whole_file(path, CHALLENGE) as new:
        new.write_bytes(text.encode())
