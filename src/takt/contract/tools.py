"""The tool protocol: a station offers typed functions, and an action is a call of one, as a JSON text.

    box = Toolbox()

    @box.tool(changes=True)
    def push(place, how_far: Annotated[float, Field(gt=0, description="Metres.")]) -> dict:
        "Push the part."

    box.openai_tools()       the list that chat APIs take: name, description, JSON schema of the arguments
    box.call(place, text)    do what {"name": ..., "arguments": {...}} asks for; always an answer that is JSON

A function's signature is its schema (by Pydantic), its docstring its description; its first argument is the place where
the tool is used, and no part of the call. Every argument is described, or the tool cannot be made. Arguments of other
types, missing or unknown ones, and calls that cannot be done are answered with {"error": {"code", "message"}} and
change nothing; a call never raises for what it says.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gymnasium import Space
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from takt.contract.events import REFUSED, Event
from takt.plainly import plainly
from takt.printable import whole_texts

LONGEST = 20_000  # characters of a call
WAIT = '{"name":"wait"}'  # the call that changes nothing; a worker that waits gives arguments, and is answered

UNKNOWN_TOOL, BAD_ARGUMENTS, NOT_JSON, NOT_A_CALL = "unknown_tool", "bad_arguments", "not_json", "not_a_call"

Function = Callable[..., dict[str, Any]]


def tool_call(name: str, **arguments: Any) -> str:
    """A tool call, as an action: what a worker says that is a program."""
    return json.dumps({"name": name, "arguments": arguments}, separators=(",", ":"))


class Refused(Exception):
    """A tool call that cannot be done. `code` is for programs, the text says what to do instead."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `changes`: whether it can change anything; `only`: what a place must allow to have it, or ""."""

    name: str
    about: str
    arguments: type[BaseModel]
    function: Function
    changes: bool
    only: str

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of its arguments."""
        return self.arguments.model_json_schema()


class Toolbox(Mapping[str, Tool]):
    """The tools of a kind of station, by name, in the order in which they were made."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def tool(self, changes: bool = False, only: str = "") -> Callable[[Function], Function]:
        """Make a tool of a function. TypeError if it, or one of its arguments, is not described."""

        def register(function: Function) -> Function:
            parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
            given: dict[str, Any] = {
                p.name: (p.annotation, ... if p.default is inspect.Parameter.empty else p.default) for p in parameters
            }
            model = create_model(function.__name__, __config__=ConfigDict(extra="forbid", strict=True), **given)
            about = " ".join((function.__doc__ or "").split())
            missing = [f"argument {name!r}" for name in undescribed(model)] + ([] if about else ["docstring"])
            if missing:
                raise TypeError(f"the tool {function.__name__!r} is not described: {', '.join(missing)}")
            self._tools[function.__name__] = Tool(function.__name__, about, model, function, changes, only)
            return function

        return register

    def offered(self, allowed: Collection[str] = ()) -> list[Tool]:
        """Those of a place that allows so much."""
        return [tool for tool in self._tools.values() if not tool.only or tool.only in allowed]

    def openai_tools(self, allowed: Collection[str] = ()) -> list[dict[str, Any]]:
        """The same as chat APIs take them."""
        return [
            {"type": "function", "function": {"name": t.name, "description": t.about, "parameters": t.schema}}
            for t in self.offered(allowed)
        ]

    def call(
        self,
        place: Any,
        text: str,
        allowed: Collection[str] = (),
        ready: Callable[[Tool], None] = lambda tool: None,
        lenient: bool = True,
        plain: bool = True,
    ) -> dict[str, Any]:
        """Do one call. The answer has `tool`, and `error` if it was refused.

        allowed   what the place allows: see `Tool.only`.
        ready     is asked once a call is understood, and raises Refused if nothing can be done now.
        lenient   1.0 is a whole number, as JSON Schema says (2020-12, validation, 6.1.1), and arguments may be a JSON
                  text of an object, as some clients write them.
        plain     what is wrong is said in our words, not in Pydantic's and the JSON reader's.
        """
        name = "?"
        try:
            name, arguments = _parsed(text, lenient, plain)
            tool = self._tools.get(name)
            if tool is None or (tool.only and tool.only not in allowed):
                known = ", ".join(t.name for t in self.offered(allowed))
                raise Refused(UNKNOWN_TOOL, f"there is no tool {name!r}; there are: {known}")
            try:
                checked = tool.arguments.model_validate(arguments)
            except ValidationError as error:
                raise Refused(BAD_ARGUMENTS, _first(error, tool, plain)) from None
            ready(tool)
            given = {field: getattr(checked, field) for field in type(checked).model_fields}
            return {"tool": name, **tool.function(place, **given)}
        except Refused as error:
            return {"tool": name, "error": {"code": error.code, "message": str(error)}}


