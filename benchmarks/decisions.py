"""Decisions of several models at worlds that none of them learned from, one row each.

    python benchmarks/decisions.py desk/model-step*.gguf desk/model.gguf --data CONVERSATIONS.jsonl [--most 40] [--bf16]
    python benchmarks/decisions.py desk desk-round1/checkpoint-16 --tokenizer desk --after propose --data ... --most 24

The second looks only at what is called first after `propose`, by kind, up to the tool's name: how often it is the
likeliest, and how likely it is. That is cheaper. With `--flip hotel_due` the same is asked of the same conversations
with the field turned (true to false, or left out in the view terse; false to true): a model whose answers stay does not
read it, however much oftener it says `hotel` in worlds in which hotels are due more often.

CONVERSATIONS are a teacher's, of `takt export --format trl` or out of `takt train`'s OUT-shifts. docs/train-llm.md
sets these figures beside shifts of the same models.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import torch

from takt.train.lessons import Lesson, kinds_of, lessons_of, mixture, read_conversations
from takt.train.measured import TOGETHER, measure
from takt.train.shared import logits_of
from takt.train.weights import open_tokenizer, open_weights


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("models", nargs="+")
    words.add_argument("--data", required=True)
    words.add_argument("--most", type=int, default=40, help="conversations, rare kinds more of than they are")
    words.add_argument("--template", default="")
    words.add_argument("--tokenizer", default="", help="where a model's folder has none")
    words.add_argument("--after", default="", help="only the first decision after this tool; --most of each kind")
    words.add_argument("--flip", default="", help="with --after: and again with this field of its result turned")
    words.add_argument("--threads", type=int, default=1)
    words.add_argument("--bf16", action="store_true")
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    there = list(read_conversations(given.data))
    often = Counter(kinds_of(row) for row in there)
    for model in given.models:
        began = time.process_time()
        tokenizer = open_tokenizer(given.tokenizer or model, given.template)
        causal = open_weights(model, tokenizer).causal.eval()
        with torch.autocast("cpu", torch.bfloat16, enabled=given.bf16):
            if given.after:
                told = first_after(given.after, causal, tokenizer, there, given.most, given.flip)
            else:
                lessons = [lesson for row in mixture(there, given.most) for lesson in lessons_of(row, tokenizer, 2048)]
                told = measure(causal, lessons, often).as_json()
        seconds = round(time.process_time() - began)
        print(json.dumps({"model": model, **told, "cpu_seconds": seconds}), flush=True)


def first_after(
    tool: str, causal: Any, tokenizer: Any, rows: list[Any], most: int, flip: str = ""
) -> dict[str, list[float]]:
    """By kind: how many decisions, at how many the teacher's tool is the likeliest, and the probability of its name's
    first token: least, mean, most; with `flip` the mean and the number again, of those that have the field."""
    kinds: dict[str, list[tuple[Lesson, Lesson | None]]] = {}
    for row in rows:
        found = upto_first(tool, row, tokenizer)
        if found is None or len(kinds.setdefault(kind := found.decisions[0].kind, [])) >= most:
            continue
        other = turned(row, tool, flip) if flip else None
        kinds[kind].append((found, upto_first(tool, other, tokenizer) if other is not None else None))
    told: dict[str, list[float]] = {}
    for kind, pairs in sorted(kinds.items()):
        right, likely = likelihoods(causal, [lesson for lesson, _ in pairs])
        told[kind] = [len(pairs), right, *(round(p, 3) for p in (min(likely), sum(likely) / len(likely), max(likely)))]
        others = [other for _, other in pairs if other is not None]
        if others:
            right, likely = likelihoods(causal, others)
            told[f"{kind}, {flip} turned"] = [len(others), right, round(sum(likely) / len(likely), 3)]
    return told


def upto_first(tool: str, row: Any, tokenizer: Any) -> Lesson | None:
    """A conversation up to the name that the teacher calls first after `tool`, the only thing to be said."""
    lesson = lessons_of(row, tokenizer, 2048)[0]
    found = next((d for d in lesson.decisions if d.kind.startswith(f"{tool} > ")), None)
    if found is None:
        return None
    only = replace(found, first=found.naming, last=found.named)
    return Lesson(lesson.ids[: found.named], (only,), lesson.kinds)


def turned(row: Any, tool: str, field: str) -> Any:
    """The same conversation with a field of the tool's first result turned; None if it has none."""
    row = json.loads(json.dumps(row))
    texts = [message for message in row["messages"] if message["role"] in ("tool", "user")]
    terse = not any(":false" in message["content"] for message in texts)  # what is false is left out
    first = next((at for at, m in enumerate(row["messages"]) if m.get("tool_calls") and called(m) == tool), -1)
    if first < 0:
        return None
    told = row["messages"][first + 1]
    known = json.loads(told["content"])
    for way in (known.get("result") or {}).get("itineraries", [])[:1]:
        if field in way or terse:
            was = way.pop(field, False)
            if not (was and terse):
                way[field] = not was
            told["content"] = json.dumps(known, separators=(",", ":"), ensure_ascii=False)
            return row
    return None


def called(message: Any) -> str:
    return str(message["tool_calls"][0]["function"]["name"])


def likelihoods(causal: Any, lessons: list[Lesson]) -> tuple[int, list[float]]:
    """At how many the name is the likeliest, and how likely its first token is at each."""
    right, likely = 0, list[float]()
    for begun in range(0, len(lessons), TOGETHER):
        part = lessons[begun : begun + TOGETHER]
        with torch.no_grad():
            found = logits_of(causal, part)
        for lesson, logits in zip(part, found, strict=True):
            name = list(lesson.ids[lesson.decisions[0].first :])
            right += logits.argmax(-1).tolist() == name
            likely.append(float(logits[0].softmax(-1)[name[0]]))
    return right, likely


if __name__ == "__main__":
    main()
