"""Random actions for any station: from its action space, or from its tools and what their schemas say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from takt.contract.station import Station


class Drawn(Iterator[Any]):
    """Actions without end. The same seed draws the same ones.

    calls   the tools by name, with the JSON schemas of their arguments.
    """

    def __init__(self, station: Station, seed: int) -> None:
        self.calls = {tool["function"]["name"]: tool["function"].get("parameters") or {} for tool in station.spec.tools}
        self._rng = np.random.default_rng(seed)
        self._space = station.action_space
        self._space.seed(seed)

    def __next__(self) -> Any:
        if not self.calls:
            return self._space.sample()
        name = str(self._rng.choice(list(self.calls)))
        schema = self.calls[name]
        arguments = {key: self._value(about, schema) for key, about in schema.get("properties", {}).items()}
        return json.dumps({"name": name, "arguments": arguments})

    def _value(self, about: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
        if "$ref" in about:
            about = schema.get("$defs", {}).get(about["$ref"].rsplit("/", 1)[-1], {})
        if "enum" in about:
            return about["enum"][int(self._rng.integers(len(about["enum"])))]
        kind = about.get("type")
        if kind == "integer":
            least = int(about.get("minimum", 0))
            return int(self._rng.integers(least, min(int(about.get("maximum", least + 9)), least + 9) + 1))
        if kind == "number":
            return float(self._rng.uniform(about.get("minimum", 0.0), about.get("maximum", 1.0)))
        if kind == "boolean":
            return bool(self._rng.integers(2))
        if kind == "array":
            return [self._value(about.get("items", {}), schema)]
        if kind == "object":
            return {key: self._value(part, schema) for key, part in about.get("properties", {}).items()}
        return str(about.get("default") or "x")

    def wrong_calls(self) -> Iterator[tuple[str, str]]:
        """Calls that no tool may carry out, each with what is wrong with it."""
        yield "a text that is no JSON", "look around"
        yield "a call without a name", '{"arguments":{}}'
        yield "a list", "[1, 2]"
        yield "a tool that there is not", '{"name":"no_such_tool","arguments":{}}'
        yield "arguments that are a number", json.dumps({"name": next(iter(self.calls)), "arguments": 7})
        yield "a call nested a thousand deep", '{"name":' + "[" * 1000 + "]" * 1000 + "}"
        yield "a call of a million characters", json.dumps({"name": "x" * 1_000_000, "arguments": {}})
        for name, schema in self.calls.items():
            yield (
                f"an argument that {name} does not have",
                json.dumps({"name": name, "arguments": {"no_such_argument": 1}}),
            )
            needed = schema.get("required") or ()
            if needed:
                yield f"{name} without {needed[0]}", json.dumps({"name": name, "arguments": {}})
                given = {key: {"no": "such kind"} for key in needed}
                yield f"{name} with an object for {needed[0]}", json.dumps({"name": name, "arguments": given})
