from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import by_hand
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_airline import write_airline

from takt.contract.station import TaktError
from takt.stations.flightdesk import greedy_delay, read_instance, read_solution, write_instance, write_solution
from takt.stations.flightdesk.airline.instance import capacities, clock, journeys
from takt.stations.flightdesk.airline.rows import FILES

DATA = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the challenge's instances are not here")


def test_what_is_read_is_what_is_written_there(tmp_path: Path) -> None:
    changes = "8 01/01/08 15\n6 01/01/08 -1"
    instance = read_instance(
        by_hand.write(tmp_path, alt_flights=changes, alt_airports="BBB 01/01/08 10:00 01/01/08 12:00 0 1")
    )
    assert (instance.clock(instance.start), instance.clock(instance.end)) == ("01/01 08:00", "02/01 04:00")
    assert instance.aircraft.seats.tolist()[2] == [0, 0, 12]
    assert instance.aircraft.surface.tolist() == [False] * 4 + [True]
    assert instance.aircraft.service_minutes.tolist() == [400, 0, 0, 0, 0]
    flights = instance.flights
    assert instance.flight(7) == "8 of 01/01"
    assert (flights.departure[7], flights.arrival[7], flights.delay[7]) == (22 * 60 + 30, 23 * 60 + 31, 15)
    assert flights.previous.tolist() == [-1, -1, 1, -1, -1, -1, -1, -1, -1]
    assert flights.cancelled.tolist() == [i == 5 for i in range(9)]
    departures, arrivals = capacities(instance, 30)
    at = instance.airports.code.index("BBB")
    assert departures[at, 8:14].tolist() == [1, 1, 0, 0, 2, 2] and arrivals[at, 8:14].tolist() == [2, 2, 1, 1, 2, 2]
    assert departures[at, 24:].tolist() == [1] * 6, "the next day is as usual"


def test_journeys_say_what_was_booked(tmp_path: Path) -> None:
    booked = journeys(read_instance(by_hand.write(tmp_path)))
    assert booked.flying.tolist() == [360, 210, 60, 60, 300]
    assert booked.reach.tolist() == [2, 1, 0, 0, 2]
    assert booked.cabin.tolist() == [2, 1, 2, 2, 0]
    assert booked.begun.tolist() == [1, 0, 0, 0, 0]
    assert (booked.arrival - booked.departure).tolist() == [480, 330, 60, 60, 300]


def test_whoever_missed_the_connection_has_not_flown_the_next_leg(tmp_path: Path) -> None:
    config = by_hand.FILES["config"].replace("08:00", "12:00", 1)
    begun = {
        delay: journeys(read_instance(by_hand.write(tmp_path, config=config, alt_flights=f"1 01/01/08 {delay}"))).begun[
            0
        ]
        for delay in (0, 90, 91, -1)
    }
    assert begun == {0: 2, 90: 2, 91: 1, -1: 0}


def test_times_are_written_as_the_format_does() -> None:
    assert [clock(65), clock(1440 + 10, 1), clock(1440 + 10), clock(0)] == ["01:05", "00:10", "00:10+1", "00:00"]


@real
@pytest.mark.parametrize("name", [f"{letter}{n:02d}" for letter in "AB" for n in range(1, 11)])
def test_the_challenges_instances_are_written_back_byte_for_byte(name: Any, tmp_path: Path) -> None:
    write_instance(read_instance(DATA / name), tmp_path)
    for file in FILES:
        assert (tmp_path / f"{file}.csv").read_bytes() == (DATA / name / f"{file}.csv").read_bytes(), file


@real
def test_thirty_thousand_bookings_are_read(tmp_path: Path) -> None:
    write_instance(read_instance(DATA / "B05"), tmp_path)
    rows = (tmp_path / "itineraries.csv").read_text().split("\n#")[0].splitlines()
    more = [f"{100_000 * k + int(row.split()[0])} {row.split(' ', 1)[1]}" for k in range(3) for row in rows]
    (tmp_path / "itineraries.csv").write_text("\n".join(more[:30_000]) + "\n#\n")
    assert len(read_instance(tmp_path).bookings.number) == 30_000


