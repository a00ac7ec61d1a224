"""All files of an airline put together: an instance, what was missing in them, and which number stands for what.

Nothing is written here. Whatever is wrong is found before anything is made, and named with file, line and column; at
the end the instance must have a valid plan, or its past breaks rules that no plan can mend.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes, read_defaults
from takt.stations.flightdesk.airline.imports.fleet import (
    ROTATIONS,
    ROTATIONS_TOO,
    as_given,
    built,
    families,
    followed,
    kept_services,
    placed,
)
from takt.stations.flightdesk.airline.imports.groups import BOOKINGS, BOOKINGS_TOO, Group, groups_of, seated
from takt.stations.flightdesk.airline.imports.happened import DISRUPTIONS, DISRUPTIONS_TOO, Happened, happened_of
from takt.stations.flightdesk.airline.imports.making import Imported, Making
from takt.stations.flightdesk.airline.imports.operations import operations
from takt.stations.flightdesk.airline.imports.places import Places
from takt.stations.flightdesk.airline.imports.problems import SHOWN, Broken, BrokenFiles, Problems
from takt.stations.flightdesk.airline.imports.schedule import Schedule
from takt.stations.flightdesk.airline.imports.ssim_read import read
from takt.stations.flightdesk.airline.imports.tables import Row, read_rows
from takt.stations.flightdesk.airline.imports.tails import (
    AIRCRAFT,
    AIRCRAFT_TOO,
    Tail,
    configurations,
    minutes,
    seats_in,
    tails_of,
)
from takt.stations.flightdesk.airline.instance import CONNECTION, DAY


@dataclass(frozen=True, slots=True)
class Files:
    """A planner's files; None: there is no such."""

    schedule: Path
    aircraft: Path
    bookings: Path
    rotations: Path | None = None
    disruptions: Path | None = None
    defaults: Path | None = None


def import_airline(name: str, files: Files, start: datetime, end: datetime) -> Imported:
    """The instance of these files; re-plan from `start` to `end`, UTC. Flights begin at the midnight before `start`;
    those that were in the air then are in it too. Raises TaktError.
    """
    if end <= start:
        raise TaktError(f"the recovery period ends at {end:%Y-%m-%dT%H:%MZ}, which is not after its start")
    if (end - start).days > 31:
        raise TaktError(f"the recovery period has {(end - start).days} days; at most 31 are re-planned at once")
    return _Import(files, start, end).all(name)


