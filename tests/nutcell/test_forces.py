"""What hands push and grip with: every physics step counts, a squeeze is no push, and limits are judged apart."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np
import pytest
from bench import grip, move_to, on_pin, put, run, take_from_feeder, to_end_of_unit

from takt import open_station
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.stations.nutcell import NutCell, scene
from takt.stations.nutcell.inspection import GRIP_LIMIT_N, PUSH_LIMIT_N


class Watched:
    """Looks at each physics step contact by contact, by MuJoCo's own `mj_contactForce`, and keeps what it saw."""

    def __init__(self, cell: NutCell) -> None:
        self.cell, self.pushes, self.grips = cell, list[float](), list[float]()
        self._add, cell.inspection.forces.add = cell.inspection.forces.add, self.add  # type: ignore[method-assign]

    def add(self, data: mujoco.MjData) -> None:
        self._add(data)
        model = self.cell.model
        name = [model.body(model.geom_bodyid[g]).name for g in range(model.ngeom)]
        root = [model.body(model.body_rootid[model.geom_bodyid[g]]).name for g in range(model.ngeom)]
        direct, net, pads = {"left": 0.0, "right": 0.0}, {"left": np.zeros(3), "right": np.zeros(3)}, {}
        for i in range(data.ncon):
            contact, six = data.contact[i], np.zeros(6)
            mujoco.mj_contactForce(model, data, i, six)
            for mine, sign in ((0, 1.0), (1, -1.0)):
                own, other = int(contact.geom[mine]), int(contact.geom[1 - mine])
                side = name[own].split("_")[0]
                if (
                    root[own] != "torso"
                    or side not in direct
                    or (root[other] == "torso" and name[other][:4] == side[:4])
                ):
                    continue
                if "_nut" in name[other]:
                    net[side] += sign * six[:3] @ np.array(contact.frame).reshape(3, 3)
                    pads[name[own]] = pads.get(name[own], 0.0) + six[0]
                else:
                    direct[side] += six[0]
        self.pushes.append(max(direct[side] + float(np.linalg.norm(net[side])) for side in direct))
        pairs = [[pads.get(f"{side}_finger_{f}", 0.0) for f in "ab"] for side in direct]
        self.grips.append(max(min(pair) for pair in pairs))


@pytest.fixture(scope="module")
def station() -> NutCell:
    return open_station("nutcell", difficulty="plant")  # type: ignore[return-value]


@pytest.fixture
def cell(station: NutCell) -> Iterator[NutCell]:
    station.reset(seed=3)
    run(station, 2.2)
    yield station
    vars(station.inspection.forces).pop("add", None)


def test_a_nut_that_is_held_is_a_grip_and_no_push(cell: NutCell) -> None:
    take_from_feeder(cell, 0)
    cell.inspection.push = cell.inspection.grip = 0.0
    run(cell, 0.5)
    servos = -cell.data.actuator_force[cell.world.scene.finger_ctrl[0]]
    assert cell.inspection.grip == pytest.approx(float(servos.min()), rel=0.1), "what the fingers' motors give"
    assert cell.inspection.push < 1.0, "the nut weighs 0.2 N"


def test_every_physics_step_counts_and_what_is_counted_is_mujocos_own_contact_force(cell: NutCell) -> None:
    watched = Watched(cell)
    take_from_feeder(cell, 0)
    x, y, _ = cell.hands.pos[0]
    move_to(cell, 0, [x, y, scene.TABLE_Z + 0.02], 0.25)  # with the nut, hard onto the table
    assert cell.inspection.push == pytest.approx(max(watched.pushes), rel=1e-9)
    assert cell.inspection.grip == pytest.approx(max(watched.grips), rel=1e-9)
    assert cell.inspection.push > 20 and len(watched.pushes) > 100


def test_a_blow_between_two_control_periods_is_counted(cell: NutCell) -> None:
    """One physics step of a control period, and not its last, has the blow: it used to be looked at one step in ten."""
    put(cell, 0, 2, on_pin(cell, 0))
    put(cell, 1, 2, on_pin(cell, 1))
    number, add = [0], cell.inspection.forces.add

    def struck(data: mujoco.MjData) -> None:
        add(data)
        number[0] += 1
        if number[0] == 4:  # what these contacts would be if the hand were struck in this step
            geom, address, _, forces = cell.inspection.forces._steps[-1]
            mine = np.flatnonzero(cell.inspection.forces._hand == 0)[0]
            geom[0] = [mine, -1]
            address[0] = 0
            forces[0] = PUSH_LIMIT_N + 40.0

    cell.inspection.forces.add = struck  # type: ignore[method-assign]
    cell.step(cell.hold)
    assert number[0] >= 4 and cell.inspection.push >= PUSH_LIMIT_N + 40.0
    event = to_end_of_unit(cell)
    assert event.kind == UNIT_BAD and "collision" in event.data["reasons"]


def test_a_squeeze_above_the_grippers_range_is_a_unit_of_its_own_kind(cell: NutCell) -> None:
    cell.inspection.grip = GRIP_LIMIT_N + 1.0
    event = to_end_of_unit(cell)
    assert event.data["reasons"][0] == "crushed" and event.data["peak_grip_n"] == GRIP_LIMIT_N + 1.0
    assert "collision" not in event.data["reasons"]


def test_a_ledger_of_rules_1_is_judged_as_it_was() -> None:
    cell: NutCell = open_station("nutcell", difficulty="plant")  # type: ignore[assignment]
    cell.reset(seed=3, options={"rules": 1})
    run(cell, 2.2)
    take_from_feeder(cell, 0)
    grip(cell, 0, 1.0)
    state = cell.save()
    event = to_end_of_unit(cell)
    assert event.data["peak_force_n"] > 20, "two pads on a nut, added"
    assert "peak_push_n" not in event.data and event.kind in (UNIT_GOOD, UNIT_BAD)
    cell.load(state)
    assert to_end_of_unit(cell) == event
