"""Will this model work a shift? Asked of its server before one is begun: `takt check-model`.

A handful of requests, with the very settings of the worker: does it answer, do tools reach it, does a call come back
and parse, does it hold to a JSON schema, does it think when told and not when not, does it stream, how fast does it
read and write. Each is a finding with a line of advice. Nothing the server does raises; one that stops answering
between two questions ends the questions.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from takt.workers.llm.answer import Reply
from takt.workers.llm.lost import has_lost_call
from takt.workers.llm.profiles import PROFILES, Profile, settings
from takt.workers.llm.refusals import NoAnswer
from takt.workers.llm.server import THINNEST, Server

GOOD, BAD, NOTE = "good", "bad", "note"
WRITES = 64  # tokens that it is to write when its speed is measured
READS = 600  # words that it is to read then
REPORT = {
    "type": "function",
    "function": {
        "name": "report",
        "description": "Report how many parts were made at a station of the line, and by whom.",
        "parameters": {
            "type": "object",
            "properties": {
                "station": {"type": "string", "description": "The station's name, two characters."},
                "parts": {"type": "integer", "description": "How many parts were made there in this hour."},
            },
            "required": ["station", "parts"],
        },
    },
}
WANTED = {"station": "A7", "parts": 3}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"const": "report"}, "arguments": REPORT["function"]["parameters"]},  # type: ignore[index]
    "required": ["name", "arguments"],
    "additionalProperties": False,
}
BRIEF = "You work at a line, by tool calls only. Every answer is one tool call."
TASK = 'Station "A7" made 3 parts. Report it with the tool `report`.'


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `state` is good, bad (a shift would come to nothing) or note."""

    what: str
    state: str
    told: str
    advice: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """All findings, in order. `set` are the options to give the worker; `died` what a server said no more to."""

    findings: tuple[Finding, ...]
    set: Mapping[str, Any]
    died: str = ""

    @property
    def fit(self) -> bool:
        return not self.died and all(finding.state != BAD for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "fit": self.fit,
            "died": self.died,
            "set": dict(self.set),
            "findings": [asdict(f) for f in self.findings],
        }


class _Died(Exception):
    """The server, which had answered, does not any more."""


class _Asker:
    """Asks, with the worker's settings, and takes the time."""

    def __init__(self, endpoint: Any, profile: Profile, model: str, extra: Mapping[str, Any]) -> None:
        self._endpoint, self._profile, self._model, self._extra = endpoint, profile, model, dict(extra)
        self.answered = False
        self.first_s = self.whole_s = 0.0

    def __call__(
        self,
        user: str,
        tools: Sequence[Any] = (),
        *,
        system: str = BRIEF,
        thinking: bool = False,
        stream: bool = False,
        max_tokens: int = 256,
        **more: Any,
    ) -> Reply:
        """One answer. Raises NoAnswer, or _Died if nothing answers where something did."""
        extra = {"temperature": 0, **self._extra, **more}
        fields = settings(self._profile, self._model, thinking, max_tokens, 0, stream, extra)
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        began = time.perf_counter()
        try:
            reply: Reply = self._endpoint.ask(messages, list(tools), fields)
        except NoAnswer as failure:
            if self.answered and failure.kind == "connection":
                raise _Died(failure.text) from failure
            raise
        self.answered = True
        self.whole_s, self.first_s = time.perf_counter() - began, self._endpoint.first_s
        return reply


