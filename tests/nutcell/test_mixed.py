"""The mixed line: orders in words, two nuts a side, the wrong one is a bad unit."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from bench import lined_up, move_to, on_pin, put, run, to_end_of_unit
from gymnasium.utils.env_checker import check_env
from mujoco import mju_quat2Mat
from order_reader import read

from takt import Fault, TaktError, open_station, run_shift
from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD
from takt.stations.nutcell import NutCell, caption, orders, scene
from takt.stations.nutcell.expert import Deaf, Expert
from takt.stations.nutcell.layout import FEEDER, LOOSE, TAKT_S
from takt.stations.nutcell.line import MIXED
from takt.stations.nutcell.orders import FLANGED, PAIRS, PLAIN, every_text, order


def opened(**options: Any) -> NutCell:
    return open_station("nutcell", line="mixed", **options)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def station() -> NutCell:
    return opened(difficulty="plant", privileged=True)


@pytest.fixture
def cell(station: NutCell) -> NutCell:
    """In unit 0 of seed 3, its fixture in place."""
    station.reset(seed=3)
    run(station, 2.2)
    return station


def nut(variant: int, nth: int = 3) -> int:
    """A body of that variant that no lane touches at first."""
    return variant * MIXED.nuts + nth


# --- orders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phrasings", orders.PHRASINGS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_order_says_what_it_asks_for(language: str, phrasings: str) -> None:
    known = set(orders.charset())
    for text, parts in every_text(language, phrasings):
        assert read(text) == parts, text
        assert len(text) <= orders.MAX_CHARACTERS and set(text) <= known


@pytest.mark.parametrize("language", ["en", "zh"])
def test_held_out_phrasings_are_new_sentences_of_known_names(language: str) -> None:
    trained, held = ({text.lower() for text, _ in every_text(language, which)} for which in orders.PHRASINGS)
    assert not trained & held and len(held) > 4000
    if language == "zh":
        assert set("".join(held)) <= set("".join(trained)), "no character that training never showed"
    else:
        words = [{word.strip(",:;/") for text in texts for word in text.split()} for texts in (trained, held)]
        assert words[1] <= words[0], "no word that training never showed"


@pytest.mark.parametrize("phrasings", orders.PHRASINGS)
def test_orders_are_drawn_from_their_own_phrasings_and_language(phrasings: str) -> None:
    for language in ("en", "zh"):
        may = {text.lower() for text, _ in every_text(language, phrasings)}
        drawn = [order(1, unit, language, phrasings) for unit in range(200)]
        assert {each.text.lower() for each in drawn} <= may
        assert {each.language for each in drawn} == {language}
        assert all(read(each.text) == each.parts for each in drawn)
        assert len({each.text for each in drawn}) > 150


def test_orders_are_balanced_and_drawn_by_seed_and_unit() -> None:
    drawn = [order(5, unit) for unit in range(400)]
    assert Counter(each.parts for each in drawn) == dict.fromkeys(PAIRS, 100)
    assert drawn == [order(5, unit) for unit in range(400)] != [order(6, unit) for unit in range(400)]
    assert 150 < sum(each.language == "zh" for each in drawn) < 250
    for options in ({"language": "zh"}, {"phrasings": "held_out"}):
        assert [order(5, unit, **options).parts for unit in range(400)] == [each.parts for each in drawn]


# --- the station --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("privileged", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_it_is_a_gymnasium_environment(privileged: bool) -> None:
    check_env(opened(privileged=privileged), skip_render_check=True)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"line": "double"}, "no line 'double'; choose from: single, mixed"),
        ({"line": "mixed", "language": "de"}, "no language 'de'; choose from: both, en, zh"),
        ({"line": "mixed", "phrasings": "test"}, "no phrasings 'test'; choose from: train, held_out"),
        ({"language": "zh"}, "only line=mixed has orders"),
        ({"cameras": "head,tail"}, "no camera 'tail'"),
        ({"camera_size": 8}, "camera_size is 8; it must be from 32"),
    ],
)
def test_a_wrong_option_is_one_line(options: dict[str, Any], line: str) -> None:
    with pytest.raises(TaktError, match=line):
        open_station("nutcell", **options)


def test_a_station_opened_with_its_own_options_is_the_same_one() -> None:
    spec = opened(language="zh", phrasings="held_out", privileged=True, camera_size=64).spec
    assert open_station("nutcell", **spec.options).spec == spec
    assert "line" not in open_station("nutcell").spec.options, "shifts from before the mixed line keep their digests"


def test_only_the_words_tell_the_order() -> None:
    """Two orders in the same unit: but for the words, what is shown without privilege is the same to the last bit."""
    cell = opened(difficulty="plant")
    seen, events = cell.reset(seed=3)
    assert set(seen) == {"order", *(f"observation.{key}" for key in ("state", "setpoint", "touch", "takt_left"))}
    assert seen["order"] == order(3, 0).text == events["events"][0].data["order"]
    after = [cell.step(cell.hold)[0] for _ in range(150)]
    cell.reset(seed=3)
    cell.inspection.order = orders.Order(
        (1 - cell.inspection.order.parts[0], 1 - cell.inspection.order.parts[1]), "otherwise", "en"
    )
    for one in after:
        other = cell.step(cell.hold)[0]
        assert one.pop("order") != other.pop("order")
        assert all(np.array_equal(one[key], other[key]) for key in one)


def test_privilege_shows_what_is_ordered_and_what_each_nut_is(cell: NutCell) -> None:
    known = cell.step(cell.hold)[0]["observation.privileged"]
    assert tuple(known["ordered"]) == order(3, 0).parts
    on_lane = known["nut_state"] == FEEDER
    assert [sorted(known["variants"][side][on_lane[side]]) for side in range(2)] == [[PLAIN, FLANGED]] * 2


def test_each_unit_has_its_order(station: NutCell) -> None:
    station.reset(seed=9)
    happened = run(station, 3 * TAKT_S)
    assert [event.data["order"] for event in happened if event.kind == UNIT_DUE] == [
        order(9, unit).text for unit in (1, 2, 3)
    ]
    assert station.step(station.hold)[0]["order"] == order(9, 3).text


def test_a_hand_reaches_every_lane(cell: NutCell) -> None:
    for lane in range(2):
        for side in range(2):
            for shift in (-0.005, 0.005):
                goal = MIXED.lane_pos[side, lane] + [shift, shift, 0.035]
                move_to(cell, side, goal)
                at = cell.world.scene.tool_site[side]
                assert np.linalg.norm(cell.data.site_xpos[at] - goal) < 0.003
                turned = np.empty(9)
                mju_quat2Mat(turned, cell.hands.quat[side])
                assert np.allclose(cell.data.site_xmat[at], turned, atol=0.01)
            move_to(cell, side, MIXED.lane_pos[side, lane] + [-0.05, 0, 0.15])


def test_no_tooth_sticks_out_of_a_flat() -> None:
    """Else the pads would feel the teeth's yaw, which only the bore shows."""
    for variant in MIXED.variants:
        out = 2 * scene.tooth_radius(variant) - scene.TOOTH_TIP
        assert np.hypot(out, scene.TOOTH_WIDTH / 2) < variant.across_m / 2


