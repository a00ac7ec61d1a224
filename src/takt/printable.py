"""Strangers' text, before it is shown: on a terminal it could move the cursor, recolour the screen, or run what it
says; in a spreadsheet a cell can be a formula; and half a surrogate pair is no text that can be written at all."""

from __future__ import annotations

import re
from typing import Any

# C0 and C1 but for tab and newline, DEL, what turns the direction of writing, and halves of surrogate pairs.
_ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Marks set upon a letter: no language writes more than three on one, and a tower of them covers its neighbours.
_TOWER = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def printable(text: str) -> str:
    """The same text without what a terminal takes for orders: each of it is a question mark in a lozenge. Of marks set
    upon one letter the first three are left."""
    text = _ORDERS.sub("\ufffd", text)
    return text if text.isascii() else _TOWER.sub(r"\1", text)


def shortened(text: str, most: int = 80) -> str:
    """The same text, or where it is longer, its beginning and its end."""
    return text if len(text) <= most else f"{text[: most - most // 3 - 5]} ... {text[-(most // 3) :]}"


def whole_text(text: str) -> str:
    """The same without halves of surrogate pairs, which cannot be stored or sent."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def whole_texts(value: Any) -> Any:
    """The same JSON value, every text in it whole."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, dict):
        return {whole_text(key) if isinstance(key, str) else key: whole_texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [whole_texts(part) for part in value]
    return value


def cell(value: Any) -> Any:
    """A cell of a CSV file: text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{printable(value)}"
    return printable(value) if isinstance(value, str) else value
