"""Imports of a few flights each, small enough to know what must come out."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from small_import import files, flown, imported, leg, schedule

from takt.cli import main
from takt.contract.station import TaktError
from takt.stations.flightdesk import check, do_nothing, greedy_delay
from takt.stations.flightdesk.airline.imports.airline import import_airline, numbers_text
from takt.stations.flightdesk.airline.imports.defaults import read_defaults
from takt.stations.flightdesk.airline.imports.exported import Exported
from takt.stations.flightdesk.airline.imports.places import Places
from takt.stations.flightdesk.airline.imports.tables import moment
from takt.stations.flightdesk.airline.imports.tails import seats_in

ATR = "aircraft,type\nF-ATRA,AT7"
EARLY = ("2026-01-07T01:00Z", "2026-01-08T12:00Z")
BACK_AND_FORTH = (
    "AF1 CDG-NTE 06:00-07:10 AT7",
    "AF2 NTE-CDG 07:45-08:55 AT7",
    "AF3 CDG-LIL 09:30-10:25 AT7",
    "AF4 LIL-CDG 11:00-11:55 AT7",
    "AF5 CDG-NTE 13:00-14:10 AT7",
)
BOOKINGS = "booking,passengers,flight,date,origin,destination,cabin,direction,price\n"


def groups(instance: Any) -> list[Any]:
    """Each group: number, direction, price, its flights' numbers."""
    b, f = instance.bookings, instance.flights
    return [
        (int(b.number[k]), "AR"[int(b.inbound[k])], float(b.price[k]),
         f.number[b.leg_flight[b.first[k]:b.first[k + 1]]].tolist())
        for k in range(len(b.number))
    ]  # fmt: skip


def taken(found: Any) -> dict[str, int]:
    return {what: int(many.replace(",", "")) for what, many in (line.rsplit(": ", 1) for line in found.missing)}


# --- what was late, and what was in the air --------------------------------------------------------------------------


def test_a_delay_goes_on_through_all_flights_scheduled_before_the_period(tmp_path: Path) -> None:
    late = "kind,flight,date,minutes\ndelay,AF1,2026-01-07,240"
    instance = imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, disruptions=late).instance
    # 25 min to turn round: AF2 leaves at 11:35, AF3 and AF4 after noon, at 13:10 and 14:30; AF5 is yet to be decided.
    delays = dict(zip(instance.flights.number.tolist(), instance.flights.delay.tolist(), strict=True))
    assert delays == {1: 240, 2: 230, 3: 220, 4: 210, 5: 0}
    plan = do_nothing(instance)
    assert not check(instance, plan)
    assert (plan.operations.departure - instance.flights.departure)[plan.operations.aircraft >= 0].tolist() == [
        240, 230, 220, 210,
    ]  # fmt: skip
    assert not check(instance, greedy_delay(instance))


def test_what_a_cancelled_flight_keeps_from_leaving_is_still_said(tmp_path: Path) -> None:
    gone = "kind,flight,date\ncancel,AF1,2026-01-07"
    with pytest.raises(TaktError, match="cannot have left, for one before was cancelled") as error:
        imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, disruptions=gone)
    assert "AF2 of 2026-01-07 from NTE: F-ATRA is at CDG" in str(error.value)


@pytest.mark.parametrize("airport", ["", "JFK", "CDG"])
@pytest.mark.parametrize("rotations", [None, "flight,date,aircraft\nAF1,2026-01-06,F-LONG\nAF2,2026-01-07,F-LONG"])
def test_a_flight_in_the_air_as_the_first_day_begins_is_part_of_it(
    tmp_path: Path, airport: str, rotations: Any
) -> None:
    ssim = schedule("AF1 JFK-CDG 23:00-1-06:00+1 77W", "AF2 CDG-NCE 08:00-09:30 77W")
    more = {} if rotations is None else {"rotations": rotations}
    found = imported(tmp_path, ssim, f"aircraft,type,airport\nF-LONG,77W,{airport}", period=EARLY, **more)
    instance = found.instance
    assert instance.epoch.isoformat() == "2026-01-06" and instance.clock(instance.start) == "07/01 01:00"
    assert flown(instance) == [("CDG-NCE", 1440 + 480, 0, "F-LONG"), ("JFK-CDG", 1380, 0, "F-LONG")]
    assert instance.airports.code[instance.aircraft.airport[0]] == "JFK"
    assert taken(found)["flights of the day before that were in the air as the first day began"] == 1
    assert not check(instance, do_nothing(instance))