def seat(cell: NutCell, parts: tuple[int, int]) -> None:
    for side, variant in enumerate(parts):
        put(cell, side, nut(variant), on_pin(cell, side, 0.0005), lined_up(cell, side))


@pytest.mark.parametrize("variant", [PLAIN, FLANGED])
def test_either_nut_falls_home_on_either_pin_if_its_teeth_are_in_line(cell: NutCell, variant: int) -> None:
    cell.fixture.magnet_n[:] = 0.0  # no magnet: the spline by itself
    for side in range(2):
        put(cell, side, nut(variant), on_pin(cell, side, 0.026), lined_up(cell, side) + np.radians(20))
    run(cell, 1.0)
    heights = cell.nuts.pos()[:, nut(variant), 2] - cell.fixture.seat[:, 2]
    assert heights == pytest.approx(scene.RIB_TOP, abs=0.001), "out of line it rests on the ribs"
    seat(cell, (variant, variant))
    run(cell, 1.0)
    assert (cell.nuts.pos()[:, nut(variant), 2] - cell.fixture.seat[:, 2] < 0.001).all()


def test_the_ordered_nuts_are_a_good_unit_and_a_wrong_one_is_a_wrong_part(cell: NutCell) -> None:
    ordered = order(3, 0).parts
    seat(cell, ordered)
    run(cell, 1.0)
    state = cell.save()
    event = to_end_of_unit(cell)
    assert event.kind == UNIT_GOOD and event.data["first_time"]
    for side, name in enumerate(scene.SIDES):
        told = MIXED.variants[ordered[side]].name
        assert event.data["parts"][name]["part"] == event.data["parts"][name]["ordered"] == told
    cell.load(state)
    cell.nuts.park(1, nut(ordered[1]))
    put(cell, 1, nut(1 - ordered[1]), on_pin(cell, 1, 0.0005), lined_up(cell, 1))
    event = to_end_of_unit(cell)
    assert event.kind == UNIT_BAD and event.data["reasons"] == ["wrong_part"] and event.data["cycle_s"] is None
    wrong = event.data["parts"]["right"]
    assert not wrong["good"] and wrong["height_mm"] < 1 and wrong["part"] != wrong["ordered"]


def test_an_empty_lane_leaves_the_others_at_work(station: NutCell) -> None:
    fault = Fault("lane_empty", 70.0, 15.0)
    station.reset(seed=3, options={"faults": (fault,)})
    empty = station.feeders.empty_lane(fault)
    run(station, 80.0)

    def lanes() -> set[tuple[int, int]]:
        return {(int(side), int(station.nuts.variant[k])) for side, k in np.argwhere(station.nuts.state == FEEDER)}

    assert lanes() == {(0, 0), (0, 1), (1, 0), (1, 1)} - {empty}
    run(station, 6.0)
    assert len(lanes()) == 4
    with pytest.raises(TaktError, match="cannot have the fault 'lane_empty'"):
        open_station("nutcell").reset(seed=3, options={"faults": (fault,)})


