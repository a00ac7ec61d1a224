"""The worker `llm`: a chat model does the work by tool calls. Any station whose spec has tools will do.

It is asked, asks the model, and hands the calls of the answer to the station one after the other; when all their
results are there, it asks again. While nobody waits it asks nothing. Whatever the model or its server do, the shift
goes on: an answer that is no call is followed by a nudge, a call that makes no sense is handed to the station, which
refuses it, and a server that is silent is asked again later. Every exchange is a record (`said` in the ledger), and is
in the journal before anything is done with it; what is done depends on nothing but the records.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from takt.contract.exchange import Recorder, exchanged
from takt.contract.options import no_option
from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Finished, Journal, Plan
from takt.distribution import install
from takt.keys import led_elsewhere
from takt.ledger import Ledger
from takt.ledger.journal import Told
from takt.workers.calls import as_text, plan_of, read_call
from takt.workers.llm.answer import Reply
from takt.workers.llm.endpoint import Endpoint
from takt.workers.llm.examples import examples_of
from takt.workers.llm.form import as_examples
from takt.workers.llm.lost import has_lost_call
from takt.workers.llm.options import Options
from takt.workers.llm.patience import Attempt, ask_patiently
from takt.workers.llm.profiles import PROFILES, settings
from takt.workers.llm.server import Server, tools_dropped
from takt.workers.llm.several import endpoint_of
from takt.workers.llm.spoken import calls_in
from takt.workers.llm.talk import Talk
from takt.workers.pictures import TOKENS, Picture, pictures_of, shown

IDLE_S = 5.0  # station time between two looks at whether somebody waits
ASIDE_S = 60.0  # station time until what was given up is tried again, if nothing else waits
OUTAGE_S = 30.0  # station time until a server that did not answer is asked again
OUTAGES = 3  # requests in a row that come to nothing, with all their retries: the shift ends


class Llm(Recorder):
    """A language model, by any endpoint that speaks OpenAI's chat completions: -w model=NAME. See docs/llm.md.

    replay     a shift's ledger: its answers instead of a model's, and its options, unless given.
    endpoint   something else to ask, for tests.
    options    see `Options`.
    """

    clock = "measured"  # what thinking costs, unless the user says otherwise: tokens take the time that they take

    def __init__(self, replay: str = "", endpoint: Endpoint | None = None, **options: Any) -> None:
        self._told: Told | None = None
        if replay:
            with Ledger.open(replay) as book:
                recorded = {name: value for name, value in book.meta["worker_options"].items() if name != "replay"}
                options, self._told = {**recorded, **options}, Told(book.events())
        unknown = [name for name in options if name not in Options.__dataclass_fields__]
        if unknown:
            raise TaktError(f"worker 'llm' {no_option(unknown[0], Options.__dataclass_fields__)}")
        self.options = Options(**options)
        if endpoint is None and not replay and find_spec("openai") is None:
            raise TaktError(f"worker 'llm' needs the extra `llm`: {install('llm')}")
        self._profile = PROFILES[self.options.profile]
        self._endpoint = endpoint or endpoint_of(self.options)

    @staticmethod
    def asked_if_named(options: Mapping[str, Any]) -> dict[str, Any]:
        """The server and the key's variable, which a ledger alone is not believed (trust.py)."""
        url = options.get("base_url") or PROFILES.get(str(options.get("profile", "vllm")), PROFILES["vllm"]).base_url
        names = ("base_url", "key_env") if options.get("base_url") else ("profile", "key_env")
        led: dict[str, Any] = {"examples": options["examples"]} if options.get("examples") else {}
        for one in str(url).split(","):
            led |= led_elsewhere(one.strip(), {name: options.get(name) for name in names})
        return led

    def ready(self) -> None:
        """Asked when a model will be: raises TaktError if the key may not go to this server."""
        if (refusal := getattr(self._endpoint, "refusal", None)) is not None:
            raise refusal

    def begin(self, spec: StationSpec, seed: int) -> None:
        if not spec.tools:
            raise TaktError(f"worker 'llm' works by tool calls, and station {spec.station!r} offers no tools")
        o = self.options
        self._seed = seed
        if hasattr(self._endpoint, "begin"):
            self._endpoint.begin(seed)
        self._talk = Talk(spec, o.view, o.context_tokens - o.max_tokens, o.context_tokens, o.calls, o.system)
        named = {**o.named_fields, **self._talk.form}
        self._settings = settings(
            self._profile, o.model, o.thinking, o.max_tokens, seed % 2**31, o.stream, dict(o.extra_body), named
        )
        pauses = (max(1, round(s / spec.control_s)) for s in (IDLE_S, OUTAGE_S, ASIDE_S))
        self._idle, self._outage, self._aside = pauses
        self._history = self._talk.history
        self._nothing_said()
        self._number = 0  # of the next exchange
        self._calls: list[list[str]] = []  # that the model made and that are not yet done: id and text
        self._doing: list[str] = []  # the one being done
        self._show = True  # whether the model is to be shown all that is there
        self._last, self._times = "", 0  # the last call, and how often in a row
        self._nudge, self._nudges = "", 0
        self._spent, self._unanswered = 0.0, 0
        self._asked_s = -math.inf  # wall time of the last request
        self._pictures: list[Picture] = []  # that the next request has

    def end(self) -> None: ...

    def keep_in(self, journal: Journal) -> None:
        super().keep_in(self._told or journal)

    def save(self) -> bytes:
        """JSON, for a model's text need not be what msgpack takes for one."""
        counts = (self._number, self._calls, self._doing, self._show, self._last, self._times)
        more = (self._nudge, self._nudges, self._spent, self._unanswered, self._talk.refusals)
        turn = [self._talk.aside, self._talk.at_work]  # which older snapshots have not
        aside = [turn] if any(turn) else []
        return json.dumps([*counts, *more, *aside, self._history.state()]).encode()

    def load(self, state: bytes) -> None:
        *counts, history = json.loads(state)
        self._number, self._calls, self._doing, self._show, self._last, self._times, *more = counts
        self._nudge, self._nudges, self._spent, self._unanswered, self._talk.refusals, *aside = more
        self._talk.aside, self._talk.at_work = aside[0] if aside else ({}, "")
        self._history.restore(history)

    def act(self, observation: Mapping[str, Any]) -> Plan:
        if self._doing:
            call_id, call = self._doing
            cut = self._talk.result(call_id, observation)
            if cut:
                self._said.append({"cut_chars": cut})
            self._doing = []
            if self._talk.over(call, observation) and not self._calls:
                stuck = self._talk.given_up and self._talk.set_aside(observation)
                self._begin_anew()
                if stuck:
                    return Plan([], ask_after=self._aside, took_s=0.0)
        if self._calls:
            return self._do()
        if observation.get("waiting") == 0:
            self._show, self._nudge = True, ""
            return Plan([], ask_after=self._idle, took_s=0.0)
        return self._ask(observation)

    def _do(self, took_s: float = 0.0) -> Plan:
        self._doing = self._calls.pop(0)
        return plan_of(self._doing[1], took_s)

    def _begin_anew(self) -> None:
        """What was said is not needed any more, or does harm."""
        self._said.append({"forgotten": self._talk.begin_anew()})
        self._show, self._nudge = True, ""

    def _ask(self, observation: Mapping[str, Any]) -> Plan:
        """Ask the model, and do the first call of its answer."""
        cap = self.options.spend_cap
        if cap is not None and self._spent >= cap:
            raise Finished(f"{self._spent:.4f} is spent, and the cap is {cap:g}")
        self._pictures = pictures_of(observation) if self.options.pictures else []
        self._tell(observation)
        record = self._exchange()
        self._number += 1
        self._said.append(record)
        self._spent += record["price"]
        if record["message"] is None:
            return self._unheard(record, observation)
        self._unanswered = 0
        if record.get("tools_unseen"):
            raise Finished(
                f"the model does not see its tools: {record['tools_unseen']}; give the server a chat template that has "
                "tools, or another model",
                failed=True,
            )
        if record.get("server_context", self.options.context_tokens) < self.options.context_tokens:
            raise Finished(
                f"the server's context is {record['server_context']} tokens, and context_tokens is "
                f"{self.options.context_tokens}: start it with more, or -w context_tokens={record['server_context']}",
                failed=True,
            )
        if not record["usage"].get("estimated") and not self._pictures:  # what of the count is pictures is not told
            self._history.counted(record["usage"]["prompt_tokens"])
        self._take(record)
        if self._calls:
            return self._do(record["took_s"])
        return Plan([], took_s=record["took_s"])

    def _tell(self, observation: Mapping[str, Any]) -> None:
        """What the model has to know before it is asked: all that is there, or a nudge; and what no longer fits."""
        if self._number == 0 and self.options.examples and not self._history.examples:
            try:
                self._history.show_examples(self._examples())
            except TaktError as error:
                raise Finished(str(error), failed=True) from error
        if self._nudge:
            self._nudges += 1
            self._talk.nudge(self._nudge, self._nudges, self._times, observation)
            self._said.append({"nudge": self._nudge, "times": self._times})
            self._nudge = ""
        elif self._show:
            self._talk.show(observation)
        self._show = False
        o = self.options
        room = o.context_tokens - o.max_tokens
        self._history.room_tokens = max(room // 2, room - TOKENS * len(self._pictures))
        dropped = self._history.fit(self._talk.everything(observation))
        if dropped:
            self._said.append(dropped)

    def _examples(self) -> list[dict[str, Any]]:
        """Examples to begin with: those of the record, if the first exchange is there already, else of the file."""
        assert self._journal is not None
        known = self._journal.recall(0)
        if known is not None:
            return list(known.get("examples", ()))
        o = self.options
        return as_examples(examples_of(o.examples, o.shots, o.view), o.calls)

    def _exchange(self) -> Mapping[str, Any]:
        """The next exchange, from the journal if it was paid for already."""
        seal, added = self._history.sealed(self._settings)
        assert self._journal is not None
        asked = {"request": seal, "added": added}
        return exchanged(self._journal, self._number, lambda: {**asked, **self._answer()}, seal)[0]

    def _answer(self) -> dict[str, Any]:
        """What the endpoint says to the history as it is, and what that costs."""
        o, messages = self.options, shown(self._history.messages(), self._pictures)
        rng = random.Random(f"{self._seed}/{self._number}")
        before = time.perf_counter()
        beat_s = 60.0 / o.requests_per_min if o.requests_per_min else 0.0
        time.sleep(max(0.0, min(beat_s, self._asked_s + beat_s - before)))
        self._asked_s = time.perf_counter()
        first = self._number == 0
        reply, failed = ask_patiently(
            lambda: self._endpoint.ask(messages, self._talk.tools, self._settings), o.retries, o.backoff_s, rng, first
        )
        wall_s = time.perf_counter() - before
        if reply is not None and o.calls != "tools":
            reply = replace(reply, calls=calls_in(reply.text, self._talk.names)[:1])
        usage = self._usage(reply)
        read, written = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
        cached = min(usage.get("cached_tokens", 0), read)
        paid, cached_at = read - cached, o.price_in if o.price_cached is None else o.price_cached
        if o.tokens_per_s is None:
            took_s = wall_s
        else:
            took_s = read / o.prompt_tokens_per_s + written / o.tokens_per_s + self._waited_s(failed)
            took_s = max(took_s, beat_s)
        return {
            "message": None if reply is None else reply.raw,
            "calls": [] if reply is None else [[call.name, call.arguments] for call in reply.calls],
            "text": "" if reply is None else reply.text,
            "reasoning": "" if reply is None else reply.reasoning,
            "finish": "" if reply is None else reply.finish,
            "usage": usage,
            "price": (paid * o.price_in + cached * cached_at + written * o.price_out) / 1e6,
            "took_s": round(took_s, 6),
            "odd": [] if reply is None else _odd(reply, self._talk.names),
            "failed": [_told_of(attempt) for attempt in failed],
            **({"pictures": [picture.told for picture in self._pictures]} if self._pictures else {}),
            **({"examples": self._history.examples} if first and self._history.examples else {}),
            **(self._first_look(reply) if first and reply is not None else {}),
        }

    def _first_look(self, reply: Reply) -> dict[str, Any]:
        """What the first answer, and the server, say of how this will go."""
        asks = getattr(self._endpoint, "says", None)
        says = Server() if asks is None else asks(self.options.model)
        known = {} if says.context is None else {"server_context": says.context}
        return {"tools_unseen": self._tools_unseen(reply, says), **known}

    def _tools_unseen(self, reply: Reply, says: Server) -> str:
        """Why the model cannot have seen the tools, "" if nothing speaks for that. A chat template that knows none
        drops them without a word, and a shift would be hours of answers that are no calls.
        """
        if reply.calls:
            return ""
        if self.options.calls != "tools":
            return ""
        if says.tools is False:
            return "the server says that its chat template has no tools"
        read = reply.usage["prompt_tokens"] if reply.usage else 0
        return tools_dropped(read, self._history.chars, self._talk.tools_chars)

    def _waited_s(self, failed: list[Attempt]) -> float:
        """Back-off, and the time that a silent server was given, in round figures: the same on every run."""
        silent = sum(attempt.failure.kind == "timeout" for attempt in failed)
        return sum(attempt.waited_s for attempt in failed) + silent * self.options.timeout_s

    def _usage(self, reply: Reply | None) -> dict[str, Any]:
        """Tokens as the server counts them, or else guessed from the characters."""
        if reply is None:
            return {}
        if reply.usage is not None:
            return dict(reply.usage)
        history = self._history
        written = history.tokens(len(as_text(reply.raw)))
        return {"prompt_tokens": history.tokens(history.chars), "completion_tokens": written, "estimated": True}

    def _take(self, record: Mapping[str, Any]) -> None:
        """Put an answer into the history, its calls in the queue, and see what is to be said about them."""
        kept = self.options.keep_thinking and record["reasoning"]
        thought = {self._profile.reasoning: record["reasoning"]} if kept else None
        calls = self._talk.answered(record["number"], record["text"], record["calls"], thought)
        for _, text in calls:
            self._times = self._times + 1 if text == self._last else 1
            self._last = text
            if self._times % self.options.repeats == 0:
                self._nudge = "repeated"
        self._calls += calls
        if not calls:
            self._nudge = "lost_call" if "lost_call" in record["odd"] else "no_call"

    def _unheard(self, record: Mapping[str, Any], observation: Mapping[str, Any]) -> Plan:
        """No answer, after all retries: ask again later, or end the shift if that would be in vain."""
        last = record["failed"][-1]
        if last["hopeless"]:
            dropped = {}
            if last["kind"] == "too_long" or last["status"] in (400, 413):  # perhaps too long, by the server's count
                dropped = self._history.fit(self._talk.in_brief(observation), all_of_it=True)
            if not dropped.get("dropped"):
                blind = "; for a model that takes no pictures: -w pictures=false" if self._pictures else ""
                raise Finished(f"the endpoint refuses: {last['text']}{blind}", failed=True)
            self._said.append(dropped)
            return Plan([], took_s=record["took_s"])
        self._unanswered += 1
        if record["number"] == 0 and last["kind"] == "connection":
            raise Finished(
                f"the endpoint gives no answer: {last['text']}; start it, or say where with base_url", failed=True
            )
        if record["number"] == 0 or self._unanswered >= OUTAGES:
            many = f" to {self._unanswered} requests in a row, each" if self._unanswered > 1 else ","
            raise Finished(f"the endpoint gives no answer{many} with its retries: {last['text']}", failed=True)
        return Plan([], ask_after=self._outage, took_s=record["took_s"])


def _told_of(attempt: Attempt) -> dict[str, Any]:
    failure = attempt.failure
    return {
        "kind": failure.kind,
        "status": failure.status,
        "text": " ".join(failure.text.split())[:500],
        "hopeless": failure.hopeless,
        "waited_s": attempt.waited_s,
    }


def _odd(reply: Reply, names: Collection[str]) -> list[str]:
    """What is wrong with an answer, as far as can be seen without the station, whose tools have these names."""
    read = [read_call(call.name, call.arguments, names) for call in reply.calls]
    odd = sorted((kind for call in read for kind in call.odd), reverse=True)  # unknown tools first
    odd += reply.odd
    if not reply.calls:
        lost = any(has_lost_call(text, names) for text in (reply.text, reply.reasoning))
        odd.append("lost_call" if lost else "no_call")
    if reply.finish == "length":
        odd.append("cut_short")
    return odd
