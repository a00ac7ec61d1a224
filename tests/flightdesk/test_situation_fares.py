"""The situation board of fares: the lowest by travel date and day seen, and the seats left by corridor."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from takt.cli import main
from takt.stations.flightdesk.situation import fares

pytest.importorskip("duckdb")

HEAD = "seen,flight,carrier,origin,destination,departure,corridor,seats,fare,currency\n"
# On 1 March: CA908 seen twice. On 2 March: EK142 without a fare, and a fare in another currency.
BY_HAND = (
    HEAD
    + """\
2026-03-01T08:00,CA908,CA,mad,pek,2026-03-03T11:30,north,4,17500,CNY
2026-03-01T20:00,CA908,CA,MAD,PEK,2026-03-03T11:30,north,2,16007,CNY
2026-03-01T20:00,TK1860,TK,MAD,PEK,2026-03-03T09:00,middle,9,19990.50,CNY
2026-03-01T20:00,CA908,CA,MAD,PEK,2026-03-04T11:30,north,1,22550,cny
2026-03-01T20:00,CA950,CA,CDG,PEK,2026-03-04T19:00,North,3,21000,CNY
2026-03-02T09:00,CA908,CA,MAD,PEK,2026-03-04T11:30,north,0,,
2026-03-02T09:00,EK142,EK,MAD,PEK,2026-03-04T14:00,south,,23000,CNY
2026-03-02T09:00,TK1860,TK,MAD,PEK,2026-03-04T09:00,middle,5,900,EUR
"""
)
MARCH = {day: date(2026, 3, day) for day in range(1, 32)}


@pytest.fixture
def by_hand(tmp_path: Path) -> Any:
    path = tmp_path / "fares.csv"
    path.write_text(BY_HAND)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> Any:
    """`takt flightdesk situation --fares --json`: what it tells."""
    assert main(["flightdesk", "situation", "--fares", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_lowest_fare_by_route_currency_travel_date_and_day_seen(by_hand: Any) -> None:
    assert fares.lowest(fares.read(by_hand)) == [
        fares.Fare("CDG-PEK", None, MARCH[4], MARCH[1], 21000.0, "CNY"),
        fares.Fare("MAD-PEK", None, MARCH[3], MARCH[1], 16007.0, "CNY"),
        fares.Fare("MAD-PEK", None, MARCH[4], MARCH[1], 22550.0, "CNY"),
        fares.Fare("MAD-PEK", None, MARCH[4], MARCH[2], 23000.0, "CNY"),
        fares.Fare("MAD-PEK", None, MARCH[4], MARCH[2], 900.0, "EUR"),
    ]


def test_by_flight_each_flight_has_its_own(by_hand: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, by_hand, "--by-flight", "--route", "mad-pek", "--to", "2026-03-03")
    assert [(fare["flight"], fare["travel"], fare["fare"]) for fare in told["fares"]] == [
        ("CA908", "2026-03-03", 16007.0),
        ("TK1860", "2026-03-03", 19990.5),
    ]


def test_seats_are_those_of_the_last_time_a_flight_was_seen_on_a_day(by_hand: Any) -> None:
    assert fares.seats_left(fares.read(by_hand)) == [
        fares.Seats("middle", MARCH[3], MARCH[1], 9, 1),
        fares.Seats("middle", MARCH[4], MARCH[2], 5, 1),
        fares.Seats("north", MARCH[3], MARCH[1], 2, 1),  # not 4, and not 6
        fares.Seats("north", MARCH[4], MARCH[1], 4, 2),
        fares.Seats("north", MARCH[4], MARCH[2], 0, 1),  # in the south they are not known
    ]


def test_the_day_leaves_out_what_was_seen_later(by_hand: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, by_hand, "--day", "2026-03-01")
    assert told["seen"] == ["2026-03-01"] and {left["corridor"] for left in told["seats"]} == {"north", "middle"}


def test_the_command_prints_and_writes(by_hand: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "board"
    assert main(["flightdesk", "situation", "--fares", str(by_hand), "--out", str(out)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    at = lines.index("MAD-PEK, CNY: lowest fare by travel date; a column for each day seen")
    assert lines[at + 1 : at + 4] == ["travel 03-01 03-02", "2026-03-03 16,007 –", "2026-03-04 22,550 23,000"]
    at = lines.index("seats left by travel date, seen on 2026-03-02")
    assert lines[at + 1 : at + 4] == ["corridor 03-04", "north 0", "middle 5"]
    pictures = {f"{name}.{kind}" for name in ("fares-1", "fares-2", "fares-3", "seats") for kind in ("svg", "png")}
    assert {file.name for file in out.iterdir()} == {"index.html", "fares.csv", "seats.csv", *pictures}
    page = (out / "index.html").read_text()
    assert "<script" not in page and "MAD-PEK, CNY" in page and "Seats left by corridor" in page
    with (out / "seats.csv").open() as table:
        assert next(csv.DictReader(table)) == {
            "corridor": "middle",
            "travel": "2026-03-03",
            "seen": "2026-03-01",
            "seats": "9",
            "flights": "1",
        }
    assert main(["flightdesk", "situation", "--fares", str(by_hand), "--by-flight", "--out", str(out)]) == 0
    assert "Lowest fare of each flight" in (out / "index.html").read_text()


def test_names_of_a_file_are_text_on_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "fares.csv", tmp_path / "board"
    path.write_text(HEAD + '2026-03-01,F$1$,X,"<B>""\\1",PEK,2026-03-03,<i>sea,4,17500,CNY\n')
    run(capsys, path, "--by-flight", "--out", out)
    page = (out / "index.html").read_text()
    assert "<B>" not in page and "<i>" not in page and "&lt;B&gt;" in page and "F$1$" in page


def test_fares_alone_and_seats_alone_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "some.csv"
    path.write_text("seen,flight,from,to,departure,fare,currency\n2026-03-01,X1,A,B,2026-03-02,5780,CNY\n")
    told = run(capsys, path, "--out", tmp_path / "one")
    assert len(told["fares"]) == 1 and told["seats"] == []
    path.write_text("seen,flight,from,to,departure,seats,corridor\n2026-03-01,X1,A,B,2026-03-02,7.0,by sea\n")
    told = run(capsys, path, "--out", tmp_path / "two")
    assert told["fares"] == [] and told["seats"][0]["seats"] == 7 and told["seats"][0]["corridor"] == "by sea"


def changed(old: Any, new: Any) -> str:
    assert old in BY_HAND
    return BY_HAND.replace(old, new, 1)


BAD = {
    "no such file": (None, [], "cannot read {path}: No such file or directory"),
    "fare": (changed("17500", "17.500,00"), [], "{path}, line 2: 11 columns where line 1 names 10"),
    "a comma in a fare": (changed("16007", '"16,007"'), [], "{path}, line 3, column fare: '16,007' is no fare"),
    "nothing to pay": (changed("22550", "0"), [], "{path}, line 5, column fare: '0' is no fare"),
    "no number": (changed("22550", "inf"), [], "{path}, line 5, column fare: 'inf' is no fare"),
    "half a seat": (changed("middle,9", "middle,8.5"), [], "{path}, line 4, column seats: '8.5' is no number of seats"),
    "seats owed": (changed("middle,9", "middle,-1"), [], "{path}, line 4, column seats: '-1' is no number of seats"),
    "no currency": (changed("21000,CNY", "21000,"), [], "{path}, line 6, column currency: nothing is no currency"),
    "no day": (changed("2026-03-02T09:00", "2 March"), [], "{path}, line 7, column seen: '2 March' is no date"),
    "no travel": (changed("2026-03-04T19:00", ""), [], "{path}, line 6, column departure: nothing is no date"),
    "no flight": (changed("EK142", ""), [], "{path}, line 8, column flight: nothing is no flight"),
    "no column": (changed("departure", "on"), [], "{path}, line 1: no column for the departure; there are: seen, "),
    "neither": ("seen,flight,from,to,departure\n1,2,3,4,5\n", [], "{path}, line 1: no column for the fare, nor"),
    "semicolons": (BY_HAND.replace(",", ";"), [], "{path}, line 1: the columns are separated by ';'"),
    "nothing": (HEAD, [], "{path} has no row below"),
    "another route": (BY_HAND, ["--route", "MAD-NRT"], "{path} has no route MAD-NRT; there are: CDG-PEK, MAD-PEK"),
    "other days": (BY_HAND, ["--from", "2026-04-01"], "{path} has no fare of those travel dates"),
    "weeks": (BY_HAND, ["--weeks", "3"], "--weeks says nothing with flights and fares"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    name: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, options, expected = BAD[name]
    path, out = tmp_path / "bad.csv", tmp_path / "out"
    if text is not None:
        path.write_text(text)
    assert main(["flightdesk", "situation", "--fares", str(path), *options, "--out", str(out)]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith(f"takt: {expected.format(path=path)}") and captured.out == "" and not out.exists()
