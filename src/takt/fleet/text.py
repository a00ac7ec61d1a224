"""Values of a plan as TOML, so that a fleet that was begun without a file is gone on with like any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def text_of(told: Mapping[str, Any]) -> str:
    """These values as TOML, a line for each key; "" if TOML cannot say them (null, half a character)."""
    try:
        text = "".join(f"{_text(str(key))} = {_value(value)}\n" for key, value in told.items())
        text.encode()
    except (TypeError, ValueError):
        return ""
    return text


def named(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A plan's values with its name among them, so that whoever reads them elsewhere calls it the same."""
    return told if "name" in told else {"name": name, **told}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float)):
        return repr(value)  # of a float as of a whole number; inf and nan are TOML's words too
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(str(key))} = {_value(one)}' for key, one in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    raise TypeError(type(value))


def _text(text: str) -> str:
    """JSON's texts are TOML's, but for one character that TOML does not take as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
