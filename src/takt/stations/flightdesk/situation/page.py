"""The situation board as files: its tables as CSV, its plots as SVG and PNG, and one page of both, `index.html`.

The page needs no network and no JavaScript, and looks as the report of a shift does; see `takt.show.report`. All is
drawn before anything is written, and the page is written last.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from takt.draw import plots
from takt.draw.pages import templates
from takt.printable import cell
from takt.stations.flightdesk.situation import map as maps
from takt.stations.flightdesk.situation import plots as drawn
from takt.stations.flightdesk.situation import tables
from takt.stations.flightdesk.situation.fares import Fare, Seats
from takt.stations.flightdesk.situation.flights import CAME_BACK, FLOWN, SHUT, STILL_SHUT, Day, Destination, of_status
from takt.stations.flightdesk.situation.overflights import Line
from takt.writing import PAGE as PAGE_OF_OURS
from takt.writing import check_folder, whole_files

PAGE = "index.html"
NAMED = 40  # destinations that get their name on the map
ROUTES = 6  # routes that the page shows
HOME = "where flights leave"
STATUSES = {
    FLOWN: maps.Kind(plots.ACCENT, size=4.5),
    STILL_SHUT: maps.Kind(plots.BAD),
    SHUT: maps.Kind(plots.WARN),
    CAME_BACK: maps.Kind(plots.GOOD),
    HOME: maps.Kind(plots.INK, "s", 5),
}
WAYS = {name: maps.Kind(color, size=9) for name, color in drawn.CORRIDORS.items()}


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot: it goes into the page, and becomes a .svg and a .png."""

    title: str
    height: int
    draw: maps.Draw

    def inside(self) -> plots.Plot:
        return plots.plot(self.title, self.height, self.draw)


def write_flights(
    out: Path, source: str, day: date, days: Sequence[Day], airports: Sequence[Destination], origins: Sequence[str]
) -> Path:
    """The board of a flight-status file into the folder `out`; gives the page's path."""
    where = maps.places([*(airport.destination for airport in airports), *origins])
    pictures = {"cancellations": Picture("Flown and cancelled by day", drawn.RATE_HEIGHT, drawn.rates(days))}
    placed = [airport for airport in airports if airport.destination in where]
    if placed:
        named = [airport.destination for airport in placed if airport.status != FLOWN][:NAMED]
        dots = [
            maps.Dot(where[airport.destination], airport.status, airport.destination * (airport.destination in named))
            for airport in placed
        ]
        dots += [maps.Dot(where[code], HOME) for code in origins if code in where]
        draw, height = maps.dots(dots, STATUSES)
        pictures["map"] = Picture(f"Destinations on {day}", height, draw)
    told = {
        "title": f"{day}",
        "source": source,
        "days": days,
        "worst_first": sorted(days, key=lambda row: (row.rate is None, -(row.rate or 0.0), row.date)),
        "today": next(row for row in days if row.date == day),
        "airports": airports,
        "counts": Counter(airport.status for airport in airports),
        "back": of_status(airports, CAME_BACK),
        "shut": of_status(airports, STILL_SHUT) + of_status(airports, SHUT),
        "unplaced": [airport.destination for airport in airports if airport.destination not in where],
        **{name: picture.inside() for name, picture in pictures.items()},
    }
    return _write(out, "flights.html.j2", {"cancellations": days, "destinations": airports}, pictures, told)


@dataclass(frozen=True, slots=True)
class _Overflights:
    """A row of overflights.csv."""

    corridor: str
    code: str
    state: str
    date: date
    overflights: int | None
    normal: float | None
    change: float | None