@pytest.mark.parametrize("at_s", [20.0, TAKT_S + 0.4])
def test_a_snapshot_goes_on_to_the_last_bit(station: NutCell, at_s: float) -> None:
    """Also in the second in which the last unit's fixture, with its pins and its light, is still on its way out."""
    station.reset(seed=4)
    worker = Expert()
    worker.begin(station.spec, 0)
    seen = station.step(station.hold)[0]
    while station.now < at_s:
        for action in worker.act(seen).actions:
            seen = station.step(action)[0]
    state = station.save()
    once = [station.step(station.hold)[0] for _ in range(100)]
    other = opened(difficulty="plant", privileged=True)
    other.reset(seed=77)
    other.load(state)
    for before in once:
        again = other.step(other.hold)[0]
        assert before.pop("order") == again.pop("order")
        known, knows = before.pop("observation.privileged"), again.pop("observation.privileged")
        assert all(np.array_equal(before[key], again[key]) for key in before)
        assert all(np.array_equal(known[key], knows[key]) for key in known)


# --- its workers --------------------------------------------------------------------------------------------------


def worked(worker: Any, station: NutCell, units: int, seed: int) -> list[Any]:
    shift = run_shift(station, worker, units=units, seed=seed, clock="fixed:0.08")
    return [event for event in shift.events if event.kind in (UNIT_GOOD, UNIT_BAD)]


def test_the_expert_brings_what_is_ordered(station: NutCell) -> None:
    """Four units: each pair once."""
    ended = worked(Expert(), station, 4, seed=31)
    assert [event.kind for event in ended] == [UNIT_GOOD] * 4
    asked = {(event.data["parts"]["left"]["ordered"], event.data["parts"]["right"]["ordered"]) for event in ended}
    assert len(asked) == 4


def test_one_that_does_not_listen_gets_one_pair_of_four_right(station: NutCell) -> None:
    ended = worked(Deaf(), station, 4, seed=31)
    assert [event.kind == UNIT_GOOD for event in ended] == [
        order(31, unit).parts == (PLAIN, PLAIN) for unit in range(4)
    ]
    assert {reason for event in ended for reason in event.data.get("reasons", ())} == {"wrong_part"}


def test_the_expert_takes_a_wrong_nut_off_the_pin_and_puts_it_aside(cell: NutCell) -> None:
    ordered = order(3, 0).parts
    wrong = [nut(1 - variant) for variant in ordered]
    seat(cell, (1 - ordered[0], 1 - ordered[1]))
    worker, seen = Expert(), cell.step(cell.hold)[0]
    worker.begin(cell.spec, 0)
    happened: list[Any] = []
    while not happened:
        for action in worker.act(seen).actions:
            seen, _, _, _, info = cell.step(action)
            happened += [event for event in info["events"] if event.kind in (UNIT_GOOD, UNIT_BAD)]
    assert happened[0].kind == UNIT_GOOD, happened[0].data
    for side in range(2):
        assert cell.nuts.state[side, wrong[side]] == LOOSE
        assert np.linalg.norm(cell.nuts.pos()[side, wrong[side], :2] - cell.fixture.seat[side, :2]) > 0.06


# --- pictures -----------------------------------------------------------------------------------------------------


def with_pictures(**options: Any) -> NutCell:
    try:
        return opened(cameras="head,left_wrist,right_wrist", **options)
    except TaktError as error:
        pytest.skip(str(error))


def test_the_two_nuts_look_different_from_the_wrist() -> None:
    """The hand over one lane, then over the other: what is yellow there is the flanged nut."""
    cell = with_pictures(difficulty="nominal", camera_size=96)
    cell.reset(seed=3)
    yellow = []
    for lane in range(2):
        move_to(cell, 0, MIXED.lane_pos[0, lane] + [0, 0, 0.05])
        cell.eyes.photograph()
        image = cell.eyes.images["left_wrist"][40:64, 36:60].astype(int)
        yellow.append(int(((image[..., 0] - image[..., 2] > 60) & (image[..., 1] > 60)).sum()))
    cell.close()
    assert yellow[PLAIN] < 5 and yellow[FLANGED] > 40


def test_the_picture_for_people_says_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = with_pictures(language="zh")
    cell.reset(seed=3)
    assert cell.render().shape == (480, 1280, 3)
    cell.close()
    blank = np.zeros((480, 640, 3), np.uint8)
    monkeypatch.setattr(caption, "chinese_font", lambda: None)
    without = caption.captioned(blank, "左侧M6", "left M6")
    assert np.array_equal(without, caption.captioned(blank, "(left M6)", ""))
    assert not without[:440].any() and without[446:].max() > 200
