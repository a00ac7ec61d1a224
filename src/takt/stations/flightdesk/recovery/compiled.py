"""How the search's inner loops are compiled, and where the machine code is kept for the next run.

Numba knows a function's code is out of date by its own file; but functions of one file are built into those of others.
So the code is kept in a folder that is named after what is in all of them: `~/.cache/takt`, or `$XDG_CACHE_HOME/takt`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_OPT", "1")  # compiles in two thirds of the time, and what it makes is as fast
from numba import config as _config
from numba import njit

_FILES = ("compiled.py", "problem.py", "passengers.py", "rotations.py", "search.py")
_SOURCES = b"".join(Path(__file__).with_name(name).read_bytes() for name in _FILES)
_KEPT = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    / "takt"
    / hashlib.sha256(_SOURCES).hexdigest()[:16]
)


def compiled(function: Callable[..., Any]) -> Any:
    """To be called from Python or from compiled code."""
    return _kept(function)


def inner(function: Callable[..., Any]) -> Any:
    """To be called from compiled code only: the way in from Python takes longer to compile than most functions do."""
    return _kept(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _kept(function: Callable[..., Any], **options: bool) -> Any:
    config: Any = _config  # its attributes are made at run time
    before = config.CACHE_DIR
    config.CACHE_DIR = before or str(_KEPT)
    try:
        return njit(cache=True, **options)(function)  # type: ignore[call-overload]
    finally:
        config.CACHE_DIR = before
