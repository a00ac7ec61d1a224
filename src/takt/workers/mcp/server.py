"""A station as an MCP server: its tools, and the job in words, by the official SDK.

The tools are those of `StationSpec.tools`. Those that only look (`StationSpec.looks`) get one argument more, `seen`:
clients stop a model that makes the same call again and again, and a model that waits does nothing else. It is taken off
again here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from takt.contract.station import StationSpec
from takt.distribution import version
from takt.printable import printable
from takt.workers.calls import LEARNT, as_text, refused
from takt.workers.mcp.window import Window

SEEN = "seen"
MOVES = {
    "type": "number",
    "description": "`now_s` of the last answer. It changes nothing but makes each call another one, "
    "for some clients stop at the same call made again and again.",
}
MALFORMED = "malformed"  # what the arguments of a call that is none are handed on as
BRIEF = "takt://brief"
SHIFT = "shift"
LONGEST_CLIENT = 100  # characters of a client's name
HOW = f"""
You work through these tools only. Time passes while you think and with every call. Where a tool takes `seen`, give \
the `now_s` of the last answer. `wait` is answered when somebody comes. Go on, call after call, until an answer says \
that the shift is over; if you stop before, the rest of the shift goes by without you. {LEARNT}"""


def server_of(spec: StationSpec, window: Window, secret: str = "") -> Server[Any]:  # nosec B107  # none
    """The server of a station, whose calls go to `window`. `secret` is taken out of what a client says."""
    tools = [_tool(tool["function"], spec.looks) for tool in spec.tools]
    looks = {tool["function"]["name"] for tool in spec.tools} & set(spec.looks)
    brief = f"{spec.brief}\n{HOW}".strip()

    async def list_tools(_: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(ctx: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        given = dict(params.arguments or {})
        if params.name in looks:
            given.pop(SEEN, None)
        arguments = given[MALFORMED] if set(given) == {MALFORMED} else given
        text = arguments if isinstance(arguments, str) else as_text(arguments)
        call = [_clean(part, secret) for part in (params.name, text)]
        call.append(_clean(_client(ctx), secret)[:LONGEST_CLIENT])  # cut last, or half of the secret would stay
        answer = await asyncio.wrap_future(window.ask(*call))
        return _result(answer)

    async def list_prompts(_: Any, params: Any) -> types.ListPromptsResult:
        about = "The job, and how to work here."
        return types.ListPromptsResult(prompts=[types.Prompt(name=SHIFT, title="Work the shift", description=about)])

    async def get_prompt(_: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        if params.name != SHIFT:
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no prompt {params.name!r}; there is: {SHIFT}")
        told = types.PromptMessage(role="user", content=types.TextContent(text=brief))
        return types.GetPromptResult(description="The job, and how to work here.", messages=[told])

    async def list_resources(_: Any, params: Any) -> types.ListResourcesResult:
        brief_of = types.Resource(uri=BRIEF, name="brief", title="The job in words", mime_type="text/plain")
        return types.ListResourcesResult(resources=[brief_of])

    async def read_resource(_: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        if str(params.uri) != BRIEF:
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no {params.uri}; there is: {BRIEF}")
        told = types.TextResourceContents(uri=BRIEF, mime_type="text/plain", text=brief)
        return types.ReadResourceResult(contents=[told])

    server: Server[Any] = Server(
        f"takt-{spec.station}",
        version=version(),
        title=f"Takt: a shift at {spec.station}",
        instructions=brief,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )
    server.middleware.append(_whole)
    return server


async def _whole(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> Any:
    """A call that is malformed as a message is made whole, so that the station refuses it, and it is counted."""
    params = ctx.params
    if ctx.method == "tools/call" and isinstance(params, Mapping):
        name, arguments = params.get("name"), _object(params.get("arguments"))
        as_given = arguments is params.get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, dict | None) or not as_given:
            made = {**params, "name": name if isinstance(name, str) else "?"}
            made["arguments"] = arguments if isinstance(arguments, dict) else {MALFORMED: as_text(arguments)}
            ctx = replace(ctx, params=made)
    return await call_next(ctx)


def _object(arguments: Any) -> Any:
    """Arguments that a client wrote as JSON text, as the object that they are; all else as it is."""
    if not isinstance(arguments, str):
        return arguments
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    return found if isinstance(found, dict) else arguments


def _tool(function: Mapping[str, Any], looks: tuple[str, ...]) -> types.Tool:
    name, schema = function["name"], dict(function["parameters"])
    reads = name in looks
    if reads:
        asked = list(schema.get("required", ()))
        schema["properties"] = {**schema.get("properties", {}), SEEN: MOVES}
        if not asked:  # nothing else need differ from call to call
            schema["required"] = [SEEN]
    hints = types.ToolAnnotations(
        read_only_hint=reads, destructive_hint=not reads, idempotent_hint=reads, open_world_hint=False
    )
    return types.Tool(name=name, description=function["description"], input_schema=schema, annotations=hints)


def _result(answer: Any) -> types.CallToolResult:
    """What the station answered, or why it does not any more. A refusal is an error that the client can act on."""
    if isinstance(answer, str):
        return types.CallToolResult(content=[types.TextContent(text=answer)])
    content: list[types.ContentBlock] = [types.TextContent(text=as_text(answer.told))]
    for picture in answer.pictures:
        content.append(types.ImageContent(data=picture.base64, mime_type="image/png"))
    return types.CallToolResult(content=content, is_error=refused(answer.told))


def _client(ctx: ServerRequestContext[Any]) -> str:
    params = ctx.session.client_params
    if params is None:
        return ""
    return printable(f"{params.client_info.name} {params.client_info.version}")


def _clean(text: str, secret: str) -> str:
    """Without the secret, and without halves of surrogate pairs, which cannot be stored."""
    text = text.replace(secret, "[token]") if secret else text
    return text.encode("utf-8", "replace").decode()
