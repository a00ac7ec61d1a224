"""The wire format of openpi's policy server: msgpack maps, arrays as `takt.ledger.pack` has (openpi-client's own way).

Arrays in the other dialects that such servers speak are read as well: openpi's with keys of text, msgpack-numpy's
(`nd`, `type`, `kind`, `shape`, `data`), json-numpy's (`__numpy__`, base64), GR00T's (`__ndarray_class__`, `as_npy`),
json-tricks' (`__ndarray__` with the data itself), tensors (`__tensor__`) and files of numpy (.npy) as bytes. Nothing
that comes from a socket is ever unpickled: an array of objects is refused, and so is what looks like an array in a
dialect that is not known.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np

from takt.ledger.pack import pack, unpack
from takt.plainly import plainly

LARGEST = 16 * 2**20  # bytes of an answer; a chunk of 1,000 actions has 0.1 MB. openpi has no limit, but memory has


def encode(message: Mapping[str, Any]) -> bytes:
    """A map as openpi-client packs it. TypeError for what is no array, number, text, list or map."""
    return pack(_plain(message))


def decode(message: bytes) -> dict[str, Any]:
    """The map that a message is. ValueError, in one line, for anything else."""
    try:
        found = _read(unpack(message, numeric=True, arrays=False))
    except (ValueError, RecursionError) as error:
        ext = (
            "; an extension of msgpack is an array in a dialect that is not known"
            if "none of ours" in str(error)
            else ""
        )
        raise ValueError(f"{len(message)} bytes that are no message: {plainly(error)}{ext}") from error
    if not isinstance(found, dict):
        raise ValueError(f"a {type(found).__name__} where a map is due")
    return {key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key): found[key] for key in found}


def _read(value: Any) -> Any:
    """With arrays where another dialect has maps."""
    if isinstance(value, (list, tuple)):
        return [_read(part) for part in value]
    if isinstance(value, bytes) and value.startswith(_NPY):
        return _npy(value, "numpy's files")
    if not isinstance(value, dict):
        return value
    told = {key.decode("utf-8", "replace") if isinstance(key, bytes) else key: part for key, part in value.items()}
    for mark in _DIALECTS:
        if mark in told and (mark != "nd" or "data" in told):
            return _array(told, mark)
    if {"shape", "data"} <= set(told) and {"dtype", "type"} & set(told):  # with no data it describes a feature
        has = ", ".join(sorted(map(str, told)))[:100]
        raise ValueError(f"an array in a dialect that is not known (a map of {has}); openpi's has __ndarray__")
    if "__npgeneric__" in told:
        return _array({**told, "shape": []}, "__npgeneric__")[()]
    return {key: _read(part) for key, part in value.items()}


_NPY = b"\x93NUMPY"
_DIALECTS = {
    "__ndarray_class__": "GR00T",
    "__ndarray__": "openpi",
    "nd": "msgpack-numpy",
    "__numpy__": "json-numpy",
    "__tensor__": "tensors",
}


def _array(told: Mapping[Any, Any], mark: str) -> np.ndarray:
    """The array that a map of such a dialect is. ValueError, by the dialect's name, if no array of numbers is."""
    name = _DIALECTS.get(mark, "openpi")
    if mark == "__ndarray_class__":
        return _npy(told.get("as_npy"), name)
    kind, dtype = told.get("kind", ""), told.get("type" if mark == "nd" else "dtype")
    order = told.get("order", "F" if told.get("fortran_order") is True else "C")
    kind, dtype, order = (p.decode("ascii", "replace") if isinstance(p, bytes) else p for p in (kind, dtype, order))
    if kind == "O":
        raise ValueError(f"a pickled array in the dialect of {name}; nothing from a socket is unpickled")
    dtype = dtype.removeprefix("torch.") if isinstance(dtype, str) else dtype
    brain = dtype == "bfloat16"  # the upper half of a float32, which numpy has no name for
    short = isinstance(dtype, str) and re.fullmatch(r"[<>|=]?([biuf]\d{0,2}|\?)|bool_?|(u?int|float)\d{1,2}", dtype)
    if not short and not brain:
        raise ValueError(f"an array of type {str(dtype)[:40]!r} in the dialect of {name}; it must be of numbers")
    if order not in ("C", "F"):
        raise ValueError(f"an array in the order {str(order)[:40]!r} in the dialect of {name}; there are C and F")
    try:
        number = np.dtype("<u2" if brain else str(dtype))
    except TypeError as error:
        raise ValueError(f"an array of type {dtype!r} in the dialect of {name}") from error
    data, shape = told.get(mark if mark == "__numpy__" or "data" not in told else "data"), told.get("shape", [])
    if isinstance(data, str):
        try:
            data = base64.b64decode(data, validate=True)
        except ValueError as error:
            raise ValueError(f"an array whose data is text that is no base64, in the dialect of {name}") from error
    if mark == "__npgeneric__" and isinstance(data, (bool, int, float)):
        return np.asarray(data, number)
    if isinstance(data, (list, tuple)) and not brain:
        try:
            data = numbers(data).astype(number).tobytes()
        except ValueError as error:
            raise ValueError(f"an array in the dialect of {name}: {error}") from error
    sizes = isinstance(shape, (list, tuple)) and len(shape) <= 32 and all(type(n) is int and n >= 0 for n in shape)
    if not sizes or not isinstance(data, bytes) or math.prod(shape) * number.itemsize != len(data):
        length = len(data) if isinstance(data, bytes) else type(data).__name__
        raise ValueError(f"an array of shape {shape!r} in {length} bytes"[:100] + f", in the dialect of {name}")
    flat = np.frombuffer(data, number)
    if brain:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.reshape(shape, order=cast("Literal['C', 'F']", order)).copy()


