"""How a code desk works: its terms, its events, what a command costs, and what git is told there."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from takt.stations.codedesk.changes import generated, in_git
from takt.stations.codedesk.repository import GIT_COMMAND, as_text
from takt.stations.codedesk.sandbox import Ran
from takt.stations.codedesk.trees import File

RAN, INSPECTED, REGRESSION, MENDED = "ran", "inspected", "regression", "mended"  # the station's own events
RECOUNTED = "recounted"  # tests that are broken, or no longer, for another reason (`breakage.py`)
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
    "-m 'The repository as it was'; }"
)
# The station's own commit runs nothing of the agent's: no filter (attributes of the repository's own come last, and are
# put back), no signing. What a repository within the tree has of its own may run, for so long, behind a closed door.
COMMIT_S = 30.0
COMMIT = f"""{READY}
info=$(git rev-parse --git-path info); own=$info/attributes; made=
[ -e "$info" ] || {{ mkdir -p "$info" && made=1; }}
{{ [ -e "$own" ] || [ -L "$own" ]; }} && mv "$own" "$own.takt"
{{ cat "$own.takt" 2>/dev/null; printf '\\n* -filter\\n'; }} > "$own"
{GIT} -c commit.gpgSign=false add -A && {GIT} -c commit.gpgSign=false commit -q --no-verify --allow-empty -m "$1"
code=$?
rm -f "$own"
{{ [ -e "$own.takt" ] || [ -L "$own.takt" ]; }} && mv "$own.takt" "$own"
[ -z "$made" ] || rmdir "$info"
exit $code"""


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
    session: bool = False  # whether a command may live through the shift
    keep_home: bool = False  # in the repository's own part, where neither inspections nor commits see it


@dataclass
class Due:
    """A ticket that is due. `tree` is the tree's mark when it fell due."""

    number: int
    due_s: float
    deadline_s: float
    changes: int
    solved: int | None = None
    tree: str = ""  # as older ledgers have it


def record_of(
    terms: Terms, kind: str, said: str, ran: Ran, ready: Mapping[str, File | None], door: bool
) -> dict[str, Any]:
    """What is written down of a command. `ready`: what was changed before it, so that git is there; `door`: whether it
    ran beside what leads to a model."""
    output, errors = ran.stdout, ran.stderr
    if terms.fixed:
        output, errors = TIMED.sub(b"in ...s", output), TIMED.sub(b"in ...s", errors)
        took_s = GIT_PRICE_S if kind in ("diff", "log") else TEST_PRICE_S if TESTS.search(said) else OTHER_PRICE_S
    else:
        took_s = ran.seconds
    busy_s = max(1, math.ceil(took_s / terms.control_s - 1e-9)) * terms.control_s
    if ran.too_much:
        why = ran.left_out or "it was too much, or the sandbox was lost"
        errors += f"\n[all that this command changed is undone: {why}]\n".encode()
    elif ran.left_out:
        errors += f"\n[not kept: {ran.left_out}]\n".encode()
    return {
        "tool": kind,
        "said": said[:2000],
        "tests": kind == "run" and bool(TESTS.search(said)),
        "code": ran.code,
        "ended_by": ran.ended_by,
        "busy_s": busy_s,
        "took_s": busy_s,
        "output": shown(output),
        "errors": shown(errors),
        "left_running": max(0, ran.left - door),  # but for what leads to the model
        "touched": touched(ran.changed),
        "effect": as_text({**ready, **ran.changed}),
    }


def touched(changed: Mapping[str, File | None]) -> bool:
    """Whether a command changed the tree itself, and not only what git keeps of it or tests leave behind."""
    return any(not in_git(path) and not generated(path) for path in changed)


def shown(output: bytes) -> str:
    """Output as it is shown: its beginning and its end. What is no text in it is said to be none."""
    text = output.decode(errors="replace").replace("\0", "\ufffd")
    odd = text.encode() != output
    if len(text) > MOST_SHOWN:
        half = MOST_SHOWN // 2
        text = f"{text[:half]}\n[... {len(text) - 2 * half} characters not shown ...]\n{text[-half:]}"
    return f"{text}\n[bytes that are no UTF-8 text are shown as \ufffd]\n" if odd else text
