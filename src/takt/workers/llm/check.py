"""Will this model work a shift? Asked of its server before one is begun: `takt check-model`.

A handful of requests, with the very settings of the worker: does it answer, do tools reach it, does a call come back
and parse, does it hold to a JSON schema, does it think when told and not when not, does it stream, how fast does it
read and write. Each is a finding with a line of advice. Nothing the server does raises; one that stops answering
between two questions ends the questions.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from takt.workers.calls import read_call
from takt.workers.llm.answer import Call, Reply
from takt.workers.llm.examples import examples_of
from takt.workers.llm.form import response_format
from takt.workers.llm.form import told as in_words
from takt.workers.llm.lost import has_lost_call
from takt.workers.llm.options import Options
from takt.workers.llm.profiles import PROFILES, Profile
from takt.workers.llm.question import (
    BAD,
    BRIEF,
    GOOD,
    NOTE,
    REPORT,
    TASK,
    WANTED,
    WITH_TOOLS,
    Asker,
    Checked,
    Died,
    Finding,
    cut,
)
from takt.workers.llm.reached import Row, each_of, reached
from takt.workers.llm.refusals import NoAnswer
from takt.workers.llm.server import THINNEST, Server
from takt.workers.llm.spoken import calls_in

WRITES = 64  # tokens that it is to write when its speed is measured
READS = 600  # words that it is to read then
NAMES = ("report",)  # of the tools that it is offered


def check(
    endpoint: Any, options: Options, given: Mapping[str, Any], tell: Callable[[str], None] = lambda about: None
) -> Checked:
    """Look at a server and the model it serves. Raises TaktError for examples that there are not.

    endpoint    a `Several`.
    options     of the worker; what follows from none is not asked: which server, which model.
    given       those that the user gave. Of them `model` may be missing, for the only one that there is, and `profile`,
                for that of the server, as far as it says.
    tell        called before each question with what it is about.
    """
    if options.examples:
        examples_of(options.examples, options.shots, options.view)
    tell("what it says of itself")
    says: Server = endpoint.says(str(given.get("model", "")), with_key=True)
    profile = str(given.get("profile") or says.kind or "vllm")
    model = str(given.get("model") or (says.models[0] if len(says.models) == 1 else ""))
    if says.context is not None and "max_tokens" not in given:  # as a shift there would have to be told
        options = replace(options, max_tokens=max(16, min(options.max_tokens, says.context // 4)))
    ask = Asker(endpoint, options, profile, model, tell)
    found, chosen = list[Finding](), dict(given)
    died = ""
    try:
        for finding, more in _all(ask, endpoint, options, given, says, profile):
            found.append(finding)
            chosen |= more
    except Died as error:
        after = found[-1].what if found else "the first question"
        died = f"the server answered, and after {after!r} does not any more: {error}"
    if "base_url" in given:
        chosen["base_url"] = given["base_url"]  # all of them, where it is several
    if chosen.get("calls", "tools") != "tools":
        chosen = {name: value for name, value in chosen.items() if name not in WITH_TOOLS}
    return Checked(tuple(found), chosen, died)


def _all(
    ask: Asker, endpoint: Any, options: Options, given: Mapping[str, Any], says: Server, name: str
) -> Iterator[Row]:
    plain: Reply | None = None
    for row, answer in reached(ask, endpoint, name, says):
        yield row
        plain = answer
    if plain is None:
        return
    yield from each_of(ask, endpoint.alone)
    yield _context(says, options, given)
    if options.calls == "tools":
        ask.about = "tools"
        tools, more = _tools(ask, plain, says, name)
        yield tools, more
        yield from _calls(tools)
        ask.about = "JSON schema"
        yield _schema(ask, tools.state == BAD)
    else:
        ask.about = f"calls={options.calls}"
        yield from _in_words(ask, options.calls)
    ask.about = "thinking"
    yield _thinking(ask, plain, PROFILES[name], options.thinking)
    ask.about = "streaming"
    yield _stream(ask, plain)
    ask.about = "speed"
    yield _speed(ask)
    if PROFILES[name].known:
        yield Finding("known", NOTE, f"{name}: {'; '.join(PROFILES[name].known)}"), {}


def _context(says: Server, options: Options, given: Mapping[str, Any]) -> Row:
    wanted, length = given.get("context_tokens"), given.get("max_tokens")
    if says.context is None:
        advice = "a shift's context_tokens must be what it was started with; 32768 unless said otherwise"
        short = {"max_tokens": options.max_tokens} if wanted is not None else {}
        return Finding("context", NOTE, "the server does not say how long", advice), short
    values = {"tokens": says.context}
    most = min(4096, says.context // 4)
    if wanted is not None and wanted > says.context:
        advice = f"start it with more, or -w context_tokens={says.context}"
        less = {"context_tokens": says.context, "max_tokens": min(length or most, most)}
        return Finding("context", BAD, f"{says.context} tokens, and {wanted} are wanted", advice, values), less
    room = min(says.context, options.context_tokens)
    if length is not None and length > room // 2:
        advice = f"leave room to read: -w max_tokens={most}"
        told = f"{says.context} tokens, and an answer may have {length} of them"
        return Finding("context", BAD, told, advice, values), {"context_tokens": room, "max_tokens": most}
    if says.context >= 32_768 and wanted is None:
        return Finding("context", GOOD, f"{says.context} tokens", "", values), {}
    more = {"context_tokens": min(says.context, wanted or says.context)}
    if says.context < 32_768 or wanted is not None:
        more["max_tokens"] = length or min(most, more["context_tokens"] // 4)
    advice = "short: -w view=short forgets what is done" if says.context < 32_768 else ""
    return Finding("context", GOOD, f"{says.context} tokens", advice, values), more


def _tools(ask: Asker, plain: Reply, says: Server, name: str) -> Row:
    """Whether the model is shown its tools: it calls one, or reads the more for them."""
    chars = len(json.dumps(REPORT))
    try:
        reply = ask(TASK, [REPORT], needed=True)
    except NoAnswer as failure:
        about = f"a request with tools is refused: {cut(failure.text, 300)}"
        return Finding("tools", BAD, about, "-w calls=schema, or start it with a tool-call parser"), {"calls": "schema"}
    before, after = (r.usage["prompt_tokens"] if r.usage else 0 for r in (plain, reply))
    values: dict[str, Any] = {"prompt_tokens": before, "prompt_tokens_with_tools": after}
    more = after - before
    call = _made(reply.calls)
    serve = PROFILES[name].serve
    parser = f"start it with its tool-call parser ({serve})" if serve else "another server of it may read its calls"
    if says.tools is False or (before and after and more < chars / THINNEST / 2 and call is None):
        why = (
            "the server says that its chat template has none"
            if says.tools is False
            else f"{more} tokens more with them"
        )
        advice = "give the server a chat template that has tools, or -w calls=schema, or calls=text"
        return Finding("tools", BAD, f"are not shown to the model: {why}", advice, values), {"calls": "schema"}
    if call is not None:
        about = f"reach the model ({more} tokens more), and a call comes back" if before else "a call comes back"
        return Finding("tools", GOOD, about, "", {**values, "call": [call.name, _arguments(call)]}), {}
    nameless = any(made.name == "?" for made in reply.calls)
    if nameless or "malformed_call" in reply.odd or "malformed_content" in reply.odd:
        sent = reply.raw.get("tool_calls") or reply.raw.get("content")
        about = f"what comes back in place of a call is none: {cut(json.dumps(sent, default=str))}"
        return Finding("tools", BAD, about, f"{parser}, or -w calls=schema", values), {"calls": "schema"}
    text = f"{reply.text} {reply.reasoning}"
    if not reply.calls and has_lost_call(text, NAMES):
        about = f"reach the model, but its call stays text: {cut(text)}"
        return Finding("tools", BAD, about, f"{parser}, or -w calls=text", values), {"calls": "text"}
    if reply.calls:
        values["foreign"] = f"{cut(reply.calls[0].name, 40)}({cut(reply.calls[0].arguments)})"
        if more <= 0:  # nothing speaks for that it saw the one that there is
            about = f"it calls what it was not offered: {values['foreign']}"
            return Finding("tools", BAD, about, f"{parser}, or -w calls=schema", values), {"calls": "schema"}
    else:
        values["said"] = cut(text)
    about = f"reach the model: it reads {more} tokens more for them" if more > 0 else "nothing says that they reach it"
    return Finding("tools", GOOD if more > 0 else NOTE, about, "", values), {}


def _made(calls: tuple[Call, ...]) -> Call | None:
    """The first call of what was offered: one of any other name is none."""
    return next((call for call in calls if call.name in NAMES), None)


def _arguments(call: Call) -> Any:
    """As an object, if they parse as a station would have it; else the text that they are."""
    read = read_call(call.name, call.arguments, NAMES)
    return read.arguments if read.arguments is not None else call.arguments


def _calls(tools: Finding) -> Iterator[Row]:
    """Whether what came back is the call that was asked for."""
    if "said" in tools.values:
        advice = "-w calls=schema, examples of good work (-w examples=FILE), or teach it: docs/train-llm.md"
        yield Finding("call", NOTE, f"it was asked for one, and makes none: {tools.values['said']}", advice), {}
    elif "foreign" in tools.values and tools.state != BAD:
        advice = "-w calls=schema lets it name no other, or teach it: docs/train-llm.md"
        yield Finding("call", NOTE, f"of a tool that was not offered: {tools.values['foreign']}", advice), {}
    elif "call" in tools.values:
        yield _judged(*tools.values["call"]), {}


def _judged(name: str, arguments: Any) -> Finding:
    """The row of a call that was made."""
    right = arguments == WANTED
    advice = "" if right else "a model this weak needs teaching: docs/train-llm.md"
    if not isinstance(arguments, dict):
        return Finding("call", NOTE, f"its arguments do not parse: {cut(str(arguments))}", advice)
    return Finding("call", GOOD if right else NOTE, f"{name}({cut(json.dumps(arguments))})", advice)


def _spoken(ask: Asker, calls: str) -> tuple[Reply, Call | None]:
    """An answer to a question that tells its tool in words, as the worker does, and the call in it."""
    asked = f"{TASK} Answer with one JSON object: {json.dumps({'name': 'report', 'arguments': WANTED})}"
    form: dict[str, Any] = {"response_format": response_format([REPORT], [REPORT])} if calls == "schema" else {}
    reply = ask(asked, system=f"{BRIEF}\n{in_words([REPORT])}", needed=True, **form)
    return reply, _made(calls_in(reply.text, NAMES)[:1])


def _schema(ask: Asker, only_way: bool) -> Row:
    """Whether a schema is held to, for a shift whose calls go another way. `only_way`: that one is barred."""
    instead = {"calls": "text"} if only_way else {}
    advice = "calls=schema cannot be had; calls=text asks in words"
    try:
        reply, call = _spoken(ask, "schema")
    except NoAnswer as failure:
        return Finding("schema", NOTE, f"a JSON schema is refused: {cut(failure.text)}", advice), instead
    if _held(call):
        return Finding("schema", GOOD, "an answer holds to a JSON schema", "calls=schema works here"), {}
    return Finding("schema", NOTE, f"a JSON schema is not held to: {cut(reply.text)}", advice), instead


def _held(call: Call | None) -> bool:
    arguments = None if call is None else _arguments(call)
    return isinstance(arguments, dict) and set(arguments) == set(WANTED)


def _in_words(ask: Asker, calls: str) -> Iterator[Row]:
    """Whether calls come as calls=schema or calls=text has them."""
    yield Finding("tools", GOOD, f"are told in words (calls={calls}): no chat template needs to know any"), {}
    row = "schema" if calls == "schema" else "call"
    other = "-w calls=text asks in words" if calls == "schema" else "-w calls=schema, if the server can"
    try:
        reply, call = _spoken(ask, calls)
    except NoAnswer as failure:
        instead = {"calls": "text"} if calls == "schema" else {}
        yield Finding(row, BAD, f"calls={calls} is refused: {cut(failure.text, 300)}", other), instead
        return
    if calls == "schema":
        if not _held(call):
            told = f"a JSON schema is not held to: {cut(reply.text) or 'no text comes'}"
            yield Finding(row, BAD, told, other), {"calls": "text"}
            return
        yield Finding(row, GOOD, "an answer holds to a JSON schema"), {}
    if call is None:
        told = f"it was asked for one, in words, and makes none: {cut(reply.text)}"
        yield Finding("call", NOTE, told, f"{other}; examples of good work: -w examples=FILE"), {}
    else:
        yield _judged(call.name, _arguments(call)), {}


def _thinking(ask: Asker, plain: Reply, profile: Profile, wanted: bool) -> Row:
    if wanted:
        if plain.reasoning:
            return Finding("thinking", GOOD, "on, as told"), {}
        return Finding("thinking", NOTE, "told to think, and nothing of it is seen", "leave thinking=false"), {}
    if plain.reasoning:
        advice = "it costs time at each call; look for the model's own switch (extra_body), or -w thinking=true"
        return Finding("thinking", NOTE, "it thinks though it was told not to", advice), {}
    if not profile.on:
        return Finding("thinking", GOOD, "it does not think; this server has no switch for it"), {}
    try:
        reply = ask("What is 17 times 23?", system="You calculate.", thinking=True, max_tokens=64)
    except NoAnswer as failure:
        return Finding(
            "thinking", NOTE, f"off; asked for, it is refused: {cut(failure.text)}", "leave thinking=false"
        ), {}
    if reply.reasoning:
        return Finding("thinking", GOOD, "off unless asked for, and on when it is"), {}
    return Finding("thinking", GOOD, "off, and nothing of it is seen when asked for either"), {}


def _stream(ask: Asker, plain: Reply) -> Row:
    try:
        reply = ask(TASK, stream=True)
    except NoAnswer as failure:
        return Finding("streaming", NOTE, f"does not work: {cut(failure.text)}", "leave stream=false"), {}
    if reply.usage is None:
        advice = "leave stream=false, or tokens are guessed" if plain.usage else "tokens are guessed in any case"
        return Finding("streaming", NOTE, "works, and does not count tokens", advice), {}
    return Finding("streaming", GOOD, "works, tokens are counted"), {}


def _speed(ask: Asker) -> Row:
    """Tokens read and written a second, from streamed answers: until the first piece it reads, then it writes."""
    new = time.time_ns() % 99_991  # a server that has read the same before reads it in no time
    words = " ".join(f"{(7919 * n + new) % 99_991}" for n in range(READS))
    try:
        short = ask("Count from 1 to 99.", system="You count.", stream=True, max_tokens=WRITES)
        short_first, short_whole = ask.first_s, ask.whole_s
        long = ask(f"{new}: which number is the largest? {words}", system="You compare.", stream=True, max_tokens=16)
        long_first = ask.first_s
    except NoAnswer as failure:
        return Finding("speed", NOTE, f"could not be measured: {cut(failure.text)}"), {}
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
    advice = "the same station time on every machine, measured where nothing else runs: " + " ".join(
        f"-w {key}={value:g}" for key, value in speed.items()
    )
    return Finding("speed", GOOD, told, advice, speed), {}