def check(
    endpoint: Any,
    profile: str,
    model: str = "",
    context_tokens: int | None = None,
    extra_body: Mapping[str, Any] | None = None,
) -> Checked:
    """Look at a server and the model it serves.

    endpoint         an `OpenAiCompatible`.
    profile          a name of PROFILES, "" for that of the server, as far as it says.
    model            "" for the only one that there is.
    context_tokens   that a shift is to have, if that is settled.
    """
    says: Server = endpoint.says(model, with_key=True)
    profile = profile or says.kind or "vllm"
    model = model or (says.models[0] if len(says.models) == 1 else "")
    found, chosen = list[Finding](), dict[str, Any]()
    died = ""
    try:
        for finding, options in _all(
            endpoint, PROFILES[profile], profile, model, says, context_tokens, extra_body or {}
        ):
            found.append(finding)
            chosen |= options
    except _Died as error:
        after = found[-1].what if found else "the first question"
        died = f"the server answered, and after {after!r} does not any more: {error}"
    return Checked(tuple(found), chosen, died)


def _all(
    endpoint: Any,
    profile: Profile,
    name: str,
    model: str,
    says: Server,
    context_tokens: int | None,
    extra: Mapping[str, Any],
) -> Iterator[tuple[Finding, dict[str, Any]]]:
    ask = _Asker(endpoint, profile, model, extra)
    shown, seen = _server(endpoint, name, says, model)
    yield shown, {"profile": name, "base_url": endpoint.shown_url}
    if not model:
        listed = ", ".join(says.models[:5])
        try:
            ask(TASK, model="default")
        except NoAnswer as failure:
            if failure.kind == "connection":
                yield Finding("model", BAD, failure.text, "", {"kind": failure.kind}), {}
                return
        advice = f"name one: -w model=NAME (it has: {listed})" if listed else "name it: -w model=NAME"
        yield Finding("model", BAD, "not named", advice), {}
        return
    try:
        plain = ask(TASK)
    except NoAnswer as failure:
        yield Finding("model", BAD, failure.text, _of_refusal(failure, says, seen), {"kind": failure.kind}), {}
        return
    unlisted = says.models and model not in says.models
    told = f"{model}; the server answers to that name, and does not list it" if unlisted else model
    yield Finding("model", GOOD, told), {"model": model}
    yield _context(says, context_tokens)
    tools, options = _tools(ask, plain, says, name)
    yield tools, options
    yield from _calls(ask, tools, name)
    yield _thinking(ask, plain, profile)
    yield _stream(ask, plain)
    yield _speed(ask)
    if profile.known:
        yield Finding("known", NOTE, f"{name}: {'; '.join(profile.known)}"), {}


def _server(endpoint: Any, name: str, says: Server, model: str) -> tuple[Finding, str]:
    kind = says.kind or "does not say what it is"
    told = f"{endpoint.shown_url}: {kind} {says.version}".strip()
    if says.kind and says.kind != name:
        advice = f"-w profile={says.kind}: requests are written as for {name}"
        return Finding("server", NOTE, told, advice), "other"
    return Finding("server", GOOD, told), ""


def _of_refusal(failure: NoAnswer, says: Server, seen: str) -> str:
    listed = ", ".join(says.models[:5])
    if failure.status in (401, 403):
        return "name the variable that has the key: -w key_env=NAME"
    if failure.status == 404:
        return f"-w model=NAME, one of: {listed}" if listed else "name the model as the server does, or mend base_url"
    if failure.status in (400, 422):
        return "leave out a field that it does not take: -w 'extra_body={\"FIELD\": null}'" + (
            f", or -w profile={says.kind}" if seen else ""
        )
    return "see what the server writes where it runs"