def test_an_aircraft_in_the_air_flies_nothing_else_meanwhile(tmp_path: Path) -> None:
    ssim = schedule("AF1 JFK-CDG 23:00-1-06:00+1 77W", "AF2 CDG-NCE 02:00-03:30 77W")
    for airport in ("", "CDG"):
        with pytest.raises(TaktError, match="no 77W is free at CDG for AF2 of 2026-01-07"):
            imported(tmp_path, ssim, f"aircraft,type,airport\nF-LONG,77W,{airport}", period=EARLY)


def test_what_began_before_the_first_day_is_cut_to_it(tmp_path: Path) -> None:
    happened = (
        "kind,aircraft,airport,start,end,departures,arrivals\n"
        "aircraft,F-ATRA,,2026-01-05T10:00Z,2026-01-07T05:00Z,,\n"
        "airport,,LIL,2026-01-05T10:00Z,2026-01-07T05:00Z,1,1\n"
        "aircraft,F-ATRA,,2026-01-05T10:00Z,2026-01-06T05:00Z,,"
    )
    found = imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, disruptions=happened)
    instance = found.instance
    assert instance.closures.start.tolist() == [0] and instance.groundings.end.tolist() == [300]
    assert not check(instance, do_nothing(instance))  # and so it flies on that day when it can fly again
    assert (do_nothing(instance).operations.aircraft >= 0).all()
    assert taken(found)["disruptions that began before the first day, cut to it"] == 2
    assert taken(found)["disruptions left out, they were over before the first day"] == 1


# --- bookings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (
            ["7,10,AF1,2026-01-07,,,Y,outbound,100", "7,10,AF2,2026-01-07,,,Y,inbound,50"],
            [(7, "A", 100.0, [1]), (8, "R", 50.0, [2])],
        ),
        (  # nobody says which way: it comes back to where it began, and stays longest at LIL
            [f"7,10,AF{n},2026-01-07,,,Y,,90" for n in (1, 2, 3, 4)],
            [(7, "A", 90.0, [1]), (8, "R", 90.0, [2]), (9, "A", 90.0, [3]), (10, "R", 90.0, [4])],
        ),
        ([f"7,10,AF{n},2026-01-07,,,Y,outbound,90" for n in (1, 2)], [(7, "A", 90.0, [1, 2])]),  # it was said
        (["7,10,AF1,2026-01-07,,,Y,,100", "7,10,AF2,2026-01-07,,,Y,inbound,"], [(7, "R", 100.0, [1, 2])]),
    ],
)
def test_out_and_back_is_two_groups(tmp_path: Path, rows: list[str], wanted: Any) -> None:
    found = imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, BOOKINGS + "\n".join(rows))
    assert groups(found.instance) == wanted
    assert taken(found).get("bookings of several trips, a group made of each", 0) == (len(wanted) > 1)
    assert [name for what, name, _ in found.numbers if what == "booking"] == [
        f"7 ({i})" for i in range(2, len(wanted) + 1)
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["AF1,2026-01-07,,,Y,,100", "AF2,2026-01-07,,,Y,,50", "AF2,2026-01-07,,,Y,,50"],
            "the booking has AF2 already, in line 3",
        ),
        (["AF2,2026-01-07,,,Y,inbound,50", "AF1,2026-01-07,,,Y,,100"], "line 2, column 9 (price): is 50, and 100"),
        (["AF2,2026-01-07,,,Y,,100", "AF3,2026-01-07,,,Y,,50"], "line 3, column 9 (price): is 50, and 100 in line 2"),
        (
            ["AF1,2026-01-07,,,Y,outbound,", "AF2,2026-01-07,,,Y,inbound,", "AF3,2026-01-07,,,Y,outbound,"],
            "line 4, column 8 (direction): is outbound, and AF2 before it is inbound",
        ),
        (["AF1,2026-01-07,,,Y,,", "AF4,2026-01-07,,,Y,,"], "line 3, column 3 (flight): AF4 leaves from LIL, and AF1"),
    ],
)
def test_a_booking_that_contradicts_itself_is_said(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(TaktError) as error:
        imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, BOOKINGS + "\n".join(f"7,10,{row}" for row in rows))
    assert said in str(error.value)


