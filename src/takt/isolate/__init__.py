"""A worker in a process of its own: only what the two contracts name goes between it and the shift.

The other process opens the worker, by its name, and gets the station's `spec`, the worker's seed and observations;
plans, records and states come back. Neither the station nor the shift's seed is in its memory. What comes back is
msgpack and is checked before anything is made of it: nothing is unpickled, and no array is larger than the bytes that
came.

It is a wall around memory, not around the machine: a process of the same user may read files, the ledger too, and who
is to be judged by somebody else had better not share a machine with the ledger (docs/design.md, "What a worker is
told").
"""

from __future__ import annotations

from takt.isolate.worker import Isolated, isolated

__all__ = ["Isolated", "isolated"]
