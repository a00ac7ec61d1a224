"""The situation board of overflights: worked examples by hand, and what is known of March 2026."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from takt.cli import main
from takt.stations.flightdesk.situation import map as maps
from takt.stations.flightdesk.situation import overflights
from takt.stations.flightdesk.situation.overflights import CORRIDORS, normal_days

pytest.importorskip("duckdb")

DAIO = Path(__file__).parents[3] / "shared" / "data" / "eurocontrol-daio"


def daio(path: Any, rows: Any) -> Any:
    head = "entry_date,country_icao_code,country_name,flt_o\n"
    path.write_text(head + "".join(f"{day},{code},{name},{count}\n" for day, code, name, count in rows))
    return path


def georgia(first: Any, counts: Any, code: Any = "UG", name: Any = "Georgia") -> list[Any]:
    return [(first + timedelta(days=n), code, name, count) for n, count in enumerate(counts)]


def test_a_change_is_against_the_same_weekdays_median(tmp_path: Path) -> None:
    first = date(2026, 3, 1)
    begin, end = normal_days(first, weeks=3, skip=1)
    assert (begin, end) == (date(2026, 2, 1), date(2026, 2, 21))
    assert normal_days(first) == (date(2026, 2, 1), date(2026, 2, 28))  # four weeks that end the day before
    week = [100, 200, 200, 200, 200, 200, 200]
    counts = [*week, 120, *week[1:], 900, *week[1:], *[5] * 7, 60, 250]  # the week before the first day is left out
    rows = [*georgia(begin, counts), *georgia(begin, [-1] * 30, "LC", "Cyprus")]
    rows += georgia(begin, [40] * 28 + [80, 10], "UD", "Armenia")
    db = overflights.read([daio(tmp_path / "d.csv", rows)])
    days, lines = overflights.changes(db, first, first + timedelta(days=1), weeks=3, skip=1)
    assert days == [date(2026, 3, 1), date(2026, 3, 2)]
    assert [(line.corridor, line.state, line.normal, line.change) for line in lines] == [
        ("middle", "Armenia", [40.0, 40.0], [1.0, -0.75]),
        ("middle", "Georgia", [120.0, 200.0], [-0.5, 0.25]),
        ("middle", "all of it", [160.0, 240.0], [-0.125, 260 / 240 - 1]),
        ("south", "Cyprus", [0.0, 0.0], [None, None]),  # too few for a share
        ("south", "all of it", [0.0, 0.0], [None, None]),
    ]


def test_days_that_are_missing_and_days_given_twice_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = daio(tmp_path / "d.csv", georgia(date(2026, 2, 1), [100] * 20))
    days = ["--from", "2026-02-19", "--to", "2026-02-22"]
    call = ["flightdesk", "situation", "--overflights", str(path), *days, "--skip", "0"]
    assert main([*call, "--weeks", "3"]) == 2
    assert main([*call, "--weeks", "2"]) == 2
    assert main([*call, "--weeks", "2", str(path)]) == 2
    assert main([*call, "--weeks", "0"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and "no overflights on 2026-01-29, of the normal weeks" in lines[0]
    assert "no overflights on 2026-02-21, of the days asked for" in lines[1]
    assert "Georgia is there twice on 2026-02-01" in lines[2] and "--weeks must be 1 or more, not '0'" in lines[3]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("2026-03-01,UG,Georgia,many", "line 2, column flt_o: 'many' is no whole number"),
        ("2026-03-01,UG,Georgia,1.5", "line 2, column flt_o: '1.5' is no whole number"),
        ("yesterday,UG,Georgia,1", "line 2, column entry_date: 'yesterday' is no date"),
        ("2026-03-01,,Georgia,1", "line 2, column country_icao_code: nothing is no state's code"),
        ("2026-03-01,UG,Georgia", "line 2: 3 columns where line 1 names 4"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    row: Any, expected: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "d.csv"
    path.write_text(f"entry_date,country_icao_code,country_name,flt_o\n{row}\n")
    call = ["flightdesk", "situation", "--overflights", str(path), "--from", "2026-03-01", "--to", "2026-03-02"]
    assert main(call) == 2
    assert capsys.readouterr().err.startswith(f"takt: {path}, {expected}")


def test_a_file_of_flights_is_no_daio_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "flights.csv"
    path.write_text("date,origin,dest,dep_time\n2026-03-01,A,B,1\n")
    assert main(["flightdesk", "situation", "--overflights", str(path)]) == 2
    assert (
        main(["flightdesk", "situation", "--overflights", str(path), "--from", "2026-03-01", "--to", "2026-03-02"]) == 2
    )
    lines = capsys.readouterr().err.splitlines()
    assert "--overflights needs the first and the last day" in lines[0] and "so this is no DAIO file" in lines[1]


def test_a_page_of_files_without_the_states_of_a_corridor_is_drawn(tmp_path: Path) -> None:
    path = daio(tmp_path / "d.csv", georgia(date(2026, 2, 1), [100] * 30))
    days = ["--from", "2026-03-01", "--to", "2026-03-02", "--weeks", "1"]
    assert main(["flightdesk", "situation", "--overflights", str(path), *days, "--out", str(tmp_path / "page")]) == 0


def test_the_map_knows_where_the_states_are() -> None:
    assert set(maps.states(list(CORRIDORS))) == set(CORRIDORS)
    longitude, latitude = maps.states(["UG"])["UG"]
    assert 41 < longitude < 46 and 41 < latitude < 43.5


# --- what is known ----------------------------------------------------------------------------------------------------


def march_2026(capsys: pytest.CaptureFixture[str], *options: Any) -> Any:
    """What the command tells of the days after the Gulf shut, and the change in percent by state and day."""
    paths = [DAIO / "daio_2025.csv", DAIO / "daio_2026.csv"]
    call = ["--overflights", *paths, "--from", "2026-02-28", "--to", "2026-03-08", *options]
    assert main(["flightdesk", "situation", *map(str, call), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    return told, {
        (row["state"], day[5:]): round(100 * change)
        for row in told["states"]
        for day, change in zip(told["days"], row["change"], strict=True)
    }


here = pytest.mark.skipif(not DAIO.exists(), reason="EUROCONTROL's files are not here")


@here
def test_march_2026_against_the_four_weeks_before(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "board"
    told, percent = march_2026(capsys, "--out", out)
    assert told["normal"] == {"from": "2026-01-31", "to": "2026-02-27", "weeks": 4, "skip": 0}
    assert min(percent["Türkiye", day] for day in ("03-01", "03-02")) <= -45  # by half
    assert min(percent["Cyprus", day] for day in ("03-01", "03-02")) <= -50
    assert percent["Israel", "03-02"] <= -85 and percent["Armenia", "03-01"] >= 30
    assert percent["Georgia", "02-28"] < -10 and percent["Georgia", "03-05"] >= 20  # from a fall to a rise
    south = next(row for row in told["corridors"] if row["corridor"] == "south")
    assert min(south["change"]) < -0.4
    assert {row["code"]: row["corridor"] for row in told["states"]} == CORRIDORS
    page = (out / "index.html").read_text()
    assert all(f"{name} corridor" in page for name in ("North", "Middle", "South")) and "EUROCONTROL" in page
    pictures = {f"{name}.{kind}" for name in ("overflights", "map") for kind in ("svg", "png")}
    assert {file.name for file in out.iterdir()} == {"index.html", "overflights.csv", *pictures}


@here
@pytest.mark.parametrize(
    ("skip", "expected"),
    [
        (0, {"Türkiye": -27, "Cyprus": -57, "Israel": -90, "Georgia": 39, "Armenia": 38}),  # 31 January to 27 February
        (1, {"Türkiye": -28, "Cyprus": -57, "Israel": -89, "Georgia": 25, "Armenia": 42}),  # 24 January to 20 February
    ],
)
def test_march_2026_to_the_percent(skip: Any, expected: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, percent = march_2026(capsys, "--weeks", 4, "--skip", skip)
    day = {"Türkiye": "02-28", "Cyprus": "03-01", "Israel": "03-02", "Georgia": "03-05", "Armenia": "03-01"}
    assert {state: percent[state, day[state]] for state in day} == expected
    assert percent["Türkiye", "03-02"] == -50 and percent["Georgia", "02-28"] == (-12, -15)[skip]
