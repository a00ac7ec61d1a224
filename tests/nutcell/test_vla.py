"""The learned worker: its policy reads orders, acts on them, sees nothing that it should not, and fails in one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt.cli import main
from takt.contract.events import SHIFT_STARTED
from takt.contract.station import TaktError
from takt.shift import run_shift
from takt.stations.nutcell import NutCell, demos, orders, scene
from takt.stations.nutcell.vla import features, rollouts, teacher, worker
from takt.stations.nutcell.vla.chunks import actions_of, flat, roll_forward
from takt.stations.nutcell.vla.worker import MODEL, Network, Vla

EVALUATED = (51, 52, 53, 54, 55)  # the seeds of docs/learned.md


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


@pytest.fixture(scope="module")
def cell() -> Iterator[Any]:
    try:
        made = NutCell(line="mixed", cameras=features.CAMERAS, camera_hz=2.5)
    except TaktError as error:
        pytest.skip(str(error))
    yield made
    made.close()


@pytest.fixture
def seen(cell: Any) -> Any:
    return cell.reset(seed=31)[0]


def begun(cell: Any, **options: Any) -> Vla:
    vla = Vla(**options)
    vla.begin(cell.spec, 0)
    return vla


# --- what the network is given ---------------------------------------------------------------------------------------


def test_a_hand_and_its_mirror_image_look_alike(seen: Any) -> None:
    body = features.body_of(features.Kinematics(), seen, seen["observation.setpoint"], np.ones(2), 4)
    joints = body[:, : features.TOUCH_FROM]
    assert body.shape == (2, features.BODY)
    assert np.allclose(joints[0], joints[1], atol=0.15)  # both rest; what differs is noise

    pads = np.arange(96.0).reshape(2, 3, 4, 4)
    assert np.array_equal(features.touch_of(features.touch_of(pads, 1), 1), pads)


def test_a_plan_brings_the_set_points_to_its_knots(seen: Any) -> None:
    start = seen["observation.setpoint"].astype(float)
    goal = flat(start)[:, None] + np.array([[[0.01, 0.0, -0.01, 0.1], [0.02, 0.01, -0.03, 0.2]]] * 2)
    actions = actions_of(start, goal, np.zeros(2))
    assert actions.shape == (teacher.PERIODS, 15) and (actions[:, [6, 13]] == 0).all()
    assert np.allclose(flat(roll_forward(start, actions)), goal[:, -1], atol=1e-5)


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_orders_in_phrasings_held_out_of_training_are_read(network: Any, seen: Any, language: Any) -> None:
    body = features.body_of(features.Kinematics(), seen, seen["observation.setpoint"], np.ones(2), 4)
    pictures = features.pictures_of(seen)
    right = []
    for unit in range(60):
        order = orders.order(77, unit, language, "held_out")
        _, _, chances = network(*pictures, body, features.text_of(order.text))
        right += list(chances.argmax(axis=1) == order.parts)
    assert np.mean(right) > 0.75  # of guessing, 0.5


@pytest.mark.parametrize(
    ("plain", "flanged"),
    [("left M6, right M6", "left M8, right M8"), ("左右两个都是M6", "左右两个都是M8")],
)
def test_the_hands_go_where_the_words_say(cell: Any, seen: Any, plain: Any, flanged: Any) -> None:
    """The lanes of the two nuts are 0.1 m apart, the flanged one's outside."""
    out = []
    for text in (plain, flanged):
        plan = begun(cell).act(seen | {"order": text})
        after = flat(roll_forward(seen["observation.setpoint"], np.array(plan.actions)))
        out.append(after[:, 1])
    assert (out[1] - out[0] > 0.01).all()


# --- acting ----------------------------------------------------------------------------------------------------------


def test_it_works_without_privileged_state_and_twice_the_same() -> None:
    shifts = [run_shift("nutcell", "vla", seed=31, hours=4 / 3600, clock="fixed:0.08") for _ in range(2)]
    (started,) = [event for event in shifts[0].events if event.kind == SHIFT_STARTED]
    assert started.data["privileged"] is False
    assert shifts[0].digest == shifts[1].digest and not shifts[0].broken


def test_it_goes_on_from_what_it_saved(cell: Any, seen: Any) -> None:
    one = begun(cell)
    one.act(seen)
    other = begun(cell)
    other.load(one.save())
    assert np.array_equal(one.act(seen).actions, other.act(seen).actions)


