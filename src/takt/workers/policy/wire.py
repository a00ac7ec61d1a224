"""The wire format of openpi's policy server: msgpack maps, arrays as `takt.pack` has them (openpi-client's own way).

Nothing that comes from a socket is ever unpickled: an array of objects is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from takt.pack import pack, unpack

LARGEST = 256 * 2**20  # bytes of one message; openpi has no limit, but memory has


def encode(message: Mapping[str, Any]) -> bytes:
    """A map as openpi-client packs it. TypeError for what is no array, number, text, list or map."""
    return pack(_plain(message))


def decode(message: bytes) -> dict[str, Any]:
    """The map that a message is. ValueError, in one line, for anything else."""
    try:
        found = unpack(message, numeric=True)
    except ValueError as error:
        raise ValueError(f"{len(message)} bytes that are no message: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"a {type(found).__name__} where a map is due")
    return {key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key): found[key] for key in found}


def _plain(value: Any) -> Any:
    """Without tuples, which `takt.pack` spells in a way of its own."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
