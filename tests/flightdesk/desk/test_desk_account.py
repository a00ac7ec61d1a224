"""What a shift at the desk comes to: figures, the bound, the sections of the report, the picture of the desk."""

from __future__ import annotations

import html
import json
import re
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from takt import Event, Fault, Ledger, open_station, run_shift, steps_of_unit
from takt.cli import main
from takt.contract.events import FOR_PEOPLE, SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD
from takt.ledger import spelled
from takt.shift.account import account_of, costs_at
from takt.show.cases import by_unit, case_of
from takt.show.report import write_report
from takt.stations.flightdesk.desk import FlightDesk, figures
from takt.stations.flightdesk.desk.account import PARTS, hindsight, parties_of, tally, unit_costs
from takt.stations.flightdesk.desk.map import curve
from takt.stations.flightdesk.desk.served import breaks

SMALL: dict[str, Any] = {"flights": 300, "aircraft": 30, "bookings": 2000, "days": 3}
OPTIONS = [word for name, size in SMALL.items() for word in ("-o", f"{name}={size}")]
FAULTS = [Fault("reservations_down", 600.0, 300.0)]


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("desk") / "a.takt"
    given: dict[str, Any] = {"hours": 1.0, "station_options": SMALL, "faults": FAULTS, "ledger": path}
    return run_shift("flightdesk", "greedy", **given)


@pytest.fixture(scope="module")
def desk(shift: Any) -> Any:
    station = open_station("flightdesk", **shift.meta["options"])
    station.reset(seed=0, options={"faults": tuple(FAULTS)})
    return station


@pytest.fixture(scope="module")
def account(shift: Any, desk: Any) -> Any:
    return desk.account(shift.events)


def due(name: Any, people: Any, t_s: Any = 0.0, unit: Any = 0) -> Any:
    return Event(t_s, UNIT_DUE, unit, {"group": name, "people": people, "not_brought_home_eur": 100.0, "from": "DOH"})


def booked(name: Any, flown: Any, **parts: Any) -> Any:
    told = {"group": name, "flown": flown, "late_min": 60, "corridor": "middle", "legs": [["1/2026-03-01", "E"]]}
    return Event(9.0, "booked", 0, told | dict.fromkeys(PARTS[:-1], 0.0) | parts)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_tally_by_hand() -> None:
    events = [
        due("7", 5),
        Event(2.0, "split", 0, {"group": "7", "part": "7.1", "people": 2}),
        booked("7", True, fare=30.0, delay=12.5),
        booked("7.1", False, fare=999.0),
        Event(9.5, "refused", None, {"tool": "book", "code": "no_seats"}),
        due("8", 4, 20.0, 1),
        booked("8", True, care=15.0),
        due("8", 4, 30.0, 2),  # its flights are not flown after all
    ]
    sums = tally(iter(events))
    assert (sums.people, sums.home, sums.parties) == (9, 3, 3) and sums.home_by_corridor == {"middle": 3}
    assert sums.parts == dict.fromkeys(PARTS, 0.0) | {"fare": 30.0, "delay": 12.5, "not_brought_home": 600.0}
    assert sums.cost == 642.5 and sums.late_min == 60 and sums.refused == {"no_seats": 1}
    over = [*events, Event(40.0, SHIFT_ENDED, None, {"reason": "time"})]
    assert unit_costs(over) == {0: 42.5 + 200.0, 1: 400.0}, "parts and returns are the unit's that they came from"
    served = [*events, Event(31.0, UNIT_BAD, 0, {"reasons": ["not_home"]}), Event(31.0, UNIT_GOOD, 1, {})]
    assert unit_costs(served) == {0: 42.5 + 200.0, 1: 15.0}, "while the shift goes on, who waits has no cost yet"
    assert unit_costs([*served, due("9", 30, 32.0, 3)]) == unit_costs(served)
    parties = parties_of(events)
    assert parties["8"].due_s == 30.0 and parties["7.1"].at == "DOH" and parties["7"].cost["fare"] == 30.0


def test_the_figures_of_a_shift_add_up(shift: Any, account: Any) -> None:
    values = account.values
    sums = tally(shift.events)
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert sum(values["cost_parts_eur"].values()) == pytest.approx(values["cost_eur"])
    assert sum(values["home_by_corridor"].values()) == values["home"] == sums.home > 0
    assert values["cost_eur"] >= values["bound_eur"] > 0 and 0 <= values["bound_home"] <= values["people"]
    assert values["regret_eur"] == pytest.approx(values["cost_eur"] - values["bound_eur"])
    assert 0 < values["compensation_eur"] < values["cost_parts_eur"]["not_brought_home"]
    assert sum(values["refused"].values()) == sum(event.kind == "refused" for event in shift.events)


