"""States by their content: large ones are kept once, and as what is new in them since the one before.

The snapshot at a unit's end is nearly the one before it, so it is packed against that (Zstandard with the state before
as its prefix, "patch-from"; RFC 8878): a state of the desk of 160 kB costs 0.8 kB and a sixth of the time that zlib
took for 40. Every `CHAIN`th is packed alone, so that reading one never takes more steps than that. A state is named
by the SHA-256 of its plain bytes, which is checked when it is read: a seal over names is a seal over states.

Small states lie in their snapshot's row, as all did in format 1: zlib, no name.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from collections.abc import Callable
from typing import Any

from takt.ledger.base import Blob, Row
from takt.ledger.intact import LONGEST_STATE, unzipped

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SMALL = 4096  # bytes of a state, plain, below which it lies in its row
CHAIN = 64  # states that are packed one against the other
BY_NAME = b"sha256:"  # how a state in a row begins that is a name; zlib begins with 0x78
LEVEL = 3
LARGEST_WINDOW = 27  # as a power of two: two of the longest states
FAR = 2**20  # bytes from which on repeats are looked for far away as well


class Folding:
    """Packs a shift's states one after the other."""

    def __init__(self) -> None:
        self._last: tuple[bytes, bytes, int] | None = None  # name, plain state, how many it is packed against

    def begin(self, stored: Any, state: bytes, depth: int) -> None:
        """Go on after this state, which lies there at this depth."""
        named = isinstance(stored, bytes) and stored.startswith(BY_NAME)
        self._last = (stored[len(BY_NAME) :], state, depth) if named else None

    def fold(self, state: bytes) -> tuple[bytes, Blob | None]:
        """What to store in the snapshot's row, and the blob that this refers to, if there is to be one."""
        if len(state) < SMALL:
            return zlib.compress(state, 1), None
        name = hashlib.sha256(state).digest()
        if self._last is not None and self._last[0] == name:
            return BY_NAME + name, None  # nothing has changed
        base, against, depth = self._last if self._last is not None and self._last[2] < CHAIN - 1 else (None, b"", -1)
        self._last = name, state, depth + 1
        return BY_NAME + name, Blob(name, base, len(state), _packed(state, against))

    def forget(self) -> None:
        """Pack the next state alone: what was packed last was not written."""
        self._last = None


class Unfolding:
    """Reads states, of which each may be packed against the one that was read before. ValueError for what is none."""

    def __init__(self, blob: Callable[[bytes], Row | None]) -> None:
        self._blob = blob
        self._last: tuple[bytes, bytes, int] = b"", b"", 0  # name, plain state, depth

    def unfold(self, stored: Any) -> tuple[bytes, int]:
        """A snapshot's state, from what is stored for it, and how many others it is packed against."""
        if not isinstance(stored, bytes) or not stored.startswith(BY_NAME):
            return unzipped(stored), 0
        named = wanted = stored[len(BY_NAME) :]
        chain: list[Row] = []
        state, depth = b"", -1
        while True:
            if wanted == self._last[0] and wanted:
                state, depth = self._last[1:]
                break
            row = self._blob(wanted)
            if row is None:
                raise ValueError("a snapshot's state is not there")
            chain.append(row)
            if row[0] is None:
                break
            wanted = row[0]
            if len(chain) >= CHAIN:
                raise ValueError("a snapshot's state is packed against others without end")
        for base, size, data in reversed(chain):
            state = _unpacked(data, size, b"" if base is None else state)
            depth += 1
        if hashlib.sha256(state).digest() != named:
            raise ValueError("a snapshot's state is not the one that it is said to be")
        self._last = named, state, depth
        return state, depth


def _packed(state: bytes, against: bytes) -> bytes:
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: LEVEL,
        zstd.CompressionParameter.checksum_flag: 0,
    }
    together = len(state) + len(against)
    if not against:
        return zstd.compress(state, options=options)
    options[zstd.CompressionParameter.window_log] = min(LARGEST_WINDOW, max(10, together.bit_length()))
    options[zstd.CompressionParameter.enable_long_distance_matching] = int(together > FAR)
    return zstd.compress(state, options=options, zstd_dict=zstd.ZstdDict(against, is_raw=True).as_prefix)


def _unpacked(data: Any, size: Any, against: bytes) -> bytes:
    """The plain bytes, never more of them than were said. ValueError if they are none, or not so many."""
    if not isinstance(data, bytes) or not isinstance(size, int) or not 0 < size <= LONGEST_STATE:
        raise ValueError(f"a snapshot that is cut off, or larger than {LONGEST_STATE // 2**20} MiB")
    limits: dict[int, int] = {zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW}
    try:
        prefix = zstd.ZstdDict(against, is_raw=True).as_prefix if against else None
        unpacker = zstd.ZstdDecompressor(zstd_dict=prefix, options=limits)
        state: bytes = unpacker.decompress(data, size)
    except (zstd.ZstdError, ValueError, EOFError) as error:
        raise ValueError("a snapshot that cannot be unpacked") from error
    if len(state) != size or not unpacker.eof or unpacker.unused_data:
        raise ValueError("a snapshot that is cut off, or larger than it is said to be")
    return state
