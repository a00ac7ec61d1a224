"""What is shut when, airports and corridors, and when that becomes known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from takt.contract.station import Fault
from takt.stations.flightdesk.airline.instance import (
    DAY,
    Closures,
    Flags,
    Floats,
    Instance,
    Ints,
    capacities,
)
from takt.stations.flightdesk.desk.corridors import CORRIDORS, GULF_HUBS

NEVER = 1 << 40  # a minute that does not come
NOTICE = DAY  # minutes that an airport says it is shut for
SHUT = 360  # minutes without a slot from which an airport is shut, not just full
EXTENDED = 360  # minutes before the end of a notice that the next becomes known
CORRIDOR_CLOSED = "corridor_closed"  # the fault
CORRIDOR_THAT_CLOSES = "middle"


@dataclass(frozen=True, slots=True)
class News:
    """One message: when it becomes known, what kind (`cancelled`, `delayed`, `closed`, `limited`), which flight or -1,
    which airport or corridor or "", and until which minute that is said to last.
    """

    minute: float
    kind: str
    text: str
    flight: int = -1
    place: str = ""
    until: float = 0.0


Shut = tuple[int, int, float, float, float]  # airport or -1, corridor or -1, from, until, known from


def shut_spans(instance: Instance, faults: Sequence[Fault]) -> tuple[list[Shut], list[News]]:
    closures, start = instance.closures, instance.start
    departures, arrivals = capacities(instance, int(closures.start.max(initial=0)) // 60)
    takes = departures + arrivals  # by airport and clock hour
    shut: list[Shut] = []
    news: list[News] = []
    for at in np.unique(closures.airport).tolist():
        code = instance.airports.code[at]
        mine = closures.airport == at
        none = mine & (closures.departures + closures.arrivals == 0)
        spans = [span for span in _joined(takes[at], _spans(closures, none)) if span[1] - span[0] >= SHUT]
        for since, until in spans:
            known, begins = max(start, since), since
            while begins < until:
                ends = min(begins + NOTICE, until)
                shut.append((at, -1, begins, ends, known))
                if code in GULF_HUBS:  # and the sky around it
                    shut.append((-1, CORRIDORS.index("south"), begins, ends, known))
                word = "closed" if begins == since else "stays closed"
                text = f"{code} {word} until {instance.clock(ends)} UTC, or longer"
                news.append(News(known, "closed", text, place=code, until=ends))
                begins, known = ends, ends - EXTENDED
        for since, until in _joined(takes[at], _spans(closures, mine)):
            opens = max((u for s, u in spans if since <= s and u <= until), default=since)
            if opens < until:
                text = f"{code} takes fewer flights than usual from {instance.clock(opens)} UTC on"
                news.append(News(max(start, opens - EXTENDED), "limited", text, place=code))
    for fault in faults:
        if fault.name == CORRIDOR_CLOSED:
            begins_at, ends_at = start + fault.at_s / 60, start + (fault.at_s + fault.for_s) / 60
            shut.append((-1, CORRIDORS.index(CORRIDOR_THAT_CLOSES), begins_at, ends_at, begins_at))
            text = f"the {CORRIDOR_THAT_CLOSES} corridor is closed until {instance.clock(int(ends_at))} UTC"
            news.append(News(begins_at, "closed", text, place=CORRIDOR_THAT_CLOSES, until=ends_at))
    return shut, news


def _spans(closures: Closures, which: Flags) -> list[tuple[int, int]]:
    return sorted(zip(closures.start[which].tolist(), closures.end[which].tolist(), strict=True))


def _joined(takes: Ints, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of an airport that touch, or have only hours between them in which it takes no flight."""
    joined: list[tuple[int, int]] = []
    for since, until in spans:
        if joined and not takes[joined[-1][1] // 60 : since // 60].any():
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
            continue
        joined.append((since, until))
    return joined


def runs_into(
    shut: Sequence[Shut], origin: Ints, destination: Ints, leaves: Ints, lands: Ints, corridor: Ints
) -> tuple[Flags, Floats]:
    """Whether each flight, as scheduled, runs into what is shut, and when that becomes known."""
    known = np.full(len(origin), float(NEVER))
    for airport, way, since, until, told in shut:
        if airport >= 0:
            hit = (origin == airport) & (leaves >= since) & (leaves < until)
            hit |= (destination == airport) & (lands >= since) & (lands < until)
        else:
            hit = (corridor == way) & (leaves < until) & (lands > since) & (leaves >= since)
        known[hit] = np.minimum(known[hit], told)
    return known < NEVER, known
