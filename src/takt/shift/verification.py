"""Whether a ledger's figures are claimed, verified or signed. A ledger is what somebody says that happened.

claimed    the figures follow from the events, and nobody here has worked the shift again.
verified   it was worked again on this machine by this user (`takt verify --work-again`), event for event the same. What
           a model, a policy server or a client answered is taken from the ledger there: nobody is asked twice.
signed     somebody's key is for it; whose, the user's file of signers says.

That a shift was verified is kept by its digest in the user's own folder, never in the ledger, which anybody may write.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from takt.contract.events import SAID, SHIFT_ENDED, SHIFT_STARTED, UNIT_DUE, UNIT_ENDED, Event
from takt.distribution import version
from takt.errors import TaktError
from takt.ledger import DEFINITION, Ledger, spelled
from takt.ledger.signature import MOST, Signature, known_signers, looked_at
from takt.private import private_folder


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands behind a ledger's figures. `verified` is the day it was worked again here, or ""."""

    verified: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        worked = (
            f"verified: worked again here on {self.verified}, the same"
            if self.verified
            else "claimed, not verified here"
        )
        return "; ".join([worked, *map(str, self.signatures)])


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found. `wrong` are the faults of the ledger's structure, a line each; [] if there are none.

    same       whether working it again gave the same shift; None if it was not, or has not ended.
    differs    the first event that does not, or None.
    answers    how many answers (of a model, a client) were taken from the ledger: these remain claimed.
    verified   the day it was worked again here, now or before, or "".
    """

    digest: str
    events: int
    units: int
    wrong: Sequence[str]
    signatures: Sequence[Signature]
    same: bool | None
    differs: int | None
    answers: int
    verified: str = ""

    @property
    def good(self) -> bool:
        return not self.wrong and self.same is not False and all(one.good is not False for one in self.signatures)


def standing_of(book: Ledger, digest: str, signers: Path | None = None) -> Standing:
    """What stands behind an open ledger of this digest."""
    signed = book.meta.get("signatures") or ()
    if not signed:
        return Standing(_verified(digest), ())
    seal, known = book.seal(), known_signers(signers)
    return Standing(_verified(digest), tuple(looked_at(one, seal, known) for one in signed[:MOST]))


def verify(
    path: str | os.PathLike[str],
    *,
    work_again: bool = False,
    signers: Path | None = None,
    station: Any = None,
    worker: Any = None,
    named: Any = None,
) -> Verification:
    """Look at a ledger: its structure, its digest, its signatures; with `work_again`, work the shift once more.

    station, worker, named    as `repeat_shift` has them.

    Raises TaktError if it is no ledger, or cannot be read to its end.
    """
    from takt.ledger.trust import NOTHING
    from takt.shift import repeat_shift

    with Ledger.open(path) as book:
        events, meta, digest = book.events(), book.meta, book.digest()
        wrong = [*book.faults(), *faults(events, meta)]
        standing = standing_of(book, digest, signers)
        finished = book.finished
    same: bool | None = None
    differs: int | None = None
    if work_again:
        if not finished:
            raise TaktError(
                f"{path} has not ended, so it cannot be worked again to its end; end it with `takt resume {path}`"
            )
        again = repeat_shift(path, station=station, worker=worker, named=named or NOTHING)
        same = again.digest == digest
        if not same:
            pairs = enumerate(zip(events, again.events, strict=False))
            differs = next(
                (n for n, (one, other) in pairs if spelled(one) != spelled(other)), min(len(events), len(again.events))
            )
        elif not wrong:
            _remember(digest)
    ended = sum(event.kind in UNIT_ENDED for event in events)
    answers = sum(event.kind == SAID and "number" in event.data and "answer" not in event.data for event in events)
    verified = "" if wrong or same is False else _verified(digest)
    return Verification(digest, len(events), ended, wrong, standing.signatures, same, differs, answers, verified)


def faults(events: Sequence[Event], meta: Mapping[str, Any]) -> list[str]:
    """What cannot be in a shift that was worked: a line for each kind of it."""
    found: dict[str, None] = {}
    if not events or events[0].kind != SHIFT_STARTED:
        found["it does not begin with shift_started"] = None
    else:
        other = [key for key in DEFINITION if events[0].data.get(key) != meta.get(key)]
        if other:
            found[f"its meta and its first event differ in {', '.join(other)}"] = None
    due: dict[int | None, float] = {}
    over: set[int | None] = set()
    before_s = 0.0
    for number, event in enumerate(events):
        if event.t_s < before_s:
            found["time goes back"] = None
        before_s = event.t_s
        if event.kind == SHIFT_STARTED and number:
            found["it begins twice"] = None
        if event.kind == SHIFT_ENDED and number < len(events) - 1:
            found["it goes on after its end"] = None
        if event.kind == UNIT_DUE:
            due.setdefault(event.unit, event.t_s)
        elif event.kind in UNIT_ENDED:
            if event.unit not in due:
                found["a unit ended that never fell due"] = None
            if event.unit in over:
                found["a unit ended twice"] = None
            over.add(event.unit)
    hours, units = meta.get("hours"), meta.get("units")
    if hours is not None and before_s > 3600 * hours + 3600:
        found["it is longer than was asked for"] = None
    if units is not None and len(over) > units + 100:
        found["it has more units than were asked for"] = None
    return list(found)


def _folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "takt" / "verified"


def _remember(digest: str) -> None:
    """Keep that this shift was worked again, for reports."""
    private_folder(_folder().parent)
    told = {"at": datetime.now(UTC).date().isoformat(), "takt": version()}
    (private_folder(_folder()) / digest).write_text(json.dumps(told), encoding="utf-8")


def _verified(digest: str) -> str:
    """The day on which the user verified this shift, or ""."""
    folder = _folder()
    try:
        if not re.fullmatch(r"[0-9a-f]{64}", digest) or not (folder / digest).is_file():
            return ""
        told = json.loads((private_folder(folder) / digest).read_text(encoding="utf-8"))
        return str(told["at"])[:10]
    except (TaktError, OSError, ValueError, KeyError, TypeError):
        return ""
