"""A station's tools as forms: which input each argument has, from its JSON schema (the one that agents get)."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIRST_KEYS = 9  # tools that have the keys 1 to 9; the others, a letter of their name where one is left
ROW_KEY = "u"  # goes to a row


@dataclass(frozen=True, slots=True)
class Field:
    """One argument, or one field of an argument's rows.

    kind   "text", "whole", "number", "yes", "choice", "texts" (a list, by commas), "rows" (a list of objects, each of
           `fields`), or "json" for what has no input of its own.
    """

    name: str
    kind: str
    about: str
    required: bool
    default: Any = None
    choices: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """One tool. `key`, of the keyboard, opens it; "" if there are none left."""

    name: str
    about: str
    changes: bool
    fields: tuple[Field, ...]
    key: str = ""


def forms_of(tools: Sequence[Mapping[str, Any]], looks: Sequence[str]) -> list[Form]:
    """A form for each tool, in the station's order."""
    made: list[Form] = []
    left = [one for one in string.digits[1:] + string.ascii_lowercase if one != ROW_KEY]
    for tool in tools:
        function = tool["function"]
        schema = function.get("parameters") or {}
        fields = _fields(schema, schema.get("$defs") or {})
        name = str(function["name"])
        key = next((one for one in [*left[: max(0, FIRST_KEYS - len(made))], *name.lower(), *left] if one in left), "")
        left = [one for one in left if one != key]
        made.append(Form(name, function.get("description", ""), name not in looks, fields, key))
    return made


def _fields(schema: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[Field, ...]:
    required = set(schema.get("required") or ())
    return tuple(
        _field(name, _whole(one, known), name in required, known)
        for name, one in (schema.get("properties") or {}).items()
    )


def _field(name: str, schema: Mapping[str, Any], required: bool, known: Mapping[str, Any]) -> Field:
    kind, choices = "json", tuple(schema.get("enum") or ())
    fields: tuple[Field, ...] = ()
    of = schema.get("type")
    if of == "boolean" and required and schema.get("default") is None:
        choices = (True, False)  # a box that is not ticked would be an answer that nobody gave
    if choices:
        kind = "choice"
    elif of == "array":
        items = _whole(schema.get("items") or {}, known)
        kind = "texts" if items.get("type") == "string" else "rows" if items.get("type") == "object" else "json"
        fields = _fields(items, known) if kind == "rows" else ()
    else:
        kind = {"string": "text", "integer": "whole", "number": "number", "boolean": "yes"}.get(str(of), "json")
    return Field(
        name=name,
        kind=kind,
        about=str(schema.get("description", "")),
        required=required,
        default=schema.get("default"),
        choices=choices,
        least=schema.get("minimum", schema.get("exclusiveMinimum")),
        most=schema.get("maximum", schema.get("exclusiveMaximum")),
        fields=fields,
    )


def _whole(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with what it refers to; of "this or null", this."""
    if "$ref" in schema:
        found = known.get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    some = [one for one in schema.get("anyOf") or () if one.get("type") != "null"]
    if len(some) == 1:
        return {**_whole(some[0], known), **{key: value for key, value in schema.items() if key != "anyOf"}}
    return schema


def filling(row: Mapping[str, Any], around: Mapping[str, Any], forms: Sequence[Form]) -> str:
    """What a row of a result fills into forms, as JSON: those of its values, and of what is around it, that some tool
    takes as an argument; "" if its own are none."""
    fields = {field.name: field for form in forms for field in form.fields}
    own = {key: _fit(value, fields[key]) for key, value in row.items() if key in fields and value not in (None, [], "")}
    own = {key: value for key, value in own.items() if value is not None}
    if not own:
        return ""
    outer = {key: value for key, value in around.items() if key in fields and isinstance(value, (str, int, float))}
    return json.dumps({**outer, **own}, ensure_ascii=False)


def _fit(value: Any, field: Field) -> Any:
    """A value as this field takes it: of rows, those columns that the field has. None if it does not fit."""
    if field.kind == "rows":
        names = {one.name for one in field.fields}
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            return None
        return [{key: part for key, part in one.items() if key in names} for one in value]
    if field.kind == "texts":
        return value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None
    return value if isinstance(value, (str, int, float)) else None
