"""A LeRobotDataset v3.0, written with NumPy, pyarrow and PyAV alone: what lerobot 0.6 reads and trains on.

    meta/info.json                               what there is: features, shapes, rates
    meta/stats.json                              of each feature: min, max, mean, std, count, quantiles
    meta/tasks.parquet                           the texts, `task` as pandas' index
    meta/episodes/chunk-000/file-000.parquet     of each episode: where its rows and its film are, its own statistics
    data/chunk-000/file-000.parquet              a row for each frame
    videos/KEY/chunk-000/file-000.mp4            the pictures, episodes one after the other; or in the rows, as PNG

Names and layout: lerobot 0.6.1, `datasets/utils.py`, `dataset_metadata.py`, `compute_stats.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from takt.contract.station import TaktError
from takt.distribution import install
from takt.export.lerobot_files import CHUNK_FILES, DATA_MB, VIDEO_MB, Film, Numbers, Pictures, Table, png

VERSION = "v3.0"
BOOKKEEPING = {  # LeRobot's own columns
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}


@dataclass(frozen=True)
class Episode:
    """Frames one after the other, 1 / fps seconds apart.

    task       what is to be done, in words.
    columns    key -> (N, width), of the dtypes that the dataset's features have.
    pictures   key -> (N, H, W, 3) uint8.
    """

    task: str
    columns: Mapping[str, np.ndarray]
    pictures: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


class Dataset:
    """A dataset being written. Nothing is at `root` until all is done; on an error nothing ever is.

    columns    key -> names of its numbers; one name: a scalar.
    dtypes     key -> dtype, where it is not float32.
    cameras    key -> (H, W).
    video      pictures as H.264; else as PNG in the rows.
    """

    def __init__(
        self,
        root: Path,
        fps: int,
        robot: str,
        columns: Mapping[str, Sequence[str]],
        dtypes: Mapping[str, str],
        cameras: Mapping[str, tuple[int, int]],
        video: bool = True,
    ) -> None:
        if find_spec("pyarrow") is None:
            raise TaktError(f"this format needs the extra `export`: {install('export')}")
        if root.exists():
            raise TaktError(f"{root} exists already; choose another name")
        self.root, self.fps, self.video = root, fps, video
        self._robot, self._names, self._cameras = robot, dict(columns), dict(cameras)
        self._dtypes = {key: dtypes.get(key, "float32") for key in columns} | BOOKKEEPING
        self._new: Path | None = None  # made, and removed, by us alone
        self._tasks: dict[str, int] = {}
        self._episodes: list[dict[str, Any]] = []
        self._rows = 0
        self._seen = {key: Numbers() for key in self._dtypes}
        self._looked = {key: Pictures() for key in cameras}
        self._data: Table | None = None
        self._films: dict[str, Film] = {}

    def __enter__(self) -> Dataset:
        self.root.parent.mkdir(parents=True, exist_ok=True)
        self._new = Path(tempfile.mkdtemp(prefix=f".{self.root.name}-", suffix=".part", dir=self.root.parent))
        self._data = Table(self._new / "data", self._schema())
        self._films = {key: Film(self._new / "videos" / key, self.fps) for key in self._cameras if self.video}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._data is not None and self._new is not None
        self._data.close()
        for film in self._films.values():
            film.close()
        if kind is None and self._rows:
            self._write_meta()
            self._place(self._new)
        shutil.rmtree(self._new, ignore_errors=True)
        if kind is None and not self._rows:
            raise TaktError("there is nothing to export: no unit has ended")

    def _place(self, new: Path) -> None:
        """Give the folder its name, if that is still free: not even an empty folder is replaced."""
        if os.path.lexists(self.root):
            raise TaktError(f"{self.root} exists already; choose another name")
        mask = os.umask(0)
        os.umask(mask)
        new.chmod(0o777 & ~mask)  # mkdtemp makes folders for their owner only
        new.rename(self.root)

    @property
    def counts(self) -> dict[str, int]:
        return {"episodes": len(self._episodes), "frames": self._rows, "tasks": len(self._tasks)}

    def add(self, episode: Episode) -> None:
        """Append an episode."""
        count = len(episode)
        number, first = len(self._episodes), self._rows
        task = self._tasks.setdefault(episode.task, len(self._tasks))
        columns: dict[str, np.ndarray] = {
            key: np.asarray(episode.columns[key], self._dtypes[key]).reshape(count, -1) for key in self._names
        }
        frame = np.arange(count)
        own = {"timestamp": frame / self.fps, "frame_index": frame, "episode_index": np.full(count, number)}
        own |= {"index": first + frame, "task_index": np.full(count, task)}
        columns |= {key: np.asarray(own[key], dtype)[:, None] for key, dtype in BOOKKEEPING.items()}
        about: dict[str, Any] = {"episode_index": number, "tasks": [episode.task], "length": count}
        assert self._data is not None
        shown = {} if self.video else {key: [png(p) for p in episode.pictures[key]] for key in self._cameras}
        about |= self._data.append(columns, shown)
        about |= {"dataset_from_index": first, "dataset_to_index": first + count}
        for key, film in self._films.items():
            about |= {f"videos/{key}/{name}": value for name, value in film.append(episode.pictures[key]).items()}
        for key, values in columns.items():
            about |= _told(key, self._seen[key].add(values).stats())
        for key in self._cameras:
            about |= _told(key, self._looked[key].add(episode.pictures[key]).stats())
        self._episodes.append(about)
        self._rows += count

    def _schema(self) -> Any:
        import pyarrow as pa

        def column(key: str) -> Any:
            dtype = pa.from_numpy_dtype(np.dtype(self._dtypes[key]))
            width = len(self._names.get(key, ("",)))
            return dtype if width == 1 else pa.list_(dtype, width)

        picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        fields = [(key, column(key)) for key in self._dtypes]
        return pa.schema(fields + [(key, picture) for key in self._cameras if not self.video])

    def _features(self) -> dict[str, Any]:
        features: dict[str, Any] = {
            key: {"dtype": self._dtypes[key], "shape": [len(names)], "names": list(names) if len(names) > 1 else None}
            for key, names in self._names.items()
        }
        for key, (height, width) in self._cameras.items():
            features[key] = {
                "dtype": "video" if self.video else "image",
                "shape": [height, width, 3],
                "names": ["height", "width", "channels"],
            }
            if self.video:
                features[key]["info"] = {
                    "video.height": height,
                    "video.width": width,
                    "video.channels": 3,
                    "video.codec": "h264",
                    "video.pix_fmt": "yuv420p",
                    "video.is_depth_map": False,
                    "video.fps": self.fps,
                    "has_audio": False,
                }
        return features | {key: {"dtype": dtype, "shape": [1], "names": None} for key, dtype in BOOKKEEPING.items()}

    def _write_meta(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        assert self._new is not None
        meta = self._new / "meta"
        (meta / "episodes" / "chunk-000").mkdir(parents=True)
        info = {
            "codebase_version": VERSION,
            "robot_type": self._robot,
            "total_episodes": len(self._episodes),
            "total_frames": self._rows,
            "total_tasks": len(self._tasks),
            "chunks_size": CHUNK_FILES,
            "data_files_size_in_mb": DATA_MB,
            "video_files_size_in_mb": VIDEO_MB,
            "fps": self.fps,
            "splits": {"train": f"0:{len(self._episodes)}"},
            "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
            "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
            if self.video
            else None,
            "features": self._features(),
        }
        _write_json(meta / "info.json", info)
        seen: dict[str, Numbers | Pictures] = {**self._seen, **self._looked}
        stats = {key: each.all_stats() for key, each in seen.items()}
        _write_json(meta / "stats.json", {key: {k: v.tolist() for k, v in s.items()} for key, s in stats.items()})
        pq.write_table(_tasks(list(self._tasks)), meta / "tasks.parquet")
        for about in self._episodes:
            about |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
        pq.write_table(pa.Table.from_pylist(self._episodes), meta / "episodes" / "chunk-000" / "file-000.parquet")


def _told(key: str, stats: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {f"stats/{key}/{name}": value.tolist() for name, value in stats.items()}


def _tasks(tasks: Sequence[str]) -> Any:
    """The texts, with the note by which pandas makes `task` the index, without pandas."""
    import pyarrow as pa

    def about(name: str, kind: str, of: str) -> dict[str, Any]:
        return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": of, "metadata": None}

    note = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [about("task_index", "int64", "int64"), about("task", "unicode", "object")],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    return table.replace_schema_metadata({"pandas": json.dumps(note)})


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