AIRCRAFT = by_hand.FILES["aircraft"]
FLIGHTS = by_hand.FILES["flights"]
CONFIG = by_hand.FILES["config"]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("aircraft", "", "aircraft.csv has no aircraft"),
        ("aircraft", AIRCRAFT.replace("0/0/12", "0/-3/12"), "aircraft.csv, line 3, seats: cannot be 0/-3/12"),
        (
            "aircraft",
            AIRCRAFT.replace("0/0/12", "0/12"),
            "aircraft.csv, line 3, seats: '0/12' is not First/Business/Economy",
        ),
        ("aircraft", AIRCRAFT.replace("0/0/12", f"0/0/1{'0' * 20}"), "aircraft.csv, line 3, seats: cannot be 0/0/1000"),
        ("aircraft", AIRCRAFT.replace("15 AAA", "15 XXX"), "aircraft.csv, line 4, airport: 'XXX' is unknown"),
        ("aircraft", AIRCRAFT.replace("CCC-01", "XXX-01"), "line 1, maintenance airport: 'XXX' is unknown"),
        ("aircraft", AIRCRAFT.replace("20:00-02", "2000-02"), "line 1, maintenance start: '2000' is not a time"),
        ("aircraft", AIRCRAFT.replace("J1#2", "J1#1"), "aircraft.csv, line 2, aircraft: J1#1 is listed twice"),
        ("flights", FLIGHTS.replace("13:00 14:00", "14:00 13:00"), "line 6, arrival: 13:00 is not after the departure"),
        ("flights", FLIGHTS.replace("13:00", "13:60"), "flights.csv, line 6, departure: '13:60' is not a time"),
        ("flights", FLIGHTS.replace("8 AAA", "7 AAA"), "flights.csv, line 8, flight: 7 is listed twice"),
        ("flights", FLIGHTS.replace("14:30 2", "14:30 77"), "flights.csv, line 3, previous flight: 77 is unknown"),
        ("flights", FLIGHTS.replace("23:31 0", "23:31"), "line 8, previous flight: is missing; the line has 5 fields"),
        ("flights", FLIGHTS.replace("4 BBB", "4.5 BBB"), "flights.csv, line 4, flight: '4.5' is not a whole number"),
        ("flights", FLIGHTS.replace("14:30 2", "14:30 1"), "line 3, previous flight: 1 does not land where 3 leaves"),
        ("flights", FLIGHTS.replace("08:00 0", "08:00 2").replace("10:00 0", "10:00 1"), "line 1, previous flight: 1"),
        (
            "flights",
            FLIGHTS.replace("13:00 14:00 0", "13:00 14:00 7").replace("16:00 0", "16:00 6"),
            "line 6, previous",
        ),
        ("flights", FLIGHTS.replace("13:00", "24:59"), "flights.csv, line 6, departure: '24:59' is not a time"),
        ("flights", FLIGHTS.replace("14:30 2", "14:30+ 2"), "flights.csv, line 3, arrival: '14:30+' is not a time"),
        ("dist", by_hand.FILES["dist"] + "\nAAA BBB 70 D", "dist.csv, line 7, destination: AAA BBB is there twice"),
        ("dist", "AAA BBB 61 D", "rotations.csv, line 2, flight: dist.csv has no line BBB AAA for flight 2"),
        ("dist", "AAA BBB 0 D", "dist.csv, line 1, minutes: cannot be 0; give 1 or more"),
        ("dist", "AAA BBB 61 X", "dist.csv, line 1, type: 'X' is unknown"),
        ("rotations", "1 30/02/08 J1#1", "rotations.csv, line 1, date: '30/02/08' is not a date"),
        ("rotations", "1 01/01/08 J1#1\n1 01/01/08 J1#2", "rotations.csv, line 2, flight: 1 flies twice on 01/01/08"),
        ("rotations", "1 01/01/08 J9", "rotations.csv, line 1, aircraft: 'J9' is unknown"),
        ("rotations", "1 01/01/06 J1#1", "line 1, date: 01/01/06 is more than 366 days from the recovery period"),
        ("rotations", "77 01/01/08 J1#1", "rotations.csv, line 1, flight: 77 is not in flights.csv"),
        ("rotations", "", "rotations.csv has no flights"),
        ("itineraries", "1 A 100.0 4 1 02/01/08 E", "itineraries.csv, line 1, leg, flight: 1 does not fly on 02/01/08"),
        (
            "itineraries",
            "1 A 100.0 -4 1 01/01/08 E",
            "itineraries.csv, line 1, passengers: cannot be -4; give 1 or more",
        ),
        ("itineraries", "1 A nan 4 1 01/01/08 E", "itineraries.csv, line 1, price: cannot be nan"),
        ("itineraries", "1 X 100.0 4 1 01/01/08 E", "itineraries.csv, line 1, direction: 'X' is unknown"),
        ("itineraries", "1 A 100.0 4", "itineraries.csv, line 1, legs: there are none"),
        ("itineraries", "1 A 100.0 4 1 01/01/08", "itineraries.csv, line 1, leg, cabin: is missing"),
        ("airports", "AAA 1 1 00:00 00:00\nBBB 1 1 12:00 12:00", "airports.csv, line 2, to: 12:00 is not after 12:00"),
        ("position", "AAA J9 0/0/12 1", "position.csv, line 1, model: 'J9' is unknown"),
        ("alt_flights", "77 01/01/08 5", "alt_flights.csv, line 1, flight: 77 does not fly on 01/01/08"),
        ("alt_flights", "3 01/01/08 2000000000", "line 1, delay: cannot be 2000000000; give 44640 or less"),
        ("alt_flights", "3 01/01/08 5\n3 01/01/08 -1", "alt_flights.csv, line 2, delay: 3 of 01/01/08 is there twice"),
        (
            "aircraft",
            AIRCRAFT.replace("J1#2", "J1\x00#2"),
            "aircraft.csv, line 2, character 3: the byte 0x00 is not plain",
        ),
        ("alt_flights", "1 01/01/08 -2", "alt_flights.csv, line 1, delay: cannot be -2; give -1 or more"),
        ("alt_aircraft", "J1#1 01/01/08 10:00 01/01/08 10:00", "alt_aircraft.csv, line 1, end: is not after the start"),
        ("alt_airports", "AAA 01/01/08 10:00 01/01/08 11:00 1", "line 1, arrivals per hour: is missing"),
        ("config", CONFIG.replace("02/01/08", "31/12/07"), "config.csv, line 1, end: the recovery period ends before"),
        (
            "config",
            CONFIG.replace("02/01/08", "02/01/80"),
            "config.csv, line 1, end: the recovery period has 26299 days",
        ),
        ("config", CONFIG.replace("F D 3.0 ", ""), "config.csv, line 2, delay cost: not all nine"),
        ("config", CONFIG.rsplit("\n", 1)[0], "config.csv has 6 lines instead of 7"),
    ],
)
def test_a_broken_file_is_one_line_that_names_file_line_and_field(
    tmp_path: Path, file: Any, text: Any, says: Any
) -> None:
    with pytest.raises(TaktError) as error:
        read_instance(by_hand.write(tmp_path, **{file: text}))
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_plans_row_with_a_ninth_field_is_refused(tmp_path: Path) -> None:
    instance = read_instance(by_hand.write(tmp_path))
    plan = by_hand.write_plan(tmp_path / "plan", ("01/01/08 J2#3", "01/01/08 J2#3 J1#1"))
    with pytest.raises(TaktError, match=r"sol_rotations.csv, line 6, aircraft: the line has 9 fields, and ends with"):
        read_solution(instance, plan)


