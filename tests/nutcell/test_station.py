"""The nut cell as a station: what it shows, what it lets a worker do, what it counts, what it remembers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from bench import grip, lined_up, move_to, on_pin, put, run, take_from_feeder, to_end_of_unit
from gymnasium.utils.env_checker import check_env

from takt import Event, Fault, TaktError, open_station, run_shift
from takt.contract.events import FAULT, FAULT_CLEARED, HELP_CALLED, UNIT_BAD, UNIT_DUE, UNIT_GOOD
from takt.stations.nutcell import NutCell, scene
from takt.stations.nutcell.inspection import PUSH_LIMIT_N
from takt.stations.nutcell.layout import FEEDER, TAKT_S


def opened(**options: Any) -> NutCell:
    return open_station("nutcell", **options)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def station() -> NutCell:
    return opened(difficulty="plant")


@pytest.fixture
def cell(station: NutCell) -> NutCell:
    """In unit 0 of seed 3, its fixture in place."""
    station.reset(seed=3)
    run(station, 2.2)
    return station


@pytest.mark.parametrize("control", ["ee", "joint"])
@pytest.mark.filterwarnings("ignore")
def test_it_is_a_gymnasium_environment(control: str) -> None:
    check_env(opened(control=control, privileged=True), skip_render_check=True)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"difficulty": "easy"}, "no difficulty 'easy'; choose from: nominal, plant, harsh"),
        ({"control": "mind"}, "no control 'mind'"),
        ({"cameras": ["tail"]}, "no camera 'tail'; choose from: head, left_wrist, right_wrist"),
        ({"camera_hz": 0}, "camera_hz is 0; it must be from 0.001 to 50"),
        ({"timestep_s": 0.003}, "timestep_s is 0.003; it must divide"),
        ({"arms": 3}, "station 'nutcell' has no option 'arms'"),
    ],
)
def test_a_wrong_option_is_one_line(options: dict[str, Any], line: str) -> None:
    with pytest.raises(TaktError, match=line):
        opened(**options)


def test_a_station_opened_with_its_own_options_is_the_same_one() -> None:
    spec = opened(difficulty="harsh", control="joint", privileged=True, camera_hz=25).spec
    assert opened(**spec.options).spec == spec


# --- what it shows ------------------------------------------------------------------------------------------------


def test_what_only_a_simulator_knows_is_shown_only_if_asked_for() -> None:
    seen, _ = opened().reset(seed=1)
    assert set(seen) == {f"observation.{key}" for key in ("state", "setpoint", "touch", "takt_left")}
    told, _ = opened(privileged=True).reset(seed=1)
    assert set(told) - set(seen) == {"observation.privileged"}
    for privileged in (False, True):
        shift = run_shift("nutcell", "idle", hours=1 / 3600, station_options={"privileged": privileged})
        assert shift.meta["options"]["privileged"] is privileged
        assert shift.events[0].data["privileged"] is privileged


def test_a_hand_feels_the_nut_between_its_pads(cell: NutCell) -> None:
    before = cell.step(cell.hold)[0]["observation.touch"]
    take_from_feeder(cell, 0)
    felt = cell.step(cell.hold)[0]["observation.touch"]
    assert felt.shape == (2, 2, 3, 4, 4)
    assert (felt[0, :, 0].sum(axis=(1, 2)) > 3).all(), "both pads of the left hand press"
    assert abs(felt[1]).max() < 1 and abs(before).max() < 1, "the right one feels noise"
    dead = cell.senses.dead[0, :, 0]
    assert (felt[0, :, 0][dead] == 0).all()


def test_a_nut_pressed_on_something_is_felt_along_the_pads(cell: NutCell) -> None:
    take_from_feeder(cell, 0)
    hangs = cell.step(cell.hold)[0]["observation.touch"][0, :, 2].sum()
    x, y, _ = cell.hands.pos[0]
    move_to(cell, 0, [x - 0.08, y, scene.TABLE_Z + 0.04], 0.15)
    move_to(cell, 0, [x - 0.08, y, scene.TABLE_Z + 0.006], 0.03)
    pressed = cell.step(cell.hold)[0]["observation.touch"][0, :, 2].sum()
    assert abs(hangs) < 1.5 and pressed > 4


def test_proprioception_is_position_velocity_effort(cell: NutCell) -> None:
    action = cell.hold
    action[1] = 0.004  # left hand to the left, 0.2 m/s
    for _ in range(25):
        state = cell.step(action)[0]["observation.state"]
    position, velocity, effort = state.reshape(3, 2, 8)
    assert np.allclose(position[:, :7], cell.data.qpos[cell.world.scene.arm_qpos], atol=2e-3)
    assert np.abs(velocity[0, :7]).max() > 0.1 > np.abs(velocity[1, :7]).max()
    limits = [scene.ARM[joint][2] for joint in scene.ARM_JOINTS]
    assert (np.abs(effort[:, :7]) <= np.array(limits) + 1e-6).all() and np.abs(effort[0, :7]).max() > 0.5


def test_sensors_differ_from_unit_to_unit_and_not_from_run_to_run() -> None:
    cell = opened(difficulty="harsh")
    seen = []
    for _ in range(2):
        first, _ = cell.reset(seed=8)
        seen.append(first["observation.touch"])
        dead = cell.senses.dead.copy()
        to_end_of_unit(cell)
        run(cell, 2.2)
    assert np.array_equal(*seen)
    assert not np.array_equal(dead, cell.senses.dead)


# --- what a worker can do -----------------------------------------------------------------------------------------


def test_ee_actions_move_the_hand_by_metres_and_radians(cell: NutCell) -> None:
    start = cell.data.site_xpos[cell.world.scene.tool_site].copy()
    action = cell.hold
    action[:3] = [0.001, -0.002, 0.003]
    action[12] = 0.01  # right hand about its vertical
    for _ in range(20):
        cell.step(action)
    run(cell, 0.5)
    tools, turned = cell.data.site_xpos[cell.world.scene.tool_site], cell.data.site_xmat[cell.world.scene.tool_site[1]]
    assert np.allclose(tools[0] - start[0], [0.02, -0.04, 0.06], atol=0.003)
    assert np.allclose(tools[1], start[1], atol=0.002)
    assert np.arctan2(turned[3], turned[0]) == pytest.approx(0.2, abs=0.03)


def test_joint_actions_go_to_their_targets() -> None:
    cell = opened(control="joint")
    cell.reset(seed=1)
    action = cell.hold
    action[3] = -1.6  # left elbow
    action[7] = 0.2  # left grip
    for _ in range(75):
        cell.step(action)
    assert cell.data.qpos[cell.world.scene.arm_qpos[0, 3]] == pytest.approx(-1.6, abs=0.02)
    assert np.array_equal(cell.hold[:7], action[:7])


def test_a_set_point_out_of_reach_bends_nothing_and_comes_back(cell: NutCell) -> None:
    action = cell.hold
    action[:3] = [0.02, 0.02, 0.02]
    for _ in range(60):
        seen = cell.step(action)[0]
    assert np.isfinite(seen["observation.state"]).all()
    move_to(cell, 0, [0.36, 0.25, scene.TABLE_Z + 0.15])
    assert np.allclose(
        cell.data.site_xpos[cell.world.scene.tool_site[0]], [0.36, 0.25, scene.TABLE_Z + 0.15], atol=0.004
    )


def test_what_is_no_action_is_refused(cell: NutCell) -> None:
    for action in (np.zeros(3), np.full(15, np.nan)):
        with pytest.raises(ValueError, match="finite numbers"):
            cell.step(action)


# --- what it counts -----------------------------------------------------------------------------------------------


def seat(cell: NutCell, *sides: int) -> None:
    for side in sides:
        put(cell, side, 3, on_pin(cell, side, 0.0005), lined_up(cell, side))


def test_both_seated_is_a_good_unit(cell: NutCell) -> None:
    run(cell, 20.0 - cell.now)
    seat(cell, 0, 1)
    event = to_end_of_unit(cell)
    assert (event.kind, event.unit, event.t_s) == (UNIT_GOOD, 0, TAKT_S)
    assert event.data["cycle_s"] == pytest.approx(20.0, abs=0.3), "when both were home and the hands clear"
    for part in event.data["parts"].values():
        assert part["good"] and part["height_mm"] < 1 and part["tilt_deg"] < 1 and part["part"] == "M8"


def test_no_nut_at_all_is_missed(cell: NutCell) -> None:
    seat(cell, 0)
    event = to_end_of_unit(cell)
    assert event.kind == UNIT_BAD and event.data["reasons"] == ["missed"] and event.data["cycle_s"] is None
    assert [event.data["parts"][side]["good"] for side in scene.SIDES] == [True, False]


def test_a_nut_on_the_ribs_is_not_seated(cell: NutCell) -> None:
    seat(cell, 0)
    put(cell, 1, 3, on_pin(cell, 1, 0.0245), lined_up(cell, 1) + np.radians(25))
    event = to_end_of_unit(cell)
    assert event.data["reasons"] == ["not_seated"]
    assert event.data["parts"]["right"]["height_mm"] == pytest.approx(24, abs=1)


def test_a_nut_half_way_down_is_jammed(cell: NutCell) -> None:
    seat(cell, 0)
    put(cell, 1, 3, on_pin(cell, 1, 0.012), lined_up(cell, 1))
    cell.nuts.sleep(1, 3, True)  # as if held by burr or dirt
    event = to_end_of_unit(cell)
    assert event.data["reasons"] == ["jammed"]


def test_a_nut_that_fell_is_dropped(cell: NutCell) -> None:
    seat(cell, 1)
    take_from_feeder(cell, 0)
    grip(cell, 0, 1.0)
    assert to_end_of_unit(cell).data["reasons"] == ["dropped"]


def test_a_nut_still_in_the_hand_is_late_and_a_hand_in_the_way_too(cell: NutCell) -> None:
    seat(cell, 1)
    take_from_feeder(cell, 0)
    assert to_end_of_unit(cell).data["reasons"] == ["late"]
    cell.reset(seed=3)
    run(cell, 2.2)
    seat(cell, 0, 1)
    move_to(cell, 0, cell.fixture.seat[0] + [0, 0, 0.040])
    assert to_end_of_unit(cell).data["reasons"] == ["late"]


def test_a_hard_push_is_a_collision(cell: NutCell) -> None:
    seat(cell, 0, 1)
    x, y, _ = cell.hands.pos[0]
    move_to(cell, 0, [x, y, scene.TABLE_Z - 0.01], 0.2)
    move_to(cell, 0, [x, y, scene.TABLE_Z + 0.2], 0.2)
    event = to_end_of_unit(cell)
    assert event.data["reasons"] == ["collision"] and event.data["peak_push_n"] > PUSH_LIMIT_N


def test_help_loses_the_unit_and_clears_the_table(cell: NutCell) -> None:
    put(cell, 0, 3, [0.44, 0.0, scene.TABLE_Z + 0.001])
    action = cell.hold
    action[-1] = 1.0
    happened = cell.step(action)[4]["events"] + cell.step(action)[4]["events"]
    assert [event.kind for event in happened] == [HELP_CALLED], "once a unit"
    assert to_end_of_unit(cell).data["reasons"][0] == "help"
    run(cell, 2.5)
    assert cell.nuts.state[0, 3] != 2
    assert [event.kind for event in run(cell, 1.0)] == [], "the next unit is as ever"


def test_a_nut_that_was_swept_is_in_the_ledger(cell: NutCell) -> None:
    """All four of a side lie about: the oldest one is taken away, so that the feeder can go on."""
    for k in range(4):
        put(cell, 0, k, [0.30, 0.38 - 0.03 * k, scene.TABLE_Z + 0.001])
        cell.nuts.since[0, k] = k
    cell.feeders.feed_at[0] = cell.now
    happened = run(cell, 0.5)
    assert [(event.kind, event.data["side"]) for event in happened] == [("nut_swept", "left")]
    assert cell.nuts.state[0, 0] == FEEDER


# --- units and faults ---------------------------------------------------------------------------------------------


def test_two_workers_meet_the_same_units(cell: NutCell) -> None:
    """One that does nothing, and one that takes nuts and drops them: pins and feeders of unit 1 are the same."""

    def unit_1() -> list[Any]:
        to_end_of_unit(cell)
        run(cell, 2.2)
        on_feeder = [cell.nuts.presented[side][cell.nuts.state[side] == FEEDER] for side in range(2)]
        return [
            cell.fixture.pins[0].yaw_rad,
            cell.fixture.pins[1].clearance_m,
            cell.fixture.seat.tolist(),
            np.array(on_feeder).tolist(),
        ]

    idle = unit_1()
    cell.reset(seed=3)
    run(cell, 2.2)
    take_from_feeder(cell, 0)
    move_to(cell, 0, [0.28, 0.30, scene.TABLE_Z + 0.06])  # beside the feeder: on it, it would keep the next nut away
    grip(cell, 0, 1.0)
    assert unit_1() == idle
    cell.reset(seed=4)
    assert unit_1() != idle


def test_a_jammed_feeder_brings_nothing_until_it_is_freed(station: NutCell) -> None:
    station.reset(seed=3, options={"faults": (Fault("feeder_jam", 70.0, 15.0),)})
    happened = run(station, 84.0)
    assert not (station.nuts.state == FEEDER).any()
    happened += run(station, 2.0)
    faults = [(event.t_s, event.kind) for event in happened if event.kind in (FAULT, FAULT_CLEARED)]
    assert faults == [(70.0, FAULT), (85.0, FAULT_CLEARED)]
    assert ((station.nuts.state == FEEDER).sum(axis=1) == 1).all()


def test_pads_that_have_dropped_out_feel_nothing_at_all(station: NutCell) -> None:
    station.reset(seed=3, options={"faults": (Fault("touch_dropout", 1.0, 2.0),)})
    run(station, 1.5)
    assert not station.step(station.hold)[0]["observation.touch"].any()
    run(station, 2.0)
    assert station.step(station.hold)[0]["observation.touch"].any()


def test_units_fall_due_on_the_beat(station: NutCell) -> None:
    station.reset(seed=3)
    due = [event.t_s for event in run(station, 3 * TAKT_S + 1) if event.kind == UNIT_DUE]
    assert due == [TAKT_S, 2 * TAKT_S, 3 * TAKT_S]


# --- what it remembers --------------------------------------------------------------------------------------------


def test_a_snapshot_in_the_middle_of_a_grip_goes_on_to_the_last_bit(cell: NutCell) -> None:
    take_from_feeder(cell, 0)
    put(cell, 1, 3, on_pin(cell, 1, 0.030), 0.3)
    state = cell.save()

    def onwards(station: NutCell) -> tuple[list[np.ndarray], list[Event]]:
        seen, happened = [], []
        for step in range(300):
            action = station.hold
            action[:7] = [-0.0005, -0.001, 0.0, 0.0, 0.0, 0.002, float(step > 200)]
            observation, _, _, _, info = station.step(action)
            seen += [observation[key] for key in sorted(observation)]
            happened += info["events"]
        return seen, happened

    once, events = onwards(cell)
    other = opened(difficulty="plant")
    other.reset(seed=77)
    run(other, 5.0, lambda o: o.hold * 0 + 0.01)
    other.load(state)
    again, events_again = onwards(other)
    assert events == events_again and all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert np.array_equal(cell.nuts.pos(), other.nuts.pos())


# --- pictures -----------------------------------------------------------------------------------------------------


def without_gl(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MUJOCO_GL": "disable"}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)


def test_without_gl_everything_but_pictures_works() -> None:
    done = without_gl(
        "from takt import run_shift\n"
        "shift = run_shift('nutcell', 'idle', units=1)\n"
        "print(shift.events[-1].data['reason'])\n"
    )
    assert done.stdout.strip() == "units", done.stderr


def test_without_gl_pictures_are_one_line_that_names_the_packages() -> None:
    done = without_gl(
        "from takt import TaktError, open_station\n"
        "try:\n"
        "    open_station('nutcell', cameras=['head']).reset(seed=0)\n"
        "except TaktError as error:\n"
        "    print(error)\n"
    )
    assert "apt-get install libegl1 libgl1-mesa-dri" in done.stdout and done.stdout.count("\n") == 1, done.stderr


def with_pictures(**options: Any) -> NutCell:
    try:
        return opened(cameras=list(scene.CAMERAS), **options)
    except TaktError as error:
        pytest.skip(str(error))


def test_three_cameras_see_the_cell() -> None:
    cell = with_pictures(difficulty="plant", camera_hz=0.2)
    seen, _ = cell.reset(seed=3)
    for camera in scene.CAMERAS:
        image = seen[f"observation.images.{camera}"]
        assert image.shape == (96, 96, 3) and image.dtype == np.uint8 and 20 < image.mean() < 235 and image.std() > 15
    run(cell, 10.0)
    still = cell.step(cell.hold)[0]["observation.images.head"]
    run(cell, TAKT_S)
    later = cell.step(cell.hold)[0]["observation.images.head"]
    assert 1 < np.abs(later.astype(int) - still).mean() < 60, "another unit: other light, the camera a little moved"
    cell.close()


def test_a_touch_is_not_seen() -> None:
    """MuJoCo's touch plug-in draws red marks where it feels something; a camera must not see them."""
    cell = with_pictures(difficulty="nominal")
    cell.reset(seed=3)
    run(cell, 2.2)
    take_from_feeder(cell, 0)
    cell.eyes.photograph()
    image = cell.eyes.images["left_wrist"].astype(int)
    red = (image[..., 0] > 150) & (image[..., 1] < 60) & (image[..., 2] < 60)
    assert not red.any()
    cell.close()


def test_cameras_that_have_dropped_out_are_dark_and_come_back() -> None:
    cell = with_pictures()
    cell.reset(seed=3, options={"faults": (Fault("camera_dropout", 1.0, 1.0),)})
    run(cell, 1.5)
    assert not cell.step(cell.hold)[0]["observation.images.head"].any()
    run(cell, 1.0)
    assert cell.step(cell.hold)[0]["observation.images.head"].any()
    assert cell.render().shape == (480, 1280, 3)
    cell.close()
