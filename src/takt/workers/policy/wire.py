"""The wire format of openpi's policy server: msgpack maps, arrays as `takt.ledger.pack` has (openpi-client's own way).

Arrays in the other dialects that such servers speak are read as well: openpi's with keys of text, msgpack-numpy's
(`nd`, `type`, `kind`, `shape`, `data`) and json-numpy's (`__numpy__`, base64). Nothing that comes from a socket is ever
unpickled: an array of objects is refused, and so is a map that looks like an array in a dialect that is not known.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

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
        found = _read(unpack(message, numeric=True))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{len(message)} bytes that are no message: {plainly(error)}") from error
    if not isinstance(found, dict):
        raise ValueError(f"a {type(found).__name__} where a map is due")
    return {key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key): found[key] for key in found}


def _read(value: Any) -> Any:
    """With arrays where another dialect has maps."""
    if isinstance(value, (list, tuple)):
        return [_read(part) for part in value]
    if not isinstance(value, dict):
        return value
    told = {key.decode("utf-8", "replace") if isinstance(key, bytes) else key: part for key, part in value.items()}
    for mark in ("__ndarray__", "nd", "__numpy__"):
        if mark in told and (mark == "__numpy__" or "data" in told):
            return _array(told, mark)
    if {"shape", "data"} <= set(told) and {"dtype", "type"} & set(told):  # with no data it describes a feature
        has = ", ".join(sorted(map(str, told)))[:100]
        raise ValueError(f"an array in a dialect that is not known (a map of {has}); openpi's has __ndarray__")
    if "__npgeneric__" in told:
        return _array({**told, "shape": []}, "__npgeneric__")[()]
    return {key: _read(part) for key, part in value.items()}


def _array(told: Mapping[Any, Any], mark: str) -> np.ndarray:
    """The array that a map of such a dialect is. ValueError, by the dialect's name, if no array of numbers is."""
    name = {"nd": "msgpack-numpy", "__numpy__": "json-numpy"}.get(mark, "openpi")
    kind, dtype = told.get("kind", ""), told.get("type" if mark == "nd" else "dtype")
    kind, dtype = (part.decode("ascii", "replace") if isinstance(part, bytes) else part for part in (kind, dtype))
    if kind == "O":
        raise ValueError(f"a pickled array in the dialect of {name}; nothing from a socket is unpickled")
    short = isinstance(dtype, str) and re.fullmatch(r"[<>|=]?([biuf]\d{0,2}|\?)|bool_?|(u?int|float)\d{1,2}", dtype)
    if not short:
        raise ValueError(f"an array of type {str(dtype)[:40]!r} in the dialect of {name}; it must be of numbers")
    try:
        number = np.dtype(str(dtype))
    except TypeError as error:
        raise ValueError(f"an array of type {dtype!r} in the dialect of {name}") from error
    data, shape = told.get(mark if mark == "__numpy__" else "data"), told.get("shape", [])
    if isinstance(data, str):
        data = base64.b64decode(data, validate=True)
    if mark == "__npgeneric__" and isinstance(data, (bool, int, float)):
        return np.asarray(data, number)
    sizes = isinstance(shape, (list, tuple)) and len(shape) <= 32 and all(type(n) is int and n >= 0 for n in shape)
    if not sizes or not isinstance(data, bytes) or math.prod(shape) * number.itemsize != len(data):
        length = len(data) if isinstance(data, bytes) else type(data).__name__
        raise ValueError(f"an array of shape {shape!r} in {length} bytes"[:100] + f", in the dialect of {name}")
    return np.frombuffer(data, number).reshape(shape).copy()


def _plain(value: Any) -> Any:
    """Without tuples, which `takt.ledger.pack` spells in a way of its own."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