def test_a_code_share_flight_in_a_booking_is_cut_and_counted(tmp_path: Path) -> None:
    sold = leg("AF7000 NTE-LHR 09:00-10:20 320", disclosure="L"), leg("AF7001 LHR-CDG 08:00-09:00 320", disclosure="Z")
    ssim = schedule(*BACK_AND_FORTH, *sold)
    rows = [
        "7,1,AF1,2026-01-07,,,Y,,90", "7,1,AF7000,2026-01-07,,,Y,,90",
        "8,1,AF7000,2026-01-07,,,Y,,90",
        "9,1,AF7001,2026-01-07,,,Y,,90", "9,1,AF3,2026-01-07,,,Y,,90",
        "10,1,AF1,2026-01-07,,,Y,,90", "10,1,AF7000,2026-01-07,,,Y,,90", "10,1,AF5,2026-01-07,,,Y,,90",
    ]  # fmt: skip
    found = imported(tmp_path, ssim, ATR, BOOKINGS + "\n".join(rows))
    assert groups(found.instance) == [
        (7, "A", 90.0, [1]), (9, "A", 90.0, [3]), (10, "A", 90.0, [1]), (11, "A", 90.0, [5]),
    ]  # fmt: skip
    assert taken(found)["bookings cut to their legs of this airline (code share)"] == 3
    assert taken(found)["bookings left out, they fly with other airlines"] == 1
    with pytest.raises(TaktError, match=r"column 2 \(flight\): AF7000 is flown by another airline"):
        late = "kind,flight,date,minutes\ndelay,AF7000,2026-01-07,20"
        imported(tmp_path, ssim, ATR, disruptions=late)


def test_an_own_leg_after_a_code_share_leg_is_a_flight(tmp_path: Path) -> None:
    sold = leg("AF10/1 LHR-CDG 10:00-11:10 320", data=[(50, "BA 1")])
    ssim = schedule(*BACK_AND_FORTH, sold, "AF10/2 CDG-NCE 12:00-13:30 AT7")
    rows = ["7,1,AF10,2026-01-07,LHR,NCE,Y,,90", "8,1,AF10,2026-01-07,CDG,NCE,Y,,90"]
    found = imported(tmp_path, ssim, f"{ATR}\nF-ATRB,AT7", BOOKINGS + "\n".join(rows))
    assert groups(found.instance) == [(7, "A", 90.0, [10]), (8, "A", 90.0, [10])]
    assert taken(found)["bookings cut to their legs of this airline (code share)"] == 1


def test_a_flight_that_leaves_an_airport_twice_has_both_legs(tmp_path: Path) -> None:
    names = ("AF1/1 CDG-NTE 06:00-07:10 AT7", "AF1/2 NTE-CDG 07:45-08:55 AT7", "AF1/3 CDG-LIL 13:30-14:25 AT7")
    rows = ["7,1,AF1,2026-01-07,CDG,NTE,Y,,9", "8,1,AF1,2026-01-07,CDG,LIL,Y,,9"]
    late = "kind,flight,date,origin,destination,minutes\ndelay,AF1,2026-01-07,CDG,LIL,30"
    found = imported(tmp_path, schedule(*names), ATR, BOOKINGS + "\n".join(rows), disruptions=late)
    instance = found.instance
    assert [f[:3] for f in flown(instance)] == [("CDG-LIL", 810, 30), ("CDG-NTE", 360, 0), ("NTE-CDG", 465, 0)]
    routes = [instance.flights.destination[leg] for leg in instance.bookings.leg_flight]
    assert [instance.airports.code[at] for at in routes] == ["NTE", "LIL"]
    out = dict(Exported(instance, "AF", local=False).files(bare=False))
    texts = {name.partition(".")[0]: text for name, text in out.items()}
    again = imported(tmp_path, texts.pop("schedule"), texts.pop("aircraft"), texts.pop("bookings"), **texts).instance
    assert (
        flown(again) == flown(instance) and again.bookings.leg_flight.tolist() == instance.bookings.leg_flight.tolist()
    )
    with pytest.raises(TaktError, match=r"column 5 \(destination\): AF1 leaves CDG 2 times that day; say where to"):
        imported(tmp_path, schedule(*names), ATR, disruptions=late.replace("LIL", ""))


