"""The nut cell's physics: spline, magnet, feeders, what falls."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from bench import above_seat, grip, lined_up, on_pin, put, run, take_from_feeder

from takt import open_station
from takt.stations.nutcell import NutCell, magnet, scene
from takt.stations.nutcell.layout import FEEDER, LOOSE, TAKT_S


@pytest.fixture(scope="module")
def station() -> NutCell:
    return open_station("nutcell", difficulty="plant")  # type: ignore[return-value]


@pytest.fixture
def cell(station: NutCell) -> NutCell:
    """In unit 0 of seed 3, its fixture in place."""
    station.reset(seed=3)
    run(station, 2.2)
    return station


@pytest.fixture
def bare(cell: NutCell) -> NutCell:
    """The same without magnets: the spline by itself."""
    cell.fixture.magnet_n[:] = 0.0
    return cell


@pytest.mark.parametrize(("yaw_deg", "off_mm"), [(0, 0.0), (3, 0.0), (-3, 0.2), (0, 0.3)])
def test_a_nut_in_line_falls_home(bare: NutCell, yaw_deg: float, off_mm: float) -> None:
    for side in range(2):
        at = on_pin(bare, side, 0.0255) + [off_mm / 1000, 0, 0]
        put(bare, side, 3, at, lined_up(bare, side) + np.radians(yaw_deg))
    run(bare, 1.0)
    assert [above_seat(bare, side, 3) < 0.001 for side in range(2)] == [True, True]


@pytest.mark.parametrize("yaw_deg", [14, -14, 20, 30])
def test_a_nut_out_of_line_rests_on_the_ribs_until_it_is_turned(bare: NutCell, yaw_deg: float) -> None:
    for side in range(2):
        put(bare, side, 3, on_pin(bare, side, 0.026), lined_up(bare, side) + np.radians(yaw_deg))
    run(bare, 1.0)
    for side in range(2):
        assert above_seat(bare, side, 3) == pytest.approx(scene.RIB_TOP, abs=0.001)
        assert bare.nuts.asleep[side, 3], "at rest, it costs nothing"
        put(bare, side, 3, on_pin(bare, side, 0.026), lined_up(bare, side))
    run(bare, 1.0)
    assert [above_seat(bare, side, 3) < 0.001 for side in range(2)] == [True, True]


def test_the_spline_has_six_places(bare: NutCell) -> None:
    for sixth in range(6):
        put(bare, 0, 3, on_pin(bare, 0, 0.026), lined_up(bare, 0) + sixth * np.pi / 3)
        run(bare, 0.8)
        assert above_seat(bare, 0, 3) < 0.001


def test_the_yaw_of_the_teeth_is_not_that_of_the_hexagon(bare: NutCell) -> None:
    """The hexagon in line, the teeth half a pitch away: it does not fit. The other way round it does."""
    put(bare, 0, 3, on_pin(bare, 0, 0.026), lined_up(bare, 0))
    bare.nuts.cut(0, 3, np.pi / 6)
    run(bare, 0.8)
    assert above_seat(bare, 0, 3) > 0.020
    put(bare, 0, 3, on_pin(bare, 0, 0.026), lined_up(bare, 0) - np.pi / 6)
    bare.nuts.cut(0, 3, np.pi / 6)
    run(bare, 0.8)
    assert above_seat(bare, 0, 3) < 0.001


def test_a_seated_nut_does_not_turn(cell: NutCell) -> None:
    """Its teeth are stopped by the ribs: a torque that spins a free nut turns it by its play only."""
    put(cell, 0, 3, on_pin(cell, 0, 0.0), lined_up(cell, 0))
    body, address = cell.world.scene.nut_body[0, 3], cell.world.scene.nut_qpos[0, 3]

    def yaw() -> float:
        w, z = cell.data.qpos[address + 3], cell.data.qpos[address + 6]
        return float(2 * np.arctan2(z, w))

    before = yaw()
    real = cell.run_physics

    def twisted() -> None:
        cell.data.qfrc_applied[cell.world.scene.nut_dof[0, 3] + 5] = 0.02
        cell.nuts.sleep(0, 3, False)
        real()

    cell.run_physics = twisted  # type: ignore[method-assign]
    try:
        run(cell, 0.5)
    finally:
        cell.run_physics = real  # type: ignore[method-assign]
        cell.data.qfrc_applied[:] = 0
    assert body and np.degrees(abs(yaw() - before)) < 8


# --- magnet -------------------------------------------------------------------------------------------------------

SEAT, UPRIGHT = np.array([0.42, 0.12, 0.91]), np.eye(3)


def pull(x: float = 0.0, above_tip: float = 0.0, rotation: np.ndarray = UPRIGHT) -> tuple[np.ndarray, np.ndarray]:
    com = SEAT + [x, 0, scene.PIN_TOP + above_tip + scene.NUT_HEIGHT / 2]
    force, torque = magnet.pull(com[None], rotation[None], SEAT[None], np.array([8.0]))
    return force[0], torque[0]


def test_the_magnet_pulls_down_and_fades_within_about_a_centimetre() -> None:
    """A nut just off the pin's tip is pulled with about three times its weight, a centimetre higher with hardly any."""
    near, far = pull()[0], pull(above_tip=0.010)[0]
    assert -1.5 < near[2] < -0.4 and abs(near[0]) < 1e-9
    assert abs(far[2]) < 0.4 * abs(near[2])
    strongest = max(float(np.linalg.norm(pull(x, -z)[0])) for x in (0.0, 0.004, 0.008) for z in (0.0, 0.004, 0.008))
    assert 1.0 < strongest < 4.0, "a few newtons"
    assert np.linalg.norm(pull(x=0.045)[0]) < 0.1