def test_the_units_cost_what_the_shift_does(shift: Any, desk: Any) -> None:
    assert sum(costs_at("flightdesk")(shift.events).values()) == pytest.approx(tally(shift.events).cost)
    assert costs_at("gym") is None and costs_at("gone") is None


def test_every_figure_says_what_it_is(account: Any) -> None:
    found = {figure.name: figure for figure in account.figures}
    assert len(found) == len(account.figures) and all(figure.source and figure.label for figure in account.figures)
    assert found["cost_eur"].value == f"{account.values['cost_eur']:,.0f}" and found["cost_eur"].unit == "EUR"
    assert {"home_middle", "cost_care_eur", "regret_rate", "bound_home", "refused"} <= set(found)


def test_when_nobody_came_there_is_nothing_to_regret(desk: Any) -> None:
    events = [Event(0.0, SHIFT_STARTED, None, {})]
    nobody = desk.account(events)
    shown = {figure.name: figure.value for figure in nobody.figures}
    assert shown["regret_rate"] == shown["cost_per_home_eur"] == shown["delay_h"] == shown["home_rate"] == "-"
    assert nobody.values["cost_eur"] == 0 and nobody.values["regret_rate"] is None and nobody.sections() == []


def test_no_bound_is_claimed_for_a_desk_that_may_change_flights(shift: Any, desk: Any) -> None:
    told = figures.account_of(desk.office.world, True, shift.events)
    shown = {figure.name: figure for figure in told.figures}
    assert shown["regret_eur"].value == "-" and "may change flights" in shown["bound_eur"].source
    assert told.values["regret_eur"] is None and not told.values["bound_holds"]
    cost = told.sections()[-1]
    assert "does not hold" in cost.note and "regret" not in cost.plot.wide


