"""The journal of a shift that was worked before: what its worker asked for is read, and nobody is asked again; and the
part of a journal that is the station's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from takt.contract.events import SAID, Event
from takt.contract.worker import Finished, Journal
from takt.errors import TaktError


class Told:
    """The numbered records among a shift's events, as a `Journal`. It ends the shift where it has no more."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._records: dict[int, Mapping[str, Any]] = {}
        for event in events:
            number = event.data.get("number" if event.kind == SAID else "record")
            if isinstance(number, int):
                self._records[number if event.kind == SAID else _of_station(number)] = event.data

    def recall(self, number: int) -> Mapping[str, Any]:
        if number not in self._records:
            raise Finished(f"the recorded shift has no record {number}: this one goes another way", failed=True)
        return self._records[number]

    def note(self, number: int, record: Mapping[str, Any]) -> None:
        raise AssertionError("everything that can be asked for is recorded")


class OfStation:
    """The station's part of a shift's journal: its records have the numbers below zero there."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def recall(self, number: int) -> Mapping[str, Any] | None:
        try:
            return self._journal.recall(_of_station(number))
        except Finished:
            why = f"the recorded shift has no record {number} of the station: this one goes another way"
            raise TaktError(why) from None

    def note(self, number: int, record: Mapping[str, Any]) -> None:
        self._journal.note(_of_station(number), record)


def _of_station(number: int) -> int:
    return -1 - number