def _context(says: Server, wanted: int | None) -> tuple[Finding, dict[str, Any]]:
    if says.context is None:
        advice = "a shift's context_tokens must be what it was started with; 32768 unless said otherwise"
        return Finding("context", NOTE, "the server does not say how long", advice), {}
    values = {"tokens": says.context}
    if wanted is not None and wanted > says.context:
        advice = f"start it with more, or -w context_tokens={says.context}"
        return Finding("context", BAD, f"{says.context} tokens, and {wanted} are wanted", advice, values), {}
    options = (
        {}
        if says.context >= 32_768 and wanted is None
        else {"context_tokens": min(says.context, wanted or says.context)}
    )
    if says.context < 32_768:
        most = min(4096, says.context // 4)
        options["max_tokens"] = most
        return Finding(
            "context", GOOD, f"{says.context} tokens", "short: -w view=short forgets what is done", values
        ), options
    return Finding("context", GOOD, f"{says.context} tokens", "", values), options


def _tools(ask: _Asker, plain: Reply, says: Server, name: str) -> tuple[Finding, dict[str, Any]]:
    """Whether the model is shown its tools: it calls one, or reads the more for them."""
    chars = len(json.dumps(REPORT))
    try:
        reply = ask(TASK, [REPORT])
    except NoAnswer as failure:
        told = f"a request with tools is refused: {failure.text}"
        return Finding("tools", BAD, told, "-w calls=schema, or start it with a tool-call parser"), {"calls": "schema"}
    before, after = (r.usage["prompt_tokens"] if r.usage else 0 for r in (plain, reply))
    values = {"prompt_tokens": before, "prompt_tokens_with_tools": after}
    more = after - before
    if says.tools is False or (before and after and more < chars / THINNEST / 2 and not reply.calls):
        why = (
            "the server says that its chat template has none"
            if says.tools is False
            else f"{more} tokens more with them"
        )
        advice = "give the server a chat template that has tools, or -w calls=schema, or calls=text"
        return Finding("tools", BAD, f"are not shown to the model: {why}", advice, values), {"calls": "schema"}
    if reply.calls:
        told = f"reach the model ({more} tokens more), and a call comes back" if before else "a call comes back"
        return Finding("tools", GOOD, told, "", {**values, "call": _call_of(reply)}), {}
    text = f"{reply.text} {reply.reasoning}"
    if has_lost_call(text, ["report"]):
        serve = PROFILES[name].serve
        advice = f"start it with its tool-call parser ({serve}), or -w calls=text" if serve else "-w calls=text"
        told = f"reach the model, but its call stays text: {_short(text)}"
        return Finding("tools", BAD, told, advice, values), {"calls": "text"}
    told = f"reach the model: it reads {more} tokens more for them" if more > 0 else "nothing says that they reach it"
    return Finding("tools", GOOD if more > 0 else NOTE, told, "", {**values, "said": _short(text)}), {}


def _calls(ask: _Asker, tools: Finding, name: str) -> Iterator[tuple[Finding, dict[str, Any]]]:
    """Whether what comes back is the call that was asked for; and whether a schema is held to."""
    made = tools.values.get("call")
    if "said" in tools.values:
        advice = "-w calls=schema, examples of good work (-w examples=FILE), or teach it: docs/train-llm.md"
        yield Finding("call", NOTE, f"it was asked for one, and makes none: {tools.values['said']}", advice), {}
    if made is not None:
        right = made == ["report", WANTED]
        advice = "" if right else "a model this weak needs teaching: docs/train-llm.md"
        yield Finding("call", GOOD if right else NOTE, f"{made[0]}({_short(json.dumps(made[1]))})", advice), {}
    fields: dict[str, Any] = {
        "response_format": {"type": "json_schema", "json_schema": {"name": "call", "schema": SCHEMA}}
    }
    asked = f"{TASK} Answer with one JSON object: {json.dumps({'name': 'report', 'arguments': WANTED})}"
    try:
        reply = ask(asked, **fields)
    except NoAnswer as failure:
        yield (
            Finding("schema", NOTE, f"a JSON schema is refused: {_short(failure.text)}", "calls=schema cannot be had"),
            {},
        )
        return
    try:
        told = json.loads(reply.text)
        held = set(told) == {"name", "arguments"} and told["name"] == "report" and set(told["arguments"]) == set(WANTED)
    except (ValueError, TypeError, RecursionError):
        held = False
    if held:
        yield Finding("schema", GOOD, "an answer holds to a JSON schema", "calls=schema works here"), {}
    else:
        advice = "calls=schema cannot be had; calls=text asks in words"
        instead = {"calls": "text"} if tools.state == BAD else {}
        yield Finding("schema", NOTE, f"a JSON schema is not held to: {_short(reply.text)}", advice), instead


def _thinking(ask: _Asker, plain: Reply, profile: Profile) -> tuple[Finding, dict[str, Any]]:
    if plain.reasoning:
        advice = "it costs time at each call; look for the model's own switch (extra_body), or -w thinking=true"
        return Finding("thinking", NOTE, "it thinks though it was told not to", advice), {}
    if not profile.on:
        return Finding("thinking", GOOD, "it does not think; this server has no switch for it"), {}
    try:
        reply = ask("What is 17 times 23?", system="You calculate.", thinking=True, max_tokens=64)
    except NoAnswer as failure:
        return Finding(
            "thinking", NOTE, f"off; asked for, it is refused: {_short(failure.text)}", "leave thinking=false"
        ), {}
    if reply.reasoning:
        return Finding("thinking", GOOD, "off unless asked for, and on when it is"), {}
    return Finding("thinking", GOOD, "off, and nothing of it is seen when asked for either"), {}


def _stream(ask: _Asker, plain: Reply) -> tuple[Finding, dict[str, Any]]:
    try:
        reply = ask(TASK, stream=True)
    except NoAnswer as failure:
        return Finding("streaming", NOTE, f"does not work: {_short(failure.text)}", "leave stream=false"), {}
    if reply.usage is None:
        advice = "leave stream=false, or tokens are guessed" if plain.usage else "tokens are guessed in any case"
        return Finding("streaming", NOTE, "works, and does not count tokens", advice), {}
    return Finding("streaming", GOOD, "works, tokens are counted"), {}


def _speed(ask: _Asker) -> tuple[Finding, dict[str, Any]]:
    """Tokens read and written a second, from streamed answers: until the first piece it reads, then it writes."""
    new = time.time_ns() % 99_991  # a server that has read the same before reads it in no time
    words = " ".join(f"{(7919 * n + new) % 99_991}" for n in range(READS))
    try:
        short = ask("Count from 1 to 99.", system="You count.", stream=True, max_tokens=WRITES)
        short_first, short_whole = ask.first_s, ask.whole_s
        long = ask(f"{new}: which number is the largest? {words}", system="You compare.", stream=True, max_tokens=16)
        long_first = ask.first_s
    except NoAnswer as failure:
        return Finding("speed", NOTE, f"could not be measured: {_short(failure.text)}"), {}
    if short.usage is None or long.usage is None:
        return Finding("speed", NOTE, "cannot be told: the server counts no tokens"), {}
    written, read = short.usage["completion_tokens"] - 1, long.usage["prompt_tokens"] - short.usage["prompt_tokens"]
    writes, reads = short_whole - short_first, long_first - short_first
    if written < 8 or writes < 0.02 * short_whole or reads <= 0:
        a_second = short.usage["completion_tokens"] / short_whole
        told = f"{a_second:.0f} tokens/s in all: the answer does not come in pieces"
        return Finding("speed", NOTE, told, "", {"tokens_per_s": round(a_second, 1)}), {}
    speed = {"tokens_per_s": round(written / writes, 1), "prompt_tokens_per_s": round(read / reads, 1)}
    told = f"writes {speed['tokens_per_s']:g} tokens/s, reads {speed['prompt_tokens_per_s']:g}"
    advice = "the same on every machine: " + " ".join(f"-w {key}={value:g}" for key, value in speed.items())
    return Finding("speed", GOOD, told, advice, speed), {}


def _call_of(reply: Reply) -> list[Any]:
    call = reply.calls[0]
    try:
        return [call.name, json.loads(call.arguments)]
    except (ValueError, RecursionError):
        return [call.name, call.arguments]


def _short(text: str, most: int = 90) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}..."
