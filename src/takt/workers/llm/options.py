"""What the worker `llm` is told, `-w model=Qwen/Qwen3.5-4B -w profile=vllm`. All of it is in the ledger; no key is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from takt.contract.options import Limit, wrong_number
from takt.contract.station import TaktError
from takt.workers.keys import check_address
from takt.workers.llm.profiles import PROFILES
from takt.workers.llm.talk import VIEWS


@dataclass(frozen=True)
class Options:
    """
    model              as the server calls it.
    profile            the kind of server, see profiles.py.
    base_url           where it listens; by default where the profile says.
    key_env            the environment variable that has the key; by default OPENAI_API_KEY, for OpenAI's own host only.
    view               full, or short: only what the station says is needed (`StationSpec.short`), for small models.
    thinking           whether the model thinks before it answers.
    keep_thinking      whether what it thought is sent back to it.
    stream             whether answers come in pieces.
    max_tokens         of an answer, thinking included.
    context_tokens     of a request and its answer together: the context that the server was started with.
    extra_body         more fields for every request, with the last word: {"temperature": 0.2}.
    timeout_s          of one attempt.
    retries, backoff_s attempts more after one that failed, and the first wait between two, doubled each time.
    repeats            the same call so many times in a row is remarked upon.
    tokens_per_s, prompt_tokens_per_s    what a token written and a token read cost in station time; without
                       tokens_per_s, thinking costs the wall time it takes. Both by the clock `measured` only.
    price_in, price_out    of a million tokens read and written.
    spend_cap          the shift ends when so much is spent.
    """

    model: str = ""
    profile: str = "vllm"
    base_url: str = ""
    key_env: str = ""
    view: str = "full"
    thinking: bool = False
    keep_thinking: bool = False
    stream: bool = False
    max_tokens: int = 4096
    context_tokens: int = 32_768
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 120.0
    retries: int = 5
    backoff_s: float = 1.0
    repeats: int = 3
    tokens_per_s: float | None = None
    prompt_tokens_per_s: float = 2000.0
    price_in: float = 0.0
    price_out: float = 0.0
    spend_cap: float | None = None

    def __post_init__(self) -> None:
        if not self.model or not isinstance(self.model, str):
            raise TaktError("worker 'llm' needs a model: -w model=NAME, as the server calls it")
        if self.profile not in PROFILES:
            raise TaktError(f"worker 'llm' has no profile {self.profile!r}; it has: {', '.join(PROFILES)}")
        if self.view not in VIEWS:
            raise TaktError(f"worker 'llm' has no view {self.view!r}; it has: {', '.join(VIEWS)}")
        if self.key_env and not re.fullmatch(
            r"[A-Za-z_]\w*", str(self.key_env)
        ):  # the text is not repeated: it may be the key itself
            raise TaktError("key_env is not the name of an environment variable; put the key there, not here")
        check_address("base_url", str(self.base_url))
        if not isinstance(self.extra_body, Mapping):
            raise TaktError("extra_body is not an object, as in -w 'extra_body={\"top_k\": 20}'")
        for name in ("thinking", "keep_thinking", "stream"):
            if not isinstance(getattr(self, name), bool):
                raise TaktError(f"{name} is {getattr(self, name)!r}; it must be true or false")
        wrong = wrong_number(self, LIMITS, optional=("tokens_per_s", "spend_cap"))
        if wrong:
            raise TaktError(wrong)
        if self.max_tokens > self.context_tokens // 2:
            raise TaktError(
                f"max_tokens is {self.max_tokens}: more than half of context_tokens, {self.context_tokens}; "
                "give a longer context or a shorter answer"
            )


LIMITS: tuple[Limit, ...] = (
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
