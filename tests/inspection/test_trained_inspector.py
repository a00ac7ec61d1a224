"""The trained inspector: what it looks at, when it has seen enough, and that its file is what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import TaktError, resume_shift, run_shift
from takt.cli import main
from takt.contract.events import UNIT_ENDED
from takt.stations.inspection.account import JUDGED, LOOKED, account_of
from takt.stations.inspection.net.looks import ANSWERS, CLOSE, CROP, MOST, cut_out, view_of
from takt.stations.inspection.net.worker import MODEL, Trained, log_odds_bad

SEED = 20_261_201


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("trained") / "a.takt"
    return run_shift(
        "inspection", "trained", units=24, seed=SEED, station_options={"bad_share": 0.5}, ledger=path, clock="fixed:0.1"
    )


def test_it_tells_good_from_bad(shift: Any) -> None:
    """24 fixtures of which half of the 48 pins are bad. At the rates of the docs, three wrong pins have a chance of
    less than 1 %."""
    assert shift.ended == "units" and not shift.broken
    wrong = [event.data["reasons"] for event in shift.events if event.kind in UNIT_ENDED and event.data.get("reasons")]
    assert len(wrong) <= 2, wrong
    assert account_of(shift.events).values["escapes"] <= 0.1


def test_it_looks_closely_at_both_sides_and_no_more_than_it_may(shift: Any) -> None:
    looks: dict[int, list[str]] = {}
    for event in shift.events:
        if event.kind == LOOKED:
            looks.setdefault(event.unit, []).append(event.data["where"])
    for unit, made in looks.items():
        assert made[: 1 + len(CLOSE)] == ["left", *CLOSE] and made.count("right") == 1, (unit, made)
        assert max(made.index("right"), len(made) - made.index("right")) <= MOST
    judged = {event.unit for event in shift.events if event.kind == JUDGED}
    assert judged == set(looks) and not any(
        "late" in event.data.get("reasons", ()) for event in shift.events if event.kind in UNIT_ENDED
    )


def test_its_file_is_in_the_ledger_and_another_one_does_not_go_on(shift: Any, tmp_path: Path) -> None:
    told = [event.data["model"] for event in shift.events if event.kind == "said" and "model" in event.data]
    assert told == [Trained().network.sha256] and MODEL.stat().st_size < 5 * 2**20
    worker = Trained()
    worker.begin(_spec(), 0)
    state = json.loads(worker.save())
    with pytest.raises(TaktError, match="worked by another inspector"):
        worker.load(json.dumps([*state[:-1], "0" * 64]).encode())


def test_a_killed_shift_goes_on_to_the_same_digest(shift: Any, tmp_path: Path) -> None:
    class Stops(Trained):
        calls = 0

        def act(self, observation: Any) -> Any:
            self.calls += 1
            if self.calls == 70:
                raise KeyboardInterrupt
            return super().act(observation)

    given: dict[str, Any] = {"units": 24, "seed": SEED, "station_options": {"bad_share": 0.5}, "clock": "fixed:0.1"}
    with pytest.raises(KeyboardInterrupt):
        run_shift("inspection", Stops(), ledger=tmp_path / "b.takt", worker_name="trained", **given)
    assert resume_shift(tmp_path / "b.takt").digest == shift.digest


def test_a_dark_camera_is_no_evidence() -> None:
    worker = Trained()
    worker.begin(_spec(), 0)
    dark = {"waiting": 1, "unit": 0, "left_s": 70.0, "observation.images.eyes": np.zeros((224, 224, 3), np.uint8)}
    for _ in range(6):
        worker.act(dark)
    assert log_odds_bad(worker._mean("left")) == log_odds_bad(np.zeros(ANSWERS)) and worker._seen["left"] == 0


def test_another_size_of_picture_is_cut_out_alike() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (14, 14, 3), dtype=np.uint8)
    large = np.kron(small, np.ones((16, 16, 1), np.uint8))
    double = np.kron(small, np.ones((32, 32, 1), np.uint8))
    assert cut_out(large).shape == (CROP, CROP, 3)
    assert np.abs(cut_out(large).astype(int) - cut_out(double)).mean() < 12
    assert [view_of("left", n).nearer for n in (1, 2, 3, 4)] == [0, 1, 2, 2] and view_of("left", 5).aside == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-w", "model=nowhere.onnx"], "no inspector at nowhere.onnx: give another, -w model=FILE, or make one"),
        (["-w", "looks=1"], "looks is 1; it must be a whole number from 3 to 20"),
        (["-w", "clear_by=0"], "clear_by is 0; it must be a number from 0.01 to 1,000"),
    ],
)
def test_what_cannot_be_is_one_line(options: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "inspection", "--worker", "trained", "--units", "1", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_what_is_learnt_tells_them_apart_and_its_file_opens(tmp_path: Path) -> None:
    """On made-up looks, of which a bright square in the middle says that all is well."""
    pytest.importorskip("torch", reason="the extra `train`")
    pytest.importorskip("onnx", reason="the extra `train`")
    from takt.stations.inspection.net.learn import Recipe, export, learn, threshold
    from takt.stations.inspection.net.learn import _answers as answers
    from takt.stations.inspection.net.lessons import Lessons
    from takt.stations.inspection.net.looks import TAUGHT, VIEW

    def made(pins: int, seed: int) -> Lessons:
        rng = np.random.default_rng(seed)
        answer = np.repeat(rng.integers(2, size=pins), TAUGHT)
        picture = rng.integers(0, 60, (len(answer), CROP, CROP, 3), dtype=np.uint8)
        picture[answer == 0, 48:80, 48:80] += 150
        return Lessons(picture, np.zeros((len(answer), VIEW), np.float32), answer)

    recipe, held = Recipe(epochs=2, batch=16), made(20, 1)
    network = learn(tmp_path / "kept.pt", made(30, 0), held, recipe, lambda *_: None)
    bad_above, figures = threshold(answers(network, held), held.answer)
    assert figures == {"escapes": 0.0, "false_alarms": pytest.approx(0.0, abs=0.15)}
    export(network, tmp_path / "i.onnx", {"bad_above": bad_above})
    assert Trained(str(tmp_path / "i.onnx")).network.bad_above == bad_above


def test_a_training_goes_into_no_folder_that_is_anothers_or_was_begun_otherwise(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra `train`")
    from takt.stations.inspection.net import learn

    model = tmp_path / "model"
    model.mkdir()
    (model / "takt-train.note").touch()
    with pytest.raises(TaktError, match=r"cannot write into .*model: it is there already, and not made by this"):
        learn.train(model, learn.SMOKE, 1, lambda *_: pytest.fail("it has begun"))
    assert [file.name for file in model.iterdir()] == ["takt-train.note"]
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / learn.RECIPE).write_text(json.dumps(vars(learn.SMOKE), indent=1))
    with pytest.raises(TaktError, match=r"begun with fixtures 50 \(now 1200\), .*epochs 2 \(now 16\); give the same"):
        learn.train(tmp_path / "begun", learn.Recipe(), 1, lambda *_: pytest.fail("it has begun"))


def _spec() -> Any:
    from takt import open_station

    station = open_station("inspection")
    spec = station.spec
    station.close()
    return spec
