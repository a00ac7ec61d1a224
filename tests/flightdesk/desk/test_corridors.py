from __future__ import annotations

from typing import Any

import pytest

from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.instance import distance_tables
from takt.stations.flightdesk.airline.recipes import gulf_2026
from takt.stations.flightdesk.desk.corridors import CORRIDORS, corridor_of_trip, great_circle_km, place, route


@pytest.mark.parametrize("carrier", ["CA", "MU", "CZ", "HU"])
def test_airlines_of_china_fly_over_siberia(carrier: Any) -> None:
    way = route(carrier, "MAD", "PEK")
    assert way.corridor == "north" and way.airspaces == ("Spain", "Russia", "Mongolia", "China")


@pytest.mark.parametrize("carrier", ["IB", "LH", "BA", "LO", "JL", "NH", "KE", "CX", "TG", "1X"])
def test_nobody_else_does(carrier: Any) -> None:
    way = route(carrier, "MAD", "PEK")
    assert way.corridor == "middle" and "Russia" not in way.airspaces
    assert {"Bulgaria", "Georgia", "Azerbaijan", "Kazakhstan"} <= set(way.airspaces)
    assert way.minutes > route("CA", "MAD", "PEK").minutes + 30


@pytest.mark.parametrize(
    ("carrier", "origin", "destination", "corridor"),
    [
        ("EK", "LHR", "DXB", "south"),
        ("CA", "PEK", "DXB", "south"),
        ("QR", "DOH", "JFK", "south"),
        ("TK", "MAD", "IST", "other"),
        ("TK", "IST", "PEK", "middle"),
        ("TK", "IST", "SIN", "middle"),
        ("TG", "BKK", "FRA", "middle"),
        ("SQ", "SIN", "LHR", "south"),
        ("LH", "FRA", "DEL", "middle"),
        ("AI", "DEL", "FRA", "south"),
        ("CA", "PEK", "BKK", "other"),
        ("LH", "FRA", "MAD", "other"),
        ("BA", "LHR", "JFK", "other"),
        ("AI", "DEL", "BKK", "other"),
    ],
)
def test_which_way_a_flight_goes(carrier: Any, origin: Any, destination: Any, corridor: Any) -> None:
    there, back = route(carrier, origin, destination), route(carrier, destination, origin)
    assert there.corridor == back.corridor == corridor
    assert there.points == back.points[::-1] and there.minutes == back.minutes
    assert there.airspaces == back.airspaces[::-1], "no line crosses a state twice with another in between"


def test_the_south_is_the_skies_that_shut_with_the_gulf() -> None:
    assert {"Iraq", "Iran"} <= set(route("SQ", "SIN", "LHR").airspaces)
    assert {"Iraq", "United Arab Emirates"} <= set(route("EK", "LHR", "DXB").airspaces)
    assert not {"Iraq", "Iran", "Russia"} & set(route("TK", "IST", "PEK").airspaces)
    assert "Pakistan" not in route("AI", "DEL", "LHR").airspaces


def test_the_line_goes_from_the_one_airport_to_the_other() -> None:
    way = route("IB", "MAD", "PEK")
    assert (way.points[0], way.points[-1]) == (place("MAD"), place("PEK"))
    assert all(-90 <= lat <= 90 and -180 <= lon <= 180 for lat, lon in way.points)
    assert [lon for _, lon in way.points] == sorted(lon for _, lon in way.points), "it never turns back"


def test_straight_flights_take_as_long_as_the_generator_says() -> None:
    instance = generate(gulf_2026(flights=200, aircraft=30, bookings=100))
    minutes, codes = distance_tables(instance)[0], instance.airports.code
    for origin, destination in (("LHR", "MAD"), ("SIN", "HKG"), ("IST", "FRA")):
        own = minutes[codes.index(origin), codes.index(destination)]
        assert route("", origin, destination).minutes == own


def test_a_detour_is_never_shorter_than_the_straight_line() -> None:
    for corridor_of in (("CA", "ATH", "PEK"), ("KE", "ICN", "LHR"), ("SQ", "SIN", "CPH"), ("EK", "DXB", "NRT")):
        way = route(*corridor_of)
        assert way.minutes >= 30 + great_circle_km(way.points[0], way.points[-1]) / 800 * 60 - 5


def test_an_airport_that_nobody_knows_is_no_error() -> None:
    way = route("CA", "CDG", "?1")
    assert (way.corridor, way.points, way.airspaces, way.minutes) == ("other", (), (), -1)


def test_a_trip_has_the_corridor_of_its_long_leg() -> None:
    assert corridor_of_trip(["other", "middle"]) == "middle"
    assert corridor_of_trip(["middle", "north", "other"]) == "north"
    assert corridor_of_trip(["north", "south"]) == "south"
    assert corridor_of_trip(["other"]) == corridor_of_trip([]) == "other"
    assert all(corridor_of_trip([corridor]) == corridor for corridor in CORRIDORS)