def test_a_file_that_is_cut_off_or_missing_is_named(tmp_path: Path) -> None:
    by_hand.write(tmp_path)
    (tmp_path / "itineraries.csv").write_text(by_hand.FILES["itineraries"])
    with pytest.raises(TaktError, match=r"itineraries\.csv ends at line 5 without a line `#`"):
        read_instance(tmp_path)
    (tmp_path / "itineraries.csv").unlink()
    with pytest.raises(TaktError, match=r"itineraries\.csv is missing"):
        read_instance(tmp_path)
    (tmp_path / "itineraries.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(TaktError, match="not plain text"):
        read_instance(tmp_path)
    with pytest.raises(TaktError, match="no instance at"):
        read_instance(tmp_path / "nowhere")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_writing_and_reading_changes_nothing(seed: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_airline(random.Random(seed), folder / "a")
        instance = read_instance(folder / "a")
        write_instance(instance, folder / "b")
        for file in FILES:
            assert (folder / "a" / f"{file}.csv").read_text() == (folder / "b" / f"{file}.csv").read_text()
        plan = greedy_delay(instance)
        write_solution(instance, plan, folder / "plan")
        again = read_solution(instance, folder / "plan")
        for table, same in ((plan.operations, again.operations), (plan.trips, again.trips)):
            for column in table.__slots__:
                np.testing.assert_array_equal(getattr(table, column), getattr(same, column), column)


@settings(max_examples=150, deadline=None)
@given(
    file=st.sampled_from(FILES),
    at=st.floats(0, 1),
    cut=st.integers(0, 12),
    junk=st.sampled_from(
        ["", " ", "-", "#", "\n", "0", "99999999999999999999", "x", "/", ":", "\x00", "é", "+9", "nan"]
    ),
)
def test_whatever_happens_to_a_file_it_is_read_or_refused_in_one_line(file: Any, at: Any, cut: Any, junk: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = by_hand.write(
            Path(name), alt_flights="8 01/01/08 15", alt_aircraft="J1#1 01/01/08 10:00 01/01/08 11:00"
        )
        text = (folder / f"{file}.csv").read_text()
        i = round(at * len(text))
        (folder / f"{file}.csv").write_text(text[:i] + junk + text[i + cut :], encoding="utf-8")
        try:
            instance = read_instance(folder)
        except TaktError as error:
            assert "\n" not in str(error) and str(error)
        else:
            write_instance(instance, folder / "again")
            greedy_delay(read_instance(folder / "again"))


def test_a_row_that_is_there_twice_and_says_the_same_is_one_row(tmp_path: Path) -> None:
    dist = by_hand.FILES["dist"]
    twice = read_instance(
        by_hand.write(tmp_path, dist=f"{dist}\nAAA BBB 61 D", alt_flights="3 01/01/08 5\n3 01/01/08 5")
    )
    assert len(twice.distances.minutes) == len(dist.splitlines()) and twice.changes.delay.tolist() == [5]
