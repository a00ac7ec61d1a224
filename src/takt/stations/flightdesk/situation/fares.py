"""A CSV of fares seen: the lowest by travel date and day seen, and the seats left by corridor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from takt.contract.station import TaktError
from takt.stations.flightdesk.situation import files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAMES: files.Names = {
    "seen": ("seen", "seen_at", "date_seen", "observed"),
    "flight": ("flight", "flights", "flight_number"),
    "origin": ("origin", "from"),
    "destination": ("destination", "dest", "to"),
    "departure": ("departure", "travel", "travel_date", "departure_date"),
    "corridor": ("corridor",),
    "seats": ("seats", "seats_left"),
    "fare": ("fare", "price"),
    "currency": ("currency",),
}
_NEEDED = {
    "seen": "the day it was seen",
    "flight": "the flight",
    "origin": "where it leaves",
    "destination": "where it goes",
    "departure": "the departure",
}


@dataclass(frozen=True, slots=True)
class Fare:
    """The lowest fare of a route on a travel date, as seen on a day; of one flight, or of all (`flight` is None)."""

    route: str
    flight: str | None
    travel: date
    seen: date
    fare: float
    currency: str


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats left in a corridor on a travel date, as last seen on a day, and on how many flights."""

    corridor: str
    travel: date
    seen: date
    seats: int
    flights: int


def read(path: Path, columns: Mapping[str, str] | None = None, dates: str | None = None) -> DuckDBPyConnection:
    """A database with a table `fares`, a row for each time that a flight was seen.

    columns  which column is what, by the keys of `NAMES`, where the file's names are others.

    dates    "day-first" or "month-first", for days such as 01/02/2026 where the file does not show it.

    The table has `number` (of the row), `moment` (as it is written), `seen` and `travel` (days), `route` (`MAD-PEK`),
    `flight`, `corridor`, `seats` (null: not known), `fare` (null: not on sale), `currency`.
    """
    db = files.open_database()
    sheet = files.read(db, path, NAMES, columns or {})
    has = sheet.named
    files.require(sheet, _NEEDED)
    if "fare" not in has and not {"seats", "corridor"} <= set(has):
        raise files.no_column(path, sheet.header, "the fare, nor for both the seats and the corridor", "fare")
    if "fare" in has:
        files.require(sheet, {"currency": "the currency"})
    when = {key: files.as_date(key, files.day_first(sheet, key, dates)) for key in ("seen", "departure")}
    for key, day in when.items():
        files.refuse(sheet, key, f"{day} IS NULL", "is no date like 2026-03-01")
    for key, what in (("flight", "flight"), ("origin", "airport"), ("destination", "airport")):
        files.refuse(sheet, key, f"{key} IS NULL", f"is no {what}")
    seats, fare = files.as_count("seats"), "try_cast(fare AS DOUBLE)"
    if "seats" in has:
        files.refuse(sheet, "seats", f"seats IS NOT NULL AND coalesce({seats} < 0, true)", "is no number of seats")
    if "fare" in has:
        wrong = f"fare IS NOT NULL AND NOT coalesce({fare} > 0 AND isfinite({fare}), false)"
        files.refuse(sheet, "fare", wrong, "is no fare like 16007 or 780.50")
        files.refuse(sheet, "currency", "fare IS NOT NULL AND currency IS NULL", "is no currency")
    columns_sql = {
        "number": "number",
        "moment": "seen",
        "seen": when["seen"],
        "travel": when["departure"],
        "route": "upper(origin) || '-' || upper(destination)",
        "flight": "flight",
        "corridor": "lower(corridor)" if "corridor" in has else "NULL::VARCHAR",
        "seats": seats if "seats" in has else "NULL::BIGINT",
        "fare": fare if "fare" in has else "NULL::DOUBLE",
        "currency": "upper(currency)" if "currency" in has else "NULL::VARCHAR",
    }
    files.keep_notes(sheet)
    chosen = ", ".join(f"{text} AS {name}" for name, text in columns_sql.items())
    db.execute(f"CREATE TABLE fares AS SELECT {chosen} FROM {files.SHEET}")
    return db


def narrow(
    db: DuckDBPyConnection, path: Path, route: str | None, first: date | None, last: date | None, day: date | None
) -> None:
    """Leave only the fares of a route, of travel dates from `first` to `last`, seen on `day` or before.

    `TaktError` if there are none.
    """
    if route is not None:
        routes = [name for (name,) in db.execute("SELECT DISTINCT route FROM fares ORDER BY route").fetchall()]
        if route.upper() not in routes:
            more = f" and {len(routes) - 20} more" if len(routes) > 20 else ""
            raise TaktError(f"{path} has no route {route}; there are: {', '.join(routes[:20])}{more}")
    query = """
DELETE FROM fares
WHERE route <> coalesce($route, route) OR travel < coalesce($first, travel) OR travel > coalesce($last, travel)
   OR seen > coalesce($day, seen)"""
    db.execute(query, {"route": route and route.upper(), "first": first, "last": last, "day": day})
    if db.execute("SELECT count(*) FROM fares").fetchone() == (0,):
        raise TaktError(f"{path} has no fare of those travel dates (--from, --to), seen by then (--day)")


def days_seen(db: DuckDBPyConnection) -> list[date]:
    """The days on which something was seen."""
    return [day for (day,) in db.execute("SELECT DISTINCT seen FROM fares ORDER BY seen").fetchall()]


def lowest(db: DuckDBPyConnection, by_flight: bool = False) -> list[Fare]:
    """The lowest fare by route, currency, travel date and day seen, and by flight if that is asked."""
    flight = "flight" if by_flight else "NULL::VARCHAR"
    query = f"""
SELECT route, {flight} AS flight, travel, seen, min(fare), currency
FROM fares WHERE fare IS NOT NULL GROUP BY ALL ORDER BY route, currency, flight, travel, seen"""
    return [Fare(*row) for row in db.execute(query).fetchall()]


def seats_left(db: DuckDBPyConnection) -> list[Seats]:
    """Seats by corridor, travel date and day seen.

    Of a flight that was seen several times on a day, the last time counts: by the moment as it is written, then by row.
    """
    query = """
WITH last_time AS (
  SELECT corridor, travel, seen, flight, route, arg_max(seats, (moment, number)) AS seats
  FROM fares WHERE corridor IS NOT NULL AND seats IS NOT NULL GROUP BY ALL
)
SELECT corridor, travel, seen, sum(seats)::BIGINT, count(*)
FROM last_time GROUP BY ALL ORDER BY corridor, travel, seen"""
    return [Seats(*row) for row in db.execute(query).fetchall()]
