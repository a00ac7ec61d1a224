"""The journal of a shift that was worked before: what its worker asked for is read, and nobody is asked again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from takt.contract.events import SAID, Event
from takt.contract.worker import Finished


class Told:
    """The numbered records among a shift's events, as a `Journal`. It ends the shift where it has no more."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._records = {
            e.data["number"]: e.data for e in events if e.kind == SAID and isinstance(e.data.get("number"), int)
        }

    def recall(self, number: int) -> Mapping[str, Any]:
        if number not in self._records:
            raise Finished(f"the recorded shift has no record {number}: this one goes another way", failed=True)
        return self._records[number]

    def note(self, number: int, record: Mapping[str, Any]) -> None:
        raise AssertionError("everything that can be asked for is recorded")
