"""What a server sent, as an answer: one reader for whole answers and for streams of pieces.

Whatever comes is read as far as it makes sense. What is an answer at all becomes a `Reply`, with what is odd about it
said in `odd`; everything else is a `NoAnswer` with the server's own words. Nothing else is ever raised here.

Streams are server-sent events (WHATWG HTML, 9.2). Servers differ in what the pieces of a tool call carry: the id and
the name once or with every piece, several calls under one index, arguments as an object, no index at all.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from takt.workers.llm.refusals import NoAnswer, no_error, words_of

REASONING = ("reasoning_content", "reasoning")  # the field has two names, and servers change theirs
MOST_TOKENS = 10**12  # of one request or answer; a count above it is none
_THINKS = "think|thinking|thought|reasoning"
_THOUGHT = re.compile(
    rf"<({_THINKS})>(?P<xml>.*?)(?:</\1>|\Z)|\[THINK\](?P<mistral>.*?)(?:\[/THINK\]|\Z)"
    r"|<\|channel\|>analysis<\|message\|>(?P<harmony>.*?)(?:<\|end\|>|(?=<\|start\|>)|\Z)",
    re.DOTALL,
)
_UNOPENED = re.compile(rf"\A(?P<thought>.*?)(?:</(?:{_THINKS})>|\[/THINK\])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as the model wrote it; `arguments` may be anything."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `raw` is the assistant message as it came; `usage` is None if the server does not count.

    finish   why the model stopped, by the server: not to be trusted.
    odd      what was odd about its form: "malformed_call", a tool call that names nothing; "malformed_content", what
             is neither text nor parts.
    """

    text: str
    reasoning: str
    calls: tuple[Call, ...]
    usage: Mapping[str, int] | None
    raw: Mapping[str, Any]
    finish: str
    odd: tuple[str, ...] = ()


def whole(body: bytes) -> Reply:
    """The answer that a body is. Raises NoAnswer."""
    answer = _json(body, "not_an_answer")
    if not isinstance(answer, Mapping):
        raise NoAnswer("not_an_answer", f"the server answers with no object: {words_of(answer)}")
    no_error(answer, alone=True)
    choice = _first(answer.get("choices"))
    if choice is None:
        raise NoAnswer("not_an_answer", f"the server answers with no message: {words_of(answer)}")
    no_error(choice)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        message = choice.get("delta")  # a server that forgot that it was not to stream
    if not isinstance(message, Mapping):
        if not isinstance(choice.get("text"), str):
            raise NoAnswer("not_an_answer", f"the server answers with no message: {words_of(answer)}")
        message = {"role": "assistant", "content": choice["text"]}
    return _reply(dict(message), _finish(choice), _usage(answer.get("usage")))


