"""A model that is being trained, at work: asked in this process, so that a short shift needs no server.

It answers as a server with this chat template would: the same prompt, no temperature, tool calls parsed out of the text
(`takt.workers.llm.spoken`). What two prompts have in common is read once. What came after the same tokens before, in
the prompt or in another answer, is tried as a whole, and kept as far as the model would have written it (prompt lookup
decoding; Leviathan et al., arXiv:2211.17192, at temperature 0): calls copy most of their words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.shift import run_shift
from takt.train.shared import PLAIN, begin_alike, cache_named, copied
from takt.train.weights import rendered
from takt.workers.calls import as_text, read_call
from takt.workers.llm import Llm
from takt.workers.llm.answer import Reply
from takt.workers.llm.spoken import calls_in

DRAFT = 16  # tokens that are tried at once
LIKE = (6, 4, 3, 2)  # after so many tokens that were written before
RECALLED = 2048  # tokens of earlier answers in which a draft is looked for


class InProcess:
    """An `Endpoint` that is a model of transformers."""

    def __init__(self, causal: Any, tokenizer: Any, max_tokens: int = 128) -> None:
        self._causal, self._tokenizer, self._max = causal, tokenizer, max_tokens
        self._ids: list[int] = []  # that were read, and are in memory
        self._memory: Any = None
        self._said: list[int] = []  # the latest answers, to draft from

    @torch.no_grad()
    def ask(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any], settings: Mapping[str, Any]) -> Reply:
        prompt = rendered(self._tokenizer, [_opened(message) for message in messages], tools, True)
        ids = self._tokenizer(prompt, add_special_tokens=False)["input_ids"]
        written = self._written(ids, min(self._max, int(settings.get("max_tokens", self._max))))
        ended = written[-1:] == [self._tokenizer.eos_token_id]
        text = self._tokenizer.decode(written[:-1] if ended else written)
        calls = calls_in(text, {tool["function"]["name"] for tool in tools})
        usage = {"prompt_tokens": len(ids), "completion_tokens": len(written)}
        said = "" if calls else text
        raw = {"role": "assistant", "content": text}
        return Reply(said, "", calls, usage, raw, "stop" if ended else "length")

    def _written(self, ids: list[int], most: int) -> list[int]:
        """The likeliest tokens after these, up to the end token."""
        alike = min(begin_alike(self._ids, ids), len(ids) - 1)
        if self._memory is not None and alike and all(type(layer).__name__ == PLAIN for layer in self._memory.layers):
            self._memory = copied(self._memory, alike)
        else:
            self._memory, alike = DynamicCache(config=self._causal.config), 0
        device, name = next(self._causal.parameters()).device, cache_named(self._causal)
        written, feed, kept, end = list[int](), ids[alike:], list(ids), self._tokenizer.eos_token_id
        draft: list[int] = []  # the end of what is fed
        while len(written) < most:
            given = torch.tensor([feed], device=device)
            more = {name: self._memory, "logits_to_keep": 1 + len(draft)}
            likeliest = self._causal(input_ids=given, use_cache=True, **more).logits[0].argmax(-1).tolist()
            right = begin_alike(draft, likeliest)
            if right < len(draft):
                self._memory.crop(right - len(draft))  # below zero: what is taken off the end
            new = likeliest[: right + 1]
            new = new[: new.index(end) + 1] if end in new else new
            new = new[: most - len(written)]
            written += new
            if new[-1] == end:
                break
            kept += new
            plain = all(type(layer).__name__ == PLAIN for layer in self._memory.layers)
            draft = drafted(self._said + kept, min(DRAFT, most - len(written) - 1)) if plain else []
            feed = [new[-1], *draft]
        self._ids = [*ids, *written][: self._memory.get_seq_length()]
        self._said = [*self._said, *written][-RECALLED:]
        return written


def drafted(ids: Sequence[int], most: int) -> list[int]:
    """What came, of `ids`, after the last place that ends as they end; [] if there is none."""
    for like in LIKE:
        ends = list(ids[-like:])
        for at in range(len(ids) - like - 1, -1, -1):
            if ids[at] == ends[0] and list(ids[at : at + like]) == ends:
                return list(ids[at + like : at + like + most])
    return []


@dataclass(frozen=True)
class ShortShift:
    """What works a short shift of so many units with a model as it is, and says how many were good."""

    station: str
    seed: int
    units: int
    view: str
    options: Mapping[str, Any]
    max_tokens: int = 128  # of an answer

    def __call__(self, causal: Any, tokenizer: Any, step: int) -> dict[str, Any]:
        was = causal.training
        causal.eval()
        options: dict[str, Any] = {"view": self.view, "tokens_per_s": 50.0, "max_tokens": self.max_tokens}
        worker = Llm(endpoint=InProcess(causal, tokenizer, self.max_tokens), model=f"step-{step}", **options)
        shift = run_shift(
            self.station,
            worker,
            seed=self.seed,
            units=self.units,
            clock="measured",
            station_options=dict(self.options),
        )
        causal.train(was)
        ended = [event for event in shift.events if event.kind in (UNIT_GOOD, UNIT_BAD)]
        return {"seed": self.seed, "units": len(ended), "good": sum(event.kind == UNIT_GOOD for event in ended)}


def _opened(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as templates take it: the arguments of calls as objects."""
    if "tool_calls" not in message:
        return dict(message)
    calls = [call["function"] for call in message["tool_calls"]]
    texts = [(c["name"], c["arguments"] if isinstance(c["arguments"], str) else as_text(c["arguments"])) for c in calls]
    given = [(name, read_call(name, text, ()).arguments or {}) for name, text in texts]
    return {
        **message,
        "tool_calls": [{"type": "function", "function": {"name": name, "arguments": a}} for name, a in given],
    }