class _Import:
    """An import under way. `epoch` is the first day, or one before if flights are in the air as that begins."""

    def __init__(self, files: Files, start: datetime, end: datetime) -> None:
        self.files, self.from_, self.to, self.epoch = files, start, end, start.date()
        self.defaults: Defaults = read_defaults(files.defaults)
        self.notes, self.problems = Notes(), Problems()

    def all(self, name: str) -> Imported:
        files, notes, problems = self.files, self.notes, self.problems
        schedule = self._schedule()
        if schedule.sound and not schedule.flights:
            raise TaktError(f"{files.schedule.name} has no flight that leaves from {self.epoch} to the end")
        tables = self._tables()
        seats = configurations(schedule.flights, self.defaults) if schedule.sound else None
        tails = tails_of(tables["aircraft"], files.aircraft.name, seats, self.epoch, self.defaults, notes, problems)
        if not tails and not problems.found:
            raise TaktError(f"{files.aircraft.name} has no aircraft")
        known = {row.get("aircraft"): -1 for row in tables["aircraft"] if row.get("aircraft")}
        known |= {tail.name: i for i, tail in enumerate(tails)}
        places = self._places(schedule, tails)
        given, aircraft = self._rotations(tables["rotations"], schedule, tails, known)
        disruptions = "" if files.disruptions is None else files.disruptions.name
        happened = happened_of(tables["disruptions"], disruptions, schedule, known, self.epoch, notes, problems)
        groups = groups_of(tables["bookings"], files.bookings.name, schedule, self.defaults, notes, problems)
        problems.stop_if_any()
        if not groups:
            raise TaktError(f"{files.bookings.name} has no booking on these days")
        start, end = minutes(self.from_, self.epoch), minutes(self.to, self.epoch)
        tails, idle = placed(schedule, tails, aircraft, notes)
        tails = kept_services(schedule, tails, aircraft, given, start, notes)
        if idle:
            busiest = Counter(flight.origin for flight in schedule.flights).most_common(1)[0][0]
            notes.take(f"aircraft without airport and without flight, put at {busiest}", len(idle))
            for t in idle:
                tails[t] = replace(tails[t], airport=busiest)
        self._knock_on(schedule, tails, aircraft, happened, start)
        groups = seated(groups, [tails[t].seats for t in aircraft], notes)
        self._connections(schedule, groups)
        return Making(
            self.epoch, self.defaults, notes, name, start, end, schedule, tails, aircraft, happened, groups, places
        ).imported()

    def _tables(self) -> dict[str, list[Row]]:
        files, wanted = (
            self.files,
            (
                ("aircraft", AIRCRAFT, AIRCRAFT_TOO),
                ("rotations", ROTATIONS, ROTATIONS_TOO),
                ("disruptions", DISRUPTIONS, DISRUPTIONS_TOO),
                ("bookings", BOOKINGS, BOOKINGS_TOO),
            ),
        )
        paths: dict[str, Path | None] = {name: getattr(files, name) for name, _, _ in wanted}
        return {
            name: [] if (path := paths[name]) is None else read_rows(path, needed, too) for name, needed, too in wanted
        }

    def _schedule(self) -> Schedule:
        """The flights of the days; none that can be relied on if a line of the schedule is broken."""
        data, file = read(self.files.schedule, self.problems), self.files.schedule.name
        if data is None or self.problems.found:
            return Schedule([], [], [], self.epoch, self.epoch, sound=False)
        end = minutes(self.to, self.epoch)
        found = operations(data, file, self.epoch, 0, end, self.problems)
        self.notes.take("legs left out, they are other flights' under another number (code share)", found.passed)
        said = "legs without date variation (columns 193-194) that leave or land on another day, by their times"
        self.notes.take(said, found.shifted)
        early = sum(o.departure < 0 for o in found.inside)
        self.notes.take("flights of the day before that were in the air as the first day began", early)
        ahead = -(min((o.departure for o in found.inside), default=0) // DAY)
        self.epoch -= timedelta(days=ahead)
        inside, around, shared = (
            [replace(o, departure=o.departure + ahead * DAY, arrival=o.arrival + ahead * DAY) for o in legs]
            for legs in (found.inside, found.around, found.shared)
        )
        days = [flight.local for flight in inside] or [self.epoch]
        sound = not self.problems.found
        return Schedule(inside, around, shared, min(days), max(days), begins=ahead * DAY, sound=sound)

    def _rotations(
        self, rows: Sequence[Row], schedule: Schedule, tails: Sequence[Tail], known: Mapping[str, int]
    ) -> tuple[list[int], list[int]]:
        """The aircraft of each flight: as given, -1 if not; and with all that were built. Broken files end it early."""
        file = "" if self.files.rotations is None else self.files.rotations.name
        given, line = as_given(rows, file, schedule, known, self.problems)
        if self.problems.found:
            return given, given
        alike = families(schedule, tails, self.defaults)
        followed(given, line, file, schedule, tails, alike, self.defaults, self.problems)
        if self.problems.found:
            return given, given
        self.notes.take("flights without aircraft, given one first in, first out by type", given.count(-1))
        seats = [seats_in(flight.configuration, self.defaults) for flight in schedule.flights]
        name = self.files.schedule.name
        return given, built(schedule, tails, given, seats, alike, name, self.notes, self.problems)

    def _places(self, schedule: Schedule, tails: Sequence[Tail]) -> Places:
        """All airports, flights' first: where they are, and how far from each other."""
        codes: dict[str, tuple[str, int, str]] = {}
        for flight in schedule.flights:
            for code in (flight.origin, flight.destination):
                codes.setdefault(code, (self.files.schedule.name, flight.line, "columns 37-39, 55-57 (stations)"))
        for tail in tails:
            service = "" if tail.service is None else tail.service.airport
            for code, column in ((tail.airport, "airport"), (service, "maintenance_airport")):
                if code:
                    codes.setdefault(code, (self.files.aircraft.name, tail.line, f"column {column}"))
        places = Places(sorted(codes), self.defaults)
        for code in places.unknown:
            file, line, column = codes[code]
            said = f"nobody knows where {code} is; give [airports.{code}] lat, lon, country, continent in the defaults"
            self.problems.add(file, line, Broken(column, said))
        return places

    def _knock_on(
        self, schedule: Schedule, tails: Sequence[Tail], aircraft: Sequence[int], happened: Happened, start: int
    ) -> None:
        """Flights scheduled before the recovery period whose aircraft came late were late too, by what that takes.

        A shorter delay that was said is raised to it. Also if that is after the period's start: it is late then by the
        disruption, and nobody's to decide.
        """
        landed, at = [-(10**9)] * len(tails), [tail.airport for tail in tails]
        last = [-1] * len(tails)
        stuck: list[str] = []
        for i, flight in enumerate(schedule.flights):
            t, late = aircraft[i], happened.delay.get(i, 0)
            if late < 0 or flight.departure >= start:
                continue
            if at[t] != flight.origin:
                stuck.append(f"{flight.name} of {flight.local} from {flight.origin}: {tails[t].name} is at {at[t]}")
                continue
            tied = last[t] >= 0 and schedule.tied(i) == last[t]
            ready = landed[t] + (tails[t].transit if tied else tails[t].turn)
            if flight.departure + late < ready:
                late = happened.delay[i] = ready - flight.departure
                self.notes.take("flights before the recovery period made late by their aircraft's flight before")
            at[t], landed[t], last[t] = flight.destination, flight.arrival + late, i
        if stuck:
            raise BrokenFiles(
                f"{len(stuck)} flight{'s' * (len(stuck) > 1)} before the recovery period cannot have left, for one "
                "before was cancelled; cancel them in the disruptions too, or give rotations as flown",
                stuck[:SHOWN],
            )

    def _connections(self, schedule: Schedule, groups: Sequence[Group]) -> None:
        for group in groups:
            legs = [schedule.flights[leg] for leg, _ in group.legs]
            if any(b.departure - a.arrival < CONNECTION for a, b in pairwise(legs)):
                self.notes.take(f"bookings that connect in under {CONNECTION} min, so they have to be rebooked")


def numbers_text(numbers: Sequence[tuple[str, str, int]]) -> str:
    """`numbers.csv`: what the numbers of the instance stand for."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("what", "name", "number"), *numbers])
    return text.getvalue()
