"""All files of an airline put together: an instance, what was missing in them, and which number stands for what.

Nothing is written here. Whatever is wrong is found before anything is made, and named with file, line and column; at
the end the instance must have a valid plan, or its past breaks rules that no plan can mend.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.imports.defaults import Defaults, Notes, read_defaults
from takt.stations.flightdesk.airline.imports.fleet import (
    AIRCRAFT,
    AIRCRAFT_TOO,
    ROTATIONS,
    ROTATIONS_TOO,
    Tail,
    as_given,
    built,
    configurations,
    kept_services,
    minutes,
    placed,
    seats_in,
    tails_of,
)
from takt.stations.flightdesk.airline.imports.groups import BOOKINGS, BOOKINGS_TOO, Group, groups_of, seated
from takt.stations.flightdesk.airline.imports.happened import DISRUPTIONS, DISRUPTIONS_TOO, Happened, happened_of
from takt.stations.flightdesk.airline.imports.making import Imported, Making
from takt.stations.flightdesk.airline.imports.operations import operations
from takt.stations.flightdesk.airline.imports.places import Places
from takt.stations.flightdesk.airline.imports.problems import SHOWN, Broken, BrokenFiles, Problems
from takt.stations.flightdesk.airline.imports.schedule import Schedule
from takt.stations.flightdesk.airline.imports.ssim import DataSet, read
from takt.stations.flightdesk.airline.imports.tables import Row, read_rows
from takt.stations.flightdesk.airline.instance import (
    CONNECTION,
)


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
    """The instance of these files; re-plan from `start` to `end`, UTC. Flights begin at the midnight before `start`.
    Raises TaktError.
    """
    if end <= start:
        raise TaktError(f"the recovery period ends at {end:%Y-%m-%dT%H:%MZ}, which is not after its start")
    if (end - start).days > 31:
        raise TaktError(f"the recovery period has {(end - start).days} days; at most 31 are re-planned at once")
    return _Import(files, start.date()).all(name, minutes(start, start.date()), minutes(end, start.date()))


class _Import:
    """An import under way."""

    def __init__(self, files: Files, epoch: date) -> None:
        self.files, self.epoch = files, epoch
        self.defaults: Defaults = read_defaults(files.defaults)
        self.notes, self.problems = Notes(), Problems()

    def all(self, name: str, start: int, end: int) -> Imported:
        files, notes, problems = self.files, self.notes, self.problems
        data = read(files.schedule, problems)
        tables = self._tables()
        problems.stop_if_any()
        assert data is not None
        schedule = self._schedule(data, end)
        problems.stop_if_any()
        if not schedule.flights:
            raise TaktError(f"{files.schedule.name} has no flight that leaves from {self.epoch} to the end")
        seats = configurations(schedule.flights, self.defaults)
        tails = tails_of(tables["aircraft"], files.aircraft.name, seats, self.epoch, self.defaults, notes, problems)
        problems.stop_if_any()
        if not tails:
            raise TaktError(f"{files.aircraft.name} has no aircraft")
        given, aircraft = self._rotations(tables["rotations"], schedule, tails)
        problems.stop_if_any()
        tails, idle = placed(schedule, tails, aircraft, notes)
        tails = kept_services(schedule, tails, aircraft, given, start, notes)
        if idle:
            busiest = Counter(flight.origin for flight in schedule.flights).most_common(1)[0][0]
            notes.take(f"aircraft without airport and without flight, put at {busiest}", len(idle))
            for t in idle:
                tails[t] = replace(tails[t], airport=busiest)
        disruptions = "" if files.disruptions is None else files.disruptions.name
        happened = happened_of(tables["disruptions"], disruptions, schedule, tails, self.epoch, problems)
        groups = groups_of(tables["bookings"], files.bookings.name, schedule, self.defaults, notes, problems)
        places = self._places(schedule, tails)
        problems.stop_if_any()
        if not groups:
            raise TaktError(f"{files.bookings.name} has no booking on these days")
        self._knock_on(schedule, tails, aircraft, happened, start)
        groups = seated(groups, [tails[t].seats for t in aircraft], notes)
        self._connections(schedule, groups)
        return Making(
            self.epoch, self.defaults, notes, name, start, end, schedule, tails, aircraft, happened, groups, places
        ).imported()

    def _tables(self) -> dict[str, list[Row]]:
        files = self.files
        found = {
            "aircraft": read_rows(files.aircraft, AIRCRAFT, AIRCRAFT_TOO),
            "bookings": read_rows(files.bookings, BOOKINGS, BOOKINGS_TOO),
            "rotations": [],
            "disruptions": [],
        }
        if files.rotations is not None:
            found["rotations"] = read_rows(files.rotations, ROTATIONS, ROTATIONS_TOO)
        if files.disruptions is not None:
            found["disruptions"] = read_rows(files.disruptions, DISRUPTIONS, DISRUPTIONS_TOO)
        return found

    def _schedule(self, data: DataSet, end: int) -> Schedule:
        inside, around, passed = operations(data, self.files.schedule.name, self.epoch, 0, end, self.problems)
        self.notes.take("legs left out, they are other flights' under another number (code share)", passed)
        days = [flight.local for flight in inside] or [self.epoch]
        return Schedule(inside, around, min(days), max(days))

    def _rotations(self, rows: Sequence[Row], schedule: Schedule, tails: Sequence[Tail]) -> tuple[list[int], list[int]]:
        """The aircraft of each flight: as given, -1 if not; and with all that were built."""
        file = "" if self.files.rotations is None else self.files.rotations.name
        given = as_given(rows, file, schedule, tails, self.problems)
        self.problems.stop_if_any()
        self.notes.take("flights without aircraft, given one first in, first out by type", given.count(-1))
        seats = [seats_in(flight.configuration, self.defaults) for flight in schedule.flights]
        return given, built(schedule, tails, given, seats, self.files.schedule.name, self.notes, self.problems)

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
        """Flights scheduled before the recovery period whose aircraft came late were late too, if nobody said so."""
        landed, at = [-(10**9)] * len(tails), [tail.airport for tail in tails]
        last = [-1] * len(tails)
        stuck: list[str] = []
        for i, flight in enumerate(schedule.flights):
            t, late = aircraft[i], happened.delay.get(i, 0)
            if late < 0:
                continue
            leaves, before = flight.departure + late, schedule.before(i)
            if flight.departure < start and at[t] != flight.origin:
                stuck.append(f"{flight.name} of {flight.local} from {flight.origin}: {tails[t].name} is at {at[t]}")
                continue
            ready = landed[t] + (tails[t].transit if before >= 0 and before == last[t] else tails[t].turn)
            if flight.departure < start and leaves < ready:
                happened.delay[i] = ready - flight.departure
                self.notes.take("flights before the recovery period made late by their aircraft's flight before")
                leaves = ready
            if leaves < start:
                at[t], landed[t], last[t] = flight.destination, leaves + flight.arrival - flight.departure, i
        if stuck:
            raise BrokenFiles(
                f"{len(stuck)} flights before the recovery period cannot have left, for one before was cancelled; "
                "cancel them in the disruptions too, or give rotations as flown",
                stuck[:SHOWN],
            )

    def _connections(self, schedule: Schedule, groups: Sequence[Group]) -> None:
        for group in groups:
            legs = [schedule.flights[leg] for leg, _ in group.legs]
            if any(b.departure - a.arrival < CONNECTION for a, b in pairwise(legs)):
                self.notes.take(f"bookings that connect in under {CONNECTION} min, so they have to be rebooked")


def numbers_text(numbers: Sequence[tuple[str, str, int]]) -> str:
    """`numbers.csv`: what the numbers of the instance stand for."""
    return "what,name,number\n" + "".join(f"{what},{name},{number}\n" for what, name, number in numbers)
