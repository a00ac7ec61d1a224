"""Frames between a shift and an isolated worker: four bytes of length, then msgpack as `takt.pack` writes it.

`received` is for what comes from the worker, which nobody vouches for: only plain values, and arrays of numbers whose
bytes are there.
"""

from __future__ import annotations

import os
import struct
from typing import Any

import msgpack
import numpy as np

LARGEST = 256 * 2**20  # bytes of one frame
KINDS = "biuf"  # numpy's kinds of array that an action, a state or a record may have: truth values and numbers


class Closed(Exception):
    """The other side is gone."""


def send(descriptor: int, packed: bytes) -> None:
    """Raises Closed if nobody is there to read, ValueError if it is too long for a frame."""
    if len(packed) > LARGEST:
        raise ValueError(f"{len(packed)} bytes in one message; the most is {LARGEST}")
    rest = memoryview(struct.pack(">I", len(packed)) + packed)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        raise Closed(str(error)) from error


def receive(descriptor: int) -> bytes:
    """The next frame. Raises Closed at the end, ValueError if it announces more than a frame may have."""
    (length,) = struct.unpack(">I", _exactly(descriptor, 4))
    if length > LARGEST:
        raise ValueError(f"{length} bytes in one message; the most is {LARGEST}")
    return _exactly(descriptor, length)


def received(packed: bytes) -> Any:
    """The value that came from a worker. ValueError, in one line, if it is not what `takt.pack` would have written."""
    try:
        return msgpack.unpackb(packed, object_hook=_plain_only, raw=False, strict_map_key=False)
    except Exception as error:  # msgpack and numpy raise a dozen kinds for bytes that are no message
        text = " ".join(str(error).split())
        raise ValueError(f"no msgpack of plain values: {text or type(error).__name__}") from error


def _exactly(descriptor: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        try:
            part = os.read(descriptor, min(length - len(parts), 2**20))
        except OSError as error:
            raise Closed(str(error)) from error
        if not part:
            raise Closed("its end of the pipe is closed")
        parts += part
    return bytes(parts)


def _plain_only(value: dict[Any, Any]) -> Any:
    if b"__ndarray__" in value:
        dtype, data, shape = _number(value), value.get(b"data"), value.get(b"shape")
        if not isinstance(data, bytes) or not isinstance(shape, list) or len(shape) > 32:
            raise ValueError("an array without data or shape")
        if not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError(f"an array of shape {shape!r}"[:100])
        size = dtype.itemsize
        for n in shape:
            size *= n
        if size != len(data):
            raise ValueError(f"an array of shape {shape!r} with {len(data)} bytes"[:100])
        return np.frombuffer(data, dtype).reshape(shape).copy()
    if b"__npgeneric__" in value:
        data = value.get(b"data")
        if not isinstance(data, (bool, int, float)):
            raise ValueError("a number that is none")
        return _number(value).type(data)
    if b"__tuple__" in value:
        return tuple(value[b"__tuple__"])
    if b"__int__" in value:
        return int(str(value[b"__int__"]))
    return value


def _number(value: dict[Any, Any]) -> np.dtype[Any]:
    """The dtype that a message names, if it is one of numbers."""
    name = value.get(b"dtype")
    if not isinstance(name, str) or len(name) > 8:
        raise ValueError("an array whose dtype is no short text")
    dtype = np.dtype(name)
    if dtype.kind not in KINDS or dtype.subdtype is not None or dtype.shape:
        raise ValueError(f"an array of dtype {name!r}; it must be of numbers")
    return dtype
