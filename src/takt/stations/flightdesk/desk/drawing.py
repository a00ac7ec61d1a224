"""What the desk looks like now, as a picture: the map of who waits and who was sent where, and the last messages.

A film of a unit has many of these, so what stays the same, land and names, is drawn once for a set of airports.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from takt.draw import plots
from takt.stations.flightdesk.desk import map as maps
from takt.stations.flightdesk.desk.corridors import CORRIDORS, corridor_of_trip
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.parties import LEFT, REFUNDED, SETTLED, WAITING, WITH_HUMAN
from takt.stations.flightdesk.situation.map import land

WIDTH, HEIGHT = 960, 600  # pixels
MAP = (0.01, 0.21, 0.98, 0.68)
MESSAGES, LONGEST = 4, 118  # lines, and characters of one


def picture(office: Office) -> np.ndarray:
    """(600, 960, 3) uint8."""
    world = office.world
    codes = world.instance.airports.code
    below, above = _ground(codes)
    parties = list(office.parties.values())
    sent = [([f for f, _ in party.legs], party.people) for party in parties if party.status == SETTLED]
    ways = maps.ways_of(world, sent)
    people: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for party in parties:
        if party.status == SETTLED:
            people[corridor_of_trip(CORRIDORS[world.corridor[f]] for f, _ in party.flown + party.legs)] += party.people
        elif party.status == WAITING:
            waiting[codes[party.at]] += party.people
    away = sum(party.people for party in parties if party.status in (REFUNDED, WITH_HUMAN, LEFT))
    told = [f"{sum(people.values()):,} people on their way", f"{away:,} gone without"]
    if office.down_until > office.now_s:
        told.append("reservation system down")
    known = len(office.flights.log)
    log = [office.flights.message(i) for i in range(max(0, known - MESSAGES), known)]

    def draw(figure: Figure) -> None:
        figure.figimage(below, zorder=-1)
        if maps.known(codes):
            axes = maps.frame(figure, MAP, codes)
            maps.traffic(axes, ways, waiting, scale=0.9)
            maps.legend(axes, people, f"waiting {sum(waiting.values()):,}", 6)
        figure.figimage(above, zorder=5)
        _text(figure, 0.015, 0.982, f"{world.clock(office.minute)[:16].replace('T', ' ')} UTC", size=17)
        _text(figure, 0.985, 0.982, f"{len(office.queue)} in the queue    {'    '.join(told)}", ha="right", size=13)
        for line, message in enumerate(log):
            y = 0.03 + 0.042 * (len(log) - 1 - line)
            _text(figure, 0.015, y, message["at"][5:16].replace("T", " "), color=plots.MUTED)
            _text(figure, 0.115, y, message["text"][:LONGEST])

    return plots.pixels(WIDTH, HEIGHT, draw)[:, :, :3]


@lru_cache(maxsize=4)
def _ground(codes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """What lies below the map's lines, the land, and above them: the airports and their names."""

    def below(figure: Figure) -> None:
        if maps.known(codes):
            axes = maps.frame(figure, MAP, codes)
            land(axes, axes.get_xlim(), axes.get_ylim())

    def above(figure: Figure) -> None:
        if maps.known(codes):
            maps.label(maps.frame(figure, MAP, codes), codes)

    return plots.pixels(WIDTH, HEIGHT, below), plots.pixels(WIDTH, HEIGHT, above, paper="none")


def _text(figure: Figure, x: float, y: float, text: str, size: float = 11.5, **how: Any) -> None:
    figure.text(x, y, text, fontsize=size, va="top" if y > 0.5 else "bottom", **how)
