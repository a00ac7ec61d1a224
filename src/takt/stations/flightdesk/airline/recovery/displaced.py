"""Where the passengers of cancelled flights went: everybody who had booked one, whoever cancelled it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recovery.summary import ends_of
from takt.stations.flightdesk.airline.solution import Operations, Solution

LATE = (0, 60, 180, 300)  # minutes late; a band goes from after one to the next, included
ONTO = 3  # flights that are named


@dataclass(frozen=True, slots=True)
class Way:
    """People who go by the same airports as booked, or others; `late` counts them by band of `LATE`, on time first."""

    same: bool
    people: int
    late: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Emptied:
    """A cancelled flight. `when`: minutes, as it was to leave. `by_plan`: whether the plan cancelled it.

    people   who had booked it; `left` do not get to where they booked, `late` more than 3 h late, `over` 3 h.
    onto     the flights that most of them now take instead, and how many; `more` on others.
    """

    name: str
    origin: str
    destination: str
    when: int
    by_plan: bool
    people: int
    left: int
    late: int
    onto: tuple[tuple[str, int], ...]
    more: int


@dataclass(frozen=True, slots=True)
class Displaced:
    """Everybody once, also who had booked two cancelled flights. `flights` have the most people first."""

    people: int
    ways: tuple[Way, ...]
    left: int
    flights: tuple[Emptied, ...]


def displaced(instance: Instance, solution: Solution) -> Displaced:
    flights, bookings, o, t = instance.flights, instance.bookings, solution.operations, solution.trips
    code, ends = instance.airports.code, ends_of(instance, solution)
    gone = flights.cancelled.copy()
    rows = np.flatnonzero((o.planned >= 0) & (o.aircraft < 0))
    gone[o.planned[rows]] = True
    owner = np.repeat(np.arange(len(bookings.number)), np.diff(bookings.first))
    broken = np.zeros(len(bookings.number), dtype=np.bool_)
    broken[owner[gone[bookings.leg_flight]]] = True

    bands: dict[bool, list[int]] = {True: [0] * (len(LATE) + 1), False: [0] * (len(LATE) + 1)}
    people: Counter[int] = Counter()  # by flight
    left: Counter[int] = Counter()
    late: Counter[int] = Counter()
    onto: dict[int, Counter[int]] = defaultdict(Counter)  # flight -> rows
    total = stay = 0
    for i in np.flatnonzero(broken[t.booking]).tolist():
        count, booking = int(t.passengers[i]), int(t.booking[i])
        had = bookings.leg_flight[bookings.first[booking] : bookings.first[booking + 1]]
        now = t.leg_row[t.first[i] : t.first[i + 1]]
        total += count
        if ends.travels[i]:
            same = flights.destination[had[:-1]].tolist() == o.destination[now[:-1]].tolist()
            bands[same][sum(ends.late[i] > over for over in LATE)] += count
        else:
            stay += count
        new = [row for row in now.tolist() if o.planned[row] not in had]
        for f in had[gone[had]].tolist():
            people[f] += count
            if not ends.travels[i]:
                left[f] += count
            else:
                late[f] += count * bool(ends.late[i] > LATE[2])
                instead = next((row for row in new if o.origin[row] == flights.origin[f]), new[0] if new else -1)
                onto[f][instead] += count

    def emptied(f: int) -> Emptied:
        most = onto[f].most_common(ONTO)
        return Emptied(
            name=instance.flight(f),
            origin=code[flights.origin[f]],
            destination=code[flights.destination[f]],
            when=int(flights.departure[f] + flights.delay[f]),
            by_plan=not flights.cancelled[f],
            people=people[f],
            left=left[f],
            late=late[f],
            onto=tuple((_name(instance, o, row, int(flights.day[f])), count) for row, count in most),
            more=onto[f].total() - sum(count for _, count in most),
        )

    listed = sorted(np.flatnonzero(gone).tolist(), key=lambda f: (-people[f], int(flights.departure[f])))
    return Displaced(
        people=total,
        ways=tuple(Way(same, sum(bands[same]), tuple(bands[same])) for same in (True, False)),
        left=stay,
        flights=tuple(emptied(f) for f in listed),
    )


def _name(instance: Instance, o: Operations, row: int, day: int) -> str:
    """A flight, with its date if that is not `day`; -1 is none: these people do with what they had booked besides."""
    if row < 0:
        return "no other"
    date = f" of {instance.day(o.day[row])[:5]}" * bool(o.day[row] != day)
    return f"{o.number[row]}{date}" + " (new)" * bool(o.planned[row] < 0)


def bands() -> list[str]:
    """The names of the bands: on time, up to 1 h, ..., over 5 h."""
    between = [f"{a // 60} to {b // 60} h late" if a else f"up to {b // 60} h late" for a, b in pairwise(LATE)]
    return ["on time", *between, f"over {LATE[-1] // 60} h late"]
