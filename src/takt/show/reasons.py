"""Why a unit was bad, in words: what a station's inspection calls a reason, as a sentence for people.

A station's folder may hold `reasons.toml`: a table for each reason, with the sentence in languages (`en`, `zh`), its
cases (`cases`, see `takt.show.cases`), and, for workers that call tools, what an answer must show for a unit that is
bad so (`shown`, see `takt.show.seen`). It is data and is read without importing the station, so that a page can be made
where no station is opened.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from takt.contract.registry import stations

FILE = "reasons.toml"
LONGEST = 256 * 1024  # bytes of such a file
EVERYWHERE = {
    "open": {"en": "It was still open when the shift ended.", "zh": "班次结束时尚未完成。"},
    "unstated": {"en": "The station gives no reason.", "zh": "工位未说明原因。"},
    "help": {"en": "Somebody was called to help with it.", "zh": "已呼叫人员协助。"},
    "not_done": {"en": "It was not done in its time.", "zh": "未在规定时间内完成。"},
}


def in_words(station: str, reason: str, language: str = "en") -> str:
    """A reason of this station's as a sentence; the reason itself, without underscores, where there is none."""
    told = {**EVERYWHERE, **_known(station)}.get(reason, {})
    return told.get(language) or told.get("en") or reason.replace("_", " ")


def shown_rule(station: str, reason: str) -> Mapping[str, Any] | None:
    """What must have been shown: `field`, `same`, and the words for `yes` and `no` by language; None if nothing is."""
    rule = table_of(station, reason).get("shown")
    if not isinstance(rule, dict) or not isinstance(rule.get("field"), str):
        return None
    return {"same": "", **rule, **{key: rule[key] if isinstance(rule.get(key), dict) else {} for key in ("yes", "no")}}


def table_of(station: str, reason: str) -> Mapping[str, Any]:
    """What a registered station's folder says of a reason; {} if nothing."""
    found = _tables(station).get(reason)
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=64)
def _known(station: str) -> dict[str, dict[str, str]]:
    """The sentences of a registered station."""
    return {
        reason: {language: text for language, text in told.items() if isinstance(text, str)}
        for reason, told in _tables(station).items()
        if isinstance(told, dict)
    }


@lru_cache(maxsize=64)
def _tables(station: str) -> dict[str, Any]:
    return told_in_folder(station, FILE)


def told_in_folder(station: str, name: str) -> dict[str, Any]:
    """A file of a registered station's folder; {} if it has none, or one that is none."""
    point = stations().get(station)
    folder = None if point is None else _folder(point.module)
    if folder is None:
        return {}
    try:
        file = folder / name
        if file.stat().st_size > LONGEST:
            return {}
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _folder(module: str) -> Path | None:
    """Where a module's package lies, found without importing it."""
    first, *rest = module.split(".")
    try:
        found = find_spec(first)
    except (ImportError, ValueError):
        return None
    if found is None or not found.submodule_search_locations:
        return None
    at = Path(next(iter(found.submodule_search_locations))).joinpath(*rest)
    return at if at.is_dir() else at.parent
