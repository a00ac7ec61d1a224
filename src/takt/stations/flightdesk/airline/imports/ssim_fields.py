"""Fields of SSIM's fixed-width records: how each kind is read and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import date
from typing import Any, NamedTuple

WIDTH = 200
UTC, LOCAL = "U", "L"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
OPEN = "00XXX00"  # a date: from the start, or until the end, of the schedule's validity
EVERY_DAY = 0b1111111


class Kind(NamedTuple):
    """How a field's text becomes a value, and back. `read` raises ValueError with what would be right."""

    read: Callable[[str], Any]
    write: Callable[[Any, int], str]


def _read_text(text: str) -> str:
    return text.rstrip(" ")


def _write_text(value: str, width: int) -> str:
    if len(value) > width or not all(" " <= letter <= "~" for letter in value) or value.endswith(" "):
        raise ValueError(f"cannot be {value!r}: at most {width} printable letters, no blank at the end")
    return value.ljust(width)


def _number(fill: str) -> Kind:
    def read(text: str) -> int:
        if not (text.isascii() and text.strip().isdigit()):
            raise ValueError(f"{text!r} is not a number")
        return int(text)

    def write(value: int, width: int) -> str:
        if not 0 <= value < 10**width:
            raise ValueError(f"{value} does not fit into {width} digits")
        return str(value).rjust(width, fill)

    return Kind(read, write)


def _read_number_or_none(text: str) -> int | None:
    return NUMBER.read(text) if text.strip() else None


def _read_date(text: str) -> date | None:
    if text == OPEN:
        return None
    month = text[2:5].upper()
    if not (text[:2].isdigit() and text[5:].isdigit() and month in MONTHS):
        raise ValueError(f"{text!r} is not a date; write it as 07JAN26")
    try:
        return date(2000 + int(text[5:]), MONTHS.index(month) + 1, int(text[:2]))
    except ValueError:
        raise ValueError(f"{text!r} is not a day of that month") from None


def _write_date(value: date | None, _width: int) -> str:
    if value is None:
        return OPEN
    if not 2000 <= value.year < 2100:
        raise ValueError(f"{value} is not a year of two digits")
    return f"{value.day:02d}{MONTHS[value.month - 1]}{value.year - 2000:02d}"


def _read_date_or_blank(text: str) -> date | None:
    return None if not text.strip() else _read_date(text)


def _write_date_or_blank(value: date | None, width: int) -> str:
    return " " * width if value is None else _write_date(value, width)


def _read_days(text: str) -> int:
    """Days of operation, Monday first, as a mask: bit 0 is Monday."""
    mask = 0
    for i, letter in enumerate(text):
        if letter == str(i + 1):
            mask |= 1 << i
        elif letter not in " 0":
            raise ValueError(f"{text!r} are not days; write 1 (Monday) to 7 each in its place, else a blank")
    if not mask:
        raise ValueError("there is no day of operation")
    return mask


def _write_days(mask: int, _width: int) -> str:
    if not 0 < mask <= EVERY_DAY:
        raise ValueError(f"{mask} is not a mask of seven days")
    return "".join(str(i + 1) if mask >> i & 1 else " " for i in range(7))


def _read_time(text: str) -> int:
    if not (len(text) == 4 and text.isdigit()) or int(text[2:]) > 59 or int(text) > 2400:
        raise ValueError(f"{text!r} is not a time; write it as 0905")
    return int(text[:2]) * 60 + int(text[2:])


def _write_time(minute: int, _width: int) -> str:
    if not 0 <= minute <= 1440:
        raise ValueError(f"{minute} is not a minute of the day")
    return f"{minute // 60:02d}{minute % 60:02d}"


def _read_variation(text: str) -> int:
    if text[:1] not in "+-" or not text[1:].isdigit() or int(text[3:]) > 59 or int(text[1:]) > 1400:
        raise ValueError(f"{text!r} is not a variation; write it as +0100")
    minutes = int(text[1:3]) * 60 + int(text[3:])
    return -minutes if text[0] == "-" else minutes


def _write_variation(minutes: int, _width: int) -> str:
    if abs(minutes) > 14 * 60:
        raise ValueError(f"{minutes} min is no variation from UTC")
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _read_shifts(text: str) -> tuple[int | None, int | None]:
    """Days after the date at the flight's origin: of departure, of arrival. A is the day before; blank is None."""
    days: list[int | None] = []
    for letter in text:
        if letter not in " 01234567A":
            raise ValueError(f"{text!r} is not a date variation; write 0 to 7, or A for the day before, twice")
        days.append({"A": -1, " ": None}[letter] if letter in "A " else int(letter))
    return days[0], days[1]


def _write_shifts(days: tuple[int | None, int | None], _width: int) -> str:
    if not all(day is None or -1 <= day <= 7 for day in days):
        raise ValueError(f"{days} are no date variations: -1 to 7")
    return "".join(" " if day is None else "A" if day < 0 else str(day) for day in days)


TEXT = Kind(_read_text, _write_text)
NUMBER, ZEROS = _number(" "), _number("0")
NUMBER_OR_NONE = Kind(_read_number_or_none, lambda v, width: " " * width if v is None else NUMBER.write(v, width))
DATE = Kind(_read_date, _write_date)
DATE_OR_BLANK = Kind(_read_date_or_blank, _write_date_or_blank)
DAYS = Kind(_read_days, _write_days)
TIME = Kind(_read_time, _write_time)
VARIATION = Kind(_read_variation, _write_variation)
SHIFTS = Kind(_read_shifts, _write_shifts)


def at(first: int, last: int, kind: Kind, **default: Any) -> Any:
    """A field in these columns."""
    return field(metadata={"first": first, "last": last, "kind": kind}, **default)
