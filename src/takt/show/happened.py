"""What happened to a unit, in words: an event as a sentence, and the names of faults, reasons and measured fields.

A station's folder may hold `words.toml`, which is data and read without importing the station (`takt.show.reasons`):

    [events.booked]                      an event's sentence: parts, of which those are left out that say nothing
    en = ["Group {group} booked on {legs}", "{late_min:long} late"]
    [names]                              words for values, faults and reasons; [fields]: for what is measured
    feeder_jam = { zh = "送料器卡料" }

What no table names is told by its own name and fields. What is in an event may be a stranger's: it is text here.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from takt.contract.events import FOR_PEOPLE, SAID, SHIFT_STARTED, UNIT_DUE, Event
from takt.contract.figure import per_cent
from takt.judge.spans import faults_of_unit, open_from_to
from takt.judge.thinking import all_of, at_work_of
from takt.show.reasons import told_in_folder
from takt.show.transcript import NO_CALLS, WORKER, is_about, there_already, transcript

FILE = "words.toml"
MOST_LISTED = 8  # of a list
LONGEST = 2_000  # characters of a sentence
_FIELD = re.compile(r"\{([?!]?)(\w+)(?::(\w+))?\}")
_END = {"en": (". ", "; ", ", ", ": "), "zh": ("。", "；", "、", "：")}
_EASY = ("_after",)  # what may be empty within a part
_GENERAL = ("cycle_s", "parts", "reasons", "first_time")
_PEOPLE = {"en": ("1 person", "{n} people"), "zh": ("1 人", "{n} 人")}
_TIMES = {"en": ("once", "{n} times"), "zh": ("1 次", "{n} 次")}
_UNITS = {"en": ("{h} h {m} min", "{m} min"), "zh": ("{h} 小时 {m} 分", "{m} 分钟")}
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
_OWN = {
    "en": {"after": " after {n} s", "never": "the worker never finished", "took": "finished after {n} s"},
    "zh": {"after": "，用时 {n} 秒", "never": "作业者未完成", "took": "{n} 秒后完成"},
}
_MORE = {"en": "{n} more", "zh": "另有 {n} 项"}
_PERSON = {
    "en": {"page": "The person's page was {x}", "moves": "The person steers: {x}", "rests": "The person lets go"},
    "zh": {"page": "人员页面{x}", "moves": "人员操作：{x}", "rests": "人员松手"},
}
_PAGE = {"zh": {"opened": "已打开", "closed": "已关闭"}}
_CALLS = {"en": "The worker calls {x}", "zh": "作业者调用 {x}"}
_ASKED = {
    "en": {
        "since": "Since the last unit ended, the worker was asked {x}",
        "open": "While a unit was open, the worker was asked {x}",
        "thought": " and thought for {n} s of station time",
        "waiting": ", and {x} before, while it waited for one",
    },
    "zh": {
        "since": "自上一单元结束以来，询问作业者 {x}",
        "open": "有单元在办期间，询问作业者 {x}",
        "thought": "，思考 {n} 秒（工位时间）",
        "waiting": "；此前等待期间 {x}",
    },
}


Noted = tuple[float, tuple[str, str]]  # station time; part, and a few words


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened at `t_s` of station time: a sentence, and texts of several lines with their names."""

    t_s: float
    words: str
    texts: tuple[tuple[str, str], ...] = ()


def story(
    events: Sequence[Event], unit: int, station: str, language: str = "en", noted: Iterable[Noted] = ()
) -> list[Happening]:
    """What happened to a unit and what its worker called, in the ledger's order; what concerns no unit, and every
    fault, while it was open, also one that was there when it fell due. `noted`: what was seen besides when it was
    worked again (`takt.show.steps`)."""
    times = open_from_to(events, unit)
    if times is None:
        return []
    mine = [e for e in events if is_about(unit, e.unit, e.kind, e.t_s, times)]
    at = next((place for place, e in enumerate(mine) if e.kind == UNIT_DUE and e.unit == unit), -1) + 1
    told: list[Happening] = []
    for event in [*mine[:at], *there_already(events, unit), *mine[at:]]:
        if event.kind == SAID:
            told += _of_worker(event, station, language)
        elif event.kind != SHIFT_STARTED:
            told.append(happening(event, station, language))
    seen = [noted_happening(t_s, one, station, language) for t_s, one in noted]
    return sorted([*seen, *told], key=lambda one: one.t_s) if seen else told


def meanwhile(events: Sequence[Event], unit: int, station: str, language: str = "en") -> str:
    """The faults that were there while a unit was open, by their names; "" if there was none."""
    names = dict.fromkeys(name_of(span.name, station, language) for span in faults_of_unit(events, unit))
    return _END[language][2].join(names)


def noted_happening(t_s: float, noted: Sequence[str], station: str, language: str = "en") -> Happening:
    """What a station noted of a part ("" for all of it): part, and a few words."""
    part, what = noted
    told = name_of(what, station, language)
    words = f"{name_of(part, station, language)}{_END[language][3]}{told}" if part else told
    return Happening(t_s, _sentence([words], language))


