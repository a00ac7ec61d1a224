"""Which way a flight goes between Europe and East Asia, whose sky it crosses, and how long it takes.

    north    over Siberia: shorter, and open only to those whom Russia lets in
    middle   Bulgaria, Black Sea, Georgia, Azerbaijan, Caspian, then Kazakhstan and western China (to South and
             South-East Asia: Turkmenistan, Afghanistan, Pakistan, India)
    south    by the hubs of the Gulf, or through the skies of Iraq, Iran and Oman
    other    flights that do not go from one side to the other: within Europe, within Asia, anywhere else

Russia has shut its sky since 2022 to the airlines of those who shut theirs to Russian ones: the European Union,
Britain, Switzerland, Japan, Korea and others. The airlines of China's mainland may use it, and here they always do.
Nobody else does: some are not barred (Thai, Singapore, Vietnam, India), but their flights to Europe stay away from it.

What is ours: where nobody may go north, flights to East Asia and to mainland South-East Asia and Manila take the
middle; those farther south (Singapore, Kuala Lumpur, Jakarta) the south. Flights between Europe or Turkiye and South
Asia count too, since trips to East Asia can change planes there: the middle, but the south for Indian airlines, to whom
Pakistan has been shut since April 2025. From Turkiye to East and South-East Asia it is the middle always. Europe to
Turkiye is "other", so a trip over Istanbul takes the corridor of its leg that goes east. Whatever touches a hub of the
Gulf is "south". A line has a few points, not an airway's dozens; states between a European airport and the first point
are not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

import airportsdata

CORRIDORS = ("north", "middle", "south", "other")
GULF_HUBS = ("DXB", "DOH", "AUH")

MAY_GO_NORTH = frozenset({"CA", "MU", "CZ", "HU", "3U", "MF", "HO", "FM", "ZH", "SC", "GS", "JD", "9C"})  # China's
NOT_OVER_PAKISTAN = frozenset({"AI", "IX", "6E", "SG", "QP"})  # India's
FAR_SOUTH = 8.0  # degrees north: a line between Bangkok, Saigon and Manila, and Kuala Lumpur, Singapore and Jakarta


def _states(words: str) -> dict[str, str]:
    """ISO 3166 code -> name."""
    return {word[:2]: word[3:] for word in words.split(", ")}


# States by region, by ISO 3166 code. Those of Europe have the names of EUROCONTROL's DAIO tables.
REGIONS = {
    "Europe": _states(
        "AL Albania, AT Austria, BA BosniaHerzegovina, BE Belgium and Luxembourg, BG Bulgaria, CH Switzerland, "
        "CY Cyprus, CZ Czech Republic, DE Germany, DK Denmark, EE Estonia, ES Spain, FI Finland, FR France, "
        "GB United Kingdom, GR Greece, HR Croatia, HU Hungary, IE Ireland, IS Iceland, IT Italy, LT Lithuania, "
        "LU Belgium and Luxembourg, LV Latvia, MD Moldova, ME Serbia & Montenegro, MK North Macedonia, MT Malta, "
        "NL Netherlands, NO Norway, PL Poland, PT Portugal, RO Romania, RS Serbia & Montenegro, SE Sweden, "
        "SI Slovenia, SK Slovakia, UA Ukraine"
    ),
    "Turkiye": _states("TR Türkiye"),
    "South Asia": _states("BD Bangladesh, IN India, LK Sri Lanka, NP Nepal, PK Pakistan"),
    "South-East Asia": _states(
        "BN Brunei, ID Indonesia, KH Cambodia, LA Laos, MM Myanmar, MY Malaysia, PH Philippines, SG Singapore, "
        "TH Thailand, TL Timor-Leste, VN Vietnam"
    ),
    "East Asia": _states(
        "CN China, HK China, JP Japan, KP North Korea, KR South Korea, MN Mongolia, MO China, TW Taiwan"
    ),
}
ELSEWHERE = _states(
    "AE United Arab Emirates, AF Afghanistan, AM Armenia, AZ Azerbaijan, BH Bahrain, DZ Algeria, EG Egypt, GE Georgia, "
    "IL Israel, IQ Iraq, IR Iran, JO Jordan, KW Kuwait, KZ Kazakhstan, LB Lebanon, MA Morocco, OM Oman, QA Qatar, "
    "RU Russia, SA Saudi Arabia, SY Syria, TM Turkmenistan, TN Tunisia, US United States, UZ Uzbekistan"
)
STATES = {iso: name for states in (*REGIONS.values(), ELSEWHERE) for iso, name in states.items()}
WEST_TO_EAST = ("Europe", "Turkiye", "Gulf", "South Asia", "South-East Asia", "East Asia", "")

Point = tuple[float, float, str]  # degrees north, degrees east, whose sky it is in

SIBERIA: tuple[Point, ...] = (
    (57.0, 29.0, "Russia"),
    (61.0, 60.0, "Russia"),
    (57.0, 86.0, "Russia"),
    (51.5, 103.0, "Russia"),
    (46.5, 109.0, "Mongolia"),
)
BLACK_SEA: tuple[Point, ...] = ((42.5, 27.5, "Bulgaria"),)
CAUCASUS: tuple[Point, ...] = ((41.7, 42.0, "Georgia"), (40.4, 49.9, "Azerbaijan"))
KAZAKHSTAN: tuple[Point, ...] = (
    (43.6, 54.0, "Kazakhstan"),
    (44.3, 76.0, "Kazakhstan"),
    (43.8, 87.6, "China"),
    (39.0, 100.0, "China"),
)
HINDU_KUSH: tuple[Point, ...] = ((39.0, 59.0, "Turkmenistan"), (35.5, 67.0, "Afghanistan"), (32.0, 72.5, "Pakistan"))
GANGES: tuple[Point, ...] = ((26.0, 82.0, "India"),)
IRAQ: tuple[Point, ...] = ((39.0, 35.0, "Türkiye"), (36.5, 43.5, "Iraq"))
TO_THE_GULF: tuple[Point, ...] = ((30.6, 47.6, "Iraq"), (28.0, 50.0, "Bahrain"))
IRAN: tuple[Point, ...] = ((30.0, 52.0, "Iran"), (26.5, 57.5, "Iran"), (22.5, 62.0, "Oman"))
DECCAN: tuple[Point, ...] = ((18.0, 73.0, "India"), (13.0, 80.5, "India"))

# From west to east; flights the other way turn the line round. A pair that is not here goes straight.
LINES: Mapping[tuple[str, str, str], tuple[Point, ...]] = {
    ("Europe", "East Asia", "north"): SIBERIA,
    ("Europe", "East Asia", "middle"): BLACK_SEA + CAUCASUS + KAZAKHSTAN,
    ("Europe", "South-East Asia", "middle"): BLACK_SEA + CAUCASUS + HINDU_KUSH + GANGES,
    ("Europe", "South-East Asia", "south"): IRAQ + IRAN + DECCAN,
    ("Europe", "South Asia", "middle"): BLACK_SEA + CAUCASUS + HINDU_KUSH,
    ("Europe", "South Asia", "south"): IRAQ + IRAN,
    ("Europe", "Gulf", "south"): IRAQ + TO_THE_GULF,
    ("Turkiye", "East Asia", "middle"): CAUCASUS + KAZAKHSTAN,
    ("Turkiye", "South-East Asia", "middle"): CAUCASUS + HINDU_KUSH + GANGES,
    ("Turkiye", "South Asia", "middle"): CAUCASUS + HINDU_KUSH,
    ("Turkiye", "South Asia", "south"): IRAQ + IRAN,
    ("Turkiye", "Gulf", "south"): IRAQ + TO_THE_GULF,
    ("Gulf", "South Asia", "south"): ((23.5, 59.5, "Oman"),),
    ("Gulf", "South-East Asia", "south"): ((23.5, 59.5, "Oman"), *DECCAN),
    ("Gulf", "East Asia", "south"): (
        (25.0, 66.5, "Pakistan"),
        *GANGES,
        (25.5, 96.0, "Myanmar"),
        (25.2, 102.7, "China"),
    ),
}


@dataclass(frozen=True, slots=True)
class Route:
    """One flight's way.

    corridor    one of CORRIDORS.
    points      (degrees north, degrees east) from origin to destination, both of them too; none if either is unknown.
    airspaces   the states whose sky it crosses, in this order, each once.
    minutes     of flying, in steps of five; -1 if either airport is unknown.
    """

    corridor: str
    points: tuple[tuple[float, float], ...]
    airspaces: tuple[str, ...]
    minutes: int


@cache
def route(carrier: str, origin: str, destination: str) -> Route:
    """The way that an airline (IATA, two letters; anything for our own) takes between two airports (IATA)."""
    known = _known_airports()
    if origin not in known or destination not in known:
        return Route("other", (), (), -1)
    ends = sorted((origin, destination), key=lambda code: WEST_TO_EAST.index(_region(code)))
    west, east = _region(ends[0]), _region(ends[1])
    corridor = _corridor(carrier, west, east, float(known[ends[1]]["lat"]))
    line = LINES.get((west, east, corridor), ())
    way = (_point(origin), *(line if origin == ends[0] else line[::-1]), _point(destination))
    places = tuple((lat, lon) for lat, lon, _ in way)
    km = sum(great_circle_km(a, b) for a, b in pairwise(places))
    return Route(corridor, places, tuple(dict.fromkeys(state for _, _, state in way)), flying_minutes(km))


def corridor_of_trip(corridors: Iterable[str]) -> str:
    """A whole trip's corridor: south if any leg goes there, else north, else middle, else other."""
    legs = set(corridors)
    return next((corridor for corridor in ("south", "north", "middle") if corridor in legs), "other")


