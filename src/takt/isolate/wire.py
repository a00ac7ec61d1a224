"""Frames between a shift and an isolated worker: four bytes of length, then msgpack as `takt.ledger.pack` writes it.

`received` is for what comes from the worker, which nobody vouches for: only plain values, and arrays of numbers whose
bytes are there.
"""

from __future__ import annotations

import os
import struct
from typing import Any

from takt.ledger.pack import unpack
from takt.plainly import plainly

LARGEST = 256 * 2**20  # bytes of one frame


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
        raise Closed(plainly(error)) from error


def receive(descriptor: int) -> bytes:
    """The next frame. Raises Closed at the end, ValueError if it announces more than a frame may have."""
    (length,) = struct.unpack(">I", _exactly(descriptor, 4))
    if length > LARGEST:
        raise ValueError(f"{length} bytes in one message; the most is {LARGEST}")
    return _exactly(descriptor, length)


def received(packed: bytes) -> Any:
    """The value that came from a worker, arrays of numbers only. ValueError if `pack` would not have made it."""
    return unpack(packed, numeric=True)


def _exactly(descriptor: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        try:
            part = os.read(descriptor, min(length - len(parts), 2**20))
        except OSError as error:
            raise Closed(plainly(error)) from error
        if not part:
            raise Closed("its end of the pipe is closed")
        parts += part
    return bytes(parts)