# --- aircraft --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flies", "fleet", "family"),
    [("32N", "320", ""), ("73H", "738", ""), ("319", "321", "OURS"), ("32N", "32N", "OURS")],
)
def test_a_type_that_the_fleet_has_not_is_flown_by_its_family(
    tmp_path: Path, flies: str, fleet: str, family: str
) -> None:
    ssim = schedule(f"AF1 CDG-NCE 06:00-07:30 {flies}")
    found = imported(tmp_path, ssim, f"aircraft,type,family\nF-A,{fleet},{family}")
    assert flown(found.instance) == [("CDG-NCE", 360, 0, "F-A")]
    given = "flight,date,aircraft\nAF1,2026-01-07,F-A"
    assert flown(imported(tmp_path, ssim, f"aircraft,type,family\nF-A,{fleet},{family}", rotations=given).instance)


@pytest.mark.parametrize(
    ("flies", "fleet"), [("77W", "AT7"), ("77W", "BUS"), ("BUS", "AT7"), ("32N", "738"), ("ZZZ", "BUS")]
)
def test_a_rotation_of_another_family_is_refused(tmp_path: Path, flies: str, fleet: str) -> None:
    given = "flight,date,aircraft\nAF1,2026-01-07,F-A"
    with pytest.raises(TaktError) as error:
        imported(tmp_path, schedule(f"AF1 CDG-NCE 06:00-07:30 {flies}"), f"aircraft,type\nF-A,{fleet}", rotations=given)
    said = f"rotations.csv, line 2, aircraft: F-A is of type {fleet}, and AF1 is planned for a {flies}"
    assert str(error.value) == said


def test_a_rotation_of_a_type_that_nobody_knows_is_believed(tmp_path: Path) -> None:
    given = "flight,date,aircraft\nAF1,2026-01-07,F-A"
    ssim = schedule("AF1 CDG-NCE 06:00-07:30 ZZZ")
    assert flown(imported(tmp_path, ssim, "aircraft,type\nF-A,320", rotations=given).instance)


@pytest.mark.parametrize(
    ("configuration", "seats"),
    [
        ("J24Y245LL08PP05", (0, 24, 245)),
        ("F008C042Y260", (8, 42, 260)),
        ("C12Y150VVC2M4", (0, 12, 150)),
        ("BB2Y180", (0, 0, 180)),
        ("LL08PP05", None),
        ("", None),
    ],
)
def test_seats_are_those_of_compartments_of_one_letter(configuration: str, seats: Any) -> None:
    assert seats_in(configuration, read_defaults(None)) == seats


@pytest.mark.parametrize("name", ["F-GAA#", "#F-GAA", "cancelled", "F\u00c4"])
def test_a_name_that_the_challenges_files_cannot_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TaktError, match=r"aircraft.csv, line 3, column 1 \(aircraft\): "):
        imported(tmp_path, schedule(*BACK_AND_FORTH), f"{ATR}\n{name},AT7")


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "reach"),
    [
        ("CDG TFS", 1), ("CDG KEF", 1), ("FRA LCA", 1), ("JFK GRU", 2), ("MAD TFS", 0), ("CDG RUN", 2), ("HNL LAX", 0),
        ("IST CDG", 2), ("SYD AKL", 1), ("JFK YYZ", 1), ("DXB DOH", 1), ("CDG CMN", 2), ("SVO CDG", 1),
    ],
)  # fmt: skip
def test_continents_are_those_of_countries(pair: str, reach: int) -> None:
    places = Places(pair.split(), read_defaults(None))
    assert places.reach[0, 1] == places.reach[1, 0] == reach


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("[types]\n320 = 5", "[types] 320: 5 is not a table; write it as { family = ... }"),
        ("[airports]\nshare = { a = 1 }", "[airports] share: {'a': 1} is not a number"),
        ("[airports]\nCDG = 5", "[airports] CDG is unknown; there are share, least"),
        ('[bookings]\ndirection = "sideways"', "[bookings] direction: 'sideways' is no direction; there are outbound"),
        ("[distances]\nkm_per_hour = 0", "[distances] km_per_hour: cannot be 0; give 1 or more"),
        ("[distances]\nkm_per_hour = nan", "[distances] km_per_hour: cannot be nan; give 0 or more"),
        ("[airports.CDG]\nlat = nan", "[airports] CDG, lat: cannot be nan; give degrees, -90 to 90"),
        ("[airports.CDG]\nlon = -inf", "[airports] CDG, lon: cannot be -inf; give degrees, -180 to 180"),
        ("[airports.CDG]\nlat = 91", "[airports] CDG, lat: cannot be 91; give degrees, -90 to 90"),
    ],
)
def test_a_default_that_cannot_be_is_one_line(tmp_path: Path, own: str, said: str) -> None:
    with pytest.raises(TaktError) as error:
        imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, defaults=own)
    assert str(error.value).startswith(f"own.toml, {said}") and "\n" not in str(error.value)


