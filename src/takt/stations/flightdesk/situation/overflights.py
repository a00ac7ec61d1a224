"""EUROCONTROL's DAIO CSVs: how the overflights of each corridor's states changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from takt.contract.station import TaktError
from takt.stations.flightdesk.situation import files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAMES: files.Names = {
    "date": ("entry_date",),
    "code": ("country_icao_code",),
    "state": ("country_name",),
    "overflights": ("flt_o",),
}
WEEKS, SKIPPED = 4, 0  # weeks whose median is normal, and weeks left out between them and the first day
LEAST = 10.0  # overflights a day below which a change in percent says nothing

# Europe - East Asia, by the states that EUROCONTROL reports on: ICAO code and corridor, which is a choice of ours. A
# state where the corridors have not parted yet (Germany, Austria, Hungary, ...) has none. Azerbaijan and Kazakhstan, in
# the middle, Russia, in the north, and the Gulf do not report.
CORRIDORS = {
    "LT": "south",  # Türkiye, towards Iraq, Iran and the Gulf's hubs
    "LC": "south",  # Cyprus
    "LL": "south",  # Israel
    "LG": "south",  # Greece, towards Cyprus and Egypt
    "LB": "middle",  # Bulgaria, towards the Black Sea (and to Türkiye: it is before the south too)
    "LR": "middle",  # Romania, the same
    "UG": "middle",  # Georgia
    "UD": "middle",  # Armenia
    "EF": "north",  # Finland, towards Siberia
    "EE": "north",  # Estonia
    "EV": "north",  # Latvia
    "EY": "north",  # Lithuania
    "ES": "north",  # Sweden
    "EN": "north",  # Norway, by the pole
}
ORDER = ("north", "middle", "south")


@dataclass(frozen=True, slots=True)
class Line:
    """A state's overflights, or those of all states of a corridor together (`code` is empty), day by day.

    overflights, normal  flights a day; None on a day that is not in the files, or not normal.
    change               the share of normal by which they differ: -0.5 is half; None if normal is below `LEAST`.
    """

    corridor: str
    code: str
    state: str
    overflights: list[int | None]
    normal: list[float | None]
    change: list[float | None]


def read(paths: Sequence[Path], dates: str | None = None) -> DuckDBPyConnection:
    """A database with the files together: a table `overflights` of `date`, `code` (ICAO), `state` and `count`.

    `flt_o` is what is left of all flights, so for a shut sky it can be -1 (Moldova, Ukraine): that is 0 here.
    """
    db = files.open_database()
    db.execute("CREATE TABLE overflights (date DATE, code VARCHAR, state VARCHAR, count BIGINT)")
    for path in paths:
        sheet = files.read(db, path, NAMES, {})
        for key, (name,) in NAMES.items():
            if key not in sheet.named:
                raise TaktError(f"{path}, line 1: no column {name}, so this is no DAIO file")
        when, count = files.as_date("date", files.day_first(sheet, "date", dates)), files.as_count("overflights")
        files.refuse(sheet, "date", f"{when} IS NULL", "is no date like 2026-02-28")
        files.refuse(sheet, "overflights", f"{count} IS NULL", "is no whole number")
        files.refuse(sheet, "code", "code IS NULL", "is no state's code")
        files.refuse(sheet, "state", "state IS NULL", "is no state's name")
        columns = f"{when}, upper(code), state, greatest({count}, 0)"
        db.execute(f"INSERT INTO overflights SELECT {columns} FROM {files.SHEET}")
    query = (
        "SELECT any_value(state), date FROM overflights GROUP BY code, date HAVING count(*) > 1 ORDER BY 2, 1 LIMIT 1"
    )
    if twice := db.execute(query).fetchone():
        raise TaktError(f"{', '.join(map(str, paths))}: {twice[0]} is there twice on {twice[1]}")
    return db


def normal_days(first: date, weeks: int = WEEKS, skip: int = SKIPPED) -> tuple[date, date]:
    """The first and last day of the `weeks` that are normal: they end `skip` weeks before the day before `first`."""
    last = first - timedelta(days=7 * skip + 1)
    return last - timedelta(days=7 * weeks - 1), last


def changes(
    db: DuckDBPyConnection, first: date, last: date, weeks: int = WEEKS, skip: int = SKIPPED
) -> tuple[list[date], list[Line]]:
    """How the overflights of each corridor's states changed, day by day from `first` to `last`.

    weeks, skip  normal is the median of the same weekday in `weeks` weeks, which end `skip` weeks before `first`.

    Gives the days, and by corridor a line for each state, by name, and one for all of them together, which counts a
    flight in every state that it crosses. `TaktError` if a day is not in the files.
    """
    begin, end = normal_days(first, weeks, skip)
    _require_days(db, begin, end, "the normal weeks")
    _require_days(db, first, last, "the days asked for")
    query = """
