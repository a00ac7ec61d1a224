"""A rule of `takt check` by itself: does a station keep more and more, in memory or in its snapshots?"""

from __future__ import annotations

import ctypes
import gc
import math
import resource
import sys
from contextlib import closing, suppress

import numpy as np

from takt.contract.drawn import Drawn
from takt.contract.looking import MANY_STEPS, SEED, Open, need

WINDOW_MOST = 4 * MANY_STEPS  # control periods of a window in which memory is looked at
RESIDENT_B = 4096  # bytes a control period that memory may grow by, in one of two windows: caches fill, heaps settle
SNAPSHOT_B = 32  # bytes a control period that a snapshot may grow by: what units leave in a station that goes on


def memory_does_not_grow(open_it: Open, steps: int) -> str | None:
    """Over two windows after one that warms up, each of whole takts: what grows in both of them goes on growing."""
    with closing(open_it()) as station:
        station.reset(seed=SEED)
        drawn = Drawn(station, SEED)
        takt = max(1, round(station.spec.takt_s / station.spec.control_s))
        window = min(WINDOW_MOST, takt * math.ceil(MANY_STEPS / 2 / takt))
        memory, snapshots = [], []
        for _ in range(3):
            for _ in range(window):
                station.step(next(drawn))
            snapshots.append(len(station.save()))
            memory.append(settled_mib() * 2**20)
    grown, larger = (min(np.diff(sizes)) / window for sizes in (memory, snapshots))
    need(
        grown < RESIDENT_B,
        f"each control period costs {grown:,.0f} bytes of memory, over two windows of {window:,}; something is kept "
        "that nobody reads",
    )
    need(
        larger < SNAPSHOT_B,
        f"each control period makes the snapshot {larger:,.0f} bytes larger, over two windows of {window:,} (from "
        f"{snapshots[0]:,} to {snapshots[-1]:,}); a ledger has a snapshot for each unit: save what is still needed",
    )
    sizes = ", ".join(f"{size:,}" for size in snapshots)
    return f"{(memory[-1] - memory[0]) / 2**20:.1f} MiB over {2 * window:,} control periods, snapshots of {sizes} bytes"


def settled_mib() -> float:
    """`resident_mib` once free memory has been given back: what a heap has to spare would hide that something grows."""
    gc.collect()
    with suppress(AttributeError, OSError):  # GNU's C library only
        ctypes.CDLL(None).malloc_trim(0)
    return resident_mib()


def resident_mib() -> float:
    """The memory that this process has now, MiB; where the system does not say (not Linux), the most it has had."""
    try:
        with open("/proc/self/statm") as told:
            return int(told.read().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
