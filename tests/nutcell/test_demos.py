"""Demonstrations: what is in a shard, that pushes are not taught, that a cut recording goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import run

from takt import TaktError, open_station
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.stations.nutcell import NutCell, demos, scene
from takt.stations.nutcell.expert import Expert
from takt.stations.nutcell.orders import order


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    try:
        open_station("nutcell", cameras=["head"]).close()
    except TaktError as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("demos") / "00000.npz"
    demos.record_shard(path, 1_000_000, "plant", "both", units=2)
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_a_shard_holds_what_a_policy_sees_and_what_the_expert_did(shard: dict[str, np.ndarray]) -> None:
    rows = len(shard["action"])
    station: NutCell = open_station("nutcell", line="mixed")  # type: ignore[assignment]
    for key, space in station.observation_space.spaces.items():
        if key != "order":
            assert shard[key].shape == (rows, *space.shape)
    assert shard["order"].tolist() == [order(1_000_000, unit).text for unit in range(2)] and shard["good"].all()
    assert not any("privileged" in key for key in shard)
    pictures = shard["observation.images.head"]
    assert pictures.dtype == np.uint8 and pictures.shape[1:] == (96, 96, 3)
    assert shard["picture"].max() == len(pictures) - 1 and (np.diff(shard["picture"]) >= 0).all()
    assert 4 < rows / len(pictures) < 5.5, "a picture for every five control periods"
    assert 10 < rows * 0.02 < 40, "the waits are left out"
    low, high = station.action_space.low, station.action_space.high
    assert (shard["action"] >= low - 1e-6).all() and (shard["action"] <= high + 1e-6).all()


def test_what_it_did_when_it_was_pushed_is_not_taught(shard: dict[str, np.ndarray]) -> None:
    pushed = ~shard["labelled"]
    assert 0 < pushed.mean() < 0.3 and not pushed[-1]


def test_chunks_end_with_their_segment() -> None:
    rows = demos.chunk_rows(np.array([0, 0, 0, 1, 1]), 3)
    assert rows.tolist() == [[0, 1, 2], [1, 2, 2], [2, 2, 2], [3, 4, 4], [4, 4, 4]]


def test_a_recording_goes_on_where_it_was_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "00000.npz").write_bytes(b"there")
    (tmp_path / "00001.99.part").write_bytes(b"half a shard")
    done: list[Path] = []

    class Here:
        """A pool that works in this process, and writes no more than the names."""

        def __init__(self, *_: Any, **__: Any) -> None: ...
        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None: ...
        def submit(self, work: Any, path: Path, seed: int, *_: Any) -> Any:
            assert work is demos.record_shard and seed == demos.FIRST_SEED + int(path.stem)
            done.append(path)
            return type("Job", (), {"result": lambda self: None})()

    monkeypatch.setattr(demos, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(demos, "as_completed", list)
    told: list[tuple[int, int]] = []
    paths = demos.record(tmp_path, 25, on_units=lambda *given: told.append(given))
    assert [path.name for path in paths] == ["00000.npz", "00001.npz", "00002.npz"]
    assert done == paths[1:] and told == [(10, 30), (20, 30), (30, 30)]


@pytest.mark.parametrize("after_s", [1.5, 3.5, 4.9])
def test_the_expert_takes_over_from_another_worker(after_s: float) -> None:
    """Both hands wander for a while: empty, with a nut in the air, with a nut on the pin. The unit comes out good."""
    station: NutCell = open_station("nutcell", line="mixed", privileged=True)  # type: ignore[assignment]
    seen, _ = station.reset(seed=12)
    worker = Expert()
    worker.begin(station.spec, 0)
    while station.now < after_s:
        for action in worker.act(seen).actions[: round((after_s - station.now) / 0.02)]:
            seen = station.step(action)[0]
    wander = station.hold
    wander[[1, 2, 8]] = [0.001, 0.001, -0.001]
    for _ in range(20):
        seen = station.step(wander)[0]
    other = Expert()
    other.begin(station.spec, 0)
    other.take_over(seen)
    while station.now < 40.0:
        for action in other.act(seen).actions:
            seen = station.step(action)[0]
    assert all(arm.finished for arm in other.arms)
    ended = [event for event in run(station, 40.0) if event.kind in (UNIT_GOOD, UNIT_BAD)]
    assert ended[0].kind == UNIT_GOOD, ended[0].data
    assert set(ended[0].data["parts"]) == set(scene.SIDES)
