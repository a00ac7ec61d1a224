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

import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from takt.contract.station import TaktError
from takt.distribution import install

VERSION = "v3.0"
CHUNK_FILES = 1000
DATA_MB, VIDEO_MB = 100, 200  # the most in a file, as LeRobot has it
QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
FILE = "chunk-{chunk:03d}/file-{file:03d}"
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
        self._data: _Parquet | None = None
        self._films: dict[str, _Film] = {}

    def __enter__(self) -> Dataset:
        self.root.parent.mkdir(parents=True, exist_ok=True)
        self._new = Path(tempfile.mkdtemp(prefix=f".{self.root.name}-", suffix=".part", dir=self.root.parent))
        self._data = _Parquet(self._new / "data", self._schema())
        self._films = {key: _Film(self._new / "videos" / key, self.fps) for key in self._cameras if self.video}
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


class Numbers:
    """What is known of a column of numbers."""

    def __init__(self) -> None:
        self._all: list[np.ndarray] = []

    def add(self, values: np.ndarray) -> Numbers:
        self._all.append(values)
        return self

    def stats(self) -> dict[str, np.ndarray]:
        """Of what was added last."""
        return _stats(self._all[-1])

    def all_stats(self) -> dict[str, np.ndarray]:
        return _stats(np.concatenate(self._all))


class Pictures:
    """What is known of a camera's pictures: how often each brightness of each channel is seen."""

    def __init__(self) -> None:
        self._total = self._last = np.zeros((3, 256))
        self._count = self._frames = 0

    def add(self, pictures: np.ndarray) -> Pictures:
        channels = pictures.reshape(-1, 3).T
        self._last = np.array([np.bincount(channel, minlength=256) for channel in channels], float)
        self._total = self._total + self._last
        self._frames, self._count = len(pictures), self._count + len(pictures)
        return self

    def stats(self) -> dict[str, np.ndarray]:
        return _brightness(self._last, self._frames)

    def all_stats(self) -> dict[str, np.ndarray]:
        return _brightness(self._total, self._count)


def png(picture: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()


class _Parquet:
    """Rows in files of at most DATA_MB."""

    def __init__(self, folder: Path, schema: Any) -> None:
        self._folder, self._schema = folder, schema
        self._number = -1
        self._size = float("inf")  # bytes, before compression
        self._writer: Any = None

    def append(self, columns: Mapping[str, np.ndarray], pictures: Mapping[str, list[bytes]]) -> dict[str, int]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrays = []
        for values in columns.values():
            flat = pa.array(np.ascontiguousarray(values).reshape(-1))
            width = values.shape[1]
            arrays.append(flat if width == 1 else pa.FixedSizeListArray.from_arrays(flat, width))
        for key, shown in pictures.items():
            arrays.append(pa.array([{"bytes": one, "path": None} for one in shown], self._schema.field(key).type))
        table = pa.table(arrays, schema=self._schema)
        if self._size + table.nbytes > DATA_MB * 2**20:
            self.close()
            self._number += 1
            self._size = 0
            path = self._folder / f"{_file(self._number)}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, self._schema)
        self._writer.write_table(table)
        self._size += table.nbytes
        return {f"data/{key}": value for key, value in _where(self._number).items()}

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class _Film:
    """A camera's pictures as mp4 files of about VIDEO_MB, episode after episode."""

    def __init__(self, folder: Path, fps: int) -> None:
        self._folder, self._fps = folder, fps
        self._number = -1
        self._frames = 0  # in this file
        self._size = 0  # bytes, of this file
        self._file: Any = None
        self._stream: Any = None

    def append(self, pictures: np.ndarray) -> dict[str, Any]:
        import av

        if self._file is None or self._size > VIDEO_MB * 2**20:
            self._begin(*pictures.shape[1:3])
        first = self._frames
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts = self._frames
            frame.time_base = Fraction(1, self._fps)
            packets = self._stream.encode(frame)
            self._size += sum(packet.size for packet in packets)
            self._file.mux(packets)
            self._frames += 1
        ends = {"from_timestamp": first / self._fps, "to_timestamp": self._frames / self._fps}
        return {**_where(self._number), **ends}

    def _begin(self, height: int, width: int) -> None:
        import av

        self.close()
        self._number += 1
        self._frames = self._size = 0
        path = self._folder / f"{_file(self._number)}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = av.open(str(path), "w", format="mp4")
        # A key frame every other picture, as LeRobot has it: a learner reads pictures in any order.
        options = {"crf": "18", "preset": "veryfast", "g": "2", "bf": "0"}
        self._stream = self._file.add_stream("h264", rate=self._fps, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.time_base = Fraction(1, self._fps)

    def close(self) -> None:
        if self._file is not None:
            self._file.mux(self._stream.encode(None))
            self._file.close()
            self._file = None


def _stats(values: np.ndarray) -> dict[str, np.ndarray]:
    """Of (N, width)."""
    exact = values.astype(np.float64)
    found = {"min": exact.min(0), "max": exact.max(0), "mean": exact.mean(0), "std": exact.std(0)}
    found["count"] = np.array([len(values)])
    return found | {_quantile(q): row for q, row in zip(QUANTILES, np.quantile(exact, QUANTILES, axis=0), strict=True)}


def _brightness(histogram: np.ndarray, frames: int) -> dict[str, np.ndarray]:
    """Of a histogram (3, 256), as LeRobot has it: (3, 1, 1), from 0 to 1."""
    level = np.arange(256) / 255.0
    share = histogram / histogram.sum(axis=1, keepdims=True)
    mean = share @ level
    found = {
        "min": level[(histogram > 0).argmax(axis=1)],
        "max": level[255 - (histogram > 0)[:, ::-1].argmax(axis=1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(share @ level**2 - mean**2, 0.0)),
    }
    up_to = share.cumsum(axis=1)
    found |= {_quantile(q): level[(up_to >= q - 1e-12).argmax(axis=1)] for q in QUANTILES}
    return {key: value.reshape(3, 1, 1) for key, value in found.items()} | {"count": np.array([frames])}


def _quantile(q: float) -> str:
    return f"q{round(q * 100):02d}"


def _told(key: str, stats: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {f"stats/{key}/{name}": value.tolist() for name, value in stats.items()}


def _where(number: int) -> dict[str, int]:
    return {"chunk_index": number // CHUNK_FILES, "file_index": number % CHUNK_FILES}


def _file(number: int) -> str:
    return FILE.format(chunk=number // CHUNK_FILES, file=number % CHUNK_FILES)


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