def test_the_magnet_drags_and_tilts_a_nut_held_off_its_axis() -> None:
    force, torque = pull(x=0.004, above_tip=-0.006)
    assert force[0] > 0, "its near side is drawn to the pin, further off"
    assert abs(torque[1]) > 1e-5 and abs(torque[0]) < 1e-9 and abs(torque[2]) < 1e-9
    mirrored, other = pull(x=-0.004, above_tip=-0.006)
    assert mirrored[0] == pytest.approx(-force[0]) and other[1] == pytest.approx(-torque[1])


def test_the_pull_has_a_potential() -> None:
    """The work around any loop is nothing: the force is the gradient of something (no energy from a circling nut)."""

    def at(x: float, z: float) -> np.ndarray:
        return pull(x, z)[0][[0, 2]]

    corners = [(0.014, 0.004), (0.020, 0.004), (0.020, 0.010), (0.014, 0.010), (0.014, 0.004)]
    work = 0.0
    for (x0, z0), (x1, z1) in pairwise(corners):
        steps = np.linspace(0, 1, 2001)
        mid = (steps[1:] + steps[:-1]) / 2
        work += sum(at(x0 + s * (x1 - x0), z0 + s * (z1 - z0)) @ [(x1 - x0), (z1 - z0)] for s in mid) / 2000  # type: ignore[assignment]
    assert abs(work) < 1e-3 * np.linalg.norm(at(0.014, 0.004)) * 0.006


def test_a_nut_let_go_beside_the_pin_is_drawn_to_it(cell: NutCell) -> None:
    start = on_pin(cell, 0, scene.PIN_TOP + 0.001) + [0.006, 0, 0]
    put(cell, 0, 3, start, lined_up(cell, 0))
    run(cell, 1.0)
    assert np.linalg.norm(cell.nuts.pos()[0, 3, :2] - cell.fixture.seat[0, :2]) < 0.003


# --- feeders, what falls ------------------------------------------------------------------------------------------


def test_taking_a_nut_brings_the_next(cell: NutCell) -> None:
    k = take_from_feeder(cell, 0)
    run(cell, 1.5)
    assert cell.nuts.state[0, k] == LOOSE
    (new,) = np.flatnonzero(cell.nuts.state[0] == FEEDER)
    assert new != k and np.linalg.norm(cell.nuts.pos()[0, new] - scene.FEEDER_POS["left"]) < 0.006


def test_a_dropped_nut_stays_where_it_fell(cell: NutCell) -> None:
    k = take_from_feeder(cell, 0)
    grip(cell, 0, 1.0)
    run(cell, 1.0)
    fell = cell.nuts.pos()[0, k].copy()
    assert fell[2] < scene.TABLE_Z + 0.08
    run(cell, TAKT_S)  # over the change of the fixture
    assert np.linalg.norm(cell.nuts.pos()[0, k] - fell) < 0.002 and cell.nuts.state[0, k] == LOOSE


def test_a_nut_on_the_pin_leaves_with_its_fixture(cell: NutCell) -> None:
    for side in range(2):
        put(cell, side, 3, on_pin(cell, side, 0.0005), lined_up(cell, side))
    run(cell, TAKT_S + 0.5 - cell.now)
    out = cell.nuts.pos()[:, 3] - cell.fixture.seat
    assert np.allclose(out[:, :2], [[cell.fixture.x, 0]] * 2, atol=0.001) and cell.fixture.x > 0.05
    run(cell, 2.0)
    assert (cell.nuts.state[:, 3] == 0).all(), "gone, back in the hopper"
