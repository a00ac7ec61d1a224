"""The inspector's station: what is true comes from the cell's physics, and what is let go comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import open_station, resume_shift, run_shift
from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_ENDED
from takt.errors import TaktError
from takt.stations.inspection.account import COMPLAINT, account_of
from takt.stations.inspection.fixtures import CELL_SIDE, SIDES, Fixtures
from takt.stations.inspection.station import CAMERA_DARK, LATER, PICTURE, InspectionStation
from takt.stations.nutcell.inspection import SEATED_M

SEED = 20261129


def call(name: Any, **arguments: Any) -> Any:
    return json.dumps({"name": name, "arguments": arguments})


@pytest.fixture(scope="module")
def desk() -> Iterator[Any]:
    station = InspectionStation(bad_share=0.5, image_size=64)
    yield station
    station.close()


def shift_of(worker: Any, units: Any, **more: Any) -> Any:
    return run_shift("inspection", worker, seed=SEED, units=units, station_options={"bad_share": 0.5}, **more)


def test_what_is_true_is_what_the_cells_own_inspection_measures() -> None:
    fixtures = Fixtures("plant", 0.5)
    seen = {}
    for unit in range(12):
        truth = fixtures.show(SEED, unit)
        for side in SIDES:
            measured = fixtures.cell.inspection.look_at(CELL_SIDE[side])
            assert truth[side]["good"] == measured["good"]
            seated = measured["height_mm"] is not None and measured["height_mm"] < SEATED_M * 1e3
            assert seated == truth[side]["good"] or measured["tilt_deg"] > 3, "a nut that is home is good"
            seen[truth[side]["class"]] = seen.get(truth[side]["class"], 0) + 1
    assert 6 <= seen["good"] <= 18 and len(seen) >= 4, (
        f"half of 24, within 3 standard deviations, and several kinds: {seen}"
    )
    again = Fixtures("plant", 0.5)
    assert again.show(SEED, 11) == truth, "a unit is the same whatever was shown before"
    peaks = again.cell.inspection.forces.peaks()
    assert peaks == (0.0, 0.0), "of the physics that settle the nuts nothing is kept: it is half a MiB a unit"
    fixtures.close()
    again.close()


def test_the_reference_is_right_everywhere_and_always_good_is_as_bad_as_its_escapes() -> None:
    right = shift_of("reference", 8)
    assert [event.kind for event in right.events if event.kind in UNIT_ENDED] == ["unit_good"] * 8
    values = account_of(right.events).values
    assert values["escapes"] == 0 and values["class_right"] == 1.0 and right.events[0].data["privileged"]
    blind = shift_of("always_good", 30)
    bad = [event for event in blind.events if event.kind == UNIT_BAD]
    values = account_of(blind.events).values
    assert bad and all(event.data["reasons"] == ["escape"] for event in bad)
    assert values["escapes"] == values["bad_pins"] > 0 and values["false_alarms"] == 0
    assert values["class_right"] == 0.0, "to name none is right of no defect"
    assert values["escape_rate"]["upper"] == 1.0 and values["escape_rate"]["lower"] > 0.5


def test_an_escaped_fixture_comes_back_and_takes_time(desk: Any) -> None:
    seen, info = desk.reset(seed=SEED)
    escaped, came_back, waited = [], [], 0
    for _ in range(40 * 76):
        free = seen["waiting"] and not desk.busy
        seen, _, _, _, info = desk.step(call("verdict", left="good", right="good") if free else desk.hold)
        for event in info["events"]:
            if event.kind == UNIT_BAD:
                escaped.append(event.unit)
            elif event.kind == COMPLAINT:
                came_back.append((event.data["of"], desk.unit))
                waited = max(waited, desk.busy)
    due = [unit for unit in escaped if unit + LATER[1] < desk.unit]
    assert set(due) <= {unit for unit, _ in came_back}, "each comes back once its time is up"
    assert all(LATER[0] <= at - unit < LATER[1] for unit, at in came_back) and len(dict(came_back)) == len(came_back)
    assert waited == 30 and seen["complaints"] == len(came_back)


def test_a_look_takes_its_time_shows_another_picture_and_is_the_same_after_a_snapshot(desk: Any) -> None:
    first, _ = desk.reset(seed=SEED)
    seen, *_ = desk.step(call("look", where="left"))
    assert desk.busy == 2 and seen["view"] == "left" and seen[PICTURE].shape == (64, 64, 3)
    assert np.abs(seen[PICTURE].astype(int) - first[PICTURE]).mean() > 3
    state = desk.save()
    held, *_ = desk.step(desk.hold)
    other = InspectionStation(bad_share=0.5, image_size=64)
    other.reset(seed=1)
    other.load(state)
    again, *_ = other.step(other.hold)
    other.close()
    assert np.array_equal(again[PICTURE], held[PICTURE]) and again["looks"] == 1
    assert desk.busy == 1
    desk.step(desk.hold)
    refused, *_ = desk.step(call("look", where="up"))
    assert refused["result"]["error"]["code"] == "bad_arguments"


def test_who_asks_why_is_shown_what_was_seen_and_the_pins_with_nothing_in_the_way(desk: Any) -> None:
    seen, _ = desk.reset(seed=SEED)
    first = desk.closeup()
    assert first.shape == (96, 64, 3) and np.array_equal(first[:64], seen[PICTURE]) and desk.noted() == []
    seen, *_ = desk.step(call("look", where="left"))
    assert desk.noted() == [("left", "seen")] and desk.noted() == []
    second = desk.closeup()
    assert np.array_equal(second[:64], seen[PICTURE]) and not np.array_equal(second[:64], first[:64])
    assert np.array_equal(second[64:], first[64:]), "another look at the same pins"
    for _ in range(75):
        desk.step(desk.hold)
    assert desk.unit == 1 and np.array_equal(desk.closeup()[64:], first[64:]), "the one that left, unjudged"


def test_escapes_are_in_the_report_as_pictures(tmp_path: Path) -> None:
    from takt.ledger import Ledger
    from takt.show.report.pictures import INSPECTED, pictures_of

    blind = shift_of("always_good", 3, ledger=tmp_path / "blind.takt")
    escaped = [event.unit for event in blind.events if event.kind == UNIT_BAD]
    with Ledger.open(tmp_path / "blind.takt") as book:
        shots = pictures_of(book, blind, work_again=False)
    assert shots.note == "" and escaped and set(escaped) <= set(shots.by_unit)
    assert all(one.words == INSPECTED for moments in shots.by_unit.values() for one in moments)


def test_a_dark_camera_shows_nothing_and_a_fixture_without_a_verdict_is_late(desk: Any) -> None:
    from takt.contract.station import Fault

    seen, _ = desk.reset(seed=SEED, options={"faults": (Fault(CAMERA_DARK, 0.0, 30.0),)})
    assert not seen[PICTURE].any()
    events = []
    for _ in range(76):
        seen, _, _, _, info = desk.step(desk.hold)
        events += info["events"]
    assert [e.data["reasons"] for e in events if e.kind in UNIT_ENDED] == [["late"]] and seen[PICTURE].any()
    assert [e.unit for e in events if e.kind == UNIT_DUE] == [1]


def test_the_truth_is_told_to_nobody_who_did_not_ask_for_it(desk: Any) -> None:
    seen, _ = desk.reset(seed=SEED)
    seen, *_ = desk.step(call("truth", unit=0))
    assert seen["result"]["error"]["code"] == "unknown_tool"
    text = json.dumps(
        [desk.spec.brief, seen["question"], seen["view"], [tool["function"]["name"] for tool in desk.spec.tools]]
    )
    assert "truth" not in text and {"left", "right"} <= set(desk.spec.parts)


def test_a_killed_shift_goes_on_to_the_same_digest(tmp_path: Path) -> None:
    whole = shift_of("always_good", 12, ledger=tmp_path / "whole.takt")
    shift_of(
        "always_good",
        12,
        ledger=tmp_path / "cut.takt",
        leave=lambda events: sum(e.kind in UNIT_ENDED for e in events) >= 5,
    )
    assert resume_shift(tmp_path / "cut.takt").digest == whole.digest


@pytest.mark.parametrize(
    "options, says",
    [
        ({"difficulty": "easy"}, "no difficulty is called 'easy'"),
        ({"language": "de"}, "no language is called 'de'"),
        ({"bad_share": 2}, "bad_share"),
        ({"takt_s": 6}, "leaves no time"),
        ({"image_size": 10_000}, "image_size"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(options: Any, says: Any) -> None:
    with pytest.raises(TaktError, match=says) as told:
        open_station("inspection", **options)
    assert "\n" not in str(told.value)
