"""What the board's pages say of a shift, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape, unescape
from typing import Any

from takt.board.chinese import said
from takt.contract.events import SHIFT_ENDED, Event
from takt.contract.figure import asked_in_percent, per_cent
from takt.draw.words import hms
from takt.show.cases import counted_cases
from takt.show.happened import name_of
from takt.show.reasons import in_words
from takt.show.sections import Own


def sentence(station: str, reason: str, language: str, units: Sequence[Sequence[Event]]) -> str:
    """Of the units that are bad for this reason, given by their events: which cases of it they were, and how many of
    each, where all tell; else what the reason means, "" if nobody says."""
    cases = counted_cases(station, reason, units, language)
    if cases:
        return " · ".join(f"{name}: {count}" for name, count in cases)
    told = in_words(station, reason, language)
    return "" if told == reason.replace("_", " ") else told


def broken_of(events: Iterable[Event]) -> list[str]:
    """What the worker did wrong, a line each."""
    return [
        f"{e.data['error']} ({hms(e.t_s)})"
        for e in events
        if (e.kind == SHIFT_ENDED or e.data.get("name") == "worker_raised") and "error" in e.data
    ]


def ran_as(meta: Mapping[str, Any], language: str = "en") -> list[tuple[str, str]]:
    """What defines a shift and where it was worked, a row for each option."""
    station, rows = str(meta.get("station", "")), []

    def told_of(value: Any) -> str:
        return in_a_row(value, station, language)

    for key in (
        "station",
        "options",
        "worker",
        "worker_options",
        "seed",
        "clock",
        "hours",
        "units",
        "faults",
        "stop_early",
    ):
        value = meta.get(key)
        if isinstance(value, Mapping):
            rows += [(f"{key.removesuffix('s').replace('_', ' ')} {name}", told_of(one)) for name, one in value.items()]
        elif value not in (None, [], False):
            rows.append((key.replace("_", " "), told_of(value)))
    for key in ("begun_utc", "machine", "packages", "wall_s"):
        if meta.get(key):
            rows.append((key.replace("_", " "), told_of(meta[key])))
    return rows


def in_a_row(value: Any, station: str = "", language: str = "en") -> str:
    """A value of a shift's definition, for people: texts as they were given, lists and objects without JSON's marks."""
    comma, colon = ("、", "：") if language == "zh" else (", ", ": ")
    if value is None:
        return "–"
    if isinstance(value, bool):
        return name_of("yes" if value else "no", station, language)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        if {"name", "at_s"} <= value.keys():  # a planned fault
            lasts = f"{in_a_row(value.get('for_s'))} s" if value.get("for_s") is not None else ""
            return " ".join(filter(None, [name_of(value["name"], station, language), _at(value["at_s"]), lasts]))
        return comma.join(
            f"{name_of(key, station, language)}{colon}{in_a_row(one, station, language)}" for key, one in value.items()
        )
    if isinstance(value, (list, tuple)):
        return comma.join(in_a_row(one, station, language) for one in value)
    return str(value)


def _at(at_s: Any) -> str:
    return hms(at_s) if isinstance(at_s, (int, float)) and not isinstance(at_s, bool) else str(at_s)


def spaced(text: Any) -> str:
    return str(text).replace("_", " ")


def own_of_unit(own: Own | None, unit: int) -> list[tuple[str, str]]:
    """What the station's own tables say of a unit, such as which flight failed and when that became known."""
    return [
        (head, cell)
        for section in ([] if own is None else own.sections)
        if section.table is not None
        for place, row in enumerate(section.table.rows)
        if place < len(section.table.units) and section.table.units[place] == unit
        for head, cell in zip(section.table.heads, row, strict=False)
    ]


def percent(value: float | None) -> str:
    """A share, as the terminal has it: 100 % is said of nothing less."""
    return "–" if value is None else f"{per_cent(value)} %"


def asked_percent(value: float) -> str:
    """What a job asks, as it was given."""
    return f"{asked_in_percent(value)} %"


_TEXT = re.compile(r"(<(?:text|tspan|title|desc)\b[^>]*>)([^<>]+)<")
_DAY = (
    "--ink:#17191c;--muted:#5b6067;--line:#d9dbd8;--paper:#fbfbf9;"
    "--good:#0d6e66;--bad:#b3233b;--warn:#8a5a0c;--accent:#2456c9;"
)
_NIGHT = (
    "--ink:#e9eaec;--muted:#a3a9b1;--line:#363b41;--paper:#131518;"
    "--good:#45c4b4;--bad:#f58491;--warn:#e2b062;--accent:#8badff;"
)


def drawn_for(svg: str, light: str, language: str = "en", station: str = "") -> str:
    """A drawing of `takt.draw.plots` as a file of its own, with the board's colours ("auto" follows the browser) and in
    this language."""
    if language != "en":
        svg = _TEXT.sub(lambda one: f"{one[1]}{escape(said(unescape(one[2]), language, station), quote=False)}<", svg)
    colours = {
        "day": f":root{{{_DAY}}}",
        "night": f":root{{{_NIGHT}}}",
        "auto": f":root{{{_DAY}}}@media (prefers-color-scheme: dark){{:root{{{_NIGHT}}}}}",
    }[light]
    head, found, rest = svg.partition(">")
    if "xmlns=" not in head:
        head += ' xmlns="http://www.w3.org/2000/svg"'
    return f"{head}{found}<style>:root{{--sans:sans-serif}}{colours}</style>{rest}"