class Stream:
    """A stream being read: `feed` it bytes as they come, then ask for its `reply`. Both raise NoAnswer."""

    def __init__(self) -> None:
        self.done = False  # [DONE] has come: nothing after it counts
        self._rest = b""
        self._data: list[str] = []
        self._event = ""
        self._parts: dict[str, str] = {}
        self._calls: list[dict[str, Any]] = []
        self._at: dict[Any, int] = {}  # which of the calls an index means now
        self._finish = ""
        self._usage: Mapping[str, int] | None = None
        self._odd: list[str] = []
        self._chosen = False  # whether there was any choice at all

    def feed(self, received: bytes) -> None:
        lines = re.split(rb"\r\n|\n|\r(?!\Z)", self._rest + received)
        self._rest = lines.pop()
        for line in lines:
            if self.done:
                return
            self._line(line)

    def reply(self) -> Reply:
        """The answer, now that nothing more comes."""
        if not self.done:
            self._line(self._rest)
            self._dispatch()
        if not self._finish and not self.done:
            raise NoAnswer("broken_stream", "the stream ended in the middle of the answer")
        if not self._chosen:
            raise NoAnswer("not_an_answer", "the server answers with no message: a stream without a choice")
        message: dict[str, Any] = {"role": "assistant", **self._parts}
        if self._calls:
            message["tool_calls"] = [
                {"type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
                for call in self._calls
            ]
        return _reply(message, self._finish, self._usage, self._odd)

    def _line(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").removeprefix("\ufeff")
        if not text.strip():
            self._dispatch()
        elif text.startswith("data:"):
            self._data.append(text[5:].removeprefix(" "))
        elif text.startswith("event:"):
            self._event = text[6:].strip()
        elif text.lstrip().startswith("{"):  # lines of JSON without a word before them
            self._data.append(text)

    def _dispatch(self) -> None:
        data, self._data, event, self._event = self._data, [], self._event, ""
        if not any(part.strip() for part in data):
            return
        try:
            pieces = [json.loads("\n".join(data), parse_constant=str)]
        except (ValueError, RecursionError):  # events without an empty line between them, the last of them [DONE]
            pieces = []
            for part in data:
                if part.strip() == "[DONE]":
                    pieces.append(None)
                elif part.strip():
                    pieces.append(_json(part.encode(), "broken_stream"))
        for piece in pieces:
            if piece is None:
                self.done = True
                return
            if event == "error" and not (isinstance(piece, Mapping) and piece.get("error")):
                piece = {"error": piece}
            self._piece(piece)

    def _piece(self, piece: Any) -> None:
        if not isinstance(piece, Mapping):
            self._odd.append("malformed_piece")
            return
        no_error(piece)
        self._usage = _usage(piece.get("usage")) or self._usage
        choice = _first(piece.get("choices"))
        if choice is None:
            return
        self._chosen = True
        no_error(choice)
        self._finish = _finish(choice) or self._finish
        delta = choice.get("delta")
        if not isinstance(delta, Mapping):
            delta = choice.get("message")  # the whole, once
        if not isinstance(delta, Mapping):
            if isinstance(choice.get("text"), str):
                self._parts["content"] = self._parts.get("content", "") + choice["text"]
            elif choice.get("delta") is not None:
                self._odd.append("malformed_piece")
            return
        content = delta.get("content")
        if not isinstance(content, (str, list, type(None))):
            self._odd.append("malformed_content")
        for field, told in (
            ("content", _text(content)),
            (REASONING[0], _thought(content)),
            *((name, _text(delta.get(name))) for name in REASONING),
        ):
            if told:
                self._parts[field] = self._parts.get(field, "") + told
        calls = delta.get("tool_calls")
        if calls is None and isinstance(delta.get("function_call"), Mapping):
            calls = [{"index": 0, "function": delta["function_call"]}]
        for part in calls if isinstance(calls, list) else [calls] if calls else []:
            self._call(part)

    def _call(self, piece: Any) -> None:
        """A piece of a tool call. A new id with a name is a new call, also under the same index; a name is set once."""
        if not isinstance(piece, Mapping):
            self._odd.append("malformed_call")
            return
        name, arguments = _named(piece)
        key = piece.get("id") if isinstance(piece.get("id"), str) and piece.get("id") else None
        index = piece.get("index")
        if not isinstance(index, int):
            index = None
        at = self._at.get(index, -1) if index is not None else self._by_id(key, name)
        call = self._calls[at] if at >= 0 else None
        if call is None or (name and _begins_another(call, name, key)):
            call = {"id": key, "name": "", "arguments": ""}
            at = len(self._calls)
            self._calls.append(call)
        if index is not None:
            self._at[index] = at
        call["id"] = call["id"] or key
        call["name"] = call["name"] or name
        if isinstance(arguments, str):
            call["arguments"] += arguments
        elif arguments is not None:
            call["arguments"] = _spelled(arguments)

    def _by_id(self, key: str | None, name: str) -> int:
        """Which call a piece without an index belongs to; -1 for a new one."""
        if key is not None:
            return next((at for at, call in enumerate(self._calls) if call["id"] == key), -1)
        last = len(self._calls) - 1
        if last >= 0 and name and self._calls[last]["name"] and _is_whole(self._calls[last]["arguments"] or "x"):
            return -1
        return last


def _begins_another(call: Mapping[str, Any], name: str, key: str | None) -> bool:
    """Whether a piece with a name does not belong to this call."""
    if key is not None:
        return call["id"] not in (None, key)
    return call["name"] not in ("", name) and _is_whole(call["arguments"])


def _reply(
    message: dict[str, Any], finish: str, usage: Mapping[str, int] | None, odd: list[str] | None = None
) -> Reply:
    calls, malformed = _calls(message)
    text, thought = _apart(_text(message.get("content")))
    thought = "\n".join(part for part in (_thought(message.get("content")), thought) if part)
    if not isinstance(message.get("content"), (str, list, type(None))):
        malformed.append("malformed_content")
    told = next((_text(message[field]) for field in REASONING if message.get(field)), "")
    reasoning = "\n".join(part for part in (told, thought) if part)
    return Reply(text, reasoning, tuple(calls), usage, message, finish, tuple([*(odd or ()), *malformed]))


def _calls(message: dict[str, Any]) -> tuple[list[Call], list[str]]:
    """The tool calls of a message, in whatever shape; ids are drawn at random by the server, and no part of a shift."""
    found = message.get("tool_calls")
    if not found and isinstance(message.get("function_call"), Mapping):
        found = [{"function": message["function_call"]}]
    calls, odd = list[Call](), list[str]()
    for call in found if isinstance(found, list) else [found] if found else []:
        if not isinstance(call, Mapping):
            odd.append("malformed_call")
            continue
        if isinstance(call, dict):
            call.pop("id", None)
        name, arguments = _named(call)
        text = arguments if isinstance(arguments, str) and arguments else _spelled(arguments)
        calls.append(Call(name or "?", _once(text)))
    return calls, odd


def _named(call: Mapping[str, Any]) -> tuple[str, Any]:
    """Name and arguments of a call or a piece of one; the name "" if it has none."""
    function = call.get("function")
    if isinstance(function, str):
        return function, call.get("arguments")
    if not isinstance(function, Mapping):
        function = call
    name = function.get("name")
    arguments = function.get("arguments", function.get("parameters"))
    return name if isinstance(name, str) else "", arguments


def _spelled(arguments: Any) -> str:
    """Arguments that came as an object, or not at all, as the text that they are for others."""
    return "{}" if arguments in (None, "") else json.dumps(arguments, ensure_ascii=False)


def _once(arguments: str) -> str:
    """Arguments that were written as JSON text twice, as they are once."""
    if arguments.lstrip()[:1] != '"':
        return arguments
    try:
        inner = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    return inner if isinstance(inner, str) and _is_whole(inner) else arguments


def _is_whole(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _apart(text: str) -> tuple[str, str]:
    """What was said, and what was thought between tags in it; servers without a parser for it leave it there."""
    thoughts: list[str] = []

    def take(match: re.Match[str]) -> str:
        thoughts.append(next((part for name, part in match.groupdict().items() if part is not None), ""))
        return ""

    said = _THOUGHT.sub(take, text)
    unopened = _UNOPENED.match(said)  # the template wrote the opening tag, and only the closing one was generated
    if unopened:
        thoughts.insert(0, unopened["thought"])
        said = said[unopened.end() :]
    return (said.strip("\n") if thoughts else said), "\n".join(part.strip() for part in thoughts if part.strip())


def _text(content: Any) -> str:
    """Content is a text, or a list of parts that have one."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        said = (part for part in content if not _thinks(part))
        return "".join(_text(part.get("text")) if isinstance(part, Mapping) else _text(part) for part in said)
    return ""


def _thinks(part: Any) -> bool:
    return isinstance(part, Mapping) and str(part.get("type")).lower() in ("reasoning", "thinking", "thought")


def _thought(content: Any) -> str:
    """What was thought, of content in parts."""
    parts = [part for part in content if _thinks(part)] if isinstance(content, list) else []
    return "".join(_text(next((part[key] for key in _THOUGHTS if part.get(key)), "")) for part in parts)


_THOUGHTS = ("text", "thinking", "reasoning", "thought", "summary", "content")


def _first(choices: Any) -> Mapping[str, Any] | None:
    if isinstance(choices, Mapping):
        return choices
    return next((c for c in choices if isinstance(c, Mapping)), None) if isinstance(choices, list) else None


def _finish(choice: Mapping[str, Any]) -> str:
    finish = choice.get("finish_reason")
    return finish if isinstance(finish, str) else ""


def _usage(usage: Any) -> dict[str, int] | None:
    if not isinstance(usage, Mapping):
        return None
    known = {}
    for name in ("prompt_tokens", "completion_tokens"):
        n = usage.get(name)
        if isinstance(n, bool) or not isinstance(n, (int, float)) or not 0 <= n <= MOST_TOKENS or n != int(n):
            return None
        known[name] = int(n)
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else usage.get("prompt_cache_hit_tokens")
    if isinstance(cached, int) and not isinstance(cached, bool) and 0 < cached <= known["prompt_tokens"]:
        known["cached_tokens"] = cached
    return known


def _json(body: bytes, kind: str) -> Any:
    try:
        return json.loads(body, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(kind, f"no JSON: {words_of(body.decode('utf-8', 'replace')) or 'nothing'}") from error


def storable(value: Any) -> Any:
    """The same without halves of surrogate pairs, NaN and infinity, which are no JSON and cannot be kept."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(storable(key)): storable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(part) for part in value]
    return value
