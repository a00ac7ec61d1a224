"""One request to a chat model, and its answer: a small protocol, and an implementation of it by the `openai` SDK.

`ask` tries once. Everything that can go wrong is a `NoAnswer` that says what kind of thing it was; `patience.py` tries
again. What `ask` hands out is clean: the key given is in no text, whatever the server echoes, and every text is UTF-8.
The bytes of an answer are read by `answer.py`, not by the SDK, whose models take no odd shapes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit, urlunsplit

from takt.errors import TaktError
from takt.keys import key_for
from takt.plainly import plainly
from takt.workers.llm.answer import Call, Reply, Stream, storable, whole
from takt.workers.llm.refusals import LONGEST_WORDS, NoAnswer, of_status
from takt.workers.llm.server import Server, look

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["Call", "Endpoint", "NoAnswer", "OpenAiCompatible", "Reply"]

Message = Mapping[str, Any]
SECRET_FROM = 6  # characters; what is shorter (`none`, `EMPTY`) is what servers without a key are given
LARGEST_ANSWER = 64 * 2**20  # bytes
LARGEST_LOOK = 2**24  # of what a server says of itself: OpenRouter lists some hundred models
LOOK_S = 2.0  # wall time that a server has to say what it is
STREAMS = (b"data:", b"event:", b"id:", b"retry:", b":")  # what a line of an event stream begins with


class Endpoint(Protocol):
    """Whatever answers. `settings` are the request's other fields: model, temperature, extra_body, ..."""

    def ask(self, messages: Sequence[Message], tools: Sequence[Any], settings: Mapping[str, Any]) -> Reply:
        """One attempt. Raises NoAnswer."""
        ...


def _server_of(url: str) -> SplitResult:
    """A server's address in parts. Raises TaktError if it is none."""
    try:
        parts = urlsplit(url)
        there = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        there = False
    if not there:
        raise TaktError(f"base_url is {url!r}, which is no address of a server; it is like http://127.0.0.1:8000/v1")
    return parts


def _own(name: str, names: Collection[str]) -> str:
    """A tool's name without the namespace that some models put before it: functions.queue is queue, if that is one."""
    bare = re.sub(r"^(functions?|tools?|default_api)[.:/]", "", name)
    return bare if name not in names and bare in names else name


