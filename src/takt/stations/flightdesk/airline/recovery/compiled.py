"""How the search's inner loops are compiled, and where the machine code is kept for the next run.

Numba knows a function's code is out of date by its own file; but functions of one file are built into those of others.
So the code is kept in a folder that is named after what is in all of them, and in those whose numbers they build in,
below `~/.cache/takt`, `$XDG_CACHE_HOME/takt` or Numba's own `$NUMBA_CACHE_DIR`.
Compiling takes about a minute of one core; `kept` says whether that has been done for the sources that lie here.

The same functions also run as plain Python, a few hundred times slower: `interpret` before they are imported. Numba is
imported with the first of them, and not with this file.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from takt.private import private_folder

_FILES = ("compiled.py", "problem.py", "prices.py", "passengers.py", "rotations.py", "search.py", "cheapest.py")
_NUMBERS = ("instance.py", "cost.py")
_HERE = Path(__file__).parent
_SOURCES = b"".join(
    path.read_bytes() for path in (*(_HERE / name for name in _FILES), *(_HERE.parent / name for name in _NUMBERS))
)
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "takt"
FOLDER = Path(os.environ.get("NUMBA_CACHE_DIR") or _CACHE) / hashlib.sha256(_SOURCES).hexdigest()[:16]
_CPU = ("NAME", "FEATURES")  # what Numba may be told to compile for, instead of this processor
_interpreted = False


def interpret() -> None:
    """Leave the functions that are imported from now on in this process as they are. Before the first of them only:
    plain Python that calls a compiled `inner` function crashes."""
    global _interpreted
    _interpreted = True


def interpreted() -> bool:
    return _interpreted


def kept() -> bool:
    """Whether the code has been compiled as a whole by this Python and this Numba, for this processor."""
    return _mark().exists()


def mark_kept() -> None:
    """To be called when all of it has been compiled."""
    _mark().touch()


def _mark() -> Path:
    return FOLDER / f"whole-{sys.implementation.cache_tag}-numba-{version('numba')}-{_place()}-{_processor()}"


def _place() -> str:
    """Where the sources lie and when they were written, in short: Numba believes what it has kept of these files only,
    and compiles for another checkout, or after another installation, anew."""
    found = [(path, path.stat()) for path in (_HERE / name for name in _FILES)]
    told = [(str(path.resolve()), stat.st_mtime_ns, stat.st_size) for path, stat in found]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


@cache
def _processor() -> str:
    """What the code is made for, in short: Numba takes what it has kept for no other."""
    told = [platform.machine(), platform.processor(), *(os.environ.get(f"NUMBA_CPU_{what}", "") for what in _CPU)]
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        told += dict.fromkeys(line for line in lines if line.startswith(("model name", "flags", "Features")))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:8]


def compiled(function: Callable[..., Any]) -> Any:
    """To be called from Python or from compiled code."""
    return _kept(function)


def inner(function: Callable[..., Any]) -> Any:
    """To be called from compiled code only: the way in from Python takes longer to compile than most functions do."""
    return _kept(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@cache
def _folder() -> Path:
    """Where the code is kept: what lies there is loaded and run, so it is nobody else's. Numba would also take the
    folder's name from a file in the current folder."""
    private_folder(FOLDER.parent)
    return private_folder(FOLDER)


def _kept(function: Callable[..., Any], **options: bool) -> Any:
    if _interpreted:
        return function
    os.environ.setdefault("NUMBA_OPT", "1")  # compiles in two thirds of the time, and what it makes is as fast
    from numba import config as numba_config
    from numba import njit

    config: Any = numba_config  # its attributes are made at run time
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_folder())
    try:
        return njit(cache=True, **options)(function)  # type: ignore[call-overload]
    finally:
        config.CACHE_DIR = before
