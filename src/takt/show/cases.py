"""Which case of a reason it was: where a reason has several, the events of the unit often tell.

A station's `reasons.toml` lists the cases of a reason, in the order in which they are looked for among a unit's events:

    [[not_home.cases]]
    event = "booked"                                   the kind of event that tells
    where = { flown = false }                          what its data must be
    name.en = "flight cancelled after booking"         in a few words, as it is counted
    en = "It was booked on {lost_flight}, ..."         the sentence (`takt.show.happened`): no case if a field lacks

It is data, and is read without importing the station (`takt.show.reasons`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takt.contract.events import Event
from takt.show.happened import data_of, filled
from takt.show.reasons import in_words, table_of


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a reason: in a few words, and as a sentence."""

    name: str
    words: str


def case_of(station: str, reason: str, mine: Sequence[Event], language: str = "en") -> Case | None:
    """By the events of a unit, `mine`; None where they do not tell, or the reason has no cases."""
    listed = table_of(station, reason).get("cases")
    for case in listed if isinstance(listed, list) else ():
        if not isinstance(case, dict):
            continue
        where = case.get("where") if isinstance(case.get("where"), dict) else {}
        for event in mine:
            if event.kind == case.get("event") and _is(data_of(event), where or {}):
                words = filled(_in(case, language), event, station, language)
                if words:
                    return Case(_in(case.get("name"), language), words)
    return None


def why(station: str, reason: str, mine: Sequence[Event], language: str = "en") -> str:
    """The reason of a unit as a sentence: the case that it was, where its events tell."""
    case = case_of(station, reason, mine, language)
    return in_words(station, reason, language) if case is None else case.words


def whys(station: str, reasons: Iterable[str], mine: Sequence[Event]) -> str:
    """All reasons of a unit, a sentence each."""
    return " ".join(why(station, reason, mine) for reason in reasons)


def counted_cases(
    station: str, reason: str, units: Iterable[Sequence[Event]], language: str = "en"
) -> list[tuple[str, int]]:
    """How many of these units, by their events, were which case, the commonest first; [] if one does not tell."""
    found = [case_of(station, reason, mine, language) for mine in units]
    names = [case.name for case in found if case is not None and case.name]
    return Counter(names).most_common() if len(names) == len(found) else []


def by_unit(events: Iterable[Event]) -> dict[int, list[Event]]:
    """The events of each unit."""
    found: dict[int, list[Event]] = {}
    for event in events:
        if event.unit is not None:
            found.setdefault(event.unit, []).append(event)
    return found


def _is(data: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    return all(key in data and type(data[key]) is type(value) and data[key] == value for key, value in where.items())


def _in(told: Any, language: str) -> str:
    text = (told.get(language) or told.get("en")) if isinstance(told, dict) else None
    return text if isinstance(text, str) else ""