class OpenAiCompatible:
    """Any server that speaks OpenAI's chat completions. The key comes from the environment, and stays in here."""

    def __init__(self, base_url: str, key_env: str, timeout_s: float) -> None:
        self.base_url, self.timeout_s = base_url, timeout_s
        parts = _server_of(base_url)
        self.shown_url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        self.refusal: TaktError | None = None  # said when a server is to be asked; a shift that is repeated asks none
        try:
            self._key = key_for(base_url, key_env)
        except TaktError as error:
            self._key, self.refusal = "", error
        self._opened: OpenAI | None = None
        self.first_s = 0.0  # of the last answer: until its first piece

    def ask(self, messages: Sequence[Message], tools: Sequence[Any], settings: Mapping[str, Any]) -> Reply:
        import httpx2
        import openai  # half a second, and not needed where a shift is only repeated

        if self.refusal is not None:
            raise NoAnswer("refused", str(self.refusal), hopeless=True)
        if self._opened is None:
            key = self._key or "none"  # the SDK insists on one
            self._opened = openai.OpenAI(
                base_url=self.base_url, api_key=key, max_retries=0, timeout=self.timeout_s, http_client=self._client()
            )
        # Messages go past the SDK's own walk through them, which costs 30 ms in a context of 4,000 tokens.
        body = {**settings.get("extra_body", {}), "messages": list(messages), "tools": list(tools)}
        begun, self._asked = False, time.perf_counter()
        if not tools:
            del body["tools"]  # vLLM refuses a list without an entry
        try:
            with self._opened.chat.completions.with_streaming_response.create(
                messages=[],
                **{**settings, "extra_body": body},
            ) as answer:
                begun = True
                return self._cleaned(self._read(answer.http_response), tools)
        except NoAnswer as failure:
            failure.text = self._clean(failure.text)[:LONGEST_WORDS]
            raise
        except openai.APITimeoutError as error:
            raise NoAnswer("timeout", f"no answer within {self.timeout_s:g} s") from error
        except openai.APIStatusError as error:
            raise self._status(error) from error
        except openai.APIConnectionError as error:
            cause = self._clean(plainly(error.__cause__ or error))
            spoke = isinstance(error.__cause__, (httpx2.RemoteProtocolError, httpx2.ReadError))
            what = f"{self.shown_url} answers no HTTP" if spoke else f"cannot reach {self.shown_url}"
            raise NoAnswer("connection", f"{what}: {cause}") from error
        except httpx2.TimeoutException as error:
            raise NoAnswer("timeout", f"the answer had not ended within {self.timeout_s:g} s") from error
        except httpx2.HTTPError as error:
            kind = "broken_stream" if begun else "connection"
            raise NoAnswer(kind, self._clean(f"the answer broke off ({plainly(error)})")) from error
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise NoAnswer("not_an_answer", self._clean(f"{type(error).__name__}: {plainly(error)}")) from error

    def _client(self) -> Any:
        from takt.workers.llm.bounded import client

        return client(self.timeout_s)

    def says(self, model: str = "", with_key: bool = False) -> Server:
        """What the server says of itself. The key goes along only if told: it is not needed where one's own serves."""
        return look(self.base_url, lambda path: self._get(path, with_key), model)

    def _get(self, path: str, with_key: bool) -> Any:
        """The JSON at a path of the server's root, or None."""
        import httpx2

        parts = urlsplit(self.base_url)
        own = {"Authorization": f"Bearer {self._key}"} if with_key and self._key and self.refusal is None else {}
        try:
            from takt.workers.llm.bounded import client

            with client(LOOK_S) as looking:
                answer = looking.get(urlunsplit((parts.scheme, parts.netloc, path, "", "")), headers=own)
            if answer.status_code != 200 or len(answer.content) > LARGEST_LOOK:
                return None
            return self._clean(answer.json())
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError):
            return None

    def _read(self, answer: Any) -> Reply:
        """The answer that comes, to its end or to [DONE]: all of it within the time, and no longer than it may be."""
        until = time.monotonic() + self.timeout_s  # the client's own limit is for each piece alone
        stream: Stream | None = None
        body, length = bytearray(), 0
        for part in answer.iter_bytes():
            if not length:
                self.first_s = time.perf_counter() - self._asked
            length += len(part)
            if time.monotonic() > until:
                raise NoAnswer("timeout", f"the answer had not ended within {self.timeout_s:g} s")
            if length > LARGEST_ANSWER:
                raise NoAnswer("not_an_answer", f"the answer is longer than {LARGEST_ANSWER} bytes")
            if stream is None:
                body += part if body else part.lstrip()  # once: a flood of spaces is not read over and over
                kind = answer.headers.get("content-type", "")
                began = body[:6]
                if "event-stream" in kind or "ndjson" in kind or (began and began.startswith(STREAMS)):
                    stream, part = Stream(), bytes(body)
            if stream is not None:
                stream.feed(part)
                if stream.done:
                    break
        return whole(bytes(body)) if stream is None else stream.reply()

    def _cleaned(self, reply: Reply, tools: Sequence[Any]) -> Reply:
        names = {tool["function"]["name"] for tool in tools}
        calls = tuple(Call(_own(self._clean(call.name), names), self._clean(call.arguments)) for call in reply.calls)
        text, reasoning, raw = self._clean(reply.text), self._clean(reply.reasoning), self._clean(reply.raw)
        return replace(reply, text=text, reasoning=reasoning, calls=calls, raw=raw, finish=self._clean(reply.finish))

    def _status(self, error: Any) -> NoAnswer:
        import httpx2

        try:
            body = self._clean(error.response.text)
        except httpx2.StreamError:  # closed before it was read
            body = ""
        try:
            after_s = float(error.response.headers.get("retry-after", 0))
        except ValueError:  # it may also be a date, from a clock that is not ours
            after_s = 0.0
        failure = of_status(body, int(error.status_code), max(0.0, after_s))
        if 300 <= int(error.status_code) < 400:
            to = self._clean(error.response.headers.get("location", "")) or "an address that it does not tell"
            failure.text = f"HTTP {error.status_code}: sends on to {to}"
        failure.text = self._clean(failure.text)[:LONGEST_WORDS]  # again: in JSON the key may have been escaped
        return failure

    def _clean(self, value: Any) -> Any:
        """The same without the key, and as it can be stored."""
        if isinstance(value, str):
            if len(self._key) >= SECRET_FROM:
                value = value.replace(self._key, "[key]")
            return storable(value)
        if isinstance(value, Mapping):
            return {str(self._clean(key)): self._clean(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(part) for part in value]
        return storable(value)
