"""In which form a model makes its calls: -w calls=tools | schema | text.

tools    the API's own tool calling: the server's template shows the tools, its parser reads the calls.
schema   the tools are told in words, and every answer is held to a JSON schema of one call (`response_format`, which
         llama.cpp makes a grammar of): for models and servers that know no tool calling.
text     the tools are told in words, and calls are read out of whatever the model writes (`spoken.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from takt.workers.calls import as_text

CALLS = ("tools", "schema", "text")
ANSWER = 'Answer with one JSON object and nothing else: {"name": TOOL, "arguments": {...}}. Tools and their arguments:'
RESULT = "Result: "  # before what a call returned, where that is told as a user's message
DEEPEST = 8  # references within references of a schema


def told(tools: Iterable[Mapping[str, Any]]) -> str:
    """The tools in words, a line each: name, arguments with their kinds, what it does."""
    lines = [ANSWER]
    for tool in tools:
        function = tool["function"]
        given = function["parameters"].get("properties", {})
        needed = set(function["parameters"].get("required", given))
        arguments = ", ".join(f'"{key}"{"" if key in needed else "?"}: {_kind(about)}' for key, about in given.items())
        about = f"  {' '.join(function['description'].split())}" if function.get("description") else ""
        lines.append(f"{function['name']} {{{arguments}}}{about}")
    return "\n".join(lines)


def response_format(tools: Sequence[Mapping[str, Any]], whole: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The field of a request that holds an answer to one call of these tools.

    whole   the station's own tools, whose schemas say more of an argument than a short view does.
    """
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in whole}
    ways = []
    for tool in tools:
        function = tool["function"]
        full = schemas[function["name"]]
        kinds = inlined(full, full).get("properties", {})
        given = {key: kinds[key] for key in function["parameters"].get("properties", {}) if key in kinds}
        needed = [key for key in function["parameters"].get("required", ()) if key in given]
        arguments = {"type": "object", "properties": given, "required": needed, "additionalProperties": False}
        call = {"name": {"const": function["name"]}, "arguments": arguments}
        ways.append(
            {"type": "object", "properties": call, "required": ["name", "arguments"], "additionalProperties": False}
        )
    return {"type": "json_schema", "json_schema": {"name": "call", "schema": {"anyOf": ways}}}


def inlined(schema: Any, whole: Mapping[str, Any], depth: int = 0) -> Any:
    """A JSON schema with what it refers to ("#/$defs/Leg") in the place of the reference, and without its words."""
    if isinstance(schema, list):
        return [inlined(part, whole, depth) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    if isinstance(schema.get("$ref"), str) and depth < DEEPEST:
        found: Any = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found.get(step, {}) if isinstance(found, Mapping) else {}
        return inlined(found, whole, depth + 1)
    kept = {key: part for key, part in schema.items() if key not in ("$defs", "description", "title", "default")}
    properties = schema.get("properties")
    if isinstance(properties, Mapping):  # an argument may be called "title"
        kept["properties"] = {key: inlined(part, whole, depth) for key, part in properties.items()}
    return {key: part if key == "properties" else inlined(part, whole, depth) for key, part in kept.items()}


def as_examples(rows: Iterable[Mapping[str, Any]], calls: str) -> list[dict[str, Any]]:
    """Conversations of `takt export --format trl` as messages that come before a shift's own, in this form."""
    messages: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        ids: list[str] = []
        for message in row["messages"]:
            if message["role"] == "system":
                continue
            made = [call["function"] for call in message.get("tool_calls", ())]
            if calls != "tools":
                if made:
                    text = json.dumps(made[0], ensure_ascii=False)
                    messages.append({"role": "assistant", "content": text})
                elif message["role"] == "tool":
                    messages.append({"role": "user", "content": RESULT + message["content"]})
                else:
                    messages.append({"role": message["role"], "content": message["content"]})
            elif made:
                ids = [f"example_{number}_{len(messages)}_{at}" for at in range(len(made))]
                said = [
                    {
                        "id": own,
                        "type": "function",
                        "function": {"name": f["name"], "arguments": as_text(f["arguments"])},
                    }
                    for own, f in zip(ids, made, strict=True)
                ]
                messages.append({"role": "assistant", "content": message.get("content") or "", "tool_calls": said})
            elif message["role"] == "tool":
                own = ids.pop(0) if ids else "example"
                messages.append({"role": "tool", "tool_call_id": own, "content": message["content"]})
            else:
                messages.append({"role": message["role"], "content": message["content"]})
    return messages


def _kind(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "any"
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kinds = [schema["type"]] if "type" in schema else [_kind(way) for way in schema.get("anyOf", ())]
    return " | ".join(str(kind) for kind in kinds) or "object"
