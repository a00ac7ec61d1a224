"""What lies in a history by mistake: caches, compiled files, what editors and desktops leave. No tree is mined with it.

Metadata of a build (`*.egg-info`) is none of it: code may ask for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

ALWAYS = re.compile(
    r"""(^|/)(
        __pycache__ | \.(pytest|mypy|ruff|numba|cython)_cache | \.(hypothesis|pytype|pyre|tox|nox|eggs|benchmarks)
        | \.ipynb_checkpoints | htmlcov | \.idea | \.vs
    )/
    | (^|/)( \.DS_Store | \._[^/]+ | Thumbs\.db | desktop\.ini | [^/]+~ | \.[^/]+\.sw[a-p] | \#[^/]+\# | \.\#[^/]+
    )$""",
    re.VERBOSE,
)
COMPILED = re.compile(r"\.py[co]$")


def is_litter(path: str, names: Collection[str]) -> bool:
    """Whether a file of a tree with these names is; a compiled one is if its source lies beside it, else it may be what
    tests read."""
    return ALWAYS.search(path) is not None or bool(COMPILED.search(path) and path[:-1] in names)
