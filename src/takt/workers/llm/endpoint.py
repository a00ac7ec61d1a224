"""One request to a chat model, and its answer: a small protocol, and an implementation of it by the `openai` SDK.

`ask` tries once. Everything that can go wrong is a `NoAnswer` that says what kind of thing it was; `patience.py` tries
again. What `ask` hands out is clean: the key given is in no text, whatever the server echoes, and every text is UTF-8.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from openai import OpenAI

Message = Mapping[str, Any]
REASONING = ("reasoning_content", "reasoning")  # the field has two names, and servers change theirs
SECRET_FROM = 6  # characters; what is shorter (`none`, `EMPTY`) is what servers without a key are given


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as the model wrote it; `arguments` may be anything."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `raw` is the assistant message as it came; `usage` is None if the server does not count.

    finish   why the model stopped, by the server: not to be trusted.
    """

    text: str
    reasoning: str
    calls: tuple[Call, ...]
    usage: Mapping[str, int] | None
    raw: Mapping[str, Any]
    finish: str


class NoAnswer(Exception):
    """An attempt that came to nothing. `hopeless`: the same request will not be answered another time either.

    kind   timeout, connection, broken_stream, rate_limited, server_error, not_an_answer, refused
    """

    def __init__(
        self, kind: str, text: str, status: int | None = None, retry_after_s: float = 0.0, hopeless: bool = False
    ) -> None:
        super().__init__(text)
        self.kind, self.text, self.status, self.retry_after_s, self.hopeless = (
            kind,
            text,
            status,
            retry_after_s,
            hopeless,
        )


class Endpoint(Protocol):
    """Whatever answers. `settings` are the request's other fields: model, temperature, extra_body, ..."""

    def ask(self, messages: Sequence[Message], tools: Sequence[Any], settings: Mapping[str, Any]) -> Reply:
        """One attempt. Raises NoAnswer."""
        ...


class OpenAiCompatible:
    """Any server that speaks OpenAI's chat completions. The key comes from the environment, and stays in here."""

    def __init__(self, base_url: str, key_env: str, timeout_s: float) -> None:
        self.base_url, self.timeout_s = base_url, timeout_s
        self._key = os.environ.get(key_env, "")
        self._opened: OpenAI | None = None

    def ask(self, messages: Sequence[Message], tools: Sequence[Any], settings: Mapping[str, Any]) -> Reply:
        import openai  # half a second, and not needed where a shift is only repeated

        if self._opened is None:
            key = self._key or "none"  # the SDK insists on one
            self._opened = openai.OpenAI(base_url=self.base_url, api_key=key, max_retries=0, timeout=self.timeout_s)
        # Messages go past the SDK's own walk through them, which costs 30 ms in a context of 4,000 tokens.
        body = {**settings.get("extra_body", {}), "messages": list(messages), "tools": list(tools)}
        streams = bool(settings.get("stream"))
        answer: Any = None
        try:
            answer = self._opened.chat.completions.create(
                messages=[],
                **{**settings, "extra_body": body},
            )
            message, finish, usage = self._streamed(answer) if streams else self._whole(answer)
        except openai.APITimeoutError as error:
            raise NoAnswer("timeout", f"no answer within {self.timeout_s:g} s") from error
        except openai.APIStatusError as error:
            raise self._status(error) from error
        except openai.APIConnectionError as error:
            kind = "connection" if answer is None else "broken_stream"
            raise NoAnswer(kind, self._clean(f"{error} ({error.__cause__})")) from error
        except openai.APIError as error:  # an error that is told inside a stream
            raise NoAnswer("broken_stream", self._clean(str(error))) from error
        except (
            openai.OpenAIError,
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
        ) as error:  # not the JSON it must be
            raise NoAnswer("not_an_answer", self._clean(f"{type(error).__name__}: {error}")) from error
        return _reply(self._clean(message), finish, usage)

    def _whole(self, answer: Any) -> tuple[dict[str, Any], str, Mapping[str, int] | None]:
        choices = getattr(answer, "choices", None)
        if not choices or choices[0].message is None:
            raise NoAnswer("not_an_answer", self._clean(f"the server answers with no message: {str(answer)[:200]}"))
        message = choices[0].message.model_dump(mode="json", exclude_none=True, warnings=False)
        return message, str(choices[0].finish_reason or ""), _usage(answer.usage)

    def _streamed(self, chunks: Any) -> tuple[dict[str, Any], str, Mapping[str, int] | None]:
        """The message that the pieces are, once all have come."""
        until = time.monotonic() + self.timeout_s  # the client's own limit is for each piece alone
        parts: dict[str, str] = {}
        calls: dict[int, dict[str, Any]] = {}
        finish, usage = "", None
        with chunks:
            for chunk in chunks:
                if time.monotonic() > until:
                    raise NoAnswer("timeout", f"the stream had not ended within {self.timeout_s:g} s")
                usage = _usage(chunk.usage) or usage
                for choice in (chunk.choices or [])[:1]:
                    finish = choice.finish_reason or finish
                    delta = choice.delta.model_dump(exclude_none=True) if choice.delta else {}
                    for field in ("content", *REASONING):
                        if isinstance(delta.get(field), str):
                            parts[field] = parts.get(field, "") + delta[field]
                    for piece in delta.get("tool_calls") or ():
                        call = calls.setdefault(piece.get("index", len(calls)), {"name": "", "arguments": ""})
                        function = piece.get("function") or {}
                        call["name"] += function.get("name") or ""
                        call["arguments"] += function.get("arguments") or ""
        if not finish:
            raise NoAnswer("broken_stream", "the stream ended in the middle of the answer")
        message: dict[str, Any] = {"role": "assistant", **parts}
        if calls:
            message["tool_calls"] = [{"type": "function", "function": calls[index]} for index in sorted(calls)]
        return message, finish, usage

    def _status(self, error: Any) -> NoAnswer:
        text, status = self._clean(str(error)), int(error.status_code)
        if status == 429:
            try:
                after_s = float(error.response.headers.get("retry-after", 0))
            except ValueError:  # it may also be a date, from a clock that is not ours
                after_s = 0.0
            return NoAnswer("rate_limited", text, status, max(0.0, after_s))
        if status >= 500 or status in (408, 409, 425):
            return NoAnswer("server_error", text, status)
        return NoAnswer("refused", text, status, hopeless=True)

    def _clean(self, value: Any) -> Any:
        """The same without the key, and without halves of surrogate pairs, which are no text and cannot be stored."""
        if isinstance(value, str):
            if len(self._key) >= SECRET_FROM:
                value = value.replace(self._key, "[key]")
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, Mapping):
            return {self._clean(key): self._clean(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(part) for part in value]
        return value


def _usage(usage: Any) -> dict[str, int] | None:
    counted = {name: getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")}
    known = {name: n for name, n in counted.items() if isinstance(n, int) and n >= 0}
    return known if len(known) == len(counted) else None


def _reply(message: dict[str, Any], finish: str, usage: Mapping[str, int] | None) -> Reply:
    calls = []
    for call in message.get("tool_calls") or ():
        call.pop("id", None)  # drawn at random by the server, and so no part of a shift
        function = call.get("function") or {}
        arguments = function.get("arguments") or "{}"
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)  # some servers send the object
        calls.append(Call(str(function.get("name") or "?"), text))
    content = message.get("content")
    reasoning = next((message[field] for field in REASONING if isinstance(message.get(field), str)), "")
    return Reply(content if isinstance(content, str) else "", reasoning, tuple(calls), usage, message, finish)
