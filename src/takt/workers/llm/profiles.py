"""How a request for Qwen 3.5 is written for each server: where it listens, how thinking is switched, what it refuses.

Sampling is what Qwen recommends, thinking and not. `serve` is how the server is started; docs/llm.md has it all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

THINKING = {"temperature": 1.0, "top_p": 0.95, "top_k": 20, "presence_penalty": 1.5}
NOT_THINKING = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "presence_penalty": 1.5}


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of server.

    base_url    where it listens, unless told otherwise.
    serve       the command that starts it with the right parsers.
    on, off     fields of the request that switch thinking. Empty: it cannot be switched, the model does what it does.
    reasoning   the field in which what it thought comes, and goes back (option `keep_thinking`).
    refuses     fields that it answers with an error, or does not know.
    known       what it is known to do wrong, a sentence each.
    """

    base_url: str
    serve: str
    on: Mapping[str, Any]
    off: Mapping[str, Any]
    reasoning: str
    refuses: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


def _by_template(thinking: bool) -> dict[str, Any]:
    return {"chat_template_kwargs": {"enable_thinking": thinking}}


PROFILES = {
    "vllm": Profile(
        "http://localhost:8000/v1",
        "vllm serve MODEL --reasoning-parser qwen3 --enable-auto-tool-choice --tool-call-parser qwen3_coder",
        _by_template(True),
        _by_template(False),
        "reasoning",
        known=(
            "without --enable-auto-tool-choice and --tool-call-parser calls stay text",
            "a call written inside thinking is lost (vllm#39056, vllm#42021)",
            "thinking can end up in the content (vllm#51679)",
        ),
    ),
    "sglang": Profile(
        "http://localhost:30000/v1",
        "python -m sglang.launch_server --model-path MODEL --reasoning-parser qwen3 --tool-call-parser qwen3_coder",
        _by_template(True),
        _by_template(False),
        "reasoning_content",
        known=("without --tool-call-parser calls stay text",),
    ),
    "llamacpp": Profile(
        "http://localhost:8080/v1",
        "llama-server -m MODEL.gguf --jinja",
        _by_template(True),
        _by_template(False),
        "reasoning_content",
        known=(
            "a chat template that knows no tools drops them in silence (--jinja --chat-template-file FILE)",
            "tool_choice=none leaves the markup of calls in the text",
            "with as many threads as a shared machine has cores it is many times slower (-t)",
        ),
    ),
    "ollama": Profile(
        "http://localhost:11434/v1",
        "ollama serve",
        {"reasoning_effort": "high"},
        {"reasoning_effort": "none"},
        "reasoning",
        ("top_k",),
        known=(
            "its context is short unless OLLAMA_CONTEXT_LENGTH says otherwise, and what is longer is cut in silence",
            "the opening tag of thinking can be missing (ollama#16686)",
        ),
    ),
    "transformers": Profile(
        "http://localhost:8000/v1",
        "transformers serve MODEL",
        {},
        {},
        "reasoning_content",
        ("top_k", "presence_penalty", "stream_options"),
        known=("a top-level top_k is answered with 422", "it parses the calls of the model families it knows only"),
    ),
    "lmstudio": Profile(
        "http://localhost:1234/v1",
        "lms server start; lms load MODEL --context-length 32768",
        {},
        {},
        "reasoning_content",
        known=("the context is what the model was loaded with, often 4096; what is longer is cut or refused",),
    ),
    "openrouter": Profile(
        "https://openrouter.ai/api/v1",
        "",
        {"reasoning": {"enabled": True}},
        {"reasoning": {"enabled": False}},
        "reasoning",
        known=(
            'each request may go to another provider: pin one, -w \'extra_body={"provider": {"order": [NAME]}}\'',
            "not every provider of a model takes tools",
        ),
    ),
    "alibaba": Profile(
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "",
        {"enable_thinking": True},
        {"enable_thinking": False},
        "reasoning_content",
        known=("some models think only if answers are streamed (-w stream=true)",),
    ),
}
OPENAI_FIELDS = ("temperature", "top_p", "presence_penalty")  # what is not among them goes into the extra body


def settings(
    profile: Profile,
    model: str,
    thinking: bool,
    max_tokens: int,
    seed: int,
    stream: bool,
    extra_body: Mapping[str, Any],
    named: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The fields of every request beside messages and tools. `named` are fields that the user gave by options.
    `extra_body` has the last word: on sampling, on how long an answer may be (`max_completion_tokens` in place of
    `max_tokens`), and what is null there is not sent at all.
    """
    sampling = {**(THINKING if thinking else NOT_THINKING), **{k: v for k, v in named.items() if k in NOT_THINKING}}
    body = {name: value for name, value in sampling.items() if name not in profile.refuses}
    fields: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "seed": seed}
    fields |= {name: value for name, value in body.items() if name in OPENAI_FIELDS and name not in extra_body}
    if stream:
        fields["stream"] = True
        if "stream_options" not in profile.refuses:
            fields["stream_options"] = {"include_usage": True}
    if "max_completion_tokens" in extra_body:
        del fields["max_tokens"]
    extra = {name: value for name, value in body.items() if name not in OPENAI_FIELDS}
    more = {name: value for name, value in named.items() if name not in NOT_THINKING}
    extra |= {**(profile.on if thinking else profile.off), **more, **extra_body}
    for name in [name for name, value in extra_body.items() if value is None]:
        fields.pop(name, None)
        del extra[name]
    fields["extra_body"] = extra
    return fields
