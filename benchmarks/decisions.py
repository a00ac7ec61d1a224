"""Decisions of several models at worlds that none of them learned from, one row each.

    python benchmarks/decisions.py desk/model-step*.gguf desk/model.gguf --data CONVERSATIONS.jsonl [--most 40] [--bf16]
    python benchmarks/decisions.py desk desk-round1/checkpoint-16 --tokenizer desk --after propose --data ... --most 24

The second looks only at what is called first after `propose`, by kind, up to the tool's name: how often it is the
likeliest, and how likely it is. That is cheaper, and tells a model that knows how often from one that knows when.

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
                told = first_after(given.after, causal, tokenizer, there, given.most)
            else:
                lessons = [lesson for row in mixture(there, given.most) for lesson in lessons_of(row, tokenizer, 2048)]
                told = measure(causal, lessons, often).as_json()
        seconds = round(time.process_time() - began)
        print(json.dumps({"model": model, **told, "cpu_seconds": seconds}), flush=True)


@torch.no_grad()
def first_after(tool: str, causal: Any, tokenizer: Any, rows: list[Any], most: int) -> dict[str, Any]:
    """By kind: of how many decisions the tool is the likeliest, and the probability of its name's first token."""
    kinds: dict[str, list[Lesson]] = {}
    for row in rows:
        lesson = lessons_of(row, tokenizer, 2048)[0]
        found = next((d for d in lesson.decisions if d.kind.startswith(f"{tool} > ")), None)
        if found is not None and len(kinds.setdefault(found.kind, [])) < most:
            only = replace(found, first=found.naming, last=found.named)
            kinds[found.kind].append(Lesson(lesson.ids[: found.named], (only,), lesson.kinds))
    told: dict[str, Any] = {}
    for kind, lessons in sorted(kinds.items()):
        right, likely = 0, []
        for begun in range(0, len(lessons), TOGETHER):
            part = lessons[begun : begun + TOGETHER]
            for lesson, logits in zip(part, logits_of(causal, part), strict=True):
                name = list(lesson.ids[lesson.decisions[0].first :])
                right += logits.argmax(-1).tolist() == name
                likely.append(float(logits[0].softmax(-1)[name[0]]))
        mean = sum(likely) / len(likely)
        told[kind] = [len(lessons), right, *(round(p, 3) for p in (min(likely), mean, max(likely)))]
    return told


if __name__ == "__main__":
    main()
