"""What Takt is distributed as. The distribution `takt` on PyPI is a stranger's; import name and command are `takt`."""

from __future__ import annotations

import re

NAME = "run-at-rate"
NO_HINT = {"all", "dev", "bench", "docs"}  # extras that only gather others, or serve who works on Takt itself
OWN_HINT = {"fleet"}  # what these lack they say themselves: their packages are other extras' as well

_EXTRA = re.compile(r"([\w.-]+).*extra == ['\"](\w+)['\"].*")  # of a requirement, as a distribution's metadata has it


def version() -> str:
    """The version that is installed; "not installed" where Takt is only on Python's path."""
    from importlib import metadata  # which takes a tenth of the time of `takt --help`, and is not needed for it

    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "not installed"


def lacking(error: BaseException) -> str:
    """Which extra has the module that an import did not find, and how to get it; "" if that is not what happened."""
    module = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if not module:
        return ""
    from importlib import metadata

    try:
        needed = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return ""
    for need in needed:
        found = _EXTRA.fullmatch(need)
        if found and found[1].replace("-", "_").lower() == module.lower() and found[2] not in NO_HINT | OWN_HINT:
            return f"this needs the extra `{found[2]}`: {install(found[2])}"
    return ""


def extras() -> dict[str, bool]:
    """The extras that a user can ask for, and whether all of what each installs is here."""
    from importlib import metadata

    try:
        needed = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return {}
    here: dict[str, bool] = {}
    for need in needed:
        found = _EXTRA.fullmatch(need)
        if found and found[2] not in NO_HINT:
            here[found[2]] = here.get(found[2], True) and _installed(found[1])
    return here


def _installed(name: str) -> bool:
    from importlib import metadata

    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def install(extras: str) -> str:
    """How to get the extras that something needs, for a message: from the index, or in a checkout."""
    return f"pip install '{NAME}[{extras}]' (in a checkout: pip install -e '.[{extras}]')"
