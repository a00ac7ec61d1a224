"""What Takt is distributed as. The distribution `takt` on PyPI is a stranger's; import name and command are `takt`."""

from __future__ import annotations

NAME = "run-at-rate"


def version() -> str:
    """The version that is installed; "not installed" where Takt is only on Python's path."""
    from importlib import metadata  # which takes a tenth of the time of `takt --help`, and is not needed for it

    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "not installed"


def install(extras: str) -> str:
    """How to get the extras that something needs, for a message: from the index, or in a checkout."""
    return f"pip install '{NAME}[{extras}]' (in a checkout: pip install -e '.[{extras}]')"