def test_a_shift_says_which_policy_worked_it_and_goes_on_with_no_other(cell: Any, seen: Any, tmp_path: Path) -> None:
    vla = begun(cell)
    assert vla.records() == [{"policy": sha256(MODEL.read_bytes()).hexdigest()}] and vla.records() == []
    vla.act(seen)
    another = tmp_path / "another.onnx"
    another.write_bytes(MODEL.read_bytes() + b"\x32\x07another")  # ModelProto.doc_string, in protobuf's wire format
    other = begun(cell, model=str(another))
    with pytest.raises(TaktError, match=r"worked by another policy .* than .*another\.onnx"):
        other.load(vla.save())


def test_thinking_longer_moves_the_next_call(cell: Any, seen: Any) -> None:
    vla = begun(cell)
    vla.act(seen)
    late = seen | {"observation.takt_left": seen["observation.takt_left"] - np.float32(0.52)}
    plan = vla.act(late)  # it was asked for after 16 periods, and asked after 26
    assert vla.late == 10
    assert (26 + vla.late + plan.ask_after) % worker.CALL_EVERY == 0


def test_what_is_not_a_number_is_counted_and_the_arms_hold(cell: Any, seen: Any) -> None:
    vla = begun(cell)
    vla.records()
    vla.network = lambda *given: (np.full((2, teacher.KNOTS, 4), np.nan), np.full(2, np.nan), np.full((2, 2), np.nan))  # type: ignore[assignment]
    fault = {"kind": "fault", "name": "not_a_number", "origin": "worker", "stops": True}
    for record in ({"count": 1, "faults": [fault]}, {"count": 2}):  # it strikes once, and goes on
        plan = vla.act(seen)
        moves = np.delete(np.array(plan.actions), [6, 13], axis=1)
        assert not moves.any() and (np.array(plan.actions)[:, [6, 13]] == 1).all()
        assert vla.records() == [record]


def test_a_grip_opens_when_told_to_twice(cell: Any, seen: Any) -> None:
    vla = begun(cell)
    answers = iter([0.1, 0.9, 0.1, 0.9, 0.9])
    vla.network = lambda *given: (np.zeros((2, teacher.KNOTS, 4)), np.full(2, next(answers)), np.full((2, 2), 0.5))  # type: ignore[assignment]
    assert [int(vla.act(seen).actions[-1][6]) for _ in range(5)] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("without", worker.WITHOUT)
def test_it_can_be_asked_to_do_without(cell: Any, seen: Any, without: Any) -> None:
    assert len(begun(cell, without=without).act(seen).actions) == teacher.PERIODS


# --- what is wrong is said in one line -------------------------------------------------------------------------------


