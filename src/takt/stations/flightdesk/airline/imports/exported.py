"""The other way: an instance as the files that `import` reads. So there is data to try it with, and a way back.

    schedule.ssim   aircraft.csv   rotations.csv   bookings.csv   disruptions.csv

`bare` files are what a schedule department has: no rotations, and of aircraft only type, seats and maintenance.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC as ZULU
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import airportsdata

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.imports.ssim import (
    Carrier,
    DataSet,
    Flown,
    Header,
    Leg,
    Section,
    Trailer,
    text_of,
)
from takt.stations.flightdesk.airline.imports.ssim_fields import LOCAL, UTC
from takt.stations.flightdesk.airline.imports.tails import AIRCRAFT, AIRCRAFT_TOO
from takt.stations.flightdesk.airline.instance import DAY, Instance

TYPES = {  # IATA aircraft type by the generator's models
    **{"A318": "318", "A319": "319", "A320": "320", "A321": "321", "A330": "332", "B777": "772"},
    **{"CRJ100": "CR1", "CRJ700": "CR7", "ERJ145": "ER4"},
}
CABINS = "FCY"  # IATA's letters for First, Business, Economy
BARE = ("aircraft", "type", "first", "business", "economy", *AIRCRAFT_TOO[-4:])


@dataclass(frozen=True, slots=True)
class _Leg:
    """What is the same on all dates of a leg. `variations` from UTC, minutes; `days` after the flight's first date."""

    name: int
    sequence: int
    origin: int
    destination: int
    departure: int
    arrival: int
    variations: tuple[int, int]
    off: tuple[int, int]
    type: str
    configuration: str