class Calls(Space[Any]):
    """The action space of a station that offers tools: calls, as texts. Any text is one; a bad one is answered."""

    def __init__(self, tools: Toolbox) -> None:
        super().__init__(None, None)
        self._names = list(tools)

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= 10 * LONGEST

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        name = self._names[int(self.np_random.integers(len(self._names)))]
        return json.dumps({"name": name, "arguments": {}}, separators=(",", ":"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calls) and self._names == other._names


class Json(Space[Any]):
    """The observation space of a station that offers tools: any JSON object. Gymnasium has no space for that."""

    def __init__(self) -> None:
        super().__init__(None, None)

    def contains(self, x: Any) -> bool:
        return isinstance(x, dict)

    def sample(self, mask: Any = None, probability: Any = None) -> dict[str, Any]:
        return {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Json)


def refusals(at_s: float, answer: Mapping[str, Any]) -> list[Event]:
    """The event that a station tells of an answer which refuses a call, at this time; none of any other answer."""
    if "error" not in answer:
        return []
    return [Event(at_s, REFUSED, None, {"tool": answer["tool"], "code": answer["error"]["code"]})]


def undescribed(model: type[BaseModel]) -> list[str]:
    """The arguments of a tool, and the fields of what they are made of, that have no description."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return [name for part in parts for name, one in part.get("properties", {}).items() if not one.get("description")]


def _parsed(text: str, lenient: bool, plain: bool) -> tuple[str, Any]:
    if len(text) > LONGEST:
        raise Refused(NOT_JSON, f"a call has {LONGEST} characters at most, not {len(text)}")
    try:
        said = json.loads(text)
        _check_whole(said)
    except (ValueError, RecursionError) as error:
        why = plainly(error) if plain else str(error)
        raise Refused(NOT_JSON, f'a call is JSON, {{"name": ..., "arguments": {{...}}}}: {why}') from None
    if not isinstance(said, dict) or not isinstance(said.get("name"), str) or set(said) - {"name", "arguments"}:
        raise Refused(NOT_A_CALL, 'a call is {"name": ..., "arguments": {...}} and nothing else')
    arguments = said.get("arguments", {})
    if lenient and isinstance(arguments, str):
        with suppress(ValueError, RecursionError):
            arguments = json.loads(arguments)
            _check_whole(arguments)
    if not isinstance(arguments, dict):
        raise Refused(BAD_ARGUMENTS, f"the arguments of {said['name']} are an object, not a {_kind(arguments)}")
    return said["name"], {key: _whole(value) for key, value in arguments.items()} if lenient else arguments


def _check_whole(said: Any) -> None:
    """Half of a surrogate pair is no character: it cannot be stored, and another one in its place was not said."""
    if whole_texts(said) != said:
        raise Refused(BAD_ARGUMENTS, "a text in it has half of a surrogate pair (\\ud800 to \\udfff): no character")


def _whole(value: Any) -> Any:
    """Whole numbers as such, however they are written; also those within a list."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return [_whole(part) for part in value] if isinstance(value, list) else value


def _kind(value: Any) -> str:
    return {list: "list", str: "text", type(None): "null"}.get(type(value), "number")


def _first(error: ValidationError, tool: Tool, plain: bool) -> str:
    takes = ", ".join(tool.arguments.model_fields) or "none"
    if plain:
        return f"{tool.name}: {plainly(error)}; its arguments are: {takes}"
    wrong = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in wrong["loc"]) or "arguments"
    return f"{tool.name}: {where}: {wrong['msg'].lower()}; its arguments are: {takes}"
