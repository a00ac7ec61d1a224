"""CSV files with named columns. Names are as documented, whatever their case and order; others are passed over.

A broken value is a `Broken` with the number and the name of its column; `each` makes it a problem and goes on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path
from typing import TypeVar

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.imports.problems import Broken, Problems
from takt.stations.flightdesk.airline.rows import plain_text, real_number, whole_number

T = TypeVar("T")


class Row:
    """A row: its values by name. A value that is blank is missing."""

    __slots__ = ("at", "line", "values")

    def __init__(self, line: int, values: Sequence[str], at: dict[str, int]) -> None:
        self.line, self.values, self.at = line, values, at

    def column(self, name: str) -> str:
        return f"column {self.at[name] + 1} ({name})" if name in self.at else f"column {name}"

    def wrong(self, name: str, problem: str) -> Broken:
        return Broken(self.column(name), problem)

    def get(self, name: str) -> str:
        """The value, "" if it is missing."""
        i = self.at.get(name, len(self.values))
        return self.values[i].strip() if i < len(self.values) else ""

    def text(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise self.wrong(name, "is missing")
        return value

    def word(self, name: str) -> str:
        """A name without blanks and #, which end a field and a line in the challenge's format."""
        value = self.text(name)
        if any(letter.isspace() for letter in value) or not value.isascii() or value.strip("#") != value:
            raise self.wrong(name, f"{value!r} is not a plain word without blanks, and without # before or after it")
        return value

    def code(self, name: str) -> str:
        """An airport."""
        value = self.text(name).upper()
        if len(value) != 3 or not value.isalpha() or not value.isascii():
            raise self.wrong(name, f"{value!r} is not an airport; write it as CDG")
        return value

    def whole(self, name: str, least: int = 0, most: int = 2**31 - 1) -> int:
        value = self.text(name)
        try:
            number = whole_number(value)
        except ValueError:
            raise self.wrong(name, f"{value!r} is not a whole number") from None
        if number > most:
            raise self.wrong(name, f"cannot be {value}; give {most} or less")
        if number < least:
            raise self.wrong(name, f"cannot be {value}; give {least} or more")
        return number

    def amount(self, name: str) -> float:
        value = self.text(name)
        try:
            number = real_number(value)
        except ValueError:
            raise self.wrong(name, f"{value!r} is not a number") from None
        if not 0 <= number < 1e12:
            raise self.wrong(name, f"cannot be {value}; give 0 or more")
        return number

    def day(self, name: str) -> date:
        value = self.text(name)
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise self.wrong(name, f"{value!r} is not a date; write it as 2026-01-07") from None

    def moment(self, name: str) -> datetime:
        value = self.text(name)
        try:
            return moment(value)
        except ValueError as error:
            raise self.wrong(name, str(error)) from None

    def one_of(self, name: str, known: Mapping[str, T]) -> T:
        value = self.text(name)
        if value not in known:
            few = ", ".join(list(known)[:12])
            raise self.wrong(name, f"{value!r} is unknown" + (f"; there are {few}" if len(known) <= 12 else ""))
        return known[value]


def moment(text: str) -> datetime:
    """A time in UTC, to the minute: 2026-01-07T15:00Z; another offset is converted, none is UTC. Raises ValueError."""
    wrong = f"{text!r} is not a time; write it as 2026-01-07T15:00Z"
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(wrong) from None
    if len(text) <= 10 or value.second or value.microsecond:
        raise ValueError(wrong)
    told = value.tzinfo is not None and 1 < value.year < 9999  # the first and the last year may have no UTC
    utc = value.astimezone(UTC) if told else value.replace(tzinfo=UTC)
    if not 2000 <= utc.year < 2100:
        raise ValueError(f"cannot be {text}; an instance has years of two digits, 2000 to 2099")
    return utc


def read_rows(path: str | PathLike[str], needed: Sequence[str], known: Sequence[str]) -> list[Row]:
    """The rows of a file that has the `needed` columns and may have those `known`. Raises TaktError if it has not."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TaktError(f"cannot read {path}: {error.strerror or error}") from None
    text = plain_text(data, path.name, "utf-8").replace("\r\n", "\n").replace("\r", "\n")
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
    line = 1  # where a row begins; it may go on over several
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in needed if name not in names]
        if missing:
            has = ", ".join(names) or "none"
            raise TaktError(f"{path.name}, line 1: there is no column {', '.join(missing)}; it has {has}")
        at: dict[str, int] = {}
        for i, name in enumerate(names):
            if name in at:
                raise TaktError(f"{path.name}, line 1: {name} is there twice, in columns {at[name] + 1} and {i + 1}")
            if name in needed or name in known:
                at[name] = i
        rows, line = [], reader.line_num + 1
        for values in reader:
            if any(value.strip() for value in values):
                rows.append(Row(line, values, at))
            line = reader.line_num + 1
        return rows
    except csv.Error:
        raise TaktError(f"{path.name}, line {line}: no line of a CSV; is a quote missing, or one too many?") from None


def each(rows: Sequence[Row], file: str, problems: Problems, take: Callable[[Row], T]) -> Iterator[T]:
    """What `take` makes of each row; a row that is broken becomes a problem."""
    for row in rows:
        try:
            yield take(row)
        except Broken as error:
            problems.add(file, row.line, error)
