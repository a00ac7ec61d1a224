"""A desk's airline is made from the seed; a ledger of an older version of it is read, and worked again in no other."""

from __future__ import annotations

import json
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest

from takt import Fault, Ledger, run_shift
from takt.cli import main
from takt.ledger import canonical
from takt.stations.flightdesk.airline.generate import AIRLINES, drawn, generate
from takt.stations.flightdesk.airline.recipes import two_hubs
from takt.stations.flightdesk.desk import FlightDesk, remembered, station
from takt.stations.flightdesk.desk.tools import call

SMALL: dict[str, Any] = {"scenario": "two-hubs", "flights": 120, "aircraft": 20, "bookings": 600}


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("worlds") / "a.takt"
    run_shift("flightdesk", "greedy", units=2, station_options=SMALL, clock="lockstep", ledger=path)
    return path


def told(path: Any, tmp_path: Path, drop: Any = (), **values: Any) -> Any:
    """The ledger with other values in its meta; what is dropped, older ones did not say."""
    copy = tmp_path / "b.takt"
    with sqlite3.connect(path) as book, sqlite3.connect(copy) as other:
        book.backup(other)
        for key in drop:
            other.execute("DELETE FROM meta WHERE key = ?", (key,))
        for key, value in values.items():
            other.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, canonical(value)))
    return copy


def test_the_version_of_the_world_is_in_the_meta_and_not_in_the_digest(shift: Any, tmp_path: Path) -> None:
    with Ledger.open(shift) as book, Ledger.open(told(shift, tmp_path, drop=["world"])) as other:
        assert book.meta["world"] == AIRLINES and book.digest() == other.digest()


@pytest.mark.parametrize("older", [{"world": 1}, {"drop": ["world", "rules"]}, {"drop": ["world"], "rules": 1}])
@pytest.mark.parametrize("command", [["repeat"], ["verify", "--work-again"], ["replay", "--unit", "0"]])
def test_a_shift_of_an_older_world_is_not_worked_again_and_the_line_says_why(
    shift: Any, tmp_path: Path, older: Any, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = told(shift, tmp_path, **older)
    assert main([command[0], str(path), *command[1:]]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "world is of version 1, and 'flightdesk' makes version 2" in err and err.count("\n") == 1, err
    assert [file.name for file in tmp_path.iterdir()] == ["b.takt"]


def test_it_is_read_and_judged_and_its_account_is_not_of_another_world(
    shift: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = told(shift, tmp_path, world=1)
    assert main(["kpis", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"]["units"] == 2 and "account" not in json.loads(out)
    assert "no account of station 'flightdesk'" in err and "world is of version 1" in err
    assert main(["report", str(path), "--json"]) == 0


def test_a_shift_begun_between_the_versions_and_saying_none_is_worked_again(shift: Any, tmp_path: Path) -> None:
    assert main(["repeat", str(told(shift, tmp_path, drop=["world"], rules=3))]) == 0


WRONG = {
    '{"name":"group","arguments":{"group":5}}': "group: group must be a text, not 5; its arguments are: group",
    '{"name":"queue","arguments":{"limit":501}}': "queue: limit must be 500 at most, not 501",
    '{"name":"book","arguments":{"group":"1","legs":[{"cabin":"E"}]}}': "book: legs[0].flight is missing",
    '{"name":"wait","arguments":{"for":1}}': "wait: for is none of them; its arguments are: none",
    '{"name":"queue"': "it is JSON that ends too soon",
}


def test_wrong_arguments_are_told_in_our_words_and_to_an_older_ledger_in_those_it_has() -> None:
    desk = FlightDesk(**SMALL)
    desk.reset(seed=0)
    for text, says in WRONG.items():
        assert says in call(desk.office, text)["error"]["message"]
    older = [call(desk.office, text, rules=3)["error"]["message"] for text in WRONG]
    assert older[0] == "group: group: input should be a valid string; its arguments are: group"
    assert older[4].endswith("Expecting ',' delimiter: line 1 column 16 (char 15)")


def test_a_shift_by_older_rules_has_its_maintenances_out_of_reach() -> None:
    desk, sizes = FlightDesk(scenario="two-hubs", flights=60, aircraft=10, bookings=120), (60, 10, 120)

    def due(rules: dict[str, int]) -> Any:
        desk.reset(seed=13, options=rules)
        return desk.office.world.instance.aircraft.service_start.tolist()

    was = drawn(two_hubs(*sizes), 13).aircraft.service_start.tolist()
    now = generate(two_hubs(*sizes), 13).aircraft.service_start.tolist()
    assert was != now and due({"rules": 5}) == was and due({}) == due({"rules": 6}) == now


def test_a_scenarios_world_is_remembered_and_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read when it is the same again, made for another seed or fault, and when what is kept is damaged or cannot be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(remembered, "FEW", 1)
    made: list[int] = []
    monkeypatch.setattr(station, "generate", lambda recipe, seed: made.append(seed) or generate(recipe, seed))

    def begun(seed: int = 3, faults: tuple[Fault, ...] = ()) -> Any:
        desk = FlightDesk(scenario="two-hubs", flights=40, aircraft=8, bookings=60, days=1)
        observed, _ = desk.reset(seed=seed, options={"faults": faults})
        world = desk.office.world
        return observed, world.news, world.units, world.seats.tolist(), world.groups.stays.tolist(), world.market.name

    first = begun()
    assert begun() == first and made == [3]
    assert begun(seed=4) != first
    begun(faults=(Fault("corridor_closed", 0.0, 600.0),))
    assert made == [3, 4, 3]
    for file in (tmp_path / "takt" / "worlds").iterdir():
        file.write_bytes(zlib.compress(b"\x80\x04N."))  # None
    assert begun() == first and made == [3, 4, 3, 3]
    (tmp_path / "takt").chmod(0o777)  # others could have written there
    assert begun() == first and made == [3, 4, 3, 3, 3]