def happening(event: Event, station: str, language: str = "en") -> Happening:
    """An event as a sentence. `station`: by the name that it is registered by."""
    every = data_of(event)
    texts = tuple(
        (field_name(key, station, language), value) for key, value in every.items() if _is_text_of_lines(value)
    )
    data = {key: value for key, value in every.items() if not _is_text_of_lines(value)}
    parts = _tables(station).get("events", {}).get(event.kind, {})
    given = parts.get(language) or parts.get("en")
    if not isinstance(given, list):
        words = [name_of(event.kind, station, language), _rest(data, station, language)]
    else:
        told = _Told(event, data, station, language)
        words = [told.part(str(one)) for one in given]
    return Happening(event.t_s, _sentence(words, language), texts)


def data_of(event: Event) -> dict[str, Any]:
    """An event's data, with what people are told of it besides."""
    besides = event.data.get(FOR_PEOPLE)
    plain = {key: value for key, value in event.data.items() if key != FOR_PEOPLE}
    return {**plain, **besides} if isinstance(besides, Mapping) else plain


def filled(template: str, event: Event, station: str, language: str = "en") -> str:
    """A sentence as `words.toml` has its parts, of this event; "" where something that it wants is not there."""
    words = _Told(event, data_of(event), station, language).part(template)
    return _sentence([words], language) if words else ""


def name_of(word: Any, station: str, language: str = "en") -> str:
    """What a fault, a reason or another word of an event is called; itself without underscores, where nobody says."""
    return _named("names", str(word), station, language)


def field_name(field: str, station: str, language: str = "en") -> str:
    """What a measured field is called."""
    return _named("fields", field, station, language)


def value_in_words(value: Any, station: str, language: str = "en") -> str:
    """A value of an event for people: no marks of JSON."""
    between = _END[language]
    if value is None:
        return "–"
    if isinstance(value, bool):
        return name_of("yes" if value else "no", station, language)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        known = value in _tables(station)["names"] or value.replace("_", "a").isidentifier()
        return name_of(value, station, language) if known else value
    if isinstance(value, Mapping):
        rows = [
            f"{name_of(k, station, language)}{between[3]}{value_in_words(v, station, language)}"
            for k, v in list(value.items())[:MOST_LISTED]
        ]
        return between[2].join([*rows, *_more(value, language)])
    if isinstance(value, (list, tuple)):
        inner = [
            " ".join(map(str, one.values() if isinstance(one, Mapping) else one))
            if isinstance(one, (list, tuple, Mapping))
            else value_in_words(one, station, language)
            for one in value[:MOST_LISTED]
        ]
        return between[2].join([*inner, *_more(value, language)])
    return str(value)


class _Told:
    """One event, of which parts of a sentence are made."""

    def __init__(self, event: Event, data: Mapping[str, Any], station: str, language: str) -> None:
        self._event, self._data, self._station, self._language = event, data, station, language

    def part(self, template: str) -> str:
        """ "" where something that it wants is not there."""
        out, at = [], 0
        for found in _FIELD.finditer(template):
            kind, name, form = found.groups()
            out.append(template[at : found.start()])
            at = found.end()
            value = self._own(name) if name.startswith("_") else self._data.get(name)
            there = bool(value) or (form == "whole" and value is not None)
            if (kind == "!" and (there or name not in self._data)) or (kind != "!" and not there and name not in _EASY):
                return ""
            if not kind:
                out.append(self._formed(value, form))
        return "".join([*out, template[at:]])

    def _formed(self, value: Any, form: str | None) -> str:
        station, language = self._station, self._language
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0
        if form == "number":
            return _number(number)
        if form == "whole":
            return str(value)
        if form in ("people", "times"):
            one, many = (_PEOPLE if form == "people" else _TIMES)[language]
            return one if number == 1 else many.format(n=_number(number))
        if form == "long":
            hours, minutes = divmod(round(number), 60)
            return _UNITS[language][0 if hours else 1].format(h=hours, m=minutes)
        if form == "count":
            return str(len(value)) if isinstance(value, (list, Mapping)) else str(value)
        if form == "keys":
            return value_in_words(list(value), station, language)
        if form in ("name", "reason"):
            several = value if isinstance(value, list) else [value]
            return _END[language][2].join(name_of(one, station, language) for one in several)
        return value_in_words(value, station, language)

    def _own(self, name: str) -> Any:
        """What follows from several fields."""
        data, own, language = self._data, _OWN[self._language], self._language
        cycle = data.get("cycle_s")
        taken = _number(cycle) if isinstance(cycle, (int, float)) else None
        if name == "_after":
            return "" if taken is None else own["after"].format(n=taken)
        if name == "_cycle":
            return own["never"] if "cycle_s" in data and taken is None else taken and own["took"].format(n=taken)
        if name == "_unit":
            return "" if self._event.unit is None else str(self._event.unit)
        if name == "_asked":
            return self._asked()
        if name == "_rest":
            return _rest(data, self._station, language)
        parts = data.get("parts")
        if name == "_parts" and isinstance(parts, Mapping):
            return _parts(parts, self._station, language)
        return None

    def _asked(self) -> str:
        """How often the worker was asked since a unit had last ended, and how often of that while it waited."""
        told, every, at_work = _ASKED[self._language], all_of(self._data), at_work_of(self._data)
        of = every if at_work is None else at_work
        seconds = told["thought"].format(n=_number(of.seconds)) if of.seconds else ""
        words = told["since" if at_work is None else "open"].format(x=self._formed(of.calls, "times")) + seconds
        waited = every.calls - of.calls
        return words + (told["waiting"].format(x=self._formed(waited, "times")) if waited else "")


