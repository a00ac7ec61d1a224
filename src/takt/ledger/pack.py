"""State to bytes and back, without pickle: msgpack, with numpy arrays the way openpi sends them.

An array becomes `{b"__ndarray__": True, b"data", b"dtype", b"shape"}` and a numpy scalar `{b"__npgeneric__": True,
b"data", b"dtype"}` (openpi-client, `msgpack_numpy.py`). Beyond that, so that state comes back as it was: a tuple is
`{b"__tuple__": [...]}` and an integer of more than 64 bits (a random generator's) `{b"__int__": "..."}`.
The same value gives the same bytes, always, as long as dicts are filled in the same order.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgpack
import numpy as np

from takt.plainly import plainly

MOST_OBJECTS = 500_000  # lists and maps inside one another
NUMBERS = "biuf"
KINDS = "biufSUmM"
SCALARS: dict[str, Any] = {"b": (bool, int), "i": int, "u": int, "f": (float, int), "S": bytes, "U": str}


def pack(value: Any) -> bytes:
    """The bytes of plain values, tuples, numpy arrays and numpy scalars, nested in any way; TypeError for others."""
    try:
        packed: bytes = msgpack.packb(value, default=_to_plain, strict_types=True, use_bin_type=True)
    except UnicodeEncodeError as error:
        raise TypeError("cannot pack a text with half of a surrogate pair in it") from error
    except ValueError as error:  # lists in lists in lists
        raise TypeError(f"cannot pack this: {plainly(error)}") from error
    return packed


def unpack(packed: bytes, numeric: bool = False, arrays: bool = True) -> Any:
    """The value that `pack` was given. Its arrays are copies that may be written to.

    numeric   only arrays and scalars of numbers, as from a socket.
    arrays    False: arrays stay the maps that they are, to be read by who knows what other people's programs write.

    Raises ValueError for bytes that `pack` never made. They take no more memory than some ten times their length,
    whoever made them: an array's bytes are those that are there, and a scalar is a number that is there.
    """
    left = MOST_OBJECTS

    def one(value: Any) -> Any:
        """An empty list or map is one byte there and 64 here, so they are counted."""
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"more than {MOST_OBJECTS} lists and maps")
        return _from_plain(value, kinds, arrays) if isinstance(value, dict) else value

    kinds = NUMBERS if numeric else KINDS
    try:
        return msgpack.unpackb(packed, object_hook=one, list_hook=one, raw=False, strict_map_key=False, max_ext_len=0)
    except ValueError as error:
        raise ValueError(plainly(error)) from error
    except Exception as error:  # msgpack and numpy raise a dozen kinds for bytes that are no message
        raise ValueError(f"{len(packed)} bytes that are no packed value: {type(error).__name__}") from error


def _dtype(name: Any, kinds: str) -> np.dtype[Any]:
    """A plain dtype, by its short name: no fields, no objects, nothing that is parsed."""
    if isinstance(name, bytes):
        name = name.decode("ascii", "replace")
    if not isinstance(name, str) or not re.fullmatch(rf"[<>|=]?[{kinds}]\d{{1,4}}(\[\w+\])?", name):
        raise ValueError(f"an array of type {str(name)[:40]!r}")
    return np.dtype(name)


def _to_plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "OVc":
        raise TypeError(f"cannot pack a numpy array of dtype {value.dtype}")
    if isinstance(value, np.ndarray):
        shape = [int(n) for n in value.shape]
        return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": shape}
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    if isinstance(value, tuple):
        return {b"__tuple__": list(value)}
    if isinstance(value, int):  # msgpack only asks about an int that does not fit 64 bits, or an IntEnum
        return int(value) if -(2**63) <= value < 2**64 else {b"__int__": str(int(value))}
    if isinstance(value, dict):  # a subclass, as are those below: an OrderedDict, a StrEnum
        return dict(value)
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"cannot pack a {type(value).__name__}")


def _from_plain(value: dict[Any, Any], kinds: str, arrays: bool) -> Any:
    if b"__ndarray__" in value and arrays:
        dtype, data, shape = _dtype(value[b"dtype"], kinds), value[b"data"], value[b"shape"]
        if not isinstance(data, bytes) or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 32:
            raise ValueError("an array without bytes or shape")
        if math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"an array of shape {shape} and type {dtype} in {len(data)} bytes")
        return np.frombuffer(data, dtype=dtype).reshape(shape).copy()
    if b"__npgeneric__" in value:
        dtype, data = _dtype(value[b"dtype"], kinds), value[b"data"]
        if not isinstance(data, SCALARS.get(dtype.kind, ())) or (dtype.kind != "b" and isinstance(data, bool)):
            raise ValueError(f"a {type(data).__name__} as a scalar of type {dtype}")
        return dtype.type(data)
    if b"__tuple__" in value:
        return tuple(value[b"__tuple__"])
    if b"__int__" in value:
        return int(value[b"__int__"])
    return value
