"""The desk's world on the situation board."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from takt.cli import main
from takt.stations.flightdesk.desk import FlightDesk
from takt.stations.flightdesk.desk.files import write_world


def test_the_world_is_written_as_known_at_the_end_of_a_day(tmp_path: Path) -> None:
    desk = FlightDesk(flights=300, aircraft=30, bookings=1000, days=3)
    desk.reset(seed=0)
    world = desk.office.world
    flights, fares = write_world(world, tmp_path, 2)
    rows = list(csv.DictReader(flights.open()))
    assert len(rows) == len(world.name)
    over = 2 * 1440
    for row in rows:
        f = world.index[f"{row['flight']}/{row['date']}"]
        assert bool(row["departure"]) == (not world.gone[f] and world.leaves[f] < over)
        assert row["cancelled"] == str(int(world.gone[f] and world.known[f] < over))
    seen = {row["seen"] for row in csv.DictReader(fares.open())}
    assert seen == {"2026-02-28", "2026-03-01"}


def test_the_situation_board_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("duckdb")
    desk = FlightDesk(flights=300, aircraft=30, bookings=1000, days=3)
    desk.reset(seed=0)
    flights, fares = write_world(desk.office.world, tmp_path, 2)
    assert main(["flightdesk", "situation", str(flights), "--day", "2026-03-01", "--json"]) == 0
    days = {day["date"]: day for day in json.loads(capsys.readouterr().out)["days"]}
    assert days["2026-03-01"]["past"] and days["2026-03-01"]["cancelled"] > 10
    assert main(["flightdesk", "situation", "--fares", str(fares), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {left["corridor"] for left in told["seats"]} == {"north", "middle", "south", "other"}


def test_days_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flightdesk", "world", str(tmp_path / "w"), "--days", "99"]) == 2
    assert "--days is 99; this world has 1 to" in capsys.readouterr().err and not (tmp_path / "w").exists()
