"""The files of a LeRobotDataset: tables, films, and the statistics of what is in them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

DATA_MB, VIDEO_MB = 100, 200  # the most in a file, as LeRobot has it
CHUNK_FILES = 1000
QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
FILE = "chunk-{chunk:03d}/file-{file:03d}"


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


class Table:
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


class Film:
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


def _where(number: int) -> dict[str, int]:
    return {"chunk_index": number // CHUNK_FILES, "file_index": number % CHUNK_FILES}


def _file(number: int) -> str:
    return FILE.format(chunk=number // CHUNK_FILES, file=number % CHUNK_FILES)
