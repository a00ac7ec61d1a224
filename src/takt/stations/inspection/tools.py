"""The inspector's tools: look, say what it is, call a person."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from takt.contract.tools import Refused, Toolbox

PRIVILEGED = "privileged"
TOOLS = Toolbox()
Verdict = Literal["good", "bad"]


@TOOLS.tool()
def wait(
    place: Any, after: Annotated[int, Field(ge=0, description="Any number, such as the last unit's.")] = 0
) -> dict[str, Any]:
    """Do nothing for a moment."""
    return {"after": after}


@TOOLS.tool(changes=True)
def look(
    place: Any,
    where: Annotated[
        Literal["left", "right", "both", "closer", "other_angle"],
        Field(
            description="Bend over the left pin, over the right one, step back to see both, come closer, step aside."
        ),
    ],
) -> dict[str, Any]:
    """Look somewhere else, or again. The picture is in what you see next; it takes a few seconds."""
    place.need_fixture()
    return place.look_at(where)


@TOOLS.tool(changes=True)
def verdict(
    place: Any,
    left: Annotated[Verdict, Field(description="Is the left nut seated?")],
    right: Annotated[Verdict, Field(description="Is the right nut seated?")],
    why: Annotated[
        Literal["", "missed", "not_seated", "jammed", "dropped"],
        Field(description="What is wrong with the worse side, if anything; it is counted apart."),
    ] = "",
) -> dict[str, Any]:
    """Say whether the nuts of this fixture are good. Once a fixture; it leaves with that."""
    place.need_fixture()
    return place.say({"left": left, "right": right}, why)


@TOOLS.tool(changes=True)
def help(
    place: Any, why: Annotated[str, Field(max_length=400, description="What a person is to do.")]
) -> dict[str, Any]:
    """Hand this fixture to a person. The unit is lost."""
    place.need_fixture()
    return place.call_help(why)


@TOOLS.tool(only=PRIVILEGED)
def truth(place: Any, unit: Annotated[int, Field(ge=0, description="The unit on the fixture.")]) -> dict[str, Any]:
    """What is true of this fixture: for the reference worker only."""
    place.need_fixture()
    if unit != place.unit:
        raise Refused("another_unit", f"unit {place.unit} is here, not {unit}")
    return {side: one["class"] for side, one in place.truth().items()}