def write_overflights(
    out: Path,
    source: str,
    days: Sequence[date],
    lines: Sequence[Line],
    normal: tuple[date, date],
    weeks: int,
    day: date,
) -> Path:
    """The board of overflights into the folder `out`; gives the page's path.

    normal  the first and last day of the normal weeks.
    day     the day of the map.
    """
    span = f"{days[0]} to {days[-1]}"
    pictures = {
        "overflights": Picture(
            f"Overflights by corridor, {span}, against normal", drawn.PANELS_HEIGHT, drawn.corridors(days, lines)
        )
    }
    where, at = maps.states([line.code for line in lines if line.code]), days.index(day)
    dots = [
        maps.Dot(where[line.code], line.corridor, f"{line.state} {_change(line.change[at])}")
        for line in lines
        if line.code in where
    ]
    shown = None
    if dots:
        draw, height = maps.dots(dots, WAYS)
        pictures["map"] = Picture(f"Overflights on {day}, against normal", height, draw)
        shown = pictures["map"].inside()
    told = {
        "title": span,
        "source": source,
        "days": days,
        "lines": lines,
        "normal": normal,
        "weeks": weeks,
        "corridors": {
            name: plots.plot(f"Overflights, {name} corridor", drawn.PANEL_HEIGHT, drawn.corridor(days, lines, name))
            for name in dict.fromkeys(line.corridor for line in lines)
        },
        "map": shown,
        "map_day": day,
    }
    rows = [
        _Overflights(line.corridor, line.code, line.state, *cells)
        for line in lines
        for cells in zip(days, line.overflights, line.normal, line.change, strict=True)
    ]
    return _write(out, "overflights.html.j2", {"overflights": rows}, pictures, told)


def write_fares(out: Path, source: str, found: Sequence[Fare], seats: Sequence[Seats], by_flight: bool) -> Path:
    """The board of fares and seats into the folder `out`; gives the page's path."""
    pictures: dict[str, Picture] = {}
    groups: list[dict[str, Any]] = []
    left_out: list[str] = []
    for name, mine in tables.routes(found).items():
        if len(groups) == ROUTES:
            left_out.append(name)
            continue
        draw = drawn.fares_by_flight(mine) if by_flight else drawn.fares(mine)
        picture = Picture(f"Lowest fares {name}", drawn.RATE_HEIGHT, draw)
        pictures[f"fares-{len(groups) + 1}"] = picture
        last = max(fare.seen for fare in mine)
        groups.append({"name": name, "plot": picture.inside(), "table": tables.fares(mine), "last": last})
    told: dict[str, Any] = {
        "title": "Fares and seats" if found and seats else "Fares" if found else "Seats",
        "source": source,
        "by_flight": by_flight,
        "groups": groups,
        "left_out": left_out,
    }
    if seats:
        last = max(left.seen for left in seats)
        pictures["seats"] = Picture(f"Seats left by corridor, seen on {last}", drawn.RATE_HEIGHT, drawn.seats(seats))
        told |= {"seats": {"plot": pictures["seats"].inside(), "table": tables.seats(seats), "last": last}}
    return _write(out, "fares.html.j2", {"fares": found, "seats": seats}, pictures, told)


def _change(share: float | None) -> str:
    return "–" if share is None else drawn.percent(share, sign=True)


def _write(
    out: Path,
    template: str,
    rows: Mapping[str, Sequence[Any]],
    pictures: Mapping[str, Picture],
    told: Mapping[str, Any],
) -> Path:
    """All files; `rows` are dataclasses, and a table without rows is left out."""
    environment = templates(Path(__file__).parent)
    environment.filters |= {"count": lambda number: f"{number:,}", "percent": drawn.percent}
    full = {name: table for name, table in rows.items() if table}
    files = [f"{name}.csv" for name in full] + [f"{name}.{kind}" for name in pictures for kind in ("svg", "png")]
    page = environment.get_template(template).render(**told, files=files)
    check_folder(out, [PAGE, *files], PAGE_OF_OURS, PAGE)
    with whole_files(out) as new:
        for name, table in full.items():
            with (new / f"{name}.csv").open("w", encoding="utf-8", newline="") as text:
                writer = csv.writer(text, lineterminator="\n")
                writer.writerow(field.name for field in fields(table[0]))
                writer.writerows([_cell(value) for value in astuple(row)] for row in table)
        for name, picture in pictures.items():
            for kind in ("svg", "png"):
                plots.save(picture.title, picture.height, picture.draw, new / f"{name}.{kind}")
        (new / PAGE).write_text(page, encoding="utf-8")
    return out / PAGE


def _cell(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else cell(value)