def test_places_in_the_south_and_west_are_right(tmp_path: Path) -> None:
    own = "[airports.NTE]\nlat = -47.2\nlon = -1.6"
    assert imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, defaults=own).instance


@pytest.mark.parametrize(
    "when",
    [
        *("9999-12-31T12:00Z", "0001-01-01T00:00Z", "0001-01-01T00:00+05:00", "9999-12-31T23:00-05:00"),
        "2000-01-01T00:00+05:00",
    ],
)
def test_a_time_of_no_year_of_two_digits_is_one_line(
    tmp_path: Path, when: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = files(tmp_path / "files", schedule(*BACK_AND_FORTH), ATR)
    words = ["--schedule", str(found.schedule), "--aircraft", str(found.aircraft), "--bookings", str(found.bookings)]
    words += ["--from", when, "--to", "9999-12-31T13:00Z"]
    assert main(["flightdesk", "import", str(tmp_path / "day"), *words]) == 2
    said = f"--from: cannot be {when}; an instance has years of two digits, 2000 to 2099"
    assert capsys.readouterr().err == f"takt: {said}\n"
    aircraft = f"aircraft,type,maintenance_airport,maintenance_start,maintenance_end\nF-A,AT7,CDG,{when},{when}"
    with pytest.raises(TaktError, match=r"line 2, column 4 \(maintenance_start\): cannot be ...."):
        imported(tmp_path / "files", schedule(*BACK_AND_FORTH), aircraft)


def test_one_run_says_what_is_wrong_in_all_files(tmp_path: Path) -> None:
    ssim = schedule(*BACK_AND_FORTH).replace("AT7", "A T", 1).replace(" CDG0600", " CDG6000")
    aircraft = "aircraft,type,turn\nF-ATRA,AT7,soon\nF-ATRB,AT7,"
    wrong = {
        "rotations": "flight,date,aircraft\nAF1,7 January,F-ATRB\nAF3,2026-01-07,F-ATRA\nAF9,2026-01-07,F-NONE",
        "disruptions": "kind,aircraft,start,end\naircraft,F-ATRA,noon,2026-01-07T15:00Z\n"
        "aircraft,F-NONE,2026-01-07T14:00Z,2026-01-07T15:00Z",
        "bookings": BOOKINGS + "1,many,AF1,2026-01-07,,,Y,,\n2,1,AF3,2026-01-07,CDG,LIL,Y,,",
    }  # fmt: skip
    bookings = wrong.pop("bookings")
    with pytest.raises(TaktError) as error:
        imported(tmp_path, ssim, aircraft, bookings, **wrong)
    summary, *shown = str(error.value).split("\n  ")
    assert summary == "7 broken lines:"
    assert [line.partition(":")[0] for line in shown] == [
        "schedule.ssim, line 11, columns 40-43 (passenger departure)", "aircraft.csv, line 2, column 3 (turn)",
        "rotations.csv, line 2, column 2 (date)", "rotations.csv, line 4, column 3 (aircraft)",
        "disruptions.csv, line 2, column 3 (start)",
    ]  # fmt: skip
    sound = schedule(*BACK_AND_FORTH)
    with pytest.raises(TaktError, match=r"^7 broken lines"):  # AF9 too, and not the aircraft whose own line is broken
        imported(tmp_path, sound, aircraft, bookings + "\n3,1,AF9,2026-01-07,,,Y,,", **wrong)
    with pytest.raises(TaktError) as error:  # columns that are not there: it is another file, perhaps
        imported(tmp_path, ssim, "tail,kind\nF-A,AT7", bookings)
    assert str(error.value) == "aircraft.csv, line 1: there is no column aircraft, type; it has tail, kind"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("aircraft,type\nF-A,AT7\nF-\u00c4,AT7".encode("latin-1"), "aircraft.csv, line 3, character 3: the byte 0xc4"),
        ("aircraft,type\nF-\u00c4,AT7\nF\0".encode(), "aircraft.csv, line 3, character 2: the byte 0x00"),
        ("aircraft,type\nF-A,AT7".encode("utf-16"), "aircraft.csv is UTF-16, not plain text; save it as UTF-8"),
        ("aircraft,type\nF-A,AT7".encode("utf-16-le"), "aircraft.csv, line 1, character 2: the byte 0x00"),
        (b"\xef\xbb\xbfaircraft,type\nF-A,AT7\xff", "aircraft.csv, line 2, character 8: the byte 0xff"),
    ],
)
def test_a_file_of_other_letters_is_named_by_line_and_character(tmp_path: Path, data: bytes, said: str) -> None:
    found = files(tmp_path, schedule(*BACK_AND_FORTH), ATR)
    found.aircraft.write_bytes(data)
    with pytest.raises(TaktError) as error:
        import_airline("day", found, moment(EARLY[0]), moment(EARLY[1]))
    assert str(error.value).startswith(said) and str(error.value).endswith("as UTF-8")