def test_the_bound_is_worked_out_once_a_command(
    shift: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    calls = Counter()

    def counted(*of: Any) -> Any:
        calls["hindsight"] += 1
        return hindsight(*of)

    monkeypatch.setattr(figures, "hindsight", counted)
    assert main(["kpis", str(shift.path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert calls["hindsight"] == 1 and told["account"]["people"] > told["account"]["home"] > 0
    assert main(["report", str(shift.path), "--no-pictures", "--out", str(tmp_path / "a.html")]) == 0
    assert calls["hindsight"] == 2


# --- the report -------------------------------------------------------------------------------------------------------


def test_the_sections_show_the_map_the_queue_and_the_cost(account: Any) -> None:
    where, queue, cost = drawn = account.sections()
    assert account.sections() == drawn, "the same shift gives the same page"
    values = account.values
    for shape in (where.plot.wide, where.plot.narrow):
        for corridor, people in values["home_by_corridor"].items():
            assert (f">{corridor} {people:,}<" in shape) == (people > 0)
        assert f">not brought home {values['people'] - values['home']:,}<" in shape
    assert ">DOH<" in where.plot.wide
    for shape in (queue.plot.wide, queue.plot.narrow):
        assert "groups that wait" in shape and "reservations down" in shape
    for shape in (cost.plot.wide, cost.plot.narrow):
        assert re.search(r">not brought home \d", shape) and re.search(r">delay \d", shape)
        assert ">bound<" in shape and "hotel not due" not in shape
    assert ">regret " in cost.plot.wide


def test_the_report_has_it_all_and_says_of_each_bad_group_what_became_of_it(
    shift: Any, account: Any, tmp_path: Path
) -> None:
    text = write_report(shift.path, tmp_path / "a.html").read_text()
    for said in ("Where passengers went", "The queue at the desk", "Cost against hindsight", "Cost per passenger home"):
        assert said in text
    assert "<img" not in text and len(text) < 1_000_000
    assert text.index("Passengers home, share") < text.index("Service level")  # people before any plant's figures
    table, bad = account.bad(), {e.unit: e for e in shift.events if e.kind == UNIT_BAD}
    assert list(table.units) == list(bad) and len(table.rows) == len(bad) > 0
    for row, unit in zip(table.rows, table.units, strict=True):
        told = dict(zip(table.heads, row, strict=True))
        booked = [e for e in shift.events if e.kind == "booked" and e.unit == unit]
        assert all(name in told["booked"] for event in booked for name, _ in event.data["legs"])
        assert all(("known" in told["what became of it"]) or event.data["flown"] for event in booked)
        assert html.escape(told["what became of it"]) in text


def test_why_nobody_came_home_is_divided_by_cause_and_told_by_the_ledger_alone(shift: Any, account: Any) -> None:
    not_home = {e.unit for e in shift.events if e.kind == UNIT_BAD and e.data["reasons"][0] == "not_home"}
    assert set(account.causes) == not_home
    assert sum(account.values["not_home_causes"].values()) == len(not_home)
    mine = by_unit(shift.events)
    told = {unit: case_of("flightdesk", "not_home", mine[unit]) for unit in not_home}
    assert {unit: case and case.name for unit, case in told.items()} == account.causes


def test_when_it_became_known_is_when_the_group_came_back(shift: Any, desk: Any) -> None:
    world, found = desk.office.world, 0
    for event in shift.events:
        if event.kind != "booked" or event.data["flown"]:
            continue
        why = breaks(world, event)
        came = [e.t_s for e in shift.events if e.kind == UNIT_DUE and e.data["group"] == event.data["group"]]
        back = [t_s for t_s in came if t_s > event.t_s]
        known_s = max(event.t_s, 60 * (why.known - world.instance.start))
        assert [abs(t_s - known_s) <= 1.5 for t_s in back] in ([], [True]) and why.flight in dict(event.data["legs"])
        assert back or known_s > shift.events[-1].t_s - 1.5
        at = world.clock(world.instance.start + known_s / 60)[:16].replace("T", " ")
        told = event.data[FOR_PEOPLE]
        assert (told["lost_flight"], told["lost_known"]) == (why.flight, at), "as the ledger tells it without the world"
        bare = replace(event, data={key: value for key, value in event.data.items() if key != FOR_PEOPLE})
        assert spelled(bare) == spelled(event), "no digest has it"
        found += 1
    assert found


def test_the_account_is_the_one_of_the_ledger(shift: Any, account: Any) -> None:
    assert account_of(shift).values == account.values


def test_a_unit_worked_again_comes_out_as_it_did(shift: Any) -> None:
    ended = [event for event in shift.events if event.kind in (UNIT_GOOD, UNIT_BAD)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for event in (ended[0], ended[-1]):
            *_, (station, happened) = steps_of_unit(shift.path, event.unit)
            assert event in happened and station.now - 1 <= event.t_s <= station.now


# --- the picture ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_it_is_a_gymnasium_environment_that_draws_itself() -> None:
    check_env(FlightDesk(**SMALL))


def test_the_picture_shows_who_waits_and_is_the_same_for_the_same_desk(shift: Any) -> None:
    station = open_station("flightdesk", **shift.meta["options"])
    station.reset(seed=0, options={"faults": tuple(FAULTS)})
    nobody = station.render()
    assert nobody.shape == (600, 960, 3) and nobody.dtype == np.uint8
    for _ in range(200):
        station.step(station.hold)
    waiting = station.render()
    assert station.office.queue and not np.array_equal(nobody, waiting)  # type: ignore[attr-defined]
    state = station.save()
    station.reset(seed=0, options={"faults": tuple(FAULTS)})
    assert np.array_equal(station.render(), nobody)
    station.load(state)
    assert np.array_equal(station.render(), waiting)


def test_great_circles_go_from_point_to_point() -> None:
    north, east = curve(((50.0, 8.0), (42.0, 27.0), (40.0, 116.0)))
    assert (north[0], east[0]) == pytest.approx((50.0, 8.0)) and (north[-1], east[-1]) == pytest.approx((40.0, 116.0))
    assert north.max() > 50.5, "between Bulgaria and Beijing the great circle goes north"
    _, across = curve(((35.0, 140.0), (34.0, -118.0)))
    assert (np.diff(across) > 0).all() and across[-1] == pytest.approx(242.0), "over the Pacific, not back"


# --- the command line -------------------------------------------------------------------------------------------------


def test_scenario_and_instance_are_short_for_options(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "a.takt"
    run = ["run", "flightdesk", "--worker", "idle", "--hours", "0.02", "--json"]
    assert main([*run, *OPTIONS, "--scenario", "two-hubs", "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["account"]["home"] == 0 and told["kpis"]["units"] == 0
    with Ledger.open(out) as book:
        assert book.meta["options"]["scenario"] == "two-hubs"
    for given, line in (
        (["--scenario", "mars"], "no scenario is called 'mars'"),
        (["--instance", str(tmp_path / "none")], "none"),
        (["--scenario", "two-hubs", "--instance", str(tmp_path)], "not both"),
    ):
        assert main([*run, *given, "--out", str(tmp_path / "b.takt")]) == 2
        assert line in capsys.readouterr().err