def _npy(data: Any, name: str) -> np.ndarray:
    """The array that a .npy file is (NumPy, NEP 1). It takes no more memory than the bytes that are there."""
    try:
        file = io.BytesIO(data)
        version = np.lib.format.read_magic(file)
        header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = header(file)
    except Exception as error:  # numpy parses the header with Python's own parser, which raises several kinds
        raise ValueError(f"an array that is no .npy file, in the dialect of {name}") from error
    if dtype.hasobject:
        raise ValueError(f"a pickled array in the dialect of {name}; nothing from a socket is unpickled")
    if dtype.kind not in "biuf":
        raise ValueError(f"an array of type {dtype.str!r} in the dialect of {name}; it must be of numbers")
    told = {"dtype": dtype.str, "shape": list(shape), "data": file.read(), "order": "F" if fortran else "C"}
    return _array({**told, "__ndarray__": True}, "__ndarray__")


def numbers(value: Any) -> np.ndarray:
    """An array of numbers, from whatever was read in a message. ValueError, in one line, for what is none."""
    what = f"a map of {', '.join(sorted(map(str, value)))[:100]}" if isinstance(value, Mapping) else None
    what = f"{len(value)} bytes" if isinstance(value, bytes) else what
    if what is not None:
        raise ValueError(f"{what}, perhaps an array in a dialect that is not known; openpi's has __ndarray__")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        held = "text" if array.dtype.kind in "US" else "something" if array.dtype.kind == "O" else str(array.dtype)
        raise ValueError(f"{held} where numbers are due: {str(_inner(value))[:40]!r}, in no dialect of arrays")
    return array


def _inner(value: Any) -> Any:
    """The first thing in lists of lists that is no list and no number."""
    if not isinstance(value, (list, tuple)):
        return value
    found = (_inner(part) for part in value)
    return next((one for one in found if not isinstance(one, (int, float))), value[0] if value else value)


def _plain(value: Any) -> Any:
    """Without tuples, which `takt.ledger.pack` spells in a way of its own."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