def _parts(parts: Mapping[str, Any], station: str, language: str) -> str:
    rows = []
    for name, part in list(parts.items())[:MOST_LISTED]:
        if isinstance(part, Mapping) and isinstance(part.get("good"), bool):
            word = name_of("good" if part["good"] else "bad", station, language)
            why = f" ({name_of(part['why'], station, language)})" if isinstance(part.get("why"), str) else ""
            if "said" in part and "is" in part:
                told, truly = (name_of(part[key], station, language) for key in ("said", "is"))
                word, why = {"en": f"called {told}, is {truly}", "zh": f"判为{told}，实际{truly}"}[language], ""
            rows.append(f"{name_of(name, station, language)}{_END[language][3]}{word}{why}")
    return _END[language][2].join(rows)


def _of_worker(event: Event, station: str, language: str) -> Iterable[Happening]:
    """What a worker called, and what a person's hands did."""
    told, data = _PERSON[language], event.data
    if isinstance(data.get("page"), str):
        page = _PAGE.get(language, {}).get(data["page"], data["page"])
        yield Happening(event.t_s, _sentence([told["page"].format(x=page)], language))
    if isinstance(data.get("controls"), Mapping):
        held = [_control(str(k), v, station, language) for k, v in data["controls"].items() if v]
        words = told["moves"].format(x=_END[language][2].join(held)) if held else told["rests"]
        yield Happening(event.t_s, _sentence([words], language))
    for line in transcript([event]):
        if line.who == WORKER and line.what not in NO_CALLS:
            yield Happening(
                event.t_s, _sentence([_CALLS[language].format(x=_call(line.what, line.text, language))], language)
            )


def _control(name: str, value: Any, station: str, language: str) -> str:
    """What is pressed: a control's name ends in + or - where it has a direction."""
    number = value if isinstance(value, (int, float)) else 0
    hand, dot, axis = name.partition(".")
    way = name_of(f"{axis if dot else hand}{'-' if number < 0 else '+'}", station, language)
    told = f"{name_of(f'hand {hand}', station, language)}{_END[language][3]}{way}" if dot and hand != "it" else way
    return told if abs(number) >= 1 else f"{told} ({per_cent(abs(number), decimals=0)} %)"


def _call(name: str, text: str, language: str) -> str:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = text
    return f"{name} ({value_in_words(given, '', language)})" if given else name


def _rest(data: Mapping[str, Any], station: str, language: str) -> str:
    """Fields that no sentence names."""
    rows = [
        f"{field_name(key, station, language)}{_END[language][3]}{value_in_words(value, station, language)}"
        for key, value in data.items()
        if key not in _GENERAL and value not in (None, "", [], {})
    ]
    return _END[language][2].join(rows)


def _sentence(parts: Iterable[str], language: str) -> str:
    stop, between = _END[language][:2]
    said = [" ".join(part.split()) for part in parts if part and part.strip()]
    text = between.join(said)[:LONGEST]
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "。", "!", "?", "…")) else text + stop.strip()


def _more(value: Any, language: str) -> list[str]:
    return [_MORE[language].format(n=len(value) - MOST_LISTED)] if len(value) > MOST_LISTED else []


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.4g}"


def _is_text_of_lines(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value.strip()


def _named(table: str, word: str, station: str, language: str) -> str:
    """A word of a table; one with numbers in it stands there with # for each."""
    words = _tables(station).get(table, {})
    told = words.get(word, words.get(_NUMBERS.sub("#", word)))
    found = told.get(language) or told.get("en") if isinstance(told, Mapping) else None
    if not isinstance(found, str):
        return word.replace("_", " ")
    for number in _NUMBERS.findall(word):
        found = found.replace("#", number, 1)
    return found


def texts_of(station: str) -> dict[str, str]:
    """Other texts of the station's in Chinese, by the English ones: [texts]."""
    return {str(english): chinese for english, chinese in _tables(station)["texts"].items() if isinstance(chinese, str)}


@lru_cache(maxsize=64)
def _tables(station: str) -> dict[str, dict[str, Any]]:
    """The words of a registered station, over those for any."""
    everywhere = tomllib.loads((Path(__file__).parent / FILE).read_text(encoding="utf-8"))
    own = told_in_folder(station, FILE)
    return {
        table: {**everywhere.get(table, {}), **(own[table] if isinstance(own.get(table), dict) else {})}
        for table in ("events", "names", "fields", "texts")
    }
