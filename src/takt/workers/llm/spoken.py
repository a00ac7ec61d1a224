"""Tool calls that a model wrote as text: where no server parses them, or where it is asked to write them so.

Read are the forms that small models fall into of their own accord or are taught: JSON objects with a name and
arguments, bare, in a list, in a fence or between tags (Hermes, Qwen, Mistral, Llama 3), and the XML of Qwen 3.5
(<function=NAME><parameter=KEY>VALUE</parameter></function>).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from takt.workers.llm.answer import Call

MOST_CALLS = 16  # of one answer; what is more is a model in a loop
LONGEST = 100_000  # characters that are looked at
NAMES = ("name", "tool", "tool_name", "function", "action")
ARGUMENTS = ("arguments", "parameters", "args", "input", "params")
_FUNCTION = re.compile(r"<function[=\s]+\"?(?P<name>[^\s<>\"]+)\"?>(?P<body>.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter[=\s]+\"?(?P<key>[^\s<>\"]+)\"?>\n?(?P<value>.*?)\n?(?:</parameter>|\Z)", re.DOTALL)


def calls_in(text: str, names: Collection[str]) -> tuple[Call, ...]:
    """The calls of these tools that are written in a text, in order. An object that names another tool is a call too
    if it has arguments: the station refuses it, and the model learns that there is no such tool."""
    text = text[:LONGEST]
    found = [_of_xml(match) for match in _FUNCTION.finditer(text)]
    if not found:
        found = [call for value in _values(text) for call in _of_json(value, names)]
    return tuple(found[:MOST_CALLS])


def _of_xml(match: re.Match[str]) -> Call:
    given = {part["key"]: _value(part["value"]) for part in _PARAMETER.finditer(match["body"])}
    return Call(match["name"], json.dumps(given, ensure_ascii=False))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _values(text: str) -> Iterator[Any]:
    """Every JSON object or list that stands in a text, the outermost ones."""
    decoder, at = json.JSONDecoder(), 0
    while True:
        starts = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
        if not starts:
            return
        at = min(starts)
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        yield value


def _of_json(value: Any, names: Collection[str]) -> Iterator[Call]:
    if isinstance(value, list):
        for part in value[:MOST_CALLS]:
            if isinstance(part, Mapping):
                yield from _of_json(part, names)
        return
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("function"), Mapping):  # as the API itself has it
        value = value["function"]
    if isinstance(value.get("calls"), list):
        yield from _of_json(value["calls"], names)
        return
    name = next((value[key] for key in NAMES if isinstance(value.get(key), str)), None)
    key = next((key for key in ARGUMENTS if key in value), None)
    if name is not None and (key is not None or name in names):
        given = value[key] if key is not None else {}
        yield Call(name, given if isinstance(given, str) else json.dumps(given, ensure_ascii=False))
    elif name is None and len(value) == 1:  # {"propose": {"group": "7"}}
        [(name, given)] = value.items()
        if name in names and isinstance(given, Mapping):
            yield Call(str(name), json.dumps(given, ensure_ascii=False))
