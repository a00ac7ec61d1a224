"""How a code desk works: its terms, its events, what a command costs, and what git is told there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from takt.stations.codedesk.repository import GIT_COMMAND, in_git
from takt.stations.codedesk.trees import File

RAN, INSPECTED, REGRESSION, MENDED = "ran", "inspected", "regression", "mended"  # the station's own events
WRONG, BROKEN_BUILD, LATE, NO_CHANGE, TAMPERED, HELP = "wrong", "broken_build", "late", "no_change", "tampered", "help"
TEST_PRICE_S, GIT_PRICE_S, OTHER_PRICE_S = 20.0, 1.0, 5.0
TESTS = re.compile(r"\b(pytest|unittest|tox|nox)\b")
TIMED = re.compile(rb"\bin \d+\.\d+s\b")  # as pytest says
MOST_SHOWN = 8000  # characters of output in an answer, of each stream
KEPT = "/work/.git/takt-home"
GIT = " ".join(GIT_COMMAND)
READY = (
    "rm -f .git/index.lock; git rev-parse -q --verify HEAD >/dev/null 2>&1 || "
    f"{{ rm -rf .git; git init -q -b main --template= && {GIT} add -A && {GIT} commit -q --no-verify --allow-empty "
    "-m 'The repository as it was' && git update-ref refs/takt/last HEAD; }"
)
COMMIT = (
    f'{READY}; {GIT} add -A && {GIT} commit -q --no-verify --allow-empty -m "$1"; '
    f"{GIT} diff --no-ext-diff --no-textconv refs/takt/last HEAD; git update-ref refs/takt/last HEAD"
)


@dataclass(frozen=True)
class Terms:
    """How a desk works. Times in seconds of station time."""

    takt_s: float = 1200.0
    service_s: float = 2400.0
    command_s: float = 600.0
    control_s: float = 1.0
    fixed: bool = False  # a command costs by its kind, and not what it took
    each: bool = False  # every ticket begins at the reference's own tree
    privileged: bool = False
    keep_home: bool = False  # in the repository's own part, where neither inspections nor commits see it


def touched(changed: Mapping[str, File | None]) -> bool:
    """Whether a command changed the tree itself, and not only what git keeps of it."""
    return any(not in_git(path) for path in changed)


def shown(output: bytes) -> str:
    """Output as it is shown: its beginning and its end."""
    text = output.decode(errors="replace").replace("\0", "\ufffd")
    if len(text) <= MOST_SHOWN:
        return text
    half = MOST_SHOWN // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters not shown ...]\n{text[-half:]}"
