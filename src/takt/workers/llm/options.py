"""What the worker `llm` is told, `-w model=Qwen/Qwen3.5-4B -w profile=vllm`. All of it is in the ledger; no key is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from takt.contract.options import Limit, wrong_number
from takt.contract.station import TaktError
from takt.keys import check_address
from takt.meant import meant
from takt.workers.llm.form import CALLS
from takt.workers.llm.profiles import PROFILES
from takt.workers.llm.talk import VIEWS


@dataclass(frozen=True)
class Options:
    """
    model              as the server calls it.
    profile            the kind of server, see profiles.py.
    base_url           where it listens; by default where the profile says. Several, with commas: several.py.
    key_env            the environment variable that has the key; by default OPENAI_API_KEY, for OpenAI's own host only.
    view               full, or short: only what the station says is needed (`StationSpec.short`), for small models;
                       or terse: the same without what is false.
    calls              tools, schema or text: how it makes its calls (form.py).
    system             more words for the system message.
    examples, shots    a shift, or a file of `takt export --format trl`, whose good units it is shown first, so many.
    pictures           whether it is sent the newest pictures, where a station has some; false for a model without eyes.
    thinking           whether the model thinks before it answers.
    keep_thinking      whether what it thought is sent back to it.
    stream             whether answers come in pieces.
    max_tokens         of an answer, thinking included.
    context_tokens     of a request and its answer together: the context that the server was started with.
    temperature, top_p, top_k, presence_penalty    sampling, in place of what the profile says.
    reasoning_effort   none, minimal, low, medium, high, ...: for servers that take it so.
    tool_choice        auto, required: whether it may answer without a call. Left to the server if not given.
    parallel_tool_calls    whether it may make several in one answer. Left to the server if not given.
    requests_per_min   the most that the server is to be asked; the wait costs station time.
    extra_body         more fields for every request, with the last word: {"temperature": 0.2}.
    timeout_s          of one attempt.
    retries, backoff_s attempts more after one that failed, and the first wait between two, doubled each time.
    repeats            identical consecutive calls before the model is warned.
    tokens_per_s, prompt_tokens_per_s    what a token written and a token read cost in station time; without
                       tokens_per_s, thinking costs the wall time it takes. Both by the clock `measured` only.
    price_in, price_out    of a million tokens read and written.
    price_cached       of a million tokens read that the server had cached, as it counts them; price_in if not given.
    spend_cap          the shift ends when so much is spent.
    """

    model: str = ""
    profile: str = "vllm"
    base_url: str = ""
    key_env: str = ""
    view: str = "full"
    calls: str = "tools"
    system: str = ""
    examples: str = ""
    shots: int = 2
    pictures: bool = True
    thinking: bool = False
    keep_thinking: bool = False
    stream: bool = False
    max_tokens: int = 4096
    context_tokens: int = 32_768
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    reasoning_effort: str = ""
    tool_choice: str = ""
    parallel_tool_calls: bool | None = None
    requests_per_min: float | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 120.0
    retries: int = 5
    backoff_s: float = 1.0
    repeats: int = 3
    tokens_per_s: float | None = None
    prompt_tokens_per_s: float = 2000.0
    price_in: float = 0.0
    price_out: float = 0.0
    price_cached: float | None = None
    spend_cap: float | None = None

    def __post_init__(self) -> None:
        if not self.model or not isinstance(self.model, str):
            raise TaktError("worker 'llm' needs a model: -w model=NAME, as the server calls it")
        if not isinstance(self.profile, str) or self.profile not in PROFILES:
            near = meant(str(self.profile), PROFILES)
            raise TaktError(f"worker 'llm' has no profile {self.profile!r}{near}; it has: {', '.join(PROFILES)}")
        if self.calls not in CALLS:
            raise TaktError(
                f"worker 'llm' has no calls={self.calls!r}{meant(self.calls, CALLS)}; it has: {', '.join(CALLS)}"
            )
        if self.tool_choice not in ("", "auto", "required", "none"):
            raise TaktError(f"tool_choice is {self.tool_choice!r}; it must be auto, required or none")
        for name in ("system", "examples", "reasoning_effort", "base_url", "view", "calls"):
            if not isinstance(getattr(self, name), str):
                raise TaktError(f"{name} is {getattr(self, name)!r}; it must be a text")
        if self.parallel_tool_calls not in (None, True, False):
            raise TaktError(f"parallel_tool_calls is {self.parallel_tool_calls!r}; it must be true or false")
        if self.calls != "tools" and (self.tool_choice or self.parallel_tool_calls is not None):
            raise TaktError(f"tool_choice and parallel_tool_calls are for calls=tools, not for calls={self.calls}")
        if self.view not in VIEWS:
            raise TaktError(f"worker 'llm' has no view {self.view!r}; it has: {', '.join(VIEWS)}")
        if self.key_env and not re.fullmatch(
            r"[A-Za-z_]\w*", str(self.key_env)
        ):  # the text is not repeated: it may be the key itself
            raise TaktError("key_env is not the name of an environment variable; put the key there, not here")
        for url in str(self.base_url).split(","):
            check_address("base_url", url.strip())
        if not isinstance(self.extra_body, Mapping):
            raise TaktError("extra_body is not an object, as in -w 'extra_body={\"top_k\": 20}'")
        for name in ("pictures", "thinking", "keep_thinking", "stream"):
            if not isinstance(getattr(self, name), bool):
                raise TaktError(f"{name} is {getattr(self, name)!r}; it must be true or false")
        wrong = wrong_number(self, LIMITS, optional=OPTIONAL)
        if wrong:
            raise TaktError(wrong)
        if self.max_tokens > self.context_tokens // 2:
            raise TaktError(
                f"max_tokens is {self.max_tokens}: more than half of context_tokens, {self.context_tokens}; "
                "give a longer context or a shorter answer"
            )

    @property
    def named_fields(self) -> dict[str, Any]:
        """The fields of a request that are options of their own, as far as given."""
        given = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in given.items() if value not in (None, "")}


FIELDS = ("temperature", "top_p", "top_k", "presence_penalty", "reasoning_effort", "tool_choice", "parallel_tool_calls")
OPTIONAL: tuple[str, ...] = ("tokens_per_s", "spend_cap", "temperature", "top_p", "top_k", "presence_penalty")
OPTIONAL += ("requests_per_min", "price_cached")
LIMITS: tuple[Limit, ...] = (
    ("shots", 1, 100, True),
    ("temperature", 0, 10, False),
    ("top_p", 0, 1, False),
    ("top_k", 0, 1_000_000, True),
    ("presence_penalty", -10, 10, False),
    ("requests_per_min", 0.001, 1e6, False),
    ("price_cached", 0, 1e6, False),
    ("max_tokens", 16, 1_000_000, True),
    ("context_tokens", 1024, 10_000_000, True),
    ("retries", 0, 100, True),
    ("repeats", 2, 10_000, True),
    ("timeout_s", 0.01, 86_400, False),
    ("backoff_s", 0, 3600, False),
    ("tokens_per_s", 0.001, 1e9, False),
    ("prompt_tokens_per_s", 0.001, 1e9, False),
    ("price_in", 0, 1e6, False),
    ("price_out", 0, 1e6, False),
    ("spend_cap", 0, 1e9, False),
)