def test_a_corrupt_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(MODEL.read_bytes()[:1000])
    out = str(tmp_path / "shift.takt")
    assert main(["run", "nutcell", "--worker", "vla", "--units", "1", "-w", f"model={broken}", "--out", out]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "broken.onnx is no policy that ONNX Runtime can read" in line


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(TaktError, match=r"no policy at nowhere\.onnx"):
        Vla(model="nowhere.onnx")


def test_a_model_of_another_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(worker.SHAPES, "body", (2, 3))
    with pytest.raises(TaktError, match=r"takes body of shape .*; this worker gives \(2, 3\)"):
        Network()


def test_a_station_that_it_cannot_work() -> None:
    vla = Vla()
    spec = NutCell(line="single").spec
    with pytest.raises(TaktError, match="line=mixed"):
        vla.begin(spec, 0)
    with pytest.raises(TaktError, match="without 'eyes'"):
        Vla(without="eyes")


# --- training --------------------------------------------------------------------------------------------------------


def test_seeds_of_training_and_of_evaluation_never_meet(tmp_path: Path) -> None:
    assert max(EVALUATED) < demos.FIRST_SEED < rollouts.FIRST_SEED
    with pytest.raises(ValueError, match="for evaluation"):
        rollouts.roll_out(tmp_path / "x.npz", EVALUATED[0], 1, None, 0.0)


def test_the_teacher_has_no_memory_and_knows_no_teeth() -> None:
    cell = NutCell(line="mixed", privileged=True)
    seen, _ = cell.reset(seed=32)
    start = flat(seen["observation.setpoint"])
    first = teacher.lessons(seen, start, np.ones(2), 0.08)
    known = seen["observation.privileged"]
    pins = known["pins"] + [0, 0, 0, 0.3]
    blind = seen | {"observation.privileged": known | {"splines": known["splines"] + 0.4, "pins": pins}}
    for lesson, other in zip(first, teacher.lessons(blind, start, np.ones(2), 0.08), strict=True):
        assert np.array_equal(lesson.knots, other.knots) and lesson.grip == other.grip


def one_side(nuts: Any, state: Any, tool: Any, start: Any, grip: Any, opening: Any = 0.04) -> Any:
    """A left hand, 20 s into the unit, that is to seat an M6; of both sides' nuts, the first are these M6."""
    places = np.zeros((2 * len(teacher.MIXED.of_nuts("height_m")), 3))
    places[: len(nuts)] = nuts
    return teacher.Side(
        tool=np.array(tool),
        start=np.array(start),
        grip=grip,
        opening=opening,
        pressed=grip < 0.5,
        nuts=places,
        nut_yaw=np.zeros(len(places)),
        state=np.array(state + [0] * (len(places) - len(nuts))),
        variant=np.zeros(len(places), int),
        wanted=0,
        pin=np.array([*teacher.PIN, scene.SEAT_Z]),
        unit_s=20.0,
    )


def test_the_teacher_lets_a_seated_nut_go_only_when_it_is_driven_home() -> None:
    away = scene.SEAT_Z + teacher.GRASP_UP[0]
    nuts, tool = [[*teacher.PIN, scene.SEAT_Z]], [*teacher.PIN, away - 0.0005, 0.0]
    for set_point, phase in ((away - 0.001, "press"), (away - 0.0035, "open")):
        start = [*teacher.PIN, set_point, 0.0]
        lesson = teacher.lesson(one_side(nuts, [2], tool, start, 0.0, opening=0.019))
        assert teacher.PHASES[lesson.phase] == phase and lesson.grip == (phase == "open")
        if phase == "press":  # and the next plan drives it there
            assert lesson.knots[-1, 2] < away - teacher.DRIVEN


def test_the_teacher_takes_the_nut_in_the_lane_not_one_dropped_beside_it() -> None:
    lane = teacher.MIXED.lane_pos[0, 0]
    nuts = [lane + [0.015, 0.004, 0.0], lane + [0.001, 0.0, 0.0]]
    over = [*nuts[0][:2], lane[2] + 0.06, 0.0]  # the hand is over the wrong one
    lesson = teacher.lesson(one_side(nuts, [1, 1], over, over, 1.0))
    assert np.allclose(lesson.target, nuts[1] - over[:3])


SMALL = """
import sys
from dataclasses import replace
from pathlib import Path
from takt.contract.station import TaktError
from takt.stations.nutcell.vla.train import Recipe, train
from takt.stations.nutcell.vla.worker import Network

if __name__ == "__main__":
    folder, said = Path(sys.argv[1]), []
    recipe = Recipe(
        demo_units=1,
        demo_shard_units=1,
        clone_steps=6,
        rounds=1,
        round_units=1,
        shard_units=1,
        last_steps=6,
        reader_steps=3,
        batch=32,
    )
    made = train(folder, recipe=recipe, processes=1, say=lambda *told: said.append(told[0]))
    assert {"demos", "clone", "dagger", "export"} == set(said), said
    assert Network(made).about["recipe"]["clone_steps"] == 6
    assert (folder / "curve.png").exists()
    before = made.read_bytes()
    train(folder, ("demos", "clone", "dagger"), recipe=recipe, processes=1)  # all of it is there
    assert made.read_bytes() == before
    try:
        train(folder, recipe=replace(recipe, seed=1), processes=1)
    except TaktError as error:
        print(error)
"""


def test_a_small_training_from_nothing(tmp_path: Path, cell: Any) -> None:
    """In a process of its own, as PyTorch and a software OpenGL in one process do not get on everywhere."""
    if find_spec("torch") is None or find_spec("onnx") is None:
        pytest.skip("needs the extra `train`")
    script = tmp_path / "small.py"
    script.write_text(SMALL)
    done = subprocess.run([sys.executable, script, tmp_path / "run"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "was begun with another recipe or seed" in done.stdout
