"""What is made in English elsewhere (names of figures, sentences of verdicts and comparisons, sections of a station) in
Chinese: by a table of texts, in which {a} stands for any text, {n} for a number and {_a} for a text that is looked
up itself.

The table is `chinese.toml` here, and [texts] in a station's `words.toml`. What stands in none stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from takt.show.happened import name_of, texts_of
from takt.workers.person.hatch import AGAIN
from takt.workers.person.worker import OVER

FILE = "chinese.toml"
LONGEST = 4_000  # characters of a text that is looked up
LONGEST_MADE = 600  # of one that a short pattern may be of: what a stranger writes takes no time to look up
LONG = 200  # characters of a pattern that may be of a longer one
_ONE = re.compile(r"\b1 unit\b")
_PLACE = re.compile(r"\{(\w+)\}")


def said(text: str, language: str, station: str = "") -> str:
    """A text of ours in this language."""
    if language == "en" or not text or len(text) > LONGEST:
        return text
    return _chinese(text, station)


@lru_cache(maxsize=8_192)
def _chinese(text: str, station: str) -> str:
    head = text.strip()
    exact, patterns = _table(station)
    if head in exact:
        return exact[head]
    if head.endswith(".") and not head.endswith(".."):
        found = _chinese(head[:-1], station)
        return text if found == head[:-1] else f"{found.rstrip('。')}。"
    several = "; " in head
    for told in dict.fromkeys((head, _ONE.sub("1 units", head))):  # of which there is but one form in Chinese
        for one in patterns:
            found_by = one.groups(told) if one.of_several or not several else None
            if found_by is not None:
                return _filled(one.chinese, found_by, station)
    if several:
        found_of = [_chinese(one, station) for one in head.split("; ")]
        return text if found_of == head.split("; ") else "；".join(found_of)
    parts = head.split(", ")
    named = [_named(one, station) for one in parts]
    return text if named == parts else "、".join(named)


def _named(text: str, station: str) -> str:
    """A reason or a fault by its name, if it is one."""
    name = text.replace(" ", "_")
    found = name_of(name, station, "zh")
    return text if found == name.replace("_", " ") else found


def short_texts(station: str) -> dict[str, str]:
    """What a page's script may be handed to say itself: short texts of the station's, Chinese by English."""
    every = {english: chinese for english, chinese in texts_of(station).items() if len(english) < 40}
    return every | {told: said(told, "zh") for told in (OVER, AGAIN)}


def _filled(chinese: str, found: Mapping[str, str], station: str) -> str:
    told = {name: _chinese(one, station) if name[0] == "_" else one for name, one in found.items()}
    return _PLACE.sub(lambda place: told[place[1]], chinese)


@lru_cache(maxsize=64)
def _table(station: str) -> tuple[Mapping[str, str], list[_Pattern]]:
    """Texts as they are, and patterns: those first that begin with a text of their own, and of those the longest. Of a
    text of several parts (with "; ") each is looked up by itself, unless a pattern is of several, too."""
    ours = tomllib.loads((Path(__file__).parent / FILE).read_text(encoding="utf-8"))
    told = {**ours["texts"], **texts_of(station)}
    every = {english.removesuffix("."): chinese.removesuffix("。") for english, chinese in told.items()}
    patterns = [one for one in every.items() if _PLACE.search(one[0])]
    patterns.sort(key=lambda one: (one[0][0] == "{", -len(one[0])))
    return {k: v for k, v in every.items() if not _PLACE.search(k)}, [_Pattern.of(*one) for one in patterns]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A text with places: `between` is what stands between them."""

    between: tuple[str, ...]
    regex: re.Pattern[str]
    chinese: str
    of_several: bool

    @classmethod
    def of(cls, english: str, chinese: str) -> _Pattern:
        parts = _PLACE.split(english)  # text, name, text, name, ...
        made = "".join(_group(one, at == 1) if at % 2 else re.escape(one) for at, one in enumerate(parts))
        return cls(tuple(parts[::2]), re.compile(made, re.S), chinese, "; " in english)

    def groups(self, text: str) -> dict[str, str] | None:
        """What stands in the places. What stands between them is looked for first: that takes no time."""
        between, at = self.between, 0
        if len(text) > LONGEST_MADE and sum(map(len, between)) < LONG:
            return None
        if not (text.startswith(between[0]) and text.endswith(between[-1])):
            return None
        for one in between:
            at = text.find(one, at) + len(one)
            if at < len(one):
                return None
        match = self.regex.fullmatch(text)
        return match.groupdict() if match else None


def _group(name: str, first: bool) -> str:
    """The first takes as little as it can."""
    return f"(?P<{name}>[-+0-9.,]+)" if name[0] == "n" else f"(?P<{name}>.+{'?' if first else ''})"
