"""An exchange with a server: numbered, kept in the shift's journal, and asked again with patience."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from takt.contract.worker import Finished, Journal


class Recorder:
    """A worker's half of `Recording`: the journal of its records, and what it has said since it was last asked.
    `begin` calls `_nothing_said`.
    """

    _journal: Journal | None
    _said: list[Mapping[str, Any]]

    def _nothing_said(self) -> None:
        self._journal, self._said = None, []

    def keep_in(self, journal: Journal) -> None:
        self._journal = journal

    def records(self) -> list[Mapping[str, Any]]:
        said, self._said = self._said, []
        return said


def exchanged(
    journal: Journal, number: int, ask: Callable[[], Mapping[str, Any]], request: str = ""
) -> tuple[Mapping[str, Any], bool]:
    """The record of exchange `number`, and whether it is new: from the journal, or what `ask` comes back with, noted.

    request   a seal of what is asked, which the record has under that name. Raises Finished if another was recorded:
              the shift goes another way than the one that the journal is of.
    """
    known = journal.recall(number)
    if known is None:
        made = {"number": number, **ask()}
        journal.note(number, made)
        return made, True
    if request and known["request"] != request:
        raise Finished(f"request {number} is not the one that was recorded under this number", failed=True)
    return known, False


def answered(journal: Journal, number: int, of: int, tool: str, result: str, live: bool) -> Mapping[str, Any] | None:
    """The record, under `number`, of what call `of` came to, so that a transcript has it: from the journal, or noted.
    None in a shift of before there were such, when it is gone through again, and if it has none and is not `live`."""
    try:
        known = journal.recall(number)
    except Finished:  # no more was recorded
        return None
    if known is None and live:
        known = {"number": number, "of": of, "answer": [tool, result]}
        journal.note(number, known)
    return known if known is not None and "answer" in known else None


def backoff_s(failed: int, first_s: float, longest_s: float, rng: random.Random | None = None) -> float:
    """Seconds to wait after `failed` failures before this one: doubled each time, at most `longest_s`.

    rng   draws from the upper half of it, so that a fleet does not come back all at once.
    """
    wait_s = min(longest_s, first_s * 2.0 ** min(failed, 60))
    return wait_s if rng is None else wait_s * rng.uniform(0.5, 1.0)