class Exported:
    """An instance's files as text; `airline` is the carrier's designator, `local` says times in local time."""

    def __init__(self, instance: Instance, airline: str, local: bool) -> None:
        self.instance, self.airline, self.local = instance, airline, local
        self.zone = _zones(instance.airports.code) if local else {}
        self.root, self.sequence = _legs(instance)
        a = instance.aircraft
        surface = a.surface.tolist()
        kinds = zip(a.model, surface, strict=True)
        self.type = ["BUS" if road else TYPES.get(model, model[:3].upper()) for model, road in kinds]

    def files(self, bare: bool) -> Mapping[str, str]:
        """Their names and texts."""
        found = {
            "schedule.ssim": self.schedule(),
            "aircraft.csv": self.aircraft(bare),
            "bookings.csv": self.bookings(),
            "disruptions.csv": self.disruptions(),
        }
        return found if bare else {**found, "rotations.csv": self.rotations()}

    def schedule(self) -> str:
        """The schedule as SSIM: a record for each leg and run of dates."""
        i, f = self.instance, self.instance.flights
        dates: dict[_Leg, list[date]] = defaultdict(list)
        for k in range(len(f.number)):
            root = self.root[k]
            to = self._variations(k)
            leaves, lands = int(f.departure[k]) + to[0], int(f.arrival[k]) + to[1]
            first = (int(f.departure[root]) + self._variations(root)[0]) // DAY
            seats = i.aircraft.seats[f.aircraft[k]].tolist()
            leg = _Leg(
                name=int(f.number[root]),
                sequence=self.sequence[k],
                origin=int(f.origin[k]),
                destination=int(f.destination[k]),
                departure=leaves % DAY,
                arrival=lands % DAY,
                variations=to,
                off=(leaves // DAY - first, lands // DAY - first),
                type=self.type[f.aircraft[k]],
                configuration="".join(f"{c}{n}" for c, n in zip(CABINS, seats, strict=True) if n > 0),
            )
            dates[leg].append(i.epoch + timedelta(days=leaves // DAY))
        legs = [Flown(leg) for leg in self._records(dates)]
        days = [day for found in dates.values() for day in found]
        carrier = Carrier(
            mode=LOCAL if self.local else UTC,
            airline=self.airline,
            since=min(days),
            until=max(days),
            created=i.epoch,
            title="made by takt",
            creator="takt flightdesk export",
            creation_time="0000",
        )
        return text_of(DataSet(Header(), (Section(carrier, tuple(legs), Trailer(self.airline)),)))

    def _records(self, dates: Mapping[_Leg, Sequence[date]]) -> list[Leg]:
        """Leg records in order of flight, itinerary and leg; legs of a flight with the same dates are an itinerary."""
        itineraries: dict[tuple[int, tuple[date, ...]], list[_Leg]] = defaultdict(list)
        for leg, found in dates.items():
            origin = tuple(sorted(day - timedelta(days=leg.off[0]) for day in found))
            itineraries[leg.name, origin].append(leg)
        found_records: list[Leg] = []
        variation: Counter[int] = Counter()
        for (name, origin), legs in sorted(itineraries.items(), key=lambda pair: (pair[0][0], pair[0][1])):
            for run in _runs(origin):
                variation[name] += 1
                for leg in sorted(legs, key=lambda leg: leg.sequence):
                    found_records.append(self._record(leg, variation[name], run))
        return found_records

    def _record(self, leg: _Leg, variation: int, run: Sequence[date]) -> Leg:
        if leg.name > 9999:
            raise TaktError(
                f"flight number {leg.name} has more than four digits, and SSIM has room for four; an import numbers "
                "so what flies at another time on another day: export the files that it was made from"
            )
        code = self.instance.airports.code
        days = [day + timedelta(days=leg.off[0]) for day in run]
        arrival, off = leg.arrival, leg.off
        if arrival == 0:  # the end of a day is 2400
            arrival, off = DAY, (off[0], off[1] - 1)
        return Leg(
            suffix="",
            airline=self.airline,
            number=leg.name,
            variation=variation % 100,
            overflow=str(variation // 100 or ""),
            sequence=leg.sequence,
            service="V" if leg.type == "BUS" else "J",
            since=days[0],
            until=days[-1],
            days=sum(1 << day for day in {day.weekday() for day in days}),
            every="",
            origin=code[leg.origin],
            passenger_departure=leg.departure,
            departure=leg.departure,
            origin_variation=leg.variations[0] if self.local else 0,
            origin_terminal="",
            destination=code[leg.destination],
            arrival=arrival,
            passenger_arrival=arrival,
            destination_variation=leg.variations[1] if self.local else 0,
            destination_terminal="",
            aircraft=leg.type,
            configuration=leg.configuration,
            off=off,
        )

    def aircraft(self, bare: bool) -> str:
        i, a = self.instance, self.instance.aircraft
        rows = []
        for k, name in enumerate(a.name):
            seats = [str(n) for n in a.seats[k].tolist()] if a.seats[k][0] >= 0 else [""] * 3
            service = [""] * 4
            if a.service_airport[k] >= 0:
                moments = [self._moment(a.service_start[k]), self._moment(a.service_end[k])]
                service = [i.airports.code[a.service_airport[k]], *moments, str(a.service_minutes[k])]
            row = dict(
                zip(
                    (*AIRCRAFT, *AIRCRAFT_TOO),
                    (
                        *(name, self.type[k], a.model[k], a.family[k], *seats),
                        *(str(a.range[k]), repr(float(a.hour_cost[k])), str(a.turn[k]), str(a.transit[k])),
                        *(i.airports.code[a.airport[k]], *service),
                    ),
                    strict=True,
                )
            )
            rows.append([row[column] for column in (BARE if bare else row)])
        return _csv(BARE if bare else (*AIRCRAFT, *AIRCRAFT_TOO), rows)

    def rotations(self) -> str:
        f, name = self.instance.flights, self.instance.aircraft.name
        rows = [[*self._leg(k), name[f.aircraft[k]], self._to(k)] for k in range(len(f.number))]
        return _csv(("flight", "date", "origin", "aircraft", "destination"), rows)

    def bookings(self) -> str:
        b = self.instance.bookings
        rows = []
        for k in range(len(b.number)):
            for j in range(b.first[k], b.first[k + 1]):
                leg = int(b.leg_flight[j])
                direction = "inbound" if b.inbound[k] else "outbound"
                people = [str(b.number[k]), str(b.passengers[k]), repr(float(b.price[k])), direction]
                rows.append([*people, *self._leg(leg), self._to(leg), CABINS[b.leg_cabin[j]]])
        head = ("booking", "passengers", "price", "direction", "flight", "date", "origin", "destination", "cabin")
        return _csv(head, rows)

    def disruptions(self) -> str:
        i, f = self.instance, self.instance.flights
        rows = []
        for k in range(len(f.number)):
            if f.cancelled[k] or f.delay[k]:
                late = "" if f.cancelled[k] else str(f.delay[k])
                rows.append(["cancel" if f.cancelled[k] else "delay", *self._leg(k), late, *[""] * 6, self._to(k)])
        for tail, start, end in zip(i.groundings.aircraft, i.groundings.start, i.groundings.end, strict=True):
            period = [self._moment(start), self._moment(end)]
            rows.append(["aircraft", *[""] * 4, i.aircraft.name[tail], "", *period, "", "", ""])
        c = i.closures
        for k, at in enumerate(c.airport):
            period = [self._moment(c.start[k]), self._moment(c.end[k])]
            takes = [str(c.departures[k]), str(c.arrivals[k])]
            rows.append(["airport", *[""] * 4, "", i.airports.code[at], *period, *takes, ""])
        head = ("kind", "flight", "date", "origin", "minutes", "aircraft", "airport", "start", "end")
        return _csv((*head, "departures", "arrivals", "destination"), rows)

    def _to(self, k: int) -> str:
        """Where it lands: what tells two legs of a flight apart that leave the same airport."""
        return self.instance.airports.code[self.instance.flights.destination[k]]

    def _leg(self, k: int) -> list[str]:
        """Flight, local date, origin."""
        f = self.instance.flights
        day = self.instance.epoch + timedelta(days=(int(f.departure[k]) + self._variations(k)[0]) // DAY)
        return [f"{self.airline}{f.number[self.root[k]]}", day.isoformat(), self.instance.airports.code[f.origin[k]]]

    def _variations(self, k: int) -> tuple[int, int]:
        f = self.instance.flights
        if not self.local:
            return 0, 0
        return self._from_utc(int(f.origin[k]), int(f.departure[k])), self._from_utc(
            int(f.destination[k]), int(f.arrival[k])
        )

    def _from_utc(self, airport: int, minute: int) -> int:
        zone = self.zone[self.instance.airports.code[airport]]
        offset = (datetime.combine(self.instance.epoch, time(), ZULU) + timedelta(minutes=minute)).astimezone(zone)
        return round((offset.utcoffset() or timedelta()).total_seconds() / 60)

    def _moment(self, minute: int) -> str:
        at = datetime.combine(self.instance.epoch, time()) + timedelta(minutes=int(minute))
        return f"{at:%Y-%m-%dT%H:%M}Z"


def _zones(codes: Sequence[str]) -> Mapping[str, ZoneInfo]:
    known = airportsdata.load("IATA")
    try:
        return {code: ZoneInfo(known[code]["tz"]) for code in codes}
    except KeyError as error:
        raise TaktError(f"the time zone of {error.args[0]} is not known; leave out --local") from None
    except ZoneInfoNotFoundError:
        raise TaktError("this machine has no time zones (pip install tzdata); or leave out --local") from None


def _legs(instance: Instance) -> tuple[list[int], list[int]]:
    """By flight: the first leg of the flight that it is a leg of, and the how many-th it is."""
    f = instance.flights
    dates: dict[int, set[int]] = defaultdict(set)
    for number, day in zip(f.number.tolist(), f.day.tolist(), strict=True):
        dates[number].add(day)
    root, sequence = list(range(len(f.number))), [1] * len(f.number)

    def find(k: int) -> None:
        before = int(f.previous[k])
        if before < 0 or dates[int(f.number[before])] != dates[int(f.number[k])] or root[k] != k:
            return
        find(before)
        root[k], sequence[k] = root[before], sequence[before] + 1

    for k in range(len(f.number)):
        find(k)
    return root, sequence


def _runs(days: Sequence[date]) -> list[list[date]]:
    """The dates in as few periods with days of operation as a plain look forward gives."""
    runs: list[list[date]] = []
    for day in days:
        if runs and _regular([*runs[-1], day]):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _regular(days: Sequence[date]) -> bool:
    """Whether these are all days of their weekdays from the first to the last."""
    week, span = {day.weekday() for day in days}, (days[-1] - days[0]).days
    return len(days) == sum((days[0] + timedelta(days=n)).weekday() in week for n in range(span + 1))


def _csv(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
