"""A question to a model's server, asked as the worker `llm` asks with these options, and what is found by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from takt.workers.llm.answer import Reply
from takt.workers.llm.options import Options
from takt.workers.llm.profiles import PROFILES, settings
from takt.workers.llm.refusals import NoAnswer

GOOD, BAD, NOTE = "good", "bad", "note"
SHORT_ANSWER = 256  # tokens that one call needs at most, unless it thinks first
WITH_TOOLS = ("tool_choice", "parallel_tool_calls")  # fields that servers refuse in a request without tools
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
    def unserved(self) -> Finding | None:
        """What the server does in place of answering, if it never did answer."""
        return next((f for f in self.findings if f.what == "server" and f.state == BAD), None)

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


class Died(Exception):
    """The server, which had answered, does not any more."""


class Asker:
    """Asks, with the worker's settings, and takes the time.

    tell    called before each question with what it is about.
    """

    def __init__(self, endpoint: Any, options: Options, profile: str, model: str, tell: Callable[[str], None]) -> None:
        self._endpoint, self._options, self._profile, self._tell = endpoint, options, PROFILES[profile], tell
        self.model, self.about = model, "whether it answers"
        self.answered = False
        self.first_s = self.whole_s = 0.0
        self._next_s = 0.0  # when the next may be asked, where so many a minute are allowed

    def __call__(
        self,
        user: str,
        tools: Sequence[Any] = (),
        *,
        system: str = BRIEF,
        thinking: bool | None = None,
        stream: bool | None = None,
        max_tokens: int | None = None,
        needed: bool = False,
        endpoint: Any = None,
        **more: Any,
    ) -> Reply:
        """One answer. Raises NoAnswer, or Died if nothing answers where something did.

        needed    an answer that is not there in time is the end, too.
        endpoint  another one to ask.
        more      further fields of the request.
        """
        o = self._options
        thinks = o.thinking if thinking is None else thinking
        if max_tokens is None:
            max_tokens = o.max_tokens if thinks else min(SHORT_ANSWER, o.max_tokens)
        named = {"temperature": 0, **o.named_fields, **more}
        if not tools:
            named = {name: value for name, value in named.items() if name not in WITH_TOOLS}
        streams = o.stream if stream is None else stream
        fields = settings(self._profile, self.model, thinks, max_tokens, 0, streams, dict(o.extra_body), named)
        words = "\n".join(part for part in (system, o.system) if part)
        messages = [{"role": "system", "content": words}, {"role": "user", "content": user}]
        self._tell(self.about)
        time.sleep(max(0.0, self._next_s - time.monotonic()))
        self._next_s = time.monotonic() + (60.0 / o.requests_per_min if o.requests_per_min else 0.0)
        asked, began = endpoint or self._endpoint, time.perf_counter()
        try:
            reply: Reply = asked.ask(messages, list(tools), fields)
        except NoAnswer as failure:
            gone = failure.kind == "connection" or (needed and failure.kind == "timeout")
            if self.answered and gone and endpoint is None:
                raise Died(failure.text) from failure
            raise
        self.answered = True
        self.whole_s, self.first_s = time.perf_counter() - began, asked.first_s
        return reply


def cut(text: str, most: int = 90) -> str:
    """The beginning of a text, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}..."