WITH normal AS (
  SELECT code, isodow(date) AS weekday, median(count) AS normal
  FROM overflights WHERE date BETWEEN $begin AND $end GROUP BY ALL
)
SELECT overflights.code, state, date, count, normal
FROM overflights LEFT JOIN normal ON normal.code = overflights.code AND weekday = isodow(date)
WHERE date BETWEEN $first AND $last AND overflights.code IN (SELECT unnest($codes)) ORDER BY overflights.code, date"""
    given = {"begin": begin, "end": end, "first": first, "last": last, "codes": list(CORRIDORS)}
    found = db.execute(query, given).fetchall()
    if not found:
        raise TaktError(f"the files have no state of a corridor; these are: {', '.join(CORRIDORS)}")
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    states = []
    for code, rows in groupby(found, key=lambda row: row[0]):
        by_day = {day: (name, count, normal) for _, name, day, count, normal in rows}
        name = next(iter(by_day.values()))[0]
        counts = [by_day[day][1] if day in by_day else None for day in days]
        normals = [by_day[day][2] if day in by_day else None for day in days]
        states.append(_line(CORRIDORS[code], code, name, counts, normals))
    lines: list[Line] = []
    for corridor in ORDER:
        mine = sorted((line for line in states if line.corridor == corridor), key=lambda line: line.state)
        if mine:
            lines += [*mine, _together(corridor, mine)]
    return days, lines


def _require_days(db: DuckDBPyConnection, first: date, last: date, what: str) -> None:
    query = """
SELECT min(day)::DATE, (SELECT min(date) FROM overflights), (SELECT max(date) FROM overflights)
FROM range($first::DATE, $last::DATE + 1, INTERVAL 1 DAY) AS days (day)
WHERE day::DATE NOT IN (SELECT date FROM overflights)"""
    missing, begin, end = db.execute(query, {"first": first, "last": last}).fetchall()[0]
    if missing is not None:
        raise TaktError(
            f"the files have no overflights on {missing}, of {what} ({first} to {last}); "
            f"they go from {begin} to {end}: give more files, or other days"
        )


def _together(corridor: str, lines: Sequence[Line]) -> Line:
    """The sum of a corridor's states, each day of those that have both a count and a normal."""
    counts: list[int | None] = []
    normals: list[float | None] = []
    for day in range(len(lines[0].overflights)):
        both = [(line.overflights[day], line.normal[day]) for line in lines]
        full = [(count, normal) for count, normal in both if count is not None and normal is not None]
        counts.append(sum(count for count, _ in full) if full else None)
        normals.append(sum(normal for _, normal in full) if full else None)
    return _line(corridor, "", "all of it", counts, normals)


def _line(corridor: str, code: str, state: str, counts: list[int | None], normals: list[float | None]) -> Line:
    change = [
        None if count is None or normal is None or normal < LEAST else count / normal - 1
        for count, normal in zip(counts, normals, strict=True)
    ]
    return Line(corridor, code, state, counts, normals, change)
