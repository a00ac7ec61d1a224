"""Aircraft rotations as controllers draw them: a lane an aircraft, planned above, recovered below, time from the left.

Drawn as SVG of rectangles and letters only, for an airline has thousands of flights; colours are the page's
(`gantt.css` names what is what). Times are minutes as in `Instance`. Each fleet is a chart of its own, its lanes those
aircraft that the plan or the disruption touches; the others are drawn thin, to be unfolded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape

import numpy as np

from takt.printable import printable
from takt.stations.flightdesk.airline.instance import Instance, capacities, given_departures
from takt.stations.flightdesk.airline.recovery.summary import changed
from takt.stations.flightdesk.airline.solution import Operations

LEAST_HOUR, MOST_HOUR = 24.0, 80.0  # CSS pixels
WIDTH = 930  # of what fits on a wide page beside the names
LANE, THIN, AXIS, AIRPORT = 38, 15, 36, 70  # heights: a lane, one of an untouched aircraft, the axis, an airport's lane
BEFORE = 6 * 60  # minutes shown before the recovery period
LETTER = 5.6  # pixels of a flight number's digit
SHOWN = 8  # airports whose lanes are not folded


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: the SVG of its lanes' names, and the SVG of the lanes, which may be wider than the page."""

    names: str
    lanes: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """A family of aircraft: how many there are, how many of them are touched, and their charts (None: no such)."""

    name: str
    aircraft: int
    touched: int
    chart: Chart | None
    others: Chart | None


@dataclass(frozen=True, slots=True)
class Gantt:
    """All charts of a plan.

    decided   the aircraft asked for.
    fleets    every family, the one with the most touched aircraft first.
    shut      airports whose capacity is cut, hour by hour, those first where the most flights too many were planned;
              `shut_more` are `shut_count` others.
    """

    decided: Chart | None
    fleets: Sequence[Fleet]
    shut: Chart | None
    shut_more: Chart | None
    shut_count: int


def gantt(instance: Instance, o: Operations, decided: Iterable[int]) -> Gantt:
    """The charts of a plan; `decided` are aircraft to show first, each once."""
    drawing, codes = _Drawing(instance, o), instance.airports.code
    over = drawing.over()
    at = sorted(set(instance.closures.airport.tolist()), key=lambda a: (-over[a], codes[a]))
    first, rest = at[:SHOWN], at[SHOWN:]
    tails = list(dict.fromkeys(decided))
    return Gantt(
        drawing.chart(tails, LANE) if tails else None,
        drawing.fleets(),
        drawing.airports(first),
        drawing.airports(rest),
        len(rest),
    )


