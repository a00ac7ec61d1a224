"""Is it a model's server that answers, and has it the model? The first question of `takt check-model`, and its rows.

What a server does in place of answering is told as it was seen (a page, nothing in time, no end, a redirect, an error),
each with an advice of its own: "the server is ok, and the model is not" helps nobody who has a wrong address.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from takt.workers.llm.answer import Reply
from takt.workers.llm.question import BAD, GOOD, NOTE, TASK, Asker, Finding, cut
from takt.workers.llm.refusals import NoAnswer
from takt.workers.llm.server import Server

ADDRESS = "is base_url right? It most often ends in /v1"
LOG = "see what the server writes where it runs"
ANY = "default"  # the model that is asked for where none is named
Row = tuple[Finding, dict[str, Any]]


def reached(ask: Asker, endpoint: Any, name: str, says: Server) -> Iterator[tuple[Row, Reply | None]]:
    """The rows of server and model; with the last one the model's answer, None if a shift cannot be begun with it.

    name    of the profile.
    """
    model, plain, failure = ask.model, None, None
    ask.model = model or ANY
    try:
        plain = ask(TASK)
    except NoAnswer as error:
        failure = error
    ask.model = model
    there = " ".join(part for part in (says.kind, says.version) if part)
    what, advice = _malformed(plain) if plain is not None else _unserved(failure, says)  # type: ignore[arg-type]
    if what:
        who = f"{endpoint.shown_url}: {f'{there}, ' if there else ''}{what}"
        values = {"kind": failure.kind if failure is not None else "malformed"}
        if values["kind"] == "connection":
            who = what  # which names it
        yield (Finding("server", BAD, who, advice, values), {}), None
        return
    mine = {"profile": name, "base_url": endpoint.shown_url}
    told = f"{endpoint.shown_url}: {there or 'answers; it does not say what it is'}"
    other = says.kind and says.kind != name
    if other:
        advice = f"-w profile={says.kind}: requests are written as for {name}"
        yield (Finding("server", NOTE, told, advice), mine), None
    else:
        yield (Finding("server", GOOD, told), mine), None
    listed = ", ".join(says.models[:5])
    if failure is not None and (model or failure.status in (401, 403, 429)):
        finding = Finding("model", BAD, cut(failure.text, 300), _of_refusal(failure, says), {"kind": failure.kind})
        yield (finding, {}), None
    elif not model:
        told = "not named" if failure is None else f"not named; asked for {ANY!r} it says: {cut(failure.text)}"
        some = f"name it: -w model=NAME (it takes any: -w model={ANY})" if failure is None else "name it: -w model=NAME"
        advice = f"name one: -w model=NAME (it has: {listed})" if listed else some
        yield (Finding("model", BAD, told, advice), {}), None
    else:
        unlisted = says.models and model not in says.models
        told = f"{model}; the server answers to that name, and does not list it" if unlisted else model
        yield (Finding("model", GOOD, told), {"model": model}), plain


def each_of(ask: Asker, servers: list[Any]) -> Iterator[Row]:
    """A row for each of several servers of one model: a shift begins at one of them, by its seed."""
    for number, server in enumerate(servers if len(servers) > 1 else (), 1):
        ask.about = f"server {number} of {len(servers)}"
        try:
            what, advice = _malformed(ask(TASK, endpoint=server))
        except NoAnswer as failure:
            what, advice = _unserved(failure, Server())
            what = what or cut(failure.text)
        told = f"{server.shown_url}: {what or 'answers'}"
        advice = f"{advice or LOG}; a shift that begins there goes to the next" if what else ""
        yield Finding(f"server {number}", NOTE if what else GOOD, told, advice), {}


def _unserved(failure: NoAnswer, says: Server) -> tuple[str, str]:
    """What a server did in place of answering, and what to do; "" where it answered as a model's server refuses."""
    text, status, kind = cut(failure.text, 200), failure.status, failure.kind
    if kind == "connection":
        return text, "start it, or say where it is with -w base_url=URL"
    if kind == "timeout":
        return text, f"is it still loading a model, or busy? {LOG}, or give it longer: -w timeout_s=SECONDS"
    if kind == "broken_stream":
        return text, f"the server, or a proxy before it, sends what is no whole answer: {LOG}"
    if kind == "not_an_answer":
        if text.startswith("no JSON: <"):
            return f"answers with a web page, not as a model does: {text}", f"{ADDRESS}; a proxy may want a log-in"
        if text == "no JSON: nothing":
            return "answers with nothing: an empty body", f"{ADDRESS}; {LOG}"
        if text.startswith("no JSON:"):
            return f"answers with what cannot be read: {text}", f"{ADDRESS}; else the server is broken: {LOG}"
        return f"answers with no chat completion: {text}", ADDRESS
    if status is not None and 300 <= status < 400:
        return text, "redirects are not followed (key and conversation would go along): name the address itself"
    if status in (404, 405, 501) and not says.models and "model" not in text.lower():
        return f"has no chat completions at this address: {text}", ADDRESS
    if status in (502, 503, 504):
        return text, f"the model is being loaded, or what stands before it reaches none: wait and ask again, or {LOG}"
    if kind == "server_error":
        return f"answers with an error: {text}", LOG
    return "", ""


def _malformed(plain: Reply) -> tuple[str, str]:
    """What is wrong with the form of an answer, and what to do; "" if nothing is."""
    if not plain.odd:
        return "", ""
    told = f"answers in no form of the protocol ({', '.join(plain.odd)}): {cut(str(plain.raw))}"
    return told, f"it does not speak OpenAI's chat completions as others do: a newer version, or another server; {LOG}"


def _of_refusal(failure: NoAnswer, says: Server) -> str:
    listed = ", ".join(says.models[:5])
    if failure.status in (401, 403):
        return "name the variable that has the key: -w key_env=NAME"
    if failure.status == 429:
        return "wait, and ask again; for a shift: -w requests_per_min=N"
    if failure.kind == "too_long":
        return "its context is too short for one question: start it with a longer one"
    if failure.status == 404:
        return f"-w model=NAME, one of: {listed}" if listed else "name the model as the server does"
    if failure.status in (400, 422):
        other = f", or -w profile={says.kind}" if says.kind else ""
        return "leave out a field that it does not take: -w 'extra_body={\"FIELD\": null}'" + other
    return LOG
