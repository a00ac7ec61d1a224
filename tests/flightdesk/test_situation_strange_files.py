"""Flight files as they come from elsewhere: what is missing or ambiguous is never counted in silence."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from takt.cli import main

pytest.importorskip("duckdb")

MONTH = ["--from", "2026-01-01", "--to", "2026-12-31"]


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """What is made of a file: (cancelled, scheduled, flown) by day, and what is said on stderr."""

    def reads(text: Any, *options: Any, name: Any = "x.csv", code: Any = 0) -> Any:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        assert main(["flightdesk", "situation", str(path), *options, "--json"]) == code
        out, err = capsys.readouterr()
        if code:
            assert out == "" and err.count("\n") == 1, err
            return err
        days = json.loads(out)["days"]
        return {day["date"]: (day["cancelled"], day["scheduled"], day["flown"]) for day in days}, err

    return reads


WORDS = [
    "",
    "NULL",
    "Null",
    "nan",
    "NaN",
    "-nan",
    "NaT",
    "N/A",
    "n/a",
    "na",
    "#N/A",
    "<NA>",
    "None",
    "(null)",
    "\\N",
    "\\n",
    "-",
    "--",
    "–",
    "?",
    "nil",
    "undefined",
]
WORDS += ["0000-00-00 00:00:00", "0001-01-01T00:00:00", " NULL ", "\u00a0"]
WORDS += [" 0000-00-00 00:00:00", "0000/00/00", "00-00-0000", "0/0/0000", "1899-12-30", "1900-01-00"]
WORDS += ["1900-01-01 00:00:00", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00+00:00", "9999-12-31 23:59:59"]


@pytest.mark.parametrize("word", WORDS)
def test_a_time_that_is_missing_in_any_usual_word_is_no_departure(word: Any, told: Any) -> None:
    found, _ = told(f"date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,601\n2026-03-01,A,C,700,{word}\n")
    assert found == {"2026-03-01": (1, 2, 1)}


TIMES = [
    "0",
    "5",
    "0605",
    "605",
    "605.0",
    "2400",
    "6:05",
    "06:05:59",
    "6:05 AM",
    "06:05 pm",
    "06h05",
    "06.05",
    "0605Z",
    "06:05+01:00",
    "06:05 CET",
    "0605 (+1)",
    "2026-03-01 06:05",
    "2026-03-01T06:05:00Z",
    "01/03/2026 06:05",
    "2026-03-01 06:05:00+00:00",
    "1 Mar 2026 06:05",
    "1583050200",
    "1583050200000",
]


@pytest.mark.parametrize("time", TIMES)
def test_a_time_in_any_usual_form_is_a_departure(time: Any, told: Any) -> None:
    found, _ = told(f"date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,{time}\n2026-03-01,A,C,700,\n")
    assert found == {"2026-03-01": (1, 2, 1)}


@pytest.mark.parametrize(
    "text", ["cancelled", "CNX", "-1", "9999", "0675", "25:00", "yes", "FRA", "delayed 0605x", "1e3"]
)
@pytest.mark.parametrize("column", ["sched_dep_time", "dep_time"])
def test_a_time_that_cannot_be_read_is_refused_and_never_flown(text: Any, column: Any, told: Any) -> None:
    header = "date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,601\n"
    row = f"2026-03-01,A,C,{text},700\n" if column == "sched_dep_time" else f"2026-03-01,A,C,700,{text}\n"
    assert f"line 3, column {column}: '{text}' is no time" in told(header + row, code=2)


@pytest.mark.parametrize(
    "day", ["00000000", "0000000000", "0000000000000", "2026-13-45", "31/31/2026 10:00", "12/31/9999", "1/0/1900 0:00"]
)
def test_a_departure_on_a_day_that_cannot_be_is_refused_and_never_flown(day: Any, told: Any) -> None:
    header = "date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,601\n"
    assert f"line 3, column dep_time: '{day}' is no time" in told(f"{header}2026-03-01,A,C,700,{day}\n", code=2)


@pytest.mark.parametrize(
    "day",
    ["2026-02-30 08:00", "30/02/2026", "2/30/2026 08:00", "20260431 0605", "31 Jun 2026 06:05", "29-02-2025 1:00"],
)
@pytest.mark.parametrize("column", ["sched_dep_time", "dep_time"])
def test_a_departure_on_a_day_that_no_calendar_has_is_refused_and_never_flown(day: Any, column: Any, told: Any) -> None:
    header = "date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,601\n"
    row = f"2026-03-01,A,C,{day},700\n" if column == "sched_dep_time" else f"2026-03-01,A,C,700,{day}\n"
    assert f"line 3, column {column}: '{day}' is on a day that there is not" in told(header + row, code=2)


def test_a_departure_far_from_the_day_of_the_flight_is_warned_of(told: Any) -> None:
    header = "date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,601\n"
    for day in ("2062-03-01 06:05", "01/03/2062 06:05", "1583050200", "2000-01-01"):
        found, warned = told(f"{header}2026-03-01,A,C,700,{day}\n")
        assert found == {"2026-03-01": (0, 2, 2)} and f"1 of them, '{day}' for one, are over 31 days" in warned
    assert told(f"{header}2026-03-01,A,C,700,28/02/2026 23:55\n")[1] == ""


@pytest.mark.parametrize("day", ["1970-01-01 06:05", "12/31/2025 23:55", "31/12/2025 23:55", "20260301 0605"])
def test_a_departure_on_a_day_that_can_be_is_one(day: Any, told: Any) -> None:
    header = "date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,\n"
    assert told(f"{header}2026-03-01,A,C,700,{day}\n")[0] == {"2026-03-01": (1, 2, 1)}


@pytest.mark.parametrize("zero", ["0", "0000", "00:00", "0.0"])
def test_a_departure_at_0_of_a_flight_by_day_is_doubted(zero: str, told: Any) -> None:
    head = "date,origin,dest,sched_dep_time,dep_time\n"
    found, said = told(f"{head}2026-03-01,A,B,700,{zero}\n")
    assert found == {"2026-03-01": (0, 1, 1)} and "1 flight is scheduled by day and departed at 0, midnight" in said
    assert told(f"{head}2026-03-01,A,B,2355,{zero}\n2026-03-01,A,C,0,{zero}\n2026-03-01,A,D,700,705\n")[1] == ""


def test_a_column_given_to_one_use_is_taken_for_no_other(told: Any) -> None:
    text = "date,flight,departure,arrival,state\n2026-03-01,L1,FRA,JFK,Cancelled\n2026-03-01,L2,FRA,EWR,Departed\n"
    as_airports = ["--columns", "origin=departure,dest=arrival"]
    assert "nor for what is cancelled" in told(text, *as_airports, code=2)
    assert told(text.replace(",state", ",status"), *as_airports)[0] == {"2026-03-01": (1, 2, 1)}
    twice = told(text, "--columns", "origin=departure,dest=departure,cancelled=state", code=2)
    assert "gives the column departure to" in twice
    assert "gives origin twice" in told(text, "--columns", "origin=departure,origin=arrival", code=2)


def test_one_moment_may_say_both_the_day_and_the_departure(told: Any) -> None:
    text = "callsign,origin,destination,firstseen\nD1,A,B,2026-03-01 08:10:00+00:00\nD2,A,C,2026-03-01 09:10:00+00:00\n"
    found, _ = told(text, "--columns", "date=firstseen,departure=firstseen")
    assert found == {"2026-03-01": (0, 2, 2)}


def test_an_exact_name_goes_before_a_normalised_one_and_two_normalised_ones_are_asked_about(told: Any) -> None:
    exact = "Date,date,origin,dest,dep_time\n1999-01-01,2026-03-01,A,B,600\n"
    assert told(exact)[0] == {"2026-03-01": (0, 1, 1)}
    assert told(exact, "--columns", "date=Date", "--from", "1998-12-31", "--to", "1999-01-02")[0] == {
        "1999-01-01": (0, 1, 1)
    }
    asked = told("Dep Time,DEP_TIME,date,origin,dest\n,600,2026-03-01,A,B\n", code=2)
    assert "Dep Time and DEP_TIME could both be departure; say --columns departure=NAME" in asked
    _, warned = told("date,origin,from,dest,dep_time\n2026-03-01,A,X,B,600\n")
    assert "column origin is taken for origin, not from" in warned


def test_a_departure_that_may_be_the_scheduled_one_is_warned_of(told: Any) -> None:
    found, warned = told("date,origin,dest,departure\n2026-03-01,A,B,600\n2026-03-01,A,C,700\n")
    assert found == {"2026-03-01": (0, 2, 2)} and "is taken for the actual departure" in warned
    _, warned = told("date,origin,dest,scheduled,departure\n2026-03-01,A,B,600,600\n2026-03-01,A,C,700,700\n")
    assert "is taken for the actual departure" in warned
    assert told("date,origin,dest,scheduled,departure\n2026-03-01,A,B,600,605\n2026-03-01,A,C,700,\n")[1] == ""


@pytest.mark.parametrize("word", ["", "Unknown", "N/A", "-"])
def test_a_status_that_is_missing_beside_others_is_neither_flown_nor_cancelled_and_said(word: Any, told: Any) -> None:
    rows = "date,origin,dest,status\n2026-03-01,A,B,Cancelled\n2026-03-01,A,C,Departed 10:05\n2026-03-01,A,D,{}\n"
    found, warned = told(rows.format(word))
    assert found == {"2026-03-01": (1, 3, 1)} and "1 row has no status: not counted as flown, nor" in warned
    assert told(rows.replace("Departed 10:05", "").format(word))[0] == {"2026-03-01": (1, 3, 2)}  # it names those only


DATED = "date,origin,dest,dep_time\n{},A,B,600\n{},A,B,\n{},A,B,600\n"


def test_days_in_either_order_are_read_as_the_file_shows_or_as_is_said_or_asked_about(told: Any) -> None:
    both = DATED.format("01/02/2026", "02/02/2026", "03/02/2026")
    assert "'01/02/2026' can be read day first or month first; say --dates day-first" in told(both, code=2)
    assert set(told(both, *MONTH, "--dates", "day-first")[0]) == {"2026-02-01", "2026-02-02", "2026-02-03"}
    assert set(told(both, *MONTH, "--dates", "month-first")[0]) == {"2026-01-02", "2026-02-02", "2026-03-02"}
    shown = DATED.format("01/02/2026", "02/02/2026", "13/02/2026")
    assert set(told(shown, *MONTH)[0]) == {"2026-02-01", "2026-02-02", "2026-02-13"}
    assert "they show; leave --dates out" in told(shown, "--dates", "month-first", code=2)
    assert set(told(DATED.format("1/2/2026", "2/2/2026", "2/13/2026"), *MONTH)[0]) == {
        "2026-01-02",
        "2026-02-02",
        "2026-02-13",
    }
    assert "is written day first, and other days in the file month first" in told(
        DATED.format("13/2/2026", "2/2/2026", "2/13/2026"), code=2
    )
    assert set(told(DATED.format("1.2.2026", "2.2.2026", "3.2.2026"), *MONTH)[0]) == {
        "2026-02-01",
        "2026-02-02",
        "2026-02-03",
    }
    bureau = both.replace("date,", "FL_DATE,")  # whose files are month first
    assert set(told(bureau, *MONTH)[0]) == {"2026-01-02", "2026-02-02", "2026-03-02"}
    assert "--dates 'dmy' is neither" in told(both, "--dates", "dmy", code=2)


def test_fares_and_overflights_ask_about_days_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fares = tmp_path / "fares.csv"
    fares.write_text("seen,flight,origin,dest,departure,fare,currency\n01/02/2026,X1,A,B,03/02/2026,100,EUR\n")
    assert main(["flightdesk", "situation", "--fares", str(fares)]) == 2
    assert "column seen: '01/02/2026' can be read" in capsys.readouterr().err
    assert main(["flightdesk", "situation", "--fares", str(fares), "--dates", "day-first", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seen"] == ["2026-02-01"]
    over = tmp_path / "daio.csv"
    over.write_text("entry_date,country_icao_code,country_name,flt_o\n01/02/2026,LT,Türkiye,5\n")
    assert (
        main(["flightdesk", "situation", "--overflights", str(over), "--from", "2026-02-01", "--to", "2026-02-01"]) == 2
    )
    assert "column entry_date: '01/02/2026' can be read" in capsys.readouterr().err


STATES = {
    "Cancelled": (1, 1, 0),
    "CANCELED - weather": (1, 1, 0),
    "cnx": (1, 1, 0),
    "Scheduled / Cancelled": (1, 1, 0),
    "Departed 10:05": (0, 1, 1),
    "Landed": (0, 1, 1),
    "Arrived / Gate Arrival": (0, 1, 1),
    "En Route": (0, 1, 1),
    "Diverted": (0, 1, 1),
    "On time": (0, 1, 1),
    "Delayed": (0, 1, 1),
    "Not cancelled": (0, 1, 1),
    "Scheduled": (0, 1, 0),
    "Boarding": (0, 1, 0),
    "Gate closed": (0, 1, 0),
    "Returned to Gate": (0, 1, 0),
    "Return to gate 10:12": (0, 1, 0),
    "Returned": (0, 1, 1),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("given", [True, False])
def test_a_status_in_words_says_what_became_of_a_flight(state: Any, given: Any, told: Any) -> None:
    text = f"date,origin,destination,{'state' if given else 'status'}\n2026-03-01,A,B,{state}\n"
    found, _ = told(text, *(["--columns", "cancelled=state"] if given else []))
    assert found == {"2026-03-01": STATES[state]}


def test_a_status_that_is_not_known_is_refused_or_not_read_and_said(told: Any) -> None:
    text = "date,origin,dest,status,dep_time\n2026-03-01,A,B,Wobbly,600\n2026-03-01,A,C,Departed,\n"
    found, warned = told(text)
    assert found == {"2026-03-01": (1, 2, 1)} and "column status is not read: 'Wobbly'" in warned
    assert "line 2, column status: 'Wobbly' is not" in told(text, "--columns", "cancelled=status", code=2)


SHARED = """\
date,flight,{},origin,dest,sched_dep_time,dep_time
2026-03-01,UA8840,{},FRA,JFK,1000,
2026-03-01,LH400,{},FRA,JFK,1000,
2026-03-01,LH402,{},FRA,EWR,1300,1305
"""


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("operating", ("LH400", "LH400", "LH402")),
        ("operating", ("LH400", "", "")),
        ("operating", ("lh 0400", "LH400", "")),
        ("operating", ("LH-400", "Lh0400 ", "LH 402")),
        ("operating", ("no", "yes", "yes")),
        ("codeshare", ("1", "0", "0")),
        ("codeshare_of", ("LH400", "", "")),
    ],
)
def test_one_aircraft_under_two_numbers_is_one_flight_where_the_file_says_which_is_flown(
    column: Any, cells: Any, told: Any
) -> None:
    found, said = told(SHARED.format(column, *cells))
    assert found == {"2026-03-01": (1, 2, 1)} and "1 row is left out: another number of a flight" in said


@pytest.mark.parametrize("carrier", [("LH", "UA"), ("lh", "ua")])
def test_a_flight_number_beside_its_airline_is_the_same_number(carrier: tuple[str, str], told: Any) -> None:
    own, other = carrier
    head = "date,carrier,flight,operating,origin,dest,dep_time\n"
    text = f"{head}2026-03-01,{own},400.0,,FRA,JFK,1000\n2026-03-01,{other},8840,LH0400,FRA,JFK,1000\n"
    assert told(text)[0] == {"2026-03-01": (0, 1, 1)}


def test_a_column_of_operating_numbers_that_names_no_flight_of_the_file_is_told(told: Any) -> None:
    head = "date,flight,operating,origin,dest,status\n"
    found, said = told(head + "2026-03-01,LH400,LH,FRA,JFK,Departed\n2026-03-01,LH402,LH,FRA,JFK,Cancelled\n")
    assert found == {"2026-03-01": (1, 2, 1)}, "an airline is no number: two flights of it are two"
    assert "column operating: no value, as 'LH', is a flight number that the file has; each row is counted" in said
    found, said = told(head + "2026-03-01,UA1,LH400,FRA,JFK,Departed\n2026-03-01,AC1,LH400,FRA,JFK,Departed\n")
    assert found == {"2026-03-01": (0, 1, 1)} and "rows with the same are counted as one flight" in said


def test_rows_of_one_flight_that_contradict_each_other_are_told_and_never_settled_by_their_order(told: Any) -> None:
    head = "date,flight,operating,origin,dest,sched_dep_time,dep_time\n"
    sold = ["2026-03-01,UA8840,LH400,FRA,JFK,1000,\n", "2026-03-01,AC9100,LH400,FRA,JFK,1000,1001\n"]
    flown = "2026-03-01,LH400,LH400,FRA,JFK,1000,\n"
    for rows in (sold, sold[::-1]):
        found, said = told(head + "".join(rows))
        assert found == {"2026-03-01": (0, 1, 1)}
        assert "1 flight, LH400 on 2026-03-01 for one: its rows contradict each other; counted as departed" in said
        found, said = told(head + "".join(rows) + flown)
        assert found == {"2026-03-01": (1, 1, 0)} and "counted as the row of the number that is flown says" in said
    agree = [row.replace("1001", "") for row in sold]
    assert "contradict" not in told(head + "".join(agree))[1]
    no_times = head.replace("sched_dep_time,", "")
    gone = [row.replace(",1000,", ",") for row in (*sold, flown.replace("\n", "1001\n"))]
    for rows in (gone, gone[::-1]):
        found, said = told(no_times + "".join(rows))
        assert found == {"2026-03-01": (0, 1, 1)} and "contradict" in said


def test_airports_and_airlines_whose_codes_look_like_missing_words_are_codes(told: Any) -> None:
    head = "date,carrier,flight,origin,dest,sched_dep_time,dep_time\n"
    rows = "2026-03-01,NA,1,GRU,NAT,600,601\n2026-03-01,NA,2,NAT,GRU,700,\n2026-03-01,FJ,3,GRU,NAN,600,601\n"
    found, said = told(head + rows)
    assert found == {"2026-03-01": (1, 3, 2)} and said == ""
    found, said = told(head + rows + rows.replace("NAT", "NaT").replace("NAN", "nan"))
    assert found == {"2026-03-01": (1, 3, 2)} and "3 rows are left out: no airport" in said
    for word in ("NULL", "N/A", "-", "NA", "none"):
        assert "1 row is left out: no airport" in told(f"{head}{rows}2026-03-01,LH,4,GRU,{word},600,601\n")[1]
    again = "2026-03-01,NA,1,GRU,NAT,600,601\n"
    assert "another number of a flight" in told(head + rows + again)[1], "the airline is known, so this is the same row"


def test_rows_that_look_like_one_flight_are_named_where_the_file_does_not_say(told: Any) -> None:
    found, warned = told(SHARED.format("note", "", "", ""))
    assert found == {"2026-03-01": (2, 3, 1)} and "2 rows look like 1 flight under several numbers" in warned
    _, warned = told(SHARED.format("tailnum", "D-AAAA", "D-BBBB", ""))
    assert warned == ""  # two aircraft at the same minute


def test_rows_without_an_airport_are_counted_and_left_out_unless_all_are(told: Any) -> None:
    text = "date,origin,dest,dep_time\n2026-03-01,A,B,600\n2026-03-01,A,,600\n2026-03-01,NaN,B,600\n"
    found, said = told(text)
    assert found == {"2026-03-01": (0, 1, 1)} and "2 rows are left out: no airport" in said
    assert "no row with both airports" in told("date,origin,dest,dep_time\n2026-03-01,A,,600\n", code=2)
    assert "is no airport" in told("date,origin,dest,dep_time\n2026-03-01,08:00,B,600\n", code=2)


PLAIN = b"date,origin,dest,sched_dep_time,dep_time\n2026-03-01,A,B,600,601\n2026-03-01,A,C,700,\n"


def zipped(**files: Any) -> Any:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return target.getvalue()


def tarred() -> Any:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        about = tarfile.TarInfo("f.csv")
        about.size = len(PLAIN)
        archive.addfile(about, io.BytesIO(PLAIN))
    return target.getvalue()


def littered() -> Any:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in [("data/", b""), ("data/F.CSV", PLAIN), ("__MACOSX/data/._F.CSV", b"x"), (".DS_Store", b"y")]:
            archive.writestr(name, data)
        archive.writestr("data/readme.txt", b"hello")
    return target.getvalue()


PACKED = {
    "bz2": bz2.compress(PLAIN),
    "gz": gzip.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "zip with litter": littered(),
    "gz in zip": zipped(a_csv_gz=gzip.compress(PLAIN)),
    "byte-order mark": b"\xef\xbb\xbf" + PLAIN,
}


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("name", ["x.csv", "X.CSV.GZ", "X.ZIP"])
def test_packed_text_is_unpacked_whatever_its_name(kind: Any, name: Any, told: Any) -> None:
    assert told(PACKED[kind], name=name)[0] == {"2026-03-01": (1, 2, 1)}


NO_CSV = {
    "Excel": zipped(xl__workbook_xml=b"<x/>"),
    "Parquet": b"PAR1\x15\x04\x15",
    "JSON": b'[{"date": "2026-03-01"}]',
    "web page": b"<!DOCTYPE html><html></html>",
    "tar": tarred(),
    "tar,": gzip.compress(tarred()),
    "SQLite": b"SQLite format 3\x00" + bytes(100),
    "UTF-16": PLAIN.decode().encode("utf-16"),
    "pickle": b"\x80\x04\x95" + bytes(20),
    "not text": b"\x01\x00\x02",
    "2 .csv files": zipped(a_csv=PLAIN, b_csv=PLAIN),
    "0 .csv files": zipped(a_txt=PLAIN),
    "cannot unpack": gzip.compress(PLAIN)[:40],
    "zstd": b"\x28\xb5\x2f\xfd\x00",
}


@pytest.mark.parametrize("what", NO_CSV)
def test_what_is_no_csv_is_called_what_it_is(what: Any, told: Any) -> None:
    assert what.strip(",").lower() in told(NO_CSV[what], code=2).lower()


def test_a_device_is_no_file_and_a_folder_neither(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("/dev/zero", str(tmp_path)):
        assert main(["flightdesk", "situation", path]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert path in line


def test_what_is_left_out_is_in_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.csv"
    rows = "2026-03-01,A,B,600,601\n2026-03-01,A,,7,7\n2026-03-01,A,B,,7\n"
    path.write_text(f"date,origin,dest,sched_dep_time,dep_time\n{rows}")
    assert main(["flightdesk", "situation", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["left_out"] == {"no scheduled departure": 1, "no airport": 1}
    assert told["day"] == f"{date(2026, 3, 1)}"