class _Drawing:
    """What all charts share: the time axis, what happens to each aircraft, the use of airports."""

    def __init__(self, instance: Instance, o: Operations) -> None:
        self.instance, self.o = instance, o
        flights = instance.flights
        self.given = given_departures(flights)
        self.flown = np.flatnonzero(o.aircraft >= 0)
        last = int(max(flights.arrival.max(), o.arrival[self.flown].max(initial=0)))
        self.begin = 60 * ((max(int(flights.departure.min()), instance.start - BEFORE)) // 60)
        self.end = 60 * -(-min(max(last, instance.end), instance.end + BEFORE) // 60)
        self.end = max(self.end, self.begin + 60)  # of a period that is over long before the first flight
        self.hour = float(np.clip(WIDTH * 60 / (self.end - self.begin), LEAST_HOUR, MOST_HOUR))
        self.width = round((self.end - self.begin) / 60 * self.hour)
        rows = changed(instance, o)
        self.late = set(rows.delayed.tolist())
        self.row_of = {int(f): row for row, f in enumerate(o.planned.tolist()) if f >= 0}
        self.planned: dict[int, list[int]] = defaultdict(list)  # aircraft -> flights
        for f in np.argsort(flights.departure, kind="stable").tolist():
            self.planned[int(flights.aircraft[f])].append(f)
        self.rows: dict[int, list[int]] = defaultdict(list)  # aircraft -> rows of the plan
        for row in self.flown[np.argsort(o.departure[self.flown], kind="stable")].tolist():
            self.rows[int(o.aircraft[row])].append(row)
        touched = set(instance.groundings.aircraft.tolist())
        for row in np.concatenate([rows.cancelled, rows.delayed, rows.swapped, rows.created]).tolist():
            if o.aircraft[row] >= 0:
                touched.add(int(o.aircraft[row]))
            if o.planned[row] >= 0:
                touched.add(int(flights.aircraft[o.planned[row]]))
        disrupted = np.flatnonzero(flights.cancelled | (flights.delay > 0))
        self.touched = touched | set(flights.aircraft[disrupted].tolist())

    # --- fleets -------------------------------------------------------------------------------------------------------

    def fleets(self) -> list[Fleet]:
        a = self.instance.aircraft
        families: dict[str, list[int]] = defaultdict(list)
        for tail in sorted(range(len(a.name)), key=lambda tail: _natural(a.name[tail])):
            families[a.family[tail]].append(tail)
        found = []
        for name, tails in families.items():
            mine = [tail for tail in tails if tail in self.touched]
            rest = [tail for tail in tails if tail not in self.touched]
            charts = (self.chart(which, tall) if which else None for which, tall in ((mine, LANE), (rest, THIN)))
            found.append(Fleet(name, len(tails), len(mine), *charts))
        return sorted(found, key=lambda fleet: (-fleet.touched, fleet.name))

    def chart(self, tails: list[int], tall: int) -> Chart:
        lanes = [self._lane(tail) if tall == LANE else self._thin(tail) for tail in tails]
        return self._framed([self.instance.aircraft.name[tail] for tail in tails], lanes, tall)

    def _framed(self, names: list[str], lanes: list[str], tall: int) -> Chart:
        height = AXIS + tall * len(lanes) + 4
        written = [_letters(0, AXIS + tall * i + tall / 2 + 4, name) for i, name in enumerate(names)]
        wide = 12 + max(round(7.2 * len(name)) for name in names)
        svg = [f'<svg class="lanes" width="{self.width}" height="{height}" role="img" aria-label="rotations">']
        svg += [self._axis(height)]
        svg += [f'<g transform="translate(0,{AXIS + tall * i})">{lane}</g>' for i, lane in enumerate(lanes)]
        svg += ["</svg>"]
        heads = f'<svg class="names" width="{wide}" height="{height}">{"".join(written)}</svg>'
        return Chart(heads, "".join(svg))

    def _axis(self, height: int) -> str:
        """Days and hours above, a line at each; what lies outside the recovery period is shaded."""
        step = next(s for s in (1, 2, 3, 6, 12, 24) if s * self.hour >= 44)
        drawn = []
        for since, until in ((self.begin, self.instance.start), (self.instance.end, self.end)):
            if since < until:
                drawn.append(self._box("outside", since, until, AXIS, height - AXIS))
        for hour in range(self.begin // 60, self.end // 60 + 1):
            x = self._x(60 * hour)
            if hour % step == 0 and x < self.width - 20:
                drawn.append(f'<path class="tick" d="M{x} {AXIS - 6}V{height}"/>')
                drawn.append(_letters(x + 3, AXIS - 6, f"{hour % 24:02d}:00", "hour"))
            if (hour % 24 == 0 or hour == self.begin // 60) and x < self.width - 50:
                day = self.instance.epoch + timedelta(days=hour // 24)
                if hour % 24 == 0:
                    drawn.append(f'<path class="day" d="M{x} 0V{height}"/>')
                if hour % 24 == 0 or (24 - hour % 24) * self.hour > 90:
                    drawn.append(_letters(x + 3, 13, f"{day:%a} {day.day} {day:%b}", "date"))
        for minute, name in ((self.instance.start, "recovery starts"), (self.instance.end, "recovery ends")):
            if self.begin < minute < self.end:
                drawn.append(
                    f'<path class="edge" d="M{self._x(minute)} {AXIS - 8}V{height}"><title>{name}</title></path>'
                )
        return "".join(drawn)

    def _lane(self, tail: int) -> str:
        instance, o, flights = self.instance, self.o, self.instance.flights
        code = instance.airports.code
        drawn = [f'<path class="floor" d="M0 {LANE - 0.5}H{self.width}"/>', *self._standing(tail)]
        a, g = instance.aircraft, instance.groundings
        for i in np.flatnonzero(g.aircraft == tail).tolist():
            drawn.append(self._box("grounded", g.start[i], g.end[i], 1, LANE - 3, "grounded"))
        if a.service_airport[tail] >= 0:
            what = f"maintenance at {code[a.service_airport[tail]]}"
            drawn.append(self._box("service", a.service_start[tail], a.service_end[tail], 1, LANE - 3, what))
        for f in self.planned[tail]:
            row = self.row_of.get(f, -1)
            by = int(o.aircraft[row]) if row >= 0 else -1
            kind = "struck" if flights.cancelled[f] else "cut" if by < 0 else "away" if by != tail else "was"
            then = {"struck": ", cancelled by the disruption", "cut": ", cancelled by the plan", "was": ""}
            says = then.get(kind, f", now flown by {a.name[by]}")
            drawn.append(
                self._box(kind, flights.departure[f], flights.arrival[f], 2, 8, self._says(f, "planned", says))
            )
        rows = self.rows[tail]
        for i, row in enumerate(rows):
            drawn.append(self._puck(row, tail))
            until = int(o.departure[rows[i + 1]]) if i + 1 < len(rows) else self.end
            x = self._x(int(o.arrival[row]))
            if x >= 0 and self._x(until) - x >= 26:
                drawn.append(_letters(x + 2, 27, code[o.destination[row]], "at"))
        return "".join(drawn)

    def _puck(self, row: int, tail: int) -> str:
        """A flight as it is now flown, with its number if that fits."""
        o, flights = self.o, self.instance.flights
        f = int(o.planned[row])
        if f < 0:
            kind, says = "new", "created"
        else:
            kind = "late" if row in self.late else "held" if flights.delay[f] else "fine"
            late = int(o.departure[row] - flights.departure[f])
            says = f"{late} min late" if late > 0 else "on time"
            if flights.aircraft[f] != tail:
                kind += " taken"
                says += f", planned for {self.instance.aircraft.name[flights.aircraft[f]]}"
        code, clock = self.instance.airports.code, self.instance.clock
        title = (
            f"{o.number[row]} {code[o.origin[row]]}–{code[o.destination[row]]} "
            f"{clock(o.departure[row])} to {clock(o.arrival[row])}, {says}"
        )
        box = self._box(kind, o.departure[row], o.arrival[row], 12, 19, title)
        x, right = self._x(int(o.departure[row])), self._x(int(o.arrival[row]))
        number = str(o.number[row])
        if box and x >= 0 and right <= self.width and right - x >= LETTER * len(number) + 3:
            box += _letters((x + right) / 2, 25, number, "number")
        return box

    def _thin(self, tail: int) -> str:
        a, o = self.instance.aircraft, self.o
        drawn = [f'<path class="floor" d="M0 {THIN - 0.5}H{self.width}"/>']
        if a.service_airport[tail] >= 0:
            drawn.append(self._box("service", a.service_start[tail], a.service_end[tail], 1, THIN - 3))
        drawn += [self._box("fine", o.departure[row], o.arrival[row], 2, THIN - 5) for row in self.rows[tail]]
        return "".join(drawn)

    def _standing(self, tail: int) -> list[str]:
        """Shades where the aircraft stands at an airport while that takes less than usual."""
        c, o, code = self.instance.closures, self.o, self.instance.airports.code
        if not len(c.airport):
            return []
        stays, at, since = [], int(self.instance.aircraft.airport[tail]), self.begin
        for row in self.rows[tail]:
            stays.append((at, since, int(o.departure[row])))
            at, since = int(o.destination[row]), int(o.arrival[row])
        stays.append((at, since, self.end))
        found = []
        for at, since, until in stays:
            for i in np.flatnonzero((c.airport == at) & (c.start < until) & (c.end > since)).tolist():
                says = f"at {code[at]}, which {self._takes(i)}"
                found.append(
                    self._box("shut", max(since, int(c.start[i])), min(until, int(c.end[i])), 1, LANE - 3, says)
                )
        return found

    def _takes(self, closure: int) -> str:
        c = self.instance.closures
        counts = ((int(c.departures[closure]), "departure"), (int(c.arrivals[closure]), "arrival"))
        return "takes " + " and ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counts) + " an hour"

    def _says(self, f: int, what: str, then: str) -> str:
        flights, code, clock = self.instance.flights, self.instance.airports.code, self.instance.clock
        return (
            f"{flights.number[f]} {code[flights.origin[f]]}–{code[flights.destination[f]]} "
            f"{clock(flights.departure[f])} to {clock(flights.arrival[f])}, {what}{then}"
        )

    # --- airports -----------------------------------------------------------------------------------------------------

    def over(self) -> np.ndarray:
        """By airport: how many flights too many were planned in the hours shown."""
        planned, _ = self._use()
        limits = np.stack(self._limits())[:, :, self.begin // 60 :]
        return np.maximum(planned - limits, 0).sum(axis=(0, 2))

    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        return capacities(self.instance, self.end // 60)

    def _use(self) -> tuple[np.ndarray, np.ndarray]:
        """Departures and arrivals (side, airport, hour shown), as planned and given, and as they are now."""
        flights, o = self.instance.flights, self.o
        surface = self.instance.aircraft.surface
        shape = (2, len(self.instance.airports.code), (self.end - self.begin) // 60)
        planned, now = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        as_given = ~flights.cancelled & ~surface[flights.aircraft]
        flown = self.flown[~surface[o.aircraft[self.flown]]]
        for table, side, at, when in (
            (planned, 0, flights.origin[as_given], self.given[as_given]),
            (planned, 1, flights.destination[as_given], (flights.arrival + flights.delay)[as_given]),
            (now, 0, o.origin[flown], o.departure[flown]),
            (now, 1, o.destination[flown], o.arrival[flown]),
        ):
            hour = when // 60 - self.begin // 60
            shown = (hour >= 0) & (hour < shape[2])
            np.add.at(table[side], (at[shown], hour[shown]), 1)
        return planned, now

    def airports(self, which: list[int]) -> Chart | None:
        """A lane each: departures upwards, arrivals downwards, against what the airport takes."""
        if not which:
            return None
        (planned, now), limits, first = self._use(), self._limits(), self.begin // 60
        c, code = self.instance.closures, self.instance.airports.code
        lanes = []
        for at in which:
            drawn = [f'<path class="floor" d="M0 {AIRPORT - 0.5}H{self.width}"/>']
            for i in np.flatnonzero(c.airport == at).tolist():
                says = f"{code[at]} {self._takes(i)}"
                drawn.append(self._box("shut", c.start[i], c.end[i], 1, AIRPORT - 3, says))
            middle = AIRPORT / 2
            most = max(1, planned[:, at].max(), now[:, at].max())
            scale = (middle - 3) / most
            paths: dict[str, list[str]] = defaultdict(list)
            for side, up in ((0, -1), (1, 1)):
                for h in range(planned.shape[2]):
                    x, wide = h * self.hour + 1, self.hour - 2
                    limit = int(limits[side][at, first + h])
                    for name, count in (("asked", int(planned[side, at, h])), ("used", int(now[side, at, h]))):
                        if count:
                            inset = 0.0 if name == "asked" else wide / 5
                            y = up * scale * count
                            across = wide - 2 * inset
                            paths[name].append(f"M{x + inset:.1f} {middle:g}v{y:.1f}h{across:.1f}v{-y:.1f}z")
                    if limit <= most:
                        paths["takes"].append(f"M{x - 1:.1f} {middle + up * scale * limit:.1f}h{self.hour:.1f}")
            drawn += [f'<path class="{name}" d="{"".join(paths[name])}"/>' for name in ("asked", "used", "takes")]
            drawn.append(f'<path class="tick" d="M0 {middle:g}H{self.width}"/>')
            lanes.append("".join(drawn))
        return self._framed([code[at] for at in which], lanes, AIRPORT)

    # --- all ----------------------------------------------------------------------------------------------------------

    def _x(self, minute: int) -> float:
        return round((minute - self.begin) / 60 * self.hour, 1)

    def _box(
        self, kind: str, since: int | np.integer, until: int | np.integer, y: int, height: int, title: str = ""
    ) -> str:
        """A rectangle from one time to another, cut at the chart's edges; "" if it lies outside."""
        a, b = max(int(since), self.begin), min(int(until), self.end)
        if a >= b:
            return ""
        x = self._x(a)
        width = round(max(self._x(b) - x, 1.5), 1)
        rect = f'<rect class="{kind}" x="{x:g}" y="{y}" width="{width:g}" height="{height}"'
        return f"{rect}><title>{_text(title)}</title></rect>" if title else f"{rect}/>"


def _letters(x: float, y: float, said: str, kind: str = "") -> str:
    of_kind = f' class="{kind}"' if kind else ""
    return f'<text{of_kind} x="{round(x, 1):g}" y="{y:g}">{_text(said)}</text>'


def _text(said: str) -> str:
    """Whatever is written on a chart goes through here: the page takes the chart as markup, and names are a file's."""
    return escape(printable(said))


def _natural(name: str) -> list[tuple[int, str]]:
    """The order that people expect: A320#9 before A320#10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
