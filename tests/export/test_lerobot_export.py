"""Shifts and demonstrations as LeRobotDataset v3.0: what is written is what happened, and lerobot itself reads it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import Plan, TaktError, run_shift
from takt.cli import main
from takt.export import export
from takt.export.lerobot import Dataset, Episode
from takt.ledger.trust import Named
from takt.stations.nutcell import NutCell, scene
from takt.stations.nutcell.export import COLUMNS, TASK, summed

pa = pytest.importorskip("pyarrow", reason="the extra `export` is not installed")
import pyarrow.parquet as pq  # noqa: E402

RNG = np.random.default_rng(7)
SIZE = 64


def gradient(n: int, channel: int) -> np.ndarray:
    """A picture that a film keeps well: a slope whose place says which frame it is."""
    ramp = np.add.outer(np.arange(SIZE), np.arange(SIZE)) + 4 * n
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[..., channel] = np.clip(ramp, 0, 255)
    return picture


@pytest.fixture
def demos(tmp_path: Path) -> Path:
    """A folder of one shard of two units: 40 and 30 periods of work, then 10 of waiting; a push in the first."""
    folder = tmp_path / "demos"
    folder.mkdir()
    parts = [(0, 0, 40), (0, 1, 10), (1, 2, 30), (1, 3, 10)]
    count = sum(length for *_, length in parts)
    shard: dict[str, Any] = {
        "observation.state": RNG.normal(size=(count, 48)).astype(np.float32),
        "observation.setpoint": RNG.normal(size=(count, 2, 7)).astype(np.float32),
        "observation.touch": RNG.normal(size=(count, 2, 2, 3, 4, 4)).astype(np.float16),
        "observation.takt_left": np.linspace(76, 60, count, dtype=np.float32)[:, None],
        "action": RNG.uniform(-0.02, 0.02, (count, 15)).astype(np.float32),
        "labelled": np.ones(count, bool),
        "unit": np.repeat([unit for unit, *_ in parts], [length for *_, length in parts]),
        "segment": np.repeat([segment for _, segment, _ in parts], [length for *_, length in parts]),
        "picture": np.arange(count) // 5,
        "order": np.array(["M6 left and right", "左侧M6，右侧M8法兰"]),
        "ordered": np.array([[0, 0], [0, 1]], np.int8),
        "good": np.array([True, False]),
        "seed": 1,
    }
    shard["labelled"][12:15] = False
    frames = count // 5
    for channel, camera in enumerate(scene.CAMERAS):
        shard[f"observation.images.{camera}"] = np.array([gradient(n, channel) for n in range(frames)])
    np.savez(folder / "00000.npz", **shard)
    return folder


def read(root: Path) -> tuple[dict[str, Any], dict[str, Any], Any, Any]:
    info = json.loads((root / "meta/info.json").read_text())
    stats = json.loads((root / "meta/stats.json").read_text())
    rows = pq.read_table(root / "data/chunk-000/file-000.parquet").to_pydict()
    episodes = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    return info, stats, rows, episodes


def frames_of(path: Path) -> list[np.ndarray]:
    import av

    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_demonstrations_come_out_whole(demos: Path, tmp_path: Path) -> None:
    told = export(demos, tmp_path / "out", "lerobot", fps=50)
    info, stats, rows, episodes = read(tmp_path / "out")
    # the push splits unit 0 into 12 and 25 rows; the waits are left out
    assert [episode["length"] for episode in episodes] == [12, 25, 30] and told["frames"] == 67
    assert info["codebase_version"] == "v3.0" and info["fps"] == 50 and info["total_episodes"] == 3
    assert rows["index"] == list(range(67)) and rows["episode_index"] == [0] * 12 + [1] * 25 + [2] * 30
    assert rows["frame_index"] == [*range(12), *range(25), *range(30)]
    assert np.allclose(rows["timestamp"], np.array(rows["frame_index"]) / 50, atol=1e-6)
    with np.load(demos / "00000.npz") as shard:
        keep = [*range(12), *range(15, 40), *range(50, 80)]
        for key in COLUMNS:
            assert np.allclose(np.array(rows[key]).reshape(67, -1), shard[key][keep].reshape(67, -1))
        assert (np.array(rows["action"], np.float32) == shard["action"][keep]).all()
        exact = shard["action"][keep].astype(float)
    assert np.allclose(stats["action"]["mean"], exact.mean(0)) and np.allclose(stats["action"]["std"], exact.std(0))
    assert stats["action"]["count"] == [67] and np.allclose(stats["action"]["q90"], np.quantile(exact, 0.9, axis=0))
    done, success = np.flatnonzero(rows["next.done"]), np.flatnonzero(rows["next.success"])
    assert done.tolist() == [36, 66] and success.tolist() == [36], "the second unit came out bad"
    assert [episode["dataset_from_index"] for episode in episodes] == [0, 12, 37]
    tasks = pq.read_table(tmp_path / "out/meta/tasks.parquet")
    assert tasks.schema.pandas_metadata["index_columns"] == ["task"]
    assert tasks["task"].to_pylist() == ["M6 left and right", "左侧M6，右侧M8法兰"]
    assert rows["task_index"] == [0] * 37 + [1] * 30
    assert "privileged" not in json.dumps(info) and "ordered" not in json.dumps(info)


def test_films_show_each_row_its_picture(demos: Path, tmp_path: Path) -> None:
    export(demos, tmp_path / "out", "lerobot", fps=10)
    info, stats, rows, episodes = read(tmp_path / "out")
    assert info["features"]["observation.images.head"]["dtype"] == "video"
    assert [episode["length"] for episode in episodes] == [5, 6], "twelve periods are too few for an episode at 10 Hz"
    key = "videos/observation.images.left_wrist/"
    assert [(e[key + "from_timestamp"], e[key + "to_timestamp"]) for e in episodes] == [(0.0, 0.5), (0.5, 1.1)]
    film = frames_of(tmp_path / "out/videos/observation.images.left_wrist/chunk-000/file-000.mp4")
    shown = [3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15]  # which pictures those rows saw
    assert len(film) == len(rows["index"]) == 11
    for frame, n in zip(film, shown, strict=True):
        assert np.abs(frame.astype(int) - gradient(n, 1)).mean() < 4
    with np.load(demos / "00000.npz") as shard:
        expected = summed(shard["action"][50:80], 5, "ee")
    assert np.allclose(rows["action"][5:], expected)
    mean = np.mean([gradient(n, 1)[..., 1] for n in shown]) / 255
    assert np.allclose(np.ravel(stats["observation.images.left_wrist"]["mean"]), [0, mean, 0])
    assert np.shape(stats["observation.images.left_wrist"]["std"]) == (3, 1, 1)


def test_png_rows_are_exact(demos: Path, tmp_path: Path) -> None:
    from PIL import Image

    export(demos, tmp_path / "out", "lerobot", fps=10, video=False, cameras="head", units=1)
    info, _, rows, _ = read(tmp_path / "out")
    assert info["features"]["observation.images.head"]["dtype"] == "image" and info["video_path"] is None
    shown = [np.asarray(Image.open(io.BytesIO(one["bytes"]))) for one in rows["observation.images.head"]]
    assert all((picture == gradient(n, 0)).all() for picture, n in zip(shown, range(3, 8), strict=True))
    assert not (tmp_path / "out/videos").exists()


def test_a_row_says_what_was_done_until_the_next() -> None:
    actions = np.arange(60, dtype=np.float32).reshape(4, 15)
    found = summed(actions, 2, "ee")
    assert found[0, 0] == 15 and found[0, 6] == 21 and found[1, 7] == 37 + 52 and found[1, 14] == 59
    assert (summed(actions, 2, "joint")[:, :14] == actions[1::2, :14]).all()


class Waves:
    """Moves the left hand and a grip for three seconds of each unit."""

    def begin(self, spec: Any, seed: int) -> None: ...

    def act(self, observation: Any) -> Plan:
        actions = np.zeros((25, 15), np.float32)
        actions[:, [6, 13]] = 1.0
        if observation["observation.takt_left"][0] > 73.0:
            actions[:, 0] = 0.001 * np.sin(observation["observation.takt_left"][0])
            actions[:, 13] = 0.5
        return Plan(list(actions))

    def end(self) -> None: ...


class Kept(NutCell):
    """A cell that keeps what it was given, and what was seen then."""

    def __init__(self) -> None:
        self.given: list[np.ndarray] = []
        self.seen: list[np.ndarray] = []
        super().__init__()

    def step(self, action: Any) -> Any:
        self.given.append(np.array(action))
        result = super().step(action)
        self.seen.append(result[0]["observation.state"])
        return result


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Kept]:
    path, cell = tmp_path_factory.mktemp("shift") / "waves.takt", Kept()
    run_shift(cell, f"{__name__}:Waves", units=2, seed=4, clock="fixed:0.08", ledger=path)
    return path, cell


def test_a_shift_is_worked_again_to_be_written(worked: tuple[Path, Kept], tmp_path: Path) -> None:
    shift, cell = worked
    given, seen = cell.given, cell.seen
    told = export(shift, tmp_path / "out", "lerobot", named=Named(trust=True), fps=50, cameras="")
    assert told["episodes"] == 2 and "units_that_came_out_differently" not in told
    info, _, rows, episodes = read(tmp_path / "out")
    length = episodes[0]["length"]
    assert 3.0 < length / 50 < 6.0, "what follows when nothing is done any more is left out"
    assert (np.array(rows["action"][:length], np.float32) == np.array(given[:length])).all()
    first = episodes[1]["dataset_from_index"]
    assert (np.array(rows["action"][first : first + 100], np.float32) == np.array(given[3800:3900])).all()
    assert (np.array(rows["observation.state"][first : first + 100], np.float32) == np.array(seen[3799:3899])).all()
    assert info["total_tasks"] == 1 and episodes[0]["tasks"] == [TASK]
    assert not any(rows["next.success"]) and sum(rows["next.done"]) == 2


def test_what_cannot_be_exported_is_one_line(
    worked: tuple[Path, Kept], demos: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    shift, _ = worked
    (tmp_path / "there").mkdir()
    flight = tmp_path / "gym.takt"
    run_shift("gym", lambda seen: 0, units=1, ledger=flight, station_options={"takt_s": 0.5})
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "0.npz").write_bytes(b"PK\x03\x04 nothing")
    for given, said in (
        ([shift, tmp_path / "there"], "exists already"),
        ([shift, tmp_path / "x", "-x", "fps=7"], "must divide 50"),
        ([shift, tmp_path / "x", "-x", "cameras=tail"], "no camera 'tail'"),
        ([shift, tmp_path / "x", "-x", "speed=2"], "has no option 'speed'"),
        ([shift, tmp_path / "x", "-x", "good_only=true", "-x", "cameras="], "nothing to export"),
        ([flight, tmp_path / "x"], "takes the nut cell's"),
        ([tmp_path / "there", tmp_path / "x"], "has no demonstrations"),
        ([broken, tmp_path / "x"], "is no shard"),
        ([tmp_path / "no.takt", tmp_path / "x"], "there is no ledger"),
    ):
        assert main(["export", *map(str, given), "--format", "lerobot"]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and said in lines[0], lines
        assert not (tmp_path / "x").exists() and not (tmp_path / ".x.part").exists()
    assert main(["export", str(shift), str(tmp_path / "x"), "--format", "hdf5"]) == 2
    assert "no format is called 'hdf5'" in capsys.readouterr().err
    monkeypatch.setattr("takt.export.lerobot.find_spec", lambda name: None)
    with pytest.raises(TaktError, match=r"pip install 'run-at-rate\[export\]'"):
        export(demos, tmp_path / "x", "lerobot")


def test_a_full_file_is_followed_by_another(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("takt.export.lerobot_files.DATA_MB", 0.0001)
    monkeypatch.setattr("takt.export.lerobot_files.VIDEO_MB", 0.001)
    root = tmp_path / "out"
    with Dataset(root, 10, "toy", {"action": ["a", "b"]}, {}, {"observation.images.head": (SIZE, SIZE)}) as dataset:
        for n in range(3):
            pictures = np.repeat(RNG.integers(0, 255, (1, SIZE, SIZE, 3), np.uint8), 8, axis=0)
            dataset.add(Episode("go", {"action": np.full((8, 2), n)}, {"observation.images.head": pictures}))
    episodes = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [episode["data/file_index"] for episode in episodes] == [0, 1, 2]
    for episode in episodes:
        film = episode["videos/observation.images.head/file_index"]
        start = round(10 * episode["videos/observation.images.head/from_timestamp"])
        assert len(frames_of(root / f"videos/observation.images.head/chunk-000/file-{film:03d}.mp4")) >= start + 8
    assert episodes[-1]["videos/observation.images.head/file_index"] > 0


def lerobot_python() -> str | None:
    """A Python that has lerobot: TAKT_LEROBOT_PYTHON, or this one."""
    return os.environ.get("TAKT_LEROBOT_PYTHON") or (sys.executable if find_spec("lerobot") else None)


@pytest.mark.skipif(lerobot_python() is None, reason="no lerobot here; TAKT_LEROBOT_PYTHON names a Python that has it")
@pytest.mark.parametrize("video", [True, False])
def test_lerobot_reads_it(demos: Path, tmp_path: Path, video: bool) -> None:
    root = tmp_path / "out"
    export(demos, root, "lerobot", fps=10, video=video)
    command = [str(lerobot_python()), str(Path(__file__).with_name("read_with_lerobot.py")), str(root), "0", "7", "10"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr[-2000:]
    found = json.loads(process.stdout.splitlines()[-1])
    assert found["episodes"] == 2 and found["frames"] == 11
    assert found["tasks"] == ["M6 left and right", "左侧M6，右侧M8法兰"]
    assert found["chunk"] == [4, 15] and found["two"] == [2, 3, SIZE, SIZE]
    assert found["padded"] == [False, True, True, True]
    _, _, rows, _ = read(root)
    for row, n, picture in zip(found["rows"], (0, 7, 10), (3, 12, 15), strict=True):
        assert np.allclose(row["action"], rows["action"][n]) and np.allclose(row["state"], rows["observation.state"][n])
        assert np.abs(np.array(row["head"]) - gradient(picture, 0)).mean() < (4 if video else 1e-6)
    assert [row["done"] for row in found["rows"]] == [False, False, True]


def test_an_export_removes_no_folder_that_it_did_not_make(tmp_path: Path) -> None:
    from takt.export.lerobot import Dataset

    for name in (".out.part", ".out-x.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("two years of work")
    with pytest.raises(TaktError), Dataset(tmp_path / "out", 10, "x", {"action": ["a"]}, {}, {}):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out-x.part", ".out.part"]
    assert all((path / "mine").exists() for path in tmp_path.iterdir())
