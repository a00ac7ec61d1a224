"""State to bytes and back, without pickle: msgpack, with numpy arrays the way openpi sends them.

An array becomes `{b"__ndarray__": True, b"data", b"dtype", b"shape"}` and a numpy scalar `{b"__npgeneric__": True,
b"data", b"dtype"}` (openpi-client, `msgpack_numpy.py`). Beyond that, so that state comes back as it was: a tuple is
`{b"__tuple__": [...]}` and an integer of more than 64 bits (a random generator's) `{b"__int__": "..."}`.
The same value gives the same bytes, always, as long as dicts are filled in the same order.
"""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np


def pack(value: Any) -> bytes:
    """The bytes of plain values, tuples, numpy arrays and numpy scalars, nested in any way; TypeError for others."""
    packed: bytes = msgpack.packb(value, default=_to_plain, strict_types=True, use_bin_type=True)
    return packed


def unpack(packed: bytes) -> Any:
    """The value that `pack` was given. Its arrays are copies that may be written to."""
    return msgpack.unpackb(packed, object_hook=_from_plain, raw=False, strict_map_key=False)


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


def _from_plain(value: dict[Any, Any]) -> Any:
    if b"__ndarray__" in value:
        flat = np.frombuffer(value[b"data"], dtype=np.dtype(value[b"dtype"]))
        return flat.reshape(value[b"shape"]).copy()
    if b"__npgeneric__" in value:
        return np.dtype(value[b"dtype"]).type(value[b"data"])
    if b"__tuple__" in value:
        return tuple(value[b"__tuple__"])
    if b"__int__" in value:
        return int(value[b"__int__"])
    return value
