"""The tool protocol: who makes a tool must describe it, and whatever a call says is answered."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from takt.contract.tools import LONGEST, Calls, Refused, Toolbox

BOX = Toolbox()


class Part(BaseModel):
    size: int


@BOX.tool()
def look(place: list[int], rows: Annotated[int, Field(ge=1, description="Rows at most.")] = 5) -> dict[str, Any]:
    """What is there."""
    return {"rows": place[:rows]}


@BOX.tool(changes=True)
def put(place: list[int], number: Annotated[int, Field(description="Which.")]) -> dict[str, Any]:
    """Put a number down."""
    if number in place:
        raise Refused("there_already", f"{number} lies there")
    place.append(number)
    return {"put": number}


@BOX.tool(changes=True, only="key")
def clear(place: list[int]) -> dict[str, Any]:
    """Take everything away."""
    place.clear()
    return {}


def ask(place: list[int], name: str, **arguments: Any) -> dict[str, Any]:
    return BOX.call(place, json.dumps({"name": name, "arguments": arguments}))


def test_a_call_is_done_and_answered() -> None:
    place: list[int] = []
    assert ask(place, "put", number=3) == {"tool": "put", "put": 3}
    assert ask(place, "put", number=4.0) == {"tool": "put", "put": 4}, "4.0 is a whole number in JSON Schema"
    assert BOX.call(place, '{"name":"look","arguments":"{\\"rows\\":1}"}') == {"tool": "look", "rows": [3]}


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("look", "not_json", "a call is JSON"),
        ("[" * 5000, "not_json", "a call is JSON"),
        (json.dumps({"name": "look", "arguments": {}}) + " " * LONGEST, "not_json", "characters at most"),
        ('{"arguments":{}}', "not_a_call", "and nothing else"),
        ('{"name":"look","also":1}', "not_a_call", "and nothing else"),
        ('{"name":"look","arguments":[1]}', "bad_arguments", "an object, not a list"),
        ('{"name":"jump"}', "unknown_tool", "there are: look, put"),
        ('{"name":"clear"}', "unknown_tool", "there are: look, put"),
        ('{"name":"look","arguments":{"lines":1}}', "bad_arguments", "its arguments are: rows"),
        ('{"name":"look","arguments":{"rows":0}}', "bad_arguments", "look: rows"),
        ('{"name":"put","arguments":{}}', "bad_arguments", "put: number"),
        ('{"name":"put","arguments":{"number":true}}', "bad_arguments", "put: number"),
        ('{"name":"put","arguments":{"number":7}}', "there_already", "7 lies there"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_code_and_changes_nothing(text: str, code: str, says: str) -> None:
    place = [7]
    error = BOX.call(place, text)["error"]
    assert error["code"] == code and says in error["message"] and place == [7]


def test_a_place_has_what_it_allows_and_no_more() -> None:
    assert [tool.name for tool in BOX.offered()] == ["look", "put"]
    assert [tool["function"]["name"] for tool in BOX.openai_tools(("key",))] == ["look", "put", "clear"]
    place = [1]
    assert BOX.call(place, '{"name":"clear"}', ("key",)) == {"tool": "clear"} and place == []


def test_a_place_that_is_not_ready_refuses_what_it_understood() -> None:
    def closed(tool: Any) -> None:
        if tool.changes:
            raise Refused("closed", "come back tomorrow")

    place: list[int] = []
    assert BOX.call(place, '{"name":"put","arguments":{"number":1}}', ready=closed)["error"]["code"] == "closed"
    assert BOX.call(place, '{"name":"look"}', ready=closed) == {"tool": "look", "rows": []} and place == []


def test_a_tool_is_described_or_it_is_none() -> None:
    box = Toolbox()
    with pytest.raises(TypeError, match=r"'bare' is not described: argument 'size', docstring"):

        @box.tool()
        def bare(place: Any, part: Annotated[Part, Field(description="A part.")]) -> dict[str, Any]:
            return {}

    assert not box


def test_what_the_action_space_draws_is_a_call() -> None:
    space = Calls(BOX)
    space.seed(0)
    drawn = {json.loads(space.sample())["name"] for _ in range(50)}
    assert drawn == {"look", "put", "clear"} and space.contains("anything at all") and not space.contains(3)