def test_numbers_are_a_csv_whatever_bookings_are_called(tmp_path: Path) -> None:
    rows = ['"A,1",1,AF1,2026-01-07,,,Y,,9', '"B ""2""",1,AF1,2026-01-07,,,Y,,9', "3,1,AF1,2026-01-07,,,Y,,9"]
    found = imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, BOOKINGS + "\n".join(rows))
    read = list(csv.reader(io.StringIO(numbers_text(found.numbers))))
    assert read[0] == ["what", "name", "number"]
    assert [row for row in read if row[0] == "booking"] == [["booking", "A,1", "4"], ["booking", 'B "2"', "5"]]
    assert found.instance.bookings.number.tolist() == [4, 5, 3]


# --- what is told, and what only follows from it ---------------------------------------------------------------------


def test_flights_that_only_lack_the_aircraft_of_one_before_are_not_counted(tmp_path: Path) -> None:
    ssim = schedule("AF1 CDG-NTE 06:00-07:10 ZZ9", "AF2 NTE-CDG 08:00-09:10 ZZ9", "AF3 CDG-LIL 09:30-10:25 AT7")
    with pytest.raises(TaktError, match=r"^schedule.ssim, line \d+, .*no ZZ9 is free at CDG for AF1 of 2026-01-07$"):
        imported(tmp_path, ssim, ATR)
    with pytest.raises(TaktError, match=r"columns 73-75 \(aircraft\): there is no aircraft type; write it as 320$"):
        imported(tmp_path, schedule(leg("AF1 CDG-NTE 06:00-07:10 AT7", aircraft="")), ATR)


def test_a_flight_twice_in_a_booking_is_named_with_its_line(tmp_path: Path) -> None:
    row = "7,10,AF5,2026-01-07,,,Y,,"
    said = r"^bookings.csv, line 4, .*\(flight\): the booking has AF5 already, in line 2$"
    with pytest.raises(TaktError, match=said):
        imported(tmp_path, schedule(*BACK_AND_FORTH), ATR, f"{BOOKINGS}{row}\n8,1,AF5,2026-01-07,,,Y,,\n{row}")


def test_cabins_that_an_aircraft_says_nothing_of_are_named(tmp_path: Path) -> None:
    aircraft = "aircraft,type,first,business,economy\nF-ATRA,AT7,,8,60\nB1,BUS,,,50"
    found = taken(imported(tmp_path, schedule(*BACK_AND_FORTH), aircraft))
    assert found["aircraft without first seats though they have others, 0 taken"] == 1
    assert found["surface transport with seats, which it is not asked for: any number of people taken"] == 1


def test_an_instance_in_the_current_folder_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from by_hand import write

    monkeypatch.chdir(write(tmp_path / "sunday"))
    assert main(["flightdesk", "show", "."]) == 0
    assert "sunday" in capsys.readouterr().out
