"""What `takt flightdesk situation` prints: reads, analyses, and makes JSON and tables of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from takt.contract.figure import per_cent
from takt.contract.station import TaktError
from takt.stations.flightdesk.situation import fares, files, flights, overflights, tables

AROUND = timedelta(days=7)  # what is shown before and after the day
ROUTES = 6  # routes that are printed


@dataclass(frozen=True, slots=True)
class Told:
    """What the command says: as JSON, as tables and lines to print, the page if one was written, and warnings."""

    json: dict[str, Any]
    printed: list[Table | str]
    page: Path | None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What every board is asked for: files, its day, the first and the last day that are shown (YYYY-MM-DD), which
    column is what, how days are written, and the page to write."""

    paths: Sequence[Path]
    day: str | None = None
    since: str | None = None
    until: str | None = None
    columns: str | None = None
    dates: str | None = None
    out: Path | None = None

    def only_file(self, what: str) -> Path:
        if len(self.paths) != 1:
            raise TaktError(f"{len(self.paths)} files are given, and it is one {what}")
        return self.paths[0]

    def names(self, known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
        return files.parse_columns(self.columns, known) if self.columns is not None else {}

    def days(self) -> tuple[date | None, date | None, date | None]:
        """The board's day, the first and the last."""
        return _day("--day", self.day), _day("--from", self.since), _day("--to", self.until)

    def order(self) -> str | None:
        """Of day and month."""
        if self.dates not in (None, "day-first", "month-first"):
            raise TaktError(f"--dates {self.dates!r} is neither day-first nor month-first")
        return self.dates


def refuse(what: str, options: Mapping[str, object]) -> None:
    """`TaktError` if an option is given that says nothing here."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise TaktError(f"{name} says nothing with {what}; leave it out")


def tell_flights(asked: Asked) -> Told:
    """The board of one flight-status file."""
    path = asked.only_file("flight-status CSV; for DAIO files: --overflights")
    given, (today, first, last) = asked.names(flights.NAMES), asked.days()
    db = flights.read(path, given, asked.order())
    begin, end, departed = flights.span(db)
    today = today or departed
    airports = flights.destinations(db, today)
    if not airports:
        raise TaktError(f"{path} has no flight scheduled on {today}, the --day; it goes from {begin} to {end}")
    first, last = first or today - AROUND, last or today + AROUND
    if not first <= today <= last:
        raise TaktError(f"--day {today} is not from {first} to {last}, the --from and --to")
    days = flights.cancellations(db, today, first, last)
    codes = {
        status: flights.of_status(airports, status) for status in (flights.CAME_BACK, flights.STILL_SHUT, flights.SHUT)
    }
    told = {
        "source": path.name,
        "day": f"{today}",
        "left_out": flights.left_out(db),
        "days": [_plain(row) for row in days],
        **{status.replace(" ", "_"): names for status, names in codes.items()},
        "destinations": [_plain(airport) for airport in airports],
    }
    page = None
    if asked.out is not None:
        from takt.stations.flightdesk.situation.page import write_flights

        page = write_flights(asked.out, path.name, today, days, airports, flights.origins(db, today))
    lines = [f"{status} on {today}, {len(names)}: {' '.join(names) or 'none'}" for status, names in codes.items()]
    return Told(told, [_days(path.name, days), "", *lines], page, files.notes(db))


def tell_overflights(asked: Asked, weeks: int | None, skip: int | None) -> Told:
    """The board of EUROCONTROL's overflights."""
    today, first, last = asked.days()
    if first is None or last is None:
        raise TaktError("--overflights needs the first and the last day: --from 2026-02-28 --to 2026-03-08")
    if last < first:
        raise TaktError(f"--to {last} is before --from {first}")
    today = today or last
    if not first <= today <= last:
        raise TaktError(f"--day {today}, the day of the map, is not from {first} to {last}, the --from and --to")
    weeks, skip = overflights.WEEKS if weeks is None else weeks, overflights.SKIPPED if skip is None else skip
    for name, value, least in (("weeks", weeks, 1), ("skip", skip, 0)):
        if not least <= value <= 520:
            raise TaktError(f"--{name} is {value}, and is from {least} to 520")
    if first.year < 1950:
        raise TaktError(f"--from {first} is before there were overflights; is it 2026-02-28 or the like?")
    days, lines = overflights.changes(overflights.read(asked.paths, asked.order()), first, last, weeks, skip)
    normal, source = overflights.normal_days(first, weeks, skip), ", ".join(path.name for path in asked.paths)
    rows = [asdict(line) for line in lines]
    told = {
        "source": source,
        "from": f"{first}",
        "to": f"{last}",
        "normal": {"from": f"{normal[0]}", "to": f"{normal[1]}", "weeks": weeks, "skip": skip},
        "days": [f"{on}" for on in days],
        "states": [row for row in rows if row["code"]],
        "corridors": [row for row in rows if not row["code"]],
    }
    page = None
    if asked.out is not None:
        from takt.stations.flightdesk.situation.page import write_overflights

        page = write_overflights(asked.out, source, days, lines, normal, weeks, today)
    return Told(told, [_states(lines, days, normal)], page)


def tell_fares(asked: Asked, route: str | None, by_flight: bool) -> Told:
    """The board of one file of fares."""
    path = asked.only_file("CSV of fares")
    given, (today, first, last) = asked.names(fares.NAMES), asked.days()
    db = fares.read(path, given, asked.order())
    fares.narrow(db, path, route, first, last, today)
    found, seats, seen = fares.lowest(db, by_flight), fares.seats_left(db), fares.days_seen(db)
    told = {
        "source": path.name,
        "seen": [f"{on}" for on in seen],
        "fares": [_plain(fare) for fare in found],
        "seats": [_plain(left) for left in seats],
    }
    page = None
    if asked.out is not None:
        from takt.stations.flightdesk.situation.page import write_fares

        page = write_fares(asked.out, path.name, found, seats, by_flight)
    printed: list[Table | str] = []
    groups = tables.routes(found)
    for name, mine in list(groups.items())[:ROUTES]:
        printed += _grid(f"{name}: lowest fare by travel date; a column for each day seen", tables.fares(mine))
    if len(groups) > ROUTES:
        printed.append(f"and {len(groups) - ROUTES} more routes: --route FROM-TO shows one, --json all")
    if seats:
        printed += _grid(f"seats left by travel date, seen on {max(left.seen for left in seats)}", tables.seats(seats))
    return Told(told, printed or ["no fare and no seats"], page, files.notes(db))


def _day(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise TaktError(f"{name} {text!r} is no date; write it like 2013-02-10") from None


def _plain(row: Any) -> dict[str, Any]:
    """A dataclass for JSON."""
    return {name: f"{value}" if isinstance(value, date) else value for name, value in asdict(row).items()}


def _days(name: str, days: Sequence[flights.Day]) -> Table:
    table = Table(title=f"{name}: cancelled by day", title_justify="left", box=None)
    for column in ("day", "", "scheduled", "flown", "cancelled", "rate"):
        table.add_column(column, justify="left" if column in ("day", "") else "right")
    for day in days:
        flown = f"{day.flown:,}" if day.past else "–"
        rate = "unknown" if day.rate is None else f"{per_cent(day.rate)} %"
        counts = (f"{day.scheduled:,}", flown, f"{day.cancelled:,}", rate)
        table.add_row(f"{day.date}", "past" if day.past else "to come", *counts)
    return table


def _states(lines: Sequence[overflights.Line], days: Sequence[date], normal: tuple[date, date]) -> Table:
    title = f"overflights, % against the weekday's median, {normal[0]} to {normal[1]}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("corridor", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for day in days:
        table.add_column(f"{day:%m-%d}", justify="right", no_wrap=True)
    before = None
    for line in lines:
        shown = ("–" if change is None else f"{round(100 * change):+d}" for change in line.change)
        table.add_row(line.corridor if line.corridor != before else "", line.state, *shown, end_section=not line.code)
        before = line.corridor
    return table


def _grid(title: str, shown: tables.Table) -> list[Table | str]:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for n, name in enumerate(shown.head):
        table.add_column(name, justify="left" if n < shown.words else "right", no_wrap=True)
    for row in shown.rows:
        table.add_row(*row)
    return [title, table, f"not shown: {shown.left_out}; --json has all" if shown.left_out else ""]