def flying_minutes(km: float) -> int:
    """At 800 km/h and half an hour, in steps of five minutes, as `generate.py` has it."""
    return 5 * round((30 + km / 800 * 60) / 5)


def great_circle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Between two points (degrees north, degrees east), on a sphere of 6371 km."""
    (lat, lon), (lat2, lon2) = (map(radians, point) for point in (a, b))
    half = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lon2 - lon) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(half))


def place(code: str) -> tuple[float, float] | None:
    """Where an airport (IATA) is, in degrees north and east; None if `airportsdata` does not know it."""
    known = _known_airports().get(code)
    return (float(known["lat"]), float(known["lon"])) if known else None


def _corridor(carrier: str, west: str, east: str, east_lat: float) -> str:
    if "Gulf" in (west, east):
        return "south"
    if west not in ("Europe", "Turkiye") or east not in ("South Asia", "South-East Asia", "East Asia"):
        return "other"
    if west == "Europe" and east == "East Asia" and carrier in MAY_GO_NORTH:
        return "north"
    if east == "South Asia":
        return "south" if carrier in NOT_OVER_PAKISTAN else "middle"
    return "south" if west == "Europe" and east == "South-East Asia" and east_lat < FAR_SOUTH else "middle"


def _region(code: str) -> str:
    """The region of an airport (IATA), "" if it has none. The Gulf is its three hubs."""
    if code in GULF_HUBS:
        return "Gulf"
    country = _known_airports()[code]["country"]
    return next((name for name, states in REGIONS.items() if country in states), "")


def _point(code: str) -> Point:
    known = _known_airports()[code]
    return (float(known["lat"]), float(known["lon"]), STATES.get(known["country"], known["country"]))


@cache
def _known_airports() -> Mapping[str, airportsdata.Airport]:
    return airportsdata.load("IATA")
